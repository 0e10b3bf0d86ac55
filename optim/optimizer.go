package optim

import (
	"math"
	"strings"

	"nabla/autograd"
	"nabla/internal/weakmap"
)

// An Optimizer changes parameters by their gradients.
type Optimizer interface {
	// Step makes one step with every Param that the gradients reached, in the
	// order of first use. Other Params keep their values, and the optimizer
	// keeps what it remembers of them. It also applies what the recording
	// observed of running statistics, by [autograd.Gradients.UpdateStatistics]:
	// so must an optimizer of your own.
	Step(grads autograd.Gradients)
}

// states are what an optimizer remembers of each Param between steps. They go
// with their Params: one optimizer may serve many models, one after the other.
type states struct {
	byParam weakmap.Map[autograd.Param, *state]
}

// of returns the state of a Param that has been prepared.
func (s *states) of(p *autograd.Param) *state {
	known, _ := s.byParam.Get(p)
	return known
}

// A state is what an optimizer remembers of one Param.
type state struct {
	shape    []int // of the Param, when it was first updated
	steps    int   // made with this Param
	mean     numbers
	square   numbers
	velocity numbers
}

// numbers are one for each of a Param's, in its precision, or nil as long as
// they are not needed.
type numbers struct {
	f64 []float64
	f32 []float32
}

// prepare makes a state for every Param of the gradients. It checks all of
// them, so that a step that panics has changed none. Then it moves the running
// statistics, with which every step begins.
func (s *states) prepare(op string, grads autograd.Gradients) {
	checkGradients(op, grads)
	for p := range grads.All() {
		if known := s.of(p); known != nil {
			known.check(op, p)
		} else {
			s.byParam.Set(p, &state{shape: p.Shape()})
		}
	}
	grads.UpdateStatistics()
}

// checkGradients panics unless each gradient fits its Param: the Param may have
// been replaced behind its pointer since.
func checkGradients(op string, grads autograd.Gradients) {
	if !grads.MayNotFit() {
		return
	}
	for p, g := range grads.All() {
		checkGradient(op, p, g)
	}
}

// checkGradient panics unless g can be a gradient of p.
func checkGradient(op string, p *autograd.Param, g autograd.Tensor) {
	fits := g.Rank() == p.Rank()
	for axis := 0; fits && axis < g.Rank(); axis++ {
		fits = g.Dim(axis) == p.Dim(axis)
	}
	if !fits {
		panic(autograd.NewShapeError(op, "the gradient of "+p.Name()+" has another shape than the parameter", g.Shape(), p.Shape()))
	}
	if g.Precision() != p.Precision() {
		panic(autograd.NewArgumentError(op, "the gradient of %s is %v, the parameter %v", p.Name(), g.Precision(), p.Precision()))
	}
}

// check panics unless p still has the shape and precision that s was made for.
func (s *state) check(op string, p *autograd.Param) {
	fits := len(s.shape) == p.Rank()
	for axis := 0; fits && axis < len(s.shape); axis++ {
		fits = s.shape[axis] == p.Dim(axis)
	}
	if !fits {
		panic(autograd.NewShapeError(op, "parameter "+p.Name()+" had another shape at its first step", s.shape, p.Shape()))
	}
	for _, n := range []*numbers{&s.mean, &s.square, &s.velocity} {
		if n.f64 != nil && p.Precision() != autograd.Float64 || n.f32 != nil && p.Precision() != autograd.Float32 {
			panic(autograd.NewArgumentError(op, "parameter %s has changed its precision to %v", p.Name(), p.Precision()))
		}
	}
}

// need makes room for one number per element of p, which starts at 0.
func (n *numbers) need(p *autograd.Param) {
	switch {
	case n.f64 != nil || n.f32 != nil:
	case p.Precision() == autograd.Float32:
		n.f32 = make([]float32, p.Size())
	default:
		n.f64 = make([]float64, p.Size())
	}
}

// needIf is need if the numbers are wanted. Otherwise it forgets them: a
// setting that is switched off and on again starts anew.
func (n *numbers) needIf(wanted bool, p *autograd.Param) {
	if !wanted {
		*n = numbers{}
		return
	}
	n.need(p)
}

// checkFrom0 panics unless the setting is a finite number that is not negative.
func checkFrom0(op, name string, v float64) {
	if !(v >= 0) || math.IsInf(v, 1) {
		panic(autograd.NewArgumentError(op, "%s is %v, want a finite number from 0 on", name, v))
	}
}

// checkEpsilon panics unless the setting keeps 0/0 away: it must be a finite
// number above 0, also when rounded to a Param's precision. A zero is what a
// literal leaves, so the error names what fills the field.
func checkEpsilon(op string, epsilon float64, grads autograd.Gradients) {
	if !(epsilon > 0) || math.IsInf(epsilon, 1) {
		constructor := "optim.New" + strings.TrimPrefix(op, "optim: ")
		panic(autograd.NewArgumentError(op, "Epsilon is %v, want a finite number above 0: %s fills in the usual settings", epsilon, constructor))
	}
	if float32(epsilon) > 0 {
		return
	}
	for p := range grads.All() {
		if p.Precision() == autograd.Float32 {
			panic(autograd.NewArgumentError(op, "Epsilon is %v, which is 0 in the precision of parameter %s", epsilon, p.Name()))
		}
	}
}

// checkBelow1 panics unless the setting is at least 0 and below 1.
func checkBelow1(op, name string, v float64) {
	if !(v >= 0 && v < 1) {
		panic(autograd.NewArgumentError(op, "%s is %v, want a number in [0, 1)", name, v))
	}
}
