package autograd

import (
	"math"

	"nabla/internal/kernel"
)

var (
	opAdd        = operation{name: "add", method: "Add", binary: &kernel.Add}
	opSub        = operation{name: "sub", method: "Sub", binary: &kernel.Sub}
	opMul        = operation{name: "mul", method: "Mul", binary: &kernel.Mul}
	opDiv        = operation{name: "div", method: "Div", binary: &kernel.Div}
	opPow        = operation{name: "pow", method: "Pow", binary: &kernel.Pow}
	opAtan2      = operation{name: "atan2", method: "Atan2", binary: &kernel.Atan2}
	opHypot      = operation{name: "hypot", method: "Hypot", binary: &kernel.Hypot}
	opFmod       = operation{name: "fmod", method: "Fmod", binary: &kernel.Fmod}
	opRemainder  = operation{name: "remainder", method: "Remainder", binary: &kernel.Remainder}
	opLerp       = operation{name: "lerp", method: "Lerp"}
	opNeg        = operation{name: "neg", method: "Neg", unary: &kernel.Neg}
	opMulScalar  = operation{name: "mul scalar", method: "MulScalar", unary: &kernel.Scale}
	opAddScalar  = operation{name: "add scalar", method: "AddScalar", unary: &kernel.AddScalar}
	opPowScalar  = operation{name: "pow scalar", method: "PowScalar", unary: &kernel.PowScalar, slope: slopeOf("pow scalar", "PowScalar")}
	opSquare     = operation{name: "square", method: "Square", unary: &kernel.Square}
	opSqrt       = operation{name: "sqrt", method: "Sqrt", unary: &kernel.Sqrt}
	opRsqrt      = operation{name: "rsqrt", method: "Rsqrt", unary: &kernel.Rsqrt}
	opReciprocal = operation{name: "reciprocal", method: "Reciprocal", unary: &kernel.Reciprocal}
	opCbrt       = operation{name: "cbrt", method: "Cbrt", unary: &kernel.Cbrt, slope: slopeOf("cbrt", "Cbrt")}
	opAbs        = operation{name: "abs", method: "Abs", unary: &kernel.Abs}
	opSign       = operation{name: "sign", method: "Sign", unary: &kernel.Sign, mask: true}
	opFloor      = operation{name: "floor", method: "Floor", unary: &kernel.Floor}
	opCeil       = operation{name: "ceil", method: "Ceil", unary: &kernel.Ceil}
	opTrunc      = operation{name: "trunc", method: "Trunc", unary: &kernel.Trunc}
	opRound      = operation{name: "round", method: "Round", unary: &kernel.Round}
)

// Add returns x + y, broadcasting.
//
//	∂/∂x = 1, ∂/∂y = 1
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Add(y Value) Value { return x.binary(&opAdd, addRule, y) }

func addRule(r *Rule) {
	r.Add(0, r.Grad())
	r.Add(1, r.Grad())
}

// Sub returns x − y, broadcasting.
//
//	∂/∂x = 1, ∂/∂y = −1
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Sub(y Value) Value { return x.binary(&opSub, subRule, y) }

func subRule(r *Rule) {
	r.Add(0, r.Grad())
	if r.Needs(1) {
		r.Add(1, r.Grad().Neg())
	}
}

// Mul returns x·y element by element, broadcasting.
//
//	∂/∂x = y, ∂/∂y = x
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Mul(y Value) Value { return x.binary(&opMul, mulRule, y) }

func mulRule(r *Rule) {
	if r.Needs(0) {
		r.Add(0, r.Grad().Mul(r.In(1)))
	}
	if r.Needs(1) {
		r.Add(1, r.Grad().Mul(r.In(0)))
	}
}

// Div returns x/y element by element, broadcasting.
//
//	∂/∂x = 1/y, ∂/∂y = −x/y²
//
// Special cases are those of IEEE 754: x/0 is ±Inf, 0/0 is NaN.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Div(y Value) Value { return x.binary(&opDiv, divRule, y) }

func divRule(r *Rule) {
	gy, x, y := r.Grad(), r.In(0), r.In(1)
	if r.Needs(0) {
		r.Add(0, gy.Div(y))
	}
	if r.Needs(1) {
		r.Add(1, divSlope(gy, x, y))
	}
}

var opDivSlope = operation{name: "div gradient", method: "Div"}

// divSlope returns −gy·x/y².
func divSlope(gy, x, y Value) Value {
	return ternary(&opDivSlope, &kernel.DivSlope, divSlopeRule, gy, x, y)
}

func divSlopeRule(r *Rule) {
	v, gy, x, y := r.Grad(), r.In(0), r.In(1), r.In(2)
	if r.Needs(0) {
		r.Add(0, divSlope(v, x, y))
	}
	if r.Needs(1) {
		r.Add(1, v.Mul(gy).Div(y).Div(y).Neg())
	}
	if r.Needs(2) {
		r.Add(2, v.Mul(r.Out()).Div(y).MulScalar(-2))
	}
}

// Pow returns x to the power of y, element by element, broadcasting.
//
//	∂/∂x = y·x^(y−1), ∂/∂y = x^y·ln x
//
// Special cases are:
//
//	x⁰ = 1 and 1^y = 1, for NaN too
//	∂/∂y = 0 at x = 0 for y ≥ 0
//	∂/∂x = 0 for y = 0
//	∂/∂y = NaN for x < 0
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Pow(y Value) Value { return x.binary(&opPow, powRule, y) }

func powRule(r *Rule) {
	gy, x, y := r.Grad(), r.In(0), r.In(1)
	if r.Needs(0) {
		r.Add(0, powSlope(gy, x, y))
	}
	if r.Needs(1) {
		r.Add(1, byExponent(gy, x, y, r.Out()))
	}
}

// byExponent returns gy·ln x·z for z = x^y, and 0 where z does not change.
func byExponent(gy, x, y, z Value) Value {
	flat := x.EqualScalar(0).Mul(y.GreaterEqualScalar(0))
	safe := Where(flat, gy.g.Scalar(1), x)
	return Where(flat, gy.g.Scalar(0), gy.Mul(safe.Log()).Mul(z))
}

var opPowSlope = operation{name: "pow gradient", method: "Pow"}

// powSlope returns gy·y·x^(y−1), 0 for y = 0.
func powSlope(gy, x, y Value) Value {
	return ternary(&opPowSlope, &kernel.PowSlope, powSlopeRule, gy, x, y)
}

func powSlopeRule(r *Rule) {
	v, gy, x, y := r.Grad(), r.In(0), r.In(1), r.In(2)
	if r.Needs(0) {
		r.Add(0, powSlope(v, x, y))
	}
	constant, less := y.EqualScalar(0), y.AddScalar(-1)
	if r.Needs(1) {
		r.Add(1, Where(constant, flatAt(y), powSlope(v.Mul(gy).Mul(y), x, less)))
	}
	if r.Needs(2) {
		// At y = 0 the derivative is 0, also where x is 0 or NaN.
		base := Where(x.Abs().GreaterScalar(0), x, Where(constant, v.g.Scalar(1), x))
		power := base.Pow(less)
		r.Add(2, v.Mul(gy).Mul(power.Add(byExponent(y, base, less, power))))
	}
}

// PowScalar returns x to the power of a constant.
//
//	∂y/∂x = p·x^(p−1)
//
// Special cases are: x⁰ = 1, for NaN too, with gradient 0; at x = 0 the
// gradient of x² is 0 and that of x¹ is 1.
func (x Value) PowScalar(p float64) Value { return x.unary(&opPowScalar, powScalarRule, p, 0) }

func powScalarRule(r *Rule) { r.slope(powScalarSlopeRule) }

// (x^p)″ = p·(x^(p−1))′
func powScalarSlopeRule(r *Rule) {
	r.slopeAgain(&opPowScalar)
	if p := r.n.a; p != 0 && r.Needs(1) {
		r.Add(1, slope(&opPowScalar, powScalarSlopeRule, r.Grad().Mul(r.In(0)).MulScalar(p), r.In(1), p-1, 0))
	}
}

// Atan2 returns the angle of the point (y, x), in radians, broadcasting; x is
// the receiver's argument as in math.Atan2.
//
//	∂/∂y = x/(x²+y²), ∂/∂x = −y/(x²+y²)
//
// At (0, 0) and where x or y is infinite both gradients are 0. At (0, 0) there
// are no second derivatives: they are NaN.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (y Value) Atan2(x Value) Value { return y.binary(&opAtan2, atan2Rule, x) }

func atan2Rule(r *Rule) {
	gy, y, x := r.Grad(), r.In(0), r.In(1)
	if r.Needs(0) {
		r.Add(0, atan2Slope(gy, y, x))
	}
	if r.Needs(1) {
		r.Add(1, atan2Slope(gy, x, y).Neg())
	}
}

var opAtan2Slope = operation{name: "atan2 gradient", method: "Atan2"}

// atan2Slope returns gy·x/(x²+y²).
func atan2Slope(gy, y, x Value) Value {
	return ternary(&opAtan2Slope, &kernel.Atan2Slope, atan2SlopeRule, gy, y, x)
}

// With h² = x²+y² the derivatives are −2xy/h⁴ by y and (y−x)(y+x)/h⁴ by x,
// divided by h step by step: its powers may leave the range.
func atan2SlopeRule(r *Rule) {
	v, gy, y, x := r.Grad(), r.In(0), r.In(1), r.In(2)
	if r.Needs(0) {
		r.Add(0, atan2Slope(v, y, x))
	}
	h, still, v := x.Hypot(y), flatAt(r.Out()), v.Mul(gy)
	far := h.EqualScalar(math.Inf(1))
	if r.Needs(1) {
		r.Add(1, Where(far, still, v.Mul(y.Div(h)).Div(h).Mul(x.Div(h)).Div(h).MulScalar(-2)))
	}
	if r.Needs(2) {
		r.Add(2, Where(far, still, v.Mul(y.Sub(x).Div(h)).Div(h).Mul(y.Add(x).Div(h)).Div(h)))
	}
}

// Hypot returns √(x²+y²), without overflow on the way, broadcasting.
//
//	∂/∂x = x/z, ∂/∂y = y/z
//
// At (0, 0) both gradients are 0; there are no second derivatives there: they
// are NaN. Hypot(±Inf, NaN) is Inf.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Hypot(y Value) Value { return x.binary(&opHypot, hypotRule, y) }

func hypotRule(r *Rule) {
	gy, x, y := r.Grad(), r.In(0), r.In(1)
	if r.Needs(0) {
		r.Add(0, hypotSlope(gy, x, y))
	}
	if r.Needs(1) {
		r.Add(1, hypotSlope(gy, y, x))
	}
}

var opHypotSlope = operation{name: "hypot gradient", method: "Hypot"}

// hypotSlope returns gy·x/√(x²+y²).
func hypotSlope(gy, x, y Value) Value {
	return ternary(&opHypotSlope, &kernel.HypotSlope, hypotSlopeRule, gy, x, y)
}

// The derivatives are y²/z³ by x and −xy/z³ by y, in which nothing cancels.
// At the origin they are 0/0.
func hypotSlopeRule(r *Rule) {
	v, gy, x, y := r.Grad(), r.In(0), r.In(1), r.In(2)
	if r.Needs(0) {
		r.Add(0, hypotSlope(v, x, y))
	}
	if !r.Needs(1) && !r.Needs(2) {
		return
	}
	z := x.Hypot(y)
	v = v.Mul(gy).Mul(y.Div(z)).Div(z)
	r.Add(1, v.Mul(y.Div(z)))
	r.Add(2, v.Mul(x.Div(z)).Neg())
}

// Fmod returns x − y·trunc(x/y), which has the sign of x, element by element,
// broadcasting. The quotient is exact: a rounded x/y cannot reach the next
// whole number.
//
//	∂/∂x = 1, ∂/∂y = −trunc(x/y)
//
// Where x/y is a whole number but 0, Fmod jumps; the gradients there are those
// of the side that the value belongs to.
//
// Special cases are: NaN for y = 0 and for infinite x; x for infinite y.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Fmod(y Value) Value { return x.binary(&opFmod, fmodRule, y) }

func fmodRule(r *Rule) {
	r.Add(0, r.Grad())
	if r.Needs(1) {
		r.Add(1, ternary(&opFmodSlope, &kernel.FmodSlope, fmodSlopeRule, r.Grad(), r.In(0), r.In(1)))
	}
}

var opFmodSlope = operation{name: "fmod gradient", method: "Fmod"}

// The quotient is piecewise constant.
func fmodSlopeRule(r *Rule) {
	r.Add(0, ternary(&opFmodSlope, &kernel.FmodSlope, fmodSlopeRule, r.Grad(), r.In(1), r.In(2)))
}

// Remainder returns x − y·floor(x/y), which has the sign of y, element by
// element, broadcasting. The quotient is exact, as in [Value.Fmod].
//
//	∂/∂x = 1, ∂/∂y = −floor(x/y)
//
// Where x/y is a whole number, Remainder jumps; the gradients there are those
// of the side that the value belongs to.
//
// Special cases are: NaN for y = 0 and for infinite x; for infinite y it is x,
// or y if x has the other sign.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Remainder(y Value) Value { return x.binary(&opRemainder, remainderRule, y) }

func remainderRule(r *Rule) {
	r.Add(0, r.Grad())
	if r.Needs(1) {
		r.Add(1, ternary(&opRemainderSlope, &kernel.RemainderSlope, remainderSlopeRule, r.Grad(), r.In(0), r.In(1)))
	}
}

var opRemainderSlope = operation{name: "remainder gradient", method: "Remainder"}

// The quotient is piecewise constant.
func remainderSlopeRule(r *Rule) {
	r.Add(0, ternary(&opRemainderSlope, &kernel.RemainderSlope, remainderSlopeRule, r.Grad(), r.In(1), r.In(2)))
}

// Lerp returns x + weight·(end − x), element by element, broadcasting. It is
// computed from the nearer end, so that it is exactly x for weight 0 and
// exactly end for weight 1.
//
//	∂/∂x = 1 − weight, ∂/∂end = weight, ∂/∂weight = end − x
//
// An infinite end wins, but it is NaN if its weight is 0 or the other end is
// the opposite infinity. (PyTorch has NaN for more infinite ends.)
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Lerp(end, weight Value) Value {
	from, to, by := x.node(opLerp.method), x.operand(opLerp.method, end), x.operand(opLerp.method, weight)
	s := x.g.broadcast(opLerp.method, x.g.broadcast(opLerp.method, from.shape, to.shape), by.shape)
	return ternary(&opLerp, &kernel.Lerp, lerpRule, x.expandTo(s), end, weight)
}

func lerpRule(r *Rule) {
	gy, x, end, weight := r.Grad(), r.In(0), r.In(1), r.In(2)
	if r.Needs(0) {
		r.Add(0, gy.Mul(weight.Neg().AddScalar(1)))
	}
	if r.Needs(1) {
		r.Add(1, gy.Mul(weight))
	}
	if r.Needs(2) {
		r.Add(2, gy.Mul(end.Sub(x)))
	}
}

// Neg returns −x.
//
//	∂y/∂x = −1
func (x Value) Neg() Value { return x.unary(&opNeg, negRule, 0, 0) }

func negRule(r *Rule) { r.Add(0, r.Grad().Neg()) }

// MulScalar returns factor·x.
//
//	∂y/∂x = factor
func (x Value) MulScalar(factor float64) Value {
	return x.unary(&opMulScalar, mulScalarRule, factor, 0)
}

func mulScalarRule(r *Rule) { r.Add(0, r.Grad().MulScalar(r.n.a)) }

// AddScalar returns x + summand.
//
//	∂y/∂x = 1
func (x Value) AddScalar(summand float64) Value {
	return x.unary(&opAddScalar, addScalarRule, summand, 0)
}

func addScalarRule(r *Rule) { r.Add(0, r.Grad()) }

// Square returns x².
//
//	∂y/∂x = 2x
func (x Value) Square() Value { return x.unary(&opSquare, squareRule, 0, 0) }

func squareRule(r *Rule) { r.Add(0, r.Grad().Mul(r.In(0)).MulScalar(2)) }

// Sqrt returns √x.
//
//	∂y/∂x = 1/(2√x)
//
// Special cases are: √0 = 0 with gradient +Inf; NaN for x < 0.
func (x Value) Sqrt() Value { return x.unary(&opSqrt, sqrtRule, 0, 0) }

func sqrtRule(r *Rule) { r.Add(0, r.Grad().Div(r.Out().MulScalar(2))) }

// Rsqrt returns 1/√x.
//
//	∂y/∂x = −½·x^(−3/2)
//
// Special cases are: Inf with gradient −Inf at 0; NaN for x < 0.
func (x Value) Rsqrt() Value { return x.unary(&opRsqrt, rsqrtRule, 0, 0) }

// Both factors are large for a small x and small for a large one, so that
// neither order of multiplication leaves the range on the way.
func rsqrtRule(r *Rule) { r.Add(0, r.Grad().Mul(r.Out().MulScalar(-0.5)).Div(r.In(0))) }

// Reciprocal returns 1/x.
//
//	∂y/∂x = −1/x²
//
// At 0 it is Inf, with gradient −Inf.
func (x Value) Reciprocal() Value { return x.unary(&opReciprocal, reciprocalRule, 0, 0) }

func reciprocalRule(r *Rule) {
	// One factor at a time: the square may leave the range.
	y := r.Out()
	r.Add(0, r.Grad().Mul(y).Mul(y).Neg())
}

// Cbrt returns the cube root, which is negative for negative x.
//
//	∂y/∂x = 1/(3y²)
//
// At 0 the gradient is +Inf.
func (x Value) Cbrt() Value { return x.unary(&opCbrt, cbrtRule, 0, 0) }

func cbrtRule(r *Rule) { r.slope(cbrtSlopeRule) }

// cbrt″ = −⅔·cbrt′/x
func cbrtSlopeRule(r *Rule) {
	r.slopeAgain(&opCbrt)
	if r.Needs(1) {
		r.Add(1, r.Grad().Mul(r.Out()).Div(r.In(1)).MulScalar(-2./3))
	}
}

// Abs returns |x|.
//
//	∂y/∂x = sign x, 0 at 0, NaN where x is
//
// At 0 there is no second derivative: it is NaN.
func (x Value) Abs() Value { return x.unary(&opAbs, absRule, 0, 0) }

func absRule(r *Rule) {
	x := r.In(0)
	r.Add(0, kinked(r.Grad(), x).Mul(x.Sign()))
}

// Sign returns −1, 0 or 1. It is piecewise constant: no gradient passes.
func (x Value) Sign() Value { return x.unary(&opSign, nil, 0, 0) }

// Floor returns the greatest integer at most x. Its gradient is 0, and NaN
// where x is.
func (x Value) Floor() Value { return x.unary(&opFloor, flatRule, 0, 0) }

// Trunc returns x rounded toward 0 to an integer. Its gradient is 0, and NaN
// where x is.
func (x Value) Trunc() Value { return x.unary(&opTrunc, flatRule, 0, 0) }

// Ceil returns the least integer at least x. Its gradient is 0, and NaN where x
// is.
func (x Value) Ceil() Value { return x.unary(&opCeil, flatRule, 0, 0) }

// Round returns the nearest integer, halves to even. Its gradient is 0, and NaN
// where x is.
func (x Value) Round() Value { return x.unary(&opRound, flatRule, 0, 0) }

// flatRule is the rule of a function whose derivative is 0 at every number.
func flatRule(r *Rule) { r.Add(0, flatAt(r.In(0))) }
