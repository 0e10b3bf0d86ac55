package autograd

import (
	"unsafe"

	"nabla/internal/kernel"
)

// Graphs of single numbers, as a neuron written out, have nodes whose work
// takes less time than a function call: what they need to be fast stands here.
// A single number lies in its node, as does its gradient, and the chain rule
// between single numbers takes the derivative in scalar form.

// unary records a function of each element with the constants a and b.
func (x Value) unary(op *operation, rule func(*Rule), a, b float64) Value {
	g, from := x.g, x.node(op.method)
	if from.shape.size != 1 {
		return x.unaryTensor(op, rule, a, b)
	}
	y := op.unary.F(g.first(from.data), a, b)
	n := g.start(op, rule, from.shape)
	n.a, n.b = a, b
	n.in[0], n.nin = x.id, 1
	n.flags = g.inherited(op, from.flags)
	if op.unary.D != nil {
		n.flags |= scalarOp
	}
	g.put(n, y)
	return g.done()
}

// binary records a function of two elements, broadcasting the operands.
func (x Value) binary(op *operation, rule func(*Rule), y Value) Value {
	if x.g != y.g || !x.usable() || !y.usable() {
		x.node(op.method) // one of the two panics
		x.operand(op.method, y)
	}
	g, left, right := x.g, x.g.at(x.id), x.g.at(y.id)
	s := left.shape
	if right.shape != s {
		s = g.broadcast(op.method, left.shape, right.shape)
	}
	if s.size != 1 {
		return x.binaryTensor(op, rule, y, s)
	}
	z, of := op.binary.F(g.first(left.data), g.first(right.data)), left.flags|right.flags
	n := g.start(op, rule, s)
	n.in, n.nin = [2]int32{x.id, y.id}, 2
	n.flags = g.inherited(op, of) | scalarOp
	g.put(n, z)
	return g.done()
}

// stepNumbers is the chain rule between single numbers: of node id, and of
// those like it that stand right before it, in one call. It returns the id of
// the last.
func stepNumbers[T kernel.Float](g *Graph, id int32, n *node) int32 {
	for {
		if g.options.Trace {
			g.reverse.pass.keep(id, n)
		}
		n.grad = nil
		x, gy, z := g.at(n.in[0]), float64(*as[T](&n.gone)), float64(*as[T](&n.one))
		if n.nin == 1 {
			gx := T(n.op.unary.D(gy, float64(*as[T](&x.one)), z, n.a, n.b))
			if g.watch {
				g.lookAtNumber(id, 0, x, float64(gx))
			}
			receiveNumber(x, gx)
		} else {
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
		if n = g.at(id - 1); n.grad == nil || n.flags&scalarOp == 0 { // an operand stands before it
			return id
		}
		id--
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

// first returns the number at p, where there is one.
func (g *Graph) first(p unsafe.Pointer) float64 {
	if g.single {
		return float64(*(*float32)(p))
	}
	return *(*float64)(p)
}

// put makes v the one number of n.
func (g *Graph) put(n *node, v float64) {
	n.data = unsafe.Pointer(&n.one)
	if g.single {
		*as[float32](&n.one) = float32(v)
		return
	}
	n.one = v
}

// roomForGradient returns where a node's gradient goes that nothing has been
// added to yet.
func (g *Graph) roomForGradient(n *node) unsafe.Pointer {
	if n.shape.size == 1 {
		return unsafe.Pointer(&n.gone)
	}
	return g.memory.borrow(g.words(n.shape.size))
}

// as views the storage of a single number, which has room for either precision.
func as[T kernel.Float](p *float64) *T { return (*T)(unsafe.Pointer(p)) }
