package metrics

import (
	"math"

	"nabla/autograd"
)

// A Curve is what becomes of a binary classifier as its threshold falls from
// above every score to the lowest one: a point for each different score, in
// that order, after one for a threshold of +Inf, which accepts nothing.
type Curve struct {
	X, Y       []float64
	Thresholds []float64 // an element is accepted if its score is at least that
}

// ROC returns the receiver operating characteristic of scores [n] or [n, 1]:
// X is the false positive rate, the fraction of class 0 that is accepted, and Y
// the true positive rate, the fraction of class 1. It runs from (0, 0) to
// (1, 1), and [ROCAUC] is the area below it. It is scikit-learn's roc_curve
// without drop_intermediate.
//
//	X = FP / (FP + TN), Y = TP / (TP + FN)
//
// It panics with an *[autograd.ShapeError] if the shapes differ, and with an
// *[autograd.ArgumentError] if a target is neither 0 nor 1.
//
// Special cases are:
//
//	ROC without elements of class 0 has X = NaN, without those of class 1 Y = NaN
//	ROC with a NaN has no points
func ROC(prediction, target autograd.Tensor) Curve {
	return sweep("metrics: ROC", prediction, target, func(accepted, hits, n, positives float64) (x, y float64) {
		return (accepted - hits) / (n - positives), hits / positives
	})
}

// PrecisionRecall returns the curve of precision and recall of scores [n] or
// [n, 1]: X is the recall, the fraction of class 1 that is accepted, and Y the
// precision, the fraction of what is accepted that is of class 1. It begins at
// (0, 1), where nothing is accepted, and ends with a recall of 1 and a
// precision of the fraction of class 1. [AveragePrecision] is the area below
// its steps. It has the points of scikit-learn's precision_recall_curve, in the
// opposite order.
//
//	X = TP / (TP + FN), Y = TP / (TP + FP)
//
// It panics as [ROC] does.
//
// Special cases are:
//
//	PrecisionRecall without elements of class 1 has X = NaN
//	PrecisionRecall with a NaN has no points
func PrecisionRecall(prediction, target autograd.Tensor) Curve {
	return sweep("metrics: PrecisionRecall", prediction, target, func(accepted, hits, _, positives float64) (x, y float64) {
		if accepted == 0 {
			return hits / positives, 1
		}
		return hits / positives, hits / accepted
	})
}

// sweep lowers the threshold and takes a point at each score. Point gets how
// many elements are accepted, how many of these are of class 1, and how many
// there are of both.
func sweep(op string, prediction, target autograd.Tensor, point func(accepted, hits, n, positives float64) (x, y float64)) Curve {
	mustMatch(op, prediction, target)
	scores, targets := prediction.Float64s(), target.Float64s()
	mustBeBinary(op, targets)
	if anyNaN(scores) || anyNaN(targets) {
		return Curve{}
	}
	n, positives := float64(len(targets)), 0.0
	for _, t := range targets {
		positives += t
	}
	var c Curve
	add := func(accepted, hits, threshold float64) {
		x, y := point(accepted, hits, n, positives)
		c.X, c.Y, c.Thresholds = append(c.X, x), append(c.Y, y), append(c.Thresholds, threshold)
	}
	add(0, 0, math.Inf(1))
	order, hits := byScore(scores), 0.0
	for i := 0; i < len(order); {
		threshold := scores[order[i]]
		for ; i < len(order) && scores[order[i]] == threshold; i++ {
			hits += targets[order[i]]
		}
		add(float64(i), hits, threshold)
	}
	return c
}
