package kernel_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"nabla/internal/kernel"
)

// unaries names every elementwise function of one argument, with the constants
// for the tests of agreement.
var unaries = []struct {
	name string
	u    *kernel.Unary
	a, b float64
}{
	{"Neg", &kernel.Neg, 0, 0}, {"Scale", &kernel.Scale, 0.75, 0}, {"AddScalar", &kernel.AddScalar, 0.75, 0},
	{"PowScalar", &kernel.PowScalar, 2, 0}, {"PowScalar", &kernel.PowScalar, 1.5, 0}, {"PowScalar", &kernel.PowScalar, 1, 0}, {"PowScalar", &kernel.PowScalar, 3, 0},
	{"PowScalar", &kernel.PowScalar, 0, 0}, {"Square", &kernel.Square, 0, 0}, {"Sqrt", &kernel.Sqrt, 0, 0},
	{"Rsqrt", &kernel.Rsqrt, 0, 0}, {"Reciprocal", &kernel.Reciprocal, 0, 0}, {"Abs", &kernel.Abs, 0, 0},
	{"Sign", &kernel.Sign, 0, 0}, {"Exp", &kernel.Exp, 0, 0}, {"Expm1", &kernel.Expm1, 0, 0}, {"Log", &kernel.Log, 0, 0},
	{"Log1p", &kernel.Log1p, 0, 0}, {"Log2", &kernel.Log2, 0, 0}, {"Log10", &kernel.Log10, 0, 0}, {"Sin", &kernel.Sin, 0, 0},
	{"Cos", &kernel.Cos, 0, 0}, {"Tan", &kernel.Tan, 0, 0}, {"Asin", &kernel.Asin, 0, 0}, {"Acos", &kernel.Acos, 0, 0},
	{"Atan", &kernel.Atan, 0, 0}, {"Sinh", &kernel.Sinh, 0, 0}, {"Cosh", &kernel.Cosh, 0, 0}, {"Tanh", &kernel.Tanh, 0, 0},
	{"Asinh", &kernel.Asinh, 0, 0}, {"Acosh", &kernel.Acosh, 0, 0}, {"Atanh", &kernel.Atanh, 0, 0}, {"Erf", &kernel.Erf, 0, 0},
	{"Erfc", &kernel.Erfc, 0, 0}, {"ErfInv", &kernel.ErfInv, 0, 0}, {"Logit", &kernel.Logit, 0, 0}, {"Cbrt", &kernel.Cbrt, 0, 0},
	{"Sinc", &kernel.Sinc, 0, 0}, {"Sinc", &kernel.Sinc, 3, 0}, {"Floor", &kernel.Floor, 0, 0}, {"Ceil", &kernel.Ceil, 0, 0}, {"Round", &kernel.Round, 0, 0}, {"Trunc", &kernel.Trunc, 0, 0},
	{"Lgamma", &kernel.Lgamma, 0, 0}, {"Digamma", &kernel.Digamma, 0, 0}, {"Polygamma", &kernel.Polygamma, 2, 0},
	{"ReLU", &kernel.ReLU, 0, 0}, {"ReLU6", &kernel.ReLU6, 0, 0}, {"LeakyReLU", &kernel.LeakyReLU, 0.25, 0},
	{"ELU", &kernel.ELU, 0.75, 0}, {"SELU", &kernel.SELU, 0, 0}, {"CELU", &kernel.CELU, 0.75, 0}, {"GELU", &kernel.GELU, 0, 0},
	{"GELUTanh", &kernel.GELUTanh, 0, 0}, {"SiLU", &kernel.SiLU, 0, 0}, {"Mish", &kernel.Mish, 0, 0},
	{"HardShrink", &kernel.HardShrink, 0.5, 0}, {"Softplus", &kernel.Softplus, 0.75, 0}, {"Softsign", &kernel.Softsign, 0, 0}, {"Sigmoid", &kernel.Sigmoid, 0, 0},
	{"LogSigmoid", &kernel.LogSigmoid, 0, 0}, {"HardSigmoid", &kernel.HardSigmoid, 0, 0}, {"HardSwish", &kernel.HardSwish, 0, 0},
	{"HardTanh", &kernel.HardTanh, -1, 1}, {"Clamp", &kernel.Clamp, -1, 1}, {"EqualS", &kernel.EqualS, 0.5, 0},
	{"NotEqualS", &kernel.NotEqualS, 0.5, 0}, {"LessS", &kernel.LessS, 0.5, 0}, {"LessEqualS", &kernel.LessEqualS, 0.5, 0},
	{"GreaterS", &kernel.GreaterS, 0.5, 0}, {"GreaterEqualS", &kernel.GreaterEqualS, 0.5, 0},
}

func unary(t *testing.T, name string) *kernel.Unary {
	t.Helper()
	for _, row := range unaries {
		if row.name == name {
			return row.u
		}
	}
	t.Fatalf("no function %s", name)
	return nil
}

// near reports whether got is want within a relative tolerance, or both are NaN
// or the same infinity. Subnormal results may lose digits.
func near(got, want, tolerance float64) bool {
	switch {
	case got == want || (got != got && want != want):
		return true
	case math.IsInf(got, 0) || math.IsInf(want, 0):
		return false
	}
	return math.Abs(got-want) <= tolerance*math.Abs(want)+3e-308*tolerance+5e-324
}

// referenceTolerance is the relative error of functions for which it is more
// than ordinary rounding: the standard library's are less accurate where they
// are steep.
var referenceTolerance = map[string]float64{
	"PowScalar": 1e-13, "Polygamma": 2e-14, "Digamma": 1e-14, "Lgamma": 1e-14, "Sinc": 1e-14,
}

// The reference values come from mpmath with 60 digits and more: see
// testdata/functions.py.
func TestReferenceValues(t *testing.T) {
	raw, err := os.ReadFile("testdata/functions.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Function string
		X, A     float64
		Y, DyDx  string
	}
	if err := json.Unmarshal(raw, &rows); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		u := unary(t, row.Function)
		tolerance := max(referenceTolerance[row.Function], 2e-15)
		y, slope := parse(t, row.Y), parse(t, row.DyDx)
		if got := u.F(row.X, row.A, 0); !near(got, y, tolerance) {
			t.Errorf("%s(%v; %v) = %v, want %v, relative error %.2g", row.Function, row.X, row.A, got, y, (got-y)/y)
		}
		if got := u.D(1, row.X, y, row.A, 0); !near(got, slope, tolerance) {
			t.Errorf("%s′(%v; %v) = %v, want %v, relative error %.2g", row.Function, row.X, row.A, got, slope, (got-slope)/slope)
		}
	}
}

func parse(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// special holds the points at which the loops are compared with the scalar
// forms, all of them float32 numbers.
var special = []float64{
	math.NaN(), math.Inf(-1), math.Inf(1), math.Copysign(0, -1), 0, -1000, -6, -3, -2.5, -1, -0.75, -0.5, 0.25, 0.5, 0.75, 1, 1.5,
	2, 2.5, 3, 6, 7, 25, 40, 1000,
}

// tolerances are how far loops may be from the scalar form, relatively. The
// portable loops agree exactly, except for the rounding to float32. The tests
// of twins and sweeps say which vectors do so, too, and how near the others
// are.
func tolerances(name string) (double, single float64) {
	switch {
	case !kernel.HasVectors():
		return 0, 1.2e-7
	case name == "PowScalar" || name == "Pow":
		return 1e-13, 2.4e-7
	}
	return 2e-15, 2.4e-7
}

// slopeCrosses names the functions whose derivative goes through 0, where its
// relative error is large.
var slopeCrosses = map[string]bool{"GELU": true, "GELUTanh": true, "SiLU": true}

// Every loop agrees with its scalar form: float64 exactly, or in the assembly
// loops nearly so, float32 within its rounding. The result may overwrite an
// argument.
func TestLoopsAgreeWithScalarForm(t *testing.T) {
	for _, row := range unaries {
		tolerance, tolerance32 := tolerances(row.name)
		x32 := make([]float32, len(special))
		kernel.Convert32(x32, special)
		y64, y32 := slices.Clone(special), slices.Clone(x32)
		row.u.F64(y64, y64, row.a, row.b)
		row.u.F32(y32, y32, row.a, row.b)
		for i, x := range special {
			want := row.u.F(x, row.a, row.b)
			if !near(y64[i], want, tolerance) || !near(float64(y32[i]), float64(float32(want)), tolerance32) {
				t.Errorf("%s(%v): loops give %v and %v, want %v", row.name, x, y64[i], y32[i], want)
			}
		}
		if row.u.D == nil {
			if row.u.D64 != nil || row.u.D32 != nil {
				t.Errorf("%s has loops for a gradient that it doesn't have", row.name)
			}
			continue
		}
		g64, g32 := make([]float64, len(special)), make([]float32, len(special))
		kernel.Fill(g64, 0.75)
		kernel.Fill(g32, 0.75)
		row.u.D64(g64, g64, special, y64, row.a, row.b)
		row.u.D32(g32, g32, x32, y32, row.a, row.b)
		for i, x := range special {
			want := row.u.D(0.75, x, y64[i], row.a, row.b)
			if !near(g64[i], want, 2*tolerance) && !(slopeCrosses[row.name] && math.Abs(g64[i]-want) <= tolerance) {
				t.Errorf("%s′(%v): float64 loop gives %v, want %v", row.name, x, g64[i], want)
			}
			want32 := row.u.D(0.75, x, float64(y32[i]), row.a, row.b)
			if !near(float64(g32[i]), float64(float32(want32)), 2.5e-7) {
				t.Errorf("%s′(%v): float32 loop gives %v, want %v", row.name, x, g32[i], want32)
			}
		}
	}
}

// A gradient doesn't read y except where its comment says so: the caller may
// then pass nil.
func TestGradientsWithoutY(t *testing.T) {
	needY := []string{"Exp", "Sqrt", "Rsqrt", "Reciprocal", "Tan"}
	x, g := []float64{0.5, 2}, []float64{1, 1}
	for _, row := range unaries {
		if row.u.D != nil && !slices.Contains(needY, row.name) {
			row.u.D64(g, g, x, nil, row.a, row.b)
		}
	}
}

// Derivatives of every function against central differences, between its kinks.
func TestDerivativesAgainstDifferences(t *testing.T) {
	for _, row := range unaries {
		if row.u.D == nil {
			continue
		}
		for _, x := range []float64{-7.3, -4.4, -2.2, -0.6, -0.3, 0.3, 0.7, 1.3, 2.2, 4.4, 7.3} {
			const h = 1e-5
			y := row.u.F(x, row.a, row.b)
			difference := (row.u.F(x+h, row.a, row.b) - row.u.F(x-h, row.a, row.b)) / (2 * h)
			if y != y || difference != difference {
				continue
			}
			if got := row.u.D(1, x, y, row.a, row.b); math.Abs(got-difference) > 1e-6*(1+math.Abs(difference)+math.Abs(y)) {
				t.Errorf("%s′(%v; %v, %v) = %v, difference quotient %v", row.name, x, row.a, row.b, got, difference)
			}
		}
	}
}

func TestUnaryEdges(t *testing.T) {
	inf, nan, negZero := math.Inf(1), math.NaN(), math.Copysign(0, -1)
	const unstated = 12345.0 // a value or gradient that the row does not state
	for _, row := range []struct {
		name        string
		a, b, x     float64
		y, gradient float64
	}{
		{"ReLU", 0, 0, 0, 0, 0}, {"ReLU", 0, 0, nan, nan, nan}, {"ReLU", 0, 0, inf, inf, 1},
		{"Abs", 0, 0, 0, 0, 0}, {"Abs", 0, 0, -inf, inf, -1}, {"Sign", 0, 0, 0, 0, 0}, {"Sign", 0, 0, -3, -1, 0},
		{"LeakyReLU", 0.01, 0, 0, 0, 0.01}, {"ELU", 0.7, 0, 0, 0, 0.7},
		{"ReLU6", 0, 0, 0, 0, 0}, {"ReLU6", 0, 0, 6, 6, 0}, {"ReLU6", 0, 0, nan, nan, nan},
		{"HardTanh", -1, 1, -1, -1, 0}, {"HardTanh", -1, 1, 1, 1, 0}, {"HardTanh", -1, 1, 0.5, 0.5, 1},
		{"HardSigmoid", 0, 0, -3, 0, 0}, {"HardSigmoid", 0, 0, 3, 1, 0}, {"HardSigmoid", 0, 0, 0, 0.5, 1.0 / 6},
		{"HardSwish", 0, 0, -3, 0, 0}, {"HardSwish", 0, 0, 3, 3, 1}, {"HardSwish", 0, 0, -inf, 0, 0}, {"HardSwish", 0, 0, 1e308, 1e308, 1},
		{"Clamp", -1, 1, -1, -1, 1}, {"Clamp", -1, 1, 1, 1, 1}, {"Clamp", -1, 1, 2, 1, 0}, {"Clamp", -1, 1, nan, nan, nan},
		{"Sqrt", 0, 0, 0, 0, inf}, {"Sqrt", 0, 0, negZero, 0, inf}, {"Sqrt", 0, 0, -1, nan, nan},
		{"Log", 0, 0, 0, -inf, inf}, {"Log", 0, 0, negZero, -inf, inf}, {"Log", 0, 0, -1, nan, -1},
		{"Reciprocal", 0, 0, 0, inf, -inf}, {"Reciprocal", 0, 0, negZero, -inf, -inf},
		{"Rsqrt", 0, 0, 0, inf, -inf}, {"Rsqrt", 0, 0, negZero, -inf, -inf}, {"Rsqrt", 0, 0, inf, 0, 0},
		{"SELU", 0, 0, 0, 0, 1.7580993408473766}, {"CELU", 0.7, 0, 0, 0, 1},
		{"PowScalar", 2, 0, 0, 0, 0}, {"PowScalar", 1, 0, 0, 0, 1}, {"PowScalar", 0, 0, 0, 1, 0}, {"PowScalar", 0, 0, nan, 1, 0},
		{"PowScalar", 3, 0, 0, 0, 0}, {"PowScalar", 0.5, 0, 0, 0, inf}, {"PowScalar", 3, 0, -2, -8, 12},
		{"Sigmoid", 0, 0, 1000, 1, 0}, {"Sigmoid", 0, 0, -1000, 0, 0}, {"Sigmoid", 0, 0, 40, 1, 4.248354255291589e-18},
		{"Tanh", 0, 0, 1000, 1, 0}, {"Tanh", 0, 0, -1000, -1, 0}, {"Tanh", 0, 0, 19, unstated, 1.2556531168192118e-16},
		{"Expm1", 0, 0, -40, -1, 4.248354255291589e-18}, {"LogSigmoid", 0, 0, -1000, -1000, 1},
		{"Softplus", 1, 0, 25, 25.00000000001389, unstated}, {"Softplus", 1, 0, -1000, 0, 0}, {"Softplus", 1, 0, 1000, 1000, 1},
		{"GELU", 0, 0, -10, -7.619853024160526e-23, unstated}, {"GELU", 0, 0, -inf, 0, 0}, {"GELU", 0, 0, inf, inf, 1},
		{"SiLU", 0, 0, -inf, 0, 0}, {"SiLU", 0, 0, inf, inf, 1}, {"Mish", 0, 0, -inf, 0, 0}, {"Mish", 0, 0, inf, inf, 1},
		{"GELUTanh", 0, 0, -inf, 0, 0}, {"GELUTanh", 0, 0, inf, inf, 1}, {"Softsign", 0, 0, -inf, -1, 0},
		{"Round", 0, 0, 0.5, 0, 0}, {"Round", 0, 0, 2.5, 2, 0}, {"Round", 0, 0, -1.5, -2, 0}, {"Floor", 0, 0, -0.5, -1, 0},
		{"Log2", 0, 0, 8, 3, unstated}, {"Log10", 0, 0, 1000, 3, unstated}, {"Log10", 0, 0, 1e-5, -5, unstated}, {"Log2", 0, 0, 0, -inf, inf},
		{"Log1p", 0, 0, -1, -inf, inf}, {"Asin", 0, 0, 1, math.Pi / 2, inf}, {"Acos", 0, 0, -1, math.Pi, -inf}, {"Acos", 0, 0, 2, nan, nan},
		{"Asin", 0, 0, -2, nan, nan}, {"Acosh", 0, 0, 1, 0, inf}, {"Acosh", 0, 0, 0.5, nan, nan}, {"Atanh", 0, 0, 1, inf, inf},
		{"Erf", 0, 0, inf, 1, 0}, {"Erfc", 0, 0, -inf, 2, 0}, {"Atan", 0, 0, inf, math.Pi / 2, 0},
		{"Lgamma", 0, 0, -2, inf, nan}, {"Lgamma", 0, 0, 0, inf, -inf}, {"Lgamma", 0, 0, -inf, inf, nan},
		{"Digamma", 0, 0, 0, -inf, inf}, {"Digamma", 0, 0, -3, nan, inf}, {"Digamma", 0, 0, inf, inf, 0},
		{"Polygamma", 1, 0, -2, inf, nan}, {"Polygamma", 1, 0, inf, 0, 0}, {"Polygamma", 1, 0, -inf, nan, nan},
		{"Polygamma", 0, 0, 1, -0.5772156649015329, math.Pi * math.Pi / 6}, {"Polygamma", 2, 0, 0, -inf, inf},
		{"Polygamma", 1.5, 0, 1, nan, nan}, {"Polygamma", -1, 0, 1, nan, unstated}, {"Polygamma", 1, 0, nan, nan, nan},
		{"EqualS", 0.5, 0, nan, 0, unstated}, {"NotEqualS", 0.5, 0, nan, 1, unstated}, {"LessS", 0.5, 0, nan, 0, unstated},
		{"GreaterEqualS", 0.5, 0, 0.5, 1, unstated}, {"GreaterS", 0.5, 0, 0.5, 0, unstated}, {"LessEqualS", 0.5, 0, 0.5, 1, unstated},
	} {
		u := unary(t, row.name)
		y := u.F(row.x, row.a, row.b)
		if row.y != unstated && !near(y, row.y, 1e-14) {
			t.Errorf("%s(%v; %v, %v) = %v, want %v", row.name, row.x, row.a, row.b, y, row.y)
		}
		if row.gradient != unstated {
			if got := u.D(1, row.x, y, row.a, row.b); !near(got, row.gradient, 1e-14) {
				t.Errorf("%s′(%v; %v, %v) = %v, want %v", row.name, row.x, row.a, row.b, got, row.gradient)
			}
		}
	}
}

// Where a function is constant its gradient is set to 0, not multiplied by it;
// NaN passes through everything else.
func TestDeadSideOfInfiniteGradient(t *testing.T) {
	for _, name := range []string{"ReLU", "ReLU6", "HardSigmoid", "HardSwish"} {
		if got := unary(t, name).D(math.Inf(1), -5, 0, 0, 0); got != 0 {
			t.Errorf("%s′(−5)·Inf = %v, want 0", name, got)
		}
	}
	for _, row := range unaries {
		if row.u.D == nil || row.name == "Neg" || row.name == "Scale" || row.name == "AddScalar" || row.name == "PowScalar" {
			continue
		}
		nan := math.NaN()
		if y, g := row.u.F(nan, row.a, row.b), row.u.D(1, nan, nan, row.a, row.b); y == y || g == g {
			t.Errorf("%s(NaN) = %v with gradient %v, want NaN", row.name, y, g)
		}
	}
}

// The polygamma function satisfies its recurrence ψ⁽ⁿ⁾(x+1) = ψ⁽ⁿ⁾(x) +
// (−1)ⁿ·n!/xⁿ⁺¹ even for orders whose factorial overflows, and returns in
// reasonable time far to the left.
func TestPolygammaHighOrders(t *testing.T) {
	for _, n := range []float64{50, 99, 100, 101, 150} {
		for _, x := range []float64{10.25, 100, 219.5, 250.5, 340} {
			step := math.Copysign(1, -1)
			if math.Mod(n, 2) == 0 {
				step = 1
			}
			for k := 0.0; k <= n; k++ {
				step *= max(k, 1) / x
			}
			y, next := kernel.Polygamma.F(x, n, 0), kernel.Polygamma.F(x+1, n, 0)
			if !near(next-y, step, 1e-11) {
				t.Errorf("polygamma(%v, %v): step %v, want %v", n, x, next-y, step)
			}
		}
	}
	if y := kernel.Polygamma.F(-1e9-0.5, 1, 0); !near(y, math.Pi*math.Pi-1e-9, 1e-12) {
		t.Errorf("polygamma(1, −1e9−½) = %v, want π² − 1e−9", y)
	}
}

// Whole powers of numbers near 1 keep their digits: they are e^(y·ln x) with
// the rounding error of the product corrected.
func TestPowLargeExponents(t *testing.T) {
	for _, row := range []struct{ x, y, want float64 }{
		{1 + 0x1p-30, 1 << 30, 2.7182818271932465},
		{-(1 + 0x1p-30), 1<<30 + 1, -2.7182818297248437},
		{0.5, 100, 0x1p-100}, {2, 1000, 0x1p1000}, {2, -1074, 0x1p-1074}, {3, 30, 205891132094649}, {1, 1e300, 1}, {0.5, 2000, 0},
		{-1, 1e300, 1}, {-1.5, 64.5, math.NaN()}, {1.5, 1e5, math.Inf(1)},
	} {
		if got := kernel.Pow.F(row.x, row.y); !near(got, row.want, 5e-15) {
			t.Errorf("pow(%v, %v) = %v, want %v", row.x, row.y, got, row.want)
		}
	}
}

// Powers of subnormal numbers keep their digits. The values were computed with
// 60 digits.
func TestPowSubnormalBases(t *testing.T) {
	for _, row := range []struct{ x, y, want float64 }{
		{1.421757944646e-312, -0.75, 7.68034541186162829751e+233}, {5e-324, -0.5, 4.49891379454319638281e+161}, {5e-324, 0.25, 1.49089193085383538923e-81},
		{2.2250738585072e-308, 1.0000001, 2.22491624065473626936e-308}, {1e-310, -0.9375, 4.21696503428583456361e+290},
		{3.7e-320, 0.9, 3.24629242769873378017e-288}, {1e-315, -0.001, 2.06538015581366530197}, {6e-309, -1, 1.66666666666666626883e+308},
		{-6e-309, -1, -1.66666666666666626883e+308}, {-5e-324, 1, -5e-324}, {-5e-324, 0, 1}, {5e-324, -1, math.Inf(1)}, {1e-310, 1.9, 0}, {1e-310, -1.9, math.Inf(1)},
		{1e-310, 2, 0}, {-1e-310, -3, math.Inf(-1)}, {-1e-310, 0.5, math.NaN()}, {1e-310, math.NaN(), math.NaN()}, {1e-310, math.Inf(-1), math.Inf(1)},
	} {
		if got := kernel.Pow.F(row.x, row.y); !near(got, row.want, 5e-15) {
			t.Errorf("pow(%v, %v) = %v, want %v", row.x, row.y, got, row.want)
		}
	}
}
