package autograd_test

import (
	"fmt"

	"nabla/autograd"
)

func Example() {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Scalar(3)
	w, b := g.Variable(autograd.Scalar(0.5)), g.Variable(autograd.Scalar(-1))
	z := w.Mul(x).Add(b)                // weighted sum
	a := z.Tanh()                       // activation
	loss := a.Sub(g.Scalar(1)).Square() // ½ of its derivative is a − 1
	grads := loss.Backward()
	fmt.Printf("a = %.4f, loss = %.4f\n", a.Item(), loss.Item())
	fmt.Printf("dw = %.4f, db = %.4f\n", grads.Of(w).Item(), grads.Of(b).Item())
	// Output:
	// a = 0.4621, loss = 0.2893
	// dw = -2.5381, db = -0.8460
}

// A loop over epochs resets the graph, which keeps its memory.
func ExampleGraph_Reset() {
	g := autograd.NewGraph(autograd.Options{})
	w := autograd.NewParam("w", autograd.Scalar(5))
	for range 100 {
		g.Reset()
		loss := g.Param(w).AddScalar(-2).Square() // least at w = 2
		grads := loss.Backward()
		w.Set(autograd.Scalar(w.Item() - 0.1*grads.OfParam(w).Item()))
	}
	fmt.Printf("%.6f\n", w.Item())
	// Output: 2.000000
}

// Derivatives are Values, so that they can be differentiated again.
func ExampleGrad() {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Scalar(2))
	y := x.PowScalar(3)
	first := autograd.Grad(y, x)[0]
	second := autograd.Grad(first, x)[0]
	fmt.Println(y.Item(), first.Item(), second.Item())
	// Output: 8 12 12
}

// An operation of one's own is a function of tensors and a rule in Values.
func ExampleCustom() {
	cube := autograd.Operation{
		Name: "cube",
		Forward: func(in []autograd.Tensor) autograd.Tensor {
			y := in[0].Clone()
			for i, x := range in[0].Raw64() {
				y.Raw64()[i] = x * x * x
			}
			return y
		},
		Rule: func(r *autograd.Rule) {
			r.Add(0, r.Grad().Mul(r.In(0).Square()).MulScalar(3))
		},
	}
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.NewTensor([]float64{1, 2, 3}))
	fmt.Println(autograd.Custom(cube, x).Sum().Backward().Of(x))
	// Output: [3] [3 12 27]
}

// Written into the graph's memory, it allocates nothing once that is warm.
func ExampleCustomInto() {
	cube := &autograd.Operation{
		Name: "cube",
		Into: func(dst autograd.Tensor, in []autograd.Tensor, _ *autograd.Workspace) {
			for i, x := range in[0].Raw64() {
				dst.Raw64()[i] = x * x * x
			}
		},
		Rule: func(r *autograd.Rule) {
			r.Add(0, r.Grad().Mul(r.In(0).Square()).MulScalar(3))
		},
	}
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.NewTensor([]float64{1, 2, 3}))
	fmt.Println(autograd.CustomInto(cube, []int{3}, x).Sum().Backward().Of(x))
	// Output: [3] [3 12 27]
}

func ExampleTry() {
	g := autograd.NewGraph(autograd.Options{})
	err := autograd.Try(func() {
		g.Constant(autograd.Zeros(64, 128)).MatMul(g.Constant(autograd.Zeros(64, 10)))
	})
	fmt.Println(err)
	// Output: autograd: MatMul: inner dimensions differ: [64 128] × [64 10], at example_test.go:92
}

func ExampleValue_String() {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(autograd.FromNested([][]float64{{1, 2}, {3, 4}}))
	fmt.Println(x.MulScalar(10).Named("z"))
	// Output:
	// z = mul scalar [2 2]
	// [[10 20]
	//  [30 40]]
}
