package kernel

import "math"

// Attention goes through the keys in blocks, so that of the weights only those
// of some queries for some keys exist at a time. Each row keeps the largest of
// its scores so far and the sum of the powers of e relative to that; a larger
// score rescales what was summed up before (Milakov and Gimelshein, Online
// normalizer calculation for softmax, 2018). The gradient computes the blocks
// again, from the largest score and the sum of each row (Dao et al.,
// FlashAttention, 2022).

const (
	queryBlock = 128     // queries at a time
	scoreBlock = 1 << 15 // scores at a time
	mostKeys   = 4096    // keys at a time, for few queries
	pieceSteps = 4 * queryBlock
)

// scoring are the loops of attention over a row of scores.
type scoring[T Float] struct {
	largest func(x []T) T
	powers  func(dst, x []T, most T) float64   // dst = e^x relative to a power of e near that of most, the largest; their sum
	between func(from, to T) float64           // the factor from powers relative to that of from to those of to
	dot     func(x, y []T) float64             // Σ x·y
	slope   func(dst, gy, y []T, mean float64) // y·(gy − mean)
}

func portableScoring[T Float]() scoring[T] {
	return scoring[T]{
		largest: func(x []T) T { return T(largest(x)) },
		powers: func(dst, x []T, most T) (sum float64) {
			for i, v := range x {
				e := math.Exp(float64(v) - float64(most))
				dst[i] = T(e)
				sum += e
			}
			return sum
		},
		between: func(from, to T) float64 { return math.Exp(float64(from) - float64(to)) },
		dot: func(x, y []T) (sum float64) {
			for i, v := range x {
				sum += float64(v) * float64(y[i])
			}
			return sum
		},
		slope: func(dst, gy, y []T, mean float64) {
			for i, v := range y {
				dst[i] = T(float64(v) * (float64(gy[i]) - mean))
			}
		},
	}
}

// Attending are the operands of an attention.
type Attending[T Float] struct {
	Attention
	Q, K, V    Headed[T]
	Mask, Bias Scored[T]
	Y          Headed[T] // the result
	Kept       []float64 // of each batch, head and query: the largest score and the sum of powers, for the gradient; nil: not kept
}

// keyBlock returns how many keys make a block.
func (a *Attention) keyBlock() int {
	return min(a.Seen, mostKeys, max(64, scoreBlock/max(1, min(queryBlock, a.Steps))))
}

// work returns the number of multiplications.
func (a *Attention) work() int {
	return a.Batch * a.Heads * a.Steps * a.Seen * (a.Width + a.VWidth)
}

// attentionPiece is the number of multiplications that make calling the workers
// pay.
const attentionPiece = 1 << 18

// inPiece returns how many of the equal parts of an attention make a piece.
func (a *Attention) inPiece(parts int) int {
	return max(1, attentionPiece/max(1, a.work()/max(1, parts)))
}

// Attend computes Y and Kept.
func Attend[T Float](a *Attending[T]) {
	chunks := blocks(a.Steps, pieceSteps)
	t := attendTask[T]{a: *a, chunks: chunks, parts: a.Batch * a.Heads * chunks}
	t.inPiece = a.inPiece(t.parts)
	share(blocks(t.parts, t.inPiece), t)
}

// attendTask is an Attend. A part is some queries of a head.
type attendTask[T Float] struct {
	a                      Attending[T]
	chunks, parts, inPiece int
}

func (t *attendTask[T]) run(piece, _ int) {
	m := borrowAttention(&t.a)
	m.reserve()
	for part := piece * t.inPiece; part < min((piece+1)*t.inPiece, t.parts); part++ {
		i, head := part%t.chunks*pieceSteps, part/t.chunks
		m.attend(head/t.a.Heads, head%t.a.Heads, i, min(i+pieceSteps, t.a.Steps))
	}
	m.giveBack()
}

// attentionMemory is what a piece of an attention needs besides its operands.
type attentionMemory[T Float] struct {
	a       *Attending[T]
	loops   *scoring[T]
	product loneProduct[T]
	numbers []T
	used    int

	q, k, v, gy []T // copies of rows, if they are far apart
	s, ds       []T // a block of scores, then weights; and of their gradient
	part        []T // a product that is added to another
	lowest      []T // −Inf
	gq, gk, gv  []T
	added       bool      // gk and gv hold what was added before
	largest     []T       // of each row of a block of queries
	sums        []float64 // likewise
}

func borrowAttention[T Float](a *Attending[T]) *attentionMemory[T] {
	m := freeListOf[attentionMemory[T]]().get()
	m.a, m.loops = a, &primitivesOf[T]().scoring
	return m
}

func (m *attentionMemory[T]) giveBack() {
	m.a = nil
	freeListOf[attentionMemory[T]]().put(m)
}

// take returns room for n numbers.
func (m *attentionMemory[T]) take(n int) []T {
	m.used += n
	if m.used > len(m.numbers) {
		return make([]T, n) // until reserve has seen how many are needed
	}
	return m.numbers[m.used-n : m.used]
}

// reserve makes room for blocks.
func (m *attentionMemory[T]) reserve() {
	if m.used > len(m.numbers) {
		m.numbers = make([]T, m.used)
	}
	m.used = 0
	a := m.a
	rows, keys := min(queryBlock, a.Steps), a.keyBlock()
	m.q, m.gy = m.take(rows*a.Width), m.take(rows*a.VWidth)
	m.k, m.v = m.take(keys*a.Width), m.take(keys*a.VWidth)
	m.s, m.part = m.take(rows*keys), m.take(rows*a.VWidth)
	m.largest, m.lowest = m.take(rows), m.take(keys)
	fill(m.lowest, T(math.Inf(-1)))
	if len(m.sums) < rows {
		m.sums = make([]float64, rows)
	}
}

// multiply computes a product.
func (m *attentionMemory[T]) multiply(dst, x, y []T, rows, columns, inner int, transX, transY bool) {
	dst = dst[:rows*columns]
	switch {
	case len(dst) == 0:
		return
	case inner == 0:
		clear(dst)
		return
	}
	m.product.plan(rows, columns, inner, transX, transY)
	m.product.compute(dst, x, y, 0, false)
}

// multiplyAdd adds a product to dst, unless it is the first.
func (m *attentionMemory[T]) multiplyAdd(first bool, dst, x, y []T, rows, columns, inner int, transX, transY bool) {
	if first {
		m.multiply(dst, x, y, rows, columns, inner, transX, transY)
		return
	}
	part := m.part[:rows*columns]
	m.multiply(part, x, y, rows, columns, inner, transX, transY)
	loopsOf[T](&Add).VV(dst[:len(part)], dst[:len(part)], part)
}

// attend computes the results of the queries i0 ≤ i < i1 of a head.
func (m *attentionMemory[T]) attend(b, h, i0, i1 int) {
	for i := i0; i < i1; i += queryBlock {
		m.attendBlock(b, h, i, min(queryBlock, i1-i))
	}
}

// attendBlock computes those of a block of queries, from i on.
func (m *attentionMemory[T]) attendBlock(b, h, i, rows int) {
	a := m.a
	kv, block, seen := h/(a.Heads/a.KVHeads), a.keyBlock(), a.keys(b, i+rows-1)
	q := m.scaled(b, h, i, rows)
	y := m.gy[:rows*a.VWidth]
	clear(y)
	for r := range rows {
		m.largest[r], m.sums[r] = T(math.Inf(-1)), 0
	}
	for j := 0; j < seen; j += block {
		n := min(block, seen-j)
		s := m.s[:rows*n]
		m.multiply(s, q, a.K.rows(m.k, b, kv, j, n, a.Width), rows, n, a.Width, false, true)
		for r := range rows {
			m.weigh(s[r*n:(r+1)*n], y[r*a.VWidth:(r+1)*a.VWidth], b, h, i, r, j)
		}
		m.multiplyAdd(j == 0, y, s, a.V.rows(m.v, b, kv, j, n, a.VWidth), rows, a.VWidth, n, false, false)
	}
	at := (b*a.Heads+h)*a.Steps + i
	for r := range rows {
		sum := m.sums[r]
		if a.Kept != nil {
			a.Kept[2*(at+r)], a.Kept[2*(at+r)+1] = float64(m.largest[r]), sum
		}
		if sum != 0 { // else y is 0
			row := y[r*a.VWidth : (r+1)*a.VWidth]
			loopsOf[T](&Mul).VS(row, row, T(1/sum))
		}
	}
	a.Y.setRows(y, b, h, i, a.VWidth)
}

// scaled returns rows of queries, times the scale.
func (m *attentionMemory[T]) scaled(b, h, i, rows int) []T {
	q := m.q[:rows*m.a.Width]
	loopsOf[T](&Mul).VS(q, m.a.Q.rows(q, b, h, i, rows, m.a.Width), T(m.a.Scale))
	return q
}

// weigh turns the scores of row r of a block, for the keys from j on, into
// powers of e, drops some, and rescales the row's sums so far if a score is
// larger than those before.
func (m *attentionMemory[T]) weigh(s, y []T, b, h, i, r, j int) {
	visible := m.score(s, b, h, i+r, j)
	most := m.largest[r]
	if len(visible) > 0 {
		if next := m.loops.largest(visible); next > most || next != next {
			if m.sums[r] != 0 {
				factor := m.loops.between(most, next)
				m.sums[r] *= factor
				loopsOf[T](&Mul).VS(y, y, T(factor))
			}
			most = next
			m.largest[r] = next
		}
	}
	if most == T(math.Inf(-1)) {
		clear(s)
		return
	}
	m.sums[r] += m.loops.powers(visible, visible, most)
	m.drop(visible, b, h, i+r, j)
}

// score adds the bias to a row of scores and makes those of masked keys −Inf.
// It returns the scores that lengths and order let the query see, and makes the
// others 0.
func (m *attentionMemory[T]) score(s []T, b, h, i, j int) []T {
	a := m.a
	n := max(0, min(a.keys(b, i)-j, len(s)))
	clear(s[n:])
	s = s[:n]
	if bias := &a.Bias; bias.Of != nil {
		at, step := bias.row(b, h, i)+j*bias.Strides[3], bias.Strides[3]
		if step == 1 {
			loopsOf[T](&Add).VV(s, s, bias.Of[at:at+n])
		} else {
			loopsOf[T](&Add).VS(s, s, bias.Of[at])
		}
	}
	if mask := &a.Mask; mask.Of != nil {
		at, step := mask.row(b, h, i)+j*mask.Strides[3], mask.Strides[3]
		switch {
		case step == 1:
			primitivesOf[T]().where(s, mask.Of[at:at+n], s, m.lowest[:n])
		case mask.Of[at] == 0:
			copy(s, m.lowest)
		}
	}
	return s
}

// drop is dropout of the weights of a row.
func (m *attentionMemory[T]) drop(s []T, b, h, i, j int) {
	if a := m.a; a.Rate > 0 {
		drop(s, &a.Attention, (b*a.Heads+h)*a.Steps+i, j)
	}
}
