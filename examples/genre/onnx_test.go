package main

import (
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/internal/onnxtest"
	"nabla/onnx"
)

// The network makes a mask and lengths of the words in Go, so that its inputs
// are the words' numbers, for rows of those lengths.
func TestONNX(t *testing.T) {
	runner := onnxtest.New(t)
	words, pairs := autograd.NewInts([]int{3, 4, 5, 1, 2, text.Padding}, 2, 3), autograd.NewInts([]int{1, 1, 2, 3, 1, text.Padding}, 2, 3)
	for _, name := range []string{"gru", "transformer"} {
		r, _, err := newReader(name, rand.New(rand.NewPCG(1, 0)), 10, 10)
		if err != nil {
			t.Fatal(err)
		}
		g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true})
		x := g.Constant(r.Words.Lookup(g, words).Tensor()).Named("words")
		wide := g.Constant(r.wide(g, words, pairs).Tensor()).Named("wide")
		e := onnx.Export{Inputs: []onnx.Input{{Value: x}, {Value: wide}}, Outputs: []autograd.Value{r.read(x, wide, words)}}
		if err := runner.Check(e, 1e-5); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
