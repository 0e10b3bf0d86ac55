package metrics_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/metrics"
)

// Rankings, the best k classes and overlaps, against scikit-learn's numbers.
func TestAgainstScikitLearn(t *testing.T) {
	var file struct {
		Rankings []struct {
			Scores, Targets []float64
			AP              float64
			ROC, PR         metrics.Curve
		}
		TopK []struct {
			K        int
			Accuracy float64
		}
		Scores        [][]float64
		Labels        []int
		Segmentations []struct {
			Classes           int
			Predicted, Actual []int
			IoU, Dice         []float64
		}
	}
	text, err := os.ReadFile("testdata/sklearn.json")
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil || len(file.Rankings) == 0 || len(file.TopK) == 0 || len(file.Segmentations) == 0 {
		t.Fatal(err)
	}
	for i, c := range file.Rankings {
		if diff := cmp.Diff(c.AP, metrics.AveragePrecision(tensor(c.Scores), tensor(c.Targets)), approximately); diff != "" {
			t.Errorf("ranking %d: %s", i, diff)
		}
		if len(c.ROC.X) > 0 {
			sameCurve(t, c.ROC, metrics.ROC(tensor(c.Scores), tensor(c.Targets)))
		}
		sameCurve(t, c.PR, metrics.PrecisionRecall(tensor(c.Scores), tensor(c.Targets)))
	}
	one := autograd.NewGraph(autograd.Options{}).OneHot(autograd.NewInts(file.Labels), 5).Tensor()
	for _, c := range file.TopK {
		if diff := cmp.Diff(c.Accuracy, metrics.TopKAccuracy(autograd.FromNested(file.Scores), one, c.K), approximately); diff != "" {
			t.Errorf("top %d: %s", c.K, diff)
		}
	}
	for i, c := range file.Segmentations {
		o, half := metrics.NewOverlap(c.Classes), len(c.Actual)/2
		o.Add(labels(c.Predicted[:half]...), labels(c.Actual[:half]...))
		o.Add(labels(c.Predicted[half:]...), labels(c.Actual[half:]...))
		near := cmpopts.EquateApprox(1e-14, 0)
		if diff := cmp.Diff(c.IoU, o.IoU(), near) + cmp.Diff(c.Dice, o.Dice(), near); diff != "" {
			t.Errorf("segmentation %d: %s", i, diff)
		}
	}
}

// sameCurve compares a curve with scikit-learn's, whose first threshold is left
// out.
func sameCurve(t *testing.T, want, got metrics.Curve) {
	t.Helper()
	if len(got.Thresholds) == 0 || !math.IsInf(got.Thresholds[0], 1) {
		t.Fatalf("the curve does not begin at a threshold of +Inf: %v", got)
	}
	got.Thresholds = got.Thresholds[1:]
	if diff := cmp.Diff(want, got, approximately); diff != "" {
		t.Error(diff)
	}
}
