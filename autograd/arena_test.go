package autograd

import "testing"

// Requests of growing sizes leave chunks behind that none of them fits. An
// arena that holds far more than was ever asked for keeps one chunk of that
// size.
func TestArenaShrinks(t *testing.T) {
	var a arena[struct{}] // chunks without memory
	most := 0
	for size := 1 << 20; size < 1<<20+10; size++ { // beyond what a chunk is rounded up to
		a.take(size)
		most = max(most, size)
		a.reset()
	}
	if a.held > 4*most {
		t.Errorf("%d elements held, at most %d asked for", a.held, most)
	}
	held := 0
	for _, c := range a.chunks {
		held += len(c)
	}
	if held != a.held {
		t.Errorf("%d elements in chunks, counted as %d", held, a.held)
	}
	if got := testing.AllocsPerRun(10, func() { a.take(most); a.reset() }); got != 0 {
		t.Errorf("%v allocations for what was asked for before", got)
	}
}

// A rule's scratch nodes may have extras. They are taken back with the nodes:
// else the arena would grow with each backward pass of a recording.
func TestBackwardTakesExtrasBack(t *testing.T) {
	g := NewGraph(Options{})
	x := g.Variable(Ones(2, 3))
	y := Concat(0, x, x, x).T().Square().Sum() // the gradient is transposed and cut
	before := g.extras.mark()
	asked := g.extras.asked
	y.Backward()
	if g.extras.asked == asked {
		t.Fatal("no rule of this recording uses an extra: the test tests nothing")
	}
	if after := g.extras.mark(); after != before {
		t.Errorf("the arena of extras stands at %v after a backward pass, at %v before", after, before)
	}
}
