package metrics

import (
	"cmp"
	"math"
	"slices"

	"nabla/autograd"
)

// ROCAUC returns the area under the receiver operating characteristic: the
// probability that a random element of class 1 has a higher score than a random
// one of class 0, where an equal score counts as one half. It is 1 for a
// perfect ranking, ½ for a random one, 0 for a reversed one. Only the order of
// the scores matters, so probabilities and logits give the same result.
//
//	AUC = (Σ ranks of class 1 − n₁(n₁+1)/2) / (n₀·n₁)
//
// where ranks count from 1 in ascending order and equal scores share their mean
// rank. It takes O(n log n) time.
//
// It panics with an *[autograd.ShapeError] if the shapes differ, and with an
// *[autograd.ArgumentError] if a target is neither 0 nor 1.
//
// Special cases are:
//
//	ROCAUC with targets of one class only, or none = NaN
//	ROCAUC with a NaN = NaN
func ROCAUC(prediction, target autograd.Tensor) float64 {
	const op = "metrics: ROCAUC"
	mustMatch(op, prediction, target)
	scores, targets := prediction.Float64s(), target.Float64s()
	mustBeBinary(op, targets)
	if anyNaN(scores) || anyNaN(targets) {
		return math.NaN()
	}
	rankSum, positives := 0.0, 0.0
	for i, rank := range ranks(scores) {
		if targets[i] == 1 {
			rankSum += rank
			positives++
		}
	}
	negatives := float64(len(targets)) - positives
	// If only one class occurs, this is 0/0.
	return (rankSum - positives*(positives+1)/2) / (positives * negatives)
}

// ranks returns the rank of each element in ascending order, counted from 1.
// Equal elements share the mean of their ranks.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(x[i], x[j]) })

	ranks := make([]float64, len(x))
	for start := 0; start < len(order); {
		end := start + 1
		for end < len(order) && x[order[end]] == x[order[start]] {
			end++
		}
		for _, i := range order[start:end] {
			ranks[i] = float64(start+1+end) / 2
		}
		start = end
	}
	return ranks
}
