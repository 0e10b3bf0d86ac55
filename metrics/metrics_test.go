package metrics_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/metrics"
)

var (
	nan = math.NaN()
	inf = math.Inf(1)
)

// approximately compares to within rounding and takes NaN as equal to NaN.
var approximately = cmp.Comparer(func(x, y float64) bool {
	return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= 1e-14*math.Max(math.Abs(x), math.Abs(y))
})

// A mistake panics with a typed error that autograd.Try catches, and that names
// the line of the call.
func TestMistakesPanic(t *testing.T) {
	two, three := []float64{0, 1}, []float64{0, 1, 1}
	ints2, ints3 := []int{0, 1}, []int{0, 1, 1}
	argument, index := new(*autograd.ArgumentError), new(*autograd.IndexError)
	tests := []struct {
		name string
		call func()
		want any // the type of the error
		text string
	}{
		{"MSE lengths", func() { metrics.MSE(two, three) }, argument, "MSE: 2 predictions for 3 targets"},
		{"MAE lengths", func() { metrics.MAE(two, three) }, argument, "MAE: 2 predictions for 3 targets"},
		{"R2 lengths", func() { metrics.R2(two, three) }, argument, "R2: 2 predictions for 3 targets"},
		{"Accuracy lengths", func() { metrics.Accuracy(ints2, ints3) }, argument, "Accuracy: 2 predictions for 3 targets"},
		{"BinaryAccuracy lengths", func() { metrics.BinaryAccuracy(two, three) }, argument,
			"BinaryAccuracy: 2 predictions for 3 targets"},
		{"BinaryAccuracyAt lengths", func() { metrics.BinaryAccuracyAt(two, three, 0) }, argument,
			"BinaryAccuracyAt: 2 predictions for 3 targets"},
		{"ROCAUC lengths", func() { metrics.ROCAUC(two, three) }, argument, "ROCAUC: 2 predictions for 3 targets"},
		{"NewConfusionMatrix lengths", func() { metrics.NewConfusionMatrix(ints2, ints3, "a", "b") }, argument,
			"NewConfusionMatrix: 2 predictions for 3 targets"},

		{"target between", func() { metrics.BinaryAccuracy(two, []float64{1, 0.5}) }, argument,
			"BinaryAccuracy: targets[1] = 0.5 is neither 0 nor 1"},
		{"target above", func() { metrics.BinaryAccuracyAt(two, []float64{1, 2}, 0) }, argument,
			"BinaryAccuracyAt: targets[1] = 2 is neither 0 nor 1"},
		{"target below", func() { metrics.ROCAUC(two, []float64{-1, 1}) }, argument,
			"ROCAUC: targets[0] = -1 is neither 0 nor 1"},
		{"predicted label without a name", func() { metrics.NewConfusionMatrix([]int{0, 2}, ints2, "a", "b") }, index,
			"NewConfusionMatrix: predicted[1] = 2 is out of range for 2"},
		{"actual label below 0", func() { metrics.NewConfusionMatrix(ints2, []int{-1, 0}, "a", "b") }, index,
			"NewConfusionMatrix: actual[0] = -1 is out of range for 2"},
		{"prediction that is NaN", func() { metrics.NewConfusionMatrix(metrics.Threshold([]float64{0, nan}, 0.5), ints2, "a", "b") }, index,
			"NewConfusionMatrix: predicted[1] = -1 is out of range for 2"},
		{"class without a name", func() { metrics.NewConfusionMatrix(ints2, ints2, "a", "b").Class(2) }, index,
			"ConfusionMatrix.Class: class 2 is out of range for 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := autograd.Try(test.call)
			if !errors.As(err, test.want) {
				t.Fatalf("got %v, want a %T", err, test.want)
			}
			if want := "metrics: " + test.text + ", at metrics_test.go:"; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %q, want %q and a line", err, want)
			}
		})
	}
}

func TestArgumentsAreLeftAlone(t *testing.T) {
	scores, targets := []float64{0.9, 0.1, 0.5}, []float64{1, 0, 1}
	metrics.ROCAUC(scores, targets)
	metrics.R2(scores, targets)
	metrics.BinaryAccuracy(scores, targets)
	if diff := cmp.Diff([][]float64{{0.9, 0.1, 0.5}, {1, 0, 1}}, [][]float64{scores, targets}); diff != "" {
		t.Errorf("arguments changed (-before +after):\n%s", diff)
	}
}
