package main

import (
	"math/rand/v2"
	"testing"

	"nabla/data"
	"nabla/internal/onnxtest"
)

func TestONNX(t *testing.T) {
	n := newNetwork(rand.New(rand.NewPCG(1, 0)), data.Standard{Mean: []float64{1, 2}, Std: []float64{3, 4}}, data.Standard{Mean: []float64{5}, Std: []float64{6}})
	if err := onnxtest.New(t).CheckLayer(n, 2); err != nil {
		t.Error(err)
	}
}
