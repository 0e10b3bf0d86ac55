package main

import (
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/internal/onnxtest"
	"nabla/onnx"
)

// The ids of the words and the lengths of the English rows are inputs, of any
// number of rows.
func TestONNX(t *testing.T) {
	const words, seen, steps = 20, 6, 5
	runner, rng := onnxtest.New(t), rand.New(rand.NewPCG(1, 0))
	draw := func(batch, steps int) autograd.Ints {
		ids := make([]int, batch*steps)
		for i := range ids {
			ids[i] = 1 + rng.IntN(words-1)
		}
		return autograd.NewInts(ids, batch, steps)
	}
	for name, translate := range map[string]func(g *autograd.Graph, english, spanish, lengths autograd.Ints) autograd.Value{
		"gru": newGRU(rng, words, words).translate, "transformer": newTransformer(rng, words, words).translate,
	} {
		err := runner.CheckBatch(func(batch int) onnx.Export {
			english, spanish := draw(batch, seen), draw(batch, steps)
			for row := range batch {
				for i := 1 + (row+batch)%seen; i < seen; i++ {
					english.Values()[row*seen+i] = text.Padding
				}
			}
			lengths := text.Lengths(english)
			return onnx.Export{
				Inputs:  []onnx.Input{{Name: "english", Ints: english}, {Name: "spanish", Ints: spanish}, {Name: "lengths", Ints: lengths}},
				Outputs: []autograd.Value{translate(reading(), english, spanish, lengths)}, Batch: "batch",
			}
		}, 1e-5)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
