package main

import (
	"context"
	"math"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/images"
	"nabla/examples/internal/command"
	"nabla/layers"
	"nabla/optim"
)

// The ring: eight normal distributions around a circle.
const (
	modes     = 8
	radius    = 2.0
	deviation = 0.1
	ringSteps = 20000
	ringBatch = 128
	ringRate  = 3e-3
	stages    = 8 // of the training, to be shown
)

var ringOptimizer = optim.Adam{Beta2: 0.99, Epsilon: 1e-8}

// center returns the middle of a mode.
func center(mode int) (x, y float64) {
	sin, cos := math.Sincos(2 * math.Pi * float64(mode) / modes)
	return radius * cos, radius * sin
}

func points(rng *rand.Rand, n int) autograd.Tensor {
	t := autograd.Normal(rng, 0, deviation, n, 2)
	for i := range n {
		x, y := center(rng.IntN(modes))
		t.Raw64()[2*i] += x
		t.Raw64()[2*i+1] += y
	}
	return t
}

func dense(rng *rand.Rand, out int) *layers.Sequential {
	return layers.NewSequential(
		layers.NewDense(rng, 2, 64), layers.LeakyReLU(0.2),
		layers.NewDense(rng, 64, 64), layers.LeakyReLU(0.2),
		layers.NewDense(rng, 64, out))
}

// playRing invents points, and counts how many lie near a mode.
func playRing(ctx context.Context, c *command.Command) error {
	rng, steps := rand.New(rand.NewPCG(c.Seed, 0)), ringSteps
	if c.Rows > 0 {
		steps = max(stages, c.Rows/ringBatch)
	}
	size := ringBatch
	noise := func() autograd.Tensor { return autograd.Normal(rng, 0, 1, size, 2) }
	m := newGame(dense(rng, 2), dense(rng, 1), noise, ringOptimizer, 0.1)
	progress := c.Progress("ring", steps)
	defer progress.End()
	var invented autograd.Tensor
	pictures := make([]autograd.Tensor, 0, stages)
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		progress.Add(1, m.round(points(rng, ringBatch), ringRate*(1-float64(step)/float64(steps))))
		if (step+1)*stages/steps > len(pictures) {
			size = 10000
			invented = m.invent()
			size = ringBatch
			pictures = append(pictures, picture(invented))
		}
	}
	progress.End()
	reached, near := judgeRing(invented)
	c.Result("network=ring modes=%d near=%.4f", reached, near)
	return c.WriteImage("ring.png", images.SheetWith(images.Batch(pictures), images.SheetOptions{Columns: stages, Zoom: 2}))
}

// picture returns how many points lie where, up to 1 for many.
func picture(points autograd.Tensor) autograd.Tensor {
	const pixels, side = 64, 3.0
	counts := make([]float32, pixels*pixels)
	for i := range points.Dim(0) {
		x, y := int((points.At(i, 0)/side+1)*pixels/2), int((1-points.At(i, 1)/side)*pixels/2)
		if x >= 0 && x < pixels && y >= 0 && y < pixels {
			counts[y*pixels+x] = min(1, counts[y*pixels+x]+0.01)
		}
	}
	return autograd.NewTensor32(counts, 1, pixels, pixels)
}

// judgeRing returns how many modes have at least 1 % of the points within three
// deviations, and the share of the points that are that near to one.
func judgeRing(points autograd.Tensor) (reached int, near float64) {
	var counts [modes]int
	n := points.Dim(0)
	for i := range n {
		for mode := range modes {
			x, y := center(mode)
			if math.Hypot(points.At(i, 0)-x, points.At(i, 1)-y) <= 3*deviation {
				counts[mode]++
			}
		}
	}
	for _, count := range counts {
		near += float64(count) / float64(n)
		if count*100 >= n {
			reached++
		}
	}
	return reached, near
}
