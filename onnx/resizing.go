package onnx

import (
	"math"
	"slices"

	"nabla/autograd"
)

// resizing are operators that compute elements between others.
func resizing() map[string]operator {
	return map[string]operator{
		"Resize":   {since(10, 11, 13, 18, 19), 1, 4, 1, buildResize},
		"Upsample": {since(7, 9, 10), 1, 2, 1, buildUpsample},
	}
}

// interpolation are the settings of Resize.
type interpolation struct {
	mode, coordinates, nearest, policy string
	antialias, inside                  bool
	a, outside                         float64
	axes                               []int
}

// buildUpsample is Resize with its first coordinates.
func buildUpsample(n *node) func(*call) {
	o := interpolation{mode: n.oneOf("mode", "nearest", "nearest", "linear", "bilinear"), coordinates: "asymmetric", nearest: "floor"}
	scales := n.floats("scales")
	n.reads(usedAsSetting, 1)
	return func(c *call) {
		scales := scales
		if c.has(1) {
			scales = c.floats(1)
		}
		c.resize(o, scales, nil, nil)
	}
}

func buildResize(n *node) func(*call) {
	o := interpolation{mode: n.oneOf("mode", "nearest", "nearest", "linear", "cubic"), coordinates: "asymmetric", nearest: "floor", a: -0.75}
	if n.version == 10 {
		n.reads(usedAsSetting, 1)
		return func(c *call) { c.resize(o, c.floats(1), nil, nil) }
	}
	o.coordinates = n.oneOf("coordinate_transformation_mode", "half_pixel", "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
		"align_corners", "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize")
	o.nearest = n.oneOf("nearest_mode", "round_prefer_floor", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
	o.policy = n.oneOf("keep_aspect_ratio_policy", "stretch", "stretch", "not_larger", "not_smaller")
	o.antialias, o.inside = n.bool("antialias", false), n.bool("exclude_outside", false)
	o.a, o.outside = n.float("cubic_coeff_a", -0.75), n.float("extrapolation_value", 0)
	o.axes = n.ints("axes")
	n.reads(usedAsSetting, 1, 2)
	return func(c *call) {
		var roi, scales []float64
		var sizes []int
		if o.coordinates == "tf_crop_and_resize" {
			roi = c.floats(1)
		}
		if c.has(2) && c.args[2].size() > 0 {
			scales = c.floats(2)
		}
		if c.has(3) && c.args[3].size() > 0 {
			sizes = c.list(3)
		}
		c.resize(o, scales, sizes, roi)
	}
}

// A stretch is what becomes of one axis.
type stretch struct {
	axis, from, to int
	scale          float64
	start, end     float64 // of the region
}

// resize resizes axis by axis: the weights are products of those of each.
func (c *call) resize(o interpolation, scales []float64, sizes []int, roi []float64) {
	x := c.tensor(0)
	shape := slices.Clone(x.shape())
	stretches := c.stretches(o, x.shape(), scales, sizes, roi)
	for _, s := range stretches {
		shape[s.axis] = s.to
	}
	c.room(shape)
	for _, s := range stretches {
		if s.to == s.from && s.scale == 1 && roi == nil {
			continue
		}
		if s.from == 0 {
			c.failShapes("an axis has no elements", x.shape())
		}
		x = c.stretch(o, x, s)
	}
	c.set(0, x)
}

func (c *call) stretches(o interpolation, shape []int, scales []float64, sizes []int, roi []float64) []stretch {
	axes := all(len(shape))
	if o.axes != nil {
		axes = c.axes(o.axes, len(shape))
	}
	if (scales == nil) == (sizes == nil) || max(len(scales), len(sizes)) != len(axes) || roi != nil && len(roi) != 2*len(axes) {
		c.fail("there is not one scale or size for each of %d axes", len(axes))
	}
	if sizes != nil && o.policy != "stretch" && o.policy != "" {
		scales, sizes = c.keptRatio(o, shape, axes, sizes)
	}
	list := make([]stretch, len(axes))
	for i, axis := range axes {
		s := stretch{axis: axis, from: shape[axis], end: 1}
		if sizes != nil {
			s.to = sizes[i]
		}
		if scales != nil {
			s.scale = scales[i]
		} else {
			s.scale = float64(s.to) / float64(max(s.from, 1))
		}
		if sizes == nil {
			s.to = int(math.Floor(min(float64(s.from)*s.scale, math.MaxInt32)))
		}
		if !(s.scale > 0) && s.from > 0 || s.to < 0 {
			c.fail("a scale is %v", s.scale)
		}
		if roi != nil {
			s.start, s.end = roi[i], roi[len(axes)+i]
		}
		list[i] = s
	}
	return list
}

// keptRatio returns scales that are the same for all axes.
func (c *call) keptRatio(o interpolation, shape, axes, sizes []int) ([]float64, []int) {
	scale := 0.0
	for i, axis := range axes {
		s := float64(sizes[i]) / float64(max(shape[axis], 1))
		if i == 0 || o.policy == "not_larger" && s < scale || o.policy == "not_smaller" && s > scale {
			scale = s
		}
	}
	to := make([]int, len(sizes))
	for i, axis := range axes {
		to[i] = int(math.Floor(min(scale*float64(shape[axis]), math.MaxInt32) + 0.5))
	}
	return slices.Repeat([]float64{scale}, len(axes)), to
}

// original returns the place in the original of element i; ok is false for one
// outside of a region.
func (o interpolation) original(s stretch, i int) (x float64, ok bool) {
	length, at := s.scale*float64(s.from), float64(i)
	last := float64(s.from - 1)
	switch o.coordinates {
	case "align_corners":
		if length == 1 || s.to == 1 {
			return 0, true
		}
		return at * last / (math.Max(length, float64(s.to)) - 1), true
	case "asymmetric":
		return at / s.scale, true
	case "tf_half_pixel_for_nn":
		return (at + 0.5) / s.scale, true
	case "tf_crop_and_resize":
		if s.to == 1 {
			x = (s.start + s.end) * last / 2
		} else {
			x = s.start*last + at*(s.end-s.start)*last/(length-1)
		}
		return x, x >= 0 && x <= last
	case "pytorch_half_pixel":
		if s.to == 1 {
			return -0.5, true
		}
	case "half_pixel_symmetric":
		center := float64(s.from) / 2
		return center*(1-float64(s.to)/length) + (at+0.5)/s.scale - 0.5, true
	}
	return (at+0.5)/s.scale - 0.5, true
}

// stretch resizes one axis: each element is a sum of neighbours by weights.
func (c *call) stretch(o interpolation, x datum, s stretch) datum {
	first, count := o.reach(s)
	c.room([]int{count, s.to})
	index, weights := make([][]int, count), make([][]float64, count)
	for k := range count {
		index[k], weights[k] = make([]int, s.to), make([]float64, s.to)
	}
	outside := make([]float64, s.to)
	for i := range s.to {
		at, ok := o.original(s, i)
		if !ok || math.IsNaN(at) {
			outside[i] = 1
			continue
		}
		at = min(max(at, -math.MaxInt32), math.MaxInt32)
		base := math.Ceil(at) - 1
		for k, w := range o.weights(s, at-base, int(base), first, count) {
			index[k][i] = min(max(int(base)+first+k, 0), s.from-1)
			weights[k][i] = w
		}
	}
	if o.mode == "nearest" {
		chosen := index[0]
		for i := range chosen {
			if weights[1][i] != 0 {
				chosen[i] = index[1][i]
			}
		}
		if slices.Max(append(outside, 0)) == 0 {
			return c.along(x, s.axis, chosen)
		}
		return ofValue(x.elem, c.outside(o, s, c.valueOf(c.along(x, s.axis, chosen)), outside))
	}
	return ofValue(x.elem, c.outside(o, s, c.weighted(x, s, index, weights), outside))
}

// weighted returns the sum of neighbours times weights.
func (c *call) weighted(x datum, s stretch, index [][]int, weights [][]float64) value {
	if !isFloat(x.elem) {
		c.fail("%s are interpolated", x.describe())
	}
	v := c.valueOf(x)
	var sum value
	for k := range index {
		w := c.column(v, s, weights[k])
		term := v.IndexSelect(s.axis, toInts(index[k], []int{s.to})).Mul(w)
		if sum.IsZero() {
			sum = term
		} else {
			sum = sum.Add(term)
		}
	}
	return sum
}

// column returns numbers along an axis, which broadcast over the others.
func (c *call) column(x value, s stretch, numbers []float64) value {
	shape := ones(x.Rank())
	shape[s.axis] = s.to
	return c.graph().Constant(autograd.NewTensor(numbers, shape...))
}

// outside sets elements outside of the region to a constant.
func (c *call) outside(o interpolation, s stretch, y value, outside []float64) value {
	if slices.Max(append(outside, 0)) == 0 {
		return y
	}
	return autograd.Where(c.column(y, s, outside), c.graph().Scalar(o.outside), y)
}

// reach returns which neighbours count: the first one, from the one below on,
// and how many.
func (o interpolation) reach(s stretch) (first, count int) {
	radius := 1.0
	if o.mode == "cubic" {
		radius = 2
	}
	scale := 1.0
	if o.antialias && o.mode != "nearest" {
		scale = min(s.scale, 1)
	}
	first = int(math.Floor(max(-radius/scale, -math.MaxInt32))) + 1
	return first, 2 - 2*first
}

// weights returns the neighbours' weights for a place that is ratio behind the
// one below, which is at base.
func (o interpolation) weights(s stretch, ratio float64, base, first, count int) []float64 {
	if o.mode == "nearest" {
		above := ratio > 0.5 || ratio == 1
		switch o.nearest {
		case "round_prefer_ceil":
			above = ratio >= 0.5
		case "floor":
			above = ratio == 1
		case "ceil":
			above = true
		}
		return []float64{float64(truth(!above)), float64(truth(above))}
	}
	scale := 1.0
	if o.antialias {
		scale = min(s.scale, 1)
	}
	weights := make([]float64, count)
	sum := 0.0
	for k := range weights {
		w := o.kernel(scale * (float64(first+k) - ratio))
		if at := base + first + k; o.inside && (at < 0 || at >= s.from) {
			w = 0
		}
		weights[k] = w
		sum += w
	}
	if o.antialias || o.inside {
		for k := range weights {
			weights[k] /= sum
		}
	}
	return weights
}

// kernel is a neighbour's weight by its distance.
func (o interpolation) kernel(x float64) float64 {
	x = math.Abs(x)
	if o.mode != "cubic" {
		return max(1-x, 0)
	}
	switch a := o.a; {
	case x <= 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return ((a*x-5*a)*x+8*a)*x - 4*a
	}
	return 0
}
