package optim

import (
	"math"

	"nabla/autograd"
	"nabla/internal/kernel"
)

// ClipValue limits every number of the Params' gradients to [−limit, limit], in
// place. A NaN stays NaN; an infinity becomes the limit. Gradients of
// variables, which no optimizer changes, stay as they are.
//
// A limit that is negative or NaN panics with an *[autograd.ArgumentError].
func ClipValue(grads autograd.Gradients, limit float64) {
	checkLimit("optim: ClipValue", limit)
	for _, g := range grads.Stored() {
		if g.Precision() == autograd.Float32 {
			kernel.Clamp.F32(g.Raw32(), g.Raw32(), -limit, limit)
		} else {
			kernel.Clamp.F64(g.Raw64(), g.Raw64(), -limit, limit)
		}
	}
}

// ClipNorm scales the Params' gradients, in place, so that their Euclidean
// norm, as one vector, is at most the limit. It returns the norm before
// scaling. Gradients of variables, which no optimizer changes, neither count
// nor change.
//
//	norm = √Σ g²,  g = g · limit/norm  where norm > limit
//
// A norm that is NaN or infinite leaves the gradients as they are: scaling
// would spread the NaN of one parameter to all the others. If that can happen,
// check the norm returned.
//
// A limit that is negative or NaN panics with an *[autograd.ArgumentError].
func ClipNorm(grads autograd.Gradients, limit float64) (norm float64) {
	checkLimit("optim: ClipNorm", limit)
	for _, g := range grads.Stored() {
		norm = autograd.JoinNorms(norm, g.Norm())
	}
	scaleTo(grads, norm, limit)
	return norm
}

// ClipPNorm is [ClipNorm] with another norm, of any p above 0: 1 adds up
// magnitudes, +Inf takes the largest.
//
//	norm = (Σ |g|ᵖ)^(1/p)
//
// It panics as ClipNorm does, and with an *[autograd.ArgumentError] for another
// p.
func ClipPNorm(grads autograd.Gradients, p, limit float64) (norm float64) {
	const op = "optim: ClipPNorm"
	checkLimit(op, limit)
	switch {
	case p == 2:
		return ClipNorm(grads, limit)
	case !(p > 0):
		panic(autograd.NewArgumentError(op, "p is %v, want a number above 0", p))
	}
	for _, g := range grads.Stored() {
		if g.Precision() == autograd.Float32 {
			norm = joinPNorms(norm, kernel.NormOf(g.Raw32(), p), p)
		} else {
			norm = joinPNorms(norm, kernel.NormOf(g.Raw64(), p), p)
		}
	}
	scaleTo(grads, norm, limit)
	return norm
}

// joinPNorms returns the norm of two vectors joined into one, from their norms,
// without overflow on the way.
func joinPNorms(a, b, p float64) float64 {
	small, large := min(a, b), max(a, b) // NaN if either is
	if math.IsInf(p, 1) || large == 0 || math.IsInf(large, 1) {
		return large
	}
	return large * math.Pow(1+math.Pow(small/large, p), 1/p)
}

// scaleTo scales the Params' gradients of a norm to a limit, if that is less.
func scaleTo(grads autograd.Gradients, norm, limit float64) {
	if !(norm > limit) || math.IsInf(norm, 1) {
		return
	}
	for _, g := range grads.Stored() {
		if g.Precision() == autograd.Float32 {
			kernel.Scale.F32(g.Raw32(), g.Raw32(), limit/norm, 0)
		} else {
			kernel.Scale.F64(g.Raw64(), g.Raw64(), limit/norm, 0)
		}
	}
}

func checkLimit(op string, limit float64) {
	if !(limit >= 0) {
		panic(autograd.NewArgumentError(op, "the limit is %v, want a number from 0 on", limit))
	}
}
