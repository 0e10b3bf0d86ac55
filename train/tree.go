package train

import "iter"

// Parts are added up by a tree that depends on their number alone: each to its
// neighbour, these sums to their neighbours, and so on. With 6 parts:
//
//	0+1    2+3    4+5
//	(0+1)+(2+3)
//	((0+1)+(2+3))+(4+5)
//
// So members of a group can add up what lies within their own parts, and the
// bits do not depend on how many members there are.

// A pair is an addition of the tree: the sum at a part, to which that at
// another part is added.
type pair struct{ to, from int }

// pairs ranges over the additions of the tree of n parts. Both sums of a pair
// are complete when it comes. In the end all is at part 0.
func pairs(n int) iter.Seq[pair] {
	return func(yield func(pair) bool) {
		for stride := 1; stride < n; stride *= 2 {
			for i := 0; i+stride < n; i += 2 * stride {
				if !yield(pair{i, i + stride}) {
					return
				}
			}
		}
	}
}

// A tree says who makes which additions: a member those whose parts are all
// its own, and whoever brings the members' sums together the rest.
type tree struct {
	own   []pair  // of this member
	roots [][]int // of each member: where the sums are that it hands on
	rest  []pair
}

// newTree returns the tree of so many parts for one of size members.
func newTree(parts, rank, size int) tree {
	const mixed = -1 // a sum of parts of several members
	t := tree{roots: make([][]int, size)}
	holder := make([]int, parts) // whose the sum at a part is
	for m := range size {
		from, to := shareOf(parts, m, size)
		for i := from; i < to; i++ {
			holder[i] = m
		}
	}
	handOn := func(i int) {
		if m := holder[i]; m != mixed {
			t.roots[m], holder[i] = append(t.roots[m], i), mixed
		}
	}
	for p := range pairs(parts) {
		switch m := holder[p.to]; {
		case m == mixed || m != holder[p.from]:
			handOn(p.to)
			handOn(p.from)
			t.rest = append(t.rest, p)
		case m == rank:
			t.own = append(t.own, p)
		}
	}
	handOn(0)
	return t
}

// shareOf returns the parts of a member: from the first to below the second.
func shareOf(parts, rank, size int) (from, to int) {
	return rank * parts / size, (rank + 1) * parts / size
}
