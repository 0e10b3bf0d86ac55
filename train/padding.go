package train

import (
	"cmp"
	"iter"
	"math/rand/v2"
	"slices"

	"nabla/autograd"
)

// Padding says how rows of different lengths were made one length, so that a
// batch can be cut to its longest row.
//
// The length of a row is the place behind its last number that is no padding.
// Ids and Labels of rank 2 and more [rows, steps, …] whose steps are as many
// are cut together, to the longest row among them: a token that is its own
// label stays beside it. Inputs, Targets, and Ids and Labels of rank 1, such as
// lengths, stay as they are.
type Padding struct {
	ID    int // fills the rest of a row of Ids
	Label int // fills the rest of a row of Labels

	// Near makes batches of rows of about one length: of the shuffled rows, as
	// many as fill Near batches are sorted by length, those of the first Ids
	// before those of the others; then the batches are shuffled. More make less
	// padding, and batches that are less mixed. 0 and 1 do not sort.
	Near int
}

// lengths are those of the rows of padded Data.
type lengths struct {
	groups []group
	ids    []int // the group of each of the Ids, −1 for one that is not cut
	labels int   // the group of the Labels, or −1
}

// A group is what is cut together.
type group struct {
	steps int   // with padding
	rows  []int // the length of each row
}

// lengths measures data. It panics if they cannot be cut, or if a row of ids
// has nothing but padding.
func (p *Padding) lengths(op string, data Data) *lengths {
	if p == nil {
		return nil
	}
	if p.Near < 0 {
		panic(autograd.NewArgumentError(op, "Padding.Near is %d", p.Near))
	}
	l := &lengths{}
	for i, ids := range data.Ids {
		steps := rowLengths(ids, p.ID)
		if row := slices.Index(steps, 0); row >= 0 {
			panic(autograd.NewArgumentError(op, "row %d of Ids[%d] has the length 0: it is all padding", row, i))
		}
		l.ids = append(l.ids, l.add(ids, steps))
	}
	if len(l.groups) == 0 {
		panic(autograd.NewArgumentError(op, "Padding cuts Ids [rows, steps, …], and the data have none"))
	}
	l.labels = l.add(data.Labels, rowLengths(data.Labels, p.Label))
	return l
}

// add puts Ints whose rows have those lengths into a group, and returns it.
func (l *lengths) add(x autograd.Ints, steps []int) int {
	if steps == nil {
		return -1
	}
	padded := x.Dim(1)
	k := slices.IndexFunc(l.groups, func(g group) bool { return g.steps == padded })
	if k < 0 {
		k = len(l.groups)
		l.groups = append(l.groups, group{padded, make([]int, len(steps))})
	}
	for row, n := range steps {
		l.groups[k].rows[row] = max(l.groups[k].rows[row], n)
	}
	return k
}

// rowLengths returns the steps of each row up to the last that is no padding,
// nil for Ints that have no steps.
func rowLengths(x autograd.Ints, padding int) []int {
	if x.Rank() < 2 || x.Size() == 0 {
		return nil
	}
	width := x.Size() / x.Dim(0)
	inner := width / x.Dim(1)
	var steps []int
	for row := range slices.Chunk(x.Values(), width) {
		n := len(row)
		for n > 0 && row[n-1] == padding {
			n--
		}
		steps = append(steps, (n+inner-1)/inner)
	}
	return steps
}

// longest returns the length of the longest of those rows in a group.
func (l *lengths) longest(k int, rows []int) int {
	steps := 1
	for _, row := range rows {
		steps = max(steps, l.groups[k].rows[row])
	}
	return steps
}

// compare orders two rows by length.
func (l *lengths) compare(a, b int) int {
	for _, g := range l.groups {
		if c := cmp.Compare(g.rows[a], g.rows[b]); c != 0 {
			return c
		}
	}
	return 0
}

// arrange makes batches of near lengths of shuffled rows. Rows that do not fill
// a batch stay where they are, at the end: any others would be longer than the
// rest.
func (l *lengths) arrange(rng *rand.Rand, rows []int, size, near int) {
	batches := len(rows) / size
	for window := range slices.Chunk(rows[:batches*size], near*size) {
		slices.SortStableFunc(window, l.compare)
	}
	rng.Shuffle(batches, func(i, j int) {
		for k := range size {
			a, b := i*size+k, j*size+k
			rows[a], rows[b] = rows[b], rows[a]
		}
	})
}

// ascending returns batches of all rows by length.
func (l *lengths) ascending(rows, size int) iter.Seq[[]int] {
	order := make([]int, rows)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, l.compare)
	return slices.Chunk(order, size)
}

// A holder is memory for a batch, which the next one takes over.
type holder struct {
	whole   Data
	lengths *lengths     // nil: a batch is as long as the whole
	sizes   map[int]Data // by the number of rows
	ids     []autograd.Ints
	cuts    map[cut]autograd.Ints
	needed  needed
}

// A needed function returns which rows of a batch of so many are looked at:
// from the first to below the second. Nil: all.
type needed func(rows int) (from, to int)

// A cut is the beginning of the memory of Ints. There are as many as lengths.
type cut struct{ which, rows, steps int }

func newHolder(whole Data, l *lengths) *holder {
	return &holder{
		whole: whole, lengths: l, sizes: map[int]Data{},
		ids: make([]autograd.Ints, len(whole.Ids)), cuts: map[cut]autograd.Ints{},
	}
}

// of returns the batch of those rows.
func (h *holder) of(rows []int) Data {
	batch, ok := h.sizes[len(rows)]
	if !ok {
		batch = h.whole.like(len(rows))
		h.sizes[len(rows)] = batch
	}
	if l := h.lengths; l != nil {
		for i, k := range l.ids {
			h.ids[i] = h.cut(i, k, batch.Ids[i], rows)
		}
		batch.Ids = h.ids
		batch.Labels = h.cut(-1, l.labels, batch.Labels, rows)
	}
	from, to := 0, len(rows)
	if h.needed != nil {
		from, to = h.needed(len(rows))
	}
	batch.gather(h.whole, rows, from, to)
	return batch
}

// cut returns the beginning of Ints, which are in group k, as long as the
// longest of those rows.
func (h *holder) cut(which, k int, x autograd.Ints, rows []int) autograd.Ints {
	if k < 0 {
		return x
	}
	key := cut{which, len(rows), h.lengths.longest(k, rows)}
	if short, ok := h.cuts[key]; ok {
		return short
	}
	shape := x.Shape()
	size := x.Size() / shape[1] * key.steps
	shape[1] = key.steps
	short := autograd.ViewInts(x.Values()[:size], shape...)
	h.cuts[key] = short
	return short
}

// counts returns how many labels count: all but those to ignore.
func counts(labels, ignore []int) int {
	n := 0
	for _, label := range labels {
		if !slices.Contains(ignore, label) {
			n++
		}
	}
	return n
}

// checkIgnored panics if labels to ignore make no sense for data.
func checkIgnored(op string, data Data, ignore []int) {
	switch {
	case len(ignore) == 0:
	case len(data.Labels.Shape()) == 0:
		panic(autograd.NewArgumentError(op, "IgnoreLabels are about Labels, the data have Targets"))
	case counts(data.Labels.Values(), ignore) == 0:
		panic(autograd.NewArgumentError(op, "no label counts: all are among IgnoreLabels %v", ignore))
	}
}
