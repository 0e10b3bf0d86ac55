package main

import (
	gonum "gonum.org/v1/plot"

	"nabla/autograd"
	"nabla/data"
	"nabla/metrics"
	"nabla/plot"
)

// A picture is a plot of what a network has learned.
type picture struct{ name, words string }

// plots returns which plots are made of a network: of each the cost and, over
// the features, what it says; of classes what they are taken for.
func (n network) plots() []picture {
	cost := picture{"cost", "The cost by epoch"}
	switch n.group {
	case "linear":
		return []picture{cost, {"fit", "Prices, and what the network says of each distance"}}
	case "nonlinear":
		return []picture{cost, {"fit", "Prices, and what the network says of each distance and rating"}}
	case "binary":
		return []picture{
			cost, {"boundary", "Hot deals, and where the network sees them"},
			{"confusion", "What the network says of the hotels that it learned from"},
			{"confusion.test", "What the network says of other hotels"},
			{"roc", "True and false hot deals, at every threshold"},
		}
	}
	return []picture{
		cost, {"boundary", "Categories, and where the network sees them"},
		{"confusion", "What the network says of the hotels that it learned from"},
		{"confusion.test", "What the network says of other hotels"},
	}
}

// file returns the name of a plot's file.
func (n network) file(p picture) string { return n.task + "." + p.name + ".svg" }

// plot draws one of them.
func (o *outcome) plot(p picture, a *album) *gonum.Plot {
	switch p.name {
	case "cost":
		drawn := plot.Lines(plot.Series{Y: o.costs})
		drawn.X.Label.Text, drawn.Y.Label.Text = "epoch", "cost"
		return drawn
	case "fit":
		drawn := plot.Fit(a.space.features.Tensor(), autograd.NewTensor(a.space.targets), a.says)
		a.label(drawn)
		return drawn
	case "boundary":
		drawn := plot.Boundary(a.space.features.Tensor(), metrics.Classes(a.train.Targets), a.says, a.space.classes...)
		a.label(drawn)
		return drawn
	case "confusion":
		drawn := plot.Confusion(o.training.matrix)
		drawn.Title.Text = "training"
		return drawn
	case "confusion.test":
		drawn := plot.Confusion(o.test.matrix)
		drawn.Title.Text = "test"
		return drawn
	}
	return plot.ROC(predict(a.model, a.train.Inputs), a.train.Targets)
}

// says returns what the network says of hotels [n, features], both in the
// reader's units.
func (a *album) says(x autograd.Tensor) autograd.Tensor {
	return a.space.units(predict(a.model, a.space.scaler.Transform(data.FromTensor(x)).Tensor()))
}

// label names the axes by the features and, of one, the price.
func (a *album) label(p *gonum.Plot) {
	p.X.Label.Text = "distance in miles"
	if p.Y.Label.Text = a.space.target; len(a.space.names) > 1 {
		p.Y.Label.Text = a.space.names[1]
	}
}
