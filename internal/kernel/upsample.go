package kernel

import "math"

// A Resampling makes planes of another size of planes of a volume of numbers,
// by the nearest element or linearly along each of three axes. An axis of
// which both lengths are 1 changes nothing.
type Resampling struct {
	In, Out [3]int
	Linear  bool
	Corners bool // the first and last elements keep their places, if Linear
}

func (r *Resampling) in() int  { return r.In[0] * r.In[1] * r.In[2] }
func (r *Resampling) out() int { return r.Out[0] * r.Out[1] * r.Out[2] }

// taps say for each place along an axis which two elements it lies between, and
// the weight of the second. Of the nearest element, both are the same.
type taps[T Float] struct {
	first, second []int
	weight        []T
}

// fill computes the taps of an axis.
func (t *taps[T]) fill(r *Resampling, axis int) {
	in, out := r.In[axis], r.Out[axis]
	t.first, t.second, t.weight = grown(t.first, out), grown(t.second, out), grown(t.weight, out)
	for o := range out {
		place := float64(o * in / out)
		switch {
		case r.Linear && !r.Corners:
			place = max(0, (float64(o)+0.5)*float64(in)/float64(out)-0.5)
		case r.Linear && out > 1:
			place = float64(o) * float64(in-1) / float64(out-1)
		case r.Linear:
			place = 0
		}
		first := min(int(place), in-1)
		t.first[o], t.second[o], t.weight[o] = first, min(first+1, in-1), T(place-float64(first))
		if !r.Linear {
			t.second[o] = first
		}
	}
}

// grown returns room for n elements, in the memory of s if that suffices.
func grown[S any](s []S, n int) []S {
	if cap(s) < n {
		return make([]S, n)
	}
	return s[:n]
}

// tapMemory is what a resampling works with, kept for the next one.
type tapMemory[T Float] struct{ axes [3]taps[T] }

// A rowMemory is room for a row of a plane.
type rowMemory[T Float] struct{ row []T }

// resampling is a resampling of planes, in pieces of some planes.
type resampling[T Float] struct {
	dst, x []T
	planes int
	each   int // planes in a piece
	r      Resampling
	taps   *tapMemory[T]
	back   bool // the adjoint
}

func (t resampling[T]) shared() {
	memory := freeListOf[tapMemory[T]]()
	t.taps = memory.get()
	for axis := range t.taps.axes {
		t.taps.axes[axis].fill(&t.r, axis)
	}
	size := max(t.r.in(), t.r.out())
	t.each = max(1, sharedPiece/size)
	if t.planes*size < sharedWork {
		t.each = t.planes
	}
	if t.planes > 0 {
		share(blocks(t.planes, t.each), t)
	}
	memory.put(t.taps)
}

func (t *resampling[T]) run(piece, _ int) {
	if t.slides() {
		t.slide(piece*t.each, min((piece+1)*t.each, t.planes))
		return
	}
	memory := freeListOf[rowMemory[T]]()
	m := memory.get()
	m.row = grown(m.row, t.r.In[2])
	in, out := t.r.in(), t.r.out()
	for p := piece * t.each; p < min((piece+1)*t.each, t.planes); p++ {
		switch {
		case t.back && t.r.Linear:
			t.linearGrad(t.dst[p*in:(p+1)*in], t.x[p*out:(p+1)*out], m.row)
		case t.back:
			t.nearestGrad(t.dst[p*in:(p+1)*in], t.x[p*out:(p+1)*out])
		case t.r.Linear:
			t.linear(t.dst[p*out:(p+1)*out], t.x[p*in:(p+1)*in], m.row)
		default:
			t.nearest(t.dst[p*out:(p+1)*out], t.x[p*in:(p+1)*in])
		}
	}
	memory.put(m)
}

// Upsample resamples each plane of x.
func Upsample[T Float](dst, x []T, planes int, r Resampling) {
	resampling[T]{dst: dst, x: x, planes: planes, r: r}.shared()
}

// UpsampleGrad is the adjoint of [Upsample]: it adds each element of gy to
// those of its plane of dst that it was made of, times their weights.
func UpsampleGrad[T Float](dst, gy []T, planes int, r Resampling) {
	resampling[T]{dst: dst, x: gy, planes: planes, r: r, back: true}.shared()
}

// slides reports whether each element of a plane has the same weights in the
// elements around its place, which the loops for windows compute.
func (t *resampling[T]) slides() bool {
	r := &t.r
	if r.Linear && r.Corners || !r.Linear && !t.back || !hasVectors[T]() {
		return false
	}
	return r.Out[0]%r.In[0]+r.Out[1]%r.In[1]+r.Out[2]%r.In[2] == 0
}

// edges is the number of elements that an axis needs in front and behind: a
// place between neighbors may have none on one side, where the last element
// goes on.
func (r *Resampling) edges(axis int) int {
	if r.Linear && r.Out[axis] > r.In[axis] {
		return 1
	}
	return 0
}

// windows returns the slide whose adjoint resamples planes with edges.
func (r *Resampling) windows() slide {
	var s slide
	for i := range s.axes {
		scale := r.Out[i] / r.In[i]
		s.axes[i] = slideAxis{In: r.Out[i], Out: r.In[i] + 2*r.edges(i), Kernel: scale, Stride: scale, Step: 1}
		if r.Linear {
			s.axes[i].Kernel = 2*scale - scale%2
			s.axes[i].Before = scale/2 + scale*r.edges(i)
		}
	}
	return s
}

// weight is that of an element in the tap-th of the elements of the result
// around it, along an axis.
func (r *Resampling) weight(axis, tap int) float64 {
	scale := r.Out[axis] / r.In[axis]
	if !r.Linear {
		return 1
	}
	return 1 - math.Abs((float64(tap-scale/2)+0.5)/float64(scale)-0.5)
}

// weights returns the products of the axes' weights.
func (r *Resampling) weights(s *slide, all []float64) []float64 {
	all = grown(all, s.taps())
	i := 0
	for z := range s.axes[0].Kernel {
		for y := range s.axes[1].Kernel {
			for x := range s.axes[2].Kernel {
				all[i] = r.weight(0, z) * r.weight(1, y) * r.weight(2, x)
				i++
			}
		}
	}
	return all
}

// slide computes planes by loops that slide windows.
func (t *resampling[T]) slide(lo, hi int) {
	memory := freeListOf[windowMemory[T]]()
	m, s := memory.get(), t.r.windows()
	m.sums = t.r.weights(&s, m.sums)
	m.ones = grown(m.ones, len(m.sums))
	for i, w := range m.sums {
		m.ones[i] = T(w)
	}
	if t.back {
		t.slideGrad(m, &s, lo, hi)
	} else {
		t.slideLinear(m, &s, lo, hi)
	}
	memory.put(m)
}

func (t *resampling[T]) slideLinear(m *windowMemory[T], s *slide, lo, hi int) {
	b, in, out := s.back(), t.r.in(), t.r.out()
	m.plane = filled(m.plane, b.spread.size, 0)
	m.quotients = grown(m.quotients, s.axes[0].Out*s.axes[1].Out*s.axes[2].Out)
	for i := lo; i < hi; i++ {
		t.addEdges(m.quotients, t.x[i*in:(i+1)*in])
		spreadInto(m.plane, m.quotients, &b.maps, &b.spread)
		m.slideBack(t.dst[i*out:(i+1)*out], m.ones, &b, 1, 0)
	}
}

// eachEdgeRow calls f with each row of a plane with edges, and the row of the
// plane that it shows.
func (r *Resampling) eachEdgeRow(f func(row, of int)) {
	row := 0
	for z := -r.edges(0); z < r.In[0]+r.edges(0); z++ {
		for y := -r.edges(1); y < r.In[1]+r.edges(1); y++ {
			f(row, min(max(z, 0), r.In[0]-1)*r.In[1]+min(max(y, 0), r.In[1]-1))
			row++
		}
	}
}

// addEdges copies a plane with its edges, where the last element goes on.
func (t *resampling[T]) addEdges(dst, x []T) {
	n, e := t.r.In[2], t.r.edges(2)
	t.r.eachEdgeRow(func(row, of int) {
		to, from := dst[row*(n+2*e):(row+1)*(n+2*e)], x[of*n:(of+1)*n]
		to[0], to[n+2*e-1] = from[0], from[n-1]
		copy(to[e:], from)
	})
}

func (t *resampling[T]) slideGrad(m *windowMemory[T], s *slide, lo, hi int) {
	p, in, out := s.plane(), t.r.in(), t.r.out()
	m.offsets = s.offsets(&p, m.offsets)
	m.plane = filled(m.plane, p.size, 0)
	m.quotients = grown(m.quotients, s.axes[0].Out*s.axes[1].Out*s.axes[2].Out)
	for i := lo; i < hi; i++ {
		spreadInto(m.plane, t.x[i*out:(i+1)*out], s, &p)
		m.slideRows(m.quotients, m.plane, m.ones, s, &p, 0)
		t.foldEdges(t.dst[i*in:(i+1)*in], m.quotients)
	}
}

// foldEdges is the adjoint of addEdges.
func (t *resampling[T]) foldEdges(dst, x []T) {
	n, e := t.r.In[2], t.r.edges(2)
	if len(x) == len(dst) {
		copy(dst, x)
		return
	}
	Fill(dst, 0)
	t.r.eachEdgeRow(func(row, of int) {
		to, from := dst[of*n:(of+1)*n], x[row*(n+2*e):(row+1)*(n+2*e)]
		Accumulate(to, from[e:e+n])
		if e > 0 {
			to[0] += from[0]
			to[n-1] += from[n+1]
		}
	})
}

// row returns where row (d, h) of a plane of the smaller volume begins.
func (t *resampling[T]) row(d, h int) int { return (d*t.r.In[1] + h) * t.r.In[2] }

// nearest resamples a plane. Neighboring rows of the result that come from one
// row of x are copies.
func (t *resampling[T]) nearest(dst, x []T) {
	depth, height, width := &t.taps.axes[0], &t.taps.axes[1], &t.taps.axes[2]
	if t.doubles() {
		t.double(dst, x)
		return
	}
	n, at, last := len(width.first), 0, -1
	for _, d := range depth.first {
		for _, h := range height.first {
			from := t.row(d, h)
			if from == last {
				copy(dst[at:at+n], dst[at-n:at])
			} else {
				spreadRow(dst[at:at+n], x[from:from+t.r.In[2]], width.first)
			}
			at, last = at+n, from
		}
	}
}

// doubles reports whether rows become twice as long, which vectors compute.
func (t *resampling[T]) doubles() bool {
	r := &t.r
	return r.Out[2] == 2*r.In[2] && r.In[2] >= windowLoopsOf[T](r.In[2]).vector && r.Out[0] == r.In[0] && r.Out[1]%r.In[1] == 0
}

// double is nearest for such rows.
func (t *resampling[T]) double(dst, x []T) {
	n, rows, times := t.r.In[2], t.r.In[0]*t.r.In[1], t.r.Out[1]/t.r.In[1]
	windowLoopsOf[T](n).join(dst, x, x, n, rows, 2*n*times, n)
	for r := range rows {
		first := dst[2*n*times*r:][:2*n*times]
		for k := 1; k < times; k++ {
			copy(first[2*n*k:], first[:2*n])
		}
	}
}

func spreadRow[T Float](dst, x []T, from []int) {
	dst = dst[:len(from)]
	for i, k := range from {
		dst[i] = x[k]
	}
}

func (t *resampling[T]) nearestGrad(dst, gy []T) {
	depth, height, width := &t.taps.axes[0], &t.taps.axes[1], &t.taps.axes[2]
	Fill(dst, 0)
	for _, d := range depth.first {
		for _, h := range height.first {
			to := dst[t.row(d, h):]
			for i, k := range width.first {
				to[k] += gy[i]
			}
			gy = gy[len(width.first):]
		}
	}
}

// linear resamples a plane: each row of the result is a row between up to four
// of x, resampled.
func (t *resampling[T]) linear(dst, x, row []T) {
	depth, height, width := &t.taps.axes[0], &t.taps.axes[1], &t.taps.axes[2]
	for d, v := range depth.weight {
		for h, u := range height.weight {
			near, far := t.row(depth.first[d], height.first[h]), t.row(depth.first[d], height.second[h])
			mixRows(row, x[near:], x[far:], u)
			if v != 0 {
				near, far = t.row(depth.second[d], height.first[h]), t.row(depth.second[d], height.second[h])
				addMixedRows(row, x[near:], x[far:], u, v)
			}
			resampleRow(dst[:len(width.first)], row, width)
			dst = dst[len(width.first):]
		}
	}
}

// mixRows computes the row between two rows.
func mixRows[T Float](dst, x, y []T, weight T) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = (1-weight)*x[i] + weight*y[i]
	}
}

// addMixedRows moves dst, by a weight, to the row between two rows.
func addMixedRows[T Float](dst, x, y []T, weight, by T) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = (1-by)*dst[i] + by*((1-weight)*x[i]+weight*y[i])
	}
}

func resampleRow[T Float](dst, x []T, t *taps[T]) {
	first, second, weight := t.first[:len(dst)], t.second[:len(dst)], t.weight[:len(dst)]
	for i := range dst {
		dst[i] = (1-weight[i])*x[first[i]] + weight[i]*x[second[i]]
	}
}

func (t *resampling[T]) linearGrad(dst, gy, row []T) {
	depth, height, width := &t.taps.axes[0], &t.taps.axes[1], &t.taps.axes[2]
	Fill(dst, 0)
	for d, v := range depth.weight {
		for h, u := range height.weight {
			resampleRowGrad(row, gy[:len(width.first)], width)
			gy = gy[len(width.first):]
			addTimes(dst[t.row(depth.first[d], height.first[h]):], row, (1-v)*(1-u))
			addTimes(dst[t.row(depth.first[d], height.second[h]):], row, (1-v)*u)
			if v != 0 {
				addTimes(dst[t.row(depth.second[d], height.first[h]):], row, v*(1-u))
				addTimes(dst[t.row(depth.second[d], height.second[h]):], row, v*u)
			}
		}
	}
}

func resampleRowGrad[T Float](dst, gy []T, t *taps[T]) {
	clear(dst)
	first, second, weight := t.first[:len(gy)], t.second[:len(gy)], t.weight[:len(gy)]
	for i, g := range gy {
		dst[first[i]] += (1 - weight[i]) * g
		dst[second[i]] += weight[i] * g
	}
}

// addTimes adds a multiple of x.
func addTimes[T Float](dst, x []T, by T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] += by * v
	}
}
