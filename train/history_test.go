package train_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/train"
)

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
