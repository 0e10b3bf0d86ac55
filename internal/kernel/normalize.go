package kernel

import (
	"math"
	"unsafe"
)

// Normalizations see x as n × channels × inner. They subtract the mean of a
// group of numbers, divide by their deviation √(variance + ε), and then
// multiply by a scale and add a shift, both one for each channel or nil.
//
// The mean is corrected by the sum of the differences from itself, which is in
// float64. So a group of equal numbers has exactly that mean, and variance 0.

// Statistics are those of each group: the mean, the variance Σ (x − mean)² / n,
// the factor 1/√(variance + ε), and what the rounding of the mean leaves:
//
//	x̂ = (x − mean)·factor + rest
type Statistics struct{ Mean, Variance, Factor, Rest []float64 }

// moments are those of n numbers: an approximate mean, and the sums of the
// differences from it and of their squares, these in the square of a unit.
type moments struct{ mean, sum, squares, unit float64 }

// isNearlyConstant reports whether the squares are hardly more than the error
// of the mean, or NaN.
func (m moments) isNearlyConstant(n float64) bool { return !(m.sum*(m.sum/n) < 0.75*m.squares) }

// mayHaveLeft reports whether the squares may have left the range of float64.
func mayHaveLeft[T Float](m moments) bool {
	return unsafe.Sizeof(*new(T)) == 8 && !(m.squares > 1e-280 && m.squares < 1e300)
}

// set stores the statistics of group i, from the moments of its n numbers.
func (s *Statistics) set(i int, m moments, n, epsilon float64) {
	sum := m.sum / m.unit
	v := max(m.squares-sum*(sum/n), 0) / n
	s.Variance[i] = m.unit * (m.unit * v)
	if s.Factor[i] = 1 / math.Sqrt(v+epsilon); m.unit != 1 {
		s.Factor[i] = 1 / math.Hypot(m.unit*math.Sqrt(v), math.Sqrt(epsilon))
	}
	s.Mean[i] = m.mean + m.sum/n
	moved := s.Mean[i] - m.mean
	s.Rest[i] = 0
	if low := (m.mean - (s.Mean[i] - moved)) + (m.sum/n - moved); low != 0 {
		s.Rest[i] = -low * s.Factor[i]
	}
}

// Given stores statistics that are known.
func Given[T Float](s Statistics, mean, variance []T, epsilon float64) {
	for i, v := range variance {
		s.Mean[i], s.Variance[i] = float64(mean[i]), float64(v)
		s.Factor[i], s.Rest[i] = 1/math.Sqrt(s.Variance[i]+epsilon), 0
	}
}

// Scaled is dst = src·factor, rounded to the precision of dst.
func Scaled[T Float](dst []T, src []float64, factor float64) {
	for i, v := range src {
		dst[i] = T(v * factor)
	}
}

// A line is x̂ = (x − center)·factor + rest in the precision of x, in which the
// mean has more digits than center.
type line[T Float] struct{ center, factor, rest T }

// lineOf returns the line that normalizes group i, with a scale and a shift.
func lineOf[T Float](s *Statistics, i int, scale, shift float64) line[T] {
	center := T(s.Mean[i])
	return line[T]{center, T(s.Factor[i] * scale), T(s.restAt(i, float64(center))*scale + shift)}
}

// restAt returns what x̂ = (x − center)·factor + rest needs for a center near
// the mean of group i.
func (s *Statistics) restAt(i int, center float64) float64 {
	if center == s.Mean[i] {
		return s.Rest[i] // factor may be infinite
	}
	return s.Rest[i] - (s.Mean[i]-center)*s.Factor[i]
}

// of returns element i, or a default if there are none.
func of[T Float](x []T, i int, otherwise float64) float64 {
	if x == nil {
		return otherwise
	}
	return float64(x[i])
}

// The widest inner that BatchNorm computes by columns: shorter runs of adjacent
// numbers are not worth a loop each.
const narrow = 8

// BatchNorm normalizes each channel of x by its statistics over n and inner,
// which it stores in s.
func BatchNorm[T Float](y, x, scale, shift []T, s Statistics, n, channels, inner int, epsilon float64) {
	normTask[T]{what: normBatch, y: y, x: x, scale: scale, shift: shift, s: s, n: n, channels: channels, inner: inner, epsilon: epsilon}.byChannel()
}

// NormalizeChannels normalizes each channel of x by the statistics in s.
func NormalizeChannels[T Float](y, x, scale, shift []T, s Statistics, n, channels, inner int) {
	normTask[T]{what: normGiven, y: y, x: x, scale: scale, shift: shift, s: s, n: n, channels: channels, inner: inner}.byChannel()
}

// BatchNormGrad is the gradient of [BatchNorm] for the incoming gradient gy,
// from the statistics that it has stored. With x̂ the normalized x and means
// over the group,
//
//	gx = scale·factor·(gy − mean gy − x̂·mean(gy·x̂))
//	gScale = Σ gy·x̂, gShift = Σ gy
//
// Those of gx, gScale and gShift that are nil are left out. gx may be gy.
func BatchNormGrad[T Float](gx, gScale, gShift, gy, x, scale []T, s Statistics, n, channels, inner int) {
	normTask[T]{what: normBatchGrad, y: gx, gScale: gScale, gShift: gShift, gy: gy, x: x, scale: scale, s: s, n: n, channels: channels, inner: inner}.byChannel()
}

// GroupNorm normalizes each of the n × groups equal parts of x, which hold
// channels/groups channels each, by its own statistics, which it stores in s.
// If plain is set, it does not subtract the mean and divides by √(Σx²/n + ε).
func GroupNorm[T Float](y, x, scale, shift []T, s Statistics, n, groups, channels, inner int, epsilon float64, plain bool) {
	normTask[T]{what: normGroup, y: y, x: x, scale: scale, shift: shift, s: s, n: n, groups: groups, channels: channels, inner: inner, epsilon: epsilon, plain: plain}.byGroup()
}

// NormalizeGroups normalizes each group of x by the statistics in s.
func NormalizeGroups[T Float](y, x, scale, shift []T, s Statistics, n, groups, channels, inner int) {
	normTask[T]{what: normGroupGiven, y: y, x: x, scale: scale, shift: shift, s: s, n: n, groups: groups, channels: channels, inner: inner}.byGroup()
}

// GroupNormGrad is to [GroupNorm] what [BatchNormGrad] is to BatchNorm. With
// u = scale·gy,
//
//	gx = factor·(u − mean u − x̂·mean(u·x̂)), without mean u if plain is set
//
// sums has room for 2·n·channels numbers. gx may not be gy.
func GroupNormGrad[T Float](gx, gScale, gShift, gy, x, scale []T, s Statistics, sums []float64, n, groups, channels, inner int, plain bool) {
	t := normTask[T]{what: normGroupGrad, y: gx, gScale: gScale, gShift: gShift, gy: gy, x: x, scale: scale, s: s, sums: sums, n: n, groups: groups, channels: channels, inner: inner, plain: plain}
	if inner > 1 || gx != nil {
		t.byGroup()
	}
	if gScale != nil || gShift != nil {
		t.what = normAffineGrad
		t.byBlock()
	}
}

// normWork names what a task computes.
type normWork int

const (
	normBatch normWork = iota
	normGiven
	normBatchGrad
	normGroup
	normGroupGiven
	normGroupGrad
	normAffineGrad // of scale and shift, over all groups
)

// A normTask is a normalization, or its gradient, in pieces: channels, groups
// or blocks of channels.
type normTask[T Float] struct {
	what                normWork
	y, x, scale, shift  []T // y is gx in a gradient
	gy, gScale, gShift  []T
	s                   Statistics
	sums                []float64
	n, channels, inner  int
	groups              int
	epsilon             float64
	plain               bool
	count, each, length int // what pieces are made of, and how many are a piece; numbers in a group
}

// byChannel computes all channels. A piece is made of adjacent ones, at least
// as many as fill a block of columns if it computes by columns.
func (t normTask[T]) byChannel() {
	t.length = t.n * t.inner
	t.count = t.channels
	t.each = 1
	if t.inner < narrow {
		t.each = columns / max(t.inner, 1)
	}
	t.shared(t.length * t.each)
}

func (t normTask[T]) byGroup() {
	t.length = t.channels / t.groups * t.inner
	t.count, t.each = t.n*t.groups, 1
	t.shared(t.length)
}

// byBlock computes the gradients of scale and shift of some channels each.
func (t normTask[T]) byBlock() {
	t.count, t.each = t.channels, columns
	t.shared(t.n * columns)
}

// shared computes all pieces, each of the given work, with the workers if that
// pays. Only sizes decide how work is cut.
func (t normTask[T]) shared(work int) {
	if t.count == 0 {
		return
	}
	if len(t.x) < sharedWork {
		t.each *= blocks(t.count, t.each)
	} else {
		t.each *= max(1, sharedPiece/max(work, 1))
	}
	share(blocks(t.count, t.each), t)
}

func (t *normTask[T]) run(piece, _ int) {
	lo := piece * t.each
	hi := min(lo+t.each, t.count)
	switch {
	case t.what == normAffineGrad:
		t.affineGrad(lo, hi)
		return
	case t.what <= normBatchGrad && t.inner < narrow:
		t.columns(lo, hi)
		return
	}
	for i := lo; i < hi; i++ {
		switch t.what {
		case normBatch, normGiven:
			t.channel(i)
		case normBatchGrad:
			t.channelGrad(i)
		case normGroup, normGroupGiven:
			t.group(i)
		case normGroupGrad:
			t.groupGrad(i)
		}
	}
}

// channel normalizes a channel, run by run of adjacent numbers.
func (t *normTask[T]) channel(c int) {
	p, s := primitivesOf[T](), &t.s
	if t.what == normBatch {
		s.set(c, t.momentsOfChannel(c), float64(t.length), t.epsilon)
	}
	l := lineOf[T](s, c, of(t.scale, c, 1), of(t.shift, c, 0))
	for i := range t.n {
		lo := (i*t.channels + c) * t.inner
		p.normalize(t.y[lo:lo+t.inner], t.x[lo:lo+t.inner], l)
	}
}

func (t *normTask[T]) momentsOfChannel(c int) moments {
	return momentsOf(t.x[c*t.inner:], t.n, t.channels*t.inner, t.inner)
}

// momentsOf returns the moments of n runs of a length that are stride apart. If
// the numbers are nearly equal, the mean is corrected first: that of equal
// numbers becomes exact.
func momentsOf[T Float](x []T, n, stride, length int) moments {
	p, count, mean := primitivesOf[T](), float64(n*length), 0.0
	for i := range n {
		mean += p.sumOfRun(x[i*stride : i*stride+length])
	}
	if mean /= count; mean-mean != 0 { // the sum may have overflowed
		m := momentsAbout(float64(x[0]), x, n, stride, length)
		mean = m.mean + m.sum/count
	}
	m := momentsAbout(mean, x, n, stride, length)
	if m.isNearlyConstant(count) {
		m = momentsAbout(m.mean+m.sum/count, x, n, stride, length)
	}
	if mayHaveLeft[T](m) {
		m = inUnit(m, x, n, stride, length)
	}
	return m
}

// inUnit returns the moments with the squares in a unit of the differences' own
// size.
func inUnit[T Float](m moments, x []T, n, stride, length int) moments {
	most := 0.0
	for i := range n {
		for _, v := range x[i*stride : i*stride+length] {
			most = max(most, math.Abs(float64(v)-m.mean))
		}
	}
	m.unit, m.squares = normUnit(most), 0
	for i := range n {
		for _, v := range x[i*stride : i*stride+length] {
			d := (float64(v) - m.mean) / m.unit
			m.squares += d * d
		}
	}
	return m
}

// momentsAbout returns the moments for a mean that is given.
func momentsAbout[T Float](mean float64, x []T, n, stride, length int) moments {
	p, m := primitivesOf[T](), moments{mean: mean, unit: 1}
	for i := range n {
		d, dd := p.deviations(x[i*stride:i*stride+length], mean)
		m.sum += d
		m.squares += dd
	}
	return m
}

func (t *normTask[T]) channelGrad(c int) {
	p, s := primitivesOf[T](), &t.s
	sum, products := 0.0, 0.0
	for i := range t.n {
		lo := (i*t.channels + c) * t.inner
		d, dd := p.products(t.gy[lo:lo+t.inner], t.x[lo:lo+t.inner], s.Mean[c])
		sum += d
		products += dd
	}
	products = products*s.Factor[c] + sum*s.Rest[c]
	t.setAffineGrad(c, sum, products)
	if t.y == nil {
		return
	}
	b := t.bend(c, of(t.scale, c, 1), sum, products)
	for i := range t.n {
		lo := (i*t.channels + c) * t.inner
		p.normalizeGrad(t.y[lo:lo+t.inner], t.gy[lo:lo+t.inner], t.x[lo:lo+t.inner], b)
	}
}

// A bend is gx = slope·gy + (curve·(x − center)·factor + level), the gradient
// of a line whose statistics depend on x.
type bend[T Float] struct{ center, factor, slope, curve, level T }

// bend returns that of group i, from the sums of gy and of gy·x̂.
func (t *normTask[T]) bend(i int, scale, sum, products float64) bend[T] {
	n, slope, center := float64(t.length), scale*t.s.Factor[i], T(t.s.Mean[i])
	curve, level := -slope*(products/n), -slope*(sum/n)
	if t.plain {
		level = 0
	}
	if rest := t.s.restAt(i, float64(center)); rest != 0 {
		level += curve * rest
	}
	return bend[T]{center, T(t.s.Factor[i]), T(slope), T(curve), T(level)}
}

// setAffineGrad stores the gradients of a channel's scale and shift.
func (t *normTask[T]) setAffineGrad(c int, sum, products float64) {
	if t.gScale != nil {
		t.gScale[c] = T(products)
	}
	if t.gShift != nil {
		t.gShift[c] = T(sum)
	}
}

// group normalizes one of the groups.
func (t *normTask[T]) group(i int) {
	p, s := primitivesOf[T](), &t.s
	x, y := t.x[i*t.length:(i+1)*t.length], t.y[i*t.length:(i+1)*t.length]
	switch {
	case len(x) == 0:
		s.Mean[i], s.Variance[i], s.Factor[i], s.Rest[i] = 0, 0, 0, 0
		return
	case t.what == normGroupGiven:
	case t.plain:
		m := momentsAbout(0, x, 1, 0, t.length)
		if m.sum = 0; mayHaveLeft[T](m) {
			m = inUnit(m, x, 1, 0, t.length)
		}
		s.set(i, m, float64(t.length), t.epsilon)
	default:
		s.set(i, momentsOf(x, 1, 0, t.length), float64(t.length), t.epsilon)
	}
	l := lineOf[T](s, i, 1, 0)
	if t.scale == nil && t.shift == nil {
		p.normalize(y, x, l)
		return
	}
	lo, hi := t.channelsOf(i)
	if t.inner == 1 {
		p.normalizeRow(y, x, part(t.scale, lo, hi), part(t.shift, lo, hi), l)
		return
	}
	for c := lo; c < hi; c++ {
		at := (c - lo) * t.inner
		p.normalize(y[at:at+t.inner], x[at:at+t.inner], lineOf[T](s, i, of(t.scale, c, 1), of(t.shift, c, 0)))
	}
}

// channelsOf returns the channels of a group.
func (t *normTask[T]) channelsOf(i int) (lo, hi int) {
	in := t.channels / t.groups
	lo = i % t.groups * in
	return lo, lo + in
}

// groupGrad computes gx of a group, and the sums of each of its channels if
// these have more than one number.
func (t *normTask[T]) groupGrad(i int) {
	p, s := primitivesOf[T](), &t.s
	at, end := i*t.length, (i+1)*t.length
	gy, x := t.gy[at:end], t.x[at:end]
	lo, hi := t.channelsOf(i)
	switch {
	case len(x) == 0:
		return
	case t.inner == 1 && t.scale == nil:
		sum, products := p.products(gy, x, s.Mean[i])
		p.normalizeGrad(t.y[at:end], gy, x, t.bend(i, 1, sum, products*s.Factor[i]+sum*s.Rest[i]))
		return
	case t.inner == 1:
		scale := t.scale[lo:hi]
		sum, products := p.productsOfRow(gy, x, scale, s.Mean[i])
		p.normalizeRowGrad(t.y[at:end], gy, x, scale, t.bend(i, 1, sum, products*s.Factor[i]+sum*s.Rest[i]))
		return
	}
	sums := t.sums[2*(i/t.groups*t.channels+lo):]
	sum, products := 0.0, 0.0
	for c := lo; c < hi; c++ {
		k := (c - lo) * t.inner
		d, dd := p.products(gy[k:k+t.inner], x[k:k+t.inner], s.Mean[i])
		sums[2*(c-lo)], sums[2*(c-lo)+1] = d, dd
		sum += of(t.scale, c, 1) * d
		products += of(t.scale, c, 1) * dd
	}
	if t.y == nil {
		return
	}
	b := t.bend(i, 1, sum, products*s.Factor[i]+sum*s.Rest[i])
	for c := lo; c < hi; c++ {
		k := (c - lo) * t.inner
		b.slope = T(of(t.scale, c, 1) * s.Factor[i])
		p.normalizeGrad(t.y[at+k:at+k+t.inner], gy[k:k+t.inner], x[k:k+t.inner], b)
	}
}

// affineGrad computes the gradients of scale and shift of the channels from lo
// to hi.
func (t *normTask[T]) affineGrad(lo, hi int) {
	in := t.channels / t.groups
	if t.inner == 1 {
		list := freeListOf[normColumns[T]]()
		w := list.get()
		for ; lo < hi; lo += columns {
			t.affineGradOfColumns(w, lo, min(lo+columns, hi), in)
		}
		list.put(w)
		return
	}
	for c := lo; c < hi; c++ {
		sum, products := 0.0, 0.0
		for i := 0; i < t.n && t.inner > 0; i++ {
			k := 2 * (i*t.channels + c)
			sum += t.sums[k]
			group := i*t.groups + c/in
			products += t.sums[k+1]*t.s.Factor[group] + t.sums[k]*t.s.Rest[group]
		}
		t.setAffineGrad(c, sum, products)
	}
}

// affineGradOfColumns does so where each channel is one column of x, part by
// part of what is in one group.
func (t *normTask[T]) affineGradOfColumns(w *normColumns[T], lo, hi, in int) {
	for lo < hi {
		group := lo / in
		end := min(hi, (group+1)*in)
		sum, products := w.sum[:end-lo], w.products[:end-lo]
		if t.n == 0 {
			clear(sum)
			clear(products)
		} else {
			s := Statistics{Mean: t.s.Mean[group:], Factor: t.s.Factor[group:], Rest: t.s.Rest[group:]}
			primitivesOf[T]().affineSums(sum, products, t.gy[lo:], t.x[lo:], s, t.n, t.channels, t.groups)
		}
		for i := range sum {
			t.setAffineGrad(lo+i, sum[i], products[i])
		}
		lo = end
	}
}

// normColumns is what a block of columns needs.
type normColumns[T Float] struct {
	mean, sum, products                 [columns]float64
	center, factor, slope, curve, level [columns]T // of lines or bends; level is the rest of a line
}

// columns normalizes channels of few adjacent numbers, whose columns it sees
// side by side.
func (t *normTask[T]) columns(lo, hi int) {
	if t.inner == 0 {
		for c := lo; c < hi && t.what == normBatchGrad; c++ {
			t.setAffineGrad(c, 0, 0)
		}
		return
	}
	list := freeListOf[normColumns[T]]()
	w := list.get()
	for each := columns / t.inner; lo < hi; lo += each {
		end := min(lo+each, hi)
		if t.what == normBatchGrad {
			t.blockGrad(w, lo, end)
		} else {
			t.block(w, lo, end)
		}
	}
	list.put(w)
}

// block normalizes one block of channels.
func (t *normTask[T]) block(w *normColumns[T], lo, hi int) {
	p, s, n := primitivesOf[T](), &t.s, float64(t.length)
	width, stride, at := (hi-lo)*t.inner, t.channels*t.inner, lo*t.inner
	x := t.x[min(at, len(t.x)):]
	if t.what == normBatch {
		sum, squares := w.sum[:width], w.products[:width]
		for i := range width {
			w.mean[i] = float64(x[i/t.inner*t.inner])
		}
		p.deviationsOfColumns(sum, squares, x, w.mean[:width], t.n, stride)
		for c := lo; c < hi; c++ {
			first := (c - lo) * t.inner
			mean := w.mean[first] + w.total(&w.sum, first, t.inner)/n
			fill(w.mean[first:first+t.inner], mean)
		}
		p.deviationsOfColumns(sum, squares, x, w.mean[:width], t.n, stride)
		for c := lo; c < hi; c++ {
			first := (c - lo) * t.inner
			m := moments{w.mean[first], w.total(&w.sum, first, t.inner), w.total(&w.products, first, t.inner), 1}
			if mayHaveLeft[T](m) {
				m = t.momentsOfChannel(c)
			}
			s.set(c, m, n, t.epsilon)
		}
	}
	for c := lo; c < hi; c++ {
		l := lineOf[T](s, c, of(t.scale, c, 1), of(t.shift, c, 0))
		for i := range t.inner {
			k := (c-lo)*t.inner + i
			w.center[k], w.factor[k], w.level[k] = l.center, l.factor, l.rest
		}
	}
	for i := range t.n {
		k := i * stride
		p.normalizeColumns(t.y[at+k:at+k+width], x[k:k+width], w.center[:width], w.factor[:width], w.level[:width])
	}
}

// total adds up the numbers of a channel.
func (w *normColumns[T]) total(sums *[columns]float64, first, inner int) float64 {
	total := 0.0
	for _, v := range sums[first : first+inner] {
		total += v
	}
	return total
}

func (t *normTask[T]) blockGrad(w *normColumns[T], lo, hi int) {
	p, s := primitivesOf[T](), &t.s
	width, stride, at := (hi-lo)*t.inner, t.channels*t.inner, lo*t.inner
	gy, x := t.gy[at:], t.x[at:]
	for i := range width {
		c := lo + i/t.inner
		w.mean[i] = s.Mean[c]
	}
	p.productsOfColumns(w.sum[:width], w.products[:width], gy, x, w.mean[:width], t.n, stride)
	for c := lo; c < hi; c++ {
		first := (c - lo) * t.inner
		sum, products := w.total(&w.sum, first, t.inner), w.total(&w.products, first, t.inner)
		products = products*s.Factor[c] + sum*s.Rest[c]
		t.setAffineGrad(c, sum, products)
		b := t.bend(c, of(t.scale, c, 1), sum, products)
		for k := first; k < first+t.inner; k++ {
			w.center[k], w.factor[k], w.slope[k], w.curve[k], w.level[k] = b.center, b.factor, b.slope, b.curve, b.level
		}
	}
	if t.y == nil {
		return
	}
	for i := range t.n {
		k := i * stride
		p.normalizeColumnsGrad(t.y[at+k:at+k+width], gy[k:k+width], x[k:k+width], w.center[:width], w.factor[:width], w.slope[:width], w.curve[:width], w.level[:width])
	}
}
