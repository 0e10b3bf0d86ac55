package main

import (
	"fmt"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/decode"
)

// width is that of the words' numbers.
const width = 96

// A network translates. Rows are padded ids, of English with the end and of
// Spanish with the start.
type network interface {
	// scores returns those of the Spanish words that may come next, at each
	// place of the rows: [rows, steps, words].
	scores(g *autograd.Graph, english, spanish autograd.Ints) autograd.Value
	// writer returns the step of a search for the translations of rows.
	writer(english autograd.Ints) decode.Step
	// looks returns how much the network looks at each English word for each
	// Spanish word that comes next, [steps, seen], for a single row.
	looks(english, spanish autograd.Ints) autograd.Tensor
}

func newNetwork(name string, rng *rand.Rand, english, spanish int) (network, error) {
	switch name {
	case "gru":
		return newGRU(rng, english, spanish), nil
	case "transformer":
		return newTransformer(rng, english, spanish), nil
	}
	return nil, fmt.Errorf("there is no network %q: gru or transformer", name)
}

// A reading graph computes without gradients and without dropout.
func reading() *autograd.Graph {
	return autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true, Eval: true})
}

// column returns ids of one step, [rows, 1].
func column(ids []int) autograd.Ints { return autograd.NewInts(ids, len(ids), 1) }

// next returns ln p of the words after the last step, [rows, words].
func next(scores autograd.Value) autograd.Tensor {
	return scores.Select(1, scores.Dim(1)-1).LogSoftmax(-1).Tensor()
}
