package main

import (
	"math/rand/v2"
	"testing"

	"nabla/internal/onnxtest"
)

func TestONNX(t *testing.T) {
	if err := onnxtest.New(t).CheckLayer(newUNet(rand.New(rand.NewPCG(1, 0)), classes), 1, 16, 24); err != nil {
		t.Error(err)
	}
}
