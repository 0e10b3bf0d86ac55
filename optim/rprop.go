package optim

import (
	"math"

	"nabla/autograd"
	"nabla/internal/kernel"
)

// Rprop looks at the signs of the gradients alone: every number has a step size
// of its own, which grows while its gradient keeps its sign and shrinks when it
// changes. It is for gradients of all rows: those of mini-batches change their
// signs by chance. In every step, for each number w with gradient g,
//
//	size = size·up      where g has the sign of the last one
//	size = size·down    where it has the other one; then g counts as 0
//	w = w − size·sign(g)
//
// with sizes between MinStep and MaxStep. The first step has the LearningRate
// as size, within the same bounds; what is set later counts for Params that
// make their first step. There is no weight decay. A zero in a field means
// zero: [NewRprop] fills in the usual settings.
type Rprop struct {
	LearningRate float64 // the size of the first step, finite and at least 0
	Down         float64 // in (0, 1)
	Up           float64 // finite and above 1
	MinStep      float64 // finite and at least 0
	MaxStep      float64 // finite and at least MinStep
	Groups       []Group // Params with settings of their own

	memory
}

// NewRprop returns Rprop with the factors 0.5 and 1.2, and steps between 1e-6
// and 50.
func NewRprop(rate float64) *Rprop {
	return &Rprop{LearningRate: rate, Down: 0.5, Up: 1.2, MinStep: 1e-6, MaxStep: 50}
}

// Step makes one step, as [Optimizer] says. It panics as [Adam.Step] does, and
// with an *[autograd.ArgumentError] for a group with a weight decay.
func (o *Rprop) Step(grads autograd.Gradients) {
	o.memory.step("optim: Rprop", (*rprop)(o), grads, true, o.Groups, o.LearningRate, 0)
}

// rprop is the optimizer as a rule.
type rprop Rprop

func (o *rprop) check(op string, _ autograd.Gradients) {
	checkFrom0(op, "LearningRate", o.LearningRate)
	if !(o.Down > 0 && o.Down < 1) {
		panic(autograd.NewArgumentError(op, "Down is %v, want a number in (0, 1): optim.NewRprop fills in the usual settings", o.Down))
	}
	if !(o.Up > 1) || math.IsInf(o.Up, 1) {
		panic(autograd.NewArgumentError(op, "Up is %v, want a finite number above 1", o.Up))
	}
	checkFrom0(op, "MinStep", o.MinStep)
	checkFrom0(op, "MaxStep", o.MaxStep)
	if o.MaxStep < o.MinStep {
		panic(autograd.NewArgumentError(op, "MaxStep is %v, below a MinStep of %v", o.MaxStep, o.MinStep))
	}
	for i, g := range o.Groups {
		if g.WeightDecay.how != 0 {
			panic(autograd.NewArgumentError(op, "group %d, %q: there is no weight decay", i, g.Params))
		}
	}
}

func (o *rprop) update(p *autograd.Param, g gradient, s *state, rate, _ float64) {
	sizes := s.need(size, p)
	if s.steps == 1 {
		sizes.fill(rate)
	}
	k := kernel.Settings{A: o.Down, B: o.Up, Beta1: o.MinStep, Beta2: o.MaxStep}
	apply(p.Writable(), g, s.need(last, p), sizes, none, k, kernel.Rprop[float64], kernel.Rprop[float32])
}
