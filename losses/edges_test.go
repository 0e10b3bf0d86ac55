package losses_test

import (
	"math"
	"testing"

	"nabla/autograd"
	"nabla/losses"
)

// Value and gradient at the edges, the same for a scalar, whose gradient
// comes from the operation's derivative, and for a vector, whose comes from
// its rule; and from Grad.
func TestEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	bce := losses.BinaryCrossEntropy
	logits := func(x, t autograd.Value) autograd.Value {
		return losses.BinaryCrossEntropyWith(x, t, losses.Options{Logits: true})
	}
	category := func(p, t autograd.Value) autograd.Value {
		return losses.CategoricalCrossEntropy(p.Unsqueeze(-1), t.Unsqueeze(-1))
	}
	huber := func(p, t autograd.Value) autograd.Value { return losses.Huber(p, t, 1) }
	for _, row := range []struct {
		name         string
		f            func(p, t autograd.Value) autograd.Value
		p, t         float64
		value, slope float64
	}{
		{"bce sure and wrong", bce, 0, 1, 100, -1e12},
		{"bce sure and wrong", bce, 1, 0, 100, 1e12},
		{"bce sure and right", bce, 0, 0, 0, 0},
		{"bce sure and right", bce, 1, 1, 0, 0},
		{"bce near 0", bce, 1e-20, 1, 46.051701859880914, -1e12},
		{"bce near 0", bce, 1e-50, 1, 100, -1e12},
		{"bce undecided", bce, 0.5, 0.5, math.Ln2, 0},
		{"bce outside", bce, 1.5, 1, nan, 5e11},
		{"bce of NaN", bce, nan, 1, nan, nan},
		{"logits far right", logits, 1000, 1, 0, 0},
		{"logits far right", logits, -1000, 0, 0, 0},
		{"logits far wrong", logits, 1000, 0, 1000, 1},
		{"logits far wrong", logits, -1000, 1, 1000, -1},
		{"logits at 40", logits, 40, 1, 4.248354255291589e-18, -4.248354255291589e-18},
		{"logits at −40", logits, -40, 0, 4.248354255291589e-18, 4.248354255291589e-18},
		{"logits at 0", logits, 0, 1, math.Ln2, -0.5},
		{"logits of NaN", logits, nan, 1, nan, nan},
		{"category at 0", category, 0, 1, 100, -1e12},
		{"category at 0 not wanted", category, 0, 0, 0, 0},
		{"category at 1", category, 1, 1, 0, -1},
		{"category below 0", category, -1, 1, nan, -1e12},
		{"mae at 0", losses.MAE, 2, 2, 0, 0},
		{"mse of infinity", losses.MSE, inf, 0, inf, inf},
		{"huber at delta", huber, 1, 0, 0.5, 1},
		{"huber at −delta", huber, -1, 0, 0.5, -1},
		{"huber beyond delta", huber, 3, 0, 2.5, 1},
		{"huber of infinity", huber, -inf, 0, inf, -1},
	} {
		for _, shape := range [][]int{{}, {2}} {
			g := autograd.NewGraph(autograd.Options{})
			p, target := g.Variable(autograd.Full(row.p, shape...)), g.Constant(autograd.Full(row.t, shape...))
			loss := row.f(p, target)
			n := float64(p.Size())
			backward := n * loss.Backward().Of(p).Float64s()[0]
			again := n * autograd.Grad(loss, p)[0].Tensor().Float64s()[0]
			if !same(loss.Item(), row.value) || !same(backward, row.slope) || !same(again, row.slope) {
				t.Errorf("%s(%v, %v) of shape %v: %v → %v and %v, want %v → %v", row.name, row.p, row.t, shape, loss.Item(), backward, again, row.value, row.slope)
			}
		}
	}
}

func same(got, want float64) bool {
	return got == want || math.IsNaN(got) && math.IsNaN(want) || math.Abs(got-want) <= 1e-14*math.Abs(want)
}

// The mixed second derivative at a sure prediction is that of the bounded
// gradient, from either side.
func TestBinaryCrossEntropyMixedDerivativeAtTheEdge(t *testing.T) {
	for _, shape := range [][]int{{}, {1}, {2}} {
		g := autograd.NewGraph(autograd.Options{})
		p, target := g.Variable(autograd.Full(0, shape...)), g.Variable(autograd.Full(1, shape...))
		loss := losses.BinaryCrossEntropyWith(p, target, losses.Options{Reduction: losses.Sum})
		first := autograd.Grad(loss, p, target)
		dpdt := autograd.Grad(first[0].Sum(), target)[0].Tensor().Float64s()[0]
		dtdp := autograd.Grad(first[1].Sum(), p)[0].Tensor().Float64s()[0]
		if dpdt != -1e12 || dtdp != -1e12 {
			t.Errorf("shape %v: %v and %v, want -1e12 twice", shape, dpdt, dtdp)
		}
	}
}

// Logits of any size, and classes that are out of the question.
func TestCategoricalEdges(t *testing.T) {
	inf := math.Inf(-1)
	for _, row := range []struct {
		name   string
		logits []float64
		label  int
		value  float64
		grad   []float64
	}{
		{"far apart, right", []float64{1000, 0, -1000}, 0, 0, []float64{0, 0, 0}},
		{"far apart, wrong", []float64{1000, 0, -1000}, 2, 2000, []float64{1, 0, -1}},
		{"a masked class", []float64{0, 0, inf}, 1, math.Ln2, []float64{0.5, -0.5, 0}},
		{"all equal", []float64{7, 7, 7, 7}, 3, math.Log(4), []float64{0.25, 0.25, 0.25, -0.75}},
	} {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(autograd.NewTensor(row.logits, 1, len(row.logits)))
		loss := losses.CategoricalCrossEntropyLabelsWith(x, autograd.NewInts([]int{row.label}), losses.Options{Logits: true})
		if !same(loss.Item(), row.value) {
			t.Errorf("%s: %v, want %v", row.name, loss.Item(), row.value)
		}
		for i, got := range loss.Backward().Of(x).Float64s() {
			if math.Abs(got-row.grad[i]) > 1e-15 {
				t.Errorf("%s: gradient %d is %v, want %v", row.name, i, got, row.grad[i])
			}
		}
	}
}

// Of nothing the mean is NaN, and the sum 0.
func TestEmpty(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	p, target := g.Variable(autograd.Zeros(0, 3)), g.Constant(autograd.Zeros(0, 3))
	none := autograd.NewInts(nil)
	sum := losses.Options{Reduction: losses.Sum}
	for name, pair := range map[string][2]autograd.Value{
		"MSE":         {losses.MSE(p, target), losses.MSEWith(p, target, sum)},
		"binary":      {losses.BinaryCrossEntropy(p, target), losses.BinaryCrossEntropyWith(p, target, sum)},
		"categorical": {losses.CategoricalCrossEntropy(p, target), losses.CategoricalCrossEntropyWith(p, target, sum)},
		"labels":      {losses.CategoricalCrossEntropyLabels(p, none), losses.CategoricalCrossEntropyLabelsWith(p, none, sum)},
	} {
		if !math.IsNaN(pair[0].Item()) || pair[1].Item() != 0 {
			t.Errorf("%s: mean %v and sum %v, want NaN and 0", name, pair[0].Item(), pair[1].Item())
		}
	}
}

// Float32 agrees with Float64 to its own rounding, at the edges too.
func TestFloat32(t *testing.T) {
	for _, row := range allLosses {
		var values, slopes [2][]float64
		for i, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			p := g.Variable(autograd.NewTensor(row.prediction, 4, 3))
			var target autograd.Value
			if row.target != nil {
				target = g.Constant(autograd.NewTensor(row.target, 4, 3))
			}
			loss := row.f(p, target, losses.Options{Logits: row.logits})
			values[i], slopes[i] = []float64{loss.Item()}, loss.Backward().Of(p).Float64s()
		}
		for i := range slopes[0] {
			if math.Abs(slopes[0][i]-slopes[1][i]) > 1e-6 || math.Abs(values[0][0]-values[1][0]) > 1e-6 {
				t.Errorf("%s: gradient %d is %v in float64 and %v in float32", row.name, i, slopes[0][i], slopes[1][i])
			}
		}
	}
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
	p := g.Variable(autograd.Zeros(1, 1))
	loss := losses.BinaryCrossEntropy(p, g.Full(1, 1, 1))
	if dp := loss.Backward().Of(p).Item(); loss.Item() != 100 || math.Abs(dp/-1e12-1) > 1e-6 {
		t.Errorf("sure and wrong: %v → %v", loss.Item(), dp)
	}
}
