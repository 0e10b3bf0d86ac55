package metrics

import (
	"fmt"
	"slices"

	"nabla/autograd"
)

// mustMatch panics unless prediction and target have the same shape. [rows] and
// [rows, 1] would compare the right numbers here, but broadcast in a loss.
func mustMatch(op string, prediction, target autograd.Tensor) {
	mustExist(op, "prediction", prediction)
	mustExist(op, "target", target)
	if p, t := prediction.Shape(), target.Shape(); !slices.Equal(p, t) {
		panic(autograd.NewShapeError(op, "prediction and target differ in shape", p, t))
	}
}

// mustExist panics if the tensor is the zero Tensor.
func mustExist(op, what string, t autograd.Tensor) {
	if t.IsZero() {
		panic(autograd.NewArgumentError(op, "the %s is the zero Tensor", what))
	}
}

// mustBeLabels panics unless every label is in [0, classes).
func mustBeLabels(op, argument string, labels []int, classes int) {
	for i, label := range labels {
		mustBeLabel(op, argument, i, label, classes)
	}
}

// mustBeLabel panics unless the label with index i is in [0, classes).
func mustBeLabel(op, argument string, i, label, classes int) {
	if label < 0 || label >= classes {
		panic(autograd.NewIndexError(op, fmt.Sprintf("%s[%d] =", argument, i), label, classes))
	}
}

// mustBeBinary panics unless every target is 0, 1 or NaN.
func mustBeBinary(op string, targets []float64) {
	for i, t := range targets {
		if t < 0 || t > 1 || (t > 0 && t < 1) {
			panic(autograd.NewArgumentError(op, "targets[%d] = %v is neither 0 nor 1", i, t))
		}
	}
}
