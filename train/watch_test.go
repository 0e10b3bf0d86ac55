package train_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/train"
)

// With plain gradient descent the update is the gradient times the rate, and
// the weights of the next step are those before plus the update.
func TestWatch(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	model := layers.NewSequential(layers.NewDense(rng, 3, 4), layers.ReLU(), layers.NewDense(rng, 4, 2))
	samples := train.Data{Inputs: autograd.Normal(rng, 0, 1, 20, 3), Targets: autograd.Normal(rng, 0, 1, 20, 2)}
	every, third := &train.Watch{Bins: 7}, &train.Watch{Every: 3}
	first := model.Params()[0].Tensor()
	_, err := train.Run(context.Background(), train.Config{
		Model: model, Loss: losses.MSE, Optimizer: optim.NewSGD(0.25), Epochs: 5, BatchSize: 10,
		Callbacks: []train.Callback{every, third},
	}, samples)
	if err != nil {
		t.Fatal(err)
	}
	if len(every.Looks) != 10 || len(third.Looks) != 4 {
		t.Fatalf("%d and %d looks", len(every.Looks), len(third.Looks))
	}
	for i, l := range third.Looks {
		same := every.Looks[3*i]
		if l.Step != 3*i+1 || l.Epoch != (3*i)/2+1 || l.Step != same.Step || l.Epoch != same.Epoch {
			t.Errorf("look %d is at step %d in epoch %d", i, l.Step, l.Epoch)
		}
		for k, p := range l.Params {
			q := same.Params[k]
			if p.Name != model.Params()[k].Name() || p.Weight != q.Weight || p.Gradient != q.Gradient || p.Update != q.Update {
				t.Errorf("step %d: %+v, %+v", l.Step, p, q)
			}
			if math.Abs(p.Update-0.25*p.Gradient) > 1e-12 {
				t.Errorf("step %d, %s: an update of %v from a gradient of %v", l.Step, p.Name, p.Update, p.Gradient)
			}
			if p.Weights.Counts != nil {
				t.Error("histograms without Bins")
			}
		}
	}
	w := every.Looks[0].Params[0]
	sum, lo, hi := 0.0, math.Inf(1), math.Inf(-1)
	for _, v := range first.Float64s() {
		sum, lo, hi = sum+v*v, min(lo, v), max(hi, v)
	}
	if math.Abs(w.Weight-math.Sqrt(sum)) > 1e-14 || w.Weights.Low != lo || w.Weights.High != hi {
		t.Errorf("the first weights: %+v", w)
	}
	counts := make([]int, 7)
	for _, v := range first.Float64s() {
		counts[min(6, int(7*(v-lo)/(hi-lo)))]++
	}
	if diff := cmp.Diff(counts, w.Weights.Counts); diff != "" {
		t.Error(diff)
	}
	if n := len(w.Gradients.Counts); n != 7 {
		t.Errorf("%d bars of gradients", n)
	}
}

// A loop of one's own, with parts of a batch added up.
func TestWatchInALoop(t *testing.T) {
	w := autograd.NewParam("w", autograd.NewTensor([]float64{3, 4}))
	watch := &train.Watch{}
	watch.Adjusted()
	optimizer := optim.NewSGD(0.5)
	g := autograd.NewGraph(autograd.Options{})
	for step := 1; step <= 2; step++ {
		g.Reset()
		var sum autograd.Gradients
		sum.Add(g.Param(w).Square().Sum().Backward()) // gradient 2w
		watch.Look(step, sum)
		if !math.IsNaN(watch.Looks[step-1].Params[0].Update) {
			t.Error("an update before the step")
		}
		optimizer.Step(sum)
		watch.Adjusted()
	}
	want := []train.Look{
		{Step: 1, Params: []train.ParamLook{{Name: "w", Weight: 5, Gradient: 10, Update: 5}}},
		{Step: 2, Params: []train.ParamLook{{Name: "w", Weight: 0, Gradient: 0, Update: 0}}},
	}
	if diff := cmp.Diff(want, watch.Looks, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// Units are elements of the last axis of what a Dense layer or a sequence
// gives, and channels of what a convolution gives.
func TestDeadUnits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	g := autograd.NewGraph(autograd.Options{})
	half := func(n int) autograd.Tensor { // every second element is far below 0
		b := make([]float64, n)
		for i := range b {
			b[i] = 100 * float64(1-2*(i%2))
		}
		return autograd.NewTensor(b)
	}
	dense := layers.NewDense(rng, 3, 5)
	dense.Bias.Set(half(5))
	conv := layers.NewConv2D(rng, 1, 4, 3)
	conv.Bias.Set(half(4))
	wave := layers.NewConv1D(rng, 2, 6, 3)
	wave.Bias.Set(half(6))
	norm := layers.NewBatchNorm(4)
	model := layers.NewSequential(conv, norm, layers.ReLU())
	loss := layers.NewSequential(dense, layers.ReLU()).Forward(g.Constant(autograd.Normal(rng, 0, 1, 8, 3))).Sum()
	loss = loss.Add(dense.Forward(g.Constant(autograd.Normal(rng, 0, 1, 2, 7, 3))).ReLU6().Sum())
	loss = loss.Add(conv.Forward(g.Constant(autograd.Normal(rng, 0, 1, 2, 1, 9, 9))).ReLU().Sum())
	loss = loss.Add(wave.Forward(g.Constant(autograd.Normal(rng, 0, 1, 2, 2, 9))).MulScalar(2).ReLU().Sum())
	loss = loss.Add(model.Forward(g.Constant(autograd.Normal(rng, 0, 1, 2, 1, 9, 9))).Sum())
	loss = loss.Add(g.Variable(autograd.Scalar(-1)).ReLU())
	loss = loss.Add(g.Constant(autograd.Full(-1, 3, 3)).ReLU().Sum()) // does not learn
	want := []train.UnitLook{
		{Name: "relu1", Dead: 2, Units: 5},
		{Name: "relu6", Dead: 2, Units: 5},
		{Name: "relu", Dead: 2, Units: 4},
		{Name: "relu/2", Dead: 3, Units: 6},
		{Name: "relu1/2", Dead: 0, Units: 4}, // the norm puts them around 0 again
		{Name: "relu/3", Dead: 1, Units: 1},
	}
	if diff := cmp.Diff(want, train.DeadUnits(loss)); diff != "" {
		t.Error(diff)
	}
}

// What was seen before a checkpoint is there after it.
func TestWatchState(t *testing.T) {
	seen := &train.Watch{Looks: []train.Look{
		{Step: 1, Epoch: 1, Params: []train.ParamLook{{
			Name: "w", Weight: 1, Gradient: math.Inf(1), Update: math.NaN(),
			Weights: train.Histogram{Low: -1, High: 1, Counts: []int{3, 0, 1}},
		}}},
		{Step: 2, Epoch: 1, Units: []train.UnitLook{{Name: "relu1", Dead: 1, Units: 4}}},
	}}
	state, err := seen.State()
	if err != nil {
		t.Fatal(err)
	}
	again := &train.Watch{}
	if err := again.SetState(state); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(seen.Looks, again.Looks, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if err := again.SetState(state[:len(state)/2]); err == nil || len(again.Looks) != 2 {
		t.Errorf("half a state: %v, %d looks", err, len(again.Looks))
	}
	if state, err := (&train.Watch{}).State(); err != nil || again.SetState(state) != nil || len(again.Looks) != 0 {
		t.Errorf("no looks: %v, %d looks", err, len(again.Looks))
	}
}

// The smallest numbers have bars, and so have the largest: there halves of a
// range are 0, and here its length overflows.
func TestHistogramsAtTheEnds(t *testing.T) {
	for _, high := range []float64{5e-324, 1, math.MaxFloat64} {
		w := autograd.NewParam("w", autograd.NewTensor([]float64{-high, 0, high}, 3))
		watch := &train.Watch{Bins: 3}
		watch.Look(1, autograd.NewGraph(autograd.Options{}).Param(w).Sum().Backward())
		if diff := cmp.Diff([]int{1, 1, 1}, watch.Looks[0].Params[0].Weights.Counts); diff != "" {
			t.Errorf("up to %v (-want +got)\n%s", high, diff)
		}
	}
}

// Steps between looks allocate nothing.
func TestWatchBetweenLooks(t *testing.T) {
	watch := &train.Watch{Every: 1 << 30}
	w := autograd.NewParam("w", autograd.Scalar(1))
	grads := autograd.NewGraph(autograd.Options{}).Param(w).Square().Backward()
	watch.OnGradients(nil, train.Step{Number: 1, Gradients: grads})
	watch.OnStep(nil, train.Step{Number: 1})
	allocated := testing.AllocsPerRun(10, func() {
		watch.OnGradients(nil, train.Step{Number: 2, Gradients: grads})
		watch.OnStep(nil, train.Step{Number: 2})
	})
	if len(watch.Looks) != 1 || allocated != 0 {
		t.Errorf("%d looks, %v allocations", len(watch.Looks), allocated)
	}
}

func ExampleWatch() {
	rng := rand.New(rand.NewPCG(1, 0))
	config := train.Config{
		Model:     layers.NewSequential(layers.NewDense(rng, 1, 8), layers.ReLU(), layers.NewDense(rng, 8, 1)),
		Loss:      losses.MSE,
		Optimizer: optim.NewAdam(0.01),
		Epochs:    200,
	}
	x := autograd.Uniform(rng, -1, 1, 32, 1)
	watch := &train.Watch{Every: 100}
	config.Callbacks = append(config.Callbacks, watch)
	if _, err := train.Run(context.Background(), config, train.Data{Inputs: x, Targets: x}); err != nil {
		fmt.Println(err)
		return
	}
	for _, look := range watch.Looks {
		p, u := look.Params[0], look.Units[0]
		fmt.Printf("step %d: %s %.2f, gradient %.3f, update %.3f; %d of %d units of %s dead\n",
			look.Step, p.Name, p.Weight, p.Gradient, p.Update, u.Dead, u.Units, u.Name)
	}
	// Output:
	// step 1: dense1.weight 1.40, gradient 0.327, update 0.028; 0 of 8 units of relu1 dead
	// step 101: dense1.weight 1.22, gradient 0.001, update 0.002; 3 of 8 units of relu1 dead
}
