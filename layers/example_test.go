package layers_test

import (
	"fmt"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/layers"
)

func Example() {
	rng := rand.New(rand.NewPCG(1, 0))
	model := layers.NewSequential(
		layers.NewDense(rng, 2, 3),
		layers.ReLU(),
		layers.NewDense(rng, 3, 1),
	)
	fmt.Print(layers.Summary(model, 24, 2)) // 24 rows of 2 features

	g := autograd.NewGraph(autograd.Options{})
	features := g.Constant(autograd.Ones(24, 2))
	prediction := model.Forward(features)
	fmt.Println("prediction", prediction.Shape())
	// Output:
	// layer   output  parameters  multiply-adds
	// dense1  [24 3]           9            144
	// relu1   [24 3]           0              0
	// dense2  [24 1]           4             72
	// total                   13            216
	// prediction [24 1]
}

func ExampleNewDenseWith() {
	rng := rand.New(rand.NewPCG(1, 0))
	hidden := layers.NewDenseWith(rng, 784, 128, layers.DenseOptions{
		Weights:   layers.HeNormal,
		Name:      "hidden",
		NoBias:    true,
		Precision: autograd.Float32,
	})
	for _, p := range hidden.Params() {
		fmt.Println(p.Name(), p.Shape(), p.Precision())
	}
	// Output:
	// hidden.weight [784 128] float32
}

func ExampleFunc() {
	double := layers.Func("double", func(x autograd.Value) autograd.Value { return x.MulScalar(2) })
	g := autograd.NewGraph(autograd.Options{})
	fmt.Println(double.Forward(g.Scalar(21)).Item())
	// Output:
	// 42
}

func ExampleSequential_Named() {
	rng := rand.New(rand.NewPCG(1, 0))
	encoder := layers.NewSequential(layers.NewDense(rng, 8, 2), layers.Tanh()).Named("encoder")
	model := layers.NewSequential(encoder, layers.NewDense(rng, 2, 8))
	for _, p := range model.Params() {
		fmt.Println(p.Name())
	}
	// Output:
	// encoder.dense1.weight
	// encoder.dense1.bias
	// dense1.weight
	// dense1.bias
}
