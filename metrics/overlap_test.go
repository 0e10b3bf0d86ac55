package metrics_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/metrics"
)

func TestMasks(t *testing.T) {
	tests := []struct {
		name               string
		prediction, target autograd.Tensor
		iou, dice          float64
	}{
		{"one of three", tensor([]float64{0.9, 0.6, 0.2, 0.5}), tensor([]float64{1, 0, 1, 0}), 1. / 3, 0.5},
		{"images", tensor([]float64{1, 0, 1, 1}, 1, 2, 2), tensor([]float64{1, 0, 1, 1}, 1, 2, 2), 1, 1},
		{"apart", tensor([]float64{1, 0}), tensor([]float64{0, 1}), 0, 0},
		{"no prediction", tensor([]float64{0, 0}), tensor([]float64{0, 1}), 0, 0},
		{"both empty", tensor([]float64{0, 0}), tensor([]float64{0, 0}), nan, nan},
		{"nothing", autograd.Zeros(0), autograd.Zeros(0), nan, nan},
		{"NaN", tensor([]float64{nan, 1}), tensor([]float64{1, 1}), nan, nan},
		{"NaN target", tensor([]float64{0, 1}), tensor([]float64{nan, 1}), nan, nan},
		{"float32", autograd.NewTensor32([]float32{0.7, 0.7}), autograd.NewTensor32([]float32{1, 0}), 0.5, 2. / 3},
	}
	for _, test := range tests {
		got := []float64{metrics.IoU(test.prediction, test.target), metrics.Dice(test.prediction, test.target)}
		if diff := cmp.Diff([]float64{test.iou, test.dice}, got, approximately); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// Three classes and one that is nowhere, with a border that does not count.
func TestOverlap(t *testing.T) {
	o := metrics.NewOverlap(4)
	predicted := autograd.NewInts([]int{0, 0, 1, 1, 2, 0}, 1, 2, 3)
	actual := autograd.NewInts([]int{0, 1, 1, 255, 2, 0}, 1, 2, 3)
	o.Add(predicted, actual, 255)
	o.Add(autograd.NewInts(nil, 0, 2, 3), autograd.NewInts(nil, 0, 2, 3))
	if diff := cmp.Diff(&metrics.Overlap{Both: []int{2, 1, 1, 0}, Predicted: []int{3, 1, 1, 0}, Actual: []int{2, 2, 1, 0}}, o); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]float64{2. / 3, 0.5, 1, nan}, o.IoU(), approximately); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]float64{0.8, 2. / 3, 1, nan}, o.Dice(), approximately); diff != "" {
		t.Error(diff)
	}
	got := []float64{o.MeanIoU(), o.MeanIoU(0), o.MeanIoU(0, 1, 2), o.MeanDice(), o.MeanDice(2), metrics.NewOverlap(2).MeanIoU()}
	want := []float64{(2./3 + 0.5 + 1) / 3, 0.75, nan, (0.8 + 2./3 + 1) / 3, (0.8 + 2./3) / 2, nan}
	if diff := cmp.Diff(want, got, approximately); diff != "" {
		t.Error(diff)
	}
	// A mistake counts nothing.
	if err := autograd.Try(func() { o.Add(labels(1, 0), labels(0, 4)) }); err == nil || o.Actual[0] != 2 {
		t.Errorf("%v, %v", err, o)
	}
}

func TestTopKAccuracy(t *testing.T) {
	p := tensor([]float64{0.1, 0.5, 0.4, 0.3, 0.3, 0.4, nan, 1, 0}, 3, 3)
	y := tensor([]float64{0, 0, 1, 0, 1, 0, 0, 1, 0}, 3, 3)
	for k, want := range map[int]float64{1: 0, 2: 1. / 3, 3: 2. / 3} { // the tie of row 1 goes to class 0
		if diff := cmp.Diff(want, metrics.TopKAccuracy(p, y, k), approximately); diff != "" {
			t.Errorf("k = %d: %s", k, diff)
		}
	}
	if diff := cmp.Diff(nan, metrics.TopKAccuracy(autograd.Zeros(0, 3), autograd.Zeros(0, 3), 1), approximately); diff != "" {
		t.Error(diff)
	}
	sequences := tensor([]float64{0, 1, 1, 0}, 1, 2, 2)
	if got := metrics.TopKAccuracy(sequences, sequences, 1); got != 1 {
		t.Errorf("got %v", got)
	}
	for _, row := range []autograd.Tensor{tensor([]float64{3, 1, 3, 2}, 2, 2), tensor([]float64{1, 1, 0, 0}, 2, 2)} {
		if a, b := metrics.Accuracy(row, tensor([]float64{0, 1, 1, 0}, 2, 2)), metrics.TopKAccuracy(row, tensor([]float64{0, 1, 1, 0}, 2, 2), 1); a != b {
			t.Errorf("accuracy %v, top 1 %v", a, b)
		}
	}
}

func TestAveragePrecisionEdges(t *testing.T) {
	for _, test := range []struct {
		name            string
		scores, targets []float64
		want            float64
	}{
		{"perfect", []float64{3, 2, 1}, []float64{1, 1, 0}, 1},
		{"reversed", []float64{1, 2, 3}, []float64{1, 0, 0}, 1. / 3},
		{"all tied", []float64{1, 1, 1, 1}, []float64{1, 0, 0, 0}, 0.25},
		{"class 0 only", []float64{1, 2}, []float64{0, 0}, nan},
		{"nothing", nil, nil, nan},
		{"NaN", []float64{nan, 2}, []float64{0, 1}, nan},
	} {
		if diff := cmp.Diff(test.want, metrics.AveragePrecision(tensor(test.scores), tensor(test.targets)), approximately); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}
