package autograd

import (
	"unsafe"

	"nabla/internal/kernel"
)

// reverse is the backward pass under way. While it is active, operations
// record into scratch nodes behind the recording, which last for one rule.
type reverse struct {
	active   bool
	recorded int32 // nodes of the recording
	rule     Rule
	pass     *pass
}

// Backward returns the gradient of x, which must have one element, with
// respect to every variable and parameter of the recording; with Trace, to
// every Value.
//
// It panics with a *GradientError when x has more than one element or the
// graph records no gradients, and with a *StaleError when a parameter has been
// changed since.
func (x Value) Backward() Gradients {
	n := x.node("Backward")
	if n.shape.size != 1 {
		panic(&GradientError{"Backward", "a Value of shape " + joinShapes([][]int{n.shape.dims}, "") + " needs a seed: see BackwardWith", callSite()})
	}
	return x.g.backward(x.id, n, Tensor{})
}

// BackwardWith is Backward for a Value of any shape: the seed, of the same
// shape, is the gradient of what x leads to with respect to x.
func (x Value) BackwardWith(seed Tensor) Gradients {
	n := x.node("BackwardWith")
	seed.check("BackwardWith")
	if !n.shape.equal(seed.shape) {
		panic(shapeError("BackwardWith", "the seed has another shape", " and ", n.shape.dims, seed.dims()))
	}
	return x.g.backward(x.id, n, seed)
}

// backward walks the recording from y to its beginning. A node's gradient is
// complete when the walk gets there, since all its uses were recorded later.
func (g *Graph) backward(y int32, n *node, seed Tensor) Gradients {
	g.begin(y)
	defer g.end()
	if n.flags&needsGrad != 0 {
		g.seed(n, seed)
		for id := y; id >= 0; id-- {
			switch n := g.at(id); {
			case n.grad == nil:
			case n.flags&scalarOp == 0 || g.options.Trace:
				g.step(id, n)
			case g.single:
				stepScalar[float32](g, id, n)
			default:
				stepScalar[float64](g, id, n)
			}
		}
	}
	g.leave()
	return Gradients{g.reverse.pass, g.reverse.pass.gen}
}

// begin opens a backward pass from y.
func (g *Graph) begin(y int32) {
	g.differentiable("Backward")
	g.clock++
	g.current = g.clock
	g.reverse.pass = g.newPass(y)
	g.reverse.recorded = g.count
	g.reverse.active = true
	g.wanted = 0 // gradients of gradients are what Grad is for
}

// leave ends the backward pass.
func (g *Graph) leave() { g.reverse.active, g.current, g.wanted = false, g.gen, needsGrad }

// differentiable panics when the recording has no gradients to give.
func (g *Graph) differentiable(op string) {
	if g.options.NoGrad {
		panic(&GradientError{op, "the graph has the option NoGrad", callSite()})
	}
	if g.reverse.active {
		panic(&GradientError{op, "a derivative rule may not differentiate", callSite()})
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

func (g *Graph) seed(n *node, seed Tensor) {
	if n.shape.size == 1 {
		n.grad = unsafe.Pointer(&n.gone)
	} else {
		n.grad = g.memory.borrow(g.words(n.shape.size))
	}
	if seed.shape == nil { // Backward's
		g.setNumber(n.grad, 0, 1)
		return
	}
	g.fill(n.grad, seed)
}

// step hands a node's gradient on to its inputs by the chain rule.
func (g *Graph) step(id int32, n *node) {
	keep := g.options.Trace || n.flags&isLeaf != 0
	if keep {
		g.reverse.pass.keep(id, n)
	}
	switch {
	case n.flags&isLeaf != 0:
	case n.flags&scalarOp == 0:
		g.stepTensor(id, n, keep)
	case g.single:
		stepScalar[float32](g, id, n)
	default:
		stepScalar[float64](g, id, n)
	}
	n.grad = nil
}

// stepTensor is the chain rule for all but single numbers.
func (g *Graph) stepTensor(id int32, n *node, keep bool) {
	if u := n.op.unary; u != nil && u.D64 != nil {
		g.stepUnary(id, n, keep)
	} else {
		g.stepRule(id, n, keep)
	}
}

// stepScalar is the chain rule between single numbers.
func stepScalar[T kernel.Float](g *Graph, id int32, n *node) {
	n.grad = nil
	x, gy, z := g.at(n.in[0]), float64(*as[T](&n.gone)), float64(*as[T](&n.one))
	if n.nin == 1 {
		gx := T(n.op.unary.D(gy, float64(*as[T](&x.one)), z, n.a, n.b))
		if g.watch {
			g.lookAtNumber(id, 0, x, float64(gx))
		}
		receiveNumber(x, gx)
		return
	}
	y := g.at(n.in[1])
	dx, dy := n.op.binary.D(gy, float64(*as[T](&x.one)), float64(*as[T](&y.one)), z)
	gx, gyy := T(dx), T(dy)
	if g.watch {
		g.lookAtNumber(id, 0, x, float64(gx))
		g.lookAtNumber(id, 1, y, float64(gyy))
	}
	if x.flags&needsGrad != 0 {
		receiveNumber(x, gx)
	}
	if y.flags&needsGrad != 0 {
		receiveNumber(y, gyy)
	}
}

// receiveNumber adds to the gradient of a single number.
func receiveNumber[T kernel.Float](x *node, gx T) {
	total := as[T](&x.gone)
	if x.grad == nil {
		x.grad, *total = unsafe.Pointer(total), gx
		return
	}
	*total += gx
}

// stepUnary is the chain rule of a function of each element, in one pass over
// the gradient and mostly in its place.
func (g *Graph) stepUnary(id int32, n *node, keep bool) {
	x, size := g.at(n.in[0]), n.shape.size
	gx := n.grad
	if keep {
		gx = g.memory.borrow(g.words(size))
	}
	if g.single {
		n.op.unary.D32(slice[float32](gx, size), slice[float32](n.grad, size), x.f32(), n.f32(), n.a, n.b)
	} else {
		n.op.unary.D64(slice[float64](gx, size), slice[float64](n.grad, size), x.f64(), n.f64(), n.a, n.b)
	}
	if g.watch {
		g.lookAtGradient(id, 0, gx, x.shape)
	}
	if x.grad == nil {
		x.grad = gx
		return
	}
	g.accumulate(x, gx)
	g.memory.giveBack(gx, g.words(size))
}

// stepRule is the chain rule by the operation's derivative rule, whose
// operations are computed in scratch nodes.
func (g *Graph) stepRule(id int32, n *node, keep bool) {
	r := &g.reverse.rule
	r.begin(g, id, n)
	for i, input := range n.inputs() {
		r.needs[i] = g.at(input).flags&needsGrad != 0
	}
	r.marks.shapes, r.marks.ints, r.marks.ids, r.marks.extras = g.shapes.mark(), g.ints.mark(), g.ids.mark(), g.extras.mark()
	r.gy = g.scratchGradient(n, keep)
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
func (g *Graph) scratchGradient(n *node, keep bool) Value {
	s := g.start(&opGradient, nil, n.shape)
	s.data = n.grad
	if n.shape.size == 1 {
		s.one, s.data = n.gone, unsafe.Pointer(&s.one)
	} else if !keep {
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
	case x.shape.size == 1 && x.grad == nil:
		x.gone, x.grad = gx.one, unsafe.Pointer(&x.gone)
	case x.grad != nil:
		g.accumulate(x, gx.data)
	case owner != nil && !r.usedAfter(i, gx.data):
		x.grad = gx.data
		owner.flags &^= borrowed
	default:
		words := g.words(x.shape.size)
		x.grad = g.memory.borrow(words)
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
