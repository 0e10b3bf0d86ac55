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

func Example_images() {
	rng := rand.New(rand.NewPCG(1, 0))
	lenet := layers.NewSequential(
		layers.NewConv2DWith(rng, 1, 6, 5, layers.ConvOptions{Same: true}),
		layers.ReLU(),
		layers.MaxPool2D(2), // 14 × 14
		layers.NewConv2D(rng, 6, 16, 5),
		layers.ReLU(),
		layers.MaxPool2D(2), // 5 × 5
		layers.Flatten(),
		layers.NewDense(rng, 16*5*5, 10),
	)
	fmt.Print(layers.Summary(lenet, 32, 1, 28, 28))
	// Output:
	// layer     output         parameters  multiply-adds
	// conv1     [32 6 28 28]          156      3,763,200
	// relu1     [32 6 28 28]            0              0
	// maxpool1  [32 6 14 14]            0              0
	// conv2     [32 16 10 10]       2,416      7,680,000
	// relu2     [32 16 10 10]           0              0
	// maxpool2  [32 16 5 5]             0              0
	// flatten1  [32 400]                0              0
	// dense1    [32 10]             4,010        128,000
	// total                         6,582     11,571,200
}

// A block of a residual network that halves height and width.
func ExampleNewResidualWith() {
	rng := rand.New(rand.NewPCG(1, 0))
	half := layers.ConvOptions{Stride: []int{2}, Same: true, NoBias: true}
	block := layers.NewResidualWith(
		layers.ResidualOptions{Shortcut: layers.NewConv2DWith(rng, 16, 32, 1, half)},
		layers.NewConv2DWith(rng, 16, 32, 3, half),
		layers.ReLU(),
		layers.NewConv2DWith(rng, 32, 32, 3, layers.ConvOptions{Same: true, NoBias: true}),
	)
	model := layers.NewSequential(block, layers.ReLU(), layers.GlobalAvgPool(), layers.NewDense(rng, 32, 10))
	fmt.Print(layers.Summary(model, 8, 16, 32, 32))
	// Output:
	// layer               output        parameters  multiply-adds
	// residual1/conv1     [8 32 16 16]       4,608      9,437,184
	// residual1/relu1     [8 32 16 16]           0              0
	// residual1/conv2     [8 32 16 16]       9,216     18,874,368
	// residual1/shortcut  [8 32 16 16]         512      1,048,576
	// residual1           [8 32 16 16]           0              0
	// relu1               [8 32 16 16]           0              0
	// globalavgpool1      [8 32]                 0              0
	// dense1              [8 10]               330          2,560
	// total                                 14,666     29,362,688
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
