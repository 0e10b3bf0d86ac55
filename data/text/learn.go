package text

import (
	"cmp"
	"container/heap"
	"slices"

	"nabla/autograd"
)

// NewBytePairs learns that many pairs, or fewer if none is left that occurs
// twice: again and again, the pair of tokens that occurs most often becomes a
// token. Of pairs that occur equally often, the one whose left id is lower
// comes first, then the one whose right id is.
//
// It panics with an *[autograd.ArgumentError] if the number is negative.
func NewBytePairs(texts []string, merges int) *BytePairs {
	if merges < 0 {
		panic(autograd.NewArgumentError("text: NewBytePairs", "%d pairs to learn, want 0 or more", merges))
	}
	l := newLearner(texts)
	var learned []pair
	for len(learned) < merges {
		p, ok := l.best()
		if !ok {
			break
		}
		l.merge(p, int32(firstMerge+len(learned)))
		learned = append(learned, p)
	}
	return newBytePairs(learned)
}

// A learner counts pairs in the pieces of texts.
type learner struct {
	pieces []counted
	counts map[pair]int
	where  map[pair][]int // the pieces that have a pair; some no longer do
	queue  queue
}

// A counted piece is its tokens, and how often it occurs.
type counted struct {
	ids   []int32
	count int
}

func newLearner(texts []string) *learner {
	l := &learner{counts: map[pair]int{}, where: map[pair][]int{}}
	numbers := map[string]int{}
	for _, s := range texts {
		for s != "" {
			n := runLength(s)
			i, ok := numbers[s[:n]]
			if !ok {
				i = len(l.pieces)
				numbers[s[:n]] = i
				l.pieces = append(l.pieces, counted{ids: bytesOf(s[:n])})
			}
			l.pieces[i].count++
			s = s[n:]
		}
	}
	for i := range l.pieces {
		l.count(i, 1)
		l.note(i, func(pair) bool { return true })
	}
	for p, n := range l.counts {
		l.queue = append(l.queue, candidate{p, n})
	}
	heap.Init(&l.queue)
	return l
}

func bytesOf(piece string) []int32 {
	ids := make([]int32, len(piece))
	for i := range ids {
		ids[i] = specials + int32(piece[i])
	}
	return ids
}

// count counts the pairs of a piece, or takes them away if by is −1.
func (l *learner) count(i, by int) {
	ids := l.pieces[i].ids
	for k := range len(ids) - 1 {
		l.counts[pair{ids[k], ids[k+1]}] += by * l.pieces[i].count
	}
}

// note keeps in mind that a piece has some pairs.
func (l *learner) note(i int, isNew func(pair) bool) {
	ids := l.pieces[i].ids
	for k := range len(ids) - 1 {
		p := pair{ids[k], ids[k+1]}
		if in := l.where[p]; isNew(p) && (len(in) == 0 || in[len(in)-1] != i) {
			l.where[p] = append(in, i)
		}
	}
}

// best returns the pair that occurs most often, if it does so twice. The queue
// may have too high a count of a pair, never one too low: a pair becomes more
// frequent only when one of its tokens is new, and then it is not there yet.
func (l *learner) best() (pair, bool) {
	for len(l.queue) > 0 {
		c := heap.Pop(&l.queue).(candidate)
		switch n := l.counts[c.pair]; {
		case n < 2:
		case n == c.count:
			return c.pair, true
		default:
			heap.Push(&l.queue, candidate{c.pair, n})
		}
	}
	return pair{}, false
}

// merge makes a token of a pair.
func (l *learner) merge(p pair, id int32) {
	grown := map[pair]bool{}
	isNew := func(q pair) bool {
		grown[q] = grown[q] || q.left == id || q.right == id
		return grown[q]
	}
	for _, i := range l.where[p] {
		before := slices.Clone(l.pieces[i].ids)
		after := merge(before, p, id)
		if len(after) == len(l.pieces[i].ids) {
			continue // an earlier merge has taken the pair
		}
		l.count(i, -1)
		l.pieces[i].ids = after
		l.count(i, 1)
		l.note(i, isNew)
	}
	delete(l.where, p)
	for q := range grown {
		if grown[q] {
			heap.Push(&l.queue, candidate{q, l.counts[q]})
		}
	}
}

// merge puts an id in the place of each pair, in place.
func merge(ids []int32, p pair, id int32) []int32 {
	n := 0
	for i := 0; i < len(ids); i++ {
		if i+1 < len(ids) && ids[i] == p.left && ids[i+1] == p.right {
			ids[n] = id
			i++
		} else {
			ids[n] = ids[i]
		}
		n++
	}
	return ids[:n]
}

// A queue has the pair first that is to be merged first.
type queue []candidate

type candidate struct {
	pair
	count int
}

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	return cmp.Or(b.count-a.count, int(a.left-b.left), int(a.right-b.right)) < 0
}

// Push and Pop are for package heap.
func (q *queue) Push(x any) { *q = append(*q, x.(candidate)) }

func (q *queue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	*q = (*q)[:last]
	return c
}
