package graphviz_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/graphviz"
)

// backwardLabels returns the labels of the arrows of the backward drawing, in
// the order of the values that they lead to.
func backwardLabels(t *testing.T, root autograd.Value, gradients autograd.Gradients) []string {
	t.Helper()
	p := check(t, drawn(t, root, gradients, graphviz.Options{View: graphviz.Backward, MaxNodes: -1}))
	slices.SortStableFunc(p.arrows, func(a, b arrow) int { return strings.Compare(a.to+a.from, b.to+b.from) })
	var labels []string
	for _, a := range p.arrows {
		labels = append(labels, strings.ReplaceAll(a.attributes["label"], "\n", " / "))
	}
	return labels
}

// The labels of arrows, for every family of operations. The numbers come from
// the formulas in the operations' comments.
func TestArrowsSayWhatBecomesOfTheGradient(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	matrix := func() autograd.Value {
		return g.Variable(autograd.FromNested([][]float64{{1, -2, 3}, {0.5, 4, -1}}))
	}
	index := autograd.NewInts([]int{1, 1})
	for name, c := range map[string]struct {
		f    func(x autograd.Value) autograd.Value
		want string // to x, for a gradient of ones
	}{
		"sum":                                {func(x autograd.Value) autograd.Value { return x.Sum() }, "copied / norm 2.449"},
		"sum 0":                              {func(x autograd.Value) autograd.Value { return x.Sum(0) }, "copied / norm 2.449"},
		"mean":                               {func(x autograd.Value) autograd.Value { return x.Mean() }, "÷ 6 / norm 0.4082"},
		"mean 1":                             {func(x autograd.Value) autograd.Value { return x.Mean(1) }, "÷ 3 / norm 0.8165"},
		"prod":                               {func(x autograd.Value) autograd.Value { return x.Prod() }, "× y ÷ x / norm 30.41"},
		"max":                                {func(x autograd.Value) autograd.Value { return x.Max() }, "to the greatest / norm 1"},
		"min":                                {func(x autograd.Value) autograd.Value { return x.Min(1) }, "to the least / norm 1.414"},
		"norm 2":                             {func(x autograd.Value) autograd.Value { return x.Norm(2) }, "× x ÷ y / norm 1"},
		"norm 1":                             {func(x autograd.Value) autograd.Value { return x.Norm(1) }, "× sign x / norm 2.449"},
		"norm max":                           {func(x autograd.Value) autograd.Value { return x.Norm(math.Inf(1)) }, "to the greatest |x| / norm 1"},
		"var":                                {func(x autograd.Value) autograd.Value { return x.Var() }, "× 2(x − mean) ÷ (n − 1) / norm 2.048"},
		"std":                                {func(x autograd.Value) autograd.Value { return x.Std() }, "× (x − mean) ÷ ((n − 1)·y) / norm 0.4472"},
		"variance of a population":           {func(x autograd.Value) autograd.Value { return x.PopulationVar() }, "× 2(x − mean) ÷ n / norm 1.706"},
		"standard deviation of a population": {func(x autograd.Value) autograd.Value { return x.PopulationStd() }, "× (x − mean) ÷ (n·y) / norm 0.4082"},
		"cumsum":                             {func(x autograd.Value) autograd.Value { return x.CumSum(1) }, "summed up from the end / norm 5.292"},
		"softmax":                            {func(x autograd.Value) autograd.Value { return x.Softmax(1) }, "y·(g − Σ g·y) / norm "},
		"reshape":                            {func(x autograd.Value) autograd.Value { return x.Reshape(3, 2) }, "reshaped back / norm 2.449"},
		"expand":                             {func(x autograd.Value) autograd.Value { return x.Expand(4, 2, 3) }, "summed over the copies / norm 9.798"},
		"transpose":                          {func(x autograd.Value) autograd.Value { return x.Transpose(0, 1) }, "axes permuted back / norm 2.449"},
		"slice":                              {func(x autograd.Value) autograd.Value { return x.Slice(1, 0, 2, 1) }, "put in its place / norm 2"},
		"concat":                             {func(x autograd.Value) autograd.Value { return autograd.Concat(0, x, g.Constant(autograd.Zeros(1, 3))) }, "its part / norm 2.449"},
		"index select":                       {func(x autograd.Value) autograd.Value { return x.IndexSelect(0, index) }, "added at its indices / norm 3.464"},
		"triu":                               {func(x autograd.Value) autograd.Value { return x.Triu(0) }, "the upper triangle / norm 2.236"},
		"where": {func(x autograd.Value) autograd.Value { return autograd.Where(x.GreaterScalar(0), x, g.Scalar(0)) },
			"where it was chosen / norm 2"},
		"relu":   {autograd.Value.ReLU, "× 0 … 1 / = 0 … 1"},
		"square": {autograd.Value.Square, "× −4 … 8 / = −4 … 8"},
		"neg":    {autograd.Value.Neg, "× −1 / = −1"},
		"add":    {func(x autograd.Value) autograd.Value { return x.Add(g.Scalar(2)) }, "× 1 / = 1"},
		"broadcast": {func(x autograd.Value) autograd.Value {
			return x.Unsqueeze(0).Mul(g.Constant(autograd.Full(3, 5, 2, 3)))
		}, "reshaped back / norm 36.74"},
		"log of 0": {func(x autograd.Value) autograd.Value { return x.MulScalar(0).Log() }, "× 0 / = NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			y := c.f(matrix())
			labels := backwardLabels(t, y, y.BackwardFrom(autograd.Ones(y.Shape()...)))
			if len(labels) == 0 {
				t.Fatal("no arrows")
			}
			first := labels[0]
			if strings.HasSuffix(c.want, "norm ") { // 0 up to rounding
				first = first[:min(len(first), len(c.want))]
			}
			if first != c.want {
				t.Errorf("%q, want %q", labels[0], c.want)
			}
		})
	}
}

// A value that is broadcast receives sums of products.
func TestBroadcastArrow(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	b := g.Variable(autograd.NewTensor([]float64{1, 2, 3}))
	x := g.Constant(autograd.FromNested([][]float64{{1, -2, 3}, {0.5, 4, -1}}))
	y := b.Mul(x)
	got := backwardLabels(t, y, y.BackwardFrom(autograd.Ones(2, 3)))
	if diff := cmp.Diff([]string{"× −2 … 4, Σ over 2 / = 1.5 … 2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Evaluates the formulas of matrix products as written, including products with
// transposed operands, which gradients of gradients record.
func TestMatMulFormulas(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []struct {
		record func(x, w autograd.Value) autograd.Value
	}{
		{func(x, w autograd.Value) autograd.Value { return x.MatMul(w) }},
		{func(x, w autograd.Value) autograd.Value { // x·wᵀ, as the gradient by its input
			z := w.Graph().Variable(autograd.Zeros(2, 3))
			return autograd.VJP(z.MatMul(w), x, z)[0]
		}},
		{func(x, w autograd.Value) autograd.Value { // xᵀ·w, as the gradient by its weights
			z := x.Graph().Variable(autograd.Zeros(4, 3))
			return autograd.VJP(x.MatMul(z), w, z)[0]
		}},
	} {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		for _, shapes := range [][2][2]int{{{2, 3}, {3, 4}}, {{2, 4}, {3, 4}}, {{2, 4}, {2, 3}}} {
			x, w := g.Variable(counting(shapes[0])).Named("x"), g.Variable(counting(shapes[1])).Named("W")
			var y autograd.Value
			if err := autograd.Try(func() { y = c.record(x, w) }); err != nil {
				continue // of other shapes
			}
			if y.Node().Op != "matmul" {
				t.Fatalf("the gradient is a %s", y.Node().Op)
			}
			gy := counting([2]int{y.Dim(0), y.Dim(1)})
			grads := y.BackwardFrom(gy)
			p := check(t, drawn(t, y, grads, graphviz.Options{View: graphviz.Backward, MaxNodes: -1}))
			for _, a := range p.arrows {
				for _, v := range []autograd.Value{x, w} {
					if a.to != key(v) || a.from != key(y) {
						continue
					}
					formula, _, _ := strings.Cut(a.attributes["label"], "\n")
					got := evaluate(t, formula, map[string][][]float64{"x": rows(x.Tensor()), "W": rows(w.Tensor()), "g": rows(gy)})
					if diff := cmp.Diff(rows(grads.Of(v)), got); diff != "" {
						t.Errorf("%s (-gradient +formula):\n%s", formula, diff)
					}
					seen[formula] = true
				}
			}
		}
	}
	for _, formula := range []string{"× Wᵀ", "xᵀ ×", "× W", "gᵀ × x", "W × gᵀ", "x ×"} {
		if !seen[formula] {
			t.Errorf("no drawing says %q", formula)
		}
	}
}

func key(x autograd.Value) string { return "v" + strings.Repeat("0", 6-len(id(x))) + id(x) }

func id(x autograd.Value) string { return strconv.Itoa(x.Node().ID) }

func counting(shape [2]int) autograd.Tensor {
	values := make([]float64, shape[0]*shape[1])
	for i := range values {
		values[i] = float64(i*i%7 - 2)
	}
	return autograd.NewTensor(values, shape[0], shape[1])
}

func rows(t autograd.Tensor) [][]float64 {
	all := make([][]float64, t.Dim(0))
	for i := range all {
		all[i] = t.Float64s()[i*t.Dim(1) : (i+1)*t.Dim(1)]
	}
	return all
}

// evaluate multiplies the matrices that a formula names; a missing operand is
// the incoming gradient.
func evaluate(t *testing.T, formula string, matrices map[string][][]float64) [][]float64 {
	t.Helper()
	left, right, _ := strings.Cut(formula, "×")
	operand := func(name string) [][]float64 {
		name, transposed := strings.CutSuffix(strings.TrimSpace(name), "ᵀ")
		if name == "" {
			name = "g"
		}
		m := matrices[name]
		if m == nil {
			t.Fatalf("no matrix %q in %q", name, formula)
		}
		if !transposed {
			return m
		}
		turned := make([][]float64, len(m[0]))
		for i := range turned {
			for j := range m {
				turned[i] = append(turned[i], m[j][i])
			}
		}
		return turned
	}
	a, b := operand(left), operand(right)
	product := make([][]float64, len(a))
	for i := range a {
		product[i] = make([]float64, len(b[0]))
		for j := range b[0] {
			for k := range b {
				product[i][j] += a[i][k] * b[k][j]
			}
		}
	}
	return product
}
