package kernel

// Convolution is the geometry that a convolution, its transpose and the
// gradient of its weights have in common. It relates images, batch × In
// channels, to maps, batch × Out channels. An element of a map is a weighted
// sum of a window of the image:
//
//	map[n][o][at] = Σ image[n][i][at·Stride − Before + k·Dilation] · w[o][i][k]
//
// over the kernel's places k and the channels i of o's group. Places outside
// the image hold zeros, which are multiplied as all else is: 0·Inf is NaN.
// Weights are Out × In/Groups × kernel.
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

// products is the number of multiplications.
func (c *Convolution) products() int {
	return c.Batch * c.Out * c.inGroup() * c.kernelSize() * c.mapSize()
}

// Conv is the convolution: dst are the maps of the images x. bias has a number
// for each channel of dst, or is nil.
func Conv[T Float](dst, x, w, bias []T, c Convolution) {
	if c.isDepthwise() && c.Groups > 1 { // a single channel is better shared by all maps
		depthwiseConv(dst, x, w, bias, c)
		return
	}
	correlate(convKernelsOf[T](), dst, x, w, bias, &c, false)
}

// ConvTranspose is the transposed convolution: dst are the images to which the
// maps y contribute, each element as much as it was computed from.
func ConvTranspose[T Float](dst, y, w, bias []T, c Convolution) {
	if c.isDepthwise() {
		depthwiseTranspose(dst, y, w, bias, c)
		return
	}
	correlate(convKernelsOf[T](), dst, y, w, bias, &c, true)
}
