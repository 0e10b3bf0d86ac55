package images_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data/images"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/train"
)

// All 256 bytes come back from a file as they were: grey, colours, opacity.
func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	for channels, size := range map[int][2]int{1: {16, 16}, 3: {16, 48}, 4: {8, 32}} {
		want := autograd.NewTensor32(make([]float32, channels*size[0]*size[1]), channels, size[0], size[1])
		for i := range want.Raw32() {
			want.Raw32()[i] = float32(i*7%256) / 255
		}
		path := filepath.Join(dir, "image.png")
		if err := images.WriteFile(path, images.ToImage(want)); err != nil {
			t.Fatal(err)
		}
		got, err := images.ReadFileWith(path, images.ReadOptions{Channels: channels})
		if err != nil {
			t.Fatal(err)
		}
		if !got.Equal(want) {
			t.Errorf("%d channels came back as other numbers", channels)
		}
		same, err := images.ReadFile(path)
		if want := min(channels, 3); err != nil || same.Dim(0) != want {
			t.Errorf("%d channels by default, want %d, %v", same.Dim(0), want, err)
		}
	}
}

// A channel comes after the other, rows from the top.
func TestLayout(t *testing.T) {
	img := image.NewRGBA(image.Rect(5, 7, 7, 8)) // which does not begin at 0
	img.SetRGBA(5, 7, color.RGBA{255, 0, 51, 255})
	img.SetRGBA(6, 7, color.RGBA{0, 102, 153, 255})
	got := images.FromImage(img, 3)
	if diff := cmp.Diff([]int{3, 1, 2}, got.Shape()); diff != "" {
		t.Errorf("shape (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float32{1, 0, 0, 0.4, 0.2, 0.6}, got.Raw32()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	gray := images.FromImage(img, 1)
	if want := 0.299 + 0.114*0.2; math.Abs(gray.At(0, 0, 0)-want) > 1e-7 {
		t.Errorf("grey %v, want %v", gray.At(0, 0, 0), want)
	}
}

// Half-opaque white is grey over black; four channels keep both.
func TestOpacity(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	img.SetNRGBA(0, 0, color.NRGBA{255, 255, 255, 51})
	if got := images.FromImage(img, 1).Item(); math.Abs(got-0.2) > 1e-4 {
		t.Errorf("over black %v, want 0.2", got)
	}
	if diff := cmp.Diff([]float32{1, 1, 1, 0.2}, images.FromImage(img, 4).Raw32()); diff != "" {
		t.Errorf("four channels (-want +got):\n%s", diff)
	}
	deep := image.NewRGBA64(image.Rect(0, 0, 1, 1))
	deep.SetRGBA64(0, 0, color.RGBA64{R: 13107, A: 26214}) // 0.2 of an opacity of 0.4
	if got := images.FromImage(deep, 4); math.Abs(got.At(0, 0, 0)-0.5) > 1e-4 || math.Abs(got.At(3, 0, 0)-0.4) > 1e-6 {
		t.Errorf("four channels of 16 bits: %v", got)
	}
}

// 16 bits are not cut to 8.
func TestSixteenBits(t *testing.T) {
	img := image.NewGray16(image.Rect(0, 0, 1, 1))
	img.SetGray16(0, 0, color.Gray16{12345})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	got, err := images.Decode(&b, images.ReadOptions{})
	if want := float64(float32(12345. / 65535)); err != nil || got.Item() != want {
		t.Errorf("%v, want %v, %v", got, want, err)
	}
}

func TestJPEG(t *testing.T) {
	smooth := autograd.Zeros(3, 32, 32)
	for i := range smooth.Raw64() {
		smooth.Raw64()[i] = float64(i%32+i/32%32) / 62
	}
	path := filepath.Join(t.TempDir(), "smooth.JPG")
	if err := images.WriteFile(path, images.ToImage(smooth)); err != nil {
		t.Fatal(err)
	}
	got, err := images.ReadFile(path)
	if err != nil || !got.In(autograd.Float64).EqualWithin(smooth, 0.03) {
		t.Errorf("%v, or the numbers differ by more than 0.03", err)
	}
}

func TestToImage(t *testing.T) {
	x := autograd.NewTensor([]float64{-1, 0, 0.5, 1, 2, math.Inf(1)}, 1, 2, 3)
	gray, ok := images.ToImage(x).(*image.Gray)
	if !ok || !bytes.Equal(gray.Pix, []byte{0, 0, 128, 255, 255, 255}) {
		t.Errorf("%v", images.ToImage(x))
	}
	x = autograd.NewTensor([]float64{-2, math.NaN(), 1, math.Inf(-1)}, 2, 2)
	colors := func(scale images.Scale) (all []color.NRGBA) {
		img := images.ToImageWith(x, scale)
		for i := range 4 {
			all = append(all, color.NRGBAModel.Convert(img.At(i%2, i/2)).(color.NRGBA))
		}
		return all
	}
	magenta, black, white := color.NRGBA{255, 0, 255, 255}, color.NRGBA{0, 0, 0, 255}, color.NRGBA{255, 255, 255, 255}
	for scale, want := range map[images.Scale][]color.NRGBA{
		images.Unit:   {black, magenta, white, black},
		images.Spread: {black, magenta, white, black},
		// 1 of 2 is halfway from white to red
		images.Diverging: {{33, 102, 172, 255}, magenta, {217, 140, 149, 255}, {33, 102, 172, 255}},
	} {
		if diff := cmp.Diff(want, colors(scale)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", scale, diff)
		}
	}
}

// What has no range still has a picture, and so do numbers whose range is
// beyond float64.
func TestScaleEdges(t *testing.T) {
	for name, test := range map[string]struct {
		values []float64
		scale  images.Scale
		want   []uint8 // red
	}{
		"equal":       {[]float64{3, 3}, images.Spread, []uint8{128, 128}},
		"zeros":       {[]float64{0, 0}, images.Diverging, []uint8{255, 255}},
		"no finite":   {[]float64{math.Inf(1), math.Inf(-1)}, images.Spread, []uint8{255, 0}},
		"beyond":      {[]float64{-1.5e308, 1.5e308}, images.Spread, []uint8{0, 255}},
		"far beyond":  {[]float64{-1.5e308, 1.5e308}, images.Diverging, []uint8{33, 178}},
		"tiny":        {[]float64{0, 5e-324}, images.Spread, []uint8{0, 255}},
		"nearly none": {[]float64{1e-300, 2e-300}, images.Spread, []uint8{0, 255}},
	} {
		img := images.ToImageWith(autograd.NewTensor(test.values, 1, 1, 2), test.scale)
		for i, want := range test.want {
			if r, _, _, _ := img.At(i, 0).RGBA(); uint8(r>>8) != want {
				t.Errorf("%s: pixel %d has red %d, want %d", name, i, r>>8, want)
			}
		}
	}
}

func TestBatch(t *testing.T) {
	a, b := autograd.Full(1, 1, 2, 2), autograd.Full(2, 1, 2, 2).In(autograd.Float32)
	batch := images.Batch([]autograd.Tensor{a, b})
	if diff := cmp.Diff([]float64{1, 1, 1, 1, 2, 2, 2, 2}, batch.Raw64()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !images.At(batch, 1).Equal(b.In(autograd.Float64)) || !images.At(images.Batch([]autograd.Tensor{b, b}), 1).Equal(b) {
		t.Error("At returns another image")
	}
}

func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var asPNG, asJPEG bytes.Buffer
	if err := errors.Join(png.Encode(&asPNG, image.NewGray(image.Rect(0, 0, 40, 40))), jpeg.Encode(&asJPEG, image.NewGray(image.Rect(0, 0, 40, 40)), nil)); err != nil {
		t.Fatal(err)
	}
	corrupt := bytes.Clone(asPNG.Bytes())
	corrupt[45] ^= 1
	hostile := bytes.Clone(asPNG.Bytes()[:33])
	copy(hostile[16:], []byte{0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 8, 0, 0, 0, 0, 0x97, 0xE9, 0x7F, 0x81}) // and its checksum
	for _, test := range []struct {
		name    string
		content []byte
		text    string
		cause   error
	}{
		{"empty.png", nil, "unexpected EOF", io.ErrUnexpectedEOF},
		{"short.png", asPNG.Bytes()[:20], "EOF", io.ErrUnexpectedEOF},
		{"truncated.png", asPNG.Bytes()[:50], "not enough pixel data", nil},
		{"truncated.jpg", asJPEG.Bytes()[:asJPEG.Len()/2], "EOF", io.ErrUnexpectedEOF},
		{"corrupt.png", corrupt, "png", nil},
		{"hostile.png", hostile, "", nil},
		{"page.png", []byte("<html>"), "neither PNG nor JPEG", nil},
	} {
		path := write(test.name, test.content)
		_, err := images.ReadFile(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+": images: ") || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v, want %q", test.name, err, test.text)
		}
		if test.cause != nil && !errors.Is(err, test.cause) {
			t.Errorf("%s: %v does not wrap %v", test.name, err, test.cause)
		}
	}
	path := write("large.png", asPNG.Bytes())
	if _, err := images.ReadFileWith(path, images.ReadOptions{MaxPixels: 1599}); err == nil || !strings.Contains(err.Error(), "40×40 pixels, the limit is 1599") {
		t.Errorf("a limit below the size: %v", err)
	}
	if _, err := images.ReadFileWith(path, images.ReadOptions{MaxPixels: 1600}); err != nil {
		t.Errorf("a limit of the size: %v", err)
	}
	if _, err := images.ReadFile(filepath.Join(dir, "none.png")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
	}
	if err := images.WriteFile(filepath.Join(dir, "image.bmp"), image.NewGray(image.Rect(0, 0, 1, 1))); err == nil {
		t.Error("an image was written as BMP")
	}
	for _, name := range []string{"zero.png", "zero.jpg"} {
		if err := images.WriteFile(filepath.Join(dir, name), image.NewGray(image.Rectangle{})); err == nil {
			t.Errorf("%s was written without pixels", name)
		}
	}
}

func TestRefuses(t *testing.T) {
	x := autograd.Zeros(2, 1, 4, 4)
	one := autograd.Zeros(1, 4, 4)
	p := images.NewPicture(one)
	palette := []color.Color{nil, color.White}
	for _, test := range []struct {
		f    func()
		text string
		want any
	}{
		{func() { images.FromImage(image.NewGray(image.Rect(0, 0, 1, 1)), 2) }, "2 channels", new(*autograd.ArgumentError)},
		{func() { images.ToImage(x) }, "[2 1 4 4]", new(*autograd.ShapeError)},
		{func() { images.ToImage(autograd.Zeros(2, 4, 4)) }, "[2 4 4]", new(*autograd.ShapeError)},
		{func() { images.ToImageWith(autograd.Zeros(3, 4, 4), images.Diverging) }, "one channel", new(*autograd.ShapeError)},
		{func() { images.ToImageWith(one, 7) }, "Scale is 7", new(*autograd.ArgumentError)},
		{func() { images.Batch(nil) }, "no images", new(*autograd.ArgumentError)},
		{func() { images.Batch([]autograd.Tensor{one, autograd.Zeros(1, 4, 5)}) }, "two images differ in size: [1 4 4], [1 4 5]", new(*autograd.ShapeError)},
		{func() { images.Batch([]autograd.Tensor{autograd.Zeros(4, 5)}) }, "[4 5]", new(*autograd.ShapeError)},
		{func() { images.At(x, 2) }, "image 2", new(*autograd.IndexError)},
		{func() { images.At(one, 0) }, "[1 4 4]", new(*autograd.ShapeError)},
		{func() { images.Sheet(autograd.Zeros(6, 2, 5, 5)) }, "[6 2 5 5]", new(*autograd.ShapeError)},
		{func() { images.Sheet(autograd.Zeros(0, 1, 5, 5)) }, "no images", new(*autograd.ArgumentError)},
		{func() { images.SheetWith(x, images.SheetOptions{Labels: []string{"one"}}) }, "1 labels for 2", new(*autograd.ArgumentError)},
		{func() { images.SheetWith(x, images.SheetOptions{Columns: -1}) }, "Columns", new(*autograd.ArgumentError)},
		{func() { images.SheetWith(x, images.SheetOptions{Zoom: -1}) }, "Zoom", new(*autograd.ArgumentError)},
		{func() { images.NewPictureWith(one, images.PictureOptions{Zoom: -2}) }, "Zoom is -2", new(*autograd.ArgumentError)},
		{func() { p.Mask(autograd.NewInts(make([]int, 20), 4, 5), palette, 0.5) }, "[4 5], [4 4]", new(*autograd.ShapeError)},
		{func() { p.Mask(autograd.NewInts(make([]int, 16), 4, 4), palette, 1.5) }, "1.5", new(*autograd.ArgumentError)},
		{func() { p.Mask(autograd.NewInts(make([]int, 16), 4, 4), nil, 1) }, "class 0", new(*autograd.IndexError)},
	} {
		err := autograd.Try(test.f)
		if err == nil || !errors.As(err, test.want) || !strings.Contains(err.Error(), test.text) || !strings.Contains(err.Error(), "images_test.go:") {
			t.Errorf("%v, want %T with %q", err, test.want, test.text)
		}
	}
}

// A NaN pixel ends a training before it has changed anything, and the error has
// its index, also when noise and motions came between.
func TestNaNPixelEndsTraining(t *testing.T) {
	x := images.Batch([]autograd.Tensor{autograd.Ones(1, 3, 3), autograd.Ones(1, 3, 3)})
	x.Raw64()[13] = math.NaN() // the middle of the second
	augmenter := images.NewAugmenter(images.Flip(1), images.Noise(0.1))
	config := train.Config{
		Model:     layers.NewSequential(layers.Flatten(), layers.NewDense(seeded(1), 9, 2)),
		LabelLoss: losses.CategoricalCrossEntropyLabels,
		Optimizer: optim.NewSGD(0.1),
		Epochs:    1,
		Loader: &train.LoaderOptions{InOrder: true, Prepare: func(rng *rand.Rand, batch train.Data) {
			augmenter.Apply(rng, batch.Inputs)
		}},
	}
	before := config.Model.(*layers.Sequential).Params()[0].Tensor().Clone()
	_, err := train.Run(t.Context(), config, train.Data{Inputs: x, Labels: autograd.NewInts([]int{0, 1})})
	var step *train.StepError
	var place *autograd.NonFiniteError
	if !errors.As(err, &step) || !errors.As(err, &place) || place.Index != 13 || place.Name != "inputs" {
		t.Errorf("%v", err)
	}
	if !before.Equal(config.Model.(*layers.Sequential).Params()[0].Tensor()) {
		t.Error("a parameter has changed")
	}
}
