package autograd

import (
	"iter"

	"nabla/internal/kernel"
)

// Param returns the Value of a parameter. It is the same each time in a
// recording, so that the gradients of shared uses add up. If the graph has the
// parameter's precision, the numbers are read in place: nothing may write them
// while the recording is in use.
func (g *Graph) Param(p *Param) Value {
	if p == nil {
		panic(NewArgumentError("Param", "the Param is nil"))
	}
	if slot := g.params.find(p); slot != nil {
		if slot.version != p.version {
			panic(slot.stale(opParam.method))
		}
		return Value{g, slot.id, g.gen}
	}
	return g.enterParam(p)
}

func (g *Graph) enterParam(p *Param) Value {
	if g.reverse.active {
		panic(&GradientError{"Param", "no parameters inside a derivative rule", callSite()})
	}
	t := &p.value
	t.check(opParam.method)
	n := g.start(&opParam, nil, t.shape)
	switch {
	case t.precision != g.options.Precision:
		g.allocate(n)
		g.fill(n.data, *t)
		n.flags |= converted
	case n.shape.size == 1:
		g.put(n, g.first(t.data))
	default:
		n.data = t.data
		n.flags |= inPlace
	}
	n.in[1] = int32(g.params.used)
	s := g.params.offer(p)
	s.id, s.leaf, s.version = g.count-1, noLeaf, p.version
	v := g.done() // may panic: then the parameter counts as not recorded
	g.params.used++
	if !p.Frozen && !p.statistic {
		s.leaf = g.leaf(v)
	}
	return v
}

// A paramTable finds the node of a Param in a recording. Most recordings use
// the same Params in the same order as the one before, so it tries the next
// slot first.
type paramTable struct {
	slots []paramSlot
	index map[*Param]int
	used  int // slots of this recording, all in front
}

type paramSlot struct {
	param   *Param
	id      int32
	leaf    int32  // its place in Graph.leaves, noLeaf if it has no gradient
	version uint64 // when it was recorded
}

// find returns the slot of p, or nil if p has not been recorded.
func (t *paramTable) find(p *Param) *paramSlot {
	if t.used < len(t.slots) && t.slots[t.used].param == p {
		return nil
	}
	if i, ok := t.index[p]; ok && i < t.used {
		return &t.slots[i]
	}
	return nil
}

// offer returns the next slot for a parameter that find has not found. The slot
// counts once used has been raised.
func (t *paramTable) offer(p *Param) *paramSlot {
	if t.used == len(t.slots) || t.slots[t.used].param != p {
		t.replace(p)
	}
	return &t.slots[t.used]
}

// replace gives the next slot to p and drops all slots after it.
func (t *paramTable) replace(p *Param) {
	if t.index == nil {
		t.index = map[*Param]int{}
	}
	for _, s := range t.slots[t.used:] {
		delete(t.index, s.param)
	}
	t.slots = append(t.slots[:t.used], paramSlot{param: p})
	t.index[p] = t.used
}

func (t *paramTable) reset() { t.used = 0 }

// slot returns the slot of a parameter's node, nil for any other node.
func (g *Graph) slot(n *node) *paramSlot {
	if n.op != &opParam {
		return nil
	}
	return &g.params.slots[n.in[1]]
}

// fresh panics if a parameter has been changed since it was recorded.
func (g *Graph) fresh(op string) {
	for i := range g.params.used {
		if s := &g.params.slots[i]; s.param.version != s.version {
			panic(s.stale(op))
		}
	}
}

func (s *paramSlot) stale(op string) error {
	return &StaleError{called(op), "parameter " + s.param.name, "was changed after the recording used it: Reset and record again", callSite()}
}

// unchanged panics if n shows the numbers of a parameter that has been written
// since: they are not the ones that the recording was computed with.
func (g *Graph) unchanged(op string, n *node) {
	if p := g.overwritten(n); p != nil {
		panic(&StaleError{called(op), "parameter " + p.name, "was changed after the recording used it: Reset and record again", callSite()})
	}
}

// overwritten returns the parameter whose numbers n shows, itself or as a
// view, if it has been written since; else nil.
func (g *Graph) overwritten(n *node) *Param {
	for n.flags&isView != 0 {
		n = g.at(n.in[0])
	}
	if s := g.slot(n); s != nil && s.version != s.param.version {
		return s.param
	}
	return nil
}

// OfParam returns the gradient with respect to a parameter, in the parameter's
// shape and precision; zero if the pass did not reach it.
func (gr Gradients) OfParam(p *Param) Tensor {
	pass := gr.check("OfParam")
	if p == nil {
		panic(NewArgumentError("OfParam", "the Param is nil"))
	}
	if pass == nil {
		if t := gr.sum.of(p); t != nil {
			return t.gradient(true)
		}
	} else if x, known := pass.g.recorded(p); known {
		return gr.Of(x)
	}
	return zerosOf(p.value.precision, p.value.dims())
}

// ReachedParam is [Gradients.Reached] for a parameter.
func (gr Gradients) ReachedParam(p *Param) bool {
	pass := gr.check("Reached")
	if pass == nil {
		return gr.sum.of(p) != nil
	}
	x, known := pass.g.recorded(p)
	return known && gr.Reached(x)
}

// recorded returns the Value of a parameter in the recording.
func (g *Graph) recorded(p *Param) (Value, bool) {
	i, ok := g.params.index[p]
	if !ok || i >= g.params.used {
		return Value{}, false
	}
	return Value{g, g.params.slots[i].id, g.gen}, true
}

// All ranges over the parameters that the pass reached, in the order of their
// first use in the recording (of a sum: of their first addition), each with
// its gradient in the parameter's precision. Changing the tensor changes the
// Gradients. Of a table whose gradient is kept by rows it makes the whole,
// which [Gradients.Stored] does not.
func (gr Gradients) All() iter.Seq2[*Param, Tensor] {
	return func(yield func(*Param, Tensor) bool) { gr.params(true, yield) }
}

// Stored is [Gradients.All] with the gradients as they are stored: of a
// parameter whose gradient is kept by rows these rows, as [Gradients.Rows]
// returns them, in place of the whole. It serves what treats all numbers alike,
// as a norm does, and takes no time for rows that were not looked up.
func (gr Gradients) Stored() iter.Seq2[*Param, Tensor] {
	return func(yield func(*Param, Tensor) bool) { gr.params(false, yield) }
}

// params calls yield with the parameters that were reached and their gradients,
// until it returns false.
func (gr Gradients) params(whole bool, yield func(*Param, Tensor) bool) {
	if gr.sum != nil {
		for _, t := range gr.sum.terms {
			if !yield(t.param, t.gradient(whole)) {
				return
			}
		}
	}
	if gr.pass == nil {
		return
	}
	p := gr.check("Gradients.All")
	params := p.g.params.slots[:p.g.params.used]
	for i := range params {
		s := p.leaf(params[i].leaf)
		if s != nil && s.data != nil && !yield(params[i].param, p.gradient(s, params[i].leaf, whole)) {
			return
		}
	}
}

// MayNotFit reports whether a gradient may have another shape or precision than
// its parameter: in a sum, or if a parameter was overwritten through its
// pointer since it was recorded. If not, an optimizer need not compare them one
// by one.
func (gr Gradients) MayNotFit() bool {
	if gr.pass == nil {
		return true
	}
	p := gr.check("Gradients.MayNotFit")
	params := p.g.params.slots[:p.g.params.used]
	for i := range params {
		s, v := p.leaf(params[i].leaf), &params[i].param.value
		if s != nil && s.data != nil && (s.shape != v.shape || s.precision != v.precision) {
			return true
		}
	}
	return false
}

// convert keeps the gradient of a parameter whose precision is not the graph's.
func (p *pass) convert(s *slot, n *node) {
	size := n.shape.size
	if s.precision == Float64 {
		s.precision, s.data = Float32, p.room(size)
		kernel.Convert32(slice[float32](s.data, size), slice[float64](n.grad, size))
		return
	}
	s.precision, s.data = Float64, p.room(2*size)
	kernel.Convert64(slice[float64](s.data, size), slice[float32](n.grad, size))
}
