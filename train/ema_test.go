package train_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/layers"
	"nabla/optim"
	"nabla/train"
)

// all returns the numbers of Params and statistics, one after the other.
func all(params []*autograd.Param) []float64 {
	var numbers []float64
	for _, p := range params {
		numbers = append(numbers, p.Tensor().Float64s()...)
	}
	return numbers
}

// The average is Σ (1−d)·dⁿ⁻ⁱ·pᵢ + dⁿ⁻¹·p₁ over steps 1 to n, of parameters and
// statistics; the validation is measured with it, and the parameters learn as
// they do without.
func TestEMA(t *testing.T) {
	const decay, epochs = 0.9, 5
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		for _, forward := range []bool{false, true} {
			learn := func(callbacks ...train.Callback) (*layers.Sequential, train.History) {
				m := normalized()
				layers.Convert(m, precision)
				c := train.Config{
					Model: m, Loss: mse, Optimizer: optim.NewAdam(0.05), Epochs: epochs, BatchSize: 10, Validation: plane(2, 12),
					Graph: autograd.Options{Precision: precision}, Callbacks: callbacks,
				}
				if forward {
					c.Model, c.Forward = nil, func(g *autograd.Graph, batch train.Data) autograd.Value { return m.Forward(g.Constant(batch.Inputs)) }
				}
				return m, run(t, c, plane(1, 30))
			}
			average := &train.EMA{Decay: decay}
			var m *layers.Sequential
			var steps [][]float64
			plain, _ := learn()
			m, history := learn(average, train.OnStep(func(t *train.Training, s train.Step) error {
				var now []float64
				for p := range s.Gradients.Stored() {
					now = append(now, p.Tensor().Float64s()...)
				}
				for p := range s.Gradients.Observations() {
					now = append(now, p.Tensor().Float64s()...)
				}
				steps = append(steps, now)
				return nil
			}))
			if diff := cmp.Diff(all(plain.Params()), all(m.Params())); diff != "" {
				t.Fatalf("the training differs from one without (-without +with)\n%s", diff)
			}
			want := make([]float64, len(steps[0]))
			for i, now := range steps {
				weight := (1 - decay) * math.Pow(decay, float64(len(steps)-1-i))
				if i == 0 {
					weight = math.Pow(decay, float64(len(steps)-1))
				}
				for j, v := range now {
					want[j] += weight * v
				}
			}
			before := all(m.Params())
			average.Swap()
			got := all(m.Params())
			sorted := cmpopts.SortSlices(func(a, b float64) bool { return a < b })
			if diff := cmp.Diff(want, got, sorted, cmpopts.EquateApprox(1e-5, 1e-6)); diff != "" {
				t.Errorf("%v: the average (-want +got)\n%s", precision, diff)
			}
			report, err := train.Evaluate(t.Context(), train.Config{Model: m, Loss: mse, Graph: autograd.Options{Precision: precision}, BatchSize: 10}, plane(2, 12))
			if err != nil || report.Loss != history[epochs-1].Validation.Loss {
				t.Errorf("the average has the loss %v, the validation was %v, error %v", report.Loss, history[epochs-1].Validation.Loss, err)
			}
			average.Swap()
			if diff := cmp.Diff(before, all(m.Params())); diff != "" {
				t.Errorf("swapped back (-want +got)\n%s", diff)
			}
		}
	}
}

// An average that goes on from a state is the one that was never stopped.
func TestEMAState(t *testing.T) {
	m := newLinear(2, 1)
	whole, half := &train.EMA{Decay: 0.8}, &train.EMA{Decay: 0.8}
	step := func(i int, e *train.EMA) {
		m.w.Set(autograd.Full(float64(i*i), 2, 1))
		m.b.Set(autograd.Full(1/float64(i+1), 1))
		e.Add(m.w, m.b)
	}
	for i := range 8 {
		step(i, whole)
	}
	for i := range 4 {
		step(i, half)
	}
	state, err := half.State()
	if err != nil {
		t.Fatal(err)
	}
	resumed := &train.EMA{Decay: 0.8}
	if err := resumed.SetState(state); err != nil {
		t.Fatal(err)
	}
	if again, _ := resumed.State(); len(again) != len(state) {
		t.Error("a state that was set is lost before the next step")
	}
	for i := 4; i < 8; i++ {
		step(i, resumed)
	}
	whole.Swap()
	want := m.numbers()
	whole.Swap()
	resumed.Swap()
	got := m.numbers()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-never stopped +resumed)\n%s", diff)
	}
	if resumed.SetState([]byte("x")) == nil {
		t.Error("nonsense was taken as a state")
	}
}

// With Every the average is the copy after step 1, and moves at each third step
// from there by what three steps forget, also if it was resumed in between.
func TestEMAEvery(t *testing.T) {
	const decay, every, epochs = 0.9, 3, 4
	folder := t.TempDir()
	var average *train.EMA
	want, made := 0.0, 0
	for to := range epochs {
		w := autograd.NewParam("w", autograd.Full(8, 1))
		average = &train.EMA{Decay: decay, Every: every}
		run(t, train.Config{ // the gradient is 1: w is 7.5, 7, 6.5, …
			Forward: func(g *autograd.Graph, batch train.Data) autograd.Value {
				return g.Constant(batch.Inputs).Mul(g.Param(w))
			},
			Params: []*autograd.Param{w}, Loss: func(p, t autograd.Value) autograd.Value { return p.Mean() },
			Optimizer: optim.NewSGD(0.5), Epochs: to + 1, BatchSize: 1, Resume: folder,
			Callbacks: []train.Callback{average, &train.Checkpoint{Folder: folder}, train.OnStep(func(_ *train.Training, s train.Step) error {
				made++
				switch {
				case s.Number == 1:
					want = w.Item()
				case s.Number%every == 1:
					kept := decay * decay * decay
					want = kept*want + (1-kept)*w.Item()
				}
				return nil
			})},
		}, train.Data{Inputs: autograd.Ones(2, 1), Targets: autograd.Ones(2, 1)})
		average.Swap()
		if got := w.Item(); math.Abs(got-want) > 1e-14 {
			t.Errorf("after %d epochs %v, want %v", to+1, got, want)
		}
	}
	if made != 2*epochs {
		t.Errorf("%d steps", made)
	}
}

func TestEMARefuses(t *testing.T) {
	m := newLinear(2, 1)
	for want, f := range map[string]func(){
		"Decay is 1, want a number in [0, 1)":  func() { (&train.EMA{Decay: 1}).Add(m.w) },
		"Every is -1, want a number from 0 on": func() { (&train.EMA{Every: -1}).Add(m.w) },
		"a step was made while the averages stood in the parameters' place": func() {
			e := &train.EMA{}
			e.Add(m.w)
			e.Swap()
			e.Add(m.w)
		},
	} {
		if err := autograd.Try(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A training that is resumed where it has ended still has its average.
func TestEMAResumedAtItsEnd(t *testing.T) {
	folder := t.TempDir()
	var want, got []float64
	for _, to := range []*[]float64{&want, &got} {
		m, average := normalized(), &train.EMA{Decay: 0.9}
		run(t, train.Config{
			Model: m, Loss: mse, Optimizer: optim.NewAdam(0.01), Epochs: 2, BatchSize: 5, Resume: folder,
			Callbacks: []train.Callback{&train.Checkpoint{Folder: folder}, average},
		}, plane(1, 20))
		average.Swap()
		*to = all(m.Params())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-first +resumed)\n%s", diff)
	}
}
