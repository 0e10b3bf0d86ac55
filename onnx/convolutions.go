package onnx

import (
	"math"
	"slices"

	"nabla/autograd"
)

// convolutions slide kernels over images.
func convolutions() map[string]operator {
	return map[string]operator{
		"CausalConvWithState": {since(27), 2, 4, 2, buildCausalConv},
		"Col2Im":              {since(18), 3, 3, 1, buildCol2Im},
		"Conv":                {since(1, 11, 22), 2, 3, 1, buildConv},
		"ConvTranspose":       {since(1, 11, 22), 2, 3, 1, buildConvTranspose},
	}
}

// spatialAxes are how many Value.Conv and pooling take.
const spatialAxes = 3

// optional returns input i, or the zero Value if it is left out.
func (c *call) optional(i int) value {
	if !c.has(i) {
		return value{}
	}
	return c.value(i)
}

func buildConv(n *node) func(*call) {
	w := n.windows()
	groups := n.int("group", 1)
	return func(c *call) {
		x, kernel := c.value(0), c.value(1)
		if x.Rank() < 3 || x.Rank() > 2+spatialAxes || kernel.Rank() != x.Rank() {
			c.failShapes("x and W do not have one to three spatial axes", x.Shape(), kernel.Shape())
		}
		f := c.fit(w, x.Shape(), kernel.Shape()[2:])
		c.room(f.padded(x.Shape()))
		c.room(f.result(x.Dim(0), kernel.Dim(0)))
		c.setLike(0, x.Conv(kernel, autograd.ConvOptions{Bias: c.optional(2), Stride: f.strides, Padding: f.padding, Dilation: f.dilations, Groups: c.groupsOf(groups)}))
	}
}

// groupsOf panics unless there are groups: 0 means one to Value.Conv.
func (c *call) groupsOf(groups int) int {
	if groups < 1 {
		c.fail("there are %d groups", groups)
	}
	return groups
}

func buildConvTranspose(n *node) func(*call) {
	s := spreadingWindows{windows: n.windows(), groups: n.int("group", 1), extra: n.ints("output_padding"), sizes: n.ints("output_shape")}
	return func(c *call) {
		x, kernel := c.value(0), c.value(1)
		axes := x.Rank() - 2
		if axes < 1 || axes > spatialAxes || kernel.Rank() != x.Rank() {
			c.failShapes("x and W do not have one to three spatial axes", x.Shape(), kernel.Shape())
		}
		o := c.transposed(s, x.Shape(), kernel.Shape())
		o.Bias = c.optional(2)
		c.setLike(0, x.ConvTranspose(kernel, o))
	}
}

// spreadingWindows are the settings of ConvTranspose.
type spreadingWindows struct {
	windows
	groups       int
	extra, sizes []int // output_padding and output_shape; nil: not given
}

// transposed returns the options for x and a kernel of these shapes.
func (c *call) transposed(s spreadingWindows, x, kernel []int) autograd.ConvTransposeOptions {
	axes := len(x) - 2
	if s.kernel != nil && !slices.Equal(s.kernel, kernel[2:]) {
		c.failShapes("the kernel does not have the shape of the attribute", kernel, s.kernel)
	}
	o := autograd.ConvTransposeOptions{
		Stride: or(s.strides, axes, 1), Dilation: or(s.dilations, axes, 1), OutputPadding: slices.Clone(or(s.extra, axes, 0)),
		Padding: make([][2]int, axes), Groups: c.groupsOf(s.groups),
	}
	pads := or(s.pads, 2*axes, 0)
	if len(o.Stride) != axes || len(o.Dilation) != axes || len(o.OutputPadding) != axes || len(pads) != 2*axes || s.sizes != nil && len(s.sizes) != axes {
		c.fail("the settings are not for %d spatial axes", axes)
	}
	whole := []int{x[0], kernel[1]}
	for i := range axes {
		n, k, extra := x[i+2], kernel[i+2], &o.OutputPadding[i]
		if n < 1 || k < 1 || *extra < 0 || *extra > math.MaxInt32 || n > math.MaxInt/4/o.Stride[i] || k > math.MaxInt/4/o.Dilation[i] {
			c.failShapes("the kernel does not fit", x, kernel)
		}
		full := o.Stride[i]*(n-1) + *extra + o.Dilation[i]*(k-1) + 1
		o.Padding[i] = [2]int{pads[i], pads[axes+i]}
		switch {
		case s.sizes != nil:
			o.Padding[i], *extra = cutTo(s.auto, full-s.sizes[i], *extra)
		case s.auto == "SAME_UPPER" || s.auto == "SAME_LOWER":
			o.Padding[i], *extra = cutTo(s.auto, full-n*o.Stride[i], *extra)
		case s.auto == "VALID":
			o.Padding[i] = [2]int{}
		}
		whole = append(whole, full)
	}
	if whole[1] > math.MaxInt/s.groups {
		c.tooLarge(whole)
	}
	whole[1] *= s.groups
	c.room(whole)
	return o
}

// cutTo returns what is cut off before and after if that is the total; less
// than nothing is padding at the end.
func cutTo(auto string, total, extra int) ([2]int, int) {
	if total < 0 {
		return [2]int{}, extra - total
	}
	if auto == "SAME_UPPER" {
		return [2]int{total / 2, total - total/2}, extra
	}
	return [2]int{total - total/2, total / 2}, extra
}

// buildCol2Im adds columns to the windows of an image.
func buildCol2Im(n *node) func(*call) {
	w := n.windows()
	return func(c *call) {
		x := c.value(0)
		sizes, kernel := c.dimensions(1), c.dimensions(2)
		axes := len(sizes)
		if x.Rank() != 3 || axes < 1 || len(kernel) != axes {
			c.failShapes("the columns, image and block do not fit each other", x.Shape(), sizes, kernel)
		}
		block := product(kernel)
		if block < 1 || x.Dim(1)%block != 0 {
			c.failShapes("the columns do not divide into blocks", x.Shape(), kernel)
		}
		shape := append([]int{x.Dim(0), x.Dim(1) / block}, sizes...)
		f := c.fit(windows{strides: w.strides, dilations: w.dilations, pads: w.pads, auto: "NOTSET"}, shape, kernel)
		c.room(f.padded(shape))
		if axes <= spatialAxes {
			c.setLike(0, x.Fold(autograd.UnfoldOptions{Kernel: kernel, Stride: f.strides, Padding: f.padding, Dilation: f.dilations}, sizes...))
			return
		}
		c.fail("an image has %d spatial axes, more than %d", axes, spatialAxes)
	}
}

// buildCausalConv convolves each channel of sequences on its own, with the
// steps before in a state that it hands on.
func buildCausalConv(n *node) func(*call) {
	activation := n.oneOf("activation", "none", "none", "silu", "swish")
	return func(c *call) {
		x, kernel := c.value(0), c.value(1)
		if x.Rank() != 3 || kernel.Rank() != 3 || kernel.Dim(0) != x.Dim(1) || kernel.Dim(1) != 1 || kernel.Dim(2) < 1 || x.Dim(2) < 1 {
			c.failShapes("x and the kernel do not fit each other", x.Shape(), kernel.Shape())
		}
		past := c.graph().Full(0, x.Dim(0), x.Dim(1), kernel.Dim(2)-1)
		if c.has(3) {
			if s := c.value(3).Shape(); !slices.Equal(s, past.Shape()) {
				c.failShapes("the state does not fit", s, past.Shape())
			}
			past = c.value(3)
		}
		whole := autograd.Concat(2, past, x)
		y := whole.Conv(kernel, autograd.ConvOptions{Bias: c.optional(2), Groups: x.Dim(1)})
		if activation != "none" {
			y = y.SiLU()
		}
		c.setLike(0, y)
		c.setLike(1, whole.Narrow(2, x.Dim(2), past.Dim(2)))
	}
}
