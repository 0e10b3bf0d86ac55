package xla

import (
	"fmt"
	"slices"
	"strings"
)

// A geometry relates images to maps: see Conv in package autograd.
type geometry struct {
	groups int
	axes   []geometryAxis
}

type geometryAxis struct{ image, maps, kernel, stride, before, dilation int }

// geometryOf reads the integers of a convolution of so many spatial axes.
func geometryOf(ints []int, axes int) geometry {
	g := geometry{groups: ints[0]}
	for i := 3 - axes; i < 3; i++ {
		at := ints[1+6*i:]
		g.axes = append(g.axes, geometryAxis{at[0], at[1], at[2], at[3], at[4], at[5]})
	}
	return g
}

// window is how far a kernel reaches.
func (a geometryAxis) window() int { return a.dilation*(a.kernel-1) + 1 }

// after is the padding behind the image, which the last window reaches;
// negative if it does not reach the end.
func (a geometryAxis) after() int {
	return (a.maps-1)*a.stride + a.window() - a.before - a.image
}

// padBefore and padAfter are the paddings of all axes of an image.
func (g geometry) padBefore() []int {
	return append([]int{0, 0}, g.each(func(a geometryAxis) int { return a.before })...)
}

func (g geometry) padAfter() []int {
	return append([]int{0, 0}, g.each(geometryAxis.after)...)
}

func (g geometry) each(f func(a geometryAxis) int) []int {
	all := make([]int, len(g.axes))
	for i, a := range g.axes {
		all[i] = f(a)
	}
	return all
}

// taps returns the places in a kernel, in order.
func (g geometry) taps() [][]int {
	return places(g.each(func(a geometryAxis) int { return a.kernel }))
}

// places returns all places in a shape, in order.
func places(shape []int) [][]int {
	all := [][]int{{}}
	for _, n := range shape {
		var longer [][]int
		for _, at := range all {
			for i := range n {
				longer = append(longer, append(slices.Clone(at), i))
			}
		}
		all = longer
	}
	return all
}

var images = map[string]lowering{
	"conv":              conv,
	"conv transpose":    convTranspose,
	"conv weights":      convWeights,
	"max pool":          maxPool,
	"max pool gradient": maxPoolGradient,
	"max pool gather":   maxPoolGather,
	"avg pool":          avgPool,
	"avg pool gradient": avgPoolGradient,
	"upsample":          func(c *call) value { return upsample(c, false) },
	"upsample gradient": func(c *call) value { return upsample(c, true) },
}

// A convolution is what StableHLO calls one.
type convolution struct {
	dims                           string // how the axes of image, kernel and result are called
	stride, imageSteps, kernelStep []int
	padding                        [][2]int
	groups, batchGroups            int
}

func (p *program) convolve(x, w value, shape []int, c convolution) value {
	n := len(c.stride)
	pads := make([]string, n)
	for i, pad := range c.padding {
		pads[i] = list(pad[:])
	}
	return p.op(x.kind, shape, fmt.Sprintf(
		"stablehlo.convolution(%s, %s) dim_numbers = %s, window = {stride = %s, pad = [%s], lhs_dilate = %s, rhs_dilate = %s} {batch_group_count = %d : i64, feature_group_count = %d : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (%s, %s) -> %s",
		x.name, w.name, c.dims, list(c.stride), strings.Join(pads, ", "), list(c.imageSteps), list(c.kernelStep),
		max(1, c.batchGroups), max(1, c.groups), x.typ(), w.typ(), typeOf(x.kind, shape)))
}

// spatial writes the spatial axes of a convolution: ", 0, 1".
func spatial(first, second string, n int) string {
	text := "[" + first + ", " + second
	for i := range n {
		text += fmt.Sprintf(", %d", i)
	}
	return text + "]"
}

// convolved returns zeros where there is nothing to convolve.
func (c *call) convolved(x, w value, with convolution) value {
	if x.size() == 0 || w.size() == 0 || sizeOf(c.shape) == 0 {
		return c.p.number(0, c.shape)
	}
	return c.p.convolve(x, w, c.shape, with)
}

// withBias adds the third input, if there is one, to the channels.
func (c *call) withBias(y value) value {
	if len(c.in) < 3 {
		return y
	}
	return y.add(c.in[2].spread(c.shape, []int{1}))
}

func conv(c *call) value {
	x, w := c.in[0], c.in[1]
	n := len(x.shape) - 2
	g := geometryOf(c.ints, n)
	with := convolution{
		dims:       spatial("b", "f", n) + "x" + spatial("o", "i", n) + "->" + spatial("b", "f", n),
		stride:     g.each(func(a geometryAxis) int { return a.stride }),
		imageSteps: ones(n),
		kernelStep: g.each(func(a geometryAxis) int { return a.dilation }),
		groups:     g.groups,
	}
	for _, a := range g.axes {
		with.padding = append(with.padding, [2]int{a.before, a.after()})
	}
	return c.withBias(c.convolved(x, w, with))
}

// convTranspose convolves the maps, with zeros between their elements, with the
// kernels reversed.
func convTranspose(c *call) value {
	x, w := c.in[0], c.in[1]
	n := len(x.shape) - 2
	g := geometryOf(c.ints, n)
	with := convolution{
		dims:       spatial("b", "f", n) + "x" + spatial("o", "i", n) + "->" + spatial("b", "f", n),
		stride:     ones(n),
		imageSteps: g.each(func(a geometryAxis) int { return a.stride }),
		kernelStep: g.each(func(a geometryAxis) int { return a.dilation }),
		groups:     g.groups,
	}
	for _, a := range g.axes {
		before := a.window() - 1 - a.before
		after := a.image - (a.maps-1)*a.stride - 1 - before + a.window() - 1
		with.padding = append(with.padding, [2]int{before, after})
	}
	return c.withBias(c.convolved(x, exchanged(w, g.groups).flip(spatialAxes(n)...), with))
}

// spatialAxes are the axes behind batch and channels. Kernels are reversed by
// an operation of their own: a convolution that reverses them is slow.
func spatialAxes(n int) []int {
	axes := make([]int, n)
	for i := range axes {
		axes[i] = 2 + i
	}
	return axes
}

// exchanged exchanges the channels of kernels, group by group.
func exchanged(w value, groups int) value {
	out, in, rest := w.shape[0]/groups, w.shape[1], w.shape[2:]
	order := []int{0, 2, 1}
	for i := range rest {
		order = append(order, 3+i)
	}
	split := append([]int{groups, out, in}, rest...)
	return w.reshape(split...).permute(order...).reshape(append([]int{groups * in, out}, rest...)...)
}

// convWeights convolves the images with the maps, over the batch.
func convWeights(c *call) value {
	x, y := c.in[0], c.in[1]
	n := len(x.shape) - 2
	g := geometryOf(c.ints, n)
	with := convolution{
		dims:        spatial("f", "b", n) + "x" + spatial("i", "o", n) + "->" + spatial("f", "b", n),
		stride:      g.each(func(a geometryAxis) int { return a.dilation }),
		imageSteps:  ones(n),
		kernelStep:  g.each(func(a geometryAxis) int { return a.stride }),
		batchGroups: g.groups,
	}
	for _, a := range g.axes {
		with.padding = append(with.padding, [2]int{a.before, a.after()})
	}
	return c.convolved(x, y, with)
}

// Pooling.

// A pooled axis has windows over the elements of an image: as many as count
// says from first on, and share is what a mean divides by.
type pooledAxis struct {
	in, out, step, kernel, stride, before int
	first, count, share                   []int
}

// pooledAxes reads the integers of a pooling of so many spatial axes.
func pooledAxes(ints []int, axes int) []pooledAxis {
	const head = 8
	tables := ints[3*head:]
	var all []pooledAxis
	for i := range 3 {
		h := ints[i*head:]
		a := pooledAxis{in: h[0], out: h[1], step: h[2], kernel: h[3], stride: h[4], before: h[5]}
		a.first, a.count, a.share, tables = tables[:a.out], tables[a.out:2*a.out], tables[2*a.out:3*a.out], tables[3*a.out:]
		if i >= 3-axes {
			all = append(all, a)
		}
	}
	return all
}

// isRegular says whether all windows are alike, and at even distances.
func (a pooledAxis) isRegular() bool { return a.stride > 0 }

// after is the padding behind the elements that the last window reaches.
func (a pooledAxis) after() int {
	return (a.out-1)*a.stride + a.step*(a.kernel-1) + 1 - a.before - a.in
}

// window combines the elements of regular windows.
func (x value) window(op string, start float64, axes []pooledAxis) value {
	size, stride, dilation := []int{1, 1}, []int{1, 1}, []int{1, 1}
	pads := []string{"[0, 0]", "[0, 0]"}
	shape := slices.Clone(x.shape[:2])
	for _, a := range axes {
		size, stride, dilation = append(size, a.kernel), append(stride, a.stride), append(dilation, a.step)
		pads = append(pads, fmt.Sprintf("[%d, %d]", a.before, max(0, a.after())))
		shape = append(shape, a.out)
	}
	if x.size() == 0 {
		return x.p.number(start, shape)
	}
	init, one := x.p.number(start, nil), typeOf(x.kind, nil)
	return x.p.op(x.kind, shape, fmt.Sprintf(
		`"stablehlo.reduce_window"(%s, %s) <{padding = dense<[%s]> : tensor<%dx2xi64>, window_dilations = array<i64%s>, window_dimensions = array<i64%s>, window_strides = array<i64%s>}> ({
^bb0(%%old: %s, %%new: %s):
%%both = stablehlo.%s %%old, %%new : %s
stablehlo.return %%both : %s
}) : (%s, %s) -> %s`,
		x.name, init.name, strings.Join(pads, ", "), len(pads), array(dilation), array(size), array(stride), one, one, op, one, one, x.typ(), init.typ(), typeOf(x.kind, shape)))
}

func maxPool(c *call) value {
	axes := pooledAxes(c.ints, len(c.shape)-2)
	if slices.ContainsFunc(axes, func(a pooledAxis) bool { return !a.isRegular() }) {
		return c.in[0].maxOfWindows(axes).reshape(c.shape...)
	}
	return c.in[0].window("maximum", -inf, axes)
}

// windowPlaces returns the elements of each window, as places in a channel, and
// as many for each window: some occur twice.
func windowPlaces(axes []pooledAxis) (all []int, each int) {
	var in, out []int
	each = 1
	for _, a := range axes {
		in, out = append(in, a.in), append(out, a.out)
		each *= slices.Max(append([]int{1}, a.count...))
	}
	for _, o := range places(out) {
		var counts []int
		for _, a := range axes {
			counts = append(counts, slices.Max(append([]int{1}, a.count...)))
		}
		for _, k := range places(counts) {
			place := 0
			for i, a := range axes {
				at := a.first[o[i]] + a.step*min(k[i], a.count[o[i]]-1)
				place = place*in[i] + at
			}
			all = append(all, place)
		}
	}
	return all, each
}

// windows returns the elements of each window: [channels, windows, elements].
func (x value) windows(axes []pooledAxis) (all, at value) {
	planes := x.shape[0] * x.shape[1]
	table, each := windowPlaces(axes)
	count := len(table) / max(each, 1)
	index := x.p.ints(table, []int{len(table)})
	all = x.reshape(planes, x.size()/max(planes, 1)).takeAlong(1, index).reshape(planes, count, each)
	return all, index.reshape(count, each)
}

func (x value) maxOfWindows(axes []pooledAxis) value {
	all, _ := x.windows(axes)
	return all.reduce("maximum", -inf, 2)
}

// chosenInWindows returns the places in a channel of the first greatest element
// of each window.
func (c *call) chosenInWindows() value {
	x := c.in[0]
	all, at := x.windows(pooledAxes(c.ints, len(c.shape)-2))
	most := all.reduce("maximum", -inf, 2).kept(all.shape, 2)
	greatest := all.compare("EQ", most).or(all.isNaN())
	area := sizeOf(x.shape[2:])
	place := greatest.pick(at.expand(all.shape), c.p.int(area, all.shape))
	return place.reduce("minimum", float64(area), 2)
}

// pooling returns the max pooling whose choice an operation follows.
func (c *call) pooling() *call {
	if c.by == nil {
		c.refuse("the max pooling that it follows is not known")
	}
	return c.by
}

// maxPoolGradient puts what comes in where the greatest elements were.
func maxPoolGradient(c *call) value {
	by, gy := c.pooling(), c.in[0]
	x := by.in[0]
	if gy.size() == 0 || x.size() == 0 {
		return c.p.number(0, c.shape)
	}
	axes := pooledAxes(by.ints, len(c.shape)-2)
	for _, a := range axes {
		if !a.isRegular() || a.step != 1 || a.after() < 0 {
			return c.scattered(by)
		}
	}
	size, stride := []int{1, 1}, []int{1, 1}
	pads := []string{"[0, 0]", "[0, 0]"}
	for _, a := range axes {
		size, stride = append(size, a.kernel), append(stride, a.stride)
		pads = append(pads, fmt.Sprintf("[%d, %d]", a.before, a.after()))
	}
	zero, one := c.p.number(0, nil), typeOf(x.kind, nil)
	return c.p.op(x.kind, c.shape, fmt.Sprintf(
		`"stablehlo.select_and_scatter"(%s, %s, %s) <{padding = dense<[%s]> : tensor<%dx2xi64>, window_dimensions = array<i64%s>, window_strides = array<i64%s>}> ({
^bb0(%%old: %s, %%new: %s):
%%first = stablehlo.compare GE, %%old, %%new, FLOAT : (%s, %s) -> tensor<i1>
stablehlo.return %%first : tensor<i1>
}, {
^bb0(%%old: %s, %%new: %s):
%%both = stablehlo.add %%old, %%new : %s
stablehlo.return %%both : %s
}) : (%s, %s, %s) -> %s`,
		x.name, gy.name, zero.name, strings.Join(pads, ", "), len(pads), array(size), array(stride), one, one, one, one, one, one, one, one, x.typ(), gy.typ(), zero.typ(), x.typ()))
}

// scattered is maxPoolGradient for windows of any kind.
func (c *call) scattered(by *call) value {
	gy := c.in[0]
	area, planes := sizeOf(c.shape[2:]), c.shape[0]*c.shape[1]
	places := by.chosenInWindows()
	places = places.add(c.p.iota(places.shape, 0).times(float64(area)))
	flat := gy.reshape(gy.size()).addAlong(0, places.reshape(places.size()), planes*area)
	return flat.reshape(c.shape...)
}

// maxPoolGather takes the elements where the greatest were.
func maxPoolGather(c *call) value {
	by, x := c.pooling(), c.in[0]
	places := by.chosenInWindows()
	places = places.add(c.p.iota(places.shape, 0).times(float64(sizeOf(x.shape[2:]))))
	return x.at(places.reshape(places.size()), c.shape)
}

func avgPool(c *call) value {
	x := c.in[0]
	for i, a := range pooledAxes(c.ints, len(c.shape)-2) {
		x = x.meansAlong(2+i, a)
	}
	return x
}

// meansAlong averages the windows along an axis.
func (x value) meansAlong(axis int, a pooledAxis) value {
	shape := slices.Clone(x.shape)
	shape[axis] = a.out
	var sums value
	if a.isRegular() {
		before, after := make([]int, len(shape)), make([]int, len(shape))
		before[axis], after[axis] = a.before, a.after()
		padded := x.pad(x.p.number(0, nil), before, after, make([]int, len(shape)))
		for k := range a.kernel {
			from, to, step := make([]int, len(shape)), slices.Clone(padded.shape), ones(len(shape))
			from[axis], step[axis] = k*a.step, a.stride
			to[axis] = k*a.step + (a.out-1)*a.stride + 1
			sums = plus(sums, padded.cut(from, to, step))
		}
	} else {
		var parts []value
		for o := range a.out {
			parts = append(parts, x.narrow(axis, a.first[o], a.count[o]).sum(axis).reshape(replaced(shape, axis, 1)...))
		}
		sums = concat(axis, parts...)
	}
	return sums.div(a.shares(x.p, shape, axis))
}

// plus adds y to x if there is an x.
func plus(x, y value) value {
	if x.p == nil {
		return y
	}
	return x.add(y)
}

func replaced(shape []int, axis, n int) []int {
	shape = slices.Clone(shape)
	shape[axis] = n
	return shape
}

// shares is what the means divide by.
func (a pooledAxis) shares(p *program, shape []int, axis int) value {
	x := make([]float64, a.out)
	for i, n := range a.share {
		x[i] = float64(n)
	}
	return p.numbers(x, []int{a.out}).spread(shape, []int{axis})
}

func avgPoolGradient(c *call) value {
	gy := c.in[0]
	axes := pooledAxes(c.ints, len(c.shape)-2)
	for i := len(axes) - 1; i >= 0; i-- {
		gy = gy.sharedOut(2+i, axes[i])
	}
	return gy
}

// sharedOut gives each element of the windows along an axis its share.
func (gy value) sharedOut(axis int, a pooledAxis) value {
	gy = gy.div(a.shares(gy.p, gy.shape, axis))
	rank := len(gy.shape)
	zero := gy.p.number(0, nil)
	put := func(x value, first, between int) value {
		before, after, steps := make([]int, rank), make([]int, rank), make([]int, rank)
		n := x.shape[axis]
		before[axis], steps[axis] = first, between
		after[axis] = a.in - first - n - (n-1)*between
		return x.pad(zero, before, after, steps)
	}
	var sum value
	if a.isRegular() {
		for k := range a.kernel {
			sum = plus(sum, put(gy, k*a.step-a.before, a.stride-1))
		}
		return sum
	}
	for o := range a.out {
		one := gy.narrow(axis, o, 1).expand(replaced(gy.shape, axis, a.count[o]))
		sum = plus(sum, put(one, a.first[o], 0))
	}
	return sum
}

// upsample resamples axis by axis. Its gradient adds up what each element was
// used for.
func upsample(c *call, back bool) value {
	x := c.in[0]
	n := len(c.shape) - 2
	for i := range n {
		in, out := c.ints[3-n+i], c.ints[6-n+i]
		first, second, weight := resampled(in, out, c.ints[6] == 1, c.ints[7] == 1)
		axis := 2 + i
		rest := make([]float64, out)
		for i, w := range weight {
			rest[i] = 1 - w
		}
		index1, index2 := c.p.ints(first, []int{out}), c.p.ints(second, []int{out})
		weighted := func(x value, by []float64) value {
			if c.ints[6] != 1 {
				return x
			}
			return x.mul(c.p.numbers(by, []int{out}).spread(x.shape, []int{axis}))
		}
		switch linear := c.ints[6] == 1; {
		case back && linear:
			x = weighted(x, rest).addAlong(axis, index1, in).add(weighted(x, weight).addAlong(axis, index2, in))
		case back:
			x = x.addAlong(axis, index1, in)
		case linear:
			x = weighted(x.takeAlong(axis, index1), rest).add(weighted(x.takeAlong(axis, index2), weight))
		default:
			x = x.takeAlong(axis, index1)
		}
	}
	return x
}

// resampled returns, for each place along an axis, the elements before and
// behind it and the weight of the second.
func resampled(in, out int, linear, corners bool) (first, second []int, weight []float64) {
	for o := range out {
		place := float64(o * in / out)
		switch {
		case linear && !corners:
			place = max(0, (float64(o)+0.5)*float64(in)/float64(out)-0.5)
		case linear && out > 1:
			place = float64(o) * float64(in-1) / float64(out-1)
		case linear:
			place = 0
		}
		at := min(int(place), in-1)
		first, second = append(first, at), append(second, min(at+1, in-1))
		weight = append(weight, place-float64(at))
	}
	return first, second, weight
}
