package svg

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// attributes are those of a node, an edge or a graph. HTML-like labels begin
// with <.
type attributes map[string]string

// number64 returns a numeric attribute, or without if it is missing.
func (a attributes) number64(name string, without float64) float64 {
	if v, err := strconv.ParseFloat(a[name], 64); err == nil {
		return v
	}
	return without
}

// A node is a box of a drawing.
type node struct {
	attributes
	number int // in the order in which the drawing was made
	in     *subgraph
}

// An edge leads from a node, or a row of it, to another.
type edge struct {
	attributes
	from, to         int // numbers of nodes
	fromPort, toPort string
}

// A subgraph is a frame, or a column of nodes, or the drawing itself.
type subgraph struct {
	attributes
	parent  *subgraph
	cluster bool
	index   int // of a frame, from 1
}

// A drawing is a parsed DOT text.
type drawing struct {
	graph     *subgraph
	subgraphs []*subgraph
	nodes     []*node
	edges     []*edge
}

// A reader parses a DOT text.
type reader struct {
	text string
	at   int
}

// read reads a drawing.
func read(text string) (d *drawing, err error) {
	r := &reader{text: text}
	defer func() {
		if fault, ok := recover().(fault); ok {
			d, err = nil, fmt.Errorf("svg: not a drawing of this library: byte %d: %s", r.at, string(fault))
		}
	}()
	d = &drawing{graph: &subgraph{attributes: attributes{}}}
	r.expect("digraph")
	r.word()
	r.expect("{")
	r.body(d, d.graph)
	slices.SortFunc(d.nodes, func(a, b *node) int { return cmp.Compare(a.number, b.number) })
	return d, nil
}

// A fault says why a text is not a drawing.
type fault string

// body reads the statements between the braces of a graph.
func (r *reader) body(d *drawing, in *subgraph) {
	for !r.take("}") {
		switch name := r.word(); {
		case name == "":
			panic(fault("a statement is expected"))
		case name == "subgraph":
			r.subgraph(d, in)
		case r.take("="):
			in.attributes[name] = r.value()
			r.take(";")
		default:
			r.nodeOrEdge(d, in, name)
			r.take(";")
		}
	}
}

func (r *reader) subgraph(d *drawing, in *subgraph) {
	s := &subgraph{attributes: attributes{}, parent: in}
	if s.cluster = strings.HasPrefix(r.word(), "cluster"); s.cluster {
		s.index = 1
		for _, other := range d.subgraphs {
			if other.cluster {
				s.index++
			}
		}
	}
	d.subgraphs = append(d.subgraphs, s)
	r.expect("{")
	r.body(d, s)
}

func (r *reader) nodeOrEdge(d *drawing, in *subgraph, name string) {
	port := r.port()
	if !r.take("->") {
		d.nodes = append(d.nodes, &node{r.list(), numbered(name), in})
		return
	}
	e := &edge{from: numbered(name), fromPort: port}
	e.to, e.toPort = numbered(r.word()), r.port()
	e.attributes = r.list()
	d.edges = append(d.edges, e)
}

// numbered returns the number of a node: 3 of n3.
func numbered(name string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "n"))
	if err != nil {
		panic(fault("a node is expected, not " + strconv.Quote(name)))
	}
	return n
}

// port reads the row that an arrow ends at, without the side.
func (r *reader) port() string {
	row := ""
	if r.take(":") {
		row = r.word()
	}
	if r.take(":") {
		r.word()
	}
	return row
}

// list reads the attributes of a node or an edge.
func (r *reader) list() attributes {
	all := attributes{}
	if !r.take("[") {
		return all
	}
	for !r.take("]") {
		name := r.word()
		r.expect("=")
		all[name] = r.value()
		r.take(",")
	}
	return all
}

// value reads a text in quotes or an HTML-like one.
func (r *reader) value() string {
	r.blanks()
	from := r.at
	switch {
	case r.take(`"`):
		for r.at < len(r.text) && r.text[r.at] != '"' {
			if r.text[r.at] == '\\' {
				r.at++
			}
			r.at++
		}
		if r.at >= len(r.text) {
			panic(fault("a quote is expected"))
		}
		r.at++
		return strings.ReplaceAll(r.text[from+1:r.at-1], `\"`, `"`)
	case r.take("<"):
		for depth := 1; depth > 0; r.at++ {
			if r.at >= len(r.text) {
				panic(fault("> is expected"))
			}
			switch r.text[r.at] {
			case '<':
				depth++
			case '>':
				depth--
			}
		}
		return r.text[from : r.at-1]
	}
	panic(fault("a value is expected"))
}

func (r *reader) blanks() {
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n;", r.text[r.at]) >= 0 {
		r.at++
	}
}

// word reads letters, digits and underscores; it returns "" if there are none.
func (r *reader) word() string {
	r.blanks()
	from := r.at
	for r.at < len(r.text) && (r.text[r.at] == '_' || r.text[r.at] >= '0' && r.text[r.at] <= '9' || r.text[r.at]|0x20 >= 'a' && r.text[r.at]|0x20 <= 'z') {
		r.at++
	}
	return r.text[from:r.at]
}

// take reads a sign and reports whether it was there.
func (r *reader) take(sign string) bool {
	r.blanks()
	if strings.HasPrefix(r.text[r.at:], sign) {
		r.at += len(sign)
		return true
	}
	return false
}

func (r *reader) expect(sign string) {
	if !r.take(sign) {
		panic(fault(strconv.Quote(sign) + " is expected"))
	}
}
