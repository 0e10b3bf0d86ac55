package onnx

import (
	"math"
	"slices"

	"nabla/onnx/internal/message"
)

// quantizing are operators between numbers and integers of few bits.
func quantizing() map[string]operator {
	return map[string]operator{
		"DequantizeLinear":      {since(10, 13, 19, 21, 23, 24, 25, 28), 2, 3, 1, buildDequantize},
		"DynamicQuantizeLinear": {since(11), 1, 1, 3, buildDynamicQuantize},
		"QuantizeLinear":        {since(10, 13, 19, 21, 23, 24, 25, 28), 2, 3, 1, buildQuantize},
	}
}

// scaled returns input i, a scale or zero point, of the shape of x: one number,
// one for each element along an axis, or one for each block of them.
func (c *call) scaled(i int, x datum, axis, block int) datum {
	d, shape := c.tensor(i), x.shape()
	if d.size() == 1 && d.rank() <= 1 {
		return c.expand(c.reshape(d, ones(len(shape))), shape)
	}
	axis = c.axis(axis, len(shape))
	if block == 0 {
		if d.rank() != 1 || d.size() != shape[axis] {
			c.failShapes("there is not one scale for each element along the axis", shape, d.shape())
		}
		along := ones(len(shape))
		along[axis] = d.size()
		return c.expand(c.reshape(d, along), shape)
	}
	if block < 0 || d.rank() != len(shape) || !slices.Equal(without(d.shape(), []int{axis}), without(shape, []int{axis})) || d.shape()[axis] != (shape[axis]+block-1)/block {
		c.failShapes("there is not one scale for each block", shape, d.shape())
	}
	index := make([]int, shape[axis])
	for j := range index {
		index[j] = j / block
	}
	return c.along(d, axis, index)
}

// buildDequantize returns (x − zero)·scale.
func buildDequantize(n *node) func(*call) {
	axis, block, elem := n.int("axis", 1), n.int("block_size", 0), message.Elem(n.int("output_dtype", 0))
	n.reads(usedAsSetting, 1)
	return func(c *call) {
		x := c.tensor(0)
		scale := c.scaled(1, x, axis, block)
		to := elem
		if to == 0 {
			to = scale.elem
		}
		v := c.numbers(0)
		if c.has(2) {
			v = v.Sub(c.valueOf(c.scaled(2, x, axis, block)))
		}
		c.set(0, c.cast(ofValue(scale.elem, v.Mul(c.valueOf(scale))), to, conversion{saturate: true}))
	}
}

// buildQuantize returns x/scale + zero, rounded to the nearest integer of the
// zero point's type. It has no gradient.
func buildQuantize(n *node) func(*call) {
	axis, block, elem := n.int("axis", 1), n.int("block_size", 0), message.Elem(n.int("output_dtype", 0))
	n.ignore("precision")
	how := conversion{saturate: n.bool("saturate", true)}
	n.reads(usedAsSetting, 1)
	return func(c *call) {
		x := c.tensor(0)
		scales := c.scaled(1, x, axis, block)
		scale, elemOf := c.floatsOf(scales), scales.elem
		to, zero := message.Uint8, []float64(nil)
		if elem != 0 {
			to = elem
		}
		if c.has(2) {
			d := c.scaled(2, x, axis, block)
			to, zero = d.elem, c.floatsOf(d)
		}
		numbers := slices.Clone(c.floats(0))
		for i := range numbers {
			numbers[i] = quotient(elemOf, numbers[i], scale[i])
			if isFloat(to) {
				continue
			}
			numbers[i] = math.RoundToEven(numbers[i])
			if zero != nil {
				numbers[i] += zero[i]
			}
		}
		c.set(0, c.quantized(numbers, to, how, x.shape()))
	}
}

// quotient returns x/y, rounded to the type of the scale, since what comes next
// rounds to whole numbers and a tie must stay one.
func quotient(elem message.Elem, x, y float64) float64 {
	if elem == message.Double {
		return x / y
	}
	return float64(float32(x) / float32(y))
}

// quantized returns numbers in a type of few bits, the nearest ones of it.
func (c *call) quantized(numbers []float64, elem message.Elem, how conversion, shape []int) datum {
	if isFloat(elem) {
		return c.cast(ofFloats(message.Double, numbers, shape...), elem, how)
	}
	if !isInteger(elem) {
		c.fail("numbers are quantized to %s", elemName(elem))
	}
	ends := extremes(elem)
	values := make([]int64, len(numbers))
	for i, v := range numbers {
		values[i] = min(max(toInteger(message.Int64, v), ends[1]), ends[0])
	}
	return ofInts(elem, values, shape...)
}

// buildDynamicQuantize finds the scale and zero point itself, so that 0 is
// exact.
func buildDynamicQuantize(*node) func(*call) {
	return func(c *call) {
		numbers := slices.Clone(c.floats(0))
		lo, hi := 0.0, 0.0
		for _, v := range numbers {
			lo, hi = min(lo, v), max(hi, v)
		}
		scale := float64(float32((hi - lo) / 255))
		zero := 0.0
		if scale > 0 {
			zero = math.RoundToEven(min(max(-lo/scale, 0), 255))
			for i, v := range numbers {
				numbers[i] = math.RoundToEven(quotient(message.Float, v, scale)) + zero
			}
		}
		c.set(0, c.quantized(numbers, message.Uint8, conversion{}, c.args[0].shape()))
		c.set(1, ofFloats(message.Float, []float64{scale}))
		c.set(2, ofInts(message.Uint8, []int64{int64(zero)}))
	}
}
