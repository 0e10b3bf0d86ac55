package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/data/verses"
	"nabla/layers"
)

// A reader scores the groups that a verse may belong to.
type reader struct {
	Words *layers.Embedding
	GRU   *layers.GRU // or nil
	Out   *layers.Dense
}

const width = 64

// newReader returns a network and its learning rate.
func newReader(name string, rng *rand.Rand, words int) (*reader, float64, error) {
	r := &reader{Words: layers.NewEmbeddingWith(rng, words, width, layers.EmbeddingOptions{
		Padding: []int{text.Padding}, Weights: small,
	})}
	rate := 5e-3
	switch name {
	case "gru":
		r.GRU = layers.NewGRUWith(rng, width, width, layers.RecurrentOptions{Bidirectional: true})
		r.Out = layers.NewDense(rng, 4*width, len(verses.GroupNames()))
	default:
		return nil, 0, fmt.Errorf("there is no network %q: gru or transformer", name)
	}
	layers.Name(r)
	layers.Convert(r, autograd.Float32)
	return r, rate, nil
}

// small draws from the normal distribution of deviation 0.1.
func small(rng *rand.Rand, _, _ int, shape ...int) autograd.Tensor {
	return autograd.Normal(rng, 0, 0.1, shape...)
}

func (r *reader) Params() []*autograd.Param { return layers.ParamsOf(r) }

// scores returns those of the groups for each row of padded ids.
func (r *reader) scores(g *autograd.Graph, ids autograd.Ints) autograd.Value {
	return r.read(r.Words.Lookup(g, ids), ids)
}

// read goes through the numbers of words, [rows, steps, width], and scores the
// groups by means and maxima over the words.
func (r *reader) read(x autograd.Value, ids autograd.Ints) autograd.Value {
	lengths := lengthsOf(ids)
	y, _ := r.GRU.RunWith(x.Dropout(0.3), layers.State{}, layers.RunOptions{Lengths: lengths})
	isWord := x.Graph().Constant(maskOf(ids)) // [rows, steps, 1]
	mean := y.Mul(isWord).Sum(1).Div(isWord.Sum(1))
	most := autograd.Where(isWord, y, x.Graph().Scalar(math.Inf(-1))).Max(1)
	return r.Out.Forward(autograd.Concat(1, mean, most).Dropout(0.3))
}

// lengthsOf returns how many words each row has.
func lengthsOf(ids autograd.Ints) autograd.Ints {
	rows, steps := ids.Shape()[0], ids.Shape()[1]
	lengths := make([]int, rows)
	for i, id := range ids.Values() {
		if id != text.Padding {
			lengths[i/steps] = i%steps + 1
		}
	}
	return autograd.NewInts(lengths, rows)
}

// maskOf returns 1 where there is a word, [rows, steps, 1].
func maskOf(ids autograd.Ints) autograd.Tensor {
	mask := autograd.Zeros(append(ids.Shape(), 1)...)
	for i, id := range ids.Values() {
		if id != text.Padding {
			mask.Raw64()[i] = 1
		}
	}
	return mask
}

// shares returns the group with the highest score for a verse [1, steps], and
// how much each word spoke for it: the gradient of the score times the word's
// numbers, as a part of the largest.
func (r *reader) shares(ids autograd.Ints) (group int, shares []float64) {
	ids = ids.Reshape(ids.Size())
	n := lengthsOf(ids.Reshape(1, ids.Size())).Item()
	ids = autograd.NewInts(ids.Values()[:n], 1, n)
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, Eval: true, Trace: true})
	x := r.Words.Lookup(g, ids)
	scores := r.read(x, ids)
	group = scores.ArgMax(1).Item()
	grads := scores.Select(1, group).Sum().Backward()
	product, most := g.Constant(grads.Of(x)).Mul(x).Sum(-1).Tensor().Float64s(), 0.0
	for _, share := range product {
		most = max(most, math.Abs(share))
	}
	for i := range product {
		product[i] /= max(most, math.SmallestNonzeroFloat64)
	}
	return group, product
}
