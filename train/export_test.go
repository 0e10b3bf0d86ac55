package train

import (
	"fmt"
	"time"
)

// SetClock makes a Progress read another clock.
func (p *Progress) SetClock(now func() time.Time) { p.now = now }

// SetClock makes a TensorBoard read another clock.
func (b *TensorBoard) SetClock(now func() time.Time) { b.now = now }

// Added writes out, with strings for numbers, what a group of that size makes
// of so many parts.
func Added(parts, size int) string {
	nodes := make([]string, parts)
	for rank := range size {
		own := make([]string, parts)
		for i := range own {
			own[i] = "?" // of another member
		}
		from, to := shareOf(parts, rank, size)
		for i := from; i < to; i++ {
			own[i] = fmt.Sprint(i)
		}
		t := newTree(parts, rank, size)
		for _, p := range t.own {
			own[p.to] = "(" + own[p.to] + "+" + own[p.from] + ")"
		}
		for _, root := range t.roots[rank] {
			nodes[root] = own[root]
		}
	}
	for _, p := range newTree(parts, 0, size).rest {
		nodes[p.to] = "(" + nodes[p.to] + "+" + nodes[p.from] + ")"
	}
	return nodes[0]
}
