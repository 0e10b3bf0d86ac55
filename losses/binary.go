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
//
// With PosWeight w the loss is −(w·t·ln p + (1−t)·ln(1−p)), for targets between
// 0 and 1 too.
func BinaryCrossEntropyWith(prediction, target autograd.Value, options Options) autograd.Value {
	const op = "BinaryCrossEntropy"
	mustFit(op, prediction, target)
	g := options.begin(op, logits|posWeight|classAxis, prediction, target)
	defer g.Leave()
	options.checkProbabilities(op, prediction)
	if !given(options.PosWeight) {
		return options.reduce(op, binaryEntropy(prediction, target, options.Logits), none)
	}
	w := options.alignedPosWeight(op, prediction)
	hit := binaryEntropy(prediction, g.Scalar(1), options.Logits)
	miss := binaryEntropy(prediction, g.Scalar(0), options.Logits)
	rest := target.Neg().AddScalar(1)
	return options.reduce(op, target.Mul(w).Mul(hit).Add(rest.Mul(miss)), none)
}

// binaryEntropy returns the binary cross entropy of each element.
func binaryEntropy(prediction, target autograd.Value, logits bool) autograd.Value {
	if logits {
		return prediction.BinaryCrossEntropyLogits(target)
	}
	return prediction.BinaryCrossEntropy(target)
}

// alignedPosWeight returns the PosWeight in a shape that broadcasts against the
// prediction, and panics if there is none.
func (o *Options) alignedPosWeight(op string, prediction autograd.Value) autograd.Value {
	w := o.PosWeight
	if w.Rank() == 0 {
		return w
	}
	axis := o.axis(op, prediction)
	if w.Rank() != 1 || w.Dim(0) != prediction.Dim(axis) {
		panic(autograd.NewShapeError("losses: "+op, "PosWeight is neither a scalar nor one number for each class", prediction.Shape(), w.Shape()))
	}
	return along(w, axis, prediction.Rank())
}

// BinaryFocal returns the mean focal loss of probabilities p against targets t
// in [0, 1] of the same shape: the binary cross entropy, of which well
// classified elements count less. With q = t·(1−p) + (1−t)·p, the probability
// of the wrong answer, it is the mean of
//
//	q^γ · −(t·ln p + (1−t)·ln(1−p))
//
// A γ of 0 is [BinaryCrossEntropy], and 2 the usual one: where p is right with
// 0.9, the loss counts a hundredth.
//
// It panics with an *[autograd.ShapeError] if the shapes differ, and with an
// *[autograd.ArgumentError] if γ is negative or not finite. The mean of nothing
// is NaN.
//
// Lin, Goyal, Girshick, He and Dollár, Focal Loss for Dense Object Detection,
// 2017.
func BinaryFocal(prediction, target autograd.Value, gamma float64) autograd.Value {
	return BinaryFocalWith(prediction, target, gamma, Options{})
}

// BinaryFocalWith is [BinaryFocal] with another reduction or weights. With
// Logits the prediction is x before the sigmoid, and neither the loss nor its
// gradient loses digits. ClassWeights are those of the classes 0 and 1, [1−α,
// α] in the paper, which takes α = 0.25 with γ = 2.
func BinaryFocalWith(prediction, target autograd.Value, gamma float64, options Options) autograd.Value {
	const op = "BinaryFocal"
	mustBeFrom0(op, "γ", gamma)
	mustFit(op, prediction, target)
	if v := options.ClassWeights; given(v) && (v.Rank() != 1 || v.Dim(0) != 2) {
		panic(autograd.NewShapeError("losses: "+op, "the class weights are not one for class 0 and one for class 1", v.Shape()))
	}
	g := options.begin(op, logits|classWeights, prediction, target)
	defer g.Leave()
	options.checkProbabilities(op, prediction)
	hit, miss := prediction, prediction.Neg()
	if options.Logits {
		hit, miss = hit.Sigmoid(), miss.Sigmoid()
	} else {
		miss = miss.AddScalar(1)
	}
	rest := target.Neg().AddScalar(1)
	wrong := target.Mul(miss).Add(rest.Mul(hit))
	loss := focused(wrong, binaryEntropy(prediction, target, options.Logits), gamma)
	if !given(options.ClassWeights) {
		return options.reduce(op, loss, none)
	}
	rows := target.Mul(options.ClassWeights.Select(0, 1)).Add(rest.Mul(options.ClassWeights.Select(0, 0)))
	return options.reduce(op, loss.Mul(rows), rows)
}

// focused returns wrong^γ·loss. The power of a probability that is nearly 0 is
// a constant: its slope may be infinite, where the loss is 0.
func focused(wrong, loss autograd.Value, gamma float64) autograd.Value {
	if gamma == 0 {
		return loss
	}
	return wrong.Clamp(1e-30, 2).PowScalar(gamma).Mul(loss)
}
