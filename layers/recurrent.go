package layers

import (
	"fmt"
	"math"
	"math/rand/v2"

	"nabla/autograd"
)

// Recurrent is what [LSTM], [GRU] and [RNN] have in common: layers of recurrent
// cells over sequences [batch, steps, in], each over the outputs of the one
// before.
type Recurrent struct {
	Weights       []RecurrentWeights // of each layer; with Bidirectional of its two directions, one after the other
	Bidirectional bool               // each layer also goes backwards, and its outputs are joined
	Dropout       float64            // rate between layers, in training
	kind          string             // "LSTM"
	label
}

// RecurrentWeights are the Params of a layer in one direction. They are called
// as in PyTorch, weight_ih_l0, weight_hh_l0, bias_ih_l0 and bias_hh_l0 in the
// first layer, with _reverse behind it for the backward direction. The gates
// have PyTorch's order too, i, f, g, o and r, z, n, but the matrices are its
// transposed.
type RecurrentWeights struct {
	Input, Hidden         *autograd.Param // [in, gates·hidden], [hidden, gates·hidden]
	InputBias, HiddenBias *autograd.Param // [gates·hidden]; nil for none
}

// RecurrentOptions are what [NewLSTM], [NewGRU] and [NewRNN] leave at their
// defaults, which are those of the zero RecurrentOptions.
type RecurrentOptions struct {
	Layers        int         // one over the outputs of the other; 0: 1
	Bidirectional bool        // each layer also goes backwards: then its outputs are [batch, steps, 2·hidden]
	Dropout       float64     // rate of the dropout between layers, in training
	Weights       Initializer // of the matrices, with biases of 0; nil: uniform in ±1/√hidden, and the biases too
	ForgetBias    float64     // of an LSTM: what the forget gate's biases add up to at first, such as 1; 0: as the others
	ReLU          bool        // of an RNN: in place of tanh
	Name          string      // of the scope and, with ".weight_ih_l0" and so on, of the Params
	NoBias        bool        // leave the biases out
	Precision     autograd.Precision
}

// RunOptions are what Run leaves at its defaults.
type RunOptions struct {
	// Lengths says how long each sequence of the batch is, [batch]; what is
	// behind is padding, which nothing depends on. The outputs there are 0, the
	// state that comes back is that at a sequence's end, and the backward
	// direction begins there. The zero Ints: all steps count.
	Lengths autograd.Ints
}

// A State is the state of a GRU or RNN between two runs, [layers·directions,
// batch, hidden]. The zero State is zeros.
type State struct{ H autograd.Value }

// An LSTMState is the state of an LSTM between two runs: outputs H and cells C,
// both [layers·directions, batch, hidden]. The zero LSTMState is zeros.
type LSTMState struct{ H, C autograd.Value }

// Detach returns the state as constants: later steps that begin with it pass
// no gradient back to earlier ones.
func (s State) Detach() State { return State{detached(s.H)} }

// Detach returns the state as constants: later steps that begin with it pass
// no gradient back to earlier ones.
func (s LSTMState) Detach() LSTMState { return LSTMState{detached(s.H), detached(s.C)} }

func detached(x autograd.Value) autograd.Value {
	if x.IsZero() {
		return x
	}
	return x.Detach()
}

// A Memory holds the numbers of a State over the graph's Reset. The zero Memory
// is that of the zero State.
type Memory struct{ H autograd.Tensor }

// An LSTMMemory holds the numbers of an LSTMState over the graph's Reset. The
// zero LSTMMemory is that of the zero LSTMState.
type LSTMMemory struct{ H, C autograd.Tensor }

// Keep copies the numbers of the state: for truncated backpropagation, a piece
// of a long sequence is a recording, and the next begins where it ended.
//
//	ys, last := gru.Run(piece, memory.In(g))
//	memory = last.Keep()
func (s State) Keep() Memory { return Memory{kept(s.H)} }

// Keep copies the numbers of the state, as [State.Keep] does.
func (s LSTMState) Keep() LSTMMemory { return LSTMMemory{kept(s.H), kept(s.C)} }

func kept(x autograd.Value) autograd.Tensor {
	if x.IsZero() {
		return autograd.Tensor{}
	}
	return x.Tensor()
}

// In returns the state as constants of a graph.
func (m Memory) In(g *autograd.Graph) State { return State{constant(g, m.H)} }

// In returns the state as constants of a graph.
func (m LSTMMemory) In(g *autograd.Graph) LSTMState {
	return LSTMState{constant(g, m.H), constant(g, m.C)}
}

func constant(g *autograd.Graph, t autograd.Tensor) autograd.Value {
	if t.IsZero() {
		return autograd.Value{}
	}
	return g.Constant(t)
}

// An LSTM is a network of long short-term memory cells; see [autograd.LSTM].
// [NewLSTM] makes one.
type LSTM struct{ Recurrent }

// A GRU is a network of gated recurrent units; see [autograd.GRU]. [NewGRU]
// makes one.
type GRU struct{ Recurrent }

// An RNN is a plain recurrent network, whose next state is tanh, or relu, of
// weighted sums of its input and its state; see [autograd.RNN]. [NewRNN] makes
// one.
type RNN struct {
	Recurrent
	ReLU bool // in place of tanh
}

var _ = []placed{(*LSTM)(nil), (*GRU)(nil), (*RNN)(nil)}

// NewLSTM returns a layer of that many inputs and hidden units. All weights and
// biases are drawn from ±1/√hidden, as PyTorch does. It panics with an
// *[autograd.ArgumentError] if a number is not positive or the rng is nil.
func NewLSTM(rng *rand.Rand, in, hidden int) *LSTM {
	return NewLSTMWith(rng, in, hidden, RecurrentOptions{})
}

// NewLSTMWith is [NewLSTM] with options. It also panics with an
// *[autograd.ArgumentError] if they make no sense, and with an
// *[autograd.ShapeError] if the Initializer does not return the shape that it
// was asked for.
func NewLSTMWith(rng *rand.Rand, in, hidden int, options RecurrentOptions) *LSTM {
	l := &LSTM{newRecurrent("LSTM", 4, rng, in, hidden, options)}
	if options.ReLU {
		panic(autograd.NewArgumentError("layers: LSTM", "ReLU is for an RNN"))
	}
	l.place(newNaming(), "")
	return l
}

// NewGRU returns a layer of that many inputs and hidden units, as [NewLSTM]
// does.
func NewGRU(rng *rand.Rand, in, hidden int) *GRU {
	return NewGRUWith(rng, in, hidden, RecurrentOptions{})
}

// NewGRUWith is [NewGRU] with options. It panics as [NewLSTMWith] does.
func NewGRUWith(rng *rand.Rand, in, hidden int, options RecurrentOptions) *GRU {
	checkPlain("GRU", options)
	if options.ReLU {
		panic(autograd.NewArgumentError("layers: GRU", "ReLU is for an RNN"))
	}
	l := &GRU{newRecurrent("GRU", 3, rng, in, hidden, options)}
	l.place(newNaming(), "")
	return l
}

// NewRNN returns a layer of that many inputs and hidden units, as [NewLSTM]
// does.
func NewRNN(rng *rand.Rand, in, hidden int) *RNN {
	return NewRNNWith(rng, in, hidden, RecurrentOptions{})
}

// NewRNNWith is [NewRNN] with options. It panics as [NewLSTMWith] does.
func NewRNNWith(rng *rand.Rand, in, hidden int, options RecurrentOptions) *RNN {
	checkPlain("RNN", options)
	l := &RNN{newRecurrent("RNN", 1, rng, in, hidden, options), options.ReLU}
	l.place(newNaming(), "")
	return l
}

func checkPlain(kind string, options RecurrentOptions) {
	if options.ForgetBias != 0 {
		panic(autograd.NewArgumentError("layers: "+kind, "ForgetBias is for an LSTM"))
	}
}

func newRecurrent(kind string, gates int, rng *rand.Rand, in, hidden int, options RecurrentOptions) Recurrent {
	op := "layers: " + kind
	if in < 1 || hidden < 1 {
		panic(autograd.NewArgumentError(op, "%d inputs and %d hidden units: both must be positive", in, hidden))
	}
	if options.Layers < 0 {
		panic(autograd.NewArgumentError(op, "%d layers", options.Layers))
	}
	checkRate(kind, options.Dropout)
	if math.IsNaN(options.ForgetBias) || math.IsInf(options.ForgetBias, 0) || options.ForgetBias != 0 && options.NoBias {
		panic(autograd.NewArgumentError(op, "a ForgetBias of %v, with NoBias %v", options.ForgetBias, options.NoBias))
	}
	r := Recurrent{Bidirectional: options.Bidirectional, Dropout: options.Dropout, kind: kind, label: userLabel(options.Name)}
	for layer := range max(1, options.Layers) {
		if layer > 0 {
			in = hidden * r.directions()
		}
		for range r.directions() {
			r.Weights = append(r.Weights, newRecurrentWeights(op, gates, rng, in, hidden, options))
		}
	}
	return r
}

func newRecurrentWeights(op string, gates int, rng *rand.Rand, in, hidden int, options RecurrentOptions) RecurrentWeights {
	bound := 1 / math.Sqrt(float64(hidden))
	draw := options.Weights
	if draw == nil {
		draw = func(rng *rand.Rand, _, _ int, shape ...int) autograd.Tensor {
			return uniform(op[len("layers: "):], rng, bound, shape)
		}
	}
	w := RecurrentWeights{
		Input:  newWeight(op, draw, rng, options.Precision, in, hidden, in, gates*hidden),
		Hidden: newWeight(op, draw, rng, options.Precision, hidden, hidden, hidden, gates*hidden),
	}
	if options.NoBias {
		return w
	}
	bias := func(forget float64) *autograd.Param {
		values := autograd.Zeros(gates * hidden)
		if options.Weights == nil {
			values = autograd.Uniform(rng, -bound, bound, gates*hidden)
		}
		if options.ForgetBias != 0 {
			for i := range hidden {
				values.Raw64()[hidden+i] = forget
			}
		}
		return autograd.NewParam("", values.In(options.Precision))
	}
	w.InputBias, w.HiddenBias = bias(options.ForgetBias), bias(0)
	return w
}

// Name returns the layer's name, which is its kind, such as "lstm", until it
// has one.
func (r *Recurrent) Name() string {
	return r.or(map[string]string{"LSTM": "lstm", "GRU": "gru", "RNN": "rnn"}[r.kind])
}

// op is what errors call the layer.
func (r *Recurrent) op() string { return fmt.Sprintf("layers: %s %q", r.kind, r.Name()) }

func (r *Recurrent) place(n *naming, path string) {
	for i, w := range r.Weights {
		suffix := fmt.Sprintf("_l%d", i/r.directions())
		if i%r.directions() == 1 {
			suffix += "_reverse"
		}
		for _, p := range [...]struct {
			param *autograd.Param
			name  string
		}{{w.Input, ".weight_ih"}, {w.Hidden, ".weight_hh"}, {w.InputBias, ".bias_ih"}, {w.HiddenBias, ".bias_hh"}} {
			if p.param != nil {
				n.name(p.param, path+r.Name()+p.name+suffix)
			}
		}
	}
}

// Params returns the Params of all layers, in the order of [RecurrentWeights].
func (r *Recurrent) Params() []*autograd.Param {
	var all []*autograd.Param
	for _, w := range r.Weights {
		all = append(all, present(w.Input, w.Hidden, w.InputBias, w.HiddenBias)...)
	}
	return all
}

// directions returns 2 for a bidirectional layer, else 1.
func (r *Recurrent) directions() int {
	if r.Bidirectional {
		return 2
	}
	return 1
}

// check panics unless there are Params.
func (r *Recurrent) check(kind string) {
	if r == nil || len(r.Weights) == 0 || len(r.Weights)%r.directions() != 0 {
		panic(autograd.NewArgumentError("layers: "+kind, "there are no Weights: New%s makes them", kind))
	}
	for _, w := range r.Weights {
		if w.Input == nil || w.Hidden == nil {
			panic(autograd.NewArgumentError(r.op(), "there are no Weights: New%s makes them", kind))
		}
	}
}

// Size returns the numbers of inputs and hidden units.
func (r *Recurrent) Size() (inputs, hidden int) {
	r.check(r.kind)
	return r.Weights[0].Input.Dim(0), r.Weights[0].Hidden.Dim(0)
}

// A cell goes through sequences in one direction, from h and c, which are zero
// Values for zeros.
type cell func(x, h, c autograd.Value, w autograd.RecurrentWeights, o autograd.RecurrentOptions) (y, lastH, lastC autograd.Value)

// run goes through all layers.
func (r *Recurrent) run(x autograd.Value, s LSTMState, o RunOptions, f cell) (autograd.Value, LSTMState) {
	g := enter(x, r.Name())
	defer leave(g, r)
	in, _ := r.Size()
	if x.Rank() != 3 || x.Dim(2) != in {
		panic(autograd.NewShapeError(r.op(), fmt.Sprintf("the input must be [batch, steps, %d]", in), x.Shape(), r.Weights[0].Input.Shape()))
	}
	r.checkState(x, "H", s.H)
	r.checkState(x, "C", s.C)
	n := len(r.Weights)
	lastH, lastC := make([]autograd.Value, n), make([]autograd.Value, n)
	for first := 0; first < n; first += r.directions() {
		if first > 0 {
			x = x.Dropout(r.Dropout)
		}
		var y [2]autograd.Value
		for d := range r.directions() {
			i, w := first+d, r.Weights[first+d]
			weights := autograd.RecurrentWeights{Input: g.Param(w.Input), Hidden: g.Param(w.Hidden), InputBias: recorded(g, w.InputBias), HiddenBias: recorded(g, w.HiddenBias)}
			y[d], lastH[i], lastC[i] = f(x, stateOf(s.H, i), stateOf(s.C, i), weights, autograd.RecurrentOptions{Lengths: o.Lengths, Reverse: d == 1})
		}
		if x = y[0]; r.Bidirectional {
			x = autograd.Concat(2, y[0], y[1])
		}
	}
	return x.Named("y"), LSTMState{joined(lastH), joined(lastC)}
}

// checkState panics unless a state is zero or fits x.
func (r *Recurrent) checkState(x autograd.Value, which string, s autograd.Value) {
	if s.IsZero() {
		return
	}
	_, hidden := r.Size()
	if s.Rank() != 3 || s.Dim(0) != len(r.Weights) || s.Dim(1) != x.Dim(0) || s.Dim(2) != hidden {
		reason := fmt.Sprintf("the state's %s must be [layers·directions, batch, hidden] = [%d, %d, %d]", which, len(r.Weights), x.Dim(0), hidden)
		panic(autograd.NewShapeError(r.op(), reason, s.Shape()))
	}
}

// stateOf returns the state of a layer in one direction, zero of the zero
// Value.
func stateOf(s autograd.Value, i int) autograd.Value {
	if s.IsZero() {
		return s
	}
	return s.Select(0, i)
}

// joined is the state of all layers and directions.
func joined(states []autograd.Value) autograd.Value {
	switch {
	case states[0].IsZero():
		return states[0]
	case len(states) == 1:
		return states[0].Unsqueeze(0)
	}
	return autograd.Stack(0, states...)
}

// step is run for one step [batch, in].
func (r *Recurrent) step(x autograd.Value, s LSTMState, f cell) (autograd.Value, LSTMState) {
	in, _ := r.Size()
	if r.Bidirectional {
		panic(autograd.NewArgumentError(r.op(), "a bidirectional layer cannot go step by step: its backward direction begins at the end"))
	}
	if x.Rank() != 2 || x.Dim(1) != in {
		panic(autograd.NewShapeError(r.op(), fmt.Sprintf("the input of a step must be [batch, %d]", in), x.Shape(), r.Weights[0].Input.Shape()))
	}
	y, last := r.run(x.Unsqueeze(1), s, RunOptions{}, f)
	return y.Squeeze(1), last
}

// Run goes through the sequences x, [batch, steps, in], from a state. It
// returns the outputs of the last layer, [batch, steps, hidden], twice as wide
// for both directions, and the state at the end. It panics with an
// *[autograd.ShapeError] if x or the state does not fit.
func (l *LSTM) Run(x autograd.Value, s LSTMState) (autograd.Value, LSTMState) {
	return l.RunWith(x, s, RunOptions{})
}

// RunWith is [LSTM.Run] with options. It also panics with an
// *[autograd.ShapeError] or *[autograd.ArgumentError] if the lengths do not
// fit, or one is not from 1 to the number of steps.
func (l *LSTM) RunWith(x autograd.Value, s LSTMState, o RunOptions) (autograd.Value, LSTMState) {
	l.check("LSTM")
	return l.run(x, s, o, autograd.LSTM)
}

// Step is [LSTM.Run] for one step x, [batch, in], whose output is [batch,
// hidden]: for loops of your own. It panics also, with an
// *[autograd.ArgumentError], if the layer is bidirectional.
func (l *LSTM) Step(x autograd.Value, s LSTMState) (autograd.Value, LSTMState) {
	l.check("LSTM")
	return l.step(x, s, autograd.LSTM)
}

// Forward returns the outputs of [LSTM.Run] from the zero state.
func (l *LSTM) Forward(x autograd.Value) autograd.Value {
	y, _ := l.Run(x, LSTMState{})
	return y
}

// Run goes through the sequences x, as [LSTM.Run] does.
func (l *GRU) Run(x autograd.Value, s State) (autograd.Value, State) {
	return l.RunWith(x, s, RunOptions{})
}

// RunWith is [GRU.Run] with options, as [LSTM.RunWith].
func (l *GRU) RunWith(x autograd.Value, s State, o RunOptions) (autograd.Value, State) {
	l.check("GRU")
	y, last := l.run(x, LSTMState{H: s.H}, o, gru)
	return y, State{last.H}
}

// Step is [GRU.Run] for one step x, [batch, in], as [LSTM.Step].
func (l *GRU) Step(x autograd.Value, s State) (autograd.Value, State) {
	l.check("GRU")
	y, last := l.step(x, LSTMState{H: s.H}, gru)
	return y, State{last.H}
}

// Forward returns the outputs of [GRU.Run] from the zero state.
func (l *GRU) Forward(x autograd.Value) autograd.Value {
	y, _ := l.Run(x, State{})
	return y
}

func gru(x, h, _ autograd.Value, w autograd.RecurrentWeights, o autograd.RecurrentOptions) (y, lastH, lastC autograd.Value) {
	y, lastH = autograd.GRU(x, h, w, o)
	return y, lastH, autograd.Value{}
}

// Run goes through the sequences x, as [LSTM.Run] does.
func (l *RNN) Run(x autograd.Value, s State) (autograd.Value, State) {
	return l.RunWith(x, s, RunOptions{})
}

// RunWith is [RNN.Run] with options, as [LSTM.RunWith].
func (l *RNN) RunWith(x autograd.Value, s State, o RunOptions) (autograd.Value, State) {
	l.check("RNN")
	y, last := l.run(x, LSTMState{H: s.H}, o, l.cell)
	return y, State{last.H}
}

// Step is [RNN.Run] for one step x, [batch, in], as [LSTM.Step].
func (l *RNN) Step(x autograd.Value, s State) (autograd.Value, State) {
	l.check("RNN")
	y, last := l.step(x, LSTMState{H: s.H}, l.cell)
	return y, State{last.H}
}

// Forward returns the outputs of [RNN.Run] from the zero state.
func (l *RNN) Forward(x autograd.Value) autograd.Value {
	y, _ := l.Run(x, State{})
	return y
}

func (l *RNN) cell(x, h, _ autograd.Value, w autograd.RecurrentWeights, o autograd.RecurrentOptions) (y, lastH, lastC autograd.Value) {
	o.ReLU = l.ReLU
	y, lastH = autograd.RNN(x, h, w, o)
	return y, lastH, autograd.Value{}
}

// Last returns a layer that takes the last step of sequences [batch, steps, …]:
// behind an [LSTM], one output for each sequence. Of padded sequences it takes
// the padding: use the state that RunWith returns. It panics with an
// *[autograd.ShapeError] if there are no steps.
func Last() Layer {
	return &function{f: func(x autograd.Value) autograd.Value {
		if x.Rank() < 2 || x.Dim(1) == 0 {
			panic(autograd.NewShapeError("layers: Last", "the input must be [batch, steps, …] with at least one step", x.Shape()))
		}
		return x.Select(1, -1)
	}, kind: "last"}
}
