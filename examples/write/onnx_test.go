package main

import (
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/internal/onnxtest"
	"nabla/onnx"
)

// The ids of the characters are inputs, of any number of rows.
func TestONNX(t *testing.T) {
	const characters, steps = 30, 7
	runner, rng := onnxtest.New(t), rand.New(rand.NewPCG(1, 0))
	draw := func(batch int) autograd.Ints {
		ids := make([]int, batch*steps)
		for i := range ids {
			ids[i] = 1 + rng.IntN(characters-1)
		}
		return autograd.NewInts(ids, batch, steps)
	}
	lstm, gpt := newLSTM(rng, characters), newGPT(rng, characters)
	err := runner.CheckBatch(func(batch int) onnx.Export {
		ids := draw(batch)
		return onnx.Export{
			Inputs: []onnx.Input{{Name: "ids", Ints: ids}}, Outputs: []autograd.Value{lstm.scores(reading(), ids)}, Batch: "batch",
		}
	}, 1e-5)
	if err != nil {
		t.Errorf("lstm: %v", err)
	}
	err = runner.CheckBatch(func(batch int) onnx.Export {
		ids := draw(batch)
		all := []autograd.Ints{ids, before(ids, 1), before(ids, 2), before(ids, 3)}
		e := onnx.Export{Outputs: []autograd.Value{gpt.read(gpt.numbers(reading(), all...))}, Batch: "batch"}
		for i, name := range []string{"ids", "before", "before_that", "first"} {
			e.Inputs = append(e.Inputs, onnx.Input{Name: name, Ints: all[i]})
		}
		return e
	}, 1e-5)
	if err != nil {
		t.Errorf("gpt: %v", err)
	}
}

// The gpt makes further ids of the ids. If only these are an input, the others
// would be constants: that is refused.
func TestONNXRefusesIDsMadeOfOthers(t *testing.T) {
	ids := autograd.NewInts([]int{1, 2, 3, 1, 2, 3}, 2, 3)
	scores := newGPT(rand.New(rand.NewPCG(1, 0)), 30).scores(reading(), ids)
	e := onnx.Export{Inputs: []onnx.Input{{Name: "ids", Ints: ids}}, Outputs: []autograd.Value{scores}}
	if err := onnxtest.New(t).Check(e, 1e-5); err == nil {
		t.Error("no error")
	}
}
