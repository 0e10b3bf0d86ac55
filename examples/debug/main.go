// Command debug finds two mistakes in a network that does not learn: the
// features are not scaled, which ends in a NaN, and a bias keeps a relu closed
// for every data point. CheckFinite stops where the first number is not finite,
// explain.Diagnose says what it spoiled and what else is wrong,
// explain.Gradient says why a gradient is what it is, and the drawings show all
// of it.
//
//	go run ./examples/debug [-out DIR]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"nabla/autograd"
	"nabla/explain"
	"nabla/graphviz"
	"nabla/layers"
)

func main() {
	out := flag.String("out", "", "the folder to draw the three recordings into; none if empty")
	flag.Parse()
	if err := run(os.Stdout, *out); err != nil {
		fmt.Fprintln(os.Stderr, "debug:", err)
		os.Exit(1)
	}
}

// A version is the network with some of the mistakes.
type version struct {
	name     string
	title    string
	unscaled bool // the features are as collected: a price in euros beside the stars
	deadBias bool // the bias of a hidden neuron is far below what its weighted sum can reach
}

var versions = []version{
	{"nan", "as it was written", true, true},
	{"dead", "with scaled features", false, true},
	{"healthy", "with scaled features and a small bias", false, false},
}

func run(w io.Writer, out string) error {
	broken := newNetwork(versions[0])
	fmt.Fprintf(w, "with CheckFinite\n  %v\n", autograd.Try(func() {
		broken.cost(autograd.NewGraph(autograd.Options{CheckFinite: true}))
	}))
	for _, v := range versions {
		fmt.Fprintf(w, "\nthe network %s\n", v.title)
		n := newNetwork(v)
		cost := n.cost(autograd.NewGraph(autograd.Options{Trace: true}))
		gradients := cost.Backward()
		diagnose(w, cost, gradients)
		n.explain(w, cost.Graph(), gradients)
		if err := draw(w, out, v, cost, gradients); err != nil {
			return err
		}
	}
	return nil
}

// A network has 2 features, 3 hidden neurons with relu and 1 output with
// sigmoid: the probability that a hotel is a hot deal.
type network struct {
	features      [][]float64 // price and stars of four hotels
	hidden, model layers.Layer
}

func newNetwork(v version) *network {
	euros, bias := 0.01, -0.1
	if v.unscaled {
		euros = 1
	}
	if v.deadBias {
		bias = -30
	}
	hidden := &layers.Dense{
		Weight: autograd.NewParam("", autograd.FromNested([][]float64{{0.5, 0.05, -0.3}, {-0.6, 0.4, 0.8}})),
		Bias:   autograd.NewParam("", autograd.NewTensor([]float64{0.1, bias, 0.2})),
	}
	output := &layers.Dense{
		Weight: autograd.NewParam("", autograd.FromNested([][]float64{{0.4}, {0.3}, {-0.7}})),
		Bias:   autograd.NewParam("", autograd.NewTensor([]float64{0.1})),
	}
	return &network{
		features: [][]float64{{120 * euros, 0.6}, {250 * euros, 0.8}, {80 * euros, 0.4}, {300 * euros, 1}},
		hidden:   hidden,
		model:    layers.NewSequential(hidden, layers.ReLU(), output, layers.Sigmoid()),
	}
}

// cost records the prediction and its cost. The first and the last hotel are
// hot deals.
func (n *network) cost(g *autograd.Graph) autograd.Value {
	p := n.model.Forward(g.Constant(autograd.FromNested(n.features)).Named("features"))
	y := g.Constant(autograd.FromNested([][]float64{{1}, {0}, {0}, {1}})).Named("y").As(autograd.RoleTarget)
	return crossEntropy(p, y)
}

// crossEntropy returns −(y·ln p + (1−y)·ln(1−p)), the mean over the data, as in
// a textbook: ln(1−p) is −Inf if p rounds to 1. losses.BinaryCrossEntropyWith
// avoids that if it is given logits.
func crossEntropy(p, y autograd.Value) autograd.Value {
	g := p.Graph()
	g.Enter("cost")
	defer g.Leave()
	hit := y.Mul(p.Log().Named("ln p"))
	miss := y.Neg().AddScalar(1).Mul(p.Neg().AddScalar(1).Named("1−p").Log().Named("ln(1−p)"))
	return hit.Add(miss).Mean().Neg().Named("cost")
}

// diagnose prints what is wrong, with the line where it was recorded.
func diagnose(w io.Writer, cost autograd.Value, gradients autograd.Gradients) {
	troubles := explain.Diagnose(cost, gradients)
	if len(troubles) == 0 {
		fmt.Fprintln(w, "  Diagnose finds nothing wrong")
	}
	for _, t := range troubles {
		n := t.Value.Node()
		fmt.Fprintf(w, "  %v, in %s, %v\n    %v\n", t.Kind, n.Scope, n.Location, t)
	}
}

// explain prints why the hidden weights have their gradient: all of them, and
// the one from the price to the second neuron.
func (n *network) explain(w io.Writer, g *autograd.Graph, gradients autograd.Gradients) {
	weight := g.Param(n.hidden.Params()[0])
	for _, element := range [][]int{nil, {0, 1}} {
		fmt.Fprintln(w)
		fmt.Fprint(w, explain.GradientWith(weight, gradients, explain.Options{Element: element, Loss: n.cost}))
	}
}

func draw(w io.Writer, out string, v version, cost autograd.Value, gradients autograd.Gradients) error {
	if out == "" {
		return nil
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	path := filepath.Join(out, v.name+".dot")
	o := graphviz.Options{View: graphviz.Combined, Elements: 12, Title: "The network " + v.title}
	if err := graphviz.WriteFile(path, cost, gradients, o); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nwrote %s\n", path)
	return nil
}
