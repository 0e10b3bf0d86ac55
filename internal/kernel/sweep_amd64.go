package kernel

// unary is the loop of a kernel over slices, which the workers share from a
// length on.
func unary[T Float](k unaryKernel[T], shared int) func(dst, x []T, a, b float64) {
	return func(dst, x []T, a, b float64) {
		n := len(x)
		if n == 0 {
			return
		}
		dst = dst[:n]
		if n >= shared {
			shareArray(n, unarySweep[T]{k, dst, x, a, b})
			return
		}
		k(&dst[0], &x[0], n, a, b)
	}
}

type unarySweep[T Float] struct {
	k      unaryKernel[T]
	dst, x []T
	a, b   float64
}

func (t *unarySweep[T]) run(piece, _ int) {
	lo, hi := span(piece, len(t.dst))
	t.k(&t.dst[lo], &t.x[lo], hi-lo, t.a, t.b)
}

// gradient is the same for a derivative; y, and sometimes x, may be nil.
func gradient[T Float](k gradientKernel[T], shared int) func(dst, gy, x, y []T, a, b float64) {
	return func(dst, gy, x, y []T, a, b float64) {
		n := len(gy)
		if n == 0 {
			return
		}
		dst = dst[:n]
		if n >= shared {
			shareArray(n, gradientSweep[T]{k, dst, gy, x, y, a, b})
			return
		}
		k(&dst[0], &gy[0], at(x, 0), at(y, 0), n, a, b)
	}
}

type gradientSweep[T Float] struct {
	k             gradientKernel[T]
	dst, gy, x, y []T
	a, b          float64
}

func (t *gradientSweep[T]) run(piece, _ int) {
	lo, hi := span(piece, len(t.dst))
	t.k(&t.dst[lo], &t.gy[lo], at(t.x, lo), at(t.y, lo), hi-lo, t.a, t.b)
}

// at is the address of an element, nil for arguments that a function does not
// read.
func at[T Float](x []T, i int) *T {
	if len(x) == 0 {
		return nil
	}
	return &x[i]
}

// binaryLoops are the loops of three kernels, for two arrays and for a number
// on either side.
func binaryLoops[T Float](vv func(dst, x, y *T, n int), vs func(dst, x *T, s T, n int), sv func(dst *T, s T, y *T, n int), shared int) BinaryLoops[T] {
	return BinaryLoops[T]{
		VV: func(dst, x, y []T) {
			n := len(x)
			if n == 0 {
				return
			}
			dst, y = dst[:n], y[:n]
			if n >= shared {
				shareArray(n, binarySweep[T]{vv, dst, x, y})
				return
			}
			vv(&dst[0], &x[0], &y[0], n)
		},
		VS: func(dst, x []T, s T) {
			n := len(x)
			if n == 0 {
				return
			}
			dst = dst[:n]
			if n >= shared {
				shareArray(n, rightSweep[T]{vs, dst, x, s})
				return
			}
			vs(&dst[0], &x[0], s, n)
		},
		SV: func(dst []T, s T, y []T) {
			n := len(y)
			if n == 0 {
				return
			}
			dst = dst[:n]
			if n >= shared {
				shareArray(n, leftSweep[T]{sv, dst, s, y})
				return
			}
			sv(&dst[0], s, &y[0], n)
		},
	}
}

type binarySweep[T Float] struct {
	k         func(dst, x, y *T, n int)
	dst, x, y []T
}

func (t *binarySweep[T]) run(piece, _ int) {
	lo, hi := span(piece, len(t.dst))
	t.k(&t.dst[lo], &t.x[lo], &t.y[lo], hi-lo)
}

// rightSweep has a number for y.
type rightSweep[T Float] struct {
	k      func(dst, x *T, s T, n int)
	dst, x []T
	s      T
}

func (t *rightSweep[T]) run(piece, _ int) {
	lo, hi := span(piece, len(t.dst))
	t.k(&t.dst[lo], &t.x[lo], t.s, hi-lo)
}

// leftSweep has a number for x.
type leftSweep[T Float] struct {
	k   func(dst *T, s T, y *T, n int)
	dst []T
	s   T
	y   []T
}

func (t *leftSweep[T]) run(piece, _ int) {
	lo, hi := span(piece, len(t.dst))
	t.k(&t.dst[lo], t.s, &t.y[lo], hi-lo)
}

// ternary is a loop that the workers share from a length on.
func ternary[T Float](loop func(dst, x, y, z []T), shared int) func(dst, x, y, z []T) {
	return func(dst, x, y, z []T) {
		n := len(x)
		dst, y, z = dst[:n], y[:n], z[:n]
		if n >= shared {
			shareArray(n, ternarySweep[T]{loop, dst, x, y, z})
			return
		}
		loop(dst, x, y, z)
	}
}

type ternarySweep[T Float] struct {
	loop         func(dst, x, y, z []T)
	dst, x, y, z []T
}

func (t *ternarySweep[T]) run(piece, _ int) {
	lo, hi := span(piece, len(t.dst))
	t.loop(t.dst[lo:hi], t.x[lo:hi], t.y[lo:hi], t.z[lo:hi])
}
