package train_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/train"
)

func TestMeasures(t *testing.T) {
	nan := math.NaN()
	tensor := autograd.NewTensor
	tests := []struct {
		name               string
		f                  func(p, t autograd.Tensor) float64
		prediction, target autograd.Tensor
		want               float64
	}{
		{"binary", train.Accuracy, tensor([]float64{0.9, 0.5, 0.2, 0.6}), tensor([]float64{1, 1, 0, 0}), 0.5},
		{"binary column", train.Accuracy, tensor([]float64{0.9, 0.6}, 2, 1), tensor([]float64{1, 0}, 2, 1), 0.5},
		{"binary float32", train.Accuracy, autograd.NewTensor32([]float32{0.9, 0.1}), autograd.NewTensor32([]float32{1, 0}), 1},
		{"binary NaN", train.Accuracy, tensor([]float64{nan, 0}), tensor([]float64{1, 0}), nan},
		{"binary logits", train.LogitAccuracy, tensor([]float64{0.4, -0.1, -3, 2}, 4, 1), tensor([]float64{1, 1, 0, 0}, 4, 1), 0.5},
		{"logits of classes", train.LogitAccuracy, tensor([]float64{-1, -3, 2, 5}, 2, 2), tensor([]float64{1, 0, 1, 0}, 2, 2), 0.5},
		{"classes", train.Accuracy, tensor([]float64{-1, 3, 2, 5, 4, 4, 0, 0, 1}, 3, 3), tensor([]float64{0, 1, 0, 0, 1, 0, 0, 0, 1}, 3, 3), 2.0 / 3},
		{"tie", train.Accuracy, tensor([]float64{1, 1}, 1, 2), tensor([]float64{1, 0}, 1, 2), 1},
		{"two equal NaNs", train.Accuracy, tensor([]float64{nan, 1, 0, 1}, 2, 2), tensor([]float64{nan, 1, 0, 1}, 2, 2), 0.5},
		{"no classes", train.Accuracy, autograd.Zeros(3, 0), autograd.Zeros(3, 0), nan},
		{"MSE", train.MSE, tensor([]float64{1, 2, 3}), tensor([]float64{1, 4, 0}), 13.0 / 3},
		{"MAE", train.MAE, tensor([]float64{1, 2, 3}), tensor([]float64{1, 4, 0}), 5.0 / 3},
		{"R²", train.R2, tensor([]float64{1, 2, 3}), tensor([]float64{1, 3, 2}), 0},
		{"R² of nothing to explain", train.R2, tensor([]float64{1, 2}), tensor([]float64{1, 1}), nan},
		{"nothing", train.MSE, autograd.Zeros(0, 1), autograd.Zeros(0, 1), nan},
	}
	for _, test := range tests {
		got := test.f(test.prediction, test.target)
		if !(math.Abs(got-test.want) <= 1e-15) && !(math.IsNaN(got) && math.IsNaN(test.want)) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestMeasuresOfOtherShapes(t *testing.T) {
	for name, f := range map[string]func(p, t autograd.Tensor) float64{
		"Accuracy": train.Accuracy, "MSE": train.MSE, "MAE": train.MAE, "R2": train.R2,
	} {
		err := autograd.Try(func() { f(autograd.Ones(3, 1), autograd.Ones(3)) })
		var shape *autograd.ShapeError
		if !errors.As(err, &shape) || !strings.Contains(err.Error(), "train: "+name+": prediction and target differ in shape: [3 1], [3]") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestReportMetric(t *testing.T) {
	report := train.Report{Metrics: []train.Score{{Name: "R²", Value: 0.5}}}
	if got := report.Metric("R²"); got != 0.5 {
		t.Errorf("got %v", got)
	}
	err := autograd.Try(func() { report.Metric("MAE") })
	var argument *autograd.ArgumentError
	if !errors.As(err, &argument) || !strings.HasPrefix(err.Error(), `train: Report.Metric: there is no metric "MAE"`) {
		t.Errorf("got %v", err)
	}
}

func TestWriteCSV(t *testing.T) {
	history := train.History{
		{Number: 1, Train: train.Report{Loss: 0.1, Metrics: []train.Score{{Name: "a,b", Value: math.NaN()}}},
			Validation: &train.Report{Loss: 1e-300, Metrics: []train.Score{{Name: "a,b", Value: 1.0 / 3}}}},
	}
	var text strings.Builder
	if err := history.WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	want := "epoch,loss,\"a,b\",validation loss,\"validation a,b\"\n1,0.1,NaN,1e-300,0.3333333333333333\n"
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
	text.Reset()
	if err := (train.History{}).WriteCSV(&text); err != nil || text.Len() > 0 {
		t.Errorf("an empty history wrote %q, %v", text.String(), err)
	}
	if err := history.WriteCSV(full{}); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}

var errFull = errors.New("full")

// full is a Writer that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
