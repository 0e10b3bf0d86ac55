package kernel

import "math"

// Softmax is y = eˣ / Σ eˣ along the middle axis of outer × n × inner, without
// overflow. dst may be x.
//
// Special cases are: an element of −Inf has probability 0; all elements −Inf,
// or one +Inf or NaN, give NaN.
func Softmax[T Float](dst, x []T, outer, n, inner int) {
	primitivesOf[T]().softmax(dst, x, outer, n, inner)
}

func softmaxAxis[T Float](dst, x []T, outer, n, inner int) {
	alongMiddle(dst, x, outer, n, inner, softmaxRow, softmaxColumns)
}

// alongMiddle calls row for each line along the middle axis if the lines are
// contiguous, and otherwise cols for blocks of adjacent lines.
func alongMiddle[T Float](dst, x []T, outer, n, inner int, row func(dst, x []T), cols func(dst, x []T, first, width, n, inner int)) {
	for o := range outer {
		to, from := dst[o*n*inner:(o+1)*n*inner], x[o*n*inner:(o+1)*n*inner]
		if inner == 1 {
			row(to, from)
			continue
		}
		for i := 0; i < inner; i += columns {
			cols(to, from, i, min(columns, inner-i), n, inner)
		}
	}
}

func softmaxRow[T Float](dst, x []T) {
	most := largest(x)
	sum := sumRow(x, most, shiftedExp)
	for i, v := range x {
		dst[i] = T(shiftedExp(float64(v), most) / sum)
	}
}

func softmaxColumns[T Float](dst, x []T, first, width, n, inner int) {
	if n == 0 {
		return
	}
	var most, sum [columns]float64
	largestOfColumns(&most, x[first:], width, n, inner)
	sumTerms(&sum, x[first:], width, n, inner, &most, shiftedExp)
	for k := range n {
		at := k*inner + first
		to := dst[at : at+width]
		for i, v := range x[at : at+width] {
			to[i] = T(shiftedExp(float64(v), most[i]) / sum[i])
		}
	}
}

func shiftedExp(x, most float64) float64 { return math.Exp(x - most) }

// LogSoftmax is y = x − ln Σ eˣ along the middle axis of outer × n × inner,
// without overflow. dst may be x.
//
// Special cases are: an element of −Inf gives −Inf; all elements −Inf, or one
// +Inf or NaN, give NaN.
func LogSoftmax[T Float](dst, x []T, outer, n, inner int) {
	primitivesOf[T]().logSoftmax(dst, x, outer, n, inner)
}

func logSoftmaxAxis[T Float](dst, x []T, outer, n, inner int) {
	alongMiddle(dst, x, outer, n, inner, logSoftmaxRow, logSoftmaxColumns)
}

func logSoftmaxRow[T Float](dst, x []T) {
	most, rest := logSum(x)
	for i, v := range x {
		dst[i] = T((float64(v) - most) - rest)
	}
}

func logSoftmaxColumns[T Float](dst, x []T, first, width, n, inner int) {
	if n == 0 {
		return
	}
	var most, rest [columns]float64
	logSums(&most, &rest, x[first:], width, n, inner)
	for k := range n {
		at := k*inner + first
		to := dst[at : at+width]
		for i, v := range x[at : at+width] {
			to[i] = T((float64(v) - most[i]) - rest[i])
		}
	}
}

// SoftmaxGrad is the gradient of [Softmax] from its result: y·(gy − Σ gy·y)
// along the middle axis. dst may be gy.
func SoftmaxGrad[T Float](dst, gy, y []T, outer, n, inner int) {
	primitivesOf[T]().softmaxGrad(dst, gy, y, outer, n, inner)
}

func softmaxGradAxis[T Float](dst, gy, y []T, outer, n, inner int) {
	for o := range outer {
		lo, hi := o*n*inner, (o+1)*n*inner
		if inner == 1 {
			softmaxGradRow(dst[lo:hi], gy[lo:hi], y[lo:hi])
			continue
		}
		for i := 0; i < inner; i += columns {
			softmaxGradColumns(dst[lo:hi], gy[lo:hi], y[lo:hi], i, min(columns, inner-i), n, inner)
		}
	}
}

func softmaxGradRow[T Float](dst, gy, y []T) {
	sum := 0.0
	for i, v := range y {
		sum += float64(gy[i]) * float64(v)
	}
	for i, v := range y {
		dst[i] = T(float64(v) * (float64(gy[i]) - sum))
	}
}

func softmaxGradColumns[T Float](dst, gy, y []T, first, width, n, inner int) {
	var sum [columns]float64
	for k := range n {
		at := k*inner + first
		g := gy[at : at+width]
		for i, v := range y[at : at+width] {
			sum[i] += float64(g[i]) * float64(v)
		}
	}
	for k := range n {
		at := k*inner + first
		to, g := dst[at:at+width], gy[at:at+width]
		for i, v := range y[at : at+width] {
			to[i] = T(float64(v) * (float64(g[i]) - sum[i]))
		}
	}
}

// LogSoftmaxGrad is the gradient of [LogSoftmax] from its result: gy − eʸ·Σ gy
// along the middle axis. dst may be gy.
func LogSoftmaxGrad[T Float](dst, gy, y []T, outer, n, inner int) {
	primitivesOf[T]().logSoftmaxGrad(dst, gy, y, outer, n, inner)
}

func logSoftmaxGradAxis[T Float](dst, gy, y []T, outer, n, inner int) {
	for o := range outer {
		lo, hi := o*n*inner, (o+1)*n*inner
		if inner == 1 {
			logSoftmaxGradRow(dst[lo:hi], gy[lo:hi], y[lo:hi])
			continue
		}
		for i := 0; i < inner; i += columns {
			logSoftmaxGradColumns(dst[lo:hi], gy[lo:hi], y[lo:hi], i, min(columns, inner-i), n, inner)
		}
	}
}

func logSoftmaxGradRow[T Float](dst, gy, y []T) {
	sum := sumRow(gy, 0, same)
	for i, v := range y {
		dst[i] = T(float64(gy[i]) - math.Exp(float64(v))*sum)
	}
}

func logSoftmaxGradColumns[T Float](dst, gy, y []T, first, width, n, inner int) {
	if n == 0 {
		return
	}
	var zero, sum [columns]float64
	sumTerms(&sum, gy[first:], width, n, inner, &zero, same)
	for k := range n {
		at := k*inner + first
		to, g := dst[at:at+width], gy[at:at+width]
		for i, v := range y[at : at+width] {
			to[i] = T(float64(g[i]) - math.Exp(float64(v))*sum[i])
		}
	}
}
