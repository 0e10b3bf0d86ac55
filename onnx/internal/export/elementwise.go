package export

import (
	"math"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// elementwiseWriters are those of functions of single numbers. onnxruntime has
// no kernels for doubles of some operators: those functions are written out in
// float64, see elementwiseOutlines.
var elementwiseWriters = map[string]writer{
	"add": plain("Add"), "sub": plain("Sub"), "mul": plain("Mul"), "div": plain("Div"), "pow": plain("Pow"),
	"neg": plain("Neg"), "sqrt": plain("Sqrt"), "reciprocal": plain("Reciprocal"), "abs": plain("Abs"), "sign": plain("Sign"),
	"floor": plain("Floor"), "ceil": plain("Ceil"), "round": plain("Round"), "exp": plain("Exp"), "log": plain("Log"),
	"sin": plain("Sin"), "cos": plain("Cos"), "tanh": plain("Tanh"), "sigmoid": plain("Sigmoid"), "relu": plain("Relu"),
	"maximum": plain("Max"), "minimum": plain("Min"), "detach": plain("Identity"),

	"tan": float("Tan"), "asin": float("Asin"), "acos": float("Acos"), "atan": float("Atan"), "sinh": float("Sinh"), "cosh": float("Cosh"),
	"asinh": float("Asinh"), "acosh": float("Acosh"), "atanh": float("Atanh"), "erf": float("Erf"), "softsign": float("Softsign"),
	"gelu": float("Gelu"), "prelu": float("PRelu"), "hard swish": float("HardSwish"), "mish": float("Mish"),

	"leaky relu":   float("LeakyRelu", "alpha"),
	"elu":          float("Elu", "alpha"),
	"celu":         float("Celu", "alpha"),
	"selu":         selu,
	"gelu tanh":    geluTanh,
	"hard sigmoid": hardSigmoid,
	"softplus":     softplus,
	"relu6":        func(s *site) string { return s.clipped(0, 6) },
	"hard tanh":    func(s *site) string { return s.clipped(-1, 1) },
	"clamp":        func(s *site) string { return s.clipped(constantOf(s.Node, 0), constantOf(s.Node, 1)) },
	"mul scalar":   withScalar("Mul"),
	"add scalar":   withScalar("Add"),
	"pow scalar":   withScalar("Pow"),
	"square":       square,
	"trunc":        trunc,
	"fmod":         fmod,
	"kink":         func(s *site) string { s.in = s.in[:1]; s.keeps(); return s.in[0].name },
	"where":        where,
}

// plain is an operator of the same inputs.
func plain(op string) writer {
	return func(s *site) string {
		s.align()
		return s.op(op, s.names())
	}
}

// names returns the names of the inputs.
func (s *site) names() []string {
	names := make([]string, len(s.in))
	for i, r := range s.in {
		names[i] = r.name
	}
	return names
}

// float is an operator that onnxruntime has for float32 only, with an attribute
// for each constant.
func float(op string, attributes ...string) writer {
	return func(s *site) string {
		if !s.single {
			return ""
		}
		s.align()
		var all []*message.Attribute
		for i, name := range attributes {
			all = append(all, floatAttribute(name, constantOf(s.Node, i)))
		}
		return s.op(op, s.names(), all...)
	}
}

func selu(s *site) string {
	if !s.single {
		return ""
	}
	s.align()
	return s.op("Selu", s.names())
}

func geluTanh(s *site) string {
	if !s.single {
		return ""
	}
	s.align()
	return s.op("Gelu", s.names(), stringAttribute("approximate", "tanh"))
}

func hardSigmoid(s *site) string {
	if !s.single {
		return ""
	}
	s.align()
	return s.op("HardSigmoid", s.names(), floatAttribute("alpha", 1./6), floatAttribute("beta", 0.5))
}

func softplus(s *site) string {
	beta := constantOf(s.Node, 0)
	if !s.single || beta != 1 {
		return ""
	}
	s.align()
	return s.op("Softplus", s.names())
}

func (s *site) clipped(lo, hi float64) string {
	s.align()
	bounds := []string{s.in[0].name, "", ""}
	if !math.IsInf(lo, -1) {
		bounds[1] = s.scalar(lo)
	}
	if !math.IsInf(hi, 1) {
		bounds[2] = s.scalar(hi)
	}
	return s.op("Clip", bounds)
}

func withScalar(op string) writer {
	return func(s *site) string {
		s.align()
		return s.op(op, []string{s.in[0].name, s.scalar(constantOf(s.Node, 0))})
	}
}

func square(s *site) string {
	s.align()
	return s.op("Mul", []string{s.in[0].name, s.in[0].name})
}

// trunc is the floor of the absolute value with the sign.
func trunc(s *site) string {
	s.align()
	x := s.in[0].name
	return s.op("Mul", []string{s.op("Sign", []string{x}), s.op("Floor", []string{s.op("Abs", []string{x})})})
}

func fmod(s *site) string {
	s.align()
	return s.op("Mod", s.names(), intAttribute("fmod", 1))
}

// where takes a mask for true where it is not 0.
func where(s *site) string {
	s.align()
	mask := s.isTrue(s.in[0])
	return s.op("Where", []string{mask, s.in[1].name, s.in[2].name})
}

// comparisonWriters make masks, which are numbers in Nabla and booleans in
// ONNX.
var comparisonWriters = map[string]writer{
	"equal": comparison("Equal"), "not equal": opposite("Equal"), "less": comparison("Less"), "less equal": comparison("LessOrEqual"),
	"greater": comparison("Greater"), "greater equal": comparison("GreaterOrEqual"),
	"equal scalar": comparison("Equal"), "not equal scalar": opposite("Equal"), "less scalar": comparison("Less"),
	"less equal scalar": comparison("LessOrEqual"), "greater scalar": comparison("Greater"), "greater equal scalar": comparison("GreaterOrEqual"),
}

func comparison(op string) writer { return func(s *site) string { return s.mask(s.compared(op)) } }

func opposite(op string) writer {
	return func(s *site) string { return s.mask(s.op("Not", []string{s.compared(op)})) }
}

// compared compares with the second input, or with the constant.
func (s *site) compared(op string) string {
	s.align()
	names := s.names()
	if len(names) == 1 {
		names = append(names, s.scalar(constantOf(s.Node, 0)))
	}
	return s.op(op, names)
}

// mask returns booleans as numbers, and remembers them.
func (s *site) mask(truth string) string {
	s.truth = truth
	return s.cast(truth, s.elem())
}

// elementwiseOutlines are functions without an operator, or without one for
// doubles.
var elementwiseOutlines = map[string]outline{
	"rsqrt": func(c call) autograd.Value { return c.in[0].Sqrt().Reciprocal() },
	"cbrt":  func(c call) autograd.Value { return c.in[0].Sign().Mul(c.in[0].Abs().PowScalar(1. / 3)) },
	"log2":  func(c call) autograd.Value { return c.in[0].Log().MulScalar(math.Log2E) },
	"log10": func(c call) autograd.Value { return c.in[0].Log().MulScalar(math.Log10E) },
	"expm1": func(c call) autograd.Value { return expm1(c.in[0]) },
	"log1p": func(c call) autograd.Value { return log1p(c.in[0]) },
	"tan":   func(c call) autograd.Value { return c.in[0].Sin().Div(c.in[0].Cos()) },
	"atan":  func(c call) autograd.Value { return atan(c.in[0]) },
	"asin":  func(c call) autograd.Value { return asin(c.in[0]) },
	"acos": func(c call) autograd.Value {
		return atan(minus(1, c.in[0]).Div(c.in[0].AddScalar(1)).Sqrt()).MulScalar(2)
	},
	"atan2":     func(c call) autograd.Value { return atan2(c.in[0], c.in[1]) },
	"sinh":      func(c call) autograd.Value { return sinh(c.in[0]) },
	"cosh":      func(c call) autograd.Value { return cosh(c.in[0]) },
	"asinh":     func(c call) autograd.Value { return asinh(c.in[0]) },
	"acosh":     func(c call) autograd.Value { return acosh(c.in[0]) },
	"atanh":     func(c call) autograd.Value { return atanh(c.in[0]) },
	"hypot":     func(c call) autograd.Value { return hypot(c.in[0], c.in[1]) },
	"logaddexp": func(c call) autograd.Value { return logAddExp(c.in[0], c.in[1]) },
	"remainder": func(c call) autograd.Value {
		r := c.in[0].Fmod(c.in[1])
		other := r.NotEqualScalar(0).Mul(r.Mul(c.in[1]).LessScalar(0))
		return autograd.Where(other, r.Add(c.in[1]), r)
	},
	"lerp":  func(c call) autograd.Value { return c.in[1].Sub(c.in[0]).Mul(c.in[2]).Add(c.in[0]) },
	"logit": func(c call) autograd.Value { return c.in[0].Div(minus(1, c.in[0])).Log() },
	"sinc":  func(c call) autograd.Value { return sinc(c.in[0]) },

	"erf":       func(c call) autograd.Value { return erf(c.in[0]) },
	"erfc":      func(c call) autograd.Value { return erfc(c.in[0]) },
	"erfinv":    func(c call) autograd.Value { return erfInv(c.in[0]) },
	"lgamma":    func(c call) autograd.Value { return lgamma(c.in[0]) },
	"digamma":   func(c call) autograd.Value { return digamma(c.in[0]) },
	"polygamma": func(c call) autograd.Value { return polygamma(c.in[0], int(c.constant(0))) },

	"leaky relu": func(c call) autograd.Value { return c.in[0].ReLU().Sub(c.in[0].Neg().ReLU().MulScalar(c.constant(0))) },
	"prelu": func(c call) autograd.Value {
		return autograd.Where(c.in[0].GreaterScalar(0), c.in[0], c.in[0].Mul(c.in[1]))
	},
	"elu":  func(c call) autograd.Value { return elu(c.in[0], c.constant(0), 1) },
	"celu": func(c call) autograd.Value { return elu(c.in[0], c.constant(0), c.constant(0)) },
	"selu": func(c call) autograd.Value { return elu(c.in[0], seluAlpha, 1).MulScalar(seluScale) },
	"gelu": func(c call) autograd.Value {
		return c.in[0].Mul(erfc(c.in[0].MulScalar(-1 / math.Sqrt2))).MulScalar(0.5)
	},
	"gelu tanh":    func(c call) autograd.Value { return c.in[0].Mul(tanhArgument(c.in[0]).MulScalar(2).Sigmoid()) },
	"silu":         func(c call) autograd.Value { return c.in[0].Mul(c.in[0].Sigmoid()) },
	"mish":         func(c call) autograd.Value { return c.in[0].Mul(softplusOf(c.in[0]).Tanh()) },
	"softplus":     func(c call) autograd.Value { return scaledSoftplus(c.in[0], c.constant(0)) },
	"softsign":     func(c call) autograd.Value { return c.in[0].Div(c.in[0].Abs().AddScalar(1)) },
	"log sigmoid":  func(c call) autograd.Value { return softplusOf(c.in[0].Neg()).Neg() },
	"hard sigmoid": func(c call) autograd.Value { return c.in[0].MulScalar(1./6).AddScalar(0.5).Clamp(0, 1) },
	"hard swish": func(c call) autograd.Value {
		return c.in[0].Mul(c.in[0].AddScalar(3).Clamp(0, 6)).MulScalar(1. / 6)
	},
	"hard shrink": func(c call) autograd.Value {
		return autograd.Where(c.in[0].Abs().LessEqualScalar(c.constant(0)), c.g.Scalar(0), c.in[0])
	},
	"binary cross entropy": func(c call) autograd.Value {
		p, y := c.in[0], c.in[1]
		hit, miss := boundedLog(p), log1p(p.Neg()).Clamp(-100, math.Inf(1))
		return y.Mul(hit).Add(minus(1, y).Mul(miss)).Neg()
	},
	"binary cross entropy logits": func(c call) autograd.Value {
		x, y := c.in[0], c.in[1]
		return x.ReLU().Sub(x.Mul(y)).Add(log1p(x.Abs().Neg().Exp()))
	},
	"cross entropy": func(c call) autograd.Value { return c.in[1].Mul(boundedLog(c.in[0])).Neg() },
}

// minus returns v − x.
func minus(v float64, x autograd.Value) autograd.Value { return x.Neg().AddScalar(v) }

func boundedLog(p autograd.Value) autograd.Value { return p.Log().Clamp(-100, math.Inf(1)) }

const (
	seluAlpha = 1.6732632423543772848170429916717
	seluScale = 1.0507009873554804934193349852946
)

// elu is x for x > 0, else alpha·(e^(x/width) − 1).
func elu(x autograd.Value, alpha, width float64) autograd.Value {
	low := expm1(x.Clamp(math.Inf(-1), 0).MulScalar(1 / width)).MulScalar(alpha)
	return autograd.Where(x.GreaterScalar(0), x, low)
}

// softplusOf is ln(1 + e^x) without overflow.
func softplusOf(x autograd.Value) autograd.Value { return scaledSoftplus(x, 1) }

// scaledSoftplus is ln(1 + e^(βx))/β.
func scaledSoftplus(x autograd.Value, beta float64) autograd.Value {
	rest := log1p(x.MulScalar(beta).Abs().Neg().Exp()).MulScalar(1 / beta)
	if beta < 0 {
		return x.Neg().ReLU().Neg().Add(rest)
	}
	return x.ReLU().Add(rest)
}

// tanhArgument is what the hyperbolic tangent in the approximate GELU is of.
func tanhArgument(x autograd.Value) autograd.Value {
	return x.Mul(x.Square().MulScalar(0.044715).AddScalar(1)).MulScalar(math.Sqrt(2 / math.Pi))
}
