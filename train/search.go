package train

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"text/tabwriter"

	"nabla/autograd"
)

// An Axis is a setting to be searched: some values, or for [RandomTrials] a
// range.
type Axis struct {
	Name   string
	Values []float64

	From, To float64 // a range, if there are no Values
	Log      bool    // all orders of magnitude of it are alike: of a learning rate, say
	Whole    bool    // whole numbers of it, To among them
}

// A Trial is a choice of settings, in the order of the axes.
type Trial []Score

// Value returns the setting of that name. It panics with an
// *[autograd.ArgumentError] if there is none.
func (t Trial) Value(name string) float64 {
	for _, s := range t {
		if s.Name == name {
			return s.Value
		}
	}
	panic(autograd.NewArgumentError("train: Trial.Value", "there is no setting %q", name))
}

// Int returns the setting of that name, rounded to a whole number.
func (t Trial) Int(name string) int { return int(math.Round(t.Value(name))) }

// GridTrials returns all choices of the axes' Values, the last axis first. It
// panics with an *[autograd.ArgumentError] if an axis has none.
func GridTrials(axes ...Axis) []Trial {
	checkAxes("train: GridTrials", axes, false)
	trials := []Trial{nil}
	for _, axis := range axes {
		var longer []Trial
		for _, t := range trials {
			for _, v := range axis.Values {
				longer = append(longer, append(slices.Clone(t), Score{axis.Name, v}))
			}
		}
		trials = longer
	}
	return trials
}

// RandomTrials returns n choices that are drawn from a seed: of Values each as
// likely as the others, of a range all numbers. Few random choices find more
// than a grid of as many, if few of the settings matter (Bergstra and Bengio,
// 2012). More trials of one seed begin with the same ones. It panics with an
// *[autograd.ArgumentError] if n is below 1 or an axis makes no sense.
func RandomTrials(seed uint64, n int, axes ...Axis) []Trial {
	const op = "train: RandomTrials"
	checkAxes(op, axes, true)
	if n < 1 {
		panic(autograd.NewArgumentError(op, "%d trials", n))
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	trials := make([]Trial, n)
	for i := range trials {
		for _, axis := range axes {
			trials[i] = append(trials[i], Score{axis.Name, axis.draw(rng)})
		}
	}
	return trials
}

// draw returns one of the axis's numbers.
func (a *Axis) draw(rng *rand.Rand) float64 {
	if len(a.Values) > 0 {
		return a.Values[rng.IntN(len(a.Values))]
	}
	from, to := a.From, a.To
	if a.Whole {
		to++
	}
	v, part := 0.0, rng.Float64()
	if a.Log {
		v = from * math.Pow(to/from, part)
	} else {
		v = from + (to-from)*part
	}
	if a.Whole {
		v = math.Floor(v)
	}
	return min(max(v, a.From), a.To)
}

func checkAxes(op string, axes []Axis, ranges bool) {
	if len(axes) == 0 {
		panic(autograd.NewArgumentError(op, "there are no axes"))
	}
	for i, a := range axes {
		switch {
		case slices.ContainsFunc(axes[:i], func(b Axis) bool { return a.Name == b.Name }):
			panic(autograd.NewArgumentError(op, "two axes are called %q", a.Name))
		case len(a.Values) > 0:
		case !ranges:
			panic(autograd.NewArgumentError(op, "axis %q has no Values", a.Name))
		case !(a.From <= a.To) || !isFinite(a.From) || !isFinite(a.To):
			panic(autograd.NewArgumentError(op, "axis %q goes from %v to %v", a.Name, a.From, a.To))
		case a.Log && a.From <= 0:
			panic(autograd.NewArgumentError(op, "axis %q is logarithmic and begins at %v", a.Name, a.From))
		}
	}
}

// A Found is a trial and what came of it.
type Found struct {
	Trial  Trial
	Report Report // NaN and no metrics if the trial failed
	Err    error  // why it failed: it diverged, for example
}

// A Table is the result of a [Search], in the order of the trials.
type Table []Found

// Search trains and measures with each of the trials, in their order, and
// returns the table of what came of them:
//
//	table, err := train.Search(ctx, trials, func(ctx context.Context, t train.Trial) (train.Report, error) {
//		config.Optimizer = optim.NewAdam(t.Value("rate"))
//		…
//		return *history[len(history)-1].Validation, nil
//	})
//
// The function must make a fresh model each time. A trial whose function fails
// has its error in the table, and the search goes on. Search returns ctx.Err()
// once the context is done, and the table so far.
func Search(ctx context.Context, trials []Trial, f func(ctx context.Context, t Trial) (Report, error)) (Table, error) {
	var table Table
	for _, t := range trials {
		if err := ctx.Err(); err != nil {
			return table, err
		}
		report, err := f(ctx, t)
		if ctx.Err() != nil && err != nil {
			return table, ctx.Err()
		}
		if err != nil {
			report = Report{Loss: math.NaN()}
		}
		table = append(table, Found{t, report, err})
	}
	return table, nil
}

// Best returns the trial with the lowest loss, the first of several. It is not
// ok if all trials failed or have a loss that is NaN.
func (t Table) Best() (best Found, ok bool) {
	for _, f := range t {
		if f.Err == nil && !math.IsNaN(f.Report.Loss) && (!ok || f.Report.Loss < best.Report.Loss) {
			best, ok = f, true
		}
	}
	return best, ok
}

// WriteCSV writes a line with the names of the columns and a line for each
// trial: its settings, the loss, the metrics, and the error if it failed.
// Numbers have as many digits as it takes to read them back exactly. The error
// is w's.
func (t Table) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	for _, line := range t.cells(number) {
		out.Write(line) // Error below returns what fails
	}
	out.Flush()
	return out.Error()
}

// String returns the table as text, the best trial first.
func (t Table) String() string {
	sorted := slices.Clone(t)
	slices.SortStableFunc(sorted, func(a, b Found) int {
		switch x, y := a.Report.Loss, b.Report.Loss; {
		case x < y || math.IsNaN(y) && !math.IsNaN(x):
			return -1
		case x > y || math.IsNaN(x) && !math.IsNaN(y):
			return 1
		}
		return 0
	})
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, line := range sorted.cells(func(v float64) string { return fmt.Sprintf("%.4g", v) }) {
		fmt.Fprintln(w, strings.TrimRight(strings.Join(line, "\t"), "\t"))
	}
	w.Flush()
	return text.String()
}

// cells returns the table with its head.
func (t Table) cells(number func(float64) string) [][]string {
	if len(t) == 0 {
		return nil
	}
	var head, metrics []string
	for _, s := range t[0].Trial {
		head = append(head, s.Name)
	}
	for _, f := range t {
		if f.Err == nil {
			for _, m := range f.Report.Metrics {
				metrics = append(metrics, m.Name)
			}
			break
		}
	}
	lines := [][]string{slices.Concat(head, []string{"loss"}, metrics, []string{"error"})}
	for _, f := range t {
		var line []string
		for _, s := range f.Trial {
			line = append(line, number(s.Value))
		}
		line = append(line, number(f.Report.Loss))
		for i := range metrics {
			cell := ""
			if i < len(f.Report.Metrics) {
				cell = number(f.Report.Metrics[i].Value)
			}
			line = append(line, cell)
		}
		cell := ""
		if f.Err != nil {
			cell = f.Err.Error()
		}
		lines = append(lines, append(line, cell))
	}
	return lines
}
