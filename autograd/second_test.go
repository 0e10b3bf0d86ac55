package autograd_test

import (
	"math"
	"testing"

	"nabla/autograd"
)

// Second derivatives of reductions where the first was chosen: NaN, unless what
// they are part of is smooth.
func TestSecondDerivativesOfReductionsAtKinks(t *testing.T) {
	type value = autograd.Value
	nan := math.NaN()
	for _, row := range []struct {
		name string
		x    []float64
		f    func(x value) value
		want []float64 // row by row; one number for all of them
	}{
		{"norm", []float64{0, 0}, func(x value) value { return x.Norm(2) }, []float64{nan}},
		{"norm squared", []float64{0, 0}, func(x value) value { return x.Norm(2).Square() }, []float64{2, 0, 0, 2}},
		{"norm to the power 2", []float64{0, 0}, func(x value) value { return x.Norm(2).PowScalar(2) }, []float64{2, 0, 0, 2}},
		{"norm to the power 2, half", []float64{0, 0}, func(x value) value { return x.Norm(2).PowScalar(2).MulScalar(0.5) }, []float64{1, 0, 0, 1}},
		{"norm to the power 4", []float64{0, 0}, func(x value) value { return x.Norm(2).PowScalar(4) }, []float64{0}},
		{"norm to the powers 2 and 1", []float64{0, 0}, func(x value) value { n := x.Norm(2); return n.PowScalar(2).Mul(n) }, []float64{0}},
		{"norm to the power 1.5", []float64{0, 0}, func(x value) value { return x.Norm(2).PowScalar(1.5) }, []float64{nan}},
		{"norm to the power 2 elsewhere", []float64{3, 4}, func(x value) value { return x.Norm(2).PowScalar(2) }, []float64{2, 0, 0, 2}},
		{"norm to the power 3 elsewhere", []float64{3, 4}, func(x value) value { return x.Norm(2).PowScalar(3) }, []float64{20.4, 7.2, 7.2, 24.6}},
		{"norm of a row to the power 2", []float64{0, 0}, func(x value) value { return x.Norm(2, 0).PowScalar(2).Sum() }, []float64{2, 0, 0, 2}},
		{"norm times itself", []float64{0, 0}, func(x value) value { return x.Norm(2).Mul(x.Norm(2)) }, []float64{nan}},
		{"norm times the same", []float64{0, 0}, func(x value) value { n := x.Norm(2); return n.Mul(n) }, []float64{2, 0, 0, 2}},
		{"half a norm squared", []float64{0, 0}, func(x value) value { return x.Norm(2).Square().MulScalar(0.5) }, []float64{1, 0, 0, 1}},
		{"norm to the fourth", []float64{0, 0}, func(x value) value { return x.Norm(2).Square().Square() }, []float64{0}},
		{"norm cubed", []float64{0, 0}, func(x value) value { n := x.Norm(2); return n.Square().Mul(n) }, []float64{0}},
		{"a norm of a row squared", []float64{0, 0}, func(x value) value { return x.Norm(2, 0).Square().Sum() }, []float64{2, 0, 0, 2}},
		{"norm elsewhere", []float64{3, 4}, func(x value) value { return x.Norm(2) }, []float64{0.128, -0.096, -0.096, 0.072}},
		{"norm squared elsewhere", []float64{3, 4}, func(x value) value { return x.Norm(2).Square() }, []float64{2, 0, 0, 2}},
		{"std", []float64{5, 5}, func(x value) value { return x.Std() }, []float64{nan}},
		{"std squared", []float64{5, 5}, func(x value) value { return x.Std().Square() }, []float64{1, -1, -1, 1}},
		{"std to the power 2", []float64{5, 5}, func(x value) value { return x.Std().PowScalar(2) }, []float64{1, -1, -1, 1}},
		{"std squared elsewhere", []float64{1, 7}, func(x value) value { return x.Std().Square() }, []float64{1, -1, -1, 1}},
		{"var", []float64{5, 5}, func(x value) value { return x.Var() }, []float64{1, -1, -1, 1}},
		{"1-norm", []float64{1, -2}, func(x value) value { return x.Norm(1) }, []float64{0}},
		{"1-norm", []float64{0, 2}, func(x value) value { return x.Norm(1) }, []float64{nan, 0, nan, 0}},
		{"3-norm", []float64{0, 0}, func(x value) value { return x.Norm(3) }, []float64{nan}},
		{"3-norm on an axis", []float64{0, 2}, func(x value) value { return x.Norm(3) }, []float64{0}},
		{"greatest magnitude", []float64{1, -2}, func(x value) value { return x.Norm(math.Inf(1)) }, []float64{0}},
		{"greatest magnitude, a tie", []float64{2, -2}, func(x value) value { return x.Norm(math.Inf(1)) }, []float64{nan}},
		{"greatest magnitude of zeros", []float64{0, 0}, func(x value) value { return x.Norm(math.Inf(1)) }, []float64{nan}},
		{"max", []float64{1, 2}, func(x value) value { return x.Max().Square() }, []float64{0, 0, 0, 2}},
		{"max of a tie", []float64{2, 2}, func(x value) value { return x.Max().Square() }, []float64{nan}},
	} {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			x := g.Variable(autograd.NewTensor(row.x))
			h := autograd.Hessian(row.f(x), x).Tensor().Float64s()
			for i, v := range h {
				want := row.want[i%len(row.want)]
				if !(math.Abs(v-want) < 1e-6) && !(math.IsNaN(v) && math.IsNaN(want)) {
					t.Errorf("%s at %v in %v: Hessian %v, want %v", row.name, row.x, precision, h, row.want)
					break
				}
			}
		}
	}
}

// The gradient of what does not spread is exactly 0, by Backward and by Grad.
func TestNoSpreadNoGradient(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		for _, v := range []float64{-785300.125, 0.1, 1e20, 1e-20, 1e-300, 1e300} {
			for n := 2; n < 40; n++ {
				g := autograd.NewGraph(autograd.Options{Precision: precision})
				if precision == autograd.Float32 && (v > 1e30 || v < 1e-30 && v > 0) {
					continue
				}
				x := g.Variable(autograd.Full(v, n, 2))
				for _, y := range []autograd.Value{x.Std(0).Sum(), x.Var(0).Sum(), x.Std(), x.Var()} {
					grad := autograd.Grad(y, x)[0].Tensor().Float64s()
					for i, gx := range y.Backward().Of(x).Float64s() {
						if y.Item() != 0 || gx != 0 || grad[i] != 0 {
							t.Fatalf("%v, %d times %v: %v, gradient %v and %v", precision, n, v, y.Item(), gx, grad[i])
						}
					}
				}
			}
		}
	}
}

// Deviations whose squares leave the range: value, gradient and, in the unit's
// inverse, second derivatives are those of 1, 2, 4. From mpmath.
func TestDeviationsOutOfRange(t *testing.T) {
	const std = 1.5275252316519468
	slope := []float64{-0.4364357804719847, -0.10910894511799618, 0.5455447255899809}
	bend := []float64{ // (I − ⅓)/2 less the slope's square, divided by the deviation
		0.0935219529582824, -0.1402829294374237, 0.0467609764791412,
		-0.1402829294374237, 0.2104243941561355, -0.0701414647187118,
		0.0467609764791412, -0.0701414647187118, 0.0233804882395706,
	}
	for _, row := range []struct {
		precision autograd.Precision
		unit      float64
	}{
		{autograd.Float64, 1}, {autograd.Float64, 1e200}, {autograd.Float64, 1e-170}, {autograd.Float64, 1e300}, {autograd.Float64, 1e-300},
		{autograd.Float32, 1}, {autograd.Float32, 1e20}, {autograd.Float32, 1e-30}, {autograd.Float32, 1e37},
	} {
		near := 1e-14
		if row.precision == autograd.Float32 {
			near = 1e-6
		}
		g := autograd.NewGraph(autograd.Options{Precision: row.precision})
		for _, shape := range [][]int{{3}, {1, 3}, {3, 1}} {
			x := g.Variable(autograd.NewTensor([]float64{row.unit, 2 * row.unit, 4 * row.unit}, shape...))
			y := x.Std()
			if math.Abs(y.Item()/row.unit-std) > near {
				t.Errorf("%v: Std of %v·[1 2 4] is %v", row.precision, row.unit, y.Item())
			}
			grad, hessian := autograd.Grad(y, x)[0].Tensor().Float64s(), autograd.Hessian(y, x).Tensor().Float64s()
			for i, gx := range y.Backward().Of(x).Float64s() {
				if math.Abs(gx-slope[i]) > near || math.Abs(grad[i]-slope[i]) > near {
					t.Errorf("%v: gradient of Std at %v·[1 2 4] is %v and %v, want %v", row.precision, row.unit, gx, grad[i], slope[i])
				}
			}
			for i, h := range hessian {
				if math.Abs(h*row.unit-bend[i]) > near {
					t.Errorf("%v: second derivative %d of Std at %v·[1 2 4] is %v, want %v", row.precision, i, row.unit, h, bend[i]/row.unit)
				}
			}
		}
	}
	// The variance itself has left the range; its gradient has not.
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.NewTensor([]float64{1e200, 2e200, 4e200}))
	y := x.Var()
	gx := y.Backward().Of(x).Float64s()
	if !math.IsInf(y.Item(), 1) || math.Abs(gx[2]/1e200-5./3) > 1e-14 {
		t.Errorf("Var is %v, gradient %v", y.Item(), gx)
	}
	if mean := g.Constant(autograd.Full(1.7e308, 4)).Mean().Item(); mean != 1.7e308 {
		t.Errorf("the mean of 1.7e308 four times is %v", mean)
	}
}

// The norm's rule looks for a factor in what was recorded of its gradient,
// where each level of a ladder is used twice: it must not follow all 2⁶⁴ paths.
func TestGradOfNormUnderLadder(t *testing.T) {
	rungs := map[string]func(y autograd.Value) autograd.Value{
		"add": func(y autograd.Value) autograd.Value { return y.Add(y.MulScalar(1)) },
		"mul": func(y autograd.Value) autograd.Value { return y.Mul(y) },
	}
	for name, rung := range rungs {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(autograd.NewTensor([]float64{0, 1, 0})) // of norm 1
		y := x.Norm(2)
		for range 64 {
			y = rung(y)
		}
		wantNumbers(t, name, autograd.Grad(y, x)[0].Tensor().Float64s(), []float64{0, 1 << 64, 0}, 0)
	}
}
