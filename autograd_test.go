package nabla_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data"
	"nabla/data/hotels"
	"nabla/layers"
	"nabla/losses"
	"nabla/neurons"
	"nabla/optim"
)

// Acceptance tests of the whole library: the course's figures on its hotels,
// and the properties that need several packages.

const rate = 0.08

// A lossFunction is one of package losses.
type lossFunction func(prediction, target autograd.Value) autograd.Value

// fromLogits returns a cross entropy that takes logits.
func fromLogits(loss func(prediction, target autograd.Value, options losses.Options) autograd.Value) lossFunction {
	return func(logits, target autograd.Value) autograd.Value {
		return loss(logits, target, losses.Options{Logits: true})
	}
}

// train makes full-batch steps of SGD and returns the loss before each.
func train(g *autograd.Graph, model layers.Layer, loss lossFunction, x, y autograd.Tensor, epochs int) []float64 {
	optimizer, history := optim.NewSGD(rate), make([]float64, epochs)
	for epoch := range history {
		g.Reset()
		cost := loss(model.Forward(g.Constant(x)), g.Constant(y))
		history[epoch] = cost.Item()
		optimizer.Step(cost.Backward())
	}
	return history
}

// network returns Dense layers of those sizes with ReLU between them.
func network(seed uint64, sizes ...int) *layers.Sequential {
	rng := rand.New(rand.NewPCG(seed, 0))
	var all []layers.Layer
	for i := 1; i < len(sizes); i++ {
		if i > 1 {
			all = append(all, layers.ReLU())
		}
		all = append(all, layers.NewDense(rng, sizes[i-1], sizes[i]))
	}
	return layers.NewSequential(all...)
}

// The course's first figure: one neuron on the distance alone.
func TestLineThroughHotels(t *testing.T) {
	rows := hotels.Load()
	scaler := data.FitStandard(rows.LineTrain().Distances())
	x := scaler.Transform(rows.LineTrain().Distances()).Tensor()
	y := rows.LineTrain().Prices().Tensor()
	neuron := layers.NewDenseWith(nil, 1, 1, layers.DenseOptions{Weights: layers.ZeroWeights})
	train(autograd.NewGraph(autograd.Options{}), neuron, losses.MSE, x, y, 100)

	mse := func(rows hotels.Rows) float64 {
		g := autograd.NewGraph(autograd.Options{NoGrad: true})
		x := g.Constant(scaler.Transform(rows.Distances()).Tensor())
		return losses.MSE(neuron.Forward(x), g.Constant(rows.Prices().Tensor())).Item()
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"w", neuron.Weight.Item(), -20.99390026956422},
		{"b", neuron.Bias.Item(), 124.87499665493849},
		{"train MSE", mse(rows.LineTrain()), 16.3655028589447},
		{"test MSE", mse(rows.LineTest()), 144.46627035641458},
	} {
		if math.Abs(c.got-c.want) > 1e-9*math.Abs(c.want) {
			t.Errorf("%s is %.15g, want %.15g", c.name, c.got, c.want)
		}
	}
}

// prices returns the second task: features and prices, standardised.
func prices() (x, y autograd.Tensor) {
	rows := hotels.Load().Train()
	features, targets := rows.Features(), rows.Prices()
	return data.FitStandard(features).Transform(features).Tensor(), data.FitStandard(targets).Transform(targets).Tensor()
}

// The same network built neuron by neuron from scalars learns the same.
func TestScalarNetworkEqualsTensorNetwork(t *testing.T) {
	x, y := prices()
	model := network(1, 2, 3, 1)
	neurons := neurons.Of(model)
	for epoch := range 3 {
		tensors, scalars := autograd.NewGraph(autograd.Options{}), autograd.NewGraph(autograd.Options{})
		loss := losses.MSE(model.Forward(tensors.Constant(x)), tensors.Constant(y))
		predictions := make([]autograd.Value, x.Dim(0))
		for i := range predictions {
			in := []autograd.Value{scalars.Scalar(x.At(i, 0)), scalars.Scalar(x.At(i, 1))}
			predictions[i] = neurons.Forward(in)[0]
		}
		scalarLoss := losses.MSE(autograd.Stack(0, predictions...), scalars.Constant(y.Reshape(y.Size())))
		if got, want := scalarLoss.Item(), loss.Item(); math.Abs(got-want) > 1e-12*want {
			t.Fatalf("epoch %d: the loss is %.15g, of tensors %.15g", epoch, got, want)
		}
		optim.NewSGD(rate).Step(loss.Backward())
		optim.NewSGD(rate).Step(scalarLoss.Backward())
	}
}

// The result has the same bits for any number of cores, whatever ran before.
func TestDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	x, y := prices()
	rng := rand.New(rand.NewPCG(7, 7))
	wide, classes := autograd.Normal(rng, 0, 1, 64, 784), autograd.Uniform(rng, 0, 0.1, 64, 10)
	var want [2][]float64
	for i, cores := range []int{1, 2, 2, 1} {
		runtime.GOMAXPROCS(cores)
		got := [2][]float64{
			train(autograd.NewGraph(autograd.Options{}), network(3, 2, 5, 10, 1), losses.MSE, x, y, 100),
			train(autograd.NewGraph(autograd.Options{}), network(3, 784, 128, 10), fromLogits(losses.CategoricalCrossEntropyWith), wide, classes, 3),
		}
		if i == 0 {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("run %d on %d cores (-first +this):\n%s", i, cores, diff)
		}
	}
}

// After the first steps, a training step allocates nothing, with a full and a
// short last batch in turn.
func TestTrainingStepAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	x, y := prices()
	rng := rand.New(rand.NewPCG(7, 7))
	wide, classes := autograd.Normal(rng, 0, 1, 64, 784), autograd.Uniform(rng, 0, 0.1, 64, 10)
	for _, c := range []struct {
		name  string
		steps int
		model layers.Layer
		loss  lossFunction
		x, y  autograd.Tensor
		short int
	}{
		{"hotels", 1000, network(1, 2, 3, 1), losses.MSE, x, y, 5},
		{"784-128-10", 40, network(1, 784, 128, 10), fromLogits(losses.CategoricalCrossEntropyWith), wide, classes, 17},
	} {
		for _, optimizer := range []optim.Optimizer{optim.NewSGD(0.01), optim.NewAdam(0.001)} {
			for _, cores := range []int{1, 2} {
				runtime.GOMAXPROCS(cores)
				if n := allocations(c.model, c.loss, optimizer, c.x, c.y, c.short, c.steps); n != 0 {
					t.Errorf("%s with %T on %d cores: %d allocations in %d steps", c.name, optimizer, cores, n, c.steps)
				}
			}
		}
	}
}

// allocations counts the heap allocations of a number of steps after a warm-up.
// It returns the minimum over several rounds, since the runtime itself
// allocates now and then.
func allocations(model layers.Layer, loss lossFunction, optimizer optim.Optimizer, x, y autograd.Tensor, short, steps int) uint64 {
	g := autograd.NewGraph(autograd.Options{})
	shortX, shortY := firstRows(x, short), firstRows(y, short)
	run := func(steps int) {
		for i := range steps {
			g.Reset()
			x, y := x, y
			if i%2 == 1 {
				x, y = shortX, shortY
			}
			optimizer.Step(loss(model.Forward(g.Constant(x)), g.Constant(y)).Backward())
		}
	}
	run(10)
	least := uint64(math.MaxUint64)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run(steps)
		runtime.ReadMemStats(&after)
		if least = min(least, after.Mallocs-before.Mallocs); least == 0 {
			break
		}
	}
	return least
}

func firstRows(t autograd.Tensor, n int) autograd.Tensor {
	return autograd.NewTensor(t.Float64s()[:n*t.Dim(1)], n, t.Dim(1))
}
