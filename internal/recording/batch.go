package recording

import (
	"slices"

	"nabla/autograd"
)

// A Batch is what the page needs to compute the rows that Sample does not draw.
type Batch struct {
	Row   int                   // the row that is drawn
	Own   map[Element]bool      // the drawn leaves that belong to this row alone
	Rows  map[Element][]float64 // for each leaf that differs between rows, its number in every row
	Alike bool                  // every row is computed in the same way, so that rows differ only in Rows
}

// The most steps that comparing the rows of a batch may take, and the most leaf
// numbers that a page holds for them, about 200 kB. Beyond these limits the
// page says that the other rows are not drawn.
const (
	mostCompared = 500_000
	mostRows     = 10_000
)

// ReadBatch compares the rows. Elements are those of the sampled recording, by
// the ID of their node.
func (s *sampler) ReadBatch() *Batch {
	b := &Batch{Row: s.row, Own: map[Element]bool{}, Rows: map[Element][]float64{}}
	count := 0
	for i, used := range s.used {
		n := &s.m.Nodes[i]
		for at, u := range used {
			if !u {
				continue
			}
			count++
			if n.Kind != autograd.KindOperation && s.rows[i][at] == s.row {
				b.Own[Element{n.ID, at}] = true
			}
		}
	}
	b.Alike = count*s.Count <= mostCompared
	for row := 0; row < s.Count && b.Alike; row++ {
		b.Alike = s.compare(row, b.Rows) && len(b.Rows)*s.Count <= mostRows
	}
	return b
}

// A pairing pairs the elements that the drawn row was computed from with those
// of another row, starting where the rows meet.
type pairing struct {
	s    *sampler
	row  int
	twin map[Element]Element
	open [][2]Element // paired, but their inputs are not yet
}

// compare notes the leaves of a row that differ from those of the drawn row. It
// reports whether the two rows differ in nothing else.
func (s *sampler) compare(row int, leaves map[Element][]float64) bool {
	p := &pairing{s: s, row: row, twin: map[Element]Element{}}
	for i, used := range s.used {
		for at := range used {
			if x := (Element{i, at}); used[at] && s.meets[i][at] && !p.pairAll(s.partsOf(x, s.row), s.partsOf(x, row)) {
				return false
			}
		}
	}
	for len(p.open) > 0 {
		last := p.open[len(p.open)-1]
		p.open = p.open[:len(p.open)-1]
		if !p.pairAll(s.partsOf(last[0], shared), s.partsOf(last[1], shared)) {
			return false
		}
	}
	for mine, other := range p.twin {
		n := &s.m.Nodes[mine.node]
		if n.Kind == autograd.KindOperation || mine == other {
			continue
		}
		key := Element{n.ID, mine.at}
		if leaves[key] == nil {
			leaves[key] = slices.Repeat([]float64{s.tensors[mine.node].out[mine.at]}, s.Count)
		}
		leaves[key][row] = s.tensors[other.node].out[other.at]
	}
	return true
}

// partsOf returns the elements that an element was computed from: all of them,
// or those of one row.
func (s *sampler) partsOf(x Element, row int) []Element {
	var all []Element
	n := &s.m.Nodes[x.node]
	s.ways[x.node].parts(x.at, func(p part) {
		from := s.m.Edges[n.In[p.input]].From
		if row == shared || s.rows[from][p.element] == row {
			all = append(all, Element{from, p.element})
		}
	})
	return all
}

// pairAll pairs elements in order, and reports whether they can be.
func (p *pairing) pairAll(mine, others []Element) bool {
	if len(mine) != len(others) {
		return false
	}
	for i := range mine {
		if !p.pair(mine[i], others[i]) {
			return false
		}
	}
	return true
}

// pair notes that an element of another row corresponds to one of the drawn
// row. Both must belong to the same value; what is learned must be the same
// element.
func (p *pairing) pair(mine, other Element) bool {
	if known, done := p.twin[mine]; done {
		return known == other
	}
	p.twin[mine] = other
	n := &p.s.m.Nodes[mine.node]
	switch {
	case mine == other:
	case mine.node != other.node:
		return false
	case n.Kind == autograd.KindOperation:
		p.open = append(p.open, [2]Element{mine, other})
	default:
		return !n.Learns
	}
	return true
}

// BrokenRow returns, for a node that stands for the other rows, the first row
// whose number is not finite where it meets the drawn row; −1 if there is
// none.
func (m *Model) BrokenRow(n *Node) int {
	first := -1
	if !n.IsRest() {
		return first
	}
	s := m.Sampled
	for i, used := range s.used {
		for at := range used {
			if !used[at] || !s.meets[i][at] {
				continue
			}
			for _, x := range s.partsOf(Element{i, at}, shared) {
				if row := s.rows[x.node][x.at]; row != shared && row != s.row && !IsFinite(s.tensors[x.node].out[x.at]) && (first < 0 || row < first) {
					first = row
				}
			}
		}
	}
	return first
}

// Meeting returns the factor with which a node adds up rows, 0 if no rows meet
// in it.
func (m *Model) Meeting(n *Node) float64 {
	for _, e := range n.In {
		if m.Nodes[m.Edges[e].From].IsRest() {
			return m.Edges[e].Local.Few[0]
		}
	}
	return 0
}

// Place returns the key of a node in a Batch.
func (n *Node) Place() Element { return Element{n.ID, n.Element} }
