package autograd_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat"

	"nabla/autograd"
)

func TestConstructors(t *testing.T) {
	for _, row := range []struct {
		name   string
		got    autograd.Tensor
		shape  []int
		values []float64
	}{
		{"NewTensor", autograd.NewTensor([]float64{1, 2, 3, 4}, 2, 2), []int{2, 2}, []float64{1, 2, 3, 4}},
		{"NewTensor, a vector", vector(1, 2), []int{2}, []float64{1, 2}},
		{"NewTensor, a scalar", autograd.NewTensor([]float64{7}, []int{}...), nil, []float64{7}},
		{"NewTensor, nothing", autograd.NewTensor(nil), []int{0}, nil},
		{"NewTensor, no rows", autograd.NewTensor(nil, 0, 3), []int{0, 3}, nil},
		{"NewTensor32", autograd.NewTensor32([]float32{1, 2}, 1, 2), []int{1, 2}, []float64{1, 2}},
		{"Scalar", autograd.Scalar(3), nil, []float64{3}},
		{"Zeros", autograd.Zeros(3), []int{3}, []float64{0, 0, 0}},
		{"Zeros, a scalar", autograd.Zeros(), nil, []float64{0}},
		{"Ones", autograd.Ones(1, 2), []int{1, 2}, []float64{1, 1}},
		{"Full", autograd.Full(2.5, 2), []int{2}, []float64{2.5, 2.5}},
		{"Arange", autograd.Arange(1, 2, 0.25), []int{4}, []float64{1, 1.25, 1.5, 1.75}},
		{"Arange, down", autograd.Arange(3, 0, -1), []int{3}, []float64{3, 2, 1}},
		{"Arange, nothing", autograd.Arange(3, 3, 1), []int{0}, nil},
		{"Arange, not the end", autograd.Arange(0, 0.3, 0.1), []int{3}, []float64{0, 0.1, 0.2}},
		{"Eye", autograd.Eye(2), []int{2, 2}, []float64{1, 0, 0, 1}},
		{"Eye, nothing", autograd.Eye(0), []int{0, 0}, nil},
		{"FromNested, a number", autograd.FromNested(3), nil, []float64{3}},
		{"FromNested", autograd.FromNested([][]float64{{1, 2}, {3, 4}}), []int{2, 2}, []float64{1, 2, 3, 4}},
		{"FromNested, integers", autograd.FromNested([][][]int8{{{1}, {2}}}), []int{1, 2, 1}, []float64{1, 2}},
		{"FromNested, arrays", autograd.FromNested([2][3]float32{{1, 2, 3}, {4, 5, 6}}), []int{2, 3}, []float64{1, 2, 3, 4, 5, 6}},
		{"FromNested, empty rows", autograd.FromNested([][]float64{{}, {}}), []int{2, 0}, nil},
		{"FromNested, no rows", autograd.FromNested([]float64{}), []int{0}, nil},
		{"Reshape", vector(1, 2, 3, 4).Reshape(2, 2), []int{2, 2}, []float64{1, 2, 3, 4}},
		{"Reshape to a scalar", vector(1).Reshape(), nil, []float64{1}},
	} {
		wantShape(t, row.name, row.got.Shape(), row.shape...)
		wantNumbers(t, row.name, row.got.Float64s(), row.values, 1e-15)
		if row.got.Rank() != len(row.shape) || row.got.Size() != len(row.values) {
			t.Errorf("%s: rank %d, size %d", row.name, row.got.Rank(), row.got.Size())
		}
	}
}

func TestRandomTensors(t *testing.T) {
	draw := func(seed uint64) (u, n autograd.Tensor) {
		rng := rand.New(rand.NewPCG(seed, 0))
		return autograd.Uniform(rng, -1, 3, 100, 100), autograd.Normal(rng, 2, 0.5, 100, 100)
	}
	u, n := draw(1)
	again, _ := draw(1)
	wantBits(t, "the same seed", again.Float64s(), u.Float64s())
	if other, _ := draw(2); other.At(0, 0) == u.At(0, 0) {
		t.Error("another seed gives the same numbers")
	}
	for _, v := range u.Float64s() {
		if v < -1 || v >= 3 {
			t.Fatalf("Uniform in [−1, 3) drew %v", v)
		}
	}
	wantNumbers(t, "Uniform's mean", []float64{stat.Mean(u.Raw64(), nil)}, []float64{1}, 0.03)
	mean, deviation := stat.MeanStdDev(n.Raw64(), nil)
	wantNumbers(t, "Normal's mean and deviation", []float64{mean, deviation}, []float64{2, 0.5}, 0.03)
}

// A tensor owns its numbers: neither what it is made of nor what it gives out
// is shared, but for Raw64, Raw32 and Reshape.
func TestTensorsCopy(t *testing.T) {
	values, shape := []float64{1, 2, 3, 4}, []int{2, 2}
	a := autograd.NewTensor(values, shape...)
	values[0], shape[0] = 9, 9
	a.Shape()[0] = 9
	a.Float64s()[0] = 9
	a.Clone().Raw64()[0] = 9
	a.In(autograd.Float64).Raw64()[0] = 9
	wantNumbers(t, "values", a.Float64s(), []float64{1, 2, 3, 4}, 0)
	wantShape(t, "shape", a.Shape(), 2, 2)
	a.Reshape(4).Raw64()[0] = 5
	if a.At(0, 0) != 5 {
		t.Error("Reshape copies")
	}
	g := autograd.NewGraph(autograd.Options{})
	v, c := g.Variable(a), g.Constant(a)
	p := autograd.NewParam("w", a)
	a.Raw64()[0] = 6
	if v.Tensor().At(0, 0) != 5 || c.Tensor().At(0, 0) != 5 || p.Tensor().At(0, 0) != 5 {
		t.Error("Variable, Constant or NewParam does not copy")
	}
	kept := v.Tensor()
	g.Reset()
	g.Full(8, 2, 2)
	wantNumbers(t, "Value.Tensor after Reset", kept.Float64s(), []float64{5, 2, 3, 4}, 0)
	labels := []int{1, 2}
	ints := autograd.NewInts(labels)
	labels[0] = 9
	if ints.Values()[0] != 1 {
		t.Error("NewInts does not copy")
	}
}

func TestAt(t *testing.T) {
	a := autograd.Arange(0, 24, 1).Reshape(2, 3, 4)
	for i := range 2 {
		for j := range 3 {
			for k := range 4 {
				want := float64(12*i + 4*j + k)
				if got := a.At(i, j, k); got != want {
					t.Errorf("At(%d, %d, %d) = %v", i, j, k, got)
				}
				if got := a.At(i-2, j-3, k-4); got != want {
					t.Errorf("At(%d, %d, %d) = %v", i-2, j-3, k-4, got)
				}
			}
		}
	}
	if got := autograd.Scalar(7).At(); got != 7 {
		t.Errorf("At() = %v", got)
	}
	if a.Dim(1) != 3 || a.Dim(-1) != 4 || a.Dim(-3) != 2 {
		t.Error("Dim")
	}
}

func TestPrecisionConversion(t *testing.T) {
	a := vector(0.1, 1e-50, 1e50, nan, -inf, 1+1e-9)
	single := a.In(autograd.Float32)
	want := []float64{float64(float32(0.1)), 0, inf, nan, -inf, 1}
	wantNumbers(t, "to float32", single.Float64s(), want, 0)
	wantNumbers(t, "and back", single.In(autograd.Float64).Float64s(), want, 0)
	if single.Precision() != autograd.Float32 || len(single.Raw32()) != 6 || single.Size() != 6 {
		t.Errorf("%v, %d numbers", single.Precision(), single.Size())
	}

	// What enters a graph is converted; a Param's gradient comes back in its
	// own precision.
	for _, own := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		for _, graphs := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			for _, size := range []int{1, 3, 8, 9} {
				g := autograd.NewGraph(autograd.Options{Precision: graphs, Trace: size == 8})
				p := autograd.NewParam("w", autograd.Full(1./3, size).In(own))
				x := g.Constant(autograd.Full(0.1, size).In(own))
				w := g.Param(p)
				grads := w.Mul(x).Sum().Backward()
				d := grads.OfParam(p)
				if d.Precision() != own || grads.Of(w).Precision() != own || x.View().Precision() != graphs {
					t.Errorf("a %v Param in a %v graph has a %v gradient", own, graphs, d.Precision())
				}
				exact := 0.1
				if own == autograd.Float32 || graphs == autograd.Float32 {
					exact = float64(float32(0.1))
				}
				wantNumbers(t, "gradient", d.Float64s(), repeated(exact, size), 0)
				for param, d := range grads.All() {
					if param != p || d.Precision() != own {
						t.Errorf("All: a %v gradient", d.Precision())
					}
				}
				unreached := g.Scalar(1).Backward()
				if d := unreached.OfParam(p); d.Precision() != own || d.Size() != size || unreached.ReachedParam(p) {
					t.Errorf("not reached: a %v gradient of %d", d.Precision(), d.Size())
				}
			}
		}
	}
}

func TestParam(t *testing.T) {
	p := autograd.NewParam("w", vector(1, 2))
	if p.Name() != "w" || p.Size() != 2 || p.Version() != 0 || p.Precision() != autograd.Float64 {
		t.Errorf("%q %d %d %v", p.Name(), p.Size(), p.Version(), p.Precision())
	}
	p.SetName("v")
	p.Set(autograd.NewTensor32([]float32{3, 4}))
	wantNumbers(t, "Set from float32", p.Tensor().Float64s(), []float64{3, 4}, 0)
	p.Writable().Raw64()[1] = 5
	p.Tensor().Raw64()[0] = 9
	wantNumbers(t, "Writable", p.Tensor().Float64s(), []float64{3, 5}, 0)
	if p.Name() != "v" || p.Version() != 2 {
		t.Errorf("%q, version %d", p.Name(), p.Version())
	}
	wantShape(t, "shape", p.Shape(), 2)
	single := autograd.NewParam("s", autograd.NewTensor32([]float32{1}))
	single.Set(vector(math.Pi))
	if single.Item() != float64(float32(math.Pi)) {
		t.Errorf("Set to float32: %v", single.Item())
	}

	// In a recording it is one Value, so that shared use adds up.
	g := autograd.NewGraph(autograd.Options{})
	other := autograd.NewParam("other", vector(1, 1))
	for range 3 {
		if first, second := g.Param(p), g.Param(p); first != second {
			t.Error("two Values of one Param")
		}
		y := g.Param(p).Mul(g.Param(p)).Mul(g.Param(other)).Sum()
		wantNumbers(t, "gradient", y.Backward().OfParam(p).Float64s(), []float64{6, 10}, 0)
		g.Reset()
	}

	// Frozen stops the gradient, of recordings that use it afterwards.
	p.Frozen = true
	grads := g.Param(p).Mul(g.Param(other)).Sum().Backward()
	if grads.ReachedParam(p) || !grads.ReachedParam(other) {
		t.Error("a frozen Param is reached")
	}
	for param := range grads.All() {
		if param == p {
			t.Error("All has a frozen Param")
		}
	}
	p.Frozen = false
	g.Reset()
	if !g.Param(p).Sum().Backward().ReachedParam(p) {
		t.Error("a Param that is no longer frozen is not reached")
	}
}

// Recordings that use the same Params in other orders, or not all of them,
// find each one's gradient.
func TestParamsInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	params := make([]*autograd.Param, 12)
	for i := range params {
		params[i] = autograd.NewParam("w", autograd.Scalar(float64(i+1)))
	}
	g := autograd.NewGraph(autograd.Options{})
	for range 300 {
		g.Reset()
		order := rng.Perm(len(params))[:1+rng.IntN(len(params))]
		y := g.Scalar(0)
		for _, i := range order {
			y = y.Add(g.Param(params[i]).Square())
			if rng.IntN(3) == 0 {
				y = y.Add(g.Param(params[order[0]]).MulScalar(0))
			}
		}
		grads := y.Backward()
		next := 0
		for p, d := range grads.All() {
			if p != params[order[next]] || d.Item() != 2*p.Item() {
				t.Fatalf("gradient %v of the Param %v at place %d", d.Item(), p.Item(), next)
			}
			next++
		}
		if next != len(order) {
			t.Fatalf("%d of %d gradients", next, len(order))
		}
		for i, p := range params {
			want := 0.0
			for _, used := range order {
				if used == i {
					want = 2 * p.Item()
				}
			}
			if got := grads.OfParam(p).Item(); got != want || grads.ReachedParam(p) != (want != 0) {
				t.Fatalf("gradient %v, want %v", got, want)
			}
		}
		if rng.IntN(4) == 0 {
			params[rng.IntN(12)].Set(autograd.Scalar(1 + rng.Float64()))
		}
	}
}

// A view of one scalar is as good a seed as any tensor.
func TestSeedsAreUsed(t *testing.T) {
	g, other := autograd.NewGraph(autograd.Options{}), autograd.NewGraph(autograd.Options{})
	x, w := g.Variable(autograd.Scalar(3)), other.Variable(autograd.Scalar(10))
	y := x.Square()
	for name, seed := range map[string]autograd.Tensor{
		"a tensor":         autograd.Scalar(10),
		"a view":           w.View(),
		"of its graph":     g.Scalar(10).View(),
		"a copy":           w.Tensor(),
		"a gradient":       w.Square().MulScalar(0.5).Backward().Of(w),
		"of one precision": autograd.Scalar(10).In(autograd.Float32),
	} {
		if got := y.BackwardFrom(seed).Of(x).Item(); got != 60 {
			t.Errorf("seeded with %s: gradient %v, want 60", name, got)
		}
	}
}
