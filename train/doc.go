// Package train goes through the cycle predict → measure → feedback → adjust,
// epoch by epoch, and returns what the training was like. It prints nothing.
//
//	rng := rand.New(rand.NewPCG(1, 0))
//	config := train.Config{
//		Model:     layers.NewDense(rng, 1, 1),
//		Loss:      losses.MSE,
//		Optimizer: optim.NewSGD(0.1),
//		Epochs:    200,
//	}
//	line := train.Data{ // through 2x + 1
//		Inputs:  autograd.NewTensor([]float64{-1, 0, 1, 2}, 4, 1),
//		Targets: autograd.NewTensor([]float64{-1, 1, 3, 5}, 4, 1),
//	}
//	history, err := train.Run(context.Background(), config, line)
//	if err != nil {
//		return err
//	}
//	fmt.Printf("loss %.4f\n", history[len(history)-1].Train.Loss)
//
// # Data
//
// [Data] are inputs and targets, row by row. Class labels are given as Ints;
// losses and metrics see them one-hot, unless the configuration has a
// LabelLoss, which takes the labels themselves. Each step takes BatchSize rows,
// which RNG shuffles before every epoch; the last batch of an epoch may be
// smaller. One batch of all rows is never shuffled.
//
// A [Loader] makes the batches of an epoch in the background, shuffled from a
// seed and changed by a function of one's own, the same bits for any number of
// workers. A loop ranges over them, or [Run] does if the configuration says so:
//
//	config.Loader = &train.LoaderOptions{Seed: 1, Workers: 2, DropLast: true, Prepare: augment}
//
// # Ids and padding
//
// Inputs that are ids, such as the words of a text, are Data.Ids. A function
// that takes a whole batch stands in place of the Model:
//
//	config.Forward = func(g *autograd.Graph, batch train.Data) autograd.Value {
//		return score(g.Param(table), batch.Ids[0]) // [rows, steps, classes]
//	}
//
// Rows of different lengths are padded to one. Labels of padding do not count
// if they are among IgnoreLabels: metrics leave them out, and losses are means
// over those that count. A Loader cuts each batch to its longest row, and makes
// batches of near lengths; evaluations cut theirs too:
//
//	config.IgnoreLabels = []int{-1}
//	config.Loader = &train.LoaderOptions{Seed: 1, Padding: &train.Padding{ID: 0, Label: -1, Near: 2}}
//
// # Watching
//
// [Config].OnEpoch is called with every [Epoch] and may end the training, with
// [Stop] or an error of its own. The epochs are returned as [History], which
// can be written as CSV. A [Metric] is a name and a function of predictions and
// targets, such as metrics.R2 and metrics.Accuracy. With Validation data:
//
//	config.OnEpoch = func(epoch train.Epoch) error {
//		if epoch.Validation.Loss < 0.05 {
//			return train.Stop
//		}
//		return nil
//	}
//
// [Evaluate] measures other data afterwards, and [Predict] and [PredictData]
// return predictions.
//
// # Callbacks
//
// A [Callback] sees more: the beginning, the gradients and the end of every
// step, the epochs, and the end. Callbacks can be put together, and keep what
// they have seen in fields of their own:
//
//	type worst struct{ epoch train.Epoch }
//
//	func (w *worst) OnEpoch(t *train.Training, epoch train.Epoch) error {
//		if epoch.Train.Loss > w.epoch.Train.Loss {
//			w.epoch = epoch
//		}
//		return nil
//	}
//
// A function is one too:
//
//	config.Callbacks = []train.Callback{
//		&highest,
//		train.OnStep(func(t *train.Training, s train.Step) error {
//			if s.Number == 100 {
//				return train.Stop
//			}
//			return nil
//		}),
//	}
//
// Ready ones show how far a training is, in one line that is drawn again and
// again on a terminal, and write lines of CSV or JSON, or event files that
// TensorBoard opens. Steps allocate nothing with any of them:
//
//	config.Callbacks = []train.Callback{
//		train.NewProgress(os.Stderr),
//		train.NewCSVWriter(file),
//		&train.TensorBoard{Folder: "runs/first", Steps: 10},
//	}
//
// A [nabla/page.Film] has one too, which shows the arithmetic.
//
// # Looking inside
//
// A [Watch] is a Callback that keeps the norms of weights, gradients and
// updates by layer, their histograms, and how many units of each relu were
// dead. Package plot draws what it saw.
//
//	watch := &train.Watch{Every: 100}
//	config.Callbacks = append(config.Callbacks, watch)
//
// With the option Profile of Config.Graph, a Callback that prints
// s.Measured.Graph().Profile() says which operations take the time.
//
// # Learning rates
//
// A Schedule of package optim sets the optimizer's rate before each step or
// epoch. [FindRate] tries rates from nearly nothing to far too much, suggests
// one, and leaves everything as it was:
//
//	curve, err := train.FindRate(ctx, config, training, train.RateOptions{})
//	if err != nil {
//		return err
//	}
//	config.Schedule = optim.WarmUp(10, optim.Cosine(curve.Suggested, 190))
//
// # Large batches and many cores
//
// With Accumulate several batches make one step, as one batch of all their rows
// would; with Workers goroutines share the work of each batch. How a batch is
// cut does not depend on their number, so that the bits do not either:
//
//	config.BatchSize, config.Accumulate, config.Workers = 8, 4, 2
//
// Kernels share their work among all cores without Workers too, and adding up
// the parts costs time: Workers help where a model spends its time in functions
// of its own, or in operations too small to be shared. Measure before.
//
// # Many processes
//
// With a Group several trainings, each in a process of its own, train one model
// together, and end with the same bits as one training with Workers and as many
// Parts. Package nabla/mpi has a [Group] for processes that mpirun starts, also
// on several machines, and [NewGroup] some for goroutines:
//
//	config.Group, config.Parts = member, 8
//
// For loops of one's own, [NewAllReduce] adds up Gradients over all members.
//
// # Services
//
// A [Predictor] predicts rows for any number of goroutines, allocates nothing
// once it is warm, and returns an error for a request that makes no sense:
//
//	p, err := train.NewPredictor(model, []int{1}, train.PredictorOptions{})
//	if err != nil {
//		return err
//	}
//	err = p.Predict(predictions, inputs)
//
// examples/serve puts it behind HTTP.
//
// # Averages, folds and searches
//
// An [EMA] among the Callbacks keeps the exponential moving average of all
// weights, measures the validation with it, and puts it into the model:
//
//	average := &train.EMA{Decay: 0.99}
//	config.Callbacks = append(config.Callbacks, average)
//	if _, err := train.Run(ctx, config, training); err != nil {
//		return err
//	}
//	average.Swap()
//
// [CrossValidate] trains once for each fold of the rows, and says what the
// measures are on average. [Search] does so for settings from [GridTrials] or
// [RandomTrials], and returns a table of them:
//
//	trials := train.RandomTrials(1, 10, train.Axis{Name: "rate", From: 1e-4, To: 1, Log: true})
//
// # Stopping and going on
//
// A [Checkpoint] keeps the training in a folder, and Resume goes on from there
// with the same bits as if it had never stopped, whether it ended by an
// interrupt, an error or a power cut. [EarlyStopping] ends a training that gets
// no better:
//
//	config.Resume = folder
//	config.Callbacks = []train.Callback{
//		&train.EarlyStopping{Patience: 5, Restore: true},
//		&train.Checkpoint{Folder: folder, Every: 100, Keep: 3, KeepBest: true},
//	}
//
// A file that is broken is passed over for an older one: a [Progress] shows it,
// and [Training.Resumed] says why, so that a callback may refuse.
//
// A Callback of your own that remembers something is a [Keeper], so that it is
// kept too. Randomness must come from the graph, from a Loader's seed, or from
// an RNG that the program builds anew.
//
// # Errors
//
// A training that fails returns an error and the history so far, also for
// mistakes that panic elsewhere. A loss or gradient that is not finite ends the
// training before any parameter is changed: the [*StepError] says in which
// epoch and batch, and wraps the *[autograd.NonFiniteError] that names the
// operation where it began. To find that operation, the batch is computed again
// in a graph with CheckFinite that draws the same random numbers. A model with
// randomness of its own may not show it then.
//
// A step itself may overflow if the learning rate is far too high. The next
// step's loss shows it. After the last step of an epoch, the parameters that
// were adjusted are checked too, so an epoch that ends without an error has not
// diverged. If it has, they stay as they are, infinite or NaN.
//
// A loss that is not finite on the validation data is an error too. A metric
// may be NaN: its comment says when.
//
// # Memory
//
// After the first epoch a step allocates nothing, unless model, loss or
// OnGradients do, a Loss has IgnoreLabels, which take two small objects, or
// there is a Group, whose members write each other letters. An
// epoch allocates a few, such as its entry in the history. Batches that are cut
// use the memory of the longest.
package train
