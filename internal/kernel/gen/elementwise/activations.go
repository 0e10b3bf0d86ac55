package main

func activations(f *file) {
	for _, l := range f.both() {
		l.rectifiers()
		l.clamps()
		l.hard()
	}
	for _, l := range f.careful() {
		l.softsign()
	}
}

func (l *lane) rectifiers() {
	l.unary("ReLU", "max(x, 0)", light, func() func(x vec) vec {
		zero := l.zero()
		return func(x vec) vec { return l.and(x, l.is(notLessEqual, x, zero)) }
	})
	l.gradient("ReLU", "gy where x > 0, NaN where x is, else 0", light, "gy x", func() func(in []vec) vec {
		zero := l.zero()
		return func(in []vec) vec {
			g := l.and(in[0], l.is(notLessEqual, in[1], zero))
			return l.or(g, l.is(unordered, in[1], in[1]))
		}
	})
	l.unary("LeakyReLU", "x where x > 0, else a·x", light, func() func(x vec) vec {
		a, zero := l.number("a"), l.zero()
		return func(x vec) vec { return l.pick(l.is(lessEqual, x, zero), x, l.mul(a, x)) }
	})
	l.gradient("LeakyReLU", "gy where x > 0, NaN where x is, else a·gy", light, "gy x", func() func(in []vec) vec {
		a, zero := l.number("a"), l.zero()
		return func(in []vec) vec {
			g := l.pick(l.is(lessEqual, in[1], zero), in[0], l.mul(a, in[0]))
			return l.or(g, l.is(unordered, in[1], in[1]))
		}
	})
	l.binary("PReLU", "x where x > 0, else y·x", light, func() func(x, y vec) vec {
		zero := l.zero()
		return func(x, y vec) vec { return l.pick(l.is(greater, x, zero), l.mul(y, x), x) }
	})
}

func (l *lane) clamps() {
	clamp := func(x, lo, hi vec) vec { return l.minimum(l.maximum(x, lo), hi) }
	inside := func(outside, x, g vec) vec {
		return l.or(l.without(outside, g), l.is(unordered, x, x))
	}
	between := func(in []vec, lo, hi vec) vec {
		outside := l.or(l.is(lessEqual, in[1], lo), l.is(greaterEqual, in[1], hi))
		return inside(outside, in[1], in[0])
	}
	l.unary("Clamp HardTanh", "min(max(x, a), b)", light, func() func(x vec) vec {
		a, b := l.number("a"), l.number("b")
		return func(x vec) vec { return clamp(x, a, b) }
	})
	l.gradient("Clamp", "gy where a ≤ x ≤ b, NaN where x is, else 0", light, "gy x", func() func(in []vec) vec {
		a, b := l.number("a"), l.number("b")
		return func(in []vec) vec {
			outside := l.or(l.is(less, in[1], a), l.is(greater, in[1], b))
			return inside(outside, in[1], in[0])
		}
	})
	l.gradient("HardTanh", "gy where a < x < b, NaN where x is, else 0", light, "gy x", func() func(in []vec) vec {
		a, b := l.number("a"), l.number("b")
		b = l.orNaN(l.is(equal, l.abs(b), l.infinity()), b) // nothing reaches an infinite bound
		return func(in []vec) vec { return between(in, a, b) }
	})
	l.unary("ReLU6", "min(max(x, 0), 6)", light, func() func(x vec) vec {
		zero, six := l.zero(), l.held(6)
		return func(x vec) vec { return clamp(x, zero, six) }
	})
	l.gradient("ReLU6", "gy where 0 < x < 6, NaN where x is, else 0", light, "gy x", func() func(in []vec) vec {
		zero, six := l.zero(), l.held(6)
		return func(in []vec) vec { return between(in, zero, six) }
	})
}

func (l *lane) hard() {
	l.unary("HardSigmoid", "min(max(x+3, 0), 6)/6", light, func() func(x vec) vec {
		zero, three, six := l.zero(), l.held(3), l.held(6)
		return func(x vec) vec { return l.div(l.least(six, l.most(zero, l.add(x, three))), six) }
	})
	l.gradient("HardSigmoid", "gy/6 where −3 < x < 3, NaN where x is, else 0", light, "gy x", func() func(in []vec) vec {
		three := l.held(3)
		return func(in []vec) vec {
			g := l.mul(in[0], l.c(1.0/6))
			g = l.without(l.is(greaterEqual, l.abs(in[1]), three), g)
			return l.or(g, l.is(unordered, in[1], in[1]))
		}
	})
	l.unary("HardShrink", "x where |x| > a, else 0", light, func() func(x vec) vec {
		a := l.number("a")
		return func(x vec) vec { return l.without(l.is(lessEqual, l.abs(x), a), x) }
	})
	l.gradient("HardShrink", "gy where |x| > a, NaN where x is, else 0", light, "gy x", func() func(in []vec) vec {
		a := l.number("a")
		return func(in []vec) vec {
			g := l.without(l.is(lessEqual, l.abs(in[1]), a), in[0])
			return l.or(g, l.is(unordered, in[1], in[1]))
		}
	})
	l.unary("HardSwish", "x·min(max(x+3, 0), 6)/6", light, func() func(x vec) vec {
		three, six, left := l.held(3), l.held(6), l.held(-3)
		return func(x vec) vec {
			y := l.div(l.mul(x, l.add(x, three)), six)
			y = l.pick(l.is(greaterEqual, x, three), y, x)
			return l.without(l.is(lessEqual, x, left), y)
		}
	})
	l.gradient("HardSwish", "0 where x ≤ −3, gy where x ≥ 3, else gy·(2x + 3)/6", light, "gy x", func() func(in []vec) vec {
		three, six, left := l.held(3), l.held(6), l.held(-3)
		return func(in []vec) vec {
			g := l.mul(in[0], l.div(l.add(l.add(in[1], in[1]), three), six))
			g = l.pick(l.is(greaterEqual, in[1], three), g, in[0])
			return l.without(l.is(lessEqual, in[1], left), g)
		}
	})
}

func (l *lane) softsign() {
	l.unary("Softsign", "x/(1 + |x|)", medium, func() func(x vec) vec {
		unit := l.held(1)
		return func(x vec) vec {
			d := l.add(l.abs(x), unit)
			y := l.div(x, d)
			isInfinite := l.is(equal, l.abs(x), l.pattern(0x7f800000, 0x7ff0000000000000))
			return l.pick(isInfinite, y, l.or(l.signOf(x), unit))
		}
	})
	l.overSquare("Softsign", "gy/(1 + |x|)²", func(x vec) vec {
		d := l.add(l.abs(x), l.held(1))
		return l.mul(d, d)
	})
}
