package losses

import (
	"math"

	"nabla/autograd"
)

// leastVariance is PyTorch's: a network that is certain would divide by 0.
const leastVariance = 1e-6

// GaussianNLL returns the mean negative log likelihood of targets under normal
// distributions whose means and variances are predicted, all three of one
// shape. With v = max(variance, 1e-6) it is the mean of
//
//	½·(ln v + (target − mean)²/v)
//
// The gradient of the variance is as if it were v, so that a variance below
// 1e-6 can grow again.
//
//	∂loss/∂mean = (mean − target)/v / n
//	∂loss/∂variance = ½·(1/v − (target − mean)²/v²) / n
//
// It panics with an *[autograd.ShapeError] if the shapes differ, and with an
// *[autograd.ArgumentError] for a negative variance: predict its logarithm, or
// use Softplus. The mean of nothing is NaN.
func GaussianNLL(mean, variance, target autograd.Value) autograd.Value {
	return GaussianNLLWith(mean, variance, target, Options{})
}

// GaussianNLLWith is [GaussianNLL] with another reduction or weights. Full adds
// ½·ln 2π to each loss.
func GaussianNLLWith(mean, variance, target autograd.Value, options Options) autograd.Value {
	const op = "GaussianNLL"
	mustFit(op, mean, target)
	mustBeGiven(op, "variance", variance)
	mustMatch(op, "mean and variance differ in shape", mean, variance)
	mustNotBeNegative(op, "variance", variance)
	g := options.begin(op, full, mean, target)
	defer g.Leave()
	v := variance.Add(variance.Clamp(leastVariance, math.Inf(1)).Sub(variance).Detach())
	losses := v.Log().Add(mean.Sub(target).Square().Div(v)).MulScalar(0.5)
	if options.Full {
		losses = losses.AddScalar(0.5 * math.Log(2*math.Pi))
	}
	return options.reduce(op, losses, none)
}

// PoissonNLL returns the mean negative log likelihood of counts under Poisson
// distributions whose rates are predicted, of the same shape, but for ln
// target!, which does not depend on the prediction: the mean of
//
//	rate − target·ln(rate + 1e-8)
//	∂loss/∂rate = (1 − target/(rate + 1e-8)) / n
//
// A negative rate gives NaN. PyTorch takes the logarithm of the rate unless
// told otherwise: here that is [PoissonNLLWith] with Logits.
//
// It panics with an *[autograd.ShapeError] if the shapes differ. The mean of
// nothing is NaN.
func PoissonNLL(rate, target autograd.Value) autograd.Value {
	return PoissonNLLWith(rate, target, Options{})
}

// PoissonNLLWith is [PoissonNLL] with another reduction or weights. With Logits
// the prediction is x, the logarithm of the rate, and the loss eˣ − target·x.
// Full adds Stirling's approximation of ln target! where the target is above 1:
//
//	target·ln target − target + ½·ln(2π·target)
func PoissonNLLWith(prediction, target autograd.Value, options Options) autograd.Value {
	const op = "PoissonNLL"
	mustFit(op, prediction, target)
	g := options.begin(op, logits|full, prediction, target)
	defer g.Leave()
	var losses autograd.Value
	if options.Logits {
		losses = prediction.Exp().Sub(target.Mul(prediction))
	} else {
		losses = prediction.Sub(target.Mul(prediction.AddScalar(1e-8).Log()))
	}
	if options.Full {
		large, zero := target.GreaterScalar(1), g.Scalar(0)
		t := autograd.Where(large, target, g.Scalar(1))
		stirling := t.Mul(t.Log()).Sub(t).Add(t.MulScalar(2 * math.Pi).Log().MulScalar(0.5))
		losses = losses.Add(autograd.Where(large, stirling, zero))
	}
	return options.reduce(op, losses, none)
}

// mustNotBeNegative panics for a negative element. NaN passes.
func mustNotBeNegative(op, what string, x autograd.Value) {
	t := x.View()
	if t.Precision() == autograd.Float32 {
		notNegative(op, what, t.Raw32())
		return
	}
	notNegative(op, what, t.Raw64())
}

func notNegative[T float32 | float64](op, what string, x []T) {
	for i, v := range x {
		if v < 0 {
			panic(autograd.NewArgumentError("losses: "+op, "element %d of the %s is %v", i, what, v))
		}
	}
}
