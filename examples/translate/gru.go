package main

import (
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/decode"
	"nabla/layers"
)

// A gru reads in both directions, writes on from where that ended, and looks
// back at the words read (Luong et al., 2015).
type gru struct {
	English, Spanish *layers.Embedding
	Reader, Writer   *layers.GRU
	Query            *layers.Dense
	Both             *layers.Dense // of the state and what was looked at
	Words            *layers.Dense
}

func newGRU(rng *rand.Rand, english, spanish int) *gru {
	table := layers.EmbeddingOptions{Padding: []int{text.Padding}, Whole: true}
	n := &gru{
		English: layers.NewEmbeddingWith(rng, english, width, table),
		Spanish: layers.NewEmbeddingWith(rng, spanish, width, table),
		Reader:  layers.NewGRUWith(rng, width, width, layers.RecurrentOptions{Bidirectional: true}),
		Writer:  layers.NewGRU(rng, width, 2*width),
		Query:   layers.NewDenseWith(rng, 2*width, 2*width, layers.DenseOptions{NoBias: true}),
		Both:    layers.NewDense(rng, 4*width, width),
		Words:   layers.NewDense(rng, width, spanish),
	}
	layers.Name(n)
	layers.Convert(n, autograd.Float32)
	return n
}

func (n *gru) Params() []*autograd.Param { return layers.ParamsOf(n) }

const gruDropout = 0.2

func (n *gru) scores(g *autograd.Graph, english, spanish autograd.Ints) autograd.Value {
	return n.translate(g, english, spanish, text.Lengths(english))
}

func (n *gru) translate(g *autograd.Graph, english, spanish, lengths autograd.Ints) autograd.Value {
	memory, state := n.read(g, english, lengths)
	hidden, _ := n.Writer.Run(n.Spanish.Lookup(g, spanish).Dropout(gruDropout), state)
	return n.choose(hidden, memory, lengths)
}

// read returns a memory of the English words, [rows, seen, 2·width], and the
// state to write on from.
func (n *gru) read(g *autograd.Graph, english, lengths autograd.Ints) (autograd.Value, layers.State) {
	x := n.English.Lookup(g, english).Dropout(gruDropout)
	memory, last := n.Reader.RunWith(x, layers.State{}, layers.RunOptions{Lengths: lengths})
	return memory, layers.State{H: last.H.Transpose(0, 1).Reshape(1, english.Dim(0), 2*width)}
}

// choose looks back at the memory, and scores the words. A tanh after Both, as
// in the paper, saturates at this learning rate: nothing is learned then.
func (n *gru) choose(hidden, memory autograd.Value, lengths autograd.Ints) autograd.Value {
	seen := autograd.Attention(n.Query.Forward(hidden), memory, memory, autograd.AttentionOptions{Heads: 1, Lengths: lengths})
	return n.Words.Forward(n.Both.Forward(autograd.Concat(2, hidden, seen)).Dropout(gruDropout))
}

func (n *gru) writer(english autograd.Ints) decode.Step {
	lengths := text.Lengths(english)
	m, state := n.read(reading(), english, lengths)
	memory, hidden := m.Tensor(), state.H.Select(0, 0).Tensor()
	g := reading()
	return func(tokens, parents []int) autograd.Tensor {
		g.Reset()
		memory, hidden, lengths = memory.Take(parents...), hidden.Take(parents...), lengths.Take(parents...)
		before := layers.State{H: g.Constant(hidden.Reshape(1, len(parents), 2*width))}
		y, after := n.Writer.Run(n.Spanish.Lookup(g, column(tokens)), before)
		hidden = after.H.Select(0, 0).Tensor()
		return next(n.choose(y, g.Constant(memory), lengths))
	}
}

func (n *gru) looks(english, spanish autograd.Ints) autograd.Tensor {
	g := reading()
	lengths := text.Lengths(english)
	memory, state := n.read(g, english, lengths)
	hidden, _ := n.Writer.Run(n.Spanish.Lookup(g, spanish), state)
	weights := autograd.AttentionWeights(n.Query.Forward(hidden), memory, memory, autograd.AttentionOptions{Heads: 1, Lengths: lengths})
	return weights.Reshape(spanish.Dim(1), english.Dim(1)).Tensor()
}
