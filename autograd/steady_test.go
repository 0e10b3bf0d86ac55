package autograd_test

import (
	"maps"
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

// Every operation is as frugal, in its backward pass too, but for Split, Einsum
// and Grad, which hand out slices or read text.
func TestOperationsAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	type value = autograd.Value
	shape43 := []int{4, 3}
	index, places := autograd.NewInts([]int{0, 2, 1, 0}), autograd.NewInts(make([]int, 12), 4, 3)
	w := autograd.NewParam("w", autograd.Ones(4, 3))
	ops := map[string]func(x value) value{
		"sum01":       func(x value) value { return x.Sum(0, 1) },
		"sum0":        func(x value) value { return x.KeepDims().Sum(0) },
		"mean":        func(x value) value { return x.Mean(1) },
		"prod":        func(x value) value { return x.Prod(1) },
		"max":         func(x value) value { return x.Max(0) },
		"var":         func(x value) value { return x.Var(1) },
		"std":         func(x value) value { return x.KeepDims().Std(0) },
		"norm":        func(x value) value { return x.Norm(2, 1) },
		"norm1":       func(x value) value { return x.Norm(1) },
		"lse":         func(x value) value { return x.LogSumExp(1) },
		"softmax":     func(x value) value { return x.Softmax(1) },
		"logsoftmax":  func(x value) value { return x.LogSoftmax(-1) },
		"cumsum":      func(x value) value { return x.CumSum(0) },
		"cumprod":     func(x value) value { return x.CumProd(0) },
		"T":           value.T,
		"permute":     func(x value) value { return x.Permute(1, 0) },
		"reshape":     func(x value) value { return x.Reshape(-1, 2) },
		"flatten":     func(x value) value { return x.Flatten(0, -1) },
		"slice":       func(x value) value { return x.Slice(1, 0, 3, 2) },
		"narrow":      func(x value) value { return x.Narrow(0, 1, 2) },
		"flip":        func(x value) value { return x.Flip(0) },
		"pad":         func(x value) value { return x.Pad(0, [2]int{1, 1}, [2]int{0, 2}) },
		"concat":      func(x value) value { return autograd.Concat(0, x, x, x) },
		"stack":       func(x value) value { return autograd.Stack(0, x, x) },
		"roll":        func(x value) value { return x.Roll(0, 1) },
		"tile":        func(x value) value { return x.Tile(2, 1) },
		"repeat":      func(x value) value { return x.Repeat(0, 2) },
		"where":       func(x value) value { return autograd.Where(x.GreaterScalar(0), x, x.Neg()) },
		"maximum":     func(x value) value { return x.Maximum(x.Neg()) },
		"clamp":       func(x value) value { return x.Clamp(0, 1) },
		"pow":         func(x value) value { return x.Pow(x) },
		"indexselect": func(x value) value { return x.IndexSelect(0, index) },
		"embedding":   func(x value) value { return x.Embedding(index) },
		"padding": func(x value) value {
			return x.EmbeddingWith(index, autograd.EmbeddingOptions{Padding: []int{1}})
		},
		"indexadd":       func(x value) value { return x.IndexAdd(0, index, x) },
		"segmentsum":     func(x value) value { return x.SegmentSum(index, 3) },
		"segmentmean":    func(x value) value { return x.SegmentMean(index, 3) },
		"segmentmax":     func(x value) value { return x.SegmentMax(index, 9) },
		"segmentsoftmax": func(x value) value { return x.SegmentSoftmax(index, 3) },
		"pick":           func(x value) value { return x.Pick(index) },
		"pickalong":      func(x value) value { return x.PickAlong(-1, index, 1) },
		"gather":         func(x value) value { return x.Gather(0, places) },
		"onehot":         func(x value) value { return x.Mul(x.Graph().OneHot(index, 3)) },
		"onehotalong":    func(x value) value { return x.Mul(x.Graph().OneHotAlong(1, index, 3, 1)) },
		"dropout":        func(x value) value { return x.Dropout(0.5) },
		"channels":       func(x value) value { return x.DropoutChannels(0.5) },
		"batchmm":        func(x value) value { return x.Reshape(2, 2, 3).MatMul(x.Reshape(2, 2, 3).T()) },
		"vecmm":          func(x value) value { return x.Flatten(0, -1).MatMul(x.Flatten(0, -1)) },
		"outer":          func(x value) value { return x.Flatten(0, -1).Outer(x.Flatten(0, -1)) },
		"diag":           func(x value) value { return x.Diagonal(0) },
		"triu":           func(x value) value { return x.Triu(0) },
		"expand":         func(x value) value { return x.Expand(5, 4, 3) },
		"bce":            func(x value) value { return x.BinaryCrossEntropy(x) },
		"bcel":           func(x value) value { return x.BinaryCrossEntropyLogits(x) },
		"gelu":           value.GELU,
		"mish":           value.Mish,
		"tanh":           value.Tanh,
		"prelu":          func(x value) value { return x.PReLU(x) },
		"atan2":          func(x value) value { return x.Atan2(x) },
		"hypot":          func(x value) value { return x.Hypot(x) },
		"scope":          func(x value) value { x.Graph().Enter("a"); defer x.Graph().Leave(); return x.Named("q").Exp() },
		"detach":         func(x value) value { return x.Mul(x.Detach()) },
		"round":          value.Round,
		"sign":           func(x value) value { return x.Mul(x.Sign()) },
		"floor":          value.Floor,
		"sub":            func(x value) value { return x.Sub(x.Mean(0)) },
		"div":            func(x value) value { return x.Div(x) },
		"custom":         func(x value) value { return autograd.CustomInto(cubeInto, shape43, x) },
		"full":           func(x value) value { return x.Mul(x.Graph().Full(2, 4, 3)) },
	}
	maps.Copy(ops, steadyConv)
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		for name, f := range ops {
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			step := func() {
				g.Reset()
				grads := f(g.Param(w)).Mean().Backward()
				grads.Scale(2)
				grads.Norm()
				grads.OfParam(w)
			}
			for range 4 {
				step()
			}
			if n := testing.AllocsPerRun(20, step); n > 0 {
				t.Errorf("%s in %v: %v allocations in a step", name, precision, n)
			}
		}
	}
}

// Nor does adding up gradients and going through them.
func TestSumOfGradientsAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	w := autograd.NewParam("w", autograd.Ones(4, 3))
	g := autograd.NewGraph(autograd.Options{})
	var sum autograd.Gradients
	step := func() {
		sum.Clear()
		for range 2 {
			g.Reset()
			sum.Add(g.Param(w).Exp().Mean().Backward())
		}
		sum.Scale(0.5)
		for p := range sum.All() {
			p.Writable()
		}
	}
	step()
	if n := testing.AllocsPerRun(20, step); n > 0 {
		t.Errorf("%v allocations in a step", n)
	}
}
