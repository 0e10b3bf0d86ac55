package losses_test

import (
	"fmt"

	"nabla/autograd"
	"nabla/losses"
)

func Example() {
	g := autograd.NewGraph(autograd.Options{})
	weight := autograd.NewParam("w", autograd.Scalar(0.5))
	x := g.Constant(autograd.NewTensor([]float64{1, 2, 3}))
	target := g.Constant(autograd.NewTensor([]float64{2, 4, 6}))
	prediction := x.Mul(g.Param(weight))
	loss := losses.MSE(prediction, target)
	fmt.Println("MSE", loss.Item())
	fmt.Println("dw ", loss.Backward().OfParam(weight).Item())
	sum := losses.MSEWith(prediction, target, losses.Options{Reduction: losses.Sum})
	fmt.Println("sum", sum.Item())
	// Output:
	// MSE 10.5
	// dw  -14
	// sum 31.5
}

// Class labels and the numbers before the softmax.
func ExampleCategoricalCrossEntropyLabelsWith() {
	g := autograd.NewGraph(autograd.Options{})
	logits := g.Variable(autograd.FromNested([][]float64{{2, 0, 0}, {0, 0, 0}}))
	labels := autograd.NewInts([]int{0, 2})
	loss := losses.CategoricalCrossEntropyLabelsWith(logits, labels, losses.Options{Logits: true})
	fmt.Printf("%.4f\n", loss.Item())
	fmt.Printf("%.4f\n", loss.Backward().Of(logits).Float64s())
	// Output:
	// 0.6691
	// [-0.1065 0.0533 0.0533 0.1667 0.1667 -0.3333]
}
