// Command hotels trains the networks of a course in deep learning on its hotel
// data: prices along a line, prices, hot deals, and categories.
//
//	go run ./examples/hotels [-task all|linear|nonlinear|binary|multiclass] [-seed N] [-out DIR]
//
// It goes through the cycle predict → measure → feedback → adjust with full
// batches and learning rate 0.08, and ends with one line of results for each
// network. With -out it writes, for each, drawings in the DOT language and,
// where Graphviz is installed, as SVG: of the forward pass, the backward pass,
// both in one, the layers, and the course's picture; a page on which the network
// can be watched as it learns; and the history of the cost as CSV.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// defaultSeed is the first of 1, 2, 3, … with which every network reaches the
// course's figures.
const defaultSeed = 4

type settings struct {
	task string
	seed uint64
	out  string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2)
	}
	if err := run(ctx, os.Stdout, s); err != nil {
		fmt.Fprintln(os.Stderr, "hotels:", err)
		os.Exit(1)
	}
}

// parse reads the command line; what is wrong with it is written to w.
func parse(args []string, w io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("hotels", flag.ContinueOnError)
	flags.SetOutput(w)
	flags.StringVar(&s.task, "task", "all", "which networks to train: all, linear, nonlinear, binary or multiclass")
	flags.Uint64Var(&s.seed, "seed", defaultSeed, "the seed of the starting weights")
	flags.StringVar(&s.out, "out", "", "the folder to write drawings and histories into; none if empty")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 || len(chosen(s.task)) == 0 {
		err := fmt.Errorf("hotels: no such task: %s %v", s.task, flags.Args())
		fmt.Fprintln(w, err)
		flags.Usage()
		return s, err
	}
	return s, nil
}

// run trains the chosen networks and reports on w.
func run(ctx context.Context, w io.Writer, s settings) error {
	if s.out != "" {
		if err := os.MkdirAll(s.out, 0o755); err != nil {
			return err
		}
	}
	var results []string
	for _, n := range chosen(s.task) {
		result, err := n.run(ctx, w, s)
		if err != nil {
			return fmt.Errorf("%s: %w", n.task, err)
		}
		results = append(results, result)
	}
	for _, result := range results {
		if _, err := fmt.Fprintln(w, result); err != nil {
			return err
		}
	}
	return nil
}
