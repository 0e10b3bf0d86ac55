package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"

	"nabla/autograd"
)

func main() {
	if name := os.Getenv(peakVariable); name != "" {
		if err := printPeak(name); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	switch err := run(os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run runs the command with the given arguments.
func run(args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.memory {
		return o.printMemory(stdout, stderr)
	}
	if o.update != "" { // fail before minutes of measuring
		if _, err := proseOf(o.update); err != nil {
			return err
		}
	}
	all := newPrograms(o.python, stderr)
	defer all.stop()
	m := lookAtMachine()
	results, err := o.measureAll(all, o.reporter(stdout))
	if err != nil {
		return err
	}
	m.after = loadAverage()
	text := markdown(m, all.versions(), results)
	if o.update != "" {
		if err := updateFile(o.update, text); err != nil {
			return err
		}
	}
	if o.markdown {
		_, err = io.WriteString(stdout, text)
	}
	return err
}

// measureAll measures the chosen workloads, each with the chosen peers, and
// reports each result immediately.
func (o *options) measureAll(all *programs, report func(result) error) ([]result, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var results []result
	for _, s := range o.settings() {
		runtime.GOMAXPROCS(s.threads)
		for _, w := range o.workloads {
			for _, p := range o.peersOf(w) {
				r := o.effort.measure(w, p, s, all)
				results = append(results, r)
				if err := report(r); err != nil {
					return results, err
				}
			}
		}
	}
	return results, nil
}

// A setting is a precision and a number of threads to measure in.
type setting struct {
	precision autograd.Precision
	threads   int
}

func (s setting) String() string {
	if s.threads == 1 {
		return fmt.Sprintf("%v, 1 thread", s.precision)
	}
	return fmt.Sprintf("%v, %d threads", s.precision, s.threads)
}

// bits is 32 or 64.
func (s setting) bits() int {
	if s.precision == autograd.Float32 {
		return 32
	}
	return 64
}
