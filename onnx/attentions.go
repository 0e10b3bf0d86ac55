package onnx

import (
	"math"
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// attentions look from each step at others.
func attentions() map[string]operator {
	return map[string]operator{
		"Attention":       {since(23, 24, 25), 3, 7, 4, buildAttention},
		"LinearAttention": {since(27), 3, 6, 2, buildLinearAttention},
		"RotaryEmbedding": {since(23), 3, 4, 1, buildRotaryEmbedding},
	}
}

// attending are the settings of Attention.
type attending struct {
	heads, kvHeads int // of operands with three axes
	causal         bool
	left, right    int // windows; −1: none
	scale, cap     float64
	mode           int // what the fourth output is
}

func buildAttention(n *node) func(*call) {
	n.ignore("softmax_precision")
	a := attending{
		heads: n.int("q_num_heads", 0), kvHeads: n.int("kv_num_heads", 0), causal: n.bool("is_causal", false),
		left: n.int("left_window_size", -1), right: n.int("right_window_size", -1),
		scale: n.float("scale", 0), cap: n.float("softcap", 0), mode: n.int("qk_matmul_output_mode", 0),
	}
	scaled := n.hasAttribute("scale")
	return func(c *call) {
		q, k, v := c.split3(0, a.heads), c.split3(1, a.kvHeads), c.split3(2, a.kvHeads)
		past := 0
		if c.has(4) != c.has(5) {
			c.fail("it has one of past_key and past_value only")
		}
		if c.has(4) {
			pastK, pastV := c.value(4), c.value(5)
			if pastK.Rank() != 4 || pastV.Rank() != 4 {
				c.failShapes("the past does not have four axes", pastK.Shape(), pastV.Shape())
			}
			past = pastK.Dim(2)
			k, v = autograd.Concat(2, pastK, k), autograd.Concat(2, pastV, v)
		}
		c.fitHeads(q, k, v)
		c.set(1, ofValue(c.args[1].elem, k))
		c.set(2, ofValue(c.args[2].elem, v))
		settings := a
		if !scaled {
			settings.scale = 1 / math.Sqrt(float64(max(q.Dim(3), 1)))
		}
		y := c.attend(settings, q, k, v, past)
		if c.args[0].rank() == 3 {
			y = y.Permute(0, 2, 1, 3).Reshape(y.Dim(0), y.Dim(2), y.Dim(1)*y.Dim(3))
		}
		c.setLike(0, y)
	}
}

// split3 returns input i as [batch, heads, steps, width].
func (c *call) split3(i, heads int) value {
	x := c.value(i)
	switch x.Rank() {
	case 4:
		return x
	case 3:
		if heads < 1 || x.Dim(2)%heads != 0 {
			c.failShapes("the last axis does not divide into heads", x.Shape(), []int{heads})
		}
		return x.Reshape(x.Dim(0), x.Dim(1), heads, x.Dim(2)/heads).Permute(0, 2, 1, 3)
	}
	c.failShapes("an operand does not have three or four axes", x.Shape())
	return x
}

func (c *call) fitHeads(q, k, v value) {
	if q.Dim(0) != k.Dim(0) || q.Dim(0) != v.Dim(0) || q.Dim(3) != k.Dim(3) || k.Dim(1) != v.Dim(1) || k.Dim(2) != v.Dim(2) ||
		k.Dim(1) == 0 || q.Dim(1)%k.Dim(1) != 0 {
		c.failShapes("the operands do not fit each other", q.Shape(), k.Shape(), v.Shape())
	}
	c.room([]int{q.Dim(0), q.Dim(1), q.Dim(2), k.Dim(2)})
}

// attend computes attention, by the graph's own operation unless what is in
// between is wanted.
func (c *call) attend(a attending, q, k, v value, past int) value {
	mask, bias := c.masks(a, q, k, past)
	if a.cap == 0 && !c.wants(3) && q.Size() > 0 && k.Dim(2) > 0 {
		return autograd.Attention(q, k, v, autograd.AttentionOptions{Mask: mask, Bias: bias, Scale: a.scale})
	}
	if times := q.Dim(1) / k.Dim(1); times > 1 {
		k, v = k.Repeat(1, times), v.Repeat(1, times)
	}
	scores := q.MatMul(k.T()).MulScalar(a.scale)
	stages := []value{scores}
	if a.cap != 0 {
		scores = scores.MulScalar(1 / a.cap).Tanh().MulScalar(a.cap)
	}
	stages = append(stages, scores)
	if !bias.IsZero() {
		scores = scores.Add(bias)
	}
	if !mask.IsZero() {
		scores = autograd.Where(mask, scores, c.graph().Scalar(math.Inf(-1)))
	}
	stages = append(stages, scores)
	// A query that sees no key gives 0.
	sees := scores.KeepDims().Max(3).GreaterScalar(math.Inf(-1))
	p := autograd.Where(sees, autograd.Where(sees, scores, c.graph().Scalar(0)).Softmax(3), c.graph().Scalar(0))
	stages = append(stages, p)
	if a.mode < 0 || a.mode >= len(stages) {
		c.fail("qk_matmul_output_mode is %d", a.mode)
	}
	c.setLike(3, stages[a.mode])
	return p.MatMul(v)
}

// masks returns which keys each query may see, and what is added to the scores;
// zero Values for all and nothing.
func (c *call) masks(a attending, q, k value, past int) (mask, bias value) {
	total := k.Dim(2)
	if c.has(3) {
		if d := c.tensor(3); d.elem == message.Bool {
			mask = c.lengthened(c.mask(3), total, 0)
		} else {
			bias = c.lengthened(c.value(3), total, math.Inf(-1))
		}
	}
	seen := c.seen(a, q, total, past)
	if seen == nil {
		return mask, bias
	}
	own := c.graph().Constant(autograd.NewTensor(seen, q.Dim(0), 1, q.Dim(2), total))
	if mask.IsZero() {
		return own, bias
	}
	return mask.Mul(own), bias
}

// lengthened pads a mask to all keys.
func (c *call) lengthened(x value, total int, v float64) value {
	if x.Rank() == 0 || x.Dim(-1) >= total || x.Dim(-1) == 1 {
		return x
	}
	pairs := make([][2]int, x.Rank())
	pairs[x.Rank()-1][1] = total - x.Dim(-1)
	return x.Pad(v, pairs...)
}

// seen returns 1 where a query may see a key by its place, [batch, queries,
// keys], or nil if all may.
func (c *call) seen(a attending, q value, total, past int) []float64 {
	batch, queries := q.Dim(0), q.Dim(2)
	var valid []int
	if c.has(6) {
		if valid = c.list(6); len(valid) != batch {
			c.failShapes("there is not one length for each sample", c.args[6].shape())
		}
	}
	if !a.causal && valid == nil && a.left < 0 && a.right < 0 {
		return nil
	}
	c.room([]int{batch, queries, total})
	seen := make([]float64, 0, batch*queries*total)
	for b := range batch {
		offset, keys := past, total
		if valid != nil {
			offset, keys = valid[b]-queries, valid[b]
		}
		for i := range queries {
			at := i + offset
			for j := range total {
				may := j < keys && (!a.causal || j <= at) && (a.left < 0 || j >= at-a.left) && (a.right < 0 || j <= at+a.right)
				seen = append(seen, float64(truth(may)))
			}
		}
	}
	return seen
}

// buildRotaryEmbedding turns pairs of elements by angles whose cosines and
// sines are given, for each step or each position.
func buildRotaryEmbedding(n *node) func(*call) {
	interleaved, heads, turned := n.bool("interleaved", false), n.int("num_heads", 0), n.int("rotary_embedding_dim", 0)
	return func(c *call) {
		x := c.value(0)
		shape := x.Shape()
		if len(shape) == 3 {
			if heads < 1 || shape[2]%heads != 0 {
				c.failShapes("the last axis does not divide into heads", shape, []int{heads})
			}
			x = x.Reshape(shape[0], shape[1], heads, shape[2]/heads)
		} else if len(shape) == 4 {
			x = x.Permute(0, 2, 1, 3)
		} else {
			c.failShapes("x does not have three or four axes", shape)
		}
		// x is [batch, steps, heads, width].
		width := turned
		if width == 0 {
			width = x.Dim(3)
		}
		if width < 2 || width%2 != 0 || width > x.Dim(3) {
			c.failShapes("the elements to turn are no pairs", shape, []int{width})
		}
		cos, sin := c.angles(1, x, width/2), c.angles(2, x, width/2)
		y := turn(x.Narrow(3, 0, width), cos, sin, interleaved)
		if width < x.Dim(3) {
			y = autograd.Concat(3, y, x.Narrow(3, width, x.Dim(3)-width))
		}
		if len(shape) == 4 {
			y = y.Permute(0, 2, 1, 3)
		}
		c.setLike(0, y.Reshape(shape...))
	}
}

// angles returns input i as [batch or 1, steps, 1, half].
func (c *call) angles(i int, x value, half int) value {
	table := c.value(i)
	if c.has(3) {
		positions := c.tensor(3)
		if table.Rank() != 2 || positions.rank() != 2 {
			c.failShapes("the table or the positions are no matrix", table.Shape(), positions.shape())
		}
		table = table.IndexSelect(0, c.indices(3, table.Dim(0)))
	}
	if table.Rank() != 3 || table.Dim(2) != half || table.Dim(1) != x.Dim(1) || table.Dim(0) != x.Dim(0) {
		c.failShapes("the cosines or sines do not fit", x.Shape(), table.Shape(), []int{half})
	}
	return table.Unsqueeze(2)
}

// turn turns pairs: neighbours, or elements of both halves.
func turn(x, cos, sin value, interleaved bool) value {
	shape := x.Shape()
	last := len(shape)
	var a, b value
	if interleaved {
		pairs := x.Reshape(append(slices.Clone(shape[:last-1]), shape[last-1]/2, 2)...)
		a, b = pairs.Select(last, 0), pairs.Select(last, 1)
	} else {
		halves := x.SplitEqual(last-1, 2)
		a, b = halves[0], halves[1]
	}
	real, imaginary := cos.Mul(a).Sub(sin.Mul(b)), sin.Mul(a).Add(cos.Mul(b))
	if interleaved {
		return autograd.Stack(last, real, imaginary).Reshape(shape...)
	}
	return autograd.Concat(last-1, real, imaginary)
}

// buildLinearAttention runs through sequences with a matrix as its state, which
// keys and values are added to and queries are multiplied with.
func buildLinearAttention(n *node) func(*call) {
	n.ignore("chunk_size")
	heads, kvHeads, scale := n.int("q_num_heads", 0), n.int("kv_num_heads", 0), n.float("scale", 0)
	rule := n.oneOf("update_rule", "gated_delta", "linear", "gated", "delta", "gated_delta")
	gated, delta := rule == "gated" || rule == "gated_delta", rule == "delta" || rule == "gated_delta"
	return func(c *call) {
		q, k, v := c.split3(0, heads), c.split3(1, kvHeads), c.split3(2, kvHeads)
		if q.Dim(2) != k.Dim(2) || q.Dim(2) < 1 {
			c.failShapes("the operands differ in steps", q.Shape(), k.Shape())
		}
		c.fitHeads(q, k, v)
		if times := heads / kvHeads; times > 1 {
			c.room([]int{q.Dim(0), heads, q.Dim(2), max(k.Dim(3), v.Dim(3))})
		}
		state := c.graph().Full(0, q.Dim(0), kvHeads, k.Dim(3), v.Dim(3))
		if c.has(3) {
			if s := c.value(3).Shape(); !slices.Equal(s, state.Shape()) {
				c.failShapes("the state does not fit", s, state.Shape())
			}
			state = c.value(3)
		}
		l := linearStep{gated: gated, delta: delta, scale: scale, times: heads / kvHeads}
		if scale == 0 {
			l.scale = 1 / math.Sqrt(float64(max(k.Dim(3), 1)))
		}
		if gated {
			l.decay = c.rates(4, k, true)
		}
		if delta {
			l.beta = c.rates(5, k, false)
		}
		outputs := make([]value, q.Dim(2))
		for t := range outputs {
			if c.frame.run.steps--; c.frame.run.steps < 0 {
				c.fail("there are more steps than ImportOptions.MaxSteps allows")
			}
			state, outputs[t] = l.next(state, q, k, v, t)
		}
		y := autograd.Stack(1, outputs...) // [batch, steps, heads, width]
		c.setLike(0, y.Reshape(y.Dim(0), y.Dim(1), y.Dim(2)*y.Dim(3)))
		c.set(1, ofValue(c.args[0].elem, state))
	}
}

// rates returns input i as [batch, kv heads, steps, width or 1].
func (c *call) rates(i int, k value, wide bool) value {
	x := c.value(i)
	if x.Rank() != 3 || x.Dim(0) != k.Dim(0) || x.Dim(1) != k.Dim(2) {
		c.failShapes("a decay or rate does not fit the keys", x.Shape(), k.Shape())
	}
	heads := k.Dim(1)
	switch {
	case x.Dim(2) == heads:
		return x.Permute(0, 2, 1).Unsqueeze(3)
	case x.Dim(2) == 1 && !wide:
		return x.Unsqueeze(1)
	case x.Dim(2) == heads*k.Dim(3) && wide:
		return x.Reshape(x.Dim(0), x.Dim(1), heads, k.Dim(3)).Permute(0, 2, 1, 3)
	}
	c.failShapes("a decay or rate does not fit the keys", x.Shape(), k.Shape())
	return x
}

type linearStep struct {
	gated, delta bool
	decay, beta  value
	scale        float64
	times        int
}

// next returns the state after step t and the output, [batch, heads, width].
func (l linearStep) next(state, q, k, v value, t int) (value, value) {
	key := k.Select(2, t).Unsqueeze(3) // [batch, kv heads, width, 1]
	values := v.Select(2, t).Unsqueeze(2)
	if l.gated {
		state = state.Mul(l.decay.Select(2, t).Exp().Unsqueeze(3))
	}
	if l.delta {
		values = values.Sub(key.Transpose(2, 3).MatMul(state))
		values = values.Mul(l.beta.Select(2, t).Unsqueeze(3))
	}
	state = state.Add(key.Mul(values))
	seen := state
	if l.times > 1 {
		seen = seen.Repeat(1, l.times)
	}
	query := q.Select(2, t).Unsqueeze(2).MulScalar(l.scale)
	return state, query.MatMul(seen).Squeeze(2)
}
