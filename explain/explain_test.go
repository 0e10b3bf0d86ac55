package explain_test

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/explain"
	"nabla/internal/recording/recordingtest"
	"nabla/layers"
	"nabla/losses"
)

// randomScalars records a random graph of single numbers with shared values.
// Its structure depends on the seed alone, not on the leaves' numbers.
func randomScalars(seed uint64, leaves []float64) (root autograd.Value, variables []autograd.Value) {
	rng := rand.New(rand.NewPCG(seed, 7))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	for i, v := range leaves {
		variables = append(variables, g.Variable(autograd.Scalar(v)).Named(fmt.Sprint("x", i)))
	}
	values := slices.Clone(variables)
	pick := func() autograd.Value { return values[rng.IntN(len(values))] }
	for range 4 + rng.IntN(5) {
		a, b := pick(), pick()
		switch rng.IntN(7) {
		case 0:
			a = a.Add(b)
		case 1:
			a = a.Sub(b.MulScalar(0.7))
		case 2:
			a = a.Mul(b)
		case 3:
			a = a.Tanh()
		case 4:
			a = a.Sin().Mul(b)
		case 5:
			a = a.Sigmoid()
		case 6:
			a = a.Square().AddScalar(0.3)
		}
		values = append(values, a)
	}
	root = values[len(values)-1]
	for _, v := range variables {
		root = root.Add(v.MulScalar(0.1)) // so that each is reached
	}
	return root, variables
}

// ways returns the product of each way from a value to the root, by brute
// force.
func ways(root, x autograd.Value) []float64 {
	if x == root {
		return []float64{1}
	}
	var products []float64
	for n := range root.Ancestors() {
		for input, id := range n.Inputs {
			if id != x.Node().ID {
				continue
			}
			local, _ := n.Local(input)
			for _, rest := range ways(root, n.Value) {
				products = append(products, local.Item()*rest)
			}
		}
	}
	return products
}

func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*max(1, math.Abs(a), math.Abs(b))
}

// The terms and the ways add up to the gradient, the ways are those of a brute
// force search, and the gradient is that of a central difference of the whole
// program run again.
func TestExplanationsAddUp(t *testing.T) {
	for seed := range uint64(60) {
		leaves := []float64{0.6, -0.8, 1.1}
		root, variables := randomScalars(seed, leaves)
		grads := root.Backward()
		for i, v := range variables {
			e := explain.GradientWith(v, grads, explain.Options{Ways: math.MaxInt})
			terms, shares, paths := 0.0, 0.0, []float64{}
			for _, term := range e.Terms {
				terms += term.Contribution
				if !near(term.Upstream*term.Local, term.Contribution, 1e-12) {
					t.Errorf("seed %d: %v × %v is not %v", seed, term.Upstream, term.Local, term.Contribution)
				}
			}
			for _, p := range e.Ways {
				shares += p.Share
				paths = append(paths, p.Contribution)
			}
			if g := grads.Of(v).Item(); !near(terms, g, 1e-12) || e.Gradient != g {
				t.Errorf("seed %d: the terms add up to %v, the gradient is %v", seed, terms, g)
			}
			if !e.Exact || !near(shares*e.Gradient, e.Gradient, 1e-12) {
				t.Errorf("seed %d: the shares add up to %v", seed, shares)
			}
			if !slices.IsSortedFunc(paths, func(a, b float64) int { return cmp.Compare(math.Abs(b), math.Abs(a)) }) {
				t.Errorf("seed %d: not the largest first: %v", seed, paths)
			}
			want := ways(root, v)
			slices.Sort(want)
			slices.Sort(paths)
			if len(want) != len(paths) || float64(len(want)) != e.WayCount {
				t.Fatalf("seed %d: %d paths of %v ways, want %d", seed, len(paths), e.WayCount, len(want))
			}
			for k := range want {
				if !near(want[k], paths[k], 1e-12) {
					t.Errorf("seed %d: path %v, want %v", seed, paths[k], want[k])
				}
			}
			const h = 1e-5
			above, below := slices.Clone(leaves), slices.Clone(leaves)
			above[i] += h
			below[i] -= h
			up, _ := randomScalars(seed, above)
			down, _ := randomScalars(seed, below)
			if numeric := (up.Item() - down.Item()) / (2 * h); !near(numeric, e.Gradient, 1e-7) || !near(e.Check.Numeric, numeric, 1e-7) || !e.Check.Agrees {
				t.Errorf("seed %d: gradient %v, central difference %v, by Explain %+v", seed, e.Gradient, numeric, e.Check)
			}
		}
	}
}

// If there are many ways, those returned are the largest.
func TestLargestPaths(t *testing.T) {
	for seed := range uint64(60) {
		root, variables := randomScalars(seed, []float64{0.6, -0.8, 1.1})
		grads := root.Backward()
		all := explain.GradientWith(variables[0], grads, explain.Options{Ways: math.MaxInt}).Ways
		for most := 1; most <= min(5, len(all)); most++ {
			some := explain.GradientWith(variables[0], grads, explain.Options{Ways: most}).Ways
			if len(some) != most {
				t.Fatalf("%d paths, want %d", len(some), most)
			}
			for k, p := range some {
				if !near(math.Abs(p.Contribution), math.Abs(all[k].Contribution), 1e-12) {
					t.Errorf("seed %d: path %d of %d brings %v, want %v", seed, k, most, p.Contribution, all[k].Contribution)
				}
			}
		}
	}
}

// A ladder has too many ways to enumerate, almost all of the same size.
func TestLadder(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(1)).Named("x")
	y := x
	for range 64 {
		y = y.MulScalar(0.3).Add(y.MulScalar(0.7 / 3))
	}
	e := explain.GradientWith(x, y.Backward(), explain.Options{Ways: 5})
	if e.WayCount != math.Pow(2, 64) || len(e.Ways) != 5 {
		t.Fatalf("%d paths of %v ways", len(e.Ways), e.WayCount)
	}
	// 0.3⁶⁴, then one step by the other way each.
	for k, p := range e.Ways {
		want := math.Pow(0.3, 64)
		if k > 0 {
			want = math.Pow(0.3, 63) * 0.7 / 3
		}
		if math.Abs(p.Contribution-want) > 1e-12*want {
			t.Errorf("path %d brings %v, want %v", k, p.Contribution, want)
		}
	}
}

// The search ends even if all ways are equally large.
func TestEvenLadder(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(1)).Named("x")
	y := x
	for range 64 {
		y = y.MulScalar(0.3).Add(y.MulScalar(0.3))
	}
	e := explain.GradientWith(x, y.Backward(), explain.Options{Ways: 5})
	for _, p := range e.Ways {
		if want := math.Pow(0.3, 64); math.Abs(p.Contribution-want) > 1e-12*want || !near(p.Share, math.Pow(2, -64), 1e-12) {
			t.Errorf("a path brings %v, a share of %v, want %v", p.Contribution, p.Share, want)
		}
	}
	if len(e.Ways) != 5 {
		t.Errorf("%d paths", len(e.Ways))
	}
}

func TestLongChain(t *testing.T) {
	root := recordingtest.Chain(100_000)
	var x autograd.Value
	for n := range root.Ancestors() {
		if n.Kind == autograd.KindVariable {
			x = n.Value
		}
	}
	e := explain.Gradient(x, root.Backward())
	if len(e.Ways) != 1 || len(e.Ways[0].Values) != 50_001 || !e.Check.Agrees {
		t.Errorf("%d paths, %+v", len(e.Ways), e.Check)
	}
	if lines := strings.Count(e.String(), "\n"); lines > 10 || len(e.String()) > 2000 {
		t.Errorf("%d lines of %d bytes", lines, len(e.String()))
	}
}

// Each cause is planted once and must be found.
func TestCauses(t *testing.T) {
	frozen := autograd.NewParam("frozen", autograd.Scalar(2))
	frozen.Frozen = true
	type V = autograd.Value
	for _, c := range []struct {
		x    float64
		f    func(g *autograd.Graph, x V) V
		kind explain.CauseKind
		want string
	}{
		{-0.35, func(g *autograd.Graph, x V) V { return x.ReLU().Named("a") }, explain.CauseGateClosed, "relu a is closed: its input is −0.35"},
		{-0.35, func(g *autograd.Graph, x V) V { return x.MulScalar(2).ReLU().Named("a").Exp() }, explain.CauseGateClosed, "relu a is closed: its input is −0.7"},
		{7, func(g *autograd.Graph, x V) V { return x.Clamp(0, 1).Named("y") }, explain.CauseGateClosed, "clamp y is beyond its bounds: its input is 7"},
		{1, func(g *autograd.Graph, x V) V { return x.Maximum(g.Scalar(3)).Named("y") }, explain.CauseGateClosed, "maximum y takes its other input: its input is 1"},
		{1, func(g *autograd.Graph, x V) V { return autograd.Where(g.Scalar(0), x, g.Scalar(3)).Named("y") }, explain.CauseGateClosed, "where y takes its other branch: its input is 1"},
		{1000, func(g *autograd.Graph, x V) V { return x.Sigmoid().Named("a") }, explain.CauseSaturated, "sigmoid a is saturated: its input is 1000"},
		{12, func(g *autograd.Graph, x V) V { return x.Sigmoid().Named("a") }, explain.CauseSaturated, "sigmoid a is saturated: its slope is 6.144e−6"},
		{8, func(g *autograd.Graph, x V) V { return x.Tanh().Named("a").MulScalar(3) }, explain.CauseSaturated, "tanh a is saturated: its slope is 4.501e−7"},
		{0.5, func(g *autograd.Graph, x V) V { return x.Mul(g.Scalar(0).Named("i")).Named("p") }, explain.CauseZeroInput, "mul p multiplies it by i, which is 0"},
		{0.5, func(g *autograd.Graph, x V) V { return x.Mul(g.Scalar(1e-7).Named("i")).Named("p") }, explain.CauseZeroInput, "mul p multiplies it by i, which is 1e−7"},
		{0.5, func(g *autograd.Graph, x V) V { return x.MulScalar(0).Named("p") }, explain.CauseZeroInput, "mul scalar p multiplies it by 0"},
		{2, func(g *autograd.Graph, x V) V { return x.Sub(g.Scalar(2)).Square().Named("loss") }, explain.CauseFlat, "square loss has the slope 0 at 0"},
		{2, func(g *autograd.Graph, x V) V { return x.Sub(x).Named("y") }, explain.CauseCancellation, "what the uses of x hand back cancels"},
		{2, func(g *autograd.Graph, x V) V { return x.MulScalar(1.0001).Sub(x) }, explain.CauseCancellation, "what the uses of x hand back cancels, to 5e−5 of the sum of its sizes"},
		{2, func(g *autograd.Graph, x V) V { return x.MulScalar(1000).Sub(x.MulScalar(999.5)) }, explain.CauseCancellation, "what the uses of x hand back cancels, to 0.0002501 of the sum of its sizes"},
		{2, func(g *autograd.Graph, x V) V { h := x.MulScalar(0.5).Named("h"); return h.MulScalar(1.0001).Sub(h) }, explain.CauseCancellation, "what the uses of h hand back cancels, to 5e−5 of the sum of its sizes"},
		{2, func(g *autograd.Graph, x V) V {
			return x.MulScalar(0.3).MulScalar(0.2).MulScalar(0.1).MulScalar(0.1).MulScalar(0.1)
		}, explain.CauseAttenuation, "5 steps with factors of 0.1431 on average"},
		{2, func(g *autograd.Graph, x V) V { return x.MulScalar(1e-200).MulScalar(1e-200).Named("y") }, explain.CauseUnderflow, "the product with the slope of 1e−200·x is below the smallest number"},
		{2, func(g *autograd.Graph, x V) V { return x.Detach().Named("d").Add(g.Variable(autograd.Scalar(1))) }, explain.CauseDetached, "no gradient arrives: detach d stops it"},
		{2, func(g *autograd.Graph, x V) V { return x.Sign().Named("s").Add(g.Variable(autograd.Scalar(1))) }, explain.CauseDetached, "no gradient arrives: sign s stops it"},
		{2, func(g *autograd.Graph, x V) V { return g.Variable(autograd.Scalar(1)).Square() }, explain.CauseNotReached, "the loss was computed without it"},
		{0, func(g *autograd.Graph, x V) V { return x.Log().Named("y").MulScalar(2) }, explain.CauseLogOfZero, "y: log of 0"},
		{0, func(g *autograd.Graph, x V) V { return g.Scalar(1).Div(x).Named("y") }, explain.CauseDivisionByZero, "y: 1 / 0"},
		{-4, func(g *autograd.Graph, x V) V { return x.Sqrt().Named("y") }, explain.CauseDomain, "y: sqrt of −4, a negative number"},
		{0, func(g *autograd.Graph, x V) V { return x.Sqrt().Named("y") }, explain.CauseSlope, "y: sqrt at 0 has the slope +Inf"},
		{1000, func(g *autograd.Graph, x V) V { return x.Exp().Named("y") }, explain.CauseOverflow, "y: exp of 1000 overflows"},
		{1, func(g *autograd.Graph, x V) V { return x.Mul(g.Scalar(math.NaN()).Named("c")) }, explain.CauseGiven, "c: the constant holds NaN"},
		{1, func(g *autograd.Graph, x V) V {
			return x.Add(g.Constant(autograd.Zeros(2))).Named("z").Mul(g.Constant(autograd.NewTensor([]float64{1, -0.99999}))).Sum()
		}, explain.CauseCancellation, "what the elements of add z hand back cancels, as it does at a minimum of the loss"},
		{1, func(g *autograd.Graph, x V) V {
			ones := g.Constant(autograd.Ones(3, 1))
			return ones.MatMul(x.Reshape(1, 1)).Named("z").Mul(g.Constant(autograd.FromNested([][]float64{{1}, {-2}, {1.00001}}))).Sum()
		}, explain.CauseCancellation, "what the elements of matmul z hand back cancels, as it does at a minimum of the loss"},
		{1, func(g *autograd.Graph, x V) V {
			tiny := g.Constant(autograd.Full(1e-6, 3, 1)).Named("tiny")
			return tiny.MatMul(x.Reshape(1, 1)).Named("z").Sum()
		}, explain.CauseZeroInput, "matmul z multiplies it by tiny, whose norm is 1.732e−6"},
		{1, func(g *autograd.Graph, x V) V { return x.Tanh() }, explain.CauseNone, ""},
		{1, func(g *autograd.Graph, x V) V { return x.Square().Add(x) }, explain.CauseNone, ""},
	} {
		g, variable := traced()
		x := variable("x", c.x)
		root := c.f(g, x)
		e := explain.Gradient(x, root.Backward())
		if e.Cause.Kind != c.kind || e.Cause.Words != c.want {
			t.Errorf("got %v %q, want %v %q", e.Cause.Kind, e.Cause.Words, c.kind, c.want)
		}
	}
	g, variable := traced()
	param, constant := g.Param(frozen), g.Scalar(3).Named("c")
	detached := variable("x", 1).Square().Detach().Named("d")
	root := param.Mul(constant).Add(detached).Add(variable("w", 1))
	grads := root.Backward()
	for _, c := range []struct {
		x    autograd.Value
		want explain.CauseKind
	}{{param, explain.CauseFrozen}, {constant, explain.CauseConstant}, {detached, explain.CauseDetached}, {param.Mul(constant), explain.CauseConstant}} {
		if e := explain.Gradient(c.x, grads); e.Known || e.Cause.Kind != c.want || !math.IsNaN(e.Gradient) {
			t.Errorf("got %+v, want %v", e, c.want)
		}
	}
}

// A running statistic, which an evaluation uses, is no frozen parameter.
func TestStatisticIsExplained(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true, Eval: true})
	mean := g.Param(autograd.NewStatistic("mean", autograd.Scalar(2)))
	e := explain.Gradient(mean, g.Variable(autograd.Scalar(3)).Sub(mean).Backward())
	if e.Cause.Kind != explain.CauseFrozen || e.Cause.Words != "mean is a statistic" {
		t.Errorf("%v %q", e.Cause.Kind, e.Cause.Words)
	}
	if text := e.String(); !strings.Contains(text, "mean is a statistic: a step moves it towards what was observed") {
		t.Error(text)
	}
}

// No gradient of a healthy network has a cause.
func TestHealthyNetworksHaveNoCauses(t *testing.T) {
	for name, root := range map[string]autograd.Value{
		"neuron": recordingtest.Neuron(), "network": recordingtest.Network(), "reused": recordingtest.Reused(), "tanh": deep(4, 1, layers.Tanh()), "leaky": deep(2, 1, layers.LeakyReLU(0.1)),
	} {
		grads := root.Backward()
		for n := range root.Ancestors() {
			if !n.NeedsGrad {
				continue
			}
			if e := explain.Gradient(n.Value, grads); e.Cause.Kind != explain.CauseNone || len(e.Zeros) > 0 || e.Check != nil && !e.Check.Agrees {
				t.Errorf("%s: %s", name, e)
			}
		}
	}
}

// reluNetwork records x·W → relu → ·V on 4 rows: unit 1 is closed for all rows,
// feature 2 is always zero, and column 0 of V is not used.
func reluNetwork() (w, v, z, root autograd.Value, grads autograd.Gradients) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Constant(autograd.FromNested([][]float64{{1, 2, 0}, {2, 1, 0}, {1, 1, 0}, {3, 1, 0}})).Named("x")
	w = g.Variable(autograd.FromNested([][]float64{{0.5, -1}, {0.2, -0.5}, {0.3, 0.1}})).Named("W")
	v = g.Variable(autograd.FromNested([][]float64{{0.4}, {0.6}})).Named("V")
	z = x.MatMul(w).Named("z")
	root = z.ReLU().Named("a").MatMul(v).Named("p").Sub(g.Constant(autograd.Zeros(4, 1))).Square().Mean().Named("loss")
	return w, v, z, root, root.Backward()
}

// The zeros of a tensor's gradient are grouped by cause.
func TestZeroGroups(t *testing.T) {
	w, v, z, _, grads := reluNetwork()
	groups := func(x autograd.Value, o explain.Options) (all []string) {
		for _, group := range explain.GradientWith(x, grads, o).Zeros {
			all = append(all, fmt.Sprintf("%d %v %s", group.Count, group.Cause.Kind, group.Cause.Words))
		}
		return all
	}
	closed, zero := "gate closed relu a is closed", "zero input matmul z multiplies it by zeros of x"
	for _, c := range []struct {
		x    autograd.Value
		o    explain.Options
		want []string
	}{
		{w, explain.Options{}, []string{"3 " + closed, "1 " + zero}},
		{z, explain.Options{}, []string{"4 " + closed}},
		{v, explain.Options{}, []string{"1 zero input matmul p multiplies it by zeros of a"}},
		{w, explain.Options{Element: []int{2, 0}}, []string{"1 " + zero}},
		{w, explain.Options{Element: []int{0, 1}}, []string{"1 " + closed}},
		{w, explain.Options{Element: []int{0, 0}}, nil},
	} {
		if diff := gocmp.Diff(c.want, groups(c.x, c.o)); diff != "" {
			t.Errorf("%s %v (-want +got):\n%s", c.x.Name(), c.o.Element, diff)
		}
	}
}

// The terms of an element add up to its gradient, and the shares of the ways
// to one.
func TestTensors(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.FromNested([][]float64{{0.3, -1.2}, {0.7, 2.1}})).Named("x")
	w := g.Variable(autograd.FromNested([][]float64{{0.5, 0.4}, {-0.6, 0.2}})).Named("w")
	b := g.Variable(autograd.NewTensor([]float64{0.1, -0.2})).Named("b")
	h := x.MatMul(w).Add(x).Add(b).MatMul(w).Tanh().Named("h")
	root := autograd.Concat(0, h, x.Exp(), h.Mul(h)).Mean().Named("loss")
	grads := root.Backward()
	for n := range root.Ancestors() {
		if !n.NeedsGrad {
			continue
		}
		whole := explain.GradientWith(n.Value, grads, explain.Options{Ways: math.MaxInt})
		if want := grads.Of(n.Value).Norm(); !near(whole.Gradient, want, 1e-12) {
			t.Errorf("%s: norm %v, want %v", n.Op, whole.Gradient, want)
		}
		if shares, sum := 0.0, float64(len(whole.Ways)); sum == whole.WayCount {
			for _, p := range whole.Ways {
				shares += p.Share
			}
			if !near(shares, 1, 1e-12) {
				t.Errorf("%s: the shares add up to %v", n.Op, shares)
			}
		} else {
			t.Errorf("%v paths of %v ways", sum, whole.WayCount)
		}
		if n.Value.Rank() != 2 {
			continue
		}
		for r := range n.Value.Dim(0) {
			for c := range n.Value.Dim(1) {
				e := explain.GradientWith(n.Value, grads, explain.Options{Element: []int{r, c}})
				sum := 0.0
				for _, term := range e.Terms {
					sum += term.Contribution
				}
				if want := grads.Of(n.Value).At(r, c); e.Gradient != want || len(e.Terms) > 0 && !near(sum, want, 1e-12) || e.Number != n.Value.View().At(r, c) {
					t.Errorf("%s[%d %d]: %v, the terms add up to %v, want %v", n.Op, r, c, e.Gradient, sum, want)
				}
			}
		}
	}
}

// denseLoss returns a layer and its loss on fixed data, without kinks.
func denseLoss(precision autograd.Precision) (*layers.Dense, func(*autograd.Graph) autograd.Value) {
	rng := rand.New(rand.NewPCG(3, 4))
	d := layers.NewDenseWith(rng, 3, 2, layers.DenseOptions{Name: "d", Precision: precision})
	data, target := autograd.Normal(rng, 0, 1, 5, 3), autograd.Normal(rng, 0, 1, 5, 2)
	return d, func(g *autograd.Graph) autograd.Value {
		return losses.MSE(d.Forward(g.Constant(data)).Tanh(), g.Constant(target))
	}
}

// A Param is checked through Options.Loss, as a whole and element by element,
// and the recording stays valid.
func TestCheckThroughLoss(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		d, loss := denseLoss(precision)
		g := autograd.NewGraph(autograd.Options{Trace: true, Precision: precision})
		root := loss(g)
		grads := root.Backward()
		w, before := g.Param(d.Weight), d.Weight.Tensor()
		for _, element := range [][]int{nil, {0, 0}, {2, 1}} {
			e := explain.GradientWith(w, grads, explain.Options{Element: element, Loss: loss})
			tolerance := 1e-8
			if precision == autograd.Float32 {
				tolerance = 1e-3
			}
			if e.Check == nil || !e.Check.Agrees || !near(e.Check.Numeric, e.Gradient, tolerance) {
				t.Errorf("%v %v: %+v, gradient %v", precision, element, e.Check, e.Gradient)
			}
		}
		if diff := gocmp.Diff(before.Float64s(), d.Weight.Tensor().Float64s()); diff != "" {
			t.Errorf("the Param was not put back: %s", diff)
		}
		if again := root.Backward().OfParam(d.Weight); again.Norm() != grads.OfParam(d.Weight).Norm() {
			t.Error("the recording has other gradients now")
		}
		if e := explain.GradientWith(w, grads, explain.Options{Loss: func(g *autograd.Graph) autograd.Value { return loss(g).MulScalar(1.01) }}); e.Check.Agrees || e.Check.Kink {
			t.Errorf("another loss is not noticed: %+v", e.Check)
		}
	}
}

// A panic of the loss leaves the Param as it was.
func TestLossThatPanics(t *testing.T) {
	d, loss := denseLoss(autograd.Float64)
	g := autograd.NewGraph(autograd.Options{Trace: true})
	root := loss(g)
	grads, before := root.Backward(), d.Weight.Tensor().Float64s()
	err := autograd.Try(func() {
		explain.GradientWith(g.Param(d.Weight), grads, explain.Options{Loss: func(g *autograd.Graph) autograd.Value {
			return loss(g).MatMul(loss(g))
		}})
	})
	if shape := new(autograd.ShapeError); !errors.As(err, &shape) {
		t.Errorf("got %v", err)
	}
	if diff := gocmp.Diff(before, d.Weight.Tensor().Float64s()); diff != "" {
		t.Error(diff)
	}
	root.Backward() // panics if the recording were stale
}

// The check distinguishes a wrong rule from a kink.
func TestDisagreement(t *testing.T) {
	_, variable := traced()
	x := variable("x", 0)
	e := explain.Gradient(x, x.ReLU().Backward())
	if e.Check.Agrees || !e.Check.Kink || !near(e.Check.Numeric, 0.5, 1e-9) {
		t.Errorf("%+v", e.Check)
	}
	if want := "there is a kink or jump"; !strings.Contains(e.String(), want) {
		t.Errorf("%s lacks %q", e, want)
	}
	wrong := autograd.Operation{
		Name:    "wrong",
		Forward: func(in []autograd.Tensor) autograd.Tensor { return autograd.Scalar(3 * in[0].Item()) },
		Rule:    func(r *autograd.Rule) { r.Add(0, r.Grad().MulScalar(2)) },
	}
	p := autograd.NewParam("p", autograd.Scalar(2))
	loss := func(g *autograd.Graph) autograd.Value { return autograd.Custom(wrong, g.Param(p)) }
	g := autograd.NewGraph(autograd.Options{Trace: true})
	grads := loss(g).Backward()
	if e := explain.Gradient(g.Param(p), grads); e.Check != nil {
		t.Errorf("nothing is known of a custom operation: %+v", e.Check)
	}
	e = explain.GradientWith(g.Param(p), grads, explain.Options{Loss: loss})
	if e.Check.Agrees || e.Check.Kink || !near(e.Check.Numeric, 3, 1e-9) {
		t.Errorf("%+v", e.Check)
	}
}

// What stops the gradient stops the change of the value too.
func TestCheckHoldsWhatIsDetached(t *testing.T) {
	_, variable := traced()
	x := variable("x", 3)
	e := explain.Gradient(x, x.Mul(x.Detach()).Backward())
	if e.Gradient != 3 || !e.Check.Agrees {
		t.Errorf("%v %+v", e.Gradient, e.Check)
	}
}

func TestExplainMistakesPanic(t *testing.T) {
	g, variable := traced()
	x, c := variable("x", 1, 2), g.Scalar(1)
	root := x.Sum()
	grads := root.Backward()
	plain := autograd.NewGraph(autograd.Options{})
	y := plain.Variable(autograd.Scalar(1))
	stale := recordingtest.Neuron()
	staleGrads := stale.Backward()
	stale.Graph().Reset()
	p := autograd.NewParam("p", autograd.Zeros(2))
	sum := autograd.Gradients{}
	sum.Add(grads)
	vector := g.Param(p).Square()
	loss := func(g *autograd.Graph) autograd.Value { return g.Param(p).Sum() }
	for name, c := range map[string]struct {
		f    func()
		want any
	}{
		"no gradients":   {func() { explain.Gradient(x, autograd.Gradients{}) }, new(*autograd.GradientError)},
		"a sum":          {func() { explain.Gradient(x, sum) }, new(*autograd.GradientError)},
		"no Trace":       {func() { explain.Gradient(y, y.Square().Backward()) }, new(*autograd.GradientError)},
		"another graph":  {func() { explain.Gradient(y, grads) }, new(*autograd.GraphError)},
		"after Reset":    {func() { explain.Gradient(stale, staleGrads) }, new(*autograd.StaleError)},
		"the zero Value": {func() { explain.Gradient(autograd.Value{}, grads) }, new(*autograd.GraphError)},
		"digits":         {func() { explain.GradientWith(x, grads, explain.Options{Digits: 18}) }, new(*autograd.ArgumentError)},
		"step":           {func() { explain.GradientWith(x, grads, explain.Options{Step: -1}) }, new(*autograd.ArgumentError)},
		"NaN step":       {func() { explain.GradientWith(x, grads, explain.Options{Step: math.NaN()}) }, new(*autograd.ArgumentError)},
		"rank":           {func() { explain.GradientWith(x, grads, explain.Options{Element: []int{0, 0}}) }, new(*autograd.ArgumentError)},
		"index":          {func() { explain.GradientWith(x, grads, explain.Options{Element: []int{2}}) }, new(*autograd.IndexError)},
		"negative index": {func() { explain.GradientWith(x, grads, explain.Options{Element: []int{-1}}) }, new(*autograd.IndexError)},
		"loss, no Param": {func() { explain.GradientWith(x, grads, explain.Options{Loss: loss}) }, new(*autograd.ArgumentError)},
		"loss of a vector": {func() {
			explain.GradientWith(g.Param(p), vector.BackwardFrom(autograd.Ones(2)), explain.Options{Loss: loss})
		}, new(*autograd.ArgumentError)},
		"vector loss": {func() {
			explain.GradientWith(g.Param(p), vector.Sum().Backward(), explain.Options{Loss: func(g *autograd.Graph) autograd.Value { return g.Param(p).Square() }})
		}, new(*autograd.ArgumentError)},
	} {
		if err := autograd.Try(c.f); err == nil || !errors.As(err, c.want) {
			t.Errorf("%s: got %v, want %T", name, err, c.want)
		}
	}
	explain.Gradient(c, grads) // a constant has an explanation too
}

func TestWords(t *testing.T) {
	w, _, _, root, grads := reluNetwork()
	scalar := recordingtest.ScalarNetwork()
	scalarGrads := scalar.Backward()
	named := func(root autograd.Value, name string) autograd.Value {
		for n := range root.Ancestors() {
			if n.Value.Name() == name {
				return n.Value
			}
		}
		t.Fatalf("no %s", name)
		return autograd.Value{}
	}
	x := named(recordingtest.Reused(), "x")
	chainRoot := x.Graph().At(2)
	for _, c := range []struct{ got, want string }{
		{explain.Gradient(named(scalar, "w11"), scalarGrads).String(), `dw11 = −0.06652, where w11 = 0.5
what its use hands back:
  d(w11·x1) × 1.5 = −0.04435 × 1.5 = −0.06652, through w11·x1
the way to loss:
  100 %: w11 → w11·x1 → w11·x1 + w12·x2 → z1 → a1 → v1·a1 → v1·a1 + v2·a2 → z3 → a3 → a3 − y → (a3 − y)² → loss, 1.5 × 1 × 1 × 1 × 0.8 × 1 × 1 × 0.2002 × 1 × −0.5538 × 0.5 = −0.06652
central difference over ±6.055e−6: −0.06652, which agrees
negative gradient, so w11 will be increased
`},
		{explain.Gradient(named(scalar, "b2"), scalarGrads).String(), `db2 = 0, where b2 = 0
what its use hands back:
  dz2 × 1 = 0 × 1 = 0, through add z2
the way to loss:
  b2 → z2 → a2 → v2·a2 → v1·a1 + v2·a2 → z3 → a3 → a3 − y → (a3 − y)² → loss, 1 × 0 × −0.3 × 1 × 1 × 0.2002 × 1 × −0.5538 × 0.5 = 0
exactly zero, gate closed: relu a2 is closed: its input is −0.95
central difference over ±6.055e−6: 0, which agrees
zero gradient, so b2 stays as it is
`},
		{explain.GradientWith(x, chainRoot.Backward(), explain.Options{Ways: 2, Digits: 3}).String(), `dx = 7, where x = 3
the sum of what its 3 uses hand back:
  dy × 1 = 1 × 1 = 1, through add y
  d(x·x) × 3 = 1 × 3 = 3, through x·x
  d(x·x) × 3 = 1 × 3 = 3, through x·x
the largest 2 of the 3 ways to y:
  42.9 %: x → x·x → y, 3 × 1 = 3
  42.9 %: x → x·x → y, 3 × 1 = 3
central difference over ±1.82e−5: 7, which agrees
positive gradient, so x will be decreased
`},
		{explain.Gradient(w, grads).String(), `dW [3 2] = norm 0.8465, where W [3 2] = norm 1.281
what its use hands back:
  xᵀ × dz = norm 0.8465, through matmul z, with dz = norm 0.1898
the way to loss:
  100 %: W → z → a → p → sub #7 → square #8 → loss
3 of 6 are exactly zero, gate closed: relu a is closed
1 of 6 is exactly zero, zero input: matmul z multiplies it by zeros of x
of W, 0 will be increased (negative gradient), 2 decreased (positive gradient), 4 left as they are
`},
		{explain.GradientWith(w, grads, explain.Options{Element: []int{0, 1}}).String(), `dW[0 1] = 0, where W[0 1] = −1
what its use hands back:
  xᵀ × dz = 0, through matmul z
the way to loss:
  W → z → a → p → sub #7 → square #8 → loss
exactly zero, gate closed: relu a is closed
zero gradient, so W[0 1] stays as it is
`},
		{explain.Gradient(root.Graph().At(0), grads).String(), `no dx [4 3], where x [4 3] = norm 4.69
cause, constant: a constant has no gradient
`},
	} {
		if diff := gocmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// Empty tensors and a seed of zero have explanations too.
func TestEmptyAndZeroSeed(t *testing.T) {
	g, variable := traced()
	x, empty := variable("x", 2), g.Variable(autograd.Zeros(0, 3)).Named("empty")
	root := x.Mul(empty).Sum()
	grads := root.Backward()
	if e := explain.Gradient(x, grads); e.Gradient != 0 || e.Cause.Kind != explain.CauseNotReached || e.Cause.Words != "what was made of it has no elements" {
		t.Errorf("%s", e)
	}
	if e := explain.Gradient(empty, grads); e.Size != 0 || e.Cause.Kind != explain.CauseNone || len(e.Zeros) > 0 {
		t.Errorf("%s", e)
	}
	y := variable("y", 3, 4)
	e := explain.Gradient(y, y.Square().BackwardFrom(autograd.NewTensor([]float64{0, 1})))
	if len(e.Zeros) != 1 || e.Zeros[0].Count != 1 || e.Zeros[0].Cause.Kind != explain.CauseSeed {
		t.Errorf("%s", e)
	}
}

// A seed multiplies every way.
func TestSeed(t *testing.T) {
	_, variable := traced()
	x := variable("x", 3)
	e := explain.Gradient(x, x.Square().Sin().BackwardFrom(autograd.Scalar(-2)))
	want := -2 * math.Cos(9) * 6
	if !near(e.Gradient, want, 1e-12) || !near(e.Ways[0].Contribution, want, 1e-12) || !near(e.Ways[0].Share, 1, 1e-12) || !e.Check.Agrees {
		t.Errorf("%s", e)
	}
	if !strings.Contains(e.String(), "6 × −0.9111 × −2 = 10.93") {
		t.Errorf("%s", e)
	}
}

func TestFloat32(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true, Precision: autograd.Float32})
	x := g.Variable(autograd.Scalar(0.3)).Named("x")
	root := x.Sin().Mul(x).Add(x.Exp())
	e := explain.Gradient(x, root.Backward())
	want, sum := math.Cos(0.3)*0.3+math.Sin(0.3)+math.Exp(0.3), 0.0
	for _, term := range e.Terms {
		sum += term.Contribution
	}
	if !near(e.Gradient, want, 1e-6) || !near(sum, want, 1e-6) || !e.Check.Agrees || !near(e.Check.Numeric, want, 1e-6) {
		t.Errorf("%s", e)
	}
}

// Values of the same name are distinguished by their scopes.
func TestNamesOfSeveral(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(1)).Named("x")
	y := x
	for _, scope := range []string{"one", "two"} {
		g.Enter(scope)
		y = y.Tanh().Named("a")
		g.Leave()
	}
	if text := explain.Gradient(x, y.Backward()).String(); !strings.Contains(text, "x → one/a → two/a") || !strings.Contains(text, "d(one/a) × ") {
		t.Error(text)
	}
}

// For a whole Param with a zero gradient all elements are changed equally; a
// Param that is not reached is not checked.
func TestCheckOfZeroAndMissingGradients(t *testing.T) {
	p, q := autograd.NewParam("p", autograd.NewTensor([]float64{1, 2})), autograd.NewParam("q", autograd.Scalar(1))
	loss := func(g *autograd.Graph) autograd.Value {
		return g.Param(p).MulScalar(0).Sum().Add(g.Param(q).Detach())
	}
	g := autograd.NewGraph(autograd.Options{Trace: true})
	grads := loss(g).Backward()
	if e := explain.GradientWith(g.Param(p), grads, explain.Options{Loss: loss}); e.Check == nil || !e.Check.Agrees || e.Check.Gradient != 0 {
		t.Errorf("%s", e)
	}
	e := explain.GradientWith(g.Param(p), grads, explain.Options{Loss: func(g *autograd.Graph) autograd.Value {
		return g.Param(p).Sum()
	}})
	if want := math.Sqrt2; e.Check.Agrees || !near(e.Check.Numeric, want, 1e-8) { // along (1, 1)/√2
		t.Errorf("%s", e)
	}
	if e := explain.GradientWith(g.Param(q), grads, explain.Options{Loss: loss}); e.Check != nil || e.Cause.Kind != explain.CauseDetached {
		t.Errorf("%s", e)
	}
}

// Guards against two wrong statements about a gradient of 0: a minimum with a
// rounded difference was called a kink, and ways that cancel had shares of +Inf
// and −Inf %.
func TestMinimumAndCancellationHaveNoFalseWords(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w := g.Variable(autograd.Scalar(0.5)).Named("w")
	bottom := w.AddScalar(1000).Sub(g.Scalar(1000.5)).Square()
	if e := explain.Gradient(w, bottom.Backward()); e.Check == nil || !e.Check.Agrees {
		t.Errorf("at a minimum: %+v\n%v", e.Check, e)
	}
	canceled := w.MulScalar(2).Sub(w.MulScalar(2))
	e := explain.Gradient(w, canceled.Backward())
	for _, way := range e.Ways {
		if !math.IsNaN(way.Share) {
			t.Errorf("a share of nothing is %v", way.Share)
		}
	}
	if strings.Contains(e.String(), "%") {
		t.Error(e)
	}
}

// A value with many uses is explained in few lines, whose sum includes every
// use.
func TestManyTermsInWords(t *testing.T) {
	const uses = 40
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w, loss := g.Variable(autograd.Scalar(2)).Named("w"), g.Scalar(0)
	for k := range uses {
		loss = loss.Add(w.MulScalar(float64(k + 1)))
	}
	e := explain.Gradient(w, loss.Backward())
	// The latest use first: the factors 40 … 29 are written out, 28 … 1 add up
	// to 406.
	if want := "and 28 more = 406\n"; len(e.Terms) != uses || !strings.Contains(e.String(), want) {
		t.Errorf("%d terms; %s lacks %q", len(e.Terms), e, want)
	}
	if lines := strings.Count(e.String(), "\n"); lines > 25 {
		t.Errorf("%d lines", lines)
	}
	tensor := g.Variable(autograd.NewTensor([]float64{1, 2})).Named("v")
	sum := tensor.MulScalar(1)
	for range uses - 1 {
		sum = sum.Add(tensor.MulScalar(2))
	}
	if s := explain.Gradient(tensor, sum.Sum().Backward()).String(); !strings.Contains(s, "and 28 more\n") {
		t.Errorf("norms do not add up: %s", s)
	}
}

// Guards the cause of zeros before a softmax: a probability of exactly 0 or 1
// stops the gradient in the softmax itself, but they were attributed to later
// zeros.
func TestZerosOfAMaskedSoftmax(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.FromNested([][]float64{{1, 2}, {0.5, -1}})).Named("x")
	mask := g.Constant(autograd.FromNested([][]float64{{0, math.Inf(-1)}, {0, 0}}))
	p := x.Add(mask).Softmax(1)
	e := explain.Gradient(x, p.Square().Mean().Backward())
	if len(e.Zeros) != 1 || e.Zeros[0].Count != 2 || e.Zeros[0].Cause.Kind != explain.CauseSaturated || e.Zeros[0].Cause.Value != p {
		t.Errorf("got %+v", e.Zeros)
	}
}

// Zeros pass through an operation that spreads or moves gradients: if all its
// zeros have one cause, that is also the cause before it; if they have several,
// no single cause is given.
func TestZerosThroughWhatMoves(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.FromNested([][]float64{{1, -2}, {3, -4}})).Named("x")
	a := x.Transpose(0, 1).Named("t").ReLU().Named("a")
	one := explain.Gradient(x, a.Sum().Backward())
	if len(one.Zeros) != 1 || one.Zeros[0].Count != 2 || one.Zeros[0].Cause.Kind != explain.CauseGateClosed || one.Zeros[0].Cause.Value != a {
		t.Errorf("one cause: %+v", one.Zeros)
	}

	masked := a.Mul(g.Constant(autograd.FromNested([][]float64{{1, 0}, {1, 1}}))).Named("masked")
	for _, z := range explain.Gradient(x, masked.Sum().Backward()).Zeros {
		if z.Count != 3 || z.Cause.Kind == explain.CauseGateClosed || z.Cause.Value == masked {
			t.Errorf("two causes: %+v", z)
		}
	}
}

// The ways of one element are those that contribute most to it, not to the
// whole tensor.
func TestWaysOfOneElement(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.NewTensor([]float64{1, 1})).Named("x")
	first := x.Mul(g.Constant(autograd.NewTensor([]float64{1, 100}))).Named("first")
	second := x.Mul(g.Constant(autograd.NewTensor([]float64{3, 0}))).Named("second")
	grads := first.Sum().Add(second.Sum()).Backward()
	for name, c := range map[string]struct {
		element []int
		through autograd.Value
		share   float64
	}{
		"element 0": {[]int{0}, second, 0.75},
		"element 1": {[]int{1}, first, 1},
		"whole":     {nil, first, math.Hypot(1, 100) / (math.Hypot(1, 100) + 3)},
	} {
		e := explain.GradientWith(x, grads, explain.Options{Element: c.element})
		if way := e.Ways[0]; way.Values[1] != c.through || math.Abs(way.Share-c.share) > 1e-12 {
			t.Errorf("%s: the largest way leads through %v with %v, want %v with %v", name, way.Values[1], way.Share, c.through, c.share)
		}
	}
}
