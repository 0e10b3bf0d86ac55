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

func tensor(values []float64, shape ...int) autograd.Tensor {
	return autograd.NewTensor(values, shape...)
}

func labels(values ...int) autograd.Ints { return autograd.NewInts(values) }

// approximately compares numbers up to rounding, and treats NaNs as equal.
var approximately = cmp.Comparer(func(x, y float64) bool {
	return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= 1e-14*math.Max(math.Abs(x), math.Abs(y))
})

// A mistake panics with a typed error that autograd.Try catches, and that names
// the line of the call.
func TestMistakesPanic(t *testing.T) {
	two, column := tensor([]float64{0, 1}), tensor([]float64{0, 1}, 2, 1)
	ints2, ints3 := labels(0, 1), labels(0, 1, 1)
	argument, index, shape := new(*autograd.ArgumentError), new(*autograd.IndexError), new(*autograd.ShapeError)
	tests := []struct {
		name string
		call func()
		want any // the type of the error
		text string
	}{
		{"MSE shapes", func() { metrics.MSE(two, column) }, shape, "MSE: prediction and target differ in shape: [2], [2 1]"},
		{"MAE shapes", func() { metrics.MAE(two, column) }, shape, "MAE: prediction and target differ in shape: [2], [2 1]"},
		{"R2 shapes", func() { metrics.R2(two, column) }, shape, "R2: prediction and target differ in shape: [2], [2 1]"},
		{"Accuracy shapes", func() { metrics.Accuracy(two, column) }, shape, "Accuracy: prediction and target differ in shape: [2], [2 1]"},
		{"BinaryAccuracy shapes", func() { metrics.BinaryAccuracy(two, column) }, shape, "BinaryAccuracy: prediction and target differ in shape: [2], [2 1]"},
		{"BinaryAccuracyAt shapes", func() { metrics.BinaryAccuracyAt(two, column, 0) }, shape, "BinaryAccuracyAt: prediction and target differ in shape: [2], [2 1]"},
		{"ROCAUC shapes", func() { metrics.ROCAUC(two, column) }, shape, "ROCAUC: prediction and target differ in shape: [2], [2 1]"},
		{"MSE of nothing", func() { metrics.MSE(autograd.Tensor{}, two) }, argument, "MSE: the prediction is the zero Tensor"},
		{"R2 of a number and nothing", func() { metrics.R2(autograd.Scalar(1), autograd.Tensor{}) }, argument, "R2: the target is the zero Tensor"},
		{"Classes of nothing", func() { metrics.Classes(autograd.Tensor{}) }, argument, "Classes: the argument is the zero Tensor"},
		{"ClassesAt of nothing", func() { metrics.ClassesAt(autograd.Tensor{}, 0) }, argument, "ClassesAt: the argument is the zero Tensor"},
		{"NewConfusionMatrix shapes", func() { metrics.NewConfusionMatrix(ints2, ints3, "a", "b") }, shape,
			"NewConfusionMatrix: predicted and actual labels differ in shape: [2], [3]"},
		{"Accuracy of no classes", func() { metrics.Accuracy(autograd.Zeros(3, 0), autograd.Zeros(3, 0)) }, shape,
			"Accuracy: the last axis has no classes: [3 0]"},
		{"no classes", func() { metrics.Classes(autograd.Zeros(3, 0)) }, shape, "Classes: the last axis has no classes: [3 0]"},

		{"target between", func() { metrics.BinaryAccuracy(two, tensor([]float64{1, 0.5})) }, argument,
			"BinaryAccuracy: targets[1] = 0.5 is neither 0 nor 1"},
		{"target above", func() { metrics.BinaryAccuracyAt(two, tensor([]float64{1, 2}), 0) }, argument,
			"BinaryAccuracyAt: targets[1] = 2 is neither 0 nor 1"},
		{"target below", func() { metrics.ROCAUC(two, tensor([]float64{-1, 1})) }, argument,
			"ROCAUC: targets[0] = -1 is neither 0 nor 1"},
		{"predicted label without a name", func() { metrics.NewConfusionMatrix(labels(0, 2), ints2, "a", "b") }, index,
			"NewConfusionMatrix: predicted[1] = 2 is out of range for 2"},
		{"actual label below 0", func() { metrics.NewConfusionMatrix(ints2, labels(-1, 0), "a", "b") }, index,
			"NewConfusionMatrix: actual[0] = -1 is out of range for 2"},
		{"prediction that is NaN", func() { metrics.NewConfusionMatrix(metrics.Classes(tensor([]float64{0, nan})), ints2, "a", "b") }, index,
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
	scores, targets := tensor([]float64{0.9, 0.1, 0.5}), tensor([]float64{1, 0, 1})
	metrics.ROCAUC(scores, targets)
	metrics.R2(scores, targets)
	metrics.BinaryAccuracy(scores, targets)
	if diff := cmp.Diff([][]float64{{0.9, 0.1, 0.5}, {1, 0, 1}}, [][]float64{scores.Raw64(), targets.Raw64()}); diff != "" {
		t.Errorf("arguments changed (-before +after):\n%s", diff)
	}
}
