package kernel

import "math"

// Ternary is an elementwise function w = f(x, y, z).
//
// These are derivatives of functions of two arguments, times an incoming
// gradient x. They are products and quotients that one loop for each factor
// would round at every step, and whose parts may leave the range where the
// whole does not.
type Ternary struct {
	F   func(x, y, z float64) float64
	F64 func(dst, x, y, z []float64) // over len(x) elements; dst may not overlap the others
	F32 func(dst, x, y, z []float32) // the same in float32
}

// ofXYZ is the function w = f(x, y, z).
func ofXYZ(f func(x, y, z float64) float64) Ternary {
	return Ternary{F: f, F64: mapXYZ[float64](f), F32: mapXYZ[float32](f)}
}

func mapXYZ[T Float](f func(x, y, z float64) float64) func(dst, x, y, z []T) {
	return func(dst, x, y, z []T) {
		dst, y, z = dst[:len(x)], y[:len(x)], z[:len(x)]
		for i, v := range x {
			dst[i] = T(f(float64(v), float64(y[i]), float64(z[i])))
		}
	}
}

// quotient returns a·b/(c·d), and leaves the range only if the result does.
func quotient(a, b, c, d float64) float64 {
	p, q := a*b, c*d
	if isNormal(p) && isNormal(q) {
		return p / q
	}
	return scaledQuotient(a, b, c, d)
}

// scaledQuotient computes the quotient of the fractions, and the exponent
// apart.
func scaledQuotient(a, b, c, d float64) float64 {
	if a == 0 || b == 0 {
		return a * b / c / d
	}
	fa, ea := math.Frexp(a)
	fb, eb := math.Frexp(b)
	fc, ec := math.Frexp(c)
	fd, ed := math.Frexp(d)
	return math.Ldexp(fa*fb/(fc*fd), ea+eb-ec-ed)
}

// DivSlope is −x·y/z²: the gradient of y/z with respect to z, for the incoming
// gradient x.
var DivSlope = Ternary{F: divSlopeOne, F64: divSlope[float64], F32: divSlope[float32]}

func divSlopeOne(gy, x, y float64) float64 { return -quotient(gy, x, y, y) }

func divSlope[T Float](dst, gy, x, y []T) {
	dst, x, y = dst[:len(gy)], x[:len(gy)], y[:len(gy)]
	for i, g := range gy {
		p, q := float64(g)*float64(x[i]), float64(y[i])*float64(y[i])
		if isNormal(p) && isNormal(q) {
			dst[i] = T(-p / q)
		} else {
			dst[i] = T(-scaledQuotient(float64(g), float64(x[i]), float64(y[i]), float64(y[i])))
		}
	}
}

// HypotSlope is x·y/√(y²+z²): the gradient of the hypotenuse with respect to y,
// for the incoming gradient x. It is 0 at the origin.
var HypotSlope = ofXYZ(hypotSlopeOne)

func hypotSlopeOne(gy, x, y float64) float64 {
	if p, square := gy*x, x*x+y*y; isNormal(p) && isNormal(square) {
		return p / math.Sqrt(square) // math.Hypot takes several times as long
	}
	h := math.Hypot(x, y)
	if h == 0 {
		return 0
	}
	return quotient(gy, x, h, 1)
}

// Atan2Slope is x·z/(y²+z²): the gradient with respect to the ordinate y of the
// angle of a point with abscissa z, for the incoming gradient x. With y and z
// exchanged it is minus the gradient with respect to the abscissa. It is 0 at
// the origin and if y or z is infinite.
var Atan2Slope = ofXYZ(atan2SlopeOne)

func atan2SlopeOne(gy, y, x float64) float64 {
	if p, square := gy*x, x*x+y*y; isNormal(p) && isNormal(square) {
		return p / square
	}
	h := math.Hypot(x, y)
	switch {
	case y != y || x != x:
		return math.NaN()
	case h == 0 || math.IsInf(h, 0):
		return 0
	}
	return quotient(gy, x, h, h)
}

// PowSlope is x·z·yᶻ⁻¹: the gradient of yᶻ with respect to y, for the incoming
// gradient x. It has the special cases of [PowScalar].
var PowSlope = ofXYZ(powGrad)

// BCESlope is x·(y − z)/max(y·(1−y), 1e−12): the gradient of the binary cross
// entropy of y against z with respect to the probability y, for the incoming
// gradient x.
var BCESlope = Ternary{F: bceSlopeOne, F64: bceSlope[float64], F32: bceSlope[float32]}

func bceSlopeOne(gy, p, y float64) float64 { return gy * ((p - y) / max(p*(1-p), leastSpread)) }

func bceSlope[T Float](dst, gy, p, y []T) {
	dst, p, y = dst[:len(gy)], p[:len(gy)], y[:len(gy)]
	for i, g := range gy {
		dst[i] = T(bceSlopeOne(float64(g), float64(p[i]), float64(y[i])))
	}
}

// LogAddExpSlope is x·sigmoid(y − z): the gradient by y of ln(eʸ + eᶻ), where x
// comes in.
var LogAddExpSlope = ofXYZ(logAddExpSlope)

func logAddExpSlope(gy, x, y float64) float64 {
	d, e := decayOfDifference(x, y)
	switch {
	case math.IsInf(x, -1) && d == 0:
		return 0
	case d < 0:
		return gy * (e / (1 + e))
	}
	return gy * (1 / (1 + e))
}
