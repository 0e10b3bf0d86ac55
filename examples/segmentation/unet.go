package main

import (
	"math/rand/v2"

	"nabla/autograd"
	"nabla/layers"
)

// A unet looks at an image coarser and coarser, so that it sees whole digits,
// and then finer and finer again; on the way back it is shown what it saw at
// the same size on the way there (Ronneberger et al., 2015).
type unet struct {
	Fine, Middle, Coarse *layers.Sequential    // on the way there, at full, half and quarter size
	ToMiddle, ToFine     *layers.ConvTranspose // back to half and full size
	MiddleBack, FineBack *layers.Sequential    // on the way back
	Classify             *layers.Conv          // a class for each pixel
}

func newUNet(rng *rand.Rand, classes int) *unet {
	m := &unet{
		Fine:       block(rng, 1, 16, 1),
		Middle:     block(rng, 16, 32, 2),
		Coarse:     block(rng, 32, 64, 3),
		ToMiddle:   layers.NewConvTranspose2DWith(rng, 64, 32, 2, layers.ConvTransposeOptions{Stride: []int{2}}),
		MiddleBack: block(rng, 32+32, 32, 1),
		ToFine:     layers.NewConvTranspose2DWith(rng, 32, 16, 2, layers.ConvTransposeOptions{Stride: []int{2}}),
		FineBack:   block(rng, 16+16, 16, 1),
		Classify:   layers.NewConv2D(rng, 16, classes, 1),
	}
	layers.Name(m)
	layers.Convert(m, autograd.Float32)
	return m
}

// block is a number of convolutions that keep the size, each normalized and
// followed by ReLU.
func block(rng *rand.Rand, in, out, times int) *layers.Sequential {
	var all []layers.Layer
	for range times {
		all = append(all,
			layers.NewConv2DWith(rng, in, out, 3, layers.ConvOptions{Same: true, NoBias: true}),
			layers.NewBatchNorm(out), layers.ReLU())
		in = out
	}
	return layers.NewSequential(all...)
}

func (m *unet) Params() []*autograd.Param { return layers.ParamsOf(m) }

// Forward returns logits [batch, classes, height, width] for images [batch, 1,
// height, width], whose sides are divisible by 4.
func (m *unet) Forward(x autograd.Value) autograd.Value {
	half := autograd.PoolOptions{Kernel: []int{2}}
	fine := m.Fine.Forward(x)
	middle := m.Middle.Forward(fine.MaxPool(half))
	coarse := m.Coarse.Forward(middle.MaxPool(half))
	middle = m.MiddleBack.Forward(autograd.Concat(1, middle, m.ToMiddle.Forward(coarse)))
	fine = m.FineBack.Forward(autograd.Concat(1, fine, m.ToFine.Forward(middle)))
	return m.Classify.Forward(fine)
}
