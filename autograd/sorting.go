package autograd

import (
	"slices"
	"unsafe"

	"nabla/internal/kernel"
)

var (
	opSort              = operation{name: "sort", method: "Sort"}
	opTopK              = operation{name: "top k", method: "TopK"}
	opCumMax            = operation{name: "cummax", method: "CumMax"}
	opCumMin            = operation{name: "cummin", method: "CumMin"}
	opLogCumSumExp      = operation{name: "logcumsumexp", method: "LogCumSumExp"}
	opLogCumSumExpBack  = operation{name: "logcumsumexp gradient", method: "LogCumSumExp"}
	opLogCumSumExpAlong = operation{name: "logcumsumexp tangent", method: "LogCumSumExp"}
)

// Sort returns the elements along an axis in ascending order, or in descending
// order. Equal elements keep their order. NaN counts as the greatest: it comes
// last in ascending and first in descending order. 0 and −0 are equal.
//
//	gx = gy put back in the elements' places
//
// [Value.ArgSort] returns their indices. With the indices at hand,
// x.Gather(axis, index) is the same as Sort.
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) Sort(axis int, descending bool) Value {
	from := x.node(opSort.method)
	axis = x.g.axis(opSort.method, axis, from.shape.rank())
	return x.firsts(&opSort, axis, from.shape.dims[axis], descending)
}

// ArgSort returns the indices of the elements along an axis in the order of
// [Value.Sort], in x's shape. Indices have no gradient.
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) ArgSort(axis int, descending bool) Ints {
	from := x.node("ArgSort")
	axis = x.g.axis("ArgSort", axis, from.shape.rank())
	return x.argFirsts("ArgSort", axis, from.shape.dims[axis], descending)
}

// TopK returns the k greatest elements along an axis, in descending order. Of
// equal elements the first are taken. NaN counts as the greatest.
//
//	gx = gy put back in the elements' places, 0 in the others
//
// [Value.ArgTopK] returns their indices. With the indices at hand,
// x.Gather(axis, index) is the same as TopK. For the k smallest, take the first
// ones of [Value.Sort].
//
// It panics with an [*IndexError] if the axis is out of range, and with an
// [*ArgumentError] if there are no k elements.
func (x Value) TopK(axis, k int) Value {
	return x.firsts(&opTopK, x.topAxis(opTopK.method, k, axis), k, true)
}

// ArgTopK returns the indices of the k greatest elements along an axis, in the
// order of [Value.TopK]. Indices have no gradient.
//
// It panics with an [*IndexError] if the axis is out of range, and with an
// [*ArgumentError] if there are no k elements.
func (x Value) ArgTopK(axis, k int) Ints {
	return x.argFirsts("ArgTopK", x.topAxis("ArgTopK", k, axis), k, true)
}

// topAxis checks the arguments of TopK.
func (x Value) topAxis(op string, k, axis int) int {
	from := x.node(op)
	axis = x.g.axis(op, axis, from.shape.rank())
	if n := from.shape.dims[axis]; k < 0 || k > n {
		panic(NewArgumentError(op, "there are no %d greatest of %d elements", k, n))
	}
	return axis
}

// firsts records the first k elements along an axis in sorted order.
func (x Value) firsts(op *operation, axis, k int, descending bool) Value {
	g, from := x.g, x.node(op.method)
	dims := g.copied(from.shape.dims)
	dims[axis] = k
	s, sp := g.newShape(op.method, dims), spanOf(from.shape, axis)
	places := g.ints.take(s.size)
	g.argSort(places, from, sp, k, descending)
	y := x.taken(op, s, sp, k, places)
	g.at(y.id).extra.told = [3]int{axis, k, bit(descending)}
	return y
}

// taken records the elements of x at an index along an axis of k elements,
// which it turns into their places.
func (x Value) taken(op *operation, s *shape, sp span, k int, index []int) Value {
	for at := range index {
		index[at] = (at/(k*sp.inner)*sp.n+index[at])*sp.inner + at%sp.inner
	}
	return x.atPlaces(op, s, index)
}

// argSort writes the indices along an axis of the first k elements in sorted
// order.
func (g *Graph) argSort(index []int, from *node, s span, k int, descending bool) {
	words, m := g.memory.borrow(2*s.n), g.ints.mark()
	room := kernel.Sorting{Keys: unsafe.Slice((*uint64)(words), 2*s.n), Order: g.ints.take(2 * s.n)}
	if g.single {
		kernel.ArgSort(index, from.f32(), s.outer, s.n, s.inner, k, descending, room)
	} else {
		kernel.ArgSort(index, from.f64(), s.outer, s.n, s.inner, k, descending, room)
	}
	g.ints.rewind(m)
	g.memory.giveBack(words, 2*s.n)
}

func (x Value) argFirsts(op string, axis, k int, descending bool) Ints {
	from := x.node(op)
	x.g.unchanged(op, from)
	dims := slices.Clone(from.shape.dims)
	dims[axis] = k
	s := spanOf(from.shape, axis)
	index := Ints{dims, make([]int, s.outer*k*s.inner)}
	x.g.argSort(index.values, from, s, k, descending)
	return x.finds(index)
}

// CumMax returns the greatest element so far along an axis. Once there is a
// NaN, it is NaN.
//
//	gxᵢ = Σ gyⱼ over the j whose greatest element is xᵢ, the last one at a tie
//
// [Value.ArgCumMax] returns the indices of these elements.
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) CumMax(axis int) Value {
	return x.cumExtreme(&opCumMax, axis, kernel.ArgCumMax, kernel.ArgCumMax)
}

// ArgCumMax returns, in x's shape, the index of the greatest element so far
// along an axis: the last one at a tie, and the last NaN once there is one.
// Indices have no gradient.
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) ArgCumMax(axis int) Ints {
	return x.argCumExtreme("ArgCumMax", axis, kernel.ArgCumMax, kernel.ArgCumMax)
}

// CumMin returns the smallest element so far along an axis. Once there is a
// NaN, it is NaN.
//
//	gxᵢ = Σ gyⱼ over the j whose smallest element is xᵢ, the last one at a tie
//
// [Value.ArgCumMin] returns the indices of these elements.
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) CumMin(axis int) Value {
	return x.cumExtreme(&opCumMin, axis, kernel.ArgCumMin, kernel.ArgCumMin)
}

// ArgCumMin returns, in x's shape, the index of the smallest element so far
// along an axis: the last one at a tie, and the last NaN once there is one.
// Indices have no gradient.
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) ArgCumMin(axis int) Ints {
	return x.argCumExtreme("ArgCumMin", axis, kernel.ArgCumMin, kernel.ArgCumMin)
}

func (x Value) cumExtreme(op *operation, axis int, f64 argKernel[float64], f32 argKernel[float32]) Value {
	g, from := x.g, x.node(op.method)
	axis = g.axis(op.method, axis, from.shape.rank())
	sp := spanOf(from.shape, axis)
	places := g.ints.take(from.shape.size)
	g.argAlongSpan(places, from, sp, f64, f32)
	y := x.taken(op, from.shape, sp, sp.n, places)
	g.at(y.id).extra.told[0] = axis
	return y
}

func (x Value) argCumExtreme(op string, axis int, f64 argKernel[float64], f32 argKernel[float32]) Ints {
	g, from := x.g, x.node(op)
	s := spanOf(from.shape, g.axis(op, axis, from.shape.rank()))
	g.unchanged(op, from)
	index := Ints{slices.Clone(from.shape.dims), make([]int, from.shape.size)}
	g.argAlongSpan(index.values, from, s, f64, f32)
	return x.finds(index)
}

// argAlongSpan writes an index for each element.
func (g *Graph) argAlongSpan(index []int, x *node, s span, f64 argKernel[float64], f32 argKernel[float32]) {
	if g.single {
		f32(index, x.f32(), s.outer, s.n, s.inner)
	} else {
		f64(index, x.f64(), s.outer, s.n, s.inner)
	}
}

// LogCumSumExp returns the running ln Σ eˣ along an axis, without overflow. It
// is −Inf as long as all elements are −Inf; these have gradient 0.
//
//	gxᵢ = Σ gyⱼ·e^(xᵢ − yⱼ) over j ≥ i
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) LogCumSumExp(axis int) Value {
	n, from, s := x.along(&opLogCumSumExp, logCumSumExpRule, axis)
	x.g.alongSpan(n, from, s, kernel.LogCumSumExp, kernel.LogCumSumExp)
	return x.g.done()
}

func logCumSumExpRule(r *Rule) {
	r.Add(0, logCumSumExpBack(r.Grad(), r.In(0), r.Out(), int(r.n.a)))
}

// logCumSumExpBack returns Σ gyⱼ·e^(xᵢ − yⱼ) over j ≥ i.
func logCumSumExpBack(gy, x, y Value, axis int) Value {
	return logCumSumExpSum(&opLogCumSumExpBack, logCumSumExpBackRule, gy, x, y, axis, kernel.LogCumSumExpBack, kernel.LogCumSumExpBack)
}

func logCumSumExpBackRule(r *Rule) {
	v, gy, x, y, axis := r.Grad(), r.In(0), r.In(1), r.In(2), int(r.n.a)
	along := logCumSumExpAlong(v, x, y, axis)
	r.Add(0, along)
	if r.Needs(1) {
		r.Add(1, v.Mul(r.Out()))
	}
	if r.Needs(2) {
		r.Add(2, gy.Mul(along).Neg())
	}
}

// logCumSumExpAlong returns Σ vᵢ·e^(xᵢ − yⱼ) over i ≤ j, by which y changes
// along a change v of x.
func logCumSumExpAlong(v, x, y Value, axis int) Value {
	return logCumSumExpSum(&opLogCumSumExpAlong, logCumSumExpAlongRule, v, x, y, axis, kernel.LogCumSumExpAlong, kernel.LogCumSumExpAlong)
}

func logCumSumExpAlongRule(r *Rule) {
	u, v, x, y, axis := r.Grad(), r.In(0), r.In(1), r.In(2), int(r.n.a)
	back := logCumSumExpBack(u, x, y, axis)
	r.Add(0, back)
	if r.Needs(1) {
		r.Add(1, v.Mul(back))
	}
	if r.Needs(2) {
		r.Add(2, u.Mul(r.Out()).Neg())
	}
}

// A sumKernel computes dst from three arrays of its size, along the middle
// axis.
type sumKernel[T kernel.Float] func(dst, v, x, y []T, outer, n, inner int)

func logCumSumExpSum(op *operation, rule func(*Rule), v, x, y Value, axis int, f64 sumKernel[float64], f32 sumKernel[float32]) Value {
	g, a, b, c := v.g, v.node(op.method), x.node(op.method), y.node(op.method)
	n, s := g.record(op, rule, b.shape, v, x, y), spanOf(b.shape, axis)
	n.a = float64(axis)
	if g.single {
		f32(n.f32(), a.f32(), b.f32(), c.f32(), s.outer, s.n, s.inner)
	} else {
		f64(n.f64(), a.f64(), b.f64(), c.f64(), s.outer, s.n, s.inner)
	}
	return g.done()
}
