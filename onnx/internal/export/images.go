package export

import (
	"slices"

	"nabla/autograd"
)

// imageOutlines are operations on windows of images, in other operations: on
// rows of a matrix of windows, or axis by axis.
var imageOutlines = map[string]outline{
	"conv":              convolved,
	"conv transpose":    convolvedBack,
	"conv weights":      convWeights,
	"unfold":            func(c call) autograd.Value { return c.unfolded(c.in[0], c.unfolding()) },
	"fold":              func(c call) autograd.Value { return c.folded(c.in[0], c.unfolding(), c.shape[1], c.shape[2:]) },
	"max pool":          maxima,
	"avg pool":          func(c call) autograd.Value { return c.resampled(averages(c, c.in[0].Shape(), c.shape), false) },
	"avg pool gradient": func(c call) autograd.Value { return c.resampled(averages(c, c.shape, c.in[0].Shape()), true) },
	"upsample":          func(c call) autograd.Value { return c.resampled(interpolations(c, c.in[0].Shape(), c.shape), false) },
	"upsample gradient": func(c call) autograd.Value { return c.resampled(interpolations(c, c.shape, c.in[0].Shape()), true) },
}

// A windowing is where the windows of images lie.
type windowing struct {
	kernel, stride, dilation []int
	padding                  [][2]int
	places                   []int // number of windows along each axis
}

func (c call) unfolding() windowing {
	o := c.Options().(autograd.UnfoldOptions)
	w := windowing{kernel: o.Kernel, stride: o.Stride, dilation: o.Dilation, padding: o.Padding}
	image := c.in[0].Shape()
	if c.Op == "fold" {
		image = c.shape
	}
	for i, k := range o.Kernel {
		w.places = append(w.places, (image[2+i]+o.Padding[i][0]+o.Padding[i][1]-o.Dilation[i]*(k-1)-1)/o.Stride[i]+1)
	}
	return w
}

// index returns, for each tap of the kernel and each window, the row-major
// place of its element in the padded image.
func (w windowing) index(sizes []int) []int {
	index := []int{0}
	strides := make([]int, len(sizes))
	step := 1
	for i := len(sizes) - 1; i >= 0; i-- {
		strides[i] = step
		step *= sizes[i]
	}
	grow := func(counts, steps []int) {
		for axis, n := range counts {
			longer := make([]int, 0, len(index)*n)
			for _, at := range index {
				for i := range n {
					longer = append(longer, at+i*steps[axis]*strides[axis])
				}
			}
			index = longer
		}
	}
	grow(w.kernel, w.dilation)
	grow(w.places, w.stride)
	return index
}

// paddedSizes are the lengths of the padded image, as far as windows reach.
func (w windowing) paddedSizes() []int {
	sizes := make([]int, len(w.kernel))
	for i, k := range w.kernel {
		sizes[i] = (w.places[i]-1)*w.stride[i] + w.dilation[i]*(k-1) + 1
	}
	return sizes
}

// unfolded returns the windows of x as columns: [batch, channels·taps, places].
func (c call) unfolded(x autograd.Value, w windowing) autograd.Value {
	dims, sizes := x.Shape(), w.paddedSizes()
	pairs := make([][2]int, len(dims))
	for i, n := range sizes {
		pairs[2+i] = [2]int{w.padding[i][0], max(0, n-w.padding[i][0]-dims[2+i])}
	}
	y := x.Pad(0, pairs...)
	for i, n := range sizes {
		y = y.Narrow(2+i, 0, n)
	}
	y = y.Reshape(dims[0], dims[1], product(sizes)).IndexSelect(2, autograd.NewInts(w.index(sizes)))
	return y.Reshape(dims[0], dims[1]*product(w.kernel), product(w.places))
}

// folded adds columns up at the windows of images of the given sizes.
func (c call) folded(x autograd.Value, w windowing, channels int, image []int) autograd.Value {
	batch, sizes := x.Dim(0), w.paddedSizes()
	for i := range sizes { // what no window reaches stays 0
		sizes[i] = max(sizes[i], w.padding[i][0]+image[i])
	}
	index := w.index(sizes)
	flat := x.Reshape(batch, channels, len(index))
	y := c.g.Full(0, batch, channels, product(sizes)).IndexAdd(2, autograd.NewInts(index), flat)
	y = y.Reshape(append([]int{batch, channels}, sizes...)...)
	for i, n := range image {
		y = y.Narrow(2+i, w.padding[i][0], n)
	}
	return y
}

// windows returns the windows of a convolution, from the shapes of its weights
// and maps.
func windows(stride, dilation []int, padding [][2]int, weights, maps []int) windowing {
	return windowing{kernel: weights[2:], stride: stride, dilation: dilation, padding: padding, places: maps[2:]}
}

// convolved multiplies the windows with the weights, group by group.
func convolved(c call) autograd.Value {
	o, x, weights := c.Options().(autograd.ConvOptions), c.in[0], c.in[1]
	w := windows(o.Stride, o.Dilation, o.Padding, weights.Shape(), c.shape)
	columns := c.unfolded(x, w)
	batch, places, each := x.Dim(0), product(w.places), weights.Dim(0)/o.Groups
	rows := weights.Size() / max(weights.Dim(0), 1)
	y := weights.Reshape(o.Groups, each, rows).MatMul(columns.Reshape(batch, o.Groups, rows, places))
	y = y.Reshape(c.shape...)
	return c.biased(y, o.Bias)
}

func (c call) biased(y, bias autograd.Value) autograd.Value {
	if bias.IsZero() {
		return y
	}
	dims := []int{1, bias.Size()}
	for range y.Rank() - 2 {
		dims = append(dims, 1)
	}
	return y.Add(c.of(bias).Reshape(dims...))
}

func convolvedBack(c call) autograd.Value {
	o, x, weights := c.Options().(autograd.ConvTransposeOptions), c.in[0], c.in[1]
	w := windows(o.Stride, o.Dilation, o.Padding, weights.Shape(), x.Shape())
	batch, places, each := x.Dim(0), product(w.places), weights.Dim(0)/o.Groups
	rows := weights.Size() / max(weights.Dim(0), 1)
	columns := weights.Reshape(o.Groups, each, rows).T().MatMul(x.Reshape(batch, o.Groups, each, places))
	y := c.folded(columns.Reshape(batch, o.Groups*rows, places), w, c.shape[1], c.shape[2:])
	return c.biased(y, o.Bias)
}

// convWeights multiplies the maps with the windows of the images.
func convWeights(c call) autograd.Value {
	o, x, maps := c.Options().(autograd.ConvOptions), c.in[0], c.in[1]
	w := windows(o.Stride, o.Dilation, o.Padding, c.shape, maps.Shape())
	columns := c.unfolded(x, w)
	batch, places, each := x.Dim(0), product(w.places), c.shape[0]/o.Groups
	rows := product(c.shape[1:])
	y := maps.Reshape(batch, o.Groups, each, places).MatMul(columns.Reshape(batch, o.Groups, rows, places).T())
	return y.Sum(0).Reshape(c.shape...)
}

// A window is the elements that one place of a result is made of.
type window []int

// poolWindows returns the windows of a pooling along axis i, without padding,
// and by what their sum is divided.
func poolWindows(options any, i, in, out int) (all []window, shares []int) {
	for at := range out {
		var w window
		share := 0
		switch o := options.(type) {
		case autograd.AdaptiveOptions:
			for place := at * in / out; place < ((at+1)*in+out-1)/out; place++ {
				w = append(w, place)
			}
			share = len(w)
		case autograd.PoolOptions:
			step := 1
			if o.Dilation != nil {
				step = o.Dilation[i]
			}
			first := at*o.Stride[i] - o.Padding[i][0]
			for k := range o.Kernel[i] {
				place := first + k*step
				if place >= 0 && place < in {
					w = append(w, place)
				}
				if place < in+o.Padding[i][1] {
					share++
				}
			}
			if o.ExcludePadding {
				share = len(w)
			}
		}
		all, shares = append(all, w), append(shares, share)
	}
	return all, shares
}

// averages returns a matrix for each spatial axis, [out, in], whose rows have
// the shares of the elements in the mean.
func averages(c call, from, to []int) [][][]float64 {
	var matrices [][][]float64
	for i := range len(from) - 2 {
		windows, shares := poolWindows(c.Options(), i, from[2+i], to[2+i])
		m := make([][]float64, to[2+i])
		for at, w := range windows {
			m[at] = make([]float64, from[2+i])
			for _, place := range w {
				m[at][place] = 1 / float64(shares[at])
			}
		}
		matrices = append(matrices, m)
	}
	return matrices
}

// interpolations returns such matrices for a resampling.
func interpolations(c call, from, to []int) [][][]float64 {
	o := c.Options().(autograd.UpsampleOptions)
	var matrices [][][]float64
	for i := range len(from) - 2 {
		in, out := from[2+i], to[2+i]
		m := make([][]float64, out)
		for at := range m {
			m[at] = make([]float64, in)
			if !o.Bilinear {
				m[at][at*in/out] = 1
				continue
			}
			place := (float64(at)+0.5)*float64(in)/float64(out) - 0.5
			if o.AlignCorners {
				place = 0
				if out > 1 {
					place = float64(at) * float64(in-1) / float64(out-1)
				}
			}
			place = min(max(place, 0), float64(in-1))
			low := min(int(place), in-1)
			m[at][low] += 1 - (place - float64(low))
			m[at][min(low+1, in-1)] += place - float64(low)
		}
		matrices = append(matrices, m)
	}
	return matrices
}

// resampled multiplies each spatial axis by its matrix, or by the transpose.
func (c call) resampled(matrices [][][]float64, transposed bool) autograd.Value {
	x := c.in[0]
	rank := x.Rank()
	for i, m := range matrices {
		rows, columns := len(m), 0
		if rows > 0 {
			columns = len(m[0])
		}
		w := c.g.Constant(autograd.NewTensor(slices.Concat(m...), rows, columns))
		if !transposed {
			w = w.T()
		}
		x = x.Transpose(2+i, rank-1).MatMul(w).Transpose(2+i, rank-1)
	}
	return x.Reshape(c.shape...)
}

// maxima takes the greatest of each window, axis by axis. Windows that are
// shorter than others repeat an element.
func maxima(c call) autograd.Value {
	x := c.in[0]
	for i := range x.Rank() - 2 {
		axis := 2 + i
		windows, _ := poolWindows(c.Options(), i, x.Dim(axis), c.shape[axis])
		longest := 0
		for _, w := range windows {
			longest = max(longest, len(w))
		}
		var index []int
		for _, w := range windows {
			for k := range longest {
				index = append(index, w[min(k, len(w)-1)])
			}
		}
		x = x.IndexSelect(axis, autograd.NewInts(index, len(windows), longest)).Max(axis + 1)
	}
	return x
}

// chosenPlaces returns, for each window of a max pooling, the row-major place
// of the first of its greatest elements in its channel: [batch, channels,
// places].
func (s *site) chosenPlaces() (name string, shape []int, b batchAxis) {
	by := s.Value.Graph().At(s.options.(autograd.ChosenOptions).By)
	x := s.refs[by.Node().Inputs[0]]
	from, to := x.value.Shape(), by.Shape()
	table := [][]int{{0}} // of each place: the elements of its window
	for i := range len(from) - 2 {
		windows, _ := poolWindows(by.Node().Options(), i, from[2+i], to[2+i])
		var longer [][]int
		for _, places := range table {
			for _, w := range windows {
				var all []int
				for _, place := range places {
					for _, at := range w {
						all = append(all, place*from[2+i]+at)
					}
				}
				longer = append(longer, all)
			}
		}
		table = longer
	}
	longest := 0
	for _, w := range table {
		longest = max(longest, len(w))
	}
	var index []int
	for _, w := range table {
		for k := range longest {
			index = append(index, w[min(k, len(w)-1)])
		}
	}
	b = x.batch
	places := len(table)
	flat := s.reshapeOf(x.name, []int{from[0], from[1], product(from[2:])}, b)
	elements := s.op("Gather", []string{flat, s.integers(index, places, longest)}, intAttribute("axis", 2))
	greatest := s.op("ArgMax", []string{elements}, intAttribute("axis", 3), flag("keepdims", true), flag("select_last_index", false))
	shape = []int{from[0], from[1], places, longest}
	spread := s.spread(s.integers(index, 1, 1, places, longest), shape, b)
	chosen := s.op("GatherElements", []string{spread, greatest}, intAttribute("axis", 3))
	return s.op("Squeeze", []string{chosen, s.ints64(3)}), []int{from[0], from[1], places}, b
}

// maxPoolGradient adds the incoming gradients up at the chosen places.
func maxPoolGradient(s *site) string {
	if product(s.shape) == 0 {
		s.refuse("a max pool of no elements")
	}
	chosen, shape, b := s.chosenPlaces()
	s.batch = b
	gy := s.reshapeOf(s.in[0].name, shape, s.in[0].batch)
	flat := []int{s.shape[0], s.shape[1], product(s.shape[2:])}
	zeros := s.filled(0, flat, b)
	sums := s.op("ScatterElements", []string{zeros, chosen, gy}, intAttribute("axis", 2), stringAttribute("reduction", "add"))
	return s.reshapeOf(sums, s.shape, b)
}

// maxPoolGather takes elements at the chosen places.
func maxPoolGather(s *site) string {
	if product(s.shape) == 0 {
		s.refuse("a max pool of no elements")
	}
	chosen, _, b := s.chosenPlaces()
	s.batch = b
	from := s.in[0].value.Shape()
	flat := s.reshapeOf(s.in[0].name, []int{from[0], from[1], product(from[2:])}, s.in[0].batch)
	return s.reshapeOf(s.op("GatherElements", []string{flat, chosen}, intAttribute("axis", 2)), s.shape, b)
}
