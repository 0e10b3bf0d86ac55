package explain

import (
	"container/heap"
	"math"
	"slices"

	"nabla/autograd"
	"nabla/internal/recording"
)

// addWays adds the largest ways from node i to the root.
//
// The weight of a step is the logarithm of its factor's size; heaviest holds
// the greatest sum of weights from each node to the root. So the search always
// extends the partial way with the best possible end, and never follows one in
// vain.
func (x *explainer) addWays(e *Explanation, i, most int) {
	s := &waySearch{explainer: x, start: i, element: e.Element, exact: x.scalarFrom(i)}
	s.measure()
	e.Exact, e.WayCount = s.exact, s.ways[i]
	for range most {
		last, found := s.next()
		if !found {
			break
		}
		e.addWay(s, last)
	}
	if s.exact {
		slices.SortStableFunc(e.Ways, bySize)
	}
}

func bySize(a, b Way) int {
	switch size, other := math.Abs(a.Contribution), math.Abs(b.Contribution); {
	case size > other:
		return -1
	case size < other:
		return 1
	}
	return 0
}

// scalarFrom reports whether all ways from node i lead through single numbers
// with known factors.
func (x *explainer) scalarFrom(i int) bool {
	on := make([]bool, len(x.Nodes))
	on[i] = true
	for k := i; k <= x.Root; k++ {
		if !on[k] {
			continue
		}
		if x.Nodes[k].Value.Size != 1 {
			return false
		}
		for _, use := range x.Nodes[k].Uses {
			edge := &x.Edges[use]
			if !edge.Received {
				continue
			}
			if !edge.LocalKnown || edge.Local.Size != 1 {
				return false
			}
			on[edge.To] = true
		}
	}
	return true
}

// A waySearch finds the ways from a node to the root, the largest first.
type waySearch struct {
	*explainer
	start, element int
	exact          bool

	heaviest []float64 // by node: the greatest sum of weights over the ways to the root
	ways     []float64 // by node: how many there are
	sums     []float64 // by node: of the norms of the contributions
	partial  []partial
	open     queue
}

// A partial is the beginning of a way.
type partial struct {
	node, edge int
	before     int // into partial, nowhere for the start
	length     int
	weight     float64 // of the best way that begins like this
}

// measure fills heaviest, ways and sums, from the root on.
func (s *waySearch) measure() {
	n := len(s.Nodes)
	s.heaviest, s.ways, s.sums = make([]float64, n), make([]float64, n), make([]float64, n)
	s.ways[s.Root] = 1
	for i := s.Root; i >= s.start; i-- {
		best, any := math.Inf(-1), false
		for _, use := range s.Nodes[i].Uses {
			if e := &s.Edges[use]; e.Received {
				s.sums[i] += s.size(e)
			}
		}
		for _, use := range s.Nodes[i].Uses {
			if e := &s.Edges[use]; e.Received && s.ways[e.To] > 0 {
				best, any = max(best, s.weight(e)+s.heaviest[e.To]), true
				s.ways[i] += s.ways[e.To]
			}
		}
		if any {
			s.heaviest[i] = best
		}
	}
	if s.ways[s.start] > 0 {
		s.push(partial{s.start, recording.Nowhere, recording.Nowhere, 0, 0})
	}
}

// size returns the norm of an edge's contribution: of one element alone if one
// is explained.
func (s *waySearch) size(e *recording.Edge) float64 {
	if e.From == s.start {
		return math.Abs(pick(&e.Contribution, s.element))
	}
	return e.Contribution.Norm
}

// The weights of a zero factor and of one that is not finite: beyond the sum
// along any way with finite factors.
const (
	weightOfZero   = -0x1p40
	weightOfBroken = 0x1p40
)

// weight returns the logarithm of the size of an edge's factor, or of its
// share.
func (s *waySearch) weight(e *recording.Edge) float64 {
	factor := s.factor(e)
	switch {
	case factor == 0:
		return weightOfZero
	case !recording.IsFinite(factor):
		return weightOfBroken
	}
	return math.Log2(math.Abs(factor))
}

func (s *waySearch) factor(e *recording.Edge) float64 {
	if s.exact {
		return e.Local.Few[0]
	}
	if s.sums[e.From] == 0 {
		return 0
	}
	return s.size(e) / s.sums[e.From]
}

// next returns the end of the next largest way.
func (s *waySearch) next() (last partial, found bool) {
	for s.open.Len() > 0 {
		at := heap.Pop(&s.open).(int)
		p := s.partial[at]
		if p.node == s.Root {
			return p, true
		}
		for _, use := range slices.Backward(s.Nodes[p.node].Uses) {
			e := &s.Edges[use]
			if !e.Received || s.ways[e.To] == 0 {
				continue
			}
			// The best continuation inherits the weight exactly, so that
			// rounding never sends the search back to shorter ways that are
			// equally good.
			loss := s.heaviest[p.node] - (s.weight(e) + s.heaviest[e.To])
			s.push(partial{e.To, use, at, p.length + 1, p.weight - loss})
		}
	}
	return partial{}, false
}

func (s *waySearch) push(p partial) {
	s.partial = append(s.partial, p)
	s.open.of = s
	heap.Push(&s.open, len(s.partial)-1)
}

// addWay adds the way that ends with a partial.
func (e *Explanation) addWay(s *waySearch, last partial) {
	edges := make([]int, last.length)
	for p := last; p.before != recording.Nowhere; p = s.partial[p.before] {
		edges[p.length-1] = p.edge
	}
	way := Way{Values: []autograd.Value{s.Nodes[s.start].Source.Value}, Contribution: math.NaN(), Share: 1}
	way.titles = []string{s.Nodes[s.start].Mention()}
	for _, k := range edges {
		edge := &s.Edges[k]
		to := &s.Nodes[edge.To]
		way.Values = append(way.Values, to.Source.Value)
		way.titles = append(way.titles, to.Mention())
		if s.exact {
			way.Locals = append(way.Locals, edge.Local.Few[0])
		} else {
			way.Share *= s.factor(edge)
		}
	}
	if s.exact {
		way.seed = s.Nodes[s.Root].Gradient.Few[0]
		way.Contribution = way.seed
		for _, local := range slices.Backward(way.Locals) {
			way.Contribution *= local
		}
		way.Share = way.Contribution / e.Gradient
	}
	if e.Gradient == 0 {
		way.Share = math.NaN()
	}
	e.Ways = append(e.Ways, way)
}

// A queue is a heap of partial ways: the heaviest first, then the longest,
// then the oldest.
type queue struct {
	of *waySearch
	at []int
}

func (q *queue) Len() int      { return len(q.at) }
func (q *queue) Swap(i, j int) { q.at[i], q.at[j] = q.at[j], q.at[i] }
func (q *queue) Push(at any)   { q.at = append(q.at, at.(int)) }

func (q *queue) Pop() any {
	last := q.at[len(q.at)-1]
	q.at = q.at[:len(q.at)-1]
	return last
}

func (q *queue) Less(i, j int) bool {
	a, b := &q.of.partial[q.at[i]], &q.of.partial[q.at[j]]
	switch {
	case a.weight != b.weight:
		return a.weight > b.weight
	case a.length != b.length:
		return a.length > b.length
	}
	return q.at[i] < q.at[j]
}
