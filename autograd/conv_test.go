package autograd_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

// A convCase is a convolution, or an operation related to it, as PyTorch
// computes it: see testdata/conv.py.
type convCase struct {
	torchCase
	Kernel, Sizes          []int
	Stride, Dilation, More []int
	Padding                []int
	Groups                 int
}

func (c convCase) pairs() (pairs [][2]int) {
	for _, p := range c.Padding {
		pairs = append(pairs, [2]int{p, p})
	}
	return pairs
}

func (c convCase) compute(_ torchCase, in []autograd.Value) autograd.Value {
	g := geometry{stride: c.Stride, dilation: c.Dilation, padding: c.pairs(), more: c.More, groups: c.Groups}
	o := autograd.UnfoldOptions{Kernel: c.Kernel, Stride: c.Stride, Padding: c.pairs(), Dilation: c.Dilation}
	switch c.Op {
	case "conv":
		return g.conv(in...)
	case "conv transpose":
		return g.transpose(in...)
	case "unfold":
		return in[0].Unfold(o)
	}
	return in[0].Fold(o, c.Sizes...)
}

func TestConvTorchVectors(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "conv.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []convCase }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 15 {
		t.Fatalf("only %d cases were read", len(file.Cases))
	}
	for i, c := range file.Cases {
		t.Run(fmt.Sprintf("%02d_%s", i, c.Op), func(t *testing.T) { c.checkWith(t, c.compute) })
	}
}

func TestConvMisuse(t *testing.T) {
	type (
		value      = autograd.Value
		g          = *autograd.Graph
		options    = autograd.ConvOptions
		transposed = autograd.ConvTransposeOptions
		pairs      = [][2]int
	)
	in := func(g g, shape []int) value { return g.Constant(autograd.Ones(shape...)) }
	x, w, up := []int{2, 4, 5, 6}, []int{6, 4, 3, 3}, []int{4, 2, 3, 3}
	low := []int{2, 4, 1, 6}
	checkMisuses[*autograd.ShapeError](t, autograd.Options{}, []misuse{
		{here(), "autograd: Conv: images have 3 to 5 axes: batch, channels and 1 to 3 spatial ones: [2 4] by [6 4 3 3]", func(g g) { in(g, []int{2, 4}).Conv(in(g, w), options{}) }},
		{here(), "autograd: Conv: the weights need as many axes as the images: [2 4 5] by [6 4 3 3]", func(g g) { in(g, []int{2, 4, 5}).Conv(in(g, w), options{}) }},
		{here(), "autograd: Conv: the image's channels are not those of the weights: [2 3 5 6] by [6 4 3 3]", func(g g) { in(g, []int{2, 3, 5, 6}).Conv(in(g, w), options{}) }},
		{here(), "autograd: Conv: the image's channels are not those of the weights in 2 groups: [2 4 5 6] by [6 4 3 3]", func(g g) { in(g, x).Conv(in(g, w), options{Groups: 2}) }},
		{here(), "autograd: Conv: 4 groups do not divide the output channels: [2 4 5 6] by [6 1 3 3]", func(g g) { in(g, x).Conv(in(g, []int{6, 1, 3, 3}), options{Groups: 4}) }},
		{here(), "autograd: Conv: the kernel is larger than the padded image: [2 4 5 6] by [6 4 7 3]", func(g g) { in(g, x).Conv(in(g, []int{6, 4, 7, 3}), options{}) }},
		{here(), "autograd: Conv: the kernel is larger than the padded image: [2 4 5 6] by [6 4 3 3]", func(g g) { in(g, x).Conv(in(g, w), options{Dilation: []int{3, 1}, Padding: pairs{{0, 1}}}) }},
		{here(), "autograd: Conv: an empty kernel: [2 4 5 6] by [6 4 0 3]", func(g g) { in(g, x).Conv(in(g, []int{6, 4, 0, 3}), options{}) }},
		{here(), "autograd: Conv: a bias has one axis, of 6 channels: [6 1]", func(g g) { in(g, x).Conv(in(g, w), options{Bias: g.Full(1, 6, 1)}) }},
		{here(), "autograd: ConvTranspose: the image's channels are not those of the weights: [2 4 5 6] by [6 4 3 3]", func(g g) { in(g, x).ConvTranspose(in(g, w), transposed{}) }},
		{here(), "autograd: ConvTranspose: 3 groups do not divide the input channels: [2 4 5 6] by [4 2 3 3]", func(g g) { in(g, x).ConvTranspose(in(g, up), transposed{Groups: 3}) }},
		{here(), "autograd: ConvTranspose: nothing is left of an axis: [2 4 1 6] by [4 2 3 3]", func(g g) { in(g, low).ConvTranspose(in(g, up), transposed{Padding: pairs{{2, 1}}}) }},
		{here(), "autograd: ConvTranspose: a bias has one axis, of 2 channels: [4]", func(g g) { in(g, x).ConvTranspose(in(g, up), transposed{Bias: g.Full(1, 4)}) }},
		{here(), "autograd: Unfold: images have 3 to 5 axes: batch, channels and 1 to 3 spatial ones: [4]", func(g g) { g.Full(1, 4).Unfold(autograd.UnfoldOptions{Kernel: []int{2}}) }},
		{here(), "autograd: Unfold: the kernel is larger than the padded image: [1 1 4]", func(g g) { g.Full(1, 1, 1, 4).Unfold(autograd.UnfoldOptions{Kernel: []int{5}}) }},
		{here(), "autograd: Fold: the rows are no multiple of the kernel, or there are not as many windows as places: [1 4 8] to [3 3]", func(g g) { g.Full(1, 1, 4, 8).Fold(autograd.UnfoldOptions{Kernel: []int{2}}, 3, 3) }},
	})
	checkMisuses[*autograd.ArgumentError](t, autograd.Options{}, []misuse{
		{here(), "autograd: Conv: a stride of 0", func(g g) { in(g, x).Conv(in(g, w), options{Stride: []int{1, 0}}) }},
		{here(), "autograd: Conv: a dilation of -1", func(g g) { in(g, x).Conv(in(g, w), options{Dilation: []int{-1}}) }},
		{here(), "autograd: Conv: a padding of -1", func(g g) { in(g, x).Conv(in(g, w), options{Padding: pairs{{0, -1}}}) }},
		{here(), "autograd: Conv: a padding of 4611686018427387904", func(g g) { in(g, x).Conv(in(g, w), options{Padding: pairs{{0, 1 << 62}}}) }},
		{here(), "autograd: Conv: 3 numbers for the stride of 2 spatial axes", func(g g) { in(g, x).Conv(in(g, w), options{Stride: []int{1, 1, 1}}) }},
		{here(), "autograd: Conv: 0 pairs for the padding of 2 spatial axes", func(g g) { in(g, x).Conv(in(g, w), options{Padding: pairs{}}) }},
		{here(), "autograd: Conv: both Same and Padding", func(g g) { in(g, x).Conv(in(g, w), options{Same: true, Padding: pairs{{1, 1}}}) }},
		{here(), "autograd: Conv: -2 groups", func(g g) { in(g, x).Conv(in(g, w), options{Groups: -2}) }},
		{here(), "autograd: ConvTranspose: an output padding of 2, not less than stride 2 or dilation 1", func(g g) { in(g, x).ConvTranspose(in(g, up), transposed{Stride: []int{2}, OutputPadding: []int{2}}) }},
		{here(), "autograd: Unfold: no Kernel", func(g g) { g.Full(1, 1, 1, 4).Unfold(autograd.UnfoldOptions{}) }},
		{here(), "autograd: Unfold: a kernel of 0", func(g g) { g.Full(1, 1, 1, 4).Unfold(autograd.UnfoldOptions{Kernel: []int{0}}) }},
	})
	other := func(shape []int) value { return autograd.NewGraph(autograd.Options{}).Full(1, shape...) }
	checkMisuses[*autograd.GraphError](t, autograd.Options{}, []misuse{
		{here(), "autograd: Conv: operands belong to different graphs", func(g g) { g.Full(1, x...).Conv(other(w), options{}) }},
		{here(), "autograd: Conv: operands belong to different graphs", func(g g) { in(g, x).Conv(in(g, w), options{Bias: other([]int{6})}) }},
	})
}

// A NaN pixel reaches the windows that contain it, and no others; its gradient
// by the weights is NaN for those that meet it.
func TestConvSpreadsNaN(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	pixels := make([]float64, 2*3*4)
	pixels[4] = nan // image 0, row 1, column 0
	x, w := g.Variable(autograd.NewTensor(pixels, 2, 1, 3, 4)), g.Variable(autograd.Ones(1, 1, 2, 2))
	y := x.Conv(w, autograd.ConvOptions{})
	wantNumbers(t, "value", y.Tensor().Float64s(), []float64{nan, 0, 0, nan, 0, 0, 0, 0, 0, 0, 0, 0}, 0)
	grads := y.Sum().Backward()
	wantNumbers(t, "gradient of the weights", grads.Of(w).Float64s(), []float64{nan, 0, nan, 0}, 0)
	wantNumbers(t, "gradient of the image", grads.Of(x).Float64s()[:12], []float64{1, 2, 2, 1, 2, 4, 4, 2, 1, 2, 2, 1}, 0)
}

// A batch of 0 gives zero gradients of the full shape.
func TestConvOfNoImages(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	w, b := g.Variable(autograd.Ones(2, 3, 3, 3)), g.Variable(autograd.Ones(2))
	y := g.Constant(autograd.Zeros(0, 3, 5, 5)).Conv(w, autograd.ConvOptions{Bias: b, Same: true})
	wantShape(t, "value", y.Shape(), 0, 2, 5, 5)
	grads := y.Sum().Backward()
	wantNumbers(t, "gradient of the weights", grads.Of(w).Float64s(), make([]float64, 54), 0)
	wantNumbers(t, "gradient of the bias", grads.Of(b).Float64s(), make([]float64, 2), 0)
}

// The bits of a convolution and its gradients are the same for any number of
// cores.
func TestConvBitsOnAnyCores(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		rng := rand.New(rand.NewPCG(9, 10))
		in := []autograd.Tensor{
			autograd.Normal(rng, 0, 1, 9, 6, 17, 19), autograd.Normal(rng, 0, 1, 20, 6, 3, 3), autograd.Normal(rng, 0, 1, 20),
			autograd.Normal(rng, 0, 1, 9, 20, 17, 19),
		}
		var want [][]float64
		for _, cores := range []int{1, 2, 4} {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			x, w, b := g.Variable(in[0]), g.Variable(in[1]), g.Variable(in[2])
			y := x.Conv(w, autograd.ConvOptions{Bias: b, Same: true})
			grads := y.BackwardFrom(in[3])
			got := [][]float64{y.Tensor().Float64s(), grads.Of(x).Float64s(), grads.Of(w).Float64s(), grads.Of(b).Float64s()}
			if want == nil {
				want = got
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v on %d cores (-on one):\n%s", precision, cores, diff)
			}
		}
	}
}

// steadyConv are the rows of the family for TestOperationsAllocateNothing, of a
// 4×3 matrix.
var steadyConv = map[string]func(x autograd.Value) autograd.Value{
	"conv": func(x autograd.Value) autograd.Value {
		return x.Reshape(1, 2, 2, 3).Conv(x.Reshape(2, 2, 1, 3), autograd.ConvOptions{Bias: x.Slice(1, 0, 1, 1).Slice(0, 0, 2, 1).Flatten(0, -1), Same: true})
	},
	"convstride": func(x autograd.Value) autograd.Value {
		return x.Reshape(1, 2, 6).Conv(x.Reshape(2, 2, 3), autograd.ConvOptions{Stride: steadyStride, Padding: steadyPadding})
	},
	"convtranspose": func(x autograd.Value) autograd.Value {
		return x.Reshape(1, 2, 6).ConvTranspose(x.Reshape(2, 2, 3), autograd.ConvTransposeOptions{Stride: steadyStride})
	},
	"unfold": func(x autograd.Value) autograd.Value {
		return x.Reshape(1, 1, 4, 3).Unfold(autograd.UnfoldOptions{Kernel: steadyStride, Padding: steadyPadding})
	},
	"fold": func(x autograd.Value) autograd.Value {
		return x.Reshape(1, 4, 3).Fold(autograd.UnfoldOptions{Kernel: steadyStride}, 2, 4)
	},
}

var (
	steadyStride  = []int{2}
	steadyPadding = [][2]int{{1, 1}}
)
