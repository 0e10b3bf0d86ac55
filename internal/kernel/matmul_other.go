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

// heldMatrix is the right operand of many products.
type heldMatrix[T Float] struct {
	b      []T
	n, k   int
	transB bool
}

// set takes b, stored k × n, or n × k with transB.
func (h *heldMatrix[T]) set(b []T, _, n, k int, transB bool) {
	h.b, h.n, h.k, h.transB = b, n, k, transB
}

// release forgets b.
func (h *heldMatrix[T]) release() { h.b = nil }

// multiply is dst = a·b, for some rows of a. Several goroutines may call it.
func (h *heldMatrix[T]) multiply(dst, a []T, rows int) {
	MatMul(dst, a, h.b, rows, h.n, h.k, false, h.transB)
}
