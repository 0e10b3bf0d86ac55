package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
)

func transcendental(f *file) {
	for _, l := range f.both() {
		l.guardedUnary("Exp", "eˣ", l.exp, l.normalExp, l.isExtreme)
		l.guardedUnary("Sigmoid", "1/(1 + e⁻ˣ)", l.sigmoid, l.normalSigmoid, l.isBeyondGate, 1, l.extreme())
		l.guardedUnary("SiLU", "x/(1 + e⁻ˣ)", l.silu, l.normalSiLU, l.isBeyondGate, 1, l.extreme())
		l.unary("Tanh", "tanh x", medium, func() func(x vec) vec {
			l.keep(-22)
			return l.tanh
		})
	}
	for _, l := range f.careful() {
		l.unary("Expm1", "eˣ − 1", heavy, l.simple(l.expm1))
		l.unary("Log", "ln x", heavy, l.simple(l.log))
		l.unary("Log1p", "ln(1 + x)", heavy, l.simple(func(x vec) vec { return l.log1p(x, false) }))
		l.unary("Softplus", "ln(1 + e^(a·x))/a", heavy, func() func(x vec) vec {
			a := l.number("a")
			return func(x vec) vec {
				power, e := l.decayOfProduct(a, x)
				y := l.div(l.log1p(e, true), a)
				return l.orNaN(l.is(unordered, power, power), l.add(y, l.only(l.is(greater, power, l.zero()), x)))
			}
		})
		l.unary("LogSigmoid", "−ln(1 + e⁻ˣ)", heavy, l.simple(func(x vec) vec { return l.neg(l.softplus(l.neg(x))) }))
		l.unary("GELUTanh", "x/(1 + e⁻ᵘ), u = √(8/π)·(x + 0.044715·x³)", heavy, l.simple(func(x vec) vec {
			return l.gated(x, 22, l.geluPower, func(_ mask, e vec) vec { return l.div(e, l.add(e, l.held(1))) })
		}))
		l.transcendentalGradients()
		l.linearUnits()
	}
}

func (l *lane) simple(f func(x vec) vec) func() func(x vec) vec {
	return func() func(x vec) vec { return f }
}

func (l *lane) transcendentalGradients() {
	on := func(f func(g, x vec) vec) func() func(in []vec) vec {
		return func() func(in []vec) vec { return func(in []vec) vec { return f(in[0], in[1]) } }
	}
	l.gradient("Expm1", "gy·eˣ", heavy, "gy x", on(func(g, x vec) vec { return l.mul(g, l.exp(x)) }))
	l.gradient("Sigmoid", "gy·e/(1 + e)², e = e^(−|x|)", heavy, "gy x", on(func(g, x vec) vec {
		return l.mul(g, l.bell(l.exactDecay(l.or(x, l.signBits()))))
	}))
	l.gradient("Tanh", "gy·4e/(1 + e)², e = e^(−2|x|)", heavy, "gy x", on(func(g, x vec) vec {
		e := l.exactDecay(l.mul(l.or(x, l.signBits()), l.c(2)))
		return l.mul(g, l.mul(l.bell(e), l.c(4)))
	}))
	l.gradient("Softplus", "gy/(1 + e^(−a·x))", heavy, "gy x", func() func(in []vec) vec {
		a := l.number("a")
		return func(in []vec) vec {
			power, e := l.decayOfProduct(a, in[1])
			unit := l.held(1)
			p := l.div(l.pick(l.bySign(power), unit, e), l.add(e, unit))
			return l.orNaN(l.is(unordered, power, power), l.mul(in[0], p))
		}
	})
	l.gradient("LogSigmoid", "gy/(1 + eˣ)", heavy, "gy x", on(func(g, x vec) vec { return l.mul(g, l.sigmoid(l.neg(x))) }))
	l.gradient("SiLU", "gy·(s + x·s′), s = 1/(1 + e⁻ˣ)", heavy, "gy x", on(func(g, x vec) vec {
		p, slope := l.sigmoidAndSlope(x, l.exactDecay(l.or(x, l.signBits())))
		return l.mul(g, l.gateGrad(x, p, slope))
	}))
	l.gradient("GELUTanh", "gy·(s + x·s′), s = 1/(1 + e⁻ᵘ), u = √(8/π)·(x + 0.044715·x³)", heavy, "gy x", on(func(g, x vec) vec {
		p, slope := l.sigmoidAndSlope(x, l.decay(l.geluPower(l.least(l.held(22), l.abs(x)))).value())
		isFlat := l.is(equal, slope, l.c(0))
		inner := l.mul(l.add(l.mul(l.mul(x, x), l.c(3*geluCubic)), l.c(1)), l.c(geluScale))
		return l.mul(g, l.gateGrad(x, p, l.without(isFlat, l.mul(slope, inner))))
	}))
}

func (l *lane) linearUnits() {
	elu := func(x, scale vec) vec {
		return l.pick(l.is(greater, x, l.c(0)), l.mul(scale, l.expm1(x)), x)
	}
	eluGrad := func(g, x, scale vec) vec {
		return l.pick(l.is(greater, x, l.c(0)), l.mul(g, l.mul(scale, l.negativeExp(x))), g)
	}
	l.unary("ELU", "x where x > 0, else a·(eˣ − 1)", heavy, func() func(x vec) vec {
		a := l.number("a")
		return func(x vec) vec { return elu(x, a) }
	})
	l.gradient("ELU", "gy where x > 0, else gy·a·eˣ", heavy, "gy x", func() func(in []vec) vec {
		a := l.number("a")
		return func(in []vec) vec { return eluGrad(in[0], in[1], a) }
	})
	const scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
	l.unary("SELU", "λ·x where x > 0, else λ·α·(eˣ − 1)", heavy, func() func(x vec) vec {
		return func(x vec) vec { return l.mul(l.held(scale), elu(x, l.held(alpha))) }
	})
	l.gradient("SELU", "λ·gy where x > 0, else λ·gy·α·eˣ", heavy, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec { return l.mul(l.held(scale), eluGrad(in[0], in[1], l.held(alpha))) }
	})
}

// expSeries are the coefficients of (eʳ − 1 − r)/r² for |r| ≤ ln 2 / 2: see
// coefficients.py.
func (l *lane) expSeries() []float64 {
	switch {
	case l.bits == 32:
		return []float64{0.5, 0.16666576266288757, 0.041666556149721146, 0.008363178931176662, 0.0013926184037700295}
	case l.stored == 32:
		return []float64{
			0.500000001346581, 0.16666666681623232, 0.041666464925285904, 0.0083333109254809, 0.0013933649996309251, 0.00019890990824673654,
		}
	}
	return []float64{
		0.5000000000000001, 0.16666666666666669, 0.04166666666662413, 0.008333333333330062, 0.0013888888917213717, 0.00019841269863053618,
		2.4801521295954376e-05, 2.7557268459997064e-06, 2.7620088445409746e-07, 2.510038549551032e-08,
	}
}

// magic is 1.5 times the number from which all floats are integers. Adding it
// rounds to an integer, which the low bits then hold.
func (l *lane) magic() operand.Mem {
	if l.bits == 32 {
		return l.c(3 << 22)
	}
	return l.c(3 << 51)
}

// reduce splits x into n·ln 2 + r, |r| ≤ ln 2 / 2. The low bits of t are the
// integer n.
func (l *lane) reduce(x vec) (t, r vec) {
	t = l.load(l.magic())
	l.addProduct(t, x, l.c(math.Log2E))
	n := l.sub(t, l.magic())
	r = l.copy(x)
	high, low := l.ln2()
	l.subProduct(r, n, l.c(high))
	l.subProduct(r, n, l.c(low))
	return t, r
}

// ln2 is ln 2 in two parts.
func (l *lane) ln2() (high, low float64) {
	if l.bits == 32 {
		high = float64(float32(math.Ln2))
		return high, math.Ln2 - high
	}
	return math.Ln2, 2.3190468138462996e-17
}

// reducedExpm1 is eʳ − 1 for a reduced r.
func (l *lane) reducedExpm1(r vec) vec {
	square := l.mul(r, r)
	q := l.polynomial(r, square, l.expSeries()...)
	l.fma(q, square, r)
	return q
}

// reducedExp is eʳ for a reduced r.
func (l *lane) reducedExp(r vec) vec { return l.add(l.reducedExpm1(r), l.held(1)) }

// exactExp is the same with hardly more error than one rounding, for functions
// that add to it: the rounding error of 1 + r is corrected, and the series in
// float32 is longer.
func (l *lane) exactExp(r pair) vec {
	square := l.mul(r.high, r.high)
	one := l.sum(l.held(1), r.high)
	if r.low != nil {
		one.low = l.add(one.low, r.low)
	}
	q := l.polynomial(r.high, square, l.longSeries()...)
	l.fma(q, square, one.low)
	return l.add(one.high, q)
}

// exponentShift is the number of bits below a number's exponent.
func (l *lane) exponentShift() int {
	if l.bits == 32 {
		return 23
	}
	return 52
}

// power2 is 2ⁿ for the integer in the low bits of t, which must be in the range
// of normal numbers.
func (l *lane) power2(t vec) vec {
	return l.intAdd(l.shiftLeft(t, l.exponentShift()), l.c(1))
}

// expRange are the bounds to which x is clamped. For float32 results a range
// without subnormal float64 numbers is enough.
func (l *lane) expRange() (lo, hi float64) {
	switch {
	case l.bits == 32:
		return -105, 89
	case l.stored == 32:
		return -700, 700
	}
	return -746, 710
}

// maxExp is where eˣ leaves the range of float64. A derivative in float32 is 0
// below it for an incoming gradient of 0, and NaN beyond.
const maxExp = 709.782712893384

// exp is eˣ. The power of two is multiplied in two halves, since it may be out
// of range by itself. A float32 result does not need that: beyond the normal
// float64 numbers it is 0 or infinite.
func (l *lane) exp(x vec) vec {
	y := l.boundedExp(x)
	if l.bits == l.stored {
		return y
	}
	y = l.without(l.is(less, x, l.c(-745)), y)
	return l.pick(l.is(greater, x, l.c(maxExp)), y, l.infinity())
}

// negativeExp is eˣ for x ≤ 0.
func (l *lane) negativeExp(x vec) vec {
	y := l.boundedExp(x)
	if l.bits == l.stored {
		return y
	}
	return l.without(l.is(less, x, l.c(-745)), y)
}

func (l *lane) boundedExp(x vec) vec {
	lo, hi := l.expRange()
	x = l.most(l.held(lo), l.least(l.held(hi), x))
	t, r := l.reduce(x)
	p := l.reducedExp(r)
	if l.bits != l.stored {
		return l.mul(p, l.power2(t))
	}
	return l.timesAnyPower2(p, t)
}

// timesAnyPower2 is p·2ⁿ for the integer n in the low bits of t, even if the
// result is not a normal number: the power is multiplied in two halves, of
// which only the second can round.
func (l *lane) timesAnyPower2(p, t vec) vec {
	if l.vector == 512 {
		return l.scale2(p, l.sub(t, l.magic()))
	}
	return l.timesHalves(p, t)
}

// scale2 is p·2ⁿ for an integer n, rounded once by an instruction of AVX-512.
func (l *lane) scale2(p, n vec) vec {
	r := l.register()
	if l.bits == 32 {
		l.VSCALEFPS(n, p, r)
	} else {
		l.VSCALEFPD(n, p, r)
	}
	return r
}

// extreme is the magnitude up to which eˣ is certain to be a normal number.
func (l *lane) extreme() float64 {
	if l.bits == 32 {
		return 86
	}
	return 700
}

// isExtreme is the mask of magnitudes beyond that, and of NaN.
func (l *lane) isExtreme(x vec) mask { return l.is(notLessEqual, l.abs(x), l.c(l.extreme())) }

// normalExp is eˣ for other arguments: the power of two is added to the
// exponent's bits.
func (l *lane) normalExp(x vec) vec {
	t, r := l.reduce(x)
	return l.timesPower2(l.reducedExp(r), t)
}

// onePlusDecay is 1 + e⁻ˣ for x ≥ gateEnd, without rounding e⁻ˣ: 2ⁿ·(eʳ − 1) +
// (2ⁿ + 1), where the second sum is exact or the power too small to matter.
func (l *lane) onePlusDecay(x vec) vec {
	x = l.least(l.held(l.extreme()), x)
	t := l.load(l.magic())
	l.subProduct(t, x, l.c(math.Log2E))
	n := l.sub(t, l.magic())
	r := l.copy(x)
	high, low := l.ln2()
	l.addProduct(r, n, l.c(high))
	l.addProduct(r, n, l.c(low))
	square := l.mul(r, r)
	series := l.longSeries()
	for k := 1; k < len(series); k += 2 {
		series[k] = -series[k]
	}
	q := l.polynomial(r, square, series...)
	l.fms(q, square, r)
	power := l.power2(t)
	l.fma(q, power, l.add(power, l.held(1)))
	return q
}

// longSeries is expSeries with one more term in float32, for functions that add
// to the error.
func (l *lane) longSeries() []float64 {
	if l.bits == 32 {
		return []float64{
			0.5, 0.1666666716337204, 0.04166646674275398, 0.00833331048488617, 0.0013933649752289057, 0.00019890991097781807,
		}
	}
	return l.expSeries()
}

// timesPower2 is p·2ⁿ for the integer n in the low bits of t, if p and the
// result are normal numbers.
func (l *lane) timesPower2(p, t vec) vec {
	return l.intAdd(p, l.shiftLeft(t, l.exponentShift()))
}

// expm1 is eˣ − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1). Zeros have the sign of x. For n =
// 1024 it doubles the result for n = 1023.
func (l *lane) expm1(x vec) vec {
	_, hi := l.expRange()
	z := l.most(l.held(-50), l.least(l.held(hi), x))
	isLast := l.is(greater, z, l.c(709))
	t, r := l.reduce(z)
	u := l.reducedExpm1(r)
	s := l.power2(l.minusOne(isLast, t))
	l.fma(u, s, l.sub(s, l.c(1)))
	u = l.add(u, l.only(isLast, u))
	return l.or(u, l.signOf(x))
}

// tanh is ±(1 − 2e/(1 + e)) with e = e^(−2|x|) for |x| ≥ 0.55, and nearer to 0
// ±(|x| + |x|·z·P(z)/Q(z)) with z = x². Both are a number plus a fraction, so
// one division is enough. Everything is computed for −|x|, with an r half as
// large as that of exp.
func (l *lane) tanh(x vec) vec {
	a := l.most(l.held(-22), l.or(x, l.signBits()))
	t := l.load(l.magic())
	l.addProduct(t, a, l.c(2*math.Log2E))
	n := l.sub(t, l.magic())
	high, low := l.ln2()
	r := l.copy(a)
	l.subProduct(r, n, l.c(high/2))
	l.subProduct(r, n, l.c(low/2))
	square := l.mul(r, r)
	series := l.expSeries()
	for k := range series {
		series[k] = math.Ldexp(series[k], k+2)
	}
	e := l.polynomial(r, square, series...)
	l.fma(e, square, l.add(r, r))
	e = l.timesPower2(l.add(e, l.c(1)), t) // not a number for NaN, but a is
	isFar := l.is(lessEqual, a, l.c(-0.55))
	z := l.mul(a, a)
	p, q := l.tanhSeries()
	numerator := l.mul(l.mul(a, z), l.horner(z, p))
	numerator = l.pick(isFar, numerator, l.add(e, e))
	denominator := l.pick(isFar, l.horner(z, q), l.add(e, l.c(1)))
	y := l.add(l.pick(isFar, a, l.c(-1)), l.div(numerator, denominator))
	return l.or(l.abs(y), l.signOf(x))
}

// tanhSeries are the coefficients of (tanh(√z)/√z − 1)/z as a fraction: see
// coefficients.py.
func (l *lane) tanhSeries() (p, q []float64) {
	if l.bits == 32 {
		return []float64{-0.3333333432674408, -0.014780949801206589}, []float64{1, 0.44434285163879395, 0.015832414850592613}
	}
	return []float64{-0.3333333333333333, -0.020501465565699636, -0.00019929618499594005},
		[]float64{1, 0.4615043966970977, 0.0232948853291102, 0.0002066602742421401}
}

// gateEnd is where the sigmoid is continued to the left as eˣ − e²ˣ: near it,
// 2ⁿ + 1 ceases to be exact.
func (l *lane) gateEnd() float64 {
	if l.bits == 32 {
		return -16
	}
	return -36
}

// isBeyondGate is the mask of numbers to the left of gateEnd, and of NaN.
func (l *lane) isBeyondGate(x vec) mask { return l.is(notGreaterEqual, x, l.c(l.gateEnd())) }

// sigmoid is 1/(1 + e⁻ˣ), and eˣ − e²ˣ to the left of gateEnd.
func (l *lane) sigmoid(x vec) vec {
	if l.bits != l.stored {
		e, unit := l.negativeExp(l.or(x, l.signBits())), l.held(1)
		return l.div(l.pick(l.bySign(x), unit, e), l.add(e, unit))
	}
	y := l.normalSigmoid(l.most(l.held(l.gateEnd()), x))
	e := l.boundedExp(x)
	far := l.copy(e)
	l.subProduct(far, e, e)
	y = l.pick(l.is(less, x, l.c(l.gateEnd())), y, far)
	return l.orNaN(l.is(unordered, x, x), y) // the power of two has spoilt NaN
}

// normalSigmoid is the same for numbers that are not beyond gateEnd.
func (l *lane) normalSigmoid(x vec) vec { return l.div(l.held(1), l.onePlusDecay(x)) }

// silu is x/(1 + e⁻ˣ), and x·eˣ·(1 − eˣ) to the left of gateEnd; −0 at −Inf.
// There x is multiplied before the powers of two, because eˣ alone may be
// subnormal and lose digits.
func (l *lane) silu(x vec) vec {
	y := l.normalSiLU(l.most(l.held(l.gateEnd()), x))
	lo, _ := l.expRange()
	z := l.most(l.held(1.25*lo), l.least(l.zero(), x))
	t, r := l.reduce(z)
	p := l.exactExp(pair{high: r})
	half := l.half(t)
	first, second := l.power2(half), l.power2(l.intSub(t, half))
	e := l.mul(l.mul(p, first), second)
	far := l.mul(l.mul(l.mul(z, p), first), second)
	l.subProduct(far, far, e)
	y = l.pick(l.is(less, x, l.c(l.gateEnd())), y, far)
	y = l.without(l.is(equal, x, l.pattern(0xff800000, 0xfff0000000000000)), y)
	return l.orNaN(l.is(unordered, x, x), l.or(y, l.signOf(x)))
}

// normalSiLU is the same for numbers that are not beyond gateEnd.
func (l *lane) normalSiLU(x vec) vec { return l.div(x, l.onePlusDecay(x)) }

// exactDecay is eˣ for x ≤ 0 with hardly more error than one rounding.
func (l *lane) exactDecay(x vec) vec {
	if l.stored == 32 {
		return l.negativeExp(x)
	}
	return l.expOfPair(pair{x, l.zero()})
}

// sigmoidAndSlope is the sigmoid and its derivative, from e = e^(−|u|) of an
// argument u with the sign of x.
func (l *lane) sigmoidAndSlope(x, e vec) (p, slope vec) {
	unit := l.held(1)
	return l.div(l.pick(l.bySign(x), unit, e), l.add(e, unit)), l.bell(e)
}

// bell is e/(1 + e)² for e ≤ 1, with the rounding error of the sum corrected.
func (l *lane) bell(e vec) vec {
	d := l.sum(l.held(1), e)
	square := l.mul(d.high, l.add(d.low, d.low))
	l.addProduct(square, d.high, d.high)
	return l.div(e, square)
}

func (l *lane) infinity() operand.Mem { return l.pattern(0x7f800000, 0x7ff0000000000000) }

// gated is x·t for a gate t that rises from 0 to 1 like a sigmoid: x·e·(1 − q)
// for x ≤ 0, and x − x·q for x > 0, where e = e^power(|x|) ≤ 1 and q ≤ ½ is a
// fraction in e. Beyond the magnitude end, e is 0 or constant.
func (l *lane) gated(x vec, end float64, power func(a vec) pair, fraction func(isRight mask, e vec) vec) vec {
	a := l.least(l.held(end), l.abs(x))
	d := l.decay(power(a))
	isRight := l.is(greater, x, l.zero())
	q := fraction(isRight, d.value())
	left := l.or(d.weigh(l.mul(a, l.sub(l.held(1), q))), l.signOf(x))
	right := l.sub(x, l.only(l.is(less, x, l.infinity()), l.mul(x, q)))
	return l.pick(isRight, left, right)
}

// gateGrad is p + x·slope, and p where the slope is 0, as at ±Inf.
func (l *lane) gateGrad(x, p, slope vec) vec {
	return l.pick(l.is(equal, slope, l.zero()), l.add(l.mul(x, slope), p), p)
}

const (
	geluScale    = 2 * math.Sqrt2 / math.SqrtPi
	geluScaleLow = -9.96930880911092e-17
	geluCubic    = 0.044715
)

// geluPower is −√(8/π)·(a + 0.044715·a³), in float64 with its rounding error,
// which the exponential would magnify.
func (l *lane) geluPower(a vec) pair {
	square := l.mul(a, a)
	if l.stored == 32 {
		return pair{high: l.mul(l.add(a, l.mul(l.mul(square, l.c(geluCubic)), a)), l.c(-geluScale))}
	}
	factor := l.product(l.product(pair{a, l.zero()}, pair{a, l.zero()}), pair{l.load(l.c(geluCubic)), l.zero()})
	one := l.add(factor.high, l.held(1))
	part := l.sub(one, factor.high)
	rest := l.add(l.sub(factor.high, l.sub(one, part)), l.sub(l.held(1), part))
	return l.product(pair{one, l.add(rest, factor.low)}, l.product(pair{a, l.zero()}, l.number2(-geluScale, -geluScaleLow)))
}

// logSeries are the coefficients of the logarithm's series in s² with s = f/(2
// + f), for float64 as in FreeBSD's and Go's: see coefficients.py.
func (l *lane) logSeries() []float64 {
	if l.stored == 32 {
		return []float64{0.6666666655445165, 0.40000121876972, 0.2855081659971155, 0.23330581938241893}
	}
	return []float64{
		6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
		1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
	}
}

const (
	ln2High  = 6.93147180369123816490e-01 // the upper 32 bits: its products with exponents are exact
	ln2Low   = 1.90821492927058770002e-10
	rootHalf = 0x3fe6a09e667f3bcd
)

// split splits a normal u > 0 into 2ᵏ·(1 + f) with √½ ≤ 1 + f < √2. Both are
// float64 numbers.
func (l *lane) split(u vec) (k, f vec) {
	shifted := l.intAdd(u, l.pattern(0, 0x3ff0000000000000-rootHalf))
	mantissa := l.intAdd(l.and(shifted, l.pattern(0, 1<<52-1)), l.pattern(0, rootHalf))
	shifted = l.shiftRight(shifted, 52)
	k = l.sub(l.or(shifted, l.c(1<<52)), l.c(1<<52+1023))
	return k, l.sub(mantissa, l.c(1))
}

// logOf is k·ln 2 + ln(1 + f) + c for a small c.
func (l *lane) logOf(k, f, c vec) vec {
	s := l.div(f, l.add(f, l.c(2)))
	z := l.mul(s, s)
	series := l.polynomial(z, l.mul(z, z), l.logSeries()...)
	half := l.mul(l.mul(f, l.c(0.5)), f)
	l.fma(series, z, half)
	series = l.mul(series, s)
	if c != nil {
		series = l.add(series, c)
	}
	l.addProduct(series, k, l.c(ln2Low))
	y := l.sub(f, l.sub(half, series))
	l.addProduct(y, k, l.c(ln2High))
	return y
}

// ends completes a logarithm y of x − shift: −Inf at x = shift, NaN below, and
// x itself for +Inf and NaN.
func (l *lane) ends(y, x vec, shift float64) vec {
	start := l.c(shift)
	isInside := l.both(l.is(greater, x, start), l.is(less, x, l.infinity()))
	end := l.pick(l.is(equal, x, start), x, l.pattern(0xff800000, 0xfff0000000000000))
	end = l.orNaN(l.is(less, x, start), end)
	return l.pick(isInside, end, y)
}

// wholeAndFraction splits x for logarithms. Subnormal numbers are scaled up
// first; a float32 is never subnormal in float64.
func (l *lane) wholeAndFraction(x vec) (k, f vec) {
	if l.stored == 32 {
		return l.split(x)
	}
	isTiny := l.is(less, x, l.pattern(0, 1<<52))
	k, f = l.split(l.pick(isTiny, x, l.mul(x, l.c(1<<54))))
	return l.sub(k, l.only(isTiny, l.c(54))), f
}

// log is ln x.
func (l *lane) log(x vec) vec {
	k, f := l.wholeAndFraction(x)
	return l.ends(l.logOf(k, f, nil), x, 0)
}

// log1p is ln(1 + x). The rounded sum gives the power of two, and f is x·2⁻ᵏ +
// (2⁻ᵏ − 1), in float64 with its rounding error. Far to the right the sum
// itself is good enough. inUnit says that 0 ≤ x ≤ 1, which needs no special
// cases.
func (l *lane) log1p(x vec, inUnit bool) vec {
	u := l.add(x, l.c(1))
	k, f := l.split(u)
	exponent := l.shiftRight(l.intAdd(u, l.pattern(0, 0x3ff0000000000000-rootHalf)), 52)
	inverse := l.shiftLeft(l.intSub(l.load(l.pattern(0, 2046)), exponent), 52)
	difference := l.sub(inverse, l.c(1))
	near := l.copy(difference)
	l.addProduct(near, x, inverse)
	var rest vec
	if l.stored == 64 {
		rest = l.sub(difference, near)
		l.addProduct(rest, x, inverse)
	}
	if inUnit {
		return l.logOf(k, near, rest)
	}
	isNear := l.is(less, x, l.c(1<<60))
	f = l.pick(isNear, f, near)
	if rest != nil {
		rest = l.only(isNear, rest)
	}
	return l.or(l.ends(l.logOf(k, f, rest), x, -1), l.only(l.is(equal, x, l.c(0)), l.signOf(x)))
}

// softplus is max(x, 0) + ln(1 + e^(−|x|)).
func (l *lane) softplus(x vec) vec {
	rest := l.log1p(l.negativeExp(l.or(x, l.signBits())), true)
	return l.add(rest, l.most(x, l.zero()))
}

// decayOfProduct is a·x and e^(−|a·x|).
func (l *lane) decayOfProduct(a, x vec) (power, e vec) {
	power = l.mul(a, x)
	var rest vec
	if l.stored == 64 {
		rest = l.copy(a)
		l.fms(rest, x, power)
	}
	return power, l.decayOf(power, rest)
}

// decayOf is e^(−|x + rest|), with the rounding error of x as rest. In float32,
// which is computed in float64, there is none.
func (l *lane) decayOf(x, rest vec) vec {
	below := l.or(x, l.signBits())
	if l.stored == 32 {
		return l.negativeExp(below)
	}
	rest = l.neg(l.xor(rest, l.signOf(x)))
	rest = l.only(l.is(less, l.abs(rest), l.infinity()), rest)
	return l.expOfPair(pair{below, rest})
}
