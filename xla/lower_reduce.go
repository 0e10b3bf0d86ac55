package xla

import (
	"math"
	"slices"
)

var inf = math.Inf(1)

// axes returns the axes of a reduction, which lie in a row.
func (c *call) axes() []int {
	axes := make([]int, c.ints[1])
	for i := range axes {
		axes[i] = c.ints[0] + i
	}
	return axes
}

// elements returns how many elements a reduction combines.
func (c *call) elements() float64 {
	n := 1
	for _, axis := range c.axes() {
		n *= c.in[0].shape[axis]
	}
	return float64(n)
}

func reduced(op string, start float64) lowering {
	return func(c *call) value { return c.in[0].reduce(op, start, c.axes()...).reshape(c.shape...) }
}

var reductions = map[string]lowering{
	"sum":  reduced("add", 0),
	"prod": reduced("multiply", 1),
	"max":  reduced("maximum", -inf),
	"min":  reduced("minimum", inf),
	"mean": func(c *call) value {
		return c.in[0].sum(c.axes()...).over(c.elements()).reshape(c.shape...)
	},
	"var":                  variance,
	"std":                  func(c *call) value { return variance(c).sqrt() },
	"norm":                 norm,
	"logsumexp":            func(c *call) value { return c.in[0].logSumExp(c.axes()...).reshape(c.shape...) },
	"center":               func(c *call) value { return c.in[0].sub(c.in[0].mean(c.axes()...)) },
	"softmax":              func(c *call) value { return c.in[0].softmax(int(c.a())) },
	"log softmax":          logSoftmax,
	"softmax gradient":     softmaxGradient,
	"log softmax gradient": logSoftmaxGradient,
	"cumsum":               func(c *call) value { return running(c, 0, value.add) },
	"cumprod":              func(c *call) value { return running(c, 1, value.mul) },
	"logcumsumexp":         func(c *call) value { return running(c, -inf, logAddExp) },
	"logcumsumexp gradient": func(c *call) value {
		return exponentialSum(c, func(gy, x, y value) value { return gy.mul(x.sub(y).exp()) }, false)
	},
	"logcumsumexp tangent": func(c *call) value {
		return exponentialSum(c, func(v, x, y value) value { return v.mul(x.sub(y).exp()) }, true)
	},
}

func variance(c *call) value {
	x, axes := c.in[0], c.axes()
	d := x.sub(x.mean(axes...))
	freedom := c.elements() - float64(c.ints[2])
	if freedom <= 0 {
		return c.p.number(math.NaN(), c.shape)
	}
	return d.mul(d).sum(axes...).over(freedom).reshape(c.shape...)
}

// norm divides by the greatest element first, so that no power leaves the
// range.
func norm(c *call) value {
	x, axes, p := c.in[0].abs(), c.axes(), c.a()
	most := x.reduce("maximum", 0, axes...)
	if math.IsInf(p, 1) {
		return most.reshape(c.shape...)
	}
	if p == 1 {
		return x.sum(axes...).reshape(c.shape...)
	}
	plain := most.is("EQ", 0).or(most.is("EQ", inf))
	scale := plain.pick(most.like(1), most)
	share := x.div(scale.kept(x.shape, axes...))
	var y value
	if p == 2 {
		y = share.mul(share).sum(axes...).sqrt()
	} else {
		y = share.pow(x.like(p)).sum(axes...)
		y = y.pow(y.like(1 / p))
	}
	return plain.pick(most, scale.mul(y)).reshape(c.shape...)
}

func (x value) logSumExp(axes ...int) value {
	most := x.reduce("maximum", -inf, axes...)
	shift := most.isFinite().pick(most, most.like(0))
	y := shift.add(x.sub(shift.kept(x.shape, axes...)).exp().sum(axes...).log())
	return most.is("EQ", inf).pick(most, y)
}

func (x value) softmax(axis int) value {
	e := x.sub(x.reduce("maximum", -inf, axis).kept(x.shape, axis)).exp()
	return e.div(e.sum(axis).kept(x.shape, axis))
}

func logSoftmax(c *call) value {
	x, axis := c.in[0], int(c.a())
	d := x.sub(x.reduce("maximum", -inf, axis).kept(x.shape, axis))
	return d.sub(d.exp().sum(axis).log().kept(x.shape, axis))
}

func softmaxGradient(c *call) value {
	gy, y, axis := c.in[0], c.in[1], int(c.a())
	return y.mul(gy.sub(gy.mul(y).sum(axis).kept(y.shape, axis)))
}

func logSoftmaxGradient(c *call) value {
	gy, y, axis := c.in[0], c.in[1], int(c.a())
	return gy.sub(y.exp().mul(gy.sum(axis).kept(y.shape, axis)))
}

// running combines each element with all before it along an axis, or with all
// behind it.
func running(c *call, start float64, combine func(x, y value) value) value {
	return c.in[0].running(int(c.a()), c.b() != 0, start, combine)
}

// running doubles the reach of each element until it covers the axis.
func (x value) running(axis int, back bool, start float64, combine func(x, y value) value) value {
	n, y := x.shape[axis], x
	for reach := 1; reach < n; reach *= 2 {
		y = combine(y, y.shifted(axis, reach, back, start))
	}
	return y
}

// shifted moves the elements along an axis and fills the end that is left.
func (x value) shifted(axis, by int, back bool, fill float64) value {
	before, after := make([]int, len(x.shape)), make([]int, len(x.shape))
	before[axis], after[axis] = by, -by
	if back {
		before, after = after, before
	}
	v := x.p.number(fill, nil)
	if x.kind == "i64" {
		v = x.p.int(int(fill), nil)
	}
	return x.pad(v, before, after, make([]int, len(x.shape)))
}

// exponentialSum adds up a term of each pair of places along an axis: those at
// and behind each place, or at and before it if along.
func exponentialSum(c *call, term func(v, x, y value) value, along bool) value {
	v, x, y, axis := c.in[0], c.in[1], c.in[2], int(c.a())
	n := x.shape[axis]
	pairs := slices.Insert(slices.Clone(x.shape), axis, n)
	first, second := others(len(pairs), axis+1), others(len(pairs), axis) // i, j
	mine, other := first, second
	fixed, varied := c.p.iota(pairs, axis), c.p.iota(pairs, axis+1)
	var all, reached value
	if along {
		all = term(v.spread(pairs, other), x.spread(pairs, other), y.spread(pairs, mine))
		reached = varied.compare("LE", fixed).and(x.spread(pairs, other).is("NE", -inf))
	} else {
		all = term(v.spread(pairs, other), x.spread(pairs, mine), y.spread(pairs, other))
		reached = varied.compare("GE", fixed).and(x.spread(pairs, mine).is("NE", -inf))
	}
	return reached.pick(all, all.like(0)).sum(axis + 1)
}
