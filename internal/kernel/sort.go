package kernel

import (
	"math"
	"unsafe"
)

// Sorting is the scratch memory of [ArgSort]: twice the length of a row of
// each.
type Sorting struct {
	Keys  []uint64
	Order []int
}

// short is the length up to which a row is sorted by insertion, and the number
// of elements up to which the first ones of a row are found that way.
const short = 48

// ArgSort finds the first k numbers along the middle axis in sorted order:
// dst[o, j, i] is the place along the axis of the j-th smallest, or of the j-th
// greatest if descending, with dst outer × k × inner. Equal numbers keep their
// order. NaN counts as greater than all numbers; 0 and −0 are equal.
func ArgSort[T Float](dst []int, x []T, outer, n, inner, k int, descending bool, room Sorting) {
	for o := range outer {
		rows, to := x[o*n*inner:(o+1)*n*inner], dst[o*k*inner:(o+1)*k*inner]
		for i := range inner {
			var order []int
			if n <= short || k <= short {
				order = firstsOf(rows[min(i, len(rows)):], n, inner, k, descending, room)
			} else {
				for j := range n {
					room.Keys[j] = sortKey(float64(rows[j*inner+i]), descending)
				}
				order = room.radix(n)[:k]
			}
			for j, place := range order {
				to[j*inner+i] = place
			}
		}
	}
}

// firstsOf keeps the keys of the first k numbers so far in order, and puts each
// further one in its place among them. Most numbers come after the last of
// these, which one comparison tells.
func firstsOf[T Float](x []T, n, stride, k int, descending bool, room Sorting) []int {
	if k == 0 {
		return nil
	}
	best, order, count := room.Keys[:k], room.Order[:k], 0
	var last T // of the k numbers
	for j := range n {
		v := x[j*stride]
		if count == k && (descending && v <= last || !descending && v >= last) {
			continue
		}
		key := sortKey(float64(v), descending)
		if count == k && key >= best[k-1] {
			continue // NaN is among them
		}
		count = min(count+1, k)
		at := count - 1
		for ; at > 0 && best[at-1] > key; at-- {
			best[at], order[at] = best[at-1], order[at-1]
		}
		best[at], order[at] = key, j
		last = x[order[count-1]*stride]
	}
	return order
}

// sortKey returns an integer for each number, in the same order.
func sortKey(v float64, descending bool) uint64 {
	const sign = 1 << 63
	key := uint64(sign) // of 0 and −0
	switch bits := math.Float64bits(v); {
	case v != v:
		key = math.MaxUint64
	case v < 0:
		key = ^bits
	case v > 0:
		key = bits | sign
	}
	if descending {
		return ^key
	}
	return key
}

// Distinct finds the different numbers among ids, which are not negative. It
// writes them to the front of ids, in ascending order, and returns how many
// there are. places says which of them each of the ids was.
func (s Sorting) Distinct(ids, places []int) (count int) {
	if len(ids) == 0 {
		return 0
	}
	for i, id := range ids {
		s.Keys[i] = uint64(id)
	}
	for _, place := range s.radix(len(ids)) {
		id := uint64(ids[place])
		if count == 0 || id != s.Keys[count-1] {
			s.Keys[count] = id // the sorted keys are not needed any more
			count++
		}
		places[place] = count - 1
	}
	for i := range count {
		ids[i] = int(s.Keys[i])
	}
	return count
}

// radix sorts by one byte of the keys after another, the last one first. A byte
// that all keys have in common takes no pass.
func (s Sorting) radix(n int) []int {
	keys, next := s.Keys[:n], s.Keys[n:2*n]
	order, nextOrder := s.Order[:n], s.Order[n:2*n]
	var counts [unsafe.Sizeof(uint64(0))][256]int
	for place, key := range keys {
		order[place] = place
		for digit := range counts {
			counts[digit][byte(key>>(8*digit))]++
		}
	}
	for digit := range counts {
		count, shift := &counts[digit], 8*digit
		if count[byte(keys[0]>>shift)] == n {
			continue
		}
		first := 0
		for value, c := range count {
			count[value] = first
			first += c
		}
		for i, key := range keys {
			at := &count[byte(key>>shift)]
			next[*at], nextOrder[*at] = key, order[i]
			*at++
		}
		keys, next, order, nextOrder = next, keys, nextOrder, order
	}
	return order
}

// ArgCumMax is the place along the middle axis of the largest number up to
// each, dst like x: the last of several, and the last NaN once there is one.
func ArgCumMax[T Float](dst []int, x []T, outer, n, inner int) {
	argCumExtreme(dst, x, outer, n, inner, 1)
}

// ArgCumMin is [ArgCumMax] for the smallest number.
func ArgCumMin[T Float](dst []int, x []T, outer, n, inner int) {
	argCumExtreme(dst, x, outer, n, inner, -1)
}

// argCumExtreme finds the places of the largest sign·x so far.
func argCumExtreme[T Float](dst []int, x []T, outer, n, inner int, sign T) {
	for o := range outer {
		to, rows := dst[o*n*inner:(o+1)*n*inner], x[o*n*inner:(o+1)*n*inner]
		if inner == 1 {
			argCumRow(to, rows, sign)
			continue
		}
		for k := range n {
			index, row := to[k*inner:(k+1)*inner], rows[k*inner:(k+1)*inner]
			if k == 0 {
				clear(index)
				continue
			}
			for i, best := range to[(k-1)*inner : k*inner] {
				if v := sign * row[i]; v >= sign*rows[best*inner+i] || v != v {
					best = k
				}
				index[i] = best
			}
		}
	}
}

func argCumRow[T Float](dst []int, x []T, sign T) {
	best, most := 0, T(math.Inf(-1))
	for k, v := range x {
		if v *= sign; v >= most || v != v {
			best, most = k, v
		}
		dst[k] = best
	}
}

// LogCumSumExp is the running ln Σ eˣ along the middle axis, dst like x,
// without overflow. It runs in float64 on the largest number so far and on the
// sum of the others relative to that, so that tiny terms keep their digits.
//
// Special cases are: −Inf up to the first other number; +Inf from the first on,
// until a NaN; NaN from the first on.
func LogCumSumExp[T Float](dst, x []T, outer, n, inner int) {
	for o := range outer {
		to, from := dst[o*n*inner:(o+1)*n*inner], x[o*n*inner:(o+1)*n*inner]
		for i := 0; i < inner; i += columns {
			logCumSumExpColumns(to, from, i, min(columns, inner-i), n, inner)
		}
	}
}

func logCumSumExpColumns[T Float](dst, x []T, first, width, n, inner int) {
	var most, rest [columns]float64
	fill(most[:width], math.Inf(-1))
	for k := range n {
		at := k*inner + first
		to := dst[at : at+width]
		for i, v := range x[at : at+width] {
			most[i], rest[i] = logSumWith(most[i], rest[i], float64(v))
			to[i] = T(most[i] + math.Log1p(rest[i]))
		}
	}
}

// logSumWith adds v to numbers of which most is the largest, and rest the sum
// of e^(x − most) over the others.
func logSumWith(most, rest, v float64) (float64, float64) {
	switch {
	case v == most && math.IsInf(v, 0):
		return most, 0
	case v > most:
		return v, (rest + 1) * math.Exp(most-v)
	default:
		return most, rest + math.Exp(v-most)
	}
}

// LogCumSumExpBack is dst[k] = e^x[k] · Σ gy[j]·e^(−y[j]) over j ≥ k along the
// middle axis, for y = [LogCumSumExp] of x. No factor on the way exceeds 1.
// Where x is −Inf the result is 0.
func LogCumSumExpBack[T Float](dst, gy, x, y []T, outer, n, inner int) {
	for o := range outer {
		for i := 0; i < inner; i += columns {
			var sum, after [columns]float64
			width := min(columns, inner-i)
			fill(after[:width], math.Inf(1))
			for k := n - 1; k >= 0; k-- {
				at := (o*n+k)*inner + i
				for c := range width {
					so := float64(y[at+c])
					sum[c] = float64(gy[at+c]) + sum[c]*fading(so, after[c])
					dst[at+c] = T(sum[c] * portion(float64(x[at+c]), so))
					after[c] = so
				}
			}
		}
	}
}

// LogCumSumExpAlong is dst[k] = e^(−y[k]) · Σ v[j]·e^x[j] over j ≤ k, the
// transpose of [LogCumSumExpBack].
func LogCumSumExpAlong[T Float](dst, v, x, y []T, outer, n, inner int) {
	for o := range outer {
		for i := 0; i < inner; i += columns {
			var sum, before [columns]float64
			width := min(columns, inner-i)
			fill(before[:width], math.Inf(-1))
			for k := range n {
				at := (o*n+k)*inner + i
				for c := range width {
					so := float64(y[at+c])
					sum[c] = sum[c]*fading(before[c], so) + float64(v[at+c])*portion(float64(x[at+c]), so)
					dst[at+c] = T(sum[c])
					before[c] = so
				}
			}
		}
	}
}

// fading returns e^(x − y), 1 where x and y are equal, infinite too.
func fading(x, y float64) float64 {
	if x == y {
		return 1
	}
	return math.Exp(x - y)
}

// portion returns e^(x − y), 0 where x is −Inf.
func portion(x, y float64) float64 {
	if math.IsInf(x, -1) {
		return 0
	}
	return math.Exp(x - y)
}
