package graphviz

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/emicklei/dot"

	"nabla/internal/recording"
)

// The colours of weights, a pair that colour-blind people can distinguish.
const (
	positiveColor = "#1d4ed8"
	negativeColor = "#c2410c"
)

// mostLabels is the most weights that are labelled with their numbers.
const mostLabels = 40

// drawNeurons draws the neurons in columns, and the weights between them.
func (c *canvas) drawNeurons() {
	b := c.Neurons()
	keep := kept(b, c.o.MaxWeights)
	drawn := drawnOf(b, keep)
	c.graph.Attr("rankdir", "LR")
	c.graph.Attr("splines", "line")
	c.graph.Attr("ranksep", 2.2)
	c.graph.Attr("nodesep", 0.4)
	c.graph.Attr("labelloc", "t")
	c.graph.Attr("label", c.caption(grayColor, captionSize, c.neuronsShown(b, drawn)))
	boxes := c.drawCircles(b, keep)
	largest := 0.0
	for _, s := range b.Synapses {
		if v := math.Abs(c.shownOf(s)); !math.IsInf(v, 0) && !math.IsNaN(v) {
			largest = max(largest, v)
		}
	}
	for _, s := range b.Synapses {
		if keep[s.From] && keep[s.To] {
			c.drawSynapse(s, boxes, largest, drawn <= mostLabels)
		}
	}
}

// shownOf returns the number to draw for a weight; NaN if there is no
// gradient.
func (c *canvas) shownOf(s recording.Synapse) float64 {
	switch {
	case !c.o.WeightGradients:
		return s.Weight
	case s.Sloped:
		return s.Slope
	}
	return math.NaN()
}

// drawCircles draws the columns, each with a heading above and the number of
// neurons left out below.
func (c *canvas) drawCircles(b *recording.Brain, keep []bool) []dot.Node {
	last := 0
	for i := range b.Circles {
		last = max(last, b.Circles[i].Layer)
	}
	boxes := make([]dot.Node, len(b.Circles))
	var before dot.Node
	for layer := range last + 1 {
		frame := c.graph.Subgraph(fmt.Sprintf("column%03d", layer))
		frame.Attr("rank", "same")
		id := fmt.Sprintf("heading%03d", layer)
		heading := frame.Node(id)
		heading.Attr("id", id)
		heading.Attr("shape", "plaintext")
		heading.Attr("fontname", fontName)
		above := heading
		count, scope, more := 0, 0, 0
		for i := range b.Circles {
			switch n := &b.Circles[i]; {
			case n.Layer != layer:
			case !keep[i]:
				more++
				count++
			default:
				boxes[i] = c.drawCircle(frame, i, n, layer == last)
				c.invisible(above, boxes[i])
				above = boxes[i]
				if count++; !n.Input {
					scope = n.Scope
				}
			}
		}
		if more > 0 {
			c.invisible(above, c.drawMore(frame, layer, more))
		}
		heading.Attr("label", dot.HTML(font(grayColor, headingSize, htmlText(c.headingOf(layer, last, scope, count)))))
		if layer > 0 {
			c.invisible(before, heading).Attr("weight", 100)
		}
		before = heading
	}
	return boxes
}

// drawMore draws a node for the neurons left out.
func (c *canvas) drawMore(frame *dot.Graph, layer, count int) dot.Node {
	id := fmt.Sprintf("more%03d", layer)
	box := frame.Node(id)
	box.Attr("id", id)
	box.Attr("label", dot.HTML(font(grayColor, headingSize, "+"+strconv.Itoa(count)+" more")))
	stubLook.apply(box)
	return box
}

func (c *canvas) invisible(from, to dot.Node) dot.Edge {
	e := c.graph.Edge(from, to)
	e.Attr("style", "invis")
	return e
}

// headingOf returns the heading of a column.
func (c *canvas) headingOf(layer, last, scope, count int) string {
	switch {
	case layer == 0:
		return "inputs"
	case scope != 0 && layer == last && c.Scopes[scope].Name != "output":
		return recording.Shown(c.Scopes[scope].Name) + ", output"
	case scope != 0:
		return recording.Shown(c.Scopes[scope].Name)
	case layer == last:
		return "output"
	}
	return "layer " + strconv.Itoa(layer)
}

func (c *canvas) drawCircle(frame *dot.Graph, i int, n *recording.Circle, output bool) dot.Node {
	id := fmt.Sprintf("n%06d", i)
	box := frame.Node(id)
	box.Attr("id", id)
	box.Attr("shape", "circle")
	box.Attr("style", "filled")
	box.Attr("margin", 0)
	box.Attr("width", 1)
	box.Attr("fontname", fontName)
	box.Attr("penwidth", 1.5)
	fill, line := "#ffffff", "#64748b"
	switch {
	case n.Input:
		fill, line = "#f3f4f6", "#9ca3af"
	case output:
		fill, line = "#ede9fe", "#6d28d9"
	}
	if math.IsNaN(n.Value) || math.IsInf(n.Value, 0) {
		fill, line = troubleFill, troubleColor
	}
	box.Attr("fillcolor", fill)
	box.Attr("color", line)
	box.Attr("label", c.circleLabel(n).html())
	box.Attr("tooltip", dot.Literal(quoted(recording.Visible(n.Name))))
	return box
}

func (c *canvas) circleLabel(n *recording.Circle) *label {
	l := &label{digits: min(c.o.Digits, 4)}
	l.WriteString(`<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">`)
	l.wide(font(inkColor, 12, "<B>"+htmlText(short(n.Name))+"</B>"))
	l.wide(l.element(n.Value, valueColor))
	switch {
	case n.Biased && c.o.WeightGradients && n.Sloped:
		l.wide(font(grayColor, captionSize, "db ") + font(gradientColor, captionSize, recording.Number(n.BiasSlope, l.digits)))
	case n.Biased:
		l.wide(font(grayColor, captionSize, "b "+recording.Number(n.Bias, l.digits)))
	}
	return l
}

// short returns a name that fits into a circle.
func short(name string) string {
	const longest = 9
	runes := []rune(recording.Shown(name))
	if len(runes) <= longest {
		return string(runes)
	}
	return string(runes[:longest-4]) + "…" + string(runes[len(runes)-3:])
}

func (c *canvas) drawSynapse(s recording.Synapse, boxes []dot.Node, largest float64, labeled bool) {
	v := c.shownOf(s)
	color, width := positiveColor, 1.0
	switch {
	case v < 0:
		color = negativeColor
	case v == 0:
		color = zeroColor
	case math.IsNaN(v):
		color = faintColor
	}
	if size := math.Abs(v) / largest; size > 0 && !math.IsInf(size, 0) {
		const thin, thick = 0.4, 5
		width = thin + (thick-thin)*size
	}
	e := c.graph.Edge(boxes[s.From], boxes[s.To])
	e.Attr("color", color)
	e.Attr("penwidth", math.Round(width*100)/100)
	e.Attr("arrowhead", "none")
	if v < 0 {
		e.Attr("style", "dashed")
	}
	text := cmp.Or(s.Shared, "w") + " " + recording.Number(s.Weight, c.o.Digits)
	if s.Sloped {
		text += ", dw " + recording.Number(s.Slope, c.o.Digits)
	}
	e.Attr("tooltip", dot.Literal(quoted(text)))
	if labeled && !math.IsNaN(v) {
		e.Attr("taillabel", dot.Literal(quoted(strings.TrimSpace(s.Shared+" "+recording.Number(v, min(c.o.Digits, 3))))))
		e.Attr("labeldistance", 3.4)
		e.Attr("labelangle", 8)
		e.Attr("fontname", fontName)
		e.Attr("fontsize", captionSize)
		e.Attr("fontcolor", color)
	}
}

// neuronsShown says what the drawing shows.
func (c *canvas) neuronsShown(b *recording.Brain, drawn int) []string {
	what := "weights"
	if c.o.WeightGradients {
		what = "gradients of the weights"
	}
	lines := []string{what + ": blue positive, orange and dashed negative, the thicker the larger"}
	if c.o.WeightGradients && !slices.ContainsFunc(b.Synapses, func(s recording.Synapse) bool { return s.Sloped }) {
		lines = []string{"there are no gradients of the weights: no backward pass yet, or none that reached them"}
	}
	if b.Rows > 1 {
		lines = append(lines, fmt.Sprintf("in the circles: the mean of %d rows", b.Rows))
	}
	if slices.ContainsFunc(b.Synapses, func(s recording.Synapse) bool { return s.Shared != "" }) {
		lines = append(lines, "a weight with a name is shared: it is one number at all its places, and its gradient is the sum of theirs")
	}
	if all := len(b.Synapses); drawn < all {
		lines = append(lines, fmt.Sprintf("%d of %d weights: the first neurons of each layer", drawn, all))
	}
	return lines
}
