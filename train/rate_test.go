package train_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/layers"
	"nabla/optim"
	"nabla/train"
)

// A schedule sets the rate before each step, or each epoch, and the groups
// follow.
func TestSchedule(t *testing.T) {
	for _, byEpoch := range []bool{false, true} {
		o := optim.NewSGD(7)
		var rates []float64
		run(t, train.Config{
			Model: newLinear(2, 1), Loss: mse, Optimizer: o, Epochs: 3, BatchSize: 4,
			Schedule: optim.Exponential(0.1, 0.5), ScheduleByEpoch: byEpoch,
			Callbacks: []train.Callback{train.OnStep(func(t *train.Training, s train.Step) error {
				rates = append(rates, t.LearningRate())
				return nil
			})},
		}, plane(1, 8))
		want := []float64{0.1, 0.05, 0.025, 0.0125, 0.00625, 0.003125}
		if byEpoch {
			want = []float64{0.1, 0.1, 0.05, 0.05, 0.025, 0.025}
		}
		if diff := cmp.Diff(want, rates, cmpopts.EquateApprox(1e-15, 0)); diff != "" {
			t.Errorf("the rates (-want +got)\n%s", diff)
		}
	}
}

// A Plateau is shown the validation's losses, or else the training's.
func TestSchedulePlateau(t *testing.T) {
	for _, validation := range []train.Data{{}, plane(2, 5)} {
		p := optim.NewPlateau(0.1)
		p.Patience, p.Factor, p.Least, p.MinDelta = 0, 0.5, 1e-6, 0.3
		seen := optim.NewPlateau(0.1)
		*seen = *p
		var rates, want []float64
		run(t, train.Config{
			Model: newLinear(2, 1), Loss: mse, Optimizer: optim.NewSGD(1), Epochs: 40, BatchSize: 4, Schedule: p, Validation: validation,
			Callbacks: []train.Callback{train.OnEpoch(func(t *train.Training, e train.Epoch) error {
				rates, want = append(rates, t.LearningRate()), append(want, seen.At(0))
				if e.Validation != nil {
					seen.Observe(e.Validation.Loss)
				} else {
					seen.Observe(e.Train.Loss)
				}
				return nil
			})},
		}, plane(1, 8))
		if diff := cmp.Diff(want, rates); diff != "" {
			t.Errorf("the rates (-want +got)\n%s", diff)
		}
		if rates[39] == 0.1 {
			t.Error("the rate never fell")
		}
	}
}

// The search finds where steps on a parabola get too long, and leaves all as it
// was.
func TestFindRate(t *testing.T) {
	const curvature = 4. // of the loss 2·w²: steps of more than 2/4 lead away
	w := autograd.NewParam("w", autograd.Full(1, 1))
	o := optim.NewSGD(0.3)
	config := train.Config{
		Model:     model(func(x autograd.Value) autograd.Value { return x.Mul(x.Graph().Param(w)) }),
		Loss:      func(p, t autograd.Value) autograd.Value { return p.Square().Sum().MulScalar(curvature / 2) },
		Optimizer: o, Epochs: 1,
	}
	one := train.Data{Inputs: autograd.Ones(1, 1), Targets: autograd.Zeros(1, 1)}
	curve, err := train.FindRate(context.Background(), config, one, train.RateOptions{From: 1e-4, To: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	last := curve.Points[len(curve.Points)-1]
	if !(curve.Suggested > 0.01 && curve.Suggested < 2/curvature) {
		t.Errorf("suggested %v, want a rate that the loss falls with", curve.Suggested)
	}
	if len(curve.Points) == 100 || !(last.Rate > 2/curvature) {
		t.Errorf("the search ended after %d steps at the rate %v", len(curve.Points), last.Rate)
	}
	if first := curve.Points[0]; first.Rate != 1e-4 || first.Loss != 2 || math.Abs(first.Smoothed-2) > 1e-12 {
		t.Errorf("it began with %+v", first)
	}
	if w.Item() != 1 || o.LearningRate != 0.3 {
		t.Errorf("w = %v, the optimizer's rate %v", w.Item(), o.LearningRate)
	}
}

// A training after a search gives the same bits as one without.
func TestFindRateLeavesAllAsItWas(t *testing.T) {
	learn := func(search bool) []float64 {
		rng := rand.New(rand.NewPCG(3, 0))
		m := normalized()
		config := train.Config{
			Model: m, Loss: mse, Optimizer: optim.NewAdam(0.01), Epochs: 2, BatchSize: 8, RNG: rng, Graph: autograd.Options{Seed: 5},
		}
		run(t, config, plane(1, 30))
		if search {
			curve, err := train.FindRate(context.Background(), config, plane(1, 30), train.RateOptions{})
			if err != nil || len(curve.Points) < 50 {
				t.Fatalf("%d steps, error %v", len(curve.Points), err)
			}
		}
		run(t, config, plane(1, 30))
		var got []float64
		for _, p := range m.Params() {
			got = append(got, p.Tensor().Float64s()...)
		}
		return got
	}
	if diff := cmp.Diff(learn(false), learn(true)); diff != "" {
		t.Errorf("(-without +with a search)\n%s", diff)
	}
}

func TestFindRateRefuses(t *testing.T) {
	config := train.Config{Model: layers.NewDense(rand.New(rand.NewPCG(1, 0)), 2, 1), Loss: mse, Optimizer: optim.NewSGD(1)}
	for _, o := range []train.RateOptions{{From: 1, To: 0.5}, {From: -1}, {To: math.Inf(1)}, {Steps: 1}, {Smooth: 1}} {
		if _, err := train.FindRate(context.Background(), config, plane(1, 4), o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	config.Optimizer = nil
	if _, err := train.FindRate(context.Background(), config, plane(1, 4), train.RateOptions{}); err == nil {
		t.Error("no optimizer was taken")
	}
	config.Optimizer, config.Model = optim.NewSGD(1), model(func(x autograd.Value) autograd.Value { return x.Sum() })
	if _, err := train.FindRate(context.Background(), config, plane(1, 4), train.RateOptions{}); err == nil {
		t.Error("a prediction without rows was taken")
	}
}

// Steps allocate nothing, whichever way they are made: an epoch takes as much
// with 50 batches as with 10.
func TestStepsAllocateNothing(t *testing.T) {
	for name, c := range map[string]train.Config{
		"schedule": {Schedule: optim.WarmUp(3, optim.Cosine(0.1, 50))}, "accumulate": {Accumulate: 2},
		"one worker": {Workers: 1}, "workers": {Workers: 3, Parts: 4},
	} {
		c.Model, c.Loss, c.Optimizer, c.BatchSize = normalized(), mse, optim.NewAdam(0.01), 8
		allocations := func(rows int) float64 {
			data := plane(1, rows)
			of := func(epochs int) float64 {
				c.Epochs = epochs
				return testing.AllocsPerRun(3, func() { run(t, c, data) })
			}
			return (of(12) - of(2)) / 10
		}
		if few, many := allocations(80), allocations(400); many > few+2 {
			t.Errorf("%s: %v allocations in an epoch of 10 batches, %v in one of 50", name, few, many)
		}
	}
}
