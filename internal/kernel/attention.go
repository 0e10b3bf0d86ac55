package kernel

import "math"

// Attention is the geometry of an attention, and which queries see which keys.
type Attention struct {
	Batch, Heads, KVHeads, Steps, Seen int
	Width, VWidth                      int
	Lengths                            []int // of each sample: how many keys there are; nil: Seen
	Causal                             bool  // query i sees the keys up to i + Offset
	Offset                             int
	Scale                              float64 // of the scores
	Rate                               float64 // of dropout
	Key                                uint64  // of its random numbers
}

// keys returns how many keys, from the first on, a query may see at most.
func (a *Attention) keys(batch, query int) int {
	n := a.Seen
	if a.Lengths != nil {
		n = min(n, a.Lengths[batch])
	}
	if a.Causal {
		n = min(n, query+a.Offset+1)
	}
	return n
}

// A Scored is a tensor that broadcasts to an attention's scores, [batch, heads,
// steps, seen]: its numbers, and how far apart neighbours along each axis are.
// The zero Scored is none.
type Scored[T Float] struct {
	Of      []T
	Strides [4]int
}

// row returns the index of the first number for the keys of a query.
func (s *Scored[T]) row(batch, head, query int) int {
	return batch*s.Strides[0] + head*s.Strides[1] + query*s.Strides[2]
}

// A Headed is a tensor of rows for each batch, head and step: its numbers, and
// how far apart neighbours along these three axes are. The numbers of a row are
// next to each other.
type Headed[T Float] struct {
	Of      []T
	Strides [3]int
}

// At returns the index of a row.
func (h *Headed[T]) At(batch, head, step int) int {
	return batch*h.Strides[0] + head*h.Strides[1] + step*h.Strides[2]
}

// rows returns that many rows, of width numbers each, next to each other: where
// they are, or copied to memory.
func (h *Headed[T]) rows(memory []T, batch, head, step, rows, width int) []T {
	at := h.At(batch, head, step)
	if h.Strides[2] == width || rows == 1 {
		return h.Of[at : at+rows*width]
	}
	for i := range rows {
		copy(memory[i*width:(i+1)*width], h.Of[at:at+width])
		at += h.Strides[2]
	}
	return memory[:rows*width]
}

// setRows writes rows that lie next to each other.
func (h *Headed[T]) setRows(rows []T, batch, head, step, width int) {
	at := h.At(batch, head, step)
	if h.Strides[2] == width {
		copy(h.Of[at:], rows)
		return
	}
	for ; len(rows) > 0; rows = rows[width:] {
		copy(h.Of[at:at+width], rows)
		at += h.Strides[2]
	}
}

// VisibleKeys sets, for each score, visible to 1 where the query sees the key
// and to 0 where not; and instead to what may stand in place of a score that is
// not visible: −Inf, but 0 for a query that sees no key.
func VisibleKeys[T Float](visible, instead []T, mask, bias Scored[T], a *Attention) {
	lowest := T(math.Inf(-1))
	at := 0
	for b := range a.Batch {
		for h := range a.Heads {
			for i := range a.Steps {
				row, other := visible[at:at+a.Seen], instead[at:at+a.Seen]
				at += a.Seen
				clear(row)
				Fill(other, lowest)
				if !visibleRow(row[:a.keys(b, i)], mask, bias, mask.row(b, h, i), bias.row(b, h, i)) {
					clear(other)
				}
			}
		}
	}
}

// visibleRow does so for a query, whose mask and bias begin at these indices.
// It reports whether any key is visible.
func visibleRow[T Float](row []T, mask, bias Scored[T], m, b int) bool {
	lowest := T(math.Inf(-1))
	any := false
	for j := range row {
		if (mask.Of == nil || mask.Of[m+j*mask.Strides[3]] != 0) && (bias.Of == nil || bias.Of[b+j*bias.Strides[3]] != lowest) {
			row[j] = 1
			any = true
		}
	}
	return any
}

// AttentionDropout sets what each weight, [batch, heads, steps, seen], is
// multiplied by: 0 where it is dropped, 1/(1 − rate) elsewhere.
func AttentionDropout[T Float](dst []T, a *Attention) {
	Fill(dst, 1)
	for row := range a.Batch * a.Heads * a.Steps {
		drop(dst[row*a.Seen:(row+1)*a.Seen], a, row, 0)
	}
}

// drop multiplies weights of a row of scores, those from index first on, by
// what dropout does to them. The random numbers depend on the key and on the
// weight's place alone, so that a gradient draws them again.
func drop[T Float](dst []T, a *Attention, row, first int) {
	factor, least := T(1/(1-a.Rate)), uint32(a.Rate*(1<<32))
	at := uint64(row*a.Seen + first)
	for i := range dst {
		bits := mixed(a.Key + (at>>1)*0x9e3779b97f4a7c15)
		if at&1 == 1 {
			bits >>= 32
		}
		if at++; uint32(bits) < least {
			dst[i] = 0
		} else {
			dst[i] *= factor
		}
	}
}

// mixed returns bits that look random for arguments in a row: the last steps of
// SplitMix64 (Steele, Lea and Flood, 2014).
func mixed(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
