package kernel

// columnTask is a function along the middle axis that the workers share in
// blocks of adjacent columns.
type columnTask[T Float] struct {
	reduce          func(dst, x *T, rows, stride, columns int) // to one row if isSum
	slope           func(dst, gy, y *T, rows, stride, columns int)
	isSum           bool
	dst, x, y       []T
	outer, n, inner int
	group           int // blocks of a piece
}

// blocks is the number of blocks of one of the outer matrices.
func (t *columnTask[T]) blocks() int { return blocks(t.inner, columns) }

func (t *columnTask[T]) run(piece, _ int) {
	for i := piece * t.group; i < min((piece+1)*t.group, t.outer*t.blocks()); i++ {
		t.block(i/t.blocks(), i%t.blocks()*columns)
	}
}

// block computes one block of columns of the matrix o, from the column first
// on.
func (t *columnTask[T]) block(o, first int) {
	at, width := o*t.n*t.inner+first, min(columns, t.inner-first)
	switch {
	case t.slope != nil:
		t.slope(&t.dst[at], &t.x[at], &t.y[at], t.n, t.inner, width)
	case t.isSum:
		t.reduce(&t.dst[o*t.inner+first], &t.x[at], t.n, t.inner, width)
	default:
		t.reduce(&t.dst[at], &t.x[at], t.n, t.inner, width)
	}
}

// alongColumns computes a task, which the workers share if it is long.
func alongColumns[T Float](t columnTask[T]) {
	if t.outer*t.inner == 0 {
		return
	}
	blocksInAll := t.outer * t.blocks()
	t.group = max(1, sharedPiece/(t.n*min(columns, t.inner)))
	if t.outer*t.n*t.inner < sharedWork {
		t.group = blocksInAll
		t.run(0, 0)
		return
	}
	share(blocks(blocksInAll, t.group), t)
}
