package graphviz_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/internal/recording/recordingtest"
	"nabla/layers"
	"nabla/losses"
	"nabla/neurons"
)

// In every golden drawing, and in every recording after any Selection, the
// edges add up to the gradients.
func TestEdgesAddUpToGradients(t *testing.T) {
	for _, c := range goldens {
		if c.blind {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			root, o := c.root(), c.options
			if c.choose != nil {
				o.Select = c.choose(root)
			}
			addUp(t, root, o)
		})
	}
	for name, record := range recordings {
		root := record()
		for what, selected := range selections(root) {
			for _, view := range []graphviz.View{graphviz.Forward, graphviz.Layers} {
				t.Run(fmt.Sprint(name, " ", what, " ", view), func(t *testing.T) {
					addUp(t, root, graphviz.Options{View: view, Select: selected, MaxNodes: -1})
				})
			}
		}
	}
}

// addUp fails unless the edges of the drawing add up to its gradients.
func addUp(t *testing.T, root autograd.Value, o graphviz.Options) {
	t.Helper()
	if _, err := graphviz.AddUp(root, root.Backward(), o); err != nil {
		t.Error(err)
	}
}

// AddUp checks every value that it can: all but 2 in a drawing of 63.
func TestAddUpLooksAtAll(t *testing.T) {
	root := recordingtest.ScalarNetwork()
	values, err := graphviz.AddUp(root, root.Backward(), graphviz.Options{})
	learn := 0
	for n := range root.Ancestors() {
		if n.NeedsGrad {
			learn++
		}
	}
	if want := learn - 1; err != nil || values != want { // all except the root
		t.Errorf("%d values, want %d, error %v", values, want, err)
	}
}

var recordings = map[string]func() autograd.Value{
	"neuron": recordingtest.Neuron, "network": recordingtest.Network, "scalars": recordingtest.ScalarNetwork, "reused": recordingtest.Reused, "hotels": recordingtest.HotelNetwork,
	"shared": recordingtest.Shared, "calls": recordingtest.Calls, "deep": recordingtest.DeepNetwork, "classes": classes, "neurons": neuronNetwork, "tangle": tangle, "one value": oneValue,
}

// selections returns the Selections to try on a recording, with values picked
// from its middle.
func selections(root autograd.Value) map[string][]graphviz.Selection {
	var all []autograd.Value
	for n := range root.Ancestors() {
		if n.NeedsGrad {
			all = append(all, n.Value)
		}
	}
	middle := all[len(all)/2]
	byOp := graphviz.Collapse(func(n autograd.Node) string { return n.Op })
	halves := graphviz.Collapse(func(n autograd.Node) string { return []string{"even", "odd", ""}[n.ID%3] })
	return map[string][]graphviz.Selection{
		"all": nil, "depth 1": {graphviz.Depth(1)}, "depth 2": {graphviz.Depth(2)}, "depth 2, 1": {graphviz.Depth(2), graphviz.Depth(1)},
		"fold": {graphviz.Fold()}, "by operation": {byOp}, "halves": {halves}, "halves, depth": {halves, graphviz.Depth(1)},
		"focus": {graphviz.Focus(middle, 1, 2)}, "focus 0": {graphviz.Focus(middle, 0, 0)}, "focus far": {graphviz.Focus(middle, 1000, 1000)},
		"path": {graphviz.Path(all[0], root)}, "path, focus": {graphviz.Path(all[0], root), graphviz.Focus(all[0], 0, 2)},
		"fold, focus": {graphviz.Fold(), graphviz.Focus(middle, 2, 2)}, "focus, depth": {graphviz.Focus(middle, 3, 3), graphviz.Depth(1)},
		"depth, focus": {graphviz.Depth(1), graphviz.Focus(middle, 1, 1)}, "focus, focus": {graphviz.Focus(middle, 3, 3), graphviz.Focus(middle, 1, 1)},
		"focus, fold": {graphviz.Focus(middle, 5, 5), graphviz.Fold()}, "focus, halves": {graphviz.Focus(middle, 4, 4), halves},
	}
}

// After every Selection the drawing is well-formed in every view, and Graphviz
// draws it without a warning.
func TestSelectionsAreDrawn(t *testing.T) {
	for name, record := range recordings {
		root := record()
		gradients := root.Backward()
		for what, selected := range selections(root) {
			for _, view := range []graphviz.View{graphviz.Forward, graphviz.Backward, graphviz.Combined, graphviz.Layers} {
				o := graphviz.Options{View: view, Select: selected}
				if _, err := parse(drawn(t, root, gradients, o)); err != nil {
					t.Errorf("%s, %s, view %d: %v", name, what, view, err)
				}
			}
		}
	}
}

// classes records a network that chooses among three classes, with dropout and
// class weights.
func classes() autograd.Value {
	rng := rand.New(rand.NewPCG(7, 7))
	model := layers.NewSequential(
		layers.NewSequential(layers.NewDense(rng, 2, 5), layers.Tanh(), layers.Dropout(0.25)).Named("encoder"),
		layers.NewSequential(layers.NewDense(rng, 5, 3), layers.Softmax()).Named("head"),
	)
	g := autograd.NewGraph(autograd.Options{Trace: true, Seed: 3})
	x := g.Constant(autograd.FromNested([][]float64{{0.5, -1}, {2, 0.25}, {-0.75, 1.5}, {1, 1}})).Named("x")
	y := g.Constant(autograd.FromNested([][]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 1, 0}})).Named("y")
	return losses.CategoricalCrossEntropyWith(model.Forward(x), y, losses.Options{
		ClassWeights: g.Constant(autograd.NewTensor([]float64{1, 2, 0.5})),
	})
}

// neuronNetwork records a 2-3-2-1 network of scalar neurons.
func neuronNetwork() autograd.Value {
	rng := rand.New(rand.NewPCG(3, 1))
	model := neurons.Of(layers.NewSequential(
		layers.NewDense(rng, 2, 3), layers.Tanh(), layers.NewDense(rng, 3, 2), layers.Softmax(), layers.NewDense(rng, 2, 1)))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	y := model.Forward([]autograd.Value{g.Scalar(0.5).Named("x1"), g.Scalar(-1.25).Named("x2")})
	return losses.MSE(y[0], g.Scalar(0.3).Named("y"))
}

// tangle records scopes that use each other's values back and forth, and
// values that are used both inside and outside.
func tangle() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.NewTensor([]float64{0.5, -1, 2, 0.25, 3, -0.75, 1.5, 0.1})).Named("x")
	in := func(scope string, f func() autograd.Value) autograd.Value {
		g.Enter(scope)
		defer g.Leave()
		return f()
	}
	a := in("left", func() autograd.Value { return x.Tanh() })
	b := in("right", func() autograd.Value { return a.Mul(a).Add(x) })
	c := in("left", func() autograd.Value { return b.Sigmoid().Mul(a) })
	d := in("right", func() autograd.Value { return c.Sub(b).Mul(c) })
	in("left", func() autograd.Value { g.Enter("inner"); defer g.Leave(); return d.Exp() })
	return d.Mul(a).Add(c).LogSumExp().Add(x.Norm(2)).Named("loss")
}

func oneValue() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	return g.Variable(autograd.Scalar(3)).Named("x")
}

// One data point of a batch, alone and with other Selections on top.
func TestSampleEdgesAddUpToGradients(t *testing.T) {
	for name, record := range map[string]func() autograd.Value{"network": recordingtest.Network, "hotels": recordingtest.HotelNetwork, "deep": recordingtest.DeepNetwork, "classes": classes} {
		root := record()
		for what, selected := range selections(root) {
			if what == "path" || what == "path, focus" || strings.Contains(what, "focus") {
				continue // it selects values that a data point may not have
			}
			t.Run(name+" "+what, func(t *testing.T) {
				addUp(t, root, graphviz.Options{Select: append([]graphviz.Selection{graphviz.Sample(1)}, selected...), MaxNodes: -1})
			})
		}
	}
}
