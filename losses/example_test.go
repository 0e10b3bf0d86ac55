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

// Scores of two classes for an image of 1×3 pixels, the last of which lies on a
// border and does not count.
func ExampleOptions_pixels() {
	border := []int{255}
	g := autograd.NewGraph(autograd.Options{})
	scores := g.Variable(autograd.NewTensor([]float64{2, 0, 5, 0, 0, -5}, 1, 2, 1, 3)) // [batch, classes, height, width]
	mask := autograd.NewInts([]int{0, 1, 255}, 1, 1, 3)
	loss := losses.CategoricalCrossEntropyLabelsWith(scores, mask, losses.Options{Logits: true, ClassAxis: 1, IgnoreIndex: border})
	fmt.Printf("%.4f\n", loss.Item())
	fmt.Printf("%.4f\n", loss.Backward().Of(scores).Float64s())
	dice := losses.DiceLabelsWith(scores, mask, 1, losses.Options{Logits: true, ClassAxis: 1, IgnoreIndex: border})
	fmt.Printf("%.4f\n", dice.Item())
	// Output:
	// 0.4100
	// [-0.0596 0.2500 0.0000 0.0596 -0.2500 0.0000]
	// 0.2098
}

// A detector's rare positives: what is right already hardly counts.
func ExampleBinaryFocal() {
	g := autograd.NewGraph(autograd.Options{})
	p := g.Constant(autograd.NewTensor([]float64{0.9, 0.1, 0.4}))
	t := g.Constant(autograd.NewTensor([]float64{1, 0, 1}))
	each := losses.Options{Reduction: losses.None}
	fmt.Printf("%.4f\n", losses.BinaryCrossEntropyWith(p, t, each).Tensor().Float64s())
	fmt.Printf("%.4f\n", losses.BinaryFocalWith(p, t, 2, each).Tensor().Float64s())
	// Output:
	// [0.1054 0.1054 0.9163]
	// [0.0011 0.0011 0.3299]
}
