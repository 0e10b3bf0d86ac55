package kernel

// Float is the set of precisions that every kernel is written for.
type Float interface{ float32 | float64 }

// Unary is an elementwise function y = f(x; a, b).
//
// The constants a and b are the function's parameters (a slope, an exponent,
// bounds); functions without parameters ignore them. Loops run over len(x)
// elements, those of the derivative over len(gy). dst may be x or gy itself,
// and may not overlap them otherwise. The derivative reads y only in Exp, Sqrt,
// Rsqrt, Reciprocal and Tan, and x only if it appears in the formula of the
// function's comment. Arguments that it does not read may be nil.
type Unary struct {
	F   func(x, a, b float64) float64               // one element
	D   func(gy, x, y, a, b float64) float64        // gy·f′(x), one element; nil for functions without a gradient
	F64 func(dst, x []float64, a, b float64)        // dst = f(x)
	F32 func(dst, x []float32, a, b float64)        // the same in float32
	D64 func(dst, gy, x, y []float64, a, b float64) // dst = gy·f′(x); nil where D is
	D32 func(dst, gy, x, y []float32, a, b float64) // the same in float32
}

// Binary is an elementwise function z = f(x, y).
type Binary struct {
	F   func(x, y float64) float64                  // one element
	D   func(gy, x, y, z float64) (gx, gyy float64) // gy·∂z/∂x and gy·∂z/∂y, one element; nil for functions without a gradient
	A64 BinaryLoops[float64]
	A32 BinaryLoops[float32]
}

// BinaryLoops are the loops of a Binary in one precision. dst may be x or y
// itself, and may not overlap them otherwise.
type BinaryLoops[T Float] struct {
	VV func(dst, x, y []T)       // dst = f(x, y) over len(x) elements
	VS func(dst, x []T, s T)     // dst = f(x, s) over len(x) elements
	SV func(dst []T, s T, y []T) // dst = f(s, y) over len(y) elements
}

// loopsOf returns the loops of b in a precision.
func loopsOf[T Float](b *Binary) *BinaryLoops[T] {
	return ofPrecision[*BinaryLoops[T]](&b.A32, &b.A64)
}

// ofX is the function y = f(x) without constants, with a derivative from x
// (nil: none).
func ofX(f func(x float64) float64, d func(gy, x float64) float64) Unary {
	u := Unary{
		F:   func(x, _, _ float64) float64 { return f(x) },
		F64: mapX[float64](f),
		F32: mapX[float32](f),
	}
	if d != nil {
		u.D = func(gy, x, _, _, _ float64) float64 { return d(gy, x) }
		u.D64, u.D32 = mapGradX[float64](d), mapGradX[float32](d)
	}
	return u
}

// ofY is the function y = f(x) without constants, with a derivative from y.
func ofY(f func(x float64) float64, d func(gy, y float64) float64) Unary {
	return Unary{
		F:   func(x, _, _ float64) float64 { return f(x) },
		D:   func(gy, _, y, _, _ float64) float64 { return d(gy, y) },
		F64: mapX[float64](f),
		F32: mapX[float32](f),
		D64: mapGradY[float64](d),
		D32: mapGradY[float32](d),
	}
}

// ofXA is the function y = f(x; a), with a derivative from x and a.
func ofXA(f func(x, a float64) float64, d func(gy, x, a float64) float64) Unary {
	return Unary{
		F:   func(x, a, _ float64) float64 { return f(x, a) },
		D:   func(gy, x, _, a, _ float64) float64 { return d(gy, x, a) },
		F64: mapXA[float64](f),
		F32: mapXA[float32](f),
		D64: mapGradXA[float64](d),
		D32: mapGradXA[float32](d),
	}
}

// ofXY is the function z = f(x, y).
func ofXY(f func(x, y float64) float64, d func(gy, x, y, z float64) (gx, gyy float64)) Binary {
	return Binary{F: f, D: d, A64: mapXY[float64](f), A32: mapXY[float32](f)}
}

func mapX[T Float](f func(x float64) float64) func(dst, x []T, a, b float64) {
	return func(dst, x []T, _, _ float64) {
		dst = dst[:len(x)]
		for i, v := range x {
			dst[i] = T(f(float64(v)))
		}
	}
}

func mapXA[T Float](f func(x, a float64) float64) func(dst, x []T, a, b float64) {
	return func(dst, x []T, a, _ float64) {
		dst = dst[:len(x)]
		for i, v := range x {
			dst[i] = T(f(float64(v), a))
		}
	}
}

func mapGradX[T Float](d func(gy, x float64) float64) func(dst, gy, x, y []T, a, b float64) {
	return func(dst, gy, x, _ []T, _, _ float64) {
		dst, x = dst[:len(gy)], x[:len(gy)]
		for i, g := range gy {
			dst[i] = T(d(float64(g), float64(x[i])))
		}
	}
}

func mapGradY[T Float](d func(gy, y float64) float64) func(dst, gy, x, y []T, a, b float64) {
	return func(dst, gy, _, y []T, _, _ float64) {
		dst, y = dst[:len(gy)], y[:len(gy)]
		for i, g := range gy {
			dst[i] = T(d(float64(g), float64(y[i])))
		}
	}
}

func mapGradXA[T Float](d func(gy, x, a float64) float64) func(dst, gy, x, y []T, a, b float64) {
	return func(dst, gy, x, _ []T, a, _ float64) {
		dst, x = dst[:len(gy)], x[:len(gy)]
		for i, g := range gy {
			dst[i] = T(d(float64(g), float64(x[i]), a))
		}
	}
}

func mapXY[T Float](f func(x, y float64) float64) BinaryLoops[T] {
	return BinaryLoops[T]{
		VV: func(dst, x, y []T) {
			dst, y = dst[:len(x)], y[:len(x)]
			for i, v := range x {
				dst[i] = T(f(float64(v), float64(y[i])))
			}
		},
		VS: func(dst, x []T, s T) {
			dst = dst[:len(x)]
			for i, v := range x {
				dst[i] = T(f(float64(v), float64(s)))
			}
		},
		SV: func(dst []T, s T, y []T) {
			dst = dst[:len(y)]
			for i, v := range y {
				dst[i] = T(f(float64(s), float64(v)))
			}
		},
	}
}
