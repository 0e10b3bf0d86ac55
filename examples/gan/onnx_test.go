package main

import (
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/internal/onnxtest"
	"nabla/layers"
	"nabla/optim"
)

func TestONNX(t *testing.T) {
	runner, rng := onnxtest.New(t), rand.New(rand.NewPCG(1, 0))
	noise := func() autograd.Tensor { return autograd.Zeros(1, latent) }
	digits, ring := newGame(inventor(rng), critic(rng), noise, optim.Adam{}, 0), newGame(dense(rng, 2), dense(rng, 1), noise, optim.Adam{}, 0)
	for _, c := range []struct {
		name  string
		model layers.Layer
		shape []int
	}{
		{"inventor of digits", digits.inventor, []int{latent}}, {"critic of digits", digits.critic, []int{1, 28, 28}},
		{"inventor of points", ring.inventor, []int{2}}, {"critic of points", ring.critic, []int{2}},
	} {
		if err := runner.CheckLayer(c.model, c.shape...); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
