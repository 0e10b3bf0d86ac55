package autograd

import (
	"iter"
	"unsafe"
)

// look does what Trace, CheckFinite and Profile need for the node just
// computed.
func (g *Graph) look() {
	if g.reverse.active {
		return
	}
	n := g.at(g.count - 1)
	if g.profile != nil {
		g.profile.end(g, n)
		if !g.options.Trace && !g.options.CheckFinite {
			return
		}
	}
	g.extraOf(n).line = callSite()
	if g.options.CheckFinite && !g.reverse.recording {
		g.checkFinite(n)
	}
}

// lookAtHandedOn does what CheckFinite needs in Grad. It checks the gradient
// that node id passes to an input, but not the steps in which the rule computed
// it, which the user does not know.
func (g *Graph) lookAtHandedOn(id int32, input int, gx Value) {
	if g.options.CheckFinite {
		n := g.at(gx.id)
		g.checkFiniteGradient(id, input, n.data, n.shape)
	}
}

// A part is the contribution of one use of a value to its gradient.
type part struct {
	node  int32 // that used the value
	input int   // as which input
	slot
}

// lookAtNumber and lookAtGradient do what Trace and CheckFinite need for the
// gradient that node id passes to an input.
func (g *Graph) lookAtNumber(id int32, input int, x *node, gx float64) {
	if x.flags&needsGrad == 0 || !g.options.Trace && !g.options.CheckFinite {
		return
	}
	var one float64
	g.setNumber(unsafe.Pointer(&one), 0, gx)
	g.lookAtGradient(id, input, unsafe.Pointer(&one), scalarShape)
}

func (g *Graph) lookAtGradient(id int32, input int, gx unsafe.Pointer, s *shape) {
	if g.options.CheckFinite {
		g.checkFiniteGradient(id, input, gx, s)
	}
	if !g.options.Trace {
		return
	}
	p := g.reverse.pass
	c := part{node: id, input: input}
	c.shape = g.at(g.at(id).inputs()[input]).shape
	if words := g.words(s.size); s.size == 1 {
		g.setNumber(unsafe.Pointer(&c.one), 0, g.number(gx, 0))
	} else {
		c.data = p.room(s.size)
		copy(slice[float64](c.data, words), slice[float64](gx, words))
	}
	p.parts = append(p.parts, c)
}

// A Contribution is the term that one use of a Value added to its gradient: the
// gradient of the result times the local derivative.
type Contribution struct {
	To       Value // the result of the operation that used the Value
	Input    int   // as which input
	Gradient Tensor
}

// Contributions returns the terms that add up to the gradient of x, in the
// order in which they were added: the latest use first. The graph needs Trace.
func (gr Gradients) Contributions(x Value) []Contribution {
	p := gr.checkOf("Contributions", x)
	if !p.g.options.Trace {
		panic(&GradientError{"Contributions", "contributions are kept only with Options.Trace", callSite()})
	}
	x.node("Contributions")
	var all []Contribution
	for i := range p.parts {
		if c := &p.parts[i]; p.g.at(c.node).inputs()[c.input] == x.id {
			all = append(all, Contribution{Value{p.g, c.node, p.g.gen}, c.input, p.g.tensor(c.numbers(), c.shape)})
		}
	}
	return all
}

// AllContributions ranges over the contributions to every gradient, each with
// the Value whose gradient it is part of, in the order in which they were
// added. It walks once, where Contributions would walk once for each Value. The
// graph needs Trace.
func (gr Gradients) AllContributions() iter.Seq2[Value, Contribution] {
	p := gr.check("Contributions")
	if p == nil || !p.g.options.Trace {
		panic(&GradientError{"AllContributions", "contributions are kept only with Options.Trace", callSite()})
	}
	return func(yield func(Value, Contribution) bool) {
		for i := range p.parts {
			c := &p.parts[i]
			x := Value{p.g, p.g.at(c.node).inputs()[c.input], gr.gen}
			if !yield(x, Contribution{Value{p.g, c.node, gr.gen}, c.input, p.g.tensor(c.numbers(), c.shape)}) {
				return
			}
		}
	}
}

func (c *part) numbers() unsafe.Pointer {
	if c.shape.size == 1 {
		return unsafe.Pointer(&c.one)
	}
	return c.data
}
