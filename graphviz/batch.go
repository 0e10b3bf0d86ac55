package graphviz

import (
	"slices"

	"nabla/autograd"
)

// A batch is what the page needs to compute the rows that Sample does not draw.
type batch struct {
	row   int                   // the one that is drawn
	own   map[element]bool      // the drawn leaves that belong to this row alone
	rows  map[element][]float64 // of each leaf that differs from row to row, its number in every row
	alike bool                  // every row is computed as this one is, so that rows is all that tells them apart
}

// The most steps that comparing the rows of a batch may take, and the most
// numbers of leaves that a page holds for them: about 200 kB. Beyond, the page
// says that the other rows are not drawn.
const (
	mostCompared = 500_000
	mostRows     = 10_000
)

// readBatch compares the rows. Elements are those of the recording that was
// sampled, by the id of their node.
func (s *sampler) readBatch() *batch {
	b := &batch{row: s.row, own: map[element]bool{}, rows: map[element][]float64{}}
	count := 0
	for i, used := range s.used {
		n := &s.m.nodes[i]
		for at, u := range used {
			if !u {
				continue
			}
			count++
			if n.kind != autograd.KindOperation && s.rows[i][at] == s.row {
				b.own[element{n.id, at}] = true
			}
		}
	}
	b.alike = count*s.count <= mostCompared
	for row := 0; row < s.count && b.alike; row++ {
		b.alike = s.compare(row, b.rows) && len(b.rows)*s.count <= mostRows
	}
	return b
}

// A pairing pairs what the drawn row was computed from with what another row
// was, wherever they meet.
type pairing struct {
	s    *sampler
	row  int
	twin map[element]element
	open [][2]element // paired, with inputs that are not yet
}

// compare notes the leaves of a row where the drawn row has others. It reports
// whether that is all that tells the two apart.
func (s *sampler) compare(row int, leaves map[element][]float64) bool {
	p := &pairing{s: s, row: row, twin: map[element]element{}}
	for i, used := range s.used {
		for at := range used {
			if x := (element{i, at}); used[at] && s.meets[i][at] && !p.pairAll(s.partsOf(x, s.row), s.partsOf(x, row)) {
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
		n := &s.m.nodes[mine.node]
		if n.kind == autograd.KindOperation || mine == other {
			continue
		}
		key := element{n.id, mine.at}
		if leaves[key] == nil {
			leaves[key] = slices.Repeat([]float64{s.tensors[mine.node].out[mine.at]}, s.count)
		}
		leaves[key][row] = s.tensors[other.node].out[other.at]
	}
	return true
}

// partsOf returns what an element was computed from: all of it, or what belongs
// to one row.
func (s *sampler) partsOf(x element, row int) []element {
	var all []element
	n := &s.m.nodes[x.node]
	s.ways[x.node].parts(x.at, func(p part) {
		from := s.m.edges[n.in[p.input]].from
		if row == shared || s.rows[from][p.element] == row {
			all = append(all, element{from, p.element})
		}
	})
	return all
}

// pairAll pairs elements in order, and reports whether they can be.
func (p *pairing) pairAll(mine, others []element) bool {
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

// pair notes that an element plays the part in another row that one does in the
// drawn row. It must be of the same value, and what is learned is the same.
func (p *pairing) pair(mine, other element) bool {
	if known, done := p.twin[mine]; done {
		return known == other
	}
	p.twin[mine] = other
	n := &p.s.m.nodes[mine.node]
	switch {
	case mine == other:
	case mine.node != other.node:
		return false
	case n.kind == autograd.KindOperation:
		p.open = append(p.open, [2]element{mine, other})
	default:
		return !n.learns
	}
	return true
}

// brokenRow returns the first row of a batch that brings a number that is not
// finite to where it meets the drawn row, of a node that stands for the other
// rows; −1 where there is none.
func (m *model) brokenRow(n *node) int {
	first := -1
	if !n.isRest() {
		return first
	}
	s := m.sampled
	for i, used := range s.used {
		for at := range used {
			if !used[at] || !s.meets[i][at] {
				continue
			}
			for _, x := range s.partsOf(element{i, at}, shared) {
				if row := s.rows[x.node][x.at]; row != shared && row != s.row && !isFinite(s.tensors[x.node].out[x.at]) && (first < 0 || row < first) {
					first = row
				}
			}
		}
	}
	return first
}

// meeting returns the factor with which rows are added up in a node, 0 where
// none meet in it.
func (m *model) meeting(n *node) float64 {
	for _, e := range n.in {
		if m.nodes[m.edges[e].from].isRest() {
			return m.edges[e].local.few[0]
		}
	}
	return 0
}
