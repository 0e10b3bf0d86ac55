package autograd

import (
	"math"
	"math/bits"
	"slices"
)

// A shape holds the dimensions of a tensor and their product. Nodes of equal
// shape mostly share one, so that comparing pointers settles the common case.
type shape struct {
	dims []int
	size int
}

// scalarShape is the shape of every scalar.
var scalarShape = &shape{dims: []int{}, size: 1}

func (s *shape) rank() int           { return len(s.dims) }
func (s *shape) equal(t *shape) bool { return s == t || slices.Equal(s.dims, t.dims) }

// shape returns the shape with the given dimensions, copied into the graph's
// memory.
func (g *Graph) shape(dims []int) *shape {
	size, _ := sizeOf(dims)
	return g.sized(dims, size)
}

// sized is shape for dimensions whose product is known.
func (g *Graph) sized(dims []int, size int) *shape {
	if len(dims) == 0 {
		return scalarShape
	}
	s := &g.shapes.take(1)[0]
	s.dims, s.size = g.ints.take(len(dims)), size
	copy(s.dims, dims)
	return s
}

// shapeOf returns the shape of a tensor. If the tensor owns its memory, its
// shape never changes and is used as it is.
func (g *Graph) shapeOf(t Tensor) *shape {
	if t.lease == nil {
		return t.shape
	}
	return g.shape(t.shape.dims)
}

// sizeOf returns the product of the dimensions. If a dimension is negative or
// the product overflows an int, it returns the reason why they are not a shape.
func sizeOf(dims []int) (size int, fault string) {
	const most = math.MaxInt / 8
	size = 1
	for _, d := range dims {
		if d < 0 {
			return 0, "negative dimension"
		}
		high, low := bits.Mul(uint(size), uint(d))
		size = int(low)
		if high > 0 || low > most {
			size, fault = most, "size overflows"
		}
	}
	if size == 0 {
		return 0, "" // then none of the other dimensions is too large
	}
	return size, fault
}

// broadcast returns the shape that two operands share under NumPy's rule:
// aligned at the last axis, two dimensions agree if they are equal or one of
// them is 1.
func (g *Graph) broadcast(op string, x, y *shape) *shape {
	switch {
	case x.equal(y), y.rank() == 0:
		return x
	case x.rank() == 0:
		return y
	}
	if x.rank() < y.rank() {
		x, y = y, x
	}
	m := g.ints.mark()
	dims := g.ints.take(x.rank())
	copy(dims, x.dims)
	lead := x.rank() - y.rank()
	for i, d := range y.dims {
		switch {
		case dims[lead+i] == 1:
			dims[lead+i] = d
		case d != 1 && d != dims[lead+i]:
			panic(shapeError(op, "shapes do not broadcast", " and ", x.dims, y.dims))
		}
	}
	if slices.Equal(dims, x.dims) {
		g.ints.rewind(m)
		return x
	}
	if slices.Equal(dims, y.dims) {
		g.ints.rewind(m)
		return y
	}
	size, fault := sizeOf(dims)
	if fault != "" {
		panic(shapeError(op, fault, " and ", x.dims, y.dims))
	}
	s := &g.shapes.take(1)[0]
	s.dims, s.size = dims, size
	return s
}

// broadcasts reports whether a tensor of shape x can be expanded to shape y.
func broadcasts(x, y []int) bool {
	lead := len(y) - len(x)
	if lead < 0 {
		return false
	}
	for i, d := range x {
		if d != 1 && d != y[lead+i] {
			return false
		}
	}
	return true
}

// strides returns, for each axis of the contiguous shape s, how many elements
// apart neighbors are.
func (g *Graph) strides(s *shape) []int {
	st := g.ints.take(s.rank())
	step := 1
	for i := s.rank() - 1; i >= 0; i-- {
		st[i] = step
		step *= s.dims[i]
	}
	return st
}

// broadcastStrides returns the strides with which a tensor of shape s is read
// as one of shape to: 0 on the axes along which it is repeated.
func (g *Graph) broadcastStrides(s, to *shape) []int {
	st := g.ints.take(to.rank())
	lead := to.rank() - s.rank()
	clear(st[:lead])
	step := 1
	for i := s.rank() - 1; i >= 0; i-- {
		st[lead+i] = step
		if s.dims[i] == 1 {
			st[lead+i] = 0
		}
		step *= s.dims[i]
	}
	return st
}

// axis returns the index of an axis in a tensor of the given rank. A negative
// axis counts from the end.
func (g *Graph) axis(op string, axis, rank int) int {
	if axis < -rank || axis >= rank {
		panic(NewIndexError(op, "axis", axis, rank))
	}
	if axis < 0 {
		axis += rank
	}
	return axis
}
