package kernel

import "unsafe"

// fastMatMul computes MatMul with the processor's vectors, or returns false if
// it cannot. m, n and k are positive.
//
// The result is cut into strips of columns, two vectors wide, and these into
// tiles of six or twelve rows whose sums stay in registers. Each element is a
// chain of FMAs over a block of k, in order, and the blocks are added in order;
// their size depends on k alone. So an element has the same bits in whatever
// tile or piece it lies, whichever processor computes it, and in both sets of
// kernels. For few rows and a transposed b, packing would take as long as the
// product: there elements are dot products, with as many sums as the set's
// vectors have lanes.
func fastMatMul[T Float](dst, a, b []T, m, n, k int, transA, transB bool) bool {
	if !useAVX2 {
		return false
	}
	tiledMatMul(kernelsOf[T](), dst, a, b, m, n, k, transA, transB)
	return true
}

// tiledMatMul computes the product with one set's functions.
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

// The sizes of blocks, in numbers or bytes. They were found by measuring on a
// processor with a first-level cache of 48 KiB and a second-level cache of 1
// MiB. A strip of b fills two thirds of the first (one third with AVX2); the
// rows of a tile in a, equally deep, and some lines of c fill the rest.
// blockRows rows of a stay in the second.
const (
	depth       = 256     // of a block of k
	blockRows   = 96      // of a, between two strips; a multiple of all tiles' heights, as the next two are
	pieceRows   = 2 * 96  // of a piece
	packedRows  = 8 * 96  // of a piece that packs b: its work is divided among them
	pieceBytes  = 2048    // of a row of c in a piece
	minProducts = 1 << 19 // in a piece that is worth cutting
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

// plan decides how to compute the product, from the sizes alone.
//
// The kernels read operands with any strides, so most matrices need no packing.
// Packing pays for a transposed b, and for rows that are far apart and read
// often. Dot products need none, but must add up their lanes at the end: for
// few rows and long sums that is cheaper than packing b.
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

// isFarApart reports whether rows of this many numbers are better packed: if
// they all map to the same few lines of the caches, or lie on pages farther
// apart than the processor prefetches. AVX-512's high tiles read less of b for
// each product and tolerate twice the distance.
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

// cut chooses the size of the pieces: several, unless they get too small. Each
// piece packs its own operands. Pieces as high as the matrix pack no part of b
// twice, pieces as wide as the matrix no part of a. So pieces get narrower if b
// is packed, lower if a is, and if both are, their longer side gets shorter.
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

// largestPieces chooses the size of the pieces for a caller that computes
// alone.
func (p *tiledProduct[T]) largestPieces() {
	p.rows, p.columns = min(p.m, pieceRows), min(p.n, pieceBytes/p.size)
	switch {
	case p.asDots:
		p.rows, p.columns = p.m, p.n
	case p.packsB:
		p.rows = min(p.m, packedRows)
	}
}

// pieces returns their number, and sets how many lie side by side.
func (p *tiledProduct[T]) pieces() int {
	p.across = blocks(p.n, p.columns)
	return p.across * blocks(p.m, p.rows)
}

// run computes a piece; it is a task's method.
func (p *tiledProduct[T]) run(piece, worker int) { p.computePiece(piece, memoryOf(worker, &p.memory)) }

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

// loneProduct is a product that its caller computes alone, again and again for
// operands of the same sizes.
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

// isWorthSharing reports whether the product is large enough to be shared by
// the workers, instead of being computed by one of them beside other products.
func (l *loneProduct[T]) isWorthSharing() bool {
	return useAVX2 && l.m*l.n*l.k*l.tiled.size >= 8*largeBytes
}

// compute computes the product. sameB says that the worker's last product had
// the same b, which is still packed if it is one block.
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

// equalBlock returns the size, at most most, of blocks that cut n into equal
// parts. It is a multiple of unit, as most is.
func equalBlock(n, most, unit int) int { return roundUp(blocks(n, blocks(n, most)), unit) }
