package autograd_test

import (
	"math"
	"testing"

	"nabla/autograd"
)

// Second derivatives said 0 where the first had been chosen between those of
// both sides of a kink, also in smooth functions such as |x|², whose is 2.
func TestNoSecondDerivativeAtAKink(t *testing.T) {
	type value = autograd.Value
	for _, c := range []struct {
		name string
		at   []float64
		f    func(x, y value) value
	}{
		{"abs", []float64{0, 1}, func(x, y value) value { return x.Abs().Mul(y) }},
		{"abs²", []float64{0, 1}, func(x, y value) value { return x.Abs().Square().Mul(y) }},
		{"max(x, −x)²", []float64{0, 1}, func(x, y value) value { return x.Maximum(x.Neg()).Square().Mul(y) }},
		{"min(x, −x)²", []float64{0, 1}, func(x, y value) value { return x.Minimum(x.Neg()).Square().Mul(y) }},
		{"maximum of equals", []float64{2, 2}, value.Maximum},
		{"hypot", []float64{0, 0}, value.Hypot},
		{"hypot²", []float64{0, 0}, func(x, y value) value { return x.Hypot(y).Square() }},
		{"atan2", []float64{0, 0}, value.Atan2},
	} {
		g := autograd.NewGraph(autograd.Options{})
		x, y := g.Variable(autograd.Scalar(c.at[0])), g.Variable(autograd.Scalar(c.at[1]))
		gx := autograd.Grad(c.f(x, y), x)[0]
		if first := gx.Item(); math.IsNaN(first) {
			t.Errorf("%s: the first derivative is NaN", c.name)
		}
		if second := autograd.Grad(gx, x)[0].Item(); !math.IsNaN(second) {
			t.Errorf("%s: the second derivative is %v, want NaN", c.name, second)
		}
		if second := gx.Backward().Of(x).Item(); !math.IsNaN(second) {
			t.Errorf("%s: the second derivative by Backward is %v, want NaN", c.name, second)
		}
	}
}

// Where the gradient at a kink is that of one side, so is the second.
func TestSecondDerivativeOfTheSideTaken(t *testing.T) {
	type value = autograd.Value
	for name, c := range map[string]struct {
		at, want float64
		f        func(x value) value
	}{
		"relu² at 0":              {0, 0, func(x value) value { return x.ReLU().Square() }},
		"leaky relu² at 0":        {0, 0.125, func(x value) value { return x.LeakyReLU(0.25).Square() }},
		"clamp² at a bound":       {2, 2, func(x value) value { return x.Clamp(-1, 2).Square() }},
		"hard tanh² at 1":         {1, 0, func(x value) value { return x.HardTanh().Square() }},
		"elu² at 0":               {0, 0.5, func(x value) value { return x.ELU(0.5).Square() }},
		"x·softsign(x) at 0":      {0, 2, func(x value) value { return x.Mul(x.Softsign()) }},
		"|x|² away from the kink": {-3, 2, func(x value) value { return x.Abs().Square() }},
	} {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(autograd.Scalar(c.at))
		if got := autograd.Hessian(c.f(x), x).Item(); got != c.want {
			t.Errorf("%s: the second derivative is %v, want %v", name, got, c.want)
		}
	}
}

// A NaN passes every gate: its gradient is NaN.
func TestPReLUAtNaN(t *testing.T) {
	for _, shape := range [][]int{{}, {5}} {
		g := autograd.NewGraph(autograd.Options{})
		x, slope := g.Variable(autograd.Full(nan, shape...)), g.Variable(autograd.Full(0.1, shape...))
		grads := x.PReLU(slope).Sum().Backward()
		for _, gx := range append(grads.Of(x).Float64s(), grads.Of(slope).Float64s()...) {
			if !math.IsNaN(gx) {
				t.Errorf("%v: a gradient of PReLU at NaN is %v", shape, gx)
			}
		}
	}
}

// The derivatives that were found wrong, with their true values.
func TestDerivativesThatLostTheirDigits(t *testing.T) {
	type value = autograd.Value
	for _, c := range []struct {
		name           string
		precision      autograd.Precision
		at, seed, want float64
		f              func(x value) value
		second         bool
	}{
		{name: "tanh″", at: 1e-17, want: -2e-17, f: value.Tanh, second: true},
		{name: "tanh″", at: 1e-15, want: -2e-15, f: value.Tanh, second: true},
		{name: "asin″", at: 1e-17, want: 1e-17, f: value.Asin, second: true},
		{name: "acos″", at: 1e-17, want: -1e-17, f: value.Acos, second: true},
		{name: "sigmoid″", at: 1e-17, want: -1.25e-18, f: value.Sigmoid, second: true},
		{name: "hypot″", at: 1, want: 1e-16, f: func(x value) value { return x.Hypot(x.Graph().Scalar(1e-8)) }, second: true},
		{name: "1/x", precision: autograd.Float32, at: 1e-20, seed: 1e-30, want: -1e10, f: value.Reciprocal},
		{name: "atan", precision: autograd.Float32, at: 1e22, seed: 1e20, want: 1e-24, f: value.Atan},
		{name: "rsqrt", at: 1e-300, seed: 1e-150, want: -5e299, f: value.Rsqrt},
		{name: "atan", at: 1e165, seed: 1e150, want: 1e-180, f: value.Atan},
		{name: "softsign", at: 1e165, seed: 1e150, want: 1e-180, f: value.Softsign},
		{name: "x⁻¹", at: 1e165, seed: 1e150, want: -1e-180, f: func(x value) value { return x.PowScalar(-1) }},
	} {
		g := autograd.NewGraph(autograd.Options{Precision: c.precision})
		x := g.Variable(autograd.Scalar(c.at))
		tolerance := 1e-14
		if c.precision == autograd.Float32 {
			tolerance = 1e-6
		}
		y := c.f(x)
		if c.second {
			wantNumbers(t, c.name, []float64{autograd.Hessian(y, x).Item()}, []float64{c.want}, tolerance)
			continue
		}
		wantNumbers(t, c.name+" by Backward", []float64{y.BackwardFrom(autograd.Scalar(c.seed)).Of(x).Item()}, []float64{c.want}, tolerance)
		wantNumbers(t, c.name+" by Grad", []float64{autograd.VJP(y, g.Scalar(c.seed), x)[0].Item()}, []float64{c.want}, tolerance)
	}
}
