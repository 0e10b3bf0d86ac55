package metrics

import (
	"fmt"

	"nabla/autograd"
)

func checkLengths(function string, predictions, targets int) {
	if predictions != targets {
		panic(autograd.NewArgumentError("metrics: "+function, "%d predictions for %d targets", predictions, targets))
	}
}

// checkLabels panics unless every label is that of a class.
func checkLabels(function, argument string, labels []int, classes int) {
	for i, label := range labels {
		if label < 0 || label >= classes {
			panic(autograd.NewIndexError("metrics: "+function, fmt.Sprintf("%s[%d] =", argument, i), label, classes))
		}
	}
}

// checkBinary panics unless every target is 0, 1 or NaN.
func checkBinary(function string, targets []float64) {
	for i, t := range targets {
		if t < 0 || t > 1 || (t > 0 && t < 1) {
			panic(autograd.NewArgumentError("metrics: "+function, "targets[%d] = %v is neither 0 nor 1", i, t))
		}
	}
}
