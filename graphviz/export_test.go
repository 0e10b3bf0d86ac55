package graphviz

import (
	"fmt"
	"math"

	"nabla/autograd"
)

// AddUp checks a drawing of a float64 recording after its backward pass: what
// the edges of a value hand on adds up to its gradient, element by element,
// within 1e-12 of the largest term. It returns how many values it looked at.
func AddUp(root autograd.Value, o Options) (values int, err error) {
	m, err := modelOf(root, o.checked())
	if err != nil {
		return 0, err
	}
	sums, largest, sources := map[identity][]float64{}, map[identity][]float64{}, map[identity]*node{}
	for i := range m.edges {
		e := &m.edges[i]
		source := m.source(e)
		if e.of == nil && m.nodes[e.from].several() {
			return 0, fmt.Errorf("an edge from %q does not say of which value", m.nodes[e.from].title())
		}
		if m.nodes[e.from].stub != drawn {
			continue // of what is left out, not all uses are there
		}
		id := source.identity()
		if sources[id] == nil {
			sources[id] = source
		}
		if !e.received {
			continue
		}
		terms := e.terms()
		if sums[id] == nil {
			sums[id], largest[id] = make([]float64, len(terms)), make([]float64, len(terms))
		}
		for k, v := range terms {
			sums[id][k] += v
			largest[id][k] = max(largest[id][k], math.Abs(v))
		}
	}
	for id, source := range sources {
		if source.state != reached {
			continue
		}
		gradient := source.gradient.few
		if gradient == nil {
			gradient = elementsOf(o.Gradients.Of(source.source.Value))
		}
		if len(gradient) != len(sums[id]) {
			return 0, fmt.Errorf("%s: %d elements of terms, %d of the gradient", source.title(), len(sums[id]), len(gradient))
		}
		for k, want := range gradient {
			got := sums[id][k]
			if same := got == want || math.IsNaN(got) && math.IsNaN(want); !same && !(math.Abs(got-want) <= 1e-12*largest[id][k]) {
				return 0, fmt.Errorf("%s, element %d: the terms add up to %v, the gradient is %v", source.title(), k, got, want)
			}
		}
		values++
	}
	return values, nil
}

// Formulas are the operations of which a drawing says what becomes of the
// gradient.
func Formulas() map[string]bool {
	known := map[string]bool{}
	for op := range formulas {
		known[op] = true
	}
	return known
}
