package explain_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/autograd/matrix"
	"nabla/explain"
	"nabla/internal/recording/recordingtest"
	"nabla/layers"
	"nabla/losses"
)

// traced returns a graph with Trace and a short form of its Variable.
func traced() (g *autograd.Graph, variable func(string, ...float64) autograd.Value) {
	g = autograd.NewGraph(autograd.Options{Trace: true})
	return g, func(name string, v ...float64) autograd.Value {
		t := autograd.NewTensor(v)
		if len(v) == 1 {
			t = autograd.Scalar(v[0])
		}
		return g.Variable(t).Named(name)
	}
}

// found returns the troubles of a recording as lines.
func found(root autograd.Value) []string {
	var lines []string
	for _, t := range explain.Diagnose(root, root.Backward()) {
		lines = append(lines, fmt.Sprintf("%v %v", t.Kind, t))
	}
	return lines
}

// The derivatives where an operation is not finite are those in autograd's
// table of edges.
func TestWhereNaNAndInfinityArise(t *testing.T) {
	for _, c := range []struct {
		f    func(x autograd.Value) autograd.Value
		x    float64
		want string
		kind explain.CauseKind
	}{
		{autograd.Value.Log, 0, "y: first infinity: log of 0; spoils 1 gradient", explain.CauseLogOfZero},
		{autograd.Value.Log, -1, "y: first NaN: log of −1, a negative number", explain.CauseDomain},
		{autograd.Value.Log1p, -1, "y: first infinity: log1p of −1: log of 0; spoils 1 gradient", explain.CauseLogOfZero},
		{autograd.Value.Sqrt, -4, "y: first NaN: sqrt of −4, a negative number; spoils 1 gradient", explain.CauseDomain},
		{autograd.Value.Sqrt, 0, "y: first infinity in the backward pass: sqrt at 0 has the slope +Inf; spoils 1 gradient", explain.CauseSlope},
		{func(x autograd.Value) autograd.Value { return x.Sqrt().MulScalar(0) }, 0, "√x: first NaN in the backward pass: sqrt at 0 has the slope +Inf, and a gradient of 0 times that is NaN; spoils 1 gradient", explain.CauseSlope},
		{autograd.Value.Reciprocal, 0, "y: first infinity: reciprocal of 0: 1 / 0; spoils 1 gradient", explain.CauseDivisionByZero},
		{autograd.Value.Rsqrt, 0, "y: first infinity: rsqrt of 0: 1 / 0; spoils 1 gradient", explain.CauseDivisionByZero},
		{autograd.Value.Exp, 1000, "y: first infinity: exp of 1000 overflows; spoils 1 gradient", explain.CauseOverflow},
		{autograd.Value.Square, 1e200, "y: first infinity: square of 1e200 overflows", explain.CauseOverflow},
		{func(x autograd.Value) autograd.Value { return x.Mul(x) }, 1e200, "y: first infinity: 1e200 × 1e200 overflows", explain.CauseOverflow},
		{func(x autograd.Value) autograd.Value { return x.Div(x) }, 0, "y: first NaN: 0 / 0; spoils 1 gradient", explain.CauseDivisionByZero},
		{func(x autograd.Value) autograd.Value { return x.PowScalar(0.5) }, -8, "y: first NaN: −8 to the power of 0.5: a negative number to a fraction; spoils 1 gradient", explain.CauseDomain},
		{func(x autograd.Value) autograd.Value { return x.PowScalar(-2) }, 0, "y: first infinity: 0 to the power of −2: 1 / 0; spoils 1 gradient", explain.CauseDivisionByZero},
		{autograd.Value.Asin, 2, "y: first NaN: asin of 2, outside −1 to 1; spoils 1 gradient", explain.CauseDomain},
		{autograd.Value.Lgamma, 0, "y: first infinity: lgamma of 0, where it has a pole; spoils 1 gradient", explain.CauseDomain},
		{autograd.Value.Logit, 1, "y: first infinity: logit of 1: log of 0; spoils 1 gradient", explain.CauseLogOfZero},
		{autograd.Value.Logit, 2, "y: first NaN: logit of 2, no probability; spoils 1 gradient", explain.CauseDomain},
		{autograd.Value.ErfInv, -3, "y: first NaN: erfinv of −3, outside −1 to 1; spoils 1 gradient", explain.CauseDomain},
		{func(x autograd.Value) autograd.Value { return x.Graph().Scalar(5).Fmod(x) }, 0, "y: first NaN: fmod by 0; spoils 1 gradient", explain.CauseDivisionByZero},
		{func(x autograd.Value) autograd.Value { return matrix.Inverse(x.Reshape(1, 1)) }, 0, "y: first NaN: inverse with a singular matrix; spoils 2 gradients", explain.CauseDivisionByZero},
		{func(x autograd.Value) autograd.Value { return matrix.Cholesky(x.Reshape(1, 1)) }, -1, "y: first NaN: cholesky of a matrix that is not positive definite; spoils 2 gradients", explain.CauseDomain},
		{func(x autograd.Value) autograd.Value { _, log := matrix.LogDet(x.Reshape(1, 1)); return log }, 0, "y: first infinity: log det of a singular matrix: log of 0; spoils 2 gradients", explain.CauseLogOfZero},
		{func(x autograd.Value) autograd.Value { return x.MulScalar(1e200).Square().MulScalar(1e-300) }, 1, "(1e200·x)²: first infinity: square of 1e200 overflows; spoils 1 value", explain.CauseOverflow},
	} {
		_, variable := traced()
		y := c.f(variable("x", c.x)).Named("y")
		got := explain.Diagnose(y, y.Backward())
		if len(got) == 0 || got[0].Kind != explain.TroubleNonFinite || got[0].Words != c.want || got[0].Cause.Kind != c.kind {
			t.Errorf("got %+v, want %q", got, c.want)
		}
	}
}

// The first NaN spoiled every value and gradient that contains a NaN.
func TestSpoiled(t *testing.T) {
	_, variable := traced()
	x, w := variable("x", 2, 0, 4), variable("w", 1, 1, 1)
	logs := x.Log().Named("log x")
	product := logs.Mul(w).Named("product")
	healthy := x.Square().Named("healthy")
	root := product.Sum().Add(healthy.Sum()).Named("loss")
	grads := root.Backward()
	got := explain.Diagnose(root, grads)
	if len(got) != 1 || got[0].Value != logs || got[0].Backward {
		t.Fatalf("got %v", got)
	}
	if want := "log x: first infinity: log of 0, at element [1]; spoils 3 values and 2 gradients"; got[0].Words != want {
		t.Errorf("got %q, want %q", got[0].Words, want)
	}
	names := func(values []autograd.Value) (all []string) {
		for _, v := range values {
			all = append(all, v.Node().Op+" "+v.Name())
		}
		return all
	}
	if diff := cmp.Diff([]string{"mul product", "sum ", "add loss"}, names(got[0].SpoiledValues)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"variable x", "variable w"}, names(got[0].SpoiledGradients)); diff != "" {
		t.Errorf("gradients (-want +got):\n%s", diff)
	}
}

func TestSeveralOrigins(t *testing.T) {
	g, variable := traced()
	x := variable("x", 0)
	root := x.Log().Named("l").Add(g.Scalar(-1).Sqrt().Named("s")).Named("loss")
	want := []string{
		"not finite l: first infinity: log of 0; spoils 1 value and 1 gradient",
		"not finite s: NaN: sqrt of −1, a negative number",
	}
	if diff := cmp.Diff(want, found(root)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGivenNaN(t *testing.T) {
	g, variable := traced()
	data := g.Constant(autograd.FromNested([][]float64{{1, 2}, {math.NaN(), 4}})).Named("data")
	root := data.Mul(variable("w", 1, 1)).Sum()
	want := []string{"not finite data: first NaN: the constant holds NaN, at element [1 0]; spoils 2 values and 1 gradient"}
	if diff := cmp.Diff(want, found(root)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// 1 to the power of NaN is 1, but its derivative is NaN: the NaN came from
// outside.
func TestNaNThatAValueHides(t *testing.T) {
	g, variable := traced()
	root := variable("x", 1).Pow(g.Scalar(math.NaN()).Named("c")).Named("y")
	want := []string{"not finite c: first NaN: the constant holds NaN; spoils 1 gradient"}
	if diff := cmp.Diff(want, found(root)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An infinite mask is harmless if softmax turns it into zeros.
func TestMaskIsNoTrouble(t *testing.T) {
	g, variable := traced()
	mask := g.Constant(autograd.NewTensor([]float64{0, math.Inf(-1), 0}))
	root := variable("x", 1, 2, 3).Add(mask).Softmax(-1).Square().Sum()
	if got := found(root); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}

func TestSeedIsNaN(t *testing.T) {
	_, variable := traced()
	root := variable("x", 1, 2).Square().Named("y")
	got := explain.Diagnose(root, root.BackwardFrom(autograd.NewTensor([]float64{1, math.NaN()})))
	want := "y: first NaN in the backward pass: the gradient that the backward pass started with is not finite; spoils 2 gradients"
	if len(got) != 1 || got[0].Words != want {
		t.Errorf("got %v, want %q", got, want)
	}
}

// Without Trace a NaN of the backward pass is reported where it arrived.
func TestWithoutTrace(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	root := g.Variable(autograd.Scalar(0)).Named("x").Sqrt()
	got := explain.Diagnose(root, root.Backward())
	if len(got) != 1 || !strings.Contains(got[0].Words, "x: first infinity in the backward pass: it arose in the backward pass: Options.Trace would show where") {
		t.Errorf("got %v", got)
	}
}

func TestDeadReLU(t *testing.T) {
	g, variable := traced()
	for _, c := range []struct {
		z    autograd.Value
		want []string
	}{
		{variable("z", -0.3), []string{"dead relu a: closed: its input −0.3 is not above 0, so that no gradient passes"}},
		{variable("z", 0.3), nil},
		{variable("z", -1, 0, -2), []string{"dead relu a: dead: all 3 elements are closed, so that no gradient passes"}},
		{variable("z", -1, 1e-9, -2), nil},
		{g.Variable(autograd.FromNested([][]float64{{-1, 1, -3}, {-1, -1, -3}})), []string{"dead relu a: 2 of 3 units are dead: closed for all 2 rows"}},
		{g.Variable(autograd.FromNested([][]float64{{1, 1, -3}, {-1, -1, -3}})), []string{"dead relu a: 1 of 3 units is dead: closed for all 2 rows"}},
		{g.Variable(autograd.FromNested([][]float64{{1, -1, -3}})), nil}, // one row says nothing about a unit
		{variable("z", math.NaN()), []string{"not finite z: first NaN: the variable holds NaN; spoils 2 values and 1 gradient"}},
		{g.Scalar(-1), nil}, // nothing is learned through it
	} {
		root := c.z.ReLU().Named("a").Sum()
		if c.z.Node().Kind == autograd.KindConstant {
			root = root.Add(variable("x", 1))
		}
		var got []string
		for _, trouble := range explain.Diagnose(root, root.Backward()) {
			if trouble.Kind != explain.TroubleUnreached {
				got = append(got, fmt.Sprintf("%v %v", trouble.Kind, trouble))
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestSaturated(t *testing.T) {
	for _, c := range []struct {
		f    func(autograd.Value) autograd.Value
		z    []float64
		want []string
	}{
		// σ(4.6) = 0.99005, σ(4.59) = 0.98995; tanh 2.65 = 0.99007, tanh 2.64 =
		// 0.98987.
		{autograd.Value.Sigmoid, []float64{4.6, -4.6, 0, 0}, []string{"saturated a: saturated: 2 of 4 elements are outside 0.01 to 0.99, where the slope is below 0.01"}},
		{autograd.Value.Sigmoid, []float64{4.59, -4.6, 0, 0}, nil},
		{autograd.Value.Tanh, []float64{-2.65, 2.65, 2.64, 0}, []string{"saturated a: saturated: 2 of 4 elements are beyond ±0.99, where the slope is below 0.02"}},
		{autograd.Value.Tanh, []float64{-2.65, 2.64, 0}, nil},
		{autograd.Value.Tanh, []float64{3}, []string{"saturated a: saturated: 0.9951, where the slope is below 0.02"}},
		{autograd.Value.HardTanh, []float64{3, 0.5}, []string{"saturated a: saturated: 1 of 2 elements are at ±1, where the slope is 0"}},
		{autograd.Value.HardSigmoid, []float64{-3, 0.5}, []string{"saturated a: saturated: 1 of 2 elements are at 0 or 1, where the slope is 0"}},
	} {
		_, variable := traced()
		if diff := cmp.Diff(c.want, found(c.f(variable("z", c.z...)).Named("a").Sum())); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.z, diff)
		}
	}
	g, variable := traced()
	p := variable("z", 9, -9).Sigmoid()
	if got := found(losses.BinaryCrossEntropy(p, g.Constant(autograd.NewTensor([]float64{1, 0})))); len(got) > 0 {
		t.Errorf("before a cross entropy: %v", got)
	}
}

// deep records a network with depth layers on eight data points.
func deep(depth int, gain float64, activation layers.Layer) autograd.Value {
	const width = 16
	rng := rand.New(rand.NewPCG(1, 2))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Constant(autograd.Normal(rng, 0, 1, 8, width))
	for range depth {
		d := layers.NewDense(rng, width, width)
		w := d.Weight.Writable().Raw64()
		for i := range w {
			w[i] *= gain
		}
		x = activation.Forward(d.Forward(x))
	}
	return losses.MSE(x, g.Constant(autograd.Zeros(8, width)))
}

func TestVanishingAndExploding(t *testing.T) {
	for _, c := range []struct {
		depth      int
		gain       float64
		activation layers.Layer
		want       string
	}{
		{3, 1, layers.Sigmoid(), ""},
		{8, 1, layers.Sigmoid(), "vanishing gradient"}, // the slope of a sigmoid is at most 1/4
		{8, 1, layers.Tanh(), ""},
		{8, 1, layers.Linear(), ""},
		{8, 4, layers.Linear(), "exploding gradient"},
		{8, 0.25, layers.Linear(), "vanishing gradient"},
	} {
		root := deep(c.depth, c.gain, c.activation)
		got := explain.Diagnose(root, root.Backward())
		switch {
		case c.want == "" && len(got) == 0:
		case len(got) != 1 || got[0].Kind.String() != c.want || !strings.Contains(got[0].Words, "in layer 1, and ") || !strings.Contains(got[0].Words, "in layer 8, the last"):
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

// A layer whose gradient is exactly zero has another fault, and an operation
// that only rearranges an activation is no layer.
func TestWhatIsNotVanishing(t *testing.T) {
	g, _ := traced()
	x := g.Constant(autograd.Ones(2, 3))
	w1, w2 := g.Variable(autograd.Full(-1, 3, 3)), g.Variable(autograd.Ones(3, 3))
	root := x.MatMul(w1).ReLU().Named("a").MatMul(w2).Sum()
	want := []string{"dead relu a: dead: all 6 elements are closed, so that no gradient passes"}
	if diff := cmp.Diff(want, found(root)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	g, _ = traced()
	x, w2 = g.Constant(autograd.Ones(2, 3)), g.Variable(autograd.Ones(3, 3))
	y := x.MatMul(w2).Reshape(6).Mul(g.Constant(autograd.Full(1e5, 6))).Reshape(2, 3).MatMul(w2)
	got := found(y.Sum())
	if len(got) != 1 || !strings.HasPrefix(got[0], "exploding") || !strings.HasSuffix(got[0], "in layer 2, the last") {
		t.Errorf("got %v", got)
	}
}

func TestUnreached(t *testing.T) {
	g, variable := traced()
	x, cut, other := variable("x", 2), variable("cut", 3), autograd.NewParam("other", autograd.Scalar(1))
	g.Param(other)
	frozen, unused := autograd.NewParam("frozen", autograd.Scalar(1)), autograd.NewParam("unused", autograd.Scalar(1))
	frozen.Frozen, unused.Frozen = true, true
	g.Param(unused)
	g.Scalar(7).Named("a constant")
	root := x.Mul(cut.Square().Detach().Named("target")).Add(g.Param(frozen))
	want := []string{
		"unreached cut: no gradient arrives: detach target stops it",
		"unreached other: no gradient arrives: the loss was computed without it",
	}
	if diff := cmp.Diff(want, found(root)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var before []string
	for _, trouble := range explain.Diagnose(root, autograd.Gradients{}) {
		before = append(before, fmt.Sprintf("%v %v", trouble.Kind, trouble))
	}
	if diff := cmp.Diff(want, before); diff != "" {
		t.Errorf("before a backward pass (-want +got):\n%s", diff)
	}
}

// A custom rule may pass no gradient on.
func TestUnreachedThroughACustomOperation(t *testing.T) {
	_, variable := traced()
	silent := autograd.Operation{
		Name:    "silent",
		Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() },
		Rule:    func(r *autograd.Rule) {},
	}
	want := []string{"unreached x: no gradient arrives: silent(x²) stops it"}
	if diff := cmp.Diff(want, found(autograd.Custom(silent, variable("x", 1).Square()))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Healthy networks have no troubles.
func TestHealthyNetworks(t *testing.T) {
	for name, root := range map[string]autograd.Value{
		"neuron": recordingtest.Neuron(), "network": recordingtest.Network(), "reused": recordingtest.Reused(), "tanh": deep(4, 1, layers.Tanh()), "relu": deep(2, 1, layers.LeakyReLU(0.1)),
	} {
		if got := found(root); len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Guards the diagnosis of a part of the loss: a value used only by the rest of
// it was reported as unreached, though it has a gradient.
func TestDiagnoseOfAPartOfTheLoss(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w, scale := g.Variable(autograd.Scalar(0.5)).Named("w"), g.Variable(autograd.Scalar(2)).Named("scale")
	unused := g.Variable(autograd.Scalar(1)).Named("unused")
	part := w.Tanh()
	grads := part.Mul(scale).Backward()
	troubles := explain.Diagnose(part, grads)
	if len(troubles) != 1 || troubles[0].Value != unused {
		t.Errorf("got %v, want the unused variable alone", troubles)
	}
}
