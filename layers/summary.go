package layers

import (
	"fmt"
	"strings"

	"nabla/autograd"
)

// Summary returns a table of a model's layers: the name of each, the shape of
// its output for an input of that shape (the batch included), and how many
// numbers its Params hold. Shared Params count in the first layer that has
// them. The last lines are the total and, if any Params are frozen, how much of
// it is.
//
//	fmt.Print(layers.Summary(model, 24, 2))
//
// It panics with an *[autograd.NameError] if two Params have one name, and as
// Forward does if the input does not fit.
func Summary(model Layer, inputShape ...int) string {
	if !isNil(model) {
		autograd.CheckNames("layers: Summary", model.Params()...)
	}
	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	s := &summary{counted: map[*autograd.Param]bool{}}
	s.add("", nameFor(model), model, g.Constant(autograd.Zeros(inputShape...)))
	return s.text()
}

type summary struct {
	rows          []summaryRow
	counted       map[*autograd.Param]bool
	total, frozen int
}

type summaryRow struct{ layer, output, parameters string }

// add adds the layer's row, or those of a Sequential's layers, and returns the
// layer's output.
func (s *summary) add(path, name string, l Layer, x autograd.Value) autograd.Value {
	inner, ok := l.(*Sequential)
	if !ok {
		y := l.Forward(x)
		s.row(path+name, fmt.Sprint(y.Shape()), s.count(l))
		return y
	}
	if inner.name != "" {
		path += inner.name + "/"
	}
	for i, l := range inner.layers {
		x = s.add(path, inner.names[i], l, x)
	}
	return x
}

func nameFor(l Layer) string {
	if p, ok := asPlaced(l); ok && !isNil(l) {
		return p.Name()
	}
	return kindOf(l)
}

func (s *summary) row(layer, output string, parameters int) {
	s.rows = append(s.rows, summaryRow{layer, output, fmt.Sprint(parameters)})
}

// count returns the size of those of the layer's Params that have not been
// counted before.
func (s *summary) count(l Layer) int {
	n := 0
	for _, p := range l.Params() {
		if s.counted[p] {
			continue
		}
		s.counted[p] = true
		n += p.Size()
		if p.Frozen {
			s.frozen += p.Size()
		}
	}
	s.total += n
	return n
}

// text lays the rows out in columns.
func (s *summary) text() string {
	s.row("total", "", s.total)
	if s.frozen > 0 {
		s.row("frozen", "", s.frozen)
	}
	rows := append([]summaryRow{{"layer", "output", "parameters"}}, s.rows...)
	var layer, output, parameters int
	for _, r := range rows {
		layer, output, parameters = max(layer, len([]rune(r.layer))), max(output, len(r.output)), max(parameters, len(r.parameters))
	}
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%-*s  %-*s  %*s\n", layer, r.layer, output, r.output, parameters, r.parameters)
	}
	return b.String()
}
