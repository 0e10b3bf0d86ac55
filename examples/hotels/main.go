// Command hotels trains the networks of a course in deep learning on its hotel
// data: prices along a line, prices, hot deals, and categories.
//
//	go run ./examples/hotels [-task all|linear|nonlinear|binary|multiclass] [-seed N] [-out DIR] [-keep DIR] [-v | -results]
//
// It runs the cycle predict → measure → feedback → adjust with full batches and
// learning rate 0.08, and prints a row for each network: the course's figures
// beside those reached here. -v describes each training; -results prints one
// line per network, for programs, instead of the table.
//
// It writes files into the folder hotels (or -out): an index.html with all
// networks; and for each network a page that shows it learning, drawings of the
// forward pass, the backward pass, both in one, the layers, the neurons and the
// course's picture, as DOT and SVG, the history of the cost as CSV, and plots.
// It never overwrites a file that it did not write itself.
//
// Every page of the course that has a plot has its twin among these:
//
//   - price by distance: the line through the prices is linear.fit.svg, and the
//     cost that falls linear.cost.svg;
//   - price by distance and rating: the prices over both features, under what
//     the network says, are nonlinear-linear.fit.svg without activations,
//     nonlinear.fit.svg with relu, and nonlinear-large.fit.svg of the larger
//     network;
//   - hot deal or not: the points and the boundary are binary.boundary.svg and
//     binary-large.boundary.svg, the confusion matrices binary.confusion.svg
//     and binary.confusion.test.svg; binary.roc.svg goes beyond the course;
//   - category: the same of three classes, multiclass.boundary.svg and so on.
//
// Each has its cost by epoch, such as nonlinear.cost.svg.
//
// With -keep, an interrupt ends the training after the epoch, with everything
// kept in that folder, and the same command goes on with the same bits. The
// page of a network that went on shows it from there.
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

// defaultSeed is the first of 1, 2, 3, … for which every network reaches the
// course's figures.
const defaultSeed = 4

type settings struct {
	task             string
	seed             uint64
	out, keep        string
	verbose, results bool
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
		if s.keep != "" && ctx.Err() != nil {
			fmt.Fprintf(os.Stderr, "hotels: the trainings are kept in %s, and the same command goes on\n", s.keep)
		}
		os.Exit(1)
	}
}

// parse reads the command line; it writes errors to w.
func parse(args []string, w io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("hotels", flag.ContinueOnError)
	flags.SetOutput(w)
	flags.StringVar(&s.task, "task", "all", "which networks to train: all, linear, nonlinear, binary or multiclass")
	flags.Uint64Var(&s.seed, "seed", defaultSeed, "the seed of the starting weights")
	flags.StringVar(&s.out, "out", "hotels", "the folder to write pages, drawings and histories into; none if empty")
	flags.StringVar(&s.keep, "keep", "", "the folder to keep the trainings in: the same command goes on where it was stopped")
	flags.BoolVar(&s.verbose, "v", false, "describe each network and its training")
	flags.BoolVar(&s.results, "results", false, "print a line for each network that programs can read, instead of the table")
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
	all := chosen(s.task)
	to, err := s.folder(all)
	if err != nil {
		return err
	}
	detail := io.Discard
	if s.verbose {
		detail = w
	}
	outcomes := make([]outcome, len(all))
	for i, n := range all {
		if outcomes[i], err = n.run(ctx, detail, s, to); err != nil {
			return fmt.Errorf("%s: %w", n.task, err)
		}
	}
	if to != nil {
		if err := writeIndex(to, s.seed, outcomes); err != nil {
			return err
		}
	}
	return s.print(w, to, outcomes)
}

// folder opens the folder for the networks' files; nil for none.
func (s settings) folder(all []network) (*folder, error) {
	if s.out == "" {
		return nil, nil
	}
	names := []string{index}
	for _, n := range all {
		names = append(names, n.files()...)
	}
	return openFolder(s.out, names)
}

// print prints the results, and where the files are.
func (s settings) print(w io.Writer, to *folder, outcomes []outcome) error {
	if s.results {
		for _, o := range outcomes {
			if _, err := fmt.Fprintln(w, o.result()); err != nil {
				return err
			}
		}
		return nil
	}
	if err := printTable(w, outcomes); err != nil {
		return err
	}
	if to == nil {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nWatch them learn: open %s in a browser.\n", to.name(index))
	return err
}
