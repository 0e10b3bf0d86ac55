package layers

import (
	"fmt"
	"math/rand/v2"

	"nabla/autograd"
)

// A MultiHeadAttention layer lets each step of a sequence look at steps of
// another or of its own: queries, keys and values are weighted sums of their
// inputs, [autograd.Attention] mixes the values in each head, and the result is
// a weighted sum of what the heads give. Sequences are [batch, steps, width].
//
// The Params have PyTorch's names, but the matrices are [in, out], where
// PyTorch's are [out, in].
type MultiHeadAttention struct {
	InWeight  *autograd.Param // in_proj_weight, [width, width + 2·kv heads·width of a head]: of queries, keys and values
	InBias    *autograd.Param // in_proj_bias; nil for none
	OutWeight *autograd.Param // out_proj.weight, [width, width]
	OutBias   *autograd.Param // out_proj.bias; nil for none

	Heads, KVHeads int                     // KVHeads divide the Heads, which divide the width
	Dropout        float64                 // of the attention weights, in training
	Rotary         *autograd.RotaryOptions // Base and First of the positions that turn queries and keys; nil: they are not turned
	label
}

// MultiHeadAttentionOptions are what [NewMultiHeadAttention] leaves at its
// defaults, which are those of the zero MultiHeadAttentionOptions.
type MultiHeadAttentionOptions struct {
	KVHeads   int                // heads of keys and values, each of which several heads share; 0: as many as heads
	Dropout   float64            // rate at which attention weights are dropped in training
	Rotary    bool               // turn queries and keys by their positions
	NoBias    bool               // leave the biases out
	Weights   Initializer        // nil: GlorotUniform
	Name      string             // of the scope and, with ".in_proj_weight" and so on, of the Params
	Precision autograd.Precision // of the Params
}

// NewMultiHeadAttention returns an attention of that many heads for sequences
// of that width. Weights are drawn by [GlorotUniform], biases are 0. It panics
// with an *[autograd.ArgumentError] if the heads do not divide the width or the
// rng is nil.
func NewMultiHeadAttention(rng *rand.Rand, width, heads int) *MultiHeadAttention {
	return NewMultiHeadAttentionWith(rng, width, heads, MultiHeadAttentionOptions{})
}

// NewMultiHeadAttentionWith is [NewMultiHeadAttention] with options.
func NewMultiHeadAttentionWith(rng *rand.Rand, width, heads int, options MultiHeadAttentionOptions) *MultiHeadAttention {
	const op = "layers: MultiHeadAttention"
	if width < 1 || heads < 1 || width%heads != 0 {
		panic(autograd.NewArgumentError(op, "%d heads do not divide the width %d", heads, width))
	}
	checkRate("MultiHeadAttention", options.Dropout)
	a := &MultiHeadAttention{Heads: heads, KVHeads: options.KVHeads, Dropout: options.Dropout, label: userLabel(options.Name)}
	if a.KVHeads == 0 {
		a.KVHeads = heads
	}
	if a.KVHeads < 1 || heads%a.KVHeads != 0 {
		panic(autograd.NewArgumentError(op, "%d kv heads do not divide the %d heads", a.KVHeads, heads))
	}
	if options.Rotary {
		if width/heads%2 == 1 {
			panic(autograd.NewArgumentError(op, "rotary positions need heads of an even width, not %d", width/heads))
		}
		a.Rotary = &autograd.RotaryOptions{}
	}
	all := width + 2*a.KVHeads*(width/heads)
	a.InWeight = newWeight(op, options.Weights, rng, options.Precision, width, all, width, all)
	a.OutWeight = newWeight(op, options.Weights, rng, options.Precision, width, width, width, width)
	if !options.NoBias {
		a.InBias = autograd.NewParam("", autograd.Zeros(all).In(options.Precision))
		a.OutBias = autograd.NewParam("", autograd.Zeros(width).In(options.Precision))
	}
	a.place(newNaming(), "")
	return a
}

// Name returns the layer's name, which is "multiheadattention" until it has
// one.
func (a *MultiHeadAttention) Name() string { return a.or("multiheadattention") }

func (a *MultiHeadAttention) op() string {
	return fmt.Sprintf("layers: MultiHeadAttention %q", a.Name())
}

func (a *MultiHeadAttention) place(n *naming, path string) {
	path += a.Name()
	n.name(a.InWeight, path+".in_proj_weight")
	if a.InBias != nil {
		n.name(a.InBias, path+".in_proj_bias")
	}
	placeAll(n, path+".out_proj", a.OutWeight, a.OutBias)
}

// Params returns the weights and, if there are any, the biases, first those
// that are for the inputs.
func (a *MultiHeadAttention) Params() []*autograd.Param {
	return present(a.InWeight, a.InBias, a.OutWeight, a.OutBias)
}

// AttendOptions say what the queries of an attention see. The zero
// AttendOptions let them see all keys.
type AttendOptions struct {
	Mask    autograd.Value // 1 where a query may see a key and 0 where not; broadcasts to [batch, heads, steps, seen]
	Bias    autograd.Value // added to the scores; broadcasts likewise
	Lengths autograd.Ints  // [batch]: how many keys of each sample there are; those behind are padding
	Causal  bool           // a step sees those up to its own place
}

// Forward lets x, [batch, steps, width], look at itself.
func (a *MultiHeadAttention) Forward(x autograd.Value) autograd.Value {
	return a.Attend(x, x, x, AttendOptions{})
}

// Attend returns what the steps of query, [batch, steps, width], get from those
// of key and value, [batch, seen, width], which may be one Value. A step that
// sees nothing gets the bias of the result alone.
//
// It panics with an *[autograd.ShapeError] if the widths are not the layer's,
// the batches differ, or a mask does not broadcast, and with an
// *[autograd.ArgumentError] for lengths outside 1 to seen.
func (a *MultiHeadAttention) Attend(query, key, value autograd.Value, options AttendOptions) autograd.Value {
	g := enter(query, a.Name())
	defer leave(g, a)
	q, k, v := a.project(query, key, value)
	q, k = a.turn(q, k, 0)
	return a.out(autograd.Attention(q, k, v, a.options(options)))
}

// Weights returns what Attend's queries look at, to be drawn: [batch, heads,
// steps, seen], the weights that the values are mixed by, without dropout.
// Attend itself never holds them as a whole.
func (a *MultiHeadAttention) Weights(query, key autograd.Value, options AttendOptions) autograd.Value {
	g := enter(query, a.Name())
	defer leave(g, a)
	q, k, v := a.project(query, key, key)
	q, k = a.turn(q, k, 0)
	return autograd.AttentionWeights(q, k, v, a.options(options))
}

func (a *MultiHeadAttention) options(o AttendOptions) autograd.AttentionOptions {
	return autograd.AttentionOptions{
		Mask: o.Mask, Bias: o.Bias, Lengths: o.Lengths, Causal: o.Causal,
		Heads: a.Heads, KVHeads: a.KVHeads, Dropout: a.Dropout,
	}
}

// check panics unless the Params fit: they may have been set by hand.
func (a *MultiHeadAttention) check() (width, kvWidth int) {
	if a.InWeight == nil || a.OutWeight == nil {
		panic(autograd.NewArgumentError(a.op(), "there are no weights"))
	}
	if a.InWeight.Rank() != 2 || a.OutWeight.Rank() != 2 || a.OutWeight.Dim(0) != a.InWeight.Dim(0) {
		panic(autograd.NewShapeError(a.op(), "the weights do not fit each other", a.InWeight.Shape(), a.OutWeight.Shape()))
	}
	width = a.InWeight.Dim(0)
	if a.Heads < 1 || a.KVHeads < 1 || width%a.Heads != 0 {
		panic(autograd.NewArgumentError(a.op(), "%d heads and %d kv heads for a width of %d", a.Heads, a.KVHeads, width))
	}
	kvWidth = a.KVHeads * (width / a.Heads)
	if a.InWeight.Dim(1) != width+2*kvWidth {
		panic(autograd.NewShapeError(a.op(), fmt.Sprintf("the weights are not those of %d heads and %d kv heads", a.Heads, a.KVHeads), a.InWeight.Shape()))
	}
	return width, kvWidth
}

// project returns queries, keys and values. If they come from one Value, they
// are one product: then the last are zero Values, as [autograd.Attention] takes
// them.
func (a *MultiHeadAttention) project(query, key, value autograd.Value) (q, k, v autograd.Value) {
	width, kv := a.check()
	a.checkWidth("query", query, width)
	if query == key && key == value {
		return a.part(query, 0, width+2*kv), q, q
	}
	a.checkWidth("key", key, width)
	a.checkWidth("value", value, width)
	q = a.part(query, 0, width)
	if key == value {
		return q, a.part(key, width, 2*kv), v
	}
	return q, a.part(key, width, kv), a.part(value, width+kv, kv)
}

func (a *MultiHeadAttention) checkWidth(what string, x autograd.Value, width int) {
	if x.Rank() != 3 || x.Dim(2) != width {
		panic(autograd.NewShapeError(a.op(), fmt.Sprintf("the %s is not [batch, steps, %d]", what, width), x.Shape(), a.InWeight.Shape()))
	}
}

// part returns the weighted sums of some columns of the weights.
func (a *MultiHeadAttention) part(x autograd.Value, first, count int) autograd.Value {
	g := x.Graph()
	w, bias := g.Param(a.InWeight), recorded(g, a.InBias)
	if count < a.InWeight.Dim(1) {
		w = w.Narrow(1, first, count)
		if a.InBias != nil {
			bias = bias.Narrow(0, first, count)
		}
	}
	y := x.MatMul(w)
	if a.InBias != nil {
		y = y.Add(bias)
	}
	return y
}

// turn turns queries and keys, of which k may be a zero Value, by positions
// from first on.
func (a *MultiHeadAttention) turn(q, k autograd.Value, first int) (turnedQ, turnedK autograd.Value) {
	if a.Rotary == nil {
		return q, k
	}
	r := *a.Rotary
	r.First += first
	if k.IsZero() {
		r.Heads, r.Turned = a.Heads+2*a.KVHeads, a.Heads+a.KVHeads
		return q.Rotary(r), k
	}
	r.Heads = a.Heads
	q = q.Rotary(r)
	r.First = a.Rotary.First
	r.Heads, r.Turned = a.KVHeads, a.KVHeads
	if k.Dim(2) == 2*a.KVHeads*(q.Dim(2)/a.Heads) {
		r.Heads = 2 * a.KVHeads
	}
	return q, k.Rotary(r)
}

// out returns the weighted sum of what the heads give.
func (a *MultiHeadAttention) out(y autograd.Value) autograd.Value {
	g := y.Graph()
	z := y.MatMul(g.Param(a.OutWeight))
	if a.OutBias != nil {
		z = z.Add(g.Param(a.OutBias))
	}
	return z.Named("z")
}

// Next is the causal self-attention of the next steps of a sequence, [batch,
// steps, width], whose steps so far the cache keeps: they are not computed
// again. The results are those that Attend with Causal gives for the whole
// sequence. The graph needs the option NoGrad.
//
// It panics as Attend does; with an *[autograd.ArgumentError] if the cache has
// no room for the steps, and with an *[autograd.ShapeError] if their batch is
// another than before.
func (a *MultiHeadAttention) Next(x autograd.Value, cache *Cache) autograd.Value {
	return a.NextWith(x, cache, AttendOptions{})
}

// NextWith is [MultiHeadAttention.Next] with a mask or bias, which broadcast to
// [batch, heads, steps, all steps]. Lengths are an *[autograd.ArgumentError].
func (a *MultiHeadAttention) NextWith(x autograd.Value, cache *Cache, options AttendOptions) autograd.Value {
	g := enter(x, a.Name())
	defer leave(g, a)
	q, k, v := a.project(x, x, x)
	kept := cache.of(a)
	q, k = a.turn(q, k, kept.Len())
	return a.out(kept.Next(q, k, v, a.options(options)))
}

// Look is the attention of the next steps of one sequence to the whole of
// another, memory, such as that to be translated. The keys and values of the
// memory are computed at the first call only, and kept in the cache; later
// calls do not look at memory.
func (a *MultiHeadAttention) Look(x, memory autograd.Value, cache *Cache, options AttendOptions) autograd.Value {
	g := enter(x, a.Name())
	defer leave(g, a)
	width, kv := a.check()
	a.checkWidth("query", x, width)
	kept := cache.memoryOf(a, memory)
	if kept.Len() == 0 {
		a.checkWidth("memory", memory, width)
		kept.Add(a.part(memory, width, 2*kv), autograd.Value{}, a.KVHeads)
	}
	return a.out(kept.Attend(a.part(x, 0, width), a.options(options)))
}
