package autograd

import (
	"math"
	"slices"
	"unsafe"

	"nabla/internal/kernel"
)

// Normalizations subtract from each number the mean of a group of numbers, and
// divide by the group's deviation √(variance + ε). Then they multiply by a
// scale and add a shift, which are learned. Each is one operation, and so is
// its gradient.

var (
	opBatchNorm     = operation{name: "batch norm", method: "BatchNorm"}
	opBatchMean     = operation{name: "batch mean", method: "BatchNorm"}
	opBatchVariance = operation{name: "batch variance", method: "BatchNorm"}
	opNormalize     = operation{name: "normalize", method: "Normalize"}
	opLayerNorm     = operation{name: "layer norm", method: "LayerNorm"}
	opGroupNorm     = operation{name: "group norm", method: "GroupNorm"}
	opInstanceNorm  = operation{name: "instance norm", method: "InstanceNorm"}
	opRMSNorm       = operation{name: "rms norm", method: "RMSNorm"}

	opNormGradient  = operation{name: "normalization gradient", method: "Normalize"}
	opScaleGradient = operation{name: "scale gradient", method: "Normalize"}
	opShiftGradient = operation{name: "shift gradient", method: "Normalize"}
)

// A grouping says how a normalization sees x: as n × channels × inner. A group
// is a channel, over all of n and inner (byChannel); or else one of the
// n·groups equal parts, with channels/groups channels each.
type grouping struct {
	n, groups, channels, inner int
	byChannel                  bool
	plain                      bool // without a mean: RMSNorm
	scale, shift               bool // whether it has them
}

// count returns the number of groups.
func (l grouping) count() int {
	if l.byChannel {
		return l.channels
	}
	return l.n * l.groups
}

// length returns the number of numbers in a group.
func (l grouping) length() int { return l.n * l.channels * l.inner / max(l.count(), 1) }

// keepGrouping stores a grouping and its statistics in a node.
func (g *Graph) keepGrouping(n *node, l grouping, kept []float64) *extra {
	e := g.extraOf(n)
	e.ints = g.ints.take(8)
	flag := func(i int, set bool) {
		if e.ints[i] = 0; set {
			e.ints[i] = 1
		}
	}
	e.ints[0], e.ints[1], e.ints[2], e.ints[3] = l.n, l.groups, l.channels, l.inner
	flag(4, l.byChannel)
	flag(5, l.plain)
	flag(6, l.scale)
	flag(7, l.shift)
	e.kept = kept
	return e
}

// groupingOf returns the grouping of a normalization or its gradient.
func groupingOf(n *node) grouping {
	i := n.extra.ints
	return grouping{i[0], i[1], i[2], i[3], i[4] == 1, i[5] == 1, i[6] == 1, i[7] == 1}
}

// statistics returns those that a node keeps.
func (n *node) statistics() kernel.Statistics {
	k := n.extra.kept
	count := len(k) / 4
	return kernel.Statistics{Mean: k[:count], Variance: k[count : 2*count], Factor: k[2*count : 3*count], Rest: k[3*count:]}
}

// numbersToKeep returns room for numbers that stay until Reset.
func (g *Graph) numbersToKeep(n int) []float64 {
	return slice[float64](g.memory.take(n), n)
}

// BatchNorm normalizes each channel of x, which is [batch, channels, …], by its
// mean and variance over all other axes. The variance that it divides by has n
// as its denominator. scale and shift have one number for each channel; the
// zero Value leaves one out.
//
//	y = x̂·scale + shift with x̂ = (x − mean)/√(variance + ε)
//
//	gx = scale/√(variance + ε)·(gy − mean gy − x̂·mean(gy·x̂))
//
// It also returns what running statistics observe, one number for each channel:
// the mean, and the variance with n − 1 as its denominator. See
// [Graph.Observe]. They have gradients too.
//
// A channel of equal numbers gives exactly shift. With ε = 0 it gives NaN.
//
// It panics with a [*ShapeError] if x has fewer than two axes or fewer than two
// numbers for each channel, or if scale or shift does not fit, and with an
// [*ArgumentError] if ε is negative or not finite.
func (x Value) BatchNorm(scale, shift Value, epsilon float64) (y, mean, variance Value) {
	op := &opBatchNorm
	x.optional(op, scale, shift)
	l := x.channels(op)
	if l.length() < 2 && l.channels > 0 {
		panic(shapeError(op.method, "a channel needs two numbers at least: those of one have no variance", "", x.node(op.method).shape.dims))
	}
	y = x.normalized(op, l, scale, shift, epsilon, nil)
	s, n := x.g.at(y.id).statistics(), float64(l.length())
	mean = x.statistic(&opBatchMean, batchMeanRule, l, s.Mean, 1)
	variance = x.statistic(&opBatchVariance, batchVarianceRule, l, s.Variance, n/(n-1))
	return y, mean, variance
}

// optional panics unless each Value is zero or one of x's graph.
func (x Value) optional(op *operation, values ...Value) {
	for _, v := range values {
		if !v.IsZero() {
			x.operand(op.method, v)
		}
	}
}

// channels returns the grouping of x by channels.
func (x Value) channels(op *operation) grouping {
	dims := x.node(op.method).shape.dims
	if len(dims) < 2 {
		panic(shapeError(op.method, "want [batch, channels, …]", "", dims))
	}
	l := grouping{n: dims[0], groups: 1, channels: dims[1], inner: 1, byChannel: true}
	for _, d := range dims[2:] {
		l.inner *= d
	}
	return l
}

// statistic records a statistic of each channel, from what the normalization
// keeps.
func (x Value) statistic(op *operation, rule func(*Rule), l grouping, from []float64, factor float64) Value {
	g := x.g
	dims := g.ints.take(1)
	dims[0] = l.channels
	n := g.record(op, rule, g.sized(dims, l.channels), x)
	g.keepGrouping(n, l, nil)
	if g.single {
		kernel.Scaled(n.f32(), from, factor)
	} else {
		kernel.Scaled(n.f64(), from, factor)
	}
	return g.done()
}

func batchMeanRule(r *Rule) {
	l, x := groupingOf(r.n), r.g.at(r.n.in[0]).shape
	r.Add(0, r.Grad().MulScalar(1/float64(l.length())).acrossChannels(l).expandTo(r.channelShape(l)).reshaped(x))
}

func batchVarianceRule(r *Rule) {
	l, x := groupingOf(r.n), r.g.at(r.n.in[0]).shape
	n := l.length()
	rows := r.In(0).Reshape(l.n, l.channels, l.inner).Permute(1, 0, 2).Reshape(l.channels, n)
	gx := rows.center(1, 1).Mul(r.Grad().MulScalar(2/float64(n-1)).Reshape(l.channels, 1))
	r.Add(0, gx.Reshape(l.channels, l.n, l.inner).Permute(1, 0, 2).reshaped(x))
}

// channelShape returns n × channels × inner.
func (r *Rule) channelShape(l grouping) *shape {
	dims := r.g.ints.take(3)
	dims[0], dims[1], dims[2] = l.n, l.channels, l.inner
	return r.g.sized(dims, l.n*l.channels*l.inner)
}

// acrossChannels returns one number for each channel in a shape that broadcasts
// against n × channels × inner.
func (x Value) acrossChannels(l grouping) Value { return x.Reshape(1, l.channels, 1) }

// normalized records a normalization. kept are the statistics, if they are
// known.
func (x Value) normalized(op *operation, l grouping, scale, shift Value, epsilon float64, kept []float64) Value {
	g, s := x.g, x.node(op.method).shape
	checkEpsilon(op, epsilon)
	in, count := [3]Value{x}, 1
	if l.scale = !scale.IsZero(); l.scale {
		x.checkAffine(op, "scale", scale, l)
		in[count] = scale
		count++
	}
	if l.shift = !shift.IsZero(); l.shift {
		x.checkAffine(op, "shift", shift, l)
		in[count] = shift
		count++
	}
	n := g.record(op, normalizedRule, s, in[:count]...)
	n.a = epsilon
	known := kept != nil
	if !known {
		kept = g.numbersToKeep(4 * l.count())
	}
	g.keepGrouping(n, l, kept)
	pick(g, normalizeNode[float64], normalizeNode[float32])(g, n, known)
	return g.done()
}

func checkEpsilon(op *operation, epsilon float64) {
	if !(epsilon >= 0) || math.IsInf(epsilon, 1) {
		panic(NewArgumentError(op.method, "epsilon is %v, want a finite number from 0 on", epsilon))
	}
}

// checkAffine panics unless a scale or shift has one number for each channel.
// For a channel of one number these may lie along several axes, the last of x.
func (x Value) checkAffine(op *operation, what string, v Value, l grouping) {
	dims, s := x.node(op.method).shape.dims, x.operand(op.method, v).shape
	fits := s.rank() == 1 && s.size == l.channels
	if op == &opLayerNorm || op == &opRMSNorm {
		fits = s.rank() <= len(dims) && s.size == l.channels && slices.Equal(s.dims, dims[len(dims)-s.rank():])
	}
	if !fits {
		panic(shapeError(op.method, "the "+what+" does not fit", " by ", dims, s.dims))
	}
}

// affine returns the numbers of a node's scale and shift, nil where it has
// none.
func affine[T kernel.Float](g *Graph, n *node, l grouping) (scale, shift []T) {
	in := n.inputs()
	last := len(in) - 1
	if l.shift {
		shift = numbers[T](g.at(in[last]))
		last--
	}
	if l.scale {
		scale = numbers[T](g.at(in[last]))
	}
	return scale, shift
}

// normalizeNode computes a normalization, with statistics that are known or
// that it keeps.
func normalizeNode[T kernel.Float](g *Graph, n *node, known bool) {
	l, s := groupingOf(n), n.statistics()
	y, x := numbers[T](n), numbers[T](g.at(n.inputs()[0]))
	scale, shift := affine[T](g, n, l)
	switch {
	case l.byChannel && known:
		kernel.NormalizeChannels(y, x, scale, shift, s, l.n, l.channels, l.inner)
	case l.byChannel:
		kernel.BatchNorm(y, x, scale, shift, s, l.n, l.channels, l.inner, n.a)
	case known:
		kernel.NormalizeGroups(y, x, scale, shift, s, l.n, l.groups, l.channels, l.inner)
	default:
		kernel.GroupNorm(y, x, scale, shift, s, l.n, l.groups, l.channels, l.inner, n.a, l.plain)
	}
}

// normalizedRule records the gradients of x, scale and shift, which one kernel
// computes.
func normalizedRule(r *Rule) {
	l, g := groupingOf(r.n), r.g
	var to normGradients
	to.from, to.gy, to.x = r.n, r.Grad().node("Normalize"), g.at(r.n.inputs()[0])
	var gx, gScale, gShift Value
	shift := 1
	if l.scale {
		to.scale = g.at(r.n.inputs()[1])
		shift = 2
	}
	if r.Needs(0) {
		to.gx = r.recordNormGradient(l)
		gx = g.done()
	}
	if l.scale && r.Needs(1) {
		to.gScale = g.record(&opScaleGradient, scaleGradientRule, to.scale.shape, r.Grad(), r.In(0))
		g.keepGrouping(to.gScale, l, r.n.extra.kept)
		to.gScale.a = r.n.a
		gScale = g.done()
	}
	if l.shift && r.Needs(shift) {
		to.gShift = g.record(&opShiftGradient, shiftGradientRule, g.at(r.n.inputs()[shift]).shape, r.Grad())
		g.keepGrouping(to.gShift, l, nil)
		gShift = g.done()
	}
	pick(g, normGradientNodes[float64], normGradientNodes[float32])(g, to)
	for i, v := range [3]Value{gx, gScale, gShift} {
		if !v.IsZero() {
			r.Add(min(i, shift), v)
		}
	}
}

// recordNormGradient records the gradient of x, without its numbers.
func (r *Rule) recordNormGradient(l grouping) *node {
	if l.scale {
		return r.g.normGradient(l, r.n, r.Grad(), r.In(0), r.In(1))
	}
	return r.g.normGradient(l, r.n, r.Grad(), r.In(0), Value{})
}

// normGradient records the gradient of x of a normalization, without its
// numbers. from is the normalization, or its gradient.
func (g *Graph) normGradient(l grouping, from *node, gy, x, scale Value) *node {
	in := [3]Value{gy, x, scale}
	count := 2
	if l.scale = !scale.IsZero(); l.scale {
		count = 3
	}
	n := g.record(&opNormGradient, normGradientRule, x.node("Normalize").shape, in[:count]...)
	l.shift = false
	g.keepGrouping(n, l, from.extra.kept)
	n.a = from.a
	return n
}

// normGradients are the nodes that one kernel computes, nil if not wanted, and
// the nodes that it reads.
type normGradients struct {
	gx, gScale, gShift *node
	from               *node // keeps the statistics
	gy, x, scale       *node
}

func normGradientNodes[T kernel.Float](g *Graph, to normGradients) {
	l, s := groupingOf(to.from), to.from.statistics()
	gx, gScale, gShift := numbersIf[T](to.gx), numbersIf[T](to.gScale), numbersIf[T](to.gShift)
	gy, x, scale := numbers[T](to.gy), numbers[T](to.x), numbersIf[T](to.scale)
	if l.byChannel {
		kernel.BatchNormGrad(gx, gScale, gShift, gy, x, scale, s, l.n, l.channels, l.inner)
		return
	}
	words := 0
	if l.inner > 1 {
		words = 2 * l.n * l.channels
	}
	sums := g.memory.borrow(words)
	kernel.GroupNormGrad(gx, gScale, gShift, gy, x, scale, s, slice[float64](sums, words), l.n, l.groups, l.channels, l.inner, l.plain)
	g.memory.giveBack(sums, words)
}

// numbersIf returns a node's numbers, nil if there is no node.
func numbersIf[T kernel.Float](n *node) []T {
	if n == nil {
		return nil
	}
	return numbers[T](n)
}

// project returns the gradient of x in the normalization that the rule is part
// of, for the incoming gradient u·scale.
func (r *Rule) project(u, x, scale Value) Value {
	g, l := r.g, groupingOf(r.n)
	to := normGradients{from: r.n, gy: u.node("Normalize"), x: x.node("Normalize")}
	if !scale.IsZero() {
		to.scale = scale.node("Normalize")
	}
	to.gx = g.normGradient(l, r.n, u, x, scale)
	v := g.done()
	pick(g, normGradientNodes[float64], normGradientNodes[float32])(g, to)
	return v
}

// hat returns x̂, the normalized x, in the normalization that the rule is part
// of.
func (r *Rule) hat(x Value) Value {
	l := groupingOf(r.n)
	op := &opGroupNorm
	switch {
	case l.byChannel:
		op = &opBatchNorm
	case l.plain:
		op = &opRMSNorm
	}
	return x.normalized(op, l, Value{}, Value{}, r.n.a, r.n.extra.kept)
}

// normGradientRule differentiates P(u) with u = scale·gy and
//
//	P(u) = factor·(u − mean u − x̂·mean(u·x̂))
//
// for an incoming v. P is its own adjoint, so that the gradient of u is P(v).
// That of x comes from factor and from x̂, whose gradients are −factor²·x̂/n
// and P:
//
//	gx = −factor²·c·x̂ − factor·(mean(u·x̂)·P(v) + mean(v·x̂)·P(u))
//	c = mean(u·v) − mean u·mean v − mean(u·x̂)·mean(v·x̂)
func normGradientRule(r *Rule) {
	l, g := groupingOf(r.n), r.g
	v, gy, x := r.Grad(), r.In(0), r.In(1)
	s := x.node("Normalize").shape
	pv := r.project(v, x, Value{})
	var scale Value
	u := gy
	if l.scale {
		scale = r.In(2)
		if r.Needs(0) {
			r.Add(0, pv.timesChannels(l, scale))
		}
		if r.Needs(2) {
			sum := gy.Mul(pv).Reshape(l.n, l.channels, l.inner).Sum(2).Sum(0)
			r.Add(2, sum.reshaped(g.at(scale.id).shape))
		}
		if r.Needs(1) {
			u = gy.timesChannels(l, scale)
		}
	} else {
		r.Add(0, pv)
	}
	if !r.Needs(1) {
		return
	}
	pu, hat := r.project(gy, x, scale), r.hat(x)
	mean := func(y Value) Value { return y.inGroups(l).groupMeans(l) }
	a, b := mean(v.Mul(hat)), mean(u.Mul(hat))
	c := mean(u.Mul(v)).Sub(a.Mul(b))
	if !l.plain {
		c = c.Sub(mean(u).Mul(mean(v)))
	}
	factor := x.groupFactors(l, r.n.a)
	first := hat.inGroups(l).Mul(c.Mul(factor.Square()))
	second := pv.inGroups(l).Mul(b).Add(pu.inGroups(l).Mul(a)).Mul(factor)
	r.Add(1, first.Add(second).Neg().reshaped(s))
}

// timesChannels multiplies each channel by a number.
func (x Value) timesChannels(l grouping, by Value) Value {
	s := x.node("Normalize").shape
	return x.Reshape(l.n, l.channels, l.inner).Mul(by.acrossChannels(l)).reshaped(s)
}

// inGroups returns x in a shape in which the axes of groupMeans are those of a
// group.
func (x Value) inGroups(l grouping) Value {
	if l.byChannel {
		return x.Reshape(l.n, l.channels, l.inner)
	}
	return x.Reshape(l.count(), l.length())
}

// groupMeans returns the mean of each group, in a shape that broadcasts.
func (x Value) groupMeans(l grouping) Value {
	if l.byChannel {
		return x.KeepDims().Mean(0, 2)
	}
	return x.KeepDims().Mean(1)
}

// groupFactors returns 1/√(variance + ε) of each group, in a shape that
// broadcasts.
func (x Value) groupFactors(l grouping, epsilon float64) Value {
	x = x.inGroups(l)
	var variance Value
	switch {
	case l.plain:
		variance = x.Square().groupMeans(l)
	case l.byChannel:
		variance = x.KeepDims().PopulationVar(0, 2)
	default:
		variance = x.KeepDims().PopulationVar(1)
	}
	return variance.AddScalar(epsilon).Rsqrt()
}

// scaleGradientRule differentiates Σ gy·x̂ over each channel.
func scaleGradientRule(r *Rule) {
	l := groupingOf(r.n)
	v, gy, x := r.Grad(), r.In(0), r.In(1)
	if r.Needs(0) {
		r.Add(0, r.hat(x).timesChannels(l, v))
	}
	if r.Needs(1) {
		r.Add(1, r.project(gy, x, v))
	}
}

// shiftGradientRule differentiates Σ gy over each channel.
func shiftGradientRule(r *Rule) {
	l := groupingOf(r.n)
	r.Add(0, r.Grad().acrossChannels(l).expandTo(r.channelShape(l)).reshaped(r.g.at(r.n.in[0]).shape))
}

// LayerNorm normalizes each row of x: its numbers along the last axes, as many
// as axes says. scale and shift have the shape of a row; the zero Value leaves
// one out.
//
//	y = x̂·scale + shift with x̂ = (x − mean)/√(variance + ε)
//
//	gx = (u − mean u − x̂·mean(u·x̂))/√(variance + ε) with u = gy·scale
//
// The variance has n as its denominator. A row of equal numbers gives exactly
// shift. With ε = 0 it gives NaN.
//
// It panics with an [*ArgumentError] if x does not have that many axes, or if ε
// is negative or not finite, and with a [*ShapeError] if scale or shift does
// not fit.
func (x Value) LayerNorm(axes int, scale, shift Value, epsilon float64) Value {
	x.optional(&opLayerNorm, scale, shift)
	return x.normalized(&opLayerNorm, x.rows(&opLayerNorm, axes), scale, shift, epsilon, nil)
}

// RMSNorm divides each row of x, its numbers along the last axes, by the root
// of the mean of its squares. scale has the shape of a row; the zero Value
// leaves it out.
//
//	y = x̂·scale with x̂ = x/√(mean x² + ε)
//
//	gx = (u − x̂·mean(u·x̂))/√(mean x² + ε) with u = gy·scale
//
// It panics as [Value.LayerNorm] does.
func (x Value) RMSNorm(axes int, scale Value, epsilon float64) Value {
	x.optional(&opRMSNorm, scale)
	l := x.rows(&opRMSNorm, axes)
	l.plain = true
	return x.normalized(&opRMSNorm, l, scale, Value{}, epsilon, nil)
}

// rows returns the grouping of x by its last axes.
func (x Value) rows(op *operation, axes int) grouping {
	dims := x.node(op.method).shape.dims
	if axes < 1 || axes > len(dims) {
		panic(NewArgumentError(op.method, "the last %d axes of %v, want 1 to %d", axes, dims, len(dims)))
	}
	l := grouping{n: 1, groups: 1, channels: 1, inner: 1}
	for i, d := range dims {
		if i < len(dims)-axes {
			l.n *= d
		} else {
			l.channels *= d
		}
	}
	return l
}

// GroupNorm normalizes the channels of each sample in groups: x is [batch,
// channels, …], and a group holds channels/groups adjacent channels with all
// that is behind them. scale and shift have one number for each channel; the
// zero Value leaves one out.
//
//	y = x̂·scale + shift with x̂ = (x − mean)/√(variance + ε)
//
//	gx = (u − mean u − x̂·mean(u·x̂))/√(variance + ε) with u = gy·scale
//
// The variance has n as its denominator. A group of equal numbers gives exactly
// shift. With ε = 0 it gives NaN.
//
// It panics with a [*ShapeError] if x has fewer than two axes, if the channels
// do not divide by groups, or if scale or shift does not fit, and with an
// [*ArgumentError] if ε is negative or not finite, or groups is not positive.
func (x Value) GroupNorm(groups int, scale, shift Value, epsilon float64) Value {
	op := &opGroupNorm
	x.optional(op, scale, shift)
	l := x.channels(op)
	if groups < 1 {
		panic(NewArgumentError(op.method, "%d groups", groups))
	}
	if l.channels%groups != 0 {
		panic(shapeError(op.method, "the channels do not divide by the number of groups", " by ", x.node(op.method).shape.dims, []int{groups}))
	}
	l.byChannel, l.groups = false, groups
	return x.normalized(op, l, scale, shift, epsilon, nil)
}

// InstanceNorm normalizes each channel of each sample on its own: it is
// [Value.GroupNorm] with as many groups as channels. It panics as that does,
// and with a [*ShapeError] if a channel has one number only, which would always
// become shift.
func (x Value) InstanceNorm(scale, shift Value, epsilon float64) Value {
	op := &opInstanceNorm
	x.optional(op, scale, shift)
	l := x.channels(op)
	if l.inner == 1 {
		panic(shapeError(op.method, "a channel of a sample needs two numbers at least: want [batch, channels, …]", "", x.node(op.method).shape.dims))
	}
	l.byChannel, l.groups = false, max(l.channels, 1)
	return x.normalized(op, l, scale, shift, epsilon, nil)
}

// Normalize normalizes each channel of x, which is [batch, channels, …], by a
// mean and a variance that are given, such as running statistics. mean,
// variance, scale and shift have one number for each channel; a zero scale or
// shift is left out.
//
//	y = (x − mean)/√(variance + ε)·scale + shift
//
//	gx = gy·scale/√(variance + ε)
//
// It panics with a [*ShapeError] if x has fewer than two axes or if one of the
// others does not fit, and with an [*ArgumentError] if ε is negative or not
// finite.
func (x Value) Normalize(mean, variance, scale, shift Value, epsilon float64) Value {
	op, g := &opNormalize, x.g
	x.optional(op, scale, shift)
	x.operand(op.method, mean)
	x.operand(op.method, variance)
	l := x.channels(op)
	checkEpsilon(op, epsilon)
	x.checkAffine(op, "mean", mean, l)
	x.checkAffine(op, "variance", variance, l)
	in, count := [5]Value{x, mean, variance}, 3
	if l.scale = !scale.IsZero(); l.scale {
		x.checkAffine(op, "scale", scale, l)
		in[count] = scale
		count++
	}
	if l.shift = !shift.IsZero(); l.shift {
		x.checkAffine(op, "shift", shift, l)
		in[count] = shift
		count++
	}
	n := g.record(op, normalizeRule, x.node(op.method).shape, in[:count]...)
	n.a = epsilon
	words := 4 * l.channels
	kept := g.memory.borrow(words)
	g.keepGrouping(n, l, slice[float64](kept, words))
	pick(g, normalizeByGiven[float64], normalizeByGiven[float32])(g, n)
	n.extra.kept = nil
	g.memory.giveBack(unsafe.Pointer(kept), words)
	return g.done()
}

func normalizeByGiven[T kernel.Float](g *Graph, n *node) {
	in := n.inputs()
	kernel.Given(n.statistics(), numbers[T](g.at(in[1])), numbers[T](g.at(in[2])), n.a)
	normalizeNode[T](g, n, true)
}

func normalizeRule(r *Rule) {
	l, g := groupingOf(r.n), r.g
	gy, x, mean, variance := r.Grad(), r.In(0), r.In(1), r.In(2)
	spread := variance.AddScalar(r.n.a)
	factor := spread.Rsqrt()
	slope, shift := factor, 3
	if l.scale {
		slope = factor.Mul(r.In(3))
		shift = 4
	}
	if r.Needs(0) {
		r.Add(0, gy.timesChannels(l, slope))
	}
	ofChannels := func(y Value) Value { return y.Reshape(l.n, l.channels, l.inner).Sum(2).Sum(0) }
	if r.Needs(1) || l.shift && r.Needs(shift) {
		sum := ofChannels(gy)
		if r.Needs(1) {
			r.Add(1, sum.Mul(slope).Neg())
		}
		if l.shift && r.Needs(shift) {
			r.Add(shift, sum)
		}
	}
	if !r.Needs(2) && !(l.scale && r.Needs(3)) {
		return
	}
	centered := x.Reshape(l.n, l.channels, l.inner).Sub(mean.acrossChannels(l)).reshaped(g.at(x.id).shape)
	products := ofChannels(gy.Mul(centered))
	if r.Needs(2) {
		r.Add(2, products.Mul(slope).Div(spread).MulScalar(-0.5))
	}
	if l.scale && r.Needs(3) {
		r.Add(3, products.Mul(factor))
	}
}
