package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
)

func power(f *file) {
	for _, l := range f.careful() {
		l.binary("Pow", "xʸ", heavy, func() func(x, y vec) vec { return l.pow })
		l.unary("anyPower", "xᵃ", heavy, func() func(x vec) vec {
			a := l.number("a")
			return func(x vec) vec { return l.pow(x, a) }
		})
		l.mendedGradient("anyPower", "gy·a·xᵃ⁻¹", heavy, func() func(gy, x vec) (mask, func() vec) {
			a := l.number("a")
			least := l.leastSlope(a)
			return func(gy, x vec) (mask, func() vec) { return l.powGrad(gy, x, a, least) }
		})
		l.unary("Log2", "log₂ x", heavy, l.simple(func(x vec) vec { return l.logTo(x, binary) }))
		l.unary("Log10", "log₁₀ x", heavy, l.simple(func(x vec) vec { return l.logTo(x, decimal) }))
		l.logGradient("Log2", "gy/(x·ln 2)", 1/math.Ln2)
		l.logGradient("Log10", "gy/(x·ln 10)", 1/math.Ln10)
		l.entropies()
	}
}

// logGradient emits gy/x times a factor.
func (l *lane) logGradient(of, formula string, factor float64) {
	l.gradient(of, formula, medium, "gy x", func() func(in []vec) vec {
		zero, c := l.zero(), l.held(factor)
		return func(in []vec) vec { return l.mul(l.div(in[0], l.add(in[1], zero)), c) }
	})
}

// pair is a number as the sum of two; the second is about as small as the
// rounding error of the first.
type pair struct{ high, low vec }

// product is x·y, with the rounding error of the product of the high parts.
func (l *lane) product(x, y pair) pair {
	high := l.mul(x.high, y.high)
	low := l.copy(x.high)
	l.fms(low, y.high, high)
	l.addProduct(low, x.high, y.low)
	l.addProduct(low, x.low, y.high)
	return pair{high, low}
}

// sum is x + y for |x| ≥ |y| or x = 0, exactly.
func (l *lane) sum(x, y vec) pair {
	high := l.add(x, y)
	return pair{high, l.sub(y, l.sub(high, x))}
}

// number2 is a constant in two parts.
func (l *lane) number2(high, low float64) pair { return pair{l.load(l.c(high)), l.load(l.c(low))} }

// longLogSeries are the coefficients of (ln((1+s)/(1−s)) − 2s − ⅔s³)/s⁵ in s²
// for |s| ≤ 3 − √8: see coefficients.py.
var longLogSeries = []float64{
	0.4, 0.28571428571429364, 0.22222222221655885, 0.18181818335392802, 0.1538459496251843, 0.1333480469384731, 0.11706236339491206,
	0.11723178623876518,
}

// longLog is ln(1 + f) for √½ ≤ 1 + f < √2, with a relative error of about
// 2⁻⁶⁵. With s = f/(2 + f) it is 2s + ⅔s³ + s⁵·T(s²). The results are 2s
// rounded, and the rest in two parts.
func (l *lane) longLog(f vec) (double vec, rest pair) {
	const third, thirdLow = 2.0 / 3, 3.700743415417188e-17
	u := l.add(f, l.c(2))
	uLow := l.sub(f, l.sub(u, l.c(2)))
	inverse := l.div(l.held(1), u)
	s := l.mul(f, inverse)
	sLow := l.copy(f)
	l.subProduct(sLow, s, u)
	l.subProduct(sLow, s, uLow)
	sLow = l.mul(sLow, inverse)
	z := l.product(pair{s, sLow}, pair{s, sLow})
	a := l.product(z, l.number2(third, thirdLow))
	square := l.mul(z.high, z.high)
	l.addProduct(a.low, square, l.polynomial(z.high, square, longLogSeries...))
	b := l.product(a, pair{s, sLow})
	b.low = l.add(b.low, l.add(sLow, sLow))
	return l.add(s, s), b
}

// base is the base of a logarithm: 1/ln b and logᵦ 2 in two parts each.
// Products of an exponent and the first part of logᵦ 2 are exact.
type base struct{ inverse, inverseLow, two, twoLow float64 }

var (
	binary  = base{math.Log2E, 2.0355273740931033e-17, 1, 0}
	decimal = base{0.4342944819032518, 1.098319650216765e-17, 0.3010299956658855, -1.9043128467164274e-12}
)

// logTo is the logarithm to a base, accurate enough to be whole where it should
// be.
func (l *lane) logTo(x vec, b base) vec {
	k, f := l.wholeAndFraction(x)
	if l.stored == 32 {
		return l.ends(l.mul(l.logOf(k, f, nil), l.c(b.inverse)), x, 0)
	}
	double, rest := l.longLog(f)
	log := l.sum(double, rest.high)
	log.low = l.add(log.low, rest.low)
	log = l.product(log, l.number2(b.inverse, b.inverseLow))
	y := l.sum(l.mul(k, l.c(b.two)), log.high)
	low := l.add(y.low, log.low)
	if b.twoLow != 0 {
		l.addProduct(low, k, l.c(b.twoLow))
	}
	return l.ends(l.add(y.high, low), x, 0)
}

// logForPow is ln |x|, infinite for 0 and infinite x, with a second part for
// float64.
func (l *lane) logForPow(a vec) pair {
	k, f := l.wholeAndFraction(a)
	var log pair
	if l.stored == 32 {
		log.high = l.logOf(k, f, nil)
	} else {
		double, rest := l.longLog(f)
		first := l.sum(l.mul(k, l.c(ln2High)), double)
		second := l.sum(first.high, rest.high)
		low := l.add(l.add(first.low, second.low), rest.low)
		l.addProduct(low, k, l.c(ln2Low))
		log = l.sum(second.high, low)
	}
	log.high = l.pick(l.is(equal, a, l.zero()), log.high, l.pattern(0, 0xfff0000000000000))
	log.high = l.pick(l.is(equal, a, l.infinity()), log.high, l.infinity())
	return log
}

// expOfPair is eᵖ, 0 or infinite if that is too small or large. The distance r
// to the power of two has two parts, and the rounding error of 1 + r is kept,
// so that the error is hardly more than that of the last rounding.
func (l *lane) expOfPair(p pair) vec {
	lo, hi := l.expRange()
	low := l.only(l.is(less, l.abs(p.high), l.c(1000)), p.low)
	y, t := l.partsOfExp(pair{l.most(l.held(lo), l.least(l.held(hi), p.high)), low})
	return l.timesAnyPower2(l.add(y.high, y.low), t)
}

// partsOfExp is eᵖ = y·2ⁿ, with y in two parts and the integer n in the low
// bits of t. It changes p.
func (l *lane) partsOfExp(p pair) (y pair, t vec) {
	t = l.load(l.magic())
	l.addProduct(t, p.high, l.c(math.Log2E))
	n := l.sub(t, l.magic())
	high, low := l.shortLn2()
	l.subProduct(p.high, n, l.c(high))
	l.subProduct(p.low, n, l.c(low))
	r := l.sum(p.high, p.low)
	one := l.sum(l.held(1), r.high)
	square := l.mul(r.high, r.high)
	rest := l.polynomial(r.high, square, l.longSeries()...)
	l.fma(rest, square, one.low)
	l.addProduct(rest, r.low, one.high)
	return pair{one.high, rest}, t
}

// shortLn2 is ln 2 in two parts; products of an exponent and the first are
// exact.
func (l *lane) shortLn2() (high, low float64) {
	if l.bits == 32 {
		return 0.693145751953125, 1.4286068203094172e-06
	}
	return ln2High, ln2Low
}

// pow is xʸ = e^(y·ln |x|). That is also right for zeros and infinities, so
// only the sign for negative x and x⁰ = 1ʸ = 1 need more.
func (l *lane) pow(x, y vec) vec {
	a := l.abs(x)
	log := l.logForPow(a)
	finite := l.most(l.held(-1e300), l.least(l.held(1e300), y)) // so that the power of 1 is 1
	power := pair{high: l.mul(finite, log.high)}
	var z vec
	if l.stored == 32 {
		z = l.exp(power.high)
	} else {
		power.low = l.copy(finite)
		l.fms(power.low, log.high, power.high)
		l.addProduct(power.low, finite, log.low)
		z = l.expOfPair(power)
	}
	z = l.xor(z, l.only(l.isOdd(y), l.signOf(x)))
	isRoot := l.both(l.is(less, x, l.zero()), l.is(notEqual, y, l.round(y)))
	z = l.orNaN(l.both(isRoot, l.is(notEqual, a, l.infinity())), z)
	z = l.orNaN(l.is(unordered, x, y), z)
	return l.pick(l.either(l.is(equal, x, l.held(1)), l.is(equal, y, l.zero())), z, l.held(1))
}

// powGrad is gy·a·xᵃ⁻¹. For float32 results the power is normal in float64
// wherever it counts.
func (l *lane) powGrad(gy, x, a, least vec) (outside mask, f func() vec) {
	power := l.pow(x, l.sub(a, l.held(1)))
	slope := l.mul(a, power)
	f = func() vec { return l.mul(gy, slope) }
	if l.stored == 32 {
		return nil, f
	}
	size := l.abs(slope)
	isOut := l.either(l.is(less, size, least), l.is(equal, size, l.infinity()))
	return l.both(isOut, l.isSet(x)), f
}

// leastSlope is the least |a·xᵃ⁻¹| for which it and the power are normal.
func (l *lane) leastSlope(a vec) vec { return l.mul(l.most(l.held(1), l.abs(a)), l.leastNormal()) }

// timesHalves is p·2ⁿ for the integer n in the low bits of t, multiplied by two
// halves of the power.
func (l *lane) timesHalves(p, t vec) vec {
	half := l.half(t)
	return l.mul(l.mul(p, l.power2(half)), l.power2(l.intSub(t, half)))
}

// round is the nearest integer.
func (l *lane) round(x vec) vec {
	r := l.register()
	switch {
	case l.vector == 512 && l.bits == 32:
		l.VRNDSCALEPS(operand.U8(8), x, r)
	case l.vector == 512:
		l.VRNDSCALEPD(operand.U8(8), x, r)
	case l.bits == 32:
		l.VROUNDPS(operand.U8(8), x, r)
	default:
		l.VROUNDPD(operand.U8(8), x, r)
	}
	return r
}

// isOdd is the mask of odd integers.
func (l *lane) isOdd(y vec) mask {
	half := l.mul(y, l.c(0.5))
	return l.both(l.is(equal, y, l.round(y)), l.is(notEqual, half, l.round(half)))
}

// entropies emits the cross entropies: binary, of one class, and binary from
// logits.
func (l *lane) entropies() {
	l.binary("BCE", "−(y·ln x + (1−y)·ln(1−x)), with logarithms of at least −100,", heavy, func() func(x, y vec) vec {
		return func(x, y vec) vec {
			hit := l.most(l.held(-100), l.log(x))
			miss := l.most(l.held(-100), l.log1p(l.neg(x), false))
			return l.neg(l.add(l.mul(y, hit), l.mul(l.sub(l.held(1), y), miss)))
		}
	})
	l.binary("CrossEntropy", "−y·ln x, with a logarithm of at least −100,", heavy, func() func(x, y vec) vec {
		return func(x, y vec) vec { return l.neg(l.mul(y, l.most(l.held(-100), l.log(x)))) }
	})
	l.binary("LogAddExp", "ln(eˣ + eʸ)", heavy, func() func(x, y vec) vec {
		return func(x, y vec) vec {
			d := l.without(l.is(equal, x, y), l.sub(x, y)) // 0 also between infinities
			var rest vec
			if l.stored == 64 {
				part := l.sub(d, x)
				rest = l.sub(l.sub(x, l.sub(d, part)), l.add(y, part))
			}
			z := l.add(l.log1p(l.decayOf(d, rest), true), l.most(x, y))
			return l.orNaN(l.is(unordered, x, y), z)
		}
	})
	l.binary("BCELogits", "ln(1 + eˣ) − x·y", heavy, func() func(x, y vec) vec {
		return func(x, y vec) vec {
			rest := l.log1p(l.negativeExp(l.or(x, l.signBits())), true)
			isRight := l.is(greater, x, l.zero())
			share := l.pick(isRight, l.neg(y), l.sub(l.held(1), y))
			l.fma(share, x, rest)
			return share
		}
	})
}
