package autograd

import (
	"math"

	"nabla/internal/kernel"
)

var (
	opUpsample         = operation{name: "upsample", method: "Upsample"}
	opUpsampleGradient = operation{name: "upsample gradient", method: "Upsample"}
)

// UpsampleOptions are the settings of [Value.Upsample]. Either Scale or Size is
// given, with an entry for each spatial axis or one for all.
type UpsampleOptions struct {
	Scale        []int // how many times as long each axis becomes
	Size         []int // how long each axis becomes, which may be shorter
	Bilinear     bool  // between neighbors, along one to three axes; else the nearest element
	AlignCorners bool  // if Bilinear: the first and last elements keep their places; else the edges of the outermost do
}

// Upsample returns x with other lengths of its spatial axes: one to three,
// behind those of batch and channels. Element i of n is the nearest element,
// ⌊i·length/n⌋, computed without rounding, or lies between the two neighbors of
// its place.
//
//	gx = the sum of gy, times x's weights in it
//
// It panics with an [*ArgumentError] if an option makes no sense, and with a
// [*ShapeError] if x does not have the axes or has no elements on one.
func (x Value) Upsample(options UpsampleOptions) Value {
	g, s := x.g, x.node(opUpsample.method).shape
	axes := spatialAxes(opUpsample.method, s)
	switch {
	case (options.Scale == nil) == (options.Size == nil):
		panic(NewArgumentError(opUpsample.method, "either Scale or Size is needed"))
	case options.AlignCorners && !options.Bilinear:
		panic(NewArgumentError(opUpsample.method, "AlignCorners means something only if Bilinear"))
	}
	ints := g.ints.take(resamplingInts)
	for i := range 6 {
		ints[i] = 1
	}
	in, sizes := ints[3-axes:3], ints[6-axes:6]
	copy(in, s.dims[2:])
	if options.Scale != nil {
		g.eachAxis(opUpsample.method, "scales", sizes, options.Scale, math.MaxInt)
	} else {
		g.eachAxis(opUpsample.method, "sizes", sizes, options.Size, math.MaxInt)
	}
	for i, n := range in {
		if n == 0 {
			panic(shapeError(opUpsample.method, "no elements to take the nearest of", "", s.dims))
		}
		if options.Scale != nil {
			if sizes[i] > math.MaxInt/n {
				panic(shapeError(opUpsample.method, "size overflows", "", s.dims))
			}
			sizes[i] *= n
		}
	}
	ints[6], ints[7] = 0, 0
	if options.Bilinear {
		ints[6] = 1
	}
	if options.AlignCorners {
		ints[7] = 1
	}
	return x.upsample(ints)
}

// resamplingInts is how many ints a resampling has: the lengths of three axes
// before and after, whether it is linear, and whether corners keep their
// places.
const resamplingInts = 8

func resampling(ints []int) kernel.Resampling {
	return kernel.Resampling{In: [3]int(ints[:3]), Out: [3]int(ints[3:6]), Linear: ints[6] == 1, Corners: ints[7] == 1}
}

func (x Value) upsample(ints []int) Value {
	g, from := x.g, x.node(opUpsample.method)
	dims := g.copied(from.shape.dims)
	copy(dims[2:], ints[6-(len(dims)-2):6])
	n := g.record(&opUpsample, upsampleRule, g.newShape(opUpsample.method, dims), x)
	g.extraOf(n).ints = ints
	pick(g, upsampleNode[float64], upsampleNode[float32])(n, from)
	return g.done()
}

func upsampleNode[T kernel.Float](n, x *node) {
	kernel.Upsample(numbers[T](n), numbers[T](x), n.shape.planes(), resampling(n.extra.ints))
}

func upsampleRule(r *Rule) {
	r.Add(0, r.Grad().upsampleGradient(r.g.at(r.n.in[0]).shape, r.n.ints()))
}

// upsampleGradient is the adjoint of upsample, for an input of shape s.
func (x Value) upsampleGradient(s *shape, ints []int) Value {
	g, from := x.g, x.node(opUpsampleGradient.method)
	n := g.record(&opUpsampleGradient, upsampleGradientRule, s, x)
	g.extraOf(n).ints = ints
	pick(g, upsampleGradientNode[float64], upsampleGradientNode[float32])(n, from)
	return g.done()
}

func upsampleGradientNode[T kernel.Float](n, gy *node) {
	kernel.UpsampleGrad(numbers[T](n), numbers[T](gy), n.shape.planes(), resampling(n.extra.ints))
}

func upsampleGradientRule(r *Rule) { r.Add(0, r.Grad().upsample(r.n.ints())) }

// PixelShuffle makes channels into pixels: [batch, channels·r², height, width]
// becomes [batch, channels, height·r, width·r] for a factor r. Channel
// (c·r + i)·r + j has the pixels in row i and column j of each square (Shi et
// al., Real-Time Single Image and Video Super-Resolution Using an Efficient
// Sub-Pixel Convolutional Neural Network, 2016).
//
//	gx = gy, moved back
//
// It panics with an [*ArgumentError] if the factor is not positive, and with a
// [*ShapeError] if x does not have four axes or its channels are not a multiple
// of r².
func (x Value) PixelShuffle(factor int) Value {
	d := x.pixels("PixelShuffle", factor)
	if d[1]%factor != 0 || d[1]/factor%factor != 0 {
		panic(shapeError("PixelShuffle", "the channels are not a multiple of the factor's square", "", d[:]))
	}
	c := d[1] / factor / factor
	y := x.Reshape(d[0], c, factor, factor, d[2], d[3]).Permute(0, 1, 4, 2, 5, 3)
	return y.Reshape(d[0], c, d[2]*factor, d[3]*factor)
}

// PixelUnshuffle is the inverse of [Value.PixelShuffle]: [batch, channels,
// height·r, width·r] becomes [batch, channels·r², height, width].
//
//	gx = gy, moved back
//
// It panics with an [*ArgumentError] if the factor is not positive, and with a
// [*ShapeError] if x does not have four axes or its height and width are not
// multiples of r.
func (x Value) PixelUnshuffle(factor int) Value {
	d := x.pixels("PixelUnshuffle", factor)
	if d[2]%factor != 0 || d[3]%factor != 0 {
		panic(shapeError("PixelUnshuffle", "height and width are not multiples of the factor", "", d[:]))
	}
	h, w := d[2]/factor, d[3]/factor
	y := x.Reshape(d[0], d[1], h, factor, w, factor).Permute(0, 1, 3, 5, 2, 4)
	return y.Reshape(d[0], d[1]*factor*factor, h, w)
}

// pixels returns the shape of images [batch, channels, height, width].
func (x Value) pixels(op string, factor int) [4]int {
	s := x.node(op).shape
	if s.rank() != 4 {
		panic(shapeError(op, "not [batch, channels, height, width]", "", s.dims))
	}
	if factor < 1 {
		panic(NewArgumentError(op, "a factor of %d", factor))
	}
	return [4]int(s.dims)
}
