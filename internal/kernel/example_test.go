package kernel_test

import (
	"fmt"

	"nabla/internal/kernel"
)

func Example() {
	x := []float64{1, 2, 3, 4, 5, 6} // 2×3
	y := []float64{10, 20, 30}       // a row
	z := make([]float64, 6)
	kernel.Apply(&kernel.Add.A64, z, x, y, []int{2, 3}, []int{3, 1}, []int{0, 1})
	fmt.Println(z)
	kernel.Tanh.F64(z, x, 0, 0) // z = tanh x
	gx := []float64{1, 1, 1, 1, 1, 1}
	kernel.Tanh.D64(gx, gx, x, z, 0, 0) // gx = gx / cosh² x
	sums := make([]float64, 3)
	kernel.Sum(sums, x, 1, 2, 3) // over the middle axis of 1×2×3
	fmt.Println(sums)
	// Output:
	// [11 22 33 14 25 36]
	// [5 7 9]
}
