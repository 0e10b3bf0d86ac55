package main

import "math"

// inverse emits the hyperbolic functions except tanh, the inverse functions,
// and some activations.
func inverse(f *file) {
	f.single().arcs32()
	f.double().arcs64()
	for _, l := range f.careful() {
		l.hyperbolic()
		l.arcs()
		l.areas()
		l.mishAndCELU()
	}
}

func (l *lane) hyperbolic() {
	sinh := func(x vec) vec { return l.or(l.sinhRight(l.abs(x)), l.signOf(x)) }
	cosh := func(x vec) vec {
		h := l.halfExp(l.abs(x))
		return l.add(h, l.div(l.held(0.25), h))
	}
	l.unary("Sinh", "(eˣ − e⁻ˣ)/2", heavy, l.simple(sinh))
	l.unary("Cosh", "(eˣ + e⁻ˣ)/2", heavy, l.simple(cosh))
	l.gradient("Sinh", "gy·cosh x", heavy, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec { return l.mul(in[0], cosh(in[1])) }
	})
	l.gradient("Cosh", "gy·sinh x", heavy, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec { return l.mul(in[0], sinh(in[1])) }
	})
}

// halves splits x ≥ 0 for eˣ/2 = power·eʳ. If power would overflow it is halved
// once more, and isLast says so.
func (l *lane) halves(x vec) (r, power vec, isLast mask) {
	x = l.least(l.held(710.5), x) // eˣ/2 is infinite there
	isLast = l.is(greater, x, l.c(709))
	t, r := l.reduce(x)
	t = l.intSub(t, l.pattern(1, 1))
	return r, l.power2(l.minusOne(isLast, t)), isLast
}

// halfExp is eˣ/2 for x ≥ 0.
func (l *lane) halfExp(x vec) vec {
	r, power, isLast := l.halves(x)
	h := l.mul(l.reducedExp(r), power)
	return l.add(h, l.only(isLast, h))
}

// sinhRight is u + u/(2u + 1) with u = (eˣ − 1)/2 for x ≥ 0.
func (l *lane) sinhRight(x vec) vec {
	r, power, isLast := l.halves(x)
	u := l.reducedExpm1(r)
	l.fma(u, power, l.sub(power, l.held(0.5)))
	u = l.add(u, l.only(isLast, u))
	small := l.least(l.held(1<<60), u) // no infinity divided by itself
	y := l.add(u, l.div(small, l.add(l.add(small, small), l.held(1))))
	return l.pick(l.is(less, x, l.c(0x1p-1000)), y, x) // half of that may be no number
}

func (l *lane) arcs() {
	l.unary("Atan", "arctan x", heavy, l.simple(func(x vec) vec {
		return l.or(l.angle(l.abs(x), l.load(l.c(1))), l.signOf(x))
	}))
	l.overSquare("Atan", "gy/(1 + x²)", func(x vec) vec { return l.add(l.mul(x, x), l.held(1)) })
	l.gradient("Tan", "gy·(1 + y²)", medium, "gy y", func() func(in []vec) vec {
		return func(in []vec) vec { return l.mul(in[0], l.add(l.mul(in[1], in[1]), l.held(1))) }
	})
}

// arcs64 emits arcsine and arccosine in float64.
func (l *lane) arcs64() {
	l.unary("Asin", "arcsin x", heavy, l.simple(func(x vec) vec {
		return l.or(l.angle(l.abs(x), l.sqrt(l.circle(x))), l.signOf(x))
	}))
	l.unary("Acos", "arccos x", heavy, l.simple(func(x vec) vec {
		half := l.angle(l.sqrt(l.sub(l.held(1), x)), l.sqrt(l.add(l.held(1), x)))
		return l.add(half, half)
	}))
	l.gradient("Asin", "gy/√(1 − x²)", medium, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec { return l.div(in[0], l.sqrt(l.circle(in[1]))) }
	})
	l.gradient("Acos", "−gy/√(1 − x²)", medium, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec { return l.div(l.neg(in[0]), l.sqrt(l.circle(in[1]))) }
	})
}

// arcs32 emits them in float32. With v = |x| and z = v² for |x| ≤ ½, and v = √z
// and z = (1 − |x|)/2 beyond, each is a constant, ±v or ±2v and as many times
// v·z·P(z). The error of the root is corrected.
func (l *lane) arcs32() {
	l.unary("Asin", "arcsin x", heavy, l.simple(func(x vec) vec {
		a := l.abs(x)
		isFar, v, rest := l.arc(a)
		whole := pair{l.only(isFar, l.held(halfPi32)), l.only(isFar, l.held(math.Pi/2-halfPi32))}
		twice := l.mul(v, l.held(-2))
		rest = l.pick(isFar, rest, l.mul(rest, l.held(-2)))
		return l.or(l.wholeAnd(whole, l.pick(isFar, v, twice), rest), l.signOf(x))
	}))
	l.unary("Acos", "arccos x", heavy, l.simple(func(x vec) vec {
		isFar, v, rest := l.arc(l.abs(x))
		sign := l.signOf(x)
		whole := pair{l.held(halfPi32), l.held(math.Pi/2 - halfPi32)}
		isLeft := l.bySign(x)
		far := pair{l.pick(isLeft, l.zero(), l.held(2*halfPi32)), l.pick(isLeft, l.zero(), l.held(math.Pi-2*halfPi32))}
		whole = pair{l.pick(isFar, whole.high, far.high), l.pick(isFar, whole.low, far.low)}
		factor := l.xor(l.pick(isFar, l.held(-1), l.held(2)), sign)
		return l.wholeAnd(whole, l.mul(v, factor), l.mul(rest, factor))
	}))
	root := func(x vec) vec {
		circle := l.copy(l.held(1))
		l.subProduct(circle, x, x) // rounded once
		return l.sqrt(circle)
	}
	l.gradient("Asin", "gy/√(1 − x²)", medium, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec { return l.div(in[0], root(in[1])) }
	})
	l.gradient("Acos", "−gy/√(1 − x²)", medium, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec { return l.div(l.neg(in[0]), root(in[1])) }
	})
}

// halfPi32 is π/2 rounded to float32.
const halfPi32 = 0x1.921fb6p+0

// asinSeries32 are the coefficients of (arcsin(√z)/√z − 1)/z for z ≤ ¼: see
// coefficients.py.
var asinSeries32 = []float64{
	0.1666666567325592, 0.07500094920396805, 0.044599320739507675, 0.031101727858185768, 0.017143717035651207, 0.03370072692632675,
}

// arc is v and arcsin v − v for v = a ≤ ½ or, where isFar holds, v = √((1 −
// a)/2).
func (l *lane) arc(a vec) (isFar mask, v, rest vec) {
	half := l.held(0.5)
	isFar = l.is(notLessEqual, a, half)
	z := l.copy(half)
	l.subProduct(z, a, half) // exact beyond ½
	root := l.sqrt(z)
	error := l.copy(z)
	l.subProduct(error, root, root)
	error = l.div(error, l.most(l.held(1e-30), l.add(root, root)))
	z, v = l.pick(isFar, l.mul(a, a), z), l.pick(isFar, a, root)
	rest = l.only(isFar, error)
	l.addProduct(rest, l.mul(v, z), l.polynomial(z, l.mul(z, z), asinSeries32...))
	return isFar, v, rest
}

// wholeAnd is whole + x + rest for a whole that is 0 or at least |x|.
func (l *lane) wholeAnd(whole pair, x, rest vec) vec {
	sum := l.add(whole.high, x)
	low := l.add(l.sub(whole.high, sum), x)
	return l.add(sum, l.add(l.add(low, whole.low), rest))
}

// areas emits the inverse hyperbolic functions, each as ln(1 + v) with a v that
// keeps its digits near 0.
func (l *lane) areas() {
	l.unary("Asinh", "arsinh x", heavy, l.simple(func(x vec) vec {
		a := l.abs(x)
		square := l.mul(a, a)
		v := l.add(a, l.div(square, l.add(l.sqrt(l.add(square, l.held(1))), l.held(1))))
		return l.or(l.logOfDouble(a, v), l.signOf(x))
	}))
	l.unary("Acosh", "arcosh x", heavy, l.simple(func(x vec) vec {
		t := l.sub(x, l.held(1))
		v := l.add(t, l.sqrt(l.mul(t, l.add(t, l.held(2)))))
		return l.orNaN(l.is(less, x, l.held(1)), l.logOfDouble(x, v))
	}))
	l.unary("Atanh", "artanh x", heavy, l.simple(func(x vec) vec {
		a := l.abs(x)
		y := l.log1p(l.div(l.add(a, a), l.sub(l.held(1), a)), false)
		return l.or(l.mul(y, l.held(0.5)), l.signOf(x))
	}))
	l.unary("Logit", "ln(x/(1 − x))", heavy, l.simple(l.logit))
	l.gradient("Logit", "gy/(x·(1 − x))", medium, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec {
			x := l.add(in[1], l.held(0)) // +0 for −0
			product := l.mul(x, l.sub(l.held(1), x))
			return l.orNaN(l.is(less, product, l.c(0)), l.div(in[0], product))
		}
	})
	l.gradient("Asinh", "gy/√(1 + x²)", medium, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec {
			a := l.abs(in[1])
			root := l.sqrt(l.add(l.mul(a, a), l.held(1)))
			return l.div(in[0], l.pick(l.is(greater, a, l.c(farEnd)), root, a))
		}
	})
	l.gradient("Acosh", "gy/(√(x − 1)·√(x + 1))", medium, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec {
			left, right := l.sub(in[1], l.held(1)), l.add(in[1], l.held(1))
			return l.div(in[0], l.mul(l.sqrt(left), l.sqrt(right)))
		}
	})
	l.gradient("Atanh", "gy/(1 − x²)", medium, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec { return l.div(in[0], l.circle(in[1])) }
	})
}

// logit is ±log1p(|1 − 2x|/w), where w is x or 1 − x, the smaller one. It is
// multiplied by 2⁵⁴ where the quotient may overflow.
func (l *lane) logit(x vec) vec {
	const shift = 54
	x = l.add(x, l.held(0)) // +0 for −0
	offset := l.sub(l.add(x, x), l.held(1))
	w := l.least(x, l.sub(l.held(1), x))
	isTiny := l.is(less, l.abs(w), l.c(0x1p-1000))
	w = l.pick(isTiny, w, l.mul(w, l.held(1<<shift)))
	y := l.log1p(l.div(l.abs(offset), w), false)
	y = l.add(y, l.only(isTiny, l.held(shift*math.Ln2)))
	return l.or(y, l.signOf(offset))
}

// From farEnd on, x² + 1 and x² − 1 round to x², and x² is far from
// overflowing.
const farEnd = 1 << 60

// logOfDouble is ln(1 + v), and ln 2x if x is beyond farEnd, where v may
// overflow.
func (l *lane) logOfDouble(x, v vec) vec {
	isFar := l.is(greater, x, l.c(farEnd))
	y := l.log1p(l.pick(isFar, v, x), false)
	return l.add(y, l.only(isFar, l.held(math.Ln2)))
}

// circle is 1 − x², without cancellation.
func (l *lane) circle(x vec) vec { return l.mul(l.sub(l.held(1), x), l.add(l.held(1), x)) }

// The parts of π/4, and tan π/8.
const (
	quarterPi    = math.Pi / 4
	quarterPiLow = 3.061616997868383e-17
	tanEighth    = math.Sqrt2 - 1
)

// atanSeries are the coefficients of (atan(√z)/√z − 1)/z for √z ≤ tan π/8: see
// coefficients.py.
func (l *lane) atanSeries() []float64 {
	if l.stored == 32 {
		return []float64{
			-0.3333333327922454, 0.1999997724823353, -0.14284150629730288, 0.11071354571201351, -0.08624598215196126, 0.05047937432040091,
		}
	}
	return []float64{
		-0.3333333333333333, 0.19999999999999993, -0.14285714285711515, 0.11111111110754406, -0.0909090906699066, 0.07692306735321475,
		-0.06666642004996545, 0.05881925033877732, -0.052580394289794816, 0.04719381457895137, -0.04104381417807643, 0.03063443323901452,
		-0.013916943217800841,
	}
}

// angle is arctan(y/x) for x, y ≥ 0. It is computed for q, the smaller over the
// larger: from tan π/8 on as π/4 + arctan((q − 1)/(q + 1)), and subtracted from
// π/2 if y > x.
func (l *lane) angle(y, x vec) vec {
	isSteep := l.is(greater, y, x)
	top, bottom := l.pick(isSteep, y, x), l.pick(isSteep, x, y)
	isMiddle := l.is(greater, top, l.mul(bottom, l.c(tanEighth)))
	q := l.div(l.pick(isMiddle, top, l.sub(top, bottom)), l.pick(isMiddle, bottom, l.add(top, bottom)))
	z := l.mul(q, q)
	series := l.mul(l.polynomial(z, l.mul(z, z), l.atanSeries()...), z)
	// The result is ±(q + q·series) + turns·π/4, with 0, 1 or 2 turns.
	turns := l.only(isMiddle, l.held(1))
	turns = l.pick(isSteep, turns, l.sub(l.held(2), turns))
	q = l.pick(isSteep, q, l.neg(q))
	rest := l.mul(turns, l.c(quarterPiLow))
	l.addProduct(rest, q, series)
	whole := l.mul(turns, l.c(quarterPi))
	sum := l.add(whole, q)
	rest = l.add(rest, l.sub(q, l.sub(sum, whole)))
	return l.add(sum, rest)
}

// mishAndCELU emits two activations. For mish, t = tanh(ln(1 + eˣ)) and its
// derivative are fractions in e^(−|x|) without differences, so nothing cancels.
func (l *lane) mishAndCELU() {
	l.unary("Mish", "x·tanh(ln(1 + eˣ))", heavy, l.simple(func(x vec) vec {
		return l.gated(x, 800, func(a vec) pair { return pair{l.neg(a), l.zero()} }, func(isRight mask, e vec) vec {
			twice, square := l.add(e, e), l.mul(e, e)
			right := l.add(twice, l.held(1))
			l.addProduct(right, e, twice)
			top := l.pick(isRight, l.add(square, e), l.mul(twice, e))
			return l.div(top, l.pick(isRight, l.add(l.add(square, twice), l.held(2)), right))
		})
	}))
	l.gradient("Mish", "gy·(t + x·t′), t = tanh(ln(1 + eˣ))", heavy, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec {
			t, slope := l.mishGate(in[1])
			return l.mul(in[0], l.gateGrad(in[1], t, slope))
		}
	})
	l.unary("CELU", "x where x > 0, else a·(e^(x/a) − 1)", heavy, func() func(x vec) vec {
		a := l.number("a")
		if l.stored == 32 {
			inverse := l.div(l.held(1), a)
			return func(x vec) vec { return l.pick(l.is(greater, x, l.zero()), l.mul(a, l.expm1(l.mul(x, inverse))), x) }
		}
		return func(x vec) vec { return l.pick(l.is(greater, x, l.zero()), l.mul(a, l.expm1(l.div(x, a))), x) }
	})
	l.gradient("CELU", "gy where x > 0, else gy·e^(x/a)", heavy, "gy x", func() func(in []vec) vec {
		a := l.number("a")
		return func(in []vec) vec {
			q := l.div(in[1], a)
			rest := l.copy(in[1]) // the rounding error of x/a, which the exponential would magnify
			l.subProduct(rest, q, a)
			rest = l.div(rest, a)
			rest = l.only(l.is(less, l.abs(rest), l.infinity()), rest)
			slope := l.mul(l.exp(q), l.add(rest, l.held(1)))
			return l.pick(l.is(greater, in[1], l.zero()), l.mul(in[0], slope), in[0])
		}
	})
}

// mishGate is t and t′.
func (l *lane) mishGate(x vec) (t, slope vec) {
	e := l.exactDecay(l.or(x, l.signBits()))
	twice, square := l.add(e, e), l.mul(e, e)
	isRight := l.is(greater, x, l.zero())
	left, right := l.add(square, twice), l.add(twice, l.held(1))
	bottom := l.pick(isRight, l.add(left, l.held(2)), l.add(right, l.add(square, square)))
	top := l.mul(l.mul(l.pick(isRight, e, square), l.held(4)), l.add(e, l.held(1)))
	return l.div(l.pick(isRight, left, right), bottom), l.div(top, l.mul(bottom, bottom))
}
