package xla

import (
	"math"
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/data"
	"nabla/data/hotels"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

// A study is a network that is trained by the library's own kernels and by a
// plugin.
type study struct {
	name      string
	params    []*autograd.Param
	loss      func(g *autograd.Graph, in Inputs) autograd.Value
	batch     func(step int) []Input
	optimizer optim.Optimizer
	clip      float64
}

// A studyMaker makes the same study each time.
type studyMaker func(p autograd.Precision) study

var studies = []studyMaker{hotelPrices, leNet, lstmOfWaves, smallTransformer}

func paramsIn(p autograd.Precision, model layers.Layer) []*autograd.Param {
	layers.Convert(model, p)
	return model.Params()
}

// hotelPrices is the course's categories of hotels, from distance and rating,
// by Adam with all rows in each step.
func hotelPrices(p autograd.Precision) study {
	all := hotels.Load()
	train := all.Train()
	features := data.FitStandard(train.Features()).Transform(train.Features()).Tensor().In(p)
	labels, err := hotels.Categories().Encode(train.Categories())
	if err != nil {
		panic(err)
	}
	rng := rand.New(rand.NewPCG(1, 0))
	model := layers.NewSequential(layers.NewDense(rng, 2, 8), layers.Tanh(), layers.NewDense(rng, 8, 3))
	return study{
		name: "hotels", params: paramsIn(p, model), optimizer: optim.NewAdam(0.05),
		loss: func(g *autograd.Graph, in Inputs) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(model.Forward(in.Value(0)), in.Ints(1), losses.Options{Logits: true})
		},
		batch: func(int) []Input { return []Input{Numbers(features), Indices(autograd.NewInts(labels), 3)} },
	}
}

// leNet is LeNet-5 with batch norm and dropout on random images whose class
// shows in one corner, by SGD with momentum.
func leNet(p autograd.Precision) study {
	rng := rand.New(rand.NewPCG(2, 0))
	model := layers.NewSequential(
		layers.NewConv2DWith(rng, 1, 6, 5, layers.ConvOptions{Same: true}), layers.NewBatchNorm(6), layers.ReLU(), layers.MaxPool2D(2),
		layers.NewConv2D(rng, 6, 16, 5), layers.ReLU(), layers.MaxPool2D(2),
		layers.Flatten(),
		layers.NewDense(rng, 16*5*5, 120), layers.ReLU(), layers.Dropout(0.2),
		layers.NewDense(rng, 120, 84), layers.ReLU(),
		layers.NewDense(rng, 84, 10),
	)
	o := &optim.SGD{LearningRate: 0.02, Momentum: 0.9, Nesterov: true, WeightDecay: 1e-4}
	return study{
		name: "lenet", params: paramsIn(p, model), optimizer: o, clip: 5,
		loss: func(g *autograd.Graph, in Inputs) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(model.Forward(in.Value(0)), in.Ints(1), losses.Options{Logits: true})
		},
		batch: func(step int) []Input {
			rng := rand.New(rand.NewPCG(9, uint64(step)))
			const rows = 32
			images, labels := autograd.Uniform(rng, 0, 1, rows, 1, 28, 28), make([]int, rows)
			for i := range labels {
				labels[i] = rng.IntN(10)
				for k := range 6 {
					images.Raw64()[i*784+labels[i]*28+k] = 3
				}
			}
			return []Input{Numbers(images.In(p)), Indices(autograd.NewInts(labels), 10)}
		},
	}
}

// lstmOfWaves reads sines and tells their frequency, by RMSProp.
func lstmOfWaves(p autograd.Precision) study {
	rng := rand.New(rand.NewPCG(3, 0))
	lstm := layers.NewLSTM(rng, 1, 16)
	head := layers.NewDense(rng, 16, 1)
	layers.Convert(lstm, p)
	layers.Convert(head, p)
	return study{
		name: "lstm", params: append(lstm.Params(), head.Params()...), optimizer: optim.NewRMSProp(0.005), clip: 1,
		loss: func(g *autograd.Graph, in Inputs) autograd.Value {
			y, _ := lstm.Run(in.Value(0), layers.LSTMState{})
			return losses.MSE(head.Forward(y.Select(1, -1)), in.Value(1))
		},
		batch: func(step int) []Input {
			rng := rand.New(rand.NewPCG(4, uint64(step)))
			const rows, steps = 16, 8
			x, y := autograd.Zeros(rows, steps, 1), autograd.Zeros(rows, 1)
			for i := range rows {
				f := 0.2 + rng.Float64()
				y.Raw64()[i] = f
				for t := range steps {
					x.Raw64()[i*steps+t] = math.Sin(f * float64(t))
				}
			}
			return []Input{Numbers(x.In(p)), Numbers(y.In(p))}
		},
	}
}

// smallTransformer predicts the next of some tokens that count up, by AdamW
// with groups, with an embedding of which some rows are used, and dropout.
func smallTransformer(p autograd.Precision) study {
	const words, width, steps, rows = 20, 16, 8, 8
	rng := rand.New(rand.NewPCG(5, 0))
	embedding := layers.NewEmbeddingWith(rng, words, width, layers.EmbeddingOptions{Precision: p})
	positions := layers.NewSinePositions(steps, width)
	options := layers.TransformerOptions{Precision: p, Activation: layers.GELU(), Dropout: 0.1}

	block := layers.NewTransformerEncoderBlockWith(rng, width, 2, 32, options)
	head := layers.NewDense(rng, width, words)
	layers.Convert(head, p)
	o := optim.NewAdamW(0.01)
	params := append(append([]*autograd.Param{embedding.Weight}, block.Params()...), head.Params()...)
	embedding.Weight.SetName("embedding.weight")
	o.Groups = []optim.Group{{Params: "embedding.*", LearningRate: optim.Times(0.5), WeightDecay: optim.Fixed(0)}}
	return study{
		name: "transformer", params: params, optimizer: o,
		loss: func(g *autograd.Graph, in Inputs) autograd.Value {
			x := positions.Forward(embedding.Lookup(g, in.Ints(0)))
			logits := head.Forward(block.Run(x, layers.AttendOptions{Causal: true}))
			return losses.CategoricalCrossEntropyLabelsWith(logits, in.Ints(1), losses.Options{Logits: true})
		},
		batch: func(step int) []Input {
			rng := rand.New(rand.NewPCG(6, uint64(step)))
			ids, next := make([]int, rows*steps), make([]int, rows*steps)
			for i := range rows {
				at, by := rng.IntN(10), 1+rng.IntN(2)
				for t := range steps {
					ids[i*steps+t], next[i*steps+t] = at, (at+by)%12
					at = (at + by) % 12
				}
			}
			return []Input{Indices(autograd.NewInts(ids, rows, steps), words), Indices(autograd.NewInts(next, rows, steps), words)}
		},
	}
}

// own makes the steps from first to last by the library's own kernels and
// returns the losses.
func (s study) own(p autograd.Precision, first, last int) []float64 {
	g := autograd.NewGraph(autograd.Options{Precision: p})
	g.SetRandomState(s.randomState(p, first))
	var all []float64
	for step := first; step < last; step++ {
		g.Reset()
		s.schedule(step)
		loss := s.loss(g, inputsOf(g, s.batch(step)))
		grads := loss.Backward()
		if s.clip > 0 {
			optim.ClipNorm(grads, s.clip)
		}
		s.optimizer.Step(grads)
		all = append(all, loss.Item())
	}
	return all
}

// randomState is the place in the random stream before a step.
func (s study) randomState(p autograd.Precision, step int) autograd.RandomState {
	g := autograd.NewGraph(autograd.Options{Precision: p, Seed: 11})
	for i := range step {
		g.Reset()
		s.loss(g, inputsOf(g, s.batch(i)))
	}
	return g.RandomState()
}

// schedule lets the rate fall.
func (s study) schedule(step int) {
	if o, ok := s.optimizer.(*optim.Adam); ok {
		o.LearningRate = 0.05 / (1 + 0.1*float64(step))
	}
}

// onDevices makes the same steps by a plugin.
func (s study) onDevices(t *testing.T, c *Client, p autograd.Precision, first, last, devices int) []float64 {
	t.Helper()
	trainer, err := c.Train(Training{Loss: s.loss, Optimizer: s.optimizer, Precision: p, ClipNorm: s.clip, Devices: devices})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	trainer.SetRandomState(s.randomState(p, first))
	var all []float64
	for step := first; step < last; step++ {
		s.schedule(step)
		loss, err := trainer.Step(s.batch(step)...)
		if err != nil {
			t.Fatalf("%s, step %d: %v", s.name, step, err)
		}
		all = append(all, loss)
	}
	if err := trainer.Read(); err != nil {
		t.Fatal(err)
	}
	if trainer.RandomState() != s.randomState(p, last) {
		t.Errorf("%s: another place in the random stream", s.name)
	}
	return all
}

// The bounds of the loss curves that README.md states, relative to numbers
// above 1.
var lossBounds = map[autograd.Precision]float64{autograd.Float64: 1e-12, autograd.Float32: 2e-5}

// TestTraining compares loss curves, and in float64 the Params, with those of
// the library's own kernels.
func TestTraining(t *testing.T) {
	c := testClient(t)
	for _, maker := range studies {
		for _, p := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			const steps = 30
			own, other := maker(p), maker(p)
			if own.name == "lstm" && p == autograd.Float32 {
				continue // its program takes longest, and has nothing that others have not
			}
			want := own.own(p, 0, steps)
			got := other.onDevices(t, c, p, 0, steps, 1)
			d := distance(got, want)
			t.Logf("%s, %v: from %.4f to %.4f, off by %.2g", own.name, p, want[0], want[steps-1], d)
			if d > lossBounds[p] {
				t.Errorf("%s, %v: the losses are off by %.2g", own.name, p, d)
			}
			if !(want[steps-1] < want[0]/2) {
				t.Errorf("%s, %v: nothing was learned, from %v to %v", own.name, p, want[0], want[steps-1])
			}
			if p == autograd.Float64 {
				sameParams(t, other, own, 1e-10)
			}
		}
	}
}

func sameParams(t *testing.T, got, want study, bound float64) {
	t.Helper()
	for i, param := range want.params {
		if d := distance(got.params[i].Tensor().Float64s(), param.Tensor().Float64s()); d > bound {
			t.Errorf("%s: %s is off by %.2g", want.name, param.Name(), d)
		}
	}
}

// Training goes on where the library's own has stopped, and the other way
// round: with the optimizer's state and the random stream.
func TestTrainingGoesOn(t *testing.T) {
	c := testClient(t)
	const p = autograd.Float64
	for _, maker := range []studyMaker{hotelPrices, momentum, smallTransformer} {
		straight, there := maker(p), maker(p)
		want := straight.own(p, 0, 20)
		got := there.own(p, 0, 6)
		got = append(got, there.onDevices(t, c, p, 6, 14, 1)...)
		got = append(got, there.own(p, 14, 20)...)
		if d := distance(got, want); d > 1e-12 {
			t.Errorf("%s: losses are off by %.2g", straight.name, d)
		}
		sameParams(t, there, straight, 1e-10)
	}
}

// momentum is hotelPrices by an SGD with dampened momentum, and a group that is
// frozen.
func momentum(p autograd.Precision) study {
	s := hotelPrices(p)
	s.optimizer = &optim.SGD{LearningRate: 0.1, Momentum: 0.8, Dampening: 0.3, WeightDecay: 0.01, Groups: []optim.Group{{Params: "dense1.bias", Frozen: true}}}
	return s
}

// Other optimizers and settings, in few steps.
func TestOptimizers(t *testing.T) {
	c := testClient(t)
	const p = autograd.Float64
	amsgrad := optim.NewAdam(0.05)
	amsgrad.AMSGrad, amsgrad.WeightDecay = true, 0.01
	amsgradW := optim.NewAdamW(0.05)
	amsgradW.AMSGrad = true
	for name, o := range map[string][2]optim.Optimizer{
		"SGD":              {optim.NewSGD(0.1), optim.NewSGD(0.1)},
		"SGD, decay":       {&optim.SGD{LearningRate: 0.1, WeightDecay: 0.1}, &optim.SGD{LearningRate: 0.1, WeightDecay: 0.1}},
		"SGD, Nesterov":    {&optim.SGD{LearningRate: 0.1, Momentum: 0.9, Nesterov: true}, &optim.SGD{LearningRate: 0.1, Momentum: 0.9, Nesterov: true}},
		"RMSProp":          {&optim.RMSProp{LearningRate: 0.01, Alpha: 0.9, Epsilon: 1e-8, Momentum: 0.5, WeightDecay: 0.01}, &optim.RMSProp{LearningRate: 0.01, Alpha: 0.9, Epsilon: 1e-8, Momentum: 0.5, WeightDecay: 0.01}},
		"RMSProp centered": {&optim.RMSProp{LearningRate: 0.01, Alpha: 0.9, Epsilon: 1e-8, Centered: true}, &optim.RMSProp{LearningRate: 0.01, Alpha: 0.9, Epsilon: 1e-8, Centered: true}},
		"Adam, AMSGrad":    {copyOf(amsgrad), copyOf(amsgrad)},
		"AdamW, AMSGrad":   {copyOf(amsgradW), copyOf(amsgradW)},
	} {
		own, other := hotelPrices(p), hotelPrices(p)
		own.optimizer, other.optimizer = o[0], o[1]
		want := own.own(p, 0, 8)
		if d := distance(other.onDevices(t, c, p, 0, 8, 1), want); d > 1e-12 {
			t.Errorf("%s: losses are off by %.2g", name, d)
		}
		sameParams(t, other, own, 1e-12)
	}
}

// Batches of other lengths, and settings that change, have programs of their
// own, which are kept; the Params go on.
func TestSeveralPrograms(t *testing.T) {
	c := testClient(t)
	const p = autograd.Float64
	own, other := hotelPrices(p), hotelPrices(p)
	all := own.batch(0)
	trainer, err := c.Train(Training{Loss: other.loss, Optimizer: other.optimizer})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	g := autograd.NewGraph(autograd.Options{})
	for step, rows := range []int{24, 10, 24, 10, 24, 24, 24} {
		at := make([]int, rows)
		for i := range at {
			at[i] = (i + step) % 24
		}
		in := []Input{Numbers(all[0].tensor.Take(at...)), Indices(all[1].ints.Take(at...), 3)}
		if step == 5 {
			own.optimizer.(*optim.Adam).Beta1, other.optimizer.(*optim.Adam).Beta1 = 0.5, 0.5
		}
		g.Reset()
		loss := own.loss(g, inputsOf(g, in))
		own.optimizer.Step(loss.Backward())
		got, err := trainer.Step(in...)
		if err != nil {
			t.Fatal(err)
		}
		if d := distance([]float64{got}, []float64{loss.Item()}); d > 1e-12 {
			t.Errorf("step %d of %d rows: the loss is off by %.2g", step, rows, d)
		}
	}
	if s := trainer.Stats(); s.Programs != 3 {
		t.Errorf("%d programs, want 3", s.Programs)
	}
	if err := trainer.Read(); err != nil {
		t.Fatal(err)
	}
	sameParams(t, other, own, 1e-12)
}

func copyOf[T any](x *T) *T {
	made := *x
	return &made
}

// A mask that is an input hides other keys from call to call, and a row that
// sees none is 0.
func TestMaskedAttention(t *testing.T) {
	c := testClient(t)
	w := autograd.NewParam("w", autograd.Uniform(rand.New(rand.NewPCG(1, 1)), -1, 1, 4, 4))
	step := func(g *autograd.Graph, in Inputs) []autograd.Value {
		x := in.Value(0).MatMul(g.Param(w))
		y := autograd.Attention(x, x, x, autograd.AttentionOptions{Heads: 2, Mask: in.Value(1)})
		loss := y.Square().Sum()
		return []autograd.Value{y, loss, autograd.Grad(loss, g.Param(w))[0]}
	}
	f := Compile(c, step, autograd.Options{})
	defer f.Close()
	x := autograd.Uniform(rand.New(rand.NewPCG(2, 1)), -1, 1, 1, 3, 4)
	for _, mask := range [][]float64{{1, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 0, 0, 1, 1, 0, 0, 0, 0}, {0, 1, 0, 1, 1, 1, 0, 0, 1}} {
		in := []Input{Numbers(x), Numbers(autograd.NewTensor(mask, 1, 1, 3, 3))}
		got, err := f.Call(in...)
		if err != nil {
			t.Fatal(err)
		}
		g := autograd.NewGraph(autograd.Options{})
		for i, want := range step(g, inputsOf(g, in)) {
			if d := distance(got[i].Float64s(), want.Tensor().Float64s()); d > 1e-13 {
				t.Errorf("mask %v: result %d is off by %.2g", mask, i, d)
			}
		}
	}
	if s := f.Stats(); s.Programs != 1 {
		t.Errorf("%d programs", s.Programs)
	}
}

// One-hot constants follow their labels, and dropout draws as a graph does,
// from call to call.
func TestDrawnAndOneHot(t *testing.T) {
	c := testClient(t)
	step := func(g *autograd.Graph, in Inputs) []autograd.Value {
		x := in.Value(0).Dropout(0.25)
		return []autograd.Value{x.Mul(g.OneHot(in.Ints(1), 3)), x.Add(g.OneHotAlong(0, in.Ints(1), 3).T()).Dropout(0.5)}
	}
	f := Compile(c, step, autograd.Options{Seed: 3})
	defer f.Close()
	g := autograd.NewGraph(autograd.Options{Seed: 3})
	for _, labels := range [][]int{{2, 1}, {0, 0}, {1, 2}} {
		in := []Input{someNumbers, Indices(autograd.NewInts(labels), 3)}
		got, err := f.Call(in...)
		if err != nil {
			t.Fatal(err)
		}
		g.Reset()
		for i, want := range step(g, inputsOf(g, in)) {
			if d := distance(got[i].Float64s(), want.Tensor().Float64s()); d != 0 {
				t.Errorf("labels %v: result %d is off by %.2g", labels, i, d)
			}
		}
	}
}
