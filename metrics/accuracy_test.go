package metrics_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/metrics"
)

func TestAccuracy(t *testing.T) {
	tests := []struct {
		name               string
		prediction, target autograd.Tensor
		want               float64
	}{
		{"binary", tensor([]float64{0.9, 0.5, 0.2, 0.6}), tensor([]float64{1, 1, 0, 0}), 0.5},
		{"binary column", tensor([]float64{0.9, 0.6}, 2, 1), tensor([]float64{1, 0}, 2, 1), 0.5},
		{"binary float32", autograd.NewTensor32([]float32{0.9, 0.1}), autograd.NewTensor32([]float32{1, 0}), 1},
		{"binary NaN", tensor([]float64{nan, 0}), tensor([]float64{1, 0}), nan},
		{"classes", tensor([]float64{-1, 3, 2, 5, 4, 4, 0, 0, 1}, 3, 3), tensor([]float64{0, 1, 0, 0, 1, 0, 0, 0, 1}, 3, 3), 2. / 3},
		{"sequences", tensor([]float64{-1, 3, 5, 4, 2, 0, 0, 1}, 2, 2, 2), tensor([]float64{0, 1, 0, 1, 1, 0, 0, 1}, 2, 2, 2), 0.75},
		{"tie", tensor([]float64{1, 1}, 1, 2), tensor([]float64{1, 0}, 1, 2), 1},
		{"two equal NaNs", tensor([]float64{nan, 1, 0, 1}, 2, 2), tensor([]float64{nan, 1, 0, 1}, 2, 2), 0.5},
		{"no rows", autograd.Zeros(0, 3), autograd.Zeros(0, 3), nan},
		{"nothing", autograd.Zeros(0), autograd.Zeros(0), nan},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, metrics.Accuracy(test.prediction, test.target), approximately); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBinaryAccuracy(t *testing.T) {
	tests := []struct {
		name                   string
		probabilities, targets []float64
		threshold, want        float64
	}{
		{"three of four", []float64{0.9, 0.2, 0.6, 0.4}, []float64{1, 0, 1, 1}, 0.5, 0.75},
		{"lower threshold", []float64{0.9, 0.2, 0.6, 0.4}, []float64{1, 0, 1, 1}, 0.3, 1},
		{"logits", []float64{2, -1, 0.1, -3}, []float64{1, 0, 0, 0}, 0, 0.75},
		{"at the threshold is class 0", []float64{0.5, 0.5, 0.5}, []float64{0, 0, 1}, 0.5, 2. / 3},
		{"infinite logits", []float64{inf, -inf}, []float64{1, 0}, 0, 1},
		{"nothing", nil, nil, 0.5, nan},
		{"NaN probability", []float64{nan, 0.2}, []float64{0, 0}, 0.5, nan},
		{"NaN target", []float64{0.1, 0.2}, []float64{0, nan}, 0.5, nan},
		{"NaN threshold", []float64{0.1, 0.2}, []float64{0, 0}, nan, nan},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := metrics.BinaryAccuracyAt(tensor(test.probabilities), tensor(test.targets), test.threshold)
			if diff := cmp.Diff(test.want, got, approximately); diff != "" {
				t.Errorf("BinaryAccuracyAt (-want +got):\n%s", diff)
			}
			if test.threshold != 0.5 {
				return
			}
			got = metrics.BinaryAccuracy(tensor(test.probabilities), tensor(test.targets))
			if diff := cmp.Diff(test.want, got, approximately); diff != "" {
				t.Errorf("BinaryAccuracy (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClasses(t *testing.T) {
	tests := []struct {
		name          string
		got           autograd.Ints
		labels, shape []int
	}{
		{"at a threshold", metrics.ClassesAt(tensor([]float64{0.1, 0.5, 0.6, nan, inf, -inf}), 0.5), []int{0, 0, 1, -1, 1, 0}, []int{6}},
		{"logits", metrics.ClassesAt(tensor([]float64{0.1, -0.5}), 0), []int{1, 0}, []int{2}},
		{"NaN threshold", metrics.ClassesAt(tensor([]float64{0, 1}), nan), []int{-1, -1}, []int{2}},
		{"probabilities", metrics.Classes(tensor([]float64{0.5, 0.6})), []int{0, 1}, []int{2}},
		{"column", metrics.Classes(tensor([]float64{0.5, 0.6}, 2, 1)), []int{0, 1}, []int{2}},
		{"several labels each", metrics.ClassesAt(tensor([]float64{0.5, 0.6, 0.7, 0}, 2, 2), 0.5), []int{0, 1, 1, 0}, []int{2, 2}},
		{"classes", metrics.Classes(tensor([]float64{1, 3, 2, 4, 4, -1, 0, nan, 5}, 3, 3)), []int{1, 0, -1}, []int{3}},
		{"sequences", metrics.Classes(tensor([]float64{1, 3, 4, 2}, 1, 2, 2)), []int{1, 0}, []int{1, 2}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.labels, test.got.Values()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if diff := cmp.Diff(test.shape, test.got.Shape()); diff != "" {
			t.Errorf("%s: shape (-want +got):\n%s", test.name, diff)
		}
	}
}
