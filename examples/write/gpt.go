package main

import (
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/layers"
)

// A gpt looks at each character, and at those before it by attention. It reads
// each together with the three before, which say most of what comes next: its
// blocks take long to learn to look at just these.
type gpt struct {
	Characters []*layers.Embedding // of the character itself, that before it, …
	Blocks     []*layers.TransformerEncoderBlock
	Norm       *layers.LayerNorm
	Scores     *layers.Dense
}

const together = 4

func newGPT(rng *rand.Rand, characters int) *gpt {
	const width, heads, blocks = 128, 4, 4
	n := &gpt{Norm: layers.NewLayerNorm(width), Scores: layers.NewDense(rng, width, characters)}
	for range together {
		n.Characters = append(n.Characters, layers.NewEmbeddingWith(rng, characters, width, layers.EmbeddingOptions{Weights: wide}))
	}
	squared := layers.Func("relu²", func(x autograd.Value) autograd.Value { return x.ReLU().Square() }) // So et al., Primer, 2021
	for range blocks {
		n.Blocks = append(n.Blocks, layers.NewTransformerEncoderBlockWith(rng, width, heads, 4*width, layers.TransformerOptions{
			Activation: squared, Rotary: true,
		}))
	}
	layers.Name(n)
	layers.Convert(n, autograd.Float32)
	return n
}

// wide draws so that the four that are added up have a deviation of 1. What
// blocks add is of that order from the first step on: GPT-2's deviation of 0.02
// would leave little of the characters.
func wide(rng *rand.Rand, _, _ int, shape ...int) autograd.Tensor {
	return autograd.Normal(rng, 0, 0.5, shape...)
}

func (n *gpt) Params() []*autograd.Param { return layers.ParamsOf(n) }

func (n *gpt) scores(g *autograd.Graph, ids autograd.Ints) autograd.Value {
	return n.read(n.numbers(g, ids, before(ids, 1), before(ids, 2), before(ids, 3)))
}

// read scores what may come after each character, by the characters' numbers.
func (n *gpt) read(x autograd.Value) autograd.Value {
	for _, b := range n.Blocks {
		x = b.Run(x, layers.AttendOptions{Causal: true})
	}
	return n.Scores.Forward(n.Norm.Forward(x))
}

// numbers returns those of each character and the three before it, added up.
func (n *gpt) numbers(g *autograd.Graph, ids ...autograd.Ints) autograd.Value {
	x := n.Characters[0].Lookup(g, ids[0])
	for back := 1; back < together; back++ {
		x = x.Add(n.Characters[back].Lookup(g, ids[back]))
	}
	return x
}

// before returns the ids that many steps before each, padding before the first.
func before(ids autograd.Ints, back int) autograd.Ints {
	steps, values := ids.Dim(1), ids.Values()
	moved := make([]int, len(values))
	for i := range moved {
		if moved[i] = text.Padding; i%steps >= back {
			moved[i] = values[i-back]
		}
	}
	return autograd.NewInts(moved, ids.Shape()...)
}

// reader keeps the keys and values of what it has read.
func (n *gpt) reader() func(id int) autograd.Tensor {
	g, cache, last := reading(), layers.NewCache(longest), []int(nil)
	return func(id int) autograd.Tensor {
		g.Reset()
		last = append(last, id)
		last = last[max(0, len(last)-together):]
		ids := autograd.NewInts(last, 1, len(last))
		x := n.numbers(g, ids, before(ids, 1), before(ids, 2), before(ids, 3)).Narrow(1, len(last)-1, 1)
		for _, b := range n.Blocks {
			x = b.Next(x, cache)
		}
		return n.Scores.Forward(n.Norm.Forward(x)).Reshape(-1).Tensor()
	}
}
