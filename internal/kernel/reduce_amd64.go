package kernel

import (
	"math"
	"unsafe"
)

// maxPartials is the largest number of pieces of a long row, pieceLeast the
// least length of a piece.
const (
	maxPartials = 64
	pieceLeast  = 1 << 15
)

// reduction names what a task computes. Functions in its place would be
// allocated at each call.
type reduction int

const (
	partSum reduction = iota // of a long row
	partLargest
	partSmallest
	partSquares

	rowSum // of many rows
	rowSoftmax
	rowLogSumExp
	rowLogSoftmax
	rowSoftmaxGrad
	rowLogSoftmaxGrad
	rowVariance
	rowDeviation
)

// rowTask reduces many rows, some of which are a piece.
type rowTask[T Float] struct {
	l          *vectors[T]
	what       reduction
	dst, x, y  []T
	outer, n   int
	correction int // of the variance
	rows       int // of a piece
}

func (t *rowTask[T]) run(piece, _ int) {
	lo := piece * t.rows
	for o := lo; o < min(lo+t.rows, t.outer); o++ {
		t.row(o)
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

// reduceRows reduces the rows one by one. The workers share them if there are
// as many elements as shared says.
func (t rowTask[T]) reduceRows(shared int) {
	if t.outer*t.n < shared {
		t.rows = t.outer
		t.run(0, 0)
		return
	}
	t.rows = max(1, sharedPiece/t.n)
	share(blocks(t.outer, t.rows), t)
}

// longTask reduces one long row to a number for each piece.
type longTask[T Float] struct {
	l        *vectors[T]
	what     reduction
	x        []T
	piece    int // elements of a piece
	partials [maxPartials]float64
}

func (t *longTask[T]) run(piece, _ int) {
	lo := piece * t.piece
	t.partials[piece] = t.l.part(t.what, t.x[lo:min(lo+t.piece, len(t.x))])
}

// over reduces a row. A long one is cut by its length alone into pieces, the
// results of which it combines.
func (l *vectors[T]) over(what reduction, x []T) float64 {
	if len(x) < sharedMemory {
		return l.part(what, x)
	}
	free := freeListOf[longTask[T]]()
	t := free.get()
	t.l, t.what, t.x = l, what, x
	t.piece = (len(x)/maxPartials/pieceLeast + 1) * pieceLeast
	pieces := blocks(len(x), t.piece)
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
	t.x = nil
	free.put(t)
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

// pairwise halves x at multiples of a leaf, so that the order depends on the
// length alone.
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
		rowTask[T]{l: l, what: rowSum, dst: dst, x: x, outer: outer, n: n}.reduceRows(sharedMemory)
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
		t := columnSums[T]{to, rows, n}
		if n*inner < sharedMemory {
			for piece := range blocks(inner, wideColumns) {
				t.run(piece, 0)
			}
			continue
		}
		share(blocks(inner, wideColumns), t)
	}
}

// columnSums adds up n rows, in pieces of some columns.
type columnSums[T Float] struct {
	dst, x []T
	n      int
}

func (t *columnSums[T]) run(piece, _ int) {
	lo := piece * wideColumns
	inner := len(t.dst)
	sumRowsPairwise(t.dst[lo:min(lo+wideColumns, inner)], t.x[min(lo, len(t.x)):], t.n, inner)
}

// sumRowsPairwise sums n rows of at most wideColumns columns, pairwise in
// leaves of rows.
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

// sumRows and addTo call the assembly of their precision directly, so that the
// compiler sees that nothing escapes.
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

// Rows whose largest element has at least the magnitude hugeRow are left to the
// portable softmax: its power of two does not fit the integers that the vectors
// count with.
const hugeRow = 1 << 20

func isHuge[T Float](most T) bool { return !(most < hugeRow && most > -hugeRow) }

// powerOf returns the integer k with k·ln 2 nearest to x, and the factor that
// turns e^(v − k·ln 2) into e^(v − x).
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
	rowTask[T]{l: l, what: rowSoftmax, dst: dst, x: x, outer: outer, n: n}.reduceRows(sharedWork)
}

// softmaxRow computes powers of e relative to the power of two nearest to the
// largest of them. The factor between the two is the same for all elements and
// cancels.
func (l *vectors[T]) softmaxRow(dst, x []T) {
	most := l.largest(&x[0], len(x))
	if isHuge(most) {
		softmaxRow(dst, x)
		return
	}
	sum := l.shiftedExp(&dst[0], &x[0], len(x), most, nearestPower(most))
	high := float64(T(1 / sum))
	l.ratio(&dst[0], &dst[0], len(x), high, math.FMA(-high, sum, 1)*high)
}

// logSum splits the logarithm of a row's sum of powers as the portable logSum
// does.
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
	rowTask[T]{l: l, what: rowLogSumExp, dst: dst, x: x, outer: outer, n: n}.reduceRows(sharedWork)
}

func (l *vectors[T]) logSoftmaxAxis(dst, x []T, outer, n, inner int) {
	switch {
	case n == 0:
		return
	case inner != 1:
		alongColumns(columnTask[T]{reduce: l.logSoftmaxColumns, dst: dst, x: x, outer: outer, n: n, inner: inner})
		return
	}
	rowTask[T]{l: l, what: rowLogSoftmax, dst: dst, x: x, outer: outer, n: n}.reduceRows(sharedWork)
}

func (l *vectors[T]) softmaxGradAxis(dst, gy, y []T, outer, n, inner int) {
	switch {
	case n == 0:
		return
	case inner != 1:
		alongColumns(columnTask[T]{slope: l.softmaxGradColumns, dst: dst, x: gy, y: y, outer: outer, n: n, inner: inner})
		return
	}
	rowTask[T]{l: l, what: rowSoftmaxGrad, dst: dst, x: gy, y: y, outer: outer, n: n}.reduceRows(sharedMemory)
}

func (l *vectors[T]) logSoftmaxGradAxis(dst, gy, y []T, outer, n, inner int) {
	switch {
	case n == 0:
		return
	case inner != 1:
		alongColumns(columnTask[T]{slope: l.logSoftmaxGradColumns, dst: dst, x: gy, y: y, outer: outer, n: n, inner: inner})
		return
	}
	rowTask[T]{l: l, what: rowLogSoftmaxGrad, dst: dst, x: gy, y: y, outer: outer, n: n}.reduceRows(sharedWork)
}

// block is the number of elements whose products one call of dot adds up.
const block = 1 << 15

// normOfRow needs no unit for float32: the squares are far from the ends of
// float64's range. If those of float64 numbers come near them, the portable
// form computes the norm.
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

// finite goes by the sum of the squares, which is several times as fast as to
// look at each element: with a NaN or infinity it is none. Squares of large
// float64 numbers overflow, and then nothing is known.
func (l *vectors[T]) finite(x []T) bool {
	square := l.over(partSquares, x)
	return square-square == 0
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
	rowTask[T]{l: l, what: what, dst: dst, x: x, outer: outer, n: n, correction: correction}.reduceRows(sharedMemory)
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
