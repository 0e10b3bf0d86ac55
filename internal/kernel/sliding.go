package kernel

import "math"

// windowLoops are the loops that slide windows over rows of numbers. Each row
// of the result has n elements, and element i of it uses those of src at i plus
// the offset of each tap. Strides lead from row to row.
//
// Loops with vectors need rows of at least as many elements as vector says.
type windowLoops[T Float] struct {
	vector  int
	shorter *windowLoops[T] // with shorter vectors; nil if there are none

	// weigh computes start + Σ w[t]·src[i + offsets[t]].
	weigh func(dst, src, w []T, offsets []int, n, rows, strideDst, strideSrc int, start T)

	// dots computes Σ y[i]·src[i + offsets[t]] for dotTaps taps. Rows may be
	// short.
	dots func(dst *[dotTaps]T, y, src []T, offsets *[dotTaps]int, n, rows, strideY, strideSrc int)

	// greatest computes the first greatest src[i + offsets[t]], the last NaN if
	// there is one, and where it was unless places is nil.
	greatest func(dst, src []T, offsets []int, n, rows, strideDst, strideSrc int, places *windowPlaces)

	// split takes rows of n pairs apart, join puts them together.
	split func(even, odd, src []T, n, rows, strideDst, strideSrc int)
	join  func(dst, even, odd []T, n, rows, strideDst, strideSrc int)

	// copy copies rows of n elements.
	copy func(dst, src []T, n, rows, strideDst, strideSrc int)
}

// windowPlaces say where the elements of windows lie in a plane: tap t of
// element i in row r is number rows[r] + columns[i] + deltas[t], and the first
// one inside of the plane is starts[r] + start[i].
type windowPlaces struct {
	index          []int32 // the result, in rows of strideDst
	columns, start []int32
	deltas         []int
	rows, starts   []int
}

// dotTaps is how many dot products are computed together.
const dotTaps = 9

var (
	windows32 = portableWindows[float32]()
	windows64 = portableWindows[float64]()
)

func portableWindows[T Float]() windowLoops[T] {
	return windowLoops[T]{vector: 1, weigh: weightedSums[T], dots: windowDots[T], greatest: windowMaxima[T], split: splitPairs[T], join: joinPairs[T], copy: copyRows[T]}
}

// windowLoopsOf returns the loops for rows of n elements: those of the longest
// vectors that are not longer, or of the shortest that there are.
func windowLoopsOf[T Float](n int) *windowLoops[T] {
	l := ofPrecision[*windowLoops[T]](&windows32, &windows64)
	for n < l.vector && l.shorter != nil {
		l = l.shorter
	}
	return l
}

// hasVectors reports whether there are loops with vectors.
func hasVectors[T Float]() bool { return windowLoopsOf[T](0).vector > 1 }

func weightedSums[T Float](dst, src, w []T, offsets []int, n, rows, strideDst, strideSrc int, start T) {
	for r := range rows {
		to := dst[r*strideDst : r*strideDst+n]
		for i := range to {
			to[i] = start
		}
		from := src[r*strideSrc:]
		for t, at := range offsets {
			weight := w[t]
			row := from[at : at+n]
			for i := range to {
				to[i] += weight * row[i]
			}
		}
	}
}

func windowDots[T Float](dst *[dotTaps]T, y, src []T, offsets *[dotTaps]int, n, rows, strideY, strideSrc int) {
	clear(dst[:])
	for r := range rows {
		left, from := y[r*strideY:r*strideY+n], src[r*strideSrc:]
		for t, at := range offsets {
			row, sum := from[at:at+n], T(0)
			for i, v := range left {
				sum += v * row[i]
			}
			dst[t] += sum
		}
	}
}

func windowMaxima[T Float](dst, src []T, offsets []int, n, rows, strideDst, strideSrc int, places *windowPlaces) {
	low := T(math.Inf(-1))
	for r := range rows {
		to, from := dst[r*strideDst:r*strideDst+n], src[r*strideSrc:]
		for i := range to {
			best, tap := low, -1
			for t, at := range offsets {
				if v := from[at+i]; v > best || v != v {
					best, tap = v, t
				}
			}
			to[i] = best
			switch {
			case places == nil:
			case tap < 0:
				places.index[r*strideDst+i] = int32(places.starts[r]) + places.start[i]
			default:
				places.index[r*strideDst+i] = int32(places.rows[r]+places.deltas[tap]) + places.columns[i]
			}
		}
	}
}

func splitPairs[T Float](even, odd, src []T, n, rows, strideDst, strideSrc int) {
	for r := range rows {
		x, a, b := src[r*strideSrc:r*strideSrc+2*n], even[r*strideDst:r*strideDst+n], odd[r*strideDst:r*strideDst+n]
		for i := range a {
			a[i], b[i] = x[2*i], x[2*i+1]
		}
	}
}

func joinPairs[T Float](dst, even, odd []T, n, rows, strideDst, strideSrc int) {
	for r := range rows {
		x, a, b := dst[r*strideDst:r*strideDst+2*n], even[r*strideSrc:r*strideSrc+n], odd[r*strideSrc:r*strideSrc+n]
		for i := range a {
			x[2*i], x[2*i+1] = a[i], b[i]
		}
	}
}

func copyRows[T Float](dst, src []T, n, rows, strideDst, strideSrc int) {
	for r := range rows {
		copy(dst[r*strideDst:r*strideDst+n], src[r*strideSrc:r*strideSrc+n])
	}
}

// A slide is how windows slide over planes along three axes: an axis of In
// elements with Before more in front has Out windows, each Stride from the one
// before, of Kernel elements that are Step apart.
type slide struct{ axes [3]slideAxis }

type slideAxis struct{ In, Out, Kernel, Stride, Step, Before int }

// spread is the number of elements of an axis that the windows reach, from the
// first element of the padding.
func (a *slideAxis) spread() int {
	return max(a.Before+a.In, (a.Out-1)*a.Stride+(a.Kernel-1)*a.Step+1)
}

// A spread plane is a copy of a plane with its padding, in which each row is
// taken apart by the stride: its elements 0, s, 2s, …, then 1, s + 1, …. So
// neighboring windows always find their elements side by side.
type spreadPlane struct {
	part   int // length of a part of a row
	row    int // from row to row
	layer  int // from layer to layer
	size   int
	stride int // of the last axis
}

// slack is how far behind a row vectors may read.
const slack = 16

func (s *slide) plane() spreadPlane {
	d, h, w := &s.axes[0], &s.axes[1], &s.axes[2]
	p := spreadPlane{part: blocks(w.spread(), w.Stride), stride: w.Stride}
	p.row = p.part * min(w.Stride, w.spread())
	p.layer = p.row * h.spread()
	p.size = p.layer*d.spread() + slack
	return p
}

// at is where the element in column q of a row lies in it.
func (p *spreadPlane) at(q int) int { return q%p.stride*p.part + q/p.stride }

func (s *slide) taps() int { return s.axes[0].Kernel * s.axes[1].Kernel * s.axes[2].Kernel }

// offsets returns, for each tap, its distance from the first element of a
// window in the spread plane.
func (s *slide) offsets(p *spreadPlane, offsets []int) []int {
	d, h, w := &s.axes[0], &s.axes[1], &s.axes[2]
	offsets = grown(offsets, s.taps())
	t := 0
	for z := range d.Kernel {
		for y := range h.Kernel {
			for x := range w.Kernel {
				offsets[t] = z*d.Step*p.layer + y*h.Step*p.row + p.at(x*w.Step)
				t++
			}
		}
	}
	return offsets
}

// spreadInto copies a plane. The padding of dst is there already.
func spreadInto[T Float](dst, x []T, s *slide, p *spreadPlane) {
	d, h, w := &s.axes[0], &s.axes[1], &s.axes[2]
	if len(x) == 0 {
		return
	}
	for z := range d.In {
		to := dst[(z+d.Before)*p.layer+h.Before*p.row:]
		spreadRows(to, x[z*h.In*w.In:], h.In, w, p)
	}
}

// spreadRows copies rows.
func spreadRows[T Float](dst, x []T, rows int, w *slideAxis, p *spreadPlane) {
	n, l := w.In, windowLoopsOf[T](w.In/2)
	switch {
	case p.stride == 1 && n >= windowLoopsOf[T](n).vector:
		windowLoopsOf[T](n).copy(dst[w.Before:], x, n, rows, p.row, n)
		return
	case p.stride == 2 && n/2 >= l.vector:
		l.split(dst[p.at(w.Before):], dst[p.at(w.Before+1):], x, n/2, rows, p.row, n)
		if n%2 == 1 {
			last := p.at(w.Before + n - 1)
			for r := range rows {
				dst[r*p.row+last] = x[r*n+n-1]
			}
		}
		return
	}
	for r := range rows {
		to, from := dst[r*p.row:], x[r*n:(r+1)*n]
		for part := range min(p.stride, n) {
			at := p.at(w.Before + part)
			for i := part; i < n; i += p.stride {
				to[at] = from[i]
				at++
			}
		}
	}
}

// windowMemory is what a piece of work on windows needs, kept for the next one.
type windowMemory[T Float] struct {
	plane, result, weights []T
	offsets, more          []int
	places                 windowPlaces
	index                  []int32
	parts, ones            []T
	divisors, quotients    []T // of means
	dots                   [dotTaps]T
	sums                   []float64
}

// filled returns room for n numbers, all v.
func filled[T Float](memory []T, n int, v T) []T {
	memory = grown(memory, n)
	Fill(memory, v)
	return memory
}

// slideRows computes, for each layer and row of windows over a spread plane,
// the weighted sums of a window's taps.
func (m *windowMemory[T]) slideRows(dst, plane, w []T, s *slide, p *spreadPlane, start T) {
	d, h, width := &s.axes[0], &s.axes[1], &s.axes[2]
	n, l := width.Out, windowLoopsOf[T](width.Out)
	for z := range d.Out {
		src, to := plane[z*d.Stride*p.layer:], dst[z*h.Out*n:]
		if n >= l.vector {
			l.weigh(to, src, w, m.offsets, n, h.Out, n, h.Stride*p.row, start)
			continue
		}
		m.result = grown(m.result, h.Out*l.vector)
		l.weigh(m.result, src, w, m.offsets, l.vector, h.Out, l.vector, h.Stride*p.row, start)
		cutRows(to, m.result, h.Out, n, l.vector)
	}
}

// cutRows copies the first n of each row's elements.
func cutRows[E any](dst, src []E, rows, n, stride int) {
	for r := range rows {
		copy(dst[r*n:(r+1)*n], src[r*stride:])
	}
}

// A backSlide is the adjoint of a slide: the elements of a plane by phases, the
// places that have the same distance to the windows before them. Each phase is
// a sum over some of the taps, at neighboring windows.
type backSlide struct {
	slide
	lead   [3]int // windows' places in front of the first one
	maps   slide  // of the map: it is copied with zeros around it
	spread spreadPlane
}

func (s *slide) back() backSlide {
	b := backSlide{slide: *s}
	for i := range s.axes {
		a := &s.axes[i]
		b.lead[i] = max(0, blocks((a.Kernel-1)*a.Step-a.Before, a.Stride))
		b.maps.axes[i] = slideAxis{In: a.Out, Out: b.lead[i] + (a.In-1+a.Before)/a.Stride + 1, Kernel: 1, Stride: 1, Step: 1, Before: b.lead[i]}
	}
	b.spread = b.maps.plane()
	return b
}

// meets returns the window, counted from the one that an element of the phase
// begins, of which the element is tap k, if there is one.
func (a *slideAxis) meets(phase, k int) (window int, ok bool) {
	at := phase + a.Before - k*a.Step
	if at%a.Stride != 0 {
		return 0, false
	}
	return at / a.Stride, true
}

// length is how many elements of an axis are in a phase.
func (a *slideAxis) length(phase int) int { return max(0, blocks(a.In-phase, a.Stride)) }

// collect puts together the taps of a phase of some maps, each in a spread
// plane behind the other, and their weights.
func (m *windowMemory[T]) collect(b *backSlide, w []T, maps int, phase [3]int) {
	d, h, width := &b.axes[0], &b.axes[1], &b.axes[2]
	m.offsets, m.weights = m.offsets[:0], m.weights[:0]
	for i := range maps {
		for z := range d.Kernel {
			dz, ok := d.meets(phase[0], z)
			if !ok {
				continue
			}
			for y := range h.Kernel {
				dy, ok := h.meets(phase[1], y)
				if !ok {
					continue
				}
				for x := range width.Kernel {
					if dx, ok := width.meets(phase[2], x); ok {
						at := i*b.spread.size + (b.lead[0]+dz)*b.spread.layer + (b.lead[1]+dy)*b.spread.row + b.lead[2] + dx
						m.offsets = append(m.offsets, at)
						m.weights = append(m.weights, w[((i*d.Kernel+z)*h.Kernel+y)*width.Kernel+x])
					}
				}
			}
		}
	}
}

// slideBack computes the adjoint of slideRows for the sum over some maps in
// m.plane.
func (m *windowMemory[T]) slideBack(dst, w []T, b *backSlide, maps int, start T) {
	d, h, width := &b.axes[0], &b.axes[1], &b.axes[2]
	for z := range min(d.Stride, d.In) {
		for y := range min(h.Stride, h.In) {
			layers, rows := d.length(z), h.length(y)
			if width.Stride == 1 {
				m.collect(b, w, maps, [3]int{z, y, 0})
				for k := range layers {
					m.phaseRows(dst[((z+k*d.Stride)*h.In+y)*width.In:], h.Stride*width.In, b, k, rows, width.In, start)
				}
				continue
			}
			for k := range layers {
				m.joinPhases(dst[((z+k*d.Stride)*h.In+y)*width.In:], w, b, maps, [3]int{z, y, 0}, k, rows, start)
			}
		}
	}
}

// phaseRows computes rows of n elements of a phase in a layer.
func (m *windowMemory[T]) phaseRows(dst []T, stride int, b *backSlide, layer, rows, n int, start T) {
	l := windowLoopsOf[T](n)
	src := m.plane[layer*b.spread.layer:]
	switch {
	case len(m.offsets) == 0:
		for r := range rows {
			Fill(dst[r*stride:r*stride+n], start)
		}
	case n >= l.vector:
		l.weigh(dst, src, m.weights, m.offsets, n, rows, stride, b.spread.row, start)
	default:
		m.result = grown(m.result, rows*l.vector)
		l.weigh(m.result, src, m.weights, m.offsets, l.vector, rows, l.vector, b.spread.row, start)
		for r := range rows {
			copy(dst[r*stride:r*stride+n], m.result[r*l.vector:])
		}
	}
}

// joinPhases computes rows of a layer for the phases of the last axis, and puts
// them together.
func (m *windowMemory[T]) joinPhases(dst, w []T, b *backSlide, maps int, phase [3]int, layer, rows int, start T) {
	h, width := &b.axes[1], &b.axes[2]
	l := windowLoopsOf[T](width.In / 2)
	part, stride := max(l.vector, width.length(0)), h.Stride*width.In
	phases := min(width.Stride, width.In)
	m.parts = grown(m.parts, phases*rows*part)
	for x := range phases {
		phase[2] = x
		m.collect(b, w, maps, phase)
		m.phaseRows(m.parts[x*rows*part:], part, b, layer, rows, max(width.length(x), l.vector), start)
	}
	if width.Stride == 2 && width.In/2 >= l.vector {
		l.join(dst, m.parts, m.parts[rows*part:], width.In/2, rows, stride, part)
		if width.In%2 == 1 {
			for r := range rows {
				dst[r*stride+width.In-1] = m.parts[r*part+width.In/2]
			}
		}
		return
	}
	for r := range rows {
		row := dst[r*stride : r*stride+width.In]
		for x := range phases {
			from := m.parts[(x*rows+r)*part:]
			for i, at := 0, x; at < width.In; i, at = i+1, at+width.Stride {
				row[at] = from[i]
			}
		}
	}
}
