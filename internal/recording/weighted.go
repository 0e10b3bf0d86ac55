package recording

import (
	"cmp"
	"slices"

	"nabla/internal/operations"

	"nabla/autograd"
)

// WeightedSums is [graphviz.WeightedSums].
func WeightedSums() Selection {
	return Selection{func(m *Model) (*Model, error) { return m.withWeightedSums(), nil }}
}

// A Term of a weighted sum is the inputs that are multiplied: a weight and its
// input, or a bias alone.
type Term []int

// A weigher finds the weighted sums of a model.
type weigher struct {
	m        *Model
	products []bool // the node is a sum with a product in it
	absorbed []bool // the node is part of the sum that uses it
}

func (m *Model) withWeightedSums() *Model {
	w := &weigher{m, make([]bool, len(m.Nodes)), make([]bool, len(m.Nodes))}
	for i := range m.Nodes {
		w.products[i] = w.hasProduct(i)
	}
	for i := range m.Nodes {
		w.absorbed[i] = w.mayBeAbsorbed(i) && w.products[m.Edges[m.Nodes[i].Uses[0]].To]
	}
	return w.fused()
}

// terms returns the products that a node adds up, as edges; none if it is not a
// sum.
func (m *Model) terms(i int) [][]int {
	n := &m.Nodes[i]
	switch {
	case n.Terms != nil:
		all := make([][]int, len(n.Terms))
		for k, t := range n.Terms {
			for _, input := range t {
				all[k] = append(all[k], n.In[input])
			}
		}
		return all
	case n.Custom || n.Element == Whole && !m.single(i):
		return nil
	case n.Op == operations.Add:
		return [][]int{{n.In[0]}, {n.In[1]}}
	case n.Op == operations.Mul:
		return [][]int{{n.In[0], n.In[1]}}
	}
	return nil
}

// single reports whether a node is a single number computed from single
// numbers.
func (m *Model) single(i int) bool {
	n := &m.Nodes[i]
	for _, e := range n.In {
		if m.Nodes[m.Edges[e].From].Value.Size != 1 {
			return false
		}
	}
	return n.Value.Size == 1
}

// mayBeAbsorbed reports whether a node is a sum or product that is used only as
// a term of a sum in the same scope.
func (w *weigher) mayBeAbsorbed(i int) bool {
	m, n := w.m, &w.m.Nodes[i]
	if n.Name != "" || len(n.Uses) != 1 || m.terms(i) == nil {
		return false
	}
	to := m.Edges[n.Uses[0]].To
	return m.Nodes[to].Scope == n.Scope && slices.ContainsFunc(m.terms(to), func(t []int) bool {
		return len(t) == 1 && t[0] == n.Uses[0]
	})
}

func (w *weigher) hasProduct(i int) bool {
	return slices.ContainsFunc(w.m.terms(i), func(t []int) bool {
		from := w.m.Edges[t[0]].From
		return len(t) > 1 || w.products[from] && w.mayBeAbsorbed(from)
	})
}

// fused returns the model with the sums that were found.
func (w *weigher) fused() *Model {
	m, places := w.m, make([]int, len(w.m.Nodes))
	out := *m
	out.Nodes, out.Edges = nil, nil
	for i, n := range m.Nodes {
		if w.absorbed[i] {
			continue
		}
		places[i] = len(out.Nodes)
		inputs := n.In
		if w.isWeighted(i) {
			n.Terms, inputs = w.gather(i)
			n.Op, n.Constants = operations.WeightedSum, nil
		}
		out.Nodes = append(out.Nodes, n)
		for input, e := range inputs {
			used := m.Edges[e]
			used.From, used.To, used.Input = places[used.From], places[i], input
			out.Edges = append(out.Edges, used)
		}
	}
	out.Root = places[m.Root]
	out.link()
	return &out
}

// isWeighted reports whether a node is drawn as a weighted sum: a sum with a
// product, or a single product with a learned factor.
func (w *weigher) isWeighted(i int) bool {
	m, n := w.m, &w.m.Nodes[i]
	if n.Op != operations.Mul || n.Terms != nil {
		return w.products[i]
	}
	return w.products[i] && m.Edges[n.In[0]].From != m.Edges[n.In[1]].From &&
		(m.isLearned(n.In[0]) || m.isLearned(n.In[1]))
}

// isLearned reports whether an edge comes from a parameter or variable.
func (m *Model) isLearned(e int) bool {
	kind := m.Nodes[m.Edges[e].From].Kind
	return kind == autograd.KindParam || kind == autograd.KindVariable
}

// gather returns the terms of a sum, with absorbed nodes replaced by their
// terms, and its inputs as edges.
func (w *weigher) gather(i int) (terms []Term, inputs []int) {
	m := w.m
	open := m.terms(i)
	slices.Reverse(open) // the next one is the last
	for len(open) > 0 {
		next := open[len(open)-1]
		open = open[:len(open)-1]
		if from := m.Edges[next[0]].From; len(next) == 1 && w.absorbed[from] {
			inner := m.terms(from)
			slices.Reverse(inner)
			open = append(open, inner...)
			continue
		}
		var t Term
		for _, e := range m.weightFirst(next) {
			t = append(t, len(inputs))
			inputs = append(inputs, e)
		}
		terms = append(terms, t)
	}
	return terms, inputs
}

// weightFirst returns the edges of a product, the weight's first.
func (m *Model) weightFirst(edges []int) []int {
	if len(edges) == 2 && !m.isLearned(edges[0]) && m.isLearned(edges[1]) {
		return []int{edges[1], edges[0]}
	}
	return edges
}

// link sorts the edges and stores them in the nodes.
func (m *Model) link() {
	slices.SortStableFunc(m.Edges, func(a, b Edge) int { return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.Input, b.Input)) })
	for i := range m.Nodes {
		m.Nodes[i].In, m.Nodes[i].Uses = nil, nil
	}
	for i := range m.Edges {
		e := &m.Edges[i]
		m.Nodes[e.To].In = append(m.Nodes[e.To].In, i)
		m.Nodes[e.From].Uses = append(m.Nodes[e.From].Uses, i)
	}
}
