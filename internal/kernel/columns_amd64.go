package kernel

// columnTask is a function along the middle axis that the workers share, in blocks of neighbouring columns.
type columnTask[T Float] struct {
	reduce          func(dst, x *T, rows, stride, columns int) // to one row if isSum
	slope           func(dst, gy, y *T, rows, stride, columns int)
	isSum           bool
	dst, x, y       []T
	outer, n, inner int
	group           int // blocks of a piece
}

// blocks is the number of blocks of one of the outer matrices.
func (t *columnTask[T]) blocks() int { return (t.inner + columns - 1) / columns }

func (t *columnTask[T]) run(piece, _ int) {
	for i := piece * t.group; i < min((piece+1)*t.group, t.outer*t.blocks()); i++ {
		t.block(i/t.blocks(), i%t.blocks()*columns)
	}
}

// block computes the columns from the first one on of the matrix o.
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

var (
	columnTasks32 freeList[columnTask[float32]]
	columnTasks64 freeList[columnTask[float64]]
)

func columnTasksOf[T Float]() *freeList[columnTask[T]] {
	return ofPrecision[*freeList[columnTask[T]]](&columnTasks32, &columnTasks64)
}

// alongColumns computes a task, shared from so many elements on.
func alongColumns[T Float](task columnTask[T]) {
	if task.outer*task.inner == 0 {
		return
	}
	list := columnTasksOf[T]()
	t := list.get()
	*t = task
	blocks := t.outer * t.blocks()
	t.group = max(1, sweepPiece/(t.n*min(columns, t.inner)))
	if t.outer*t.n*t.inner < sharedWork {
		t.group = blocks
		t.run(0, 0)
	} else {
		parallel((blocks+t.group-1)/t.group, t)
	}
	*t = columnTask[T]{}
	list.put(t)
}
