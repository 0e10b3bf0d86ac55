package autograd_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

// OnParam is called when a gradient is complete, with the numbers that Backward
// returns in the end, from the last Param to the first, and not for those that
// are frozen or not reached.
func TestBackwardTellsOfParams(t *testing.T) {
	for _, options := range []autograd.Options{{}, {Precision: autograd.Float32}, {Trace: true}, {Profile: true}} {
		g := autograd.NewGraph(options)
		first := autograd.NewParam("first", autograd.NewTensor([]float64{1, 2, 3}))
		scalar := autograd.NewParam("scalar", autograd.Scalar(2))
		still := autograd.NewParam("still", autograd.Ones(3))
		still.Frozen = true
		table := autograd.NewParam("table", autograd.Ones(5, 3).In(options.Precision))
		unused := autograd.NewParam("unused", autograd.Ones(2))
		g.Param(unused)
		y := g.Param(first).Mul(g.Param(still)).Mul(g.Param(scalar))
		y = y.Add(g.Param(table).Embedding(autograd.NewInts([]int{4, 1}))).Square()
		loss := y.Mul(g.Param(first)).Sum() // the first is used twice
		var told []string
		var numbers [][]float64
		grads := loss.BackwardWith(autograd.BackwardOptions{OnParam: func(grads autograd.Gradients, p *autograd.Param) {
			told = append(told, p.Name())
			if ids, rows, ok := grads.Rows(p); ok {
				told = append(told, "by rows")
				numbers = append(numbers, append(rows.Float64s(), float64(ids.Values()[0]), float64(ids.Values()[1])))
				return
			}
			numbers = append(numbers, grads.OfParam(p).Float64s())
		}})
		if diff := cmp.Diff([]string{"table", "by rows", "scalar", "first"}, told); diff != "" {
			t.Fatalf("%+v: %s", options, diff)
		}
		_, rows, _ := grads.Rows(table)
		want := [][]float64{append(rows.Float64s(), 1, 4), grads.OfParam(scalar).Float64s(), grads.OfParam(first).Float64s()}
		if diff := cmp.Diff(want, numbers); diff != "" {
			t.Errorf("%+v: %s", options, diff)
		}
		told = nil
		loss.Backward()
		if told != nil {
			t.Error("a later Backward calls it too")
		}
	}
}

// A panic of OnParam leaves a graph that can be used, and does not call it
// again.
func TestBackwardAfterPanicOfOnParam(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	p := autograd.NewParam("p", autograd.Ones(2))
	loss := g.Param(p).Square().Sum()
	func() {
		defer func() { recover() }()
		loss.BackwardWith(autograd.BackwardOptions{OnParam: func(autograd.Gradients, *autograd.Param) { panic("oh") }})
		t.Error("did not panic")
	}()
	wantNumbers(t, "afterwards", loss.Backward().OfParam(p).Float64s(), []float64{2, 2}, 0)
	var graph *autograd.GraphError
	if err := autograd.Try(func() { autograd.Value{}.BackwardWith(autograd.BackwardOptions{}) }); !errors.As(err, &graph) {
		t.Errorf("the zero Value: %v", err)
	}
	var gradient *autograd.GradientError
	err := autograd.Try(func() {
		loss.BackwardWith(autograd.BackwardOptions{OnParam: func(autograd.Gradients, *autograd.Param) { loss.Backward() }})
	})
	if !errors.As(err, &gradient) {
		t.Errorf("Backward in OnParam: %v", err)
	}
}

// A sum that is made of numbers from elsewhere is, bit by bit, the sum of what
// they come from: dense gradients, those by rows, statistics, and weights.
func TestSumFromElsewhere(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		w := autograd.NewParam("w", autograd.NewTensor([]float64{0.1, 0.2, 0.3}).In(precision))
		table := autograd.NewParam("table", autograd.Ones(6, 3).In(precision))
		mean := autograd.NewStatistic("mean", autograd.Zeros(3).In(precision))
		pass := func(ids ...int) autograd.Gradients {
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			y := g.Param(table).Embedding(autograd.NewInts(ids)).Mul(g.Param(w)).Exp()
			g.Observe(mean, y.Mean(0), 0.3)
			g.Observe(mean, y.Square().Mean(0), 0.2)
			return y.Mean().Backward()
		}
		copyOf := func(to *autograd.Gradients, from autograd.Gradients, weight float64) {
			for p := range from.Stored() {
				ids, rows, byRows := from.Rows(p)
				if byRows {
					to.AddParam(p, ids, rows, weight)
				} else {
					to.AddParam(p, autograd.Ints{}, from.OfParam(p), weight)
				}
			}
			for p, o := range from.ObservedSums() {
				to.AddObserved(p, o, weight)
			}
		}
		var want, got autograd.Gradients
		for i, grads := range []autograd.Gradients{pass(1, 4, 1), pass(5), pass(4, 2)} {
			weight := float64(i + 1)
			want.AddWeighted(grads, weight)
			copyOf(&got, grads, weight)
			got.AddWeight(weight)
		}
		var again autograd.Gradients // of the sum itself
		copyOf(&again, got, 1)
		again.AddWeight(6)
		want.Average()
		for name, sum := range map[string]autograd.Gradients{"passes": got, "sum": again} {
			sum.Average()
			if ids, rows, ok := sum.Rows(table); !ok || !slices.Equal(ids.Values(), []int{1, 2, 4, 5}) {
				t.Errorf("%s: the table is not by rows: %v %v", name, ids, rows)
			}
			for _, p := range []*autograd.Param{w, table} {
				if diff := cmp.Diff(want.OfParam(p).Float64s(), sum.OfParam(p).Float64s()); diff != "" {
					t.Errorf("%s, %s (-sum +made): %s", name, p.Name(), diff)
				}
			}
			var a, b [][]float64
			for _, o := range want.Observations() {
				a = append(a, o.Value.Float64s())
			}
			for _, o := range sum.Observations() {
				b = append(b, o.Value.Float64s())
			}
			if diff := cmp.Diff(a, b); diff != "" || len(a) != 2 {
				t.Errorf("%s, statistics (-sum +made): %s", name, diff)
			}
		}
	}
}

func TestSumFromElsewhereRefuses(t *testing.T) {
	p, s := autograd.NewParam("p", autograd.Ones(3, 2)), autograd.NewStatistic("s", autograd.Ones(2))
	scalar := autograd.NewParam("scalar", autograd.Scalar(1))
	var sum autograd.Gradients
	rows := func(ids ...int) autograd.Ints { return autograd.NewInts(ids) }
	for want, f := range map[string]func(){
		"a gradient of another shape than that of parameter p: [3 2], [2 3]": func() { sum.AddParam(p, autograd.Ints{}, autograd.Ones(2, 3), 1) },
		"parameter p: [2 2], [3 2]":           func() { sum.AddParam(p, rows(0, 1), autograd.Ones(3, 2), 1) },
		"the ids [1 1]":                       func() { sum.AddParam(p, rows(1, 1), autograd.Ones(2, 2), 1) },
		"the ids [1 3]":                       func() { sum.AddParam(p, rows(1, 3), autograd.Ones(2, 2), 1) },
		"the ids [0]":                         func() { sum.AddParam(scalar, rows(0), autograd.Ones(1), 1) },
		"Gradients.AddParam: a weight of NaN": func() { sum.AddParam(p, autograd.Ints{}, autograd.Ones(3, 2), math.NaN()) },
		"Gradients.AddWeight: a weight of -1": func() { sum.AddWeight(-1) },
		"no statistic":                        func() { sum.AddObserved(p, autograd.ObservedSum{Total: autograd.Ones(3, 2)}, 1) },
		"statistic s has another shape":       func() { sum.AddObserved(s, autograd.ObservedSum{Total: autograd.Ones(3)}, 1) },
	} {
		if err := autograd.Try(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A view shows the numbers that it was made of.
func TestViewTensor(t *testing.T) {
	wide, narrow := []float64{1, 2, 3, 4}, []float32{1, 2}
	a, b := autograd.ViewTensor(wide, 2, 2), autograd.ViewTensor32(narrow)
	wide[3], narrow[0] = 7, 5
	if a.At(1, 1) != 7 || b.At(0) != 5 || b.Precision() != autograd.Float32 {
		t.Errorf("%v and %v", a, b)
	}
	if autograd.ViewTensor(nil).Size() != 0 {
		t.Error("an empty one")
	}
	var shape *autograd.ShapeError
	if err := autograd.Try(func() { autograd.ViewTensor32(narrow, 3) }); !errors.As(err, &shape) {
		t.Errorf("got %v", err)
	}
}
