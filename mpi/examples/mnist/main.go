// Command mnist trains a network to read handwritten digits on several
// processes, and prints a checksum of what it has learned: for 1, 2, 4 and 8
// processes it is the same.
//
//	mpirun -np 4 go run ./examples/mnist [-network dense|lenet] [-rows N] [-epochs N] [-batch N] [-parts N] [-keep DIR] [-fast]
//
// Each process computes its share of every batch. The digits are those of
// examples/mnist in the library's own module, fetched as a Go module unless
// -data names a folder with the files. With -keep, an interrupt ends the
// training after the step, and the same command goes on, also with another
// number of processes. With -fast MPI adds up the gradients in its own order,
// and the checksum depends on the number of processes.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"

	"nabla/autograd"
	"nabla/data/mnist"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/mpi"
	"nabla/optim"
	"nabla/train"
)

// settings are what the flags say.
type settings struct {
	network, data, keep        string
	rows, epochs, batch, parts int
	fast                       bool
	timeout                    time.Duration
}

func main() {
	var s settings
	flag.StringVar(&s.network, "network", "dense", "which to train: dense or lenet")
	flag.StringVar(&s.data, "data", "", "the `folder` of the data files; fetched as a Go module if empty")
	flag.IntVar(&s.rows, "rows", 0, "digits to train on; all if 0")
	flag.IntVar(&s.epochs, "epochs", 3, "passes over them")
	flag.IntVar(&s.batch, "batch", 128, "rows of a batch, of all processes together")
	flag.IntVar(&s.parts, "parts", 8, "parts of a batch, which are added up in a fixed order; at least as many as processes")
	flag.StringVar(&s.keep, "keep", "", "the `folder` to keep the training in, to go on if it is stopped; none if empty")
	flag.BoolVar(&s.fast, "fast", false, "let MPI add up the gradients, in an order of its own")
	flag.DurationVar(&s.timeout, "timeout", time.Minute, "how long to wait for another process")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mnist:", err)
		os.Exit(1) // mpirun ends the other processes
	}
}

// run trains as one of the processes that mpirun has started.
func run(ctx context.Context, s settings, out io.Writer) error {
	folder, err := mnist.Find(ctx, s.data)
	if err != nil {
		return err
	}
	set, err := mnist.Read(folder)
	if err != nil {
		return err
	}
	world, err := mpi.Init(mpi.Options{Timeout: s.timeout})
	if err != nil {
		return err
	}
	if world.Rank() > 0 {
		out = io.Discard // the first speaks for all
	}
	if err := teach(ctx, s, world, set, out); err != nil {
		return err
	}
	return world.Close()
}

func teach(ctx context.Context, s settings, world *mpi.World, set mnist.Set, out io.Writer) error {
	model, err := network(s.network)
	if err != nil {
		return err
	}
	config := train.Config{
		Model: model, Optimizer: optim.NewAdam(1e-3), Epochs: s.epochs, BatchSize: s.batch, Parts: s.parts, Group: world,
		Graph:  autograd.Options{Precision: autograd.Float32, Seed: 1},
		Loader: &train.LoaderOptions{Seed: 1},
		LabelLoss: func(logits autograd.Value, labels autograd.Ints) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(logits, labels, losses.Options{Logits: true})
		},
		OnEpoch: func(e train.Epoch) error {
			fmt.Fprintf(out, "epoch %d  loss %.6f\n", e.Number, e.Train.Loss)
			return nil
		},
	}
	if s.fast {
		config.Group = world.Fast()
	}
	if s.keep != "" {
		config.Resume = s.keep
		config.Callbacks = []train.Callback{&train.Checkpoint{Folder: s.keep, Every: 20}}
	}
	rows := set.Train.Len()
	if s.rows > 0 {
		rows = min(s.rows, rows)
	}
	first := upTo(rows)
	digits := train.Data{Inputs: set.Train.Images.Take(first...), Labels: set.Train.Labels.Take(first...)}
	begun := time.Now()
	if _, err := train.Run(ctx, config, digits); err != nil {
		return err
	}
	seconds := time.Since(begun).Seconds()
	if world.Rank() > 0 {
		return nil
	}
	logits, err := train.PredictWith(ctx, model, set.Test.Images, train.PredictOptions{Graph: config.Graph, BatchSize: 500})
	if err != nil {
		return err
	}
	right := 0
	for i, class := range metrics.Classes(logits).Values() {
		if class == set.Test.Labels.Values()[i] {
			right++
		}
	}
	fmt.Fprintf(out, "ranks %d  right %d of %d  seconds %.2f  hash %s\n", world.Size(), right, set.Test.Len(), seconds, train.Hash(model.Params()...))
	return nil
}

// network returns a network of that name, which every process begins with.
func network(name string) (*layers.Sequential, error) {
	rng := rand.New(rand.NewPCG(1, 0))
	var model *layers.Sequential
	switch name {
	case "dense":
		model = layers.NewSequential(
			layers.Flatten(), layers.NewDense(rng, 784, 512), layers.ReLU(), layers.Dropout(0.2), layers.NewDense(rng, 512, 10),
		)
	case "lenet":
		model = layers.NewSequential(
			layers.NewConv2DWith(rng, 1, 6, 5, layers.ConvOptions{Same: true}), layers.ReLU(), layers.MaxPool2D(2),
			layers.NewConv2D(rng, 6, 16, 5), layers.NewBatchNorm(16), layers.ReLU(), layers.MaxPool2D(2), layers.Flatten(),
			layers.NewDense(rng, 400, 120), layers.ReLU(), layers.NewDense(rng, 120, 84), layers.ReLU(), layers.NewDense(rng, 84, 10),
		)
	default:
		return nil, fmt.Errorf("there is no network %q", name)
	}
	layers.Convert(model, autograd.Float32)
	return model, nil
}

// upTo returns the numbers from 0 to below n.
func upTo(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}
