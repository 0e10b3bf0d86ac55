package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"nabla/autograd"
)

// options are the options of the command line.
type options struct {
	workloads []workload
	peers     []string // nil: all
	threads   []int
	precision []autograd.Precision
	python    string // the interpreter that has torch and jax
	json      bool
	markdown  bool
	update    string // the Markdown file to put the results into
	memory    bool
	effort    effort
}

// parse reads the command line. Only errors that the flag package finds are
// written to stderr, with the usage.
func parse(args []string, stderr io.Writer) (*options, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	names := flags.String("workload", "", "these `names` or beginnings of names (W2,W3,W4-256); all if empty")
	peers := flags.String("peer", "", "these `peers` ("+strings.Join(peerNames(workloads()), ", ")+"); all if empty, none for Nabla alone")
	threads := flags.Int("threads", 0, "the `number` of threads; 1, then 2 if not given")
	precision := flags.Int("precision", 0, "the `bits` of a number, 32 or 64; both if not given")
	o := &options{effort: full}
	flags.StringVar(&o.python, "python", debianPython, "the Python `interpreter` that has torch and jax, such as that of a virtual environment")
	flags.BoolVar(&o.json, "json", false, "print an object a line")
	flags.BoolVar(&o.markdown, "markdown", false, "print tables in Markdown at the end")
	flags.StringVar(&o.update, "update", "", "put the tables into this Markdown `file`, behind its heading "+resultsHeading)
	flags.BoolVar(&o.memory, "memory", false, "print the peaks of memory of LeNet's and of a U-Net's steps, and nothing else")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, o.choose(*names, *peers, *threads, *precision)
}

func (o *options) choose(names, peers string, threads, bits int) error {
	if err := o.chooseWorkloads(names); err != nil {
		return err
	}
	if err := o.choosePeers(peers); err != nil {
		return err
	}
	switch {
	case threads < 0:
		return fmt.Errorf("-threads %d is not positive", threads)
	case threads == 0:
		o.threads = []int{1, 2}
	default:
		o.threads = []int{threads}
	}
	switch bits {
	case 0:
		o.precision = []autograd.Precision{autograd.Float32, autograd.Float64}
	case 32:
		o.precision = []autograd.Precision{autograd.Float32}
	case 64:
		o.precision = []autograd.Precision{autograd.Float64}
	default:
		return fmt.Errorf("-precision %d is neither 32 nor 64", bits)
	}
	return nil
}

// chooseWorkloads chooses the workloads with the given names, or whose names
// continue one with a hyphen, in the order of the list of all.
func (o *options) chooseWorkloads(names string) error {
	all := workloads()
	if names == "" {
		o.workloads = all
		return nil
	}
	wanted := strings.Split(names, ",")
	for _, name := range wanted {
		if !slices.ContainsFunc(all, func(w workload) bool { return w.matches(name) }) {
			return fmt.Errorf("there is no workload %q", name)
		}
	}
	for _, w := range all {
		if slices.ContainsFunc(wanted, w.matches) {
			o.workloads = append(o.workloads, w)
		}
	}
	return nil
}

func (w workload) matches(name string) bool {
	return w.name == name || strings.HasPrefix(w.name, name+"-")
}

func (o *options) choosePeers(names string) error {
	if names == "" {
		return nil
	}
	known := append(peerNames(workloads()), "none")
	o.peers = strings.Split(names, ",")
	for _, name := range o.peers {
		if !slices.Contains(known, name) {
			return fmt.Errorf("there is no peer %q", name)
		}
	}
	return nil
}

// peersOf returns the peers to measure a workload with. "none" measures Nabla
// alone; a workload that has peers, but none of the chosen ones, is left out.
func (o *options) peersOf(w workload) []peer {
	if o.peers == nil {
		return w.peers
	}
	var chosen []peer
	for _, p := range w.peers {
		if slices.Contains(o.peers, p.name) {
			chosen = append(chosen, p)
		}
	}
	if slices.Contains(o.peers, "none") {
		chosen = append(chosen, peer{})
	}
	return chosen
}

// settings are the combinations to measure in, by threads first.
func (o *options) settings() []setting {
	var all []setting
	for _, threads := range o.threads {
		for _, precision := range o.precision {
			all = append(all, setting{precision, threads})
		}
	}
	return all
}
