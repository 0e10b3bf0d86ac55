// Command frompytorch goes on with a network that PyTorch has trained: it loads
// it, predicts what PyTorch predicted, trains it further, and writes a file
// that PyTorch loads.
//
//	go run ./examples/frompytorch [-from FILE] [-to FILE]
//
// The network says whether a hotel is a hot deal, from its distance and rating.
// The file was written by train.py, beside this program.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"nabla/autograd"
	"nabla/checkpoint"
	"nabla/data/hotels"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/train"
)

func main() {
	from := flag.String("from", "examples/frompytorch/hotels.safetensors", "the `file` that PyTorch wrote")
	to := flag.String("to", "", "the `file` to write for PyTorch; none if empty")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "frompytorch:", err)
		os.Exit(1)
	}
}

// A network has the fields of the module in PyTorch, and so the names of its
// tensors. Statistics are what is no parameter there but a buffer.
type network struct {
	Mean, Deviation *autograd.Param
	Hidden, Output  *layers.Dense
}

func newNetwork() *network {
	rng := rand.New(rand.NewPCG(1, 0)) // the file has other numbers
	n := &network{
		autograd.NewStatistic("mean", autograd.Zeros(2)), autograd.NewStatistic("deviation", autograd.Ones(2)),
		layers.NewDense(rng, 2, 8), layers.NewDense(rng, 8, 1),
	}
	layers.Name(n)
	layers.Convert(n, autograd.Float32) // as PyTorch has it
	return n
}

// Params returns what a file of the network has.
func (n *network) Params() []*autograd.Param { return layers.ParamsOf(n) }

// Forward returns logits [rows, 1] for distances and ratings [rows, 2].
func (n *network) Forward(x autograd.Value) autograd.Value {
	g := x.Graph()
	standardised := x.Sub(g.Param(n.Mean)).Div(g.Param(n.Deviation))
	return n.Output.Forward(n.Hidden.Forward(standardised).Tanh())
}

// layout is how the file differs from the network: weights are [out, in].
var layout = checkpoint.Options{Transpose: checkpoint.OutIn()}

func run(ctx context.Context, w io.Writer, from, to string) error {
	n := newNetwork()
	if err := checkpoint.LoadWith(from, n, layout); err != nil {
		return err
	}
	config := train.Config{
		Model: n, Loss: loss, Optimizer: optim.NewAdam(0.02), Epochs: 30,
		Graph:   autograd.Options{Precision: autograd.Float32},
		Metrics: []train.Metric{{Name: "accuracy", Func: accuracy}},
	}
	rows := hotels.Load()
	training, test := dataOf(rows.Train()), dataOf(rows.Test())
	if err := report(ctx, w, "from PyTorch", config, training, test); err != nil {
		return err
	}
	if _, err := train.Run(ctx, config, training); err != nil {
		return err
	}
	if err := report(ctx, w, "trained on", config, training, test); err != nil {
		return err
	}
	if to == "" {
		return nil
	}
	return checkpoint.SaveWith(to, n, layout)
}

func dataOf(rows hotels.Rows) train.Data {
	return train.Data{Inputs: rows.Features().Tensor(), Targets: rows.Hot().Tensor()}
}

// loss takes logits, as binary_cross_entropy_with_logits does.
func loss(logits, target autograd.Value) autograd.Value {
	return losses.BinaryCrossEntropyWith(logits, target, losses.Options{Logits: true})
}

func accuracy(logits, target autograd.Tensor) float64 {
	return metrics.Accuracy(probabilities(logits), target)
}

// probabilities returns those of logits.
func probabilities(logits autograd.Tensor) autograd.Tensor {
	g := autograd.NewGraph(autograd.Options{NoGrad: true, Precision: logits.Precision()})
	return g.Constant(logits).Sigmoid().Tensor()
}

func report(ctx context.Context, w io.Writer, when string, config train.Config, training, test train.Data) error {
	for _, part := range []struct {
		name string
		data train.Data
	}{{"training", training}, {"test", test}} {
		r, err := train.Evaluate(ctx, config, part.data)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%-13s %-9s loss %.4f  accuracy %.0f %%\n", when, part.name, r.Loss, 100*r.Metric("accuracy"))
	}
	return nil
}
