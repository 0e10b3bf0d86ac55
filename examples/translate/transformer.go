package main

import (
	"math"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/decode"
	"nabla/layers"
)

// A transformer reads and writes by attention alone (Vaswani et al., 2017),
// with norms before each part.
type transformer struct {
	English, Spanish *layers.Embedding
	Positions        *layers.SinePositions
	Reader           []*layers.TransformerEncoderBlock
	Writer           []*layers.TransformerDecoderBlock
	Read, Written    *layers.LayerNorm
	Words            *layers.Dense
}

const transformerDropout = 0.1

func newTransformer(rng *rand.Rand, english, spanish int) *transformer {
	const blocks, heads, inner = 2, 4, 256
	table := layers.EmbeddingOptions{Weights: small, Padding: []int{text.Padding}, Whole: true}
	options := layers.TransformerOptions{Dropout: transformerDropout}
	n := &transformer{
		English:   layers.NewEmbeddingWith(rng, english, width, table),
		Spanish:   layers.NewEmbeddingWith(rng, spanish, width, table),
		Positions: layers.NewSinePositions(longest+1, width),
		Read:      layers.NewLayerNorm(width),
		Written:   layers.NewLayerNorm(width),
		Words:     layers.NewDense(rng, width, spanish),
	}
	for range blocks {
		n.Reader = append(n.Reader, layers.NewTransformerEncoderBlockWith(rng, width, heads, inner, options))
		n.Writer = append(n.Writer, layers.NewTransformerDecoderBlockWith(rng, width, heads, inner, options))
	}
	layers.Name(n)
	layers.Convert(n, autograd.Float32)
	return n
}

// small draws words of about the length 1, which numbers makes longer.
func small(rng *rand.Rand, _, _ int, shape ...int) autograd.Tensor {
	return autograd.Normal(rng, 0, 1/math.Sqrt(width), shape...)
}

func (n *transformer) Params() []*autograd.Param { return layers.ParamsOf(n) }

func (n *transformer) scores(g *autograd.Graph, english, spanish autograd.Ints) autograd.Value {
	return n.translate(g, english, spanish, text.Lengths(english))
}

func (n *transformer) translate(g *autograd.Graph, english, spanish, lengths autograd.Ints) autograd.Value {
	memory, visible := n.read(g, english, lengths)
	x := n.numbers(g, n.Spanish, spanish, 0)
	for _, b := range n.Writer {
		x = b.Run(x, memory, layers.AttendOptions{}, visible)
	}
	return n.Words.Forward(n.Written.Forward(x))
}

// numbers returns those of words and of their positions from first on.
func (n *transformer) numbers(g *autograd.Graph, table *layers.Embedding, ids autograd.Ints, first int) autograd.Value {
	return n.Positions.From(table.Lookup(g, ids).MulScalar(math.Sqrt(width)), first).Dropout(transformerDropout)
}

// read returns a memory of the English words, [rows, seen, width], and what of
// it is not padding.
func (n *transformer) read(g *autograd.Graph, english, lengths autograd.Ints) (autograd.Value, layers.AttendOptions) {
	x, visible := n.numbers(g, n.English, english, 0), layers.AttendOptions{Lengths: lengths}
	for _, b := range n.Reader {
		x = b.Run(x, visible)
	}
	return n.Read.Forward(x), visible
}

// writer keeps the keys and values of what was read and written.
func (n *transformer) writer(english autograd.Ints) decode.Step {
	m, visible := n.read(reading(), english, text.Lengths(english))
	memory, cache, g := m.Tensor(), layers.NewCache(longest), reading()
	return func(tokens, parents []int) autograd.Tensor {
		g.Reset()
		visible.Lengths, memory = visible.Lengths.Take(parents...), memory.Take(parents...)
		if cache.Len() > 0 {
			cache.Take(parents...)
		}
		x := n.numbers(g, n.Spanish, column(tokens), cache.Len())
		for _, b := range n.Writer {
			x = b.Next(x, g.Constant(memory), cache, visible)
		}
		return next(n.Words.Forward(n.Written.Forward(x)))
	}
}

// looks returns the means over the heads of the last block.
func (n *transformer) looks(english, spanish autograd.Ints) autograd.Tensor {
	g := reading()
	memory, visible := n.read(g, english, text.Lengths(english))
	x := n.numbers(g, n.Spanish, spanish, 0)
	last := len(n.Writer) - 1
	for _, b := range n.Writer[:last] {
		x = b.Run(x, memory, layers.AttendOptions{}, visible)
	}
	weights := n.Writer[last].Weights(x, memory, layers.AttendOptions{}, visible)
	return weights.Mean(1).Reshape(spanish.Dim(1), english.Dim(1)).Tensor()
}
