package images

import (
	"image"
	"image/color"
	"math"

	"nabla/autograd"
)

// A Scale says which colours numbers are drawn in.
type Scale uint8

const (
	// Unit draws 0 black and 1 white, and what is beyond as the nearer of both.
	Unit Scale = iota
	// Spread draws the smallest value black and the largest white. If all are
	// equal, they are grey.
	Spread
	// Diverging draws 0 white, positive values red and negative values blue,
	// the deeper the farther from 0, up to the largest magnitude. It is for one
	// channel.
	Diverging
)

var scaleNames = []string{"Unit", "Spread", "Diverging"}

// String returns the constant's name.
func (s Scale) String() string {
	if int(s) < len(scaleNames) {
		return scaleNames[s]
	}
	return "unknown"
}

// missing is the colour of a NaN.
var missing = color.NRGBA{255, 0, 255, 255}

// The ends of the diverging scale, which those who see no red can tell apart.
var (
	negative = color.NRGBA{33, 102, 172, 255}
	positive = color.NRGBA{178, 24, 43, 255}
)

// tones are the colours for the numbers of some images.
type tones struct {
	scale    Scale
	channels int
	lo, hi   float64 // the values drawn as 0 and 1
}

// newTones chooses the range from all values. Infinities are beyond any.
func newTones(op string, scale Scale, channels int, values []float64) tones {
	if scale == Diverging && channels != 1 {
		panic(autograd.NewShapeError("images: "+op, "the Diverging scale is for one channel", []int{channels}))
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	switch {
	case scale > Diverging:
		misuse(op, "Scale is %d", scale)
	case scale == Unit:
		lo, hi = 0, 1
	case lo > hi:
		lo, hi = -1, 1 // nothing finite
	case scale == Diverging:
		hi = max(-lo, hi)
		if hi == 0 {
			hi = 1
		}
		lo = -hi
	case lo == hi:
		lo, hi = lo-1, hi+1
	}
	return tones{scale, channels, lo, hi}
}

// level returns v as a part of the range, 0 to 1.
func (s tones) level(v float64) float64 {
	lo, hi := s.lo, s.hi
	if math.IsInf(hi-lo, 0) {
		v, lo, hi = v/2, lo/2, hi/2
	}
	return min(1, max(0, (v-lo)/(hi-lo)))
}

// color returns the color of a pixel whose channels lie stride apart.
func (s tones) color(values []float64, i, stride int) color.NRGBA {
	var bytes [4]uint8
	for c := range s.channels {
		v := values[c*stride+i]
		if math.IsNaN(v) {
			return missing
		}
		bytes[c] = uint8(math.Round(255 * s.level(v)))
		if c == 3 {
			bytes[c] = uint8(math.Round(255 * min(1, max(0, v)))) // opacity has no other scale
		}
	}
	switch {
	case s.scale == Diverging:
		return diverging(2*s.level(values[i]) - 1)
	case s.channels == 1:
		return color.NRGBA{bytes[0], bytes[0], bytes[0], 255}
	case s.channels == 3:
		return color.NRGBA{bytes[0], bytes[1], bytes[2], 255}
	}
	return color.NRGBA{bytes[0], bytes[1], bytes[2], bytes[3]}
}

// diverging returns the color for v from −1 to 1.
func diverging(v float64) color.NRGBA {
	end := positive
	if v < 0 {
		end, v = negative, -v
	}
	mix := func(b uint8) uint8 { return uint8(math.Round(255 + v*(float64(b)-255))) }
	return color.NRGBA{mix(end.R), mix(end.G), mix(end.B), 255}
}

// draw returns the picture of one image: a grey one where that is enough.
func (s tones) draw(values []float64, height, width int) image.Image {
	area := height * width
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	plain := s.channels == 1 && s.scale != Diverging
	for i := range area {
		c := s.color(values, i, area)
		img.SetNRGBA(i%width, i/width, c)
		plain = plain && c != missing
	}
	if !plain {
		return img
	}
	gray := image.NewGray(img.Rect)
	for i := range area {
		gray.Pix[i] = img.Pix[4*i]
	}
	return gray
}
