package train

import (
	"errors"
	"math"
	"slices"

	"nabla/autograd"
)

// A Callback watches a training and may end it. [Run] calls the Callbacks of
// its configuration one after the other, in their order, in its own goroutine.
// It also calls those of these methods that a Callback has:
//
//	OnBegin(t *train.Training) error                   // see [BeginCallback]
//	Traces(t *train.Training, s train.Step) bool       // see [TraceCallback]
//	OnGradients(t *train.Training, s train.Step) error // see [GradientsCallback]
//	OnStep(t *train.Training, s train.Step) error      // see [StepCallback]
//	OnEvaluate(t *train.Training) (after func())       // see [EvaluateCallback]
//	OnEnd(t *train.Training, err error) error          // see [EndCallback]
//
// [OnBegin], [OnStep] and [OnEpoch] make a Callback of a function.
//
// An error ends the training, and Run returns it unless it is Stop. The other
// Callbacks are still told of the same epoch or step.
type Callback interface {
	// OnEpoch is called after each epoch, which is the last of t.History.
	OnEpoch(t *Training, epoch Epoch) error
}

// A BeginCallback is a [Callback] that is called before the first step. If
// OnBegin returns an error, no step is made, and unless that is Stop the
// Callbacks behind it are not told.
type BeginCallback interface {
	OnBegin(t *Training) error
}

// A TraceCallback is a [Callback] that is asked before every step whether it
// wants the step recorded with [autograd.Options].Trace, to draw or explain it.
// The step computes the same, bit by bit, in a graph of its own, and others are
// not slowed down. Of the Step its Number and Epoch are known. Steps with
// Workers or Accumulate are not traced.
type TraceCallback interface {
	Traces(t *Training, s Step) bool
}

// A GradientsCallback is a [Callback] that is called in every step between
// feedback and adjustment, after the configuration's OnGradients. After an
// error the parameters are not adjusted.
type GradientsCallback interface {
	OnGradients(t *Training, s Step) error
}

// A StepCallback is a [Callback] that is called after every step, when the
// parameters have been adjusted. After an error there are no more steps, and
// the epoch under way is not in the history.
type StepCallback interface {
	OnStep(t *Training, s Step) error
}

// An EvaluateCallback is a [Callback] that is called before metrics and
// validation are measured, in epochs that measure any, to put other numbers
// into the parameters' place, and again after an epoch when what was measured
// is kept. What it returns is called afterwards.
type EvaluateCallback interface {
	OnEvaluate(t *Training) (after func())
}

// An EndCallback is a [Callback] that is called once when the training has
// ended, if its OnBegin returned no error but Stop: to close a file, say. The
// err is why it ended, nil after Stop or all epochs. Run returns what OnEnd
// returns too.
type EndCallback interface {
	OnEnd(t *Training, err error) error
}

// OnBegin returns a Callback that calls f before the first step.
func OnBegin(f func(t *Training) error) Callback { return onBegin(f) }

// OnStep returns a Callback that calls f after every step.
func OnStep(f func(t *Training, s Step) error) Callback { return onStep(f) }

// OnEpoch returns a Callback that calls f after each epoch.
func OnEpoch(f func(t *Training, epoch Epoch) error) Callback { return onEpoch(f) }

type (
	onBegin func(t *Training) error
	onStep  func(t *Training, s Step) error
	onEpoch func(t *Training, epoch Epoch) error
)

func (f onBegin) OnBegin(t *Training) error          { return f(t) }
func (f onBegin) OnEpoch(*Training, Epoch) error     { return nil }
func (f onStep) OnStep(t *Training, s Step) error    { return f(t, s) }
func (f onStep) OnEpoch(*Training, Epoch) error      { return nil }
func (f onEpoch) OnEpoch(t *Training, e Epoch) error { return f(t, e) }

// A Step says what a step is like.
type Step struct {
	Number int     // of this step, in all epochs, from 1
	Epoch  int     // from 1
	Batch  int     // in the epoch, from 1; the last of the step
	Rows   int     // of the step's batches
	Loss   float64 // of these rows, in training mode, before the adjustment

	// Measured is the loss in its recording, and Gradients are those with which
	// the parameters are adjusted. Both are valid during the call, and after
	// the adjustment the recording shows no numbers of parameters any more.
	// With Workers or Accumulate a step has several recordings, and Measured is
	// the zero Value.
	Measured  autograd.Value
	Gradients autograd.Gradients
}

// A Training is what [Callback]s see of a training under way. It is valid until
// Run returns.
type Training struct{ cycle *cycle }

// Config returns the configuration.
func (t *Training) Config() Config { return t.cycle.Config }

// History returns the epochs that are complete.
func (t *Training) History() History { return t.cycle.history }

// Steps returns the number of steps made so far.
func (t *Training) Steps() int { return t.cycle.steps }

// Batches returns the number of batches in an epoch.
func (t *Training) Batches() int { return t.cycle.batchesOfEpoch() }

// LearningRate returns the rate of the last step, the field LearningRate of the
// optimizer; NaN if it has none.
func (t *Training) LearningRate() float64 {
	if t.cycle.rate != nil {
		return *t.cycle.rate
	}
	return math.NaN()
}

// Resumed returns where the training goes on from: the zero Resumption if it
// began anew.
//
//	train.OnBegin(func(t *train.Training) error {
//		return errors.Join(t.Resumed().Skipped...) // broken files end the training
//	})
func (t *Training) Resumed() Resumption {
	from := t.cycle.from
	from.Skipped = slices.Clone(from.Skipped)
	return from
}

// Params returns the parameters and statistics that are trained: the
// configuration's Params, or else those of its Model; nil if neither says.
func (t *Training) Params() []*autograd.Param { return t.cycle.params() }

// watchers are the callbacks of a training by what they are called for.
type watchers struct {
	training    *Training
	all         []Callback
	traces      []TraceCallback
	gradients   []GradientsCallback
	steps       []StepCallback
	checkpoints []keeping // which act when all others have
	begun       int       // how many of all have begun
}

// keeping is what a Checkpoint does, also one that a callback of the user's has
// embedded.
type keeping interface {
	folder() string
	when() string // files are written, as a text
	keepStep(t *Training, s Step) error
	keepEpoch(t *Training, epoch Epoch) error
	keepEnd(t *Training, err error) error
}

func newWatchers(op string, t *Training) watchers {
	w := watchers{training: t, all: t.cycle.Callbacks}
	for i, c := range w.all {
		if c == nil {
			panic(autograd.NewArgumentError(op, "Callbacks[%d] is nil", i))
		}
		if t, ok := c.(TraceCallback); ok {
			w.traces = append(w.traces, t)
		}
		if g, ok := c.(GradientsCallback); ok {
			w.gradients = append(w.gradients, g)
		}
		if k, ok := c.(keeping); ok {
			w.addKeeping(op, k)
		}
		if s, ok := c.(StepCallback); ok {
			w.steps = append(w.steps, s)
		}
	}
	return w
}

// addKeeping panics if another one has the folder: they would remove each
// other's files.
func (w *watchers) addKeeping(op string, k keeping) {
	for _, other := range w.checkpoints {
		if other.folder() == k.folder() {
			panic(autograd.NewArgumentError(op, "two Checkpoints have the Folder %q", k.folder()))
		}
	}
	w.checkpoints = append(w.checkpoints, k)
}

// begin tells the callbacks that the training begins. Stop does not keep it
// from the others: their OnEnd is called.
func (w *watchers) begin() error {
	var ended error
	for _, c := range w.all {
		if b, ok := c.(BeginCallback); ok {
			switch err := b.OnBegin(w.training); {
			case errors.Is(err, Stop):
				ended = err
			case err != nil:
				return err
			}
		}
		w.begun++
	}
	return ended
}

// trace reports whether a callback wants a step traced.
func (w *watchers) trace(s Step) bool {
	wanted := false
	for _, c := range w.traces {
		wanted = c.Traces(w.training, s) || wanted
	}
	return wanted
}

// feedback tells the callbacks of gradients.
func (w *watchers) feedback(s Step) error {
	var ended error
	for _, c := range w.gradients {
		ended = graver(ended, c.OnGradients(w.training, s))
	}
	return ended
}

// step tells the callbacks of a step. All are told, and the first error
// returned: Stop only if there is no other.
func (w *watchers) step(s Step) error {
	var ended error
	for _, c := range w.steps {
		ended = graver(ended, c.OnStep(w.training, s))
	}
	for _, k := range w.checkpoints {
		ended = graver(ended, k.keepStep(w.training, s))
	}
	return ended
}

// epoch tells the callbacks of an epoch.
func (w *watchers) epoch(epoch Epoch) error {
	var ended error
	for _, c := range w.all {
		ended = graver(ended, c.OnEpoch(w.training, epoch))
	}
	for _, k := range w.checkpoints {
		ended = graver(ended, k.keepEpoch(w.training, epoch))
	}
	return ended
}

// evaluate tells the callbacks that the model is about to be measured. The
// function returned tells them, in the reverse order, that it has been.
func (w *watchers) evaluate() (after func()) {
	var afters []func()
	for _, c := range w.all {
		if e, ok := c.(EvaluateCallback); ok {
			afters = append(afters, e.OnEvaluate(w.training))
		}
	}
	return func() {
		for _, f := range slices.Backward(afters) {
			f()
		}
	}
}

// measures reports whether the loss of an epoch, or a score of the user's, is
// of what EvaluateCallbacks put into the parameters' place: a loss of training
// is not.
func (t *Training) measures(score bool) bool {
	return t.cycle.validation != nil || score && t.cycle.training != nil
}

// asMeasured calls f while the parameters are what such a loss or score is of.
func (t *Training) asMeasured(score bool, f func()) {
	if t.measures(score) {
		defer t.cycle.watchers.evaluate()()
	}
	f()
}

// averaging is what an EMA does, also one that a callback of the user's has
// embedded, when averages of its have been put into the parameters for good.
type averaging interface{ restored() }

// end tells the callbacks that the training has ended, and returns why, with
// what they make of it.
func (w *watchers) end(err error) error {
	if errors.Is(err, Stop) {
		err = nil
	}
	all := err
	for _, c := range w.all[:w.begun] { // as the training ended, before anything is restored
		if k, ok := c.(keeping); ok {
			if failed := k.keepEnd(w.training, err); failed != nil {
				all = errors.Join(all, failed)
			}
		}
	}
	for _, c := range w.all[:w.begun] {
		if e, ok := c.(EndCallback); ok {
			if failed := e.OnEnd(w.training, err); failed != nil {
				all = errors.Join(all, failed)
			}
		}
	}
	return all
}

// graver returns the first of two errors, but not Stop if the other is more.
func graver(first, second error) error {
	if first == nil || second != nil && errors.Is(first, Stop) && !errors.Is(second, Stop) {
		return second
	}
	return first
}
