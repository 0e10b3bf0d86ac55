package autograd_test

import (
	"errors"
	"math"
	"testing"

	"nabla/autograd"
)

// Each test guards a corner in which the engine was once silently wrong.

// The mixed second derivative of x^y is (1 + y·ln x)·x^(y−1), 1/x at y = 0,
// whichever comes first.
func TestPowMixedDerivativeAtZeroExponent(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x, y := g.Variable(autograd.Scalar(2)), g.Variable(autograd.Scalar(0))
	z := x.Pow(y)
	xy := autograd.Grad(autograd.Grad(z, x)[0], y)[0].Item()
	yx := autograd.Grad(autograd.Grad(z, y)[0], x)[0].Item()
	if xy != 0.5 || yx != 0.5 {
		t.Errorf("got %v and %v, want 0.5", xy, yx)
	}
}

func TestCumProdThatOverflows(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(vector(1e200, 1e200, 2))
	gx := autograd.VJP(x.CumProd(0), g.Constant(vector(1, 0, 0)), x)[0]
	// The last one is 0 times the product of the others, which is infinite.
	wantNumbers(t, "CumProd", gx.Tensor().Float64s()[:2], []float64{1, 0}, 0)
}

func TestTrianglesFarFromTheDiagonal(t *testing.T) {
	for _, k := range []int{math.MinInt, -4, 4, math.MaxInt} {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(autograd.Ones(3, 3))
		upper, lower := x.Triu(k).Sum(), x.Tril(k).Sum()
		all, none := upper, lower
		if k > 0 {
			all, none = lower, upper
		}
		if all.Item() != 9 || none.Item() != 0 {
			t.Errorf("k = %d: sums %v and %v, want 9 and 0", k, all.Item(), none.Item())
		}
		if n := none.Backward().Norm(); n != 0 {
			t.Errorf("k = %d: the zeros have a gradient of norm %v", k, n)
		}
	}
}

// A norm of float32 gradients does not overflow, nor lose a NaN to an Inf.
func TestNormOfGradients(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
	x := g.Variable(vector(1, 1))
	if n := x.Mul(g.Constant(vector(3e38, 3e38))).Sum().Backward().Norm(); math.Abs(n-3e38*math.Sqrt2) > 1e32 {
		t.Errorf("got %v", n)
	}
	y := g.Variable(vector(1))
	loss := x.Mul(g.Constant(vector(math.NaN(), 1))).Sum().Add(y.MulScalar(math.Inf(1)).Sum())
	if n := loss.Backward().Norm(); !math.IsNaN(n) {
		t.Errorf("with a NaN: got %v", n)
	}
}

func TestCornersThatPanic(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	zeros := func(dims ...int) autograd.Value { return g.Constant(autograd.Zeros(dims...)) }
	silent := autograd.Operation{Name: "silent", Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() }}
	x := g.Variable(vector(1, 2))
	for name, f := range map[string]func(){
		"a rule that is missing, Backward":   func() { autograd.Custom(silent, x).Sum().Backward() },
		"a rule that is missing, Grad":       func() { autograd.Grad(autograd.Custom(silent, x).Sum(), x) },
		"PickAlong by nothing":               func() { x.PickAlong(0, autograd.Ints{}) },
		"OneHotAlong of nothing":             func() { g.OneHotAlong(0, autograd.Ints{}, 3) },
		"Pick by nothing":                    func() { x.Pick(autograd.Ints{}) },
		"OneHot of nothing":                  func() { g.OneHot(autograd.Ints{}, 3) },
		"Embedding by nothing":               func() { x.Embedding(autograd.Ints{}) },
		"SegmentSum by nothing":              func() { x.SegmentSum(autograd.Ints{}, 2) },
		"IndexAdd by nothing":                func() { x.IndexAdd(0, autograd.Ints{}, x) },
		"IndexSelect by nothing":             func() { x.IndexSelect(0, autograd.Ints{}) },
		"Gather by nothing":                  func() { x.Gather(0, autograd.Ints{}) },
		"a product whose size overflows":     func() { zeros(1<<40, 0).MatMul(zeros(0, 1<<40)) },
		"a sum whose size overflows":         func() { zeros(1<<31, 0, 1<<31).Sum(1) },
		"padding that overflows":             func() { x.Pad(0, [2]int{math.MaxInt, math.MaxInt}) },
		"parts that overflow":                func() { x.Split(0, math.MaxInt, math.MaxInt, 4) },
		"no Param":                           func() { x.Sum().Backward().OfParam(nil) },
		"no rng":                             func() { autograd.Uniform(nil, 0, 1, 2) },
		"no such precision":                  func() { autograd.NewGraph(autograd.Options{Precision: 7}) },
		"a tensor of no such precision":      func() { autograd.Ones(1).In(9) },
		"HVP along a vector of other shape":  func() { autograd.HVP(x.Sum(), []autograd.Value{x}, []autograd.Value{g.Scalar(1)}) },
		"JVP along a vector of other shape":  func() { autograd.JVP(x, []autograd.Value{x}, []autograd.Value{g.Scalar(1)}) },
		"Hessian of more than one element":   func() { autograd.Hessian(x, x) },
		"a range that would not end":         func() { autograd.Arange(0, 1e300, 1e-300) },
		"the axis of a scalar":               func() { g.Scalar(1).Softmax(0) },
		"more elements than an int can hold": func() { g.Full(0, 1<<32, 1<<32) },
	} {
		if err := autograd.Try(f); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	var missing *autograd.GradientError
	if err := autograd.Try(func() { autograd.Custom(silent, x).Sum().Backward() }); !errors.As(err, &missing) {
		t.Errorf("a missing rule gives %T", err)
	}
}
