package autograd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"nabla/autograd"
)

// observe returns the gradients of a recording in which statistics, one after
// the other, were found to be these numbers.
func observe(p *autograd.Param, precision autograd.Precision, momentum float64, found ...float64) autograd.Gradients {
	g := autograd.NewGraph(autograd.Options{Precision: precision})
	for _, v := range found {
		g.Observe(p, g.Constant(vector(v, 2*v)), momentum)
	}
	return g.Variable(autograd.Scalar(3)).Square().Backward()
}

func statistic(precision autograd.Precision) *autograd.Param {
	return autograd.NewStatistic("mean", vector(8, 16).In(precision))
}

// TestRunningStatisticsOfPyTorch compares running statistics after each of some
// batches with those of torch.nn.BatchNorm1d.
func TestRunningStatisticsOfPyTorch(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "norm.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Running []struct {
			Batches, Means, Variances []torchTensor
			Momentum                  float64
		}
	}
	if err := json.Unmarshal(text, &file); err != nil || len(file.Running) < 2 {
		t.Fatal(err, len(file.Running))
	}
	for _, row := range file.Running {
		channels := row.Means[0].Shape[0]
		mean, variance := autograd.NewStatistic("mean", autograd.Zeros(channels)), autograd.NewStatistic("variance", autograd.Ones(channels))
		g := autograd.NewGraph(autograd.Options{})
		for i, batch := range row.Batches {
			g.Reset()
			y, m, v := g.Constant(batch.grid().tensor()).BatchNorm(none, none, 1e-5)
			g.Observe(mean, m, row.Momentum)
			g.Observe(variance, v, row.Momentum)
			y.Sum().Backward().UpdateStatistics()
			wantNumbers(t, "running mean", mean.Tensor().Float64s(), row.Means[i].grid().data, 1e-14)
			wantNumbers(t, "running variance", variance.Tensor().Float64s(), row.Variances[i].grid().data, 1e-14)
		}
	}
}

// Recording and Backward write nothing. The first update applies all
// observations, in order; others nothing, whatever Gradients of the recording
// they are of.
func TestObservationsAreAppliedOnce(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		for _, graph := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			p := statistic(precision)
			g := autograd.NewGraph(autograd.Options{Precision: graph})
			x := g.Variable(autograd.Scalar(3))
			before := x.Backward()
			g.Observe(p, g.Constant(vector(4, 0)), 0.5)
			g.Observe(p, g.Constant(vector(0, 4)), 0.25)
			first, second := x.Square().Backward(), x.Exp().Backward()
			if p.Version() != 0 {
				t.Error("a recording has written a statistic")
			}
			before.UpdateStatistics() // made before the observations
			wantNumbers(t, "before", p.Tensor().Float64s(), []float64{8, 16}, 0)
			for range 2 {
				first.UpdateStatistics()
				second.UpdateStatistics()
				wantNumbers(t, "after", p.Tensor().Float64s(), []float64{4.5, 7}, 0) // 8 → 6 → 4.5, 16 → 8 → 7
			}
			if g.Reset(); p.Version() != 2 {
				t.Errorf("version %d after two observations", p.Version())
			}
			var stale *autograd.StaleError
			if err := autograd.Try(first.UpdateStatistics); !errors.As(err, &stale) {
				t.Errorf("after Reset: %v", err)
			}
			for range g.Variable(autograd.Scalar(3)).Backward().Observations() {
				t.Error("another recording has observations")
			}
		}
	}
}

// A statistic that somebody sets, or freezes, stays as it is.
func TestObservationsOfWhatHasChanged(t *testing.T) {
	p := statistic(autograd.Float64)
	grads := observe(p, autograd.Float64, 0.5, 1)
	p.Set(vector(5, 6))
	grads.UpdateStatistics()
	wantNumbers(t, "set since", p.Tensor().Float64s(), []float64{5, 6}, 0)

	grads = observe(p, autograd.Float64, 0.5, 1)
	p.Frozen = true
	grads.UpdateStatistics()
	wantNumbers(t, "frozen", p.Tensor().Float64s(), []float64{5, 6}, 0)

	p = statistic(autograd.Float64)
	grads = observe(p, autograd.Float64, 0.5, 1)
	*p = *autograd.NewStatistic("mean", autograd.Zeros(3))
	var wrong *autograd.ShapeError
	if err := autograd.Try(grads.UpdateStatistics); !errors.As(err, &wrong) {
		t.Errorf("replaced by another shape: %v", err)
	}
}

// Parts of a sum are averaged by their weights, the first observations of each
// with the first and the second with the second. What becomes of the gradients
// does not touch them.
func TestObservationsOfParts(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		p := statistic(precision)
		var sum autograd.Gradients
		for range 2 {
			p.Set(vector(8, 16))
			a, b := observe(p, precision, 0.5, 1, 10), observe(p, precision, 0.5, 4, 40)
			sum.AddWeighted(a, 2)
			sum.AddWeighted(b, 1)
			sum.AddWeighted(observe(p, precision, 0.5, 77), 0)
			sum.Average()
			sum.Scale(17)
			var found [][]float64
			for of, o := range sum.Observations() {
				if of != p || o.Momentum != 0.5 {
					t.Errorf("an observation of %s with momentum %v", of.Name(), o.Momentum)
				}
				found = append(found, o.Value.Float64s())
			}
			if want := [][]float64{{2, 4}, {20, 40}}; !slices.EqualFunc(found, want, slices.Equal) {
				t.Errorf("observed %v, want %v", found, want)
			}
			for range 2 {
				sum.UpdateStatistics()
				a.UpdateStatistics() // is part of the sum
				wantNumbers(t, "after", p.Tensor().Float64s(), []float64{12.5, 25}, 0)
			}
			sum.Clear()
			for range sum.Observations() {
				t.Error("a cleared sum has observations")
			}
		}
		// A second round without Clear begins anew: the first has been applied.
		for i, want := range [][]float64{{6, 12}, {5, 10}} {
			if i == 0 {
				p.Set(vector(8, 16))
			}
			sum.Add(observe(p, precision, 0.5, 4))
			sum.UpdateStatistics()
			wantNumbers(t, "round", p.Tensor().Float64s(), want, 0)
		}
	}
}

// Sums that are added to another bring their weights along.
func TestObservationsOfSums(t *testing.T) {
	p := statistic(autograd.Float64)
	of := func(average bool, weights, found []float64) (sum autograd.Gradients) {
		for i, w := range weights {
			sum.AddWeighted(observe(p, autograd.Float64, 1, found[i]), w)
		}
		if average {
			sum.Average()
		}
		return sum
	}
	for _, row := range []struct {
		name    string
		average bool
		weight  float64
		want    float64
	}{
		{"as they are", false, 1, (2*1 + 1*4 + 5*8) / 8.0},
		{"averaged", true, 1, (2 + 8) / 2.0},
		{"averaged and weighted", true, 3, (3*2 + 3*8) / 6.0},
	} {
		var sum autograd.Gradients
		sum.AddWeighted(of(row.average, []float64{2, 1}, []float64{1, 4}), row.weight)
		sum.AddWeighted(of(row.average, []float64{5}, []float64{8}), row.weight)
		for _, o := range sum.Observations() {
			wantNumbers(t, row.name, o.Value.Float64s(), []float64{row.want, 2 * row.want}, 1e-15)
		}
	}
	// What is added after Average counts beside the mean.
	sum := of(true, []float64{2, 1}, []float64{1, 4})
	sum.AddWeighted(observe(p, autograd.Float64, 1, 8), 2)
	for _, o := range sum.Observations() {
		wantNumbers(t, "after Average", o.Value.Float64s(), []float64{6, 12}, 1e-15)
	}
}

// A part that did not use a layer has no observation of its statistic.
func TestObservationsOfDifferentParts(t *testing.T) {
	p, q := statistic(autograd.Float64), statistic(autograd.Float64)
	var sum autograd.Gradients
	sum.Add(observe(p, autograd.Float64, 1, 1))
	sum.Add(observe(q, autograd.Float64, 1, 2, 3))
	sum.Add(observe(p, autograd.Float64, 1, 5))
	var got []string
	for of, o := range sum.Observations() {
		got = append(got, fmt.Sprint(of == p, o.Value.Float64s()))
	}
	if want := []string{"true [3 6]", "false [2 4]", "false [3 6]"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A statistic has no gradient, in evaluation it is a constant, and gradients
// say why there is none.
func TestStatisticHasNoGradient(t *testing.T) {
	p := statistic(autograd.Float64)
	g := autograd.NewGraph(autograd.Options{Eval: true})
	x := g.Variable(vector(1, 2))
	v := g.Param(p)
	grads := x.Mul(v).Sum().Backward()
	wantNumbers(t, "of x", grads.Of(x).Float64s(), []float64{8, 16}, 0)
	if grads.ReachedParam(p) || v.Node().NeedsGrad || !p.IsStatistic() || autograd.NewParam("w", vector(1)).IsStatistic() {
		t.Error("a statistic is trained")
	}
	var none *autograd.GradientError
	if err := autograd.Try(func() { grads.Of(v) }); !errors.As(err, &none) || none.Reason != "mean is a statistic: it has no gradient" {
		t.Errorf("Of: %v", err)
	}
}

func TestObserveMistakes(t *testing.T) {
	p := statistic(autograd.Float64)
	g, eval := autograd.NewGraph(autograd.Options{}), autograd.NewGraph(autograd.Options{Eval: true})
	v := g.Constant(vector(1, 2))
	isArgument := func(err error) bool { var e *autograd.ArgumentError; return errors.As(err, &e) }
	isGraph := func(err error) bool { var e *autograd.GraphError; return errors.As(err, &e) }
	for name, row := range map[string]struct {
		f    func()
		want func(error) bool
	}{
		"nil":                      {func() { g.Observe(nil, v, 0.1) }, isArgument},
		"a trained Param":          {func() { g.Observe(autograd.NewParam("w", vector(1, 2)), v, 0.1) }, isArgument},
		"a momentum above 1":       {func() { g.Observe(p, v, 1.5) }, isArgument},
		"NaN for momentum":         {func() { g.Observe(p, v, nan) }, isArgument},
		"a Value of another graph": {func() { g.Observe(p, eval.Constant(vector(1, 2)), 0.1) }, isGraph},
		"the zero Value":           {func() { g.Observe(p, autograd.Value{}, 0.1) }, isGraph},
		"in evaluation":            {func() { eval.Observe(p, eval.Constant(vector(1, 2)), 0.1) }, isGraph},
		"another width": {func() { g.Observe(p, g.Constant(vector(1, 2, 3)), 0.1) }, func(err error) bool {
			var e *autograd.ShapeError
			return errors.As(err, &e) && e.Reason == "statistic mean has another shape than what was observed"
		}},
		"inside a rule": {func() {
			op := autograd.Operation{Name: "bad", Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0] },
				Rule: func(r *autograd.Rule) { g.Observe(p, r.Grad(), 0.1) }}
			autograd.Custom(op, g.Variable(vector(1, 2))).Sum().Backward()
		}, func(err error) bool { var e *autograd.GradientError; return errors.As(err, &e) }},
	} {
		if err := autograd.Try(row.f); !row.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	v.Sum().Backward().UpdateStatistics()
	autograd.Gradients{}.UpdateStatistics()
	if p.Version() != 0 {
		t.Error("a refused observation was applied")
	}
}

// The bits do not depend on how many goroutines record the parts, which are
// added in their order.
func TestObservationsOfManyGoroutines(t *testing.T) {
	const parts = 8
	run := func(workers int) []float64 {
		mean, variance := autograd.NewStatistic("mean", autograd.Zeros(3)), autograd.NewStatistic("variance", autograd.Ones(3))
		scale := autograd.NewParam("scale", autograd.Ones(3))
		graphs := make([]*autograd.Graph, parts)
		for i := range graphs {
			graphs[i] = autograd.NewGraph(autograd.Options{})
		}
		var sum autograd.Gradients
		for step := range 3 {
			grads := make([]autograd.Gradients, parts)
			var wait sync.WaitGroup
			for w := range workers {
				wait.Go(func() {
					for i := w; i < parts; i += workers {
						g := graphs[i]
						g.Reset()
						x := autograd.Arange(0, 15, 1).Reshape(5, 3)
						for k := range x.Raw64() {
							x.Raw64()[k] = float64(k*k%7) / float64(1+i+step)
						}
						y, m, v := g.Constant(x).BatchNorm(g.Param(scale), none, 1e-5)
						g.Observe(mean, m, 0.1)
						g.Observe(variance, v, 0.1)
						grads[i] = y.Square().Sum().Backward()
					}
				})
			}
			wait.Wait()
			sum.Clear()
			for i, part := range grads {
				sum.AddWeighted(part, float64(1+i))
			}
			sum.Average()
			sum.UpdateStatistics()
			w := scale.Writable()
			for i, gw := range sum.OfParam(scale).Float64s() {
				w.Raw64()[i] -= 0.01 * gw
			}
		}
		return append(append(mean.Tensor().Float64s(), variance.Tensor().Float64s()...), scale.Tensor().Float64s()...)
	}
	want := run(1)
	for _, workers := range []int{2, 4} {
		wantBits(t, fmt.Sprint(workers, " goroutines"), run(workers), want)
	}
}

// Observing, adding up and updating allocate nothing once warm.
func TestObservingAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	p, q := statistic(autograd.Float64), statistic(autograd.Float32)
	g := autograd.NewGraph(autograd.Options{})
	var sum autograd.Gradients
	numbers := vector(1, 2)
	step := func() {
		sum.Clear()
		for range 2 {
			g.Reset()
			v := g.Constant(numbers)
			g.Observe(p, v, 0.5)
			g.Observe(q, v, 0.5)
			g.Observe(p, v, 0.5)
			sum.Add(v.Sum().Backward())
		}
		sum.Average()
		sum.UpdateStatistics()
		v := g.Constant(numbers)
		g.Observe(p, v, 0.5)
		v.Sum().Backward().UpdateStatistics()
	}
	for range 3 {
		step()
	}
	if n := testing.AllocsPerRun(20, step); n > 0 {
		t.Errorf("%v allocations in a step", n)
	}
}
