package graphviz

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/emicklei/dot"

	"nabla/autograd"
)

// A ViewError says why a recording does not fit a view, and what to do.
type ViewError struct {
	View   string
	Reason string
}

func (e *ViewError) Error() string { return "the view " + e.View + ": " + e.Reason }

// mostOfCourse is how many numbers a picture of the course shows, which are
// two rows of boxes: in more of them nobody finds the way.
const mostOfCourse = 200

// forCourse returns the model in weighted sums of single numbers.
func (m *model) forCourse() (*model, error) {
	w, err := m.inSingleNumbers("Course")
	if err == nil && len(w.nodes) > mostOfCourse {
		err = &ViewError{"Course", fmt.Sprintf("%d numbers are more than the %d that it is readable with: draw the view Neurons, or the Backward one with Focus", len(w.nodes), mostOfCourse)}
	}
	return w, err
}

// A lesson is the course's picture of a model: its nodes in columns, the loss
// as one of them.
type lesson struct {
	*canvas
	loss     []bool           // the node is part of the loss
	targeted []bool           // the node is what predictions are compared with
	columns  []int            // by node; hidden where it is not drawn
	last     int              // the loss's column
	up       map[int]dot.Node // the boxes of the forward row, by node
	down     map[int]dot.Node // those of the backward row
}

const hidden = -1

// drawCourse draws the forward row in ink and under it, column by column, the
// backward row.
func (c *canvas) drawCourse() {
	l := &lesson{canvas: c, up: map[int]dot.Node{}, down: map[int]dot.Node{}}
	l.findLoss()
	l.findColumns()
	c.graph.Attr("rankdir", "LR")
	c.graph.Attr("nodesep", 0.12)
	c.graph.Attr("ranksep", 0.9)
	c.graph.Attr("labelloc", "t")
	c.graph.Attr("label", l.caption(inkColour, 12, l.explanation()))
	l.drawColumns()
	l.drawForwardRow()
	l.drawBackwardRow()
}

// findLoss marks what the last column stands for.
func (l *lesson) findLoss() {
	l.loss, l.targeted = l.lossNodes(), l.targets()
	l.loss[l.root] = true
}

// lossNodes tells which nodes belong to a loss: what is computed from the
// targets, or in a scope named loss, and all that comes after that.
func (m *model) lossNodes() []bool {
	loss, targets := make([]bool, len(m.nodes)), m.targets()
	for i := range m.nodes {
		n := &m.nodes[i]
		if n.kind != autograd.KindOperation {
			continue
		}
		loss[i] = n.isRest() || m.scopes[n.scope].name == "loss" ||
			slices.ContainsFunc(n.in, func(e int) bool {
				from := m.edges[e].from
				return loss[from] || targets[from]
			})
	}
	return loss
}

// targets tells what predictions are compared with: what is marked as such.
// Where nothing is, it is the constants that are only compared with, or
// subtracted from, what is learned, with no parameter coming in after that. The
// 1 of 1 − a, which has no name, is none.
func (m *model) targets() []bool {
	targets, marked := make([]bool, len(m.nodes)), false
	for i := range m.nodes {
		targets[i] = m.nodes[i].role == autograd.RoleTarget
		marked = marked || targets[i]
	}
	if marked {
		return targets
	}
	learned := m.learnedAfter()
	for i := range m.nodes {
		n := &m.nodes[i]
		targets[i] = n.role == autograd.RoleNone && n.kind == autograd.KindConstant && len(n.uses) > 0 &&
			!slices.ContainsFunc(n.uses, func(e int) bool {
				return !m.compares(&m.edges[e], n.name != "") || learned[m.edges[e].to]
			})
	}
	return targets
}

// learnedAfter tells of each node whether parameters or variables come in on
// the way from it to the root.
func (m *model) learnedAfter() []bool {
	after := make([]bool, len(m.nodes))
	for i, n := range slices.Backward(m.nodes) {
		for _, use := range n.uses {
			to := m.edges[use].to
			after[i] = after[i] || after[to] || slices.ContainsFunc(m.nodes[to].in, m.isLearned)
		}
	}
	return after
}

// compares reports whether an edge leads a target to where a prediction is
// compared with it.
func (m *model) compares(e *edge, named bool) bool {
	to := &m.nodes[e.to]
	switch {
	case to.custom || !to.learns:
		return false
	case to.op == "sub":
		return e.input == 1 || named
	}
	return e.input == 1 && (to.op == "binary cross entropy" || to.op == "binary cross entropy logits" || to.op == "cross entropy")
}

// findColumns puts each value behind what it was computed from, and what is
// given right before its first use. All of the loss stands in the last column.
func (l *lesson) findColumns() {
	l.columns = slices.Repeat([]int{hidden}, len(l.nodes))
	for i := range l.nodes {
		n := &l.nodes[i]
		if n.kind != autograd.KindOperation || l.loss[i] {
			continue
		}
		l.columns[i] = 1
		for _, e := range n.in {
			l.columns[i] = max(l.columns[i], l.columns[l.edges[e].from]+1)
		}
		l.last = max(l.last, l.columns[i])
	}
	l.last++
	l.columns[l.root] = l.last
	for i := range l.nodes {
		if n := &l.nodes[i]; n.kind != autograd.KindOperation && !n.isRest() && i != l.root {
			l.columns[i] = l.firstUse(n) - 1
		}
	}
}

// firstUse returns the column in which a value is used first.
func (l *lesson) firstUse(n *node) int {
	first := l.last
	for _, e := range n.uses {
		if to := l.edges[e].to; !l.loss[to] {
			first = min(first, l.columns[to])
		}
	}
	return first
}

// inColumn returns the nodes of a column from top to bottom: first what flows
// through the network, then its parameters, by the neuron that they belong to,
// then the targets.
func (l *lesson) inColumn(column int) []int {
	var all []int
	for i, c := range l.columns {
		if c == column {
			all = append(all, i)
		}
	}
	neuron := func(i int) int {
		switch n := &l.nodes[i]; {
		case l.targeted[i]:
			return len(l.nodes)
		case n.kind == autograd.KindOperation, n.kind == autograd.KindConstant:
			return hidden
		default:
			return l.edges[n.uses[0]].to
		}
	}
	slices.SortStableFunc(all, func(a, b int) int { return cmp.Compare(neuron(a), neuron(b)) })
	return all
}

// drawColumns puts the boxes under one another: those of the forward row above
// an invisible line, those of the backward row below it.
func (l *lesson) drawColumns() {
	var before dot.Node
	for column := range l.last + 1 {
		frame := l.graph.Subgraph(fmt.Sprintf("column%03d", column))
		frame.Attr("rank", "same")
		all := l.inColumn(column)
		var boxes []dot.Node
		for _, i := range all {
			l.up[i] = l.plate(frame, "f", i, l.upper(i))
			boxes = append(boxes, l.up[i])
		}
		id := fmt.Sprintf("line%03d", column)
		line := frame.Node(id)
		line.Attr("id", id)
		line.Attr("shape", "point")
		line.Attr("width", 0.01)
		line.Attr("style", "invis")
		boxes = append(boxes, line)
		for _, i := range all {
			if l.nodes[i].learns {
				l.down[i] = l.plate(frame, "b", i, l.lower(i))
				boxes = append(boxes, l.down[i])
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
func (l *lesson) plate(frame *dot.Graph, row string, i int, text *label) dot.Node {
	id := row + l.nodes[i].key()
	box := frame.Node(id)
	box.Attr("id", id)
	box.Attr("label", text.html())
	l.lookOf(i).apply(box)
	if row == "b" {
		box.Attr("shape", "box")
		box.Attr("style", "rounded,filled")
		box.Attr("fillcolor", "#fef2f2")
		box.Attr("color", gradientColour)
	}
	if row == "b" || l.lookOf(i).shape != inputLook.shape { // an input's shape needs its margin
		box.Attr("margin", "0.05,0.02")
	}
	return box
}

// upper returns the label of a value in the forward row.
func (l *lesson) upper(i int) *label {
	n, text := &l.nodes[i], newLabel(l.o.Digits)
	text.heading(n.title(), "")
	formula := l.formulaOf(i)
	if i == l.root {
		formula = l.lossFormula().loss
	}
	if formula != "" {
		text.wide(font(greyColour, captionSize, htmlText("= "+formula)))
	}
	text.wide("<B>" + text.element(n.value.few[0], valueColour) + "</B>")
	text.troubles(n)
	return text
}

// lower returns the label of a gradient in the backward row. Of a parameter in
// a batch it shows what this row added, what was added beside the rows, such as
// by a penalty on the weights, and the whole gradient.
func (l *lesson) lower(i int) *label {
	n, text := &l.nodes[i], newLabel(l.o.Digits)
	text.heading(n.gradientTitle(), "")
	p := l.partsOf(n)
	switch {
	case n.state != reached:
		text.gradient(n, "")
	case p.meeting != "" && p.beside:
		text.row("this row", text.tensor(single(p.row), gradientColour))
		text.row("beside the rows", text.tensor(single(p.rowless), gradientColour))
		text.row("in all, "+p.meeting, text.tensor(n.gradient, gradientColour))
	case p.meeting != "":
		text.row("this row", text.tensor(single(p.row), gradientColour))
		text.row("all rows, "+p.meeting, text.tensor(n.gradient, gradientColour))
	default:
		colour := gradientColour
		if n.gradient.zero() {
			colour = zeroColour
		}
		text.wide("<B>" + text.element(n.gradient.few[0], colour) + "</B>")
	}
	return text
}

// wide adds a row over both columns.
func (l *label) wide(content string) {
	l.WriteString(`<TR><TD COLSPAN="2">` + content + "</TD></TR>")
}

// The parts of a gradient to which several rows of a batch add.
type parts struct {
	row     float64 // what this row adds
	rowless float64 // what is added by no row
	beside  bool    // there is such a use
	meeting string  // the operation in which the rows meet; "" where no others add to it
}

func (l *lesson) partsOf(n *node) (p parts) {
	for _, use := range n.uses {
		e := &l.edges[use]
		to := &l.nodes[e.to]
		switch {
		case !e.received:
		case to.isRest():
			if len(to.uses) > 0 {
				p.meeting = l.nodes[l.edges[to.uses[0]].to].op
			}
		case to.ofRow:
			p.row += e.contribution.few[0]
		default:
			p.rowless, p.beside = p.rowless+e.contribution.few[0], true
		}
	}
	return p
}

func (l *lesson) drawForwardRow() {
	led := map[int]bool{} // to the loss
	for i := range l.edges {
		e := &l.edges[i]
		from, to := l.up[e.from], e.to
		if l.columns[e.from] == hidden || l.nodes[e.to].isRest() {
			continue
		}
		if l.loss[e.to] {
			if led[e.from] {
				continue
			}
			led[e.from], to = true, l.root
		}
		arrow := l.graph.Edge(from, l.up[to])
		arrow.Attr("color", inkColour)
		arrow.Attr("arrowsize", 0.7)
	}
}

// drawBackwardRow draws the chain rule's steps, from right to left.
func (l *lesson) drawBackwardRow() {
	for i := range l.edges {
		e := &l.edges[i]
		if !e.learns || l.loss[e.to] || l.columns[e.from] == hidden {
			continue
		}
		text, zero := "", false
		if e.received {
			text, zero = strings.Join(l.handedOn(e, l.o.Digits), " "), e.contribution.zero()
		}
		l.step(e.from, e.to, text, zero)
	}
	loss := l.lossFormula()
	for i := range l.nodes {
		if sum, leads := l.fromLoss(i); leads {
			text, derivative := "", loss.derivative
			if slices.Contains(loss.added, i) {
				derivative = "× 1"
			}
			if l.traced {
				text = strings.TrimPrefix(derivative+" = "+number(sum, l.o.Digits), " ")
			}
			l.step(i, l.root, text, l.traced && sum == 0)
		}
	}
}

// fromLoss returns what a value receives from the loss, and whether it leads
// there.
func (l *lesson) fromLoss(i int) (sum float64, leads bool) {
	if l.loss[i] || l.columns[i] == hidden {
		return 0, false
	}
	for _, use := range l.nodes[i].uses {
		e := &l.edges[use]
		if !e.learns || !l.loss[e.to] || l.nodes[e.to].isRest() {
			continue
		}
		leads = true
		if e.received {
			sum += e.contribution.few[0]
		}
	}
	return sum, leads
}

// step draws one arrow of the backward row. It is declared along the
// computation, which keeps the columns, and points against it.
func (l *lesson) step(from, to int, text string, zero bool) {
	colour := gradientColour
	if zero {
		colour = zeroColour
	}
	arrow := l.graph.Edge(l.down[from], l.down[to])
	arrow.Attr("dir", "back")
	arrow.Attr("color", colour)
	arrow.Attr("arrowsize", 0.7)
	arrow.Attr("fontname", fontName)
	arrow.Attr("fontsize", captionSize+1)
	if text != "" {
		arrow.Attr("label", dot.Literal(quoted(text)))
		arrow.Attr("fontcolor", colour)
	}
}
