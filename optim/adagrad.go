package optim

import (
	"math"

	"nabla/autograd"
	"nabla/internal/kernel"
)

// Adagrad divides each gradient by the root of the sum of all its squares so
// far: rare features take larger steps, and all steps get shorter. In every
// step, for each parameter w with gradient g,
//
//	g = g + decay·w
//	v = v + g²                                  (at first: the InitialSum)
//	w = w − rate/(1 + (s−1)·rateDecay) · g / (√v + ε)
//
// where s counts the steps made with this parameter, from 1. A zero in a field
// means zero: [NewAdagrad] fills in the usual settings. An Epsilon of 0 is
// refused: a parameter whose gradients were all 0 would become NaN.
type Adagrad struct {
	LearningRate float64 // finite and at least 0; it may change between steps
	RateDecay    float64 // finite and at least 0
	InitialSum   float64 // finite and at least 0; counts at a Param's first step
	Epsilon      float64 // finite and above 0
	WeightDecay  float64 // finite and at least 0
	Groups       []Group // Params with settings of their own

	memory
}

// NewAdagrad returns Adagrad with ε = 1e-10, and all else 0.
func NewAdagrad(rate float64) *Adagrad { return &Adagrad{LearningRate: rate, Epsilon: 1e-10} }

// Step makes one step, as [Optimizer] says. It panics as [Adam.Step] does.
func (o *Adagrad) Step(grads autograd.Gradients) {
	o.memory.step("optim: Adagrad", (*adagrad)(o), grads, true, o.Groups, o.LearningRate, o.WeightDecay)
}

// adagrad is the optimizer as a rule.
type adagrad Adagrad

func (o *adagrad) check(op string, grads autograd.Gradients) {
	checkFrom0(op, "LearningRate", o.LearningRate)
	checkFrom0(op, "RateDecay", o.RateDecay)
	checkFrom0(op, "InitialSum", o.InitialSum)
	checkFrom0(op, "WeightDecay", o.WeightDecay)
	checkEpsilon(op, o.Epsilon, grads)
}

func (o *adagrad) update(p *autograd.Param, g gradient, s *state, rate, decay float64) {
	sum := s.need(square, p)
	if s.steps == 1 {
		sum.fill(o.InitialSum)
	}
	k := kernel.Settings{Rate: rate / (1 + float64(s.steps-1)*o.RateDecay), Decay: decay, Epsilon: o.Epsilon}
	apply(p.Writable(), g, sum, none, none, k, kernel.Adagrad[float64], kernel.Adagrad[float32])
}

// Adadelta measures gradients by the root of the running mean of their squares,
// and goes on in units of its own updates: without a rate to choose. In every
// step, for each parameter w with gradient g,
//
//	g = g + decay·w
//	v = ρ·v + (1−ρ)·g²
//	u = √(x + ε) / √(v + ε) · g
//	x = ρ·x + (1−ρ)·u²
//	w = w − rate·u
//
// A zero in a field means zero: [NewAdadelta] fills in the usual settings. An
// Epsilon of 0 is refused: no first step would go anywhere.
type Adadelta struct {
	LearningRate float64 // finite and at least 0; it may change between steps
	Rho          float64 // how much of the means is kept, in [0, 1)
	Epsilon      float64 // finite and above 0
	WeightDecay  float64 // finite and at least 0
	Groups       []Group // Params with settings of their own

	memory
}

// NewAdadelta returns Adadelta with ρ = 0.9, ε = 1e-6 and no weight decay. The
// paper's rate is 1.
func NewAdadelta(rate float64) *Adadelta {
	return &Adadelta{LearningRate: rate, Rho: 0.9, Epsilon: 1e-6}
}

// Step makes one step, as [Optimizer] says. It panics as [Adam.Step] does.
func (o *Adadelta) Step(grads autograd.Gradients) {
	o.memory.step("optim: Adadelta", (*adadelta)(o), grads, true, o.Groups, o.LearningRate, o.WeightDecay)
}

// adadelta is the optimizer as a rule.
type adadelta Adadelta

func (o *adadelta) check(op string, grads autograd.Gradients) {
	checkFrom0(op, "LearningRate", o.LearningRate)
	checkBelow1(op, "Rho", o.Rho)
	checkFrom0(op, "WeightDecay", o.WeightDecay)
	checkEpsilon(op, o.Epsilon, grads)
}

func (o *adadelta) update(p *autograd.Param, g gradient, s *state, rate, decay float64) {
	k := kernel.Settings{Rate: rate, Decay: decay, Beta1: o.Rho, Epsilon: o.Epsilon}
	apply(p.Writable(), g, s.need(square, p), s.need(change, p), none, k, kernel.Adadelta[float64], kernel.Adadelta[float32])
}

// Adamax is [Adam] that divides by the largest gradient of late in place of a
// root of squares. In every step, for each parameter w with gradient g,
//
//	g = g + decay·w
//	m = β₁·m + (1−β₁)·g
//	u = max(β₂·u, |g| + ε)
//	w = w − rate/(1−β₁ˢ) · m/u
//
// where s counts the steps made with this parameter, from 1. A zero in a field
// means zero: [NewAdamax] fills in the usual settings. An Epsilon of 0 is
// refused: a parameter whose gradients were all 0 would become NaN.
type Adamax struct {
	LearningRate float64 // finite and at least 0; it may change between steps
	Beta1        float64 // how much of the gradients' mean is kept, in [0, 1)
	Beta2        float64 // how much of the largest gradient is kept, in [0, 1)
	Epsilon      float64 // finite and above 0
	WeightDecay  float64 // finite and at least 0
	Groups       []Group // Params with settings of their own

	memory
}

// NewAdamax returns Adamax with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and no weight
// decay. PyTorch's rate is 0.002.
func NewAdamax(rate float64) *Adamax {
	return &Adamax{LearningRate: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
}

// Step makes one step, as [Optimizer] says. It panics as [Adam.Step] does.
func (o *Adamax) Step(grads autograd.Gradients) {
	o.memory.step("optim: Adamax", (*adamax)(o), grads, true, o.Groups, o.LearningRate, o.WeightDecay)
}

// adamax is the optimizer as a rule.
type adamax Adamax

func (o *adamax) check(op string, grads autograd.Gradients) {
	checkAdam(op, grads, o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay)
}

func (o *adamax) update(p *autograd.Param, g gradient, s *state, rate, decay float64) {
	k := kernel.Settings{Rate: rate, Decay: decay, Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon}
	k.A = 1 - math.Pow(o.Beta1, float64(s.steps))
	apply(p.Writable(), g, s.need(mean, p), s.need(most, p), none, k, kernel.Adamax[float64], kernel.Adamax[float32])
}
