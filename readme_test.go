package nabla_test

import (
	"fmt"
	"math/rand/v2"
	"os"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/data"
	"nabla/data/hotels"
	"nabla/graphviz"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

// The README's code.

func Example_neuron() {
	// The drawing goes nowhere here: graphviz has golden files.
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer nowhere.Close()

	g := autograd.NewGraph(autograd.Options{Trace: true}) // float64; Trace keeps every gradient
	x, w, b := g.Scalar(3), g.Variable(autograd.Scalar(0.5)), g.Variable(autograd.Scalar(2))
	z := w.Mul(x).Add(b).Named("z") // weighted sum
	a := z.Tanh().Named("a")        // activation
	loss := a.Sub(g.Scalar(1)).Square()
	grads := loss.Backward()
	fmt.Printf("dw = %.3g\n", grads.Of(w).Item()) // dw = input × dz
	os.Stdout = nowhere
	graphviz.Write(os.Stdout, loss, graphviz.Options{Gradients: grads})
	graphviz.WriteBackward(os.Stdout, loss, graphviz.Options{Gradients: grads})
	// Output: dw = -3.98e-05
}

func Example_trainByHand() {
	g := autograd.NewGraph(autograd.Options{})
	w, b := autograd.NewParam("w", autograd.Scalar(0)), autograd.NewParam("b", autograd.Scalar(0))
	optimizer := optim.NewSGD(0.05)
	for range 400 {
		g.Reset()
		loss := g.Scalar(0)
		for _, x := range []float64{-1, 0, 1, 2} { // a line through 2x + 1
			prediction := g.Param(w).Mul(g.Scalar(x)).Add(g.Param(b))
			loss = loss.Add(prediction.Sub(g.Scalar(2*x + 1)).Square())
		}
		optimizer.Step(loss.Backward())
	}
	fmt.Printf("w = %.4f, b = %.4f\n", w.Item(), b.Item())
	// Output: w = 2.0000, b = 1.0000
}

func Example_trainNetwork() {
	rng := rand.New(rand.NewPCG(4, 0))
	rows := hotels.Load().Train()
	features := data.FitStandard(rows.Features()).Transform(rows.Features()).Tensor()
	prices := data.FitStandard(rows.Prices()).Transform(rows.Prices()).Tensor()

	model := layers.NewSequential(layers.NewDense(rng, 2, 3), layers.ReLU(), layers.NewDense(rng, 3, 1))
	optimizer := optim.NewSGD(0.08)
	g := autograd.NewGraph(autograd.Options{})
	cost := 0.0
	for range 800 {
		g.Reset()
		prediction := model.Forward(g.Constant(features))
		loss := losses.MSE(prediction, g.Constant(prices))
		cost = loss.Item()
		optimizer.Step(loss.Backward())
	}
	fmt.Printf("cost %.3f\n", cost)
	// Output: cost 0.037
}

func Example_checkGradient() {
	rng := rand.New(rand.NewPCG(1, 0))
	err := gradcheck.Check(func(g *autograd.Graph, in []autograd.Value) autograd.Value {
		return in[0].MatMul(in[1]).Tanh()
	}, []autograd.Tensor{autograd.Normal(rng, 0, 1, 4, 3), autograd.Normal(rng, 0, 1, 3, 2)})
	fmt.Println(err)
	// Output: <nil>
}
