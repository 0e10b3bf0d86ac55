package train_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
	"nabla/train"
)

func newPredictor(t *testing.T, m train.Model, shape []int, o train.PredictorOptions) *train.Predictor {
	t.Helper()
	p, err := train.NewPredictor(m, shape, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Predictions of any number of rows are those of Predict, in both precisions.
func TestPredictorPredicts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		m := layers.NewSequential(layers.Flatten(), layers.NewDense(rng, 6, 5), layers.Tanh(), layers.Dropout(0.5), layers.NewDense(rng, 5, 2))
		layers.Convert(m, precision)
		p := newPredictor(t, m, []int{2, 3}, train.PredictorOptions{Precision: precision, MaxRows: 100})
		if p.Inputs() != 6 || p.Outputs() != 2 || p.MaxRows() != 100 {
			t.Errorf("%d inputs, %d outputs, %d rows", p.Inputs(), p.Outputs(), p.MaxRows())
		}
		for _, rows := range []int{1, 2, 3, 7, 64, 100, 1} {
			x := autograd.Normal(rng, 0, 1, rows, 2, 3)
			want, err := train.PredictWith(t.Context(), m, x, train.PredictOptions{Graph: autograd.Options{Precision: precision}})
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float64, rows*2)
			if err := p.Predict(got, x.Raw64()); err != nil {
				t.Fatal(err)
			}
			if !autograd.NewTensor(got, rows, 2).EqualWithin(want.In(autograd.Float64), 1e-6) {
				t.Errorf("%v, %d rows: %v, want %v", precision, rows, got, want)
			}
		}
	}
}

// Many goroutines get the predictions that one gets, each its own.
func TestPredictorServesGoroutines(t *testing.T) {
	m := newLinear(2, 1)
	p := newPredictor(t, m, []int{2}, train.PredictorOptions{})
	w, b := m.numbers()[:2], m.numbers()[2]
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 0))
			dst, x := make([]float64, 5), make([]float64, 10)
			for range 200 {
				rows := 1 + rng.IntN(5)
				for k := range x {
					x[k] = rng.NormFloat64()
				}
				if err := p.Predict(dst[:rows], x[:2*rows]); err != nil {
					t.Error(err)
				}
				for k := range rows {
					if want := x[2*k]*w[0] + x[2*k+1]*w[1] + b; math.Abs(dst[k]-want) > 1e-12 {
						t.Errorf("got %v, want %v", dst[k], want)
					}
				}
			}
		})
	}
	group.Wait()
}

func TestPredictorAllocatesNothing(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		p := newPredictor(t, normalized(), []int{2}, train.PredictorOptions{Precision: precision})
		dst, x := make([]float64, 7), make([]float64, 14)
		if n := testing.AllocsPerRun(100, func() {
			if err := p.Predict(dst, x); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

func TestPredictorRefusesRequests(t *testing.T) {
	log := model(func(x autograd.Value) autograd.Value { return x.Log() })
	p := newPredictor(t, log, []int{2}, train.PredictorOptions{MaxRows: 3})
	single := newPredictor(t, log, []int{2}, train.PredictorOptions{Precision: autograd.Float32})
	ones := []float64{1, 1, 1, 1, 1, 1, 1, 1}
	for want, f := range map[string]func() error{
		"there are no inputs":                 func() error { return p.Predict(nil, nil) },
		"3 numbers are no whole rows of 2":    func() error { return p.Predict(make([]float64, 2), ones[:3]) },
		"4 rows, at most 3 are allowed":       func() error { return p.Predict(make([]float64, 8), ones) },
		"room for 3 numbers, the predictions": func() error { return p.Predict(make([]float64, 3), ones[:4]) },
		"number 1 of row 1 is NaN":            func() error { return p.Predict(make([]float64, 4), []float64{1, 1, 1, math.NaN()}) },
		"number 0 of row 0 is -Inf":           func() error { return p.Predict(make([]float64, 2), []float64{math.Inf(-1), 1}) },
		"number 0 of row 0 is 1e+39":          func() error { return single.Predict(make([]float64, 2), []float64{1e39, 1}) },
	} {
		var request *train.RequestError
		if err := f(); !errors.As(err, &request) || !strings.Contains(request.Reason, want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	var place *autograd.NonFiniteError
	if err := p.Predict(make([]float64, 4), []float64{1, 1, 1, -1}); !errors.As(err, &place) || place.Index != 3 {
		t.Errorf("a prediction of NaN: %v", err)
	}
	got := make([]float64, 2)
	if err := p.Predict(got, []float64{1, math.E}); err != nil || cmp.Diff([]float64{0, 1}, got) != "" {
		t.Errorf("after errors: %v, %v", got, err)
	}
}

func TestNewPredictorRefuses(t *testing.T) {
	if _, err := train.NewPredictor(nil, []int{2}, train.PredictorOptions{}); err == nil {
		t.Error("no model was taken")
	}
	var shape *autograd.ShapeError
	if _, err := train.NewPredictor(newLinear(2, 1), []int{3}, train.PredictorOptions{}); !errors.As(err, &shape) {
		t.Errorf("a width that does not fit: %v", err)
	}
	for _, m := range []train.Model{
		model(func(x autograd.Value) autograd.Value { return x.Sum() }),
		model(func(x autograd.Value) autograd.Value { return x.T() }),
	} {
		if _, err := train.NewPredictor(m, []int{2}, train.PredictorOptions{}); !errors.As(err, &shape) {
			t.Errorf("predictions without rows: %v", err)
		}
	}
	if _, err := train.NewPredictor(newLinear(2, 1), []int{0}, train.PredictorOptions{}); !errors.As(err, &shape) {
		t.Errorf("empty rows: %v", err)
	}
	if _, err := train.NewPredictor(newLinear(2, 1), []int{2}, train.PredictorOptions{MaxRows: -1}); err == nil {
		t.Error("MaxRows of −1 was taken")
	}
}

func BenchmarkPredictor(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 0))
	p, err := train.NewPredictor(layers.NewSequential(layers.NewDense(rng, 2, 3), layers.ReLU(), layers.NewDense(rng, 3, 1)), []int{2}, train.PredictorOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		x, y := []float64{0.5, -1}, []float64{0}
		for pb.Next() {
			if err := p.Predict(y, x); err != nil {
				b.Error(err)
			}
		}
	})
}
