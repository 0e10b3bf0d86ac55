package layers_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
	"nabla/neurons"
)

// handDense has the weights [[1 2 3] [4 5 6]] and the biases [10 20 30].
func handDense(options layers.DenseOptions) *layers.Dense {
	d := layers.NewDenseWith(nil, 2, 3, withWeights(options, layers.ZeroWeights))
	d.Weight.Set(autograd.NewTensor([]float64{1, 2, 3, 4, 5, 6}, 2, 3))
	if d.Bias != nil {
		d.Bias.Set(autograd.NewTensor([]float64{10, 20, 30}))
	}
	return d
}

func withWeights(s layers.DenseOptions, w layers.Initializer) layers.DenseOptions {
	s.Weights = w
	return s
}

func TestDenseByHand(t *testing.T) {
	for _, row := range []struct {
		name    string
		options layers.DenseOptions
		x       autograd.Tensor
		shape   []int
		want    []float64
	}{
		{"batch", layers.DenseOptions{}, autograd.NewTensor([]float64{1, 1, 2, -1}, 2, 2), []int{2, 3}, []float64{15, 27, 39, 8, 19, 30}},
		{"one sample", layers.DenseOptions{}, autograd.NewTensor([]float64{2, -1}), []int{3}, []float64{8, 19, 30}},
		{"more axes", layers.DenseOptions{}, autograd.NewTensor([]float64{1, 1, 2, -1}, 2, 1, 2), []int{2, 1, 3}, []float64{15, 27, 39, 8, 19, 30}},
		{"no bias", layers.DenseOptions{NoBias: true}, autograd.NewTensor([]float64{1, 1}), []int{3}, []float64{5, 7, 9}},
		{"empty batch", layers.DenseOptions{}, autograd.Zeros(0, 2), []int{0, 3}, []float64{}},
		{"float32", layers.DenseOptions{Precision: autograd.Float32}, autograd.NewTensor([]float64{2, -1}), []int{3}, []float64{8, 19, 30}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := diffTensor(forward(handDense(row.options), row.x), row.shape, row.want); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// dW = xᵀ·dz and db = the sum of dz over the batch.
func TestDenseGradientByHand(t *testing.T) {
	d := handDense(layers.DenseOptions{})
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.NewTensor([]float64{1, 1, 2, -1}, 2, 2))
	seed := autograd.NewTensor([]float64{1, 0, 2, 0, 1, 1}, 2, 3)
	grads := d.Forward(x).BackwardFrom(seed)
	for _, row := range []struct {
		name  string
		got   autograd.Tensor
		shape []int
		want  []float64
	}{
		{"dW", grads.OfParam(d.Weight), []int{2, 3}, []float64{1, 2, 4, 1, -1, 1}},
		{"db", grads.OfParam(d.Bias), []int{3}, []float64{1, 1, 3}},
		{"dx", grads.Of(x), []int{2, 2}, []float64{7, 16, 5, 11}},
	} {
		if diff := diffTensor(row.got, row.shape, row.want); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}

func TestDenseNames(t *testing.T) {
	alone := layers.NewDense(seeded(1), 2, 3)
	named := layers.NewDenseWith(seeded(1), 2, 3, layers.DenseOptions{Name: "hidden"})
	got := [][]string{paramNames(alone), paramNames(named), {alone.Name(), named.Name()}}
	want := [][]string{{"dense.weight", "dense.bias"}, {"hidden.weight", "hidden.bias"}, {"dense", "hidden"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	g := autograd.NewGraph(autograd.Options{})
	named.Forward(g.Constant(autograd.Ones(1, 2)))
	if diff := cmp.Diff([]string{"hidden: matmul", "hidden: z = add"}, recording(g)); diff != "" {
		t.Error(diff)
	}
}

func TestDenseDefaults(t *testing.T) {
	d := layers.NewDense(seeded(7), 3, 4)
	if diff := cmp.Diff(layers.GlorotUniform(seeded(7), 3, 4, 3, 4).Float64s(), d.Weight.Tensor().Float64s()); diff != "" {
		t.Error(diff)
	}
	if diff := diffTensor(d.Bias.Tensor(), []int{4}, make([]float64, 4)); diff != "" {
		t.Error(diff)
	}
	if d.Weight.Precision() != autograd.Float64 || d.Bias.Precision() != autograd.Float64 {
		t.Error("the Params are not Float64")
	}
}

// A literal of Params of one's own is a layer like any other.
func TestDenseLiteral(t *testing.T) {
	d := &layers.Dense{Weight: autograd.NewParam("", autograd.NewTensor([]float64{1, 2, 3, 4, 5, 6}, 2, 3))}
	if diff := diffTensor(forward(d, autograd.Ones(1, 2)), []int{1, 3}, []float64{5, 7, 9}); diff != "" {
		t.Error(diff)
	}
	if d.Name() != "dense" {
		t.Errorf("its name is %q", d.Name())
	}
	model := layers.NewSequential(d, &layers.Sequential{})
	if diff := cmp.Diff([]string{"dense1", "sequential1"}, names(model)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"dense1.weight"}, paramNames(model)); diff != "" {
		t.Error(diff)
	}
}

func TestDenseLiteralMisuse(t *testing.T) {
	param := func(shape ...int) *autograd.Param { return autograd.NewParam("", autograd.Ones(shape...)) }
	none := []*layers.Dense{nil, {}, {Bias: param(3)}}
	for _, d := range none {
		mustFault[*autograd.ArgumentError](t, func() { forward(d, autograd.Ones(1, 2)) }, "layers: Dense: there is no Weight")
		mustFault[*autograd.ArgumentError](t, func() { neurons.Of(d) }, "layers: Dense: there is no Weight")
	}
	for _, row := range []struct {
		d    *layers.Dense
		text string
	}{
		{&layers.Dense{Weight: param(2)}, "the weights are not a matrix [in, out]: [2]"},
		{&layers.Dense{Weight: param(2, 3), Bias: param(2)}, "there is not one bias for each output: [2], [2 3]"},
		{&layers.Dense{Weight: param(2, 3), Bias: param(1, 3)}, "there is not one bias for each output: [1 3], [2 3]"},
	} {
		mustFault[*autograd.ShapeError](t, func() { forward(row.d, autograd.Ones(1, 2)) }, `layers: Dense "dense": `+row.text)
		mustFault[*autograd.ShapeError](t, func() { neurons.Of(row.d) }, row.text)
	}
}

func TestDenseMisuse(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	d := layers.NewDenseWith(seeded(1), 3, 2, layers.DenseOptions{Name: "hidden"})
	flat := func(_ *rand.Rand, in, out int, _ ...int) autograd.Tensor { return autograd.Zeros(in * out) }
	for _, f := range []func(){
		func() { d.Forward(g.Constant(autograd.Ones(5, 4))) },
		func() { d.Forward(g.Constant(autograd.Ones(3, 5))) },
		func() { d.Forward(g.Scalar(1)) },
	} {
		mustFault[*autograd.ShapeError](t, f, `layers: Dense "hidden"`, "must have 3 elements", "[3 2]")
	}
	mustFault[*autograd.ShapeError](t, func() {
		layers.NewDenseWith(seeded(1), 3, 2, layers.DenseOptions{Weights: flat})
	}, "Initializer", "[6], [3 2]")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewDense(seeded(1), 0, 2) }, "layers: Dense", "0 inputs")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewDense(seeded(1), 2, -1) }, "-1 outputs")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewDense(nil, 2, 2) }, "GlorotUniform", "rng is nil")

	old := g.Constant(autograd.Ones(1, 3))
	g.Reset()
	mustFault[*autograd.StaleError](t, func() { d.Forward(old) })
}

// tensorJSON is a tensor of the reference vectors.
type tensorJSON struct {
	Shape []int
	Data  []float64
}

func (t tensorJSON) tensor() autograd.Tensor { return autograd.NewTensor(t.Data, t.Shape...) }

// The hidden weighted sums of PyTorch's networks.
func TestDenseAgainstPyTorch(t *testing.T) {
	text, err := os.ReadFile("../testdata/torch/mlp.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct {
			Name                   string
			Inputs, Hidden, Output tensorJSON
			Weights, Biases        []tensorJSON
		}
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Cases) == 0 {
		t.Fatal("no vectors")
	}
	for _, c := range vectors.Cases {
		weights := c.Weights[0].tensor()
		d := layers.NewDense(seeded(1), weights.Dim(0), weights.Dim(1))
		d.Weight.Set(weights)
		d.Bias.Set(c.Biases[0].tensor())
		if diff := diffTensor(forward(d, c.Inputs.tensor()), c.Hidden.Shape, c.Hidden.Data); diff != "" {
			t.Errorf("%s: %s", c.Name, diff)
		}
	}
}
