package autograd_test

import (
	"math"
	"testing"

	"nabla/autograd"
)

// Ties go to the first, a NaN wins, a segment without rows is 0, and infinite
// numbers are numbers.
func TestSegmentMaxAtEdges(t *testing.T) {
	for _, row := range []struct {
		x        []float64
		segments []int
		n        int
		y, gx    []float64
	}{
		{[]float64{2, 2, 1, 2}, []int{0, 0, 1, 0}, 2, []float64{2, 1}, []float64{1, 0, 2, 0}},
		{[]float64{1, math.NaN(), 3, math.NaN()}, []int{0, 0, 0, 0}, 1, []float64{math.NaN()}, []float64{0, 1, 0, 0}},
		{[]float64{-inf, -inf}, []int{2, 2}, 3, []float64{0, 0, -inf}, []float64{3, 0}},
		{[]float64{1, inf}, []int{0, 0}, 1, []float64{inf}, []float64{0, 1}},
		{nil, nil, 2, []float64{0, 0}, nil},
	} {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(autograd.NewTensor(row.x, len(row.x)))
		y := x.SegmentMax(autograd.NewInts(row.segments, len(row.segments)), row.n)
		wantNumbers(t, "max", y.Tensor().Float64s(), row.y, 0)
		grads := y.BackwardFrom(autograd.Arange(1, float64(row.n+1), 1))
		wantNumbers(t, "gradient", grads.Of(x).Float64s(), row.gx, 0)
	}
}

// Large scores do not overflow, −Inf masks an edge, and what has no finite
// score has no shares, as Softmax.
func TestSegmentSoftmaxAtEdges(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(vector(1000, 1000, -inf, 3, -inf, math.NaN(), 5, -2000))
	y := x.SegmentSoftmax(autograd.NewInts([]int{0, 0, 0, 1, 2, 3, 3, 4}), 5)

	wantNumbers(t, "shares", y.Tensor().Float64s(), []float64{0.5, 0.5, 0, 1, nan, nan, nan, 1}, 0)
}

func TestSegmentsThatDoNotFit(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(autograd.Ones(3, 2))
	wantError[*autograd.ShapeError](t, "autograd: SegmentSum: there is not one segment for each row: [3 2] by [2], at %v", func() { x.SegmentSum(autograd.NewInts([]int{0, 1}), 2) })
	wantError[*autograd.ShapeError](t, "autograd: SegmentMax: there is not one segment for each row: [3 2] by [3 1], at %v", func() { x.SegmentMax(autograd.NewInts([]int{0, 1, 0}, 3, 1), 2) })
	wantError[*autograd.ShapeError](t, "autograd: SegmentMean: there is not one segment for each row: [] by [1], at %v", func() { g.Scalar(1).SegmentMean(autograd.NewInts([]int{0}), 2) })
	wantError[*autograd.ArgumentError](t, "autograd: SegmentSoftmax: -1 segments, at %v", func() { x.SegmentSoftmax(autograd.NewInts([]int{0, 0, 0}), -1) })
	wide, two := g.Constant(autograd.Ones(2, 3)), autograd.NewInts([]int{0, 1})
	wantError[*autograd.ShapeError](t, "autograd: IndexAdd: the source does not have the shape of the slices: [2 2] and [2 3], at %v", func() { x.IndexAdd(0, two, wide) })
}
