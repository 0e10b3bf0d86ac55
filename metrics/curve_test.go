package metrics_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/metrics"
)

// The areas below the curves are what ROCAUC and AveragePrecision compute in
// other ways.
func TestAreasBelowCurves(t *testing.T) {
	scores := tensor([]float64{0.1, 0.4, 0.35, 0.8, 0.4, 0.9, 0.2, 0.4})
	targets := tensor([]float64{0, 0, 1, 1, 1, 0, 0, 1})
	trapezoids, steps := 0.0, 0.0
	roc, pr := metrics.ROC(scores, targets), metrics.PrecisionRecall(scores, targets)
	for i := 1; i < len(roc.X); i++ {
		trapezoids += (roc.X[i] - roc.X[i-1]) * (roc.Y[i] + roc.Y[i-1]) / 2
	}
	for i := 1; i < len(pr.X); i++ {
		steps += (pr.X[i] - pr.X[i-1]) * pr.Y[i]
	}
	want := []float64{metrics.ROCAUC(scores, targets), metrics.AveragePrecision(scores, targets)}
	if diff := cmp.Diff(want, []float64{trapezoids, steps}, approximately); diff != "" {
		t.Error(diff)
	}
}

func TestCurvesWithoutAClass(t *testing.T) {
	ones, none := tensor([]float64{1, 1}), tensor([]float64{0, 0})
	if c := metrics.ROC(ones, ones); len(c.X) != 2 || !math.IsNaN(c.X[1]) || c.Y[1] != 1 {
		t.Errorf("ROC without class 0: %v", c)
	}
	if c := metrics.ROC(ones, none); c.X[1] != 1 || !math.IsNaN(c.Y[1]) {
		t.Errorf("ROC without class 1: %v", c)
	}
	if c := metrics.PrecisionRecall(ones, none); !math.IsNaN(c.X[1]) || c.Y[1] != 0 {
		t.Errorf("PrecisionRecall without class 1: %v", c)
	}
	if c := metrics.ROC(tensor([]float64{math.NaN(), 1}), ones); len(c.X) != 0 {
		t.Errorf("ROC with a NaN: %v", c)
	}
	if err := autograd.Try(func() { metrics.ROC(ones, tensor([]float64{1, 2})) }); err == nil {
		t.Error("ROC took a target of 2")
	}
}

func ExampleROC() {
	scores := autograd.NewTensor([]float64{0.9, 0.8, 0.6, 0.3})
	targets := autograd.NewTensor([]float64{1, 0, 1, 0})
	curve := metrics.ROC(scores, targets)
	fmt.Println(curve.X)
	fmt.Println(curve.Y)
	// Output:
	// [0 0 0.5 0.5 1]
	// [0 0.5 0.5 1 1]
}
