package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/data/verses"
	"nabla/layers"
	"nabla/train"
)

// A reader scores the groups that a verse may belong to.
type reader struct {
	Words *layers.Embedding
	Body  body
	Out   *layers.Dense
	Wide  struct{ Words, Pairs *layers.Embedding } // the scores [groups] of each
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
	y, _ := b.RunWith(x.Dropout(0.5), layers.State{}, layers.RunOptions{Lengths: lengths})
	return y
}

// An encoder is a body in which each word looks at all others.
type encoder struct {
	*layers.TransformerEncoderBlock
	positions *layers.SinePositions
}

func (b encoder) over(x autograd.Value, _ autograd.Ints, mask autograd.Value) autograd.Value {
	x = b.positions.Forward(x.Dropout(0.3).MulScalar(10)) // positions are from −1 to 1
	return b.Run(x, layers.AttendOptions{Mask: mask.Reshape(x.Dim(0), 1, 1, x.Dim(1))})
}

const (
	width     = 64
	mostWords = 128 // of a verse, with its punctuation
)

// newReader returns a network and its learning rate.
func newReader(name string, rng *rand.Rand, words, pairs int) (*reader, float64, error) {
	groups, padding := len(verses.GroupNames()), []int{text.Padding}
	r := &reader{Words: layers.NewEmbeddingWith(rng, words, width, layers.EmbeddingOptions{Padding: padding, Weights: small, Whole: true})}
	first := layers.EmbeddingOptions{Padding: padding, Weights: layers.ZeroWeights, Whole: true}
	r.Wide.Words, r.Wide.Pairs = layers.NewEmbeddingWith(rng, words, groups, first), layers.NewEmbeddingWith(rng, pairs, groups, first)
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
	r.Out = layers.NewDense(rng, 2*found, groups)
	layers.Name(r)
	layers.Convert(r, autograd.Float32)
	return r, rate, nil
}

// small draws from the normal distribution of deviation 0.1.
func small(rng *rand.Rand, _, _ int, shape ...int) autograd.Tensor {
	return autograd.Normal(rng, 0, 0.1, shape...)
}

func (r *reader) Params() []*autograd.Param { return layers.ParamsOf(r) }

// scores returns those of the groups for each row of words and pairs.
func (r *reader) scores(g *autograd.Graph, batch train.Data) autograd.Value {
	words, pairs := batch.Ids[0], batch.Ids[1]
	return r.read(r.Words.Lookup(g, words), r.wide(g, words, pairs), words)
}

// wide returns the scores of each word with the pair that it ends, [rows,
// steps, groups]. Adam moves every weight by about the rate. A score is five
// times its weight, since no layer follows that would make it larger.
func (r *reader) wide(g *autograd.Graph, words, pairs autograd.Ints) autograd.Value {
	return r.Wide.Words.Lookup(g, words).Add(r.Wide.Pairs.Lookup(g, pairs)).MulScalar(5)
}

// read goes through the numbers x of words, [rows, steps, width], and scores
// the groups by means and maxima over the words. To these scores it adds those
// of the wide part, by the root of how many there are.
func (r *reader) read(x, wide autograd.Value, words autograd.Ints) autograd.Value {
	isWord := x.Graph().Constant(maskOf(words)) // [rows, steps, 1]
	count := isWord.Sum(1)
	y := r.Body.over(x, text.Lengths(words), isWord)
	mean := y.Mul(isWord).Sum(1).Div(count)
	most := autograd.Where(isWord, y, x.Graph().Scalar(math.Inf(-1))).Max(1)
	deep := r.Out.Forward(autograd.Concat(1, mean, most).Dropout(0.3))
	return deep.Add(wide.Sum(1).Div(count.Sqrt()))
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
func (r *reader) shares(words, pairs autograd.Ints) (group int, shares []float64) {
	n := text.Lengths(words.Reshape(1, words.Size())).Item()
	words, pairs = autograd.NewInts(words.Values()[:n], 1, n), autograd.NewInts(pairs.Values()[:n], 1, n)
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, Eval: true, Trace: true})
	x, wide := r.Words.Lookup(g, words), r.wide(g, words, pairs)
	scores := r.read(x, wide, words)
	group = scores.ArgMax(1).Item()
	grads := scores.Select(1, group).Sum().Backward()
	share := func(x autograd.Value) autograd.Value { return g.Constant(grads.Of(x)).Mul(x).Sum(-1) }
	shares, most := share(x).Add(share(wide)).Tensor().Float64s(), math.SmallestNonzeroFloat64
	for _, v := range shares {
		most = max(most, math.Abs(v))
	}
	for i := range shares {
		shares[i] /= most
	}
	return group, shares
}
