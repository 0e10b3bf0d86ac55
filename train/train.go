package train

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"slices"

	"nabla/autograd"
	"nabla/optim"
)

// A Model computes predictions [rows, …] from inputs [rows, …]. Every layer is
// one.
type Model interface {
	Forward(x autograd.Value) autograd.Value
}

// Config says what is trained, and how.
type Config struct {
	Model Model

	// Forward computes predictions [rows, …] of a batch in the place of Model,
	// which may then be nil: for data with Ids, or a model of several inputs.
	Forward func(g *autograd.Graph, batch Data) autograd.Value

	// Loss compares predictions with the targets of the same rows and returns
	// one number, the mean over these rows. If the Data have Labels, the target
	// is one-hot: it has the labels' shape, and a last axis as long as the
	// prediction's.
	Loss func(prediction, target autograd.Value) autograd.Value

	// LabelLoss takes the Labels themselves. It stands in place of Loss.
	LabelLoss func(prediction autograd.Value, labels autograd.Ints) autograd.Value

	// IgnoreLabels are labels that do not count, in or out of the range of the
	// classes, such as those of padding. Predictions that belong to them are
	// left out of the metrics, and of what Loss gets: both then take
	// predictions and one-hot targets [labels that count, classes]. A LabelLoss
	// has to leave them out itself, see losses.Options. Losses of batches are
	// weighted by the labels that count. A batch without any makes no step.
	IgnoreLabels []int

	Optimizer optim.Optimizer

	// Schedule sets the optimizer's LearningRate before each step, which it
	// counts from 0; with ScheduleByEpoch it counts epochs. A Schedule with a
	// method Observe, as [optim.Plateau] has, is shown the loss of each epoch:
	// that of the validation, or else of the training. Nil: the rate is the
	// optimizer's own.
	Schedule        optim.Schedule
	ScheduleByEpoch bool

	// Params are all parameters and statistics that the training changes, for
	// Callbacks that keep or average them. Nil: those of the Model, if it has a
	// method Params.
	Params []*autograd.Param

	Graph     autograd.Options // of the graph that the training is recorded in
	Epochs    int              // passes over all rows, at least 1
	BatchSize int              // rows per step; 0: all rows. The last batch may be smaller
	RNG       *rand.Rand       // shuffles the rows before every epoch; nil keeps their order

	// Accumulate is how many batches make a step: of as many rows as fit into
	// memory, with the gradient of all of them. Batches are weighted by their
	// rows, or labels that count, and so the step is that of one large batch,
	// but for rounding, Dropout, and normalizations over rows. The last step of
	// an epoch may have fewer. 0: 1.
	Accumulate int

	// Workers are goroutines that share the work of each batch: it is cut into
	// Parts, 0: 4, of consecutive rows, which are weighted as those of
	// Accumulate are, and added up by a binary tree that depends on the number
	// of Parts alone. No part has fewer than 2 rows. The result is the same,
	// bit by bit, for any number of Workers from 1 on; without it, 0, a batch
	// is computed as a whole. What Dropout draws for a part follows from the
	// graph's Seed, epoch, batch and part. Model, Forward and losses are called
	// by several goroutines at once, and the Step that callbacks get has no
	// Measured, as with Accumulate. Each part takes a pass over all parameters.
	Workers, Parts int

	// Group makes this training one of several that train the same model
	// together, in processes or goroutines of their own: each computes some of
	// the Parts, of which there are at least as many as members, with Workers
	// of its own, 0: 1. Gradients, statistics and losses are added up over all
	// members, so that the result is the same, bit by bit, for any number of
	// members, and that of one training with Workers and as many Parts.
	//
	// Every member has the same configuration and all data. Settings and data
	// that differ are an error in the beginning, and another order of the rows
	// is one at each epoch; functions, such as Loss, cannot be compared. All
	// start with the Params of member 0, which alone writes and reads the files
	// of a [Checkpoint]. Each measures all metrics and the whole validation.
	// Callbacks are called on all members, which end together as soon as one
	// wants to. Callbacks that only show something may be on one member alone.
	// See [GroupError].
	Group Group

	// Bucket is how many bytes of gradients go to the other members at once,
	// while the backward pass goes on; 0: 1 MiB. A parameter goes as a whole.
	Bucket int

	// Loader makes the batches of the training in the background, in place of
	// RNG, which must be nil: to augment them, for example. Its BatchSize is
	// that above if it is 0, and its epochs count from 1. Its Padding cuts the
	// batches of evaluations too. Nil: none.
	Loader *LoaderOptions

	Metrics    []Metric // measured after each epoch, on the training data and on Validation
	Validation Data     // measured after each epoch, never trained on; zero: none

	// OnGradients is called in every step between feedback and adjustment: to
	// clip the gradients, for example.
	OnGradients func(grads autograd.Gradients)

	// OnEpoch is called after each epoch, to print progress, change a learning
	// rate, or save parameters. An error ends the training; Run returns it
	// unless it is Stop.
	OnEpoch func(epoch Epoch) error

	// Callbacks are told of the training as it goes on: of each epoch, after
	// OnEpoch, and of each step.
	Callbacks []Callback

	// Resume is a folder of a [Checkpoint]: the training goes on from the
	// newest whole file in it, with the same bits as if it had never stopped,
	// in the same epoch after the same step. An empty or missing folder begins
	// anew. The program must build the same model, optimizer, data and
	// configuration, but Epochs may differ; it gets the optimizer's settings
	// and which Params are Frozen as they were. An RNG shuffles as often as it
	// did. [Training.Resumed] says which file it was, and whether newer ones
	// are broken.
	//
	// The error is a *[checkpoint.MismatchError] for a model that differs, a
	// *[checkpoint.FormatError] if no file is whole, or says what else is not
	// as it was. History is that of the whole training.
	Resume string
}

// Stop is what OnEpoch or a Callback returns to end the training early. Run
// then returns no error.
var Stop error = stop{}

type stop struct{}

func (stop) Error() string { return "train: stop" }

// Run makes the cycle once for every batch of rows, in as many epochs as the
// configuration says:
//
//	prediction := model.Forward(inputs)    // predict
//	loss := Loss(prediction, targets)      // measure
//	grads := loss.Backward()               // feedback
//	optimizer.Step(grads)                  // adjust
//
// It returns the history of the completed epochs, also beside an error. The
// error is
//
//   - ctx.Err() once the context is done, which is checked before every step;
//   - what OnEpoch or a Callback returned, unless that is Stop;
//   - a *[StepError] if a step failed. If a loss or a gradient is not finite,
//     it wraps the *[autograd.NonFiniteError] that names the operation where
//     the first NaN or infinity arose, and the parameters are as they were
//     before that step. If the last step of an epoch made a parameter infinite
//     or NaN, it wraps a plain error that names the parameter. For a mistake
//     found in a step, such as shapes that do not fit, it wraps autograd's
//     typed error;
//   - a *[GroupError] if the training has a Group and another member failed,
//     does not come, or has other numbers;
//   - an *[autograd.NameError] if two Params of the model have one name;
//   - an *[autograd.ArgumentError] or *[autograd.ShapeError] for a
//     configuration or data that make no sense.
//
// The same configuration, data and seeds give the same history and parameters,
// bit by bit.
func Run(ctx context.Context, config Config, data Data) (History, error) {
	var m *members
	if err := autograd.Try(func() { m = newMembers("train: Run", config.Group) }); err != nil {
		return nil, err
	}
	ended := false
	defer func() {
		if !ended {
			m.leave() // by a panic: the others would wait
		}
	}()
	var c *cycle
	err := m.agree(autograd.Try(func() { c = newCycle(ctx, config, data, m) }))
	if err == nil {
		c.at.random = c.graph.RandomState()
		err = c.run(ctx)
	}
	ended = true
	if c == nil {
		return nil, err
	}
	return c.history, err
}

// run goes through the epochs, and tells the callbacks.
func (c *cycle) run(ctx context.Context) error {
	c.crew.start()
	defer c.crew.stop()
	err := c.meet()
	if err == nil {
		err = c.resume(ctx)
	}
	if err == nil {
		err = c.share()
	}
	if err == nil {
		if len(c.watchers.checkpoints) > 0 && !c.resumed {
			c.origin = c.beginning()
		}
		err = c.members.agree(c.watchers.begin())
	}
	for number := c.at.epoch + 1; err == nil && number <= c.Epochs; number++ {
		err = c.complete(ctx, number)
	}
	if err == nil || errors.Is(err, Stop) {
		err = graver(err, c.same())
	}
	return c.watchers.end(err)
}

// complete makes an epoch and reports it.
func (c *cycle) complete(ctx context.Context, number int) error {
	epoch, err := c.epoch(ctx, number)
	if err != nil {
		return err
	}
	c.history = append(c.history, epoch)
	c.lossSum, c.weight = 0, 0
	c.mark(number, 0)
	if s, ok := c.Schedule.(interface{ Observe(loss float64) }); ok {
		s.Observe(epoch.watched().Loss)
	}
	if c.OnEpoch != nil {
		err = c.OnEpoch(epoch)
	}
	return c.members.agree(graver(err, c.watchers.epoch(epoch)))
}

// A cycle is a training under way.
type cycle struct {
	objective
	members    *members
	heard      struct{ gradients, steps bool } // whether a member has callbacks for them
	graph      *autograd.Graph
	traced     *autograd.Graph // of the steps that callbacks want traced, nil before the first
	stepped    *autograd.Graph // to look at parameters after a step
	batches    *batches
	loader     *Loader                  // in place of batches, nil if there is none
	training   *evaluation              // of the metrics, nil if there are none
	validation *evaluation              // nil if there is none
	lossSum    float64                  // of this epoch so far
	weight     int                      // of its losses: the rows, or the labels that count
	batch      int                      // under way in this epoch, from 1
	named      bool                     // whether the Params' names have been checked
	grads      autograd.Gradients       // of the last step of this epoch
	steps      int                      // made so far
	history    History                  // of the epochs so far
	at         mark                     // where the training is
	resumed    bool                     // from a file
	from       Resumption               // which file
	origin     string                   // where the training began, if a Checkpoint keeps it
	kept       map[*autograd.Param]bool // what a Checkpoint keeps, once one has asked
	rows       int                      // of the data
	data       Data
	watchers   watchers
	rate       *float64 // the optimizer's, nil if it has none

	// What the step under way has gathered.
	now        Step
	gathered   int                // batches
	sum        autograd.Gradients // with Workers or Accumulate
	stepLoss   float64            // of its losses times their weights
	stepWeight int
	crew       *crew // nil without Workers
}

func newCycle(ctx context.Context, config Config, data Data, m *members) *cycle {
	const op = "train: Run"
	config.check(op, ctx)
	if config.Optimizer == nil {
		panic(autograd.NewArgumentError(op, "there is no Optimizer"))
	}
	if config.Epochs < 1 {
		panic(autograd.NewArgumentError(op, "Epochs is %d", config.Epochs))
	}
	autograd.CheckNames(op, config.params()...)
	config.checkData(op, data)
	data = data.in(config.Graph.Precision)
	c := &cycle{
		objective: objective{Config: config},
		members:   m,
		data:      data,
		graph:     autograd.NewGraph(config.Graph),
		stepped:   autograd.NewGraph(autograd.Options{Precision: config.Graph.Precision, NoGrad: true}),
		rows:      data.Rows(),
	}
	c.watchers = newWatchers(op, &Training{c})
	c.crew = newCrew(op, config, m)
	c.checkSchedule(op)
	if config.Loader == nil {
		c.batches = newBatches(config.RNG, data, config.BatchSize, nil)
	} else {
		c.loader = config.newLoader(op, data)
	}
	c.needOwnRows()
	if len(config.Metrics) > 0 {
		c.training = newEvaluation(op, config, data)
		c.training.withLoss = false
	}
	if !config.Validation.isZero() {
		config.checkData(op+", Validation", config.Validation)
		c.validation = newEvaluation(op+", Validation", config, config.Validation)
	}
	return c
}

// needOwnRows keeps the members of a group from copying rows that others learn
// from.
func (c *cycle) needOwnRows() {
	switch {
	case c.crew == nil:
	case c.loader != nil && c.loader.options.Prepare == nil:
		c.loader.needed = c.crew.needed
	case c.batches != nil && c.batches.holder != nil:
		c.batches.holder.needed = c.crew.needed
	}
}

// checkSchedule panics if a schedule has nothing to change, and finds the rate.
func (c *cycle) checkSchedule(op string) {
	if c.Accumulate < 0 {
		panic(autograd.NewArgumentError(op, "Accumulate is %d", c.Accumulate))
	}
	c.rate = optim.RateOf(c.Optimizer)
	if c.Schedule != nil && c.rate == nil {
		panic(autograd.NewArgumentError(op, "there is a Schedule, and %T has no field LearningRate that it could set", c.Optimizer))
	}
}

// params returns what is trained, nil if neither Params nor Model says.
func (c *Config) params() []*autograd.Param {
	if c.Params != nil {
		return c.Params
	}
	if m, ok := c.Model.(interface{ Params() []*autograd.Param }); ok {
		return m.Params()
	}
	return nil
}

// newLoader returns the loader of the training's batches.
func (c *Config) newLoader(op string, data Data) *Loader {
	if c.RNG != nil {
		panic(autograd.NewArgumentError(op, "there are a Loader and an RNG: both shuffle the rows"))
	}
	options := *c.Loader
	if options.BatchSize == 0 {
		options.BatchSize = c.BatchSize
	}
	return newLoader(op+", Loader", data, options)
}

// check panics unless everything is there that an evaluation needs.
func (c *Config) check(op string, ctx context.Context) {
	c.checkModel(op, ctx)
	if (c.Loss == nil) == (c.LabelLoss == nil) {
		panic(autograd.NewArgumentError(op, "there must be either a Loss or a LabelLoss"))
	}
	for _, m := range c.Metrics {
		if m.Func == nil {
			panic(autograd.NewArgumentError(op, "metric %q has no Func", m.Name))
		}
	}
}

// checkModel panics unless everything is there that a prediction needs.
func (c *Config) checkModel(op string, ctx context.Context) {
	switch {
	case ctx == nil:
		panic(autograd.NewArgumentError(op, "the context is nil"))
	case c.Model == nil && c.Forward == nil:
		panic(autograd.NewArgumentError(op, "there is no Model"))
	case c.BatchSize < 0:
		panic(autograd.NewArgumentError(op, "BatchSize is %d", c.BatchSize))
	}
}

// checkData panics unless the loss can take the data.
func (c *Config) checkData(op string, data Data) {
	data.check(op)
	c.checkInputs(op, data)
	checkIgnored(op, data, c.IgnoreLabels)
	if c.LabelLoss != nil && isGiven(data.Targets) {
		panic(autograd.NewArgumentError(op, "a LabelLoss takes Labels, the data have Targets"))
	}
}

// checkInputs panics unless the model can take the data's inputs.
func (c *Config) checkInputs(op string, data Data) {
	data.checkInputs(op)
	if c.Forward == nil && len(data.Ids) > 0 {
		panic(autograd.NewArgumentError(op, "a Model takes Inputs alone, and the data have Ids: there must be a Forward"))
	}
}

// epoch goes through all rows once, and measures.
func (c *cycle) epoch(ctx context.Context, number int) (Epoch, error) {
	epoch := Epoch{Number: number}
	if err := c.train(ctx, number); err != nil {
		return epoch, inPart(err, number, "training")
	}
	epoch.Train.Loss = c.lossSum / float64(c.weight)
	return epoch, c.members.agree(c.measure(ctx, &epoch))
}

// measure adds to an epoch the metrics, and what is known of the validation.
func (c *cycle) measure(ctx context.Context, epoch *Epoch) error {
	if c.training == nil && c.validation == nil {
		return nil
	}
	defer c.watchers.evaluate()()
	if c.training != nil {
		report, err := c.training.measure(ctx)
		if err != nil {
			return inPart(err, epoch.Number, "training metrics")
		}
		epoch.Train.Metrics = report.Metrics
	}
	if c.validation != nil {
		report, err := c.validation.measure(ctx)
		if err != nil {
			return inPart(err, epoch.Number, "validation")
		}
		epoch.Validation = &report
	}
	return nil
}

// train makes a step with every batch.
func (c *cycle) train(ctx context.Context, number int) error {
	c.lossSum, c.weight, c.batch = c.at.loss, c.at.weight, c.at.batch // 0 unless the epoch was begun before
	c.gathered, c.grads = 0, autograd.Gradients{}
	var ended error
	begun := false
	fault := autograd.Try(func() {
		for batch, err := range c.feed(ctx, number) {
			if ended = c.members.agree(err); ended != nil {
				return
			}
			if !begun {
				if ended = c.sameOrder(); ended != nil {
					return
				}
				begun = true
			}
			if ended = c.take(batch, number); ended != nil {
				return
			}
		}
	})
	if fault != nil {
		return c.members.agree(inPart(&StepError{Batch: c.batch, Err: fault}, number, "training"))
	}
	return ended
}

// take learns from a batch, unless nothing of it counts, and makes a step if it
// is time for one. It returns how the callbacks end the training, or else how
// the step failed.
func (c *cycle) take(batch Data, epoch int) error {
	c.batch++
	last := c.batch == c.batchesOfEpoch()
	if weight := c.weigh(batch); weight > 0 {
		if err := c.learn(batch, epoch, weight, last); err != nil {
			return &StepError{Batch: c.batch, Err: err}
		}
	}
	due := c.gathered > 0 && (c.gathered >= c.Accumulate || last)
	if due {
		if err := c.sumUp(); err != nil {
			return &StepError{Batch: c.batch, Err: err}
		}
		if ended := c.adjust(epoch); ended != nil {
			return ended
		}
	}
	if last {
		if err := c.members.agree(c.checkStepped(c.grads)); err != nil {
			return &StepError{Batch: c.batch, Err: err}
		}
	}
	if !due {
		return nil
	}
	c.steps++
	c.mark(epoch-1, c.batch)
	err := c.watchers.step(c.now)
	if c.heard.steps {
		err = c.members.agree(err)
	}
	return err
}

// feed returns the batches of an epoch that are left.
func (c *cycle) feed(ctx context.Context, number int) iter.Seq2[Data, error] {
	if c.loader != nil {
		return c.loader.from(ctx, number, c.at.batch)
	}
	return c.batches.from(ctx, c.at.batch)
}

// batchesOfEpoch returns how many batches an epoch has.
func (c *cycle) batchesOfEpoch() int {
	if c.loader != nil {
		return c.loader.Len()
	}
	return c.batches.len()
}

// weigh returns how much the mean loss of a batch counts.
func (c *objective) weigh(batch Data) int {
	if len(c.IgnoreLabels) > 0 {
		return counts(batch.Labels.Values(), c.IgnoreLabels)
	}
	return batch.Rows()
}

// learn computes the gradients of a batch, for the step to be made with it and
// the batches gathered before.
func (c *cycle) learn(batch Data, epoch, weight int, last bool) error {
	if c.gathered == 0 {
		c.now = Step{Number: c.steps + 1, Epoch: epoch}
		c.stepLoss, c.stepWeight = 0, 0
		c.sum.Clear()
		if c.crew != nil {
			c.crew.clear()
		}
	}
	c.gathered++
	c.now.Batch = c.batch
	c.now.Rows += batch.Rows()
	c.stepWeight += weight
	if c.crew != nil {
		return c.crew.learn(batch, epoch, c.batch, last || c.gathered >= c.Accumulate)
	}
	random := c.graph.RandomState()
	g := c.recorder()
	measured, loss, grads, err := c.objective.learn(g, batch, autograd.BackwardOptions{})
	c.graph.SetRandomState(g.RandomState())
	if err == nil {
		err = c.checkGradients(grads, random, batch)
	}
	if err != nil {
		return err
	}
	if c.grads, c.now.Measured = grads, measured; c.Accumulate > 1 {
		c.sum.AddWeighted(grads, float64(weight))
		c.grads, c.now.Measured = c.sum, autograd.Value{}
	}
	c.stepLoss += loss * float64(weight)
	return nil
}

// recorder returns an empty graph for a batch, which draws the numbers that
// come next.
func (c *cycle) recorder() *autograd.Graph {
	c.graph.Reset()
	if c.Graph.Trace || c.Accumulate > 1 || !c.watchers.trace(c.now) {
		return c.graph
	}
	if c.traced == nil {
		options := c.Graph
		options.Trace = true
		c.traced = autograd.NewGraph(options)
	}
	c.traced.Reset()
	c.traced.SetRandomState(c.graph.RandomState())
	return c.traced
}

// sumUp makes of what was gathered the gradients and the loss of a step.
func (c *cycle) sumUp() (err error) {
	c.gathered = 0
	if c.crew != nil {
		if c.stepLoss, err = c.crew.sum(&c.sum); err != nil {
			return err
		}
	}
	if c.crew != nil || c.Accumulate > 1 {
		c.sum.Average()
		c.grads = c.sum
	}
	c.now.Loss, c.now.Gradients = c.stepLoss/float64(c.stepWeight), c.grads
	return nil
}

// adjust makes a step, unless callbacks end the training.
func (c *cycle) adjust(epoch int) (ended error) {
	c.checkNames(c.grads)
	if c.OnGradients != nil {
		c.OnGradients(c.grads)
	}
	ended = c.watchers.feedback(c.now)
	if c.heard.gradients {
		ended = c.members.agree(ended)
	}
	if ended != nil {
		return ended
	}
	c.setRate(epoch)
	c.Optimizer.Step(c.grads)
	c.lossSum += c.stepLoss
	c.weight += c.stepWeight
	return nil
}

// setRate sets the optimizer's rate by the schedule, if there is one.
func (c *cycle) setRate(epoch int) {
	switch {
	case c.Schedule == nil:
	case c.ScheduleByEpoch:
		*c.rate = c.Schedule.At(epoch - 1)
	default:
		*c.rate = c.Schedule.At(c.steps)
	}
}

// checkNames panics, at the first step, if two Params that are trained have one
// name. A Model need not say which Params it has.
func (c *cycle) checkNames(grads autograd.Gradients) {
	if c.named {
		return
	}
	var trained []*autograd.Param
	for p := range grads.Stored() {
		trained = append(trained, p)
	}
	autograd.CheckNames("train: Run", trained...)
	c.named = true
}

// An objective predicts batches and measures their losses.
type objective struct {
	Config
	places, labels []int // scratch of counting
}

// predict passes a batch through the model.
func (c *objective) predict(g *autograd.Graph, batch Data) autograd.Value {
	var prediction autograd.Value
	op := "train: Model"
	if c.Forward != nil {
		prediction, op = c.Forward(g, batch), "train: Forward"
	} else {
		prediction = c.Model.Forward(g.Constant(batch.Inputs))
	}
	if prediction.Rank() == 0 || prediction.Dim(0) != batch.Rows() {
		panic(autograd.NewShapeError(op, "the prediction and the inputs differ in rows", prediction.Shape(), batch.inputShape()))
	}
	return prediction
}

// loss measures a prediction for a batch.
func (c *objective) loss(prediction autograd.Value, batch Data) autograd.Value {
	g := prediction.Graph()
	switch {
	case c.LabelLoss != nil:
		return c.LabelLoss(prediction, batch.Labels)
	case isGiven(batch.Targets):
		return c.Loss(prediction, g.Constant(batch.Targets))
	case len(c.IgnoreLabels) > 0:
		prediction, labels := c.counted(prediction, batch.Labels)
		return c.Loss(prediction, g.OneHot(labels, prediction.Dim(-1)))
	}
	return c.Loss(prediction, g.OneHot(batch.Labels, prediction.Dim(-1)))
}

// counted returns the labels that count, and their predictions [labels that
// count, classes]. The labels are valid until the next call.
func (c *objective) counted(prediction autograd.Value, labels autograd.Ints) (autograd.Value, autograd.Ints) {
	axis := prediction.Rank() - 1
	if !isBeside(prediction, labels) {
		axis = classAxis(prediction.Shape(), labels.Shape())
	}
	if axis < 0 {
		panic(autograd.NewShapeError("train: IgnoreLabels", "the labels are not one for each row of predictions", prediction.Shape(), labels.Shape()))
	}
	if last := prediction.Rank() - 1; axis < last {
		axes := make([]int, 0, last+1)
		for i := range last + 1 {
			if i != axis {
				axes = append(axes, i)
			}
		}
		prediction = prediction.Permute(append(axes, axis)...)
	}
	kept := c.counting(labels)
	return prediction.Reshape(-1, prediction.Dim(-1)).IndexSelect(0, autograd.ViewInts(c.places)), kept
}

// isBeside reports whether predictions have the labels' axes, and one more at
// the end. It allocates nothing.
func isBeside(prediction autograd.Value, labels autograd.Ints) bool {
	fits := prediction.Rank() == labels.Rank()+1
	for axis := 0; fits && axis < labels.Rank(); axis++ {
		fits = prediction.Dim(axis) == labels.Dim(axis)
	}
	return fits
}

// counting returns the labels that count, and leaves their places among all.
// They are valid until the next call.
func (c *objective) counting(labels autograd.Ints) autograd.Ints {
	c.places, c.labels = c.places[:0], c.labels[:0]
	for i, label := range labels.Values() {
		if !slices.Contains(c.IgnoreLabels, label) {
			c.places, c.labels = append(c.places, i), append(c.labels, label)
		}
	}
	return autograd.ViewInts(c.labels)
}
