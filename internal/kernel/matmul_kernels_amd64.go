package kernel

//go:generate go -C gen/matmul run . -out ../../matmul_amd64.s -stubs ../../matmul_stubs_amd64.go -pkg kernel
//go:generate go -C gen/pool run . -out ../../pool_amd64.s -stubs ../../pool_amd64.go -pkg kernel

// tileFunc computes count tiles of c, each as high and wide as the kernel is:
//
//	c[i][j] (+)= Σ a[i·rowA + q·stepA] · b[q·stepB + j]	for q < k
//
// All strides are in bytes. From tile to tile the pointers move by nextC, nextA and nextB.
type tileFunc[T Float] func(c, a, b *T, strideC, rowA, stepA, stepB, k, nextC, nextA, nextB, count int, accumulate bool)

// edgeFunc is a tileFunc whose last vector of columns has only so many columns, at least one.
type edgeFunc[T Float] func(c, a, b *T, strideC, rowA, stepA, stepB, k, nextC, nextA, nextB, count int, accumulate bool, columns int)

// dotFunc computes count groups of dot products of rows of a and rows of b, next to each other in c.
type dotFunc[T Float] func(c, a, b *T, strideC, strideA, strideB, k, count int, accumulate bool)

// kernels are the assembly functions in one precision. The first index of an array is the number of rows.
type kernels[T Float] struct {
	tile           [tileRows + 1]tileFunc[T]    // two vectors wide
	edge           [3][tileRows + 1]edgeFunc[T] // by vectors (1 or 2), the last one masked
	wide           [3]tileFunc[T]               // one or two rows, eight or four vectors wide
	dots, dot      [4]dotFunc[T]                // groups of four rows of b, and of one
	packColumns    func(dst, src *T, stride, k int)
	packTransposed func(dst, src *T, stride, k int)
	packLeft       func(dst, src *T, stride, k, panels, panel, columns int)
}

var avx32 = kernels[float32]{
	tile: [...]tileFunc[float32]{nil, tile1x2F32, tile2x2F32, tile3x2F32, tile4x2F32, tile5x2F32, tile6x2F32},
	edge: [...][tileRows + 1]edgeFunc[float32]{
		1: {nil, tile1x1EdgeF32, tile2x1EdgeF32, tile3x1EdgeF32, tile4x1EdgeF32, tile5x1EdgeF32, tile6x1EdgeF32},
		2: {nil, tile1x2EdgeF32, tile2x2EdgeF32, tile3x2EdgeF32, tile4x2EdgeF32, tile5x2EdgeF32, tile6x2EdgeF32},
	},
	wide:           [...]tileFunc[float32]{nil, tile1x8F32, tile2x4F32},
	dots:           [...]dotFunc[float32]{nil, dot1x4F32, dot2x4F32, dot3x4F32},
	dot:            [...]dotFunc[float32]{nil, dot1x1F32, dot2x1F32, dot3x1F32},
	packColumns:    packColumnsF32,
	packTransposed: packTransposedF32,
	packLeft:       packLeftF32,
}

var avx64 = kernels[float64]{
	tile: [...]tileFunc[float64]{nil, tile1x2F64, tile2x2F64, tile3x2F64, tile4x2F64, tile5x2F64, tile6x2F64},
	edge: [...][tileRows + 1]edgeFunc[float64]{
		1: {nil, tile1x1EdgeF64, tile2x1EdgeF64, tile3x1EdgeF64, tile4x1EdgeF64, tile5x1EdgeF64, tile6x1EdgeF64},
		2: {nil, tile1x2EdgeF64, tile2x2EdgeF64, tile3x2EdgeF64, tile4x2EdgeF64, tile5x2EdgeF64, tile6x2EdgeF64},
	},
	wide:           [...]tileFunc[float64]{nil, tile1x8F64, tile2x4F64},
	dots:           [...]dotFunc[float64]{nil, dot1x4F64, dot2x4F64, dot3x4F64},
	dot:            [...]dotFunc[float64]{nil, dot1x1F64, dot2x1F64, dot3x1F64},
	packColumns:    packColumnsF64,
	packTransposed: packTransposedF64,
	packLeft:       packLeftF64,
}

// kernelsOf returns the functions of a precision.
func kernelsOf[T Float]() *kernels[T] {
	if k, ok := any(&avx32).(*kernels[T]); ok {
		return k
	}
	return any(&avx64).(*kernels[T])
}
