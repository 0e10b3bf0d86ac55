package metrics_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/stat"

	"nabla/metrics"
)

func TestRegression(t *testing.T) {
	type scores struct{ MSE, MAE, R2 float64 }
	tests := []struct {
		name                 string
		predictions, targets []float64
		want                 scores
	}{
		// Errors −0.5, 0.5, 0, 1: squares 0.25 + 0.25 + 0 + 1 = 1.5; the
		// targets' mean is 2.875, their squared deviations add up to 29.1875.
		{"by hand", []float64{2.5, 0, 2, 8}, []float64{3, -0.5, 2, 7}, scores{0.375, 0.5, 1 - 1.5/29.1875}},
		{"perfect", []float64{1, 2, 3}, []float64{1, 2, 3}, scores{0, 0, 1}},
		{"the mean", []float64{2, 2, 2}, []float64{1, 2, 3}, scores{2. / 3, 2. / 3, 0}},
		{"reversed", []float64{3, 2, 1}, []float64{1, 2, 3}, scores{8. / 3, 4. / 3, -3}},
		{"one row", []float64{1}, []float64{3}, scores{4, 2, nan}},
		{"none", nil, nil, scores{nan, nan, nan}},
		{"equal targets", []float64{4, 6}, []float64{5, 5}, scores{1, 1, nan}},
		{"equal targets, perfect", []float64{5, 5}, []float64{5, 5}, scores{0, 0, nan}},
		{"NaN prediction", []float64{nan, 2}, []float64{1, 2}, scores{nan, nan, nan}},
		{"NaN target", []float64{1, 2}, []float64{1, nan}, scores{nan, nan, nan}},
		{"infinite prediction", []float64{inf, 2}, []float64{1, 2}, scores{inf, inf, -inf}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := scores{
				metrics.MSE(tensor(test.predictions), tensor(test.targets)),
				metrics.MAE(tensor(test.predictions), tensor(test.targets)),
				metrics.R2(tensor(test.predictions), tensor(test.targets)),
			}
			if diff := cmp.Diff(test.want, got, approximately); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The squares, the sum or the mean of these errors leave the range of float64.
// The numbers are those of the example by hand in another unit.
func TestRegressionNearTheEndsOfTheRange(t *testing.T) {
	for _, unit := range []float64{1e-320, 1e-300, 1e-170, 1, 1e160, 1e200, 2e307} {
		predictions, targets := []float64{2.5, 0, 2, 8}, []float64{3, -0.5, 2, 7}
		for i := range targets {
			predictions[i] *= unit
			targets[i] *= unit
		}
		digits := 1e-13 * max(1, 1e-308/unit)
		r2, mae := metrics.R2(tensor(predictions), tensor(targets)), metrics.MAE(tensor(predictions), tensor(targets))
		if math.Abs(r2-(1-1.5/29.1875)) > digits || math.Abs(mae/unit-0.5) > digits {
			t.Errorf("in units of %v: R2 %v, MAE %v", unit, r2, mae)
		}
	}
	for _, row := range []struct{ got, want float64 }{
		{metrics.MAE(tensor([]float64{1.7e308, 1.7e308}), tensor([]float64{0, 0})), 1.7e308},
		{metrics.MAE(tensor([]float64{1.7e308, 0}), tensor([]float64{-1.7e308, 0})), 1.7e308},
		{metrics.MSE(tensor([]float64{1.2e154, 1.2e154}), tensor([]float64{0, 0})), 1.44e308},
		{metrics.MSE(tensor([]float64{1e200, 0}), tensor([]float64{0, 0})), inf},
		{metrics.MSE(tensor([]float64{1e-160, 0}), tensor([]float64{0, 0})), 5e-321},
		{metrics.R2(tensor([]float64{-1.7e308, 0, 1.7e308}), tensor([]float64{-1.7e308, 0, 1.7e308})), 1},
		{metrics.R2(tensor([]float64{0, 0, 0}), tensor([]float64{-1.7e308, 0, 1.7e308})), 0},
	} {
		if row.got != row.want && !(math.Abs(row.got/row.want-1) < 1e-14) {
			t.Errorf("%v, want %v", row.got, row.want)
		}
	}
}

// The mean of three 0.1 is not 0.1 in floating point: a variance computed from
// it is positive, and R² would be −4e32 instead of undefined.
func TestR2OfEqualTargetsThatRound(t *testing.T) {
	tenth := 0.1
	if mean := (tenth + tenth + tenth) / 3; mean == tenth {
		t.Fatal("the example does not round")
	}
	if got := metrics.R2(tensor([]float64{0.2, 0.1, 0.1}), tensor([]float64{0.1, 0.1, 0.1})); !cmp.Equal(got, nan, approximately) {
		t.Errorf("R2 = %v, want NaN", got)
	}
}

// For the line of least squares, R² is the squared correlation.
func TestR2OfLeastSquaresLine(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x, y, line := make([]float64, 50), make([]float64, 50), make([]float64, 50)
	for i := range x {
		x[i] = 10 * rng.Float64()
		y[i] = 3 - 2*x[i] + rng.NormFloat64()
	}
	intercept, slope := stat.LinearRegression(x, y, nil, false)
	for i := range line {
		line[i] = intercept + slope*x[i]
	}
	r := stat.Correlation(x, y, nil)
	if diff := cmp.Diff(r*r, metrics.R2(tensor(line), tensor(y)), cmp.Comparer(func(x, y float64) bool { return x-y < 1e-12 && y-x < 1e-12 })); diff != "" {
		t.Errorf("(-correlation² +R2):\n%s", diff)
	}
}

// By hand: the first target has R² 1 − 2/8 = ¾, the second 1 − 200/200 = 0.
// Pooled they would have 1 − 202/20608, as if both were explained.
func TestR2OfSeveralTargets(t *testing.T) {
	target := tensor([]float64{1, 90, 3, 100, 5, 110}, 3, 2)
	prediction := tensor([]float64{2, 100, 3, 100, 4, 100}, 3, 2)
	if got := metrics.R2(prediction, target); got != 0.375 {
		t.Errorf("R2 = %v, want 0.375", got)
	}
}
