package kernel

import (
	"math"
	"unsafe"
)

// circularEnd is the largest argument of the kernels of sine, cosine and
// tangent.
const circularEnd = 1 << 20

// circular loops over all of x. k handles vectors of the width without
// arguments beyond circularEnd: it stops at the first other one and returns how
// far it got. There the function's scalar form handles what is beyond.
func circular[T Float](of *Unary, width int, k func(dst, x *T, n int) (done int)) unaryKernel[T] {
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
					to[i] = T(of.F(float64(v), 0, 0))
				}
			}
			to, from = to[some:], from[some:]
		}
	}
}

// circularGradient does the same for a derivative from x.
func circularGradient[T Float](of *Unary, width int, k func(dst, x, gy *T, n int) (done int)) gradientKernel[T] {
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
					to[i] = T(of.D(float64(g[i]), float64(v), 0, 0, 0))
				}
			}
			to, g, from = to[some:], g[some:], from[some:]
		}
	}
}
