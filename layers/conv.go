package layers

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"nabla/autograd"
)

// A Conv layer convolves images, sequences or volumes [batch, channels, …] with
// kernels, each of which makes one channel of the output: z = x ∗ W + b.
// [NewConv2D] and its kin make one, or a literal with Params of your own, whose
// number of axes says how many spatial ones there are. The layout is PyTorch's.
type Conv struct {
	Weight *autograd.Param // [out, in/groups, kernel…]
	Bias   *autograd.Param // [out]; nil for none

	// These are as in [autograd.ConvOptions].
	Stride   []int
	Padding  [][2]int
	Same     bool
	Dilation []int
	Groups   int
	label
}

// ConvOptions are what [NewConv2D] and its kin leave at their defaults, which
// are those of the zero ConvOptions. Lists have an entry for each spatial axis,
// or one for all.
type ConvOptions struct {
	Kernel   []int    // lengths that differ by axis, in place of the one, which is 0 then
	Stride   []int    // steps between neighboring outputs; nil: 1
	Padding  [][2]int // zeros before and after; nil: none
	Same     bool     // pad so that the output has ceil(n/stride) elements, the surplus at the end
	Dilation []int    // steps between the elements that a kernel meets; nil: 1
	Groups   int      // of channels, each convolved on its own: in for a depthwise convolution; 0: 1

	Weights   Initializer        // nil: GlorotUniform
	Name      string             // of the scope and, with ".weight" and ".bias", of the Params
	NoBias    bool               // leave b out
	Precision autograd.Precision // of the Params
}

// NewConv1D returns a convolution of sequences [batch, in, length].
func NewConv1D(rng *rand.Rand, in, out, kernel int) *Conv {
	return newConv(1, rng, in, out, kernel, ConvOptions{})
}

// NewConv1DWith is [NewConv1D] with options.
func NewConv1DWith(rng *rand.Rand, in, out, kernel int, options ConvOptions) *Conv {
	return newConv(1, rng, in, out, kernel, options)
}

// NewConv2D returns a convolution of images [batch, in, height, width] with
// kernels kernel × kernel, by steps of 1 and without padding. Its weights are
// drawn by [GlorotUniform], its biases are 0. It panics with an
// *[autograd.ArgumentError] if a number is not positive or the rng is nil.
func NewConv2D(rng *rand.Rand, in, out, kernel int) *Conv {
	return newConv(2, rng, in, out, kernel, ConvOptions{})
}

// NewConv2DWith is [NewConv2D] with options. It also panics with an
// *[autograd.ArgumentError] or *[autograd.ShapeError] if they make no sense,
// such as a stride of 0 or groups that do not divide the channels.
//
//	layers.NewConv2DWith(rng, 3, 16, 3, layers.ConvOptions{Stride: []int{2}, Same: true})
func NewConv2DWith(rng *rand.Rand, in, out, kernel int, options ConvOptions) *Conv {
	return newConv(2, rng, in, out, kernel, options)
}

// NewConv3D returns a convolution of volumes [batch, in, depth, height, width].
func NewConv3D(rng *rand.Rand, in, out, kernel int) *Conv {
	return newConv(3, rng, in, out, kernel, ConvOptions{})
}

// NewConv3DWith is [NewConv3D] with options.
func NewConv3DWith(rng *rand.Rand, in, out, kernel int, options ConvOptions) *Conv {
	return newConv(3, rng, in, out, kernel, options)
}

func newConv(axes int, rng *rand.Rand, in, out, kernel int, options ConvOptions) *Conv {
	k := newKernels(fmt.Sprintf("layers: Conv%dD", axes), axes, in, out, options.Groups, kernel, options.Kernel)
	c := &Conv{
		Stride: slices.Clone(options.Stride), Padding: slices.Clone(options.Padding), Same: options.Same,
		Dilation: slices.Clone(options.Dilation), Groups: options.Groups, label: userLabel(options.Name),
	}
	c.Weight = k.weight(options.Weights, rng, options.Precision, out, in/k.groups)
	if !options.NoBias {
		c.Bias = autograd.NewParam("", autograd.Zeros(out).In(options.Precision))
	}
	c.place(newNaming(), "")
	tryEmpty(c, in, k.lengths, options.Dilation, options.Padding)
	return c
}

// Name returns the layer's name, which is "conv" until it has one.
func (c *Conv) Name() string { return c.or("conv") }

// op is what errors call the layer.
func (c *Conv) op() string { return fmt.Sprintf("layers: Conv %q", c.Name()) }

func (c *Conv) place(n *naming, path string) {
	c.check()
	placeAll(n, path+c.Name(), c.Weight, c.Bias)
}

func (c *Conv) check() {
	if c == nil || c.Weight == nil {
		panic(autograd.NewArgumentError("layers: Conv", "there is no Weight"))
	}
	if !hasKernels(c.Weight) {
		panic(autograd.NewShapeError(c.op(), "the weights are not [out, in/groups, kernel…] with one to three spatial axes", c.Weight.Shape()))
	}
}

// Params returns the weights and, if there are any, the biases.
func (c *Conv) Params() []*autograd.Param { return present(c.Weight, c.Bias) }

// Forward returns the convolution of x, [batch, out, …]. It panics with an
// *[autograd.ShapeError] if x has other channels or axes than the weights are
// for, or is, with its padding, smaller than the kernel; and with an
// *[autograd.ArgumentError] without a Weight.
func (c *Conv) Forward(x autograd.Value) autograd.Value {
	c.check()
	g := enter(x, c.Name())
	defer leave(g, c)
	checkChannels(x, c.Weight, c.Weight.Dim(1)*max(c.Groups, 1))
	options := autograd.ConvOptions{Bias: recorded(g, c.Bias), Stride: c.Stride, Padding: c.Padding, Same: c.Same, Dilation: c.Dilation, Groups: c.Groups}
	return x.Conv(g.Param(c.Weight), options).Named("z")
}

// kernels are the sizes of a convolution that is being made.
type kernels struct {
	op              string
	in, out, groups int
	lengths         []int // of the kernel, by axis
}

// newKernels returns the sizes, with a length for all axes or one for each. It
// panics if they make no sense.
func newKernels(op string, axes, in, out, groups, length int, each []int) kernels {
	switch {
	case each == nil:
		each = slices.Repeat([]int{length}, axes)
	case length != 0:
		panic(autograd.NewArgumentError(op, "a kernel of %d and the lengths %v: give one of them, and 0", length, each))
	}
	k := kernels{op, in, out, max(groups, 1), slices.Clone(each)}
	switch {
	case in < 1 || out < 1 || len(each) != axes || slices.Min(each) < 1:
		panic(autograd.NewArgumentError(op, "%d channels to %d with a kernel %v: there must be %d lengths, and all numbers positive", in, out, each, axes))
	case groups < 0:
		panic(autograd.NewArgumentError(op, "%d groups", groups))
	case in%k.groups != 0 || out%k.groups != 0:
		panic(autograd.NewArgumentError(op, "%d groups do not divide %d channels to %d", groups, in, out))
	}
	return k
}

// weight draws the weights of shape [first, second, kernel…]. Each output is a
// sum over the channels of its group and the places of the kernel, whatever
// PyTorch counts for groups and transposed convolutions.
func (k kernels) weight(f Initializer, rng *rand.Rand, p autograd.Precision, first, second int) *autograd.Param {
	places := 1
	for _, n := range k.lengths {
		places *= n
	}
	shape := append([]int{first, second}, k.lengths...)
	return newWeight(k.op, f, rng, p, k.in/k.groups*places, k.out/k.groups*places, shape...)
}

// tryEmpty passes an empty batch of images that are larger than the kernel
// through a new layer, so that its operation looks at the settings where they
// stand in the program.
func tryEmpty(l Layer, channels int, kernel, dilation []int, padding [][2]int) {
	size := max(1, slices.Max(kernel))
	for _, n := range dilation {
		size = max(size, size*n)
	}
	for _, p := range padding {
		size += max(0, p[0]) + max(0, p[1])
	}
	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	l.Forward(g.Full(0, append([]int{0, channels}, slices.Repeat([]int{size}, len(kernel))...)...))
}

// hasKernels reports whether weights, which may have been set by hand, have one
// to three spatial axes.
func hasKernels(weight *autograd.Param) bool { return weight.Rank() >= 3 && weight.Rank() <= 5 }

// checkChannels panics unless x has the weights' spatial axes and that many
// channels.
func checkChannels(x autograd.Value, weight *autograd.Param, channels int) {
	checkSpatial(x, weight.Rank()-2)
	if x.Dim(1) != channels {
		reason := fmt.Sprintf("the input must have %d channels along axis 1", channels)
		panic(autograd.NewShapeError("layers", reason, x.Shape(), weight.Shape()))
	}
}
