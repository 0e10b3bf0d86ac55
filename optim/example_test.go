package optim_test

import (
	"fmt"

	"nabla/autograd"
	"nabla/optim"
)

func Example() {
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

// Gradients are clipped between Backward and Step.
func ExampleClipNorm() {
	g := autograd.NewGraph(autograd.Options{})
	w := autograd.NewParam("w", autograd.NewTensor([]float64{3, 4}))
	loss := g.Param(w).Square().Sum().MulScalar(5) // its gradient is 10·w
	optimizer := optim.NewSGD(1)

	grads := loss.Backward()
	norm := optim.ClipNorm(grads, 1)
	optimizer.Step(grads)
	fmt.Printf("the norm was %.0f, the step %.1f to %.1f\n", norm, 3-w.Tensor().At(0), 4-w.Tensor().At(1))
	// Output: the norm was 50, the step 0.6 to 0.8
}

// A rate may change between steps.
func ExampleSGD_schedule() {
	g := autograd.NewGraph(autograd.Options{})
	w := autograd.NewParam("w", autograd.Scalar(1))
	optimizer := optim.NewSGD(0.1)
	for epoch := range 4 {
		if epoch == 2 {
			optimizer.LearningRate /= 10
		}
		g.Reset()
		optimizer.Step(g.Param(w).Backward()) // the gradient is 1
		fmt.Printf("%.2f ", w.Item())
	}
	// Output: 0.90 0.80 0.79 0.78
}

// Biases without decay, and an encoder that learns slowly, also when the rate
// changes.
func ExampleGroup() {
	weight := autograd.NewParam("encoder.weight", autograd.Scalar(1))
	bias := autograd.NewParam("encoder.bias", autograd.Scalar(1))
	head := autograd.NewParam("head.weight", autograd.Scalar(1))
	optimizer := optim.NewAdamW(0.001)
	optimizer.Groups = []optim.Group{
		{Params: "*.bias", WeightDecay: optim.Fixed(0)},
		{Params: "encoder.*", LearningRate: optim.Times(0.1)},
	}
	optimizer.WeightDecay = 0.5
	g := autograd.NewGraph(autograd.Options{})
	for range 2 {
		g.Reset()
		optimizer.Step(g.Param(weight).Add(g.Param(bias)).Add(g.Param(head)).Backward())
		fmt.Printf("weight %.5f, bias %.5f, head %.5f\n", weight.Item(), bias.Item(), head.Item())
		optimizer.LearningRate /= 10
	}
	// Output:
	// weight 0.99985, bias 0.99900, head 0.99850
	// weight 0.99984, bias 0.99890, head 0.99835
}

// The rate rises for two steps, and falls to 0 along a cosine.
func ExampleSchedule() {
	optimizer := optim.NewSGD(0)
	schedule := optim.WarmUp(2, optim.Cosine(0.8, 4))
	for n := range 6 {
		optimizer.LearningRate = schedule.At(n)
		fmt.Printf("%.2f ", optimizer.LearningRate)
	}
	// Output: 0.40 0.80 0.80 0.68 0.40 0.12
}

// The rate is halved once three losses in a row are no better.
func ExamplePlateau() {
	schedule := optim.NewPlateau(0.1)
	schedule.Factor, schedule.Patience = 0.5, 2
	for epoch, loss := range []float64{1, 0.5, 0.5, 0.6, 0.5, 0.2} {
		fmt.Print(schedule.At(epoch), " ")
		schedule.Observe(loss)
	}
	// Output: 0.1 0.1 0.1 0.1 0.1 0.05
}
