package autograd

import (
	"slices"
	"unsafe"

	"nabla/internal/kernel"
)

// Segments are what rows belong to: the edges of a graph to the nodes that they
// lead to, or the words of all sentences to their sentences. They need not be
// sorted. A segment without rows gives 0.

var (
	opSegmentSum     = operation{name: "segment sum", method: "SegmentSum"}
	opSegmentMax     = operation{name: "segment max", method: "SegmentMax"}
	opSegmentSoftmax = operation{name: "segment softmax", method: "SegmentSoftmax"}
)

// SegmentSum returns the sums of the rows of x in each of n segments: segments
// says which one each row belongs to. An x [edges, width] gives [n, width].
//
//	gx = gy of the row's segment
//
// It panics with an [*IndexError] that names the place of a segment outside [0,
// n), and with a [*ShapeError] if the segments are not a vector with one for
// each row.
func (x Value) SegmentSum(segments Ints, n int) Value {
	return x.segmentSum(x.segmented(opSegmentSum.method, segments, n), n, segments)
}

func (x Value) segmentSum(index []int, n int, segments Ints) Value {
	y := x.sumAt(&opSegmentSum, 0, index, n)
	x.g.at(y.id).extra.take(segments)
	return y
}

// SegmentMean returns the means of the rows of x in each of n segments, and 0
// for a segment without rows.
//
//	gx = gy of the row's segment ÷ its number of rows
//
// It panics as [Value.SegmentSum] does.
func (x Value) SegmentMean(segments Ints, n int) Value {
	const op = "SegmentMean"
	index, g := x.segmented(op, segments, n), x.g
	dims := append(g.ints.take(x.Rank())[:0], n)
	for range x.Rank() - 1 {
		dims = append(dims, 1)
	}
	counts := g.record(&opConstant, nil, g.newShape(op, dims))
	g.setAll(counts, 0)
	g.extraOf(counts).take(segments)
	for _, s := range index {
		g.setNumber(counts.data, s, g.number(counts.data, s)+1)
	}
	for s := range n {
		g.setNumber(counts.data, s, max(1, g.number(counts.data, s)))
	}
	divisors := g.done()
	return x.segmentSum(index, n, segments).Div(divisors)
}

// SegmentMax returns the greatest of each column of x in each of n segments,
// and 0 for a segment without rows. A segment with a NaN gives NaN.
//
//	gx = gy where the greatest was, at ties the first; elsewhere 0
//
// It panics as [Value.SegmentSum] does.
func (x Value) SegmentMax(segments Ints, n int) Value {
	g, from, op := x.g, x.node(opSegmentMax.method), opSegmentMax.method
	index := x.segmented(op, segments, n)
	dims := g.copied(from.shape.dims)
	dims[0] = n
	s, inner := g.newShape(op, dims), spanOf(from.shape, 0).inner
	places := g.ints.take(s.size)
	if g.single {
		kernel.SegmentArgMax(places, from.f32(), index, inner)
	} else {
		kernel.SegmentArgMax(places, from.f64(), index, inner)
	}
	if !slices.Contains(places, -1) {
		return x.segmentMax(s, places, index, n, segments)
	}
	filled := g.ints.take(s.size)[:0]
	for i, place := range places {
		if place >= 0 {
			places[len(filled)] = place
			filled = append(filled, i)
		}
	}
	y := x.segmentMax(g.shape([]int{len(filled)}), places[:len(filled)], index, n, segments).scatter(s, filled, chosenAt{})
	g.at(y.id).extra.take(segments)
	return y
}

// segmentMax records the greatest of the segments. Its ints are the places that
// were found, so that the segments are kept beside them.
func (x Value) segmentMax(s *shape, places, index []int, n int, segments Ints) Value {
	g := x.g
	y := x.atPlaces(&opSegmentMax, s, places)
	e := g.at(y.id).extra
	e.told[0] = n
	e.segments = index
	e.take(segments)
	return y
}

// SegmentSoftmax returns, for each column of x, the softmax over the rows of
// each of n segments: positive numbers that add up to 1 in each segment.
//
//	y = exp x / Σ exp x over the segment
//	gx = y·(gy − Σ gy·y over the segment)
//
// It panics as [Value.SegmentSum] does.
func (x Value) SegmentSoftmax(segments Ints, n int) Value {
	g, from := x.g, x.node(opSegmentSoftmax.method)
	index := x.segmented(opSegmentSoftmax.method, segments, n)
	y := g.record(&opSegmentSoftmax, segmentSoftmaxRule, from.shape, x)
	e := g.extraOf(y)
	e.ints = index
	e.take(segments)
	y.a = float64(n)
	words := g.words(n * spanOf(from.shape, 0).inner)
	room := g.memory.borrow(words)
	pick(g, segmentSoftmax[float64], segmentSoftmax[float32])(y, from, n, room)
	g.memory.giveBack(room, words)
	return g.done()
}

func segmentSoftmax[T kernel.Float](y, x *node, n int, room unsafe.Pointer) {
	inner := spanOf(x.shape, 0).inner
	dst, totals := numbers[T](y), slice[T](room, n*inner)
	kernel.SegmentShift(dst, numbers[T](x), y.ints(), totals, inner)
	exponentials(dst)
	kernel.SegmentNormalize(dst, y.ints(), totals, inner)
}

// exponentials computes exp of each number in place.
func exponentials[T kernel.Float](x []T) {
	switch x := any(x).(type) {
	case []float32:
		kernel.Exp.F32(x, x, 0, 0)
	case []float64:
		kernel.Exp.F64(x, x, 0, 0)
	}
}

func segmentSoftmaxRule(r *Rule) {
	y, gy, segments, n := r.Out(), r.Grad(), r.n.ints(), int(r.n.a)
	total := gy.Mul(y).sumAt(&opSegmentSum, 0, segments, n).tookAs(r)
	r.Add(0, y.Mul(gy.Sub(total.indexSelect(0, segments).tookAs(r))))
}

// segmented returns a copy of the segments of x's rows.
func (x Value) segmented(op string, segments Ints, n int) []int {
	s := x.node(op).shape
	segments.check(op)
	if s.rank() == 0 || len(segments.shape) != 1 || segments.shape[0] != s.dims[0] {
		panic(shapeError(op, "there is not one segment for each row", " by ", s.dims, segments.shape))
	}
	if n < 0 {
		panic(NewArgumentError(op, "%d segments", n))
	}
	segments.within(op, "segment", n)
	return x.g.copied(segments.values)
}
