// Command gorgonia runs workloads of the benchmarks in Gorgonia, without cgo.
// It reads requests for measurements from its input; see nabla/bench.
//
// It is written to be fast: the graph with its gradients is compiled once into
// a tape machine, and gradient descent is a loop over each parameter, in
// place.
package main

import (
	"fmt"
	"log"
	"os"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"nabla/bench/internal/serve"
)

func main() {
	version := serve.Version("Gorgonia", "gorgonia.org/gorgonia", "gorgonia.org/tensor", "gonum.org/v1/gonum")
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

// A network is a compiled graph.
type network[T float32 | float64] struct {
	graph   *gorgonia.ExprGraph
	machine gorgonia.VM
	rate    T
	loss    *gorgonia.Node
	params  gorgonia.Nodes
	grads   gorgonia.Nodes
}

func newNetwork[T float32 | float64](p *serve.Problem) (*network[T], error) {
	n := &network[T]{graph: gorgonia.NewGraph(), rate: T(p.Rate)}
	x := n.input(p.Features, p.Rows, p.Widths[0])
	for i, values := range p.Weights {
		units := p.Widths[i+1]
		weights := n.input(values, p.Widths[i], units)
		bias := n.input(make([]float64, units), 1, units)
		if i > 0 {
			x = gorgonia.Must(gorgonia.Rectify(x))
		}
		x = gorgonia.Must(gorgonia.Mul(x, weights))
		x = gorgonia.Must(gorgonia.BroadcastAdd(x, bias, nil, []byte{0}))
		n.params = append(n.params, weights, bias)
	}
	if p.Classes != nil {
		n.loss = n.crossEntropy(x, p)
	} else {
		n.loss = n.squaredError(x, p)
	}
	var err error
	if n.grads, err = gorgonia.Grad(n.loss, n.params...); err != nil {
		return nil, err
	}
	// Without the gradient of the features, which nobody needs.
	n.machine = gorgonia.NewTapeMachine(n.graph.SubgraphRoots(append(gorgonia.Nodes{n.loss}, n.grads...)...))
	return n, nil
}

// input adds a matrix to the graph. Gorgonia treats inputs with the same name
// and shape as the same input.
func (n *network[T]) input(values []float64, rows, columns int) *gorgonia.Node {
	t := tensor.New(tensor.WithShape(rows, columns), tensor.WithBacking(serve.In[T](values)))
	return gorgonia.NodeFromAny(n.graph, t, gorgonia.WithName(fmt.Sprint("input", len(n.graph.AllNodes()))))
}

func (n *network[T]) squaredError(x *gorgonia.Node, p *serve.Problem) *gorgonia.Node {
	targets := n.input(p.Targets, p.Rows, p.Widths[len(p.Widths)-1])
	differences := gorgonia.Must(gorgonia.Sub(x, targets))
	return gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(differences))))
}

// crossEntropy folds the sign and the mean over the rows into the targets.
func (n *network[T]) crossEntropy(x *gorgonia.Node, p *serve.Problem) *gorgonia.Node {
	shares := make([]float64, len(p.Targets))
	for i, t := range p.Targets {
		shares[i] = -t / float64(p.Rows)
	}
	targets := n.input(shares, p.Rows, p.Widths[len(p.Widths)-1])
	logs := gorgonia.Must(gorgonia.LogSoftMax(x, 1))
	return gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(logs, targets))))
}

func (n *network[T]) Step() error {
	n.machine.Reset()
	if err := n.machine.RunAll(); err != nil {
		return err
	}
	for i, p := range n.params {
		w, dw := p.Value().Data().([]T), n.grads[i].Value().Data().([]T)
		for j, d := range dw {
			w[j] -= n.rate * d
		}
	}
	return nil
}

func (n *network[T]) Loss() float64 { return float64(n.loss.Value().Data().(T)) }
