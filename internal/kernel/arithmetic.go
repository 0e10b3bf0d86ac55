package kernel

import "math"

// Neg is y = −x.
//
//	∂y/∂x = −1
var Neg = Unary{
	F:   func(x, _, _ float64) float64 { return -x },
	D:   func(gy, _, _, _, _ float64) float64 { return -gy },
	F64: neg[float64], F32: neg[float32],
	D64: negGrad[float64], D32: negGrad[float32],
}

func neg[T Float](dst, x []T, _, _ float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = -v
	}
}

func negGrad[T Float](dst, gy, _, _ []T, _, _ float64) { neg(dst, gy, 0, 0) }

// Scale is y = a·x.
//
//	∂y/∂x = a
var Scale = Unary{
	F:   func(x, a, _ float64) float64 { return a * x },
	D:   func(gy, _, _, a, _ float64) float64 { return a * gy },
	F64: scale[float64], F32: scale[float32],
	D64: scaleGrad[float64], D32: scaleGrad[float32],
}

func scale[T Float](dst, x []T, a, _ float64) {
	dst = dst[:len(x)]
	s := T(a)
	for i, v := range x {
		dst[i] = s * v
	}
}

func scaleGrad[T Float](dst, gy, _, _ []T, a, _ float64) { scale(dst, gy, a, 0) }

// AddScalar is y = x + a.
//
//	∂y/∂x = 1
var AddScalar = Unary{
	F:   func(x, a, _ float64) float64 { return x + a },
	D:   func(gy, _, _, _, _ float64) float64 { return gy },
	F64: addScalar[float64], F32: addScalar[float32],
	D64: passGrad[float64], D32: passGrad[float32],
}

func addScalar[T Float](dst, x []T, a, _ float64) {
	dst = dst[:len(x)]
	s := T(a)
	for i, v := range x {
		dst[i] = v + s
	}
}

func passGrad[T Float](dst, gy, _, _ []T, _, _ float64) { copy(dst[:len(gy)], gy) }

// Square is y = x².
//
//	∂y/∂x = 2x
var Square = Unary{
	F:   func(x, _, _ float64) float64 { return x * x },
	D:   func(gy, x, _, _, _ float64) float64 { return 2 * (gy * x) },
	F64: square[float64], F32: square[float32],
	D64: squareGrad[float64], D32: squareGrad[float32],
}

func square[T Float](dst, x []T, _, _ float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = v * v
	}
}

func squareGrad[T Float](dst, gy, x, _ []T, _, _ float64) {
	dst, x = dst[:len(gy)], x[:len(gy)]
	for i, g := range gy {
		dst[i] = 2 * (g * x[i])
	}
}

// Sqrt is y = √x.
//
//	∂y/∂x = 1 / 2y
//
// Special cases are: the gradient at ±0 is +Inf; for x < 0 value and gradient
// are NaN.
var Sqrt = Unary{
	F:   func(x, _, _ float64) float64 { return math.Sqrt(x) },
	D:   func(gy, _, y, _, _ float64) float64 { return gy / (y + y + 0) },
	F64: sqrt[float64], F32: sqrt[float32],
	D64: sqrtGrad[float64], D32: sqrtGrad[float32],
}

func sqrt[T Float](dst, x []T, _, _ float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = T(math.Sqrt(float64(v)))
	}
}

// sqrtGrad adds 0 to y because √−0 is −0, but the gradient there is +Inf as at
// +0.
func sqrtGrad[T Float](dst, gy, _, y []T, _, _ float64) {
	dst, y = dst[:len(gy)], y[:len(gy)]
	for i, g := range gy {
		dst[i] = g / (y[i] + y[i] + 0)
	}
}

// Rsqrt is y = 1/√x.
//
//	∂y/∂x = −y / 2x
//
// Special cases are: at ±0 the value is ±Inf and the gradient −Inf; at +Inf
// both are 0; for x < 0 both are NaN.
var Rsqrt = Unary{
	F:   func(x, _, _ float64) float64 { return 1 / math.Sqrt(x) },
	D:   rsqrtGradOne,
	F64: rsqrt[float64], F32: rsqrt[float32],
	D64: rsqrtGrad[float64], D32: rsqrtGrad[float32],
}

func rsqrt[T Float](dst, x []T, _, _ float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = T(1 / math.Sqrt(float64(v)))
	}
}

// rsqrtGradOne multiplies by y first: y/x may overflow where the gradient does
// not.
func rsqrtGradOne(gy, x, y, _, _ float64) float64 { return gy * (-0.5 * y) / x }

func rsqrtGrad[T Float](dst, gy, x, y []T, _, _ float64) {
	dst, x, y = dst[:len(gy)], x[:len(gy)], y[:len(gy)]
	for i, g := range gy {
		dst[i] = T(rsqrtGradOne(float64(g), float64(x[i]), float64(y[i]), 0, 0))
	}
}

// Reciprocal is y = 1/x.
//
//	∂y/∂x = −y²
//
// Special cases are: at ±0 the value is ±Inf and the gradient −Inf.
var Reciprocal = Unary{
	F:   func(x, _, _ float64) float64 { return 1 / x },
	D:   func(gy, _, y, _, _ float64) float64 { return -gy * y * y },
	F64: reciprocal[float64], F32: reciprocal[float32],
	D64: reciprocalGrad[float64], D32: reciprocalGrad[float32],
}

func reciprocal[T Float](dst, x []T, _, _ float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = 1 / v
	}
}

func reciprocalGrad[T Float](dst, gy, _, y []T, _, _ float64) {
	dst, y = dst[:len(gy)], y[:len(gy)]
	for i, g := range gy {
		dst[i] = -g * y[i] * y[i]
	}
}

// PowScalar is y = xᵃ.
//
//	∂y/∂x = a·xᵃ⁻¹
//
// Special cases are those of [Pow]; for a = 0, 1 and 2 the gradients are
// exactly 0, 1 and 2x everywhere.
var PowScalar = Unary{
	F: powScalarOne,
	D: func(gy, x, _, a, _ float64) float64 { return powGrad(gy, x, a) },
	F64: func(dst, x []float64, a, _ float64) {
		powScalar(dst, x, a, Square.F64, cube.F64, anyPower.F64)
	},
	F32: func(dst, x []float32, a, _ float64) {
		powScalar(dst, x, a, Square.F32, cube.F32, anyPower.F32)
	},
	D64: func(dst, gy, x, _ []float64, a, _ float64) {
		powScalarGrad(dst, gy, x, a, Square.D64, cube.D64, anyPower.D64)
	},
	D32: func(dst, gy, x, _ []float32, a, _ float64) {
		powScalarGrad(dst, gy, x, a, Square.D32, cube.D32, anyPower.D32)
	},
}

func powScalarOne(x, a, _ float64) float64 {
	switch a {
	case 2:
		return x * x
	case 3:
		return x * x * x
	}
	return pow(x, a)
}

// powScalar computes squares and cubes as products, other powers with f.
func powScalar[T Float](dst, x []T, a float64, square, cube, f func(dst, x []T, a, b float64)) {
	switch a {
	case 2:
		square(dst, x, 0, 0)
	case 3:
		cube(dst, x, 0, 0)
	default:
		f(dst, x, a, 0)
	}
}

// powScalarGrad does the same for the derivative. Those of the powers 0 and 1
// do not depend on x.
func powScalarGrad[T Float](dst, gy, x []T, a float64, square, cube, f func(dst, gy, x, y []T, a, b float64)) {
	switch a {
	case 0:
		clear(dst[:len(gy)])
	case 1:
		copy(dst[:len(gy)], gy)
	case 2:
		square(dst, gy, x, nil, 0, 0)
	case 3:
		cube(dst, gy, x, nil, 0, 0)
	default:
		f(dst, gy, x, nil, a, 0)
	}
}

// cube and anyPower are PowScalar's loops for a = 3, and for most other a.
var (
	cube = Unary{
		F:   func(x, _, _ float64) float64 { return x * x * x },
		D:   func(gy, x, _, _, _ float64) float64 { return cubeGrad(gy, x) },
		F64: cubeLoop[float64], F32: cubeLoop[float32],
		D64: mapGradX[float64](cubeGrad), D32: mapGradX[float32](cubeGrad),
	}
	anyPower = ofXA(pow, powGrad)
)

func cubeLoop[T Float](dst, x []T, _, _ float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = v * v * v
	}
}

// cubeGrad multiplies by x twice: the square may leave the range.
func cubeGrad(gy, x float64) float64 { return 3 * (gy * x) * x }

// powGrad returns gy·∂/∂x of xᵃ.
func powGrad(gy, x, a float64) float64 {
	switch a {
	case 0:
		return 0
	case 1:
		return gy
	case 2:
		return 2 * (gy * x)
	case 3:
		return cubeGrad(gy, x)
	}
	p := pow(x, a-1)
	f := a * p
	if isNormal(f) || p != p || x == 0 || math.IsInf(x, 0) {
		return gy * f
	}
	// The factor alone is out of range: multiply by its root twice, unless that
	// is out of range too. A subnormal root has as many digits as the result.
	root := pow(math.Abs(x), (a-1)/2)
	if root == 0 || math.IsInf(root, 1) {
		return gy * f
	}
	return gy * math.Copysign(root, p) * a * root
}

// isNormal reports whether v is finite, not 0 and not subnormal.
func isNormal(v float64) bool {
	const exponents = 1<<11 - 1
	return math.Float64bits(v)>>52&exponents-1 < exponents-1
}

// Cbrt is y = ∛x, for negative x too.
//
//	∂y/∂x = 1 / (3y²)
//
// At 0 the gradient is +Inf.
var Cbrt = ofX(math.Cbrt, func(gy, x float64) float64 {
	y := math.Cbrt(x)
	return gy / (3 * y * y)
})

// Abs is y = |x|.
//
//	∂y/∂x = sign x, 0 at 0
var Abs = Unary{
	F:   func(x, _, _ float64) float64 { return math.Abs(x) },
	D:   func(gy, x, _, _, _ float64) float64 { return absGradOne(gy, x) },
	F64: abs[float64], F32: abs[float32],
	D64: absGrad[float64], D32: absGrad[float32],
}

func abs[T Float](dst, x []T, _, _ float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = T(math.Abs(float64(v)))
	}
}

func absGradOne[T Float](gy, x T) T {
	switch {
	case x > 0:
		return gy
	case x < 0:
		return -gy
	case x == 0:
		return 0
	}
	return x
}

func absGrad[T Float](dst, gy, x, _ []T, _, _ float64) {
	dst, x = dst[:len(gy)], x[:len(gy)]
	for i, g := range gy {
		dst[i] = absGradOne(g, x[i])
	}
}

// Sign is y = −1, 0 or 1 by the sign of x.
//
//	∂y/∂x = 0
var Sign = ofX(sign, flatGrad)

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	case x == 0:
		return 0
	}
	return x
}

// flatGrad is the gradient of a function that is constant between jumps: 0, or
// NaN for NaN.
func flatGrad(_, x float64) float64 {
	if x != x {
		return x
	}
	return 0
}

// Floor is y = ⌊x⌋.
//
//	∂y/∂x = 0
var Floor = ofX(math.Floor, flatGrad)

// Ceil is y = ⌈x⌉.
//
//	∂y/∂x = 0
var Ceil = ofX(math.Ceil, flatGrad)

// Trunc is x without its fraction.
//
//	∂y/∂x = 0
var Trunc = ofX(math.Trunc, flatGrad)

// Round is the integer nearest to x; halves go to the even one, so 0.5 and 2.5
// become 0 and 2.
//
//	∂y/∂x = 0
var Round = ofX(math.RoundToEven, flatGrad)

// Add is z = x + y.
//
//	∂z/∂x = 1, ∂z/∂y = 1
var Add = Binary{
	F:   func(x, y float64) float64 { return x + y },
	D:   func(gy, _, _, _ float64) (float64, float64) { return gy, gy },
	A64: BinaryLoops[float64]{VV: addVV[float64], VS: addVS[float64], SV: addSV[float64]},
	A32: BinaryLoops[float32]{VV: addVV[float32], VS: addVS[float32], SV: addSV[float32]},
}

func addVV[T Float](dst, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = v + y[i]
	}
}

func addVS[T Float](dst, x []T, s T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = v + s
	}
}

func addSV[T Float](dst []T, s T, y []T) { addVS(dst, y, s) }

// Sub is z = x − y.
//
//	∂z/∂x = 1, ∂z/∂y = −1
var Sub = Binary{
	F:   func(x, y float64) float64 { return x - y },
	D:   func(gy, _, _, _ float64) (float64, float64) { return gy, -gy },
	A64: BinaryLoops[float64]{VV: subVV[float64], VS: subVS[float64], SV: subSV[float64]},
	A32: BinaryLoops[float32]{VV: subVV[float32], VS: subVS[float32], SV: subSV[float32]},
}

func subVV[T Float](dst, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = v - y[i]
	}
}

func subVS[T Float](dst, x []T, s T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = v - s
	}
}

func subSV[T Float](dst []T, s T, y []T) {
	dst = dst[:len(y)]
	for i, v := range y {
		dst[i] = s - v
	}
}

// Mul is z = x·y.
//
//	∂z/∂x = y, ∂z/∂y = x
var Mul = Binary{
	F:   func(x, y float64) float64 { return x * y },
	D:   func(gy, x, y, _ float64) (float64, float64) { return gy * y, gy * x },
	A64: BinaryLoops[float64]{VV: mulVV[float64], VS: mulVS[float64], SV: mulSV[float64]},
	A32: BinaryLoops[float32]{VV: mulVV[float32], VS: mulVS[float32], SV: mulSV[float32]},
}

func mulVV[T Float](dst, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = v * y[i]
	}
}

func mulVS[T Float](dst, x []T, s T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = v * s
	}
}

func mulSV[T Float](dst []T, s T, y []T) { mulVS(dst, y, s) }

// Div is z = x/y.
//
//	∂z/∂x = 1/y, ∂z/∂y = −z/y
var Div = Binary{
	F:   func(x, y float64) float64 { return x / y },
	D:   func(gy, x, y, _ float64) (float64, float64) { return gy / y, divSlopeOne(gy, x, y) },
	A64: BinaryLoops[float64]{VV: divVV[float64], VS: divVS[float64], SV: divSV[float64]},
	A32: BinaryLoops[float32]{VV: divVV[float32], VS: divVS[float32], SV: divSV[float32]},
}

func divVV[T Float](dst, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = v / y[i]
	}
}

func divVS[T Float](dst, x []T, s T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = v / s
	}
}

func divSV[T Float](dst []T, s T, y []T) {
	dst = dst[:len(y)]
	for i, v := range y {
		dst[i] = s / v
	}
}

// Fmod is z = x − y·trunc(x/y), without the rounding error of the quotient:
// the remainder that has the sign of x.
//
//	∂z/∂x = 1, ∂z/∂y = −trunc(x/y)
//
// Special cases are: NaN for y = 0 and for x = ±Inf; x for y = ±Inf.
var Fmod = ofXY(math.Mod, func(gy, x, y, _ float64) (gx, gyy float64) { return gy, fmodSlope(gy, x, y) })

// FmodSlope is −x·trunc(y/z): the gradient of [Fmod] of y and z with respect to
// z, for the incoming gradient x.
var FmodSlope = ofXYZ(fmodSlope)

func fmodSlope(gy, x, y float64) float64 {
	quotient := math.Trunc(x / y)
	if rest := math.Mod(x, y); rest-rest == 0 && !math.IsInf(y, 0) {
		quotient = math.Round((x - rest) / y) // x/y may be rounded up to a whole number
	}
	return -gy * quotient
}

// Remainder is z = x − y·floor(x/y), without the rounding error of the
// quotient: the remainder that has the sign of y.
//
//	∂z/∂x = 1, ∂z/∂y = −floor(x/y)
//
// Special cases are: NaN for y = 0 and for x = ±Inf; for y = ±Inf it is x, or y
// if x has the other sign.
var Remainder = ofXY(remainder, func(gy, x, y, _ float64) (gx, gyy float64) { return gy, remainderSlope(gy, x, y) })

// RemainderSlope is −x·floor(y/z): the gradient of [Remainder] of y and z with
// respect to z, for the incoming gradient x.
var RemainderSlope = ofXYZ(remainderSlope)

func remainder(x, y float64) float64 {
	rest := math.Mod(x, y)
	if rest != 0 && (rest < 0) != (y < 0) {
		rest += y
	}
	return rest
}

func remainderSlope(gy, x, y float64) float64 {
	slope := fmodSlope(gy, x, y)
	if rest := math.Mod(x, y); rest != 0 && (rest < 0) != (y < 0) {
		slope += gy // floor is 1 less than trunc
	}
	return slope
}

// Lerp is w = x + (y − x)·z, computed from the nearer end: it is exactly y for
// z = 1. Where y − x leaves the range, it is (1 − z)·x + z·y.
var Lerp = Ternary{F: lerpOne, F64: lerp[float64], F32: lerp[float32]}

func lerpOne(x, y, z float64) float64 {
	switch d := y - x; {
	case d-d != 0:
		return (1-z)*x + z*y
	case z < 0.5:
		return x + z*d
	default:
		return y - (1-z)*d
	}
}

func lerp[T Float](dst, x, y, z []T) {
	dst, y, z = dst[:len(x)], y[:len(x)], z[:len(x)]
	for i, v := range x {
		dst[i] = T(lerpOne(float64(v), float64(y[i]), float64(z[i])))
	}
}

// Fill sets every element of dst to v.
func Fill[T Float](dst []T, v T) {
	if len(dst) >= sharedMemory {
		shareArray(len(dst), filling[T]{dst, v})
		return
	}
	primitivesOf[T]().fill(dst, v)
}

func fill[T Float](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}

// axpy adds a·x to dst, over len(x) elements.
func axpy[T Float](dst []T, a T, x []T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] += a * v
	}
}

// Accumulate adds x to dst, over len(x) elements.
func Accumulate[T Float](dst, x []T) {
	loopsOf[T](&Add).VV(dst, x, dst)
}

func accumulate[T Float](dst, x []T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] += v
	}
}

// unknownFinite leaves it to IsFinite to look at each element.
func unknownFinite[T Float](x []T) bool { return len(x) == 0 }

// IsFinite reports whether every element of x is a finite number. The index is
// that of the first NaN or infinity, −1 if there is none.
func IsFinite[T Float](x []T) (index int, ok bool) {
	if primitivesOf[T]().finite(x) {
		return -1, true
	}
	for i, v := range x {
		if v-v != 0 {
			return i, false
		}
	}
	return -1, true
}
