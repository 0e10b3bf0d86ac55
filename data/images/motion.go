package images

import (
	"math"
	"math/rand/v2"

	"nabla/autograd"
)

type size struct{ height, width int }

func (s size) area() int { return s.height * s.width }

// A motion says which place of the old image each pixel of the new one comes
// from.
type motion struct {
	y, x line
	to   size // of the new image
}

// A line is a coordinate of the old image as a function of those of the new.
type line struct{ offset, y, x float64 }

func (l line) at(i, j int) float64 { return l.offset + l.y*float64(i) + l.x*float64(j) }

func (l line) isWhole() bool {
	return l == line{math.Trunc(l.offset), math.Trunc(l.y), math.Trunc(l.x)}
}

// still is the motion that leaves an image of that size where it is.
func still(height, width int) motion {
	return motion{line{y: 1}, line{x: 1}, size{height, width}}
}

// move writes the moved image to dst, channel by channel.
func move[T float32 | float64](dst, src []T, channels int, from size, m motion) {
	if m.y.isWhole() && m.x.isWhole() {
		for c := range channels {
			moveNearest(dst[c*m.to.area():(c+1)*m.to.area()], src[c*from.area():(c+1)*from.area()], from, m)
		}
		return
	}
	for i := range m.to.height {
		for j := range m.to.width {
			s := cornersOf(m.y.at(i, j), m.x.at(i, j), from)
			for c := range channels {
				dst[c*m.to.area()+i*m.to.width+j] = mixed(src[c*from.area():(c+1)*from.area()], &s)
			}
		}
	}
}

// moveNearest takes each pixel from the one that is nearest. It is exact if the
// motion is by whole pixels.
func moveNearest[T any](dst, src []T, from size, m motion) {
	for i := range m.to.height {
		for j := range m.to.width {
			var v T
			y, x := int(math.Floor(m.y.at(i, j)+0.5)), int(math.Floor(m.x.at(i, j)+0.5))
			if y >= 0 && y < from.height && x >= 0 && x < from.width {
				v = src[y*from.width+x]
			}
			dst[i*m.to.width+j] = v
		}
	}
}

// A corner is a pixel and its part of a mean.
type corner struct {
	at     int
	weight float64
}

// cornersOf returns the pixels around a place. Those outside the image have no
// part, nor do those that are a whole pixel away: a NaN there does not count.
func cornersOf(y, x float64, from size) (corners [4]corner) {
	top, left := math.Floor(y), math.Floor(x)
	fy, fx := y-top, x-left
	weights := [4]float64{(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx}
	for k, weight := range weights {
		row, column := int(top)+k/2, int(left)+k%2
		if row >= 0 && row < from.height && column >= 0 && column < from.width {
			corners[k] = corner{row*from.width + column, weight}
		}
	}
	return corners
}

func mixed[T float32 | float64](src []T, corners *[4]corner) T {
	sum := 0.0
	for _, c := range corners {
		if c.weight != 0 {
			sum += c.weight * float64(src[c.at])
		}
	}
	return T(sum)
}

// A frame is the memory in which one image is changed.
type frame struct {
	single            buffers[float32]
	double            buffers[float64]
	classes, nextMask []int
}

// buffers hold an image as it is, and as a motion makes it.
type buffers[T any] struct{ now, next []T }

// frame returns a frame that nobody uses.
func (a *Augmenter) frame() *frame {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.free); n > 0 {
		f := a.free[n-1]
		a.free = a.free[:n-1]
		return f
	}
	return new(frame)
}

func (a *Augmenter) giveBack(f *frame) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free = append(a.free, f)
}

// A pass changes the images of one call.
type pass struct {
	a        *Augmenter
	rng      *rand.Rand
	op       string
	f        *frame
	channels int
	from, to size // of the images read and written
}

// augment changes n images, and their masks if there are any.
func augment[T float32 | float64](p *pass, b *buffers[T], n int, dst, src []T, dstMask, srcMask []int) {
	for i := range n {
		in, out := p.channels*p.from.area(), p.channels*p.to.area()
		b.now = append(b.now[:0], src[i*in:(i+1)*in]...)
		if len(srcMask) > 0 {
			p.f.classes = append(p.f.classes[:0], srcMask[i*p.from.area():(i+1)*p.from.area()]...)
		}
		left := p.from
		for k := range p.a.steps {
			left = change(p, b, &p.a.steps[k], left, len(srcMask) > 0)
		}
		if left != p.to {
			panic(autograd.NewShapeError("images: "+p.op, "the size of the images after the last Crop is not that of those written",
				[]int{left.height, left.width}, []int{p.to.height, p.to.width}))
		}
		copy(dst[i*out:(i+1)*out], b.now)
		if len(srcMask) > 0 {
			copy(dstMask[i*p.to.area():(i+1)*p.to.area()], p.f.classes)
		}
	}
}

// change makes one step with the image in b, and returns the image's new size.
func change[T float32 | float64](p *pass, b *buffers[T], step *Augmentation, from size, masked bool) size {
	if step.draw == nil {
		for i, v := range b.now {
			b.now[i] = T(min(1, max(0, float64(v)+step.noise*p.rng.NormFloat64())))
		}
		return from
	}
	m := step.draw(p.rng, from.height, from.width)
	if m == still(from.height, from.width) {
		return from
	}
	b.next = resized(b.next, p.channels*m.to.area())
	move(b.next, b.now, p.channels, from, m)
	b.now, b.next = b.next, b.now
	if masked {
		p.f.nextMask = resized(p.f.nextMask, m.to.area())
		moveNearest(p.f.nextMask, p.f.classes, from, m)
		p.f.classes, p.f.nextMask = p.f.nextMask, p.f.classes
	}
	return m.to
}

// resized returns a slice of n elements in the memory of s, if it is enough.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
