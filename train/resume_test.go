package train_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/checkpoint"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/train"
)

// A recipe makes the configuration of a training from its beginning, as a
// program does that is started again.
type recipe struct {
	name      string
	precision autograd.Precision
	optimizer func() optim.Optimizer
	change    func(c *train.Config)
}

func (r recipe) config() train.Config {
	rng := rand.New(rand.NewPCG(1, 0))
	model := layers.NewSequential(
		layers.NewDenseWith(rng, 2, 6, layers.DenseOptions{Precision: r.precision}), layers.NewBatchNormWith(6, layers.BatchNormOptions{Precision: r.precision}),
		layers.ReLU(), layers.Dropout(0.2), layers.NewDenseWith(rng, 6, 1, layers.DenseOptions{Precision: r.precision}))
	c := train.Config{
		Model: model, Loss: losses.MSE, Optimizer: r.optimizer(), Epochs: 5, BatchSize: 4, RNG: rng,
		Graph: autograd.Options{Seed: 5, Precision: r.precision}, Metrics: []train.Metric{{Name: "R²", Func: metrics.R2}}, Validation: plane(2, 9),
	}
	if r.change != nil {
		r.change(&c)
	}
	return c
}

// outcome is all that a training leaves behind, bit by bit.
type outcome struct {
	History train.History
	Params  [][]uint64
	Rate    float64
}

func outcomeOf(c train.Config, h train.History) outcome {
	o := outcome{History: h, Rate: *optim.RateOf(c.Optimizer)}
	for _, p := range c.Model.(*layers.Sequential).Params() {
		var bits []uint64
		for _, v := range p.Tensor().Float64s() {
			bits = append(bits, math.Float64bits(v))
		}
		o.Params = append(o.Params, bits)
	}
	return o
}

const rowsToResume = 18 // 5 batches of 4

// stopped runs a training and stops it again and again, after so many steps
// each time, in a new configuration each time. It returns the last.
func (r recipe) stopped(t *testing.T, folder string, stops []int, how func(cancel func()) error) outcome {
	t.Helper()
	for i := 0; ; i++ {
		c := r.config()
		c.Resume = folder
		ctx, cancel := context.WithCancel(context.Background())
		left := math.MaxInt
		if i < len(stops) {
			left = stops[i]
		}
		c.Callbacks = append([]train.Callback{&train.Checkpoint{Folder: folder, Every: 3}}, c.Callbacks...)
		c.Callbacks = append(c.Callbacks, train.OnStep(func(*train.Training, train.Step) error {
			if left--; left == 0 {
				return how(cancel)
			}
			return nil
		}))
		history, err := train.Run(ctx, c, plane(1, rowsToResume))
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: %v", r.name, err)
		}
		if i == len(stops) {
			return outcomeOf(c, history)
		}
	}
}

func recipes() []recipe {
	adam := func() optim.Optimizer { return optim.NewAdam(0.01) }
	augment := func(rng *rand.Rand, batch train.Data) {
		for i := range batch.Inputs.Float64s() {
			if batch.Inputs.Precision() == autograd.Float64 {
				batch.Inputs.Raw64()[i] += 0.1 * rng.NormFloat64()
			}
		}
	}
	all := []recipe{
		{"Loader", autograd.Float64, adam, func(c *train.Config) {
			c.RNG, c.Loader = nil, &train.LoaderOptions{Seed: 2, Workers: 2, Prepare: augment}
		}},
		{"Loader that drops", autograd.Float64, adam, func(c *train.Config) {
			c.RNG, c.Loader = nil, &train.LoaderOptions{Seed: 2, Workers: 3, DropLast: true}
		}},
		{"in order", autograd.Float64, adam, func(c *train.Config) { c.RNG = nil }},
		{"one batch", autograd.Float64, adam, func(c *train.Config) { c.BatchSize, c.Epochs = 0, 20 }},
		{"accumulated", autograd.Float64, adam, func(c *train.Config) { c.Accumulate = 2 }},
		{"parts", autograd.Float64, adam, func(c *train.Config) { c.Workers = 2 }},
		{"schedule", autograd.Float64, adam, func(c *train.Config) { c.Schedule = optim.WarmUp(3, optim.Cosine(0.1, 20)) }},
		{"plateau", autograd.Float64, adam, func(c *train.Config) {
			c.Schedule = &optim.Plateau{LearningRate: 0.5, Factor: 0.5}
		}},
		{"average", autograd.Float64, adam, func(c *train.Config) { c.Callbacks = []train.Callback{&train.EMA{Decay: 0.9}} }},
		{"average in float32", autograd.Float32, adam, func(c *train.Config) {
			c.Callbacks, c.Workers, c.Accumulate = []train.Callback{&train.EMA{Decay: 0.9}}, 2, 2
			c.Schedule = optim.WarmUp(2, &optim.Plateau{LearningRate: 0.5, Factor: 0.5})
		}},
		{"rate changed by OnEpoch", autograd.Float64, adam, func(c *train.Config) {
			c.OnEpoch = func(train.Epoch) error { *optim.RateOf(c.Optimizer) /= 2; return nil }
		}},
		{"frozen at first", autograd.Float64, adam, func(c *train.Config) {
			p := c.Model.(*layers.Sequential).Params()[0]
			p.Frozen = true
			c.OnEpoch = func(e train.Epoch) error { p.Frozen = e.Number < 2; return nil }
		}},
		{"early stopping", autograd.Float64, adam, func(c *train.Config) {
			*optim.RateOf(c.Optimizer) = 0.3
			c.Epochs = 40
			c.Callbacks = []train.Callback{&train.EarlyStopping{Patience: 2, Restore: true}}
		}},
	}
	for name, newOptimizer := range map[string]func() optim.Optimizer{
		"SGD":      func() optim.Optimizer { return optim.NewSGD(0.05) },
		"momentum": func() optim.Optimizer { return &optim.SGD{LearningRate: 0.05, Momentum: 0.9, Dampening: 0.1} },
		"Adam": func() optim.Optimizer {
			return &optim.Adam{LearningRate: 0.01, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, AMSGrad: true}
		},
		"AdamW": func() optim.Optimizer { return optim.NewAdamW(0.01) },
		"RMSProp": func() optim.Optimizer {
			return &optim.RMSProp{LearningRate: 0.01, Alpha: 0.9, Epsilon: 1e-8, Momentum: 0.9, Centered: true}
		},
		"Adagrad":  func() optim.Optimizer { return optim.NewAdagrad(0.1) },
		"Adadelta": func() optim.Optimizer { return optim.NewAdadelta(1) },
		"Adamax":   func() optim.Optimizer { return optim.NewAdamax(0.01) },
		"NAdam":    func() optim.Optimizer { return optim.NewNAdam(0.01) },
		"RAdam":    func() optim.Optimizer { return optim.NewRAdam(0.01) },
		"Lion":     func() optim.Optimizer { return optim.NewLion(0.001) },
		"LAMB":     func() optim.Optimizer { return optim.NewLAMB(0.01) },
		"Rprop":    func() optim.Optimizer { return optim.NewRprop(0.01) },
	} {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			all = append(all, recipe{fmt.Sprintf("%s in %v", name, precision), precision, newOptimizer, nil})
		}
	}
	return all
}

// A training that is stopped at random places, and each time goes on in a
// program that is started anew, has the same history, Params and rate as one
// that was never stopped, bit by bit: with every optimizer, in both precisions,
// with Dropout and running statistics, on any number of cores, whichever way
// the rows are shuffled and however it is stopped.
func TestResumedIsTheSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 0))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, r := range recipes() {
		config := r.config()
		history, err := train.Run(context.Background(), config, plane(1, rowsToResume))
		if err != nil {
			t.Fatal(err)
		}
		want := outcomeOf(config, history)
		if r.name == "early stopping" && (len(history) == 40 || len(history) < 4) {
			t.Errorf("%d epochs: nothing is tried", len(history))
		}
		for i := range 4 {
			if r.change == nil && i%2 == 1 {
				continue // of the many optimizers
			}
			runtime.GOMAXPROCS([]int{1, 2, 4, 2}[i])
			stops := []int{1 + rng.IntN(9), 1 + rng.IntN(9)}
			how := func(cancel func()) error { cancel(); return nil }
			if i == 3 {
				how = func(func()) error { return train.Stop }
			}
			got := r.stopped(t, filepath.Join(t.TempDir(), "keep"), stops, how)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, stopped after %v steps: (-through +resumed)\n%s", r.name, stops, diff)
			}
		}
	}
}

// What callbacks remember is kept too: with averages of the weights and a best
// epoch, the last file of a training that was stopped has the bytes of one that
// was not.
func TestResumedCallbacks(t *testing.T) {
	r := recipe{"callbacks", autograd.Float32, func() optim.Optimizer { return optim.NewRAdam(0.01) }, func(c *train.Config) {
		c.Callbacks = []train.Callback{&train.EMA{Decay: 0.9}, &train.EarlyStopping{Patience: 50, Restore: true}}
	}}
	folders := [2]string{t.TempDir(), t.TempDir()}
	for i, stops := range [][]int{nil, {2, 1, 7, 5}} {
		r.stopped(t, folders[i], stops, func(cancel func()) error { cancel(); return nil })
	}
	through, resumed := newest(t, folders[0]), newest(t, folders[1])
	if filepath.Base(through) != filepath.Base(resumed) || string(content(t, through)) != string(content(t, resumed)) {
		t.Errorf("%s and %s differ", through, resumed)
	}
}

// A training whose program was killed has lost the steps since its last file,
// makes them again, and is the same. The folder holds what the fields ask for.
func TestResumeAfterKill(t *testing.T) {
	r := recipe{"Adam", autograd.Float64, func() optim.Optimizer { return optim.NewAdam(0.01) }, nil}
	config := r.config()
	history, err := train.Run(context.Background(), config, plane(1, rowsToResume))
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "a [strange] folder")
	killed := errors.New("killed")
	func() {
		defer func() { recover() }() // as if the program ended: no OnEnd
		c := r.config()
		c.Callbacks = []train.Callback{
			&train.Checkpoint{Folder: folder, Every: 4, Keep: 3, KeepBest: true},
			train.OnStep(func(_ *train.Training, s train.Step) error {
				if s.Number == 18 {
					panic(killed)
				}
				return nil
			}),
		}
		train.Run(context.Background(), c, plane(1, rowsToResume))
	}()
	left := filepath.Join(folder, ".step-000000000020.safetensors.123")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"best.safetensors", "step-000000000008.safetensors", "step-000000000012.safetensors", "step-000000000016.safetensors"}, visible(t, folder)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// The newest is cut short by something else: the one before it counts.
	newest := filepath.Join(folder, "step-000000000016.safetensors")
	if err := os.Truncate(newest, 1000); err != nil {
		t.Fatal(err)
	}
	c := r.config()
	c.Resume = folder
	first := 0
	var from train.Resumption
	var log strings.Builder
	c.Callbacks = []train.Callback{
		&train.Checkpoint{Folder: folder, Every: 4, Keep: 3, KeepBest: true},
		train.NewProgress(&log),
		train.OnBegin(func(t *train.Training) error { from = t.Resumed(); return nil }),
		train.OnStep(func(_ *train.Training, s train.Step) error {
			if first == 0 {
				first = s.Number
			}
			return nil
		}),
	}
	resumed, err := train.Run(context.Background(), c, plane(1, rowsToResume))
	if err != nil || first != 13 {
		t.Fatalf("%v, from step %d", err, first)
	}
	var format *checkpoint.FormatError
	if from.Step != 12 || from.Epoch != 2 || filepath.Base(from.Path) != "step-000000000012.safetensors" || len(from.Skipped) != 1 {
		t.Errorf("goes on from %+v", from)
	} else if !errors.As(from.Skipped[0], &format) || format.Path != newest {
		t.Errorf("passed over for %v", from.Skipped[0])
	}
	if want := fmt.Sprintf("passed over: %v\n", from.Skipped[0]); !strings.HasPrefix(log.String(), want) {
		t.Errorf("shows %q, want %q first", log.String(), want)
	}
	if diff := cmp.Diff(outcomeOf(config, history), outcomeOf(c, resumed)); diff != "" {
		t.Errorf("(-through +resumed)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"best.safetensors", "step-000000000020.safetensors", "step-000000000024.safetensors", "step-000000000025.safetensors"}, visible(t, folder)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Error("what was left half-written is still there")
	}
	best := slices.MinFunc(resumed, func(a, b train.Epoch) int { return compare(a.Validation.Loss, b.Validation.Loss) })
	at := r.config().Model.(*layers.Sequential)
	if err := checkpoint.Load(filepath.Join(folder, "best.safetensors"), at); err != nil {
		t.Fatal(err)
	}
	c.Model = at
	report, err := train.Evaluate(context.Background(), c, c.Validation)
	if err != nil || report.Loss != best.Validation.Loss {
		t.Errorf("best.safetensors has the loss %v, the best epoch %v: %v", report.Loss, best.Validation.Loss, err)
	}
}

func compare(a, b float64) int {
	if a < b {
		return -1
	}
	return 1
}

func visible(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// What is not as it was is an error before the first step.
func TestResumeRefuses(t *testing.T) {
	r := recipe{"Adam", autograd.Float64, func() optim.Optimizer { return optim.NewAdam(0.01) }, nil}
	folder := t.TempDir()
	first := r.config()
	first.Callbacks = []train.Callback{&train.Checkpoint{Folder: folder}, train.OnStep(func(_ *train.Training, s train.Step) error {
		if s.Number == 7 {
			return train.Stop
		}
		return nil
	})}
	if _, err := train.Run(context.Background(), first, plane(1, rowsToResume)); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(c *train.Config){
		"BatchSize is \"4\" there and \"6\" here":  func(c *train.Config) { c.BatchSize = 6 },
		"Graph.Seed is \"5\" there and \"6\" here": func(c *train.Config) { c.Graph.Seed = 6 },
		"Accumulate is": func(c *train.Config) { c.Accumulate = 2 },
		"RNG does not shuffle the rows as it did":  func(c *train.Config) { c.RNG = rand.New(rand.NewPCG(2, 0)) },
		"RNG is \"true\" there and \"false\" here": func(c *train.Config) { c.RNG = nil },
		"the optimizer is optim.SGD":               func(c *train.Config) { c.Optimizer = optim.NewSGD(1) },
		"does not fit the model":                   func(c *train.Config) { c.Model = layers.NewSequential(layers.NewDense(c.RNG, 2, 1)) },
		"BatchSize is \"4\" there and \"\" here":   func(c *train.Config) { c.RNG, c.Loader = nil, &train.LoaderOptions{} },
		"has checkpoints of another training":      func(c *train.Config) { c.Resume = "" },
		"there is no Folder":                       func(c *train.Config) { c.Callbacks = []train.Callback{&train.Checkpoint{}} },
		"and Keep -1":                              func(c *train.Config) { c.Callbacks = []train.Callback{&train.Checkpoint{Folder: folder, Keep: -1}} },
		"neither Params nor a Model":               func(c *train.Config) { c.Model, c.Resume = model(c.Model.Forward), "" },
		"Patience is -1":                           func(c *train.Config) { c.Callbacks = []train.Callback{&train.EarlyStopping{Patience: -1}} },
		"parameter batchnorm1.weight is trained, and is nei": func(c *train.Config) {
			c.Params, c.Resume, c.Callbacks = c.Model.(*layers.Sequential).Params()[:2], "", []train.Callback{&train.Checkpoint{Folder: t.TempDir()}}
		},
	} {
		c := r.config()
		c.Resume, c.Callbacks = folder, []train.Callback{&train.Checkpoint{Folder: folder}}
		change(&c)
		steps := 0
		c.Callbacks = append(c.Callbacks, train.OnStep(func(*train.Training, train.Step) error { steps++; return nil }))
		_, err := train.Run(context.Background(), c, plane(1, rowsToResume))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if steps > 1 {
			t.Errorf("%s: %d steps were made", want, steps)
		}
	}
	for _, name := range visible(t, folder) {
		if err := os.Truncate(filepath.Join(folder, name), 100); err != nil {
			t.Fatal(err)
		}
	}
	c := r.config()
	c.Resume = folder
	var format *checkpoint.FormatError
	_, err := train.Run(context.Background(), c, plane(1, rowsToResume))
	if !errors.As(err, &format) || strings.Count(err.Error(), "step-") != 2 {
		t.Errorf("no file is whole: %v", err)
	}
}

// A folder that cannot be written ends the training with an error that says so.
func TestCheckpointNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := recipe{"Adam", autograd.Float64, func() optim.Optimizer { return optim.NewAdam(0.01) }, nil}
	c := r.config()
	c.Callbacks = []train.Callback{&train.Checkpoint{Folder: file}}
	if _, err := train.Run(context.Background(), c, plane(1, rowsToResume)); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}

// Early stopping ends after Patience epochs that were no better, and restores
// the best, as a twin that compares all losses says.
func TestEarlyStopping(t *testing.T) {
	scores := []float64{5, 4, 4.5, 3.95, 3.96, 3, 3.5, 3.2, 3.1, 2}
	for _, test := range []struct {
		patience    int
		delta       float64
		epochs, top int
	}{{1, 0, 3, 2}, {2, 0, 8, 6}, {3, 0, 9, 6}, {4, 0, 10, 10}, {2, 0.1, 4, 2}, {0, 0, 3, 2}} {
		m := newLinear(2, 1)
		var after [][]float64
		stopping := &train.EarlyStopping{
			Patience: test.patience, MinDelta: test.delta, Restore: true,
			Score: func(e train.Epoch) float64 { return scores[e.Number-1] },
		}
		config := train.Config{
			Model: m, Params: []*autograd.Param{m.w, m.b}, Loss: mse, Optimizer: optim.NewSGD(0.01), Epochs: len(scores),
			Callbacks: []train.Callback{train.OnEpoch(func(*train.Training, train.Epoch) error { after = append(after, m.numbers()); return nil }), stopping},
		}
		history := run(t, config, plane(1, 10))
		if len(history) != test.epochs || stopping.Best().Number != test.top {
			t.Errorf("patience %d, delta %v: %d epochs, the best %d", test.patience, test.delta, len(history), stopping.Best().Number)
		}
		if diff := cmp.Diff(after[test.top-1], m.numbers()); diff != "" {
			t.Errorf("patience %d: not the best Params: %s", test.patience, diff)
		}
	}
}

// Steps allocate nothing beside a Checkpoint that has nothing to write.
func TestCheckpointAllocatesNothing(t *testing.T) {
	allocations := func(epochs int) uint64 {
		m := newLinear(2, 1)
		config := train.Config{
			Model: m, Params: []*autograd.Param{m.w, m.b}, Loss: mse, Optimizer: optim.NewAdam(0.01), Epochs: epochs, BatchSize: 3,
			RNG:       rand.New(rand.NewPCG(1, 0)),
			Callbacks: []train.Callback{&train.Checkpoint{Folder: t.TempDir(), Every: 1 << 40}},
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run(t, config, plane(1, 100))
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs
	}
	few, many := allocations(10), allocations(210)
	if perEpoch := (float64(many) - float64(few)) / 200; perEpoch > 12 { // of 34 steps
		t.Errorf("%v allocations per epoch", perEpoch)
	}
}

// The example of the package's comment.
func ExampleCheckpoint() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	for _, epochs := range []int{3, 5} {
		rng := rand.New(rand.NewPCG(1, 0))
		config := train.Config{Model: layers.NewDense(rng, 2, 1), Loss: losses.MSE, Optimizer: optim.NewAdam(0.1), Epochs: epochs, BatchSize: 4}
		config.Loader = &train.LoaderOptions{Seed: 1}
		config.Resume = folder
		config.Callbacks = []train.Callback{
			&train.EarlyStopping{Patience: 5, Restore: true},
			&train.Checkpoint{Folder: folder, Every: 100, Keep: 3, KeepBest: true},
		}
		first := 0
		config.Callbacks = append(config.Callbacks, train.OnStep(func(_ *train.Training, s train.Step) error {
			if first == 0 {
				first = s.Number
			}
			return nil
		}))
		history, err := train.Run(context.Background(), config, plane(1, 12))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("from step", first, "to epoch", len(history))
	}
	// Output:
	// from step 1 to epoch 3
	// from step 10 to epoch 5
}

// A program that is started again when its training has stopped early has the
// best epoch's Params again, and the average.
func TestEarlyStoppingResumedAtItsEnd(t *testing.T) {
	folder := t.TempDir()
	var want, got [2][]float64
	for _, to := range []*[2][]float64{&want, &got} {
		m, average := newLinear(2, 1), &train.EMA{Decay: 0.9}
		run(t, train.Config{
			Model: m, Params: []*autograd.Param{m.w, m.b}, Loss: mse, Optimizer: optim.NewSGD(0.01), Epochs: 10, Resume: folder,
			Callbacks: []train.Callback{
				&train.Checkpoint{Folder: folder},
				&train.EarlyStopping{Patience: 2, Restore: true, Score: func(e train.Epoch) float64 { return math.Abs(float64(e.Number) - 2) }},
				average,
			},
		}, plane(1, 10))
		to[0] = m.numbers()
		average.Swap()
		to[1] = m.numbers()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-first +resumed)\n%s", diff)
	}
}

// A program need not go on from an older file: the broken newest one is an
// error, if it wants.
func TestResumeStrictly(t *testing.T) {
	folder := t.TempDir()
	strictly := func() error {
		m := newLinear(2, 1)
		_, err := train.Run(context.Background(), train.Config{
			Model: m, Params: []*autograd.Param{m.w, m.b}, Loss: mse, Optimizer: optim.NewSGD(0.01), Epochs: 3, Resume: folder,
			Callbacks: []train.Callback{
				&train.Checkpoint{Folder: folder},
				train.OnBegin(func(t *train.Training) error { return errors.Join(t.Resumed().Skipped...) }),
			},
		}, plane(1, 10))
		return err
	}
	for _, err := range []error{strictly(), strictly(), os.Truncate(newest(t, folder), 100)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var format *checkpoint.FormatError
	if err := strictly(); !errors.As(err, &format) || format.Path != newest(t, folder) {
		t.Errorf("got %v", err)
	}
}
