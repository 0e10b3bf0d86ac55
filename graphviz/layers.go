package graphviz

import (
	"strconv"
	"strings"

	"nabla/internal/recording"
)

func (c *canvas) drawLayers() {
	for i := range c.Nodes {
		c.box(i, c.layerLabel(i))
	}
	for _, edges := range c.bundles() {
		c.layerArrow(edges)
	}
}

// layerLabel returns the label of a layer: the shapes of its inputs and
// outputs, its number of parameters, and the norms of its values and
// gradients.
func (c *canvas) layerLabel(i int) *label {
	n := &c.Nodes[i]
	if n.Group == nil {
		return c.forwardLabel(n)
	}
	l := newLabel(c.o.Digits)
	l.heading(n.Title(), "")
	l.row("shape", font(inkColor, 0, htmlText(c.shapesOf(i))))
	if p := n.Group.Learned(); p > 0 {
		l.row("parameters", font(inkColor, 0, strconv.Itoa(p)))
	}
	for _, t := range n.Group.Tallies() {
		l.tally(t, c)
	}
	l.troubles(n)
	return l
}

// shapesOf returns the shapes of a layer's inputs from outside, except targets
// and scalar constants, and of its outputs: "[24 2] → [24 3]".
func (c *canvas) shapesOf(i int) string {
	var in, out []string
	for _, e := range c.Nodes[i].In {
		source := c.Source(&c.Edges[e])
		if c.Edges[e].From != i && !source.Learned() {
			in = append(in, recording.ShapeText(source.Value.Shape))
		}
	}
	for _, o := range c.Nodes[i].Group.Outputs {
		out = append(out, recording.ShapeText(o.Value.Shape))
	}
	return together(in) + " → " + together(out)
}

// together joins shapes, with consecutive equal ones as "3 × [ ]".
func together(shapes []string) string {
	var parts []string
	for at := 0; at < len(shapes); {
		n := 1
		for at+n < len(shapes) && shapes[at+n] == shapes[at] {
			n++
		}
		part := shapes[at]
		if part == "[]" {
			part = "scalar"
		}
		if n > 1 {
			part = strconv.Itoa(n) + " × " + part
		}
		parts = append(parts, part)
		at += n
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// tally adds rows with the norms of values and of their gradients.
func (l *label) tally(t recording.Tally, c *canvas) {
	value, gradient, words := t.Norms()
	if !t.Param {
		l.row("‖"+t.Name+"‖", l.element(value.Norm, valueColor))
	}
	caption := "‖d" + t.Name + "‖"
	switch {
	case words == recording.NoGradient:
	case words != "":
		l.note(caption, words)
	case gradient.Zero():
		l.row(caption, l.element(gradient.Norm, zeroColor))
	default:
		l.banded(caption, l.element(gradient.Norm, gradientColor), "", c.tintOf(&recording.Node{Gradient: gradient, State: recording.Reached}))
	}
}

func (c *canvas) layerArrow(edges []*recording.Edge) {
	color := faintColor
	if anyLearns(edges) {
		color = inkColor
	}
	if edges[0].From != edges[0].To {
		c.arrow(edges[0].From, edges[0].To, "", "", color)
	}
}
