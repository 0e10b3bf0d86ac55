package recording

import (
	"fmt"
	"slices"

	"nabla/autograd"
)

// A Step is one block of an unrolled loop: it computes the same as the block
// before it, with the same parameters, from what that one computed.
type Step struct {
	Name  string
	Nodes []int // the operations in it
}

// Unrolled returns the steps of the loops that a recording unrolls, in the
// order of the recording: scopes that repeat, such as step1, step2, …, or one
// scope that was entered again and again. There are none if the blocks do not
// follow each other, as those that share weights side by side.
func (m *Model) Unrolled() []Step {
	f := &folder{Model: m}
	f.gather()
	f.sign()
	return f.loops(0)
}

// loops returns the steps among the scopes in a scope.
func (f *folder) loops(parent int) []Step {
	var all []Step
	scopes := f.children[parent]
	for at := 0; at < len(scopes); {
		period, times := f.repeats(scopes[at:])
		first, rest := scopes[at:at+period], scopes[at+period:at+period*times]
		var steps []Step
		if times > 1 && f.share(first, rest) {
			for block := range slices.Chunk(scopes[at:at+period*times], period) {
				steps = append(steps, f.stepOf(block))
			}
		}
		if !f.follow(steps) {
			steps = nil
			for _, s := range scopes[at : at+period*times] {
				steps = append(steps, f.loopsIn(s)...)
			}
		}
		all = append(all, steps...)
		at += period * times
	}
	return all
}

// loopsIn returns the steps of one scope: its calls, unless the scopes in it
// are steps that hold all of it.
func (f *folder) loopsIn(s int) []Step {
	inner, held := f.loops(s), 0
	for _, step := range inner {
		held += len(step.Nodes)
	}
	if calls := f.stepsOf(s); held < len(f.operations(f.all[s])) && f.follow(calls) {
		return calls
	}
	return inner
}

// operations returns the operations among some nodes.
func (f *folder) operations(nodes []int) []int {
	return slices.DeleteFunc(slices.Clone(nodes), func(i int) bool { return f.Nodes[i].Kind != autograd.KindOperation })
}

// stepOf returns the step that consists of some scopes.
func (f *folder) stepOf(scopes []int) Step {
	s := Step{Name: Shown(f.Scopes[scopes[0]].Name)}
	for _, scope := range scopes {
		s.Nodes = append(s.Nodes, f.operations(f.all[scope])...)
	}
	return s
}

// stepsOf returns the steps of a scope that was entered several times.
func (f *folder) stepsOf(s int) []Step {
	computed := f.operations(f.all[s])
	length := f.period(computed)
	if length == 0 || length == len(computed) {
		return nil
	}
	var steps []Step
	for part := range slices.Chunk(computed, length) {
		steps = append(steps, Step{fmt.Sprintf("%s, step %d", Shown(f.Scopes[s].Name), len(steps)+1), part})
	}
	return steps
}

// follow reports whether there are steps and each uses a value of the one
// before it.
func (f *folder) follow(steps []Step) bool {
	for k := range steps {
		if k > 0 && !slices.ContainsFunc(steps[k].Nodes, func(i int) bool {
			return slices.ContainsFunc(f.Nodes[i].In, func(e int) bool { return slices.Contains(steps[k-1].Nodes, f.Edges[e].From) })
		}) {
			return false
		}
	}
	return len(steps) > 1
}

// Places returns the nodes that use a value, each once, in order, without those
// that stand for the other rows of a batch.
func (m *Model) Places(n *Node) []int {
	var all []int
	for _, use := range n.Uses {
		if to := m.Edges[use].To; !m.Nodes[to].IsRest() && !slices.Contains(all, to) {
			all = append(all, to)
		}
	}
	return all
}

// HomeOf returns the innermost scope that holds everything that uses a learned
// value; for another node, or without uses, its own.
func (m *Model) HomeOf(n *Node) int {
	places := m.Places(n)
	if !n.Learned() || len(places) < 2 {
		return n.Scope
	}
	home := m.Nodes[places[0]].Scope
	for _, i := range places {
		home = m.common(home, m.Nodes[i].Scope)
	}
	return home
}
