package autograd_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
)

// An opRow is one operation in the table: a function of Values, where it is
// smooth, and how else its value can be had.
type opRow struct {
	op      string          // as nodes name it
	note    string          // what tells this row from others of the same operation
	inputs  int             // of an elementwise operation, which takes any shapes
	shapes  [][]int         // of the inputs of any other
	more    [][][]int       // further shapes: of one element, of none, broadcasting
	lo, hi  float64         // the inputs are drawn from here
	kinks   []float64       // the inputs stay away from these
	plant   func(in []grid) // puts special numbers among the inputs
	f       func(in ...autograd.Value) autograd.Value
	twin    func(in ...grid) grid // slow but obviously correct
	mask    bool                  // piecewise constant: every gradient is 0
	stopped bool                  // the gradient is 0 although the value changes: differences say nothing

	special []special     // of an operation with one input: values at single points
	pairs   []pairSpecial // of one with two
}

// A special is a point, the value there and the gradient.
type special [3]float64

// A pairSpecial is x, y, the value there and the gradients of both.
type pairSpecial [5]float64

func (r opRow) name() string {
	if r.note == "" {
		return r.op
	}
	return r.op + ", " + r.note
}

// rowShapes returns the shapes at which derivatives are compared with
// differences.
func (r opRow) rowShapes() [][]int {
	if r.shapes != nil {
		return r.shapes
	}
	return slices.Repeat([][]int{{2, 3}}, r.inputs)
}

// allShapes returns every list of shapes that the row is tried with.
func (r opRow) allShapes() [][][]int {
	all := append([][][]int{r.rowShapes()}, r.more...)
	if r.shapes == nil {
		for _, s := range [][]int{{}, {1}, {1, 1}, {0}, {2, 0, 3}, {5, 7}} {
			all = append(all, slices.Repeat([][]int{s}, r.inputs))
		}
	}
	return all
}

// draw returns inputs for the row: spread evenly over the domain, in random
// order, so that no two are nearly equal.
func (r opRow) draw(shapes [][]int) []grid {
	seed := fnv.New64a()
	seed.Write([]byte(r.name()))
	rng := rand.New(rand.NewPCG(seed.Sum64(), uint64(len(shapes))))
	total := 0
	for _, s := range shapes {
		total += volume(s)
	}
	order := rng.Perm(total)
	in := make([]grid, len(shapes))
	for i, s := range shapes {
		in[i] = zeros(s)
		for j := range in[i].data {
			place := (float64(order[0]) + 0.3 + 0.4*rng.Float64()) / float64(total)
			in[i].data[j] = r.away(r.lo + (r.hi-r.lo)*place)
			order = order[1:]
		}
	}
	if r.plant != nil {
		r.plant(in)
	}
	return in
}

// margin is how far inputs stay away from kinks.
const margin = 0.15

func (r opRow) away(v float64) float64 {
	for _, kink := range r.kinks {
		if d := v - kink; math.Abs(d) < margin {
			return kink + math.Copysign(margin+math.Abs(d), d)
		}
	}
	return v
}

// An outcome is what one recording gives.
type outcome struct {
	Value    grid
	Backward []grid // the gradients by Backward
	Grad     []grid // the gradients by Grad
}

// compute records the row's function of inputs and differentiates it under a
// cotangent, drawn when it is nil.
func (r opRow) compute(o autograd.Options, in []grid, cotangent *grid) outcome {
	g := newGraph(o)
	xs := variables(g, in)
	y := r.f(xs...)
	if cotangent == nil {
		w := weightsFor(y.Shape())
		cotangent = &w
	}
	got := outcome{Value: gridOf(y.Tensor())}
	grads := y.BackwardFrom(cotangent.tensor())
	for _, x := range xs {
		got.Backward = append(got.Backward, gridOf(grads.Of(x)))
	}
	for _, gx := range autograd.VJP(y, g.Constant(cotangent.tensor()), xs...) {
		got.Grad = append(got.Grad, gridOf(gx.Tensor()))
	}
	return got
}

// newGraph returns a graph with a seed, so that dropout draws the same mask
// each time.
func newGraph(o autograd.Options) *autograd.Graph {
	o.Seed = 5
	return autograd.NewGraph(o)
}

func variables(g *autograd.Graph, in []grid) []autograd.Value {
	xs := make([]autograd.Value, len(in))
	for i, x := range in {
		xs[i] = g.Variable(x.tensor())
	}
	return xs
}

// weightsFor returns a cotangent with all signs and sizes, exact in float32.
func weightsFor(shape []int) grid {
	w := zeros(shape)
	for i := range w.data {
		w.data[i] = float64((7*i+3)%11-5)/4 + 0.125
	}
	return w
}

func eachRow(t *testing.T, check func(t *testing.T, r opRow)) {
	for _, r := range opRows {
		t.Run(strings.ReplaceAll(r.name(), " ", "_"), func(t *testing.T) { check(t, r) })
	}
}

func TestOperationValues(t *testing.T) {
	eachRow(t, func(t *testing.T, r opRow) {
		if r.twin == nil {
			return
		}
		for _, shapes := range r.allShapes() {
			in := r.draw(shapes)
			got := r.compute(autograd.Options{}, in, nil).Value
			if diff := cmp.Diff(r.twin(in...), got, within(1e-12)); diff != "" {
				t.Errorf("%v: value (-want +got):\n%s", shapes, diff)
			}
		}
	})
}

func TestOperationGradients(t *testing.T) {
	eachRow(t, func(t *testing.T, r opRow) {
		if r.stopped {
			return
		}
		if err := gradcheck.Check(r.function(), tensors(r.draw(r.rowShapes()))); err != nil {
			t.Error(err)
		}
	})
}

func (r opRow) function() gradcheck.Function {
	return func(_ *autograd.Graph, in []autograd.Value) autograd.Value { return r.f(in...) }
}

// TestOperationSecondDerivatives checks w·f(x) as a function of x and w, so
// that the derivative of the rule by the incoming gradient is checked too.
func TestOperationSecondDerivatives(t *testing.T) {
	eachRow(t, func(t *testing.T, r opRow) {
		if r.stopped {
			return
		}
		in := r.draw(r.rowShapes())
		w := weightsFor(r.f(variables(newGraph(autograd.Options{}), in)...).Shape())
		weighted := func(_ *autograd.Graph, in []autograd.Value) autograd.Value {
			last := len(in) - 1
			return r.f(in[:last]...).Mul(in[last]).Sum()
		}
		if err := gradcheck.CheckSecond(weighted, tensors(append(in, w))); err != nil {
			t.Error(err)
		}
	})
}

// TestBackwardAgreesWithRules compares the fused gradient kernels of Backward
// with the rules of Grad, at every shape: gradients have their input's shape,
// of one element and of none too.
func TestBackwardAgreesWithRules(t *testing.T) {
	eachRow(t, func(t *testing.T, r opRow) {
		for _, shapes := range r.allShapes() {
			got := r.compute(autograd.Options{}, r.draw(shapes), nil)
			if diff := cmp.Diff(got.Grad, got.Backward, within(5e-15)); diff != "" {
				t.Errorf("%v: gradient (-Grad +Backward):\n%s", shapes, diff)
			}
			for i, gx := range got.Backward {
				if diff := cmp.Diff(shapes[i], gx.shape); diff != "" {
					t.Errorf("%v: shape of gradient %d (-want +got):\n%s", shapes, i, diff)
				}
				if r.mask && slices.ContainsFunc(gx.data, func(v float64) bool { return v != 0 }) {
					t.Errorf("%v: gradient %v of what is piecewise constant", shapes, gx)
				}
			}
		}
	})
}

// TestBackwardAgreesWithRulesAtTheEdges compares them at kinks, saturated,
// huge, tiny, infinite and NaN numbers, and scalars with tensors there.
func TestBackwardAgreesWithRulesAtTheEdges(t *testing.T) {
	edges := []float64{nan, inf, -inf, 0, 1, -1, 3, -3, 6, 40, -40, 1e308, -1e308, 1e-308}
	eachRow(t, func(t *testing.T, r opRow) {
		if r.shapes != nil || r.op == "dropout" { // dropout draws anew for each
			return
		}
		for _, at := range tuples(edges, r.inputs) {
			one, three := filled([]int{}, 1), filled([]int{3}, 1)
			scalar, tensor := []grid{}, []grid{}
			for _, v := range at {
				scalar, tensor = append(scalar, filled([]int{}, v)), append(tensor, filled([]int{3}, v))
			}
			got := r.compute(autograd.Options{}, scalar, &one)
			if diff := cmp.Diff(got.Grad, got.Backward, within(1e-13)); diff != "" {
				t.Errorf("at %v: gradient of a scalar (-Grad +Backward):\n%s", at, diff)
			}
			want := r.compute(autograd.Options{}, tensor, &three)
			if diff := cmp.Diff(want.Grad, want.Backward, within(1e-13)); diff != "" {
				t.Errorf("at %v: gradient of a tensor (-Grad +Backward):\n%s", at, diff)
			}
			for i := range at {
				if a, b := got.Backward[i].data[0], want.Backward[i].data[2]; !near(a, b, 1e-13*math.Abs(a)) {
					t.Errorf("at %v: gradient %d is %v of a scalar, %v of a tensor", at, i, a, b)
				}
			}
		}
	})
}

// tuples returns every choice of n numbers.
func tuples(numbers []float64, n int) [][]float64 {
	all := [][]float64{{}}
	for range n {
		var longer [][]float64
		for _, tuple := range all {
			for _, v := range numbers {
				longer = append(longer, append(slices.Clone(tuple), v))
			}
		}
		all = longer
	}
	return all
}

// TestTraceChangesNoGradient compares Backward with and without Trace: with
// it, every gradient is kept, so that none is computed in place.
func TestTraceChangesNoGradient(t *testing.T) {
	eachRow(t, func(t *testing.T, r opRow) {
		for _, shapes := range r.allShapes() {
			in := r.draw(shapes)
			plain := r.compute(autograd.Options{}, in, nil)
			traced := r.compute(autograd.Options{Trace: true}, in, nil)
			if diff := cmp.Diff(plain, traced, within(0)); diff != "" {
				t.Errorf("%v: (-plain +traced):\n%s", shapes, diff)
			}
		}
	})
}

// TestScalarsAgreeWithTensors takes each element of elementwise operations on
// its own, through the path for single numbers.
func TestScalarsAgreeWithTensors(t *testing.T) {
	eachRow(t, func(t *testing.T, r opRow) {
		if r.shapes != nil || r.op == "dropout" { // dropout draws anew for each
			return
		}
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			o := autograd.Options{Precision: precision}
			in := r.draw(r.rowShapes())
			round32(in)
			w := weightsFor(in[0].shape)
			want, got := r.compute(o, in, &w), outcome{Value: zeros(in[0].shape)}
			for range in {
				got.Backward = append(got.Backward, zeros(in[0].shape))
				got.Grad = append(got.Grad, zeros(in[0].shape))
			}
			for j := range w.data {
				one := r.compute(o, elements(in, j), &grid{[]int{}, w.data[j : j+1]})
				got.Value.data[j] = one.Value.data[0]
				for i := range in {
					got.Backward[i].data[j] = one.Backward[i].data[0]
					got.Grad[i].data[j] = one.Grad[i].data[0]
				}
			}
			if diff := cmp.Diff(want, got, within(ulps(precision))); diff != "" {
				t.Errorf("%v (-tensor +scalars):\n%s", precision, diff)
			}
		}
	})
}

// ulps returns a few units in the last place, as a relative tolerance.
func ulps(p autograd.Precision) float64 {
	if p == autograd.Float32 {
		return 1e-6
	}
	return 5e-15
}

func elements(in []grid, j int) []grid {
	var all []grid
	for _, x := range in {
		all = append(all, grid{[]int{}, x.data[j : j+1]})
	}
	return all
}

func round32(in []grid) {
	for _, x := range in {
		for i, v := range x.data {
			x.data[i] = float64(float32(v))
		}
	}
}

func TestFloat32AgreesWithFloat64(t *testing.T) {
	eachRow(t, func(t *testing.T, r opRow) {
		const tolerance = 4e-6
		for _, shapes := range r.allShapes() {
			in := r.draw(shapes)
			round32(in)
			want := r.compute(autograd.Options{}, in, nil)
			got := r.compute(autograd.Options{Precision: autograd.Float32}, in, nil)
			if diff := cmp.Diff(want, got, within(tolerance)); diff != "" {
				t.Errorf("%v (-float64 +float32):\n%s", shapes, diff)
			}
		}
	})
}

// broadcastShapes are tried in all pairs.
var broadcastShapes = [][]int{{}, {1}, {3}, {1, 1}, {2, 1}, {1, 3}, {2, 3}, {4, 1, 3}, {4, 2, 1}, {1, 2, 3}, {0}, {0, 3}, {2, 0}, {1, 0}}

// TestBroadcasting compares each elementwise operation of two inputs with
// itself on inputs that were repeated by hand beforehand.
func TestBroadcasting(t *testing.T) {
	eachRow(t, func(t *testing.T, r opRow) {
		if r.shapes != nil || r.inputs != 2 {
			return
		}
		for _, xs := range broadcastShapes {
			for _, ys := range broadcastShapes {
				shape, fits := together(xs, ys)
				in := r.draw([][]int{xs, ys})
				if !fits {
					wantShapeError(t, r, in)
					continue
				}
				w := weightsFor(shape)
				got := r.compute(autograd.Options{}, in, &w)
				want := r.compute(autograd.Options{}, []grid{in[0].repeated(shape), in[1].repeated(shape)}, &w)
				for i := range in {
					want.Backward[i] = want.Backward[i].collected(in[i].shape)
					want.Grad[i] = want.Grad[i].collected(in[i].shape)
				}
				if diff := cmp.Diff(want, got, within(sumsInAnotherOrder)); diff != "" {
					t.Errorf("%v with %v (-repeated +broadcast):\n%s", xs, ys, diff)
				}
			}
		}
	})
}

// sumsInAnotherOrder is the part by which a sum of about ten numbers of both
// signs may differ from the same sum in another order.
const sumsInAnotherOrder = 1e-12

func wantShapeError(t *testing.T, r opRow, in []grid) {
	t.Helper()
	err := autograd.Try(func() { r.f(variables(newGraph(autograd.Options{}), in)...) })
	var wrong *autograd.ShapeError
	if !errors.As(err, &wrong) {
		t.Errorf("%v with %v: error %v, want a *ShapeError", in[0].shape, in[1].shape, err)
	}
}

// TestSameOperandTwice gives one Value to both inputs: its gradients add up.
func TestSameOperandTwice(t *testing.T) {
	eachRow(t, func(t *testing.T, r opRow) {
		shapes := r.rowShapes()
		if len(shapes) != 2 || !slices.Equal(shapes[0], shapes[1]) {
			return
		}
		twice := r
		twice.f = func(in ...autograd.Value) autograd.Value { return r.f(in[0], in[0]) }
		in := r.draw(shapes)[:1]
		if err := gradcheck.Check(twice.function(), tensors(in)); err != nil {
			t.Error(err)
		}
		for _, o := range []autograd.Options{{}, {Trace: true}} {
			got := twice.compute(o, in, nil)
			if diff := cmp.Diff(got.Grad, got.Backward, within(5e-15)); diff != "" {
				t.Errorf("gradient (-Grad +Backward):\n%s", diff)
			}
		}
	})
}

// TestSpecialValues takes the rows' single points through the path for
// scalars and the one for tensors, in both precisions.
func TestSpecialValues(t *testing.T) {
	eachRow(t, func(t *testing.T, r opRow) {
		for _, s := range r.special {
			r.checkPoint(t, s[:1], s[1], s[2:])
		}
		for _, s := range r.pairs {
			r.checkPoint(t, s[:2], s[2], s[3:])
		}
	})
}

func (r opRow) checkPoint(t *testing.T, at []float64, value float64, gradient []float64) {
	t.Helper()
	for _, shape := range [][]int{{}, {1}, {3}} {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			if precision == autograd.Float32 && !fits32(at) {
				continue
			}
			var in, grads []grid
			for i := range at {
				in = append(in, filled(shape, at[i]))
				grads = append(grads, filled(shape, gradient[i]))
			}
			one := filled(shape, 1)
			got := r.compute(autograd.Options{Precision: precision}, in, &one)
			want := outcome{filled(shape, value), grads, grads}
			tolerance := 1e-13
			if precision == autograd.Float32 {
				tolerance = 4e-6
			}
			if diff := cmp.Diff(want, got, within(tolerance)); diff != "" {
				t.Errorf("at %v in shape %v, %v (-want +got):\n%s", at, shape, precision, diff)
			}
		}
	}
}

// fits32 reports whether float32 has those numbers.
func fits32(at []float64) bool {
	return !slices.ContainsFunc(at, func(v float64) bool {
		return float64(float32(v)) != v && !math.IsNaN(v)
	})
}

// TestTiesShareTheGradient reduces lists in which several elements are the
// greatest or smallest, adjacent or not: each gets an equal part.
func TestTiesShareTheGradient(t *testing.T) {
	x := grid{[]int{2, 4}, []float64{3, -1, 3, 2, -1, -3, -1, 3}}
	for _, c := range []struct {
		name string
		f    func(x autograd.Value) autograd.Value
		want []float64
	}{
		{"max", func(x autograd.Value) autograd.Value { return x.Max(1) }, []float64{0.5, 0, 0.5, 0, 0, 0, 0, 1}},
		{"max over all", func(x autograd.Value) autograd.Value { return x.Max() }, []float64{1. / 3, 0, 1. / 3, 0, 0, 0, 0, 1. / 3}},
		{"min", func(x autograd.Value) autograd.Value { return x.Neg().Min(1) }, []float64{-0.5, 0, -0.5, 0, 0, 0, 0, -1}},
		{"norm Inf", func(x autograd.Value) autograd.Value { return x.Norm(inf, 1) }, []float64{0.5, 0, 0.5, 0, 0, -0.5, 0, 0.5}},
		{"norm Inf over all", func(x autograd.Value) autograd.Value { return x.Norm(inf) }, []float64{0.25, 0, 0.25, 0, 0, -0.25, 0, 0.25}},
	} {
		g := newGraph(autograd.Options{})
		v := g.Variable(x.tensor())
		y := c.f(v).Sum()
		want := grid{x.shape, c.want}
		got := []grid{gridOf(y.Backward().Of(v)), gridOf(autograd.Grad(y, v)[0].Tensor())}
		if diff := cmp.Diff([]grid{want, want}, got, within(1e-15)); diff != "" {
			t.Errorf("%s: Backward and Grad (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestMasksRefuseGradients asks for the gradient with respect to each value
// that is piecewise constant.
func TestMasksRefuseGradients(t *testing.T) {
	for _, r := range opRows {
		if !r.mask || !r.isMaskNode() {
			continue
		}
		g := newGraph(autograd.Options{})
		y := r.f(variables(g, r.draw(r.rowShapes()))...)
		var wrong *autograd.GradientError
		if err := autograd.Try(func() { autograd.Grad(y.Mul(y).Sum(), y) }); !errors.As(err, &wrong) {
			t.Errorf("%s: Grad with respect to it: %v, want a *GradientError", r.name(), err)
		}
		grads := y.Mul(y).Sum().Backward()
		if err := autograd.Try(func() { grads.Of(y) }); !errors.As(err, &wrong) {
			t.Errorf("%s: Of it: %v, want a *GradientError", r.name(), err)
		}
	}
}

// isMaskNode reports whether the row's result is a mask: rounded numbers have
// a gradient of 0, and detached and counted ones are constants.
func (r opRow) isMaskNode() bool {
	return !slices.Contains([]string{"floor", "ceil", "round", "trunc", "detach", "one hot", "one hot along", "argmax", "argmin"}, r.op)
}

// A grid is numbers with a shape: what the slow twins work on.
type grid struct {
	shape []int
	data  []float64
}

func (x grid) String() string { return fmt.Sprint(x.shape, x.data) }

func zeros(shape []int) grid { return grid{append([]int{}, shape...), make([]float64, volume(shape))} }

func filled(shape []int, v float64) grid {
	x := zeros(shape)
	for i := range x.data {
		x.data[i] = v
	}
	return x
}

func gridOf(t autograd.Tensor) grid { return grid{t.Shape(), t.Float64s()} }

func tensors(in []grid) []autograd.Tensor {
	var all []autograd.Tensor
	for _, x := range in {
		all = append(all, x.tensor())
	}
	return all
}

func (x grid) tensor() autograd.Tensor { return autograd.NewTensor(x.data, x.shape...) }

func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// at returns an element by its index along each axis.
func (x grid) at(index ...int) float64 { return x.data[offset(x.shape, index)] }

func offset(shape, index []int) int {
	place := 0
	for axis, d := range shape {
		place = place*d + index[axis]
	}
	return place
}

// build returns the grid with f of each index.
func build(shape []int, f func(at []int) float64) grid {
	y := zeros(shape)
	for i := range y.data {
		y.data[i] = f(indexOf(shape, i))
	}
	return y
}

// indexOf returns the index along each axis of element i in row-major order.
func indexOf(shape []int, i int) []int {
	at := make([]int, len(shape))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		at[axis] = i % shape[axis]
		i /= shape[axis]
	}
	return at
}

// together returns the shape to which two broadcast.
func together(x, y []int) (shape []int, fits bool) {
	rank := max(len(x), len(y))
	shape = make([]int, rank)
	for i := range rank {
		a, b := 1, 1
		if k := i - rank + len(x); k >= 0 {
			a = x[k]
		}
		if k := i - rank + len(y); k >= 0 {
			b = y[k]
		}
		if a != b && a != 1 && b != 1 {
			return nil, false
		}
		shape[i] = a
		if a == 1 {
			shape[i] = b
		}
	}
	return shape, true
}

// below returns the index at which an element of a broadcast result comes
// from a grid of that shape.
func below(shape, at []int) []int {
	from := slices.Clone(at[len(at)-len(shape):])
	for i, d := range shape {
		if d == 1 {
			from[i] = 0
		}
	}
	return from
}

// repeated expands x to a shape.
func (x grid) repeated(shape []int) grid {
	return build(shape, func(at []int) float64 { return x.at(below(x.shape, at)...) })
}

// collected adds up, at each element of that shape, what was repeated from it.
func (x grid) collected(shape []int) grid {
	y := zeros(shape)
	for i, v := range x.data {
		y.data[offset(shape, below(shape, indexOf(x.shape, i)))] += v
	}
	return y
}

// within compares grids: each element may differ by that part of the greatest
// magnitude of its grid.
func within(relative float64) cmp.Option { return withinOr(relative, 0) }

// withinOr is within, but for differences up to an absolute one.
func withinOr(relative, absolute float64) cmp.Option {
	return cmp.Comparer(func(x, y grid) bool {
		if !slices.Equal(x.shape, y.shape) {
			return false
		}
		greatest := 0.0
		for i := range x.data {
			if m := math.Max(math.Abs(x.data[i]), math.Abs(y.data[i])); !math.IsInf(m, 0) && m > greatest {
				greatest = m
			}
		}
		for i := range x.data {
			if !near(x.data[i], y.data[i], math.Max(relative*greatest, absolute)) {
				return false
			}
		}
		return true
	})
}

func near(x, y, tolerance float64) bool {
	return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= tolerance
}

// opRows is the table: a row for every operation, which the guard sees to.
var opRows = slices.Concat(arithmeticRows, transcendentalRows, activationRows, comparisonRows, softmaxRows, normRows,
	reductionRows(), linalgRows, shapingRows, indexingRows, lossRows, labelRows, rowRows, segmentRows, derivativeRows, transformRows, otherRows,
	sortingRows, furtherRows,
	convRows, poolRows, recurrentRows, attentionRows, ctcRows)

var arithmeticRows = []opRow{
	{op: "add", inputs: 2, lo: -3, hi: 3, f: two(autograd.Value.Add), twin: both(func(x, y float64) float64 { return x + y }),
		pairs: []pairSpecial{{inf, 1, inf, 1, 1}, {inf, -inf, nan, 1, 1}}},
	{op: "sub", inputs: 2, lo: -3, hi: 3, f: two(autograd.Value.Sub), twin: both(func(x, y float64) float64 { return x - y }),
		pairs: []pairSpecial{{2, 2, 0, 1, -1}, {inf, inf, nan, 1, -1}}},
	{op: "mul", inputs: 2, lo: -3, hi: 3, f: two(autograd.Value.Mul), twin: both(func(x, y float64) float64 { return x * y }),
		pairs: []pairSpecial{{0, 2, 0, 2, 0}, {0, inf, nan, inf, 0}}},
	{op: "div", inputs: 2, lo: 0.5, hi: 3, f: two(autograd.Value.Div), twin: both(func(x, y float64) float64 { return x / y }),
		pairs: []pairSpecial{{1, 0, inf, inf, -inf}, {0, 0, nan, inf, nan}, {-6, 2, -3, 0.5, 1.5}}},
	{op: "pow", inputs: 2, lo: 0.3, hi: 2, f: two(autograd.Value.Pow), twin: both(math.Pow),
		pairs: []pairSpecial{{0, 2, 0, 0, 0}, {0, 1, 0, 1, 0}, {0, 0, 1, 0, 0}, {-2, 3, -8, 12, nan}, {nan, 0, 1, 0, nan}, {1, nan, 1, nan, 0}}},
	{op: "atan2", inputs: 2, lo: 0.2, hi: 3, f: two(autograd.Value.Atan2), twin: both(math.Atan2),
		pairs: []pairSpecial{{0, 0, 0, 0, 0}, {1, -1, 3 * math.Pi / 4, -0.5, -0.5}, {0, -2, math.Pi, -0.5, 0}}},
	{op: "hypot", inputs: 2, lo: 0.2, hi: 3, f: two(autograd.Value.Hypot), twin: both(math.Hypot),
		pairs: []pairSpecial{{0, 0, 0, 0, 0}, {-3, 4, 5, -0.6, 0.8}, {0, -2, 2, 0, -1}}},
	{op: "neg", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Neg), twin: each(func(x float64) float64 { return -x }),
		special: []special{{inf, -inf, -1}}},
	{op: "mul scalar", inputs: 1, lo: -3, hi: 3, f: with(autograd.Value.MulScalar, -2.5), twin: each(func(x float64) float64 { return -2.5 * x }),
		special: []special{{inf, -inf, -2.5}}},
	{op: "add scalar", inputs: 1, lo: -3, hi: 3, f: with(autograd.Value.AddScalar, -2.5), twin: each(func(x float64) float64 { return x - 2.5 }),
		special: []special{{inf, inf, 1}}},
	powScalar(2, special{0, 0, 0}, special{-3, 9, -6}),
	powScalar(1, special{0, 0, 1}),
	powScalar(0, special{0, 1, 0}, special{nan, 1, 0}),
	powScalar(3, special{0, 0, 0}, special{-2, -8, 12}),
	powScalar(0.5, special{4, 2, 0.25}, special{0, 0, inf}),
	powScalar(-1.5, special{4, 0.125, -0.046875}),
	{op: "square", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Square), twin: each(func(x float64) float64 { return x * x }),
		special: []special{{0, 0, 0}, {-inf, inf, -inf}}},
	{op: "sqrt", inputs: 1, lo: 0.3, hi: 3, f: one(autograd.Value.Sqrt), twin: each(math.Sqrt),
		special: []special{{0, 0, inf}, {-1, nan, nan}, {inf, inf, 0}}},
	{op: "rsqrt", inputs: 1, lo: 0.3, hi: 3, f: one(autograd.Value.Rsqrt), twin: each(func(x float64) float64 { return 1 / math.Sqrt(x) }),
		special: []special{{0, inf, -inf}, {4, 0.5, -0.0625}, {inf, 0, 0}}},
	{op: "reciprocal", inputs: 1, lo: 0.3, hi: 3, f: one(autograd.Value.Reciprocal), twin: each(func(x float64) float64 { return 1 / x }),
		special: []special{{0, inf, -inf}, {-2, -0.5, -0.25}, {inf, 0, 0}}},
	{op: "abs", inputs: 1, lo: -3, hi: 3, kinks: []float64{0}, f: one(autograd.Value.Abs), twin: each(math.Abs),
		special: []special{{0, 0, 0}, {-inf, inf, -1}}},
	{op: "sign", inputs: 1, lo: -3, hi: 3, kinks: []float64{0}, mask: true, f: one(autograd.Value.Sign), twin: each(signOf),
		special: []special{{0, 0, 0}, {-inf, -1, 0}, {nan, nan, 0}}},
	{op: "floor", inputs: 1, lo: -2.9, hi: 2.9, kinks: integers, mask: true, f: one(autograd.Value.Floor), twin: each(math.Floor),
		special: []special{{-0.5, -1, 0}, {2, 2, 0}}},
	{op: "trunc", inputs: 1, lo: -2.9, hi: 2.9, kinks: integers, mask: true, f: one(autograd.Value.Trunc), twin: each(math.Trunc),
		special: []special{{-1.5, -1, 0}, {0.5, 0, 0}, {2, 2, 0}, {-inf, -inf, 0}, {nan, nan, nan}}},
	{op: "ceil", inputs: 1, lo: -2.9, hi: 2.9, kinks: integers, mask: true, f: one(autograd.Value.Ceil), twin: each(math.Ceil),
		special: []special{{0.5, 1, 0}, {2, 2, 0}}},
	{op: "round", inputs: 1, lo: -3.4, hi: 3.4, kinks: halves, mask: true, f: one(autograd.Value.Round), twin: each(math.RoundToEven),
		special: []special{{0.5, 0, 0}, {1.5, 2, 0}, {2.5, 2, 0}, {-2.5, -2, 0}}},
}

var (
	integers = []float64{-3, -2, -1, 0, 1, 2, 3}
	halves   = []float64{-2.5, -1.5, -0.5, 0.5, 1.5, 2.5}
)

func powScalar(p float64, points ...special) opRow {
	return opRow{op: "pow scalar", note: fmt.Sprint(p), inputs: 1, lo: 0.3, hi: 3, f: with(autograd.Value.PowScalar, p),
		twin: each(func(x float64) float64 { return math.Pow(x, p) }), special: points}
}

var transcendentalRows = []opRow{
	{op: "exp", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Exp), twin: each(math.Exp),
		special: []special{{0, 1, 1}, {-1000, 0, 0}, {1000, inf, inf}}},
	{op: "expm1", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Expm1), twin: each(math.Expm1),
		special: []special{{0, 0, 1}, {-40, -1, math.Exp(-40)}, {math.Ldexp(1, -60), math.Ldexp(1, -60), 1}}},
	{op: "log", inputs: 1, lo: 0.3, hi: 3, f: one(autograd.Value.Log), twin: each(math.Log),
		special: []special{{0, -inf, inf}, {-1, nan, -1}, {1, 0, 1}, {inf, inf, 0}}},
	{op: "log1p", inputs: 1, lo: -0.7, hi: 3, f: one(autograd.Value.Log1p), twin: each(math.Log1p),
		special: []special{{0, 0, 1}, {-1, -inf, inf}, {math.Ldexp(1, -60), math.Ldexp(1, -60), 1}}},
	{op: "log2", inputs: 1, lo: 0.3, hi: 3, f: one(autograd.Value.Log2), twin: each(math.Log2),
		special: []special{{8, 3, 1 / (8 * math.Ln2)}, {0, -inf, inf}}},
	{op: "log10", inputs: 1, lo: 0.3, hi: 3, f: one(autograd.Value.Log10), twin: each(math.Log10),
		special: []special{{1000, 3, 1 / (1000 * math.Ln10)}, {0, -inf, inf}}},
	{op: "logaddexp", inputs: 2, lo: -3, hi: 3, f: two(autograd.Value.LogAddExp), twin: both(func(x, y float64) float64 { return math.Log(math.Exp(x) + math.Exp(y)) }),
		pairs: []pairSpecial{{1000, 1000, 1000 + math.Ln2, 0.5, 0.5}, {-inf, -inf, -inf, 0, 0}, {inf, inf, inf, 0.5, 0.5}, {-inf, 2, 2, 0, 1}, {2, inf, inf, 0, 1},
			{inf, -inf, inf, 1, 0}, {0, -40, math.Exp(-40), 1, math.Exp(-40)}, {nan, -inf, nan, nan, nan}}},
	{op: "sin", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Sin), twin: each(math.Sin), special: []special{{0, 0, 1}, {inf, nan, nan}}},
	{op: "cos", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Cos), twin: each(math.Cos), special: []special{{0, 1, 0}, {inf, nan, nan}}},
	{op: "tan", inputs: 1, lo: -1.1, hi: 1.1, f: one(autograd.Value.Tan), twin: each(math.Tan), special: []special{{0, 0, 1}}},
	{op: "asin", inputs: 1, lo: -0.8, hi: 0.8, f: one(autograd.Value.Asin), twin: each(math.Asin),
		special: []special{{1, math.Pi / 2, inf}, {-1, -math.Pi / 2, inf}, {2, nan, nan}}},
	{op: "acos", inputs: 1, lo: -0.8, hi: 0.8, f: one(autograd.Value.Acos), twin: each(math.Acos),
		special: []special{{1, 0, -inf}, {-1, math.Pi, -inf}, {2, nan, nan}}},
	{op: "atan", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Atan), twin: each(math.Atan),
		special: []special{{0, 0, 1}, {inf, math.Pi / 2, 0}}},
	{op: "sinh", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Sinh), twin: each(math.Sinh), special: []special{{0, 0, 1}, {-1000, -inf, inf}}},
	{op: "cosh", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Cosh), twin: each(math.Cosh), special: []special{{0, 1, 0}, {-1000, inf, -inf}}},
	{op: "tanh", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Tanh), twin: each(math.Tanh),
		special: []special{{0, 0, 1}, {19, 1, 4 * math.Exp(-38)}, {1000, 1, 0}, {-1000, -1, 0}, {inf, 1, 0}}},
	{op: "asinh", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Asinh), twin: each(math.Asinh),
		special: []special{{0, 0, 1}, {1e-300, 1e-300, 1}, {inf, inf, 0}, {-inf, -inf, 0}}},
	{op: "acosh", inputs: 1, lo: 1.3, hi: 4, f: one(autograd.Value.Acosh), twin: each(math.Acosh),
		special: []special{{1, 0, inf}, {0.5, nan, nan}, {-2, nan, nan}, {inf, inf, 0}}},
	{op: "atanh", inputs: 1, lo: -0.8, hi: 0.8, f: one(autograd.Value.Atanh), twin: each(math.Atanh),
		special: []special{{0, 0, 1}, {1, inf, inf}, {-1, -inf, inf}, {2, nan, -1. / 3}}},
	{op: "erf", inputs: 1, lo: -2, hi: 2, f: one(autograd.Value.Erf), twin: each(math.Erf),
		special: []special{{0, 0, 2 / math.SqrtPi}, {inf, 1, 0}}},
	{op: "erfc", inputs: 1, lo: -2, hi: 2, f: one(autograd.Value.Erfc), twin: each(math.Erfc),
		special: []special{{0, 1, -2 / math.SqrtPi}, {inf, 0, 0}, {5, 1.5374597944280348502e-12, -1.5670866531017335e-11}}},
	{op: "lgamma", inputs: 1, lo: 0.4, hi: 4, f: one(autograd.Value.Lgamma), twin: each(lnGamma),
		special: []special{{1, 0, -euler}, {2, 0, 1 - euler}, {0, inf, -inf}}},
	{op: "digamma", inputs: 1, lo: 0.4, hi: 4, f: one(autograd.Value.Digamma),
		special: []special{{1, -euler, math.Pi * math.Pi / 6}, {0.5, -euler - 2*math.Ln2, math.Pi * math.Pi / 2}, {2, 1 - euler, math.Pi*math.Pi/6 - 1}}},
	{op: "polygamma", note: "order 0", inputs: 1, lo: 0.4, hi: 4, f: polygamma(0), special: []special{{1, -euler, math.Pi * math.Pi / 6}}},
	{op: "polygamma", note: "order 1", inputs: 1, lo: 0.6, hi: 4, f: polygamma(1), special: []special{{1, math.Pi * math.Pi / 6, -2 * zeta3}}},
	{op: "polygamma", note: "order 2", inputs: 1, lo: 0.8, hi: 4, f: polygamma(2), special: []special{{1, -2 * zeta3, math.Pow(math.Pi, 4) / 15}}},
}

const (
	euler = 0.57721566490153286060651209008240243 // Euler's constant
	zeta3 = 1.2020569031595942853997381615114500  // Σ 1/n³
)

func lnGamma(x float64) float64 {
	y, _ := math.Lgamma(x)
	return y
}

func polygamma(order int) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return in[0].Polygamma(order) }
}

func signOf(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// sides is below(x) for x ≤ 0, else above(x).
func sides(below, above func(x float64) float64) func(x float64) float64 {
	return func(x float64) float64 {
		if x > 0 {
			return above(x)
		}
		return below(x)
	}
}

func identity(x float64) float64 { return x }

func times(a float64) func(x float64) float64 { return func(x float64) float64 { return a * x } }

func bounded(lo, hi float64) func(x float64) float64 {
	return func(x float64) float64 { return math.Min(math.Max(x, lo), hi) }
}

const (
	seluAlpha = 1.6732632423543772848170429916717
	seluScale = 1.0507009873554804934193349852946
)

var activationRows = []opRow{
	{op: "linear", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Linear), twin: each(identity), special: []special{{0, 0, 1}}},
	{op: "relu", inputs: 1, lo: -3, hi: 3, kinks: []float64{0}, f: one(autograd.Value.ReLU), twin: each(sides(times(0), identity)),
		special: []special{{0, 0, 0}, {-inf, 0, 0}, {inf, inf, 1}}},
	{op: "relu6", inputs: 1, lo: -3, hi: 9, kinks: []float64{0, 6}, f: one(autograd.Value.ReLU6), twin: each(bounded(0, 6)),
		special: []special{{0, 0, 0}, {6, 6, 0}, {1000, 6, 0}}},
	{op: "leaky relu", inputs: 1, lo: -3, hi: 3, kinks: []float64{0}, f: with(autograd.Value.LeakyReLU, 0.25), twin: each(sides(times(0.25), identity)),
		special: []special{{0, 0, 0.25}, {-1000, -250, 0.25}}},
	{op: "prelu", inputs: 2, lo: -2, hi: 2, kinks: []float64{0}, f: two(autograd.Value.PReLU), twin: both(func(x, slope float64) float64 { return sides(times(slope), identity)(x) }),
		pairs: []pairSpecial{{0, 0.25, 0, 0.25, 0}, {-2, 0.25, -0.5, 0.25, -2}, {2, 0.25, 2, 1, 0}}},
	{op: "elu", inputs: 1, lo: -3, hi: 3, kinks: []float64{0}, f: with(autograd.Value.ELU, 0.75),
		twin:    each(sides(func(x float64) float64 { return 0.75 * math.Expm1(x) }, identity)),
		special: []special{{0, 0, 0.75}, {-1000, -0.75, 0}, {1000, 1000, 1}}},
	{op: "selu", inputs: 1, lo: -3, hi: 3, kinks: []float64{0}, f: one(autograd.Value.SELU),
		twin:    each(sides(func(x float64) float64 { return seluScale * seluAlpha * math.Expm1(x) }, times(seluScale))),
		special: []special{{0, 0, seluScale * seluAlpha}, {-1000, -seluScale * seluAlpha, 0}, {1000, 1000 * seluScale, seluScale}}},
	{op: "celu", inputs: 1, lo: -3, hi: 3, kinks: []float64{0}, f: with(autograd.Value.CELU, 0.5),
		twin:    each(sides(func(x float64) float64 { return 0.5 * math.Expm1(2*x) }, identity)),
		special: []special{{0, 0, 1}, {-1000, -0.5, 0}, {1000, 1000, 1}}},
	{op: "gelu", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.GELU),
		twin:    each(func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }),
		special: []special{{0, 0, 0.5}, {1000, 1000, 1}, {-1000, 0, 0}}},
	{op: "gelu tanh", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.GELUTanh),
		twin:    each(func(x float64) float64 { return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) }),
		special: []special{{0, 0, 0.5}, {1000, 1000, 1}, {-1000, 0, 0}}},
	{op: "silu", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.SiLU), twin: each(func(x float64) float64 { return x * logistic(x) }),
		special: []special{{0, 0, 0.5}, {1000, 1000, 1}, {-1000, 0, 0}}},
	{op: "mish", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Mish),
		twin:    each(func(x float64) float64 { return x * math.Tanh(math.Log1p(math.Exp(x))) }),
		special: []special{{0, 0, 0.6}, {1000, 1000, 1}, {-1000, 0, 0}}},
	{op: "softplus", inputs: 1, lo: -3, hi: 3, f: with(autograd.Value.Softplus, 1), twin: each(func(x float64) float64 { return math.Log1p(math.Exp(x)) }),
		special: []special{{0, math.Ln2, 0.5}, {25, 25.0000000000138879438648, logistic(25)}, {1000, 1000, 1}, {-1000, 0, 0}}},
	{op: "softplus", note: "beta 3", inputs: 1, lo: -3, hi: 3, f: with(autograd.Value.Softplus, 3), twin: each(func(x float64) float64 { return math.Log1p(math.Exp(3*x)) / 3 }),
		special: []special{{0, math.Ln2 / 3, 0.5}, {1000, 1000, 1}, {1e308, 1e308, 1}, {-1000, 0, 0}, {inf, inf, 1}, {-inf, 0, 0}, {nan, nan, nan}}},
	{op: "softplus", note: "beta -2", inputs: 1, lo: -3, hi: 3, f: with(autograd.Value.Softplus, -2), twin: each(func(x float64) float64 { return math.Log1p(math.Exp(-2*x)) / -2 }),
		special: []special{{0, -math.Ln2 / 2, 0.5}, {-1000, -1000, 1}, {1000, 0, 0}}},
	{op: "hard shrink", inputs: 1, lo: -3, hi: 3, kinks: []float64{-0.5, 0.5}, f: with(autograd.Value.HardShrink, 0.5),
		twin:    each(func(x float64) float64 { return x * truth(math.Abs(x) > 0.5) }),
		special: []special{{0.5, 0, 0}, {-0.5, 0, 0}, {0.75, 0.75, 1}, {0, 0, 0}, {inf, inf, 1}, {nan, nan, nan}}},
	{op: "softsign", inputs: 1, lo: -3, hi: 3, kinks: []float64{0}, f: one(autograd.Value.Softsign), twin: each(func(x float64) float64 { return x / (1 + math.Abs(x)) }),
		special: []special{{0, 0, 1}, {-1, -0.5, 0.25}, {1, 0.5, 0.25}}},
	{op: "sigmoid", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.Sigmoid), twin: each(logistic),
		special: []special{{0, 0.5, 0.25}, {40, 1, math.Exp(-40)}, {-40, math.Exp(-40), math.Exp(-40)}, {1000, 1, 0}, {-1000, 0, 0}}},
	{op: "log sigmoid", inputs: 1, lo: -3, hi: 3, f: one(autograd.Value.LogSigmoid), twin: each(func(x float64) float64 { return math.Log(logistic(x)) }),
		special: []special{{0, -math.Ln2, 0.5}, {-1000, -1000, 1}, {1000, 0, 0}}},
	{op: "hard sigmoid", inputs: 1, lo: -5, hi: 5, kinks: []float64{-3, 3}, f: one(autograd.Value.HardSigmoid),
		twin:    each(func(x float64) float64 { return bounded(0, 6)(x+3) / 6 }),
		special: []special{{-3, 0, 0}, {3, 1, 0}, {0, 0.5, 1. / 6}}},
	{op: "hard swish", inputs: 1, lo: -5, hi: 5, kinks: []float64{-3, 3}, f: one(autograd.Value.HardSwish),
		twin:    each(func(x float64) float64 { return x * bounded(0, 6)(x+3) / 6 }),
		special: []special{{-3, 0, 0}, {3, 3, 1}, {0, 0, 0.5}, {1000, 1000, 1}, {-1000, 0, 0}}},
	{op: "hard tanh", inputs: 1, lo: -3, hi: 3, kinks: []float64{-1, 1}, f: one(autograd.Value.HardTanh), twin: each(bounded(-1, 1)),
		special: []special{{-1, -1, 0}, {1, 1, 0}, {0, 0, 1}, {-inf, -1, 0}}},
}

var comparisonRows = []opRow{
	{op: "maximum", inputs: 2, lo: -3, hi: 3, f: two(autograd.Value.Maximum), twin: both(math.Max),
		pairs: []pairSpecial{{2, 2, 2, 0.5, 0.5}, {1, 2, 2, 0, 1}, {inf, inf, inf, 0.5, 0.5}}},
	{op: "minimum", inputs: 2, lo: -3, hi: 3, f: two(autograd.Value.Minimum), twin: both(math.Min),
		pairs: []pairSpecial{{2, 2, 2, 0.5, 0.5}, {1, 2, 1, 1, 0}, {-inf, -inf, -inf, 0.5, 0.5}}},
	{op: "clamp", inputs: 1, lo: -3, hi: 3, kinks: []float64{-1, 1.5},
		f:       func(in ...autograd.Value) autograd.Value { return in[0].Clamp(-1, 1.5) },
		twin:    each(bounded(-1, 1.5)),
		special: []special{{-1, -1, 1}, {1.5, 1.5, 1}, {2, 1.5, 0}, {inf, 1.5, 0}}},
	{op: "where", inputs: 2, lo: -3, hi: 3, kinks: []float64{0},
		f: func(in ...autograd.Value) autograd.Value { return autograd.Where(in[0].GreaterScalar(0), in[0], in[1]) },
		twin: both(func(x, y float64) float64 {
			return sides(times(0), identity)(x) + sides(func(float64) float64 { return y }, times(0))(x)
		}),
		pairs: []pairSpecial{{1, inf, 1, 1, 0}, {-1, inf, inf, 0, 1}, {1, nan, 1, 1, 0}}},
	maskRow("equal", autograd.Value.Equal, func(x, y float64) bool { return x == y }),
	maskRow("not equal", autograd.Value.NotEqual, func(x, y float64) bool { return x != y }),
	maskRow("less", autograd.Value.Less, func(x, y float64) bool { return x < y }),
	maskRow("less equal", autograd.Value.LessEqual, func(x, y float64) bool { return x <= y }),
	maskRow("greater", autograd.Value.Greater, func(x, y float64) bool { return x > y }),
	maskRow("greater equal", autograd.Value.GreaterEqual, func(x, y float64) bool { return x >= y }),
	maskScalarRow("equal scalar", autograd.Value.EqualScalar, func(x, y float64) bool { return x == y }),
	maskScalarRow("not equal scalar", autograd.Value.NotEqualScalar, func(x, y float64) bool { return x != y }),
	maskScalarRow("less scalar", autograd.Value.LessScalar, func(x, y float64) bool { return x < y }),
	maskScalarRow("less equal scalar", autograd.Value.LessEqualScalar, func(x, y float64) bool { return x <= y }),
	maskScalarRow("greater scalar", autograd.Value.GreaterScalar, func(x, y float64) bool { return x > y }),
	maskScalarRow("greater equal scalar", autograd.Value.GreaterEqualScalar, func(x, y float64) bool { return x >= y }),
	{op: "is nan", inputs: 1, lo: -3, hi: 3, mask: true, f: one(autograd.Value.IsNaN), twin: each(times(0)),
		special: []special{{nan, 1, 0}, {inf, 0, 0}}},
	{op: "is finite", inputs: 1, lo: -3, hi: 3, mask: true, f: one(autograd.Value.IsFinite), twin: each(func(float64) float64 { return 1 }),
		special: []special{{nan, 0, 0}, {inf, 0, 0}, {-inf, 0, 0}}},
}

// truth is 1 or 0.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func maskRow(op string, f func(x, y autograd.Value) autograd.Value, holds func(x, y float64) bool) opRow {
	r := opRow{op: op, inputs: 2, lo: -3, hi: 3, mask: true, f: two(f),
		twin: both(func(x, y float64) float64 { return truth(holds(x, y)) })}
	for _, at := range [][2]float64{{1, 1}, {1, 2}, {2, 1}, {nan, nan}, {nan, 1}, {inf, inf}} {
		r.pairs = append(r.pairs, pairSpecial{at[0], at[1], truth(holds(at[0], at[1])), 0, 0})
	}
	return r
}

func maskScalarRow(op string, f func(x autograd.Value, c float64) autograd.Value, holds func(x, y float64) bool) opRow {
	r := opRow{op: op, inputs: 1, lo: -3, hi: 3, kinks: []float64{0.5}, mask: true, f: with(f, 0.5),
		twin: each(func(x float64) float64 { return truth(holds(x, 0.5)) })}
	for _, at := range []float64{0.5, 0, 1, nan, inf} {
		r.special = append(r.special, special{at, truth(holds(at, 0.5)), 0})
	}
	return r
}

var softmaxRows = []opRow{
	{op: "softmax", note: "last axis", shapes: [][]int{{2, 3}}, more: [][][]int{{{4}}, {{1}}, {{0}}, {{0, 3}}, {{2, 0}}, {{2, 3, 4}}}, lo: -3, hi: 3,
		f: axis(autograd.Value.Softmax, -1), twin: alongAxis(-1, softmax)},
	{op: "softmax", note: "middle axis", shapes: [][]int{{2, 3, 2}}, more: [][][]int{{{1, 1, 1}}, {{2, 0, 2}}, {{0, 2, 2}}}, lo: -3, hi: 3,
		f: axis(autograd.Value.Softmax, 1), twin: alongAxis(1, softmax)},
	{op: "softmax gradient", shapes: [][]int{{2, 3, 2}, {2, 3, 2}}, more: [][][]int{{{1, 1, 1}, {1, 1, 1}}, {{2, 0, 2}, {2, 0, 2}}}, lo: -1, hi: 1,
		f: vjpOf(axis(autograd.Value.Softmax, 1))},
	{op: "log softmax", note: "last axis", shapes: [][]int{{2, 3}}, more: [][][]int{{{4}}, {{1}}, {{0}}, {{0, 3}}, {{2, 0}}, {{2, 3, 4}}}, lo: -3, hi: 3,
		f: axis(autograd.Value.LogSoftmax, -1), twin: alongAxis(-1, logSoftmax)},
	{op: "log softmax", note: "middle axis", shapes: [][]int{{2, 3, 2}}, more: [][][]int{{{1, 1, 1}}, {{2, 0, 2}}, {{0, 2, 2}}}, lo: -3, hi: 3,
		f: axis(autograd.Value.LogSoftmax, 1), twin: alongAxis(1, logSoftmax)},
	{op: "log softmax gradient", shapes: [][]int{{2, 3, 2}, {2, 3, 2}}, more: [][][]int{{{1, 1, 1}, {1, 1, 1}}, {{2, 0, 2}, {2, 0, 2}}}, lo: -1, hi: 1,
		f: vjpOf(axis(autograd.Value.LogSoftmax, 1))},
}

func softmax(x []float64) []float64 {
	y, sum := make([]float64, len(x)), 0.0
	for _, v := range x {
		sum += math.Exp(v)
	}
	for i, v := range x {
		y[i] = math.Exp(v) / sum
	}
	return y
}

func logSoftmax(x []float64) []float64 {
	y := softmax(x)
	for i, v := range y {
		y[i] = math.Log(v)
	}
	return y
}

// vjpOf is the gradient of f at the first input under the second.
func vjpOf(f func(in ...autograd.Value) autograd.Value) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return autograd.VJP(f(in[0]), in[1], in[0])[0] }
}

// A reduction is an operation over axes and what it makes of one list.
type reduction struct {
	op, note string
	lo, hi   float64
	kinks    []float64
	f        func(x reducer, axes ...int) autograd.Value
	list     func(x []float64) float64
	nonEmpty bool // there is no value for no elements
}

// A reducer is a Value, or its reductions that keep the reduced axes.
type reducer interface {
	Sum(axes ...int) autograd.Value
	Mean(axes ...int) autograd.Value
	Prod(axes ...int) autograd.Value
	Max(axes ...int) autograd.Value
	Min(axes ...int) autograd.Value
	Var(axes ...int) autograd.Value
	Std(axes ...int) autograd.Value
	PopulationVar(axes ...int) autograd.Value
	PopulationStd(axes ...int) autograd.Value
	Norm(p float64, axes ...int) autograd.Value
	LogSumExp(axes ...int) autograd.Value
}

// kept among axes says that a reduction keeps them.
const kept = math.MinInt

// reduced returns what reduces x, and the axes without the word kept.
func reduced(x autograd.Value, axes []int) (reducer, []int) {
	if named := slices.DeleteFunc(slices.Clone(axes), func(a int) bool { return a == kept }); len(named) < len(axes) {
		return x.KeepDims(), named
	}
	return x, axes
}

var reductions = []reduction{
	{op: "sum", lo: -2, hi: 3, f: reducer.Sum, list: sumOf},
	{op: "mean", lo: -2, hi: 3, f: reducer.Mean, list: meanOf},
	{op: "prod", lo: 0.5, hi: 1.5, f: reducer.Prod, list: productOf},
	{op: "max", lo: -3, hi: 3, f: reducer.Max, list: slices.Max[[]float64], nonEmpty: true},
	{op: "min", lo: -3, hi: 3, f: reducer.Min, list: slices.Min[[]float64], nonEmpty: true},
	{op: "var", lo: -3, hi: 3, f: reducer.Var, list: func(x []float64) float64 { return variance(x, 1) }},
	{op: "var", note: "population", lo: -3, hi: 3, f: reducer.PopulationVar, list: func(x []float64) float64 { return variance(x, 0) }},
	{op: "std", lo: -3, hi: 3, f: reducer.Std, list: func(x []float64) float64 { return math.Sqrt(variance(x, 1)) }},
	{op: "std", note: "population", lo: -3, hi: 3, f: reducer.PopulationStd, list: func(x []float64) float64 { return math.Sqrt(variance(x, 0)) }},
	{op: "norm", note: "1", lo: -3, hi: 3, kinks: []float64{0}, f: normOf(1), list: pNorm(1)},
	{op: "norm", note: "1.5", lo: -3, hi: 3, kinks: []float64{0}, f: normOf(1.5), list: pNorm(1.5)},
	{op: "norm", note: "2", lo: -3, hi: 3, f: normOf(2), list: pNorm(2)},
	{op: "norm", note: "3", lo: -3, hi: 3, kinks: []float64{0}, f: normOf(3), list: pNorm(3)},
	{op: "norm", note: "Inf", lo: -6, hi: -0.5, f: normOf(inf), list: func(x []float64) float64 {
		y := 0.0
		for _, v := range x {
			y = math.Max(y, math.Abs(v))
		}
		return y
	}},
	{op: "logsumexp", lo: -3, hi: 3, f: reducer.LogSumExp, list: func(x []float64) float64 {
		y := 0.0
		for _, v := range x {
			y += math.Exp(v)
		}
		return math.Log(y)
	}},
}

// reductionAxes are the axes that each reduction is tried over: adjacent and
// not, first and last, kept and not.
var reductionAxes = [][]int{
	{}, {kept}, {0}, {-1}, {1, kept}, {1, 0}, {0, 2}, {kept, -1, 0},
}

func reductionRows() []opRow {
	rows := []opRow{
		{op: "prod", note: "zeros", shapes: [][]int{{4, 3}}, lo: 0.5, hi: 1.5, f: over1(autograd.Value.Prod), twin: overAxes([]int{1}, productOf), plant: zeroAt(1, 6, 8)},
		{op: "cumsum", note: "last axis", shapes: [][]int{{2, 3}}, more: [][][]int{{{3}}, {{1}}, {{0}}, {{2, 0}}, {{0, 2}}}, lo: -3, hi: 3,
			f: axis(autograd.Value.CumSum, -1), twin: alongAxis(-1, running(func(x, y float64) float64 { return x + y }))},
		{op: "cumsum", note: "first axis", shapes: [][]int{{3, 2}}, more: [][][]int{{{3}}, {{1, 1}}, {{2, 0}}, {{0, 2}}}, lo: -3, hi: 3,
			f: axis(autograd.Value.CumSum, 0), twin: alongAxis(0, running(func(x, y float64) float64 { return x + y }))},
		{op: "cumprod", note: "last axis", shapes: [][]int{{2, 3}}, more: [][][]int{{{3}}, {{1}}, {{0}}, {{2, 0}}, {{0, 2}}}, lo: 0.5, hi: 1.5,
			f: axis(autograd.Value.CumProd, -1), twin: alongAxis(-1, running(func(x, y float64) float64 { return x * y }))},
		{op: "cumprod", note: "zeros", shapes: [][]int{{2, 3, 2}}, lo: 0.5, hi: 1.5, plant: zeroAt(1, 2, 4, 9),
			f: axis(autograd.Value.CumProd, 1), twin: alongAxis(1, running(func(x, y float64) float64 { return x * y }))},
		{op: "argmax", shapes: [][]int{{4, 3}}, more: [][][]int{{{1, 3}}, {{0, 3}}}, lo: -3, hi: 3, mask: true,
			f: chosen(autograd.Value.ArgMax), twin: alongAxis(-1, isBest(slices.Max[[]float64]))},
		{op: "argmin", shapes: [][]int{{4, 3}}, more: [][][]int{{{1, 3}}, {{0, 3}}}, lo: -3, hi: 3, mask: true,
			f: chosen(autograd.Value.ArgMin), twin: alongAxis(-1, isBest(slices.Min[[]float64]))},
	}
	for _, r := range reductions {
		for _, axes := range reductionAxes {
			row := opRow{op: r.op, note: strings.TrimSpace(r.note + " over " + axesText(axes)), shapes: [][]int{{2, 3, 2}}, lo: r.lo, hi: r.hi, kinks: r.kinks}
			row.f = func(in ...autograd.Value) autograd.Value {
				x, over := reduced(in[0], axes)
				return r.f(x, over...)
			}
			row.twin = overAxes(axes, r.list)
			row.more = [][][]int{{{1, 1, 1}}, {{3, 5, 7}}}
			for _, empty := range [][]int{{0, 3, 2}, {2, 0, 2}, {2, 3, 0}} {
				if !r.nonEmpty || volume(resultOf(empty, axes)) == 0 {
					row.more = append(row.more, [][]int{empty})
				}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func axesText(axes []int) string {
	text := []string{}
	for _, axis := range axes {
		if axis == kept {
			text = append(text, "kept")
		} else {
			text = append(text, fmt.Sprint(axis))
		}
	}
	return strings.Join(text, ",")
}

func sumOf(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum
}

func meanOf(x []float64) float64 { return sumOf(x) / float64(len(x)) }

func productOf(x []float64) float64 {
	y := 1.0
	for _, v := range x {
		y *= v
	}
	return y
}

func variance(x []float64, correction int) float64 {
	if len(x) <= correction {
		return nan
	}
	sum, mean := 0.0, meanOf(x)
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return sum / float64(len(x)-correction)
}

func pNorm(p float64) func(x []float64) float64 {
	return func(x []float64) float64 {
		sum := 0.0
		for _, v := range x {
			sum += math.Pow(math.Abs(v), p)
		}
		return math.Pow(sum, 1/p)
	}
}

func normOf(p float64) func(x reducer, axes ...int) autograd.Value {
	return func(x reducer, axes ...int) autograd.Value { return x.Norm(p, axes...) }
}

// over1 is a reduction over axis 1.
func over1(f func(x autograd.Value, axes ...int) autograd.Value) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return f(in[0], 1) }
}

func zeroAt(places ...int) func(in []grid) {
	return func(in []grid) {
		for _, place := range places {
			in[0].data[place] = 0
		}
	}
}

// chosen marks what an index along the last axis points to.
func chosen(f func(x autograd.Value, axis int) autograd.Ints) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value {
		return in[0].Graph().OneHot(f(in[0], -1), in[0].Dim(-1))
	}
}

func isBest(best func(x []float64) float64) func(x []float64) []float64 {
	return func(x []float64) []float64 {
		y := make([]float64, len(x))
		for i, v := range x {
			y[i] = truth(v == best(x))
		}
		return y
	}
}

func running(f func(x, y float64) float64) func(x []float64) []float64 {
	return func(x []float64) []float64 {
		y := slices.Clone(x)
		for i := 1; i < len(y); i++ {
			y[i] = f(y[i-1], x[i])
		}
		return y
	}
}

var linalgRows = []opRow{
	matmulRow("ij,jk->ik", [][]int{{2, 3}, {3, 4}}, [][]int{{1, 1}, {1, 1}}, [][]int{{2, 0}, {0, 3}}, [][]int{{0, 2}, {2, 3}}, [][]int{{3, 2}, {2, 0}}, [][]int{{9, 17}, {17, 5}}),
	matmulRow("i,ij->j", [][]int{{3}, {3, 2}}, [][]int{{1}, {1, 1}}, [][]int{{0}, {0, 2}}),
	matmulRow("ij,j->i", [][]int{{2, 3}, {3}}, [][]int{{1, 1}, {1}}, [][]int{{2, 0}, {0}}),
	matmulRow("i,i->", [][]int{{3}, {3}}, [][]int{{1}, {1}}, [][]int{{0}, {0}}),
	matmulRow("bij,bjk->bik", [][]int{{2, 2, 3}, {2, 3, 2}}, [][]int{{1, 1, 1}, {1, 1, 1}}, [][]int{{0, 2, 3}, {0, 3, 2}}, [][]int{{2, 2, 0}, {2, 0, 2}}),
	matmulRow("bij,jk->bik", [][]int{{2, 2, 3}, {3, 2}}, [][]int{{0, 2, 3}, {3, 2}}),
	matmulRow("ij,bjk->bik", [][]int{{2, 3}, {2, 3, 2}}, [][]int{{2, 3}, {0, 3, 2}}),
	matmulRow("axij,bjk->abik", [][]int{{2, 1, 2, 2}, {3, 2, 1}}, [][]int{{2, 1, 2, 2}, {0, 2, 1}}),
	matmulRow("xij,bjk->bik", [][]int{{1, 2, 3}, {2, 3, 2}}),
	matmulRow("bij,j->bi", [][]int{{2, 2, 3}, {3}}, [][]int{{0, 2, 3}, {3}}),
	matmulRow("j,bjk->bk", [][]int{{3}, {2, 3, 2}}, [][]int{{3}, {0, 3, 2}}),
	{op: "dot", shapes: [][]int{{3}, {3}}, more: [][][]int{{{1}, {1}}, {{0}, {0}}}, lo: -3, hi: 3, f: two(autograd.Value.Dot), twin: products("i,i->")},
	{op: "outer", shapes: [][]int{{3}, {2}}, more: [][][]int{{{1}, {1}}, {{0}, {2}}, {{2}, {0}}}, lo: -3, hi: 3, f: two(autograd.Value.Outer), twin: products("i,j->ij")},
	diagonalRow(0), diagonalRow(1), diagonalRow(-1), diagonalRow(7), diagonalRow(-7),
	{op: "on diagonal", shapes: [][]int{{2, 3, 4}, {2, 2}}, more: [][][]int{{{1, 2, 2}, {1, 1}}}, lo: -3, hi: 3,
		f: vjpOf(func(in ...autograd.Value) autograd.Value { return in[0].Diagonal(-1) }),
		twin: func(in ...grid) grid {
			return build(in[0].shape, func(at []int) float64 {
				if at[1] != at[2]+1 {
					return 0
				}
				return in[1].at(at[0], at[2])
			})
		}},
	triangleRow("triu", autograd.Value.Triu, 0, func(i, j int) bool { return j >= i }),
	triangleRow("triu", autograd.Value.Triu, -1, func(i, j int) bool { return j >= i-1 }),
	triangleRow("tril", autograd.Value.Tril, 0, func(i, j int) bool { return j <= i }),
	triangleRow("tril", autograd.Value.Tril, 1, func(i, j int) bool { return j <= i+1 }),
	einsumRow("ij,jk->ik", []int{2, 3}, []int{3, 2}),
	einsumRow("ii->i", []int{3, 3}),
	einsumRow("ii", []int{3, 3}),
	einsumRow("ijk->kj", []int{2, 3, 2}),
	einsumRow("bhid,bhjd->bhij", []int{2, 1, 2, 2}, []int{2, 1, 3, 2}),
	einsumRow("ij,jk,k->i", []int{2, 3}, []int{3, 2}, []int{2}),
	einsumRow("iji,jk->ki", []int{2, 3, 2}, []int{3, 2}),
	einsumRow("ba,ca", []int{2, 3}, []int{2, 3}),
	einsumRow("ij,k->", []int{2, 2}, []int{3}),
	einsumRow("ij,jk->ik", []int{2, 0}, []int{0, 2}),
	einsumRow("...ij->...ji", []int{2, 3, 2}),
	einsumRow("...,...->...", []int{2, 3}, []int{2, 3}),
	einsumRow("i...,i...", []int{2, 3}, []int{2, 3}),
	{op: "einsum", note: "broadcast", shapes: [][]int{{2, 1, 2, 3}, {4, 3, 2}}, lo: -3, hi: 3,
		more: [][][]int{{{2, 4, 2, 3}, {3, 2}}, {{2, 3}, {2, 4, 3, 2}}, {{2, 3}, {2, 1, 3, 2}}},
		f:    func(in ...autograd.Value) autograd.Value { return autograd.Einsum("...ij,...jk->...ik", in...) },
		twin: func(in ...grid) grid {
			lead := []int{2, 4}
			for i := range lead {
				longest := 1
				for _, x := range in {
					if at := len(x.shape) - 4 + i; at >= 0 {
						longest = max(longest, x.shape[at])
					}
				}
				lead[i] = longest
			}
			return products("abij,abjk->abik")(in[0].repeated(append(slices.Clone(lead), 2, 3)), in[1].repeated(append(slices.Clone(lead), 3, 2)))
		}},
}

func matmulRow(equation string, shapes [][]int, more ...[][]int) opRow {
	return opRow{op: "matmul", note: equation, shapes: shapes, more: more, lo: -3, hi: 3, f: two(autograd.Value.MatMul), twin: products(equation)}
}

func diagonalRow(k int) opRow {
	return opRow{op: "diagonal", note: fmt.Sprint(k), shapes: [][]int{{3, 4}}, more: [][][]int{{{2, 3, 3}}, {{4, 2}}, {{1, 1}}, {{0, 3}}, {{3, 0}}, {{0, 2, 2}}}, lo: -3, hi: 3,
		f: axis(autograd.Value.Diagonal, k),
		twin: func(in ...grid) grid {
			shape := slices.Clone(in[0].shape)
			last := len(shape) - 1
			rows, columns, length := shape[last-1], shape[last], 0
			for i := range rows {
				if j := i + k; j >= 0 && j < columns {
					length++
				}
			}
			shape[last-1] = length
			return build(shape[:last], func(at []int) float64 {
				i := at[last-1] + max(0, -k)
				return in[0].at(append(slices.Clone(at[:last-1]), i, i+k)...)
			})
		}}
}

func triangleRow(op string, f func(x autograd.Value, k int) autograd.Value, k int, kept func(i, j int) bool) opRow {
	return opRow{op: op, note: fmt.Sprint(k), shapes: [][]int{{2, 3, 2}}, more: [][][]int{{{2, 4}}, {{1, 1}}, {{0, 3}}, {{3, 0}}, {{0, 2, 2}}}, lo: -3, hi: 3,
		f: axis(f, k),
		twin: func(in ...grid) grid {
			last := len(in[0].shape) - 1
			return build(in[0].shape, func(at []int) float64 { return in[0].at(at...) * truth(kept(at[last-1], at[last])) })
		}}
}

func einsumRow(equation string, shapes ...[]int) opRow {
	explicit := map[string]string{
		"ii": "ii->", "ba,ca": "ba,ca->bc", "...ij->...ji": "aij->aji", "...,...->...": "ab,ab->ab", "i...,i...": "ia,ia->a",
	}[equation]
	if explicit == "" {
		explicit = equation
	}
	return opRow{op: "einsum", note: fmt.Sprint(equation, shapes), shapes: shapes, lo: -3, hi: 3, twin: products(explicit),
		f: func(in ...autograd.Value) autograd.Value { return autograd.Einsum(equation, in...) }}
}

var shapingRows = []opRow{
	{op: "reshape", shapes: [][]int{{2, 3}}, more: [][][]int{{{6}}, {{1, 6, 1}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Reshape(3, -1) },
		twin: func(in ...grid) grid { return grid{[]int{3, 2}, in[0].data} }},
	{op: "reshape", note: "none", shapes: [][]int{{0, 3}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Reshape(5, 0, 2) },
		twin: func(in ...grid) grid { return zeros([]int{5, 0, 2}) }},
	{op: "reshape", note: "scalar", shapes: [][]int{{1, 1}}, more: [][][]int{{{}}, {{1}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Reshape() },
		twin: func(in ...grid) grid { return grid{[]int{}, in[0].data} }},
	{op: "flatten", shapes: [][]int{{2, 3, 2}}, more: [][][]int{{{2, 0, 2}}, {{1, 1, 1}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Flatten(1, -1) },
		twin: func(in ...grid) grid { return grid{[]int{in[0].shape[0], volume(in[0].shape[1:])}, in[0].data} }},
	{op: "squeeze", note: "all", shapes: [][]int{{1, 3, 1}}, more: [][][]int{{{1, 1}}, {{0, 1}}, {{}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Squeeze() },
		twin: func(in ...grid) grid {
			return grid{slices.DeleteFunc(slices.Clone(in[0].shape), func(d int) bool { return d == 1 }), in[0].data}
		}},
	{op: "squeeze", note: "one", shapes: [][]int{{1, 3, 1}}, more: [][][]int{{{1, 1}}, {{0, 1}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Squeeze(-1) },
		twin: func(in ...grid) grid { return grid{in[0].shape[:len(in[0].shape)-1], in[0].data} }},
	{op: "unsqueeze", shapes: [][]int{{2, 3}}, more: [][][]int{{{1, 1}}, {{0, 3}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Unsqueeze(1) },
		twin: func(in ...grid) grid { return grid{[]int{in[0].shape[0], 1, in[0].shape[1]}, in[0].data} }},
	{op: "unsqueeze", note: "behind", shapes: [][]int{{2, 3}}, more: [][][]int{{{}}, {{0}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Unsqueeze(-1) },
		twin: func(in ...grid) grid { return grid{append(slices.Clone(in[0].shape), 1), in[0].data} }},
	{op: "unsqueeze", note: "several", shapes: [][]int{{2, 3}}, more: [][][]int{{{1, 1}}, {{0, 3}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Unsqueeze(-1, 0, 2) },
		twin: func(in ...grid) grid { return grid{[]int{1, in[0].shape[0], 1, in[0].shape[1], 1}, in[0].data} }},
	{op: "unsqueeze", note: "none", shapes: [][]int{{2, 3}}, more: [][][]int{{{}}, {{0}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Unsqueeze() },
		twin: func(in ...grid) grid { return in[0] }},
	{op: "expand", shapes: [][]int{{2, 1}}, more: [][][]int{{{}}, {{1}}, {{3}}, {{1, 3}}, {{2, 3}}, {{4, 1, 3}}, {{4, 2, 3}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Expand(4, 2, 3) },
		twin: func(in ...grid) grid { return in[0].repeated([]int{4, 2, 3}) }},
	{op: "expand", note: "to none", shapes: [][]int{{2, 1}}, more: [][][]int{{{}}, {{1}}, {{0}}, {{2, 0}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Expand(2, 0) },
		twin: func(in ...grid) grid { return zeros([]int{2, 0}) }},
	{op: "permute", shapes: [][]int{{2, 3, 2}}, more: [][][]int{{{1, 1, 1}}, {{0, 2, 3}}, {{5, 9, 4}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Permute(2, 0, -2) },
		twin: products("abc->cab")},
	{op: "transpose", shapes: [][]int{{2, 3, 2}}, more: [][][]int{{{1, 1, 1}}, {{0, 2, 3}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Transpose(0, -1) },
		twin: products("abc->cba")},
	{op: "t", shapes: [][]int{{2, 3}}, more: [][][]int{{{1, 1}}, {{0, 2}}, {{33, 17}}}, lo: -3, hi: 3, f: one(autograd.Value.T), twin: products("ab->ba")},
	sliceRow(0, 1, 4, 1, 1, 2, 3),
	sliceRow(0, 0, autograd.End, 2, 0, 2, 4),
	sliceRow(0, -2, autograd.End, 1, 3, 4),
	sliceRow(1, autograd.End, autograd.End, -1, 4, 3, 2, 1, 0),
	sliceRow(1, 3, 0, -2, 3, 1),
	sliceRow(1, 3, autograd.End, -3, 3, 0),
	sliceRow(1, 2, 2, 1),
	sliceRow(0, 2, 3, 1, 2),
	{op: "narrow", shapes: [][]int{{3, 2}}, more: [][][]int{{{3, 0}}, {{3}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Narrow(0, 1, 1) },
		twin: picked(0, 1)},
	{op: "narrow", note: "to the end", shapes: [][]int{{2, 3}}, more: [][][]int{{{0, 3}}, {{3}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Narrow(-1, 1, 2) },
		twin: picked(-1, 1, 2)},
	{op: "select", shapes: [][]int{{3, 2}}, more: [][][]int{{{3, 0}}, {{3}}, {{3, 1}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Select(0, 1) },
		twin: func(in ...grid) grid {
			return build(in[0].shape[1:], func(at []int) float64 { return in[0].at(append([]int{1}, at...)...) })
		}},
	{op: "select", note: "from the end of the last axis", shapes: [][]int{{2, 3}}, more: [][][]int{{{0, 3}}, {{3}}, {{2, 2, 1}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Select(-1, -1) },
		twin: func(in ...grid) grid {
			last := len(in[0].shape) - 1
			return build(in[0].shape[:last], func(at []int) float64 {
				return in[0].at(append(slices.Clone(at), in[0].shape[last]-1)...)
			})
		}},
	{op: "flip", note: "one axis", shapes: [][]int{{2, 3}}, more: [][][]int{{{0, 3}}, {{1, 3}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Flip(-1) }, twin: picked(1, 2, 1, 0)},
	{op: "flip", note: "all axes", shapes: [][]int{{2, 3}}, more: [][][]int{{{}}, {{0, 3}}, {{1, 1}}, {{2, 2, 2}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Flip() },
		twin: func(in ...grid) grid {
			y := grid{in[0].shape, slices.Clone(in[0].data)}
			slices.Reverse(y.data)
			return y
		}},
	{op: "pad", shapes: [][]int{{2, 3}}, more: [][][]int{{{1, 1}}, {{0, 2}}, {{0, 0}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Pad(-1.5, [2]int{1, 2}, [2]int{0, 1}) },
		twin: func(in ...grid) grid {
			x := in[0]
			return build([]int{x.shape[0] + 3, x.shape[1] + 1}, func(at []int) float64 {
				if i, j := at[0]-1, at[1]; i >= 0 && i < x.shape[0] && j < x.shape[1] {
					return x.at(i, j)
				}
				return -1.5
			})
		}},
	{op: "concat", note: "last axis", shapes: [][]int{{2, 1}, {2, 3}}, more: [][][]int{{{2, 0}, {2, 3}}, {{0, 1}, {0, 1}}, {{1, 0}, {1, 1}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return autograd.Concat(-1, in...) }, twin: joined(1)},
	{op: "concat", note: "first axis", shapes: [][]int{{1, 2}, {1, 2}}, more: [][][]int{{{0, 2}, {1, 2}}, {{3, 0}, {1, 0}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return autograd.Concat(0, in...) }, twin: joined(0)},
	{op: "concat", note: "three, one of them twice", shapes: [][]int{{2, 2}, {2, 1}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return autograd.Concat(1, in[0], in[1], in[0]) },
		twin: func(in ...grid) grid { return joined(1)(in[0], in[1], in[0]) }},
	{op: "stack", note: "first axis", shapes: [][]int{{2, 3}, {2, 3}}, more: [][][]int{{{}, {}}, {{1}, {1}}, {{0}, {0}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return autograd.Stack(0, in...) },
		twin: func(in ...grid) grid {
			return grid{append([]int{2}, in[0].shape...), append(slices.Clone(in[0].data), in[1].data...)}
		}},
	{op: "stack", note: "last axis", shapes: [][]int{{2, 3}, {2, 3}}, more: [][][]int{{{}, {}}, {{1}, {1}}, {{0}, {0}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return autograd.Stack(-1, in...) },
		twin: func(in ...grid) grid {
			return build(append(slices.Clone(in[0].shape), 2), func(at []int) float64 {
				last := len(at) - 1
				return in[at[last]].at(at[:last]...)
			})
		}},
	splitRow("first part", 0, 0, 1), splitRow("empty part", 1), splitRow("last part", 2, 2, 3, 4),
	{op: "split equal", shapes: [][]int{{2, 6}}, more: [][][]int{{{0, 6}}, {{6}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].SplitEqual(-1, 3)[1] },
		twin: picked(-1, 2, 3)},
	{op: "roll", shapes: [][]int{{2, 4}}, more: [][][]int{{{1, 4}}, {{0, 4}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Roll(1, 1) }, twin: picked(1, 3, 0, 1, 2)},
	{op: "roll", note: "round and back", shapes: [][]int{{2, 4}}, more: [][][]int{{{1, 4}}, {{0, 4}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Roll(-1, -7) }, twin: picked(1, 3, 0, 1, 2)},
	{op: "tile", shapes: [][]int{{2, 2}}, more: [][][]int{{{1}}, {{}}, {{0, 2}}, {{2}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Tile(2, 3) },
		twin: func(in ...grid) grid {
			x := grid{append(make([]int, 0, 2), in[0].shape...), in[0].data}
			for len(x.shape) < 2 {
				x.shape = append([]int{1}, x.shape...)
			}
			return build([]int{2 * x.shape[0], 3 * x.shape[1]}, func(at []int) float64 { return x.at(at[0]%x.shape[0], at[1]%x.shape[1]) })
		}},
	{op: "repeat", shapes: [][]int{{2, 3}}, more: [][][]int{{{0, 3}}, {{1, 3}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Repeat(1, 2) }, twin: picked(1, 0, 0, 1, 1, 2, 2)},
	{op: "repeat", note: "none", shapes: [][]int{{2, 3}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Repeat(1, 0) }, twin: picked(1)},
}

// sliceRow slices along an axis of length 5; these places are left.
func sliceRow(along, start, stop, step int, places ...int) opRow {
	shape := []int{2, 2}
	shape[along] = 5
	return opRow{op: "slice", note: fmt.Sprint(along, start, stop, step), shapes: [][]int{shape}, more: [][][]int{{{5, 5, 3}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Slice(along, start, stop, step) },
		twin: picked(along, places...)}
}

func splitRow(note string, part int, places ...int) opRow {
	return opRow{op: "split", note: note, shapes: [][]int{{2, 5}}, more: [][][]int{{{0, 5}}, {{1, 5}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Split(-1, 2, 0, 3)[part] },
		twin: picked(1, places...)}
}

var indexingRows = []opRow{
	{op: "index select", note: "first axis", shapes: [][]int{{3, 2}}, more: [][][]int{{{3}}, {{3, 0}}, {{3, 1, 2}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value {
			return in[0].IndexSelect(0, autograd.NewInts([]int{2, 0, 2, 2}))
		},
		twin: picked(0, 2, 0, 2, 2)},
	{op: "index select", note: "last axis", shapes: [][]int{{2, 3}}, more: [][][]int{{{0, 3}}, {{1, 3}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].IndexSelect(-1, autograd.NewInts([]int{1, 1})) },
		twin: picked(1, 1, 1)},
	{op: "index select", note: "an embedding", shapes: [][]int{{3, 2}}, more: [][][]int{{{4, 0}}, {{3}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value {
			return in[0].IndexSelect(0, autograd.NewInts([]int{2, 0, 2, 1, 1, 1}, 2, 3))
		},
		twin: func(in ...grid) grid {
			y := picked(0, 2, 0, 2, 1, 1, 1)(in...)
			return grid{append([]int{2, 3}, y.shape[1:]...), y.data}
		}},
	{op: "index select", note: "one of the middle axis", shapes: [][]int{{2, 3, 2}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value {
			return in[0].IndexSelect(1, autograd.NewInts([]int{2}, []int{}...))
		},
		twin: func(in ...grid) grid {
			y := picked(1, 2)(in...)
			return grid{[]int{2, 2}, y.data}
		}},
	{op: "index select", note: "none", shapes: [][]int{{2, 3}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].IndexSelect(0, autograd.NewInts([]int{})) },
		twin: picked(0)},
	{op: "population var", shapes: [][]int{{5}}, lo: -3, hi: 3, f: func(in ...autograd.Value) autograd.Value { return in[0].PopulationVar() },
		twin: overAxes(nil, func(x []float64) float64 { return variance(x, 0) })},
	{op: "population std", shapes: [][]int{{5}}, lo: -3, hi: 3, f: func(in ...autograd.Value) autograd.Value { return in[0].PopulationStd() },
		twin: overAxes(nil, func(x []float64) float64 { return math.Sqrt(variance(x, 0)) })},
	{op: "center", shapes: [][]int{{4}, {}}, lo: -3, hi: 3,
		f: vjpOf(func(in ...autograd.Value) autograd.Value { return in[0].Var() }),
		twin: func(in ...grid) grid {
			mean := (in[0].data[0] + in[0].data[1] + in[0].data[2] + in[0].data[3]) / 4
			return build(in[0].shape, func(at []int) float64 { return in[1].data[0] * 2 / 3 * (in[0].at(at...) - mean) })
		}},
	{op: "kink", shapes: [][]int{{2, 3}, {}}, lo: -3, hi: 3, kinks: []float64{0},
		f: vjpOf(func(in ...autograd.Value) autograd.Value { return in[0].Norm(1) }),
		twin: func(in ...grid) grid {
			return build(in[0].shape, func(at []int) float64 { return in[1].data[0] * signOf(in[0].at(at...)) })
		}},
	{op: "index add", shapes: [][]int{{3, 2}, {4, 2}}, more: [][][]int{{{3, 0}, {4, 0}}}, lo: -3, hi: 3,
		f: vjpOf(func(in ...autograd.Value) autograd.Value {
			return in[0].IndexSelect(0, autograd.NewInts([]int{2, 0, 2, 2}))
		}),
		twin: func(in ...grid) grid {
			y := zeros(in[0].shape)
			for i, row := range []int{2, 0, 2, 2} {
				for j := range y.shape[1] {
					y.data[offset(y.shape, []int{row, j})] += in[1].at(i, j)
				}
			}
			return y
		}},
	{op: "gather", shapes: [][]int{{2, 4}}, more: [][][]int{{{3, 3}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Gather(-1, gathered) },
		twin: func(in ...grid) grid {
			return build(gathered.Shape(), func(at []int) float64 { return in[0].at(at[0], gathered.Values()[offset(gathered.Shape(), at)]) })
		}},
	{op: "gather", note: "first axis", shapes: [][]int{{3, 4}}, more: [][][]int{{{4, 3}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].Gather(0, gathered) },
		twin: func(in ...grid) grid {
			return build(gathered.Shape(), func(at []int) float64 { return in[0].at(gathered.Values()[offset(gathered.Shape(), at)], at[1]) })
		}},
	{op: "gather", note: "none", shapes: [][]int{{2, 4}}, more: [][][]int{{{0, 3}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Gather(1, autograd.NewInts([]int{}, 0, 3)) },
		twin: func(in ...grid) grid { return zeros([]int{0, 3}) }},
	{op: "scatter add", shapes: [][]int{{3, 4}, {2, 3}}, more: [][][]int{{{2, 3}, {2, 3}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].ScatterAdd(1, gathered, in[1]) },
		twin: func(in ...grid) grid {
			y := grid{in[0].shape, slices.Clone(in[0].data)}
			for i, v := range in[1].data {
				y.data[offset(y.shape, []int{i / 3, gathered.Values()[i]})] += v
			}
			return y
		}},
	{op: "one hot", shapes: [][]int{{2, 3}}, more: [][][]int{{{0, 3}}, {{1, 3}}}, lo: -3, hi: 3, mask: true,
		f: func(in ...autograd.Value) autograd.Value {
			labels := make([]int, in[0].Dim(0))
			for i := range labels {
				labels[i] = 2 - i
			}
			return in[0].Graph().OneHot(autograd.NewInts(labels), 3)
		},
		twin: func(in ...grid) grid {
			return build([]int{in[0].shape[0], 3}, func(at []int) float64 { return truth(at[1] == 2-at[0]) })
		}},
	{op: "pick", shapes: [][]int{{2, 3}}, more: [][][]int{{{2, 9}}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Pick(autograd.NewInts([]int{2, 1})) },
		twin: func(in ...grid) grid { return grid{[]int{2}, []float64{in[0].at(0, 2), in[0].at(1, 1)}} }},
	{op: "pick", note: "none", shapes: [][]int{{0, 3}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Pick(autograd.NewInts([]int{})) },
		twin: func(in ...grid) grid { return zeros([]int{0}) }},
}

// gathered are indices that repeat, in a shape smaller than what they choose
// from.
var gathered = autograd.NewInts([]int{2, 0, 2, 1, 1, 1}, 2, 3)

var lossRows = []opRow{
	{op: "binary cross entropy", inputs: 2, lo: 0.2, hi: 0.8, f: two(autograd.Value.BinaryCrossEntropy),
		twin:  both(func(p, y float64) float64 { return -y*math.Log(p) - (1-y)*math.Log(1-p) }),
		pairs: []pairSpecial{{0, 1, 100, -1e12, 100}, {1, 0, 100, 1e12, -100}, {0, 0, 0, 0, 100}, {0.5, 1, math.Ln2, -2, 0}}},
	{op: "binary cross entropy logits", inputs: 2, lo: -3, hi: 3, f: two(autograd.Value.BinaryCrossEntropyLogits),
		twin:  both(func(x, y float64) float64 { return math.Log1p(math.Exp(x)) - x*y }),
		pairs: []pairSpecial{{1000, 1, 0, 0, -1000}, {1000, 0, 1000, 1, -1000}, {-1000, 1, 1000, -1, 1000}, {-1000, 0, 0, 0, 1000}, {0, 1, math.Ln2, -0.5, 0}}},
	{op: "cross entropy", inputs: 2, lo: 0.2, hi: 0.8, f: two(autograd.Value.CrossEntropy),
		twin:  both(func(p, y float64) float64 { return -y * math.Log(p) }),
		pairs: []pairSpecial{{0, 1, 100, -1e12, 100}, {1, 1, 0, -1, 0}, {0.5, 0, 0, 0, math.Ln2}, {0, 0, 0, 0, 100}}},
}

// derivativeRows are the derivatives of functions of two arguments that are
// operations of their own, with the incoming gradient last. Those of functions
// of one argument have the same rule and kernel as the function, whose row
// brings them in.
var derivativeRows = []opRow{
	{op: "div gradient", shapes: slices.Repeat([][]int{{2, 3}}, 3), more: derivativeShapes, lo: 0.5, hi: 3, f: partialOf(autograd.Value.Div, 1),
		twin: partialTwin(1, func(x, y, seed float64) float64 { return -seed * x / (y * y) })},
	{op: "pow gradient", shapes: slices.Repeat([][]int{{2, 3}}, 3), more: derivativeShapes, lo: 0.5, hi: 3, f: partialOf(autograd.Value.Pow, 0),
		twin: partialTwin(0, func(x, y, seed float64) float64 { return seed * y * math.Pow(x, y-1) })},
	{op: "logaddexp gradient", shapes: slices.Repeat([][]int{{2, 3}}, 3), more: derivativeShapes, lo: -2, hi: 2, f: partialOf(autograd.Value.LogAddExp, 1),
		twin: partialTwin(1, func(x, y, seed float64) float64 { return seed / (1 + math.Exp(x-y)) })},
	{op: "hypot gradient", shapes: slices.Repeat([][]int{{2, 3}}, 3), more: derivativeShapes, lo: 0.5, hi: 3, f: partialOf(autograd.Value.Hypot, 1),
		twin: partialTwin(1, func(x, y, seed float64) float64 { return seed * y / math.Sqrt(x*x+y*y) })},
	{op: "atan2 gradient", shapes: slices.Repeat([][]int{{2, 3}}, 3), more: derivativeShapes, lo: 0.5, hi: 3, f: partialOf(autograd.Value.Atan2, 0),
		twin: partialTwin(0, func(y, x, seed float64) float64 { return seed * x / (x*x + y*y) })},
	{op: "binary cross entropy gradient", shapes: slices.Repeat([][]int{{2, 3}}, 3), more: derivativeShapes, lo: 0.2, hi: 0.8, f: partialOf(autograd.Value.BinaryCrossEntropy, 0),
		twin: partialTwin(0, func(p, y, seed float64) float64 { return seed * (p - y) / (p * (1 - p)) })},
}

var derivativeShapes = [][][]int{{{}, {}, {}}, {{0}, {0}, {0}}, {{3, 1}, {1, 2}, {3, 2}}, {{2}, {3, 2}, {3, 2}}, {{1}, {4}, {4}}}

// partialOf is the gradient of f at an input under the third.
func partialOf(f func(x, y autograd.Value) autograd.Value, input int) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return autograd.VJP(f(in[0], in[1]), in[2], in[input])[0] }
}

// partialTwin is its twin, of elements.
func partialTwin(input int, f func(x, y, seed float64) float64) func(in ...grid) grid {
	return func(in ...grid) grid {
		return build(in[2].shape, func(at []int) float64 {
			return f(in[0].at(below(in[0].shape, at)...), in[1].at(below(in[1].shape, at)...), in[2].at(at...))
		}).collected(in[input].shape)
	}
}

// transformRows differentiate what a rule's own derivatives make up.
var transformRows = []opRow{
	{op: "grad", shapes: [][]int{{2, 3}}, more: [][][]int{{{}}, {{0}}}, lo: -2, hi: 2,
		f:    func(in ...autograd.Value) autograd.Value { return autograd.Grad(in[0].Tanh().Sum(), in[0])[0] },
		twin: each(func(x float64) float64 { return 1 / (math.Cosh(x) * math.Cosh(x)) })},
	{op: "vjp", shapes: [][]int{{2, 3}, {2, 3}}, more: [][][]int{{{}, {}}, {{0}, {0}}}, lo: -2, hi: 2, f: vjpOf(one(autograd.Value.Sin)),
		twin: both(func(x, seed float64) float64 { return seed * math.Cos(x) })},
	{op: "jvp", shapes: [][]int{{2, 3}, {2, 3}}, more: [][][]int{{{}, {}}, {{0}, {0}}}, lo: -2, hi: 2,
		f:    func(in ...autograd.Value) autograd.Value { return autograd.JVP(in[0].Sin(), in[:1], in[1:]) },
		twin: both(func(x, v float64) float64 { return v * math.Cos(x) })},
	{op: "hvp", shapes: [][]int{{2, 3}, {2, 3}}, more: [][][]int{{{}, {}}, {{0}, {0}}}, lo: -2, hi: 2,
		f:    func(in ...autograd.Value) autograd.Value { return autograd.HVP(in[0].Sin().Sum(), in[:1], in[1:])[0] },
		twin: both(func(x, v float64) float64 { return -v * math.Sin(x) })},
	{op: "jacobian", shapes: [][]int{{2, 3}, {3}}, more: [][][]int{{{0, 3}, {3}}, {{2, 0}, {0}}, {{1, 1}, {1}}}, lo: -2, hi: 2,
		f: func(in ...autograd.Value) autograd.Value {
			return autograd.Jacobian(in[0].MatMul(in[1].Square()), in[1])[0]
		},
		twin: both(func(x, y float64) float64 { return 2 * x * y })},
	{op: "hessian", shapes: [][]int{{3}}, more: [][][]int{{{}}, {{1}}, {{0}}, {{2, 2}}}, lo: -2, hi: 2,
		f: func(in ...autograd.Value) autograd.Value { return autograd.Hessian(in[0].Sum().Exp(), in[0]) },
		twin: func(in ...grid) grid {
			return filled(append(slices.Clone(in[0].shape), in[0].shape...), math.Exp(sumOf(in[0].data)))
		}},
}

var otherRows = []opRow{
	{op: "detach", inputs: 1, lo: -3, hi: 3, mask: true, stopped: true, f: one(autograd.Value.Detach), twin: each(identity), special: []special{{2, 2, 0}}},
	{op: "dropout", inputs: 1, lo: -3, hi: 3, f: with(autograd.Value.Dropout, 0.5)},
	{op: "dropout", note: "rate 0", inputs: 1, lo: -3, hi: 3, f: with(autograd.Value.Dropout, 0), twin: each(identity), special: []special{{inf, inf, 1}}},
	{op: "dropout channels", shapes: [][]int{{2, 3, 4}}, more: [][][]int{{{1, 1}}, {{0, 3, 2}}, {{2, 0, 2}}, {{2, 3, 2, 2}}}, lo: -3, hi: 3, f: with(autograd.Value.DropoutChannels, 0.5)},
	{op: "custom", note: "with rule", inputs: 2, lo: -3, hi: 3, f: func(in ...autograd.Value) autograd.Value { return autograd.Custom(productOperation, in...) },
		twin: both(func(x, y float64) float64 { return x * x * y })},
	{op: "custom into", note: "with rule", inputs: 1, lo: -3, hi: 3, f: func(in ...autograd.Value) autograd.Value { return autograd.CustomInto(cubeInto, in[0].Shape(), in...) },
		twin: each(func(x float64) float64 { return x * x * x })},
	{op: "custom", note: "mask", inputs: 1, lo: -3, hi: 3, kinks: []float64{0}, mask: true,
		f: func(in ...autograd.Value) autograd.Value { return autograd.Custom(stepOperation, in...) }, twin: each(func(x float64) float64 { return truth(x > 0) })},
}

// productOperation is x²y, broadcasting.
var productOperation = autograd.Operation{
	Name: "custom",
	Forward: func(in []autograd.Tensor) autograd.Tensor {
		x, y := gridOf(in[0]), gridOf(in[1])
		shape, fits := together(x.shape, y.shape)
		if !fits {
			panic(autograd.NewShapeError("custom", "shapes do not broadcast", x.shape, y.shape))
		}
		return both(func(x, y float64) float64 { return x * x * y })(x.repeated(shape), y.repeated(shape)).tensor()
	},
	Rule: func(r *autograd.Rule) {
		x, y := r.In(0), r.In(1)
		r.Add(0, r.Grad().Mul(x).Mul(y))
		r.Add(0, r.Grad().Mul(x).Mul(y)) // gradients for one input add up
		if r.Needs(1) {
			r.Add(1, r.Grad().Mul(x.Square()))
		}
	},
}

// cubeInto is x³, by way of borrowed memory.
var cubeInto = &autograd.Operation{
	Name: "custom",
	Into: func(dst autograd.Tensor, in []autograd.Tensor, work *autograd.Workspace) {
		order, y := work.Ints(dst.Size()), work.Floats(dst.Size())
		for i := range order {
			order[i] = i
			if y[i] = 0; dst.Precision() == autograd.Float32 {
				y[i] = float64(in[0].Raw32()[i])
			} else {
				y[i] = in[0].Raw64()[i]
			}
		}
		for _, i := range order {
			if v := y[i] * y[i] * y[i]; dst.Precision() == autograd.Float32 {
				dst.Raw32()[i] = float32(v)
			} else {
				dst.Raw64()[i] = v
			}
		}
	},
	Rule: func(r *autograd.Rule) { r.Add(0, r.Grad().Mul(r.In(0).Square()).MulScalar(3)) },
}

var stepOperation = autograd.Operation{
	Name: "custom",
	Mask: true,
	Forward: func(in []autograd.Tensor) autograd.Tensor {
		return each(func(x float64) float64 { return truth(x > 0) })(gridOf(in[0])).tensor()
	},
}

// one, two, with and axis make a row's function of a method.
func one(f func(x autograd.Value) autograd.Value) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return f(in[0]) }
}

func two(f func(x, y autograd.Value) autograd.Value) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return f(in[0], in[1]) }
}

func with(f func(x autograd.Value, a float64) autograd.Value, a float64) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return f(in[0], a) }
}

func axis(f func(x autograd.Value, axis int) autograd.Value, along int) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return f(in[0], along) }
}

// each is the twin of a function of each element.
func each(f func(x float64) float64) func(in ...grid) grid {
	return func(in ...grid) grid {
		return build(in[0].shape, func(at []int) float64 { return f(in[0].at(at...)) })
	}
}

// both is the twin of a function of two elements, which broadcast.
func both(f func(x, y float64) float64) func(in ...grid) grid {
	return func(in ...grid) grid {
		shape, _ := together(in[0].shape, in[1].shape)
		return build(shape, func(at []int) float64 {
			return f(in[0].at(below(in[0].shape, at)...), in[1].at(below(in[1].shape, at)...))
		})
	}
}

// alongAxis is the twin of a function of each list along an axis.
func alongAxis(axis int, f func(x []float64) []float64) func(in ...grid) grid {
	return func(in ...grid) grid {
		x, y := in[0], zeros(in[0].shape)
		along := (axis + len(x.shape)) % len(x.shape)
		for i := range x.data {
			at := indexOf(x.shape, i)
			if at[along] > 0 {
				continue
			}
			list := make([]float64, x.shape[along])
			for at[along] = range list {
				list[at[along]] = x.at(at...)
			}
			for k, v := range f(list) {
				at[along] = k
				y.data[offset(y.shape, at)] = v
			}
		}
		return y
	}
}

// resultOf returns the shape of a reduction over axes.
func resultOf(shape, axes []int) []int {
	var result []int
	for i, d := range shape {
		switch over := isReduced(i, len(shape), axes); {
		case !over:
			result = append(result, d)
		case slices.Contains(axes, kept):
			result = append(result, 1)
		}
	}
	return result
}

func isReduced(axis, rank int, axes []int) bool {
	named := slices.DeleteFunc(slices.Clone(axes), func(a int) bool { return a == kept })
	return len(named) == 0 || slices.Contains(named, axis) || slices.Contains(named, axis-rank)
}

// overAxes is the twin of a reduction over axes of f of a list.
func overAxes(axes []int, f func(x []float64) float64) func(in ...grid) grid {
	return func(in ...grid) grid {
		x := in[0]
		kept := make([]int, len(x.shape))
		for i, d := range x.shape {
			kept[i] = d
			if isReduced(i, len(x.shape), axes) {
				kept[i] = 1
			}
		}
		lists := make([][]float64, volume(kept))
		for i, v := range x.data {
			place := offset(kept, below(kept, indexOf(x.shape, i)))
			lists[place] = append(lists[place], v)
		}
		y := zeros(resultOf(x.shape, axes))
		for i, list := range lists {
			y.data[i] = f(list)
		}
		return y
	}
}

// picked is the twin of what takes slices from places along an axis.
func picked(axis int, places ...int) func(in ...grid) grid {
	return func(in ...grid) grid {
		shape, axis := slices.Clone(in[0].shape), axis
		if axis < 0 {
			axis += len(shape)
		}
		shape[axis] = len(places)
		return build(shape, func(at []int) float64 {
			from := slices.Clone(at)
			from[axis] = places[at[axis]]
			return in[0].at(from...)
		})
	}
}

// joined is the twin of joining along an axis.
func joined(axis int) func(in ...grid) grid {
	return func(in ...grid) grid {
		shape := slices.Clone(in[0].shape)
		shape[axis] = 0
		for _, x := range in {
			shape[axis] += x.shape[axis]
		}
		return build(shape, func(at []int) float64 {
			from := slices.Clone(at)
			for _, x := range in {
				if from[axis] < x.shape[axis] {
					return x.at(from...)
				}
				from[axis] -= x.shape[axis]
			}
			return nan
		})
	}
}

// products is the twin of a sum of products in Einstein's notation, over all
// values of all letters.
func products(equation string) func(in ...grid) grid {
	left, result, _ := strings.Cut(equation, "->")
	terms := strings.Split(left, ",")
	return func(in ...grid) grid {
		length := map[rune]int{}
		var letters []rune
		for i, term := range terms {
			for axis, letter := range term {
				if _, known := length[letter]; !known {
					letters = append(letters, letter)
				}
				length[letter] = in[i].shape[axis]
			}
		}
		all := make([]int, len(letters))
		for i, letter := range letters {
			all[i] = length[letter]
		}
		index := func(term string, at []int) []int {
			picked := []int{}
			for _, letter := range term {
				picked = append(picked, at[slices.Index(letters, letter)])
			}
			return picked
		}
		y := zeros(index(result, all))
		for n := range volume(all) {
			at, product := indexOf(all, n), 1.0
			for i, term := range terms {
				product *= in[i].at(index(term, at)...)
			}
			y.data[offset(y.shape, index(result, at))] += product
		}
		return y
	}
}
