package svg

import (
	"cmp"
	"math"
	"strings"

	"nabla/internal/layout"
)

const (
	inch   = 72.0 // in points; Graphviz's sizes are in inches
	margin = 16.0 // around the picture
	ink    = "#1f2937"

	backAside = 8.0 // distance between a backward arrow and the forward one
)

// A picture holds the state of drawing.
type picture struct {
	*drawing
	pen
	vertical bool
	items    map[int]*item // by the number of their node
	order    []*item
	links    []*link
	scopes   []layout.Scope
	frames   []*subgraph // by scope
	headings []content   // by scope
	title    content
	result   layout.Result
	dy       float64 // the offset of everything below the title
}

// An item is a node to be placed.
type item struct {
	layout.Item
	*node
	label  content
	w, h   float64 // of the label
	mx, my float64 // the margins around it
	ports  map[string]float64
}

// A link is an edge to be routed.
type link struct {
	layout.Link
	*edge
	lines []line
}

// Draw returns the picture of a text in the DOT language.
func Draw(text string) ([]byte, error) {
	p, err := drawn(text)
	if err != nil {
		return nil, err
	}
	return p.Bytes(), nil
}

func drawn(text string) (*picture, error) {
	d, err := read(text)
	if err != nil {
		return nil, err
	}
	p := &picture{drawing: d, items: map[int]*item{}, vertical: d.graph.attributes["rankdir"] == "TB"}
	if err := p.measure(); err != nil {
		return nil, err
	}
	if columns := p.columns(); columns != nil {
		p.result = layout.PlaceColumns(p.plan(), columns, 14)
		p.frameOthers()
	} else {
		p.result = layout.Place(p.plan())
	}
	p.draw()
	return p, nil
}

// measure makes items from the nodes, links from the edges and scopes from the
// frames.
func (p *picture) measure() error {
	var err error
	if p.title, err = labelOf(p.graph.attributes["label"], 14, ink); err != nil {
		return err
	}
	p.scopes, p.frames, p.headings = make([]layout.Scope, 1), make([]*subgraph, 1), make([]content, 1)
	for _, s := range p.subgraphs {
		if !s.cluster {
			continue
		}
		heading, err := labelOf(s.attributes["label"], 13, ink)
		if err != nil {
			return err
		}
		w, _ := heading.measure()
		p.scopes = append(p.scopes, layout.Scope{Parent: s.parent.index, Heading: w + 16})
		p.frames, p.headings = append(p.frames, s), append(p.headings, heading)
	}
	for _, n := range p.nodes {
		if err := p.addItem(n); err != nil {
			return err
		}
	}
	p.orderItems()
	for _, e := range p.edges {
		p.addLink(e)
	}
	return nil
}

func (p *picture) addItem(n *node) error {
	label, err := labelOf(n.attributes["label"], n.number64("fontsize", 14), ink)
	if err != nil {
		return err
	}
	i := &item{node: n, label: label, ports: map[string]float64{}}
	i.w, i.h = i.label.measure()
	i.mx, i.my = 0.11*inch, 0.055*inch
	if x, y, both := strings.Cut(n.attributes["margin"], ","); both {
		i.mx, i.my = inch*number(x, 0), inch*number(y, 0)
	} else if x != "" {
		i.mx, i.my = inch*number(x, 0), inch*number(x, 0)
	}
	switch shape := n.attributes["shape"]; shape {
	case "point":
		return nil
	case "circle":
		size := max(inch*n.number64("width", 0.75), math.Hypot(i.w, i.h/2)+6) // assumes that the first and last line are not the widest
		i.W, i.H, i.R = size, size, size/2
	default:
		i.W, i.H = i.w+2*i.mx, max(i.h+2*i.my, 24)
		if shape == "cds" { // its point
			i.W += i.H / 3
		}
		if shape == "folder" { // its tab
			i.H += 8
		}
	}
	i.label.ports(i.ports)
	for port := range i.ports {
		i.ports[port] += (i.H - i.h) / 2
	}
	i.Scope = n.in.index
	if p.vertical {
		i.W, i.H = i.H, i.W
	}
	p.items[n.number] = i
	p.order = append(p.order, i)
	return nil
}

// orderItems sets the order along the arrows: that of the nodes, or the reverse
// in a drawing of the backward pass.
func (p *picture) orderItems() {
	ahead := 0
	for _, e := range p.edges {
		ahead += cmp.Compare(e.to, e.from)
		if i := p.items[e.to]; i != nil {
			i.Inputs = true
		}
	}
	for k, i := range p.order {
		if i.Order = k; ahead < 0 {
			i.Order = len(p.order) - k
		}
	}
}

func (p *picture) addLink(e *edge) {
	from, to := p.items[e.from], p.items[e.to]
	if from == nil || to == nil || e.attributes["style"] == "invis" {
		return
	}
	l := &link{edge: e}
	l.From, l.To = &from.Item, &to.Item
	switch {
	case !p.vertical:
		l.FromAt, l.ToAt = from.ports[e.fromPort], to.ports[e.toPort]
	case e.attributes["dir"] == "back": // beside the one that leads forward
		l.FromAt, l.ToAt = from.Middle()+backAside, to.Middle()+backAside
	}
	text := e.attributes["label"]
	if head := e.attributes["headlabel"]; head != "" {
		text, l.Prefer = head, 0.8
	}
	if tail := e.attributes["taillabel"]; tail != "" {
		text, l.Prefer = tail, 0.3
	}
	if text != "" {
		l.lines = plainLines(text, e.number64("fontsize", 11), cmp.Or(e.attributes["fontcolor"], ink))
		c := content{lines: l.lines}
		if l.W, l.H = c.measure(); p.vertical {
			l.W, l.H = l.H, l.W
		}
	}
	p.links = append(p.links, l)
}

func (p *picture) plan() layout.Plan {
	plan := layout.Plan{Scopes: p.scopes, Vertical: p.vertical, Column: max(44, 0.7*inch*p.graph.number64("ranksep", 0))}
	for _, i := range p.order {
		plan.Items = append(plan.Items, &i.Item)
	}
	for _, l := range p.links {
		plan.Links = append(plan.Links, &l.Link)
		plan.Column = max(plan.Column, l.W+24)
	}
	return plan
}

// columns returns the columns that the drawing specifies; nil if it does not.
// A point, which is not drawn, is on the line that they share; without one, the
// heading is. A node in no column gets one of its own.
func (p *picture) columns() []layout.Column {
	var all []layout.Column
	of := map[*subgraph]int{}
	for _, s := range p.subgraphs {
		if s.attributes["rank"] == "same" {
			of[s] = len(all)
			all = append(all, layout.Column{})
		}
	}
	if all == nil {
		return nil
	}
	below, pointed := make([]bool, len(all)+1), map[*subgraph]bool{}
	for _, n := range p.nodes {
		if n.attributes["shape"] == "point" {
			pointed[n.in] = true
		}
	}
	for _, n := range p.nodes {
		at, given := of[n.in]
		if !given {
			if at = len(of); at == len(all) {
				all = append(all, layout.Column{})
			}
		}
		i := p.items[n.number]
		switch c := &all[at]; {
		case n.attributes["shape"] == "point":
			below[at] = true
		case n.attributes["shape"] == "plaintext":
			c.Above = append(c.Above, &i.Item)
			c.Top = pointed[n.in]
			below[at] = !c.Top
		case below[at]:
			c.Below = append(c.Below, &i.Item)
		default:
			c.Above = append(c.Above, &i.Item)
		}
	}
	return all
}

// draw writes the picture: frames, arrows and boxes, and on top the labels of
// the arrows.
func (p *picture) draw() {
	tw, th := p.title.measure()
	if p.dy = margin; th > 0 {
		p.dy += th + 8
	}
	left, top, right, bottom := p.extent()
	width := right - left
	p.dy -= top
	dx := margin - left
	total := max(width, tw) + 2*margin
	dx += max(0, tw-width) / 2
	whole := p.dy + bottom + margin
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %[1]s %[2]s" font-family="Arial, Helvetica, 'Liberation Sans', sans-serif" fill="none" xml:space="preserve">`, p.n(total), p.n(whole))
	p.printf(`<rect width="%s" height="%s" fill="#ffffff"/>`, p.n(total), p.n(whole))
	p.title.draw(&p.pen, margin, margin, total-2*margin, "")
	p.printf(`<g transform="translate(%s %s)">`, p.n(dx), p.n(p.dy))
	before := len(p.texts)
	for _, f := range p.result.Frames {
		p.frame(f)
	}
	for _, l := range p.links {
		p.arrow(l)
	}
	for _, i := range p.order {
		p.node(i)
	}
	for _, l := range p.links {
		p.say(l)
	}
	p.printf("</g>\n</svg>")
	for k := range p.texts[before:] {
		b := &p.texts[before+k]
		b.left, b.right, b.top, b.bottom = b.left+dx, b.right+dx, b.top+p.dy, b.bottom+p.dy
	}
	p.texts = append(p.texts, box{"", 0, 0, total, whole}) // the canvas itself, last
}

// extent returns the bounds of the drawing: frames and labels extend beyond the
// items.
func (p *picture) extent() (left, top, right, bottom float64) {
	_, _, right, bottom = p.turned(0, 0, p.result.Width, p.result.Height)
	for _, f := range p.result.Frames {
		x, y, w, h := p.turned(f.X, f.Y, f.W, f.H)
		left, top = min(left, x), min(top, y)
		right, bottom = max(right, x+w, x+p.scopes[f.Scope].Heading), max(bottom, y+h)
	}
	for _, l := range p.links {
		if x, y, w, h := p.turned(l.At.X, l.At.Y, l.W, l.H); l.Labeled {
			left, top, right, bottom = min(left, x-w/2), min(top, y-h/2), max(right, x+w/2), max(bottom, y+h/2)
		}
	}
	return left, top, right, bottom
}

// turned returns a rectangle of the layout in the drawing's coordinates.
func (p *picture) turned(x, y, w, h float64) (float64, float64, float64, float64) {
	if p.vertical {
		return y, x, h, w
	}
	return x, y, w, h
}

func (p *picture) frame(f layout.Frame) {
	x, y, w, h := p.turned(f.X, f.Y, f.W, f.H)
	s := p.frames[f.Scope]
	p.printf(`<rect x="%s" y="%s" width="%s" height="%s" rx="8" fill="%s" stroke="%s"/>`, p.n(x), p.n(y), p.n(w), p.n(h), p.s(cmp.Or(s.attributes["fillcolor"], "none")), p.s(s.attributes["color"]))
	p.headings[f.Scope].draw(&p.pen, x+8, y+3, w, "LEFT")
}

// frameOthers adds the frames of nodes beside given columns, such as the
// legend.
func (p *picture) frameOthers() {
	for scope := 1; scope < len(p.scopes); scope++ {
		x, y, right, bottom := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
		for _, i := range p.order {
			if i.Scope == scope {
				x, y, right, bottom = min(x, i.X), min(y, i.Y), max(right, i.X+i.W), max(bottom, i.Y+i.H)
			}
		}
		if x < right {
			p.result.Frames = append(p.result.Frames, layout.Frame{Scope: scope, X: x - 9, Y: y - layout.Heading, W: right - x + 18, H: bottom - y + layout.Heading + 9})
		}
	}
}

// arrow draws a link with its head, which is at the beginning for a backward
// arrow.
func (p *picture) arrow(l *link) {
	color, dashes := p.s(cmp.Or(l.edge.attributes["color"], "#000000")), ""
	switch l.edge.attributes["style"] {
	case "dashed":
		dashes = ` stroke-dasharray="5 3"`
	case "dotted":
		dashes = ` stroke-dasharray="1.5 3"`
	}
	p.printf(`<path d="%s" stroke="%s" stroke-width="%s"%s/>`, p.path(l.Points, p.vertical), color, p.n(l.edge.number64("penwidth", 1)), dashes)
	if l.edge.attributes["arrowhead"] == "none" {
		return
	}
	at, by := l.Points[len(l.Points)-1], -7.0
	if l.edge.attributes["dir"] == "back" {
		at, by = l.Points[0], 7
	}
	head := []layout.Point{{X: at.X + by, Y: at.Y - 3}, at, {X: at.X + by, Y: at.Y + 3}}
	text := ""
	for _, c := range head {
		x, y, _, _ := p.turned(c.X, c.Y, 0, 0)
		text += p.n(x) + "," + p.n(y) + " "
	}
	p.printf(`<polygon points="%s" fill="%s"/>`, strings.TrimSpace(text), color)
}

// say writes a link's label. A label without a place is left out; the boxes at
// both ends have the same numbers.
func (p *picture) say(l *link) {
	if !l.Labeled {
		return
	}
	x, y, _, _ := p.turned(l.At.X, l.At.Y, 0, 0)
	_, _, w, h := p.turned(0, 0, l.W, l.H)
	y -= h / 2
	p.printf(`<rect x="%s" y="%s" width="%s" height="%s" rx="3" fill="#ffffff" fill-opacity="0.8"/>`, p.n(x-w/2), p.n(y), p.n(w), p.n(h))
	for _, line := range l.lines {
		y += line.height()
		p.line(line, x, y-0.35*line.size(), "middle")
	}
}

// node draws a node: its shape and its label. An invisible one keeps a place
// free.
func (p *picture) node(i *item) {
	if i.attributes["style"] == "invis" {
		return
	}
	x, y, w, h := p.turned(i.X, i.Y, i.W, i.H)
	p.printf(`<g id="%s">`, p.s(i.attributes["id"]))
	if tip := i.attributes["tooltip"]; tip != "" {
		p.printf("<title>%s</title>", p.s(tip))
	}
	p.shape(i, x, y, w, h)
	top := y + (h-i.h)/2
	left, room := x+i.mx, w-2*i.mx
	switch i.attributes["shape"] {
	case "cds":
		room -= h / 3
	case "folder":
		top += 4
	}
	i.label.draw(&p.pen, left, top, room, "")
	p.printf("</g>")
}

func (p *picture) shape(i *item, x, y, w, h float64) {
	style := i.attributes["style"]
	look := `fill="` + p.s(cmp.Or(i.attributes["fillcolor"], "#ffffff")) + `" stroke="` + p.s(cmp.Or(i.attributes["color"], "#000000")) + `" stroke-width="` + p.n(i.number64("penwidth", 1)) + `"`
	switch {
	case strings.Contains(style, "dashed"):
		look += ` stroke-dasharray="5 3"`
	case strings.Contains(style, "dotted"):
		look += ` stroke-dasharray="1.5 3"`
	}
	corner := 0.0
	if strings.Contains(style, "rounded") {
		corner = 8
	}
	n := p.n
	switch i.attributes["shape"] {
	case "plaintext", "plain":
	case "circle":
		p.printf(`<circle cx="%s" cy="%s" r="%s" %s/>`, n(x+w/2), n(y+h/2), n(w/2), look)
	case "cds":
		p.printf(`<path d="M%s %sh%sl%s %sl%s %sh%sz" %s/>`, n(x), n(y), n(w-h/3), n(h/3), n(h/2), n(-h/3), n(h/2), n(h/3-w), look)
	case "note":
		p.printf(`<path d="M%s %sh%sl10 10v%sh%sz" %s/>`, n(x), n(y), n(w-10), n(h-10), n(-w), look)
	case "folder":
		p.printf(`<path d="M%s %sh%sl6 8h%sv%sh%sz" %s/>`, n(x), n(y), n(w/3), n(w-w/3-6), n(h-8), n(-w), look)
	default:
		p.printf(`<rect x="%s" y="%s" width="%s" height="%s" rx="%s" %s/>`, n(x), n(y), n(w), n(h), n(corner), look)
	}
	if i.attributes["peripheries"] == "2" {
		p.printf(`<rect x="%s" y="%s" width="%s" height="%s" rx="%s" stroke="%s"/>`, n(x-3), n(y-3), n(w+6), n(h+6), n(corner+2), p.s(i.attributes["color"]))
	}
}
