package autograd

import (
	"fmt"
	"math"
	"slices"
	"unsafe"

	"nabla/internal/kernel"
)

var (
	opReshape = operation{name: "reshape", method: "Reshape"}
	opExpand  = operation{name: "expand", method: "Expand"}
	opPermute = operation{name: "permute", method: "Permute"}
	opSlice   = operation{name: "slice", method: "Slice"}
	opPad     = operation{name: "pad", method: "Pad"}
	opConcat  = operation{name: "concat", method: "Concat"}
)

// Full returns a constant of the given shape whose elements are all v.
func (g *Graph) Full(v float64, dims ...int) Value {
	n := g.record(&opConstant, nil, g.newShape("Full", dims))
	g.setAll(n, v)
	return g.done()
}

// newShape returns the shape with dimensions given by the user.
func (g *Graph) newShape(op string, dims []int) *shape {
	size, fault := sizeOf(dims)
	if fault != "" {
		panic(shapeError(op, fault, "", dims))
	}
	return g.sized(dims, size)
}

// Reshape returns the same elements, in row-major order, in another shape. One
// dimension may be −1: it is computed from the others. Nothing is copied. It
// panics with a [*ShapeError] if the sizes differ or −1 is ambiguous.
//
//	gx = gy, in x's shape
func (x Value) Reshape(dims ...int) Value {
	n := x.node(opReshape.method)
	return x.reshaped(x.g.inferred(n.shape, dims))
}

func (x Value) reshaped(s *shape) Value {
	x.g.view(&opReshape, reshapeRule, s, x)
	return x.g.done()
}

func reshapeRule(r *Rule) { r.Add(0, r.Grad().reshaped(r.g.at(r.n.in[0]).shape)) }

// inferred returns the shape of dims, with −1 replaced, for a tensor of shape
// from.
func (g *Graph) inferred(from *shape, dims []int) *shape {
	copied := g.ints.take(len(dims))
	copy(copied, dims)
	if open := slices.Index(copied, -1); open >= 0 {
		copied[open] = 1
		rest, _ := sizeOf(copied)
		if rest == 0 || from.size%rest != 0 || slices.Contains(copied, -1) {
			panic(shapeError(opReshape.method, "no dimension fits in the place of -1", " to ", from.dims, dims))
		}
		copied[open] = from.size / rest
	}
	switch size, fault := sizeOf(copied); {
	case fault != "":
		panic(shapeError(opReshape.method, fault, " to ", from.dims, dims))
	case size != from.size:
		panic(shapeError(opReshape.method, "sizes differ", " to ", from.dims, dims))
	}
	return g.shape(copied)
}

// Flatten joins the axes from first to last, both included, into one; a
// scalar becomes a vector of one element.
//
//	gx = gy, in x's shape
//
// It panics with an [*IndexError] if an axis is out of range, and with an
// [*ArgumentError] if first comes after last.
func (x Value) Flatten(first, last int) Value {
	g, s := x.g, x.node("Flatten").shape
	if s.rank() == 0 {
		return x.Reshape(1)
	}
	first, last = g.axis("Flatten", first, s.rank()), g.axis("Flatten", last, s.rank())
	if first > last {
		panic(NewArgumentError("Flatten", "axis %d stands behind axis %d", first, last))
	}
	dims := g.ints.take(s.rank())[:0]
	dims = append(dims, s.dims[:first]...)
	dims = append(dims, spanOfBlock(s, first, last-first+1).n)
	return x.Reshape(append(dims, s.dims[last+1:]...)...)
}

// Squeeze drops axes of length 1; without axes, all of them.
//
//	gx = gy, in x's shape
//
// It panics with a [*ShapeError] if one of the axes has another length, and
// with an [*IndexError] if an axis is out of range.
func (x Value) Squeeze(axes ...int) Value {
	g, s := x.g, x.node("Squeeze").shape
	drop := g.ints.take(s.rank())
	clear(drop)
	for i, d := range s.dims {
		if len(axes) == 0 && d == 1 {
			drop[i] = 1
		}
	}
	for _, axis := range axes {
		axis = g.axis("Squeeze", axis, s.rank())
		if s.dims[axis] != 1 {
			panic(shapeError("Squeeze", fmt.Sprintf("axis %d is not of length 1", axis), "", s.dims))
		}
		drop[axis] = 1
	}
	dims := g.ints.take(s.rank())[:0]
	for i, d := range s.dims {
		if drop[i] == 0 {
			dims = append(dims, d)
		}
	}
	return x.Reshape(dims...)
}

// Unsqueeze inserts axes of length 1 at the given places in the result.
//
//	gx = gy, in x's shape
//
// It panics with an [*IndexError] if the axis is out of range for the result,
// and with an [*ArgumentError] if one is repeated.
func (x Value) Unsqueeze(axes ...int) Value {
	g, s := x.g, x.node("Unsqueeze").shape
	dims := g.ints.take(s.rank() + len(axes))
	clear(dims)
	for _, axis := range axes {
		axis = g.axis("Unsqueeze", axis, len(dims))
		if dims[axis] == 1 {
			panic(NewArgumentError("Unsqueeze", "axis %d stands twice", axis))
		}
		dims[axis] = 1
	}
	rest := s.dims
	for i, d := range dims {
		if d == 0 {
			dims[i], rest = rest[0], rest[1:]
		}
	}
	return x.Reshape(dims...)
}

// Expand repeats axes of length 1, and adds axes in front, to reach the given
// shape. It panics with a [*ShapeError] if any other axis differs.
//
//	gx = the sum of gy over the repeated axes
func (x Value) Expand(dims ...int) Value {
	g, from := x.g, x.node(opExpand.method)
	size, fault := sizeOf(dims)
	if fault != "" {
		panic(shapeError(opExpand.method, fault, " to ", from.shape.dims, dims))
	}
	if !broadcasts(from.shape.dims, dims) {
		panic(shapeError(opExpand.method, "cannot be expanded", " to ", from.shape.dims, dims))
	}
	return x.expandTo(g.sized(dims, size))
}

// expandTo is Expand to a shape that fits.
func (x Value) expandTo(s *shape) Value {
	g, from := x.g, x.node(opExpand.method)
	if from.shape.equal(s) {
		return x
	}
	n := g.record(&opExpand, expandRule, s, x)
	pick(g, expandNode[float64], expandNode[float32])(g, n, from)
	return g.done()
}

func expandRule(r *Rule) { r.Add(0, r.Grad().sumTo(r.g.at(r.n.in[0]).shape)) }

func expandNode[T kernel.Float](g *Graph, n, x *node) {
	expand(g, numbers[T](n), numbers[T](x), n.shape, x.shape)
}

func expand[T kernel.Float](g *Graph, dst, src []T, to, from *shape) {
	if len(src) == 1 {
		kernel.Fill(dst, src[0])
		return
	}
	m := g.ints.mark()
	kernel.Copy(dst, src, to.dims, 0, g.strides(to), 0, g.broadcastStrides(from, to))
	g.ints.rewind(m)
}

// expanded returns a node's numbers in shape s, in a borrowed buffer if they
// have to be repeated.
func expanded[T kernel.Float](g *Graph, n *node, s *shape) []T {
	if n.shape.size == s.size {
		return slice[T](n.data, s.size)
	}
	buffer := slice[T](g.memory.borrow(g.words(s.size)), s.size)
	expand(g, buffer, slice[T](n.data, n.shape.size), s, n.shape)
	return buffer
}

// unexpand gives back the buffer that expanded borrowed.
func unexpand[T kernel.Float](g *Graph, numbers []T, n *node) {
	if p := unsafe.Pointer(unsafe.SliceData(numbers)); p != n.data && len(numbers) != n.shape.size {
		g.memory.giveBack(p, g.words(len(numbers)))
	}
}

// sumTo sums x over the axes along which a tensor of shape s has been
// broadcast to x's shape.
func (x Value) sumTo(s *shape) Value {
	g, from := x.g, x.node(opSum.method)
	lead := from.shape.rank() - s.rank()
	switch {
	case from.shape.equal(s):
		return x
	case slices.Equal(from.shape.dims[lead:], s.dims):
		return x.sumLeading(lead, s)
	}
	axes := g.ints.take(from.shape.rank())[:0]
	for i, d := range from.shape.dims {
		if i < lead || s.dims[i-lead] == 1 && d != 1 {
			axes = append(axes, i)
		}
	}
	x = x.Sum(axes...)
	if x.node(opSum.method).shape.equal(s) {
		return x
	}
	return x.reshaped(s)
}

// Permute reorders the axes: axis i of the result is axis order[i] of x.
//
//	gx = gy, in the inverse order
//
// It panics with a [*ShapeError] if the number of axes is wrong, with an
// [*IndexError] if an axis is out of range, and with an [*ArgumentError] if an
// axis is repeated.
func (x Value) Permute(order ...int) Value {
	g, from := x.g, x.node(opPermute.method)
	rank := from.shape.rank()
	if len(order) != rank {
		panic(shapeError(opPermute.method, "as many axes as the shape has must be given", " with ", from.shape.dims, order))
	}
	axes, dims, seen := g.ints.take(rank), g.ints.take(rank), g.ints.take(rank)
	clear(seen)
	for i, axis := range order {
		axes[i] = g.axis(opPermute.method, axis, rank)
		if seen[axes[i]]++; seen[axes[i]] > 1 {
			panic(NewArgumentError(opPermute.method, "axis %d stands twice", axes[i]))
		}
		dims[i] = from.shape.dims[axes[i]]
	}
	n := g.record(&opPermute, permuteRule, g.shape(dims), x)
	g.extraOf(n).ints = axes
	strides, picked := g.strides(from.shape), seen
	for i, axis := range axes {
		picked[i] = strides[axis]
	}
	g.copy(n, from, n.shape.dims, 0, g.strides(n.shape), 0, picked)
	return g.done()
}

func permuteRule(r *Rule) {
	order := r.n.ints()
	inverse := r.g.ints.take(len(order))
	for i, axis := range order {
		inverse[axis] = i
	}
	r.Add(0, r.Grad().Permute(inverse...))
}

// copy copies a block of the given shape from one node's numbers to another's.
func (g *Graph) copy(dst, src *node, dims []int, dOff int, dStride []int, sOff int, sStride []int) {
	if g.single {
		kernel.Copy(dst.f32(), src.f32(), dims, dOff, dStride, sOff, sStride)
	} else {
		kernel.Copy(dst.f64(), src.f64(), dims, dOff, dStride, sOff, sStride)
	}
}

// Transpose swaps two axes.
//
//	gx = gy, with the same axes swapped
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) Transpose(a, b int) Value {
	g, rank := x.g, x.Rank()
	a, b = g.axis("Transpose", a, rank), g.axis("Transpose", b, rank)
	order := g.ints.take(rank)
	for i := range order {
		order[i] = i
	}
	order[a], order[b] = b, a
	return x.Permute(order...)
}

// T returns the transpose of a matrix, or of the matrices in the last two
// axes.
//
//	gx = gyᵀ
//
// It panics with an [*IndexError] if there are fewer than two axes.
func (x Value) T() Value { return x.Transpose(-2, -1) }

// End stands for the end of an axis in [Value.Slice]: after the last element
// or, with a negative step, before the first.
const End = math.MaxInt

// Slice returns every step-th element along an axis, from start up to but not
// including stop. Negative start and stop count from the end; a negative step
// goes backward. It panics with an [*IndexError] if start, stop or the axis is
// out of range, and with an [*ArgumentError] if step is 0.
//
//	gx = gy at the elements taken, else 0
func (x Value) Slice(axis, start, stop, step int) Value {
	g, from := x.g, x.node(opSlice.method)
	axis = g.axis(opSlice.method, axis, from.shape.rank())
	if step == 0 {
		panic(NewArgumentError(opSlice.method, "a step of 0"))
	}
	start, count := g.sliceOf(from.shape.dims[axis], start, stop, step)
	rank := from.shape.rank()
	places := g.ints.take(2 * rank) // starts, then steps
	clear(places)
	for i := range rank {
		places[rank+i] = 1
	}
	places[axis], places[rank+axis] = start, step
	dims := g.ints.take(rank)
	copy(dims, from.shape.dims)
	dims[axis] = count
	return x.take(g.shape(dims), places)
}

// sliceOf returns the first index and the number of elements of a slice.
func (g *Graph) sliceOf(length, start, stop, step int) (first, count int) {
	last := length // the bound that End means
	if step < 0 {
		last = -1
	}
	first, bound := g.bound(start, length, length), last
	if start == End {
		first = length
	}
	if stop != End {
		bound = g.bound(stop, length, length)
	}
	if step < 0 && first == length {
		first-- // counting down starts at the last element
	}
	if step > 0 && first < bound {
		return first, (bound-first-1)/step + 1
	}
	if step < 0 && first > bound {
		return first, (bound-first+1)/step + 1
	}
	return max(0, first), 0
}

// bound returns a slice's start or stop, counted from the end when negative.
func (g *Graph) bound(i, length, limit int) int {
	if i == End {
		return length
	}
	if i < -length || i > limit {
		panic(NewIndexError(opSlice.method, "bound", i, length+1))
	}
	if i < 0 {
		i += length
	}
	return i
}

// take records the block of shape s that places describes: the starts along
// each axis, then the steps.
func (x Value) take(s *shape, places []int) Value {
	g, from := x.g, x.node(opSlice.method)
	off, strides := g.placed(from.shape, places)
	if g.isRun(from.shape, s, places) && !g.reverse.active {
		return x.window(s, places, off)
	}
	n := g.record(&opSlice, sliceRule, s, x)
	g.extraOf(n).ints = places
	if s.size > 0 {
		g.copy(n, from, s.dims, 0, g.strides(s), off, strides)
	}
	return g.done()
}

// isRun reports whether a block is contiguous in memory: whole rows of the
// first axis.
func (g *Graph) isRun(from, s *shape, places []int) bool {
	rank := from.rank()
	return s.size > 1 && places[rank] == 1 && slices.Equal(from.dims[1:], s.dims[1:]) && !slices.Contains(places[rank:], -1)
}

// window records a block that is contiguous in memory, without copying it.
func (x Value) window(s *shape, places []int, off int) Value {
	g := x.g
	n := g.view(&opSlice, sliceRule, s, x)
	g.extraOf(n).ints = places
	size := 8
	if g.single {
		size = 4
	}
	n.data = unsafe.Add(n.data, off*size)
	return g.done()
}

// placed returns the offset and strides of places in a tensor of shape s.
func (g *Graph) placed(s *shape, places []int) (off int, strides []int) {
	strides = g.strides(s)
	for i, stride := range strides {
		off += places[i] * stride
		strides[i] *= places[s.rank()+i]
	}
	return off, strides
}

func sliceRule(r *Rule) { r.Add(0, r.Grad().place(0, r.g.at(r.n.in[0]).shape, r.n.ints())) }

// place records a tensor of shape s that holds x at places and v elsewhere.
func (x Value) place(v float64, s *shape, places []int) Value {
	g, from := x.g, x.node(opPad.method)
	n := g.record(&opPad, padRule, s, x)
	n.a = v
	g.extraOf(n).ints = places
	g.setAll(n, v)
	if from.shape.size > 0 {
		off, strides := g.placed(s, places)
		g.copy(n, from, from.shape.dims, off, strides, 0, g.strides(from.shape))
	}
	return g.done()
}

func padRule(r *Rule) { r.Add(0, r.Grad().take(r.g.at(r.n.in[0]).shape, r.n.ints())) }

// Narrow returns length elements along an axis, beginning at start. To count
// from the end, use [Value.Slice].
//
//	gx = gy at the elements taken, else 0
//
// It panics with a [*ShapeError] if start or length is negative or the elements
// go beyond the end, and with an [*IndexError] if the axis is out of range.
func (x Value) Narrow(axis, start, length int) Value {
	s := x.node("Narrow").shape
	axis = x.g.axis("Narrow", axis, s.rank())
	if start < 0 || length < 0 || length > s.dims[axis]-start {
		panic(shapeError("Narrow", fmt.Sprintf("start %d and length %d do not fit axis %d", start, length, axis), "", s.dims))
	}
	return x.Slice(axis, start, start+length, 1)
}

// Select returns the elements at index i of an axis and drops that axis. A
// negative i counts from the end.
//
//	gx = gy at index i, else 0
//
// It panics with an [*IndexError] if the index or axis is out of range.
func (x Value) Select(axis, i int) Value {
	g, s := x.g, x.node("Select").shape
	axis = g.axis("Select", axis, s.rank())
	n := s.dims[axis]
	if i < -n || i >= n {
		panic(NewIndexError("Select", "index", i, n))
	}
	if i < 0 {
		i += n
	}
	return x.Narrow(axis, i, 1).Squeeze(axis)
}

// Flip reverses the order along axes; without axes, along all.
//
//	gx = gy, in reverse order too
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) Flip(axes ...int) Value {
	if len(axes) == 0 {
		for axis := range x.Rank() {
			x = x.Slice(axis, End, End, -1)
		}
	}
	for _, axis := range axes {
		x = x.Slice(axis, End, End, -1)
	}
	return x
}

// Pad surrounds x with elements v. Each axis has a pair of numbers: how many to
// add before and after. It panics with a [*ShapeError] if there is not exactly
// one pair for each axis, and with an [*ArgumentError] if a number is negative.
//
//	gx = gy without the padding
func (x Value) Pad(v float64, pairs ...[2]int) Value {
	g, from := x.g, x.node(opPad.method)
	rank := from.shape.rank()
	if len(pairs) != rank {
		panic(shapeError(opPad.method, fmt.Sprintf("%d pairs do not fit the axes", len(pairs)), "", from.shape.dims))
	}
	places, dims := g.ints.take(2*rank), g.ints.take(rank)
	for i, pair := range pairs {
		if pair[0] < 0 || pair[1] < 0 {
			panic(NewArgumentError(opPad.method, "negative padding %v", pair))
		}
		places[i], places[rank+i] = pair[0], 1
		dims[i] = pair[0] + from.shape.dims[i] + pair[1]
		if pair[0] > math.MaxInt/4 || pair[1] > math.MaxInt/4 {
			panic(NewArgumentError(opPad.method, "padding %v overflows", pair))
		}
	}
	return x.place(v, g.newShape(opPad.method, dims), places)
}

// Concat joins Values along an existing axis.
//
//	gxᵢ = the part of gy that xᵢ became
//
// It panics with a [*ShapeError] if the shapes differ on another axis, with an
// [*IndexError] if the axis is out of range, and with an [*ArgumentError] if
// there are no Values.
func Concat(axis int, xs ...Value) Value {
	if len(xs) == 0 {
		panic(NewArgumentError(opConcat.method, "nothing to join"))
	}
	g, first := xs[0].g, xs[0].node(opConcat.method).shape
	axis = g.axis(opConcat.method, axis, first.rank())
	dims := g.ints.take(first.rank())
	copy(dims, first.dims)
	dims[axis] = 0
	for _, x := range xs {
		dims[axis] += g.joins(xs[0].operand(opConcat.method, x).shape, first, axis)
	}
	n := g.record(&opConcat, concatRule, g.newShape(opConcat.method, dims), xs...)
	n.a = float64(axis)
	strides, off := g.strides(n.shape), 0
	for _, x := range xs {
		from := x.node(opConcat.method)
		g.copy(n, from, from.shape.dims, off, strides, 0, g.strides(from.shape))
		off += from.shape.dims[axis] * strides[axis]
	}
	return g.done()
}

// joins returns the length of s along the axis. The other axes must match those
// of first.
func (g *Graph) joins(s, first *shape, axis int) int {
	fits := s.rank() == first.rank()
	for i := range s.dims {
		fits = fits && (i == axis || s.dims[i] == first.dims[i])
	}
	if !fits {
		panic(shapeError(opConcat.method, fmt.Sprintf("shapes differ on other axes than %d", axis), " and ", first.dims, s.dims))
	}
	return s.dims[axis]
}

func concatRule(r *Rule) {
	axis, start := int(r.n.a), 0
	for i, input := range r.n.inputs() {
		stop := start + r.g.at(input).shape.dims[axis]
		if r.Needs(i) {
			r.Add(i, r.Grad().Narrow(axis, start, stop-start))
		}
		start = stop
	}
}

// Stack joins Values of the same shape along a new axis.
//
//	gxᵢ = gy at index i of the new axis
//
// It panics with a [*ShapeError] if the shapes differ, with an [*IndexError] if
// the axis is out of range for the result, and with an [*ArgumentError] if
// there are no Values.
func Stack(axis int, xs ...Value) Value {
	if len(xs) == 0 {
		panic(NewArgumentError("Stack", "nothing to join"))
	}
	axis = xs[0].g.axis("Stack", axis, xs[0].node("Stack").shape.rank()+1)
	all := make([]Value, len(xs))
	for i, x := range xs {
		if !xs[0].node("Stack").shape.equal(xs[0].operand("Stack", x).shape) {
			panic(shapeError("Stack", "shapes differ", " and ", xs[0].Shape(), x.Shape()))
		}
		all[i] = x.Unsqueeze(axis)
	}
	return Concat(axis, all...)
}

// Split cuts x along an axis into parts of the given lengths.
//
//	gx = the gys of the parts, joined
//
// It panics with a [*ShapeError] if the lengths do not add up to that of x, and
// with an [*IndexError] if the axis is out of range.
func (x Value) Split(axis int, lengths ...int) []Value {
	g, s := x.g, x.node("Split").shape
	axis = g.axis("Split", axis, s.rank())
	sum := 0
	for _, n := range lengths {
		if n < 0 || n > s.dims[axis]-sum {
			sum = -1
			break
		}
		sum += n
	}
	if sum != s.dims[axis] {
		panic(shapeError("Split", fmt.Sprintf("the parts do not make up axis %d", axis), " into ", s.dims, lengths))
	}
	parts, start := make([]Value, len(lengths)), 0
	for i, n := range lengths {
		parts[i] = x.Narrow(axis, start, n)
		start += n
	}
	return parts
}

// SplitEqual cuts x along an axis into the given number of parts of equal
// length.
//
//	gx = the gys of the parts, joined
//
// It panics with a [*ShapeError] if the length cannot be divided evenly, and
// with an [*IndexError] if the axis is out of range.
func (x Value) SplitEqual(axis, parts int) []Value {
	g, s := x.g, x.node("SplitEqual").shape
	axis = g.axis("SplitEqual", axis, s.rank())
	if parts < 1 || s.dims[axis]%parts != 0 {
		panic(shapeError("SplitEqual", fmt.Sprintf("axis %d cannot be cut into %d equal parts", axis, parts), "", s.dims))
	}
	return x.Split(axis, slices.Repeat([]int{s.dims[axis] / parts}, parts)...)
}

// GLU cuts x in two equal parts along an axis and returns the first, gated by
// the second: a·σ(b), a gated linear unit.
//
//	∂/∂a = σ(b), ∂/∂b = a·σ(b)·(1 − σ(b))
//
// It panics with a [*ShapeError] if the axis has an odd length, and with an
// [*IndexError] if it is out of range.
func (x Value) GLU(axis int) Value {
	s := x.node("GLU").shape
	axis = x.g.axis("GLU", axis, s.rank())
	if s.dims[axis]%2 != 0 {
		panic(shapeError("GLU", fmt.Sprintf("axis %d cannot be cut in two equal parts", axis), "", s.dims))
	}
	half := s.dims[axis] / 2
	return x.Narrow(axis, 0, half).Mul(x.Narrow(axis, half, half).Sigmoid())
}

// Roll moves the elements along an axis by shift places. Elements that leave at
// one end come back at the other.
//
//	gx = gy, moved back
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) Roll(axis, shift int) Value {
	g, s := x.g, x.node("Roll").shape
	axis = g.axis("Roll", axis, s.rank())
	n := s.dims[axis]
	if n == 0 {
		return x
	}
	cut := ((-shift)%n + n) % n
	if cut == 0 {
		return x
	}
	return Concat(axis, x.Narrow(axis, cut, n-cut), x.Narrow(axis, 0, cut))
}

// Tile repeats the whole of x along each axis the given number of times. If
// there are more numbers than axes, new axes are added in front.
//
//	gx = the sum of gy over the copies
//
// It panics with a [*ShapeError] if there are fewer numbers than axes or one is
// negative.
func (x Value) Tile(times ...int) Value {
	g, s := x.g, x.node("Tile").shape
	if len(times) < s.rank() {
		panic(shapeError("Tile", "fewer numbers than axes", " by ", s.dims, times))
	}
	rank := len(times)
	one, many, last := g.ints.take(2*rank), g.ints.take(2*rank), g.ints.take(rank)
	for i, t := range times {
		d := 1
		if lead := rank - s.rank(); i >= lead {
			d = s.dims[i-lead]
		}
		one[2*i], one[2*i+1] = 1, d
		many[2*i], many[2*i+1] = t, d
		last[i] = t * d
	}
	if _, fault := sizeOf(times); fault != "" {
		panic(shapeError("Tile", fault, " by ", s.dims, times))
	}
	return x.Reshape(one...).Expand(many...).Reshape(last...)
}

// Repeat repeats each element the given number of times along an axis.
//
//	gx = the sum of gy over the copies
//
// It panics with an [*IndexError] if the axis is out of range, and with an
// [*ArgumentError] if the number is negative.
func (x Value) Repeat(axis, times int) Value {
	g, s := x.g, x.node("Repeat").shape
	axis = g.axis("Repeat", axis, s.rank())
	if times < 0 {
		panic(NewArgumentError("Repeat", "%d times", times))
	}
	many, last := g.ints.take(s.rank()+1), g.ints.take(s.rank())
	copy(last, s.dims)
	copy(many, s.dims[:axis+1])
	many[axis+1] = times
	copy(many[axis+2:], s.dims[axis+1:])
	last[axis] *= times
	return x.Unsqueeze(axis + 1).Expand(many...).Reshape(last...)
}
