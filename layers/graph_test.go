package layers_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/layers"
)

// graphVectors are testdata/graph.json, which the script beside it wrote.
type graphVectors struct {
	Edges [2][]int
	Cases []graphCase
}

type graphCase struct {
	Name          string
	Inputs, Grads map[string]graphTensor
	Y, Seed       graphTensor
}

type graphTensor struct {
	Shape []int
	Data  []float64
}

func (t graphTensor) tensor() autograd.Tensor { return autograd.NewTensor(t.Data, t.Shape...) }

// run returns what the case's layer makes of a graph, and its Params by the
// script's names.
func (c graphCase) run(x, weights autograd.Value, edges autograd.Ints, precision autograd.Precision) (autograd.Value, map[string]*autograd.Param) {
	if c.Name == "conv" || c.Name == "weighted" {
		l := layers.NewGraphConvWith(seeded(1), 3, 2, layers.GraphConvOptions{Precision: precision})
		params := map[string]*autograd.Param{"weight": l.Weight, "bias": l.Bias}
		c.fill(params)
		if c.Name == "conv" {
			return l.Run(x, edges), params
		}
		return l.RunWeighted(x, edges, weights), params
	}
	l := layers.NewGraphAttentionWith(seeded(1), 3, 2, 4, layers.GraphAttentionOptions{Mean: c.Name == "mean", Precision: precision})
	params := map[string]*autograd.Param{"weight": l.Weight, "bias": l.Bias, "source": l.Source, "target": l.Target}
	c.fill(params)
	return l.Run(x, edges), params
}

func (c graphCase) fill(params map[string]*autograd.Param) {
	for name, p := range params {
		p.Set(c.Inputs[name].tensor())
	}
}

func TestGraphLayersAgainstPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/graph.json")
	var v graphVectors
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil || len(v.Cases) != 4 {
		t.Fatal(len(v.Cases), err)
	}
	edges := autograd.NewInts(append(v.Edges[0], v.Edges[1]...), 2, len(v.Edges[0]))
	for precision, tolerance := range map[autograd.Precision]float64{autograd.Float64: 1e-12, autograd.Float32: 2e-5} {
		near := cmpopts.EquateApprox(tolerance, tolerance)
		for _, c := range v.Cases {
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			x, weights := g.Variable(c.Inputs["x"].tensor()), autograd.Value{}
			if c.Name == "weighted" {
				weights = g.Variable(c.Inputs["weights"].tensor())
			}
			y, params := c.run(x, weights, edges, precision)
			got := map[string][]float64{}
			grads := y.BackwardFrom(c.Seed.tensor())
			for name, p := range params {
				got[name] = grads.OfParam(p).Float64s()
			}
			got["x"] = grads.Of(x).Float64s()
			if c.Name == "weighted" {
				got["weights"] = grads.Of(weights).Float64s()
			}
			want := map[string][]float64{}
			for name := range got {
				want[name] = c.Grads[name].Data
			}
			if diff := cmp.Diff(c.Y.Data, y.Tensor().Float64s(), near) + cmp.Diff(want, got, near); diff != "" {
				t.Errorf("%s, %v: %s", c.Name, precision, diff)
			}
		}
	}
}

var smallGraph = autograd.NewInts([]int{0, 1, 1, 2, 1, 0, 2, 1}, 2, 4)

func TestGraphLayersToSecondOrder(t *testing.T) {
	x := []autograd.Tensor{autograd.NewTensor([]float64{0.3, -0.6, 1.2, -1.7, 0.8, 2.2, 0.1, 0.9, -1.1, 0.4, 0.5, -0.2}, 4, 3)}
	conv, attention := layers.NewGraphConv(seeded(1), 3, 2), layers.NewGraphAttention(seeded(2), 3, 2, 2)
	for _, row := range []struct {
		f      func(x autograd.Value) autograd.Value
		params []*autograd.Param
	}{
		{func(x autograd.Value) autograd.Value { return conv.Run(x, smallGraph) }, conv.Params()},
		{func(x autograd.Value) autograd.Value { return attention.Run(x, smallGraph) }, attention.Params()},
	} {
		f := func(_ *autograd.Graph, in []autograd.Value) autograd.Value { return row.f(in[0]) }
		if err := gradcheck.Check(f, x, row.params...); err != nil {
			t.Error(err)
		}
		if err := gradcheck.CheckSecond(f, x, row.params...); err != nil {
			t.Error(err)
		}
	}
}

// The shares of each node's incoming edges and of itself add up to 1. Without
// edges there are only these.
func TestShares(t *testing.T) {
	a := layers.NewGraphAttention(seeded(2), 3, 2, 2)
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(autograd.Normal(seeded(3), 0, 1, 4, 3))
	_, shares := a.RunShares(x, smallGraph)
	totals := shares.SegmentSum(autograd.NewInts([]int{1, 0, 2, 1, 0, 1, 2, 3}), 4)
	if diff := diffTensor(totals.Tensor(), []int{4, 2}, []float64{1, 1, 1, 1, 1, 1, 1, 1}); diff != "" {
		t.Error(diff)
	}
	_, shares = a.RunShares(x, autograd.NewInts([]int{}, 2, 0))
	if diff := diffTensor(shares.Tensor(), []int{4, 2}, []float64{1, 1, 1, 1, 1, 1, 1, 1}); diff != "" {
		t.Error(diff)
	}
}

// Dropout is of training alone, and nodes may be renumbered.
func TestGraphLayersAsFunctions(t *testing.T) {
	a := layers.NewGraphAttentionWith(seeded(2), 3, 2, 2, layers.GraphAttentionOptions{Dropout: 0.5})
	run := func(o autograd.Options, x autograd.Tensor, edges autograd.Ints) []float64 {
		g := autograd.NewGraph(o)
		return a.Run(g.Constant(x), edges).Tensor().Float64s()
	}
	x := autograd.Normal(rand.New(rand.NewPCG(5, 5)), 0, 1, 3, 3)
	calm := run(autograd.Options{Eval: true}, x, smallGraph)
	if cmp.Equal(calm, run(autograd.Options{Seed: 1}, x, smallGraph)) {
		t.Error("no dropout in training")
	}
	// 0, 1, 2 become 2, 1, 0.
	turned := run(autograd.Options{Eval: true}, x.Take(2, 1, 0), autograd.NewInts([]int{2, 1, 1, 0, 1, 2, 0, 1}, 2, 4))
	if diff := cmp.Diff(autograd.NewTensor(calm, 3, 4).Take(2, 1, 0).Float64s(), turned, near); diff != "" {
		t.Error(diff)
	}
}

func TestGraphLayerNames(t *testing.T) {
	type network struct {
		First  *layers.GraphConv
		Second *layers.GraphAttention
	}
	m := &network{layers.NewGraphConv(seeded(1), 3, 3), layers.NewGraphAttention(seeded(2), 3, 2, 2)}
	layers.Name(m)
	var names []string
	for _, p := range layers.ParamsOf(m) {
		names = append(names, p.Name())
	}
	want := []string{"first.weight", "first.bias", "second.weight", "second.source", "second.target", "second.bias"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestGraphMisuse(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(autograd.Ones(3, 2))
	c, a := layers.NewGraphConv(seeded(1), 2, 2), layers.NewGraphAttention(seeded(1), 2, 2, 1)
	wrong := autograd.NewInts([]int{0, 1, 2, 1, 3, 0}, 2, 3)
	mustFault[*autograd.IndexError](t, func() { c.Run(x, wrong) }, `layers: GraphConv "graphconv": node 3 at [1, 1] is outside a graph of 3 nodes`)
	mustFault[*autograd.IndexError](t, func() { a.Run(x, wrong) }, `layers: GraphAttention "graphattention": node 3 at [1, 1] is outside a graph of 3 nodes`)
	mustFault[*autograd.ShapeError](t, func() { c.Run(x, wrong.Reshape(3, 2)) }, "the edges must be [2, n]", "[3 2]")
	mustFault[*autograd.ShapeError](t, func() { c.Run(g.Constant(autograd.Ones(3, 4)), smallGraph) }, "the input must be [nodes, 2]", "[3 4]")
	mustFault[*autograd.ShapeError](t, func() { c.RunWeighted(x, smallGraph, g.Constant(autograd.Ones(3))) }, "a weight for each of 4 edges", "[3]")
	mustFault[*autograd.ArgumentError](t, func() { (&layers.GraphConv{}).Run(x, smallGraph) }, "there is no Weight")
	mustFault[*autograd.ArgumentError](t, func() { (&layers.GraphAttention{}).Run(x, smallGraph) }, "a Param is missing")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewGraphConv(seeded(1), 0, 2) }, "0 inputs")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewGraphAttention(seeded(1), 1, 2, 0) }, "0 heads")
	mustFault[*autograd.ArgumentError](t, func() {
		layers.NewGraphAttentionWith(seeded(1), 1, 2, 1, layers.GraphAttentionOptions{Dropout: 1})
	}, "Dropout is 1")
}

func Example_graphs() {
	rng, g := rand.New(rand.NewPCG(1, 0)), autograd.NewGraph(autograd.Options{})
	nodes := g.Constant(autograd.Eye(3))
	edges := autograd.NewInts([]int{0, 1, 1, 0}, 2, 2) // 0 and 1 are neighbors, 2 is alone

	conv := layers.NewGraphConv(rng, 3, 4)
	mixed := conv.Run(nodes, edges)
	fmt.Println(mixed.Shape())
	same := mixed.Select(0, 0).Tensor().EqualWithin(mixed.Select(0, 1).Tensor(), 1e-12)
	fmt.Println(same) // each has the mean of both
	// Output:
	// [3 4]
	// true
}
