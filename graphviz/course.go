package graphviz

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/emicklei/dot"

	"nabla/autograd"
	"nabla/internal/recording"
)

// mostOfCourse is the most numbers in a course picture, which draws two boxes
// for each: nobody can follow more.
const mostOfCourse = 200

// readable returns an error if a model has more numbers.
func readable(m *recording.Model) error {
	if len(m.Nodes) > mostOfCourse {
		return &recording.ViewError{View: "Course", Reason: fmt.Sprintf("%d numbers are more than the %d that it is readable with: draw the view Neurons, or the Backward one with Focus", len(m.Nodes), mostOfCourse)}
	}
	return nil
}

// A lesson is the course's picture of a model: its nodes in columns, with the
// loss as one column.
type lesson struct {
	*canvas
	loss     []bool            // the node is part of the loss
	targeted []bool            // predictions are compared with the node
	places   [][]int           // by node, the nodes that use it if it is shared: it has a box at each
	columns  []int             // by node; hidden if it is not drawn
	last     int               // the loss's column
	framed   []framed          // the steps of an unrolled loop
	up       map[spot]dot.Node // the boxes of the forward row
	down     map[spot]dot.Node // those of the backward row
}

// A spot is the place of a box: a node and, if the node is shared, the one that
// uses it there.
type spot struct{ node, by int }

// hidden stands for no column, and for no node.
const hidden = -1

// drawCourse draws the forward row in ink and below it, column by column, the
// backward row.
func (c *canvas) drawCourse() {
	l := newLesson(c)
	c.graph.Attr("rankdir", "LR")
	c.graph.Attr("nodesep", 0.12)
	if c.graph.Attr("ranksep", 0.9); l.framed != nil {
		c.graph.Attr("ranksep", 0.45) // many columns; labels have two lines
	}
	c.graph.Attr("labelloc", "t")
	c.graph.Attr("label", l.caption(inkColor, 12, append(l.explanation(), l.sharing()...)))
	l.drawColumns()
	l.drawForwardRow()
	l.drawBackwardRow()
}

// newLesson decides what is drawn, and in which columns.
func newLesson(c *canvas) *lesson {
	l := &lesson{canvas: c, up: map[spot]dot.Node{}, down: map[spot]dot.Node{}}
	l.findLoss()
	l.findShared()
	l.findColumns()
	return l
}

// findLoss finds the nodes that the last column stands for.
func (l *lesson) findLoss() {
	l.loss, l.targeted = l.LossNodes(), l.Targets()
	l.loss[l.Root] = true
}

// findColumns puts each value after its inputs, and leaves right before their
// first use. The steps of an unrolled loop have columns of their own, one after
// the other. The whole loss goes into the last column.
func (l *lesson) findColumns() {
	steps := l.Unrolled()
	turn, ordered := l.turns(steps)
	if !ordered {
		steps, turn = nil, make([]int, len(l.Nodes))
	}
	l.columns = slices.Repeat([]int{hidden}, len(l.Nodes))
	for t := range len(steps) + 2 {
		first := l.last + 1
		if t > 0 && l.last > 0 {
			first++ // leaves the column before it to the leaves
		}
		for i := range l.Nodes {
			if turn[i] == t && l.isComputed(i) {
				l.columns[i] = first
				if t == 0 {
					l.columns[i] = 1
				}
				for _, e := range l.Nodes[i].In {
					l.columns[i] = max(l.columns[i], l.columns[l.Edges[e].From]+1)
				}
				l.last = max(l.last, l.columns[i])
			}
		}
		if 0 < t && t <= len(steps) {
			l.framed = append(l.framed, framed{steps[t-1].Name, first - 1, l.last})
		}
	}
	l.last++
	if steps != nil {
		l.last++ // the targets stand beside the last step
	}
	l.columns[l.Root] = l.last
	for i := range l.Nodes {
		if n := &l.Nodes[i]; n.Kind != autograd.KindOperation && !n.IsRest() && i != l.Root {
			l.columns[i] = l.firstUse(n) - 1
		}
	}
}

// isComputed reports whether a node is an operation before the loss.
func (l *lesson) isComputed(i int) bool {
	return l.Nodes[i].Kind == autograd.KindOperation && !l.loss[i]
}

// firstUse returns the column of a value's first use.
func (l *lesson) firstUse(n *recording.Node) int {
	first := l.last
	for _, e := range n.Uses {
		if to := l.Edges[e].To; !l.loss[to] {
			first = min(first, l.columns[to])
		}
	}
	return first
}

// inColumn returns the boxes of a column from top to bottom: first the values
// that flow through the network, then the parameters, grouped by neuron, then
// the targets.
func (l *lesson) inColumn(column int) []spot {
	var all []spot
	for i := range l.Nodes {
		for _, s := range l.spotsOf(i) {
			if l.columnOf(s) == column {
				all = append(all, s)
			}
		}
	}
	neuron := func(s spot) int {
		switch n := &l.Nodes[s.node]; {
		case l.targeted[s.node]:
			return len(l.Nodes)
		case n.Kind == autograd.KindOperation, n.Kind == autograd.KindConstant:
			return hidden
		case s.by != hidden:
			return s.by
		default:
			return l.Edges[n.Uses[0]].To
		}
	}
	slices.SortStableFunc(all, func(a, b spot) int { return cmp.Compare(neuron(a), neuron(b)) })
	return all
}

// drawColumns draws the boxes of each column: those of the forward row above an
// invisible line, those of the backward row below it.
func (l *lesson) drawColumns() {
	var above, before dot.Node
	for column := range l.last + 1 {
		frame := l.graph.Subgraph(fmt.Sprintf("column%03d", column))
		frame.Attr("rank", "same")
		all := l.inColumn(column)
		var boxes []dot.Node
		if l.framed != nil {
			heading := l.heading(frame, column)
			if boxes = append(boxes, heading); column > 0 {
				l.invisible(above, heading).Attr("weight", 100)
			}
			above = heading
		}
		boxes = append(boxes, l.lanes(frame, "f", column)...)
		for _, s := range all {
			l.up[s] = l.plate(frame, "f", s, l.upper(s))
			boxes = append(boxes, l.up[s])
		}
		id := fmt.Sprintf("line%03d", column)
		line := frame.Node(id)
		line.Attr("id", id)
		line.Attr("shape", "point")
		line.Attr("width", 0.01)
		line.Attr("style", "invis")
		boxes = append(boxes, line)
		boxes = append(boxes, l.lanes(frame, "b", column)...)
		for _, s := range all {
			if l.Nodes[s.node].Learns {
				l.down[s] = l.plate(frame, "b", s, l.lower(s))
				boxes = append(boxes, l.down[s])
			}
		}
		for k := range boxes[1:] {
			l.invisible(boxes[k], boxes[k+1])
		}
		if column > 0 {
			l.invisible(before, line).Attr("weight", 100)
		}
		before = line
	}
}

// plate draws one box of a row.
func (l *lesson) plate(frame *dot.Graph, row string, s spot, text *label) dot.Node {
	id := row + l.keyOf(s)
	box := frame.Node(id)
	box.Attr("id", id)
	box.Attr("label", text.html())
	look := l.lookOf(s.node)
	look.apply(box)
	if row == "b" {
		box.Attr("shape", "box")
		box.Attr("style", "rounded,filled")
		box.Attr("fillcolor", "#fef2f2")
		box.Attr("color", gradientColor)
	}
	if color := l.sharedColor(s.node); color != "" {
		box.Attr("color", color)
		box.Attr("penwidth", sharedWidth)
	}
	if row == "b" || look.shape != inputLook.shape { // an input's shape needs its margin
		box.Attr("margin", "0.05,0.02")
	}
	return box
}

// upper returns the label of a value in the forward row.
func (l *lesson) upper(s spot) *label {
	i := s.node
	n, text := &l.Nodes[i], newLabel(l.o.Digits)
	text.heading(n.Title(), "")
	formula := l.FormulaOf(i)
	if i == l.Root {
		formula = l.lossFormula().loss
	}
	if formula != "" {
		text.wide(font(grayColor, captionSize, htmlText("= "+formula)))
	}
	text.wide("<B>" + text.element(n.Value.Few[0], valueColor) + "</B>")
	if s.by != hidden {
		text.wide(font(l.sharedColor(i), captionSize, fmt.Sprintf("shared ×%d", len(l.places[i]))))
	}
	text.troubles(n)
	return text
}

// lower returns the label of a gradient in the backward row. For a parameter in
// a batch it shows what this row added, what was added outside the rows, such
// as by a penalty on the weights, and the whole gradient.
func (l *lesson) lower(s spot) *label {
	n, text := &l.Nodes[s.node], newLabel(l.o.Digits)
	text.heading(n.GradientTitle(), "")
	p := l.partsOf(n)
	switch {
	case n.State != recording.Reached:
		text.gradient(n, "")
		return text
	case s.by != hidden && l.Traced:
		if s != l.spotsOf(s.node)[0] {
			l.part(text, s)
			return text
		}
		l.sum(text, s.node)
	}
	switch {
	case p.meeting != "" && p.beside:
		text.row("this row", text.tensor(recording.Single(p.row), gradientColor))
		text.row("beside the rows", text.tensor(recording.Single(p.rowless), gradientColor))
		text.row("in all, "+p.meeting, text.tensor(n.Gradient, gradientColor))
	case p.meeting != "":
		text.row("this row", text.tensor(recording.Single(p.row), gradientColor))
		text.row("all rows, "+p.meeting, text.tensor(n.Gradient, gradientColor))
	case s.by != hidden && l.Traced:
		text.row("Σ", "<B>"+text.element(n.Gradient.Few[0], gradientColor)+"</B>")
	default:
		color := gradientColor
		if n.Gradient.Zero() {
			color = zeroColor
		}
		text.wide("<B>" + text.element(n.Gradient.Few[0], color) + "</B>")
	}
	return text
}

// wide adds a row over both columns.
func (l *label) wide(content string) {
	l.WriteString(`<TR><TD COLSPAN="2">` + content + "</TD></TR>")
}

// parts are the parts of a gradient to which several rows of a batch
// contribute.
type parts struct {
	row     float64 // what this row adds
	rowless float64 // what is added outside the rows
	beside  bool    // there is a use outside the rows
	meeting string  // the operation in which the rows meet; "" if no other rows add to it
}

func (l *lesson) partsOf(n *recording.Node) (p parts) {
	for _, use := range n.Uses {
		e := &l.Edges[use]
		to := &l.Nodes[e.To]
		switch {
		case !e.Received:
		case to.IsRest():
			if len(to.Uses) > 0 {
				p.meeting = l.Nodes[l.Edges[to.Uses[0]].To].Op
			}
		case to.OfRow:
			p.row += e.Contribution.Few[0]
		default:
			p.rowless, p.beside = p.rowless+e.Contribution.Few[0], true
		}
	}
	return p
}

func (l *lesson) drawForwardRow() {
	led := map[int]bool{} // to the loss
	for i := range l.Edges {
		e := &l.Edges[i]
		from, to := l.up[l.spotOf(e.From, e.To)], e.To
		if l.columns[e.From] == hidden || l.Nodes[e.To].IsRest() {
			continue
		}
		if l.loss[e.To] {
			if led[e.From] {
				continue
			}
			led[e.From], to = true, l.Root
		}
		arrow := l.graph.Edge(from, l.up[spot{to, hidden}])
		if l.framed != nil && l.isComputed(e.From) && l.isComputed(e.To) {
			arrow.Attr("weight", 20)
		}
		arrow.Attr("color", inkColor)
		arrow.Attr("arrowsize", 0.7)
	}
}

// drawBackwardRow draws the chain rule's steps, from right to left.
func (l *lesson) drawBackwardRow() {
	for i := range l.Edges {
		e := &l.Edges[i]
		if !e.Learns || l.loss[e.To] || l.columns[e.From] == hidden {
			continue
		}
		text, zero := "", false
		if e.Received {
			text, zero = strings.Join(l.HandedOn(e, l.o.Digits), " "), e.Contribution.Zero()
		}
		l.step(e.From, e.To, text, zero)
	}
	loss := l.lossFormula()
	for i := range l.Nodes {
		if sum, leads := l.fromLoss(i); leads {
			text, derivative := "", loss.derivative
			if slices.Contains(loss.added, i) {
				derivative = "× 1"
			}
			if l.Traced {
				text = strings.TrimPrefix(derivative+" = "+recording.Number(sum, l.o.Digits), " ")
			}
			l.step(i, l.Root, text, l.Traced && sum == 0)
		}
	}
}

// fromLoss returns what a value receives from the loss, and whether it leads to
// the loss.
func (l *lesson) fromLoss(i int) (sum float64, leads bool) {
	if l.loss[i] || l.columns[i] == hidden {
		return 0, false
	}
	for _, use := range l.Nodes[i].Uses {
		e := &l.Edges[use]
		if !e.Learns || !l.loss[e.To] || l.Nodes[e.To].IsRest() {
			continue
		}
		leads = true
		if e.Received {
			sum += e.Contribution.Few[0]
		}
	}
	return sum, leads
}

// step draws one arrow of the backward row. It is declared in the direction of
// the computation, which keeps the columns, and points the other way.
func (l *lesson) step(from, to int, text string, zero bool) {
	color := gradientColor
	if zero {
		color = zeroColor
	}
	arrow := l.graph.Edge(l.down[l.spotOf(from, to)], l.down[spot{to, hidden}])
	arrow.Attr("dir", "back")
	arrow.Attr("color", color)
	arrow.Attr("arrowsize", 0.7)
	arrow.Attr("fontname", fontName)
	arrow.Attr("fontsize", captionSize+1)
	if text != "" {
		label := quoted(text)
		if l.framed != nil {
			label = strings.Replace(label, " = ", `\n= `, 1)
		}
		arrow.Attr("label", dot.Literal(label))
		arrow.Attr("fontcolor", color)
	}
}
