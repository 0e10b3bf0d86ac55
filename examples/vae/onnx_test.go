package main

import (
	"math/rand/v2"
	"testing"

	"nabla/internal/onnxtest"
)

func TestONNX(t *testing.T) {
	runner, m := onnxtest.New(t), newVAE(rand.New(rand.NewPCG(1, 0)))
	if err := runner.CheckLayer(m.Encoder, 1, side, side); err != nil {
		t.Errorf("encoder: %v", err)
	}
	if err := runner.CheckLayer(m.Decoder, latent); err != nil {
		t.Errorf("decoder: %v", err)
	}
}
