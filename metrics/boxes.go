package metrics

import (
	"cmp"
	"math"
	"slices"

	"nabla/autograd"
)

// A box is a row of four numbers: left, top, right, bottom, in any unit, with
// y downwards. A box whose right is not beyond its left, or whose bottom is not
// below its top, has no area. Rows are read as [4]float64.

// BoxIoU returns the intersection over union of each box of a [n, 4] with each
// of b [m, 4], in the shape [n, m]. Boxes are rows of left, top, right, bottom.
// With a box without area it is 0, and with a NaN it is NaN.
//
// It panics with an *[autograd.ShapeError] for tensors of another shape.
func BoxIoU(a, b autograd.Tensor) autograd.Tensor {
	const op = "metrics: BoxIoU"
	as, bs := boxesOf(op, a), boxesOf(op, b)
	values := make([]float64, 0, len(as)*len(bs))
	for _, p := range as {
		for _, q := range bs {
			values = append(values, boxIoU(p, q))
		}
	}
	return autograd.NewTensor(values, len(as), len(bs))
}

// boxesOf returns the rows of a tensor of boxes.
func boxesOf(op string, t autograd.Tensor) [][4]float64 {
	mustExist(op, "tensor of boxes", t)
	if t.Rank() != 2 || t.Dim(1) != 4 {
		panic(autograd.NewShapeError(op, "boxes are rows of left, top, right, bottom", t.Shape()))
	}
	boxes := make([][4]float64, 0, t.Dim(0))
	for row := range slices.Chunk(t.Float64s(), 4) {
		boxes = append(boxes, [4]float64(row))
	}
	return boxes
}

func boxIoU(p, q [4]float64) float64 {
	left, top, right, bottom := max(p[0], q[0]), max(p[1], q[1]), min(p[2], q[2]), min(p[3], q[3])
	common := area([4]float64{left, top, right, bottom})
	all := area(p) + area(q) - common
	if all == 0 {
		return 0
	}
	return common / all
}

func area(b [4]float64) float64 { return max(b[2]-b[0], 0) * max(b[3]-b[1], 0) }

// NonMaximumSuppression returns the rows of boxes [n, 4] that remain when each
// box removes those that overlap with it by more than the threshold and have a
// lower score, from the highest score down: what a detector found more than
// once is left once. The rows are in descending order of their scores [n], and
// of equal scores the first comes first. A box that was removed removes none.
//
// It knows nothing of classes and images: see [Detections.Suppress].
//
// It panics with an *[autograd.ShapeError] for tensors of other shapes, and
// with an *[autograd.ArgumentError] if the threshold is not in [0, 1] or a box
// or score is NaN.
func NonMaximumSuppression(boxes, scores autograd.Tensor, threshold float64) []int {
	const op = "metrics: NonMaximumSuppression"
	rows := boxesOf(op, boxes)
	s := scoresOf(op, scores, len(rows))
	mustBeShare(op, threshold)
	mustNotBeNaN(op, rows, s)
	return suppress(rows, s, byScore(s), threshold)
}

// suppress returns what remains of the boxes of an order.
func suppress(boxes [][4]float64, scores []float64, order []int, threshold float64) []int {
	var kept []int
	for _, i := range order {
		if !slices.ContainsFunc(kept, func(j int) bool { return boxIoU(boxes[i], boxes[j]) > threshold }) {
			kept = append(kept, i)
		}
	}
	return kept
}

// byScore returns the indices in descending order of their scores, equal ones
// in ascending order.
func byScore(scores []float64) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(scores[j], scores[i]) })
	return order
}

func scoresOf(op string, t autograd.Tensor, n int) []float64 {
	mustExist(op, "tensor of scores", t)
	if t.Rank() != 1 || t.Dim(0) != n {
		panic(autograd.NewShapeError(op, "the scores are not one for each box", t.Shape(), []int{n}))
	}
	return t.Float64s()
}

func mustBeShare(op string, threshold float64) {
	if !(threshold >= 0 && threshold <= 1) {
		panic(autograd.NewArgumentError(op, "a threshold of %v, want a number from 0 to 1", threshold))
	}
}

func mustNotBeNaN(op string, boxes [][4]float64, scores []float64) {
	for i, box := range boxes {
		if anyNaN(box[:]) || scores != nil && math.IsNaN(scores[i]) {
			panic(autograd.NewArgumentError(op, "box %d, %v, or its score is NaN", i, box))
		}
	}
}
