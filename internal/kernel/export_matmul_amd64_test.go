package kernel

// MatMulSets are the products by each set of kernels that the processor has. m, n and k are positive.
func MatMulSets[T Float]() map[string]func(dst, a, b []T, m, n, k int, transA, transB, accumulate bool) {
	sets := map[string]func(dst, a, b []T, m, n, k int, transA, transB, accumulate bool){"portable": PortableMatMul[T]}
	if hasAVX2 {
		sets["AVX2"] = matMulBy(ofPrecision[T](&avx2x32, &avx2x64))
	}
	if hasAVX512 {
		sets["AVX-512"] = matMulBy(ofPrecision[T](&avx512x32, &avx512x64))
	}
	return sets
}

func matMulBy[T Float](set *kernels[T]) func(dst, a, b []T, m, n, k int, transA, transB, accumulate bool) {
	return func(dst, a, b []T, m, n, k int, transA, transB, accumulate bool) {
		tiledMatMul(set, dst, a, b, m, n, k, transA, transB, accumulate)
	}
}
