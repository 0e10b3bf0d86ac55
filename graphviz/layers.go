package graphviz

import (
	"cmp"
	"strconv"
	"strings"
	"unicode"
)

// layers returns the model with one node for each layer. A layer is a scope;
// one that holds nothing but scopes of which one leads to the next, as a
// Sequential with a name does, is looked into.
func (m *model) layers() *model {
	container := m.containers()
	chosen := make([]int, len(m.scopes))
	for s := 1; s < len(m.scopes); s++ {
		parent := m.scopes[s].parent
		switch {
		case chosen[parent] != 0:
			chosen[s] = chosen[parent]
		case !container[s]:
			chosen[s] = s
		}
	}
	return m.collapseScopes(chosen)
}

// containers reports, of each scope, whether it holds no values of its own and
// scopes that lead to each other.
func (m *model) containers() []bool {
	own, leads := make([]bool, len(m.scopes)), make([]bool, len(m.scopes))
	for i := range m.nodes {
		own[m.nodes[i].scope] = true
	}
	for i := range m.edges {
		from, to := m.nodes[m.edges[i].from].scope, m.nodes[m.edges[i].to].scope
		if parent := m.common(from, to); parent != from && parent != to {
			leads[parent] = true
		}
	}
	for s := range leads {
		leads[s] = leads[s] && !own[s]
	}
	return leads
}

func (c *canvas) drawLayers() {
	for i := range c.nodes {
		c.box(i, c.layerLabel(i))
	}
	for _, edges := range c.bundles() {
		c.layerArrow(edges)
	}
}

// layerLabel says of a layer what goes in and out, how many parameters it has,
// and the norms of its values and gradients.
func (c *canvas) layerLabel(i int) *label {
	n := &c.nodes[i]
	if n.group == nil {
		return c.forwardLabel(n)
	}
	l := newLabel(c.o.Digits)
	l.heading(n.title(), "")
	l.row("shape", font(inkColour, 0, htmlText(c.shapesOf(i))))
	if p := n.group.learned(); p > 0 {
		l.row("parameters", font(inkColour, 0, strconv.Itoa(p)))
	}
	for _, t := range n.group.tallies() {
		l.tally(t, c)
	}
	l.troubles(n)
	return l
}

// shapesOf returns the shapes of what goes into a layer from outside, but for
// targets and single constants, and of what comes out: "[24 2] → [24 3]".
func (c *canvas) shapesOf(i int) string {
	var in, out []string
	for _, e := range c.nodes[i].in {
		source := c.source(&c.edges[e])
		if c.edges[e].from != i && !source.learned() {
			in = append(in, shapeText(source.value.shape))
		}
	}
	for _, o := range c.nodes[i].group.outputs {
		out = append(out, shapeText(o.value.shape))
	}
	return together(in) + " → " + together(out)
}

// together joins shapes, equal ones that follow each other as "3 × [ ]".
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

// A tally is a layer's values of one name: z, a, W or b.
type tally struct {
	name  string
	nodes []node
	param bool // only the gradient is of interest
}

// tallies returns a layer's weighted sums, what it returns, its weights and
// its biases.
func (g *group) tallies() []tally {
	outputs := map[identity]bool{}
	for i := range g.outputs {
		outputs[g.outputs[i].identity()] = true
	}
	var all []tally
	var weights, biases tally
	for _, n := range g.members {
		switch {
		case n.learned() && n.isBias():
			biases = tally{"b", append(biases.nodes, n), true}
		case n.learned():
			weights = tally{"W", append(weights.nodes, n), true}
		case n.stem() == "z" || outputs[n.identity()]:
			all = tallied(all, n)
		}
	}
	for _, t := range []tally{weights, biases} {
		if t.nodes != nil {
			all = append(all, t)
		}
	}
	return all
}

// tallied adds a value to those of its name.
func tallied(all []tally, n node) []tally {
	name := n.stem()
	for i := range all {
		if all[i].name == name {
			all[i].nodes = append(all[i].nodes, n)
			return all
		}
	}
	return append(all, tally{name: name, nodes: []node{n}})
}

// stem returns a name without the number at its end: z of z1. What has no
// name, or a long one, is y.
func (n *node) stem() string {
	stem := strings.TrimRightFunc(n.name, unicode.IsDigit)
	if stem == "" || !isSymbol(stem) {
		return "y"
	}
	return shown(stem)
}

// isBias goes by the end of a parameter's name.
func (n *node) isBias() bool {
	at := strings.LastIndexAny(n.name, "./ ")
	last := strings.TrimRightFunc(n.name[at+1:], unicode.IsDigit)
	return last == "b" || last == "bias" || last == "beta"
}

// norms returns the values and the gradients as one each, and why there is no
// gradient: noGradient where none is to be expected.
func (t *tally) norms() (value, gradient numbers, words string) {
	var values, gradients []numbers
	state := none
	for i := range t.nodes {
		n := &t.nodes[i]
		values = append(values, n.value)
		if state = max(state, n.state); n.state == reached {
			gradients = append(gradients, n.gradient)
		}
	}
	if state != reached {
		words = cmp.Or(state.words(), noGradient)
	}
	return united(values...), united(gradients...), words
}

// noGradient stands for the gradient of what depends on nothing that is
// learned.
const noGradient = "none"

// tally adds rows with the norms of values and of their gradients.
func (l *label) tally(t tally, c *canvas) {
	value, gradient, words := t.norms()
	if !t.param {
		l.row("‖"+t.name+"‖", l.element(value.norm, valueColour))
	}
	caption := "‖d" + t.name + "‖"
	switch {
	case words == noGradient:
	case words != "":
		l.note(caption, words)
	case gradient.zero():
		l.row(caption, l.element(gradient.norm, zeroColour))
	default:
		l.banded(caption, l.element(gradient.norm, gradientColour), "", c.tintOf(&node{gradient: gradient, state: reached}))
	}
}

func (c *canvas) layerArrow(edges []*edge) {
	colour := faintColour
	if anyLearns(edges) {
		colour = inkColour
	}
	if edges[0].from != edges[0].to {
		c.arrow(edges[0].from, edges[0].to, "", "", colour)
	}
}
