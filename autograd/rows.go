package autograd

import (
	"slices"
	"unsafe"

	"nabla/internal/kernel"
)

// Gradients by rows
//
// A table of words is large, and a batch looks up few of its rows. If a Param's
// only uses are Embeddings, a backward pass makes no gradient of its size:
//
//	handOnRows  Embedding's rule leaves a lookup: its ids and its gradient
//	keepRows    the table's leaf adds up what all lookups left, row by row
//	whole       Gradients spread the rows out when the whole is asked for
//
// Any other use of the Value, or a Param of another precision than the graph's,
// makes a gradient of its size anyway: then there are no lookups.

// inRows stands for the address of a gradient that is kept by rows, in the
// table's node and slot. Nothing reads or writes there.
var (
	inRows = unsafe.Pointer(&noRow)
	noRow  float64
)

// A lookup is what an Embedding hands on to its table.
type lookup struct {
	table int32          // the Param's node
	from  *node          // the Embedding
	gy    unsafe.Pointer // its gradient, borrowed
}

// keepsRows reports whether the gradient of a table is kept by rows.
func (n *node) keepsRows() bool {
	const read = isLeaf | inPlace
	return n.flags&(read|usedWhole) == read
}

// handOnRows leaves an Embedding's gradient to its table, if that keeps rows,
// and reports whether it does.
func (r *Rule) handOnRows() bool {
	g, table, gy := r.g, r.g.at(r.n.in[0]), r.g.at(r.gy.id)
	if !g.reverse.active || !table.keepsRows() {
		return false
	}
	if g.watch {
		g.lookAtGradient(r.id, 0, g.at(r.embeddingGradient().id).data, table.shape)
	}
	l := lookup{r.n.in[0], r.n, gy.data}
	if gy.flags&borrowed != 0 {
		gy.flags &^= borrowed // it is the lookup's now
	} else {
		words := g.words(gy.shape.size)
		l.gy = g.memory.borrow(words)
		copy(slice[float64](l.gy, words), slice[float64](gy.data, words))
	}
	g.reverse.lookups = append(g.reverse.lookups, l)
	table.grad = inRows
	return true
}

// A rowGradient is the gradient of a table of which some rows were looked up;
// that of all others is 0.
type rowGradient struct {
	leaf  int32 // of the table, in a pass
	table *shape
	ids   []int  // of the rows, ascending
	rows  Tensor // their gradients, [len(ids), …]
	whole Tensor // of the table's shape; without a shape until it is asked for
	lent  bool   // the whole was handed out, and may have been written to
	room  int    // numbers that the memory of rows has room for, in a sum
}

// keepRows adds up what was looked up in a table.
func (p *pass) keepRows(id int32, n *node) {
	g, padding, total := p.g, n.shape.dims[0], 0
	for _, l := range g.reverse.lookups {
		if l.table == id {
			total += len(l.from.ints())
		}
	}
	ids, places := p.ints(total)[:0], p.ints(total)
	for _, l := range g.reverse.lookups {
		if l.table == id {
			ids = l.from.appendLearned(ids, padding)
		}
	}
	keys := g.memory.borrow(2 * total)
	count := kernel.Sorting{Keys: unsafe.Slice((*uint64)(keys), 2*total), Order: p.ints(2 * total)}.Distinct(ids, places)
	g.memory.giveBack(keys, 2*total)

	inner := spanOf(n.shape, 0).inner
	sums := p.room(count * inner)
	clear(slice[float64](sums, g.words(count*inner)))
	for _, l := range g.reverse.lookups {
		if l.table == id {
			length := len(l.from.ints())
			pick(g, scatterRows[float64], scatterRows[float32])(sums, l.gy, places[:length], count, inner)
			g.memory.giveBack(l.gy, g.words(length*inner))
			places = places[length:]
		}
	}
	if count > 0 && ids[count-1] == padding {
		count-- // the last row is what padding would have learned
	}
	dims := append(append(p.ints(n.shape.rank())[:0], count), n.shape.dims[1:]...)
	rows := g.tensor(sums, g.sized(dims, count*inner))
	p.tables = append(p.tables, rowGradient{leaf: n.in[0], table: n.shape, ids: ids[:count], rows: rows})
}

// appendLearned appends the ids of an Embedding, where padding counts as
// another one than all words.
func (n *node) appendLearned(ids []int, padding int) []int {
	first := len(ids)
	if n.extra.chosen == nil {
		return append(ids, n.ints()...)
	}
	for range n.ints() {
		ids = append(ids, padding)
	}
	for _, place := range n.extra.chosen {
		ids[first+int(place)] = n.ints()[place]
	}
	return ids
}

func scatterRows[T kernel.Float](sums, gy unsafe.Pointer, places []int, count, inner int) {
	kernel.ScatterAdd(slice[T](sums, count*inner), slice[T](gy, len(places)*inner), places, 1, len(places), count, inner)
}

// ints returns room for n integers that lasts as long as the pass.
func (p *pass) ints(n int) []int {
	if p.free {
		return make([]int, n)
	}
	return p.g.ints.take(n)
}

// byRows returns the gradient that is kept by rows of a leaf, or nil.
func (p *pass) byRows(leaf int32) *rowGradient {
	for i := range p.tables {
		if p.tables[i].leaf == leaf {
			return &p.tables[i]
		}
	}
	return nil
}

// gradient returns the gradient in a leaf's slot. If it is kept by rows, the
// whole of it is made where that is wanted.
func (p *pass) gradient(s *slot, leaf int32, whole bool) Tensor {
	if s.data != inRows {
		return s.tensor(p.g)
	}
	r := p.byRows(leaf)
	if whole {
		return p.wholeOf(r)
	}
	t, _ := r.stored()
	return t
}

// wholeOf spreads a gradient out that is kept by rows.
func (p *pass) wholeOf(r *rowGradient) Tensor {
	if r.whole.shape == nil {
		r.whole = p.g.tensor(p.room(r.table.size), r.table)
		r.whole.clear()
	}
	return r.spread()
}

// spread returns the whole gradient, whose memory was 0 where no row is. From
// now on that is what counts: it may be written to.
func (r *rowGradient) spread() Tensor {
	if !r.lent {
		spreadRows(r.whole.f64(), r.rows.f64(), r.ids)
		spreadRows(r.whole.f32(), r.rows.f32(), r.ids)
		r.lent = true
	}
	return r.whole
}

// stored returns the rows, and true. If the whole was handed out, the rows are
// taken from there; if it was written to elsewhere, stored returns the whole.
func (r *rowGradient) stored() (t Tensor, byRows bool) {
	if !r.lent {
		return r.rows, true
	}
	if !gatheredRows(r.rows.f64(), r.whole.f64(), r.ids) || !gatheredRows(r.rows.f32(), r.whole.f32(), r.ids) {
		return r.whole, false
	}
	r.lent = false
	return r.rows, true
}

func spreadRows[T kernel.Float](whole, rows []T, ids []int) {
	inner := len(rows) / max(len(ids), 1)
	for i, id := range ids {
		copy(whole[id*inner:(id+1)*inner], rows[i*inner:(i+1)*inner])
	}
}

// gatheredRows reports whether the whole is 0 in all other rows.
func gatheredRows[T kernel.Float](rows, whole []T, ids []int) bool {
	inner, next := len(rows)/max(len(ids), 1), 0
	for i, id := range ids {
		if !allZero(whole[next : id*inner]) {
			return false
		}
		next = (id + 1) * inner
		copy(rows[i*inner:(i+1)*inner], whole[id*inner:next])
	}
	return allZero(whole[next:])
}

func allZero[T kernel.Float](x []T) bool {
	return !slices.ContainsFunc(x, func(v T) bool { return v != 0 })
}

// Rows returns the gradient of a parameter that is kept by rows: the ids of
// the rows that were looked up, in ascending order, and their gradients
// [len(ids), …]. All other rows have the gradient 0. Changing the tensor
// changes the Gradients. Both are valid until the graph's Reset; those of a sum
// until something is added or Clear.
//
// Backward keeps a gradient by rows if the parameter has the graph's precision
// and the recording uses it by [Value.Embedding] alone: then neither time nor
// memory depend on the size of the table. Otherwise ok is false, as it is for a
// parameter that was not reached, or whose whole gradient, handed out by
// [Gradients.All] or Of, was written to outside of these rows.
func (gr Gradients) Rows(p *Param) (ids Ints, rows Tensor, ok bool) {
	r := gr.byRows(p)
	if r == nil {
		return Ints{}, Tensor{}, false
	}
	if rows, ok = r.stored(); !ok {
		return Ints{}, Tensor{}, false
	}
	return Ints{rows.shape.dims[:1], r.ids}, rows, true
}

// byRows returns the gradient of a parameter that is kept by rows, or nil.
func (gr Gradients) byRows(p *Param) *rowGradient {
	pass := gr.check("Gradients.Rows")
	switch {
	case pass == nil:
		if t := gr.sum.of(p); t != nil && t.form == byRows {
			return &t.rows
		}
	case len(pass.tables) > 0:
		if i, known := pass.g.params.index[p]; known && i < pass.g.params.used {
			return pass.byRows(pass.g.params.slots[i].leaf)
		}
	}
	return nil
}
