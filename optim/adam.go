package optim

import (
	"math"

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
// where s counts the steps made with this parameter, from 1. With AMSGrad the
// greatest v so far stands in place of v, so that no step gets longer because
// large gradients were forgotten. A zero in a field
// means zero: [NewAdam] fills in the usual settings. An Epsilon of 0 is
// refused: a parameter whose gradients were all 0 would become NaN.
type Adam struct {
	LearningRate float64 // finite and at least 0; it may change between steps
	Beta1        float64 // how much of the gradients' mean is kept, in [0, 1)
	Beta2        float64 // how much of the squares' mean is kept, in [0, 1)
	Epsilon      float64 // finite and above 0
	WeightDecay  float64 // finite and at least 0; added to the gradient, see AdamW
	AMSGrad      bool    // divide by the greatest mean so far; off again forgets it
	Groups       []Group // Params with settings of their own

	memory
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
func (o *Adam) Step(grads autograd.Gradients) {
	o.memory.step("optim: Adam", (*adam)(o), grads, true, o.Groups, o.LearningRate, o.WeightDecay)
}

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
	AMSGrad      bool    // divide by the greatest mean so far; off again forgets it
	Groups       []Group // Params with settings of their own

	memory
}

// NewAdamW returns AdamW with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and a weight decay
// of 0.01.
func NewAdamW(rate float64) *AdamW {
	return &AdamW{LearningRate: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01}
}

// Step makes one step, as [Optimizer] says. It panics as [Adam.Step] does.
func (o *AdamW) Step(grads autograd.Gradients) {
	o.memory.step("optim: AdamW", (*adamW)(o), grads, true, o.Groups, o.LearningRate, o.WeightDecay)
}

// adam and adamW are the optimizers as rules.
type (
	adam  Adam
	adamW AdamW
)

func (o *adam) check(op string, grads autograd.Gradients) {
	checkAdam(op, grads, o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay)
}

func (o *adamW) check(op string, grads autograd.Gradients) {
	checkAdam(op, grads, o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay)
}

// checkAdam panics unless the settings that Adam and its kin have make sense.
func checkAdam(op string, grads autograd.Gradients, rate, beta1, beta2, epsilon, decay float64) {
	checkFrom0(op, "LearningRate", rate)
	checkBelow1(op, "Beta1", beta1)
	checkBelow1(op, "Beta2", beta2)
	checkFrom0(op, "WeightDecay", decay)
	checkEpsilon(op, epsilon, grads)
}

func (o *adam) update(p *autograd.Param, g gradient, s *state, rate, decay float64) {
	o.updateBy(p, g, s, rate, decay, false)
}

func (o *adamW) update(p *autograd.Param, g gradient, s *state, rate, decay float64) {
	(*adam)(o).updateBy(p, g, s, rate, decay, true)
}

func (o *adam) updateBy(p *autograd.Param, g gradient, s *state, rate, decay float64, decoupled bool) {
	m, v, w := s.need(mean, p), s.need(square, p), p.Writable()
	greatest := s.needIf(o.AMSGrad, most, p)
	switch {
	case o.AMSGrad, g.byRows:
		k := kernel.Settings{Rate: rate, Decay: decay, Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon, Decoupled: decoupled}
		k.A, k.B = 1-math.Pow(k.Beta1, float64(s.steps)), math.Sqrt(1-math.Pow(k.Beta2, float64(s.steps)))
		if o.AMSGrad {
			apply(w, g, m, v, greatest, k, kernel.AMSGrad[float64], kernel.AMSGrad[float32])
		} else {
			apply(w, g, m, v, none, k, kernel.AdamRule[float64], kernel.AdamRule[float32])
		}
	case w.Precision() == autograd.Float32:
		kernel.Adam(w.Raw32(), g.Raw32(), m.f32, v.f32, rate, o.Beta1, o.Beta2, o.Epsilon, decay, decoupled, s.steps)
	default:
		kernel.Adam(w.Raw64(), g.Raw64(), m.f64, v.f64, rate, o.Beta1, o.Beta2, o.Epsilon, decay, decoupled, s.steps)
	}
}
