package train_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/train"
)

// Each fold is the training that one would make by hand, scaled by its own
// rows.
func TestCrossValidate(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 0))
	x, y := data.Matrix{Rows: 23, Cols: 2}, data.Matrix{Rows: 23, Cols: 1}
	for range x.Rows {
		a, b := 5+3*rng.NormFloat64(), 100*rng.NormFloat64()
		x.Values, y.Values = append(x.Values, a, b), append(y.Values, a-b/100)
	}
	folds := data.KFold(rng, x.Rows, 4)
	prepare := func(fold data.Fold) (train.Config, train.Data, error) {
		scaler := data.FitStandard(x.Take(fold.Train))
		of := func(rows []int) train.Data {
			return train.Data{Inputs: scaler.Transform(x.Take(rows)).Tensor(), Targets: y.Take(rows).Tensor()}
		}
		return train.Config{
			Model: layers.NewDense(rand.New(rand.NewPCG(1, 0)), 2, 1), Loss: losses.MSE, Optimizer: optim.NewSGD(0.1), Epochs: 20,
			Metrics: []train.Metric{{Name: "R²", Func: metrics.R2}}, Validation: of(fold.Validation),
		}, of(fold.Train), nil
	}
	result, err := train.CrossValidate(t.Context(), folds, prepare)
	if err != nil {
		t.Fatal(err)
	}
	var lossesOf, scores []float64
	for i, fold := range folds {
		config, training, _ := prepare(fold)
		want := run(t, config, training)
		if diff := cmp.Diff(want, result.Histories[i]); diff != "" {
			t.Errorf("fold %d (-want +got)\n%s", i, diff)
		}
		lossesOf, scores = append(lossesOf, want[19].Validation.Loss), append(scores, want[19].Validation.Metric("R²"))
	}
	for i, values := range [][]float64{lossesOf, scores} {
		mean := (values[0] + values[1] + values[2] + values[3]) / 4
		pairs := 0.0 // the variance is Σᵢⱼ (vᵢ−vⱼ)² / 2n(n−1)
		for _, v := range values {
			for _, w := range values {
				pairs += (v - w) * (v - w)
			}
		}
		s := result.Summary[i]
		if math.Abs(s.Mean-mean) > 1e-12 || math.Abs(s.Deviation-math.Sqrt(pairs/24)) > 1e-9 {
			t.Errorf("%+v, want %v ± %v", s, mean, math.Sqrt(pairs/24))
		}
	}
	if text := result.String(); !strings.HasPrefix(text, "fold  epochs  loss") || strings.Count(text, "\n") != 6 || !strings.Contains(text, "R²") {
		t.Errorf("printed\n%s", text)
	}

	oh := errors.New("oh")
	for want, f := range map[string]func(data.Fold) (train.Config, train.Data, error){
		"fold 1 of 4: oh": func(data.Fold) (train.Config, train.Data, error) { return train.Config{}, train.Data{}, oh },
		"Validation has 0 rows, the fold 6": func(fold data.Fold) (train.Config, train.Data, error) {
			c, d, _ := prepare(fold)
			c.Validation = train.Data{}
			return c, d, nil
		},
		"the data have 23 rows, the fold trains with 17": func(fold data.Fold) (train.Config, train.Data, error) {
			c, _, _ := prepare(fold)
			return c, train.Data{Inputs: x.Tensor(), Targets: y.Tensor()}, nil
		},
	} {
		if _, err := train.CrossValidate(t.Context(), folds, f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestGridTrials(t *testing.T) {
	var got [][2]float64
	for _, trial := range train.GridTrials(train.Axis{Name: "rate", Values: []float64{0.1, 0.2}}, train.Axis{Name: "units", Values: []float64{3, 4, 5}}) {
		got = append(got, [2]float64{trial.Value("rate"), float64(trial.Int("units"))})
	}
	if diff := cmp.Diff([][2]float64{{0.1, 3}, {0.1, 4}, {0.1, 5}, {0.2, 3}, {0.2, 4}, {0.2, 5}}, got); diff != "" {
		t.Error(diff)
	}
}

// Drawn numbers are in their ranges, evenly spread, and follow from the seed.
func TestRandomTrials(t *testing.T) {
	axes := []train.Axis{
		{Name: "rate", From: 1e-4, To: 1, Log: true}, {Name: "units", From: 1, To: 4, Whole: true},
		{Name: "part", From: -1, To: 1}, {Name: "choice", Values: []float64{7, 9}}, {Name: "width", From: 1, To: 8, Log: true, Whole: true},
	}
	trials := train.RandomTrials(3, 4000, axes...)
	if diff := cmp.Diff(trials[:10], train.RandomTrials(3, 10, axes...)); diff != "" {
		t.Errorf("fewer trials are others\n%s", diff)
	}
	if cmp.Equal(trials[:10], train.RandomTrials(4, 10, axes...)) {
		t.Error("another seed gives the same trials")
	}
	counts := map[string]int{}
	for _, trial := range trials {
		r, p, w := trial.Value("rate"), trial.Value("part"), trial.Value("width")
		if r < 1e-4 || r > 1 || p < -1 || p > 1 || w < 1 || w > 8 || w != math.Round(w) {
			t.Fatalf("out of range: %v", trial)
		}
		if r < 1e-2 {
			counts["low rates"]++
		}
		if p < 0 {
			counts["low parts"]++
		}
		if trial.Value("choice") == 7 {
			counts["sevens"]++
		}
		counts[map[int]string{1: "one", 2: "two", 3: "three", 4: "four"}[trial.Int("units")]]++
	}
	for what, want := range map[string]int{"low rates": 2000, "low parts": 2000, "sevens": 2000, "one": 1000, "two": 1000, "three": 1000, "four": 1000} {
		if math.Abs(float64(counts[what]-want)) > 190 { // six deviations
			t.Errorf("%d %s of 4000, want about %d", counts[what], what, want)
		}
	}
}

func TestSearch(t *testing.T) {
	trials := train.GridTrials(train.Axis{Name: "rate", Values: []float64{1e200, 0.01, 0.1}})
	table, err := train.Search(t.Context(), trials, func(ctx context.Context, trial train.Trial) (train.Report, error) {
		history, err := train.Run(ctx, train.Config{
			Model: newLinear(2, 1), Loss: mse, Optimizer: optim.NewSGD(trial.Value("rate")), Epochs: 10, Validation: plane(2, 10),
			Metrics: []train.Metric{{Name: "R²", Func: metrics.R2}},
		}, plane(1, 20))
		if err != nil {
			return train.Report{}, err
		}
		return *history[9].Validation, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var step *train.StepError
	if best, ok := table.Best(); !ok || best.Trial.Value("rate") != 0.1 || !errors.As(table[0].Err, &step) {
		t.Errorf("the best is %+v, the first failed with %v", best, table[0].Err)
	}
	var csv strings.Builder
	if err := table.WriteCSV(&csv); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(csv.String(), "\n")
	if lines[0] != "rate,loss,R²,error" || !strings.HasPrefix(lines[1], `1e+200,NaN,,`) || !strings.Contains(lines[1], "epoch 1, validation") || !strings.HasPrefix(lines[3], "0.1,0.") {
		t.Errorf("wrote\n%s", csv.String())
	}
	text := strings.Split(table.String(), "\n")
	if !strings.HasPrefix(text[1], "0.1 ") || !strings.HasPrefix(text[2], "0.01 ") || !strings.HasPrefix(text[3], "1e+200") {
		t.Errorf("printed\n%s", table)
	}

	ctx, cancel := context.WithCancel(t.Context())
	table, err = train.Search(ctx, trials, func(ctx context.Context, trial train.Trial) (train.Report, error) {
		if trial.Value("rate") == 0.01 {
			cancel()
			return train.Report{}, ctx.Err()
		}
		return train.Report{}, nil
	})
	if err != context.Canceled || len(table) != 1 {
		t.Errorf("after %d trials: %v", len(table), err)
	}
	if _, ok := (train.Table{{Err: err}}).Best(); ok {
		t.Error("a trial that failed is the best")
	}
}

func TestSearchRefuses(t *testing.T) {
	for want, f := range map[string]func(){
		"there are no axes":                       func() { train.GridTrials() },
		`axis "a" has no Values`:                  func() { train.GridTrials(train.Axis{Name: "a", To: 1}) },
		`two axes are called "a"`:                 func() { train.RandomTrials(1, 1, train.Axis{Name: "a"}, train.Axis{Name: "a"}) },
		`axis "a" goes from 1 to 0`:               func() { train.RandomTrials(1, 1, train.Axis{Name: "a", From: 1}) },
		`axis "a" is logarithmic and begins at 0`: func() { train.RandomTrials(1, 1, train.Axis{Name: "a", To: 1, Log: true}) },
		"0 trials":                func() { train.RandomTrials(1, 0, train.Axis{Name: "a", To: 1}) },
		`there is no setting "b"`: func() { train.GridTrials(train.Axis{Name: "a", Values: []float64{1}})[0].Value("b") },
		"there are 0 folds, and the function that": func() { train.CrossValidate(context.Background(), nil, nil) },
	} {
		if err := autograd.Try(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
