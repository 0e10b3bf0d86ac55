package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/layers"
	"nabla/optim"
	"nabla/train"
)

// run trains the network, reports on w, writes the files, and returns the line
// of results.
func (n network) run(ctx context.Context, w io.Writer, s settings) (string, error) {
	p, model := n.problem(), n.model(s.seed)
	fmt.Fprintf(w, "== %s: %s, %d epochs\n", n.task, n.shape(), n.epochs)
	fmt.Fprint(w, layers.Summary(model, p.train.Inputs.Shape()...))

	history, err := train.Run(ctx, train.Config{
		Model: model, Loss: n.loss, Optimizer: optim.NewSGD(learningRate), Epochs: n.epochs,
		OnEpoch: func(e train.Epoch) error { return n.progress(w, e) },
	}, p.train)
	if err != nil {
		return "", err
	}
	training := p.measure(predict(model, p.train.Inputs), p.train.Targets)
	test := p.measure(predict(model, p.test.Inputs), p.test.Targets)
	report(w, training, test)
	if err := n.write(w, s.out, model, p, history); err != nil {
		return "", err
	}
	fmt.Fprintln(w)
	return fmt.Sprintf("result task=%s network=%s epochs=%d train_%s=%.6g test_%s=%.6g",
		n.task, n.shape(), len(history), p.metric, training.metric, p.metric, test.metric), nil
}

// progress prints the first epoch and every eighth part of all.
func (n network) progress(w io.Writer, e train.Epoch) error {
	if e.Number == 1 || e.Number%max(1, n.epochs/8) == 0 {
		if _, err := fmt.Fprintf(w, "epoch %4d  cost %.6f\n", e.Number, e.Train.Loss); err != nil {
			return err
		}
	}
	return nil
}

func predict(model layers.Layer, x autograd.Tensor) autograd.Tensor {
	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	return model.Forward(g.Constant(x)).Tensor()
}

func report(w io.Writer, training, test measures) {
	for _, m := range []struct {
		rows string
		measures
	}{{"train", training}, {"test", test}} {
		fmt.Fprintf(w, "%-5s  %s\n", m.rows, m.text)
		if m.matrix != nil {
			fmt.Fprintf(w, "%v\n%s\n", m.matrix, m.matrix.Report())
		}
	}
}

// drawings are those of each network. The course's picture is that of the first
// hotel.
var drawings = []struct {
	name     string
	view     graphviz.View
	selected []graphviz.Selection
}{
	{"forward", graphviz.Forward, nil},
	{"backward", graphviz.Backward, nil},
	{"combined", graphviz.Combined, nil},
	{"layers", graphviz.Layers, nil},
	{"course", graphviz.Course, []graphviz.Selection{graphviz.Sample(0)}},
}

// draw writes a drawing in the DOT language and, where Graphviz is installed, as
// a picture.
func draw(w io.Writer, path string, loss autograd.Value, options graphviz.Options) error {
	for _, extension := range []string{".dot", ".svg"} {
		err := graphviz.WriteFile(path+extension, loss, options)
		if errors.Is(err, graphviz.ErrNoGraphviz) {
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(w, "wrote", path+extension)
	}
	return nil
}

// write writes the drawings and the history into the folder, if there is one.
func (n network) write(w io.Writer, out string, model layers.Layer, p problem, history train.History) error {
	if out == "" {
		return nil
	}
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x, y := g.Constant(p.train.Inputs).Named("features"), g.Constant(p.train.Targets).Named("targets")
	loss := n.loss(model.Forward(x), y)
	gradients := loss.Backward()
	for _, d := range drawings {
		options := graphviz.Options{Gradients: gradients, View: d.view, Select: d.selected, Title: n.task + ", " + d.name}
		if err := draw(w, filepath.Join(out, n.task+"."+d.name), loss, options); err != nil {
			return err
		}
	}
	path := filepath.Join(out, n.task+".history.csv")
	if err := writeHistory(path, history); err != nil {
		return err
	}
	fmt.Fprintln(w, "wrote", path)
	return nil
}

// writeHistory writes the cost of each epoch. The file is complete or not
// there.
func writeHistory(path string, history train.History) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".history")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err := history.WriteCSV(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
