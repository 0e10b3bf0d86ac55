package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

const networkRate = 0.001

var (
	smallWidths = []int{784, 128, 10}
	largeWidths = []int{784, 512, 512, 10}
)

// networks returns W3: Dense layers with relu between them, softmax cross
// entropy of class labels, and gradient descent.
func networks() []workload {
	var list []workload
	for _, widths := range [][]int{smallWidths, largeWidths} {
		for _, batch := range []int{64, 128} {
			list = append(list, workload{
				name:  fmt.Sprintf("W3-%s-b%d", strings.Trim(strings.ReplaceAll(fmt.Sprint(widths), " ", "-"), "[]"), batch),
				flops: forwardFlops(widths, batch) + backwardFlops(widths, batch),
				nabla: func(p autograd.Precision) func() { return newNetwork(p, batch, widths).step },
				peers: slices.Concat(trained, inGo),
			})
		}
	}
	return list
}

// forwardFlops counts the matrix products, a multiplication and an addition
// for each weight and row.
func forwardFlops(widths []int, batch int) float64 {
	weights := 0
	for i, width := range widths[1:] {
		weights += widths[i] * width
	}
	return 2 * float64(batch*weights)
}

// backwardFlops counts the products for the gradients of all weights and of the
// inputs of all layers except the first.
func backwardFlops(widths []int, batch int) float64 {
	return forwardFlops(widths, batch) + forwardFlops(widths[1:], batch)
}

// A network is a W3 network in Nabla.
type network struct {
	g         *autograd.Graph
	model     *layers.Sequential
	features  autograd.Tensor
	labels    autograd.Ints
	optimizer *optim.SGD
}

func newNetwork(p autograd.Precision, batch int, widths []int) *network {
	rng := rand.New(rand.NewPCG(4, 0))
	labels := make([]int, batch)
	for i := range labels {
		labels[i] = rng.IntN(widths[len(widths)-1])
	}
	var stack []layers.Layer
	for i, width := range widths[1:] {
		if i > 0 {
			stack = append(stack, layers.ReLU())
		}
		stack = append(stack, layers.NewDenseWith(rng, widths[i], width, layers.DenseOptions{Precision: p}))
	}
	return &network{
		g:         autograd.NewGraph(autograd.Options{Precision: p}),
		model:     layers.NewSequential(stack...),
		features:  autograd.Normal(rng, 0, 1, batch, widths[0]).In(p),
		labels:    autograd.NewInts(labels),
		optimizer: optim.NewSGD(networkRate),
	}
}

func (n *network) step() { n.optimizer.Step(n.forward().Backward()) }

// forward records the loss.
func (n *network) forward() autograd.Value {
	n.g.Reset()
	return losses.CategoricalCrossEntropyLabelsWith(n.model.Forward(n.g.Constant(n.features)), n.labels, losses.Options{Logits: true})
}

// ratio compares the forward pass of a large network with its forward and
// backward pass, without the update: Nabla's column is the forward pass, so
// that the ratio is (forward + backward) ÷ forward. Counted in operations it is
// 2.4.
func ratio() workload {
	const batch = 64
	return workload{
		name:  "W-ratio",
		flops: forwardFlops(largeWidths, batch),
		nabla: func(p autograd.Precision) func() {
			n := newNetwork(p, batch, largeWidths)
			return func() { n.forward() }
		},
		peers: []peer{{"forward+backward", func(p autograd.Precision) func() {
			n := newNetwork(p, batch, largeWidths)
			return func() { n.forward().Backward() }
		}}},
	}
}
