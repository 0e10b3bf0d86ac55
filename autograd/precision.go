package autograd

import (
	"unsafe"

	"nabla/internal/kernel"
)

// A Precision is the kind of number that a graph or tensor holds.
type Precision uint8

const (
	Float64 Precision = iota
	Float32
)

func (p Precision) String() string {
	if p == Float32 {
		return "float32"
	}
	return "float64"
}

func (p Precision) check(op string) {
	if p > Float32 {
		panic(NewArgumentError(""+op, "there is no Precision %d", p))
	}
}

// A graph's precision is known only when the program runs, but kernels are
// generic. So a kernel is passed twice, once for each precision, and Go infers
// the two instances:
//
//	g.alongSpan(n, x, s, kernel.Sum, kernel.Sum)
//
// The functions here call the one that has the graph's precision.

// pick returns the instance of a generic function that has the graph's
// precision. The function takes nodes, so that both instances have the same
// type.
func pick[F any](g *Graph, f64, f32 F) F {
	if g.single {
		return f32
	}
	return f64
}

// A spanKernel computes dst from x, which is outer × n × inner, along the
// middle axis.
type spanKernel[T kernel.Float] func(dst, x []T, outer, n, inner int)

// alongSpan computes n from x.
func (g *Graph) alongSpan(n, x *node, s span, f64 spanKernel[float64], f32 spanKernel[float32]) {
	if g.single {
		f32(n.f32(), x.f32(), s.outer, s.n, s.inner)
	} else {
		f64(n.f64(), x.f64(), s.outer, s.n, s.inner)
	}
}

// A spanKernelWith is a spanKernel with an argument.
type spanKernelWith[T kernel.Float, A any] func(dst, x []T, outer, n, inner int, a A)

// alongSpanWith is alongSpan for a kernel with an argument.
func alongSpanWith[A any](g *Graph, n, x *node, s span, a A, f64 spanKernelWith[float64, A], f32 spanKernelWith[float32, A]) {
	if g.single {
		f32(n.f32(), x.f32(), s.outer, s.n, s.inner, a)
	} else {
		f64(n.f64(), x.f64(), s.outer, s.n, s.inner, a)
	}
}

// A spanGradKernel computes dst from a gradient and a result of a span.
type spanGradKernel[T kernel.Float] func(dst, gy, y []T, outer, n, inner int)

// gradAlongSpan computes n from gy and y.
func (g *Graph) gradAlongSpan(n, gy, y *node, s span, f64 spanGradKernel[float64], f32 spanGradKernel[float32]) {
	if g.single {
		f32(n.f32(), gy.f32(), y.f32(), s.outer, s.n, s.inner)
	} else {
		f64(n.f64(), gy.f64(), y.f64(), s.outer, s.n, s.inner)
	}
}

// An indexKernel moves slices of x, named by an index, to dst.
type indexKernel[T kernel.Float] func(dst, x []T, index []int, outer, from, to, inner int)

// byIndex computes n from x.
func (g *Graph) byIndex(n, x *node, index []int, outer, from, to, inner int, f64 indexKernel[float64], f32 indexKernel[float32]) {
	if g.single {
		f32(n.f32(), x.f32(), index, outer, from, to, inner)
	} else {
		f64(n.f64(), x.f64(), index, outer, from, to, inner)
	}
}

// setAll makes every element v.
func (g *Graph) setAll(n *node, v float64) {
	if g.single {
		kernel.Fill(n.f32(), float32(v))
	} else {
		kernel.Fill(n.f64(), v)
	}
}

// number returns element i.
func (g *Graph) number(p unsafe.Pointer, i int) float64 {
	if g.single {
		return float64(slice[float32](p, i+1)[i])
	}
	return slice[float64](p, i+1)[i]
}

// setNumber makes element i v.
func (g *Graph) setNumber(p unsafe.Pointer, i int, v float64) {
	if g.single {
		slice[float32](p, i+1)[i] = float32(v)
		return
	}
	slice[float64](p, i+1)[i] = v
}

// words returns how many words of eight bytes hold n numbers.
func (g *Graph) words(n int) int {
	if g.single {
		return (n + 1) / 2
	}
	return n
}
