package autograd

import (
	"fmt"

	"nabla/internal/kernel"
)

var (
	opConv          = operation{name: "conv", method: "Conv"}
	opConvTranspose = operation{name: "conv transpose", method: "ConvTranspose"}
	opConvWeights   = operation{name: "conv weights", method: "Conv"}
)

// ConvOptions are the settings of [Value.Conv]. The zero ConvOptions convolve
// without bias, by steps of 1, without padding.
type ConvOptions struct {
	Bias     Value    // [out]; the zero Value: none
	Stride   []int    // one per spatial axis, or one number for all; nil: 1
	Padding  [][2]int // zeros before and after: a pair per axis, or one pair for all; nil: none
	Same     bool     // pad so that the output has ceil(n/stride) elements, the surplus at the end; excludes Padding
	Dilation []int    // steps between the elements that the kernel meets; as Stride
	Groups   int      // of channels, each convolved on its own; 0: 1
}

// Conv returns the convolution of images with kernels, as networks define it
// (the kernel is not flipped). x is [batch, in channels, …] with 1 to 3 spatial
// axes, w is [out channels, in channels / groups, kernel…]. Along each spatial
// axis
//
//	y[at] = Σ x[at·stride − padding + k·dilation]·w[k] + bias
//
// summed over the kernel and the channels of the group. There are
// (n + padding before and after − dilation·(kernel − 1) − 1) / stride + 1
// places at, rounded down. The zeros of the padding count as such: an infinite
// weight makes NaN of them. A batch of 0 is one.
//
//	∂/∂x = gy convolved back with w: see [Value.ConvTranspose]
//	∂/∂w[k] = Σ gy[at]·x[at·stride − padding + k·dilation]
//	∂/∂bias = gy summed over the batch and the spatial axes
//
// Conv panics with a [*ShapeError] if x or w has another number of axes, the
// channels do not fit, the groups do not divide them, a kernel is empty or
// larger than the padded image, or the bias is not [out channels]; and with an
// [*ArgumentError] for settings that make no sense, such as a stride of 0.
func (x Value) Conv(w Value, options ConvOptions) Value {
	xs, ws := x.node(opConv.method).shape, x.operand(opConv.method, w).shape
	c := convolution(&opConv, xs, ws, options.Groups)
	if c.In = xs.dims[1]; c.In != ws.dims[1]*c.Groups {
		reason := "the image's channels are not those of the weights"
		if c.Groups > 1 {
			reason += fmt.Sprintf(" in %d groups", c.Groups)
		}
		panic(shapeError(opConv.method, reason, " by ", xs.dims, ws.dims))
	}
	if c.Out = ws.dims[0]; c.Out%c.Groups != 0 {
		panic(shapeError(opConv.method, fmt.Sprintf("%d groups do not divide the output channels", c.Groups), " by ", xs.dims, ws.dims))
	}
	s := settings{op: &opConv, axes: xs.rank() - 2}
	s.read(&c, options.Stride, options.Dilation)
	s.pad(options.Padding, options.Same)
	for i := 3 - s.axes; i < 3; i++ {
		a := &c.Axes[i]
		a.Image = xs.dims[xs.rank()-3+i]
		if !s.measure(a, i, options.Same) {
			panic(shapeError(opConv.method, "the kernel is larger than the padded image", " by ", xs.dims, ws.dims))
		}
	}
	x.checkBias(opConv.method, options.Bias, c.Out)
	return x.conv(c, w, options.Bias)
}

// ConvTransposeOptions are the settings of [Value.ConvTranspose].
type ConvTransposeOptions struct {
	Bias          Value    // [out]; the zero Value: none
	Stride        []int    // one per spatial axis, or one number for all; nil: 1
	Padding       [][2]int // what is cut off before and after: a pair per axis, or one pair for all; nil: nothing
	OutputPadding []int    // elements more at the end, fewer than Stride or Dilation; as Stride; nil: none
	Dilation      []int    // as Stride
	Groups        int      // 0: 1
}

// ConvTranspose returns the transposed convolution, which spreads each element
// over a window: what [Value.Conv] with the same weights and settings does to
// gradients. x is [batch, in channels, …] with 1 to 3 spatial axes, w is [in
// channels, out channels / groups, kernel…]. Along each spatial axis
//
//	y[at·stride − padding + k·dilation] = Σ x[at]·w[k] + bias
//
// and the length is (n − 1)·stride − padding before and after
// + dilation·(kernel − 1) + 1 + output padding. With a stride, several lengths
// give the same one under Conv: the output padding chooses among them. Places
// outside of x count as zeros: an infinite weight makes NaN of them.
//
//	∂/∂x = gy convolved with w: see [Value.Conv]
//	∂/∂w[k] = Σ x[at]·gy[at·stride − padding + k·dilation]
//	∂/∂bias = gy summed over the batch and the spatial axes
//
// It panics as Conv does, with a [*ShapeError] if nothing is left of an axis,
// and with an [*ArgumentError] if the output padding is too large.
func (x Value) ConvTranspose(w Value, options ConvTransposeOptions) Value {
	op := &opConvTranspose
	xs, ws := x.node(op.method).shape, x.operand(op.method, w).shape
	c := convolution(op, xs, ws, options.Groups)
	c.Out, c.In = ws.dims[0], ws.dims[1]*c.Groups
	if c.Out != xs.dims[1] {
		panic(shapeError(op.method, "the image's channels are not those of the weights", " by ", xs.dims, ws.dims))
	}
	if c.Out%c.Groups != 0 {
		panic(shapeError(op.method, fmt.Sprintf("%d groups do not divide the input channels", c.Groups), " by ", xs.dims, ws.dims))
	}
	s := settings{op: op, axes: xs.rank() - 2}
	s.read(&c, options.Stride, options.Dilation)
	s.pad(options.Padding, false)
	for i := 3 - s.axes; i < 3; i++ {
		a := &c.Axes[i]
		a.Map = xs.dims[xs.rank()-3+i]
		more := s.one("output padding", options.OutputPadding, i, 0, 0)
		if more >= max(a.Stride, a.Dilation) && more > 0 {
			panic(NewArgumentError(op.method, "an output padding of %d, not less than stride %d or dilation %d", more, a.Stride, a.Dilation))
		}
		a.Image = (a.Map-1)*a.Stride - s.before[i] - s.after[i] + a.Dilation*(a.Kernel-1) + 1 + more
		if a.Map == 0 || a.Image <= 0 {
			panic(shapeError(op.method, "nothing is left of an axis", " by ", xs.dims, ws.dims))
		}
		a.Before = s.before[i]
	}
	x.checkBias(op.method, options.Bias, c.In)
	return x.convTranspose(c, w, options.Bias)
}

// convolution returns the geometry without channels and spatial axes, and
// checks the ranks.
func convolution(op *operation, xs, ws *shape, groups int) kernel.Convolution {
	if xs.rank() < 3 || xs.rank() > 5 {
		panic(shapeError(op.method, "images have 3 to 5 axes: batch, channels and 1 to 3 spatial ones", " by ", xs.dims, ws.dims))
	}
	if ws.rank() != xs.rank() {
		panic(shapeError(op.method, "the weights need as many axes as the images", " by ", xs.dims, ws.dims))
	}
	if groups < 0 {
		panic(NewArgumentError(op.method, "%d groups", groups))
	}
	c := kernel.Convolution{Batch: xs.dims[0], Groups: max(1, groups), Axes: [3]kernel.ConvolutionAxis{kernel.PointAxis, kernel.PointAxis, kernel.PointAxis}}
	for i, k := range ws.dims[2:] {
		if k == 0 {
			panic(shapeError(op.method, "an empty kernel", " by ", xs.dims, ws.dims))
		}
		c.Axes[i+5-ws.rank()].Kernel = k
	}
	return c
}

// settings are what stands in an operation's options for each spatial axis.
// They have the places of [kernel.Convolution]: the last of three.
type settings struct {
	op            *operation
	axes          int
	before, after [3]int
}

// mostSetting is the largest stride, dilation and padding, and of pooling also
// the longest window, so that no sum or product of them overflows.
const mostSetting = 1 << 24

// one returns the setting for axis i: the only one, that of the axis, or none
// if nothing is set.
func (s *settings) one(what string, given []int, i, none, least int) int {
	if given == nil {
		return none
	}
	if len(given) != 1 && len(given) != s.axes {
		panic(NewArgumentError(s.op.method, "%d numbers for the %s of %d spatial axes", len(given), what, s.axes))
	}
	v := given[0]
	if len(given) > 1 {
		v = given[i-3+s.axes]
	}
	s.check(what, v, least)
	return v
}

func (s *settings) check(what string, v, least int) {
	if v < least || v > mostSetting {
		panic(NewArgumentError(s.op.method, "a %s of %d", what, v))
	}
}

// read sets the strides and dilations.
func (s *settings) read(c *kernel.Convolution, stride, dilation []int) {
	for i := 3 - s.axes; i < 3; i++ {
		c.Axes[i].Stride = s.one("stride", stride, i, 1, 1)
		c.Axes[i].Dilation = s.one("dilation", dilation, i, 1, 1)
	}
}

// pad reads the padding.
func (s *settings) pad(padding [][2]int, same bool) {
	if padding == nil {
		return
	}
	if same {
		panic(NewArgumentError(s.op.method, "both Same and Padding"))
	}
	if len(padding) != 1 && len(padding) != s.axes {
		panic(NewArgumentError(s.op.method, "%d pairs for the padding of %d spatial axes", len(padding), s.axes))
	}
	for i := 3 - s.axes; i < 3; i++ {
		pair := padding[0]
		if len(padding) > 1 {
			pair = padding[i-3+s.axes]
		}
		s.check("padding", pair[0], 0)
		s.check("padding", pair[1], 0)
		s.before[i], s.after[i] = pair[0], pair[1]
	}
}

// measure sets the length of the map along axis i, whose image's is known. It
// returns false if the window is longer than the padded image.
func (s *settings) measure(a *kernel.ConvolutionAxis, i int, same bool) bool {
	window := a.Dilation*(a.Kernel-1) + 1
	if same {
		a.Map = (a.Image + a.Stride - 1) / a.Stride
		a.Before = max(0, (a.Map-1)*a.Stride+window-a.Image) / 2
		return true
	}
	a.Before = s.before[i]
	room := a.Image + s.before[i] + s.after[i] - window
	a.Map = room/a.Stride + 1
	return room >= 0
}

func (x Value) checkBias(op string, bias Value, channels int) {
	if bias.IsZero() {
		return
	}
	if s := x.operand(op, bias).shape; s.rank() != 1 || s.dims[0] != channels {
		panic(shapeError(op, fmt.Sprintf("a bias has one axis, of %d channels", channels), "", s.dims))
	}
}

// conv, convTranspose and convWeights are one trilinear form: the sum of
// image·map·weights over all that meet. Each is its derivative by one of the
// three, so that their rules need no operation besides them.

// conv returns the maps of the images x.
func (x Value) conv(c kernel.Convolution, w, bias Value) Value {
	n := x.convolved(&opConv, convRule, c, w, bias)
	kernelOf(x.g, n, c, kernel.Conv, kernel.Conv)
	return x.g.done()
}

func convRule(r *Rule) {
	gy, c := r.Grad(), r.g.convolutionOf(r.n)
	if r.Needs(0) {
		r.Add(0, gy.convTranspose(c, r.In(1), Value{}))
	}
	if r.Needs(1) {
		r.Add(1, r.In(0).convWeights(c, gy))
	}
	r.addBias()
}

// convTranspose returns the images to which the maps x contribute.
func (x Value) convTranspose(c kernel.Convolution, w, bias Value) Value {
	n := x.convolved(&opConvTranspose, convTransposeRule, c, w, bias)
	kernelOf(x.g, n, c, kernel.ConvTranspose, kernel.ConvTranspose)
	return x.g.done()
}

func convTransposeRule(r *Rule) {
	gy, c := r.Grad(), r.g.convolutionOf(r.n)
	if r.Needs(0) {
		r.Add(0, gy.conv(c, r.In(1), Value{}))
	}
	if r.Needs(1) {
		r.Add(1, gy.convWeights(c, r.In(0)))
	}
	r.addBias()
}

// convWeights returns the weights that the images x and the maps y contribute
// to.
func (x Value) convWeights(c kernel.Convolution, y Value) Value {
	n := x.convolved(&opConvWeights, convWeightsRule, c, y, Value{})
	kernelOf(x.g, n, c, weightsKernel[float64], weightsKernel[float32])
	return x.g.done()
}

func weightsKernel[T kernel.Float](dst, x, y, _ []T, c kernel.Convolution) {
	kernel.ConvWeights(dst, x, y, c)
}

func convWeightsRule(r *Rule) {
	gw, c := r.Grad(), r.g.convolutionOf(r.n)
	if r.Needs(0) {
		r.Add(0, r.In(1).convTranspose(c, gw, Value{}))
	}
	if r.Needs(1) {
		r.Add(1, r.In(0).conv(c, gw, Value{}))
	}
}

// addBias adds to the gradient of the bias, if there is one.
func (r *Rule) addBias() {
	if len(r.n.inputs()) < 3 || !r.Needs(2) {
		return
	}
	axes := r.g.ints.take(r.n.shape.rank() - 1)
	for i := range axes {
		axes[i] = i + 1
	}
	axes[0] = 0
	r.Add(2, r.Grad().Sum(axes...))
}

// convolved records one of the three, whose other operand is y.
func (x Value) convolved(op *operation, rule func(*Rule), c kernel.Convolution, y, bias Value) *node {
	g, rank := x.g, x.node(op.method).shape.rank()
	dims := g.ints.take(rank)
	dims[0] = c.Batch
	for i, a := range c.Axes[5-rank:] {
		switch op {
		case &opConv:
			dims[1], dims[2+i] = c.Out, a.Map
		case &opConvTranspose:
			dims[1], dims[2+i] = c.In, a.Image
		default:
			dims[0], dims[1], dims[2+i] = c.Out, c.In/c.Groups, a.Kernel
		}
	}
	s := g.newShape(op.method, dims)
	var n *node
	if bias.IsZero() {
		n = g.record(op, rule, s, x, y)
	} else {
		n = g.record(op, rule, s, x, y, bias)
	}
	g.extraOf(n).ints = g.intsOf(c)
	return n
}

// kernelOf computes the numbers of a node that convolved recorded.
func kernelOf(g *Graph, n *node, c kernel.Convolution, f64 convKernel[float64], f32 convKernel[float32]) {
	if g.single {
		convolve(g, n, c, f32)
	} else {
		convolve(g, n, c, f64)
	}
}

// A convKernel computes dst from two operands and a bias, which may be nil.
type convKernel[T kernel.Float] func(dst, x, y, bias []T, c kernel.Convolution)

func convolve[T kernel.Float](g *Graph, n *node, c kernel.Convolution, f convKernel[T]) {
	in := n.inputs()
	var bias []T
	if len(in) > 2 {
		bias = numbers[T](g.at(in[2]))
	}
	f(numbers[T](n), numbers[T](g.at(in[0])), numbers[T](g.at(in[1])), bias, c)
}

// intsOf returns a geometry as a node keeps it: the groups, then six numbers
// for each axis.
func (g *Graph) intsOf(c kernel.Convolution) []int {
	ints := append(g.ints.take(1 + 6*3)[:0], c.Groups)
	for _, a := range c.Axes {
		ints = append(ints, a.Image, a.Map, a.Kernel, a.Stride, a.Before, a.Dilation)
	}
	return ints
}

// geometryOf returns the geometry that intsOf gave, without batch and channels.
func geometryOf(ints []int) kernel.Convolution {
	c := kernel.Convolution{Groups: ints[0]}
	for i := range c.Axes {
		at := ints[1+6*i:]
		c.Axes[i] = kernel.ConvolutionAxis{Image: at[0], Map: at[1], Kernel: at[2], Stride: at[3], Before: at[4], Dilation: at[5]}
	}
	return c
}

// convolutionOf returns the geometry of a node that convolved recorded.
func (g *Graph) convolutionOf(n *node) kernel.Convolution {
	in, c := n.inputs(), geometryOf(n.ints())
	x, y := g.at(in[0]).shape.dims, g.at(in[1]).shape.dims
	c.Batch = x[0]
	switch n.op {
	case &opConv:
		c.In, c.Out = x[1], y[0]
	case &opConvTranspose:
		c.In, c.Out = n.shape.dims[1], x[1]
	case &opConvWeights:
		c.In, c.Out = x[1], y[1]
	}
	return c
}
