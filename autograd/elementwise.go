package autograd

import (
	"slices"

	"nabla/internal/kernel"
)

// unaryTensor is unary for everything but single numbers.
func (x Value) unaryTensor(op *operation, rule func(*Rule), a, b float64) Value {
	g, from := x.g, x.g.at(x.id)
	n := g.record(op, rule, from.shape, x)
	n.a, n.b = a, b
	if g.single {
		op.unary.F32(n.f32(), from.f32(), a, b)
	} else {
		op.unary.F64(n.f64(), from.f64(), a, b)
	}
	return g.done()
}

// binaryTensor is binary for everything but single numbers.
func (x Value) binaryTensor(op *operation, rule func(*Rule), y Value, s *shape) Value {
	n := x.g.record(op, rule, s, x, y)
	x.g.apply(n, x.g.at(x.id), x.g.at(y.id))
	return x.g.done()
}

// apply computes a binary function of tensors.
func (g *Graph) apply(n, x, y *node) {
	if f := n.op.binary; g.single {
		apply(g, &f.A32, n.f32(), x.f32(), y.f32(), n.shape, x.shape, y.shape)
	} else {
		apply(g, &f.A64, n.f64(), x.f64(), y.f64(), n.shape, x.shape, y.shape)
	}
}

func apply[T kernel.Float](g *Graph, loops *kernel.BinaryLoops[T], dst, x, y []T, s, xs, ys *shape) {
	switch {
	case len(dst) == 0:
	case xs == ys, len(x) == len(dst) && len(y) == len(dst):
		loops.VV(dst, x, y)
	case len(y) == 1:
		loops.VS(dst, x, y[0])
	case len(x) == 1:
		loops.SV(dst, x[0], y)
	case len(x) == len(dst) && slices.Equal(ys.dims, s.dims[s.rank()-ys.rank():]):
		kernel.ApplyRows(loops, dst, x, y)
	default:
		m := g.ints.mark()
		kernel.Apply(loops, dst, x, y, s.dims, g.broadcastStrides(xs, s), g.broadcastStrides(ys, s))
		g.ints.rewind(m)
	}
}

// stepUnary applies the chain rule for an elementwise function, in one pass
// over the gradient and mostly in place.
func (g *Graph) stepUnary(id int32, n *node, kept bool) {
	x, size := g.at(n.in[0]), n.shape.size
	gx := n.grad
	if kept {
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
