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
	level          bool    // the mean is 0 but for rounding: its digits mean nothing
	finite         int
	zeros          int
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
	n.level = n.mean != 0 && math.Abs(n.mean) <= rounding(t.Precision())*n.largest()
	return n
}

// rounding is how far from 0, relative to the largest element, rounding may
// take the mean of elements that cancel.
func rounding(p autograd.Precision) float64 {
	if p == autograd.Float32 {
		return 0x1p-20
	}
	return 0x1p-48
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
		if v == 0 {
			n.zeros++
		}
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
	return n.size > 0 && n.zeros == n.size
}

// largest returns the greatest magnitude of a finite element, 0 if there is
// none.
func (n *numbers) largest() float64 {
	if n.finite == 0 {
		return 0
	}
	return max(math.Abs(n.min), math.Abs(n.max))
}

// united returns the numbers of several tensors as one vector.
func united(all ...numbers) numbers {
	j := numbers{min: math.Inf(1), max: math.Inf(-1), few: []float64{}}
	for _, n := range all {
		j.size += n.size
		j.norm = math.Hypot(j.norm, n.norm)
		j.zeros, j.nans, j.infs = j.zeros+n.zeros, j.nans+n.nans, j.infs+n.infs
		if n.finite > 0 {
			j.finite += n.finite
			j.min, j.max = min(j.min, n.min), max(j.max, n.max)
			j.mean += (n.mean - j.mean) * float64(n.finite) / float64(j.finite)
		}
		if n.few == nil && n.size > 0 || j.few == nil {
			j.few = nil
		} else {
			j.few = append(j.few, n.few...)
		}
	}
	j.shape = []int{j.size}
	if j.finite == 0 {
		j.min, j.mean, j.max = math.NaN(), math.NaN(), math.NaN()
	}
	return j
}

// broken reports whether an element is NaN or infinite.
func (n *numbers) broken() bool { return n.nans+n.infs > 0 }
