package gradcheck_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
)

type (
	graph  = *autograd.Graph
	values = []autograd.Value
)

func normal(seed uint64, shape ...int) autograd.Tensor {
	return autograd.Normal(rand.New(rand.NewPCG(seed, 0)), 0, 1, shape...)
}

func uniform(seed uint64, lo, hi float64, shape ...int) autograd.Tensor {
	return autograd.Uniform(rand.New(rand.NewPCG(seed, 0)), lo, hi, shape...)
}

func tensors(in ...autograd.Tensor) []autograd.Tensor { return in }

func vector(v ...float64) autograd.Tensor { return autograd.NewTensor(v) }

// rightOnes are functions whose rules are right, away from their kinks.
var rightOnes = []struct {
	name string
	in   []autograd.Tensor
	f    gradcheck.Function
}{
	{"identity", tensors(normal(1, 2, 3)), func(_ graph, in values) autograd.Value { return in[0] }},
	{"exp", tensors(normal(1, 2, 3)), func(_ graph, in values) autograd.Value { return in[0].Exp() }},
	{"log", tensors(uniform(1, 0.01, 3, 5)), func(_ graph, in values) autograd.Value { return in[0].Log() }},
	{"log of tiny numbers", tensors(vector(1e-4, 1e-9, 1e-30)), func(_ graph, in values) autograd.Value { return in[0].Log() }},
	{"sqrt", tensors(uniform(1, 0.01, 3, 5)), func(_ graph, in values) autograd.Value { return in[0].Sqrt() }},
	{"sin of large numbers", tensors(vector(50, 1000, 1e5)), func(_ graph, in values) autograd.Value { return in[0].Sin() }},
	{"steep tanh", tensors(vector(-0.01, 0, 0.02)), func(_ graph, in values) autograd.Value { return in[0].MulScalar(100).Tanh() }},
	{"square at its minimum", tensors(vector(0, 0)), func(_ graph, in values) autograd.Value { return in[0].Square() }},
	{"small results", tensors(normal(1, 3)), func(_ graph, in values) autograd.Value { return in[0].Tanh().MulScalar(1e-12) }},
	{"large results", tensors(normal(1, 3)), func(_ graph, in values) autograd.Value { return in[0].Tanh().MulScalar(1e12) }},
	{"sigmoid", tensors(normal(1, 2, 3)), func(_ graph, in values) autograd.Value { return in[0].Sigmoid() }},
	{"gelu", tensors(normal(1, 2, 3)), func(_ graph, in values) autograd.Value { return in[0].GELU() }},
	{"lgamma", tensors(uniform(1, 0.2, 4, 5)), func(_ graph, in values) autograd.Value { return in[0].Lgamma() }},
	{"softmax", tensors(normal(1, 2, 3)), func(_ graph, in values) autograd.Value { return in[0].Softmax(1) }},
	{"relu, not at 0", tensors(vector(-2, -0.01, 0.003, 1)), func(_ graph, in values) autograd.Value { return in[0].ReLU().Square().Add(in[0].ReLU()) }},
	{"elu", tensors(vector(-1, 0.5)), func(_ graph, in values) autograd.Value { return in[0].ELU(1) }},
	{"broadcast mul", tensors(normal(1, 2, 3), normal(2, 3), normal(3, 2, 1)), func(_ graph, in values) autograd.Value { return in[0].Mul(in[1]).Mul(in[2]) }},
	{"div", tensors(normal(1, 2, 3), uniform(2, 0.5, 2, 3)), func(_ graph, in values) autograd.Value { return in[0].Div(in[1]) }},
	{"pow", tensors(uniform(1, 0.5, 2, 2, 3), normal(2, 3)), func(_ graph, in values) autograd.Value { return in[0].Pow(in[1]) }},
	{"matmul", tensors(normal(1, 2, 3), normal(2, 3, 4)), func(_ graph, in values) autograd.Value { return in[0].MatMul(in[1]) }},
	{"einsum", tensors(normal(1, 2, 3), normal(2, 3, 2)), func(_ graph, in values) autograd.Value { return autograd.Einsum("ij,jk->ki", in[0], in[1]) }},
	{"sum, mean, var, norm", tensors(normal(1, 2, 3)), func(_ graph, in values) autograd.Value {
		return autograd.Stack(0, in[0].Sum(1), in[0].Mean(1), in[0].Var(1), in[0].Norm(2, 1), in[0].LogSumExp(1))
	}},
	{"prod, cumsum, cumprod", tensors(normal(1, 4)), func(_ graph, in values) autograd.Value {
		return autograd.Concat(0, in[0].KeepDims().Prod(0), in[0].CumSum(0), in[0].CumProd(0))
	}},
	{"max without ties", tensors(normal(1, 2, 3)), func(_ graph, in values) autograd.Value { return in[0].Max(1) }},
	{"shapes", tensors(normal(1, 2, 3)), func(_ graph, in values) autograd.Value {
		return in[0].T().Slice(0, 2, autograd.End, -2).Roll(0, 1).Pad(7, [2]int{1, 0}, [2]int{0, 1}).Flip(0)
	}},
	{"shared use", tensors(normal(1, 3)), func(_ graph, in values) autograd.Value { return in[0].Mul(in[0]).Add(in[0].Outer(in[0])) }},
	{"scalar input", tensors(autograd.Scalar(0.3)), func(_ graph, in values) autograd.Value { return in[0].Tan() }},
	{"zero-size input", tensors(autograd.Zeros(0, 3), normal(1, 3)), func(_ graph, in values) autograd.Value { return in[0].Add(in[1]) }},
	{"one input without part", tensors(normal(1, 3), normal(2, 2)), func(_ graph, in values) autograd.Value { return in[1].Exp() }},
	{"no inputs", nil, func(g graph, _ values) autograd.Value { return g.Scalar(3) }},
	{"a constant result", tensors(normal(1, 3)), func(g graph, _ values) autograd.Value { return g.Full(3, 2, 2) }},
	{"a mask", tensors(normal(1, 3)), func(_ graph, in values) autograd.Value { return in[0].GreaterScalar(0) }},
	{"the graph's randomness", tensors(normal(1, 9)), func(_ graph, in values) autograd.Value { return in[0].Square().Dropout(0.5) }},
	{"a gradient in the function", tensors(normal(1, 3)), func(_ graph, in values) autograd.Value {
		return autograd.Grad(in[0].Tanh().Sum(), in[0])[0]
	}},
}

func TestRightRulesPass(t *testing.T) {
	for _, test := range rightOnes {
		t.Run(test.name, func(t *testing.T) {
			if err := gradcheck.Check(test.f, test.in); err != nil {
				t.Error(err)
			}
			if err := gradcheck.CheckSecond(test.f, test.in); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRightRulesPassInFloat32(t *testing.T) {
	c := gradcheck.Checker{Precision: autograd.Float32}
	for _, test := range rightOnes {
		if strings.Contains(test.name, "tiny") || strings.Contains(test.name, "large numbers") {
			continue // beyond float32's digits
		}
		t.Run(test.name, func(t *testing.T) {
			if err := c.Check(test.f, test.in); err != nil {
				t.Error(err)
			}
			if err := c.CheckSecond(test.f, test.in); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBendInCurvature: one-sided slopes are extrapolated on their own, so that
// a bend in the curvature is no obstacle to the first derivative.
func TestBendInCurvature(t *testing.T) {
	elu := func(_ graph, in values) autograd.Value { return in[0].ELU(1) }
	if err := gradcheck.Check(elu, tensors(vector(0))); err != nil {
		t.Error(err)
	}
	err := gradcheck.CheckSecond(elu, tensors(vector(0)))
	if got := verdicts(t, err); !cmp.Equal(got, []gradcheck.Verdict{gradcheck.Kink}) {
		t.Errorf("second derivative: %v", err)
	}
}

// layer is a matrix product, a bias and tanh, in Params.
func layer(p ...*autograd.Param) gradcheck.Function {
	return func(g graph, in values) autograd.Value {
		return in[0].MatMul(g.Param(p[0])).Add(g.Param(p[1])).Tanh()
	}
}

func TestParams(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		w := autograd.NewParam("w", normal(1, 3, 2).In(precision))
		b := autograd.NewParam("b", normal(2, 2).In(precision))
		for _, c := range []gradcheck.Checker{{}, {Precision: autograd.Float32}} {
			if err := c.Check(layer(w, b), tensors(normal(3, 4, 3)), w, b, w); err != nil {
				t.Errorf("%v Params, %v: %v", precision, c.Precision, err)
			}
			if err := c.CheckSecond(layer(w, b), tensors(normal(3, 4, 3)), w, b); err != nil {
				t.Errorf("%v Params, %v, second order: %v", precision, c.Precision, err)
			}
		}
	}
}

func TestFrozenParamIsSkipped(t *testing.T) {
	w, b := autograd.NewParam("w", normal(1, 3, 2)), autograd.NewParam("b", normal(2, 2))
	w.Frozen = true
	version := w.Version()
	if err := gradcheck.Check(layer(w, b), tensors(normal(3, 4, 3)), w, b); err != nil {
		t.Error(err)
	}
	if w.Version() != version {
		t.Error("a frozen Param was written to")
	}
	if err := gradcheck.CheckSecond(layer(w, b), tensors(normal(3, 4, 3)), w, b); err != nil {
		t.Error(err)
	}
}

// TestStatisticIsLeftAlone: it is neither perturbed nor updated, though f
// observes it.
func TestStatisticIsLeftAlone(t *testing.T) {
	w, mean := autograd.NewParam("w", normal(1, 3)), autograd.NewStatistic("mean", autograd.Zeros(3))
	f := func(g graph, in values) autograd.Value {
		y, m, _ := in[0].BatchNorm(g.Param(w), autograd.Value{}, 1e-3)
		g.Observe(mean, m, 0.1)
		return y
	}
	inputs := []autograd.Tensor{normal(2, 4, 3)}
	if err := errors.Join(gradcheck.Check(f, inputs, w, mean), gradcheck.CheckSecond(f, inputs, w, mean)); err != nil {
		t.Error(err)
	}
	if mean.Version() != 0 {
		t.Error("a statistic was written to")
	}
}

// TestParamsAreRestored: to the bit, a NaN's payload included, whatever
// happens in the function.
func TestParamsAreRestored(t *testing.T) {
	calls := 0
	tests := []struct {
		name string
		f    func(p *autograd.Param) gradcheck.Function
	}{
		{"checked", func(p *autograd.Param) gradcheck.Function {
			return func(g graph, _ values) autograd.Value { return g.Param(p).Square() }
		}},
		{"typed panic", func(p *autograd.Param) gradcheck.Function {
			return func(g graph, _ values) autograd.Value { return g.Param(p).Reshape(17) }
		}},
		{"another panic after a while", func(p *autograd.Param) gradcheck.Function {
			return func(g graph, _ values) autograd.Value {
				if calls++; calls > 8 {
					panic("mine")
				}
				return g.Param(p).Square()
			}
		}},
	}
	for _, test := range tests {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			calls = 0
			p := paramOfOddBits(precision)
			want := bitsOf(p)
			func() {
				defer func() {
					if r := recover(); r != nil && r != "mine" {
						panic(r)
					}
				}()
				if gradcheck.Check(test.f(p), nil, p) == nil {
					t.Errorf("%s: NaN passed", test.name)
				}
			}()
			if diff := cmp.Diff(want, bitsOf(p)); diff != "" {
				t.Errorf("%s, %v (-want +got):\n%s", test.name, precision, diff)
			}
		}
	}
}

// paramOfOddBits holds numbers that a conversion or a sum would change.
func paramOfOddBits(precision autograd.Precision) *autograd.Param {
	if precision == autograd.Float32 {
		numbers := []float32{0.1, math.Float32frombits(0x7fa00123), float32(math.Copysign(0, -1))}
		return autograd.NewParam("p", autograd.NewTensor32(numbers))
	}
	return autograd.NewParam("p", vector(0.1, math.Float64frombits(0x7ff0000000000123), math.Copysign(0, -1)))
}

func bitsOf(p *autograd.Param) (all []uint64) {
	t := p.Tensor()
	if t.Precision() == autograd.Float32 {
		for _, v := range t.Raw32() {
			all = append(all, uint64(math.Float32bits(v)))
		}
		return all
	}
	for _, v := range t.Raw64() {
		all = append(all, math.Float64bits(v))
	}
	return all
}

// verdicts returns those of an *Error's entries.
func verdicts(t *testing.T, err error) (all []gradcheck.Verdict) {
	t.Helper()
	if err == nil {
		return nil
	}
	var e *gradcheck.Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *Error: %v", err)
	}
	for _, entry := range e.Entries {
		all = append(all, entry.Verdict)
	}
	return all
}

func TestKinksAreTold(t *testing.T) {
	tests := []struct {
		name string
		in   []autograd.Tensor
		f    gradcheck.Function
		want int // kinks
	}{
		{"relu at 0", tensors(vector(-1, 0, 1)), func(_ graph, in values) autograd.Value { return in[0].ReLU() }, 1},
		{"abs at 0", tensors(vector(0)), func(_ graph, in values) autograd.Value { return in[0].Abs() }, 1},
		{"leaky relu at 0", tensors(vector(0, 0)), func(_ graph, in values) autograd.Value { return in[0].LeakyReLU(0.01) }, 2},
		{"relu6 at 6", tensors(vector(6, 5)), func(_ graph, in values) autograd.Value { return in[0].ReLU6() }, 1},
		{"clamp at its bound", tensors(vector(2, 3)), func(_ graph, in values) autograd.Value { return in[0].Clamp(0, 2) }, 1},
		{"max of a tie", tensors(vector(1, 3, 3)), func(_ graph, in values) autograd.Value { return in[0].Max() }, 2},
		{"maximum of a tie", tensors(vector(1, 2), vector(1, 3)), func(_ graph, in values) autograd.Value { return in[0].Maximum(in[1]) }, 2},
		{"a kink deep inside", tensors(vector(0.5)), func(_ graph, in values) autograd.Value {
			return in[0].AddScalar(-0.5).Abs().Add(in[0].Exp()).Tanh()
		}, 1},
	}
	for _, test := range tests {
		err := gradcheck.Check(test.f, test.in)
		if got := verdicts(t, err); len(got) != test.want {
			t.Errorf("%s: %v", test.name, err)
		}
		for _, verdict := range verdicts(t, err) {
			if verdict != gradcheck.Kink {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		if err != nil && !strings.Contains(err.Error(), "kink at this point: left slope") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestKinkSlopes(t *testing.T) {
	leaky := func(_ graph, in values) autograd.Value { return in[0].LeakyReLU(0.25) }
	var e *gradcheck.Error
	if !errors.As(gradcheck.Check(leaky, tensors(autograd.Scalar(0))), &e) {
		t.Fatal("no *Error")
	}
	k := e.Entries[0]
	if math.Abs(k.Left/k.Right-0.25) > 1e-12 || k.Analytic != k.Left {
		t.Errorf("left slope %v, right slope %v, gradient %v", k.Left, k.Right, k.Analytic)
	}
}

func TestNoDerivative(t *testing.T) {
	tests := []struct {
		name string
		in   autograd.Tensor
		f    gradcheck.Function
		want gradcheck.Verdict
	}{
		{"sqrt at 0", vector(0), func(_ graph, in values) autograd.Value { return in[0].Sqrt() }, gradcheck.NonFinite},
		{"log of a negative", vector(-3), func(_ graph, in values) autograd.Value { return in[0].Log() }, gradcheck.NonFinite},
		{"NaN input", vector(math.NaN()), func(_ graph, in values) autograd.Value { return in[0].Exp() }, gradcheck.NonFinite},
		{"a jump", vector(2), func(_ graph, in values) autograd.Value { return in[0].Floor() }, gradcheck.Unsettled},
	}
	for _, test := range tests {
		err := gradcheck.Check(test.f, tensors(test.in))
		for _, got := range verdicts(t, err) {
			if got != test.want {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		if err == nil {
			t.Errorf("%s: passed", test.name)
		}
	}
}

func TestNondeterministic(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	noisy := func(g graph, in values) autograd.Value { return in[0].Add(g.Constant(autograd.Normal(rng, 0, 1, 3))) }
	err := gradcheck.Check(noisy, tensors(normal(1, 2, 3)))
	var random *gradcheck.NondeterministicError
	if !errors.As(err, &random) || random.First == random.Second || !cmp.Equal(random.Index, []int{0, 0}) {
		t.Errorf("%v", err)
	}
}

// TestEval: in evaluation mode Dropout passes its input through.
func TestEval(t *testing.T) {
	f := func(g graph, in values) autograd.Value {
		if g.Training() {
			return in[0].Abs()
		}
		return in[0].Square()
	}
	if err := gradcheck.Check(f, tensors(vector(0))); err == nil {
		t.Error("in training mode the kink was not found")
	}
	if err := (gradcheck.Checker{Eval: true}).Check(f, tensors(vector(0))); err != nil {
		t.Error(err)
	}
}

func TestPanicsBecomeErrors(t *testing.T) {
	t.Run("typed", func(t *testing.T) {
		err := gradcheck.Check(func(_ graph, in values) autograd.Value { return in[0].MatMul(in[0]) }, tensors(normal(1, 2, 3)))
		var shape *autograd.ShapeError
		if !errors.As(err, &shape) {
			t.Errorf("%v", err)
		}
	})
	t.Run("foreign graph", func(t *testing.T) {
		other := autograd.NewGraph(autograd.Options{})
		v := other.Variable(normal(1, 3))
		err := gradcheck.Check(func(_ graph, _ values) autograd.Value { return v }, tensors(normal(1, 3)))
		var foreign *autograd.GraphError
		if !errors.As(err, &foreign) {
			t.Errorf("%v", err)
		}
	})
	t.Run("shape depends on numbers", func(t *testing.T) {
		f := func(_ graph, in values) autograd.Value {
			if in[0].Item() > 1 {
				return in[0].Reshape(1)
			}
			return in[0]
		}
		var shape *autograd.ShapeError
		if err := gradcheck.Check(f, tensors(autograd.Scalar(1))); !errors.As(err, &shape) {
			t.Errorf("%v", err)
		}
	})
	t.Run("outside the domain of a strict function", func(t *testing.T) {
		strict := func(_ graph, in values) autograd.Value {
			if in[0].Item() < 0 {
				panic(autograd.NewArgumentError("test: strict", "negative"))
			}
			return in[0].Square()
		}
		if err := gradcheck.Check(strict, tensors(autograd.Scalar(0.003))); err != nil {
			t.Errorf("narrow steps stay inside: %v", err)
		}
		var argument *autograd.ArgumentError
		if err := gradcheck.Check(strict, tensors(autograd.Scalar(0))); !errors.As(err, &argument) {
			t.Errorf("%v", err)
		}
	})
	t.Run("others pass through", func(t *testing.T) {
		defer func() {
			if recover() != "mine" {
				t.Error("another panic was swallowed")
			}
		}()
		_ = gradcheck.Check(func(graph, values) autograd.Value { panic("mine") }, nil)
	})
}

func TestBadSettings(t *testing.T) {
	f := func(_ graph, in values) autograd.Value { return in[0] }
	tests := []struct {
		name string
		run  func() error
	}{
		{"negative tolerance", func() error { return gradcheck.Checker{Relative: -1}.Check(f, nil) }},
		{"NaN tolerance", func() error { return gradcheck.Checker{Absolute: math.NaN()}.Check(f, nil) }},
		{"infinite step", func() error { return gradcheck.Checker{Step: math.Inf(1)}.Check(f, nil) }},
		{"two steps", func() error { return gradcheck.Checker{Steps: 2}.Check(f, nil) }},
		{"negative sample", func() error { return gradcheck.Checker{MaxEntries: -1}.CheckSecond(f, nil) }},
		{"unknown precision", func() error { return gradcheck.Checker{Precision: 7}.Check(f, nil) }},
		{"no function", func() error { return gradcheck.Check(nil, nil) }},
		{"no function, second order", func() error { return gradcheck.CheckSecond(nil, nil) }},
		{"nil Param", func() error { return gradcheck.Check(f, nil, nil) }},
	}
	for _, test := range tests {
		var argument *autograd.ArgumentError
		if err := autograd.Try(func() { _ = test.run() }); !errors.As(err, &argument) {
			t.Errorf("%s: %v", test.name, err)
		} else if argument.File == "" || !strings.HasSuffix(argument.File, "checker_test.go") {
			t.Errorf("%s: located at %v", test.name, argument.Location)
		}
	}
}

func TestSample(t *testing.T) {
	wrong := custom("twice", func(r *autograd.Rule) { r.Add(0, r.Grad().MulScalar(2)) }, func(v float64) float64 { return v })
	check := func(seed uint64) (e *gradcheck.Error) {
		c := gradcheck.Checker{MaxEntries: 5, Worst: 100, Seed: seed}
		if !errors.As(c.Check(wrong, tensors(normal(1, 40), normal(2, 3))), &e) {
			t.Fatal("passed")
		}
		return e
	}
	e := check(1)
	if e.Total != 43 || e.Checked != 8 || e.Failed != 5 {
		t.Errorf("total %d, checked %d, failed %d", e.Total, e.Checked, e.Failed)
	}
	if !strings.Contains(e.Error(), "5 of 8 gradients did not pass (a sample of 43)") {
		t.Error(e)
	}
	if diff := cmp.Diff(indices(e), indices(check(1))); diff != "" {
		t.Errorf("the same seed chose others (-first +second):\n%s", diff)
	}
	if cmp.Equal(indices(e), indices(check(2))) {
		t.Error("another seed chose the same")
	}
}

func indices(e *gradcheck.Error) (all [][]int) {
	for _, entry := range e.Entries {
		all = append(all, entry.Index)
	}
	return all
}

// TestFewSteps: central differences of a smooth function settle soon.
func TestFewSteps(t *testing.T) {
	calls := 0
	exp := func(_ graph, in values) autograd.Value {
		calls++
		return in[0].Exp()
	}
	if err := gradcheck.Check(exp, tensors(autograd.Scalar(0.3))); err != nil {
		t.Error(err)
	}
	if most := 3 + 2*4; calls > most { // at the point, then both sides of four steps
		t.Errorf("%d evaluations, %d are enough", calls, most)
	}
}

// TestSamePointInBothPrecisions: the differences are taken where the Float32
// graph stands.
func TestSamePointInBothPrecisions(t *testing.T) {
	seen := map[autograd.Precision]float64{}
	f := func(g graph, in values) autograd.Value {
		if p := g.Options().Precision; seen[p] == 0 {
			seen[p] = in[0].Item()
		}
		return in[0].Exp()
	}
	if err := (gradcheck.Checker{Precision: autograd.Float32}).Check(f, tensors(autograd.Scalar(0.1))); err != nil {
		t.Error(err)
	}
	if seen[autograd.Float64] != float64(float32(0.1)) || seen[autograd.Float32] != float64(float32(0.1)) {
		t.Errorf("points %v", seen)
	}
}

// TestSeedOfGraphs: the Checker's seed is that of Dropout's masks.
func TestSeedOfGraphs(t *testing.T) {
	mask := func(seed uint64) (kept []float64) {
		f := func(_ graph, in values) autograd.Value {
			y := in[0].Dropout(0.5)
			if kept == nil {
				kept = y.Tensor().Float64s()
			}
			return y
		}
		if err := (gradcheck.Checker{Seed: seed, MaxEntries: 1}).Check(f, tensors(autograd.Ones(30))); err != nil {
			t.Error(err)
		}
		return kept
	}
	if cmp.Equal(mask(1), mask(2)) {
		t.Error("two seeds gave one mask")
	}
}

func TestInputsStay(t *testing.T) {
	x := normal(1, 4)
	want := x.Clone().Float64s()
	if err := gradcheck.Check(func(_ graph, in values) autograd.Value { return in[0].Exp() }, tensors(x)); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, x.Float64s()); diff != "" {
		t.Errorf("the input was changed (-want +got):\n%s", diff)
	}
}
