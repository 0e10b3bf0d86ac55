package autograd

import (
	"math"

	"nabla/internal/kernel"
)

var (
	opReLU        = operation{name: "relu", method: "ReLU", unary: &kernel.ReLU}
	opReLU6       = operation{name: "relu6", method: "ReLU6", unary: &kernel.ReLU6}
	opLeakyReLU   = operation{name: "leaky relu", method: "LeakyReLU", unary: &kernel.LeakyReLU}
	opPReLU       = operation{name: "prelu", method: "PReLU", binary: &kernel.PReLU}
	opELU         = operation{name: "elu", method: "ELU", unary: &kernel.ELU, slope: slopeOf("elu", "ELU")}
	opSELU        = operation{name: "selu", method: "SELU", unary: &kernel.SELU, slope: slopeOf("selu", "SELU")}
	opCELU        = operation{name: "celu", method: "CELU", unary: &kernel.CELU, slope: slopeOf("celu", "CELU")}
	opGELU        = operation{name: "gelu", method: "GELU", unary: &kernel.GELU, slope: slopeOf("gelu", "GELU")}
	opGELUTanh    = operation{name: "gelu tanh", method: "GELUTanh", unary: &kernel.GELUTanh, slope: slopeOf("gelu tanh", "GELUTanh")}
	opSiLU        = operation{name: "silu", method: "SiLU", unary: &kernel.SiLU, slope: slopeOf("silu", "SiLU")}
	opMish        = operation{name: "mish", method: "Mish", unary: &kernel.Mish, slope: slopeOf("mish", "Mish")}
	opSoftplus    = operation{name: "softplus", method: "Softplus", unary: &kernel.Softplus, slope: slopeOf("softplus", "Softplus")}
	opSoftsign    = operation{name: "softsign", method: "Softsign", unary: &kernel.Softsign}
	opSigmoid     = operation{name: "sigmoid", method: "Sigmoid", unary: &kernel.Sigmoid, slope: slopeOf("sigmoid", "Sigmoid")}
	opLogSigmoid  = operation{name: "log sigmoid", method: "LogSigmoid", unary: &kernel.LogSigmoid, slope: slopeOf("log sigmoid", "LogSigmoid")}
	opHardSigmoid = operation{name: "hard sigmoid", method: "HardSigmoid", unary: &kernel.HardSigmoid}
	opHardSwish   = operation{name: "hard swish", method: "HardSwish", unary: &kernel.HardSwish}
	opHardShrink  = operation{name: "hard shrink", method: "HardShrink", unary: &kernel.HardShrink}
	opHardTanh    = operation{name: "hard tanh", method: "HardTanh", unary: &kernel.HardTanh}
	opSoftmax     = operation{name: "softmax", method: "Softmax"}
	opLogSoftmax  = operation{name: "log softmax", method: "LogSoftmax"}
)

// Linear returns x itself: the activation of a neuron without one.
//
//	∂y/∂x = 1
func (x Value) Linear() Value { return x }

// ReLU returns max(x, 0).
//
//	∂y/∂x = 1 for x > 0, else 0, also at 0; NaN where x is
func (x Value) ReLU() Value { return x.unary(&opReLU, reluRule, 0, 0) }

func reluRule(r *Rule) { r.Add(0, gateAt(r.In(0), r.Grad(), r.In(0).GreaterScalar(0))) }

// gate returns g where the mask is 1, and 0 elsewhere even if g is infinite.
func gate(g, mask Value) Value { return Where(mask, g, g.g.Scalar(0)) }

// gateAt is gate by a comparison of x, which says nothing where x is NaN: NaN
// stands there.
func gateAt(x, g, mask Value) Value { return Where(mask, g, flatAt(x)) }

// flatAt is the derivative, at x, of a function that is constant near x: 0, but
// NaN where x is NaN.
func flatAt(x Value) Value { return Where(x.IsNaN(), x.Detach(), x.g.Scalar(0)) }

// ReLU6 returns min(max(x, 0), 6).
//
//	∂y/∂x = 1 for 0 < x < 6, else 0
func (x Value) ReLU6() Value { return x.unary(&opReLU6, relu6Rule, 0, 0) }

func relu6Rule(r *Rule) { r.Add(0, gateAt(r.In(0), r.Grad(), inside(r.In(0), 0, 6))) }

// inside is the mask of lo < x < hi.
func inside(x Value, lo, hi float64) Value { return x.GreaterScalar(lo).Mul(x.LessScalar(hi)) }

// LeakyReLU returns x for x > 0, else slope·x.
//
//	∂y/∂x = 1 for x > 0, else slope, also at 0
func (x Value) LeakyReLU(slope float64) Value { return x.unary(&opLeakyReLU, leakyReLURule, slope, 0) }

func leakyReLURule(r *Rule) {
	x := r.In(0)
	r.Add(0, Where(x.GreaterScalar(0), r.Grad(), r.Grad().MulScalar(r.n.a).Add(flatAt(x))))
}

// PReLU returns x for x > 0, else slope·x with a slope that is learned,
// broadcasting.
//
//	∂/∂x = 1 for x > 0, else slope; ∂/∂slope = 0 for x > 0, else x
//
// Both are NaN where x is.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) PReLU(slope Value) Value { return x.binary(&opPReLU, preluRule, slope) }

func preluRule(r *Rule) {
	gy, x, positive := r.Grad(), r.In(0), r.In(0).GreaterScalar(0)
	r.Add(0, Where(positive, gy, gy.Mul(r.In(1)).Add(flatAt(x))))
	if r.Needs(1) {
		r.Add(1, Where(positive, gy.g.Scalar(0), gy.Mul(x)))
	}
}

// ELU returns x for x > 0, else alpha·(eˣ − 1).
//
//	∂y/∂x = 1 for x > 0, else alpha·eˣ
func (x Value) ELU(alpha float64) Value { return x.unary(&opELU, eluRule, alpha, 0) }

func eluRule(r *Rule) { r.slope(eluSlopeRule) }

func eluSlopeRule(r *Rule) {
	r.slopeAgain(&opELU)
	decaySlope(r, 1)
}

// decaySlope adds the second derivative of a function that is linear for x > 0
// and decays as e^(rate·x) elsewhere: 0 for x > 0, else rate times the first.
func decaySlope(r *Rule, rate float64) {
	if r.Needs(1) {
		x := r.In(1)
		r.Add(1, gateAt(x, r.Grad().Mul(r.Out()).MulScalar(rate), x.LessEqualScalar(0)))
	}
}

// SELU returns λx for x > 0, else λα(eˣ − 1), with λ = 1.0507 and α = 1.6733.
//
//	∂y/∂x = λ for x > 0, else λα·eˣ
func (x Value) SELU() Value { return x.unary(&opSELU, seluRule, 0, 0) }

func seluRule(r *Rule) { r.slope(seluSlopeRule) }

func seluSlopeRule(r *Rule) {
	r.slopeAgain(&opSELU)
	decaySlope(r, 1)
}

// CELU returns x for x > 0, else alpha·(e^(x/alpha) − 1).
//
//	∂y/∂x = 1 for x > 0, else e^(x/alpha)
func (x Value) CELU(alpha float64) Value { return x.unary(&opCELU, celuRule, alpha, 0) }

func celuRule(r *Rule) { r.slope(celuSlopeRule) }

func celuSlopeRule(r *Rule) {
	r.slopeAgain(&opCELU)
	decaySlope(r, 1/r.n.a)
}

// saturated cuts x off where e^x and e^−x are 0 or infinite: the derivatives of
// GELU and its like do not change beyond, and an infinite x would make them
// ∞·0.
func saturated(x Value) Value { return x.Clamp(-1000, 1000) }

// GELU returns x·Φ(x), with the distribution function Φ of the normal
// distribution, computed without cancellation for large negative x.
//
//	∂y/∂x = Φ(x) + x·φ(x)
func (x Value) GELU() Value { return x.unary(&opGELU, geluRule, 0, 0) }

func geluRule(r *Rule) { r.slope(geluSlopeRule) }

// gelu″ = φ(x)·(2 − x²)
func geluSlopeRule(r *Rule) {
	r.slopeAgain(&opGELU)
	if r.Needs(1) {
		x := saturated(r.In(1))
		square := x.Square()
		density := square.MulScalar(-0.5).Exp().MulScalar(1 / math.Sqrt(2*math.Pi))
		r.Add(1, r.Grad().Mul(r.In(0)).Mul(density.Mul(square.Neg().AddScalar(2))))
	}
}

// GELUTanh returns the approximation ½x(1 + tanh u) of GELU, with
// u = √(2/π)(x + 0.044715x³).
//
//	∂y/∂x = σ(2u) + 2x·σ(2u)·σ(−2u)·u′
func (x Value) GELUTanh() Value { return x.unary(&opGELUTanh, geluTanhRule, 0, 0) }

func geluTanhRule(r *Rule) { r.slope(geluTanhSlopeRule) }

// With w = 2u: y″ = σ′(w)·(2w′ + x·w″ − x·w′²·tanh(w/2)).
func geluTanhSlopeRule(r *Rule) {
	r.slopeAgain(&opGELUTanh)
	if r.Needs(1) {
		x := saturated(r.In(1))
		const cubic = 0.044715
		scale := 2 * math.Sqrt(2/math.Pi)
		square := x.Square()
		w := square.MulScalar(cubic).AddScalar(1).Mul(x).MulScalar(scale)
		first := square.MulScalar(3 * cubic).AddScalar(1).MulScalar(scale)
		bend := first.MulScalar(2).Add(square.MulScalar(6 * cubic * scale)).Sub(x.Mul(first.Square()).Mul(w.MulScalar(0.5).Tanh()))
		r.Add(1, sigmoidSlope(r.Grad().Mul(r.In(0)), w).Mul(bend))
	}
}

// SiLU returns x·σ(x), also called swish.
//
//	∂y/∂x = σ(x)·(1 + x·σ(−x))
func (x Value) SiLU() Value { return x.unary(&opSiLU, siluRule, 0, 0) }

func siluRule(r *Rule) { r.slope(siluSlopeRule) }

// silu″ = σ′(x)·(2 − x·tanh(x/2))
func siluSlopeRule(r *Rule) {
	r.slopeAgain(&opSiLU)
	if r.Needs(1) {
		x := saturated(r.In(1))
		bend := x.Mul(x.MulScalar(0.5).Tanh()).Neg().AddScalar(2)
		r.Add(1, sigmoidSlope(r.Grad().Mul(r.In(0)), x).Mul(bend))
	}
}

// Mish returns x·tanh(softplus x).
//
//	∂y/∂x = tanh s + x·σ(x)/cosh² s, s = softplus x
func (x Value) Mish() Value { return x.unary(&opMish, mishRule, 0, 0) }

func mishRule(r *Rule) { r.slope(mishSlopeRule) }

// With t = tanh s and t′ = σ(x)/cosh² s: mish″ = t′·(2 + x·(σ(−x) − 2t·σ(x))).
func mishSlopeRule(r *Rule) {
	r.slopeAgain(&opMish)
	if r.Needs(1) {
		x := saturated(r.In(1))
		s, p := x.Softplus(1), x.Sigmoid()
		bend := x.Mul(x.Neg().Sigmoid().Sub(s.Tanh().Mul(p).MulScalar(2))).AddScalar(2)
		r.Add(1, tanhSlope(r.Grad().Mul(r.In(0)).Mul(p), s).Mul(bend))
	}
}

// Softplus returns ln(1 + e^(beta·x))/beta, without overflow: a smooth ReLU,
// which it approaches as beta grows. The usual beta is 1.
//
//	∂y/∂x = σ(beta·x)
//
// For a beta of 0 the value is +Inf.
func (x Value) Softplus(beta float64) Value { return x.unary(&opSoftplus, softplusRule, beta, 0) }

func softplusRule(r *Rule) { r.slope(softplusSlopeRule) }

// softplus″ = beta·σ′(beta·x)
func softplusSlopeRule(r *Rule) {
	r.slopeAgain(&opSoftplus)
	if r.Needs(1) {
		beta := r.n.a
		r.Add(1, sigmoidSlope(r.Grad().Mul(r.In(0)), r.In(1).MulScalar(beta)).MulScalar(beta))
	}
}

// Softsign returns x/(1 + |x|).
//
//	∂y/∂x = 1/(1 + |x|)²
func (x Value) Softsign() Value { return x.unary(&opSoftsign, softsignRule, 0, 0) }

func softsignRule(r *Rule) {
	// Divided twice: the square may overflow.
	d := r.In(0).Abs().AddScalar(1)
	r.Add(0, r.Grad().Div(d).Div(d))
}

// Sigmoid returns σ(x) = 1/(1 + e⁻ˣ), without overflow.
//
//	∂y/∂x = σ(x)·σ(−x), taken from x: y(1−y) loses all digits where y is near 1
func (x Value) Sigmoid() Value { return x.unary(&opSigmoid, sigmoidRule, 0, 0) }

func sigmoidRule(r *Rule) { r.slope(sigmoidSlopeRule) }

// σ″ = −tanh(x/2)·σ′, in which nothing cancels near 0.
func sigmoidSlopeRule(r *Rule) {
	r.slopeAgain(&opSigmoid)
	if r.Needs(1) {
		r.Add(1, r.Grad().Mul(r.Out()).Mul(r.In(1).MulScalar(0.5).Tanh()).Neg())
	}
}

// sigmoidSlope returns g·σ′(x).
func sigmoidSlope(g, x Value) Value { return slope(&opSigmoid, sigmoidSlopeRule, g, x, 0, 0) }

// LogSigmoid returns ln σ(x), without overflow: −1000 at −1000.
//
//	∂y/∂x = σ(−x)
func (x Value) LogSigmoid() Value { return x.unary(&opLogSigmoid, logSigmoidRule, 0, 0) }

func logSigmoidRule(r *Rule) { r.slope(logSigmoidSlopeRule) }

func logSigmoidSlopeRule(r *Rule) {
	r.slopeAgain(&opLogSigmoid)
	if r.Needs(1) {
		r.Add(1, sigmoidSlope(r.Grad().Mul(r.In(0)), r.In(1)).Neg())
	}
}

// HardSigmoid returns min(max(x+3, 0), 6)/6.
//
//	∂y/∂x = 1/6 for −3 < x < 3, else 0
func (x Value) HardSigmoid() Value { return x.unary(&opHardSigmoid, hardSigmoidRule, 0, 0) }

func hardSigmoidRule(r *Rule) {
	r.Add(0, gateAt(r.In(0), r.Grad().MulScalar(1./6), inside(r.In(0), -3, 3)))
}

// HardSwish returns x·HardSigmoid(x).
//
//	∂y/∂x = 0 for x ≤ −3, 1 for x ≥ 3, else (2x + 3)/6
func (x Value) HardSwish() Value { return x.unary(&opHardSwish, hardSwishRule, 0, 0) }

func hardSwishRule(r *Rule) {
	gy, x := r.Grad(), r.In(0)
	middle := gy.Mul(x.MulScalar(2).AddScalar(3).MulScalar(1. / 6))
	r.Add(0, Where(x.GreaterEqualScalar(3), gy, gateAt(x, middle, x.GreaterScalar(-3))))
}

// HardShrink returns x for |x| > lambda, else 0.
//
//	∂y/∂x = 1 for |x| > lambda, else 0, also at ±lambda
func (x Value) HardShrink(lambda float64) Value {
	return x.unary(&opHardShrink, hardShrinkRule, lambda, 0)
}

func hardShrinkRule(r *Rule) {
	r.Add(0, gateAt(r.In(0), r.Grad(), r.In(0).Abs().GreaterScalar(r.n.a)))
}

// HardTanh returns min(max(x, −1), 1).
//
//	∂y/∂x = 1 for −1 < x < 1, else 0
func (x Value) HardTanh() Value { return x.unary(&opHardTanh, hardTanhRule, -1, 1) }

func hardTanhRule(r *Rule) { r.Add(0, gateAt(r.In(0), r.Grad(), inside(r.In(0), -1, 1))) }

// Softmax returns e^x / Σ e^x along an axis, without overflow.
//
//	gx = y·(gy − Σ gy·y)
//
// An element of −Inf has probability 0 and gradient 0; where all are −Inf the
// result is NaN.
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) Softmax(axis int) Value {
	n, from, s := x.along(&opSoftmax, softmaxRule, axis)
	x.g.alongSpan(n, from, s, kernel.Softmax, kernel.Softmax)
	return x.g.done()
}

func softmaxRule(r *Rule) { r.Add(0, softmaxGrad(r.Grad(), r.Out(), int(r.n.a))) }

var opSoftmaxGrad = operation{name: "softmax gradient", method: "Softmax"}

// softmaxGrad returns y·(gy − Σ gy·y) along an axis in one pass.
func softmaxGrad(gy, y Value, axis int) Value {
	g, gn, yn := gy.g, gy.node(opSoftmaxGrad.method), y.node(opSoftmaxGrad.method)
	s := spanOf(yn.shape, axis)
	n := g.record(&opSoftmaxGrad, softmaxGradRule, yn.shape, gy, y)
	n.a = float64(axis)
	g.gradAlongSpan(n, gn, yn, s, kernel.SoftmaxGrad, kernel.SoftmaxGrad)
	return g.done()
}

func softmaxGradRule(r *Rule) {
	v, gy, y, axis := r.Grad(), r.In(0), r.In(1), int(r.n.a)
	vy := v.Mul(y).KeepDims().Sum(axis)
	if r.Needs(0) {
		r.Add(0, y.Mul(v.Sub(vy)))
	}
	if r.Needs(1) {
		r.Add(1, v.Mul(gy.Sub(gy.Mul(y).KeepDims().Sum(axis))).Sub(gy.Mul(vy)))
	}
}

// LogSoftmax returns x − ln Σ eˣ along an axis, without overflow.
//
//	gx = gy − e^y·Σ gy
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) LogSoftmax(axis int) Value {
	n, from, s := x.along(&opLogSoftmax, logSoftmaxRule, axis)
	x.g.alongSpan(n, from, s, kernel.LogSoftmax, kernel.LogSoftmax)
	return x.g.done()
}

func logSoftmaxRule(r *Rule) { r.Add(0, logSoftmaxGrad(r.Grad(), r.Out(), int(r.n.a))) }

var opLogSoftmaxGrad = operation{name: "log softmax gradient", method: "LogSoftmax"}

// logSoftmaxGrad returns gy − e^y·Σ gy along an axis in one pass.
func logSoftmaxGrad(gy, y Value, axis int) Value {
	g, gn, yn := gy.g, gy.node(opLogSoftmaxGrad.method), y.node(opLogSoftmaxGrad.method)
	s := spanOf(yn.shape, axis)
	n := g.record(&opLogSoftmaxGrad, logSoftmaxGradRule, yn.shape, gy, y)
	n.a = float64(axis)
	g.gradAlongSpan(n, gn, yn, s, kernel.LogSoftmaxGrad, kernel.LogSoftmaxGrad)
	return g.done()
}

func logSoftmaxGradRule(r *Rule) {
	v, gy, y, axis := r.Grad(), r.In(0), r.In(1), int(r.n.a)
	vp := v.Mul(y.Exp())
	if r.Needs(0) {
		r.Add(0, v.Sub(vp.KeepDims().Sum(axis)))
	}
	if r.Needs(1) {
		r.Add(1, vp.Mul(gy.KeepDims().Sum(axis)).Neg())
	}
}
