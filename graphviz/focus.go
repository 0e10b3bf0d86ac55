package graphviz

import "nabla/autograd"

// A stub says which part of a value's surroundings a box stands for that a
// Selection left out.
type stub uint8

const (
	drawn      stub = iota // none: the box is a value
	stubInputs             // what it was computed from
	stubUses               // what was computed from it
)

// suffix tells a stub's key from its value's.
func (s stub) suffix() string { return [...]string{"", "i", "u"}[s] }

// Focus draws a value with what it was computed from, that many steps up, and
// what was computed from it, that many steps down. What is left out is a small
// box that says how much it was, so that what a value receives in the backward
// pass still adds up.
//
// It panics with an *autograd.ArgumentError when a number of steps is negative;
// Write does when the value is not in the drawing.
func Focus(value autograd.Value, up, down int) Selection {
	if up < 0 || down < 0 {
		panic(autograd.NewArgumentError("graphviz: Focus", "%d steps up and %d down must not be negative", up, down))
	}
	return Selection{func(m *model) (*model, error) {
		start := m.find("Focus", value)
		above, below := m.within(start, up, m.inputsOf), m.within(start, down, m.usersOf)
		for i := range above {
			above[i] = above[i] || below[i]
		}
		return m.keep(above), nil
	}}
}

// Path draws what lies between two values: all that was computed from one and
// led to the other, and both. What is left out is a small box that says how
// much it was.
//
// Write panics with an *autograd.ArgumentError when a value is not in the
// drawing, or to was not computed from from.
func Path(from, to autograd.Value) Selection {
	return Selection{func(m *model) (*model, error) {
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
	n := node{name: x.Name(), op: x.Node().Op, id: x.Node().ID}
	return n.title()
}

// find returns the nodes that are the value, its elements, or stand for it
// among others.
func (m *model) find(op string, x autograd.Value) []int {
	if x.Graph() == nil || x.Graph() != m.graph {
		panic(autograd.NewArgumentError("graphviz: "+op, "a Value of another graph"))
	}
	id := x.Node().ID
	var found []int
	for i := range m.nodes {
		if m.nodes[i].holds(id) {
			found = append(found, i)
		}
	}
	if found == nil {
		panic(autograd.NewArgumentError("graphviz: "+op, "%s is not in the drawing", titleOf(x)))
	}
	return found
}

func (m *model) inputsOf(i int) []int {
	var all []int
	for _, e := range m.nodes[i].in {
		all = append(all, m.edges[e].from)
	}
	return all
}

func (m *model) usersOf(i int) []int {
	var all []int
	for _, e := range m.nodes[i].uses {
		all = append(all, m.edges[e].to)
	}
	return all
}

// within marks what is at most so many steps from the start; any number when
// steps is negative.
func (m *model) within(start []int, steps int, next func(int) []int) []bool {
	marked := make([]bool, len(m.nodes))
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

// keep returns a model of the marked nodes. Each one's inputs that are left out
// become one stub, and so do its uses, whose contributions are added up.
func (m *model) keep(kept []bool) *model {
	r := newRebuild(m)
	inputs, uses := make([][]string, len(m.nodes)), make([][]string, len(m.nodes)) // what is left out
	for i := range m.edges {
		switch e := &m.edges[i]; {
		case kept[e.from] && !kept[e.to]:
			uses[e.from] = append(uses[e.from], m.nodes[e.to].title())
		case !kept[e.from] && kept[e.to]:
			inputs[e.to] = append(inputs[e.to], m.source(e).title())
		}
	}
	before, after := make([]int, len(m.nodes)), make([]int, len(m.nodes)) // the stubs
	for i := range m.nodes {
		if !kept[i] {
			continue
		}
		if len(inputs[i]) > 0 {
			before[i] = r.add(m.nodes[i].stubOf(stubInputs, inputs[i]))
		}
		r.at[i] = r.add(m.nodes[i])
	}
	// Behind all others, as is what they stand for.
	for i := range m.nodes {
		if len(uses[i]) > 0 {
			after[i] = r.add(m.nodes[i].stubOf(stubUses, uses[i]))
		}
	}
	for i := range m.edges {
		switch e := m.edges[i]; {
		case kept[e.from] && kept[e.to]:
			r.edge(e, r.at[e.from], r.at[e.to])
		case kept[e.from]:
			r.edge(e, r.at[e.from], after[e.from])
		case kept[e.to]:
			stub := &r.to.nodes[before[e.to]]
			stub.learns = stub.learns || e.learns
			r.edge(e, before[e.to], r.at[e.to])
		}
	}
	return r.model()
}

// stubOf returns a node for the inputs or uses of n that are left out: the name
// of one, the number of several.
func (n *node) stubOf(s stub, titles []string) node {
	noun := "more input"
	if s == stubUses {
		noun = "more use"
	}
	name := plural(len(titles), noun)
	if len(titles) == 1 {
		name = titles[0]
	}
	return node{
		id: n.id, element: n.element, source: n.source, stub: s, custom: true, kind: autograd.KindOperation,
		op: name, scope: n.scope, learns: s == stubUses && n.learns,
	}
}
