package kernel_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"nabla/internal/kernel"
)

// digits is the precision in bits of the reference values.
const digits = 220

func number(x float64) *big.Float { return new(big.Float).SetPrec(digits).SetFloat64(x) }

// bigExp is eˣ: the series at x/2ᵏ, squared k times.
func bigExp(x *big.Float) *big.Float {
	const halvings = 20
	r := new(big.Float).SetPrec(digits).SetMantExp(x, -halvings)
	sum, term := number(1), number(1)
	for k := 1; k < 20; k++ {
		term.Mul(term, r)
		term.Quo(term, number(float64(k)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// bigLog is ln x for x > 0, by a step of Halley's from the float64 logarithm of
// its mantissa.
func bigLog(x *big.Float) *big.Float {
	mantissa := new(big.Float)
	exponent := x.MantExp(mantissa)
	m, _ := mantissa.Float64()
	y := bigLogNear(mantissa, math.Log(m))
	ln2 := bigLogNear(number(2), math.Ln2)
	return y.Add(y, ln2.Mul(ln2, number(float64(exponent))))
}

func bigLogNear(x *big.Float, start float64) *big.Float {
	y := number(start)
	for range 2 {
		e := bigExp(y)
		numerator, denominator := new(big.Float).Sub(x, e), new(big.Float).Add(x, e)
		y.Add(y, numerator.Mul(numerator, number(2)).Quo(numerator, denominator))
	}
	return y
}

func plus(x *big.Float, y float64) *big.Float {
	return new(big.Float).SetPrec(digits).Add(x, number(y))
}

func over(x, y *big.Float) *big.Float { return new(big.Float).SetPrec(digits).Quo(x, y) }

func times(x *big.Float, y float64) *big.Float {
	return new(big.Float).SetPrec(digits).Mul(x, number(y))
}

func bigSigmoid(x float64) *big.Float { return over(number(1), plus(bigExp(number(-x)), 1)) }

// bigSine is sin x or cos x by its series, for |x| up to a few tens.
func bigSine(x float64, cosine bool) *big.Float {
	v := number(x)
	square := new(big.Float).Mul(v, v)
	term, k := v, 1.0
	if cosine {
		term, k = number(1), 0
	}
	sum := new(big.Float).Copy(term)
	for range 150 {
		term = times(over(new(big.Float).Mul(term, square), number((k+1)*(k+2))), -1)
		sum.Add(sum, term)
		k += 2
	}
	return sum
}

// bigErf is erf x by its series, for |x| up to 8.
func bigErf(x *big.Float) *big.Float {
	square := new(big.Float).Mul(x, x)
	term, sum := new(big.Float).Copy(x), new(big.Float).Copy(x)
	for k := 1.0; k < 400; k++ {
		term = times(over(new(big.Float).Mul(term, square), number(k)), -1)
		sum.Add(sum, over(term, number(2*k+1)))
	}
	return over(times(sum, 2), new(big.Float).Sqrt(bigPi()))
}

// bigPi is π by Machin's formula.
func bigPi() *big.Float {
	arctan := func(n float64) *big.Float {
		term := over(number(1), number(n))
		sum := new(big.Float).Copy(term)
		for k := 1.0; k < 120; k++ {
			term = times(over(term, number(n*n)), -1)
			sum.Add(sum, over(term, number(2*k+1)))
		}
		return sum
	}
	return times(new(big.Float).Sub(times(arctan(5), 4), arctan(239)), 4)
}

func bigGELU(x float64) *big.Float {
	half := over(number(x), new(big.Float).Sqrt(number(2)))
	return times(plus(bigErf(half), 1), x/2)
}

// bounds states the largest error of each function in units in the last place,
// in float64 and float32.
var bounds = []struct {
	name         string
	exact        func(x float64) *big.Float
	lo, hi       float64
	bits64       float64
	bits32       float64
	positiveOnly bool
}{
	{"Exp", func(x float64) *big.Float { return bigExp(number(x)) }, -740, 709.7, 1.5, 1.2, false},
	{"Expm1", func(x float64) *big.Float { return plus(bigExp(number(x)), -1) }, -60, 709.7, 2, 0.51, false},
	{"Log", func(x float64) *big.Float { return bigLog(number(x)) }, 1e-308, 1e308, 1, 0.51, true},
	{"Log1p", func(x float64) *big.Float { return bigLog(plus(number(1), x)) }, -0.99999, 1e15, 1, 0.51, false},
	{"Log2", func(x float64) *big.Float { return over(bigLog(number(x)), bigLog(number(2))) }, 1e-308, 1e308, 1, 0.51, true},
	{"Log10", func(x float64) *big.Float { return over(bigLog(number(x)), bigLog(number(10))) }, 1e-308, 1e308, 1.5, 0.51, true},
	{"Tanh", func(x float64) *big.Float {
		e := bigExp(number(2 * x))
		return over(plus(e, -1), plus(e, 1))
	}, -25, 25, 1.5, 1.6, false},
	{"Sigmoid", bigSigmoid, -700, 700, 2, 1.7, false},
	{"Softplus", func(x float64) *big.Float { return bigLog(plus(bigExp(number(x)), 1)) }, -35, 35, 1.6, 0.51, false},
	{"LogSigmoid", func(x float64) *big.Float { return times(bigLog(plus(bigExp(number(-x)), 1)), -1) }, -35, 35, 2, 0.51, false},
	{"SiLU", func(x float64) *big.Float { return times(bigSigmoid(x), x) }, -700, 700, 2.5, 2, false},
	{"Sin", func(x float64) *big.Float { return bigSine(x, false) }, -30, 30, 1.5, 0.51, false},
	{"Cos", func(x float64) *big.Float { return bigSine(x, true) }, -30, 30, 1.5, 0.51, false},
	{"Erf", func(x float64) *big.Float { return bigErf(number(x)) }, -6, 6, 1.5, 0.51, false},
	{"Erfc", func(x float64) *big.Float { return plus(times(bigErf(number(x)), -1), 1) }, -6, 6, 2, 0.51, false},
	{"GELU", bigGELU, -10, 10, 2, 1.6, false},
}

// samples are n arguments between lo and hi, some evenly spaced and some of all
// magnitudes.
func samples(rng *rand.Rand, n int, lo, hi float64, positive bool) []float64 {
	x := make([]float64, 0, n)
	for len(x) < n {
		v := lo + (hi-lo)*rng.Float64()
		if len(x)%2 == 0 {
			v = math.Ldexp(1+rng.Float64(), rng.IntN(60)-50)
			if !positive && rng.IntN(2) == 0 {
				v = -v
			}
		}
		if v >= lo && v <= hi {
			x = append(x, v)
		}
	}
	return x
}

// The loops' errors stay within the stated bounds, measured against 200 bits.
func TestAccuracy(t *testing.T) {
	if raceDetector {
		t.Skip("measures errors on one goroutine: the race detector has nothing to see")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	n := 500
	for _, row := range bounds {
		u := unary(t, row.name)
		x := samples(rng, n, row.lo, row.hi, row.positiveOnly)
		x32 := make([]float32, n)
		kernel.Convert32(x32, x)
		y, y32 := make([]float64, n), make([]float32, n)
		u.F64(y, x, 1, 0)
		u.F32(y32, x32, 1, 0)
		worst, worst32 := 0.0, 0.0
		for i := range x {
			worst = max(worst, unitsOff(y[i], row.exact(x[i]), 53))
			if v := float64(x32[i]); v >= row.lo && math.Abs(float64(y32[i])) >= 0x1p-126 && float64(y32[i]) <= math.MaxFloat32 {
				worst32 = max(worst32, unitsOff(float64(y32[i]), row.exact(v), 24))
			}
		}
		if row.name == "GELU" && !kernel.HasVectors() {
			row.bits64 = 3 // of the portable form
		}
		if worst > row.bits64 || worst32 > row.bits32 {
			t.Errorf("%s is %.3f units off in float64 and %.3f in float32, stated are %v and %v", row.name, worst, worst32, row.bits64, row.bits32)
		}
		t.Logf("%s: %.3f, %.3f", row.name, worst, worst32)
	}
}

// unitsOff is the error in units in the last place of a number with the given
// bits.
func unitsOff(got float64, want *big.Float, bits int) float64 {
	if w, _ := want.Float64(); math.IsInf(w, 0) && w == got {
		return 0
	}
	if math.IsInf(got, 0) || got != got {
		return math.Inf(1)
	}
	difference := new(big.Float).SetPrec(digits).Sub(number(got), want)
	unit := new(big.Float).SetMantExp(big.NewFloat(1), max(want.MantExp(nil)-bits, -1074))
	off, _ := difference.Quo(difference, unit).Float64()
	return math.Abs(off)
}

// The softmax stays within its bounds, too. Unlike the portable form, the
// assembly does not subtract large numbers.
func TestAccuracyOfSoftmax(t *testing.T) {
	if !kernel.HasVectors() {
		t.Skip("the portable form is only as exact as the differences from the largest element")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	worst, worst32 := 0.0, 0.0
	for _, n := range []int{2, 3, 10, 37, 300} {
		for _, middle := range []float64{0, 1, -50, 700, 12345} {
			x32, y32 := make([]float32, n), make([]float32, n)
			x, y := make([]float64, n), make([]float64, n)
			for i := range x {
				x32[i] = float32(middle + 6*rng.NormFloat64())
				x[i] = float64(x32[i])
			}
			kernel.Softmax(y32, x32, 1, n, 1)
			kernel.Softmax(y, x, 1, n, 1)
			powers, sum := make([]*big.Float, n), number(0)
			for i, v := range x {
				powers[i] = bigExp(number(v - middle))
				sum.Add(sum, powers[i])
			}
			for i, power := range powers {
				want := over(power, sum)
				worst, worst32 = max(worst, unitsOff(y[i], want, 53)), max(worst32, unitsOff(float64(y32[i]), want, 24))
			}
		}
	}
	if worst > 2 || worst32 > 2 {
		t.Errorf("softmax is %.3f units off in float64 and %.3f in float32, stated are 2 and 2", worst, worst32)
	}
	t.Logf("%.3f, %.3f", worst, worst32)
}

// The power in assembly keeps its logarithm in two parts, so that whole powers
// are exact; the portable form is the standard library's.
func TestAccuracyOfPow(t *testing.T) {
	if !kernel.HasVectors() {
		t.Skip("the portable form has the errors of math.Pow")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 2000
	x, y, z := make([]float64, n), make([]float64, n), make([]float64, n)
	x32, y32, z32 := make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = math.Ldexp(0.5+rng.Float64(), rng.IntN(7)-3)
		if i%4 == 0 {
			x[i] = math.Ldexp(1+rng.Float64(), rng.IntN(2000)-1000)
		}
		y[i] = 700 / math.Log(x[i]) * (2*rng.Float64() - 1)
		if i%3 == 0 {
			y[i] = 4 * rng.NormFloat64()
		}
		x32[i], y32[i] = float32(math.Ldexp(0.5+rng.Float64(), rng.IntN(60)-30)), float32(4*rng.NormFloat64())
	}
	kernel.Pow.A64.VV(z, x, y)
	kernel.Pow.A32.VV(z32, x32, y32)
	worst, worst32 := 0.0, 0.0
	for i := range x {
		worst = max(worst, unitsOff(z[i], bigPow(x[i], y[i]), 53))
		if z32[i] >= 0x1p-126 && z32[i] <= math.MaxFloat32 {
			worst32 = max(worst32, unitsOff(float64(z32[i]), bigPow(float64(x32[i]), float64(y32[i])), 24))
		}
	}
	if worst > 1 || worst32 > 0.51 {
		t.Errorf("pow is %.3f units off in float64 and %.3f in float32, stated are 1 and 0.51", worst, worst32)
	}
	t.Logf("%.3f, %.3f", worst, worst32)
	for a := 1.0; a < 20; a++ {
		for k := 0; k < 12; k++ {
			want := 1.0
			for range k {
				want *= a
			}
			kernel.Pow.A64.VS(z[:1], []float64{-a}, float64(k))
			if math.Abs(z[0]) != want || (z[0] < 0) != (k%2 == 1) {
				t.Errorf("(−%v)^%d = %v, want ±%v", a, k, z[0], want)
			}
		}
	}
}

func bigPow(x, y float64) *big.Float {
	return bigExp(new(big.Float).Mul(bigLog(number(x)), number(y)))
}

// The entropies, for labels in [0, 1].
func TestAccuracyOfEntropies(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 500
	x, y, p, fromP, fromX := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range x {
		x[i], y[i], p[i] = 8*rng.NormFloat64(), rng.Float64(), rng.Float64()
		if i%2 == 0 {
			y[i], p[i] = float64(rng.IntN(2)), math.Ldexp(rng.Float64(), -rng.IntN(60))
		}
	}
	kernel.BCE.A64.VV(fromP, p, y)
	kernel.BCELogits.A64.VV(fromX, x, y)
	worst, worstLogits := 0.0, 0.0
	for i := range x {
		hit := new(big.Float).Mul(bigLog(number(p[i])), number(y[i]))
		miss := new(big.Float).Mul(bigLog(plus(number(-p[i]), 1)), plus(number(-y[i]), 1))
		worst = max(worst, unitsOff(-fromP[i], hit.Add(hit, miss), 53))
		logits := bigLog(plus(bigExp(number(x[i])), 1))
		worstLogits = max(worstLogits, unitsOff(fromX[i], logits.Sub(logits, times(number(x[i]), y[i])), 53))
	}
	if worst > 2 || worstLogits > 2 {
		t.Errorf("binary cross entropies are %.3f units off, and %.3f from logits, stated are 2 and 2", worst, worstLogits)
	}
	t.Logf("%.3f, %.3f", worst, worstLogits)
}
