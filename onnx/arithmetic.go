package onnx

import (
	"slices"

	"math"

	"nabla/onnx/internal/message"
)

// arithmetic are functions of numbers that broadcast.
func arithmetic() map[string]operator {
	return map[string]operator{
		"Abs":        unaryOf(since(1, 6, 13), value.Abs, func(x int64) int64 { return max(x, -x) }),
		"Add":        dyadic(since(1, 6, 7, 13, 14), value.Add, value.AddScalar, func(x, y int64) int64 { return x + y }),
		"BitShift":   {since(11, 28), 2, 2, 1, buildBitShift},
		"BitwiseAnd": bitwise(func(x, y int64) int64 { return x & y }),
		"BitwiseNot": unaryOf(since(18), nil, func(x int64) int64 { return ^x }),
		"BitwiseOr":  bitwise(func(x, y int64) int64 { return x | y }),
		"BitwiseXor": bitwise(func(x, y int64) int64 { return x ^ y }),
		"Div":        {since(1, 6, 7, 13, 14), 2, 2, 1, buildDiv},
		"Max":        {since(1, 6, 8, 12, 13), 1, -1, 1, variadic(value.Maximum, greaterInt)},
		"Mean":       {since(1, 6, 8, 13), 1, -1, 1, buildMean},
		"Min":        {since(1, 6, 8, 12, 13), 1, -1, 1, variadic(value.Minimum, lessInt)},
		"Mod":        {since(10, 13, 28), 2, 2, 1, buildMod},
		"Mul":        dyadic(since(1, 6, 7, 13, 14), value.Mul, value.MulScalar, func(x, y int64) int64 { return x * y }),
		"Neg":        unaryOf(since(1, 6, 13), value.Neg, func(x int64) int64 { return -x }),
		"Pow":        {since(1, 7, 12, 13, 15), 2, 2, 1, buildPow},
		"Sign":       unaryOf(since(9, 13), value.Sign, func(x int64) int64 { return truth(x > 0) - truth(x < 0) }),
		"Sub":        dyadic(since(1, 6, 7, 13, 14), value.Sub, func(x value, c float64) value { return x.AddScalar(-c) }, func(x, y int64) int64 { return x - y }),
		"Sum":        {since(1, 6, 8, 13), 1, -1, 1, variadic(value.Add, nil)},
	}
}

// dyadic is a function of two operands; scalar is the one for a second operand
// that is one constant.
func dyadic(versions []int64, f func(x, y value) value, scalar func(x value, c float64) value, ofInts func(x, y int64) int64) operator {
	return operator{versions, 2, 2, 1, func(n *node) func(*call) {
		align := n.alignment()
		return func(c *call) {
			align(c)
			c.sameTypes(0, 1)
			if isFloat(c.args[0].elem) {
				c.setLike(0, c.binaryValues(f, scalar))
			} else {
				c.set(0, c.binaryInts(c.args[0].elem, ofInts))
			}
		}
	}}
}

// alignment returns how operands are aligned: at the last axis or, before opset
// 7, at the attribute axis and only if the attribute broadcast says so.
func (n *node) alignment() func(c *call) {
	n.ignore("consumed_inputs")
	if n.opset >= 7 {
		return func(*call) {}
	}
	hasAxis := n.hasAttribute("axis")
	axis, may := n.int("axis", 0), n.bool("broadcast", false)
	return func(c *call) {
		x, y := c.tensor(0).shape(), c.tensor(1).shape()
		if !may && !slices.Equal(x, y) {
			c.failShapes("the shapes differ, and the attribute broadcast is not 1", x, y)
		}
		if !hasAxis {
			return
		}
		behind := len(x) - c.axis(axis, len(x)) - len(y)
		if behind < 0 {
			c.failShapes("the second operand does not fit behind the axis", x, y)
		}
		c.args[1] = c.reshape(c.args[1], append(append([]int(nil), y...), ones(behind)...))
	}
}

// sameTypes panics unless two inputs have the same type of elements.
func (c *call) sameTypes(i, j int) {
	x, y := c.tensor(i), c.tensor(j)
	if x.elem != y.elem {
		c.fail("the inputs have different types: %s and %s", x.describe(), y.describe())
	}
}

// broadcasts returns the shape that inputs broadcast to.
func (c *call) broadcasts(inputs ...int) []int {
	shapes := make([][]int, len(inputs))
	for k, i := range inputs {
		shapes[k] = c.tensor(i).shape()
	}
	to, ok := broadcast(shapes...)
	if !ok {
		c.failShapes("the shapes do not broadcast", shapes...)
	}
	c.room(to)
	return to
}

// binaryValues computes a function of inputs 0 and 1.
func (c *call) binaryValues(f func(x, y value) value, scalar func(x value, c float64) value) value {
	c.broadcasts(0, 1)
	if y := c.args[1]; scalar != nil && y.host != nil && len(y.host.floats) == 1 && y.rank() <= c.args[0].rank() {
		return scalar(c.value(0), y.host.floats[0])
	}
	return f(c.value(0), c.value(1))
}

// binaryInts computes a function of integers.
func (c *call) binaryInts(elem message.Elem, f func(x, y int64) int64) datum {
	to := c.broadcasts(0, 1)
	x, y := c.ints(0), c.ints(1)
	xs, ys := spread(c.args[0].shape(), to), spread(c.args[1].shape(), to)
	values := make([]int64, product(to))
	for i := range values {
		values[i] = wrap(elem, f(x[xs.at(i)], y[ys.at(i)]))
	}
	return ofInts(elem, values, to...)
}

func bitwise(f func(x, y int64) int64) operator {
	return operator{since(18), 2, 2, 1, func(*node) func(*call) {
		return func(c *call) {
			c.sameTypes(0, 1)
			c.set(0, c.binaryInts(c.args[0].elem, f))
		}
	}}
}

func buildBitShift(n *node) func(*call) {
	left := n.oneOf("direction", "LEFT", "LEFT", "RIGHT") == "LEFT"
	if !n.hasAttribute("direction") {
		n.wrong("BitShift has no direction")
	}
	return func(c *call) {
		c.sameTypes(0, 1)
		elem := c.args[0].elem
		c.set(0, c.binaryInts(elem, func(x, y int64) int64 {
			switch {
			case left:
				return x << uint64(y)
			case isUnsigned(elem):
				return int64(uint64(x) >> uint64(y))
			}
			return x >> uint64(y)
		}))
	}
}

func buildDiv(n *node) func(*call) {
	align := n.alignment()
	return func(c *call) {
		align(c)
		c.sameTypes(0, 1)
		elem := c.args[0].elem
		if isFloat(elem) {
			c.setLike(0, c.binaryValues(value.Div, nil))
			return
		}
		c.set(0, c.binaryInts(elem, func(x, y int64) int64 {
			switch {
			case y == 0:
				c.fail("an integer is divided by 0")
			case elem == message.Uint64:
				return int64(uint64(x) / uint64(y))
			}
			return x / y
		}))
	}
}

func buildMod(n *node) func(*call) {
	truncated := n.bool("fmod", false)
	return func(c *call) {
		c.sameTypes(0, 1)
		elem := c.args[0].elem
		switch {
		case isFloat(elem) && truncated:
			c.setLike(0, c.binaryValues(value.Fmod, nil))
		case isFloat(elem) && n.version < 28:
			c.fail("floating-point numbers need fmod=1")
		case isFloat(elem):
			c.setLike(0, c.binaryValues(value.Remainder, nil))
		default:
			c.set(0, c.binaryInts(elem, func(x, y int64) int64 { return c.modulo(elem, x, y, truncated) }))
		}
	}
}

func (c *call) modulo(elem message.Elem, x, y int64, truncated bool) int64 {
	switch {
	case y == 0:
		c.fail("an integer is divided by 0")
	case elem == message.Uint64:
		return int64(uint64(x) % uint64(y))
	}
	r := x % y
	if !truncated && r != 0 && (r < 0) != (y < 0) {
		r += y
	}
	return r
}

// buildPow raises to powers; the exponent may have another type.
func buildPow(n *node) func(*call) {
	align := n.alignment()
	return func(c *call) {
		align(c)
		x, y := c.tensor(0), c.tensor(1)
		if isFloat(x.elem) {
			if !isFloat(y.elem) {
				c.args[1] = ofFloats(x.elem, c.floats(1), y.shape()...)
			}
			c.setLike(0, c.binaryValues(value.Pow, value.PowScalar))
			return
		}
		exponents := c.floats(1)
		to := c.broadcasts(0, 1)
		xs, ys := spread(x.shape(), to), spread(y.shape(), to)
		values := make([]int64, product(to))
		for i, base := 0, c.ints(0); i < len(values); i++ {
			values[i] = power(x.elem, base[xs.at(i)], exponents[ys.at(i)])
		}
		c.set(0, ofInts(x.elem, values, to...))
	}
}

// power returns an integer to a power, exactly if the exponent is a whole
// number that is not negative.
func power(elem message.Elem, x int64, p float64) int64 {
	if p < 0 || p != math.Trunc(p) || p > math.MaxInt32 {
		return toInteger(elem, math.Pow(asFloat(elem, x), p))
	}
	y := int64(1)
	for e := int64(p); e > 0; e >>= 1 {
		if e&1 == 1 {
			y *= x
		}
		x *= x
	}
	return wrap(elem, y)
}

// lessInts returns how integers of a type are compared.
func lessInts(elem message.Elem) func(x, y int64) bool {
	if elem == message.Uint64 {
		return func(x, y int64) bool { return uint64(x) < uint64(y) }
	}
	return func(x, y int64) bool { return x < y }
}

func greaterInt(elem message.Elem) func(x, y int64) int64 {
	less := lessInts(elem)
	return func(x, y int64) int64 {
		if less(x, y) {
			return y
		}
		return x
	}
}

func lessInt(elem message.Elem) func(x, y int64) int64 {
	less := lessInts(elem)
	return func(x, y int64) int64 {
		if less(y, x) {
			return y
		}
		return x
	}
}

// variadic is a function of two operands that is applied to many.
func variadic(f func(x, y value) value, ints func(message.Elem) func(x, y int64) int64) func(n *node) func(*call) {
	return func(n *node) func(*call) {
		n.ignore("consumed_inputs")
		return func(c *call) {
			c.sameTypesAll()
			elem := c.args[0].elem
			if isFloat(elem) {
				c.setLike(0, c.fold(f))
				return
			}
			if ints == nil {
				c.fail("it has no meaning for integers")
			}
			acc := c.args[0]
			for _, next := range c.args[1:] {
				pair := &call{node: c.node, frame: c.frame, args: []datum{acc, next}}
				acc = pair.binaryInts(elem, ints(elem))
			}
			c.set(0, acc)
		}
	}
}

func (c *call) sameTypesAll() {
	for i := range c.args {
		c.sameTypes(0, i)
	}
}

// fold applies f to all inputs in turn.
func (c *call) fold(f func(x, y value) value) value {
	all := make([]int, len(c.args))
	for i := range all {
		all[i] = i
	}
	c.broadcasts(all...)
	y := c.value(0)
	for i := range c.args[1:] {
		y = f(y, c.value(i+1))
	}
	if len(c.args) == 1 {
		return y.Linear()
	}
	return y
}

func buildMean(n *node) func(*call) {
	n.ignore("consumed_inputs")
	return func(c *call) {
		c.sameTypesAll()
		c.setLike(0, c.fold(value.Add).MulScalar(1/float64(len(c.args))))
	}
}

// toInteger returns a floating-point number as an integer: without its
// fraction, and the nearest one if it is out of range; 0 for NaN.
func toInteger(elem message.Elem, x float64) int64 {
	switch {
	case math.IsNaN(x):
		return 0
	case elem == message.Uint64 && x >= 1<<63:
		if x >= 1<<64 {
			return -1
		}
		return int64(uint64(x))
	case x >= 1<<63:
		return math.MaxInt64
	case x < -1<<63:
		return math.MinInt64
	}
	return wrap(elem, int64(x))
}
