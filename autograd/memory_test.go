package autograd_test

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

// sharesMemory reports whether two tensors have a number in common.
func sharesMemory(a, b autograd.Tensor) bool {
	x, y := a.Raw64(), b.Raw64()
	if len(x) == 0 || len(y) == 0 {
		return false
	}
	x0, y0 := uintptr(unsafe.Pointer(&x[0])), uintptr(unsafe.Pointer(&y[0]))
	return x0 < y0+8*uintptr(len(y)) && y0 < x0+8*uintptr(len(x))
}

// same is an operation whose gradient is the incoming one for every input.
func same(times int) autograd.Operation {
	return autograd.Operation{
		Name: "same",
		Forward: func(in []autograd.Tensor) autograd.Tensor {
			y := autograd.Zeros(in[0].Shape()...)
			for _, x := range in {
				for i, v := range x.Raw64() {
					y.Raw64()[i] += v
				}
			}
			return y
		},
		Rule: func(r *autograd.Rule) {
			g := r.Grad()
			if times > 1 {
				g = g.MulScalar(float64(times))
			}
			for i := range 3 {
				r.Add(i, g)
			}
		},
	}
}

// No two gradients share memory, neither with each other nor with a Value, and
// they are right.
func TestGradientsDoNotShareMemory(t *testing.T) {
	type value = autograd.Value
	rows := []struct {
		name   string
		f      func(x, y value) value
		gx, gy []float64 // for x = [1 2; 3 4], y = [5 6; 7 8], seed 1
	}{
		{"x+x", func(x, _ value) value { return x.Add(x) }, []float64{2, 2, 2, 2}, []float64{0, 0, 0, 0}},
		{"x+y", func(x, y value) value { return x.Add(y) }, []float64{1, 1, 1, 1}, []float64{1, 1, 1, 1}},
		{"x·x", func(x, _ value) value { return x.Mul(x) }, []float64{2, 4, 6, 8}, []float64{0, 0, 0, 0}},
		{"x·y", func(x, y value) value { return x.Mul(y) }, []float64{5, 6, 7, 8}, []float64{1, 2, 3, 4}},
		{"matmul(x, xᵀ)", func(x, _ value) value { return x.MatMul(x.T()) }, []float64{8, 12, 8, 12}, []float64{0, 0, 0, 0}},
		{"concat(x, x)", func(x, _ value) value { return autograd.Concat(0, x, x) }, []float64{2, 2, 2, 2}, []float64{0, 0, 0, 0}},
		{"concat(x, y, x)", func(x, y value) value { return autograd.Concat(1, x, y, x) }, []float64{2, 2, 2, 2}, []float64{1, 1, 1, 1}},
		{"f(x, x, y)", func(x, y value) value { return autograd.Custom(same(1), x, x, y) }, []float64{2, 2, 2, 2}, []float64{1, 1, 1, 1}},
		{"3f(x, x, y)", func(x, y value) value { return autograd.Custom(same(3), x, x, y) }, []float64{6, 6, 6, 6}, []float64{3, 3, 3, 3}},
		{"3f(y, x, x)", func(x, y value) value { return autograd.Custom(same(3), y, x, x) }, []float64{6, 6, 6, 6}, []float64{3, 3, 3, 3}},
		{"3f(x, y, x)", func(x, y value) value { return autograd.Custom(same(3), x, y, x) }, []float64{6, 6, 6, 6}, []float64{3, 3, 3, 3}},
		{"3f(x, x, x)", func(x, _ value) value { return autograd.Custom(same(3), x, x, x) }, []float64{9, 9, 9, 9}, []float64{0, 0, 0, 0}},
		{"views of x", func(x, y value) value { return x.Reshape(4).Add(y.Reshape(4)).Reshape(2, 2).Add(x) }, []float64{2, 2, 2, 2}, []float64{1, 1, 1, 1}},
		{"rows of x", func(x, y value) value { return x.Narrow(0, 1, 1).Add(y.Narrow(0, 0, 1)).Add(x) }, []float64{1, 1, 3, 3}, []float64{2, 2, 0, 0}},
		{"where", func(x, y value) value { return autograd.Where(x.GreaterScalar(2), x, y) }, []float64{0, 0, 1, 1}, []float64{1, 1, 0, 0}},
		{"x itself", func(x, _ value) value { return x }, []float64{1, 1, 1, 1}, []float64{0, 0, 0, 0}},
	}
	for _, row := range rows {
		for _, trace := range []bool{false, true} {
			t.Run(row.name, func(t *testing.T) {
				g := autograd.NewGraph(autograd.Options{Trace: trace})
				x, y := g.Variable(autograd.NewTensor([]float64{1, 2, 3, 4}, 2, 2)), g.Variable(autograd.NewTensor([]float64{5, 6, 7, 8}, 2, 2))
				z := row.f(x, y)
				before := recordedNumbers(g)
				seed := autograd.Ones(z.Shape()...)
				first := z.BackwardFrom(seed)
				second := z.BackwardFrom(seed)
				gx, gy := first.Of(x), first.Of(y)
				wantNumbers(t, "gx", gx.Float64s(), row.gx, 0)
				wantNumbers(t, "gy", gy.Float64s(), row.gy, 0)
				all := []autograd.Tensor{gx, gy, second.Of(x), second.Of(y), seed}
				for node := range g.Nodes() {
					if node.Value.View().Size() > 1 {
						all = append(all, node.Value.View())
					}
				}
				for i, a := range all[:4] {
					for _, b := range all[i+1:] {
						if sharesMemory(a, b) {
							t.Errorf("gradient %d shares memory with another", i)
						}
					}
				}
				// Neither a second pass nor writing into it, nor recording on,
				// disturbs the first pass or a Value.
				second.Scale(-77)
				z.Exp().Sum().Add(x.Square().Mul(y).Sum()).Backward()
				wantNumbers(t, "gx later", gx.Float64s(), row.gx, 0)
				wantNumbers(t, "gy later", gy.Float64s(), row.gy, 0)
				if diff := cmp.Diff(before, recordedNumbers(g)[:len(before)]); diff != "" {
					t.Errorf("Values changed (-before +after):\n%s", diff)
				}
			})
		}
	}
}

// recordedNumbers returns a copy of all numbers of a recording.
func recordedNumbers(g *autograd.Graph) [][]float64 {
	var all [][]float64
	for node := range g.Nodes() {
		all = append(all, node.Value.Tensor().Float64s())
	}
	return all
}

// recordAtRandom records a small network whose shapes and operations the
// source chooses, and returns all values and all gradients.
func recordAtRandom(g *autograd.Graph, rng *rand.Rand) [][]float64 {
	n, m, k := 1+rng.IntN(12), 1+rng.IntN(12), 1+rng.IntN(12)
	x := g.Constant(autograd.Normal(rng, 0, 1, n, m))
	w, b := g.Variable(autograd.Normal(rng, 0, 1, m, k)), g.Variable(autograd.Normal(rng, 0, 1, k))
	h := x.MatMul(w).Add(b)
	for range rng.IntN(6) {
		switch rng.IntN(10) {
		case 0:
			h = h.Tanh()
		case 1:
			h = autograd.Concat(0, h, h.Neg())
		case 2:
			h = h.Softmax(-1)
		case 3:
			h = h.T().Permute(-1, 0).Mul(h)
		case 4:
			h = h.Sub(h.KeepDims().Mean(0)).Div(h.KeepDims().PopulationStd(0).AddScalar(1))
		case 5:
			h = autograd.Where(h.GreaterScalar(0), h, h.Sum())
		case 6:
			h = h.Narrow(0, 0, 1+rng.IntN(h.Dim(0)))
		case 7:
			h = h.Flip(0).CumSum(-1).KeepDims().Max(1).Mul(h)
		case 8:
			h = h.IndexSelect(1, autograd.NewInts([]int{0, k - 1, 0})).KeepDims().Sum(1).Sub(h)
		case 9:
			h = autograd.Custom(double, h).Dropout(0.3)
		}
	}
	loss := h.Square().Mean()
	if rng.IntN(2) == 0 {
		loss = loss.Add(autograd.Grad(loss, w)[0].Square().Sum())
	}
	grads := loss.Backward()
	return append(recordedNumbers(g), grads.Of(w).Float64s(), grads.Of(b).Float64s())
}

// A graph that is Reset between recordings of differing shapes gives the same
// bits as a fresh graph each time.
func TestResetLikeFresh(t *testing.T) {
	for _, options := range []autograd.Options{{}, {Trace: true}, {Precision: autograd.Float32}, {CheckFinite: true}} {
		options.Eval = true // the random stream runs on over Reset
		used := autograd.NewGraph(options)
		for seed := range uint64(200) {
			used.Reset()
			got := recordAtRandom(used, rand.New(rand.NewPCG(seed%37, 2)))
			want := recordAtRandom(autograd.NewGraph(options), rand.New(rand.NewPCG(seed%37, 2)))
			if len(got) != len(want) {
				t.Fatalf("%v, recording %d: %d results, want %d", options, seed, len(got), len(want))
			}
			for i := range want {
				if diff := cmp.Diff(bitsOf(want[i]), bitsOf(got[i])); diff != "" {
					t.Fatalf("%v, recording %d, result %d (-fresh +reset):\n%s", options, seed, i, diff)
				}
			}
		}
	}
}

func TestStats(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	if got := g.Stats(); got != (autograd.Stats{}) {
		t.Errorf("empty: %+v", got)
	}
	x := g.Variable(autograd.Zeros(1000))
	if got := g.Stats(); got != (autograd.Stats{1, 8000, 8000}) {
		t.Errorf("a variable: %+v", got)
	}
	y := x.Exp().Exp().Exp().Sum()
	if got := g.Stats(); got != (autograd.Stats{5, 32000, 32000}) {
		t.Errorf("four operations: %+v", got)
	}
	y.Backward()
	got := g.Stats()
	if got.Nodes != 5 {
		t.Errorf("Backward recorded %d nodes", got.Nodes-5)
	}
	if kept := got.BytesLive - 32000; kept < 8000 || kept > 10000 {
		t.Errorf("Backward keeps %d bytes, want one gradient", kept)
	}
	if on := got.BytesPeak - 32000; on < 8000 || on > 3*10240 {
		t.Errorf("Backward needs %d bytes", on)
	}
	peak := got.BytesPeak
	g.Reset()
	if got := g.Stats(); got != (autograd.Stats{0, 0, peak}) {
		t.Errorf("after Reset: %+v", got)
	}
}

// The memory that a pass takes does not grow with the passes of a recording:
// only the gradients that it returns stay.
func TestSecondPassesReuseMemory(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Zeros(64))
	y := x
	for range 10 {
		y = y.Mul(y).Tanh().AddScalar(1)
	}
	y = y.Sum()
	y.Backward()
	before := g.Stats().BytesLive
	for range 10 {
		y.Backward()
	}
	if grown := g.Stats().BytesLive - before; grown != 10*64*8 {
		t.Errorf("ten passes keep %d bytes, want %d", grown, 10*64*8)
	}
}

// A later recording does not see the gradients of an earlier one.
func TestResetForgetsGradients(t *testing.T) {
	for _, shape := range [][]int{nil, {3}} {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		for round := range 3 {
			g.Reset()
			x, y := g.Variable(autograd.Ones(shape...)), g.Variable(autograd.Ones(shape...))
			loss := x.Mul(y).Sum()
			if round > 0 {
				loss = x.Mul(y.Detach()).Sum()
			}
			grads := loss.Backward()
			if reached := grads.Reached(y); reached != (round == 0) {
				t.Errorf("round %d: Reached is %v", round, reached)
			}
			want := 1.0
			if round > 0 {
				want = 0
			}
			wantNumbers(t, "gradient", grads.Of(y).Float64s(), repeated(want, y.Size()), 0)
			if n := len(grads.Contributions(y)); n != int(want) {
				t.Errorf("round %d: %d contributions", round, n)
			}
		}
	}
}

// Reset keeps the memory and hands it out again.
func TestResetReusesMemory(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := autograd.Ones(10_000)
	step := func() {
		g.Reset()
		g.Variable(x).Exp().Neg().Sum().Backward()
	}
	for range 3 {
		step()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		step()
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("100 steps on 10,000 numbers allocate %d bytes", grown)
	}
}

// Memory does not grow over recordings of ever other sizes.
func TestMemoryStaysBounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	g := autograd.NewGraph(autograd.Options{})
	record := func() {
		g.Reset()
		x := g.Variable(autograd.Zeros(1 + rng.IntN(1<<(4+rng.IntN(10)))))
		for range 10 {
			x = autograd.Concat(0, x, g.Full(1, 1+rng.IntN(1<<(4+rng.IntN(10)))))
		}
		x.Sum().Backward()
	}
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for range 300 {
		record()
	}
	early := held()
	for range 2000 {
		record()
	}
	if late := held(); late > early+early/2+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", early, late)
	}
	runtime.KeepAlive(g)
}

// An operation on a parameter that was written since would compute with other
// numbers than the recording.
func TestOperationOnChangedParam(t *testing.T) {
	for _, noGrad := range []bool{false, true} {
		g := autograd.NewGraph(autograd.Options{NoGrad: noGrad})
		p := autograd.NewParam("w", vector(1, 2))
		v := g.Param(p)
		view := v.Reshape(2, 1)
		p.Set(vector(5, 5))
		for name, f := range map[string]func(){
			"unary": func() { v.MulScalar(2) }, "binary": func() { g.Full(1, 2).Add(v) }, "of a view": func() { view.Sum() },
		} {
			var stale *autograd.StaleError
			if err := autograd.Try(f); !errors.As(err, &stale) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
}

// The bytes of a training step, counted by hand. All sizes are powers of two,
// which the pool holds without rounding up.
func TestBytesOfTrainingStep(t *testing.T) {
	const batch, in, hidden, out = 16, 64, 32, 16
	for _, p := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		size := map[autograd.Precision]int{autograd.Float64: 8, autograd.Float32: 4}[p]
		param := func(dims ...int) *autograd.Param { return autograd.NewParam("w", autograd.Ones(dims...).In(p)) }
		w1, b1, w2, b2 := param(in, hidden), param(hidden), param(hidden, out), param(out)
		g := autograd.NewGraph(autograd.Options{Precision: p})
		x := g.Constant(autograd.Ones(batch, in).In(p))
		a := x.MatMul(g.Param(w1)).Add(g.Param(b1)).ReLU()
		z := a.MatMul(g.Param(w2)).Add(g.Param(b2))
		loss := z.Square().Mean()

		// Params are read in place, and a single number stands in its node.
		forward := size * (batch*in + 3*batch*hidden + 3*batch*out)
		if got := g.Stats().BytesLive; got != forward {
			t.Errorf("%v: forward %d bytes, want %d", p, got, forward)
		}
		loss.Backward()

		// What stays are the gradients of the Params. The most is held while
		// that of w1 is computed from that of its result: all others are back
		// in the pool, and x has none.
		kept := size * (in*hidden + hidden + hidden*out + out)
		most := kept + size*batch*hidden
		want := autograd.Stats{Nodes: 12, BytesLive: forward + kept, BytesPeak: forward + most}
		if got := g.Stats(); got != want {
			t.Errorf("%v: (-want +got):\n%s", p, cmp.Diff(want, got))
		}
	}
}

// The first gradient of a Value is the buffer that the rule computed, not a
// copy; a second one is added to it, and its buffer goes back.
func TestFirstGradientIsAdopted(t *testing.T) {
	var computed []*float64
	double := autograd.Operation{
		Name:    "double",
		Forward: func(in []autograd.Tensor) autograd.Tensor { return autograd.Full(2, 64) },
		Rule: func(r *autograd.Rule) {
			gx := r.Grad().MulScalar(2)
			computed = append(computed, &gx.View().Raw64()[0])
			r.Add(0, gx)
		},
	}
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Ones(64))
	grads := autograd.Custom(double, x).Add(autograd.Custom(double, x)).BackwardFrom(autograd.Ones(64))
	gx := grads.Of(x).Raw64()
	if len(computed) != 2 || &gx[0] != computed[0] || gx[0] != 4 {
		t.Errorf("gx = %v at %p, computed at %v", gx[0], &gx[0], computed)
	}
	if live, want := g.Stats().BytesLive, 5*64*8; live != want { // four Values and gx
		t.Errorf("%d bytes are live, want %d", live, want)
	}
}

// Also along functions of each element, whose gradients are computed without
// their rule.
func TestSecondGradientGoesBack(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Ones(64))
	x.Exp().Add(x.Tanh()).BackwardFrom(autograd.Ones(64))
	if live, want := g.Stats().BytesLive, 5*64*8; live != want { // four Values and gx
		t.Errorf("%d bytes are live, want %d", live, want)
	}
}

// A rule is told which gradients nobody asked for, and is not run when there
// is none.
func TestUnwantedGradientsAreNotComputed(t *testing.T) {
	var wanted [][2]bool
	second := autograd.Operation{
		Name:    "second",
		Forward: func(in []autograd.Tensor) autograd.Tensor { return in[1].Clone() },
		Rule: func(r *autograd.Rule) {
			wanted = append(wanted, [2]bool{r.Needs(0), r.Needs(1)})
			r.Add(1, r.Grad())
		},
	}
	g := autograd.NewGraph(autograd.Options{})
	frozen := autograd.NewParam("frozen", autograd.Ones(3))
	frozen.Frozen = true
	x, w := g.Constant(autograd.Ones(3)), g.Variable(autograd.Ones(3))
	features := autograd.Custom(second, g.Param(frozen), x) // leads to nothing that learns
	loss := autograd.Custom(second, features, w).Sum()
	loss.Backward()
	if diff := cmp.Diff([][2]bool{{false, true}}, wanted); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
