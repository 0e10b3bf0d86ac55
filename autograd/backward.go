package autograd

import (
	"unsafe"

	"nabla/internal/kernel"
)

// reverse is the backward pass under way. While it is active, operations
// record into scratch nodes behind the recording, which last for one rule.
type reverse struct {
	active    bool
	recording bool  // Grad's pass, whose rules record
	recorded  int32 // nodes of the recording
	rule      Rule
	pass      *pass
	lookups   []lookup // in tables whose gradient is kept by rows
	onParam   func(grads Gradients, p *Param)
}

// Backward returns the gradient of x, which must have one element, with
// respect to every variable and parameter of the recording; with Trace, to
// every Value.
//
// It panics with a [*GradientError] if x has more than one element or the graph
// records no gradients, and with a [*StaleError] if a parameter has been
// changed since.
func (x Value) Backward() Gradients {
	n := x.node("Backward")
	if n.shape.size != 1 {
		panic(&GradientError{"Backward", "a Value of shape " + joinShapes([][]int{n.shape.dims}, "") + " needs a seed: see BackwardFrom", callSite()})
	}
	return x.g.backward(x.id, n, Tensor{})
}

// BackwardFrom is [Value.Backward] for a Value of any shape. The chain rule
// starts from the seed instead of from 1: the seed has the shape of x and is
// the gradient of some later result with respect to x. It panics with a
// [*ShapeError] if the shapes differ.
func (x Value) BackwardFrom(seed Tensor) Gradients {
	n := x.node("BackwardFrom")
	seed.check("BackwardFrom")
	if !n.shape.equal(seed.shape) {
		panic(shapeError("BackwardFrom", "the seed has another shape", " and ", n.shape.dims, seed.dims()))
	}
	return x.g.backward(x.id, n, seed)
}

// BackwardOptions are what [Value.Backward] leaves at its defaults.
type BackwardOptions struct {
	// OnParam is called for each Param once its gradient is complete, while the
	// pass goes on: from the last one that the recording used first to the
	// first. It may read the gradient of p from grads, to send it away, say,
	// but neither record nor call Backward. Nil: nothing is called.
	OnParam func(grads Gradients, p *Param)
}

// BackwardWith is [Value.Backward] with other options.
func (x Value) BackwardWith(options BackwardOptions) Gradients {
	x.node("BackwardWith")
	if r := &x.g.reverse; !r.active { // else Backward panics
		r.onParam = options.OnParam
		defer func() { r.onParam = nil }()
	}
	return x.Backward()
}

// backward walks the recording from y to its beginning. A node's gradient is
// complete when the walk gets there, since all its uses were recorded later.
func (g *Graph) backward(y int32, n *node, seed Tensor) Gradients {
	g.begin(y)
	defer g.end()
	if n.flags&needsGrad != 0 {
		g.seed(n, seed)
		if g.profile != nil {
			g.profile.walk(g, y)
		} else {
			g.walk(y)
		}
	}
	g.leave()
	return Gradients{pass: g.reverse.pass, gen: g.gen}
}

// walk goes from node y to the first.
func (g *Graph) walk(y int32) {
	for id := y; id >= 0; id-- {
		if n := g.at(id); n.grad != nil {
			id = g.step(id, n)
		}
	}
}

// begin opens a backward pass from y.
func (g *Graph) begin(y int32) {
	g.differentiable("Backward")
	g.clock++
	g.current = g.clock
	g.reverse.pass, g.reverse.lookups = g.newPass(y), g.reverse.lookups[:0]
	g.reverse.recorded = g.count
	g.reverse.active = true
	g.wanted = 0 // gradients of gradients are what Grad is for
}

// leave ends the backward pass.
func (g *Graph) leave() { g.reverse.active, g.current, g.wanted = false, g.gen, needsGrad }

// differentiable panics when the recording has no gradients to give.
func (g *Graph) differentiable(op string) {
	if g.options.NoGrad {
		panic(&GradientError{called(op), "the graph has the option NoGrad", callSite()})
	}
	if g.reverse.active {
		panic(&GradientError{called(op), "a derivative rule may not differentiate", callSite()})
	}
	g.fresh(op)
}

// end forgets what a pass left that ended in a panic.
func (g *Graph) end() {
	if !g.reverse.active {
		return
	}
	g.leave()
	g.count = g.reverse.recorded
	for id := range g.count {
		g.at(id).grad = nil
	}
}

// seed makes the seed the gradient of n; Backward's is 1.
func (g *Graph) seed(n *node, seed Tensor) {
	n.grad = g.roomForGradient(n)
	if seed.shape == nil {
		g.setNumber(n.grad, 0, 1)
		return
	}
	g.fill(n.grad, seed)
}

// step hands a node's gradient on to its inputs by the chain rule, or ends with
// a leaf's. It returns the node that it came to: single numbers in a row are
// one step.
func (g *Graph) step(id int32, n *node) int32 {
	switch {
	case n.flags&scalarOp != 0 && g.single:
		return stepNumbers[float32](g, id, n)
	case n.flags&scalarOp != 0:
		return stepNumbers[float64](g, id, n)
	case n.flags&isLeaf == 0:
		g.stepTensor(id, n)
	default:
		g.stepLeaf(id, n)
	}
	return id
}

// stepLeaf keeps a leaf's gradient, which is complete, and tells of it if
// somebody wants to know.
func (g *Graph) stepLeaf(id int32, n *node) {
	if !g.reverse.pass.keep(id, n) {
		g.memory.giveBack(n.grad, g.words(n.shape.size))
	}
	n.grad = nil
	if tell := g.reverse.onParam; tell != nil && n.op == &opParam {
		tell(Gradients{pass: g.reverse.pass, gen: g.gen}, g.slot(n).param)
	}
}

// stepTensor is step for all but operations between single numbers. The buffer
// of the gradient goes on to an input where nobody keeps it.
func (g *Graph) stepTensor(id int32, n *node) {
	kept := g.options.Trace && g.reverse.pass.keep(id, n)
	if u := n.op.unary; u != nil && u.D64 != nil {
		g.stepUnary(id, n, kept)
	} else {
		g.stepRule(id, n, kept)
	}
	n.grad = nil
}

// stepRule is the chain rule by the operation's derivative rule, whose
// operations are computed in scratch nodes.
func (g *Graph) stepRule(id int32, n *node, kept bool) {
	r := &g.reverse.rule
	r.begin(g, id, n)
	for i, input := range n.inputs() {
		r.needs[i] = g.at(input).flags&needsGrad != 0
	}
	r.marks.shapes, r.marks.ints, r.marks.ids, r.marks.extras = g.shapes.mark(), g.ints.mark(), g.ids.mark(), g.extras.mark()
	r.gy = g.scratchGradient(n, kept)
	n.rule(r)
	for i, input := range n.inputs() {
		if r.gx[i].g != nil {
			r.reduced(i, g.at(input).shape) // all of them first: then the last use of a buffer is known
		}
	}
	for i, input := range n.inputs() {
		if r.gx[i].g != nil {
			g.receive(r, i, g.at(input))
		}
	}
	g.forgetScratch(r)
}

// scratchGradient is a node's gradient as a Value for its rule.
func (g *Graph) scratchGradient(n *node, kept bool) Value {
	s := g.start(&opGradient, nil, n.shape)
	s.data = n.grad
	switch {
	case n.shape.size == 1:
		g.put(s, g.first(n.grad))
	case !kept:
		s.flags |= borrowed
	}
	return g.handle()
}

var opGradient = operation{name: "gradient", method: "Backward"}

// receive adds what a rule computed for input i to that input's gradient. The
// first gradient is adopted where the rule owns the buffer.
func (g *Graph) receive(r *Rule, i int, x *node) {
	gx := g.at(r.gx[i].id)
	if g.watch {
		g.lookAtGradient(r.id, i, gx.data, x.shape)
	}
	switch owner := g.owner(gx); {
	case x.grad != nil:
		g.accumulate(x, gx.data)
	case owner != nil && !r.usedAfter(i, gx.data):
		x.grad = gx.data
		owner.flags &^= borrowed
	default:
		words := g.words(x.shape.size)
		x.grad = g.roomForGradient(x)
		copy(slice[float64](x.grad, words), slice[float64](gx.data, words))
	}
}

// owner returns the scratch node whose pooled buffer n shares, nil when the
// numbers belong to the recording.
func (g *Graph) owner(n *node) *node {
	for n.flags&isView != 0 {
		n = g.at(n.in[0])
	}
	if n.flags&borrowed == 0 {
		return nil
	}
	return n
}

// forgetScratch gives back what the rule's operations left.
func (g *Graph) forgetScratch(r *Rule) {
	for id := g.reverse.recorded; id < g.count; id++ {
		if n := g.at(id); n.flags&borrowed != 0 {
			g.memory.giveBack(n.data, g.words(n.shape.size))
		}
	}
	g.count = g.reverse.recorded
	g.shapes.rewind(r.marks.shapes)
	g.ints.rewind(r.marks.ints)
	g.ids.rewind(r.marks.ids)
	g.extras.rewind(r.marks.extras)
}

func (g *Graph) accumulate(x *node, gx unsafe.Pointer) {
	pick(g, accumulate[float64], accumulate[float32])(x, gx)
}

func accumulate[T kernel.Float](x *node, gx unsafe.Pointer) {
	kernel.Accumulate(slice[T](x.grad, x.shape.size), slice[T](gx, x.shape.size))
}
