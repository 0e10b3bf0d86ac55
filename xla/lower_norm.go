package xla

// A grouping says which numbers are normalized together: see package autograd.
type grouping struct {
	n, groups, channels, inner int
	byChannel, plain           bool
	scale, shift               bool
}

func groupingOf(c *call) grouping {
	i := c.ints
	return grouping{i[0], i[1], i[2], i[3], i[4] == 1, i[5] == 1, i[6] == 1, i[7] == 1}
}

// shape is that of numbers in groups, axes those that are normalized together.
func (g grouping) shape() []int {
	if g.byChannel {
		return []int{g.n, g.channels, g.inner}
	}
	count := g.n * g.groups
	return []int{count, g.n * g.channels * g.inner / max(1, count)}
}

func (g grouping) axes() []int {
	if g.byChannel {
		return []int{0, 2}
	}
	return []int{1}
}

// in arranges numbers in groups.
func (g grouping) in(x value) value { return x.reshape(g.shape()...) }

// ofChannels repeats a number of each channel for all its numbers, in groups.
func (g grouping) ofChannels(x value) value {
	return g.in(x.reshape(g.channels).spread([]int{g.n, g.channels, g.inner}, []int{1}))
}

// hat normalizes numbers in groups; factor is what they are multiplied by.
func (g grouping) hat(x value, epsilon float64) (hat, factor value) {
	if !g.plain {
		x = x.sub(x.mean(g.axes()...))
	}
	factor = x.mul(x).mean(g.axes()...).plus(epsilon).rsqrt()
	return x.mul(factor), factor
}

var norms = map[string]lowering{
	"batch norm":             normalized,
	"layer norm":             normalized,
	"group norm":             normalized,
	"instance norm":          normalized,
	"rms norm":               normalized,
	"batch mean":             batchMean,
	"batch variance":         batchVariance,
	"normalize":              normalizeByGiven,
	"normalization gradient": normalizationGradient,
	"scale gradient": func(c *call) value {
		g := groupingOf(c)
		hat, _ := g.hat(g.in(c.in[1]), c.a())
		return g.sumOfChannels(g.in(c.in[0]).mul(hat)).reshape(c.shape...)
	},
	"shift gradient": func(c *call) value {
		g := groupingOf(c)
		return g.sumOfChannels(g.in(c.in[0])).reshape(c.shape...)
	},
}

func (g grouping) sumOfChannels(x value) value {
	return x.reshape(g.n, g.channels, g.inner).sum(0, 2)
}

func normalized(c *call) value {
	g := groupingOf(c)
	hat, _ := g.hat(g.in(c.in[0]), c.a())
	return g.affine(hat, c.in[1:]).reshape(c.shape...)
}

// affine multiplies by the scale and adds the shift, of those that there are.
func (g grouping) affine(hat value, in []value) value {
	if g.scale {
		hat, in = hat.mul(g.ofChannels(in[0])), in[1:]
	}
	if g.shift {
		hat = hat.add(g.ofChannels(in[0]))
	}
	return hat
}

func batchMean(c *call) value {
	g := groupingOf(c)
	return g.in(c.in[0]).sum(0, 2).over(float64(g.n * g.inner))
}

func batchVariance(c *call) value {
	g := groupingOf(c)
	x := g.in(c.in[0])
	x = x.sub(x.mean(0, 2))
	return x.mul(x).sum(0, 2).over(float64(g.n*g.inner - 1))
}

func normalizeByGiven(c *call) value {
	g := groupingOf(c)
	factor := c.in[2].plus(c.a()).rsqrt()
	hat := g.in(c.in[0]).sub(g.ofChannels(c.in[1])).mul(g.ofChannels(factor))
	return g.affine(hat, c.in[3:]).reshape(c.shape...)
}

// normalizationGradient takes off what changes nothing: the part along 1 and
// along the normalized numbers.
func normalizationGradient(c *call) value {
	g := groupingOf(c)
	u := g.in(c.in[0])
	hat, factor := g.hat(g.in(c.in[1]), c.a())
	if g.scale {
		u = u.mul(g.ofChannels(c.in[2]))
	}
	gx := u.sub(hat.mul(u.mul(hat).mean(g.axes()...)))
	if !g.plain {
		gx = gx.sub(u.mean(g.axes()...))
	}
	return gx.mul(factor).reshape(c.shape...)
}
