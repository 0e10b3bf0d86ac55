package kernel

// Copy copies src to dst over a shape. Each side starts at its offset and moves
// by its strides. Those of src may be 0 (broadcast) or negative; those of dst
// must visit each element at most once. dst and src may not overlap.
func Copy[T Float](dst, src []T, shape []int, dOff int, dStride []int, sOff int, sStride []int) {
	shareWalk(dst, src, shape, dOff, dStride, sOff, sStride)
}

func walk[T Float](dst, src []T, shape []int, dOff int, dStride []int, sOff int, sStride []int) {
	if len(shape) > maxRank {
		for i := range shape[0] {
			walk(dst, src, shape[1:], dOff+i*dStride[0], dStride[1:], sOff+i*sStride[0], sStride[1:])
		}
		return
	}
	var n nest
	n.collapse(shape, dStride, sStride)
	if n.isEmpty {
		return
	}
	outer, inner, dOuter, dInner, sOuter, sInner := n.plane()
	if isTransposed(outer, inner, dInner, sInner) {
		for more := true; more; dOff, sOff, more = n.next(dOff, sOff) {
			moveTiles(dst, src, outer, inner, dOff, dOuter, dInner, sOff, sOuter, sInner)
		}
		return
	}
	isShort := outer > 1 && inner <= shortRow && dOuter == inner && dInner == 1
	for more := true; more; dOff, sOff, more = n.next(dOff, sOff) {
		if isShort && sOuter >= 0 && sInner >= 0 {
			expandRows(dst[dOff:dOff+outer*inner], src[sOff:], inner, sOuter, sInner)
			continue
		}
		for i := range outer {
			moveRun(dst, src, inner, dOff+i*dOuter, dInner, sOff+i*sOuter, sInner)
		}
	}
}

// tile is the side of the squares in which a transposed plane is copied: 16
// rows of 16 elements stay in the first-level cache.
const tile = 16

// isTransposed reports whether the plane's rows are scattered on one side and
// long enough to be worth tiling.
func isTransposed(outer, inner, dInner, sInner int) bool {
	return outer >= tile && inner >= tile && (dInner != 1 || (sInner != 1 && sInner != 0))
}

func moveTiles[T Float](dst, src []T, outer, inner, dOff, dOuter, dInner, sOff, sOuter, sInner int) {
	for i0 := 0; i0 < outer; i0 += tile {
		for j0 := 0; j0 < inner; j0 += tile {
			width := min(tile, inner-j0)
			for i := i0; i < min(i0+tile, outer); i++ {
				moveRun(dst, src, width, dOff+i*dOuter+j0*dInner, dInner, sOff+i*sOuter+j0*sInner, sInner)
			}
		}
	}
}

// moveRun copies n ≥ 1 elements.
func moveRun[T Float](dst, src []T, n, d, dStride, s, sStride int) {
	switch {
	case dStride == 1 && sStride == 1 && n >= 8:
		copy(dst[d:d+n], src[s:s+n])
	case dStride == 1:
		to := dst[d : d+n]
		for i := range to {
			to[i] = src[s]
			s += sStride
		}
	default:
		for range n {
			dst[d] = src[s]
			d += dStride
			s += sStride
		}
	}
}

// Triangle copies one triangle of x, rows × cols, to dst and sets the rest to
// 0: the upper one, of the elements with column − row ≥ k, or the lower one,
// column − row ≤ k. dst may be x.
func Triangle[T Float](dst, x []T, rows, cols, k int, upper bool) {
	for i := range rows {
		to, from := dst[i*cols:(i+1)*cols], x[i*cols:(i+1)*cols]
		lo, hi := 0, min(max(i+k+1, 0), cols)
		if upper {
			lo, hi = min(max(i+k, 0), cols), cols
		}
		clear(to[:lo])
		copy(to[lo:hi], from[lo:hi])
		clear(to[hi:])
	}
}

// Convert32 rounds float64 numbers to float32, over len(src) elements.
func Convert32(dst []float32, src []float64) {
	if n := len(src); n >= sharedMemory {
		shareArray(n, converting[float32, float64]{conversions.narrow, dst[:n], src})
		return
	}
	conversions.narrow(dst, src)
}

// Convert64 widens float32 numbers to float64, over len(src) elements.
func Convert64(dst []float64, src []float32) {
	if n := len(src); n >= sharedMemory {
		shareArray(n, converting[float64, float32]{conversions.widen, dst[:n], src})
		return
	}
	conversions.widen(dst, src)
}
