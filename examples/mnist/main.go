// Command mnist trains two networks to read handwritten digits, and shows what
// they learned: a dense one of 784-128-10, and LeNet (5×5, 6 and 16 filters,
// 120-84-10).
//
//	go run ./examples/mnist [-network all|dense|lenet] [-fashion] [-data DIR] [-epochs N] [-rows N] [-seed N] [-out DIR] [-keep DIR] [-results]
//
// The digits are those of MNIST: 60,000 to train on, and 10,000 to test with,
// once, at the end. They are fetched as a Go module, 11.6 MB, unless -data
// names a folder with files of that format. -fashion takes the clothes of
// Debian's package dataset-fashion-mnist instead. LeNet learns for -epochs
// passes, the dense network, which is faster, for twice as many.
//
// For each network it prints the share of the test that it reads right and what
// it takes for what, and writes pictures into the folder mnist (or -out): its
// filters, its worst mistakes, its confusion matrix, and for LeNet also what it
// makes of one digit. -results prints one line for each network, for programs.
//
// With -keep, an interrupt ends the training after the step, with everything
// kept in that folder, and the same command goes on with the same bits.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"nabla/autograd"
	"nabla/data/mnist"
	"nabla/examples/internal/command"
	"nabla/examples/internal/lenet"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/train"
)

func main() {
	c := command.New("mnist", 5)
	chosen := flag.String("network", "all", "which to train: all, dense or lenet")
	fashion := flag.Bool("fashion", false, "learn clothes instead of digits")
	c.KeepFlag(flag.CommandLine)
	c.Main(func(ctx context.Context) error { return run(ctx, c, *chosen, *fashion) })
}

// A network is one to train.
type network struct {
	name   string
	make   func(rng *rand.Rand) *layers.Sequential
	passes int // for each of -epochs
}

var networks = []network{
	{"dense", dense, 2},
	{"lenet", lenet.New, 1},
}

// dense returns the network of 784-128-10.
func dense(rng *rand.Rand) *layers.Sequential {
	model := layers.NewSequential(
		layers.Flatten(), layers.NewDense(rng, 784, 128), layers.ReLU(), layers.Dropout(0.2), layers.NewDense(rng, 128, 10),
	)
	layers.Convert(model, autograd.Float32)
	return model
}

var classes = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

func run(ctx context.Context, c *command.Command, chosen string, fashion bool) error {
	names := classes
	if fashion {
		names = mnist.FashionClasses()
		if c.Data == "" {
			c.Data = mnist.FashionDir
		}
	}
	set, err := c.Digits(ctx)
	if err != nil {
		return err
	}
	rows := c.First(set.Train.Len())
	training := train.Data{Inputs: set.Train.Images.Take(upTo(rows)...), Labels: set.Train.Labels.Take(upTo(rows)...)}
	found := false
	for _, n := range networks {
		if chosen != "all" && chosen != n.name {
			continue
		}
		found = true
		if err := n.run(ctx, c, training, set.Test, names); err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
	}
	if !found {
		return fmt.Errorf("there is no network %q", chosen)
	}
	return nil
}

// run trains the network, tests it, and shows what it learned.
func (n network) run(ctx context.Context, c *command.Command, training train.Data, test mnist.Part, names []string) error {
	model, start := n.make(rand.New(rand.NewPCG(c.Seed, 0))), time.Now()
	c.Print("\n%s\n%s", n.name, layers.Summary(model, test.Images.Take(0).Shape()...))
	if err := n.teach(ctx, c, model, training); err != nil {
		return err
	}
	seconds := time.Since(start).Seconds()
	logits, err := train.PredictWith(ctx, model, test.Images, train.PredictOptions{
		Graph: autograd.Options{Precision: autograd.Float32}, BatchSize: 500,
	})
	if err != nil {
		return err
	}
	matrix := metrics.NewConfusionMatrix(metrics.Classes(logits), test.Labels, names...)
	c.Print("\n%v\n%s", matrix, matrix.Report())
	c.Result("network=%s rows=%d epochs=%d train_seconds=%.0f test_accuracy=%.4f",
		n.name, training.Rows(), n.passes*c.Epochs, seconds, matrix.Accuracy())
	return n.show(c, model, test, logits, matrix)
}

// teach trains the network. The learning rate falls to 0.
func (n network) teach(ctx context.Context, c *command.Command, model layers.Layer, rows train.Data) error {
	passes, optimizer := *c, optim.NewAdam(2e-3)
	passes.Epochs *= n.passes
	if c.Keep != "" {
		passes.Keep = filepath.Join(c.Keep, n.name)
	}
	return passes.Train(ctx, train.Config{
		Model: model, Optimizer: optimizer, BatchSize: 64,
		Graph:  autograd.Options{Precision: autograd.Float32, Seed: c.Seed},
		Loader: &train.LoaderOptions{Seed: c.Seed},
		LabelLoss: func(logits autograd.Value, labels autograd.Ints) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(logits, labels, losses.Options{Logits: true})
		},
	}, rows)
}

// upTo returns the numbers from 0 to below n.
func upTo(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}
