package autograd_test

import (
	"slices"

	"nabla/autograd"
)

// words are ids in two sentences; 0 is padding in some rows.
var words = autograd.NewInts([]int{2, 0, 2, 1, 1, 0}, 2, 3)

// lookedUp is the twin of an embedding.
func lookedUp(ids autograd.Ints) func(in ...grid) grid {
	return func(in ...grid) grid {
		return build(append(ids.Shape(), in[0].shape[1:]...), func(at []int) float64 {
			rank := len(ids.Shape())
			row := ids.Values()[offset(ids.Shape(), at[:rank])]
			return in[0].at(append([]int{row}, at[rank:]...)...)
		})
	}
}

// rowRows are the operations that look up rows of a table.
var rowRows = []opRow{
	{op: "embedding", shapes: [][]int{{3, 2}}, more: [][][]int{{{3}}, {{4, 0}}, {{3, 1, 2}}, {{5, 7}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Embedding(words) },
		twin: lookedUp(words)},
	{op: "embedding", note: "one id", shapes: [][]int{{3, 2}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value {
			return in[0].Embedding(autograd.NewInts([]int{2}, []int{}...))
		},
		twin: lookedUp(autograd.NewInts([]int{2}, []int{}...))},
	{op: "embedding", note: "no ids", shapes: [][]int{{3, 2}}, more: [][][]int{{{0, 2}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Embedding(autograd.NewInts([]int{}, 2, 0)) },
		twin: lookedUp(autograd.NewInts([]int{}, 2, 0))},
	{op: "embedding with", shapes: [][]int{{3, 2}}, lo: -3, hi: 3, // what is padding, f takes from a constant: the difference would see it
		f: func(in ...autograd.Value) autograd.Value {
			padded := autograd.EmbeddingOptions{Padding: []int{0}}
			fixed := in[0].Detach().Mul(in[0].Graph().Constant(autograd.NewTensor([]float64{1, 0, 0}, 3, 1)))
			return in[0].EmbeddingWith(words, padded).Sub(fixed.Embedding(words))
		},
		twin: func(in ...grid) grid {
			x := grid{in[0].shape, slices.Clone(in[0].data)}
			x.data[0], x.data[1] = 0, 0
			return lookedUp(words)(x)
		}},
}
