package autograd

import (
	"fmt"
	"math"

	"nabla/internal/kernel"
)

var opAttention = operation{name: "attention", method: "Attention"}

// AttentionOptions are the settings of [Attention]. The zero AttentionOptions
// let every query see every key.
type AttentionOptions struct {
	Mask    Value   // 1 where a query may see a key and 0 where not; broadcasts to [batch, heads, steps, seen]. The zero Value: no mask
	Bias    Value   // added to the scores, broadcasts likewise; −Inf hides the key. It may need a gradient. The zero Value: none
	Lengths Ints    // [batch]: how many keys of each sample there are, 1 at least. Those behind are padding, and never read. The zero Ints: all
	Causal  bool    // query i sees the keys up to i + Offset
	Offset  int     // of the first query among the keys, with Causal: how many keys there were before
	Scale   float64 // of the scores; 0: 1/√width
	Dropout float64 // the rate at which weights are dropped in training: see [Value.Dropout]

	// Of operands with three axes, in which the heads lie side by side.
	Heads   int // of the queries
	KVHeads int // of the keys and values; 0: Heads
}

// Attention returns scaled dot-product attention (Vaswani et al., Attention Is
// All You Need, 2017): for each query, the mean of the values of the keys that
// it sees, weighted by the softmax of their products with the query.
//
//	y = p·v with p = softmax(scale·q·kᵀ + bias)
//
//	gv = pᵀ·gy
//	gs = p·(gy·vᵀ − Σ gy·y), the gradient of the scores and of the bias
//	gq = scale·gs·k, gk = scale·gsᵀ·q
//
// q is [batch, heads, steps, width], k is [batch, kv heads, seen, width] and v
// [batch, kv heads, seen, width of v]; y is [batch, heads, steps, width of v].
// The number of heads is a multiple of that of the kv heads: neighbouring heads
// share keys and values.
//
// Operands with three axes have their heads side by side, as a dense layer
// gives them: q [batch, steps, heads·width], k [batch, seen, kv heads·width], v
// [batch, seen, kv heads·width of v], and y is [batch, steps, heads·width of
// v]. Then k may hold the keys and, behind them, the values (v is the zero
// Value), and q may hold the queries, keys and values (k and v are).
//
// A query that sees no key gives 0, with gradient 0. Hidden keys have weight 0
// and gradient 0, whatever their scores.
//
// It panics with a [*ShapeError] if the operands do not fit each other or the
// mask or bias does not broadcast, with an [*IndexError] for a length outside 1
// to seen, and with an [*ArgumentError] for settings that make no sense.
func Attention(q, k, v Value, options AttentionOptions) Value {
	a := q.attends(k, v, options)
	p := a.weights(a.q, a.k, a.bias)
	if a.Rate > 0 {
		p = p.Mul(a.dropped())
	}
	return a.join(a.mean(p, a.v))
}

// AttentionWeights returns the weights p of [Attention], [batch, heads, steps,
// seen], without dropout: what each query looks at, to be drawn. Attention
// itself never holds them as a whole. Operands, settings and panics are
// Attention's; v may be the zero Value where q has four axes.
func AttentionWeights(q, k Value, options AttentionOptions) Value {
	v := Value{}
	if q.Rank() == 4 {
		v = k
	}
	a := q.attends(k, v, options)
	return a.weights(a.q, a.k, a.bias)
}

// An attention is one call, with its operands in four axes.
type attention struct {
	kernel.Attention
	g          *Graph
	q, k, v    Value
	mask, bias Value
	side       bool // heads lie side by side
}

// attends checks the operands and settings of an attention with queries q.
func (q Value) attends(k, v Value, options AttentionOptions) *attention {
	op := opAttention.method
	a := &attention{g: q.g}
	dims := q.node(op).shape.dims
	switch q.optional(&opAttention, k, v); len(dims) {
	case 4:
		if k.IsZero() || v.IsZero() {
			panic(shapeError(op, "queries with four axes need keys and values", "", dims))
		}
		a.q, a.k, a.v = q, k, v
	case 3:
		a.apart(q, k, v, options)
	default:
		panic(shapeError(op, "the queries are not [batch, heads, steps, width] or [batch, steps, heads·width]", "", dims))
	}
	a.measure()
	a.set(options)
	return a
}

// apart splits operands with three axes.
func (a *attention) apart(q, k, v Value, o AttentionOptions) {
	op := opAttention.method
	if o.Heads < 1 || o.KVHeads < 0 {
		panic(NewArgumentError(op, "%d heads and %d kv heads of operands with three axes", o.Heads, o.KVHeads))
	}
	kv := o.KVHeads
	if kv == 0 {
		kv = o.Heads
	}
	a.side = true
	switch {
	case k.IsZero():
		all := q.split(o.Heads+2*kv, "the heads of queries, keys and values")
		a.q, a.k, a.v = all.Narrow(1, 0, o.Heads), all.Narrow(1, o.Heads, kv), all.Narrow(1, o.Heads+kv, kv)
	case v.IsZero():
		both := k.split(2*kv, "the heads of keys and values")
		a.q, a.k, a.v = q.split(o.Heads, "the heads"), both.Narrow(1, 0, kv), both.Narrow(1, kv, kv)
	default:
		a.q, a.k, a.v = q.split(o.Heads, "the heads"), k.split(kv, "the kv heads"), v.split(kv, "the kv heads")
	}
}

// split turns [batch, steps, heads·width] into [batch, heads, steps, width].
func (x Value) split(heads int, what string) Value {
	op := opAttention.method
	dims := x.node(op).shape.dims
	if len(dims) != 3 {
		panic(shapeError(op, "not [batch, steps, heads·width], as the queries are", "", dims))
	}
	if dims[2]%heads != 0 {
		panic(shapeError(op, fmt.Sprintf("%s, %d, do not divide the width", what, heads), "", dims))
	}
	return x.Reshape(dims[0], dims[1], heads, dims[2]/heads).Permute(0, 2, 1, 3)
}

// join is split the other way round, if the operands were split.
func (a *attention) join(y Value) Value {
	if !a.side {
		return y
	}
	return y.Permute(0, 2, 1, 3).Reshape(a.Batch, a.Steps, a.Heads*a.VWidth)
}

// measure checks that operands in four axes fit.
func (a *attention) measure() {
	op := opAttention.method
	q, k, v := a.q.node(op).shape.dims, a.k.node(op).shape.dims, a.v.node(op).shape.dims
	fault := ""
	switch {
	case len(k) != 4 || len(v) != 4:
		fault = "the keys and values do not have as many axes as the queries"
	case q[0] != k[0] || q[0] != v[0]:
		fault = "the batches differ"
	case k[1] != v[1] || k[2] != v[2]:
		fault = "there are not as many keys as values"
	case q[3] != k[3]:
		fault = "the widths of queries and keys differ"
	case k[1] == 0 || q[1]%k[1] != 0:
		fault = "the heads are not a multiple of the kv heads"
	}
	if fault != "" {
		panic(shapeError(op, fault, ", ", q, k, v))
	}
	a.Batch, a.Heads, a.Steps, a.Width = q[0], q[1], q[2], q[3]
	a.KVHeads, a.Seen, a.VWidth = k[1], k[2], v[3]
}

// set checks the settings.
func (a *attention) set(o AttentionOptions) {
	op := opAttention.method
	checkRate(op, o.Dropout)
	scores := [4]int{a.Batch, a.Heads, a.Steps, a.Seen}
	for _, x := range []struct {
		what string
		v    Value
	}{{"mask", o.Mask}, {"bias", o.Bias}} {
		if a.q.optional(&opAttention, x.v); x.v.IsZero() {
			continue
		}
		if dims := x.v.node(op).shape.dims; !broadcasts(dims, scores[:]) {
			panic(shapeError(op, "the "+x.what+" does not broadcast to the scores, [batch, heads, steps, seen]", " to ", dims, scores[:]))
		}
	}
	switch {
	case math.IsNaN(o.Scale) || math.IsInf(o.Scale, 0):
		panic(NewArgumentError(op, "a scale of %v", o.Scale))
	case o.Offset != 0 && !o.Causal:
		panic(NewArgumentError(op, "an offset of %d without Causal", o.Offset))
	case o.Offset < 0:
		panic(NewArgumentError(op, "an offset of %d", o.Offset))
	}
	a.mask, a.bias = o.Mask, o.Bias
	a.Lengths = a.g.checkLengths(op, o.Lengths, a.Batch, a.Seen)
	a.Causal, a.Offset, a.Scale = o.Causal, o.Offset, o.Scale
	if a.Scale == 0 {
		a.Scale = 1 / math.Sqrt(float64(max(a.Width, 1)))
	}
	if a.Rate = o.Dropout; a.Rate > 0 && a.g.Training() {
		a.Key = a.g.random.Uint64()
	} else {
		a.Rate = 0
	}
}

// checkLengths returns a copy of the lengths of a batch's sequences, each from
// 1 to most; nil for the zero Ints.
func (g *Graph) checkLengths(op string, lengths Ints, batch, most int) []int {
	if lengths.shape == nil {
		return nil
	}
	if len(lengths.shape) != 1 || lengths.shape[0] != batch {
		panic(shapeError(op, "there is not one length for each sample of the batch", " for ", lengths.shape, []int{batch}))
	}
	for i, n := range lengths.values {
		if n < 1 || n > most {
			panic(NewArgumentError(op, "length %d of sample %d is not from 1 to %d", n, i, most))
		}
	}
	return g.copied(lengths.values)
}

// weights returns the weights, without dropout, in operations that have rules.
func (a *attention) weights(q, k, bias Value) Value {
	s := a.scores(q, k)
	if !bias.IsZero() {
		s = s.Add(bias)
	}
	if a.mask.IsZero() && bias.IsZero() && a.Lengths == nil && !a.Causal {
		return s.Softmax(-1)
	}
	visible, instead := a.visible()
	return Where(visible, Where(visible, s, instead).Softmax(-1), a.g.Scalar(0))
}

// grouped joins the queries of the heads that share keys and values: of x,
// [batch, heads, steps, width], it makes [batch, kv heads, heads/kv
// heads·steps, width].
func (a *attention) grouped(x Value) Value {
	return x.Reshape(a.Batch, a.KVHeads, a.Heads/a.KVHeads*a.Steps, x.Dim(-1))
}

func (a *attention) ungrouped(x Value) Value {
	return x.Reshape(a.Batch, a.Heads, a.Steps, x.Dim(-1))
}

func (a *attention) scores(q, k Value) Value {
	return a.ungrouped(a.grouped(q.MulScalar(a.Scale)).matmul(k, false, true))
}

// mean returns p·v.
func (a *attention) mean(p, v Value) Value {
	return a.ungrouped(a.grouped(p).matmul(v, false, false))
}

// shape returns that of the scores.
func (a *attention) shape() *shape {
	return a.g.shape([]int{a.Batch, a.Heads, a.Steps, a.Seen})
}

// visible returns what [kernel.VisibleKeys] gives.
func (a *attention) visible() (visible, instead Value) {
	g, s := a.g, a.shape()
	n := g.record(&opConstant, nil, s)
	visible = g.handle()
	m := g.record(&opConstant, nil, s)
	instead = g.handle()
	if g.single {
		visibleKeys(a, n.f32(), m.f32())
	} else {
		visibleKeys(a, n.f64(), m.f64())
	}
	return visible, instead
}

func visibleKeys[T kernel.Float](a *attention, visible, instead []T) {
	kernel.VisibleKeys(visible, instead, scored[T](a, a.mask), scored[T](a, a.bias), &a.Attention)
}

// scored returns a mask or bias as kernels see it.
func scored[T kernel.Float](a *attention, x Value) kernel.Scored[T] {
	if x.IsZero() {
		return kernel.Scored[T]{}
	}
	n := x.node(opAttention.method)
	s := kernel.Scored[T]{Of: numbers[T](n)}
	copy(s.Strides[:], a.g.broadcastStrides(n.shape, a.shape()))
	return s
}

// dropped returns what dropout multiplies the weights by.
func (a *attention) dropped() Value {
	n := a.g.record(&opConstant, nil, a.shape())
	if a.g.single {
		kernel.AttentionDropout(n.f32(), &a.Attention)
	} else {
		kernel.AttentionDropout(n.f64(), &a.Attention)
	}
	return a.g.done()
}
