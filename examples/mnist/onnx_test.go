package main

import (
	"math/rand/v2"
	"testing"

	"nabla/internal/onnxtest"
)

func TestONNX(t *testing.T) {
	runner := onnxtest.New(t)
	for _, n := range networks {
		if err := runner.CheckLayer(n.make(rand.New(rand.NewPCG(1, 0))), 1, 28, 28); err != nil {
			t.Errorf("%s: %v", n.name, err)
		}
	}
}
