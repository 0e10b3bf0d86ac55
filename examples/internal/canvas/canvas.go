// Package canvas draws canvases to find digits on: one to four digits of 28 ×
// 28 pixels, each somewhere on 64 × 64, without overlap. Each digit is known by
// its class, its box, and its pixels.
package canvas

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"nabla/autograd"
)

// Size is the height and width of a canvas; MostDigits is how many digits are
// on one at most.
const (
	Size       = 64
	MostDigits = 4
)

// ink is how bright a pixel is that belongs to a digit.
const ink = 0.25

// A Digit is one on a canvas. Its box holds every pixel of it that is as
// bright as ink, from X0, Y0 up to X1, Y1, which are outside.
type Digit struct {
	Class          int
	X0, Y0, X1, Y1 int
}

// A Set is a number of canvases.
type Set struct {
	Images autograd.Tensor // [n, 1, Size, Size], float32, in 0…1
	Masks  autograd.Ints   // [n, Size, Size]: 0 for the background, 1 + class for a digit
	Digits [][]Digit       // on each canvas
}

// Draw draws n canvases from the digits given, [rows, 1, 28, 28] in float32 and
// a class for each, with nothing but the rng: the same one gives the same
// canvases.
func Draw(rng *rand.Rand, digits autograd.Tensor, classes autograd.Ints, n int) Set {
	if shape := digits.Shape(); len(shape) != 4 || shape[0] == 0 || shape[0] != classes.Size() || shape[2] > Size || shape[3] > Size {
		panic(autograd.NewArgumentError("canvas: Draw", "digits of shape %v and %d classes", shape, classes.Size()))
	}
	images, masks := make([]float32, n*Size*Size), make([]int, n*Size*Size)
	set := Set{Digits: make([][]Digit, n)}
	for i := range n {
		c := canvas{images[i*Size*Size:][:Size*Size], masks[i*Size*Size:][:Size*Size], nil}
		for range 1 + rng.IntN(MostDigits) {
			row := rng.IntN(digits.Dim(0))
			c.place(rng, stampOf(digits, row), classes.Values()[row])
		}
		set.Digits[i] = c.digits
	}
	set.Images = autograd.NewTensor32(images, n, 1, Size, Size)
	set.Masks = autograd.NewInts(masks, n, Size, Size)
	return set
}

// A canvas is one under way.
type canvas struct {
	image  []float32
	mask   []int
	digits []Digit
}

// A stamp is the part of a digit's image that has ink.
type stamp struct {
	pixels        []float32 // of the whole image
	pitch         int       // of its rows
	x, y          int       // where the ink begins
	width, height int
}

func stampOf(digits autograd.Tensor, row int) stamp {
	height, width := digits.Dim(2), digits.Dim(3)
	s := stamp{pixels: digits.Raw32()[row*height*width:][:height*width], pitch: width, x: width, y: height}
	right, bottom := 0, 0
	for i, v := range s.pixels {
		if v >= ink {
			s.x, s.y = min(s.x, i%width), min(s.y, i/width)
			right, bottom = max(right, i%width+1), max(bottom, i/width+1)
		}
	}
	s.width, s.height = right-s.x, bottom-s.y
	return s
}

// tries is how often a place is drawn for a digit. Where four large ones leave
// none to another, it is left out, so that a canvas may have fewer.
const tries = 50

// place stamps a digit where it overlaps no other.
func (c *canvas) place(rng *rand.Rand, s stamp, class int) {
	if s.width <= 0 {
		return // an image without ink
	}
	for range tries {
		x, y := rng.IntN(Size-s.width+1), rng.IntN(Size-s.height+1)
		d := Digit{class, x, y, x + s.width, y + s.height}
		if slices.ContainsFunc(c.digits, d.overlaps) {
			continue
		}
		c.digits = append(c.digits, d)
		c.stamp(s, d)
		return
	}
}

func (d Digit) overlaps(e Digit) bool {
	return d.X0 < e.X1 && e.X0 < d.X1 && d.Y0 < e.Y1 && e.Y0 < d.Y1
}

func (c *canvas) stamp(s stamp, d Digit) {
	for y := range s.height {
		from := s.pixels[(s.y+y)*s.pitch+s.x:][:s.width]
		at := (d.Y0+y)*Size + d.X0
		for x, v := range from {
			c.image[at+x] = v
			if v >= ink {
				c.mask[at+x] = 1 + d.Class
			}
		}
	}
}

// String describes the digits on a canvas.
func (d Digit) String() string {
	return fmt.Sprintf("%d at (%d, %d) to (%d, %d)", d.Class, d.X0, d.Y0, d.X1, d.Y1)
}
