package autograd_test

import (
	"math"

	"nabla/autograd"
)

// attention is Attention of the first inputs, with the next as the bias.
func attention(sources int, o autograd.AttentionOptions) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value {
		if len(in) > sources {
			o.Bias = in[sources]
		}
		operands := append([]autograd.Value{}, in[:sources]...)
		for len(operands) < 3 {
			operands = append(operands, none)
		}
		return autograd.Attention(operands[0], operands[1], operands[2], o)
	}
}

// attentionTwin computes it score by score, for operands in four axes and a
// bias of any shape that broadcasts.
func attentionTwin(o autograd.AttentionOptions) func(in ...grid) grid {
	return func(in ...grid) grid {
		q, v := in[0], in[2]
		group := q.shape[1] / max(1, v.shape[1])
		y := zeros([]int{q.shape[0], q.shape[1], q.shape[2], v.shape[3]})
		return build(y.shape, func(at []int) float64 {
			total, sum := 0.0, 0.0
			for j := range v.shape[2] {
				w := math.Exp(scoreTwin(in, o, at, j, group))
				total += w
				sum += w * v.at(at[0], at[1]/group, j, at[3])
			}
			if total == 0 {
				return 0
			}
			return sum / total
		})
	}
}

func scoreTwin(in []grid, o autograd.AttentionOptions, at []int, j, group int) float64 {
	q, k := in[0], in[1]
	b, h, i := at[0], at[1], at[2]
	if o.Causal && j > i+o.Offset || o.Lengths.Size() > 0 && j >= o.Lengths.Values()[b] {
		return math.Inf(-1)
	}
	score := 0.0
	for c := range q.shape[3] {
		score += q.at(b, h, i, c) * k.at(b, h/group, j, c)
	}
	scale := o.Scale
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(max(1, q.shape[3])))
	}
	score *= scale
	if len(in) > 3 {
		score += broadcastAt(in[3], []int{b, h, i, j})
	}
	return score
}

// broadcastAt returns the element that a place of a larger shape has after
// broadcasting.
func broadcastAt(x grid, at []int) float64 {
	at = append([]int{}, at[len(at)-len(x.shape):]...)
	for i, d := range x.shape {
		if d == 1 {
			at[i] = 0
		}
	}
	return x.at(at...)
}

// beside is the twin for operands in three axes: it splits their heads, and
// joins those of the result.
func beside(heads, kvHeads int, twin func(in ...grid) grid) func(in ...grid) grid {
	return func(in ...grid) grid {
		var parts []grid
		switch len(in) {
		case 1:
			all := splitHeads(in[0], heads+2*kvHeads)
			parts = []grid{headsOf(all, 0, heads), headsOf(all, heads, kvHeads), headsOf(all, heads+kvHeads, kvHeads)}
		case 2:
			both := splitHeads(in[1], 2*kvHeads)
			parts = []grid{splitHeads(in[0], heads), headsOf(both, 0, kvHeads), headsOf(both, kvHeads, kvHeads)}
		default:
			parts = []grid{splitHeads(in[0], heads), splitHeads(in[1], kvHeads), splitHeads(in[2], kvHeads)}
			parts = append(parts, in[3:]...)
		}
		y := twin(parts...)
		width := y.shape[3]
		return build([]int{y.shape[0], y.shape[2], heads * width}, func(at []int) float64 {
			return y.at(at[0], at[2]/width, at[1], at[2]%width)
		})
	}
}

func splitHeads(x grid, heads int) grid {
	width := x.shape[2] / heads
	return build([]int{x.shape[0], heads, x.shape[1], width}, func(at []int) float64 {
		return x.at(at[0], at[2], at[1]*width+at[3])
	})
}

func headsOf(x grid, first, heads int) grid {
	return build([]int{x.shape[0], heads, x.shape[2], x.shape[3]}, func(at []int) float64 {
		return x.at(at[0], first+at[1], at[2], at[3])
	})
}

var (
	causal    = autograd.AttentionOptions{Causal: true}
	ahead     = autograd.AttentionOptions{Causal: true, Offset: 2, Scale: 0.3}
	shorter   = autograd.AttentionOptions{Lengths: autograd.NewInts([]int{2, 3})}
	twoHeads  = autograd.AttentionOptions{Heads: 2}
	turnedTwo = autograd.RotaryOptions{Heads: 3, Turned: 2, First: 5, Base: 100}
	fourHeads = autograd.AttentionOptions{Heads: 4, KVHeads: 2, Causal: true}
)

var attentionRows = []opRow{
	{op: "attention", shapes: [][]int{{2, 2, 3, 2}, {2, 2, 4, 2}, {2, 2, 4, 3}},
		more: [][][]int{{{1, 1, 1, 1}, {1, 1, 2, 1}, {1, 1, 2, 1}}, {{0, 2, 3, 2}, {0, 2, 4, 2}, {0, 2, 4, 3}}, {{1, 2, 0, 2}, {1, 2, 4, 2}, {1, 2, 4, 3}},
			{{1, 2, 3, 2}, {1, 2, 0, 2}, {1, 2, 0, 3}}, {{1, 2, 3, 0}, {1, 2, 4, 0}, {1, 2, 4, 3}}, {{1, 2, 3, 2}, {1, 2, 4, 2}, {1, 2, 4, 0}},
			{{1, 2, 150, 5}, {1, 2, 301, 5}, {1, 2, 301, 9}}, {{2, 1, 2, 40}, {2, 1, 5000, 40}, {2, 1, 5000, 7}}},
		lo: -2, hi: 2, f: attention(3, autograd.AttentionOptions{}), twin: attentionTwin(autograd.AttentionOptions{})},
	{op: "attention", note: "grouped heads", shapes: [][]int{{2, 4, 3, 2}, {2, 2, 4, 2}, {2, 2, 4, 3}}, lo: -2, hi: 2,
		f: attention(3, autograd.AttentionOptions{}), twin: attentionTwin(autograd.AttentionOptions{})},
	{op: "attention", note: "causal", shapes: [][]int{{2, 2, 4, 2}, {2, 2, 4, 2}, {2, 2, 4, 3}}, more: [][][]int{{{1, 2, 300, 3}, {1, 2, 300, 3}, {1, 2, 300, 3}}}, lo: -2, hi: 2,
		f: attention(3, causal), twin: attentionTwin(causal)},
	{op: "attention", note: "causal with offset", shapes: [][]int{{2, 2, 2, 2}, {2, 2, 4, 2}, {2, 2, 4, 3}}, lo: -2, hi: 2, f: attention(3, ahead), twin: attentionTwin(ahead)},
	{op: "attention", note: "lengths", shapes: [][]int{{2, 2, 2, 2}, {2, 2, 4, 2}, {2, 2, 4, 3}}, lo: -2, hi: 2, f: attention(3, shorter), twin: attentionTwin(shorter)},
	{op: "attention", note: "bias", shapes: [][]int{{2, 2, 3, 2}, {2, 2, 4, 2}, {2, 2, 4, 3}, {2, 2, 3, 4}}, more: [][][]int{{{1, 2, 150, 3}, {1, 2, 301, 3}, {1, 2, 301, 3}, {2, 150, 301}}}, lo: -2, hi: 2,
		f: attention(3, autograd.AttentionOptions{}), twin: attentionTwin(autograd.AttentionOptions{})},
	{op: "attention", note: "bias that the batch shares", shapes: [][]int{{2, 4, 3, 2}, {2, 2, 4, 2}, {2, 2, 4, 3}, {4, 3, 4}}, lo: -2, hi: 2,
		f: attention(3, autograd.AttentionOptions{}), twin: attentionTwin(autograd.AttentionOptions{})},
	{op: "attention", note: "bias that the heads share", shapes: [][]int{{2, 4, 3, 2}, {2, 2, 4, 2}, {2, 2, 4, 3}, {2, 1, 1, 4}}, lo: -2, hi: 2,
		f: attention(3, autograd.AttentionOptions{}), twin: attentionTwin(autograd.AttentionOptions{})},
	{op: "attention", note: "heads side by side", shapes: [][]int{{2, 3, 4}, {2, 4, 4}, {2, 4, 6}}, more: [][][]int{{{0, 3, 4}, {0, 4, 4}, {0, 4, 6}}}, lo: -2, hi: 2,
		f: attention(3, twoHeads), twin: beside(2, 2, attentionTwin(twoHeads))},
	{op: "attention", note: "keys and values side by side", shapes: [][]int{{2, 3, 4}, {2, 4, 8}}, lo: -2, hi: 2,
		f: attention(2, twoHeads), twin: beside(2, 2, attentionTwin(twoHeads))},
	{op: "attention", note: "all side by side", shapes: [][]int{{2, 3, 16}}, more: [][][]int{{{0, 3, 16}}, {{2, 150, 24}}}, lo: -2, hi: 2,
		f: attention(1, fourHeads), twin: beside(4, 2, attentionTwin(fourHeads))},
	{op: "rotary", shapes: [][]int{{2, 3, 12}}, more: [][][]int{{{0, 3, 12}}, {{2, 0, 12}}, {{2, 3, 0}}}, lo: -2, hi: 2,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Rotary(turnedTwo) },
		twin: rotaryTwin(turnedTwo)},
	{op: "rotary", note: "heads of their own", shapes: [][]int{{2, 2, 3, 4}}, lo: -2, hi: 2,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Rotary(autograd.RotaryOptions{}) },
		twin: rotaryTwin(autograd.RotaryOptions{Heads: 1, Turned: 1, Base: 10_000})},
	{op: "attention weights", shapes: [][]int{{2, 2, 3, 2}, {2, 2, 4, 2}}, lo: -2, hi: 2,
		f: func(in ...autograd.Value) autograd.Value {
			return autograd.AttentionWeights(in[0], in[1], in[1], causal)
		},
		twin: func(in ...grid) grid { // values that are one of the keys each give its weight
			seen := in[1].shape[2]
			one := build([]int{in[1].shape[0], in[1].shape[1], seen, seen}, func(at []int) float64 { return float64(oneIf(at[2] == at[3])) })
			return attentionTwin(causal)(in[0], in[1], one)
		}},
}

// rotaryTwin turns the first heads of a row by the angles of its step.
func rotaryTwin(o autograd.RotaryOptions) func(in ...grid) grid {
	return func(in ...grid) grid {
		x := in[0]
		rank := len(x.shape)
		width := x.shape[rank-1] / o.Heads
		return build(x.shape, func(at []int) float64 {
			c, head := at[rank-1]%width, at[rank-1]/width
			if head >= o.Turned {
				return x.at(at...)
			}
			i := c % (width / 2)
			angle := float64(o.First+at[rank-2]) / math.Pow(o.Base, float64(2*i)/float64(width))
			pair := append([]int{}, at...)
			if c < width/2 {
				pair[rank-1] += width / 2
				return x.at(at...)*math.Cos(angle) - x.at(pair...)*math.Sin(angle)
			}
			pair[rank-1] -= width / 2
			return x.at(at...)*math.Cos(angle) + x.at(pair...)*math.Sin(angle)
		})
	}
}

func oneIf(set bool) int {
	if set {
		return 1
	}
	return 0
}
