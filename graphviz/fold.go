package graphviz

import (
	"fmt"

	"nabla/internal/recording"
)

// defaultMaxWeights is the default of Options.MaxWeights.
const defaultMaxWeights = 30

// folded returns a model with a box for each layer if m would show more weights
// one by one than Options.MaxWeights. The view Course, which has no such boxes,
// becomes Layers. The view Neurons folds its columns itself.
func folded(m *recording.Model, o Options) (*recording.Model, Options) {
	weights := weightsOf(m)
	if o.MaxWeights < 0 || weights <= o.MaxWeights || o.View == Neurons || o.View == Layers {
		return m, o
	}
	layers := m.Layers()
	if weightsOf(layers) == weights { // there are no layers to fold
		return m, o
	}
	if o.View == Course {
		o.View = Layers
	}
	if o.Title != "" {
		o.Title += ", "
	}
	o.Title += fmt.Sprintf("%d weights: a box for each layer", weights)
	return layers, o
}

// weightsOf counts the learned numbers that have a box of their own, including
// biases.
func weightsOf(m *recording.Model) int {
	count := 0
	for i := range m.Nodes {
		if n := &m.Nodes[i]; n.Learned() && !n.Several() && n.Value.Size == 1 {
			count++
		}
	}
	return count
}

// kept reports which circles of a brain are drawn: all if they have at most
// that many weights, or most is negative; otherwise the first few of each
// column.
func kept(b *recording.Brain, most int) []bool {
	keep, place := make([]bool, len(b.Circles)), make([]int, len(b.Circles)) // place: in its column, from 0
	columns := map[int]int{}
	largest := 0
	for i, c := range b.Circles {
		place[i] = columns[c.Layer]
		columns[c.Layer]++
		largest = max(largest, columns[c.Layer])
	}
	for few := largest; ; few-- {
		for i := range keep {
			keep[i] = place[i] < few
		}
		if most < 0 || few <= 1 || drawnOf(b, keep) <= most {
			return keep
		}
	}
}

// drawnOf counts the weights between circles that are drawn.
func drawnOf(b *recording.Brain, keep []bool) int {
	count := 0
	for _, s := range b.Synapses {
		if keep[s.From] && keep[s.To] {
			count++
		}
	}
	return count
}
