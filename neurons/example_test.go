package neurons_test

import (
	"fmt"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/layers"
	"nabla/neurons"
)

// A neuron, its backward pass and the names that drawings show.
func ExampleNeuron() {
	neuron := neurons.New(rand.New(rand.NewPCG(1, 0)), 2, layers.Tanh())
	neuron.Weights[0].Set(autograd.Scalar(0.5))
	neuron.Weights[1].Set(autograd.Scalar(-1))

	g := autograd.NewGraph(autograd.Options{})
	a := neuron.Forward([]autograd.Value{g.Scalar(2), g.Scalar(1)})
	grads := a.Backward()
	for _, p := range neuron.Params() {
		fmt.Println(p.Name(), p.Item(), grads.OfParam(p).Item())
	}
	fmt.Println(a)
	// Output:
	// neuron.w1 0.5 2
	// neuron.w2 -1 1
	// neuron.b 0 1
	// a = tanh 0
}
