package metrics

import (
	"math"

	"nabla/autograd"
)

// Accuracy returns the fraction of rows whose class is predicted correctly,
// from 0 to 1. If the last axis holds several classes, the class of a row is
// the index of its largest number, the first of equal ones: targets may be
// one-hot rows or probabilities, predictions may be probabilities or logits.
// Otherwise, for [rows] or [rows, 1], it is [BinaryAccuracy].
//
// It panics with an *[autograd.ShapeError] if the shapes differ or there are no
// classes, and otherwise as [BinaryAccuracy] does.
//
// Special cases are:
//
//	Accuracy of no rows = NaN
//	a row of several classes with a NaN, in prediction or target, counts as wrong
func Accuracy(prediction, target autograd.Tensor) float64 {
	const op = "metrics: Accuracy"
	mustMatch(op, prediction, target)
	if isBinary(target) {
		return binaryAccuracy(op, prediction, target, 0.5)
	}
	predicted, actual := largest(op, prediction), largest(op, target)
	right := 0
	for row, class := range predicted {
		if class == actual[row] && class >= 0 {
			right++
		}
	}
	return float64(right) / float64(len(actual))
}

// BinaryAccuracy returns the fraction of probabilities on the correct side of
// ½: it is [BinaryAccuracyAt] with a threshold of 0.5, and panics as that
// does.
func BinaryAccuracy(prediction, target autograd.Tensor) float64 {
	return binaryAccuracy("metrics: BinaryAccuracy", prediction, target, 0.5)
}

// BinaryAccuracyAt returns the fraction of elements, from 0 to 1, that are
// classified correctly, where a prediction above the threshold means class 1.
// For logits, a threshold of 0 corresponds to a probability of ½.
//
// It panics with an *[autograd.ShapeError] if the shapes differ, and with an
// *[autograd.ArgumentError] at a target that is neither 0 nor 1.
//
// Special cases are:
//
//	BinaryAccuracyAt of nothing = NaN
//	BinaryAccuracyAt with a NaN = NaN
//	a prediction equal to the threshold counts as class 0
func BinaryAccuracyAt(prediction, target autograd.Tensor, threshold float64) float64 {
	return binaryAccuracy("metrics: BinaryAccuracyAt", prediction, target, threshold)
}

func binaryAccuracy(op string, prediction, target autograd.Tensor, threshold float64) float64 {
	mustMatch(op, prediction, target)
	probabilities, targets := prediction.Float64s(), target.Float64s()
	mustBeBinary(op, targets)
	if math.IsNaN(threshold) || anyNaN(probabilities) || anyNaN(targets) {
		return math.NaN()
	}
	right := 0
	for i, p := range probabilities {
		if (p > threshold) == (targets[i] == 1) {
			right++
		}
	}
	return float64(right) / float64(len(targets))
}

func anyNaN(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) {
			return true
		}
	}
	return false
}
