package layers

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"nabla/autograd"
)

// A ConvTranspose layer spreads each element of [batch, channels, …] over a
// window, as the gradient of a [Conv] does, and so makes images larger.
// [NewConvTranspose2D] and its kin make one, or a literal with Params of your
// own. The layout is PyTorch's.
type ConvTranspose struct {
	Weight *autograd.Param // [in, out/groups, kernel…]
	Bias   *autograd.Param // [out]; nil for none

	// These are as in [autograd.ConvTransposeOptions].
	Stride        []int
	Padding       [][2]int
	OutputPadding []int
	Dilation      []int
	Groups        int
	label
}

// ConvTransposeOptions are what [NewConvTranspose2D] and its kin leave at their
// defaults, which are those of the zero ConvTransposeOptions. Lists have an
// entry for each spatial axis, or one for all.
type ConvTransposeOptions struct {
	Kernel        []int    // lengths that differ by axis, in place of the one, which is 0 then
	Stride        []int    // steps between the windows of neighboring inputs; nil: 1
	Padding       [][2]int // what is cut off before and after; nil: nothing
	OutputPadding []int    // elements more at the end; nil: none
	Dilation      []int    // steps between the elements of a window; nil: 1
	Groups        int      // of channels, each on its own; 0: 1

	Weights   Initializer        // nil: GlorotUniform
	Name      string             // of the scope and, with ".weight" and ".bias", of the Params
	NoBias    bool               // leave b out
	Precision autograd.Precision // of the Params
}

// NewConvTranspose1D returns a transposed convolution of sequences [batch, in,
// length].
func NewConvTranspose1D(rng *rand.Rand, in, out, kernel int) *ConvTranspose {
	return newConvTranspose(1, rng, in, out, kernel, ConvTransposeOptions{})
}

// NewConvTranspose1DWith is [NewConvTranspose1D] with options.
func NewConvTranspose1DWith(rng *rand.Rand, in, out, kernel int, options ConvTransposeOptions) *ConvTranspose {
	return newConvTranspose(1, rng, in, out, kernel, options)
}

// NewConvTranspose2D returns a transposed convolution of images [batch, in,
// height, width] with kernels kernel × kernel, by steps of 1. Its weights are
// drawn by [GlorotUniform], its biases are 0. It panics with an
// *[autograd.ArgumentError] if a number is not positive or the rng is nil.
func NewConvTranspose2D(rng *rand.Rand, in, out, kernel int) *ConvTranspose {
	return newConvTranspose(2, rng, in, out, kernel, ConvTransposeOptions{})
}

// NewConvTranspose2DWith is [NewConvTranspose2D] with options. It also panics
// with an *[autograd.ArgumentError] or *[autograd.ShapeError] if they make no
// sense. These double height and width:
//
//	layers.NewConvTranspose2DWith(rng, 16, 8, 2, layers.ConvTransposeOptions{Stride: []int{2}})
func NewConvTranspose2DWith(rng *rand.Rand, in, out, kernel int, options ConvTransposeOptions) *ConvTranspose {
	return newConvTranspose(2, rng, in, out, kernel, options)
}

// NewConvTranspose3D returns a transposed convolution of volumes [batch, in,
// depth, height, width].
func NewConvTranspose3D(rng *rand.Rand, in, out, kernel int) *ConvTranspose {
	return newConvTranspose(3, rng, in, out, kernel, ConvTransposeOptions{})
}

// NewConvTranspose3DWith is [NewConvTranspose3D] with options.
func NewConvTranspose3DWith(rng *rand.Rand, in, out, kernel int, options ConvTransposeOptions) *ConvTranspose {
	return newConvTranspose(3, rng, in, out, kernel, options)
}

func newConvTranspose(axes int, rng *rand.Rand, in, out, kernel int, options ConvTransposeOptions) *ConvTranspose {
	k := newKernels(fmt.Sprintf("layers: ConvTranspose%dD", axes), axes, in, out, options.Groups, kernel, options.Kernel)
	c := &ConvTranspose{
		Stride: slices.Clone(options.Stride), Padding: slices.Clone(options.Padding),
		OutputPadding: slices.Clone(options.OutputPadding), Dilation: slices.Clone(options.Dilation), Groups: options.Groups, label: userLabel(options.Name),
	}
	c.Weight = k.weight(options.Weights, rng, options.Precision, in, out/k.groups)
	if !options.NoBias {
		c.Bias = autograd.NewParam("", autograd.Zeros(out).In(options.Precision))
	}
	c.place(newNaming(), "")
	tryEmpty(c, in, k.lengths, options.Dilation, options.Padding)
	return c
}

// Name returns the layer's name, which is "convtranspose" until it has one.
func (c *ConvTranspose) Name() string { return c.or("convtranspose") }

// op is what errors call the layer.
func (c *ConvTranspose) op() string { return fmt.Sprintf("layers: ConvTranspose %q", c.Name()) }

func (c *ConvTranspose) place(n *naming, path string) {
	c.check()
	placeAll(n, path+c.Name(), c.Weight, c.Bias)
}

func (c *ConvTranspose) check() {
	if c == nil || c.Weight == nil {
		panic(autograd.NewArgumentError("layers: ConvTranspose", "there is no Weight"))
	}
	if !hasKernels(c.Weight) {
		panic(autograd.NewShapeError(c.op(), "the weights are not [in, out/groups, kernel…] with one to three spatial axes", c.Weight.Shape()))
	}
}

// Params returns the weights and, if there are any, the biases.
func (c *ConvTranspose) Params() []*autograd.Param { return present(c.Weight, c.Bias) }

// Forward returns the transposed convolution of x, [batch, out, …]. It panics
// with an *[autograd.ShapeError] if x has other channels or axes than the
// weights are for, or nothing is left of an axis; and with an
// *[autograd.ArgumentError] without a Weight.
func (c *ConvTranspose) Forward(x autograd.Value) autograd.Value {
	c.check()
	g := enter(x, c.Name())
	defer leave(g, c)
	checkChannels(x, c.Weight, c.Weight.Dim(0))
	options := autograd.ConvTransposeOptions{
		Bias: recorded(g, c.Bias), Stride: c.Stride, Padding: c.Padding, OutputPadding: c.OutputPadding,
		Dilation: c.Dilation, Groups: c.Groups,
	}
	return x.ConvTranspose(g.Param(c.Weight), options).Named("z")
}
