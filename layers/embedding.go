package layers

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"nabla/autograd"
)

// An Embedding is a table with a row of numbers for each word of a vocabulary,
// or for anything else that has an id. It is no [Layer], since ids are not
// Values: its method is [Embedding.Lookup]. Its weights are [words, width],
// as those of PyTorch's Embedding.
//
// If the table is used by Lookup alone, its gradient and an optimizer's step
// touch the rows that were looked up, and no others, as with sparse=True in
// PyTorch. By PyTorch's default all rows go on by what Adam remembers of their
// gradients, and the row of a rare word about ten times as far: Whole does so
// too.
type Embedding struct {
	Weight  *autograd.Param // [words, width]
	Padding []int           // ids whose rows get no gradient
	Whole   bool            // an optimizer steps all rows
	label
}

// EmbeddingOptions are what [NewEmbedding] leaves at its defaults, which are
// those of the zero EmbeddingOptions.
type EmbeddingOptions struct {
	Weights   Initializer        // nil: the normal distribution of mean 0 and deviation 1
	Padding   []int              // ids whose rows are 0 at first and get no gradient
	Whole     bool               // an optimizer steps all rows, as PyTorch does by default: see autograd.EmbeddingOptions
	Name      string             // of the scope and, with ".weight", of the Param
	Precision autograd.Precision // of the Param
}

// NewEmbedding returns a table of that many words and numbers for each, which
// are drawn from the normal distribution of mean 0 and deviation 1, as
// PyTorch's. It panics with an *[autograd.ArgumentError] if a number is not
// positive or the rng is nil.
func NewEmbedding(rng *rand.Rand, words, width int) *Embedding {
	return NewEmbeddingWith(rng, words, width, EmbeddingOptions{})
}

// NewEmbeddingWith is [NewEmbedding] with other initial weights, padding, a
// name, or another precision. The Initializer is told that width numbers come
// from one. It panics with an *[autograd.IndexError] for a padding that is no
// id, and with an *[autograd.ShapeError] if the Initializer does not return the
// shape [words, width].
func NewEmbeddingWith(rng *rand.Rand, words, width int, options EmbeddingOptions) *Embedding {
	const op = "layers: Embedding"
	if words < 1 || width < 1 {
		panic(autograd.NewArgumentError(op, "%d words and a width of %d: both must be positive", words, width))
	}
	if options.Weights == nil {
		options.Weights = standardNormal
	}
	e := &Embedding{Padding: slices.Clone(options.Padding), Whole: options.Whole, label: userLabel(options.Name)}
	e.Weight = newWeight(op, options.Weights, rng, options.Precision, 1, width, words, width)
	for _, id := range e.Padding {
		if id < 0 || id >= words {
			panic(autograd.NewIndexError(op, "padding", id, words))
		}
		w := e.Weight.Writable()
		if w.Precision() == autograd.Float32 {
			clear(w.Raw32()[id*width : (id+1)*width])
		} else {
			clear(w.Raw64()[id*width : (id+1)*width])
		}
	}
	e.place(newNaming(), "")
	return e
}

func standardNormal(rng *rand.Rand, _, _ int, shape ...int) autograd.Tensor {
	return normal("Embedding", rng, 1, shape)
}

// Name returns the table's name, which is "embedding" until it has one.
func (e *Embedding) Name() string { return e.or("embedding") }

func (e *Embedding) place(n *naming, path string) {
	e.check()
	placeAll(n, path+e.Name(), e.Weight, nil)
}

// Size returns the numbers of words and of numbers for each.
func (e *Embedding) Size() (words, width int) {
	e.check()
	return e.Weight.Dim(0), e.Weight.Dim(1)
}

// check panics unless there is a table: it may have been set by hand.
func (e *Embedding) check() {
	if e == nil || e.Weight == nil {
		panic(autograd.NewArgumentError("layers: Embedding", "there is no Weight"))
	}
	if e.Weight.Rank() != 2 {
		panic(autograd.NewShapeError(e.op(), "the weights are not a table [words, width]", e.Weight.Shape()))
	}
}

// op is what errors call the table.
func (e *Embedding) op() string { return fmt.Sprintf("layers: Embedding %q", e.Name()) }

// Params returns the weights.
func (e *Embedding) Params() []*autograd.Param { return present(e.Weight) }

// Lookup returns the rows of the ids, which may have any shape: ids [batch,
// steps] give [batch, steps, width]. It panics with an *[autograd.IndexError]
// that names the place of an id outside the vocabulary, and with an
// *[autograd.ArgumentError] without a Weight.
func (e *Embedding) Lookup(g *autograd.Graph, ids autograd.Ints) autograd.Value {
	e.check()
	g.Enter(e.Name())
	defer leave(g, e)
	return g.Param(e.Weight).EmbeddingWith(ids, autograd.EmbeddingOptions{Padding: e.Padding, Whole: e.Whole})
}
