package metrics_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// panicOf returns what f panics with, or nil.
func panicOf(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

func TestMistakesPanic(t *testing.T) {
	two, three := []float64{0, 1}, []float64{0, 1, 1}
	ints2, ints3 := []int{0, 1}, []int{0, 1, 1}
	lengths := func(function string) error {
		return &metrics.LengthError{Func: function, Predictions: 2, Targets: 3}
	}
	tests := []struct {
		name string
		call func()
		want error
		text string
	}{
		{"MSE lengths", func() { metrics.MSE(two, three) }, lengths("MSE"),
			"metrics: MSE: 2 predictions for 3 targets"},
		{"MAE lengths", func() { metrics.MAE(two, three) }, lengths("MAE"),
			"metrics: MAE: 2 predictions for 3 targets"},
		{"R2 lengths", func() { metrics.R2(two, three) }, lengths("R2"),
			"metrics: R2: 2 predictions for 3 targets"},
		{"Accuracy lengths", func() { metrics.Accuracy(ints2, ints3) }, lengths("Accuracy"),
			"metrics: Accuracy: 2 predictions for 3 targets"},
		{"BinaryAccuracy lengths", func() { metrics.BinaryAccuracy(two, three) }, lengths("BinaryAccuracy"),
			"metrics: BinaryAccuracy: 2 predictions for 3 targets"},
		{"BinaryAccuracyAt lengths", func() { metrics.BinaryAccuracyAt(two, three, 0) }, lengths("BinaryAccuracyAt"),
			"metrics: BinaryAccuracyAt: 2 predictions for 3 targets"},
		{"ROCAUC lengths", func() { metrics.ROCAUC(two, three) }, lengths("ROCAUC"),
			"metrics: ROCAUC: 2 predictions for 3 targets"},
		{"NewConfusionMatrix lengths", func() { metrics.NewConfusionMatrix(ints2, ints3, "a", "b") }, lengths("NewConfusionMatrix"),
			"metrics: NewConfusionMatrix: 2 predictions for 3 targets"},

		{"target between", func() { metrics.BinaryAccuracy(two, []float64{1, 0.5}) },
			&metrics.LabelError{Func: "BinaryAccuracy", What: "target", Index: 1, Label: 0.5, Classes: 2},
			"metrics: BinaryAccuracy: target 0.5 at index 1 is not a label of 2 classes"},
		{"target above", func() { metrics.BinaryAccuracyAt(two, []float64{1, 2}, 0) },
			&metrics.LabelError{Func: "BinaryAccuracyAt", What: "target", Index: 1, Label: 2, Classes: 2},
			"metrics: BinaryAccuracyAt: target 2 at index 1 is not a label of 2 classes"},
		{"target below", func() { metrics.ROCAUC(two, []float64{-1, 1}) },
			&metrics.LabelError{Func: "ROCAUC", What: "target", Index: 0, Label: -1, Classes: 2},
			"metrics: ROCAUC: target -1 at index 0 is not a label of 2 classes"},
		{"predicted label without a name", func() { metrics.NewConfusionMatrix([]int{0, 2}, ints2, "a", "b") },
			&metrics.LabelError{Func: "NewConfusionMatrix", What: "prediction", Index: 1, Label: 2, Classes: 2},
			"metrics: NewConfusionMatrix: prediction 2 at index 1 is not a label of 2 classes"},
		{"actual label below 0", func() { metrics.NewConfusionMatrix(ints2, []int{-1, 0}, "a", "b") },
			&metrics.LabelError{Func: "NewConfusionMatrix", What: "target", Index: 0, Label: -1, Classes: 2},
			"metrics: NewConfusionMatrix: target -1 at index 0 is not a label of 2 classes"},
		{"prediction that is NaN", func() { metrics.NewConfusionMatrix(metrics.Threshold([]float64{0, nan}, 0.5), ints2, "a", "b") },
			&metrics.LabelError{Func: "NewConfusionMatrix", What: "prediction", Index: 1, Label: -1, Classes: 2},
			"metrics: NewConfusionMatrix: prediction -1 at index 1 is not a label of 2 classes"},
		{"class without a name", func() { metrics.NewConfusionMatrix(ints2, ints2, "a", "b").Class(2) },
			&metrics.LabelError{Func: "Class", What: "class", Index: -1, Label: 2, Classes: 2},
			"metrics: Class: class 2 is not a label of 2 classes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := panicOf(test.call)
			if diff := cmp.Diff(any(test.want), got); diff != "" {
				t.Fatalf("panic value (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.text, got.(error).Error()); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
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
