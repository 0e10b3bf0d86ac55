package onnx

import (
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// normalizations divide by what elements have in common.
func normalizations() map[string]operator {
	return map[string]operator{
		"BatchNormalization":        {since(1, 6, 7, 9, 14, 15), 5, 5, 5, buildBatchNorm},
		"GroupNormalization":        {since(18, 21), 3, 3, 1, buildGroupNorm},
		"InstanceNormalization":     {since(1, 6, 22), 3, 3, 1, buildInstanceNorm},
		"LRN":                       with(since(1, 13), buildLRN),
		"LayerNormalization":        {since(17), 2, 3, 3, buildLayerNorm},
		"LpNormalization":           with(since(1, 22), buildLpNormalization),
		"MeanVarianceNormalization": with(since(9, 13), buildMeanVariance),
		"RMSNormalization":          {since(23), 2, 2, 1, buildRMSNorm},
	}
}

const defaultEpsilon = float64(float32(1e-5))

// buildBatchNorm normalizes by the statistics that it is given or, in a graph
// in training mode, by those of the batch, if the former are the file's: then
// they observe them.
func buildBatchNorm(n *node) func(*call) {
	n.ignore("consumed_inputs", "is_test", "spatial")
	epsilon, momentum := n.float("epsilon", defaultEpsilon), n.float("momentum", float64(float32(0.9)))
	training := n.bool("training_mode", false)
	if n.version < 9 && !n.bool("spatial", true) {
		n.unsupported("spatial=0")
	}
	if n.version < 14 && len(n.out) > 1 {
		for _, slot := range n.out[1:] {
			if slot >= 0 {
				n.unsupported("outputs of statistics before opset 14")
				break
			}
		}
	}
	n.reads(usedAsStatistic, 3, 4)
	return func(c *call) {
		x, scale, shift := c.value(0), c.value(1), c.value(2)
		mean, variance := c.args[3], c.args[4]
		c.checkChannels(x, 1, 2, 3, 4)
		statistics := isStatistic(mean) && isStatistic(variance)
		if !c.graph().Training() || !statistics && !training {
			c.setLike(0, x.Normalize(c.value(3), c.value(4), scale, shift, epsilon))
			c.set(1, mean)
			c.set(2, variance)
			return
		}
		y, batchMean, batchVariance := x.BatchNorm(scale, shift, epsilon)
		c.setLike(0, y)
		if statistics {
			g := c.graph()
			g.Observe(mean.param, batchMean, 1-momentum)
			g.Observe(variance.param, batchVariance, 1-momentum)
		}
		c.runningStatistics(x, batchMean, momentum)
	}
}

func isStatistic(d datum) bool { return d.param != nil && d.param.IsStatistic() }

// runningStatistics are the outputs behind the first: the inputs, moved to what
// the batch has. The variance has n as its denominator here.
func (c *call) runningStatistics(x, mean value, momentum float64) {
	if !c.wants(1) && !c.wants(2) {
		return
	}
	axes := []int{0}
	for i := 2; i < x.Rank(); i++ {
		axes = append(axes, i)
	}
	old, fresh := momentum, 1-momentum
	c.set(1, ofValue(c.args[3].elem, c.value(3).MulScalar(old).Add(mean.MulScalar(fresh))))
	c.set(2, ofValue(c.args[4].elem, c.value(4).MulScalar(old).Add(x.PopulationVar(axes...).MulScalar(fresh))))
}

// checkChannels panics unless inputs have one number for each channel of x.
func (c *call) checkChannels(x value, inputs ...int) {
	if x.Rank() < 2 {
		c.failShapes("x is no [batch, channels, …]", x.Shape())
	}
	for _, i := range inputs {
		if s := c.tensor(i).shape(); len(s) != 1 || s[0] != x.Dim(1) {
			c.failShapes("there is not one number for each channel", x.Shape(), s)
		}
	}
}

func buildInstanceNorm(n *node) func(*call) {
	n.ignore("consumed_inputs")
	epsilon := n.float("epsilon", defaultEpsilon)
	return func(c *call) {
		x := c.value(0)
		c.checkChannels(x, 1, 2)
		c.setLike(0, x.GroupNorm(x.Dim(1), c.value(1), c.value(2), epsilon))
	}
}

// buildGroupNorm has a scale and a shift for each channel; the first version
// had one for each group.
func buildGroupNorm(n *node) func(*call) {
	n.ignore("stash_type")
	groups, epsilon := n.int("num_groups", 0), n.float("epsilon", defaultEpsilon)
	return func(c *call) {
		x, scale, shift := c.value(0), c.value(1), c.value(2)
		if x.Rank() < 2 || groups < 1 || x.Dim(1)%groups != 0 {
			c.failShapes("the channels do not divide into groups", x.Shape(), []int{groups})
		}
		if n.version < 21 {
			scale, shift = scale.Repeat(0, x.Dim(1)/groups), shift.Repeat(0, x.Dim(1)/groups)
		}
		c.setLike(0, x.GroupNorm(groups, scale, shift, epsilon))
	}
}

func buildLayerNorm(n *node) func(*call) {
	n.ignore("stash_type")
	axis, epsilon := n.int("axis", -1), n.float("epsilon", defaultEpsilon)
	return func(c *call) {
		x := c.value(0)
		axis := c.axis(axis, x.Rank())
		row := x.Shape()[axis:]
		scale, shift := c.row(1, row), c.row(2, row)
		c.setLike(0, x.LayerNorm(len(row), scale, shift, epsilon))
		axes := all(x.Rank())[axis:]
		if c.wants(1) {
			c.set(1, ofValue(message.Float, x.KeepDims().Mean(axes...)))
		}
		if c.wants(2) {
			c.set(2, ofValue(message.Float, x.KeepDims().PopulationVar(axes...).AddScalar(epsilon).Rsqrt()))
		}
	}
}

// row returns input i, which broadcasts to a row, as one; the zero Value if
// there is none.
func (c *call) row(i int, row []int) value {
	v := c.optional(i)
	if v.IsZero() || slices.Equal(v.Shape(), row) {
		return v
	}
	for v.Rank() > len(row) && v.Dim(0) == 1 {
		v = v.Squeeze(0)
	}
	return v.Expand(row...)
}

func buildRMSNorm(n *node) func(*call) {
	n.ignore("stash_type")
	axis, epsilon := n.int("axis", -1), n.float("epsilon", defaultEpsilon)
	return func(c *call) {
		x := c.value(0)
		axis := c.axis(axis, x.Rank())
		row := x.Shape()[axis:]
		c.setLike(0, x.RMSNorm(len(row), c.row(1, row), epsilon))
	}
}

// buildLRN divides by a power of the mean square of neighbouring channels.
func buildLRN(n *node) func(value) value {
	alpha, beta, bias, size := n.float("alpha", float64(float32(1e-4))), n.float("beta", 0.75), n.float("bias", 1), n.int("size", 0)
	if size < 1 {
		n.wrong("LRN has size=%d", size)
	}
	return func(x value) value {
		if x.Rank() < 2 {
			panic(autograd.NewShapeError("onnx", "x is no [batch, channels, …]", x.Shape()))
		}
		// Of the neighbours, no more than there are channels count.
		before, after := min((size-1)/2, x.Dim(1)), min(size/2, x.Dim(1))
		kernel := x.Graph().Full(1, 1, 1, before+after+1, 1)
		rows := x.Square().Reshape(x.Dim(0), 1, x.Dim(1), product(x.Shape()[2:]))
		window := rows.Conv(kernel, autograd.ConvOptions{Padding: [][2]int{{before, after}, {}}}).Reshape(x.Shape()...)
		return x.Div(window.MulScalar(alpha / float64(size)).AddScalar(bias).PowScalar(beta))
	}
}

func buildLpNormalization(n *node) func(value) value {
	axis, p := n.int("axis", -1), n.int("p", 2)
	if p != 1 && p != 2 {
		n.wrong("LpNormalization has p=%d", p)
	}
	return func(x value) value {
		norm := x.KeepDims().Norm(float64(p), axis)
		// A norm of 0 gives 0, not 0/0.
		return autograd.Where(norm.EqualScalar(0), x.Graph().Scalar(0), x.Div(autograd.Where(norm.EqualScalar(0), x.Graph().Scalar(1), norm)))
	}
}

func buildMeanVariance(n *node) func(value) value {
	axes := n.ints("axes")
	if axes == nil {
		axes = []int{0, 2, 3}
	}
	return func(x value) value {
		centered := x.Sub(x.KeepDims().Mean(axes...))
		return centered.Div(centered.Square().KeepDims().Mean(axes...).Sqrt().AddScalar(float64(float32(1e-9))))
	}
}
