package optim

import (
	"nabla/autograd"
	"nabla/internal/kernel"
)

// RMSProp divides each gradient by the root of the running mean of its squares.
// In every step, for each parameter w with gradient g,
//
//	g = g + decay·w
//	v = α·v + (1−α)·g²
//	d = g / (√v + ε)                            (centered: √(v − m²) + ε, with m = α·m + (1−α)·g)
//	velocity = momentum·velocity + d
//	w = w − rate·velocity
//
// A zero in a field means zero: [NewRMSProp] fills in the usual settings. An
// Epsilon of 0 is refused: a parameter whose gradients were all 0 would become
// NaN.
type RMSProp struct {
	LearningRate float64 // finite and at least 0; it may change between steps
	Alpha        float64 // how much of the squares' mean is kept, in [0, 1)
	Epsilon      float64 // finite and above 0
	Momentum     float64 // in [0, 1)
	WeightDecay  float64 // finite and at least 0
	Centered     bool    // divide by the standard deviation of the gradients

	states states
}

// NewRMSProp returns RMSProp with α = 0.99, ε = 1e-8, not centered, without
// momentum and weight decay.
func NewRMSProp(rate float64) *RMSProp {
	return &RMSProp{LearningRate: rate, Alpha: 0.99, Epsilon: 1e-8}
}

// Step makes one step, as [Optimizer] says. Setting Momentum back to 0 forgets
// the velocity, and switching Centered off the mean.
//
// It panics with an *[autograd.ArgumentError] if a field is not as it must
// be, and with an *[autograd.ShapeError] for a parameter that has been replaced
// by one of another shape. No parameter is changed then.
func (o *RMSProp) Step(grads autograd.Gradients) {
	o.check(grads)
	o.states.prepare(opRMSProp, grads)
	for p, g := range grads.All() {
		s, w := o.states.of(p), p.Writable()
		s.square.need(p)
		s.mean.needIf(o.Centered, p)
		s.velocity.needIf(o.Momentum != 0, p)
		if w.Precision() == autograd.Float32 {
			kernel.RMSProp(w.Raw32(), g.Raw32(), s.square.f32, s.mean.f32, s.velocity.f32,
				o.LearningRate, o.Alpha, o.Epsilon, o.Momentum, o.WeightDecay)
		} else {
			kernel.RMSProp(w.Raw64(), g.Raw64(), s.square.f64, s.mean.f64, s.velocity.f64,
				o.LearningRate, o.Alpha, o.Epsilon, o.Momentum, o.WeightDecay)
		}
	}
}

const opRMSProp = "optim: RMSProp"

func (o *RMSProp) check(grads autograd.Gradients) {
	checkFrom0(opRMSProp, "LearningRate", o.LearningRate)
	checkBelow1(opRMSProp, "Alpha", o.Alpha)
	checkBelow1(opRMSProp, "Momentum", o.Momentum)
	checkFrom0(opRMSProp, "WeightDecay", o.WeightDecay)
	checkEpsilon(opRMSProp, o.Epsilon, grads)
}
