// Package operations is the table of what a recording is made of: one row for
// each operation of package autograd, with all that drawings, explanations and
// the page know of it besides its numbers. It imports nothing of the library.
//
// An operation that is added to autograd needs a row here, and where it is
// Elementwise one in page/operations.js: tests fail without them.
package operations

// An Operation is a row of the table. The zero Operation is what is known of
// one that is not in it, such as a user's own.
type Operation struct {
	Name      string
	Class     Class
	Inputs    int // of an Elementwise one
	Constants int // numbers that a reader knows from its call, such as a factor; not an axis

	// Written is how a formula writes it between or behind its inputs a and b
	// and its constant c: "a + b". Where it is "" a formula writes it as a
	// function of them.
	Written  string
	Tight    bool   // what is written for an input needs brackets also where it is a product
	Sign     string // between numbers, in the words for an overflow: "×", "to the power of"
	Commutes bool   // the order of its inputs does not matter
	Exact    bool   // IEEE 754 says its result to the last bit, and that of its slope, so that any language computes the same

	Gate          string                                     // says that it lets no gradient pass: "is closed"; "" where it always does, or is flat without being shut
	Saturates     bool                                       // its slope vanishes for large inputs
	Flat          *Flat                                      // of one that saturates: where it has all but no slope; nil where nothing is told of that
	Domain        func(x, y float64) (f Fault, words string) // why the result y for a finite first operand x is not finite; nil or "" where it overflows
	Compares      bool                                       // it compares a prediction with a target, its second input
	Probabilities bool                                       // its first input is one that a sigmoid or softmax makes

	// Backward says what becomes of the gradient g of the result y on the way
	// to an input x. An Elementwise operation multiplies by numbers, which are
	// shown instead.
	Backward func(u Use) string
}

// A Class is what an operation does with the elements of its inputs.
type Class uint8

const (
	Unknown     Class = iota
	Leaf              // it is given
	Elementwise       // each element of the result is a function of one element of each input
	Product           // of matrices
	Reduction         // along axes, to one number
	Running           // along an axis, to as many numbers
	Normalizing       // along an axis: each element of the result depends on all of a row
	Moving            // elements come to other places, or fall away
	Choice            // between elements
	Derivative        // of an Elementwise one, times an incoming gradient: a function of elements of three inputs
	Scratch           // of the reverse pass, or of no Value: no recording shows it
	Picture           // of a drawing alone, which makes one box of several values
)

// A Flat says where an activation has all but no slope, by its result.
type Flat struct {
	Beyond       func(a float64) bool
	Where, Slope string // "outside 0.01 to 0.99", "below 0.01"
}

// A Fault is why an operation on finite numbers gives one that is not.
type Fault uint8

const (
	Overflow Fault = iota
	Outside        // of its domain
	LogOfZero
	DivisionByZero
)

// Of returns the row of an operation, and the zero Operation where there is
// none.
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
