package main

import (
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/internal/onnxtest"
	"nabla/onnx"
)

// The numbers of the sequence are four inputs.
func TestONNX(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	e := onnx.Export{Outputs: []autograd.Value{newNetwork(rand.New(rand.NewPCG(1, 0))).predict(g, sequenceOf(shown))}}
	for n := range g.Nodes() {
		if n.Role == autograd.RoleInput {
			e.Inputs = append(e.Inputs, onnx.Input{Value: n.Value})
		}
	}
	if len(e.Inputs) != steps {
		t.Fatalf("%d inputs", len(e.Inputs))
	}
	if err := onnxtest.New(t).Check(e, 1e-12); err != nil {
		t.Error(err)
	}
}
