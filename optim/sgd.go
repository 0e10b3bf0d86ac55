package optim

import (
	"nabla/autograd"
	"nabla/internal/kernel"
)

// SGD is gradient descent: stochastic when the gradients come from
// mini-batches. In every step, for each parameter w with gradient g,
//
//	d = g + decay·w
//	velocity = momentum·velocity + d            (velocity = d at the parameter's first step)
//	w = w − rate·velocity                       (Nesterov: w − rate·(d + momentum·velocity))
//
// The velocity does not contain the rate: a new rate counts at once for all of
// it. The zero value of each field but the rate leaves its part out. The zero
// SGD makes steps of length 0.
type SGD struct {
	LearningRate float64 // finite and at least 0; it may change between steps
	Momentum     float64 // in [0, 1)
	Nesterov     bool    // look ahead along the velocity; needs Momentum
	WeightDecay  float64 // finite and at least 0

	states states
}

// NewSGD returns gradient descent without momentum and weight decay.
func NewSGD(rate float64) *SGD { return &SGD{LearningRate: rate} }

// Step makes one step, as [Optimizer] says. A step with a Momentum of 0 forgets
// the velocities.
//
// It panics with an *[autograd.ArgumentError] if a field is not as it must
// be, or Nesterov is set without Momentum, and with an *[autograd.ShapeError]
// for a parameter that has been replaced by one of another shape. No parameter
// is changed then.
func (o *SGD) Step(grads autograd.Gradients) {
	o.check()
	if o.Momentum == 0 {
		o.states = states{}
		checkGradients(opSGD, grads)
		grads.UpdateStatistics()
	} else {
		o.states.prepare(opSGD, grads)
	}
	for p, g := range grads.All() {
		var velocity numbers
		first := true
		if o.Momentum != 0 {
			velocity, first = o.velocity(p)
		}
		w := p.Writable()
		if w.Precision() == autograd.Float32 {
			kernel.SGD(w.Raw32(), g.Raw32(), velocity.f32, o.LearningRate, o.Momentum, o.WeightDecay, o.Nesterov, first)
		} else {
			kernel.SGD(w.Raw64(), g.Raw64(), velocity.f64, o.LearningRate, o.Momentum, o.WeightDecay, o.Nesterov, first)
		}
	}
}

// velocity returns the velocity of p, and whether it has none yet.
func (o *SGD) velocity(p *autograd.Param) (velocity numbers, first bool) {
	v := &o.states.of(p).velocity
	first = v.f64 == nil && v.f32 == nil
	v.need(p)
	return *v, first
}

const opSGD = "optim: SGD"

func (o *SGD) check() {
	checkFrom0(opSGD, "LearningRate", o.LearningRate)
	checkBelow1(opSGD, "Momentum", o.Momentum)
	checkFrom0(opSGD, "WeightDecay", o.WeightDecay)
	if o.Nesterov && o.Momentum == 0 {
		panic(autograd.NewArgumentError(opSGD, "Nesterov needs a Momentum above 0"))
	}
}
