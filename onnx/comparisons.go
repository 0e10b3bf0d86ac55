package onnx

import (
	"math"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// comparisons give booleans, and choose by them.
func comparisons() map[string]operator {
	return map[string]operator{
		"And":            logical(since(1, 7), value.Mul, func(x, y int64) int64 { return x & y }),
		"Equal":          {since(1, 7, 11, 13, 19), 2, 2, 1, buildEqual},
		"Greater":        comparison(since(1, 7, 9, 13), value.Greater, func(less func(x, y int64) bool, x, y int64) bool { return less(y, x) }),
		"GreaterOrEqual": comparison(since(12, 16), value.GreaterEqual, func(less func(x, y int64) bool, x, y int64) bool { return !less(x, y) }),
		"IsInf":          {since(10, 20), 1, 1, 1, buildIsInf},
		"IsNaN":          {since(9, 13, 20), 1, 1, 1, buildIsNaN},
		"Less":           comparison(since(1, 7, 9, 13), value.Less, func(less func(x, y int64) bool, x, y int64) bool { return less(x, y) }),
		"LessOrEqual":    comparison(since(12, 16), value.LessEqual, func(less func(x, y int64) bool, x, y int64) bool { return !less(y, x) }),
		"Not":            {since(1), 1, 1, 1, buildNot},
		"Or":             logical(since(1, 7), value.Maximum, func(x, y int64) int64 { return x | y }),
		"Where":          {since(9, 16), 3, 3, 1, buildWhere},
		"Xor":            logical(since(1, 7), value.NotEqual, func(x, y int64) int64 { return x ^ y }),
	}
}

// logical is a function of booleans, beside the graph unless one of them came
// of Values.
func logical(versions []int64, f func(x, y value) value, of func(x, y int64) int64) operator {
	return operator{versions, 2, 2, 1, func(n *node) func(*call) {
		align := n.alignment()
		return func(c *call) {
			align(c)
			x, y := c.bool(0), c.bool(1)
			if x.host != nil && y.host != nil {
				c.set(0, c.binaryInts(message.Bool, of))
				return
			}
			c.broadcasts(0, 1)
			c.set(0, ofMask(f(c.record(0), c.record(1))))
		}
	}}
}

// bool returns input i, of booleans.
func (c *call) bool(i int) datum {
	d := c.tensor(i)
	if d.elem != message.Bool {
		c.fail("input %d is %s instead of booleans", i, d.describe())
	}
	return d
}

// mask returns input i, of booleans, as a Value of zeros and ones.
func (c *call) mask(i int) value {
	c.bool(i)
	return c.record(i)
}

func comparison(versions []int64, f func(x, y value) value, of func(less func(x, y int64) bool, x, y int64) bool) operator {
	return operator{versions, 2, 2, 1, func(n *node) func(*call) {
		align := n.alignment()
		return func(c *call) {
			align(c)
			c.sameTypes(0, 1)
			if isFloat(c.args[0].elem) {
				c.set(0, ofMask(c.binaryValues(f, nil)))
				return
			}
			less := lessInts(c.args[0].elem)
			c.set(0, c.binaryInts(message.Bool, func(x, y int64) int64 { return truth(of(less, x, y)) }))
		}
	}}
}

func buildEqual(n *node) func(*call) {
	align := n.alignment()
	return func(c *call) {
		align(c)
		c.sameTypes(0, 1)
		switch x := c.args[0]; {
		case x.elem == message.String:
			c.equalStrings()
		case isFloat(x.elem):
			c.set(0, ofMask(c.binaryValues(value.Equal, nil)))
		default:
			c.set(0, c.binaryInts(message.Bool, func(x, y int64) int64 { return truth(x == y) }))
		}
	}
}

func (c *call) equalStrings() {
	to := c.broadcasts(0, 1)
	x, y := c.args[0].host, c.args[1].host
	xs, ys := spread(x.shape, to), spread(y.shape, to)
	values := make([]int64, product(to))
	for i := range values {
		values[i] = truth(x.strings[xs.at(i)] == y.strings[ys.at(i)])
	}
	c.set(0, ofInts(message.Bool, values, to...))
}

func buildNot(*node) func(*call) {
	return func(c *call) {
		x := c.bool(0)
		if x.host == nil {
			c.set(0, ofMask(x.value.EqualScalar(0)))
			return
		}
		values := make([]int64, len(x.host.ints))
		for i, v := range x.host.ints {
			values[i] = 1 - v
		}
		c.set(0, ofInts(message.Bool, values, x.host.shape...))
	}
}

func buildIsInf(n *node) func(*call) {
	negative, positive := n.bool("detect_negative", true), n.bool("detect_positive", true)
	return func(c *call) {
		x := c.value(0)
		switch {
		case negative && positive:
			x = x.Abs().EqualScalar(math.Inf(1))
		case positive:
			x = x.EqualScalar(math.Inf(1))
		case negative:
			x = x.EqualScalar(math.Inf(-1))
		default:
			x = c.graph().Full(0, x.Shape()...)
		}
		c.set(0, ofMask(x))
	}
}

func buildIsNaN(*node) func(*call) {
	return func(c *call) { c.set(0, ofMask(c.value(0).IsNaN())) }
}

func buildWhere(*node) func(*call) {
	return func(c *call) {
		c.bool(0)
		c.sameTypes(1, 2)
		to := c.broadcasts(0, 1, 2)
		x := c.args[1]
		if isFloat(x.elem) {
			c.set(0, ofValue(x.elem, autograd.Where(c.mask(0), c.value(1), c.value(2))))
			return
		}
		conditions := c.ints(0)
		at, xs, ys := spread(c.args[0].shape(), to), spread(x.shape(), to), spread(c.args[2].shape(), to)
		n := product(to)
		from := make([]int, n)
		offset := x.size()
		for i := range from {
			if conditions[at.at(i)] != 0 {
				from[i] = xs.at(i)
			} else {
				from[i] = offset + ys.at(i)
			}
		}
		both := c.concat(0, []datum{c.reshape(x, []int{-1}), c.reshape(c.args[2], []int{-1})})
		c.set(0, c.pick(both, from, to))
	}
}
