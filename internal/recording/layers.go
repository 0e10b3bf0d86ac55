package recording

import (
	"cmp"
	"strings"
	"unicode"
)

// Layers returns the model with one node for each layer. A layer is a scope;
// but a scope that holds only scopes that lead from one to the next, such as
// that of a named Sequential, is replaced by its contents.
func (m *Model) Layers() *Model {
	container := m.containers()
	chosen := make([]int, len(m.Scopes))
	for s := 1; s < len(m.Scopes); s++ {
		parent := m.Scopes[s].Parent
		switch {
		case chosen[parent] != 0:
			chosen[s] = chosen[parent]
		case !container[s]:
			chosen[s] = s
		}
	}
	return m.collapseScopes(chosen)
}

// containers reports for each scope whether it has no values of its own and
// holds scopes that lead from one to the next.
func (m *Model) containers() []bool {
	own, leads := make([]bool, len(m.Scopes)), make([]bool, len(m.Scopes))
	for i := range m.Nodes {
		own[m.Nodes[i].Scope] = true
	}
	for i := range m.Edges {
		from, to := m.Nodes[m.Edges[i].From].Scope, m.Nodes[m.Edges[i].To].Scope
		if parent := m.common(from, to); parent != from && parent != to {
			leads[parent] = true
		}
	}
	for s := range leads {
		leads[s] = leads[s] && !own[s]
	}
	return leads
}

// A Tally is the values of a layer with the same name: z, a, W or b.
type Tally struct {
	Name  string
	nodes []Node
	Param bool // only the gradient is of interest
}

// Tallies returns a layer's weighted sums, outputs, weights and biases.
func (g *group) Tallies() []Tally {
	outputs := map[Identity]bool{}
	for i := range g.Outputs {
		outputs[g.Outputs[i].Identity()] = true
	}
	var all []Tally
	var weights, biases Tally
	for _, n := range g.Members {
		switch {
		case n.Learned() && n.isBias():
			biases = Tally{"b", append(biases.nodes, n), true}
		case n.Learned():
			weights = Tally{"W", append(weights.nodes, n), true}
		case n.stem() == "z" || outputs[n.Identity()]:
			all = tallied(all, n)
		}
	}
	for _, t := range []Tally{weights, biases} {
		if t.nodes != nil {
			all = append(all, t)
		}
	}
	return all
}

// tallied adds a value to those of its name.
func tallied(all []Tally, n Node) []Tally {
	name := n.stem()
	for i := range all {
		if all[i].Name == name {
			all[i].nodes = append(all[i].nodes, n)
			return all
		}
	}
	return append(all, Tally{Name: name, nodes: []Node{n}})
}

// stem returns a name without the number at its end: z for z1. It returns y if
// there is no name or a long one.
func (n *Node) stem() string {
	stem := strings.TrimRightFunc(n.Name, unicode.IsDigit)
	if stem == "" || !isSymbol(stem) {
		return "y"
	}
	return Shown(stem)
}

// isBias reports whether a parameter is a bias, by the end of its name.
func (n *Node) isBias() bool {
	at := strings.LastIndexAny(n.Name, "./ ")
	last := strings.TrimRightFunc(n.Name[at+1:], unicode.IsDigit)
	return last == "b" || last == "bias" || last == "beta"
}

// Norms returns the values and the gradients, each combined, and why there is
// no gradient: NoGradient if none is expected.
func (t *Tally) Norms() (value, gradient Numbers, words string) {
	var values, gradients []Numbers
	state := None
	for i := range t.nodes {
		n := &t.nodes[i]
		values = append(values, n.Value)
		if state = max(state, n.State); n.State == Reached {
			gradients = append(gradients, n.Gradient)
		}
	}
	if state != Reached {
		words = cmp.Or(state.Words(), NoGradient)
	}
	return United(values...), United(gradients...), words
}

// NoGradient stands for the gradient of a value that depends on nothing
// learned.
const NoGradient = "none"
