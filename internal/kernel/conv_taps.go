package kernel

import "unsafe"

// A convolution and its transpose are computed alike. Each result is a sum over
// channels and taps, the elements of the kernel:
//
//	dst[m][r] = bias[m] + Σ weights[m][c, j] · source[c][r·step + shift j]
//
// That is a matrix product whose right operand is never formed: the row of tap
// j is the source itself, shifted. So that rows of places are contiguous and no
// shift leaves the source, each piece of work copies its part with zeros
// around; if the step is not 1, into as many planes as the step has phases. The
// transpose of a convolution with a stride is one such sum for each phase of
// the result, over the taps that meet it.

// tapsAxis says along one axis which places of the source the results of a
// phase meet, and where they are written.
type tapsAxis struct {
	n                  int // results
	step               int // tap j of result r meets place r·step + first + j·delta
	first, delta, taps int
	start, stride      int // result r is number start + r·stride of dst
	kernel, skip       int // tap j is element kernel + j·skip of the kernel
	before             int // taps of the phases before
}

// lowest and highest are the ends of the shifts.
func (a *tapsAxis) lowest() int  { return a.first + min(0, (a.taps-1)*a.delta) }
func (a *tapsAxis) highest() int { return a.first + max(0, (a.taps-1)*a.delta) }

// mapAxis is the one phase of a convolution's results.
func mapAxis(a *ConvolutionAxis) tapsAxis {
	return tapsAxis{n: a.Map, step: a.Stride, first: -a.Before, delta: a.Dilation, taps: a.Kernel, stride: 1, skip: 1}
}

// imageAxis is one of the phases of a transposed convolution's results: the
// elements of the image from the given one on, by strides.
func imageAxis(a *ConvolutionAxis, phase int) tapsAxis {
	common := commonDivisor(a.Stride, a.Dilation)
	t := tapsAxis{n: blocks(a.Image-phase, a.Stride), step: 1, delta: -a.Dilation / common, start: phase, stride: a.Stride, skip: a.Stride / common}
	for k := range min(t.skip, a.Kernel) {
		if meets := phase + a.Before - k*a.Dilation; meets%a.Stride == 0 {
			t.kernel, t.first, t.taps = k, meets/a.Stride, blocks(a.Kernel-k, t.skip)
			break
		}
	}
	return t
}

func commonDivisor(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// correlation is a convolution or a transposed one in progress.
type correlation[T Float] struct {
	dst, source, weights, bias []T

	batch, groups, m, channels int           // m and channels are those of a group, of dst and of the source
	from, to                   [3]int        // lengths of the source and of dst
	phases                     [3][]tapsAxis // along each axis
	plane                      []tapsPhase   // of rows and columns together
	offsets                    []int
	reordered                  []T // the weights by phases, of a transposed convolution

	set                 *convKernels[T] // nil if portable
	size, lanes, height int
	copied              copiedSource
	pieces              correlationPieces
	memory              scratch
}

// tapsPhase is a phase of rows and columns.
type tapsPhase struct {
	rows, columns *tapsAxis
	before        int   // taps of the phases before
	offsets       []int // of a block's taps, in bytes
	results       int   // where its results begin in the worker's memory
	isFlat        bool  // its results lie as far apart as their places in the copied source
	isDirect      bool  // its results are computed in dst
}

// copiedSource is how a part of the source is copied: as planes of phases of
// rows of phases of columns.
type copiedSource struct {
	inPlace         bool // not at all
	step, low, high [3]int
	phases          [3]int // of the copy
	rows, pitch     int    // of a phase
	plane           int    // from channel to channel
	channels        int    // in a block, counting each slice of depth
}

// correlationPieces is how the work is cut: an image and a group, a place in
// depth, some rows and columns of each phase.
type correlationPieces struct {
	rows, columns int
	down, across  int
	results       int // numbers in a worker's memory
}

// The sizes of a piece, in bytes: of the copied source and of the results that
// are copied later. Together they stay in the second-level cache.
const (
	copiedBytes   = 192 << 10
	resultBytes   = 128 << 10
	blockTaps     = 320     // of channels and taps in a block
	pieceProducts = 1 << 19 // in a piece that is worth cutting
)

// correlate computes a convolution, or a transposed one, with one set's
// functions.
func correlate[T Float](set *convKernels[T], dst, source, weights, bias []T, c *Convolution, transposed bool) {
	if len(dst) == 0 {
		return
	}
	free := freeListOf[correlation[T]]()
	t := free.get() // the workers need it on the heap, and its memory is used again
	t.dst, t.source, t.weights, t.bias = dst, source, weights, bias
	t.use(set)
	t.describe(c, transposed)
	t.plan(c.products())
	count := t.batch * t.groups * t.to[0] * t.pieces.down * t.pieces.across
	if c.products()*t.size < largeBytes {
		for piece := range count {
			t.run(piece, 0)
		}
	} else {
		parallel(count, t)
	}
	t.dst, t.source, t.weights, t.bias = nil, nil, nil, nil
	free.put(t)
}

func (t *correlation[T]) use(set *convKernels[T]) {
	t.set, t.size = set, int(unsafe.Sizeof(*new(T)))
	t.lanes, t.height = 1, 1
	if set != nil {
		t.lanes, t.height = set.vector/t.size, set.height
	}
}

// describe sets the phases and lengths.
func (t *correlation[T]) describe(c *Convolution, transposed bool) {
	t.batch, t.groups = c.Batch, c.Groups
	t.m, t.channels = c.outGroup(), c.inGroup()
	if transposed {
		t.m, t.channels = t.channels, t.m
	}
	for i := range c.Axes {
		a := &c.Axes[i]
		t.phases[i] = t.phases[i][:0]
		if !transposed {
			t.from[i], t.to[i] = a.Image, a.Map
			t.phases[i] = append(t.phases[i], mapAxis(a))
			continue
		}
		t.from[i], t.to[i] = a.Map, a.Image
		taps := 0
		for phase := range min(a.Stride, a.Image) {
			p := imageAxis(a, phase)
			p.before = taps
			taps += p.taps
			t.phases[i] = append(t.phases[i], p)
		}
	}
	t.plane = t.plane[:0]
	taps := 0
	for i := range t.phases[1] {
		for j := range t.phases[2] {
			p := tapsPhase{rows: &t.phases[1][i], columns: &t.phases[2][j], before: taps}
			taps += p.taps()
			t.plane = append(t.plane, p)
		}
	}
	if transposed {
		t.reorder(c, taps)
	}
}

func (p *tapsPhase) taps() int { return p.rows.taps * p.columns.taps }

// reorder copies the weights of each phase into a matrix of its own, with a row
// for each channel of the image.
func (t *correlation[T]) reorder(c *Convolution, planeTaps int) {
	t.reordered = grown(t.reordered, len(t.weights))
	h, w, kernel := c.Axes[1].Kernel, c.Axes[2].Kernel, c.kernelSize()
	for i := range t.phases[0] {
		depth := &t.phases[0][i]
		for j := range t.plane {
			p := &t.plane[j]
			k := t.channels * depth.taps * p.taps()
			if k == 0 {
				continue
			}
			shape := [...]int{t.groups, t.m, t.channels, depth.taps, p.rows.taps, p.columns.taps}
			from := [...]int{t.channels * t.m * kernel, kernel, t.m * kernel, depth.skip * h * w, p.rows.skip * w, p.columns.skip}
			to := [...]int{t.m * k, k, k / t.channels, p.taps(), p.columns.taps, 1}
			first := (depth.kernel*h+p.rows.kernel)*w + p.columns.kernel
			walk(t.reordered, t.weights, shape[:], t.weightsOf(depth, p, planeTaps), to[:], first, from[:])
		}
	}
	t.weights = t.reordered[:len(t.weights)]
}

// weightsOf returns where the weights of a phase begin. planeTaps is the number
// of taps of all phases of rows and columns.
func (t *correlation[T]) weightsOf(depth *tapsAxis, p *tapsPhase, planeTaps int) int {
	return t.groups * t.m * t.channels * (depth.before*planeTaps + depth.taps*p.before)
}

// plan cuts the work and lays out the copy of the source.
func (t *correlation[T]) plan(products int) {
	t.measure()
	s, pieces := &t.copied, &t.pieces
	rows, columns := t.phases[1][0].n, t.phases[2][0].n
	channels := 0 // the most that any place in depth meets
	for i := range t.phases[0] {
		channels = max(channels, t.channels*t.phases[0][i].taps)
	}
	taps := 1
	for i := range t.plane {
		taps = max(taps, t.plane[i].taps())
	}
	s.channels, pieces.rows, pieces.columns = max(1, channels), rows, columns
	block := max(1, blockTaps/taps)
	images := t.batch * t.groups * t.to[0]
	for {
		t.layOut()
		count := images * blocks(rows, pieces.rows) * blocks(columns, pieces.columns)
		tooMuch := !s.inPlace && s.plane*s.channels*t.size > copiedBytes
		switch {
		case s.channels > block && (tooMuch || s.inPlace):
			s.channels = block
		case pieces.rows > 1 && (tooMuch || pieces.results*t.size > resultBytes || count < manyPieces && products/count > pieceProducts):
			pieces.rows = blocks(pieces.rows, 2)
		case pieces.columns > 64 && (tooMuch || pieces.results*t.size > resultBytes || count < manyPieces && products/count > pieceProducts):
			pieces.columns = roundUp(blocks(pieces.columns, 2), 32)
		case tooMuch && s.channels > 1:
			s.channels = blocks(s.channels, 2)
		default:
			s.channels = blocks(channels, blocks(max(1, channels), s.channels))
			t.layOut()
			pieces.down, pieces.across = blocks(rows, pieces.rows), blocks(columns, pieces.columns)
			t.setOffsets()
			return
		}
	}
}

// measure sets the reach of the taps, and whether the source can be read in
// place: where no tap leaves it and neighbors are next to each other.
func (t *correlation[T]) measure() {
	s := &t.copied
	s.inPlace = len(t.phases[0]) == 1 && t.phases[0][0].taps == 1
	for i := range t.phases {
		first := true
		s.step[i], s.low[i], s.high[i] = t.phases[i][0].step, 0, 0
		for j := range t.phases[i] {
			a := &t.phases[i][j]
			if a.taps == 0 {
				continue
			}
			if first {
				s.low[i], s.high[i], first = a.lowest(), a.highest(), false
			}
			s.low[i], s.high[i] = min(s.low[i], a.lowest()), max(s.high[i], a.highest())
			s.inPlace = s.inPlace && a.lowest() >= 0 && (a.n-1)*a.step+a.highest() < t.from[i]
		}
		s.inPlace = s.inPlace && (s.step[i] == 1 || i == 0)
	}
}

// layOut sets the sizes of the copy and of the results for a piece.
func (t *correlation[T]) layOut() {
	s, pieces := &t.copied, &t.pieces
	s.phases = [3]int{1, min(s.step[1], s.extent(1, pieces.rows)), min(s.step[2], s.extent(2, pieces.columns))}
	s.rows, s.pitch = blocks(s.extent(1, pieces.rows), s.step[1]), blocks(s.extent(2, pieces.columns), s.step[2])
	s.plane = s.phases[1] * s.phases[2] * s.rows * s.pitch
	if s.inPlace {
		s.rows, s.pitch, s.plane = t.from[1], t.from[2], t.from[0]*t.from[1]*t.from[2]
	}
	pieces.results = 0
	for i := range t.plane {
		p := &t.plane[i]
		rows, columns := min(pieces.rows, p.rows.n), min(pieces.columns, p.columns.n)
		flat := (rows-1)*s.pitch + columns
		p.isFlat = t.set != nil && pieces.columns >= p.columns.n && t.steps(flat) < rows*t.steps(columns)
		p.isDirect = p.columns.stride == 1 && (!p.isFlat || s.pitch == t.to[2] && p.rows.stride == 1)
		p.results = pieces.results
		switch {
		case p.isDirect:
		case p.isFlat:
			pieces.results += t.m * flat
		default:
			pieces.results += t.m * rows * columns
		}
	}
}

// steps is the time of a tap for a number of columns next to each other, in
// FMAs. Low tiles of one vector have too few sums to hide the latency.
func (t *correlation[T]) steps(columns int) int {
	vectors, height := blocks(columns, t.lanes), min(t.m, t.height)
	return vectors/2*max(2*height, 8) + vectors%2*max(height, 8)
}

// extent is how many places of the source n results meet along an axis, with
// all between.
func (s *copiedSource) extent(axis, n int) int {
	return (n-1)*s.step[axis] + s.high[axis] - s.low[axis] + 1
}

// setOffsets sets where the taps of a block's channels find their rows.
func (t *correlation[T]) setOffsets() {
	s, size := &t.copied, 0
	for i := range t.plane {
		size += s.channels * t.plane[i].taps()
	}
	t.offsets = grown(t.offsets, size)
	rest := t.offsets
	for i := range t.plane {
		p := &t.plane[i]
		p.offsets, rest = rest[:s.channels*p.taps()], rest[s.channels*p.taps():]
		at := 0
		for c := range s.channels {
			for j := range p.rows.taps {
				row := s.place(1, p.rows.first+j*p.rows.delta)
				for k := range p.columns.taps {
					column := s.place(2, p.columns.first+k*p.columns.delta)
					p.offsets[at] = (c*s.plane + row + column) * t.size
					at++
				}
			}
		}
	}
}

// place is the offset of a shift along rows (1) or columns (2).
func (s *copiedSource) place(axis, shift int) int {
	shift -= s.low[axis]
	phase, at := shift%s.step[axis], shift/s.step[axis]
	if axis == 1 {
		return phase*s.phases[2]*s.rows*s.pitch + at*s.pitch
	}
	return phase*s.rows*s.pitch + at
}

// run computes a piece; it is a task's method.
func (t *correlation[T]) run(piece, worker int) {
	s, pieces := &t.copied, &t.pieces
	across, piece := piece%pieces.across, piece/pieces.across
	down, piece := piece%pieces.down, piece/pieces.down
	depth, piece := piece%t.to[0], piece/t.to[0]
	group, n := piece%t.groups, piece/t.groups
	size := pieces.results
	if !s.inPlace {
		size += s.plane * s.channels
	}
	memory := hold[T](memoryOf(worker, &t.memory), size)
	phase := &t.phases[0][depth%len(t.phases[0])]
	p := correlationPiece[T]{
		correlation: t, phase: phase, group: group, image: n,
		depth: depth, place: depth / len(t.phases[0]) * phase.step,
		row: down * pieces.rows, column: across * pieces.columns,
		results: memory[:pieces.results], copy: memory[pieces.results:],
	}
	channels := t.channels * phase.taps
	for first := 0; first < max(1, channels); first += max(1, s.channels) {
		p.first, p.channels = first, min(s.channels, channels-first)
		if !s.inPlace {
			p.copySource()
		}
		for i := range t.plane {
			p.compute(&t.plane[i])
		}
	}
	p.writeAll()
}

// correlationPiece is a piece that a worker computes.
type correlationPiece[T Float] struct {
	*correlation[T]
	phase           *tapsAxis // of depth
	group, image    int
	depth, place    int // of the result, and the source's place that its first tap counts from
	row, column     int // the first results of each phase
	first, channels int // the block of channels
	results, copy   []T
}

// copySource copies what the piece's taps meet of the block's channels.
func (p *correlationPiece[T]) copySource() {
	s := &p.copied
	size := p.from[1] * p.from[2]
	row, column := p.row*s.step[1]+s.low[1], p.column*s.step[2]+s.low[2]
	isCovered := row >= 0 && row+s.phases[1]*s.rows <= p.from[1] && column >= 0 && column+s.phases[2]*s.pitch <= p.from[2]
	for i := range p.channels {
		c := p.first + i
		slice := p.place + p.phase.first + c%p.phase.taps*p.phase.delta
		to := p.copy[i*s.plane : (i+1)*s.plane]
		isOutside := slice < 0 || slice >= p.from[0]
		if isOutside || !isCovered {
			clear(to)
		}
		if isOutside {
			continue
		}
		channel := (p.image*p.groups+p.group)*p.channelsOf() + c/p.phase.taps
		from := p.source[(channel*p.from[0]+slice)*size:][:size]
		for phase := range s.phases[1] {
			if lo, hi := placesInside(row+phase, s.step[1], s.rows, p.from[1]); lo < hi {
				at := row + phase + lo*s.step[1]
				p.copyRows(to[(phase*s.phases[2]*s.rows+lo)*s.pitch:], from[at*p.from[2]:], hi-lo, column)
			}
		}
	}
}

// placesInside returns which of the n places first, first + step, … are inside
// of an axis of the given length: lo to hi.
func placesInside(first, step, n, length int) (lo, hi int) {
	if first < 0 {
		lo = min(n, blocks(-first, step))
	}
	if first < length {
		hi = min(n, blocks(length-first, step))
	}
	return lo, max(lo, hi)
}

// copyRows copies rows, the first of which begin at dst and src. Column 0 of
// dst's first phase is the given column of src; what is outside of src is not
// written.
func (p *correlationPiece[T]) copyRows(dst, src []T, rows, column int) {
	s := &p.copied
	step, next := s.step[2], s.step[1]*p.from[2]
	lo, hi := placesInside(column, step, s.pitch, p.from[2])
	if step == 1 {
		for r := range rows {
			copy(dst[r*s.pitch+lo:r*s.pitch+hi], src[r*next+column+lo:])
		}
		return
	}
	paired, end := 0, 0 // columns of both phases that are taken apart together
	if step == 2 && s.phases[2] == 2 {
		from, to := placesInside(column+1, step, s.pitch, p.from[2])
		if paired, end = max(lo, from), min(hi, to); paired < end {
			split(dst[paired:], dst[s.rows*s.pitch+paired:], src[column+2*paired:], end-paired, rows, s.pitch, next)
		} else {
			paired, end = 0, 0
		}
	}
	for phase := range s.phases[2] {
		lo, hi := placesInside(column+phase, step, s.pitch, p.from[2])
		for r := range rows {
			to, from := dst[(phase*s.rows+r)*s.pitch:][:s.pitch], src[r*next:]
			for i := lo; i < min(hi, paired); i++ {
				to[i] = from[column+phase+i*step]
			}
			for i := max(lo, end); i < hi; i++ {
				to[i] = from[column+phase+i*step]
			}
		}
	}
}

// split takes rows of n pairs apart.
func split[T Float](even, odd, src []T, n, rows, strideDst, strideSrc int) {
	if l := windowLoopsOf[T](n); n >= l.vector {
		l.split(even, odd, src, n, rows, strideDst, strideSrc)
	} else {
		splitPairs(even, odd, src, n, rows, strideDst, strideSrc)
	}
}

// join puts rows of n pairs together.
func join[T Float](dst, even, odd []T, n, rows, strideDst, strideSrc int) {
	if l := windowLoopsOf[T](n); n >= l.vector {
		l.join(dst, even, odd, n, rows, strideDst, strideSrc)
	} else {
		joinPairs(dst, even, odd, n, rows, strideDst, strideSrc)
	}
}

// channelsOf is the number of channels of the source in a group; the field of
// that name is the block's.
func (p *correlationPiece[T]) channelsOf() int { return p.correlation.channels }

// resultPart is the part of a phase in a piece.
type resultPart[T Float] struct {
	rows, columns int
	to            []T // where the results begin
	rowPitch, m   int // from row to row, and from channel to channel
}

// of returns the part of a phase that is in the piece.
func (p *correlationPiece[T]) of(phase *tapsPhase) resultPart[T] {
	b := resultPart[T]{rows: min(p.pieces.rows, phase.rows.n-p.row), columns: min(p.pieces.columns, phase.columns.n-p.column)}
	switch {
	case b.rows <= 0 || b.columns <= 0:
		return resultPart[T]{}
	case phase.isDirect:
		b.to, b.rowPitch, b.m = p.dst[p.target(phase):], phase.rows.stride*p.correlation.to[2], p.correlation.to[0]*p.correlation.to[1]*p.correlation.to[2]
	case phase.isFlat:
		b.to, b.rowPitch = p.results[phase.results:], p.copied.pitch
		b.m = (b.rows-1)*b.rowPitch + b.columns
	default:
		b.to, b.rowPitch, b.m = p.results[phase.results:], b.columns, b.rows*b.columns
	}
	return b
}

// target is where the first of the piece's results stands in dst.
func (p *correlationPiece[T]) target(phase *tapsPhase) int {
	to := &p.correlation.to
	row, column := phase.rows.start+p.row*phase.rows.stride, phase.columns.start+p.column*phase.columns.stride
	channel := (p.image*p.groups + p.group) * p.m
	return ((channel*to[0]+p.depth)*to[1]+row)*to[2] + column
}

// compute adds the block's channels to the results of a phase.
func (p *correlationPiece[T]) compute(phase *tapsPhase) {
	b := p.of(phase)
	if b.rows == 0 {
		return
	}
	taps := phase.taps()
	k := p.channelsOf() * p.phase.taps * taps // of a row of weights
	var bias []T
	if p.bias != nil {
		bias = p.bias[p.group*p.m:][:p.m]
	}
	if k == 0 {
		p.fill(&b, bias)
		return
	}
	source := p.copy
	if s := &p.copied; s.inPlace {
		channel := (p.image*p.groups+p.group)*p.channelsOf() + p.first
		source = p.source[(channel*p.from[0]+p.place+p.phase.first)*p.from[1]*p.from[2]:]
		source = source[(p.row*s.step[1]+s.low[1])*s.pitch+p.column*s.step[2]+s.low[2]:]
	}
	weights := p.weights[p.weightsOf(p.phase, phase, p.planeTaps())+p.group*p.m*k+p.first*taps:]
	t := tapsTiles[T]{
		set: p.set, size: p.size, to: b.to, weights: weights, source: source, offsets: phase.offsets[:p.channels*taps],
		strideTo: b.m, strideWeights: k, accumulate: p.first > 0,
	}
	for i := 0; i < p.m; {
		height := evenHeight(p.m-i, p.correlation.height)
		t.to, t.weights, t.height = b.to[i*b.m:], weights[i*k:], height
		if bias != nil && p.first == 0 {
			t.bias = bias[i:]
		}
		if phase.isFlat {
			t.along((b.rows-1)*p.copied.pitch + b.columns)
		} else {
			t.rows(b.rows, b.columns, b.rowPitch, p.copied.pitch)
		}
		i += height
	}
}

// planeTaps is the number of taps of all phases of rows and columns.
func (t *correlation[T]) planeTaps() int {
	last := &t.plane[len(t.plane)-1]
	return last.before + last.taps()
}

// fill sets the results without any tap.
func (p *correlationPiece[T]) fill(b *resultPart[T], bias []T) {
	for i := range p.m {
		v := T(0)
		if bias != nil {
			v = bias[i]
		}
		for r := range b.rows {
			Fill(b.to[i*b.m+r*b.rowPitch:][:b.columns], v)
		}
	}
}

// write copies the results of a phase to dst, unless they were computed there.
func (p *correlationPiece[T]) write(phase *tapsPhase) {
	b := p.of(phase)
	if b.rows == 0 || phase.isDirect {
		return
	}
	to := &p.correlation.to
	channel, first := to[0]*to[1]*to[2], p.target(phase)
	for i := range p.m {
		for r := range b.rows {
			from := b.to[i*b.m+r*b.rowPitch:][:b.columns]
			at := first + i*channel + r*phase.rows.stride*to[2]
			if phase.columns.stride == 1 {
				copy(p.dst[at:], from)
			} else {
				spread(p.dst[at:], from, phase.columns.stride)
			}
		}
	}
}

// spread copies src to every step-th element of dst.
func spread[T Float](dst, src []T, step int) {
	at := 0
	for _, v := range src {
		dst[at] = v
		at += step
	}
}

// writePair copies the results of two phases to dst, one to its even columns
// and the other to its odd ones.
func (p *correlationPiece[T]) writePair(even, odd *tapsPhase) {
	b, c := p.of(even), p.of(odd)
	to := &p.correlation.to
	channel, next, first := to[0]*to[1]*to[2], even.rows.stride*to[2], p.target(even)
	for i := range p.m {
		x, y, dst := b.to[i*b.m:], c.to[i*c.m:], p.dst[first+i*channel:]
		if b.rowPitch == c.rowPitch {
			join(dst, x, y, c.columns, b.rows, next, b.rowPitch)
		} else {
			for r := range b.rows {
				join(dst[r*next:], x[r*b.rowPitch:], y[r*c.rowPitch:], c.columns, 1, 0, 0)
			}
		}
		if b.columns > c.columns {
			for r := range b.rows {
				dst[r*next+2*c.columns] = x[r*b.rowPitch+c.columns]
			}
		}
	}
}

// writeAll copies the results of all phases that were not computed in dst.
func (p *correlationPiece[T]) writeAll() {
	isPaired := len(p.phases[2]) == 2
	for i := 0; i < len(p.plane); i++ {
		if isPaired && p.of(&p.plane[i+1]).rows > 0 {
			p.writePair(&p.plane[i], &p.plane[i+1])
			i++
		} else {
			p.write(&p.plane[i])
		}
	}
}

// tapsTiles are the tiles of some channels of the result.
type tapsTiles[T Float] struct {
	set                       *convKernels[T]
	size, height              int
	to, weights, source, bias []T
	offsets                   []int
	strideTo, strideWeights   int
	accumulate                bool
}

// along computes n columns next to each other.
func (t *tapsTiles[T]) along(n int) {
	strip := 2 * t.set.vector / t.size
	whole, rest := n/strip, n%strip
	if whole > 0 {
		t.tiles(0, 0, strip, whole, strip, strip)
	}
	if rest > 0 {
		t.tiles(whole*strip, whole*strip, rest, 1, 0, 0)
	}
}

// rows computes rows of columns that are apart by the given numbers.
func (t *tapsTiles[T]) rows(rows, columns, pitchTo, pitchSource int) {
	strip := columns
	if t.set != nil {
		strip = 2 * t.set.vector / t.size
	}
	for j := 0; j < columns; j += strip {
		t.tiles(j, j, min(strip, columns-j), rows, pitchTo, pitchSource)
	}
}

// tiles computes count tiles of the given width, the first at index to of the
// results and at index source.
func (t *tapsTiles[T]) tiles(to, source, width, count, nextTo, nextSource int) {
	if t.set != nil {
		t.fastTiles(to, source, width, count, nextTo, nextSource)
		return
	}
	for range count {
		for i := range t.height {
			row := t.to[to+i*t.strideTo:][:width]
			t.sumRow(row, t.weights[i*t.strideWeights:], source, i)
		}
		to, source = to+nextTo, source+nextSource
	}
}

// sumRow adds up one row of a tile.
func (t *tapsTiles[T]) sumRow(row, weights []T, source, i int) {
	switch {
	case t.accumulate:
	case t.bias != nil:
		Fill(row, t.bias[i])
	default:
		clear(row)
	}
	for j, offset := range t.offsets {
		axpy(row, weights[j], t.source[source+offset/t.size:][:len(row)])
	}
}
