package metrics

import (
	"math"
	"slices"

	"nabla/autograd"
)

// Classes returns the class of each row. If the last axis holds several
// classes, it is the index of the largest number, the first of equal ones,
// which works for probabilities, logits and one-hot rows: [rows, classes] gives
// [rows]. For [rows] and [rows, 1], probabilities or targets of 0 and 1, it is
// [ClassesAt] with a threshold of 0.5.
//
// A row with a NaN gives −1, which is not a valid label: [NewConfusionMatrix]
// panics on it.
//
// It panics with an *[autograd.ShapeError] if the last axis is empty.
func Classes(t autograd.Tensor) autograd.Ints {
	mustExist("metrics: Classes", "argument", t)
	if isBinary(t) {
		return ClassesAt(t, 0.5)
	}
	shape := t.Shape()
	return autograd.NewInts(largest("metrics: Classes", t), shape[:len(shape)-1]...)
}

// ClassesAt returns the class of each number: 1 if it is above the threshold,
// else 0. For logits, a threshold of 0 corresponds to a probability of ½. The
// result has the shape of t, without a last axis of length 1: [rows, 1] gives
// [rows].
//
// A NaN, as number or as threshold, gives −1, which is not a valid label:
// [NewConfusionMatrix] panics on it.
func ClassesAt(t autograd.Tensor, threshold float64) autograd.Ints {
	mustExist("metrics: ClassesAt", "argument", t)
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

// isBinary reports whether a tensor has one number per row, and not several
// classes along its last axis.
func isBinary(t autograd.Tensor) bool { return t.Rank() < 2 || t.Dim(-1) == 1 }

// largest returns the index of the largest number along the last axis, and −1
// if there is a NaN.
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
