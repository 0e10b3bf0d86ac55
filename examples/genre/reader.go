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
	Body  body
	Out   *layers.Dense
}

// A body goes through the numbers of words [rows, steps, width]. The lengths
// say where the rows end, the mask [rows, steps, 1] which words there are.
type body interface {
	layers.Layer
	over(x autograd.Value, lengths autograd.Ints, mask autograd.Value) autograd.Value
}

// A gru is a body that goes through the words in both directions.
type gru struct{ *layers.GRU }

func (b gru) over(x autograd.Value, lengths autograd.Ints, _ autograd.Value) autograd.Value {
	y, _ := b.RunWith(x, layers.State{}, layers.RunOptions{Lengths: lengths})
	return y
}

// An encoder is a body in which each word looks at all others.
type encoder struct {
	*layers.TransformerEncoderBlock
	positions *layers.SinePositions
}

func (b encoder) over(x autograd.Value, _ autograd.Ints, mask autograd.Value) autograd.Value {
	x = b.positions.Forward(x.MulScalar(10)) // positions are from −1 to 1
	return b.Run(x, layers.AttendOptions{Mask: mask.Reshape(x.Dim(0), 1, 1, x.Dim(1))})
}

const (
	width     = 64
	mostWords = 128 // of a verse, with its punctuation
)

// newReader returns a network and its learning rate.
func newReader(name string, rng *rand.Rand, words int) (*reader, float64, error) {
	r := &reader{Words: layers.NewEmbeddingWith(rng, words, width, layers.EmbeddingOptions{
		Padding: []int{text.Padding}, Weights: small, Whole: true,
	})}
	rate, found := 5e-3, 2*width
	switch name {
	case "gru":
		r.Body = gru{layers.NewGRUWith(rng, width, width, layers.RecurrentOptions{Bidirectional: true})}
	case "transformer":
		rate, found = 3e-3, width
		r.Body = encoder{layers.NewTransformerEncoderBlockWith(rng, width, 4, 2*width, layers.TransformerOptions{
			NormLast: true, Activation: layers.GELU(), Dropout: 0.3,
		}), layers.NewSinePositions(mostWords, width)}
	default:
		return nil, 0, fmt.Errorf("there is no network %q: gru or transformer", name)
	}
	r.Out = layers.NewDense(rng, 2*found, len(verses.GroupNames()))
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
	isWord := x.Graph().Constant(maskOf(ids)) // [rows, steps, 1]
	y := r.Body.over(x.Dropout(0.3), lengths, isWord)
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
