package metrics

import (
	"math"

	"nabla/autograd"
)

// AveragePrecision returns the area under the curve of precision and recall of
// a ranking, as a sum without interpolation: the mean, over the elements of
// class 1, of the precision when all elements with at least their score are
// accepted. It is near the fraction of class 1 for a random ranking, and 1 for
// a perfect one; where class 1 is rare it says more than [ROCAUC]. It is
// scikit-learn's average_precision_score. Detectors are measured by
// [MeanAveragePrecision].
//
//	AP = Σ (rₖ − rₖ₋₁) · pₖ
//
// It panics with an *[autograd.ShapeError] if the shapes differ, and with an
// *[autograd.ArgumentError] if a target is neither 0 nor 1.
//
// Special cases are:
//
//	AveragePrecision without targets of class 1 = NaN
//	AveragePrecision with a NaN = NaN
func AveragePrecision(prediction, target autograd.Tensor) float64 {
	const op = "metrics: AveragePrecision"
	mustMatch(op, prediction, target)
	scores, targets := prediction.Float64s(), target.Float64s()
	mustBeBinary(op, targets)
	if anyNaN(scores) || anyNaN(targets) {
		return math.NaN()
	}
	order := byScore(scores)
	sum, hits := 0.0, 0.0
	for start := 0; start < len(order); {
		end, before := start, hits
		for ; end < len(order) && scores[order[end]] == scores[order[start]]; end++ {
			hits += targets[order[end]]
		}
		sum += (hits - before) * hits / float64(end)
		start = end
	}
	return sum / hits // 0/0 without class 1
}

// TopKAccuracy returns the fraction of rows whose class is among the k most
// probable ones, from 0 to 1. The classes lie along the last axis; targets are
// one-hot rows, or others whose largest number is the class, as in [Accuracy],
// which it is for a k of 1. Of equal numbers the first counts as larger.
//
// It panics with an *[autograd.ShapeError] if the shapes differ or have no axis
// of classes, and with an *[autograd.ArgumentError] if k is not between 1 and
// their number.
//
// Special cases are:
//
//	TopKAccuracy of no rows = NaN
//	a row with a NaN, in prediction or target, counts as wrong
func TopKAccuracy(prediction, target autograd.Tensor, k int) float64 {
	const op = "metrics: TopKAccuracy"
	mustMatch(op, prediction, target)
	if target.Rank() == 0 {
		panic(autograd.NewShapeError(op, "a scalar has no axis of classes", target.Shape()))
	}
	predicted, actual := largest(op, prediction), largest(op, target)
	classes := target.Dim(-1)
	if k < 1 || k > classes {
		panic(autograd.NewArgumentError(op, "k is %d, want 1 to %d, the number of classes", k, classes))
	}
	scores, right := prediction.Float64s(), 0
	for row, class := range actual {
		if class >= 0 && predicted[row] >= 0 && rankOf(scores[row*classes:(row+1)*classes], class) < k {
			right++
		}
	}
	return float64(right) / float64(len(actual))
}

// rankOf returns how many elements of a row come before that of a class.
func rankOf(row []float64, class int) int {
	rank := 0
	for i, v := range row {
		if v > row[class] || v == row[class] && i < class {
			rank++
		}
	}
	return rank
}
