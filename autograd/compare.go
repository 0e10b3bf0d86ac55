package autograd

import (
	"math"

	"nabla/internal/kernel"
)

// IsZero reports whether t is the zero Tensor, which holds no numbers and has
// no shape.
func (t Tensor) IsZero() bool { return t.shape == nil }

// IsZero reports whether x is the zero Value, which belongs to no graph.
func (x Value) IsZero() bool { return x.g == nil }

// IsZero reports whether gr are the zero Gradients: of no pass, and nothing was
// added.
func (gr Gradients) IsZero() bool { return gr.pass == nil && gr.sum == nil }

// Equal reports whether two tensors have the same precision, shape and numbers;
// NaN equals NaN, so that a tensor equals its copy. Zero Tensors are equal.
func (t Tensor) Equal(u Tensor) bool {
	return t.IsZero() && u.IsZero() || t.precision == u.precision && t.EqualWithin(u, 0)
}

// EqualWithin reports whether two tensors, of either precision, have the same
// shape and numbers that differ by at most tolerance; NaN equals NaN, and an
// infinity itself.
func (t Tensor) EqualWithin(u Tensor, tolerance float64) bool {
	if t.IsZero() || u.IsZero() {
		return t.IsZero() && u.IsZero()
	}
	t.check("EqualWithin")
	u.check("EqualWithin")
	if !t.sameShape(u) {
		return false
	}
	for i := range t.Size() {
		a, b := t.element(i), u.element(i)
		same := a == b || math.Abs(a-b) <= tolerance || math.IsNaN(a) && math.IsNaN(b)
		if !same {
			return false
		}
	}
	return true
}

// IsFinite reports whether no number is NaN or infinite.
func (t Tensor) IsFinite() bool {
	t.check("IsFinite")
	_, ok64 := kernel.IsFinite(t.f64())
	_, ok32 := kernel.IsFinite(t.f32())
	return ok64 && ok32
}

// ArgMax returns the index of the greatest number along an axis, as
// [Value.ArgMax] does, and panics as it does.
func (t Tensor) ArgMax(axis int) Ints {
	return NewGraph(Options{Precision: t.precision, NoGrad: true}).Constant(t).ArgMax(axis)
}

// T returns a copy with the last two axes swapped. It panics with an
// [*IndexError] if there are fewer than two.
func (t Tensor) T() Tensor {
	return NewGraph(Options{Precision: t.precision, NoGrad: true}).Constant(t).T().Tensor()
}
