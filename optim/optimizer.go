package optim

import (
	"math"
	"strings"

	"nabla/autograd"
	"nabla/internal/kernel"
	"nabla/internal/weakmap"
)

// An Optimizer changes parameters by their gradients.
type Optimizer interface {
	// Step makes one step with every Param that the gradients reached, in the
	// order of first use. Other Params keep their values, and the optimizer
	// keeps what it remembers of them; so it does with the other rows of a
	// Param whose gradient is kept by rows, see [autograd.Gradients.Rows]. It
	// also applies what the recording observed of running statistics, by
	// [autograd.Gradients.UpdateStatistics]: so must an optimizer of your own.
	Step(grads autograd.Gradients)
}

// A rule is an optimizer as [memory.step] sees it.
type rule interface {
	// check panics unless the settings make sense.
	check(op string, grads autograd.Gradients)
	// update changes one Param, with the rate and decay of its group. The
	// state, nil if the optimizer remembers nothing, has counted this step.
	update(p *autograd.Param, g gradient, s *state, rate, decay float64)
}

// A memory is what an optimizer keeps between steps: the states of the Params,
// and which group each belongs to. They go with their Params: one optimizer may
// serve many models, one after the other.
type memory struct {
	states weakmap.Map[autograd.Param, *state]
	groups matcher
}

// step makes one step by a rule. Whatever panics does so before the first Param
// is changed. A rule that remembers nothing of the Params also forgets what it
// did before.
func (m *memory) step(op string, r rule, grads autograd.Gradients, remembers bool, groups []Group, rate, decay float64) {
	r.check(op, grads)
	m.groups.prepare(op, groups, grads, rate, decay)
	if remembers {
		m.prepare(op, grads)
	} else {
		m.states = weakmap.Map[autograd.Param, *state]{}
		checkGradients(op, grads)
	}
	grads.UpdateStatistics()
	for p, g := range grads.Stored() {
		rate, decay, frozen := rate, decay, false
		if len(groups) > 0 {
			rate, decay, frozen = m.groups.settings(p, rate, decay)
		}
		if frozen {
			continue
		}
		var s *state
		if remembers {
			s = m.of(p)
			s.steps++
		}
		r.update(p, gradientOf(grads, p, g), s, rate, decay)
	}
}

// of returns the state of a Param that has been prepared.
func (m *memory) of(p *autograd.Param) *state {
	known, _ := m.states.Get(p)
	return known
}

// A state is what an optimizer remembers of one Param: all that a checkpoint
// has to keep.
type state struct {
	shape     []int // of the Param, when it was first updated
	precision autograd.Precision
	steps     int     // made with this Param
	product   float64 // of NAdam's momenta so far; 0 before the first step
	kept      [kinds]numbers
}

// A kind is what numbers are remembered of a Param for. An optimizer uses some
// kinds.
type kind int

const (
	mean      kind = iota // the running mean of the gradients
	square                // the running mean, or sum, of their squares
	most                  // the greatest square or gradient so far
	velocity              // what momentum goes on with
	change                // the running mean of the squares of the updates
	last                  // the last gradient
	size                  // the step sizes
	direction             // of the step being made: not remembered
	kinds
)

// numbers are one for each of a Param's, in its precision, or nil as long as
// they are not needed.
type numbers struct {
	f64 []float64
	f32 []float32
}

// isNone reports whether there are no numbers.
func (n *numbers) isNone() bool { return n.f64 == nil && n.f32 == nil }

// A gradient is what a step knows of one Param: the gradients of all its
// numbers or, of a table of which some rows were looked up, those of the rows.
type gradient struct {
	autograd.Tensor
	byRows bool
	ids    []int // of the rows, ascending
}

// gradientOf returns the gradient of a Param that is stored as t.
func gradientOf(grads autograd.Gradients, p *autograd.Param, t autograd.Tensor) gradient {
	ids, _, byRows := grads.Rows(p)
	return gradient{t, byRows, ids.Values()}
}

// prepare makes a state for every Param of the gradients. It checks all of
// them, so that a step that panics has changed none.
func (m *memory) prepare(op string, grads autograd.Gradients) {
	checkGradients(op, grads)
	for p := range grads.Stored() {
		if known := m.of(p); known != nil {
			known.check(op, p)
		} else {
			m.states.Set(p, &state{shape: p.Shape(), precision: p.Precision()})
		}
	}
}

// checkGradients panics unless each gradient fits its Param: the Param may have
// been replaced behind its pointer since.
func checkGradients(op string, grads autograd.Gradients) {
	if !grads.MayNotFit() {
		return
	}
	for p, g := range grads.Stored() {
		checkGradient(op, p, gradientOf(grads, p, g))
	}
}

// checkGradient panics unless g can be a gradient of p.
func checkGradient(op string, p *autograd.Param, g gradient) {
	fits := g.Rank() == p.Rank()
	for axis := 0; fits && axis < g.Rank(); axis++ {
		if axis == 0 && g.byRows {
			fits = len(g.ids) == 0 || g.ids[len(g.ids)-1] < p.Dim(0)
		} else {
			fits = g.Dim(axis) == p.Dim(axis)
		}
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
	if p.Precision() != s.precision {
		panic(autograd.NewArgumentError(op, "parameter %s has changed its precision to %v", p.Name(), p.Precision()))
	}
}

// need makes room for one number of a kind per element of p, which starts at 0,
// and returns it.
func (s *state) need(k kind, p *autograd.Param) *numbers {
	n := &s.kept[k]
	switch {
	case !n.isNone():
	case p.Precision() == autograd.Float32:
		n.f32 = make([]float32, p.Size())
	default:
		n.f64 = make([]float64, p.Size())
	}
	return n
}

// needIf is need if the numbers are wanted. Otherwise it forgets them: a
// setting that is switched off and on again starts anew.
func (s *state) needIf(wanted bool, k kind, p *autograd.Param) *numbers {
	if !wanted {
		s.kept[k] = numbers{}
		return &s.kept[k]
	}
	return s.need(k, p)
}

// fill sets all numbers to v.
func (n *numbers) fill(v float64) {
	kernel.Fill(n.f64, v)
	kernel.Fill(n.f32, float32(v))
}

// apply updates the numbers of a Param, or its rows that the gradient has, by a
// rule of the kernels, in its precision, with numbers that are remembered of
// it.
func apply(w autograd.Tensor, g gradient, a, b, c *numbers, k kernel.Settings, f64 kernel.Rule[float64], f32 kernel.Rule[float32]) {
	if w.Precision() == autograd.Float32 {
		applyTo(w.Raw32(), g.Raw32(), g, [3][]float32{a.f32, b.f32, c.f32}, k, f32)
	} else {
		applyTo(w.Raw64(), g.Raw64(), g, [3][]float64{a.f64, b.f64, c.f64}, k, f64)
	}
}

func applyTo[T kernel.Float](w, numbers []T, g gradient, s [3][]T, k kernel.Settings, f kernel.Rule[T]) {
	if g.byRows {
		kernel.UpdateRows(f, w, numbers, s, k, g.ids)
	} else {
		kernel.Update(f, w, numbers, s, k)
	}
}

// none are the numbers that a rule does not have.
var none = &numbers{}

// checkFrom0 panics unless the setting is a finite number that is not negative.
func checkFrom0(op, name string, v float64) {
	if !isFrom0(v) {
		panic(autograd.NewArgumentError(op, "%s is %v, want a finite number from 0 on", name, v))
	}
}

func isFrom0(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }

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
	for p := range grads.Stored() {
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
