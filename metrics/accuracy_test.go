package metrics_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/metrics"
)

func TestAccuracy(t *testing.T) {
	tests := []struct {
		name              string
		predicted, actual []int
		want              float64
	}{
		{"three of four", []int{0, 2, 1, 1}, []int{0, 2, 1, 0}, 0.75},
		{"all", []int{7, -1}, []int{7, -1}, 1},
		{"no one", []int{0, 1}, []int{1, 0}, 0},
		{"nothing", nil, nil, nan},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, metrics.Accuracy(test.predicted, test.actual), approximately); diff != "" {
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
			got := metrics.BinaryAccuracyAt(test.probabilities, test.targets, test.threshold)
			if diff := cmp.Diff(test.want, got, approximately); diff != "" {
				t.Errorf("BinaryAccuracyAt (-want +got):\n%s", diff)
			}
			if test.threshold != 0.5 {
				return
			}
			got = metrics.BinaryAccuracy(test.probabilities, test.targets)
			if diff := cmp.Diff(test.want, got, approximately); diff != "" {
				t.Errorf("BinaryAccuracy (-want +got):\n%s", diff)
			}
		})
	}
}

func TestThreshold(t *testing.T) {
	got := metrics.Threshold([]float64{0.1, 0.5, 0.6, nan, inf, -inf}, 0.5)
	if diff := cmp.Diff([]int{0, 0, 1, -1, 1, 0}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{-1, -1}, metrics.Threshold([]float64{0, 1}, nan)); diff != "" {
		t.Errorf("NaN threshold (-want +got):\n%s", diff)
	}
}
