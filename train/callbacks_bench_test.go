package train_test

import (
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/page"
	"nabla/train"
)

// A costing is a row of BenchmarkCallbacks.
type costing struct {
	name      string
	apart     bool // not among all of them: a setting that costs more
	callbacks func(folder string) []train.Callback
}

var costings = []costing{
	{name: "none", callbacks: func(string) []train.Callback { return nil }},
	{name: "OnStep", callbacks: func(string) []train.Callback {
		return []train.Callback{train.OnStep(func(*train.Training, train.Step) error { return nil })}
	}},
	{name: "Progress", callbacks: func(string) []train.Callback {
		p := train.NewProgress(io.Discard)
		p.Terminal = true
		return []train.Callback{p}
	}},
	{name: "CSV", callbacks: func(string) []train.Callback { return []train.Callback{train.NewCSVWriter(io.Discard)} }},
	{name: "JSON", callbacks: func(string) []train.Callback { // every step
		j := train.NewJSONWriter(io.Discard)
		j.Steps = 1
		return []train.Callback{j}
	}},
	{name: "TensorBoard", callbacks: func(folder string) []train.Callback {
		return []train.Callback{&train.TensorBoard{Folder: filepath.Join(folder, "board"), Steps: 10}}
	}},
	{name: "EMA-each-step", apart: true, callbacks: func(string) []train.Callback { return []train.Callback{&train.EMA{Decay: 0.999}} }},
	{name: "EMA", callbacks: func(string) []train.Callback { // as often as in torchvision's recipes
		return []train.Callback{&train.EMA{Decay: 0.999, Every: 32}}
	}},
	{name: "Watch", callbacks: func(string) []train.Callback { return []train.Callback{&train.Watch{Every: 100}} }},
	{name: "EarlyStopping", callbacks: func(string) []train.Callback { // so patient that it never ends this training
		return []train.Callback{&train.EarlyStopping{Patience: 2 * epochs, Restore: true}}
	}},
	{name: "Checkpoint-each-epoch", apart: true, callbacks: func(folder string) []train.Callback {
		return []train.Callback{&train.Checkpoint{Folder: filepath.Join(folder, "keep"), KeepBest: true}}
	}},
	{name: "Checkpoint", callbacks: func(folder string) []train.Callback { // every 10 epochs, which is every two seconds
		return []train.Callback{&train.Checkpoint{Folder: filepath.Join(folder, "keep"), EveryEpochs: 10}}
	}},
	{name: "Film", callbacks: func(folder string) []train.Callback { // a step of every tenth epoch, and of the last
		film := page.NewFilm(page.Options{})
		film.Keep = page.Every(10)
		return []train.Callback{film.Callback(filepath.Join(folder, "film.html"))}
	}},
}

const epochs, batches = 10, 938

// BenchmarkCallbacks is what callbacks cost beside a training of 784-128-10
// with 64 rows: ten epochs of as many steps as MNIST has, with a validation on
// a tenth of the rows, from the fifth step to the end of the last epoch.
// Trainings without and with them take turns, so that both see the same
// machine. "more-%" is the median of the pairs, and that of "none" is the
// noise; "more-cpu-%" is of the processor's time, the least of each, for a
// machine that others use: it does not see how long a disk makes one wait.
//
//	go test ./train -run xxx -bench Callbacks -benchtime 10x -cpu 1
func BenchmarkCallbacks(b *testing.B) {
	all := costing{name: "all"}
	all.callbacks = func(folder string) []train.Callback {
		var callbacks []train.Callback
		for _, c := range costings {
			if !c.apart {
				callbacks = append(callbacks, c.callbacks(folder)...)
			}
		}
		return callbacks
	}
	for _, precision := range []autograd.Precision{autograd.Float32, autograd.Float64} {
		b.Run(precision.String(), func(b *testing.B) {
			rows := labelled(precision, batches*64)
			for _, c := range append(slices.Clone(costings), all) {
				b.Run(c.name, func(b *testing.B) { c.compare(b, precision, rows) })
			}
		})
	}
}

// labelled returns random rows of 784 numbers and one of 10 labels.
func labelled(precision autograd.Precision, rows int) train.Data {
	rng := rand.New(rand.NewPCG(1, 0))
	data := train.Data{Inputs: autograd.Uniform(rng, 0, 1, rows, 784).In(precision), Labels: autograd.NewInts(make([]int, rows))}
	for i := range data.Labels.Values() {
		data.Labels.Values()[i] = rng.IntN(10)
	}
	return data
}

func (c costing) compare(b *testing.B, precision autograd.Precision, rows train.Data) {
	rng := rand.New(rand.NewPCG(1, 0))
	validation := labelled(precision, rows.Rows()/10)
	training := func(callbacks []train.Callback) (took, busy float64) {
		m := layers.NewSequential(layers.NewDense(rng, 784, 128), layers.ReLU(), layers.NewDense(rng, 128, 10))
		layers.Convert(m, precision)
		watch := &stopwatch{}
		_, err := train.Run(b.Context(), train.Config{
			Model: m, Optimizer: optim.NewSGD(0.01), Epochs: epochs, BatchSize: 64, Validation: validation,
			Graph: autograd.Options{Precision: precision},
			LabelLoss: func(y autograd.Value, t autograd.Ints) autograd.Value {
				return losses.CategoricalCrossEntropyLabelsWith(y, t, losses.Options{Logits: true})
			},
			Callbacks: append([]train.Callback{watch}, callbacks...),
		}, rows)
		if err != nil {
			b.Fatal(err)
		}
		return float64(watch.took), float64(watch.used)
	}
	var without, more, busy, busyWatched []float64
	for b.Loop() {
		callbacks := c.callbacks(b.TempDir())
		var plain, plainBusy, watched, watchedBusy float64
		if len(more)%2 == 0 {
			plain, plainBusy = training(nil)
			watched, watchedBusy = training(callbacks)
		} else {
			watched, watchedBusy = training(callbacks)
			plain, plainBusy = training(nil)
		}
		without, more = append(without, plain), append(more, watched/plain-1)
		busy, busyWatched = append(busy, plainBusy), append(busyWatched, watchedBusy)
	}
	b.ReportMetric(median(without)/epochs/batches/1e3, "µs/step")
	b.ReportMetric(100*median(more), "more-%")
	b.ReportMetric(100*(slices.Min(busyWatched)/slices.Min(busy)-1), "more-cpu-%")
	b.ReportMetric(0, "ns/op")
}

// A stopwatch is the first callback of a training. It stops when the last epoch
// has been told and kept, before anything is closed.
type stopwatch struct {
	begun      time.Time
	before     time.Duration
	took, used time.Duration
}

func (w *stopwatch) OnEpoch(*train.Training, train.Epoch) error { return nil }

func (w *stopwatch) OnStep(_ *train.Training, s train.Step) error {
	if s.Number == 5 { // the memory is there
		w.begun, w.before = time.Now(), processorTime()
	}
	return nil
}

func (w *stopwatch) OnEnd(*train.Training, error) error {
	w.took, w.used = time.Since(w.begun), processorTime()-w.before
	return nil
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
