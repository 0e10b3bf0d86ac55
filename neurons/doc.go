// Package neurons computes networks neuron by neuron: on scalar Values, with
// one Param for each weight, so that a drawing shows every step of the chain
// rule.
//
//	neuron := neurons.New(rand.New(rand.NewPCG(1, 0)), 2, layers.Tanh())
//	g := autograd.NewGraph(autograd.Options{})
//	a := neuron.Forward([]autograd.Value{g.Scalar(2), g.Scalar(1)})
//	grads := a.Backward()
//
// [Of] turns a network of Dense layers and activations into neurons that
// compute the same numbers.
package neurons
