package checkpoint_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/checkpoint"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

// loop is a training without package train: Dropout, running statistics, and
// Params that are frozen after some steps.
type loop struct {
	checkpoint.Training
	graph *autograd.Graph
}

func newLoop(p autograd.Precision, o optim.Optimizer) *loop {
	rng := seeded(1)
	model := layers.NewSequential(
		layers.NewDenseWith(rng, 3, 8, layers.DenseOptions{Precision: p}), layers.NewBatchNormWith(8, layers.BatchNormOptions{Precision: p}),
		layers.Dropout(0.3), layers.NewDenseWith(rng, 8, 2, layers.DenseOptions{Precision: p}))
	return &loop{checkpoint.Training{Model: model, Optimizer: o}, autograd.NewGraph(autograd.Options{Seed: 3, Precision: p})}
}

func (l *loop) steps(n int) {
	for range n {
		rng := seeded(uint64(l.Epoch))
		x, y := autograd.Normal(rng, 0, 1, 6, 3), autograd.Normal(rng, 0, 1, 6, 2)
		l.graph.Reset()
		loss := losses.MSE(l.Model.(*layers.Sequential).Forward(l.graph.Constant(x)), l.graph.Constant(y))
		l.Optimizer.Step(loss.Backward())
		l.Epoch++
		l.Model.Params()[0].Frozen = l.Epoch > 4
	}
	l.Random = l.graph.RandomState()
}

// A training that was stopped at any step and goes on in another process's
// place has the same bits as one that was not.
func TestTrainingGoesOn(t *testing.T) {
	const steps = 8
	for name, newOptimizer := range map[string]func() optim.Optimizer{
		"Adam": func() optim.Optimizer { return optim.NewAdam(0.01) }, "NAdam": func() optim.Optimizer { return optim.NewNAdam(0.01) },
		"SGD": func() optim.Optimizer { return &optim.SGD{LearningRate: 0.1, Momentum: 0.9} },
	} {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			through := newLoop(precision, newOptimizer())
			through.steps(steps)
			for stop := range steps {
				path := filepath.Join(t.TempDir(), "training")
				first, second := newLoop(precision, newOptimizer()), newLoop(precision, newOptimizer())
				first.steps(stop)
				first.State = map[string][]byte{"a": {1, 2}, "empty": {}}
				if err := errors.Join(first.Save(path), second.Load(path)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(first.State, second.State); diff != "" || second.Epoch != stop {
					t.Errorf("epoch %d, state %s", second.Epoch, diff)
				}
				second.graph.SetRandomState(second.Random)
				second.steps(steps - stop)
				if diff := cmp.Diff(bitsOf(through.Model.Params()), bitsOf(second.Model.Params())); diff != "" {
					t.Errorf("%s in %v, stopped after %d steps: (-through +resumed)\n%s", name, precision, stop, diff)
				}
				if stop == 5 && !second.Model.Params()[0].Frozen {
					t.Error("what is frozen was not kept")
				}
				alone := newLoop(precision, newOptimizer())
				if err := checkpoint.Load(path, alone.Model); err != nil { // the model in it is one
					t.Error(err)
				}
			}
		}
	}
}

// A training that does not fit is refused whole.
func TestTrainingRefuses(t *testing.T) {
	folder := t.TempDir()
	path, model := filepath.Join(folder, "training"), filepath.Join(folder, "model")
	l := newLoop(autograd.Float64, optim.NewAdam(0.01))
	l.steps(2)
	if err := errors.Join(l.Save(path), checkpoint.Save(model, l.Model)); err != nil {
		t.Fatal(err)
	}
	later := filepath.Join(folder, "later")
	text := strings.Replace(string(content(t, path)), `"nabla.format":"1"`, `"nabla.format":"2"`, 1)
	older := filepath.Join(folder, "older")
	zero := strings.Replace(string(content(t, path)), `"nabla.format":"1"`, `"nabla.format":"0"`, 1)
	if err := errors.Join(os.WriteFile(later, []byte(text), 0o600), os.WriteFile(older, []byte(zero), 0o600)); err != nil {
		t.Fatal(err)
	}
	none := newLoop(autograd.Float64, nil)
	if err := none.Save(filepath.Join(folder, "none")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path, want string
		to         *loop
	}{
		{model, "it keeps no training", newLoop(autograd.Float64, optim.NewAdam(0.01))},
		{later, "format 2 and needs a later version", newLoop(autograd.Float64, optim.NewAdam(0.01))},
		{older, `the format "0" is unknown`, newLoop(autograd.Float64, optim.NewAdam(0.01))},
		{path, "is F64, and float32 here", newLoop(autograd.Float32, optim.NewAdam(0.01))},
		{path, "the state is of optim.Adam, the optimizer is optim.SGD", newLoop(autograd.Float64, optim.NewSGD(0.01))},
		{path, "and there is none here", newLoop(autograd.Float64, nil)},
		{filepath.Join(folder, "none"), "no state of an optimizer", newLoop(autograd.Float64, optim.NewSGD(0.01))},
	} {
		before := bitsOf(test.to.Model.Params())
		err := test.to.Load(test.path)
		var format *checkpoint.FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
		if diff := cmp.Diff(before, bitsOf(test.to.Model.Params())); diff != "" || test.to.Epoch != 0 {
			t.Errorf("%s: something was changed: %s", test.want, diff)
		}
	}
	if err := checkpoint.Load(later, newLoop(autograd.Float64, nil).Model); err == nil {
		t.Error("a model of a later format was loaded")
	}
	var mismatch *checkpoint.MismatchError
	other := checkpoint.Training{Model: network(1), Optimizer: optim.NewAdam(0.01)}
	if err := other.Load(path); !errors.As(err, &mismatch) {
		t.Errorf("another model: %v", err)
	}
	if err := l.Load(filepath.Join(folder, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// A model in memory is the file's bytes.
func TestMarshal(t *testing.T) {
	from, to := network(1), network(2)
	text, err := checkpoint.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkpoint.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bitsOf(from), bitsOf(to)); diff != "" {
		t.Error(diff)
	}
	if err := checkpoint.Unmarshal(text[:len(text)-1], to); err == nil {
		t.Error("a part was accepted")
	}
}

// A loop of one's own goes on from its file.
func ExampleTraining() {
	if err := inFolder(func() error { return errors.Join(someSteps(30), someSteps(50)) }); err != nil {
		fmt.Println(err)
	}
	// Output:
	// from step 0 to 30
	// from step 30 to 50
}

func someSteps(until int) error {
	model, optimizer := layers.NewDense(seeded(1), 2, 1), optim.NewAdam(0.01)
	g := autograd.NewGraph(autograd.Options{})
	training := checkpoint.Training{Model: model, Optimizer: optimizer}
	if err := training.Load("training.safetensors"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	} else if err == nil {
		g.SetRandomState(training.Random)
	}
	from := training.Epoch
	for ; training.Epoch < until; training.Epoch++ {
		g.Reset()
		optimizer.Step(model.Forward(g.Constant(autograd.Ones(1, 2))).Square().Sum().Backward())
	}
	training.Random = g.RandomState()
	fmt.Println("from step", from, "to", training.Epoch)
	return training.Save("training.safetensors")
}

// What an optimizer remembers stands in a file once: a list that names the same
// numbers again and again would take any memory.
func TestTrainingReadsNumbersOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "training")
	l := newLoop(autograd.Float64, optim.NewAdam(0.01))
	l.steps(2)
	if err := l.Save(path); err != nil {
		t.Fatal(err)
	}
	text := string(content(t, path))
	for _, change := range [][2]string{
		{`[\"mean\",\"square\"]`, `[\"mean\",\"mean\"]  `},
		{`\"Name\":\"dense2.bias\"`, `\"Name\":\"dense1.bias\"`},
	} {
		twice := strings.Replace(text, change[0], change[1], 1)
		if twice == text {
			t.Fatalf("there is no %s", change[0])
		}
		if err := os.WriteFile(path, []byte(twice), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := newLoop(autograd.Float64, optim.NewAdam(0.01)).Load(path); err == nil || !strings.Contains(err.Error(), "twice") {
			t.Errorf("%s: got %v", change[1], err)
		}
	}
}
