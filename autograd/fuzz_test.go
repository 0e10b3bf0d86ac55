package autograd_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
)

// FuzzExpression builds random expressions of 10 to 50 operations with shared
// parts and broadcasting, and compares their gradients with finite
// differences, Backward with Grad, and a second Backward with the first.
func FuzzExpression(f *testing.F) {
	for seed := range uint64(30) {
		f.Add(seed, []byte{})
	}
	f.Add(uint64(1), []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add(uint64(2), []byte("matrix products, sums and logarithms of them all"))
	f.Fuzz(func(t *testing.T, seed uint64, program []byte) {
		e := newExpression(seed, program)
		checker := gradcheck.Checker{Relative: 1e-5, MaxEntries: 3, Seed: seed}
		if err := unlessUnsettled(checker.Check(e.record, e.inputs, e.param)); err != nil {
			t.Errorf("%v\n%v", err, e.plan)
		}
		checker = gradcheck.Checker{Relative: 1e-4, Absolute: 1e-8, MaxEntries: 1, Seed: seed}
		if err := unlessUnsettled(checker.CheckSecond(e.record, e.inputs, e.param)); err != nil {
			t.Errorf("%v\n%v", err, e.plan)
		}
		if err := autograd.Try(func() {
			if err := e.comparePasses(); err != nil {
				t.Errorf("%v\n%v", err, e.plan)
			}
		}); err != nil {
			t.Errorf("%v\n%v", err, e.plan)
		}
	})
}

// unlessUnsettled returns the error of a check unless all that it says is that
// the differences do not settle: a deep enough expression is too steep for
// them.
func unlessUnsettled(err error) error {
	var e *gradcheck.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Entries[0].Verdict == gradcheck.Unsettled {
		return nil
	}
	return err
}

// An expression is a random computation that can be recorded again and again.
type expression struct {
	inputs []autograd.Tensor
	param  *autograd.Param
	plan   []planned
}

// A planned operation is applied to values recorded before.
type planned struct {
	name     string
	operands []int
	apply    func(in []autograd.Value) autograd.Value
}

func (p planned) String() string { return fmt.Sprint(p.name, p.operands) }

// newExpression chooses the operations by the program's bytes and, where they
// end, by the seed.
func newExpression(seed uint64, program []byte) *expression {
	rng := rand.New(rand.NewPCG(seed, 0))
	e := &expression{param: autograd.NewParam("p", autograd.Uniform(rng, -1, 1, fuzzShape(rng)...))}
	for range 2 + rng.IntN(3) {
		e.inputs = append(e.inputs, autograd.Uniform(rng, -1, 1, fuzzShape(rng)...))
	}
	count := min(max(len(program), 10), 50)
	if len(program) == 0 {
		count = 10 + rng.IntN(41)
	}
	g := autograd.NewGraph(autograd.Options{})
	all := e.leaves(g, fuzzInputs(g, e.inputs))
	for i := range count {
		choice := rng.IntN(256)
		if i < len(program) {
			choice = int(program[i])
		}
		p := planOperation(rng, choice, all)
		e.plan = append(e.plan, p)
		all = append(all, p.on(all))
	}
	return e
}

func fuzzShape(rng *rand.Rand) []int {
	shape := make([]int, rng.IntN(4))
	for i := range shape {
		shape[i] = 1 + rng.IntN(3)
	}
	return shape
}

func fuzzInputs(g *autograd.Graph, inputs []autograd.Tensor) []autograd.Value {
	in := make([]autograd.Value, len(inputs))
	for i, t := range inputs {
		in[i] = g.Variable(t)
	}
	return in
}

func (e *expression) leaves(g *autograd.Graph, in []autograd.Value) []autograd.Value {
	return append(slices.Clone(in), g.Param(e.param))
}

func (p planned) on(all []autograd.Value) autograd.Value {
	in := make([]autograd.Value, len(p.operands))
	for i, operand := range p.operands {
		in[i] = all[operand]
	}
	return p.apply(in)
}

// record computes the expression. Its result has the last value and, in a
// vector, the sums of all that are not used further.
func (e *expression) record(g *autograd.Graph, in []autograd.Value) autograd.Value {
	all := e.leaves(g, in)
	used := make([]bool, len(all)+len(e.plan))
	for _, p := range e.plan {
		all = append(all, p.on(all))
		for _, operand := range p.operands {
			used[operand] = true
		}
	}
	last := all[len(all)-1]
	ends := []autograd.Value{last.Reshape(last.Size())}
	for i, v := range all {
		if !used[i] {
			ends = append(ends, v.Mean().Reshape(1))
		}
	}
	return autograd.Concat(0, ends...)
}

// planOperation chooses an operation and its operands among all values so far.
func planOperation(rng *rand.Rand, choice int, all []autograd.Value) planned {
	pick := func() int {
		if rng.IntN(3) == 0 {
			return rng.IntN(len(all)) // shares parts
		}
		return len(all) - 1 - rng.IntN(min(4, len(all)))
	}
	first, second := pick(), pick()
	families := []func(*rand.Rand, int, int, []autograd.Value) planned{
		planUnary, planBinary, planReduction, planUnary, planMatMul, planShape, planBinary, planConcat,
	}
	p := families[choice%len(families)](rng, first, second, all)
	raw := p.apply
	p.apply = func(in []autograd.Value) autograd.Value { return tamed(raw(in)) }
	return p
}

// tamed keeps values small by their number, so that differences stay
// accurate through fifty operations.
func tamed(x autograd.Value) autograd.Value {
	if x.Size() > 40 {
		x = x.Mean(0)
	}
	return x.MulScalar(0.5).Tanh().MulScalar(2)
}

type expressionUnary struct {
	name string
	f    func(x autograd.Value) autograd.Value
}

// smoothUnary are functions of each element, led into the domain where they
// are smooth.
var smoothUnary = []expressionUnary{
	{"exp", func(x autograd.Value) autograd.Value { return x.MulScalar(0.5).Exp() }},
	{"log", func(x autograd.Value) autograd.Value { return x.Tanh().AddScalar(2).Log() }},
	{"sqrt", func(x autograd.Value) autograd.Value { return x.Tanh().AddScalar(1.5).Sqrt() }},
	{"rsqrt", func(x autograd.Value) autograd.Value { return x.Square().AddScalar(1).Rsqrt() }},
	{"reciprocal", func(x autograd.Value) autograd.Value { return x.Tanh().AddScalar(-2).Reciprocal() }},
	{"square", func(x autograd.Value) autograd.Value { return x.Square() }},
	{"cube", func(x autograd.Value) autograd.Value { return x.PowScalar(3).MulScalar(0.2) }},
	{"sin", func(x autograd.Value) autograd.Value { return x.Sin() }},
	{"cos", func(x autograd.Value) autograd.Value { return x.Cos() }},
	{"atan", func(x autograd.Value) autograd.Value { return x.Atan() }},
	{"asin", func(x autograd.Value) autograd.Value { return x.Tanh().MulScalar(0.7).Asin() }},
	{"sinh", func(x autograd.Value) autograd.Value { return x.MulScalar(0.5).Sinh() }},
	{"tanh", func(x autograd.Value) autograd.Value { return x.Tanh() }},
	{"sigmoid", func(x autograd.Value) autograd.Value { return x.Sigmoid() }},
	{"softplus", func(x autograd.Value) autograd.Value { return x.Softplus(1) }},
	{"log-sigmoid", func(x autograd.Value) autograd.Value { return x.LogSigmoid() }},
	{"gelu", func(x autograd.Value) autograd.Value { return x.GELU() }},
	{"silu", func(x autograd.Value) autograd.Value { return x.SiLU() }},
	{"mish", func(x autograd.Value) autograd.Value { return x.Mish() }},
	{"erf", func(x autograd.Value) autograd.Value { return x.Erf() }},
	{"expm1", func(x autograd.Value) autograd.Value { return x.MulScalar(0.5).Expm1() }},
	{"log1p", func(x autograd.Value) autograd.Value { return x.Tanh().MulScalar(0.7).Log1p() }},
	{"lgamma", func(x autograd.Value) autograd.Value { return x.Tanh().AddScalar(2).Lgamma() }},
	{"neg", func(x autograd.Value) autograd.Value { return x.Neg().AddScalar(0.1) }},
}

func planUnary(rng *rand.Rand, first, _ int, _ []autograd.Value) planned {
	u := smoothUnary[rng.IntN(len(smoothUnary))]
	return planned{u.name, []int{first}, func(in []autograd.Value) autograd.Value { return u.f(in[0]) }}
}

type expressionBinary struct {
	name string
	f    func(x, y autograd.Value) autograd.Value
}

var smoothBinary = []expressionBinary{
	{"add", func(x, y autograd.Value) autograd.Value { return x.Add(y) }},
	{"sub", func(x, y autograd.Value) autograd.Value { return x.Sub(y) }},
	{"mul", func(x, y autograd.Value) autograd.Value { return x.Mul(y) }},
	{"div", func(x, y autograd.Value) autograd.Value { return x.Div(y.Square().AddScalar(1)) }},
	{"pow", func(x, y autograd.Value) autograd.Value { return x.Tanh().AddScalar(2).Pow(y) }},
	{"atan2", func(x, y autograd.Value) autograd.Value { return x.Atan2(y.Square().AddScalar(1)) }},
	{"hypot", func(x, y autograd.Value) autograd.Value { return x.Hypot(y.Square().AddScalar(1)) }},
}

// planBinary reduces an operand that does not broadcast to one that does.
func planBinary(rng *rand.Rand, first, second int, all []autograd.Value) planned {
	b := smoothBinary[rng.IntN(len(smoothBinary))]
	if fitting := broadcastable(first, all); rng.IntN(4) > 0 {
		second = fitting[rng.IntN(len(fitting))]
	}
	fits := shapesBroadcast(all[first].Shape(), all[second].Shape())
	return planned{b.name, []int{first, second}, func(in []autograd.Value) autograd.Value {
		if !fits {
			return b.f(in[0], in[1].Mean())
		}
		return b.f(in[0], in[1])
	}}
}

// broadcastable returns the values that can be combined with one.
func broadcastable(first int, all []autograd.Value) (fitting []int) {
	for i, v := range all {
		if shapesBroadcast(all[first].Shape(), v.Shape()) {
			fitting = append(fitting, i)
		}
	}
	return fitting
}

func shapesBroadcast(a, b []int) bool {
	for i := 1; i <= min(len(a), len(b)); i++ {
		if x, y := a[len(a)-i], b[len(b)-i]; x != y && x != 1 && y != 1 {
			return false
		}
	}
	return true
}

func planReduction(rng *rand.Rand, first, _ int, all []autograd.Value) planned {
	if all[first].Rank() == 0 {
		return planUnary(rng, first, 0, all)
	}
	axis := rng.IntN(2*all[first].Rank()) - all[first].Rank()
	over := func(x autograd.Value) reducer { return x }
	if rng.IntN(2) == 0 {
		over = func(x autograd.Value) reducer { return x.KeepDims() }
	}
	reductions := []expressionUnary{
		{"sum", func(x autograd.Value) autograd.Value { return over(x).Sum(axis) }},
		{"mean", func(x autograd.Value) autograd.Value { return over(x).Mean(axis) }},
		{"prod", func(x autograd.Value) autograd.Value { return over(x).Prod(axis) }},
		{"var", func(x autograd.Value) autograd.Value { return over(x).PopulationVar(axis) }},
		{"norm", func(x autograd.Value) autograd.Value { return over(x.Square().AddScalar(0.5)).Norm(2, axis) }},
		{"norm 3", func(x autograd.Value) autograd.Value { return over(x.Square().AddScalar(0.5)).Norm(3, axis) }},
		{"logsumexp", func(x autograd.Value) autograd.Value { return over(x).LogSumExp(axis) }},
		{"softmax", func(x autograd.Value) autograd.Value { return x.Softmax(axis) }},
		{"log-softmax", func(x autograd.Value) autograd.Value { return x.LogSoftmax(axis) }},
		{"cumsum", func(x autograd.Value) autograd.Value { return x.CumSum(axis) }},
		{"cumprod", func(x autograd.Value) autograd.Value { return x.CumProd(axis) }},
	}
	u := reductions[rng.IntN(len(reductions))]
	return planned{fmt.Sprint(u.name, " ", axis), []int{first}, func(in []autograd.Value) autograd.Value { return u.f(in[0]) }}
}

// planMatMul multiplies two values in every way that their shapes allow, else
// a value with its transpose.
func planMatMul(rng *rand.Rand, first, second int, all []autograd.Value) planned {
	a, b := all[first].Shape(), all[second].Shape()
	switch {
	case len(a) == 0:
		return planUnary(rng, first, 0, all)
	case len(a) == 1 && len(b) == 1:
		return planned{"outer", []int{first, second}, func(in []autograd.Value) autograd.Value { return in[0].Outer(in[1]) }}
	case len(b) > 0 && a[len(a)-1] == b[max(0, len(b)-2)] && (len(a) < 3 || len(b) < 3 || shapesBroadcast(a[:len(a)-2], b[:len(b)-2])):
		return planned{"matmul", []int{first, second}, func(in []autograd.Value) autograd.Value { return in[0].MatMul(in[1]) }}
	case len(a) == 1:
		return planned{"dot", []int{first}, func(in []autograd.Value) autograd.Value { return in[0].Dot(in[0]) }}
	case len(a) == 2 && rng.IntN(2) == 0:
		return planned{"einsum", []int{first}, func(in []autograd.Value) autograd.Value {
			return autograd.Einsum("ij,kj->ki", in[0], in[0].Sin())
		}}
	}
	return planned{"gram", []int{first}, func(in []autograd.Value) autograd.Value { return in[0].MatMul(in[0].T()) }}
}

func planShape(rng *rand.Rand, first, _ int, all []autograd.Value) planned {
	rank := all[first].Rank()
	if rank == 0 {
		return planned{"expand", []int{first}, func(in []autograd.Value) autograd.Value { return in[0].Expand(2, 3) }}
	}
	axis := rng.IntN(rank)
	index := autograd.NewInts([]int{all[first].Dim(axis) - 1, 0, 0})
	shapes := []expressionUnary{
		{"flatten", func(x autograd.Value) autograd.Value { return x.Flatten(0, -1) }},
		{"unsqueeze", func(x autograd.Value) autograd.Value { return x.Squeeze().Unsqueeze(0) }},
		{"transpose", func(x autograd.Value) autograd.Value { return x.Transpose(axis, 0) }},
		{"slice", func(x autograd.Value) autograd.Value { return x.Slice(axis, autograd.End, autograd.End, -2) }},
		{"narrow", func(x autograd.Value) autograd.Value { return x.Narrow(axis, 0, max(1, x.Dim(axis)-1)) }},
		{"flip", func(x autograd.Value) autograd.Value { return x.Flip(axis) }},
		{"roll", func(x autograd.Value) autograd.Value { return x.Roll(axis, 1) }},
		{"index select", func(x autograd.Value) autograd.Value { return x.IndexSelect(axis, index) }},
		{"repeat", func(x autograd.Value) autograd.Value { return x.Repeat(axis, 2) }},
	}
	u := shapes[rng.IntN(len(shapes))]
	return planned{fmt.Sprint(u.name, " ", axis), []int{first}, func(in []autograd.Value) autograd.Value { return u.f(in[0]) }}
}

func planConcat(rng *rand.Rand, first, second int, all []autograd.Value) planned {
	if all[first].Rank() == 0 || rng.IntN(3) == 0 {
		return planned{"stack", []int{first, first}, func(in []autograd.Value) autograd.Value {
			return autograd.Stack(0, in[0], in[1].Tanh())
		}}
	}
	if !slices.Equal(all[first].Shape(), all[second].Shape()) {
		second = first
	}
	axis := rng.IntN(all[first].Rank())
	return planned{"concat", []int{first, second}, func(in []autograd.Value) autograd.Value {
		return autograd.Concat(axis, in[0], in[1], in[0])
	}}
}

// comparePasses compares Backward with Grad, and a second Backward with the
// first, bit for bit.
func (e *expression) comparePasses() error {
	g := autograd.NewGraph(autograd.Options{})
	in := fuzzInputs(g, e.inputs)
	y := e.record(g, in)
	loss := y.Sin().Sum()
	xs := e.leaves(g, in)
	first, second := loss.Backward(), loss.Backward()
	for i, gx := range autograd.Grad(loss, xs...) {
		a, b, c := first.Of(xs[i]).Float64s(), second.Of(xs[i]).Float64s(), gx.Tensor().Float64s()
		for j := range a {
			if math.Float64bits(a[j]) != math.Float64bits(b[j]) {
				return fmt.Errorf("leaf %d, element %d: Backward gives %v, then %v", i, j, a[j], b[j])
			}
			if !(math.Abs(a[j]-c[j]) <= 1e-11*(1+math.Abs(a[j]))) {
				return fmt.Errorf("leaf %d, element %d: Backward gives %v, Grad %v", i, j, a[j], c[j])
			}
		}
	}
	return nil
}

// FuzzShapes applies random shape functions and compares them with a twin
// that only knows, for each element of a result, which element of the input
// it is. The gradient of each goes to where it came from.
func FuzzShapes(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, []byte{})
	}
	f.Add(uint64(236), []byte("!!!!! !")) // an empty tensor whose other axes grow
	for function := range byte(len(shapeFunctions)) {
		for seed := range uint64(3) {
			f.Add(100*seed+uint64(function), []byte{function, function + 1, function})
		}
	}
	f.Fuzz(func(t *testing.T, seed uint64, program []byte) {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			rng := rand.New(rand.NewPCG(seed, 1))
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			var names []string
			err := autograd.Try(func() {
				x, y, twin := shapeChain(rng, g, program, &names)
				if diff := compareTwin(rng, x, y, twin); diff != "" {
					t.Errorf("%v of %v, %v (-want +got):\n%s", names, x.Shape(), precision, diff)
				}
			})
			if err != nil {
				t.Errorf("%v: %v", names, err)
			}
		}
	})
}

// A twin says where the elements of a result come from.
type twin struct {
	shape  []int
	source []int     // element of the input, −1 for none
	filled []float64 // the number where there is none
}

// shapeChain applies up to seven shape functions to a random input.
func shapeChain(rng *rand.Rand, g *autograd.Graph, program []byte, names *[]string) (x, y autograd.Value, t twin) {
	shape := make([]int, []int{0, 1, 2, 3, 3, 4}[rng.IntN(6)])
	for i := range shape {
		shape[i] = seldomZero(rng, 5)
	}
	size := autograd.Zeros(shape...).Size()
	x = g.Variable(autograd.Arange(1, float64(size)+1, 1).Reshape(shape...))
	y, t = x, twin{shape, make([]int, size), make([]float64, size)}
	for i := range t.source {
		t.source[i] = i
	}
	for i := range 1 + rng.IntN(7) {
		choice := rng.IntN(len(shapeFunctions))
		if i < len(program) {
			choice = int(program[i]) % len(shapeFunctions)
		}
		s := shapeFunctions[choice]
		if s.leastRank > len(t.shape) || extent(t.shape) > 400 {
			continue
		}
		*names = append(*names, s.name)
		y, t = s.apply(rng, y, t)
	}
	return x, y, t
}

// extent is the number of elements if no axis were empty: the other axes of an
// empty tensor grow too.
func extent(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= max(d, 1)
	}
	return n
}

// seldomZero returns a length up to most: most results should have elements.
func seldomZero(rng *rand.Rand, most int) int {
	if rng.IntN(16) == 0 {
		return 0
	}
	return 1 + rng.IntN(most)
}

// compareTwin returns how values and gradients differ from the twin's. The
// seed's numbers are integers, so that sums are exact.
func compareTwin(rng *rand.Rand, x, y autograd.Value, t twin) string {
	seed := autograd.Zeros(y.Shape()...)
	want, gradient := make([]float64, len(t.source)), make([]float64, x.Size())
	for i, source := range t.source {
		seed.Raw64()[i] = float64(rng.IntN(9) - 4)
		want[i] = t.filled[i]
		if source >= 0 {
			want[i] = float64(source + 1)
			gradient[source] += seed.Raw64()[i]
		}
	}
	backward := y.BackwardFrom(seed).Of(x).Float64s()
	grad := autograd.VJP(y, y.Graph().Constant(seed), x)[0].Tensor().Float64s()
	return cmp.Diff(t.shape, y.Shape()) + cmp.Diff(want, y.Tensor().Float64s()) +
		cmp.Diff(gradient, backward) + cmp.Diff(gradient, grad)
}

type shapeFunction struct {
	name      string
	leastRank int
	apply     func(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin)
}

var shapeFunctions = []shapeFunction{
	{"reshape", 0, fuzzReshape}, {"flatten", 0, fuzzFlatten}, {"unsqueeze", 0, fuzzUnsqueeze}, {"permute", 0, fuzzPermute},
	{"transpose", 2, fuzzTranspose}, {"slice", 1, fuzzSlice}, {"narrow", 1, fuzzNarrow}, {"expand", 0, fuzzExpand},
	{"concat", 1, fuzzConcat}, {"stack", 0, fuzzStack}, {"split", 1, fuzzSplit}, {"roll", 1, fuzzRoll}, {"pad", 0, fuzzPad},
	{"tile", 0, fuzzTile}, {"repeat", 1, fuzzRepeat}, {"flip", 1, fuzzFlip}, {"gather", 1, fuzzGather},
	{"index select", 1, fuzzIndexSelect}, {"diagonal", 2, fuzzDiagonal}, {"triu", 2, fuzzTriu},
}

// build returns the twin of a result of that shape, each of whose elements is
// the element of t that from names by index; a nil index stands for v.
func (t twin) build(shape []int, v float64, from func(index []int) []int) twin {
	y := twin{shape: slices.Clone(shape)}
	size := 1
	for _, d := range shape {
		size *= d
	}
	for i := range size {
		index := make([]int, len(shape))
		for axis, rest := len(shape)-1, i; axis >= 0; axis-- {
			index[axis], rest = rest%shape[axis], rest/shape[axis]
		}
		source, filled := -1, v
		if place := from(index); place != nil {
			at := 0
			for axis, k := range place {
				at = at*t.shape[axis] + k
			}
			source, filled = t.source[at], t.filled[at]
		}
		y.source, y.filled = append(y.source, source), append(y.filled, filled)
	}
	return y
}

// pick returns the twin of a result that has, along an axis, the elements at
// those places.
func (t twin) pick(axis int, places []int) twin {
	shape := slices.Clone(t.shape)
	shape[axis] = len(places)
	return t.build(shape, 0, func(index []int) []int {
		index[axis] = places[index[axis]]
		return index
	})
}

// reshaped returns the twin in another shape.
func (t twin) reshaped(shape ...int) twin { return twin{slices.Clone(shape), t.source, t.filled} }

// sometimesNegative counts an axis or index from the end, now and then.
func sometimesNegative(rng *rand.Rand, i, n int) int {
	if rng.IntN(2) == 0 {
		return i - n
	}
	return i
}

func fuzzReshape(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	rest, shape := len(t.source), []int{}
	for d := 2; d <= rest; d++ {
		for rest%d == 0 && rest > 0 {
			shape, rest = append(shape, d), rest/d
		}
	}
	if rest == 0 {
		shape = []int{3, 0, 2}
	}
	rng.Shuffle(len(shape), func(i, j int) { shape[i], shape[j] = shape[j], shape[i] })
	shape = slices.Insert(shape, rng.IntN(len(shape)+1), 1)
	dims := slices.Clone(shape)
	if rest > 0 && rng.IntN(2) == 0 {
		dims[rng.IntN(len(dims))] = -1
	}
	return x.Reshape(dims...), t.reshaped(shape...)
}

func fuzzFlatten(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	rank := len(t.shape)
	if rank == 0 {
		return x.Flatten(0, -1), t.reshaped(1)
	}
	first := rng.IntN(rank)
	last := first + rng.IntN(rank-first)
	length := 1
	for _, d := range t.shape[first : last+1] {
		length *= d
	}
	shape := append(append(slices.Clone(t.shape[:first]), length), t.shape[last+1:]...)
	return x.Flatten(sometimesNegative(rng, first, rank), sometimesNegative(rng, last, rank)), t.reshaped(shape...)
}

func fuzzUnsqueeze(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	if rng.IntN(3) == 0 {
		shape := slices.DeleteFunc(slices.Clone(t.shape), func(d int) bool { return d == 1 })
		return x.Squeeze(), t.reshaped(shape...)
	}
	axis := rng.IntN(len(t.shape) + 1)
	return x.Unsqueeze(sometimesNegative(rng, axis, len(t.shape)+1)), t.reshaped(slices.Insert(slices.Clone(t.shape), axis, 1)...)
}

func fuzzPermute(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	order := rng.Perm(len(t.shape))
	shape := make([]int, len(order))
	for i, axis := range order {
		shape[i] = t.shape[axis]
	}
	y := t.build(shape, 0, func(index []int) []int {
		from := make([]int, len(index))
		for i, axis := range order {
			from[axis] = index[i]
		}
		return from
	})
	dims := slices.Clone(order)
	for i := range dims {
		dims[i] = sometimesNegative(rng, dims[i], len(dims))
	}
	return x.Permute(dims...), y
}

func fuzzTranspose(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	rank := len(t.shape)
	a, b := rng.IntN(rank), rng.IntN(rank)
	shape := slices.Clone(t.shape)
	shape[a], shape[b] = shape[b], shape[a]
	y := t.build(shape, 0, func(index []int) []int {
		index[a], index[b] = index[b], index[a]
		return index
	})
	return x.Transpose(sometimesNegative(rng, a, rank), sometimesNegative(rng, b, rank)), y
}

// fuzzSlice walks as Python's slices do.
func fuzzSlice(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	axis := rng.IntN(len(t.shape))
	n := t.shape[axis]
	step := []int{-3, -2, -1, 1, 2, 3}[rng.IntN(6)]
	start, stop := rng.IntN(n+1), rng.IntN(n+1)
	var places []int
	if step > 0 {
		for i := start; i < stop; i += step {
			places = append(places, i)
		}
	} else {
		for i := min(start, n-1); i > stop; i += step {
			places = append(places, i)
		}
	}
	startArgument, stopArgument := start, stop
	if start < n {
		startArgument = sometimesNegative(rng, start, n)
	}
	if stop < n {
		stopArgument = sometimesNegative(rng, stop, n)
	}
	if rng.IntN(3) == 0 { // as far as there is
		stopArgument = autograd.End
		places = places[:0]
		for i := start; step > 0 && i < n; i += step {
			places = append(places, i)
		}
		for i := min(start, n-1); step < 0 && i >= 0; i += step {
			places = append(places, i)
		}
	}
	return x.Slice(sometimesNegative(rng, axis, len(t.shape)), startArgument, stopArgument, step), t.pick(axis, places)
}

func fuzzNarrow(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	axis := rng.IntN(len(t.shape))
	start := rng.IntN(t.shape[axis] + 1)
	stop := start + rng.IntN(t.shape[axis]-start+1)
	return x.Narrow(axis, start, stop-start), t.pick(axis, indexSpan(start, stop))
}

// indexSpan returns start, start+1, … up to but without stop.
func indexSpan(start, stop int) (places []int) {
	for i := start; i < stop; i++ {
		places = append(places, i)
	}
	return places
}

func fuzzExpand(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	shape := slices.Clone(t.shape)
	for i, d := range shape {
		if d == 1 {
			shape[i] = seldomZero(rng, 3)
		}
	}
	lead := rng.IntN(2)
	if lead == 1 {
		shape = slices.Insert(shape, 0, seldomZero(rng, 2))
	}
	y := t.build(shape, 0, func(index []int) []int {
		index = index[lead:]
		for i, d := range t.shape {
			if d == 1 {
				index[i] = 0
			}
		}
		return index
	})
	return x.Expand(shape...), y
}

// fuzzConcat joins x, x turned round, and x again.
func fuzzConcat(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	axis := rng.IntN(len(t.shape))
	n := t.shape[axis]
	places := indexSpan(0, n)
	turned := slices.Clone(places)
	slices.Reverse(turned)
	places = slices.Concat(places, turned, places)
	return autograd.Concat(sometimesNegative(rng, axis, len(t.shape)), x, x.Flip(axis), x), t.pick(axis, places)
}

func fuzzStack(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	axis := rng.IntN(len(t.shape) + 1)
	shape := slices.Insert(slices.Clone(t.shape), axis, 2)
	y := t.build(shape, 0, func(index []int) []int { return slices.Delete(index, axis, axis+1) })
	return autograd.Stack(sometimesNegative(rng, axis, len(shape)), x, x), y
}

// fuzzSplit cuts x in three and puts the last part in front.
func fuzzSplit(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	axis := rng.IntN(len(t.shape))
	n := t.shape[axis]
	a := rng.IntN(n + 1)
	b := a + rng.IntN(n-a+1)
	parts := x.Split(axis, a, b-a, n-b)
	if rng.IntN(2) == 0 {
		return parts[1], t.pick(axis, indexSpan(a, b))
	}
	return autograd.Concat(axis, parts[2], parts[0]), t.pick(axis, append(indexSpan(b, n), indexSpan(0, a)...))
}

func fuzzRoll(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	axis, shift := rng.IntN(len(t.shape)), rng.IntN(15)-7
	n := t.shape[axis]
	places := make([]int, n)
	for i := range n {
		places[((i+shift)%n+n)%n] = i
	}
	return x.Roll(sometimesNegative(rng, axis, len(t.shape)), shift), t.pick(axis, places)
}

func fuzzPad(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	pairs, shape := make([][2]int, len(t.shape)), slices.Clone(t.shape)
	for i := range pairs {
		pairs[i] = [2]int{rng.IntN(3), rng.IntN(3)}
		shape[i] += pairs[i][0] + pairs[i][1]
	}
	y := t.build(shape, -0.5, func(index []int) []int {
		for i, pair := range pairs {
			index[i] -= pair[0]
			if index[i] < 0 || index[i] >= t.shape[i] {
				return nil
			}
		}
		return index
	})
	return x.Pad(-0.5, pairs...), y
}

func fuzzTile(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	lead := rng.IntN(2)
	shape := append(slices.Repeat([]int{1}, lead), t.shape...)
	times := make([]int, len(shape))
	for i := range times {
		times[i] = seldomZero(rng, 2)
		shape[i] *= times[i]
	}
	y := t.build(shape, 0, func(index []int) []int {
		index = index[lead:]
		for i := range index {
			index[i] %= t.shape[i]
		}
		return index
	})
	return x.Tile(times...), y
}

func fuzzRepeat(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	axis, times := rng.IntN(len(t.shape)), seldomZero(rng, 3)
	var places []int
	for i := range t.shape[axis] {
		places = append(places, slices.Repeat([]int{i}, times)...)
	}
	return x.Repeat(sometimesNegative(rng, axis, len(t.shape)), times), t.pick(axis, places)
}

func fuzzFlip(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	axes := rng.Perm(len(t.shape))[:rng.IntN(len(t.shape)+1)]
	flipped := axes
	if len(axes) == 0 {
		flipped = indexSpan(0, len(t.shape))
	}
	y := t.build(t.shape, 0, func(index []int) []int {
		for _, axis := range flipped {
			index[axis] = t.shape[axis] - 1 - index[axis]
		}
		return index
	})
	return x.Flip(axes...), y
}

// fuzzGather takes, along one axis, any elements, and along the others as many
// as there are or fewer.
func fuzzGather(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	axis := rng.IntN(len(t.shape))
	n := t.shape[axis]
	shape := slices.Clone(t.shape)
	shape[axis] = seldomZero(rng, 4)
	if n == 0 {
		shape[axis] = 0
	}
	if other := rng.IntN(len(shape)); other != axis {
		shape[other] -= rng.IntN(min(2, shape[other]+1))
	}
	var chosen []int
	y := t.build(shape, 0, func(index []int) []int {
		index[axis] = rng.IntN(n)
		chosen = append(chosen, index[axis])
		return index
	})
	return x.Gather(sometimesNegative(rng, axis, len(shape)), autograd.NewInts(chosen, shape...)), y
}

func fuzzIndexSelect(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	axis := rng.IntN(len(t.shape))
	var places []int
	if n := t.shape[axis]; n > 0 {
		for range seldomZero(rng, 5) {
			places = append(places, rng.IntN(n))
		}
	}
	return x.IndexSelect(sometimesNegative(rng, axis, len(t.shape)), autograd.NewInts(places, len(places))), t.pick(axis, places)
}

func fuzzDiagonal(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	rank := len(t.shape)
	rows, columns := t.shape[rank-2], t.shape[rank-1]
	k := rng.IntN(5) - 2
	length := max(0, min(rows-max(0, -k), columns-max(0, k)))
	y := t.build(append(slices.Clone(t.shape[:rank-2]), length), 0, func(index []int) []int {
		i := index[rank-2]
		return append(index[:rank-2:rank-2], i+max(0, -k), i+max(0, k))
	})
	return x.Diagonal(k), y
}

func fuzzTriu(rng *rand.Rand, x autograd.Value, t twin) (autograd.Value, twin) {
	rank, k, upper := len(t.shape), rng.IntN(5)-2, rng.IntN(2) == 0
	y := t.build(t.shape, 0, func(index []int) []int {
		if off := index[rank-1] - index[rank-2]; upper && off < k || !upper && off > k {
			return nil
		}
		return index
	})
	if upper {
		return x.Triu(k), y
	}
	return x.Tril(k), y
}
