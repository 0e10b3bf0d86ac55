package train

import (
	"errors"
	"fmt"
)

// A StepError says where in a training a step failed, and wraps the reason: an
// *[autograd.NonFiniteError] for a NaN or infinity, another of autograd's typed
// errors for a mistake in the model, the loss or the settings, or a plain error
// for a parameter that the last step of an epoch made infinite or NaN.
type StepError struct {
	Epoch int    // from 1; 0 outside Run
	Part  string // of the epoch: "training", "training metrics" or "validation"; outside Run "evaluation", "prediction" or "preparation"
	Batch int    // in that part, from 1; 0 when a metric of all rows failed
	Err   error
}

func (e *StepError) Error() string {
	text := "train: "
	if e.Epoch > 0 {
		text += fmt.Sprintf("epoch %d, ", e.Epoch)
	}
	text += e.Part
	if e.Batch > 0 {
		text += fmt.Sprintf(", batch %d", e.Batch)
	}
	return text + ": " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *StepError) Unwrap() error { return e.Err }

// inPart adds to a StepError in which part of which epoch the step was. Other
// errors stay as they are.
func inPart(err error, epoch int, part string) error {
	var step *StepError
	if errors.As(err, &step) {
		step.Epoch, step.Part = epoch, part
	}
	return err
}
