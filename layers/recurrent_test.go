package layers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
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
