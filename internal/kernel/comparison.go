package kernel

// Comparisons give 1 for true and 0 for false and have no gradient. A
// comparison with NaN is 0, except ≠, which is 1.

// Equal is z = 1 where x = y, else 0; 0 for NaN. It has no gradient.
var Equal = Binary{
	F:   func(x, y float64) float64 { return truth[float64](x == y) },
	A64: BinaryLoops[float64]{VV: equalVV[float64], VS: equalVS[float64], SV: equalSV[float64]},
	A32: BinaryLoops[float32]{VV: equalVV[float32], VS: equalVS[float32], SV: equalSV[float32]},
}

func equalVV[T Float](dst, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = truth[T](v == y[i])
	}
}

func equalVS[T Float](dst, x []T, s T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = truth[T](v == s)
	}
}

func equalSV[T Float](dst []T, s T, y []T) { equalVS(dst, y, s) }

// EqualS is y = 1 where x = a, else 0; 0 for NaN. It has no gradient.
var EqualS = Unary{
	F:   func(x, a, _ float64) float64 { return truth[float64](x == a) },
	F64: func(dst, x []float64, a, _ float64) { equalVS(dst, x, a) },
	F32: func(dst, x []float32, a, _ float64) { equalVS(dst, x, float32(a)) },
}

// NotEqual is z = 1 where x ≠ y, else 0; 1 for NaN. It has no gradient.
var NotEqual = Binary{
	F:   func(x, y float64) float64 { return truth[float64](x != y) },
	A64: BinaryLoops[float64]{VV: notEqualVV[float64], VS: notEqualVS[float64], SV: notEqualSV[float64]},
	A32: BinaryLoops[float32]{VV: notEqualVV[float32], VS: notEqualVS[float32], SV: notEqualSV[float32]},
}

func notEqualVV[T Float](dst, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = truth[T](v != y[i])
	}
}

func notEqualVS[T Float](dst, x []T, s T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = truth[T](v != s)
	}
}

func notEqualSV[T Float](dst []T, s T, y []T) { notEqualVS(dst, y, s) }

// NotEqualS is y = 1 where x ≠ a, else 0; 1 for NaN. It has no gradient.
var NotEqualS = Unary{
	F:   func(x, a, _ float64) float64 { return truth[float64](x != a) },
	F64: func(dst, x []float64, a, _ float64) { notEqualVS(dst, x, a) },
	F32: func(dst, x []float32, a, _ float64) { notEqualVS(dst, x, float32(a)) },
}

// Less is z = 1 where x < y, else 0; 0 for NaN. It has no gradient.
var Less = Binary{
	F:   func(x, y float64) float64 { return truth[float64](x < y) },
	A64: BinaryLoops[float64]{VV: lessVV[float64], VS: lessVS[float64], SV: lessSV[float64]},
	A32: BinaryLoops[float32]{VV: lessVV[float32], VS: lessVS[float32], SV: lessSV[float32]},
}

func lessVV[T Float](dst, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = truth[T](v < y[i])
	}
}

func lessVS[T Float](dst, x []T, s T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = truth[T](v < s)
	}
}

func lessSV[T Float](dst []T, s T, y []T) { greaterVS(dst, y, s) }

// LessS is y = 1 where x < a, else 0; 0 for NaN. It has no gradient.
var LessS = Unary{
	F:   func(x, a, _ float64) float64 { return truth[float64](x < a) },
	F64: func(dst, x []float64, a, _ float64) { lessVS(dst, x, a) },
	F32: func(dst, x []float32, a, _ float64) { lessVS(dst, x, float32(a)) },
}

// LessEqual is z = 1 where x ≤ y, else 0; 0 for NaN. It has no gradient.
var LessEqual = Binary{
	F:   func(x, y float64) float64 { return truth[float64](x <= y) },
	A64: BinaryLoops[float64]{VV: lessEqualVV[float64], VS: lessEqualVS[float64], SV: lessEqualSV[float64]},
	A32: BinaryLoops[float32]{VV: lessEqualVV[float32], VS: lessEqualVS[float32], SV: lessEqualSV[float32]},
}

func lessEqualVV[T Float](dst, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = truth[T](v <= y[i])
	}
}

func lessEqualVS[T Float](dst, x []T, s T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = truth[T](v <= s)
	}
}

func lessEqualSV[T Float](dst []T, s T, y []T) { greaterEqualVS(dst, y, s) }

// LessEqualS is y = 1 where x ≤ a, else 0; 0 for NaN. It has no gradient.
var LessEqualS = Unary{
	F:   func(x, a, _ float64) float64 { return truth[float64](x <= a) },
	F64: func(dst, x []float64, a, _ float64) { lessEqualVS(dst, x, a) },
	F32: func(dst, x []float32, a, _ float64) { lessEqualVS(dst, x, float32(a)) },
}

// Greater is z = 1 where x > y, else 0; 0 for NaN. It has no gradient.
var Greater = Binary{
	F:   func(x, y float64) float64 { return truth[float64](x > y) },
	A64: BinaryLoops[float64]{VV: greaterVV[float64], VS: greaterVS[float64], SV: greaterSV[float64]},
	A32: BinaryLoops[float32]{VV: greaterVV[float32], VS: greaterVS[float32], SV: greaterSV[float32]},
}

func greaterVV[T Float](dst, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = truth[T](v > y[i])
	}
}

func greaterVS[T Float](dst, x []T, s T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = truth[T](v > s)
	}
}

func greaterSV[T Float](dst []T, s T, y []T) { lessVS(dst, y, s) }

// GreaterS is y = 1 where x > a, else 0; 0 for NaN. It has no gradient.
var GreaterS = Unary{
	F:   func(x, a, _ float64) float64 { return truth[float64](x > a) },
	F64: func(dst, x []float64, a, _ float64) { greaterVS(dst, x, a) },
	F32: func(dst, x []float32, a, _ float64) { greaterVS(dst, x, float32(a)) },
}

// GreaterEqual is z = 1 where x ≥ y, else 0; 0 for NaN. It has no gradient.
var GreaterEqual = Binary{
	F:   func(x, y float64) float64 { return truth[float64](x >= y) },
	A64: BinaryLoops[float64]{VV: greaterEqualVV[float64], VS: greaterEqualVS[float64], SV: greaterEqualSV[float64]},
	A32: BinaryLoops[float32]{VV: greaterEqualVV[float32], VS: greaterEqualVS[float32], SV: greaterEqualSV[float32]},
}

func greaterEqualVV[T Float](dst, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = truth[T](v >= y[i])
	}
}

func greaterEqualVS[T Float](dst, x []T, s T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = truth[T](v >= s)
	}
}

func greaterEqualSV[T Float](dst []T, s T, y []T) { lessEqualVS(dst, y, s) }

// GreaterEqualS is y = 1 where x ≥ a, else 0; 0 for NaN. It has no gradient.
var GreaterEqualS = Unary{
	F:   func(x, a, _ float64) float64 { return truth[float64](x >= a) },
	F64: func(dst, x []float64, a, _ float64) { greaterEqualVS(dst, x, a) },
	F32: func(dst, x []float32, a, _ float64) { greaterEqualVS(dst, x, float32(a)) },
}

// truth is 1 for true and 0 for false.
func truth[T Float](is bool) T {
	if is {
		return 1
	}
	return 0
}

// Maximum is z = max(x, y).
//
//	∂z/∂x = 1 for x > y, 0 for x < y; ∂z/∂y the other way round
//
// Special cases are: NaN if either is NaN; at equal arguments each gradient is
// ½.
var Maximum = Binary{
	F:   func(x, y float64) float64 { return max(x, y) },
	D:   func(gy, x, y, _ float64) (float64, float64) { return largerGrad(gy, x, y) },
	A64: BinaryLoops[float64]{VV: maximumVV[float64], VS: maximumVS[float64], SV: maximumSV[float64]},
	A32: BinaryLoops[float32]{VV: maximumVV[float32], VS: maximumVS[float32], SV: maximumSV[float32]},
}

func maximumVV[T Float](dst, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = max(v, y[i])
	}
}

func maximumVS[T Float](dst, x []T, s T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = max(v, s)
	}
}

func maximumSV[T Float](dst []T, s T, y []T) { maximumVS(dst, y, s) }

// largerGrad gives gy to the larger of x and y.
func largerGrad(gy, x, y float64) (gx, gyy float64) {
	switch {
	case x > y:
		return gy, 0
	case x < y:
		return 0, gy
	case x == y:
		return gy / 2, gy / 2
	}
	return x + y, x + y
}

// Minimum is z = min(x, y).
//
//	∂z/∂x = 1 for x < y, 0 for x > y; ∂z/∂y the other way round
//
// Special cases are: NaN if either is NaN; at equal arguments each gradient is
// ½.
var Minimum = Binary{
	F:   func(x, y float64) float64 { return min(x, y) },
	D:   func(gy, x, y, _ float64) (float64, float64) { return largerGrad(gy, -x, -y) },
	A64: BinaryLoops[float64]{VV: minimumVV[float64], VS: minimumVS[float64], SV: minimumSV[float64]},
	A32: BinaryLoops[float32]{VV: minimumVV[float32], VS: minimumVS[float32], SV: minimumSV[float32]},
}

func minimumVV[T Float](dst, x, y []T) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = min(v, y[i])
	}
}

func minimumVS[T Float](dst, x []T, s T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = min(v, s)
	}
}

func minimumSV[T Float](dst []T, s T, y []T) { minimumVS(dst, y, s) }

// Where sets dst to x where c is not 0 (NaN included), to y elsewhere, over
// len(c) elements. dst may be any of them.
func Where[T Float](dst, c, x, y []T) {
	if n := len(c); n >= sharedMemory {
		shareArray(n, selecting[T]{dst[:n], c, x[:n], y[:n]})
		return
	}
	primitivesOf[T]().where(dst, c, x, y)
}

func where[T Float](dst, c, x, y []T) {
	dst, x, y = dst[:len(c)], x[:len(c)], y[:len(c)]
	for i, v := range c {
		if v != 0 {
			dst[i] = x[i]
		} else {
			dst[i] = y[i]
		}
	}
}
