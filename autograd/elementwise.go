package autograd

import (
	"unsafe"

	"nabla/internal/kernel"
)

// unary records a function of each element with the constants a and b.
func (x Value) unary(op *operation, rule func(*Rule), a, b float64) Value {
	g, from := x.g, x.node(op)
	if from.flags&inPlace != 0 {
		g.unchanged(op, from)
	}
	n := g.start(op, rule, from.shape)
	n.a, n.b = a, b
	n.in[0], n.nin = x.id, 1
	if g.learns() && !op.mask {
		n.flags = from.flags & needsGrad
	}
	switch {
	case n.shape.size == 1:
		n.data = unsafe.Pointer(&n.one)
		if op.unary.D != nil {
			n.flags |= scalarOp
		}
		if g.single {
			g.setNumber(n.data, 0, op.unary.F(g.number(from.data, 0), a, b))
		} else {
			n.one = op.unary.F(*(*float64)(from.data), a, b)
		}
	case g.single:
		g.allocate(n)
		op.unary.F32(n.f32(), from.f32(), a, b)
	default:
		g.allocate(n)
		op.unary.F64(n.f64(), from.f64(), a, b)
	}
	return g.done()
}

// binary records a function of two elements, broadcasting the operands.
func (x Value) binary(op *operation, rule func(*Rule), y Value) Value {
	g, left, right := x.g, x.node(op), x.operand(op, y)
	if (left.flags|right.flags)&inPlace != 0 {
		g.unchanged(op, left)
		g.unchanged(op, right)
	}
	s := left.shape
	if right.shape != s {
		s = g.broadcast(op, left.shape, right.shape)
	}
	n := g.start(op, rule, s)
	n.in, n.nin = [2]int32{x.id, y.id}, 2
	if g.learns() && !op.mask {
		n.flags = (left.flags | right.flags) & needsGrad
	}
	switch {
	case s.size != 1:
		g.allocate(n)
		g.apply(op.binary, n, left, right)
	case g.single:
		n.data = unsafe.Pointer(&n.one)
		g.setNumber(n.data, 0, op.binary.F(g.number(left.data, 0), g.number(right.data, 0)))
	default:
		n.data = unsafe.Pointer(&n.one)
		n.one = op.binary.F(*(*float64)(left.data), *(*float64)(right.data))
	}
	if s.size == 1 && op.binary.D != nil {
		n.flags |= scalarOp
	}
	return g.done()
}

// apply computes a binary function of tensors.
func (g *Graph) apply(f *kernel.Binary, n, x, y *node) {
	if g.single {
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
	default:
		m := g.ints.mark()
		kernel.Apply(loops, dst, x, y, s.dims, g.broadcastStrides(xs, s), g.broadcastStrides(ys, s))
		g.ints.rewind(m)
	}
}
