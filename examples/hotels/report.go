package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"nabla/autograd"
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

	a := newAlbum(n, p, model)
	turn := func(epoch int) {
		if s.out != "" {
			a.turn(epoch)
		}
	}
	turn(0)
	history, err := train.Run(ctx, train.Config{
		Model: model, Loss: n.loss, Optimizer: optim.NewSGD(learningRate), Epochs: n.epochs,
		OnEpoch: func(e train.Epoch) error {
			turn(e.Number)
			return n.progress(w, e)
		},
	}, p.train)
	if err != nil {
		return "", err
	}
	training := p.measure(predict(model, p.train.Inputs), p.train.Targets)
	test := p.measure(predict(model, p.test.Inputs), p.test.Targets)
	report(w, training, test)
	if err := n.write(w, s.out, a, history); err != nil {
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

// write writes the history into the folder, if there is one, and beside it what
// the album has.
func (n network) write(w io.Writer, out string, a *album, history train.History) error {
	if out == "" {
		return nil
	}
	paths, err := a.write(filepath.Join(out, n.task))
	if err != nil {
		return err
	}
	path := filepath.Join(out, n.task+".history.csv")
	if err := writeHistory(path, history); err != nil {
		return err
	}
	for _, path := range append(paths, path) {
		fmt.Fprintln(w, "wrote", path)
	}
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
