package graphviz

import (
	"math"
	"slices"

	"nabla/autograd"
)

// numbers are a tensor as a drawing shows it: each element of a small one, and
// what a reader wants to know of any.
type numbers struct {
	shape []int
	size  int
	few   []float64 // each element in row-major order, nil when there are more than the limit

	min, mean, max float64 // of the finite elements; NaN when there is none
	norm           float64 // Euclidean, of all elements
	finite         int
	nans, infs     int
}

// newNumbers copies what it needs of t. A single number is always kept.
func newNumbers(t autograd.Tensor, limit int) numbers {
	elements := elementsOf(t)
	n := numbers{shape: t.Shape(), size: len(elements), min: math.Inf(1), max: math.Inf(-1)}
	if n.size <= max(limit, 1) {
		n.few = slices.Clone(elements)
	}
	for _, v := range elements {
		n.add(v)
	}
	if n.finite == 0 {
		n.min, n.mean, n.max = math.NaN(), math.NaN(), math.NaN()
	}
	return n
}

func (n *numbers) add(v float64) {
	n.norm = math.Hypot(n.norm, v)
	switch {
	case math.IsNaN(v):
		n.nans++
	case math.IsInf(v, 0):
		n.infs++
	default:
		n.finite++
		n.min, n.max = min(n.min, v), max(n.max, v)
		n.mean += (v - n.mean) / float64(n.finite)
	}
}

// elementsOf returns the elements, which must not be written to.
func elementsOf(t autograd.Tensor) []float64 {
	if t.Precision() == autograd.Float64 {
		return t.Raw64()
	}
	return t.Float64s()
}

// zero reports whether there are elements and each is exactly zero.
func (n *numbers) zero() bool {
	return n.finite > 0 && n.finite == n.size && n.min == 0 && n.max == 0
}

// broken reports whether an element is NaN or infinite.
func (n *numbers) broken() bool { return n.nans+n.infs > 0 }
