package autograd_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"nabla/autograd"
)

var sortingRows = []opRow{
	sortRow("ascending", -1, false, [][]int{{3, 4}}, [][]int{{5}}, [][]int{{1}}, [][]int{{0}}, [][]int{{2, 0}}, [][]int{{2, 70}}),
	sortRow("descending along the middle axis", 1, true, [][]int{{2, 3, 2}}, [][]int{{1, 1, 1}}, [][]int{{2, 0, 2}}, [][]int{{0, 2, 2}}),
	topKRow(2, 1, [][]int{{3, 4}}, [][]int{{1, 2}}, [][]int{{0, 3}}, [][]int{{3, 2, 0}}),
	topKRow(3, 0, [][]int{{4, 2}}, [][]int{{3}}, [][]int{{3, 0}}),
	topKRow(0, -1, [][]int{{2, 3}}),
	{op: "cummax", shapes: [][]int{{2, 5}}, more: runningShapes, lo: -3, hi: 3,
		f: axis(autograd.Value.CumMax, -1), twin: alongAxis(-1, running(math.Max))},
	{op: "cummax", note: "middle axis", shapes: [][]int{{2, 4, 2}}, lo: -3, hi: 3,
		f: axis(autograd.Value.CumMax, 1), twin: alongAxis(1, running(math.Max))},
	{op: "cummin", shapes: [][]int{{5, 2}}, more: runningShapes, lo: -3, hi: 3,
		f: axis(autograd.Value.CumMin, 0), twin: alongAxis(0, running(math.Min))},
	{op: "logcumsumexp", shapes: [][]int{{2, 4}}, more: runningShapes, lo: -3, hi: 3,
		f: axis(autograd.Value.LogCumSumExp, -1), twin: alongAxis(-1, running(logAddExp))},
	{op: "logcumsumexp", note: "middle axis", shapes: [][]int{{2, 3, 2}}, more: [][][]int{{{1, 1, 1}}, {{2, 0, 2}}, {{2, 3, 70}}}, lo: -3, hi: 3,
		f: axis(autograd.Value.LogCumSumExp, 1), twin: alongAxis(1, running(logAddExp))},
	{op: "logcumsumexp gradient", shapes: [][]int{{2, 4}, {2, 4}}, more: [][][]int{{{1}, {1}}, {{2, 0}, {2, 0}}}, lo: -1, hi: 1,
		f: vjpOf(axis(autograd.Value.LogCumSumExp, -1)),
		twin: func(in ...grid) grid {
			x, w := in[0], in[1]
			y := alongAxis(-1, running(logAddExp))(x)
			return build(x.shape, func(at []int) float64 {
				sum := 0.0
				for j := at[len(at)-1]; j < x.shape[len(at)-1]; j++ {
					later := slices.Clone(at)
					later[len(at)-1] = j
					sum += w.at(later...) * math.Exp(x.at(at...)-y.at(later...))
				}
				return sum
			})
		}},
	{op: "logcumsumexp tangent", shapes: [][]int{{5}, {5}}, more: [][][]int{{{1}, {1}}}, lo: -1, hi: 1,
		f: func(in ...autograd.Value) autograd.Value { return tangent(in[0], in[1]) },
		twin: func(in ...grid) grid {
			x, v := in[0], in[1]
			y := alongAxis(-1, running(logAddExp))(x)
			return build(x.shape, func(at []int) float64 {
				sum := 0.0
				for i := range at[0] + 1 {
					sum += v.data[i] * math.Exp(x.data[i]-y.data[at[0]])
				}
				return sum
			})
		}},
}

var runningShapes = [][][]int{{{3}}, {{1}}, {{0}}, {{2, 0}}, {{0, 2}}}

func logAddExp(x, y float64) float64 { return math.Log(math.Exp(x) + math.Exp(y)) }

// tangent is the change of the running sum along a change v of x: the
// derivative of a vector-Jacobian product by its vector.
func tangent(x, v autograd.Value) autograd.Value {
	g := x.Graph()
	u := g.Variable(autograd.Zeros(x.Shape()...))
	back := autograd.VJP(x.LogCumSumExp(0), u, x)[0]
	return autograd.VJP(back, v, u)[0]
}

func sortRow(note string, along int, descending bool, shapes ...[][]int) opRow {
	return opRow{op: "sort", note: note, shapes: shapes[0], more: shapes[1:], lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Sort(along, descending) },
		twin: alongAxis(along, sortedList(descending))}
}

func sortedList(descending bool) func(x []float64) []float64 {
	return func(x []float64) []float64 {
		y := slices.Clone(x)
		slices.Sort(y)
		if descending {
			slices.Reverse(y)
		}
		return y
	}
}

func topKRow(k, along int, shapes ...[][]int) opRow {
	return opRow{op: "top k", note: fmt.Sprintf("%d along axis %d", k, along), shapes: shapes[0], more: shapes[1:], lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].TopK(along, k) },
		twin: func(in ...grid) grid {
			sorted := alongAxis(along, sortedList(true))(in[0])
			shape := slices.Clone(sorted.shape)
			shape[(along+len(shape))%len(shape)] = k
			return build(shape, func(at []int) float64 { return sorted.at(at...) })
		}}
}

// Equal elements keep their order, in either direction, and the first of them
// are the greatest; the running extremes point to the last one, and NaN wins.
func TestSortingIndices(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		g := autograd.NewGraph(autograd.Options{Precision: precision})
		x := g.Constant(vector(2, 3, nan, math.Copysign(0, -1), 3, 0, nan, -inf, 2))
		for _, c := range []struct {
			name string
			got  autograd.Ints
			want []int
		}{
			{"ascending", x.ArgSort(0, false), []int{7, 3, 5, 0, 8, 1, 4, 2, 6}},
			{"descending", x.ArgSort(0, true), []int{2, 6, 1, 4, 0, 8, 3, 5, 7}},
			{"greatest", x.ArgTopK(0, 3), []int{2, 6, 1}},
			{"greatest so far", x.ArgCumMax(0), []int{0, 1, 2, 2, 2, 2, 6, 6, 6}},
			{"smallest so far", x.Slice(0, 3, 9, 1).ArgCumMin(-1), []int{0, 0, 2, 3, 3, 3}},
		} {
			if !slices.Equal(c.got.Values(), c.want) {
				t.Errorf("%s in %v: got %v, want %v", c.name, precision, c.got.Values(), c.want)
			}
		}
		y := g.Variable(autograd.FromNested([][]float64{{3, 1}, {3, 2}, {0, 2}}))
		wantBits(t, "gathered", y.Gather(0, y.ArgSort(0, false)).Tensor().Float64s(), y.Sort(0, false).Tensor().Float64s())
		wantBits(t, "gathered", y.Gather(0, y.ArgTopK(0, 2)).Tensor().Float64s(), y.TopK(0, 2).Tensor().Float64s())
	}
}

// At a tie the gradient goes to one element: the first of the greatest, the
// last of the greatest so far.
func TestSortingTies(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	for name, c := range map[string]struct {
		f    func(x autograd.Value) autograd.Value
		want []float64
	}{
		"top":    {func(x autograd.Value) autograd.Value { return x.TopK(0, 1) }, []float64{0, 1, 0, 0}},
		"sort":   {func(x autograd.Value) autograd.Value { return x.Sort(0, false).Mul(g.Constant(vector(1, 2, 3, 4))) }, []float64{1, 3, 4, 2}},
		"cummax": {func(x autograd.Value) autograd.Value { return x.CumMax(0) }, []float64{1, 1, 2, 0}},
		"cummin": {func(x autograd.Value) autograd.Value { return x.Neg().CumMin(0) }, []float64{-1, -1, -2, 0}},
	} {
		x := g.Variable(vector(1, 5, 5, 2))
		wantNumbers(t, name, c.f(x).Sum().Backward().Of(x).Float64s(), c.want, 0)
	}
}

func TestLogCumSumExpEdges(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	for _, c := range []struct{ x, y, gradient []float64 }{
		{[]float64{-inf, -inf, 2, -inf}, []float64{-inf, -inf, 2, 2}, []float64{0, 0, 2, 0}},
		{[]float64{1000, 1000}, []float64{1000, 1000 + math.Ln2}, []float64{1.5, 0.5}},
		{[]float64{2, inf, 3}, []float64{2, inf, inf}, []float64{1, nan, 0}},
		{[]float64{2, nan, 3}, []float64{2, nan, nan}, []float64{nan, nan, nan}},
	} {
		x := g.Variable(vector(c.x...))
		y := x.LogCumSumExp(0)
		wantNumbers(t, fmt.Sprint(c.x), y.Tensor().Float64s(), c.y, 1e-15)
		wantNumbers(t, fmt.Sprint("gradient at ", c.x), y.Sum().Backward().Of(x).Float64s(), c.gradient, 1e-12)
	}
}

func TestWrongSorting(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Full(1, 2, 3)
	wantError[*autograd.IndexError](t, "autograd: Sort: axis 2 is out of range for rank 2, at %v", func() { x.Sort(2, false) })
	wantError[*autograd.IndexError](t, "autograd: ArgSort: axis -3 is out of range for rank 2, at %v", func() { x.ArgSort(-3, false) })
	wantError[*autograd.IndexError](t, "autograd: CumMax: axis 0 is out of range for rank 0, at %v", func() { g.Scalar(1).CumMax(0) })
	wantError[*autograd.IndexError](t, "autograd: LogCumSumExp: axis 2 is out of range for rank 2, at %v", func() { x.LogCumSumExp(2) })
	wantError[*autograd.ArgumentError](t, "autograd: TopK: there are no 4 greatest of 3 elements, at %v", func() { x.TopK(1, 4) })
	wantError[*autograd.ArgumentError](t, "autograd: ArgTopK: there are no -1 greatest of 2 elements, at %v", func() { x.ArgTopK(0, -1) })
	var stale *autograd.StaleError
	g.Reset()
	if err := autograd.Try(func() { x.ArgSort(0, false) }); !errors.As(err, &stale) || !strings.Contains(err.Error(), "ArgSort") {
		t.Errorf("after Reset: error %v", err)
	}
}

// Only the indices that are handed out take new memory.
func TestSortingAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	w := autograd.NewParam("w", autograd.Ones(70, 3))
	for name, f := range map[string]func(x autograd.Value) autograd.Value{
		"sort":         func(x autograd.Value) autograd.Value { return x.Sort(0, true) },
		"top k":        func(x autograd.Value) autograd.Value { return x.TopK(0, 2) },
		"cummax":       func(x autograd.Value) autograd.Value { return x.CumMax(0) },
		"logcumsumexp": func(x autograd.Value) autograd.Value { return x.LogCumSumExp(0) },
	} {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			step := func() {
				g.Reset()
				f(g.Param(w)).Mean().Backward().OfParam(w)
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
