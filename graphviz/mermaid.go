package graphviz

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"nabla/autograd"
	"nabla/internal/recording"
)

// WriteMermaid draws like [Write], but in the language of Mermaid, which README
// files can show: put it between ```mermaid and ```. The boxes have the same
// content in plain text, without matrices, tints and a legend. The views Course
// and Neurons are drawn as Forward.
//
// GitHub draws at most 500 arrows and 50,000 characters: select a part of a
// larger recording. Errors and panics are those of [Write].
func WriteMermaid(w io.Writer, root autograd.Value, grads autograd.Gradients, o Options) error {
	return write(w, mermaid, root, grads, o)
}

// mermaid returns the drawing in the language of Mermaid.
func mermaid(m *recording.Model, o Options) ([]byte, error) {
	scopes := len(m.Scopes)
	f := &flowchart{
		canvas: newCanvas(m, o), ids: map[int]string{},
		inner: make([][]int, scopes), nodes: make([][]int, scopes), inhabited: make([]bool, scopes),
	}
	f.draw()
	return f.text.Bytes(), nil
}

// A flowchart is a drawing in the language of Mermaid, with the content of the
// DOT canvas.
type flowchart struct {
	*canvas
	text      bytes.Buffer
	ids       map[int]string // of the nodes that are drawn
	inner     [][]int        // scopes, by parent
	nodes     [][]int        // the drawn nodes, by scope
	inhabited []bool         // scopes that contain a box, directly or in an inner scope
	styles    []string       // of arrows, by their number
}

func (f *flowchart) draw() {
	f.text.WriteString("---\n")
	if f.o.Title != "" {
		fmt.Fprintf(&f.text, "title: %s\n", yamlText(recording.Visible(f.o.Title)))
	}
	f.text.WriteString("config:\n  flowchart:\n    wrappingWidth: 600\n---\n")
	direction := "LR"
	if f.o.Direction == TopToBottom {
		direction = "TB"
	}
	fmt.Fprintf(&f.text, "flowchart %s\n", direction)
	for i := range f.Model.Nodes {
		n := &f.Model.Nodes[i]
		if f.o.View == Backward && !n.Learns && i != f.Root {
			continue
		}
		f.ids[i] = n.Key()
		f.nodes[n.Scope] = append(f.nodes[n.Scope], i)
		f.inhabit(n.Scope)
	}
	for s := 1; s < len(f.Scopes); s++ {
		f.inner[f.Scopes[s].Parent] = append(f.inner[f.Scopes[s].Parent], s)
	}
	f.scope(0, "  ")
	for _, edges := range f.bundles() {
		f.arrows(edges)
	}
	for i, style := range f.styles {
		fmt.Fprintf(&f.text, "  linkStyle %d %s\n", i, style)
	}
	f.classes()
}

// scope writes the boxes of a scope and the scopes in it.
func (f *flowchart) scope(number int, indent string) {
	for _, i := range f.nodes[number] {
		shape := mermaidShapes[f.class(i)]
		fmt.Fprintf(&f.text, "%s%s%s%s%s:::%s\n", indent, f.ids[i], shape[0], mermaidText(f.lines(i)), shape[1], f.class(i))
	}
	for _, s := range f.inner[number] {
		if !f.inhabited[s] {
			continue
		}
		title := recording.Shown(f.Scopes[s].Name)
		if note := f.Scopes[s].Note; note != "" {
			title += " " + note
		}
		fmt.Fprintf(&f.text, "%ssubgraph s%06d[%s]\n", indent, s, mermaidText([]string{title}))
		f.scope(s, indent+"  ")
		fmt.Fprintf(&f.text, "%send\n", indent)
	}
}

// inhabit notes that a scope and those around it contain a box.
func (f *flowchart) inhabit(scope int) {
	for s := scope; s != 0 && !f.inhabited[s]; s = f.Scopes[s].Parent {
		f.inhabited[s] = true
	}
}

// lines returns the text of a box.
func (f *flowchart) lines(i int) []string {
	n, digits := &f.Model.Nodes[i], f.o.Digits
	if f.o.View == Layers && n.Group != nil {
		return f.layerLines(i)
	}
	title := n.Title()
	if f.o.View == Backward {
		title = n.GradientTitle()
	}
	lines := []string{strings.TrimSpace(title + "  " + n.Details(digits))}
	if n.Stub != recording.Drawn {
		return lines[:1]
	}
	value, gradient := "value "+n.Value.Plain(digits), n.GradientText(digits)
	if f.o.View == Backward {
		lines = append(lines, gradient, value)
	} else {
		lines = append(lines, value, gradient)
	}
	if terms := f.termsOf(n); terms != "" {
		lines = append(lines, "sum of "+terms)
	}
	return withTroubles(lines, n)
}

func withTroubles(lines []string, n *recording.Node) []string {
	for _, t := range n.Troubles {
		lines = append(lines, "⚠ "+recording.Visible(t.Text))
	}
	return lines
}

// layerLines returns the text of a layer's box.
func (f *flowchart) layerLines(i int) []string {
	n := &f.Model.Nodes[i]
	lines := []string{n.Title(), f.shapesOf(i)}
	if p := n.Group.Learned(); p > 0 {
		lines = append(lines, recording.Plural(p, "parameter"))
	}
	for _, t := range n.Group.Tallies() {
		value, gradient, words := t.Norms()
		if !t.Param {
			lines = append(lines, "‖"+t.Name+"‖ "+recording.Number(value.Norm, f.o.Digits))
		}
		if words == "" {
			words = recording.Number(gradient.Norm, f.o.Digits)
		}
		if words != recording.NoGradient {
			lines = append(lines, "‖d"+t.Name+"‖ "+words)
		}
	}
	return withTroubles(lines, n)
}

// arrows writes the arrows of one or more edges between two boxes: forward,
// backward or both.
func (f *flowchart) arrows(edges []*recording.Edge) {
	e := edges[0]
	if f.o.View == Layers && e.From == e.To {
		return
	}
	if f.o.View != Backward {
		fmt.Fprintf(&f.text, "  %s --> %s\n", f.ids[e.From], f.ids[e.To])
		color := faintColor
		if anyLearns(edges) {
			color = inkColor
		}
		f.styles = append(f.styles, "stroke:"+color)
	}
	if f.o.View != Backward && f.o.View != Combined || !anyLearns(edges) {
		return
	}
	color, lines := f.handedOnBy(edges)
	if f.o.View == Backward {
		f.link(e.To, e.From, "-.->", "-. ", " .->", lines)
	} else {
		f.link(e.From, e.To, "-.-", "-. ", " .-", f.pointedBack(lines))
	}
	f.styles = append(f.styles, "stroke:"+color+",color:"+color)
}

// link writes an arrow, with words in the middle if there are any.
func (f *flowchart) link(from, to int, plain, start, end string, lines []string) {
	arrow := plain
	if len(lines) > 0 {
		arrow = start + mermaidText(lines) + end
	}
	fmt.Fprintf(&f.text, "  %s %s %s\n", f.ids[from], arrow, f.ids[to])
}

// pointedBack puts an arrow character before what comes back along an edge:
// Mermaid has no arrow that points against its line, and a line in the other
// direction would reverse the layout.
func (f *flowchart) pointedBack(lines []string) []string {
	sign := "←"
	if f.o.Direction == TopToBottom {
		sign = "↑"
	}
	if len(lines) == 0 {
		return []string{sign}
	}
	return append([]string{sign + " " + lines[0]}, lines[1:]...)
}

// mermaidLooks are the classes of boxes, each with its look.
var mermaidLooks = []struct {
	name string
	look look
}{
	{"param", paramLook}, {"variable", variableLook}, {"input", inputLook}, {"target", targetLook}, {"constant", constantLook},
	{"computed", computedLook}, {"group", groupLook}, {"stub", stubLook}, {"root", rootLook}, {"broken", brokenLook},
}

// mermaidShapes are the brackets around the text of a class of boxes.
var mermaidShapes = map[string][2]string{
	"param": {"[", "]"}, "variable": {"[", "]"}, "input": {">", "]"}, "target": {"[/", "/]"}, "constant": {"[", "]"},
	"computed": {"(", ")"}, "group": {"[[", "]]"}, "stub": {"(", ")"}, "root": {"([", "])"}, "broken": {"(", ")"},
}

// class returns the class of a box.
func (f *flowchart) class(i int) string {
	n := &f.Model.Nodes[i]
	words := kindOfLook(n).words
	switch {
	case n.Broken():
		return "broken"
	case i == f.Root:
		return "root"
	}
	for _, class := range mermaidLooks {
		if class.look.words == words {
			return class.name
		}
	}
	return "computed"
}

// classes writes the classes that are used.
func (f *flowchart) classes() {
	used := map[string]bool{}
	for i := range f.Model.Nodes {
		if _, drawn := f.ids[i]; drawn {
			used[f.class(i)] = true
		}
	}
	for _, class := range mermaidLooks {
		if !used[class.name] {
			continue
		}
		l, dashes := class.look, ""
		if strings.Contains(l.style, "dashed") {
			dashes = ",stroke-dasharray:4"
		} else if strings.Contains(l.style, "dotted") {
			dashes = ",stroke-dasharray:1 3"
		}
		fmt.Fprintf(&f.text, "  classDef %s fill:%s,stroke:%s,stroke-width:%gpx,color:%s%s\n", class.name, l.fill, l.line, l.width, inkColor, dashes)
	}
}

// mermaidText returns lines as a quoted text.
func mermaidText(lines []string) string {
	var kept []string
	for _, line := range lines {
		if line != "" {
			kept = append(kept, mermaidEscape(line))
		}
	}
	return `"` + strings.Join(kept, "<br/>") + `"`
}

// mermaidEscape escapes a line of a quoted text. Mermaid's only escape is a
// character's number between # and ;. It interprets much inside quotes: HTML,
// Markdown such as emphasis and list items, formulas between dollar signs,
// directives after percent signs, and styles if a colon follows a keyword.
func mermaidEscape(line string) string {
	var b strings.Builder
	for i, r := range line {
		if r == '\\' { // before n it would be a line break even as a number
			r = '⧵'
		}
		if strings.ContainsRune("\"#;:&<>`%(*_~$", r) || i == 0 && strings.ContainsRune("-+0123456789", r) {
			fmt.Fprintf(&b, "#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// yamlText returns a title as a quoted string of YAML.
func yamlText(title string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(title) + `"`
}
