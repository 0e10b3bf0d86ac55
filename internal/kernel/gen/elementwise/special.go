package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func special(f *file) {
	for _, l := range f.careful() {
		l.normal()
		l.circular()
	}
}

// normal emits the functions of the normal distribution.
func (l *lane) normal() {
	l.unary("gelu", "is dst = x·Φ(x).", 1, l.simple(func(x vec) vec {
		p, _ := l.normalCDF(x)
		return l.gate(x, p)
	}))
	l.gradient("geluGrad", "is dst = gy·(Φ(x) + x·φ(x)).", 1, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec {
			p, e := l.normalCDF(in[1])
			return l.mul(in[0], l.gateGrad(in[1], p, l.mul(e, l.c(1/(math.Sqrt2*math.SqrtPi)))))
		}
	})
	l.unary("erf", "is dst = erf x.", 1, l.simple(l.erf))
	l.gradient("erfGrad", "is dst = gy·2/√π·e^(−x²).", 1, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec {
			return l.mul(in[0], l.mul(l.expSquare(l.least(l.held(30), l.abs(in[1])), 1), l.held(2/math.SqrtPi)))
		}
	})
}

// expSquare is e^(−c·x²) for a power of two c and a square that is finite. The rounding error of the square, which the exponential would magnify, is made good.
func (l *lane) expSquare(x vec, c float64) vec {
	square := l.mul(x, x)
	rest := l.copy(x)
	l.fms(rest, x, square)
	e := l.negativeExp(l.mul(square, l.c(-c)))
	l.subProduct(e, l.mul(rest, l.c(c)), e)
	return e
}

// tail is e^(−a²/2)·H((a−4)/(a+4))/(1 + 0.8a), the part of the normal distribution beyond a ≥ 0, and that power of
// e. With 0.8, H is flat near a = 0, where the rounding of its argument would count most.
func (l *lane) tail(a vec) (p, e vec) {
	a = l.least(l.held(40), a)
	e = l.expSquare(a, 0.5)
	t := l.div(l.sub(a, l.held(4)), l.add(a, l.held(4)))
	h := l.polynomial(t, l.mul(t, t), l.tailSeries()...)
	d := l.held(0.8)
	bottom := l.copy(a)
	l.fma(bottom, d, l.c(1))
	return l.div(l.mul(e, h), bottom), e
}

// tailSeries are the coefficients of H, with fewer digits for float32 results: see coefficients.py.
func (l *lane) tailSeries() []float64 {
	if l.stored == 32 {
		return []float64{
			0.3965246936766904, -0.11144232685458226, 0.03607553213020588, 0.008538825750563422, -0.01958474616190162, 0.012650600922076182,
			-0.0039046130695097516, -0.00010417473104321034, 0.0005310741391909634, -6.786947517590929e-05, -7.438192849114068e-05,
			-7.4966671610102935e-06,
		}
	}
	return []float64{
		0.3965246934682695, -0.11144232617091174, 0.03607555884739294, 0.008538809775293314, -0.019585309121200597, 0.01265045888731754,
		-0.003900390457920354, -0.00010073570809265325, 0.0005184808307448032, -8.465518118761916e-05, -6.45528843143813e-05,
		1.7926345504735784e-05, 1.0040810489820052e-05, -2.911615585142945e-06, -1.958098342861708e-06, 3.647106525845621e-07,
		4.229001560280019e-07, -9.241060223147358e-09, -8.707964793532593e-08, -1.3719889029386022e-08, 1.4243094154296034e-08,
		4.704988525144613e-09, -1.2974824513511924e-09, -6.257916046683476e-10,
	}
}

// normalCDF is Φ(x), and e^(−x²/2).
func (l *lane) normalCDF(x vec) (p, e vec) {
	tail, e := l.tail(l.abs(x))
	return l.pick(l.bySign(x), l.sub(l.held(1), tail), tail), e
}

// erfSlope is 2/√π in two parts.
const (
	erfSlope    = 1.1283791670955126
	erfSlopeLow = 1.533545961316588e-17
)

// erfSeries are the coefficients of erf(√z)/√z for z ≤ 1, with the rest of the first: see coefficients.py.
var erfSeries = []float64{
	erfSlopeLow, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792, 0.0052239776248180145, -0.000854832698083379,
	0.0001205533111164271, -1.4925595266831182e-05, 1.6461000484121368e-06, -1.6350312701054695e-07, 1.4659775274047436e-08,
	-1.1372848856791674e-09, 5.957176147748911e-11,
}

// erf is x times a series in x² up to 1, and 1 − 2·(1 − Φ(√2·|x|)) with the sign of x beyond.
func (l *lane) erf(x vec) vec {
	a := l.abs(x)
	tail, _ := l.tail(l.mul(a, l.c(math.Sqrt2)))
	far := l.sub(l.held(1), l.add(tail, tail))
	z := l.mul(a, a)
	near := l.mul(a, l.polynomial(z, l.mul(z, z), erfSeries...))
	l.addProduct(near, a, l.c(erfSlope))
	isFar := l.is(greater, a, l.held(1))
	return l.or(l.pick(isFar, near, far), l.signOf(x))
}

// circular emits sine and cosine with their derivatives, for arguments up to circularEnd. They stop before the first vector with
// another one, and return the number of elements done.
func (l *lane) circular() {
	l.upTo("sin", "func(dst, x *T, n int) (done int)", "is dst = sin x", []string{"x"}, func(in []vec) vec { return l.wave(in[0], 0) })
	l.upTo("cos", "func(dst, x *T, n int) (done int)", "is dst = cos x", []string{"x"}, func(in []vec) vec { return l.wave(in[0], 1) })
	l.upTo("sinGrad", "func(dst, x, gy *T, n int) (done int)", "is dst = gy·cos x", []string{"x", "gy"}, func(in []vec) vec {
		return l.mul(in[1], l.wave(in[0], 1))
	})
	l.upTo("cosGrad", "func(dst, x, gy *T, n int) (done int)", "is dst = −gy·sin x", []string{"x", "gy"}, func(in []vec) vec {
		return l.mul(l.neg(in[1]), l.wave(in[0], 0))
	})
}

// circularEnd is the largest argument of sine and cosine.
const circularEnd = 1 << 20

// upTo emits loops that end before the first vector whose first source is beyond circularEnd.
func (l *lane) upTo(name, signature, doc string, sources []string, f func(in []vec) vec) {
	l.begin(l.kernel(name), l.signature(signature), doc+" for |x| ≤ 2²⁰, up to the vector before the first other one, and returns how many elements that is.")
	n, dst, at := l.param("n"), l.param("dst"), l.GP64()
	from := make([]reg.GPVirtual, len(sources))
	for i, source := range sources {
		from[i] = l.param(source)
	}
	isBeyond := func(x vec) mask { return l.is(notLessEqual, l.abs(x), l.c(circularEnd)) }
	l.XORQ(at, at)
	step := operand.Imm(uint64(l.width()))
	l.SUBQ(step, n)
	l.JLT(operand.LabelRef("loopDone"))
	l.Label("loop")
	in := l.readAll(from, at, 0)
	l.jumpIfAny(isBeyond(in[0]), "stop")
	l.writeAll([]vec{f(in)}, []reg.GPVirtual{dst}, at, 0)
	l.ADDQ(operand.Imm(uint64(l.step())), at)
	l.SUBQ(step, n)
	l.JGE(operand.LabelRef("loop"))
	l.Label("loopDone")
	l.ADDQ(step, n)
	l.JZ(operand.LabelRef("stop"))
	mask := l.mask(n)
	some := make([]vec, len(from))
	for i, base := range from {
		some[i] = l.readSome(operand.Mem{Base: base, Index: at, Scale: 1}, mask)
	}
	l.jumpIfAny(isBeyond(some[0]), "stop")
	place := l.GP64()
	l.MOVQ(at, place)
	l.writeSome(f(some), operand.Mem{Base: dst, Index: place, Scale: 1}, n, "rest")
	all := l.param("n")
	l.Store(all, l.Return("done"))
	l.end()
	l.Label("stop")
	shift := map[int]uint64{4: 2, 8: 3}[l.size()]
	l.SHRQ(operand.Imm(shift), at)
	l.Store(at, l.Return("done"))
	l.end()
}

// The parts of π/2.
const (
	halfPi1 = 1.5707963267948966
	halfPi2 = 6.123233995736766e-17
	halfPi3 = -1.4973849048591698e-33
)

// The coefficients of (sin(√z)/√z − 1)/z and (cos(√z) − 1 + z/2)/z² for z ≤ (π/4)²: see coefficients.py.
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

// wave is sin(x + ahead·π/2): of the distance r to the nearest multiple of π/2 the sine or cosine, by that multiple's last bit, with the sign
// by the bit before.
func (l *lane) wave(x vec, ahead int) vec {
	t := l.load(l.magic())
	l.addProduct(t, x, l.c(2/math.Pi))
	n := l.sub(t, l.magic())
	r := l.copy(x)
	for _, part := range []float64{halfPi1, halfPi2, halfPi3} {
		l.subProduct(r, n, l.c(part))
	}
	z := l.mul(r, r)
	square := l.mul(z, z)
	sin := l.mul(l.polynomial(z, square, sinSeries...), z)
	l.fma(sin, r, r)
	half := l.mul(z, l.c(0.5))
	whole := l.sub(l.held(1), half)
	rest := l.sub(l.sub(l.held(1), whole), half)
	cos := l.polynomial(z, square, cosSeries...)
	l.fma(cos, square, rest)
	cos = l.add(whole, cos)
	if ahead == 0 {
		sin = l.pick(l.is(equal, x, l.zero()), sin, x)
	} else {
		t = l.intAdd(t, l.pattern(1, 1))
	}
	isCos := l.bySign(l.shiftLeft(t, l.bits-1))
	return l.xor(l.pick(isCos, sin, cos), l.signOf(l.shiftLeft(t, l.bits-2)))
}
