package kernel

import (
	"math"
	"unsafe"
)

// maxPartials is the largest number of pieces of a long row, pieceLeast the length of the smallest.
const (
	maxPartials = 64
	pieceLeast  = 1 << 15
)

// reduction names what a rowTask computes. Functions in its place would be allocated at each call.
type reduction int

const (
	partSum reduction = iota // of a long row
	partLargest
	partSmallest
	partSquares

	columnSums // of many rows, along columns

	rowSum // of many rows
	rowSoftmax
	rowLogSumExp
	rowLogSoftmax
	rowSoftmaxGrad
	rowLogSoftmaxGrad
	rowVariance
	rowDeviation
)

// rowTask is a reduction that the workers share: of one long row in pieces, or of many rows.
type rowTask[T Float] struct {
	l               *vectors[T]
	what            reduction
	dst, x, y       []T
	outer, n, inner int
	correction      int // of the variance
	piece           int // elements, rows or columns of a piece
	partials        [maxPartials]float64
}

func (t *rowTask[T]) run(piece, _ int) {
	lo := piece * t.piece
	switch {
	case t.what < columnSums:
		t.partials[piece] = t.l.part(t.what, t.x[lo:min(lo+t.piece, len(t.x))])
	case t.what == columnSums:
		sumRowsPairwise(t.dst[lo:min(lo+t.piece, t.inner)], t.x[min(lo, len(t.x)):], t.n, t.inner)
	default:
		for o := lo; o < min(lo+t.piece, t.outer); o++ {
			t.row(o)
		}
	}
}

// row computes the row o of many.
func (t *rowTask[T]) row(o int) {
	x := t.x[o*t.n : (o+1)*t.n]
	switch t.what {
	case rowSum:
		t.dst[o] = T(t.l.pairwise(x))
	case rowLogSumExp:
		t.dst[o] = T(logTotal(t.l.logSum(x)))
	case rowVariance:
		t.dst[o] = T(t.l.variance(x, t.correction, false))
	case rowDeviation:
		t.dst[o] = T(t.l.variance(x, t.correction, true))
	case rowSoftmax:
		t.l.softmaxRow(t.dst[o*t.n:(o+1)*t.n], x)
	case rowLogSoftmax:
		most, rest := t.l.logSum(x)
		t.l.logSoftmax(&t.dst[o*t.n], &x[0], t.n, most, rest)
	case rowSoftmaxGrad:
		y := &t.y[o*t.n]
		t.l.softmaxGrad(&t.dst[o*t.n], &x[0], y, t.n, t.l.dot(&x[0], y, t.n))
	case rowLogSoftmaxGrad:
		t.l.logSoftmaxGrad(&t.dst[o*t.n], &x[0], &t.y[o*t.n], t.n, t.l.pairwise(x))
	}
}

var (
	rowTasks32 freeList[rowTask[float32]]
	rowTasks64 freeList[rowTask[float64]]
)

func rowTasksOf[T Float]() *freeList[rowTask[T]] {
	return ofPrecision[*freeList[rowTask[T]]](&rowTasks32, &rowTasks64)
}

func (t *rowTask[T]) release(list *freeList[rowTask[T]]) {
	t.dst, t.x, t.y = nil, nil, nil
	list.put(t)
}

// eachRow reduces the rows one by one, or, from so many elements on, shares them.
func (l *vectors[T]) eachRow(what reduction, dst, x, y []T, outer, n, correction, shared int) {
	list := rowTasksOf[T]()
	t := list.get()
	t.l, t.what, t.dst, t.x, t.y, t.outer, t.n, t.correction = l, what, dst, x, y, outer, n, correction
	if outer*n < shared {
		for o := range outer {
			t.row(o)
		}
	} else {
		t.piece = max(1, sweepPiece/n)
		parallel((outer+t.piece-1)/t.piece, t)
	}
	t.release(list)
}

// over reduces a long row to the results for its pieces, which are as many for any number of workers, and combines them.
func (l *vectors[T]) over(what reduction, x []T) float64 {
	if len(x) < sharedMemory {
		return l.part(what, x)
	}
	list := rowTasksOf[T]()
	t := list.get()
	t.l, t.what, t.x = l, what, x
	t.piece = (len(x)/maxPartials/pieceLeast + 1) * pieceLeast
	pieces := (len(x) + t.piece - 1) / t.piece
	parallel(pieces, t)
	y := t.partials[0]
	for _, p := range t.partials[1:pieces] {
		switch what {
		case partLargest:
			y = max(y, p)
		case partSmallest:
			y = min(y, p)
		default:
			y += p
		}
	}
	t.release(list)
	return y
}

// part reduces a piece of a long row.
func (l *vectors[T]) part(what reduction, x []T) float64 {
	switch {
	case what == partSum:
		return l.pairwise(x)
	case what == partSquares:
		return l.squares(x)
	case len(x) == 0:
		return math.Inf(int(2*(what-partLargest)) - 1)
	case what == partLargest:
		return float64(l.largest(&x[0], len(x)))
	}
	return float64(l.smallest(&x[0], len(x)))
}

// leaf is the number of summands of a call of sum.
func (l *vectors[T]) leaf() int {
	if unsafe.Sizeof(*new(T)) == 4 {
		return 1 << 16
	}
	return 1 << 12
}

// pairwise halves x at multiples of a leaf, so that the order depends on the length alone.
func (l *vectors[T]) pairwise(x []T) float64 {
	if leaf := l.leaf(); len(x) > leaf {
		half := roundUp(len(x)/2, leaf)
		return l.pairwise(x[:half]) + l.pairwise(x[half:])
	}
	if len(x) == 0 {
		return 0
	}
	return l.sum(&x[0], len(x))
}

func (l *vectors[T]) sumAxis(dst, x []T, outer, n, inner int) {
	switch {
	case inner == 1 && outer == 1:
		dst[0] = T(l.over(partSum, x[:n]))
	case inner == 1 && n > 0:
		l.eachRow(rowSum, dst, x, nil, outer, n, 0, sharedMemory)
	case inner == 1:
		clear(dst[:outer])
	default:
		l.sumInner(dst, x, outer, n, inner)
	}
}

// wideColumns is the number of columns that a sum of rows does at a time.
const wideColumns = 256

func (l *vectors[T]) sumInner(dst, x []T, outer, n, inner int) {
	for o := range outer {
		to, rows := dst[o*inner:(o+1)*inner], x[o*n*inner:(o+1)*n*inner]
		if n*inner < sharedMemory {
			for i := 0; i < inner; i += wideColumns {
				sumRowsPairwise(to[i:min(i+wideColumns, inner)], rows[min(i, len(rows)):], n, inner)
			}
			continue
		}
		list := rowTasksOf[T]()
		t := list.get()
		t.what, t.dst, t.x, t.n, t.inner, t.piece = columnSums, to, rows, n, inner, wideColumns
		parallel((inner+wideColumns-1)/wideColumns, t)
		t.release(list)
	}
}

// sumRowsPairwise sums n rows of at most wideColumns columns, pairwise in leaves of rows.
func sumRowsPairwise[T Float](dst, x []T, n, inner int) {
	switch {
	case len(dst) == 0:
	case n == 0:
		clear(dst)
	case n <= leaf:
		sumRows(&dst[0], &x[0], n, inner, len(dst))
	default:
		half := (n/2 + leaf - 1) / leaf * leaf
		var upper [wideColumns]T
		sumRowsPairwise(dst, x, half, inner)
		sumRowsPairwise(upper[:len(dst)], x[half*inner:], n-half, inner)
		addTo(&dst[0], &upper[0], len(dst))
	}
}

// sumRows and addTo call the assembly of their precision directly, so that the compiler sees that nothing escapes.
func sumRows[T Float](dst, x *T, rows, stride, columns int) {
	if unsafe.Sizeof(*dst) == 4 {
		sumRows32AVX2((*float32)(unsafe.Pointer(dst)), (*float32)(unsafe.Pointer(x)), rows, stride, columns)
		return
	}
	sumRows64AVX2((*float64)(unsafe.Pointer(dst)), (*float64)(unsafe.Pointer(x)), rows, stride, columns)
}

func addTo[T Float](dst, x *T, n int) {
	if unsafe.Sizeof(*dst) == 4 {
		d := (*float32)(unsafe.Pointer(dst))
		addVV32AVX2(d, d, (*float32)(unsafe.Pointer(x)), n)
		return
	}
	d := (*float64)(unsafe.Pointer(dst))
	addVV64AVX2(d, d, (*float64)(unsafe.Pointer(x)), n)
}

func (l *vectors[T]) maxAxis(dst, x []T, outer, n, inner int) {
	if inner != 1 {
		fold(dst, x, outer, n, inner, T(math.Inf(-1)), loopsOf[T](&Maximum).VV)
		return
	}
	for o := range outer {
		dst[o] = T(l.over(partLargest, x[o*n:(o+1)*n]))
	}
}

func (l *vectors[T]) minAxis(dst, x []T, outer, n, inner int) {
	if inner != 1 {
		fold(dst, x, outer, n, inner, T(math.Inf(1)), loopsOf[T](&Minimum).VV)
		return
	}
	for o := range outer {
		dst[o] = T(l.over(partSmallest, x[o*n:(o+1)*n]))
	}
}

// hugeRow is the magnitude from which on a row's largest element is left to the portable softmax: its power of two no longer fits the
// integers that the vectors count with.
const hugeRow = 1 << 20

func isHuge[T Float](most T) bool { return !(most < hugeRow && most > -hugeRow) }

// powerOf returns the integer k for which k·ln 2 is near x, and the factor that turns e^(v − k·ln 2) into e^(v − x).
func powerOf(x float64) (k, factor float64) {
	k = math.RoundToEven(x * math.Log2E)
	const ln2Low = 2.3190468138462996e-17
	rest := math.FMA(-k, math.Ln2, x) - k*ln2Low
	return k, math.Exp(-rest)
}

func (l *vectors[T]) softmaxAxis(dst, x []T, outer, n, inner int) {
	switch {
	case n == 0:
		return
	case inner != 1:
		alongColumns(columnTask[T]{reduce: l.softmaxColumns, dst: dst, x: x, outer: outer, n: n, inner: inner})
		return
	}
	l.eachRow(rowSoftmax, dst, x, nil, outer, n, 0, sharedWork)
}

// softmaxRow takes powers of e relative to that power of two which is nearest to the largest: the factor to the power of the largest
// is the same for all and cancels.
func (l *vectors[T]) softmaxRow(dst, x []T) {
	most := l.largest(&x[0], len(x))
	if isHuge(most) {
		softmaxRow(dst, x)
		return
	}
	sum := l.shiftedExp(&dst[0], &x[0], len(x), most, math.RoundToEven(float64(most)*math.Log2E))
	high := float64(T(1 / sum))
	l.ratio(&dst[0], &dst[0], len(x), high, math.FMA(-high, sum, 1)*high)
}

// logSum splits the logarithm of a row's sum of powers as the portable function of that name.
func (l *vectors[T]) logSum(x []T) (most, rest float64) {
	if len(x) == 0 {
		return logSum(x)
	}
	m := l.largest(&x[0], len(x))
	if isHuge(m) {
		return logSum(x)
	}
	shift, factor := powerOf(float64(m))
	smaller, ties := l.sumExp(&x[0], len(x), m, shift)
	return float64(m), logRest(float64(m), smaller*factor, ties)
}

func (l *vectors[T]) logSumExpAxis(dst, x []T, outer, n, inner int) {
	switch {
	case n == 0:
		fill(dst[:outer*inner], T(math.Inf(-1)))
		return
	case inner != 1:
		alongColumns(columnTask[T]{reduce: l.logSumExpColumns, isSum: true, dst: dst, x: x, outer: outer, n: n, inner: inner})
		return
	}
	l.eachRow(rowLogSumExp, dst, x, nil, outer, n, 0, sharedWork)
}

func (l *vectors[T]) logSoftmaxAxis(dst, x []T, outer, n, inner int) {
	switch {
	case n == 0:
		return
	case inner != 1:
		alongColumns(columnTask[T]{reduce: l.logSoftmaxColumns, dst: dst, x: x, outer: outer, n: n, inner: inner})
		return
	}
	l.eachRow(rowLogSoftmax, dst, x, nil, outer, n, 0, sharedWork)
}

func (l *vectors[T]) softmaxGradAxis(dst, gy, y []T, outer, n, inner int) {
	switch {
	case n == 0:
		return
	case inner != 1:
		alongColumns(columnTask[T]{slope: l.softmaxGradColumns, dst: dst, x: gy, y: y, outer: outer, n: n, inner: inner})
		return
	}
	l.eachRow(rowSoftmaxGrad, dst, gy, y, outer, n, 0, sharedMemory)
}

func (l *vectors[T]) logSoftmaxGradAxis(dst, gy, y []T, outer, n, inner int) {
	switch {
	case n == 0:
		return
	case inner != 1:
		alongColumns(columnTask[T]{slope: l.logSoftmaxGradColumns, dst: dst, x: gy, y: y, outer: outer, n: n, inner: inner})
		return
	}
	l.eachRow(rowLogSoftmaxGrad, dst, gy, y, outer, n, 0, sharedWork)
}

// block is the number of elements whose products are added up in a row.
const block = 1 << 15

// norm needs no unit for the squares of float32 numbers, which are far from the ends of float64; those of float64 numbers are left to the
// portable form where they come near them.
func (l *vectors[T]) normOfRow(x []T, p float64) float64 {
	if p != 2 || len(x) == 0 {
		return normOfRow(x, p)
	}
	square := l.over(partSquares, x)
	if unsafe.Sizeof(x[0]) == 8 && !(square > 1e-280 && square < 1e300) {
		return normOfRow(x, p)
	}
	return math.Sqrt(square)
}

// squares adds up the squares of a row.
func (l *vectors[T]) squares(x []T) float64 {
	sum := 0.0
	for len(x) > 0 {
		n := min(block, len(x))
		sum += l.dot(&x[0], &x[0], n)
		x = x[n:]
	}
	return sum
}

func (l *vectors[T]) varAxis(dst, x []T, outer, n, inner, correction int, root bool) {
	if inner != 1 || n == 0 {
		varAxis(dst, x, outer, n, inner, correction, root)
		return
	}
	what := rowVariance
	if root {
		what = rowDeviation
	}
	l.eachRow(what, dst, x, nil, outer, n, correction, sharedMemory)
}

func (l *vectors[T]) variance(x []T, correction int, root bool) float64 {
	n, row := len(x), x
	mean, rest, sum := l.pairwise(x)/float64(n), 0.0, 0.0
	for len(x) > 0 {
		width := min(block, len(x))
		d, squares := l.deviations(&x[0], width, mean)
		rest, sum, x = rest+d, sum+squares, x[width:]
	}
	return varianceOf(rest, sum, row, n, 1, correction, root)
}
