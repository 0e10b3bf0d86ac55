package autograd

import (
	"slices"

	"nabla/internal/kernel"
)

var (
	opIndexSelect = operation{name: "index select", method: "IndexSelect"}
	opIndexAdd    = operation{name: "index add", method: "IndexAdd"}
	opGather      = operation{name: "gather", method: "Gather"}
	opScatterAdd  = operation{name: "scatter add", method: "ScatterAdd"}
	opOneHot      = operation{name: "one hot", method: "OneHot"}
)

// IndexSelect returns the slices of x along an axis at the given indices, which
// may repeat. The axes of the indices replace that axis: a table [words, 8] by
// indices [rows, 5] along axis 0 gives [rows, 5, 8]. That is an embedding.
//
//	gx = gy added up at the slices' places
//
// It panics with an [*IndexError] if an index is not in [0, n) or the axis is
// out of range.
func (x Value) IndexSelect(axis int, index Ints) Value {
	g, from := x.g, x.node("IndexSelect")
	axis = g.axis("IndexSelect", axis, from.shape.rank())
	index.check("IndexSelect")
	g.inRange("IndexSelect", index.values, from.shape.dims[axis])
	y := x.indexSelect(axis, g.copied(index.values))
	g.extraOf(g.at(y.id)).take(index)
	if len(index.shape) == 1 {
		return y
	}
	dims := g.ints.take(from.shape.rank() - 1 + len(index.shape))[:0]
	dims = append(dims, from.shape.dims[:axis]...)
	dims = append(dims, index.shape...)
	return y.Reshape(append(dims, from.shape.dims[axis+1:]...)...)
}

func (x Value) indexSelect(axis int, index []int) Value {
	g, from := x.g, x.node(opIndexSelect.method)
	dims := g.copied(from.shape.dims)
	dims[axis] = len(index)
	n := g.record(&opIndexSelect, indexSelectRule, g.newShape(opIndexSelect.method, dims), x)
	n.a = float64(axis)
	g.extraOf(n).ints = index
	s := spanOf(from.shape, axis)
	g.byIndex(n, from, index, s.outer, len(index), s.n, s.inner, kernel.Gather, kernel.Gather)
	return g.done()
}

func indexSelectRule(r *Rule) {
	axis := int(r.n.a)
	r.Add(0, r.Grad().sumAt(&opIndexAdd, axis, r.n.ints(), r.g.at(r.n.in[0]).shape.dims[axis]).tookAs(r))
}

// IndexAdd returns x with the slices of src added along an axis at the given
// indices, the inverse of [Value.IndexSelect]. The axes of the indices stand in
// src for that axis. Slices with the same index add up.
//
//	∂/∂x = 1, ∂/∂src = gy at the indices
//
// It panics with an [*IndexError] if an index is not in [0, n) or the axis is
// out of range, and with a [*ShapeError] if src does not have that shape.
func (x Value) IndexAdd(axis int, index Ints, src Value) Value {
	op := opIndexAdd.method
	g, from, s := x.g, x.node(op), x.operand(op, src)
	axis = g.axis(op, axis, from.shape.rank())
	index.check(op)
	dims := append(g.ints.take(from.shape.rank() + len(index.shape) - 1)[:0], from.shape.dims[:axis]...)
	dims = append(append(dims, index.shape...), from.shape.dims[axis+1:]...)
	if !slices.Equal(s.shape.dims, dims) {
		panic(shapeError(op, "the source does not have the shape of the slices", " and ", dims, s.shape.dims))
	}
	g.inRange(op, index.values, from.shape.dims[axis])
	if len(index.shape) != 1 {
		flat := g.copied(from.shape.dims)
		flat[axis] = len(index.values)
		src = src.Reshape(flat...)
	}
	sums := src.sumAt(&opIndexAdd, axis, g.copied(index.values), from.shape.dims[axis])
	g.extraOf(g.at(sums.id)).take(index)
	return x.Add(sums)
}

// sumAt adds the slices of x, at their indices, to zeros of length n along the
// axis. op is what the operation is called.
func (x Value) sumAt(op *operation, axis int, index []int, length int) Value {
	g, from := x.g, x.node(op.method)
	dims := g.copied(from.shape.dims)
	dims[axis] = length
	n := g.record(op, indexAddRule, g.newShape(op.method, dims), x)
	n.a = float64(axis)
	g.extraOf(n).ints = index
	s := spanOf(from.shape, axis)
	g.setAll(n, 0)
	g.byIndex(n, from, index, s.outer, s.n, length, s.inner, kernel.ScatterAdd, kernel.ScatterAdd)
	return g.done()
}

func indexAddRule(r *Rule) { r.Add(0, r.Grad().indexSelect(int(r.n.a), r.n.ints()).tookAs(r)) }

// Gather returns, in the shape of the indices, the elements of x at the index
// along one axis and at the same place along the others:
//
//	y[i][j][k] = x[i][index[i][j][k]][k] for axis 1
//
// The indices have x's rank. Only that axis may be longer than x's.
//
//	gx = gy added up at the elements' places
//
// It panics with an [*IndexError] if an index is not in [0, n) or the axis is
// out of range, and with a [*ShapeError] if the shape of the indices does not
// fit.
func (x Value) Gather(axis int, index Ints) Value {
	g, from := x.g, x.node(opGather.method)
	axis = g.axis(opGather.method, axis, from.shape.rank())
	places := g.places(opGather.method, from.shape, axis, index)
	y := x.gather(g.shape(index.shape), places, alongAxis(axis))
	g.extraOf(g.at(y.id)).take(index)
	return y
}

// Places are told from where they come: a chosenAt is either the axis along
// which indices were given, or the node that found the places in its input.
type chosenAt struct {
	axis int   // plus 1; 0: none
	by   int32 // plus 1; 0: none
}

func alongAxis(axis int) chosenAt { return chosenAt{axis: axis + 1} }

func (e *extra) choose(c chosenAt) { e.told[0], e.told[1] = c.axis, int(c.by) }

// chosen returns where the places of the rule's operation come from.
func (r *Rule) chosen() chosenAt {
	e := r.n.extra
	if r.n.op == &opGather || r.n.op == &opScatterAdd {
		return chosenAt{e.told[0], int32(e.told[1])}
	}
	return chosenAt{by: r.id + 1}
}

// gather returns the elements of x at places in row-major order, in shape s.
func (x Value) gather(s *shape, places []int, c chosenAt) Value {
	y := x.atPlaces(&opGather, s, places)
	x.g.at(y.id).extra.choose(c)
	return y
}

// atPlaces is gather for an operation that chose the places.
func (x Value) atPlaces(op *operation, s *shape, places []int) Value {
	g, from := x.g, x.node(op.method)
	n := g.record(op, gatherRule, s, x)
	g.extraOf(n).ints = places
	g.byIndex(n, from, places, 1, len(places), from.shape.size, 1, kernel.Gather, kernel.Gather)
	return g.done()
}

func gatherRule(r *Rule) {
	r.Add(0, r.Grad().scatter(r.g.at(r.n.in[0]).shape, r.n.ints(), r.chosen()).tookAs(r))
}

// scatter adds the elements of x, at places, to zeros of shape s.
func (x Value) scatter(s *shape, places []int, c chosenAt) Value {
	g, from := x.g, x.node(opScatterAdd.method)
	n := g.record(&opScatterAdd, scatterRule, s, x)
	e := g.extraOf(n)
	e.ints = places
	e.choose(c)
	g.setAll(n, 0)
	g.byIndex(n, from, places, 1, len(places), s.size, 1, kernel.ScatterAdd, kernel.ScatterAdd)
	return g.done()
}

func scatterRule(r *Rule) {
	r.Add(0, r.Grad().gather(r.g.at(r.n.in[0]).shape, r.n.ints(), r.chosen()).tookAs(r))
}

// ScatterAdd returns x with the elements of src added at the index along one
// axis and at the same place along the others, the inverse of Gather:
//
//	y[i][index[i][j][k]][k] += src[i][j][k] for axis 1
//
// The indices have src's shape. Elements with the same index add up.
//
//	∂/∂x = 1, ∂/∂src = gy gathered
//
// It panics with an [*IndexError] if an index is not in [0, n) or the axis is
// out of range, and with a [*ShapeError] if the indices do not have src's shape
// or do not fit x.
func (x Value) ScatterAdd(axis int, index Ints, src Value) Value {
	g, from, s := x.g, x.node(opScatterAdd.method), x.operand(opScatterAdd.method, src)
	axis = g.axis(opScatterAdd.method, axis, from.shape.rank())
	if !slices.Equal(s.shape.dims, index.shape) {
		panic(shapeError(opScatterAdd.method, "indices and source differ in shape", " and ", index.shape, s.shape.dims))
	}
	places := g.places(opScatterAdd.method, from.shape, axis, index)
	sums := src.scatter(from.shape, places, alongAxis(axis))
	g.at(sums.id).extra.take(index)
	return x.Add(sums)
}

// places returns, for each index, the row-major place of its element in a
// tensor of shape s.
func (g *Graph) places(op string, s *shape, axis int, index Ints) []int {
	index.check(op)
	if len(index.shape) != s.rank() {
		panic(shapeError(op, "the indices have another rank", " by ", s.dims, index.shape))
	}
	for i, d := range index.shape {
		if i != axis && d > s.dims[i] {
			panic(shapeError(op, "the indices are longer on another axis", " by ", s.dims, index.shape))
		}
	}
	g.inRange(op, index.values, s.dims[axis])
	places, strides := g.ints.take(len(index.values)), g.strides(s)
	at := g.ints.take(s.rank())
	clear(at)
	for i, chosen := range index.values {
		place := 0
		for k, stride := range strides {
			if k == axis {
				place += chosen * stride
			} else {
				place += at[k] * stride
			}
		}
		places[i] = place
		for k := len(at) - 1; k >= 0; k-- {
			if at[k]++; at[k] < index.shape[k] {
				break
			}
			at[k] = 0
		}
	}
	return places
}

func (g *Graph) inRange(op string, index []int, n int) {
	for _, i := range index {
		if i < 0 || i >= n {
			panic(NewIndexError(op, "index", i, n))
		}
	}
}

// copied returns a copy in the graph's memory.
func (g *Graph) copied(ints []int) []int {
	c := g.ints.take(len(ints))
	copy(c, ints)
	return c
}

// OneHot returns a constant of the labels' shape with a further last axis of
// length classes: 1 at each label's class, else 0. It panics with an
// [*IndexError] if a label is not in [0, classes).
func (g *Graph) OneHot(labels Ints, classes int) Value {
	return g.oneHot(opOneHot.method, -1, labels, classes, nil)
}

// OneHotAlong is [Graph.OneHot] with the classes along any axis of the result:
// labels [batch, height, width] along axis 1 give [batch, classes, height,
// width]. Where a label is one of those to ignore, all classes are 0.
//
// It panics with an [*IndexError] if the axis is out of range of the result, or
// a label that counts is not in [0, classes).
func (g *Graph) OneHotAlong(axis int, labels Ints, classes int, ignore ...int) Value {
	return g.oneHot("OneHotAlong", axis, labels, classes, ignore)
}

func (g *Graph) oneHot(op string, axis int, labels Ints, classes int, ignore []int) Value {
	labels.check(op)
	rank := len(labels.shape) + 1
	axis = g.axis(op, axis, rank)
	for _, label := range labels.values {
		if (label < 0 || label >= classes) && !slices.Contains(ignore, label) {
			panic(NewIndexError(op, "label", label, classes))
		}
	}
	dims := append(g.ints.take(rank)[:0], labels.shape[:axis]...)
	dims = append(append(dims, classes), labels.shape[axis:]...)
	n := g.record(&opConstant, nil, g.newShape(op, dims))
	g.setAll(n, 0)
	e := g.extraOf(n)
	e.take(labels)
	if e.told[0] = axis + 1; len(ignore) > 0 {
		e.told[0] = 0 // not every label has a class
	}
	inner := spanOf(n.shape, axis).inner
	for i, label := range labels.values {
		if !slices.Contains(ignore, label) {
			g.setNumber(n.data, (i/inner*classes+label)*inner+i%inner, 1)
		}
	}
	return g.done()
}
