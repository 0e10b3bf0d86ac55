package browser

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/layers"
	"nabla/neurons"
	"nabla/optim"
	"nabla/page"
)

// neuron records the course's neuron: two inputs, the weighted sum z1, its
// activation and a loss.
func neuron() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	variable := func(name string, v float64) autograd.Value { return g.Variable(autograd.Scalar(v)).Named(name) }
	x1, x2 := g.Scalar(1.5).Named("x1"), g.Scalar(3.6).Named("x2")
	z := variable("w1", 0.5).Mul(x1).Add(variable("w2", -0.2).Mul(x2)).Add(variable("b", 0.1)).Named("z1")
	return z.Sigmoid().Named("a1").Sub(g.Scalar(1).Named("y").As(autograd.RoleTarget)).Square().MulScalar(0.5).Named("loss")
}

// An epoch is Go's numbers of a recorded epoch.
type epoch struct {
	number            int
	values, gradients []float64 // by node; NaN where there is no gradient
	updates           []float64 // by parameter
}

// film records a 2-3-1 network that learns to tell points above a line from
// those below.
func film(t *testing.T) ([]byte, []epoch) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 7))
	net := neurons.Of(layers.NewSequential(layers.NewDense(rng, 2, 3), layers.Tanh(), layers.NewDense(rng, 3, 1), layers.Sigmoid()))
	features, targets := points(rng, 24)
	trial := autograd.NewGraph(autograd.Options{NoGrad: true})
	f := page.NewFilm(page.Options{Title: "Above or below the line", Fit: &page.Fit{
		Features: features, Targets: targets, Names: []string{"price", "distance"},
		Predict: func(x []float64) float64 {
			trial.Reset()
			return net.Forward([]autograd.Value{trial.Scalar(x[0]), trial.Scalar(x[1])})[0].Item()
		},
	}})
	f.Keep = page.Every(50)
	g := autograd.NewGraph(autograd.Options{Trace: true})
	optimizer := optim.NewSGD(0.8)
	var epochs []epoch
	for number := range 801 {
		g.Reset()
		k := number % len(features)
		a := net.Forward([]autograd.Value{g.Scalar(features[k][0]).Named("x1"), g.Scalar(features[k][1]).Named("x2")})[0]
		loss := a.Sub(g.Scalar(targets[k]).Named("y").As(autograd.RoleTarget)).Square().MulScalar(0.5).Named("loss")
		gradients := loss.Backward()
		f.Record(number, loss, gradients)
		e := numbersOf(loss, gradients)
		optimizer.Step(gradients)
		f.Adjusted(optimizer.LearningRate)
		if number%50 == 0 {
			e.number = number
			for _, p := range net.Params() {
				e.updates = append(e.updates, p.Tensor().Item())
			}
			epochs = append(epochs, e)
		}
	}
	var page bytes.Buffer
	if err := f.Write(&page); err != nil {
		t.Fatal(err)
	}
	return page.Bytes(), epochs
}

func points(rng *rand.Rand, n int) (features [][]float64, targets []float64) {
	for range n {
		x, y := rng.Float64(), rng.Float64()
		target := 0.0
		if y > 0.2+0.6*x {
			target = 1
		}
		features, targets = append(features, []float64{x, y}), append(targets, target)
	}
	return features, targets
}

// numbersOf returns all numbers of a recording of scalars.
func numbersOf(root autograd.Value, gradients autograd.Gradients) epoch {
	var e epoch
	for n := range root.Ancestors() {
		e.values = append(e.values, n.Value.Item())
		d := math.NaN()
		if n.NeedsGrad && gradients.Reached(n.Value) {
			d = gradients.Of(n.Value).Item()
		}
		e.gradients = append(e.gradients, d)
	}
	return e
}

// tensors records a 2-3-1 network on four data points at once.
func tensors() autograd.Value { return tensorsWith(1) }

// tensorsWith is tensors with another second feature of the second data point.
func tensorsWith(second float64) autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	rng := rand.New(rand.NewPCG(1, 2))
	model := layers.NewSequential(layers.NewDense(rng, 2, 3), layers.Tanh(), layers.NewDense(rng, 3, 1), layers.Sigmoid())
	x := g.Constant(autograd.FromNested([][]float64{{0, 0}, {0, second}, {1, 0}, {1, 1}})).Named("features")
	y := g.Constant(autograd.FromNested([][]float64{{0}, {1}, {1}, {0}})).Named("targets").As(autograd.RoleTarget)
	return model.Forward(x).Sub(y).Square().Mean().Named("loss")
}

// broken records the logarithm of a number that is not positive, and a relu
// that is closed.
func broken() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(-1)).Named("x")
	w := g.Variable(autograd.Scalar(2)).Named("w")
	closed := w.Mul(x).ReLU().Named("closed")
	return x.Log().Named("log x").Add(closed).Named("loss")
}

// large records a network of about 1,500 values.
func large() autograd.Value {
	rng := rand.New(rand.NewPCG(1, 2))
	net := neurons.Of(layers.NewSequential(layers.NewDense(rng, 8, 20), layers.Tanh(), layers.NewDense(rng, 20, 16), layers.Tanh(), layers.NewDense(rng, 16, 2)))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	var x []autograd.Value
	for range 8 {
		x = append(x, g.Scalar(rng.Float64()))
	}
	a := net.Forward(x)
	return a[0].Add(a[1]).Square().Named("loss")
}
