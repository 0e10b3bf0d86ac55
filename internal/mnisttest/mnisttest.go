// Package mnisttest draws digits, so that tests of what reads and learns MNIST
// need neither its files nor a network.
package mnisttest

import (
	"math"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/mnist"
)

// Size is the height and width of the images, that of MNIST.
const Size = 28

// Set draws a set of that many images to train on and to test with: the digits
// in turn from 0 to 9, each by a pen of its own slant, size, thickness and
// trembling. The same seed gives the same bits.
func Set(seed uint64, train, test int) mnist.Set {
	rng := rand.New(rand.NewPCG(seed, 0))
	return mnist.Set{Train: part(rng, train), Test: part(rng, test)}
}

// Write draws a set and writes its four files into a folder that exists.
func Write(dir string, seed uint64, train, test int) error {
	return mnist.Write(dir, Set(seed, train, test))
}

func part(rng *rand.Rand, n int) mnist.Part {
	images := autograd.NewTensor32(make([]float32, n*Size*Size), n, 1, Size, Size)
	labels := make([]int, n)
	for i := range labels {
		labels[i] = i % 10
		Draw(rng, images.Raw32()[i*Size*Size:(i+1)*Size*Size], labels[i])
	}
	return mnist.Part{Images: images, Labels: autograd.NewInts(labels, n)}
}

// A point is a place in a digit's box: x to the right and y down, 0 to 1.
type point struct{ x, y float64 }

// strokes are the lines that each digit is drawn with.
var strokes = [10][][]point{
	{ring(0.5, 0.5, 0.32, 0.48, 0, 1)},
	{{{0.3, 0.22}, {0.55, 0.02}, {0.55, 0.98}}},
	{append(ring(0.5, 0.28, 0.32, 0.26, 0.5, 1.08), point{0.15, 0.98}, point{0.85, 0.98})},
	{ring(0.45, 0.26, 0.32, 0.24, 0.6, 1.25), ring(0.45, 0.74, 0.36, 0.25, 0.75, 1.42)},
	{{{0.62, 0.02}, {0.12, 0.66}, {0.88, 0.66}}, {{0.64, 0.35}, {0.64, 0.98}}},
	{append([]point{{0.8, 0.03}, {0.26, 0.03}, {0.22, 0.45}}, ring(0.46, 0.68, 0.35, 0.3, 0.66, 1.43)...)},
	{append([]point{{0.72, 0.02}, {0.36, 0.28}}, ring(0.5, 0.7, 0.32, 0.28, 0.5, 1.5)...)},
	{{{0.15, 0.04}, {0.85, 0.04}, {0.4, 0.98}}},
	{ring(0.5, 0.26, 0.26, 0.23, 0, 1), ring(0.5, 0.74, 0.32, 0.25, 0, 1)},
	{append(ring(0.5, 0.3, 0.3, 0.28, 1, 2), point{0.74, 0.62}, point{0.6, 0.98})},
}

// ring returns points of an ellipse, clockwise from one part of a turn to
// another; 0 is at the right.
func ring(x, y, width, height, from, to float64) []point {
	const n = 14
	points := make([]point, n+1)
	for i := range points {
		angle := 2 * math.Pi * (from + (to-from)*float64(i)/n)
		points[i] = point{x + width*math.Cos(angle), y + height*math.Sin(angle)}
	}
	return points
}

// Draw draws a digit, from 0 to 9, over dst, which has Size×Size pixels.
func Draw(rng *rand.Rand, dst []float32, digit int) {
	pen := newPen(rng)
	var lines [][2]point
	for _, stroke := range strokes[digit] {
		var last point
		for i, p := range stroke {
			next := pen.place(rng, p)
			if i > 0 {
				lines = append(lines, [2]point{last, next})
			}
			last = next
		}
	}
	for i := range dst {
		at := point{float64(i%Size) + 0.5, float64(i/Size) + 0.5}
		nearest := math.Inf(1)
		for _, line := range lines {
			nearest = min(nearest, distance(at, line[0], line[1]))
		}
		ink := min(1, max(0, pen.radius-nearest+0.5))
		if ink > 0 {
			ink *= 1 - 0.2*rng.Float64()
		}
		dst[i] = float32(math.RoundToEven(ink*255)) / 255 // as a file keeps it
	}
}

// A pen is how one image is written.
type pen struct {
	x, y          float64 // the middle, in pixels
	width, height float64 // of the digit, in pixels
	slant, turn   float64
	radius        float64
}

func newPen(rng *rand.Rand) *pen {
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	return &pen{
		x: between(12.5, 15.5), y: between(12.5, 15.5), width: between(11, 16), height: between(16, 20),
		slant: between(-0.3, 0.15), turn: between(-0.15, 0.15), radius: between(0.8, 1.6),
	}
}

// place returns where in the image a point of the digit's box is written.
func (p *pen) place(rng *rand.Rand, at point) point {
	const tremble = 0.25
	x, y := (at.x-0.5)*p.width, (at.y-0.5)*p.height
	x += p.slant * -y
	sin, cos := math.Sincos(p.turn)
	x, y = x*cos-y*sin, x*sin+y*cos
	return point{p.x + x + tremble*rng.NormFloat64(), p.y + y + tremble*rng.NormFloat64()}
}

// distance returns how far p is from the line between a and b.
func distance(p, a, b point) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	along := 0.0
	if length := dx*dx + dy*dy; length > 0 {
		along = min(1, max(0, ((p.x-a.x)*dx+(p.y-a.y)*dy)/length))
	}
	return math.Hypot(p.x-a.x-along*dx, p.y-a.y-along*dy)
}
