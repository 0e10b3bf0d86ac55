package main

import (
	"math/rand/v2"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

// W2 is the course's network: two features, three hidden neurons with relu,
// one output, 24 rows, trained on all of them at once.
const (
	tinyRows   = 24
	tinyInputs = 2
	tinyHidden = 3
	tinyRate   = 0.01
)

// tinyData returns the features, row by row, and the targets.
func tinyData() (features, targets []float64) {
	rng := rand.New(rand.NewPCG(2, 0))
	for range tinyRows {
		a, b := rng.NormFloat64(), rng.NormFloat64()
		features = append(features, a, b)
		targets = append(targets, a*b+0.1*rng.NormFloat64())
	}
	return features, targets
}

// A tinyNetwork is W2 in Nabla.
type tinyNetwork struct {
	g                 *autograd.Graph
	model             *layers.Sequential
	features, targets autograd.Tensor
	optimizer         *optim.SGD
}

func newTinyNetwork(p autograd.Precision) *tinyNetwork {
	features, targets := tinyData()
	rng := rand.New(rand.NewPCG(3, 0))
	return &tinyNetwork{
		g: autograd.NewGraph(autograd.Options{Precision: p}),
		model: layers.NewSequential(
			layers.NewDenseWith(rng, tinyInputs, tinyHidden, layers.DenseOptions{Weights: layers.HeUniform, Precision: p}),
			layers.ReLU(),
			layers.NewDenseWith(rng, tinyHidden, 1, layers.DenseOptions{Precision: p}),
		),
		features:  autograd.NewTensor(features, tinyRows, tinyInputs).In(p),
		targets:   autograd.NewTensor(targets, tinyRows, 1).In(p),
		optimizer: optim.NewSGD(tinyRate),
	}
}

func (n *tinyNetwork) step() { n.optimizer.Step(n.forward().Backward()) }

// forward records the loss.
func (n *tinyNetwork) forward() autograd.Value {
	n.g.Reset()
	return losses.MSE(n.model.Forward(n.g.Constant(n.features)), n.g.Constant(n.targets))
}

func tinyStep(p autograd.Precision) func() { return newTinyNetwork(p).step }
