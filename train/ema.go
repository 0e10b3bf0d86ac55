package train

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"maps"
	"math"
	"slices"

	"nabla/autograd"
	"nabla/internal/kernel"
)

// An EMA keeps the exponential moving average of parameters and statistics over
// the steps of a training (Polyak and Juditsky, 1992): often better than what
// the last steps left. It is a [Callback]:
//
//	average := &train.EMA{Decay: 0.999}
//	config.Callbacks = append(config.Callbacks, average)
//	history, err := train.Run(ctx, config, data)
//	…
//	average.Swap() // the model now has the average
//
// While it is among the Callbacks, metrics and validation are measured with the
// average. The training goes on with the parameters as they are, and leaves
// them in the model.
//
// After the first step the average is a copy, and after each further one
//
//	average = Decay·average + (1 − Decay)·parameter
//
// in the parameter's precision, as PyTorch has it. With Every it is the copy
// after step 1, moves at the steps 1 + Every, 1 + 2·Every, …, and forgets as
// much in the same time:
//
//	average = Decayᴱᵛᵉʳʸ·average + (1 − Decayᴱᵛᵉʳʸ)·parameter
//
// To move it is a pass over all parameters and averages: 4 to 6 % of a step of
// the 784-128-10 network with 64 rows, and less where more is computed with
// each parameter. With Every at 32, as PyTorch's recipes for images have it, it
// is a part of one percent. One EMA serves one training at a time.
type EMA struct {
	Decay float64 // in [0, 1), for each step; 0.999 forgets over some thousand steps
	Every int     // steps from one move to the next; 0: 1

	given   []*autograd.Param // what the training says that it changes
	params  []*autograd.Param // all that are averaged
	known   map[*autograd.Param]int
	average []autograd.Tensor
	own     []autograd.Tensor // of the parameters, while the averages stand in their place
	views   views
	waiting map[string]emaState // from SetState, of Params not seen yet
}

// OnBegin asks which parameters there are. Averages of a training that goes on
// may be measured before its next step.
func (e *EMA) OnBegin(t *Training) error {
	e.given = t.Params()
	for _, p := range e.given {
		if _, ok := e.waiting[p.Name()]; ok {
			e.see(p)
		}
	}
	return nil
}

// OnStep adds the parameters to the average, if it is time to. It panics with
// an *[autograd.ArgumentError] if Decay is not in [0, 1) or Every is negative.
func (e *EMA) OnStep(_ *Training, s Step) error {
	if e.Every > 1 && (s.Number-1)%e.Every != 0 {
		return nil
	}
	if e.given != nil {
		e.Add(e.given...)
		return nil
	}
	for p := range s.Gradients.Stored() {
		e.see(p)
	}
	for p := range s.Gradients.Observations() {
		e.see(p)
	}
	e.update()
	return nil
}

// OnEpoch does nothing: it makes an EMA a [Callback].
func (e *EMA) OnEpoch(*Training, Epoch) error { return nil }

// OnEvaluate makes the model measured be the average.
func (e *EMA) OnEvaluate(*Training) (after func()) {
	e.Swap()
	return e.Swap
}

// Add adds the parameters, after a step of a loop of one's own: after each, or
// as often as Every says. It panics as OnStep does.
func (e *EMA) Add(params ...*autograd.Param) {
	for _, p := range params {
		e.see(p)
	}
	e.update()
}

// see makes room for a parameter.
func (e *EMA) see(p *autograd.Param) {
	if _, ok := e.known[p]; ok {
		return
	}
	if e.known == nil {
		e.known = map[*autograd.Param]int{}
	}
	e.known[p] = len(e.params)
	e.params = append(e.params, p)
	average := p.Tensor()
	if s, ok := e.waiting[p.Name()]; ok && len(s.Values) == p.Size() {
		average = autograd.NewTensor(s.Values, p.Shape()...).In(p.Precision())
		delete(e.waiting, p.Name())
	}
	e.average = append(e.average, average)
}

// update moves the averages towards the parameters.
func (e *EMA) update() {
	if !(e.Decay >= 0 && e.Decay < 1) {
		panic(autograd.NewArgumentError("train: EMA", "Decay is %v, want a number in [0, 1)", e.Decay))
	}
	if e.Every < 0 {
		panic(autograd.NewArgumentError("train: EMA", "Every is %d, want a number from 0 on", e.Every))
	}
	if e.own != nil {
		panic(autograd.NewArgumentError("train: EMA", "a step was made while the averages stood in the parameters' place: Swap first"))
	}
	part := 1 - math.Pow(e.Decay, float64(max(1, e.Every)))
	e.views.reset()
	for i, p := range e.params {
		now := e.views.of(p)
		if p.Precision() == autograd.Float32 {
			follow(e.average[i].Raw32(), now.Raw32(), part)
		} else {
			follow(e.average[i].Raw64(), now.Raw64(), part)
		}
	}
}

// follow moves averages towards numbers by a part of the distance. It is a step
// of gradient descent whose gradient is average − now.
func follow[T kernel.Float](average, now []T, part float64) {
	kernel.SGD(average, now, nil, -part, 0, -1, false, true)
}

// Swap puts the averages into the parameters' place, and at the next call the
// parameters into theirs, bit by bit. What is written to them in between is
// lost.
func (e *EMA) Swap() {
	if e.own != nil {
		for i, p := range e.params {
			p.Set(e.own[i])
		}
		e.own = nil
		return
	}
	e.own = []autograd.Tensor{}
	for i, p := range e.params {
		e.own = append(e.own, p.Tensor())
		p.Set(e.average[i])
	}
}

// restored makes the averages be what the parameters are.
func (e *EMA) restored() {
	for i, p := range e.params {
		e.average[i] = p.Tensor()
	}
}

// emaState is an average as a checkpoint keeps it.
type emaState struct {
	Name   string
	Values []float64
}

// State returns the averages by the names of their parameters, to be kept in a
// checkpoint.
func (e *EMA) State() ([]byte, error) {
	var states []emaState
	for i, p := range e.params {
		states = append(states, emaState{p.Name(), e.average[i].Float64s()})
	}
	for _, name := range slices.Sorted(maps.Keys(e.waiting)) {
		states = append(states, e.waiting[name])
	}
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(states)
	return b.Bytes(), err
}

// SetState makes the averages those of a State. Parameters are known by their
// names once the next step reaches them.
func (e *EMA) SetState(state []byte) error {
	var states []emaState
	if err := gob.NewDecoder(bytes.NewReader(state)).Decode(&states); err != nil {
		return fmt.Errorf("train: EMA: this is no state of an EMA: %w", err)
	}
	*e = EMA{Decay: e.Decay, Every: e.Every, given: e.given, waiting: map[string]emaState{}}
	for _, s := range states {
		e.waiting[s.Name] = s
	}
	return nil
}
