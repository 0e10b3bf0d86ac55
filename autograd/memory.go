package autograd

import (
	"math/bits"
	"unsafe"

	"nabla/internal/kernel"
)

// An arena hands out slices and takes all of them back at once. The same
// requests after a reset get the same memory, so that a training step after the
// first allocates nothing.
type arena[T any] struct {
	chunks [][]T
	chunk  int // the chunk in use
	used   int // elements handed out of it
	asked  int // elements asked for since the last reset
	most   int // the most asked for between two resets
	held   int // elements of all chunks
}

// A mark is a place in an arena that it can be rewound to.
type mark struct{ chunk, used int }

func (a *arena[T]) take(n int) []T {
	a.asked += n
	if a.chunk < len(a.chunks) {
		if c := a.chunks[a.chunk]; a.used+n <= len(c) {
			a.used += n
			return c[a.used-n : a.used : a.used]
		}
	}
	return a.takeNext(n)
}

// takeNext moves on to the next chunk that holds n elements, and adds one if
// there is none.
func (a *arena[T]) takeNext(n int) []T {
	size := 64
	for a.chunk++; a.chunk < len(a.chunks); a.chunk++ {
		if len(a.chunks[a.chunk]) >= n {
			a.used = n
			return a.chunks[a.chunk][:n:n]
		}
	}
	if len(a.chunks) > 0 {
		size = min(2*len(a.chunks[len(a.chunks)-1]), 1<<20)
	}
	a.chunks = append(a.chunks, make([]T, max(size, n)))
	a.held += max(size, n)
	a.chunk, a.used = len(a.chunks)-1, n
	return a.chunks[a.chunk][:n:n]
}

func (a *arena[T]) mark() mark    { return mark{a.chunk, a.used} }
func (a *arena[T]) rewind(m mark) { a.chunk, a.used = m.chunk, m.used }

// reset takes everything back. Requests of changing sizes skip chunks that are
// too small for them. Once the arena holds far more than was ever asked for,
// one chunk replaces them all.
func (a *arena[T]) reset() {
	a.most = max(a.most, a.asked)
	if a.held > 4*max(a.most, 1<<10) {
		a.chunks, a.held = [][]T{make([]T, a.most)}, a.most
	}
	a.asked = 0
	a.rewind(mark{})
}

// memory holds the numbers of one graph, in words of eight bytes. The numbers
// of Values stay until reset; gradients are borrowed from the pool and given
// back.
type memory struct {
	words arena[float64]
	free  [256][]unsafe.Pointer // by class
	dirty []uint8               // the classes that have free buffers
	live  int                   // words handed out and not given back
	peak  int
}

// class rounds a number of words up to one of four sizes per power of two, so
// that a buffer serves gradients of nearly its size.
func class(words int) (index uint8, size int) {
	if words <= 8 {
		return 0, 8
	}
	shift := bits.Len(uint(words-1)) - 3
	quarter := (words-1)>>shift + 1 // 5 to 8
	return uint8(4*shift + quarter - 4), (quarter<<shift + 7) &^ 7
}

// noWords is the address of tensors without elements, so that nil can mean "no
// gradient yet". Nothing reads or writes it.
var noWords float64

// take returns room for the given number of words, which stays until reset.
func (m *memory) take(words int) unsafe.Pointer {
	if words == 0 {
		return unsafe.Pointer(&noWords)
	}
	words = (words + 7) &^ 7
	m.count(words)
	return unsafe.Pointer(unsafe.SliceData(m.words.take(words)))
}

// borrow returns room for the given number of words, to be given back.
func (m *memory) borrow(words int) unsafe.Pointer {
	if words == 0 {
		return unsafe.Pointer(&noWords)
	}
	index, size := class(words)
	m.count(size)
	if free := m.free[index]; len(free) > 0 {
		m.free[index] = free[:len(free)-1]
		return free[len(free)-1]
	}
	return unsafe.Pointer(unsafe.SliceData(m.words.take(size)))
}

// giveBack takes back what borrow returned.
func (m *memory) giveBack(p unsafe.Pointer, words int) {
	if words == 0 {
		return
	}
	index, size := class(words)
	if len(m.free[index]) == 0 {
		m.dirty = append(m.dirty, index)
	}
	m.free[index] = append(m.free[index], p)
	m.live -= size
}

func (m *memory) count(words int) {
	m.live += words
	m.peak = max(m.peak, m.live)
}

func (m *memory) reset() {
	m.words.reset()
	for _, index := range m.dirty {
		m.free[index] = m.free[index][:0]
	}
	m.dirty = m.dirty[:0]
	m.live = 0
}

// slice views memory as n numbers. A graph's memory is untyped because its
// precision is known only when it runs; slice and as are what give it a type.
func slice[T kernel.Float](p unsafe.Pointer, n int) []T {
	return unsafe.Slice((*T)(p), n)
}

// Stats are the size of a recording.
type Stats struct {
	Nodes     int // values recorded
	BytesLive int // of the numbers held now
	BytesPeak int // the most held at a time since the graph was made
}

// Stats returns the size of the recording.
func (g *Graph) Stats() Stats {
	return Stats{
		Nodes:     int(g.count),
		BytesLive: 8 * g.memory.live,
		BytesPeak: 8 * g.memory.peak,
	}
}

// allocate gives a node room for its numbers: its own field for a single
// number, the pool during a backward pass, otherwise memory that stays until
// Reset.
func (g *Graph) allocate(n *node) {
	switch words := g.words(n.shape.size); {
	case n.shape.size == 1:
		n.data = unsafe.Pointer(&n.one)
	case g.reverse.active:
		n.data = g.memory.borrow(words)
		n.flags |= borrowed
	default:
		n.data = g.memory.take(words)
	}
}

// room returns memory for the given number of numbers, which stays until Reset.
func (g *Graph) room(size int) unsafe.Pointer { return g.memory.take(g.words(size)) }
