package onnx

import (
	"math"
	"slices"

	"nabla/onnx/internal/message"
)

// integers are products of numbers that integers stand for. They are computed
// beside the graph, one by one, and have no gradient.
func integers() map[string]operator {
	return map[string]operator{
		"ConvInteger":   {since(10), 2, 4, 1, buildConvInteger},
		"MatMulInteger": {since(10), 2, 4, 1, buildMatMulInteger},
		"QLinearConv":   {since(10), 8, 9, 1, buildQLinearConv},
		"QLinearMatMul": {since(10, 21), 8, 8, 1, buildQLinearMatMul},
	}
}

// A side says for what of a matrix or kernel there is one scale or zero point.
type side uint8

const (
	rows     side = iota // of the left matrix
	columns              // of the right one
	channels             // of a kernel's outputs
)

// aligned returns input i, a scale or zero point, in a shape that broadcasts to
// that of a matrix or kernel.
func (c *call) aligned(i int, shape []int, s side) datum {
	d := c.tensor(i)
	to := ones(len(shape))
	switch {
	case d.size() == 1:
	case len(shape) == 0:
		c.failShapes("there are several scales or zero points for a scalar", shape, d.shape())
	case d.rank() == 1 && s == rows && len(shape) > 1:
		to[len(shape)-2] = d.size()
	case d.rank() == 1 && s == channels:
		to[0] = d.size()
	case d.rank() == 1:
		to[len(shape)-1] = d.size()
	default:
		to = d.shape()
	}
	d = c.reshape(d, to)
	if got, ok := broadcast(to, shape); !ok || !slices.Equal(got, shape) {
		c.failShapes("a scale or zero point does not fit", shape, d.shape())
	}
	return d
}

// fromZero returns input i less its zero point, if there is one.
func (c *call) fromZero(i, zero int, s side) datum {
	x := c.tensor(i)
	values := slices.Clone(c.ints(i))
	if c.has(zero) {
		z := c.aligned(zero, x.shape(), s)
		points, at := c.intsOf(z), spread(z.shape(), x.shape())
		for k := range values {
			values[k] -= points[at.at(k)]
		}
	}
	return ofInts(message.Int32, values, x.shape()...)
}

func buildMatMulInteger(*node) func(*call) {
	return func(c *call) {
		x, y := c.fromZero(0, 2, rows), c.fromZero(1, 3, columns)
		c.room(c.productShape(x.shape(), y.shape()))
		c.set(0, c.matMulInts(x, y))
	}
}

func buildQLinearMatMul(*node) func(*call) {
	return func(c *call) {
		x, y := c.fromZero(0, 2, rows), c.fromZero(3, 5, columns)
		to := c.productShape(x.shape(), y.shape())
		c.room(to)
		z := c.matMulInts(x, y)
		left, right := c.aligned(1, x.shape(), rows), c.aligned(4, y.shape(), columns)
		c.set(0, c.requantized(z, 6, c.outer(left, to), c.outer(right, to)))
	}
}

// outer returns the scales of a factor for each element of a product.
func (c *call) outer(scale datum, to []int) []float64 {
	if got, ok := broadcast(scale.shape(), to); scale.size() > 1 && (!ok || !slices.Equal(got, to)) {
		c.failShapes("a scale does not fit the product", scale.shape(), to)
	}
	numbers, at := c.floatsOf(scale), spread(scale.shape(), to)
	all := make([]float64, product(to))
	for i := range all {
		if len(numbers) == 1 {
			all[i] = numbers[0]
		} else {
			all[i] = numbers[at.at(i)]
		}
	}
	return all
}

// requantized returns sums times the scales of both factors, by the scale and
// zero point that are inputs i and i + 1.
func (c *call) requantized(z datum, i int, left, right []float64) datum {
	scale, zero := c.number(i), c.tensor(i+1)
	if zero.size() != 1 {
		c.failShapes("the zero point of the result is no number", zero.shape())
	}
	point := c.floats(i + 1)[0]
	numbers := make([]float64, z.size())
	for k, v := range z.host.ints {
		numbers[k] = math.RoundToEven(float64(v)*left[k]*right[k]/scale) + point
	}
	return c.quantized(numbers, zero.elem, conversion{saturate: true}, z.shape())
}

func buildConvInteger(n *node) func(*call) {
	w, groups := n.windows(), n.int("group", 1)
	return func(c *call) {
		c.set(0, c.convInts(w, groups, c.fromZero(0, 2, columns), c.fromZero(1, 3, channels)))
	}
}

func buildQLinearConv(n *node) func(*call) {
	w, groups := n.windows(), n.int("group", 1)
	return func(c *call) {
		x, kernel := c.fromZero(0, 2, columns), c.fromZero(3, 5, channels)
		z := c.convInts(w, groups, x, kernel)
		to := z.shape()
		if c.has(8) {
			bias := c.ints(8)
			if len(bias) != to[1] {
				c.failShapes("there is not one bias for each channel", to, c.args[8].shape())
			}
			image := max(product(to[2:]), 1)
			for i := range z.host.ints {
				z.host.ints[i] += bias[i/image%to[1]]
			}
		}
		scales := c.aligned(4, kernel.shape(), channels)
		byChannel := ones(len(to))
		byChannel[1] = scales.size()
		c.set(0, c.requantized(z, 6, c.outer(c.aligned(1, to, columns), to), c.outer(c.reshape(scales, byChannel), to)))
	}
}

// convInts is a convolution of integers.
func (c *call) convInts(w windows, groups int, x, kernel datum) datum {
	shape, k := x.shape(), kernel.shape()
	c.checkAxes(x)
	if len(k) != len(shape) || c.groupsOf(groups) != groups || k[1] < 1 || shape[1] != k[1]*groups || k[0]%groups != 0 {
		c.failShapes("x and the kernel do not fit each other", shape, k)
	}
	f := c.fit(w, shape, k[2:])
	to := f.result(shape[0], k[0])
	c.room(to)
	sizes, strides, image := shape[2:], rowMajor(shape[2:]), product(shape[2:])
	windows, taps, perGroup := product(f.sizes), product(k[2:]), k[0]/groups
	values := make([]int64, product(to))
	for i := range values {
		batch, out := i/windows/k[0], i/windows%k[0]
		tap := 0
		f.each(i%windows, func(index []int) {
			at := 0
			for axis, j := range index {
				if j < 0 || j >= sizes[axis] {
					at = -1
					break
				}
				at += j * strides[axis]
			}
			for in := 0; at >= 0 && in < k[1]; in++ {
				channel := batch*shape[1] + out/perGroup*k[1] + in
				values[i] += x.host.ints[channel*image+at] * kernel.host.ints[(out*k[1]+in)*taps+tap]
			}
			tap++
		})
		values[i] = wrap(message.Int32, values[i])
	}
	return ofInts(message.Int32, values, to...)
}
