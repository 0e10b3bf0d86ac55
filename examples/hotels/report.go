package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"nabla/autograd"
	"nabla/layers"
	"nabla/optim"
	"nabla/plot"
	"nabla/train"
)

// run trains the network, describes the training on w, and writes the files
// into the folder, if there is one.
func (n network) run(ctx context.Context, w io.Writer, s settings, to *folder) (outcome, error) {
	p, model := n.problem(), n.model(s.seed)
	o := outcome{network: n, metric: p.metric}
	fmt.Fprintf(w, "== %s: %s, %d epochs\n", n.task, n.shape(), n.epochs)
	fmt.Fprint(w, layers.Summary(model, p.train.Inputs.Shape()...))

	a := newAlbum(n, p, model)
	turn := func(epoch int) {
		if to != nil {
			a.turn(epoch)
		}
	}
	turn(0)
	config := train.Config{
		Model: model, Loss: n.loss, Optimizer: optim.NewSGD(learningRate), Epochs: n.epochs,
		OnEpoch: func(e train.Epoch) error {
			turn(e.Number)
			return o.note(w, e.Train.Loss) // with a full batch, the cost before the epoch
		},
	}
	n.keep(&config, s.keep, func(cost float64) error { return o.note(w, cost) })
	if _, err := train.Run(ctx, config, p.train); err != nil {
		return o, err
	}
	if err := o.note(w, n.cost(model, p.train)); err != nil {
		return o, err
	}
	o.training = p.measure(predict(model, p.train.Inputs), p.train.Targets)
	o.test = p.measure(predict(model, p.test.Inputs), p.test.Targets)
	report(w, o.training, o.test)
	if to != nil {
		if err := o.write(w, to, a); err != nil {
			return o, err
		}
	}
	fmt.Fprintln(w)
	return o, nil
}

// keep keeps a training in a folder, if there is one, and makes it go on from
// there. Note is called with the costs of the epochs that were made before.
func (n network) keep(config *train.Config, folder string, note func(cost float64) error) {
	if folder == "" {
		return
	}
	folder = filepath.Join(folder, n.task)
	config.Resume = folder
	config.Callbacks = []train.Callback{
		before{note: note},
		&train.Checkpoint{Folder: folder, EveryEpochs: 100},
	}
}

// before is a callback that tells of the epochs before a training went on.
type before struct{ note func(cost float64) error }

func (b before) OnBegin(t *train.Training) error {
	for _, e := range t.History() {
		if err := b.note(e.Train.Loss); err != nil {
			return err
		}
	}
	return nil
}

func (before) OnEpoch(*train.Training, train.Epoch) error { return nil }

// note appends a cost, and prints it before the first epoch, after every eighth
// of the epochs, and after the last one.
func (o *outcome) note(w io.Writer, cost float64) error {
	epoch := len(o.costs)
	o.costs = append(o.costs, cost)
	if epoch%max(1, o.epochs/8) != 0 && epoch != o.epochs {
		return nil
	}
	_, err := fmt.Fprintf(w, "epoch %4d  cost %.6f\n", epoch, cost)
	return err
}

// cost returns what training minimises, for the model as it is now.
func (n network) cost(model layers.Layer, d train.Data) float64 {
	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	return n.loss(model.Forward(g.Constant(d.Inputs)), g.Constant(d.Targets)).Item()
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

// files returns the names of a network's files in the folder.
func (n network) files() []string {
	names := []string{n.task + ".html", n.task + ".history.csv"}
	for _, d := range drawings {
		names = append(names, n.task+"."+d.name+".dot", n.task+"."+d.name+".svg")
	}
	for _, p := range n.plots() {
		names = append(names, n.file(p))
	}
	return names
}

// write writes the history, the plots and the album.
func (o *outcome) write(w io.Writer, to *folder, a *album) error {
	if err := a.write(to); err != nil {
		return err
	}
	if err := to.write(o.task+".history.csv", o.history()); err != nil {
		return err
	}
	for _, p := range o.plots() {
		content, err := plot.Encode(o.plot(p, a), "svg", 600, 400)
		if err == nil {
			err = to.write(o.file(p), content)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range o.files() {
		fmt.Fprintln(w, "wrote", to.name(name))
	}
	return nil
}

// history returns the cost after each epoch, as CSV; epoch 0 is before
// training.
func (o *outcome) history() []byte {
	text := []byte("epoch,cost\n")
	for epoch, cost := range o.costs {
		text = fmt.Appendf(text, "%d,%v\n", epoch, cost)
	}
	return text
}
