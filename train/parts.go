package train

import (
	"fmt"
	"runtime/debug"
	"sync"

	"nabla/autograd"
)

// defaultParts is how many parts a batch has if Config.Parts does not say.
const defaultParts = 4

// A crew computes the parts of a batch on several goroutines. Which rows a part
// has, what its Dropout draws, and the order in which the gradients are added
// do not depend on how many goroutines there are, or members of a group.
type crew struct {
	count   int                   // of parts in all
	parts   []*part               // of this member
	reducer *reducer              // nil without a group
	span    int                   // the power of two that count is at most
	sums    []*autograd.Gradients // in between, of add
	work    chan *part            // nil for a crew of one, which works in the caller
	due     sync.WaitGroup
	ended   sync.WaitGroup
}

// A part is some rows of a batch, with a graph of their own.
type part struct {
	objective
	number  int
	graph   *autograd.Graph
	sizes   map[int]Data          // memory by the number of rows
	ints    map[cut]autograd.Ints // by what they are of, rows and numbers in all
	batch   Data
	ids     []autograd.Ints
	reducer *reducer
	told    autograd.BackwardOptions

	random autograd.RandomState
	weight int // of the batch; 0 if it has no such part
	grads  autograd.Gradients
	share  share
}

// newCrew returns nil unless the configuration has Workers or a Group.
func newCrew(op string, config Config, m *members) *crew {
	switch {
	case config.Workers < 0:
		panic(autograd.NewArgumentError(op, "Workers is %d", config.Workers))
	case config.Parts < 0:
		panic(autograd.NewArgumentError(op, "Parts is %d", config.Parts))
	case config.Workers == 0 && config.Parts > 0 && m.alone():
		panic(autograd.NewArgumentError(op, "there are Parts of a batch and neither Workers nor a Group"))
	case config.Workers == 0 && m.alone():
		return nil
	}
	c := &crew{count: config.Parts}
	if c.count == 0 {
		c.count = defaultParts
	}
	if c.count < m.size {
		panic(autograd.NewArgumentError(op, "Parts is %d, and the Group has %d members: some would have nothing to do", c.count, m.size))
	}
	for c.span = 1; c.span < c.count; c.span *= 2 {
	}
	var shares []*share
	from, to := shareOf(c.count, m.rank, m.size)
	for i := from; i < to; i++ {
		p := &part{
			objective: objective{Config: config}, number: i, graph: autograd.NewGraph(config.Graph),
			sizes: map[int]Data{}, ints: map[cut]autograd.Ints{},
		}
		p.share.gathers = config.Accumulate > 1
		c.parts, shares = append(c.parts, p), append(shares, &p.share)
	}
	if !m.alone() {
		c.reducer = newReducer(op, m, c.count, shares, config.params(), config.Bucket)
		for _, p := range c.parts {
			p.reducer = c.reducer
			p.told.OnParam = func(grads autograd.Gradients, of *autograd.Param) {
				p.share.tell(grads, of, float64(p.weight), c.reducer)
			}
		}
	}
	if config.Workers > 1 {
		c.work = make(chan *part, len(c.parts))
	}
	return c
}

// start begins the goroutines beside the caller's, which stop ends.
func (c *crew) start() {
	if c == nil || c.work == nil {
		return
	}
	for range min(c.parts[0].Workers, len(c.parts)) - 1 {
		c.ended.Go(func() {
			for p := range c.work {
				c.compute(p)
			}
		})
	}
}

func (c *crew) stop() {
	if c != nil && c.work != nil {
		close(c.work)
		c.ended.Wait()
	}
}

// clear forgets what the parts have found, for the next step.
func (c *crew) clear() {
	for _, p := range c.parts {
		p.share.clear()
	}
}

// of returns how many parts a batch of so many rows has. None has fewer than
// two, unless the batch has: a normalization over rows needs as many.
func (c *crew) of(rows int) int { return max(1, min(c.count, rows/2)) }

// needed returns the rows of a batch that this member's parts have.
func (c *crew) needed(rows int) (from, to int) {
	n := c.of(rows)
	first, last := min(c.parts[0].number, n), min(c.parts[len(c.parts)-1].number+1, n)
	return first * rows / n, last * rows / n
}

// learn computes the gradients of a batch, part by part. If it is the last of a
// step, a group begins to add them up meanwhile. The error is that of the first
// part that failed; a group's is known in the end of the step.
func (c *crew) learn(batch Data, epoch, number int, last bool) error {
	rows, active := batch.Rows(), 0
	n := c.of(rows)
	for _, p := range c.parts {
		if p.weight = 0; p.number < n {
			p.fill(batch, p.number*rows/n, (p.number+1)*rows/n)
			p.weight = p.weigh(p.batch)
			p.random = autograd.NewRandomState(p.Graph.Seed, uint64(epoch), uint64(number), uint64(p.number))
		}
		if p.weight > 0 {
			active++
		}
	}
	if last && c.reducer != nil {
		c.reducer.start(active)
	}
	c.computeAll(active)
	if c.reducer != nil {
		return nil
	}
	for _, p := range c.parts {
		if p.share.failed != nil {
			return orPanic(p.share.failed)
		}
	}
	return nil
}

// computeAll computes those parts that have something that counts.
func (c *crew) computeAll(active int) {
	c.due.Add(active)
	for _, p := range c.parts {
		switch {
		case p.weight == 0:
		case c.work != nil:
			c.work <- p
		default:
			c.compute(p)
		}
	}
	for left := c.work != nil; left; {
		select {
		case p := <-c.work:
			c.compute(p)
		default:
			left = false
		}
	}
	c.due.Wait()
}

// orPanic returns an error, or panics if it is of a panic.
func orPanic(err error) error {
	if crash, ok := err.(*PrepareError); ok {
		panic(crash)
	}
	return err
}

// sum adds up what all parts have found in a step, and returns the sum of the
// losses, times their weights.
func (c *crew) sum(total *autograd.Gradients) (loss float64, err error) {
	if c.reducer != nil {
		if err := c.reducer.finish(); err != nil {
			return 0, orPanic(err)
		}
		for _, l := range c.reducer.letters {
			loss += l.loss
		}
		c.reducer.assemble(total)
	} else {
		for _, p := range c.parts {
			loss += p.share.loss
		}
		c.add(total, 0, c.span, 0)
	}
	return loss, c.checkSum(*total)
}

// add adds the sum of some parts of the tree, a power of two from the first on,
// to a sum that is empty. It goes down to the parts and so needs few sums in
// between, which stay in the processor's caches.
func (c *crew) add(to *autograd.Gradients, first, parts, depth int) {
	if parts == 1 {
		c.parts[first].share.addTo(to)
		return
	}
	half := parts / 2
	c.add(to, first, half, depth)
	switch second := first + half; {
	case second >= c.count:
	case half == 1:
		c.parts[second].share.addTo(to)
	default:
		if depth == len(c.sums) {
			c.sums = append(c.sums, &autograd.Gradients{})
		}
		c.sums[depth].Clear()
		c.add(c.sums[depth], second, half, depth+1)
		to.Add(*c.sums[depth])
	}
}

// compute finds a part's loss and gradients. The part is done even if that ends
// the goroutine.
func (c *crew) compute(p *part) {
	defer c.due.Done()
	p.compute()
}

// checkSum returns an error if a sum of gradients is not finite, and says which
// part of the last batch it is from. Looking at the sum first takes one pass in
// place of many.
func (c *crew) checkSum(sum autograd.Gradients) error {
	name := nonFinite(sum)
	fast := c.reducer != nil && c.reducer.isFast() // sums of two members may differ
	if name == nil && !fast {
		return nil
	}
	var err error
	for _, p := range c.parts {
		if name != nil && p.weight > 0 && err == nil {
			err = p.checkGradients(p.grads, p.random, p.batch)
		}
	}
	if c.reducer != nil {
		err = c.reducer.m.report(err)
	}
	if err == nil && name != nil {
		err = &divergence{"the gradients of parameter " + name.Name() + " are finite, and their sum is not"}
	}
	if fast {
		err = c.reducer.m.agree(err)
	}
	return err
}

// fill makes the part that of those rows of a batch, which it copies: views
// would take memory in every step.
func (p *part) fill(batch Data, from, to int) {
	rows := to - from
	own, ok := p.sizes[rows]
	if !ok {
		own = Data{Inputs: batch.Inputs, Targets: batch.Targets}.like(rows)
		p.sizes[rows] = own
	}
	copyRows(own.Inputs, batch.Inputs, from, to, batch.Rows())
	copyRows(own.Targets, batch.Targets, from, to, batch.Rows())
	p.ids = p.ids[:0]
	for i, ids := range batch.Ids {
		p.ids = append(p.ids, p.copyInts(i, ids, from, to))
	}
	own.Ids = p.ids
	if batch.Labels.Rank() > 0 {
		own.Labels = p.copyInts(-1, batch.Labels, from, to)
	}
	p.batch = own
}

// copyInts returns rows of Ints in memory of the part's own.
func (p *part) copyInts(which int, x autograd.Ints, from, to int) autograd.Ints {
	width := x.Size() / x.Dim(0)
	key := cut{which, to - from, width}
	own, ok := p.ints[key]
	if !ok {
		own = intsLike(x, to-from)
		p.ints[key] = own
	}
	copy(own.Values(), x.Values()[from*width:to*width])
	return own
}

func copyRows(dst, src autograd.Tensor, from, to, rows int) {
	if !isGiven(src) {
		return
	}
	width := src.Size() / rows
	if src.Precision() == autograd.Float32 {
		copy(dst.Raw32(), src.Raw32()[from*width:to*width])
	} else {
		copy(dst.Raw64(), src.Raw64()[from*width:to*width])
	}
}

// compute finds the part's loss and gradients, and adds them to its share.
func (p *part) compute() {
	returned := false
	defer func() {
		if !returned {
			f := failure{recover(), debug.Stack()}
			p.share.fail(f.asError("a part of a batch"))
		}
	}()
	p.graph.Reset()
	p.graph.SetRandomState(p.random)
	var loss float64
	var err error
	_, loss, p.grads, err = p.learn(p.graph, p.batch, p.told)
	if err == nil && p.share.gathers { // of a later batch no part has the gradients any more
		err = p.checkGradients(p.grads, p.random, p.batch)
	}
	if err != nil {
		p.share.fail(err)
	} else {
		p.share.add(p.grads, float64(p.weight), loss, p.reducer)
	}
	returned = true
}

// fail notes the first error.
func (s *share) fail(err error) {
	if s.failed == nil {
		s.failed = err
	}
}

// learn computes the loss of a batch and its gradients. The error says where a
// NaN or infinity arose that made the loss one.
func (c *objective) learn(g *autograd.Graph, batch Data, options autograd.BackwardOptions) (measured autograd.Value, loss float64, grads autograd.Gradients, err error) {
	random := g.RandomState()
	measured = c.loss(c.predict(g, batch), batch)
	loss = measured.Item()
	if !isFinite(loss) {
		return measured, loss, grads, c.origin(c.Graph, random, batch, fmt.Sprintf("the loss is %v", loss))
	}
	if options.OnParam == nil {
		return measured, loss, measured.Backward(), nil
	}
	return measured, loss, measured.BackwardWith(options), nil
}

// checkGradients returns an error if gradients of a batch are not finite. The
// state is that in which its recording began.
func (c *objective) checkGradients(grads autograd.Gradients, random autograd.RandomState, batch Data) error {
	if p := nonFinite(grads); p != nil {
		return c.origin(c.Graph, random, batch, "the gradient of parameter "+p.Name()+" is not finite")
	}
	return nil
}
