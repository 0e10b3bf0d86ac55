package kernel

// Convolution is the geometry that a convolution, its transpose and the
// gradient of its weights have in common. It relates images, batch × In
// channels, to maps, batch × Out channels. An element of a map is a weighted
// sum of a window of the image:
//
//	map[n][o][at] = Σ image[n][i][at·Stride − Before + k·Dilation] · w[o][i][k]
//
// over the kernel's places k and the channels i of o's group. Places outside
// the image hold zeros. Weights are Out × In/Groups × kernel.
type Convolution struct {
	Batch, In, Out, Groups int
	Axes                   [3]ConvolutionAxis // of fewer axes, the last ones; the others are PointAxis
}

// ConvolutionAxis is the geometry along one axis.
type ConvolutionAxis struct{ Image, Map, Kernel, Stride, Before, Dilation int }

// PointAxis is an axis that is not there: of length 1 on all sides.
var PointAxis = ConvolutionAxis{Image: 1, Map: 1, Kernel: 1, Stride: 1, Dilation: 1}

// imageSize, mapSize and kernelSize are the numbers of elements of one channel.
func (c *Convolution) imageSize() int  { return c.Axes[0].Image * c.Axes[1].Image * c.Axes[2].Image }
func (c *Convolution) mapSize() int    { return c.Axes[0].Map * c.Axes[1].Map * c.Axes[2].Map }
func (c *Convolution) kernelSize() int { return c.Axes[0].Kernel * c.Axes[1].Kernel * c.Axes[2].Kernel }

// inGroup and outGroup are the channels of one group.
func (c *Convolution) inGroup() int  { return c.In / c.Groups }
func (c *Convolution) outGroup() int { return c.Out / c.Groups }

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

// Conv is the convolution: dst are the maps of the images x. bias has a number
// for each channel of dst, or is nil.
func Conv[T Float](dst, x, w, bias []T, c Convolution) {
	if c.isDepthwise() {
		depthwiseConv(dst, x, w, bias, c)
		return
	}
	size, from := c.mapSize(), c.imageSize()
	for plane := range c.Batch * c.Out {
		n, o := plane/c.Out, plane%c.Out
		to := dst[plane*size : (plane+1)*size]
		fillBias(to, bias, o)
		for i := range c.inGroup() {
			channel := n*c.In + o/c.outGroup()*c.inGroup() + i
			weights := w[(o*c.inGroup()+i)*c.kernelSize():][:c.kernelSize()]
			c.eachRun(func(k, m, at, length int) {
				v, source := weights[k], x[channel*from+at:]
				for j := range length {
					to[m+j] += v * source[j*c.Axes[2].Stride]
				}
			})
		}
	}
}

// ConvTranspose is the transposed convolution: dst are the images to which the
// maps y contribute, each element as much as it was computed from.
func ConvTranspose[T Float](dst, y, w, bias []T, c Convolution) {
	if c.isDepthwise() {
		depthwiseTranspose(dst, y, w, bias, c)
		return
	}
	size, from := c.imageSize(), c.mapSize()
	for plane := range c.Batch * c.In {
		n, i := plane/c.In, plane%c.In
		to := dst[plane*size : (plane+1)*size]
		fillBias(to, bias, i)
		for o := range c.outGroup() {
			channel := i/c.inGroup()*c.outGroup() + o
			weights := w[(channel*c.inGroup()+i%c.inGroup())*c.kernelSize():][:c.kernelSize()]
			source := y[(n*c.Out+channel)*from:][:from]
			c.eachRun(func(k, m, at, length int) {
				v := weights[k]
				for j := range length {
					to[at+j*c.Axes[2].Stride] += v * source[m+j]
				}
			})
		}
	}
}

func fillBias[T Float](dst, bias []T, channel int) {
	clear(dst)
	if bias != nil {
		Fill(dst, bias[channel])
	}
}

// ConvWeights is the gradient of the weights, for the images x and the gradient
// y of the maps.
func ConvWeights[T Float](dst, x, y []T, c Convolution) {
	if c.isDepthwise() {
		depthwiseGrad(dst, x, y, c)
		return
	}
	clear(dst)
	images, maps := c.imageSize(), c.mapSize()
	for o := range c.Out {
		for i := range c.inGroup() {
			to := dst[(o*c.inGroup()+i)*c.kernelSize():][:c.kernelSize()]
			for n := range c.Batch {
				image := x[(n*c.In+o/c.outGroup()*c.inGroup()+i)*images:][:images]
				gradient := y[(n*c.Out+o)*maps:][:maps]
				c.eachRun(func(k, m, at, length int) {
					var sum T
					for j := range length {
						sum += gradient[m+j] * image[at+j*c.Axes[2].Stride]
					}
					to[k] += sum
				})
			}
		}
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

// Unfold copies the window of each place of the maps into a column: dst is
// batch × In·kernel × map.
func Unfold[T Float](dst, x []T, c Convolution) {
	clear(dst)
	c.eachWindow(func(to, from int) { dst[to] = x[from] })
}

// Fold adds the columns to the places of the images that Unfold takes them
// from.
func Fold[T Float](dst, y []T, c Convolution) {
	clear(dst)
	c.eachWindow(func(from, to int) { dst[to] += y[from] })
}

// eachWindow calls f for each element of the columns, and its place in the
// images.
func (c *Convolution) eachWindow(f func(column, image int)) {
	images, maps, taps := c.imageSize(), c.mapSize(), c.kernelSize()
	for plane := range c.Batch * c.In {
		c.eachRun(func(k, m, at, length int) {
			for j := range length {
				f((plane*taps+k)*maps+m+j, plane*images+at+j*c.Axes[2].Stride)
			}
		})
	}
}
