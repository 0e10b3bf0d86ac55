package main

import (
	"math"
	"math/rand/v2"
	"strings"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

// W5 is images: LeNet on 32 images of 28 × 28 pixels, and the operations of
// residual networks on 32 images of 32 × 32.
const (
	imageBatch = 32
	imageSide  = 32
	lenetRate  = 0.01
)

func images() []workload {
	list := []workload{
		{name: "W5-lenet-b32", nabla: func(p autograd.Precision) func() { return newLeNet(p).step }, peers: trained},
		{name: "W5-lenet-b32-forward", nabla: func(p autograd.Precision) func() { return newLeNet(p).predict }, peers: inPython},
		{name: "W5-unet-b16", nabla: func(p autograd.Precision) func() { return newUNet(p).step }, peers: inPython[:1]},
	}
	for _, o := range imageOperations {
		list = append(list, workload{
			name:  "W5-" + o.name,
			nabla: func(p autograd.Precision) func() { return newImages(p, o).step },
			peers: inPython,
		})
	}
	return list
}

// A checked workload computes from numbers that its peers in Python have too,
// and says what came of it.
type checked interface {
	step()
	check() float64
}

// newChecked returns a workload of W5, W6, W8 or W9, nil for another name.
func newChecked(name string, p autograd.Precision) checked {
	switch name {
	case "W5-lenet-b32":
		return newLeNet(p)
	case "W6-lstm", "W6-gru":
		return newRecurrentAlone(name[len("W6-"):], p)
	}
	for _, o := range imageOperations {
		if name == "W5-"+o.name {
			return newImages(p, o)
		}
	}
	switch {
	case strings.HasPrefix(name, "W8-block"):
		return newBlock(name, p)
	case name == "W8-attention-4096":
		return newLongAttention(p)
	case name == "W8-token":
		return newGPT(p)
	case strings.HasPrefix(name, "W9-"):
		return newTable(name, p)
	}
	return nil
}

// spread returns n numbers between −bound and bound, without chance, so that
// each language can make the same.
func spread(p autograd.Precision, bound float64, seed int, shape ...int) autograd.Tensor {
	n := 1
	for _, size := range shape {
		n *= size
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = bound * (float64((i*7919+seed*104729)%1009)/504.5 - 1)
	}
	return autograd.NewTensor(values, shape...).In(p)
}

// A lenet is LeNet-5 with relu and max pooling, trained by gradient descent.
type lenet struct {
	g         *autograd.Graph
	model     *layers.Sequential
	images    autograd.Tensor
	labels    autograd.Ints
	optimizer *optim.SGD
	loss      autograd.Value
}

func newLeNet(p autograd.Precision) *lenet {
	rng := rand.New(rand.NewPCG(7, 0))
	model := layers.NewSequential(
		layers.NewConv2DWith(rng, 1, 6, 5, layers.ConvOptions{Same: true}), layers.ReLU(), layers.MaxPool2D(2),
		layers.NewConv2D(rng, 6, 16, 5), layers.ReLU(), layers.MaxPool2D(2),
		layers.Flatten(),
		layers.NewDense(rng, 16*5*5, 120), layers.ReLU(),
		layers.NewDense(rng, 120, 84), layers.ReLU(),
		layers.NewDense(rng, 84, 10),
	)
	layers.Convert(model, p)
	for i, param := range model.Params() {
		if param.Rank() == 1 {
			continue // biases start at zero
		}
		inputs := param.Size() / param.Dim(0)
		if param.Rank() == 2 {
			inputs = param.Dim(0)
		}
		param.Set(spread(p, math.Sqrt(3/float64(inputs)), i, param.Shape()...))
	}
	labels := make([]int, imageBatch)
	for i := range labels {
		labels[i] = i % 10
	}
	return &lenet{
		g: autograd.NewGraph(autograd.Options{Precision: p}), model: model,
		images: spread(p, 1, 100, imageBatch, 1, 28, 28), labels: autograd.NewInts(labels),
		optimizer: optim.NewSGD(lenetRate),
	}
}

func (l *lenet) step() {
	l.g.Reset()
	logits := l.model.Forward(l.g.Constant(l.images))
	l.loss = losses.CategoricalCrossEntropyLabelsWith(logits, l.labels, losses.Options{Logits: true})
	l.optimizer.Step(l.loss.Backward())
}

// check returns the last step's loss.
func (l *lenet) check() float64 { return l.loss.Item() }

// predict is the forward pass alone, on the same graph.
func (l *lenet) predict() {
	l.g.Reset()
	l.model.Forward(l.g.Constant(l.images))
}

// An imageOperation is one of W5, from images and, if weights is not nil,
// weights of that shape.
type imageOperation struct {
	name     string
	channels int
	weights  []int
	bound    float64 // of the weights
	apply    func(x, w autograd.Value) autograd.Value
}

var imageOperations = []imageOperation{
	convolution("conv-16", 16, 1),
	convolution("conv-32", 32, 1),
	convolution("conv-64", 64, 1),
	convolution("depthwise-32", 32, 32),
	{"batchnorm-32", 32, []int{32}, 1, func(x, w autograd.Value) autograd.Value {
		y, _, _ := x.BatchNorm(w, w, 1e-5)
		return y
	}},
	{"maxpool-32", 32, nil, 0, func(x, _ autograd.Value) autograd.Value {
		return x.MaxPool(autograd.PoolOptions{Kernel: []int{2}})
	}},
	{"avgpool-32", 32, nil, 0, func(x, _ autograd.Value) autograd.Value {
		return x.AvgPool(autograd.PoolOptions{Kernel: []int{2}})
	}},
}

func convolution(name string, channels, groups int) imageOperation {
	return imageOperation{
		name, channels, []int{channels, channels / groups, 3, 3}, math.Sqrt(1 / float64(3*channels/groups)),
		func(x, w autograd.Value) autograd.Value {
			return x.Conv(w, autograd.ConvOptions{Same: true, Groups: groups})
		},
	}
}

// imagesAlone is an operation of W5: forward, and backward to images and
// weights from gradients that are given.
type imagesAlone struct {
	imageOperation
	g     *autograd.Graph
	x, w  *autograd.Param
	seed  autograd.Tensor
	grads autograd.Gradients
}

func newImages(p autograd.Precision, o imageOperation) *imagesAlone {
	a := &imagesAlone{imageOperation: o, g: autograd.NewGraph(autograd.Options{Precision: p})}
	a.x = autograd.NewParam("x", spread(p, 1, 1, imageBatch, o.channels, imageSide, imageSide))
	if o.weights != nil {
		a.w = autograd.NewParam("w", spread(p, o.bound, 2, o.weights...))
	}
	a.seed = spread(p, 1, 3, a.forward().Shape()...)
	return a
}

func (a *imagesAlone) forward() autograd.Value {
	a.g.Reset()
	var w autograd.Value
	if a.w != nil {
		w = a.g.Param(a.w)
	}
	return a.apply(a.g.Param(a.x), w)
}

func (a *imagesAlone) step() { a.grads = a.forward().BackwardFrom(a.seed) }

// check returns the sum of the squares of the gradients.
func (a *imagesAlone) check() float64 { return sumOfSquares(a.grads) }

func sumOfSquares(grads autograd.Gradients) float64 {
	sum := 0.0
	for _, gradient := range grads.All() {
		for _, v := range gradient.Float64s() {
			sum += v * v
		}
	}
	return sum
}
