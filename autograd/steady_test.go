package autograd_test

import (
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"testing"

	"nabla/autograd"
)

// A perceptron is two dense layers as a user without package layers writes
// them.
type perceptron struct {
	w1, b1, w2, b2 *autograd.Param
}

func newPerceptron(rng *rand.Rand, in, hidden, out int, precision autograd.Precision) *perceptron {
	param := func(name string, shape ...int) *autograd.Param {
		return autograd.NewParam(name, autograd.Normal(rng, 0, 0.1, shape...).In(precision))
	}
	return &perceptron{param("w1", in, hidden), param("b1", hidden), param("w2", hidden, out), param("b2", out)}
}

func (p *perceptron) forward(g *autograd.Graph, x autograd.Value) autograd.Value {
	h := x.MatMul(g.Param(p.w1)).Add(g.Param(p.b1)).Tanh()
	return h.MatMul(g.Param(p.w2)).Add(g.Param(p.b2))
}

// step trains on one batch: forward, backward, update by hand.
func (p *perceptron) step(g *autograd.Graph, x, y autograd.Tensor) {
	g.Reset()
	grads := p.forward(g, g.Constant(x)).Sub(g.Constant(y)).Square().Mean().Backward()
	for param, gradient := range grads.All() {
		w := param.Writable()
		if param.Precision() == autograd.Float32 {
			for i, d := range gradient.Raw32() {
				w.Raw32()[i] -= 0.01 * d
			}
			continue
		}
		for i, d := range gradient.Raw64() {
			w.Raw64()[i] -= 0.01 * d
		}
	}
}

// mallocs returns how many heap allocations f makes.
func mallocs(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

// After the first step of each shape, a training step allocates nothing: not
// on one core nor on two, not with a short last batch.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	for _, row := range []struct {
		name            string
		in, hidden, out int
		full, short     int
		steps           int
		precision       autograd.Precision
	}{
		{"2-3-1", 2, 3, 1, 4, 3, 1000, autograd.Float64},
		{"2-3-1 in float32", 2, 3, 1, 4, 3, 1000, autograd.Float32},
		{"784-128-10", 784, 128, 10, 32, 16, 20, autograd.Float64},
		{"784-128-10 in float32", 784, 128, 10, 32, 16, 20, autograd.Float32},
	} {
		for _, cores := range []int{1, 2} {
			t.Run(row.name, func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
				defer debug.SetGCPercent(debug.SetGCPercent(-1))
				rng := rand.New(rand.NewPCG(3, 4))
				p := newPerceptron(rng, row.in, row.hidden, row.out, row.precision)
				batch := func(n int) (x, y autograd.Tensor) {
					return autograd.Normal(rng, 0, 1, n, row.in).In(row.precision), autograd.Normal(rng, 0, 1, n, row.out).In(row.precision)
				}
				x, y := batch(row.full)
				xs, ys := batch(row.short)
				g := autograd.NewGraph(autograd.Options{Precision: row.precision})
				both := func() {
					p.step(g, x, y)
					p.step(g, xs, ys)
				}
				for range 3 {
					both()
				}
				got := mallocs(func() {
					for range row.steps / 2 {
						both()
					}
				})
				// The runtime itself allocates now and then, at most a few
				// objects in all; a step that allocates does so each time.
				if got > uint64(row.steps)/20+4 {
					t.Errorf("%d allocations in %d steps on %d cores", got, row.steps, cores)
				}
			})
		}
	}
}
