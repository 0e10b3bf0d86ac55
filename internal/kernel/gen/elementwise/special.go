package main

import (
	"math"
)

func special(f *file) {
	f.single().gelu32()
	l := f.double()
	l.unary("GELU", "x·Φ(x)", heavy, l.simple(l.gelu))
	l.gradient("GELU", "gy·(Φ(x) + x·φ(x))", heavy, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec {
			p, e := l.normalCDF(in[1])
			return l.mul(in[0], l.gateGrad(in[1], p, l.mul(e, l.c(1/(math.Sqrt2*math.SqrtPi)))))
		}
	})
	for _, l := range f.careful() {
		l.normal()
		l.waves()
	}
}

// gelu is max(x, 0) − z with z = |x|·(1 − Φ(|x|)), which does not cancel for
// either sign.
func (l *lane) gelu(x vec) vec {
	a := l.least(l.held(farNormal), l.abs(x))
	minusZero := l.held(math.Copysign(0, -1)) // so that far negative numbers give −0
	return l.sub(l.most(minusZero, x), l.normalTail(a, l.square(a, 0.5)).weighted(a))
}

// farNormal is from where on the tail of the normal distribution is 0.
const farNormal = 40

// normal emits the functions of the normal distribution.
func (l *lane) normal() {
	l.unary("Erf", "erf x", heavy, l.simple(l.erf))
	l.gradient("Erf", "gy·2/√π·e^(−x²)", heavy, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec { return l.mul(in[0], l.mul(l.gauss(in[1]), l.held(2/math.SqrtPi))) }
	})
	l.unary("Erfc", "1 − erf x", heavy, l.simple(l.erfc))
	l.gradient("Erfc", "−gy·2/√π·e^(−x²)", heavy, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec { return l.mul(in[0], l.mul(l.gauss(in[1]), l.held(-2/math.SqrtPi))) }
	})
}

// square is −c·x² for a power of two c and a finite square, with its rounding
// error, which an exponential would magnify.
func (l *lane) square(x vec, c float64) pair {
	square := l.mul(x, x)
	rest := l.copy(x)
	l.fms(rest, x, square)
	return pair{l.mul(square, l.c(-c)), l.mul(rest, l.c(-c))}
}

// gauss is e^(−x²).
func (l *lane) gauss(x vec) vec { return l.decay(l.square(l.least(l.held(30), l.abs(x)), 1)).value() }

// decay is a power of e, as e·2ⁿ with e in two parts.
type decay struct {
	*lane
	e pair
	t vec // has the exponent in its low bits
}

// decay is eᵖ for p ≤ 0, as long as that is not far below the smallest number.
// One part has digits enough for a widened lane. It changes p.
func (l *lane) decay(p pair) decay {
	if l.bits != l.stored {
		return decay{lane: l, e: pair{high: l.negativeExp(p.high)}}
	}
	e, t := l.partsOfExp(p)
	return decay{l, e, t}
}

func (d decay) value() vec {
	if d.bits != d.stored {
		return d.e.high
	}
	return d.timesAnyPower2(d.add(d.e.high, d.e.low), d.t)
}

// weigh is x times the power.
func (d decay) weigh(x vec) vec {
	if d.bits != d.stored {
		return d.mul(x, d.e.high)
	}
	z := d.mul(x, d.e.low)
	d.addProduct(z, x, d.e.high)
	return d.timesAnyPower2(z, d.t)
}

// tail is e^(−a²/2)·K(t)/(a + 5) with t = (a − 5)/(a + 5), the part of the
// normal distribution beyond a ≥ 0. The product of the first two factors has
// two parts.
type tail struct {
	decay
	bottom, a, aLow vec // a + 5, and a in one or two parts
}

// normalTail is the tail beyond a for a power −a²/2.
func (l *lane) normalTail(a vec, power pair) tail {
	return tail{l.decay(power), l.add(a, l.held(5)), a, nil}
}

// weighted is a times the tail. Its factor a/(a + 5) also gives t, with an
// error that vanishes with a.
func (d tail) weighted(a vec) vec {
	v := d.over(a)
	return d.times(v, v)
}

// value is the tail itself.
func (d tail) value() vec {
	w := d.over(d.held(1))
	v := pair{high: d.mul(d.a, w.high)}
	if d.bits == d.stored {
		v.low = d.copy(d.a)
		d.fms(v.low, w.high, v.high)
		d.addProduct(v.low, d.a, w.low)
	}
	return d.times(w, v)
}

// over is x/(a + 5), in two parts unless the lane is widened.
func (d tail) over(x vec) pair {
	if d.bits != d.stored {
		return pair{high: d.div(x, d.bottom)}
	}
	part := d.sub(d.bottom, d.a)
	bottomLow := d.add(d.sub(d.a, d.sub(d.bottom, part)), d.sub(d.held(5), part))
	if d.aLow != nil {
		bottomLow = d.add(bottomLow, d.aLow)
	}
	inverse := d.div(d.held(1), d.bottom)
	y := d.mul(x, inverse)
	rest := d.copy(x)
	d.subProduct(rest, y, d.bottom)
	d.subProduct(rest, y, bottomLow)
	return pair{y, d.mul(rest, inverse)}
}

// times is w·e·K(2v − 1).
func (d tail) times(w, v pair) vec {
	t := d.copy(v.high)
	d.fms(t, d.held(2), d.held(1))
	if v.low != nil {
		d.addProduct(t, v.low, d.held(2))
	}
	square := d.mul(t, t)
	series := d.tailSeries()
	if d.bits != d.stored {
		return d.mul(d.mul(d.e.high, w.high), d.polynomial(t, square, series...))
	}
	inner := d.hornerStep(pair{high: d.polynomial(t, square, series[2:]...)}, t, series[1])
	y := d.product(d.e, d.hornerStep(inner, t, series[0]))
	z := d.mul(w.high, y.low)
	d.addProduct(z, w.low, y.high)
	d.addProduct(z, w.high, y.high)
	return d.timesAnyPower2(z, d.t)
}

// hornerStep is c + p·t and the rounding error of that sum.
func (l *lane) hornerStep(p pair, t vec, c float64) pair {
	first := l.load(l.c(c))
	high := l.copy(first)
	l.addProduct(high, p.high, t)
	low := l.sub(first, high)
	l.addProduct(low, p.high, t)
	if p.low != nil {
		l.addProduct(low, p.low, t)
	}
	return pair{high, low}
}

// tailSeries are the coefficients of K: see coefficients.py.
func (l *lane) tailSeries() []float64 {
	if l.stored == 32 {
		return []float64{
			0.7691930497163068, -0.6653825018248704, 0.49530561971002285, -0.31353321100223824, 0.16502027991028473,
			-0.06911788168379948, 0.020796041574363714, -0.0029975977361349675, -0.0008036629962166255, 0.0005545138455281684,
			-4.3195990226969306e-05, -5.518983167299851e-05,
		}
	}
	return []float64{
		0.769193049750063, -0.6653825028900567, 0.49530561596997635, -0.31353315667130427, 0.1650203661703885, -0.06911863870631743,
		0.020795066799800505, -0.0029933767704363543, -0.0007978693975527749, 0.0005448990645443929, -5.937573378576788e-05,
		-4.97628152960914e-05, 1.6681235760536204e-05, 3.9809132539483415e-06, -2.7693178940658227e-06, -3.366553434006179e-07,
		4.3320814509461146e-07, 4.234868865108004e-08, -6.598338057567389e-08, -9.383289422981605e-09, 7.662518442534819e-09,
		1.7799257411525282e-09, -1.4967015945146105e-10,
	}
}

// normalCDF is Φ(x), and e^(−x²/2).
func (l *lane) normalCDF(x vec) (p, e vec) {
	a := l.least(l.held(farNormal), l.abs(x))
	tail := l.normalTail(a, l.square(a, 0.5))
	p = tail.value()
	return l.pick(l.bySign(x), l.sub(l.held(1), p), p), tail.decay.value()
}

// erfSlope is 2/√π in two parts.
const (
	erfSlope    = 1.1283791670955126
	erfSlopeLow = 1.533545961316588e-17
)

// erfSeries are the coefficients of erf(√z)/√z − erfSlope for z ≤ 1: see
// coefficients.py.
var erfSeries = []float64{
	erfSlopeLow, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792, 0.0052239776248180145, -0.000854832698083379,
	0.0001205533111164271, -1.4925595266831182e-05, 1.6461000484121368e-06, -1.6350312701054695e-07, 1.4659775274047436e-08,
	-1.1372848856791674e-09, 5.957176147748911e-11,
}

// erf is x times a series in x² for |x| ≤ 1, and ±(1 − erfc |x|) beyond.
func (l *lane) erf(x vec) vec {
	a := l.abs(x)
	far := l.sub(l.held(1), l.erfcRight(a))
	z := l.mul(a, a)
	near := l.mul(a, l.polynomial(z, l.mul(z, z), erfSeries...))
	l.addProduct(near, a, l.c(erfSlope))
	isFar := l.is(greater, a, l.held(1))
	return l.or(l.pick(isFar, near, far), l.signOf(x))
}

// erfc is twice the normal distribution's tail beyond √2·x; for x < 0 it is 2 −
// erfc |x|.
func (l *lane) erfc(x vec) vec {
	right := l.erfcRight(l.abs(x))
	return l.pick(l.bySign(x), right, l.sub(l.held(2), right))
}

// erfcRight is erfc a for a ≥ 0.
func (l *lane) erfcRight(a vec) vec {
	a = l.least(l.held(farNormal/math.Sqrt2), a)
	const rootLow = -9.667293313452913e-17 // √2 less its rounding
	root := l.mul(a, l.c(math.Sqrt2))
	tail := l.normalTail(root, l.square(a, 1))
	if l.stored == 64 {
		tail.aLow = l.copy(a)
		l.fms(tail.aLow, l.held(math.Sqrt2), root)
		l.addProduct(tail.aLow, a, l.c(rootLow))
	}
	half := tail.value()
	return l.add(half, half)
}

// waves emits sine, cosine and tangent, for arguments up to circularEnd.
func (l *lane) waves() {
	l.circular("Sin", "sin x", func(x vec) vec { return l.wave(x, 0) })
	l.circular("Cos", "cos x", func(x vec) vec { return l.wave(x, 1) })
	l.circular("Tan", "tan x", l.tan)
	l.circularGradient("Sin", "gy·cos x", func(gy, x vec) vec { return l.mul(gy, l.wave(x, 1)) })
	l.circularGradient("Cos", "−gy·sin x", func(gy, x vec) vec { return l.mul(l.neg(gy), l.wave(x, 0)) })
}

// circular emits a function of x up to circularEnd.
func (l *lane) circular(of, formula string, f func(x vec) vec) {
	name := l.kernel(symbol(of))
	l.serve(of, "F", "unary(mended(&%s, %d, %s), %s)", of, l.width(), name, heavy.shared)
	l.begin(name, l.signature("func(dst, x *T, n int) (done int)"), "is dst = "+formula+stopping)
	l.stopping([]string{"x"}, heavy.unroll, func(in []vec) (mask, func() vec) {
		return l.isBeyond(in[0]), func() vec { return f(in[0]) }
	})
}

// circularGradient emits the same for a derivative from x.
func (l *lane) circularGradient(of, formula string, f func(gy, x vec) vec) {
	l.mendedGradient(of, formula, heavy, func() func(gy, x vec) (mask, func() vec) {
		return func(gy, x vec) (mask, func() vec) { return l.isBeyond(x), func() vec { return f(gy, x) } }
	})
}

// circularEnd is the largest argument of the kernels of sine, cosine and
// tangent.
const circularEnd = 1 << 20

func (l *lane) isBeyond(x vec) mask { return l.is(notLessEqual, l.abs(x), l.c(circularEnd)) }

// The parts of π/2.
const (
	halfPi1 = 1.5707963267948966
	halfPi2 = 6.123233995736766e-17
	halfPi3 = -1.4973849048591698e-33
)

// The coefficients of (sin(√z)/√z − 1)/z and (cos(√z) − 1 + z/2)/z² for z ≤
// (π/4)²: see coefficients.py.
var (
	sinSeries = []float64{
		-0.16666666666666666, 0.008333333333333331, -0.00019841269841265063, 2.7557319219337312e-06, -2.5052106231802837e-08,
		1.6058531516797758e-10, -7.586691094197958e-13,
	}
	cosSeries = []float64{
		0.041666666666666664, -0.0013888888888887398, 2.480158729876456e-05, -2.7557317271145144e-07, 2.087614614655861e-09,
		-1.1382623647474604e-11,
	}
)

// sineAndCosine are sine and cosine of r = x − n·π/2, where n is the nearest
// integer, in the low bits of t.
func (l *lane) sineAndCosine(x vec) (sin, cos, t vec) {
	t = l.load(l.magic())
	l.addProduct(t, x, l.c(2/math.Pi))
	n := l.sub(t, l.magic())
	first := l.copy(x)
	l.subProduct(first, n, l.c(halfPi1)) // exact
	r := l.copy(first)
	l.subProduct(r, n, l.c(halfPi2))
	var low vec // of r, for float64
	if l.stored == 64 {
		low = l.sub(first, r)
		l.subProduct(low, n, l.c(halfPi2))
		l.subProduct(low, n, l.c(halfPi3))
	}
	z := l.mul(r, r)
	square := l.mul(z, z)
	sin = l.mul(l.polynomial(z, square, sinSeries...), z)
	if low != nil {
		l.fma(sin, r, low)
		sin = l.add(sin, r)
	} else {
		l.fma(sin, r, r)
	}
	half := l.mul(z, l.c(0.5))
	whole := l.sub(l.held(1), half)
	rest := l.sub(l.sub(l.held(1), whole), half)
	if low != nil {
		l.subProduct(rest, r, low)
	}
	cos = l.polynomial(z, square, cosSeries...)
	l.fma(cos, square, rest)
	return sin, l.add(whole, cos), t
}

// wave is sin(x + ahead·π/2). The last bit of the multiple chooses sine or
// cosine of the rest, the bit before it the sign.
func (l *lane) wave(x vec, ahead int) vec {
	sin, cos, t := l.sineAndCosine(x)
	if ahead == 0 {
		sin = l.pick(l.is(equal, x, l.zero()), sin, x)
	} else {
		t = l.intAdd(t, l.pattern(1, 1))
	}
	isCos := l.bySign(l.shiftLeft(t, l.bits-1))
	return l.xor(l.pick(isCos, sin, cos), l.signOf(l.shiftLeft(t, l.bits-2)))
}

// tan is the sine over the cosine, or −cosine over sine for odd multiples.
func (l *lane) tan(x vec) vec {
	sin, cos, t := l.sineAndCosine(x)
	isOdd := l.bySign(l.shiftLeft(t, l.bits-1))
	y := l.div(l.pick(isOdd, sin, l.neg(cos)), l.pick(isOdd, cos, sin))
	return l.pick(l.is(equal, x, l.zero()), y, x)
}
