package kernel

// sweepPiece is the number of elements in a piece of an array that the workers share.
const sweepPiece = 1 << 14

// From so many elements on an elementwise function is shared: where the processor limits it, and where memory does.
const (
	sharedWork   = 1 << 15
	sharedMemory = 1 << 17
)

// sweep is an elementwise function that is cut into pieces. One of the functions is set.
type sweep[T Float] struct {
	unary        unaryKernel[T]
	gradient     gradientKernel[T]
	vv           func(dst, x, y *T, n int)
	vs           func(dst, x *T, s T, n int)
	sv           func(dst *T, s T, y *T, n int)
	dst, x, y, z []T
	s            T
	a, b         float64
}

func (t *sweep[T]) run(piece, _ int) {
	lo := piece * sweepPiece
	n := min(sweepPiece, len(t.dst)-lo)
	switch {
	case t.unary != nil:
		t.unary(&t.dst[lo], &t.x[lo], n, t.a, t.b)
	case t.gradient != nil:
		t.gradient(&t.dst[lo], &t.x[lo], from(t.y, lo), from(t.z, lo), n, t.a, t.b)
	case t.vv != nil:
		t.vv(&t.dst[lo], &t.x[lo], &t.y[lo], n)
	case t.vs != nil:
		t.vs(&t.dst[lo], &t.x[lo], t.s, n)
	case t.sv != nil:
		t.sv(&t.dst[lo], t.s, &t.y[lo], n)
	}
}

// from is the address of an element, nil for arguments that a function doesn't read.
func from[T Float](x []T, i int) *T {
	if x == nil {
		return nil
	}
	return &x[i]
}

var (
	sweeps32 freeList[sweep[float32]]
	sweeps64 freeList[sweep[float64]]
)

func sweepsOf[T Float]() *freeList[sweep[T]] {
	return ofPrecision[*freeList[sweep[T]]](&sweeps32, &sweeps64)
}

// share computes a sweep together with the workers.
func share[T Float](s sweep[T]) {
	list := sweepsOf[T]()
	t := list.get()
	*t = s
	parallel((len(t.dst)+sweepPiece-1)/sweepPiece, t)
	*t = sweep[T]{}
	list.put(t)
}

// unary is the loop of a kernel over slices, shared by the workers from so many elements on.
func unary[T Float](k unaryKernel[T], shared int) func(dst, x []T, a, b float64) {
	return func(dst, x []T, a, b float64) {
		n := len(x)
		if n == 0 {
			return
		}
		dst = dst[:n]
		if n >= shared {
			share(sweep[T]{unary: k, dst: dst, x: x, a: a, b: b})
			return
		}
		k(&dst[0], &x[0], n, a, b)
	}
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
			share(sweep[T]{gradient: k, dst: dst, x: gy, y: x, z: y, a: a, b: b})
			return
		}
		k(&dst[0], &gy[0], first(x), first(y), n, a, b)
	}
}

func first[T Float](x []T) *T {
	if len(x) == 0 {
		return nil
	}
	return &x[0]
}

// binaryLoops are the loops of three kernels, for two arrays and for a number on
// either side.
func binaryLoops[T Float](vv func(dst, x, y *T, n int), vs func(dst, x *T, s T, n int), sv func(dst *T, s T, y *T, n int), shared int) BinaryLoops[T] {
	return BinaryLoops[T]{
		VV: func(dst, x, y []T) {
			n := len(x)
			if n == 0 {
				return
			}
			dst, y = dst[:n], y[:n]
			if n >= shared {
				share(sweep[T]{vv: vv, dst: dst, x: x, y: y})
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
				share(sweep[T]{vs: vs, dst: dst, x: x, s: s})
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
				share(sweep[T]{sv: sv, dst: dst, y: y, s: s})
				return
			}
			sv(&dst[0], s, &y[0], n)
		},
	}
}
