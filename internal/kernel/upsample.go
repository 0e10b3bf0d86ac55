package kernel

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

// row returns where row (d, h) of a plane of the smaller volume begins.
func (t *resampling[T]) row(d, h int) int { return (d*t.r.In[1] + h) * t.r.In[2] }

// nearest resamples a plane. Neighboring rows of the result that come from one
// row of x are copies.
func (t *resampling[T]) nearest(dst, x []T) {
	depth, height, width := &t.taps.axes[0], &t.taps.axes[1], &t.taps.axes[2]
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
