package kernel

import "golang.org/x/sys/cpu"

// MatMulSets are the products by each set of kernels that the processor has. m,
// n and k are positive.
func MatMulSets[T Float]() map[string]func(dst, a, b []T, m, n, k int, transA, transB bool) {
	sets := map[string]func(dst, a, b []T, m, n, k int, transA, transB bool){"portable": PortableMatMul[T]}
	hasAVX2 := cpu.X86.HasAVX2 && cpu.X86.HasFMA
	if hasAVX2 {
		sets["AVX2"] = matMulBy(ofPrecision[*kernels[T]](&avx2x32, &avx2x64))
	}
	if hasAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL {
		sets["AVX-512"] = matMulBy(ofPrecision[*kernels[T]](&avx512x32, &avx512x64))
	}
	return sets
}

func matMulBy[T Float](set *kernels[T]) func(dst, a, b []T, m, n, k int, transA, transB bool) {
	return func(dst, a, b []T, m, n, k int, transA, transB bool) {
		tiledMatMul(set, dst, a, b, m, n, k, transA, transB)
	}
}

// WithCaches calls f with the block sizes for caches of other sizes.
func WithCaches(second, third int, f func()) {
	defer func(before blockSizes) { sizes = before }(sizes)
	sizes = sizesFor(second, third)
	f()
}

// BlockSizes are the bytes of a block of a, of a panel of b, and of a block of
// b that is read in place.
func BlockSizes(second, third int) [3]int {
	s := sizesFor(second, third)
	return [3]int{s.blockBytes, s.panelBytes, s.secondBytes}
}

// CacheSizes are those of this processor.
var CacheSizes = cacheSizes
