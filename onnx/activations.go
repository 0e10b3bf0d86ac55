package onnx

import (
	"slices"

	"math"

	"nabla/autograd"
)

type value = autograd.Value

// activations are functions of single numbers.
func activations() map[string]operator {
	return map[string]operator{
		"Acos":            unary(since(7, 22), value.Acos),
		"Acosh":           unary(since(9, 22), value.Acosh),
		"Asin":            unary(since(7, 22), value.Asin),
		"Asinh":           unary(since(9, 22), value.Asinh),
		"Atan":            unary(since(7, 22), value.Atan),
		"Atanh":           unary(since(9, 22), value.Atanh),
		"Ceil":            unary(since(1, 6, 13), value.Ceil),
		"Celu":            with(since(12, 28), buildCelu),
		"Clip":            {since(1, 6, 11, 12, 13), 1, 3, 1, buildClip},
		"Cos":             unary(since(7, 22), value.Cos),
		"Cosh":            unary(since(9, 22), value.Cosh),
		"Dropout":         {since(1, 6, 7, 10, 12, 13, 22), 1, 3, 2, buildDropout},
		"Elu":             with(since(1, 6, 22), buildElu),
		"Erf":             unary(since(9, 13), value.Erf),
		"Exp":             unary(since(1, 6, 13), value.Exp),
		"Floor":           unary(since(1, 6, 13), value.Floor),
		"Gelu":            with(since(20), buildGelu),
		"HardSigmoid":     with(since(1, 6, 22), buildHardSigmoid),
		"HardSwish":       unary(since(14, 22), value.HardSwish),
		"Hardmax":         with(since(1, 11, 13), alongAxis(hardmax)),
		"LeakyRelu":       with(since(1, 6, 16), buildLeakyRelu),
		"Log":             unary(since(1, 6, 13), value.Log),
		"LogSoftmax":      with(since(1, 11, 13), alongAxis(value.LogSoftmax)),
		"Mish":            unary(since(18, 22), value.Mish),
		"PRelu":           {since(1, 6, 7, 9, 16), 2, 2, 1, buildPRelu},
		"Reciprocal":      unary(since(1, 6, 13), value.Reciprocal),
		"Relu":            unaryOf(since(1, 6, 13, 14), value.ReLU, func(x int64) int64 { return max(x, 0) }),
		"Round":           unary(since(11, 22), value.Round),
		"Selu":            with(since(1, 6, 22), buildSelu),
		"Shrink":          with(since(9), buildShrink),
		"Sigmoid":         unary(since(1, 6, 13), value.Sigmoid),
		"Sin":             unary(since(7, 22), value.Sin),
		"Sinh":            unary(since(9, 22), value.Sinh),
		"Softmax":         with(since(1, 11, 13), alongAxis(value.Softmax)),
		"Softplus":        unary(since(1, 22), func(x value) value { return x.Softplus(1) }),
		"Softsign":        unary(since(1, 22), value.Softsign),
		"Sqrt":            unary(since(1, 6, 13), value.Sqrt),
		"SwiGLU":          {since(28), 2, 2, 1, buildSwiGLU},
		"Swish":           with(since(24), buildSwish),
		"Tan":             unary(since(7, 22), value.Tan),
		"Tanh":            unary(since(1, 6, 13), value.Tanh),
		"ThresholdedRelu": with(since(10, 22), buildThresholdedRelu),
	}
}

// unary is an operator that is a function of floating-point numbers.
func unary(versions []int64, f func(value) value) operator {
	return with(versions, func(n *node) func(value) value {
		n.ignore("consumed_inputs")
		return f
	})
}

// with is a unary operator with attributes.
func with(versions []int64, build func(n *node) func(value) value) operator {
	return operator{versions, 1, 1, 1, func(n *node) func(*call) {
		n.ignore("consumed_inputs")
		f := build(n)
		return func(c *call) { c.setLike(0, f(c.value(0))) }
	}}
}

// unaryOf is one of integers too.
func unaryOf(versions []int64, f func(value) value, of func(int64) int64) operator {
	return operator{versions, 1, 1, 1, func(n *node) func(*call) {
		n.ignore("consumed_inputs")
		return func(c *call) {
			x := c.tensor(0)
			if isFloat(x.elem) && f != nil {
				c.setLike(0, f(c.value(0)))
				return
			}
			from := c.ints(0)
			to := make([]int64, len(from))
			for i, v := range from {
				to[i] = wrap(x.elem, of(v))
			}
			c.set(0, ofInts(x.elem, to, x.shape()...))
		}
	}}
}

func buildCelu(n *node) func(value) value {
	alpha := n.float("alpha", 1)
	return func(x value) value { return x.CELU(alpha) }
}

func buildElu(n *node) func(value) value {
	alpha := n.float("alpha", 1)
	return func(x value) value { return x.ELU(alpha) }
}

func buildGelu(n *node) func(value) value {
	if n.oneOf("approximate", "none", "none", "tanh") == "tanh" {
		return value.GELUTanh
	}
	return value.GELU
}

func buildHardSigmoid(n *node) func(value) value {
	alpha, beta := n.float("alpha", float64(float32(0.2))), n.float("beta", 0.5)
	return func(x value) value { return hardSigmoid(x, alpha, beta) }
}

// hardSigmoid is max(0, min(1, αx + β)); PyTorch's has α = 1/6.
func hardSigmoid(x value, alpha, beta float64) value {
	if math.Abs(alpha-1.0/6) < 1e-7 && beta == 0.5 {
		return x.HardSigmoid()
	}
	return x.MulScalar(alpha).AddScalar(beta).Clamp(0, 1)
}

func buildLeakyRelu(n *node) func(value) value {
	alpha := n.float("alpha", float64(float32(0.01)))
	return func(x value) value { return x.LeakyReLU(alpha) }
}

// The defaults of Selu, which are those of Value.SELU in float32.
const (
	seluAlpha = 1.67326319217681884765625
	seluGamma = 1.05070102214813232421875
)

func buildSelu(n *node) func(value) value {
	// Opset 1 rounded its defaults to 1.6732 and 1.0507.
	alpha, gamma := seluAlpha, seluGamma
	if n.version == 1 {
		alpha, gamma = float64(float32(1.6732)), float64(float32(1.0507))
	}
	alpha, gamma = n.float("alpha", alpha), n.float("gamma", gamma)
	if alpha == seluAlpha && gamma == seluGamma {
		return value.SELU
	}
	return func(x value) value { return x.ELU(alpha).MulScalar(gamma) }
}

func buildShrink(n *node) func(value) value {
	lambda, bias := n.float("lambd", 0.5), n.float("bias", 0)
	return func(x value) value {
		if bias == 0 && lambda >= 0 {
			return x.HardShrink(lambda)
		}
		zero := x.Graph().Scalar(0)
		below := autograd.Where(x.LessScalar(-lambda), x.AddScalar(bias), zero)
		return autograd.Where(x.GreaterScalar(lambda), x.AddScalar(-bias), below)
	}
}

func buildSwish(n *node) func(value) value {
	alpha := n.float("alpha", 1)
	return func(x value) value { return swish(x, alpha) }
}

func swish(x value, alpha float64) value {
	if alpha == 1 {
		return x.SiLU()
	}
	return x.Mul(x.MulScalar(alpha).Sigmoid())
}

func buildSwiGLU(n *node) func(*call) {
	alpha := n.float("alpha", 1)
	return func(c *call) {
		a, b := c.value(0), c.value(1)
		if !slices.Equal(a.Shape(), b.Shape()) {
			c.failShapes("the inputs differ in shape", a.Shape(), b.Shape())
		}
		c.setLike(0, swish(a, alpha).Mul(b))
	}
}

func buildThresholdedRelu(n *node) func(value) value {
	alpha := n.float("alpha", 1)
	return func(x value) value {
		return autograd.Where(x.GreaterScalar(alpha), x, x.Graph().Scalar(0))
	}
}

// alongAxis is a function along an axis: the last one or, before opset 13, all
// axes from one on as a row, the second by default.
func alongAxis(f func(x value, axis int) value) func(n *node) func(value) value {
	return func(n *node) func(value) value {
		if n.version >= 13 {
			axis := n.int("axis", -1)
			return func(x value) value {
				if x.Rank() == 0 && (axis == 0 || axis == -1) {
					return f(x.Reshape(1), 0).Reshape()
				}
				return f(x, axis)
			}
		}
		axis := n.int("axis", 1)
		return func(x value) value {
			shape := x.Shape()
			at := axis
			if at < 0 {
				at += len(shape)
			}
			if at < 0 || at > len(shape) {
				panic(autograd.NewIndexError("onnx", "axis", axis, len(shape)))
			}
			rows, row := product(shape[:at]), product(shape[at:])
			return f(x.Reshape(rows, row), 1).Reshape(shape...)
		}
	}
}

// hardmax is 1 at the first of the greatest elements, else 0.
func hardmax(x value, axis int) value {
	if axis < 0 {
		axis += x.Rank()
	}
	return x.Graph().OneHotAlong(axis, x.ArgMax(axis), x.Dim(axis))
}

// buildPRelu broadcasts the slope to x, which stood for the channels before
// opset 7.
func buildPRelu(n *node) func(*call) {
	n.ignore("consumed_inputs")
	return func(c *call) {
		x, slope := c.value(0), c.value(1)
		if n.version < 7 && slope.Rank() == 1 && x.Rank() > 2 {
			slope = slope.Reshape(append([]int{slope.Dim(0)}, ones(x.Rank()-2)...)...)
		}
		if to, ok := broadcast(x.Shape(), slope.Shape()); !ok || !slices.Equal(to, x.Shape()) {
			c.failShapes("the slope does not broadcast to x", x.Shape(), slope.Shape())
		}
		c.setLike(0, x.PReLU(slope))
	}
}

func ones(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = 1
	}
	return s
}

// buildClip limits x. Bounds are numbers, or Values if they are computed.
func buildClip(n *node) func(*call) {
	n.ignore("consumed_inputs")
	if n.version < 11 {
		lo, hi := n.float("min", math.Inf(-1)), n.float("max", math.Inf(1))
		return func(c *call) { c.setLike(0, clamp(c.value(0), lo, hi)) }
	}
	n.reads(usedAsSetting, 1, 2)
	return func(c *call) {
		if !isFloat(c.tensor(0).elem) {
			c.clipInts()
			return
		}
		lo, hi := math.Inf(-1), math.Inf(1)
		x := c.value(0)
		if c.has(1) {
			if lo = c.number(1); c.computed(1) {
				x, lo = x.Maximum(c.value(1).Reshape()), math.Inf(-1)
			}
		}
		if c.has(2) {
			if hi = c.number(2); c.computed(2) {
				x, hi = x.Minimum(c.value(2).Reshape()), math.Inf(1)
			}
		}
		c.setLike(0, clamp(x, lo, hi))
	}
}

// computed reports whether input i came of operations of the graph.
func (c *call) computed(i int) bool {
	return c.args[i].host == nil && c.args[i].value.Node().Kind != autograd.KindConstant
}

// clamp limits x; where the bounds cross, the upper one wins.
func clamp(x value, lo, hi float64) value {
	switch {
	case math.IsNaN(lo) || math.IsNaN(hi):
		panic(autograd.NewArgumentError("onnx", "a bound is NaN"))
	case lo > hi:
		return x.Clamp(hi, hi)
	case math.IsInf(lo, -1) && math.IsInf(hi, 1):
		return x.Linear()
	case lo == 0 && math.IsInf(hi, 1):
		return x.ReLU()
	case lo == 0 && hi == 6:
		return x.ReLU6()
	}
	return x.Clamp(lo, hi)
}

func (c *call) clipInts() {
	x := c.args[0]
	to := append([]int64(nil), c.ints(0)...)
	less := lessInts(x.elem)
	for i, v := range to {
		if c.has(1) {
			if lo := c.oneInt(1); less(v, lo) {
				v = lo
			}
		}
		if c.has(2) {
			if hi := c.oneInt(2); less(hi, v) {
				v = hi
			}
		}
		to[i] = v
	}
	c.set(0, ofInts(x.elem, to, x.shape()...))
}

// oneInt returns the one integer of input i.
func (c *call) oneInt(i int) int64 {
	values := c.ints(i)
	if len(values) != 1 {
		c.fail("input %d is %s instead of one integer", i, c.args[i].describe())
	}
	return values[0]
}

// buildDropout drops in training, at the rate that the file says, whatever it
// says about the mode.
func buildDropout(n *node) func(*call) {
	n.ignore("consumed_inputs", "is_test", "seed")
	rate := 0.5
	if n.version < 12 {
		rate = n.float("ratio", 0.5)
	}
	n.reads(usedAsSetting, 1)
	return func(c *call) {
		x := c.value(0)
		rate := rate
		if c.has(1) {
			rate = c.number(1)
		}
		c.setLike(0, x.Dropout(rate))
		if c.wants(1) {
			kept := c.graph().Full(1, x.Shape()...).Dropout(rate)
			c.setLike(0, x.Mul(kept))
			c.set(1, ofMask(kept.NotEqualScalar(0)))
		}
	}
}
