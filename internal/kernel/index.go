package kernel

// Gather copies whole slices along the middle axis: dst[o, j, i] = x[o,
// index[j], i], with dst outer × nIndex × inner and x outer × nSource × inner.
func Gather[T Float](dst, x []T, index []int, outer, nIndex, nSource, inner int) {
	index = index[:nIndex]
	if inner > 1 && outer*nIndex*inner >= sharedMemory && areWithin(index, nSource) {
		gathering[T]{dst, x, index, outer, nSource, inner}.share()
		return
	}
	for o := range outer {
		to, from := dst[o*nIndex*inner:(o+1)*nIndex*inner], x[o*nSource*inner:(o+1)*nSource*inner]
		if inner == 1 {
			for j, k := range index {
				to[j] = from[k]
			}
			continue
		}
		for j, k := range index {
			copy(to[j*inner:(j+1)*inner], from[k*inner:(k+1)*inner])
		}
	}
}

// areWithin reports whether all indices are in bounds. If not, the caller
// computes alone, since a worker must not panic.
func areWithin(index []int, n int) bool {
	for _, i := range index {
		if uint(i) >= uint(n) {
			return false
		}
	}
	return true
}

// ScatterAdd adds whole slices along the middle axis, the reverse of [Gather]:
// dst[o, index[j], i] += src[o, j, i], with dst outer × nDst × inner and src
// outer × nIndex × inner. Repeated indices add up, in the order of index.
func ScatterAdd[T Float](dst, src []T, index []int, outer, nIndex, nDst, inner int) {
	index = index[:nIndex]
	for o := range outer {
		to, from := dst[o*nDst*inner:(o+1)*nDst*inner], src[o*nIndex*inner:(o+1)*nIndex*inner]
		if inner == 1 {
			for j, k := range index {
				to[k] += from[j]
			}
			continue
		}
		for j, k := range index {
			Accumulate(to[k*inner:(k+1)*inner], from[j*inner:(j+1)*inner])
		}
	}
}
