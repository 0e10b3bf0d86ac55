// Command scalar builds one neuron from scalar primitives, prints its backward
// pass step by step with the chain rule's factors, and draws it.
//
//	go run ./examples/scalar [-out DIR]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"nabla/autograd"
	"nabla/graphviz"
)

func main() {
	out := flag.String("out", "", "the folder to draw neuron.dot into; none if empty")
	flag.Parse()
	if err := run(os.Stdout, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(w io.Writer, out string) error {
	loss := neuron()
	gradients := loss.Backward()
	printForward(w, loss)
	printBackward(w, loss, gradients)
	printUpdate(w, loss, gradients)
	if out == "" {
		return nil
	}
	return draw(w, out, loss, gradients)
}

// neuron records i·w + b → z → relu → a → ½(a − y)².
func neuron() (loss autograd.Value) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	i := g.Scalar(1.5).Named("i")
	y := g.Scalar(3).Named("y")
	w := g.Variable(autograd.Scalar(0.8)).Named("w")
	b := g.Variable(autograd.Scalar(0.1)).Named("b")

	product := w.Mul(i).Named("w·i")
	z := product.Add(b).Named("z")
	a := z.ReLU().Named("a")
	difference := a.Sub(y).Named("a−y")
	return difference.Square().Named("(a−y)²").Scale(0.5).Named("loss")
}

func printForward(w io.Writer, loss autograd.Value) {
	fmt.Fprintln(w, "predict and measure")
	for n := range loss.Ancestors() {
		fmt.Fprintf(w, "  %-7s = %-8.4g", n.Name(), n.Item())
		if n.Kind == autograd.KindOperation {
			fmt.Fprintf(w, " %s of", n.Op)
			for _, input := range n.Inputs {
				fmt.Fprintf(w, " %s", n.Graph().At(input).Name())
			}
		} else {
			fmt.Fprintf(w, " %s", n.Kind)
		}
		fmt.Fprintln(w)
	}
}

// printBackward shows each gradient as the sum of what the value's uses
// contribute: the gradient of the result times the local derivative.
func printBackward(w io.Writer, loss autograd.Value, gradients autograd.Gradients) {
	fmt.Fprintln(w, "\nfeedback: the chain rule, from the loss back")
	fmt.Fprintf(w, "  d%-6s = 1\n", "loss")
	for _, n := range backward(loss) {
		if !n.NeedsGrad || n.ID == loss.Node().ID {
			continue
		}
		fmt.Fprintf(w, "  d%-6s =", n.Name())
		for k, c := range gradients.Contributions(n.Value) {
			if k > 0 {
				fmt.Fprint(w, " +")
			}
			upstream := gradients.Of(c.To).Item()
			fmt.Fprintf(w, " d%s × %.4g", c.To.Name(), c.Gradient.Item()/upstream)
		}
		fmt.Fprintf(w, " = %.4g\n", gradients.Of(n.Value).Item())
	}
}

// backward returns the nodes that lead to the loss, the last one first.
func backward(loss autograd.Value) []autograd.Node {
	var nodes []autograd.Node
	for n := range loss.Ancestors() {
		nodes = append([]autograd.Node{n}, nodes...)
	}
	return nodes
}

func printUpdate(w io.Writer, loss autograd.Value, gradients autograd.Gradients) {
	const rate = 0.1
	fmt.Fprintf(w, "\nadjust: value − %v × gradient\n", rate)
	for n := range loss.Ancestors() {
		if n.Kind == autograd.KindVariable {
			d := gradients.Of(n.Value).Item()
			fmt.Fprintf(w, "  %-7s = %.4g − %v × (%.4g) = %.4g\n", n.Name(), n.Item(), rate, d, n.Item()-rate*d)
		}
	}
}

func draw(w io.Writer, out string, loss autograd.Value, gradients autograd.Gradients) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	path := filepath.Join(out, "neuron.dot")
	if err := graphviz.WriteFile(path, loss, graphviz.Options{Gradients: gradients}); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nwrote %s\n", path)
	return nil
}
