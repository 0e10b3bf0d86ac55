package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counted is a task that counts how often each piece is run, and by whom.
type counted struct {
	runs   []atomic.Int32
	inside [8]atomic.Int32 // by worker
	each   func(piece, worker int)
	t      *testing.T
}

func newCounted(t *testing.T, pieces int, each func(piece, worker int)) *counted {
	return &counted{runs: make([]atomic.Int32, pieces), each: each, t: t}
}

func (c *counted) run(piece, worker int) {
	if c.inside[worker].Add(1) != 1 {
		c.t.Errorf("worker %d runs two pieces at a time", worker)
	}
	c.runs[piece].Add(1)
	if c.each != nil {
		c.each(piece, worker)
	}
	c.inside[worker].Add(-1)
}

func (c *counted) check() {
	c.t.Helper()
	for i := range c.runs {
		if n := c.runs[i].Load(); n != 1 {
			c.t.Errorf("piece %d was run %d times", i, n)
		}
	}
}

func TestParallelRunsEachPieceOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for pieces := range 40 {
		for range 10 {
			c := newCounted(t, pieces, nil)
			parallel(pieces, c)
			c.check()
		}
	}
}

// Tasks come at various intervals, so that they find the workers awake, asleep,
// and in between.
func TestParallelWakesWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	for i := range 200 {
		c := newCounted(t, 5, nil)
		parallel(5, c)
		c.check()
		time.Sleep(time.Duration(i) * time.Microsecond)
	}
}

// A worker goes to sleep while the caller is still busy with a long piece.
func TestParallelCallerIsLast(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for range 5 {
		c := newCounted(t, 4, func(_, worker int) {
			if worker == 0 {
				time.Sleep(3 * time.Millisecond)
			}
		})
		parallel(4, c)
		c.check()
	}
}

// Pieces that call parallel themselves, and other goroutines, find the workers
// busy and compute alone.
func TestParallelBusy(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			outer := newCounted(t, 6, func(int, int) {
				inner := newCounted(t, 6, nil)
				parallel(6, inner)
				inner.check()
			})
			parallel(6, outer)
			outer.check()
		}()
	}
	group.Wait()
}

func TestFreeList(t *testing.T) {
	var list freeList[int]
	x, y := list.get(), list.get()
	if x == y {
		t.Fatal("the same memory twice")
	}
	list.put(x)
	if list.get() != x {
		t.Error("memory that was put back is not used again")
	}
}
