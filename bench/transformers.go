package main

import (
	"math"
	"math/rand/v2"
	"strings"

	"nabla/autograd"
	"nabla/layers"
)

// W8 is transformers: a block of width 128 on 8 sequences of 64 steps,
// attention to 4,096 steps, and a token of a GPT that has written 255.
const (
	blockBatch   = 8
	blockSteps   = 64
	blockWidth   = 128
	blockHeads   = 4
	blockInner   = 4 * blockWidth
	longSteps    = 4096
	gptBlocks    = 4
	gptContext   = 256
	gptAlphabet  = 96
	blockEpsilon = 1e-5
)

func transformers() []workload {
	return []workload{
		{name: "W8-block", nabla: func(p autograd.Precision) func() { return newBlock("W8-block", p).step }, peers: inPython},
		{name: "W8-block-gelu", nabla: func(p autograd.Precision) func() { return newBlock("W8-block-gelu", p).step }, peers: inPython},
		{name: "W8-attention-4096", nabla: func(p autograd.Precision) func() { return newLongAttention(p).step }, peers: inPython[:1]},
		{name: "W8-token", nabla: func(p autograd.Precision) func() { return newGPT(p).step }, peers: inPython[:1]},
	}
}

// spreadParams fills a layer's Params with the numbers of its peers: the
// matrices by their inputs, the norms' scales with 1 and all other vectors with
// 0. The nth matrix has seed n.
func spreadParams(p autograd.Precision, params []*autograd.Param) {
	seed := 0
	for _, param := range params {
		switch {
		case param.Rank() == 2:
			param.Set(spread(p, math.Sqrt(3/float64(param.Dim(0))), seed, param.Shape()...))
			seed++
		case strings.Contains(param.Name(), "norm") && strings.HasSuffix(param.Name(), "weight"):
			param.Set(autograd.Ones(param.Shape()...).In(p))
		default:
			param.Set(autograd.Zeros(param.Shape()...).In(p))
		}
	}
}

// A block is W8-block: forward, and backward to input and weights from a
// gradient that is given.
type block struct {
	g       *autograd.Graph
	model   *layers.TransformerEncoderBlock
	x, seed autograd.Tensor
	in      autograd.Value
	grads   autograd.Gradients
}

func newBlock(name string, p autograd.Precision) *block {
	options := layers.TransformerOptions{Precision: p}
	if strings.HasSuffix(name, "gelu") {
		options.Activation = layers.GELU()
	}
	model := layers.NewTransformerEncoderBlockWith(rand.New(rand.NewPCG(8, 0)), blockWidth, blockHeads, blockInner, options)
	spreadParams(p, model.Params())
	return &block{
		g: autograd.NewGraph(autograd.Options{Precision: p}), model: model,
		x:    spread(p, 1, 100, blockBatch, blockSteps, blockWidth),
		seed: spread(p, 1, 101, blockBatch, blockSteps, blockWidth),
	}
}

func (b *block) step() {
	b.g.Reset()
	b.in = b.g.Variable(b.x)
	b.grads = b.model.Forward(b.in).BackwardFrom(b.seed)
}

// check returns the sum of the squares of the gradients.
func (b *block) check() float64 {
	sum := squares(b.grads.Of(b.in))
	for _, gradient := range b.grads.All() {
		sum += squares(gradient)
	}
	return sum
}

func squares(t autograd.Tensor) float64 {
	sum := 0.0
	for _, v := range t.Float64s() {
		sum += v * v
	}
	return sum
}

// A longAttention is W8-attention-4096: the operation alone, forward and
// backward, in four heads of width 32.
type longAttention struct {
	g     *autograd.Graph
	qkv   [3]autograd.Tensor
	in    [3]autograd.Value
	seed  autograd.Tensor
	grads autograd.Gradients
}

func newLongAttention(p autograd.Precision) *longAttention {
	l := &longAttention{g: autograd.NewGraph(autograd.Options{Precision: p})}
	for i := range l.qkv {
		l.qkv[i] = spread(p, 1, i, 1, 4, longSteps, 32)
	}
	l.seed = spread(p, 1, 3, 1, 4, longSteps, 32)
	return l
}

func (l *longAttention) step() {
	l.g.Reset()
	for i, t := range l.qkv {
		l.in[i] = l.g.Variable(t)
	}
	y := autograd.Attention(l.in[0], l.in[1], l.in[2], autograd.AttentionOptions{})
	l.grads = y.BackwardFrom(l.seed)
}

func (l *longAttention) check() float64 {
	sum := 0.0
	for _, x := range l.in {
		sum += squares(l.grads.Of(x))
	}
	return sum
}

// A gpt is W8-token: the 256th character of a text, from the cache of those
// before it to the logits of the next.
type gpt struct {
	g         *autograd.Graph
	embedding *layers.Embedding
	positions *layers.LearnedPositions
	blocks    []*layers.TransformerEncoderBlock
	norm      *layers.LayerNorm
	head      *layers.Dense
	cache     *layers.Cache
	id        autograd.Ints
	logits    autograd.Value
}

func newGPT(p autograd.Precision) *gpt {
	rng := rand.New(rand.NewPCG(8, 0))
	options := layers.TransformerOptions{Activation: layers.GELU(), Precision: p}
	m := &gpt{
		g:         autograd.NewGraph(autograd.Options{NoGrad: true, Precision: p}),
		embedding: layers.NewEmbeddingWith(rng, gptAlphabet, blockWidth, layers.EmbeddingOptions{Precision: p}),
		positions: layers.NewLearnedPositionsWith(rng, gptContext, blockWidth, layers.LearnedPositionsOptions{Precision: p}),
		norm:      layers.NewLayerNormWith([]int{blockWidth}, layers.NormOptions{Precision: p, Name: "norm"}),
		head:      layers.NewDenseWith(rng, blockWidth, gptAlphabet, layers.DenseOptions{Precision: p}),
		cache:     layers.NewCache(gptContext),
		id:        autograd.NewInts([]int{7}, 1, 1),
	}
	params := append(m.embedding.Params(), m.positions.Params()...)
	for range gptBlocks {
		b := layers.NewTransformerEncoderBlockWith(rng, blockWidth, blockHeads, blockInner, options)
		m.blocks = append(m.blocks, b)
		params = append(params, b.Params()...)
	}
	params = append(append(params, m.norm.Params()...), m.head.Params()...)
	spreadParams(p, params)
	ids := make([]int, gptContext-1)
	for i := range ids {
		ids[i] = i % gptAlphabet
	}
	m.read(autograd.NewInts(ids, 1, len(ids)))
	return m
}

func (m *gpt) read(ids autograd.Ints) {
	m.g.Reset()
	x := m.positions.From(m.embedding.Lookup(m.g, ids), m.cache.Len())
	for _, b := range m.blocks {
		x = b.Next(x, m.cache)
	}
	m.logits = m.head.Forward(m.norm.Forward(x))
}

func (m *gpt) step() {
	m.cache.Cut(gptContext - 1)
	m.read(m.id)
}

// check returns the sum of the squares of the logits.
func (m *gpt) check() float64 { return squares(m.logits.Tensor()) }
