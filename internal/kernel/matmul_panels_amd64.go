package kernel

import "runtime"

// panel is a packed block of b: its rows from q on, depth of them, and its
// columns from j on.
type panel[T Float] struct {
	b                    []T
	q, j, depth, columns int
}

// sharedPanels is what is added to a product of many rows that packs b: panel
// after panel is packed and then multiplied with all rows of a.
type sharedPanels[T Float] struct {
	panel   panel[T]
	shared  scratch // its memory
	packing bool    // the workers pack the panel: next they use it
	strips  int     // of a piece that is packed
}

// computePanels computes the product together with the workers. For each panel
// it calls them twice, since all of them read all of the panel.
func (p *tiledProduct[T]) computePanels() {
	p.shared.atLeast(sizes.panelBytes / 8)
	p.cutPanels()
	for j := 0; j < p.n; j += p.columns {
		for q := 0; q < p.k; q += p.deep {
			p.panel = p.panelAt(numbers[T](p.shared.floats), q, j, min(p.columns, p.n-j))
			p.packing = true
			parallel(blocks(p.panel.columns, p.strips*p.strip), p)
			p.packing = false
			parallel(blocks(p.m, p.rows)*p.across, p)
		}
	}
	p.panel = panel[T]{}
}

// cutPanels chooses the size of the panels and of the pieces, whose number is a
// multiple of manyPieces, so that no worker waits long for the last one. A
// single processor takes whole blocks of a, which use a panel better.
func (p *tiledProduct[T]) cutPanels() {
	p.columns = equalBlock(p.n, sizes.panelBytes/depth/p.size, p.strip)
	down := min(roundUp(blocks(p.m, p.tall), manyPieces), p.m/leastRows)
	p.across = min(blocks(manyPieces, down), blocks(p.columns, p.strip))
	if runtime.GOMAXPROCS(0) == 1 {
		down, p.across = blocks(p.m, p.tall), 1
	}
	p.rows = roundUp(blocks(p.m, down), p.height)
	p.strips = blocks(sharedPiece, p.strip*p.deep)
}

// packShare packs some strips of the shared panel.
func (p *tiledProduct[T]) packShare(piece int) { p.pack(&p.panel, piece*p.strips, p.strips) }

// multiplyShare multiplies some strips of the shared panel with some rows.
func (p *tiledProduct[T]) multiplyShare(piece int, memory *scratch) {
	i, strips := piece/p.across*p.rows, blocks(blocks(p.panel.columns, p.strip), p.across)
	p.multiply(&p.panel, i, min(i+p.rows, p.m), piece%p.across*strips, strips, memory)
}

// computeColumns computes the columns j0 ≤ j < j1 of a product that packs b,
// without help.
func (p *tiledProduct[T]) computeColumns(j0, j1 int, memory *scratch) {
	most := pieceBytes / p.size
	for j := j0; j < j1; j += most {
		for q := 0; q < p.k; q += p.deep {
			one := p.panelAt(panelOfB[T](memory), q, j, min(most, j1-j))
			if !p.hasB {
				p.pack(&one, 0, most/p.strip)
			}
			p.multiply(&one, 0, p.m, 0, most/p.strip, memory)
		}
	}
}

func (p *tiledProduct[T]) panelAt(memory []T, q, j, columns int) panel[T] {
	return panel[T]{memory, q, j, min(p.deep, p.k-q), columns}
}

// stripAt returns the memory of a strip of the panel, and the distance to the
// next: packTransposed spoils some rows behind a strip, which another worker
// must not have packed.
func (p *tiledProduct[T]) stripAt(from *panel[T], first int) (memory []T, next int) {
	next = roundUp(from.depth, p.lanes) * p.strip
	return from.b[first*next:], next
}

// pack packs some strips of a panel, as far as it has them.
func (p *tiledProduct[T]) pack(to *panel[T], first, strips int) {
	memory, next := p.stripAt(to, first)
	j := to.j + first*p.strip
	p.packRight(memory, next, to.q, to.depth, j, min(j+strips*p.strip, to.j+to.columns))
}

// multiply computes what some strips of a panel, as far as it has them, add to
// the rows i0 ≤ i < i1.
func (p *tiledProduct[T]) multiply(from *panel[T], i0, i1, first, strips int, memory *scratch) {
	j, end := from.j+first*p.strip, from.j+from.columns
	if j >= end {
		return
	}
	o := operands[T]{k: from.depth, accumulate: from.q > 0, stepB: p.strip}
	o.b, o.nextB = p.stripAt(from, first)
	p.rowBlocks(&o, from.q, i0, i1, j, min(j+strips*p.strip, end), memory)
}

// The memory of a worker, in float64, the larger type: a block of a, then a
// panel of b that it does not share. panelRoom is the numbers between panels of
// a, for what packLeft spoils; it asks for four.
const panelRoom = 8

func floatsForA() int { return sizes.blockBytes/8 + sizes.blockBytes/(depth*4)/6*panelRoom }

// scratchFloats is how much memory a worker has to pack into.
func scratchFloats() int { return floatsForA() + depth*pieceBytes/8 }

func panelsOfA[T Float](memory *scratch) []T { return numbers[T](memory.floats[:floatsForA()]) }
func panelOfB[T Float](memory *scratch) []T  { return numbers[T](memory.floats[floatsForA():]) }
