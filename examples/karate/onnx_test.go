package main

import (
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/internal/onnxtest"
	"nabla/layers"
	"nabla/onnx"
)

// The members' features and friendships are constants, so that the model has no
// inputs.
func TestONNX(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	n := &network{layers.NewGraphConv(rng, members, 8), layers.NewGraphConv(rng, 8, 2)}
	layers.Name(n)
	g := autograd.NewGraph(autograd.Options{})
	e := onnx.Export{Outputs: []autograd.Value{n.forward(g, edges()).Named("scores")}}
	if err := onnxtest.New(t).Check(e, 1e-12); err != nil {
		t.Error(err)
	}
}
