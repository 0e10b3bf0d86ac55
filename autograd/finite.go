package autograd

import (
	"math"
	"unsafe"

	"nabla/internal/kernel"
)

// checkFinite panics if the node just computed holds a NaN or an unintended
// infinity. An infinity is intended if the user put it there, such as in a
// mask, or if it follows from one.
func (g *Graph) checkFinite(n *node) {
	i, ok := g.finite(n.data, n.shape.size)
	if !ok && g.meantInfinite(n) {
		i, ok = g.notNaN(n)
	}
	if !ok {
		panic(g.nonFinite(n, n.data, i))
	}
}

// meantInfinite reports whether an infinity in n is intended: n is a constant,
// was padded with an infinity, or has an input that holds one.
func (g *Graph) meantInfinite(n *node) bool {
	if n.op == &opConstant || n.op == &opPad && math.IsInf(n.a, 0) {
		return true
	}
	for _, input := range n.inputs() {
		if x := g.at(input); !g.allFinite(x) {
			return true
		}
	}
	return false
}

func (g *Graph) allFinite(n *node) bool {
	_, ok := g.finite(n.data, n.shape.size)
	return ok
}

// notNaN returns the index of the first NaN.
func (g *Graph) notNaN(n *node) (index int, ok bool) {
	for i := range n.shape.size {
		if math.IsNaN(g.number(n.data, i)) {
			return i, false
		}
	}
	return 0, true
}

// checkFiniteGradient panics if the gradient that node id passes to one of its
// inputs holds a NaN or infinity.
func (g *Graph) checkFiniteGradient(id int32, input int, gx unsafe.Pointer, s *shape) {
	if i, ok := g.finite(gx, s.size); !ok {
		e := g.nonFinite(g.at(id), gx, i)
		e.Backward, e.Input = true, input
		panic(e)
	}
}

// finite returns the index of the first NaN or infinity.
func (g *Graph) finite(p unsafe.Pointer, size int) (index int, ok bool) {
	return pick(g, isFinite[float64], isFinite[float32])(p, size)
}

func isFinite[T kernel.Float](p unsafe.Pointer, size int) (int, bool) {
	return kernel.IsFinite(slice[T](p, size))
}

func (g *Graph) nonFinite(n *node, p unsafe.Pointer, index int) *NonFiniteError {
	e := &NonFiniteError{Op: n.called(), Name: g.name(n), Scope: g.scopes.paths[n.scope], Value: g.number(p, index), Index: index}
	if n.extra != nil {
		e.Location = n.extra.line
	}
	var shapes [][]int
	for _, input := range n.inputs() {
		shapes = append(shapes, g.at(input).shape.dims)
	}
	e.Shapes = copyShapes(append(shapes, n.shape.dims))
	return e
}
