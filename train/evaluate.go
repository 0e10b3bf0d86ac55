package train

import (
	"context"
	"fmt"
	"slices"

	"nabla/autograd"
)

// Evaluate measures the model, as it is, on other data, in a graph of its own
// in evaluation mode. Of the configuration it reads what [Run] measures with:
// Model or Forward, Loss or LabelLoss, IgnoreLabels, Metrics, Graph, BatchSize,
// and the Loader's Padding. It changes nothing.
//
// It returns ctx.Err() once the context is done, and otherwise fails as [Run]
// does.
func Evaluate(ctx context.Context, config Config, data Data) (Report, error) {
	const op = "train: Evaluate"
	var e *evaluation
	err := autograd.Try(func() {
		config.check(op, ctx)
		config.checkData(op, data)
		e = newEvaluation(op, config, data)
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

// PredictData is [Predict] for a configuration's model or Forward and any data,
// of which it reads Inputs and Ids, in batches of BatchSize and the precision
// of Graph. Rows keep their padding.
func PredictData(ctx context.Context, config Config, data Data) (autograd.Tensor, error) {
	config.Loader = nil
	return predictData(ctx, "train: PredictData", config, data)
}

func predict(ctx context.Context, op string, model Model, inputs autograd.Tensor, options PredictOptions) (autograd.Tensor, error) {
	config := Config{Model: model, Graph: options.Graph, BatchSize: options.BatchSize}
	return predictData(ctx, op, config, Data{Inputs: inputs})
}

func predictData(ctx context.Context, op string, config Config, data Data) (autograd.Tensor, error) {
	config.IgnoreLabels, config.Metrics = nil, nil
	var e *evaluation
	err := autograd.Try(func() {
		config.checkModel(op, ctx)
		config.checkInputs(op, data)
		e = newEvaluation(op, config, data)
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
	objective
	withLoss        bool
	withPredictions bool // of all rows
	graph           *autograd.Graph
	batches         *batches
	starts          []int           // where in predictions each row begins
	predictions     autograd.Tensor // of all rows, once a pass is through
	targets         autograd.Tensor // of all rows, as the metrics take them
	sums            []float64       // of the metrics by batch, times the weights
	weight          int             // of the batches of a pass
}

func newEvaluation(op string, config Config, data Data) *evaluation {
	config.Graph.NoGrad, config.Graph.Trace, config.Graph.Profile = true, false, false
	var l *lengths
	if config.Loader != nil {
		l = config.Loader.Padding.lengths(op, data)
	}
	e := &evaluation{
		objective: objective{Config: config}, withLoss: true,
		graph:   autograd.NewGraph(config.Graph),
		batches: newBatches(nil, data.in(config.Graph.Precision), config.BatchSize, l),
		sums:    make([]float64, len(config.Metrics)),
	}
	for _, m := range config.Metrics {
		e.withPredictions = e.withPredictions || !m.ByBatch
	}
	if len(config.IgnoreLabels) > 0 {
		e.starts = starts(data.Labels, config.IgnoreLabels)
	}
	return e
}

// starts returns how many labels count before each row, and in all.
func starts(labels autograd.Ints, ignore []int) []int {
	rows := labels.Shape()[0]
	sums := make([]int, 1, rows+1)
	for row := range slices.Chunk(labels.Values(), labels.Size()/rows) {
		sums = append(sums, sums[len(sums)-1]+counts(row, ignore))
	}
	return sums
}

// measure returns the loss, if wanted, and the metrics.
func (e *evaluation) measure(ctx context.Context) (Report, error) {
	loss, err := e.pass(ctx)
	if err != nil {
		return Report{}, err
	}
	report := Report{Loss: loss}
	for i, m := range e.Metrics {
		score := e.sums[i] / float64(e.weight)
		if !m.ByBatch {
			if score, err = m.score(func() (p, t autograd.Tensor) { return e.predictions, e.metricTargets() }); err != nil {
				return Report{}, &StepError{Err: err}
			}
		}
		report.Metrics = append(report.Metrics, Score{m.Name, score})
	}
	return report, nil
}

// score calls Func, and says for which metric it fails.
func (m Metric) score(pair func() (prediction, target autograd.Tensor)) (score float64, err error) {
	if err = autograd.Try(func() { score = m.Func(pair()) }); err != nil {
		err = fmt.Errorf("metric %s: %w", m.Name, err)
	}
	return score, err
}

// metricTargets returns the targets of all rows, one-hot if they are labels.
func (e *evaluation) metricTargets() autograd.Tensor {
	whole := e.batches.whole
	if isGiven(whole.Targets) {
		return whole.Targets
	}
	if !isGiven(e.targets) {
		labels := whole.Labels
		if e.starts != nil {
			labels = e.counting(labels)
		}
		e.graph.Reset()
		e.targets = oneHot(e.graph, e.predictions.Shape(), labels).Tensor()
	}
	return e.targets
}

// oneHot returns labels one-hot, in the shape of predictions.
func oneHot(g *autograd.Graph, predictions []int, labels autograd.Ints) autograd.Value {
	axis := classAxis(predictions, labels.Shape())
	if axis < 0 {
		return g.OneHot(labels, predictions[len(predictions)-1])
	}
	return g.OneHotAlong(axis, labels, predictions[axis])
}

// classAxis returns the axis of predictions along which the classes of labels
// lie: the last, or another one if only that fits, −1 if none does.
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
	batch := 0
	e.weight = 0
	clear(e.sums)
	var canceled, failed error
	fault := autograd.Try(func() {
		for rows := range e.batches.rows {
			if canceled = ctx.Err(); canceled != nil {
				return
			}
			batch++
			of := e.batches.of(rows)
			weight := e.weigh(of)
			if weight == 0 {
				continue
			}
			var mean float64
			if mean, failed = e.step(of, rows, float64(weight)); failed != nil {
				return
			}
			loss += mean * float64(weight)
			e.weight += weight
		}
	})
	if fault != nil {
		failed = fault
	}
	if failed != nil {
		return 0, &StepError{Batch: batch, Err: failed}
	}
	return loss / float64(e.weight), canceled
}

// step predicts a batch of those rows.
func (e *evaluation) step(batch Data, rows []int, weight float64) (loss float64, err error) {
	e.graph.Reset()
	prediction := e.predict(e.graph, batch)
	if err := e.look(prediction, batch, rows, weight); err != nil || !e.withLoss {
		return 0, err
	}
	loss = e.loss(prediction, batch).Item()
	if !isFinite(loss) {
		return loss, e.origin(e.Graph, e.graph.RandomState(), batch, fmt.Sprintf("the loss is %v", loss))
	}
	return loss, nil
}

// look does with a prediction what the metrics need.
func (e *evaluation) look(prediction autograd.Value, batch Data, rows []int, weight float64) error {
	if !e.withPredictions && len(e.sums) == 0 {
		return nil
	}
	labels := batch.Labels
	if e.starts != nil {
		prediction, labels = e.counted(prediction, labels)
	}
	if e.withPredictions {
		e.keep(prediction.View(), rows)
	}
	for i, m := range e.Metrics {
		if !m.ByBatch {
			continue
		}
		score, err := m.score(func() (p, t autograd.Tensor) {
			if isGiven(batch.Targets) {
				return prediction.View(), batch.Targets
			}
			return prediction.View(), oneHot(e.graph, prediction.Shape(), labels).View()
		})
		if err != nil {
			return err
		}
		e.sums[i] += score * weight
	}
	return nil
}

// keep stores the predictions for rows among those for all.
func (e *evaluation) keep(prediction autograd.Tensor, rows []int) {
	all, of := e.batches.whole.Rows(), len(rows)
	if e.starts != nil {
		all, of = e.starts[all], prediction.Dim(0)
	}
	if !isGiven(e.predictions) {
		e.predictions = tensorLike(prediction, all)
	}
	width := e.predictions.Size() / all
	if prediction.Size() != of*width {
		panic(autograd.NewShapeError("train: Model", "the model's predictions for two batches differ in width", e.predictions.Shape(), prediction.Shape()))
	}
	at := 0
	for _, row := range rows {
		start, end := row, row+1
		if e.starts != nil {
			start, end = e.starts[row], e.starts[row+1]
		}
		next := at + end - start
		if prediction.Precision() == autograd.Float32 {
			copy(e.predictions.Raw32()[start*width:], prediction.Raw32()[at*width:next*width])
		} else {
			copy(e.predictions.Raw64()[start*width:], prediction.Raw64()[at*width:next*width])
		}
		at = next
	}
}
