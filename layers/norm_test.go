package layers_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/layers"
	"nabla/optim"
)

// A normLayer is a layer, the shape of an input for it, and the name of its
// case in testdata/norms.json.
type normLayer struct {
	torch string
	layer layers.Layer
	shape []int
}

func normLayers() []normLayer {
	plain := layers.BatchNormOptions{NoAffine: true}
	return []normLayer{
		{"batchnorm1d of features", layers.NewBatchNorm(3), []int{4, 3}},
		{"batchnorm1d", layers.NewBatchNormWith(3, layers.BatchNormOptions{Momentum: 0.25, Epsilon: 0.1}), []int{2, 3, 5}},
		{"batchnorm2d", layers.NewBatchNorm(2), []int{2, 2, 3, 4}},
		{"batchnorm3d", layers.NewBatchNorm(2), []int{2, 2, 2, 1, 3}},
		{"batchnorm2d plain", layers.NewBatchNormWith(2, plain), []int{2, 2, 3, 4}},
		{"batchnorm2d without statistics", layers.NewBatchNormWith(2, layers.BatchNormOptions{NoStatistics: true}), []int{2, 2, 3, 4}},
		{"layernorm", layers.NewLayerNorm(5), []int{3, 5}},
		{"layernorm of two axes", layers.NewLayerNormWith([]int{2, 3}, layers.NormOptions{Epsilon: 0.1}), []int{2, 2, 3}},
		{"layernorm plain", layers.NewLayerNormWith([]int{5}, layers.NormOptions{NoAffine: true}), []int{3, 5}},
		{"rmsnorm", layers.NewRMSNorm(5), []int{3, 5}},
		{"rmsnorm with epsilon", layers.NewRMSNormWith([]int{2, 3}, layers.NormOptions{Epsilon: 0.1}), []int{2, 2, 3}},
		{"groupnorm", layers.NewGroupNorm(2, 4), []int{2, 4, 3, 2}},
		{"groupnorm of features", layers.NewGroupNorm(2, 6), []int{3, 6}},
		{"groupnorm plain", layers.NewGroupNormWith(2, 4, layers.NormOptions{NoAffine: true}), []int{2, 4, 3}},
		{"instancenorm1d", layers.NewInstanceNorm(3), []int{2, 3, 4}},
		{"instancenorm2d plain", layers.NewInstanceNormWith(3, layers.NormOptions{NoAffine: true}), []int{2, 3, 2, 2}},
	}
}

// trained returns a layer's Params that are no statistics, and those that are.
func trained(l layers.Layer) (params, statistics []*autograd.Param) {
	for _, p := range l.Params() {
		if p.IsStatistic() {
			statistics = append(statistics, p)
		} else {
			params = append(params, p)
		}
	}
	return params, statistics
}

// TestNormLayersAgainstPyTorch compares outputs and gradients in training, the
// running statistics after two steps, and the output in evaluation.
func TestNormLayersAgainstPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/norms.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct {
			Name               string
			Input              []int
			Output, Evaluated  tensorJSON
			Gradients, Running []tensorJSON
		}
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	all := normLayers()
	if len(vectors.Cases) != len(all) {
		t.Fatalf("%d cases for %d layers", len(vectors.Cases), len(all))
	}
	for i, c := range vectors.Cases {
		row := all[i]
		if diff := cmp.Diff(c.Name, row.torch) + cmp.Diff(c.Input, row.shape); diff != "" {
			t.Fatal(diff)
		}
		params, statistics := trained(row.layer)
		for j, p := range params {
			p.Set(wave(j+1, p.Shape()...))
		}
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(wave(0, row.shape...))
		y := row.layer.Forward(x)
		grads := y.BackwardFrom(wave(100, y.Shape()...))
		if diff := diffTensor(y.Tensor(), c.Output.Shape, c.Output.Data); diff != "" {
			t.Errorf("%s: %s", c.Name, diff)
			continue
		}
		got := []autograd.Tensor{grads.Of(x)}
		for _, p := range params {
			got = append(got, grads.OfParam(p))
		}
		if len(got) != len(c.Gradients) || len(statistics) != len(c.Running) {
			t.Fatalf("%s: %d gradients and %d statistics, want %d and %d", c.Name, len(got), len(statistics), len(c.Gradients), len(c.Running))
		}
		for j, want := range c.Gradients {
			if diff := diffTensor(got[j], want.Shape, want.Data); diff != "" {
				t.Errorf("%s, gradient %d: %s", c.Name, j, diff)
			}
		}
		grads.UpdateStatistics()
		g.Reset()
		row.layer.Forward(g.Constant(wave(7, row.shape...))).Sum().Backward().UpdateStatistics()
		for j, want := range c.Running {
			if diff := diffTensor(statistics[j].Tensor(), want.Shape, want.Data); diff != "" {
				t.Errorf("%s, %s: %s", c.Name, statistics[j].Name(), diff)
			}
		}
		eval := autograd.NewGraph(autograd.Options{Eval: true})
		if diff := diffTensor(row.layer.Forward(eval.Constant(wave(0, row.shape...))).Tensor(), c.Evaluated.Shape, c.Evaluated.Data); diff != "" {
			t.Errorf("%s in evaluation: %s", c.Name, diff)
		}
	}
}

// Statistics are neither checked nor changed by it.
func TestGradientsOfNormLayers(t *testing.T) {
	for _, row := range normLayers() {
		f := func(_ *autograd.Graph, in []autograd.Value) autograd.Value { return row.layer.Forward(in[0]) }
		x := []autograd.Tensor{wave(0, row.shape...)}
		if err := gradcheck.Check(f, x, row.layer.Params()...); err != nil {
			t.Errorf("%s: %v", row.torch, err)
		}
		if err := gradcheck.CheckSecond(f, x, row.layer.Params()...); err != nil {
			t.Errorf("%s: %v", row.torch, err)
		}
		_, statistics := trained(row.layer)
		for _, p := range statistics {
			if p.Version() != 0 {
				t.Errorf("%s: %s was written to", row.torch, p.Name())
			}
		}
	}
}

// A model lists its statistics among its Params, with names as PyTorch's.
func TestNamesOfNormLayers(t *testing.T) {
	model := layers.NewSequential(
		layers.NewConv2D(seeded(1), 1, 4, 3), layers.NewBatchNorm(4), layers.ReLU(), layers.NewGroupNorm(2, 4),
		layers.NewInstanceNorm(4), layers.Flatten(), layers.NewLayerNorm(16), layers.NewRMSNormWith([]int{16}, layers.NormOptions{Name: "last"}),
	)
	want := []string{
		"conv1.weight", "conv1.bias", "batchnorm1.weight", "batchnorm1.bias", "batchnorm1.running_mean", "batchnorm1.running_var",
		"groupnorm1.weight", "groupnorm1.bias", "instancenorm1.weight", "instancenorm1.bias", "layernorm1.weight", "layernorm1.bias", "last.weight",
	}
	if diff := cmp.Diff(want, paramNames(model)); diff != "" {
		t.Error(diff)
	}
	own := &struct{ Stem, Head *layers.BatchNorm }{layers.NewBatchNorm(2), layers.NewBatchNormWith(2, layers.BatchNormOptions{NoAffine: true})}
	layers.Name(own)
	var names []string
	for _, p := range layers.ParamsOf(own) {
		names = append(names, p.Name())
	}
	if diff := cmp.Diff([]string{"stem.weight", "stem.bias", "stem.running_mean", "stem.running_var", "head.running_mean", "head.running_var"}, names); diff != "" {
		t.Error(diff)
	}
	bn := layers.NewBatchNorm(3)
	layers.Convert(bn, autograd.Float32)
	for _, p := range bn.Params() {
		if p.Precision() != autograd.Float32 || p.IsStatistic() != strings.Contains(p.Name(), "running") {
			t.Errorf("%s: %v, a statistic: %v", p.Name(), p.Precision(), p.IsStatistic())
		}
	}
}

// Each says which layer it is, what it was given and what it needs.
func TestNormLayersOfOtherShapes(t *testing.T) {
	narrow := layers.NewBatchNorm(3)
	narrow.RunningVar = autograd.NewStatistic("", autograd.Ones(2))
	for _, row := range []struct {
		layer layers.Layer
		shape []int
		parts []string
	}{
		{layers.NewBatchNorm(3), []int{2, 4, 9}, []string{`layers: BatchNorm "batchnorm1": the input has other channels along axis 1 than batchnorm1.weight: [2 4 9], [3]`}},
		{layers.NewBatchNorm(3), []int{3}, []string{`layers: BatchNorm "batchnorm1": the input must be [batch, channels, …]: [3]`}},
		{layers.NewBatchNorm(3), []int{1, 3}, []string{`layers: BatchNorm "batchnorm1": a channel needs two numbers at least`, "[1 3]"}},
		{layers.NewBatchNorm(3), []int{0, 3, 4}, []string{`layers: BatchNorm "batchnorm1": a channel needs two numbers at least`, "[0 3 4]"}},
		{narrow, []int{2, 3, 4}, []string{`than batchnorm1.running_var: [2 3 4], [2]`}},
		{layers.NewBatchNormWith(3, layers.BatchNormOptions{NoAffine: true}), []int{2, 4}, []string{"than batchnorm1.running_mean: [2 4], [3]"}},
		{layers.NewLayerNorm(3), []int{2, 4}, []string{`layers: LayerNorm "layernorm1": the scale does not fit: [2 4] by [3]`}},
		{layers.NewRMSNorm(4, 3), []int{2, 3, 3}, []string{`layers: RMSNorm "rmsnorm1": the scale does not fit: [2 3 3] by [4 3]`}},
		{layers.NewGroupNorm(2, 4), []int{2, 6, 3}, []string{`layers: GroupNorm "groupnorm1": the input has other channels along axis 1 than groupnorm1.weight: [2 6 3], [4]`}},
		{layers.NewGroupNormWith(2, 4, layers.NormOptions{NoAffine: true}), []int{2, 5, 3}, []string{`layers: GroupNorm "groupnorm1": the channels do not divide by the number of groups: [2 5 3] by [2]`}},
		{layers.NewInstanceNorm(3), []int{2, 3, 1}, []string{`layers: InstanceNorm "instancenorm1": a channel of a sample needs two numbers at least`, "[2 3 1]"}},
	} {
		model := layers.NewSequential(row.layer)
		mustFault[*autograd.ShapeError](t, func() { model.Forward(autograd.NewGraph(autograd.Options{}).Constant(autograd.Ones(row.shape...))) }, row.parts...)
	}
}

func TestNormLayersMisuse(t *testing.T) {
	ones := func() *autograd.Param { return autograd.NewParam("", autograd.Ones(3)) }
	train := func(l layers.Layer) func() {
		return func() { l.Forward(autograd.NewGraph(autograd.Options{}).Constant(autograd.Ones(2, 3))) }
	}
	for _, row := range []struct {
		parts []string
		f     func()
	}{
		{[]string{"layers: BatchNorm: [0], want positive numbers"}, func() { layers.NewBatchNorm(0) }},
		{[]string{"layers: LayerNorm: [], want positive numbers"}, func() { layers.NewLayerNorm() }},
		{[]string{"layers: RMSNorm: [3 -1], want positive numbers"}, func() { layers.NewRMSNorm(3, -1) }},
		{[]string{"layers: GroupNorm: [0 4], want positive numbers"}, func() { layers.NewGroupNorm(0, 4) }},
		{[]string{"layers: GroupNorm: 3 groups do not divide 4 channels"}, func() { layers.NewGroupNorm(3, 4) }},
		{[]string{"layers: InstanceNorm: [-2], want positive numbers"}, func() { layers.NewInstanceNorm(-2) }},
		{[]string{`layers: BatchNorm "bn": a Momentum of 2, want 0 to 1`}, func() { layers.NewBatchNormWith(3, layers.BatchNormOptions{Momentum: 2, Name: "bn"}) }},
		{[]string{"layers: BatchNorm: an Epsilon of -1, want a positive number"}, func() { layers.NewBatchNormWith(3, layers.BatchNormOptions{Epsilon: -1}) }},
		{[]string{"layers: LayerNorm: an Epsilon of NaN"}, func() { layers.NewLayerNormWith([]int{3}, layers.NormOptions{Epsilon: math.NaN()}) }},
		{[]string{`layers: BatchNorm "batchnorm": there must be both running statistics or none`}, train(&layers.BatchNorm{RunningMean: autograd.NewStatistic("", autograd.Ones(3))})},
		{[]string{`layers: BatchNorm "batchnorm": `, "must be made by NewStatistic"}, train(&layers.BatchNorm{RunningMean: ones(), RunningVar: ones()})},
		{[]string{`layers: BatchNorm "batchnorm": epsilon is -1`}, train(&layers.BatchNorm{Epsilon: -1})},
		{[]string{`layers: LayerNorm "layernorm": the last 0 axes of [2 3], want 1 to 2`}, train(&layers.LayerNorm{})},
		{[]string{`layers: GroupNorm "groupnorm": 0 groups`}, train(&layers.GroupNorm{})},
	} {
		mustFault[*autograd.ArgumentError](t, row.f, row.parts...)
	}
}

// In evaluation a batch of one, or of none, is as good as any, each sample is
// computed on its own, and nothing is observed.
func TestBatchNormInEvaluation(t *testing.T) {
	bn := layers.NewBatchNorm(3)
	bn.RunningMean.Set(wave(1, 3))
	bn.RunningVar.Set(autograd.Full(0.5, 3))
	x := wave(0, 4, 3, 5)
	eval := func(x autograd.Tensor) autograd.Tensor {
		g := autograd.NewGraph(autograd.Options{Eval: true})
		v := g.Variable(x)
		y := bn.Forward(v)
		grads := y.Sum().Backward()
		for range grads.Observations() {
			t.Error("an observation in evaluation")
		}
		if len(x.Float64s()) > 0 && grads.Of(v).Float64s()[0] != 1/math.Sqrt(0.5+1e-5) {
			t.Errorf("the gradient is %v", grads.Of(v).Float64s()[0])
		}
		return y.Tensor()
	}
	whole := eval(x).Float64s()
	for i := range 4 {
		if got := eval(x.Take(i)).Float64s(); !slices.Equal(got, whole[15*i:15*(i+1)]) {
			t.Errorf("sample %d alone is %v, want %v", i, got, whole[15*i:15*(i+1)])
		}
	}
	if got := eval(autograd.Zeros(0, 3, 5)).Shape(); got[0] != 0 {
		t.Errorf("an empty batch gives %v", got)
	}
}

// Many goroutines share a model with batch norms, each with graphs of its own.
// Their parts are added in order: any number of goroutines gives the same bits.
func TestBatchNormOfManyGoroutines(t *testing.T) {
	const parts = 4
	run := func(workers int) []float64 {
		rng := seeded(3)
		model := layers.NewSequential(
			layers.NewConv2D(rng, 2, 4, 3), layers.NewBatchNorm(4), layers.ReLU(), layers.Flatten(),
			layers.NewDense(rng, 36, 3), layers.NewBatchNorm(3),
		)
		graphs := make([]*autograd.Graph, parts)
		for i := range graphs {
			graphs[i] = autograd.NewGraph(autograd.Options{})
		}
		optimizer := optim.NewSGD(0.1)
		var sum autograd.Gradients
		for step := range 3 {
			grads := make([]autograd.Gradients, parts)
			var wait sync.WaitGroup
			for w := range workers {
				wait.Go(func() {
					for i := w; i < parts; i += workers {
						graphs[i].Reset()
						x := graphs[i].Constant(wave(10*step+i, 4+i, 2, 5, 5))
						grads[i] = model.Forward(x).Square().Mul(graphs[i].Constant(wave(i, 3))).Mean().Backward()
					}
				})
			}
			wait.Wait()
			sum.Clear()
			for i, part := range grads {
				sum.AddWeighted(part, float64(4+i))
			}
			sum.Average()
			optimizer.Step(sum)
		}
		var all []float64
		for _, p := range model.Params() {
			all = append(all, p.Tensor().Float64s()...)
		}
		return all
	}
	want := run(1)
	for _, workers := range []int{2, 4} {
		for i, got := range run(workers) {
			if math.Float64bits(got) != math.Float64bits(want[i]) {
				t.Fatalf("number %d is %v with %d goroutines, %v with one", i, got, workers, want[i])
			}
		}
	}
}

// Normalizing layers allocate nothing once warm, in training nor evaluation.
func TestNormLayersAllocateNothing(t *testing.T) {
	for _, row := range normLayers() {
		for _, eval := range []bool{false, true} {
			g := autograd.NewGraph(autograd.Options{Eval: eval})
			x := wave(0, row.shape...)
			model := layers.NewSequential(row.layer)
			step := func() {
				g.Reset()
				model.Forward(g.Variable(x)).Square().Sum().Backward().UpdateStatistics()
			}
			for range 3 {
				step()
			}
			if n := testing.AllocsPerRun(20, step); n != 0 {
				t.Errorf("%s, evaluated: %v: %v allocations per step", row.torch, eval, n)
			}
		}
	}
}

// A batch norm of a batch gives numbers of mean 0 and variance 1, whatever the
// scale of the data.
func ExampleNewBatchNorm() {
	bn := layers.NewBatchNorm(2)
	g := autograd.NewGraph(autograd.Options{})
	y := bn.Forward(g.Constant(autograd.NewTensor([]float64{1, 100, 2, 300, 3, 200}, 3, 2)))
	fmt.Printf("%.3f\n", y.Tensor().Float64s())
	y.Sum().Backward().UpdateStatistics() // an optimizer's Step does this
	fmt.Printf("%.2f\n", bn.RunningMean.Tensor().Float64s())
	// Output:
	// [-1.225 -1.225 0.000 1.225 1.225 0.000]
	// [0.20 20.00]
}
