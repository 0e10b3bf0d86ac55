package command

import (
	"context"

	"nabla/autograd"
	"nabla/train"
)

// Train is [train.Run] for the command's epochs, with its progress and a line
// for each epoch. The learning rate, a field of the optimizer, rises in a
// straight line from 0 to what it is over the part Warmup of the training, and
// falls in another one to 0.
func (c *Command) Train(ctx context.Context, config train.Config, rate *float64, data train.Data) error {
	config.Epochs = c.Epochs
	rows, first := c.Epochs*data.Rows(), *rate
	done, batch, last := 0, 0, 0.0
	progress := c.Progress("training", rows)
	defer progress.End()
	noting := func(prediction, loss autograd.Value) autograd.Value {
		batch, last = prediction.Dim(0), loss.Item()
		return loss
	}
	if f := config.Loss; f != nil {
		config.Loss = func(y, t autograd.Value) autograd.Value { return noting(y, f(y, t)) }
	}
	if f := config.LabelLoss; f != nil {
		config.LabelLoss = func(y autograd.Value, t autograd.Ints) autograd.Value { return noting(y, f(y, t)) }
	}
	clip := config.OnGradients
	config.OnGradients = func(grads autograd.Gradients) {
		if clip != nil {
			clip(grads)
		}
		*rate = first * c.share(float64(done)/float64(rows))
		done += batch
		progress.Add(batch, last)
	}
	config.OnEpoch = func(e train.Epoch) error {
		progress.End()
		if v := e.Validation; v != nil {
			c.Print("epoch %2d  loss %.4f  validation %.4f", e.Number, e.Train.Loss, v.Loss)
			return nil
		}
		c.Print("epoch %2d  loss %.4f", e.Number, e.Train.Loss)
		return nil
	}
	_, err := train.Run(ctx, config, data)
	return err
}

// share returns which share of the learning rate a step has, at some part of
// the training.
func (c *Command) share(part float64) float64 {
	if part < c.Warmup {
		return part / c.Warmup
	}
	return (1 - part) / (1 - c.Warmup)
}
