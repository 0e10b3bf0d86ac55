package autograd_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

// recurrentKinds are the recurrent operations, with all results of each in one
// matrix.
var recurrentKinds = []struct {
	name          string
	gates, states int
	f             func(autograd.RecurrentOptions) func(in ...autograd.Value) autograd.Value
}{
	{"lstm", 4, 2, lstmOf}, {"gru", 3, 1, gruOf}, {"rnn", 1, 1, rnnOf},
}

func drawn(rng *rand.Rand, p autograd.Precision, shapes [][]int) []autograd.Tensor {
	var all []autograd.Tensor
	for _, s := range shapes {
		scale := 1.0
		if len(s) == 2 {
			scale = 1 / math.Sqrt(float64(s[0]))
		}
		all = append(all, autograd.Normal(rng, 0, scale, s...).In(p))
	}
	return all
}

// Sizes at which products are cut into blocks, weights are packed, and few
// sequences are left at the end: the fused passes against the network written
// out step by step, whose gradients Grad takes.
func TestRecurrentAgainstUnrolled(t *testing.T) {
	for _, kind := range recurrentKinds {
		for _, size := range [][4]int{{40, 9, 3, 17}, {13, 3, 5, 270}, {2, 4, 300, 65}, {6, 1, 2, 33}} {
			for _, reverse := range []bool{false, true} {
				rng := rand.New(rand.NewPCG(1, 2))
				o := autograd.RecurrentOptions{Reverse: reverse}
				lengths := make([]int, size[0])
				for i := range lengths {
					lengths[i] = 1 + rng.IntN(size[1])
				}
				o.Lengths = autograd.NewInts(lengths)
				g := autograd.NewGraph(autograd.Options{})
				var in []autograd.Value
				for _, v := range drawn(rng, autograd.Float64, recurrentShapes(size[0], size[1], size[2], size[3], kind.gates, kind.states)) {
					in = append(in, g.Variable(v))
				}
				y := kind.f(o)(in...)
				seed := autograd.Normal(rng, 0, 1, y.Shape()...)
				fused, written := y.BackwardFrom(seed), autograd.VJP(y, g.Constant(seed), in...)
				for i, x := range in {
					if diff := cmp.Diff(gridOf(written[i].Tensor()), gridOf(fused.Of(x)), withinOr(1e-11, 1e-12)); diff != "" {
						t.Fatalf("%s %v, reverse %v: gradient %d (-written out +fused):\n%s", kind.name, size, reverse, i, diff[:min(len(diff), 800)])
					}
				}
			}
		}
	}
}

// Any number of cores gives the same bits: sequences are cut among them.
func TestRecurrentOnAnyCores(t *testing.T) {
	for _, kind := range recurrentKinds {
		for _, p := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			run := func(cores int) []float64 {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
				rng := rand.New(rand.NewPCG(3, 4))
				g := autograd.NewGraph(autograd.Options{Precision: p})
				var in []autograd.Value
				for _, v := range drawn(rng, p, recurrentShapes(53, 12, 40, 96, kind.gates, kind.states)) {
					in = append(in, g.Variable(v))
				}
				lengths := make([]int, 53)
				for i := range lengths {
					lengths[i] = 12 - i%5
				}
				y := kind.f(autograd.RecurrentOptions{Lengths: autograd.NewInts(lengths)})(in...)
				all := y.Tensor().Float64s()
				grads := y.Square().Mean().Backward()
				for _, x := range in {
					all = append(all, grads.Of(x).Float64s()...)
				}
				return all
			}
			want := run(1)
			for _, cores := range []int{2, 3, 4} {
				wantBits(t, fmt.Sprintf("%s in %v on %d cores", kind.name, p, cores), run(cores), want)
			}
		}
	}
}

func TestRecurrentAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	for _, kind := range recurrentKinds {
		for _, p := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			for _, o := range []autograd.Options{{Precision: p}, {Precision: p, NoGrad: true}} {
				rng := rand.New(rand.NewPCG(3, 4))
				var params []*autograd.Param
				for i, v := range drawn(rng, p, recurrentShapes(9, 6, 4, 20, kind.gates, kind.states)) {
					params = append(params, autograd.NewParam(fmt.Sprint("p", i), v))
				}
				lengths := autograd.NewInts([]int{6, 2, 3, 6, 1, 5, 4, 4, 2})
				seed := autograd.Normal(rng, 0, 1, 9, 6, 20).In(p)
				g := autograd.NewGraph(o)
				in := make([]autograd.Value, len(params))
				step := func() {
					g.Reset()
					for i, param := range params {
						in[i] = g.Param(param)
					}
					w := recurrentWeights(in, kind.states)
					options := autograd.RecurrentOptions{Lengths: lengths}
					var y autograd.Value
					switch kind.name {
					case "lstm":
						y, _, _ = autograd.LSTM(in[0], in[3], in[4], w, options)
					case "gru":
						y, _ = autograd.GRU(in[0], in[3], w, options)
					default:
						y, _ = autograd.RNN(in[0], in[3], w, options)
					}
					if !o.NoGrad {
						y.BackwardFrom(seed)
					}
				}
				for range 3 {
					step()
				}
				if n := testing.AllocsPerRun(10, step); n > 0 {
					t.Errorf("%s with %+v allocates %v times a step", kind.name, o, n)
				}
			}
		}
	}
}

// Nothing behind the end of a sequence counts, not even NaN.
func TestRecurrentPaddingIsNotRead(t *testing.T) {
	for _, kind := range recurrentKinds {
		rng := rand.New(rand.NewPCG(5, 6))
		tensors := drawn(rng, autograd.Float64, recurrentShapes(3, 4, 2, 5, kind.gates, kind.states))
		o := paddedRuns
		run := func(fill float64) []float64 {
			for b, n := range o.Lengths.Values() {
				for i := n * 2; i < 4*2; i++ {
					tensors[0].Raw64()[b*4*2+i] = fill
				}
			}
			g := autograd.NewGraph(autograd.Options{})
			var in []autograd.Value
			for _, v := range tensors {
				in = append(in, g.Variable(v))
			}
			y := kind.f(o)(in...)
			all := y.Tensor().Float64s()
			grads := y.Square().Sum().Backward()
			for _, x := range in {
				all = append(all, grads.Of(x).Float64s()...)
			}
			return all
		}
		want, got := run(0), run(math.NaN())
		wantBits(t, kind.name, got, want)
		gx := got[3*(4+kind.states)*5:]
		for b, n := range o.Lengths.Values() {
			if behind := gx[b*4*2+n*2 : (b+1)*4*2]; slices.ContainsFunc(behind, func(v float64) bool { return v != 0 }) {
				t.Errorf("%s: the gradient of padding is %v", kind.name, behind)
			}
		}
	}
}

func TestRecurrentMistakes(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	v := func(shape ...int) autograd.Value { return g.Constant(autograd.Ones(shape...)) }
	w := autograd.RecurrentWeights{Input: v(2, 12), Hidden: v(3, 12), InputBias: v(12), HiddenBias: v(12)}
	gru := autograd.RecurrentWeights{Input: v(2, 9), Hidden: v(3, 9)}
	x, none := v(2, 4, 2), autograd.Value{}
	lengths := func(n ...int) autograd.RecurrentOptions {
		return autograd.RecurrentOptions{Lengths: autograd.NewInts(n)}
	}
	with := func(change func(w *autograd.RecurrentWeights)) autograd.RecurrentWeights {
		w := w
		change(&w)
		return w
	}
	lstm := func(x, h, c autograd.Value, w autograd.RecurrentWeights, o autograd.RecurrentOptions) func() {
		return func() { autograd.LSTM(x, h, c, w, o) }
	}
	for _, row := range []struct {
		f    func()
		want string
	}{
		{lstm(x, none, none, w, lengths(4, 0)), "LSTM: sequence 1 of the batch has length 0, want 1 to 4"},
		{lstm(x, none, none, w, lengths(5, 1)), "LSTM: sequence 0 of the batch has length 5, want 1 to 4"},
		{lstm(x, none, none, w, lengths(4, -1)), "sequence 1 of the batch has length -1"},
		{lstm(x, none, none, w, lengths(4)), "want a length for each of 2 sequences: [1]"},
		{lstm(v(2, 2), none, none, w, lengths()), "LSTM: want [batch, steps, in] with at least one step: [2 2]"},
		{lstm(v(2, 0, 2), none, none, w, lengths(1, 1)), "with at least one step: [2 0 2]"},
		{lstm(v(2, 4, 3), none, none, w, lengths(1, 1)), "the weights of the input must be [3, 12]: [2 4 3] by [2 12]"},
		{lstm(x, v(2, 4), none, w, lengths(1, 1)), "LSTM: a state must be [2, 3]: [2 4]"},
		{lstm(x, none, v(1, 3), w, lengths(1, 1)), "a state must be [2, 3]: [1 3]"},
		{lstm(x, none, none, gru, lengths(1, 1)), "the weights of the state must be [hidden, 4·hidden]: [3 9]"},
		{lstm(x, none, none, with(func(w *autograd.RecurrentWeights) { w.Input = none }), lengths(1, 1)), "LSTM: a zero Value"},
		{lstm(x, none, none, with(func(w *autograd.RecurrentWeights) { w.HiddenBias = v(3) }), lengths(1, 1)), "a bias must be [12]: [3]"},
		{lstm(none, none, none, w, lengths(1, 1)), "LSTM: a zero Value"},
		{lstm(x, autograd.NewGraph(autograd.Options{}).Constant(autograd.Ones(2, 3)), none, w, lengths(1, 1)), "different graphs"},
		{func() { autograd.GRU(x, none, w, lengths(1, 1)) }, "GRU: the weights of the state must be [hidden, 3·hidden]: [3 12]"},
		{func() { autograd.RNN(x, none, w, lengths(1, 1)) }, "RNN: the weights of the state must be [hidden, 1·hidden]: [3 12]"},
		{func() { autograd.LSTMCell(x, none, none, w) }, "LSTMCell: want [batch, in]: [2 4 2]"},
		{func() { autograd.GRUCell(v(2, 3), none, gru) }, "GRUCell: the weights of the input must be [3, 9]"},
	} {
		err := autograd.Try(row.f)
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "recurrent_test.go:") {
			t.Errorf("error %v, want %q and the line", err, row.want)
		}
		var shape *autograd.ShapeError
		var argument *autograd.ArgumentError
		var graph *autograd.GraphError
		if !errors.As(err, &shape) && !errors.As(err, &argument) && !errors.As(err, &graph) {
			t.Errorf("%T", err)
		}
	}
}

// The gradient of a state that comes from the network's own input: neither is
// counted for the other.
func TestRecurrentInputsOfOneAnother(t *testing.T) {
	row := opRow{op: "gru", f: func(in ...autograd.Value) autograd.Value {
		first := in[0].Select(1, 0).MatMul(in[2].Narrow(1, 0, 3).Narrow(0, 0, 2))
		return gruOf(autograd.RecurrentOptions{})(in[0], in[1], in[2], first)
	}}
	in := opRow{op: "gru", lo: -1, hi: 1}.draw(recurrentShapes(2, 3, 2, 3, 3, 1)[:3])
	got := row.compute(autograd.Options{}, in, nil)
	if diff := cmp.Diff(got.Grad, got.Backward, within(1e-13)); diff != "" {
		t.Errorf("gradient (-Grad +Backward):\n%s", diff)
	}
}

func ExampleLSTM() {
	rng := rand.New(rand.NewPCG(1, 0))
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(autograd.Normal(rng, 0, 1, 2, 5, 3)) // two sequences of up to five steps
	w := autograd.RecurrentWeights{
		Input:  g.Variable(autograd.Normal(rng, 0, 0.5, 3, 4*2)),
		Hidden: g.Variable(autograd.Normal(rng, 0, 0.5, 2, 4*2)),
	}
	zeros := autograd.Value{}
	y, h, c := autograd.LSTM(x, zeros, zeros, w, autograd.RecurrentOptions{Lengths: autograd.NewInts([]int{5, 3})})
	fmt.Println(y.Shape(), h.Shape(), c.Shape())
	fmt.Println("behind the end:", y.Tensor().At(1, 3, 0), y.Tensor().At(1, 4, 0))
	fmt.Println("the last state:", h.Tensor().At(1, 0) == y.Tensor().At(1, 2, 0))
	// Output:
	// [2 5 2] [2 2] [2 2]
	// behind the end: 0 0
	// the last state: true
}
