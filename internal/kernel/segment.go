package kernel

// SegmentArgMax finds the greatest of each column in each segment: x has rows
// of inner numbers, of which row e belongs to segment segments[e], and places,
// which is segments × inner, gets the place in x of the first of the greatest,
// or −1 for a segment without rows. NaN counts as greater than all numbers.
func SegmentArgMax[T Float](places []int, x []T, segments []int, inner int) {
	for i := range places {
		places[i] = -1
	}
	for e, s := range segments {
		for i := range inner {
			at, place := s*inner+i, e*inner+i
			if best := places[at]; best < 0 || x[place] > x[best] || x[place] != x[place] && x[best] == x[best] {
				places[at] = place
			}
		}
	}
}

// SegmentShift subtracts from each number the greatest of its column in its
// segment, so that no exponential overflows. The greatest are left in most.
func SegmentShift[T Float](dst, x []T, segments []int, most []T, inner int) {
	for e, s := range segments { // any number of the segment, to begin with
		copy(most[s*inner:(s+1)*inner], x[e*inner:(e+1)*inner])
	}
	for e, s := range segments {
		greatest := most[s*inner : (s+1)*inner]
		for i, v := range x[e*inner : (e+1)*inner] {
			greatest[i] = max(greatest[i], v)
		}
	}
	for e, s := range segments {
		to, greatest := dst[e*inner:(e+1)*inner], most[s*inner:(s+1)*inner]
		for i, v := range x[e*inner : (e+1)*inner] {
			to[i] = v - greatest[i]
		}
	}
}

// SegmentNormalize divides each number by the sum of its column in its segment.
// The sums are left in totals.
func SegmentNormalize[T Float](x []T, segments []int, totals []T, inner int) {
	clear(totals)
	for e, s := range segments {
		Accumulate(totals[s*inner:(s+1)*inner], x[e*inner:(e+1)*inner])
	}
	for e, s := range segments {
		row, total := x[e*inner:(e+1)*inner], totals[s*inner:(s+1)*inner]
		for i := range row {
			row[i] /= total[i]
		}
	}
}
