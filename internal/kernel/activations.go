package kernel

import "math"

// ReLU is y = max(x, 0).
//
//	∂y/∂x = 1 for x > 0, else 0
//
// Special cases are: the gradient at 0 is 0.
var ReLU = Unary{
	F:   func(x, _, _ float64) float64 { return max(x, 0) },
	D:   func(gy, x, _, _, _ float64) float64 { return between(gy, x, 0, math.Inf(1)) },
	F64: relu[float64], F32: relu[float32],
	D64: reluGrad[float64], D32: reluGrad[float32],
}

func relu[T Float](dst, x []T, _, _ float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = max(v, 0)
	}
}

func reluGrad[T Float](dst, gy, x, _ []T, _, _ float64) {
	dst, x = dst[:len(gy)], x[:len(gy)]
	for i, g := range gy {
		v := x[i]
		if v <= 0 {
			g = 0
		} else if v != v {
			g = v
		}
		dst[i] = g
	}
}

// between is the gradient of a function that is x inside (lo, hi) and constant
// outside: gy, 0, or NaN for NaN. If hi is +Inf, it counts as inside.
func between[T Float](gy, x, lo, hi T) T {
	switch {
	case x <= lo || (x >= hi && hi-hi == 0):
		return 0
	case x != x:
		return x
	}
	return gy
}

func betweenGrad[T Float](dst, gy, x []T, lo, hi, slope T) {
	dst, x = dst[:len(gy)], x[:len(gy)]
	for i, g := range gy {
		dst[i] = between(g*slope, x[i], lo, hi)
	}
}

// ReLU6 is y = min(max(x, 0), 6).
//
//	∂y/∂x = 1 for 0 < x < 6, else 0
//
// Special cases are: the gradient at 0 and 6 is 0.
var ReLU6 = Unary{
	F:   func(x, _, _ float64) float64 { return min(max(x, 0), 6) },
	D:   func(gy, x, _, _, _ float64) float64 { return between(gy, x, 0, 6) },
	F64: relu6[float64], F32: relu6[float32],
	D64: relu6Grad[float64], D32: relu6Grad[float32],
}

func relu6[T Float](dst, x []T, _, _ float64) { clamp(dst, x, 0, 6) }

func relu6Grad[T Float](dst, gy, x, _ []T, _, _ float64) { betweenGrad(dst, gy, x, 0, 6, 1) }

// HardTanh is y = min(max(x, a), b).
//
//	∂y/∂x = 1 for a < x < b, else 0
//
// Special cases are: the gradient at a and b is 0; [Clamp] differs there.
var HardTanh = Unary{
	F:   func(x, a, b float64) float64 { return min(max(x, a), b) },
	D:   func(gy, x, _, a, b float64) float64 { return between(gy, x, a, b) },
	F64: clamp[float64], F32: clamp[float32],
	D64: hardTanhGrad[float64], D32: hardTanhGrad[float32],
}

func hardTanhGrad[T Float](dst, gy, x, _ []T, a, b float64) { betweenGrad(dst, gy, x, T(a), T(b), 1) }

// Clamp is y = min(max(x, a), b).
//
//	∂y/∂x = 1 for a ≤ x ≤ b, else 0
var Clamp = Unary{
	F:   func(x, a, b float64) float64 { return min(max(x, a), b) },
	D:   func(gy, x, _, a, b float64) float64 { return within(gy, x, a, b) },
	F64: clamp[float64], F32: clamp[float32],
	D64: clampGrad[float64], D32: clampGrad[float32],
}

func clamp[T Float](dst, x []T, a, b float64) {
	dst = dst[:len(x)]
	lo, hi := T(a), T(b)
	for i, v := range x {
		dst[i] = min(max(v, lo), hi)
	}
}

// within is the gradient of Clamp: gy inside [lo, hi], 0 outside, or NaN for
// NaN.
func within[T Float](gy, x, lo, hi T) T {
	switch {
	case x < lo || x > hi:
		return 0
	case x != x:
		return x
	}
	return gy
}

func clampGrad[T Float](dst, gy, x, _ []T, a, b float64) {
	dst, x = dst[:len(gy)], x[:len(gy)]
	lo, hi := T(a), T(b)
	for i, g := range gy {
		dst[i] = within(g, x[i], lo, hi)
	}
}

// LeakyReLU is y = x for x > 0, else a·x.
//
//	∂y/∂x = 1 for x > 0, else a
//
// Special cases are: the gradient at 0 is a.
var LeakyReLU = Unary{
	F:   func(x, a, _ float64) float64 { return leak(x, x, a) },
	D:   func(gy, x, _, a, _ float64) float64 { return leakGrad(gy, x, a) },
	F64: leakyReLU[float64], F32: leakyReLU[float32],
	D64: leakyReLUGrad[float64], D32: leakyReLUGrad[float32],
}

// leak returns v if x is positive or NaN, else a·v. With v = x it is the
// function itself.
func leak[T Float](v, x, a T) T {
	if x <= 0 {
		return a * v
	}
	return v
}

func leakGrad[T Float](gy, x, a T) T {
	if x != x {
		return x
	}
	return leak(gy, x, a)
}

func leakyReLU[T Float](dst, x []T, a, _ float64) {
	dst = dst[:len(x)]
	slope := T(a)
	for i, v := range x {
		dst[i] = leak(v, v, slope)
	}
}

func leakyReLUGrad[T Float](dst, gy, x, _ []T, a, _ float64) {
	dst, x = dst[:len(gy)], x[:len(gy)]
	slope := T(a)
	for i, g := range gy {
		dst[i] = leakGrad(g, x[i], slope)
	}
}

// ELU is y = x for x > 0, else a·(eˣ − 1).
//
//	∂y/∂x = 1 for x > 0, else a·eˣ
//
// Special cases are: the gradient at 0 is a.
var ELU = ofXA(elu, eluGrad)

func elu(x, a float64) float64 {
	if x > 0 {
		return x
	}
	return a * math.Expm1(x)
}

func eluGrad(gy, x, a float64) float64 {
	if x > 0 {
		return gy
	}
	return gy * (a * math.Exp(x))
}

// The constants of SELU, with which activations keep mean 0 and variance 1 from
// layer to layer (Klambauer et al., Self-Normalizing Neural Networks, 2017).
const (
	seluScale = 1.0507009873554804934193349852946
	seluAlpha = 1.6732632423543772848170429916717
)

// SELU is y = λ·x for x > 0, else λ·α·(eˣ − 1), with λ = 1.0507009873554805 and
// α = 1.6732632423543772.
//
//	∂y/∂x = λ for x > 0, else λ·α·eˣ
//
// Special cases are: the gradient at 0 is λ·α = 1.7580993408473766.
var SELU = ofX(
	func(x float64) float64 { return seluScale * elu(x, seluAlpha) },
	func(gy, x float64) float64 { return seluScale * eluGrad(gy, x, seluAlpha) },
)

// CELU is y = x for x > 0, else a·(e^(x/a) − 1).
//
//	∂y/∂x = 1 for x > 0, else e^(x/a)
//
// Special cases are: the gradient at 0 is 1.
var CELU = ofXA(
	func(x, a float64) float64 {
		if x > 0 {
			return x
		}
		return a * math.Expm1(x/a)
	},
	func(gy, x, a float64) float64 {
		if x > 0 {
			return gy
		}
		q := x / a
		rest := math.FMA(-q, a, x) / a // the rounding error of x/a, which the exponential would magnify
		if rest-rest != 0 {
			rest = 0
		}
		return gy * (math.Exp(q) * (1 + rest))
	},
)

// GELU is y = x·Φ(x), with the normal distribution function Φ(x) =
// erfc(−x/√2)/2.
//
//	∂y/∂x = Φ(x) + x·φ(x), φ(x) = e^(−x²/2)/√2π
//
// Special cases are: at −Inf value and gradient are 0; no digits cancel, so
// gelu(−10) = −7.6e−23.
var GELU = ofX(
	func(x float64) float64 { return gate(x, normalCDF(x)) },
	func(gy, x float64) float64 {
		return gy * gateGrad(x, normalCDF(x), expSquare(x, -0.5)/(math.Sqrt2*math.SqrtPi))
	},
)

// normalCDF returns Φ(x) = erfc(z)/2 with z = −x/√2. Far to the left erfc would
// magnify the rounding error of z, which is corrected with erfc′(z)/erfc(z) ≈
// −(z + √(z²+2)).
func normalCDF(x float64) float64 {
	const inverseRoot, inverseRootRest = 0.7071067811865476, -4.833646656726457e-17
	z := -x * inverseRoot
	p := 0.5 * math.Erfc(z)
	if p == 0 || z < 1 {
		return p
	}
	rest := math.FMA(-x, inverseRoot, -z) - x*inverseRootRest
	return p * (1 - rest*(z+math.Sqrt(z*z+2)))
}

// gate returns x·p for a probability p; −0 if p is 0, as at −Inf.
func gate(x, p float64) float64 {
	if p == 0 {
		return math.Copysign(0, x)
	}
	return x * p
}

// gateGrad returns (x·p)′ = p + x·p′; just p if p′ is 0, as at ±Inf.
func gateGrad(x, p, slope float64) float64 {
	if slope == 0 {
		return p
	}
	return p + x*slope
}

// The constants of the approximation Φ(x) ≈ sigmoid(geluScale·(x +
// geluCubic·x³)).
const (
	geluScale     = 2 * math.Sqrt2 / math.SqrtPi
	geluScaleRest = -9.96930880911092e-17 // of its rounding
	geluCubic     = 0.044715
)

// GELUTanh is y = x·(1 + tanh u)/2 with u = √(2/π)·(x + 0.044715·x³), the
// approximation of [GELU].
//
//	∂y/∂x = (1 + tanh u)/2 + x/2·u′/cosh² u
//
// Special cases are: at −Inf value and gradient are 0.
var GELUTanh = ofX(
	func(x float64) float64 {
		p, _ := geluTanhGate(x)
		return gate(x, p)
	},
	func(gy, x float64) float64 {
		p, s := geluTanhGate(x)
		if s != 0 {
			s *= geluScale * (1 + 3*geluCubic*x*x)
		}
		return gy * gateGrad(x, p, s)
	},
)

// geluTanhGate returns the sigmoid of geluScale·(x + geluCubic·x³) and its
// derivative there. It corrects the argument's rounding error, which the
// exponential would magnify.
func geluTanhGate(x float64) (p, slope float64) {
	square := x * x
	cubic := geluCubic * square
	factor := 1 + cubic
	u := geluScale * (x * factor)
	factorRest := math.FMA(geluCubic, square, -cubic) + geluCubic*math.FMA(x, x, -square) + addRest(1, cubic, factor)
	product := x * factor
	rest := math.FMA(geluScale, product, -u) + geluScale*(math.FMA(x, factor, -product)+x*factorRest) + geluScaleRest*product
	e := math.Exp(-math.Abs(u))
	if e > 0 {
		e *= 1 - math.Copysign(1, u)*rest
	}
	if u < 0 {
		p = e / (1 + e)
	} else {
		p = 1 / (1 + e)
	}
	return p, e / ((1 + e) * (1 + e))
}

// addRest returns the rounding error of sum = x + y.
func addRest(x, y, sum float64) float64 {
	part := sum - x
	return (x - (sum - part)) + (y - part)
}

// SiLU is y = x·sigmoid x, also called swish.
//
//	∂y/∂x = sigmoid x + x·sigmoid′ x
//
// Special cases are: at −Inf value and gradient are 0.
var SiLU = ofX(
	func(x float64) float64 { return gate(x, sigmoid(x)) },
	func(gy, x float64) float64 { return gy * gateGrad(x, sigmoid(x), sigmoidGrad(1, x)) },
)

// Mish is y = x·tanh(softplus x).
//
//	∂y/∂x = t + x·t′ with t = tanh(softplus x), t′ = sigmoid x / cosh²(softplus x)
//
// Special cases are: at −Inf value and gradient are 0.
var Mish = ofX(
	func(x float64) float64 {
		t, _ := mishGate(x)
		return gate(x, t)
	},
	func(gy, x float64) float64 {
		t, slope := mishGate(x)
		return gy * gateGrad(x, t, slope)
	},
)

// mishGate returns t = tanh(ln(1+eˣ)) and its derivative, as fractions in
// e^(−|x|) without differences, so that nothing cancels.
func mishGate(x float64) (t, slope float64) {
	e := math.Exp(-math.Abs(x))
	if x > 0 {
		d := 1 + 2*e + 2*e*e
		return (1 + 2*e) / d, 4 * e * e * (1 + e) / (d * d)
	}
	d := e*e + 2*e + 2
	return e * (e + 2) / d, 4 * e * (1 + e) / (d * d)
}

// Softplus is y = ln(1 + e^(a·x))/a, without overflow or cancellation.
//
//	∂y/∂x = sigmoid(a·x)
//
// Special cases are: for a = 0 the value is +Inf.
var Softplus = ofXA(softplus, softplusGrad)

func softplus(x, a float64) float64 {
	power, e := softplusDecay(x, a)
	if !(power > 0) {
		x = 0
	}
	return x + math.Log1p(e)/a
}

func softplusGrad(gy, x, a float64) float64 {
	power, e := softplusDecay(x, a)
	if power < 0 {
		return gy * (e / (1 + e))
	}
	return gy * (1 / (1 + e))
}

// softplusDecay returns a·x and e^(−|a·x|). The rounding error of the product,
// which the exponential would magnify, is made good.
func softplusDecay(x, a float64) (power, e float64) {
	power = a * x
	e = math.Exp(-math.Abs(power))
	if e > 0 {
		e *= 1 - math.Copysign(1, power)*math.FMA(a, x, -power)
	}
	return power, e
}

// LogSigmoid is y = ln(sigmoid x) = −softplus(−x).
//
//	∂y/∂x = sigmoid(−x)
var LogSigmoid = ofX(
	func(x float64) float64 { return -softplus(-x, 1) },
	func(gy, x float64) float64 { return gy * sigmoid(-x) },
)

// Softsign is y = x / (1 + |x|).
//
//	∂y/∂x = 1 / (1 + |x|)²
//
// Special cases are: at ±Inf the value is ±1 and the gradient 0.
var Softsign = ofX(
	func(x float64) float64 {
		if math.IsInf(x, 0) {
			return math.Copysign(1, x)
		}
		return x / (1 + math.Abs(x))
	},
	func(gy, x float64) float64 {
		d := 1 + math.Abs(x)
		return gy / d / d
	},
)

// Sigmoid is y = 1 / (1 + e⁻ˣ).
//
//	∂y/∂x = y·(1 − y) = 1 / (4·cosh²(x/2))
//
// The gradient is computed from x: from y it would have no digit left at 40.
var Sigmoid = ofX(sigmoid, sigmoidGrad)

func sigmoid(x float64) float64 {
	e := math.Exp(-math.Abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

func sigmoidGrad(gy, x float64) float64 {
	e := math.Exp(-math.Abs(x))
	return gy * (e / ((1 + e) * (1 + e)))
}

// HardSigmoid is y = min(max(x+3, 0), 6)/6.
//
//	∂y/∂x = 1/6 for −3 < x < 3, else 0
//
// Special cases are: the gradient at ±3 is 0.
var HardSigmoid = Unary{
	F:   func(x, _, _ float64) float64 { return hardSigmoidOne(x) },
	D:   func(gy, x, _, _, _ float64) float64 { return between(gy*(1.0/6), x, -3, 3) },
	F64: hardSigmoid[float64], F32: hardSigmoid[float32],
	D64: hardSigmoidGrad[float64], D32: hardSigmoidGrad[float32],
}

func hardSigmoidOne[T Float](x T) T { return min(max(x+3, 0), 6) / 6 }

func hardSigmoid[T Float](dst, x []T, _, _ float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = hardSigmoidOne(v)
	}
}

func hardSigmoidGrad[T Float](dst, gy, x, _ []T, _, _ float64) {
	betweenGrad(dst, gy, x, -3, 3, T(1.0/6))
}

// HardSwish is y = x·min(max(x+3, 0), 6)/6.
//
//	∂y/∂x = (2x + 3)/6 for −3 < x < 3, 0 below, 1 above
//
// Special cases are: the gradient at −3 is 0 and at 3 it is 1; at −Inf the
// value is 0.
var HardSwish = Unary{
	F:   func(x, _, _ float64) float64 { return hardSwishOne(x) },
	D:   func(gy, x, _, _, _ float64) float64 { return hardSwishGradOne(gy, x) },
	F64: hardSwish[float64], F32: hardSwish[float32],
	D64: hardSwishGrad[float64], D32: hardSwishGrad[float32],
}

// hardSwishOne returns x itself from 3 on, where the formula's product could
// overflow.
func hardSwishOne[T Float](x T) T {
	switch {
	case x <= -3:
		return 0
	case x >= 3:
		return x
	}
	return x * (x + 3) / 6
}

func hardSwishGradOne[T Float](gy, x T) T {
	switch {
	case x <= -3:
		return 0
	case x >= 3:
		return gy
	}
	return gy * ((2*x + 3) / 6)
}

func hardSwish[T Float](dst, x []T, _, _ float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = hardSwishOne(v)
	}
}

func hardSwishGrad[T Float](dst, gy, x, _ []T, _, _ float64) {
	dst, x = dst[:len(gy)], x[:len(gy)]
	for i, g := range gy {
		dst[i] = hardSwishGradOne(g, x[i])
	}
}

// HardShrink is y = x for |x| > a, else 0.
//
//	∂y/∂x = 1 for |x| > a, else 0
//
// Special cases are: the gradient at ±a is 0.
var HardShrink = Unary{
	F:   func(x, a, _ float64) float64 { return shrink(x, x, a) },
	D:   func(gy, x, _, a, _ float64) float64 { return shrinkGrad(gy, x, a) },
	F64: hardShrink[float64], F32: hardShrink[float32],
	D64: hardShrinkGrad[float64], D32: hardShrinkGrad[float32],
}

// shrink returns 0 where |x| ≤ a, v elsewhere: the function for v = x.
func shrink[T Float](v, x, a T) T {
	if -a <= x && x <= a {
		return 0
	}
	return v
}

func shrinkGrad[T Float](gy, x, a T) T {
	if x != x {
		return x
	}
	return shrink(gy, x, a)
}

func hardShrink[T Float](dst, x []T, a, _ float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = shrink(v, v, T(a))
	}
}

func hardShrinkGrad[T Float](dst, gy, x, _ []T, a, _ float64) {
	dst, x = dst[:len(gy)], x[:len(gy)]
	for i, g := range gy {
		dst[i] = shrinkGrad(g, x[i], T(a))
	}
}
