package autograd_test

import (
	"math"
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

// edgesTo are the segments of five rows; segment 1 has none.
var edgesTo = autograd.NewInts([]int{2, 0, 2, 3, 0})

// bySegment applies f to each column of each segment's rows.
func bySegment(n int, f func(rows []float64) float64) func(in ...grid) grid {
	return func(in ...grid) grid {
		return build(append([]int{n}, in[0].shape[1:]...), func(at []int) float64 {
			var rows []float64
			for e, s := range edgesTo.Values() {
				if s == at[0] {
					rows = append(rows, in[0].at(append([]int{e}, at[1:]...)...))
				}
			}
			if len(rows) == 0 {
				return 0
			}
			return f(rows)
		})
	}
}

func total(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum
}

var segmentShapes = [][][]int{{{5}}, {{5, 0}}, {{5, 2, 3}}}

// segmentRows are the operations on rows that belong to segments.
var segmentRows = []opRow{
	{op: "segment sum", shapes: [][]int{{5, 2}}, more: segmentShapes, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].SegmentSum(edgesTo, 4) },
		twin: bySegment(4, total)},
	{op: "segment sum", note: "none", shapes: [][]int{{0, 2}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].SegmentSum(autograd.NewInts([]int{}), 3) },
		twin: func(in ...grid) grid { return zeros([]int{3, 2}) }},
	{op: "segment mean", shapes: [][]int{{5, 2}}, more: segmentShapes, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].SegmentMean(edgesTo, 4) },
		twin: bySegment(4, func(x []float64) float64 { return total(x) / float64(len(x)) })},
	{op: "segment max", shapes: [][]int{{5, 2}}, more: segmentShapes, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].SegmentMax(edgesTo, 4) },
		twin: bySegment(4, slices.Max[[]float64])},
	{op: "segment max", note: "all filled", shapes: [][]int{{5, 2}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value {
			return in[0].SegmentMax(autograd.NewInts([]int{1, 0, 1, 1, 0}), 2)
		},
		twin: func(in ...grid) grid {
			return build([]int{2, 2}, func(at []int) float64 {
				rows := [][]int{{1, 4}, {0, 2, 3}}[at[0]]
				most := math.Inf(-1)
				for _, e := range rows {
					most = max(most, in[0].at(e, at[1]))
				}
				return most
			})
		}},
	{op: "segment softmax", shapes: [][]int{{5, 2}}, more: append(segmentShapes, [][]int{{5, 1}}), lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].SegmentSoftmax(edgesTo, 4) },
		twin: func(in ...grid) grid {
			sums := bySegment(4, func(x []float64) (sum float64) {
				for _, v := range x {
					sum += math.Exp(v)
				}
				return sum
			})(in...)
			return build(in[0].shape, func(at []int) float64 {
				s := edgesTo.Values()[at[0]]
				return math.Exp(in[0].at(at...)) / sums.at(append([]int{s}, at[1:]...)...)
			})
		}},
	{op: "segment softmax", note: "none", shapes: [][]int{{0, 2}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].SegmentSoftmax(autograd.NewInts([]int{}), 3) },
		twin: func(in ...grid) grid { return zeros([]int{0, 2}) }},
	{op: "index add", note: "to the last axis", shapes: [][]int{{2, 3}, {2, 2, 2}}, more: [][][]int{{{0, 3}, {0, 2, 2}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value {
			return in[0].IndexAdd(-1, autograd.NewInts([]int{2, 0, 2, 2}, 2, 2), in[1])
		},
		twin: func(in ...grid) grid {
			y := grid{in[0].shape, slices.Clone(in[0].data)}
			for i, v := range in[1].data {
				y.data[offset(y.shape, []int{i / 4, []int{2, 0, 2, 2}[i%4]})] += v
			}
			return y
		}},
}
