package explain_test

import (
	"fmt"

	"nabla/autograd"
	"nabla/explain"
)

func ExampleGradient() {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	i, w, b := g.Scalar(3.6).Named("i"), g.Variable(autograd.Scalar(0.5)).Named("w"), g.Variable(autograd.Scalar(-1)).Named("b")
	z := w.Mul(i).Named("w·i").Add(b).Named("z")
	loss := z.Tanh().Named("a").Sub(g.Scalar(1)).Named("a−y").Square().Named("loss")
	fmt.Print(explain.Gradient(w, loss.Backward()))
	// Output:
	// dw = −1.352, where w = 0.5
	// what its use hands back:
	//   d(w·i) × 3.6 = −0.3756 × 3.6 = −1.352, through mul w·i
	// the way to loss:
	//   100 %: w → w·i → z → a → a−y → loss, 3.6 × 1 × 0.5591 × 1 × −0.6719 = −1.352
	// central difference over ±6.055e−6: −1.352, which agrees
	// negative gradient, so w will be increased
}

func ExampleDiagnose() {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.NewTensor([]float64{0.5, 0, 2})).Named("x")
	loss := x.Log().Named("log x").Mul(x).Sum().Named("loss")
	for _, trouble := range explain.Diagnose(loss, loss.Backward()) {
		fmt.Println(trouble)
	}
	// Output:
	// log x: first infinity: log of 0, at element [1]; spoils 2 values and 1 gradient
}
