package train_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/train"
)

// model is a function as a Model.
type model func(x autograd.Value) autograd.Value

func (m model) Forward(x autograd.Value) autograd.Value { return m(x) }

// linear is x·W + b, with its parameters.
type linear struct{ w, b *autograd.Param }

func newLinear(in, out int) linear {
	w := autograd.Uniform(rand.New(rand.NewPCG(7, 0)), -1, 1, in, out)
	return linear{autograd.NewParam("w", w), autograd.NewParam("b", autograd.Zeros(out))}
}

func (l linear) Forward(x autograd.Value) autograd.Value {
	g := x.Graph()
	return x.MatMul(g.Param(l.w)).Add(g.Param(l.b))
}

func (l linear) numbers() []float64 {
	return append(l.w.Tensor().Float64s(), l.b.Tensor().Float64s()...)
}

func mse(p, t autograd.Value) autograd.Value { return p.Sub(t).Square().Mean() }

// crossEntropy is the mean cross entropy of logits against one-hot targets.
func crossEntropy(p, t autograd.Value) autograd.Value {
	return p.LogSoftmax(-1).Mul(t).Sum(-1).Mean().Neg()
}

// plane are samples of a noisy plane.
func plane(seed uint64, rows int) train.Data {
	rng := rand.New(rand.NewPCG(seed, 0))
	x, y := autograd.Normal(rng, 0, 1, rows, 2), autograd.Normal(rng, 0, 0.1, rows, 1)
	for i := range rows {
		y.Raw64()[i] += 2*x.At(i, 0) - x.At(i, 1) + 0.5
	}
	return train.Data{Inputs: x, Targets: y}
}

func run(t *testing.T, config train.Config, data train.Data) train.History {
	t.Helper()
	history, err := train.Run(context.Background(), config, data)
	if err != nil {
		t.Fatal(err)
	}
	return history
}

// The cycle is the loop that a user would write: the same bits, for every size
// of batches.
func TestIsTheLoop(t *testing.T) {
	const rows, epochs = 10, 5
	samples := plane(1, rows)
	for _, size := range []int{0, 1, 4, 5, 10, 99} {
		for _, shuffled := range []bool{false, true} {
			l := newLinear(2, 1)
			config := train.Config{Model: l, Loss: mse, Optimizer: optim.NewAdam(0.05), Epochs: epochs, BatchSize: size}
			if shuffled {
				config.RNG = rand.New(rand.NewPCG(3, 0))
			}
			history := run(t, config, samples)

			want := newLinear(2, 1)
			losses := loop(want, samples, optim.NewAdam(0.05), epochs, size, shuffled)
			if diff := cmp.Diff(want.numbers(), l.numbers()); diff != "" {
				t.Errorf("size %d, shuffled %v: parameters (-want +got)\n%s", size, shuffled, diff)
			}
			var got []float64
			for _, epoch := range history {
				got = append(got, epoch.Train.Loss)
			}
			if diff := cmp.Diff(losses, got, cmpopts.EquateApprox(1e-14, 0)); diff != "" {
				t.Errorf("size %d, shuffled %v: losses (-want +got)\n%s", size, shuffled, diff)
			}
		}
	}
}

// loop is the slow twin of Run.
func loop(l linear, samples train.Data, o optim.Optimizer, epochs, size int, shuffled bool) (losses []float64) {
	rows := samples.Rows()
	if size == 0 || size >= rows {
		size, shuffled = rows, false
	}
	rng, order := rand.New(rand.NewPCG(3, 0)), make([]int, rows)
	for i := range order {
		order[i] = i
	}
	for range epochs {
		if shuffled {
			rng.Shuffle(rows, func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		sum := 0.0
		for batch := range slices.Chunk(order, size) {
			var x, y []float64
			for _, row := range batch {
				x = append(x, samples.Inputs.At(row, 0), samples.Inputs.At(row, 1))
				y = append(y, samples.Targets.At(row, 0))
			}
			g := autograd.NewGraph(autograd.Options{})
			loss := mse(l.Forward(g.Constant(autograd.NewTensor(x, len(batch), 2))), g.Constant(autograd.NewTensor(y, len(batch), 1)))
			sum += loss.Item() * float64(len(batch))
			o.Step(loss.Backward())
		}
		losses = append(losses, sum/float64(rows))
	}
	return losses
}

// Every row comes once in an epoch, with its own target, in a new order each
// time if there is an RNG.
func TestEveryRowOnce(t *testing.T) {
	const rows = 11
	samples := train.Data{Inputs: autograd.Arange(0, rows, 1), Targets: autograd.Arange(100, 100+rows, 1)}
	w := autograd.NewParam("w", autograd.Scalar(0))
	for _, rng := range []*rand.Rand{nil, rand.New(rand.NewPCG(1, 0))} {
		var orders [][]float64
		var sizes []int
		config := train.Config{
			Model: model(func(x autograd.Value) autograd.Value { return x.Mul(x.Graph().Param(w)) }),
			Loss: func(p, target autograd.Value) autograd.Value {
				sizes = append(sizes, target.Size())
				orders[len(orders)-1] = append(orders[len(orders)-1], target.Tensor().Float64s()...)
				return p.Sum()
			},
			Optimizer: optim.NewSGD(0), Epochs: 2, BatchSize: 4, RNG: rng,
			OnEpoch: func(train.Epoch) error { orders = append(orders, nil); return nil },
		}
		orders = [][]float64{nil}
		run(t, config, samples)
		if diff := cmp.Diff([]int{4, 4, 3, 4, 4, 3}, sizes); diff != "" {
			t.Errorf("sizes (-want +got)\n%s", diff)
		}
		inOrder := samples.Targets.Float64s()
		for _, order := range orders[:2] {
			if got := slices.Sorted(slices.Values(order)); !slices.Equal(got, inOrder) {
				t.Errorf("the rows were %v", got)
			}
			if rng == nil != slices.Equal(order, inOrder) {
				t.Errorf("shuffled %v, but the order was %v", rng != nil, order)
			}
		}
		if rng != nil && slices.Equal(orders[0], orders[1]) {
			t.Error("two epochs have the same order")
		}
	}
}

func TestReports(t *testing.T) {
	w := autograd.NewParam("w", autograd.Scalar(2)) // stays: the rate is 0
	double := model(func(x autograd.Value) autograd.Value { return x.Mul(x.Graph().Param(w)) })
	largest := func(p, _ autograd.Tensor) float64 { return slices.Max(p.Float64s()) }
	for _, size := range []int{0, 1, 2, 3} {
		config := train.Config{
			Model: double, Loss: mse, Optimizer: optim.NewSGD(0), Epochs: 1, BatchSize: size,
			Metrics:    []train.Metric{{Name: "MAE", Func: metrics.MAE}, {Name: "largest", Func: largest}},
			Validation: train.Data{Inputs: autograd.NewTensor([]float64{1, 2, 7}), Targets: autograd.NewTensor([]float64{5, 4, 14})},
		}
		samples := train.Data{Inputs: autograd.NewTensor([]float64{1, 2, 3, 4, 5}), Targets: autograd.NewTensor([]float64{2, 3, 4, 5, 6})}
		got := run(t, config, samples)
		want := train.History{{
			Number:     1,
			Train:      train.Report{Loss: 6, Metrics: []train.Score{{Name: "MAE", Value: 2}, {Name: "largest", Value: 10}}},
			Validation: &train.Report{Loss: 3, Metrics: []train.Score{{Name: "MAE", Value: 1}, {Name: "largest", Value: 14}}},
		}}
		near := cmpopts.EquateApprox(1e-14, 0)
		if diff := cmp.Diff(want, got, near); diff != "" {
			t.Errorf("size %d: (-want +got)\n%s", size, diff)
		}
		report, err := train.Evaluate(context.Background(), config, config.Validation)
		if diff := cmp.Diff(*want[0].Validation, report, near); diff != "" || err != nil {
			t.Errorf("size %d: Evaluate: %v, (-want +got)\n%s", size, err, diff)
		}
		predictions, err := train.PredictWith(context.Background(), double, samples.Inputs, train.PredictOptions{BatchSize: size})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]float64{2, 4, 6, 8, 10}, predictions.Float64s()); diff != "" {
			t.Errorf("size %d: Predict: (-want +got)\n%s", size, diff)
		}
	}
}

// The metrics are those after the epoch, the loss is the one that was measured
// on the way.
func TestMetricsAfterEpoch(t *testing.T) {
	l := newLinear(2, 1)
	config := train.Config{
		Model: l, Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 3,
		Metrics: []train.Metric{{Name: "MSE", Func: metrics.MSE}},
	}
	history := run(t, config, plane(1, 10))
	for i := range history[1:] {
		if before, after := history[i].Train.Metric("MSE"), history[i+1].Train.Loss; math.Abs(before-after) > 1e-14 {
			t.Errorf("after epoch %d the MSE is %v, the loss of the next %v", i+1, before, after)
		}
	}
}

func TestEvaluationMode(t *testing.T) {
	modes := map[bool]int{}
	l := newLinear(2, 1)
	config := train.Config{
		Model: model(func(x autograd.Value) autograd.Value {
			modes[x.Graph().Training()]++
			return l.Forward(x)
		}),
		Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 2,
		Metrics: []train.Metric{{Name: "R²", Func: metrics.R2}}, Validation: plane(2, 4),
	}
	run(t, config, plane(1, 6))
	if diff := cmp.Diff(map[bool]int{true: 2, false: 4}, modes); diff != "" {
		t.Errorf("training: calls (-want +got)\n%s", diff)
	}
}

// Labels, one-hot targets and a loss of labels give the same training.
func TestLabels(t *testing.T) {
	x := autograd.Normal(rand.New(rand.NewPCG(5, 0)), 0, 1, 9, 2)
	classes := []int{0, 1, 2, 2, 1, 0, 1, 2, 0}
	labels := train.Data{Inputs: x, Labels: autograd.NewInts(classes)}
	oneHot := train.Data{Inputs: x, Targets: autograd.Zeros(9, 3)}
	for i, class := range classes {
		oneHot.Targets.Raw64()[3*i+class] = 1
	}
	fit := func(data train.Data, labelLoss func(autograd.Value, autograd.Ints) autograd.Value) (train.History, []float64) {
		l := newLinear(2, 3)
		config := train.Config{
			Model: l, Loss: crossEntropy, LabelLoss: labelLoss, Optimizer: optim.NewSGD(0.3), Epochs: 20, BatchSize: 4,
			RNG:     rand.New(rand.NewPCG(1, 0)),
			Metrics: []train.Metric{{Name: "accuracy", Func: metrics.Accuracy}}, Validation: data,
		}
		if labelLoss != nil {
			config.Loss = nil
		}
		return run(t, config, data), l.numbers()
	}
	wantHistory, want := fit(oneHot, nil)
	gotHistory, got := fit(labels, nil)
	if diff := cmp.Diff(want, got) + cmp.Diff(wantHistory, gotHistory); diff != "" {
		t.Errorf("labels: (-want +got)\n%s", diff)
	}
	gotHistory, got = fit(labels, func(p autograd.Value, labels autograd.Ints) autograd.Value {
		return crossEntropy(p, p.Graph().OneHot(labels, 3))
	})
	if diff := cmp.Diff(want, got) + cmp.Diff(wantHistory, gotHistory); diff != "" {
		t.Errorf("LabelLoss: (-want +got)\n%s", diff)
	}
	first, last := wantHistory[0].Train.Loss, wantHistory[19].Train.Loss
	if !(last < first) {
		t.Errorf("the loss went from %v to %v", first, last)
	}
}

// pixelwise scores classes along axis 1: a vector for each pixel of one row.
type pixelwise struct{ scores *autograd.Param }

func (p pixelwise) Forward(x autograd.Value) autograd.Value {
	return x.Mul(x.Graph().Param(p.scores)) // [batch, 1, width] by [classes, 1]
}
func (p pixelwise) Params() []*autograd.Param { return []*autograd.Param{p.scores} }

// Labels of pixels are one-hot along the axis that they lack.
func TestLabelsOfPixels(t *testing.T) {
	var prediction, target []int
	measure := func(p, y autograd.Tensor) float64 {
		prediction, target = p.ArgMax(1).Shape(), y.ArgMax(1).Values()
		return metrics.IoU(p, y)
	}
	data := train.Data{Inputs: autograd.Ones(2, 1, 4), Labels: autograd.NewInts([]int{0, 1, 2, 0, 2, 2, 1, 0}, 2, 4)}
	config := train.Config{
		Model: pixelwise{autograd.NewParam("scores", autograd.NewTensor([]float64{0.1, 0.9, 0.2}, 3, 1))},
		LabelLoss: func(p autograd.Value, y autograd.Ints) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(p, y, losses.Options{Logits: true, ClassAxis: 1})
		},
		Metrics: []train.Metric{{Name: "IoU", Func: measure}},
	}
	report, err := train.Evaluate(context.Background(), config, data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{2, 4}, prediction) + cmp.Diff(data.Labels.Values(), target); diff != "" {
		t.Error(diff)
	}
	if got, want := report.Metrics[0].Value, 2./(8+8-2); got != want { // class 1 everywhere, right twice
		t.Errorf("IoU %v, want %v", got, want)
	}
}

func TestFloat32(t *testing.T) {
	samples := plane(1, 10)
	double, single := newLinear(2, 1), newLinear(2, 1)
	single.w, single.b = autograd.NewParam("w", single.w.Tensor().In(autograd.Float32)), autograd.NewParam("b", single.b.Tensor().In(autograd.Float32))
	config := train.Config{Model: double, Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 30, BatchSize: 3}
	run(t, config, samples)
	config.Model, config.Graph.Precision = single, autograd.Float32
	config.Metrics = []train.Metric{{Name: "R²", Func: metrics.R2}}
	history := run(t, config, samples)
	if diff := cmp.Diff(double.numbers(), single.numbers(), cmpopts.EquateApprox(1e-5, 0)); diff != "" {
		t.Errorf("(-float64 +float32)\n%s", diff)
	}
	if r2 := history[29].Train.Metric("R²"); !(r2 > 0.99) {
		t.Errorf("R² is %v", r2)
	}
}

func TestOnEpoch(t *testing.T) {
	mine := errors.New("mine")
	for _, test := range []struct{ returned, want error }{
		{train.Stop, nil}, {fmt.Errorf("enough: %w", train.Stop), nil}, {mine, mine},
	} {
		var seen train.History
		config := train.Config{
			Model: newLinear(2, 1), Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 10,
			OnEpoch: func(epoch train.Epoch) error {
				if seen = append(seen, epoch); epoch.Number == 3 {
					return test.returned
				}
				return nil
			},
		}
		history, err := train.Run(context.Background(), config, plane(1, 6))
		if err != test.want || len(history) != 3 {
			t.Errorf("%v: got %v after %d epochs", test.returned, err, len(history))
		}
		if diff := cmp.Diff(history, seen); diff != "" {
			t.Errorf("the callback saw something else\n%s", diff)
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	l, steps := newLinear(2, 1), 0
	config := train.Config{
		Model: l, Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 10, BatchSize: 2,
		OnGradients: func(autograd.Gradients) {
			if steps++; steps == 8 { // in the third epoch
				cancel()
			}
		},
	}
	history, err := train.Run(ctx, config, plane(1, 6))
	if !errors.Is(err, context.Canceled) || len(history) != 2 || steps != 8 {
		t.Errorf("got %v after %d epochs and %d steps", err, len(history), steps)
	}
	before := l.numbers()
	if history, err := train.Run(ctx, config, plane(1, 6)); err != context.Canceled || len(history) != 0 {
		t.Errorf("with a context that is done: %v after %d epochs", err, len(history))
	}
	if diff := cmp.Diff(before, l.numbers()); diff != "" {
		t.Errorf("with a context that is done, the parameters changed\n%s", diff)
	}
	if _, err := train.Evaluate(ctx, config, plane(1, 6)); err != context.Canceled {
		t.Errorf("Evaluate: %v", err)
	}
	if _, err := train.Predict(ctx, config.Model, plane(1, 6).Inputs); err != context.Canceled {
		t.Errorf("Predict: %v", err)
	}
}

func TestOnGradients(t *testing.T) {
	l := newLinear(2, 1)
	before := l.numbers()
	config := train.Config{
		Model: l, Loss: mse, Optimizer: optim.NewSGD(1), Epochs: 1,
		OnGradients: func(grads autograd.Gradients) { optim.ClipNorm(grads, 0.01) },
	}
	run(t, config, plane(1, 6))
	norm := 0.0
	for i, v := range l.numbers() {
		norm = math.Hypot(norm, v-before[i])
	}
	if math.Abs(norm-0.01) > 1e-12 {
		t.Errorf("the step has the length %v", norm)
	}
}

// What is not finite is found in the step where it arises, and named; the
// parameters stay.
func TestNonFinite(t *testing.T) {
	w := autograd.NewParam("w", autograd.Scalar(1))
	x := []float64{1, 1, 1, 0, 1, 1}
	times := func(x autograd.Value) autograd.Value { return x.Mul(x.Graph().Param(w)) }
	sum := func(p, _ autograd.Value) autograd.Value { return p.Sum() }
	tests := []struct {
		name     string
		model    model
		op       string
		backward bool
	}{
		{"infinite loss", func(x autograd.Value) autograd.Value { return times(x).Reciprocal() }, "Reciprocal", false},
		{"NaN loss", func(x autograd.Value) autograd.Value { return times(x).Div(x) }, "Div", false},
		{"NaN in the gradient alone", func(x autograd.Value) autograd.Value { return times(x).Square().Sqrt() }, "Square", true},
	}
	for _, test := range tests {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			values := []float64{w.Item()}
			config := train.Config{
				Model: test.model, Loss: sum, Optimizer: optim.NewSGD(0.01), Epochs: 5, BatchSize: 1,
				Graph: autograd.Options{Precision: precision},
				OnGradients: func(autograd.Gradients) {
					values = append(values, w.Item())
				},
			}
			w.Set(autograd.Scalar(1))
			history, err := train.Run(context.Background(), config, train.Data{Inputs: autograd.NewTensor(x), Targets: autograd.Zeros(6)})
			var step *train.StepError
			var place *autograd.NonFiniteError
			if !errors.As(err, &step) || !errors.As(err, &place) {
				t.Fatalf("%s: got %v", test.name, err)
			}
			if step.Epoch != 1 || step.Batch != 4 || step.Part != "training" || len(history) != 0 {
				t.Errorf("%s: after %d epochs: %v", test.name, len(history), err)
			}
			if place.Backward != test.backward || !test.backward && place.Op != test.op {
				t.Errorf("%s: the place is %v", test.name, err)
			}
			if !strings.HasPrefix(place.File[strings.LastIndex(place.File, "/")+1:], "train_test.go") {
				t.Errorf("%s: the line is %v", test.name, place.Location)
			}
			if v := w.Item(); math.IsNaN(v) || math.IsInf(v, 0) || len(values) != 1+3 {
				t.Errorf("%s: w is %v after %d steps", test.name, v, len(values)-1)
			}
		}
	}
}

// The last step has none behind it whose loss would show that it overflowed.
func TestNonFiniteParameter(t *testing.T) {
	mae := func(p, t autograd.Value) autograd.Value { return p.Sub(t).Abs().Mean() }
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		for _, size := range []int{0, 4} {
			steps, optimizer := 0, optim.NewSGD(0)
			config := train.Config{
				Model: newLinear(2, 1), Loss: mae, Optimizer: optimizer, Epochs: 3, BatchSize: size,
				Graph: autograd.Options{Precision: precision},
			}
			last := 1
			if size > 0 {
				last = 2
			}
			config.OnGradients = func(grads autograd.Gradients) {
				if steps++; steps == 2*last { // at the end of the second epoch
					optimizer.LearningRate = 1.7e308
					grads.Scale(10)
				}
			}
			history, err := train.Run(context.Background(), config, plane(1, 6))
			var step *train.StepError
			if !errors.As(err, &step) || step.Epoch != 2 || step.Part != "training" || step.Batch != last || len(history) != 1 {
				t.Errorf("%v, batches of %d: after %d epochs: %v", precision, size, len(history), err)
			} else if want := "parameter w is not finite after the step"; step.Err.Error() != want {
				t.Errorf("got %v, want %v", step.Err, want)
			}
		}
	}
}

func TestNonFiniteInput(t *testing.T) {
	samples := plane(1, 6)
	samples.Inputs.Raw64()[7] = math.NaN()
	l := newLinear(2, 1)
	before := l.numbers()
	_, err := train.Run(context.Background(), train.Config{Model: l, Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 1}, samples)
	var place *autograd.NonFiniteError
	if !errors.As(err, &place) || place.Op != "Constant" || place.Index != 7 {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(before, l.numbers()); diff != "" {
		t.Errorf("the parameters changed\n%s", diff)
	}
}

func TestNonFiniteValidation(t *testing.T) {
	config := train.Config{Model: newLinear(2, 1), Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 3, BatchSize: 4, Validation: plane(2, 6)}
	config.Validation.Targets.Raw64()[5] = math.Inf(1)
	_, err := train.Run(context.Background(), config, plane(1, 6))
	var step *train.StepError
	var place *autograd.NonFiniteError
	if !errors.As(err, &step) || !errors.As(err, &place) || step.Epoch != 1 || step.Part != "validation" || step.Batch != 2 {
		t.Errorf("got %v", err)
	}
	_, err = train.Evaluate(context.Background(), config, config.Validation)
	if !errors.As(err, &step) || step.Epoch != 0 || !strings.HasPrefix(err.Error(), "train: evaluation, batch 2: autograd: Constant") {
		t.Errorf("Evaluate: got %v", err)
	}
}

// A NaN that depends on what Dropout draws is found too: the second run draws
// the same.
func TestNonFiniteBehindDropout(t *testing.T) {
	l := newLinear(2, 1)
	config := train.Config{Loss: mse, Optimizer: optim.NewSGD(0), Epochs: 200}
	config.Model = model(func(x autograd.Value) autograd.Value {
		alive := x.Graph().Scalar(1).Dropout(0.05) // 1/0.95, rarely 0
		return l.Forward(x).Add(alive.Log().MulScalar(1e-9))
	})
	_, err := train.Run(context.Background(), config, plane(1, 6))
	var place *autograd.NonFiniteError
	if !errors.As(err, &place) || place.Op != "Log" {
		t.Errorf("got %v, want the Log named", err)
	}
}

// A NaN that the second run does not show is an error all the same.
func TestNonFiniteOnce(t *testing.T) {
	l, calls := newLinear(2, 1), 0
	config := train.Config{Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 1}
	config.Model = model(func(x autograd.Value) autograd.Value {
		if calls++; calls == 1 {
			return l.Forward(x).MulScalar(math.NaN())
		}
		return l.Forward(x)
	})
	_, err := train.Run(context.Background(), config, plane(1, 6))
	want := "train: epoch 1, training, batch 1: the loss is NaN; a second run of the batch did not show where from"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %v", err, want)
	}
}

// With CheckFinite the training itself finds the place.
func TestCheckFinite(t *testing.T) {
	config := train.Config{
		Model: newLinear(2, 1), Loss: func(p, t autograd.Value) autograd.Value { return p.Sub(t).Sqrt().Sum() },
		Optimizer: optim.NewSGD(0.1), Epochs: 1, Graph: autograd.Options{CheckFinite: true},
	}
	_, err := train.Run(context.Background(), config, plane(1, 6))
	var place *autograd.NonFiniteError
	if !errors.As(err, &place) || place.Op != "Sqrt" {
		t.Errorf("got %v", err)
	}
}

// Mistakes come back as errors, those found in a step with its place.
func TestMisuse(t *testing.T) {
	ctx, samples := context.Background(), plane(1, 6)
	ones := func(shape ...int) autograd.Tensor { return autograd.Ones(shape...) }
	metric := func(f func(p, t autograd.Tensor) float64) []train.Metric {
		return []train.Metric{{Name: "own", Func: f}}
	}
	tests := []struct {
		name string
		ctx  context.Context
		edit func(c *train.Config, d *train.Data)
		want string
	}{
		{"no context", nil, func(*train.Config, *train.Data) {}, "train: Run: the context is nil"},
		{"no model", ctx, func(c *train.Config, _ *train.Data) { c.Model = nil }, "train: Run: there is no Model"},
		{"no loss", ctx, func(c *train.Config, _ *train.Data) { c.Loss = nil }, "train: Run: there must be either a Loss or a LabelLoss"},
		{"no optimizer", ctx, func(c *train.Config, _ *train.Data) { c.Optimizer = nil }, "train: Run: there is no Optimizer"},
		{"epochs", ctx, func(c *train.Config, _ *train.Data) { c.Epochs = -1 }, "train: Run: Epochs is -1"},
		{"batch size", ctx, func(c *train.Config, _ *train.Data) { c.BatchSize = -2 }, "train: Run: BatchSize is -2"},
		{"metric", ctx, func(c *train.Config, _ *train.Data) { c.Metrics = metric(nil) }, `train: Run: metric "own" has no Func`},
		{"no inputs", ctx, func(_ *train.Config, d *train.Data) { d.Inputs = autograd.Tensor{} }, "train: Run: the data have no Inputs"},
		{"no rows", ctx, func(_ *train.Config, d *train.Data) { d.Inputs = ones(0, 2) }, "train: Run: the data have no rows: [0 2]"},
		{"scalar inputs", ctx, func(_ *train.Config, d *train.Data) { d.Inputs = autograd.Scalar(1) }, "train: Run: the data have no rows: []"},
		{"no targets", ctx, func(_ *train.Config, d *train.Data) { d.Targets = autograd.Tensor{} }, "train: Run: the data need either Targets or Labels"},
		{"both", ctx, func(_ *train.Config, d *train.Data) { d.Labels = autograd.NewInts(make([]int, 6)) }, "train: Run: the data need either Targets or Labels"},
		{"other rows", ctx, func(_ *train.Config, d *train.Data) { d.Targets = ones(5, 1) }, "train: Run: the inputs and the targets differ in rows: [6 2], [5 1]"},
		{"scalar target", ctx, func(_ *train.Config, d *train.Data) { d.Targets = autograd.Scalar(1) }, "train: Run: the inputs and the targets differ in rows: [6 2], []"},
		{"validation", ctx, func(c *train.Config, _ *train.Data) { c.Validation.Inputs = ones(3, 2) }, "train: Run, Validation: the data need either Targets or Labels"},
		{"label loss", ctx, func(c *train.Config, _ *train.Data) {
			c.Loss, c.LabelLoss = nil, func(p autograd.Value, _ autograd.Ints) autograd.Value { return p.Sum() }
		}, "train: Run: a LabelLoss takes Labels, the data have Targets"},
		{"shapes", ctx, func(_ *train.Config, d *train.Data) { d.Inputs = ones(6, 3) }, "train: epoch 1, training, batch 1: autograd: MatMul: inner dimensions differ: [4 3] × [2 1]"},
		{"loss of many", ctx, func(c *train.Config, _ *train.Data) {
			c.Loss = func(p, t autograd.Value) autograd.Value { return p.Sub(t) }
		}, "train: epoch 1, training, batch 1: autograd: Item: not one element: [4 1]"},
		{"rows of the prediction", ctx, func(c *train.Config, _ *train.Data) {
			c.Model = model(func(x autograd.Value) autograd.Value { return x.Sum(0) })
		}, "train: epoch 1, training, batch 1: train: Model: the prediction and the inputs differ in rows: [2], [4 2]"},
		{"rate", ctx, func(c *train.Config, _ *train.Data) { c.Optimizer = optim.NewSGD(-1) }, "train: epoch 1, training, batch 1: optim: SGD: LearningRate is -1"},
		{"NoGrad", ctx, func(c *train.Config, _ *train.Data) { c.Graph.NoGrad = true }, "train: epoch 1, training, batch 1: autograd: Backward: the graph has the option NoGrad"},
		{"label", ctx, func(_ *train.Config, d *train.Data) {
			d.Targets, d.Labels = autograd.Tensor{}, autograd.NewInts([]int{0, 0, 0, 0, 0, 1})
		}, "train: epoch 1, training, batch 2: autograd: OneHot: label 1 is out of range for 1"},
		{"metric's shapes", ctx, func(c *train.Config, _ *train.Data) {
			c.Loss = func(p, _ autograd.Value) autograd.Value { return p.Sum() }
			c.Metrics = metric(func(p, _ autograd.Tensor) float64 { return metrics.MSE(p, ones(3)) })
		}, "train: epoch 1, training metrics: metric own: metrics: MSE: prediction and target differ in shape: [6 1], [3]"},
		{"metric's targets", ctx, func(c *train.Config, _ *train.Data) { c.Metrics = metric(metrics.Accuracy) },
			"train: epoch 1, training metrics: metric own: metrics: Accuracy: targets[0] = "},
	}
	for _, test := range tests {
		config := train.Config{Model: newLinear(2, 1), Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 2, BatchSize: 4}
		data := samples
		test.edit(&config, &data)
		history, err := train.Run(test.ctx, config, data)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || len(history) != 0 {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		} else if !strings.Contains(err.Error(), ", at train_test.go:") {
			t.Errorf("%s: the error does not name the line: %v", test.name, err)
		}
	}
}

func TestEvaluateMisuse(t *testing.T) {
	ctx, config := context.Background(), train.Config{Model: newLinear(2, 1), Loss: mse}
	_, err := train.Evaluate(ctx, config, train.Data{Inputs: autograd.Ones(3, 2)})
	var argument *autograd.ArgumentError
	if !errors.As(err, &argument) || !strings.HasPrefix(err.Error(), "train: Evaluate: the data need either Targets or Labels, at train_test.go:") {
		t.Errorf("Evaluate: got %v", err)
	}
	var shape *autograd.ShapeError
	if _, err = train.Predict(ctx, config.Model, autograd.Ones(0, 2)); !errors.As(err, &shape) {
		t.Errorf("Predict: got %v", err)
	}
}

// Predictions whose width changes from batch to batch do not fit one tensor.
func TestPredictionsOfTwoWidths(t *testing.T) {
	narrowing := model(func(x autograd.Value) autograd.Value {
		if x.Dim(0) == 4 {
			return x
		}
		return x.Sum(-1)
	})
	_, err := train.PredictWith(context.Background(), narrowing, autograd.Ones(6, 2), train.PredictOptions{BatchSize: 4})
	var shape *autograd.ShapeError
	if !errors.As(err, &shape) || !strings.HasPrefix(err.Error(), "train: prediction, batch 2: train: Model: the model's predictions for two batches differ in width") {
		t.Errorf("got %v", err)
	}
}

// Panics of other kinds are not the library's to catch.
func TestForeignPanic(t *testing.T) {
	defer func() {
		if r := recover(); r != "mine" {
			t.Errorf("recovered %v", r)
		}
	}()
	config := train.Config{Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 1, Model: model(func(autograd.Value) autograd.Value { panic("mine") })}
	train.Run(context.Background(), config, plane(1, 6))
	t.Error("the panic was swallowed")
}

// Epochs that were forgotten are a mistake, and not a training without any.
func TestNoEpochs(t *testing.T) {
	config := train.Config{Model: newLinear(2, 1), Loss: mse, Optimizer: optim.NewSGD(0.1)}
	_, err := train.Run(context.Background(), config, plane(1, 6))
	var mistake *autograd.ArgumentError
	if !errors.As(err, &mistake) || !strings.Contains(err.Error(), "Epochs is 0") {
		t.Errorf("got %v", err)
	}
}

func TestDeterminism(t *testing.T) {
	fit := func() (train.History, []float64) {
		l := newLinear(2, 1)
		config := train.Config{
			Model: l, Loss: mse, Optimizer: optim.NewAdamW(0.05), Epochs: 10, BatchSize: 3, RNG: rand.New(rand.NewPCG(1, 0)),
			Metrics: []train.Metric{{Name: "R²", Func: metrics.R2}}, Validation: plane(2, 5),
		}
		return run(t, config, plane(1, 10)), l.numbers()
	}
	history1, numbers1 := fit()
	history2, numbers2 := fit()
	if diff := cmp.Diff(history1, history2) + cmp.Diff(numbers1, numbers2); diff != "" {
		t.Errorf("two runs differ\n%s", diff)
	}
}

// Steps allocate nothing, full and short batches alternating; only epochs do, a
// little.
func TestAllocations(t *testing.T) {
	const rows, size = 100, 3 // 34 steps
	labels := train.Data{Inputs: autograd.Ones(rows, 2), Labels: autograd.NewInts(make([]int, rows))}
	for name, data := range map[string]train.Data{"targets": plane(1, rows), "labels": labels} {
		allocations := func(epochs int) uint64 {
			config := train.Config{
				Model: newLinear(2, 1), Loss: mse, Optimizer: optim.NewAdam(0.01), Epochs: epochs, BatchSize: size,
				RNG: rand.New(rand.NewPCG(1, 0)),
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			run(t, config, data)
			runtime.ReadMemStats(&after)
			return after.Mallocs - before.Mallocs
		}
		few, many := allocations(10), allocations(210)
		if perEpoch := (float64(many) - float64(few)) / 200; perEpoch > 10 {
			t.Errorf("%s: %v allocations per epoch", name, perEpoch)
		}
	}
}

// One optimizer for many trainings, one after the other, keeps nothing of the
// models that were dropped.
func TestDroppedModels(t *testing.T) {
	optimizer := optim.NewAdam(0.1)
	data := train.Data{Inputs: autograd.Ones(1, 500), Targets: autograd.Zeros(1, 100)}
	fit := func() {
		run(t, train.Config{Model: newLinear(500, 100), Loss: mse, Optimizer: optimizer, Epochs: 2}, data) // 0.4 MB
	}
	fit()
	before := heapAfterGC()
	for range 200 {
		fit()
	}
	left := 0
	for range 100 { // cleanups run on a goroutine of their own
		if left = heapAfterGC() - before; left <= 2<<20 {
			break
		}
	}
	if left > 2<<20 {
		t.Errorf("%d kB are left", left>>10)
	}
	runtime.KeepAlive(optimizer)
}

func heapAfterGC() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A twoDense is a model whose layers have one name, until layers.Name.
type twoDense struct{ A, B *layers.Dense }

func (m twoDense) Forward(x autograd.Value) autograd.Value { return m.B.Forward(m.A.Forward(x)) }

type withParams struct{ twoDense }

func (m withParams) Params() []*autograd.Param { return layers.ParamsOf(m.twoDense) }

// Two Params of one name are refused before anything is trained, whether or not
// the model says which it has.
func TestRunRefusesTwoOfOneName(t *testing.T) {
	for name, wrap := range map[string]func(twoDense) train.Model{
		"a model with Params": func(m twoDense) train.Model { return withParams{m} },
		"any model":           func(m twoDense) train.Model { return m },
	} {
		rng := rand.New(rand.NewPCG(1, 0))
		m := twoDense{layers.NewDense(rng, 2, 3), layers.NewDense(rng, 3, 1)}
		config := train.Config{Model: wrap(m), Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 1}
		before := m.A.Weight.Tensor().Float64s()
		_, err := train.Run(context.Background(), config, plane(1, 6))
		var twice *autograd.NameError
		if !errors.As(err, &twice) || twice.Name != "dense.weight" || !strings.Contains(err.Error(), "layers.Name(model)") {
			t.Errorf("%s: got %v", name, err)
		}
		if diff := cmp.Diff(before, m.A.Weight.Tensor().Float64s()); diff != "" {
			t.Errorf("%s: the parameters were changed", name)
		}
		layers.Name(m)
		run(t, config, plane(1, 6))
	}
}

// Losses and metrics over batches of unequal size are means over the rows: the
// same as those of a training written out by hand, one row at a time.
func TestUnequalBatchesAgainstTwin(t *testing.T) {
	const rows, size, rate, epochs = 11, 4, 0.1, 3
	samples, other := plane(3, rows), plane(4, 7)
	l := newLinear(2, 1)
	w, b := l.w.Tensor().Float64s(), 0.0
	history := run(t, train.Config{
		Model: l, Loss: mse, Optimizer: optim.NewSGD(rate), Epochs: epochs, BatchSize: size,
		Metrics: []train.Metric{{Name: "MAE", Func: metrics.MAE}}, Validation: other,
	}, samples)

	residual := func(d train.Data, row int) float64 {
		return w[0]*d.Inputs.At(row, 0) + w[1]*d.Inputs.At(row, 1) + b - d.Targets.At(row, 0)
	}
	means := func(d train.Data) (square, absolute float64) {
		for row := range d.Rows() {
			r := residual(d, row)
			square, absolute = square+r*r, absolute+math.Abs(r)
		}
		return square / float64(d.Rows()), absolute / float64(d.Rows())
	}
	for _, epoch := range history {
		loss := 0.0
		for start := 0; start < rows; start += size {
			end := min(start+size, rows)
			var dw0, dw1, db float64
			for row := start; row < end; row++ {
				r := residual(samples, row)
				loss += r * r / rows
				step := 2 * r / float64(end-start)
				dw0, dw1, db = dw0+step*samples.Inputs.At(row, 0), dw1+step*samples.Inputs.At(row, 1), db+step
			}
			w[0], w[1], b = w[0]-rate*dw0, w[1]-rate*dw1, b-rate*db
		}
		_, mae := means(samples)
		validation, validationMAE := means(other)
		want := []float64{loss, mae, validation, validationMAE}
		got := []float64{epoch.Train.Loss, epoch.Train.Metric("MAE"), epoch.Validation.Loss, epoch.Validation.Metric("MAE")}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
			t.Errorf("epoch %d: loss, MAE, and those of the validation (-by hand +Run):\n%s", epoch.Number, diff)
		}
	}
}

// Run's steps move running statistics, its evaluations use them, and a step
// that fails leaves them as they were.
func TestRunWithRunningStatistics(t *testing.T) {
	bn := layers.NewBatchNormWith(1, layers.BatchNormOptions{Momentum: 0.5})
	x := autograd.NewTensor([]float64{1, 3, 5, 9}, 4, 1)
	config := train.Config{
		Model: layers.NewSequential(bn), Optimizer: optim.NewSGD(0), Epochs: 1, BatchSize: 2,
		Loss: losses.MSE, Validation: train.Data{Inputs: x, Targets: autograd.Zeros(4, 1)},
	}
	history, err := train.Run(context.Background(), config, train.Data{Inputs: x, Targets: autograd.Zeros(4, 1)})
	if err != nil {
		t.Fatal(err)
	}
	// Means 2 and 7, variances 2 and 8: 0 → 1 → 4, 1 → 1.5 → 4.75.
	mean, variance := bn.RunningMean.Item(), bn.RunningVar.Item()
	if mean != 4 || variance != 4.75 {
		t.Errorf("mean %v, variance %v", mean, variance)
	}
	want := (9 + 1 + 1 + 25) / 4.0 / (4.75 + 1e-5)
	if got := history[0].Validation.Loss; math.Abs(got-want) > 1e-12 {
		t.Errorf("the validation's loss is %v, want %v", got, want)
	}
	spoiled := autograd.NewTensor([]float64{math.NaN(), 3}, 2, 1)
	if _, err := train.Run(context.Background(), config, train.Data{Inputs: spoiled, Targets: autograd.Zeros(2, 1)}); err == nil {
		t.Error("no error for NaN")
	}
	if bn.RunningMean.Item() != mean || bn.RunningVar.Item() != variance {
		t.Error("a step that failed has moved the statistics")
	}
}
