package command

import (
	"context"
	"math"

	"nabla/autograd"
	"nabla/optim"
	"nabla/train"
)

// Train is [train.Run] for the command's epochs, with its progress and a line
// for each epoch. The optimizer's learning rate rises in a straight line to
// what it is over the part Warmup of the steps, and falls in another one to 0.
func (c *Command) Train(ctx context.Context, config train.Config, data train.Data) error {
	config.Epochs = c.Epochs
	config.Schedule = c.schedule(*optim.RateOf(config.Optimizer), c.Epochs*batches(data.Rows(), config.BatchSize))
	rows := c.Epochs * data.Rows()
	batch, last := 0, 0.0
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

// batches returns how many batches of some size the rows are.
func batches(rows, size int) int {
	if size == 0 {
		return 1
	}
	return (rows + size - 1) / size
}

// schedule returns what a rate is over so many steps.
func (c *Command) schedule(rate float64, steps int) optim.Schedule {
	rising := int(math.Round(c.Warmup * float64(steps)))
	return optim.WarmUp(rising, optim.Polynomial(rate, steps-rising, 1))
}
