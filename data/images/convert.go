package images

import (
	"image"
	"image/color"
	"slices"

	"nabla/autograd"
)

// FromImage returns an image as a tensor [channels, height, width] in Float32:
// 1 channel for its grey, 0.299 red + 0.587 green + 0.114 blue, 3 for its
// colours, 4 for its colours and opacity. In 1 and 3 channels, what is not
// opaque lies over black.
//
// It panics with an *[autograd.ArgumentError] for another number of channels.
func FromImage(img image.Image, channels int) autograd.Tensor {
	if channels != 1 && channels != 3 && channels != 4 {
		misuse("FromImage", "%d channels, want 1, 3 or 4", channels)
	}
	bounds := img.Bounds()
	area := bounds.Dx() * bounds.Dy()
	t := autograd.NewTensor32(make([]float32, channels*area), channels, bounds.Dy(), bounds.Dx())
	values, at := t.Raw32(), pixels(img, channels)
	for i := range area {
		pixel := at(bounds.Min.X+i%bounds.Dx(), bounds.Min.Y+i/bounds.Dx())
		for c := range channels {
			values[c*area+i] = float32(pixel[c] / 65535)
		}
	}
	return t
}

// pixels returns the function for the channels of a pixel, from 0 to 65535.
func pixels(img image.Image, channels int) func(x, y int) [4]float64 {
	if channels == 4 {
		return func(x, y int) [4]float64 { return straight(img.At(x, y)) }
	}
	at := func(x, y int) color.RGBA64 {
		r, g, b, a := img.At(x, y).RGBA()
		return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
	}
	if direct, ok := img.(image.RGBA64Image); ok {
		at = direct.RGBA64At
	}
	if channels == 1 {
		return func(x, y int) [4]float64 { return [4]float64{grey(at(x, y))} }
	}
	return func(x, y int) [4]float64 {
		c := at(x, y)
		return [4]float64{float64(c.R), float64(c.G), float64(c.B)}
	}
}

func grey(c color.RGBA64) float64 {
	if c.R == c.G && c.G == c.B {
		return float64(c.R) // exactly
	}
	return 0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)
}

// straight returns colours that are not multiplied by the opacity. It takes
// them as they are stored, since small ones would not survive a product.
func straight(c color.Color) [4]float64 {
	if c, ok := c.(color.NRGBA); ok {
		const unit = 257 // 65535 ⁄ 255
		return [4]float64{unit * float64(c.R), unit * float64(c.G), unit * float64(c.B), unit * float64(c.A)}
	}
	n := color.NRGBA64Model.Convert(c).(color.NRGBA64)
	return [4]float64{float64(n.R), float64(n.G), float64(n.B), float64(n.A)}
}

// ToImage returns a tensor [1, height, width] or [height, width] as grey, [3,
// height, width] as colours, and [4, height, width] as colours with opacity.
// Values below 0 are drawn as 0, values above 1 as 1, NaN in magenta.
//
// It panics with an *[autograd.ShapeError] for another shape.
func ToImage(t autograd.Tensor) image.Image { return ToImageWith(t, Unit) }

// ToImageWith is [ToImage] with another scale.
func ToImageWith(t autograd.Tensor, scale Scale) image.Image {
	shape := imageShape("ToImage", t)
	tones := newTones("ToImage", scale, shape[0], t.Float64s())
	return tones.draw(t.Float64s(), shape[1], shape[2])
}

// imageShape returns channels, height and width. It panics unless t is an
// image.
func imageShape(op string, t autograd.Tensor) [3]int {
	shape := t.Shape()
	if len(shape) == 2 {
		shape = append([]int{1}, shape...)
	}
	if len(shape) != 3 || !slices.Contains([]int{1, 3, 4}, shape[0]) {
		panic(autograd.NewShapeError("images: "+op, "an image is [channels, height, width] with 1, 3 or 4 channels", t.Shape()))
	}
	return [3]int(shape)
}

// Batch returns images of one size as a batch [n, channels, height, width], in
// the precision of the first.
//
// It panics with an *[autograd.ShapeError] that has both shapes if two images
// differ in size, and with an *[autograd.ArgumentError] if there are none.
func Batch(list []autograd.Tensor) autograd.Tensor {
	if len(list) == 0 {
		misuse("Batch", "there are no images")
	}
	first := list[0].Shape()
	if len(first) != 3 {
		panic(autograd.NewShapeError("images: Batch", "an image is [channels, height, width]", first))
	}
	size := list[0].Size()
	shape := append([]int{len(list)}, first...)
	var batch autograd.Tensor
	if list[0].Precision() == autograd.Float32 {
		batch = autograd.NewTensor32(make([]float32, len(list)*size), shape...)
	} else {
		batch = autograd.Zeros(shape...)
	}
	for i, t := range list {
		if !slices.Equal(t.Shape(), first) {
			panic(autograd.NewShapeError("images: Batch", "two images differ in size", first, t.Shape()))
		}
		t = t.In(batch.Precision())
		if batch.Precision() == autograd.Float32 {
			copy(batch.Raw32()[i*size:], t.Raw32())
		} else {
			copy(batch.Raw64()[i*size:], t.Raw64())
		}
	}
	return batch
}

// At returns a copy of image i of a batch [n, channels, height, width].
//
// It panics with an *[autograd.ShapeError] for another shape and with an
// *[autograd.IndexError] if there is no image i.
func At(batch autograd.Tensor, i int) autograd.Tensor {
	shape := batch.Shape()
	if len(shape) != 4 {
		panic(autograd.NewShapeError("images: At", "a batch is [n, channels, height, width]", shape))
	}
	if i < 0 || i >= shape[0] {
		panic(autograd.NewIndexError("images: At", "image", i, shape[0]))
	}
	size := batch.Size() / shape[0]
	if batch.Precision() == autograd.Float32 {
		return autograd.NewTensor32(batch.Raw32()[i*size:(i+1)*size], shape[1:]...)
	}
	return autograd.NewTensor(batch.Raw64()[i*size:(i+1)*size], shape[1:]...)
}

// misuse panics with an *[autograd.ArgumentError] for op, with the line of the
// user's call.
func misuse(op, format string, args ...any) {
	panic(autograd.NewArgumentError("images: "+op, format, args...))
}
