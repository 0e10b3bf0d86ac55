package losses

import "nabla/autograd"

// BalancedWeights returns weights for classes of which some are rare, one for
// each, so that all classes together count alike (scikit-learn's "balanced"):
//
//	n / (classes · n of the class)
//
// where n counts the labels; those among ignore do not count. As the
// ClassWeights of a loss they are a constant of its graph:
//
//	weights := losses.BalancedWeights(labels, 3)
//	…
//	losses.Options{Logits: true, ClassWeights: g.Constant(weights), Reduction: losses.WeightedMean}
//
// A class without labels has the weight 0. The mean of the weights over the
// labels is 1 if every class has some. It panics with an
// *[autograd.ArgumentError] if classes is below 1 or no label counts, and with
// an *[autograd.IndexError] for a label out of range.
func BalancedWeights(labels autograd.Ints, classes int, ignore ...int) autograd.Tensor {
	const op = "losses: BalancedWeights"
	if classes < 1 {
		panic(autograd.NewArgumentError(op, "%d classes", classes))
	}
	o := Options{IgnoreIndex: ignore}
	counts := make([]int, classes)
	for _, label := range labels.Values() {
		if o.ignores(label) {
			continue
		}
		if label < 0 || label >= classes {
			panic(autograd.NewIndexError(op, "label", label, classes))
		}
		counts[label]++
	}
	return countWeights(op, counts)
}

// CountWeights is [BalancedWeights] of how many labels each class has. It
// panics with an *[autograd.ArgumentError] if a count is negative or all are 0.
func CountWeights(counts ...int) autograd.Tensor { return countWeights("losses: CountWeights", counts) }

func countWeights(op string, counts []int) autograd.Tensor {
	n := 0
	for i, count := range counts {
		if count < 0 {
			panic(autograd.NewArgumentError(op, "class %d has %d labels", i, count))
		}
		n += count
	}
	if n == 0 {
		panic(autograd.NewArgumentError(op, "there are no labels that count"))
	}
	weights := autograd.Zeros(len(counts))
	for i, count := range counts {
		if count > 0 {
			weights.Raw64()[i] = float64(n) / (float64(len(counts)) * float64(count))
		}
	}
	return weights
}
