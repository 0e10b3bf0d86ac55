package autograd_test

import (
	"math"
	"testing"

	"nabla/autograd"
)

var (
	inf = math.Inf(1)
	nan = math.NaN()
)

// An elementEdge is the value and the derivatives of an elementwise operation
// at one point. They are the same for a scalar, for a tensor, by Backward and
// by Grad, in float64 and in float32.
type elementEdge struct {
	name      string
	at        []float64
	value     float64
	gradients []float64 // one for each argument
	f         func(in ...autograd.Value) autograd.Value
}

// unaryEdge adapts a method without arguments.
func unaryEdge(f func(autograd.Value) autograd.Value) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return f(in[0]) }
}

func binaryEdge(f func(x, y autograd.Value) autograd.Value) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return f(in[0], in[1]) }
}

func elementEdges() []elementEdge {
	type value = autograd.Value
	one, two := unaryEdge, binaryEdge
	leaky := one(func(x value) value { return x.LeakyReLU(0.1) })
	elu := one(func(x value) value { return x.ELU(0.5) })
	clamp := one(func(x value) value { return x.Clamp(-1, 2) })
	power := func(p float64) func(...value) value { return one(func(x value) value { return x.PowScalar(p) }) }
	cosh19 := math.Cosh(19)
	return []elementEdge{
		{"relu at 0", []float64{0}, 0, []float64{0}, one(value.ReLU)},
		{"abs at 0", []float64{0}, 0, []float64{0}, one(value.Abs)},
		{"sign at 0", []float64{0}, 0, []float64{0}, one(value.Sign)},
		{"leaky relu at 0", []float64{0}, 0, []float64{0.1}, leaky},
		{"elu at 0", []float64{0}, 0, []float64{0.5}, elu},
		{"relu6 at 0", []float64{0}, 0, []float64{0}, one(value.ReLU6)},
		{"relu6 at 6", []float64{6}, 6, []float64{0}, one(value.ReLU6)},
		{"hard tanh at −1", []float64{-1}, -1, []float64{0}, one(value.HardTanh)},
		{"hard tanh at 1", []float64{1}, 1, []float64{0}, one(value.HardTanh)},
		{"hard sigmoid at −3", []float64{-3}, 0, []float64{0}, one(value.HardSigmoid)},
		{"hard sigmoid at 3", []float64{3}, 1, []float64{0}, one(value.HardSigmoid)},
		{"hard swish at −3", []float64{-3}, 0, []float64{0}, one(value.HardSwish)},
		{"hard swish at 3", []float64{3}, 3, []float64{1}, one(value.HardSwish)},
		{"clamp at the lower bound", []float64{-1}, -1, []float64{1}, clamp},
		{"clamp at the upper bound", []float64{2}, 2, []float64{1}, clamp},
		{"maximum of equals", []float64{2, 2}, 2, []float64{0.5, 0.5}, two(value.Maximum)},
		{"minimum of equals", []float64{2, 2}, 2, []float64{0.5, 0.5}, two(value.Minimum)},
		{"sqrt at 0", []float64{0}, 0, []float64{inf}, one(value.Sqrt)},
		{"log at 0", []float64{0}, -inf, []float64{inf}, one(value.Log)},
		{"reciprocal at 0", []float64{0}, inf, []float64{-inf}, one(value.Reciprocal)},
		{"1/x at 0", []float64{1, 0}, inf, []float64{inf, -inf}, two(value.Div)},
		{"rsqrt at 0", []float64{0}, inf, []float64{-inf}, one(value.Rsqrt)},
		{"log of −1", []float64{-1}, nan, []float64{-1}, one(value.Log)},
		{"sqrt of −1", []float64{-1}, nan, []float64{nan}, one(value.Sqrt)},
		{"hypot at the origin", []float64{0, 0}, 0, []float64{0, 0}, two(value.Hypot)},
		{"atan2 at the origin", []float64{0, 0}, 0, []float64{0, 0}, two(value.Atan2)},
		{"selu at 0", []float64{0}, 0, []float64{1.0507009873554805 * 1.6732632423543772}, one(value.SELU)},
		{"celu at 0", []float64{0}, 0, []float64{1}, one(func(x value) value { return x.CELU(0.7) })},
		{"prelu at 0", []float64{0, 0.25}, 0, []float64{0.25, 0}, two(value.PReLU)},
		{"x² at 0", []float64{0}, 0, []float64{0}, power(2)},
		{"x¹ at 0", []float64{0}, 0, []float64{1}, power(1)},
		{"x⁰ at 0", []float64{0}, 1, []float64{0}, power(0)},
		{"pow(0, 2)", []float64{0, 2}, 0, []float64{0, 0}, two(value.Pow)},
		{"pow(0, 1)", []float64{0, 1}, 0, []float64{1, 0}, two(value.Pow)},
		{"pow(0, 0)", []float64{0, 0}, 1, []float64{0, 0}, two(value.Pow)},
		{"pow(0, ½)", []float64{0, 0.5}, 0, []float64{inf, 0}, two(value.Pow)},
		{"pow(−2, 2)", []float64{-2, 2}, 4, []float64{-4, nan}, two(value.Pow)},
		{"pow(−2, 3)", []float64{-2, 3}, -8, []float64{12, nan}, two(value.Pow)},
		{"sigmoid at 1000", []float64{1000}, 1, []float64{0}, one(value.Sigmoid)},
		{"sigmoid at −1000", []float64{-1000}, 0, []float64{0}, one(value.Sigmoid)},
		{"tanh at 1000", []float64{1000}, 1, []float64{0}, one(value.Tanh)},
		{"tanh at −1000", []float64{-1000}, -1, []float64{0}, one(value.Tanh)},
		{"sigmoid at 40", []float64{40}, 1, []float64{math.Exp(-40)}, one(value.Sigmoid)},
		{"tanh at 19", []float64{19}, 1, []float64{1 / cosh19 / cosh19}, one(value.Tanh)},
		{"expm1 at −40", []float64{-40}, -1, []float64{math.Exp(-40)}, one(value.Expm1)},
		{"log sigmoid at −1000", []float64{-1000}, -1000, []float64{1}, one(value.LogSigmoid)},
		{"softplus at 25", []float64{25}, 25.0000000000139, []float64{1 / (1 + math.Exp(-25))}, one(func(x value) value { return x.Softplus(1) })},
		{"gelu at −10", []float64{-10}, -7.6198530241604696e-23, []float64{7.6198530241604696e-24 - 7.69459862670642e-22}, one(value.GELU)},
		{"round ½", []float64{0.5}, 0, []float64{0}, one(value.Round)},
		{"round 2½", []float64{2.5}, 2, []float64{0}, one(value.Round)},
		{"floor at 1", []float64{1}, 1, []float64{0}, one(value.Floor)},
		{"ceil at 1", []float64{1}, 1, []float64{0}, one(value.Ceil)},
		{"binary cross entropy, 0 against 1", []float64{0, 1}, 100, []float64{-1e12, 100}, two(value.BinaryCrossEntropy)},
		{"binary cross entropy, 1 against 0", []float64{1, 0}, 100, []float64{1e12, -100}, two(value.BinaryCrossEntropy)},
		{"binary cross entropy, 0 against 0", []float64{0, 0}, 0, []float64{0, 100}, two(value.BinaryCrossEntropy)},
		{"binary cross entropy, 1 against 1", []float64{1, 1}, 0, []float64{0, -100}, two(value.BinaryCrossEntropy)},
		{"from logits, 1000 against 1", []float64{1000, 1}, 0, []float64{0, -1000}, two(value.BinaryCrossEntropyLogits)},
		{"from logits, 1000 against 0", []float64{1000, 0}, 1000, []float64{1, -1000}, two(value.BinaryCrossEntropyLogits)},
		{"from logits, −1000 against 1", []float64{-1000, 1}, 1000, []float64{-1, 1000}, two(value.BinaryCrossEntropyLogits)},
		{"from logits, −1000 against 0", []float64{-1000, 0}, 0, []float64{0, 1000}, two(value.BinaryCrossEntropyLogits)},
		{"from logits, 40 against 1", []float64{40, 1}, math.Exp(-40), []float64{-math.Exp(-40), -40}, two(value.BinaryCrossEntropyLogits)},
	}
}

// edgeSides are the sizes at which an elementwise operation is computed: a
// scalar, a tensor with a rest behind whole vector registers.
var edgeSides = []struct {
	name  string
	shape []int
}{
	{"scalar", nil},
	{"tensor", []int{3, 7}},
}

func TestElementEdges(t *testing.T) {
	for _, e := range elementEdges() {
		t.Run(e.name, func(t *testing.T) {
			for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
				for _, side := range edgeSides {
					checkElementEdge(t, e, precision, side.name, side.shape)
				}
			}
		})
	}
}

func checkElementEdge(t *testing.T, e elementEdge, precision autograd.Precision, side string, shape []int) {
	t.Helper()
	tolerance := 1e-13
	if precision == autograd.Float32 {
		tolerance = 3e-7
	}
	if e.name == "gelu at −10" {
		tolerance *= 100 // e^−50 and its argument's rounding
	}
	g := autograd.NewGraph(autograd.Options{Precision: precision})
	in := make([]autograd.Value, len(e.at))
	for i, at := range e.at {
		in[i] = g.Variable(autograd.Full(at, shape...))
	}
	y := e.f(in...)
	what := side + " in " + precision.String()
	wantNumbers(t, what+": value", y.Tensor().Float64s(), repeated(e.value, y.Size()), tolerance)
	grads := y.BackwardFrom(autograd.Ones(shape...))
	recorded := autograd.VJP(y, g.Full(1, shape...), in...)
	for i, want := range e.gradients {
		wantNumbers(t, what+": by Backward", grads.Of(in[i]).Float64s(), repeated(want, y.Size()), tolerance)
		wantNumbers(t, what+": by VJP", recorded[i].Tensor().Float64s(), repeated(want, y.Size()), tolerance)
	}
}

func repeated(v float64, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = v
	}
	return values
}

// NaN in, NaN out, with the three exceptions of IEEE 754.
func TestNaNIn(t *testing.T) {
	type value = autograd.Value
	for name, f := range map[string]func(x value) value{
		"relu": value.ReLU, "relu6": value.ReLU6, "leaky relu": func(x value) value { return x.LeakyReLU(0.1) },
		"elu": func(x value) value { return x.ELU(1) }, "selu": value.SELU, "celu": func(x value) value { return x.CELU(1) },
		"gelu": value.GELU, "gelu tanh": value.GELUTanh, "silu": value.SiLU, "mish": value.Mish, "softplus": func(x value) value { return x.Softplus(1) },
		"softsign": value.Softsign, "sigmoid": value.Sigmoid, "log sigmoid": value.LogSigmoid, "hard sigmoid": value.HardSigmoid,
		"hard swish": value.HardSwish, "hard tanh": value.HardTanh, "tanh": value.Tanh, "abs": value.Abs, "sign": value.Sign,
		"round": value.Round, "floor": value.Floor, "sqrt": value.Sqrt, "exp": value.Exp, "log": value.Log,
		"clamp":       func(x value) value { return x.Clamp(-1, 1) },
		"maximum":     func(x value) value { return x.Maximum(x.Graph().Scalar(1)) },
		"minimum":     func(x value) value { return x.Minimum(x.Graph().Scalar(1)) },
		"max":         func(x value) value { return autograd.Concat(0, x.Flatten(0, -1), x.Graph().Full(5, 2)).Max() },
		"min":         func(x value) value { return autograd.Concat(0, x.Graph().Full(5, 2), x.Flatten(0, -1)).Min() },
		"sum":         func(x value) value { return x.Sum() },
		"softmax":     func(x value) value { return x.Flatten(0, -1).Softmax(0) },
		"logsumexp":   func(x value) value { return x.LogSumExp() },
		"norm":        func(x value) value { return x.Norm(2) },
		"x¹":          func(x value) value { return x.PowScalar(1) },
		"zero times":  func(x value) value { return x.Mul(x.Graph().Scalar(0)) },
		"zero matmul": func(x value) value { return x.Graph().Full(0, 1, 1).MatMul(x.Flatten(0, -1).Reshape(1, -1)) },
	} {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			for _, side := range edgeSides {
				g := autograd.NewGraph(autograd.Options{Precision: precision})
				for i, y := range f(g.Constant(autograd.Full(nan, side.shape...))).Tensor().Float64s() {
					if !math.IsNaN(y) {
						t.Errorf("%s of a NaN %s in %v: element %d is %v", name, side.name, precision, i, y)
						break
					}
				}
			}
		}
	}
	g := autograd.NewGraph(autograd.Options{})
	for name, y := range map[string]value{
		"pow(NaN, 0) = 1":       g.Scalar(nan).Pow(g.Scalar(0)),
		"PowScalar(NaN, 0) = 1": g.Scalar(nan).PowScalar(0),
		"pow(1, NaN) = 1":       g.Scalar(1).Pow(g.Scalar(nan)),
		"in a tensor":           g.Full(nan, 5).Pow(g.Full(0, 5)).Mean(),
	} {
		if y.Item() != 1 {
			t.Errorf("%s: got %v", name, y.Item())
		}
	}
	if y := g.Scalar(inf).Hypot(g.Scalar(nan)).Item(); y != inf {
		t.Errorf("hypot(Inf, NaN) = %v", y)
	}
}

// A tensorEdge is the value and the gradient of a function of one tensor,
// under a seed of ones.
type tensorEdge struct {
	name     string
	x        autograd.Tensor
	value    []float64
	gradient []float64
	f        func(x autograd.Value) autograd.Value
}

func tensorEdges() []tensorEdge {
	type value = autograd.Value
	sure := func(values ...float64) []float64 { return values }
	half := math.Sqrt(0.5)
	return []tensorEdge{
		{"max with ties", vector(1, 3, 3), sure(3), sure(0, 0.5, 0.5), func(x value) value { return x.Max() }},
		{"min with ties", vector(1, 3, 1), sure(1), sure(0.5, 0, 0.5), func(x value) value { return x.Min() }},
		{"max with ties along an axis", autograd.FromNested([][]float64{{2, 2, 2}, {1, 0, 1}}), sure(2, 1), sure(1./3, 1./3, 1./3, 0.5, 0, 0.5), func(x value) value { return x.Max(1) }},
		{"norm at the zero vector", vector(0, 0, 0), sure(0), sure(0, 0, 0), func(x value) value { return x.Norm(2) }},
		{"1-norm at the zero vector", vector(0, 0), sure(0), sure(0, 0), func(x value) value { return x.Norm(1) }},
		{"1.5-norm at the zero vector", vector(0, 0), sure(0), sure(0, 0), func(x value) value { return x.Norm(1.5) }},
		{"3-norm at the zero vector", vector(0, 0), sure(0), sure(0, 0), func(x value) value { return x.Norm(3) }},
		{"∞-norm at the zero vector", vector(0, 0), sure(0), sure(0, 0), func(x value) value { return x.Norm(inf) }},
		{"std of equal values", vector(4, 4, 4), sure(0), sure(0, 0, 0), func(x value) value { return x.Std() }},
		{"std of one element", vector(4), sure(nan), sure(nan), func(x value) value { return x.Std() }},
		{"var of one element", vector(4), sure(nan), sure(nan), func(x value) value { return x.Var() }},
		{"population var of one element", vector(4), sure(0), sure(0), func(x value) value { return x.PopulationVar() }},
		{"prod with a zero", vector(0, 2, 3), sure(0), sure(6, 0, 0), func(x value) value { return x.Prod() }},
		{"prod with two zeros", vector(0, 2, 0), sure(0), sure(0, 0, 0), func(x value) value { return x.Prod() }},
		{"cumprod with a zero", vector(2, 0, 3), sure(2, 0, 0), sure(1, 8, 0), func(x value) value { return x.CumProd(0) }},
		{"logsumexp of −Inf", vector(-inf, -inf), sure(-inf), sure(0, 0), func(x value) value { return x.LogSumExp() }},
		{"logsumexp of 1000", vector(1000, 1000), sure(1000.6931471805599), sure(0.5, 0.5), func(x value) value { return x.LogSumExp() }},
		{"log-softmax", vector(1000, 0, -1000), sure(0, -1000, -2000), sure(-2, 1, 1), func(x value) value { return x.LogSoftmax(0) }},
		{"softmax with −Inf", vector(0, -inf, 0), sure(0.5, 0, 0.5), sure(0, 0, 0), func(x value) value { return x.Softmax(0) }},
		{"part of a softmax with −Inf", vector(0, -inf, 0), sure(0.5), sure(0.25, 0, -0.25), func(x value) value { return x.Softmax(0).Narrow(0, 0, 1).Sum() }},
		{"softmax of −Inf", vector(-inf, -inf), sure(nan, nan), nil, func(x value) value { return x.Softmax(0) }},
		{"log-softmax of −Inf", vector(-inf, -inf), sure(nan, nan), nil, func(x value) value { return x.LogSoftmax(0) }},
		{"mean of nothing", autograd.Zeros(0), sure(nan), sure(), func(x value) value { return x.Mean() }},
		{"sum of nothing", autograd.Zeros(0), sure(0), sure(), func(x value) value { return x.Sum() }},
		{"prod of nothing", autograd.Zeros(0), sure(1), sure(), func(x value) value { return x.Prod() }},
		{"sum over an empty axis", autograd.Zeros(0, 3), sure(0, 0, 0), sure(), func(x value) value { return x.Sum(0) }},
		{"prod over an empty axis", autograd.Zeros(0, 3), sure(1, 1, 1), sure(), func(x value) value { return x.Prod(0) }},
		{"mean over an empty axis", autograd.Zeros(0, 2), sure(nan, nan), sure(), func(x value) value { return x.Mean(0) }},
		{"max of no rows", autograd.Zeros(0, 2), sure(), sure(), func(x value) value { return x.Max(1) }},
		{"flip of nothing", autograd.Zeros(0, 3), sure(), sure(), func(x value) value { return x.Flip() }},
		{"backward step through nothing", autograd.Zeros(2, 0), sure(), sure(), func(x value) value { return x.Slice(1, autograd.End, autograd.End, -2) }},
		{"a step beyond the end", vector(1, 2, 3), sure(1), sure(1, 0, 0), func(x value) value { return x.Slice(0, 0, 3, math.MaxInt) }},
		{"a step back beyond the beginning", vector(1, 2, 3), sure(3), sure(0, 0, 1), func(x value) value { return x.Slice(0, -1, autograd.End, math.MinInt) }},
		{"concat with nothing", autograd.Zeros(0), sure(1, 1), sure(), func(x value) value { return autograd.Concat(0, x, x.Graph().Full(1, 2), x) }},
		{"norm without overflow", vector(3e200, 4e200), sure(5e200), sure(0.6, 0.8), func(x value) value { return x.Norm(2) }},
		{"norm without underflow", vector(3e-200, 4e-200), sure(5e-200), sure(0.6, 0.8), func(x value) value { return x.Norm(2) }},
		{"hypot without overflow", vector(3e200), sure(3e200 * math.Sqrt2), sure(2 * half), func(x value) value { return x.Hypot(x) }},
		{"var in two passes", vector(1e9+1, 1e9+2, 1e9+3), sure(2. / 3), sure(-2./3, 0, 2./3), func(x value) value { return x.PopulationVar() }},
		{"x + x", vector(1, 2), sure(2, 4), sure(2, 2), func(x value) value { return x.Add(x) }},
		{"x − x", vector(1, 2), sure(0, 0), sure(0, 0), func(x value) value { return x.Sub(x) }},
		{"x·x", vector(3, 5), sure(9, 25), sure(6, 10), func(x value) value { return x.Mul(x) }},
		{"x/x", vector(3, 5), sure(1, 1), sure(0, 0), func(x value) value { return x.Div(x) }},
		{"matmul(x, xᵀ)", autograd.FromNested([][]float64{{1, 2}, {3, 4}}), sure(5, 11, 11, 25), sure(8, 12, 8, 12), func(x value) value { return x.MatMul(x.T()) }},
		{"concat(x, x)", vector(1, 2), sure(1, 2, 1, 2), sure(2, 2), func(x value) value { return autograd.Concat(0, x, x) }},
	}
}

func TestTensorEdges(t *testing.T) {
	for _, e := range tensorEdges() {
		t.Run(e.name, func(t *testing.T) {
			g := autograd.NewGraph(autograd.Options{})
			x := g.Variable(e.x)
			y := e.f(x)
			wantNumbers(t, "value", y.Tensor().Float64s(), e.value, 1e-13)
			if e.gradient == nil {
				return
			}
			first := y.BackwardFrom(autograd.Ones(y.Shape()...)).Of(x)
			wantNumbers(t, "by Backward", first.Float64s(), e.gradient, 1e-13)
			wantShape(t, "gradient's shape", first.Shape(), x.Shape()...)
			wantNumbers(t, "by VJP", autograd.VJP(y, g.Full(1, y.Shape()...), x)[0].Tensor().Float64s(), e.gradient, 1e-13)
			second := y.BackwardFrom(autograd.Ones(y.Shape()...)).Of(x)
			wantBits(t, "by a second Backward", second.Float64s(), first.Float64s())
		})
	}
}

func TestSecondDerivativeOfSquareAtZero(t *testing.T) {
	for name, f := range map[string]func(x autograd.Value) autograd.Value{
		"PowScalar": func(x autograd.Value) autograd.Value { return x.PowScalar(2) },
		"Pow":       func(x autograd.Value) autograd.Value { return x.Pow(x.Graph().Scalar(2)) },
		"Square":    autograd.Value.Square,
		"Mul":       func(x autograd.Value) autograd.Value { return x.Mul(x) },
	} {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(autograd.Scalar(0))
		if got := autograd.Hessian(f(x), x).Item(); got != 2 {
			t.Errorf("%s: second derivative %v, want 2", name, got)
		}
	}
}

func TestWhereEdges(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(vector(0, 4))
	bad := g.Variable(vector(nan, -inf))
	taken := g.Constant(vector(1, 1))
	grads := autograd.Where(taken, x, bad).Sum().Backward()
	wantNumbers(t, "taken", grads.Of(x).Float64s(), []float64{1, 1}, 0)
	wantBits(t, "not taken", grads.Of(bad).Float64s(), []float64{0, 0})

	// An infinite incoming gradient does not reach the branch not taken.
	y := autograd.Where(taken, x, bad)
	wantBits(t, "not taken, under Inf", y.BackwardFrom(vector(inf, -inf)).Of(bad).Float64s(), []float64{0, 0})

	// 0·NaN made inside the branch stays; a second Where cures it.
	positive := x.GreaterScalar(0)
	single := autograd.Where(positive, x.Sqrt(), g.Scalar(0)).Sum().Backward()
	wantNumbers(t, "single where", single.Of(x).Float64s(), []float64{nan, 0.25}, 1e-15)
	safe := autograd.Where(positive, x, g.Scalar(1))
	double := autograd.Where(positive, safe.Sqrt(), g.Scalar(0)).Sum().Backward()
	wantNumbers(t, "double where", double.Of(x).Float64s(), []float64{0, 0.25}, 1e-15)
}

func TestProductsOverNothing(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x, y := g.Variable(autograd.Zeros(2, 0)), g.Variable(autograd.Zeros(0, 3))
	z := x.MatMul(y)
	wantShape(t, "product", z.Shape(), 2, 3)
	wantBits(t, "product", z.Tensor().Float64s(), make([]float64, 6))
	grads := z.Sum().Backward()
	wantShape(t, "gx", grads.Of(x).Shape(), 2, 0)
	wantShape(t, "gy", grads.Of(y).Shape(), 0, 3)

	for name, batch := range map[string]autograd.Tensor{"rows": autograd.Zeros(0, 3), "matrices": autograd.Zeros(0, 2, 3)} {
		w, b := g.Variable(autograd.Ones(3, 4)), g.Variable(autograd.Ones(4))
		grads := g.Constant(batch).MatMul(w).Add(b).Sum().Backward()
		if !grads.Reached(w) || !grads.Reached(b) {
			t.Errorf("a batch of no %s does not reach the weights", name)
		}
		wantShape(t, "gw", grads.Of(w).Shape(), 3, 4)
		wantBits(t, "gw", grads.Of(w).Float64s(), make([]float64, 12))
		wantBits(t, "gb", grads.Of(b).Float64s(), make([]float64, 4))
	}
}

func TestChoiceFromNothing(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(autograd.Zeros(0))
	nodes := g.Stats().Nodes
	wantError[*autograd.ShapeError](t, "autograd: Max: no elements to choose from: [0], at %v", func() { x.Max() })
	wantError[*autograd.ShapeError](t, "autograd: Min: no elements to choose from: [0], at %v", func() { x.Min() })
	wantError[*autograd.ShapeError](t, "autograd: ArgMax: no elements to choose from: [0], at %v", func() { x.ArgMax(0) })
	wantError[*autograd.ShapeError](t, "autograd: ArgMin: no elements to choose from: [0], at %v", func() { x.ArgMin(0) })
	if got := g.Stats().Nodes; got != nodes {
		t.Errorf("a refused operation left %d nodes", got-nodes)
	}
}

// Sums are added up in pairs: the error does not grow with the number.
func TestSumsOfManyInFloat32(t *testing.T) {
	const million = 1_000_000
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
	if got := g.Full(0.1, million).Sum().Item(); math.Abs(got-100000) > 0.1 {
		t.Errorf("sum of 1e6 × 0.1 is %v", got)
	}
	if got := g.Full(0.1, million/2, 2).Sum(0).Tensor().At(1); math.Abs(got-50000) > 0.05 {
		t.Errorf("sum of a column of 5e5 × 0.1 is %v", got)
	}
	b := g.Variable(autograd.Scalar(1))
	row := g.Variable(autograd.Ones(2))
	grads := g.Full(0, million/2, 2).Add(b).Mul(row).BackwardFrom(autograd.Full(0.1, million/2, 2))
	if got := grads.Of(b).Item(); math.Abs(got-100000) > 0.1 {
		t.Errorf("gradient of a scalar broadcast 1e6 times is %v", got)
	}
	if got := grads.Of(row).At(0); math.Abs(got-50000) > 0.05 {
		t.Errorf("gradient of a row broadcast 5e5 times is %v", got)
	}
}

func TestMeanOfMoreOnesThanFloat32Counts(t *testing.T) {
	if raceDetector {
		t.Skip("2²⁵ elements take too long under the race detector")
	}
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
	if got := g.Full(1, 1<<25).Mean().Item(); got != 1 {
		t.Errorf("mean of 2²⁵ ones is %v", got)
	}
}

func TestMasksHaveNoGradient(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(vector(1, 2))
	masks := map[string]autograd.Value{
		"Equal": x.Equal(x), "NotEqual": x.NotEqual(x), "Less": x.Less(x), "LessEqual": x.LessEqual(x),
		"Greater": x.Greater(x), "GreaterEqual": x.GreaterEqual(x), "EqualScalar": x.EqualScalar(1),
		"NotEqualScalar": x.NotEqualScalar(1), "LessScalar": x.LessScalar(1), "LessEqualScalar": x.LessEqualScalar(1),
		"GreaterScalar": x.GreaterScalar(1), "GreaterEqualScalar": x.GreaterEqualScalar(1), "Sign": x.Sign(),
	}
	for op, mask := range masks {
		y := mask.Mul(x).Sum()
		grads := y.Backward()
		wantError[*autograd.GradientError](t, "autograd: Of: "+op+" is piecewise constant: there is no gradient with respect to it, at %v", func() { grads.Of(mask) })
		wantError[*autograd.GradientError](t, "autograd: Grad: "+op+" is piecewise constant: there is no gradient with respect to it, at %v", func() { autograd.Grad(y, mask) })
		wantBits(t, op, grads.Of(x).Float64s(), mask.Tensor().Float64s())
	}
}
