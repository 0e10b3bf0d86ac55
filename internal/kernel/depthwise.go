package kernel

// isDepthwise reports whether each channel of the images is a group of its own,
// with one or more channels of the maps. Such a convolution has too few
// products in each sum for a matrix product.
func (c *Convolution) isDepthwise() bool { return c.Groups == c.In }

func (c *Convolution) slide() slide {
	var s slide
	for i, a := range c.Axes {
		s.axes[i] = slideAxis{In: a.Image, Out: a.Map, Kernel: a.Kernel, Stride: a.Stride, Step: a.Dilation, Before: a.Before}
	}
	return s
}

// depthwise is a convolution of channels on their own, in pieces of some
// channels.
type depthwise[T Float] struct {
	work      depthwiseWork
	dst, x, y []T // what is computed and the two others of images, maps and weights
	bias      []T
	c         Convolution
	channels  int // of all images
	each      int // in a piece
}

// A depthwiseWork is which of the three is computed.
type depthwiseWork uint8

const (
	depthwiseMaps depthwiseWork = iota
	depthwiseImages
	depthwiseWeights
)

// depthwiseConv computes the maps of the images x.
func depthwiseConv[T Float](dst, x, w, bias []T, c Convolution) {
	depthwise[T]{work: depthwiseMaps, dst: dst, x: x, y: w, bias: bias, c: c}.shared(c.Batch * c.In)
}

// depthwiseTranspose computes the images to which the maps y contribute.
func depthwiseTranspose[T Float](dst, y, w, bias []T, c Convolution) {
	depthwise[T]{work: depthwiseImages, dst: dst, x: y, y: w, bias: bias, c: c}.shared(c.Batch * c.In)
}

// depthwiseGrad computes the weights to which the images x and the maps y
// contribute. The batch is added up within a piece, in its order.
func depthwiseGrad[T Float](dst, x, y []T, c Convolution) {
	depthwise[T]{work: depthwiseWeights, dst: dst, x: x, y: y, c: c}.shared(c.In)
}

// shared computes channels of the images, with the workers where that pays.
func (t depthwise[T]) shared(channels int) {
	if channels == 0 || len(t.dst) == 0 {
		return
	}
	if t.c.mapSize() == 0 {
		t.withoutMaps()
		return
	}
	size := t.c.imageSize() + t.c.outGroup()*t.c.mapSize()
	if t.work == depthwiseWeights {
		size *= max(1, t.c.Batch)
	}
	each := max(1, sharedPiece/max(1, size))
	if channels*size < sharedWork {
		each = channels
	}
	t.channels, t.each = channels, each
	share(blocks(channels, each), t)
}

func (t *depthwise[T]) run(piece, _ int) {
	memory := freeListOf[windowMemory[T]]()
	m, s := memory.get(), t.c.slide()
	lo, hi := piece*t.each, min((piece+1)*t.each, t.channels)
	switch t.work {
	case depthwiseMaps:
		t.maps(m, &s, lo, hi)
	case depthwiseImages:
		t.images(m, &s, lo, hi)
	case depthwiseWeights:
		t.weights(m, &s, lo, hi)
	}
	memory.put(m)
}

// withoutMaps computes what maps without elements contribute to: nothing.
func (t *depthwise[T]) withoutMaps() {
	size := len(t.dst)
	if t.work == depthwiseImages {
		size = t.c.imageSize()
	}
	for i := 0; i*size < len(t.dst); i++ {
		Fill(t.dst[i*size:(i+1)*size], t.biasOf(i%t.c.In))
	}
}

// biasOf returns the bias of a channel.
func (t *depthwise[T]) biasOf(channel int) T {
	if t.bias == nil {
		return 0
	}
	return t.bias[channel]
}

// maps computes the maps of channels of the images.
func (t *depthwise[T]) maps(m *windowMemory[T], s *slide, lo, hi int) {
	p, in, out, taps, each := s.plane(), t.c.imageSize(), t.c.mapSize(), t.c.kernelSize(), t.c.outGroup()
	m.offsets = s.offsets(&p, m.offsets)
	m.plane = filled(m.plane, p.size, 0)
	for i := lo; i < hi; i++ {
		spreadInto(m.plane, t.x[i*in:(i+1)*in], s, &p)
		for j := range each {
			channel := i%t.c.In*each + j
			m.slideRows(t.dst[(i*each+j)*out:(i*each+j+1)*out], m.plane, t.y[channel*taps:(channel+1)*taps], s, &p, t.biasOf(channel))
		}
	}
}

// images computes channels of the images, each from all of its maps.
func (t *depthwise[T]) images(m *windowMemory[T], s *slide, lo, hi int) {
	b, in, out, taps, each := s.back(), t.c.imageSize(), t.c.mapSize(), t.c.kernelSize(), t.c.outGroup()
	m.plane = filled(m.plane, each*b.spread.size, 0)
	for i := lo; i < hi; i++ {
		for j := range each {
			spreadInto(m.plane[j*b.spread.size:], t.x[(i*each+j)*out:(i*each+j+1)*out], &b.maps, &b.spread)
		}
		channel := i % t.c.In
		m.slideBack(t.dst[i*in:(i+1)*in], t.y[channel*each*taps:(channel+1)*each*taps], &b, each, t.biasOf(channel))
	}
}

// weights computes the weights of channels of the images.
func (t *depthwise[T]) weights(m *windowMemory[T], s *slide, lo, hi int) {
	p, in, taps, each := s.plane(), t.c.imageSize(), t.c.kernelSize(), t.c.outGroup()
	m.offsets = s.offsets(&p, m.offsets)
	for len(m.offsets)%dotTaps != 0 {
		m.offsets = append(m.offsets, 0) // of sums that nobody needs
	}
	m.plane = filled(m.plane, p.size, 0)
	m.sums = grown(m.sums, each*len(m.offsets))
	for channel := lo; channel < hi; channel++ {
		clear(m.sums)
		for n := range t.c.Batch {
			i := n*t.c.In + channel
			spreadInto(m.plane, t.x[i*in:(i+1)*in], s, &p)
			for j := range each {
				t.addDots(m, m.sums[j*len(m.offsets):], i*each+j, s, &p)
			}
		}
		for j := range each {
			for k := range taps {
				t.dst[(channel*each+j)*taps+k] = T(m.sums[j*len(m.offsets)+k])
			}
		}
	}
}

// addDots adds the products of a channel of the maps with the spread plane.
func (t *depthwise[T]) addDots(m *windowMemory[T], sums []float64, channel int, s *slide, p *spreadPlane) {
	d, h, w := &s.axes[0], &s.axes[1], &s.axes[2]
	y, l := t.y[channel*t.c.mapSize():(channel+1)*t.c.mapSize()], windowLoopsOf[T](w.Out)
	for z := range d.Out {
		for k := 0; k < len(m.offsets); k += dotTaps {
			l.dots(&m.dots, y[z*h.Out*w.Out:], m.plane[z*d.Stride*p.layer:], (*[dotTaps]int)(m.offsets[k:]), w.Out, h.Out, w.Out, h.Stride*p.row)
			for i, v := range m.dots {
				sums[k+i] += float64(v)
			}
		}
	}
}
