package kernel

// operands are the operands of a block's tiles: where they begin, and their
// strides in numbers.
type operands[T Float] struct {
	a, b       []T
	rowA       int // from row to row of op(a)
	stepA      int // from column to column
	panelA     int // from tile to tile
	stepB      int // from row to row of op(b)
	nextB      int // from strip to strip
	k          int
	accumulate bool
}

// blocks computes a piece of a product that packs no b, block after block of k.
func (p *tiledProduct[T]) blocks(i0, i1, j0, j1 int, memory *scratch) {
	for q := 0; q < p.k; q += p.deep {
		o := operands[T]{k: min(p.deep, p.k-q), accumulate: q > 0, b: p.b[q*p.n+j0:], stepB: p.n, nextB: p.strip}
		p.rowBlocks(&o, q, i0, i1, j0, j1, memory)
	}
}

// rowBlocks goes down the rows with a block of k, which begins at q, and packs
// a as plan says.
func (p *tiledProduct[T]) rowBlocks(o *operands[T], q, i0, i1, j0, j1 int, memory *scratch) {
	var panels []T
	if p.packsA || p.copyA {
		panels = panelsOfA[T](memory)
	}
	height := equalBlock(i1-i0, p.tall, p.height)
	for i := i0; i < i1; i += height {
		end := min(i+height, i1)
		switch {
		case p.packsA:
			o.a, o.rowA, o.stepA, o.panelA = panels, 1, p.height, p.height*o.k+panelRoom
			p.packRows(o, q, i, end)
		case p.copyA:
			o.a, o.rowA, o.stepA, o.panelA = panels, o.k, 1, p.height*o.k
			p.gatherRows(&panels[0], &p.a[i*p.rowA+q], p.rowA*p.size, o.k, end-i)
		default:
			o.a, o.rowA, o.stepA, o.panelA = p.a[i*p.rowA+q*p.stepA:], p.rowA, p.stepA, p.height*p.rowA
		}
		p.block(o, i, end, j0, j1)
	}
}

// block computes what one block of k adds to some rows of a piece.
func (p *tiledProduct[T]) block(o *operands[T], i0, i1, j0, j1 int) {
	b := 0
	if i1-i0 <= maxWide && !p.packs() {
		done := p.wideTiles(o, i0, i1-i0, j0, j1)
		j0, b = j0+done, done
	}
	switch {
	case !p.packsB || o.k <= 64:
		p.alongRows(o, b, i0, i1, j0, j1)
	case p.keepsStrips():
		p.downStrips(o, i0, i1, j0, j1)
	default:
		p.alongParts(o, i0, i1, j0, j1)
	}
}

// alongParts goes along the rows with some strips of b after the others, as
// many as stay in the second-level cache beside the block of a. The rows of a
// tile stay in the first, and the tiles prefetch b.
func (p *tiledProduct[T]) alongParts(o *operands[T], i0, i1, j0, j1 int) {
	strips := max(1, sizes.secondBytes/2/(depth*p.strip*p.size))
	b := 0
	for j := j0; j < j1; j += strips * p.strip {
		p.alongRows(o, b, i0, i1, j, min(j+strips*p.strip, j1))
		b += strips * o.nextB
	}
}

// wideTiles computes few rows with the widest tiles, as far as whole ones go,
// and returns how many columns that is.
func (p *tiledProduct[T]) wideTiles(o *operands[T], i, height, j0, j1 int) int {
	wide := p.wide[height]
	if wide.tile == nil {
		return 0
	}
	width := wide.vectors * p.lanes
	count := (j1 - j0) / width
	if count > 0 {
		wide.tile(&p.dst[i*p.n+j0], &o.a[0], &o.b[0], p.n*p.size, o.rowA*p.size, o.stepA*p.size, o.stepB*p.size, o.k,
			width*p.size, 0, width*p.size, count, o.accumulate)
	}
	return count * width
}

// alongRows goes from left to right with the rows of a tile, which stay in the
// first-level cache, and visits c in the order of memory. The strips of b begin
// at index b.
func (p *tiledProduct[T]) alongRows(o *operands[T], b, i0, i1, j0, j1 int) {
	whole, rest := (j1-j0)/p.strip, (j1-j0)%p.strip
	for i := i0; i < i1; {
		height := p.tileHeight(i1 - i)
		row := p.row(o, i-i0)
		if whole > 0 {
			p.tiles(o, row, b, height, whole, i, j0, p.strip, p.strip, 0, o.nextB)
		}
		if rest > 0 {
			p.tiles(o, row, b+whole*o.nextB, height, 1, i, j1-rest, rest, 0, 0, 0)
		}
		i += height
	}
}

// downStrips goes from top to bottom with a strip of b, which stays in the
// first-level cache while a comes from the second.
func (p *tiledProduct[T]) downStrips(o *operands[T], i0, i1, j0, j1 int) {
	b := 0
	for j := j0; j < j1; j += p.strip {
		width := min(p.strip, j1-j)
		for i := i0; i < i1; {
			height, count := p.tileHeight(i1-i), 1
			if height == p.height {
				count = max(1, (i1-i-p.height/2)/p.height) // leaves what tileHeight wants to halve
			}
			p.tiles(o, p.row(o, i-i0), b, height, count, i, j, width, p.height*p.n, o.panelA, 0)
			i += height * count
		}
		b += o.nextB
	}
}

// row returns the index of a row of the block in a.
func (p *tiledProduct[T]) row(o *operands[T], i int) int {
	return i/p.height*o.panelA + i%p.height*o.rowA
}

// tileHeight returns the height of the next tile if left rows are left. Two
// tiles of medium height are faster than a full one and a low one, which has
// too few sums to hide the latency. A packed a has panels of full height.
func (p *tiledProduct[T]) tileHeight(left int) int {
	if p.height < left && left <= p.height+p.height/2 && !p.packsA {
		return (left + 1) / 2
	}
	return min(p.height, left)
}

// tiles computes count tiles of one height and width. The first is at row i and
// column j of c, with operands at the indices a and b; nextC, nextA and nextB
// are the steps from tile to tile.
func (p *tiledProduct[T]) tiles(o *operands[T], a, b, height, count, i, j, width, nextC, nextA, nextB int) {
	c, from, to := &p.dst[i*p.n+j], &o.a[a], &o.b[b]
	strideC, rowA, stepA, stepB := p.n*p.size, o.rowA*p.size, o.stepA*p.size, o.stepB*p.size
	nextC, nextA, nextB = nextC*p.size, nextA*p.size, nextB*p.size
	switch {
	case width == p.strip:
		p.tile[height](c, from, to, strideC, rowA, stepA, stepB, o.k, nextC, nextA, nextB, count, o.accumulate)
	case width > p.lanes:
		p.edge[2][height](c, from, to, strideC, rowA, stepA, stepB, o.k, nextC, nextA, nextB, count, o.accumulate, width-p.lanes)
	default:
		p.edge[1][height](c, from, to, strideC, rowA, stepA, stepB, o.k, nextC, nextA, nextB, count, o.accumulate, width)
	}
}

// dotProducts computes the columns j0 ≤ j < j1 as dot products of rows of a and
// of b.
func (p *tiledProduct[T]) dotProducts(j0, j1 int) {
	for q := 0; q < p.k; q += longDot {
		k := min(longDot, p.k-q)
		few := max(4, 8192/p.size/k*4) // rows of b that stay in the first cache
		for j := j0; j < j1; j += few {
			for i := 0; i < p.m; i += 3 {
				p.dotRows(i, min(3, p.m-i), j, min(j+few, j1), q, k)
			}
		}
	}
}

// dotRows computes elements of up to three rows, four columns at a time and
// then one.
func (p *tiledProduct[T]) dotRows(i, height, j0, j1, q, k int) {
	strideC, stride := p.n*p.size, p.k*p.size
	accumulate := q > 0
	if fours := (j1 - j0) / 4; fours > 0 {
		p.dots[height](&p.dst[i*p.n+j0], &p.a[i*p.k+q], &p.b[j0*p.k+q], strideC, stride, stride, k, fours, accumulate)
		j0 += fours * 4
	}
	if j0 < j1 {
		p.dot[height](&p.dst[i*p.n+j0], &p.a[i*p.k+q], &p.b[j0*p.k+q], strideC, stride, stride, k, j1-j0, accumulate)
	}
}

// packRows packs the rows i0 ≤ i < i1 of op(a), which are columns of a.
func (p *tiledProduct[T]) packRows(o *operands[T], q, i0, i1 int) {
	count := blocks(i1-i0, p.height)
	p.packLeft(&o.a[0], &p.a[q*p.stepA+i0], p.stepA*p.size, o.k, count, o.panelA*p.size, i1-i0-(count-1)*p.height)
}

// packRight packs k rows, from row q on, of the columns j0 ≤ j < j1 of op(b)
// into strips, which are next numbers apart. Behind the last column of an
// incomplete strip it leaves the memory as it is: the kernels never store these
// lanes.
func (p *tiledProduct[T]) packRight(to []T, next, q, k, j0, j1 int) {
	if whole := (j1 - j0) / p.strip; whole > 0 && !p.transB {
		p.packColumns(&to[0], &p.b[q*p.n+j0], p.n*p.size, k, whole, next*p.size)
		to, j0 = to[min(whole*next, len(to)):], j0+whole*p.strip
	}
	for j := j0; j < j1; j += p.strip {
		if width := min(p.strip, j1-j); p.transB {
			p.packStripTransposed(to, p.b[j*p.k+q:], k, width)
		} else {
			for r := range k {
				copy(to[r*p.strip:(r+1)*p.strip], p.b[(q+r)*p.n+j:(q+r)*p.n+j1])
			}
		}
		to = to[min(next, len(to)):]
	}
}

// packStripTransposed packs k numbers from each of width rows of b, which are
// p.k numbers apart.
func (p *tiledProduct[T]) packStripTransposed(to, from []T, k, width int) {
	j := 0
	for ; j+p.lanes <= width; j += p.lanes {
		p.packTransposed(&to[j], &from[j*p.k], p.k*p.size, k)
	}
	for ; j < width; j++ {
		for r, v := range from[j*p.k : j*p.k+k] {
			to[r*p.strip+j] = v
		}
	}
}
