package graphviz

import (
	"fmt"
	"slices"
	"strconv"

	"nabla/autograd"
)

// A group is what a box stands for that was made of several values.
type group struct {
	members []node // in the order of the recording
	outputs []node // those that are used outside, or the root
}

// A block is a group to be: its name, and the scope that it lies in.
type block struct {
	name  string
	scope int
}

// Depth draws each scope at that depth as one box: 1 for the outermost scopes,
// 2 for those in them. What lies above is drawn as before. The box says how
// many values it holds; what it receives and hands on in the backward pass
// stays what it was.
//
// It panics with an *autograd.ArgumentError when depth is not positive.
func Depth(depth int) Selection {
	if depth < 1 {
		panic(autograd.NewArgumentError("graphviz: Depth", "%d is not positive", depth))
	}
	return Selection{func(m *model) (*model, error) { return m.depth(depth), nil }}
}

func (m *model) depth(depth int) *model {
	chosen := make([]int, len(m.scopes)) // for each scope, the one whose box it is in; 0 for none
	levels := make([]int, len(m.scopes))
	for i := 1; i < len(m.scopes); i++ {
		parent := m.scopes[i].parent
		levels[i], chosen[i] = levels[parent]+1, chosen[parent]
		if levels[i] == depth {
			chosen[i] = i
		}
	}
	return m.collapseScopes(chosen)
}

// collapseScopes makes a box of each scope that is chosen by scopes, by number;
// 0 chooses none.
func (m *model) collapseScopes(chosen []int) *model {
	assigned, blocks, known := make([]int, len(m.nodes)), []block{}, map[int]int{}
	for i := range m.nodes {
		s := chosen[m.nodes[i].scope]
		if assigned[i] = -1; s == 0 {
			continue
		}
		if _, ok := known[s]; !ok {
			known[s] = len(blocks)
			blocks = append(blocks, block{m.scopes[s].name, m.scopes[s].parent})
		}
		assigned[i] = known[s]
	}
	return m.collapse(assigned, blocks)
}

// Collapse draws all values for which the function returns the same name as
// one box of that name, and those for which it returns "" as before. It leaves
// boxes of several values as they are.
//
//	graphviz.Collapse(func(n autograd.Node) string { return n.Scope })
//
// It panics with an *autograd.ArgumentError when the function is nil.
func Collapse(name func(autograd.Node) string) Selection {
	if name == nil {
		panic(autograd.NewArgumentError("graphviz: Collapse", "the function is nil"))
	}
	return Selection{func(m *model) (*model, error) { return m.collapseBy(name), nil }}
}

func (m *model) collapseBy(name func(autograd.Node) string) *model {
	assigned, blocks, known := make([]int, len(m.nodes)), []block{}, map[string]int{}
	for i := range m.nodes {
		n := &m.nodes[i]
		assigned[i] = -1
		if n.several() {
			continue
		}
		s := name(n.source)
		if s == "" {
			continue
		}
		at, ok := known[s]
		if !ok {
			at = len(blocks)
			known[s] = at
			blocks = append(blocks, block{s, n.scope})
		}
		assigned[i], blocks[at].scope = at, m.common(blocks[at].scope, n.scope)
	}
	m.leave(assigned, blocks)
	return m.collapse(assigned, blocks)
}

// leave moves each block out of the scopes of which it holds all values.
func (m *model) leave(assigned []int, blocks []block) {
	type part struct{ scope, block int }
	in, all := map[part]int{}, make([]int, len(m.scopes))
	for i := range m.nodes {
		for s := m.nodes[i].scope; s != 0; s = m.scopes[s].parent {
			in[part{s, assigned[i]}]++
			all[s]++
		}
	}
	for b := range blocks {
		at := &blocks[b]
		for at.scope != 0 && in[part{at.scope, b}] == all[at.scope] {
			at.scope = m.scopes[at.scope].parent
		}
	}
}

// common returns the innermost scope that holds both. Parents have smaller
// numbers.
func (m *model) common(a, b int) int {
	for a != b {
		if a < b {
			a, b = b, a
		}
		a = m.scopes[a].parent
	}
	return a
}

// collapse returns a model with one node for each block: node i goes into
// block assigned[i], or stays when that is -1. A block stands where its last
// member did, so that inputs still come first unless blocks use each other.
//
// Edges inside a block go, but for those from a value that is used outside too:
// they stay as a loop, so that what the value receives still adds up. Several
// uses of a value by one block become one, with the sum of their
// contributions.
func (m *model) collapse(assigned []int, blocks []block) *model {
	r := newRebuild(m)
	members := make([][]int, len(blocks))
	for i, b := range assigned {
		if b >= 0 {
			members[b] = append(members[b], i)
		}
	}
	outside := m.usedOutside(assigned)
	for i, b := range assigned {
		switch {
		case b < 0:
			r.at[i] = r.add(m.nodes[i])
		case i == members[b][len(members[b])-1]:
			at := r.add(m.groupOf(blocks[b], members[b], outside))
			for _, member := range members[b] {
				r.at[member] = at
			}
		}
	}
	for i := range m.edges {
		e := m.edges[i]
		inside := assigned[e.from] >= 0 && assigned[e.from] == assigned[e.to]
		if !inside || outside[m.source(&e).identity()] && m.nodes[e.from].stub == drawn {
			r.edge(e, r.at[e.from], r.at[e.to])
		}
	}
	return r.model()
}

// usedOutside returns the identities of the values that a node of another block
// uses, and of the root.
func (m *model) usedOutside(assigned []int) map[identity]bool {
	outside := map[identity]bool{}
	if m.root >= 0 {
		root := &m.nodes[m.root]
		if g := root.group; g != nil {
			root = &g.outputs[len(g.outputs)-1]
		}
		outside[root.identity()] = true
	}
	for i := range m.edges {
		e := &m.edges[i]
		if assigned[e.from] != assigned[e.to] || assigned[e.from] < 0 {
			outside[m.source(e).identity()] = true
		}
	}
	return outside
}

// An identity tells recorded values apart, and their elements.
type identity struct{ id, element int }

func (n *node) identity() identity { return identity{n.id, n.element} }

// groupOf returns the node of a block.
func (m *model) groupOf(b block, members []int, outside map[identity]bool) node {
	g := &group{}
	n := node{element: whole, op: "block", custom: true, kind: autograd.KindOperation, name: b.name, scope: b.scope, group: g}
	for _, i := range members {
		member := m.nodes[i]
		held, outputs := []node{member}, []node{member}
		switch {
		case member.group != nil:
			held, outputs = member.group.members, member.group.outputs
		case member.stub != drawn:
			held, outputs = nil, nil
		}
		g.members = append(g.members, held...)
		for _, o := range outputs {
			if outside[o.identity()] {
				g.outputs = append(g.outputs, o)
			}
		}
		n.learns = n.learns || member.learns
		n.id, n.element, n.source = member.id, member.element, member.source
		for _, t := range member.troubles {
			if !slices.Contains(n.troubles, t) {
				n.troubles = append(n.troubles, t)
			}
		}
	}
	n.op = plural(len(g.members), "value")
	n.summarise(g.outputs, m.limit)
	return n
}

// summarise gives a node of several values the numbers of those that are used
// outside, each of at most so many.
func (n *node) summarise(outputs []node, limit int) {
	if len(outputs) == 1 {
		n.value, n.gradient, n.state = outputs[0].value, outputs[0].gradient, outputs[0].state
		return
	}
	var values, gradients []numbers
	for i := range outputs {
		o := &outputs[i]
		values = append(values, o.value)
		n.state = max(n.state, o.state)
		if o.state == reached {
			gradients = append(gradients, o.gradient)
		}
	}
	n.value, n.gradient = united(values...), united(gradients...)
	for _, all := range []*numbers{&n.value, &n.gradient} {
		if all.size > max(limit, 1) {
			all.few = nil
		}
	}
}

// plural returns "1 value", "12 values".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// A rebuild makes a model from another one's parts.
type rebuild struct {
	from, to *model
	at       []int         // where each node of from is in to; -1: not at all
	merged   map[joint]int // edges of to, by what they join
}

// A joint is a value and the block that uses it.
type joint struct {
	value identity
	block int
}

func newRebuild(m *model) *rebuild {
	to := *m
	to.nodes, to.edges, to.root = nil, nil, -1
	r := &rebuild{from: m, to: &to, at: make([]int, len(m.nodes)), merged: map[joint]int{}}
	for i := range r.at {
		r.at[i] = -1
	}
	return r
}

// add adds a node, without its edges, and returns where.
func (r *rebuild) add(n node) int {
	n.in, n.uses = nil, nil
	r.to.nodes = append(r.to.nodes, n)
	return len(r.to.nodes) - 1
}

// edge adds an edge of the old model between two nodes of the new one. Where
// they stand for several values it notes which one is used, and joins the uses
// of one value.
func (r *rebuild) edge(e edge, from, to int) {
	source := r.from.source(&e)
	e.from, e.to = from, to
	if r.to.nodes[from].several() {
		e.of = source
	}
	if r.to.nodes[to].several() {
		e.local, e.localKnown = numbers{}, false
		key := joint{source.identity(), to}
		if known, ok := r.merged[key]; ok {
			r.to.edges[known].merge(&e, r.to.limit)
			return
		}
		r.merged[key] = len(r.to.edges)
	}
	r.to.edges = append(r.to.edges, e)
}

// merge adds the contribution of another use of the same value.
func (e *edge) merge(other *edge, limit int) {
	e.learns = e.learns || other.learns
	if !other.received {
		return
	}
	if !e.received {
		e.received, e.contribution, e.whole = true, other.contribution, other.whole
		return
	}
	sum := slices.Clone(e.terms())
	for i, v := range other.terms() {
		sum[i] += v
	}
	shape := e.contribution.shape
	e.contribution, e.whole = newNumbers(autograd.NewTensor(sum), limit), sum
	e.contribution.shape = shape
}

// model returns the new model once all nodes and edges are there.
func (r *rebuild) model() *model {
	m := r.to
	slices.SortStableFunc(m.edges, func(a, b edge) int { return a.to - b.to })
	for i := range m.edges {
		e := &m.edges[i]
		if m.nodes[e.to].several() {
			e.input = len(m.nodes[e.to].in)
		}
		m.nodes[e.to].in = append(m.nodes[e.to].in, i)
		m.nodes[e.from].uses = append(m.nodes[e.from].uses, i)
	}
	if r.from.root >= 0 {
		m.root = r.at[r.from.root]
	}
	return m
}

// several reports whether a node stands for what a Selection joined or left
// out.
func (n *node) several() bool { return n.group != nil || n.stub != drawn }

// holds reports whether a node is the recorded value, or stands for it among
// others.
func (n *node) holds(id int) bool {
	if n.stub != drawn {
		return false
	}
	if n.group == nil {
		return n.id == id
	}
	return slices.ContainsFunc(n.group.members, func(member node) bool { return member.id == id })
}

// learned returns how many numbers training changes in a group.
func (g *group) learned() int {
	count := 0
	for i := range g.members {
		if n := &g.members[i]; n.learned() && !n.frozen {
			count += n.value.size
		}
	}
	return count
}

// summary says what a group holds: "12 values, 9 parameters".
func (g *group) summary() string {
	s := plural(len(g.members), "value")
	if p := g.learned(); p > 0 {
		s += fmt.Sprintf(", %s", plural(p, "parameter"))
	}
	return s
}
