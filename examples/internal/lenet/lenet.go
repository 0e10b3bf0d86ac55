// Package lenet is LeNet-5 with ReLU and max pooling (LeCun et al., 1998), a
// network for images of 28 × 28 pixels in ten classes.
package lenet

import (
	"context"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/examples/internal/command"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/train"
)

// New returns the network in float32: [batch, 1, 28, 28] to logits [batch, 10],
// with 61,706 parameters.
func New(rng *rand.Rand) *layers.Sequential {
	model := layers.NewSequential(
		layers.NewConv2DWith(rng, 1, 6, 5, layers.ConvOptions{Same: true}), layers.ReLU(), layers.MaxPool2D(2),
		layers.NewConv2D(rng, 6, 16, 5), layers.ReLU(), layers.MaxPool2D(2),
		layers.Flatten(),
		layers.NewDense(rng, 16*5*5, 120), layers.ReLU(),
		layers.NewDense(rng, 120, 84), layers.ReLU(),
		layers.NewDense(rng, 84, 10),
	)
	layers.Convert(model, autograd.Float32)
	return model
}

// Teach trains the network for the command's epochs. The learning rate falls
// from 0.002 to 0.
func Teach(ctx context.Context, c *command.Command, rng *rand.Rand, model layers.Layer, rows train.Data) error {
	optimizer := optim.NewAdam(2e-3)
	return c.Train(ctx, train.Config{
		Model: model, Optimizer: optimizer, BatchSize: 64, RNG: rng,
		Graph: autograd.Options{Precision: autograd.Float32},
		LabelLoss: func(logits autograd.Value, labels autograd.Ints) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(logits, labels, losses.Options{Logits: true})
		},
	}, rows)
}
