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
	a := newAttention(q, k, v, options)
	if a.Rate = options.Dropout; !a.g.Training() {
		a.Rate = 0
	}
	if a.Rate > 0 {
		a.Key = a.g.random.Uint64()
	}
	n := a.record()
	n.extra.given = a.given
	if a.g.single {
		attend[float32](&a, n)
	} else {
		attend[float64](&a, n)
	}
	return a.g.done()
}

// AttentionWeights returns the weights p of [Attention], [batch, heads, steps,
// seen], without dropout: what each query looks at, to be drawn. Attention
// itself never holds them as a whole. Operands, settings and panics are
// Attention's.
func AttentionWeights(q, k, v Value, options AttentionOptions) Value {
	a := newAttention(q, k, v, options)
	q, k, _ = a.operands()
	return a.weights(q, k)
}

// An attention is one call of Attention. Its queries, keys and values are parts
// of up to three sources.
type attention struct {
	kernel.Attention
	g          *Graph
	sources    [3]Value // as many as count says
	count      int
	side       bool // heads lie side by side
	mask, bias Value
	given      [3]givenInts // the lengths, as they were given
}

// newAttention checks the operands and settings.
func newAttention(q, k, v Value, options AttentionOptions) attention {
	a := attention{g: q.g}
	a.measure(q, k, v, options)
	a.set(options)
	return a
}

// measure checks that the operands fit.
func (a *attention) measure(q, k, v Value, o AttentionOptions) {
	op := opAttention.method
	a.measureQueries(q, o.Heads)
	q.optional(&opAttention, k, v, o.Mask, o.Bias)
	if a.KVHeads = o.KVHeads; a.KVHeads == 0 {
		a.KVHeads = o.Heads
	}
	switch {
	case k.IsZero() && !v.IsZero():
		panic(shapeError(op, "there are values but no keys", "", a.dims(0)))
	case k.IsZero() && a.side:
		a.count = 1
		all := a.dims(0)
		a.Width = a.part(0, a.Heads+2*a.KVHeads, "the heads of queries, keys and values")
		a.VWidth, a.Seen = a.Width, all[1]
	case k.IsZero():
		panic(shapeError(op, "queries with four axes need keys and values", "", a.dims(0)))
	default:
		batch, width := a.Batch, a.Width
		if a.side {
			width = a.part(0, a.Heads, "the heads")
		}
		a.measureKeys(k, v)
		if a.Batch != batch || a.Width != width {
			panic(shapeError(op, "the batches, or the widths of queries and keys, differ", " and ", a.dims(0), a.dims(1)))
		}
	}
	if a.KVHeads < 1 || a.Heads%a.KVHeads != 0 {
		panic(NewArgumentError(op, "%d heads are not a multiple of %d kv heads", a.Heads, a.KVHeads))
	}
}

func (a *attention) dims(source int) []int {
	return a.sources[source].node(opAttention.method).shape.dims
}

// measureQueries reads the axes of the queries. The width of those side by side
// is left to measure.
func (a *attention) measureQueries(q Value, heads int) {
	op := opAttention.method
	dims := q.node(op).shape.dims
	a.sources[0], a.count = q, 3
	switch len(dims) {
	case 4:
		a.Batch, a.Heads, a.Steps, a.Width = dims[0], dims[1], dims[2], dims[3]
	case 3:
		if heads < 1 {
			panic(NewArgumentError(op, "%d Heads for operands of three axes", heads))
		}
		a.side = true
		a.Batch, a.Steps, a.Heads = dims[0], dims[1], heads
	default:
		panic(shapeError(op, "the queries are not [batch, heads, steps, width] or [batch, steps, heads·width]", "", dims))
	}
}

// measureKeys checks that keys and values fit each other.
func (a *attention) measureKeys(k, v Value) {
	op := opAttention.method
	a.sources[1], a.sources[2], a.count = k, v, 3
	keys := k.node(op).shape.dims
	if v.IsZero() {
		a.count = 2
		a.side = true
		a.Width = a.part(1, 2*a.KVHeads, "the kv heads of keys and values")
		a.Batch, a.Seen, a.VWidth = keys[0], keys[1], a.Width
		return
	}
	values := v.node(op).shape.dims
	if len(keys) != len(values) || len(keys) != 4-oneIf(a.side) {
		panic(shapeError(op, "keys and values do not have as many axes as the queries", " and ", keys, values))
	}
	last := len(keys) - 1
	if keys[0] != values[0] || keys[last-1] != values[last-1] || !a.side && keys[1] != values[1] {
		panic(shapeError(op, "there are not as many keys as values", " and ", keys, values))
	}
	a.Batch, a.Seen = keys[0], keys[last-1]
	if a.side {
		a.Width, a.VWidth = a.part(1, a.KVHeads, "the kv heads"), a.part(2, a.KVHeads, "the kv heads")
		return
	}
	a.KVHeads, a.Width, a.VWidth = keys[1], keys[3], values[3]
}

// part returns the width of one of that many heads side by side.
func (a *attention) part(source, heads int, what string) int {
	dims := a.dims(source)
	if len(dims) != 3 {
		panic(shapeError(opAttention.method, "not [batch, steps, heads·width]", "", dims))
	}
	if heads < 1 || dims[2]%heads != 0 {
		panic(shapeError(opAttention.method, fmt.Sprintf("%s, %d, do not divide the width", what, heads), "", dims))
	}
	return dims[2] / heads
}

// set checks the settings.
func (a *attention) set(o AttentionOptions) {
	op := opAttention.method
	checkRate(op, o.Dropout)
	a.mask, a.bias = o.Mask, o.Bias
	a.checkScored("mask", o.Mask)
	a.checkScored("bias", o.Bias)
	switch {
	case math.IsNaN(o.Scale) || math.IsInf(o.Scale, 0):
		panic(NewArgumentError(op, "a scale of %v", o.Scale))
	case o.Offset != 0 && !o.Causal:
		panic(NewArgumentError(op, "an offset of %d without Causal", o.Offset))
	case o.Offset < 0:
		panic(NewArgumentError(op, "an offset of %d", o.Offset))
	}
	a.Lengths = a.g.checkLengths(op, o.Lengths, a.Batch, a.Seen)
	if o.Lengths.shape != nil {
		a.given[0] = o.Lengths.given()
	}
	a.Causal, a.Offset, a.Scale = o.Causal, o.Offset, o.Scale
	if a.Scale == 0 {
		a.Scale = 1 / math.Sqrt(float64(max(a.Width, 1)))
	}
}

// checkScored panics unless a mask or bias broadcasts to the scores.
func (a *attention) checkScored(what string, x Value) {
	if x.IsZero() {
		return
	}
	scores := []int{a.Batch, a.Heads, a.Steps, a.Seen}
	if dims := x.node(opAttention.method).shape.dims; !broadcasts(dims, scores) {
		panic(shapeError(opAttention.method, "the "+what+" does not broadcast to the scores, [batch, heads, steps, seen]", " to ", dims, scores))
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

// attentionInts is the number of integers that a node keeps before the lengths.
const attentionInts = 13

// record adds the node, without its numbers. It keeps all that
// [Graph.attentionOf] needs.
func (a *attention) record() *node {
	g := a.g
	in, n, wants := [5]Value{}, 0, false
	for _, x := range a.sources[:a.count] {
		if !x.IsZero() { // queries of a cache stand alone
			in[n] = x
			n++
			wants = wants || g.at(x.id).flags&needsGrad != 0
		}
	}
	if !a.mask.IsZero() {
		in[n] = a.mask
		n++
	}
	if !a.bias.IsZero() {
		in[n] = a.bias
		wants = wants || g.at(a.bias.id).flags&needsGrad != 0
		n++
	}
	dims := g.ints.take(4)
	dims[0], dims[1], dims[2], dims[3] = a.Batch, a.Heads, a.Steps, a.VWidth
	if a.side {
		dims[1], dims[2] = a.Steps, a.Heads*a.VWidth
		dims = dims[:3]
	}
	node := g.record(&opAttention, attentionRule, g.newShape(opAttention.method, dims), in[:n]...)
	if !wants {
		node.flags &^= needsGrad // a mask has none
	}
	node.a, node.b = a.Scale, a.Rate
	e := g.extraOf(node)
	e.ints = append(g.ints.take(attentionInts + len(a.Lengths))[:0],
		a.Batch, a.Heads, a.KVHeads, a.Steps, a.Seen, a.Width, a.VWidth, a.Offset, a.count,
		oneIf(a.Causal), oneIf(a.side), oneIf(!a.mask.IsZero())+2*oneIf(!a.bias.IsZero()), int(a.Key))
	e.ints = append(e.ints, a.Lengths...)
	if g.wanted != 0 {
		e.kept = g.numbersToKeep(2 * a.Batch * a.Heads * a.Steps)
	}
	return node
}

func oneIf(set bool) int {
	if set {
		return 1
	}
	return 0
}

// attention returns the attention that a rule differentiates.
func (r *Rule) attention() attention {
	i := r.n.ints()
	a := attention{g: r.g, count: i[8], side: i[10] == 1, given: r.n.extra.given}
	a.Attention = kernel.Attention{
		Batch: i[0], Heads: i[1], KVHeads: i[2], Steps: i[3], Seen: i[4], Width: i[5], VWidth: i[6],
		Offset: i[7], Causal: i[9] == 1, Key: uint64(i[12]), Scale: r.n.a, Rate: r.n.b,
	}
	if len(i) > attentionInts {
		a.Lengths = i[attentionInts:]
	}
	for source := range a.count {
		a.sources[source] = r.In(source)
	}
	next := a.count
	if i[11]&1 != 0 {
		a.mask = r.In(next)
		next++
	}
	if i[11]&2 != 0 {
		a.bias = r.In(next)
	}
	return a
}

// biasInput returns which input the bias is.
func (a *attention) biasInput() int { return a.count + oneIf(!a.mask.IsZero()) }

// attend computes a node's numbers.
func attend[T kernel.Float](a *attention, n *node) {
	t := attending[T](a, n)
	kernel.Attend(&t)
}

// attending returns the operands of a node as kernels see them.
func attending[T kernel.Float](a *attention, n *node) kernel.Attending[T] {
	t := kernel.Attending[T]{Attention: a.Attention, Mask: scored[T](a, a.mask), Bias: scored[T](a, a.bias), Kept: n.extra.kept}
	t.Q, t.K, t.V = headed(a, source[T](a, 0), source[T](a, 1), source[T](a, 2))
	t.Y = kernel.Headed[T]{Of: numbers[T](n), Strides: a.resultStrides()}
	return t
}

// source returns the numbers of a source, nil if there is none.
func source[T kernel.Float](a *attention, i int) []T {
	if i >= a.count || a.sources[i].IsZero() {
		return nil
	}
	return numbers[T](a.sources[i].node(opAttention.method))
}

// headed returns queries, keys and values as kernels see them, from the numbers
// of the sources.
func headed[T kernel.Float](a *attention, x, y, z []T) (q, k, v kernel.Headed[T]) {
	keys, values := a.KVHeads*a.Width, a.KVHeads*a.VWidth
	switch {
	case !a.side:
		return stacked(x, a.Heads, a.Steps, a.Width), stacked(y, a.KVHeads, a.Seen, a.Width), stacked(z, a.KVHeads, a.Seen, a.VWidth)
	case a.count == 1:
		first := a.Heads * a.Width
		all := first + keys + values
		return besides(x, 0, a.Steps, all, a.Width), besides(x, first, a.Seen, all, a.Width), besides(x, first+keys, a.Seen, all, a.VWidth)
	case a.count == 2:
		both := keys + values
		return besides(x, 0, a.Steps, a.Heads*a.Width, a.Width), besides(y, 0, a.Seen, both, a.Width), besides(y, keys, a.Seen, both, a.VWidth)
	}
	return besides(x, 0, a.Steps, a.Heads*a.Width, a.Width), besides(y, 0, a.Seen, keys, a.Width), besides(z, 0, a.Seen, values, a.VWidth)
}

// stacked is [batch, heads, steps, width].
func stacked[T kernel.Float](x []T, heads, steps, width int) kernel.Headed[T] {
	return kernel.Headed[T]{Of: x, Strides: [3]int{heads * steps * width, steps * width, width}}
}

// besides is [batch, steps, all], where the heads begin at index first.
func besides[T kernel.Float](x []T, first, steps, all, width int) kernel.Headed[T] {
	return kernel.Headed[T]{Of: x[min(first, len(x)):], Strides: [3]int{steps * all, width, all}}
}

// resultStrides are those of the result and its gradient.
func (a *attention) resultStrides() [3]int {
	if a.side {
		return [3]int{a.Steps * a.Heads * a.VWidth, a.VWidth, a.Heads * a.VWidth}
	}
	return [3]int{a.Heads * a.Steps * a.VWidth, a.Steps * a.VWidth, a.VWidth}
}

// scored returns a mask or bias as kernels see it.
func scored[T kernel.Float](a *attention, x Value) kernel.Scored[T] {
	s := kernel.Scored[T]{}
	if x.IsZero() {
		return s
	}
	n := x.node(opAttention.method)
	s.Of = numbers[T](n)
	dims := n.shape.dims
	for i, step := len(dims)-1, 1; i >= 0; i-- {
		if dims[i] > 1 {
			s.Strides[4-len(dims)+i] = step
		}
		step *= dims[i]
	}
	return s
}

// attentionRule computes the gradients block by block, without the weights as a
// whole. Grad's pass, whose result may be differentiated again, writes them out
// in operations that have rules.
func attentionRule(r *Rule) {
	a := r.attention()
	if !r.g.reverse.active {
		a.writtenOut(r)
		return
	}
	var to [4]*node
	var gx [4]Value
	for i := range a.count {
		if r.Needs(i) {
			to[i] = r.g.record(&opGradient, nil, r.g.at(a.sources[i].id).shape)
			gx[i] = r.g.done()
		}
	}
	if !a.bias.IsZero() && r.Needs(a.biasInput()) {
		to[3] = r.g.record(&opGradient, nil, r.g.at(a.bias.id).shape)
		gx[3] = r.g.done()
	}
	if r.g.single {
		attendGradient[float32](&a, r, to)
	} else {
		attendGradient[float64](&a, r, to)
	}
	for i, v := range gx {
		switch {
		case v.IsZero():
		case i == 3:
			r.Add(a.biasInput(), v)
		default:
			r.Add(i, v)
		}
	}
}

func attendGradient[T kernel.Float](a *attention, r *Rule, to [4]*node) {
	t := kernel.AttendingGradient[T]{Attending: attending[T](a, r.n)}
	t.GY = kernel.Headed[T]{Of: numbers[T](r.gy.node(opAttention.method)), Strides: a.resultStrides()}
	t.GQ, t.GK, t.GV = headed(a, numbersIf[T](to[0]), numbersIf[T](to[1]), numbersIf[T](to[2]))
	t.GBias = numbersIf[T](to[3])
	kernel.AttendGradient(&t)
}

// writtenOut adds the gradients in operations that have rules.
func (a *attention) writtenOut(r *Rule) {
	q, k, v := a.operands()
	p, gy := a.weights(q, k), a.unjoined(r.Grad())
	gp := a.ungrouped(a.grouped(gy).matmul(v, false, true))
	dropped := p
	if a.Rate > 0 {
		kept := a.kept()
		dropped, gp = p.Mul(kept), gp.Mul(kept)
	}
	gs := p.Mul(gp.Sub(gp.Mul(p).KeepDims().Sum(-1)))
	gv := a.grouped(dropped).matmul(a.grouped(gy), true, false)
	gq := a.ungrouped(a.grouped(gs).matmul(k, false, false)).MulScalar(a.Scale)
	gk := a.grouped(gs).matmul(a.grouped(q), true, false).MulScalar(a.Scale)
	a.addParts(r, gq, gk, gv)
	if !a.bias.IsZero() {
		r.Add(a.biasInput(), gs)
	}
}

// addParts adds the gradients of queries, keys and values in four axes to those
// of the sources.
func (a *attention) addParts(r *Rule, gq, gk, gv Value) {
	if !a.side {
		r.Add(0, gq)
		r.Add(1, gk)
		r.Add(2, gv)
		return
	}
	gq, gk, gv = gq.beside(), gk.beside(), gv.beside()
	switch a.count {
	case 1:
		r.Add(0, Concat(2, gq, gk, gv))
	case 2:
		r.Add(0, gq)
		r.Add(1, Concat(2, gk, gv))
	case 3:
		r.Add(0, gq)
		r.Add(1, gk)
		r.Add(2, gv)
	}
}

// operands returns queries, keys and values in four axes.
func (a *attention) operands() (q, k, v Value) {
	x, y, z := a.sources[0], a.sources[1], a.sources[2]
	if !a.side {
		return x, y, z
	}
	keys, values := a.KVHeads*a.Width, a.KVHeads*a.VWidth
	switch a.count {
	case 1:
		first := a.Heads * a.Width
		x, y, z = x.Narrow(2, 0, first), x.Narrow(2, first, keys), x.Narrow(2, first+keys, values)
	case 2:
		y, z = y.Narrow(2, 0, keys), y.Narrow(2, keys, values)
	}
	return x.inHeads(a.Heads), y.inHeads(a.KVHeads), z.inHeads(a.KVHeads)
}

// inHeads turns [batch, steps, heads·width] into [batch, heads, steps, width].
func (x Value) inHeads(heads int) Value {
	dims := x.node(opAttention.method).shape.dims
	return x.Reshape(dims[0], dims[1], heads, dims[2]/heads).Permute(0, 2, 1, 3)
}

// beside is inHeads the other way round.
func (x Value) beside() Value {
	dims := x.node(opAttention.method).shape.dims
	return x.Permute(0, 2, 1, 3).Reshape(dims[0], dims[2], dims[1]*dims[3])
}

// unjoined returns the gradient of the result in four axes.
func (a *attention) unjoined(gy Value) Value {
	if a.side {
		return gy.inHeads(a.Heads)
	}
	return gy
}

// weights returns the weights, without dropout, in operations that have rules.
func (a *attention) weights(q, k Value) Value {
	s := a.ungrouped(a.grouped(q.MulScalar(a.Scale)).matmul(k, false, true))
	if !a.bias.IsZero() {
		s = s.Add(a.bias)
	}
	if a.mask.IsZero() && a.bias.IsZero() && a.Lengths == nil && !a.Causal {
		return s.Softmax(-1)
	}
	visible, instead := a.visible()
	return Where(visible, Where(visible, s, instead).Softmax(-1), a.g.Scalar(0))
}

// grouped joins the rows of the heads that share keys and values: [batch,
// heads, steps, n] becomes [batch, kv heads, heads/kv heads·steps, n].
func (a *attention) grouped(x Value) Value {
	return x.Reshape(a.Batch, a.KVHeads, a.Heads/a.KVHeads*a.Steps, x.Dim(-1))
}

// ungrouped is grouped the other way round.
func (a *attention) ungrouped(x Value) Value {
	return x.Reshape(a.Batch, a.Heads, a.Steps, x.Dim(-1))
}

// constant records a constant of the shape of the scores, without numbers.
func (a *attention) constant() *node {
	return a.g.record(&opConstant, nil, a.scores())
}

// visible returns what [kernel.VisibleKeys] gives. What comes of a mask or bias
// is recorded: other inputs of a network may give others.
func (a *attention) visible() (visible, instead Value) {
	if a.mask.IsZero() && a.bias.IsZero() {
		return a.visibleKeys()
	}
	if a.Causal || a.Lengths != nil {
		visible, _ = a.visibleKeys()
	}
	also := func(mask Value) {
		if visible.IsZero() {
			visible = mask
		} else {
			visible = visible.Mul(mask)
		}
	}
	if !a.mask.IsZero() {
		also(a.mask.NotEqualScalar(0))
	}
	if !a.bias.IsZero() {
		also(a.bias.NotEqualScalar(math.Inf(-1)))
	}
	visible = visible.expandTo(a.scores())
	instead = Where(visible.KeepDims().Sum(-1), a.g.Scalar(math.Inf(-1)), a.g.Scalar(0))
	return visible, instead
}

// visibleKeys is visible without mask and bias.
func (a *attention) visibleKeys() (visible, instead Value) {
	n := a.constant()
	visible = a.g.handle()
	m := a.constant()
	instead = a.g.handle()
	if a.g.single {
		kernel.VisibleKeys(n.f32(), m.f32(), kernel.Scored[float32]{}, kernel.Scored[float32]{}, &a.Attention)
	} else {
		kernel.VisibleKeys(n.f64(), m.f64(), kernel.Scored[float64]{}, kernel.Scored[float64]{}, &a.Attention)
	}
	if a.Lengths != nil {
		a.g.extraOf(n).given, a.g.extraOf(m).given = a.given, a.given
	}
	return visible, instead
}

// scores returns the shape of the scores.
func (a *attention) scores() *shape {
	dims := a.g.ints.take(4)
	dims[0], dims[1], dims[2], dims[3] = a.Batch, a.Heads, a.Steps, a.Seen
	return a.g.newShape(opAttention.method, dims)
}

// kept returns what dropout multiplies the weights by.
func (a *attention) kept() Value {
	n := a.constant()
	if a.g.single {
		kernel.AttentionDropout(n.f32(), &a.Attention)
	} else {
		kernel.AttentionDropout(n.f64(), &a.Attention)
	}
	return a.g.done()
}
