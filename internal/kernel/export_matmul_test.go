package kernel

// PortableMatMul is the portable form of MatMul, with which the fast forms are
// compared.
func PortableMatMul[T Float](dst, a, b []T, m, n, k int, transA, transB bool) {
	if m > 0 && n > 0 && k > 0 {
		portableMatMul(dst, a, b, m, n, k, transA, transB)
	} else {
		clear(dst)
	}
}
