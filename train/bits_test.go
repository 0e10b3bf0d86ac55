package train_test

import (
	"encoding/binary"
	"hash/crc64"
	"math"
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/internal/kernel"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/train"
)

// A training by the portable kernels gives the same bits on processors that do
// not fuse a product and a sum: on amd64 with NABLA_KERNEL=portable, and in
// WebAssembly. Where it takes an exponential, that of Go's math is assembly on
// amd64 and differs in the last bit.
func TestBits(t *testing.T) {
	if kernel.Set() != "portable" {
		t.Skip("the bits are those of the portable kernels: run it with NABLA_KERNEL=portable")
	}
	if fuses(1+0x1p-30, 1-0x1p-30, -1) {
		t.Skip("the compiler fuses products and sums for this processor")
	}
	dense := func(activation layers.Layer) func(rng *rand.Rand) *layers.Sequential {
		return func(rng *rand.Rand) *layers.Sequential {
			return layers.NewSequential(layers.NewDense(rng, 2, 8), activation, layers.NewDense(rng, 8, 1))
		}
	}
	images := func(rng *rand.Rand) *layers.Sequential {
		return layers.NewSequential(
			layers.NewConv2D(rng, 1, 4, 3), layers.NewBatchNorm(4), layers.ReLU(), layers.MaxPool2D(2), layers.Flatten(), layers.Dropout(0.2),
			layers.NewDense(rng, 4*3*3, 1),
		)
	}
	for _, test := range []struct {
		name      string
		model     func(rng *rand.Rand) *layers.Sequential
		inputs    []int
		precision autograd.Precision
		optimizer optim.Optimizer
		want      uint64  // the checksum of the Params' bits; 0: only the first is known
		first     float64 // the first number
	}{
		{"relu, SGD", dense(layers.ReLU()), []int{2}, autograd.Float64, optim.NewSGD(0.05), 0x8d63bf789da03913, -0.41680311357441463},
		{"relu, Adam, float32", dense(layers.ReLU()), []int{2}, autograd.Float32, optim.NewAdam(0.01), 0x4f250d395b1e3aac, -0.42650657892227173},
		{"images, Adam", images, []int{1, 8, 8}, autograd.Float64, optim.NewAdam(0.01), 0x6f7357a26fbd9a6b, -0.2078907111721154},
		{"images, float32", images, []int{1, 8, 8}, autograd.Float32, optim.NewAdam(0.01), 0x306784a4260745b3, -0.20789076387882233},
		{"tanh, Adam", dense(layers.Tanh()), []int{2}, autograd.Float64, optim.NewAdam(0.01), 0, -0.5207384834284176},
	} {
		rng := rand.New(rand.NewPCG(1, 0))
		m := test.model(rng)
		layers.Convert(m, test.precision)
		x := autograd.Uniform(rng, -1, 1, append([]int{40}, test.inputs...)...)
		y := autograd.Uniform(rng, -1, 1, 40, 1)
		run(t, train.Config{
			Model: m, Loss: losses.MSE, Optimizer: test.optimizer, Epochs: 30, BatchSize: 8, RNG: rng,
			Graph: autograd.Options{Precision: test.precision, Seed: 1},
		}, train.Data{Inputs: x, Targets: y})
		first := all(m.Params())[0]
		if got := sumOf(m.Params()); test.want != 0 && got != test.want || math.Abs(first-test.first) > 1e-13 {
			t.Errorf("%s: the bits have the sum %#x, want %#x; the first number is %v, want %v", test.name, got, test.want, first, test.first)
		}
	}
}

// fuses reports whether x·y + z is rounded once.
//
//go:noinline
func fuses(x, y, z float64) bool { return x*y+z != float64(x*y)+z }

// sumOf is a checksum of the bits of Params.
func sumOf(params []*autograd.Param) uint64 {
	h := crc64.New(crc64.MakeTable(crc64.ECMA))
	for _, v := range all(params) {
		binary.Write(h, binary.LittleEndian, math.Float64bits(v))
	}
	return h.Sum64()
}
