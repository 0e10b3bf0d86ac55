package onnx

import (
	"math"
	"slices"

	"nabla/autograd"
)

// sampling are operators that look elements up at places that are computed.
func sampling() map[string]operator {
	return map[string]operator{
		"AffineGrid": {since(20), 2, 2, 1, buildAffineGrid},
		"GridSample": {since(16, 20, 22), 2, 2, 1, buildGridSample},
	}
}

// buildAffineGrid returns the places of an image's pixels after an affine map,
// from −1 to 1 along each axis.
func buildAffineGrid(n *node) func(*call) {
	corners := n.bool("align_corners", false)
	return func(c *call) {
		theta, size := c.value(0), c.dimensions(1)
		axes := len(size) - 2
		if axes != 2 && axes != 3 || theta.Rank() != 3 || theta.Dim(0) != size[0] || theta.Dim(1) != axes || theta.Dim(2) != axes+1 {
			c.failShapes("the maps do not fit the size", theta.Shape(), size)
		}
		places := size[2:]
		c.room(append(slices.Clone(places), size[0], axes+1))
		points := make([]float64, 0, product(places)*(axes+1))
		for i := range product(places) {
			point := slices.Repeat([]float64{1}, axes+1)
			for k := range axes {
				n := places[axes-1-k]
				point[k] = center(i%n, n, corners)
				i /= n
			}
			points = append(points, point...)
		}
		grid := c.graph().Constant(autograd.NewTensor(points, product(places), axes+1)).MatMul(theta.T())
		c.setLike(0, grid.Reshape(slices.Concat(size[:1], places, []int{axes})...))
	}
}

// center returns where element i of n lies between −1 and 1, which are the
// centers of the outermost elements or their edges.
func center(i, n int, corners bool) float64 {
	if !corners {
		return (2*float64(i)+1)/float64(n) - 1
	}
	if n == 1 {
		return 0
	}
	return 2*float64(i)/float64(n-1) - 1
}

// A sampler says how GridSample computes what is between elements.
type sampler struct {
	mode, padding string
	corners       bool
}

func buildGridSample(n *node) func(*call) {
	s := sampler{corners: n.bool("align_corners", false), padding: n.oneOf("padding_mode", "zeros", "zeros", "border", "reflection")}
	if n.version == 16 {
		s.mode = n.oneOf("mode", "bilinear", "bilinear", "nearest", "bicubic")
	} else {
		s.mode = n.oneOf("mode", "linear", "linear", "nearest", "cubic")
	}
	return func(c *call) {
		x, grid := c.value(0), c.value(1)
		axes := x.Rank() - 2
		if axes < 1 || axes > spatialAxes || grid.Rank() != x.Rank() || grid.Dim(0) != x.Dim(0) || grid.Dim(-1) != axes || x.Size() == 0 {
			c.failShapes("the grid does not fit x", x.Shape(), grid.Shape())
		}
		result := slices.Concat(x.Shape()[:2], grid.Shape()[1:axes+1])
		c.room(result)
		c.setLike(0, s.sample(x, grid.Reshape(x.Dim(0), -1, axes)).Reshape(result...))
	}
}

// axisTaps are the elements along one axis that count for each place: for each
// tap, [batch, places], their indices (−1: outside) and weights.
type axisTaps struct {
	index   [][]int
	weights []value
}

// sample returns [batch, channels, places]: the sum over all combinations of
// taps along the axes.
func (s sampler) sample(x, grid value) value {
	axes := x.Rank() - 2
	taps := make([]axisTaps, axes)
	combinations := 1
	for axis := range axes {
		// The last axis has the first coordinate.
		taps[axis] = s.taps(grid.Select(2, axes-1-axis), x.Dim(axis+2))
		combinations *= len(taps[axis].index)
	}
	var sum value
	for k := range combinations {
		term := combined(x, taps, k)
		if sum.IsZero() {
			sum = term
		} else {
			sum = sum.Add(term)
		}
	}
	return sum
}

// combined returns the elements at one combination of taps, times its weights.
func combined(x value, taps []axisTaps, k int) value {
	batch, channels, places := x.Dim(0), x.Dim(1), taps[0].weights[0].Dim(1)
	from, inside := make([]int, batch*places), slices.Repeat([]float64{1}, batch*places)
	var weight value
	for axis, t := range taps {
		tap := k % len(t.index)
		k /= len(t.index)
		for i, j := range t.index[tap] {
			if j < 0 {
				inside[i], j = 0, 0
			}
			from[i] = from[i]*x.Dim(axis+2) + j
		}
		if weight.IsZero() {
			weight = t.weights[tap]
		} else {
			weight = weight.Mul(t.weights[tap])
		}
	}
	index := make([]int, batch*channels*places)
	for i := range index {
		index[i] = from[i/(channels*places)*places+i%places]
	}
	flat := x.Reshape(batch*channels, -1)
	picked := flat.Gather(1, toInts(index, []int{batch * channels, places})).Reshape(batch, channels, places)
	g := x.Graph()
	mask := g.Constant(autograd.NewTensor(inside, batch, 1, places))
	return autograd.Where(mask, picked, g.Scalar(0)).Mul(weight.Unsqueeze(1))
}

// taps returns the elements that count along an axis of length n.
func (s sampler) taps(grid value, n int) axisTaps {
	length := float64(n)
	lo, hi := -0.5, length-0.5
	at := grid.AddScalar(1).MulScalar(length / 2).AddScalar(-0.5)
	if s.corners {
		lo, hi = 0, length-1
		at = grid.AddScalar(1).MulScalar((length - 1) / 2)
	}
	if s.mode == "nearest" {
		at = at.Round()
	}
	switch s.padding {
	case "border":
		at = at.Clamp(0, length-1)
	case "reflection":
		at = reflected(at, lo, hi)
	}
	numbers := at.Tensor().Float64s()
	base := make([]float64, len(numbers))
	for i, v := range numbers {
		if math.IsNaN(v) {
			v = -1
		}
		base[i] = math.Floor(min(max(v, -4), length+4))
	}
	g := grid.Graph()
	ratio := at.Sub(g.Constant(autograd.NewTensor(base, at.Shape()...)))
	switch s.mode {
	case "nearest":
		return axisTaps{[][]int{s.places(base, 0, n, lo, hi)}, []value{g.Full(1, at.Shape()...)}}
	case "linear", "bilinear":
		return axisTaps{[][]int{s.places(base, 0, n, lo, hi), s.places(base, 1, n, lo, hi)}, []value{ratio.Neg().AddScalar(1), ratio}}
	}
	t := axisTaps{}
	for k := -1; k <= 2; k++ {
		t.index = append(t.index, s.places(base, k, n, lo, hi))
		t.weights = append(t.weights, cubicWeight(ratio, k))
	}
	return t
}

// reflected returns places that are turned back at both ends.
func reflected(at value, lo, hi float64) value {
	width := hi - lo
	if width <= 0 {
		return at.MulScalar(0).AddScalar(lo)
	}
	from := at.AddScalar(-lo).Remainder(at.Graph().Scalar(2 * width))
	return from.Minimum(from.Neg().AddScalar(2 * width)).AddScalar(lo)
}

// places returns the elements that are k behind the bases, −1 outside.
func (s sampler) places(base []float64, k, n int, lo, hi float64) []int {
	index := make([]int, len(base))
	for i, b := range base {
		j := int(b) + k
		switch {
		case j >= 0 && j < n:
		case s.padding == "border":
			j = min(max(j, 0), n-1)
		case s.padding == "reflection":
			j = turnedBack(j, n, lo, hi)
		default:
			j = -1
		}
		index[i] = j
	}
	return index
}

// turnedBack reflects an index at the ends of an axis.
func turnedBack(j, n int, lo, hi float64) int {
	width := hi - lo
	if width <= 0 {
		return 0
	}
	from := math.Mod(math.Mod(float64(j)-lo, 2*width)+2*width, 2*width)
	return min(max(int(math.Min(from, 2*width-from)+lo), 0), n-1)
}

// cubicWeight is the weight of the element k behind the one below a place,
// with the coefficient −¾ that PyTorch has.
func cubicWeight(ratio value, k int) value {
	const a = -0.75
	x := ratio.AddScalar(-float64(k))
	if k > 0 {
		x = x.Neg()
	}
	if k == 0 || k == 1 {
		return x.MulScalar(a + 2).AddScalar(-(a + 3)).Mul(x.Square()).AddScalar(1)
	}
	return x.MulScalar(a).AddScalar(-5 * a).Mul(x).AddScalar(8 * a).Mul(x).AddScalar(-4 * a)
}
