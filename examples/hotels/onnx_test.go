package main

import (
	"testing"

	"nabla/internal/onnxtest"
)

// Every network of the course is exported, and onnxruntime predicts the same.
func TestONNX(t *testing.T) {
	runner := onnxtest.New(t)
	for _, n := range networks {
		if err := runner.CheckLayer(n.model(1), n.sizes[0]); err != nil {
			t.Errorf("%s: %v", n.task, err)
		}
	}
}
