package kernel

import (
	"math"
	"slices"
)

// Windows say which elements along one axis belong to each result of a
// pooling. Window i has the elements First[i], First[i]+Step, …, Count[i] of
// them, at least one.
type Windows struct {
	In, Out int   // lengths of the axis
	Step    int   // from one element of a window to the next
	First   []int // of each window
	Count   []int // of each window
	Share   []int // of each window: its factor of the divisor of a mean

	// Kernel, Stride and Before describe windows at even distances, before
	// those at the ends were cut to the axis. Stride is 0 for other windows.
	Kernel, Stride, Before int
}

// Volume is the windows along three axes; a pooling over fewer has windows of
// one element along the first axes.
type Volume [3]Windows

func (v *Volume) in() int  { return v[0].In * v[1].In * v[2].In }
func (v *Volume) out() int { return v[0].Out * v[1].Out * v[2].Out }

// pooling is a pooling of planes, each of a volume of numbers, in pieces of
// some planes.
type pooling[T Float] struct {
	work   poolWork
	dst, x []T
	index  []int32
	planes int
	each   int // planes in a piece
	v      Volume
}

// A poolWork is what a pooling computes of a plane.
type poolWork uint8

const (
	poolMax poolWork = iota
	poolScatter
	poolGather
	poolAvg
	poolAvgGrad
)

func (t *pooling[T]) run(piece, _ int) {
	switch lo, hi := piece*t.each, min((piece+1)*t.each, t.planes); {
	case t.narrows():
		t.columns(lo, hi)
		return
	case t.slides():
		t.slide(lo, hi)
		return
	}
	in, out := t.v.in(), t.v.out()
	for p := piece * t.each; p < min((piece+1)*t.each, t.planes); p++ {
		switch index := part(t.index, p*out, (p+1)*out); t.work {
		case poolMax:
			maxPool(t.dst[p*out:(p+1)*out], index, t.x[p*in:(p+1)*in], &t.v)
		case poolScatter:
			scatterPlane(t.dst[p*in:(p+1)*in], t.x[p*out:(p+1)*out], index)
		case poolGather:
			gatherPlane(t.dst[p*out:(p+1)*out], t.x[p*in:(p+1)*in], index)
		case poolAvg:
			avgPool(t.dst[p*out:(p+1)*out], t.x[p*in:(p+1)*in], &t.v)
		case poolAvgGrad:
			avgPoolGrad(t.dst[p*in:(p+1)*in], t.x[p*out:(p+1)*out], &t.v)
		}
	}
}

// shared computes the planes, with the workers where that pays.
func (t pooling[T]) shared() {
	if t.planes == 0 {
		return
	}
	size := max(t.v.in(), t.v.out())
	t.each = max(1, sharedPiece/size)
	if t.planes*size < sharedWork {
		t.each = t.planes
	}
	share(blocks(t.planes, t.each), t)
}

// MaxPool computes the greatest element of each window of each plane of x, and
// its index in the plane unless index is nil: the first of several, and the
// last NaN if there is one.
func MaxPool[T Float](dst []T, index []int32, x []T, planes int, v Volume) {
	pooling[T]{dst: dst, x: x, index: index, planes: planes, v: v}.shared()
}

// maxPool pools one plane.
func maxPool[T Float](dst []T, index []int32, x []T, v *Volume) {
	depth, height, width := &v[0], &v[1], &v[2]
	i := 0
	for d, z := range depth.First {
		for h, y := range height.First {
			for w, first := range width.First {
				at := (z*height.In+y)*width.In + first
				best, chosen := T(math.Inf(-1)), at
				for dz := range depth.Count[d] {
					for dy := range height.Count[h] {
						k := at + (dz*depth.Step*height.In+dy*height.Step)*width.In
						for range width.Count[w] {
							if e := x[k]; e > best || e != e {
								best, chosen = e, k
							}
							k += width.Step
						}
					}
				}
				dst[i] = best
				if index != nil {
					index[i] = int32(chosen)
				}
				i++
			}
		}
	}
}

// slides reports whether the windows are at even distances and vectors compute
// them.
func (t *pooling[T]) slides() bool {
	if t.work == poolScatter || t.work == poolGather || !hasVectors[T]() {
		return false
	}
	return t.v[0].Stride > 0 && t.v[1].Stride > 0 && t.v[2].Stride > 0
}

// narrows reports whether windows are better computed by columns first: they
// are at uneven distances, or too far apart for their elements to lie side by
// side in vectors, and vectors fit into the rows.
func (t *pooling[T]) narrows() bool {
	w := &t.v[2]
	if t.work == poolScatter || t.work == poolGather || !hasVectors[T]() || w.In < windowLoopsOf[T](w.In).vector {
		return false
	}
	if t.v[0].Stride*t.v[1].Stride*w.Stride == 0 {
		return true
	}
	const few, wide = 8, 8
	return t.work == poolMax && w.Out < few && w.Kernel >= wide || t.work != poolMax && w.Stride > 2
}

// slide computes planes by loops that slide windows.
func (t *pooling[T]) slide(lo, hi int) {
	memory := freeListOf[windowMemory[T]]()
	m := memory.get()
	var s slide
	for i := range s.axes {
		w := &t.v[i]
		s.axes[i] = slideAxis{In: w.In, Out: w.Out, Kernel: w.Kernel, Stride: w.Stride, Step: w.Step, Before: w.Before}
	}
	switch t.work {
	case poolMax:
		t.slideMax(m, &s, lo, hi)
	case poolAvg:
		t.slideAvg(m, &s, lo, hi)
	case poolAvgGrad:
		t.slideAvgGrad(m, &s, lo, hi)
	}
	memory.put(m)
}

func (t *pooling[T]) slideMax(m *windowMemory[T], s *slide, lo, hi int) {
	p, in, out := s.plane(), t.v.in(), t.v.out()
	m.offsets = s.offsets(&p, m.offsets)
	m.plane = filled(m.plane, p.size, T(math.Inf(-1)))
	if t.index != nil {
		m.findPlaces(s, &t.v)
	}
	for i := lo; i < hi; i++ {
		spreadInto(m.plane, t.x[i*in:(i+1)*in], s, &p)
		m.slideMaxima(t.dst[i*out:(i+1)*out], part(t.index, i*out, (i+1)*out), s, &p)
	}
}

// findPlaces fills the tables of places.
func (m *windowMemory[T]) findPlaces(s *slide, v *Volume) {
	d, h, w := &s.axes[0], &s.axes[1], &s.axes[2]
	q, n := &m.places, max(w.Out, windowLoopsOf[T](w.Out).vector)
	q.columns, q.start = grown(q.columns, n), grown(q.start, n)
	for i := range n {
		q.columns[i], q.start[i] = int32(i*w.Stride), 0
		if i < w.Out {
			q.start[i] = int32(v[2].First[i])
		}
	}
	q.deltas = grown(q.deltas, s.taps())
	t := 0
	for z := range d.Kernel {
		for y := range h.Kernel {
			for x := range w.Kernel {
				q.deltas[t] = (z*d.Step*h.In+y*h.Step)*w.In + x*w.Step
				t++
			}
		}
	}
	m.more = grown(m.more, 2*d.Out*h.Out)
	rows, starts := m.more[:d.Out*h.Out], m.more[d.Out*h.Out:]
	for z := range d.Out {
		for y := range h.Out {
			rows[z*h.Out+y] = ((z*d.Stride-d.Before)*h.In+y*h.Stride-h.Before)*w.In - w.Before
			starts[z*h.Out+y] = (v[0].First[z]*h.In + v[1].First[y]) * w.In
		}
	}
}

// slideMaxima computes the greatest elements of a spread plane's windows.
func (m *windowMemory[T]) slideMaxima(dst []T, index []int32, s *slide, p *spreadPlane) {
	d, h, w := &s.axes[0], &s.axes[1], &s.axes[2]
	n, rows, l := w.Out, h.Out, windowLoopsOf[T](w.Out)
	var q *windowPlaces
	if index != nil {
		q = &m.places
	}
	for z := range d.Out {
		src, to := m.plane[z*d.Stride*p.layer:], dst[z*rows*n:]
		if q != nil {
			q.rows, q.starts = m.more[z*rows:(z+1)*rows], m.more[(d.Out+z)*rows:(d.Out+z+1)*rows]
		}
		if n >= l.vector {
			if q != nil {
				q.index = index[z*rows*n:]
			}
			l.greatest(to, src, m.offsets, n, rows, n, h.Stride*p.row, q)
			continue
		}
		m.result = grown(m.result, rows*l.vector)
		if q != nil {
			m.index = grown(m.index, rows*l.vector)
			q.index = m.index
		}
		l.greatest(m.result, src, m.offsets, l.vector, rows, l.vector, h.Stride*p.row, q)
		cutRows(to, m.result, rows, n, l.vector)
		if q != nil {
			cutRows(index[z*rows*n:], m.index, rows, n, l.vector)
		}
	}
	m.places.index = nil // it is the caller's
}

// columns computes planes by columns first.
func (t *pooling[T]) columns(lo, hi int) {
	memory := freeListOf[windowMemory[T]]()
	m, in, out, n := memory.get(), t.v.in(), t.v.out(), t.v[2].In
	m.result = grown(m.result, n)
	if t.work == poolMax {
		m.numberColumns(n)
	} else {
		m.ones = filled(m.ones, slices.Max(t.v[0].Count)*slices.Max(t.v[1].Count), 1)
	}
	for i := lo; i < hi; i++ {
		switch t.work {
		case poolMax:
			m.columnMaxima(t.dst[i*out:(i+1)*out], part(t.index, i*out, (i+1)*out), t.x[i*in:(i+1)*in], &t.v)
		case poolAvg:
			m.columnMeans(t.dst[i*out:(i+1)*out], t.x[i*in:(i+1)*in], &t.v)
		case poolAvgGrad:
			m.columnGrad(t.dst[i*in:(i+1)*in], t.x[i*out:(i+1)*out], &t.v)
		}
	}
	memory.put(m)
}

// numberColumns makes the tables of places those of a row.
func (m *windowMemory[T]) numberColumns(n int) {
	q := &m.places
	q.columns, q.start, m.index, m.more = grown(q.columns, n), grown(q.start, n), grown(m.index, n), grown(m.more, 1)
	for i := range n {
		q.columns[i], q.start[i] = int32(i), int32(i)
	}
}

// rowsOf returns where the first row of a row of windows begins, and how far
// from it the others do.
func (m *windowMemory[T]) rowsOf(v *Volume, d, h int) (base int) {
	depth, height, n := &v[0], &v[1], v[2].In
	m.offsets = m.offsets[:0]
	for dz := range depth.Count[d] {
		for dy := range height.Count[h] {
			m.offsets = append(m.offsets, (dz*depth.Step*height.In+dy*height.Step)*n)
		}
	}
	return (depth.First[d]*height.In + height.First[h]) * n
}

// columnMeans computes, for each row of windows, the sum of each column, and of
// these the sum in each window, divided by its Shares.
func (m *windowMemory[T]) columnMeans(dst, x []T, v *Volume) {
	n, l := v[2].In, windowLoopsOf[T](v[2].In)
	for d := range v[0].Out {
		for h := range v[1].Out {
			base := m.rowsOf(v, d, h)
			l.weigh(m.result, x[base:], m.ones, m.offsets, n, 1, n, 0, 0)
			row := dst[(d*v[1].Out+h)*v[2].Out:]
			for w, first := range v[2].First {
				var sum T
				for _, c := range m.result[first : first+v[2].Count[w]] {
					sum += c
				}
				row[w] = sum / T(v[0].Share[d]*v[1].Share[h]*v[2].Share[w])
			}
		}
	}
}

// columnGrad is the adjoint of columnMeans.
func (m *windowMemory[T]) columnGrad(dst, gy []T, v *Volume) {
	n := v[2].In
	Fill(dst, 0)
	for d := range v[0].Out {
		for h := range v[1].Out {
			base := m.rowsOf(v, d, h)
			clear(m.result)
			row := gy[(d*v[1].Out+h)*v[2].Out:]
			for w, first := range v[2].First {
				g := row[w] / T(v[0].Share[d]*v[1].Share[h]*v[2].Share[w])
				to := m.result[first : first+v[2].Count[w]]
				for i := range to {
					to[i] += g
				}
			}
			for _, at := range m.offsets {
				Accumulate(dst[base+at:base+at+n], m.result)
			}
		}
	}
}

// columnMaxima computes, for each row of windows, the greatest element of each
// column with its place, and of these the greatest in each window.
func (m *windowMemory[T]) columnMaxima(dst []T, index []int32, x []T, v *Volume) {
	height, width := &v[1], &v[2]
	n, q, l := width.In, &m.places, windowLoopsOf[T](width.In)
	for d := range v[0].Out {
		for h := range height.Out {
			base := m.rowsOf(v, d, h)
			m.more[0] = base
			q.index, q.deltas, q.rows, q.starts = m.index, m.offsets, m.more, m.more
			l.greatest(m.result, x[base:], m.offsets, n, 1, n, 0, q)
			row := (d*height.Out + h) * width.Out
			for w, first := range width.First {
				best, place := m.greatestColumn(first, width.Count[w], width.Step)
				dst[row+w] = best
				if index != nil {
					index[row+w] = place
				}
			}
		}
	}
	q.index, q.deltas, q.rows, q.starts = nil, nil, nil, nil
}

// greatestColumn returns the greatest of the columns' maxima in a window, and
// its place: the first in the order of rows, or the last NaN.
func (m *windowMemory[T]) greatestColumn(first, count, step int) (best T, place int32) {
	best, place = m.result[first], m.index[first]
	for k := 1; k < count; k++ {
		first += step
		v, at := m.result[first], m.index[first]
		switch {
		case v != v:
			if best == best || at > place {
				best, place = v, at
			}
		case v > best || v == best && at < place:
			best, place = v, at
		}
	}
	return best, place
}

func (t *pooling[T]) slideAvg(m *windowMemory[T], s *slide, lo, hi int) {
	p, in, out := s.plane(), t.v.in(), t.v.out()
	m.offsets = s.offsets(&p, m.offsets)
	m.plane, m.weights = filled(m.plane, p.size, 0), filled(m.weights, s.taps(), 1)
	divisors := t.divisors(m)
	for i := lo; i < hi; i++ {
		dst := t.dst[i*out : (i+1)*out]
		spreadInto(m.plane, t.x[i*in:(i+1)*in], s, &p)
		m.slideRows(dst, m.plane, m.weights, s, &p, 0)
		divide(dst, dst, divisors)
	}
}

// divisors returns the divisor of each window, or only one if all are the same.
func (t *pooling[T]) divisors(m *windowMemory[T]) []T {
	m.divisors = grown(m.divisors, t.v.out())
	i, isOne := 0, true
	for _, d := range t.v[0].Share {
		for _, h := range t.v[1].Share {
			for _, w := range t.v[2].Share {
				m.divisors[i] = T(d * h * w)
				isOne = isOne && m.divisors[i] == m.divisors[0]
				i++
			}
		}
	}
	if isOne {
		return m.divisors[:1]
	}
	return m.divisors
}

// divide divides by each divisor, or all by the only one.
func divide[T Float](dst, x, divisors []T) {
	if len(divisors) == 1 {
		loopsOf[T](&Div).VS(dst, x, divisors[0])
	} else {
		loopsOf[T](&Div).VV(dst, x, divisors)
	}
}

func (t *pooling[T]) slideAvgGrad(m *windowMemory[T], s *slide, lo, hi int) {
	b, in, out := s.back(), t.v.in(), t.v.out()
	m.plane, m.ones = filled(m.plane, b.spread.size, 0), filled(m.ones, s.taps(), 1)
	m.quotients = grown(m.quotients, out)
	divisors := t.divisors(m)
	for i := lo; i < hi; i++ {
		divide(m.quotients, t.x[i*out:(i+1)*out], divisors)
		spreadInto(m.plane, m.quotients, &b.maps, &b.spread)
		m.slideBack(t.dst[i*in:(i+1)*in], m.ones, &b, 1, 0)
	}
}

// ScatterPlanes adds each element of x to that of the same plane of dst that
// the index names. The planes of x are as long as n, those of dst as m.
func ScatterPlanes[T Float](dst, x []T, index []int32, planes, n, m int) {
	var v Volume
	v.line(m, n)
	pooling[T]{work: poolScatter, dst: dst, x: x, index: index, planes: planes, v: v}.shared()
}

// line makes the volume one axis of these lengths, without windows.
func (v *Volume) line(in, out int) {
	for i := range v {
		v[i].In, v[i].Out = 1, 1
	}
	v[2].In, v[2].Out = in, out
}

func scatterPlane[T Float](dst, x []T, index []int32) {
	Fill(dst, 0)
	x = x[:len(index)]
	for i, k := range index {
		dst[k] += x[i]
	}
}

// GatherPlanes takes each element of dst from that of the same plane of x that
// the index names. The planes of dst are as long as n, those of x as m.
func GatherPlanes[T Float](dst, x []T, index []int32, planes, n, m int) {
	var v Volume
	v.line(m, n)
	pooling[T]{work: poolGather, dst: dst, x: x, index: index, planes: planes, v: v}.shared()
}

func gatherPlane[T Float](dst, x []T, index []int32) {
	dst = dst[:len(index)]
	for i, k := range index {
		dst[i] = x[k]
	}
}

// AvgPool computes the sum of each window of each plane of x, divided by the
// window's Shares.
func AvgPool[T Float](dst, x []T, planes int, v Volume) {
	pooling[T]{work: poolAvg, dst: dst, x: x, planes: planes, v: v}.shared()
}

// avgPool pools one plane. It adds up rows first, so that rounding errors grow
// with the sides of a window.
func avgPool[T Float](dst, x []T, v *Volume) {
	depth, height, width := &v[0], &v[1], &v[2]
	i := 0
	for d, z := range depth.First {
		for h, y := range height.First {
			for w, first := range width.First {
				at, sum := (z*height.In+y)*width.In+first, T(0)
				for dz := range depth.Count[d] {
					var layer T
					for dy := range height.Count[h] {
						var row T
						k := at + (dz*height.In+dy)*width.In
						for _, e := range x[k : k+width.Count[w]] {
							row += e
						}
						layer += row
					}
					sum += layer
				}
				dst[i] = sum / T(depth.Share[d]*height.Share[h]*width.Share[w])
				i++
			}
		}
	}
}

// AvgPoolGrad is the adjoint of [AvgPool]: it spreads each element of gy, whose
// planes have a result for each window, over the window's elements.
func AvgPoolGrad[T Float](dst, gy []T, planes int, v Volume) {
	pooling[T]{work: poolAvgGrad, dst: dst, x: gy, planes: planes, v: v}.shared()
}

func avgPoolGrad[T Float](dst, gy []T, v *Volume) {
	depth, height, width := &v[0], &v[1], &v[2]
	Fill(dst, 0)
	i := 0
	for d, z := range depth.First {
		for h, y := range height.First {
			for w, first := range width.First {
				at, g := (z*height.In+y)*width.In+first, gy[i]/T(depth.Share[d]*height.Share[h]*width.Share[w])
				for dz := range depth.Count[d] {
					for dy := range height.Count[h] {
						k := at + (dz*height.In+dy)*width.In
						row := dst[k : k+width.Count[w]]
						for j := range row {
							row[j] += g
						}
					}
				}
				i++
			}
		}
	}
}
