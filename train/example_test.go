package train_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"sync"

	"nabla/autograd"
	"nabla/data"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/train"
)

func Example() {
	if err := fitLine(); err != nil {
		fmt.Println(err)
	}
	// Output: loss 0.0000
}

func fitLine() error {
	rng := rand.New(rand.NewPCG(1, 0))
	config := train.Config{
		Model:     layers.NewDense(rng, 1, 1),
		Loss:      losses.MSE,
		Optimizer: optim.NewSGD(0.1),
		Epochs:    200,
	}
	line := train.Data{ // through 2x + 1
		Inputs:  autograd.NewTensor([]float64{-1, 0, 1, 2}, 4, 1),
		Targets: autograd.NewTensor([]float64{-1, 1, 3, 5}, 4, 1),
	}
	history, err := train.Run(context.Background(), config, line)
	if err != nil {
		return err
	}
	fmt.Printf("loss %.4f\n", history[len(history)-1].Train.Loss)
	return nil
}

// A callback watches the validation, and ends the training when it is good
// enough.
func ExampleRun() {
	rng := rand.New(rand.NewPCG(1, 0))
	config := train.Config{
		Model:     layers.NewDense(rng, 1, 1),
		Loss:      losses.MSE,
		Optimizer: optim.NewAdam(0.05),
		Epochs:    1000,
		BatchSize: 8,
		RNG:       rng,
		Metrics:   []train.Metric{{Name: "R²", Func: metrics.R2}},
	}
	samples := func(n int) train.Data { // of 2x + 1
		x := autograd.Uniform(rng, -1, 1, n, 1)
		y := x.Clone()
		for i, v := range x.Raw64() {
			y.Raw64()[i] = 2*v + 1
		}
		return train.Data{Inputs: x, Targets: y}
	}
	training := samples(60)
	config.Validation = samples(20)
	config.OnEpoch = func(epoch train.Epoch) error {
		if epoch.Validation.Loss < 0.05 {
			return train.Stop
		}
		return nil
	}
	history, err := train.Run(context.Background(), config, training)
	if err != nil {
		fmt.Println(err)
		return
	}
	last := history[len(history)-1]
	fmt.Printf("stopped early: %v, R² above 0.9: %v\n", last.Number < 1000, last.Validation.Metric("R²") > 0.9)
	// Output: stopped early: true, R² above 0.9: true
}

// The rate is found first, and follows a cosine then. Each step takes 4 batches
// of 8 rows, whose parts are computed on two goroutines.
func ExampleFindRate() {
	if err := findRate(); err != nil {
		fmt.Println(err)
	}
	// Output: between 0.001 and 1: true, fitted: true
}

func findRate() error {
	ctx, rng := context.Background(), rand.New(rand.NewPCG(1, 0))
	x := autograd.Normal(rng, 0, 1, 64, 1)
	y := x.Clone()
	for i, v := range x.Raw64() {
		y.Raw64()[i] = 2*v + 1
	}
	training := train.Data{Inputs: x, Targets: y}
	config := train.Config{
		Model:     layers.NewDense(rng, 1, 1),
		Loss:      losses.MSE,
		Optimizer: optim.NewAdam(0),
		Epochs:    100,
		RNG:       rng,
	}
	config.BatchSize, config.Accumulate, config.Workers = 8, 4, 2
	curve, err := train.FindRate(ctx, config, training, train.RateOptions{})
	if err != nil {
		return err
	}
	config.Schedule = optim.WarmUp(10, optim.Cosine(curve.Suggested, 190))
	history, err := train.Run(ctx, config, training)
	if err != nil {
		return err
	}
	fmt.Printf("between 0.001 and 1: %v, fitted: %v\n", curve.Suggested > 0.001 && curve.Suggested < 1, history[len(history)-1].Train.Loss < 1e-3)
	return nil
}

// A loop of one's own over batches that are prepared in the background. What
// Prepare draws is the same for any number of workers.
func ExampleLoader() {
	loader := train.NewLoader(
		train.Data{Inputs: autograd.NewTensor([]float64{1, 2, 3, 4, 5}, 5, 1)},
		train.LoaderOptions{BatchSize: 2, Seed: 1, Workers: 2, Prepare: func(rng *rand.Rand, batch train.Data) {
			if rng.IntN(2) == 0 {
				for i, v := range batch.Inputs.Raw64() {
					batch.Inputs.Raw64()[i] = -v
				}
			}
		}},
	)
	for epoch := range 2 {
		for batch, err := range loader.Epoch(context.Background(), epoch) {
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(epoch, batch.Inputs.Raw64())
		}
	}
	// Output:
	// 0 [-2 -4]
	// 0 [-5 -3]
	// 0 [-1]
	// 1 [5 3]
	// 1 [2 1]
	// 1 [-4]
}

// A training whose inputs are a little different in each epoch.
func ExampleConfig_loader() {
	rng := rand.New(rand.NewPCG(1, 0))
	config := train.Config{
		Model:     layers.NewDense(rng, 1, 1),
		Loss:      losses.MSE,
		Optimizer: optim.NewSGD(0.1),
		Epochs:    50,
		BatchSize: 4,
	}
	augment := func(rng *rand.Rand, batch train.Data) {
		for i := range batch.Inputs.Raw64() {
			batch.Inputs.Raw64()[i] += 0.01 * rng.NormFloat64()
		}
	}
	config.Loader = &train.LoaderOptions{Seed: 1, Workers: 2, DropLast: true, Prepare: augment}
	line := train.Data{Inputs: autograd.Arange(-1, 1, 0.2).Reshape(10, 1), Targets: autograd.Arange(-1, 3, 0.4).Reshape(10, 1)}
	history, err := train.Run(context.Background(), config, line)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("fitted:", history[len(history)-1].Train.Loss < 0.001)
	// Output: fitted: true
}

// A rate that is too high makes the training diverge. The error says where the
// first infinity arose.
func ExampleStepError() {
	config := train.Config{
		Model:     layers.NewDenseWith(nil, 1, 1, layers.DenseOptions{Weights: layers.Constant(1)}),
		Loss:      func(p, t autograd.Value) autograd.Value { return p.Sub(t).Square().Mean() },
		Optimizer: optim.NewSGD(1e200),
		Epochs:    10,
	}
	one := train.Data{Inputs: autograd.Ones(1, 1), Targets: autograd.Zeros(1, 1)}
	_, err := train.Run(context.Background(), config, one)
	var step *train.StepError
	var place *autograd.NonFiniteError
	if errors.As(err, &step) && errors.As(err, &place) {
		fmt.Printf("epoch %d: %v in %s\n", step.Epoch, place.Value, place.Op)
	}
	// Output: epoch 2: +Inf in Square
}

// Class labels are one-hot to the loss.
func ExampleData() {
	rng := rand.New(rand.NewPCG(1, 0))
	config := train.Config{
		Model: layers.NewDense(rng, 1, 3),
		Loss: func(logits, target autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyWith(logits, target, losses.Options{Logits: true})
		},
		Optimizer: optim.NewAdam(0.1),
		Epochs:    300,
		Metrics:   []train.Metric{{Name: "accuracy", Func: metrics.Accuracy}},
	}
	sizes := train.Data{ // small, middle, large
		Inputs: autograd.NewTensor([]float64{-2, -1.5, -0.2, 0.1, 1.6, 2}, 6, 1),
		Labels: autograd.NewInts([]int{0, 0, 1, 1, 2, 2}),
	}
	history, err := train.Run(context.Background(), config, sizes)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("accuracy", history[len(history)-1].Train.Metric("accuracy"))
	// Output: accuracy 1
}

// Each word of a sentence gets a label, by a table of scores for each word. The
// sentences are padded with 0, their labels with −1, which do not count.
func ExampleConfig_forward() {
	table := autograd.NewParam("table", autograd.Zeros(5, 2))
	score := func(table autograd.Value, ids autograd.Ints) autograd.Value {
		return table.IndexSelect(0, ids.Reshape(ids.Size())).Reshape(ids.Dim(0), ids.Dim(1), 2)
	}
	config := train.Config{
		LabelLoss: func(scores autograd.Value, labels autograd.Ints) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(scores, labels, losses.Options{Logits: true, IgnoreIndex: []int{-1}})
		},
		Optimizer: optim.NewAdam(0.1),
		Epochs:    50,
		BatchSize: 2,
		Metrics:   []train.Metric{{Name: "accuracy", Func: metrics.Accuracy}},
	}
	config.Forward = func(g *autograd.Graph, batch train.Data) autograd.Value {
		return score(g.Param(table), batch.Ids[0]) // [rows, steps, classes]
	}
	config.IgnoreLabels = []int{-1}
	config.Loader = &train.LoaderOptions{Seed: 1, Padding: &train.Padding{ID: 0, Label: -1, Near: 2}}
	odd := train.Data{ // is a word's number odd?
		Ids:    []autograd.Ints{autograd.NewInts([]int{1, 2, 3, 4, 3, 0, 2, 0, 0, 1, 4, 0}, 4, 3)},
		Labels: autograd.NewInts([]int{1, 0, 1, 0, 1, -1, 0, -1, -1, 1, 0, -1}, 4, 3),
	}
	history, err := train.Run(context.Background(), config, odd)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("accuracy", history[len(history)-1].Train.Metric("accuracy"))
	// Output: accuracy 1
}

func ExampleHistory_WriteCSV() {
	history := train.History{
		{Number: 1, Train: train.Report{Loss: 2}, Validation: &train.Report{Loss: 2.5}},
		{Number: 2, Train: train.Report{Loss: 1}, Validation: &train.Report{Loss: 1.5}},
	}
	if err := history.WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// epoch,loss,validation loss
	// 1,2,2.5
	// 2,1,1.5
}

// The average of all weights over the steps is measured, and kept.
func ExampleEMA() {
	if err := average(); err != nil {
		fmt.Println(err)
	}
	// Output: the model has the loss of the last validation: true
}

func average() error {
	ctx, rng := context.Background(), rand.New(rand.NewPCG(1, 0))
	training := train.Data{Inputs: autograd.Arange(-1, 1, 0.2).Reshape(10, 1), Targets: autograd.Arange(-1, 3, 0.4).Reshape(10, 1)}
	config := train.Config{
		Model: layers.NewDense(rng, 1, 1), Loss: losses.MSE, Optimizer: optim.NewSGD(0.1), Epochs: 50, BatchSize: 4,
		Validation: training,
	}
	var last train.Epoch
	config.OnEpoch = func(epoch train.Epoch) error {
		last = epoch
		return nil
	}
	average := &train.EMA{Decay: 0.99}
	config.Callbacks = append(config.Callbacks, average)
	if _, err := train.Run(ctx, config, training); err != nil {
		return err
	}
	average.Swap()
	report, err := train.Evaluate(ctx, config, training)
	if err != nil {
		return err
	}
	fmt.Println("the model has the loss of the last validation:", report.Loss == last.Validation.Loss)
	return nil
}

// The scaler of each fold is fitted on the rows that it trains with.
func ExampleCrossValidate() {
	rng := rand.New(rand.NewPCG(1, 0))
	x, y := data.NewMatrix(20, 1), data.NewMatrix(20, 1)
	for i := range 20 {
		x.Values[i], y.Values[i] = float64(1000+i), float64(i)/10
	}
	folds := data.KFold(rng, 20, 4)
	result, err := train.CrossValidate(context.Background(), folds, func(fold data.Fold) (train.Config, train.Data, error) {
		scaler := data.FitStandard(x.Take(fold.Train))
		of := func(rows []int) train.Data {
			return train.Data{Inputs: scaler.Transform(x.Take(rows)).Tensor(), Targets: y.Take(rows).Tensor()}
		}
		return train.Config{
			Model: layers.NewDense(rng, 1, 1), Loss: losses.MSE, Optimizer: optim.NewSGD(0.1), Epochs: 100,
			Metrics:    []train.Metric{{Name: "R²", Func: metrics.R2}},
			Validation: of(fold.Validation),
		}, of(fold.Train), nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d folds, R² %.2f ± %.2f\n", len(result.Histories), result.Summary[1].Mean, result.Summary[1].Deviation)
	// Output: 4 folds, R² 1.00 ± 0.00
}

// Ten rates are tried; one that is too high only fails.
func ExampleSearch() {
	line := train.Data{Inputs: autograd.Arange(-1, 1, 0.2).Reshape(10, 1), Targets: autograd.Arange(-1, 3, 0.4).Reshape(10, 1)}
	trials := train.RandomTrials(1, 10, train.Axis{Name: "rate", From: 1e-4, To: 1, Log: true})
	table, err := train.Search(context.Background(), trials, func(ctx context.Context, t train.Trial) (train.Report, error) {
		history, err := train.Run(ctx, train.Config{
			Model: layers.NewDense(rand.New(rand.NewPCG(1, 0)), 1, 1), Loss: losses.MSE,
			Optimizer: optim.NewSGD(t.Value("rate")), Epochs: 20, Validation: line,
		}, line)
		if err != nil {
			return train.Report{}, err
		}
		return *history[len(history)-1].Validation, nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	best, _ := table.Best()
	fmt.Printf("the best of %d rates is above 0.1: %v\n", len(table), best.Trial.Value("rate") > 0.1)
	// Output: the best of 10 rates is above 0.1: true
}

// Predictions for requests. What is wrong with one is an error.
func ExamplePredictor() {
	if err := serve(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// [0.5 -1]
	// train: Predictor: number 0 of row 0 is NaN
}

func serve() error {
	model := layers.NewDenseWith(nil, 1, 1, layers.DenseOptions{Weights: layers.Constant(0.5)})
	p, err := train.NewPredictor(model, []int{1}, train.PredictorOptions{})
	if err != nil {
		return err
	}
	predictions, inputs := make([]float64, 2), []float64{1, -2}
	err = p.Predict(predictions, inputs)
	if err != nil {
		return err
	}
	fmt.Println(predictions)
	return p.Predict(predictions, []float64{math.NaN(), 0})
}

// A training that shows its progress and keeps its epochs. In a log progress is
// a line now and then; here, without the standard error, one at the end.
func ExampleProgress() {
	rng := rand.New(rand.NewPCG(1, 0))
	config := train.Config{Model: layers.NewDense(rng, 1, 1), Loss: losses.MSE, Optimizer: optim.NewSGD(0.25), Epochs: 3}
	file := os.Stdout
	config.Callbacks = []train.Callback{
		train.NewProgress(io.Discard), // os.Stderr
		train.NewCSVWriter(file),
	}
	one := train.Data{Inputs: autograd.Zeros(1, 1), Targets: autograd.Ones(1, 1)}
	if _, err := train.Run(context.Background(), config, one); err != nil {
		fmt.Println(err)
	}
	// Output:
	// epoch,loss
	// 1,1
	// 2,0.25
	// 3,0.0625
}

// TensorBoard shows the folder runs while the training goes on:
// tensorboard --logdir runs.
func ExampleTensorBoard() {
	config := train.Config{}
	file, err := os.CreateTemp("", "*.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(file.Name())
	config.Callbacks = []train.Callback{
		train.NewProgress(os.Stderr),
		train.NewCSVWriter(file),
		&train.TensorBoard{Folder: "runs/first", Steps: 10},
	}
	fmt.Println(len(config.Callbacks), "callbacks")
	// Output: 3 callbacks
}

// Two goroutines, each with a model of its own, train as one.
func ExampleNewGroup() {
	var members sync.WaitGroup
	hashes := make([]string, 2)
	for i, member := range train.NewGroup(2) {
		members.Go(func() {
			rng := rand.New(rand.NewPCG(1, 0))
			model := layers.NewDense(rng, 1, 1)
			config := train.Config{Model: model, Loss: losses.MSE, Optimizer: optim.NewSGD(0.1), Epochs: 20}
			config.Group, config.Parts = member, 8
			x := autograd.Uniform(rng, -1, 1, 50, 1)
			if _, err := train.Run(context.Background(), config, train.Data{Inputs: x, Targets: x}); err != nil {
				fmt.Println(err)
			}
			hashes[i] = train.Hash(model.Params()...)
		})
	}
	members.Wait()
	fmt.Println("the same numbers:", hashes[0] == hashes[1])
	// Output: the same numbers: true
}
