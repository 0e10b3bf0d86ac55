package losses

import "nabla/autograd"

// MSE returns the mean squared error of a prediction against a target of the
// same shape, the mean of (p − t)².
//
//	∂loss/∂p = 2(p − t)/n
//
// The course writes the cost of a sample as ½(a − y)²: its gradient a − y is
// half of this one's, so that the same step needs twice the learning rate
// there.
//
// It panics with an *autograd.ShapeError when the shapes differ. The mean of
// nothing is NaN.
func MSE(prediction, target autograd.Value) autograd.Value {
	return MSEWith(prediction, target, Settings{})
}

// MSEWith is MSE with another reduction or weights.
func MSEWith(prediction, target autograd.Value, settings Settings) autograd.Value {
	g := settings.beginRegression("MSE", prediction, target)
	defer g.Leave()
	return settings.reduce("MSE", prediction.Sub(target).Square(), none)
}

// MAE returns the mean absolute error of a prediction against a target of the
// same shape, the mean of |p − t|.
//
//	∂loss/∂p = sign(p − t)/n, 0 where both are equal
//
// It panics with an *autograd.ShapeError when the shapes differ. The mean of
// nothing is NaN.
func MAE(prediction, target autograd.Value) autograd.Value {
	return MAEWith(prediction, target, Settings{})
}

// MAEWith is MAE with another reduction or weights.
func MAEWith(prediction, target autograd.Value, settings Settings) autograd.Value {
	g := settings.beginRegression("MAE", prediction, target)
	defer g.Leave()
	return settings.reduce("MAE", prediction.Sub(target).Abs(), none)
}

// Huber returns the mean Huber loss of a prediction against a target of the
// same shape: with d = p − t the mean of ½d² where |d| ≤ delta, and else of
// delta·(|d| − ½delta). Outliers pull at it as at the absolute error, all else
// as at half the squared one.
//
//	∂loss/∂p = min(max(d, −delta), delta)/n
//
// It panics with an *autograd.ShapeError when the shapes differ, and with an
// *autograd.ArgumentError when delta is not positive. The mean of nothing is
// NaN.
func Huber(prediction, target autograd.Value, delta float64) autograd.Value {
	return HuberWith(prediction, target, delta, Settings{})
}

// HuberWith is Huber with another reduction or weights.
func HuberWith(prediction, target autograd.Value, delta float64, settings Settings) autograd.Value {
	if !(delta > 0) {
		panic(autograd.NewArgumentError("losses: Huber", "a delta of %v is not positive", delta))
	}
	g := settings.beginRegression("Huber", prediction, target)
	defer g.Leave()
	// With c = d cut off at ±delta both branches are c·(d − ½c).
	d := prediction.Sub(target)
	c := d.Clamp(-delta, delta)
	return settings.reduce("Huber", c.Mul(d.Sub(c.Scale(0.5))), none)
}

// beginRegression checks what a loss without classes was given and opens its
// scope.
func (s Settings) beginRegression(op string, prediction, target autograd.Value) *autograd.Graph {
	if s.Logits {
		panic(autograd.NewArgumentError("losses: "+op, "Logits is a setting of the cross entropies alone"))
	}
	s.noClasses(op)
	mustFit(op, prediction, target)
	return s.begin(op, prediction, target)
}
