// Command segmentation says of each pixel of a canvas which digit it belongs
// to, or to none. It draws canvases of 64 × 64 pixels from MNIST, one to four
// digits each, trains a small U-Net on them, and measures the mean intersection
// over union of the ten digits on canvases of unseen digits.
//
//	go run ./examples/segmentation [-data DIR] [-seed N] [-epochs N] [-rows N] [-out DIR] [-results]
//
// It writes segmentation/masks.png (or into -out): canvases, their masks, and
// those found.
package main

import (
	"context"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/examples/internal/canvas"
	"nabla/examples/internal/command"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/train"
)

const (
	seenCanvases   = 5000
	unseenCanvases = 1000
	batch          = 16
	rate           = 2e-3
	classes        = 11 // the background and ten digits
)

func main() {
	c := command.New("segmentation", 6)
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
	model := newUNet(rng, classes)
	c.Print("%s", layers.Summary(model, batch, 1, canvas.Size, canvas.Size))
	optimizer := optim.NewAdam(rate)
	err = c.Train(ctx, train.Config{
		Model: model, LabelLoss: loss, Optimizer: optimizer, BatchSize: batch, RNG: rng,
		Graph: autograd.Options{Precision: autograd.Float32},
	}, train.Data{Inputs: seen.Images, Labels: seen.Masks})
	if err != nil {
		return err
	}
	unseen := canvas.Draw(rng, digits.Test.Images, digits.Test.Labels, tests)
	output, err := train.PredictWith(ctx, model, unseen.Images, train.PredictOptions{
		Graph: autograd.Options{Precision: autograd.Float32}, BatchSize: 50,
	})
	if err != nil {
		return err
	}
	found, overlap := output.ArgMax(1), metrics.NewOverlap(classes)
	overlap.Add(found, unseen.Masks)
	c.Result("network=unet canvases=%d mean_iou=%.4f", tests, overlap.MeanIoU(0))
	return c.WriteImage("masks.png", canvas.DrawMasks(unseen.Images, unseen.Masks, found, 10))
}

// loss is the mean cross entropy of all pixels.
func loss(output autograd.Value, masks autograd.Ints) autograd.Value {
	return losses.CategoricalCrossEntropyLabelsWith(output, masks, losses.Options{Logits: true, ClassAxis: 1})
}
