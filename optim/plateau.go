package optim

import (
	"encoding/binary"
	"fmt"
	"math"

	"nabla/autograd"
)

// A Plateau is a schedule whose rate falls when a loss stands still: it is
// multiplied by Factor once more than Patience losses in a row were no better
// than the best so far. It has to be shown the losses, one after the other, and
// does not care which step it is.
//
//	schedule := optim.NewPlateau(0.1)
//	for epoch := range epochs {
//		optimizer.LearningRate = schedule.At(epoch)
//		…
//		schedule.Observe(validation)
//	}
//
// A zero in a field means zero: [NewPlateau] fills in PyTorch's settings. It is
// one training's: two of them need a Plateau each.
type Plateau struct {
	LearningRate float64 // at first
	Factor       float64 // in [0, 1)
	Patience     int     // losses in a row that need not be better, at least 0
	MinDelta     float64 // how much better is better, as a part of the best loss, at least 0
	Absolute     bool    // MinDelta is a loss itself
	Greater      bool    // greater is better: what is observed is an accuracy, say
	Cooldown     int     // losses after a fall that do not count
	Least        float64 // the rate falls no further

	seen     bool // whether best and rate mean anything
	rate     float64
	best     float64
	bad      int // losses in a row that were not better
	cooldown int // losses that will not count
}

// NewPlateau returns a Plateau with the factor 0.1, a patience of 10, and a
// MinDelta of 1e-4.
func NewPlateau(rate float64) *Plateau {
	checkFrom0("optim: NewPlateau", "the rate", rate)
	return &Plateau{LearningRate: rate, Factor: 0.1, Patience: 10, MinDelta: 1e-4}
}

// At returns the rate as it is now, whatever n is.
func (p *Plateau) At(n int) float64 {
	checkStep("optim: Plateau.At", n)
	if !p.seen {
		return p.LearningRate
	}
	return p.rate
}

// Observe shows the Plateau the next loss. NaN is not better than any other. It
// panics with an *[autograd.ArgumentError] if the settings make no sense.
func (p *Plateau) Observe(loss float64) {
	p.check()
	if !p.seen {
		p.seen, p.rate, p.best = true, p.LearningRate, math.Inf(1)
		if p.Greater {
			p.best = math.Inf(-1)
		}
	}
	p.bad++
	if p.better(loss) {
		p.best, p.bad = loss, 0
	}
	if p.cooldown > 0 {
		p.cooldown--
		p.bad = 0
	}
	if p.bad > p.Patience {
		p.rate = max(p.rate*p.Factor, min(p.rate, p.Least))
		p.bad, p.cooldown = 0, p.Cooldown
	}
}

func (p *Plateau) better(loss float64) bool {
	switch {
	case p.Greater && p.Absolute:
		return loss > p.best+p.MinDelta
	case p.Greater:
		return loss > p.best*(1+p.MinDelta)
	case p.Absolute:
		return loss < p.best-p.MinDelta
	}
	return loss < p.best*(1-p.MinDelta)
}

func (p *Plateau) check() {
	const op = "optim: Plateau"
	checkFrom0(op, "LearningRate", p.LearningRate)
	checkBelow1(op, "Factor", p.Factor)
	checkFrom0(op, "MinDelta", p.MinDelta)
	checkFrom0(op, "Least", p.Least)
	if p.Patience < 0 || p.Cooldown < 0 {
		panic(autograd.NewArgumentError(op, "Patience is %d and Cooldown %d, want numbers from 0 on", p.Patience, p.Cooldown))
	}
}

// plateauState is what a Plateau remembers, as a checkpoint keeps it.
type plateauState struct {
	Seen          bool
	Rate, Best    float64
	Bad, Cooldown int64
}

// State returns what the Plateau remembers, to be kept in a checkpoint.
func (p *Plateau) State() ([]byte, error) {
	s := plateauState{p.seen, p.rate, p.best, int64(p.bad), int64(p.cooldown)}
	return binary.Append(nil, binary.LittleEndian, s)
}

// SetState makes the Plateau go on where another one returned that State. Its
// settings stay.
func (p *Plateau) SetState(state []byte) error {
	var s plateauState
	if n, err := binary.Decode(state, binary.LittleEndian, &s); err != nil || n != len(state) {
		return fmt.Errorf("optim: Plateau: a state of %d bytes is not one of a Plateau", len(state))
	}
	p.seen, p.rate, p.best, p.bad, p.cooldown = s.Seen, s.Rate, s.Best, int(s.Bad), int(s.Cooldown)
	return nil
}

// State returns what the schedule behind the warm-up remembers.
func (w *warmUp) State() ([]byte, error) {
	if m, ok := w.then.(interface{ State() ([]byte, error) }); ok {
		return m.State()
	}
	return nil, nil
}

// SetState hands a State on to the schedule behind the warm-up.
func (w *warmUp) SetState(state []byte) error {
	if m, ok := w.then.(interface{ SetState([]byte) error }); ok {
		return m.SetState(state)
	}
	return nil
}
