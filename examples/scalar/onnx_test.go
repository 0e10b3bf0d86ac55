package main

import (
	"testing"

	"nabla/autograd"
	"nabla/internal/onnxtest"
	"nabla/onnx"
)

// The loss of the neuron, by its input and its target.
func TestONNX(t *testing.T) {
	loss := neuron()
	e := onnx.Export{Outputs: []autograd.Value{loss}}
	for n := range loss.Graph().Nodes() {
		if n.Role != autograd.RoleNone {
			e.Inputs = append(e.Inputs, onnx.Input{Value: n.Value})
		}
	}
	if len(e.Inputs) != 2 {
		t.Fatalf("%d inputs", len(e.Inputs))
	}
	if err := onnxtest.New(t).Check(e, 1e-12); err != nil {
		t.Error(err)
	}
}
