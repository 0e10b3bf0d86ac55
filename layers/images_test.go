package layers_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/layers"
)

// An imageLayer is a layer for images, the shape of an input for it, and the
// name of its case in testdata/images.json.
type imageLayer struct {
	torch string
	layer layers.Layer
	shape []int
}

func imageLayers() []imageLayer {
	rng := seeded(1)
	pair := func(n int) [][2]int { return [][2]int{{n, n}} }
	same := layers.ConvOptions{Padding: pair(1)}
	sameNoBias := layers.ConvOptions{Padding: pair(1), NoBias: true}
	noBias := layers.ConvOptions{Stride: []int{2}, NoBias: true}
	overlapping := autograd.PoolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: pair(1)}
	inMax, inAvg := overlapping, overlapping
	inMax.Ceil, inAvg.ExcludePadding = true, true
	return []imageLayer{
		{"conv1d", layers.NewConv1DWith(rng, 2, 3, 3, layers.ConvOptions{Stride: []int{2}, Padding: pair(1)}), []int{2, 2, 7}},
		{"conv2d", layers.NewConv2D(rng, 2, 3, 3), []int{2, 2, 5, 4}},
		{"conv2d groups, dilation", layers.NewConv2DWith(rng, 4, 6, 2, layers.ConvOptions{Groups: 2, Dilation: []int{2}, NoBias: true}), []int{1, 4, 5, 5}},
		{"conv2d kernel 1 by 3", layers.NewConv2DWith(rng, 2, 2, 0, layers.ConvOptions{Kernel: []int{1, 3}, Stride: []int{1, 2}, Padding: [][2]int{{0, 0}, {1, 1}}}), []int{1, 2, 3, 5}},
		{"conv2d same", layers.NewConv2DWith(rng, 2, 2, 4, layers.ConvOptions{Same: true}), []int{1, 2, 5, 5}},
		{"conv3d", layers.NewConv3D(rng, 1, 2, 2), []int{1, 1, 3, 2, 3}},
		{"convtranspose1d", layers.NewConvTranspose1DWith(rng, 2, 3, 3, layers.ConvTransposeOptions{Stride: []int{2}, Padding: pair(1), OutputPadding: []int{1}}), []int{2, 2, 4}},
		{"convtranspose2d", layers.NewConvTranspose2DWith(rng, 2, 3, 2, layers.ConvTransposeOptions{Stride: []int{2}}), []int{1, 2, 3, 3}},
		{"convtranspose2d groups, dilation", layers.NewConvTranspose2DWith(rng, 4, 2, 2, layers.ConvTransposeOptions{Groups: 2, Dilation: []int{2}, NoBias: true}), []int{1, 4, 3, 2}},
		{"convtranspose3d", layers.NewConvTranspose3D(rng, 1, 2, 2), []int{1, 1, 2, 2, 2}},
		{"maxpool1d", layers.MaxPool1D(2), []int{1, 2, 7}},
		{"maxpool2d", layers.MaxPool2D(2), []int{2, 2, 5, 4}},
		{"maxpool2d overlapping", layers.MaxPool2DWith(inMax), []int{1, 2, 6, 5}},
		{"maxpool3d", layers.MaxPool3D(2), []int{1, 1, 4, 2, 3}},
		{"avgpool1d", layers.AvgPool1D(3), []int{1, 2, 7}},
		{"avgpool2d", layers.AvgPool2D(2), []int{2, 2, 5, 4}},
		{"avgpool2d overlapping", layers.AvgPool2DWith(inAvg), []int{1, 2, 6, 5}},
		{"avgpool3d", layers.AvgPool3D(2), []int{1, 1, 4, 2, 3}},
		{"globalavgpool", layers.GlobalAvgPool(), []int{2, 3, 2, 3}},
		{"globalmaxpool", layers.GlobalMaxPool(), []int{2, 3, 2, 3}},
		{"upsample nearest", layers.Upsample(autograd.UpsampleOptions{Scale: []int{2}}), []int{1, 2, 2, 3}},
		{"upsample bilinear", layers.Upsample(autograd.UpsampleOptions{Size: []int{5, 4}, Bilinear: true}), []int{1, 2, 2, 3}},
		{"pixelshuffle", layers.PixelShuffle(2), []int{1, 8, 2, 1}},
		{"pixelunshuffle", layers.PixelUnshuffle(2), []int{1, 2, 2, 4}},
		{"residual", layers.NewResidual(layers.NewConv2DWith(rng, 2, 2, 3, same), layers.Tanh(), layers.NewConv2DWith(rng, 2, 2, 3, same)), []int{1, 2, 3, 3}},
		{"residual, shortcut", layers.NewResidualWith(
			layers.ResidualOptions{Shortcut: layers.NewConv2DWith(rng, 2, 3, 1, noBias)},
			layers.NewConv2DWith(rng, 2, 3, 3, layers.ConvOptions{Stride: []int{2}, Padding: pair(1)}), layers.Tanh(), layers.NewConv2DWith(rng, 3, 3, 3, same),
		), []int{1, 2, 4, 4}},
		{"residual, batch norm", layers.NewResidual(
			layers.NewConv2DWith(rng, 2, 2, 3, sameNoBias), layers.NewBatchNorm(2), layers.ReLU(),
			layers.NewConv2DWith(rng, 2, 2, 3, sameNoBias), layers.NewBatchNorm(2),
		), []int{2, 2, 3, 3}},
	}
}

// wave is what testdata/images.py fills tensors with.
func wave(j int, shape ...int) autograd.Tensor {
	t := autograd.Zeros(shape...)
	for i, all := 0, t.Raw64(); i < len(all); i++ {
		all[i] = math.Sin(float64(i+1) + 0.37*float64(j))
	}
	return t
}

func TestImageLayersAgainstPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/images.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct {
			Name      string
			Input     []int
			Output    tensorJSON
			Gradients []tensorJSON
		}
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	all := imageLayers()
	if len(vectors.Cases) != len(all) {
		t.Fatalf("%d cases for %d layers", len(vectors.Cases), len(all))
	}
	for i, c := range vectors.Cases {
		row := all[i]
		if diff := cmp.Diff(c.Name, row.torch) + cmp.Diff(c.Input, row.shape); diff != "" {
			t.Fatal(diff)
		}
		params, _ := trained(row.layer)
		for j, p := range params {
			p.Set(wave(j+1, p.Shape()...))
		}
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(wave(0, row.shape...))
		y := row.layer.Forward(x)
		if diff := diffTensor(y.Tensor(), c.Output.Shape, c.Output.Data); diff != "" {
			t.Errorf("%s: %s", c.Name, diff)
			continue
		}
		grads := y.BackwardFrom(wave(100, y.Shape()...))
		got := []autograd.Tensor{grads.Of(x)}
		for _, p := range params {
			got = append(got, grads.OfParam(p))
		}
		if len(got) != len(c.Gradients) {
			t.Fatalf("%s: %d gradients, want %d", c.Name, len(got), len(c.Gradients))
		}
		for j, want := range c.Gradients {
			if diff := diffTensor(got[j], want.Shape, want.Data); diff != "" {
				t.Errorf("%s, gradient %d: %s", c.Name, j, diff)
			}
		}
	}
}

func TestGradientsOfImageLayers(t *testing.T) {
	for _, row := range imageLayers() {
		f := func(_ *autograd.Graph, in []autograd.Value) autograd.Value { return row.layer.Forward(in[0]) }
		x := []autograd.Tensor{wave(0, row.shape...)}
		params, _ := trained(row.layer)
		if err := gradcheck.Check(f, x, params...); err != nil {
			t.Errorf("%s: %v", row.torch, err)
		}
		if err := gradcheck.CheckSecond(f, x, params...); err != nil {
			t.Errorf("%s: %v", row.torch, err)
		}
	}
}

// A batch of no images gives none, and gradients of zero for the Params. Only
// running statistics have nothing to observe in it.
func TestImageLayersOfAnEmptyBatch(t *testing.T) {
	for _, row := range imageLayers() {
		if _, statistics := trained(row.layer); len(statistics) > 0 {
			mustFault[*autograd.ShapeError](t, func() {
				row.layer.Forward(autograd.NewGraph(autograd.Options{}).Full(0, append([]int{0}, row.shape[1:]...)...))
			}, `layers: BatchNorm "batchnorm1"`)
			continue
		}
		g := autograd.NewGraph(autograd.Options{})
		y := row.layer.Forward(g.Full(0, append([]int{0}, row.shape[1:]...)...))
		if y.Dim(0) != 0 {
			t.Errorf("%s made %v of no images", row.torch, y.Shape())
		}
		if len(row.layer.Params()) == 0 {
			continue
		}
		grads := y.Sum().Backward()
		for _, p := range row.layer.Params() {
			for _, v := range grads.OfParam(p).Float64s() {
				if v != 0 {
					t.Fatalf("%s has the gradient %v without images", p.Name(), v)
				}
			}
		}
	}
}

// Each says which layer it is, what it was given and what it needs.
func TestImageLayersOfOtherShapes(t *testing.T) {
	rng := seeded(1)
	for _, row := range []struct {
		layer layers.Layer
		shape []int
		parts []string
	}{
		{layers.NewConv2D(rng, 3, 8, 5), []int{2, 4, 9, 9}, []string{`layers: Conv "conv1": the input must have 3 channels along axis 1: [2 4 9 9], [8 3 5 5]`}},
		{layers.NewConv2D(rng, 3, 8, 5), []int{3, 9, 9}, []string{`layers: Conv "conv1": the input must be [batch, channels, height, width]: [3 9 9]`}},
		{layers.NewConv2DWith(rng, 4, 8, 3, layers.ConvOptions{Groups: 2}), []int{1, 2, 9, 9}, []string{"must have 4 channels", "[8 2 3 3]"}},
		{layers.NewConv2D(rng, 3, 8, 5), []int{2, 3, 4, 9}, []string{`layers: Conv "conv1": the kernel is larger than`, "[2 3 4 9]", "[8 3 5 5]"}},
		{layers.NewConv1D(rng, 3, 8, 5), []int{2, 3, 4, 9}, []string{"[batch, channels, length]: [2 3 4 9]"}},
		{layers.NewConv3D(rng, 3, 8, 5), []int{2, 3, 4, 9}, []string{"[batch, channels, depth, height, width]: [2 3 4 9]"}},
		{layers.NewConvTranspose2D(rng, 3, 8, 5), []int{2, 8, 4, 9}, []string{`layers: ConvTranspose "convtranspose1": the input must have 3 channels along axis 1: [2 8 4 9], [3 8 5 5]`}},
		{layers.MaxPool2D(5), []int{2, 8, 4, 9}, []string{`layers: MaxPool2D "maxpool1": `, "[2 8 4 9]"}},
		{layers.AvgPool1D(5), []int{2, 8, 4, 9}, []string{`layers: AvgPool1D "avgpool1": the input must be [batch, channels, length]: [2 8 4 9]`}},
		{layers.GlobalAvgPool(), []int{2, 8}, []string{`layers: GlobalAvgPool "globalavgpool1": `, "[2 8]"}},
		{layers.GlobalMaxPool(), []int{2, 8, 0, 3}, []string{`layers: GlobalMaxPool "globalmaxpool1": `, "[2 8 0 3]"}},
		{layers.PixelShuffle(2), []int{2, 6, 3, 3}, []string{`layers: PixelShuffle "pixelshuffle1": `, "[2 6 3 3]"}},
		{layers.Upsample(autograd.UpsampleOptions{Scale: []int{2}}), []int{2, 6}, []string{`layers: Upsample "upsample1": `, "[2 6]"}},
	} {
		model := layers.NewSequential(row.layer)
		mustFault[*autograd.ShapeError](t, func() { forward(model, autograd.Ones(row.shape...)) }, row.parts...)
	}
}

// What makes no sense is refused where it stands, before there is an input.
func TestImageLayersMisuse(t *testing.T) {
	rng := seeded(1)
	for _, row := range []struct {
		parts []string
		f     func()
	}{
		{[]string{"layers: Conv2D: 0 channels to 8"}, func() { layers.NewConv2D(rng, 0, 8, 3) }},
		{[]string{"layers: Conv2D: 3 channels to -1"}, func() { layers.NewConv2D(rng, 3, -1, 3) }},
		{[]string{"layers: Conv1D: 3 channels to 8 with a kernel [0]"}, func() { layers.NewConv1D(rng, 3, 8, 0) }},
		{[]string{"layers: Conv2D: 3 channels to 8 with a kernel [1 3 3]: there must be 2 lengths"}, func() {
			layers.NewConv2DWith(rng, 3, 8, 0, layers.ConvOptions{Kernel: []int{1, 3, 3}})
		}},
		{[]string{"layers: Conv2D: a kernel of 3 and the lengths [1 3]: give one of them"}, func() {
			layers.NewConv2DWith(rng, 3, 8, 3, layers.ConvOptions{Kernel: []int{1, 3}})
		}},
		{[]string{"layers: Conv2D: 2 groups do not divide 3 channels to 8"}, func() { layers.NewConv2DWith(rng, 3, 8, 3, layers.ConvOptions{Groups: 2}) }},
		{[]string{"layers: ConvTranspose3D: 2 groups do not divide 4 channels to 3"}, func() {
			layers.NewConvTranspose3DWith(rng, 4, 3, 3, layers.ConvTransposeOptions{Groups: 2})
		}},
		{[]string{"layers: Conv2D: -2 groups"}, func() { layers.NewConv2DWith(rng, 2, 2, 3, layers.ConvOptions{Groups: -2}) }},
		{[]string{`layers: Conv "conv": `, "stride", "0"}, func() { layers.NewConv2DWith(rng, 3, 8, 3, layers.ConvOptions{Stride: []int{0}}) }},
		{[]string{`layers: Conv "conv": `, "dilation", "-1"}, func() { layers.NewConv2DWith(rng, 3, 8, 3, layers.ConvOptions{Dilation: []int{2, -1}}) }},
		{[]string{`layers: Conv "edges": `, "padding"}, func() {
			layers.NewConv2DWith(rng, 3, 8, 3, layers.ConvOptions{Padding: [][2]int{{-1, 0}}, Name: "edges"})
		}},
		{[]string{`layers: ConvTranspose "convtranspose": `, "output padding of 1"}, func() {
			layers.NewConvTranspose1DWith(rng, 3, 8, 3, layers.ConvTransposeOptions{OutputPadding: []int{1}})
		}},
		{[]string{`layers: MaxPool2D "maxpool": `}, func() { layers.MaxPool2D(0) }},
		{[]string{`layers: Upsample "upsample": `, "either Scale or Size"}, func() { layers.Upsample(autograd.UpsampleOptions{}) }},
		{[]string{`layers: Upsample "upsample": `, "0 is less than 1"}, func() { layers.Upsample(autograd.UpsampleOptions{Size: []int{4, 4, 0}}) }},
		{[]string{"layers: PixelShuffle: ", "a factor of 0"}, func() { layers.PixelShuffle(0) }},
		{[]string{"layers: PixelUnshuffle: ", "a factor of -1"}, func() { layers.PixelUnshuffle(-1) }},
		{[]string{`layers: AvgPool3D "avgpool": `, "stride"}, func() { layers.AvgPool3DWith(autograd.PoolOptions{Kernel: []int{2}, Stride: []int{-1}}) }},
		{[]string{`layers: AvgPool2D "avgpool": `}, func() { layers.AvgPool2DWith(autograd.PoolOptions{}) }},
		{[]string{"GlorotUniform", "rng is nil"}, func() { layers.NewConv2D(nil, 3, 8, 3) }},
		{[]string{"layers: Conv: there is no Weight"}, func() { forward(&layers.Conv{}, autograd.Ones(1, 2, 3, 3)) }},
		{[]string{"layers: ConvTranspose: there is no Weight"}, func() { forward(&layers.ConvTranspose{}, autograd.Ones(1, 2, 3, 3)) }},
	} {
		mustFault[*autograd.ArgumentError](t, row.f, row.parts...)
	}
	literal := &layers.Conv{Weight: autograd.NewParam("", autograd.Ones(3, 2))}
	mustFault[*autograd.ShapeError](t, func() { forward(literal, autograd.Ones(1, 2, 3, 3)) }, `layers: Conv "conv": the weights are not [out, in/groups, kernel…]`, "[3 2]")
	literal = &layers.Conv{Weight: autograd.NewParam("", autograd.Ones(3, 2, 1, 1)), Bias: autograd.NewParam("", autograd.Ones(2))}
	mustFault[*autograd.ShapeError](t, func() { forward(literal, autograd.Ones(1, 2, 3, 3)) }, `layers: Conv "conv": `, "[2]")
}

// Padding that cuts all of a small image away is no mistake of the layer.
func TestSettingsAreTriedOnLargeImages(t *testing.T) {
	l := layers.NewConvTranspose2DWith(seeded(1), 1, 1, 1, layers.ConvTransposeOptions{Padding: [][2]int{{2, 1}}})
	if diff := diffTensor(forward(l, autograd.Ones(1, 1, 4, 5)), []int{1, 1, 1, 2}, slices.Repeat(l.Weight.Tensor().Float64s(), 2)); diff != "" {
		t.Error(diff)
	}
}

// The options' slices may change later.
func TestPoolsKeepTheirOptions(t *testing.T) {
	options := autograd.PoolOptions{Kernel: []int{2}, Stride: []int{2}}
	l := layers.MaxPool2DWith(options)
	options.Kernel[0], options.Stride[0] = 3, 3
	if got := forward(l, autograd.Ones(1, 1, 6, 6)).Shape(); got[2] != 3 {
		t.Errorf("the pool makes %v", got)
	}
}

func TestConvLiteral(t *testing.T) {
	l := &layers.Conv{Weight: autograd.NewParam("", autograd.NewTensor([]float64{1, 2, 3}, 1, 1, 3))}
	if diff := diffTensor(forward(l, autograd.NewTensor([]float64{1, 0, 0, 1}, 1, 1, 4)), []int{1, 1, 2}, []float64{1, 3}); diff != "" {
		t.Error(diff)
	}
	model := layers.NewSequential(l, &layers.ConvTranspose{Weight: autograd.NewParam("", autograd.Ones(1, 1, 3))})
	if diff := cmp.Diff([]string{"conv1.weight", "convtranspose1.weight"}, paramNames(model)); diff != "" {
		t.Error(diff)
	}
}

// Weights are drawn for the sums that they are in: with groups, and for a
// transposed convolution, whatever PyTorch counts.
func TestFansOfConvolutions(t *testing.T) {
	var got [][]int
	note := func(_ *rand.Rand, in, out int, shape ...int) autograd.Tensor {
		got = append(got, append([]int{in, out}, shape...))
		return autograd.Zeros(shape...)
	}
	layers.NewConv2DWith(nil, 4, 8, 3, layers.ConvOptions{Weights: note})
	layers.NewConv2DWith(nil, 4, 8, 0, layers.ConvOptions{Kernel: []int{1, 3}, Groups: 4, Weights: note})
	layers.NewConvTranspose1DWith(nil, 4, 8, 5, layers.ConvTransposeOptions{Weights: note})
	layers.NewConvTranspose2DWith(nil, 4, 8, 2, layers.ConvTransposeOptions{Groups: 2, Weights: note})
	want := [][]int{{36, 72, 8, 4, 3, 3}, {3, 6, 8, 1, 1, 3}, {20, 40, 4, 8, 5}, {8, 16, 4, 4, 2, 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// lenet is LeNet-5 with ReLU and max pooling, for 28 × 28 pixels.
func lenet(rng *rand.Rand) *layers.Sequential {
	return layers.NewSequential(
		layers.NewConv2DWith(rng, 1, 6, 5, layers.ConvOptions{Padding: [][2]int{{2, 2}}}), layers.ReLU(), layers.MaxPool2D(2),
		layers.NewConv2D(rng, 6, 16, 5), layers.ReLU(), layers.MaxPool2D(2),
		layers.Flatten(),
		layers.NewDense(rng, 400, 120), layers.ReLU(),
		layers.NewDense(rng, 120, 84), layers.ReLU(),
		layers.NewDense(rng, 84, 10),
	)
}

// Parameters: 6·25+6, 16·6·25+16, 400·120+120, 120·84+84, 84·10+10.
// Multiply-adds: 28·28·6·25, 10·10·16·6·25, 400·120, 120·84, 84·10.
func TestSummaryOfLeNet(t *testing.T) {
	const want = `
layer     output        parameters  multiply-adds
conv1     [1 6 28 28]          156        117,600
relu1     [1 6 28 28]            0              0
maxpool1  [1 6 14 14]            0              0
conv2     [1 16 10 10]       2,416        240,000
relu2     [1 16 10 10]           0              0
maxpool2  [1 16 5 5]             0              0
flatten1  [1 400]                0              0
dense1    [1 120]           48,120         48,000
relu3     [1 120]                0              0
dense2    [1 84]            10,164         10,080
relu4     [1 84]                 0              0
dense3    [1 10]               850            840
total                       61,706        416,520
`
	if diff := cmp.Diff(want, "\n"+layers.Summary(lenet(seeded(1)), 1, 1, 28, 28)); diff != "" {
		t.Error(diff)
	}
}

// Each of the 4·3·3 inputs of a transposed convolution is multiplied by 2·5·5
// weights; each of the 6·4·4 outputs of a grouped one sums 2·3·3 products.
func TestSummaryCountsConvolutions(t *testing.T) {
	for _, row := range []struct {
		layer layers.Layer
		shape []int
		want  int
	}{
		{layers.NewConvTranspose2DWith(seeded(1), 4, 2, 5, layers.ConvTransposeOptions{Stride: []int{2}}), []int{1, 4, 3, 3}, 4 * 3 * 3 * 2 * 5 * 5},
		{layers.NewConvTranspose2DWith(seeded(1), 4, 2, 5, layers.ConvTransposeOptions{Groups: 2}), []int{1, 4, 3, 3}, 4 * 3 * 3 * 1 * 5 * 5},
		{layers.NewConv2DWith(seeded(1), 4, 6, 3, layers.ConvOptions{Groups: 2}), []int{1, 4, 6, 6}, 6 * 4 * 4 * 2 * 3 * 3},
		{layers.NewConv1D(seeded(1), 2, 3, 3), []int{7, 2, 5}, 7 * 3 * 3 * 2 * 3},
	} {
		text := strings.ReplaceAll(layers.Summary(row.layer, row.shape...), ",", "")
		if !strings.HasSuffix(text, fmt.Sprintf(" %d\n", row.want)) {
			t.Errorf("%v: want %d multiply-adds:\n%s", row.shape, row.want, text)
		}
	}
}

// A program that goes on with its slices does not change layers made of them.
func TestConvolutionsKeepTheirOptions(t *testing.T) {
	two, pad := []int{2}, [][2]int{{1, 1}}
	conv := layers.NewConv2DWith(seeded(1), 1, 1, 3, layers.ConvOptions{Stride: two, Dilation: two, Padding: pad})
	transposed := layers.NewConvTranspose2DWith(seeded(1), 1, 1, 3, layers.ConvTransposeOptions{Stride: two, Dilation: two, OutputPadding: []int{0}, Padding: pad})
	two[0], pad[0] = 1, [2]int{0, 0}
	x := autograd.Ones(1, 1, 9, 9)
	if got, want := forward(conv, x).Shape(), []int{1, 1, 4, 4}; !slices.Equal(got, want) {
		t.Errorf("convolution: %v, want %v", got, want)
	}
	if got, want := forward(transposed, x).Shape(), []int{1, 1, 19, 19}; !slices.Equal(got, want) {
		t.Errorf("transposed: %v, want %v", got, want)
	}
}
