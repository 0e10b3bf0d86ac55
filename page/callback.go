package page

import (
	"nabla/autograd"
	"nabla/train"
)

// Callback returns a callback of [train.Run] that records the first step of
// each epoch, and writes the page to path when the training has ended, also if
// it has failed. Epochs count from 0 in the film: it shows the step before
// which so many epochs were complete. Only these steps are traced, whatever the
// options of the configuration's Graph say.
//
//	config.Callbacks = append(config.Callbacks, film.Callback("film.html"))
//
// An error of Record ends the training. The step must be one recording: with
// Workers or Accumulate it is an *[autograd.ArgumentError].
func (f *Film) Callback(path string) train.Callback { return &filming{film: f, path: path} }

// A filming is a Film of a training under way.
type filming struct {
	film     *Film
	path     string
	epoch    int // the last one recorded
	recorded bool
}

// OnBegin makes the first epoch be one not recorded yet.
func (f *filming) OnBegin(*train.Training) error {
	f.epoch, f.recorded = 0, false
	return nil
}

// Traces reports whether a step is the first of its epoch.
func (f *filming) Traces(_ *train.Training, s train.Step) bool { return s.Epoch != f.epoch }

// OnGradients records the step, if it is the first of its epoch.
func (f *filming) OnGradients(_ *train.Training, s train.Step) error {
	if s.Epoch == f.epoch {
		return nil
	}
	if s.Measured.Graph() == nil {
		return autograd.NewArgumentError(f.film.op, "a step with Workers or Accumulate has several recordings, and a film shows one")
	}
	f.epoch, f.recorded = s.Epoch, true
	return f.film.Record(s.Epoch-1, s.Measured, s.Gradients)
}

// OnStep records what the step made of the parameters.
func (f *filming) OnStep(t *train.Training, _ train.Step) error {
	if f.recorded {
		f.recorded = false
		f.film.Adjusted(t.LearningRate())
	}
	return nil
}

// OnEpoch makes a filming a Callback.
func (f *filming) OnEpoch(*train.Training, train.Epoch) error { return nil }

// OnEnd writes the page, if there is an epoch to show.
func (f *filming) OnEnd(*train.Training, error) error {
	if f.epoch == 0 {
		return nil
	}
	return f.film.WriteFile(f.path)
}
