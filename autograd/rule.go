package autograd

import "unsafe"

// A Rule is what an operation's derivative rule works on. It has the incoming
// gradient, the output and the inputs, as Values, and takes the results. A rule
// is written with the same operations that it differentiates, so that gradients
// can be differentiated again.
//
//	func mulRule(r *Rule) {
//		r.Add(0, r.Grad().Mul(r.In(1)))
//		r.Add(1, r.Grad().Mul(r.In(0)))
//	}
type Rule struct {
	g     *Graph
	id    int32
	n     *node
	gy    Value
	gx    []Value
	needs []bool

	marks marks // in a backward pass: what to rewind
}

type marks struct{ shapes, ints, ids, extras mark }

func (r *Rule) begin(g *Graph, id int32, n *node) {
	r.g, r.id, r.n = g, id, n
	inputs := len(n.inputs())
	for len(r.gx) < inputs {
		r.gx, r.needs = append(r.gx, Value{}), append(r.needs, false)
	}
	for i := range inputs {
		r.gx[i], r.needs[i] = Value{}, false
	}
}

// Graph returns the graph, to record constants in.
func (r *Rule) Graph() *Graph { return r.g }

// Grad returns the incoming gradient: the gradient of the loss with respect to
// the output, in the output's shape.
func (r *Rule) Grad() Value { return r.gy }

// Out returns the output.
func (r *Rule) Out() Value { return Value{r.g, r.id, r.g.gen} }

// In returns input i.
func (r *Rule) In(i int) Value { return Value{r.g, r.input(i), r.g.gen} }

// Needs reports whether the gradient of input i is wanted. A rule may compute
// it anyway; Add then ignores it.
func (r *Rule) Needs(i int) bool {
	r.input(i)
	return r.needs[i]
}

// input returns the node of input i. It panics with an [*IndexError] if the
// operation has no such input.
func (r *Rule) input(i int) int32 {
	inputs := r.n.inputs()
	if i < 0 || i >= len(inputs) {
		panic(NewIndexError(r.opName(), "input", i, len(inputs)))
	}
	return inputs[i]
}

// opName returns the operation's name in messages.
func (r *Rule) opName() string { return r.n.called() }

// called returns the operation's name in messages.
func (n *node) called() string {
	if n.extra != nil && n.extra.custom != nil {
		return n.extra.custom.Name
	}
	return n.op.method
}

// Add adds to the gradient with respect to input i. The summand gx has that
// input's shape, or the output's: then it is summed over the axes along which
// the input was broadcast.
//
// It panics with a [*ShapeError] if the gradient has neither shape, and with an
// [*IndexError] if there is no input i.
func (r *Rule) Add(i int, gx Value) {
	x := r.g.at(r.input(i)).shape
	if !r.needs[i] {
		return
	}
	op := r.n.op
	s := r.gy.operand(op.method, gx).shape
	if !s.equal(x) && (op == &opCustom && !s.equal(r.n.shape) || !broadcasts(x.dims, s.dims)) {
		panic(r.wrongShape(i, s, x))
	}
	if r.gx[i].g != nil {
		gx = r.gx[i].Add(gx)
	}
	r.gx[i] = gx
}

func (r *Rule) wrongShape(i int, got, want *shape) error {
	e := shapeError(r.n.op.method, "the rule's gradient does not have the shape of its input", " for ", got.dims, want.dims)
	e.Op = r.opName()
	e.Location = r.location()
	return e
}

// location returns the line where the operation was recorded if the graph keeps
// it, and otherwise the line of the current call.
func (r *Rule) location() Location {
	if e := r.n.extra; e != nil && e.line.Line > 0 {
		return e.line
	}
	return callSite()
}

// reduced returns the gradient for input i in that input's shape.
func (r *Rule) reduced(i int, x *shape) Value {
	if r.g.at(r.gx[i].id).shape.equal(x) {
		return r.gx[i]
	}
	r.gx[i] = r.gx[i].sumTo(x)
	return r.gx[i]
}

// usedAfter reports whether a later input is, or may be, given the same buffer.
// It does not search among many inputs, which would take quadratic time.
func (r *Rule) usedAfter(i int, buffer unsafe.Pointer) bool {
	later := r.gx[i+1 : len(r.n.inputs())]
	if len(later) > 16 {
		return true
	}
	for _, gx := range later {
		if gx.g != nil && r.g.at(gx.id).data == buffer {
			return true
		}
	}
	return false
}
