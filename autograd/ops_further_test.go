package autograd_test

import (
	"math"
	"testing"

	"nabla/autograd"
)

var furtherRows = []opRow{
	{op: "fmod", inputs: 2, lo: 1, hi: 1.9, f: two(autograd.Value.Fmod), twin: both(func(x, y float64) float64 { return x - y*math.Trunc(x/y) }),
		pairs: []pairSpecial{
			{5, 3, 2, 1, -1}, {-5, 3, -2, 1, 1}, {5, -3, 2, 1, 1}, {-5, -3, -2, 1, -1}, {6, 3, 0, 1, -2}, {0, 3, 0, 1, 0},
			{5, 0, nan, 1, -inf}, {0, 0, nan, 1, nan}, {inf, 3, nan, 1, -inf}, {5, inf, 5, 1, 0}, {-5, inf, -5, 1, 0}, {nan, 2, nan, 1, nan}, {2, nan, nan, 1, nan}, {1, 0.1, 0.09999999999999995, 1, -9},
		}},
	{op: "remainder", inputs: 2, lo: 1, hi: 1.9, f: two(autograd.Value.Remainder), twin: both(func(x, y float64) float64 { return x - y*math.Floor(x/y) }),
		pairs: []pairSpecial{
			{5, 3, 2, 1, -1}, {-5, 3, 1, 1, 2}, {5, -3, -1, 1, 2}, {-5, -3, -2, 1, -1}, {-6, 3, 0, 1, 2}, {0, 3, 0, 1, 0},
			{5, 0, nan, 1, -inf}, {0, 0, nan, 1, nan}, {5, inf, 5, 1, 0}, {-5, inf, inf, 1, 1}, {nan, 2, nan, 1, nan}, {2, nan, nan, 1, nan},
		}},
	{op: "fmod gradient", shapes: [][]int{{2, 3}, {2, 3}, {2, 3}}, lo: 1, hi: 1.9, f: byDivisor(autograd.Value.Fmod),
		twin: three(func(gy, x, y float64) float64 { return -gy * math.Trunc(x/y) })},
	{op: "remainder gradient", shapes: [][]int{{2, 3}, {2, 3}, {2, 3}}, lo: 1, hi: 1.9, f: byDivisor(func(x, y autograd.Value) autograd.Value { return x.Remainder(y.Neg()) }),
		twin: three(func(gy, x, y float64) float64 { return gy * math.Floor(-x/y) })},
	{op: "lerp", inputs: 3, lo: -2, hi: 3, f: lerp, twin: three(func(x, y, w float64) float64 { return (1-w)*x + w*y })},
	{op: "lerp", note: "broadcasting", shapes: [][]int{{2, 1}, {3}, {}}, more: [][][]int{{{}, {2, 3}, {3}}, {{1, 2}, {3, 1}, {2, 3, 2}}, {{0}, {1}, {}}}, lo: -2, hi: 3, f: lerp,
		twin: three(func(x, y, w float64) float64 { return (1-w)*x + w*y })},
	{op: "cbrt", inputs: 1, lo: -3, hi: 3, kinks: []float64{0}, f: one(autograd.Value.Cbrt), twin: each(math.Cbrt),
		special: []special{{0, 0, inf}, {-8, -2, 1. / 12}, {0.125, 0.5, 4. / 3}, {inf, inf, 0}, {-inf, -inf, 0}, {nan, nan, nan}}},
	{op: "erfinv", inputs: 1, lo: -0.9, hi: 0.9, f: one(autograd.Value.ErfInv), twin: each(inverseErf),
		special: []special{{0, 0, math.Sqrt(math.Pi) / 2}, {1, inf, inf}, {-1, -inf, inf}, {1.5, nan, nan}, {-2, nan, nan}, {nan, nan, nan}}},
	{op: "logit", inputs: 1, lo: 0.05, hi: 0.95, f: one(autograd.Value.Logit), twin: each(func(x float64) float64 { return math.Log(x) - math.Log(1-x) }),
		special: []special{{0, -inf, inf}, {1, inf, inf}, {0.5, 0, 4}, {-1, nan, nan}, {2, nan, nan}, {nan, nan, nan}}},
	{op: "sinc", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Sinc), twin: each(func(x float64) float64 { return math.Sin(math.Pi*x) / (math.Pi * x) }),
		special: []special{{0, 1, 0}, {1, 0, -1}, {2, 0, 0.5}, {-3, 0, 1. / 3}, {0.5, 2 / math.Pi, -4 / math.Pi}, {inf, nan, nan}, {nan, nan, nan}}},
	{op: "sinc", note: "near 0", inputs: 1, lo: -0.2, hi: 0.2, f: one(autograd.Value.Sinc), twin: each(func(x float64) float64 { return math.Sin(math.Pi*x) / (math.Pi * x) })},
	{op: "glu", shapes: [][]int{{2, 6}}, more: [][][]int{{{2}}, {{0}}, {{2, 0}}, {{0, 4}}}, lo: -3, hi: 3,
		f: axis(autograd.Value.GLU, -1), twin: gated(-1)},
	{op: "glu", note: "middle axis", shapes: [][]int{{2, 4, 3}}, more: [][][]int{{{1, 2, 1}}}, lo: -3, hi: 3,
		f: axis(autograd.Value.GLU, 1), twin: gated(1)},
}

func lerp(in ...autograd.Value) autograd.Value { return in[0].Lerp(in[1], in[2]) }

// byDivisor is the gradient, for an incoming one, with respect to the second
// argument.
func byDivisor(f func(x, y autograd.Value) autograd.Value) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return autograd.VJP(f(in[1], in[2]), in[0], in[2])[0] }
}

// three is the twin of a function of three elements, which broadcast.
func three(f func(x, y, z float64) float64) func(in ...grid) grid {
	return func(in ...grid) grid {
		shape, _ := together(in[0].shape, in[1].shape)
		shape, _ = together(shape, in[2].shape)
		x, y, z := in[0].repeated(shape), in[1].repeated(shape), in[2].repeated(shape)
		return build(shape, func(at []int) float64 { return f(x.at(at...), y.at(at...), z.at(at...)) })
	}
}

// inverseErf finds the argument of erf by halving.
func inverseErf(x float64) float64 {
	lo, hi := -6.0, 6.0
	for range 200 {
		if mid := (lo + hi) / 2; math.Erf(mid) < x {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

func gated(along int) func(in ...grid) grid {
	return func(in ...grid) grid {
		x := in[0]
		shape := append([]int{}, x.shape...)
		along := (along + len(shape)) % len(shape)
		shape[along] /= 2
		return build(shape, func(at []int) float64 {
			gate := append([]int{}, at...)
			gate[along] += shape[along]
			return x.at(at...) / (1 + math.Exp(-x.at(gate...)))
		})
	}
}

// Lerp is exact at both ends, and its gradients are PyTorch's where an end is
// infinite.
func TestLerpEdges(t *testing.T) {
	for _, c := range []struct{ x, end, weight, y, gx, gend, gweight float64 }{
		{1e16, 1, 1, 1, 0, 1, 1 - 1e16}, {1e16, 1, 0, 1e16, 1, 0, 1 - 1e16}, {0.1, 0.7, 0.5, 0.4, 0.5, 0.5, 0.7 - 0.1}, {1, 3, -1, -1, 2, -1, 2}, {1, 3, 2, 5, -1, 2, 2},
		{1, inf, 0.5, inf, 0.5, 0.5, inf}, {inf, 1, 0.5, inf, 0.5, 0.5, -inf}, {1, inf, 0, nan, 1, 0, inf}, {inf, inf, 0.5, inf, 0.5, 0.5, nan}, {1, inf, 1, inf, 0, 1, inf}, {inf, 1, 0.75, inf, 0.25, 0.75, -inf},
		{-inf, inf, 0.5, nan, 0.5, 0.5, inf}, {-1e308, 1.5e308, 0.5, 0.25e308, 0.5, 0.5, inf},
		{nan, 1, 0, nan, 1, 0, nan}, {0, 0, nan, nan, nan, nan, 0},
	} {
		g := autograd.NewGraph(autograd.Options{})
		x, end, weight := g.Variable(autograd.Scalar(c.x)), g.Variable(autograd.Scalar(c.end)), g.Variable(autograd.Scalar(c.weight))
		y := x.Lerp(end, weight)
		grads := y.Backward()
		got := []float64{y.Item(), grads.Of(x).Item(), grads.Of(end).Item(), grads.Of(weight).Item()}
		wantNumbers(t, "value and gradients", got, []float64{c.y, c.gx, c.gend, c.gweight}, 1e-15)
	}
}

// Derivatives of any order at 0, by the power series Σ (−1)ᵏ(πx)²ᵏ/(2k+1)!.
func TestSincDerivativesAtZero(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Scalar(0))
	y := x.Sinc()
	pi2 := math.Pi * math.Pi
	for order, want := range []float64{1, 0, -pi2 / 3, 0, pi2 * pi2 / 5, 0, -pi2 * pi2 * pi2 / 7} {
		if got := y.Item(); math.Abs(got-want) > 1e-13*math.Abs(want) {
			t.Errorf("derivative of order %d is %v, want %v", order, got, want)
		}
		y = autograd.Grad(y, x)[0]
	}
}

func TestWrongGLU(t *testing.T) {
	x := autograd.NewGraph(autograd.Options{}).Full(1, 2, 3)
	wantError[*autograd.ShapeError](t, "autograd: GLU: axis 1 cannot be cut in two equal parts: [2 3], at %v", func() { x.GLU(-1) })
	wantError[*autograd.IndexError](t, "autograd: GLU: axis 2 is out of range for rank 2, at %v", func() { x.GLU(2) })
	wantError[*autograd.ShapeError](t, "autograd: Lerp: shapes do not broadcast: [2 3] and [2], at %v", func() { x.Lerp(x.Graph().Full(1, 2), x) })
	wantError[*autograd.ShapeError](t, "autograd: Fmod: shapes do not broadcast: [2 3] and [2], at %v", func() { x.Fmod(x.Graph().Full(1, 2)) })
}

func TestFurtherOperationsAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	type value = autograd.Value
	w := autograd.NewParam("w", autograd.Full(0.5, 4, 6))
	for name, f := range map[string]func(x value) value{
		"fmod": func(x value) value { return x.Fmod(x) }, "remainder": func(x value) value { return x.Remainder(x) },
		"lerp": func(x value) value { return x.Lerp(x, x.Narrow(0, 0, 1)) }, "cbrt": value.Cbrt, "erfinv": value.ErfInv, "logit": value.Logit,
		"sinc": value.Sinc, "glu": func(x value) value { return x.GLU(1) },
	} {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			step := func() {
				g.Reset()
				f(g.Param(w)).Mean().Backward().OfParam(w)
			}
			for range 4 {
				step()
			}
			if n := testing.AllocsPerRun(20, step); n > 0 {
				t.Errorf("%s in %v: %v allocations in a step", name, precision, n)
			}
		}
	}
}
