package onnx

import (
	"math"
	"slices"

	"nabla/onnx/internal/message"
)

// shaping are operators that change the shape, or ask for it.
func shaping() map[string]operator {
	return map[string]operator{
		"CenterCropPad": {since(18), 2, 2, 1, buildCenterCropPad},
		"Concat":        {since(1, 4, 11, 13), 1, -1, 1, buildConcat},
		"DepthToSpace":  {since(1, 11, 13, 28), 1, 1, 1, buildDepthToSpace},
		"Expand":        {since(8, 13), 2, 2, 1, buildExpand},
		"Flatten":       {since(1, 9, 11, 13, 21, 23, 24, 25), 1, 1, 1, buildFlatten},
		"Identity":      {since(1, 13, 14, 16, 19, 21, 23, 24, 25), 1, 1, 1, buildIdentity},
		"Pad":           {since(1, 2, 11, 13, 18, 19, 21, 23, 24, 25), 1, 4, 1, buildPad},
		"Reshape":       {since(1, 5, 13, 14, 19, 21, 23, 24, 25), 1, 2, 1, buildReshape},
		"Shape":         {since(1, 13, 15, 19, 21, 23, 24, 25), 1, 1, 1, buildShape},
		"Size":          {since(1, 13, 19, 21, 23, 24, 25), 1, 1, 1, buildSize},
		"Slice":         {since(1, 10, 11, 13), 1, 5, 1, buildSlice},
		"SpaceToDepth":  {since(1, 13, 28), 1, 1, 1, buildSpaceToDepth},
		"Split":         {since(1, 2, 11, 13, 18), 1, 2, -1, buildSplit},
		"Squeeze":       {since(1, 11, 13, 21, 23, 24, 25), 1, 2, 1, buildSqueeze},
		"Tile":          {since(1, 6, 13), 2, 3, 1, buildTile},
		"Transpose":     {since(1, 13, 21, 23, 24, 25), 1, 1, 1, buildTranspose},
		"Unsqueeze":     {since(1, 11, 13, 21, 23, 24, 25), 1, 2, 1, buildUnsqueeze},
	}
}

func buildIdentity(*node) func(*call) {
	return func(c *call) { c.set(0, c.args[0]) }
}

func buildConcat(n *node) func(*call) {
	axis := n.int("axis", 1)
	if n.version >= 4 && !n.hasAttribute("axis") {
		n.wrong("Concat has no axis")
	}
	return func(c *call) {
		xs := make([]datum, len(c.args))
		for i := range xs {
			xs[i] = c.tensor(i)
		}
		c.set(0, c.concat(c.axis(axis, xs[0].rank()), xs))
	}
}

func buildExpand(*node) func(*call) {
	return func(c *call) {
		x := c.tensor(0)
		to, ok := broadcast(x.shape(), c.dimensions(1))
		if !ok {
			c.failShapes("the shapes do not broadcast", x.shape(), c.list(1))
		}
		c.set(0, c.expand(x, to))
	}
}

// dimensions returns input i as a shape.
func (c *call) dimensions(i int) []int {
	shape := c.list(i)
	for _, d := range shape {
		if d < 0 {
			c.fail("a dimension of input %d is negative: %v", i, shape)
		}
	}
	if len(shape) > maxRank {
		c.fail("a shape has %d dimensions, more than %d", len(shape), maxRank)
	}
	return shape
}

// maxRank bounds the axes of a result.
const maxRank = 64

func buildFlatten(n *node) func(*call) {
	axis := n.int("axis", 1)
	return func(c *call) {
		x := c.tensor(0)
		shape := x.shape()
		at := axis
		if at < 0 {
			at += len(shape)
		}
		if at < 0 || at > len(shape) {
			c.axis(axis, len(shape))
		}
		c.set(0, c.reshape(x, []int{product(shape[:at]), product(shape[at:])}))
	}
}

// buildReshape takes a 0 for the length that the axis has, unless allowzero.
func buildReshape(n *node) func(*call) {
	n.ignore("consumed_inputs")
	zero := n.bool("allowzero", false)
	listed := n.ints("shape")
	return func(c *call) {
		x := c.tensor(0)
		shape := slices.Clone(listed)
		if n.version >= 5 {
			shape = c.list(1)
		}
		if len(shape) > maxRank {
			c.fail("a shape has %d dimensions, more than %d", len(shape), maxRank)
		}
		free := 0
		for i, d := range shape {
			if d == 0 && !zero {
				if i >= x.rank() {
					c.failShapes("the shape has a 0 for an axis that is not there", x.shape(), shape)
				}
				shape[i] = x.shape()[i]
			}
			if free += int(truth(d == -1)); d < -1 || free > 1 {
				c.failShapes("the shape is wrong", x.shape(), shape)
			}
		}
		c.set(0, c.reshape(x, shape))
	}
}

func buildShape(n *node) func(*call) {
	start, end := n.int("start", 0), n.int("end", math.MaxInt32)
	return func(c *call) {
		shape := c.tensor(0).shape()
		from, to := clampIndex(start, len(shape)), clampIndex(end, len(shape))
		c.set(0, ofInts(message.Int64, converted(shape[from:max(from, to)], func(d int) int64 { return int64(d) }), max(to-from, 0)))
	}
}

// clampIndex counts an index from the end if it is negative, and keeps it in
// range.
func clampIndex(i, length int) int {
	if i < 0 {
		i += length
	}
	return min(max(i, 0), length)
}

func buildSize(*node) func(*call) {
	return func(c *call) {
		c.set(0, ofInts(message.Int64, []int64{int64(c.tensor(0).size())}))
	}
}

// buildSlice takes elements from start up to end by steps, along axes.
func buildSlice(n *node) func(*call) {
	starts, ends, listed := n.ints("starts"), n.ints("ends"), n.ints("axes")
	return func(c *call) {
		x := c.tensor(0)
		starts, ends, axes := starts, ends, listed
		if n.version >= 10 {
			starts, ends = c.list(1), c.list(2)
		}
		if c.has(3) {
			axes = c.list(3)
		} else if axes == nil {
			axes = all(min(len(starts), x.rank()))
		}
		steps := ones(len(starts))
		if c.has(4) {
			steps = c.list(4)
		}
		if len(ends) != len(starts) || len(axes) != len(starts) || len(steps) != len(starts) {
			c.fail("there are %d starts, %d ends, %d axes and %d steps", len(starts), len(ends), len(axes), len(steps))
		}
		for i, axis := range c.axes(axes, x.rank()) {
			start, length := c.sliced(starts[i], ends[i], steps[i], x.shape()[axis])
			x = c.narrow(x, axis, start, length, steps[i])
		}
		c.set(0, x)
	}
}

// sliced returns where a slice starts and how long it is.
func (c *call) sliced(start, end, step, n int) (first, length int) {
	if step == 0 {
		c.fail("a step is 0")
	}
	if start < 0 {
		start += n
	}
	if end < 0 {
		end = max(end+n, -1)
	}
	if step > 0 {
		start, end = min(max(start, 0), n), min(max(end, 0), n)
		if start >= end {
			return 0, 0
		}
		return start, (end-start-1)/step + 1
	}
	start, end = min(max(start, -1), n-1), min(end, n-1)
	if start <= end {
		return 0, 0
	}
	// The quotient of the smallest int and −1 has no int.
	return start, (start-end-1)/max(-step, 1) + 1
}

func buildSplit(n *node) func(*call) {
	axis, parts, listed := n.int("axis", 0), n.int("num_outputs", 0), n.ints("split")
	return func(c *call) {
		x := c.tensor(0)
		axis := c.axis(axis, x.rank())
		lengths := listed
		if c.has(1) {
			lengths = c.list(1)
		}
		if lengths == nil {
			if parts > 0 && parts != len(c.outs) {
				c.fail("it has %d outputs and num_outputs=%d", len(c.outs), parts)
			}
			lengths = c.equal(x.shape()[axis], len(c.outs))
		}
		c.split(x, axis, lengths)
	}
}

// equal returns the lengths of parts, of which the last may be shorter.
func (c *call) equal(length, parts int) []int {
	each := (length + parts - 1) / parts
	if c.version < 18 && each*parts != length {
		c.fail("the length %d is not a multiple of %d parts", length, parts)
	}
	lengths := make([]int, parts)
	for i := range lengths {
		lengths[i] = min(each, length)
		length -= lengths[i]
	}
	return lengths
}

func (c *call) split(x datum, axis int, lengths []int) {
	if len(lengths) != len(c.outs) {
		c.fail("it has %d outputs for %d lengths", len(c.outs), len(lengths))
	}
	start := 0
	for i, length := range lengths {
		if length < 0 || length > x.shape()[axis]-start {
			c.fail("the lengths %v do not add up to %d", lengths, x.shape()[axis])
		}
		c.set(i, c.narrow(x, axis, start, length, 1))
		start += length
	}
	if start != x.shape()[axis] {
		c.fail("the lengths %v do not add up to %d", lengths, x.shape()[axis])
	}
}

func buildSqueeze(n *node) func(*call) {
	listed := n.ints("axes")
	return func(c *call) {
		x := c.tensor(0)
		axes := listed
		if c.has(1) {
			axes = c.list(1)
		}
		if axes == nil && !c.has(1) {
			for i, d := range x.shape() {
				if d == 1 {
					axes = append(axes, i)
				}
			}
		}
		axes = c.axes(axes, x.rank())
		for _, a := range axes {
			if x.shape()[a] != 1 {
				c.failShapes("an axis to drop does not have the length 1", x.shape(), axes)
			}
		}
		c.set(0, c.reshape(x, without(x.shape(), axes)))
	}
}

func buildUnsqueeze(n *node) func(*call) {
	listed := n.ints("axes")
	return func(c *call) {
		x := c.tensor(0)
		axes := listed
		if c.has(1) {
			axes = c.list(1)
		}
		rank := x.rank() + len(axes)
		if rank > maxRank {
			c.fail("the result has %d axes, more than %d", rank, maxRank)
		}
		axes = c.axes(axes, rank)
		shape := make([]int, 0, rank)
		for i, rest := 0, x.shape(); i < rank; i++ {
			if slices.Contains(axes, i) {
				shape = append(shape, 1)
			} else {
				shape, rest = append(shape, rest[0]), rest[1:]
			}
		}
		c.set(0, c.reshape(x, shape))
	}
}

// buildTile repeats the whole along each axis; the first opset named one axis.
func buildTile(n *node) func(*call) {
	return func(c *call) {
		x := c.tensor(0)
		times := c.list(1)
		if n.version == 1 {
			axis := c.axis(c.integer(2), x.rank())
			once := ones(x.rank())
			once[axis] = c.integer(1)
			times = once
		}
		if len(times) != x.rank() {
			c.failShapes("there is not one number of copies for each axis", x.shape(), times)
		}
		shape := slices.Clone(x.shape())
		for i, k := range times {
			if k < 0 || k > 0 && shape[i] > math.MaxInt/k {
				c.fail("the numbers of copies are %v", times)
			}
			shape[i] *= k
		}
		c.room(shape)
		if x.onGraph() && x.rank() > 0 {
			c.set(0, x.like(c.valueOf(x).Tile(times...)))
			return
		}
		for axis, k := range times {
			if k != 1 {
				x = c.tileAxis(x, axis, k)
			}
		}
		c.set(0, x)
	}
}

func (c *call) tileAxis(x datum, axis, times int) datum {
	n := x.shape()[axis]
	index := make([]int, 0, n*times)
	for range times {
		for i := range n {
			index = append(index, i)
		}
	}
	return c.along(x, axis, index)
}

func buildTranspose(n *node) func(*call) {
	order := n.ints("perm")
	return func(c *call) {
		x := c.tensor(0)
		perm := order
		if perm == nil {
			perm = all(x.rank())
			slices.Reverse(perm)
		}
		if len(perm) != x.rank() {
			c.failShapes("the order does not fit the axes", x.shape(), perm)
		}
		c.set(0, c.permute(x, perm))
	}
}

// blocks returns the block size and panics unless x is an image.
func (c *call) blocks(x datum, size int) []int {
	if size < 1 || x.rank() != 4 {
		c.failShapes("x is no [batch, channels, height, width]", x.shape())
	}
	return x.shape()
}

func buildDepthToSpace(n *node) func(*call) {
	b := n.int("blocksize", 0)
	columns := n.oneOf("mode", "DCR", "DCR", "CRD") == "CRD"
	return func(c *call) {
		x := c.tensor(0)
		s := c.blocks(x, b)
		if b > math.MaxInt32 || s[1]%(b*b) != 0 {
			c.failShapes("the channels do not divide into blocks", s)
		}
		to := []int{s[0], s[1] / (b * b), s[2] * b, s[3] * b}
		if columns {
			x = c.reshape(x, []int{s[0], s[1] / (b * b), b, b, s[2], s[3]})
			x = c.permute(x, []int{0, 1, 4, 2, 5, 3})
		} else {
			x = c.reshape(x, []int{s[0], b, b, s[1] / (b * b), s[2], s[3]})
			x = c.permute(x, []int{0, 3, 4, 1, 5, 2})
		}
		c.set(0, c.reshape(x, to))
	}
}

func buildSpaceToDepth(n *node) func(*call) {
	b := n.int("blocksize", 0)
	columns := n.version >= 28 && n.oneOf("mode", "DCR", "DCR", "CRD") == "CRD"
	return func(c *call) {
		x := c.tensor(0)
		s := c.blocks(x, b)
		if s[2]%b != 0 || s[3]%b != 0 {
			c.failShapes("the image does not divide into blocks", s)
		}
		x = c.reshape(x, []int{s[0], s[1], s[2] / b, b, s[3] / b, b})
		if columns {
			x = c.permute(x, []int{0, 1, 3, 5, 2, 4})
		} else {
			x = c.permute(x, []int{0, 3, 5, 1, 2, 4})
		}
		c.set(0, c.reshape(x, []int{s[0], s[1] * b * b, s[2] / b, s[3] / b}))
	}
}

// buildPad surrounds x, or crops it where the numbers are negative.
func buildPad(n *node) func(*call) {
	mode := n.oneOf("mode", "constant", "constant", "reflect", "edge", "wrap")
	listed := n.ints("pads")
	if n.version == 1 {
		listed = n.ints("paddings")
	}
	v := n.float("value", 0)
	n.reads(usedAsSetting, 2)
	return func(c *call) {
		x := c.tensor(0)
		pads, axes := listed, all(x.rank())
		if n.version >= 11 {
			pads = c.list(1)
		}
		if c.has(3) {
			axes = c.axes(c.list(3), x.rank())
		}
		if len(pads) != 2*len(axes) {
			c.fail("there are %d numbers of elements for %d axes", len(pads), len(axes))
		}
		before, after := make([]int, x.rank()), make([]int, x.rank())
		for i, axis := range axes {
			before[axis], after[axis] = pads[i], pads[len(axes)+i]
		}
		c.set(0, c.pad(x, mode, v, before, after))
	}
}

// signs parts numbers of elements into those to add and those to crop.
func signs(numbers []int) (more, fewer []int) {
	for _, n := range numbers {
		more, fewer = append(more, max(n, 0)), append(fewer, min(n, 0))
	}
	return more, fewer
}

// pad pads all axes. What is cropped at one end is that of x, but for a
// constant that reaches so far.
func (c *call) pad(x datum, mode string, v float64, before, after []int) datum {
	if mode == "constant" {
		for axis, n := range x.shape() {
			if n+min(before[axis], 0) < 0 || n+min(after[axis], 0) < 0 {
				moreBefore, fewerBefore := signs(before)
				moreAfter, fewerAfter := signs(after)
				return c.crop(c.pad(x, mode, v, moreBefore, moreAfter), fewerBefore, fewerAfter)
			}
		}
	}
	x, shape := c.crop(x, before, after), []int{}
	for axis, n := range x.shape() {
		length := n + max(before[axis], 0) + max(after[axis], 0)
		if max(before[axis], after[axis]) > math.MaxInt32 || length < 0 {
			c.tooLarge(append(shape, before[axis], after[axis]))
		}
		shape = append(shape, length)
	}
	c.room(shape)
	if mode == "constant" && x.onGraph() {
		if c.has(2) {
			v = c.number(2)
		}
		pairs := make([][2]int, len(shape))
		for axis := range pairs {
			pairs[axis] = [2]int{max(before[axis], 0), max(after[axis], 0)}
		}
		return x.like(c.valueOf(x).Pad(v, pairs...))
	}
	for axis := range shape {
		if lo, hi := max(before[axis], 0), max(after[axis], 0); lo+hi > 0 {
			x = c.padAxis(x, mode, axis, lo, hi, v)
		}
	}
	return x
}

// crop takes off what negative numbers say.
func (c *call) crop(x datum, before, after []int) datum {
	for axis := range x.rank() {
		lo, hi := min(before[axis], 0), min(after[axis], 0)
		if lo == 0 && hi == 0 {
			continue
		}
		n := x.shape()[axis]
		if lo < -n || hi < -n || n+lo+hi < 0 {
			c.failShapes("more is cropped than there is", x.shape(), before, after)
		}
		x = c.narrow(x, axis, -lo, n+lo+hi, 1)
	}
	return x
}

// padAxis pads an axis with elements that are its own, or with a constant of a
// tensor beside the graph.
func (c *call) padAxis(x datum, mode string, axis, before, after int, v float64) datum {
	n := x.shape()[axis]
	if mode == "constant" {
		return c.padArray(x, axis, before, after, v)
	}
	if n == 0 {
		c.failShapes("an axis without elements has none to pad with", x.shape())
	}
	index := make([]int, 0, n+before+after)
	for i := -before; i < n+after; i++ {
		index = append(index, padded(mode, i, n))
	}
	return c.along(x, axis, index)
}

// padded returns which element stands at index i of an axis of length n.
func padded(mode string, i, n int) int {
	switch mode {
	case "edge":
		return min(max(i, 0), n-1)
	case "wrap":
		return (i%n + n) % n
	}
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i = (i%period + period) % period
	return min(i, period-i)
}

func (c *call) padArray(x datum, axis, before, after int, v float64) datum {
	shape := slices.Clone(x.shape())
	around := func(n int) datum {
		shape[axis] = n
		c.room(shape)
		fill := c.zeros(x, shape)
		switch {
		case x.host.floats != nil:
			if c.has(2) {
				v = c.number(2)
			}
			fill.host.floats = slices.Repeat([]float64{v}, product(shape))
		case x.host.ints != nil && c.has(2):
			fill.host.ints = slices.Repeat([]int64{c.oneInt(2)}, product(shape))
		case x.host.strings != nil && c.has(2):
			fill.host.strings = slices.Repeat(c.args[2].host.strings[:1], product(shape))
		}
		return fill
	}
	return c.concat(axis, []datum{around(before), x, around(after)})
}

// buildCenterCropPad crops and pads axes around their middle.
func buildCenterCropPad(n *node) func(*call) {
	listed := n.ints("axes")
	return func(c *call) {
		x := c.tensor(0)
		axes := all(x.rank())
		if listed != nil {
			axes = c.axes(listed, x.rank())
		}
		to := c.dimensions(1)
		if len(to) != len(axes) {
			c.fail("there are %d lengths for %d axes", len(to), len(axes))
		}
		before, after := make([]int, x.rank()), make([]int, x.rank())
		for i, axis := range axes {
			more := to[i] - x.shape()[axis]
			before[axis] = more / 2
			if more < 0 {
				before[axis] = -(-more / 2)
			}
			after[axis] = more - before[axis]
		}
		c.args = c.args[:1]
		c.set(0, c.pad(x, "constant", 0, before, after))
	}
}
