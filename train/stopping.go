package train

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"nabla/autograd"
	"nabla/checkpoint"
)

// EarlyStopping is a [Callback] that ends the training when it gets no better:
// after Patience epochs in a row whose loss, of the validation if there is one,
// is not below the lowest so far by more than MinDelta.
//
//	config.Callbacks = []train.Callback{&train.EarlyStopping{Patience: 5, Restore: true}}
//
// A resumed training goes on counting. It makes no more steps if it had ended
// so, unless Patience has been raised.
type EarlyStopping struct {
	Patience int     // epochs; 0: 1
	MinDelta float64 // finite and at least 0

	// Restore puts the Params and statistics of the best epoch back when the
	// training ends by itself or by Stop, but not after an error, or because
	// the context is done: then it may go on. What a [Checkpoint] keeps is the
	// training as it ended.
	//
	// What is put back is what was measured. Beside an [EMA], if there is a
	// validation or a Score of metrics, these are the averages after the best
	// epoch: they stand in the Params, and in the EMA too, so that its Swap
	// changes nothing. In the place of an [EvaluateCallback] of your own stands
	// what that had put into the Params.
	Restore bool

	// Score takes the place of the loss: lower is better.
	Score func(epoch Epoch) float64

	best    Epoch // the zero Epoch before the first
	lowest  float64
	bad     int               // epochs in a row that were no better
	copies  checkpoint.Params // of the best epoch's Params
	waiting []byte            // of a state, until the Params are known
}

// Best returns the best epoch so far; its Number is 0 if there is none.
func (e *EarlyStopping) Best() Epoch { return e.best }

func (e *EarlyStopping) isOver() bool { return e.bad >= max(1, e.Patience) }

// OnBegin begins anew, or goes on where a resumed training has stopped.
func (e *EarlyStopping) OnBegin(t *Training) error {
	const op = "train: EarlyStopping"
	if e.Patience < 0 || !(e.MinDelta >= 0) || math.IsInf(e.MinDelta, 1) {
		return autograd.NewArgumentError(op, "Patience is %d and MinDelta %v, want finite numbers from 0 on", e.Patience, e.MinDelta)
	}
	if !t.cycle.resumed {
		e.best, e.bad, e.copies, e.waiting = Epoch{}, 0, nil, nil
	}
	if e.Restore {
		if len(t.Params()) == 0 {
			return autograd.NewArgumentError(op, "there is nothing to Restore: neither Params nor a Model that has them")
		}
		e.copies = nil
		for _, p := range t.Params() {
			e.copies = append(e.copies, autograd.NewParam(p.Name(), p.Tensor()))
		}
		if len(e.waiting) > 0 {
			if err := checkpoint.Unmarshal(e.waiting, e.copies); err != nil {
				return err
			}
		} else if e.best.Number > 0 {
			return autograd.NewArgumentError(op, "the checkpoint was made without Restore: it does not have the Params of epoch %d, the best", e.best.Number)
		}
	}
	e.waiting = nil
	if e.isOver() {
		return Stop
	}
	return nil
}

// OnEpoch compares an epoch with the best.
func (e *EarlyStopping) OnEpoch(t *Training, epoch Epoch) error {
	score := epoch.watched().Loss
	if e.Score != nil {
		score = e.Score(epoch)
	}
	if e.best.Number == 0 && !math.IsNaN(score) || score < e.lowest-e.MinDelta {
		e.best, e.lowest, e.bad = epoch, score, 0
		if e.Restore {
			t.asMeasured(e.Score != nil, func() { e.copy(t) })
		}
		return nil
	}
	if e.bad++; e.isOver() {
		return Stop
	}
	return nil
}

// copy keeps the Params as they are.
func (e *EarlyStopping) copy(t *Training) {
	for i, p := range t.Params() {
		e.copies[i].Set(p.Tensor())
	}
}

// OnEnd restores what was measured after the best epoch.
func (e *EarlyStopping) OnEnd(t *Training, err error) error {
	if !e.Restore || err != nil || e.best.Number == 0 {
		return nil
	}
	for i, p := range t.Params() {
		p.Set(e.copies[i].Tensor())
	}
	if t.measures(e.Score != nil) {
		for _, c := range t.cycle.Callbacks {
			if a, ok := c.(averaging); ok {
				a.restored()
			}
		}
	}
	return nil
}

// keptStopping is EarlyStopping's state.
type keptStopping struct {
	Best   *keptEpoch
	Lowest string
	Bad    int
	Params []byte // of the best epoch
}

// State returns the best epoch with its Params, and how many there were since.
func (e *EarlyStopping) State() ([]byte, error) {
	k := keptStopping{Lowest: hex(e.lowest), Bad: e.bad}
	if e.best.Number > 0 {
		k.Best = &keepHistory(History{e.best})[0]
		if e.Restore {
			var err error
			if k.Params, err = checkpoint.Marshal(e.copies); err != nil {
				return nil, err
			}
		}
	}
	return json.Marshal(k)
}

// SetState makes the next training go on where another one returned that State.
func (e *EarlyStopping) SetState(state []byte) error {
	var k keptStopping
	if err := json.Unmarshal(state, &k); err != nil {
		return fmt.Errorf("train: EarlyStopping: %w", err)
	}
	lowest, err := strconv.ParseFloat(k.Lowest, 64)
	if err != nil {
		return fmt.Errorf("train: EarlyStopping: %w", err)
	}
	e.best, e.lowest, e.bad, e.waiting = Epoch{}, lowest, k.Bad, k.Params
	if k.Best != nil {
		history, err := readHistory([]keptEpoch{*k.Best})
		if err != nil {
			return fmt.Errorf("train: EarlyStopping: %w", err)
		}
		e.best = history[0]
	}
	return nil
}
