package autograd_test

import (
	"math"
	"slices"

	"nabla/autograd"
)

// ctcTwin adds up the probabilities of all sequences of classes that give the
// labels.
func ctcTwin(labels autograd.Ints, o autograd.CTCOptions) func(in ...grid) grid {
	return func(in ...grid) grid {
		x := in[0]
		longest := labels.Dim(1)
		return build([]int{x.shape[0]}, func(at []int) float64 {
			sample, steps, n := at[0], x.shape[1], longest
			if o.Lengths.Size() > 0 {
				steps = o.Lengths.Values()[sample]
			}
			if o.LabelLengths.Size() > 0 {
				n = o.LabelLengths.Values()[sample]
			}
			want := labels.Values()[sample*longest : sample*longest+n]
			sum := 0.0
			var visit func(path []int, score float64)
			visit = func(path []int, score float64) {
				if len(path) == steps {
					if slices.Equal(collapsed(path, o.Blank), want) {
						sum += math.Exp(score)
					}
					return
				}
				for class := range x.shape[2] {
					visit(append(slices.Clone(path), class), score+x.at(sample, len(path), class))
				}
			}
			visit(nil, 0)
			if sum == 0 && o.ZeroInfinity {
				return 0
			}
			return -math.Log(sum)
		})
	}
}

// collapsed returns the labels that a sequence of classes gives.
func collapsed(path []int, blank int) (labels []int) {
	labels = []int{}
	for i, class := range path {
		if class != blank && (i == 0 || path[i-1] != class) {
			labels = append(labels, class)
		}
	}
	return labels
}

func ctcOf(labels autograd.Ints, o autograd.CTCOptions) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return in[0].CTC(labels, o) }
}

var (
	ctcLabels  = autograd.NewInts([]int{1, 2, 1, 1}, 2, 2)
	ctcLengths = autograd.CTCOptions{Blank: 2, Lengths: autograd.NewInts([]int{4, 2, 3}), LabelLengths: autograd.NewInts([]int{2, 0, 1})}
	ctcPadded  = autograd.NewInts([]int{1, 0, 9, 9, 0, -1}, 3, 2)
	ctcEmpty   = autograd.NewInts(nil, 0, 2)
	ctcNone    = autograd.NewInts(nil, 2, 0)
	ctcLong    = autograd.NewInts([]int{1, 2, 3, 4, 4}, 1, 5)
	ctcZero    = autograd.CTCOptions{ZeroInfinity: true}
)

var ctcRows = []opRow{
	{op: "ctc", shapes: [][]int{{2, 4, 3}}, more: [][][]int{{{2, 3, 3}}, {{2, 5, 4}}}, lo: -2, hi: 1, f: ctcOf(ctcLabels, autograd.CTCOptions{}), twin: ctcTwin(ctcLabels, autograd.CTCOptions{})},
	{op: "ctc", note: "lengths", shapes: [][]int{{3, 4, 3}}, more: [][][]int{{{3, 5, 3}}}, lo: -2, hi: 1, f: ctcOf(ctcPadded, ctcLengths), twin: ctcTwin(ctcPadded, ctcLengths)},
	{op: "ctc", note: "nothing", shapes: [][]int{{0, 4, 3}}, lo: -2, hi: 1, f: ctcOf(ctcEmpty, autograd.CTCOptions{}), twin: ctcTwin(ctcEmpty, autograd.CTCOptions{})},
	{op: "ctc", note: "no labels", shapes: [][]int{{2, 3, 2}}, more: [][][]int{{{2, 1, 1}}}, lo: -2, hi: 1, f: ctcOf(ctcNone, autograd.CTCOptions{}), twin: ctcTwin(ctcNone, autograd.CTCOptions{})},
	{op: "ctc", note: "as many steps as it takes", shapes: [][]int{{1, 6, 5}}, lo: -2, hi: 1, f: ctcOf(ctcLong, autograd.CTCOptions{}), twin: ctcTwin(ctcLong, autograd.CTCOptions{})},
	{op: "ctc", note: "too few steps for one of two", shapes: [][]int{{2, 2, 3}}, lo: -2, hi: 1, f: ctcOf(ctcLabels, ctcZero), twin: ctcTwin(ctcLabels, ctcZero)},
}
