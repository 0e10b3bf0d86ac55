package graphviz

import (
	"cmp"
	"slices"

	"nabla/autograd"
)

// WeightedSums draws the products and sums of single numbers that make up a
// neuron's weighted sum as one node: z = w1·x1 + w2·x2 + b, with an arrow from
// each input. The factor on it is what the input is multiplied with: x for the
// weight, w for the input, 1 for the bias.
//
// Products and sums without a name that are used once go into the sum that
// uses them, in the same scope. What has a name stays, and so does a value that
// is used twice. A lone product of a parameter or variable is a weighted sum of
// one term. The contributions are those of the recording.
func WeightedSums() Selection {
	return Selection{func(m *model) (*model, error) { return m.withWeightedSums(), nil }}
}

// weightedSum is the operation of a node whose terms are drawn on its edges.
const weightedSum = "weighted sum"

// A term of a weighted sum is the inputs that are multiplied: a weight and what
// it weighs, or a bias alone.
type term []int

// A weigher finds the weighted sums of a model.
type weigher struct {
	m        *model
	products []bool // the node is a sum with a product in it
	absorbed []bool // the node is part of the sum that uses it
}

func (m *model) withWeightedSums() *model {
	w := &weigher{m, make([]bool, len(m.nodes)), make([]bool, len(m.nodes))}
	for i := range m.nodes {
		w.products[i] = w.hasProduct(i)
	}
	for i := range m.nodes {
		w.absorbed[i] = w.mayBeAbsorbed(i) && w.products[m.edges[m.nodes[i].uses[0]].to]
	}
	return w.fused()
}

// terms returns the products that a node adds up, as edges; none if it is no
// sum.
func (m *model) terms(i int) [][]int {
	n := &m.nodes[i]
	switch {
	case n.terms != nil:
		all := make([][]int, len(n.terms))
		for k, t := range n.terms {
			for _, input := range t {
				all[k] = append(all[k], n.in[input])
			}
		}
		return all
	case n.custom || n.element == whole && !m.single(i):
		return nil
	case n.op == "add":
		return [][]int{{n.in[0]}, {n.in[1]}}
	case n.op == "mul":
		return [][]int{{n.in[0], n.in[1]}}
	}
	return nil
}

// single reports whether a node is a single number computed from such.
func (m *model) single(i int) bool {
	n := &m.nodes[i]
	for _, e := range n.in {
		if m.nodes[m.edges[e].from].value.size != 1 {
			return false
		}
	}
	return n.value.size == 1
}

// mayBeAbsorbed reports whether a node is a sum or product that only a sum in
// the same scope uses, as one of its terms.
func (w *weigher) mayBeAbsorbed(i int) bool {
	m, n := w.m, &w.m.nodes[i]
	if n.name != "" || len(n.uses) != 1 || m.terms(i) == nil {
		return false
	}
	to := m.edges[n.uses[0]].to
	return m.nodes[to].scope == n.scope && slices.ContainsFunc(m.terms(to), func(t []int) bool {
		return len(t) == 1 && t[0] == n.uses[0]
	})
}

func (w *weigher) hasProduct(i int) bool {
	return slices.ContainsFunc(w.m.terms(i), func(t []int) bool {
		from := w.m.edges[t[0]].from
		return len(t) > 1 || w.products[from] && w.mayBeAbsorbed(from)
	})
}

// fused returns the model with the sums that were found.
func (w *weigher) fused() *model {
	m, places := w.m, make([]int, len(w.m.nodes))
	out := *m
	out.nodes, out.edges = nil, nil
	for i, n := range m.nodes {
		if w.absorbed[i] {
			continue
		}
		places[i] = len(out.nodes)
		inputs := n.in
		if w.isWeighted(i) {
			n.terms, inputs = w.gather(i)
			n.op, n.constants = weightedSum, nil
		}
		out.nodes = append(out.nodes, n)
		for input, e := range inputs {
			used := m.edges[e]
			used.from, used.to, used.input = places[used.from], places[i], input
			out.edges = append(out.edges, used)
		}
	}
	out.root = places[m.root]
	out.link()
	return &out
}

// isWeighted reports whether a node is drawn as a weighted sum: one with a
// product, but a lone product only of something learned.
func (w *weigher) isWeighted(i int) bool {
	m, n := w.m, &w.m.nodes[i]
	if n.op != "mul" || n.terms != nil {
		return w.products[i]
	}
	return w.products[i] && m.edges[n.in[0]].from != m.edges[n.in[1]].from &&
		(m.isLearned(n.in[0]) || m.isLearned(n.in[1]))
}

// isLearned reports whether an edge comes from a parameter or variable.
func (m *model) isLearned(e int) bool {
	kind := m.nodes[m.edges[e].from].kind
	return kind == autograd.KindParam || kind == autograd.KindVariable
}

// gather returns the terms of a sum, with those of what it absorbs in their
// places, and its inputs as edges.
func (w *weigher) gather(i int) (terms []term, inputs []int) {
	m := w.m
	open := m.terms(i)
	slices.Reverse(open) // the next one is the last
	for len(open) > 0 {
		next := open[len(open)-1]
		open = open[:len(open)-1]
		if from := m.edges[next[0]].from; len(next) == 1 && w.absorbed[from] {
			inner := m.terms(from)
			slices.Reverse(inner)
			open = append(open, inner...)
			continue
		}
		var t term
		for _, e := range m.weightFirst(next) {
			t = append(t, len(inputs))
			inputs = append(inputs, e)
		}
		terms = append(terms, t)
	}
	return terms, inputs
}

// weightFirst returns the edges of a product, that of the weight first.
func (m *model) weightFirst(edges []int) []int {
	if len(edges) == 2 && !m.isLearned(edges[0]) && m.isLearned(edges[1]) {
		return []int{edges[1], edges[0]}
	}
	return edges
}

// link puts the edges in order and tells the nodes of them.
func (m *model) link() {
	slices.SortStableFunc(m.edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.input, b.input)) })
	for i := range m.nodes {
		m.nodes[i].in, m.nodes[i].uses = nil, nil
	}
	for i := range m.edges {
		e := &m.edges[i]
		m.nodes[e.to].in = append(m.nodes[e.to].in, i)
		m.nodes[e.from].uses = append(m.nodes[e.from].uses, i)
	}
}
