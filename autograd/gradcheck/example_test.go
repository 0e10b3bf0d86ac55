package gradcheck_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
)

// The program of the package comment: a layer with its Params.
func Example() {
	rng := rand.New(rand.NewPCG(1, 0))
	w := autograd.NewParam("w", autograd.Normal(rng, 0, 1, 3, 2))
	b := autograd.NewParam("b", autograd.Zeros(2))
	neuron := func(g *autograd.Graph, in []autograd.Value) autograd.Value {
		return in[0].MatMul(g.Param(w)).Add(g.Param(b)).Tanh()
	}
	x := []autograd.Tensor{autograd.Normal(rng, 0, 1, 4, 3)}
	fmt.Println("first order:", gradcheck.Check(neuron, x, w, b))
	fmt.Println("second order:", gradcheck.CheckSecond(neuron, x, w, b))
	// Output:
	// first order: <nil>
	// second order: <nil>
}

// An operation of one's own, once with the right rule and once with a sign
// that got lost.
func ExampleCheck_custom() {
	gauss := func(sign float64) gradcheck.Function {
		op := autograd.Operation{
			Name: "gauss",
			Forward: func(in []autograd.Tensor) autograd.Tensor {
				y := in[0].Clone()
				for i, v := range y.Raw64() {
					y.Raw64()[i] = math.Exp(-v * v)
				}
				return y
			},
			Rule: func(r *autograd.Rule) {
				r.Add(0, r.Grad().Mul(r.In(0)).Mul(r.Out()).MulScalar(2*sign))
			},
		}
		return func(_ *autograd.Graph, in []autograd.Value) autograd.Value { return autograd.Custom(op, in...) }
	}
	x := []autograd.Tensor{autograd.NewTensor([]float64{0.5, 1})}
	fmt.Println(gradcheck.Check(gauss(-1), x))
	fmt.Println(gradcheck.CheckSecond(gauss(-1), x))
	fmt.Println(gradcheck.Check(gauss(1), x) != nil)
	// Output:
	// <nil>
	// <nil>
	// true
}

// There is no derivative at a kink, so a check there proves nothing and says
// so.
func ExampleError() {
	relu := func(_ *autograd.Graph, in []autograd.Value) autograd.Value { return in[0].ReLU() }
	err := gradcheck.Check(relu, []autograd.Tensor{autograd.NewTensor([]float64{-1, 0, 1})})
	if e, ok := err.(*gradcheck.Error); ok {
		for _, entry := range e.Entries {
			fmt.Println(entry.Name, entry.Index, entry.Verdict)
		}
	}
	fmt.Println(gradcheck.Check(relu, []autograd.Tensor{autograd.NewTensor([]float64{-1, 0.1, 1})}))
	// Output:
	// input 0 [1] kink
	// <nil>
}
