package metrics

import "math"

// Accuracy returns the share of predicted labels that are the actual ones,
// from 0 to 1. Any integers are labels here.
//
// It panics with an *autograd.ArgumentError if the lengths differ. The accuracy
// of nothing is NaN.
func Accuracy(predicted, actual []int) float64 {
	checkLengths("Accuracy", len(predicted), len(actual))
	right := 0
	for i, label := range predicted {
		if label == actual[i] {
			right++
		}
	}
	return float64(right) / float64(len(actual))
}

// BinaryAccuracy returns the share of probabilities that are on the right side
// of ½: [BinaryAccuracyAt] with a threshold of 0.5. It panics as that does.
func BinaryAccuracy(probabilities, targets []float64) float64 {
	return binaryAccuracy("BinaryAccuracy", probabilities, targets, 0.5)
}

// BinaryAccuracyAt returns the share, from 0 to 1, of rows in which the
// probability exceeds the threshold exactly if the target is 1. Logits do as
// well, with a threshold of 0.
//
// It panics with an *autograd.ArgumentError if the lengths differ, or at a
// target that is neither 0 nor 1.
//
// Special cases are:
//
//	BinaryAccuracyAt of nothing = NaN
//	BinaryAccuracyAt with a NaN = NaN
//	a probability equal to the threshold counts as class 0
func BinaryAccuracyAt(probabilities, targets []float64, threshold float64) float64 {
	return binaryAccuracy("BinaryAccuracyAt", probabilities, targets, threshold)
}

func binaryAccuracy(function string, probabilities, targets []float64, threshold float64) float64 {
	checkLengths(function, len(probabilities), len(targets))
	checkBinary(function, targets)
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

// Threshold returns the label that each probability stands for: 1 if it
// exceeds the threshold, else 0. It turns 0/1 targets into labels as well.
//
// A NaN, as probability or as threshold, gives −1, which is the label of no
// class: [NewConfusionMatrix] panics at it.
func Threshold(probabilities []float64, threshold float64) []int {
	labels := make([]int, len(probabilities))
	for i, p := range probabilities {
		switch {
		case p > threshold:
			labels[i] = 1
		case p <= threshold:
			labels[i] = 0
		default:
			labels[i] = -1
		}
	}
	return labels
}

func anyNaN(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) {
			return true
		}
	}
	return false
}
