package onnx_test

import (
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/layers"
	"nabla/onnx"
)

// What it costs that a network's nodes are looked up and run one by one, beside
// layers that compute the same: forward and backward.
func BenchmarkLeNet(b *testing.B) {
	m, err := onnx.ImportFile("testdata/lenet-script.onnx")
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	same := layers.NewSequential(
		layers.NewConv2D(rng, 1, 3, 3), layers.Tanh(), layers.MaxPool2D(2), layers.NewConv2D(rng, 3, 4, 3), layers.ReLU(), layers.AvgPool2D(2),
		layers.Flatten(), layers.NewDense(rng, 16, 8), layers.ReLU(), layers.NewDense(rng, 8, 5))
	layers.Convert(same, autograd.Float32)
	x := autograd.Normal(rng, 0, 1, 32, 1, 14, 14).In(autograd.Float32)
	for name, model := range map[string]layers.Layer{"imported": m, "layers": same} {
		b.Run(name, func(b *testing.B) {
			g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
			b.ReportAllocs()
			for b.Loop() {
				g.Reset()
				model.Forward(g.Constant(x)).Sum().Backward()
			}
		})
	}
}
