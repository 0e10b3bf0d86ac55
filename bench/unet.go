package main

import (
	"math/rand/v2"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

// A unet is the segmentation example's network (16, 32 and 64 channels, 11
// classes) on 16 images of 64 × 64 pixels, trained by gradient descent.
type unet struct {
	g                                          *autograd.Graph
	fine, middle, coarse, middleBack, fineBack *layers.Sequential
	toMiddle, toFine                           *layers.ConvTranspose
	classify                                   *layers.Conv
	images                                     autograd.Tensor
	labels                                     autograd.Ints
	optimizer                                  *optim.SGD
}

const (
	unetBatch   = 16
	unetSide    = 64
	unetClasses = 11
)

func newUNet(p autograd.Precision) *unet {
	rng := rand.New(rand.NewPCG(8, 0))
	block := func(in, out, times int) *layers.Sequential {
		var all []layers.Layer
		for range times {
			all = append(all, layers.NewConv2DWith(rng, in, out, 3, layers.ConvOptions{Same: true, NoBias: true, Precision: p}),
				layers.NewBatchNormWith(out, layers.BatchNormOptions{Precision: p}), layers.ReLU())
			in = out
		}
		return layers.NewSequential(all...)
	}
	up := func(in, out int) *layers.ConvTranspose {
		return layers.NewConvTranspose2DWith(rng, in, out, 2, layers.ConvTransposeOptions{Stride: []int{2}, Precision: p})
	}
	labels := make([]int, unetBatch*unetSide*unetSide)
	for i := range labels {
		labels[i] = i % unetClasses
	}
	return &unet{
		g:    autograd.NewGraph(autograd.Options{Precision: p}),
		fine: block(1, 16, 1), middle: block(16, 32, 2), coarse: block(32, 64, 3),
		toMiddle: up(64, 32), middleBack: block(64, 32, 1), toFine: up(32, 16), fineBack: block(32, 16, 1),
		classify:  layers.NewConv2DWith(rng, 16, unetClasses, 1, layers.ConvOptions{Precision: p}),
		images:    spread(p, 1, 9, unetBatch, 1, unetSide, unetSide),
		labels:    autograd.NewInts(labels, unetBatch, unetSide, unetSide),
		optimizer: optim.NewSGD(lenetRate),
	}
}

func (u *unet) step() {
	u.g.Reset()
	half := autograd.PoolOptions{Kernel: []int{2}}
	fine := u.fine.Forward(u.g.Constant(u.images))
	middle := u.middle.Forward(fine.MaxPool(half))
	coarse := u.coarse.Forward(middle.MaxPool(half))
	middle = u.middleBack.Forward(autograd.Concat(1, middle, u.toMiddle.Forward(coarse)))
	fine = u.fineBack.Forward(autograd.Concat(1, fine, u.toFine.Forward(middle)))
	loss := losses.CategoricalCrossEntropyLabelsWith(u.classify.Forward(fine), u.labels, losses.Options{Logits: true, ClassAxis: 1})
	u.optimizer.Step(loss.Backward())
}
