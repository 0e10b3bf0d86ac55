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
	checkRate("Dropout", rate)
	if !g.Training() || rate == 0 {
		return x
	}
	return x.Mul(g.dropoutMask(n.shape, rate))
}

// DropoutChannels is Dropout of whole channels: for x of shape [batch,
// channels, …] it draws once for each channel of each sample (Tompson et al.,
// 2015). Neighbouring elements of an image are so alike that a network
// guesses single ones that are missing. It also panics with a [*ShapeError] if
// x has fewer than two axes.
//
//	gx = gy/(1 − rate) where the channel was kept, else 0
func (x Value) DropoutChannels(rate float64) Value {
	n, g := x.node("DropoutChannels"), x.g
	checkRate("DropoutChannels", rate)
	if n.shape.rank() < 2 {
		panic(NewShapeError("DropoutChannels", "x is not of shape [batch, channels, …]", n.shape.dims))
	}
	if !g.Training() || rate == 0 {
		return x
	}
	dims := g.ints.take(n.shape.rank())
	for i := range dims {
		dims[i] = 1
	}
	copy(dims, n.shape.dims[:2])
	return x.Mul(g.dropoutMask(g.shape(dims), rate))
}

func checkRate(op string, rate float64) {
	if !(rate >= 0 && rate < 1) {
		panic(NewArgumentError(op, "a rate of %v is not in [0, 1)", rate))
	}
}

// dropoutMask records what the elements are multiplied by.
func (g *Graph) dropoutMask(s *shape, rate float64) Value {
	mask := g.record(&opConstant, nil, s)
	for i := range s.size {
		kept := 0.0
		if uniform(g.random.Uint64()) >= rate {
			kept = 1 / (1 - rate)
		}
		g.setNumber(mask.data, i, kept)
	}
	g.extraOf(mask).told[1] = 1
	return g.done().Named("dropout mask")
}

// uniform turns random bits into a number in [0, 1).
func uniform(bits uint64) float64 { return float64(bits>>11) / (1 << 53) }

// A RandomState is a place in a graph's random stream.
type RandomState struct{ source rand.PCG }

// NewRandomState returns the beginning of a random stream that follows from a
// seed and numbers that say what it is for, such as an epoch, a batch and a
// part of it. Streams whose numbers differ have nothing to do with each other.
func NewRandomState(seed uint64, of ...uint64) RandomState {
	hi, lo := scramble(seed), scramble(seed^0x6e61626c61)
	for _, n := range of {
		hi = scramble(hi ^ n)
		lo = scramble(lo + n)
	}
	var s RandomState
	s.source.Seed(hi, lo)
	return s
}

// scramble returns numbers that look random for 0, 1, 2, … (Steele, Lea and
// Flood, Fast splittable pseudorandom number generators, 2014).
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// RandomState returns the current place in the random stream, for
// SetRandomState. A recording that starts from the same state draws the same
// numbers.
func (g *Graph) RandomState() RandomState { return RandomState{g.random} }

// SetRandomState continues the random stream from a state, which may be another
// graph's.
func (g *Graph) SetRandomState(s RandomState) { g.random = s.source }

// MarshalBinary returns the place as bytes, to be kept in a checkpoint.
func (s RandomState) MarshalBinary() ([]byte, error) { return s.source.MarshalBinary() }

// UnmarshalBinary makes s the place that MarshalBinary returned.
func (s *RandomState) UnmarshalBinary(text []byte) error { return s.source.UnmarshalBinary(text) }
