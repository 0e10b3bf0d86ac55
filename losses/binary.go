package losses

import "nabla/autograd"

// BinaryCrossEntropy returns the mean of −(t·ln p + (1−t)·ln(1−p)) over
// probabilities p, such as a sigmoid's, and targets t in [0, 1] of the same
// shape. Both logarithms are at least −100.
//
//	∂loss/∂p = (p − t) / max(p(1−p), 1e−12) / n
//
// Where a probability is exactly 0 or 1 and the target the other, the loss is
// 100 and the gradient ∓1e12, never 0 or NaN; but behind a saturated sigmoid
// that gradient is multiplied by 0, so that a network which is sure and wrong
// learns nothing. BinaryCrossEntropyWithLogits does. A probability outside
// [0, 1] gives NaN.
//
// It panics with an *autograd.ShapeError when the shapes differ. The mean of
// nothing is NaN.
func BinaryCrossEntropy(prediction, target autograd.Value) autograd.Value {
	return BinaryCrossEntropyWith(prediction, target, Settings{})
}

// BinaryCrossEntropyWithLogits is BinaryCrossEntropy of the probabilities
// σ(x), from the logits x themselves: ln(1 + eˣ) − x·t, without overflow or
// cancellation.
//
//	∂loss/∂x = (σ(x) − t) / n
func BinaryCrossEntropyWithLogits(logits, target autograd.Value) autograd.Value {
	return BinaryCrossEntropyWith(logits, target, Settings{Logits: true})
}

// BinaryCrossEntropyWith is BinaryCrossEntropy with another reduction or
// weights; from logits when the settings say so.
func BinaryCrossEntropyWith(prediction, target autograd.Value, settings Settings) autograd.Value {
	const op = "BinaryCrossEntropy"
	settings.noClasses(op)
	mustFit(op, prediction, target)
	g := settings.begin(op, prediction, target)
	defer g.Leave()
	if settings.Logits {
		return settings.reduce(op, prediction.BinaryCrossEntropyLogits(target), none)
	}
	return settings.reduce(op, prediction.BinaryCrossEntropy(target), none)
}
