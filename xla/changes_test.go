package xla

import (
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
