package layers_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/layers"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

var near = cmpopts.EquateApprox(1e-12, 1e-12)

// forward returns what a layer makes of a tensor.
func forward(l layers.Layer, x autograd.Tensor) autograd.Tensor {
	g := autograd.NewGraph(autograd.Options{Eval: true})
	return l.Forward(g.Constant(x)).Tensor()
}

func diffTensor(got autograd.Tensor, shape []int, want []float64) string {
	return cmp.Diff(shape, got.Shape()) + cmp.Diff(want, got.Float64s(), near)
}

// paramNames returns the names of a layer's Params, in order.
func paramNames(l layers.Layer) []string {
	var names []string
	for _, p := range l.Params() {
		names = append(names, p.Name())
	}
	return names
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
	for _, part := range append(parts, "_test.go:") {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q lacks %q", err, part)
		}
	}
}

// recording lists the operations of a recording as scope, name and operation.
func recording(g *autograd.Graph) []string {
	var nodes []string
	for n := range g.Nodes() {
		if n.Kind != autograd.KindOperation {
			continue
		}
		line := n.Scope + ": "
		if n.Value.Name() != "" {
			line += n.Value.Name() + " = "
		}
		nodes = append(nodes, line+n.Op)
	}
	return nodes
}

// everyLayer is one of each, for an input [n, 3].
func everyLayer() map[string]layers.Layer {
	return map[string]layers.Layer{
		"dense":       layers.NewDense(seeded(1), 3, 2),
		"linear":      layers.Linear(),
		"relu":        layers.ReLU(),
		"relu6":       layers.ReLU6(),
		"leakyrelu":   layers.LeakyReLU(0.1),
		"prelu":       layers.PReLU(),
		"elu":         layers.ELU(0.7),
		"selu":        layers.SELU(),
		"celu":        layers.CELU(0.7),
		"gelu":        layers.GELU(),
		"gelutanh":    layers.GELUTanh(),
		"silu":        layers.SiLU(),
		"mish":        layers.Mish(),
		"softplus":    layers.Softplus(1),
		"softsign":    layers.Softsign(),
		"sigmoid":     layers.Sigmoid(),
		"logsigmoid":  layers.LogSigmoid(),
		"hardsigmoid": layers.HardSigmoid(),
		"hardswish":   layers.HardSwish(),
		"hardtanh":    layers.HardTanh(),
		"tanh":        layers.Tanh(),
		"softmax":     layers.Softmax(),
		"logsoftmax":  layers.LogSoftmax(),
		"dropout":     layers.Dropout(0.5),
		"flatten":     layers.Flatten(),
		"func":        layers.Func("", autograd.Value.Square),
		"batchnorm":   layers.NewBatchNorm(3),
		"layernorm":   layers.NewLayerNorm(3),
		"groupnorm":   layers.NewGroupNorm(1, 3),
		"rmsnorm":     layers.NewRMSNorm(3),
		"residual":    layers.NewResidualWith(layers.ResidualOptions{Shortcut: layers.NewDense(seeded(4), 3, 2)}, layers.NewDense(seeded(2), 3, 2), layers.Tanh()),
		"sequential":  layers.NewSequential(layers.NewDense(seeded(2), 3, 4), layers.Tanh(), layers.NewDense(seeded(3), 4, 2)),
	}
}

func TestGradientsToSecondOrder(t *testing.T) {
	x := []autograd.Tensor{autograd.NewTensor([]float64{0.3, -0.6, 1.2, -1.7, 0.8, 2.2}, 2, 3)}
	for name, l := range everyLayer() {
		t.Run(name, func(t *testing.T) {
			f := func(_ *autograd.Graph, in []autograd.Value) autograd.Value { return l.Forward(in[0]) }
			if err := gradcheck.Check(f, x, l.Params()...); err != nil {
				t.Error(err)
			}
			if err := gradcheck.CheckSecond(f, x, l.Params()...); err != nil {
				t.Error(err)
			}
		})
	}
}

// Each layer is called after its kind, alone and in a Sequential, and records
// in a scope of that name alone.
func TestEachLayerRecordsInItsScope(t *testing.T) {
	for name, l := range everyLayer() {
		if name == "sequential" {
			continue
		}
		g := autograd.NewGraph(autograd.Options{})
		layers.NewSequential(l).Forward(g.Constant(autograd.Ones(2, 3)))
		for _, node := range recording(g) {
			if !strings.HasPrefix(node, name+"1: ") && !strings.HasPrefix(node, name+"1/") {
				t.Errorf("%s recorded %q", name, node)
			}
		}
		named, ok := l.(interface{ Name() string })
		if !ok || named.Name() != name+"1" {
			t.Errorf("%s has no name, or another", name)
		}
	}
}

// A mistake inside a layer leaves no scope open.
func TestScopesCloseOnPanic(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	l := layers.NewSequential(layers.Func("outer", func(x autograd.Value) autograd.Value { return x.Reshape(5) })).Named("model")
	mustFault[*autograd.ShapeError](t, func() { l.Forward(g.Scalar(1)) })
	if scope := g.Scalar(1).Named("after").Node().Scope; scope != "" {
		t.Errorf("scope %q is still open", scope)
	}
}

func TestForwardOfAValueOfNoGraph(t *testing.T) {
	for name, l := range everyLayer() {
		t.Run(name, func(t *testing.T) {
			mustFault[*autograd.GraphError](t, func() { l.Forward(autograd.Value{}) })
		})
	}
}

// A step of the same shapes allocates nothing, with names and scopes.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	rng := seeded(1)
	inner := layers.NewSequential(
		layers.NewResidual(layers.NewDense(rng, 16, 16), layers.Tanh()), layers.NewDense(rng, 16, 8), layers.PReLU(), layers.Dropout(0.1))
	same := layers.ConvOptions{Padding: [][2]int{{1, 1}}}
	images := layers.NewSequential(
		layers.Func("images", func(x autograd.Value) autograd.Value { return x.Unsqueeze(1) }),
		layers.NewConv2DWith(rng, 1, 4, 3, same), layers.MaxPool2DWith(autograd.PoolOptions{Kernel: []int{2}, Stride: []int{1}}), layers.Dropout2D(0.1),
		layers.NewResidual(layers.NewConv2DWith(rng, 4, 4, 3, same), layers.ReLU()), layers.AvgPool2D(2),
		layers.NewConvTranspose2DWith(rng, 4, 4, 2, layers.ConvTransposeOptions{Stride: []int{2}}),
		layers.Upsample(autograd.UpsampleOptions{Size: []int{3, 4}, Bilinear: true}), layers.NewConv2D(rng, 4, 1, 1),
	)
	model := layers.NewSequential(
		images, layers.Flatten(), layers.NewDense(rng, 12, 16), layers.ReLU(), inner,
		layers.NewDenseWith(rng, 8, 4, layers.DenseOptions{NoBias: true}), layers.LeakyReLU(0.1), layers.Softmax(),
	)
	g := autograd.NewGraph(autograd.Options{})
	full, short := autograd.Uniform(rng, -1, 1, 32, 3, 4), autograd.Uniform(rng, -1, 1, 5, 3, 4)
	step := func() {
		for _, batch := range []autograd.Tensor{full, short} {
			g.Reset()
			model.Forward(g.Constant(batch)).Square().Sum().Backward()
		}
	}
	step()
	if n := testing.AllocsPerRun(50, step); n != 0 {
		t.Errorf("%v allocations per step", n)
	}
}

func TestParamsAreInOrder(t *testing.T) {
	model := everyLayer()["sequential"]
	want := []string{"dense1.weight", "dense1.bias", "dense2.weight", "dense2.bias"}
	for range 3 {
		if diff := cmp.Diff(want, paramNames(model)); diff != "" {
			t.Fatal(diff)
		}
	}
	if !slices.Equal(model.Params(), model.Params()) {
		t.Error("Params returned others the second time")
	}
}

func TestConvert(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	model := layers.NewSequential(layers.NewDense(rng, 2, 3), layers.PReLU())
	layers.Convert(model, autograd.Float32)
	for _, p := range model.Params() {
		if p.Precision() != autograd.Float32 {
			t.Errorf("%s is %v", p.Name(), p.Precision())
		}
	}
	if len(model.Params()) != 3 {
		t.Errorf("%d Params", len(model.Params()))
	}
}
