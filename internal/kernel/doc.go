// Package kernel holds the loops over slices of numbers that the rest of Nabla is made of: elementwise functions and
// their derivatives, broadcasting, reductions, products, index operations and optimizer updates, in float32 and float64.
// It knows nothing of graphs, shapes are plain []int, and every result is written into memory that the caller owns.
//
//	x := []float64{1, 2, 3, 4, 5, 6} // 2×3
//	y := []float64{10, 20, 30}       // a row
//	z := make([]float64, 6)
//	kernel.Apply(&kernel.Add.A64, z, x, y, []int{2, 3}, []int{3, 1}, []int{0, 1})
//	fmt.Println(z)
//	kernel.Tanh.F64(z, x, 0, 0) // z = tanh x
//	gx := []float64{1, 1, 1, 1, 1, 1}
//	kernel.Tanh.D64(gx, gx, x, z, 0, 0) // gx = gx / cosh² x
//	sums := make([]float64, 3)
//	kernel.Sum(sums, x, 1, 2, 3) // over the middle axis of 1×2×3
//	fmt.Println(sums)
//
// # Conventions
//
// The destination comes first. Slices are row-major and contiguous unless strides (in elements) are given. Reductions and
// index operations see their array as outer × n × inner and work along the middle axis.
//
// No call allocates in steady state (broadcasting and strided copies of any rank included). The only panic is an index out of a
// slice's bounds: the caller has checked the shapes.
//
// # Kernel sets and workers
//
// On amd64 with AVX2 and FMA, most loops run in assembly, written by the generators under gen (go generate). Their portable
// twins in Go serve other processors, and all of them when the environment variable NABLA_KERNEL is "portable" at the
// program's start. The two sets round differently; each gives the same bits on every run.
//
// A processor with AVX-512 (F, DQ, BW and VL) and BMI2 has a third set, unless NABLA_KERNEL is "avx2": matrix products, and exponentials,
// logarithms and their kin, which the processor limits and not memory, use vectors twice as long. Its results have the bits of AVX2's, but for
// products of one column and those of few rows with a right operand that is stored transposed: these may be dot products, with as many partial
// sums as a vector has lanes.
//
// Large products, batches of products and long arrays (updates, sums, copies and conversions too) are cut into pieces, by their sizes alone,
// which as many goroutines compute as GOMAXPROCS says. These workers are started by the first of them and stay, asleep when there is nothing
// to do. An element is computed within one piece, by the same sequence of operations whatever the piece, so the number of workers does not
// change a bit.
//
// # Precision
//
// Functions in float32 compute in float64 and round once, except those that a processor does exactly or nearly so in one
// instruction (+ − × ÷ √, comparisons, relu and its kin): these work in float32, and round their constants to it. So do, in assembly, the
// exponential, tanh, sigmoid, SiLU and GELU.
// Reductions sum pairwise, or in float64 in fixed blocks, so that errors hardly grow with the length; matrix products sum in their own
// precision. The order depends on the sizes alone. Derivatives are computed from whichever of x and y loses no digits.
//
// # Assembly
//
// On amd64 with AVX2 and FMA the loops are replaced by vectors, unless the environment has NABLA_KERNEL=portable; with AVX-512 by longer ones
// that take the same steps, and give the same bits. What is arithmetic, a comparison, relu's kin or an optimizer's update has the same bits
// in all sets. The errors of the others, in units in the last place, in float64 and in float32:
//
//   - Exp: 1, 1.2
//   - Log, Log1p, Log2: 1, 0.51; Log10: 1.5, 0.51
//   - Expm1: 2, 0.51
//   - Pow, PowScalar: 1, 0.51, and whole powers that are numbers are exact; PowScalar's squares and cubes are products
//   - Tanh: 1.5, 1.6
//   - Sinh, Cosh: 2, 0.51
//   - Sigmoid: 2, 1.7
//   - Softplus, LogSigmoid: 1.5, 0.51
//   - SiLU: 2, 2
//   - GELU: 2, 2
//   - GELUTanh, Mish: 2, 0.51
//   - ELU, CELU, SELU: expm1's, and half a unit for each factor
//   - Erf: 1.5, 0.51; Erfc: 2, 0.51
//   - Sin, Cos: 1, 0.51, and Tan: 2, 0.51, for arguments up to 2²⁰
//   - Atan, Asin: 2, 0.51; Acos: 2.1, 0.51
//   - Asinh, Acosh, Atanh: 2, 0.51
//   - BCE, BCELogits, for labels in [0, 1]: 2, 0.51; CrossEntropy: 1.5, 0.51
//   - Softmax of up to 300 elements: 2, 2
//   - the derivatives of Exp, Expm1, Softplus and LogSigmoid: 2, 0.51; of Sigmoid and Tanh: 2.5, 0.51; of SiLU, 3.5, 0.51
//
// The other derivatives are within 8 units of the portable loops' in float64 and one in float32. Next to a root of a derivative its terms
// cancel, and only their own errors are that small. An element's result depends neither on its place in the array nor on its neighbours, so
// an array's results are the same bits however it is cut into pieces.
//
// # Special values
//
// NaN in, NaN out, unless a function's comment says otherwise; products follow IEEE 754, so 0·Inf is NaN. Where a derivative
// has a jump, the documented value is chosen by a comparison and not by a product: relu of a negative number hands back 0
// even when the incoming gradient is Inf.
package kernel
