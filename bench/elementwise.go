package main

import (
	"math/rand/v2"

	"nabla/autograd"
)

// elements is the number of elements of W7, in a square.
const (
	elementRows    = 1000
	elementColumns = 1000
)

// elementwise returns W7: operations on a million elements, as a user calls
// them, on Values of a NoGrad graph. The operands are Params, which are read in
// place, so that no copy is measured.
func elementwise() []workload {
	var list []workload
	for _, o := range elementOperations {
		list = append(list, workload{
			name:  "W7-" + o.name,
			nabla: func(p autograd.Precision) func() { return newElements(p, elementRows, elementColumns, o.apply).step },
			peers: []peer{withTorch},
		})
	}
	return list
}

// An elementOperation is one of W7; unary ones ignore y.
type elementOperation struct {
	name  string
	apply func(x, y autograd.Value) autograd.Value
}

var elementOperations = []elementOperation{
	{"exp", func(x, _ autograd.Value) autograd.Value { return x.Exp() }},
	{"tanh", func(x, _ autograd.Value) autograd.Value { return x.Tanh() }},
	{"sigmoid", func(x, _ autograd.Value) autograd.Value { return x.Sigmoid() }},
	{"add", autograd.Value.Add},
	{"mul", autograd.Value.Mul},
	{"relu", func(x, _ autograd.Value) autograd.Value { return x.ReLU() }},
	{"sum", func(x, _ autograd.Value) autograd.Value { return x.Sum() }},
	{"softmax", func(x, _ autograd.Value) autograd.Value { return x.Softmax(-1) }},
}

// elements is a W7 workload in Nabla.
type elements struct {
	g     *autograd.Graph
	x, y  *autograd.Param
	apply func(x, y autograd.Value) autograd.Value
}

// newElements returns operands drawn from a normal distribution.
func newElements(p autograd.Precision, rows, columns int, apply func(x, y autograd.Value) autograd.Value) *elements {
	rng := rand.New(rand.NewPCG(6, 0))
	return &elements{
		g:     autograd.NewGraph(autograd.Options{Precision: p, NoGrad: true}),
		x:     autograd.NewParam("x", autograd.Normal(rng, 0, 1, rows, columns).In(p)),
		y:     autograd.NewParam("y", autograd.Normal(rng, 0, 1, rows, columns).In(p)),
		apply: apply,
	}
}

func (e *elements) step() { e.forward() }

func (e *elements) forward() autograd.Value {
	e.g.Reset()
	return e.apply(e.g.Param(e.x), e.g.Param(e.y))
}
