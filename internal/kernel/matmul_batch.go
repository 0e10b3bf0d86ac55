package kernel

// MatMuls computes a batch of products, each as [MatMul] does: dst =
// op(a)·op(b) for every index of the batch. The matrices of dst are contiguous.
// The strides of a and b, in matrices, say how far apart theirs are along each
// axis of the batch: 0 for an axis along which they repeat.
func MatMuls[T Float](dst, a, b []T, batch, aStrides, bStrides []int, m, n, k int, transA, transB bool) {
	count := 1
	for _, size := range batch {
		count *= size
	}
	dst = dst[:count*m*n]
	if len(dst) == 0 {
		return
	}
	if k == 0 {
		clear(dst)
		return
	}
	free := freeListOf[batchProduct[T]]()
	t := free.get() // the workers need it on the heap
	t.dst, t.a, t.b = dst, a, b
	t.batch, t.aStrides, t.bStrides = batch, aStrides, bStrides
	t.sizeA, t.sizeB, t.sizeDst, t.count = m*k, k*n, m*n, count
	transA = transA && m > 1 // a column is stored as a row is
	m = t.joinRows(m, transA)
	t.each.plan(m, n, k, transA, transB)
	if t.each.isWorthSharing() {
		for i := range t.count {
			at, bt := t.offsets(i)
			MatMul(t.result(i), a[at:], b[bt:], m, n, k, transA, transB)
		}
	} else {
		t.inPiece = blocks(batchProducts, m*n*k)
		parallel(blocks(t.count, t.inPiece), t)
	}
	t.dst, t.a, t.b, t.batch, t.aStrides, t.bStrides = nil, nil, nil, nil, nil, nil
	free.put(t)
}

// batchProducts is the number of multiplications in a piece of a batch, enough
// to make calling the workers pay.
const batchProducts = 1 << 19

// batchProduct is a batch of products that the workers share, some products to
// a piece.
type batchProduct[T Float] struct {
	dst, a, b                 []T
	batch, aStrides, bStrides []int
	sizeA, sizeB, sizeDst     int // of a matrix
	count, inPiece            int
	each                      loneProduct[T]
}

// joinRows merges the products along the last axes of the batch that share b
// and whose rows of a are contiguous: b is packed once, and few rows become
// many. It returns the number of rows of the merged product.
func (t *batchProduct[T]) joinRows(m int, transA bool) int {
	rows := m
	for len(t.batch) > 0 {
		last := len(t.batch) - 1
		size := t.batch[last]
		if size > 1 && (t.bStrides[last] != 0 || t.aStrides[last] != rows/m || transA) {
			break
		}
		rows *= size
		t.batch, t.aStrides, t.bStrides = t.batch[:last], t.aStrides[:last], t.bStrides[:last]
	}
	t.count /= rows / m
	t.sizeDst *= rows / m
	return rows
}

// offsets returns where the operands of a product begin.
func (t *batchProduct[T]) offsets(i int) (a, b int) {
	for axis := len(t.batch) - 1; axis >= 0; axis-- {
		at := i % t.batch[axis]
		i /= t.batch[axis]
		a += at * t.aStrides[axis]
		b += at * t.bStrides[axis]
	}
	return a * t.sizeA, b * t.sizeB
}

// result returns the memory of a product.
func (t *batchProduct[T]) result(i int) []T { return t.dst[i*t.sizeDst : (i+1)*t.sizeDst] }

// run computes a piece; it is a task's method.
func (t *batchProduct[T]) run(piece, worker int) {
	first := piece * t.inPiece
	last := -1
	for i := first; i < min(first+t.inPiece, t.count); i++ {
		a, b := t.offsets(i)
		t.each.compute(t.result(i), t.a[a:], t.b[b:], worker, b == last)
		last = b
	}
}
