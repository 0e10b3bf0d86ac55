package losses

import (
	"math"

	"nabla/autograd"
)

// MSE returns the mean squared error of a prediction against a target of the
// same shape, the mean of (p − t)².
//
//	∂loss/∂p = 2(p − t)/n
//
// The course writes the cost of a sample as ½(a − y)². Its gradient a − y is
// half of this one's, so the same step takes twice the learning rate there.
//
// It panics with an *[autograd.ShapeError] if the shapes differ. The mean of
// nothing is NaN.
func MSE(prediction, target autograd.Value) autograd.Value {
	return MSEWith(prediction, target, Options{})
}

// MSEWith is [MSE] with another reduction or weights.
func MSEWith(prediction, target autograd.Value, options Options) autograd.Value {
	g := options.beginRegression("MSE", prediction, target)
	defer g.Leave()
	return options.reduce("MSE", prediction.Sub(target).Square(), none)
}

// MAE returns the mean absolute error of a prediction against a target of the
// same shape, the mean of |p − t|.
//
//	∂loss/∂p = sign(p − t)/n, 0 where both are equal
//
// It panics with an *[autograd.ShapeError] if the shapes differ. The mean of
// nothing is NaN.
func MAE(prediction, target autograd.Value) autograd.Value {
	return MAEWith(prediction, target, Options{})
}

// MAEWith is [MAE] with another reduction or weights.
func MAEWith(prediction, target autograd.Value, options Options) autograd.Value {
	g := options.beginRegression("MAE", prediction, target)
	defer g.Leave()
	return options.reduce("MAE", prediction.Sub(target).Abs(), none)
}

// Huber returns the mean Huber loss of a prediction against a target of the
// same shape: with d = p − t, the mean of ½d² where |d| ≤ delta and of
// delta·(|d| − ½delta) elsewhere. Outliers count as in the absolute error,
// everything else as in half the squared error.
//
//	∂loss/∂p = min(max(d, −delta), delta)/n
//
// It panics with an *[autograd.ShapeError] if the shapes differ, and with an
// *[autograd.ArgumentError] if delta is not positive. The mean of nothing is
// NaN.
func Huber(prediction, target autograd.Value, delta float64) autograd.Value {
	return HuberWith(prediction, target, delta, Options{})
}

// HuberWith is [Huber] with another reduction or weights.
func HuberWith(prediction, target autograd.Value, delta float64, options Options) autograd.Value {
	if !(delta > 0) {
		panic(autograd.NewArgumentError("losses: Huber", "a delta of %v is not positive", delta))
	}
	g := options.beginRegression("Huber", prediction, target)
	defer g.Leave()
	// With c = d cut off at ±delta both branches are c·(d − ½c).
	d := prediction.Sub(target)
	c := d.Clamp(-delta, delta)
	return options.reduce("Huber", c.Mul(d.Sub(c.MulScalar(0.5))), none)
}

// LogCosh returns the mean of ln cosh(p − t) of a prediction against a target
// of the same shape: half the squared error where both are near, and the
// absolute error less ln 2 where they are far apart. It is like [Huber] with a
// delta of 1, without its kink in the second derivative.
//
//	∂loss/∂p = tanh(p − t)/n
//
// Neither a difference of 1e-8 nor one of 1e300 loses digits. It panics with
// an *[autograd.ShapeError] if the shapes differ. The mean of nothing is NaN.
func LogCosh(prediction, target autograd.Value) autograd.Value {
	return LogCoshWith(prediction, target, Options{})
}

// LogCoshWith is [LogCosh] with another reduction or weights.
func LogCoshWith(prediction, target autograd.Value, options Options) autograd.Value {
	g := options.beginRegression("LogCosh", prediction, target)
	defer g.Leave()
	// Near 0 it is −½·ln(1 − tanh²), which does not cancel; elsewhere
	// |d| + ln(1 + e^(−2|d|)) − ln 2, which does not overflow.
	d := prediction.Sub(target)
	size := d.Abs()
	near := d.Clamp(-1, 1).Tanh().Square().Neg().Log1p().MulScalar(-0.5)
	far := size.Add(size.MulScalar(-2).Exp().Log1p()).AddScalar(-math.Ln2)
	return options.reduce("LogCosh", autograd.Where(size.LessScalar(1), near, far), none)
}

// beginRegression checks what a loss without classes was given and opens its
// scope.
func (o *Options) beginRegression(op string, prediction, target autograd.Value) *autograd.Graph {
	mustFit(op, prediction, target)
	return o.begin(op, 0, prediction, target)
}
