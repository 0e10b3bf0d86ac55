package kernel

// Unfold copies the window of each place of the maps into a column: dst is
// batch × In·kernel × map.
func Unfold[T Float](dst, x []T, c Convolution) {
	clear(dst)
	stride := c.Axes[2].Stride
	c.eachWindow(func(column, image, length int) {
		to, from := dst[column:column+length], x[image:]
		if stride == 1 {
			copy(to, from)
			return
		}
		for j := range to {
			to[j] = from[j*stride]
		}
	})
}

// Fold adds the columns to the places of the images that Unfold takes them
// from.
func Fold[T Float](dst, y []T, c Convolution) {
	clear(dst)
	stride := c.Axes[2].Stride
	c.eachWindow(func(column, image, length int) {
		from, to := y[column:column+length], dst[image:]
		if stride == 1 {
			Accumulate(to[:length], from)
			return
		}
		for j, v := range from {
			to[j*stride] += v
		}
	})
}

// eachWindow calls f for each run of the columns' elements: where it begins,
// and its place in the images.
func (c *Convolution) eachWindow(f func(column, image, length int)) {
	images, maps, taps := c.imageSize(), c.mapSize(), c.kernelSize()
	for plane := range c.Batch * c.In {
		c.eachRun(func(k, m, at, length int) {
			f((plane*taps+k)*maps+m, plane*images+at, length)
		})
	}
}

// eachRun calls f for each place k of the kernel and each run of a map's
// elements along the last axis at which it meets the image: those from m on,
// and from at on in the image.
func (c *Convolution) eachRun(f func(k, m, at, length int)) {
	d, h, w := &c.Axes[0], &c.Axes[1], &c.Axes[2]
	k := 0
	for kd := range d.Kernel {
		for kh := range h.Kernel {
			for kw := range w.Kernel {
				dLo, dHi, dFirst := d.within(kd)
				hLo, hHi, hFirst := h.within(kh)
				wLo, wHi, wFirst := w.within(kw)
				for i := dLo; i < dHi && wHi > wLo; i++ {
					for j := hLo; j < hHi; j++ {
						at := ((dFirst+i*d.Stride)*h.Image+hFirst+j*h.Stride)*w.Image + wFirst + wLo*w.Stride
						f(k, (i*h.Map+j)*w.Map+wLo, at, wHi-wLo)
					}
				}
				k++
			}
		}
	}
}

// within returns the places lo ≤ at < hi of the map at which place k of the
// kernel meets the image, and the image's place at at = 0.
func (a *ConvolutionAxis) within(k int) (lo, hi, first int) {
	first = k*a.Dilation - a.Before
	if first < 0 {
		lo = blocks(-first, a.Stride)
	}
	if first < a.Image {
		hi = min(a.Map, blocks(a.Image-first, a.Stride))
	}
	return lo, max(lo, hi), first
}
