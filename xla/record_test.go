package xla

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/losses"
)

var (
	someNumbers = Numbers(autograd.NewTensor([]float64{1, 2, 3, 4, 5, 6}, 2, 3))
	someLabels  = Indices(autograd.NewInts([]int{2, 1}), 3)
)

// Whatever a program would freeze is an error that names the operation.
func TestNothingIsFrozen(t *testing.T) {
	w := autograd.NewParam("w", autograd.Ones(3))
	rng := rand.New(rand.NewPCG(1, 2))
	calls := 0
	for name, step := range map[string]struct {
		f    func(g *autograd.Graph, in Inputs) autograd.Value
		want string
	}{
		"a number of an input as a factor": {func(g *autograd.Graph, in Inputs) autograd.Value {
			return in.Value(0).MulScalar(in.Value(0).Tensor().At(0, 0))
		}, `mul scalar: one of its settings depends on`},
		"a number of a Param as a constant": {func(g *autograd.Graph, in Inputs) autograd.Value {
			return in.Value(0).Mul(g.Constant(w.Tensor())).Add(g.Param(w))
		}, `constant: the numbers of a constant of shape [3] depend on`},
		"noise": {func(g *autograd.Graph, in Inputs) autograd.Value {
			return in.Value(0).Add(g.Scalar(rng.Float64()))
		}, `constant: the numbers of a constant of shape [] depend on`},
		"an argmax as an index": {func(g *autograd.Graph, in Inputs) autograd.Value {
			return in.Value(0).IndexSelect(1, in.Value(0).ArgMax(1))
		}, `index select: its integers depend on`},
		"as many rows as a label says": {func(g *autograd.Graph, in Inputs) autograd.Value {
			return in.Value(0).Narrow(1, 0, in.Ints(1).Values()[0]+1)
		}, `slice: which operations the step records, or their shapes, depends on`},
		"a branch on a number": {func(g *autograd.Graph, in Inputs) autograd.Value {
			if in.Value(0).Tensor().At(0, 0) == 1 {
				return in.Value(0).Exp()
			}
			return in.Value(0).Log()
		}, `exp: which operations the step records, or their shapes, depends on`},
		"a count": {func(g *autograd.Graph, in Inputs) autograd.Value {
			calls++
			return in.Value(0).AddScalar(float64(calls))
		}, `add scalar: one of its settings depends on`},
		"a square of labels": {func(g *autograd.Graph, in Inputs) autograd.Value {
			squares := []int{}
			for _, v := range in.Ints(1).Values() {
				squares = append(squares, v*v%3)
			}
			return in.Value(0).Pick(autograd.NewInts(squares))
		}, `gather: its integers depend on`},
		"labels that are left out": {func(g *autograd.Graph, in Inputs) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(in.Value(0), in.Ints(1), losses.Options{Logits: true, IgnoreIndex: []int{2}})
		}, `depends on`},
		"lengths": {func(g *autograd.Graph, in Inputs) autograd.Value {
			lengths := []int{}
			for _, v := range in.Ints(1).Values() {
				lengths = append(lengths, v+1)
			}
			x := in.Value(0).Reshape(2, 1, 3, 1)
			return autograd.Attention(x, x, x, autograd.AttentionOptions{Lengths: autograd.NewInts(lengths)})
		}, `attention: its integers depend on`},
		"a mask that only is called one of dropout": {func(g *autograd.Graph, in Inputs) autograd.Value {
			mask := make([]float64, 6)
			for i := range mask {
				mask[i] = float64(rng.IntN(2))
			}
			return in.Value(0).Mul(g.Constant(autograd.NewTensor(mask, 2, 3)).Named("dropout mask"))
		}, `constant: the numbers of a constant of shape [2 3] depend on`},
		"dropout from another stream": {func(g *autograd.Graph, in Inputs) autograd.Value {
			g.SetRandomState(autograd.NewRandomState(rng.Uint64()))
			return in.Value(0).Dropout(0.5)
		}, `constant: it is not what dropout draws next`},
		"attention from another stream": {func(g *autograd.Graph, in Inputs) autograd.Value {
			g.SetRandomState(autograd.NewRandomState(rng.Uint64()))
			x := in.Value(0).Reshape(2, 1, 3, 1)
			return autograd.Attention(x, x, x, autograd.AttentionOptions{Dropout: 0.5})
		}, `attention: it is not what dropout draws next`},
		"a hidden segment": {func(g *autograd.Graph, in Inputs) autograd.Value {
			return in.Value(0).SegmentMax(in.Ints(1), 3)
		}, `depend`},
	} {
		t.Run(name, func(t *testing.T) {
			f := func(g *autograd.Graph, in Inputs) ([]autograd.Value, error) {
				return []autograd.Value{step.f(g, in)}, nil
			}
			_, err := newTape(f, []Input{someNumbers, someLabels}, autograd.Options{})
			var refusal *UnsupportedError
			if !errors.As(err, &refusal) || !strings.Contains(err.Error(), step.want) {
				t.Fatalf("got %v, want %q", err, step.want)
			}
			if !strings.Contains(err.Error(), "record_test.go:") && !strings.Contains(name, "constant") && name != "noise" && !strings.Contains(name, "mask") && name != "labels that are left out" {
				t.Errorf("%v: no line", err)
			}
		})
	}
}

// Integers that follow an input are found, wherever they are.
func TestIntegersThatFollow(t *testing.T) {
	const words = 7
	ids := Indices(autograd.NewInts([]int{0, 3, 6, 2, 5, 1}, 2, 3), words)
	pair := Indices(autograd.NewInts([]int{1, 0}), 2)
	table := autograd.NewParam("table", autograd.Ones(words, 2))
	for name, step := range map[string]struct {
		in   Input
		f    func(g *autograd.Graph, in Inputs) autograd.Value
		want foundIndex
	}{
		"ids": {ids, func(g *autograd.Graph, in Inputs) autograd.Value {
			return g.Param(table).Embedding(in.Ints(0))
		}, foundIndex{of: []int{0, 1, 2, 3, 4, 5}, a: []int{0, 0, 0, 0, 0, 0}, b: []int{1, 1, 1, 1, 1, 1}}},
		"some of them": {ids, func(g *autograd.Graph, in Inputs) autograd.Value {
			v := in.Ints(0).Values()
			return g.Param(table).Embedding(autograd.NewInts([]int{v[1], v[2], v[4], v[5]}))
		}, foundIndex{of: []int{1, 2, 4, 5}, a: []int{0, 0, 0, 0}, b: []int{1, 1, 1, 1}}},
		"places": {Indices(autograd.NewInts([]int{2, 1}), 3), func(g *autograd.Graph, in Inputs) autograd.Value {
			return g.Full(1, 2, 3).Pick(in.Ints(0))
		}, foundIndex{of: []int{0, 1}, a: []int{0, 3}, b: []int{1, 1}}},
		"backwards": {pair, func(g *autograd.Graph, in Inputs) autograd.Value {
			v := in.Ints(0).Values()
			return g.Param(table).Embedding(autograd.NewInts([]int{v[1], v[0]}))
		}, foundIndex{of: []int{1, 0}, a: []int{0, 0}, b: []int{1, 1}}},
		"the others": {pair, func(g *autograd.Graph, in Inputs) autograd.Value {
			v := in.Ints(0).Values()
			return g.Param(table).Embedding(autograd.NewInts([]int{1 - v[0], 5, 2*v[1] + 1}))
		}, foundIndex{of: []int{0, 0, 1}, a: []int{1, 5, 1}, b: []int{-1, 0, 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			f := func(g *autograd.Graph, in Inputs) ([]autograd.Value, error) {
				return []autograd.Value{step.f(g, in)}, nil
			}
			tape, err := newTape(f, []Input{step.in}, autograd.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(tape.indices) != 1 {
				t.Fatalf("%d nodes follow the input", len(tape.indices))
			}
			for _, got := range tape.indices {
				if !sameIndex(got, step.want) {
					t.Errorf("got %+v, want %+v", got, step.want)
				}
			}
		})
	}
}

func sameIndex(x, y foundIndex) bool {
	for i := range y.of {
		if x.a[i] != y.a[i] || x.b[i] != y.b[i] || x.b[i] != 0 && x.of[i] != y.of[i] {
			return false
		}
	}
	return len(x.of) == len(y.of) && x.input == y.input
}

// The rate of a dropout is told by what it multiplies by.
func TestRateOf(t *testing.T) {
	for _, rate := range []float64{0.1, 0.5, 0.2, 0.123, 1.0 / 3, 0.9, 1e-3, 0.6180339887498949} {
		for _, p := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			kept := 1 / (1 - rate)
			if p == autograd.Float32 {
				kept = float64(float32(kept))
			}
			if got := rateOf(kept, p); distance([]float64{got}, []float64{rate}) > map[autograd.Precision]float64{autograd.Float64: 1e-15, autograd.Float32: 6e-8}[p] {
				t.Errorf("%v of %v: %v", p, rate, got)
			}
		}
	}
}

// The step's Params keep their numbers and versions, whatever it takes to
// record it.
func TestRecordingLeavesParams(t *testing.T) {
	w := autograd.NewParam("w", autograd.NewTensor([]float64{1, 2, 3}))
	version := w.Version()
	f := func(g *autograd.Graph, in Inputs) ([]autograd.Value, error) {
		return []autograd.Value{in.Value(0).Mul(g.Param(w))}, nil
	}
	if _, err := newTape(f, []Input{someNumbers}, autograd.Options{}); err != nil {
		t.Fatal(err)
	}
	if w.Version() != version || distance(w.Tensor().Float64s(), []float64{1, 2, 3}) != 0 {
		t.Errorf("version %d of %v", w.Version(), w.Tensor())
	}
}

// A dropout of no elements is none, and of one that dropped all it had the rate
// is not known.
func TestDropoutOfLittle(t *testing.T) {
	f := func(_ *autograd.Graph, in Inputs) ([]autograd.Value, error) {
		return []autograd.Value{in.Value(0).Dropout(0.99)}, nil
	}
	tape, err := newTape(f, []Input{Numbers(autograd.Zeros(0, 3))}, autograd.Options{})
	if err != nil || len(tape.draws) != 1 {
		t.Errorf("%+v, %v", tape, err)
	}
	_, err = newTape(f, []Input{Numbers(autograd.Ones(1))}, autograd.Options{})
	wantText(t, err, "a dropout of shape [1] keeps nothing in 4 recordings")
}
