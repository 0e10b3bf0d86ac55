package losses

import "nabla/autograd"

// KLDivergence returns the mean over the rows of the Kullback-Leibler
// divergence of probabilities p from targets t of the same shape, with the
// classes along the last axis:
//
//	Σ t·(ln t − ln p), where t = 0 gives 0
//	∂loss/∂p = −t / max(p, 1e−12) / n, n the number of rows
//
// It is the cross entropy less the targets' own entropy: 0 where both are the
// same. The logarithm of p is at least −100. PyTorch takes logarithms of p, and
// this mean is its "batchmean"; its own mean divides by the number of elements
// instead, which is no divergence.
//
// It panics with an *[autograd.ShapeError] if the shapes differ or there is no
// axis. The mean of nothing is NaN.
func KLDivergence(prediction, target autograd.Value) autograd.Value {
	return KLDivergenceWith(prediction, target, Options{})
}

// KLDivergenceWith is [KLDivergence] with another reduction, weights or class
// axis. With Logits the prediction is x before the softmax, or the logarithms
// of probabilities, which a softmax gives back: then no logarithm is bounded,
// and −Inf is right where the target is 0. With LogTarget the targets are
// logarithms of probabilities too.
//
//	∂loss/∂x = (softmax(x)·Σt − t) / n
func KLDivergenceWith(prediction, target autograd.Value, options Options) autograd.Value {
	const op = "KLDivergence"
	mustFit(op, prediction, target)
	axis := options.axis(op, prediction)
	g := options.begin(op, logits|logTarget|classAxis, prediction, target)
	defer g.Leave()
	options.checkProbabilities(op, prediction)
	t, one, zero := target, g.Scalar(1), g.Scalar(0)
	if options.LogTarget {
		t = target.Exp()
	}
	// Where a target is 0 its logarithm and the prediction's may be infinite:
	// neither those nor their slopes are computed.
	there := t.NotEqualScalar(0)
	var logT autograd.Value
	if options.LogTarget {
		logT = autograd.Where(there, target, zero)
	} else {
		logT = autograd.Where(there, target, one).Log()
	}
	entropy := t.Mul(logT)
	if options.Logits {
		logP := autograd.Where(there, prediction.LogSoftmax(axis), zero)
		return options.reduce(op, entropy.Sub(t.Mul(logP)).Sum(axis), none)
	}
	return options.reduce(op, entropy.Add(prediction.CrossEntropy(t)).Sum(axis), none)
}
