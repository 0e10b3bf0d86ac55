package layers

import (
	"math"
	"math/rand/v2"

	"nabla/autograd"
)

// An Initializer returns the initial weights, of shape [in, out], of a layer
// with that many inputs and outputs. One of your own should draw from nothing
// but the rng: then runs can be repeated.
type Initializer func(rng *rand.Rand, in, out int) autograd.Tensor

// GlorotUniform draws from ±√(6/(in+out)), which keeps the variance both of
// activations and of gradients with tanh and sigmoid (Glorot and Bengio, 2010).
func GlorotUniform(rng *rand.Rand, in, out int) autograd.Tensor {
	return uniform("GlorotUniform", rng, math.Sqrt(6/float64(in+out)), in, out)
}

// GlorotNormal draws from the normal distribution of mean 0 and standard
// deviation √(2/(in+out)), not truncated.
func GlorotNormal(rng *rand.Rand, in, out int) autograd.Tensor {
	return normal("GlorotNormal", rng, math.Sqrt(2/float64(in+out)), in, out)
}

// HeUniform draws from ±√(6/in), which keeps the variance of activations with
// ReLU (He et al., 2015).
func HeUniform(rng *rand.Rand, in, out int) autograd.Tensor {
	return uniform("HeUniform", rng, math.Sqrt(6/float64(in)), in, out)
}

// HeNormal draws from the normal distribution of mean 0 and standard deviation
// √(2/in), not truncated.
func HeNormal(rng *rand.Rand, in, out int) autograd.Tensor {
	return normal("HeNormal", rng, math.Sqrt(2/float64(in)), in, out)
}

// LeCunUniform draws from ±√(3/in), which keeps the variance of activations
// with SELU (LeCun et al., 1998; Klambauer et al., 2017).
func LeCunUniform(rng *rand.Rand, in, out int) autograd.Tensor {
	return uniform("LeCunUniform", rng, math.Sqrt(3/float64(in)), in, out)
}

// LeCunNormal draws from the normal distribution of mean 0 and standard
// deviation √(1/in), not truncated.
func LeCunNormal(rng *rand.Rand, in, out int) autograd.Tensor {
	return normal("LeCunNormal", rng, math.Sqrt(1/float64(in)), in, out)
}

// ZeroWeights is 0 everywhere. It draws nothing, so the rng may be nil. The
// neurons of a hidden layer that starts with it all learn the same.
func ZeroWeights(_ *rand.Rand, in, out int) autograd.Tensor { return autograd.Zeros(in, out) }

// Constant returns an Initializer that is c everywhere. It draws nothing, so
// the rng may be nil.
func Constant(c float64) Initializer {
	return func(_ *rand.Rand, in, out int) autograd.Tensor { return autograd.Full(c, in, out) }
}

func uniform(op string, rng *rand.Rand, bound float64, in, out int) autograd.Tensor {
	mustDraw(op, rng)
	return autograd.Uniform(rng, -bound, bound, in, out)
}

func normal(op string, rng *rand.Rand, deviation float64, in, out int) autograd.Tensor {
	mustDraw(op, rng)
	return autograd.Normal(rng, 0, deviation, in, out)
}

func mustDraw(op string, rng *rand.Rand) {
	if rng == nil {
		panic(autograd.NewArgumentError("layers: "+op, "the rng is nil: pass rand.New(rand.NewPCG(seed, 0))"))
	}
}
