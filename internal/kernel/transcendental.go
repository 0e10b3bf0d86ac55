package kernel

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Exp is y = eˣ.
//
//	∂y/∂x = y
var Exp = Unary{
	F:   func(x, _, _ float64) float64 { return expOf(x) },
	D:   func(gy, _, y, _, _ float64) float64 { return gy * y },
	F64: exp[float64], F32: exp[float32],
	D64: expGrad[float64], D32: expGrad[float32],
}

func exp[T Float](dst, x []T, _, _ float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = T(expOf(float64(v)))
	}
}

// expOf is math.Exp, except between 709 and 710: math.Exp on amd64 is infinite
// too early there.
func expOf(x float64) float64 {
	if x > 709 && x < 710 {
		return math.Exp(x-1) * math.E
	}
	return math.Exp(x)
}

func expGrad[T Float](dst, gy, _, y []T, _, _ float64) { mulVV(dst, gy, y) }

// Expm1 is y = eˣ − 1, without cancellation near 0.
//
//	∂y/∂x = eˣ
var Expm1 = ofX(math.Expm1, func(gy, x float64) float64 { return gy * expOf(x) })

// Log is y = ln x.
//
//	∂y/∂x = 1/x
//
// Special cases are: at ±0 the value is −Inf and the gradient +Inf; for x < 0
// the value is NaN and the gradient 1/x.
var Log = ofX(logOf, func(gy, x float64) float64 { return gy / (x + 0) }) // x + 0 makes −0 into +0

// logOf is math.Log, except for subnormal numbers, for which math.Log on amd64
// is wrong.
func logOf(x float64) float64 {
	if x > 0 && x < 0x1p-1022 {
		return math.Log(x*0x1p54) - 54*math.Ln2
	}
	return math.Log(x)
}

// Log1p is y = ln(1 + x), without cancellation near 0.
//
//	∂y/∂x = 1 / (1 + x)
//
// Special cases are: at −1 the value is −Inf and the gradient +Inf; for x < −1
// the value is NaN.
var Log1p = ofX(math.Log1p, func(gy, x float64) float64 { return gy / (1 + x) })

// Log2 is y = log₂ x, exact for powers of two.
//
//	∂y/∂x = 1 / (x·ln 2)
//
// Special cases are those of [Log].
var Log2 = ofX(log2, func(gy, x float64) float64 { return gy / (x + 0) * (1 / math.Ln2) })

// log2 avoids math.Log2 just above 1, where it subtracts nearly equal numbers.
func log2(x float64) float64 {
	if 1 < x && x < 2 {
		return math.Log(x) * (1 / math.Ln2)
	}
	return math.Log2(x)
}

// Log10 is y = log₁₀ x, exact for whole powers of ten.
//
//	∂y/∂x = 1 / (x·ln 10)
//
// Special cases are those of [Log].
var Log10 = ofX(log10, func(gy, x float64) float64 { return gy / (x + 0) * (1 / math.Ln10) })

func log10(x float64) float64 {
	y := logOf(x) * (1 / math.Ln10)
	if r := math.Round(y); math.Abs(y-r) < 1e-12 && math.Abs(r) < 309 && math.Pow10(int(r)) == x {
		return r
	}
	return y
}

// LogAddExp is z = ln(eˣ + eʸ), without overflow.
//
//	∂z/∂x = sigmoid(x − y), ∂z/∂y = sigmoid(y − x)
//
// Special cases are: two equal infinities give that infinity, with gradients of
// 0 for −Inf and ½ for +Inf.
var LogAddExp = ofXY(
	func(x, y float64) float64 {
		_, e := decayOfDifference(x, y)
		return max(x, y) + math.Log1p(e)
	},
	func(gy, x, y, _ float64) (gx, gyy float64) { return logAddExpSlope(gy, x, y), logAddExpSlope(gy, y, x) },
)

// decayOfDifference returns x − y and e^(−|x−y|). The rounding error of the
// difference, which the exponential would magnify, is made good.
func decayOfDifference(x, y float64) (d, e float64) {
	if x == y {
		return 0, 1
	}
	d = x - y
	e = math.Exp(-math.Abs(d))
	if e > 0 {
		e *= 1 - math.Copysign(1, d)*addRest(x, -y, d)
	}
	return d, e
}

// Sin is y = sin x.
//
//	∂y/∂x = cos x
var Sin = ofX(math.Sin, sinGradOne)

func sinGradOne(gy, x float64) float64 { return gy * math.Cos(x) }

// Cos is y = cos x.
//
//	∂y/∂x = −sin x
var Cos = ofX(math.Cos, cosGradOne)

func cosGradOne(gy, x float64) float64 { return -gy * math.Sin(x) }

// Tan is y = tan x.
//
//	∂y/∂x = 1 + y²
var Tan = ofY(math.Tan, func(gy, y float64) float64 { return gy * (1 + y*y) })

// Asin is y = arcsin x.
//
//	∂y/∂x = 1/√(1−x²)
//
// Special cases are: at ±1 the gradient is +Inf; outside [−1, 1] value and
// gradient are NaN.
var Asin = ofX(asin, func(gy, x float64) float64 { return gy / math.Sqrt((1-x)*(1+x)) })

// asin and acos factor 1−x². math.Asin and math.Acos do not, and lose half the
// digits near ±1.
func asin(x float64) float64 { return math.Atan2(x, math.Sqrt((1-x)*(1+x))) }

// Acos is y = arccos x.
//
//	∂y/∂x = −1/√(1−x²)
//
// Special cases are: at ±1 the gradient is −Inf; outside [−1, 1] value and
// gradient are NaN.
var Acos = ofX(acos, func(gy, x float64) float64 { return -gy / math.Sqrt((1-x)*(1+x)) })

func acos(x float64) float64 { return 2 * math.Atan2(math.Sqrt(1-x), math.Sqrt(1+x)) }

// Atan is y = arctan x.
//
//	∂y/∂x = 1 / (1 + x²)
var Atan = ofX(math.Atan, atanGrad)

// atanGrad divides twice where the square would overflow.
func atanGrad(gy, x float64) float64 {
	if math.Abs(x) > 0x1p500 {
		return gy / x / x
	}
	return gy / (1 + x*x)
}

// Sinh is y = (eˣ − e⁻ˣ)/2.
//
//	∂y/∂x = cosh x
var Sinh = ofX(sinh, func(gy, x float64) float64 { return gy * cosh(x) })

// Cosh is y = (eˣ + e⁻ˣ)/2.
//
//	∂y/∂x = sinh x
var Cosh = ofX(cosh, func(gy, x float64) float64 { return gy * sinh(x) })

// sinh and cosh are finite up to 710.47, where math.Exp, and with it math.Sinh
// and math.Cosh, overflows at 709.78.
func sinh(x float64) float64 {
	if math.Abs(x) > 700 {
		return math.Copysign(cosh(x), x)
	}
	return math.Sinh(x)
}

func cosh(x float64) float64 {
	if math.Abs(x) > 700 {
		h := math.Exp(math.Abs(x) / 2)
		return 0.5 * h * h
	}
	return math.Cosh(x)
}

// Tanh is y = tanh x.
//
//	∂y/∂x = 1 / cosh² x
//
// The gradient is computed from x: 1 − y² would have no digit left at 19.
var Tanh = ofX(math.Tanh, tanhGrad)

// tanhGrad is written with e^(−2|x|), which cannot overflow as cosh² does.
func tanhGrad(gy, x float64) float64 {
	e := math.Exp(-2 * math.Abs(x))
	return gy * (4 * e / ((1 + e) * (1 + e)))
}

// Asinh is y = arsinh x.
//
//	∂y/∂x = 1/√(1+x²)
var Asinh = ofX(math.Asinh, func(gy, x float64) float64 { return gy / math.Hypot(1, x) })

// Acosh is y = arcosh x.
//
//	∂y/∂x = 1/√(x²−1)
//
// Special cases are: at 1 the gradient is +Inf; below 1 value and gradient are
// NaN.
var Acosh = ofX(math.Acosh, func(gy, x float64) float64 { return gy / (math.Sqrt(x-1) * math.Sqrt(x+1)) })

// Atanh is y = artanh x.
//
//	∂y/∂x = 1 / (1 − x²)
//
// Special cases are: at ±1 the value is ±Inf and the gradient +Inf; outside
// [−1, 1] the value is NaN.
var Atanh = ofX(math.Atanh, func(gy, x float64) float64 { return gy / ((1 - x) * (1 + x)) })

// Erf is y = 2/√π·∫₀ˣ e^(−t²) dt.
//
//	∂y/∂x = 2/√π·e^(−x²)
var Erf = ofX(math.Erf, func(gy, x float64) float64 { return gy * (2 / math.SqrtPi * expSquare(x, -1)) })

// Erfc is y = 1 − erf x, without cancellation for large x.
//
//	∂y/∂x = −2/√π·e^(−x²)
var Erfc = ofX(math.Erfc, func(gy, x float64) float64 { return -gy * (2 / math.SqrtPi * expSquare(x, -1)) })

// expSquare returns e^(c·x²) for c < 0. It corrects the rounding error of x²,
// which the exponential would magnify.
func expSquare(x, c float64) float64 {
	square := x * x
	if c*square < -750 {
		return 0
	}
	rest := math.FMA(x, x, -square)
	return math.Exp(c*square) * (1 + c*rest)
}

// ErfInv is the inverse of [Erf].
//
//	∂y/∂x = √π/2·e^(y²)
//
// Special cases are: at ±1 the value is ±Inf and the gradient +Inf; for |x| > 1
// both are NaN.
var ErfInv = ofX(math.Erfinv, erfInvGrad)

// erfInvGrad takes e^(y²) = erfc(y)·e^(y²)/(1 − x) for x > ½, where the
// rounding error of y would be magnified otherwise: the product in the
// numerator varies slowly.
func erfInvGrad(gy, x float64) float64 {
	most := math.Abs(x)
	y := math.Erfinv(most)
	square := y * y
	power := math.Exp(square) * (1 + math.FMA(y, y, -square))
	switch {
	case most == 1:
		return gy * math.Inf(1)
	case most > 0.5:
		power *= math.Erfc(y) / (1 - most)
	}
	return gy * (math.SqrtPi / 2 * power)
}

// Logit is y = ln(x/(1 − x)), accurate near ½.
//
//	∂y/∂x = 1 / (x·(1 − x))
//
// Special cases are: −Inf at 0 and +Inf at 1, with the gradient +Inf; outside
// of 0 to 1 both are NaN.
var Logit = ofX(logit, func(gy, x float64) float64 {
	if x < 0 || x > 1 {
		return math.NaN()
	}
	return gy / ((x + 0) * (1 - x)) // x + 0 makes −0 into +0
})

func logit(x float64) float64 {
	if x < 0.25 || x > 0.75 {
		return logOf(x / (1 - x))
	}
	return math.Log1p((2*x - 1) / (1 - x))
}

// Sinc is y = sin(πx)/(πx), or the derivative of that of order a. It is exactly
// 0 at whole numbers but 0.
//
//	∂y/∂x = the derivative of order a + 1
//
// Special cases are: 1 at 0; NaN at ±Inf.
var Sinc = ofXA(func(x, a float64) float64 { return sincTimes(1, x, a) }, func(gy, x, a float64) float64 { return sincTimes(gy, x, a+1) })

// sincTimes returns gy times the derivative of order n of sin(πx)/(πx). Near 0
// it sums the power series in u = πx,
//
//	Σ (−1)ᵏ·u^(2k−n) / ((2k+1)·(2k−n)!) over 2k ≥ n
//
// and elsewhere it goes up from order 0, as the n-th derivative of u·sinc u is
// that of sin u. An odd power series has the factor x, taken last, since it
// may be tiny where gy is huge.
func sincTimes(gy, x, n float64) float64 {
	if x-x != 0 {
		return math.NaN()
	}
	most := math.Abs(x)
	u := math.Pi * most
	if u < n+1.5 {
		odd := math.Mod(n, 2) == 1
		y := gy * sincSeries(u*u, n)
		if odd {
			return y * math.Pi * x
		}
		return y
	}
	sin, cos := sinCosPi(most)
	y, scale := sin/math.Pi/most, 1/math.Pi
	for k := 1.0; k <= n; k++ {
		sin, cos = cos, -sin // the derivative of sin u
		scale *= math.Pi
		y = (sin*scale - k*y) / most
	}
	if x < 0 && math.Mod(n, 2) == 1 {
		y = -y
	}
	return gy * y
}

// sincSeries returns πⁿ times the power series, divided by u if n is odd.
func sincSeries(square, n float64) float64 {
	low := math.Mod(n, 2) // the lowest power
	term := math.Pow(math.Pi, n)
	if math.Mod((n+low)/2, 2) == 1 {
		term = -term
	}
	sum := 0.0
	for power, k := low, n+low; ; power, k = power+2, k+2 {
		part := term / (k + 1)
		sum += part
		if math.Abs(part) <= math.Abs(sum)*0x1p-60 {
			return sum
		}
		term *= -square / ((power + 1) * (power + 2))
	}
}

// sinCosPi returns the sine and cosine of πx, exact at multiples of ½.
func sinCosPi(x float64) (sin, cos float64) {
	whole := math.Round(x)
	rest := x - whole
	sin, cos = math.Sin(math.Pi*rest), math.Cos(math.Pi*rest)
	if part := math.Abs(rest); part > 0.25 {
		cos = math.Sin(math.Pi * (0.5 - part))
	}
	if math.Mod(whole, 2) != 0 {
		return -sin, -cos
	}
	return sin, cos
}

// Lgamma is y = ln |Γ(x)|.
//
//	∂y/∂x = digamma x
//
// Special cases are: at 0 and the negative integers the value is +Inf; at ±Inf
// it is +Inf.
var Lgamma = ofX(lgamma, func(gy, x float64) float64 { return polygammaTimes(gy, x, 0) })

func lgamma(x float64) float64 {
	if math.IsInf(x, -1) {
		return math.Inf(1)
	}
	y, _ := math.Lgamma(x)
	return y
}

// Digamma is y = ψ(x), the derivative of ln Γ(x).
//
//	∂y/∂x = polygamma of order 1
//
// Special cases are: ∓Inf at ±0; NaN at the negative integers and −Inf.
var Digamma = ofX(digamma, func(gy, x float64) float64 { return polygammaTimes(gy, x, 1) })

// digamma moves x beyond 10 by ψ(x+1) = ψ(x) + 1/x and sums the asymptotic
// series there. It reflects negative numbers, with the tangent of the distance
// to the nearest pole, which keeps its digits.
func digamma(x float64) float64 {
	switch {
	case x == 0:
		return math.Inf(-1) * math.Copysign(1, x)
	case x < 0 && x == math.Trunc(x):
		return math.NaN()
	case x < 0:
		return digamma(1-x) - math.Pi/math.Tan(math.Pi*(x-math.Round(x)))
	}
	y := 0.0
	for ; x < 10; x++ {
		y -= 1 / x
	}
	series, square := 0.0, 1/(x*x)
	for _, c := range slices.Backward(digammaSeries[:]) {
		series = (series + c) * square
	}
	return y + (math.Log(x) - 0.5/x - series)
}

// digammaSeries are B₂ₖ/2k for k = 1, 2, …, 8.
var digammaSeries = [...]float64{
	1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12, -3617.0 / 8160,
}

// Polygamma is the derivative of ψ(x) of the whole order a ≥ 0; order 0 is
// digamma.
//
//	∂y/∂x = polygamma of order a+1
//
// Special cases are: for odd orders +Inf at 0 and the negative integers; for
// even orders ∓Inf at ±0 and NaN at the negative integers; NaN for orders that
// are negative or not whole.
var Polygamma = ofXA(polygamma, func(gy, x, a float64) float64 { return polygammaTimes(gy, x, a+1) })

// polygammaTimes returns gy·ψ⁽ⁿ⁾(x). Near 0 and far out only the first term of
// the series counts. There gy is multiplied by the factors of that term one
// after the other, because the power alone may leave the range.
func polygammaTimes(gy, x, n float64) float64 {
	sign := 1.0
	if math.Mod(n, 2) == 0 {
		sign = -1
	}
	switch {
	case x != 0 && (math.Abs(x) < 1e-20 || math.Abs(x) < 1e-9 && n > 0):
		return sign * factorialPower(gy, x, n)
	case n > 0 && x > 1e17*n && !math.IsInf(x, 1):
		return sign * factorialPower(gy, x, n-1)
	}
	return gy * polygamma(x, n)
}

// polygamma returns ψ⁽ⁿ⁾(x) = (−1)ⁿ⁺¹·n!·ζ(n+1, x), with the Hurwitz ζ.
func polygamma(x, n float64) float64 {
	switch {
	case n == 0:
		return digamma(x)
	case n < 0 || n != math.Trunc(n) || x != x || math.IsInf(n, 0) || math.IsInf(x, -1):
		return math.NaN()
	}
	sign := 1.0
	if math.Mod(n, 2) == 0 {
		sign = -1
	}
	switch {
	case x > 0:
		return sign * zetaFactorial(x, n)
	case x == math.Trunc(x) && sign > 0:
		return math.Inf(1)
	case x == 0:
		return math.Inf(-1) * math.Copysign(1, x)
	case x == math.Trunc(x):
		return math.NaN()
	}
	return sign * reflectedZeta(x, n, sign)
}

// reflectedZeta returns n!·ζ(n+1, x) for x < 0, where the sum over all integers
// k of (x+k)⁻ⁿ⁻¹ depends only on the distance d of x to the nearest integer;
// even is the sign of (−1)ⁿ⁺¹.
func reflectedZeta(x, n, even float64) float64 {
	d := x - math.Round(x)
	all := factorialPower(1, d, n) + zetaFactorial(1+d, n) + even*zetaFactorial(1-d, n)
	if math.Abs(d) == 0.5 && even < 0 {
		all = 0 // as many terms of either sign
	}
	return all - even*zetaFactorial(1-x, n)
}

// zetaFactorial returns n!·ζ(n+1, x) for x > 0. Far out it sums the asymptotic
// series. The series' factor (n−1)!/xⁿ is multiplied factor by factor, so that
// neither part overflows or underflows alone.
func zetaFactorial(x, n float64) float64 {
	switch {
	case x < 20+2*n && n <= 100:
		return math.Gamma(n+1) * mathext.Zeta(n+1, x)
	case x < 20+2*n:
		return sumFactorialPowers(x, n)
	}
	series, term := 1+n/(2*x), 1.0
	for k, bernoulli := range bernoulliFactorial {
		step := n + 2*float64(k)
		term *= step / x * ((step + 1) / x)
		series += bernoulli * term
	}
	return factorialPower(1, x, n-1) * series
}

// sumFactorialPowers returns n!·ζ(n+1, x) term by term, for high orders: the
// terms shrink fast, and n! overflows.
func sumFactorialPowers(x, n float64) float64 {
	sum := 0.0
	for {
		term := factorialPower(1, x, n)
		sum += term
		if term <= sum*0x1p-54 || math.IsInf(sum, 0) {
			return sum
		}
		x++
	}
}

// bernoulliFactorial are B₂ₖ/(2k)! for k = 1, 2, …, 6.
var bernoulliFactorial = [...]float64{
	1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600, 1.0 / 47900160, -691.0 / 1307674368000,
}

// factorialPower returns c·n!/xⁿ⁺¹.
func factorialPower(c, x, n float64) float64 {
	y := c / x
	for k := 1.0; k <= n && y != 0 && !math.IsInf(y, 0); k++ {
		y = y / x * k
	}
	return y
}

// Pow is z = xʸ.
//
//	∂z/∂x = y·xʸ⁻¹, ∂z/∂y = z·ln x
//
// Special cases are: x⁰ = 1 and 1ʸ = 1 also for NaN; for x < 0 the value is NaN
// unless y is whole, and ∂z/∂y is NaN; at x = 0 and y ≥ 0, ∂z/∂y is 0; for y =
// 0, 1 and 2, ∂z/∂x is exactly 0, 1 and 2x.
var Pow = ofXY(pow, func(gy, x, y, z float64) (float64, float64) {
	if x == 0 && y >= 0 {
		return powGrad(gy, x, y), 0
	}
	return powGrad(gy, x, y), gy * logOf(x) * z
})

// pow is math.Pow, except in two cases. For large exponents and bases near 1 it
// is the exponential of the logarithm: math.Pow squares repeatedly, which
// doubles the error at each step. For subnormal bases math.Pow is wrong on
// amd64. The relative error is within 1e−13.
func pow(x, y float64) float64 {
	ax, ay := math.Abs(x), math.Abs(y)
	isSteep := ay >= 64 && ay <= 1<<52 && ax >= 0.75 && ax <= 1.33
	isTiny := ax > 0 && ax < 0x1p-1022 && ay < 2
	var z float64
	switch {
	case !(isSteep || isTiny) || (x < 0 && y != math.Trunc(y)):
		return math.Pow(x, y)
	case isTiny:
		z = powByParts(ax, y)
	default:
		log := logOf(ax)
		power := y * log
		if math.Abs(power) > 800 {
			return math.Pow(x, y)
		}
		z = math.Exp(power) * (1 + math.FMA(y, log, -power))
	}
	if x < 0 && math.Mod(y, 2) != 0 {
		return -z
	}
	return z
}

// powByParts is xʸ for x > 0 and small y: the power of x's fraction times that
// of its power of two.
func powByParts(x, y float64) float64 {
	fraction, exponent := math.Frexp(x)
	e := float64(exponent)
	whole := math.RoundToEven(e * y)
	return math.Ldexp(math.Pow(fraction, y)*math.Exp2(math.FMA(e, y, -whole)), int(whole))
}

// Atan2 is z, the angle of the point with ordinate x and abscissa y.
//
//	∂z/∂x = y/(x²+y²), ∂z/∂y = −x/(x²+y²)
//
// Special cases are: both gradients are 0 at the origin and where x or y is
// infinite.
var Atan2 = ofXY(math.Atan2, func(gy, x, y, _ float64) (float64, float64) {
	return atan2SlopeOne(gy, x, y), -atan2SlopeOne(gy, y, x)
})

// Hypot is z = √(x²+y²), without overflow or underflow on the way.
//
//	∂z/∂x = x/z, ∂z/∂y = y/z
//
// Special cases are: hypot(±Inf, NaN) = +Inf; both gradients are 0 at the
// origin.
var Hypot = ofXY(math.Hypot, func(gy, x, y, _ float64) (float64, float64) {
	return hypotSlopeOne(gy, x, y), hypotSlopeOne(gy, y, x)
})
