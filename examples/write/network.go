package main

import (
	"fmt"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/layers"
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

type lstm struct {
	Characters *layers.Embedding
	LSTM       *layers.LSTM
	Scores     *layers.Dense
}

func newLSTM(rng *rand.Rand, characters int) *lstm {
	const width, hidden = 64, 384
	l := &lstm{
		Characters: layers.NewEmbedding(rng, characters, width),
		LSTM:       layers.NewLSTMWith(rng, width, hidden, layers.RecurrentOptions{ForgetBias: 1}),
		Scores:     layers.NewDense(rng, hidden, characters),
	}
	layers.Name(l)
	layers.Convert(l, autograd.Float32)
	return l
}

func (l *lstm) Params() []*autograd.Param { return layers.ParamsOf(l) }

func (l *lstm) scores(g *autograd.Graph, ids autograd.Ints) autograd.Value {
	y, _ := l.LSTM.Run(l.Characters.Lookup(g, ids), layers.LSTMState{})
	return l.Scores.Forward(y.Dropout(0.3))
}

func (l *lstm) reader() func(id int) autograd.Tensor {
	g, memory := reading(), layers.LSTMMemory{}
	return func(id int) autograd.Tensor {
		g.Reset()
		y, state := l.LSTM.Run(l.Characters.Lookup(g, autograd.NewInts([]int{id}, 1, 1)), memory.In(g))
		memory = state.Keep()
		return l.Scores.Forward(y).Reshape(-1).Tensor()
	}
}

type gpt struct {
	Characters *layers.Embedding
	Blocks     []*layers.TransformerEncoderBlock
	Norm       *layers.LayerNorm
	Scores     *layers.Dense
}

func newGPT(rng *rand.Rand, characters int) *gpt {
	const width, heads, blocks, dropout = 128, 4, 4, 0.05
	n := &gpt{
		Characters: layers.NewEmbeddingWith(rng, characters, width, layers.EmbeddingOptions{Weights: small}),
		Norm:       layers.NewLayerNorm(width),
		Scores:     layers.NewDense(rng, width, characters),
	}
	for range blocks {
		n.Blocks = append(n.Blocks, layers.NewTransformerEncoderBlockWith(rng, width, heads, 4*width, layers.TransformerOptions{
			Activation: layers.GELU(), Dropout: dropout, Rotary: true,
		}))
	}
	layers.Name(n)
	layers.Convert(n, autograd.Float32)
	return n
}

// small draws from the normal distribution of deviation 0.02, as GPT-2 does.
func small(rng *rand.Rand, _, _ int, shape ...int) autograd.Tensor {
	return autograd.Normal(rng, 0, 0.02, shape...)
}

func (n *gpt) Params() []*autograd.Param { return layers.ParamsOf(n) }

func (n *gpt) scores(g *autograd.Graph, ids autograd.Ints) autograd.Value {
	x := n.Characters.Lookup(g, ids)
	for _, b := range n.Blocks {
		x = b.Run(x, layers.AttendOptions{Causal: true})
	}
	return n.Scores.Forward(n.Norm.Forward(x))
}

// reader keeps the keys and values of what it has read.
func (n *gpt) reader() func(id int) autograd.Tensor {
	g, cache := reading(), layers.NewCache(longest)
	return func(id int) autograd.Tensor {
		g.Reset()
		x := n.Characters.Lookup(g, autograd.NewInts([]int{id}, 1, 1))
		for _, b := range n.Blocks {
			x = b.Next(x, cache)
		}
		return n.Scores.Forward(n.Norm.Forward(x)).Reshape(-1).Tensor()
	}
}
