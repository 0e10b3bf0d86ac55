package matrix_test

import (
	"fmt"

	"nabla/autograd"
	"nabla/autograd/matrix"
)

// The weights of least squares, (xᵀx)⁻¹·xᵀy, and how they depend on a target.
func ExampleSolve() {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(autograd.FromNested([][]float64{{1, 0}, {1, 1}, {1, 2}}))
	y := g.Variable(autograd.NewTensor([]float64{1, 3, 5}))
	w := matrix.Solve(x.T().MatMul(x), x.T().MatMul(y))
	slope := w.Select(0, 1)
	fmt.Printf("%.3f\n", w.Tensor().Float64s())
	fmt.Printf("%.3f\n", slope.Backward().Of(y).Float64s())
	// Output:
	// [1.000 2.000]
	// [-0.500 0.000 0.500]
}
