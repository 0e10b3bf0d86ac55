package kernel

import "runtime"

// A Cell is what a recurrent network computes in each step.
type Cell int

const (
	CellLSTM Cell = iota
	CellGRU
	CellTanh
	CellReLU
)

// Gates returns how many weighted sums a cell has for each hidden unit.
func (c Cell) Gates() int { return [...]int{4, 3, 1, 1}[c] }

// A Recurrence is the geometry of a recurrent network over a batch of
// sequences.
//
// Inside, the rows of all sequences are packed: those of the first step, then
// those of the second, and so on, the longest sequences first. So the
// sequences that a step still has are the first ones of the step before, and
// what is behind the end of a sequence has no row. Order and Starts describe
// the packing; see Pack.
type Recurrence struct {
	Cell                     Cell
	Batch, Steps, In, Hidden int
	Reverse                  bool  // from the end of each sequence to its beginning
	Lengths                  []int // [batch], of the sequences
	Order                    []int // [batch], the sequences from the longest to the shortest
	Starts                   []int // [steps+1], the first packed row of each step
}

// Pack fills Order and Starts from Lengths, which are from 1 to Steps.
func (r *Recurrence) Pack() {
	starts := r.Starts
	clear(starts)
	for _, n := range r.Lengths {
		starts[n-1]++
	}
	for s := r.Steps - 1; s >= 0; s-- {
		starts[s] += starts[s+1] // now the number of sequences longer than s
	}
	for b, n := range r.Lengths {
		r.Order[starts[n]] = b // behind those that are longer
		starts[n]++            // in the end, the number of those longer than n−1
	}
	starts[0] = 0
	for s := range r.Steps {
		starts[s+1] += starts[s]
	}
}

// Rows returns the number of packed rows.
func (r *Recurrence) Rows() int { return r.Starts[r.Steps] }

// rows returns the number of sequences that have a step.
func (r *Recurrence) rows(step int) int {
	if step == r.Steps {
		return 0
	}
	return r.Starts[step+1] - r.Starts[step]
}

// at returns the index, among the rows of [batch, steps], of the row of a
// sequence, the kth in order, at a step.
func (r *Recurrence) at(step, k int) int {
	b := r.Order[k]
	if r.Reverse {
		step = r.Lengths[b] - 1 - step
	}
	return b*r.Steps + step
}

// gates is the number of weighted sums of a row.
func (r *Recurrence) gates() int { return r.Cell.Gates() * r.Hidden }

// Kept returns how many numbers a forward pass leaves for the backward pass.
func (r *Recurrence) Kept() int {
	return r.Rows() * (r.In + r.Hidden + r.gates() + r.cells()*r.Hidden)
}

// cells is how many numbers for each hidden unit are kept besides the gates.
func (r *Recurrence) cells() int { return [...]int{2, 1, 0, 0}[r.Cell] }

// Work returns how many numbers of memory the backward pass needs.
func (r *Recurrence) Work() int {
	n := r.Rows()*(r.gates()+r.In) + 3*r.Batch*r.Hidden
	if r.Cell == CellGRU {
		n += r.Rows() * r.gates()
	}
	return n
}

// RecurrentWeights are the weights of a cell, or their gradients.
type RecurrentWeights[T Float] struct {
	Input, Hidden         []T // [in, gates·hidden], [hidden, gates·hidden]
	InputBias, HiddenBias []T // [gates·hidden]; nil for none
}

// RecurrentState is a state of a network, [batch, hidden], or its gradient. C
// is an LSTM's alone.
type RecurrentState[T Float] struct{ H, C []T }

// keptRows are what a forward pass leaves, all by packed rows.
type keptRows[T Float] struct {
	x     []T // the inputs
	h     []T // the states before the step
	gates []T // after their activations
	c     []T // LSTM: the cells before the step
	more  []T // LSTM: tanh of the cells after it; GRU: the candidates' share of the state, before the reset gate
}

func cutKept[T Float](r *Recurrence, kept []T) (k keptRows[T]) {
	rows := r.Rows()
	for _, part := range []struct {
		to *[]T
		n  int
	}{{&k.x, r.In}, {&k.h, r.Hidden}, {&k.gates, r.gates()}, {&k.c, max(0, r.cells()-1) * r.Hidden}, {&k.more, min(1, r.cells()) * r.Hidden}} {
		*part.to, kept = kept[:rows*part.n], kept[rows*part.n:]
	}
	return k
}

// recurring is a pass through a network, which the workers share by sequences.
// It keeps its memory for the next pass.
type recurring[T Float] struct {
	passing[T]
	hidden       heldMatrix[T]
	biases, sums scratch
}

// passing is what a pass works on.
type passing[T Float] struct {
	r       Recurrence
	kept    keptRows[T]
	inPiece int // sequences
	sum     []T // of products of the state, or its gradient, and the weights: a row for each sequence

	// Forward.
	y    []T
	last RecurrentState[T]
	bias []T

	// Backward.
	backward bool
	gy       []T
	gh, gc   []T // the gradients of the state, in order
	dz       []T // those of the weighted sums, packed
	dp       []T // those of the products with the state; of all but the GRU the same
}

// Recur computes the outputs y, [batch, steps, hidden], and the last state, of
// a network that begins at a state, nil for zeros, and sees x, [batch, steps,
// in]. Outputs behind the end of a sequence are 0. kept is memory for the
// backward pass, as much as Kept says.
func Recur[T Float](y []T, last RecurrentState[T], x []T, first RecurrentState[T], w RecurrentWeights[T], r *Recurrence, kept []T) {
	if r.Batch == 0 {
		return
	}
	free := freeListOf[recurring[T]]()
	t := free.get()
	t.passing = passing[T]{r: *r, kept: cutKept(r, kept), y: y, last: last}
	putInOrder(r, t.kept.h, first.H)
	if r.Cell == CellLSTM {
		putInOrder(r, t.kept.c, first.C)
	}
	packRows(r, t.kept.x, x, r.In)
	MatMul(t.kept.gates, t.kept.x, w.Input, r.Rows(), r.gates(), r.In, false, false)
	t.addBiases(w)
	t.hidden.set(w.Hidden, r.Batch, r.gates(), r.Hidden, false)
	t.share(r.gates())
	clearEnds(r, y, r.Hidden)
	t.end(free)
}

// RecurGrad computes the gradients of x, of the first state and of the weights,
// as far as they are not nil, from those of the outputs and the last state,
// where nil stands for zeros. kept is what Recur left, work is memory, as much
// as Work says.
func RecurGrad[T Float](gx []T, gFirst RecurrentState[T], gw RecurrentWeights[T], gy []T, gLast RecurrentState[T], w RecurrentWeights[T], r *Recurrence, kept, work []T) {
	if r.Batch == 0 {
		clear(gw.Input)
		clear(gw.Hidden)
		clear(gw.InputBias)
		clear(gw.HiddenBias)
		return
	}
	free := freeListOf[recurring[T]]()
	t := free.get()
	t.passing = passing[T]{r: *r, kept: cutKept(r, kept), backward: true, gy: gy}
	rows, gates := r.Rows(), r.gates()
	t.dz, work = work[:rows*gates], work[rows*gates:]
	if t.dp = t.dz; r.Cell == CellGRU {
		t.dp, work = work[:rows*gates], work[rows*gates:]
	}
	t.gh, work = work[:r.Batch*r.Hidden], work[r.Batch*r.Hidden:]
	putInOrder(r, t.gh, gLast.H)
	if r.Cell == CellLSTM {
		t.gc, work = work[:r.Batch*r.Hidden], work[r.Batch*r.Hidden:]
		putInOrder(r, t.gc, gLast.C)
	}
	t.hidden.set(w.Hidden, r.Batch, r.Hidden, gates, true)
	t.share(r.Hidden)
	takeFromOrder(r, gFirst.H, t.gh)
	takeFromOrder(r, gFirst.C, t.gc)
	if gx != nil {
		packed := work[:rows*r.In]
		MatMul(packed, t.dz, w.Input, rows, r.In, gates, false, true)
		unpackRows(r, gx, packed, r.In)
	}
	if gw.Input != nil {
		MatMul(gw.Input, t.kept.x, t.dz, r.In, gates, rows, true, false)
	}
	if gw.Hidden != nil {
		MatMul(gw.Hidden, t.kept.h, t.dp, r.Hidden, gates, rows, true, false)
	}
	if gw.InputBias != nil {
		Sum(gw.InputBias, t.dz, 1, rows, gates)
	}
	switch {
	case gw.HiddenBias == nil:
	case gw.InputBias != nil && r.Cell != CellGRU: // the same sums
		copy(gw.HiddenBias, gw.InputBias)
	default:
		Sum(gw.HiddenBias, t.dp, 1, rows, gates)
	}
	t.end(free)
}

// addBiases joins the biases to one, of what is added to the weighted sums; the
// GRU's second bias of the candidate, which the reset gate multiplies, comes
// behind the others.
func (t *recurring[T]) addBiases(w RecurrentWeights[T]) {
	n := t.r.gates()
	joined := n
	if t.r.Cell == CellGRU {
		joined = 2 * t.r.Hidden
	}
	t.bias = hold[T](&t.biases, n+n-joined)
	clear(t.bias)
	copy(t.bias, w.InputBias)
	if w.HiddenBias != nil {
		Accumulate(t.bias[:joined], w.HiddenBias[:joined])
		copy(t.bias[n:], w.HiddenBias[joined:])
	}
}

// share goes through all steps, with products of that many columns in each. A
// sequence has the same bits beside whichever others it is computed, so that
// there may be as many pieces as processors. Portable products take rows in
// pairs, and pieces do not part them.
func (t *recurring[T]) share(columns int) {
	t.sum = hold[T](&t.sums, t.r.Batch*columns)
	t.inPiece = t.r.Batch
	if work := t.r.Rows() * t.r.Hidden * t.r.gates(); work >= manyPieces*largeBytes/8 {
		t.inPiece = max(leastSequences, roundUp(blocks(t.r.Batch, runtime.GOMAXPROCS(0)), 2))
	}
	parallel(blocks(t.r.Batch, t.inPiece), t)
}

// leastSequences is the least number of sequences in a piece that is worth
// cutting: each piece reads all weights in each step.
const leastSequences = 12

// end gives the memory back.
func (t *recurring[T]) end(free *freeList[recurring[T]]) {
	t.passing = passing[T]{}
	t.hidden.release()
	free.put(t)
}

// run goes through all steps of some sequences; it is a task's method.
func (t *recurring[T]) run(piece, _ int) {
	first := piece * t.inPiece
	end := min(first+t.inPiece, t.r.Batch)
	for i := range t.r.Steps {
		s := i
		if t.backward {
			s = t.r.Steps - 1 - i
		}
		if rows := min(end, t.r.rows(s)) - first; rows > 0 {
			t.step(s, first, rows)
		}
	}
}

// step goes through a step of some sequences.
func (t *recurring[T]) step(s, first, rows int) {
	n, gates := t.r.Hidden, t.r.gates()
	at := t.r.Starts[s] + first
	if t.backward {
		for k := first; k < first+rows; k++ {
			t.backwardRow(s, k)
		}
		to := t.gh[first*n:]
		if t.r.Cell == CellGRU { // has a share in it already
			to = t.sum[first*n:]
		}
		t.hidden.multiply(to, t.dp[at*gates:], rows)
		if t.r.Cell == CellGRU {
			Accumulate(t.gh[first*n:(first+rows)*n], to[:rows*n])
		}
		return
	}
	t.hidden.multiply(t.sum[first*gates:], t.kept.h[at*n:], rows)
	for k := first; k < first+rows; k++ {
		t.forwardRow(s, k)
	}
}

// forwardRow computes what is left of a step of the kth sequence.
func (t *recurring[T]) forwardRow(s, k int) {
	r, n, gates := &t.r, t.r.Hidden, t.r.gates()
	at := r.Starts[s] + k
	z, p := row(t.kept.gates, at, gates), row(t.sum, k, gates)
	next := t.nextRow(t.kept.h, t.last.H, s, k)
	loops := &primitivesOf[T]().cells
	switch r.Cell {
	case CellLSTM:
		loops.sumSigmoid(z[:2*n], p, t.bias)
		loops.sumTanh(z[2*n:3*n], p[2*n:], t.bias[2*n:])
		loops.sumSigmoid(z[3*n:], p[3*n:], t.bias[3*n:])
		loops.lstmState(t.nextRow(t.kept.c, t.last.C, s, k), row(t.kept.more, at, n), next, cutGates(z, n), row(t.kept.c, at, n))
	case CellGRU:
		loops.sumSigmoid(z[:2*n], p, t.bias)
		loops.gruState(cutGates(z, n), row(t.kept.more, at, n), next, p[2*n:], row(t.kept.h, at, n), t.bias[2*n:3*n], t.bias[3*n:])
	case CellTanh:
		loops.sumTanh(z, p, t.bias)
		copy(next, z)
	case CellReLU:
		addRow(z, p, t.bias)
		loopOf[T](&ReLU)(z, z, 0, 0)
		copy(next, z)
	}
	copy(row(t.y, r.at(s, k), n), next)
}

// nextRow is where the state of the kth sequence after a step belongs: into
// that before the next, or, at its end, into the last.
func (t *recurring[T]) nextRow(kept, last []T, s, k int) []T {
	if k < t.r.rows(s+1) {
		return row(kept, t.r.Starts[s+1]+k, t.r.Hidden)
	}
	return row(last, t.r.Order[k], t.r.Hidden)
}

// backwardRow computes the gradients of a row's weighted sums, and what the
// state before it is handed past the weights.
func (t *recurring[T]) backwardRow(s, k int) {
	r, n, gates := &t.r, t.r.Hidden, t.r.gates()
	at := r.Starts[s] + k
	gh, z, dz := row(t.gh, k, n), row(t.kept.gates, at, gates), row(t.dz, at, gates)
	if t.gy != nil {
		Accumulate(gh, row(t.gy, r.at(s, k), n))
	}
	loops := &primitivesOf[T]().cells
	switch r.Cell {
	case CellLSTM:
		loops.lstmGrad(cutGates(dz, n), row(t.gc, k, n), gh, cutGates(z, n), row(t.kept.c, at, n), row(t.kept.more, at, n))
	case CellGRU:
		dp := row(t.dp, at, gates)
		loops.gruGrad(cutGates(dz, n), dp[2*n:], gh, cutGates(z, n), row(t.kept.h, at, n), row(t.kept.more, at, n))
		copy(dp[:2*n], dz)
	case CellTanh:
		loops.tanhSlope(dz, gh, z)
	case CellReLU:
		(*ofPrecision[*func(dst, gy, x, y []T, a, b float64)](&ReLU.D32, &ReLU.D64))(dz, gh, z, nil, 0, 0)
	}
}

// row is row i of a matrix with n columns.
func row[T Float](x []T, i, n int) []T { return x[i*n : (i+1)*n] }

// putInOrder copies a row for each sequence; nil stands for zeros.
func putInOrder[T Float](r *Recurrence, dst, src []T) {
	if src == nil {
		clear(dst[:r.Batch*r.Hidden])
		return
	}
	for k, b := range r.Order {
		copy(row(dst, k, r.Hidden), row(src, b, r.Hidden))
	}
}

// takeFromOrder undoes putInOrder, unless dst is nil.
func takeFromOrder[T Float](r *Recurrence, dst, src []T) {
	if dst == nil {
		return
	}
	for k, b := range r.Order {
		copy(row(dst, b, r.Hidden), row(src, k, r.Hidden))
	}
}

// packRows packs [batch, steps, n].
func packRows[T Float](r *Recurrence, dst, src []T, n int) {
	for s := range r.Steps {
		for k := range r.rows(s) {
			copy(row(dst, r.Starts[s]+k, n), row(src, r.at(s, k), n))
		}
	}
}

// unpackRows undoes packRows, with 0 behind the ends of sequences.
func unpackRows[T Float](r *Recurrence, dst, src []T, n int) {
	for s := range r.Steps {
		for k := range r.rows(s) {
			copy(row(dst, r.at(s, k), n), row(src, r.Starts[s]+k, n))
		}
	}
	clearEnds(r, dst, n)
}

// clearEnds writes 0 behind the ends of sequences.
func clearEnds[T Float](r *Recurrence, x []T, n int) {
	for b, length := range r.Lengths {
		clear(x[(b*r.Steps+length)*n : (b+1)*r.Steps*n])
	}
}
