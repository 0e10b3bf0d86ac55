package kernel

// tapsFunc computes count tiles of maps:
//
//	c[i][j] (+)= bias[i] + Σ a[i·rowA + q] · b[offsets[q] + j]	for q < k
//
// All distances are in bytes. From tile to tile c and b move by nextC and
// nextB.
type tapsFunc[T Float] func(c, a, b *T, offsets *int, bias *T, strideC, rowA, k, nextC, nextB, count int, accumulate bool)

// tapsEdgeFunc is a tapsFunc whose last vector has only the given number of
// columns, at least one.
type tapsEdgeFunc[T Float] func(c, a, b *T, offsets *int, bias *T, strideC, rowA, k, nextC, nextB, count int, accumulate bool, columns int)

// planesFunc computes a tile of the gradient of weights, over some rows of
// places:
//
//	c[i][j] (+)= Σ Σ a[i·rowA + r·(k + gapA) + q] · b[r·(k·stepB + gapB) + q·stepB + j]	for q < k and r < rows
type planesFunc[T Float] func(c, a, b *T, strideC, rowA, k, rows, gapA, stepB, gapB int, accumulate bool)

// planesEdgeFunc is a planesFunc whose last vector has only the given number of
// columns.
type planesEdgeFunc[T Float] func(c, a, b *T, strideC, rowA, k, rows, gapA, stepB, gapB int, accumulate bool, columns int)

// convKernels are the assembly functions of convolutions in one precision; the
// indices are those of [kernels].
type convKernels[T Float] struct {
	vector, height int
	taps           [maxHeight + 1]tapsFunc[T]
	tapsEdge       [3][maxHeight + 1]tapsEdgeFunc[T]
	planes         [maxHeight + 1]planesFunc[T]
	planesEdge     [3][maxHeight + 1]planesEdgeFunc[T]
	transposeRows  func(dst, src *T, strideDst, stride, k int)
}

var convAVX2x32 = convKernels[float32]{
	vector: 32, height: 6,
	taps: [maxHeight + 1]tapsFunc[float32]{
		nil, taps1x2F32AVX2, taps2x2F32AVX2, taps3x2F32AVX2, taps4x2F32AVX2, taps5x2F32AVX2, taps6x2F32AVX2,
	},
	tapsEdge: [3][maxHeight + 1]tapsEdgeFunc[float32]{
		1: {
			nil, taps1x1EdgeF32AVX2, taps2x1EdgeF32AVX2, taps3x1EdgeF32AVX2, taps4x1EdgeF32AVX2, taps5x1EdgeF32AVX2, taps6x1EdgeF32AVX2,
		},
		2: {
			nil, taps1x2EdgeF32AVX2, taps2x2EdgeF32AVX2, taps3x2EdgeF32AVX2, taps4x2EdgeF32AVX2, taps5x2EdgeF32AVX2, taps6x2EdgeF32AVX2,
		},
	},
	planes: [maxHeight + 1]planesFunc[float32]{
		nil, planes1x2F32AVX2, planes2x2F32AVX2, planes3x2F32AVX2, planes4x2F32AVX2, planes5x2F32AVX2, planes6x2F32AVX2,
	},
	planesEdge: [3][maxHeight + 1]planesEdgeFunc[float32]{
		1: {
			nil, planes1x1EdgeF32AVX2, planes2x1EdgeF32AVX2, planes3x1EdgeF32AVX2, planes4x1EdgeF32AVX2, planes5x1EdgeF32AVX2, planes6x1EdgeF32AVX2,
		},
		2: {
			nil, planes1x2EdgeF32AVX2, planes2x2EdgeF32AVX2, planes3x2EdgeF32AVX2, planes4x2EdgeF32AVX2, planes5x2EdgeF32AVX2, planes6x2EdgeF32AVX2,
		},
	},
	transposeRows: transposeRowsF32AVX2,
}

var convAVX2x64 = convKernels[float64]{
	vector: 32, height: 6,
	taps: [maxHeight + 1]tapsFunc[float64]{
		nil, taps1x2F64AVX2, taps2x2F64AVX2, taps3x2F64AVX2, taps4x2F64AVX2, taps5x2F64AVX2, taps6x2F64AVX2,
	},
	tapsEdge: [3][maxHeight + 1]tapsEdgeFunc[float64]{
		1: {
			nil, taps1x1EdgeF64AVX2, taps2x1EdgeF64AVX2, taps3x1EdgeF64AVX2, taps4x1EdgeF64AVX2, taps5x1EdgeF64AVX2, taps6x1EdgeF64AVX2,
		},
		2: {
			nil, taps1x2EdgeF64AVX2, taps2x2EdgeF64AVX2, taps3x2EdgeF64AVX2, taps4x2EdgeF64AVX2, taps5x2EdgeF64AVX2, taps6x2EdgeF64AVX2,
		},
	},
	planes: [maxHeight + 1]planesFunc[float64]{
		nil, planes1x2F64AVX2, planes2x2F64AVX2, planes3x2F64AVX2, planes4x2F64AVX2, planes5x2F64AVX2, planes6x2F64AVX2,
	},
	planesEdge: [3][maxHeight + 1]planesEdgeFunc[float64]{
		1: {
			nil, planes1x1EdgeF64AVX2, planes2x1EdgeF64AVX2, planes3x1EdgeF64AVX2, planes4x1EdgeF64AVX2, planes5x1EdgeF64AVX2, planes6x1EdgeF64AVX2,
		},
		2: {
			nil, planes1x2EdgeF64AVX2, planes2x2EdgeF64AVX2, planes3x2EdgeF64AVX2, planes4x2EdgeF64AVX2, planes5x2EdgeF64AVX2, planes6x2EdgeF64AVX2,
		},
	},
	transposeRows: transposeRowsF64AVX2,
}

var convAVX512x32 = convKernels[float32]{
	vector: 64, height: 12,
	taps: [maxHeight + 1]tapsFunc[float32]{
		nil, taps1x2F32AVX512, taps2x2F32AVX512, taps3x2F32AVX512, taps4x2F32AVX512, taps5x2F32AVX512, taps6x2F32AVX512,
		taps7x2F32AVX512, taps8x2F32AVX512, taps9x2F32AVX512, taps10x2F32AVX512, taps11x2F32AVX512, taps12x2F32AVX512,
	},
	tapsEdge: [3][maxHeight + 1]tapsEdgeFunc[float32]{
		1: {
			nil, taps1x1EdgeF32AVX512, taps2x1EdgeF32AVX512, taps3x1EdgeF32AVX512, taps4x1EdgeF32AVX512, taps5x1EdgeF32AVX512, taps6x1EdgeF32AVX512,
			taps7x1EdgeF32AVX512, taps8x1EdgeF32AVX512, taps9x1EdgeF32AVX512, taps10x1EdgeF32AVX512, taps11x1EdgeF32AVX512, taps12x1EdgeF32AVX512,
		},
		2: {
			nil, taps1x2EdgeF32AVX512, taps2x2EdgeF32AVX512, taps3x2EdgeF32AVX512, taps4x2EdgeF32AVX512, taps5x2EdgeF32AVX512, taps6x2EdgeF32AVX512,
			taps7x2EdgeF32AVX512, taps8x2EdgeF32AVX512, taps9x2EdgeF32AVX512, taps10x2EdgeF32AVX512, taps11x2EdgeF32AVX512, taps12x2EdgeF32AVX512,
		},
	},
	planes: [maxHeight + 1]planesFunc[float32]{
		nil, planes1x2F32AVX512, planes2x2F32AVX512, planes3x2F32AVX512, planes4x2F32AVX512, planes5x2F32AVX512, planes6x2F32AVX512,
		planes7x2F32AVX512, planes8x2F32AVX512, planes9x2F32AVX512, planes10x2F32AVX512, planes11x2F32AVX512, planes12x2F32AVX512,
	},
	planesEdge: [3][maxHeight + 1]planesEdgeFunc[float32]{
		1: {
			nil, planes1x1EdgeF32AVX512, planes2x1EdgeF32AVX512, planes3x1EdgeF32AVX512, planes4x1EdgeF32AVX512, planes5x1EdgeF32AVX512, planes6x1EdgeF32AVX512,
			planes7x1EdgeF32AVX512, planes8x1EdgeF32AVX512, planes9x1EdgeF32AVX512, planes10x1EdgeF32AVX512, planes11x1EdgeF32AVX512, planes12x1EdgeF32AVX512,
		},
		2: {
			nil, planes1x2EdgeF32AVX512, planes2x2EdgeF32AVX512, planes3x2EdgeF32AVX512, planes4x2EdgeF32AVX512, planes5x2EdgeF32AVX512, planes6x2EdgeF32AVX512,
			planes7x2EdgeF32AVX512, planes8x2EdgeF32AVX512, planes9x2EdgeF32AVX512, planes10x2EdgeF32AVX512, planes11x2EdgeF32AVX512, planes12x2EdgeF32AVX512,
		},
	},
	transposeRows: transposeRowsF32AVX512,
}

var convAVX512x64 = convKernels[float64]{
	vector: 64, height: 12,
	taps: [maxHeight + 1]tapsFunc[float64]{
		nil, taps1x2F64AVX512, taps2x2F64AVX512, taps3x2F64AVX512, taps4x2F64AVX512, taps5x2F64AVX512, taps6x2F64AVX512,
		taps7x2F64AVX512, taps8x2F64AVX512, taps9x2F64AVX512, taps10x2F64AVX512, taps11x2F64AVX512, taps12x2F64AVX512,
	},
	tapsEdge: [3][maxHeight + 1]tapsEdgeFunc[float64]{
		1: {
			nil, taps1x1EdgeF64AVX512, taps2x1EdgeF64AVX512, taps3x1EdgeF64AVX512, taps4x1EdgeF64AVX512, taps5x1EdgeF64AVX512, taps6x1EdgeF64AVX512,
			taps7x1EdgeF64AVX512, taps8x1EdgeF64AVX512, taps9x1EdgeF64AVX512, taps10x1EdgeF64AVX512, taps11x1EdgeF64AVX512, taps12x1EdgeF64AVX512,
		},
		2: {
			nil, taps1x2EdgeF64AVX512, taps2x2EdgeF64AVX512, taps3x2EdgeF64AVX512, taps4x2EdgeF64AVX512, taps5x2EdgeF64AVX512, taps6x2EdgeF64AVX512,
			taps7x2EdgeF64AVX512, taps8x2EdgeF64AVX512, taps9x2EdgeF64AVX512, taps10x2EdgeF64AVX512, taps11x2EdgeF64AVX512, taps12x2EdgeF64AVX512,
		},
	},
	planes: [maxHeight + 1]planesFunc[float64]{
		nil, planes1x2F64AVX512, planes2x2F64AVX512, planes3x2F64AVX512, planes4x2F64AVX512, planes5x2F64AVX512, planes6x2F64AVX512,
		planes7x2F64AVX512, planes8x2F64AVX512, planes9x2F64AVX512, planes10x2F64AVX512, planes11x2F64AVX512, planes12x2F64AVX512,
	},
	planesEdge: [3][maxHeight + 1]planesEdgeFunc[float64]{
		1: {
			nil, planes1x1EdgeF64AVX512, planes2x1EdgeF64AVX512, planes3x1EdgeF64AVX512, planes4x1EdgeF64AVX512, planes5x1EdgeF64AVX512, planes6x1EdgeF64AVX512,
			planes7x1EdgeF64AVX512, planes8x1EdgeF64AVX512, planes9x1EdgeF64AVX512, planes10x1EdgeF64AVX512, planes11x1EdgeF64AVX512, planes12x1EdgeF64AVX512,
		},
		2: {
			nil, planes1x2EdgeF64AVX512, planes2x2EdgeF64AVX512, planes3x2EdgeF64AVX512, planes4x2EdgeF64AVX512, planes5x2EdgeF64AVX512, planes6x2EdgeF64AVX512,
			planes7x2EdgeF64AVX512, planes8x2EdgeF64AVX512, planes9x2EdgeF64AVX512, planes10x2EdgeF64AVX512, planes11x2EdgeF64AVX512, planes12x2EdgeF64AVX512,
		},
	},
	transposeRows: transposeRowsF64AVX512,
}

// convKernelsOf returns the functions of a precision, of the set in use; nil if
// that is the portable one.
func convKernelsOf[T Float]() *convKernels[T] {
	switch {
	case useAVX512:
		return ofPrecision[*convKernels[T]](&convAVX512x32, &convAVX512x64)
	case useAVX2:
		return ofPrecision[*convKernels[T]](&convAVX2x32, &convAVX2x64)
	}
	return nil
}
