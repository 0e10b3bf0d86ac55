package graphviz

import (
	"fmt"
	"math"

	"nabla/autograd"
	"nabla/internal/recording"
)

// AddUp checks a drawing of a float64 recording after its backward pass: the
// contributions on the edges of a value add up to its gradient, element by
// element, within 1e-12 of the largest term. It returns how many values it
// checked.
func AddUp(root autograd.Value, grads autograd.Gradients, o Options) (values int, err error) {
	m, _, err := modelOf(root, grads, o.checked())
	if err != nil {
		return 0, err
	}
	sums, largest, sources := map[recording.Identity][]float64{}, map[recording.Identity][]float64{}, map[recording.Identity]*recording.Node{}
	for i := range m.Edges {
		e := &m.Edges[i]
		source := m.Source(e)
		if e.Of == nil && m.Nodes[e.From].Several() {
			return 0, fmt.Errorf("an edge from %q does not say of which value", m.Nodes[e.From].Title())
		}
		if m.Nodes[e.From].Stub != recording.Drawn {
			continue // not all uses of a value that was left out are there
		}
		id := source.Identity()
		if sources[id] == nil {
			sources[id] = source
		}
		if !e.Received {
			continue
		}
		terms := e.Terms()
		if sums[id] == nil {
			sums[id], largest[id] = make([]float64, len(terms)), make([]float64, len(terms))
		}
		for k, v := range terms {
			sums[id][k] += v
			largest[id][k] = max(largest[id][k], math.Abs(v))
		}
	}
	for id, source := range sources {
		if source.State != recording.Reached {
			continue
		}
		gradient := source.Gradient.Few
		if gradient == nil {
			gradient = recording.ElementsOf(grads.Of(source.Source.Value))
		}
		if len(gradient) != len(sums[id]) {
			return 0, fmt.Errorf("%s: %d elements of terms, %d of the gradient", source.Title(), len(sums[id]), len(gradient))
		}
		for k, want := range gradient {
			got := sums[id][k]
			if same := got == want || math.IsNaN(got) && math.IsNaN(want); !same && !(math.Abs(got-want) <= 1e-12*largest[id][k]) {
				return 0, fmt.Errorf("%s, element %d: the terms add up to %v, the gradient is %v", source.Title(), k, got, want)
			}
		}
		values++
	}
	return values, nil
}
