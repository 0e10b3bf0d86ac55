package plot_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	gonum "gonum.org/v1/plot"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/plot"
	"nabla/train"
)

// gallery is a plot of each kind, of data that the seed alone decides.
func gallery() map[string]*gonum.Plot {
	rng := rand.New(rand.NewPCG(1, 0))
	all := map[string]*gonum.Plot{}
	var history train.History
	for n := 1; n <= 40; n++ {
		x := float64(n)
		history = append(history, train.Epoch{
			Number: n,
			Train:  train.Report{Loss: 0.9*math.Exp(-x/9) + 0.03, Metrics: []train.Score{{Name: "accuracy", Value: 1 - 0.5*math.Exp(-x/12)}}},
			Validation: &train.Report{
				Loss:    0.9*math.Exp(-x/9) + 0.05 + 0.00015*x*x + 0.01*rng.Float64(),
				Metrics: []train.Score{{Name: "accuracy", Value: 0.96 - 0.45*math.Exp(-x/10)}},
			},
		})
	}
	all["loss"] = plot.Loss(history)
	all["loss"].Title.Text = "Loss of a network"
	all["metric"] = plot.Metric(history, "accuracy")
	all["log"] = plot.Loss(history)
	plot.LogY(all["log"])
	var many []plot.Series
	for i := range 9 {
		s := plot.Series{Name: fmt.Sprintf("dense%d.weight", i+1)}
		for step := range 100 {
			s.Y = append(s.Y, math.Exp(-float64(i)/2)*math.Exp(-float64(step)/float64(20+5*i)))
		}
		many = append(many, s)
	}
	all["lines"] = plot.Lines(many...)
	plot.LogY(all["lines"])
	all["schedule"] = plot.Schedule(optim.WarmUp(100, optim.Cosine(0.01, 900)), 1000)
	x := autograd.Uniform(rng, -2, 3, 60, 1)
	all["scatter"] = plot.Scatter(x, autograd.Normal(rng, 0, 1, 60))

	line := func(x autograd.Tensor) autograd.Tensor {
		g := autograd.NewGraph(autograd.Options{NoGrad: true})
		v := g.Constant(x)
		return v.Mul(v).Sub(v).Tensor()
	}
	noisy := line(x).Float64s()
	for i := range noisy {
		noisy[i] += rng.NormFloat64() / 3
	}
	all["fit1"] = plot.Fit(x, autograd.NewTensor(noisy), line)

	points := autograd.Uniform(rng, 0, 5, 60, 2)
	numbers := points.Float64s()
	height := func(a, b float64) float64 { return 120*math.Sin(a/1.5) + 40*b + 57 }
	var targets []float64
	var binary, three []int
	for i := 0; i < len(numbers); i += 2 {
		a, b := numbers[i]+rng.NormFloat64()/6, numbers[i+1]+rng.NormFloat64()/6
		targets = append(targets, height(a, b))
		binary = append(binary, truth(a*a+b*b > 12))
		three = append(three, truth(a > b)+truth(a+b > 6))
	}
	each := func(width int, f func(a, b float64, out []float64)) func(autograd.Tensor) autograd.Tensor {
		return func(x autograd.Tensor) autograd.Tensor {
			in, out := x.Float64s(), make([]float64, width*x.Dim(0))
			for i := range x.Dim(0) {
				f(in[2*i], in[2*i+1], out[width*i:width*i+width])
			}
			return autograd.NewTensor(out, x.Dim(0), width)
		}
	}
	all["fit2"] = plot.Fit(points, autograd.NewTensor(targets), each(1, func(a, b float64, out []float64) { out[0] = height(a, b) }))
	all["binary"] = plot.Boundary(points, autograd.NewInts(binary), each(1, func(a, b float64, out []float64) {
		out[0] = 1 / (1 + math.Exp(-(a*a+b*b-12)/3))
	}), "not hot", "hot")
	all["classes"] = plot.Boundary(points, autograd.NewInts(three), each(3, func(a, b float64, out []float64) {
		score := math.Abs(a-b) + a + b - 6
		out[0], out[1], out[2] = 1-score/3, 1, score/2
	}), "budget", "medium", "luxury")
	all["scatterclasses"] = plot.ScatterClasses(points, autograd.NewInts(three), "budget", "medium", "luxury")

	var actual, predicted []int
	for range 500 {
		a := rng.IntN(10)
		p := a
		if rng.Float64() < 0.15 {
			p = rng.IntN(10)
		}
		actual, predicted = append(actual, a), append(predicted, p)
	}
	digits := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
	all["confusion10"] = plot.Confusion(metrics.NewConfusionMatrix(autograd.NewInts(predicted), autograd.NewInts(actual), digits...))
	all["confusion3"] = plot.Confusion(metrics.NewConfusionMatrix(autograd.NewInts([]int{0, 1, 2, 2, 0, 1, 1}), autograd.NewInts([]int{0, 1, 2, 2, 0, 2, 1}), "budget", "medium", "luxury"))
	scores, truths := make([]float64, 80), make([]float64, 80)
	for i := range scores {
		truths[i] = float64(i % 2)
		scores[i] = truths[i] + 0.8*rng.NormFloat64()
	}
	all["roc"] = plot.ROC(autograd.NewTensor(scores), autograd.NewTensor(truths))
	all["pr"] = plot.PrecisionRecall(autograd.NewTensor(scores), autograd.NewTensor(truths))
	g := autograd.NewGraph(autograd.Options{})
	hot := g.OneHot(autograd.NewInts(three), 3)
	all["rocs"] = plot.ROC(hot.Add(g.Constant(autograd.Normal(rng, 0, 0.5, 60, 3))).Tensor(), hot.Tensor(), "budget", "medium", "luxury")

	all["histograms"] = plot.Histograms(
		plot.Sample{Name: "dense1.weight", Values: autograd.Normal(rng, 0, 1, 64, 32)}, plot.Sample{Name: "dense1.bias", Values: autograd.Normal(rng, 0.5, 0.2, 32)},
		plot.Sample{Name: "dense2.weight", Values: autograd.Normal(rng, 0, 0.3, 32, 32)}, plot.Sample{Name: "dense2.bias", Values: autograd.Zeros(32)},
		plot.Sample{Name: "dense3.weight", Values: autograd.Uniform(rng, -1, 1, 32, 10)},
	)
	all["sheet"] = plot.Sheet(autograd.Uniform(rng, 0, 1, 20, 1, 8, 8))
	var labels []string
	for i := range 12 {
		labels = append(labels, fmt.Sprintf("%d not %d", i%10, (i+3)%10))
	}
	all["sheetlabels"] = plot.Sheet(autograd.Normal(rng, 0, 1, 12, 1, 5, 5), labels...)
	words := []string{"in", "the", "beginning", "God", "created", "the", "heaven", "and", "the", "earth", "."}
	palabras := []string{"en", "el", "principio", "crió", "Dios", "los", "cielos", "y", "la", "tierra", "."}
	all["attention"] = plot.Attention(g.Constant(autograd.Normal(rng, 0, 2, len(palabras), len(words))).Softmax(-1).Tensor(), palabras, words)
	looks := watched(rng)
	all["norms"] = plot.Norms(looks, plot.GradientNorm)
	all["updates"] = plot.Norms(looks, plot.UpdateShare)
	all["dead"] = plot.DeadUnits(looks)
	all["weightsovertime"] = plot.WeightsOver(looks, "dense1.weight")
	all["gradientsovertime"] = plot.GradientsOver(looks, "dense3.weight")
	return all
}

// watched is what goes on in a network that learns noise too fast.
func watched(rng *rand.Rand) []train.Look {
	model := layers.NewSequential(
		layers.NewDense(rng, 4, 16), layers.ReLU(), layers.NewDense(rng, 16, 16), layers.ReLU(),
		layers.NewDense(rng, 16, 16), layers.ReLU(), layers.NewDense(rng, 16, 1),
	)
	watch := &train.Watch{Every: 5, Bins: 40}
	_, err := train.Run(context.Background(), train.Config{
		Model: model, Loss: losses.MSE, Optimizer: optim.NewAdam(0.03), Epochs: 60, BatchSize: 16,
		Callbacks: []train.Callback{watch},
	}, train.Data{Inputs: autograd.Normal(rng, 0, 1, 64, 4), Targets: autograd.Normal(rng, 0, 1, 64, 1)})
	if err != nil {
		panic(err)
	}
	return watch.Looks
}

var shared = sync.OnceValue(gallery)

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// NABLA_GALLERY=folder go test ./plot -run Gallery writes the plots, to be
// looked at.
func TestGallery(t *testing.T) {
	folder := os.Getenv("NABLA_GALLERY")
	if folder == "" {
		t.Skip("NABLA_GALLERY names no folder; TestSameBytes draws all of it")
	}
	for name, p := range shared() {
		for _, extension := range []string{".png", ".svg", ".pdf"} {
			if err := plot.Save(p, filepath.Join(folder, name+extension)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
