package optim

import (
	"math"

	"nabla/autograd"
	"nabla/internal/kernel"
)

// Lion steps by the rate in the direction of the sign of a mean: every number
// moves as far, and only one mean is remembered. In every step, for each
// parameter w with gradient g,
//
//	c = β₁·m + (1−β₁)·g
//	m = β₂·m + (1−β₂)·g
//	w = w − rate·decay·w − rate·sign(c)
//
// Rates are three to ten times lower than Adam's, and decays higher by as much.
// A zero in a field means zero: [NewLion] fills in the usual settings.
//
// Chen et al., Symbolic Discovery of Optimization Algorithms, 2023.
type Lion struct {
	LearningRate float64 // finite and at least 0; it may change between steps
	Beta1        float64 // how much of the mean is in a step, in [0, 1)
	Beta2        float64 // how much of the mean is kept, in [0, 1)
	WeightDecay  float64 // finite and at least 0
	Groups       []Group // Params with settings of their own

	memory
}

// NewLion returns Lion with β₁ = 0.9, β₂ = 0.99 and no weight decay.
func NewLion(rate float64) *Lion { return &Lion{LearningRate: rate, Beta1: 0.9, Beta2: 0.99} }

// Step makes one step, as [Optimizer] says. It panics as [Adam.Step] does.
func (o *Lion) Step(grads autograd.Gradients) {
	o.memory.step("optim: Lion", (*lion)(o), grads, true, o.Groups, o.LearningRate, o.WeightDecay)
}

// lion is the optimizer as a rule.
type lion Lion

func (o *lion) check(op string, _ autograd.Gradients) {
	checkFrom0(op, "LearningRate", o.LearningRate)
	checkBelow1(op, "Beta1", o.Beta1)
	checkBelow1(op, "Beta2", o.Beta2)
	checkFrom0(op, "WeightDecay", o.WeightDecay)
}

func (o *lion) update(p *autograd.Param, g gradient, s *state, rate, decay float64) {
	k := kernel.Settings{Rate: rate, Decay: decay, Beta1: o.Beta1, Beta2: o.Beta2}
	apply(p.Writable(), g, s.need(mean, p), none, none, k, kernel.Lion[float64], kernel.Lion[float32])
}

// LAMB is [AdamW] whose step for each Param is as long as the Param itself,
// times the rate: large batches bear large rates. In every step, for each
// parameter w, as one vector, with gradient g,
//
//	m = β₁·m + (1−β₁)·g
//	v = β₂·v + (1−β₂)·g²
//	u = m/(1−β₁ˢ) / (√(v/(1−β₂ˢ)) + ε) + decay·w
//	w = w − rate · ‖w‖/‖u‖ · u
//
// where s counts the steps made with this parameter, from 1, and ‖w‖/‖u‖ is 1
// if either is 0: what starts at 0, such as a bias, moves by the rate at first.
// Of a table whose gradient is kept by rows, both are the norms of these rows.
// A zero in a field means zero: [NewLAMB] fills in the usual settings. An
// Epsilon of 0 is refused: a parameter whose gradients were all 0 would become
// NaN.
//
// You et al., Large Batch Optimization for Deep Learning, 2020.
type LAMB struct {
	LearningRate float64 // finite and at least 0; it may change between steps
	Beta1        float64 // how much of the gradients' mean is kept, in [0, 1)
	Beta2        float64 // how much of the squares' mean is kept, in [0, 1)
	Epsilon      float64 // finite and above 0
	WeightDecay  float64 // finite and at least 0
	Groups       []Group // Params with settings of their own

	memory
}

// NewLAMB returns LAMB with β₁ = 0.9, β₂ = 0.999, ε = 1e-6 and a weight decay
// of 0.01.
func NewLAMB(rate float64) *LAMB {
	return &LAMB{LearningRate: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-6, WeightDecay: 0.01}
}

// Step makes one step, as [Optimizer] says. It panics as [Adam.Step] does.
func (o *LAMB) Step(grads autograd.Gradients) {
	o.memory.step("optim: LAMB", (*lamb)(o), grads, true, o.Groups, o.LearningRate, o.WeightDecay)
}

// lamb is the optimizer as a rule.
type lamb LAMB

func (o *lamb) check(op string, grads autograd.Gradients) {
	checkAdam(op, grads, o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay)
}

func (o *lamb) update(p *autograd.Param, g gradient, s *state, rate, decay float64) {
	k := kernel.Settings{Rate: rate, Decay: decay, Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon}
	k.A, k.B = 1-math.Pow(o.Beta1, float64(s.steps)), math.Sqrt(1-math.Pow(o.Beta2, float64(s.steps)))
	m, v, u := s.need(mean, p), s.need(square, p), s.need(direction, p)
	w := p.Writable()
	apply(w, g, m, v, u, k, kernel.LAMB[float64], kernel.LAMB[float32])
	var length, step float64
	switch {
	case !g.byRows:
		length, step = w.Norm(), u.norm()
	case w.Precision() == autograd.Float32:
		length, step = normOfRows(w.Raw32(), g), normOfRows(u.f32, g)
	default:
		length, step = normOfRows(w.Raw64(), g), normOfRows(u.f64, g)
	}
	if length > 0 && step > 0 {
		k.Rate *= length / step
	}
	apply(w, g, m, v, u, k, kernel.Along[float64], kernel.Along[float32])
}

// norm returns the Euclidean norm of the numbers.
func (n *numbers) norm() float64 {
	if n.f32 != nil {
		return kernel.NormOf(n.f32, 2)
	}
	return kernel.NormOf(n.f64, 2)
}

// normOfRows returns the Euclidean norm of the rows that a gradient has.
func normOfRows[T kernel.Float](x []T, g gradient) (norm float64) {
	width := g.Size() / max(len(g.ids), 1)
	for _, id := range g.ids {
		norm = autograd.JoinNorms(norm, kernel.NormOf(x[id*width:(id+1)*width], 2))
	}
	return norm
}
