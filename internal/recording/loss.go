package recording

import (
	"slices"

	"nabla/internal/operations"

	"nabla/autograd"
)

// LossNodes reports for each node whether it belongs to the loss: computed from
// the targets or in a scope named loss, or after such a node.
func (m *Model) LossNodes() []bool {
	loss, targets := make([]bool, len(m.Nodes)), m.Targets()
	for i := range m.Nodes {
		n := &m.Nodes[i]
		if n.Kind != autograd.KindOperation {
			continue
		}
		loss[i] = n.IsRest() || m.Scopes[n.Scope].Name == "loss" ||
			slices.ContainsFunc(n.In, func(e int) bool {
				from := m.Edges[e].From
				return loss[from] || targets[from]
			})
	}
	return loss
}

// Targets reports for each node whether predictions are compared with it: the
// nodes marked as targets. If none is marked, it is the constants that are only
// compared with, or subtracted from, learned values, with no parameter used
// after that. The 1 in 1 − a, which has no name, is not a target.
func (m *Model) Targets() []bool {
	targets, marked := make([]bool, len(m.Nodes)), false
	for i := range m.Nodes {
		targets[i] = m.Nodes[i].Role == autograd.RoleTarget
		marked = marked || targets[i]
	}
	if marked {
		return targets
	}
	learned := m.learnedAfter()
	for i := range m.Nodes {
		n := &m.Nodes[i]
		targets[i] = n.Role == autograd.RoleNone && n.Kind == autograd.KindConstant && len(n.Uses) > 0 &&
			!slices.ContainsFunc(n.Uses, func(e int) bool {
				return !m.compares(&m.Edges[e], n.Name != "") || learned[m.Edges[e].To]
			})
	}
	return targets
}

// learnedAfter reports for each node whether parameters or variables enter on
// the way from it to the root.
func (m *Model) learnedAfter() []bool {
	after := make([]bool, len(m.Nodes))
	for i, n := range slices.Backward(m.Nodes) {
		for _, use := range n.Uses {
			to := m.Edges[use].To
			after[i] = after[i] || after[to] || slices.ContainsFunc(m.Nodes[to].In, m.isLearned)
		}
	}
	return after
}

// compares reports whether an edge leads a target to where a prediction is
// compared with it.
func (m *Model) compares(e *Edge, named bool) bool {
	to := &m.Nodes[e.To]
	switch {
	case to.Custom || !to.Learns:
		return false
	case to.Op == operations.Sub:
		return e.Input == 1 || named
	}
	return e.Input == 1 && to.Operation().Compares
}
