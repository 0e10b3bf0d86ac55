package autograd_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"nabla/autograd"
)

// The gradients of four shards, each by a graph on a goroutine of its own over
// shared Params, added in the order of the shards: the same bits as one after
// another and on any number of cores, and the gradient of the whole batch.
func TestDataParallel(t *testing.T) {
	const shards, rows = 4, 24
	rng := rand.New(rand.NewPCG(7, 8))
	p := newPerceptron(rng, 20, 16, 5, autograd.Float64)
	x, y := autograd.Normal(rng, 0, 1, shards*rows, 20), autograd.Normal(rng, 0, 1, shards*rows, 5)
	shard := func(a autograd.Tensor, i int) autograd.Tensor {
		k := a.Dim(1)
		return autograd.NewTensor(a.Raw64()[i*rows*k:(i+1)*rows*k], rows, k)
	}
	backward := func(g *autograd.Graph, x, y autograd.Tensor) autograd.Gradients {
		g.Reset()
		return p.forward(g, g.Constant(x)).Sub(g.Constant(y)).Square().Mean().Backward()
	}
	params := []*autograd.Param{p.w1, p.b1, p.w2, p.b2}
	numbers := func(grads autograd.Gradients) (all []float64) {
		for _, param := range params {
			all = append(all, grads.OfParam(param).Float64s()...)
		}
		return all
	}

	var serial autograd.Gradients
	g := autograd.NewGraph(autograd.Options{})
	for i := range shards {
		serial.Add(backward(g, shard(x, i), shard(y, i)))
	}
	serial.Scale(1. / shards)

	for _, cores := range []int{1, 2, 4} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		for range 5 {
			parts := make([]autograd.Gradients, shards)
			var group sync.WaitGroup
			for i := range shards {
				group.Go(func() { parts[i] = backward(autograd.NewGraph(autograd.Options{}), shard(x, i), shard(y, i)) })
			}
			group.Wait()
			var sum autograd.Gradients
			for _, part := range parts {
				sum.Add(part)
			}
			sum.Scale(1. / shards)
			wantBits(t, "parallel against serial", numbers(sum), numbers(serial))
		}
	}
	whole := numbers(backward(g, x, y))
	for i, v := range numbers(serial) {
		if math.Abs(v-whole[i]) > 1e-12 {
			t.Fatalf("element %d: %v in shards, %v in one batch", i, v, whole[i])
		}
	}
}

func TestGradientsSum(t *testing.T) {
	a, b, unused := autograd.NewParam("a", vector(1, 2)), autograd.NewParam("b", autograd.Scalar(3)), autograd.NewParam("u", vector(1))
	g := autograd.NewGraph(autograd.Options{})
	backward := func(first, second *autograd.Param) autograd.Gradients {
		g.Reset()
		v := g.Variable(autograd.Scalar(100))
		return g.Param(first).Sum().Mul(g.Param(second).Sum()).Add(v).Backward()
	}
	names := func(grads autograd.Gradients) (names string) {
		for p := range grads.All() {
			names += p.Name()
		}
		return names
	}
	var sum autograd.Gradients
	if names(sum) != "" || sum.Norm() != 0 {
		t.Error("the zero Gradients are not an empty sum")
	}
	sum.Add(sum)
	for round := range 2 {
		sum.Add(backward(b, a)) // da = 3 3, db = 3
		g.Reset()               // the sum owns its memory
		g.Full(77, 50)
		wantNumbers(t, "da", sum.OfParam(a).Float64s(), []float64{3, 3}, 0)
		wantNumbers(t, "db", sum.OfParam(b).Float64s(), []float64{3}, 0)
		sum.Add(backward(a, b))
		sum.Add(backward(a, a)) // da = 6 6 more
		wantNumbers(t, "da", sum.OfParam(a).Float64s(), []float64{12, 12}, 0)
		wantNumbers(t, "db", sum.OfParam(b).Float64s(), []float64{6}, 0)
		if got := names(sum); got != "ba" {
			t.Errorf("order %q, want that of the first addition", got)
		}
		if !sum.ReachedParam(a) || sum.ReachedParam(unused) || sum.OfParam(unused).Item() != 0 {
			t.Error("a Param that no pass has used")
		}
		wantNumbers(t, "norm", []float64{sum.Norm()}, []float64{math.Sqrt(144 + 144 + 36)}, 1e-15)
		sum.Scale(0.5)
		wantNumbers(t, "scaled", sum.OfParam(a).Float64s(), []float64{6, 6}, 0)
		for p, d := range sum.All() {
			if p == b {
				d.Raw64()[0] = -1 // clipping in place
			}
		}
		wantNumbers(t, "changed through All", sum.OfParam(b).Float64s(), []float64{-1}, 0)
		sum.Clear()
		if names(sum) != "" || sum.Norm() != 0 || sum.ReachedParam(a) || sum.OfParam(a).At(0) != 0 {
			t.Errorf("round %d: not empty after Clear", round)
		}
	}
	sum.Add(backward(a, b))
	if got := names(sum); got != "ab" {
		t.Errorf("order %q after Clear", got)
	}
	var of autograd.Gradients
	of.Add(sum)
	of.Add(sum)
	wantNumbers(t, "a sum of sums", of.OfParam(a).Float64s(), []float64{6, 6}, 0)
}

// The Gradients of a pass, with those of Variables.
func TestGradientsOfAPass(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		g := autograd.NewGraph(autograd.Options{Precision: precision})
		v, unused := g.Variable(vector(1, 1)), g.Variable(vector(1))
		p := autograd.NewParam("p", autograd.Scalar(2))
		y := v.MulScalar(3).Sum().Add(g.Param(p).MulScalar(4))
		grads := y.Backward()
		late := g.Variable(vector(1))
		wantNumbers(t, "norm", []float64{grads.Norm()}, []float64{math.Sqrt(9 + 9 + 16)}, 1e-7)
		grads.Scale(2)
		wantNumbers(t, "dv", grads.Of(v).Float64s(), []float64{6, 6}, 0)
		wantNumbers(t, "dp", grads.OfParam(p).Float64s(), []float64{8}, 0)
		for _, x := range []autograd.Value{unused, late} {
			if grads.Reached(x) || grads.Of(x).Item() != 0 {
				t.Error("a Variable that the loss does not depend on is reached")
			}
		}
		wantNumbers(t, "another pass", y.Backward().Of(v).Float64s(), []float64{3, 3}, 0)
	}
	g := autograd.NewGraph(autograd.Options{})
	v := g.Variable(vector(3e200, 4e200))
	if got := v.Square().MulScalar(0.5e-200).Sum().BackwardFrom(autograd.Scalar(1e200)).Norm(); math.Abs(got/5e200-1) > 1e-15 {
		t.Errorf("norm %v, want 5e200", got)
	}
}

// Workers that read one Param while others do: no races, and the same bits.
func TestSharedParamsAreOnlyRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	p := newPerceptron(rng, 8, 8, 3, autograd.Float32)
	x := autograd.Normal(rng, 0, 1, 16, 8)
	var group sync.WaitGroup
	results := make([][]float64, 8)
	for i := range results {
		group.Go(func() {
			g := autograd.NewGraph(autograd.Options{Precision: autograd.Precision(i % 2), Trace: i%4 < 2})
			for range 5 {
				g.Reset()
				results[i] = p.forward(g, g.Constant(x)).LogSumExp(1).Sum().Backward().OfParam(p.w1).Float64s()
			}
		})
	}
	group.Wait()
	for i := 2; i < len(results); i++ {
		wantBits(t, "a worker's gradient", results[i], results[i%2])
	}
}

// Kernels large enough to be cut into pieces give the same bits on any number
// of cores.
func TestSameBitsOnAnyNumberOfCores(t *testing.T) {
	var want []float64
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		want = nil
		for _, cores := range []int{1, 2, 3, 8} {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			rng := rand.New(rand.NewPCG(1, 2))
			g := autograd.NewGraph(autograd.Options{Precision: precision, Seed: 5})
			x, w := g.Constant(autograd.Normal(rng, 0, 1, 300, 200)), g.Variable(autograd.Normal(rng, 0, 1, 200, 150))
			b := g.Variable(autograd.Normal(rng, 0, 1, 150))
			h := x.MatMul(w).Add(b).Tanh().Dropout(0.2)
			loss := h.LogSoftmax(1).Mul(h.Sub(h.Mean(0))).Sum()
			grads := loss.Backward()
			got := append(grads.Of(w).Float64s(), grads.Of(b).Float64s()...)
			got = append(got, loss.Item(), grads.Norm())
			if want == nil {
				want = got
			}
			wantBits(t, "gradients", got, want)
		}
	}
}

func TestClearOfBackwardsOwn(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	grads := g.Variable(autograd.Scalar(2)).Square().Backward()
	var fault *autograd.GradientError
	if err := autograd.Try(grads.Clear); !errors.As(err, &fault) {
		t.Errorf("got %v", err)
	}
}
