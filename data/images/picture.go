package images

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"nabla/autograd"
)

// PictureOptions are what [NewPicture] leaves at its defaults.
type PictureOptions struct {
	Zoom  int   // how many pixels high and wide a pixel becomes; 0: 1
	Scale Scale // of its numbers
}

// A Picture is an image to draw on. What is drawn has the image's own
// coordinates, whatever the zoom: x to the right and y down, from 0 at the left
// upper corner of the first pixel. What lies outside is not drawn. A Picture
// is an [image.Image]; write it with [WriteFile], or lay out several of them
// with [Arrange].
type Picture struct {
	*image.RGBA
	zoom int
}

// NewPicture returns an image, a tensor that [ToImage] can take, as a picture.
func NewPicture(t autograd.Tensor) *Picture { return NewPictureWith(t, PictureOptions{}) }

// NewPictureWith is [NewPicture] with other options. It panics with an
// *[autograd.ArgumentError] if the zoom is negative.
func NewPictureWith(t autograd.Tensor, options PictureOptions) *Picture {
	zoom := zoomOf("NewPicture", options.Zoom)
	shape := imageShape("NewPicture", t)
	values := t.Float64s()
	small := newTones("NewPicture", options.Scale, shape[0], values).draw(values, shape[1], shape[2])
	return &Picture{enlarge(small, zoom), zoom}
}

func zoomOf(op string, zoom int) int {
	if zoom < 0 {
		misuse(op, "Zoom is %d", zoom)
	}
	return max(1, zoom)
}

// enlarge returns the image with squares in place of pixels, over black.
func enlarge(img image.Image, zoom int) *image.RGBA {
	b := img.Bounds()
	large := image.NewRGBA(image.Rect(0, 0, b.Dx()*zoom, b.Dy()*zoom))
	for y := range large.Rect.Dy() {
		for x := range large.Rect.Dx() {
			c := color.RGBAModel.Convert(img.At(b.Min.X+x/zoom, b.Min.Y+y/zoom)).(color.RGBA)
			c.A = 255 // the colours are multiplied by the opacity already
			large.SetRGBA(x, y, c)
		}
	}
	return large
}

// Box draws the outline of the box between the corners (x0, y0) and (x1, y1),
// with a label above it, or inside where there is no room, unless that is
// empty. The outline's outer edge is the box.
func (p *Picture) Box(x0, y0, x1, y1 float64, c color.Color, label string) {
	left, top, right, bottom := p.at(x0), p.at(y0), p.at(x1), p.at(y1)
	line := max(1, p.zoom/3)
	fill(p, left, top, right, min(bottom, top+line), c)
	fill(p, left, max(top, bottom-line), right, bottom, c)
	fill(p, left, top, min(right, left+line), bottom, c)
	fill(p, max(left, right-line), top, right, bottom, c)
	if label == "" {
		return
	}
	size := p.textSize()
	height := (letterHeight + 2) * size
	y := top - height
	if y < 0 {
		y = top
	}
	fill(p, left, y, left+textWidth(label, size)+size, y+height, c)
	drawText(p, left+size, y+size, size, label, contrast(c))
}

// at returns the place of a coordinate in the enlarged image.
func (p *Picture) at(v float64) int {
	limit := float64(p.zoom * (p.Rect.Dx() + p.Rect.Dy())) // beyond any edge
	return int(math.Round(min(limit, max(-limit, v*float64(p.zoom)))))
}

func (p *Picture) textSize() int { return max(1, (p.zoom+1)/3) }

// Text draws a text with its left upper corner at (x, y). The letters are
// capitals; those beyond the usual ones of English become blocks.
func (p *Picture) Text(x, y float64, text string, c color.Color) {
	drawText(p, p.at(x), p.at(y), p.textSize(), text, c)
}

// Mask lays colours over the picture: classes [height, width] has a class for
// each pixel, palette a color for each class, nil for one that is not drawn.
// Opacity is from 0 to 1, where the picture cannot be seen any more.
//
// It panics with an *[autograd.ShapeError] unless classes has the image's size,
// with an *[autograd.IndexError] for a class without a color, and with an
// *[autograd.ArgumentError] for an opacity beyond 0 to 1.
func (p *Picture) Mask(classes autograd.Ints, palette []color.Color, opacity float64) {
	const op = "Picture.Mask"
	height, width := p.Rect.Dy()/p.zoom, p.Rect.Dx()/p.zoom
	if s := classes.Shape(); len(s) != 2 || s[0] != height || s[1] != width {
		panic(autograd.NewShapeError("images: "+op, "the classes and the picture differ in size", s, []int{height, width}))
	}
	if !(opacity >= 0 && opacity <= 1) {
		misuse(op, "the opacity is %v, want 0 to 1", opacity)
	}
	veil := image.NewUniform(color.Alpha16{uint16(math.Round(opacity * 65535))})
	for i, class := range classes.Values() {
		if class < 0 || class >= len(palette) {
			panic(autograd.NewIndexError("images: "+op, "class", class, len(palette)))
		}
		if c := palette[class]; c != nil {
			x, y := i%width*p.zoom, i/width*p.zoom
			square := image.Rect(x, y, x+p.zoom, y+p.zoom)
			draw.DrawMask(p.RGBA, square, image.NewUniform(c), image.Point{}, veil, image.Point{}, draw.Over)
		}
	}
}

// Palette returns n colours that differ as much as hues can, all of them
// bright.
func Palette(n int) []color.Color {
	colors := make([]color.Color, max(0, n))
	for i := range colors {
		hue := 6 * float64(i) / float64(n)
		channel := func(shift float64) uint8 {
			h := math.Mod(hue+shift, 6)
			return uint8(math.Round(255 * min(1, max(0, math.Abs(h-3)-1))))
		}
		colors[i] = color.RGBA{channel(0), channel(4), channel(2), 255}
	}
	return colors
}

// contrast returns black or white, whichever can be read on c.
func contrast(c color.Color) color.Color {
	if color.GrayModel.Convert(c).(color.Gray).Y > 127 {
		return color.Black
	}
	return color.White
}

// fill fills the rectangle between two corners.
func fill(dst draw.Image, x0, y0, x1, y1 int, c color.Color) {
	if x0 < x1 && y0 < y1 {
		draw.Draw(dst, image.Rect(x0, y0, x1, y1), image.NewUniform(c), image.Point{}, draw.Over)
	}
}
