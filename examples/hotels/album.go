package main

import (
	"nabla/autograd"
	"nabla/data"
	"nabla/graphviz"
	"nabla/layers"
	"nabla/page"
)

// An album holds the drawings of a trained network, and the page that shows it
// learning.
type album struct {
	network
	problem
	model layers.Layer
	graph *autograd.Graph
	film  *page.Film
	shot  bool // an epoch has been filmed, whose update is still to come
}

// newAlbum returns the album of an untrained network.
func newAlbum(n network, p problem, model layers.Layer) *album {
	a := &album{network: n, problem: p, model: model, graph: autograd.NewGraph(autograd.Options{Trace: true})}
	a.film = page.NewFilm(page.Options{
		Title:  n.task + ": a " + n.shape() + " network, on the first of its hotels",
		Select: []graphviz.Selection{graphviz.Sample(0), graphviz.WeightedSums()},
		Inputs: page.Columns{Names: p.space.names, Units: []string{"miles", ""}[:len(p.space.names)], Scaler: p.space.scaler}, Targets: p.space.columns,
		Fit: &page.Fit{
			Predict:  func(x []float64) float64 { return a.answerFor(x) },
			Features: rowsOf(p.space.features), Targets: p.space.targets,
			Names: p.space.names, Classes: p.space.classes, Target: p.space.target,
		},
	})
	a.film.Keep = func(epoch int) bool { return filmed(epoch, n.epochs) }
	return a
}

// filmed reports whether the page shows an epoch: the first ones, in which most
// is learned, and then one for every tenth of the epochs.
func filmed(epoch, epochs int) bool {
	return epoch <= 2 || epoch == 5 || epoch == 10 || epoch%(epochs/10) == 0
}

func rowsOf(m data.Matrix) [][]float64 {
	rows := make([][]float64, m.Rows)
	for i := range rows {
		rows[i] = m.Row(i)
	}
	return rows
}

// answerFor returns the network's answer for a hotel.
func (a *album) answerFor(features []float64) float64 {
	x := a.space.scaler.Transform(data.FromRows(features))
	return a.space.answer(predict(a.model, x.Tensor()))
}

// record records both passes of the network as it is now.
func (a *album) record() (loss autograd.Value, gradients autograd.Gradients) {
	a.graph.Reset()
	x := a.graph.Constant(a.train.Inputs).Named("x")
	y := a.graph.Constant(a.train.Targets).Named("y")
	loss = a.loss(a.model.Forward(x), y)
	return loss, loss.Backward()
}

// turn films the network after an epoch: it now computes what the next epoch
// begins with.
func (a *album) turn(epoch int) {
	if a.shot {
		a.film.Adjusted(learningRate)
	}
	loss, gradients := a.record()
	a.film.Record(epoch, loss, gradients)
	a.shot = true
}

// drawings are made for each network. Neurons and the course's picture show the
// first hotel.
var drawings = []struct {
	name     string
	view     graphviz.View
	selected []graphviz.Selection
}{
	{"forward", graphviz.Forward, nil},
	{"backward", graphviz.Backward, nil},
	{"combined", graphviz.Combined, nil},
	{"layers", graphviz.Layers, nil},
	{"neurons", graphviz.Neurons, []graphviz.Selection{graphviz.Sample(0)}},
	{"course", graphviz.Course, []graphviz.Selection{graphviz.Sample(0)}},
}

// write writes the page and the drawings.
func (a *album) write(to *folder) error {
	if err := a.film.WriteFile(to.name(a.task + ".html")); err != nil {
		return err
	}
	if err := to.note(a.task + ".html"); err != nil {
		return err
	}
	loss, gradients := a.record()
	for _, d := range drawings {
		options := graphviz.Options{View: d.view, Select: d.selected, Title: a.title + ", " + d.name}
		for _, extension := range []string{".dot", ".svg"} {
			name := a.task + "." + d.name + extension
			if err := graphviz.WriteFile(to.name(name), loss, gradients, options); err != nil {
				return err
			}
			if err := to.note(name); err != nil {
				return err
			}
		}
	}
	return nil
}
