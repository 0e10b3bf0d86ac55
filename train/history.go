package train

import (
	"encoding/csv"
	"io"
	"strconv"

	"nabla/autograd"
)

// History is the record of a training, epoch by epoch.
type History []Epoch

// An Epoch is the record of one pass over the training data.
type Epoch struct {
	Number int // from 1

	// Train is about the training data. Its loss is what the steps measured in
	// training mode, each before it adjusted the parameters, as a mean over all
	// rows, or all labels that count; with one batch of all rows it is the loss
	// before the epoch. Its metrics are measured after the epoch, in evaluation
	// mode.
	Train Report

	// Validation is about the validation data: loss and metrics after the
	// epoch, in evaluation mode. It is nil if there are no such data.
	Validation *Report
}

// A Report says how good predictions are.
type Report struct {
	Loss    float64 // the mean over the rows, or the labels that count
	Metrics []Score // in the order of Config.Metrics
}

// watched returns the report on the validation data, or else on the training.
func (e *Epoch) watched() *Report {
	if e.Validation != nil {
		return e.Validation
	}
	return &e.Train
}

// A Metric measures the predictions for all rows against their targets, which
// for Labels are one-hot: a function of package metrics, or one of your own
// that returns a number. The classes of one-hot targets lie along the axis of
// the predictions that the labels lack: the last one if that fits, else axis 1
// for scores [batch, classes, height, width] of pixels. With
// [Config].IgnoreLabels both are [labels that count, classes]. The tensors are
// valid during the call only, and must not be changed.
//
//	train.Metric{Name: "R²", Func: metrics.R2}
type Metric struct {
	Name string
	Func func(prediction, target autograd.Tensor) float64

	// ByBatch measures each batch, and takes the mean of what Func returns,
	// weighted by rows, or by labels that count. It is right for a Func that is
	// such a mean itself, as the accuracy is, and keeps no predictions: those
	// of a vocabulary's words at all places of a text take much memory.
	ByBatch bool
}

// A Score is what a metric measured.
type Score struct {
	Name  string
	Value float64
}

// Metric returns the score of that name. It panics with an
// *[autograd.ArgumentError] if there is none.
func (r Report) Metric(name string) float64 {
	for _, s := range r.Metrics {
		if s.Name == name {
			return s.Value
		}
	}
	panic(autograd.NewArgumentError("train: Report.Metric", "there is no metric %q", name))
}

// WriteCSV writes a line with the names of the columns and a line for each
// epoch: epoch, loss, the metrics by name, and the same for the validation, if
// there is one, with "validation " before each name. Numbers have as many
// digits as it takes to read them back exactly. The error is w's.
func (h History) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	for i, epoch := range h {
		if i == 0 {
			out.Write(epoch.columns()) // Error below returns what fails
		}
		out.Write(epoch.cells())
	}
	out.Flush()
	return out.Error()
}

func (e Epoch) columns() []string {
	names := append([]string{"epoch"}, e.Train.columns("")...)
	if e.Validation != nil {
		names = append(names, e.Validation.columns("validation ")...)
	}
	return names
}

func (r Report) columns(prefix string) []string {
	names := []string{prefix + "loss"}
	for _, s := range r.Metrics {
		names = append(names, prefix+s.Name)
	}
	return names
}

func (e Epoch) cells() []string {
	cells := append([]string{strconv.Itoa(e.Number)}, e.Train.cells()...)
	if e.Validation != nil {
		cells = append(cells, e.Validation.cells()...)
	}
	return cells
}

func (r Report) cells() []string {
	cells := []string{number(r.Loss)}
	for _, s := range r.Metrics {
		cells = append(cells, number(s.Value))
	}
	return cells
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
