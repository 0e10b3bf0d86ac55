package export

import (
	"math"
	"slices"

	"nabla/autograd"
)

// runningOutlines are operations along axes that have no operator.
var runningOutlines = map[string]outline{
	"norm":                  func(c call) autograd.Value { return powerNorm(c) },
	"var":                   func(c call) autograd.Value { return variance(c) },
	"std":                   func(c call) autograd.Value { return variance(c).Sqrt() },
	"center":                func(c call) autograd.Value { return c.in[0].Sub(c.means(c.in[0])) },
	"cumprod":               func(c call) autograd.Value { return c.scanned(1, autograd.Value.Mul) },
	"cummax":                func(c call) autograd.Value { return c.scanned(math.Inf(-1), autograd.Value.Maximum) },
	"cummin":                func(c call) autograd.Value { return c.scanned(math.Inf(1), autograd.Value.Minimum) },
	"logcumsumexp":          func(c call) autograd.Value { return c.scanned(math.Inf(-1), logAddExp) },
	"logcumsumexp gradient": func(c call) autograd.Value { return c.expSums(true) },
	"logcumsumexp tangent":  func(c call) autograd.Value { return c.expSums(false) },
	"segment max":           segmentMax,
	"segment softmax":       segmentSoftmax,
	"ctc":                   ctc,
}

func (c call) reduce() autograd.ReduceOptions { return c.Options().(autograd.ReduceOptions) }

// means returns the means over the axes of a reduction, in a shape that
// broadcasts.
func (c call) means(x autograd.Value) autograd.Value { return x.KeepDims().Mean(c.over()...) }

// over returns the axes, which of a scalar are none.
func (c call) over() []int { return c.reduce().Axes }

func (c call) count() float64 {
	n := 1
	for _, axis := range c.over() {
		n *= c.in[0].Dim(axis)
	}
	return float64(n)
}

func variance(c call) autograd.Value {
	d := c.in[0].Sub(c.means(c.in[0])).Square()
	return d.Sum(c.over()...).MulScalar(1 / (c.count() - float64(c.reduce().Correction))).Reshape(c.shape...)
}

func powerNorm(c call) autograd.Value {
	p := c.reduce().P
	return c.in[0].Abs().PowScalar(p).Sum(c.over()...).PowScalar(1 / p).Reshape(c.shape...)
}

// scanned joins each element with all before it, in a number of steps that is
// the logarithm of their number. Before the first stands none.
func (c call) scanned(none float64, join func(x, y autograd.Value) autograd.Value) autograd.Value {
	o, y := c.Options().(autograd.AxisOptions), c.in[0]
	axis, n := o.Axis, 0
	if y.Rank() > 0 {
		n = y.Dim(axis)
	}
	for d := 1; d < n; d *= 2 {
		pairs := make([][2]int, y.Rank())
		start := 0
		pairs[axis][0] = d
		if o.Reverse {
			pairs[axis], start = [2]int{0, d}, d
		}
		y = join(y, y.Pad(none, pairs...).Narrow(axis, start, n))
	}
	return y
}

// expSums are the sums of a gradient times e^(x − y) over those behind, or of a
// tangent over those before: by a square of exponentials along the axis.
func (c call) expSums(back bool) autograd.Value {
	v, x, y, axis := c.in[0], c.in[1], c.in[2], c.Options().(autograd.AxisOptions).Axis
	if x.Rank() == 0 || x.Size() == 0 {
		return v.Mul(x.Sub(y).Exp())
	}
	n := x.Dim(axis)
	own, other := axis, axis+1 // of the element and of those that are summed
	mask := c.g.Constant(autograd.Ones(n, n))
	dims := make([]int, x.Rank()+1)
	for i := range dims {
		dims[i] = 1
	}
	dims[own], dims[other] = n, n
	exponent := x.Unsqueeze(other).Sub(y.Unsqueeze(own))
	if back {
		mask = mask.Triu(0)
	} else {
		mask = mask.Tril(0)
		exponent = x.Unsqueeze(own).Sub(y.Unsqueeze(other))
	}
	mask = mask.Reshape(dims...)
	terms := autograd.Where(mask, exponent, c.g.Scalar(math.Inf(-1))).Exp().Mul(v.Unsqueeze(own))
	return autograd.Where(mask, terms, c.g.Scalar(0)).Sum(other)
}

// segmentMax takes the greatest of the rows of each segment, one segment after
// the other, and leaves out segments without rows if the node does.
func segmentMax(c call) autograd.Value {
	o, x := c.Options().(autograd.SegmentOptions), c.in[0]
	rows := make([][]int, o.Count)
	for row, segment := range o.Segments {
		rows[segment] = append(rows[segment], row)
	}
	var parts []autograd.Value
	for _, list := range rows {
		if len(list) > 0 {
			parts = append(parts, x.IndexSelect(0, autograd.NewInts(list)).KeepDims().Max(0))
		}
	}
	if len(parts) == 0 {
		return x.Reshape(c.shape...)
	}
	return autograd.Concat(0, parts...).Reshape(c.shape...)
}

func segmentSoftmax(c call) autograd.Value {
	o, x := c.Options().(autograd.SegmentOptions), c.in[0]
	segments := autograd.NewInts(o.Segments)
	most := x.SegmentMax(segments, o.Count)
	e := x.Sub(most.IndexSelect(0, segments)).Exp()
	return e.Div(e.SegmentSum(segments, o.Count).IndexSelect(0, segments))
}

// ctc is the sum over all paths, step by step, in logarithms.
func ctc(c call) autograd.Value {
	const never = -1e30
	o, x := c.Options().(autograd.CTCCall), c.in[0]
	dims := x.Shape()
	batch, steps, longest := dims[0], dims[1], o.Labels.Dim(1)
	states := 2*longest + 1
	classes := make([]int, batch*steps*states)
	start, skips := slices.Repeat([]float64{never}, batch*states), make([]float64, batch*states)
	last, blankOnly := make([]int, 2*batch), make([]float64, batch)
	for i := range batch {
		labels := o.Labels.Values()[i*longest:][:o.LabelLengths.Values()[i]]
		for state := range states {
			class := o.Blank
			if state%2 == 1 && state/2 < len(labels) {
				class = labels[state/2]
			}
			for step := range steps {
				classes[(i*steps+step)*states+state] = class
			}
			if state < 2 {
				start[i*states+state] = 0
			}
			if state%2 == 0 || state < 3 || state/2 >= len(labels) || labels[state/2] == labels[state/2-1] {
				skips[i*states+state] = never
			}
		}
		last[2*i], last[2*i+1] = 2*len(labels), max(0, 2*len(labels)-1)
		if len(labels) == 0 {
			blankOnly[i] = never
		}
	}
	at := x.Gather(2, autograd.NewInts(classes, batch, steps, states)).Clamp(never, math.Inf(1))
	paths, skip := c.g.Constant(autograd.NewTensor(start, batch, states)).Add(at.Select(1, 0)), c.g.Constant(autograd.NewTensor(skips, batch, states))
	for step := 1; step < steps; step++ {
		sum := paths.LogAddExp(later(paths, 1)).LogAddExp(later(paths, 2).Add(skip))
		reached := make([]float64, batch)
		for i, length := range o.Lengths.Values() {
			if length > step {
				reached[i] = 1
			}
		}
		paths = autograd.Where(c.g.Constant(autograd.NewTensor(reached, batch, 1)), sum.Add(at.Select(1, step)), paths)
	}
	ends := paths.Gather(1, autograd.NewInts(last, batch, 2))
	y := ends.Narrow(1, 0, 1).LogAddExp(ends.Narrow(1, 1, 1).Add(c.g.Constant(autograd.NewTensor(blankOnly, batch, 1)))).Reshape(batch).Neg()
	infinite := math.Inf(1)
	if o.ZeroInfinity {
		infinite = 0
	}
	return autograd.Where(y.GreaterScalar(-never/2), c.g.Scalar(infinite), y)
}

// later moves the states on.
func later(x autograd.Value, states int) autograd.Value {
	dims := x.Shape()
	n := min(states, dims[1])
	return x.Pad(-1e30, [2]int{}, [2]int{n, 0}).Narrow(1, 0, dims[1])
}
