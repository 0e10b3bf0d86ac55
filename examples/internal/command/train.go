package command

import (
	"context"
	"errors"
	"fmt"
	"math"

	"nabla/optim"
	"nabla/train"
)

// Train is [train.Run] for the command's epochs, with its progress and a line
// for each epoch. The optimizer's learning rate rises in a straight line to
// what it is over the part Warmup of the steps, and falls in another one to 0.
// With Keep, the training goes on from there, and is kept when it is stopped.
func (c *Command) Train(ctx context.Context, config train.Config, data train.Data) error {
	config.Epochs = c.Epochs
	config.Schedule = c.schedule(*optim.RateOf(config.Optimizer), c.Epochs*batches(data.Rows(), config.BatchSize))
	config.Callbacks = append(config.Callbacks, c.watchers()...)
	if c.Keep != "" {
		config.Resume = c.Keep
		config.Callbacks = append(config.Callbacks, &train.Checkpoint{Folder: c.Keep, Every: 100})
	}
	_, err := train.Run(ctx, config, data)
	if c.Keep != "" && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return fmt.Errorf("the training is kept in %s, and the same command goes on: %w", c.Keep, err)
	}
	return err
}

// watchers return the callbacks that say how far the training is.
func (c *Command) watchers() []train.Callback {
	lines := train.OnEpoch(func(_ *train.Training, e train.Epoch) error {
		if v := e.Validation; v != nil {
			c.Print("epoch %2d  loss %.4f  validation %.4f", e.Number, e.Train.Loss, v.Loss)
			return nil
		}
		c.Print("epoch %2d  loss %.4f", e.Number, e.Train.Loss)
		return nil
	})
	if c.stderr == nil || c.Results {
		return []train.Callback{lines}
	}
	progress := train.NewProgress(c.stderr)
	progress.Quiet = true // the lines that stay are those of the epochs
	return []train.Callback{progress, lines}
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
