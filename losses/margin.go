package losses

import "nabla/autograd"

// Hinge returns the mean hinge loss of scores x against targets y of −1 or 1,
// of the same shape: the mean of max(0, 1 − y·x). A support vector machine
// minimises it.
//
//	∂loss/∂x = −y/n where y·x < 1, else 0
//
// It panics with an *[autograd.ShapeError] if the shapes differ, and with an
// *[autograd.ArgumentError] for a target that is neither −1 nor 1, as classes
// of 0 and 1 are. The mean of nothing is NaN.
func Hinge(prediction, target autograd.Value) autograd.Value {
	return HingeWith(prediction, target, Options{})
}

// HingeWith is [Hinge] with another reduction or weights.
func HingeWith(prediction, target autograd.Value, options Options) autograd.Value {
	g := options.beginSigned("Hinge", prediction, target)
	defer g.Leave()
	return options.reduce("Hinge", shortfall(prediction, target), none)
}

// SquaredHinge is [Hinge] of which each loss is squared: the mean of
// max(0, 1 − y·x)², which has no kink.
//
//	∂loss/∂x = −2y·max(0, 1 − y·x)/n
func SquaredHinge(prediction, target autograd.Value) autograd.Value {
	return SquaredHingeWith(prediction, target, Options{})
}

// SquaredHingeWith is [SquaredHinge] with another reduction or weights.
func SquaredHingeWith(prediction, target autograd.Value, options Options) autograd.Value {
	g := options.beginSigned("SquaredHinge", prediction, target)
	defer g.Leave()
	return options.reduce("SquaredHinge", shortfall(prediction, target).Square(), none)
}

// shortfall returns what y·x lacks to 1.
func shortfall(x, y autograd.Value) autograd.Value {
	return y.Mul(x).Neg().AddScalar(1).ReLU()
}

// MarginRanking returns the mean loss of pairs of scores, of one shape, of
// which the first is to be higher by the margin where the target y is 1, and
// the second where it is −1: the mean of max(0, margin − y·(first − second)).
//
//	∂loss/∂first = −y/n where the loss is above 0, else 0
//
// It panics as [Hinge] does, and with an *[autograd.ArgumentError] if the
// margin is negative or not finite.
func MarginRanking(first, second, target autograd.Value, margin float64) autograd.Value {
	return MarginRankingWith(first, second, target, margin, Options{})
}

// MarginRankingWith is [MarginRanking] with another reduction or weights.
func MarginRankingWith(first, second, target autograd.Value, margin float64, options Options) autograd.Value {
	const op = "MarginRanking"
	mustBeFrom0(op, "margin", margin)
	mustBePair(op, first, second)
	g := options.beginSigned(op, first, target)
	defer g.Leave()
	return options.reduce(op, target.Mul(first.Sub(second)).Neg().AddScalar(margin).ReLU(), none)
}

// beginSigned is beginRegression of targets that are −1 or 1.
func (o *Options) beginSigned(op string, prediction, target autograd.Value) *autograd.Graph {
	mustFit(op, prediction, target)
	mustBeSigns(op, target)
	return o.begin(op, 0, prediction, target)
}

// mustBePair panics unless there are two predictions of one shape.
func mustBePair(op string, first, second autograd.Value) {
	mustBeGiven(op, "first prediction", first)
	mustBeGiven(op, "second prediction", second)
	mustMatch(op, "the two predictions differ in shape", first, second)
}

// mustBeSigns panics unless each target is −1, 1 or NaN.
func mustBeSigns(op string, target autograd.Value) {
	mustBeOneOf(op, target, -1, 1)
}

// mustBeOneOf panics unless each target is one of two numbers, or NaN.
func mustBeOneOf(op string, target autograd.Value, a, b float64) {
	t := target.View()
	if t.Precision() == autograd.Float32 {
		oneOf(op, t.Raw32(), a, b)
		return
	}
	oneOf(op, t.Raw64(), a, b)
}

func oneOf[T float32 | float64](op string, targets []T, a, b float64) {
	for i, v := range targets {
		if y := float64(v); y != a && y != b && y == y {
			panic(autograd.NewArgumentError("losses: "+op, "element %d of the target is %v, want %v or %v", i, v, a, b))
		}
	}
}
