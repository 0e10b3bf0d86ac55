package main

import (
	"cmp"
	"image"
	"slices"
	"strings"

	"nabla/autograd"
	"nabla/data/images"
	"nabla/data/mnist"
	"nabla/examples/internal/command"
	"nabla/layers"
	"nabla/metrics"
	"nabla/plot"
)

// show writes the network's pictures.
func (n network) show(c *command.Command, model *layers.Sequential, test mnist.Part, logits autograd.Tensor, m *metrics.ConfusionMatrix) error {
	pictures := []struct {
		name    string
		picture func() image.Image
	}{
		{"filters", func() image.Image { return filters(model) }},
		{"maps", func() image.Image { return featureMaps(model, test.Images.Take(0)) }},
		{"mistakes", func() image.Image { return mistakes(test, logits, m.Classes) }},
	}
	for _, p := range pictures {
		picture := p.picture()
		if picture == nil {
			continue
		}
		if err := c.WriteImage(n.name+"."+p.name+".png", picture); err != nil {
			return err
		}
	}
	return c.Write(n.name+".confusion.png", func(path string) error { return plot.Save(plot.Confusion(m), path) })
}

// filters draws the weights of the first layer, around each neuron or of each
// filter: positive ones red, negative ones blue.
func filters(model *layers.Sequential) image.Image {
	w := model.Params()[0].Tensor()
	options := images.SheetOptions{Zoom: 16, Scale: images.Diverging}
	if w.Rank() == 2 { // of a dense layer, [784, neurons]
		w, options.Zoom = w.T().Reshape(w.Dim(1), 1, 28, 28), 2
	}
	return images.SheetWith(w, options)
}

// featureMaps draws an image and what the channels of each activation of
// images are for it; nil if there is none.
func featureMaps(model *layers.Sequential, picture autograd.Tensor) image.Image {
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true})
	x := g.Constant(picture)
	rows := []image.Image{images.SheetWith(picture, images.SheetOptions{Zoom: 4})}
	for _, l := range model.Layers() {
		if x = l.Forward(x); x.Name() != "a" || x.Rank() != 4 {
			continue
		}
		maps := x.Reshape(x.Dim(1), 1, x.Dim(2), x.Dim(3)).Tensor()
		rows = append(rows, images.SheetWith(maps, images.SheetOptions{Columns: 8, Zoom: 2 + 28/x.Dim(2), Scale: images.Spread}))
	}
	if len(rows) == 1 {
		return nil
	}
	return images.Arrange(rows, images.SheetOptions{Columns: 1, Gap: 8})
}

// mistakes draws the images whose class the network thought least likely, at
// most 40, with that and the one it took them for; nil if it made no mistake.
func mistakes(test mnist.Part, logits autograd.Tensor, classes []string) image.Image {
	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	likely := g.Constant(logits).LogSoftmax(1).Pick(test.Labels).Tensor()
	found := logits.ArgMax(1).Values()
	var wrong []int
	for i, class := range test.Labels.Values() {
		if found[i] != class {
			wrong = append(wrong, i)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.SortStableFunc(wrong, func(i, j int) int { return cmp.Compare(likely.At(i), likely.At(j)) })
	wrong = wrong[:min(40, len(wrong))]
	var labels []string
	for _, i := range wrong {
		labels = append(labels, strings.ToUpper(classes[test.Labels.Values()[i]]+" as "+classes[found[i]]))
	}
	return images.SheetWith(test.Images.Take(wrong...), images.SheetOptions{Columns: 8, Zoom: 4, Labels: labels})
}
