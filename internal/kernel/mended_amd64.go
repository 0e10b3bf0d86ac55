package kernel

import "unsafe"

// mendedLoop loops over n elements. kernel handles n elements from i on: it
// stops before the first vector of the width with an element that it cannot
// compute, and returns how far it got. There scalar handles what kernel, asked
// for the element alone, leaves out: an element gets the same bits wherever it
// stands.
func mendedLoop(n, width int, kernel func(i, n int) (done int), scalar func(i int)) {
	for i := 0; i < n; {
		i += kernel(i, n-i)
		for end := min(i+width, n); i < end; i++ {
			if kernel(i, 1) == 0 {
				scalar(i)
			}
		}
	}
}

// mended is the loop of a function that k does not compute of all arguments.
func mended[T Float](of *Unary, width int, k func(dst, x *T, n int) (done int)) unaryKernel[T] {
	return func(dst, x *T, n int, _, _ float64) {
		to, from := unsafe.Slice(dst, n), unsafe.Slice(x, n)
		mendedLoop(n, width,
			func(i, n int) int { return k(&to[i], &from[i], n) },
			func(i int) { to[i] = T(of.F(float64(from[i]), 0, 0)) })
	}
}

// mendedGradient does the same for a derivative from x and a.
func mendedGradient[T Float](of *Unary, width int, k func(dst, gy, x *T, n int, a float64) (done int)) gradientKernel[T] {
	return func(dst, gy, x, _ *T, n int, a, _ float64) {
		to, g, from := unsafe.Slice(dst, n), unsafe.Slice(gy, n), unsafe.Slice(x, n)
		mendedLoop(n, width,
			func(i, n int) int { return k(&to[i], &g[i], &from[i], n, a) },
			func(i int) { to[i] = T(of.D(float64(g[i]), float64(from[i]), 0, a, 0)) })
	}
}

// mendedTernary does the same for a function of three arguments.
func mendedTernary[T Float](of *Ternary, width int, k func(dst, x, y, z *T, n int) (done int)) func(dst, x, y, z []T) {
	return func(dst, x, y, z []T) {
		mendedLoop(len(x), width,
			func(i, n int) int { return k(&dst[i], &x[i], &y[i], &z[i], n) },
			func(i int) { dst[i] = T(of.F(float64(x[i]), float64(y[i]), float64(z[i]))) })
	}
}
