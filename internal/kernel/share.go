package kernel

import "sync"

// The workers share a loop over a long array in pieces. An element is computed
// as in one loop, whatever its piece, so sharing changes no bit.
const sharedPiece = 1 << 14

// The lengths from which sharing pays, with some slack for workers that have
// gone to sleep: of loops that the memory limits, of cheap updates, and of
// loops that the processor limits.
const (
	sharedMemory = 1 << 17
	sharedUpdate = 1 << 16
	sharedWork   = 1 << 15
)

// share computes the pieces of a task with the workers. They need it on the
// heap, in memory that is used again.
func share[P any, T interface {
	*P
	task
}](pieces int, work P) {
	list := freeListOf[P]()
	t := list.get()
	*t = work
	parallel(pieces, T(t))
	var none P
	*t = none
	list.put(t)
}

// shareArray does so for a task that runs over arrays of n elements.
func shareArray[P any, T interface {
	*P
	task
}](n int, work P) {
	share[P, T](blocks(n, sharedPiece), work)
}

// span is the part of n elements that is a piece.
func span(piece, n int) (lo, hi int) {
	lo = piece * sharedPiece
	return lo, min(lo+sharedPiece, n)
}

// part is x[lo:hi], and nil for an argument that is missing.
func part[T any](x []T, lo, hi int) []T {
	if x == nil {
		return nil
	}
	return x[lo:hi]
}

// freeList keeps the memory of finished calls for the next ones. It serves all
// goroutines.
type freeList[T any] struct {
	mutex sync.Mutex
	free  []*T
}

// freeLists has a *freeList[T] for each type T that was asked for, by
// (*T)(nil).
var freeLists sync.Map

// freeListOf returns the one free list of a type.
func freeListOf[T any]() *freeList[T] {
	key := (*T)(nil)
	list, ok := freeLists.Load(key)
	if !ok {
		list, _ = freeLists.LoadOrStore(key, new(freeList[T]))
	}
	return list.(*freeList[T])
}

// get returns memory that nobody else uses; its content is left over from its
// last use.
func (l *freeList[T]) get() *T {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if last := len(l.free) - 1; last >= 0 {
		x := l.free[last]
		l.free = l.free[:last]
		return x
	}
	return new(T)
}

func (l *freeList[T]) put(x *T) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.free = append(l.free, x)
}

// filling is a Fill in pieces.
type filling[T Float] struct {
	dst []T
	v   T
}

func (t *filling[T]) run(piece, _ int) {
	lo, hi := span(piece, len(t.dst))
	primitivesOf[T]().fill(t.dst[lo:hi], t.v)
}

// selecting is a Where in pieces.
type selecting[T Float] struct{ dst, c, x, y []T }

func (t *selecting[T]) run(piece, _ int) {
	lo, hi := span(piece, len(t.dst))
	primitivesOf[T]().where(t.dst[lo:hi], t.c[lo:hi], t.x[lo:hi], t.y[lo:hi])
}

// converting is a Convert32 or Convert64 in pieces.
type converting[T, S Float] struct {
	loop func(dst []T, src []S)
	dst  []T
	src  []S
}

func (t *converting[T, S]) run(piece, _ int) {
	lo, hi := span(piece, len(t.dst))
	t.loop(t.dst[lo:hi], t.src[lo:hi])
}

// walking is a copy over a shape, cut into pieces along one axis.
type walking[T Float] struct {
	dst, src                []T
	shape, dStride, sStride [maxRank]int
	rank, axis, rows        int // rows of the axis are a piece
	dOff, sOff              int
}

// shareWalk is walk, together with the workers where that pays: where there are
// many elements, and an axis to divide before the rows get short.
func shareWalk[T Float](dst, src []T, shape []int, dOff int, dStride []int, sOff int, sStride []int) {
	size, axis := 1, -1
	for i, n := range shape {
		size *= n
		if axis < 0 && n >= shareRows {
			axis = i
		}
	}
	if size < sharedMemory || axis < 0 || len(shape) > maxRank {
		walk(dst, src, shape, dOff, dStride, sOff, sStride)
		return
	}
	t := walking[T]{dst: dst, src: src, rank: len(shape), axis: axis, dOff: dOff, sOff: sOff}
	copy(t.shape[:], shape)
	copy(t.dStride[:], dStride)
	copy(t.sStride[:], sStride)
	t.rows = blocks(shape[axis], blocks(size, sharedPiece))
	if t.rows > tile {
		t.rows = blocks(t.rows, tile) * tile
	}
	share(blocks(shape[axis], t.rows), t)
}

// shareRows is the least size of an axis that is divided.
const shareRows = 8

func (t *walking[T]) run(piece, _ int) {
	lo := piece * t.rows
	shape := t.shape
	shape[t.axis] = min(t.rows, shape[t.axis]-lo)
	walk(t.dst, t.src, shape[:t.rank], t.dOff+lo*t.dStride[t.axis], t.dStride[:t.rank], t.sOff+lo*t.sStride[t.axis], t.sStride[:t.rank])
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
func (t *gathering[T]) inPiece() int { return blocks(sharedPiece, t.inner) }

func (t gathering[T]) share() { share(blocks(t.outer*len(t.index), t.inPiece()), t) }
