package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// An outcome is the result of training a network.
type outcome struct {
	network
	metric         string    // of training and test: "mse" or "accuracy"
	costs          []float64 // after 0, 1, 2, … epochs: the first is the cost before training
	training, test measures
}

// result returns the outcome as a line for programs.
func (o outcome) result() string {
	return fmt.Sprintf("result task=%s network=%s epochs=%d train_%s=%.6g test_%s=%.6g",
		o.task, o.shape(), o.epochs, o.metric, o.training.metric, o.metric, o.test.metric)
}

// here returns the outcome in the form in which the course gives its figures.
func (o outcome) here() string {
	if o.metric == "mse" {
		return fmt.Sprintf("MSE %.1f train, %.1f test", o.training.metric, o.test.metric)
	}
	return fmt.Sprintf("%.0f %% train, %.0f %% test", 100*o.training.metric, 100*o.test.metric)
}

// cost returns the first and the last cost.
func (o outcome) cost() string { return short(o.costs[0]) + " → " + short(o.costs[o.epochs]) }

// short writes a cost with four digits, and a large one without decimals.
func short(cost float64) string {
	if cost >= 1000 {
		return fmt.Sprintf("%.0f", cost)
	}
	return fmt.Sprintf("%.4g", cost)
}

// units explains the table's numbers. The page of all networks has the same
// text.
var units = []string{
	"Cost is what training minimises, before training (epoch 0) and after the last epoch: the mean",
	"squared error of standardised prices (of dollars where the network is 1-1), or the cross entropy.",
	"MSE is the mean squared error of prices in dollars², % the share of hotels that are classified right.",
}

// printTable prints a row for each network.
func printTable(w io.Writer, outcomes []outcome) error {
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "task\tnetwork\tepochs\tcost\tthe course\there")
	for _, o := range outcomes {
		fmt.Fprintf(rows, "%s\t%s\t%d\t%s\t%s\t%s\n", o.title, o.described(), o.epochs, o.cost(), o.course, o.here())
	}
	if err := rows.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(units, "\n"))
	return err
}
