package optim_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/optim"
)

// rowVectors is testdata/rows.json, which the script beside it wrote.
type rowVectors struct {
	Table   []float64
	Ids     [][]int
	Weights [][]float64
	Cases   []rowCase
}

type rowCase struct {
	newerCase
	After [][]float64
}

// rowOptimizer returns the case's optimizer, and what to do before a step.
// SparseAdam's ε stands beside a root that is not corrected: Adam's ε has to
// shrink with the steps to be the same.
func (c rowCase) rowOptimizer(t *testing.T) (o optim.Optimizer, correct func(step int)) {
	if c.Optimizer != "SparseAdam" {
		o, _ = c.optimizer(t)
		return o, func(int) {}
	}
	adam, epsilon := optim.NewAdam(0.001), 1e-8
	n := c.set(map[string]*float64{"lr": &adam.LearningRate, "eps": &epsilon}) + c.pair("betas", &adam.Beta1, &adam.Beta2)
	if n < len(c.Settings) {
		t.Fatalf("%d of the settings %v are known", n, c.Settings)
	}
	return adam, func(step int) { adam.Epsilon = epsilon / math.Sqrt(1-math.Pow(adam.Beta2, float64(step))) }
}

const words, width = 7, 3

// lookUp returns the gradients of a sum of rows, times weights.
func lookUp(g *autograd.Graph, table *autograd.Param, ids []int, weights []float64) autograd.Gradients {
	g.Reset()
	rows := g.Param(table).Embedding(autograd.NewInts(ids))
	return rows.Mul(g.Constant(autograd.NewTensor(weights, len(ids), table.Dim(1)))).Sum().Backward()
}

// Every step with a table, of which some rows are looked up, is that of
// PyTorch with sparse gradients.
func TestRowsAgainstPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/rows.json")
	var v rowVectors
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil || len(v.Cases) != 5 || len(v.Ids) != 12 {
		t.Fatal(len(v.Cases), err)
	}
	for _, c := range v.Cases {
		for precision, tolerance := range map[autograd.Precision]float64{autograd.Float64: 1e-12, autograd.Float32: 1e-5} {
			o, correct := c.rowOptimizer(t)
			table := autograd.NewParam("table", autograd.NewTensor(v.Table, words, width).In(precision))
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			for step, ids := range v.Ids {
				correct(step + 1)
				o.Step(lookUp(g, table, ids, v.Weights[step]))
				if !compareNumbers(t, table.Tensor().Float64s(), c.After[step], tolerance) {
					t.Fatalf("%s %v, step %d, %v", c.Optimizer, c.Settings, step+1, precision)
				}
			}
		}
	}
}

// everyOptimizer has settings that bring all that an optimizer remembers into
// play.
func everyOptimizer() map[string]func() optim.Optimizer {
	return map[string]func() optim.Optimizer{
		"SGD":      func() optim.Optimizer { return &optim.SGD{LearningRate: 0.1, WeightDecay: 0.1} },
		"momentum": func() optim.Optimizer { return &optim.SGD{LearningRate: 0.1, Momentum: 0.9} },
		"Nesterov": func() optim.Optimizer { return &optim.SGD{LearningRate: 0.1, Momentum: 0.9, Nesterov: true} },
		"dampened": func() optim.Optimizer { return &optim.SGD{LearningRate: 0.1, Momentum: 0.9, Dampening: 0.3} },
		"Adam":     func() optim.Optimizer { return optim.NewAdam(0.1) },
		"AMSGrad":  func() optim.Optimizer { a := optim.NewAdam(0.1); a.AMSGrad = true; return a },
		"AdamW":    func() optim.Optimizer { return optim.NewAdamW(0.1) },
		"NAdam":    func() optim.Optimizer { return optim.NewNAdam(0.1) },
		"RAdam":    func() optim.Optimizer { return optim.NewRAdam(0.1) },
		"Adamax":   func() optim.Optimizer { return optim.NewAdamax(0.1) },
		"Adagrad":  func() optim.Optimizer { return &optim.Adagrad{LearningRate: 0.1, InitialSum: 0.5, Epsilon: 1e-8} },
		"Adadelta": func() optim.Optimizer { return optim.NewAdadelta(1) },
		"RMSProp":  func() optim.Optimizer { return optim.NewRMSProp(0.1) },
		"centered": func() optim.Optimizer {
			return &optim.RMSProp{LearningRate: 0.1, Alpha: 0.9, Epsilon: 1e-8, Centered: true, Momentum: 0.9}
		},
		"Rprop": func() optim.Optimizer { return optim.NewRprop(0.1) },
		"Lion":  func() optim.Optimizer { return optim.NewLion(0.1) },
		"LAMB":  func() optim.Optimizer { return optim.NewLAMB(0.1) },
	}
}

// A table of which the same rows are always looked up takes the steps of a
// Param that is these rows, and of none other: nothing else moves.
func TestStepsByRows(t *testing.T) {
	used := []int{1, 4, 5}
	for name, make := range everyOptimizer() {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			start := autograd.NewTensor(numbersFrom(words*width, 0), words, width).In(precision)
			table, alone := autograd.NewParam("table", start), autograd.NewParam("alone", start.Take(used...))
			byRows, whole := make(), make()
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			for step := range 8 {
				weights := numbersFrom(len(used)*width, float64(step+1))
				grads := lookUp(g, table, used, weights)
				if _, _, ok := grads.Rows(table); !ok {
					t.Fatal("not by rows")
				}
				byRows.Step(grads)
				g.Reset()
				w := g.Constant(autograd.NewTensor(weights, len(used), width))
				whole.Step(g.Param(alone).Mul(w).Sum().Backward())
			}
			if name == "dampened" {
				continue // a row's velocity starts at 0, and not with the first gradient: see below
			}
			tolerance := 0.0
			if name == "LAMB" { // norms are joined row by row
				tolerance = map[autograd.Precision]float64{autograd.Float64: 1e-14, autograd.Float32: 1e-6}[precision]
			}
			if got := table.Tensor().Take(used...).Float64s(); !compareNumbers(t, got, alone.Tensor().Float64s(), tolerance) {
				t.Errorf("%s, %v", name, precision)
			}
			rest := []int{0, 2, 3, 6}
			if diff := cmp.Diff(start.Take(rest...).Float64s(), table.Tensor().Take(rest...).Float64s()); diff != "" {
				t.Errorf("%s moved other rows: %s", name, diff)
			}
		}
	}
}

// numbersFrom returns numbers that are not near 0.
func numbersFrom(n int, phase float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = math.Sin(3*float64(i)+phase) + math.Copysign(0.3, math.Sin(3*float64(i)+phase))
	}
	return x
}

// Each row has a velocity of its own, which begins at 0 and stands still while
// the row is not looked up.
func TestMomentumByRows(t *testing.T) {
	table := autograd.NewParam("table", autograd.Zeros(3, 1))
	g := autograd.NewGraph(autograd.Options{})
	o := &optim.SGD{LearningRate: 1, Momentum: 0.5, Dampening: 0.25}
	want, velocity := make([]float64, 3), make([]float64, 3)
	for _, ids := range [][]int{{0, 1}, {1}, {2, 0}, {0}} {
		o.Step(lookUp(g, table, ids, slices.Repeat([]float64{8}, len(ids))))
		for _, id := range ids {
			velocity[id] = 0.5*velocity[id] + 0.75*8
			want[id] -= velocity[id]
		}
		if diff := cmp.Diff(want, table.Tensor().Float64s()); diff != "" {
			t.Fatal(diff)
		}
	}
}

// Clipping sees the rows as the whole, and changes them.
func TestClippingOfRows(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		table := autograd.NewParam("table", autograd.Zeros(5, 2).In(precision))
		g := autograd.NewGraph(autograd.Options{Precision: precision})
		gradients := func() autograd.Gradients { return lookUp(g, table, []int{3, 1, 3}, []float64{1, -2, 8, 4, 1, -2}) }
		for name, row := range map[string]struct {
			clip func(grads autograd.Gradients) float64
			norm float64
			want []float64
		}{
			"norm":   {func(grads autograd.Gradients) float64 { return optim.ClipNorm(grads, 5) }, 10, []float64{0, 0, 4, 2, 0, 0, 1, -2, 0, 0}},
			"1-norm": {func(grads autograd.Gradients) float64 { return optim.ClipPNorm(grads, 1, 9) }, 18, []float64{0, 0, 4, 2, 0, 0, 1, -2, 0, 0}},
			"value":  {func(grads autograd.Gradients) float64 { optim.ClipValue(grads, 3); return 0 }, 0, []float64{0, 0, 3, 3, 0, 0, 2, -3, 0, 0}},
		} {
			grads := gradients()
			if norm := row.clip(grads); math.Abs(norm-row.norm) > 1e-6 {
				t.Errorf("%s is %v", name, norm)
			}
			if _, _, ok := grads.Rows(table); !ok {
				t.Errorf("%s: the rows are gone", name)
			}
			if !compareNumbers(t, grads.OfParam(table).Float64s(), row.want, 1e-6) {
				t.Error(name)
			}
		}
	}
}

func TestRowsThatDoNotFit(t *testing.T) {
	table := autograd.NewParam("table", autograd.Zeros(5, 2))
	grads := lookUp(autograd.NewGraph(autograd.Options{}), table, []int{4}, []float64{1, 2})
	var sum autograd.Gradients
	sum.Add(grads)
	for _, shape := range [][]int{{4, 2}, {5, 3}, {10}} {
		*table = *autograd.NewParam("table", autograd.Zeros(shape...))
		var fault *autograd.ShapeError
		if err := autograd.Try(func() { optim.NewSGD(1).Step(sum) }); !errors.As(err, &fault) || fault.Op != "optim: SGD" {
			t.Errorf("%v: got %v", shape, err)
		}
	}
}

// A step by rows allocates nothing once the optimizer knows the table.
func TestStepsByRowsAllocateNothing(t *testing.T) {
	for name, make := range everyOptimizer() {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			o, table := make(), autograd.NewParam("table", autograd.Ones(1000, 64).In(precision))
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			ids := autograd.NewInts(slices.Repeat([]int{3, 1, 999, 7, 7}, 300))
			step := func() {
				g.Reset()
				grads := g.Param(table).Embedding(ids).Square().Mean().Backward()
				optim.ClipNorm(grads, 1)
				o.Step(grads)
			}
			step()
			step()
			if n := testing.AllocsPerRun(5, step); n > 0 {
				t.Errorf("%s, %v: %v allocations", name, precision, n)
			}
		}
	}
}
