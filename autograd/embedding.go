package autograd

import (
	"slices"

	"nabla/internal/kernel"
)

var opEmbedding = operation{name: "embedding", method: "Embedding"}

// Embedding returns the rows of a table x, [words, …], at the ids, which may
// repeat. The axes of the ids replace the first: a table [words, 8] by ids
// [batch, steps] gives [batch, steps, 8].
//
//	gx = gy added up at the rows
//
// It panics with an [*IndexError] that names the place of an id outside [0,
// words), and with a [*ShapeError] for a scalar.
func (x Value) Embedding(ids Ints) Value { return x.EmbeddingWith(ids, EmbeddingOptions{}) }

// EmbeddingOptions are what [Value.Embedding] leaves out.
type EmbeddingOptions struct {
	// Padding are ids that stand for nothing, such as what fills a batch of
	// sentences up. Their rows are read like others, but get no gradient:
	// PyTorch's padding_idx.
	Padding []int

	// Whole makes the gradient of a Param one of its whole size, so that an
	// optimizer steps every row: those of rare words go on by what Adam, or
	// momentum, remembers of them. That is PyTorch's default (sparse=False). It
	// takes time for every row of the table.
	Whole bool
}

// EmbeddingWith is [Value.Embedding] with padding among the ids.
func (x Value) EmbeddingWith(ids Ints, o EmbeddingOptions) Value {
	g, table := x.g, x.node(opEmbedding.method)
	if table.shape.rank() == 0 {
		panic(shapeError(opEmbedding.method, "a scalar has no rows", "", table.shape.dims))
	}
	ids.check(opEmbedding.method)
	words := table.shape.dims[0]
	ids.within(opEmbedding.method, "id", words)
	for _, id := range o.Padding {
		if id < 0 || id >= words {
			panic(NewIndexError(opEmbedding.method, "padding", id, words))
		}
	}
	dims := append(g.ints.take(len(ids.shape) + table.shape.rank() - 1)[:0], ids.shape...)
	if o.Whole {
		table.flags |= usedWhole
	}
	n := g.record(&opEmbedding, embeddingRule, g.newShape(opEmbedding.method, append(dims, table.shape.dims[1:]...)), x)
	e := g.extraOf(n)
	e.ints = g.copied(ids.values)
	e.take(ids)
	e.whole = o.Whole
	if len(o.Padding) > 0 {
		e.chosen = g.learning(ids.values, o.Padding)
	}
	g.byIndex(n, table, e.ints, 1, len(e.ints), words, spanOf(table.shape, 0).inner, kernel.Gather, kernel.Gather)
	return g.done()
}

// learning returns the places of the ids that are not padding.
func (g *Graph) learning(ids, padding []int) []int32 {
	places := g.ids.take(len(ids))[:0]
	for i, id := range ids {
		if !slices.Contains(padding, id) {
			places = append(places, int32(i))
		}
	}
	return places
}

func embeddingRule(r *Rule) {
	if !r.handOnRows() {
		r.Add(0, r.embeddingGradient())
	}
}

// embeddingGradient returns the gradient of the whole table.
func (r *Rule) embeddingGradient() Value {
	table := r.g.at(r.n.in[0]).shape
	ids := r.n.ints()
	dims := append(r.g.ints.take(table.rank())[:0], len(ids))
	gy := r.Grad().Reshape(append(dims, table.dims[1:]...)...)
	if learning := r.n.extra.chosen; learning != nil {
		places, learned := r.g.ints.take(len(learning)), r.g.ints.take(len(learning))
		for i, place := range learning {
			places[i], learned[i] = int(place), ids[place]
		}
		gy, ids = gy.indexSelect(0, places), learned
	}
	return gy.sumAt(&opIndexAdd, 0, ids, table.dims[0]).tookAs(r)
}
