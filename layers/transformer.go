package layers

import (
	"fmt"
	"math/rand/v2"

	"nabla/autograd"
)

// TransformerOptions are what [NewTransformerEncoderBlock] and
// [NewTransformerDecoderBlock] leave at their defaults, which are those of the
// zero TransformerOptions.
type TransformerOptions struct {
	NormLast   bool               // normalize after adding, as the first transformer did (and PyTorch's default); otherwise before each part
	Activation Layer              // between the dense layers; nil: ReLU
	Dropout    float64            // rate, in training: of attention weights, of each part's result, and between the dense layers
	KVHeads    int                // of the self-attention: see MultiHeadAttentionOptions; 0: as many as heads
	Rotary     bool               // turn queries and keys of the self-attention by their positions
	NoBias     bool               // leave all biases out
	Epsilon    float64            // of the norms; 0: 1e-5
	Weights    Initializer        // nil: GlorotUniform
	Name       string             // of the scope and, with ".self_attn.in_proj_weight" and so on, of the Params
	Precision  autograd.Precision // of the Params
}

// A TransformerEncoderBlock is self-attention and then two dense layers for
// each step, each part added to what comes in:
//
//	x = x + attend(norm1(x))
//	x = x + linear2(activation(linear1(norm2(x))))
//
// or, with NormLast, x = norm1(x + attend(x)) and so on. With Causal, in
// AttendOptions, it is a block of a GPT. The names are those of PyTorch's
// TransformerEncoderLayer.
type TransformerEncoderBlock struct {
	SelfAttention    *MultiHeadAttention // self_attn
	Linear1, Linear2 *Dense
	Norm1, Norm2     *LayerNorm

	Activation Layer
	NormLast   bool
	Dropout    float64
	label
}

// NewTransformerEncoderBlock returns a block for sequences of that width, with
// that many heads, and inner numbers between the dense layers, often 4·width.
// It panics as [NewMultiHeadAttention] and [NewDense] do.
func NewTransformerEncoderBlock(rng *rand.Rand, width, heads, inner int) *TransformerEncoderBlock {
	return NewTransformerEncoderBlockWith(rng, width, heads, inner, TransformerOptions{})
}

// NewTransformerEncoderBlockWith is [NewTransformerEncoderBlock] with options.
func NewTransformerEncoderBlockWith(rng *rand.Rand, width, heads, inner int, options TransformerOptions) *TransformerEncoderBlock {
	checkRate("TransformerEncoderBlock", options.Dropout)
	b := &TransformerEncoderBlock{
		SelfAttention: options.attention(rng, width, heads, "self_attn"),
		Linear1:       options.dense(rng, width, inner, "linear1"),
		Linear2:       options.dense(rng, inner, width, "linear2"),
		Norm1:         options.norm(width, "norm1"),
		Norm2:         options.norm(width, "norm2"),
		Activation:    options.activation(),
		NormLast:      options.NormLast,
		Dropout:       options.Dropout,
		label:         userLabel(options.Name),
	}
	b.place(newNaming(), "")
	return b
}

func (o *TransformerOptions) attention(rng *rand.Rand, width, heads int, name string) *MultiHeadAttention {
	own := MultiHeadAttentionOptions{Dropout: o.Dropout, NoBias: o.NoBias, Weights: o.Weights, Name: name, Precision: o.Precision}
	if name == "self_attn" {
		own.KVHeads, own.Rotary = o.KVHeads, o.Rotary
	}
	return NewMultiHeadAttentionWith(rng, width, heads, own)
}

func (o *TransformerOptions) dense(rng *rand.Rand, in, out int, name string) *Dense {
	return NewDenseWith(rng, in, out, DenseOptions{Weights: o.Weights, Name: name, NoBias: o.NoBias, Precision: o.Precision})
}

func (o *TransformerOptions) norm(width int, name string) *LayerNorm {
	n := NewLayerNormWith([]int{width}, NormOptions{Epsilon: o.Epsilon, Name: name, Precision: o.Precision})
	if o.NoBias {
		n.Bias = nil
	}
	return n
}

func (o *TransformerOptions) activation() Layer {
	if o.Activation == nil {
		return ReLU()
	}
	return o.Activation
}

// Name returns the block's name, which is "transformerencoderblock" until it
// has one.
func (b *TransformerEncoderBlock) Name() string { return b.or("transformerencoderblock") }

func (b *TransformerEncoderBlock) op() string {
	return fmt.Sprintf("layers: TransformerEncoderBlock %q", b.Name())
}

func (b *TransformerEncoderBlock) place(n *naming, path string) {
	placeParts(n, path+b.Name()+".", b.SelfAttention, b.Linear1, b.Linear2, b.Norm1, b.Norm2, b.Activation)
}

// placeParts names the Params of a block's layers.
func placeParts(n *naming, path string, parts ...Layer) {
	for _, l := range parts {
		if p, ok := asPlaced(l); ok {
			n.place(p, path)
		}
	}
}

// Params returns the Params in PyTorch's order: attention, dense layers, norms.
func (b *TransformerEncoderBlock) Params() []*autograd.Param {
	return paramsOfParts(b.SelfAttention, b.Linear1, b.Linear2, b.Norm1, b.Norm2, b.Activation)
}

func paramsOfParts(parts ...Layer) []*autograd.Param {
	var all []*autograd.Param
	for _, l := range parts {
		all = append(all, l.Params()...)
	}
	return unique(all)
}

// Forward is Run where every step sees all.
func (b *TransformerEncoderBlock) Forward(x autograd.Value) autograd.Value {
	return b.Run(x, AttendOptions{})
}

// Run passes sequences x, [batch, steps, width], through the block. It panics
// as [MultiHeadAttention.Attend] does.
func (b *TransformerEncoderBlock) Run(x autograd.Value, options AttendOptions) autograd.Value {
	g := enter(x, b.Name())
	defer g.Leave()
	x = added(x, b.Norm1, b.NormLast, b.Dropout, func(x autograd.Value) autograd.Value {
		return b.SelfAttention.Attend(x, x, x, options)
	})
	return b.forward(x)
}

// Next passes the next steps of a sequence through the block, with those before
// them in the cache: see [MultiHeadAttention.Next]. The results are those of
// Run with Causal for the whole sequence.
func (b *TransformerEncoderBlock) Next(x autograd.Value, cache *Cache) autograd.Value {
	return b.NextWith(x, cache, AttendOptions{})
}

// NextWith is [TransformerEncoderBlock.Next] with a mask or bias, which
// broadcast to [batch, heads, steps, all steps].
func (b *TransformerEncoderBlock) NextWith(x autograd.Value, cache *Cache, options AttendOptions) autograd.Value {
	g := enter(x, b.Name())
	defer g.Leave()
	x = added(x, b.Norm1, b.NormLast, b.Dropout, func(x autograd.Value) autograd.Value {
		return b.SelfAttention.NextWith(x, cache, options)
	})
	return b.forward(x)
}

// forward passes x through the second part.
func (b *TransformerEncoderBlock) forward(x autograd.Value) autograd.Value {
	return added(x, b.Norm2, b.NormLast, b.Dropout, func(x autograd.Value) autograd.Value {
		return b.Linear2.Forward(b.Activation.Forward(b.Linear1.Forward(x)).Dropout(b.Dropout))
	})
}

// added returns x and what a part of a block makes of it, added up.
func added(x autograd.Value, norm *LayerNorm, last bool, dropout float64, part func(x autograd.Value) autograd.Value) autograd.Value {
	if last {
		return norm.Forward(x.Add(part(x).Dropout(dropout)))
	}
	return x.Add(part(norm.Forward(x)).Dropout(dropout))
}

// Weights returns what the steps of x look at in Run: see
// [MultiHeadAttention.Weights].
func (b *TransformerEncoderBlock) Weights(x autograd.Value, options AttendOptions) autograd.Value {
	g := enter(x, b.Name())
	defer g.Leave()
	if !b.NormLast {
		x = b.Norm1.Forward(x)
	}
	return b.SelfAttention.Weights(x, x, options)
}

// A TransformerDecoderBlock is causal self-attention, then attention to a
// memory, such as the encoded sentence to be translated, and then two dense
// layers for each step, each part added to what comes in:
//
//	x = x + attend(norm1(x))
//	x = x + attend(norm2(x), memory)
//	x = x + linear2(activation(linear1(norm3(x))))
//
// or, with NormLast, x = norm1(x + attend(x)) and so on. The names are those of
// PyTorch's TransformerDecoderLayer, whose self-attention is causal only if it
// is given such a mask.
type TransformerDecoderBlock struct {
	SelfAttention       *MultiHeadAttention // self_attn
	CrossAttention      *MultiHeadAttention // multihead_attn
	Linear1, Linear2    *Dense
	Norm1, Norm2, Norm3 *LayerNorm

	Activation Layer
	NormLast   bool
	Dropout    float64
	label
}

// NewTransformerDecoderBlock returns a block as [NewTransformerEncoderBlock]
// does.
func NewTransformerDecoderBlock(rng *rand.Rand, width, heads, inner int) *TransformerDecoderBlock {
	return NewTransformerDecoderBlockWith(rng, width, heads, inner, TransformerOptions{})
}

// NewTransformerDecoderBlockWith is [NewTransformerDecoderBlock] with options.
func NewTransformerDecoderBlockWith(rng *rand.Rand, width, heads, inner int, options TransformerOptions) *TransformerDecoderBlock {
	checkRate("TransformerDecoderBlock", options.Dropout)
	b := &TransformerDecoderBlock{
		SelfAttention:  options.attention(rng, width, heads, "self_attn"),
		CrossAttention: options.attention(rng, width, heads, "multihead_attn"),
		Linear1:        options.dense(rng, width, inner, "linear1"),
		Linear2:        options.dense(rng, inner, width, "linear2"),
		Norm1:          options.norm(width, "norm1"),
		Norm2:          options.norm(width, "norm2"),
		Norm3:          options.norm(width, "norm3"),
		Activation:     options.activation(),
		NormLast:       options.NormLast,
		Dropout:        options.Dropout,
		label:          userLabel(options.Name),
	}
	b.place(newNaming(), "")
	return b
}

// Name returns the block's name, which is "transformerdecoderblock" until it
// has one.
func (b *TransformerDecoderBlock) Name() string { return b.or("transformerdecoderblock") }

func (b *TransformerDecoderBlock) parts() []Layer {
	return []Layer{b.SelfAttention, b.CrossAttention, b.Linear1, b.Linear2, b.Norm1, b.Norm2, b.Norm3, b.Activation}
}

func (b *TransformerDecoderBlock) place(n *naming, path string) {
	placeParts(n, path+b.Name()+".", b.parts()...)
}

// Params returns the Params in PyTorch's order: attentions, dense layers,
// norms.
func (b *TransformerDecoderBlock) Params() []*autograd.Param { return paramsOfParts(b.parts()...) }

// Run passes sequences x, [batch, steps, width], through the block, which looks
// at memory, [batch, seen, width]. The options own are of the self-attention,
// which is causal anyway, and cross of that to the memory, such as its lengths.
// It panics as [MultiHeadAttention.Attend] does.
func (b *TransformerDecoderBlock) Run(x, memory autograd.Value, own, cross AttendOptions) autograd.Value {
	g := enter(x, b.Name())
	defer g.Leave()
	own.Causal = true
	x = added(x, b.Norm1, b.NormLast, b.Dropout, func(x autograd.Value) autograd.Value {
		return b.SelfAttention.Attend(x, x, x, own)
	})
	x = added(x, b.Norm2, b.NormLast, b.Dropout, func(x autograd.Value) autograd.Value {
		return b.CrossAttention.Attend(x, memory, memory, cross)
	})
	return b.forward(x)
}

// Next passes the next steps of sequences through the block, with those before
// them in the cache. It keeps the keys and values of the memory there too, from
// the first call on. The results are those of Run for the whole sequences.
func (b *TransformerDecoderBlock) Next(x, memory autograd.Value, cache *Cache, cross AttendOptions) autograd.Value {
	g := enter(x, b.Name())
	defer g.Leave()
	x = added(x, b.Norm1, b.NormLast, b.Dropout, func(x autograd.Value) autograd.Value {
		return b.SelfAttention.Next(x, cache)
	})
	x = added(x, b.Norm2, b.NormLast, b.Dropout, func(x autograd.Value) autograd.Value {
		return b.CrossAttention.Look(x, memory, cache, cross)
	})
	return b.forward(x)
}

// forward passes x through the third part.
func (b *TransformerDecoderBlock) forward(x autograd.Value) autograd.Value {
	return added(x, b.Norm3, b.NormLast, b.Dropout, func(x autograd.Value) autograd.Value {
		return b.Linear2.Forward(b.Activation.Forward(b.Linear1.Forward(x)).Dropout(b.Dropout))
	})
}

// Weights returns what the steps of x look at in the memory, in Run with these
// options: see [MultiHeadAttention.Weights].
func (b *TransformerDecoderBlock) Weights(x, memory autograd.Value, own, cross AttendOptions) autograd.Value {
	g := enter(x, b.Name())
	defer g.Leave()
	own.Causal = true
	x = added(x, b.Norm1, b.NormLast, 0, func(x autograd.Value) autograd.Value {
		return b.SelfAttention.Attend(x, x, x, own)
	})
	if !b.NormLast {
		x = b.Norm2.Forward(x)
	}
	return b.CrossAttention.Weights(x, memory, cross)
}
