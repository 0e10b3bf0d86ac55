package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
)

const learningRate = 0.08

// A network is one of the course's networks and the problem that it learns.
type network struct {
	task, group string // of the result line, and of the flag -task
	title       string // what is learned
	kind        string // its activations
	course      string // the course's figures

	sizes   []int // inputs, neurons of each layer
	epochs  int
	hidden  func() layers.Layer // activation between layers
	output  func() layers.Layer // activation after the last; nil for none
	weights layers.Initializer
	loss    func(prediction, target autograd.Value) autograd.Value
	problem func() problem
}

// networks are in the course's order. The course's figures come from other
// starting weights.
var networks = []network{
	{
		"linear", "linear", "price by distance", "", "MSE 16.4 train, 144.5 test",
		[]int{1, 1}, 100, nil, nil, layers.ZeroWeights, losses.MSE, line,
	},
	{
		"nonlinear-linear", "nonlinear", "price by distance, rating", "", "very poor",
		[]int{2, 3, 1}, 800, layers.Linear, nil, layers.GlorotUniform, losses.MSE, prices,
	},
	{
		"nonlinear", "nonlinear", "price by distance, rating", "relu", "MSE 50.8 train",
		[]int{2, 3, 1}, 800, layers.ReLU, nil, layers.GlorotUniform, losses.MSE, prices,
	},
	{
		"nonlinear-large", "nonlinear", "price by distance, rating", "relu", "none",
		[]int{2, 5, 10, 1}, 800, layers.ReLU, nil, layers.GlorotUniform, losses.MSE, prices,
	},
	{
		"binary", "binary", "hot deal or not", "relu, sigmoid", "92 % train, 88 % test",
		[]int{2, 3, 1}, 800, layers.ReLU, layers.Sigmoid, layers.GlorotUniform, losses.BinaryCrossEntropy, hot,
	},
	{
		"binary-large", "binary", "hot deal or not", "relu, sigmoid", "100 % train",
		[]int{2, 5, 10, 1}, 800, layers.ReLU, layers.Sigmoid, layers.GlorotUniform, losses.BinaryCrossEntropy, hot,
	},
	{
		"multiclass", "multiclass", "category", "relu, softmax", "96 % train, 75 % test",
		[]int{2, 3, 3}, 800, layers.ReLU, layers.Softmax, layers.GlorotUniform, losses.CategoricalCrossEntropy, category,
	},
	{
		"multiclass-large", "multiclass", "category", "relu, softmax", "100 % train",
		[]int{2, 5, 10, 3}, 800, layers.ReLU, layers.Softmax, layers.GlorotUniform, losses.CategoricalCrossEntropy, category,
	},
}

// chosen returns the networks of a task.
func chosen(task string) []network {
	var some []network
	for _, n := range networks {
		if task == "all" || task == n.group {
			some = append(some, n)
		}
	}
	return some
}

// model returns the network with weights drawn from the seed and biases of 0.
func (n network) model(seed uint64) *layers.Sequential {
	rng := rand.New(rand.NewPCG(seed, 0))
	var all []layers.Layer
	for i := 1; i < len(n.sizes); i++ {
		all = append(all, layers.NewDenseWith(rng, n.sizes[i-1], n.sizes[i], layers.DenseOptions{Weights: n.weights}))
		if i+1 < len(n.sizes) {
			all = append(all, n.hidden())
		}
	}
	if n.output != nil {
		all = append(all, n.output())
	}
	return layers.NewSequential(all...)
}

// described returns the shape and the activations: "2-3-1 relu, sigmoid".
func (n network) described() string { return strings.TrimSuffix(n.shape()+" "+n.kind, " ") }

// shape returns the sizes as "2-3-1".
func (n network) shape() string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(n.sizes), "[]"), " ", "-")
}
