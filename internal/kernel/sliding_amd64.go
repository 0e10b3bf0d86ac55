package kernel

//go:generate go -C gen/sliding run . -out ../../sliding_amd64.s -stubs ../../sliding_stubs_amd64.go -pkg kernel

// windowKernels are the assembly functions of a precision. Their strides are in
// bytes.
type windowKernels[T Float] struct {
	vector         int // elements
	weigh          func(dst, src, w *T, offsets *int, taps, n, rows, strideDst, strideSrc int, start T)
	dots           func(dst, y, src *T, offsets *int, n, rows, strideY, strideSrc int)
	greatest       func(dst, src *T, offsets *int, taps, n, rows, strideDst, strideSrc int)
	greatestPlaces func(dst, src *T, offsets *int, taps, n, rows, strideDst, strideSrc int, index, columns, start *int32, deltas, rowPlaces, rowStarts *int)
	split          func(even, odd, src *T, n, rows, strideDst, strideSrc int)
	join           func(dst, even, odd *T, n, rows, strideDst, strideSrc int)
	copy           func(dst, src *T, n, rows, strideDst, strideSrc int)
}

var (
	windows32AVX2   = windowKernels[float32]{8, weightedSumsF32AVX2, windowDotsF32AVX2, windowMaximaF32AVX2, windowPlacesF32AVX2, splitPairsF32AVX2, joinPairsF32AVX2, copyRowsF32AVX2}
	windows64AVX2   = windowKernels[float64]{4, weightedSumsF64AVX2, windowDotsF64AVX2, windowMaximaF64AVX2, windowPlacesF64AVX2, splitPairsF64AVX2, joinPairsF64AVX2, copyRowsF64AVX2}
	windows32AVX512 = windowKernels[float32]{16, weightedSumsF32AVX512, windowDotsF32AVX512, windowMaximaF32AVX512, windowPlacesF32AVX512, splitPairsF32AVX2, joinPairsF32AVX2, copyRowsF32AVX2}
	windows64AVX512 = windowKernels[float64]{8, weightedSumsF64AVX512, windowDotsF64AVX512, windowMaximaF64AVX512, windowPlacesF64AVX512, splitPairsF64AVX2, joinPairsF64AVX2, copyRowsF64AVX2}
)

func init() {
	if useAVX2 {
		windows32, windows64 = windows32AVX2.loops(), windows64AVX2.loops()
	}
	if useAVX512 {
		windows32, windows64 = windows32AVX512.over(windows32), windows64AVX512.over(windows64)
	}
}

// over returns the loops with others for short rows.
func (k *windowKernels[T]) over(shorter windowLoops[T]) windowLoops[T] {
	l := k.loops()
	l.shorter = &shorter
	return l
}

func (k *windowKernels[T]) loops() windowLoops[T] {
	return windowLoops[T]{vector: k.vector, weigh: k.weighRows, dots: k.dotRows, greatest: k.greatestRows, split: k.splitRows, join: k.joinRows, copy: k.copyRows}
}

// bytesOf is how many bytes a number has.
func bytesOf[T Float]() int {
	if _, ok := any(T(0)).(float32); ok {
		return 4
	}
	return 8
}

// inside panics if one of the rows does not lie in x.
func inside[T any](x []T, n, rows, stride int) { _ = x[:(rows-1)*stride+n] }

func (k *windowKernels[T]) weighRows(dst, src, w []T, offsets []int, n, rows, strideDst, strideSrc int, start T) {
	size := bytesOf[T]()
	inside(dst, n, rows, strideDst)
	k.weigh(&dst[0], &src[0], &w[0], &offsets[0], len(offsets), n, rows, size*strideDst, size*strideSrc, start)
}

func (k *windowKernels[T]) dotRows(dst *[dotTaps]T, y, src []T, offsets *[dotTaps]int, n, rows, strideY, strideSrc int) {
	size := bytesOf[T]()
	inside(y, n, rows, strideY)
	k.dots(&dst[0], &y[0], &src[0], &offsets[0], n, rows, size*strideY, size*strideSrc)
}

func (k *windowKernels[T]) greatestRows(dst, src []T, offsets []int, n, rows, strideDst, strideSrc int, places *windowPlaces) {
	size := bytesOf[T]()
	inside(dst, n, rows, strideDst)
	if places == nil {
		k.greatest(&dst[0], &src[0], &offsets[0], len(offsets), n, rows, size*strideDst, size*strideSrc)
		return
	}
	p := places
	inside(p.index, n, rows, strideDst)
	inside(p.columns, n, 1, 0)
	inside(p.start, n, 1, 0)
	inside(p.rows, rows, 1, 0)
	inside(p.starts, rows, 1, 0)
	k.greatestPlaces(&dst[0], &src[0], &offsets[0], len(offsets), n, rows, size*strideDst, size*strideSrc,
		&p.index[0], &p.columns[0], &p.start[0], &p.deltas[0], &p.rows[0], &p.starts[0])
}

func (k *windowKernels[T]) splitRows(even, odd, src []T, n, rows, strideDst, strideSrc int) {
	size := bytesOf[T]()
	inside(even, n, rows, strideDst)
	inside(odd, n, rows, strideDst)
	inside(src, 2*n, rows, strideSrc)
	k.split(&even[0], &odd[0], &src[0], n, rows, size*strideDst, size*strideSrc)
}

func (k *windowKernels[T]) joinRows(dst, even, odd []T, n, rows, strideDst, strideSrc int) {
	size := bytesOf[T]()
	inside(dst, 2*n, rows, strideDst)
	inside(even, n, rows, strideSrc)
	inside(odd, n, rows, strideSrc)
	k.join(&dst[0], &even[0], &odd[0], n, rows, size*strideDst, size*strideSrc)
}

func (k *windowKernels[T]) copyRows(dst, src []T, n, rows, strideDst, strideSrc int) {
	size := bytesOf[T]()
	inside(dst, n, rows, strideDst)
	inside(src, n, rows, strideSrc)
	k.copy(&dst[0], &src[0], n, rows, size*strideDst, size*strideSrc)
}
