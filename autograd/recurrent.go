package autograd

import (
	"fmt"
	"unsafe"

	"nabla/internal/kernel"
)

// Recurrent operations go through whole sequences. The products of all inputs
// with their weights are one product; then each step multiplies the state with
// its weights. The gradient is one operation too.
//
// An operation has one result, so that a recurrent one computes a matrix whose
// rows are the outputs of all steps, the last states and, of an LSTM, the last
// cells. What the functions return are slices of it.

var (
	opLSTM = operation{name: "lstm", method: "LSTM"}
	opGRU  = operation{name: "gru", method: "GRU"}
	opRNN  = operation{name: "rnn", method: "RNN"}
)

// RecurrentWeights are the weights of a recurrent cell, whose layout is
// PyTorch's with the matrices transposed. The gates lie side by side: i, f, g
// and o of an LSTM, r, z and n of a GRU.
type RecurrentWeights struct {
	Input      Value // [in, gates·hidden]
	Hidden     Value // [hidden, gates·hidden]
	InputBias  Value // [gates·hidden]; the zero Value: none
	HiddenBias Value // [gates·hidden]; the zero Value: none
}

// RecurrentOptions are the settings of [LSTM], [GRU] and [RNN]. The zero
// RecurrentOptions go through all steps, from the first to the last.
type RecurrentOptions struct {
	Lengths Ints // [batch], each from 1 to the number of steps: what is behind is padding; the zero Ints: no padding
	Reverse bool // begin at the end of each sequence
	ReLU    bool // of an RNN: in place of tanh
}

// LSTM returns the outputs of a long short-term memory (Hochreiter and
// Schmidhuber, 1997; with the forget gate of Gers et al., 2000) for the
// sequences x, [batch, steps, in], and its state after the last step. h and c,
// [batch, hidden], are the state before the first one; zero Values are zeros.
//
//	i, f, o = σ(x·Wᵢ + bᵢ + h·Wₕ + bₕ), each by its columns
//	g = tanh(x·Wᵢ + bᵢ + h·Wₕ + bₕ)
//	c = f·c + i·g
//	h = o·tanh c
//
//	gc = gc + gh·o·(1 − tanh² c), gf = gc·c·f·(1 − f), …, back through all steps
//
// The outputs y, [batch, steps, hidden], are the states h of all steps. With
// Lengths, a sequence keeps the state that it has at its end, and its outputs
// behind that are 0; x is not read there. With Reverse, a sequence begins at
// its end, and the output of a step is still found at that step.
//
// The slopes of gates are computed from the gates, as PyTorch does, so that
// those of gates next to 1 are rounded to multiples of 2⁻⁵³.
//
// It panics with a [*ShapeError] if x is not [batch, steps, in] with at least
// one step, or if a state, a weight or the lengths do not fit, and with an
// [*ArgumentError] for a length that is not from 1 to the number of steps.
func LSTM(x, h, c Value, w RecurrentWeights, o RecurrentOptions) (y, lastH, lastC Value) {
	r := x.recurrence(&opLSTM, kernel.CellLSTM, w, o)
	all := x.recur(&opLSTM, r, h, c, w, o.Lengths)
	return all.outputs(r), all.state(r, 0), all.state(r, 1)
}

// GRU returns the outputs of gated recurrent units (Cho et al., 2014) for the
// sequences x, and the state after the last step, as [LSTM] does. The reset
// gate multiplies the product with the state.
//
//	r, z = σ(x·Wᵢ + bᵢ + h·Wₕ + bₕ), each by its columns
//	n = tanh(x·Wᵢ + bᵢ + r·(h·Wₕ + bₕ))
//	h = (1 − z)·n + z·h
//
//	gn = gh·(1 − z)·(1 − n²), gz = gh·(h − n)·z·(1 − z), …, back through all steps
//
// It panics as LSTM does.
func GRU(x, h Value, w RecurrentWeights, o RecurrentOptions) (y, last Value) {
	r := x.recurrence(&opGRU, kernel.CellGRU, w, o)
	all := x.recur(&opGRU, r, h, Value{}, w, o.Lengths)
	return all.outputs(r), all.state(r, 0)
}

// RNN returns the outputs of a plain recurrent network (Elman, 1990) for the
// sequences x, and the state after the last step, as [LSTM] does.
//
//	h = tanh(x·Wᵢ + bᵢ + h·Wₕ + bₕ)
//
//	gz = gh·(1 − h²), back through all steps
//
// With ReLU, that is in place of tanh. It panics as LSTM does.
func RNN(x, h Value, w RecurrentWeights, o RecurrentOptions) (y, last Value) {
	cell := kernel.CellTanh
	if o.ReLU {
		cell = kernel.CellReLU
	}
	r := x.recurrence(&opRNN, cell, w, o)
	all := x.recur(&opRNN, r, h, Value{}, w, o.Lengths)
	return all.outputs(r), all.state(r, 0)
}

// LSTMCell is one step of [LSTM], from x, [batch, in]. It panics as that does.
func LSTMCell(x, h, c Value, w RecurrentWeights) (nextH, nextC Value) {
	x = x.oneStep(&opLSTM)
	r := x.recurrence(&opLSTM, kernel.CellLSTM, w, RecurrentOptions{})
	all := x.recur(&opLSTM, r, h, c, w, Ints{})
	return all.state(r, 0), all.state(r, 1)
}

// GRUCell is one step of [GRU], from x, [batch, in]. It panics as that does.
func GRUCell(x, h Value, w RecurrentWeights) Value {
	_, next := GRU(x.oneStep(&opGRU), h, w, RecurrentOptions{})
	return next
}

// A recurrence is the geometry of a recurrent operation, and which of the
// optional inputs it has. The inputs are x and the two matrices, then the state
// and the biases as far as they are there.
type recurrence struct {
	kernel.Recurrence
	h, c, inputBias, hiddenBias bool
}

// oneStep returns x, [batch, in], as sequences of one step.
func (x Value) oneStep(op *operation) Value {
	dims := x.node(op.method).shape.dims
	if len(dims) != 2 {
		panic(shapeError(op.method, "want [batch, in]", "", dims))
	}
	return x.Reshape(dims[0], 1, dims[1])
}

// recurrence returns the geometry of an operation on x, and panics if the
// weights or the lengths do not fit.
func (x Value) recurrence(op *operation, cell kernel.Cell, w RecurrentWeights, o RecurrentOptions) recurrence {
	g, dims := x.g, x.node(op.method).shape.dims
	if len(dims) != 3 || dims[1] == 0 {
		panic(shapeError(op.method, "want [batch, steps, in] with at least one step", "", dims))
	}
	r := recurrence{inputBias: !w.InputBias.IsZero(), hiddenBias: !w.HiddenBias.IsZero()}
	input, hidden := x.operand(op.method, w.Input).shape, x.operand(op.method, w.Hidden).shape
	gates := cell.Gates()
	if hidden.rank() != 2 || hidden.dims[0] == 0 || hidden.dims[1] != gates*hidden.dims[0] {
		panic(shapeError(op.method, fmt.Sprintf("the weights of the state must be [hidden, %d·hidden]", gates), "", hidden.dims))
	}
	if input.rank() != 2 || input.dims[0] != dims[2] || input.dims[1] != hidden.dims[1] {
		panic(shapeError(op.method, fmt.Sprintf("the weights of the input must be [%d, %d]", dims[2], hidden.dims[1]), " by ", dims, input.dims))
	}
	for _, bias := range [...]Value{w.InputBias, w.HiddenBias} {
		if bias.IsZero() {
			continue
		}
		if s := x.operand(op.method, bias).shape; s.rank() != 1 || s.size != hidden.dims[1] {
			panic(shapeError(op.method, fmt.Sprintf("a bias must be [%d]", hidden.dims[1]), "", s.dims))
		}
	}
	r.Cell, r.Batch, r.Steps, r.In, r.Hidden, r.Reverse = cell, dims[0], dims[1], dims[2], hidden.dims[0], o.Reverse
	r.Lengths = g.lengths(op.method, o.Lengths, r.Batch, r.Steps)
	r.Order, r.Starts = g.ints.take(r.Batch), g.ints.take(r.Steps+1)
	r.Pack()
	return r
}

// lengths returns the lengths of sequences of that many steps, all of them if
// none are given.
func (g *Graph) lengths(op string, given Ints, batch, steps int) []int {
	if given.shape == nil {
		all := g.ints.take(batch)
		for i := range all {
			all[i] = steps
		}
		return all
	}
	if len(given.shape) != 1 || given.shape[0] != batch {
		panic(shapeError(op, fmt.Sprintf("want a length for each of %d sequences", batch), "", given.shape))
	}
	for i, n := range given.values {
		if n < 1 || n > steps {
			panic(NewArgumentError(op, "sequence %d of the batch has length %d, want 1 to %d", i, n, steps))
		}
	}
	return g.copied(given.values)
}

// recur records a recurrent operation on x.
func (x Value) recur(op *operation, r recurrence, h, c Value, w RecurrentWeights, lengths Ints) Value {
	g := x.g
	var in [7]Value
	inputs := append(in[:0], x, w.Input, w.Hidden)
	for _, state := range [...]Value{h, c} {
		if state.IsZero() {
			continue
		}
		if s := x.operand(op.method, state).shape; s.rank() != 2 || s.dims[0] != r.Batch || s.dims[1] != r.Hidden {
			panic(shapeError(op.method, fmt.Sprintf("a state must be [%d, %d]", r.Batch, r.Hidden), "", s.dims))
		}
		inputs = append(inputs, state)
	}
	r.h, r.c = !h.IsZero(), !c.IsZero()
	if r.inputBias {
		inputs = append(inputs, w.InputBias)
	}
	if r.hiddenBias {
		inputs = append(inputs, w.HiddenBias)
	}
	n := g.record(op, recurrentRule, g.newShape(op.method, []int{r.Batch * (r.Steps + r.states()), r.Hidden}), inputs...)
	g.keepRecurrence(n, r)
	n.extra.take(lengths)
	words := g.words(r.Kept())
	if n.flags&needsGrad != 0 {
		n.extra.kept = g.numbersToKeep(words)
		pick(g, recurNode[float64], recurNode[float32])(g, n, r)
		return g.done()
	}
	borrowed := g.memory.borrow(words)
	n.extra.kept = slice[float64](borrowed, words)
	pick(g, recurNode[float64], recurNode[float32])(g, n, r)
	n.extra.kept = nil
	g.memory.giveBack(borrowed, words)
	return g.done()
}

// states is how many matrices a state has.
func (r *recurrence) states() int {
	if r.Cell == kernel.CellLSTM {
		return 2
	}
	return 1
}

// outputs returns the outputs of a recurrent operation.
func (x Value) outputs(r recurrence) Value {
	return x.Slice(0, 0, r.Batch*r.Steps, 1).Reshape(r.Batch, r.Steps, r.Hidden)
}

// state returns the last states of a recurrent operation, or the last cells.
func (x Value) state(r recurrence, i int) Value {
	at := r.Batch * (r.Steps + i)
	return x.Slice(0, at, at+r.Batch, 1)
}

// keepRecurrence stores the geometry in a node.
func (g *Graph) keepRecurrence(n *node, r recurrence) {
	ints := g.ints.take(10 + 2*r.Batch + r.Steps + 1)
	ints = append(ints[:0], int(r.Cell), r.Batch, r.Steps, r.In, r.Hidden, bit(r.Reverse), bit(r.h), bit(r.c), bit(r.inputBias), bit(r.hiddenBias))
	ints = append(append(append(ints, r.Lengths...), r.Order...), r.Starts...)
	g.extraOf(n).ints = ints
}

func bit(set bool) int {
	if set {
		return 1
	}
	return 0
}

// recurrenceOf returns the geometry that a node keeps.
func recurrenceOf(n *node) recurrence {
	i := n.ints()
	r := recurrence{h: i[6] == 1, c: i[7] == 1, inputBias: i[8] == 1, hiddenBias: i[9] == 1}
	r.Cell, r.Batch, r.Steps, r.In, r.Hidden, r.Reverse = kernel.Cell(i[0]), i[1], i[2], i[3], i[4], i[5] == 1
	i = i[10:]
	r.Lengths, r.Order, r.Starts = i[:r.Batch], i[r.Batch:2*r.Batch], i[2*r.Batch:]
	return r
}

// optional returns the places of the optional inputs: h, c and the biases; −1
// for those that there are not.
func (r *recurrence) optional() (places [4]int) {
	next := 3
	for i, has := range [...]bool{r.h, r.c, r.inputBias, r.hiddenBias} {
		if places[i] = -1; has {
			places[i] = next
			next++
		}
	}
	return places
}

// inputNumbers returns the numbers of input i of a node, nil for −1.
func inputNumbers[T kernel.Float](g *Graph, n *node, i int) []T {
	if i < 0 {
		return nil
	}
	return numbers[T](g.at(n.inputs()[i]))
}

// keptNumbers returns the numbers that a node keeps.
func keptNumbers[T kernel.Float](n *node, count int) []T {
	return slice[T](unsafe.Pointer(unsafe.SliceData(n.extra.kept)), count)
}

func weightsOf[T kernel.Float](g *Graph, n *node, r *recurrence) kernel.RecurrentWeights[T] {
	at := r.optional()
	return kernel.RecurrentWeights[T]{
		Input: inputNumbers[T](g, n, 1), Hidden: inputNumbers[T](g, n, 2),
		InputBias: inputNumbers[T](g, n, at[2]), HiddenBias: inputNumbers[T](g, n, at[3]),
	}
}

// recurNode computes a recurrent operation.
func recurNode[T kernel.Float](g *Graph, n *node, r recurrence) {
	at := r.optional()
	y, last := cutRows(numbers[T](n), &r)
	first := kernel.RecurrentState[T]{H: inputNumbers[T](g, n, at[0]), C: inputNumbers[T](g, n, at[1])}
	kernel.Recur(y, last, inputNumbers[T](g, n, 0), first, weightsOf[T](g, n, &r), &r.Recurrence, keptNumbers[T](n, r.Kept()))
}

// cutRows cuts the numbers of a recurrent operation, or its gradient, into the
// outputs and the last state.
func cutRows[T kernel.Float](all []T, r *recurrence) (y []T, last kernel.RecurrentState[T]) {
	outputs, size := r.Batch*r.Steps*r.Hidden, r.Batch*r.Hidden
	y, last.H = all[:outputs], all[outputs:outputs+size]
	if r.states() == 2 {
		last.C = all[outputs+size:]
	}
	return y, last
}

// recurrentRule hands over the gradients of all inputs, which one kernel
// computes. Where they are recorded, the network is written out in other
// operations, and their rules do the rest.
func recurrentRule(r *Rule) {
	if r.g.reverse.recording {
		r.unrolled()
		return
	}
	g := r.g
	var to [7]*node
	var values [7]Value
	for i, input := range r.n.inputs() {
		if r.Needs(i) {
			to[i] = g.record(&opGradient, nil, g.at(input).shape)
			values[i] = g.done()
		}
	}
	pick(g, recurrentGradient[float64], recurrentGradient[float32])(g, r, to)
	for i, v := range values {
		if !v.IsZero() {
			r.Add(i, v)
		}
	}
}

func recurrentGradient[T kernel.Float](g *Graph, rule *Rule, to [7]*node) {
	n, r := rule.n, recurrenceOf(rule.n)
	at := r.optional()
	wanted := func(i int) []T {
		if i < 0 {
			return nil
		}
		return numbersIf[T](to[i])
	}
	gy, gLast := cutRows(numbers[T](rule.Grad().node(n.op.method)), &r)
	first := kernel.RecurrentState[T]{H: wanted(at[0]), C: wanted(at[1])}
	gw := kernel.RecurrentWeights[T]{Input: wanted(1), Hidden: wanted(2), InputBias: wanted(at[2]), HiddenBias: wanted(at[3])}
	words := g.words(r.Work())
	work := g.memory.borrow(words)
	kernel.RecurGrad(wanted(0), first, gw, gy, gLast, weightsOf[T](g, n, &r), &r.Recurrence, keptNumbers[T](n, r.Kept()), slice[T](work, r.Work()))
	g.memory.giveBack(work, words)
}

// unrolled hands over the gradients of the network as it is written out in
// other operations, on copies of the inputs: an input may have been computed
// from another, whose gradient is a different one.
func (r *Rule) unrolled() {
	shape := recurrenceOf(r.n)
	in := make([]Value, len(r.n.inputs()))
	var xs []Value
	for i, input := range r.n.inputs() {
		in[i] = r.In(i).reshaped(r.g.at(input).shape)
		if r.Needs(i) {
			xs = append(xs, in[i])
		}
	}
	grads := r.g.differentiate(r.n.op.method, shape.unroll(in, r.n.extra.given), r.Grad(), xs)
	for i := range in {
		if r.Needs(i) {
			r.Add(i, grads[0])
			grads = grads[1:]
		}
	}
}

// unroll writes the network out, step by step. Sequences that a step is behind
// the end of keep their state.
func (r *recurrence) unroll(in []Value, given [3]givenInts) Value {
	g, at := in[0].g, r.optional()
	optional := func(i int) Value {
		if at[i] < 0 {
			return Value{}
		}
		return in[at[i]]
	}
	w := RecurrentWeights{Input: in[1], Hidden: in[2], InputBias: optional(2), HiddenBias: optional(3)}
	zeros := g.Full(0, r.Batch, r.Hidden)
	h, c := optional(0), optional(1)
	if h.IsZero() {
		h = zeros
	}
	if c.IsZero() {
		c = zeros
	}
	ys := make([]Value, r.Steps)
	for i := range ys {
		s := i
		if r.Reverse {
			s = r.Steps - 1 - i
		}
		nextH, nextC := r.cell(in[0].Select(1, s), h, c, w)
		here := g.reach(r.Lengths, s, given)
		ys[s] = Where(here, nextH, zeros)
		h, c = Where(here, nextH, h), Where(here, nextC, c)
	}
	rows := []Value{Stack(1, ys...).Reshape(r.Batch*r.Steps, r.Hidden), h, c}
	return Concat(0, rows[:1+r.states()]...)
}

// reach returns a mask of the sequences that are longer than s, [batch, 1]. The
// lengths were given as Ints.
func (g *Graph) reach(lengths []int, s int, given [3]givenInts) Value {
	mask := g.Full(0, len(lengths), 1)
	g.extraOf(g.at(mask.id)).given = given
	for i, n := range lengths {
		g.setNumber(g.at(mask.id).data, i, float64(bit(n > s)))
	}
	return mask
}

// cell writes a step out.
func (r *recurrence) cell(x, h, c Value, w RecurrentWeights) (nextH, nextC Value) {
	p, q := plus(x.MatMul(w.Input), w.InputBias), plus(h.MatMul(w.Hidden), w.HiddenBias)
	n := r.Hidden
	gate := func(z Value, i int) Value { return z.Narrow(1, i*n, n) }
	switch r.Cell {
	case kernel.CellLSTM:
		z := p.Add(q)
		c = gate(z, 1).Sigmoid().Mul(c).Add(gate(z, 0).Sigmoid().Mul(gate(z, 2).Tanh()))
		return gate(z, 3).Sigmoid().Mul(c.Tanh()), c
	case kernel.CellGRU:
		reset, update := gate(p, 0).Add(gate(q, 0)).Sigmoid(), gate(p, 1).Add(gate(q, 1)).Sigmoid()
		candidate := gate(p, 2).Add(reset.Mul(gate(q, 2))).Tanh()
		return candidate.Add(update.Mul(h.Sub(candidate))), c
	case kernel.CellReLU:
		return p.Add(q).ReLU(), c
	}
	return p.Add(q).Tanh(), c
}

// plus adds a bias, if there is one.
func plus(x, bias Value) Value {
	if bias.IsZero() {
		return x
	}
	return x.Add(bias)
}
