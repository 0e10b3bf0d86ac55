package losses_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/losses"
)

// An inputRow is a loss of any number of inputs, all of which have a gradient.
type inputRow struct {
	name    string
	f       func(in []autograd.Value, s losses.Options) autograd.Value
	inputs  []autograd.Tensor
	losses  []int // the shape of the single losses
	classes int   // how many class weights it takes
	logits  bool
}

func matrix(values []float64) autograd.Tensor { return autograd.NewTensor(values, 4, 3) }

var (
	signs     = matrix([]float64{1, -1, 1, 1, -1, -1, 1, -1, 1, -1, 1, -1})
	rowSigns  = autograd.NewTensor([]float64{1, -1, -1, 1})
	alike     = autograd.NewTensor([]float64{1, 0, 0, 1})
	positives = matrix([]float64{0.5, 1.2, 2.5, 0.9, 0.4, 1.7, 2.2, 0.6, 3.1, 0.8, 1.4, 0.2})
	image     = autograd.NewTensor(slices.Concat(numbers, others), 2, 3, 2, 2)
	shares    = autograd.NewTensor(slices.Concat(probabilities, mixtures), 2, 3, 2, 2)
	pixels    = autograd.NewInts([]int{1, 0, 255, 2, 0, 1, 1, 255}, 2, 2, 2)
)

// with returns the options for labels of pixels.
func with(s losses.Options) losses.Options {
	s.ClassAxis, s.IgnoreIndex = 1, border
	return s
}

var border = []int{255}

var inputRows = []inputRow{
	{name: "CategoricalCrossEntropyLabels of pixels", inputs: []autograd.Tensor{image}, losses: []int{2, 2, 2}, classes: 3, logits: true,
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			s.LabelSmoothing = 0.2
			return losses.CategoricalCrossEntropyLabelsWith(in[0], pixels, with(s))
		}},
	{name: "CategoricalCrossEntropyLabels of pixels, probabilities", inputs: []autograd.Tensor{shares}, losses: []int{2, 2, 2}, classes: 3,
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			s.LabelSmoothing = 0.2
			return losses.CategoricalCrossEntropyLabelsWith(in[0], pixels, with(s))
		}},
	{name: "CategoricalCrossEntropy of pixels", inputs: []autograd.Tensor{image, shares}, losses: []int{2, 2, 2}, classes: 3, logits: true,
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			s.ClassAxis, s.LabelSmoothing = -3, 0.2
			return losses.CategoricalCrossEntropyWith(in[0], in[1], s)
		}},
	{name: "BinaryCrossEntropy, pos weight", inputs: []autograd.Tensor{matrix(numbers), matrix(mixtures), autograd.NewTensor([]float64{0.5, 2, 1.2})}, losses: []int{4, 3}, logits: true,
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			s.PosWeight = in[2]
			return losses.BinaryCrossEntropyWith(in[0], in[1], s)
		}},
	{name: "BinaryFocal logits", inputs: []autograd.Tensor{matrix(numbers), matrix(mixtures)}, losses: []int{4, 3}, classes: 2, logits: true, f: binaryFocal},
	{name: "BinaryFocal", inputs: []autograd.Tensor{matrix(probabilities), matrix(mixtures)}, losses: []int{4, 3}, classes: 2, f: binaryFocal},
	{name: "CategoricalFocalLabels logits", inputs: []autograd.Tensor{image}, losses: []int{2, 2, 2}, classes: 3, logits: true, f: focalLabels},
	{name: "CategoricalFocalLabels", inputs: []autograd.Tensor{shares}, losses: []int{2, 2, 2}, classes: 3, f: focalLabels},
	{name: "Dice logits", inputs: []autograd.Tensor{image, shares}, losses: []int{2, 3}, classes: 3, logits: true, f: dice},
	{name: "Dice", inputs: []autograd.Tensor{shares, shares}, losses: []int{2, 3}, classes: 3, f: dice},
	{name: "Dice, classes last", inputs: []autograd.Tensor{image.Clone(), shares}, losses: []int{2, 2}, classes: 2, logits: true,
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			return losses.DiceWith(in[0], in[1], 0.5, s)
		}},
	{name: "DiceLabels", inputs: []autograd.Tensor{image}, losses: []int{2, 3}, classes: 3, logits: true,
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			return losses.DiceLabelsWith(in[0], pixels, 1, with(s))
		}},
	{name: "KLDivergence", inputs: []autograd.Tensor{matrix(probabilities), matrix(mixtures)}, losses: []int{4}, f: kl},
	{name: "KLDivergence logits", inputs: []autograd.Tensor{matrix(numbers), matrix(mixtures)}, losses: []int{4}, logits: true, f: kl},
	{name: "KLDivergence, log target", inputs: []autograd.Tensor{matrix(numbers), matrix(others)}, losses: []int{4}, logits: true,
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			s.LogTarget = true
			return losses.KLDivergenceWith(in[0], in[1], s)
		}},
	{name: "Hinge", inputs: []autograd.Tensor{matrix(numbers)}, losses: []int{4, 3},
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			return losses.HingeWith(in[0], in[0].Graph().Constant(signs), s)
		}},
	{name: "SquaredHinge", inputs: []autograd.Tensor{matrix(numbers)}, losses: []int{4, 3},
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			return losses.SquaredHingeWith(in[0], in[0].Graph().Constant(signs), s)
		}},
	{name: "LogCosh", inputs: []autograd.Tensor{matrix(numbers), matrix(others)}, losses: []int{4, 3},
		f: func(in []autograd.Value, s losses.Options) autograd.Value { return losses.LogCoshWith(in[0], in[1], s) }},
	{name: "MarginRanking", inputs: []autograd.Tensor{matrix(numbers), matrix(others)}, losses: []int{4, 3},
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			return losses.MarginRankingWith(in[0], in[1], in[0].Graph().Constant(signs), 0.35, s)
		}},
	{name: "Triplet", inputs: []autograd.Tensor{matrix(numbers), matrix(others), matrix(mixtures)}, losses: []int{4},
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			return losses.TripletWith(in[0], in[1], in[2], 1.5, s)
		}},
	{name: "Triplet, swapped", inputs: []autograd.Tensor{matrix(numbers), matrix(others), matrix(mixtures)}, losses: []int{4},
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			s.Swap = true
			return losses.TripletWith(in[0], in[1], in[2], 1.5, s)
		}},
	{name: "Contrastive", inputs: []autograd.Tensor{matrix(numbers), matrix(others)}, losses: []int{4},
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			return losses.ContrastiveWith(in[0], in[1], in[0].Graph().Constant(alike), 3, s)
		}},
	{name: "CosineEmbedding", inputs: []autograd.Tensor{matrix(numbers), matrix(others)}, losses: []int{4},
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			return losses.CosineEmbeddingWith(in[0], in[1], in[0].Graph().Constant(rowSigns), 0.1, s)
		}},
	{name: "GaussianNLL", inputs: []autograd.Tensor{matrix(numbers), positives, matrix(others)}, losses: []int{4, 3},
		f: func(in []autograd.Value, s losses.Options) autograd.Value {
			s.Full = true
			return losses.GaussianNLLWith(in[0], in[1], in[2], s)
		}},
	{name: "PoissonNLL", inputs: []autograd.Tensor{positives, positives}, losses: []int{4, 3}, f: poisson},
	{name: "PoissonNLL logits", inputs: []autograd.Tensor{matrix(numbers), positives}, losses: []int{4, 3}, logits: true, f: poisson},
}

func binaryFocal(in []autograd.Value, s losses.Options) autograd.Value {
	return losses.BinaryFocalWith(in[0], in[1], 1.5, s)
}

func focalLabels(in []autograd.Value, s losses.Options) autograd.Value {
	return losses.CategoricalFocalLabelsWith(in[0], pixels, 2, with(s))
}

func dice(in []autograd.Value, s losses.Options) autograd.Value {
	s.ClassAxis = 1
	return losses.DiceWith(in[0], in[1], 1, s)
}

func kl(in []autograd.Value, s losses.Options) autograd.Value {
	return losses.KLDivergenceWith(in[0], in[1], s)
}

func poisson(in []autograd.Value, s losses.Options) autograd.Value {
	s.Full = true
	return losses.PoissonNLLWith(in[0], in[1], s)
}

// weights is one weight for each loss.
func (row inputRow) weights() autograd.Tensor {
	n := 1
	for _, d := range row.losses {
		n *= d
	}
	return autograd.NewTensor(slices.Concat(mixtures, probabilities)[:n], row.losses...)
}

func (row inputRow) compute(g *autograd.Graph, s losses.Options) autograd.Value {
	var in []autograd.Value
	for _, t := range row.inputs {
		in = append(in, g.Variable(t))
	}
	s.Logits = row.logits
	return row.f(in, s)
}

// Gradients of all inputs and weights, to second order, for every reduction.
func TestGradientsOfAllInputs(t *testing.T) {
	for _, row := range inputRows {
		for _, reduction := range []losses.Reduction{losses.Mean, losses.WeightedMean, losses.Sum, losses.None} {
			in := append(slices.Clone(row.inputs), row.weights())
			if row.classes > 0 {
				in = append(in, autograd.NewTensor([]float64{0.5, 2, 1.2}[:row.classes]))
			}
			f := func(_ *autograd.Graph, in []autograd.Value) autograd.Value {
				n := len(row.inputs)
				s := losses.Options{Reduction: reduction, Weights: in[n], Logits: row.logits}
				if row.classes > 0 {
					s.ClassWeights = in[n+1]
				}
				return row.f(in[:n], s)
			}
			if err := gradcheck.Check(f, in); err != nil {
				t.Errorf("%s, %v: %v", row.name, reduction, err)
			}
			if reduction != losses.WeightedMean { // which has all of the others' operations
				continue
			}
			if err := gradcheck.CheckSecond(f, in); err != nil {
				t.Errorf("%s, %v: %v", row.name, reduction, err)
			}
		}
	}
}

// The reductions, against the single losses added up here. A loss of exactly 0
// of an ignored label does not count in the mean, nor its weight.
func TestReductionsOfAllLosses(t *testing.T) {
	for _, row := range inputRows {
		g := autograd.NewGraph(autograd.Options{})
		losses64 := row.compute(g, losses.Options{Reduction: losses.None})
		if diff := cmp.Diff(row.losses, losses64.Shape()); diff != "" {
			t.Errorf("%s: the losses' shape %s", row.name, diff)
			continue
		}
		w := row.weights().Float64s()
		var sum, weighted, total, n float64
		for i, l := range losses64.Tensor().Float64s() {
			if slices.Equal(row.losses, []int{2, 2, 2}) && row.name != "CategoricalCrossEntropy of pixels" && pixels.Values()[i] == 255 {
				if l != 0 {
					t.Errorf("%s: the ignored loss %d is %v", row.name, i, l)
				}
				continue
			}
			sum, weighted, total, n = sum+l, weighted+w[i]*l, total+w[i], n+1
		}
		weights := g.Constant(row.weights())
		for _, c := range []struct {
			s    losses.Options
			want float64
		}{
			{losses.Options{}, sum / n},
			{losses.Options{Reduction: losses.Sum}, sum},
			{losses.Options{Reduction: losses.WeightedMean}, sum / n},
			{losses.Options{Weights: weights}, weighted / n},
			{losses.Options{Weights: weights, Reduction: losses.Sum}, weighted},
			{losses.Options{Weights: weights, Reduction: losses.WeightedMean}, weighted / total},
		} {
			if diff := cmp.Diff(c.want, row.compute(g, c.s).Item(), near); diff != "" {
				t.Errorf("%s %v: %s", row.name, c.s.Reduction, diff)
			}
		}
	}
}

func TestScopeOfAllLosses(t *testing.T) {
	for _, row := range inputRows {
		g := autograd.NewGraph(autograd.Options{})
		loss := row.compute(g, losses.Options{})
		for n := range loss.Ancestors() {
			if n.Kind == autograd.KindOperation && n.Scope != "loss" {
				t.Errorf("%s: %s stands in the scope %q", row.name, n.Op, n.Scope)
			}
		}
		if loss.Name() != "loss" || g.Scalar(0).Named("after").Node().Scope != "" {
			t.Errorf("%s: the result is called %q, or the scope is still open", row.name, loss.Name())
		}
	}
}

// A step allocates nothing, whatever it ignores and weights.
func TestSteadyStateOfAllLosses(t *testing.T) {
	for _, row := range inputRows {
		g := autograd.NewGraph(autograd.Options{})
		in, weights, classes := make([]autograd.Value, len(row.inputs)), row.weights(), autograd.Ones(max(row.classes, 1))
		step := func() {
			g.Reset()
			for i, t := range row.inputs {
				in[i] = g.Variable(t)
			}
			s := losses.Options{Reduction: losses.WeightedMean, Weights: g.Constant(weights), Logits: row.logits}
			if row.classes > 0 {
				s.ClassWeights = g.Constant(classes)
			}
			row.f(in, s).Backward()
		}
		step()
		step()
		if n := testing.AllocsPerRun(50, step); n != 0 {
			t.Errorf("%s: %v allocations per step", row.name, n)
		}
	}
}

// With a γ of 0 the focal losses are the cross entropies, and without
// smoothing Dice of exact predictions is 0.
func TestLossesThatAgree(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x, p, q := g.Constant(image), g.Constant(shares), g.Constant(matrix(mixtures))
	s := with(losses.Options{Logits: true})
	hot := g.OneHotAlong(1, pixels.Reshape(2, 2, 2), 3, 255)
	for name, pair := range map[string][2]autograd.Value{
		"focal labels": {losses.CategoricalFocalLabelsWith(x, pixels, 0, s), losses.CategoricalCrossEntropyLabelsWith(x, pixels, s)},
		"focal binary": {losses.BinaryFocal(g.Constant(matrix(probabilities)), q, 0), losses.BinaryCrossEntropy(g.Constant(matrix(probabilities)), q)},
		"dice labels":  {losses.DiceLabelsWith(hot, pixels, 0, with(losses.Options{})), g.Scalar(0)},
		"dice forms": {losses.DiceLabelsWith(p, pixels.Reshape(2, 2, 2), 1, with(losses.Options{})),
			losses.DiceWith(p.Mul(hot.KeepDims().Sum(1)), hot, 1, losses.Options{ClassAxis: 1})},
		"smoothed labels": {losses.CategoricalCrossEntropyLabelsWith(x, noBorder, losses.Options{Logits: true, ClassAxis: 1, LabelSmoothing: 0.3}),
			losses.CategoricalCrossEntropyWith(x, g.OneHotAlong(1, noBorder, 3), losses.Options{Logits: true, ClassAxis: 1, LabelSmoothing: 0.3})},
		"KL of itself": {losses.KLDivergence(q.Softmax(-1), q.Softmax(-1)), g.Scalar(0)},
		"KL of logits": {losses.KLDivergenceWith(q.Softmax(-1).Log(), q, losses.Options{Logits: true}), losses.KLDivergence(q.Softmax(-1), q)},
		"a permuted copy": {losses.CategoricalCrossEntropyLabelsWith(x.Permute(0, 2, 3, 1), pixels, losses.Options{Logits: true, IgnoreIndex: []int{255}}),
			losses.CategoricalCrossEntropyLabelsWith(x, pixels, s)},
		"pos weight 1": {losses.BinaryCrossEntropyWith(g.Constant(matrix(numbers)), q, losses.Options{Logits: true, PosWeight: g.Scalar(1)}),
			losses.BinaryCrossEntropyWith(g.Constant(matrix(numbers)), q, losses.Options{Logits: true})},
	} {
		if math.Abs(pair[0].Item()-pair[1].Item()) > 1e-14 {
			t.Errorf("%s: %v and %v", name, pair[0].Item(), pair[1].Item())
		}
	}
}

var noBorder = autograd.NewInts([]int{1, 0, 2, 2, 0, 1, 1, 0}, 2, 2, 2)

// Value and gradient at ties, ends and far away.
func TestEdgesOfAllLosses(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	logits := losses.Options{Logits: true}
	vector := func(f func(x, y autograd.Value) autograd.Value) func(x, y autograd.Value) autograd.Value {
		return func(x, y autograd.Value) autograd.Value { return f(x.Unsqueeze(-1), y) }
	}
	focal := func(gamma float64) func(x, y autograd.Value) autograd.Value {
		return func(x, y autograd.Value) autograd.Value { return losses.BinaryFocalWith(x, y, gamma, logits) }
	}
	gaussian := func(v, y autograd.Value) autograd.Value { return losses.GaussianNLL(y.MulScalar(0), v, y) }
	for _, row := range []struct {
		name         string
		f            func(x, y autograd.Value) autograd.Value
		x, y         float64
		value, slope float64
	}{
		{"hinge at the margin", losses.Hinge, 1, 1, 0, 0},
		{"hinge far right", losses.Hinge, 1000, 1, 0, 0},
		{"hinge far wrong", losses.Hinge, 1000, -1, 1001, 1},
		{"hinge of NaN", losses.Hinge, nan, 1, nan, nan},
		{"squared hinge at the margin", losses.SquaredHinge, -1, -1, 0, 0},
		{"squared hinge", losses.SquaredHinge, 0, -1, 1, 2},
		{"log-cosh at 0", losses.LogCosh, 3, 3, 0, 0},
		{"log-cosh of a small difference", losses.LogCosh, 1e-8, 0, 5e-17, 1e-8},
		{"log-cosh of 1", losses.LogCosh, 1, 0, 0.4337808304830271, 0.7615941559557649},
		{"log-cosh of −1000", losses.LogCosh, -1000, 0, 1000 - math.Ln2, -1},
		{"log-cosh of 1e300", losses.LogCosh, 1e300, 0, 1e300, 1},
		{"log-cosh of infinity", losses.LogCosh, inf, 0, inf, 1},
		{"log-cosh of NaN", losses.LogCosh, nan, 0, nan, nan},
		{"focal, far right", focal(2), 1000, 1, 0, 0},
		{"focal ½, far right", focal(0.5), 1000, 1, 0, 0},
		{"focal ½, far right", focal(0.5), -1000, 0, 0, 0},
		{"focal, far wrong", focal(2), -1000, 1, 1000, -1},
		{"focal of NaN", focal(2), nan, 1, nan, nan},
		{"poisson of a rate of 0", losses.PoissonNLL, 0, 0, 0, 1},
		{"poisson of a negative rate", losses.PoissonNLL, -1, 1, nan, 1 + 1/(1-1e-8)},
		{"contrastive, equal and apart", vector(func(x, y autograd.Value) autograd.Value {
			return losses.Contrastive(x, x.MulScalar(0), y, 2)
		}), 0, 0, 4, 0},
		{"contrastive, equal and near", vector(func(x, y autograd.Value) autograd.Value {
			return losses.Contrastive(x, x.MulScalar(0), y, 2)
		}), 0, 1, 0, 0},
		{"cosine of 0", vector(func(x, y autograd.Value) autograd.Value {
			return losses.CosineEmbedding(x, x.MulScalar(0).AddScalar(1), y, 0)
		}), 0, 1, 1, -1e6},
		{"triplet of equal vectors", vector(func(x, _ autograd.Value) autograd.Value {
			return losses.Triplet(x, x.MulScalar(0), x.MulScalar(0).AddScalar(-1), 0.5)
		}), 0, 0, 0, 0},
		{"gaussian of a variance of 0", gaussian, 0, 0, 0.5 * math.Log(1e-6), 0.5e6},
		{"gaussian of a variance of NaN", gaussian, nan, 0, nan, nan},
	} {
		for _, shape := range [][]int{{}, {2}} {
			g := autograd.NewGraph(autograd.Options{})
			x, y := g.Variable(autograd.Full(row.x, shape...)), g.Constant(autograd.Full(row.y, shape...))
			loss, n := row.f(x, y), float64(x.Size())
			got := n * loss.Backward().Of(x).Float64s()[0]
			again := n * autograd.Grad(loss, x)[0].Tensor().Float64s()[0]
			near := func(a, b float64) bool { return same(a, b) || math.Abs(a-b) < 1e-9*math.Abs(b) }
			if !near(loss.Item(), row.value) || !near(got, row.slope) || !near(again, row.slope) {
				t.Errorf("%s(%v, %v) of shape %v: %v → %v and %v, want %v → %v", row.name, row.x, row.y, shape, loss.Item(), got, again, row.value, row.slope)
			}
		}
	}
}

// Classes that are ruled out by −Inf, and targets of 0, in the KL divergence.
func TestKLEdges(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.NewTensor([]float64{0, 0, math.Inf(-1)}, 1, 3))
	y := g.Variable(autograd.NewTensor([]float64{0.25, 0.75, 0}, 1, 3))
	loss := losses.KLDivergenceWith(x, y, losses.Options{Logits: true})
	want := 0.25*math.Log(0.5) + 0.75*math.Log(1.5)
	grads := loss.Backward()
	if diff := cmp.Diff(want, loss.Item(), near) + cmp.Diff([]float64{0.25, -0.25, 0}, grads.Of(x).Float64s(), near) +
		cmp.Diff([]float64{math.Log(0.5) + 1, math.Log(1.5) + 1, 0}, grads.Of(y).Float64s(), near); diff != "" {
		t.Error(diff)
	}
}

// Pixels that are all ignored, or NaN where they are ignored.
func TestIgnoredPixels(t *testing.T) {
	for name, f := range map[string]func(x autograd.Value, l autograd.Ints, s losses.Options) autograd.Value{
		"cross entropy": losses.CategoricalCrossEntropyLabelsWith,
		"smoothed": func(x autograd.Value, l autograd.Ints, s losses.Options) autograd.Value {
			s.LabelSmoothing = 0.1
			return losses.CategoricalCrossEntropyLabelsWith(x, l, s)
		},
		"focal": func(x autograd.Value, l autograd.Ints, s losses.Options) autograd.Value {
			return losses.CategoricalFocalLabelsWith(x, l, 2, s)
		},
	} {
		for _, logits := range []bool{false, true} {
			g := autograd.NewGraph(autograd.Options{})
			x := g.Variable(autograd.Full(0.3, 2, 3))
			all := f(x, autograd.NewInts([]int{-1, -1}), losses.Options{Logits: logits, IgnoreIndex: []int{-1}})
			for _, d := range all.Backward().Of(x).Float64s() {
				if d != 0 {
					t.Errorf("%s: a gradient of %v though all are ignored", name, d)
				}
			}
			if !math.IsNaN(all.Item()) {
				t.Errorf("%s: the mean of nothing is %v", name, all.Item())
			}
			bad := g.Variable(autograd.NewTensor([]float64{math.NaN(), 0.1, 0.2, 0.3, 0.3, 0.3}, 2, 3))
			loss := f(bad, autograd.NewInts([]int{-1, 1}), losses.Options{Logits: logits, IgnoreIndex: []int{-1}})
			one := f(x.Narrow(0, 1, 1), autograd.NewInts([]int{1}), losses.Options{Logits: logits})
			if loss.Item() != one.Item() {
				t.Errorf("%s: %v with a NaN that is ignored, %v without", name, loss.Item(), one.Item())
			}
		}
	}
}

// Of nothing the mean is NaN, and the sum 0.
func TestEmptyBatches(t *testing.T) {
	for _, row := range inputRows {
		if row.losses[0] == 2 || row.name == "Hinge" || row.name == "SquaredHinge" || len(row.inputs) == 2 && row.losses[0] == 4 && len(row.losses) == 1 || row.name == "MarginRanking" {
			continue // with fixed labels: below
		}
		g := autograd.NewGraph(autograd.Options{})
		var in []autograd.Value
		for _, x := range row.inputs {
			shape := x.Shape()
			if len(shape) > 1 {
				shape[0] = 0
			}
			if len(shape) > 1 {
				in = append(in, g.Variable(autograd.Zeros(shape...)))
			} else {
				in = append(in, g.Variable(x))
			}
		}
		mean, sum := row.f(in, losses.Options{Logits: row.logits}), row.f(in, losses.Options{Logits: row.logits, Reduction: losses.Sum})
		if !math.IsNaN(mean.Item()) || sum.Item() != 0 {
			t.Errorf("%s: mean %v and sum %v, want NaN and 0", row.name, mean.Item(), sum.Item())
		}
		sum.Backward()
	}
	g := autograd.NewGraph(autograd.Options{})
	x, none := g.Variable(autograd.Zeros(0, 3, 2, 2)), autograd.NewInts(nil, 0, 2, 2)
	rows, y := g.Variable(autograd.Zeros(0, 3)), g.Constant(autograd.Zeros(0))
	for name, f := range map[string]func(s losses.Options) autograd.Value{
		"labels": func(s losses.Options) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(x, none, with(s))
		},
		"focal":       func(s losses.Options) autograd.Value { return losses.CategoricalFocalLabelsWith(x, none, 2, with(s)) },
		"dice":        func(s losses.Options) autograd.Value { return losses.DiceLabelsWith(x, none, 1, with(s)) },
		"hinge":       func(s losses.Options) autograd.Value { return losses.HingeWith(rows, rows, s) },
		"ranking":     func(s losses.Options) autograd.Value { return losses.MarginRankingWith(rows, rows, rows, 1, s) },
		"contrastive": func(s losses.Options) autograd.Value { return losses.ContrastiveWith(rows, rows, y, 1, s) },
		"cosine":      func(s losses.Options) autograd.Value { return losses.CosineEmbeddingWith(rows, rows, y, 0, s) },
		"KL":          func(s losses.Options) autograd.Value { return losses.KLDivergenceWith(rows, rows, s) },
	} {
		mean, sum := f(losses.Options{}), f(losses.Options{Reduction: losses.Sum})
		if !math.IsNaN(mean.Item()) || sum.Item() != 0 {
			t.Errorf("%s: mean %v and sum %v, want NaN and 0", name, mean.Item(), sum.Item())
		}
		sum.Backward()
	}
}

// Mistakes name the loss and the line.
func TestMisuseOfAllLosses(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x, rows := g.Full(0.5, 4, 3), autograd.NewInts([]int{0, 1, 2, 0})
	var zero autograd.Value
	for want, f := range map[string]func(){
		"losses: MSE: ClassAxis is no option of this loss":                          func() { losses.MSEWith(x, x, losses.Options{ClassAxis: 1}) },
		"losses: MSE: IgnoreIndex is no option of this loss":                        func() { losses.MSEWith(x, x, losses.Options{IgnoreIndex: []int{1}}) },
		"losses: BinaryCrossEntropy: LabelSmoothing is no option of this loss":      func() { losses.BinaryCrossEntropyWith(x, x, losses.Options{LabelSmoothing: 1}) },
		"losses: CategoricalCrossEntropy: PosWeight is no option of this loss":      func() { losses.CategoricalCrossEntropyWith(x, x, losses.Options{PosWeight: x}) },
		"losses: CategoricalCrossEntropy: IgnoreIndex is no option of this loss":    func() { losses.CategoricalCrossEntropyWith(x, x, losses.Options{IgnoreIndex: []int{0}}) },
		"losses: Hinge: Logits is no option of this loss":                           func() { losses.HingeWith(g.Full(1, 2), g.Full(1, 2), losses.Options{Logits: true}) },
		"losses: KLDivergence: Full is no option of this loss":                      func() { losses.KLDivergenceWith(x, x, losses.Options{Full: true}) },
		"losses: Dice: Swap is no option of this loss":                              func() { losses.DiceWith(g.Full(1, 1, 1, 1), g.Full(1, 1, 1, 1), 1, losses.Options{Swap: true}) },
		"losses: GaussianNLL: LogTarget is no option of this loss":                  func() { losses.GaussianNLLWith(x, x, x, losses.Options{LogTarget: true}) },
		"losses: CategoricalCrossEntropy: LabelSmoothing is 1.5, want a number":     func() { losses.CategoricalCrossEntropyWith(x, x, losses.Options{LabelSmoothing: 1.5}) },
		"losses: CategoricalCrossEntropyLabels: LabelSmoothing is NaN":              func() { losses.CategoricalCrossEntropyLabelsWith(x, rows, losses.Options{LabelSmoothing: math.NaN()}) },
		"losses: CategoricalCrossEntropyLabels: ClassAxis 2 is out of range for 2":  func() { losses.CategoricalCrossEntropyLabelsWith(x, rows, losses.Options{ClassAxis: 2}) },
		"losses: CategoricalCrossEntropyLabels: ClassAxis -3 is out of range for 2": func() { losses.CategoricalCrossEntropyLabelsWith(x, rows, losses.Options{ClassAxis: -3}) },
		"losses: CategoricalCrossEntropyLabels: labels[1] = 255 is out of range": func() {
			losses.CategoricalCrossEntropyLabelsWith(x, autograd.NewInts([]int{0, 255, 0, 0}), losses.Options{IgnoreIndex: []int{-1}})
		},
		"losses: BinaryCrossEntropy: PosWeight is neither a scalar nor one number":  func() { losses.BinaryCrossEntropyWith(x, x, losses.Options{PosWeight: g.Full(1, 4)}) },
		"losses: BinaryFocal: the class weights are not one for class 0":            func() { losses.BinaryFocalWith(x, x, 2, losses.Options{ClassWeights: g.Full(1, 3)}) },
		"losses: BinaryFocal: a γ of -1, want":                                      func() { losses.BinaryFocal(x, x, -1) },
		"losses: CategoricalFocalLabels: a γ of NaN, want":                          func() { losses.CategoricalFocalLabels(x, rows, math.NaN()) },
		"losses: Dice: a smooth of -1, want":                                        func() { losses.Dice(x, x, -1) },
		"losses: Dice: no axes of images, classes and pixels: [4 3]":                func() { losses.Dice(x, x, 1) },
		"losses: DiceLabels: no axes of images, classes and pixels: [1 4 3]":        func() { losses.DiceLabelsWith(g.Full(1, 1, 4, 3), rows, 1, losses.Options{ClassAxis: -3}) },
		"losses: Hinge: element 0 of the target is 0.5, want -1 or 1":               func() { losses.Hinge(x, x) },
		"losses: Contrastive: element 3 of the target is -1, want 0 or 1":           func() { losses.Contrastive(x, x, g.Constant(autograd.NewTensor([]float64{0, 1, 1, -1})), 1) },
		"losses: CosineEmbedding: the targets are not one for each row: [4 3], [3]": func() { losses.CosineEmbedding(x, x, g.Full(1, 3), 1) },
		"losses: MarginRanking: a margin of +Inf":                                   func() { losses.MarginRanking(x, x, x, math.Inf(1)) },
		"losses: MarginRanking: the two predictions differ in shape: [4 3], [4]":    func() { losses.MarginRanking(x, g.Full(1, 4), x, 1) },
		"losses: MarginRanking: the second prediction is the zero Value":            func() { losses.MarginRanking(x, zero, x, 1) },
		"losses: Triplet: the second prediction is the zero Value":                  func() { losses.Triplet(x, x, zero, 1) },
		"losses: Triplet: a scalar has no axis along which a vector lies":           func() { losses.Triplet(g.Scalar(1), g.Scalar(1), g.Scalar(1), 1) },
		"losses: GaussianNLL: the variance is the zero Value":                       func() { losses.GaussianNLL(x, zero, x) },
		"losses: GaussianNLL: element 0 of the variance is -0.5":                    func() { losses.GaussianNLL(x, x.Neg(), x) },
		"losses: GaussianNLL: mean and variance differ in shape: [4 3], [3]":        func() { losses.GaussianNLL(x, g.Full(1, 3), x) },
		"losses: PoissonNLL: prediction and target differ in shape":                 func() { losses.PoissonNLL(x, g.Full(1, 3)) },
	} {
		err := autograd.Try(f)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if scope := g.Scalar(0).Named("after").Node().Scope; scope != "" {
			t.Errorf("%s: scope %q is still open", want, scope)
		}
	}
}

// Predictions that are no probabilities are named in a graph that checks.
func TestProbabilitiesOfAllLosses(t *testing.T) {
	for _, row := range inputRows {
		g := autograd.NewGraph(autograd.Options{CheckFinite: true})
		if err := autograd.Try(func() { row.compute(g, losses.Options{}) }); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	g := autograd.NewGraph(autograd.Options{CheckFinite: true})
	x := g.Full(2, 1, 3, 2)
	for i, f := range []func(){
		func() { losses.BinaryFocal(x, x, 2) },
		func() { losses.Dice(x, x, 1) },
		func() { losses.DiceLabels(x, autograd.NewInts([]int{0, 1, 1}, 1, 3), 1) },
		func() { losses.CategoricalFocalLabels(x, autograd.NewInts([]int{0, 1, 1}, 1, 3), 1) },
		func() { losses.KLDivergence(x, x) },
	} {
		if err := autograd.Try(f); err == nil || !strings.Contains(err.Error(), "which is no probability") {
			t.Errorf("%d: %v", i, err)
		}
	}
}
