package autograd

import "math/rand/v2"

// Dropout replaces each element by 0 with probability rate and divides the
// others by 1 − rate, so that the expected value is unchanged (Srivastava et
// al., Dropout, 2014). The graph's random stream decides which. In evaluation
// mode Dropout returns x itself. It panics with an [*ArgumentError] if rate is
// not in [0, 1).
//
//	gx = gy/(1 − rate) where x was kept, else 0
func (x Value) Dropout(rate float64) Value {
	n, g := x.node("Dropout"), x.g
	if !(rate >= 0 && rate < 1) {
		panic(NewArgumentError("Dropout", "a rate of %v is not in [0, 1)", rate))
	}
	if !g.Training() || rate == 0 {
		return x
	}
	mask := g.record(&opConstant, nil, n.shape)
	for i := range n.shape.size {
		kept := 0.0
		if uniform(g.random.Uint64()) >= rate {
			kept = 1 / (1 - rate)
		}
		g.setNumber(mask.data, i, kept)
	}
	return x.Mul(g.done().Named("dropout mask"))
}

// uniform turns random bits into a number in [0, 1).
func uniform(bits uint64) float64 { return float64(bits>>11) / (1 << 53) }

// A RandomState is a place in a graph's random stream.
type RandomState struct{ source rand.PCG }

// RandomState returns the current place in the random stream, for
// SetRandomState. A recording that starts from the same state draws the same
// numbers.
func (g *Graph) RandomState() RandomState { return RandomState{g.random} }

// SetRandomState continues the random stream from a state, which may be another
// graph's.
func (g *Graph) SetRandomState(s RandomState) { g.random = s.source }
