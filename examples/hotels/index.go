package main

import (
	"bytes"
	_ "embed"
	"html/template"
)

// index is the page of all networks.
const index = "index.html"

//go:embed index.html
var indexText string

var indexTemplate = template.Must(template.New(index).Parse(indexText))

// writeIndex writes the page of all networks: for each, its picture, the
// course's figures, the figures reached here, plots of what it has learned, and
// links to its files.
func writeIndex(to *folder, seed uint64, outcomes []outcome) error {
	type drawing struct{ Name, File, Words string }
	type card struct {
		Title, Network, Course, Here, Cost   string
		Epochs                               int
		Page, History, Picture, PictureWords string
		Drawings, Plots                      []drawing
	}
	content := struct {
		Seed         uint64
		LearningRate float64
		Units        []string
		Cards        []card
	}{Seed: seed, LearningRate: learningRate, Units: units}
	for _, o := range outcomes {
		c := card{
			Title: o.title, Network: o.described(), Course: o.course, Here: o.here(), Cost: o.cost(), Epochs: o.epochs,
			Page: o.task + ".html", History: o.task + ".history.csv", Picture: o.task + ".neurons.svg",
			PictureWords: "The neurons and weights of the " + o.shape() + " network",
		}
		for _, d := range drawings {
			c.Drawings = append(c.Drawings, drawing{Name: d.name, File: o.task + "." + d.name + ".svg"})
		}
		for _, p := range o.plots() {
			c.Plots = append(c.Plots, drawing{p.name, o.file(p), p.words})
		}
		content.Cards = append(content.Cards, c)
	}
	var text bytes.Buffer
	if err := indexTemplate.Execute(&text, content); err != nil {
		return err
	}
	return to.write(index, text.Bytes())
}
