package kernel

// Loops over large arrays are cut into pieces that the workers share. The numbers of elements from which that pays, with some slack for workers
// that have gone to sleep: of what does nothing but move memory, of the cheap updates, and of those that divide.
const (
	sharePiece     = 1 << 14
	shareMoves     = 1 << 17
	shareUpdates   = 1 << 16
	shareDivisions = 1 << 15
)

// sharedLoop says what a spread does.
type sharedLoop int

const (
	accumulating sharedLoop = iota
	filling
	selecting
	updatingSGD
	updatingAdam
	updatingRMSProp
)

// spread is one of the primitives' loops in pieces: each element is computed as it would be in one loop.
type spread[T Float] struct {
	loop sharedLoop
	dst  []T    // gives the length
	x    [4][]T // nil where the loop has no such argument
	a    T
	settings
}

// settings are those of the optimizers' updates; RMSProp's alpha is beta1.
type settings struct {
	rate, momentum, beta1, beta2, eps, decay float64
	nesterov, first, decoupled               bool
	step                                     int
}

func (s *spread[T]) run(piece, _ int) {
	lo := piece * sharePiece
	hi := min(lo+sharePiece, len(s.dst))
	dst, x, y, z, v := s.dst[lo:hi], part(s.x[0], lo, hi), part(s.x[1], lo, hi), part(s.x[2], lo, hi), part(s.x[3], lo, hi)
	p := primitivesOf[T]()
	switch s.loop {
	case accumulating:
		p.accumulate(dst, x)
	case filling:
		p.fill(dst, s.a)
	case selecting:
		p.where(dst, x, y, z)
	case updatingSGD:
		p.sgd(dst, x, y, s.rate, s.momentum, s.decay, s.nesterov, s.first)
	case updatingAdam:
		p.adam(dst, x, y, z, s.rate, s.beta1, s.beta2, s.eps, s.decay, s.decoupled, s.step)
	case updatingRMSProp:
		p.rmsProp(dst, x, y, z, v, s.rate, s.beta1, s.eps, s.momentum, s.decay)
	}
}

// part is x[lo:hi], and nil for an argument that is missing.
func part[T any](x []T, lo, hi int) []T {
	if x == nil {
		return nil
	}
	return x[lo:hi]
}

var (
	spreads32 freeList[spread[float32]]
	spreads64 freeList[spread[float64]]
)

func spreadsOf[T Float]() *freeList[spread[T]] {
	return ofPrecision[*freeList[spread[T]]](&spreads32, &spreads64)
}

// share computes the loop together with the workers.
func (s spread[T]) share() {
	list := spreadsOf[T]()
	t := list.get()
	*t = s
	parallel(blocks(len(t.dst), sharePiece), t)
	*t = spread[T]{}
	list.put(t)
}

// conversion is that of an array from one precision to the other, in pieces. Both slices have its length.
type conversion struct {
	x32    []float32
	x64    []float64
	widens bool // from x32 to x64
}

func (c *conversion) run(piece, _ int) {
	lo := piece * sharePiece
	hi := min(lo+sharePiece, len(c.x32))
	if c.widens {
		conversions.widen(c.x64[lo:hi], c.x32[lo:hi])
	} else {
		conversions.narrow(c.x32[lo:hi], c.x64[lo:hi])
	}
}

var freeConversions freeList[conversion]

// share converts together with the workers.
func (c conversion) share() {
	t := freeConversions.get()
	*t = c
	parallel(blocks(len(t.x32), sharePiece), t)
	*t = conversion{}
	freeConversions.put(t)
}

// walking is a copy over a shape, cut into pieces along one axis.
type walking[T Float] struct {
	dst, src                []T
	shape, dStride, sStride [maxRank]int
	rank, axis, rows        int // so many rows of the axis are a piece
	dOff, sOff              int
}

// shareWalk is walk, together with the workers where that pays: there are many elements, and an axis to divide before the rows get short.
func shareWalk[T Float](dst, src []T, shape []int, dOff int, dStride []int, sOff int, sStride []int) {
	size, axis := 1, -1
	for i, n := range shape {
		size *= n
		if axis < 0 && n >= shareRows {
			axis = i
		}
	}
	if size < shareMoves || axis < 0 || len(shape) > maxRank {
		walk(dst, src, shape, dOff, dStride, sOff, sStride)
		return
	}
	list := walksOf[T]()
	t := list.get()
	*t = walking[T]{dst: dst, src: src, rank: len(shape), axis: axis, dOff: dOff, sOff: sOff}
	copy(t.shape[:], shape)
	copy(t.dStride[:], dStride)
	copy(t.sStride[:], sStride)
	t.rows = blocks(shape[axis], blocks(size, sharePiece))
	if t.rows > tile {
		t.rows = blocks(t.rows, tile) * tile
	}
	parallel(blocks(shape[axis], t.rows), t)
	t.dst, t.src = nil, nil
	list.put(t)
}

// shareRows is the least size of an axis that is divided.
const shareRows = 8

func (t *walking[T]) run(piece, _ int) {
	lo := piece * t.rows
	shape := t.shape
	shape[t.axis] = min(t.rows, shape[t.axis]-lo)
	walk(t.dst, t.src, shape[:t.rank], t.dOff+lo*t.dStride[t.axis], t.dStride[:t.rank], t.sOff+lo*t.sStride[t.axis], t.sStride[:t.rank])
}

var (
	walks32 freeList[walking[float32]]
	walks64 freeList[walking[float64]]
)

func walksOf[T Float]() *freeList[walking[T]] {
	return ofPrecision[*freeList[walking[T]]](&walks32, &walks64)
}

// gathering is a Gather of slices, some of which are a piece.
type gathering[T Float] struct {
	dst, x                []T
	index                 []int
	outer, nSource, inner int
}

func (t *gathering[T]) run(piece, _ int) {
	each, n := t.inPiece(), len(t.index)
	for i := piece * each; i < min((piece+1)*each, t.outer*n); i++ {
		from := (i/n*t.nSource + t.index[i%n]) * t.inner
		copy(t.dst[i*t.inner:(i+1)*t.inner], t.x[from:from+t.inner])
	}
}

// inPiece is the number of slices in a piece.
func (t *gathering[T]) inPiece() int { return blocks(sharePiece, t.inner) }

var (
	gatherings32 freeList[gathering[float32]]
	gatherings64 freeList[gathering[float64]]
)

func gatheringsOf[T Float]() *freeList[gathering[T]] {
	return ofPrecision[*freeList[gathering[T]]](&gatherings32, &gatherings64)
}

// share gathers together with the workers.
func (g gathering[T]) share() {
	list := gatheringsOf[T]()
	t := list.get()
	*t = g
	parallel(blocks(t.outer*len(t.index), t.inPiece()), t)
	*t = gathering[T]{}
	list.put(t)
}
