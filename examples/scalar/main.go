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
	"nabla/page"
)

const rate = 0.1 // learning rate

func main() {
	out := flag.String("out", "", "the folder to draw the neuron into; none if empty")
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
	i := g.Scalar(1.5).Named("i").As(autograd.RoleInput)
	y := g.Scalar(3).Named("y").As(autograd.RoleTarget)
	w := g.Variable(autograd.Scalar(0.8)).Named("w")
	b := g.Variable(autograd.Scalar(0.1)).Named("b")

	z := w.Mul(i).Add(b).Named("z") // weighted sum
	a := z.ReLU().Named("a")        // activation
	return a.Sub(y).Square().MulScalar(0.5).Named("loss")
}

func printForward(w io.Writer, loss autograd.Value) {
	fmt.Fprintln(w, "predict and measure")
	for n := range loss.Ancestors() {
		fmt.Fprintf(w, "  %-7s = %-8.4g", called(n), n.Value.Item())
		if n.Kind == autograd.KindOperation {
			fmt.Fprintf(w, " %s of", n.Op)
			for _, input := range n.Inputs {
				fmt.Fprintf(w, " %s", called(n.Value.Graph().At(input).Node()))
			}
		} else {
			fmt.Fprintf(w, " %s", n.Kind)
		}
		fmt.Fprintln(w)
	}
}

// printBackward prints each gradient as the sum of the contributions of the
// value's uses: the gradient of the result times the local derivative.
func printBackward(w io.Writer, loss autograd.Value, gradients autograd.Gradients) {
	fmt.Fprintln(w, "\nfeedback: the chain rule, from the loss back")
	fmt.Fprintf(w, "  %-9s = 1\n", "dloss")
	for _, n := range backward(loss) {
		if !n.NeedsGrad || n.ID == loss.Node().ID {
			continue
		}
		fmt.Fprintf(w, "  %-9s =", slope(n))
		for k, c := range gradients.Contributions(n.Value) {
			if k > 0 {
				fmt.Fprint(w, " +")
			}
			upstream := gradients.Of(c.To).Item()
			fmt.Fprintf(w, " %s × %.4g", slope(c.To.Node()), c.Gradient.Item()/upstream)
		}
		fmt.Fprintf(w, " = %.4g\n", gradients.Of(n.Value).Item())
	}
}

// backward returns the nodes that the loss depends on, last one first.
func backward(loss autograd.Value) []autograd.Node {
	var nodes []autograd.Node
	for n := range loss.Ancestors() {
		nodes = append([]autograd.Node{n}, nodes...)
	}
	return nodes
}

func printUpdate(w io.Writer, loss autograd.Value, gradients autograd.Gradients) {
	fmt.Fprintf(w, "\nadjust: value − %v × gradient\n", rate)
	for n := range loss.Ancestors() {
		if n.Kind == autograd.KindVariable {
			d := gradients.Of(n.Value).Item()
			fmt.Fprintf(w, "  %-7s = %.4g − %v × (%.4g) = %.4g\n", n.Value.Name(), n.Value.Item(), rate, d, n.Value.Item()-rate*d)
		}
	}
}

// called returns a value's name, or, if it has none, how it is computed.
func called(n autograd.Node) string {
	if n.Value.Name() != "" {
		return n.Value.Name()
	}
	var in []any
	for _, input := range n.Inputs {
		in = append(in, called(n.Value.Graph().At(input).Node()))
	}
	formulas := map[string]string{"mul": "%s·%s", "sub": "%s−%s", "square": "(%s)²"}
	return fmt.Sprintf(formulas[n.Op], in...)
}

// slope returns the name of a gradient: dz, or d(a−y) for a value without a
// name.
func slope(n autograd.Node) string {
	if n.Value.Name() == "" {
		return "d(" + called(n) + ")"
	}
	return "d" + n.Value.Name()
}

// draw writes the course's picture, as DOT and as SVG, and a page to step
// through.
func draw(w io.Writer, out string, loss autograd.Value, gradients autograd.Gradients) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	fmt.Fprintln(w)
	html := filepath.Join(out, "neuron.html")
	if err := page.WriteFile(html, loss, gradients, page.Options{Title: "One neuron", LearningRate: rate}); err != nil {
		return err
	}
	fmt.Fprintln(w, "wrote", html)
	options := graphviz.Options{View: graphviz.Course, Title: "One neuron"}
	for _, file := range []string{"neuron.dot", "neuron.svg"} {
		path := filepath.Join(out, file)
		if err := graphviz.WriteFile(path, loss, gradients, options); err != nil {
			return err
		}
		fmt.Fprintln(w, "wrote", path)
	}
	return nil
}
