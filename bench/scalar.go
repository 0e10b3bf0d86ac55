package main

import (
	"math/rand/v2"

	"nabla/autograd"
	"nabla/optim"
)

// W1-scalar is a network of single numbers, one Param for each weight, trained
// on one sample.
var (
	scalarWidths = [...]int{2, 16, 16, 1}
	scalarInput  = [2]float64{0.5, -0.3}
)

const (
	scalarTarget = 0.7
	scalarRate   = 0.01
)

// scalarWeights returns the initial parameters: for each neuron its bias, then
// its weights.
func scalarWeights() []float64 {
	rng := rand.New(rand.NewPCG(1, 0))
	var all []float64
	for i, width := range scalarWidths[1:] {
		for range width {
			all = append(all, 0)
			for range scalarWidths[i] {
				all = append(all, rng.Float64()-0.5)
			}
		}
	}
	return all
}

// A scalarNetwork is W1-scalar's network in Nabla.
type scalarNetwork struct {
	g         *autograd.Graph
	params    []*autograd.Param
	layer     [2][]autograd.Value // the outputs of the previous and the current layer
	optimizer *optim.SGD
}

func newScalarNetwork(p autograd.Precision) *scalarNetwork {
	n := &scalarNetwork{g: autograd.NewGraph(autograd.Options{Precision: p}), optimizer: optim.NewSGD(scalarRate)}
	for _, w := range scalarWeights() {
		n.params = append(n.params, autograd.NewParam("w", autograd.Scalar(w).In(p)))
	}
	return n
}

// step predicts, measures, differentiates and updates.
func (n *scalarNetwork) step() { n.optimizer.Step(n.forward().Backward()) }

// forward records the loss.
func (n *scalarNetwork) forward() autograd.Value {
	n.g.Reset()
	x := append(n.layer[0][:0], n.g.Scalar(scalarInput[0]), n.g.Scalar(scalarInput[1]))
	y := n.layer[1]
	params := n.params
	for _, width := range scalarWidths[1:] {
		y = y[:0]
		for range width {
			y = append(y, n.neuron(params[:len(x)+1], x))
			params = params[len(x)+1:]
		}
		x, y = y, x
	}
	n.layer[0], n.layer[1] = x, y
	return x[0].Sub(n.g.Scalar(scalarTarget)).Square()
}

// neuron records tanh(b + Σ wᵢxᵢ).
func (n *scalarNetwork) neuron(params []*autograd.Param, x []autograd.Value) autograd.Value {
	z := n.g.Param(params[0])
	for i, xi := range x {
		z = z.Add(n.g.Param(params[i+1]).Mul(xi))
	}
	return z.Tanh()
}

func scalarStep(p autograd.Precision) func() { return newScalarNetwork(p).step }

// W1-chain is a chain of operations, each applied to the result of the previous
// one.
const (
	chainLength  = 1_000_000
	chainStart   = 0.5
	chainFactor  = 0.9
	chainSummand = 0.1
)

// A chain is W1-chain in Nabla.
type chain struct {
	g                      *autograd.Graph
	length                 int
	start, factor, summand autograd.Tensor
	leaves                 [3]autograd.Value // their Values in the recording
	grads                  autograd.Gradients
}

func newChain(p autograd.Precision) *chain {
	return &chain{
		g:       autograd.NewGraph(autograd.Options{Precision: p}),
		length:  chainLength,
		start:   autograd.Scalar(chainStart).In(p),
		factor:  autograd.Scalar(chainFactor).In(p),
		summand: autograd.Scalar(chainSummand).In(p),
	}
}

func (c *chain) step() { c.grads = c.forward().Backward() }

// forward records the chain: a product, a sum and a tanh in turn.
func (c *chain) forward() autograd.Value {
	c.g.Reset()
	x := c.g.Variable(c.start)
	factor, summand := c.g.Variable(c.factor), c.g.Variable(c.summand)
	c.leaves = [...]autograd.Value{x, factor, summand}
	for i := range c.length {
		switch i % 3 {
		case 0:
			x = x.Mul(factor)
		case 1:
			x = x.Add(summand)
		case 2:
			x = x.Tanh()
		}
	}
	return x
}

func chainStep(p autograd.Precision) func() { return newChain(p).step }
