package train

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"

	"nabla/autograd"
	"nabla/internal/kernel"
)

// defaultBucket is how many bytes of gradients go at once if Config.Bucket does
// not say.
const defaultBucket = 1 << 20

// A share is what the steps' batches have found so far for one part, to be
// added to that of other parts.
type share struct {
	gathers bool               // what several batches have found
	sum     autograd.Gradients // weighted, of several batches; otherwise of statistics, for others
	last    autograd.Gradients // of the last batch
	weight  float64
	loss    float64 // times the weight
	failed  error   // of the first batch that failed; a *PrepareError is to be a panic

	// For others: the gradients by the place of their Param in the plan, and
	// these places in the order of first use.
	found []found
	order []int
	known []bool // which are in order
}

// A found is the gradient of a Param in a share.
type found struct {
	form   form
	ids    []int           // of the rows, if it is by rows
	t      autograd.Tensor // the whole, or the rows
	weight float64         // to be multiplied with
}

type form byte

const (
	none form = iota
	byRows
	whole
)

// clear empties a share for the next step.
func (s *share) clear() {
	s.sum.Clear()
	s.last = autograd.Gradients{}
	s.weight, s.loss, s.failed = 0, 0, nil
	clear(s.found)
	clear(s.known)
	s.order = s.order[:0]
}

// A reducer adds up the shares of all members of a group. The gradients are cut
// into buckets, from the last Param to the first, since that is how a backward
// pass completes them: a bucket goes as soon as all of it is there.
//
// What else there is, such as weights and losses, goes at the end, as a letter.
type reducer struct {
	m       *members
	tree    tree
	parts   int
	from    int // the first part of this member
	shares  []*share
	params  []*autograd.Param
	place   map[*autograd.Param]int
	frozen  []bool // which of them are, in the buckets' plan
	bytes   int    // of a bucket
	buckets []*bucket
	at      []placed // where each Param is; without a bucket those that are in none

	running bool
	ended   chan error
	letters []letter // of all parts
}

// newReducer returns the reducer of a member whose parts have those shares.
func newReducer(op string, m *members, parts int, shares []*share, params []*autograd.Param, bytes int) *reducer {
	switch {
	case bytes < 0:
		panic(autograd.NewArgumentError(op, "Bucket is %d", bytes))
	case len(params) == 0:
		panic(autograd.NewArgumentError(op, "a Group must know what is trained: there are neither Params nor a Model that has them"))
	case bytes == 0:
		bytes = defaultBucket
	}
	r := &reducer{
		m: m, tree: newTree(parts, m.rank, m.size), parts: parts, shares: shares, params: params, bytes: bytes,
		place: map[*autograd.Param]int{}, ended: make(chan error, 1), letters: make([]letter, parts),
	}
	r.from, _ = shareOf(parts, m.rank, m.size)
	for i, p := range params {
		r.place[p] = i
	}
	for _, s := range shares {
		s.found, s.known = make([]found, len(params)), make([]bool, len(params))
	}
	return r
}

// plan cuts the gradients into buckets, anew if other Params are frozen.
func (r *reducer) plan() {
	same := len(r.frozen) == len(r.params)
	for i := 0; same && i < len(r.params); i++ {
		same = r.frozen[i] == r.params[i].Frozen
	}
	if same {
		return
	}
	r.frozen, r.at, r.buckets = make([]bool, len(r.params)), make([]placed, len(r.params)), nil
	open := map[autograd.Precision]*bucket{}
	for i, p := range slices.Backward(r.params) {
		if r.frozen[i] = p.Frozen; p.IsStatistic() || p.Frozen {
			continue
		}
		b := open[p.Precision()]
		if b == nil || b.size+p.Size() > r.bytes/b.width {
			b = &bucket{width: widthOf(p.Precision()), ready: make(chan struct{}, 1)}
			open[p.Precision()] = b
			r.buckets = append(r.buckets, b)
		}
		r.at[i] = placed{b, b.size, b.size + p.Size()}
		b.params = append(b.params, i)
		b.size += p.Size()
	}
	for _, b := range r.buckets {
		if b.width == widthOf(autograd.Float32) {
			b.numbers = newVector[float32](b.size, &r.tree, r.m, len(r.shares))
		} else {
			b.numbers = newVector[float64](b.size, &r.tree, r.m, len(r.shares))
		}
	}
}

// widthOf returns the bytes of a number.
func widthOf(p autograd.Precision) int {
	if p == autograd.Float32 {
		return 4
	}
	return 8
}

// start begins to add up, while some parts may still be at work: as many as
// are active will complete gradients.
func (r *reducer) start(active int) {
	r.plan()
	for _, b := range r.buckets {
		b.sent.Store(false)
		b.missing.Store(int32(len(b.params) * active))
	}
	r.running = true
	go func() { r.ended <- r.run() }()
}

// run adds up one bucket after the other.
func (r *reducer) run() error {
	for _, b := range r.buckets {
		<-b.ready
		b.numbers.pack(b, r)
		if err := r.m.check(b.numbers.reduce(r.m, &r.tree)); err != nil {
			return err
		}
	}
	return nil
}

// completed notes that a part will not change the gradient of a Param any more.
func (r *reducer) completed(param int) {
	if !r.running {
		return
	}
	if b := r.at[param].bucket; b != nil && b.missing.Add(-1) == 0 {
		b.send()
		runtime.Gosched() // what sends it may wait for a processor
	}
}

// finish waits until all is added up, when no part is at work any more.
func (r *reducer) finish() error {
	if !r.running {
		r.start(0)
	}
	for _, b := range r.buckets {
		b.send()
	}
	err := <-r.ended
	r.running = false
	if err != nil {
		return err
	}
	return r.exchangeLetters()
}

// isFast reports whether the group adds up in an order of its own.
func (r *reducer) isFast() bool {
	_, fast := r.m.group.(Adder)
	return fast
}

// A bucket is some Params whose gradients go at once.
type bucket struct {
	params  []int // by their places
	size    int   // numbers
	width   int   // bytes of a number
	numbers vector
	missing atomic.Int32 // gradients that are not complete
	sent    atomic.Bool
	ready   chan struct{}
}

// A placed is where the gradient of a Param is.
type placed struct {
	bucket   *bucket
	from, to int
}

// send hands a bucket over, once.
func (b *bucket) send() {
	if b.sent.CompareAndSwap(false, true) {
		b.ready <- struct{}{}
	}
}

// A vector is the numbers of a bucket.
type vector interface {
	// pack takes over what the member's own parts have found, and adds it up.
	pack(b *bucket, r *reducer)
	// reduce adds up what the members have packed.
	reduce(m *members, t *tree) error
	// total returns a part of the result.
	total(from, to int, shape []int) autograd.Tensor
}

// A vectorOf is a vector of one precision.
type vectorOf[T kernel.Float] struct {
	parts [][]T // of the member's own parts
	sum   []T   // of all
	first int   // the number of the first part

	// Each member adds up a piece of the vector.
	ends     []int // where the members' pieces end
	packed   [][]T // what goes to each member, if that is not in one place
	received [][]T
	nodes    [][]T // of the tree, in received
}

func newVector[T kernel.Float](size int, t *tree, m *members, parts int) vector {
	v := &vectorOf[T]{sum: make([]T, size), packed: make([][]T, m.size), received: make([][]T, m.size)}
	for range parts {
		v.parts = append(v.parts, make([]T, size))
	}
	all := 0
	for _, roots := range t.roots {
		all = max(all, slices.Max(roots)+1)
	}
	v.nodes = make([][]T, all)
	from := 0
	for i := range m.size {
		v.ends = append(v.ends, (i+1)*size/m.size)
		if len(t.roots[m.rank]) > 1 {
			v.packed[i] = make([]T, 0, len(t.roots[m.rank])*(v.ends[i]-from))
		}
		from = v.ends[i]
	}
	own := v.piece(v.sum, m.rank)
	for i := range m.size {
		v.received[i] = make([]T, len(t.roots[i])*len(own))
		for k, root := range t.roots[i] {
			v.nodes[root] = v.received[i][k*len(own) : (k+1)*len(own)]
		}
	}
	return v
}

// piece returns the part of a vector that a member adds up.
func (v *vectorOf[T]) piece(x []T, rank int) []T {
	from := 0
	if rank > 0 {
		from = v.ends[rank-1]
	}
	return x[from:v.ends[rank]]
}

func (v *vectorOf[T]) pack(b *bucket, r *reducer) {
	v.first = r.from
	for k, x := range v.parts {
		for _, p := range b.params {
			put(x[r.at[p].from:r.at[p].to], r.shares[k].found[p])
		}
	}
	for _, p := range r.tree.own {
		kernel.Accumulate(v.parts[p.to-r.from], v.parts[p.from-r.from])
	}
}

// put copies a gradient times its weight. It spreads rows, and puts zeros if
// there is none.
func put[T kernel.Float](dst []T, f found) {
	if f.form != whole {
		clear(dst)
	}
	switch x := rawOf[T](f.t, f.form); f.form {
	case whole:
		times(dst, x, f.weight)
	case byRows:
		inner := len(x) / max(len(f.ids), 1)
		for i, id := range f.ids {
			times(dst[id*inner:(id+1)*inner], x[i*inner:(i+1)*inner], f.weight)
		}
	}
}

// times writes weight·x to dst.
func times[T kernel.Float](dst, x []T, weight float64) {
	if weight == 1 {
		copy(dst, x)
		return
	}
	switch x := any(x).(type) {
	case []float32:
		kernel.Scale.F32(any(dst).([]float32), x, weight, 0)
	case []float64:
		kernel.Scale.F64(any(dst).([]float64), x, weight, 0)
	}
}

// rawOf returns a tensor's numbers, nil if there is none.
func rawOf[T kernel.Float](t autograd.Tensor, f form) (x []T) {
	if f == none {
		return nil
	}
	switch to := any(&x).(type) {
	case *[]float32:
		*to = t.Raw32()
	case *[]float64:
		*to = t.Raw64()
	}
	return x
}

// reduce lets each member add up a piece, for which the others send it theirs,
// and then send it to all.
func (v *vectorOf[T]) reduce(m *members, t *tree) error {
	roots := t.roots[m.rank]
	if adder, ok := m.group.(Adder); ok {
		return v.addFast(adder, roots)
	}
	for i := range m.size {
		m.send[i] = bytesOf(v.outgoing(i, roots))
		m.receive[i] = bytesOf(v.received[i])
	}
	if err := m.exchange(); err != nil {
		return err
	}
	for _, p := range t.rest {
		kernel.Accumulate(v.nodes[p.to], v.nodes[p.from])
	}
	m.toAll(bytesOf(v.nodes[0]))
	for i := range m.size {
		m.receive[i] = bytesOf(v.piece(v.sum, i))
	}
	return m.exchange()
}

// outgoing returns the sums that go to a member.
func (v *vectorOf[T]) outgoing(to int, roots []int) []T {
	if len(roots) == 1 {
		return v.piece(v.parts[roots[0]-v.first], to)
	}
	all := v.packed[to][:0]
	for _, root := range roots {
		all = append(all, v.piece(v.parts[root-v.first], to)...)
	}
	return all
}

func (v *vectorOf[T]) addFast(a Adder, roots []int) error {
	copy(v.sum, v.parts[roots[0]-v.first])
	for _, root := range roots[1:] {
		kernel.Accumulate(v.sum, v.parts[root-v.first])
	}
	switch sum := any(v.sum).(type) {
	case []float32:
		return a.Add32(sum)
	case []float64:
		return a.Add64(sum)
	}
	return nil
}

func (v *vectorOf[T]) total(from, to int, shape []int) autograd.Tensor {
	switch sum := any(v.sum).(type) {
	case []float32:
		return autograd.ViewTensor32(sum[from:to], shape...)
	case []float64:
		return autograd.ViewTensor(sum[from:to], shape...)
	}
	return autograd.Tensor{}
}

// add takes over the gradients of a batch. Those of which others are told have
// been taken over one by one.
func (s *share) add(grads autograd.Gradients, weight, loss float64, r *reducer) {
	s.weight += weight
	s.loss += weight * loss
	switch {
	case r != nil:
		s.addRest(grads, weight, r)
	case s.gathers:
		s.sum.AddWeighted(grads, weight)
	default:
		s.last = grads
	}
}

// addTo adds what was found to a sum.
func (s *share) addTo(sum *autograd.Gradients) {
	switch {
	case s.gathers:
		sum.Add(s.sum)
	case s.weight > 0:
		sum.AddWeighted(s.last, s.weight)
	}
}

// addRest takes over all but the numbers of the gradients, for others.
func (s *share) addRest(grads autograd.Gradients, weight float64, r *reducer) {
	for p := range grads.Stored() {
		if k, ok := r.place[p]; ok && !s.known[k] {
			s.order, s.known[k] = append(s.order, k), true
		}
	}
	for p, o := range grads.ObservedSums() {
		if _, ok := r.place[p]; !ok {
			s.fail(unknown("statistic", p))
			return
		}
		s.sum.AddObserved(p, o, weight)
	}
}

// tell takes over the gradient of one Param of a batch, for others.
func (s *share) tell(grads autograd.Gradients, p *autograd.Param, weight float64, r *reducer) {
	k, ok := r.place[p]
	if !ok {
		s.fail(unknown("parameter", p))
		return
	}
	if !s.gathers {
		s.found[k] = foundIn(grads, p, weight)
	} else {
		f := foundIn(grads, p, weight)
		ids := autograd.Ints{}
		if f.form == byRows {
			ids = autograd.ViewInts(f.ids)
		}
		s.sum.AddParam(p, ids, f.t, weight)
		s.found[k] = foundIn(s.sum, p, 1)
	}
	r.completed(k)
}

// foundIn returns where the gradient of a Param is.
func foundIn(in autograd.Gradients, p *autograd.Param, weight float64) found {
	if ids, rows, ok := in.Rows(p); ok {
		return found{byRows, ids.Values(), rows, weight}
	}
	return found{whole, nil, in.OfParam(p), weight}
}

func unknown(what string, p *autograd.Param) error {
	return fmt.Errorf("%s %s is trained in a Group, and is neither among the configuration's Params nor its Model's", what, p.Name())
}

// assemble makes the total of what was added up.
func (r *reducer) assemble(total *autograd.Gradients) {
	for p := range pairs(r.parts) {
		r.letters[p.to].merge(&r.letters[p.from])
	}
	all := &r.letters[0]
	for _, k := range all.order {
		p, f := r.params[k], all.forms[k]
		at := r.at[k]
		sum := at.bucket.numbers.total(at.from, at.to, p.Shape())
		if f.form == byRows {
			total.AddParam(p, autograd.ViewInts(f.ids), sum.Take(f.ids...), 1)
		} else {
			total.AddParam(p, autograd.Ints{}, sum, 1)
		}
	}
	for p, o := range all.observed.ObservedSums() {
		total.AddObserved(p, o, 1)
	}
	for i := range r.letters {
		total.AddWeight(r.letters[i].weight)
	}
}

// An AllReduce puts in the place of a member's sum of Gradients the sum of all
// members' sums. Each of them calls it once for every step.
type AllReduce func(sum *autograd.Gradients) error

// NewAllReduce returns the AllReduce of a member, for loops of one's own: those
// of goroutines, of processes, and of tests are alike. All members name the
// same Params and statistics, in the same order.
//
//	allReduce := train.NewAllReduce(member, model.Params()...)
//	…
//	sum.Clear()
//	sum.AddWeighted(loss.Backward(), float64(rows))
//	if err := allReduce(&sum); err != nil {
//		return err
//	}
//	sum.Average()
//	optimizer.Step(sum)
//
// The members are added up as the parts of a batch are, see [Config].Parts, and
// their weights too. Gradients of Params that have been Frozen meanwhile are
// left out. The sum must not come from Backward itself, which panics with a
// *[autograd.GradientError]; NewAllReduce panics with an
// *[autograd.ArgumentError] if there are no Params or group is nil, and with a
// *[autograd.NameError] if two have one name. The error is a *[GroupError].
func NewAllReduce(group Group, params ...*autograd.Param) AllReduce {
	const op = "train: NewAllReduce"
	if group == nil {
		panic(autograd.NewArgumentError(op, "the Group is nil"))
	}
	autograd.CheckNames(op, params...)
	m, s := newMembers(op, group), &share{}
	r := newReducer(op, m, m.size, []*share{s}, params, 0)
	return func(sum *autograd.Gradients) error {
		sum.AddWeight(0) // panics unless it is a sum
		*s = share{sum: *sum, weight: sum.Weight(), found: s.found, known: s.known, order: s.order[:0]}
		clear(s.found)
		for p := range sum.Stored() {
			if p.Frozen { // since the gradient was computed
				continue
			}
			k, ok := r.place[p]
			if !ok {
				s.fail(unknown("parameter", p))
				break
			}
			s.found[k] = foundIn(*sum, p, 1)
			s.order = append(s.order, k)
		}
		if err := r.finish(); err != nil {
			return err
		}
		sum.Clear()
		r.assemble(sum)
		return nil
	}
}
