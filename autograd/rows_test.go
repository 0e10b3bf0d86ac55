package autograd_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

var precisions = []autograd.Precision{autograd.Float64, autograd.Float32}

// integerTable has small integers, whose sums have no rounding errors.
func integerTable(precision autograd.Precision, shape ...int) *autograd.Param {
	rng, t := rand.New(rand.NewPCG(5, 6)), autograd.Zeros(shape...)
	for i := range t.Raw64() {
		t.Raw64()[i] = float64(rng.IntN(19) - 9)
	}
	return autograd.NewParam("table", t.In(precision))
}

// lookUps is a loss of two lookups in a table, the second with padding.
func lookUps(table autograd.Value, first, second autograd.Ints) autograd.Value {
	weigh := func(y autograd.Value) autograd.Value {
		return y.Mul(y.Graph().Constant(autograd.Arange(1, float64(y.Size()+1), 1).Reshape(y.Shape()...))).Sum()
	}
	return weigh(table.Embedding(first)).Add(weigh(table.EmbeddingWith(second, padded(0, 3))))
}

// The gradient by rows has the rows that were looked up, without padding, and
// is what IndexSelect's dense gradient is.
func TestGradientByRows(t *testing.T) {
	first, second := autograd.NewInts([]int{7, 2, 7, 5}, 2, 2), autograd.NewInts([]int{3, 2, 0, 9, 3})
	for _, precision := range precisions {
		for _, shape := range [][]int{{10, 3}, {10}, {10, 2, 2}, {10, 0}, {10, 1}} {
			table := integerTable(precision, shape...)
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			loss := lookUps(g.Param(table), first, second)
			grads := loss.Backward()
			ids, rows, ok := grads.Rows(table)
			if !ok {
				t.Fatalf("%v: no rows", shape)
			}
			want := []int{2, 5, 7, 9}
			if diff := cmp.Diff(want, ids.Values()) + cmp.Diff([]int{4}, ids.Shape()) + cmp.Diff(append([]int{4}, shape[1:]...), rows.Shape()); diff != "" {
				t.Error(diff)
			}

			dense := autograd.NewGraph(autograd.Options{Precision: precision})
			w := dense.Param(table)
			y1, y2 := w.IndexSelect(0, first), w.IndexSelect(0, autograd.NewInts([]int{2, 9})) // what is not padding
			weights := func(y autograd.Value, places ...float64) autograd.Value {
				inner := y.Size() / max(len(places), 1)
				all := make([]float64, 0, y.Size())
				for _, place := range places {
					for i := range inner {
						all = append(all, place*float64(inner)+float64(i)+1)
					}
				}
				return y.Mul(dense.Constant(autograd.NewTensor(all, y.Shape()...))).Sum()
			}
			other := weights(y1, 0, 1, 2, 3).Add(weights(y2, 1, 3)).Backward()
			if _, _, ok := other.Rows(table); ok {
				t.Error("IndexSelect has rows")
			}
			whole := other.OfParam(table)
			wantBits(t, "the rows", rows.Float64s(), whole.Take(want...).Float64s())
			wantBits(t, "the norm", []float64{grads.Norm()}, []float64{other.Norm()})
			for p, stored := range grads.Stored() {
				wantBits(t, "stored of "+p.Name(), stored.Float64s(), rows.Float64s())
			}
			wantBits(t, "OfParam", grads.OfParam(table).Float64s(), whole.Float64s())
			wantBits(t, "Of", grads.Of(g.Param(table)).Float64s(), whole.Float64s())
			for _, all := range grads.All() {
				wantBits(t, "all", all.Float64s(), whole.Float64s())
			}
			if !grads.Reached(g.Param(table)) || !grads.ReachedParam(table) {
				t.Error("not reached")
			}
			if again, _, ok := grads.Rows(table); !ok || !cmp.Equal(want, again.Values()) {
				t.Error("the rows are gone after the whole was read")
			}
			grads.Scale(2)
			wantNumbers(t, "scaled", loss.Backward().OfParam(table).Float64s(), whole.Float64s(), 0)
			other.Scale(2)
			wantBits(t, "scaled", grads.OfParam(table).Float64s(), whole.Float64s())
		}
	}
}

// Uses that need more than rows, and a graph of another precision, make the
// gradient a whole one. What does not lead to the loss counts as a use.
func TestWholeGradients(t *testing.T) {
	ids := autograd.NewInts([]int{1, 3, 1})
	table := integerTable(autograd.Float64, 5, 2)
	sum := func(y autograd.Value) autograd.Value { return y.Sum() }
	for name, f := range map[string]func(w autograd.Value) autograd.Value{
		"first":        func(w autograd.Value) autograd.Value { return w.Square().Sum().Add(sum(w.Embedding(ids))) },
		"last":         func(w autograd.Value) autograd.Value { return sum(w.Embedding(ids)).Add(w.Square().Sum()) },
		"between":      func(w autograd.Value) autograd.Value { return sum(w.Embedding(ids)).Add(sum(w.T().Square())) },
		"tied weights": func(w autograd.Value) autograd.Value { return sum(w.Embedding(ids).MatMul(w.T())) },
		"of a view":    func(w autograd.Value) autograd.Value { return sum(w.Reshape(5, 2, 1).Embedding(ids)) },
		"not reached": func(w autograd.Value) autograd.Value {
			w.Exp()
			return sum(w.Embedding(ids))
		},
	} {
		g := autograd.NewGraph(autograd.Options{})
		loss := f(g.Param(table))
		grads := loss.Backward()
		if _, _, ok := grads.Rows(table); ok {
			t.Errorf("%s: by rows", name)
		}
		wantNumbers(t, name, grads.OfParam(table).Float64s(), autograd.Grad(loss, g.Param(table))[0].Tensor().Float64s(), 1e-14)
	}
	single := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
	grads := sum(single.Param(table).Embedding(ids)).Backward()
	if _, _, ok := grads.Rows(table); ok || grads.OfParam(table).Precision() != autograd.Float64 {
		t.Error("a Param of another precision has rows")
	}
}

// A pass from the table itself, and one of second order.
func TestRowsBesideOtherPasses(t *testing.T) {
	ids := autograd.NewInts([]int{1, 3, 1})
	table := integerTable(autograd.Float64, 5, 1)
	g := autograd.NewGraph(autograd.Options{})
	w := g.Param(table)
	wantBits(t, "a seed", w.BackwardFrom(autograd.Arange(0, 5, 1).Reshape(5, 1)).OfParam(table).Float64s(), []float64{0, 1, 2, 3, 4})
	y := w.Embedding(ids)
	cubes := y.Square().Mul(y).Sum()
	slope := autograd.Grad(cubes, w)[0]
	grads := slope.Sum().Backward() // of 3x², twice for row 1: through IndexSelect's rule
	want := make([]float64, 5)
	for _, id := range ids.Values() {
		want[id] += 6 * table.Tensor().Float64s()[id]
	}
	wantNumbers(t, "second order", grads.OfParam(table).Float64s(), want, 1e-14)
	if _, _, ok := grads.Rows(table); !ok {
		t.Error("the second derivative is not by rows")
	}
	if _, _, ok := g.Scalar(1).Backward().Rows(table); ok {
		t.Error("a table that was not reached has rows")
	}
	if _, _, ok := grads.Rows(autograd.NewParam("other", autograd.Ones(2))); ok {
		t.Error("a stranger has rows")
	}
}

// Neither a pass nor its results have memory of the table's size.
func TestRowsTakeNoMemoryOfTheTable(t *testing.T) {
	table := autograd.NewParam("table", autograd.Ones(100_000, 8))
	g := autograd.NewGraph(autograd.Options{})
	for range 40 { // more passes than the graph holds
		grads := g.Param(table).Embedding(autograd.NewInts([]int{99_999, 0, 7, 7})).Sum().Backward()
		for _, rows := range grads.Stored() {
			wantBits(t, "rows", rows.Float64s(), autograd.NewTensor([]float64{1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1}).Float64s())
		}
	}
	if most := g.Stats().BytesPeak; most > 100_000 {
		t.Errorf("%d bytes", most)
	}
}

// What is written to the whole counts: in the rows, and elsewhere.
func TestWritesToTheWhole(t *testing.T) {
	table := integerTable(autograd.Float64, 5, 1)
	g := autograd.NewGraph(autograd.Options{})
	grads := g.Param(table).Embedding(autograd.NewInts([]int{3, 1})).Sum().Backward()
	for _, all := range grads.All() {
		all.Raw64()[3] = 7
	}
	_, rows, ok := grads.Rows(table)
	if !ok {
		t.Fatal("no rows")
	}
	wantBits(t, "rows", rows.Float64s(), []float64{1, 7})
	rows.Raw64()[0] = 5
	wantBits(t, "the whole", grads.OfParam(table).Float64s(), []float64{0, 5, 0, 7, 0})
	grads.Of(g.Param(table)).Raw64()[4] = -1
	if _, _, ok := grads.Rows(table); ok {
		t.Error("by rows, with another row")
	}
	for _, stored := range grads.Stored() {
		wantBits(t, "stored", stored.Float64s(), []float64{0, 5, 0, 7, -1})
	}
	wantNumbers(t, "norm", []float64{grads.Norm()}, []float64{math.Sqrt(75)}, 1e-15)
}

// Sums of rows, of wholes and of both, against sums of tensors.
func TestSumsOfRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	for _, precision := range precisions {
		table := integerTable(precision, 6, 2)
		g := autograd.NewGraph(autograd.Options{Precision: precision})
		pass := func(whole bool) autograd.Gradients {
			g.Reset()
			w := g.Param(table)
			if whole {
				return w.Square().Sum().Backward()
			}
			ids := make([]int, rng.IntN(4))
			for i := range ids {
				ids[i] = rng.IntN(6)
			}
			return w.Embedding(autograd.NewInts(ids)).Square().Sum().Backward()
		}
		var sum autograd.Gradients
		for round := range 60 {
			sum.Clear()
			want, weights, wholes, used := make([]float64, 12), 0.0, false, map[int]bool{}
			for range 1 + rng.IntN(4) {
				whole, weight := round%3 == 1 && rng.IntN(2) == 0, float64(1+rng.IntN(3))
				part := pass(whole)
				for i, v := range part.OfParam(table).Float64s() {
					want[i] += weight * v
				}
				if ids, _, ok := part.Rows(table); ok {
					for _, id := range ids.Values() {
						used[id] = true
					}
				}
				weights += weight
				sum.AddWeighted(part, weight)
				if round%3 == 2 { // the whole is made in between, and written to
					bump(sum.OfParam(table), 2)
					want[2]++
					wholes = wholes || !used[1]
				}
				wholes = wholes || whole
			}
			_, rows, ok := sum.Rows(table)
			if ok == wholes {
				t.Fatalf("round %d: by rows is %v", round, ok)
			}
			if ok && rows.Dim(0) != len(used) {
				t.Errorf("%d rows, want %d", rows.Dim(0), len(used))
			}
			wantBits(t, "sum", sum.OfParam(table).Float64s(), want)
			sum.Scale(4)
			var second autograd.Gradients
			second.Add(sum)
			sum.Average()
			for i := range want {
				want[i] *= 4
			}
			wantBits(t, "sum of a sum", second.OfParam(table).Float64s(), want)
			for i := range want {
				want[i] /= weights
			}
			tolerance := map[autograd.Precision]float64{autograd.Float64: 1e-15, autograd.Float32: 1e-7}[precision]
			wantNumbers(t, "mean", sum.OfParam(table).Float64s(), want, tolerance)
		}
	}
}

// Watched graphs name the lookup that passed a NaN on, and list contributions.
func TestWatchedRows(t *testing.T) {
	table := integerTable(autograd.Float64, 4, 2)
	g := autograd.NewGraph(autograd.Options{Trace: true, CheckFinite: true})
	w := g.Param(table)
	x, y := w.Embedding(autograd.NewInts([]int{1, 1})), w.Embedding(autograd.NewInts([]int{3}))
	grads := x.Sum().Add(y.Sum()).Backward()
	if _, _, ok := grads.Rows(table); !ok {
		t.Error("not by rows")
	}
	parts := grads.Contributions(w)
	if len(parts) != 2 {
		t.Fatalf("%d contributions", len(parts))
	}
	wantBits(t, "the second use", parts[0].Gradient.Float64s(), []float64{0, 0, 0, 0, 0, 0, 1, 1})
	wantBits(t, "the first use", parts[1].Gradient.Float64s(), []float64{0, 0, 2, 2, 0, 0, 0, 0})
	wantBits(t, "of the lookup", grads.Of(x).Float64s(), []float64{1, 1, 1, 1})

	var fault *autograd.NonFiniteError
	err := autograd.Try(func() { x.BackwardFrom(autograd.NewTensor([]float64{1, 2, math.NaN(), 4}, 2, 2)) })
	if !errors.As(err, &fault) || fault.Op != "Embedding" || !fault.Backward || fault.Index != 2 {
		t.Errorf("got %v", err)
	}
	// The pass that panicked left nothing behind.
	wantBits(t, "afterwards", x.Sum().Backward().OfParam(table).Float64s(), []float64{0, 0, 2, 2, 0, 0, 0, 0})
}

func TestRowsOfStaleGradients(t *testing.T) {
	table := integerTable(autograd.Float64, 4, 2)
	g := autograd.NewGraph(autograd.Options{})
	grads := g.Param(table).Embedding(autograd.NewInts([]int{1, 1})).Sum().Backward()
	_, rows, _ := grads.Rows(table)
	g.Reset()
	wantError[*autograd.StaleError](t, "autograd: Gradients.Rows: Gradients used after their graph's Reset, at %v", func() { grads.Rows(table) })
	wantError[*autograd.StaleError](t, "autograd: Raw64: Tensor is a view of a recording that was Reset, at %v", func() { rows.Raw64() })
}

// A step with two tables, in the order of recording, once the memory is warm.
func TestRowsAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	for _, precision := range precisions {
		table, second := integerTable(precision, 50, 4), integerTable(precision, 30, 4)
		g := autograd.NewGraph(autograd.Options{Precision: precision})
		ids := autograd.NewInts([]int{7, 2, 7, 0, 5, 29})
		var sum autograd.Gradients
		step := func() {
			g.Reset()
			x := g.Param(table).EmbeddingWith(ids, autograd.EmbeddingOptions{})
			grads := x.Add(g.Param(second).Embedding(ids)).Square().Mean().Backward()
			for p := range grads.Stored() {
				grads.Rows(p)
			}
			sum.Clear()
			sum.Add(grads)
			sum.AddWeighted(grads, 2)
			sum.Scale(0.5)
			for p := range sum.Stored() {
				sum.Rows(p)
			}
			grads.Norm()
		}
		for range 4 {
			step()
		}
		if n := testing.AllocsPerRun(20, step); n > 0 {
			t.Errorf("%v: %v allocations in a step", precision, n)
		}
	}
}

// bump adds 1 to an element.
func bump(t autograd.Tensor, i int) {
	if t.Precision() == autograd.Float32 {
		t.Raw32()[i]++
	} else {
		t.Raw64()[i]++
	}
}
