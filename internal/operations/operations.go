// Package operations is the table of operations: one row for each operation of
// package autograd, with everything that drawings, explanations and the page
// know about it besides its numbers. It imports no package of the library.
//
// An operation added to autograd needs a row here and, if it is Elementwise,
// one in page/operations.js: tests fail without them.
package operations

// An Operation is a row of the table. The zero Operation stands for one that is
// not in the table, such as a custom one.
type Operation struct {
	Name      string
	Class     Class
	Inputs    int // number of inputs, if Elementwise
	Constants int // number of constants that a reader knows from the call, such as a factor; not an axis

	// Written is how a formula writes the operation between or after its inputs
	// a and b and its constant c: "a + b". If it is "", a formula writes a
	// function of them.
	Written  string
	Tight    bool   // inputs need brackets even if they are products
	Sign     string // between numbers, in the words for an overflow: "×", "to the power of"
	Commutes bool   // the order of its inputs does not matter
	Exact    bool   // IEEE 754 fixes its result and its slope to the last bit, so that any language computes the same

	Gate          string                                     // words for passing no gradient: "is closed"; "" if it always passes one, or is flat without being a gate
	Saturates     bool                                       // its slope vanishes for large inputs
	Flat          *Flat                                      // where its slope nearly vanishes; nil if that is not reported
	Domain        func(x, y float64) (f Fault, words string) // why the result y for a finite first operand x is not finite; nil or "" if it overflows
	Compares      bool                                       // it compares a prediction with a target, its second input
	Probabilities bool                                       // its first input is a probability, made by a sigmoid or softmax

	// Backward says what happens to the gradient g of the result y on the way
	// to an input x. An Elementwise operation multiplies by numbers, which are
	// shown instead.
	Backward func(u Use) string
}

// A Class says what an operation does with the elements of its inputs.
type Class uint8

const (
	Unknown     Class = iota
	Leaf              // a given value
	Elementwise       // each element of the result is a function of one element of each input
	Product           // of matrices
	Reduction         // along axes, to one number
	Running           // along an axis, to the same number of elements
	Normalizing       // along an axis: each element of the result depends on a whole row
	Moving            // elements are moved or dropped
	Choice            // between elements
	Derivative        // of an Elementwise operation, times an incoming gradient: a function of elements of three inputs
	Scratch           // of the reverse pass, or without a Value: no recording shows it
	Picture           // made by a drawing: one box for several values
)

// A Flat says where the slope of an activation nearly vanishes, by its result.
type Flat struct {
	Beyond       func(a float64) bool
	Where, Slope string // "outside 0.01 to 0.99", "below 0.01"
}

// A Fault is why an operation on finite numbers gives a result that is not
// finite.
type Fault uint8

const (
	Overflow Fault = iota
	Outside        // outside its domain
	LogOfZero
	DivisionByZero
)

// Of returns the row of an operation, or the zero Operation if there is none.
func Of(name string) *Operation {
	if o, known := byName[name]; known {
		return o
	}
	return &unknown
}

// All returns the table, which must not be written to.
func All() []Operation { return table }

var (
	byName  = index(table)
	unknown Operation
)

func index(all []Operation) map[string]*Operation {
	rows := make(map[string]*Operation, len(all))
	for i := range all {
		rows[all[i].Name] = &all[i]
	}
	return rows
}
