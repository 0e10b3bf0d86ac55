package onnx

import (
	"slices"

	"nabla/autograd"
)

// The operations below rearrange the elements of a tensor of any type: Values
// by operations of the graph, others beside it.

// A spreading says from where the elements of a broadcast tensor come.
type spreading struct {
	shape, strides []int // of the result, and of the source in it
	same, single   bool
}

// spread returns where elements of a shape stand once it is broadcast.
func spread(from, to []int) spreading {
	s := spreading{shape: to, strides: make([]int, len(to)), same: product(from) == product(to), single: product(from) == 1}
	stride := 1
	for i := len(from) - 1; i >= 0; i-- {
		if from[i] != 1 {
			s.strides[len(to)-len(from)+i] = stride
		}
		stride *= from[i]
	}
	return s
}

// at returns which element of the source stands at place i.
func (s spreading) at(i int) int {
	switch {
	case s.single:
		return 0
	case s.same:
		return i
	}
	from := 0
	for axis := len(s.shape) - 1; axis >= 0; axis-- {
		from += i % s.shape[axis] * s.strides[axis]
		i /= s.shape[axis]
	}
	return from
}

// gatherStrided returns where the elements of a shape stand that have any
// strides, from an offset on.
func gatherStrided(shape, strides []int, offset int) []int {
	from := make([]int, product(shape))
	index := make([]int, len(shape))
	at := offset
	for i := range from {
		from[i] = at
		for axis := len(shape) - 1; axis >= 0; axis-- {
			index[axis]++
			at += strides[axis]
			if index[axis] < shape[axis] {
				break
			}
			at -= strides[axis] * shape[axis]
			index[axis] = 0
		}
	}
	return from
}

// rowMajor returns the strides of a shape.
func rowMajor(shape []int) []int {
	strides := make([]int, len(shape))
	stride := 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = stride
		stride *= shape[i]
	}
	return strides
}

// onGraph reports whether a tensor's operations are those of the graph.
func (d datum) onGraph() bool { return d.host == nil }

// like is a Value that is part of a tensor: what moves the elements of a mask
// leaves zeros and ones.
func (d datum) like(v value) datum { return datum{elem: d.elem, value: v} }

// take returns the elements of an array at places, −1 for zero.
func (a *array) take(from []int, shape []int) *array {
	to := &array{shape: slices.Clone(shape)}
	if a.floats != nil {
		to.floats = taken(a.floats, from)
	}
	if a.ints != nil {
		to.ints = taken(a.ints, from)
	}
	if a.strings != nil {
		to.strings = taken(a.strings, from)
	}
	return to
}

func taken[T any](values []T, from []int) []T {
	to := make([]T, len(from))
	for i, at := range from {
		if at >= 0 {
			to[i] = values[at]
		}
	}
	return to
}

// pick returns the elements at places, counted in row-major order, in a shape.
func (c *call) pick(x datum, from []int, shape []int) datum {
	c.room(shape)
	if !x.onGraph() {
		return datum{elem: x.elem, host: x.host.take(from, shape)}
	}
	v := c.valueOf(x).Reshape(-1).IndexSelect(0, toInts(from, []int{len(from)}))
	return x.like(v.Reshape(shape...))
}

// reshape returns the elements in another shape; one −1 stands for the rest.
func (c *call) reshape(x datum, shape []int) datum {
	to := slices.Clone(shape)
	if free := slices.Index(to, -1); free >= 0 {
		to[free] = 1
		rest := product(to)
		if rest <= 0 || x.size()%rest != 0 {
			c.failShapes("the elements do not fit the shape", x.shape(), shape)
		}
		to[free] = x.size() / rest
	}
	if product(to) != x.size() {
		c.failShapes("the elements do not fit the shape", x.shape(), shape)
	}
	if x.onGraph() {
		return x.like(c.valueOf(x).Reshape(to...))
	}
	host := *x.host
	host.shape = to
	return datum{elem: x.elem, host: &host}
}

// permute reorders axes.
func (c *call) permute(x datum, order []int) datum {
	if x.onGraph() {
		return x.like(c.valueOf(x).Permute(order...))
	}
	if len(order) != x.rank() {
		c.failShapes("the order does not fit the axes", x.shape(), order)
	}
	strides := rowMajor(x.host.shape)
	shape, moved := make([]int, len(order)), make([]int, len(order))
	for i, axis := range c.axes(order, x.rank()) {
		shape[i], moved[i] = x.host.shape[axis], strides[axis]
	}
	return datum{elem: x.elem, host: x.host.take(gatherStrided(shape, moved, 0), shape)}
}

// narrow returns length elements along an axis, from start on, every step-th.
func (c *call) narrow(x datum, axis, start, length, step int) datum {
	shape := x.shape()
	if start == 0 && step == 1 && length == shape[axis] {
		return x
	}
	if x.onGraph() && (step == 1 || length == 0) {
		if length == 0 {
			start = 0
		}
		return x.like(c.valueOf(x).Narrow(axis, start, length))
	}
	if x.onGraph() && step > 1 {
		return x.like(c.valueOf(x).Slice(axis, start, start+(length-1)*step+1, step))
	}
	index := make([]int, length)
	for i := range index {
		index[i] = start + i*step
	}
	return c.along(x, axis, index)
}

// along returns the slices at indices along an axis, which are in range.
func (c *call) along(x datum, axis int, index []int) datum {
	shape := slices.Clone(x.shape())
	shape[axis] = len(index)
	c.room(shape)
	if x.onGraph() {
		return x.like(c.valueOf(x).IndexSelect(axis, toInts(index, []int{len(index)})))
	}
	inner, n := product(x.host.shape[axis+1:]), x.host.shape[axis]
	from := make([]int, 0, product(shape))
	for outer := range product(x.host.shape[:axis]) {
		for _, i := range index {
			for j := range inner {
				from = append(from, (outer*n+i)*inner+j)
			}
		}
	}
	return datum{elem: x.elem, host: x.host.take(from, shape)}
}

// concat joins tensors of one type along an axis.
func (c *call) concat(axis int, xs []datum) datum {
	shape := slices.Clone(xs[0].shape())
	onGraph := xs[0].onGraph()
	for _, x := range xs[1:] {
		next := x.shape()
		if len(next) != len(shape) || x.elem != xs[0].elem || !slices.Equal(next[:axis], shape[:axis]) || !slices.Equal(next[axis+1:], shape[axis+1:]) {
			c.fail("the inputs do not fit each other: %s and %s", xs[0].describe(), x.describe())
		}
		if shape[axis] += next[axis]; shape[axis] < 0 {
			c.tooLarge(next)
		}
		onGraph = onGraph || x.onGraph()
	}
	c.room(shape)
	if onGraph {
		values := make([]value, len(xs))
		for i, x := range xs {
			values[i] = c.valueOf(x)
		}
		return xs[0].like(autograd.Concat(axis, values...))
	}
	to := &array{shape: shape}
	for outer := range product(shape[:axis]) {
		for _, x := range xs {
			row := product(x.host.shape[axis:])
			to.floats = appendRow(to.floats, x.host.floats, outer, row)
			to.ints = appendRow(to.ints, x.host.ints, outer, row)
			to.strings = appendRow(to.strings, x.host.strings, outer, row)
		}
	}
	to.complete(xs[0].host)
	return datum{elem: xs[0].elem, host: to}
}

func appendRow[T any](to, from []T, outer, row int) []T {
	if from == nil {
		return to
	}
	return append(to, from[outer*row:(outer+1)*row]...)
}

// complete makes the slice that another array uses one without elements, if it
// is nil.
func (a *array) complete(as *array) {
	switch {
	case as.floats != nil && a.floats == nil:
		a.floats = []float64{}
	case as.ints != nil && a.ints == nil:
		a.ints = []int64{}
	case as.strings != nil && a.strings == nil:
		a.strings = []string{}
	}
}

// expand broadcasts to a shape.
func (c *call) expand(x datum, shape []int) datum {
	to, ok := broadcast(x.shape(), shape)
	if !ok || !slices.Equal(to, shape) {
		c.failShapes("the shape does not broadcast to the other", x.shape(), shape)
	}
	c.room(to)
	if x.onGraph() {
		return x.like(c.valueOf(x).Expand(to...))
	}
	return datum{elem: x.elem, host: x.host.take(gatherStrided(to, spread(x.host.shape, to).strides, 0), to)}
}

// zeros returns a tensor of zeros, or of empty strings, like x.
func (c *call) zeros(x datum, shape []int) datum {
	c.room(shape)
	if x.onGraph() {
		return x.like(c.graph().Full(0, shape...))
	}
	return datum{elem: x.elem, host: x.host.take(slices.Repeat([]int{-1}, product(shape)), shape)}
}
