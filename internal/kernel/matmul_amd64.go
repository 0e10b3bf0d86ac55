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
	p.memory, p.shared = kept.memory, kept.shared
	*kept = p
	if kept.packs() {
		kept.memory.make()
	}
	switch {
	case !kept.isLarge():
		kept.computeAll(&kept.memory)
	case kept.sharesPanels():
		kept.computePanels()
	default:
		kept.cut()
		parallel(kept.pieces(), kept)
	}
	kept.take(nil, nil, nil)
	free.put(kept)
}

// The sizes of blocks, in numbers or bytes, as far as the caches do not decide:
// see [blockSizes]. depth is the same everywhere, since it decides the order of
// sums. The rows of a tile in a then take 6 to 24 KiB of the first-level cache
// and stay in it, while strips of b, of 16 or 32 KiB, pass by; for few rows or
// columns it is the other way round if a strip leaves room.
const (
	depth        = 256      // of a block of k
	keptBytes    = 16 << 10 // of a strip of b that stays in the first-level cache
	pieceRows    = 2 * 96   // of a piece that packs no b; a multiple of all tiles' heights
	manyRows     = 192      // from which the workers share panels of b; fewer rows use a strip better while the packer has it in its caches
	manyColumns  = 256      // from which rows of a are read often enough to copy them, and to keep them in the first-level cache
	leastRows    = 30       // of a piece that has a share of b's panels
	copiedStride = 2048     // bytes: rows of a that are a multiple of it apart push each other out of the caches
	pieceBytes   = 2048     // of a row of c in a piece, or of b in a panel that its packer alone uses
	minProducts  = 1 << 19  // in a piece that is worth cutting
	longDot      = 4096     // block of k in dot products, a multiple of all vectors
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

	asDots bool
	packsA bool // into panels, column by column, for a transposed a
	copyA  bool // its rows, next to each other
	packsB bool
	hasB   bool // the panels of b are those of the product before
	memory scratch

	deep, tall            int // the size of a block of a
	rows, columns, across int // the size of pieces, and how many are next to each other
	sharedPanels[T]
}

// plan decides how to compute the product, from the sizes alone.
//
// The kernels read operands with any strides, so small matrices need no
// packing. It pays for a transposed b; for a b whose rows are far apart, or
// that is too large to come from the second-level cache for each row of tiles;
// for the gradient of weights over many rows, whose a takes lines of the first
// one too; and if there are many such rows. Then it pays for a too, unless that
// is read in few strips, or its rows are near each other and not in the same
// lines of the caches. Dot products need none, but must add up their lanes at
// the end: for few rows and long sums that is cheaper than packing b.
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
	p.deep, p.tall = equalBlock(p.k, depth, 1), sizes.blockBytes/depth/p.size/maxHeight*maxHeight
	p.packsB = !p.asDots && (p.transB || p.k > 16 && p.m >= 24 && (p.gainsByPacking() || transA && p.k > depth && p.n*p.size >= 1<<11))
	often := p.sharesPanels() && p.n >= manyColumns
	p.packsA = transA && p.k > 16 && (often || p.isFarApart(p.m))
	p.copyA = !transA && p.k > depth && often && (p.k*p.size%copiedStride == 0 || p.k*p.size >= 4*copiedStride)
}

// keepsStrips reports whether a strip of b stays in the first-level cache for
// all rows of a block, and they pass by. That is better for few rows, right
// after the strips are packed, and for few strips. Otherwise it was up to 2 %
// slower than to keep the rows of a tile, even where a strip is only half of
// that cache; AVX-512's are all of it.
func (p *tiledProduct[T]) keepsStrips() bool {
	return 2*p.vector*depth <= keptBytes && (p.m < manyRows || p.n < manyColumns)
}

// gainsByPacking reports whether packing a b that is not transposed pays.
func (p *tiledProduct[T]) gainsByPacking() bool {
	stride := p.n * p.size
	return p.isFarApart(p.n) || stride >= 1<<12 || p.deep*stride > sizes.secondBytes || p.m >= manyRows && p.k > 64
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

// sharesPanels reports whether b is packed panel by panel for all workers, if
// there are any.
func (p *tiledProduct[T]) sharesPanels() bool { return p.packsB && p.m >= manyRows }

func (p *tiledProduct[T]) packs() bool { return p.packsA || p.packsB }

func (p *tiledProduct[T]) isLarge() bool { return p.m*p.n*p.k*p.size >= largeBytes }

// cut chooses the size of the pieces: several, unless they get too small. Each
// piece packs its own operands. Pieces as high as the matrix pack no part of b
// twice, pieces as wide as the matrix no part of a. So pieces get narrower if b
// is packed, and lower if a alone is.
func (p *tiledProduct[T]) cut() {
	p.largestPieces()
	if p.asDots {
		p.columns = min(p.n, 64)
		return
	}
	for p.pieces() < manyPieces && p.rows*p.columns*p.k > minProducts {
		switch {
		case p.columns > p.strip && (!p.packsA || p.packsB || p.rows <= pieceRows/2):
			p.columns = roundUp(p.columns/2, p.strip)
		case p.rows > p.height && !p.packsB:
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
		p.rows = p.m
	}
}

// pieces returns their number, and sets how many lie side by side.
func (p *tiledProduct[T]) pieces() int {
	p.across = blocks(p.n, p.columns)
	return p.across * blocks(p.m, p.rows)
}

// run packs or computes a piece; it is a task's method.
func (p *tiledProduct[T]) run(piece, worker int) {
	memory := memoryOf(worker, &p.memory)
	if p.packs() {
		memory.make()
	}
	switch {
	case p.packing:
		p.packShare(piece)
	case p.sharesPanels():
		p.multiplyShare(piece, memory)
	default:
		p.computePiece(piece, memory)
	}
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
	p.hasB = sameB && p.n*p.size <= pieceBytes && p.k <= depth
	p.computeAll(memoryOf(worker, &l.tiled.memory))
}

// compute computes the elements with i0 ≤ i < i1 and j0 ≤ j < j1.
func (p *tiledProduct[T]) compute(i0, i1, j0, j1 int, memory *scratch) {
	switch {
	case p.asDots:
		p.dotProducts(j0, j1)
	case p.packsB: // in pieces as high as the matrix
		p.computeColumns(j0, j1, memory)
	default:
		p.blocks(i0, i1, j0, j1, memory)
	}
}

// equalBlock returns the size, at most most, of blocks that cut n into equal
// parts. It is a multiple of unit, as most is.
func equalBlock(n, most, unit int) int { return roundUp(blocks(n, blocks(n, most)), unit) }

// heldMatrix is the right operand of many products, which is packed once.
type heldMatrix[T Float] struct {
	b      []T
	n, k   int
	transB bool
	packed bool
	tiled  tiledProduct[T]
	memory scratch
}

// leastHeld is the number of rows from which products with a packed operand are
// faster than those that read it where it is.
const leastHeld = 5

// set takes b, stored k × n, or n × k with transB, for products with up to that
// many rows.
func (h *heldMatrix[T]) set(b []T, rows, n, k int, transB bool) {
	h.b, h.n, h.k, h.transB = b, n, k, transB
	h.packed = useAVX2 && rows >= leastHeld && n > 1 && k > 0
	if !h.packed {
		return
	}
	h.tiled = tiledProduct[T]{kernels: kernelsOf[T]()}
	p := &h.tiled
	p.plan(rows, n, k, false, transB)
	p.asDots, p.packsA, p.copyA, p.packsB = false, false, false, true
	p.take(nil, nil, b)
	floats := hold[T](&h.memory, blocks(k, p.deep)*h.panelSize())
	for q := 0; q < k; q += p.deep {
		one := h.panel(floats, q)
		p.pack(&one, 0, blocks(n, p.strip))
	}
}

// release forgets b.
func (h *heldMatrix[T]) release() {
	h.b = nil
	h.tiled.take(nil, nil, nil)
}

// panelSize is how many numbers a block of k takes.
func (h *heldMatrix[T]) panelSize() int {
	return roundUp(h.tiled.deep, h.tiled.lanes) * roundUp(h.n, h.tiled.strip)
}

func (h *heldMatrix[T]) panel(floats []T, q int) panel[T] {
	p := &h.tiled
	return p.panelAt(floats[q/p.deep*h.panelSize():], q, 0, h.n)
}

// multiply is dst = a·b, for some rows of a. Several goroutines may call it.
func (h *heldMatrix[T]) multiply(dst, a []T, rows int) {
	if !h.packed {
		MatMul(dst, a, h.b, rows, h.n, h.k, false, h.transB)
		return
	}
	p := h.tiled
	p.m = rows
	p.take(dst, a, h.b)
	floats := numbers[T](h.memory.floats)
	for q := 0; q < p.k; q += p.deep {
		one := h.panel(floats, q)
		p.multiply(&one, 0, rows, 0, blocks(h.n, p.strip), nil)
	}
}
