package optim

import (
	"nabla/autograd"
	"nabla/internal/kernel"
)

// SGD is gradient descent: stochastic when the gradients come from
// mini-batches. In every step, for each parameter w with gradient g,
//
//	d = g + decay·w
//	velocity = momentum·velocity + (1−dampening)·d    (the first time: velocity = d)
//	w = w − rate·velocity                             (Nesterov: w − rate·(d + momentum·velocity))
//
// The velocity does not contain the rate: a new rate counts at once for all of
// it. The zero value of each field but the rate leaves its part out. The zero
// SGD makes steps of length 0.
type SGD struct {
	LearningRate float64 // finite and at least 0; it may change between steps
	Momentum     float64 // in [0, 1)
	Nesterov     bool    // look ahead along the velocity; needs Momentum and no Dampening
	Dampening    float64 // in [0, 1): the part of a gradient that does not enter the velocity
	WeightDecay  float64 // finite and at least 0
	Groups       []Group // Params with settings of their own

	memory
}

// NewSGD returns gradient descent without momentum and weight decay.
func NewSGD(rate float64) *SGD { return &SGD{LearningRate: rate} }

// Step makes one step, as [Optimizer] says. A step with a Momentum of 0 forgets
// the velocities.
//
// It panics with an *[autograd.ArgumentError] if a field is not as it must be,
// or Nesterov is set without Momentum or with Dampening, and with an
// *[autograd.ShapeError] for a parameter that has been replaced by one of
// another shape. No parameter is changed then.
func (o *SGD) Step(grads autograd.Gradients) {
	o.memory.step("optim: SGD", (*sgd)(o), grads, o.Momentum != 0, o.Groups, o.LearningRate, o.WeightDecay)
}

// sgd is the optimizer as a rule.
type sgd SGD

func (o *sgd) check(op string, _ autograd.Gradients) {
	checkFrom0(op, "LearningRate", o.LearningRate)
	checkBelow1(op, "Momentum", o.Momentum)
	checkBelow1(op, "Dampening", o.Dampening)
	checkFrom0(op, "WeightDecay", o.WeightDecay)
	if o.Nesterov && o.Momentum == 0 {
		panic(autograd.NewArgumentError(op, "Nesterov needs a Momentum above 0"))
	}
	if o.Nesterov && o.Dampening != 0 {
		panic(autograd.NewArgumentError(op, "Nesterov needs a Dampening of 0"))
	}
}

func (o *sgd) update(p *autograd.Param, g gradient, s *state, rate, decay float64) {
	v, first := none, true
	if s != nil {
		first = s.kept[velocity].isNone() && !g.byRows // a row's velocity starts at 0
		v = s.need(velocity, p)
	}
	k := kernel.Settings{Rate: rate, Decay: decay, Beta1: o.Momentum, A: 1 - o.Dampening, First: first, Nesterov: o.Nesterov}
	if s != nil && o.Dampening != 0 {
		apply(p.Writable(), g, v, none, none, k, kernel.DampenedSGD[float64], kernel.DampenedSGD[float32])
		return
	}
	w := p.Writable()
	if g.byRows {
		apply(w, g, v, none, none, k, kernel.SGDRule[float64], kernel.SGDRule[float32])
		return
	}
	if w.Precision() == autograd.Float32 {
		kernel.SGD(w.Raw32(), g.Raw32(), v.f32, rate, o.Momentum, decay, o.Nesterov, first)
	} else {
		kernel.SGD(w.Raw64(), g.Raw64(), v.f64, rate, o.Momentum, decay, o.Nesterov, first)
	}
}
