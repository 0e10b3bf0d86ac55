package neurons_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/layers"
	"nabla/neurons"
)

// scalars returns a row's numbers as scalar variables.
func scalars(g *autograd.Graph, row []float64) []autograd.Value {
	var x []autograd.Value
	for _, v := range row {
		x = append(x, g.Variable(autograd.Scalar(v)))
	}
	return x
}

func items(values []autograd.Value) []float64 {
	var all []float64
	for _, v := range values {
		all = append(all, v.Item())
	}
	return all
}

// A network of neurons has the values and gradients of the tensor network that
// it was made from.
func TestNeuronsEqualTensors(t *testing.T) {
	rng := seeded(3)
	dense := func(in, out int) layers.Layer {
		d := layers.NewDense(rng, in, out)
		d.Bias.Set(autograd.Uniform(rng, -1, 1, out))
		return d
	}
	for _, row := range []struct {
		name  string
		model layers.Layer
	}{
		{"one layer", dense(2, 3)},
		{"2-3-1 relu", layers.NewSequential(dense(2, 3), layers.ReLU(), dense(3, 1))},
		{"2-5-10-1 tanh, sigmoid", layers.NewSequential(dense(2, 5), layers.Tanh(), dense(5, 10), layers.Tanh(), dense(10, 1), layers.Sigmoid())},
		{"2-3-3 softmax", layers.NewSequential(layers.NewSequential(dense(2, 3), layers.PReLU()), dense(3, 3), layers.Softmax())},
		{"log-softmax, linear", layers.NewSequential(dense(2, 3), layers.Linear(), dense(3, 2), layers.LogSoftmax())},
		{"no bias", layers.NewDenseWith(rng, 2, 3, layers.DenseOptions{NoBias: true})},
	} {
		t.Run(row.name, func(t *testing.T) {
			network := neurons.Of(row.model)
			for range 5 {
				compareNeurons(t, row.model, network, autograd.Uniform(rng, -2, 2, 2).Float64s())
			}
		})
	}
}

func compareNeurons(t *testing.T, model layers.Layer, network *neurons.Network, row []float64) {
	t.Helper()
	tensors := autograd.NewGraph(autograd.Options{})
	x := tensors.Variable(autograd.NewTensor(row))
	y := model.Forward(x)
	want := y.Square().Sum().Backward()

	neurons := autograd.NewGraph(autograd.Options{})
	in := scalars(neurons, row)
	out := network.Forward(in)
	if diff := cmp.Diff(y.Tensor().Float64s(), items(out), near); diff != "" {
		t.Fatalf("outputs: %s", diff)
	}
	loss := neurons.Scalar(0)
	for _, v := range out {
		loss = loss.Add(v.Square())
	}
	got := loss.Backward()
	for i, v := range in {
		if diff := cmp.Diff(want.Of(x).At(i), got.Of(v).Item(), near); diff != "" {
			t.Errorf("dx%d: %s", i+1, diff)
		}
	}
	compareWeights(t, model, network, want, got)
}

// compareWeights compares dw and db of each neuron with its column of dW and
// its element of db.
func compareWeights(t *testing.T, model layers.Layer, network *neurons.Network, want, got autograd.Gradients) {
	t.Helper()
	params := model.Params()
	for _, layer := range network.Layers {
		for len(params[0].Shape()) != 2 {
			params = params[1:]
		}
		for j, n := range layer.Neurons {
			for i, w := range n.Weights {
				if diff := cmp.Diff(want.OfParam(params[0]).At(i, j), got.OfParam(w).Item(), near); diff != "" {
					t.Errorf("d %s: %s", w.Name(), diff)
				}
			}
			if n.Bias == nil {
				continue
			}
			if diff := cmp.Diff(want.OfParam(params[1]).At(j), got.OfParam(n.Bias).Item(), near); diff != "" {
				t.Errorf("d %s: %s", n.Bias.Name(), diff)
			}
		}
		params = params[1:]
	}
}

func TestNeuronParams(t *testing.T) {
	rng := seeded(1)
	network := neurons.Of(layers.NewSequential(layers.NewDense(rng, 1, 2), layers.PReLU(), layers.NewDense(rng, 2, 1)))
	var got []string
	for _, p := range network.Params() {
		got = append(got, p.Name())
	}
	want := []string{
		"layer1.neuron1.w1", "layer1.neuron1.b", "prelu1.slope", "layer1.neuron2.w1", "layer1.neuron2.b",
		"layer2.neuron1.w1", "layer2.neuron1.w2", "layer2.neuron1.b",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The names in a drawing of a 1-2-1 network, in the order of the recording.
func TestNeuronScopesAndNames(t *testing.T) {
	rng := seeded(1)
	network := neurons.Of(layers.NewSequential(layers.NewDense(rng, 1, 2), layers.ReLU(), layers.NewDense(rng, 2, 1)))
	g := autograd.NewGraph(autograd.Options{})
	network.Forward([]autograd.Value{g.Scalar(1).Named("x")})
	var got []string
	for n := range g.Nodes() {
		got = append(got, n.Scope+": "+n.Value.Name()+" = "+n.Op)
	}
	want := []string{
		": x = constant",
		"layer1/neuron1: w1 = param", "layer1/neuron1:  = mul", "layer1/neuron1: b = param",
		"layer1/neuron1: z1 = add", "layer1/neuron1: a1 = relu",
		"layer1/neuron2: w1 = param", "layer1/neuron2:  = mul", "layer1/neuron2: b = param",
		"layer1/neuron2: z2 = add", "layer1/neuron2: a2 = relu",
		"layer2/neuron1: w1 = param", "layer2/neuron1:  = mul", "layer2/neuron1: w2 = param", "layer2/neuron1:  = mul",
		"layer2/neuron1:  = add", "layer2/neuron1: b = param", "layer2/neuron1: z1 = add",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The copies are the network's own: training one leaves the other as it is.
func TestNeuronsAreCopies(t *testing.T) {
	d := layers.NewDenseWith(nil, 1, 1, layers.DenseOptions{Weights: layers.Constant(2), Precision: autograd.Float32})
	network := neurons.Of(d)
	w := network.Layers[0].Neurons[0].Weights[0]
	w.Set(autograd.Scalar(5))
	if got := d.Weight.Item(); got != 2 || w.Precision() != autograd.Float32 {
		t.Errorf("the weight of the Dense layer is %v, that of the neuron %v", got, w.Precision())
	}
}

// A literal with the user's own Params works, with the names that New would
// have given.
func TestNeuronLiterals(t *testing.T) {
	param := func(v float64) *autograd.Param { return autograd.NewParam("", autograd.Scalar(v)) }
	shared := layers.PReLU()
	network := &neurons.Network{Layers: []*neurons.Layer{{
		Neurons: []*neurons.Neuron{
			{Weights: []*autograd.Param{param(2), param(-3)}, Bias: param(1), Activation: shared},
			{Weights: []*autograd.Param{param(4), param(1)}, Activation: shared},
		},
	}}}
	if n := len(network.Params()); n != 6 {
		t.Errorf("%d Params, want 5 and a shared slope", n)
	}
	g := autograd.NewGraph(autograd.Options{})
	out := network.Forward([]autograd.Value{g.Scalar(1), g.Scalar(2)})
	if diff := cmp.Diff([]float64{-0.75, 6}, items(out), near); diff != "" {
		t.Error(diff)
	}
	var got []string
	for n := range g.Nodes() {
		if n.Value.Name() != "" {
			got = append(got, n.Scope+": "+n.Value.Name())
		}
	}
	want := []string{
		"layer/neuron: w1", "layer/neuron: w2", "layer/neuron: b", "layer/neuron: z",
		"layer/neuron: prelu.slope", "layer/neuron: a",
		"layer/neuron: w1", "layer/neuron: w2", "layer/neuron: z", "layer/neuron: a",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Time and memory grow with the number of weights, not with its square: one
// copy of the matrix for each weight would be 128 MiB here.
func TestNeuronsOfCopiesTheWeightsOnce(t *testing.T) {
	d := layers.NewDense(seeded(1), 64, 64)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	neurons.Of(d)
	runtime.ReadMemStats(&after)
	if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 16 {
		t.Errorf("%d MiB for %d weights", mib, 64*64)
	}
}

// A single neuron allocates nothing once warm.
func TestNeuronAllocatesNothing(t *testing.T) {
	n := neurons.New(seeded(1), 3, layers.Tanh())
	g := autograd.NewGraph(autograd.Options{})
	x := make([]autograd.Value, 3)
	step := func() {
		g.Reset()
		for i := range x {
			x[i] = g.Scalar(float64(i))
		}
		n.Forward(x).Backward()
	}
	step()
	if allocs := testing.AllocsPerRun(50, step); allocs != 0 {
		t.Errorf("%v allocations per step", allocs)
	}
}

func TestNeuronMisuse(t *testing.T) {
	rng := seeded(1)
	n := neurons.New(rng, 2, nil)
	g := autograd.NewGraph(autograd.Options{})
	mustFault[*autograd.ArgumentError](t, func() { n.Forward([]autograd.Value{g.Scalar(1)}) }, "1 inputs for 2 weights")
	mustFault[*autograd.ArgumentError](t, func() { n.Forward(nil) }, "0 inputs for 2 weights")
	mustFault[*autograd.ShapeError](t, func() {
		n.Forward([]autograd.Value{g.Scalar(1), g.Constant(autograd.Ones(3))})
	}, "input 1 is no scalar")
	mustFault[*autograd.ArgumentError](t, func() { neurons.New(rng, 0, nil) }, "0 inputs")
	mustFault[*autograd.ArgumentError](t, func() { neurons.Of(layers.NewDense(rng, 1, 1)).Forward(nil) }, "0 inputs")

	x := []autograd.Value{g.Scalar(1)}
	scalar, vector := autograd.NewParam("", autograd.Scalar(1)), autograd.NewParam("", autograd.Ones(2))
	one := &neurons.Neuron{Weights: []*autograd.Param{scalar}}
	mustFault[*autograd.ArgumentError](t, func() { (&neurons.Neuron{}).Forward(nil) }, "neurons: Neuron: 0 inputs for 0 weights")
	mustFault[*autograd.ArgumentError](t, func() { (&neurons.Neuron{Weights: make([]*autograd.Param, 1)}).Forward(x) }, "weight 0 is nil")
	mustFault[*autograd.ShapeError](t, func() { (&neurons.Neuron{Weights: []*autograd.Param{vector}}).Forward(x) }, "weight 0 is no scalar: [2]")
	mustFault[*autograd.ShapeError](t, func() { (&neurons.Neuron{Weights: one.Weights, Bias: vector}).Forward(x) }, "the bias is no scalar: [2]")
	hole := &neurons.Layer{Neurons: []*neurons.Neuron{nil}}
	mustFault[*autograd.ArgumentError](t, func() { hole.Forward(x) }, "neurons: Neuron: the neuron is nil")
	mustFault[*autograd.ArgumentError](t, func() { hole.Params() }, "neurons: Neuron: the neuron is nil")
	mustFault[*autograd.ArgumentError](t, func() { (&neurons.Layer{}).Forward(x) }, "1 inputs for 0 neurons")
	network := &neurons.Network{Layers: []*neurons.Layer{nil}}
	mustFault[*autograd.ArgumentError](t, func() { network.Forward(x) }, "neurons: Layer: the layer is nil")
	mustFault[*autograd.ArgumentError](t, func() { network.Params() }, "neurons: Layer: the layer is nil")
	joint := layers.Func("sum", func(x autograd.Value) autograd.Value { return x.Sum() })
	mustFault[*autograd.ShapeError](t, func() {
		(&neurons.Layer{Neurons: []*neurons.Neuron{one}, Joint: joint}).Forward(x)
	}, "the Joint does not return one number for each neuron: []")

	for _, row := range []struct {
		model layers.Layer
		text  string
	}{
		{(*layers.Sequential)(nil), "nil is neither"},
		{layers.NewSequential(), "no layers"},
		{nil, "nil is neither"},
		{layers.ReLU(), "relu is neither"},
		{layers.NewSequential(layers.NewDense(rng, 1, 1), layers.ReLU(), layers.Tanh()), "tanh1 is neither"},
		{layers.NewSequential(layers.NewDense(rng, 1, 1), layers.Dropout(0.5)), "dropout1 is neither"},
		{twice{}, "neurons_test.twice is neither"},
	} {
		mustFault[*autograd.ArgumentError](t, func() { neurons.Of(row.model) }, "neurons: Of", row.text)
	}
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

var near = cmpopts.EquateApprox(1e-12, 1e-12)

// mustFault runs f and checks that it panics with an error of type E whose text
// contains all parts and the line of the call in the test.
func mustFault[E error](t *testing.T, f func(), parts ...string) {
	t.Helper()
	err := autograd.Try(f)
	var want E
	if !errors.As(err, &want) {
		t.Errorf("error %v, want a %T", err, want)
		return
	}
	for _, part := range append(parts, "_test.go:") {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q lacks %q", err, part)
		}
	}
}

// twice is a user-defined layer.
type twice struct{ inner []layers.Layer }

func (l twice) Params() []*autograd.Param               { return l.inner[0].Params() }
func (l twice) Forward(x autograd.Value) autograd.Value { return l.inner[0].Forward(x) }

// A linear activation adds no node: the neuron returns the weighted sum, which
// keeps its name.
func TestNeuronWithLinearActivation(t *testing.T) {
	n := neurons.New(seeded(1), 2, layers.Linear())
	g := autograd.NewGraph(autograd.Options{})
	z := n.Forward(scalars(g, []float64{1, 2}))
	if z.Name() != "z" || z.Node().Op != "add" {
		t.Errorf("%s = %s, want z = add", z.Name(), z.Node().Op)
	}
	if want := n.Weights[0].Item() + 2*n.Weights[1].Item(); math.Abs(z.Item()-want) > 1e-15 {
		t.Errorf("%v, want %v", z.Item(), want)
	}
}
