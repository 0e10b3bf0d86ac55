package graphviz

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/emicklei/dot"

	"nabla/autograd"
	"nabla/explain"
	"nabla/internal/recording"
)

// The colours. Graphviz needs all six digits. Values and gradients can be
// distinguished without seeing red and green: one is bluish, the other
// yellowish, and each row says which it is.
const (
	inkColor      = "#1f2937"
	grayColor     = "#6b7280"
	faintColor    = "#9ca3af"
	valueColor    = "#00705a"
	gradientColor = "#b3261e"
	zeroColor     = "#8a8580"
	troubleColor  = "#a21caf"
	troubleFill   = "#f5d0fe"
	clusterColor  = "#cbd5e1"
)

const fontName = "Arial" // Graphviz knows its widths even if no fonts are installed

// clusterFills are the backgrounds of nested scopes, by depth.
var clusterFills = [...]string{"#f8fafc", "#f1f5f9"}

// troubleColorOf returns the colour of a kind of trouble: broken, stuck, out of
// scale, or unreached.
func troubleColorOf(kind explain.TroubleKind) string {
	switch kind {
	case explain.TroubleNonFinite, explain.TroubleSpoiled:
		return troubleColor
	case explain.TroubleDeadReLU, explain.TroubleSaturated:
		return "#92400e"
	case explain.TroubleVanishing, explain.TroubleExploding, explain.TroubleSquashedTwice:
		return "#9f1239"
	}
	return grayColor
}

// A look says how a box of one kind is drawn.
type look struct {
	words      string // of the legend
	fill, line string
	shape      string
	style      string
	width      float64
	borders    int
}

// The looks distinguish what is learned, given and computed, and the root, by
// colour and by shape or border.
var (
	paramLook    = look{"parameter: training changes it", "#fef3c7", "#b45309", "box", "filled", 2, 1}
	variableLook = look{"variable: has a gradient", "#dbeafe", "#2563eb", "box", "filled", 1.5, 1}
	inputLook    = look{"input", "#ccfbf1", "#0f766e", "cds", "filled", 1.2, 1}
	targetLook   = look{"target", "#ecfccb", "#4d7c0f", "note", "filled", 1.2, 1}
	constantLook = look{"constant", "#f3f4f6", "#9ca3af", "box", "filled,dashed", 1, 1}
	computedLook = look{"computed", "#ffffff", "#64748b", "box", "rounded,filled", 1, 1}
	groupLook    = look{"several values as one", "#e2e8f0", "#475569", "folder", "filled", 1.2, 1}
	stubLook     = look{"left out", "#ffffff", "#9ca3af", "box", "rounded,dotted", 1, 1}
	rootLook     = look{"the root: what was computed in the end", "#ede9fe", "#6d28d9", "box", "rounded,filled", 1.5, 2}
	brokenLook   = look{"NaN or infinity", troubleFill, troubleColor, "", "", 3, 0}
)

// kindOfLook returns the look of a node, ignoring its troubles and whether it
// is the root.
func kindOfLook(n *recording.Node) look {
	switch {
	case n.Stub != recording.Drawn:
		return stubLook
	case n.Group != nil:
		return groupLook
	case n.Kind == autograd.KindParam:
		return paramLook
	case n.Kind == autograd.KindVariable:
		return variableLook
	case n.Kind == autograd.KindOperation:
		return computedLook
	case n.Role == autograd.RoleInput:
		return inputLook
	case n.Role == autograd.RoleTarget:
		return targetLook
	}
	return constantLook
}

func (c *canvas) lookOf(i int) look {
	n := &c.Nodes[i]
	l := kindOfLook(n)
	if i == c.Root {
		l.fill, l.line, l.width, l.borders = rootLook.fill, rootLook.line, rootLook.width, rootLook.borders
		if n.Group != nil { // a folder cannot have two borders
			l.width, l.borders = 2*rootLook.width, 1
		}
	}
	if n.Broken() {
		l.fill, l.line, l.width = brokenLook.fill, brokenLook.line, brokenLook.width
	}
	return l
}

// A canvas draws a model in the DOT language.
type canvas struct {
	*recording.Model
	o        Options
	graph    *dot.Graph
	clusters map[int]*dot.Graph // of the drawn scopes, by number
	boxes    map[int]dot.Node   // of the drawn nodes, by index
	largest  float64            // the largest magnitude of any gradient
}

func newCanvas(m *recording.Model, o Options) *canvas {
	c := &canvas{Model: m, o: o, graph: dot.NewGraph(dot.Directed), boxes: map[int]dot.Node{}}
	c.clusters = map[int]*dot.Graph{0: c.graph}
	c.largest = largestGradient(m.Nodes)
	c.graph.Attr("rankdir", string(o.Direction))
	c.graph.Attr("fontname", fontName)
	c.graph.Attr("nodesep", 0.3)
	c.graph.Attr("ranksep", 0.45)
	c.graph.Attr("pad", 0.2)
	if o.Title != "" {
		c.graph.Attr("labelloc", "t")
		c.graph.Attr("label", dot.HTML(font(inkColor, 16, "<B>"+htmlText(recording.Visible(o.Title))+"</B>")))
	}
	return c
}

// largestGradient returns the largest magnitude of any gradient, including
// those of values that a node stands for.
func largestGradient(nodes []recording.Node) float64 {
	largest := 0.0
	for i := range nodes {
		n := &nodes[i]
		if n.State == recording.Reached {
			largest = max(largest, n.Gradient.Largest())
		}
		if n.Group != nil {
			largest = max(largest, largestGradient(n.Group.Members))
		}
	}
	return largest
}

// draw returns the view that the options ask for.
func (c *canvas) draw() *dot.Graph {
	views[c.o.View](c)
	if c.o.Legend && c.o.View != Neurons { // the caption of Neurons explains its colours
		c.legend()
	}
	return c.graph
}

// tints are the backgrounds of gradients, from the smallest magnitude to the
// drawing's largest.
var tints = [...]string{"#fff7f5", "#ffece8", "#ffe0da", "#ffd3ca", "#ffc5b9", "#ffb6a7"}

// tintOf returns the background of a gradient by its largest magnitude: each
// step is a factor of √10 below the drawing's largest. Zero has none.
func (c *canvas) tintOf(n *recording.Node) string {
	largest := n.Gradient.Largest()
	if n.State != recording.Reached || largest == 0 {
		return ""
	}
	steps := int(math.Round(-2 * math.Log10(largest/c.largest)))
	return tints[max(0, len(tints)-1-steps)]
}

func (c *canvas) drawForward() {
	for i := range c.Nodes {
		c.box(i, c.forwardLabel(&c.Nodes[i]))
	}
	for _, edges := range c.bundles() {
		c.forwardArrow(edges)
	}
}

func (c *canvas) forwardLabel(n *recording.Node) *label {
	l := newLabel(c.o.Digits)
	l.ports = c.lanes()
	l.heading(n.Title(), n.Details(c.o.Digits))
	if n.Stub != recording.Drawn {
		return l
	}
	l.value(n)
	l.gradient(n, c.tintOf(n))
	l.sum(c.termsOf(n))
	l.troubles(n)
	return l
}

// sum adds a row with the terms of a gradient.
func (l *label) sum(terms string) {
	if terms != "" {
		l.row("sum of", font(grayColor, captionSize, htmlText(terms)))
	}
}

// bundles returns the edges in order; those between the same two nodes are
// together if one of the nodes stands for several values.
func (c *canvas) bundles() [][]*recording.Edge {
	var all [][]*recording.Edge
	known := map[[2]int]int{}
	for i := range c.Edges {
		e := &c.Edges[i]
		if !c.Nodes[e.From].Several() && !c.Nodes[e.To].Several() {
			all = append(all, []*recording.Edge{e})
			continue
		}
		ends := [2]int{e.From, e.To}
		at, ok := known[ends]
		if !ok {
			at = len(all)
			known[ends] = at
			all = append(all, nil)
		}
		all[at] = append(all[at], e)
	}
	return all
}

// forwardArrow draws an arrow of the computation, with the input's number if
// that matters.
func (c *canvas) forwardArrow(edges []*recording.Edge) {
	e := edges[0]
	to := &c.Nodes[e.To]
	color := faintColor
	if anyLearns(edges) && !to.IsRest() {
		color = inkColor
	}
	arrow := c.arrow(e.From, e.To, c.port(valuePort, outSide, e.From), c.port(valuePort, inSide, e.To), color)
	end := "headlabel"
	if c.lanes() { // all arrows end at one point there
		end = "taillabel"
	}
	switch {
	case len(edges) > 1 && c.lanes(): // the arrow that leads back says how many
		return
	case len(edges) > 1:
		arrow.Attr(end, strconv.Itoa(len(edges))+"×")
	case len(to.In) > 1 && !commutes(to):
		arrow.Attr(end, strconv.Itoa(e.Input+1))
	default:
		return
	}
	arrow.Attr("labeldistance", 1.4)
	arrow.Attr("fontcolor", grayColor)
}

func anyLearns(edges []*recording.Edge) bool {
	return slices.ContainsFunc(edges, func(e *recording.Edge) bool { return e.Learns })
}

// commutes reports whether the order of the inputs is known not to matter.
func commutes(n *recording.Node) bool {
	if n.Several() {
		return true
	}
	return n.Operation().Commutes
}

// drawBackward draws the root and the nodes with a gradient.
func (c *canvas) drawBackward() {
	for i := range c.Nodes {
		if c.Nodes[i].Learns || i == c.Root {
			c.box(i, c.backwardLabel(&c.Nodes[i]))
		}
	}
	for _, edges := range c.bundles() {
		if anyLearns(edges) {
			c.backwardArrow(edges)
		}
	}
}

func (c *canvas) backwardLabel(n *recording.Node) *label {
	l := newLabel(c.o.Digits)
	l.heading(n.GradientTitle(), n.Details(c.o.Digits))
	if n.Stub != recording.Drawn {
		return l
	}
	l.gradient(n, c.tintOf(n))
	l.sum(c.termsOf(n))
	l.value(n)
	l.troubles(n)
	return l
}

// mostTerms is the most terms of a sum that a box writes out.
const mostTerms = 4

// termsOf returns the gradient of a value used several times as a sum, in the
// order in which it was added up, latest use first: of numbers, or of the norms
// of tensors.
func (c *canvas) termsOf(n *recording.Node) string {
	var terms []string
	norms := ""
	for _, use := range slices.Backward(n.Uses) {
		e := &c.Edges[use]
		switch {
		case !e.Received || n.Group != nil:
		case e.Contribution.Size == 1:
			terms = append(terms, recording.Number(e.Contribution.Few[0], c.o.Digits))
		default:
			norms = "norms "
			terms = append(terms, recording.Number(e.Contribution.Norm, c.o.Digits))
		}
	}
	if len(terms) < 2 {
		return ""
	}
	if more := len(terms) - mostTerms; more > 0 {
		terms = append(terms[:mostTerms], strconv.Itoa(more)+" more")
	}
	if norms != "" {
		return norms + strings.Join(terms, ", ")
	}
	return strings.ReplaceAll(strings.Join(terms, " + "), "+ −", "− ")
}

// backwardArrow draws what a value passes back to one of its inputs.
func (c *canvas) backwardArrow(edges []*recording.Edge) {
	color, text := c.handedOnBy(edges)
	arrow := c.arrow(edges[0].To, edges[0].From, "", "", color)
	c.say(arrow, text, color)
}

// say puts lines beside an arrow.
func (c *canvas) say(arrow dot.Edge, lines []string, color string) {
	if len(lines) == 0 {
		return
	}
	for i, line := range lines {
		lines[i] = quotedText(line)
	}
	arrow.Attr("label", dot.Literal(`"`+strings.Join(lines, `\n`)+`"`))
	arrow.Attr("fontcolor", color)
}

// handedOnBy returns the colour and the words of a backward arrow.
func (c *canvas) handedOnBy(edges []*recording.Edge) (color string, lines []string) {
	switch {
	case !c.Passed: // no backward yet
		return faintColor, nil
	case !c.Traced:
		return gradientColor, nil
	}
	var received []recording.Numbers
	for _, e := range edges {
		if e.Received {
			received = append(received, e.Contribution)
			lines = c.HandedOn(e, c.o.Digits)
		}
	}
	all := recording.United(received...)
	if len(received) > 1 {
		lines = []string{recording.Plural(len(received), "value"), "norm " + recording.Number(all.Norm, c.o.Digits)}
	}
	switch {
	case lines == nil:
		return faintColor, []string{"nothing"}
	case all.Zero():
		return zeroColor, lines
	case all.Broken():
		return troubleColor, lines
	}
	return gradientColor, lines
}

// box draws a node.
func (c *canvas) box(i int, l *label) {
	n, look := &c.Nodes[i], c.lookOf(i)
	box := c.cluster(n.Scope).Node(n.Key())
	box.Attr("id", n.Key())
	box.Attr("label", l.html())
	look.apply(box)
	if n.Title() != n.Name && n.Name != "" {
		box.Attr("tooltip", dot.Literal(quoted(recording.Visible(n.Name))))
	}
	c.boxes[i] = box
}

// apply gives a box its look.
func (l look) apply(box dot.Node) {
	box.Attr("shape", l.shape)
	box.Attr("style", l.style)
	box.Attr("fillcolor", l.fill)
	box.Attr("color", l.line)
	box.Attr("penwidth", l.width)
	box.Attr("fontname", fontName)
	box.Attr("fontsize", 12)
	box.Attr("margin", l.margin())
	if l.borders > 1 {
		box.Attr("peripheries", l.borders)
	}
}

// margin returns the space between a border and its content; shapes other than
// rectangles need more.
func (l look) margin() string {
	switch l.shape {
	case inputLook.shape:
		return "0.12,0.1"
	case groupLook.shape:
		return "0.06,0.07"
	}
	return "0.06,0.04"
}

// arrow draws an arrow between two boxes, at the ports unless they are empty.
func (c *canvas) arrow(from, to int, fromPort, toPort, color string) dot.Edge {
	e := c.graph.EdgeWithPorts(c.boxes[from], c.boxes[to], fromPort, toPort)
	e.Attr("color", color)
	if c.Nodes[to].IsRest() || c.Nodes[from].IsRest() {
		e.Attr("style", "dotted")
	}
	e.Attr("arrowsize", 0.7)
	e.Attr("fontname", fontName)
	e.Attr("fontsize", captionSize+1)
	return e
}

// cluster returns the subgraph of a scope, made when first needed.
func (c *canvas) cluster(number int) *dot.Graph {
	if sub, known := c.clusters[number]; known {
		return sub
	}
	s := c.Scopes[number]
	id := fmt.Sprintf("s%06d", number)
	sub := c.cluster(s.Parent).Subgraph(id, dot.ClusterOption{})
	label := font(grayColor, headingSize, htmlText(recording.Shown(s.Name)))
	if s.Note != "" {
		label += font(inkColor, headingSize, "  <B>"+htmlText(s.Note)+"</B>")
	}
	inFrame(sub, id, label, c.depth(number))
	c.clusters[number] = sub
	return sub
}

// inFrame draws a subgraph as a frame.
func inFrame(sub *dot.Graph, id, heading string, depth int) {
	sub.Attr("id", id)
	sub.Attr("label", dot.HTML(heading))
	sub.Attr("labeljust", "l")
	sub.Attr("style", "rounded,filled")
	sub.Attr("fontname", fontName)
	sub.Attr("color", clusterColor)
	sub.Attr("fillcolor", clusterFills[depth%len(clusterFills)])
	sub.Attr("margin", 12)
}

// depth returns the number of scopes around a scope.
func (c *canvas) depth(number int) int {
	depth := 0
	for parent := c.Scopes[number].Parent; parent != 0; parent = c.Scopes[parent].Parent {
		depth++
	}
	return depth
}

// caption returns the title, and below it lines that say what the picture
// shows.
func (c *canvas) caption(color string, size int, lines []string) dot.HTML {
	var text strings.Builder
	row := func(content string) { text.WriteString("<TR><TD>" + content + "</TD></TR>") }
	text.WriteString(`<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">`)
	if c.o.Title != "" {
		row(font(inkColor, 16, "<B>"+htmlText(recording.Visible(c.o.Title))+"</B>"))
	}
	for _, line := range lines {
		row(font(color, size, htmlText(line)))
	}
	return dot.HTML(text.String() + "</TABLE>")
}
