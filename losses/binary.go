package losses

import "nabla/autograd"

// BinaryCrossEntropy returns the mean of −(t·ln p + (1−t)·ln(1−p)) over
// probabilities p, such as a sigmoid's, and targets t in [0, 1] of the same
// shape. Both logarithms are at least −100.
//
//	∂loss/∂p = (p − t) / max(p(1−p), 1e−12) / n
//
// Where a probability is exactly 0 or 1 and the target the other, the loss is
// 100 and the gradient ∓1e12, never 0 or NaN. Behind a saturated sigmoid that
// gradient is multiplied by 0, so a network that is certain and wrong learns
// nothing; [BinaryCrossEntropyWith] from logits has no such edge. A
// probability outside [0, 1] gives NaN.
//
// It panics with an *[autograd.ShapeError] if the shapes differ. The mean of
// nothing is NaN.
func BinaryCrossEntropy(prediction, target autograd.Value) autograd.Value {
	return BinaryCrossEntropyWith(prediction, target, Options{})
}

// BinaryCrossEntropyWith is [BinaryCrossEntropy] with another reduction or
// weights. With Logits the prediction is x before the sigmoid, and the loss
// ln(1 + eˣ) − x·t, without overflow or cancellation:
//
//	∂loss/∂x = (σ(x) − t) / n
func BinaryCrossEntropyWith(prediction, target autograd.Value, options Options) autograd.Value {
	const op = "BinaryCrossEntropy"
	options.noClasses(op)
	mustFit(op, prediction, target)
	g := options.begin(op, prediction, target)
	defer g.Leave()
	if options.Logits {
		return options.reduce(op, prediction.BinaryCrossEntropyLogits(target), none)
	}
	options.checkProbabilities(op, prediction)
	return options.reduce(op, prediction.BinaryCrossEntropy(target), none)
}
