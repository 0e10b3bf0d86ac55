package autograd

import (
	"fmt"
	"strconv"
	"strings"

	"nabla/internal/kernel"
)

// A window is what reaches along one axis of a convolution or pooling.
type window struct{ kernel, stride, before, after, dilation int }

// settings returns what a reader should know of a convolution, pooling or
// resampling besides the shapes: "3×3 stride 2 padding 1".
func (n *node) settings() string {
	axes := n.shape.rank() - 2
	switch n.op {
	case &opConv, &opConvTranspose:
		c := geometryOf(n.ints())
		text := windowsText(convolutionWindows(c, axes))
		if c.Groups > 1 {
			text += fmt.Sprintf(" groups %d", c.Groups)
		}
		return text
	case &opMaxPool, &opAvgPool:
		v := volume(n.ints())
		if v[2].Stride == 0 {
			return "adaptive"
		}
		return windowsText(poolingWindows(v, axes))
	case &opUpsample:
		if r := resampling(n.ints()); !r.Linear {
			return "nearest"
		} else if r.Corners {
			return "bilinear corners aligned"
		}
		return "bilinear"
	}
	return ""
}

// convolutionWindows returns the windows along the last axes. What the padding
// after the end has beyond the one before counts as far as it is reached.
func convolutionWindows(c kernel.Convolution, axes int) []window {
	var all []window
	for _, a := range c.Axes[3-axes:] {
		reached := (a.Map-1)*a.Stride + a.Dilation*(a.Kernel-1) + 1 - a.Before - a.Image
		all = append(all, window{a.Kernel, a.Stride, a.Before, max(a.Before, reached), a.Dilation})
	}
	return all
}

// poolingWindows returns the windows along the last axes. If each begins where
// the one before ends, their strides are 1, as nobody would say them.
func poolingWindows(v kernel.Volume, axes int) []window {
	var all []window
	usual := true
	for _, a := range v[3-axes:] {
		usual = usual && a.Stride == a.Kernel
		all = append(all, window{a.Kernel, a.Stride, a.Before, a.Before, a.Step})
	}
	for i := range all {
		if usual {
			all[i].stride = 1
		}
	}
	return all
}

func windowsText(axes []window) string {
	var kernels []string
	for _, w := range axes {
		kernels = append(kernels, strconv.Itoa(w.kernel))
	}
	text := strings.Join(kernels, "×")
	text += settingText(axes, "stride", "1", func(w window) string { return strconv.Itoa(w.stride) })
	text += settingText(axes, "padding", "0", func(w window) string {
		if w.after > w.before {
			return fmt.Sprintf("%d+%d", w.before, w.after)
		}
		return strconv.Itoa(w.before)
	})
	return text + settingText(axes, "dilation", "1", func(w window) string { return strconv.Itoa(w.dilation) })
}

// settingText returns a setting as it is along each axis, or once if it is the
// same along all; "" if it is the usual one.
func settingText(axes []window, name, usual string, of func(window) string) string {
	all := make([]string, len(axes))
	same := true
	for i, w := range axes {
		all[i] = of(w)
		same = same && all[i] == all[0]
	}
	switch {
	case same && all[0] == usual:
		return ""
	case same:
		all = all[:1]
	}
	return " " + name + " " + strings.Join(all, "×")
}
