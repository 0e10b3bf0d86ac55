package export

import (
	"math"

	"nabla/autograd"
)

// gradientOutlines are operations that only gradients record: the incoming
// gradient times a derivative.
var gradientOutlines = map[string]outline{
	"div gradient":       func(c call) autograd.Value { return c.in[0].Mul(c.in[1]).Neg().Div(c.in[2]).Div(c.in[2]) },
	"pow gradient":       func(c call) autograd.Value { return powGradient(c.in[0], c.in[1], c.in[2]) },
	"logaddexp gradient": func(c call) autograd.Value { return c.in[0].Mul(c.in[1].Sub(c.in[2]).Sigmoid()) },
	"hypot gradient": func(c call) autograd.Value {
		h := c.in[1].Hypot(c.in[2])
		none := h.EqualScalar(0)
		return autograd.Where(none, c.g.Scalar(0), c.in[0].Mul(c.in[1]).Div(autograd.Where(none, c.g.Scalar(1), h)))
	},
	"atan2 gradient": func(c call) autograd.Value {
		square := c.in[1].Square().Add(c.in[2].Square())
		none := square.EqualScalar(0)
		return autograd.Where(none, c.g.Scalar(0), c.in[0].Mul(c.in[2]).Div(autograd.Where(none, c.g.Scalar(1), square)))
	},
	"fmod gradient":      func(c call) autograd.Value { return c.in[0].Mul(c.in[1].Div(c.in[2]).Trunc()).Neg() },
	"remainder gradient": func(c call) autograd.Value { return c.in[0].Mul(c.in[1].Div(c.in[2]).Floor()).Neg() },
	"binary cross entropy gradient": func(c call) autograd.Value {
		p := c.in[1]
		return c.in[0].Mul(p.Sub(c.in[2])).Div(p.Mul(minus(1, p)).Clamp(1e-12, math.Inf(1)))
	},

	"pow scalar gradient": slope(func(c call, x autograd.Value) autograd.Value {
		p := c.constant(0)
		if p == 0 {
			return x.MulScalar(0)
		}
		return x.PowScalar(p - 1).MulScalar(p)
	}),
	"cbrt gradient":  slope(func(_ call, x autograd.Value) autograd.Value { return x.Abs().PowScalar(-2. / 3).MulScalar(1. / 3) }),
	"expm1 gradient": slope(func(_ call, x autograd.Value) autograd.Value { return x.Exp() }),
	"asin gradient":  slope(func(_ call, x autograd.Value) autograd.Value { return unitSlope(x) }),
	"acos gradient":  slope(func(_ call, x autograd.Value) autograd.Value { return unitSlope(x).Neg() }),
	"atan gradient":  slope(func(_ call, x autograd.Value) autograd.Value { return x.Square().AddScalar(1).Reciprocal() }),
	"asinh gradient": slope(func(_ call, x autograd.Value) autograd.Value { return x.Square().AddScalar(1).Rsqrt() }),
	"acosh gradient": slope(func(_ call, x autograd.Value) autograd.Value { return x.AddScalar(-1).Mul(x.AddScalar(1)).Rsqrt() }),
	"atanh gradient": slope(func(_ call, x autograd.Value) autograd.Value { return minus(1, x).Mul(x.AddScalar(1)).Reciprocal() }),
	"tanh gradient":  slope(func(_ call, x autograd.Value) autograd.Value { return tanhSlope(x) }),
	"erf gradient":   slope(func(_ call, x autograd.Value) autograd.Value { return erfSlope(x) }),
	"erfc gradient":  slope(func(_ call, x autograd.Value) autograd.Value { return erfSlope(x).Neg() }),
	"erfinv gradient": slope(func(_ call, x autograd.Value) autograd.Value {
		return x.ErfInv().Square().Exp().MulScalar(math.Sqrt(math.Pi) / 2)
	}),
	"logit gradient":     slope(func(_ call, x autograd.Value) autograd.Value { return x.Mul(minus(1, x)).Reciprocal() }),
	"sinc gradient":      slope(sincSlope),
	"lgamma gradient":    slope(func(_ call, x autograd.Value) autograd.Value { return x.Digamma() }),
	"digamma gradient":   slope(func(_ call, x autograd.Value) autograd.Value { return x.Polygamma(1) }),
	"polygamma gradient": slope(func(c call, x autograd.Value) autograd.Value { return x.Polygamma(int(c.constant(0)) + 1) }),

	"elu gradient":  slope(func(c call, x autograd.Value) autograd.Value { return eluSlope(x, c.constant(0), 1) }),
	"celu gradient": slope(func(c call, x autograd.Value) autograd.Value { return eluSlope(x, 1, c.constant(0)) }),
	"selu gradient": slope(func(_ call, x autograd.Value) autograd.Value {
		return autograd.Where(x.GreaterScalar(0), x.Graph().Scalar(seluScale), eluSlope(x, seluAlpha*seluScale, 1))
	}),
	"gelu gradient": slope(func(_ call, x autograd.Value) autograd.Value {
		density := x.Square().MulScalar(-0.5).Exp().MulScalar(1 / math.Sqrt(2*math.Pi))
		return x.MulScalar(-1 / math.Sqrt2).Erfc().MulScalar(0.5).Add(x.Mul(density))
	}),
	"gelu tanh gradient": slope(func(_ call, x autograd.Value) autograd.Value {
		w := tanhArgument(x).MulScalar(2)
		by := x.Square().MulScalar(3 * 0.044715).AddScalar(1).MulScalar(2 * math.Sqrt(2/math.Pi))
		return w.Sigmoid().Add(x.Mul(sigmoidSlope(w)).Mul(by))
	}),
	"silu gradient": slope(func(_ call, x autograd.Value) autograd.Value { return x.Sigmoid().Add(x.Mul(sigmoidSlope(x))) }),
	"mish gradient": slope(func(_ call, x autograd.Value) autograd.Value {
		s := softplusOf(x)
		return s.Tanh().Add(x.Mul(tanhSlope(s)).Mul(x.Sigmoid()))
	}),
	"softplus gradient":    slope(func(c call, x autograd.Value) autograd.Value { return x.MulScalar(c.constant(0)).Sigmoid() }),
	"sigmoid gradient":     slope(func(_ call, x autograd.Value) autograd.Value { return sigmoidSlope(x) }),
	"log sigmoid gradient": slope(func(_ call, x autograd.Value) autograd.Value { return x.Neg().Sigmoid() }),

	"softmax gradient": func(c call) autograd.Value {
		gy, y, axis := c.in[0], c.in[1], c.Options().(autograd.AxisOptions).Axis
		return y.Mul(gy.Sub(gy.Mul(y).KeepDims().Sum(axis)))
	},
	"log softmax gradient": func(c call) autograd.Value {
		gy, y, axis := c.in[0], c.in[1], c.Options().(autograd.AxisOptions).Axis
		return gy.Sub(gy.KeepDims().Sum(axis).Mul(y.Exp()))
	},
}

// slope multiplies the incoming gradient by a derivative.
func slope(f func(c call, x autograd.Value) autograd.Value) outline {
	return func(c call) autograd.Value { return c.in[0].Mul(f(c, c.in[1])) }
}

func unitSlope(x autograd.Value) autograd.Value { return minus(1, x).Mul(x.AddScalar(1)).Rsqrt() }

func sigmoidSlope(x autograd.Value) autograd.Value { return x.Sigmoid().Mul(x.Neg().Sigmoid()) }

// tanhSlope is 1/cosh² x, from the sigmoid, which keeps its digits far out.
func tanhSlope(x autograd.Value) autograd.Value {
	return sigmoidSlope(x.MulScalar(2)).MulScalar(4)
}

func erfSlope(x autograd.Value) autograd.Value {
	return x.Square().Neg().Exp().MulScalar(2 / math.Sqrt(math.Pi))
}

func eluSlope(x autograd.Value, alpha, width float64) autograd.Value {
	low := x.Clamp(math.Inf(-1), 0).MulScalar(1 / width).Exp().MulScalar(alpha)
	return autograd.Where(x.GreaterScalar(0), x.Graph().Scalar(1), low)
}

// sincSlope is the first derivative of the sinc, by its series near 0. Those of
// higher orders are refused.
func sincSlope(c call, x autograd.Value) autograd.Value {
	if order := c.constant(0); order > 0 {
		panic(refusal("a derivative of the sinc of a higher order than the first"))
	}
	z := x.MulScalar(math.Pi)
	near := z.Abs().LessScalar(1)
	far := autograd.Where(near, x.Graph().Scalar(1), z)
	w := autograd.Where(near, z, x.Graph().Scalar(0)).Square()
	var series []float64
	factorial := 1.
	for k := 1; k < 12; k++ {
		factorial *= float64(2*k) * float64(2*k+1)
		term := float64(2*k) / factorial
		if k%2 == 1 {
			term = -term
		}
		series = append(series, term)
	}
	y := autograd.Where(near, polynomial(w, series...).Mul(z), far.Cos().Sub(far.Sin().Div(far)).Div(far))
	return y.MulScalar(math.Pi)
}

// powGradient is gy·z·y^(z−1), and 0 for z = 0.
func powGradient(gy, y, z autograd.Value) autograd.Value {
	none := z.EqualScalar(0)
	by := z.Mul(y.Pow(z.AddScalar(-1)))
	return gy.Mul(autograd.Where(none, y.Graph().Scalar(0), by))
}
