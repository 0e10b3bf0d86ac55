package xla

import (
	"math"
)

var sequences = map[string]lowering{
	"attention": attention,
	"rotary":    rotary,
	"lstm":      recurrent,
	"gru":       recurrent,
	"rnn":       recurrent,
}

// heads are the queries, keys and values of an attention: [batch, heads, steps,
// width].
type heads struct{ q, k, v value }

// attention writes out what one kernel does in package autograd. The integers
// are those of its node there.
func attention(c *call) value {
	i := c.ints
	batch, count, kvHeads, steps, seen, vWidth := i[0], i[1], i[2], i[3], i[4], i[6]
	side, sources := i[10] == 1, i[8]
	h := headsOf(c, sources, side)
	group := count / kvHeads
	q := h.q.times(c.a()).reshape(batch, kvHeads, group*steps, h.q.shape[3])
	both := []int{0, 1}
	scores := q.dot(h.k, both, both, []int{3}, []int{3}).reshape(batch, count, steps, seen)
	if i[11]&2 != 0 {
		scores = scores.add(c.in[len(c.in)-1].expand(scores.shape))
	}
	mask := attentionMask(c, scores.shape)
	p := visibleSoftmax(scores, mask)
	if c.b() != 0 {
		if c.draw.p == nil {
			c.refuse("with Dropout: the key of its random numbers is not known")
		}
		p = p.mul(keptBy(c.draw, p.shape, c.b()))
	}
	p = p.reshape(batch, kvHeads, group*steps, seen)
	y := p.dot(h.v, both, both, []int{3}, []int{2}).reshape(batch, count, steps, vWidth)
	if side {
		y = y.permute(0, 2, 1, 3)
	}
	return y.reshape(c.shape...)
}

// attentionMask is the truth of which keys a query may see; no value if it may
// see all.
func attentionMask(c *call, shape []int) value {
	i, in := c.ints, c.in[c.ints[8]:]
	var mask value
	if i[11]&1 != 0 {
		mask, in = in[0].expand(shape).is("NE", 0), in[1:]
	}
	if i[11]&2 != 0 {
		mask = also(mask, in[0].expand(shape).is("NE", -inf))
	}
	if i[9] == 1 {
		column, row := c.p.iota(shape, 3), c.p.iota(shape, 2)
		mask = also(mask, column.compare("LE", row.plus(float64(i[7]))))
	}
	if lengths := i[13:]; len(lengths) > 0 {
		n := c.p.ints(lengths, shape[:1]).spread(shape, []int{0})
		mask = also(mask, c.p.iota(shape, 3).compare("LT", n))
	}
	return mask
}

// also is x and y, or y if there is no x.
func also(x, y value) value {
	if x.p == nil {
		return y
	}
	return x.and(y)
}

// visibleSoftmax is the softmax of the scores that may be seen, along the last
// axis; 0 in a row of which none may.
func visibleSoftmax(scores, mask value) value {
	if mask.p == nil {
		return scores.softmax(3)
	}
	lowest := mask.pick(scores, scores.like(-inf))
	most := lowest.reduce("maximum", -inf, 3)
	most = most.is("EQ", -inf).pick(most.like(0), most).kept(scores.shape, 3)
	e := mask.pick(scores.sub(most).exp(), scores.like(0))
	sum := e.sum(3)
	sum = sum.is("EQ", 0).pick(sum.like(1), sum)
	return e.div(sum.kept(scores.shape, 3))
}

func headsOf(c *call, sources int, side bool) heads {
	i := c.ints
	count, kvHeads, width, vWidth := i[1], i[2], i[5], i[6]
	if !side {
		return heads{c.in[0], c.in[1], c.in[2]}
	}
	x, y, z := c.in[0], value{}, value{}
	keys, values := kvHeads*width, kvHeads*vWidth
	switch sources {
	case 1:
		first := count * width
		x, y, z = x.narrow(2, 0, first), x.narrow(2, first, keys), x.narrow(2, first+keys, values)
	case 2:
		y, z = c.in[1].narrow(2, 0, keys), c.in[1].narrow(2, keys, values)
	default:
		y, z = c.in[1], c.in[2]
	}
	return heads{x.inHeads(count), y.inHeads(kvHeads), z.inHeads(kvHeads)}
}

// inHeads splits the last axis.
func (x value) inHeads(n int) value {
	return x.reshape(x.shape[0], x.shape[1], n, x.shape[2]/n).permute(0, 2, 1, 3)
}

// rotary turns pairs of elements by angles that are known when it is compiled.
func rotary(c *call) value {
	x, base, back := c.in[0], c.a(), c.b() != 0
	count, turned, first := c.ints[0], c.ints[1], c.ints[2]
	rank := len(c.shape)
	steps, width := c.shape[rank-2], c.shape[rank-1]/count
	half := width / 2
	cos, sin := make([]float64, steps*half), make([]float64, steps*half)
	for s := range steps {
		for k := range half {
			position := float64(first + s)
			if back {
				position = -position
			}
			sin[s*half+k], cos[s*half+k] = math.Sincos(position * math.Pow(base, -2*float64(k)/float64(width)))
		}
	}
	outer := 1
	for _, n := range c.shape[:rank-2] {
		outer *= n
	}
	all := x.reshape(outer, steps, count, 2, half)
	part := all.narrow(2, 0, turned)
	shape := []int{outer, steps, turned, 1, half}
	u, v := part.narrow(3, 0, 1), part.narrow(3, 1, 1)
	cosines := c.p.numbers(cos, []int{steps, half}).spread(shape, []int{1, 4})
	sines := c.p.numbers(sin, []int{steps, half}).spread(shape, []int{1, 4})
	result := concat(3, u.mul(cosines).sub(v.mul(sines)), v.mul(cosines).add(u.mul(sines)))
	if turned < count {
		result = concat(2, result, all.narrow(2, turned, count-turned))
	}
	return result.reshape(c.shape...)
}

// recurrent writes a recurrent network out, step by step. It does so in the
// words in which its gradient is recorded, so that both share the steps.
func recurrent(c *call) value {
	i := c.ints
	cell, batch, steps, in, hidden, reverse := i[0], i[1], i[2], i[3], i[4], i[5] == 1
	optional, next := [4]value{}, 3
	for k := range optional {
		if i[6+k] == 1 {
			optional[k] = c.in[next]
			next++
		}
	}
	lengths := i[10 : 10+batch]
	zeros := c.p.number(0, []int{batch, hidden})
	h, cells := orElse(optional[0], zeros), orElse(optional[1], zeros)
	ys := make([]value, steps)
	for k := range ys {
		s := k
		if reverse {
			s = steps - 1 - k
		}
		x := c.in[0].narrow(1, s, 1).reshape(batch, in)
		p := withRow(x.dot(c.in[1], nil, nil, []int{1}, []int{0}), optional[2])
		q := withRow(h.dot(c.in[2], nil, nil, []int{1}, []int{0}), optional[3])
		nextH, nextC := cellStep(cell, p, q, h, cells)
		here := c.p.longer(lengths, s).expand(zeros.shape).is("NE", 0)
		ys[s] = here.pick(nextH, zeros).reshape(batch, 1, hidden)
		h, cells = here.pick(nextH, h), here.pick(nextC, cells)
	}
	parts := []value{}
	if steps > 0 {
		parts = append(parts, concat(1, ys...).reshape(batch*steps, hidden))
	}
	parts = append(parts, h)
	if cell == cellLSTM {
		parts = append(parts, cells)
	}
	return concat(0, parts...)
}

// longer is 1 for the sequences that are longer than s.
func (p *program) longer(lengths []int, s int) value {
	x := make([]float64, len(lengths))
	for i, n := range lengths {
		x[i] = float64(bit(n > s))
	}
	return p.numbers(x, []int{len(lengths), 1})
}

// The cells, as they are counted in package autograd.
const (
	cellLSTM = iota
	cellGRU
	cellTanh
	cellReLU
)

func orElse(x, y value) value {
	if x.p == nil {
		return y
	}
	return x
}

// withRow adds a bias to each row, if there is one.
func withRow(x, bias value) value {
	if bias.p == nil {
		return x
	}
	return x.add(bias.expand(x.shape))
}

func cellStep(cell int, p, q, h, c value) (nextH, nextC value) {
	n := h.shape[1]
	gate := func(z value, i int) value { return z.narrow(1, i*n, n) }
	switch cell {
	case cellLSTM:
		z := p.add(q)
		c = gate(z, 1).sigmoid().mul(c).add(gate(z, 0).sigmoid().mul(gate(z, 2).tanh()))
		return gate(z, 3).sigmoid().mul(c.tanh()), c
	case cellGRU:
		reset, update := gate(p, 0).add(gate(q, 0)).sigmoid(), gate(p, 1).add(gate(q, 1)).sigmoid()
		candidate := gate(p, 2).add(reset.mul(gate(q, 2))).tanh()
		return candidate.add(update.mul(h.sub(candidate))), c
	case cellReLU:
		return p.add(q).max(h.like(0)), c
	}
	return p.add(q).tanh(), c
}
