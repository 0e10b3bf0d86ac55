package plot

import (
	"image/color"
	"math"
	"slices"
	"strings"

	gonum "gonum.org/v1/plot"

	"nabla/autograd"
	"nabla/internal/palette"
	"nabla/train"
)

// A Norm is one of those that a [train.Watch] takes of each Param.
type Norm uint8

const (
	WeightNorm   Norm = iota // of the weights
	GradientNorm             // of their gradients
	UpdateNorm               // of what a step changed
	UpdateShare              // of what a step changed, divided by that of the weights
)

var normNames = []string{"norm of the weights", "norm of the gradients", "norm of the updates", "update ÷ weights"}

// String returns the words for the axis.
func (n Norm) String() string {
	if int(n) < len(normNames) {
		return normNames[n]
	}
	return "unknown"
}

// mostSeries is how many lines have a colour and an entry of their own.
const mostSeries = 14

// Norms draws norms by step and layer, as the looks of a [train.Watch] have
// them, on a logarithmic axis. The Params of a layer, whose names differ after
// the last dot, count as one vector. If there are many layers, colours run from
// the first to the last one. Norms of 0 are left out. It panics with an
// *[autograd.ArgumentError] if there is no such Norm.
func Norms(looks []train.Look, of Norm) *gonum.Plot {
	if int(of) >= len(normNames) {
		panic(autograd.NewArgumentError("plot: Norms", "there is no Norm %d", of))
	}
	var order []string
	layers := map[string]*Series{}
	for _, look := range looks {
		for name, v := range layerNorms(look, of) {
			s := layers[name]
			if s == nil {
				s = &Series{Name: name}
				layers[name] = s
				order = append(order, name)
			}
			if v <= 0 {
				v = math.NaN() // no logarithm: a gap
			}
			s.X, s.Y = append(s.X, float64(look.Step)), append(s.Y, v)
		}
	}
	all := make([]Series, len(order))
	for i, name := range order {
		all[i] = *layers[name]
	}
	p := byLayer(all)
	p.X.Label.Text, p.Y.Label.Text = "step", of.String()
	p.X.Tick.Marker = ticks{whole: true}
	LogY(p)
	return p
}

// layerNorms ranges over the layers of a look, in their order, with the norm of
// their Params together.
func layerNorms(look train.Look, of Norm) func(yield func(string, float64) bool) {
	type pair struct{ weight, gradient, update float64 }
	var order []string
	sums := map[string]pair{}
	for _, p := range look.Params {
		name := p.Name
		if i := strings.LastIndexByte(name, '.'); i > 0 {
			name = name[:i]
		}
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
		s := sums[name]
		sums[name] = pair{autograd.JoinNorms(s.weight, p.Weight), autograd.JoinNorms(s.gradient, p.Gradient), autograd.JoinNorms(s.update, p.Update)}
	}
	return func(yield func(string, float64) bool) {
		for _, name := range order {
			s := sums[name]
			if !yield(name, []float64{s.weight, s.gradient, s.update, s.update / s.weight}[of]) {
				return
			}
		}
	}
}

// byLayer draws series of layers.
func byLayer(all []Series) *gonum.Plot {
	if len(all) <= mostSeries {
		return Lines(all...)
	}
	p := New()
	p.Add(gridLines{})
	for i, s := range all {
		style := lineOf(0)
		style.Color = depth(float64(i) / float64(len(all)-1))
		s.add(p, "plot: Norms", style)
	}
	addKey(p, scaleEntry(all[0].Name+" to "+all[len(all)-1].Name, depth))
	return p
}

// depth is the colour of a layer, from the first to the last.
func depth(part float64) color.RGBA {
	if part < 0.5 {
		return palette.Mix(palette.Orange, palette.Green, 2*part)
	}
	return palette.Mix(palette.Green, palette.Blue, 2*part-1)
}

// DeadUnits draws by step which share of the units of each relu was dead, as
// the looks of a [train.Watch] have it.
func DeadUnits(looks []train.Look) *gonum.Plot {
	var all []Series
	for _, look := range looks {
		for _, u := range look.Units {
			i := slices.IndexFunc(all, func(s Series) bool { return s.Name == u.Name })
			if i < 0 {
				i = len(all)
				all = append(all, Series{Name: u.Name})
			}
			all[i].X = append(all[i].X, float64(look.Step))
			all[i].Y = append(all[i].Y, float64(u.Dead)/float64(u.Units))
		}
	}
	p := byLayer(all)
	p.X.Label.Text, p.Y.Label.Text = "step", "share of dead units"
	p.X.Tick.Marker = ticks{whole: true}
	p.Y.Min, p.Y.Max = 0, 1
	return p
}
