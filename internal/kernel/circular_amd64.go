package kernel

import (
	"math"
	"unsafe"
)

// circularEnd is the largest argument of the assembly loops of sine and cosine.
const circularEnd = 1 << 20

// circular is the whole loop of a sine or cosine, of which k does the arguments up to circularEnd and stops before a vector of so many with
// another one, and one those.
func circular[T Float](width int, k func(dst, x *T, n int) (done int), one func(x float64) float64) unaryKernel[T] {
	return func(dst, x *T, n int, _, _ float64) {
		to, from := unsafe.Slice(dst, n), unsafe.Slice(x, n)
		for len(from) > 0 {
			done := k(&to[0], &from[0], len(from))
			to, from = to[done:], from[done:]
			some := min(width, len(from))
			for i, v := range from[:some] {
				if math.Abs(float64(v)) <= circularEnd {
					k(&to[i], &from[i], 1)
				} else {
					to[i] = T(one(float64(v)))
				}
			}
			to, from = to[some:], from[some:]
		}
	}
}

// circularGradient is the same for a derivative.
func circularGradient[T Float](width int, k func(dst, x, gy *T, n int) (done int), one func(gy, x float64) float64) gradientKernel[T] {
	return func(dst, gy, x, _ *T, n int, _, _ float64) {
		to, g, from := unsafe.Slice(dst, n), unsafe.Slice(gy, n), unsafe.Slice(x, n)
		for len(from) > 0 {
			done := k(&to[0], &from[0], &g[0], len(from))
			to, g, from = to[done:], g[done:], from[done:]
			some := min(width, len(from))
			for i, v := range from[:some] {
				if math.Abs(float64(v)) <= circularEnd {
					k(&to[i], &from[i], &g[i], 1)
				} else {
					to[i] = T(one(float64(g[i]), float64(v)))
				}
			}
			to, g, from = to[some:], g[some:], from[some:]
		}
	}
}
