package autograd

import (
	"fmt"

	"nabla/internal/kernel"
)

// KeyValues are the keys and values of the steps of a sequence so far, kept
// beside the graphs: a cache for generation, where each new step attends to all
// before it and only its own key and value are new. They stay over the graph's
// Reset. Nothing has a gradient: the graphs need the option NoGrad.
//
// KeyValues serve one goroutine at a time.
type KeyValues struct {
	most                      int
	batch, heads, width, wide int // of values: wide
	steps                     int
	precision                 Precision
	k64, v64                  []float64 // [batch, heads, most, width]
	k32, v32                  []float32
	spare64                   []float64 // for Take
	spare32                   []float32
}

// NewKeyValues returns KeyValues for up to that many steps. Batch, heads and
// widths are those of the first that are added. It panics with an
// [*ArgumentError] if the number is not positive.
func NewKeyValues(steps int) *KeyValues {
	if steps < 1 {
		panic(NewArgumentError("NewKeyValues", "room for %d steps", steps))
	}
	return &KeyValues{most: steps}
}

// Len returns the number of steps that are kept.
func (c *KeyValues) Len() int { return c.steps }

// Clear forgets all steps, and keeps the memory. Others may have another batch.
func (c *KeyValues) Clear() { c.steps = 0 }

// Cut forgets all steps but the first. It panics with an [*ArgumentError] if
// there are not that many.
func (c *KeyValues) Cut(steps int) {
	if steps < 0 || steps > c.steps {
		panic(NewArgumentError("KeyValues.Cut", "%d steps of %d", steps, c.steps))
	}
	c.steps = steps
}

// Take makes the samples at these rows, in that order, the batch: a beam search
// goes on with some of its sequences, some of them twice. It panics with an
// [*IndexError] if a row is out of range.
func (c *KeyValues) Take(rows ...int) {
	if c.steps == 0 {
		return
	}
	for _, row := range rows {
		if row < 0 || row >= c.batch {
			panic(NewIndexError("KeyValues.Take", "row", row, c.batch))
		}
	}
	if c.precision == Float32 {
		c.k32, c.spare32 = takeRows(c, c.spare32, c.k32, rows, c.width)
		c.v32, c.spare32 = takeRows(c, c.spare32, c.v32, rows, c.wide)
	} else {
		c.k64, c.spare64 = takeRows(c, c.spare64, c.k64, rows, c.width)
		c.v64, c.spare64 = takeRows(c, c.spare64, c.v64, rows, c.wide)
	}
	c.batch = len(rows)
}

// takeRows copies the steps of the rows to spare memory, and returns that and
// the memory that is spare now.
func takeRows[T kernel.Float](c *KeyValues, spare, x []T, rows []int, width int) (taken, free []T) {
	head := c.most * width
	if spare = spare[:cap(spare)]; len(spare) < len(rows)*c.heads*head {
		spare = make([]T, len(rows)*c.heads*head)
	}
	for i, row := range rows {
		for h := range c.heads {
			from, to := (row*c.heads+h)*head, (i*c.heads+h)*head
			copy(spare[to:to+c.steps*width], x[from:from+c.steps*width])
		}
	}
	return spare, x
}

// Next adds the keys and values of new steps, behind those that are kept, and
// returns what the queries of these steps get by [Attention], causally: a step
// sees those before it and itself. The operands are those of Attention; mask
// and bias broadcast to [batch, heads, steps, all steps]. The results are those
// that Attention gives for the whole sequence, but for rounding.
//
// It panics as Attention does; with an [*ArgumentError] if there is no room for
// the steps, for Lengths or an Offset, and for another precision than before;
// with a [*ShapeError] if the batch, heads or widths are not those of the steps
// kept; and with a [*GradientError] unless the graph has the option NoGrad.
func (c *KeyValues) Next(q, k, v Value, options AttentionOptions) Value {
	const op = "KeyValues.Next"
	a := attention{g: q.g}
	a.measure(q, k, v, options)
	c.check(op, a.g, a.Batch, a.KVHeads, a.Seen, a.Width, a.VWidth)
	if options.Offset != 0 || options.Lengths.shape != nil {
		panic(NewArgumentError(op, "lengths, or an offset of %d: the cache knows them", options.Offset))
	}
	added := a.Seen
	a.Seen += c.steps
	options.Causal, options.Offset = true, c.steps
	a.set(options)
	a.Seen = added
	if a.g.single {
		_, keys, values := headed(&a, source[float32](&a, 0), source[float32](&a, 1), source[float32](&a, 2))
		keep(c, c.k32, c.v32, keys, values, added)
	} else {
		_, keys, values := headed(&a, source[float64](&a, 0), source[float64](&a, 1), source[float64](&a, 2))
		keep(c, c.k64, c.v64, keys, values, added)
	}
	return c.attend(&a)
}

// Add adds keys and values and looks at nothing, as for a memory that each step
// of another sequence attends to. The operands are those of [Attention]:
// [batch, kv heads, seen, width], or [batch, seen, kv heads·width], for which
// kvHeads is needed and v may be the zero Value. It panics as Next does.
func (c *KeyValues) Add(k, v Value, kvHeads int) {
	const op = "KeyValues.Add"
	a := attention{g: k.g, side: k.Rank() == 3}
	a.KVHeads = kvHeads
	a.measureKeys(k, v)
	c.check(op, a.g, a.Batch, a.KVHeads, a.Seen, a.Width, a.VWidth)
	if a.g.single {
		_, keys, values := headed(&a, nil, source[float32](&a, 1), source[float32](&a, 2))
		keep(c, c.k32, c.v32, keys, values, a.Seen)
	} else {
		_, keys, values := headed(&a, nil, source[float64](&a, 1), source[float64](&a, 2))
		keep(c, c.k64, c.v64, keys, values, a.Seen)
	}
}

// Attend returns what queries, [batch, heads, steps, width] or [batch, steps,
// heads·width], get by [Attention] of all steps that are kept. It panics as
// Next does, and with an [*ArgumentError] if no steps are kept.
func (c *KeyValues) Attend(q Value, options AttentionOptions) Value {
	const op = "KeyValues.Attend"
	if c.steps == 0 {
		panic(NewArgumentError(op, "there are no steps to attend to"))
	}
	a := attention{g: q.g}
	if a.measureQueries(q, options.Heads); a.side {
		a.Width = a.part(0, a.Heads, "the heads")
	}
	a.KVHeads, a.Seen, a.VWidth = c.heads, c.steps, c.wide
	if a.Batch != c.batch || a.Width != c.width || a.Heads%c.heads != 0 {
		panic(shapeError(op, "the queries do not fit the keys, [batch, kv heads, steps, width]", " to ", a.dims(0), []int{c.batch, c.heads, c.steps, c.width}))
	}
	c.check(op, a.g, c.batch, c.heads, 0, c.width, c.wide)
	a.set(options)
	return c.attend(&a)
}

// check panics unless steps of that kind can be added, for which it makes room.
func (c *KeyValues) check(op string, g *Graph, batch, heads, steps, width, wide int) {
	if !g.options.NoGrad {
		panic(&GradientError{op, "there are no gradients through a cache: the graph needs the option NoGrad", callSite()})
	}
	if c.steps+steps > c.most {
		panic(NewArgumentError(op, "%d steps and %d more: there is room for %d", c.steps, steps, c.most))
	}
	same := c.batch == batch && c.heads == heads && c.width == width && c.wide == wide
	switch {
	case c.steps == 0 && !(same && c.precision == g.options.Precision):
		*c = KeyValues{most: c.most, batch: batch, heads: heads, width: width, wide: wide, precision: g.options.Precision}
	case !same:
		reason := fmt.Sprintf("other batch, kv heads or widths (%d for the values) than the steps that are kept (%d)", wide, c.wide)
		panic(shapeError(op, reason, " and ", []int{batch, heads, steps, width}, []int{c.batch, c.heads, c.steps, c.width}))
	case c.precision != g.options.Precision:
		panic(NewArgumentError(op, "a graph in %v, where the steps kept are in %v", g.options.Precision, c.precision))
	}
	if size := batch * heads * c.most; c.precision == Float32 {
		c.k32, c.v32 = grown(c.k32, size*width), grown(c.v32, size*wide)
	} else {
		c.k64, c.v64 = grown(c.k64, size*width), grown(c.v64, size*wide)
	}
}

// grown returns x if it holds n numbers, and otherwise new memory.
func grown[T kernel.Float](x []T, n int) []T {
	if len(x) < n {
		return make([]T, n)
	}
	return x
}

// keep copies new keys and values behind those that are there.
func keep[T kernel.Float](c *KeyValues, k, v []T, keys, values kernel.Headed[T], steps int) {
	for b := range c.batch {
		for h := range c.heads {
			first := (b*c.heads+h)*c.most + c.steps
			for i := range steps {
				copy(k[(first+i)*c.width:(first+i+1)*c.width], keys.Of[keys.At(b, h, i):])
				copy(v[(first+i)*c.wide:(first+i+1)*c.wide], values.Of[values.At(b, h, i):])
			}
		}
	}
	c.steps += steps
}

// attend records the attention of queries to all steps.
func (c *KeyValues) attend(a *attention) Value {
	own := a.Seen
	n := a.record()
	n.extra.told[0] = 1 // the keys and values are none of the inputs
	if a.g.single {
		attendKept(c, a, n, own, c.k32, c.v32)
	} else {
		attendKept(c, a, n, own, c.k64, c.v64)
	}
	return a.g.done()
}

func attendKept[T kernel.Float](c *KeyValues, a *attention, n *node, own int, k, v []T) {
	a.Seen = own
	t := attending[T](a, n)
	t.Seen = c.steps
	t.K, t.V = stacked(k, c.heads, c.most, c.width), stacked(v, c.heads, c.most, c.wide)
	kernel.Attend(&t)
}
