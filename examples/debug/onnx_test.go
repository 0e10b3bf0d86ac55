package main

import (
	"testing"

	"nabla/internal/onnxtest"
)

func TestONNX(t *testing.T) {
	runner := onnxtest.New(t)
	for _, v := range versions[1:] { // the first has probabilities of exactly 1
		if err := runner.CheckLayer(newNetwork(v).model, 2); err != nil {
			t.Errorf("%s: %v", v.title, err)
		}
	}
}
