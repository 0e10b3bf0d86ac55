package train

import (
	"context"
	"fmt"
	"slices"

	"nabla/autograd"
)

// Evaluate measures the model, as it is, on other data, in a graph of its own
// in evaluation mode. Of the configuration it reads what [Run] measures with:
// Model, Loss or LabelLoss, Metrics, Graph and BatchSize. It changes nothing.
//
// It returns ctx.Err() once the context is done, and otherwise fails as [Run]
// does.
func Evaluate(ctx context.Context, config Config, data Data) (Report, error) {
	const op = "train: Evaluate"
	var e *evaluation
	err := autograd.Try(func() {
		config.check(op, ctx)
		config.checkData(op, data)
		e = newEvaluation(config, data)
	})
	if err != nil {
		return Report{}, err
	}
	report, err := e.measure(ctx)
	return report, inPart(err, 0, "evaluation")
}

// Predict returns the model's predictions [rows, …] for inputs [rows, …],
// computed in a graph of its own in evaluation mode, for all rows at once, in
// float64.
//
//	prediction, err := train.Predict(ctx, model, inputs)
//
// It returns ctx.Err() once the context is done, and otherwise fails as [Run]
// does.
func Predict(ctx context.Context, model Model, inputs autograd.Tensor) (autograd.Tensor, error) {
	return predict(ctx, "train: Predict", model, inputs, PredictOptions{})
}

// PredictOptions are what [Predict] leaves at its defaults.
type PredictOptions struct {
	Graph     autograd.Options // of the graph; its precision is the predictions'
	BatchSize int              // rows at a time, which limits the memory; 0: all rows
}

// PredictWith is [Predict] with other options.
func PredictWith(ctx context.Context, model Model, inputs autograd.Tensor, options PredictOptions) (autograd.Tensor, error) {
	return predict(ctx, "train: PredictWith", model, inputs, options)
}

func predict(ctx context.Context, op string, model Model, inputs autograd.Tensor, options PredictOptions) (autograd.Tensor, error) {
	config := Config{Model: model, Graph: options.Graph, BatchSize: options.BatchSize}
	var e *evaluation
	data := Data{Inputs: inputs}
	err := autograd.Try(func() {
		config.checkModel(op, ctx)
		data.checkInputs(op)
		e = newEvaluation(config, data)
	})
	if err != nil {
		return autograd.Tensor{}, err
	}
	e.withLoss, e.withPredictions = false, true
	if _, err := e.pass(ctx); err != nil {
		return autograd.Tensor{}, inPart(err, 0, "prediction")
	}
	return e.predictions, nil
}

// An evaluation measures one set of data again and again.
type evaluation struct {
	Config
	withLoss        bool
	withPredictions bool
	graph           *autograd.Graph
	batches         *batches
	predictions     autograd.Tensor // of all rows, once a pass is through
	targets         autograd.Tensor // of all rows, as the metrics take them
}

func newEvaluation(config Config, data Data) *evaluation {
	config.Graph.NoGrad, config.Graph.Trace = true, false
	return &evaluation{
		Config: config, withLoss: true, withPredictions: len(config.Metrics) > 0,
		graph:   autograd.NewGraph(config.Graph),
		batches: newBatches(nil, data.in(config.Graph.Precision), config.BatchSize),
	}
}

// measure returns the loss, if wanted, and the metrics.
func (e *evaluation) measure(ctx context.Context) (Report, error) {
	loss, err := e.pass(ctx)
	if err != nil {
		return Report{}, err
	}
	report := Report{Loss: loss}
	for _, m := range e.Metrics {
		score, err := e.score(m)
		if err != nil {
			return Report{}, &StepError{Err: fmt.Errorf("metric %s: %w", m.Name, err)}
		}
		report.Metrics = append(report.Metrics, Score{m.Name, score})
	}
	return report, nil
}

func (e *evaluation) score(m Metric) (score float64, err error) {
	err = autograd.Try(func() { score = m.Func(e.predictions, e.metricTargets()) })
	return score, err
}

// metricTargets returns the targets of all rows, one-hot if they are labels.
func (e *evaluation) metricTargets() autograd.Tensor {
	whole := e.batches.whole
	if isGiven(whole.Targets) {
		return whole.Targets
	}
	if !isGiven(e.targets) {
		e.graph.Reset()
		axis := classAxis(e.predictions.Shape(), whole.Labels.Shape())
		e.targets = e.graph.OneHotAlong(axis, whole.Labels, e.predictions.Dim(axis)).Tensor()
	}
	return e.targets
}

// classAxis returns the axis of predictions along which the classes of labels
// lie: the last, or another one if only that fits.
func classAxis(predictions, labels []int) int {
	for axis := len(predictions) - 1; axis > 0; axis-- {
		if slices.Equal(labels, slices.Concat(predictions[:axis], predictions[axis+1:])) {
			return axis
		}
	}
	return -1
}

// pass predicts all rows, and returns the mean loss if it is wanted.
func (e *evaluation) pass(ctx context.Context) (loss float64, err error) {
	done, batch := 0, 0
	var canceled, failed error
	fault := autograd.Try(func() {
		for rows := range e.batches.rows {
			if canceled = ctx.Err(); canceled != nil {
				return
			}
			batch++
			var mean float64
			if mean, failed = e.step(e.batches.of(rows), done); failed != nil {
				return
			}
			loss += mean * float64(len(rows))
			done += len(rows)
		}
	})
	if fault != nil {
		failed = fault
	}
	if failed != nil {
		return 0, &StepError{Batch: batch, Err: failed}
	}
	return loss / float64(e.batches.whole.Rows()), canceled
}

// step predicts a batch. Done is the number of rows in the batches before.
func (e *evaluation) step(batch Data, done int) (loss float64, err error) {
	e.graph.Reset()
	prediction := e.predict(e.graph, batch)
	if e.withPredictions {
		e.keep(prediction.View(), done)
	}
	if !e.withLoss {
		return 0, nil
	}
	loss = e.loss(prediction, batch).Item()
	if !isFinite(loss) {
		return loss, e.origin(e.Graph, e.graph.RandomState(), batch, fmt.Sprintf("the loss is %v", loss))
	}
	return loss, nil
}

// keep stores the predictions for a batch after those for the rows done before.
func (e *evaluation) keep(prediction autograd.Tensor, done int) {
	rows, batch := e.batches.whole.Rows(), prediction.Dim(0)
	if !isGiven(e.predictions) {
		e.predictions = tensorLike(prediction, rows)
	}
	width := e.predictions.Size() / rows
	if prediction.Size() != batch*width {
		panic(autograd.NewShapeError("train: Model", "the model's predictions for two batches differ in width", e.predictions.Shape(), prediction.Shape()))
	}
	if prediction.Precision() == autograd.Float32 {
		copy(e.predictions.Raw32()[done*width:], prediction.Raw32())
	} else {
		copy(e.predictions.Raw64()[done*width:], prediction.Raw64())
	}
}
