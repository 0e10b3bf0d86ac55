package kernel_test

import (
	"math"
	"testing"

	"nabla/internal/kernel"
)

// double is a number as the unevaluated sum of two, with about 100 bits: the
// reference for dense sweeps, for which math/big is too slow.
type double struct{ high, low float64 }

func exactly(x float64) double { return double{x, 0} }

func quickSum(x, y float64) double {
	s := x + y
	return double{s, y - (s - x)}
}

func (x double) plus(y double) double {
	s := x.high + y.high
	part := s - x.high
	rest := (x.high - (s - part)) + (y.high - part)
	return quickSum(s, rest+x.low+y.low)
}

func (x double) negative() double { return double{-x.high, -x.low} }

func (x double) minus(y double) double { return x.plus(y.negative()) }

func (x double) times(y double) double {
	p := x.high * y.high
	return quickSum(p, math.FMA(x.high, y.high, -p)+x.high*y.low+x.low*y.high)
}

func (x double) over(y double) double {
	q := x.high / y.high
	r := x.minus(y.times(exactly(q)))
	second := r.high / y.high
	third := r.minus(y.times(exactly(second))).high / y.high
	return quickSum(q, second).plus(exactly(third))
}

// expm1 splits x into exponent·ln 2 + r and returns y = eʳ − 1: the series for
// r/256, then 8 steps from r to 2r.
func (x double) expm1() (y double, exponent int) {
	ln2 := double{math.Ln2, 2.3190468138462996e-17}
	k := math.RoundToEven(x.high * math.Log2E)
	r := x.minus(ln2.times(exactly(k)))
	r = double{r.high / 256, r.low / 256}
	term, sum := r, r
	for n := 2.0; n < 14; n++ {
		term = term.times(r).over(exactly(n))
		sum = sum.plus(term)
	}
	for range 8 {
		sum = sum.times(sum.plus(exactly(2)))
	}
	return sum, int(k)
}

func (x double) scaled(exponent int) double {
	return double{math.Ldexp(x.high, exponent), math.Ldexp(x.low, exponent)}
}

func (x double) exp() double {
	y, exponent := x.expm1()
	return y.plus(exactly(1)).scaled(exponent)
}

// log is ln x: the float64 logarithm y, corrected by z = x·e⁻ʸ − 1 less half of
// z².
func (x double) log() double {
	y := exactly(math.Log(x.high))
	rest := x.times(y.negative().exp()).minus(exactly(1))
	return y.plus(rest).minus(exactly(rest.high * rest.high / 2))
}

// log1p is ln(1 + x) for x > −1, by its series near 0.
func (x double) log1p() double {
	if math.Abs(x.high) > 0.01 {
		return x.plus(exactly(1)).log()
	}
	s := x.over(x.plus(exactly(2)))
	square, sum := s.times(s), exactly(0)
	for n := 21.0; n > 0; n -= 2 {
		sum = sum.times(square).plus(exactly(1).over(exactly(n)))
	}
	return sum.times(s).times(exactly(2))
}

func (x double) sigmoid() double { return exactly(1).over(x.negative().exp().plus(exactly(1))) }

func (x double) softplus() double {
	if x.high > 0 {
		return x.plus(x.negative().softplus())
	}
	return x.exp().log1p()
}

// difference is eˣ − 1.
func (x double) difference() double {
	y, exponent := x.expm1()
	if exponent == 0 {
		return y
	}
	return x.exp().minus(exactly(1))
}

func (x double) tanh() double {
	e := x.plus(x).difference()
	return e.over(e.plus(exactly(2)))
}

func (x double) geluTanhArgument() double {
	cubic, root := exactly(0.044715), double{1.5957691216057308, -9.96930880911092e-17} // √(8/π)
	return x.plus(x.times(x).times(x).times(cubic)).times(root)
}

// sinCos are sine and cosine by their series, for small |x|.
func (x double) sinCos() (sin, cos double) {
	term := exactly(1)
	for n := 1.0; n < 60; n++ {
		switch int(n-1) % 4 {
		case 0:
			cos = cos.plus(term)
		case 1:
			sin = sin.plus(term)
		case 2:
			cos = cos.minus(term)
		case 3:
			sin = sin.minus(term)
		}
		term = term.times(x).over(exactly(n))
	}
	return sin, cos
}

func (x double) tan() double {
	sin, cos := x.sinCos()
	return sin.over(cos)
}

// atan, asin and acos correct the float64 result by one step of Newton's.
func (x double) atan() double {
	y := exactly(math.Atan(x.high))
	sin, cos := y.sinCos()
	return y.plus(x.times(cos).minus(sin).over(cos.plus(x.times(sin))))
}

func (x double) asin() double {
	y := exactly(math.Asin(x.high))
	sin, cos := y.sinCos()
	return y.plus(x.minus(sin).over(cos))
}

func (x double) acos() double {
	y := exactly(math.Acos(x.high))
	sin, cos := y.sinCos()
	return y.plus(cos.minus(x).over(sin))
}

// asinh and acosh are logarithms of a sum, for x > 0 and x > 1 not near the
// ends.
func (x double) asinh() double {
	return x.plus(x.times(x).plus(exactly(1)).root()).log()
}

func (x double) acosh() double {
	return x.plus(x.times(x).minus(exactly(1)).root()).log()
}

func (x double) atanh() double {
	return exactly(1).plus(x).over(exactly(1).minus(x)).minus(exactly(1)).log1p().scaled(-1)
}

func (x double) logit() double { return x.over(exactly(1).minus(x)).log() }

// root is √x, one step of Newton's from the float64 result.
func (x double) root() double {
	y := exactly(math.Sqrt(x.high))
	return y.plus(x.minus(y.times(y)).over(y).scaled(-1))
}

// siluSlope is 0 at −1.278. Near it the relative error says nothing.
func siluSlope(x double) double {
	s := x.sigmoid()
	return s.plus(x.times(s).times(x.negative().sigmoid()))
}

// sweeps are functions and derivatives, with the range of arguments and the
// largest error of the vectors in float64 and in float32, in units in the last
// place.
var sweeps = []struct {
	name         string
	f            func(x double) double
	isDerivative bool
	lo, hi       float64
	bits64       float64
	bits32       float64
}{
	{"Exp", double.exp, false, -700, 709, 1, 1.2},
	{"Expm1", double.difference, false, -40, 700, 2, 0.51},
	{"Expm1", double.difference, false, -2, 2, 2, 0.51},
	{"Log", double.log, false, 1e-3, 10, 1, 0.51},
	{"Log1p", double.log1p, false, -0.999, 3, 1, 0.51},
	{"Tanh", double.tanh, false, -22, 22, 1.5, 1.6},
	{"Tanh", double.tanh, false, -1, 1, 1.5, 1.6},
	{"Sigmoid", double.sigmoid, false, -80, 40, 2, 1.7},
	{"Softplus", double.softplus, false, -40, 40, 1.5, 0.51},
	{"SiLU", func(x double) double { return x.times(x.sigmoid()) }, false, -80, 40, 2, 2},
	{"Mish", func(x double) double { return x.times(x.softplus().tanh()) }, false, -40, 40, 2, 0.51},
	{"GELUTanh", func(x double) double { return x.times(x.geluTanhArgument().sigmoid()) }, false, -12, 8, 2, 0.51},
	{"Sinh", func(x double) double { return double.over(x.exp().minus(x.negative().exp()), exactly(2)) }, false, 0.3, 20, 2, 0.51},
	{"Cosh", func(x double) double { return double.over(x.exp().plus(x.negative().exp()), exactly(2)) }, false, -20, 20, 2, 0.51},
	{"Sin", func(x double) double { sin, _ := x.sinCos(); return sin }, false, -3, 3, 1, 0.51},
	{"Cos", func(x double) double { _, cos := x.sinCos(); return cos }, false, -3, 3, 1, 0.51},
	{"Tan", double.tan, false, -1.5, 1.5, 2, 0.51},
	{"Atan", double.atan, false, -8, 8, 2, 0.51},
	{"Asin", double.asin, false, -0.95, 0.95, 2, 0.75},
	{"Acos", double.acos, false, -0.95, 0.95, 2.1, 0.75},
	{"Asinh", double.asinh, false, 1e-3, 2, 2, 0.51},
	{"Asinh", double.asinh, false, 0.3, 20, 2, 0.51},
	{"Acosh", double.acosh, false, 1, 2, 2, 0.51},
	{"Acosh", double.acosh, false, 1.01, 20, 2, 0.51},
	{"Atanh", double.atanh, false, -0.999, 0.999, 2, 0.51},
	{"Logit", double.logit, false, 1e-3, 0.45, 2, 0.51},
	{"Logit", double.logit, false, 0.55, 0.999, 2, 0.51},
	{"SELU", func(x double) double {
		return x.difference().times(exactly(1.6732632423543772)).times(exactly(1.0507009873554805))
	}, false, -30, 0, 3, 0.51},
	{"Expm1", double.exp, true, -40, 40, 2, 0.51},
	{"Sigmoid", func(x double) double { return x.sigmoid().times(x.negative().sigmoid()) }, true, -80, 80, 2.5, 0.51},
	{"Tanh", func(x double) double {
		return double.over(exactly(1), x.exp().plus(x.negative().exp()).times(x.exp().plus(x.negative().exp()))).scaled(2)
	}, true, -20, 20, 2.5, 0.51},
	{"Softplus", double.sigmoid, true, -80, 40, 2, 0.51},
	{"SiLU", siluSlope, true, -30, -4, 3.5, 0.51},
	{"SiLU", siluSlope, true, 0, 30, 2.5, 0.51},
}

// The errors of dense sweeps stay within the stated bounds.
func TestSweeps(t *testing.T) {
	if raceDetector {
		t.Skip("measures errors on one goroutine: the race detector has nothing to see")
	}
	if !kernel.HasVectors() {
		t.Skip("the portable forms are those of the standard library")
	}
	const n = 4000
	x, y, x32, y32, ones, ones32 := make([]float64, n), make([]float64, n), make([]float32, n), make([]float32, n), make([]float64, n), make([]float32, n)
	kernel.Fill(ones, 1)
	kernel.Fill(ones32, 1)
	for _, row := range sweeps {
		for i := range x {
			x[i] = row.lo + (row.hi-row.lo)*(float64(i)+0.37)/n
		}
		kernel.Convert32(x32, x)
		u := unary(t, row.name)
		if row.isDerivative {
			u.D64(y, ones, x, nil, 1, 0)
			u.D32(y32, ones32, x32, nil, 1, 0)
		} else {
			u.F64(y, x, 1, 0)
			u.F32(y32, x32, 1, 0)
		}
		worst, worst32 := 0.0, 0.0
		for i := range x {
			worst = max(worst, unitsFrom(y[i], row.f(exactly(x[i])), 53))
			if v := math.Abs(float64(y32[i])); v >= 0x1p-126 && v <= math.MaxFloat32 {
				worst32 = max(worst32, unitsFrom(float64(y32[i]), row.f(exactly(float64(x32[i]))), 24))
			}
		}
		if worst > row.bits64 || worst32 > row.bits32 {
			t.Errorf("%s, derivative %v: %.3f units off in float64 and %.3f in float32, stated are %v and %v", row.name, row.isDerivative, worst, worst32, row.bits64, row.bits32)
		}
		t.Logf("%s, derivative %v: %.3f, %.3f", row.name, row.isDerivative, worst, worst32)
	}
}

// unitsFrom is the error in units in the last place of a number with the given
// bits.
func unitsFrom(got float64, want double, bits int) float64 {
	_, exponent := math.Frexp(want.high)
	return math.Abs(exactly(got).minus(want).high) / math.Ldexp(1, exponent-bits)
}

// Functions that are hard to compute with two numbers are measured in float32
// against their scalar forms in float64, most of which are the standard
// library's. GELU's derivative is 0 at −0.75.
func TestSweeps32(t *testing.T) {
	const n = 100_000
	x, y, ones := make([]float32, n), make([]float32, n), make([]float32, n)
	kernel.Fill(ones, 1)
	for _, row := range []struct {
		name         string
		isDerivative bool
		lo, hi       float64
		bits32       float64
	}{
		{"GELU", false, -12.9, -2, 1.6}, {"GELU", false, -2, 0.5, 1.6}, {"GELU", false, -0.01, 6, 1.2},
		{"GELU", true, -12.9, -1, 2}, {"GELU", true, -1, 0, 2}, {"GELU", true, 0, 6, 1.3},
		{"Erf", false, -4, 4, 0.51}, {"Erfc", false, -4, 9, 0.51},
		{"Asin", false, -1, 1, 0.75}, {"Asin", false, 0.9999, 1, 0.75}, {"Acos", false, -1, 1, 0.75}, {"Acos", false, 0.9999, 1, 0.75},
		{"Asin", true, -1, 1, 2}, {"Acos", true, 0.99, 1, 2},
	} {
		u := unary(t, row.name)
		for i := range x {
			x[i] = float32(row.lo + (row.hi-row.lo)*float64(i)/n)
		}
		exact := func(x float64) float64 { return u.F(x, 0, 0) }
		if row.isDerivative {
			u.D32(y, ones, x, nil, 0, 0)
			exact = func(x float64) float64 { return u.D(1, x, 0, 0, 0) }
		} else {
			u.F32(y, x, 0, 0)
		}
		worst := 0.0
		for i := range x {
			if want := exact(float64(x[i])); math.Abs(want) >= 0x1p-126 && !math.IsInf(want, 0) {
				worst = max(worst, unitsFrom(float64(y[i]), exactly(want), 24))
			}
		}
		if worst > row.bits32 {
			t.Errorf("%s, derivative %v: %.3f units off in float32 between %v and %v, stated are %v", row.name, row.isDerivative, worst, row.lo, row.hi, row.bits32)
		}
		t.Logf("%s, derivative %v: %.3f", row.name, row.isDerivative, worst)
	}
}
