package kernel

// AttendingGradient is a gradient of an attention: for GY, that of its result,
// and from what Attend left in Y and Kept. Gradients without numbers are not
// wanted. GBias is like the bias.
type AttendingGradient[T Float] struct {
	Attending[T]
	GY         Headed[T]
	GQ, GK, GV Headed[T]
	GBias      []T
}

// AttendGradient computes GQ, GK, GV and GBias.
func AttendGradient[T Float](a *AttendingGradient[T]) {
	clear(a.GBias)
	t := attendGradientTask[T]{a: *a}
	t.batches, t.heads = a.apart()
	t.inPiece = a.inPiece(t.batches * t.heads)
	share(blocks(t.batches*t.heads, t.inPiece), t)
}

// apart returns into how many parts batch and kv heads are cut. A kv head of a
// sample is a piece, since all its queries add to the gradients of its keys.
// Those that share a bias whose gradient is wanted are one piece.
func (a *AttendingGradient[T]) apart() (batches, heads int) {
	batches, heads = a.Batch, a.KVHeads
	if a.GBias != nil && a.Bias.Strides[0] == 0 {
		batches = min(1, batches)
	}
	if a.GBias != nil && a.Bias.Strides[1] == 0 {
		heads = min(1, heads)
	}
	return batches, heads
}

// attendGradientTask is an AttendGradient, in the parts that apart returns.
type attendGradientTask[T Float] struct {
	a                       AttendingGradient[T]
	batches, heads, inPiece int
}

func (t *attendGradientTask[T]) run(piece, _ int) {
	m := borrowAttention(&t.a.Attending)
	m.reserveGradient()
	for part := piece * t.inPiece; part < min((piece+1)*t.inPiece, t.batches*t.heads); part++ {
		for b := part / t.heads; b < t.a.Batch; b += t.batches {
			for h := part % t.heads; h < t.a.KVHeads; h += t.heads {
				m.gradient(&t.a, b, h)
			}
		}
	}
	m.giveBack()
}

// reserveGradient also makes room for what the gradient needs. Keys and values
// and their gradients are held whole.
func (m *attentionMemory[T]) reserveGradient() {
	m.reserve()
	a := m.a
	rows, keys := min(queryBlock, a.Steps), a.keyBlock()
	m.ds = m.take(rows * keys)
	m.part = m.take(max(rows, keys) * max(a.Width, a.VWidth))
	m.gq = m.take(rows * a.Width)
	m.k, m.v = m.take(a.Seen*a.Width), m.take(a.Seen*a.VWidth)
	m.gk, m.gv = m.take(a.Seen*a.Width), m.take(a.Seen*a.VWidth)
}

// gradient computes the gradients of a kv head of a sample.
func (m *attentionMemory[T]) gradient(a *AttendingGradient[T], b, kv int) {
	k, v := a.K.rows(m.k, b, kv, 0, a.Seen, a.Width), a.V.rows(m.v, b, kv, 0, a.Seen, a.VWidth)
	group := a.Heads / a.KVHeads
	m.added = a.Steps == 0 || a.keys(b, min(queryBlock, a.Steps)-1) < a.Seen
	if m.added { // the first block of queries does not write to all of them
		clear(m.gk)
		clear(m.gv)
	}
	for h := kv * group; h < (kv+1)*group; h++ {
		for i := 0; i < a.Steps; i += queryBlock {
			m.gradientBlock(a, k, v, b, h, i, min(queryBlock, a.Steps-i))
			m.added = true
		}
	}
	if a.GK.Of != nil {
		a.GK.setRows(m.gk, b, kv, 0, a.Width)
	}
	if a.GV.Of != nil {
		a.GV.setRows(m.gv, b, kv, 0, a.VWidth)
	}
}

// gradientBlock computes what a block of queries, from i on, adds.
func (m *attentionMemory[T]) gradientBlock(a *AttendingGradient[T], k, v []T, b, h, i, rows int) {
	block, seen := a.keyBlock(), a.keys(b, i+rows-1)
	q, gy := m.scaled(b, h, i, rows), a.GY.rows(m.gy, b, h, i, rows, a.VWidth)
	gq := m.gq[:rows*a.Width]
	if seen == 0 {
		clear(gq)
	}
	for j := 0; j < seen; j += block {
		n := min(block, seen-j)
		keys, values := k[j*a.Width:(j+n)*a.Width], v[j*a.VWidth:(j+n)*a.VWidth]
		m.weightsAgain(b, h, i, rows, j, n, q, keys)
		m.addValues(a, gy, b, h, i, rows, j, n)
		m.multiply(m.ds, gy, values, rows, n, a.VWidth, false, true)
		m.slopes(a, b, h, i, rows, j, n)
		m.multiplyAdd(j == 0, gq, m.ds, keys, rows, a.Width, n, false, false)
		m.multiplyAdd(!m.added, m.gk[j*a.Width:(j+n)*a.Width], m.ds, q, n, a.Width, rows, true, false)
	}
	if a.GQ.Of != nil {
		loopsOf[T](&Mul).VS(gq, gq, T(a.Scale))
		a.GQ.setRows(gq, b, h, i, a.Width)
	}
}

// weightsAgain computes the weights of a block, without dropout, in s.
func (m *attentionMemory[T]) weightsAgain(b, h, i, rows, j, n int, q, keys []T) {
	a, times := m.a, loopsOf[T](&Mul).VS
	m.multiply(m.s, q, keys, rows, n, a.Width, false, true)
	for r := range rows {
		s := m.s[r*n : (r+1)*n]
		most, sum := a.kept(b, h, i+r)
		visible := m.score(s, b, h, i+r, j)
		if sum == 0 { // the query sees no key
			clear(visible)
			continue
		}
		m.loops.powers(visible, visible, T(most))
		times(visible, visible, T(1/sum))
	}
}

// kept returns the largest score and the sum of powers of a query.
func (a *Attending[T]) kept(b, h, i int) (most, sum float64) {
	at := 2 * ((b*a.Heads+h)*a.Steps + i)
	return a.Kept[at], a.Kept[at+1]
}

// addValues adds the gradients of a block's values.
func (m *attentionMemory[T]) addValues(a *AttendingGradient[T], gy []T, b, h, i, rows, j, n int) {
	p := m.s
	if a.Rate > 0 {
		p = m.ds
		copy(p, m.s[:rows*n])
		m.dropRows(p, b, h, i, rows, j, n)
	}
	m.multiplyAdd(!m.added, m.gv[j*a.VWidth:(j+n)*a.VWidth], p, gy, n, a.VWidth, rows, true, false)
}

func (m *attentionMemory[T]) dropRows(s []T, b, h, i, rows, j, n int) {
	for r := range rows {
		m.drop(s[r*n:(r+1)*n], b, h, i+r, j)
	}
}

// slopes turns the gradients of a block's weights into those of its scores, in
// ds, and adds them to that of the bias.
func (m *attentionMemory[T]) slopes(a *AttendingGradient[T], b, h, i, rows, j, n int) {
	m.dropRows(m.ds, b, h, i, rows, j, n)
	for r := range rows {
		ds := m.ds[r*n : (r+1)*n]
		at, from := a.Y.At(b, h, i+r), a.GY.At(b, h, i+r)
		mean := m.loops.dot(a.GY.Of[from:from+a.VWidth], a.Y.Of[at:at+a.VWidth])
		visible := max(0, min(a.keys(b, i+r)-j, n))
		m.loops.slope(ds[:visible], ds[:visible], m.s[r*n:r*n+visible], mean)
		clear(ds[visible:])
		if a.GBias != nil {
			a.addBias(ds, b, h, i+r, j)
		}
	}
}

// addBias adds the gradients of a row of scores to that of the bias.
func (a *AttendingGradient[T]) addBias(ds []T, b, h, i, j int) {
	step := a.Bias.Strides[3]
	at := a.Bias.row(b, h, i) + j*step
	if step == 1 {
		to := a.GBias[at : at+len(ds)]
		loopsOf[T](&Add).VV(to, to, ds)
		return
	}
	var sum [1]T
	primitivesOf[T]().sum(sum[:], ds, 1, len(ds), 1)
	a.GBias[at] += sum[0]
}
