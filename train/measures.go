package train

import (
	"math"
	"slices"

	"nabla/autograd"
	"nabla/metrics"
)

// A Metric measures the predictions for all rows against their targets, which for Labels are one-hot. The tensors hold
// during the call only, and must not be changed.
type Metric struct {
	Name string
	Func func(prediction, target autograd.Tensor) float64
}

// Accuracy returns the share of rows whose class is predicted right. Targets whose last axis has several classes, one-hot
// or probabilities, stand for the class with the largest number, the first of equals; so do predictions, be they
// probabilities or logits. Targets [rows] or [rows, 1] are 0 or 1, and predicted by probabilities above ½; for
// logits see [LogitAccuracy].
//
// Special cases are:
//
//	several classes: a row with a NaN, in prediction or target, counts as wrong
//	one class: a NaN anywhere makes the accuracy NaN
//	no rows: NaN
//
// It panics with an *[autograd.ShapeError] when the shapes differ, and with an *[autograd.ArgumentError] at a target of
// one class that is neither 0 nor 1.
func Accuracy(prediction, target autograd.Tensor) float64 {
	mustMatch("train: Accuracy", prediction, target)
	if target.Rank() < 2 || target.Dim(-1) == 1 {
		return metrics.BinaryAccuracy(prediction.Float64s(), target.Float64s())
	}
	return metrics.Accuracy(classes(prediction, -1), classes(target, -2))
}

// LogitAccuracy is [Accuracy] for a network that ends in logits: those of one class predict 1 above 0, where the
// probability is ½. Those of several classes are judged alike by both.
func LogitAccuracy(prediction, target autograd.Tensor) float64 {
	mustMatch("train: LogitAccuracy", prediction, target)
	if target.Rank() < 2 || target.Dim(-1) == 1 {
		return metrics.BinaryAccuracyAt(prediction.Float64s(), target.Float64s(), 0)
	}
	return Accuracy(prediction, target)
}

// classes returns the place of the largest number along the last axis, and for a NaN there the label given.
func classes(t autograd.Tensor, nan int) []int {
	width := t.Dim(-1)
	if width == 0 {
		return nil
	}
	var labels []int
	for row := range slices.Chunk(t.Float64s(), width) {
		labels = append(labels, class(row, nan))
	}
	return labels
}

func class(row []float64, nan int) int {
	best := 0
	for i, v := range row {
		switch {
		case math.IsNaN(v):
			return nan
		case v > row[best]:
			best = i
		}
	}
	return best
}

// MSE returns the mean squared error over all elements, and NaN for none. Shapes that differ panic with an
// *[autograd.ShapeError].
func MSE(prediction, target autograd.Tensor) float64 {
	mustMatch("train: MSE", prediction, target)
	return metrics.MSE(prediction.Float64s(), target.Float64s())
}

// MAE returns the mean absolute error over all elements, and NaN for none. Shapes that differ panic with an
// *[autograd.ShapeError].
func MAE(prediction, target autograd.Tensor) float64 {
	mustMatch("train: MAE", prediction, target)
	return metrics.MAE(prediction.Float64s(), target.Float64s())
}

// R2 returns the coefficient of determination over all elements, and NaN against targets that are all equal. Shapes that
// differ panic with an *[autograd.ShapeError].
func R2(prediction, target autograd.Tensor) float64 {
	mustMatch("train: R2", prediction, target)
	return metrics.R2(prediction.Float64s(), target.Float64s())
}

func mustMatch(op string, prediction, target autograd.Tensor) {
	if p, t := prediction.Shape(), target.Shape(); !slices.Equal(p, t) {
		panic(autograd.NewShapeError(op, "prediction and target differ in shape", p, t))
	}
}
