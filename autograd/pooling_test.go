package autograd_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

// A poolCase is one of testdata/pooling.json, which pooling.py explains.
type poolCase struct {
	Op            string
	Shape, Result []int
	Y, GX         []float64
	Options       struct {
		Kernel   int  `json:"kernel_size"`
		Stride   int  `json:"stride"`
		Padding  int  `json:"padding"`
		Dilation int  `json:"dilation"`
		Ceil     bool `json:"ceil_mode"`
		Counted  bool `json:"count_include_pad"`

		Output  []int  `json:"output_size"`
		Size    []int  `json:"size"`
		Scale   int    `json:"scale_factor"`
		Mode    string `json:"mode"`
		Corners bool   `json:"align_corners"`
		Up      int    `json:"upscale_factor"`
		Down    int    `json:"downscale_factor"`
	}
}

func (c poolCase) apply(x autograd.Value) autograd.Value {
	o := c.Options
	pool := autograd.PoolOptions{Kernel: []int{o.Kernel}, Stride: []int{o.Stride}, Padding: [][2]int{{o.Padding, o.Padding}}, Ceil: o.Ceil}
	switch c.Op {
	case "max pool":
		if o.Dilation > 0 {
			pool.Dilation = []int{o.Dilation}
		}
		return x.MaxPool(pool)
	case "avg pool":
		pool.ExcludePadding = !o.Counted
		return x.AvgPool(pool)
	case "adaptive max pool":
		return x.AdaptiveMaxPool(o.Output...)
	case "adaptive avg pool":
		return x.AdaptiveAvgPool(o.Output...)
	case "pixel shuffle":
		return x.PixelShuffle(o.Up)
	case "pixel unshuffle":
		return x.PixelUnshuffle(o.Down)
	}
	up := autograd.UpsampleOptions{Size: o.Size, Bilinear: o.Mode != "nearest", AlignCorners: o.Corners}
	if o.Scale > 0 {
		up.Scale = []int{o.Scale}
	}
	return x.Upsample(up)
}

// formula is how pooling.py makes its numbers.
func formula(shape []int, factor, modulus, divisor int) grid {
	x := zeros(shape)
	for i := range x.data {
		x.data[i] = float64((factor*i+11)%modulus-modulus/2) / float64(divisor)
	}
	return x
}

func TestPoolingAgreesWithPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/pooling.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []poolCase }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 90 {
		t.Fatalf("only %d cases were read", len(file.Cases))
	}
	for _, c := range file.Cases {
		for precision, tolerance := range map[autograd.Precision]float64{autograd.Float64: 1e-14, autograd.Float32: 1e-6} {
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			x := g.Variable(formula(c.Shape, 37, 64, 8).tensor())
			y := c.apply(x)
			grads := y.BackwardFrom(formula(c.Result, 5, 17, 4).tensor())
			got := []grid{gridOf(y.Tensor()), gridOf(grads.Of(x))}
			want := []grid{{c.Result, c.Y}, {c.Shape, c.GX}}
			if diff := cmp.Diff(want, got, within(tolerance)); diff != "" {
				t.Errorf("%s of %v with %+v in %v: value, gradient (-PyTorch +Nabla):\n%s", c.Op, c.Shape, c.Options, precision, diff)
			}
		}
	}
}

// The first of equal elements is chosen, −Inf too; NaN passes, and the last
// one has the gradient.
func TestMaxPoolEdges(t *testing.T) {
	type value = autograd.Value
	pairs := func(x value) value { return x.Reshape(1, 1, 2, -1).MaxPool(autograd.PoolOptions{Kernel: []int{2}}) }
	padded := func(x value) value {
		return x.Reshape(1, 1, -1).MaxPool(autograd.PoolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 1}}})
	}
	global := func(x value) value { return x.Reshape(1, 1, -1).GlobalMaxPool() }
	adaptive := func(x value) value { return x.Reshape(1, 1, -1).AdaptiveMaxPool(2) }
	low := -inf
	for _, c := range []struct {
		name               string
		x, value, gradient []float64
		f                  func(x value) value
	}{
		{"ties in a row and in a column", []float64{3, 3, 1, 2, 3, 0, 2, 2}, []float64{3, 2}, []float64{1, 0, 0, 1, 0, 0, 0, 0}, pairs},
		{"ties across", []float64{0, 3, 1, 1, 3, 0, 1, 1}, []float64{3, 1}, []float64{0, 1, 1, 0, 0, 0, 0, 0}, pairs},
		{"all −Inf", []float64{low, low, low, low}, []float64{low}, []float64{1, 0, 0, 0}, pairs},
		{"all −Inf beside padding", []float64{low, low, low}, []float64{low, low}, []float64{1, 1, 0}, padded},
		{"a NaN first", []float64{nan, 5, 1, 2, 1, 3, 2, 2}, []float64{nan, 2}, []float64{1, 0, 0, 1, 0, 0, 0, 0}, pairs},
		{"a NaN last", []float64{1, 5, 1, 2, 1, nan, 2, 2}, []float64{nan, 2}, []float64{0, 0, 0, 1, 0, 1, 0, 0}, pairs},
		{"two NaNs", []float64{nan, 5, 1, 2, 1, nan, 2, 2}, []float64{nan, 2}, []float64{0, 0, 0, 1, 0, 1, 0, 0}, pairs},
		{"a NaN in two windows", []float64{1, nan, 2}, []float64{nan, nan}, []float64{0, 2, 0}, padded},
		{"0 and −0", []float64{math.Copysign(0, -1), 0, 0, math.Copysign(0, -1)}, []float64{0}, []float64{1, 0, 0, 0}, pairs},
		{"+Inf", []float64{1, inf, inf, 0}, []float64{inf}, []float64{0, 1, 0, 0}, pairs},
		{"global, with ties", []float64{1, 4, 4, 0, 4}, []float64{4}, []float64{0, 1, 0, 0, 0}, global},
		{"global, with a NaN", []float64{1, nan, 4}, []float64{nan}, []float64{0, 1, 0}, global},
		{"adaptive, one element in two windows", []float64{1, 2, 9, 2, 1}, []float64{9, 9}, []float64{0, 0, 2, 0, 0}, adaptive},
	} {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			x := g.Variable(autograd.NewTensor(c.x))
			y := c.f(x)
			grads := y.BackwardFrom(autograd.Ones(y.Shape()...))
			wantNumbers(t, c.name+": value", y.Tensor().Float64s(), c.value, 0)
			wantNumbers(t, c.name+": gradient", grads.Of(x).Float64s(), c.gradient, 0)
			eval := autograd.NewGraph(autograd.Options{Precision: precision, NoGrad: true})
			wantNumbers(t, c.name+": value without gradients", c.f(eval.Variable(autograd.NewTensor(c.x))).Tensor().Float64s(), c.value, 0)
		}
	}
}

// The same edges in windows that stand side by side, as vectors compute them:
// each window is 2×2 or 3×3 of numbers from a small set with NaN and
// infinities, compared with the first greatest by a plain loop.
func TestMaxPoolChoosesTheFirst(t *testing.T) {
	few := []float64{0, 1, 1, 2, -inf, nan, -inf, 1, 2, inf, 2, -1, 1, 0}
	for _, o := range []poolOptions{
		{Kernel: []int{2}},
		{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 1}}},
		{Kernel: []int{3}, Stride: []int{1}, Padding: [][2]int{{1, 1}}},
		{Kernel: []int{3}, Stride: []int{2}, Ceil: true},
		{Kernel: []int{2}, Stride: []int{1}, Dilation: []int{2}},
		{Kernel: []int{3, 8}, Stride: []int{1, 5}},
		{}, // adaptive, to 3 by 5
	} {
		for _, shape := range [][]int{{2, 2, 8, 8}, {1, 2, 6, 37}, {1, 1, 5, 66}, {3, 1, 28, 28}} {
			x := zeros(shape)
			for i := range x.data {
				x.data[i] = few[(i*i+3*i)%1009%len(few)]
			}
			windows, f := adaptiveWindows(shape, []int{3, 5}), func(x autograd.Value) autograd.Value { return x.AdaptiveMaxPool(3, 5) }
			if o.Kernel != nil {
				windows, f = poolWindows(shape, o), func(x autograd.Value) autograd.Value { return x.MaxPool(o) }
			}
			want := firstGreatest(x, windows)
			for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
				g := autograd.NewGraph(autograd.Options{Precision: precision})
				v := g.Variable(x.tensor())
				y := f(v)
				grads := y.BackwardFrom(autograd.Ones(y.Shape()...))
				got := []grid{gridOf(y.Tensor()), gridOf(grads.Of(v))}
				if diff := cmp.Diff(want, got, within(0)); diff != "" {
					t.Errorf("%+v of %v in %v: value, gradient (-want +got):\n%s", o, shape, precision, diff)
				}
			}
		}
	}
}

// firstGreatest returns the pooling and how often each element was chosen.
func firstGreatest(x grid, windows [][]poolWindow) []grid {
	places := zeros(x.shape)
	for i := range places.data {
		places.data[i] = float64(i)
	}
	chosen := zeros(x.shape)
	y := pooledBy(places, windows, func(at []float64, _ int) float64 {
		best := int(at[0])
		for _, place := range at[1:] {
			if v := x.data[int(place)]; v > x.data[best] || math.IsNaN(v) {
				best = int(place)
			}
		}
		chosen.data[best]++
		return x.data[best]
	})
	return []grid{y, chosen}
}

// A constant image stays constant but for padding that counts.
func TestAvgPoolOfAConstant(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Full(0.1, 1, 1, 7, 37)
	o := autograd.PoolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 1}}, ExcludePadding: true}
	for i, v := range x.AvgPool(o).Tensor().Float64s() {
		if math.Abs(v-0.1) > 1e-16 {
			t.Errorf("element %d of the mean of tenths is %v", i, v)
		}
	}
	y := x.AvgPool(autograd.PoolOptions{Kernel: []int{2}, Padding: [][2]int{{1, 0}}}).Tensor().Float64s()
	wantNumbers(t, "a corner of which a quarter is inside", y[:2], []float64{0.025, 0.05}, 1e-15)
}

func TestWrongPooling(t *testing.T) {
	type graph = *autograd.Graph
	type options = autograd.PoolOptions
	dilated := options{Kernel: []int{2}, Dilation: []int{2}, Padding: [][2]int{{1, 1}}}
	corners := autograd.UpsampleOptions{Scale: []int{2}, AlignCorners: true}
	full := func(g graph, dims ...int) autograd.Value { return g.Full(1, dims...) }
	checkMisuses[*autograd.ShapeError](t, autograd.Options{}, []misuse{
		{here(), "autograd: MaxPool: not [batch, channels, …] with 1 to 3 spatial axes: [3 4]", func(g graph) { full(g, 3, 4).MaxPool(options{Kernel: []int{2}}) }},
		{here(), "autograd: AvgPool: not [batch, channels, …] with 1 to 3 spatial axes: [1 1 2 2 2 2]", func(g graph) { full(g, 1, 1, 2, 2, 2, 2).AvgPool(options{Kernel: []int{2}}) }},
		{here(), "autograd: MaxPool: a window of length 3 does not fit into 2 elements: [1 1 4 2]", func(g graph) { full(g, 1, 1, 4, 2).MaxPool(options{Kernel: []int{3}}) }},
		{here(), "autograd: MaxPool: a window of length 5 does not fit into 4 elements: [1 1 4 4]", func(g graph) { full(g, 1, 1, 4, 4).MaxPool(options{Kernel: []int{3}, Dilation: []int{2}}) }},
		{here(), "autograd: AvgPool: a window of length 2 does not fit into 0 elements: [1 1 0 4]", func(g graph) { full(g, 1, 1, 0, 4).AvgPool(options{Kernel: []int{2}}) }},
		{here(), "autograd: MaxPool: a window without elements: [1 1 1]", func(g graph) { full(g, 1, 1, 1).MaxPool(dilated) }},
		{here(), "autograd: MaxPool: a window without elements: [1 1 0]", func(g graph) { full(g, 1, 1, 0).MaxPool(options{Kernel: []int{2}, Padding: [][2]int{{1, 1}}}) }},
		{here(), "autograd: AdaptiveMaxPool: a window without elements: [1 1 0 3]", func(g graph) { full(g, 1, 1, 0, 3).AdaptiveMaxPool(2) }},
		{here(), "autograd: AdaptiveAvgPool: not [batch, channels, …] with 1 to 3 spatial axes: [5]", func(g graph) { full(g, 5).AdaptiveAvgPool(2) }},
		{here(), "autograd: GlobalAvgPool: a window without elements: [2 3 4 0]", func(g graph) { full(g, 2, 3, 4, 0).GlobalAvgPool() }},
		{here(), "autograd: GlobalAvgPool: not [batch, channels, …] with 1 to 3 spatial axes: [2 3]", func(g graph) { full(g, 2, 3).GlobalAvgPool() }},
		{here(), "autograd: GlobalMaxPool: a window without elements: [2 3 0]", func(g graph) { full(g, 2, 3, 0).GlobalMaxPool() }},
		{here(), "autograd: Upsample: no elements to take the nearest of: [2 3 0]", func(g graph) { full(g, 2, 3, 0).Upsample(autograd.UpsampleOptions{Scale: []int{2}}) }},
		{here(), "autograd: Upsample: not [batch, channels, …] with 1 to 3 spatial axes: [2 3]", func(g graph) { full(g, 2, 3).Upsample(autograd.UpsampleOptions{Scale: []int{2}}) }},
		{here(), "autograd: Upsample: size overflows: [1 1 3 3]", func(g graph) { full(g, 1, 1, 3, 3).Upsample(autograd.UpsampleOptions{Scale: []int{math.MaxInt / 2}}) }},
		{here(), "autograd: PixelShuffle: not [batch, channels, height, width]: [4 2 2]", func(g graph) { full(g, 4, 2, 2).PixelShuffle(2) }},
		{here(), "autograd: PixelShuffle: the channels are not a multiple of the factor's square: [1 6 2 2]", func(g graph) { full(g, 1, 6, 2, 2).PixelShuffle(2) }},
		{here(), "autograd: PixelShuffle: the channels are not a multiple of the factor's square: [1 4 2 2]", func(g graph) { full(g, 1, 4, 2, 2).PixelShuffle(1 << 32) }},
		{here(), "autograd: PixelUnshuffle: height and width are not multiples of the factor: [1 1 4 3]", func(g graph) { full(g, 1, 1, 4, 3).PixelUnshuffle(2) }},
	})
	checkMisuses[*autograd.ArgumentError](t, autograd.Options{}, []misuse{
		{here(), "autograd: MaxPool: strides: 0 is less than 1", func(g graph) { full(g, 1, 1, 4, 4).MaxPool(options{Kernel: []int{2}, Stride: []int{2, 0}}) }},
		{here(), "autograd: MaxPool: 0 kernel lengths for 2 spatial axes", func(g graph) { full(g, 1, 1, 4, 4).MaxPool(options{}) }},
		{here(), "autograd: MaxPool: kernel lengths: 0 is less than 1", func(g graph) { full(g, 1, 1, 4, 4).MaxPool(options{Kernel: []int{0}}) }},
		{here(), "autograd: AvgPool: 3 strides for 2 spatial axes", func(g graph) { full(g, 1, 1, 4, 4).AvgPool(options{Kernel: []int{2}, Stride: []int{1, 1, 1}}) }},
		{here(), "autograd: MaxPool: dilations: -1 is less than 1", func(g graph) { full(g, 1, 1, 4, 4).MaxPool(options{Kernel: []int{2}, Dilation: []int{-1}}) }},
		{here(), "autograd: AvgPool: the windows of a mean have no dilation", func(g graph) { full(g, 1, 1, 4, 4).AvgPool(options{Kernel: []int{2}, Dilation: []int{2}}) }},
		{here(), "autograd: MaxPool: padding [2 0]: neither may be negative, nor more than half of a window of length 3", func(g graph) { full(g, 1, 1, 4, 4).MaxPool(options{Kernel: []int{3}, Padding: [][2]int{{2, 0}}}) }},
		{here(), "autograd: AvgPool: padding [0 -1]: neither may be negative, nor more than half of a window of length 3", func(g graph) { full(g, 1, 1, 4, 4).AvgPool(options{Kernel: []int{3}, Padding: [][2]int{{0, -1}}}) }},
		{here(), "autograd: AvgPool: 3 pairs of padding for 2 spatial axes", func(g graph) { full(g, 1, 1, 4, 4).AvgPool(options{Kernel: []int{3}, Padding: make([][2]int, 3)}) }},
		{here(), "autograd: AdaptiveAvgPool: sizes: 0 is less than 1", func(g graph) { full(g, 1, 1, 4, 4).AdaptiveAvgPool(2, 0) }},
		{here(), "autograd: AdaptiveMaxPool: 3 sizes for 2 spatial axes", func(g graph) { full(g, 1, 1, 4, 4).AdaptiveMaxPool(1, 1, 1) }},
		{here(), "autograd: Upsample: either Scale or Size is needed", func(g graph) { full(g, 1, 1, 4, 4).Upsample(autograd.UpsampleOptions{}) }},
		{here(), "autograd: Upsample: AlignCorners means something only if Bilinear", func(g graph) { full(g, 1, 1, 4, 4).Upsample(corners) }},
		{here(), "autograd: MaxPool: kernel lengths: 16777217 is more than 16777216", func(g graph) { full(g, 1, 1, 4, 4).MaxPool(options{Kernel: []int{1<<24 + 1}}) }},
		{here(), "autograd: MaxPool: strides: 9223372036854775807 is more than 16777216", func(g graph) { full(g, 1, 1, 4, 4).MaxPool(options{Kernel: []int{2}, Stride: []int{math.MaxInt}}) }},
		{here(), "autograd: MaxPool: dilations: 4611686018427387904 is more than 16777216", func(g graph) { full(g, 1, 1, 4, 4).MaxPool(options{Kernel: []int{5}, Dilation: []int{1 << 62}}) }},
		{here(), "autograd: AdaptiveAvgPool: sizes: 9223372036854775807 is more than 16777216", func(g graph) { full(g, 0, 1, 4, 4).AdaptiveAvgPool(math.MaxInt) }},
		{here(), "autograd: Upsample: scales: 0 is less than 1", func(g graph) { full(g, 1, 1, 4, 4).Upsample(autograd.UpsampleOptions{Scale: []int{0}}) }},
		{here(), "autograd: PixelShuffle: a factor of 0", func(g graph) { full(g, 1, 4, 2, 2).PixelShuffle(0) }},
	})
}

func TestPoolingAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	type value = autograd.Value
	w := autograd.NewParam("w", autograd.Ones(2, 4, 6, 4))
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		for name, f := range map[string]func(x value) value{
			"max": func(x value) value {
				return x.MaxPool(autograd.PoolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 1}}})
			},
			"avg": func(x value) value {
				return x.AvgPool(autograd.PoolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 1}}, Ceil: true})
			},
			"adaptive max": func(x value) value { return x.AdaptiveMaxPool(2, 3) },
			"adaptive avg": func(x value) value { return x.AdaptiveAvgPool(2) },
			"global max":   value.GlobalMaxPool,
			"global avg":   value.GlobalAvgPool,
			"nearest":      func(x value) value { return x.Upsample(autograd.UpsampleOptions{Scale: []int{2}}) },
			"bilinear": func(x value) value {
				return x.Upsample(autograd.UpsampleOptions{Size: []int{9, 5}, Bilinear: true})
			},
			"twice as large": func(x value) value {
				return x.Upsample(autograd.UpsampleOptions{Scale: []int{2}, Bilinear: true})
			},
			"shuffle":   func(x value) value { return x.PixelShuffle(2) },
			"unshuffle": func(x value) value { return x.PixelUnshuffle(2) },
		} {
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			step := func() {
				g.Reset()
				f(g.Param(w)).Mean().Backward().OfParam(w)
			}
			for range 4 {
				step()
			}
			if n := testing.AllocsPerRun(20, step); n > 0 {
				t.Errorf("%s in %v: %v allocations in a step", name, precision, n)
			}
		}
	}
}

// The workers share the planes of large inputs; the bits do not depend on how
// many there are.
func TestPoolingOnAnyNumberOfCores(t *testing.T) {
	x := formula([]int{5, 3, 64, 67}, 37, 1009, 7).tensor()
	f := func(cores int, precision autograd.Precision) []float64 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		g := autograd.NewGraph(autograd.Options{Precision: precision})
		v := g.Variable(x)
		up := autograd.UpsampleOptions{Scale: []int{2}, Bilinear: true}
		pool := autograd.PoolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 1}}}
		y := v.MaxPool(pool).Add(v.AvgPool(pool)).Upsample(up).AdaptiveAvgPool(9, 8).Square().Mean()
		return append(y.Backward().Of(v).Float64s(), y.Item())
	}
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		want := f(1, precision)
		for _, cores := range []int{2, 3} {
			if got := f(cores, precision); !slices.Equal(want, got) {
				t.Errorf("in %v the bits on %d cores differ from those on one", precision, cores)
			}
		}
	}
}

func ExampleValue_MaxPool() {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.FromNested([][]float64{{1, 2, 0, 1}, {5, 3, 1, 4}}))
	y := x.Reshape(1, 1, 2, 4).MaxPool(autograd.PoolOptions{Kernel: []int{2}})
	fmt.Println(y.Tensor().Float64s())
	fmt.Println(y.Sum().Backward().Of(x).Float64s())
	// Output:
	// [5 4]
	// [0 0 0 0 1 0 0 1]
}

// Grad may be asked for the gradient of a constant, for which nothing needed a
// gradient when it was pooled.
func TestMaxPoolGradientOfAConstant(t *testing.T) {
	for _, o := range []autograd.PoolOptions{{Kernel: []int{2}}, {Kernel: []int{1, 3}}} {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Constant(autograd.Arange(0, 12, 1).Reshape(1, 1, 2, 6))
		gx := autograd.Grad(x.Square().MaxPool(o).Sum(), x)[0].Tensor()
		want := autograd.Zeros(1, 1, 2, 6)
		for i := range 12 {
			if last := o.Kernel[len(o.Kernel)-1]; i%last == last-1 && (i >= 6 || o.Kernel[0] == 1) {
				want.Raw64()[i] = float64(2 * i)
			}
		}
		if !gx.Equal(want) {
			t.Errorf("%v: got %v, want %v", o.Kernel, gx, want)
		}
	}
}
