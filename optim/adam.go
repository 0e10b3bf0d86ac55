package optim

import (
	"nabla/autograd"
	"nabla/internal/kernel"
)

// Adam divides running means of the gradients by the root of those of their
// squares, so that every parameter moves by about the rate, however large its
// gradients are. In every step, for each parameter w with gradient g,
//
//	g = g + decay·w
//	m = β₁·m + (1−β₁)·g
//	v = β₂·v + (1−β₂)·g²
//	w = w − rate · m/(1−β₁ˢ) / (√(v/(1−β₂ˢ)) + ε)
//
// where s counts the steps made with this parameter, from 1. A zero in a field
// means zero: [NewAdam] fills in the usual settings. An Epsilon of 0 is
// refused: a parameter whose gradients were all 0 would become NaN.
type Adam struct {
	LearningRate float64 // finite and at least 0; it may change between steps
	Beta1        float64 // how much of the gradients' mean is kept, in [0, 1)
	Beta2        float64 // how much of the squares' mean is kept, in [0, 1)
	Epsilon      float64 // finite and above 0
	WeightDecay  float64 // finite and at least 0; added to the gradient, see AdamW

	states states
}

// NewAdam returns Adam with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and no weight decay.
func NewAdam(rate float64) *Adam {
	return &Adam{LearningRate: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
}

// Step makes one step, as [Optimizer] says.
//
// It panics with an *[autograd.ArgumentError] if a field is not as it must be,
// and with an *[autograd.ShapeError] for a parameter that has been replaced by
// one of another shape. No parameter is changed then.
func (o *Adam) Step(grads autograd.Gradients) { o.step("optim: Adam", grads, false) }

// AdamW is [Adam] with decoupled weight decay: the decay shrinks the parameter
// itself and does not pass through the means.
//
//	w = w − rate·decay·w − rate · m/(1−β₁ˢ) / (√(v/(1−β₂ˢ)) + ε)
type AdamW struct {
	LearningRate float64 // finite and at least 0; it may change between steps
	Beta1        float64 // how much of the gradients' mean is kept, in [0, 1)
	Beta2        float64 // how much of the squares' mean is kept, in [0, 1)
	Epsilon      float64 // finite and above 0
	WeightDecay  float64 // finite and at least 0

	adam Adam
}

// NewAdamW returns AdamW with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and a weight decay
// of 0.01.
func NewAdamW(rate float64) *AdamW {
	return &AdamW{LearningRate: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01}
}

// Step makes one step, as [Optimizer] says. It panics as [Adam.Step] does.
func (o *AdamW) Step(grads autograd.Gradients) {
	o.adam = Adam{o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay, o.adam.states}
	o.adam.step("optim: AdamW", grads, true)
}

func (o *Adam) step(op string, grads autograd.Gradients, decoupled bool) {
	o.check(op, grads)
	o.states.prepare(op, grads)
	for p, g := range grads.All() {
		s, w := o.states.of(p), p.Writable()
		s.steps++
		s.mean.need(p)
		s.square.need(p)
		if w.Precision() == autograd.Float32 {
			kernel.Adam(w.Raw32(), g.Raw32(), s.mean.f32, s.square.f32,
				o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay, decoupled, s.steps)
		} else {
			kernel.Adam(w.Raw64(), g.Raw64(), s.mean.f64, s.square.f64,
				o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay, decoupled, s.steps)
		}
	}
}

func (o *Adam) check(op string, grads autograd.Gradients) {
	checkFrom0(op, "LearningRate", o.LearningRate)
	checkBelow1(op, "Beta1", o.Beta1)
	checkBelow1(op, "Beta2", o.Beta2)
	checkFrom0(op, "WeightDecay", o.WeightDecay)
	checkEpsilon(op, o.Epsilon, grads)
}
