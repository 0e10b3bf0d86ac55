package xla

import (
	"errors"
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/optim"
)

// A Param that is frozen or unfrozen between two steps is so in the next one,
// and going back and forth takes two programs.
func TestFrozenBetweenSteps(t *testing.T) {
	c := testClient(t)
	var results [2][]autograd.Tensor
	for i := range results {
		w, b := autograd.NewParam("w", autograd.Ones(3)), autograd.NewParam("b", autograd.Ones(3))
		loss := func(g *autograd.Graph, in Inputs) autograd.Value {
			return in.Value(0).Mul(g.Param(w)).Add(g.Param(b)).Square().Mean()
		}
		o := &optim.SGD{LearningRate: 0.1, Momentum: 0.5}
		trainer, err := c.Train(Training{Loss: loss, Optimizer: o})
		if err != nil {
			t.Fatal(err)
		}
		defer trainer.Close()
		for step := range 6 {
			w.Frozen = step == 2 || step == 3
			if i == 0 {
				g := autograd.NewGraph(autograd.Options{})
				o.Step(loss(g, inputsOf(g, []Input{someNumbers})).Backward())
			} else if _, err := trainer.Step(someNumbers); err != nil {
				t.Fatal(err)
			}
		}
		if err := trainer.Read(); err != nil {
			t.Fatal(err)
		}
		if s := trainer.Stats(); s.Programs != 2*i {
			t.Errorf("%d programs", s.Programs)
		}
		results[i] = []autograd.Tensor{w.Tensor(), b.Tensor()}
	}
	for i, want := range results[0] {
		if d := distance(results[1][i].Float64s(), want.Float64s()); d > 1e-12 {
			t.Errorf("Param %d is off by %.2g", i, d)
		}
	}
}

// Each integer that an input may have must have a place: a device would take
// another one's. That does not depend on the integers of the first call.
func TestIntegersWithoutAPlace(t *testing.T) {
	const classes = 1000
	table := autograd.NewParam("table", autograd.Ones(classes, 2))
	for want, f := range map[string]func(g *autograd.Graph, in Inputs) autograd.Value{
		"label 1000 is out of range": func(g *autograd.Graph, in Inputs) autograd.Value {
			return g.Full(1, 4, classes).Pick(in.Ints(0))
		},
		"id 1000 at": func(g *autograd.Graph, in Inputs) autograd.Value {
			return g.Param(table).Embedding(in.Ints(0))
		},
		"index -1 is out of range": func(g *autograd.Graph, in Inputs) autograd.Value {
			ids := make([]int, 4)
			for i, v := range in.Ints(0).Values() {
				ids[i] = v - 1
			}
			return g.Param(table).IndexSelect(0, autograd.NewInts(ids))
		},
	} {
		step := func(g *autograd.Graph, in Inputs) ([]autograd.Value, error) {
			return []autograd.Value{f(g, in)}, nil
		}
		_, err := newTape(step, []Input{Indices(autograd.NewInts([]int{1, 2, 3, 4}), classes+1)}, autograd.Options{})
		wantText(t, err, want)
	}
}

// The integers of one input are not taken for those of another that changes in
// the same way, be it short or long.
func TestIntegersOfSeveralInputs(t *testing.T) {
	table := autograd.NewParam("table", autograd.Ones(2, 2))
	step := func(g *autograd.Graph, in Inputs) ([]autograd.Value, error) {
		all := make([]autograd.Value, in.Len())
		for i := range all {
			all[i] = g.Param(table).Embedding(in.Ints(i))
		}
		flipped := autograd.NewInts([]int{1 - in.Ints(1).Values()[0]})
		return append(all, g.Param(table).Embedding(flipped)), nil
	}
	bits := func(n int, of uint64) Input {
		rng := rand.New(rand.NewPCG(of, 1))
		values := make([]int, n)
		for i := range values {
			values[i] = rng.IntN(2)
		}
		return Indices(autograd.NewInts(values), 2)
	}
	for seed := range uint64(20) {
		in := []Input{bits(1, seed), bits(1, seed+100), bits(1, seed+200), bits(100, seed+300), bits(2, seed+400)}
		tape, err := newTape(step, in, autograd.Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range tape.wanted {
			want := i
			if i == len(in) {
				want = 1
			}
			if got := tape.indices[v.Node().ID]; got.input != want {
				t.Errorf("seed %d: lookup %d follows input %d", seed, i, got.input)
			}
		}
	}
}

// Two Trainers do not change the same Param, each without the other; what none
// of them changes they may share.
func TestSharedParams(t *testing.T) {
	c := testClient(t)
	w, b, still := autograd.NewParam("w", autograd.Ones(3)), autograd.NewParam("b", autograd.Ones(3)), autograd.NewParam("still", autograd.Ones(3))
	still.Frozen = true
	train := func(params ...*autograd.Param) *Trainer {
		trainer, err := c.Train(Training{Optimizer: optim.NewSGD(0.1), Loss: func(g *autograd.Graph, in Inputs) autograd.Value {
			y := in.Value(0).Mul(g.Param(still))
			for _, p := range params {
				y = y.Mul(g.Param(p))
			}
			return y.Square().Mean()
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { trainer.Close() })
		return trainer
	}
	first, apart, both := train(w), train(b), train(w, b)
	for _, trainer := range []*Trainer{first, apart} {
		if _, err := trainer.Step(someNumbers); err != nil {
			t.Fatal(err)
		}
	}
	_, err := both.Step(someNumbers)
	wantText(t, err, "on the devices of another Trainer")
	if err := errors.Join(first.Read(), first.Close(), apart.Read(), apart.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := both.Step(someNumbers); err != nil {
		t.Fatal(err)
	}
	if err := both.Close(); err != nil {
		t.Fatal(err)
	}
	claiming.Lock()
	defer claiming.Unlock()
	for _, p := range []*autograd.Param{w, b, still} {
		if len(claims[p]) != 0 {
			t.Errorf("%s is claimed by a Trainer that is closed", p.Name())
		}
	}
}
