package main

import (
	"math/rand/v2"
	"testing"

	"nabla/internal/onnxtest"
)

func TestONNX(t *testing.T) {
	if err := onnxtest.New(t).CheckLayer(newModel(rand.New(rand.NewPCG(1, 0))), 2); err != nil {
		t.Error(err)
	}
}
