package metrics

import (
	"math"

	"nabla/autograd"
	"nabla/internal/kernel"
)

// MSE returns the mean squared error over all elements, in the square of the
// targets' unit.
//
//	MSE = 1/n · Σ (p − t)²
//
// It panics with an *[autograd.ShapeError] if the shapes differ.
//
// Special cases are:
//
//	MSE of nothing = NaN
//	MSE with a NaN = NaN
func MSE(prediction, target autograd.Tensor) float64 {
	mustMatch("metrics: MSE", prediction, target)
	return meanSquare(prediction.Float64s(), target.Float64s())
}

// MAE returns the mean absolute error over all elements, in the targets' unit.
//
//	MAE = 1/n · Σ |p − t|
//
// It panics with an *[autograd.ShapeError] if the shapes differ.
//
// Special cases are:
//
//	MAE of nothing = NaN
//	MAE with a NaN = NaN
func MAE(prediction, target autograd.Tensor) float64 {
	mustMatch("metrics: MAE", prediction, target)
	return meanAbsolute(prediction.Float64s(), target.Float64s())
}

// R2 returns the coefficient of determination R², the share of the targets'
// variance that the predictions explain: 1 if they are perfect, 0 if they are
// as good as the targets' mean, negative if they are worse.
//
//	R² = 1 − Σ (t − p)² / Σ (t − mean t)²
//
// If a row has several targets, such as [rows, 2], it is the mean of their R²:
// pooling them would count the differences between targets as explained
// variance.
//
// It panics with an *[autograd.ShapeError] if the shapes differ.
//
// Special cases are:
//
//	R2 against equal targets, and so against one row = NaN
//	R2 of nothing = NaN
//	R2 with a NaN = NaN
//
// Equal targets have no variance to explain, even if the predictions are
// perfect. Equality is tested by comparing the targets, since their variance in
// floating point need not be exactly 0.
func R2(prediction, target autograd.Tensor) float64 {
	mustMatch("metrics: R2", prediction, target)
	predictions, targets := prediction.Float64s(), target.Float64s()
	rows := 1
	if target.Rank() > 0 {
		rows = target.Dim(0)
	}
	columns := len(targets) / max(rows, 1)
	if columns == 0 {
		return math.NaN()
	}
	sum := 0.0
	for column := range columns {
		sum += explained(every(predictions, column, columns), every(targets, column, columns))
	}
	return sum / float64(columns)
}

// every returns the elements of x at start, start+step, start+2·step, ….
func every(x []float64, start, step int) []float64 {
	if step == 1 {
		return x
	}
	var some []float64
	for i := start; i < len(x); i += step {
		some = append(some, x[i])
	}
	return some
}

func meanSquare(predictions, targets []float64) float64 {
	d, exponent := scaled(differences(predictions, targets))
	return math.Ldexp(sumOfSquares(d)/float64(len(d)), 2*exponent)
}

func meanAbsolute(predictions, targets []float64) float64 {
	d, exponent := scaled(differences(predictions, targets))
	sum := 0.0
	for _, v := range d {
		sum += math.Abs(v)
	}
	return math.Ldexp(sum/float64(len(d)), exponent)
}

// explained returns R² for one target per row.
func explained(predictions, targets []float64) float64 {
	if allEqual(targets) {
		return math.NaN()
	}
	rest, restExponent := scaled(differences(predictions, targets))
	spread, exponent := scaled(differences(targets, make([]float64, len(targets))))
	kernel.Center(spread, spread, 1, len(spread), 1)
	spread, less := scaled(spread, exponent)
	return 1 - math.Ldexp(sumOfSquares(rest)/sumOfSquares(spread), 2*(restExponent-less))
}

// differences returns x − y, scaled by 2^−exponent: the difference of two large
// numbers may itself overflow.
func differences(x, y []float64) (d []float64, exponent int) {
	d, unit := make([]float64, len(x)), 1.0
	if max(greatest(x), greatest(y)) > math.MaxFloat64/4 {
		unit, exponent = 0.25, 2
	}
	for i, v := range x {
		d[i] = v*unit - y[i]*unit
	}
	return d, exponent
}

// scaled rescales numbers times 2^exponent so that their squares neither
// overflow nor underflow. Scaling by a power of two does not round.
func scaled(d []float64, exponent int) ([]float64, int) {
	most := greatest(d)
	if most == 0 || most-most != 0 {
		return d, exponent
	}
	_, e := math.Frexp(most)
	for i, v := range d {
		d[i] = math.Ldexp(v, -e)
	}
	return d, exponent + e
}

func greatest(x []float64) float64 {
	most := 0.0
	for _, v := range x {
		most = max(most, math.Abs(v))
	}
	return most
}

func sumOfSquares(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return sum
}

func allEqual(x []float64) bool {
	for _, v := range x {
		if v != x[0] {
			return false
		}
	}
	return true
}
