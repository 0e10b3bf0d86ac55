package nabla_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/data"
	"nabla/data/hotels"
	"nabla/explain"
	"nabla/graphviz"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

// The README's code.

func Example_neuron() {
	g := autograd.NewGraph(autograd.Options{Trace: true}) // float64; Trace keeps every gradient
	i := g.Scalar(3.6).Named("i")
	w := g.Variable(autograd.Scalar(0.5)).Named("w")
	b := g.Variable(autograd.Scalar(-1)).Named("b")
	z := w.Mul(i).Add(b).Named("z") // weighted sum
	a := z.Tanh().Named("a")        // activation
	loss := a.Sub(g.Scalar(1).Named("y")).Square().Named("loss")
	grads := loss.Backward()
	fmt.Printf("dw = %.3f\n", grads.Of(w).Item()) // dw = input × dz
	fmt.Println(explain.Gradient(w, grads))
	// Output:
	// dw = -1.352
	// dw = −1.352, where w = 0.5
	// what its use hands back:
	//   d(w·i) × 3.6 = −0.3756 × 3.6 = −1.352, through w·i
	// the way to loss:
	//   100 %: w → w·i → z → a → a − y → loss, 3.6 × 1 × 0.5591 × 1 × −0.6719 = −1.352
	// central difference over ±6.055e−6: −1.352, which agrees
	// negative gradient, so w will be increased
}

// The picture of the neuron, with Graphviz and without.
func TestReadmePicture(t *testing.T) {
	defer chdir(os.MkdirTemp("", "neuron"))()
	g := autograd.NewGraph(autograd.Options{Trace: true})
	loss := g.Variable(autograd.Scalar(0.5)).Named("w").Mul(g.Scalar(3.6)).Tanh().Sub(g.Scalar(1)).Square()
	grads := loss.Backward()
	err := graphviz.WriteFile("neuron.svg", loss, grads, graphviz.Options{View: graphviz.Course})
	if _, missing := os.Stat("neuron.svg"); err != nil || missing != nil {
		t.Errorf("%v, %v", err, missing)
	}
}

// chdir changes to a new folder and returns a function that goes back and
// removes it.
func chdir(folder string, err error) (back func()) {
	if err != nil {
		panic(err)
	}
	from, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	if err := os.Chdir(folder); err != nil {
		panic(err)
	}
	return func() {
		os.Chdir(from)
		os.RemoveAll(folder)
	}
}

func Example_severalCores() {
	w := autograd.NewParam("w", autograd.Scalar(0))
	optimizer := optim.NewSGD(0.1)
	targets := [][]float64{{1, 2, 3, 4}, {10}}
	parts, rows := make([]autograd.Gradients, len(targets)), make([]int, len(targets))
	var workers sync.WaitGroup
	for i := range parts {
		workers.Go(func() {
			g := autograd.NewGraph(autograd.Options{})
			target := g.Constant(autograd.NewTensor(targets[i]))
			parts[i], rows[i] = g.Param(w).Sub(target).Square().Mean().Backward(), len(targets[i])
		})
	}
	workers.Wait()
	var sum autograd.Gradients
	for i, part := range parts { // what each worker's Backward returned
		sum.AddWeighted(part, float64(rows[i]))
	}
	sum.Average()
	optimizer.Step(sum)
	fmt.Printf("w = %.1f\n", w.Item()) // 0.1 × 2 × the mean of all targets
	// Output: w = 0.8
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

func Example_images() {
	rng := rand.New(rand.NewPCG(1, 0))
	model := layers.NewSequential( // LeNet
		layers.NewConv2DWith(rng, 1, 6, 5, layers.ConvOptions{Same: true}), layers.ReLU(), layers.MaxPool2D(2),
		layers.NewConv2D(rng, 6, 16, 5), layers.NewBatchNorm(16), layers.ReLU(), layers.MaxPool2D(2),
		layers.Flatten(),
		layers.NewDense(rng, 16*5*5, 120), layers.ReLU(),
		layers.NewDense(rng, 120, 84), layers.ReLU(),
		layers.NewDense(rng, 84, 10),
	)
	layers.Convert(model, autograd.Float32)
	fmt.Print(layers.Summary(model, 32, 1, 28, 28)) // shapes, parameters, multiply-adds
	// Output:
	// layer       output         parameters  multiply-adds
	// conv1       [32 6 28 28]          156      3,763,200
	// relu1       [32 6 28 28]            0              0
	// maxpool1    [32 6 14 14]            0              0
	// conv2       [32 16 10 10]       2,416      7,680,000
	// batchnorm1  [32 16 10 10]          32              0
	// relu2       [32 16 10 10]           0              0
	// maxpool2    [32 16 5 5]             0              0
	// flatten1    [32 400]                0              0
	// dense1      [32 120]           48,120      1,536,000
	// relu3       [32 120]                0              0
	// dense2      [32 84]            10,164        322,560
	// relu4       [32 84]                 0              0
	// dense3      [32 10]               850         26,880
	// total                          61,738     13,328,640
	// statistics                         32
}
