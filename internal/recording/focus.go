package recording

import (
	"nabla/autograd"
)

// A stub says which values around a node, left out by a Selection, a box stands
// for.
type stub uint8

const (
	Drawn      stub = iota // none: the box is a value
	stubInputs             // the values that it was computed from
	stubUses               // the values computed from it
)

// suffix distinguishes a stub's key from its value's.
func (s stub) suffix() string { return [...]string{"", "i", "u"}[s] }

// Focus is [graphviz.Focus].
func Focus(value autograd.Value, up, down int) Selection {
	if up < 0 || down < 0 {
		panic(autograd.NewArgumentError("graphviz: Focus", "%d steps up and %d down must not be negative", up, down))
	}
	return Selection{func(m *Model) (*Model, error) {
		start := m.find("Focus", value)
		above, below := m.within(start, up, m.inputsOf), m.within(start, down, m.usersOf)
		for i := range above {
			above[i] = above[i] || below[i]
		}
		return m.keep(above), nil
	}}
}

// Path is [graphviz.Path].
func Path(from, to autograd.Value) Selection {
	return Selection{func(m *Model) (*Model, error) {
		first, last := m.find("Path", from), m.find("Path", to)
		below, above := m.within(first, -1, m.usersOf), m.within(last, -1, m.inputsOf)
		found := false
		for i := range above {
			above[i] = above[i] && below[i]
			found = found || above[i]
		}
		if !found {
			panic(autograd.NewArgumentError("graphviz: Path", "%s was not computed from %s", titleOf(to), titleOf(from)))
		}
		return m.keep(above), nil
	}}
}

func titleOf(x autograd.Value) string {
	n := Node{Name: x.Name(), Op: x.Node().Op, ID: x.Node().ID}
	return n.Title()
}

// find returns the nodes that are the value or its elements, or stand for it
// among others.
func (m *Model) find(op string, x autograd.Value) []int {
	if x.Graph() == nil || x.Graph() != m.graph {
		panic(autograd.NewArgumentError("graphviz: "+op, "a Value of another graph"))
	}
	id := x.Node().ID
	var found []int
	for i := range m.Nodes {
		if m.Nodes[i].holds(id) {
			found = append(found, i)
		}
	}
	if found == nil {
		panic(autograd.NewArgumentError("graphviz: "+op, "%s is not in the drawing", titleOf(x)))
	}
	return found
}

func (m *Model) inputsOf(i int) []int {
	var all []int
	for _, e := range m.Nodes[i].In {
		all = append(all, m.Edges[e].From)
	}
	return all
}

func (m *Model) usersOf(i int) []int {
	var all []int
	for _, e := range m.Nodes[i].Uses {
		all = append(all, m.Edges[e].To)
	}
	return all
}

// within marks the nodes at most steps from the start; any distance if steps is
// negative.
func (m *Model) within(start []int, steps int, next func(int) []int) []bool {
	marked := make([]bool, len(m.Nodes))
	for _, i := range start {
		marked[i] = true
	}
	for front := start; len(front) > 0 && steps != 0; steps-- {
		var further []int
		for _, i := range front {
			for _, j := range next(i) {
				if !marked[j] {
					marked[j] = true
					further = append(further, j)
				}
			}
		}
		front = further
	}
	return marked
}

// keep returns a model of the marked nodes. For each, the inputs left out
// become one stub, and so do the uses left out, whose contributions are added
// up.
func (m *Model) keep(kept []bool) *Model {
	r := newRebuild(m)
	inputs, uses := make([][]string, len(m.Nodes)), make([][]string, len(m.Nodes)) // what is left out
	for i := range m.Edges {
		switch e := &m.Edges[i]; {
		case kept[e.From] && !kept[e.To]:
			uses[e.From] = append(uses[e.From], m.Nodes[e.To].Title())
		case !kept[e.From] && kept[e.To]:
			inputs[e.To] = append(inputs[e.To], m.Source(e).Title())
		}
	}
	before, after := make([]int, len(m.Nodes)), make([]int, len(m.Nodes)) // the stubs
	for i := range m.Nodes {
		if !kept[i] {
			continue
		}
		if len(inputs[i]) > 0 {
			before[i] = r.add(m.Nodes[i].stubOf(stubInputs, inputs[i]))
		}
		r.at[i] = r.add(m.Nodes[i])
	}
	// After all others, like the values that they stand for.
	for i := range m.Nodes {
		if len(uses[i]) > 0 {
			after[i] = r.add(m.Nodes[i].stubOf(stubUses, uses[i]))
		}
	}
	for i := range m.Edges {
		switch e := m.Edges[i]; {
		case kept[e.From] && kept[e.To]:
			r.edge(e, r.at[e.From], r.at[e.To])
		case kept[e.From]:
			r.edge(e, r.at[e.From], after[e.From])
		case kept[e.To]:
			stub := &r.to.Nodes[before[e.To]]
			stub.Learns = stub.Learns || e.Learns
			r.edge(e, before[e.To], r.at[e.To])
		}
	}
	return r.model()
}

// stubOf returns a node for the inputs or uses of n that are left out: the name
// of one, the number of several.
func (n *Node) stubOf(s stub, titles []string) Node {
	noun := "more input"
	if s == stubUses {
		noun = "more use"
	}
	name := Plural(len(titles), noun)
	if len(titles) == 1 {
		name = titles[0]
	}
	return Node{
		ID: n.ID, Element: n.Element, Source: n.Source, Stub: s, Custom: true, Kind: autograd.KindOperation,
		Op: name, Scope: n.Scope, Learns: s == stubUses && n.Learns,
	}
}
