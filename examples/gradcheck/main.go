// Command gradcheck shows how to test gradients: of a network with its
// parameters, and of a custom operation with a correct and with a wrong rule.
//
//	go run ./examples/gradcheck
//
// In your own package, put these checks in a test, as main_test.go does.
package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/layers"
	"nabla/losses"
)

func main() { run(os.Stdout) }

func run(w io.Writer) {
	fmt.Fprintln(w, "a network:", verdict(checkNetwork()))
	fmt.Fprintln(w, "an operation:", verdict(checkOperation(gaussian(-2))))
	fmt.Fprintln(w, "the same with a wrong rule:", verdict(checkOperation(gaussian(2))))
}

func verdict(err error) string {
	if err == nil {
		return "its gradients are right"
	}
	return err.Error()
}

func newModel(rng *rand.Rand) *layers.Sequential {
	return layers.NewSequential(layers.NewDense(rng, 2, 3), layers.Tanh(), layers.NewDense(rng, 3, 1))
}

// checkNetwork compares the gradients of a loss with finite differences, for
// the inputs and for every parameter of the network.
func checkNetwork() error {
	rng := rand.New(rand.NewPCG(1, 0))
	model := newModel(rng)
	targets := autograd.Normal(rng, 0, 1, 4, 1)
	cost := func(g *autograd.Graph, in []autograd.Value) autograd.Value {
		return losses.MSE(model.Forward(in[0]), g.Constant(targets))
	}
	return gradcheck.Check(cost, []autograd.Tensor{autograd.Normal(rng, 0, 1, 4, 2)}, model.Params()...)
}

// gaussian is the operation e^(−x²), whose derivative is factor·x·e^(−x²) for
// the factor −2.
func gaussian(factor float64) autograd.Operation {
	return autograd.Operation{
		Name: "gaussian",
		Forward: func(in []autograd.Tensor) autograd.Tensor {
			y := in[0].Float64s()
			for i, x := range y {
				y[i] = math.Exp(-x * x)
			}
			return autograd.NewTensor(y, in[0].Shape()...)
		},
		Rule: func(r *autograd.Rule) {
			r.Add(0, r.Grad().Mul(r.In(0)).Mul(r.Out()).MulScalar(factor))
		},
	}
}

// checkOperation checks an operation's rule to second order.
func checkOperation(op autograd.Operation) error {
	f := func(_ *autograd.Graph, in []autograd.Value) autograd.Value { return autograd.Custom(op, in[0]) }
	x := []autograd.Tensor{autograd.NewTensor([]float64{-1.5, -0.5, 0.25, 1})}
	if err := gradcheck.Check(f, x); err != nil {
		return err
	}
	return gradcheck.CheckSecond(f, x)
}
