package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"nabla/autograd"
	"nabla/data"
)

// A CrossValidation is what [CrossValidate] measured.
type CrossValidation struct {
	Histories []History // of the folds, in their order
	Summary   []Spread  // of the loss, then of each metric, after the last epochs
}

// A Spread says what a measure of the validation is over the folds.
type Spread struct {
	Name string // of a metric, or "loss"

	// Mean and Deviation, which divides by the number of folds minus one, of
	// what each fold's last epoch has; the deviation of one fold is NaN.
	Mean, Deviation float64
}

// CrossValidate trains a network for each fold of the rows, and measures it on
// the rows that it did not see.
//
//	folds := data.KFold(rng, table.Rows, 5)
//	result, err := train.CrossValidate(ctx, folds, func(fold data.Fold) (train.Config, train.Data, error) {
//		scaler := data.FitStandard(table.Take(fold.Train)) // never on the rows to be measured
//		…
//	})
//
// The function gets the rows of a fold. It returns a configuration with a fresh
// model and optimizer, whose Validation has the rows of fold.Validation, and
// data of the rows of fold.Train. What it fits, such as a scaler, it has to fit
// on these alone; so it gets the rows' numbers, and not data that were scaled
// before.
//
// A training that stops early counts with its last epoch. CrossValidate returns
// the folds that are complete beside an error: one of the function, or what
// [Run] returns, which says in which fold. It panics with an
// *[autograd.ArgumentError] if there are no folds or no function.
func CrossValidate(ctx context.Context, folds []data.Fold, prepare func(fold data.Fold) (Config, Data, error)) (CrossValidation, error) {
	const op = "train: CrossValidate"
	if len(folds) == 0 || prepare == nil {
		panic(autograd.NewArgumentError(op, "there are %d folds, and the function that prepares one is nil: %v", len(folds), prepare == nil))
	}
	var result CrossValidation
	for i, fold := range folds {
		history, err := validate(ctx, fold, prepare)
		if err != nil {
			return result, fmt.Errorf("train: fold %d of %d: %w", i+1, len(folds), err)
		}
		result.Histories = append(result.Histories, history)
	}
	return result, autograd.Try(result.summarize)
}

// validate trains for a fold.
func validate(ctx context.Context, fold data.Fold, prepare func(fold data.Fold) (Config, Data, error)) (History, error) {
	config, training, err := prepare(fold)
	if err != nil {
		return nil, err
	}
	switch {
	case config.Validation.Rows() != len(fold.Validation):
		return nil, autograd.NewArgumentError("train: CrossValidate", "Validation has %d rows, the fold %d", config.Validation.Rows(), len(fold.Validation))
	case training.Rows() != len(fold.Train):
		return nil, autograd.NewArgumentError("train: CrossValidate", "the data have %d rows, the fold trains with %d", training.Rows(), len(fold.Train))
	}
	history, err := Run(ctx, config, training)
	if err == nil && len(history) == 0 {
		err = errors.New("the training ended in its first epoch")
	}
	return history, err
}

// summarize fills in the Summary.
func (c *CrossValidation) summarize() {
	last := func(h History) *Report { return h[len(h)-1].Validation }
	c.Summary = append(c.Summary, spread("loss", c.Histories, func(h History) float64 { return last(h).Loss }))
	for _, m := range last(c.Histories[0]).Metrics {
		c.Summary = append(c.Summary, spread(m.Name, c.Histories, func(h History) float64 { return last(h).Metric(m.Name) }))
	}
}

func spread(name string, histories []History, of func(History) float64) Spread {
	n, mean, squares := float64(len(histories)), 0.0, 0.0
	for _, h := range histories {
		mean += of(h) / n
	}
	for _, h := range histories {
		d := of(h) - mean
		squares += d * d
	}
	return Spread{name, mean, math.Sqrt(squares / (n - 1))}
}

// String returns a table: a line for each fold, and the means with their
// deviations.
func (c CrossValidation) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "fold\tepochs")
	for _, s := range c.Summary {
		fmt.Fprint(w, "\t", s.Name)
	}
	for i, h := range c.Histories {
		last := h[len(h)-1]
		fmt.Fprintf(w, "\n%d\t%d\t%.4g", i+1, last.Number, last.Validation.Loss)
		for _, m := range last.Validation.Metrics {
			fmt.Fprintf(w, "\t%.4g", m.Value)
		}
	}
	fmt.Fprint(w, "\nmean\t")
	for _, s := range c.Summary {
		fmt.Fprintf(w, "\t%.4g ± %.2g", s.Mean, s.Deviation)
	}
	fmt.Fprintln(w)
	w.Flush()
	return text.String()
}
