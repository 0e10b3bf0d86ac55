package main

import (
	"context"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data"
	"nabla/data/hotels"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/train"
)

// A network predicts prices in dollars from distances in miles and ratings. The
// scaling is part of it, so that a file of the network has all that is needed.
type network struct {
	Features, Price scaling
	Net             *layers.Sequential
}

// A scaling has what a column is standardised with. Training observes nothing
// of it: it is fitted before.
type scaling struct{ Mean, Deviation *autograd.Param }

func newScaling(name string, s data.Standard) scaling {
	return scaling{
		autograd.NewStatistic(name+".mean", autograd.NewTensor(s.Mean)),
		autograd.NewStatistic(name+".deviation", autograd.NewTensor(s.Std)),
	}
}

func newNetwork(rng *rand.Rand, features, price data.Standard) *network {
	return &network{
		newScaling("features", features), newScaling("price", price),
		layers.NewSequential(layers.NewDense(rng, 2, 3), layers.ReLU(), layers.NewDense(rng, 3, 1)),
	}
}

// Params returns what a file of the network has.
func (n *network) Params() []*autograd.Param {
	scalings := []*autograd.Param{n.Features.Mean, n.Features.Deviation, n.Price.Mean, n.Price.Deviation}
	return append(scalings, n.Net.Params()...)
}

// Forward returns prices [rows, 1] for features [rows, 2].
func (n *network) Forward(x autograd.Value) autograd.Value {
	g := x.Graph()
	standardised := x.Sub(g.Param(n.Features.Mean)).Div(g.Param(n.Features.Deviation))
	return n.Net.Forward(standardised).Mul(g.Param(n.Price.Deviation)).Add(g.Param(n.Price.Mean))
}

// learn trains a network on the course's hotels.
func learn(ctx context.Context) (*network, error) {
	rows := hotels.Load().Train()
	features, price := data.FitStandard(rows.Features()), data.FitStandard(rows.Prices())
	n := newNetwork(rand.New(rand.NewPCG(4, 0)), features, price)
	_, err := train.Run(ctx, train.Config{Model: n.Net, Loss: losses.MSE, Optimizer: optim.NewSGD(0.08), Epochs: 800}, train.Data{
		Inputs:  features.Transform(rows.Features()).Tensor(),
		Targets: price.Transform(rows.Prices()).Tensor(),
	})
	return n, err
}
