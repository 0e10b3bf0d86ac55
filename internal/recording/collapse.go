package recording

import (
	"fmt"
	"slices"
	"strconv"

	"nabla/autograd"
)

// A group is the values that one box stands for.
type group struct {
	Members []Node // in the order of the recording
	Outputs []Node // the members used outside, and the root
}

// A block is a group to be made: its name and the scope that contains it.
type block struct {
	name  string
	scope int
}

// Depth is [graphviz.Depth].
func Depth(depth int) Selection {
	if depth < 1 {
		panic(autograd.NewArgumentError("graphviz: Depth", "%d is not positive", depth))
	}
	return Selection{func(m *Model) (*Model, error) { return m.depth(depth), nil }}
}

func (m *Model) depth(depth int) *Model {
	chosen := make([]int, len(m.Scopes)) // for each scope, the one whose box it is in; 0 for none
	levels := make([]int, len(m.Scopes))
	for i := 1; i < len(m.Scopes); i++ {
		parent := m.Scopes[i].Parent
		levels[i], chosen[i] = levels[parent]+1, chosen[parent]
		if levels[i] == depth {
			chosen[i] = i
		}
	}
	return m.collapseScopes(chosen)
}

// collapseScopes makes one box of each chosen scope: chosen[i] is the scope
// whose box scope i goes into, 0 for none.
func (m *Model) collapseScopes(chosen []int) *Model {
	assigned, blocks, known := make([]int, len(m.Nodes)), []block{}, map[int]int{}
	for i := range m.Nodes {
		s := chosen[m.Nodes[i].Scope]
		if assigned[i] = -1; s == 0 {
			continue
		}
		if _, ok := known[s]; !ok {
			known[s] = len(blocks)
			blocks = append(blocks, block{m.Scopes[s].Name, m.Scopes[s].Parent})
		}
		assigned[i] = known[s]
	}
	return m.collapse(assigned, blocks)
}

// Collapse is [graphviz.Collapse].
func Collapse(name func(autograd.Node) string) Selection {
	if name == nil {
		panic(autograd.NewArgumentError("graphviz: Collapse", "the function is nil"))
	}
	return Selection{func(m *Model) (*Model, error) { return m.collapseBy(name), nil }}
}

func (m *Model) collapseBy(name func(autograd.Node) string) *Model {
	assigned, blocks, known := make([]int, len(m.Nodes)), []block{}, map[string]int{}
	for i := range m.Nodes {
		n := &m.Nodes[i]
		assigned[i] = -1
		if n.Several() {
			continue
		}
		s := name(n.Source)
		if s == "" {
			continue
		}
		at, ok := known[s]
		if !ok {
			at = len(blocks)
			known[s] = at
			blocks = append(blocks, block{s, n.Scope})
		}
		assigned[i], blocks[at].scope = at, m.common(blocks[at].scope, n.Scope)
	}
	m.leave(assigned, blocks)
	return m.collapse(assigned, blocks)
}

// leave moves each block out of the scopes whose values it holds completely.
func (m *Model) leave(assigned []int, blocks []block) {
	type part struct{ scope, block int }
	in, all := map[part]int{}, make([]int, len(m.Scopes))
	for i := range m.Nodes {
		for s := m.Nodes[i].Scope; s != 0; s = m.Scopes[s].Parent {
			in[part{s, assigned[i]}]++
			all[s]++
		}
	}
	for b := range blocks {
		at := &blocks[b]
		for at.scope != 0 && in[part{at.scope, b}] == all[at.scope] {
			at.scope = m.Scopes[at.scope].Parent
		}
	}
}

// common returns the innermost scope that holds both. Parents have smaller
// numbers.
func (m *Model) common(a, b int) int {
	for a != b {
		if a < b {
			a, b = b, a
		}
		a = m.Scopes[a].Parent
	}
	return a
}

// collapse returns a model with one node for each block: node i goes into block
// assigned[i], or stays if that is -1. A block takes the place of its last
// member, so that inputs still come first unless blocks use each other.
//
// Edges inside a block are removed, except those from a value that is also used
// outside: they stay as a loop, so that the contributions to the value still
// add up. Several uses of a value by one block become one, with the sum of
// their contributions.
func (m *Model) collapse(assigned []int, blocks []block) *Model {
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
			r.at[i] = r.add(m.Nodes[i])
		case i == members[b][len(members[b])-1]:
			at := r.add(m.groupOf(blocks[b], members[b], outside))
			for _, member := range members[b] {
				r.at[member] = at
			}
		}
	}
	for i := range m.Edges {
		e := m.Edges[i]
		inside := assigned[e.From] >= 0 && assigned[e.From] == assigned[e.To]
		if !inside || outside[m.Source(&e).Identity()] && m.Nodes[e.From].Stub == Drawn {
			r.edge(e, r.at[e.From], r.at[e.To])
		}
	}
	return r.model()
}

// usedOutside returns the identities of the values used by a node of another
// block, and of the root.
func (m *Model) usedOutside(assigned []int) map[Identity]bool {
	outside := map[Identity]bool{}
	if m.Root >= 0 {
		root := &m.Nodes[m.Root]
		if g := root.Group; g != nil {
			root = &g.Outputs[len(g.Outputs)-1]
		}
		outside[root.Identity()] = true
	}
	for i := range m.Edges {
		e := &m.Edges[i]
		if assigned[e.From] != assigned[e.To] || assigned[e.From] < 0 {
			outside[m.Source(e).Identity()] = true
		}
	}
	return outside
}

// An Identity identifies a recorded value or an element of one.
type Identity struct{ id, element int }

func (n *Node) Identity() Identity { return Identity{n.ID, n.Element} }

// groupOf returns the node of a block.
func (m *Model) groupOf(b block, members []int, outside map[Identity]bool) Node {
	g := &group{}
	n := Node{Element: Whole, Op: "block", Custom: true, Kind: autograd.KindOperation, Name: b.name, Scope: b.scope, Group: g}
	for _, i := range members {
		member := m.Nodes[i]
		held, outputs := []Node{member}, []Node{member}
		switch {
		case member.Group != nil:
			held, outputs = member.Group.Members, member.Group.Outputs
		case member.Stub != Drawn:
			held, outputs = nil, nil
		}
		g.Members = append(g.Members, held...)
		for _, o := range outputs {
			if outside[o.Identity()] {
				g.Outputs = append(g.Outputs, o)
			}
		}
		n.Learns = n.Learns || member.Learns
		n.ID, n.Element, n.Source = member.ID, member.Element, member.Source
		for _, t := range member.Troubles {
			if !slices.Contains(n.Troubles, t) {
				n.Troubles = append(n.Troubles, t)
			}
		}
	}
	n.Op = Plural(len(g.Members), "value")
	n.summarize(g.Outputs, m.limit)
	return n
}

// summarize gives a node of several values the numbers of those used outside,
// keeping each element if there are at most limit.
func (n *Node) summarize(outputs []Node, limit int) {
	if len(outputs) == 1 {
		n.Value, n.Gradient, n.State = outputs[0].Value, outputs[0].Gradient, outputs[0].State
		return
	}
	var values, gradients []Numbers
	for i := range outputs {
		o := &outputs[i]
		values = append(values, o.Value)
		n.State = max(n.State, o.State)
		if o.State == Reached {
			gradients = append(gradients, o.Gradient)
		}
	}
	n.Value, n.Gradient = United(values...), United(gradients...)
	for _, all := range []*Numbers{&n.Value, &n.Gradient} {
		if all.Size > max(limit, 1) {
			all.Few = nil
		}
	}
}

// Plural returns "1 value", "12 values".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// A rebuild makes a model from parts of another one.
type rebuild struct {
	from, to *Model
	at       []int         // the index in to of each node of from; -1 for none
	merged   map[joint]int // edges of to, by the nodes that they join
}

// A joint is a value and the block that uses it.
type joint struct {
	value Identity
	block int
}

func newRebuild(m *Model) *rebuild {
	to := *m
	to.Nodes, to.Edges, to.Root = nil, nil, -1
	r := &rebuild{from: m, to: &to, at: make([]int, len(m.Nodes)), merged: map[joint]int{}}
	for i := range r.at {
		r.at[i] = -1
	}
	return r
}

// add adds a node, without its edges, and returns its index.
func (r *rebuild) add(n Node) int {
	n.In, n.Uses = nil, nil
	r.to.Nodes = append(r.to.Nodes, n)
	return len(r.to.Nodes) - 1
}

// edge adds an edge of the old model between two nodes of the new one. If they
// stand for several values, it notes which one is used and merges the uses of
// one value.
func (r *rebuild) edge(e Edge, from, to int) {
	source := r.from.Source(&e)
	e.From, e.To = from, to
	if r.to.Nodes[from].Several() {
		e.Of = source
	}
	if r.to.Nodes[to].Several() {
		e.Local, e.LocalKnown = Numbers{}, false
		key := joint{source.Identity(), to}
		if known, ok := r.merged[key]; ok {
			r.to.Edges[known].merge(&e, r.to.limit)
			return
		}
		r.merged[key] = len(r.to.Edges)
	}
	r.to.Edges = append(r.to.Edges, e)
}

// merge adds the contribution of another use of the same value.
func (e *Edge) merge(other *Edge, limit int) {
	e.Learns = e.Learns || other.Learns
	if !other.Received {
		return
	}
	if !e.Received {
		e.Received, e.Contribution, e.whole = true, other.Contribution, other.whole
		return
	}
	sum := slices.Clone(e.Terms())
	for i, v := range other.Terms() {
		sum[i] += v
	}
	shape := e.Contribution.Shape
	e.Contribution, e.whole = NewNumbers(autograd.NewTensor(sum), limit), sum
	e.Contribution.Shape = shape
}

// model returns the new model once all nodes and edges are added.
func (r *rebuild) model() *Model {
	m := r.to
	slices.SortStableFunc(m.Edges, func(a, b Edge) int { return a.To - b.To })
	for i := range m.Edges {
		e := &m.Edges[i]
		if m.Nodes[e.To].Several() {
			e.Input = len(m.Nodes[e.To].In)
		}
		m.Nodes[e.To].In = append(m.Nodes[e.To].In, i)
		m.Nodes[e.From].Uses = append(m.Nodes[e.From].Uses, i)
	}
	if r.from.Root >= 0 {
		m.Root = r.at[r.from.Root]
	}
	return m
}

// Several reports whether a node stands for values that a Selection joined or
// left out.
func (n *Node) Several() bool { return n.Group != nil || n.Stub != Drawn }

// holds reports whether a node is the recorded value or stands for it among
// others.
func (n *Node) holds(id int) bool {
	if n.Stub != Drawn {
		return false
	}
	if n.Group == nil {
		return n.ID == id
	}
	return slices.ContainsFunc(n.Group.Members, func(member Node) bool { return member.ID == id })
}

// Learned returns how many numbers of a group training changes.
func (g *group) Learned() int {
	count := 0
	for i := range g.Members {
		if n := &g.Members[i]; n.Learned() && !n.Frozen {
			count += n.Value.Size
		}
	}
	return count
}

// summary says what a group holds: "12 values, 9 parameters".
func (g *group) summary() string {
	s := Plural(len(g.Members), "value")
	if p := g.Learned(); p > 0 {
		s += fmt.Sprintf(", %s", Plural(p, "parameter"))
	}
	return s
}
