package onnx

import (
	"math"

	"nabla/onnx/internal/message"
)

// constants make tensors of settings.
func constants() map[string]operator {
	return map[string]operator{
		"Constant":        {since(1, 9, 11, 12, 13, 19, 21, 23, 24, 25), 0, 0, 1, buildConstant},
		"ConstantOfShape": {since(9, 20, 21, 23, 24, 25), 1, 1, 1, buildConstantOfShape},
		"EyeLike":         {since(9, 22), 1, 1, 1, buildEyeLike},
		"Range":           {since(11, 27), 3, 3, 1, buildRange},
	}
}

func buildConstant(n *node) func(*call) {
	var d *datum
	switch {
	case n.hasAttribute("value"):
		d = n.tensor("value")
	case n.hasAttribute("value_int"):
		a := n.attribute("value_int", message.KindInt)
		d = new(datum)
		*d = ofInts(message.Int64, []int64{a.Int})
	case n.hasAttribute("value_ints"):
		a := n.attribute("value_ints", message.KindInts)
		d = new(datum)
		*d = ofInts(message.Int64, append([]int64{}, a.Ints...), len(a.Ints))
	case n.hasAttribute("value_float"):
		d = new(datum)
		*d = ofFloats(message.Float, []float64{n.float("value_float", 0)})
	case n.hasAttribute("value_floats"):
		values := n.floats("value_floats")
		d = new(datum)
		*d = ofFloats(message.Float, values, len(values))
	case n.hasAttribute("value_string"):
		d = new(datum)
		*d = ofStrings([]string{n.string("value_string", "")})
	case n.hasAttribute("value_strings"):
		values := n.strings("value_strings")
		d = new(datum)
		*d = ofStrings(values, len(values))
	case n.hasAttribute("sparse_value"):
		n.unsupported("sparse tensors")
		return nil
	default:
		n.wrong("Constant has no value")
	}
	return func(c *call) { c.set(0, *d) }
}

func buildConstantOfShape(n *node) func(*call) {
	d := n.tensor("value")
	if d == nil {
		d = new(datum)
		*d = ofFloats(message.Float, []float64{0}, 1)
	}
	if d.size() != 1 {
		n.wrong("ConstantOfShape has a value of %d elements", d.size())
	}
	return func(c *call) {
		shape := c.dimensions(0)
		c.room(shape)
		c.set(0, datum{elem: d.elem, host: d.host.take(make([]int, product(shape)), shape)})
	}
}

func buildEyeLike(n *node) func(*call) {
	k, elem := n.int("k", 0), message.Elem(n.int("dtype", 0))
	return func(c *call) {
		x := c.tensor(0)
		if x.rank() != 2 {
			c.failShapes("x is no matrix", x.shape())
		}
		to := elem
		if to == 0 {
			to = x.elem
		}
		values := make([]int64, x.size())
		for i := range x.shape()[0] {
			if j := i + k; j >= 0 && j < x.shape()[1] {
				values[i*x.shape()[1]+j] = 1
			}
		}
		c.set(0, c.cast(ofInts(message.Int64, values, x.shape()...), to, conversion{saturate: true}))
	}
}

// buildRange counts from a start up to a limit by steps.
func buildRange(n *node) func(*call) {
	n.ignore("stash_type")
	return func(c *call) {
		c.sameTypes(0, 1)
		c.sameTypes(0, 2)
		elem := c.args[0].elem
		start, limit, step := c.number(0), c.number(1), c.number(2)
		length := math.Max(math.Ceil((limit-start)/step), 0)
		if step == 0 || math.IsNaN(length) || length >= 1<<31 {
			c.fail("from %v to %v by %v there are too many numbers", start, limit, step)
		}
		count := int(length)
		c.room([]int{count})
		if isFloat(elem) {
			values := make([]float64, count)
			for i := range values {
				values[i] = start + float64(i)*step
			}
			c.set(0, ofFloats(elem, values, count))
			return
		}
		first, by := c.ints(0)[0], c.ints(2)[0]
		values := make([]int64, count)
		for i := range values {
			values[i] = wrap(elem, first+int64(i)*by)
		}
		c.set(0, ofInts(elem, values, count))
	}
}
