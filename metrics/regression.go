package metrics

import "math"

// MSE returns the mean squared error, in the square of the targets' unit.
//
//	MSE = 1/n · Σ (p − t)²
//
// It panics with an *autograd.ArgumentError if the lengths differ.
//
// Special cases are:
//
//	MSE of nothing = NaN
//	MSE with a NaN = NaN
func MSE(predictions, targets []float64) float64 {
	checkLengths("MSE", len(predictions), len(targets))
	return sumOfSquares(predictions, targets) / float64(len(targets))
}

// MAE returns the mean absolute error, in the targets' unit.
//
//	MAE = 1/n · Σ |p − t|
//
// It panics with an *autograd.ArgumentError if the lengths differ.
//
// Special cases are:
//
//	MAE of nothing = NaN
//	MAE with a NaN = NaN
func MAE(predictions, targets []float64) float64 {
	checkLengths("MAE", len(predictions), len(targets))
	sum := 0.0
	for i, p := range predictions {
		sum += math.Abs(p - targets[i])
	}
	return sum / float64(len(targets))
}

// R2 returns the coefficient of determination R², the share of the targets'
// variance that the predictions explain: 1 if they are perfect, 0 if they are
// as good as the targets' mean, negative if they are worse.
//
//	R² = 1 − Σ (t − p)² / Σ (t − mean t)²
//
// It panics with an *autograd.ArgumentError if the lengths differ.
//
// Special cases are:
//
//	R2 against equal targets, and so against one alone = NaN
//	R2 of nothing = NaN
//	R2 with a NaN = NaN
//
// Equal targets have no variance that could be explained. This is so for
// perfect predictions too, and is decided by comparing the targets: their
// variance in floating point need not be exactly 0.
func R2(predictions, targets []float64) float64 {
	checkLengths("R2", len(predictions), len(targets))
	if allEqual(targets) {
		return math.NaN()
	}
	mean := mean(targets)
	total := 0.0
	for _, t := range targets {
		total += (t - mean) * (t - mean)
	}
	return 1 - sumOfSquares(predictions, targets)/total
}

func sumOfSquares(predictions, targets []float64) float64 {
	sum := 0.0
	for i, p := range predictions {
		sum += (p - targets[i]) * (p - targets[i])
	}
	return sum
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func allEqual(x []float64) bool {
	for _, v := range x {
		if v != x[0] {
			return false
		}
	}
	return true
}
