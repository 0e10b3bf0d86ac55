package autograd

import (
	"unsafe"

	"nabla/internal/operations"
)

// An Operation is a user-defined operation, for [Custom] and [CustomInto].
type Operation struct {
	// Name is shown in drawings and messages.
	Name string

	// Forward computes the result. The inputs are views in the graph's
	// precision, which must not be written to or kept.
	Forward func(in []Tensor) Tensor

	// Into is what CustomInto calls instead of Forward: it writes every number
	// of the result to dst.
	Into func(dst Tensor, in []Tensor, work *Workspace)

	// Rule adds the gradient of each input to the Rule. An input that it adds
	// nothing to has gradient zero. Nil means that there is no rule: a backward
	// pass that needs it panics with a *GradientError.
	Rule func(*Rule)

	// Mask says that the result is piecewise constant, like that of a
	// comparison: no gradient passes, and no Rule is needed.
	Mask bool

	// Row is for Nabla's own packages: what drawings and explanations know of
	// the operation.
	Row *operations.Operation
}

var (
	opCustom     = operation{name: "custom", method: "Custom"}
	opCustomMask = operation{name: "custom", method: "Custom", mask: true}
)

// Custom records a user-defined operation. Check its rule with gradcheck.Check
// and gradcheck.CheckSecond.
//
// When the rule runs, it panics with a [*ShapeError] if a gradient has neither
// the input's shape nor, where the input was broadcast, the output's.
func Custom(op Operation, in ...Value) Value {
	if len(in) == 0 || op.Forward == nil {
		panic(NewArgumentError("Custom", "%q needs an input and a Forward function", op.Name))
	}
	g, kind, rule := in[0].g, &opCustom, op.Rule
	switch {
	case op.Mask:
		kind, rule = &opCustomMask, nil
	case rule == nil:
		rule = noRule
	}
	views := make([]Tensor, len(in))
	for i, x := range in {
		in[0].operand(kind.method, x)
		views[i] = x.view(kind.method)
	}
	if g.profile != nil {
		g.profile.beginNow()
	}
	y := op.Forward(views)
	y.check(kind.method)
	n := g.record(kind, rule, g.shapeOf(y), in...)
	g.fill(n.data, y)
	g.extraOf(n).custom = &op
	return g.done()
}

// CustomInto is [Custom] for a result of the given shape, written by the
// operation's Into function to memory of the graph. It allocates nothing once
// the graph's memory is warm. The recording refers to the Operation, which must
// not change.
//
// Into may not record operations in the graph. If it panics, nothing is
// recorded.
func CustomInto(op *Operation, shape []int, in ...Value) Value {
	if len(in) == 0 || op.Into == nil {
		panic(NewArgumentError("CustomInto", "%q needs an input and an Into function", op.Name))
	}
	kind, rule := &opCustom, op.Rule
	switch {
	case op.Mask:
		kind, rule = &opCustomMask, nil
	case rule == nil:
		rule = noRule
	}
	for _, x := range in {
		in[0].operand(kind.method, x)
	}
	g := in[0].g
	n := g.record(kind, rule, g.newShape("CustomInto", shape), in...)
	g.extraOf(n).custom = op
	g.work.run(g, op, n, in)
	return g.done()
}

// A Workspace lends memory of the graph to an operation's Into function, until
// that returns. The numbers in it are left over from other uses.
type Workspace struct {
	g        *Graph
	views    []Tensor
	borrowed []loan
}

type loan struct {
	memory unsafe.Pointer
	words  int
}

// Floats returns room for n numbers.
func (w *Workspace) Floats(n int) []float64 {
	p := w.g.memory.borrow(n)
	w.borrowed = append(w.borrowed, loan{p, n})
	return slice[float64](p, n)
}

// Ints returns room for n integers.
func (w *Workspace) Ints(n int) []int { return w.g.ints.take(n) }

// run computes the node recorded last. If Into panics, the node is dropped.
func (w *Workspace) run(g *Graph, op *Operation, n *node, in []Value) {
	w.g = g
	recorded, m := g.count, g.ints.mark()
	g.count-- // until there is a result
	defer w.end(m)
	for _, x := range in {
		w.views = append(w.views, x.view(opCustom.method))
	}
	op.Into(g.tensor(n.data, n.shape), w.views, w)
	g.count = recorded
}

// end takes back what was lent.
func (w *Workspace) end(m mark) {
	for _, l := range w.borrowed {
		w.g.memory.giveBack(l.memory, l.words)
	}
	w.g.ints.rewind(m)
	w.views, w.borrowed = w.views[:0], w.borrowed[:0]
}

// noRule stands in for the rule of an operation that has none.
func noRule(r *Rule) {
	panic(&GradientError{r.opName(), "the operation has no Rule", r.location()})
}
