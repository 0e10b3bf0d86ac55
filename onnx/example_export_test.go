package onnx_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"nabla/autograd"
	"nabla/layers"
	"nabla/onnx"
)

func ExampleSave() {
	model := layers.NewSequential(layers.Flatten(), layers.NewDense(rand.New(rand.NewPCG(1, 0)), 784, 10), layers.Softmax())
	folder, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(folder)

	path := filepath.Join(folder, "model.onnx")
	err := onnx.Save(path, model, -1, 1, 28, 28) // −1: a batch of any length
	fmt.Println(err)
	// Output: <nil>
}

// A network that reads words by their ids.
func ExampleExport() {
	rng := rand.New(rand.NewPCG(1, 0))
	words, scores := layers.NewEmbedding(rng, 100, 8), layers.NewDense(rng, 8, 2)

	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	ids := autograd.NewInts([]int{7, 3, 9, 2, 2, 5}, 2, 3) // an example: two rows of three words
	groups := scores.Forward(words.Lookup(g, ids).Mean(1)).Named("groups")

	network := onnx.Export{
		Inputs:  []onnx.Input{{Name: "ids", Ints: ids}},
		Outputs: []autograd.Value{groups},
		Batch:   "rows",
	}
	folder, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(folder)
	fmt.Println(network.Save(filepath.Join(folder, "words.onnx")))

	// What a batch of another length would make wrong is refused.
	network.Outputs[0] = groups.Mean(0)
	fmt.Println(network.Save(filepath.Join(folder, "mean.onnx")))
	// Output:
	// <nil>
	// onnx: mean (node 7): it works along the batch axis, so that a sample depends on the others of its batch
}
