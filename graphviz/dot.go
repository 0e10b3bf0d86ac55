package graphviz

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/emicklei/dot"

	"nabla/autograd"
)

// The colours. Graphviz needs all six digits.
const (
	inkColour      = "#1f2937"
	greyColour     = "#6b7280"
	faintColour    = "#9ca3af"
	valueColour    = "#15803d"
	gradientColour = "#b91c1c"
	zeroColour     = "#a8a29e"
	troubleColour  = "#a21caf"
	troubleFill    = "#f5d0fe"
	clusterColour  = "#cbd5e1"
)

const fontName = "Helvetica,Arial,sans-serif"

// clusterFills are those of nested scopes, by depth.
var clusterFills = [...]string{"#f8fafc", "#f1f5f9"}

// A look is how a box of one kind is drawn.
type look struct {
	fill, line string
	style      string
	width      float64
	borders    int
}

// lookOf tells what is learned, what is given, what is computed and what it
// all leads to apart, by colour and by the shape of the border.
func (m *model) lookOf(i int) look {
	n := &m.nodes[i]
	l := look{fill: "#ffffff", line: "#64748b", style: "rounded,filled", width: 1, borders: 1}
	switch {
	case n.kind == autograd.KindParam:
		l.fill, l.line, l.style, l.width = "#fef3c7", "#d97706", "filled", 2
	case n.kind == autograd.KindVariable:
		l.fill, l.line, l.style, l.width = "#dbeafe", "#2563eb", "filled", 1.5
	case n.kind == autograd.KindConstant:
		l.fill, l.line, l.style = "#f3f4f6", "#9ca3af", "filled,dashed"
	}
	if i == m.root {
		l.fill, l.line, l.width, l.borders = "#ede9fe", "#6d28d9", 1.5, 2
	}
	if n.value.broken() || n.state == reached && n.gradient.broken() {
		l.fill, l.line, l.width = troubleFill, troubleColour, 3
	}
	return l
}

// A canvas draws a model in the DOT language.
type canvas struct {
	*model
	o        Options
	graph    *dot.Graph
	clusters map[int]*dot.Graph // of scopes, by number, those that are drawn
	boxes    map[int]dot.Node   // by index into nodes, those that are drawn
}

func newCanvas(m *model, o Options) *canvas {
	c := &canvas{model: m, o: o, graph: dot.NewGraph(dot.Directed), boxes: map[int]dot.Node{}}
	c.clusters = map[int]*dot.Graph{0: c.graph}
	c.graph.Attr("rankdir", string(o.Direction))
	c.graph.Attr("fontname", fontName)
	c.graph.Attr("nodesep", 0.3)
	c.graph.Attr("ranksep", 0.45)
	c.graph.Attr("pad", 0.2)
	if o.Title != "" {
		c.graph.Attr("labelloc", "t")
		c.graph.Attr("label", dot.HTML(font(inkColour, 16, "<B>"+htmlText(visible(o.Title))+"</B>")))
	}
	return c
}

// draw returns the view that the options ask for.
func (c *canvas) draw() *dot.Graph {
	views[c.o.View](c)
	return c.graph
}

func (c *canvas) drawForward() {
	for i := range c.nodes {
		c.box(i, c.forwardLabel(&c.nodes[i]))
	}
	for i := range c.edges {
		c.forwardArrow(&c.edges[i])
	}
}

func (c *canvas) forwardLabel(n *node) *label {
	l := newLabel(c.o.Digits)
	l.heading(n.title(), n.details(c.o.Digits))
	l.numbers("value", n.value, valueColour)
	l.gradientRow("grad", n)
	return l
}

// forwardArrow says as which input a value is used where that matters.
func (c *canvas) forwardArrow(e *edge) {
	to := &c.nodes[e.to]
	colour := faintColour
	if e.learns && to.element != rest {
		colour = inkColour
	}
	arrow := c.arrow(e.from, e.to, colour)
	if len(to.in) > 1 && !to.commutes() {
		arrow.Attr("headlabel", strconv.Itoa(e.input+1))
		arrow.Attr("labeldistance", 1.4)
		arrow.Attr("fontcolor", greyColour)
	}
}

// commutes reports whether the order of the inputs is known not to matter.
func (n *node) commutes() bool {
	if n.custom {
		return false
	}
	switch n.op {
	case "add", "mul", "maximum", "minimum", "hypot", "equal", "not equal", weightedSum, sumOfRows, meanOfRows:
		return true
	}
	return false
}

// drawBackward draws what has a gradient, and the root.
func (c *canvas) drawBackward() {
	for i := range c.nodes {
		if c.nodes[i].learns || i == c.root {
			c.box(i, c.backwardLabel(&c.nodes[i]))
		}
	}
	for i := range c.edges {
		if e := &c.edges[i]; e.learns {
			c.backwardArrow(e)
		}
	}
}

func (c *canvas) backwardLabel(n *node) *label {
	l := newLabel(c.o.Digits)
	l.heading(n.gradientTitle(), n.details(c.o.Digits))
	l.gradientRow("grad", n)
	if terms := c.termsOf(n); terms != "" {
		l.row("sum", font(greyColour, captionSize, terms))
	}
	l.numbers("value", n.value, valueColour)
	return l
}

// mostTerms is how many terms of a sum a box writes out.
const mostTerms = 4

// termsOf returns the sum that a scalar used several times received, in the
// order in which it was added up: the latest use first.
func (c *canvas) termsOf(n *node) string {
	var terms []string
	for _, use := range slices.Backward(n.uses) {
		if e := &c.edges[use]; e.received && e.contribution.size == 1 {
			terms = append(terms, number(e.contribution.few[0], c.o.Digits))
		}
	}
	if len(terms) < 2 || len(terms) > mostTerms {
		return ""
	}
	return strings.ReplaceAll(strings.Join(terms, " + "), "+ −", "− ")
}

// backwardArrow says what a value hands on to one that it was computed from.
func (c *canvas) backwardArrow(e *edge) {
	colour, text := gradientColour, ""
	switch {
	case !c.traced:
	case !e.received:
		colour, text = faintColour, "nothing"
	default:
		text = e.handedOn(c.o.Digits)
		if e.contribution.zero() {
			colour = zeroColour
		} else if e.contribution.broken() {
			colour = troubleColour
		}
	}
	arrow := c.arrow(e.to, e.from, colour)
	if text != "" {
		arrow.Attr("label", dot.Literal(quoted(text)))
		arrow.Attr("fontcolor", colour)
	}
}

// handedOn returns a contribution in words: "× 3.6 = −2.17".
func (e *edge) handedOn(digits int) string {
	n := &e.contribution
	switch {
	case n.size != 1:
		return "norm " + number(n.norm, digits)
	case e.localKnown && e.local.size == 1:
		return fmt.Sprintf("× %s = %s", number(e.local.few[0], digits), number(n.few[0], digits))
	}
	return "= " + number(n.few[0], digits)
}

// box draws a node.
func (c *canvas) box(i int, l *label) {
	n, look := &c.nodes[i], c.lookOf(i)
	id := fmt.Sprintf("v%06d", n.id)
	box := c.cluster(n.scope).Node(id)
	box.Attr("id", id)
	box.Attr("label", l.html())
	box.Attr("shape", "box")
	box.Attr("style", look.style)
	box.Attr("fillcolor", look.fill)
	box.Attr("color", look.line)
	box.Attr("penwidth", look.width)
	box.Attr("fontname", fontName)
	box.Attr("fontsize", 12)
	box.Attr("margin", "0.06,0.04")
	if look.borders > 1 {
		box.Attr("peripheries", look.borders)
	}
	if n.title() != n.name && n.name != "" {
		box.Attr("tooltip", dot.Literal(quoted(visible(n.name))))
	}
	c.boxes[i] = box
}

func (c *canvas) arrow(from, to int, colour string) dot.Edge {
	e := c.graph.Edge(c.boxes[from], c.boxes[to])
	e.Attr("color", colour)
	if c.nodes[to].element == rest || c.nodes[from].element == rest {
		e.Attr("style", "dotted")
	}
	e.Attr("arrowsize", 0.7)
	e.Attr("fontname", fontName)
	e.Attr("fontsize", captionSize+1)
	return e
}

// cluster returns the subgraph of a scope.
func (c *canvas) cluster(number int) *dot.Graph {
	if sub, known := c.clusters[number]; known {
		return sub
	}
	s := c.scopes[number]
	id := fmt.Sprintf("s%06d", number)
	sub := c.cluster(s.parent).Subgraph(id, dot.ClusterOption{})
	sub.Attr("id", id)
	sub.Attr("label", dot.HTML(font(greyColour, headingSize, htmlText(shown(s.name)))))
	sub.Attr("labeljust", "l")
	sub.Attr("style", "rounded,filled")
	sub.Attr("fontname", fontName)
	sub.Attr("color", clusterColour)
	sub.Attr("fillcolor", clusterFills[c.depth(number)%len(clusterFills)])
	sub.Attr("margin", 12)
	c.clusters[number] = sub
	return sub
}

// depth returns how many scopes a scope lies in.
func (c *canvas) depth(number int) int {
	depth := 0
	for parent := c.scopes[number].parent; parent != 0; parent = c.scopes[parent].parent {
		depth++
	}
	return depth
}
