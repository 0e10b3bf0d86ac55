package layers

import (
	"slices"

	"nabla/autograd"
)

// MaxPool1D returns a layer that takes the greatest of every so many elements
// of [batch, channels, length].
func MaxPool1D(kernel int) Layer { return MaxPool1DWith(square(kernel)) }

// MaxPool1DWith is [MaxPool1D] with options.
func MaxPool1DWith(options autograd.PoolOptions) Layer { return maxPool("MaxPool1D", 1, options) }

// MaxPool2D returns a layer that takes the greatest element of each window of
// kernel × kernel of [batch, channels, height, width], one window beside the
// other: what is left at the end is left out. It panics with an
// *[autograd.ArgumentError] if the kernel is not positive.
func MaxPool2D(kernel int) Layer { return MaxPool2DWith(square(kernel)) }

// MaxPool2DWith is [MaxPool2D] with options, such as overlapping windows. It
// also panics if they make no sense.
func MaxPool2DWith(options autograd.PoolOptions) Layer { return maxPool("MaxPool2D", 2, options) }

// MaxPool3D is [MaxPool2D] for [batch, channels, depth, height, width].
func MaxPool3D(kernel int) Layer { return MaxPool3DWith(square(kernel)) }

// MaxPool3DWith is [MaxPool3D] with options.
func MaxPool3DWith(options autograd.PoolOptions) Layer { return maxPool("MaxPool3D", 3, options) }

// AvgPool1D is [MaxPool1D] with the mean.
func AvgPool1D(kernel int) Layer { return AvgPool1DWith(square(kernel)) }

// AvgPool1DWith is [AvgPool1D] with options.
func AvgPool1DWith(options autograd.PoolOptions) Layer { return avgPool("AvgPool1D", 1, options) }

// AvgPool2D is [MaxPool2D] with the mean.
func AvgPool2D(kernel int) Layer { return AvgPool2DWith(square(kernel)) }

// AvgPool2DWith is [AvgPool2D] with options.
func AvgPool2DWith(options autograd.PoolOptions) Layer { return avgPool("AvgPool2D", 2, options) }

// AvgPool3D is [MaxPool3D] with the mean.
func AvgPool3D(kernel int) Layer { return AvgPool3DWith(square(kernel)) }

// AvgPool3DWith is [AvgPool3D] with options.
func AvgPool3DWith(options autograd.PoolOptions) Layer { return avgPool("AvgPool3D", 3, options) }

func square(kernel int) autograd.PoolOptions { return autograd.PoolOptions{Kernel: []int{kernel}} }

func maxPool(name string, axes int, options autograd.PoolOptions) Layer {
	return pool("maxpool", name, axes, options, autograd.Value.MaxPool)
}

func avgPool(name string, axes int, options autograd.PoolOptions) Layer {
	return pool("avgpool", name, axes, options, autograd.Value.AvgPool)
}

func pool(kind, name string, axes int, options autograd.PoolOptions, f func(autograd.Value, autograd.PoolOptions) autograd.Value) Layer {
	options.Kernel, options.Stride = slices.Clone(options.Kernel), slices.Clone(options.Stride)
	options.Padding, options.Dilation = slices.Clone(options.Padding), slices.Clone(options.Dilation)
	l := newSpatial(kind, name, axes, func(x autograd.Value) autograd.Value { return f(x, options) })
	lengths := make([]int, axes)
	copy(lengths, options.Kernel)
	tryEmpty(l, 1, lengths, options.Dilation, options.Padding)
	return l
}

// GlobalMaxPool returns a layer that takes the greatest element of each
// channel: [batch, channels, …] becomes [batch, channels].
func GlobalMaxPool() Layer {
	return newSpatial("globalmaxpool", "GlobalMaxPool", 0, autograd.Value.GlobalMaxPool)
}

// GlobalAvgPool returns a layer that takes the mean of each channel: [batch,
// channels, …] becomes [batch, channels].
func GlobalAvgPool() Layer {
	return newSpatial("globalavgpool", "GlobalAvgPool", 0, autograd.Value.GlobalAvgPool)
}

// Upsample returns a layer that changes the lengths of the spatial axes, as
// Value.Upsample does. It panics with an *[autograd.ArgumentError] if the
// options make no sense.
//
//	layers.Upsample(autograd.UpsampleOptions{Scale: []int{2}}) // twice as high and wide
func Upsample(options autograd.UpsampleOptions) Layer {
	options.Scale, options.Size = slices.Clone(options.Scale), slices.Clone(options.Size)
	l := newSpatial("upsample", "Upsample", 0, func(x autograd.Value) autograd.Value { return x.Upsample(options) })
	axes := max(len(options.Scale), len(options.Size), 1)
	tryEmpty(l, 1, make([]int, min(axes, 3)), nil, nil)
	return l
}

// PixelShuffle returns a layer that makes images factor times as high and wide
// out of their channels: [batch, channels·factor², height, width] becomes
// [batch, channels, height·factor, width·factor]. It panics with an
// *[autograd.ArgumentError] if the factor is not positive.
func PixelShuffle(factor int) Layer {
	checkFactor("PixelShuffle", factor)
	return newSpatial("pixelshuffle", "PixelShuffle", 2, func(x autograd.Value) autograd.Value { return x.PixelShuffle(factor) })
}

// PixelUnshuffle returns a layer that does the inverse of [PixelShuffle].
func PixelUnshuffle(factor int) Layer {
	checkFactor("PixelUnshuffle", factor)
	return newSpatial("pixelunshuffle", "PixelUnshuffle", 2, func(x autograd.Value) autograd.Value { return x.PixelUnshuffle(factor) })
}

func checkFactor(creator string, factor int) {
	if factor < 1 {
		panic(autograd.NewArgumentError("layers: "+creator, "a factor of %d", factor))
	}
}
