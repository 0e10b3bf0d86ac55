package kernel

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// task is work that is cut into pieces, which may be computed in any order and
// at the same time.
type task interface {
	// run computes one piece. Two pieces with the same worker number never run
	// at the same time: 0 is the caller, the others are workers, each with
	// memory of its own to pack into. run must not panic, because nobody could
	// recover.
	run(piece, worker int)
}

// parallel computes the pieces of a task, with the help of the workers if they
// are free. The caller cuts pieces by the sizes alone, and each result is
// computed within one piece, so the bits are the same for any number of
// workers.
//
// Calling the workers takes about a microsecond while they are awake and ten
// when they sleep. Hand over what takes longer, and compute the rest yourself.
func parallel(pieces int, t task) {
	if pieces > 1 && runtime.GOMAXPROCS(0) > 1 && workers.busy.CompareAndSwap(false, true) {
		workers.run(pieces, t)
		workers.busy.Store(false)
		return
	}
	for piece := range pieces {
		t.run(piece, 0)
	}
}

// The work, in multiplications times bytes of a number, from which the workers
// help with products: calling them takes a microsecond, and this 4 or more. And
// the number of pieces from which no worker waits long for the last one.
const (
	largeBytes = 1 << 21
	manyPieces = 8
)

// roundUp returns the next multiple of unit.
func roundUp(n, unit int) int { return blocks(n, unit) * unit }

// blocks returns how many blocks of a size hold n.
func blocks(n, size int) int { return (n + size - 1) / size }

// workers is the only process-wide state: goroutines that start with the first
// task, stay, and wait for more. It holds no results. A kernel that finds it
// busy runs its pieces itself.
var workers pool

type pool struct {
	busy atomic.Bool // a kernel has the workers; all else is its own
	all  []*worker

	task   task
	pieces int64
	_      [64]byte // next is written by all workers: keep it off the line that they read
	next   atomic.Int64
	_      [64]byte
}

// worker is one of the goroutines that help the caller of parallel.
type worker struct {
	state  atomic.Uint32
	number int // 1, 2, …
	wake   chan struct{}
	memory scratch
	_      [64]byte
}

// The states of a worker. The caller moves it from idle or parked to called,
// and back to idle if it has not begun when all pieces are done. The worker
// moves it from called to running, and back to idle.
const (
	idle    = iota // looking for a call
	called         // to help with pool.task
	running        // helps
	parked         // sleeps until it is woken
)

// run computes the pieces with as many workers as there are processors for.
func (p *pool) run(pieces int, t task) {
	helpers := min(runtime.GOMAXPROCS(0), pieces) - 1
	for len(p.all) < helpers {
		p.start()
	}
	p.task, p.pieces = t, int64(pieces)
	p.next.Store(0)
	for _, w := range p.all[:helpers] {
		if w.state.Swap(called) == parked {
			w.wake <- struct{}{}
		}
	}
	p.take(0)
	for _, w := range p.all[:helpers] {
		if !w.state.CompareAndSwap(called, idle) {
			w.awaitEnd()
		}
	}
	p.task = nil
}

func (p *pool) start() {
	w := &worker{number: len(p.all) + 1, wake: make(chan struct{}, 1), memory: newScratch()}
	p.all = append(p.all, w)
	go func() {
		for {
			w.awaitCall()
			p.take(w.number)
			w.state.Store(idle)
		}
	}()
}

// take computes pieces until none is left.
func (p *pool) take(worker int) {
	for {
		piece := p.next.Add(1) - 1
		if piece >= p.pieces {
			return
		}
		p.task.run(int(piece), worker)
	}
}

// awaitCall returns when the worker has been called. It stays awake for a
// while, since the next kernel of a training step usually follows soon; then it
// sleeps.
func (w *worker) awaitCall() {
	for {
		for range spinRounds {
			if w.state.Load() == called && w.state.CompareAndSwap(called, running) {
				return
			}
			pause()
		}
		if w.state.CompareAndSwap(idle, parked) {
			<-w.wake
		}
	}
}

// awaitEnd returns when a worker that has begun is done with its last piece; by
// then it may have gone to sleep.
func (w *worker) awaitEnd() {
	for w.state.Load() == running {
		pause()
	}
}

// pause waits for a fraction of a microsecond and lets other goroutines run.
func pause() {
	spin(pauseRounds)
	runtime.Gosched()
}

// A worker stays awake for some tens of microseconds.
const (
	spinRounds  = 200
	pauseRounds = 4
)

// memory returns a worker's own memory to pack into.
func (p *pool) memory(worker int) *scratch { return &p.all[worker-1].memory }

// scratch is memory to pack into.
type scratch struct{ floats []float64 }

func newScratch() scratch { return scratch{make([]float64, scratchFloats())} }

// make allocates the memory unless that is done.
func (s *scratch) make() { s.atLeast(scratchFloats()) }

// atLeast allocates memory for n numbers unless that is done.
func (s *scratch) atLeast(n int) {
	if len(s.floats) < n {
		s.floats = make([]float64, n)
	}
}

// memoryOf returns a worker's own memory to pack into, or the caller's.
func memoryOf(worker int, own *scratch) *scratch {
	if worker > 0 {
		return workers.memory(worker)
	}
	return own
}

// hold makes the memory hold the given number of numbers.
func hold[T Float](s *scratch, count int) []T {
	if count == 0 {
		return nil
	}
	var number T
	if floats := blocks(count*int(unsafe.Sizeof(number)), 8); len(s.floats) < floats {
		s.floats = make([]float64, max(floats, scratchFloats()))
	}
	return numbers[T](s.floats)[:count]
}

// numbers is the same memory as numbers of either precision.
func numbers[T Float](x []float64) []T {
	var number T
	return unsafe.Slice((*T)(unsafe.Pointer(&x[0])), len(x)*8/int(unsafe.Sizeof(number)))
}

// ofPrecision returns that one of two pointers, for float32 and for float64,
// whose type is asked for.
func ofPrecision[P any](x32, x64 any) P {
	if p, ok := x32.(P); ok {
		return p
	}
	return x64.(P)
}
