package train_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/train"
)

// worst is a callback that remembers the epoch with the highest loss.
type worst struct{ epoch train.Epoch }

func (w *worst) OnEpoch(t *train.Training, epoch train.Epoch) error {
	if epoch.Train.Loss > w.epoch.Train.Loss {
		w.epoch = epoch
	}
	return nil
}

// Callbacks are put together: one that remembers, and one that is a function.
func ExampleCallback() {
	rng := rand.New(rand.NewPCG(1, 0))
	config := train.Config{Model: layers.NewDense(rng, 2, 1), Loss: losses.MSE, Optimizer: optim.NewSGD(0.1), Epochs: 50, BatchSize: 4}
	var highest worst
	config.Callbacks = []train.Callback{
		&highest,
		train.OnStep(func(t *train.Training, s train.Step) error {
			if s.Number == 100 {
				return train.Stop
			}
			return nil
		}),
	}
	history, err := train.Run(context.Background(), config, plane(1, 12)) // 3 steps an epoch
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("epochs:", len(history), "the worst:", highest.epoch.Number)
	// Output: epochs: 33 the worst: 1
}

// everything records all that it is called for, and returns an error for one.
type everything struct {
	name   string
	calls  *[]string
	at     string // the call that fails
	err    error
	params []float64
	model  linear
}

func (e *everything) call(text string) error {
	*e.calls = append(*e.calls, e.name+" "+text)
	if text == e.at {
		return e.err
	}
	return nil
}

func (e *everything) OnBegin(t *train.Training) error {
	return e.call(fmt.Sprintf("begin %d", t.Batches()))
}

func (e *everything) OnGradients(t *train.Training, s train.Step) error {
	e.params = e.model.numbers()
	if s.Loss != s.Measured.Item() || t.Steps() != s.Number-1 {
		return errors.New("not this step")
	}
	return e.call(fmt.Sprintf("gradients %d", s.Number))
}

func (e *everything) OnStep(t *train.Training, s train.Step) error {
	if slices.Equal(e.params, e.model.numbers()) || t.Steps() != s.Number || s.Gradients.OfParam(e.model.w).Norm() == 0 {
		return errors.New("no adjustment")
	}
	return e.call(fmt.Sprintf("step %d.%d", s.Epoch, s.Batch))
}

func (e *everything) OnEpoch(t *train.Training, epoch train.Epoch) error {
	if !cmp.Equal(t.History()[len(t.History())-1], epoch) {
		return errors.New("not this epoch")
	}
	return e.call(fmt.Sprintf("epoch %d", epoch.Number))
}

func (e *everything) OnEnd(_ *train.Training, err error) error {
	return e.call(fmt.Sprintf("end %v", err))
}

// All callbacks are called in their order, and how the first one fails decides
// how the training ends.
func TestCallbacks(t *testing.T) {
	mine := errors.New("mine")
	whole := []string{
		"a begin 2", "b begin 2",
		"a gradients 1", "b gradients 1", "a step 1.1", "b step 1.1", "a gradients 2", "b gradients 2", "a step 1.2", "b step 1.2",
		"a epoch 1", "b epoch 1",
		"a gradients 3", "b gradients 3", "a step 2.1", "b step 2.1", "a gradients 4", "b gradients 4", "a step 2.2", "b step 2.2",
		"a epoch 2", "b epoch 2",
	}
	for _, test := range []struct {
		at        string
		err, want error
		calls     int // of whole
		epochs    int
		end       []string
	}{
		{"", nil, nil, 22, 2, []string{"a end <nil>", "b end <nil>"}},
		{"begin 2", train.Stop, nil, 2, 0, []string{"a end <nil>", "b end <nil>"}},
		{"begin 2", mine, mine, 1, 0, nil},
		{"gradients 2", train.Stop, nil, 8, 0, []string{"a end <nil>", "b end <nil>"}},
		{"step 1.2", train.Stop, nil, 10, 0, []string{"a end <nil>", "b end <nil>"}},
		{"step 2.1", mine, mine, 16, 1, []string{"a end mine", "b end mine"}},
		{"epoch 1", fmt.Errorf("enough: %w", train.Stop), nil, 12, 1, []string{"a end <nil>", "b end <nil>"}},
		{"epoch 1", mine, mine, 12, 1, []string{"a end mine", "b end mine"}},
		{"end <nil>", mine, mine, 22, 2, []string{"a end <nil>", "b end <nil>"}},
	} {
		var calls []string
		m := newLinear(2, 1)
		config := train.Config{
			Model: m, Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 2, BatchSize: 5,
			Callbacks: []train.Callback{
				&everything{name: "a", calls: &calls, at: test.at, err: test.err, model: m},
				&everything{name: "b", calls: &calls, model: m},
			},
		}
		history, err := train.Run(context.Background(), config, plane(1, 10))
		if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) || len(history) != test.epochs {
			t.Errorf("%s returns %v: got %v after %d epochs", test.at, test.err, err, len(history))
		}
		if diff := cmp.Diff(append(slices.Clone(whole[:test.calls]), test.end...), calls); diff != "" {
			t.Errorf("%s returns %v: (-want +got)\n%s", test.at, test.err, diff)
		}
	}
}

// Another error counts more than Stop, whichever comes first, and the end of a
// training that was cancelled is told too.
func TestCallbackErrors(t *testing.T) {
	mine := errors.New("mine")
	returns := func(err error) train.Callback {
		return train.OnEpoch(func(*train.Training, train.Epoch) error { return err })
	}
	config := train.Config{Model: newLinear(2, 1), Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 2}
	for _, callbacks := range [][]train.Callback{{returns(train.Stop), returns(mine)}, {returns(mine), returns(train.Stop)}} {
		config.Callbacks = callbacks
		if _, err := train.Run(context.Background(), config, plane(1, 10)); err != mine {
			t.Errorf("got %v", err)
		}
	}

	ctx, cancel := context.WithCancel(context.Background())
	var calls []string
	end := &everything{name: "a", calls: &calls, at: "end context canceled", err: mine, model: newLinear(2, 1)}
	config.Model = end.model
	config.Callbacks = []train.Callback{end, train.OnStep(func(*train.Training, train.Step) error { cancel(); return nil })}
	_, err := train.Run(ctx, config, plane(1, 10))
	if !errors.Is(err, context.Canceled) || !errors.Is(err, mine) {
		t.Errorf("got %v, want both errors", err)
	}

	config.Callbacks = []train.Callback{nil}
	var argument *autograd.ArgumentError
	if _, err := train.Run(context.Background(), config, plane(1, 10)); !errors.As(err, &argument) {
		t.Errorf("a nil callback: %v", err)
	}
}

// What a training trains is what the configuration says, or else the model.
func TestTrainingParams(t *testing.T) {
	p := autograd.NewParam("p", autograd.Scalar(1))
	dense := layers.NewDense(rand.New(rand.NewPCG(1, 0)), 2, 1)
	for _, test := range []struct {
		config train.Config
		want   []*autograd.Param
	}{
		{train.Config{Model: dense}, dense.Params()},
		{train.Config{Model: dense, Params: []*autograd.Param{p}}, []*autograd.Param{p}},
		{train.Config{Model: newLinear(2, 1)}, nil},
	} {
		config := test.config
		config.Loss, config.Optimizer, config.Epochs = mse, optim.NewSGD(0.1), 1
		var got []*autograd.Param
		config.Callbacks = []train.Callback{train.OnEpoch(func(t *train.Training, _ train.Epoch) error {
			got = t.Params()
			return nil
		})}
		run(t, config, plane(1, 10))
		if !slices.Equal(got, test.want) {
			t.Errorf("got %v, want %v", got, test.want)
		}
	}
}

// Callbacks that allocate nothing leave steps without allocations.
func TestCallbacksAllocateNothing(t *testing.T) {
	steps := 0
	allocations := func(epochs int) uint64 {
		m, calls := newLinear(2, 1), 0
		config := train.Config{
			Model: m, Loss: mse, Optimizer: optim.NewAdam(0.01), Epochs: epochs, BatchSize: 3,
			Callbacks: []train.Callback{
				train.OnStep(func(_ *train.Training, s train.Step) error { calls += s.Rows; return nil }),
				quiet{},
			},
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run(t, config, plane(1, 100))
		runtime.ReadMemStats(&after)
		steps += calls
		return after.Mallocs - before.Mallocs
	}
	few, many := allocations(10), allocations(210)
	if perEpoch := (float64(many) - float64(few)) / 200; perEpoch > 10 { // of 34 steps
		t.Errorf("%v allocations per epoch", perEpoch)
	}
	if steps != 220*100 {
		t.Errorf("the callback saw %d rows", steps)
	}
}

// quiet does nothing wherever it is called.
type quiet struct{}

func (quiet) OnGradients(*train.Training, train.Step) error { return nil }
func (quiet) OnStep(*train.Training, train.Step) error      { return nil }
func (quiet) OnEpoch(*train.Training, train.Epoch) error    { return nil }

// tracing wants some steps traced, and notes which ones were.
type tracing struct {
	wanted func(s train.Step) bool
	traced []int
}

func (c *tracing) Traces(_ *train.Training, s train.Step) bool { return c.wanted(s) }
func (c *tracing) OnEpoch(*train.Training, train.Epoch) error  { return nil }
func (c *tracing) OnGradients(_ *train.Training, s train.Step) error {
	if s.Measured.Graph().Options().Trace {
		c.traced = append(c.traced, s.Number)
	}
	return nil
}

// Steps are traced if a callback wants it, and compute the same bits, with
// Dropout too.
func TestTraces(t *testing.T) {
	learn := func(callbacks ...train.Callback) []float64 {
		rng := rand.New(rand.NewPCG(1, 0))
		m := layers.NewSequential(layers.NewDense(rng, 2, 8), layers.Dropout(0.5), layers.Tanh(), layers.NewDense(rng, 8, 1))
		run(t, train.Config{
			Model: m, Loss: mse, Optimizer: optim.NewAdam(0.01), Epochs: 2, BatchSize: 3, Callbacks: callbacks,
			Graph: autograd.Options{Seed: 3},
		}, plane(1, 12))
		return all(m.Params())
	}
	first := &tracing{wanted: func(s train.Step) bool { return s.Number == 2 }}
	second := &tracing{wanted: func(s train.Step) bool { return s.Epoch == 2 && s.Number%2 == 0 }}
	if diff := cmp.Diff(learn(), learn(first, second)); diff != "" {
		t.Errorf("(-not traced +traced)\n%s", diff)
	}
	for _, c := range []*tracing{first, second} {
		if diff := cmp.Diff([]int{2, 6, 8}, c.traced); diff != "" {
			t.Errorf("steps traced (-want +got)\n%s", diff)
		}
	}
}
