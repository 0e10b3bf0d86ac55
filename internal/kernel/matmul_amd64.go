package kernel

import "unsafe"

// fastMatMul computes what MatMul does with the processor's vectors; it reports false where it cannot. m, n and k are positive.
//
// The result is cut into strips of columns, two vectors wide, and these into tiles of six or twelve rows, whose sums stay in registers. Each
// element is a chain of FMAs over a block of k, in order, and the blocks are added in order; their size depends on k alone. So
// neither the tile nor the piece nor the processor that an element falls to changes its bits, nor does the set of kernels. For few rows and
// a transposed b, where packing would take as long as the product, elements are dot products instead, of as many sums as the set's vectors
// have lanes.
func fastMatMul[T Float](dst, a, b []T, m, n, k int, transA, transB bool) bool {
	if !useAVX2 {
		return false
	}
	tiledMatMul(kernelsOf[T](), dst, a, b, m, n, k, transA, transB)
	return true
}

// tiledMatMul computes the product by the functions of a set.
func tiledMatMul[T Float](set *kernels[T], dst, a, b []T, m, n, k int, transA, transB bool) {
	p := tiledProduct[T]{kernels: set}
	p.plan(m, n, k, transA, transB)
	p.take(dst, a, b)
	if !p.packs() && !p.isLarge() {
		p.compute(0, p.m, 0, p.n, nil)
		return
	}
	free := freeListOf[tiledProduct[T]]()
	kept := free.get() // the workers need it on the heap, and its memory is used again
	p.memory = kept.memory
	*kept = p
	if kept.packs() {
		kept.memory.make()
	}
	if kept.isLarge() {
		kept.cut()
		parallel(kept.pieces(), kept)
	} else {
		kept.computeAll(&kept.memory)
	}
	kept.take(nil, nil, nil)
	free.put(kept)
}

// The sizes of blocks, in numbers or bytes. They were found by measuring, on a processor with 48 KiB of first and 1 MiB of second cache:
// a strip of b takes two thirds of the first, or one of AVX2's one third, and the rows of a tile in a, of the same depth, and some lines of c
// the rest; blockRows rows of a stay in the second cache.
const (
	depth       = 256     // of a block of k
	blockRows   = 96      // of a, between two strips; a multiple of all tiles' heights, as the next two are
	pieceRows   = 2 * 96  // of a piece
	packedRows  = 8 * 96  // of a piece that packs b: its work is divided among them
	pieceBytes  = 2048    // of a row of c in a piece
	manyPieces  = 8       // so that no worker waits long for the last one
	minProducts = 1 << 19 // in a piece that is worth cutting
	largeBytes  = 1 << 21 // m·n·k·size from which the workers help: calling them takes a microsecond, and this 4 or more
	longDot     = 4096    // block of k in dot products, a multiple of all vectors
)

// tiledProduct is a matrix product in progress.
type tiledProduct[T Float] struct {
	*kernels[T]
	dst, a, b []T
	m, n, k   int
	transB    bool
	swapped   bool // a and b are: the product of one column is the transposed product, a row

	size        int // bytes of a number
	lanes       int // numbers in a vector
	strip       int // numbers in two of them
	rowA, stepA int // the distances in a of neighbours in a column and in a row of op(a)

	asDots         bool
	packsA, packsB bool
	hasB           bool // the panels of b are those of the product before
	memory         scratch

	rows, columns, across int // the size of pieces, and how many are next to each other
}

// plan chooses how to compute the product, by the sizes alone.
//
// The kernels read their operands with any strides, so most matrices need no packing. What needs it is a b stored transposed, and rows too far
// apart, unless few others read them. Dot products need none, but add up their lanes in the end: for few rows and long sums that takes less
// than packing b.
func (p *tiledProduct[T]) plan(m, n, k int, transA, transB bool) {
	if n == 1 { // the transposed product is a row, and is stored as the column is
		m, n, transA, transB, p.swapped = 1, m, false, !transA, true
	}
	transA, transB = transA && m > 1 && k > 1, transB && k > 1 // a column is stored as a row is
	p.m, p.n, p.k, p.transB = m, n, k, transB
	p.size = int(unsafe.Sizeof(*new(T)))
	p.lanes = p.vector / p.size
	p.strip = 2 * p.lanes
	p.rowA, p.stepA = p.k, 1
	if transA {
		p.rowA, p.stepA = 1, p.m
	}
	p.asDots = p.transB && !transA && p.m <= min(3*p.lanes, 8+p.k/p.lanes)
	p.packsA = transA && p.k > 16 && p.isFarApart(p.m)
	p.packsB = !p.asDots && (p.transB || p.k > 16 && p.m >= 24 && p.isFarApart(p.n))
}

// isFarApart reports whether rows of so many numbers are better packed: when all fall into the same few lines of the caches, and when they are on pages
// farther apart than the processor foresees. AVX-512's high tiles read less of b for each product, and bear twice the distance.
func (p *tiledProduct[T]) isFarApart(numbers int) bool {
	stride := numbers * p.size
	return stride%(128*p.vector) == 0 || stride >= 1<<15
}

// take sets the operands.
func (p *tiledProduct[T]) take(dst, a, b []T) {
	if p.swapped {
		a, b = b, a
	}
	p.dst, p.a, p.b = dst, a, b
}

func (p *tiledProduct[T]) packs() bool { return p.packsA || p.packsB }

func (p *tiledProduct[T]) isLarge() bool { return p.m*p.n*p.k*p.size >= largeBytes }

// cut chooses the size of the pieces: several, if they don't get too small. A piece packs what it needs itself. Each part of b is packed
// by one piece only as long as pieces are as high as the matrix, and each part of a as long as they are as wide. So they get narrower where b
// is packed, lower where a is, and where both are what is longer gets shorter.
func (p *tiledProduct[T]) cut() {
	p.largestPieces()
	if p.asDots {
		p.columns = min(p.n, 64)
		return
	}
	for p.pieces() < manyPieces && p.rows*p.columns*p.k > minProducts {
		switch {
		case p.columns > p.strip && (!p.packsA || p.packsB && p.columns >= p.rows || p.rows <= blockRows):
			p.columns = roundUp(p.columns/2, p.strip)
		case p.rows > p.height:
			p.rows = roundUp(p.rows/2, p.height)
		default:
			return
		}
	}
}

// largestPieces chooses the size of pieces when nobody helps.
func (p *tiledProduct[T]) largestPieces() {
	p.rows, p.columns = min(p.m, pieceRows), min(p.n, pieceBytes/p.size)
	switch {
	case p.asDots:
		p.rows, p.columns = p.m, p.n
	case p.packsB:
		p.rows = min(p.m, packedRows)
	}
}

// pieces returns their number, and fixes how many are next to each other.
func (p *tiledProduct[T]) pieces() int {
	p.across = blocks(p.n, p.columns)
	return p.across * blocks(p.m, p.rows)
}

// run computes a piece; it is a task's method.
func (p *tiledProduct[T]) run(piece, worker int) { p.computePiece(piece, memoryOf(worker, &p.memory)) }

// memoryOf returns what a worker owns to pack into; the caller has memory of its own.
func memoryOf(worker int, own *scratch) *scratch {
	if worker > 0 {
		return workers.memory(worker)
	}
	return own
}

func (p *tiledProduct[T]) computePiece(piece int, memory *scratch) {
	i, j := piece/p.across*p.rows, piece%p.across*p.columns
	p.compute(i, min(i+p.rows, p.m), j, min(j+p.columns, p.n), memory)
}

// computeAll computes the product alone.
func (p *tiledProduct[T]) computeAll(memory *scratch) {
	p.largestPieces()
	for piece := range p.pieces() {
		p.computePiece(piece, memory)
	}
}

// loneProduct is a product that its caller computes alone, again and again for operands of the same sizes.
type loneProduct[T Float] struct {
	m, n, k        int
	transA, transB bool
	tiled          tiledProduct[T]
}

func (l *loneProduct[T]) plan(m, n, k int, transA, transB bool) {
	l.m, l.n, l.k, l.transA, l.transB = m, n, k, transA, transB
	l.tiled = tiledProduct[T]{kernels: kernelsOf[T](), memory: l.tiled.memory}
	l.tiled.plan(m, n, k, transA, transB)
	if l.tiled.packs() {
		l.tiled.memory.make()
	}
}

// isWorthSharing reports whether the product is so large that it is better shared than computed beside others.
func (l *loneProduct[T]) isWorthSharing() bool {
	return useAVX2 && l.m*l.n*l.k*l.tiled.size >= 8*largeBytes
}

// compute computes the product. The worker has just computed another one, which may have had the same b: while it is one block, it is still packed.
func (l *loneProduct[T]) compute(dst, a, b []T, worker int, sameB bool) {
	if !useAVX2 {
		portableMatMul(dst, a[:l.m*l.k], b[:l.k*l.n], l.m, l.n, l.k, l.transA, l.transB)
		return
	}
	p := l.tiled
	p.take(dst, a, b)
	p.largestPieces()
	p.hasB = sameB && p.pieces() == 1 && p.k <= depth
	p.computeAll(memoryOf(worker, &l.tiled.memory))
}

// compute computes the elements with i0 ≤ i < i1 and j0 ≤ j < j1.
func (p *tiledProduct[T]) compute(i0, i1, j0, j1 int, memory *scratch) {
	if p.asDots {
		p.dotProducts(j0, j1)
	} else {
		p.blocks(i0, i1, j0, j1, memory)
	}
}

// roundUp returns the next multiple of unit.
func roundUp(n, unit int) int { return blocks(n, unit) * unit }

// equalBlock returns the size of blocks that cut n into equal parts, at most most, which is a multiple of unit as the result is.
func equalBlock(n, most, unit int) int { return roundUp(blocks(n, blocks(n, most)), unit) }
