package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"nabla/autograd"
	"nabla/data"
	"nabla/data/images"
	"nabla/examples/internal/command"
	"nabla/examples/internal/lenet"
	"nabla/layers"
	"nabla/optim"
	"nabla/train"
)

const (
	latent     = 64
	digitBatch = 64
	digitRate  = 5e-4
	samples    = 1000
)

// halve and double are convolutions that halve or double height and width.
func halve(rng *rand.Rand, in, out int) layers.Layer {
	return layers.NewConv2DWith(rng, in, out, 4, layers.ConvOptions{Stride: []int{2}, Padding: [][2]int{{1, 1}}})
}

func double(rng *rand.Rand, in, out int) layers.Layer {
	return layers.NewConvTranspose2DWith(rng, in, out, 4, layers.ConvTransposeOptions{Stride: []int{2}, Padding: [][2]int{{1, 1}}})
}

// inventor and critic are a small DCGAN (Radford et al., 2016): [batch, latent]
// to digits [batch, 1, 28, 28], and these to logits [batch, 1].
func inventor(rng *rand.Rand) layers.Layer {
	return layers.NewSequential(
		layers.NewDense(rng, latent, 64*7*7),
		layers.Func("maps", func(x autograd.Value) autograd.Value { return x.Reshape(-1, 64, 7, 7) }),
		layers.NewBatchNorm(64), layers.ReLU(),
		double(rng, 64, 32), layers.NewBatchNorm(32), layers.ReLU(),
		double(rng, 32, 1), layers.Sigmoid())
}

func critic(rng *rand.Rand) layers.Layer {
	return layers.NewSequential(
		halve(rng, 1, 32), layers.LeakyReLU(0.2),
		halve(rng, 32, 64), layers.LeakyReLU(0.2),
		layers.Flatten(), layers.NewDense(rng, 64*7*7, 1))
}

// playDigits invents digits, a contact sheet after each epoch, and asks a LeNet
// what it sees in the last ones.
func playDigits(ctx context.Context, c *command.Command) error {
	set, err := c.Digits(ctx)
	if err != nil {
		return err
	}
	rng, rows := rand.New(rand.NewPCG(c.Seed, 1)), c.First(set.Train.Images.Dim(0))
	size := digitBatch
	noise := func() autograd.Tensor { return autograd.Normal(rng, 0, 1, size, latent) }
	m := newGame(inventor(rng), critic(rng), noise, optim.Adam{Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8}, 0)
	progress, done := c.Progress("digits", c.Epochs*rows), 0
	defer progress.End()
	for epoch := range c.Epochs {
		for batch := range data.Batches(rng, rows, digitBatch) {
			if err := ctx.Err(); err != nil {
				return err
			}
			rate := digitRate * (1 - float64(done)/float64(c.Epochs*rows))
			done, size = done+len(batch), len(batch)
			progress.Add(size, m.round(set.Train.Images.Take(batch...), rate))
		}
		progress.End()
		size = 100
		sheet := images.SheetWith(m.invent(), images.SheetOptions{Columns: 10, Zoom: 2})
		if err := c.WriteImage(fmt.Sprintf("digits.%02d.png", epoch+1), sheet); err != nil {
			return err
		}
	}
	size = samples
	seen, err := recognise(ctx, c, train.Data{Inputs: set.Train.Images, Labels: set.Train.Labels}, m.invent())
	if err != nil {
		return err
	}
	missing := 0
	for _, n := range seen {
		if n == 0 {
			missing++
		}
	}
	c.Result("network=dcgan classes=%d most=%.3f", len(seen)-missing, float64(slices.Max(seen))/samples)
	return nil
}

// recognise returns how many of the digits a LeNet takes for each class. It has
// learned that from the training rows just before.
func recognise(ctx context.Context, c *command.Command, rows train.Data, invented autograd.Tensor) ([]int, error) {
	rng, brief := rand.New(rand.NewPCG(c.Seed, 2)), *c
	brief.Epochs = min(2, c.Epochs)
	model := lenet.New(rng)
	if err := lenet.Teach(ctx, &brief, rng, model, rows); err != nil {
		return nil, err
	}
	logits, err := train.Predict(ctx, model, invented)
	if err != nil {
		return nil, err
	}
	counts := make([]int, logits.Dim(1))
	for _, class := range logits.ArgMax(1).Values() {
		counts[class]++
	}
	return counts, nil
}
