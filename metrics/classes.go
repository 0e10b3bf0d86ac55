package metrics

import (
	"math"
	"slices"

	"nabla/autograd"
)

// Classes returns the class that each row stands for. Of several classes along
// the last axis it is the one with the largest number, the first of equals, so
// that probabilities, logits and one-hot rows all do: [rows, classes] gives
// [rows]. For [rows] and [rows, 1], probabilities or targets of 0 and 1, it is
// [ClassesAt] with a threshold of 0.5.
//
// A row with a NaN gives −1, which is the label of no class:
// [NewConfusionMatrix] panics at it.
//
// It panics with an *[autograd.ShapeError] if the last axis is empty.
func Classes(t autograd.Tensor) autograd.Ints {
	if isBinary(t) {
		return ClassesAt(t, 0.5)
	}
	shape := t.Shape()
	return autograd.NewInts(largest("metrics: Classes", t), shape[:len(shape)-1]...)
}

// ClassesAt returns the class that each number stands for: 1 if it exceeds the
// threshold, else 0. For logits the threshold that stands for a probability of
// ½ is 0. The shape stays as it is, without a last axis of length 1:
// [rows, 1] gives [rows].
//
// A NaN, as number or as threshold, gives −1, which is the label of no class:
// [NewConfusionMatrix] panics at it.
func ClassesAt(t autograd.Tensor, threshold float64) autograd.Ints {
	classes := make([]int, t.Size())
	for i, v := range t.Float64s() {
		switch {
		case v > threshold:
			classes[i] = 1
		case v <= threshold:
			classes[i] = 0
		default:
			classes[i] = -1
		}
	}
	shape := t.Shape()
	if len(shape) > 1 && shape[len(shape)-1] == 1 {
		shape = shape[:len(shape)-1]
	}
	return autograd.NewInts(classes, shape...)
}

// isBinary tells a tensor with one number for each row from one with several
// classes along its last axis.
func isBinary(t autograd.Tensor) bool { return t.Rank() < 2 || t.Dim(-1) == 1 }

// largest returns the place of the largest number along the last axis, and −1
// where there is a NaN.
func largest(op string, t autograd.Tensor) []int {
	width := t.Dim(-1)
	if width == 0 {
		panic(autograd.NewShapeError(op, "the last axis has no classes", t.Shape()))
	}
	classes := make([]int, 0, t.Size()/width)
	for row := range slices.Chunk(t.Float64s(), width) {
		classes = append(classes, largestOf(row))
	}
	return classes
}

func largestOf(row []float64) int {
	best := 0
	for i, v := range row {
		switch {
		case math.IsNaN(v):
			return -1
		case v > row[best]:
			best = i
		}
	}
	return best
}
