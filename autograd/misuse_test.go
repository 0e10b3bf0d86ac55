package autograd_test

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

// A misuse is a mistake in a program's text, made on one source line, and the
// message that tells of it.
type misuse struct {
	at   string // file and line of the mistake
	text string // without ", at …"
	f    func(g *autograd.Graph)
}

// here returns file and line of its caller.
func here() string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s:%d", filepath.Base(file), line)
}

// checkMisuses makes each mistake in a graph of its own, in the middle of a
// recording, and checks the error and that the graph is unharmed.
func checkMisuses[E error](t *testing.T, options autograd.Options, rows []misuse) {
	t.Helper()
	for _, row := range rows {
		name, _, _ := strings.Cut(row.text, ",")
		t.Run(name, func(t *testing.T) {
			g := autograd.NewGraph(options)
			bystander := newBystander(g)
			err := autograd.Try(func() { row.f(g) })
			if fault := *new(E); !errors.As(err, &fault) {
				t.Fatalf("got the error %T %v, want %T", err, err, fault)
			}
			if diff := cmp.Diff(row.text+", at "+row.at, err.Error()); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			bystander.check(t)
		})
	}
}

// A bystander is a recording with a known gradient that somebody else's
// mistake must not disturb.
type bystander struct {
	g       *autograd.Graph
	w, x, y autograd.Value
	param   *autograd.Param
}

func newBystander(g *autograd.Graph) bystander {
	b := bystander{g: g, param: autograd.NewParam("bystander", autograd.Scalar(2))}
	b.record()
	return b
}

func (b *bystander) record() {
	b.w = b.g.Variable(vector(1, -2, 3))
	b.x = b.w.Exp().Mul(b.w).MulScalar(0.5)
	b.y = b.x.Tanh().Sum().Mul(b.g.Param(b.param))
}

// check wants the right gradients without and with a Reset.
func (b *bystander) check(t *testing.T) {
	t.Helper()
	b.checkGradients(t, "without Reset")
	b.y = b.w.Square().MatMul(b.x.Div(b.w.Square())).Tanh().Add(b.y) // goes on recording
	if b.g.Options().NoGrad {
		return
	}
	b.y.Backward()
	b.g.Reset()
	b.record()
	b.checkGradients(t, "after Reset")
}

func (b *bystander) checkGradients(t *testing.T, when string) {
	t.Helper()
	if b.g.Options().NoGrad {
		return
	}
	var want []float64
	sum := 0.0
	for _, w := range []float64{1, -2, 3} {
		x := 0.5 * w * math.Exp(w)
		sum += math.Tanh(x)
		want = append(want, 2*0.5*math.Exp(w)*(1+w)/math.Cosh(x)/math.Cosh(x))
	}
	tolerance := 1e-11
	if b.g.Options().Precision == autograd.Float32 {
		tolerance = 1e-4
	}
	grads := b.y.Backward()
	wantNumbers(t, when+": gradient of the bystander", grads.Of(b.w).Float64s(), want, tolerance)
	wantNumbers(t, when+": gradient of its Param", grads.OfParam(b.param).Float64s(), []float64{sum}, tolerance)
}

func TestWrongShapes(t *testing.T) {
	type graph = *autograd.Graph
	full := func(g graph, dims ...int) autograd.Value { return g.Full(1, dims...) }
	ints := func(n int, shape ...int) autograd.Ints { return autograd.NewInts(make([]int, n), shape...) }
	checkMisuses[*autograd.ShapeError](t, autograd.Options{}, []misuse{
		{here(), "autograd: DropoutChannels: x is not of shape [batch, channels, …]: [2]", func(g graph) { full(g, 2).DropoutChannels(0.5) }},
		{here(), "autograd: MatMul: inner dimensions differ: [64 128] × [64 10]", func(g graph) { full(g, 64, 128).MatMul(full(g, 64, 10)) }},
		{here(), "autograd: MatMul: inner dimensions differ: [3] × [4]", func(g graph) { full(g, 3).MatMul(full(g, 4)) }},
		{here(), "autograd: MatMul: inner dimensions differ: [3] × [4 2]", func(g graph) { full(g, 3).MatMul(full(g, 4, 2)) }},
		{here(), "autograd: MatMul: inner dimensions differ: [2 4] × [3]", func(g graph) { full(g, 2, 4).MatMul(full(g, 3)) }},
		{here(), "autograd: MatMul: inner dimensions differ: [5 2 4] × [3 4]", func(g graph) { full(g, 5, 2, 4).MatMul(full(g, 3, 4)) }},
		{here(), "autograd: MatMul: batch dimensions do not broadcast: [2 3 4] × [5 4 3]", func(g graph) { full(g, 2, 3, 4).MatMul(full(g, 5, 4, 3)) }},
		{here(), "autograd: MatMul: a scalar has no matrix product: [] × [2 2]", func(g graph) { full(g).MatMul(full(g, 2, 2)) }},
		{here(), "autograd: MatMul: a scalar has no matrix product: [2 2] × []", func(g graph) { full(g, 2, 2).MatMul(full(g)) }},
		{here(), "autograd: Dot: not two vectors of one length: [2] · [3]", func(g graph) { full(g, 2).Dot(full(g, 3)) }},
		{here(), "autograd: Dot: not two vectors of one length: [2 2] · [2 2]", func(g graph) { full(g, 2, 2).Dot(full(g, 2, 2)) }},
		{here(), "autograd: Outer: not two vectors: [2 2] and [2]", func(g graph) { full(g, 2, 2).Outer(full(g, 2)) }},
		{here(), "autograd: Diagonal: not a matrix: [3]", func(g graph) { full(g, 3).Diagonal(0) }},
		{here(), "autograd: Triu: not a matrix: [3]", func(g graph) { full(g, 3).Triu(0) }},
		{here(), "autograd: Tril: not a matrix: []", func(g graph) { full(g).Tril(0) }},
		{here(), "autograd: Where: shapes do not broadcast: [2] and [3]", func(g graph) { autograd.Where(full(g, 2), full(g, 2), full(g, 3)) }},
		{here(), "autograd: Where: shapes do not broadcast: [3] and [2]", func(g graph) { autograd.Where(full(g, 2), full(g, 3), full(g, 3)) }},
		{here(), "autograd: Reshape: sizes differ: [2 3] to [4]", func(g graph) { full(g, 2, 3).Reshape(4) }},
		{here(), "autograd: Reshape: sizes differ: [2] to []", func(g graph) { full(g, 2).Reshape() }},
		{here(), "autograd: Reshape: no dimension fits in the place of -1: [2 3] to [-1 4]", func(g graph) { full(g, 2, 3).Reshape(-1, 4) }},
		{here(), "autograd: Reshape: no dimension fits in the place of -1: [2 3] to [-1 -1]", func(g graph) { full(g, 2, 3).Reshape(-1, -1) }},
		{here(), "autograd: Reshape: no dimension fits in the place of -1: [0 3] to [-1 0]", func(g graph) { full(g, 0, 3).Reshape(-1, 0) }},
		{here(), "autograd: Reshape: negative dimension: [2 3] to [-2 -3]", func(g graph) { full(g, 2, 3).Reshape(-2, -3) }},
		{here(), "autograd: Reshape: size overflows: [2] to [4294967296 4294967296]", func(g graph) { full(g, 2).Reshape(1<<32, 1<<32) }},
		{here(), "autograd: Squeeze: axis 1 is not of length 1: [1 3]", func(g graph) { full(g, 1, 3).Squeeze(-1) }},
		{here(), "autograd: Expand: cannot be expanded: [2] to [3]", func(g graph) { full(g, 2).Expand(3) }},
		{here(), "autograd: Expand: cannot be expanded: [2 3] to [3]", func(g graph) { full(g, 2, 3).Expand(3) }},
		{here(), "autograd: Expand: negative dimension: [1] to [-1]", func(g graph) { full(g, 1).Expand(-1) }},
		{here(), "autograd: Expand: size overflows: [1] to [4294967296 4294967296]", func(g graph) { full(g, 1).Expand(1<<32, 1<<32) }},
		{here(), "autograd: Pad: size overflows: [1099511627777 1099511627777]", func(g graph) { full(g, 1, 1).Pad(0, [2]int{1 << 40, 0}, [2]int{0, 1 << 40}) }},
		{here(), "autograd: Tile: size overflows: [1] by [1099511627776 1099511627776]", func(g graph) { full(g, 1).Tile(1<<40, 1<<40) }},
		{here(), "autograd: Permute: as many axes as the shape has must be given: [2 3] with [0]", func(g graph) { full(g, 2, 3).Permute(0) }},
		{here(), "autograd: Pad: 1 pairs do not fit the axes: [2 3]", func(g graph) { full(g, 2, 3).Pad(0, [2]int{1, 1}) }},
		{here(), "autograd: Concat: shapes differ on other axes than 0: [2 3] and [2 4]", func(g graph) { autograd.Concat(0, full(g, 2, 3), full(g, 2, 4)) }},
		{here(), "autograd: Concat: shapes differ on other axes than 0: [2 3] and [2]", func(g graph) { autograd.Concat(0, full(g, 2, 3), full(g, 2)) }},
		{here(), "autograd: Stack: shapes differ: [2] and [3]", func(g graph) { autograd.Stack(0, full(g, 2), full(g, 3)) }},
		{here(), "autograd: Split: the parts do not make up axis 1: [2 3] into [1 1]", func(g graph) { full(g, 2, 3).Split(1, 1, 1) }},
		{here(), "autograd: Split: the parts do not make up axis 0: [2] into [3 -1]", func(g graph) { full(g, 2).Split(0, 3, -1) }},
		{here(), "autograd: Tile: fewer numbers than axes: [2 3] by [2]", func(g graph) { full(g, 2, 3).Tile(2) }},
		{here(), "autograd: Tile: negative dimension: [2] by [-1]", func(g graph) { full(g, 2).Tile(-1) }},
		{here(), "autograd: Gather: the indices have another rank: [2 3] by [2]", func(g graph) { full(g, 2, 3).Gather(0, ints(2)) }},
		{here(), "autograd: Gather: the indices are longer on another axis: [2 3] by [1 4]", func(g graph) { full(g, 2, 3).Gather(0, ints(4, 1, 4)) }},
		{here(), "autograd: ScatterAdd: indices and source differ in shape: [1] and [2]", func(g graph) { full(g, 3).ScatterAdd(0, ints(1), full(g, 2)) }},
		{here(), "autograd: ScatterAdd: the indices have another rank: [3 3] by [2]", func(g graph) { full(g, 3, 3).ScatterAdd(0, ints(2), full(g, 2)) }},
		{here(), "autograd: Pick: the labels do not have the shape without the last axis: [2 3] by [3]", func(g graph) { full(g, 2, 3).Pick(ints(3)) }},
		{here(), "autograd: PickAlong: the labels do not have the shape without the axis of classes: [2 3] by [2]", func(g graph) { full(g, 2, 3).PickAlong(0, ints(2)) }},
		{here(), "autograd: PickAlong: the labels do not have the shape without the axis of classes: [2 3 4] by [2]", func(g graph) { full(g, 2, 3, 4).PickAlong(2, ints(2)) }},
		{here(), "autograd: Einsum: ij,jk->ik: axis j has two lengths, 3 and 4: [2 3] and [4 2]", func(g graph) { autograd.Einsum("ij,jk->ik", full(g, 2, 3), full(g, 4, 2)) }},
		{here(), "autograd: Einsum: ...i->...: as many letters as axes are needed for ...i: []", func(g graph) { autograd.Einsum("...i->...", g.Scalar(1)) }},
		{here(), "autograd: Einsum: ...i,...i->...: the axes of ... do not broadcast: [2 3] and [4 3]", func(g graph) { autograd.Einsum("...i,...i->...", full(g, 2, 3), full(g, 4, 3)) }},
		{here(), "autograd: Narrow: start 0 and length 4 do not fit axis 0: [3]", func(g graph) { full(g, 3).Narrow(0, 0, 4) }},
		{here(), "autograd: Narrow: start -1 and length 0 do not fit axis 0: [3]", func(g graph) { full(g, 3).Narrow(0, -1, 0) }},
		{here(), "autograd: Narrow: start 2 and length 9223372036854775807 do not fit axis 1: [2 3]", func(g graph) { full(g, 2, 3).Narrow(-1, 2, math.MaxInt) }},
		{here(), "autograd: SplitEqual: axis 0 cannot be cut into 2 equal parts: [3]", func(g graph) { full(g, 3).SplitEqual(0, 2) }},
		{here(), "autograd: SplitEqual: axis 0 cannot be cut into 0 equal parts: [3]", func(g graph) { full(g, 3).SplitEqual(0, 0) }},
		{here(), "autograd: Einsum: ij->i: as many letters as axes are needed for ij: [2]", func(g graph) { autograd.Einsum("ij->i", full(g, 2)) }},
		{here(), "autograd: Einsum: ii->i: axis i has two lengths, 2 and 3: [2 3]", func(g graph) { autograd.Einsum("ii->i", full(g, 2, 3)) }},
		{here(), "autograd: Item: not one element: [2]", func(g graph) { full(g, 2).Item() }},
		{here(), "autograd: Full: negative dimension: [-2 3]", func(g graph) { g.Full(0, -2, 3) }},
		{here(), "autograd: Full: size overflows: [1099511627776 1099511627776]", func(g graph) { g.Full(0, 1<<40, 1<<40) }},
		{here(), "autograd: OneHot: negative dimension: [0 -1]", func(g graph) { g.OneHot(ints(0), -1) }},
		{here(), "autograd: BackwardFrom: the seed has another shape: [2] and [3]", func(g graph) { g.Variable(vector(1, 2)).BackwardFrom(autograd.Ones(3)) }},
		{here(), "autograd: BackwardFrom: the seed has another shape: [] and [1]", func(g graph) { g.Variable(autograd.Scalar(1)).BackwardFrom(autograd.Ones(1)) }},
		{here(), "autograd: VJP: the seed has another shape: [2] and [1 2]", func(g graph) { x := full(g, 2); autograd.VJP(x, full(g, 1, 2), x) }},
		{here(), "autograd: NewTensor: 3 values do not fit the shape: [2 2]", func(graph) { autograd.NewTensor(make([]float64, 3), 2, 2) }},
		{here(), "autograd: NewTensor: negative dimension: [-1 -3]", func(graph) { autograd.NewTensor(make([]float64, 3), -1, -3) }},
		{here(), "autograd: NewInts: 3 values do not fit the shape: [2]", func(graph) { autograd.NewInts(make([]int, 3), 2) }},
		{here(), "autograd: Reshape: 4 values do not fit the shape: [3]", func(graph) { autograd.Zeros(4).Reshape(3) }},
		{here(), "autograd: Zeros: negative dimension: [-1]", func(graph) { autograd.Zeros(-1) }},
		{here(), "autograd: Zeros: size overflows: [4294967296 4294967296]", func(graph) { autograd.Zeros(1<<32, 1<<32) }},
		{here(), "autograd: FromNested: the lists differ in length: [2 2]", func(graph) { autograd.FromNested([][]float64{{1, 2}, {3}}) }},
		{here(), "autograd: FromNested: the lists differ in length: [2 1]", func(graph) { autograd.FromNested([][]float64{{1}, {2, 3}}) }},
		{here(), "autograd: At: as many indices as axes are needed: [2 2], [0]", func(graph) { autograd.Zeros(2, 2).At(0) }},
		{here(), "autograd: Item: not one element: [2]", func(graph) { autograd.Zeros(2).Item() }},
		{here(), "autograd: Item: not one element: [2]", func(graph) { ints(2).Item() }},
		{here(), "autograd: Param.Set: another shape than the parameter's: [2], [3]", func(graph) { autograd.NewParam("w", autograd.Zeros(2)).Set(autograd.Zeros(3)) }},
	})
}

// Every operation with two operands refuses those that do not broadcast.
func TestBroadcastMisuse(t *testing.T) {
	type value = autograd.Value
	for op, f := range map[string]func(x, y value) value{
		"Add": value.Add, "Sub": value.Sub, "Mul": value.Mul, "Div": value.Div, "Pow": value.Pow, "Atan2": value.Atan2, "Hypot": value.Hypot,
		"Maximum": value.Maximum, "Minimum": value.Minimum, "PReLU": value.PReLU, "Equal": value.Equal, "NotEqual": value.NotEqual,
		"Less": value.Less, "LessEqual": value.LessEqual, "Greater": value.Greater, "GreaterEqual": value.GreaterEqual,
		"BinaryCrossEntropy": value.BinaryCrossEntropy, "BinaryCrossEntropyLogits": value.BinaryCrossEntropyLogits, "CrossEntropy": value.CrossEntropy,
	} {
		checkMisuses[*autograd.ShapeError](t, autograd.Options{Precision: autograd.Float32}, []misuse{
			{here(), "autograd: " + op + ": shapes do not broadcast: [2 3] and [2 4]", func(g *autograd.Graph) { f(g.Full(1, 2, 3), g.Full(1, 2, 4)) }},
			{here(), "autograd: " + op + ": shapes do not broadcast: [2 3] and [2]", func(g *autograd.Graph) { f(g.Full(1, 2), g.Full(1, 2, 3)) }},
			{here(), "autograd: " + op + ": shapes do not broadcast: [3] and [0]", func(g *autograd.Graph) { f(g.Full(1, 3), g.Full(1, 0)) }},
		})
	}
}

func TestIndexMisuse(t *testing.T) {
	type graph = *autograd.Graph
	full := func(g graph, dims ...int) autograd.Value { return g.Full(1, dims...) }
	ints := func(values ...int) autograd.Ints { return autograd.NewInts(values) }
	rows := []misuse{
		{here(), "autograd: Dim: axis 2 is out of range for rank 2", func(g graph) { full(g, 2, 3).Dim(2) }},
		{here(), "autograd: Dim: axis -3 is out of range for rank 2", func(graph) { autograd.Zeros(2, 3).Dim(-3) }},
		{here(), "autograd: At: index 3 is out of range for 3", func(graph) { autograd.Zeros(2, 3).At(1, 3) }},
		{here(), "autograd: At: index -4 is out of range for 3", func(graph) { autograd.Zeros(2, 3).At(1, -4) }},
		{here(), "autograd: At: node 1000 is out of range for 8", func(g graph) { g.At(1000) }},
		{here(), "autograd: At: node -1 is out of range for 8", func(g graph) { g.At(-1) }},
		{here(), "autograd: T: axis -2 is out of range for rank 1", func(g graph) { full(g, 2).T() }},
		{here(), "autograd: Transpose: axis 2 is out of range for rank 2", func(g graph) { full(g, 2, 2).Transpose(0, 2) }},
		{here(), "autograd: Permute: axis 2 is out of range for rank 2", func(g graph) { full(g, 2, 2).Permute(0, 2) }},
		{here(), "autograd: Squeeze: axis 1 is out of range for rank 1", func(g graph) { full(g, 1).Squeeze(1) }},
		{here(), "autograd: Unsqueeze: axis 3 is out of range for rank 2", func(g graph) { full(g, 1).Unsqueeze(3) }},
		{here(), "autograd: Flatten: axis 2 is out of range for rank 2", func(g graph) { full(g, 1, 2).Flatten(0, 2) }},
		{here(), "autograd: Slice: axis 1 is out of range for rank 1", func(g graph) { full(g, 3).Slice(1, 0, 1, 1) }},
		{here(), "autograd: Slice: bound 4 is out of range for length 3", func(g graph) { full(g, 3).Slice(0, 0, 4, 1) }},
		{here(), "autograd: Slice: bound -4 is out of range for length 3", func(g graph) { full(g, 3).Slice(0, -4, 2, 1) }},
		{here(), "autograd: Concat: axis 0 is out of range for rank 0", func(g graph) { autograd.Concat(0, full(g), full(g)) }},
		{here(), "autograd: Concat: axis -2 is out of range for rank 1", func(g graph) { autograd.Concat(-2, full(g, 1)) }},
		{here(), "autograd: Stack: axis 2 is out of range for rank 2", func(g graph) { autograd.Stack(2, full(g, 1)) }},
		{here(), "autograd: Split: axis 1 is out of range for rank 1", func(g graph) { full(g, 3).Split(1, 3) }},
		{here(), "autograd: Roll: axis 1 is out of range for rank 1", func(g graph) { full(g, 3).Roll(1, 3) }},
		{here(), "autograd: Repeat: axis 1 is out of range for rank 1", func(g graph) { full(g, 3).Repeat(1, 3) }},
		{here(), "autograd: Softmax: axis 1 is out of range for rank 1", func(g graph) { full(g, 3).Softmax(1) }},
		{here(), "autograd: LogSoftmax: axis 0 is out of range for rank 0", func(g graph) { full(g).LogSoftmax(0) }},
		{here(), "autograd: CumSum: axis 1 is out of range for rank 1", func(g graph) { full(g, 3).CumSum(1) }},
		{here(), "autograd: CumProd: axis -2 is out of range for rank 1", func(g graph) { full(g, 3).CumProd(-2) }},
		{here(), "autograd: ArgMax: axis 1 is out of range for rank 1", func(g graph) { full(g, 3).ArgMax(1) }},
		{here(), "autograd: ArgMin: axis 0 is out of range for rank 0", func(g graph) { full(g).ArgMin(0) }},
		{here(), "autograd: Select: index 3 is out of range for 3", func(g graph) { full(g, 3).Select(0, 3) }},
		{here(), "autograd: Select: index -4 is out of range for 3", func(g graph) { full(g, 3).Select(0, -4) }},
		{here(), "autograd: SplitEqual: axis 1 is out of range for rank 1", func(g graph) { full(g, 3).SplitEqual(1, 3) }},
		{here(), "autograd: IndexSelect: axis 1 is out of range for rank 1", func(g graph) { full(g, 3).IndexSelect(1, ints(0)) }},
		{here(), "autograd: IndexSelect: index 3 is out of range for 3", func(g graph) { full(g, 3).IndexSelect(0, ints(0, 3)) }},
		{here(), "autograd: IndexSelect: index -1 is out of range for 3", func(g graph) { full(g, 3).IndexSelect(0, ints(-1)) }},
		{here(), "autograd: Embedding: id 5 at [1, 0] is outside a vocabulary of 5", func(g graph) { full(g, 5, 2).Embedding(ints(0, 4, 5, 9).Reshape(2, 2)) }},
		{here(), "autograd: Embedding: id -1 at [0] is outside a vocabulary of 5", func(g graph) { full(g, 5, 2).Embedding(ints(-1)) }},
		{here(), "autograd: EmbeddingWith: padding 5 is outside a vocabulary of 5", func(g graph) { full(g, 5, 2).EmbeddingWith(ints(1), padded(5)) }},
		{here(), "autograd: IndexAdd: axis 1 is out of range for rank 1", func(g graph) { full(g, 3).IndexAdd(1, ints(0), full(g, 1)) }},
		{here(), "autograd: IndexAdd: index 3 is out of range for 3", func(g graph) { full(g, 3).IndexAdd(0, ints(3), full(g, 1)) }},
		{here(), "autograd: SegmentSum: segment 2 at [1] is out of range for 2", func(g graph) { full(g, 3, 2).SegmentSum(ints(0, 2, 0), 2) }},
		{here(), "autograd: SegmentMean: segment -1 at [0] is out of range for 2", func(g graph) { full(g, 1, 2).SegmentMean(ints(-1), 2) }},
		{here(), "autograd: SegmentMax: segment 2 at [0] is out of range for 2", func(g graph) { full(g, 1).SegmentMax(ints(2), 2) }},
		{here(), "autograd: SegmentSoftmax: segment 0 at [0] is out of range for 0", func(g graph) { full(g, 1).SegmentSoftmax(ints(0), 0) }},
		{here(), "autograd: Gather: axis 1 is out of range for rank 1", func(g graph) { full(g, 3).Gather(1, ints(0)) }},
		{here(), "autograd: Gather: index 3 is out of range for 3", func(g graph) { full(g, 3).Gather(0, ints(3)) }},
		{here(), "autograd: ScatterAdd: index 3 is out of range for 3", func(g graph) { full(g, 3).ScatterAdd(0, ints(3), full(g, 1)) }},
		{here(), "autograd: OneHot: label 3 is out of range for 3", func(g graph) { g.OneHot(ints(0, 3), 3) }},
		{here(), "autograd: OneHot: label -1 is out of range for 3", func(g graph) { g.OneHot(ints(-1), 3) }},
		{here(), "autograd: OneHotAlong: axis 2 is out of range for rank 2", func(g graph) { g.OneHotAlong(2, ints(0), 3) }},
		{here(), "autograd: OneHotAlong: label 3 is out of range for 3", func(g graph) { g.OneHotAlong(0, ints(4, 3), 3, 4) }},
		{here(), "autograd: PickAlong: axis 2 is out of range for rank 2", func(g graph) { full(g, 1, 3).PickAlong(2, ints(0)) }},
		{here(), "autograd: PickAlong: axis 0 is out of range for rank 0", func(g graph) { g.Scalar(1).PickAlong(0, ints(0)) }},
		{here(), "autograd: PickAlong: label -1 is out of range for 3", func(g graph) { full(g, 1, 3).PickAlong(1, ints(-1), 3) }},
		{here(), "autograd: Pick: label 3 is out of range for 3", func(g graph) { full(g, 1, 3).Pick(ints(3)) }},
	}
	rows = append(rows, misuse{here(), "autograd: Norm: axis 2 is out of range for rank 2", func(g graph) { full(g, 2, 3).Norm(2, 2) }})
	type value = autograd.Value
	for op, f := range map[string]func(x value, axes ...int) value{
		"Sum": value.Sum, "Mean": value.Mean, "Prod": value.Prod, "Max": value.Max, "Min": value.Min, "Var": value.Var, "Std": value.Std,
		"LogSumExp": value.LogSumExp,
	} {
		rows = append(rows, misuse{here(), "autograd: " + op + ": axis 2 is out of range for rank 2", func(g graph) { f(full(g, 2, 3), 2) }})
		checkMisuses[*autograd.ArgumentError](t, autograd.Options{}, []misuse{{here(), "autograd: " + op + ": axis 1 stands twice", func(g graph) { f(full(g, 2, 3), 1, -1) }}})
	}
	checkMisuses[*autograd.IndexError](t, autograd.Options{}, rows)
}

func TestArgumentMisuse(t *testing.T) {
	type graph = *autograd.Graph
	full := func(g graph, dims ...int) autograd.Value { return g.Full(1, dims...) }
	checkMisuses[*autograd.ArgumentError](t, autograd.Options{}, []misuse{
		{here(), "autograd: Permute: axis 0 stands twice", func(g graph) { full(g, 2, 3).Permute(0, -2) }},
		{here(), "autograd: Flatten: axis 1 stands behind axis 0", func(g graph) { full(g, 2, 3).Flatten(1, 0) }},
		{here(), "autograd: Slice: a step of 0", func(g graph) { full(g, 2).Slice(0, 0, 1, 0) }},
		{here(), "autograd: Pad: negative padding [1 -1]", func(g graph) { full(g, 2).Pad(0, [2]int{1, -1}) }},
		{here(), "autograd: Concat: nothing to join", func(graph) { autograd.Concat(0) }},
		{here(), "autograd: Stack: nothing to join", func(graph) { autograd.Stack(0) }},
		{here(), "autograd: Repeat: -1 times", func(g graph) { full(g, 2).Repeat(0, -1) }},
		{here(), "autograd: Clamp: the bounds 2 and 1 are not in order", func(g graph) { full(g, 2).Clamp(2, 1) }},
		{here(), "autograd: Clamp: the bounds NaN and 1 are not in order", func(g graph) { full(g, 2).Clamp(nan, 1) }},
		{here(), "autograd: Norm: p = 0 is not positive", func(g graph) { full(g, 2).Norm(0) }},
		{here(), "autograd: Norm: p = NaN is not positive", func(g graph) { full(g, 2).Norm(nan) }},
		{here(), "autograd: Polygamma: negative order -1", func(g graph) { full(g, 2).Polygamma(-1) }},
		{here(), "autograd: Dropout: a rate of 1 is not in [0, 1)", func(g graph) { full(g, 2).Dropout(1) }},
		{here(), "autograd: Dropout: a rate of -0.1 is not in [0, 1)", func(g graph) { full(g, 2).Dropout(-0.1) }},
		{here(), "autograd: DropoutChannels: a rate of 1 is not in [0, 1)", func(g graph) { full(g, 2, 2).DropoutChannels(1) }},
		{here(), "autograd: Dropout: a rate of NaN is not in [0, 1)", func(g graph) { full(g, 2).Dropout(nan) }},
		{here(), `autograd: Einsum: "ij,jk->ik": not as many operands as terms`, func(g graph) { autograd.Einsum("ij,jk->ik", full(g, 2, 3)) }},
		{here(), `autograd: Einsum: "...i->i": ... must stand in the result and in an operand`, func(g graph) { autograd.Einsum("...i->i", full(g, 2, 3)) }},
		{here(), `autograd: Einsum: "i->...i": ... must stand in the result and in an operand`, func(g graph) { autograd.Einsum("i->...i", full(g, 3)) }},
		{here(), `autograd: Einsum: "......i": axes are named by letters, or once by ...`, func(g graph) { autograd.Einsum("......i", full(g, 2, 3)) }},
		{here(), "autograd: Unsqueeze: axis 1 stands twice", func(g graph) { full(g, 2, 3).Unsqueeze(1, -3) }},
		{here(), `autograd: Einsum: "": not as many operands as terms`, func(graph) { autograd.Einsum("") }},
		{here(), `autograd: Einsum: "i1->i": axes are named by letters, or once by ...`, func(g graph) { autograd.Einsum("i1->i", full(g, 2, 3)) }},
		{here(), `autograd: Einsum: "ij->k": each letter of the result must stand there once and in an operand`, func(g graph) { autograd.Einsum("ij->k", full(g, 2, 3)) }},
		{here(), `autograd: Einsum: "ij->ii": each letter of the result must stand there once and in an operand`, func(g graph) { autograd.Einsum("ij->ii", full(g, 2, 3)) }},
		{here(), `autograd: Custom: "nothing" needs an input and a Forward function`, func(g graph) { autograd.Custom(autograd.Operation{Name: "nothing"}, full(g, 2)) }},
		{here(), `autograd: Custom: "double" needs an input and a Forward function`, func(graph) { autograd.Custom(double) }},
		{here(), `autograd: CustomInto: "double" needs an input and an Into function`, func(g graph) { autograd.CustomInto(&double, []int{2}, full(g, 2)) }},
		{here(), "autograd: Custom: the Tensor is empty: make one with NewTensor or Zeros", func(g graph) { autograd.Custom(empty, full(g, 2)) }},
		{here(), "autograd: Constant: the Tensor is empty: make one with NewTensor or Zeros", func(g graph) { g.Constant(autograd.Tensor{}) }},
		{here(), "autograd: Variable: the Tensor is empty: make one with NewTensor or Zeros", func(g graph) { g.Variable(autograd.Tensor{}) }},
		{here(), "autograd: BackwardFrom: the Tensor is empty: make one with NewTensor or Zeros", func(g graph) { g.Scalar(1).BackwardFrom(autograd.Tensor{}) }},
		{here(), "autograd: Param: the Param is nil", func(g graph) { g.Param(nil) }},
		{here(), "autograd: Param: the Tensor is empty: make one with NewTensor or Zeros", func(g graph) { g.Param(new(autograd.Param)) }},
		{here(), "autograd: Param.Set: the Tensor is empty: make one with NewTensor or Zeros", func(graph) { autograd.NewParam("w", autograd.Zeros(2)).Set(autograd.Tensor{}) }},
		{here(), "autograd: Arange: a step of 0 does not lead from 0 to 1", func(graph) { autograd.Arange(0, 1, 0) }},
		{here(), "autograd: Arange: a step of -1 does not lead from 0 to 1", func(graph) { autograd.Arange(0, 1, -1) }},
		{here(), "autograd: Arange: a step of 1 does not lead from 0 to -0.5", func(graph) { autograd.Arange(0, -0.5, 1) }},
		{here(), "autograd: Arange: a step of NaN does not lead from 0 to 1", func(graph) { autograd.Arange(0, 1, nan) }},
		{here(), "autograd: Arange: a step of 1 does not lead from 0 to +Inf", func(graph) { autograd.Arange(0, inf, 1) }},
		{here(), "autograd: FromNested: not nested lists of numbers of one depth", func(graph) { autograd.FromNested([]string{"1"}) }},
		{here(), "autograd: FromNested: not nested lists of numbers of one depth", func(graph) { autograd.FromNested(nil) }},
	})
}

var (
	double = autograd.Operation{
		Name:    "double",
		Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() },
		Rule:    func(r *autograd.Rule) { r.Add(0, r.Grad()) },
	}
	empty = autograd.Operation{Forward: func([]autograd.Tensor) autograd.Tensor { return autograd.Tensor{} }}
)

// argumentsFor returns arguments for a method of Value: x for each Value, and
// numbers that no operation refuses before it looks at its operands.
func argumentsFor(method reflect.Type, x autograd.Value) []reflect.Value {
	var arguments []reflect.Value
	for i := 1; i < method.NumIn() && !(method.IsVariadic() && i == method.NumIn()-1); i++ {
		switch argument := reflect.New(method.In(i)).Elem(); argument.Interface().(type) {
		case autograd.Value:
			arguments = append(arguments, reflect.ValueOf(x))
		case float64:
			arguments = append(arguments, reflect.ValueOf(0.5))
		case autograd.Tensor:
			arguments = append(arguments, reflect.ValueOf(autograd.Scalar(1)))
		case autograd.Ints:
			arguments = append(arguments, reflect.ValueOf(autograd.NewInts([]int{0}, []int{}...)))
		default:
			arguments = append(arguments, argument)
		}
	}
	return arguments
}

// callMethod calls a method of Value and runs through the iterator that it may
// return.
func callMethod(method reflect.Method, x autograd.Value, arguments []reflect.Value) error {
	return autograd.Try(func() {
		result := method.Func.Call(append([]reflect.Value{reflect.ValueOf(x)}, arguments...))
		if method.Name == "Ancestors" {
			for range result[0].Seq() {
				break
			}
		}
	})
}

// Every method of Value refuses a zero Value and one of a recording that was
// Reset, and as a further operand also one of another graph. Those that look
// at nothing are left out.
func TestEveryMethodRefusesForeignValues(t *testing.T) {
	g, other := autograd.NewGraph(autograd.Options{}), autograd.NewGraph(autograd.Options{})
	stale := g.Variable(autograd.Ones(2, 2))
	for range 5 {
		g.Reset()
		for range 3 {
			g.Variable(autograd.Ones(2, 2))
		}
	}
	x, foreign := g.Variable(autograd.Ones(2, 2)), other.Variable(autograd.Ones(2, 2))
	bystander := newBystander(g)
	nodes := g.Stats().Nodes
	var graphError *autograd.GraphError
	var staleError *autograd.StaleError
	valueType := reflect.TypeFor[autograd.Value]()
	checked := 0
	for i := range valueType.NumMethod() {
		method := valueType.Method(i)
		if slices.Contains([]string{"Graph", "IsZero", "Linear", "String"}, method.Name) {
			continue
		}
		checked++
		if err := callMethod(method, autograd.Value{}, argumentsFor(method.Type, autograd.Value{})); !errors.As(err, &graphError) {
			t.Errorf("%s of a zero Value: error %v", method.Name, err)
		}
		if err := callMethod(method, stale, argumentsFor(method.Type, x)); !errors.As(err, &staleError) {
			t.Errorf("%s of a stale Value: error %v", method.Name, err)
		}
		arguments := argumentsFor(method.Type, foreign)
		if !slices.ContainsFunc(arguments, func(v reflect.Value) bool { return v.Type() == valueType }) {
			continue
		}
		if err := callMethod(method, x, arguments); !errors.As(err, &graphError) {
			t.Errorf("%s with a Value of another graph: error %v", method.Name, err)
		}
		if optional := strings.HasSuffix(method.Name, "Norm"); !optional { // of a scale and shift
			if err := callMethod(method, x, argumentsFor(method.Type, autograd.Value{})); !errors.As(err, &graphError) {
				t.Errorf("%s with a zero Value: error %v", method.Name, err)
			}
		}
		if err := callMethod(method, x, argumentsFor(method.Type, stale)); !errors.As(err, &staleError) {
			t.Errorf("%s with a stale Value: error %v", method.Name, err)
		}
	}
	if checked < 100 {
		t.Errorf("only %d methods were checked", checked)
	}
	if got := g.Stats().Nodes; got != nodes {
		t.Errorf("refused operations left %d nodes", got-nodes)
	}
	bystander.check(t)
}

// Functions of several Values refuse a foreign one at every place.
func TestEveryFunctionRefusesForeignValues(t *testing.T) {
	type value = autograd.Value
	functions := map[string]func(x, y, z value){
		"Concat":   func(x, y, z value) { autograd.Concat(0, x, y, z) },
		"Stack":    func(x, y, z value) { autograd.Stack(0, x, y, z) },
		"Where":    func(x, y, z value) { autograd.Where(x, y, z) },
		"Einsum":   func(x, y, z value) { autograd.Einsum("i,i,i->", x, y, z) },
		"Custom":   func(x, y, z value) { autograd.Custom(double, x, y, z) },
		"Grad":     func(x, y, z value) { autograd.Grad(x, y, z) },
		"VJP":      func(x, y, z value) { autograd.VJP(x, y, z) },
		"JVP":      func(x, y, z value) { autograd.JVP(x, []value{y}, []value{z}) },
		"HVP":      func(x, y, z value) { autograd.HVP(x, []value{y}, []value{z}) },
		"Jacobian": func(x, y, z value) { autograd.Jacobian(x, y, z) },
		"Hessian":  func(x, y, z value) { autograd.Hessian(x, y); autograd.Hessian(y, z) },
	}
	g, other := autograd.NewGraph(autograd.Options{}), autograd.NewGraph(autograd.Options{})
	stale := g.Variable(autograd.Ones(1))
	g.Reset()
	x, foreign := g.Variable(autograd.Ones(1)), other.Variable(autograd.Ones(1))
	bystander := newBystander(g)
	for name, f := range functions {
		if err := autograd.Try(func() { f(x, x, x) }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for place := range 3 {
			for kind, bad := range map[string]value{"zero": {}, "foreign": foreign, "stale": stale} {
				in := [3]value{x, x, x}
				in[place] = bad
				err := autograd.Try(func() { f(in[0], in[1], in[2]) })
				var graphError *autograd.GraphError
				var staleError *autograd.StaleError
				if !errors.As(err, &graphError) && !errors.As(err, &staleError) {
					t.Errorf("%s with a %s Value at place %d: error %v", name, kind, place, err)
				}
				if kind == "stale" && staleError == nil {
					t.Errorf("%s with a stale Value at place %d: error %v", name, place, err)
				}
				if err != nil && !strings.Contains(err.Error(), "misuse_test.go:") {
					t.Errorf("%s: no line in %q", name, err)
				}
			}
		}
	}
	bystander.check(t)
}

func TestGraphMisuse(t *testing.T) {
	type graph = *autograd.Graph
	other := autograd.NewGraph(autograd.Options{Trace: true})
	foreign := other.Variable(autograd.Scalar(1))
	grads := foreign.Square().Backward()
	checkMisuses[*autograd.GraphError](t, autograd.Options{Trace: true}, []misuse{
		{here(), "autograd: Add: operands belong to different graphs", func(g graph) { g.Scalar(1).Add(foreign) }},
		{here(), "autograd: Add: a zero Value, which belongs to no graph", func(g graph) { g.Scalar(1).Add(autograd.Value{}) }},
		{here(), "autograd: Tanh: a zero Value, which belongs to no graph", func(graph) { autograd.Value{}.Tanh() }},
		{here(), "autograd: Where: operands belong to different graphs", func(g graph) { autograd.Where(g.Scalar(1), g.Scalar(1), foreign) }},
		{here(), "autograd: Grad: operands belong to different graphs", func(g graph) { autograd.Grad(g.Scalar(1), foreign) }},
		{here(), "autograd: Gradients.Of: a Value of another graph", func(g graph) { grads.Of(g.Scalar(1)) }},
		{here(), "autograd: Gradients.Of: a Value of another graph", func(graph) { grads.Of(autograd.Value{}) }},
		{here(), "autograd: Gradients.Reached: a Value of another graph", func(g graph) { grads.Reached(g.Scalar(1)) }},
		{here(), "autograd: Gradients.Contributions: a Value of another graph", func(g graph) { grads.Contributions(g.Scalar(1)) }},
		{here(), "autograd: Leave: no scope is open", func(g graph) { g.Leave() }},
		{here(), "autograd: Leave: no scope is open", func(g graph) { g.Enter("a"); g.Leave(); g.Leave() }},
	})
}

func TestStaleUse(t *testing.T) {
	type graph = *autograd.Graph
	old := func(g graph) autograd.Value { x := g.Variable(vector(1, 2)); g.Reset(); newBystander(g); return x }
	oldGrads := func(g graph) autograd.Gradients {
		grads := g.Variable(vector(1, 2)).Sum().Backward()
		g.Reset()
		newBystander(g)
		return grads
	}
	oldView := func(g graph) autograd.Tensor {
		t := g.Variable(vector(1, 2)).View()
		g.Reset()
		g.Full(3, 4, 5)
		return t
	}
	p := autograd.NewParam("w", autograd.Scalar(1))
	rows := []misuse{
		{here(), "autograd: Add: Value used after its graph's Reset", func(g graph) { x := old(g); x.Add(x) }},
		{here(), "autograd: Add: Value used after its graph's Reset", func(g graph) { x := old(g); g.Scalar(1).Add(x) }},
		{here(), "autograd: Item: Value used after its graph's Reset", func(g graph) { x := old(g); x.Item() }},
		{here(), "autograd: Tensor: Value used after its graph's Reset", func(g graph) { x := old(g); x.Tensor() }},
		{here(), "autograd: View: Value used after its graph's Reset", func(g graph) { x := old(g); x.View() }},
		{here(), "autograd: Backward: Value used after its graph's Reset", func(g graph) { x := old(g); x.Backward() }},
		{here(), "autograd: BackwardFrom: Value used after its graph's Reset", func(g graph) { x := old(g); x.BackwardFrom(vector(1, 2)) }},
		{here(), "autograd: Grad: Value used after its graph's Reset", func(g graph) { x := old(g); autograd.Grad(g.Scalar(1), x) }},
		{here(), "autograd: Gradients.Of: Value used after its graph's Reset", func(g graph) { x := old(g); g.Scalar(1).Backward().Of(x) }},
		{here(), "autograd: Gradients.Of: Gradients used after their graph's Reset", func(g graph) { gr := oldGrads(g); gr.Of(g.Variable(vector(1))) }},
		{here(), "autograd: Gradients.OfParam: Gradients used after their graph's Reset", func(g graph) { gr := oldGrads(g); g.Scalar(1).Backward(); gr.OfParam(p) }},
		{here(), "autograd: Gradients.Reached: Gradients used after their graph's Reset", func(g graph) { gr := oldGrads(g); gr.Reached(g.Scalar(1)) }},
		{here(), "autograd: Gradients.ReachedParam: Gradients used after their graph's Reset", func(g graph) { gr := oldGrads(g); gr.ReachedParam(p) }},
		{here(), "autograd: Gradients.Contributions: Gradients used after their graph's Reset", func(g graph) { gr := oldGrads(g); gr.Contributions(g.Scalar(1)) }},
		{here(), "autograd: Gradients.Scale: Gradients used after their graph's Reset", func(g graph) { gr := oldGrads(g); gr.Scale(2) }},
		{here(), "autograd: Gradients.Norm: Gradients used after their graph's Reset", func(g graph) { gr := oldGrads(g); gr.Norm() }},
		{here(), "autograd: Gradients.Add: Gradients used after their graph's Reset", func(g graph) { gr := oldGrads(g); var sum autograd.Gradients; sum.Add(gr) }},
		{here(), "autograd: Float64s: Tensor is a view of a recording that was Reset", func(g graph) { v := oldView(g); v.Float64s() }},
		{here(), "autograd: Raw64: Tensor is a view of a recording that was Reset", func(g graph) { v := oldView(g); v.Raw64() }},
		{here(), "autograd: Clone: Tensor is a view of a recording that was Reset", func(g graph) { v := oldView(g); v.Clone() }},
		{here(), "autograd: At: Tensor is a view of a recording that was Reset", func(g graph) { v := oldView(g); v.At(0) }},
		{here(), "autograd: Reshape: Tensor is a view of a recording that was Reset", func(g graph) { v := oldView(g); v.Reshape(2, 1) }},
		{here(), "autograd: In: Tensor is a view of a recording that was Reset", func(g graph) { v := oldView(g); v.In(autograd.Float32) }},
		{here(), "autograd: Item: Tensor is a view of a recording that was Reset", func(g graph) { v := oldView(g); v.Item() }},
		{here(), "autograd: Shape: Tensor is a view of a recording that was Reset", func(g graph) { v := oldView(g); v.Shape() }},
		{here(), "autograd: Dim: Tensor is a view of a recording that was Reset", func(g graph) { v := oldView(g); v.Dim(0) }},
		{here(), "autograd: Constant: Tensor is a view of a recording that was Reset", func(g graph) { v := oldView(g); g.Constant(v) }},
	}
	// They reset a graph of their own, so that the bystander's stays.
	for i, row := range rows {
		rows[i].f = func(graph) { row.f(autograd.NewGraph(autograd.Options{Trace: true})) }
	}
	checkMisuses[*autograd.StaleError](t, autograd.Options{}, rows)
}

// A recording made before a parameter was written has no gradients and does
// not show its numbers, not even reshaped or as rows; other Values stay.
func TestChangedParam(t *testing.T) {
	writes := map[string]func(p *autograd.Param){
		"Writable": func(p *autograd.Param) { p.Writable().Raw64()[0] = 7 },
		"Set":      func(p *autograd.Param) { p.Set(autograd.Ones(2, 3)) },
	}
	for name, write := range writes {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			t.Run(name+" in "+precision.String(), func(t *testing.T) {
				p := autograd.NewParam("w", autograd.Full(2, 2, 3))
				g := autograd.NewGraph(autograd.Options{Precision: precision})
				x := g.Variable(autograd.Scalar(5))
				elsewhere := x.Square()
				w := g.Param(p)
				flat, rows := w.Reshape(6), w.Narrow(0, 0, 1)
				y := w.Square().Sum()
				write(p)
				stale := "parameter w was changed after the recording used it: Reset and record again, at %v"
				wantError[*autograd.StaleError](t, "autograd: Backward: "+stale, func() { y.Backward() })
				wantError[*autograd.StaleError](t, "autograd: Backward: "+stale, func() { elsewhere.Backward() })
				wantError[*autograd.StaleError](t, "autograd: BackwardFrom: "+stale, func() { y.BackwardFrom(autograd.Scalar(1)) })
				wantError[*autograd.StaleError](t, "autograd: Grad: "+stale, func() { autograd.Grad(y, w) })
				wantError[*autograd.StaleError](t, "autograd: Param: "+stale, func() { g.Param(p) })
				wantError[*autograd.StaleError](t, "autograd: Tensor: "+stale, func() { w.Tensor() })
				if precision == autograd.Float64 { // where numbers are read in place
					wantError[*autograd.StaleError](t, "autograd: View: "+stale, func() { flat.View() })
					wantError[*autograd.StaleError](t, "autograd: Tensor: "+stale, func() { rows.Tensor() })
				}
				if y.Item() != 24 {
					t.Errorf("the sum changed to %v", y.Item())
				}
				for what, v := range map[string]autograd.Value{"param": w, "reshaped": flat} {
					if text := v.String(); strings.Contains(text, "PANIC") {
						t.Errorf("%s prints as %s", what, text)
					}
				}
				g.Reset()
				w = g.Param(p)
				grads := w.Square().Sum().Backward()
				want := w.Tensor().Float64s()
				for i := range want {
					want[i] *= 2
				}
				wantBits(t, "gradient after Reset", grads.OfParam(p).Float64s(), want)
			})
		}
	}
}

func TestGradientMisuse(t *testing.T) {
	type graph = *autograd.Graph
	frozen := autograd.NewParam("w", autograd.Ones(2))
	frozen.Frozen = true
	rows := []misuse{
		{here(), "autograd: Backward: a Value of shape [2 3] needs a seed: see BackwardFrom", func(g graph) { g.Variable(autograd.Zeros(2, 3)).Backward() }},
		{here(), "autograd: Backward: a Value of shape [0] needs a seed: see BackwardFrom", func(g graph) { g.Variable(autograd.Zeros(0)).Backward() }},
		{here(), "autograd: Grad: a Value of shape [2] needs a seed: see VJP", func(g graph) { x := g.Full(1, 2); autograd.Grad(x, x) }},
		{here(), "autograd: Gradients.Add: the receiver must be a sum of its own: var sum autograd.Gradients", func(g graph) { gr := g.Variable(vector(1)).Backward(); gr.Add(gr) }},
		{here(), "autograd: Gradients.Of: these Gradients are empty", func(g graph) { var sum autograd.Gradients; sum.Of(g.Scalar(1)) }},
		{here(), "autograd: Gradients.OfParam: these Gradients are empty", func(graph) { var sum autograd.Gradients; sum.OfParam(frozen) }},
	}
	checkMisuses[*autograd.GradientError](t, autograd.Options{}, rows)
	for text, f := range map[string]func(g graph) autograd.Value{
		"a constant has no gradient: record it with Variable":                               func(g graph) autograd.Value { return g.Constant(vector(1, 2)) },
		"the Value depends on no variable or parameter: it has no gradient":                 func(g graph) autograd.Value { return g.Constant(vector(1, 2)).Exp() },
		"parameter w is frozen: it has no gradient":                                         func(g graph) autograd.Value { return g.Param(frozen) },
		"Sign is piecewise constant: there is no gradient with respect to it":               func(g graph) autograd.Value { return g.Variable(vector(1, 2)).Sign() },
		"the gradient of an intermediate Value is kept only with Options.Trace":             func(g graph) autograd.Value { return g.Variable(vector(1, 2)).Exp() },
		"the gradient of an intermediate Value is kept only with Options.Trace (a reshape)": func(g graph) autograd.Value { return g.Variable(vector(1, 2)).Reshape(2, 1) },
	} {
		t.Run(text, func(t *testing.T) {
			text, _, _ = strings.Cut(text, " (")
			g := autograd.NewGraph(autograd.Options{})
			bystander := newBystander(g)
			x := f(g)
			grads := x.Sum().Mul(g.Variable(autograd.Scalar(1))).Backward()
			wantError[*autograd.GradientError](t, "autograd: Of: "+text+", at %v", func() { grads.Of(x) })
			if strings.Contains(text, "piecewise") || strings.Contains(text, "frozen") || strings.Contains(text, "constant") {
				if grads.Reached(x) {
					t.Error("Reached is true")
				}
			}
			bystander.check(t)
		})
	}
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(3))
	aside, y := x.Exp(), x.Square()
	grads := y.Backward()
	wantError[*autograd.GradientError](t, "autograd: Of: the loss does not depend on this Value, at %v", func() { grads.Of(aside) })
	later := y.Exp()
	wantError[*autograd.GradientError](t, "autograd: Of: the loss does not depend on this Value, at %v", func() { grads.Of(later) })
	plain := autograd.NewGraph(autograd.Options{})
	z := plain.Variable(autograd.Scalar(3))
	grads = z.Square().Backward()
	wantError[*autograd.GradientError](t, "autograd: Contributions: contributions are kept only with Options.Trace, at %v", func() { grads.Contributions(z) })
}

func TestNoGrad(t *testing.T) {
	type graph = *autograd.Graph
	p := autograd.NewParam("w", vector(1, 2))
	checkMisuses[*autograd.GradientError](t, autograd.Options{NoGrad: true}, []misuse{
		{here(), "autograd: Backward: the graph has the option NoGrad", func(g graph) { g.Variable(autograd.Scalar(1)).Backward() }},
		{here(), "autograd: Backward: the graph has the option NoGrad", func(g graph) { g.Param(p).Sum().Backward() }},
		{here(), "autograd: BackwardFrom: the graph has the option NoGrad", func(g graph) { g.Param(p).BackwardFrom(vector(1, 2)) }},
		{here(), "autograd: Grad: the graph has the option NoGrad", func(g graph) { x := g.Variable(autograd.Scalar(1)); autograd.Grad(x, x) }},
	})
	if autograd.NewGraph(autograd.Options{NoGrad: true}).Training() {
		t.Error("NoGrad does not imply Eval")
	}
}

func TestPrecisionMisuse(t *testing.T) {
	type graph = *autograd.Graph
	single := autograd.NewParam("w", autograd.NewTensor32([]float32{1}))
	checkMisuses[*autograd.PrecisionError](t, autograd.Options{}, []misuse{
		{here(), "autograd: Raw32: a float64 tensor where float32 is needed", func(graph) { autograd.Zeros(2).Raw32() }},
		{here(), "autograd: Raw64: a float32 tensor where float64 is needed", func(graph) { autograd.NewTensor32([]float32{1}).Raw64() }},
		{here(), "autograd: Raw64: a float32 tensor where float64 is needed", func(graph) { single.Writable().Raw64() }},
		{here(), "autograd: Raw64: a float32 tensor where float64 is needed", func(g graph) { g.Param(single).Sum().Backward().OfParam(single).Raw64() }},
	})
}

// A rule whose gradient has a shape of its own is named by the operation. The
// line is that of Custom where the graph knows it, else that of Add.
func TestCustomRuleWithWrongShape(t *testing.T) {
	rule := ""
	wrong := autograd.Operation{
		Name:    "wrong",
		Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() },
		Rule: func(r *autograd.Rule) {
			r.Add(func() int { rule = here(); return 0 }(), r.Grad().Reshape(-1, 1))
		},
	}
	for _, options := range []autograd.Options{{}, {Trace: true}, {CheckFinite: true}} {
		g := autograd.NewGraph(options)
		bystander := newBystander(g)
		x := g.Variable(vector(1, 2))
		z, at := autograd.Custom(wrong, x.Exp()), here()
		y := z.Mul(x).Sum()
		for what, f := range map[string]func(){"Backward": func() { y.Backward() }, "Grad": func() { autograd.Grad(y, x) }} {
			err := autograd.Try(f)
			var fault *autograd.ShapeError
			if !errors.As(err, &fault) {
				t.Fatalf("%s: got the error %T %v", what, err, err)
			}
			if options == (autograd.Options{}) {
				at = rule
			}
			want := "autograd: wrong: the rule's gradient does not have the shape of its input: [2 1] for [2], at " + at
			if diff := cmp.Diff(want, err.Error()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
			bystander.checkGradients(t, "after "+what)
		}
		bystander.check(t)
	}
}

// A rule may break off a backward pass in the middle, when gradients wait in
// many nodes. Nothing of it is seen in the next.
func TestPanicInTheMiddleOfBackward(t *testing.T) {
	var broken func(r *autograd.Rule)
	operation := autograd.Operation{
		Name:    "broken",
		Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() },
		Rule:    func(r *autograd.Rule) { broken(r) },
	}
	known, unknown := autograd.NewParam("known", vector(1, 1)), autograd.NewParam("unknown", vector(1, 1))
	type rule = *autograd.Rule
	for name, breaks := range map[string]func(r rule){
		"wrong shape":         func(r rule) { r.Add(0, r.Graph().Full(1, 7)) },
		"foreign Value":       func(r rule) { r.Add(0, autograd.NewGraph(autograd.Options{}).Full(1, 2)) },
		"zero Value":          func(r rule) { r.Add(0, autograd.Value{}) },
		"operation":           func(r rule) { r.Grad().Exp().Neg().MatMul(r.Graph().Full(1, 9)) },
		"a new Param":         func(r rule) { r.Graph().Param(unknown) },
		"a Variable":          func(r rule) { r.Graph().Variable(vector(1, 2)) },
		"Backward in a rule":  func(r rule) { r.Grad().Sum().Backward() },
		"Grad in a rule":      func(r rule) { autograd.Grad(r.Grad().Sum(), r.In(0)) },
		"Reset in a rule":     func(r rule) { r.Graph().Reset() },
		"in an open scope":    func(r rule) { r.Graph().Enter("inner"); defer r.Graph().Leave(); r.Grad().Item() },
		"no such input":       func(r rule) { r.Add(2, r.Grad()) },
		"a negative input":    func(r rule) { r.In(-1) },
		"a panic of its own":  func(rule) { panic("own") },
		"half of its outputs": func(r rule) { r.Add(0, r.Grad().Exp()); r.Add(0, r.Graph().Full(1, 3)) },
	} {
		for _, options := range []autograd.Options{{}, {Trace: true}, {Precision: autograd.Float32}} {
			t.Run(name, func(t *testing.T) {
				g := autograd.NewGraph(options)
				bystander := newBystander(g)
				x := g.Variable(vector(1, 2))
				h := x.Mul(g.Param(known)).Mul(x)
				y := autograd.Custom(operation, h.Exp()).Mul(h).Add(h).Add(bystander.x.Sum()).Sum()
				broken = breaks
				nodes := g.Stats().Nodes
				if breakOff(func() { y.Backward() }) == nil {
					t.Fatal("Backward did not panic")
				}
				if left := g.Stats().Nodes - nodes; left != 0 {
					t.Errorf("the panic left %d nodes", left)
				}
				bystander.checkGradients(t, "after the panic")
				p := g.Param(unknown)
				wantNumbers(t, "the Param that the rule asked for", p.Tensor().Float64s(), []float64{1, 1}, 0)
				wantNumbers(t, "its gradient", p.Square().Sum().Backward().OfParam(unknown).Float64s(), []float64{2, 2}, 0)
				if scope := g.Scalar(1).Node().Scope; scope != "" {
					t.Errorf("scope %q is open", scope)
				}
				broken = func(r rule) { r.Add(0, r.Grad()) }
				wantNumbers(t, "mended", y.Backward().Of(x).Float64s(), mendedGradient(1, 2), 1e-4)
				bystander.check(t)
			})
		}
	}
}

// mendedGradient is the derivative of e^h·h + h, h = x², at each x.
func mendedGradient(xs ...float64) []float64 {
	var gradients []float64
	for _, x := range xs {
		h := x * x
		gradients = append(gradients, (math.Exp(h)*(1+h)+1)*2*x)
	}
	return gradients
}

// breakOff runs f and returns what it panicked with.
func breakOff(f func()) (panicked any) {
	defer func() { panicked = recover() }()
	f()
	return nil
}

// A Forward function may panic too.
func TestPanicInForward(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	bystander := newBystander(g)
	nodes := g.Stats().Nodes
	op := autograd.Operation{Name: "own", Forward: func([]autograd.Tensor) autograd.Tensor { panic("own") }}
	if got := breakOff(func() { autograd.Custom(op, bystander.w) }); got != "own" {
		t.Errorf("got the panic %v", got)
	}
	if g.Stats().Nodes != nodes {
		t.Error("it left a node")
	}
	bystander.check(t)
}

func TestTryPassesOtherPanics(t *testing.T) {
	type own struct{ error }
	for _, want := range []any{"text", errors.New("an error"), own{}, 7} {
		if got := breakOff(func() { autograd.Try(func() { panic(want) }) }); got != want {
			t.Errorf("Try turned the panic %v into %v", want, got)
		}
	}
	var zero *int
	runtimeError, ok := breakOff(func() { autograd.Try(func() { *zero = 1 }) }).(runtime.Error)
	if !ok {
		t.Errorf("Try turned a runtime error into %v", runtimeError)
	}
	if err := autograd.Try(func() {}); err != nil {
		t.Errorf("Try of nothing: %v", err)
	}
}

// Checks that a user of another package would make are the typed errors too.
func TestErrorsForOtherPackages(t *testing.T) {
	wantError[*autograd.ArgumentError](t, "optim: SGD: the rate -1 is negative, at %v", func() { panic(autograd.NewArgumentError("optim: SGD", "the rate %v is negative", -1)) })
	wantError[*autograd.ShapeError](t, "autograd: Dense: no: [1], [2], at %v", func() { panic(autograd.NewShapeError("Dense", "no", []int{1}, []int{2})) })
	wantError[*autograd.IndexError](t, "autograd: Accuracy: label 7 is out of range for 3, at %v", func() { panic(autograd.NewIndexError("Accuracy", "label", 7, 3)) })
}

// What a rule names of the recording keeps its own name.
func TestNamesGivenInsideARule(t *testing.T) {
	named := autograd.Operation{
		Name:    "named",
		Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() },
		Rule: func(r *autograd.Rule) {
			r.In(0).Named("input")
			r.Add(0, r.Grad().Neg().Named("scratch").Neg())
		},
	}
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(vector(1, 2))
	h := x.Exp()
	y := autograd.Custom(named, h).Permute(0).Sum()
	y.Backward()
	g.Scalar(1).Named("other")
	x.Permute(0).Named("third")
	if h.Name() != "input" {
		t.Errorf("the input is named %q", h.Name())
	}
}

// A gradient for an input that the operation does not have is refused, also
// when another operation of the recording has more of them.
func TestRuleWithoutSuchInput(t *testing.T) {
	at := ""
	wrong := autograd.Operation{
		Name:    "wrong",
		Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() },
		Rule:    func(r *autograd.Rule) { at = here(); r.Add(2, r.Grad()) },
	}
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(vector(1, 2))
	y := autograd.Custom(wrong, x, x)
	y = autograd.Concat(0, y, g.Full(1, 1), g.Full(1, 1), x).Sum()
	for what, f := range map[string]func(){"Backward": func() { y.Backward() }, "Grad": func() { autograd.Grad(y, x) }} {
		err := autograd.Try(f)
		var fault *autograd.IndexError
		if !errors.As(err, &fault) {
			t.Fatalf("%s: got the error %T %v", what, err, err)
		}
		if want := "autograd: wrong: input 2 is out of range for 2, at " + at; err.Error() != want {
			t.Errorf("%s: got %q, want %q", what, err, want)
		}
	}
}

func padded(ids ...int) autograd.EmbeddingOptions { return autograd.EmbeddingOptions{Padding: ids} }
