package layers

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"nabla/autograd"
)

// A GraphConv mixes the features of each node of a graph with those of its
// neighbors, after a weighted sum: what Kipf and Welling (2017) call a graph
// convolution. It is no [Layer], since it needs the edges too: its method is
// [GraphConv.Run]. Its weights are [in, out], the transpose of those of
// PyTorch Geometric's GCNConv.
type GraphConv struct {
	Weight *autograd.Param // [in, out]
	Bias   *autograd.Param // [out]; nil for none
	label
}

// GraphConvOptions are what [NewGraphConv] leaves at its defaults, which are
// those of the zero GraphConvOptions.
type GraphConvOptions struct {
	Weights   Initializer        // nil: GlorotUniform
	Name      string             // of the scope and, with ".weight" and ".bias", of the Params
	NoBias    bool               // leave b out
	Precision autograd.Precision // of the Params
}

// NewGraphConv returns a layer with that many inputs and outputs for each node.
// Its weights are drawn by [GlorotUniform], its biases are 0. It panics with an
// *[autograd.ArgumentError] if a number is not positive or the rng is nil.
func NewGraphConv(rng *rand.Rand, in, out int) *GraphConv {
	return NewGraphConvWith(rng, in, out, GraphConvOptions{})
}

// NewGraphConvWith is [NewGraphConv] with other initial weights, a name, no
// bias, or another precision. It also panics with an *[autograd.ShapeError] if
// the Initializer does not return the shape [in, out].
func NewGraphConvWith(rng *rand.Rand, in, out int, options GraphConvOptions) *GraphConv {
	const op = "layers: GraphConv"
	if in < 1 || out < 1 {
		panic(autograd.NewArgumentError(op, "%d inputs and %d outputs: both must be positive", in, out))
	}
	c := &GraphConv{label: userLabel(options.Name)}
	c.Weight = newWeight(op, options.Weights, rng, options.Precision, in, out, in, out)
	if !options.NoBias {
		c.Bias = autograd.NewParam("", autograd.Zeros(out).In(options.Precision))
	}
	c.place(newNaming(), "")
	return c
}

// Name returns the layer's name, which is "graphconv" until it has one.
func (c *GraphConv) Name() string { return c.or("graphconv") }

func (c *GraphConv) place(n *naming, path string) {
	placeAll(n, path+c.Name(), c.Weight, c.Bias)
}

// op is what errors call the layer.
func (c *GraphConv) op() string { return fmt.Sprintf("layers: GraphConv %q", c.Name()) }

// Params returns the weights and, if there are any, the biases.
func (c *GraphConv) Params() []*autograd.Param { return present(c.Weight, c.Bias) }

// Run returns new features [nodes, out] of nodes with the features x [nodes,
// in]:
//
//	y = D^-½ (A + I) D^-½ x·W + b
//
// The edges are [2, n]: the sources, then the targets; features go from source
// to target. An undirected graph has each edge in both directions. A is 1 for
// each edge, I adds an edge from each node to itself, and D has the numbers of
// edges that lead to each node.
//
// It panics with an *[autograd.IndexError] that names the place of a node that
// is not there, and with an *[autograd.ShapeError] for other shapes.
func (c *GraphConv) Run(x autograd.Value, edges autograd.Ints) autograd.Value {
	return c.RunWeighted(x, edges, autograd.Value{})
}

// RunWeighted is [GraphConv.Run] for edges of different weights [n], which are
// not negative: they stand in A, and D has their sums.
func (c *GraphConv) RunWeighted(x autograd.Value, edges autograd.Ints, weights autograd.Value) autograd.Value {
	if c == nil || c.Weight == nil {
		panic(autograd.NewArgumentError("layers: GraphConv", "there is no Weight"))
	}
	g := enter(x, c.Name())
	defer leave(g, c)
	checkNodes(c.op(), x, c.Weight.Dim(0))
	e := newEdgeList(c.op(), edges, x.Dim(0))
	var share autograd.Value // of each edge and loop
	if weights.Graph() == nil {
		share = g.Constant(e.shares())
	} else {
		share = e.sharesOf(c.op(), weights)
	}
	h := x.MatMul(g.Param(c.Weight))
	y := h.Embedding(e.sources).Mul(share).SegmentSum(e.targets, e.nodes)
	if c.Bias != nil {
		y = y.Add(g.Param(c.Bias))
	}
	return y.Named("z")
}

// checkNodes panics unless x has the features of nodes.
func checkNodes(op string, x autograd.Value, in int) {
	if x.Rank() != 2 || x.Dim(1) != in {
		reason := fmt.Sprintf("the input must be [nodes, %d]", in)
		panic(autograd.NewShapeError(op, reason, x.Shape()))
	}
}

// An edgeList has the edges of a graph and, behind them, one from each node to
// itself.
type edgeList struct {
	nodes            int
	sources, targets autograd.Ints
}

func newEdgeList(op string, edges autograd.Ints, nodes int) edgeList {
	shape := edges.Shape()
	if len(shape) != 2 || shape[0] != 2 {
		panic(autograd.NewShapeError(op, "the edges must be [2, n]: sources and targets", shape))
	}
	for i, node := range edges.Values() {
		if node < 0 || node >= nodes {
			e := autograd.NewIndexError(op, "node", node, nodes)
			e.Place = []int{i / shape[1], i % shape[1]}
			panic(e)
		}
	}
	loops := make([]int, nodes)
	for node := range loops {
		loops[node] = node
	}
	end := func(row int) autograd.Ints {
		return autograd.NewInts(slices.Concat(edges.Values()[row*shape[1]:(row+1)*shape[1]], loops))
	}
	return edgeList{nodes, end(0), end(1)}
}

// shares returns what each edge weighs in the sum of its target: one by the
// roots of the degrees of both ends.
func (e edgeList) shares() autograd.Tensor {
	degrees := make([]float64, e.nodes)
	for _, node := range e.targets.Values() {
		degrees[node]++
	}
	shares := make([]float64, e.targets.Size())
	for i, target := range e.targets.Values() {
		shares[i] = 1 / math.Sqrt(degrees[e.sources.Values()[i]]*degrees[target])
	}
	return autograd.NewTensor(shares, len(shares), 1)
}

// sharesOf is shares for edges of these weights; a loop has the weight 1.
func (e edgeList) sharesOf(op string, weights autograd.Value) autograd.Value {
	if edges := e.targets.Size() - e.nodes; weights.Rank() != 1 || weights.Dim(0) != edges {
		panic(autograd.NewShapeError(op, fmt.Sprintf("there must be a weight for each of %d edges", edges), weights.Shape()))
	}
	all := autograd.Concat(0, weights, weights.Graph().Full(1, e.nodes))
	root := all.SegmentSum(e.targets, e.nodes).Rsqrt()
	return root.Embedding(e.sources).Mul(all).Mul(root.Embedding(e.targets)).Unsqueeze(1)
}

// A GraphAttention mixes the features of each node of a graph with those of its
// neighbors, in shares that it learns from the features of both (Veličković et
// al., 2018). It is no [Layer], since it needs the edges too: its method is
// [GraphAttention.Run]. Its parameters are those of PyTorch Geometric's GATConv
// without its leading 1, where Weight is transposed.
type GraphAttention struct {
	Weight *autograd.Param // [in, heads·out]
	Source *autograd.Param // [heads, out]: how much a node gives
	Target *autograd.Param // [heads, out]: how much a node takes
	Bias   *autograd.Param // [heads·out], or [out] for the mean of the heads; nil for none

	mean    bool
	dropout float64
	label
}

// GraphAttentionOptions are what [NewGraphAttention] leaves at its defaults,
// which are those of the zero GraphAttentionOptions.
type GraphAttentionOptions struct {
	Weights   Initializer        // nil: GlorotUniform
	Name      string             // of the scope and, with ".weight" and so on, of the Params
	NoBias    bool               // leave b out
	Mean      bool               // the mean of the heads in place of one behind the other
	Dropout   float64            // of the shares, in training
	Precision autograd.Precision // of the Params
}

// NewGraphAttention returns a layer with that many inputs for each node, and
// that many heads with so many outputs each. All is drawn by [GlorotUniform],
// but for the biases, which are 0. It panics with an *[autograd.ArgumentError]
// if a number is not positive or the rng is nil.
func NewGraphAttention(rng *rand.Rand, in, out, heads int) *GraphAttention {
	return NewGraphAttentionWith(rng, in, out, heads, GraphAttentionOptions{})
}

// NewGraphAttentionWith is [NewGraphAttention] with other initial weights, a
// name, no bias, the mean of the heads, dropout, or another precision. It also
// panics with an *[autograd.ArgumentError] if Dropout is not in [0, 1), and
// with an *[autograd.ShapeError] if the Initializer does not return the shape
// that it is asked for.
func NewGraphAttentionWith(rng *rand.Rand, in, out, heads int, options GraphAttentionOptions) *GraphAttention {
	const op = "layers: GraphAttention"
	if in < 1 || out < 1 || heads < 1 {
		panic(autograd.NewArgumentError(op, "%d inputs, %d outputs and %d heads: all must be positive", in, out, heads))
	}
	if !(options.Dropout >= 0 && options.Dropout < 1) {
		panic(autograd.NewArgumentError(op, "Dropout is %v, want a number in [0, 1)", options.Dropout))
	}
	a := &GraphAttention{mean: options.Mean, dropout: options.Dropout, label: userLabel(options.Name)}
	a.Weight = newWeight(op, options.Weights, rng, options.Precision, in, heads*out, in, heads*out)
	a.Source = newWeight(op, options.Weights, rng, options.Precision, out, 1, heads, out)
	a.Target = newWeight(op, options.Weights, rng, options.Precision, out, 1, heads, out)
	if !options.NoBias {
		size := heads * out
		if options.Mean {
			size = out
		}
		a.Bias = autograd.NewParam("", autograd.Zeros(size).In(options.Precision))
	}
	a.place(newNaming(), "")
	return a
}

// Name returns the layer's name, which is "graphattention" until it has one.
func (a *GraphAttention) Name() string { return a.or("graphattention") }

func (a *GraphAttention) place(n *naming, path string) {
	name := path + a.Name()
	placeAll(n, name, a.Weight, a.Bias)
	n.name(a.Source, name+".source")
	n.name(a.Target, name+".target")
}

// op is what errors call the layer.
func (a *GraphAttention) op() string { return fmt.Sprintf("layers: GraphAttention %q", a.Name()) }

// Params returns the weights, what gives, what takes and, if there are any, the
// biases.
func (a *GraphAttention) Params() []*autograd.Param {
	return present(a.Weight, a.Source, a.Target, a.Bias)
}

// Run returns new features of nodes with the features x [nodes, in], of shape
// [nodes, heads·out] or, with Mean, [nodes, out]. For each head,
//
//	h = x·W
//	score = LeakyReLU(source·h of the source + target·h of the target)
//	y = Σ h of the source × softmax of the score, over a node's incoming edges
//
// where the slope of LeakyReLU is 0.2. The edges are those of [GraphConv.Run],
// which a node's edge to itself is added to. It panics as that does.
func (a *GraphAttention) Run(x autograd.Value, edges autograd.Ints) autograd.Value {
	y, _ := a.RunShares(x, edges)
	return y
}

// RunShares is [GraphAttention.Run], and also returns the shares [n + nodes,
// heads] that each edge, and then each node itself, has in the sum of its
// target: they add up to 1 for each node, but for Dropout.
func (a *GraphAttention) RunShares(x autograd.Value, edges autograd.Ints) (y, shares autograd.Value) {
	if a == nil || a.Weight == nil || a.Source == nil || a.Target == nil {
		panic(autograd.NewArgumentError("layers: GraphAttention", "a Param is missing"))
	}
	g := enter(x, a.Name())
	defer leave(g, a)
	checkNodes(a.op(), x, a.Weight.Dim(0))
	e := newEdgeList(a.op(), edges, x.Dim(0))
	heads, out := a.Source.Dim(0), a.Source.Dim(1)
	h := x.MatMul(g.Param(a.Weight)).Reshape(e.nodes, heads, out)
	gives := h.Mul(g.Param(a.Source)).Sum(-1).Embedding(e.sources)
	takes := h.Mul(g.Param(a.Target)).Sum(-1).Embedding(e.targets)
	shares = gives.Add(takes).LeakyReLU(0.2).SegmentSoftmax(e.targets, e.nodes).Dropout(a.dropout).Named("shares")
	y = h.Embedding(e.sources).Mul(shares.Unsqueeze(-1)).SegmentSum(e.targets, e.nodes)
	if a.mean {
		y = y.Mean(1)
	} else {
		y = y.Reshape(e.nodes, heads*out)
	}
	if a.Bias != nil {
		y = y.Add(g.Param(a.Bias))
	}
	return y.Named("z"), shares
}
