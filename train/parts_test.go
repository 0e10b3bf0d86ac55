package train_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
	"nabla/optim"
	"nabla/train"
)

// Two batches of 6 rows, and one of 5 and one of 7, give the step of one batch
// of 12; so do two batches that are cut into parts.
func TestAccumulateIsALargeBatch(t *testing.T) {
	const epochs = 6
	samples := plane(3, 29)
	learn := func(size, accumulate, workers, parts int) []float64 {
		l := newLinear(2, 1)
		steps := 0
		run(t, train.Config{
			Model: l, Loss: mse, Optimizer: optim.NewAdam(0.1), Epochs: epochs, BatchSize: size,
			Accumulate: accumulate, Workers: workers, Parts: parts,
			Callbacks: []train.Callback{train.OnStep(func(_ *train.Training, s train.Step) error {
				steps++
				return nil
			})},
		}, samples)
		return append(l.numbers(), float64(steps))
	}
	want := learn(12, 0, 0, 0) // steps of 12, 12 and 5 rows
	if want[3] != 3*epochs {
		t.Fatalf("%v steps", want[3])
	}
	for name, got := range map[string][]float64{
		"accumulate 2": learn(6, 2, 0, 0), "accumulate 3": learn(4, 3, 0, 0), "accumulate 12": learn(1, 12, 0, 0),
		"workers": learn(12, 1, 1, 0), "3 parts": learn(12, 1, 2, 3), "both": learn(4, 3, 2, 2),
	} {
		if !closeTo(got, want, 1e-12) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if closeTo(learn(6, 0, 0, 0), want, 1e-3) {
		t.Error("steps of 6 rows are the same as steps of 12: the test does not tell them apart")
	}
}

func closeTo(got, want []float64, tolerance float64) bool {
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= tolerance*(1+math.Abs(w))) {
			return false
		}
	}
	return len(got) == len(want)
}

// Batches are weighted by the labels that count, and parts too: also if none of
// a part do.
func TestPartsCountLabels(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	samples := train.Data{Inputs: autograd.Normal(rng, 0, 1, 24, 2), Labels: autograd.NewInts(make([]int, 24))}
	for i := range samples.Labels.Values() {
		samples.Labels.Values()[i] = []int{-1, 0, 1, 2, -1, -1, -1}[rng.IntN(7)]
		if i < 6 {
			samples.Labels.Values()[i] = -1
		}
	}
	learn := func(size, accumulate, workers, parts int) ([]float64, float64) {
		l := newLinear(2, 3)
		h := run(t, train.Config{
			Model: l, Loss: crossEntropy, Optimizer: optim.NewSGD(0.5), Epochs: 4, BatchSize: size, IgnoreLabels: []int{-1},
			Accumulate: accumulate, Workers: workers, Parts: parts,
		}, samples)
		return l.numbers(), h[3].Train.Loss
	}
	want, wantLoss := learn(24, 0, 0, 0)
	for name, s := range map[string][4]int{"accumulate": {3, 8}, "parts": {24, 0, 2, 8}, "both": {12, 2, 2, 4}} {
		got, loss := learn(s[0], s[1], s[2], s[3])
		if !closeTo(got, want, 1e-12) || !closeTo([]float64{loss}, []float64{wantLoss}, 1e-12) {
			t.Errorf("%s: %v with loss %v, want %v with %v", name, got, loss, want, wantLoss)
		}
	}
}

// normalized has Dropout and running statistics.
func normalized() *layers.Sequential {
	rng := rand.New(rand.NewPCG(11, 0))
	return layers.NewSequential(layers.NewDense(rng, 2, 8), layers.NewBatchNorm(8), layers.ReLU(), layers.Dropout(0.3), layers.NewDense(rng, 8, 1))
}

// The bits do not depend on the number of workers or cores; those of running
// statistics neither.
func TestSameBitsForAnyNumberOfWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, accumulate := range []int{0, 3} {
		var want []float64
		for _, workers := range []int{1, 2, 3, 8, 20} {
			runtime.GOMAXPROCS(1 + workers%4)
			m := normalized()
			h := run(t, train.Config{
				Model: m, Loss: mse, Optimizer: optim.NewAdamW(0.01), Epochs: 3, BatchSize: 16, Workers: workers, Accumulate: accumulate,
				Loader: &train.LoaderOptions{Seed: 4}, Graph: autograd.Options{Seed: 9}, Validation: plane(2, 10),
			}, plane(1, 50))
			got := []float64{h[2].Train.Loss, h[2].Validation.Loss}
			for _, p := range m.Params() {
				got = append(got, p.Tensor().Float64s()...)
			}
			if want == nil {
				want = got
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%d workers (-1 worker +these)\n%s", workers, diff)
			}
		}
	}
}

// What Dropout draws differs from step to step, and from part to part.
func TestPartsDrawNumbersOfTheirOwn(t *testing.T) {
	var lock sync.Mutex
	seen := map[string]bool{}
	factor := autograd.NewParam("factor", autograd.Scalar(1))
	config := train.Config{
		Model: model(func(x autograd.Value) autograd.Value {
			y := x.Dropout(0.5)
			key := fmt.Sprint(y.Tensor().Raw64())
			lock.Lock()
			defer lock.Unlock()
			if seen[key] {
				t.Error("two parts drew the same numbers")
			}
			seen[key] = true
			return y.Mul(x.Graph().Param(factor)).Sum(-1).Reshape(-1, 1)
		}),
		Loss: mse, Optimizer: optim.NewSGD(0), Epochs: 5, BatchSize: 8, Workers: 2, Parts: 2,
	}
	run(t, config, train.Data{Inputs: autograd.Ones(16, 32), Targets: autograd.Zeros(16, 1)})
	if len(seen) != 5*2*2 {
		t.Errorf("%d parts, want 20", len(seen))
	}
}

// What goes wrong on a worker is reported by Run, and always for the first
// part.
func TestPartsReportErrors(t *testing.T) {
	samples := plane(1, 32)
	samples.Inputs.Raw64()[2*17] = math.NaN()
	samples.Inputs.Raw64()[2*30] = math.NaN()
	zero := autograd.NewParam("zero", autograd.Zeros(1))
	for range 5 {
		l := newLinear(2, 1)
		before := l.numbers()
		_, err := train.Run(t.Context(), train.Config{Model: l, Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 1, Workers: 2, Parts: 4}, samples)
		var place *autograd.NonFiniteError
		if !errors.As(err, &place) || place.Name != "inputs" || place.Index != 2 { // row 17 is the second of part 2
			t.Fatalf("got %v", err)
		}
		if diff := cmp.Diff(before, l.numbers()); diff != "" {
			t.Fatal("the step was made")
		}
	}
	root := train.Config{ // the loss is finite, the gradient of √0 is not
		Model: model(func(x autograd.Value) autograd.Value { return x.Mul(x.Graph().Param(zero)).Sqrt() }),
		Loss:  func(p, _ autograd.Value) autograd.Value { return p.Mean() }, Optimizer: optim.NewSGD(0.1), Epochs: 1, Workers: 2,
	}
	var place *autograd.NonFiniteError
	_, err := train.Run(t.Context(), root, train.Data{Inputs: autograd.Ones(16, 1), Targets: autograd.Ones(16, 1)})
	if !errors.As(err, &place) || !strings.EqualFold(place.Op, "sqrt") || zero.Item() != 0 {
		t.Errorf("an infinite gradient: %v", err)
	}
	shapes := train.Config{
		Model: model(func(x autograd.Value) autograd.Value { return x.MatMul(x) }),
		Loss:  mse, Optimizer: optim.NewSGD(0.1), Epochs: 1, Workers: 3,
	}
	var shape *autograd.ShapeError
	if _, err := train.Run(t.Context(), shapes, plane(1, 32)); !errors.As(err, &shape) {
		t.Errorf("got %v, want a ShapeError", err)
	}
	shapes.Model = model(func(x autograd.Value) autograd.Value { panic("oh") })
	defer func() {
		e, ok := recover().(*train.PrepareError)
		if !ok || e.Value != "oh" || !strings.HasPrefix(e.Error(), "train: a part of a batch: oh") {
			t.Errorf("panicked with %v", e)
		}
	}()
	train.Run(t.Context(), shapes, plane(1, 32))
	t.Error("did not panic")
}

func TestPartsRefuse(t *testing.T) {
	for want, c := range map[string]train.Config{
		"Workers is -1": {Workers: -1}, "Parts is -1": {Workers: 1, Parts: -1},
		"there are Parts of a batch and neither Workers nor a Group": {Parts: 3}, "Accumulate is -2": {Accumulate: -2},
		"there is a Schedule, and train_test.still has no field LearningRate that it could set": {Optimizer: still{}, Schedule: optim.Constant(1)},
	} {
		c.Model, c.Loss, c.Epochs = newLinear(2, 1), mse, 1
		if c.Optimizer == nil {
			c.Optimizer = optim.NewSGD(1)
		}
		if _, err := train.Run(t.Context(), c, plane(1, 4)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

type still struct{}

func (still) Step(autograd.Gradients) {}

// A model that ends the goroutine it is called in, as testing.T.FailNow does,
// ends the training, also on one of the Workers.
func TestWorkerThatEnds(t *testing.T) {
	ended := make(chan any)
	go func() {
		defer func() { ended <- recover() }()
		train.Run(t.Context(), train.Config{
			Model: model(func(x autograd.Value) autograd.Value {
				stack := make([]byte, 1<<16)
				if strings.Contains(string(stack[:runtime.Stack(stack, false)]), "train.Run(") {
					time.Sleep(time.Millisecond) // leave some to the others
				} else {
					runtime.Goexit()
				}
				return x.MatMul(x.Graph().Param(autograd.NewParam("w", autograd.Ones(2, 1))))
			}),
			Loss: mse, Optimizer: optim.NewSGD(0), Epochs: 1000, Workers: 2, Parts: 16,
		}, plane(1, 64))
	}()
	select {
	case v := <-ended:
		if e, ok := v.(*train.PrepareError); !ok || e.Value != nil {
			t.Errorf("ended with %v", v)
		}
	case <-time.After(time.Minute):
		t.Error("hangs")
	}
}
