package main

import (
	"github.com/mmcloughlin/avo/operand"
)

func arithmetic(f *file) {
	for _, l := range f.both() {
		l.binary("Add", "x + y", light, func() func(x, y vec) vec { return func(x, y vec) vec { return l.add(x, y) } })
		l.binary("Sub", "x − y", light, func() func(x, y vec) vec { return func(x, y vec) vec { return l.sub(x, y) } })
		l.binary("Mul", "x·y", light, func() func(x, y vec) vec { return func(x, y vec) vec { return l.mul(x, y) } })
		l.binary("Div", "x/y", light, func() func(x, y vec) vec { return func(x, y vec) vec { return l.div(x, y) } })
		l.powers()
		l.roundings()
		l.fill()
	}
	for _, l := range f.careful() {
		l.roots()
		l.cubeGrad()
	}
	f.conversions()
}

func (l *lane) powers() {
	l.unary("Neg", "−x", light, func() func(x vec) vec {
		sign := l.load(l.signBits())
		return func(x vec) vec { return l.xor(x, sign) }
	})
	l.gradient("Neg", "−gy", light, "gy", func() func(in []vec) vec {
		sign := l.load(l.signBits())
		return func(in []vec) vec { return l.xor(in[0], sign) }
	})
	l.unary("Scale", "a·x", light, func() func(x vec) vec {
		a := l.number("a")
		return func(x vec) vec { return l.mul(a, x) }
	})
	l.gradient("Scale", "a·gy", light, "gy", func() func(in []vec) vec {
		a := l.number("a")
		return func(in []vec) vec { return l.mul(a, in[0]) }
	})
	l.gradient("Exp", "gy·y", light, "gy y", func() func(in []vec) vec {
		return func(in []vec) vec { return l.mul(in[0], in[1]) }
	})
	l.unary("AddScalar", "x + a", light, func() func(x vec) vec {
		a := l.number("a")
		return func(x vec) vec { return l.add(x, a) }
	})
	l.unary("Square", "x²", light, func() func(x vec) vec {
		return func(x vec) vec { return l.mul(x, x) }
	})
	l.gradient("Square", "gy·2x", light, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec {
			half := l.mul(in[0], in[1])
			return l.add(half, half)
		}
	})
	l.unary("cube", "x³", light, func() func(x vec) vec {
		return func(x vec) vec { return l.mul(l.mul(x, x), x) }
	})
	l.unary("Sqrt", "√x", light, func() func(x vec) vec {
		return func(x vec) vec { return l.sqrt(x) }
	})
	l.gradient("Sqrt", "gy/2y, with +0 for y = −0", light, "gy y", func() func(in []vec) vec {
		zero := l.zero()
		return func(in []vec) vec { return l.div(in[0], l.add(l.add(in[1], in[1]), zero)) }
	})
	l.unary("Reciprocal", "1/x", light, func() func(x vec) vec {
		unit := l.held(1)
		return func(x vec) vec { return l.div(unit, x) }
	})
	l.gradient("Reciprocal", "−gy·y²", light, "gy y", func() func(in []vec) vec {
		return func(in []vec) vec { return l.mul(l.mul(l.neg(in[0]), in[1]), in[1]) }
	})
	l.unary("Abs", "|x|", light, func() func(x vec) vec {
		return func(x vec) vec { return l.abs(x) }
	})
	l.gradient("Abs", "gy·sign x", light, "gy x", func() func(in []vec) vec {
		zero := l.zero()
		return func(in []vec) vec {
			g := l.and(l.xor(in[0], l.signOf(in[1])), l.is(notEqual, in[1], zero))
			return l.or(g, l.is(unordered, in[1], in[1]))
		}
	})
	l.gradient("Log", "gy/x, with +0 for x = −0", medium, "gy x", func() func(in []vec) vec {
		zero := l.zero()
		return func(in []vec) vec { return l.div(in[0], l.add(in[1], zero)) }
	})
}

// cubeGrad multiplies by x twice: the square may leave the range.
func (l *lane) cubeGrad() {
	l.gradient("cube", "gy·3x²", light, "gy x", func() func(in []vec) vec {
		three := l.held(3)
		return func(in []vec) vec { return l.mul(l.mul(three, l.mul(in[0], in[1])), in[1]) }
	})
}

// roots emits functions that need float64 for all digits of a float32 result.
func (l *lane) roots() {
	l.unary("Rsqrt", "1/√x", medium, func() func(x vec) vec {
		unit := l.held(1)
		return func(x vec) vec { return l.div(unit, l.sqrt(x)) }
	})
	l.gradient("Rsqrt", "−½·gy·y/x", medium, "gy x y", func() func(in []vec) vec {
		return func(in []vec) vec { return l.div(l.mul(in[0], l.mul(in[2], l.c(-0.5))), in[1]) }
	})
	l.gradient("Log1p", "gy/(1 + x)", medium, "gy x", func() func(in []vec) vec {
		return func(in []vec) vec { return l.div(in[0], l.add(in[1], l.c(1))) }
	})
}

func (l *lane) roundings() {
	for _, row := range []struct {
		name, formula string
		mode          uint64
	}{{"Round", "x rounded to the nearest integer, halves to the even one", 8}, {"Floor", "⌊x⌋", 9}, {"Ceil", "⌈x⌉", 10}, {"Trunc", "x without its fraction", 11}} {
		l.unary(row.name, row.formula, light, func() func(x vec) vec {
			return func(x vec) vec {
				r := l.YMM()
				if l.bits == 32 {
					l.VROUNDPS(operand.U8(row.mode), x, r)
				} else {
					l.VROUNDPD(operand.U8(row.mode), x, r)
				}
				return r
			}
		})
	}
	l.unary("Sign", "−1, 0 or 1 by the sign of x", light, func() func(x vec) vec {
		zero, unit := l.zero(), l.held(1)
		return func(x vec) vec {
			y := l.and(l.or(unit, l.signOf(x)), l.is(notEqual, x, zero))
			return l.or(y, l.is(unordered, x, x))
		}
	})
	l.gradient("Sign Floor Ceil Round Trunc", "0, or NaN where x is", light, "x", func() func(in []vec) vec {
		zero := l.zero()
		return func(in []vec) vec { return l.orNaN(l.is(unordered, in[0], in[0]), zero) }
	})
}

func (l *lane) fill() {
	l.loop("fill", "func(dst *T, v T, n int)", "is dst = v.")
	v := l.element("v")
	l.arrays([]string{"dst"}, nil, plenty, one(func([]vec) vec { return l.copy(v) }), nil)
}

// conversions change the precision, through registers of the narrower side's
// width.
func (f *file) conversions() {
	narrow := f.double()
	narrow.begin("convert32AVX2", "func(dst *float32, src *float64, n int)", "is dst = src, rounded.")
	narrow.convert(f.double(), f.widened())
	narrow.begin("convert64AVX2", "func(dst *float64, src *float32, n int)", "is dst = src.")
	narrow.convert(f.widened(), f.double())
}

func (l *lane) convert(from, to *lane) {
	n, src, dst := l.param("n"), l.param("src"), l.param("dst")
	l.SUBQ(operand.Imm(4), n)
	l.JLT(operand.LabelRef("loopDone"))
	l.Label("loop")
	to.write(from.read(operand.Mem{Base: src}), operand.Mem{Base: dst})
	l.ADDQ(operand.Imm(uint64(from.step())), src)
	l.ADDQ(operand.Imm(uint64(to.step())), dst)
	l.SUBQ(operand.Imm(4), n)
	l.JGE(operand.LabelRef("loop"))
	l.Label("loopDone")
	l.ADDQ(operand.Imm(4), n)
	l.JZ(operand.LabelRef("end"))
	x := from.readSome(operand.Mem{Base: src}, from.mask(n))
	place := l.GP64()
	l.XORQ(place, place)
	to.writeSome(x, operand.Mem{Base: dst, Index: place, Scale: 1}, n, "rest")
	l.Label("end")
	l.end()
}
