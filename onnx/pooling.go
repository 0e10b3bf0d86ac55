package onnx

import (
	"math"
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// pooling joins the elements of windows.
func pooling() map[string]operator {
	return map[string]operator{
		"AveragePool":       {since(1, 7, 10, 11, 19, 22), 1, 1, 1, buildAveragePool},
		"GlobalAveragePool": with(since(1, 22), func(*node) func(value) value { return globalMean }),
		"GlobalLpPool":      with(since(1, 2, 22), buildGlobalLpPool),
		"GlobalMaxPool":     with(since(1, 22), func(*node) func(value) value { return globalMax }),
		"LpPool":            {since(1, 2, 11, 18, 22), 1, 1, 1, buildLpPool},
		"MaxPool":           {since(1, 8, 10, 11, 12, 22), 1, 1, 2, buildMaxPool},
		"MaxUnpool":         {since(9, 11, 22), 2, 3, 1, buildMaxUnpool},
	}
}

// spatial returns the axes behind batch and channels.
func spatial(x value) []int {
	if x.Rank() < 3 {
		panic(autograd.NewShapeError("onnx", "x is no [batch, channels, …]", x.Shape()))
	}
	return all(x.Rank())[2:]
}

func globalMean(x value) value { return x.KeepDims().Mean(spatial(x)...) }

// globalMax gives the gradient to the first of equal elements, as pooling does.
func globalMax(x value) value {
	axes := spatial(x)
	return x.Reshape(x.Dim(0), x.Dim(1), -1).GlobalMaxPool().Unsqueeze(axes...)
}

func buildGlobalLpPool(n *node) func(value) value {
	p := 2.0
	if n.version == 1 {
		p = n.float("p", 2)
	} else {
		p = float64(n.int("p", 2))
	}
	if p <= 0 {
		n.wrong("GlobalLpPool has p=%v", p)
	}
	return func(x value) value { return x.KeepDims().Norm(p, spatial(x)...) }
}

// small reports whether the padding is what Value's pooling takes: at most half
// a window.
func (f fit) small() bool {
	for i, p := range f.padding {
		if 2*max(p[0], p[1]) > f.kernel[i] {
			return false
		}
	}
	return len(f.padding) <= spatialAxes
}

// checkAxes panics unless pooling can do so many.
func (c *call) checkAxes(x datum) {
	if x.rank() < 3 || x.rank() > 2+spatialAxes {
		c.failShapes("x does not have one to three spatial axes", x.shape())
	}
}

func buildMaxPool(n *node) func(*call) {
	w := n.windows()
	w.ceil = n.bool("ceil_mode", false)
	columns := n.bool("storage_order", false)
	return func(c *call) {
		x := c.tensor(0)
		c.checkAxes(x)
		f := c.fit(w, x.shape(), nil)
		c.room(f.padded(x.shape()))
		y := c.maxPool(c.numbers(0), f)
		c.set(0, c.cast(ofValue(message.Float, y), x.elem, conversion{saturate: true}))
		if isFloat(x.elem) {
			c.setLike(0, y)
		}
		if c.wants(1) {
			c.set(1, c.maxPlaces(x, f, columns))
		}
	}
}

// numbers returns input i, of any type of numbers, as a Value.
func (c *call) numbers(i int) value {
	if isFloat(c.tensor(i).elem) {
		return c.value(i)
	}
	return c.record(i)
}

func (c *call) maxPool(x value, f fit) value {
	o := autograd.PoolOptions{Kernel: f.kernel, Stride: f.strides, Dilation: f.dilations}
	if f.small() && !slices.ContainsFunc(f.beyond, func(n int) bool { return n > 0 }) {
		o.Padding = f.padding
		return x.MaxPool(o)
	}
	return x.Pad(math.Inf(-1), f.pairs()...).MaxPool(o)
}

// pairs returns the padding of all axes, with what the last windows have beyond
// it.
func (f fit) pairs() [][2]int {
	pairs := [][2]int{{}, {}}
	for i, p := range f.padding {
		pairs = append(pairs, [2]int{p[0], p[1] + f.beyond[i]})
	}
	return pairs
}

// maxPlaces returns where in x the greatest element of each window stands: in
// row-major order, or with the order of the spatial axes turned round.
func (c *call) maxPlaces(x datum, f fit, columns bool) datum {
	numbers, shape := c.floatsOf(x), x.shape()
	sizes := shape[2:]
	strides := rowMajor(sizes)
	image := product(sizes)
	outer := rowMajor(sizes)
	if columns {
		for i, stride := 0, 1; i < len(sizes); i++ {
			outer[i] = stride
			stride *= sizes[i]
		}
	}
	result := f.result(shape[0], shape[1])
	windows := product(f.sizes)
	at := make([]int64, product(result))
	for i := range at {
		first := i / windows * image
		best, where := math.Inf(-1), -1
		f.each(i%windows, func(index []int) {
			from, place := first, first
			for axis, j := range index {
				if j < 0 || j >= sizes[axis] {
					return
				}
				from += j * strides[axis]
				place += j * outer[axis]
			}
			if v := numbers[from]; where < 0 || v > best {
				best, where = v, place
			}
		})
		at[i] = int64(where)
	}
	return ofInts(message.Int64, at, result...)
}

// each calls a function for the elements of a window, by their indices along
// the spatial axes, which may be in the padding.
func (f fit) each(window int, visit func(index []int)) {
	start := make([]int, len(f.sizes))
	for axis := len(f.sizes) - 1; axis >= 0; axis-- {
		start[axis] = window%f.sizes[axis]*f.strides[axis] - f.padding[axis][0]
		window /= f.sizes[axis]
	}
	index := make([]int, len(f.sizes))
	for k := range product(f.kernel) {
		for axis := len(f.sizes) - 1; axis >= 0; axis-- {
			index[axis] = start[axis] + k%f.kernel[axis]*f.dilations[axis]
			k /= f.kernel[axis]
		}
		visit(index)
	}
}

func buildAveragePool(n *node) func(*call) {
	w := n.windows()
	w.ceil = n.bool("ceil_mode", false)
	whole := n.bool("count_include_pad", false)
	return func(c *call) {
		x := c.value(0)
		c.checkAxes(c.args[0])
		f := c.fit(w, x.Shape(), nil)
		c.room(f.padded(x.Shape()))
		plain := f.small() && slices.Max(f.dilations) == 1 && slices.Max(f.beyond) == 0
		if plain {
			c.setLike(0, x.AvgPool(autograd.PoolOptions{Kernel: f.kernel, Stride: f.strides, Padding: f.padding, ExcludePadding: !whole}))
			return
		}
		counted := c.graph().Full(1, append([]int{1, 1}, x.Shape()[2:]...)...)
		sums := f.sums(x)
		if whole {
			counted = f.padOnes(counted)
			f.padding = make([][2]int, len(f.padding))
		}
		c.setLike(0, sums.Div(f.sums(counted)))
	}
}

// padOnes pads a count, so that the padding counts but not what is beyond it.
func (f fit) padOnes(x value) value {
	pairs := [][2]int{{}, {}}
	return x.Pad(1, append(pairs, f.padding...)...)
}

// sums returns the sum over each window: a convolution with ones.
func (f fit) sums(x value) value {
	shape := x.Shape()
	ones := x.Graph().Full(1, append([]int{1, 1}, f.kernel...)...)
	channels := x.Pad(0, f.pairs()...)
	channels = channels.Reshape(append([]int{shape[0] * shape[1], 1}, channels.Shape()[2:]...)...)
	y := channels.Conv(ones, autograd.ConvOptions{Stride: f.strides, Dilation: f.dilations})
	return y.Reshape(f.result(shape[0], shape[1])...)
}

func buildLpPool(n *node) func(*call) {
	w := n.windows()
	w.ceil = n.bool("ceil_mode", false)
	p := 2.0
	if n.version == 1 {
		p = n.float("p", 2)
	} else {
		p = float64(n.int("p", 2))
	}
	if p <= 0 {
		n.wrong("LpPool has p=%v", p)
	}
	return func(c *call) {
		x := c.value(0)
		c.checkAxes(c.args[0])
		f := c.fit(w, x.Shape(), nil)
		c.room(f.padded(x.Shape()))
		c.setLike(0, f.sums(x.Abs().PowScalar(p)).PowScalar(1/p))
	}
}

// buildMaxUnpool puts elements back where MaxPool found them.
func buildMaxUnpool(n *node) func(*call) {
	w := n.windows()
	return func(c *call) {
		x, index := c.value(0), c.ints(1)
		c.checkAxes(c.args[0])
		if !slices.Equal(x.Shape(), c.args[1].shape()) {
			c.failShapes("there is not one index for each element", x.Shape(), c.args[1].shape())
		}
		shape := c.unpooled(w, x.Shape())
		at := make([]int, len(index))
		for i, v := range index {
			if v < 0 || v >= int64(product(shape)) {
				panic(autograd.NewIndexError(c.title(), "index", saturated(v), product(shape)))
			}
			at[i] = int(v)
		}
		zeros := c.graph().Full(0, product(shape))
		y := ofValue(c.args[0].elem, c.scatterValues(zeros, x.Reshape(-1), at, "none").Reshape(shape...))
		if c.has(2) {
			y = c.lengthenedTo(y, c.dimensions(2))
		}
		c.set(0, y)
	}
}

// unpooled returns the shape of what was pooled.
func (c *call) unpooled(w windows, pooled []int) []int {
	axes := len(pooled) - 2
	strides, pads := or(w.strides, axes, 1), or(w.pads, 2*axes, 0)
	if len(w.kernel) != axes || len(strides) != axes || len(pads) != 2*axes {
		c.fail("the settings are not for %d spatial axes", axes)
	}
	shape := slices.Clone(pooled[:2])
	for i, n := range pooled[2:] {
		if n > math.MaxInt/4/strides[i] {
			c.tooLarge(pooled)
		}
		shape = append(shape, max((n-1)*strides[i]-pads[i]-pads[axes+i]+w.kernel[i], 0))
	}
	c.room(shape)
	return shape
}

// lengthenedTo adds zeros at the ends of the axes, or takes elements off.
func (c *call) lengthenedTo(x datum, to []int) datum {
	if len(to) != x.rank() {
		c.failShapes("the shape does not fit", x.shape(), to)
	}
	before, after := make([]int, len(to)), make([]int, len(to))
	for i := range to {
		after[i] = to[i] - x.shape()[i]
	}
	c.args = c.args[:2] // the third is no constant to pad with
	return c.pad(x, "constant", 0, before, after)
}
