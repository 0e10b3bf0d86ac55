package autograd

import (
	"fmt"
	"math"

	"nabla/internal/kernel"
)

// Pooling takes inputs [batch, channels, …] with one to three spatial axes, and
// makes one element of each window of each channel.

var (
	opMaxPool         = operation{name: "max pool", method: "MaxPool"}
	opMaxPoolGradient = operation{name: "max pool gradient", method: "MaxPool"}
	opMaxPoolGather   = operation{name: "max pool gather", method: "MaxPool"}
	opAvgPool         = operation{name: "avg pool", method: "AvgPool"}
	opAvgPoolGradient = operation{name: "avg pool gradient", method: "AvgPool"}
)

// PoolOptions are the settings of [Value.MaxPool] and [Value.AvgPool]. Each
// list has an entry for each spatial axis, or one for all.
type PoolOptions struct {
	Kernel         []int    // the windows' lengths
	Stride         []int    // from one window to the next; nil: Kernel
	Padding        [][2]int // elements added before and after, at most half a window; nil: none
	Dilation       []int    // from one element of a window to the next; nil: 1. MaxPool only
	Ceil           bool     // also windows that reach beyond the end, unless they begin there: PyTorch's ceil_mode
	ExcludePadding bool     // AvgPool only: divide by the number of elements without the padding
}

// MaxPool returns the greatest element of each window, or NaN if one is NaN.
// Padding never is the greatest.
//
//	∂y/∂x = 1 for the first of the greatest elements of a window, else 0
//
// Where several elements of a window are NaN, the last has the gradient, as in
// PyTorch. MaxPool panics with an [*ArgumentError] if an option makes no sense,
// and with a [*ShapeError] if x does not have the axes, a window does not fit
// into the padded input, or a window has no elements.
func (x Value) MaxPool(options PoolOptions) Value {
	return x.maxPool(x.pool(&opMaxPool, options))
}

// AvgPool returns the mean of each window: padding counts as zeros, unless
// ExcludePadding is set. What a window has beyond the padding, by Ceil, never
// counts.
//
//	gx = the sum of gy/n over the windows, of n elements, that x is in
//
// It panics with an [*ArgumentError] if an option makes no sense, and with a
// [*ShapeError] if x does not have the axes or a window does not fit into the
// padded input.
func (x Value) AvgPool(options PoolOptions) Value {
	if options.Dilation != nil {
		panic(NewArgumentError(opAvgPool.method, "the windows of a mean have no dilation"))
	}
	return x.avgPool(x.pool(&opAvgPool, options))
}

// AdaptiveMaxPool returns the greatest element of each of the windows into
// which an axis is cut: one size for each spatial axis, or one for all. Window
// i of n begins at ⌊i·length/n⌋ and ends before ⌈(i+1)·length/n⌉.
//
//	∂y/∂x = 1 for the first of the greatest elements of a window, else 0
//
// It panics with an [*ArgumentError] if a size is not positive, and with a
// [*ShapeError] if x does not have the axes or has no elements on one.
func (x Value) AdaptiveMaxPool(sizes ...int) Value {
	return x.maxPool(x.adaptive("AdaptiveMaxPool", sizes))
}

// AdaptiveAvgPool returns the mean of each of the windows into which an axis is
// cut, as in [Value.AdaptiveMaxPool].
//
//	gx = the sum of gy/n over the windows, of n elements, that x is in
//
// It panics with an [*ArgumentError] if a size is not positive, and with a
// [*ShapeError] if x does not have the axes or has no elements on one.
func (x Value) AdaptiveAvgPool(sizes ...int) Value {
	return x.avgPool(x.adaptive("AdaptiveAvgPool", sizes))
}

// GlobalMaxPool returns the greatest element of each channel, [batch,
// channels], or NaN if one is NaN.
//
//	∂y/∂x = 1 for the first of the greatest elements of a channel, else 0
//
// It panics with a [*ShapeError] if x does not have the axes or has no elements
// on one.
func (x Value) GlobalMaxPool() Value {
	y := x.maxPool(x.adaptive("GlobalMaxPool", oneWindow))
	return y.Reshape(y.node("GlobalMaxPool").shape.dims[:2]...)
}

// GlobalAvgPool returns the mean of each channel, [batch, channels].
//
//	∂y/∂x = 1/n
//
// It panics with a [*ShapeError] if x does not have the axes or has no elements
// on one.
func (x Value) GlobalAvgPool() Value {
	g, s := x.g, x.node("GlobalAvgPool").shape
	axes := spatialAxes("GlobalAvgPool", s)
	over := g.ints.take(axes)
	for i := range over {
		over[i] = 2 + i
		if s.dims[2+i] == 0 {
			panic(shapeError("GlobalAvgPool", "a window without elements", "", s.dims))
		}
	}
	return x.Mean(over...)
}

// oneWindow is the sizes of a global pooling.
var oneWindow = []int{1}

// spatialAxes returns the number of spatial axes of an input [batch, channels,
// …].
func spatialAxes(op string, s *shape) int {
	axes := s.rank() - 2
	if axes < 1 || axes > 3 {
		panic(shapeError(op, "not [batch, channels, …] with 1 to 3 spatial axes", "", s.dims))
	}
	return axes
}

// The windows of a pooling are a node's ints: for each of three axes poolHead
// numbers, then the tables.
const poolHead = 8

// volume returns the windows that a node's ints hold.
func volume(ints []int) (v kernel.Volume) {
	tables := ints[3*poolHead:]
	for i := range v {
		w, head := &v[i], ints[i*poolHead:]
		w.In, w.Out, w.Step, w.Kernel, w.Stride, w.Before = head[0], head[1], head[2], head[3], head[4], head[5]
		w.First, w.Count, w.Share, tables = tables[:w.Out], tables[w.Out:2*w.Out], tables[2*w.Out:3*w.Out], tables[3*w.Out:]
	}
	return v
}

// windows takes the ints for a pooling of x to the given sizes, and returns
// them with their volume. Axes that x does not have get one window of one
// element.
func (g *Graph) windows(s *shape, sizes []int) ([]int, kernel.Volume) {
	missing := 3 - len(sizes)
	total := 3*poolHead + 3*missing
	for _, n := range sizes {
		total += 3 * n
	}
	ints := g.ints.take(total)
	for i := range 3 {
		head := ints[i*poolHead:]
		copy(head, []int{1, 1, 1, 1, 1, 0, 0, 0})
		if i >= missing {
			head[0], head[1] = s.dims[2+i-missing], sizes[i-missing]
		}
	}
	v := volume(ints)
	for i := range missing {
		v[i].First[0], v[i].Count[0], v[i].Share[0] = 0, 1, 1
	}
	return ints, v
}

// adaptive returns the ints of an adaptive pooling.
func (x Value) adaptive(op string, sizes []int) []int {
	g, s := x.g, x.node(op).shape
	axes := spatialAxes(op, s)
	all := g.ints.take(axes)
	g.eachAxis(op, "sizes", all, sizes, mostSetting)
	ints, v := g.windows(s, all)
	for i := range axes {
		w := &v[3-axes+i]
		if w.In == 0 {
			panic(shapeError(op, "a window without elements", "", s.dims))
		}
		head := ints[(3-axes+i)*poolHead:]
		if head[4] = 0; w.In%w.Out == 0 {
			head[3], head[4] = w.In/w.Out, w.In/w.Out // windows at even distances
		}
		for o := range w.Out {
			w.First[o] = o * w.In / w.Out
			w.Count[o] = ((o+1)*w.In+w.Out-1)/w.Out - w.First[o]
			w.Share[o] = w.Count[o]
		}
	}
	return ints
}

// eachAxis sets dst, which has an element for each axis, to the numbers of an
// option: as many, or one for all.
func (g *Graph) eachAxis(op, what string, dst, list []int, most int) {
	if len(list) != len(dst) && len(list) != 1 {
		panic(NewArgumentError(op, "%d %s for %d spatial axes", len(list), what, len(dst)))
	}
	for i := range dst {
		dst[i] = list[min(i, len(list)-1)]
		if dst[i] < 1 {
			panic(NewArgumentError(op, "%s: %d is less than 1", what, dst[i]))
		}
		if dst[i] > most {
			panic(NewArgumentError(op, "%s: %d is more than %d", what, dst[i], most))
		}
	}
}

// pool checks the options of a pooling and returns its ints.
func (x Value) pool(op *operation, o PoolOptions) []int {
	g, s := x.g, x.node(op.method).shape
	axes := spatialAxes(op.method, s)
	lists := g.ints.take(4 * axes)
	kernels, strides, steps, sizes := lists[:axes], lists[axes:2*axes], lists[2*axes:3*axes], lists[3*axes:]
	if o.Stride == nil {
		o.Stride = o.Kernel
	}
	if o.Dilation == nil {
		o.Dilation = oneWindow
	}
	g.eachAxis(op.method, "kernel lengths", kernels, o.Kernel, mostSetting)
	g.eachAxis(op.method, "strides", strides, o.Stride, mostSetting)
	g.eachAxis(op.method, "dilations", steps, o.Dilation, mostSetting)
	for i := range axes {
		sizes[i] = o.results(op.method, s, i, kernels[i], strides[i], steps[i])
	}
	ints, v := g.windows(s, sizes)
	for i := range axes {
		axis, pad := 3-axes+i, o.padding(op.method, i, axes)
		head := ints[axis*poolHead:]
		head[2], head[3], head[4], head[5] = steps[i], kernels[i], strides[i], pad[0]
		head[6], head[7] = pad[1], bit(o.Ceil)+2*bit(o.ExcludePadding)
		w := &v[axis]
		w.Step, w.Kernel, w.Stride, w.Before = steps[i], kernels[i], strides[i], pad[0]
		cut(op.method, s, w, pad[1], o.ExcludePadding)
	}
	return ints
}

// padding returns the padding of an axis.
func (o PoolOptions) padding(op string, axis, axes int) [2]int {
	switch len(o.Padding) {
	case 0:
		return [2]int{}
	case 1, axes:
		return o.Padding[min(axis, len(o.Padding)-1)]
	}
	panic(NewArgumentError(op, "%d pairs of padding for %d spatial axes", len(o.Padding), axes))
}

// results returns how many windows an axis has.
func (o PoolOptions) results(op string, s *shape, i, length, stride, step int) int {
	n, pad := s.dims[2+i], o.padding(op, i, s.rank()-2)
	reach := (length-1)*step + 1
	if pad[0] < 0 || pad[1] < 0 || max(pad[0], pad[1]) > reach/2 {
		panic(NewArgumentError(op, "padding %v: neither may be negative, nor more than half of a window of length %d", pad, reach))
	}
	rest := n + pad[0] + pad[1] - reach
	if rest < 0 {
		panic(shapeError(op, fmt.Sprintf("a window of length %d does not fit into %d elements", reach, n+pad[0]+pad[1]), "", s.dims))
	}
	if !o.Ceil {
		return rest/stride + 1
	}
	count := (rest+stride-1)/stride + 1
	if (count-1)*stride >= n+pad[0] {
		count-- // it would begin in the padding at the end
	}
	return count
}

// cut fills the tables of an axis: windows at even distances, without what they
// have beyond its ends.
func cut(op string, s *shape, w *kernel.Windows, after int, exclude bool) {
	for o := range w.Out {
		begin := o*w.Stride - w.Before
		end := begin + (w.Kernel-1)*w.Step + 1
		first := begin
		if first < 0 {
			first += (-begin + w.Step - 1) / w.Step * w.Step
		}
		w.First[o], w.Count[o] = first, (min(end, w.In)-first+w.Step-1)/w.Step
		if first >= w.In || w.Count[o] < 1 {
			panic(shapeError(op, "a window without elements", "", s.dims))
		}
		w.Share[o] = w.Count[o]
		if !exclude {
			w.Share[o] = min(end, w.In+after) - begin
		}
	}
}

// pooled returns the shape of a pooling of s.
func (g *Graph) pooled(op string, s *shape, ints []int) *shape {
	dims := g.copied(s.dims)
	axes := len(dims) - 2
	for i := range axes {
		dims[2+i] = ints[(3-axes+i)*poolHead+1]
	}
	return g.newShape(op, dims)
}

// planes returns the number of channels of all rows of a batch.
func (s *shape) planes() int { return s.dims[0] * s.dims[1] }

// area returns the number of elements of a channel.
func (s *shape) area() int {
	n := 1
	for _, d := range s.dims[2:] {
		n *= d
	}
	return n
}

func (x Value) maxPool(ints []int) Value {
	g, from := x.g, x.node(opMaxPool.method)
	s := g.pooled(opMaxPool.method, from.shape, ints)
	if from.shape.area() > math.MaxInt32 {
		panic(shapeError(opMaxPool.method, "a channel of 2³¹ elements or more", "", from.shape.dims))
	}
	n := g.record(&opMaxPool, maxPoolRule, s, x)
	e := g.extraOf(n)
	e.ints = ints
	if g.wanted != 0 { // also of a constant, which Grad may be asked for
		e.chosen = g.ids.take(s.size)
	}
	pick(g, maxPoolNode[float64], maxPoolNode[float32])(n, from)
	return g.done()
}

func maxPoolNode[T kernel.Float](n, x *node) {
	kernel.MaxPool(numbers[T](n), n.extra.chosen, numbers[T](x), n.shape.planes(), volume(n.extra.ints))
}

func maxPoolRule(r *Rule) {
	r.Add(0, r.Grad().byChosen(&opMaxPoolGradient, maxPoolGradientRule, r.g.at(r.n.in[0]).shape, r.n.extra.chosen, int(r.id)))
}

// byChosen records the gradient of a max pooling, or the gradient of that: x at
// the places that node by chose, of zeros of shape s, or what x has there.
func (x Value) byChosen(op *operation, rule func(*Rule), s *shape, chosen []int32, by int) Value {
	g, from := x.g, x.node(op.method)
	n := g.record(op, rule, s, x)
	e := g.extraOf(n)
	e.chosen = chosen
	e.told[0] = by
	pick(g, byChosenNode[float64], byChosenNode[float32])(n, from)
	return g.done()
}

func byChosenNode[T kernel.Float](n, x *node) {
	move := kernel.ScatterPlanes[T]
	few, many := x.shape, n.shape
	if n.op == &opMaxPoolGather {
		move, few, many = kernel.GatherPlanes[T], many, few
	}
	if few.size > 0 {
		move(numbers[T](n), numbers[T](x), n.extra.chosen, few.planes(), few.area(), many.area())
	}
}

func maxPoolGradientRule(r *Rule) {
	r.Add(0, r.Grad().byChosen(&opMaxPoolGather, maxPoolGatherRule, r.g.at(r.n.in[0]).shape, r.n.extra.chosen, r.n.extra.told[0]))
}

func maxPoolGatherRule(r *Rule) {
	r.Add(0, r.Grad().byChosen(&opMaxPoolGradient, maxPoolGradientRule, r.g.at(r.n.in[0]).shape, r.n.extra.chosen, r.n.extra.told[0]))
}

func (x Value) avgPool(ints []int) Value {
	g, from := x.g, x.node(opAvgPool.method)
	n := g.record(&opAvgPool, avgPoolRule, g.pooled(opAvgPool.method, from.shape, ints), x)
	g.extraOf(n).ints = ints
	pick(g, avgPoolNode[float64], avgPoolNode[float32])(n, from)
	return g.done()
}

func avgPoolNode[T kernel.Float](n, x *node) {
	kernel.AvgPool(numbers[T](n), numbers[T](x), n.shape.planes(), volume(n.extra.ints))
}

func avgPoolRule(r *Rule) { r.Add(0, r.Grad().avgPoolGradient(r.g.at(r.n.in[0]).shape, r.n.ints())) }

// avgPoolGradient is the adjoint of avgPool, for an input of shape s.
func (x Value) avgPoolGradient(s *shape, ints []int) Value {
	g, from := x.g, x.node(opAvgPoolGradient.method)
	n := g.record(&opAvgPoolGradient, avgPoolGradientRule, s, x)
	g.extraOf(n).ints = ints
	pick(g, avgPoolGradientNode[float64], avgPoolGradientNode[float32])(n, from)
	return g.done()
}

func avgPoolGradientNode[T kernel.Float](n, gy *node) {
	kernel.AvgPoolGrad(numbers[T](n), numbers[T](gy), n.shape.planes(), volume(n.extra.ints))
}

func avgPoolGradientRule(r *Rule) { r.Add(0, r.Grad().avgPool(r.n.ints())) }
