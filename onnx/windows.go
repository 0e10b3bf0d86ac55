package onnx

import (
	"fmt"
	"math"
	"slices"
)

// windows are the settings of operators that move a window over spatial axes.
type windows struct {
	kernel, strides, dilations []int // nil: not given
	pads                       []int // all starts, then all ends
	auto                       string
	ceil                       bool
}

// windows reads the settings.
func (n *node) windows() windows {
	w := windows{
		kernel: n.ints("kernel_shape"), strides: n.ints("strides"), dilations: n.ints("dilations"), pads: n.ints("pads"),
		auto: n.oneOf("auto_pad", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"),
	}
	if w.auto == "" {
		w.auto = "NOTSET"
	}
	n.positive("kernel_shape", w.kernel)
	n.positive("strides", w.strides)
	n.positive("dilations", w.dilations)
	for _, p := range w.pads {
		if p < 0 || p > math.MaxInt32 {
			n.unsupported(fmt.Sprintf("pads %v", w.pads))
			break
		}
	}
	return w
}

func (n *node) positive(name string, list []int) {
	for _, v := range list {
		if v < 1 || v > math.MaxInt32 {
			n.wrong("attribute %q of %s is %v", name, n.op, list)
		}
	}
}

// A fit is how windows lie on the spatial axes of an input.
type fit struct {
	kernel, strides, dilations []int
	padding                    [][2]int
	sizes                      []int // of the result
	beyond                     []int // what the last window has beyond the padding
}

// fit places windows on the axes behind the first two; the kernel is that of
// the settings, if there is one.
func (c *call) fit(w windows, shape, kernel []int) fit {
	axes := len(shape) - 2
	if axes < 1 {
		c.failShapes("x is no [batch, channels, …]", shape)
	}
	if w.kernel != nil {
		if kernel != nil && !slices.Equal(kernel, w.kernel) {
			c.failShapes("the kernel does not have the shape of the attribute", kernel, w.kernel)
		}
		kernel = w.kernel
	}
	f := fit{kernel: kernel, strides: or(w.strides, axes, 1), dilations: or(w.dilations, axes, 1), padding: make([][2]int, axes), sizes: make([]int, axes), beyond: make([]int, axes)}
	pads := or(w.pads, 2*axes, 0)
	if len(kernel) != axes || len(f.strides) != axes || len(f.dilations) != axes || len(pads) != 2*axes {
		c.fail("the settings are not for %d spatial axes", axes)
	}
	for i := range axes {
		if kernel[i] < 1 || kernel[i] > math.MaxInt32 || f.dilations[i] > math.MaxInt/4/kernel[i] || shape[i+2] > math.MaxInt/4 {
			c.failShapes("the kernel does not fit", shape, kernel)
		}
		f.place(w, i, shape[i+2], pads[i], pads[axes+i])
		if f.sizes[i] < 1 {
			c.failShapes("the window is larger than the padded input", shape, kernel)
		}
	}
	return f
}

func or(list []int, n, otherwise int) []int {
	if list != nil {
		return list
	}
	return slices.Repeat([]int{otherwise}, n)
}

// place places the windows along one axis.
func (f *fit) place(w windows, i, n, before, after int) {
	reach := f.dilations[i]*(f.kernel[i]-1) + 1
	stride := f.strides[i]
	switch w.auto {
	case "SAME_UPPER", "SAME_LOWER":
		f.sizes[i] = (n + stride - 1) / stride
		total := max((f.sizes[i]-1)*stride+reach-n, 0)
		before, after = total/2, total-total/2
		if w.auto == "SAME_LOWER" {
			before, after = after, before
		}
		f.padding[i] = [2]int{before, after}
		return
	case "VALID":
		before, after = 0, 0
	}
	f.padding[i] = [2]int{before, after}
	room := n + before + after - reach
	if room < 0 {
		return
	}
	f.sizes[i] = room/stride + 1
	// One more window, unless it begins in the padding at the end.
	if w.ceil && room%stride != 0 && f.sizes[i]*stride < n+before {
		f.beyond[i] = f.sizes[i]*stride + reach - (n + before + after)
		f.sizes[i]++
	}
}

// padded returns the shape of the input with its padding.
func (f fit) padded(shape []int) []int {
	to := slices.Clone(shape)
	for i, p := range f.padding {
		to[i+2] += p[0] + p[1] + f.beyond[i]
	}
	return to
}

// result returns the shape of the result with that many channels.
func (f fit) result(batch, channels int) []int {
	return append([]int{batch, channels}, f.sizes...)
}
