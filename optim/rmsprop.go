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
	Groups       []Group // Params with settings of their own

	memory
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
	o.memory.step("optim: RMSProp", (*rmsProp)(o), grads, true, o.Groups, o.LearningRate, o.WeightDecay)
}

// rmsProp is the optimizer as a rule.
type rmsProp RMSProp

func (o *rmsProp) check(op string, grads autograd.Gradients) {
	checkFrom0(op, "LearningRate", o.LearningRate)
	checkBelow1(op, "Alpha", o.Alpha)
	checkBelow1(op, "Momentum", o.Momentum)
	checkFrom0(op, "WeightDecay", o.WeightDecay)
	checkEpsilon(op, o.Epsilon, grads)
}

func (o *rmsProp) update(p *autograd.Param, g gradient, s *state, rate, decay float64) {
	v, m, momentum := s.need(square, p), s.needIf(o.Centered, mean, p), s.needIf(o.Momentum != 0, velocity, p)
	w := p.Writable()
	if g.byRows {
		k := kernel.Settings{Rate: rate, Decay: decay, Beta1: o.Alpha, Beta2: o.Momentum, Epsilon: o.Epsilon}
		apply(w, g, v, m, momentum, k, kernel.RMSPropRule[float64], kernel.RMSPropRule[float32])
		return
	}
	if w.Precision() == autograd.Float32 {
		kernel.RMSProp(w.Raw32(), g.Raw32(), v.f32, m.f32, momentum.f32, rate, o.Alpha, o.Epsilon, o.Momentum, decay)
	} else {
		kernel.RMSProp(w.Raw64(), g.Raw64(), v.f64, m.f64, momentum.f64, rate, o.Alpha, o.Epsilon, o.Momentum, decay)
	}
}
