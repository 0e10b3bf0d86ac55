package xla

import (
	"fmt"
	"math"
	"slices"

	"nabla/autograd"
)

// An attention with dropout draws a key, from which it computes which weights
// it drops. Its gradient has them as a constant, which is found by its numbers
// and computed by the program from the key, as for the attention itself.

// keptOf returns what the weights of an attention are multiplied by, nil if
// there is no dropout.
func keptOf(n autograd.Node) []float64 {
	o, ok := n.Options().(autograd.AttentionCall)
	if !ok || o.Dropout == 0 {
		return nil
	}
	return keptWeights(o.Key, sizeOf(weightsShape(n.Ints)), o.Dropout, n.Value.Graph().Options().Precision)
}

// weightsShape is the shape of the weights: [batch, heads, steps, seen].
func weightsShape(ints []int) []int { return []int{ints[0], ints[1], ints[3], ints[4]} }

// keptWeights is what the weights of an attention are multiplied by: a function
// of the key that was drawn and of their places.
func keptWeights(key uint64, n int, rate float64, precision autograd.Precision) []float64 {
	factor := 1 / (1 - rate)
	if precision == autograd.Float32 {
		factor = float64(float32(factor))
	}
	kept := make([]float64, n)
	for at := range uint64(n) {
		bits := key + at>>1*splitGamma
		bits = (bits ^ bits>>30) * splitFirst
		bits = (bits ^ bits>>27) * splitSecond
		bits ^= bits >> 31
		if at&1 == 1 {
			bits >>= 32
		}
		if uint32(bits) >= leastKept(rate) {
			kept[at] = factor
		}
	}
	return kept
}

// The constants of SplitMix64.
const (
	splitGamma  = 0x9e3779b97f4a7c15
	splitFirst  = 0xbf58476d1ce4e5b9
	splitSecond = 0x94d049bb133111eb
)

func leastKept(rate float64) uint32 { return uint32(rate * (1 << 32)) }

// keptBy is keptWeights as a part of the program, for a key and the place of
// the first weight.
func keptBy(key value, shape []int, rate float64) value {
	p := key.p
	one := func(i int) value {
		return key.cut([]int{i}, []int{i + 1}, []int{1}).reshape().expand(shape)
	}
	at := p.op("i64", []int{sizeOf(shape)}, fmt.Sprintf("stablehlo.iota dim = 0 : %s", typeOf("i64", []int{sizeOf(shape)})))
	places := at.convert("ui64").reshape(shape...).add(one(1))
	bits := one(0).add(places.right(1).mul(places.unsigned(splitGamma)))
	bits = bits.xor(bits.right(30)).mul(places.unsigned(splitFirst))
	bits = bits.xor(bits.right(27)).mul(places.unsigned(splitSecond))
	bits = bits.xor(bits.right(31))
	low := places.and(places.unsigned(1)).compare("EQ", places.unsigned(1)).pick(bits.right(32), bits.and(bits.unsigned(math.MaxUint32)))
	kept := low.compare("GE", low.unsigned(uint64(leastKept(rate))))
	return kept.pick(p.number(1/(1-rate), shape), p.number(0, shape))
}

func (x value) xor(y value) value { return x.binary("xor", y) }

// right shifts bits to the right.
func (x value) right(by uint64) value { return x.binary("shift_right_logical", x.unsigned(by)) }

// unsigned returns a tensor of one number without sign.
func (x value) unsigned(v uint64) value {
	return x.p.op("ui64", x.shape, fmt.Sprintf("stablehlo.constant dense<%d> : %s", v, typeOf("ui64", x.shape)))
}

// droppedBy finds the attention whose weights a constant drops.
func droppedBy(id int, all []*sample) (attention int, ok bool) {
	for node, n := range all[0].nodes[:id] {
		if n.kept == nil {
			continue
		}
		if !slices.ContainsFunc(all, func(s *sample) bool { return !sameFloats(s.nodes[node].kept, s.nodes[id].Numbers) }) {
			return node, true
		}
	}
	return 0, false
}
