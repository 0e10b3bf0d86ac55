package layers_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

// Going step by step gives what a run over the whole sequence does, bit by bit.
func TestStepsAreARun(t *testing.T) {
	for _, p := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		rng := seeded(3)
		options := layers.RecurrentOptions{Layers: 2, Precision: p}
		lstm, gru, rnn := layers.NewLSTMWith(rng, 3, 5, options), layers.NewGRUWith(rng, 3, 5, options), layers.NewRNNWith(rng, 3, 5, options)
		g := autograd.NewGraph(autograd.Options{Precision: p})
		x := g.Constant(autograd.Normal(rng, 0, 1, 4, 6, 3))

		var ls layers.LSTMState
		var gs, rs layers.State
		var lys, gys, rys []autograd.Value
		for s := range 6 {
			var ly, gy, ry autograd.Value
			ly, ls = lstm.Step(x.Select(1, s), ls)
			gy, gs = gru.Step(x.Select(1, s), gs)
			ry, rs = rnn.Step(x.Select(1, s), rs)
			lys, gys, rys = append(lys, ly), append(gys, gy), append(rys, ry)
		}
		y, last := lstm.Run(x, layers.LSTMState{})
		same(t, "lstm", y, autograd.Stack(1, lys...))
		same(t, "lstm's H", last.H, ls.H)
		same(t, "lstm's C", last.C, ls.C)
		y, state := gru.Run(x, layers.State{})
		same(t, "gru", y, autograd.Stack(1, gys...))
		same(t, "gru's H", state.H, gs.H)
		y, state = rnn.Run(x, layers.State{})
		same(t, "rnn", y, autograd.Stack(1, rys...))
		same(t, "rnn's H", state.H, rs.H)
	}
}

func same(t *testing.T, what string, want, got autograd.Value) {
	t.Helper()
	if diff := cmp.Diff(want.Shape(), got.Shape()); diff != "" {
		t.Fatalf("%s: shape (-want +got):\n%s", what, diff)
	}
	if !want.Tensor().Equal(got.Tensor()) {
		t.Errorf("%s: %v, want %v", what, got.Tensor(), want.Tensor())
	}
}

func TestRecurrentNames(t *testing.T) {
	lstm := layers.NewLSTMWith(seeded(1), 2, 3, layers.RecurrentOptions{Layers: 2, Bidirectional: true, Name: "encoder"})
	var names []string
	for _, p := range lstm.Params() {
		names = append(names, p.Name())
	}
	var want []string
	for _, suffix := range []string{"_l0", "_l0_reverse", "_l1", "_l1_reverse"} {
		for _, name := range []string{"weight_ih", "weight_hh", "bias_ih", "bias_hh"} {
			want = append(want, "encoder."+name+suffix)
		}
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRecurrentMistakes(t *testing.T) {
	rng := seeded(1)
	lstm := layers.NewLSTMWith(rng, 2, 3, layers.RecurrentOptions{Name: "reader"})
	both := layers.NewGRUWith(rng, 2, 3, layers.RecurrentOptions{Bidirectional: true})
	rnn := layers.NewRNN(rng, 2, 3)
	g := autograd.NewGraph(autograd.Options{})
	v := func(shape ...int) autograd.Value { return g.Constant(autograd.Ones(shape...)) }
	x := v(4, 5, 2)
	lengths := func(n ...int) layers.RunOptions { return layers.RunOptions{Lengths: autograd.NewInts(n)} }
	for _, row := range []struct {
		f    func()
		want string
	}{
		{func() { lstm.RunWith(x, layers.LSTMState{}, lengths(5, 0, 2, 1)) }, `layers: LSTM "reader": sequence 1 of the batch has length 0, want 1 to 5`},
		{func() { lstm.RunWith(x, layers.LSTMState{}, lengths(5, 6, 2, 1)) }, `layers: LSTM "reader": sequence 1 of the batch has length 6, want 1 to 5`},
		{func() { lstm.RunWith(x, layers.LSTMState{}, lengths(5, 2)) }, `layers: LSTM "reader": want a length for each of 4 sequences: [2]`},
		{func() { lstm.Run(v(4, 5, 3), layers.LSTMState{}) }, `layers: LSTM "reader": the input must be [batch, steps, 2]: [4 5 3], [2 12]`},
		{func() { lstm.Run(v(4, 2), layers.LSTMState{}) }, `the input must be [batch, steps, 2]: [4 2]`},
		{func() { lstm.Run(v(4, 0, 2), layers.LSTMState{}) }, `layers: LSTM "reader": want [batch, steps, in] with at least one step: [4 0 2]`},
		{func() { lstm.Run(x, layers.LSTMState{H: v(1, 2, 3)}) }, `layers: LSTM "reader": the state's H must be [layers·directions, batch, hidden] = [1, 4, 3]: [1 2 3]`},
		{func() { lstm.Run(x, layers.LSTMState{C: v(4, 3)}) }, `the state's C must be [layers·directions, batch, hidden] = [1, 4, 3]: [4 3]`},
		{func() { lstm.Step(x, layers.LSTMState{}) }, `layers: LSTM "reader": the input of a step must be [batch, 2]: [4 5 2]`},
		{func() { both.Step(v(4, 2), layers.State{}) }, `layers: GRU "gru": a bidirectional layer cannot go step by step`},
		{func() { both.Run(x, layers.State{H: v(1, 4, 3)}) }, `layers: GRU "gru": the state's H must be [layers·directions, batch, hidden] = [2, 4, 3]: [1 4 3]`},
		{func() { rnn.Run(v(4, 5, 1), layers.State{}) }, `layers: RNN "rnn": the input must be [batch, steps, 2]: [4 5 1]`},
		{func() { (&layers.LSTM{}).Forward(x) }, `layers: LSTM: there are no Weights: NewLSTM makes them`},
		{func() { layers.NewLSTM(rng, 0, 3) }, `layers: LSTM: 0 inputs and 3 hidden units: both must be positive`},
		{func() { layers.NewGRU(nil, 2, 3) }, `layers: GRU: the rng is nil`},
		{func() { layers.NewGRUWith(rng, 2, 3, layers.RecurrentOptions{ForgetBias: 1}) }, `layers: GRU: ForgetBias is for an LSTM`},
		{func() { layers.NewLSTMWith(rng, 2, 3, layers.RecurrentOptions{ReLU: true}) }, `layers: LSTM: ReLU is for an RNN`},
		{func() { layers.NewLSTMWith(rng, 2, 3, layers.RecurrentOptions{NoBias: true, ForgetBias: 1}) }, `layers: LSTM: a ForgetBias of 1, with NoBias true`},
		{func() { layers.NewRNNWith(rng, 2, 3, layers.RecurrentOptions{Dropout: 1}) }, `layers: RNN: a rate of 1 is not in [0, 1)`},
		{func() { layers.NewRNNWith(rng, 2, 3, layers.RecurrentOptions{Layers: -1}) }, `layers: RNN: -1 layers`},
		{func() { layers.Last().Forward(v(4)) }, `layers: Last: the input must be [batch, steps, …] with at least one step: [4]`},
		{func() { layers.Last().Forward(v(4, 0, 2)) }, `with at least one step: [4 0 2]`},
	} {
		err := autograd.Try(row.f)
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "recurrent_test.go:") {
			t.Errorf("error %v, want %s, and the line", err, row.want)
		}
	}
}

// All weights are drawn from ±1/√hidden; ForgetBias is what the forget gates'
// biases add up to.
func TestRecurrentInitialWeights(t *testing.T) {
	lstm := layers.NewLSTMWith(seeded(1), 20, 25, layers.RecurrentOptions{ForgetBias: 1, Layers: 2})
	for _, p := range lstm.Params() {
		values := p.Tensor().Float64s()
		forget := values[25:50]
		if p.Rank() == 1 {
			values = append(values[:25:25], values[50:]...)
			want := 0.0
			if strings.Contains(p.Name(), "bias_ih") {
				want = 1
			}
			if slices.Min(forget) != want || slices.Max(forget) != want {
				t.Errorf("%s: the forget gates' biases are %v, want %v", p.Name(), forget, want)
			}
		}
		if low, high := slices.Min(values), slices.Max(values); low < -0.2 || high > 0.2 || low > -0.18 || high < 0.18 {
			t.Errorf("%s goes from %v to %v, want ±0.2", p.Name(), low, high)
		}
	}
	own := layers.NewGRUWith(seeded(1), 2, 3, layers.RecurrentOptions{Weights: layers.Constant(0.5)})
	for _, p := range own.Params() {
		want := autograd.Full(0.5, p.Shape()...)
		if p.Rank() == 1 {
			want = autograd.Zeros(p.Shape()...)
		}
		if !p.Tensor().Equal(want) {
			t.Errorf("%s is %v", p.Name(), p.Tensor())
		}
	}
}

// Dropout is between layers, and in training alone.
func TestRecurrentDropout(t *testing.T) {
	run := func(layersCount int, rate float64, eval bool) autograd.Tensor {
		rnn := layers.NewRNNWith(seeded(1), 2, 6, layers.RecurrentOptions{Layers: layersCount, Dropout: rate})
		g := autograd.NewGraph(autograd.Options{Eval: eval, Seed: 7})
		return rnn.Forward(g.Constant(autograd.Ones(2, 3, 2))).Tensor()
	}
	if !run(1, 0.5, false).Equal(run(1, 0, false)) {
		t.Error("dropout behind the only layer")
	}
	if run(2, 0.5, false).Equal(run(2, 0, false)) {
		t.Error("no dropout between layers in training")
	}
	if !run(2, 0.5, true).Equal(run(2, 0, true)) {
		t.Error("dropout in evaluation")
	}
}

func TestRecurrentSummary(t *testing.T) {
	model := layers.NewSequential(
		layers.NewLSTMWith(seeded(1), 8, 16, layers.RecurrentOptions{Bidirectional: true}),
		layers.NewGRU(seeded(1), 32, 4), layers.NewRNN(seeded(1), 4, 4), layers.Last(),
	)
	want := `
layer  output     parameters  multiply-adds
lstm1  [2 10 32]       3,328         61,440
gru1   [2 10 4]          456          8,640
rnn1   [2 10 4]           40            640
last1  [2 4]               0              0
total                  3,824         70,720
`
	if diff := cmp.Diff(want, "\n"+layers.Summary(model, 2, 10, 8)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Pieces of a sequence, each a recording of its own, give what the whole gives;
// detached within one recording, they pass on no gradient.
func TestTruncatedBackpropagation(t *testing.T) {
	lstm := layers.NewLSTMWith(seeded(2), 2, 3, layers.RecurrentOptions{Layers: 2})
	x := autograd.Normal(seeded(3), 0, 1, 4, 6, 2)
	g := autograd.NewGraph(autograd.Options{})
	whole, _ := lstm.Run(g.Constant(x), layers.LSTMState{})
	want := whole.Tensor()

	var memory layers.LSTMMemory
	var pieces []autograd.Tensor
	for s := 0; s < 6; s += 2 {
		g.Reset()
		y, last := lstm.Run(g.Constant(x).Narrow(1, s, 2), memory.In(g))
		memory = last.Keep()
		pieces = append(pieces, y.Tensor())
	}
	g.Reset()
	var all []autograd.Value
	for _, p := range pieces {
		all = append(all, g.Constant(p))
	}
	if got := autograd.Concat(1, all...).Tensor(); !got.Equal(want) {
		t.Errorf("in pieces %v, want %v", got, want)
	}

	g.Reset()
	first := g.Variable(x)
	_, s := lstm.Run(first, layers.LSTMState{})
	y, _ := lstm.Run(g.Constant(x), s.Detach())
	if y.Sum().Backward().Reached(first) {
		t.Error("the gradient passes a state that was detached")
	}
	gru := layers.NewGRU(seeded(2), 2, 3)
	if s := (layers.State{}).Detach().Keep().In(g); !s.H.IsZero() {
		t.Error("the zero State does not stay zero")
	}
	_, h := gru.Run(first, layers.State{})
	if got := h.Keep().In(g); !got.H.Tensor().Equal(h.H.Tensor()) {
		t.Error("a Memory has other numbers")
	}
}

// A long sequence is learned from piece by piece: each is a recording of its
// own, and begins with the state in which the one before it ended.
func ExampleLSTMState_Keep() {
	rng := rand.New(rand.NewPCG(1, 0))
	lstm, head := layers.NewLSTM(rng, 1, 16), layers.NewDense(rng, 16, 1)
	params := append(lstm.Params(), head.Params()...)
	optimizer := optim.NewAdam(0.01)
	wave := make([]float64, 201)
	for i := range wave {
		wave[i] = math.Sin(float64(i) / 4)
	}
	g := autograd.NewGraph(autograd.Options{})
	for epoch := range 30 {
		var memory layers.LSTMMemory // the zero state
		cost := 0.0
		for s := 0; s < 200; s += 20 {
			g.Reset()
			x := g.Constant(autograd.NewTensor(wave[s:s+20], 1, 20, 1))
			next := g.Constant(autograd.NewTensor(wave[s+1:s+21], 1, 20, 1))
			y, last := lstm.Run(x, memory.In(g))
			memory = last.Keep()
			loss := losses.MSE(head.Forward(y), next)
			optimizer.Step(loss.Backward())
			cost += loss.Item() / 10
		}
		if epoch == 0 || epoch == 29 {
			fmt.Printf("epoch %d: learned something %v\n", epoch, cost < 0.01)
		}
	}
	fmt.Println(len(params), "Params")
	// Output:
	// epoch 0: learned something false
	// epoch 29: learned something true
	// 6 Params
}

func Example_sequences() {
	rng := rand.New(rand.NewPCG(1, 0))
	g := autograd.NewGraph(autograd.Options{})
	xs := g.Constant(autograd.Normal(rng, 0, 1, 3, 10, 8))
	lstm := layers.NewLSTM(rng, 8, 16)
	ys, last := lstm.Run(xs, layers.LSTMState{})
	fmt.Println(ys.Shape(), last.H.Shape(), last.C.Shape())
	// Output: [3 10 16] [1 3 16] [1 3 16]
}

// Sequences of different lengths in one batch: the state that comes back is
// the one at each sequence's end.
func ExampleLSTM_RunWith() {
	rng := rand.New(rand.NewPCG(1, 0))
	lstm := layers.NewLSTMWith(rng, 8, 16, layers.RecurrentOptions{Layers: 2, Bidirectional: true})
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(autograd.Normal(rng, 0, 1, 3, 10, 8)) // padded to 10 steps
	ys, last := lstm.RunWith(x, layers.LSTMState{}, layers.RunOptions{Lengths: autograd.NewInts([]int{10, 4, 7})})
	fmt.Println("outputs", ys.Shape(), "state", last.H.Shape())
	fmt.Println("behind the end:", ys.Tensor().At(1, 4, 0))
	// Output:
	// outputs [3 10 32] state [4 3 16]
	// behind the end: 0
}
