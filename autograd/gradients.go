package autograd

import "unsafe"

// Gradients are what a backward pass returns. Those that Backward returns are
// valid until the graph's next Reset; a second Backward does not disturb them.
// The zero Gradients are an empty sum, which Add adds to and which owns its
// memory.
type Gradients struct {
	pass *pass  // what Backward returned, nil for a sum
	gen  uint32 // the recording of the pass
	sum  *sum   // what Add made
}

// A pass holds the results of one backward pass.
type pass struct {
	g        *Graph
	gen      uint32 // the recording
	root     int32
	observed int    // how many of the graph's observations there were
	free     bool   // the graph does not hold it: its numbers are its own
	leaves   []slot // by place in Graph.leaves
	kept     []slot // by node, with Trace
	parts    []part // the contributions, with Trace
	tables   []rowGradient
}

// A slot is the gradient of one node.
type slot struct {
	shape     *shape
	data      unsafe.Pointer // nil: not reached; inRows: in the pass's tables
	one       float64        // storage of a single number
	precision Precision      // the graph's, but for a Param its own
}

// mostPasses is how many passes of a recording the graph holds, to use them and
// their memory again after Reset. What further ones use belongs to them, and
// goes when their Gradients do: their number is not bounded.
const mostPasses = 16

func (g *Graph) newPass(root int32) *pass {
	p := g.nextPass()
	p.gen, p.root, p.observed = g.gen, root, len(g.observed)
	p.leaves, p.tables = emptySlots(p.leaves, len(g.leaves)), p.tables[:0]
	if g.options.Trace {
		p.kept = emptySlots(p.kept, int(root)+1)
		p.parts = p.parts[:0]
	}
	return p
}

// nextPass returns a pass to use, or to use again.
func (g *Graph) nextPass() *pass {
	if g.results == mostPasses {
		return &pass{g: g, free: true}
	}
	if g.results == len(g.passes) {
		g.passes = append(g.passes, &pass{g: g})
	}
	g.results++
	return g.passes[g.results-1]
}

// room returns memory for size numbers of the graph's precision.
func (p *pass) room(size int) unsafe.Pointer {
	if p.free {
		return unsafe.Pointer(unsafe.SliceData(make([]float64, p.g.words(size))))
	}
	return p.g.room(size)
}

func emptySlots(s []slot, n int) []slot {
	if cap(s) < n {
		return make([]slot, n, n+n/4)
	}
	s = s[:n]
	clear(s)
	return s
}

// keep notes a node's gradient. It reports whether it has kept the buffer, and
// not a copy.
func (p *pass) keep(id int32, n *node) bool {
	s, size := p.slot(id, n), n.shape.size
	s.shape, s.precision = n.shape, p.g.options.Precision
	switch {
	case n.grad == inRows:
		s.data = inRows
		p.keepRows(id, n)
	case size == 1 && n.flags&converted == 0:
		s.one, s.data = n.gone, unsafe.Pointer(&s.one)
	case n.flags&converted != 0:
		p.convert(s, n)
		return size == 1
	case p.free:
		words := p.g.words(size)
		s.data = p.room(size)
		copy(slice[float64](s.data, words), slice[float64](n.grad, words))
		return false
	default:
		s.data = n.grad
	}
	return true
}

// tensor is the gradient as the user sees it.
func (s *slot) tensor(g *Graph) Tensor {
	return Tensor{shape: s.shape, data: s.data, lease: g, kind: kind{g.gen, s.precision}}
}

// check returns the pass, or nil for a sum. It panics if there is neither and
// if the recording has been Reset.
func (gr Gradients) check(op string) *pass {
	switch {
	case gr.sum != nil:
		return nil
	case gr.pass == nil:
		panic(&GradientError{called(op), "these Gradients are empty", callSite()})
	case gr.gen != gr.pass.gen || gr.gen != gr.pass.g.gen:
		panic(&StaleError{called(op), "Gradients", "used after their graph's Reset", callSite()})
	}
	return gr.pass
}

// checkOf is check for what is asked of x, which must be of the pass's graph.
func (gr Gradients) checkOf(op string, x Value) *pass {
	p := gr.check(op)
	if p == nil || x.g != p.g {
		panic(&GraphError{called(op), "a Value of another graph", callSite()})
	}
	return p
}

// Of returns the gradient with respect to x: a variable or parameter, or with
// Trace any Value that led to the loss. It has x's shape and the graph's
// precision (of a Param: the Param's) and is valid until Reset. A variable or
// parameter that was not reached has a zero gradient.
//
// It panics with a [*GradientError] for a constant, a mask, and a Value whose
// gradient was not kept.
func (gr Gradients) Of(x Value) Tensor {
	p := gr.checkOf("Of", x)
	n := x.node("Of")
	switch s := p.slot(x.id, n); {
	case s != nil && s.data != nil && n.flags&isLeaf != 0:
		return p.gradient(s, n.in[0], true)
	case s != nil && s.data != nil:
		return s.tensor(p.g)
	case n.op == &opParam && n.flags&isLeaf != 0:
		return zerosOf(p.g.slot(n).param.value.precision, n.shape.dims)
	case n.flags&isLeaf != 0:
		return zerosOf(p.g.options.Precision, n.shape.dims)
	}
	panic(&GradientError{"Of", p.whyNone(n), callSite()})
}

// slot returns where a node's gradient would be, or nil if the pass did not
// look for one.
func (p *pass) slot(id int32, n *node) *slot {
	if n.flags&isLeaf != 0 {
		return p.leaf(n.in[0])
	}
	if int(id) < len(p.kept) {
		return &p.kept[id]
	}
	return nil
}

// leaf returns the slot of a leaf by its place, or nil if the leaf was recorded
// after the pass or is a frozen parameter.
func (p *pass) leaf(place int32) *slot {
	if i := int(place); uint(i) < uint(len(p.leaves)) {
		return &p.leaves[i]
	}
	return nil
}

// whyNone says why a node that is not a leaf has no gradient.
func (p *pass) whyNone(n *node) string {
	switch {
	case n.op.mask:
		return n.op.method + " is piecewise constant: there is no gradient with respect to it"
	case n.op == &opParam && p.g.slot(n).param.statistic:
		return p.g.slot(n).param.name + " is a statistic: it has no gradient"
	case n.op == &opParam:
		return "parameter " + p.g.slot(n).param.name + " is frozen: it has no gradient"
	case n.op == &opConstant:
		return "a constant has no gradient: record it with Variable"
	case n.flags&needsGrad == 0:
		return "the Value depends on no variable or parameter: it has no gradient"
	case !p.g.options.Trace:
		return "the gradient of an intermediate Value is kept only with Options.Trace"
	}
	return "the loss does not depend on this Value"
}

// Root returns the Value that the backward pass started from. It panics with a
// [*GradientError] for a sum, which has none.
func (gr Gradients) Root() Value {
	p := gr.check("Root")
	if p == nil {
		panic(&GradientError{"Root", "a sum of Gradients has no root", callSite()})
	}
	return Value{p.g, p.root, gr.gen}
}

// Reached reports whether the loss depends on x, through a path that carries
// gradients.
func (gr Gradients) Reached(x Value) bool {
	p := gr.checkOf("Reached", x)
	s := p.slot(x.id, x.node("Reached"))
	return s != nil && s.data != nil
}
