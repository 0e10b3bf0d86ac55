package autograd

import "nabla/internal/kernel"

var (
	opUnfold = operation{name: "unfold", method: "Unfold"}
	opFold   = operation{name: "fold", method: "Fold"}
)

// UnfoldOptions are the settings of [Value.Unfold] and [Value.Fold].
type UnfoldOptions struct {
	Kernel   []int    // the window: one length per spatial axis, or one for all
	Stride   []int    // one per spatial axis, or one number for all; nil: 1
	Padding  [][2]int // zeros before and after: a pair per axis, or one pair for all; nil: none
	Dilation []int    // as Stride
}

// Unfold returns the windows that a convolution with these settings meets, each
// as a column. x is [batch, channels, …] with 1 to 3 spatial axes; the result
// is [batch, channels·Π kernel, windows], the windows in the order of their
// places.
//
//	gx = gy added up at the windows' places: see [Value.Fold]
//
// It panics with a [*ShapeError] if x has another number of axes or a window is
// larger than the padded image, and with an [*ArgumentError] for settings that
// make no sense, such as a stride of 0.
func (x Value) Unfold(options UnfoldOptions) Value {
	s := x.node(opUnfold.method).shape
	if s.rank() < 3 || s.rank() > 5 {
		panic(shapeError(opUnfold.method, "images have 3 to 5 axes: batch, channels and 1 to 3 spatial ones", "", s.dims))
	}
	return x.unfold(windows(&opUnfold, s.dims, options))
}

// Fold adds the columns of x to the places of the windows from which
// [Value.Unfold] with the same settings takes them. x is [batch, channels·Π
// kernel, windows]; sizes are the 1 to 3 spatial axes of the result, [batch,
// channels, sizes…].
//
//	gx = gy unfolded
//
// It panics with a [*ShapeError] if x does not have as many rows and columns as
// the settings give, and otherwise as Unfold does.
func (x Value) Fold(options UnfoldOptions, sizes ...int) Value {
	g, s := x.g, x.node(opFold.method).shape
	if s.rank() != 3 || len(sizes) < 1 || len(sizes) > 3 {
		panic(shapeError(opFold.method, "batch, rows and windows are needed, and 1 to 3 sizes", " to ", s.dims, sizes))
	}
	dims := g.ints.take(2 + len(sizes))
	dims[0], dims[1] = s.dims[0], 0
	copy(dims[2:], sizes)
	g.newShape(opFold.method, dims)
	c := windows(&opFold, dims, options)
	taps, places := g.columns(&opFold, c)
	if s.dims[1]%taps != 0 || s.dims[2] != places {
		panic(shapeError(opFold.method, "the rows are no multiple of the kernel, or there are not as many windows as places", " to ", s.dims, sizes))
	}
	c.In = s.dims[1] / taps
	return x.fold(c, len(sizes))
}

// windows returns the geometry of windows in images of shape dims.
func windows(op *operation, dims []int, options UnfoldOptions) kernel.Convolution {
	c := kernel.Convolution{Batch: dims[0], In: dims[1], Groups: 1, Axes: [3]kernel.ConvolutionAxis{kernel.PointAxis, kernel.PointAxis, kernel.PointAxis}}
	s := settings{op: op, axes: len(dims) - 2}
	s.read(&c, options.Stride, options.Dilation)
	s.pad(options.Padding, false)
	if len(options.Kernel) == 0 {
		panic(NewArgumentError(op.method, "no Kernel"))
	}
	for i := 3 - s.axes; i < 3; i++ {
		a := &c.Axes[i]
		a.Image = dims[len(dims)-3+i]
		a.Kernel = s.one("kernel", options.Kernel, i, 1, 1)
		if !s.measure(a, i, false) {
			panic(shapeError(op.method, "the kernel is larger than the padded image", "", dims))
		}
	}
	return c
}

// columns returns the rows for each channel, and the number of columns. It
// panics if the padding is so large that they overflow.
func (g *Graph) columns(op *operation, c kernel.Convolution) (taps, places int) {
	dims := g.ints.take(6)
	for i, a := range c.Axes {
		dims[i], dims[3+i] = a.Kernel, a.Map
	}
	g.newShape(op.method, dims)
	return dims[0] * dims[1] * dims[2], dims[3] * dims[4] * dims[5]
}

func (x Value) unfold(c kernel.Convolution) Value {
	g, from := x.g, x.node(opUnfold.method)
	taps, places := g.columns(&opUnfold, c)
	dims := g.ints.take(3)
	dims[0], dims[1], dims[2] = c.Batch, c.In*taps, places
	n := g.record(&opUnfold, unfoldRule, g.newShape(opUnfold.method, dims), x)
	g.extraOf(n).ints = g.intsOf(c)
	pick(g, unfoldNode[float64], unfoldNode[float32])(n, from, c)
	return g.done()
}

func unfoldNode[T kernel.Float](n, from *node, c kernel.Convolution) {
	kernel.Unfold(numbers[T](n), numbers[T](from), c)
}

func unfoldRule(r *Rule) {
	x := r.g.at(r.n.in[0]).shape
	c := geometryOf(r.n.ints())
	c.Batch, c.In = x.dims[0], x.dims[1]
	r.Add(0, r.Grad().fold(c, x.rank()-2))
}

// fold returns images with the given number of spatial axes.
func (x Value) fold(c kernel.Convolution, axes int) Value {
	g, from := x.g, x.node(opFold.method)
	dims := g.ints.take(2 + axes)
	dims[0], dims[1] = c.Batch, c.In
	for i, a := range c.Axes[3-axes:] {
		dims[2+i] = a.Image
	}
	n := g.record(&opFold, foldRule, g.newShape(opFold.method, dims), x)
	g.extraOf(n).ints = g.intsOf(c)
	pick(g, foldNode[float64], foldNode[float32])(n, from, c)
	return g.done()
}

func foldNode[T kernel.Float](n, from *node, c kernel.Convolution) {
	kernel.Fold(numbers[T](n), numbers[T](from), c)
}

func foldRule(r *Rule) {
	c := geometryOf(r.n.ints())
	c.Batch, c.In = r.n.shape.dims[0], r.n.shape.dims[1]
	r.Add(0, r.Grad().unfold(c))
}
