package train_test

import (
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/train"
)

// BenchmarkCallbacks is what callbacks cost beside a step of 784-128-10 with 64
// rows. Trainings of one epoch without and with them take turns, so that both
// see the same machine; "more-%" is the median of the pairs.
//
//	go test ./train -run xxx -bench Callbacks -benchtime 60x -cpu 1
func BenchmarkCallbacks(b *testing.B) {
	all := func() []train.Callback {
		progress, lines := train.NewProgress(io.Discard), train.NewJSONWriter(io.Discard)
		progress.Terminal, lines.Steps = true, 1
		return []train.Callback{
			progress, lines, train.NewCSVWriter(io.Discard), &train.TensorBoard{Folder: b.TempDir()},
			train.OnStep(func(*train.Training, train.Step) error { return nil }),
		}
	}
	for name, callbacks := range map[string]func() []train.Callback{
		"none": func() []train.Callback { return nil },
		"all":  all,
		"EMA":  func() []train.Callback { return []train.Callback{&train.EMA{Decay: 0.999}} },
	} {
		for _, precision := range []autograd.Precision{autograd.Float32, autograd.Float64} {
			b.Run(name+"/"+precision.String(), func(b *testing.B) { compareCallbacks(b, precision, callbacks) })
		}
	}
}

func compareCallbacks(b *testing.B, precision autograd.Precision, callbacks func() []train.Callback) {
	const batches = 50
	rng := rand.New(rand.NewPCG(1, 0))
	rows := train.Data{Inputs: autograd.Normal(rng, 0, 1, 64*batches, 784).In(precision), Labels: autograd.NewInts(make([]int, 64*batches))}
	for i := range rows.Labels.Values() {
		rows.Labels.Values()[i] = rng.IntN(10)
	}
	epoch := func(callbacks []train.Callback) float64 {
		m := layers.NewSequential(layers.NewDense(rng, 784, 128), layers.ReLU(), layers.NewDense(rng, 128, 10))
		layers.Convert(m, precision)
		var first, last time.Time
		clock := train.OnStep(func(_ *train.Training, s train.Step) error {
			switch s.Batch {
			case 5: // the memory is there
				first = time.Now()
			case batches:
				last = time.Now()
			}
			return nil
		})
		_, err := train.Run(b.Context(), train.Config{
			Model: m, Optimizer: optim.NewSGD(0.01), Epochs: 1, BatchSize: 64, Graph: autograd.Options{Precision: precision},
			LabelLoss: func(y autograd.Value, t autograd.Ints) autograd.Value {
				return losses.CategoricalCrossEntropyLabelsWith(y, t, losses.Options{Logits: true})
			},
			Callbacks: append([]train.Callback{clock}, callbacks...),
		}, rows)
		if err != nil {
			b.Fatal(err)
		}
		return float64(last.Sub(first)) / (batches - 5)
	}
	var without, ratios []float64
	for b.Loop() {
		plain, watched := epoch(nil), epoch(callbacks())
		without, ratios = append(without, plain), append(ratios, watched/plain)
	}
	slices.Sort(without)
	slices.Sort(ratios)
	b.ReportMetric(without[len(without)/2]/1e3, "µs/step")
	b.ReportMetric(100*(ratios[len(ratios)/2]-1), "more-%")
}
