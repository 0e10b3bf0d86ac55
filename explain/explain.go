package explain

import (
	"math"
	"slices"

	"nabla/autograd"
	"nabla/internal/recording"
)

// An Explanation says why a gradient has its value. Its String says it in
// words.
//
// Of a tensor as a whole, Number, Gradient and the numbers of the Terms are
// Euclidean norms; of a scalar, or of one element, they are the numbers
// themselves, and the contributions of the Terms add up to Gradient. String
// writes the first dozen Terms out and adds the others up.
type Explanation struct {
	Value, Root autograd.Value // whose gradient it is, and where the backward pass started
	Element     int            // the element explained, in row-major order; −1 for a whole tensor
	Size        int            // how many elements are explained

	Number   float64
	Known    bool    // there is a gradient; else Cause says why there is none
	Gradient float64 // NaN unless Known

	Terms    []Term      // what each use handed back, the latest use first
	Ways     []Way       // the largest ways to the root, the largest first
	WayCount float64     // how many there are in all
	Exact    bool        // the products of the Ways are exact; else their shares are estimates
	Zeros    []ZeroGroup // the elements whose gradient is exactly zero, by cause
	Cause    Cause       // of a gradient that is zero, tiny, not finite or missing
	Check    *Difference // the central difference, nil where there is none
	Closing  string      // what a step of gradient descent does; "" unless a variable or parameter

	words words  // how String calls things
	signs [3]int // elements with a negative, zero and positive gradient
}

// A Term is what one use of the value handed back to it.
type Term struct {
	To           autograd.Value // the result of the use
	Input        int            // as which input of its operation
	Upstream     float64        // the gradient of To
	Local        float64        // the derivative of To by the value; NaN where it is not one number
	Contribution float64        // Upstream × Local
	Formula      string         // what becomes of the gradient of To, as drawings say it: "xᵀ ×"; "" where Local says it, and of custom operations

	called, gradient string // To and its gradient in words
}

// A Way is one way of the gradient: the chain rule's product along it is what
// it brings.
type Way struct {
	Values       []autograd.Value // from the value to the root
	Locals       []float64        // the factors, one for each step; nil unless exact
	Contribution float64          // their product with the root's gradient; NaN unless exact
	Share        float64          // of the gradient: the shares of all ways add up to 1

	titles []string // of Values
	seed   float64  // the root's gradient
}

// A ZeroGroup is elements whose gradient is exactly zero for the same cause.
type ZeroGroup struct {
	Count int
	Cause Cause
}

// Options are the settings of ExplainWith. The zero ExplainOptions are
// those of Explain.
type Options struct {
	Element []int // the index of one element along each axis; nil for the whole Value
	Ways    int   // most Ways: 3 if zero, none if negative
	Digits  int   // significant digits of numbers in words, 1 to 17; 4 if zero

	// Loss computes the loss once more, for the central difference of a Param
	// in a graph of any kind. It has to record the same computation. The Param
	// has other numbers while it runs, and its own afterwards. The graph that
	// it is given has the recording's Options and a random stream that starts
	// anew, so that with Dropout it agrees only if the recording was its
	// graph's first.
	Loss func(*autograd.Graph) autograd.Value
	Step float64 // h of the central difference; if zero ∛ε·max(1, |v|), with ε of the Param's precision
}

const defaultWays = 3

// Gradient returns why the gradient of a Value is what it is: the chain rule's
// sum over the uses of the Value,
//
//	∂L/∂x = Σ over uses y of ∂L/∂y · ∂y/∂x
//
// the ways to the root that bring most, what makes the gradient zero, tiny, NaN
// or missing, and what a step does with it.
//
// A way brings the product of its factors. Where all that lies between the
// Value and the root is scalar, the ways are exact, and the share of one is its
// product divided by the gradient: above 1 or negative where ways cancel, NaN
// where the gradient is zero. Elsewhere a share is an estimate: the product,
// over the steps, of the norm that the use handed back divided by the sum of
// those of all uses.
//
// A gradient is called tiny when its norm is below 1/10000 of that of the
// root, and cancelled when the norm is below 1/1000 of the sum of the norms of
// what was handed back. The cause of a tiny one is the step with the smallest
// factor along the largest way, if that is below 1/100.
//
// Where every operation between the Value and the root works on single numbers
// (see autograd.Node.Evaluate), the loss is computed once more for v ± h in
// float64, and the gradient compared with the central difference. What stops
// gradients, such as Detach, stops the change of v too. ExplainWith can check
// other graphs.
//
// It takes time linear in the recording and its numbers, and for each Way that
// is asked for time linear in the Way's length and the number of uses along it.
//
// It panics with a *GradientError when the gradients are empty or a sum, or the
// graph has no Trace; with a *GraphError when they are another graph's; with a
// *StaleError after a Reset or when a parameter was changed since.
func Gradient(value autograd.Value, grads autograd.Gradients) Explanation {
	return GradientWith(value, grads, Options{})
}

// GradientWith is Explain with other settings: of one element, with more ways,
// or with a central difference of a Param through a Loss.
//
// It panics as Explain does; with an *IndexError when there is no such element;
// and with an *ArgumentError for an Element of another rank, a negative Step,
// Digits outside of 1 to 17, and a Loss where the Value is not a Param's or the
// result is not one number.
func GradientWith(value autograd.Value, grads autograd.Gradients, o Options) Explanation {
	const op = "explain: Gradient"
	grads.Root()         // panics where there is none
	grads.Reached(value) // panics where the two do not belong together
	o = o.checked(op)
	element := elementAt(op, value, o.Element)
	x := newExplainer(grads)
	i, known := x.index[value.Node().ID]
	if !known {
		return x.outside(value, element, o)
	}
	return x.explain(i, element, o)
}

func (o Options) checked(op string) Options {
	if o.Ways == 0 {
		o.Ways = defaultWays
	}
	o.Digits = recording.DigitsOf(op, o.Digits)
	if !(o.Step >= 0) || math.IsInf(o.Step, 0) {
		panic(autograd.NewArgumentError(op, "the Step %v is not a positive number", o.Step))
	}
	return o
}

// elementAt returns the place of an element by its index, whole for none.
func elementAt(op string, value autograd.Value, index []int) int {
	shape := value.Shape()
	if index == nil {
		return recording.Whole
	}
	if len(index) != len(shape) {
		panic(autograd.NewArgumentError(op, "%d indices for a Value of %d axes", len(index), len(shape)))
	}
	place := 0
	for axis, k := range index {
		if k < 0 || k >= shape[axis] {
			panic(autograd.NewIndexError(op, "index", k, shape[axis]))
		}
		place = place*shape[axis] + k
	}
	return place
}

// An explainer explains the gradients of a model, all of whose numbers it
// knows. What does not depend on the value that is explained it finds once.
type explainer struct {
	*recording.Model
	index   map[int]int // into nodes, by ID
	spoiled *spoilage
	zeros   *zeroCauses // nil until needed
}

func newExplainer(grads autograd.Gradients) *explainer {
	m := recording.New(grads.Root(), grads, math.MaxInt)
	if !m.Traced {
		grads.AllContributions() // panics and names Trace
	}
	return explainerOf(m)
}

// explainerOf returns the explainer of a model that keeps all its numbers.
func explainerOf(m *recording.Model) *explainer {
	m.TellApart()
	x := &explainer{Model: m, index: map[int]int{}, spoiled: spoilageOf(m)}
	for i := range m.Nodes {
		x.index[m.Nodes[i].ID] = i
	}
	return x
}

// outside explains a Value that the root was computed without.
func (x *explainer) outside(value autograd.Value, element int, o Options) Explanation {
	recorded := value.Node()
	n := recording.Node{
		ID: recorded.ID, Source: recorded, Element: recording.Whole, Op: recorded.Op, Kind: recorded.Kind, Name: recorded.Value.Name(), Learns: recorded.NeedsGrad,
		Frozen: recorded.Kind == autograd.KindParam && recorded.Param.Frozen, Value: recording.NewNumbers(recorded.Value.View(), math.MaxInt), State: recording.NotReached,
	}
	e := x.begin(&n, element, o)
	e.Cause = Cause{CauseNotReached, value, "the loss was computed without it"}
	if !n.Learns {
		e.Cause = constantCause(&n)
	}
	e.Closing = e.closing(&n)
	return e
}

// explain explains the gradient of node i, or of one element of it.
func (x *explainer) explain(i, element int, o Options) Explanation {
	n := &x.Nodes[i]
	e := x.begin(n, element, o)
	if e.Known {
		x.addTerms(&e, n)
		x.addWays(&e, i, o.Ways)
		x.addZeros(&e, i)
	}
	e.Cause = x.cause(&e, i)
	e.Check = x.difference(&e, i, o)
	e.Closing = e.closing(n)
	return e
}

func (x *explainer) begin(n *recording.Node, element int, o Options) Explanation {
	e := Explanation{Value: n.Source.Value, Root: x.Nodes[x.Root].Source.Value, Element: element, Size: 1}
	if element == recording.Whole && n.Value.Size == 1 {
		e.Element = 0
	}
	if e.Element == recording.Whole {
		e.Size = n.Value.Size
	}
	e.words = words{n.Mention(), n.GradientMention(), n.Value.Shape, o.Digits}
	e.Number, e.Gradient = pick(&n.Value, e.Element), math.NaN()
	if e.Known = n.State == recording.Reached; e.Known {
		e.Gradient = pick(&n.Gradient, e.Element)
		e.signs = signsOf(n.Gradient.Few, e.Element)
	}
	return e
}

// pick returns one element of a tensor, or the norm of all.
func pick(n *recording.Numbers, element int) float64 {
	if element == recording.Whole {
		return n.Norm
	}
	return n.Few[element]
}

// signsOf counts the negative, zero and positive elements.
func signsOf(elements []float64, element int) (signs [3]int) {
	if element != recording.Whole {
		elements = elements[element : element+1]
	}
	for _, v := range elements {
		switch {
		case v < 0:
			signs[0]++
		case v == 0:
			signs[1]++
		case v > 0:
			signs[2]++
		}
	}
	return signs
}

// addTerms adds what each use handed back.
func (x *explainer) addTerms(e *Explanation, n *recording.Node) {
	for _, use := range slices.Backward(n.Uses) {
		edge := &x.Edges[use]
		if !edge.Received {
			continue
		}
		to := &x.Nodes[edge.To]
		t := Term{To: to.Source.Value, Input: edge.Input, Contribution: pick(&edge.Contribution, e.Element), called: to.Called(), gradient: to.GradientMention()}
		if t.Upstream, t.Local = x.factorsOf(edge, e.Element); math.IsNaN(t.Local) {
			t.Formula = x.formula(edge, e.words.digits)
		}
		e.Terms = append(e.Terms, t)
	}
}

// formula returns what becomes of the gradient on an edge.
func (x *explainer) formula(edge *recording.Edge, digits int) string {
	if edge.LocalKnown {
		return "× " + recording.Span(&edge.Local, digits)
	}
	return x.BackwardFormula(edge)
}

// factorsOf returns the gradient of an edge's result and the local derivative,
// each NaN where it is not one number.
func (x *explainer) factorsOf(edge *recording.Edge, element int) (upstream, local float64) {
	to, from := &x.Nodes[edge.To], &x.Nodes[edge.From]
	switch {
	case element == recording.Whole:
		upstream, local = to.Gradient.Norm, math.NaN()
		if l := edge.Local; edge.LocalKnown && l.Min == l.Max && l.Finite == l.Size {
			local = l.Min
		}
		return upstream, local
	case to.Value.Size == 1 && edge.LocalKnown:
		return to.Gradient.Few[0], edge.Local.Few[0]
	case edge.LocalKnown && slices.Equal(to.Value.Shape, from.Value.Shape):
		return to.Gradient.Few[element], edge.Local.Few[element]
	case to.Value.Size == 1:
		return to.Gradient.Few[0], math.NaN()
	}
	return math.NaN(), math.NaN()
}
