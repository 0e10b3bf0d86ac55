//go:build !amd64

package kernel

// fastMatMul reports that there is no assembly for this processor.
func fastMatMul[T Float](dst, a, b []T, m, n, k int, transA, transB, accumulate bool) bool {
	return false
}

// scratchFloats is how much memory the workers own to pack into: nothing packs.
const scratchFloats = 0
