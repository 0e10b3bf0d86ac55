package autograd_test

import (
	"math"
	"runtime"
	"testing"

	"nabla/autograd"
)

// meanLoss is the gradient of the mean of (w − t)².
func meanLoss(w *autograd.Param, precision autograd.Precision, targets ...float64) autograd.Gradients {
	g := autograd.NewGraph(autograd.Options{Precision: precision})
	return g.Param(w).Sub(g.Constant(autograd.NewTensor(targets))).Square().Mean().Backward()
}

// Parts of unequal size are weighed by their rows: their mean is the gradient
// of all rows together, −2 times the mean of 1, 2, 3, 4 and 10.
func TestAverageOfUnequalParts(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		w := autograd.NewParam("w", autograd.Scalar(0).In(precision))
		var sum autograd.Gradients
		for range 2 {
			sum.AddWeighted(meanLoss(w, precision, 1, 2, 3, 4), 4)
			sum.AddWeighted(meanLoss(w, precision, 10), 1)
			sum.AddWeighted(meanLoss(w, precision, 77), 0)
			sum.Average()
			wantNumbers(t, "weighted mean", sum.OfParam(w).Float64s(), []float64{-8}, 0)
			sum.Average()
			wantNumbers(t, "mean of the mean", sum.OfParam(w).Float64s(), []float64{-8}, 0)
			sum.Clear()
		}
		sum.Add(meanLoss(w, precision, 1, 2, 3, 4))
		sum.Add(meanLoss(w, precision, 10))
		sum.Average()
		wantNumbers(t, "mean of two", sum.OfParam(w).Float64s(), []float64{-12.5}, 0)
	}
}

// A sum that is added to another brings its weights along.
func TestAverageOfSums(t *testing.T) {
	w := autograd.NewParam("w", autograd.Scalar(0))
	var first, second, whole autograd.Gradients
	first.AddWeighted(meanLoss(w, autograd.Float64, 1, 2), 2)
	first.AddWeighted(meanLoss(w, autograd.Float64, 3, 4), 2)
	second.AddWeighted(meanLoss(w, autograd.Float64, 10), 1)
	whole.Add(first)
	whole.Add(autograd.Gradients{}) // of a worker without rows: nothing, of no weight
	whole.Add(second)
	whole.Average()
	wantNumbers(t, "mean of sums", whole.OfParam(w).Float64s(), []float64{-8}, 0)

	whole.Clear()
	first.Average() // −5, of weight 1 from now on
	whole.AddWeighted(first, 4)
	whole.AddWeighted(second, 1)
	whole.Average()
	wantNumbers(t, "mean of a mean and a sum", whole.OfParam(w).Float64s(), []float64{-8}, 0)
}

func TestAverageMisused(t *testing.T) {
	w := autograd.NewParam("w", autograd.Scalar(0))
	part := meanLoss(w, autograd.Float64, 1)
	var sum autograd.Gradients
	for weight, text := range map[float64]string{-1: "-1", math.Inf(1): "+Inf", math.NaN(): "NaN"} {
		wantError[*autograd.ArgumentError](t, "autograd: Gradients.AddWeighted: a weight of "+text+", at %v", func() { sum.AddWeighted(part, weight) })
	}
	const noSum = ": the receiver must be a sum of its own: var sum autograd.Gradients, at %v"
	wantError[*autograd.GradientError](t, "autograd: Gradients.Average: nothing was added, at %v", func() { sum.Average() })
	wantError[*autograd.GradientError](t, "autograd: Gradients.Average"+noSum, func() { part.Average() })
	wantError[*autograd.GradientError](t, "autograd: Gradients.AddWeighted"+noSum, func() { part.AddWeighted(sum, 2) })
}

// heldBytes is the heap in use after collection, once the cleanups of what is
// gone have run: they run on a goroutine of their own.
func heldBytes() int {
	least := math.MaxInt
	for range 10 {
		runtime.GC()
		runtime.Gosched()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		least = min(least, int(m.HeapAlloc))
	}
	return least
}

// A sum that is cleared keeps no memory for models that are gone: 200 of 0.4 MB
// leave at most 2 MB.
func TestSumForgetsDroppedModels(t *testing.T) {
	var sum autograd.Gradients
	before := heldBytes()
	for range 200 {
		w := autograd.NewParam("w", autograd.Zeros(50_000))
		g := autograd.NewGraph(autograd.Options{})
		sum.Add(g.Param(w).Sum().Backward())
		sum.Clear()
	}
	if grown := heldBytes() - before; grown > 2<<20 {
		t.Errorf("200 models that are gone leave %d kB", grown>>10)
	}
	runtime.KeepAlive(&sum)
}

// A model in use is kept by its sum, though nobody else holds it.
func TestSumKeepsWhatItHolds(t *testing.T) {
	var sum autograd.Gradients
	func() {
		w := autograd.NewParam("w", autograd.Zeros(3))
		g := autograd.NewGraph(autograd.Options{})
		sum.Add(g.Param(w).Sum().Backward())
	}()
	heldBytes()
	n := 0
	for p, gradient := range sum.All() {
		wantNumbers(t, p.Name(), gradient.Float64s(), []float64{1, 1, 1}, 0)
		n++
	}
	if n != 1 {
		t.Errorf("the sum has %d parameters, want 1", n)
	}
}

// Backward called again and again on one recording keeps a bounded number of
// results; the Gradients that are held stay as they were.
func TestManyPassesOnOneRecording(t *testing.T) {
	for _, trace := range []bool{false, true} {
		for _, kind := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			g := autograd.NewGraph(autograd.Options{Trace: trace})
			w := autograd.NewParam("w", autograd.Full(3, 2000).In(kind)) // of another precision: converted
			x := g.Variable(autograd.Ones(2000))
			y := g.Param(w).Mul(x).Exp().Mul(x)
			seed := autograd.Full(2, 2000)
			first := y.BackwardFrom(seed)
			want, wantX := first.OfParam(w).Float64s(), first.Of(x).Float64s()
			for range 20 {
				y.BackwardFrom(autograd.Full(5, 2000))
			}
			last := y.BackwardFrom(seed)
			live, held := g.Stats().BytesLive, heldBytes()
			for range 1000 {
				y.BackwardFrom(autograd.Full(5, 2000))
			}
			if grown := g.Stats().BytesLive - live; grown != 0 {
				t.Errorf("trace %v, %v: 1000 passes take %d bytes of the graph", trace, kind, grown)
			}
			if grown := heldBytes() - held; grown > 1<<20 {
				t.Errorf("trace %v, %v: 1000 passes that are gone leave %d kB", trace, kind, grown>>10)
			}
			for _, grads := range []autograd.Gradients{first, last} {
				wantNumbers(t, "gradient of w", grads.OfParam(w).Float64s(), want, 0)
				wantNumbers(t, "gradient of x", grads.Of(x).Float64s(), wantX, 0)
				if trace {
					wantNumbers(t, "gradient of y", grads.Of(y).Float64s(), repeated(2, 2000), 0)
					if n := len(grads.Contributions(x)); n != 2 {
						t.Errorf("%d contributions to x, want 2", n)
					}
				}
			}
			g.Reset()
			wantError[*autograd.StaleError](t, "autograd: Gradients.OfParam: Gradients used after their graph's Reset, at %v", func() { last.OfParam(w) })
		}
	}
}
