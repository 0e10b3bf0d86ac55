package onnx

import (
	"cmp"
	"slices"

	"nabla/onnx/internal/message"
)

// sorting are operators that order elements or look for some of them.
func sorting() map[string]operator {
	return map[string]operator{
		"Compress": {since(9, 11, 28), 2, 2, 1, buildCompress},
		"NonZero":  {since(9, 13), 1, 1, 1, buildNonZero},
		"TopK":     {since(1, 10, 11, 24), 1, 2, 2, buildTopK},
		"Unique":   {since(11, 28), 1, 1, 4, buildUnique},
	}
}

func buildTopK(n *node) func(*call) {
	axis, largest := n.int("axis", -1), n.bool("largest", true)
	n.ignore("sorted")
	k := 0
	if n.version == 1 {
		if k = n.int("k", 0); !n.hasAttribute("k") {
			n.wrong("TopK has no k")
		}
	}
	return func(c *call) {
		x := c.tensor(0)
		k := k
		if n.version > 1 {
			k = c.integer(1)
		}
		axis := c.axis(axis, x.rank())
		if k < 0 || k > x.shape()[axis] {
			c.fail("there are no %d elements along axis %d of %v", k, axis, x.shape())
		}
		if isFloat(x.elem) && largest && k > 0 {
			v := c.value(0)
			c.set(0, x.like(v.TopK(axis, k)))
			c.set(1, inInts(message.Int64, v.ArgTopK(axis, k)))
			return
		}
		at := c.order(x, axis, largest)
		shape := slices.Clone(x.shape())
		shape[axis] = k
		inner, length := product(shape[axis+1:]), x.shape()[axis]
		index, from := make([]int64, 0, product(shape)), make([]int, 0, product(shape))
		for outer := range product(shape[:axis]) {
			for i := range k {
				for j := range inner {
					best := at[(outer*length+i)*inner+j]
					index = append(index, int64(best))
					from = append(from, (outer*length+best)*inner+j)
				}
			}
		}
		c.set(0, c.pick(x, from, shape))
		c.set(1, ofInts(message.Int64, index, shape...))
	}
}

// order returns the indices along an axis of the elements in order; equal ones
// keep theirs.
func (c *call) order(x datum, axis int, descending bool) []int {
	if isFloat(x.elem) {
		return c.valueOf(x).ArgSort(axis, descending).Values()
	}
	values, shape, less := c.intsOf(x), x.shape(), lessInts(x.elem)
	inner, n := product(shape[axis+1:]), shape[axis]
	to := make([]int, len(values))
	row := make([]int, n)
	for outer := range product(shape[:axis]) {
		for j := range inner {
			for i := range row {
				row[i] = i
			}
			slices.SortStableFunc(row, func(a, b int) int {
				x, y := values[(outer*n+a)*inner+j], values[(outer*n+b)*inner+j]
				if descending {
					x, y = y, x
				}
				return int(truth(less(y, x)) - truth(less(x, y)))
			})
			for i, at := range row {
				to[(outer*n+i)*inner+j] = at
			}
		}
	}
	return to
}

// buildNonZero returns the indices of elements that are not zero, a row for
// each axis.
func buildNonZero(*node) func(*call) {
	return func(c *call) {
		x := c.tensor(0)
		shape := x.shape()
		c.room([]int{len(shape), x.size()})
		var found []int
		if isFloat(x.elem) {
			for i, v := range c.floats(0) {
				if v != 0 {
					found = append(found, i)
				}
			}
		} else {
			for i, v := range c.ints(0) {
				if v != 0 {
					found = append(found, i)
				}
			}
		}
		strides := rowMajor(shape)
		values := make([]int64, 0, len(shape)*len(found))
		for axis, stride := range strides {
			for _, at := range found {
				values = append(values, int64(at/stride%shape[axis]))
			}
		}
		c.set(0, ofInts(message.Int64, values, len(shape), len(found)))
	}
}

// buildCompress takes the slices along an axis, or the elements, for which a
// condition is true.
func buildCompress(n *node) func(*call) {
	whole := !n.hasAttribute("axis")
	axis := n.int("axis", 0)
	return func(c *call) {
		x := c.tensor(0)
		axis := axis
		if whole {
			x, axis = c.reshape(x, []int{-1}), 0
		} else {
			axis = c.axis(axis, x.rank())
		}
		var index []int
		for i, v := range c.ints(1) {
			if v != 0 {
				index = append(index, i)
			}
		}
		if len(index) > 0 && index[len(index)-1] >= x.shape()[axis] {
			c.failShapes("the condition is longer than the axis", x.shape(), c.args[1].shape())
		}
		c.set(0, c.along(x, axis, index))
	}
}

// buildUnique finds the elements, or the slices along an axis, that differ:
// with the place of the first of each, which one each element is, and how many
// there are.
func buildUnique(n *node) func(*call) {
	whole, sorted := !n.hasAttribute("axis"), n.bool("sorted", true)
	axis := n.int("axis", 0)
	return func(c *call) {
		x := c.tensor(0)
		axis := axis
		if whole {
			x, axis = c.reshape(x, []int{-1}), 0
		} else {
			axis = c.axis(axis, x.rank())
		}
		groups := c.groups(x, axis, sorted)
		first, counts := make([]int, len(groups)), make([]int64, len(groups))
		inverse := make([]int64, x.shape()[axis])
		for k, group := range groups {
			first[k], counts[k] = group[0], int64(len(group))
			for _, i := range group {
				inverse[i] = int64(k)
			}
		}
		c.set(0, c.along(x, axis, first))
		c.set(1, ofInts(message.Int64, converted(first, func(i int) int64 { return int64(i) }), len(first)))
		c.set(2, ofInts(message.Int64, inverse, len(inverse)))
		c.set(3, ofInts(message.Int64, counts, len(counts)))
	}
}

// groups returns the indices of equal slices along an axis, in the order of the
// slices or of their first occurrence.
func (c *call) groups(x datum, axis int, sorted bool) [][]int {
	compare := c.slices(x, axis)
	order := make([]int, x.shape()[axis])
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, compare)
	var groups [][]int
	for k, i := range order {
		if k == 0 || compare(order[k-1], i) != 0 {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], i)
	}
	if !sorted {
		slices.SortFunc(groups, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	}
	return groups
}

// slices returns how two slices along an axis compare, element by element.
func (c *call) slices(x datum, axis int) func(i, j int) int {
	var element func(i, j int) int
	switch {
	case x.elem == message.String:
		element = func(i, j int) int { return cmp.Compare(x.host.strings[i], x.host.strings[j]) }
	case isFloat(x.elem):
		values := c.floatsOf(x)
		element = func(i, j int) int { return cmp.Compare(values[i], values[j]) }
	default:
		values, less := c.intsOf(x), lessInts(x.elem)
		element = func(i, j int) int { return int(truth(less(values[j], values[i])) - truth(less(values[i], values[j]))) }
	}
	shape := x.shape()
	inner, n := product(shape[axis+1:]), shape[axis]
	outer := product(shape[:axis])
	return func(i, j int) int {
		for o := range outer {
			for k := range inner {
				if order := element((o*n+i)*inner+k, (o*n+j)*inner+k); order != 0 {
					return order
				}
			}
		}
		return 0
	}
}
