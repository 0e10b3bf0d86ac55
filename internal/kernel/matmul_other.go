//go:build !amd64

package kernel

// fastMatMul reports that there is no assembly for this processor.
func fastMatMul[T Float](dst, a, b []T, m, n, k int, transA, transB bool) bool {
	return false
}

// scratchFloats is how much memory a worker has to pack into: none, since
// nothing packs.
func scratchFloats() int { return 0 }

// loneProduct is a product that its caller computes alone.
type loneProduct[T Float] struct {
	m, n, k        int
	transA, transB bool
}

func (l *loneProduct[T]) plan(m, n, k int, transA, transB bool) {
	*l = loneProduct[T]{m, n, k, transA, transB}
}

// isWorthSharing reports that a product can't be shared.
func (l *loneProduct[T]) isWorthSharing() bool { return false }

func (l *loneProduct[T]) compute(dst, a, b []T, _ int, _ bool) {
	portableMatMul(dst, a[:l.m*l.k], b[:l.k*l.n], l.m, l.n, l.k, l.transA, l.transB)
}
