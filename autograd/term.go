package autograd

import "nabla/internal/kernel"

// A term is one parameter's gradient in a sum: by rows, as long as all that is
// added is, otherwise the whole.
type term struct {
	param     *Param // nil when nothing was added since Clear
	precision Precision
	form      form
	rows      rowGradient // rows.whole is the total if the form is whole
	spare     rowGradient // where the next rows are added up
}

type form uint8

const (
	empty form = iota
	byRows
	whole
)

// clear empties a term and keeps its memory.
func (t *term) clear() {
	t.param, t.form = nil, empty
	t.rows.ids, t.rows.lent = t.rows.ids[:0], false
}

// gradient returns what was added up. If it is by rows, the whole of it is made
// where that is wanted.
func (t *term) gradient(all bool) Tensor {
	switch {
	case t.form == whole:
		return t.rows.whole
	case all:
		return t.spread(t.param.value.shape)
	}
	stored, _ := t.rows.stored()
	return stored
}

// spread returns the whole of what is by rows.
func (t *term) spread(table *shape) Tensor {
	r := &t.rows
	switch {
	case r.lent:
		return r.whole
	case r.whole.shape == nil:
		r.whole = zerosOf(t.precision, table.dims)
	default:
		r.whole.clear()
	}
	return r.spread()
}

// add adds weight·g: the rows of the ids if it is by rows, else the whole.
func (t *term) add(g Tensor, ids []int, rows bool, weight float64) {
	if t.form == byRows {
		if _, still := t.rows.stored(); !still {
			t.form = whole
		}
	}
	switch {
	case rows && t.form != whole:
		t.form = byRows
		t.merge(g, ids, weight)
	case rows:
		t.rows.whole.addRows(nil, g, ids, weight)
	case t.form == empty:
		t.form = whole
		t.begin(g, weight)
	default:
		if t.form != whole {
			t.spread(g.shape)
			t.form = whole
		}
		t.rows.whole.accumulate(g, weight)
	}
}

// begin makes weight·g, of which −0 becomes 0 as in a sum with 0, the whole.
func (t *term) begin(g Tensor, weight float64) {
	if t.rows.whole.shape == nil || !t.rows.whole.sameShape(g) {
		t.rows.whole = zerosOf(t.precision, g.shape.dims)
	}
	to := t.rows.whole
	if weight != 1 {
		kernel.Scale.F64(to.f64(), g.f64(), weight, 0)
		kernel.Scale.F32(to.f32(), g.f32(), weight, 0)
		g = to
	}
	kernel.AddScalar.F64(to.f64(), g.f64(), 0, 0)
	kernel.AddScalar.F32(to.f32(), g.f32(), 0, 0)
}

// merge adds rows to rows, in the memory of the spare ones.
func (t *term) merge(g Tensor, ids []int, weight float64) {
	next := &t.spare
	next.ids = appendUnion(next.ids[:0], t.rows.ids, ids)
	next.makeRoom(g)
	next.rows.addRows(next.ids, t.rows.rows, t.rows.ids, 1)
	next.rows.addRows(next.ids, g, ids, weight)
	old := t.rows
	t.rows.ids, t.rows.rows, t.rows.room = next.ids, next.rows, next.room
	next.ids, next.rows, next.room = old.ids, old.rows, old.room
}

// appendUnion appends the numbers that two ascending lists have.
func appendUnion(to, a, b []int) []int {
	for len(a) > 0 && len(b) > 0 {
		next := min(a[0], b[0])
		to = append(to, next)
		if a[0] == next {
			a = a[1:]
		}
		if b[0] == next {
			b = b[1:]
		}
	}
	return append(append(to, a...), b...)
}

// makeRoom makes as many rows of zeros as there are ids, like those of g.
func (r *rowGradient) makeRoom(g Tensor) {
	inner, count := spanOf(g.shape, 0).inner, len(r.ids)
	if r.rows.shape == nil || count*inner > r.room {
		r.room = count*inner + count*inner/4
		dims := append([]int{count}, g.shape.dims[1:]...)
		r.rows = zerosOf(g.precision, []int{r.room})
		r.rows.shape = ownShape(dims, count*inner)
		return
	}
	r.rows.shape.dims[0], r.rows.shape.size = count, count*inner
	r.rows.clear()
}

// addRows adds weight times the rows g of some ids to the rows of t, which are
// those of the ids own, or all if that is nil.
func (t Tensor) addRows(own []int, g Tensor, ids []int, weight float64) {
	addRows(t.f64(), own, g.f64(), ids, weight)
	addRows(t.f32(), own, g.f32(), ids, float32(weight))
}

func addRows[T kernel.Float](dst []T, own []int, rows []T, ids []int, weight T) {
	if dst == nil {
		return
	}
	inner, at := len(rows)/max(len(ids), 1), 0
	for i, id := range ids {
		if own == nil {
			at = id
		}
		for own != nil && own[at] != id {
			at++
		}
		to, from := dst[at*inner:(at+1)*inner], rows[i*inner:(i+1)*inner]
		if weight == 1 {
			kernel.Accumulate(to, from)
		} else {
			addWeighted(to, from, weight)
		}
	}
}
