package optim

import (
	"math"

	"nabla/autograd"
	"nabla/internal/kernel"
)

// NAdam is [Adam] with Nesterov's momentum: a step looks ahead along the mean.
// The momentum itself grows to β₁ over the first steps. In every step, for each
// parameter w with gradient g,
//
//	g = g + decay·w                             (Decoupled: w = w − rate·decay·w)
//	μₛ = β₁·(1 − ½·0.96^(s·momentumDecay))
//	m = β₁·m + (1−β₁)·g
//	v = β₂·v + (1−β₂)·g²
//	d = (1−μₛ)/(1−μ₁…μₛ)·g + μₛ₊₁/(1−μ₁…μₛ₊₁)·m
//	w = w − rate·d / (√(v/(1−β₂ˢ)) + ε)
//
// where s counts the steps made with this parameter, from 1. PyTorch before
// 2.0 computed something else. A zero in a field means zero: [NewNAdam] fills
// in the usual settings. An Epsilon of 0 is refused: a parameter whose
// gradients were all 0 would become NaN.
type NAdam struct {
	LearningRate  float64 // finite and at least 0; it may change between steps
	Beta1         float64 // how much of the gradients' mean is kept, in [0, 1)
	Beta2         float64 // how much of the squares' mean is kept, in [0, 1)
	Epsilon       float64 // finite and above 0
	MomentumDecay float64 // finite and at least 0; with 0 the momentum is always ½·β₁
	WeightDecay   float64 // finite and at least 0
	Decoupled     bool    // the decay shrinks the parameter, as in AdamW
	Groups        []Group // Params with settings of their own

	memory
}

// NewNAdam returns NAdam with β₁ = 0.9, β₂ = 0.999, ε = 1e-8, a momentum decay
// of 0.004 and no weight decay. PyTorch's rate is 0.002.
func NewNAdam(rate float64) *NAdam {
	return &NAdam{LearningRate: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, MomentumDecay: 0.004}
}

// Step makes one step, as [Optimizer] says. It panics as [Adam.Step] does.
func (o *NAdam) Step(grads autograd.Gradients) {
	o.memory.step("optim: NAdam", (*nadam)(o), grads, true, o.Groups, o.LearningRate, o.WeightDecay)
}

// nadam is the optimizer as a rule.
type nadam NAdam

func (o *nadam) check(op string, grads autograd.Gradients) {
	checkAdam(op, grads, o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay)
	checkFrom0(op, "MomentumDecay", o.MomentumDecay)
}

func (o *nadam) update(p *autograd.Param, g gradient, s *state, rate, decay float64) {
	if s.steps == 1 {
		s.product = 1
	}
	momentum, next := o.momentum(s.steps), o.momentum(s.steps+1)
	s.product *= momentum
	k := kernel.Settings{Rate: rate, Decay: decay, Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon, Decoupled: o.Decoupled}
	k.A, k.B = rate*(1-momentum)/(1-s.product), rate*next/(1-s.product*next)
	k.C = math.Sqrt(1 - math.Pow(o.Beta2, float64(s.steps)))
	apply(p.Writable(), g, s.need(mean, p), s.need(square, p), none, k, kernel.NAdam[float64], kernel.NAdam[float32])
}

// momentum returns μ of a step.
func (o *nadam) momentum(step int) float64 {
	return o.Beta1 * (1 - 0.5*math.Pow(0.96, float64(step)*o.MomentumDecay))
}

// RAdam is [Adam] that warms up by itself: it does not divide by the root of
// the squares' mean before that is known well enough, from the sixth step on
// with the usual settings, and then goes less far while it is known little. In
// every step, for each parameter w with gradient g,
//
//	g = g + decay·w                             (Decoupled: w = w − rate·decay·w)
//	m = β₁·m + (1−β₁)·g
//	v = β₂·v + (1−β₂)·g²
//	ρ∞ = 2/(1−β₂) − 1,  ρ = ρ∞ − 2s·β₂ˢ/(1−β₂ˢ)
//	r = √((ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ))
//	w = w − rate · m/(1−β₁ˢ) · r·√(1−β₂ˢ) / (√v + ε)    where ρ > 5
//	w = w − rate · m/(1−β₁ˢ)                            before
//
// where s counts the steps made with this parameter, from 1. Note that ε stands
// beside a root that is not corrected, as in PyTorch. A zero in a field means
// zero: [NewRAdam] fills in the usual settings. An Epsilon of 0 is refused: a
// parameter whose gradients were all 0 would become NaN.
type RAdam struct {
	LearningRate float64 // finite and at least 0; it may change between steps
	Beta1        float64 // how much of the gradients' mean is kept, in [0, 1)
	Beta2        float64 // how much of the squares' mean is kept, in [0, 1)
	Epsilon      float64 // finite and above 0
	WeightDecay  float64 // finite and at least 0
	Decoupled    bool    // the decay shrinks the parameter, as in AdamW
	Groups       []Group // Params with settings of their own

	memory
}

// NewRAdam returns RAdam with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and no weight
// decay.
func NewRAdam(rate float64) *RAdam {
	return &RAdam{LearningRate: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
}

// Step makes one step, as [Optimizer] says. It panics as [Adam.Step] does.
func (o *RAdam) Step(grads autograd.Gradients) {
	o.memory.step("optim: RAdam", (*radam)(o), grads, true, o.Groups, o.LearningRate, o.WeightDecay)
}

// radam is the optimizer as a rule.
type radam RAdam

func (o *radam) check(op string, grads autograd.Gradients) {
	checkAdam(op, grads, o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay)
}

func (o *radam) update(p *autograd.Param, g gradient, s *state, rate, decay float64) {
	k := kernel.Settings{Rate: rate, Decay: decay, Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon, Decoupled: o.Decoupled}
	step := float64(s.steps)
	left := math.Pow(o.Beta2, step)
	k.A = 1 - math.Pow(o.Beta1, step)
	end := 2/(1-o.Beta2) - 1
	if rho := end - 2*step*left/(1-left); rho > 5 {
		k.B = math.Sqrt((rho-4)*(rho-2)*end/((end-4)*(end-2)*rho)) * math.Sqrt(1-left)
	}
	apply(p.Writable(), g, s.need(mean, p), s.need(square, p), none, k, kernel.RAdam[float64], kernel.RAdam[float32])
}
