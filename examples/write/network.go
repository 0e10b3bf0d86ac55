package main

import (
	"fmt"
	"math/rand/v2"

	"nabla/autograd"
)

// longest is how many characters a verse may have, with its start and its end.
const longest = 256

// A network scores the characters that may come next.
type network interface {
	// scores returns them for all places of rows of ids [rows, steps], as
	// [rows, steps, characters].
	scores(g *autograd.Graph, ids autograd.Ints) autograd.Value
	// reader returns a function that reads one more character at each call,
	// and returns the scores [characters] of the next.
	reader() func(id int) autograd.Tensor
}

// newNetwork returns a network and the learning rate that it likes.
func newNetwork(name string, rng *rand.Rand, characters int) (network, float64, error) {
	switch name {
	case "lstm":
		return newLSTM(rng, characters), 4e-3, nil
	case "gpt":
		return newGPT(rng, characters), 3e-3, nil
	}
	return nil, 0, fmt.Errorf("there is no network %q: lstm or gpt", name)
}

// A reading graph computes without gradients and without dropout.
func reading() *autograd.Graph {
	return autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true, Eval: true})
}

// logProbability is ln p of one of the characters that were scored.
func logProbability(scores autograd.Tensor, id int) float64 {
	return reading().Constant(scores).LogSoftmax(-1).Select(-1, id).Item()
}
