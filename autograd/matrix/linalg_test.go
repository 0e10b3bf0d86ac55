package matrix_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/autograd/matrix"
)

type (
	value  = autograd.Value
	tensor = autograd.Tensor
)

// A row is a function and inputs at which it is smooth.
type row struct {
	name string
	in   []tensor
	f    func(in []value) value
}

func rows() []row {
	rng := rand.New(rand.NewPCG(1, 2))
	normal := func(shape ...int) tensor { return autograd.Normal(rng, 0, 1, shape...) }
	list := func(in ...tensor) []tensor { return in }
	log := func(in []value) value { _, log := matrix.LogDet(in[0]); return log }
	positive := func(in []value) value {
		a := in[0]
		return matrix.Cholesky(a.MatMul(a.T()).Add(a.Graph().Constant(autograd.Eye(a.Dim(-1)))))
	}
	return []row{
		{"cholesky", list(normal(3, 3)), positive},
		{"cholesky of a batch", list(normal(2, 2, 2)), positive},
		{"cholesky of what is hardly symmetric", list(autograd.FromNested([][]float64{{4, 1, 0.5}, {0.2, 3, -1}, {0, 0.6, 2}})), func(in []value) value { return matrix.Cholesky(in[0]) }},
		{"solve", list(normal(3, 3), normal(3, 2)), func(in []value) value { return matrix.Solve(in[0], in[1]) }},
		{"solve for a vector", list(normal(2, 3, 3), normal(3)), func(in []value) value { return matrix.Solve(in[0], in[1]) }},
		{"solve with batches that broadcast", list(normal(2, 1, 2, 2), normal(3, 2, 1)), func(in []value) value { return matrix.Solve(in[0], in[1]) }},
		{"solve for itself", list(normal(3, 3)), func(in []value) value { return matrix.Solve(in[0], in[0].Square()) }},
		{"inverse", list(normal(2, 3, 3)), func(in []value) value { return matrix.Inverse(in[0]) }},
		{"det", list(normal(2, 3, 3)), func(in []value) value { return matrix.Det(in[0]) }},
		{"det of one row", list(normal(1, 1)), func(in []value) value { return matrix.Det(in[0]) }},
		{"det of a singular matrix", list(autograd.FromNested([][]float64{{1, 2, 3}, {2, 4, 6}, {1, 0, 1}})), func(in []value) value { return matrix.Det(in[0]) }},
		{"det of rank 1", list(autograd.FromNested([][]float64{{1, 2, 3}, {2, 4, 6}, {-1, -2, -3}})), func(in []value) value { return matrix.Det(in[0]).Add(in[0].Sum()) }}, // the sum gives a scale: all cofactors are 0
		{"det of zeros", list(autograd.Zeros(2, 2, 2)), func(in []value) value { return matrix.Det(in[0]) }},
		{"log det", list(normal(2, 3, 3)), log},
	}
}

func (r row) function() gradcheck.Function {
	return func(_ *autograd.Graph, in []value) value { return r.f(in) }
}

func TestGradients(t *testing.T) {
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			if err := gradcheck.Check(r.function(), r.in); err != nil {
				t.Error(err)
			}
			if err := gradcheck.CheckSecond(r.function(), r.in); err != nil {
				t.Error(err)
			}
		})
	}
}

// weights returns numbers of all signs in a shape.
func weights(shape ...int) tensor {
	w := autograd.Zeros(shape...)
	for i := range w.Raw64() {
		w.Raw64()[i] = float64((7*i+3)%11-5)/4 + 0.125
	}
	return w
}

// compute returns value, gradients by Backward, and gradients by VJP.
func (r row) compute(o autograd.Options) (y tensor, backward, recorded []tensor) {
	g := autograd.NewGraph(o)
	var xs []value
	for _, x := range r.in {
		xs = append(xs, g.Variable(x))
	}
	z := r.f(xs)
	w := weights(z.Shape()...)
	grads := z.BackwardFrom(w)
	for i, gx := range autograd.VJP(z, g.Constant(w), xs...) {
		backward, recorded = append(backward, grads.Of(xs[i]).Clone()), append(recorded, gx.Tensor())
	}
	return z.Tensor(), backward, recorded
}

func near(relative, absolute float64) cmp.Option {
	return cmp.Options{
		cmpopts.EquateNaNs(),
		cmp.Comparer(func(x, y tensor) bool {
			return slices.Equal(x.Shape(), y.Shape()) && cmp.Equal(x.Float64s(), y.Float64s(), cmpopts.EquateApprox(relative, absolute), cmpopts.EquateNaNs())
		}),
	}
}

func TestBackwardAgreesWithGradAndTrace(t *testing.T) {
	for _, r := range rows() {
		y, backward, recorded := r.compute(autograd.Options{})
		if diff := cmp.Diff(recorded, backward, near(1e-13, 1e-13)); diff != "" {
			t.Errorf("%s: (-Grad +Backward):\n%s", r.name, diff)
		}
		z, traced, _ := r.compute(autograd.Options{Trace: true})
		if diff := cmp.Diff(append(backward, y), append(traced, z), near(0, 0)); diff != "" {
			t.Errorf("%s: (-plain +traced):\n%s", r.name, diff)
		}
	}
}

// Numbers of float32 are computed in float64.
func TestFloat32(t *testing.T) {
	for _, r := range rows() {
		for i := range r.in {
			r.in[i] = r.in[i].In(autograd.Float32).In(autograd.Float64)
		}
		y, want, _ := r.compute(autograd.Options{})
		z, got, _ := r.compute(autograd.Options{Precision: autograd.Float32})
		if diff := cmp.Diff(append(want, y), append(got, z), near(2e-4, 1e-4)); diff != "" {
			t.Errorf("%s: (-float64 +float32):\n%s", r.name, diff)
		}
		if strings.Contains(r.name, "cholesky") || strings.Contains(r.name, "itself") || strings.Contains(r.name, "rank 1") {
			continue // computed from what was rounded to float32
		}
		for i, v := range y.Float64s() {
			if got := z.Float64s()[i]; got != float64(float32(v)) {
				t.Errorf("%s: element %d is %v in float32, want %v rounded", r.name, i, got, v)
			}
		}
	}
}

// The definitions hold, also in blocks, which large matrices are computed in,
// and give the same bits on one core and on two.
func TestDefinitions(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 5, 64, 65, 150} {
		a, b := autograd.Normal(rng, 0, 1, n, n), autograd.Normal(rng, 0, 1, n, 3)
		var first []tensor
		for _, cores := range []int{1, 2} {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			g := autograd.NewGraph(autograd.Options{})
			x, y := g.Variable(a), g.Constant(b)
			square := x.MatMul(x.T()).Add(g.Constant(autograd.Eye(n)))
			l, inverse, solution, det := matrix.Cholesky(square), matrix.Inverse(x), matrix.Solve(x, y), matrix.Det(x)
			sign, log := matrix.LogDet(x)
			all := []tensor{l.Tensor(), inverse.Tensor(), solution.Tensor(), det.Tensor(), log.Tensor(), autograd.Grad(det, x)[0].Tensor()}
			if first == nil {
				first = all
			} else if diff := cmp.Diff(first, all, near(0, 0)); diff != "" {
				t.Errorf("n = %d: one core and two differ:\n%s", n, diff)
			}
			for name, zero := range map[string]value{
				"L·Lᵀ − a":                l.MatMul(l.T()).Sub(square).MulScalar(1 / float64(n)),
				"upper triangle of L":     l.Triu(1),
				"a·a⁻¹ − I":               x.MatMul(inverse).Sub(g.Constant(autograd.Eye(n))),
				"a·x − b":                 x.MatMul(solution).Sub(y),
				"sign·e^log ÷ det − 1":    sign.Mul(log.Exp()).Div(det).AddScalar(-1),
				"gradient ÷ det·a⁻ᵀ − 1":  g.Constant(all[5]).Div(inverse.T().Mul(det)).AddScalar(-1).MulScalar(1 / float64(n*n)),
				"log of l's diagonal":     l.Diagonal(0).Log().Sum().MulScalar(2).Sub(second(matrix.LogDet(square))).MulScalar(1 / float64(n)),
				"det of a product":        matrix.Det(square.MulScalar(1 / float64(n))).Div(matrix.Det(l.MulScalar(1 / math.Sqrt(float64(n)))).Square()).AddScalar(-1),
				"det of the transpose":    matrix.Det(x.T()).Div(det).AddScalar(-1),
				"det after swapping rows": matrix.Det(x.Flip(0)).MulScalar(math.Pow(-1, float64(n*(n-1)/2))).Div(det).AddScalar(-1),
			} {
				if worst := zero.Abs().Sum().Item(); !(worst <= 1e-9) {
					t.Errorf("n = %d: %s is %v in all", n, name, worst)
				}
			}
		}
	}
}

func second(_, y value) value { return y }

// The cofactors by the inverse and by singular values are the same, as is their
// own derivative, for matrices between regular and singular.
func TestNearlySingular(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	a, v := autograd.Normal(rng, 0, 1, 4, 4).Raw64(), autograd.Normal(rng, 0, 1, 4, 4)
	for _, distance := range []float64{1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-7, 1e-9, 1e-12, 0} {
		at := slices.Clone(a)
		for j := range 4 { // the last row is the first one, but for the distance
			at[12+j] = at[j] + distance*at[12+j]
		}
		nan := slices.Repeat([]float64{math.NaN()}, 16) // does not hide the other's state
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(autograd.NewTensor(append(nan, at...), 2, 4, 4))
		first := autograd.Grad(matrix.Det(x).Sum(), x)[0].Select(0, 1)
		second := autograd.VJP(first, g.Constant(v), x)[0].Select(0, 1)
		numbers := func(y value) []float64 { return y.Tensor().Float64s() }
		options := cmpopts.EquateApprox(1e-10, 1e-10)
		if diff := cmp.Diff(cofactorsOf(at, 4), numbers(first), options); diff != "" {
			t.Errorf("distance %v: (-minors +gradient):\n%s", distance, diff)
		}
		const h = 1e-3 // a polynomial of degree 2 in one element: no error but rounding
		var want []float64
		for i := range at {
			sum := 0.0
			for _, sign := range []float64{1, -1} {
				moved := slices.Clone(at)
				moved[i] += sign * h
				for k, c := range cofactorsOf(moved, 4) {
					sum += sign * v.Raw64()[k] * c / (2 * h)
				}
			}
			want = append(want, sum)
		}
		tolerance := 1e-10 / max(distance, 1e-5) * 1e-2
		if diff := cmp.Diff(want, numbers(second), cmpopts.EquateApprox(tolerance, tolerance)); diff != "" {
			t.Errorf("distance %v: (-differences +second derivative):\n%s", distance, diff)
		}
	}
}

// cofactorsOf expands the minors along rows.
func cofactorsOf(a []float64, n int) []float64 {
	var all []float64
	for i := range n {
		for j := range n {
			all = append(all, math.Pow(-1, float64(i+j))*expansion(without(a, n, i, j), n-1))
		}
	}
	return all
}

func without(a []float64, n, row, column int) []float64 {
	var rest []float64
	for k, v := range a {
		if k/n != row && k%n != column {
			rest = append(rest, v)
		}
	}
	return rest
}

// expansion is the determinant, by its first row.
func expansion(a []float64, n int) float64 {
	if n == 0 {
		return 1
	}
	sum := 0.0
	for j := range n {
		sum += math.Pow(-1, float64(j)) * a[j] * expansion(without(a, n, 0, j), n-1)
	}
	return sum
}

// A third derivative, where nothing but the minors tells it: the determinant is
// the sum of products of three elements.
func TestThirdDerivativeOfDetOfZeros(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	a := g.Variable(autograd.Zeros(3, 3))
	y := matrix.Det(a)
	for i := range 3 {
		y = autograd.Grad(y, a)[0].Select(0, i).Select(0, (i+1)%3)
	}
	if y.Item() != 1 { // 0→1, 1→2, 2→0 is an even permutation
		t.Errorf("the third derivative is %v, want 1", y.Item())
	}
}

func TestEdges(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	g := autograd.NewGraph(autograd.Options{})
	of := func(nested any) value { return g.Variable(autograd.FromNested(nested)) }
	singular := [][]float64{{1, 2}, {2, 4}}
	fine := [][]float64{{2, 0}, {0, 4}}
	batch := of([][][]float64{singular, fine, {{nan, 0}, {0, 1}}, {{inf, 0}, {0, 1}}})
	sign, log := matrix.LogDet(batch)
	huge := of([][]float64{{1e200, 0, 0}, {0, 1e200, 0}, {0, 0, 1e-100}})
	for _, c := range []struct {
		name string
		got  value
		want []float64
	}{
		{"inverse", matrix.Inverse(batch), []float64{nan, nan, nan, nan, 0.5, 0, 0, 0.25, nan, nan, nan, nan, nan, nan, nan, nan}},
		{"solve", matrix.Solve(batch, g.Full(4, 2)), []float64{nan, nan, 2, 1, nan, nan, nan, nan}},
		{"solve for a column with NaN", matrix.Solve(of(fine), of([][]float64{{4, nan, inf}, {4, 1, 1}})), []float64{2, nan, nan, 1, nan, nan}},
		{"cholesky", matrix.Cholesky(batch), []float64{nan, 0, nan, nan, math.Sqrt2, 0, 0, 2, nan, 0, nan, nan, nan, 0, nan, nan}},
		{"det", matrix.Det(batch), []float64{0, 8, nan, nan}},
		{"sign", sign, []float64{0, 1, nan, nan}},
		{"log", log, []float64{-inf, math.Log(8), nan, nan}},
		{"det beyond the range on the way", matrix.Det(of([][]float64{{1e200, 0, 0}, {0, 0, 1e200}, {0, -1e-300, 0}})), []float64{1e100}},
		{"log det beyond the range", second(matrix.LogDet(g.Constant(autograd.Eye(3)).MulScalar(1e-300))), []float64{-900 * math.Ln10}},
		{"gradient of det", autograd.Grad(matrix.Det(batch).Sum(), batch)[0].Narrow(0, 0, 2), []float64{4, -2, -2, 1, 4, 0, 0, 2}},
		{"gradient of a det beyond the range", autograd.Grad(matrix.Det(huge), huge)[0], []float64{1e100, 0, 0, 0, 1e100, 0, 0, 0, inf}},
		{"gradient of log det", autograd.Grad(log.Sum(), batch)[0].Narrow(0, 0, 2), []float64{nan, nan, nan, nan, 0.5, 0, 0, 0.25}},
		{"det of nothing", matrix.Det(g.Variable(autograd.Zeros(2, 0, 0))), []float64{1, 1}},
		{"log det of nothing", second(matrix.LogDet(g.Variable(autograd.Zeros(0, 0)))), []float64{0}},
		{"det of no matrices", matrix.Det(g.Variable(autograd.Zeros(0, 2, 2))), []float64{}},
		{"inverse of nothing", matrix.Inverse(g.Variable(autograd.Zeros(2, 0, 0))), []float64{}},
		{"cholesky of nothing", matrix.Cholesky(g.Variable(autograd.Zeros(0, 3, 3))), []float64{}},
		{"solve for nothing", matrix.Solve(of(fine), g.Variable(autograd.Zeros(2, 0))), []float64{}},
		{"solve of nothing", matrix.Solve(g.Variable(autograd.Zeros(0, 0)), g.Variable(autograd.Zeros(0, 3))), []float64{}},
	} {
		options := cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-14, 1e-15), cmpopts.EquateEmpty()}
		if diff := cmp.Diff(c.want, c.got.Tensor().Float64s(), options); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		c.got.BackwardFrom(autograd.Ones(c.got.Shape()...)) // has rules for it, too
	}
	sum := sign.Sum()
	if got := sum.Backward().Of(batch); slices.ContainsFunc(got.Float64s(), func(v float64) bool { return v != 0 }) {
		t.Errorf("the sign has the gradient %v", got)
	}
}

// A number that does not exist is found where it was made.
func TestCheckFiniteNamesTheOperation(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{CheckFinite: true})
	a := g.Variable(autograd.Ones(2, 2))
	var wrong *autograd.NonFiniteError
	err := autograd.Try(func() { matrix.Inverse(a) })
	if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), "autograd: inverse: NaN in its value at element 0: [2 2] → [2 2], at linalg_test.go") {
		t.Errorf("got the error %v", err)
	}
}

func TestWrongShapes(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	full := func(dims ...int) value { return g.Full(1, dims...) }
	nodes := g.Stats().Nodes
	for text, f := range map[string]func(){
		"matrix: Cholesky: not a square matrix, or a batch of them: [2 3]":       func() { matrix.Cholesky(full(2, 3)) },
		"matrix: Inverse: not a square matrix, or a batch of them: [3]":          func() { matrix.Inverse(full(3)) },
		"matrix: Det: not a square matrix, or a batch of them: []":               func() { matrix.Det(full()) },
		"matrix: LogDet: not a square matrix, or a batch of them: [2 2 3]":       func() { matrix.LogDet(full(2, 2, 3)) },
		"matrix: Solve: not a square matrix, or a batch of them: [3 2]":          func() { matrix.Solve(full(3, 2), full(3)) },
		"matrix: Solve: the right side has another number of rows: [2 2], [3 2]": func() { matrix.Solve(full(2, 2), full(3, 2)) },
		"matrix: Solve: the right side has another number of rows: [2 2], [3 1]": func() { matrix.Solve(full(2, 2), full(3)) },
		"matrix: Solve: the right side has another number of rows: [2 2], []":    func() { matrix.Solve(full(2, 2), full()) },
		"matrix: Solve: batch axes do not broadcast: [2 2 2], [3 2 1]":           func() { matrix.Solve(full(2, 2, 2), full(3, 2, 1)) },
		"autograd: CustomInto: operands belong to different graphs":              func() { matrix.Solve(full(2, 2), autograd.NewGraph(autograd.Options{}).Full(1, 2, 2)) },
		"autograd: Rank: a zero Value, which belongs to no graph":                func() { matrix.Det(value{}) },
	} {
		if err := autograd.Try(f); err == nil || !strings.HasPrefix(err.Error(), text+", at linalg_test.go:") {
			t.Errorf("got the error %v, want %s", err, text)
		}
	}
	if g.Stats().Nodes < nodes {
		t.Error("nodes were lost")
	}
}

// Only matrices beyond 64 rows, whose products gonum shares among goroutines,
// take new memory in a training step.
func TestNoAllocation(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	rng := rand.New(rand.NewPCG(5, 6))
	start := autograd.Normal(rng, 0, 1, 2, 6, 6)
	for name, f := range map[string]func(a value) value{
		"cholesky":         func(a value) value { return matrix.Cholesky(a.MatMul(a.T())) },
		"solve":            func(a value) value { return matrix.Solve(a, a.Narrow(-1, 0, 2)) },
		"solve, broadcast": func(a value) value { return matrix.Solve(a, a.Select(0, 0).Select(-1, 0)) },
		"inverse":          matrix.Inverse,
		"det":              matrix.Det,
		"log det":          func(a value) value { return second(matrix.LogDet(a)) },
	} {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			w := autograd.NewParam("w", start.In(precision))
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

// Every operation that the package declares is recorded by the rows or their
// derivatives, as one that the table of operations knows.
func TestEveryOperationIsTested(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows() {
		g := autograd.NewGraph(autograd.Options{})
		var xs []value
		for _, x := range r.in {
			xs = append(xs, g.Variable(x))
		}
		y := r.f(xs)
		first := autograd.Grad(y.Square().Sum(), xs...)
		autograd.Grad(first[0].Square().Sum(), xs...)
		for n := range g.Nodes() {
			if n.Custom {
				t.Errorf("%s: %s is drawn as a user's operation", r.name, n.Op)
			}
			seen[n.Op] = true
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "linalg.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 2 {
			if f, ok := call.Fun.(*ast.Ident); ok && (f.Name == "operation" || f.Name == "mask") {
				declared++
				name, _ := strconv.Unquote(call.Args[0].(*ast.BasicLit).Value)
				if !seen[name] {
					t.Errorf("no row records %q", name)
				}
			}
		}
		return true
	})
	if declared < 9 {
		t.Errorf("only %d operations were found", declared)
	}
}

// A torchCase is explained in testdata/vectors.py.
type torchCase struct {
	Op                string
	Inputs, Gradients []torchTensor
	Output, Cotangent torchTensor
	Sign              *torchTensor
	Weights, Second   []torchTensor
}

type torchTensor struct {
	Shape []int
	Data  []float64
}

func (t torchTensor) tensor() tensor {
	return autograd.NewTensor(t.Data, append([]int{}, t.Shape...)...)
}

func TestTorchVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/torch.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []torchCase }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 25 {
		t.Fatalf("only %d cases were read", len(file.Cases))
	}
	for i, c := range file.Cases {
		t.Run(fmt.Sprintf("%02d_%s", i, c.Op), func(t *testing.T) { c.check(t) })
	}
}

func (c torchCase) check(t *testing.T) {
	compare := func(what string, want torchTensor, got tensor) {
		t.Helper()
		if diff := cmp.Diff(want.tensor(), got, near(1e-10, 1e-11)); diff != "" {
			t.Errorf("%s (-PyTorch +Nabla):\n%s", what, diff)
		}
	}
	g := autograd.NewGraph(autograd.Options{})
	var xs []value
	for _, x := range c.Inputs {
		xs = append(xs, g.Variable(x.tensor()))
	}
	a := xs[0]
	var y value
	switch c.Op {
	case "cholesky":
		y = matrix.Cholesky(a.MatMul(a.T()).Add(g.Constant(autograd.Eye(a.Dim(-1)))))
	case "inverse":
		y = matrix.Inverse(a)
	case "det":
		y = matrix.Det(a)
	case "log_det":
		sign, log := matrix.LogDet(a)
		compare("sign", *c.Sign, sign.Tensor())
		y = log
	case "solve":
		y = matrix.Solve(a, xs[1])
	default:
		t.Fatalf("no operation %q", c.Op)
	}
	compare("value", c.Output, y.Tensor())
	first := autograd.VJP(y, g.Constant(c.Cotangent.tensor()), xs...)
	sum := g.Scalar(0)
	for i, gx := range first {
		compare(fmt.Sprintf("gradient %d", i), c.Gradients[i], gx.Tensor())
		sum = sum.Add(gx.Mul(g.Constant(c.Weights[i].tensor())).Sum())
	}
	for i, gx := range autograd.Grad(sum, xs...) {
		compare(fmt.Sprintf("second derivative %d", i), c.Second[i], gx.Tensor())
	}
}
