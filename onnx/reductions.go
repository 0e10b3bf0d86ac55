package onnx

import (
	"math"
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// reductions join the elements along axes.
func reductions() map[string]operator {
	return map[string]operator{
		"ArgMax":          {since(1, 11, 12, 13), 1, 1, 1, buildArg(value.ArgMax, func(less func(x, y int64) bool, x, best int64) bool { return less(best, x) })},
		"ArgMin":          {since(1, 11, 12, 13), 1, 1, 1, buildArg(value.ArgMin, func(less func(x, y int64) bool, x, best int64) bool { return less(x, best) })},
		"CumProd":         {since(26), 2, 2, 1, buildCumulative(value.CumProd, 1, func(x, y int64) int64 { return x * y })},
		"CumSum":          {since(11, 14), 2, 2, 1, buildCumulative(value.CumSum, 0, func(x, y int64) int64 { return x + y })},
		"ReduceL1":        reduction(since(1, 11, 13, 18), reducer{values: reduceL1, ints: func(x, y int64) int64 { return x + y }, before: func(x int64) int64 { return max(x, -x) }}),
		"ReduceL2":        reduction(since(1, 11, 13, 18), reducer{values: reduceL2, ints: func(x, y int64) int64 { return x + y }, before: square, after: root}),
		"ReduceLogSum":    reduction(since(1, 11, 13, 18, 28), reducer{values: reduceLogSum}),
		"ReduceLogSumExp": reduction(since(1, 11, 13, 18, 28), reducer{values: func(x autograd.KeptDims, _ value, axes []int) value { return x.LogSumExp(axes...) }}),
		"ReduceMax":       reduction(since(1, 11, 12, 13, 18, 20), reducer{values: reduceMax, extreme: 1}),
		"ReduceMean":      reduction(since(1, 11, 13, 18), reducer{values: func(x autograd.KeptDims, _ value, axes []int) value { return x.Mean(axes...) }, ints: func(x, y int64) int64 { return x + y }, mean: true}),
		"ReduceMin":       reduction(since(1, 11, 12, 13, 18, 20), reducer{values: reduceMin, extreme: -1}),
		"ReduceProd":      reduction(since(1, 11, 13, 18), reducer{values: func(x autograd.KeptDims, _ value, axes []int) value { return x.Prod(axes...) }, ints: func(x, y int64) int64 { return x * y }, first: 1}),
		"ReduceSum":       reduction(since(1, 11, 13), reducer{values: func(x autograd.KeptDims, _ value, axes []int) value { return x.Sum(axes...) }, ints: func(x, y int64) int64 { return x + y }}),
		"ReduceSumSquare": reduction(since(1, 11, 13, 18), reducer{values: reduceSquares, ints: func(x, y int64) int64 { return x + y }, before: square}),
	}
}

// A reducer joins elements: Values, which keep the reduced axes, and integers,
// with what comes before and after.
type reducer struct {
	values  func(kept autograd.KeptDims, x value, axes []int) value
	ints    func(x, y int64) int64
	first   int64
	before  func(int64) int64
	after   func(int64) int64
	mean    bool
	extreme int // 1: the greatest, −1: the smallest
}

func square(x int64) int64 { return x * x }

func root(x int64) int64 { return int64(math.Sqrt(float64(x))) }

func reduceL1(_ autograd.KeptDims, x value, axes []int) value {
	return x.Abs().KeepDims().Sum(axes...)
}

func reduceL2(kept autograd.KeptDims, _ value, axes []int) value { return kept.Norm(2, axes...) }

func reduceLogSum(kept autograd.KeptDims, _ value, axes []int) value { return kept.Sum(axes...).Log() }

func reduceSquares(_ autograd.KeptDims, x value, axes []int) value {
	return x.Square().KeepDims().Sum(axes...)
}

// The greatest of no elements is −Inf, the smallest +Inf.
func reduceMax(kept autograd.KeptDims, x value, axes []int) value {
	if x.Size() == 0 {
		return x.Graph().Full(math.Inf(-1), keptShape(x.Shape(), axes)...)
	}
	return kept.Max(axes...)
}

func reduceMin(kept autograd.KeptDims, x value, axes []int) value {
	if x.Size() == 0 {
		return x.Graph().Full(math.Inf(1), keptShape(x.Shape(), axes)...)
	}
	return kept.Min(axes...)
}

// keptShape returns a shape with reduced axes of length 1.
func keptShape(shape, axes []int) []int {
	to := slices.Clone(shape)
	for _, a := range axes {
		to[a] = 1
	}
	return to
}

// without returns a shape without some axes.
func without(shape, axes []int) []int {
	to := []int{}
	for i, d := range shape {
		if !slices.Contains(axes, i) {
			to = append(to, d)
		}
	}
	return to
}

// reduction is an operator that reduces axes: those of an attribute or, of
// later versions, of an input.
func reduction(versions []int64, r reducer) operator {
	return operator{versions, 1, 2, 1, func(n *node) func(*call) {
		keep, noop := n.bool("keepdims", true), n.bool("noop_with_empty_axes", false)
		listed := n.ints("axes")
		return func(c *call) {
			x := c.tensor(0)
			axes := listed
			if c.has(1) {
				axes = c.list(1)
			}
			axes = c.axes(axes, x.rank())
			if len(axes) == 0 && !noop {
				axes = all(x.rank())
			}
			c.set(0, c.reduce(r, x, axes, keep))
		}
	}}
}

// all returns all axes of a rank.
func all(rank int) []int {
	axes := make([]int, rank)
	for i := range axes {
		axes[i] = i
	}
	return axes
}

func (c *call) reduce(r reducer, x datum, axes []int, keep bool) datum {
	to := keptShape(x.shape(), axes)
	var y datum
	if isFloat(x.elem) {
		y = x.like(c.reduceValues(r, c.value(0), axes))
	} else {
		y = c.reduceInts(r, x, axes, to)
	}
	if !keep && len(axes) > 0 {
		y = c.reshape(y, without(x.shape(), axes))
	}
	return y
}

// reduceValues reduces Values, of which a reduction over no axes treats each
// element on its own: Value's own would reduce all.
func (c *call) reduceValues(r reducer, x value, axes []int) value {
	if len(axes) > 0 {
		return r.values(x.KeepDims(), x, axes)
	}
	if x.Rank() == 0 {
		return r.values(x.Reshape(1).KeepDims(), x.Reshape(1), []int{0}).Reshape()
	}
	wide := x.Unsqueeze(x.Rank())
	return r.values(wide.KeepDims(), wide, []int{x.Rank()}).Squeeze(x.Rank())
}

// reduceInts reduces integers and booleans.
func (c *call) reduceInts(r reducer, x datum, axes, to []int) datum {
	from := c.intsOf(x)
	less := lessInts(x.elem)
	values := slices.Repeat([]int64{r.first}, product(to))
	seen := make([]bool, len(values))
	place := spread(to, x.shape())
	for i, v := range from {
		at := place.at(i)
		switch {
		case r.extreme != 0:
			if !seen[at] || r.extreme > 0 == less(values[at], v) && v != values[at] {
				values[at] = v
			}
		case r.ints == nil:
			c.fail("it has no meaning for integers")
		default:
			if r.before != nil {
				v = r.before(v)
			}
			values[at] = r.ints(values[at], v)
		}
		seen[at] = true
	}
	each := int64(1)
	for _, a := range axes {
		each *= int64(x.shape()[a])
	}
	for i, v := range values {
		switch {
		case r.extreme != 0 && !seen[i]:
			v = extremes(x.elem)[(1+r.extreme)/2]
		case r.mean && each > 0:
			v /= each
		case r.after != nil:
			v = r.after(v)
		}
		values[i] = wrap(x.elem, v)
	}
	return ofInts(x.elem, values, to...)
}

// extremes returns the greatest and the smallest integer of a type: what the
// smallest and the greatest of no elements are.
func extremes(e message.Elem) [2]int64 {
	width := integerWidths[e]
	switch {
	case e == message.Bool:
		return [2]int64{1, 0}
	case e == message.Uint64:
		return [2]int64{-1, 0}
	case isUnsigned(e):
		return [2]int64{1<<width - 1, 0}
	}
	return [2]int64{1<<(width-1) - 1, -1 << (width - 1)}
}

// buildArg finds the place of an extreme element along an axis, the first or
// the last one at a tie.
func buildArg(f func(x value, axis int) autograd.Ints, better func(less func(x, y int64) bool, x, best int64) bool) func(n *node) func(*call) {
	return func(n *node) func(*call) {
		axis, keep, last := n.int("axis", 0), n.bool("keepdims", true), n.bool("select_last_index", false)
		return func(c *call) {
			x := c.tensor(0)
			axis := c.axis(axis, x.rank())
			if x.size() == 0 {
				c.failShapes("there are no elements", x.shape())
			}
			var y datum
			if isFloat(x.elem) {
				y = c.argOfValues(f, axis, last)
			} else {
				y = ofInts(message.Int64, c.argOfInts(x, axis, last, better))
			}
			shape := keptShape(x.shape(), []int{axis})
			if !keep {
				shape = without(x.shape(), []int{axis})
			}
			y.host.shape = shape
			c.set(0, y)
		}
	}
}

func (c *call) argOfValues(f func(x value, axis int) autograd.Ints, axis int, last bool) datum {
	x := c.value(0)
	if !last {
		return inInts(message.Int64, f(x, axis))
	}
	at := inInts(message.Int64, f(x.Flip(axis), axis)).host.ints
	for i, v := range at {
		at[i] = int64(x.Dim(axis)) - 1 - v
	}
	return ofInts(message.Int64, at)
}

func (c *call) argOfInts(x datum, axis int, last bool, better func(less func(x, y int64) bool, x, best int64) bool) []int64 {
	values, shape := c.intsOf(x), x.shape()
	less := lessInts(x.elem)
	inner, n := product(shape[axis+1:]), shape[axis]
	at := make([]int64, 0, product(shape)/n)
	for outer := range product(shape[:axis]) {
		for j := range inner {
			best := 0
			for i := range n {
				v, b := values[(outer*n+i)*inner+j], values[(outer*n+best)*inner+j]
				if better(less, v, b) || last && v == b {
					best = i
				}
			}
			at = append(at, int64(best))
		}
	}
	return at
}

// buildCumulative runs along an axis, from either end, with or without the
// element itself.
func buildCumulative(f func(x value, axis int) value, first float64, ints func(x, y int64) int64) func(n *node) func(*call) {
	return func(n *node) func(*call) {
		exclusive, reverse := n.bool("exclusive", false), n.bool("reverse", false)
		return func(c *call) {
			x := c.tensor(0)
			axis := c.axis(c.integer(1), x.rank())
			if !isFloat(x.elem) {
				c.set(0, c.cumulativeInts(x, axis, exclusive, reverse, int64(first), ints))
				return
			}
			v := c.value(0)
			if reverse {
				v = v.Flip(axis)
			}
			if n := v.Dim(axis); exclusive && n > 0 {
				pairs := make([][2]int, v.Rank())
				pairs[axis] = [2]int{1, 0}
				v = v.Narrow(axis, 0, n-1).Pad(first, pairs...)
			}
			v = f(v, axis)
			if reverse {
				v = v.Flip(axis)
			}
			c.setLike(0, v)
		}
	}
}

func (c *call) cumulativeInts(x datum, axis int, exclusive, reverse bool, first int64, f func(x, y int64) int64) datum {
	values, shape := c.intsOf(x), x.shape()
	to := make([]int64, len(values))
	inner, n := product(shape[axis+1:]), shape[axis]
	for outer := range product(shape[:axis]) {
		for j := range inner {
			acc := first
			for k := range n {
				i := k
				if reverse {
					i = n - 1 - k
				}
				at := (outer*n+i)*inner + j
				if exclusive {
					to[at] = acc
				}
				acc = wrap(x.elem, f(acc, values[at]))
				if !exclusive {
					to[at] = acc
				}
			}
		}
	}
	return ofInts(x.elem, to, shape...)
}
