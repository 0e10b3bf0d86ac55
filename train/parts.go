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
// do not depend on how many goroutines there are.
type crew struct {
	parts []*part
	work  chan *part // nil for a crew of one, which works in the caller
	due   sync.WaitGroup
	ended sync.WaitGroup
}

// A part is some rows of a batch, with a graph of their own.
type part struct {
	objective
	graph *autograd.Graph
	sizes map[int]Data          // memory by the number of rows
	ints  map[cut]autograd.Ints // by what they are of, rows and numbers in all
	batch Data
	ids   []autograd.Ints

	random autograd.RandomState
	weight int
	loss   float64
	grads  autograd.Gradients
	failed error
	crash  *failure
}

// newCrew returns nil unless the configuration has Workers.
func newCrew(op string, config Config) *crew {
	switch {
	case config.Workers < 0:
		panic(autograd.NewArgumentError(op, "Workers is %d", config.Workers))
	case config.Parts < 0:
		panic(autograd.NewArgumentError(op, "Parts is %d", config.Parts))
	case config.Workers == 0 && config.Parts > 0:
		panic(autograd.NewArgumentError(op, "there are Parts of a batch and no Workers"))
	case config.Workers == 0:
		return nil
	}
	count := config.Parts
	if count == 0 {
		count = defaultParts
	}
	c := &crew{}
	for range count {
		c.parts = append(c.parts, &part{
			objective: objective{Config: config}, graph: autograd.NewGraph(config.Graph),
			sizes: map[int]Data{}, ints: map[cut]autograd.Ints{},
		})
	}
	if config.Workers > 1 {
		c.work = make(chan *part, count)
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

// of returns the parts that a batch of so many rows has. None has fewer than
// two, unless the batch has: a normalization over rows needs as many.
func (c *crew) of(rows int) []*part { return c.parts[:max(1, min(len(c.parts), rows/2))] }

// learn computes loss and gradients of a batch, part by part, and adds the
// gradients to a sum. It returns the mean loss.
func (c *crew) learn(batch Data, epoch, number int, sum *autograd.Gradients) (float64, error) {
	rows := batch.Rows()
	parts := c.of(rows)
	c.due.Add(len(parts))
	for i, p := range parts {
		p.fill(batch, i*rows/len(parts), (i+1)*rows/len(parts))
		p.random = autograd.NewRandomState(p.Graph.Seed, uint64(epoch), uint64(number), uint64(i))
		if c.work != nil {
			c.work <- p
			continue
		}
		c.compute(p)
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
	loss, weight := 0.0, 0
	for _, p := range parts {
		if p.crash != nil {
			return 0, p.crash.err("a part of a batch")
		}
		if p.failed != nil {
			return 0, p.failed
		}
		if p.weight > 0 {
			sum.AddWeighted(p.grads, float64(p.weight))
			loss += p.loss * float64(p.weight)
			weight += p.weight
		}
	}
	return loss / float64(weight), checkParts(parts, *sum)
}

// compute finds a part's loss and gradients. The part is done even if that ends
// the goroutine.
func (c *crew) compute(p *part) {
	defer c.due.Done()
	p.compute()
}

// checkParts returns an error if the sum of gradients is not finite, and says
// which part it is from. Looking at the sum first takes one pass in place of
// many.
func checkParts(parts []*part, sum autograd.Gradients) error {
	name := nonFinite(sum)
	if name == nil {
		return nil
	}
	for _, p := range parts {
		if p.weight == 0 {
			continue
		}
		if err := p.checkGradients(p.grads, p.random, p.batch); err != nil {
			return err
		}
	}
	return &divergence{"the gradients of parameter " + name.Name() + " are finite, and their sum is not"}
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

// compute finds the part's loss and gradients. What panics is kept for the
// goroutine that waits for it.
func (p *part) compute() {
	p.weight, p.failed, p.crash = p.weigh(p.batch), nil, nil
	if p.weight == 0 {
		return
	}
	returned := false
	defer func() {
		if !returned {
			p.crash = &failure{recover(), debug.Stack()}
		}
	}()
	p.graph.Reset()
	p.graph.SetRandomState(p.random)
	_, p.loss, p.grads, p.failed = p.learn(p.graph, p.batch)
	returned = true
}

// learn computes the loss of a batch and its gradients. The error says where a
// NaN or infinity arose that made the loss one.
func (c *objective) learn(g *autograd.Graph, batch Data) (measured autograd.Value, loss float64, grads autograd.Gradients, err error) {
	random := g.RandomState()
	measured = c.loss(c.predict(g, batch), batch)
	loss = measured.Item()
	if !isFinite(loss) {
		return measured, loss, grads, c.origin(c.Graph, random, batch, fmt.Sprintf("the loss is %v", loss))
	}
	return measured, loss, measured.Backward(), nil
}

// checkGradients returns an error if gradients of a batch are not finite. The
// state is that in which its recording began.
func (c *objective) checkGradients(grads autograd.Gradients, random autograd.RandomState, batch Data) error {
	if p := nonFinite(grads); p != nil {
		return c.origin(c.Graph, random, batch, "the gradient of parameter "+p.Name()+" is not finite")
	}
	return nil
}
