package layers

import (
	"math"
	"math/rand/v2"
	"slices"

	"nabla/autograd"
)

// An Initializer returns initial weights of a shape. FanIn is how many numbers
// each output of the layer is a weighted sum of, and fanOut in how many outputs
// each input counts: in a [Dense] layer its inputs and outputs, in a
// convolution those of one place, which are channels times the kernel's size.
// One of your own should draw from nothing but the rng: then runs can be
// repeated.
type Initializer func(rng *rand.Rand, fanIn, fanOut int, shape ...int) autograd.Tensor

// GlorotUniform draws from ±√(6/(fanIn+fanOut)), which keeps the variance both
// of activations and of gradients with tanh and sigmoid (Glorot and Bengio,
// 2010).
func GlorotUniform(rng *rand.Rand, fanIn, fanOut int, shape ...int) autograd.Tensor {
	return uniform("GlorotUniform", rng, math.Sqrt(6/float64(fanIn+fanOut)), shape)
}

// GlorotNormal draws from the normal distribution of mean 0 and standard
// deviation √(2/(fanIn+fanOut)), not truncated.
func GlorotNormal(rng *rand.Rand, fanIn, fanOut int, shape ...int) autograd.Tensor {
	return normal("GlorotNormal", rng, math.Sqrt(2/float64(fanIn+fanOut)), shape)
}

// HeUniform draws from ±√(6/fanIn), which keeps the variance of activations
// with ReLU (He et al., 2015).
func HeUniform(rng *rand.Rand, fanIn, fanOut int, shape ...int) autograd.Tensor {
	return uniform("HeUniform", rng, math.Sqrt(6/float64(fanIn)), shape)
}

// HeNormal draws from the normal distribution of mean 0 and standard deviation
// √(2/fanIn), not truncated.
func HeNormal(rng *rand.Rand, fanIn, fanOut int, shape ...int) autograd.Tensor {
	return normal("HeNormal", rng, math.Sqrt(2/float64(fanIn)), shape)
}

// LeCunUniform draws from ±√(3/fanIn), which keeps the variance of activations
// with SELU (LeCun et al., 1998; Klambauer et al., 2017).
func LeCunUniform(rng *rand.Rand, fanIn, fanOut int, shape ...int) autograd.Tensor {
	return uniform("LeCunUniform", rng, math.Sqrt(3/float64(fanIn)), shape)
}

// LeCunNormal draws from the normal distribution of mean 0 and standard
// deviation √(1/fanIn), not truncated.
func LeCunNormal(rng *rand.Rand, fanIn, fanOut int, shape ...int) autograd.Tensor {
	return normal("LeCunNormal", rng, math.Sqrt(1/float64(fanIn)), shape)
}

// ZeroWeights is 0 everywhere. It draws nothing, so the rng may be nil. The
// neurons of a hidden layer that starts with it all learn the same.
func ZeroWeights(_ *rand.Rand, _, _ int, shape ...int) autograd.Tensor {
	return autograd.Zeros(shape...)
}

// Constant returns an Initializer that is c everywhere. It draws nothing, so
// the rng may be nil.
func Constant(c float64) Initializer {
	return func(_ *rand.Rand, _, _ int, shape ...int) autograd.Tensor { return autograd.Full(c, shape...) }
}

// newWeight returns a Param of weights that the Initializer, or GlorotUniform
// for nil, draws for the layer op.
func newWeight(op string, f Initializer, rng *rand.Rand, p autograd.Precision, fanIn, fanOut int, shape ...int) *autograd.Param {
	if f == nil {
		f = GlorotUniform
	}
	weights := f(rng, fanIn, fanOut, slices.Clone(shape)...)
	if !slices.Equal(weights.Shape(), shape) {
		panic(autograd.NewShapeError(op, "the Initializer did not return the shape of the weights", weights.Shape(), shape))
	}
	return autograd.NewParam("", weights.In(p))
}

func uniform(op string, rng *rand.Rand, bound float64, shape []int) autograd.Tensor {
	mustDraw(op, rng)
	return autograd.Uniform(rng, -bound, bound, shape...)
}

func normal(op string, rng *rand.Rand, deviation float64, shape []int) autograd.Tensor {
	mustDraw(op, rng)
	return autograd.Normal(rng, 0, deviation, shape...)
}

func mustDraw(op string, rng *rand.Rand) {
	if rng == nil {
		panic(autograd.NewArgumentError("layers: "+op, "the rng is nil: pass rand.New(rand.NewPCG(seed, 0))"))
	}
}
