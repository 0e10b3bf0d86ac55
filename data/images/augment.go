package images

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"nabla/autograd"
)

// An Augmentation is one step of an [Augmenter].
type Augmentation struct {
	name string

	// draw draws how the image moves; nil if it does not.
	draw func(rng *rand.Rand, height, width int) motion

	noise float64 // the deviation of what is added to each number
}

// Shift moves the image by whole pixels: down or up by at most dy, right or
// left by at most dx, each distance with equal probability. What moves in is 0.
// It panics with an *[autograd.ArgumentError] if dy or dx is negative.
func Shift(dy, dx int) Augmentation {
	if dy < 0 || dx < 0 {
		misuse("Shift", "by at most %d and %d pixels", dy, dx)
	}
	return Augmentation{name: "Shift", draw: func(rng *rand.Rand, height, width int) motion {
		m := still(height, width)
		m.y.offset = float64(rng.IntN(2*dy+1) - dy)
		m.x.offset = float64(rng.IntN(2*dx+1) - dx)
		return m
	}}
}

// Flip exchanges left and right with the given probability. It panics with an
// *[autograd.ArgumentError] unless that is from 0 to 1.
func Flip(probability float64) Augmentation {
	checkProbability("Flip", probability)
	return Augmentation{name: "Flip", draw: func(rng *rand.Rand, height, width int) motion {
		m := still(height, width)
		if rng.Float64() < probability {
			m.x = line{offset: float64(width - 1), x: -1}
		}
		return m
	}}
}

// FlipVertical exchanges top and bottom, as [Flip] does left and right.
func FlipVertical(probability float64) Augmentation {
	checkProbability("FlipVertical", probability)
	return Augmentation{name: "FlipVertical", draw: func(rng *rand.Rand, height, width int) motion {
		m := still(height, width)
		if rng.Float64() < probability {
			m.y = line{offset: float64(height - 1), y: -1}
		}
		return m
	}}
}

func checkProbability(op string, p float64) {
	if !(p >= 0 && p <= 1) {
		misuse(op, "a probability of %v", p)
	}
}

// Crop surrounds the image by that many rows and columns of 0 and cuts out a
// window [height, width], each possible one with equal probability. It is the
// only step that changes an image's size; [Augmenter.Apply] needs one that it
// leaves as it is.
//
// It panics with an *[autograd.ArgumentError] if the window has no pixels or
// the padding is negative. A window that is larger than the padded image panics
// with an *[autograd.ShapeError] when it is used.
func Crop(height, width, padding int) Augmentation {
	if height < 1 || width < 1 || padding < 0 {
		misuse("Crop", "a window of %d×%d pixels, padding %d", height, width, padding)
	}
	return Augmentation{name: "Crop", draw: func(rng *rand.Rand, h, w int) motion {
		if height > h+2*padding || width > w+2*padding {
			panic(autograd.NewShapeError("images: Crop", "the window is larger than the padded image",
				[]int{height, width}, []int{h + 2*padding, w + 2*padding}))
		}
		m := still(height, width)
		m.y.offset = float64(rng.IntN(h+2*padding-height+1) - padding)
		m.x.offset = float64(rng.IntN(w+2*padding-width+1) - padding)
		return m
	}}
}

// Rotate turns the image around its middle by an angle of at most so many
// degrees to either side, each with equal probability. A pixel is the mean of
// the four that it comes from, weighted by how near they are; outside is 0. It
// panics with an *[autograd.ArgumentError] if degrees is negative or not
// finite.
func Rotate(degrees float64) Augmentation {
	if !(degrees >= 0) || math.IsInf(degrees, 0) {
		misuse("Rotate", "by at most %v degrees", degrees)
	}
	return Augmentation{name: "Rotate", draw: func(rng *rand.Rand, height, width int) motion {
		return rotation((2*rng.Float64()-1)*degrees, height, width)
	}}
}

// rotation turns against the clock by so many degrees, as seen with y down.
func rotation(degrees float64, height, width int) motion {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	my, mx := float64(height-1)/2, float64(width-1)/2
	m := still(height, width)
	m.y = line{y: cos, x: sin, offset: my - cos*my - sin*mx}
	m.x = line{y: -sin, x: cos, offset: mx + sin*my - cos*mx}
	return m
}

// Noise adds to each number one from the normal distribution with mean 0 and
// the given deviation, and limits the sum to 0 to 1. NaN stays NaN. Masks stay
// as they are. It panics with an *[autograd.ArgumentError] if the deviation is
// negative or not finite.
func Noise(deviation float64) Augmentation {
	if !(deviation >= 0) || math.IsInf(deviation, 0) {
		misuse("Noise", "a deviation of %v", deviation)
	}
	return Augmentation{name: "Noise", noise: deviation}
}

// An Augmenter changes images at random, one step after the other. Any number
// of goroutines may use one. Once warm, it allocates nothing.
type Augmenter struct {
	steps []Augmentation
	mu    sync.Mutex
	free  []*frame
}

// NewAugmenter returns an Augmenter with those steps, in order.
func NewAugmenter(steps ...Augmentation) *Augmenter {
	for i, s := range steps {
		if s.name == "" {
			misuse("NewAugmenter", "step %d is the zero Augmentation", i)
		}
	}
	return &Augmenter{steps: slices.Clone(steps)}
}

// Apply changes an image [channels, height, width], or each of a batch [n,
// channels, height, width] on its own, in place. The numbers that it draws
// depend on the steps, their order, and the images' number and size alone.
//
//	loader := train.NewLoader(training, train.LoaderOptions{
//		Prepare: func(rng *rand.Rand, batch train.Data) { augmenter.Apply(rng, batch.Inputs) },
//		…
//	})
//
// It panics with an *[autograd.ShapeError] for a tensor of another rank, or if
// a [Crop] leaves the images another size, and with an
// *[autograd.ArgumentError] if rng is nil.
func (a *Augmenter) Apply(rng *rand.Rand, images autograd.Tensor) {
	a.run("Augmenter.Apply", rng, images, images, autograd.Ints{}, autograd.Ints{})
}

// ApplyMasked is [Augmenter.Apply] for images whose pixels have classes: masks
// [height, width] or [n, height, width] make the same motions. A class comes
// from the nearest pixel and is never mixed; what moves in is class 0.
func (a *Augmenter) ApplyMasked(rng *rand.Rand, images autograd.Tensor, masks autograd.Ints) {
	a.run("Augmenter.ApplyMasked", rng, images, images, masks, masks)
}

// ApplyTo is [Augmenter.Apply] but leaves src as it is and writes to dst, whose
// images have the size that the last [Crop] cuts out. It also panics with an
// *[autograd.ArgumentError] if the two differ in precision.
func (a *Augmenter) ApplyTo(rng *rand.Rand, dst, src autograd.Tensor) {
	a.run("Augmenter.ApplyTo", rng, dst, src, autograd.Ints{}, autograd.Ints{})
}

func (a *Augmenter) run(op string, rng *rand.Rand, dst, src autograd.Tensor, dstMask, srcMask autograd.Ints) {
	if rng == nil {
		misuse(op, "the rng is nil")
	}
	if rank := src.Rank(); rank != 3 && rank != 4 {
		panic(autograd.NewShapeError("images: "+op, "images are [channels, height, width] or [n, channels, height, width]", src.Shape()))
	}
	if dst.Rank() != src.Rank() || dst.Rank() == 4 && dst.Dim(0) != src.Dim(0) || dst.Dim(-3) != src.Dim(-3) {
		panic(autograd.NewShapeError("images: "+op, "the images written and those read differ in more than size", dst.Shape(), src.Shape()))
	}
	if dst.Precision() != src.Precision() {
		misuse(op, "the images written are %v, those read %v", dst.Precision(), src.Precision())
	}
	checkMasks(op, src, srcMask)
	f := a.frame()
	defer a.giveBack(f)
	p := pass{a: a, rng: rng, op: op, f: f, channels: src.Dim(-3), from: size{src.Dim(-2), src.Dim(-1)}, to: size{dst.Dim(-2), dst.Dim(-1)}}
	n := 1
	if src.Rank() == 4 {
		n = src.Dim(0)
	}
	if src.Precision() == autograd.Float32 {
		augment(&p, &f.single, n, dst.Raw32(), src.Raw32(), dstMask.Values(), srcMask.Values())
	} else {
		augment(&p, &f.double, n, dst.Raw64(), src.Raw64(), dstMask.Values(), srcMask.Values())
	}
}

func checkMasks(op string, images autograd.Tensor, masks autograd.Ints) {
	shape := masks.Shape()
	if len(shape) == 0 {
		return
	}
	want := images.Shape()
	want = append(want[:len(want)-3], want[len(want)-2:]...)
	if !slices.Equal(shape, want) {
		panic(autograd.NewShapeError("images: "+op, "the masks and the images differ in size", shape, images.Shape()))
	}
}
