package kernel

//go:generate go -C gen/matmul run . -out ../../matmul_amd64.s -stubs ../../matmul_stubs_amd64.go -pkg kernel
//go:generate go -C gen/pool run . -out ../../pool_amd64.s -stubs ../../pool_amd64.go -pkg kernel

// tileFunc computes count tiles of c, each as high and wide as the kernel is:
//
//	c[i][j] (+)= Σ a[i·rowA + q·stepA] · b[q·stepB + j]	for q < k
//
// All strides are in bytes. From tile to tile the pointers move by nextC, nextA
// and nextB.
type tileFunc[T Float] func(c, a, b *T, strideC, rowA, stepA, stepB, k, nextC, nextA, nextB, count int, accumulate bool)

// edgeFunc is a tileFunc whose last vector has only the given number of
// columns, at least one.
type edgeFunc[T Float] func(c, a, b *T, strideC, rowA, stepA, stepB, k, nextC, nextA, nextB, count int, accumulate bool, columns int)

// dotFunc computes count groups of dot products of rows of a and rows of b,
// side by side in c.
type dotFunc[T Float] func(c, a, b *T, strideC, strideA, strideB, k, count int, accumulate bool)

// kernels are the assembly functions in one precision. The first index of an
// array is the number of rows; functions beyond the set's height are nil.
type kernels[T Float] struct {
	vector         int                           // bytes
	height         int                           // of a tile, and of a panel of a
	tile           [maxHeight + 1]tileFunc[T]    // two vectors wide
	edge           [3][maxHeight + 1]edgeFunc[T] // by vectors (1 or 2), the last one masked
	wide           [maxWide + 1]wideTile[T]      // those that there are
	dots, dot      [4]dotFunc[T]                 // groups of four rows of b, and of one
	packColumns    func(dst, src *T, stride, k, strips, next int)
	packTransposed func(dst, src *T, stride, k int)
	packLeft       func(dst, src *T, stride, k, panels, panel, columns int)
	gatherRows     func(dst, src *T, stride, k, rows int)
}

// wideTile is a tile of few rows and the given number of vectors.
type wideTile[T Float] struct {
	vectors int
	tile    tileFunc[T]
}

// The heights of AVX-512's tiles.
const (
	maxHeight = 12
	maxWide   = 4
)

var avx2x32 = kernels[float32]{
	vector: 32, height: 6,
	tile: [maxHeight + 1]tileFunc[float32]{nil, tile1x2F32AVX2, tile2x2F32AVX2, tile3x2F32AVX2, tile4x2F32AVX2, tile5x2F32AVX2, tile6x2F32AVX2},
	edge: [3][maxHeight + 1]edgeFunc[float32]{
		1: {nil, tile1x1EdgeF32AVX2, tile2x1EdgeF32AVX2, tile3x1EdgeF32AVX2, tile4x1EdgeF32AVX2, tile5x1EdgeF32AVX2, tile6x1EdgeF32AVX2},
		2: {nil, tile1x2EdgeF32AVX2, tile2x2EdgeF32AVX2, tile3x2EdgeF32AVX2, tile4x2EdgeF32AVX2, tile5x2EdgeF32AVX2, tile6x2EdgeF32AVX2},
	},
	wide:           [maxWide + 1]wideTile[float32]{1: {8, tile1x8F32AVX2}, 2: {4, tile2x4F32AVX2}},
	dots:           [...]dotFunc[float32]{nil, dot1x4F32AVX2, dot2x4F32AVX2, dot3x4F32AVX2},
	dot:            [...]dotFunc[float32]{nil, dot1x1F32AVX2, dot2x1F32AVX2, dot3x1F32AVX2},
	packColumns:    packColumnsF32AVX2,
	packTransposed: packTransposedF32AVX2,
	packLeft:       packLeftF32AVX2,
	gatherRows:     gatherRowsF32AVX2,
}

var avx2x64 = kernels[float64]{
	vector: 32, height: 6,
	tile: [maxHeight + 1]tileFunc[float64]{nil, tile1x2F64AVX2, tile2x2F64AVX2, tile3x2F64AVX2, tile4x2F64AVX2, tile5x2F64AVX2, tile6x2F64AVX2},
	edge: [3][maxHeight + 1]edgeFunc[float64]{
		1: {nil, tile1x1EdgeF64AVX2, tile2x1EdgeF64AVX2, tile3x1EdgeF64AVX2, tile4x1EdgeF64AVX2, tile5x1EdgeF64AVX2, tile6x1EdgeF64AVX2},
		2: {nil, tile1x2EdgeF64AVX2, tile2x2EdgeF64AVX2, tile3x2EdgeF64AVX2, tile4x2EdgeF64AVX2, tile5x2EdgeF64AVX2, tile6x2EdgeF64AVX2},
	},
	wide:           [maxWide + 1]wideTile[float64]{1: {8, tile1x8F64AVX2}, 2: {4, tile2x4F64AVX2}},
	dots:           [...]dotFunc[float64]{nil, dot1x4F64AVX2, dot2x4F64AVX2, dot3x4F64AVX2},
	dot:            [...]dotFunc[float64]{nil, dot1x1F64AVX2, dot2x1F64AVX2, dot3x1F64AVX2},
	packColumns:    packColumnsF64AVX2,
	packTransposed: packTransposedF64AVX2,
	packLeft:       packLeftF64AVX2,
	gatherRows:     gatherRowsF64AVX2,
}

var avx512x32 = kernels[float32]{
	vector: 64, height: 12,
	tile: [maxHeight + 1]tileFunc[float32]{
		nil, tile1x2F32AVX512, tile2x2F32AVX512, tile3x2F32AVX512, tile4x2F32AVX512, tile5x2F32AVX512, tile6x2F32AVX512,
		tile7x2F32AVX512, tile8x2F32AVX512, tile9x2F32AVX512, tile10x2F32AVX512, tile11x2F32AVX512, tile12x2F32AVX512,
	},
	edge: [3][maxHeight + 1]edgeFunc[float32]{
		1: {
			nil, tile1x1EdgeF32AVX512, tile2x1EdgeF32AVX512, tile3x1EdgeF32AVX512, tile4x1EdgeF32AVX512, tile5x1EdgeF32AVX512, tile6x1EdgeF32AVX512,
			tile7x1EdgeF32AVX512, tile8x1EdgeF32AVX512, tile9x1EdgeF32AVX512, tile10x1EdgeF32AVX512, tile11x1EdgeF32AVX512, tile12x1EdgeF32AVX512,
		},
		2: {
			nil, tile1x2EdgeF32AVX512, tile2x2EdgeF32AVX512, tile3x2EdgeF32AVX512, tile4x2EdgeF32AVX512, tile5x2EdgeF32AVX512, tile6x2EdgeF32AVX512,
			tile7x2EdgeF32AVX512, tile8x2EdgeF32AVX512, tile9x2EdgeF32AVX512, tile10x2EdgeF32AVX512, tile11x2EdgeF32AVX512, tile12x2EdgeF32AVX512,
		},
	},
	wide: [maxWide + 1]wideTile[float32]{
		1: {8, tile1x8F32AVX512}, 2: {8, tile2x8F32AVX512}, 3: {8, tile3x8F32AVX512}, 4: {6, tile4x6F32AVX512},
	},
	dots:           [...]dotFunc[float32]{nil, dot1x4F32AVX512, dot2x4F32AVX512, dot3x4F32AVX512},
	dot:            [...]dotFunc[float32]{nil, dot1x1F32AVX512, dot2x1F32AVX512, dot3x1F32AVX512},
	packColumns:    packColumnsF32AVX512,
	packTransposed: packTransposedF32AVX512,
	packLeft:       packLeftF32AVX512,
	gatherRows:     gatherRowsF32AVX512,
}

var avx512x64 = kernels[float64]{
	vector: 64, height: 12,
	tile: [maxHeight + 1]tileFunc[float64]{
		nil, tile1x2F64AVX512, tile2x2F64AVX512, tile3x2F64AVX512, tile4x2F64AVX512, tile5x2F64AVX512, tile6x2F64AVX512,
		tile7x2F64AVX512, tile8x2F64AVX512, tile9x2F64AVX512, tile10x2F64AVX512, tile11x2F64AVX512, tile12x2F64AVX512,
	},
	edge: [3][maxHeight + 1]edgeFunc[float64]{
		1: {
			nil, tile1x1EdgeF64AVX512, tile2x1EdgeF64AVX512, tile3x1EdgeF64AVX512, tile4x1EdgeF64AVX512, tile5x1EdgeF64AVX512, tile6x1EdgeF64AVX512,
			tile7x1EdgeF64AVX512, tile8x1EdgeF64AVX512, tile9x1EdgeF64AVX512, tile10x1EdgeF64AVX512, tile11x1EdgeF64AVX512, tile12x1EdgeF64AVX512,
		},
		2: {
			nil, tile1x2EdgeF64AVX512, tile2x2EdgeF64AVX512, tile3x2EdgeF64AVX512, tile4x2EdgeF64AVX512, tile5x2EdgeF64AVX512, tile6x2EdgeF64AVX512,
			tile7x2EdgeF64AVX512, tile8x2EdgeF64AVX512, tile9x2EdgeF64AVX512, tile10x2EdgeF64AVX512, tile11x2EdgeF64AVX512, tile12x2EdgeF64AVX512,
		},
	},
	wide: [maxWide + 1]wideTile[float64]{
		1: {8, tile1x8F64AVX512}, 2: {8, tile2x8F64AVX512}, 3: {8, tile3x8F64AVX512}, 4: {6, tile4x6F64AVX512},
	},
	dots:           [...]dotFunc[float64]{nil, dot1x4F64AVX512, dot2x4F64AVX512, dot3x4F64AVX512},
	dot:            [...]dotFunc[float64]{nil, dot1x1F64AVX512, dot2x1F64AVX512, dot3x1F64AVX512},
	packColumns:    packColumnsF64AVX512,
	packTransposed: packTransposedF64AVX512,
	packLeft:       packLeftF64AVX512,
	gatherRows:     gatherRowsF64AVX512,
}

// kernelsOf returns the functions of a precision, of the set in use.
func kernelsOf[T Float]() *kernels[T] {
	if useAVX512 {
		return ofPrecision[*kernels[T]](&avx512x32, &avx512x64)
	}
	return ofPrecision[*kernels[T]](&avx2x32, &avx2x64)
}
