package main

import "github.com/mmcloughlin/avo/operand"

// slopes emits derivatives of functions of two arguments, times an incoming
// gradient.
func slopes(f *file) {
	for _, l := range f.both() {
		l.ternary("DivSlope", "−x·y/z²", light, func(gy, x, y vec) (mask, func() vec) {
			p, square := l.mul(gy, x), l.mul(y, y)
			outside := l.either(l.isLost(l.abs(p), l.both(l.isSet(gy), l.isSet(x))), l.isLost(square, l.isSet(y)))
			return outside, func() vec { return l.div(l.neg(p), square) }
		})
		l.ternary("HypotSlope", "x·y/√(y²+z²), 0 at the origin", light, func(gy, x, y vec) (mask, func() vec) {
			return l.bySquares(gy, x, x, y, l.sqrt)
		})
	}
	for _, l := range f.careful() {
		l.ternary("Atan2Slope", "x·z/(y²+z²), 0 at the origin", medium, func(gy, y, x vec) (mask, func() vec) {
			return l.bySquares(gy, x, x, y, func(square op) vec { return square.(vec) })
		})
		l.ternary("PowSlope", "x·z·yᶻ⁻¹", heavy, func(gy, x, a vec) (mask, func() vec) {
			outside, f := l.powGrad(gy, x, a, l.leastSlope(a))
			return outside, func() vec { return l.without(l.is(equal, a, l.zero()), f()) }
		})
		l.ternary("BCESlope", "x·(y − z)/max(y·(1−y), 1e−12)", medium, func(gy, p, y vec) (mask, func() vec) {
			return nil, func() vec {
				spread := l.mul(p, l.sub(l.held(1), p))
				return l.mul(gy, l.div(l.sub(p, y), l.pick(l.is(less, spread, l.held(1e-12)), spread, l.held(1e-12))))
			}
		})
	}
}

// bySquares is gy·z/f(x²+y²), and 0 at the origin.
func (l *lane) bySquares(gy, z, x, y vec, f func(square op) vec) (mask, func() vec) {
	p, square := l.mul(gy, z), l.add(l.mul(x, x), l.mul(y, y))
	outside := l.isLost(square, l.isSet(l.or(x, y)))
	if l.bits == l.stored { // no product of two float32 leaves the range of float64
		outside = l.either(outside, l.isLost(l.abs(p), l.both(l.isSet(gy), l.isSet(z))))
	}
	return outside, func() vec { return l.only(l.isSet(square), l.div(p, f(square))) }
}

// isSet is the mask of what is not 0.
func (l *lane) isSet(x vec) mask { return l.is(notEqual, x, l.c(0)) }

// leastNormal is the least number with all digits.
func (l *lane) leastNormal() operand.Mem { return l.pattern(1<<23, 1<<52) }

// isLost is the mask of sizes of intermediate results that are infinite, or
// subnormal or 0 where they should be more.
func (l *lane) isLost(size vec, more mask) mask {
	return l.either(l.is(equal, size, l.infinity()), l.both(l.is(less, size, l.leastNormal()), more))
}
