package explain

import (
	"math"
	"slices"

	"nabla/autograd"
	"nabla/internal/recording"
)

// An Explanation says why a gradient has its value. String says it in words.
//
// For a whole tensor, Number, Gradient and the numbers in Terms are Euclidean
// norms. For a scalar, or one element, they are the numbers themselves, and the
// contributions of the Terms add up to Gradient. String writes out the first
// dozen Terms and adds up the others.
type Explanation struct {
	Value, Root autograd.Value // whose gradient it is, and where the backward pass started
	Element     int            // the explained element, in row-major order; −1 for a whole tensor
	Size        int            // how many elements are explained

	Number   float64
	Known    bool    // there is a gradient; otherwise Cause says why not
	Gradient float64 // NaN unless Known

	Terms    []Term      // the contribution of each use, latest use first
	Ways     []Way       // the largest paths to the root, largest first
	WayCount float64     // how many there are in all
	Exact    bool        // the products of the Ways are exact; otherwise their shares are estimates
	Zeros    []ZeroGroup // the elements whose gradient is exactly zero, by cause
	Cause    Cause       // why a gradient is zero, tiny, not finite or missing
	Check    *Difference // the comparison with a central difference; nil if there is none
	Closing  string      // what a step of gradient descent does; "" unless a variable or parameter

	words words  // the names that String uses
	signs [3]int // elements with a negative, zero and positive gradient
}

// A Term is the contribution of one use of the value to its gradient.
type Term struct {
	To           autograd.Value // the result of the use
	Input        int            // the index among the inputs of its operation
	Upstream     float64        // the gradient of To
	Local        float64        // the derivative of To by the value; NaN if it is not one number
	Contribution float64        // Upstream × Local
	Formula      string         // what happens to the gradient of To, as in drawings: "xᵀ ×"; "" if Local says it, and for custom operations

	called, gradient string // To and its gradient in words
}

// A Way is one path of the gradient; it contributes the chain rule's product
// along it.
type Way struct {
	Values       []autograd.Value // from the value to the root
	Locals       []float64        // the factors, one for each step; nil unless exact
	Contribution float64          // their product with the root's gradient; NaN unless exact
	Share        float64          // of the gradient; the shares of all ways add up to 1

	titles []string // of Values
	seed   float64  // the root's gradient
}

// A ZeroGroup is elements whose gradient is exactly zero for the same cause.
type ZeroGroup struct {
	Count int
	Cause Cause
}

// Options are the settings of [GradientWith]. The zero Options are those of
// [Gradient].
type Options struct {
	Element []int // the index of one element along each axis; nil for the whole Value
	Ways    int   // the most Ways: 3 if zero, none if negative
	Digits  int   // significant digits of numbers in words, 1 to 17; 4 if zero

	// Loss computes the loss again, for the central difference of a Param in
	// any kind of graph. It must record the same computation. The Param has
	// changed numbers while Loss runs, and its own again afterwards. The graph
	// that Loss gets has the recording's Options and a new random stream, so
	// that with Dropout the two agree only if the recording was the first of
	// its graph.
	Loss func(*autograd.Graph) autograd.Value
	Step float64 // h of the central difference; if zero ∛ε·max(1, |v|), with ε of the Param's precision
}

const defaultWays = 3

// Gradient explains the gradient of a Value: the chain rule's sum over the uses
// of the Value,
//
//	∂L/∂x = Σ over uses y of ∂L/∂y · ∂y/∂x
//
// the paths (ways) to the root that contribute most, why the gradient is zero,
// tiny, NaN or missing, and what a step of gradient descent does.
//
// A way contributes the product of its factors. If everything between the Value
// and the root is scalar, the ways are exact, and the share of a way is its
// product divided by the gradient: above 1 or negative if ways cancel, NaN if
// the gradient is zero. Otherwise a share is an estimate: the product over the
// steps of the norm of the use's contribution divided by the sum of the norms
// of all uses' contributions.
//
// A gradient is called tiny if its norm is below 1/10000 of the root's, and
// cancelled if its norm is below 1/1000 of the sum of the norms of the
// contributions. The cause of a tiny gradient is the step with the smallest
// factor along the largest way, if that factor is below 1/100.
//
// If every operation between the Value and the root works on single numbers
// (see [autograd.Node.Evaluate]), the loss is computed again for v ± h in
// float64, and the gradient is compared with the central difference. What stops
// gradients, such as Detach, stops the change of v too. [GradientWith] can
// check other graphs.
//
// It takes time linear in the size of the recording, plus, for each Way asked
// for, time linear in its length and the number of uses along it.
//
// It panics with a *[autograd.GradientError] if the gradients are empty or a
// sum, or the graph has no Trace; with a *[autograd.GraphError] if they belong
// to another graph; and with a *[autograd.StaleError] after a Reset or if a
// parameter was changed since.
func Gradient(value autograd.Value, grads autograd.Gradients) Explanation {
	return GradientWith(value, grads, Options{})
}

// GradientWith is [Gradient] with options: for one element, with more ways, or
// with a central difference of a Param through a Loss.
//
// It panics as [Gradient] does; with an *[autograd.IndexError] if there is no
// such element; and with an *[autograd.ArgumentError] if Element has the wrong
// rank, Step is negative, Digits is not 1 to 17, or there is a Loss and the
// Value is not a Param's or the result is not one number.
func GradientWith(value autograd.Value, grads autograd.Gradients, o Options) Explanation {
	const op = "explain: Gradient"
	grads.Root()         // panics if there is none
	grads.Reached(value) // panics if the two do not belong together
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

// elementAt returns the offset of the element at an index, or whole for a nil
// index.
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

// An explainer explains the gradients of a model that keeps all its numbers. It
// computes once what does not depend on the explained value.
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

// outside explains a Value that the root does not depend on.
func (x *explainer) outside(value autograd.Value, element int, o Options) Explanation {
	recorded := value.Node()
	n := recording.Node{
		ID: recorded.ID, Source: recorded, Element: recording.Whole, Op: recorded.Op, Kind: recorded.Kind, Name: recorded.Value.Name(), Learns: recorded.NeedsGrad,
		Frozen: recording.IsFrozen(recorded), Value: recording.NewNumbers(recorded.Value.View(), math.MaxInt), State: recording.NotReached,
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

// pick returns one element of a tensor, or the norm of all elements.
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

// addTerms adds the contribution of each use.
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

// formula says what happens to the gradient on an edge.
func (x *explainer) formula(edge *recording.Edge, digits int) string {
	if edge.LocalKnown {
		return "× " + recording.Span(&edge.Local, digits)
	}
	return x.BackwardFormula(edge)
}

// factorsOf returns the gradient of an edge's result and the local derivative;
// each is NaN if it is not one number.
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
