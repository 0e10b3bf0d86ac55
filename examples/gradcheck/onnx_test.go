package main

import (
	"math/rand/v2"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/internal/onnxtest"
	"nabla/onnx"
)

// The network is exported; an operation in Go cannot be, and the error names
// it.
func TestONNX(t *testing.T) {
	runner := onnxtest.New(t)
	if err := runner.CheckLayer(newModel(rand.New(rand.NewPCG(1, 0))), 2); err != nil {
		t.Error(err)
	}
	x := autograd.NewGraph(autograd.Options{}).Variable(autograd.Scalar(1))
	e := onnx.Export{Inputs: []onnx.Input{{Value: x}}, Outputs: []autograd.Value{autograd.Custom(gaussian(-2), x)}}
	if err := runner.Check(e, 1e-12); err == nil || !strings.Contains(err.Error(), "gaussian") {
		t.Errorf("the error is %v", err)
	}
}
