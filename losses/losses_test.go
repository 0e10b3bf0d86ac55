package losses_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/losses"
)

// A rowOfLosses is one loss with every setting, and what it can be tried on.
type rowOfLosses struct {
	name        string
	f           func(p, t autograd.Value, s losses.Options) autograd.Value
	prediction  []float64 // [4, 3]
	target      []float64
	categorical bool
	logits      bool
}

var (
	numbers       = []float64{0.3, -1.2, 2.5, 0.9, -0.4, 1.7, -2.2, 0.6, 3.1, -0.8, 1.4, 0.2}
	others        = []float64{0.7, -0.5, 0.1, 1.5, 0.8, -1.9, -2.6, 2.4, 2.9, 0.4, -0.3, 0.5}
	probabilities = []float64{0.2, 0.7, 0.1, 0.5, 0.3, 0.2, 0.05, 0.15, 0.8, 0.6, 0.1, 0.3}
	mixtures      = []float64{0.1, 0.6, 0.3, 0.2, 0.7, 0.1, 0.3, 0.3, 0.4, 0.9, 0.04, 0.06}
	labels        = autograd.NewInts([]int{1, 0, 2, 0})
)

var allLosses = []rowOfLosses{
	{name: "MSE", f: losses.MSEWith, prediction: numbers, target: others},
	{name: "MAE", f: losses.MAEWith, prediction: numbers, target: others},
	{name: "Huber", f: huber, prediction: numbers, target: others},
	{name: "BinaryCrossEntropy", f: losses.BinaryCrossEntropyWith, prediction: probabilities, target: mixtures},
	{name: "BinaryCrossEntropy logits", f: losses.BinaryCrossEntropyWith, prediction: numbers, target: mixtures, logits: true},
	{name: "CategoricalCrossEntropy", f: losses.CategoricalCrossEntropyWith, prediction: probabilities, target: mixtures, categorical: true},
	{name: "CategoricalCrossEntropy logits", f: losses.CategoricalCrossEntropyWith, prediction: numbers, target: mixtures, categorical: true, logits: true},
	{name: "CategoricalCrossEntropyLabels", f: ofLabels, prediction: probabilities, categorical: true},
	{name: "CategoricalCrossEntropyLabels logits", f: ofLabels, prediction: numbers, categorical: true, logits: true},
}

func huber(p, t autograd.Value, s losses.Options) autograd.Value {
	return losses.HuberWith(p, t, 0.75, s)
}

func ofLabels(p, _ autograd.Value, s losses.Options) autograd.Value {
	return losses.CategoricalCrossEntropyLabelsWith(p, labels, s)
}

// Gradients of the prediction, the target and the weights, to second order,
// for every loss, reduction and kind of weights.
func TestGradientsToSecondOrder(t *testing.T) {
	for _, row := range allLosses {
		for _, reduction := range []losses.Reduction{losses.Mean, losses.WeightedMean, losses.Sum, losses.None} {
			t.Run(fmt.Sprint(row.name, " ", reduction), func(t *testing.T) { row.checkGradients(t, reduction) })
		}
	}
}

func (row rowOfLosses) checkGradients(t *testing.T, reduction losses.Reduction) {
	in := []autograd.Tensor{autograd.NewTensor(row.prediction, 4, 3), row.weights()}
	if row.target != nil {
		in = append(in, autograd.NewTensor(row.target, 4, 3))
	}
	if row.categorical {
		in = append(in, autograd.NewTensor([]float64{0.5, 2, 1.2}))
	}
	f := func(_ *autograd.Graph, in []autograd.Value) autograd.Value {
		s := losses.Options{Reduction: reduction, Weights: in[1], Logits: row.logits}
		if row.categorical {
			s.ClassWeights = in[len(in)-1]
		}
		return row.f(in[0], in[min(2, len(in)-1)], s)
	}
	if err := gradcheck.Check(f, in); err != nil {
		t.Error(err)
	}
	if err := gradcheck.CheckSecond(f, in); err != nil {
		t.Error(err)
	}
}

// weights is one weight for each loss.
func (row rowOfLosses) weights() autograd.Tensor {
	if row.categorical {
		return autograd.NewTensor([]float64{1, 0.5, 2, 0.3})
	}
	return autograd.NewTensor(mixtures, 4, 3)
}

func (row rowOfLosses) compute(g *autograd.Graph, s losses.Options) autograd.Value {
	s.Logits = row.logits
	var target autograd.Value
	if row.target != nil {
		target = g.Constant(autograd.NewTensor(row.target, 4, 3))
	}
	return row.f(g.Variable(autograd.NewTensor(row.prediction, 4, 3)), target, s)
}

// The reductions, against the single losses added up here.
func TestReductions(t *testing.T) {
	for _, row := range allLosses {
		g := autograd.NewGraph(autograd.Options{})
		single := row.compute(g, losses.Options{Reduction: losses.None}).Tensor().Float64s()
		w := row.weights().Float64s()
		var sum, weighted, total float64
		for i, l := range single {
			sum, weighted, total = sum+l, weighted+w[i]*l, total+w[i]
		}
		n, weights := float64(len(single)), g.Constant(row.weights())
		for _, c := range []struct {
			s    losses.Options
			want float64
		}{
			{losses.Options{}, sum / n},
			{losses.Options{Reduction: losses.Sum}, sum},
			{losses.Options{Reduction: losses.WeightedMean}, sum / n},
			{losses.Options{Weights: weights}, weighted / n},
			{losses.Options{Weights: weights, Reduction: losses.Sum}, weighted},
			{losses.Options{Weights: weights, Reduction: losses.WeightedMean}, weighted / total},
		} {
			if diff := cmp.Diff(c.want, row.compute(g, c.s).Item(), near); diff != "" {
				t.Errorf("%s %v, weights %v: %s", row.name, c.s.Reduction, c.s.Weights.Graph() != nil, diff)
			}
		}
	}
}

// The short forms are the mean of the long ones.
func TestShortForms(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	constant := func(v []float64) autograd.Value { return g.Constant(autograd.NewTensor(v, 4, 3)) }
	x, y, p, q := constant(numbers), constant(others), constant(probabilities), constant(mixtures)
	for i, got := range []autograd.Value{
		losses.MSE(x, y), losses.MAE(x, y), losses.Huber(x, y, 0.75),
		losses.BinaryCrossEntropy(p, q), losses.BinaryCrossEntropyWith(x, q, losses.Options{Logits: true}),
		losses.CategoricalCrossEntropy(p, q), losses.CategoricalCrossEntropyWith(x, q, losses.Options{Logits: true}),
		losses.CategoricalCrossEntropyLabels(p, labels), losses.CategoricalCrossEntropyLabelsWith(x, labels, losses.Options{Logits: true}),
	} {
		row := allLosses[i]
		if want := row.compute(g, losses.Options{}); got.Item() != want.Item() {
			t.Errorf("%s: %v, want %v", row.name, got.Item(), want.Item())
		}
	}
}

// Class labels, one-hot rows, probabilities and logits are four ways to the
// same number; with class weights and the weighted mean too.
func TestCategoricalFormsAgree(t *testing.T) {
	for _, reduction := range []losses.Reduction{losses.Mean, losses.WeightedMean, losses.Sum} {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Constant(autograd.NewTensor(numbers, 4, 3))
		s := losses.Options{
			Reduction: reduction, Weights: g.Constant(autograd.NewTensor([]float64{1, 0.5, 2, 0.3})),
			ClassWeights: g.Constant(autograd.NewTensor([]float64{0.5, 2, 1.2})),
		}
		logits := s
		logits.Logits = true
		want := losses.CategoricalCrossEntropyLabelsWith(x, labels, logits).Item()
		for name, got := range map[string]autograd.Value{
			"labels":         losses.CategoricalCrossEntropyLabelsWith(x.Softmax(-1), labels, s),
			"one-hot":        losses.CategoricalCrossEntropyWith(x.Softmax(-1), g.OneHot(labels, 3), s),
			"one-hot logits": losses.CategoricalCrossEntropyWith(x, g.OneHot(labels, 3), logits),
		} {
			if diff := cmp.Diff(want, got.Item(), near); diff != "" {
				t.Errorf("%v, %s: %s", reduction, name, diff)
			}
		}
	}
}

// Two rows whose losses are ln 2 and ln 4, the first in a class of weight 3
// and itself of weight 5, the second in one of weight 1 and itself of 2.
func TestRowAndClassWeightsByHand(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	p := g.Constant(autograd.NewTensor([]float64{0.5, 0.5, 0.75, 0.25}, 2, 2))
	first, second := 15*math.Ln2, 2*math.Log(4)
	for reduction, want := range map[losses.Reduction]float64{
		losses.Sum: first + second, losses.Mean: (first + second) / 2, losses.WeightedMean: (first + second) / 17,
	} {
		s := losses.Options{
			Reduction: reduction, Weights: g.Constant(autograd.NewTensor([]float64{5, 2})),
			ClassWeights: g.Constant(autograd.NewTensor([]float64{3, 1})),
		}
		rows := autograd.NewInts([]int{0, 1})
		for _, loss := range []autograd.Value{
			losses.CategoricalCrossEntropyLabelsWith(p, rows, s), losses.CategoricalCrossEntropyWith(p, g.OneHot(rows, 2), s),
		} {
			if diff := cmp.Diff(want, loss.Item(), near); diff != "" {
				t.Errorf("%v: %s", reduction, diff)
			}
		}
	}
}

// Classes lie along the last axis, whatever stands before it.
func TestCategoricalOfOtherRanks(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(autograd.NewTensor(numbers, 2, 2, 3))
	classes := losses.Options{Logits: true, ClassWeights: g.Constant(autograd.Ones(3))}
	got := losses.CategoricalCrossEntropyLabelsWith(x, autograd.NewInts(labels.Values(), 2, 2), classes)
	want := losses.CategoricalCrossEntropyLabelsWith(x.Reshape(4, 3), labels, losses.Options{Logits: true})
	if diff := cmp.Diff(want.Item(), got.Item(), near); diff != "" {
		t.Errorf("two axes of rows: %s", diff)
	}
	row := g.Constant(autograd.NewTensor([]float64{0.2, 0.8}))
	if diff := cmp.Diff(-math.Log(0.8), losses.CategoricalCrossEntropy(row, g.Constant(autograd.NewTensor([]float64{0, 1}))).Item(), near); diff != "" {
		t.Errorf("one row: %s", diff)
	}
}

// The losses of scalars, as a neuron-by-neuron network gives them.
func TestScalars(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	a := g.Variable(autograd.Scalar(0.25))
	for name, c := range map[string]struct {
		loss           autograd.Value
		value, dlossda float64
	}{
		"MSE": {losses.MSE(a, g.Scalar(1)), 0.5625, -1.5},
		"BCE": {losses.BinaryCrossEntropy(a, g.Scalar(1)), math.Log(4), -4},
	} {
		if got := c.loss.Backward().Of(a).Item(); c.loss.Item() != c.value || math.Abs(got-c.dlossda) > 1e-15 {
			t.Errorf("%s: %v with gradient %v, want %v and %v", name, c.loss.Item(), got, c.value, c.dlossda)
		}
	}
}

// Every loss stands in the scope "loss" and is called so.
func TestScopeAndName(t *testing.T) {
	for _, row := range allLosses {
		g := autograd.NewGraph(autograd.Options{})
		loss := row.compute(g, losses.Options{})
		for n := range loss.Ancestors() {
			if n.Kind == autograd.KindOperation && n.Scope != "loss" {
				t.Errorf("%s: %s stands in the scope %q", row.name, n.Op, n.Scope)
			}
		}
		if loss.Name() != "loss" || g.Scalar(0).Named("after").Node().Scope != "" {
			t.Errorf("%s: the result is called %q, or the scope is still open", row.name, loss.Name())
		}
	}
}

// A step allocates nothing, a full and a short batch alternating.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	short := autograd.NewInts([]int{1, 0})
	for _, row := range allLosses {
		g := autograd.NewGraph(autograd.Options{})
		prediction, target := autograd.NewTensor(row.prediction, 4, 3), autograd.NewTensor(mixtures, 4, 3)
		weights, classes := row.weights(), autograd.Ones(3)
		step := func() {
			g.Reset()
			s := losses.Options{Reduction: losses.WeightedMean, Weights: g.Constant(weights), Logits: row.logits}
			if row.categorical {
				s.ClassWeights = g.Constant(classes)
			}
			row.f(g.Variable(prediction), g.Constant(target), s).Backward()
			g.Reset()
			losses.CategoricalCrossEntropyLabelsWith(g.Variable(prediction).Narrow(0, 0, 2), short, losses.Options{Logits: true}).Backward()
		}
		step()
		if n := testing.AllocsPerRun(50, step); n != 0 {
			t.Errorf("%s: %v allocations per step", row.name, n)
		}
	}
}

// mustFault runs f and checks that it panics with an error of type E, whose
// text has all of the parts and the line of the call in a test.
func mustFault[E error](t *testing.T, f func(), parts ...string) {
	t.Helper()
	err := autograd.Try(f)
	var want E
	if !errors.As(err, &want) {
		t.Errorf("error %v, want a %T", err, want)
		return
	}
	for _, part := range append(parts, "losses_test.go:") {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q lacks %q", err, part)
		}
	}
}

func TestShapesMustAgree(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	p, vector, matrix := g.Full(0.5, 24, 1), g.Full(0.5, 24), g.Full(0.5, 24, 2)
	for _, row := range allLosses {
		if row.target == nil {
			continue
		}
		for _, target := range []autograd.Value{vector, matrix, g.Scalar(0.5)} {
			mustFault[*autograd.ShapeError](t, func() { row.f(p, target, losses.Options{Logits: row.logits}) },
				"losses: ", "differ in shape", fmt.Sprintf("[24 1], %v", target.Shape()))
		}
	}
	for _, row := range allLosses {
		s := losses.Options{Weights: g.Full(1, 4, 1), Logits: row.logits}
		mustFault[*autograd.ShapeError](t, func() { row.compute(g, s) }, "losses and weights differ in shape", "[4 1]")
	}
	if scope := g.Scalar(0).Named("after").Node().Scope; scope != "" {
		t.Errorf("scope %q is still open", scope)
	}
}

// A zero Value is reported in the name of the loss.
func TestZeroValue(t *testing.T) {
	var zero autograd.Value
	for _, row := range allLosses {
		g := autograd.NewGraph(autograd.Options{})
		p, s := g.Constant(autograd.NewTensor(row.prediction, 4, 3)), losses.Options{Logits: row.logits}
		name, _, _ := strings.Cut(row.name, " ")
		mustFault[*autograd.ArgumentError](t, func() { row.f(zero, p, s) }, "losses: "+name+": the prediction is the zero Value")
		if row.target != nil {
			mustFault[*autograd.ArgumentError](t, func() { row.f(p, zero, s) }, "losses: "+name+": the target is the zero Value")
		}
	}
}

func TestMisuse(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Full(0.5, 4, 3)
	for _, f := range []func(){
		func() {
			losses.CategoricalCrossEntropyLabels(x, autograd.NewInts([]int{0, 1, 3, 0}))
		},
		func() {
			losses.CategoricalCrossEntropyLabelsWith(x, autograd.NewInts([]int{0, -1, 2, 0}), losses.Options{Logits: true})
		},
	} {
		mustFault[*autograd.IndexError](t, f, "label", "out of range for 3")
	}
	for _, shape := range [][]int{{4, 1}, {3}, {}} {
		l := autograd.NewInts(make([]int, autograd.Ones(shape...).Size()), append([]int{}, shape...)...)
		mustFault[*autograd.ShapeError](t, func() { losses.CategoricalCrossEntropyLabels(x, l) }, "labels", "[4 3]")
	}
	mustFault[*autograd.ShapeError](t, func() { losses.CategoricalCrossEntropy(g.Scalar(1), g.Scalar(1)) }, "no axis of classes")
	mustFault[*autograd.ShapeError](t, func() {
		losses.CategoricalCrossEntropyWith(x, x, losses.Options{ClassWeights: g.Full(1, 4)})
	}, "differ in classes", "[4 3], [4]")
	for _, delta := range []float64{0, -1, math.NaN()} {
		mustFault[*autograd.ArgumentError](t, func() { losses.Huber(x, x, delta) }, "losses: Huber", "not positive")
	}
	for _, row := range allLosses {
		mustFault[*autograd.ArgumentError](t, func() { row.compute(g, losses.Options{Reduction: 9}) }, "no reduction 9")
		if !row.categorical {
			s := losses.Options{ClassWeights: g.Full(1, 3), Logits: row.logits}
			mustFault[*autograd.ArgumentError](t, func() { row.compute(g, s) }, "ClassWeights")
		}
	}
	for _, f := range []func(p, t autograd.Value, s losses.Options) autograd.Value{losses.MSEWith, losses.MAEWith, huber} {
		mustFault[*autograd.ArgumentError](t, func() { f(x, x, losses.Options{Logits: true}) }, "Logits")
	}
	other := autograd.NewGraph(autograd.Options{}).Full(0.5, 4, 3)
	mustFault[*autograd.GraphError](t, func() { losses.MSE(x, other) }, "different graphs")
	mustFault[*autograd.ArgumentError](t, func() { losses.MSE(autograd.Value{}, x) })
}

func TestReductionString(t *testing.T) {
	got := fmt.Sprint(losses.Mean, ", ", losses.WeightedMean, ", ", losses.Sum, ", ", losses.None, ", ", losses.Reduction(9))
	if want := "mean, weighted mean, sum, none, unknown"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
