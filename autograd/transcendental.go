package autograd

import (
	"math"

	"nabla/internal/kernel"
)

var (
	opExp       = operation{name: "exp", method: "Exp", unary: &kernel.Exp}
	opExpm1     = operation{name: "expm1", method: "Expm1", unary: &kernel.Expm1, slope: slopeOf("expm1", "Expm1")}
	opLog       = operation{name: "log", method: "Log", unary: &kernel.Log}
	opLog1p     = operation{name: "log1p", method: "Log1p", unary: &kernel.Log1p}
	opLog2      = operation{name: "log2", method: "Log2", unary: &kernel.Log2}
	opLog10     = operation{name: "log10", method: "Log10", unary: &kernel.Log10}
	opLogAddExp = operation{name: "logaddexp", method: "LogAddExp", binary: &kernel.LogAddExp}
	opSin       = operation{name: "sin", method: "Sin", unary: &kernel.Sin}
	opCos       = operation{name: "cos", method: "Cos", unary: &kernel.Cos}
	opTan       = operation{name: "tan", method: "Tan", unary: &kernel.Tan}
	opAsin      = operation{name: "asin", method: "Asin", unary: &kernel.Asin, slope: slopeOf("asin", "Asin")}
	opAcos      = operation{name: "acos", method: "Acos", unary: &kernel.Acos, slope: slopeOf("acos", "Acos")}
	opAtan      = operation{name: "atan", method: "Atan", unary: &kernel.Atan, slope: slopeOf("atan", "Atan")}
	opSinh      = operation{name: "sinh", method: "Sinh", unary: &kernel.Sinh}
	opCosh      = operation{name: "cosh", method: "Cosh", unary: &kernel.Cosh}
	opAsinh     = operation{name: "asinh", method: "Asinh", unary: &kernel.Asinh, slope: slopeOf("asinh", "Asinh")}
	opAcosh     = operation{name: "acosh", method: "Acosh", unary: &kernel.Acosh, slope: slopeOf("acosh", "Acosh")}
	opAtanh     = operation{name: "atanh", method: "Atanh", unary: &kernel.Atanh, slope: slopeOf("atanh", "Atanh")}
	opTanh      = operation{name: "tanh", method: "Tanh", unary: &kernel.Tanh, slope: slopeOf("tanh", "Tanh")}
	opErf       = operation{name: "erf", method: "Erf", unary: &kernel.Erf, slope: slopeOf("erf", "Erf")}
	opErfc      = operation{name: "erfc", method: "Erfc", unary: &kernel.Erfc, slope: slopeOf("erfc", "Erfc")}
	opErfInv    = operation{name: "erfinv", method: "ErfInv", unary: &kernel.ErfInv, slope: slopeOf("erfinv", "ErfInv")}
	opLogit     = operation{name: "logit", method: "Logit", unary: &kernel.Logit, slope: slopeOf("logit", "Logit")}
	opSinc      = operation{name: "sinc", method: "Sinc", unary: &kernel.Sinc, slope: slopeOf("sinc", "Sinc")}
	opLgamma    = operation{name: "lgamma", method: "Lgamma", unary: &kernel.Lgamma, slope: slopeOf("lgamma", "Lgamma")}
	opDigamma   = operation{name: "digamma", method: "Digamma", unary: &kernel.Digamma, slope: slopeOf("digamma", "Digamma")}
	opPolygamma = operation{name: "polygamma", method: "Polygamma", unary: &kernel.Polygamma, slope: slopeOf("polygamma", "Polygamma")}
)

// Exp returns eˣ.
//
//	∂y/∂x = y
func (x Value) Exp() Value { return x.unary(&opExp, expRule, 0, 0) }

func expRule(r *Rule) { r.Add(0, r.Grad().Mul(r.Out())) }

// Expm1 returns eˣ − 1, accurate near 0.
//
//	∂y/∂x = eˣ
func (x Value) Expm1() Value { return x.unary(&opExpm1, expm1Rule, 0, 0) }

func expm1Rule(r *Rule) { r.slope(expm1SlopeRule) }

// expm1″ = expm1′
func expm1SlopeRule(r *Rule) {
	r.slopeAgain(&opExpm1)
	r.Add(1, r.Grad().Mul(r.Out()))
}

// Log returns the natural logarithm.
//
//	∂y/∂x = 1/x
//
// Special cases are: −Inf with gradient +Inf at 0; NaN for x < 0, with
// gradient 1/x.
func (x Value) Log() Value { return x.unary(&opLog, logRule, 0, 0) }

func logRule(r *Rule) { r.Add(0, r.Grad().Div(r.In(0))) }

// Log1p returns ln(1+x), accurate near 0.
//
//	∂y/∂x = 1/(1+x)
func (x Value) Log1p() Value { return x.unary(&opLog1p, log1pRule, 0, 0) }

func log1pRule(r *Rule) { r.Add(0, r.Grad().Div(r.In(0).AddScalar(1))) }

// Log2 returns the binary logarithm.
//
//	∂y/∂x = 1/(x·ln 2)
func (x Value) Log2() Value { return x.unary(&opLog2, log2Rule, 0, 0) }

func log2Rule(r *Rule) { r.Add(0, r.Grad().Div(r.In(0)).MulScalar(1/math.Ln2)) }

// Log10 returns the decimal logarithm.
//
//	∂y/∂x = 1/(x·ln 10)
func (x Value) Log10() Value { return x.unary(&opLog10, log10Rule, 0, 0) }

func log10Rule(r *Rule) { r.Add(0, r.Grad().Div(r.In(0)).MulScalar(1/math.Ln10)) }

// LogAddExp returns ln(eˣ + eʸ), without overflow, broadcasting: the sum of
// two numbers that are given by their logarithms.
//
//	∂/∂x = σ(x−y), ∂/∂y = σ(y−x)
//
// Special cases are: −Inf with gradients 0, 0 where both are −Inf; +Inf with
// gradients ½, ½ where both are +Inf.
//
// It panics with a *ShapeError when the shapes do not broadcast.
func (x Value) LogAddExp(y Value) Value { return x.binary(&opLogAddExp, logAddExpRule, y) }

func logAddExpRule(r *Rule) {
	gy, x, y := r.Grad(), r.In(0), r.In(1)
	if r.Needs(0) {
		r.Add(0, logAddExpSlope(gy, x, y))
	}
	if r.Needs(1) {
		r.Add(1, logAddExpSlope(gy, y, x))
	}
}

var opLogAddExpSlope = operation{name: "logaddexp gradient", method: "LogAddExp"}

// logAddExpSlope returns gy·σ(x−y).
func logAddExpSlope(gy, x, y Value) Value {
	return ternary(&opLogAddExpSlope, &kernel.LogAddExpSlope, logAddExpSlopeRule, gy, x, y)
}

// The derivative of σ(x−y) by x is σ(x−y)·σ(y−x), and by y it is the negative.
func logAddExpSlopeRule(r *Rule) {
	v, gy, x, y := r.Grad(), r.In(0), r.In(1), r.In(2)
	if r.Needs(0) {
		r.Add(0, logAddExpSlope(v, x, y))
	}
	if r.Needs(1) || r.Needs(2) {
		bend := logAddExpSlope(logAddExpSlope(v.Mul(gy), x, y), y, x)
		r.Add(1, bend)
		r.Add(2, bend.Neg())
	}
}

// Sin returns the sine of x, in radians.
//
//	∂y/∂x = cos x
func (x Value) Sin() Value { return x.unary(&opSin, sinRule, 0, 0) }

func sinRule(r *Rule) { r.Add(0, r.Grad().Mul(r.In(0).Cos())) }

// Cos returns the cosine of x, in radians.
//
//	∂y/∂x = −sin x
func (x Value) Cos() Value { return x.unary(&opCos, cosRule, 0, 0) }

func cosRule(r *Rule) { r.Add(0, r.Grad().Mul(r.In(0).Sin()).Neg()) }

// Tan returns the tangent of x, in radians.
//
//	∂y/∂x = 1 + tan² x
func (x Value) Tan() Value { return x.unary(&opTan, tanRule, 0, 0) }

func tanRule(r *Rule) { r.Add(0, r.Grad().Mul(r.Out().Square().AddScalar(1))) }

// Asin returns the arcsine, in radians.
//
//	∂y/∂x = 1/√(1−x²)
func (x Value) Asin() Value { return x.unary(&opAsin, asinRule, 0, 0) }

func asinRule(r *Rule) { r.slope(asinSlopeRule) }

func asinSlopeRule(r *Rule) {
	r.slopeAgain(&opAsin)
	arcSlope(r)
}

// arcSlope adds asin″ = asin′·x/(1−x²), in which nothing cancels near 0, and
// acos″ in the same way.
func arcSlope(r *Rule) {
	if r.Needs(1) {
		x := r.In(1)
		r.Add(1, r.Grad().Mul(r.Out()).Mul(x).Div(circle(x)))
	}
}

// circle returns 1−x² as (1−x)(1+x), which loses no digits near ±1.
func circle(x Value) Value { return x.Neg().AddScalar(1).Mul(x.AddScalar(1)) }

// Acos returns the arccosine, in radians.
//
//	∂y/∂x = −1/√(1−x²)
func (x Value) Acos() Value { return x.unary(&opAcos, acosRule, 0, 0) }

func acosRule(r *Rule) { r.slope(acosSlopeRule) }

func acosSlopeRule(r *Rule) {
	r.slopeAgain(&opAcos)
	arcSlope(r)
}

// Atan returns the arctangent, in radians.
//
//	∂y/∂x = 1/(1+x²)
func (x Value) Atan() Value { return x.unary(&opAtan, atanRule, 0, 0) }

func atanRule(r *Rule) { r.slope(atanSlopeRule) }

// atan″ = −2x·atan′·atan′. The factor x·atan′ is at most ½.
func atanSlopeRule(r *Rule) {
	r.slopeAgain(&opAtan)
	if r.Needs(1) {
		x := r.In(1)
		r.Add(1, slope(&opAtan, atanSlopeRule, r.Grad().Mul(r.Out().Mul(x)).MulScalar(-2), x, 0, 0))
	}
}

// Sinh returns the hyperbolic sine.
//
//	∂y/∂x = cosh x
func (x Value) Sinh() Value { return x.unary(&opSinh, sinhRule, 0, 0) }

func sinhRule(r *Rule) { r.Add(0, r.Grad().Mul(r.In(0).Cosh())) }

// Cosh returns the hyperbolic cosine.
//
//	∂y/∂x = sinh x
func (x Value) Cosh() Value { return x.unary(&opCosh, coshRule, 0, 0) }

func coshRule(r *Rule) { r.Add(0, r.Grad().Mul(r.In(0).Sinh())) }

// Tanh returns the hyperbolic tangent, exactly ±1 at ±Inf.
//
//	∂y/∂x = 1/cosh² x, taken from x: 1−y² loses all digits where y is near 1
func (x Value) Tanh() Value { return x.unary(&opTanh, tanhRule, 0, 0) }

func tanhRule(r *Rule) { r.slope(tanhSlopeRule) }

// tanh″ = −2·tanh x·tanh′, in which nothing cancels near 0.
func tanhSlopeRule(r *Rule) {
	r.slopeAgain(&opTanh)
	if r.Needs(1) {
		r.Add(1, r.Grad().Mul(r.Out()).Mul(r.In(1).Tanh()).MulScalar(-2))
	}
}

// tanhSlope returns g·tanh′ x.
func tanhSlope(g, x Value) Value { return slope(&opTanh, tanhSlopeRule, g, x, 0, 0) }

// Asinh returns the inverse hyperbolic sine, accurate near 0.
//
//	∂y/∂x = 1/√(1+x²)
func (x Value) Asinh() Value { return x.unary(&opAsinh, asinhRule, 0, 0) }

func asinhRule(r *Rule) { r.slope(asinhSlopeRule) }

// asinh″ = −x·asinh′/(1+x²). The factor x·asinh′ is at most 1, and 1/(1+x²) is
// atan′.
func asinhSlopeRule(r *Rule) {
	r.slopeAgain(&opAsinh)
	if r.Needs(1) {
		x := r.In(1)
		r.Add(1, slope(&opAtan, atanSlopeRule, r.Grad().Mul(r.Out().Mul(x)).Neg(), x, 0, 0))
	}
}

// Acosh returns the inverse hyperbolic cosine, taking the nonnegative one.
//
//	∂y/∂x = 1/√(x²−1)
//
// Special cases are: 0 with gradient +Inf at 1; value and gradient are NaN for
// x < 1.
func (x Value) Acosh() Value { return x.unary(&opAcosh, acoshRule, 0, 0) }

func acoshRule(r *Rule) { r.slope(acoshSlopeRule) }

// acosh″ = −acosh′/((x−1)(1+1/x)), written so that no square can overflow.
func acoshSlopeRule(r *Rule) {
	r.slopeAgain(&opAcosh)
	if r.Needs(1) {
		x := r.In(1)
		r.Add(1, r.Grad().Mul(r.Out()).Div(x.AddScalar(-1).Mul(x.Reciprocal().AddScalar(1))).Neg())
	}
}

// Atanh returns the inverse hyperbolic tangent, accurate near 0.
//
//	∂y/∂x = 1/(1−x²)
//
// Special cases are: ±Inf with gradient +Inf at ±1; NaN for |x| > 1, with
// gradient 1/(1−x²).
func (x Value) Atanh() Value { return x.unary(&opAtanh, atanhRule, 0, 0) }

func atanhRule(r *Rule) { r.slope(atanhSlopeRule) }

// atanh″ = 2x·atanh′/(1−x²)
func atanhSlopeRule(r *Rule) {
	r.slopeAgain(&opAtanh)
	if r.Needs(1) {
		x := r.In(1)
		r.Add(1, r.Grad().Mul(r.Out()).Mul(x).Div(circle(x)).MulScalar(2))
	}
}

// Erf returns the error function 2/√π ∫₀ˣ e^(−t²) dt.
//
//	∂y/∂x = 2/√π · e^(−x²)
func (x Value) Erf() Value { return x.unary(&opErf, erfRule, 0, 0) }

func erfRule(r *Rule) { r.slope(erfSlopeRule) }

func erfSlopeRule(r *Rule) {
	r.slopeAgain(&opErf)
	bellSlope(r)
}

// bellSlope adds erf″ = −2x·erf′, and erfc″ in the same way.
func bellSlope(r *Rule) {
	if r.Needs(1) {
		r.Add(1, r.Grad().Mul(r.Out()).Mul(saturated(r.In(1))).MulScalar(-2))
	}
}

// Erfc returns 1 − erf x, accurate for large x.
//
//	∂y/∂x = −2/√π · e^(−x²)
func (x Value) Erfc() Value { return x.unary(&opErfc, erfcRule, 0, 0) }

func erfcRule(r *Rule) { r.slope(erfcSlopeRule) }

func erfcSlopeRule(r *Rule) {
	r.slopeAgain(&opErfc)
	bellSlope(r)
}

// ErfInv returns the inverse of [Value.Erf].
//
//	∂y/∂x = √π/2 · e^(y²)
//
// Special cases are: ±Inf with gradient +Inf at ±1; value and gradient are NaN
// for |x| > 1.
func (x Value) ErfInv() Value { return x.unary(&opErfInv, erfInvRule, 0, 0) }

func erfInvRule(r *Rule) { r.slope(erfInvSlopeRule) }

// erfinv″ = 2y·erfinv′·erfinv′
func erfInvSlopeRule(r *Rule) {
	r.slopeAgain(&opErfInv)
	if r.Needs(1) {
		x := r.In(1)
		r.Add(1, slope(&opErfInv, erfInvSlopeRule, r.Grad().Mul(r.Out()).Mul(x.ErfInv()).MulScalar(2), x, 0, 0))
	}
}

// Logit returns ln(x/(1−x)), the inverse of [Value.Sigmoid], accurate near ½.
// To bound it, write x.Clamp(eps, 1−eps).Logit().
//
//	∂y/∂x = 1/(x·(1−x))
//
// Special cases are: −Inf at 0 and +Inf at 1, with gradient +Inf; value and
// gradient are NaN outside of 0 to 1.
func (x Value) Logit() Value { return x.unary(&opLogit, logitRule, 0, 0) }

func logitRule(r *Rule) { r.slope(logitSlopeRule) }

// logit″ = (2x−1)·logit′·logit′, in which nothing cancels near 0 and 1.
func logitSlopeRule(r *Rule) {
	r.slopeAgain(&opLogit)
	if r.Needs(1) {
		x := r.In(1)
		r.Add(1, slope(&opLogit, logitSlopeRule, r.Grad().Mul(r.Out()).Mul(x.MulScalar(2).AddScalar(-1)), x, 0, 0))
	}
}

// Sinc returns sin(πx)/(πx). It is exactly 0 at whole numbers but 0.
//
//	∂y/∂x = (cos πx − y)/x, of any order without cancellation near 0
//
// Special cases are: 1 with gradient 0 at 0; NaN at ±Inf.
func (x Value) Sinc() Value { return x.unary(&opSinc, sincRule, 0, 0) }

func sincRule(r *Rule) { r.slope(sincSlopeRule) }

// The constant is the order of derivative.
func sincSlopeRule(r *Rule) {
	r.slopeAgain(&opSinc)
	if r.Needs(1) {
		r.Add(1, slope(&opSinc, sincSlopeRule, r.Grad().Mul(r.In(0)), r.In(1), r.n.a+1, 0))
	}
}

// Lgamma returns ln |Γ(x)|.
//
//	∂y/∂x = digamma x
func (x Value) Lgamma() Value { return x.unary(&opLgamma, lgammaRule, 0, 0) }

func lgammaRule(r *Rule) { r.slope(lgammaSlopeRule) }

func lgammaSlopeRule(r *Rule) {
	r.slopeAgain(&opLgamma)
	if r.Needs(1) {
		r.Add(1, slope(&opDigamma, digammaSlopeRule, r.Grad().Mul(r.In(0)), r.In(1), 0, 0))
	}
}

// Digamma returns the logarithmic derivative of the gamma function.
//
//	∂y/∂x = polygamma of order 1
func (x Value) Digamma() Value { return x.unary(&opDigamma, digammaRule, 0, 0) }

func digammaRule(r *Rule) { r.slope(digammaSlopeRule) }

func digammaSlopeRule(r *Rule) {
	r.slopeAgain(&opDigamma)
	if r.Needs(1) {
		r.Add(1, slope(&opPolygamma, polygammaSlopeRule, r.Grad().Mul(r.In(0)), r.In(1), 1, 0))
	}
}

// Polygamma returns the derivative of the given order of the digamma function;
// order 0 is digamma itself. It panics with an [*ArgumentError] if the order is
// negative.
//
//	∂y/∂x = polygamma of order + 1
func (x Value) Polygamma(order int) Value {
	if order < 0 {
		panic(NewArgumentError(opPolygamma.method, "negative order %d", order))
	}
	return x.unary(&opPolygamma, polygammaRule, float64(order), 0)
}

func polygammaRule(r *Rule) { r.slope(polygammaSlopeRule) }

func polygammaSlopeRule(r *Rule) {
	r.slopeAgain(&opPolygamma)
	if r.Needs(1) {
		r.Add(1, slope(&opPolygamma, polygammaSlopeRule, r.Grad().Mul(r.In(0)), r.In(1), r.n.a+1, 0))
	}
}
