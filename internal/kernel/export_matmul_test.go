package kernel

// PortableMatMul is the slow twin of MatMul's fast forms.
func PortableMatMul[T Float](dst, a, b []T, m, n, k int, transA, transB bool) {
	if m > 0 && n > 0 && k > 0 {
		portableMatMul(dst, a, b, m, n, k, transA, transB)
	} else {
		clear(dst)
	}
}
