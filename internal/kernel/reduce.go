package kernel

import "math"

// Reductions see x as outer × n × inner and reduce the middle axis; dst is
// outer × inner. If inner is not 1 they work on chunks of adjacent columns, row
// by row, so that memory is read in order and partial results fit on the stack.

const (
	leaf    = 128 // summands that a pairwise sum adds up in a row
	columns = 64  // columns of a chunk
)

// chunks calls f for each chunk of columns: the result's elements and the slice
// of x that begins at the chunk's first column. Its rows are inner apart.
func chunks[T, R any](dst []R, x []T, outer, n, inner int, f func(dst []R, x []T, n, inner int)) {
	for o := range outer {
		rows := x[o*n*inner : (o+1)*n*inner]
		for i := 0; i < inner; i += columns {
			width := min(columns, inner-i)
			f(dst[o*inner+i:o*inner+i+width], rows[min(i, len(rows)):], n, inner)
		}
	}
}

// Sum is the sum along the middle axis, added up pairwise; 0 for n = 0.
func Sum[T Float](dst, x []T, outer, n, inner int) { primitivesOf[T]().sum(dst, x, outer, n, inner) }

func sumAxis[T Float](dst, x []T, outer, n, inner int) {
	if inner == 1 {
		for o := range outer {
			dst[o] = sumPairwise(x[o*n : (o+1)*n])
		}
		return
	}
	chunks(dst, x, outer, n, inner, sumColumns[T])
}

// sumPairwise halves x at multiples of a leaf, so that the order depends on the
// length alone.
func sumPairwise[T Float](x []T) T {
	if len(x) > leaf {
		half := (len(x)/2 + leaf - 1) / leaf * leaf
		return sumPairwise(x[:half]) + sumPairwise(x[half:])
	}
	var s0, s1, s2, s3 T
	for ; len(x) >= 4; x = x[4:] {
		s0 += x[0]
		s1 += x[1]
		s2 += x[2]
		s3 += x[3]
	}
	for _, v := range x {
		s0 += v
	}
	return (s0 + s1) + (s2 + s3)
}

// sumColumns sums the n rows of a chunk, also pairwise.
func sumColumns[T Float](dst, x []T, n, inner int) {
	if n > leaf {
		half := (n/2 + leaf - 1) / leaf * leaf
		var upper [columns]T
		sumColumns(dst, x, half, inner)
		sumColumns(upper[:len(dst)], x[half*inner:], n-half, inner)
		accumulate(dst, upper[:len(dst)])
		return
	}
	clear(dst)
	for k := range n {
		accumulate(dst, x[k*inner:k*inner+len(dst)])
	}
}

// Mean is the mean along the middle axis, a pairwise sum over n; NaN for n = 0.
// If the sum overflows, the mean is computed in another way that does not.
func Mean[T Float](dst, x []T, outer, n, inner int) {
	Sum(dst, x, outer, n, inner)
	count := T(n)
	for i := range dst[:outer*inner] {
		dst[i] /= count
		if dst[i]-dst[i] != 0 && n > 0 {
			mean, unit := centerOf(x[i/inner*n*inner+i%inner:], n, inner)
			dst[i] = T(unit * mean)
		}
	}
}

// Prod is the product along the middle axis; 1 for n = 0.
func Prod[T Float](dst, x []T, outer, n, inner int) {
	if inner == 1 {
		for o := range outer {
			product := T(1)
			for _, v := range x[o*n : (o+1)*n] {
				product *= v
			}
			dst[o] = product
		}
		return
	}
	fold(dst, x, outer, n, inner, 1, mulVV[T])
}

// Max is the largest number along the middle axis, NaN if one of them is; −Inf
// for n = 0.
func Max[T Float](dst, x []T, outer, n, inner int) { primitivesOf[T]().max(dst, x, outer, n, inner) }

func maxAxis[T Float](dst, x []T, outer, n, inner int) {
	if inner == 1 {
		for o := range outer {
			most := T(math.Inf(-1))
			for _, v := range x[o*n : (o+1)*n] {
				most = max(most, v)
			}
			dst[o] = most
		}
		return
	}
	fold(dst, x, outer, n, inner, T(math.Inf(-1)), maximumVV[T])
}

// Min is the smallest number along the middle axis, NaN if one of them is; +Inf
// for n = 0.
func Min[T Float](dst, x []T, outer, n, inner int) { primitivesOf[T]().min(dst, x, outer, n, inner) }

func minAxis[T Float](dst, x []T, outer, n, inner int) {
	if inner == 1 {
		for o := range outer {
			least := T(math.Inf(1))
			for _, v := range x[o*n : (o+1)*n] {
				least = min(least, v)
			}
			dst[o] = least
		}
		return
	}
	fold(dst, x, outer, n, inner, T(math.Inf(1)), minimumVV[T])
}

// fold combines start and the rows of x by an elementwise function.
func fold[T Float](dst, x []T, outer, n, inner int, start T, combine func(dst, x, y []T)) {
	for o := range outer {
		to, rows := dst[o*inner:(o+1)*inner], x[o*n*inner:(o+1)*n*inner]
		fill(to, start)
		for k := range n {
			combine(to, to, rows[k*inner:(k+1)*inner])
		}
	}
}

// sumRow sums f(x, c) over a row, in float64 and in blocks of a leaf.
func sumRow[T Float](x []T, c float64, f func(x, c float64) float64) float64 {
	sum := 0.0
	for len(x) > 0 {
		n, block := min(leaf, len(x)), 0.0
		for _, v := range x[:n] {
			block += f(float64(v), c)
		}
		sum += block
		x = x[n:]
	}
	return sum
}

// sumTerms does the same for each column of a chunk, with a constant for each.
func sumTerms[T Float](sum *[columns]float64, x []T, width, n, inner int, c *[columns]float64, f func(x, c float64) float64) {
	clear(sum[:width])
	for k := 0; k < n; k += leaf {
		var block [columns]float64
		for row := k; row < min(k+leaf, n); row++ {
			for i, v := range x[row*inner : row*inner+width] {
				block[i] += f(float64(v), c[i])
			}
		}
		for i, v := range block[:width] {
			sum[i] += v
		}
	}
}

// largest returns the largest number of a row, NaN if one is; −Inf for an empty
// row.
func largest[T Float](x []T) float64 {
	most := T(math.Inf(-1))
	for _, v := range x {
		most = max(most, v)
	}
	return float64(most)
}

// largestOfColumns does the same for each column of a chunk.
func largestOfColumns[T Float](most *[columns]float64, x []T, width, n, inner int) {
	fill(most[:width], math.Inf(-1))
	for k := range n {
		for i, v := range x[k*inner : k*inner+width] {
			most[i] = max(most[i], float64(v))
		}
	}
}

// LogSumExp is ln Σ eˣ along the middle axis, without overflow. Tiny terms
// still count if the largest element is near 0: (0, −50) gives 1.9e−22.
//
// Special cases are: −Inf where all elements are, and for n = 0; +Inf where one
// is and none is NaN.
func LogSumExp[T Float](dst, x []T, outer, n, inner int) {
	primitivesOf[T]().logSumExp(dst, x, outer, n, inner)
}

func logSumExpAxis[T Float](dst, x []T, outer, n, inner int) {
	if inner == 1 {
		for o := range outer {
			most, rest := logSum(x[o*n : (o+1)*n])
			dst[o] = T(logTotal(most, rest))
		}
		return
	}
	chunks(dst, x, outer, n, inner, logSumExpColumns[T])
}

func logSumExpColumns[T Float](dst, x []T, n, inner int) {
	var most, rest [columns]float64
	logSums(&most, &rest, x, len(dst), n, inner)
	for i := range dst {
		dst[i] = T(logTotal(most[i], rest[i]))
	}
}

func logTotal(most, rest float64) float64 {
	if math.IsInf(most, 0) {
		return most
	}
	return most + rest
}

// logSum splits the ln Σ eˣ of a row into its largest element, most, and rest =
// ln Σ e^(x − most), which is NaN if most is infinite. rest is log1p of the sum
// without the largest element, and so keeps its digits.
func logSum[T Float](x []T) (most, rest float64) {
	most = largest(x)
	return most, logRest(most, sumRow(x, most, smallerExp), sumRow(x, most, isEqual))
}

// logSums does the same for each column of a chunk.
func logSums[T Float](most, rest *[columns]float64, x []T, width, n, inner int) {
	var ties [columns]float64
	largestOfColumns(most, x, width, n, inner)
	sumTerms(rest, x, width, n, inner, most, smallerExp)
	sumTerms(&ties, x, width, n, inner, most, isEqual)
	for i := range width {
		rest[i] = logRest(most[i], rest[i], ties[i])
	}
}

func logRest(most, smaller, ties float64) float64 {
	if math.IsInf(most, 0) {
		return math.NaN()
	}
	return math.Log1p(smaller + (ties - 1))
}

func smallerExp(x, most float64) float64 {
	if x == most {
		return 0
	}
	return math.Exp(x - most)
}

func isEqual(x, most float64) float64 { return truth[float64](x == most) }

// NormOf is [Norm] of a single row, in float64.
func NormOf[T Float](x []T, p float64) float64 { return primitivesOf[T]().norm(x, p) }

// Norm is (Σ |x|ᵖ)^(1/p) along the middle axis for p > 0, the largest magnitude
// for p = +Inf. It neither overflows nor underflows on the way; 0 for n = 0.
func Norm[T Float](dst, x []T, outer, n, inner int, p float64) {
	if inner == 1 {
		norm := primitivesOf[T]().norm
		for o := range outer {
			dst[o] = T(norm(x[o*n:(o+1)*n], p))
		}
		return
	}
	for o := range outer {
		rows := x[o*n*inner : (o+1)*n*inner]
		for i := 0; i < inner; i += columns {
			width := min(columns, inner-i)
			normOfColumns(dst[o*inner+i:o*inner+i+width], rows[min(i, len(rows)):], n, inner, p)
		}
	}
}

func normOfRow[T Float](x []T, p float64) float64 {
	most := T(0)
	for _, v := range x {
		most = max(most, max(v, -v))
	}
	if math.IsInf(p, 1) {
		return float64(most)
	}
	unit := normUnit(float64(most))
	return unit * root(sumRow(x, unit, func(x, unit float64) float64 { return power(x/unit, p) }), p)
}

func normOfColumns[T Float](dst, x []T, n, inner int, p float64) {
	var unit, sum [columns]float64
	width := len(dst)
	for k := range n {
		for i, v := range x[k*inner : k*inner+width] {
			unit[i] = max(unit[i], math.Abs(float64(v)))
		}
	}
	if math.IsInf(p, 1) {
		for i := range dst {
			dst[i] = T(unit[i])
		}
		return
	}
	for i, most := range unit[:width] {
		unit[i] = normUnit(most)
	}
	sumTerms(&sum, x, width, n, inner, &unit, func(x, unit float64) float64 { return power(x/unit, p) })
	for i := range dst {
		dst[i] = T(unit[i] * root(sum[i], p))
	}
}

// power returns |x|ᵖ, root its inverse for x ≥ 0.
func power(x, p float64) float64 {
	switch p {
	case 1:
		return math.Abs(x)
	case 2:
		return x * x
	}
	return math.Pow(math.Abs(x), p)
}

func root(x, p float64) float64 {
	switch p {
	case 1:
		return x
	case 2:
		return math.Sqrt(x)
	}
	return math.Pow(x, 1/p)
}

// normUnit returns the number by which a norm's elements are divided: the
// largest magnitude, rounded down to a power of two so that divisions are
// exact; 1 for 0, infinities and NaN.
func normUnit(most float64) float64 {
	if most == 0 || most-most != 0 {
		return 1
	}
	_, e := math.Frexp(most)
	return math.Ldexp(1, e-1)
}

// Var is the variance along the middle axis, Σ (x − mean)² / (n − correction),
// in two passes. The second corrects the rounding error of the mean. No square
// on the way leaves the range of the numbers, and equal numbers have variance
// 0.
//
// Special cases are: NaN where n ≤ correction.
func Var[T Float](dst, x []T, outer, n, inner, correction int) {
	primitivesOf[T]().variance(dst, x, outer, n, inner, correction, false)
}

// Std is the standard deviation along the middle axis, the square root of
// [Var], even if that would overflow or underflow.
func Std[T Float](dst, x []T, outer, n, inner, correction int) {
	primitivesOf[T]().variance(dst, x, outer, n, inner, correction, true)
}

func varAxis[T Float](dst, x []T, outer, n, inner, correction int, root bool) {
	if inner == 1 {
		for o := range outer {
			row := x[o*n : (o+1)*n]
			mean := sumRow(row, 0, same) / float64(n)
			rest, sum := sumRow(row, mean, difference), sumRow(row, mean, squaredDifference)
			dst[o] = T(varianceOf(rest, sum, row, n, 1, correction, root))
		}
		return
	}
	for o := range outer {
		rows := x[o*n*inner : (o+1)*n*inner]
		for i := 0; i < inner; i += columns {
			width := min(columns, inner-i)
			varOfColumns(dst[o*inner+i:o*inner+i+width], rows[min(i, len(rows)):], n, inner, correction, root)
		}
	}
}

func varOfColumns[T Float](dst, x []T, n, inner, correction int, root bool) {
	var zero, mean, rest, sum [columns]float64
	width := len(dst)
	sumTerms(&mean, x, width, n, inner, &zero, same)
	for i := range width {
		mean[i] /= float64(n)
	}
	sumTerms(&rest, x, width, n, inner, &mean, difference)
	sumTerms(&sum, x, width, n, inner, &mean, squaredDifference)
	for i := range dst {
		dst[i] = T(varianceOf(rest[i], sum[i], x[min(i, len(x)):], n, inner, correction, root))
	}
}

// varianceOf returns the variance, or its root, of the n numbers in x that are
// stride apart. rest and sum are the sums of their differences from the rounded
// mean and of the squares of these. If the squares left the range, or are
// hardly more than the error of the mean, it computes them anew in a unit of
// the numbers' own size.
func varianceOf[T Float](rest, sum float64, x []T, n, stride, correction int, root bool) float64 {
	if n <= correction {
		return math.NaN()
	}
	unit, squares := 1.0, sum-rest*rest/float64(n)
	if !(squares > sum/4 && sum > 1e-280 && sum < 1e300) {
		unit, squares = scaledSquares(x, n, stride)
	}
	v := squares / float64(n-correction)
	if root {
		return unit * math.Sqrt(v)
	}
	return unit * (unit * v)
}

// scaledSquares returns Σ (x − mean)² of n numbers that are stride apart, in
// the square of a unit.
func scaledSquares[T Float](x []T, n, stride int) (unit, squares float64) {
	mean, unit := centerOf(x, n, stride)
	sum, rest := 0.0, 0.0
	for k := range n {
		d := float64(x[k*stride])/unit - mean
		rest += d
		sum += d * d
	}
	return unit, max(sum-rest*rest/float64(n), 0)
}

// centerOf returns the mean of n numbers that are stride apart, summed in a
// unit that prevents overflow. The mean of equal numbers is exact.
func centerOf[T Float](x []T, n, stride int) (mean, unit float64) {
	most := 0.0
	for k := range n {
		most = max(most, math.Abs(float64(x[k*stride])))
	}
	unit = normUnit(most)
	for k := range n {
		mean += float64(x[k*stride]) / unit
	}
	mean /= float64(n)
	if mean-mean != 0 {
		return mean, unit
	}
	rest := 0.0
	for k := range n {
		rest += float64(x[k*stride])/unit - mean
	}
	return mean + rest/float64(n), unit
}

func same(x, _ float64) float64 { return x }

func difference(x, c float64) float64 { return x - c }

func squaredDifference(x, c float64) float64 { return (x - c) * (x - c) }

// Center is x minus its mean along the middle axis, dst like x; exactly 0 where
// all numbers are equal.
func Center[T Float](dst, x []T, outer, n, inner int) {
	for o := range outer {
		to, rows := dst[o*n*inner:(o+1)*n*inner], x[o*n*inner:(o+1)*n*inner]
		for i := 0; i < inner && n > 0; i += columns {
			centerColumns(to[i:], rows[i:], min(columns, inner-i), n, inner)
		}
	}
}

func centerColumns[T Float](dst, x []T, width, n, inner int) {
	var zero, mean, rest [columns]float64
	sumTerms(&mean, x, width, n, inner, &zero, same)
	for i := range width {
		mean[i] /= float64(n)
	}
	sumTerms(&rest, x, width, n, inner, &mean, difference)
	for i := range width {
		if mean[i] += rest[i] / float64(n); mean[i]-mean[i] != 0 {
			m, unit := centerOf(x[i:], n, inner)
			mean[i] = unit * m
		}
	}
	for k := range n {
		for i, v := range x[k*inner : k*inner+width] {
			dst[k*inner+i] = T(float64(v) - mean[i])
		}
	}
}

// ArgMax is the place of the largest number along the middle axis, the first of
// several. NaN counts as the largest. n must not be 0.
func ArgMax[T Float](dst []int, x []T, outer, n, inner int) {
	argExtreme(dst, x, outer, n, inner, 1)
}

// ArgMin is the place of the smallest number along the middle axis, the first
// of several. NaN counts as the smallest. n must not be 0.
func ArgMin[T Float](dst []int, x []T, outer, n, inner int) {
	argExtreme(dst, x, outer, n, inner, -1)
}

// argExtreme finds the places of the largest sign·x.
func argExtreme[T Float](dst []int, x []T, outer, n, inner int, sign T) {
	if inner == 1 {
		for o := range outer {
			dst[o] = argOfRow(x[o*n:(o+1)*n], sign)
		}
		return
	}
	chunks(dst, x, outer, n, inner, func(dst []int, x []T, n, inner int) { argOfColumns(dst, x, n, inner, sign) })
}

func argOfRow[T Float](x []T, sign T) int {
	best, at := sign*x[0], 0
	for k, v := range x {
		if isBeyond(sign*v, best) {
			best, at = sign*v, k
		}
	}
	return at
}

func argOfColumns[T Float](dst []int, x []T, n, inner int, sign T) {
	var best [columns]T
	scale(best[:], x[:len(dst)], float64(sign), 0)
	clear(dst)
	for k := 1; k < n; k++ {
		for i, v := range x[k*inner : k*inner+len(dst)] {
			if isBeyond(sign*v, best[i]) {
				best[i], dst[i] = sign*v, k
			}
		}
	}
}

// isBeyond reports whether v is larger than best; NaN counts as larger than all
// numbers.
func isBeyond[T Float](v, best T) bool { return v > best || (v != v && best == best) }

// CumSum is the running sum along the middle axis, dst like x: dst[o, k, i] = Σ
// x[o, j, i] over j ≤ k, or over j ≥ k in reverse. Sums run in float64. dst may
// be x.
func CumSum[T Float](dst, x []T, outer, n, inner int, reverse bool) {
	scan(dst, x, outer, n, inner, reverse, 0, func(sum, x float64) float64 { return sum + x })
}

// CumProd is the running product along the middle axis, as [CumSum] is the sum.
func CumProd[T Float](dst, x []T, outer, n, inner int, reverse bool) {
	scan(dst, x, outer, n, inner, reverse, 1, func(product, x float64) float64 { return product * x })
}

func scan[T Float](dst, x []T, outer, n, inner int, reverse bool, start float64, f func(so, x float64) float64) {
	for o := range outer {
		to, from := dst[o*n*inner:(o+1)*n*inner], x[o*n*inner:(o+1)*n*inner]
		for i := 0; i < inner; i += columns {
			scanColumns(to, from, i, min(columns, inner-i), n, inner, reverse, start, f)
		}
	}
}

func scanColumns[T Float](dst, x []T, first, width, n, inner int, reverse bool, start float64, f func(so, x float64) float64) {
	var state [columns]float64
	fill(state[:width], start)
	for k := range n {
		if reverse {
			k = n - 1 - k
		}
		at := k*inner + first
		to := dst[at : at+width]
		for i, v := range x[at : at+width] {
			state[i] = f(state[i], float64(v))
			to[i] = T(state[i])
		}
	}
}
