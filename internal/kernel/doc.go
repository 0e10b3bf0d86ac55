// Package kernel holds the loops over slices of numbers that the rest of Nabla
// is made of: elementwise functions and their derivatives, broadcasting,
// reductions, products, convolutions, pooling, recurrent networks, index
// operations and optimizer updates, in float32 and float64. It knows nothing of
// graphs, shapes are plain []int, and every result is written into memory that
// the caller owns.
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
// The destination comes first. Slices are row-major and contiguous unless
// strides (in elements) are given. Reductions and index operations see their
// array as outer × n × inner and work along the middle axis.
//
// No call allocates in steady state (broadcasting and strided copies of any
// rank included). The only panic is an index out of a slice's bounds: the
// caller has checked the shapes.
//
// # Kernel sets and workers
//
// On amd64 with AVX2 and FMA, most loops run in assembly, which the generators
// under gen write (go generate). Portable loops in Go serve other processors,
// and every processor if the environment variable NABLA_KERNEL is "portable"
// when the program starts. The two sets round differently; each gives the same
// bits on every run.
//
// Processors with AVX-512 (F, DQ, BW and VL) and BMI2 have a third set, unless
// NABLA_KERNEL is "avx2": vectors twice as long for what is limited by the
// processor and not by memory, such as matrix products, convolutions,
// exponentials and logarithms. Its results have the same bits as AVX2's, except
// products of one column, products of few rows with a transposed right operand,
// and the gradient of the weights of channels that are convolved on their own:
// these may be dot products, with as many partial sums as a vector has lanes.
//
// Large products, batches of products, convolutions and long arrays are cut
// into pieces by their sizes alone. GOMAXPROCS goroutines compute the pieces:
// workers that start when they are first needed, stay, and sleep while there is
// nothing to do. Each element is computed within one piece, by the same
// sequence of operations wherever the piece begins, or is the sum of the parts
// of several pieces in their order. So the number of workers does not change
// any bit.
//
// # Precision
//
// Functions in float32 compute in float64 and round once, except those that
// take a processor one instruction or a few (+ − × ÷ √, comparisons, relu and
// similar functions): these compute in float32 and round their constants to it.
// In assembly, the exponential, tanh, sigmoid, SiLU, GELU, arcsine and
// arccosine also compute in float32. Reductions sum pairwise, or in float64 in
// fixed blocks, so that errors hardly grow with the length. Matrix products and
// convolutions sum in their own precision. The order of a sum depends on the
// sizes alone.
// Derivatives are computed from x or y, whichever loses no digits.
//
// # Assembly
//
// Arithmetic, comparisons, relu and similar functions, and the updates of the
// optimizers give the same bits in all sets. The largest errors of the other
// functions in assembly, in units in the last place, in float64 and in float32:
//
//   - Exp: 1, 1.2
//   - Log, Log1p, Log2: 1, 0.51; Log10: 1.5, 0.51
//   - Expm1: 2, 0.51
//   - Pow, PowScalar: 1, 0.51, and whole powers that are numbers are exact;
//     PowScalar's squares and cubes are products
//   - Tanh: 1.5, 1.6
//   - Sinh, Cosh: 2, 0.51
//   - Sigmoid: 2, 1.7
//   - Softplus, LogSigmoid: 1.5, 0.51
//   - SiLU: 2, 2
//   - GELU: 2, 1.6
//   - GELUTanh, Mish: 2, 0.51
//   - ELU, CELU, SELU: expm1's, and half a unit for each factor
//   - Erf: 1.5, 0.51; Erfc: 2, 0.51
//   - Sin, Cos: 1, 0.51, and Tan: 2, 0.51, for arguments up to 2²⁰
//   - Atan: 2, 0.51; Asin: 2, 0.75; Acos: 2.1, 0.75
//   - Asinh, Acosh, Atanh, Logit: 2, 0.51
//   - BCE, BCELogits, for labels in [0, 1]: 2, 0.51; CrossEntropy: 1.5, 0.51
//   - Softmax of up to 300 elements: 2, 2
//   - the derivatives of Exp, Expm1, Softplus and LogSigmoid: 2, 0.51; of
//     Sigmoid and Tanh: 2.5, 0.51; of SiLU, 3.5, 0.51
//   - the derivatives in float32 of GELU, Asin and Acos: 2
//
// The other derivatives, and those three in float64, differ from the portable
// ones by at most 8 units in float64 and one in float32. Near a zero of a
// derivative its terms cancel, and only the errors of the terms are that small.
// An element's result depends neither on its place in the array nor on its
// neighbors, so cutting an array into pieces does not change any bit.
//
// # Special values
//
// NaN in, NaN out, unless a function's comment says otherwise; products follow
// IEEE 754, so 0·Inf is NaN. Where a derivative has a jump, the documented
// value is chosen by a comparison and not by a product: relu of a negative
// number hands back 0 even when the incoming gradient is Inf.
package kernel
