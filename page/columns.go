package page

import (
	"math"

	"nabla/autograd"
	"nabla/data"
	"nabla/internal/recording"
)

// Columns give the names, units and scaling of the data's columns that are a
// network's inputs or targets: the page then shows "3.1 miles" beside the
// −1.075 that the network sees.
//
//	scaler := data.FitStandard(features)
//	page.Options{Inputs: page.Columns{
//		Names: []string{"distance", "rating"}, Units: []string{"miles", ""}, Scaler: scaler,
//	}}
type Columns struct {
	Names  []string // one for each column, starting with the first
	Units  []string // one for each name, possibly ""; nil if there are none
	Scaler Scaler   // fitted on these columns; nil if the network sees the data unscaled
}

// A Scaler converts scaled numbers back to those of the data, each column
// separately as a·x + b. [data.Standard] and [data.MinMax] are Scalers.
type Scaler interface {
	Inverse(x data.Matrix) data.Matrix
}

// A feature is a column as the page reads it. A number v in the network is
// Factor·v + Offset in the data.
type feature struct {
	Name   string   `json:"n"`
	Unit   string   `json:"u,omitempty"`
	Factor *float64 `json:"f,omitempty"` // nil if not scaled
	Offset float64  `json:"o,omitempty"`
}

// checked returns the columns as features. It panics with an
// *[autograd.ArgumentError] that names what if they do not fit together.
func (c Columns) checked(op, what string) []feature {
	if len(c.Units) != 0 && len(c.Units) != len(c.Names) {
		panic(autograd.NewArgumentError(op, "%s: %d Units for %d Names", what, len(c.Units), len(c.Names)))
	}
	all := make([]feature, len(c.Names))
	for i, name := range c.Names {
		all[i].Name = recording.Visible(name)
		if len(c.Units) > 0 && c.Units[i] != "" {
			all[i].Unit = recording.Visible(c.Units[i])
		}
	}
	if c.Scaler == nil || len(c.Names) == 0 {
		return all
	}
	const probe = 2
	at := func(v float64) []float64 {
		row := make([]float64, len(c.Names))
		for i := range row {
			row[i] = v
		}
		return c.Scaler.Inverse(data.FromRows(row)).Values
	}
	zero, one, two := at(0), at(1), at(probe)
	for i := range all {
		factor := one[i] - zero[i]
		all[i].Factor, all[i].Offset = &factor, zero[i]
		if straight := zero[i] + probe*factor; !finite(factor, zero[i]) || math.Abs(two[i]-straight) > 1e-9*(math.Abs(zero[i])+math.Abs(factor)) {
			panic(autograd.NewArgumentError(op, "%s: the Scaler is not a·x + b in column %d", what, i))
		}
	}
	return all
}

// columnOf returns the column of a number: its index on the last axis, or, for
// a single number, its index among the values of its role.
func columnOf(n *recording.Node, before int) int {
	if shape := n.Source.Value.Shape(); len(shape) > 0 && n.Element >= 0 {
		return n.Element % shape[len(shape)-1]
	}
	return before
}

// addFeatures assigns columns to the inputs and targets of a plan.
func (p *plan) addFeatures(m *recording.Model, inputs, targets []feature) {
	p.Features = append(append([]feature(nil), inputs...), targets...)
	seen := map[autograd.Role]int{}
	for i := range m.Nodes {
		n := &m.Nodes[i]
		count, first := len(inputs), 0
		if n.Role == autograd.RoleTarget {
			count, first = len(targets), len(inputs)
		}
		if n.Role == autograd.RoleNone || n.Value.Size != 1 || len(n.In) > 0 {
			continue
		}
		if column := columnOf(n, seen[n.Role]); column < count {
			p.Nodes[i].Feature = first + column + 1
		}
		seen[n.Role]++
	}
}
