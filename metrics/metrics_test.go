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
	box := found([7]float64{0, 0, 1, 0, 0, 1, 1})
	with := func(f func(d *metrics.Detections)) metrics.Detections { d := box; f(&d); return d }
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
		{"IoU shapes", func() { metrics.IoU(two, column) }, shape, "IoU: prediction and target differ in shape: [2], [2 1]"},
		{"Dice targets", func() { metrics.Dice(two, tensor([]float64{1, 0.5})) }, argument, "Dice: targets[1] = 0.5 is neither 0 nor 1"},
		{"no classes of an overlap", func() { metrics.NewOverlap(0) }, argument, "NewOverlap: there are 0 classes"},
		{"Overlap shapes", func() { metrics.NewOverlap(2).Add(ints2, ints3) }, shape, "Overlap.Add: predicted and actual labels differ in shape: [2], [3]"},
		{"Overlap predicted", func() { metrics.NewOverlap(2).Add(labels(0, 2), labels(0, 0)) }, index, "Overlap.Add: predicted[1] = 2 is out of range for 2"},
		{"Overlap actual", func() { metrics.NewOverlap(2).Add(labels(0, 1), labels(0, 9), 8) }, index, "Overlap.Add: actual[1] = 9 is out of range for 2"},
		{"top 3 of 2", func() { metrics.TopKAccuracy(tensor([]float64{0, 1}, 1, 2), tensor([]float64{0, 1}, 1, 2), 3) }, argument, "TopKAccuracy: k is 3, want 1 to 2"},
		{"top k shapes", func() { metrics.TopKAccuracy(two, column, 1) }, shape, "TopKAccuracy: prediction and target differ in shape: [2], [2 1]"},
		{"top k of a scalar", func() { metrics.TopKAccuracy(autograd.Scalar(1), autograd.Scalar(1), 1) }, shape, "TopKAccuracy: a scalar has no axis of classes: []"},
		{"AveragePrecision shapes", func() { metrics.AveragePrecision(two, column) }, shape, "AveragePrecision: prediction and target differ in shape: [2], [2 1]"},
		{"boxes", func() { metrics.BoxIoU(two, box.Boxes) }, shape, "BoxIoU: boxes are rows of left, top, right, bottom: [2]"},
		{"no boxes", func() { metrics.BoxIoU(box.Boxes, autograd.Tensor{}) }, argument, "BoxIoU: the tensor of boxes is the zero Tensor"},
		{"scores", func() { metrics.NonMaximumSuppression(box.Boxes, two, 0.5) }, shape, "NonMaximumSuppression: the scores are not one for each box: [2], [1]"},
		{"threshold", func() { metrics.NonMaximumSuppression(box.Boxes, box.Scores, nan) }, argument, "NonMaximumSuppression: a threshold of NaN"},
		{"NaN box", func() { metrics.NonMaximumSuppression(tensor([]float64{0, 0, nan, 1}, 1, 4), box.Scores, 0.5) }, argument, "NonMaximumSuppression: box 0, [0 0 NaN 1], or its score is NaN"},
		{"NaN score", func() { with(func(d *metrics.Detections) { d.Scores = tensor([]float64{nan}) }).Suppress(0.5) }, argument, "Detections.Suppress: box 0"},
		{"classes", func() { metrics.AveragePrecisions(with(func(d *metrics.Detections) { d.Classes = ints2 }), box, 0.5) }, shape,
			"AveragePrecisions: the predicted classes are not one for each box: [2], [1]"},
		{"images", func() { metrics.AveragePrecisions(box, with(func(d *metrics.Detections) { d.Images = ints2 }), 0.5) }, shape,
			"AveragePrecisions: the actual images are not one for each box: [2], [1]"},
		{"negative class", func() {
			metrics.MeanAveragePrecision(box, with(func(d *metrics.Detections) { d.Classes = labels(-1) }), 0.5)
		}, index,
			"MeanAveragePrecision: actual classes[0] = -1 is out of range"},
		{"without scores", func() {
			metrics.MeanAveragePrecision(with(func(d *metrics.Detections) { d.Scores = autograd.Tensor{} }), box, 0.5)
		}, argument,
			"MeanAveragePrecision: the tensor of scores is the zero Tensor"},
		{"without threshold", func() { metrics.MeanAveragePrecision(box, box) }, argument, "MeanAveragePrecision: no threshold"},
		{"bad threshold", func() { metrics.MeanAveragePrecision(box, box, 0.5, 2) }, argument, "MeanAveragePrecision: a threshold of 2"},
		{"actual box", func() {
			metrics.AveragePrecisions(box, with(func(d *metrics.Detections) { d.Boxes = tensor([]float64{1, 1, 1, 2}, 1, 4) }), 0.5)
		}, argument,
			"AveragePrecisions: actual box 0, [1 1 1 2], has no area"},
		{"class without a name", func() { metrics.NewConfusionMatrix(ints2, ints2, "a", "b").Class(2) }, index,
			"ConfusionMatrix.Class: class 2 is out of range for 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := autograd.Try(test.call)
			if !errors.As(err, test.want) {
				t.Fatalf("got %v, want a %T", err, test.want)
			}
			if want := "metrics: " + test.text; !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), ", at metrics_test.go:") {
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
