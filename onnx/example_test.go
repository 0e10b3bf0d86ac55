package onnx_test

import (
	"errors"
	"fmt"
	"strings"

	"nabla/autograd"
	"nabla/losses"
	"nabla/onnx"
	"nabla/optim"
)

// A network of PyTorch learns something else.
func Example() {
	if err := learnFurther(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 0.weight [8 3]
	// 0.bias [8]
	// 2.weight [8 8]
	// 2.bias [8]
	// 4.weight [2 8]
	// 4.bias [2]
	// learned: true
}

func learnFurther() error {
	inputs := autograd.FromNested([][]float64{{0, 0, 1}, {0, 1, 0}, {1, 0, 0}, {1, 1, 1}})
	targets := autograd.FromNested([][]float64{{0, 1}, {1, 1}, {1, 0}, {0, 0}})
	model, err := onnx.ImportFile("testdata/mlp-script.onnx")
	if err != nil {
		return err
	}
	for _, p := range model.Params() {
		fmt.Println(p.Name(), p.Shape())
	}
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
	optimizer := optim.NewAdam(0.01)
	for range 200 {
		g.Reset()
		loss := losses.MSE(model.Forward(g.Constant(inputs)), g.Constant(targets))
		optimizer.Step(loss.Backward())
	}
	g.Reset()
	loss := losses.MSE(model.Forward(g.Constant(inputs)), g.Constant(targets))
	fmt.Println("learned:", loss.Item() < 0.01)
	return nil
}

// A network with two inputs and two outputs, of which one each is of integers.
func ExampleModel_Run() {
	m, err := onnx.ImportFile("testdata/words-dynamo.onnx")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, in := range m.Inputs() {
		fmt.Println(in.Name, in.Type, in.Axes[0], in.Shape)
	}
	g := autograd.NewGraph(autograd.Options{Eval: true})
	ids := autograd.NewInts([]int{1, 2, 3, 0}, 1, 4)
	weights := g.Constant(autograd.NewTensor([]float64{1, 1, 1, 0}, 1, 4))
	out := m.Run(g, map[string]onnx.Data{"x0": {Ints: ids}, "x1": {Value: weights}})
	for _, port := range m.Outputs() {
		fmt.Println(port.Type, port.Shape, out[port.Name].Ints.Rank())
	}
	// Output:
	// x0 int64 batch [-1 4]
	// x1 float batch [-1 4]
	// float [-1 3] 0
	// int64 [-1] 1
}

// What has no counterpart is named with its node.
func ExampleUnsupportedError() {
	_, err := importModel(file([]*messageNode{node("TfIdfVectorizer", "x", "y")}))
	var unsupported *onnx.UnsupportedError
	if errors.As(err, &unsupported) {
		for _, op := range unsupported.Ops {
			fmt.Println(op.Op, op.Opset, op.Node)
		}
	}
	// Output: TfIdfVectorizer 20 the TfIdfVectorizer
}

// Limits for files of strangers.
func ExampleImportWith() {
	file := strings.NewReader("no network at all")
	_, err := onnx.ImportWith(file, onnx.ImportOptions{MaxElements: 1 << 20, MaxSteps: 10_000})
	fmt.Println(err != nil)
	// Output: true
}
