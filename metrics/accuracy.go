package metrics

import (
	"math"

	"nabla/autograd"
)

// Accuracy returns the share of rows whose class is predicted right, from 0 to
// 1. If the last axis holds several classes, a row of the target, one-hot or
// probabilities, stands for the class with the largest number, the first of
// equals; so does a row of the prediction, probabilities or logits alike.
// Otherwise, for [rows] or [rows, 1], it is [BinaryAccuracy].
//
// It panics with an *[autograd.ShapeError] if the shapes differ or there are no
// classes, and as [BinaryAccuracy] does.
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

// BinaryAccuracy returns the share of probabilities on the right side of ½:
// [BinaryAccuracyAt] with a threshold of 0.5. It panics as that does.
func BinaryAccuracy(prediction, target autograd.Tensor) float64 {
	return binaryAccuracy("metrics: BinaryAccuracy", prediction, target, 0.5)
}

// BinaryAccuracyAt returns the share of elements, from 0 to 1, whose prediction
// exceeds the threshold exactly if the target is 1. For logits the threshold
// that stands for a probability of ½ is 0.
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
