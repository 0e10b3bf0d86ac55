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
			nabla: func(p autograd.Precision) func() { return newElements(p, elementRows, elementColumns, o).step },
			peers: []peer{withTorch},
		})
	}
	return list
}

// An elementOperation is one of W7; unary ones ignore y. Those that are inside
// have operands between −1 and 1, others from a normal distribution.
type elementOperation struct {
	name   string
	apply  func(x, y autograd.Value) autograd.Value
	inside bool
}

var elementOperations = []elementOperation{
	{name: "exp", apply: func(x, _ autograd.Value) autograd.Value { return x.Exp() }},
	{name: "tanh", apply: func(x, _ autograd.Value) autograd.Value { return x.Tanh() }},
	{name: "sigmoid", apply: func(x, _ autograd.Value) autograd.Value { return x.Sigmoid() }},
	{name: "add", apply: autograd.Value.Add},
	{name: "mul", apply: autograd.Value.Mul},
	{name: "relu", apply: func(x, _ autograd.Value) autograd.Value { return x.ReLU() }},
	{name: "sum", apply: func(x, _ autograd.Value) autograd.Value { return x.Sum() }},
	{name: "gelu", apply: func(x, _ autograd.Value) autograd.Value { return x.GELU() }},
	{name: "asin", apply: func(x, _ autograd.Value) autograd.Value { return x.Asin() }, inside: true},
	{name: "softmax", apply: func(x, _ autograd.Value) autograd.Value { return x.Softmax(-1) }},
}

// elements is a W7 workload in Nabla.
type elements struct {
	g     *autograd.Graph
	x, y  *autograd.Param
	apply func(x, y autograd.Value) autograd.Value
}

func newElements(p autograd.Precision, rows, columns int, o elementOperation) *elements {
	rng := rand.New(rand.NewPCG(6, 0))
	operand := func() autograd.Tensor {
		if o.inside {
			return autograd.Uniform(rng, -1, 1, rows, columns).In(p)
		}
		return autograd.Normal(rng, 0, 1, rows, columns).In(p)
	}
	return &elements{
		g: autograd.NewGraph(autograd.Options{Precision: p, NoGrad: true}),
		x: autograd.NewParam("x", operand()), y: autograd.NewParam("y", operand()), apply: o.apply,
	}
}

func (e *elements) step() { e.forward() }

func (e *elements) forward() autograd.Value {
	e.g.Reset()
	return e.apply(e.g.Param(e.x), e.g.Param(e.y))
}
