// Command gomlx runs workloads of the benchmarks in GoMLX, on its backend in
// Go, without cgo. It reads requests for measurements from its input; see
// nabla/bench.
//
// It is written to be fast: the graph of a whole step, with gradients and
// update, is compiled once, and the parameters' buffers are donated to each
// step, which returns the new ones. The graph computes what GoMLX's own layers
// and losses would.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"nabla/bench/internal/serve"
)

func main() {
	version := serve.Version("GoMLX", "github.com/gomlx/gomlx", "github.com/gomlx/compute")
	if err := serve.Serve(os.Stdin, os.Stdout, version, prepare); err != nil {
		log.Fatal(err)
	}
}

func prepare(p *serve.Problem, bits int) (serve.Network, error) {
	if bits == 32 {
		return newNetwork[float32](p)
	}
	return newNetwork[float64](p)
}

// A network is a graph of one step with the buffers that it runs on.
type network[T float32 | float64] struct {
	backend compute.Backend
	graph   *graph.Graph
	buffers []compute.Buffer // features, targets, and the parameters
	donate  []bool           // of these
	loss    *tensors.Tensor
}

// newNetwork makes a new backend, which reads the number of threads when it is
// made.
func newNetwork[T float32 | float64](p *serve.Problem) (*network[T], error) {
	backend, err := gobackend.New(configuration(p))
	if err != nil {
		return nil, err
	}
	n := &network[T]{backend: backend, graph: graph.NewGraph(backend, "step")}
	x := n.input(false, p.Features, p.Rows, p.Widths[0])
	targets := n.input(false, p.Targets, p.Rows, p.Widths[len(p.Widths)-1])
	var params []*graph.Node
	for i, values := range p.Weights {
		units := p.Widths[i+1]
		weights := n.input(true, values, p.Widths[i], units)
		bias := n.input(true, make([]float64, units), 1, units)
		if i > 0 {
			x = graph.Max(x, graph.ZerosLike(x))
		}
		x = graph.Add(graph.Dot(x, weights).Product(), bias)
		params = append(params, weights, bias)
	}
	loss := squaredError(x, targets)
	if p.Classes != nil {
		loss = crossEntropy(x, targets)
	}
	return n, n.graph.Compile(append([]*graph.Node{loss}, descend(loss, params, p.Rate)...)...)
}

// configuration chooses what is faster: for W2 one operation after the other,
// since starting each on a goroutine takes five times as long as all of them;
// for W3 the default.
func configuration(p *serve.Problem) string {
	if p.Classes == nil {
		return "ops_sequential"
	}
	return ""
}

// input adds an input of the graph and the buffer for it.
func (n *network[T]) input(donate bool, values []float64, rows, columns int) *graph.Node {
	shape := shapes.Make(dtypes.FromGenericsType[T](), rows, columns)
	buffer, err := n.backend.BufferFromFlatData(0, serve.In[T](values), shape)
	if err != nil {
		panic(err) // as GoMLX does while it builds a graph
	}
	n.buffers = append(n.buffers, buffer)
	n.donate = append(n.donate, donate)
	return graph.Parameter(n.graph, fmt.Sprint("input", len(n.buffers)), shape)
}

func squaredError(x, targets *graph.Node) *graph.Node {
	return graph.ReduceAllMean(graph.Square(graph.Sub(x, targets)))
}

func crossEntropy(x, targets *graph.Node) *graph.Node {
	return graph.ReduceAllMean(graph.ReduceSum(graph.Neg(graph.Mul(targets, graph.LogSoftmax(x))), -1))
}

// descend returns the parameters after a step of gradient descent.
func descend(loss *graph.Node, params []*graph.Node, rate float64) []*graph.Node {
	var next []*graph.Node
	for i, gradient := range graph.Gradient(loss, params...) {
		next = append(next, graph.Sub(params[i], graph.MulScalar(gradient, rate)))
	}
	return next
}

func (n *network[T]) Step() error {
	outputs := n.graph.RunWithBuffers(n.buffers, n.donate, 0)
	n.loss = outputs[0]
	for i, t := range outputs[1:] {
		buffer, err := t.DonateBuffer(n.backend, 0)
		if err != nil {
			return err
		}
		n.buffers[2+i] = buffer
	}
	return nil
}

func (n *network[T]) Loss() float64 { return float64(tensors.ToScalar[T](n.loss)) }
