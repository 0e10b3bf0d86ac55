package autograd

import (
	"slices"

	"nabla/internal/kernel"
)

// unary records a function of each element with the constants a and b.
func (x Value) unary(op *operation, rule func(*Rule), a, b float64) Value {
	g, from := x.g, x.node(op.method)
	if from.shape.size == 1 {
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
	n := g.record(op, rule, from.shape, x)
	n.a, n.b = a, b
	if g.single {
		op.unary.F32(n.f32(), from.f32(), a, b)
	} else {
		op.unary.F64(n.f64(), from.f64(), a, b)
	}
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
	if s.size == 1 {
		z, of := op.binary.F(g.first(left.data), g.first(right.data)), left.flags|right.flags
		n := g.start(op, rule, s)
		n.in, n.nin = [2]int32{x.id, y.id}, 2
		n.flags = g.inherited(op, of) | scalarOp
		g.put(n, z)
		return g.done()
	}
	n := g.record(op, rule, s, x, y)
	g.apply(n, left, right)
	return g.done()
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
