package main

import (
	"math/rand/v2"
	"testing"

	"nabla/examples/internal/canvas"
	"nabla/internal/onnxtest"
)

func TestONNX(t *testing.T) {
	if err := onnxtest.New(t).CheckLayer(newNetwork(rand.New(rand.NewPCG(1, 0))), 1, canvas.Size, canvas.Size); err != nil {
		t.Error(err)
	}
}
