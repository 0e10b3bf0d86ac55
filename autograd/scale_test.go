package autograd_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"nabla/autograd"
)

// A chain of a million operations: nothing recurses, and time is linear. Each
// block of four operations multiplies by a and adds b.
func TestMillionOperations(t *testing.T) {
	n := 1_000_000
	if raceDetector {
		n = 20_000
	}
	const a, b = 1 - 1e-5, 1e-3
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Scalar(3))
	y := x
	for range n / 4 {
		y = y.MulScalar(a).Neg().Neg().AddScalar(b)
	}
	decay := math.Pow(a, float64(n/4))
	wantNumbers(t, "value", []float64{y.Item()}, []float64{3*decay + b*(1-decay)/(1-a)}, 1e-9)
	for range 2 {
		wantNumbers(t, "gradient", []float64{y.Backward().Of(x).Item()}, []float64{decay}, 1e-9)
	}
	if got := g.Stats().Nodes; got != n+1 {
		t.Errorf("%d nodes", got)
	}
	count := 0
	for range y.Ancestors() {
		count++
	}
	if count != n+1 {
		t.Errorf("%d ancestors", count)
	}
}

// A chain of small tensors goes the way of the rules.
func TestLongChainOfTensors(t *testing.T) {
	const n = 20_000
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Eye(2))
	y, rotation := x, g.Constant(autograd.FromNested([][]float64{{0, -1}, {1, 0}}))
	for range n {
		y = y.MatMul(rotation)
	}
	wantNumbers(t, "value", y.Tensor().Float64s(), []float64{1, 0, 0, 1}, 0)
	got := y.BackwardFrom(autograd.FromNested([][]float64{{1, 2}, {3, 4}})).Of(x)
	wantNumbers(t, "gradient", got.Float64s(), []float64{1, 2, 3, 4}, 0)
	if live := g.Stats().BytesLive; live > 64*(n+64) {
		t.Errorf("%d bytes live: gradients on the way were kept", live)
	}
}

// Second order of a chain: sin applied often, and a product of all.
func TestSecondOrderOfTenThousand(t *testing.T) {
	n := 10_000
	if raceDetector {
		n = 1000
	}
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Scalar(1))
	y := x
	for range n - 1 {
		y = y.Mul(x)
	}
	first := autograd.Grad(y, x)[0]
	second := autograd.Grad(first, x)[0]
	k := float64(n)
	wantNumbers(t, "y, y′, y″ of xⁿ at 1", []float64{y.Item(), first.Item(), second.Item()}, []float64{1, k, k * (k - 1)}, 1e-12)
	wantNumbers(t, "Backward of y′", []float64{first.Backward().Of(x).Item()}, []float64{k * (k - 1)}, 1e-12)
}

func TestFanOut(t *testing.T) {
	const n = 100_000
	for _, size := range []int{1, 3} {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(autograd.Full(2, size))
		sum := g.Full(0, size)
		for i := range n {
			sum = sum.Add(x.MulScalar(float64(i % 7)))
		}
		want := 0.0
		for i := range n {
			want += float64(i % 7)
		}
		wantNumbers(t, "gradient", sum.Sum().Backward().Of(x).Float64s(), repeated(want, size), 1e-12)
		if size == 1 {
			wantNumbers(t, "Grad", autograd.Grad(sum.Sum(), x)[0].Tensor().Float64s(), []float64{want}, 1e-12)
		}
	}
}

// An operation with very many inputs takes time linear in their number.
func TestManyInputs(t *testing.T) {
	const n = 100_000
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(vector(1, 2))
	parts := make([]autograd.Value, n)
	for i := range parts {
		parts[i] = x.Neg()
	}
	y := autograd.Concat(0, parts...)
	wantNumbers(t, "gradient", y.Sum().Backward().Of(x).Float64s(), []float64{-n, -n}, 0)
}

// Each level uses the one before twice: 2⁶⁴ paths, 64 visits.
func TestDiamondLadder(t *testing.T) {
	for _, options := range []autograd.Options{{}, {Trace: true}} {
		for _, shape := range [][]int{nil, {2}} {
			g := autograd.NewGraph(options)
			x := g.Variable(autograd.Full(1, shape...))
			y := x
			for range 64 {
				y = y.Add(y)
			}
			y = y.Sum()
			want := repeated(0x1p64, x.Size())
			wantBits(t, "Backward", y.Backward().Of(x).Float64s(), want)
			wantBits(t, "Grad", autograd.Grad(y, x)[0].Tensor().Float64s(), want)
			nodes := 0
			for range y.Ancestors() {
				nodes++
			}
			if nodes > 66 {
				t.Errorf("%d ancestors", nodes)
			}
		}
	}
}

// Graphs on different goroutines never disturb each other.
func TestIndependentGraphs(t *testing.T) {
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(worker), 1))
			for range 300 {
				checkLogistic(t, rng)
			}
		})
	}
	group.Wait()
}

// checkLogistic compares the gradients of a small logistic regression with
// those computed by hand.
func checkLogistic(t *testing.T, rng *rand.Rand) {
	n, k := 1+rng.IntN(5), 1+rng.IntN(5)
	x, w := autograd.Normal(rng, 0, 1, n, k), autograd.Normal(rng, 0, 1, k)
	g := autograd.NewGraph(autograd.Options{NoGrad: false})
	v := g.Variable(w)
	grads := g.Constant(x).MatMul(v).Sigmoid().Sum().Backward()
	want := make([]float64, k)
	for i := range n {
		z := 0.0
		for j := range k {
			z += x.At(i, j) * w.At(j)
		}
		slope := 1 / (1 + math.Exp(-z)) / (1 + math.Exp(z))
		for j := range k {
			want[j] += slope * x.At(i, j)
		}
	}
	for j, got := range grads.Of(v).Float64s() {
		if math.Abs(got-want[j]) > 1e-12 {
			t.Errorf("gradient %v, want %v", got, want[j])
			return
		}
	}
}
