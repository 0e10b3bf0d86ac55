// Command detection finds the digits on canvases of 64 × 64 pixels: where each
// is, and which. It draws the canvases from MNIST, one to four digits each,
// trains a small network on them in one shot per cell, and measures the mean
// average precision on canvases of unseen digits.
//
//	go run ./examples/detection [-data DIR] [-seed N] [-epochs N] [-rows N] [-out DIR] [-results]
//
// It writes detection/boxes.png (or into -out): canvases with the boxes found.
package main

import (
	"context"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/examples/internal/canvas"
	"nabla/examples/internal/command"
	"nabla/layers"
	"nabla/metrics"
	"nabla/optim"
	"nabla/train"
)

const (
	seenCanvases   = 10000
	unseenCanvases = 1000
	batch          = 32
	rate           = 2e-3
	sure           = 0.5 // the score from which a box is drawn
)

func main() {
	c := command.New("detection", 5)
	c.Main(func(ctx context.Context) error { return run(ctx, c, unseenCanvases) })
}

// run trains, and tests on so many unseen canvases.
func run(ctx context.Context, c *command.Command, tests int) error {
	digits, err := c.Digits(ctx)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(c.Seed, 0))
	seen := canvas.Draw(rng, digits.Train.Images, digits.Train.Labels, c.First(seenCanvases))
	model := newNetwork(rng)
	c.Print("%s", layers.Summary(model, batch, 1, canvas.Size, canvas.Size))
	optimizer := optim.NewAdam(rate)
	err = c.Train(ctx, train.Config{
		Model: model, Loss: loss, Optimizer: optimizer, BatchSize: batch, RNG: rng,
		Graph: autograd.Options{Precision: autograd.Float32},
	}, train.Data{Inputs: seen.Images, Targets: targets(seen)})
	if err != nil {
		return err
	}
	unseen := canvas.Draw(rng, digits.Test.Images, digits.Test.Labels, tests)
	output, err := train.PredictWith(ctx, model, unseen.Images, train.PredictOptions{
		Graph: autograd.Options{Precision: autograd.Float32}, BatchSize: 100,
	})
	if err != nil {
		return err
	}
	found := decode(output)
	c.Result("network=detector canvases=%d map50=%.4f", tests, metrics.MeanAveragePrecision(found, unseen.Detections(), 0.5))
	return c.WriteImage("boxes.png", canvas.DrawBoxes(unseen.Images, found, 24, sure))
}
