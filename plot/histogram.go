package plot

import (
	"math"
	"strconv"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"nabla/autograd"
	"nabla/internal/palette"
	"nabla/train"
)

// A Sample is numbers with a name, such as the weights of a layer or those
// after an epoch.
type Sample struct {
	Name   string
	Values autograd.Tensor
}

// Weights returns the numbers of each Param.
func Weights(params []*autograd.Param) []Sample {
	var all []Sample
	for _, p := range params {
		all = append(all, Sample{p.Name(), p.Tensor()})
	}
	return all
}

// Gradients returns the gradients of the Params that were reached, in the order
// of their first use.
func Gradients(grads autograd.Gradients) []Sample {
	var all []Sample
	for p, t := range grads.All() {
		all = append(all, Sample{p.Name(), t.Clone()})
	}
	return all
}

// histogramBins is how many bars a histogram has.
const histogramBins = 60

// Histograms draws a histogram of each sample on a common axis, one below the
// other: those of a network's weights or gradients by layer ([Weights],
// [Gradients]), or of one layer by epoch. Each is as high as the others,
// whatever its number of values. NaN and infinities are left out.
func Histograms(samples ...Sample) *gonum.Plot {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range samples {
		for _, v := range s.Values.Float64s() {
			if isFinite(v) {
				lo, hi = math.Min(lo, v), math.Max(hi, v)
			}
		}
	}
	lo, hi = rangeOf([]float64{lo, hi})
	rows := make([]ridge, len(samples))
	for i, s := range samples {
		rows[i] = ridge{s.Name, lo, hi, count(s.Values.Float64s(), lo, hi)}
	}
	return distributions(lo, hi, rows)
}

// WeightsOver draws how a Param's weights were distributed at the looks of a
// [train.Watch] with Bins: the first above and the last below, and of many some
// between. It panics with an *[autograd.ArgumentError] if no look has a
// histogram of that Param.
func WeightsOver(looks []train.Look, name string) *gonum.Plot {
	return over("plot: WeightsOver", looks, name, func(p train.ParamLook) train.Histogram { return p.Weights })
}

// GradientsOver is [WeightsOver] of the gradients.
func GradientsOver(looks []train.Look, name string) *gonum.Plot {
	return over("plot: GradientsOver", looks, name, func(p train.ParamLook) train.Histogram { return p.Gradients })
}

// mostRidges is how many histograms a plot has room for.
const mostRidges = 12

func over(op string, looks []train.Look, name string, of func(train.ParamLook) train.Histogram) *gonum.Plot {
	var rows []ridge
	for _, look := range looks {
		for _, p := range look.Params {
			if h := of(p); p.Name == name && len(h.Counts) > 0 {
				counts := make([]float64, len(h.Counts))
				for i, n := range h.Counts {
					counts[i] = float64(n)
				}
				rows = append(rows, ridge{"step " + strconv.Itoa(look.Step), h.Low, h.High, counts})
			}
		}
	}
	if len(rows) == 0 {
		panic(autograd.NewArgumentError(op, "no look has a histogram of a Param %q: see train.Watch.Bins", name))
	}
	if n := len(rows); n > mostRidges {
		some := make([]ridge, mostRidges)
		for i := range some {
			some[i] = rows[i*(n-1)/(mostRidges-1)]
		}
		rows = some
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, r := range rows {
		lo, hi = math.Min(lo, r.lo), math.Max(hi, r.hi)
	}
	lo, hi = rangeOf([]float64{lo, hi})
	p := distributions(lo, hi, rows)
	p.X.Label.Text = name
	return p
}

// distributions draws histograms one below the other.
func distributions(lo, hi float64, rows []ridge) *gonum.Plot {
	p := New()
	p.X.Min, p.X.Max = lo, hi
	p.Y.Min, p.Y.Max = 0, math.Max(1, float64(len(rows)))+0.05
	labels := make([]string, len(rows))
	for i, r := range rows {
		labels[len(rows)-1-i] = r.name
	}
	p.Add(gridLines{}, ridges(rows))
	p.Y.Tick.Marker, p.Y.Tick.Width = names(labels), 0
	p.Y.Tick.Label.Font.Size = letterFor(0, len(rows))
	p.Y.Tick.Label.YAlign = draw.YBottom
	p.Y.Padding, p.Y.Width = 0, 0
	return p
}

// count returns how many values fall into each bar.
func count(values []float64, lo, hi float64) []float64 {
	bins := make([]float64, histogramBins)
	for _, v := range values {
		if isFinite(v) {
			bins[min(histogramBins-1, int(partOf(lo, hi, v)*histogramBins))]++
		}
	}
	return bins
}

// A ridge is a histogram as an outline.
type ridge struct {
	name   string
	lo, hi float64
	counts []float64
}

// ridges are drawn one below the other.
type ridges []ridge

func (r ridges) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := transforms(&c, p)
	for i, row := range r {
		base := float64(len(r) - 1 - i)
		outline := row.outline(func(at, height float64) vg.Point { return vg.Point{X: x(at), Y: y(base + 0.9*height)} })
		c.FillPolygon(ground(palette.Blue, 0.45), outline)
		outline = append(append([]vg.Point{{X: c.Min.X, Y: y(base)}}, outline...), vg.Point{X: c.Max.X, Y: y(base)})
		c.StrokeLines(draw.LineStyle{Color: palette.Blue, Width: vg.Points(0.9)}, outline)
	}
}

// outline returns the tops of the bars, from 0 to 1 high. Numbers that are all
// equal are a bar of the width of a line.
func (r ridge) outline(at func(x, height float64) vg.Point) []vg.Point {
	most, n := 1.0, float64(len(r.counts))
	for _, count := range r.counts {
		most = math.Max(most, count)
	}
	points := []vg.Point{at(r.lo, 0)}
	for k, count := range r.counts {
		from, to := along(r.lo, r.hi, float64(k)/n), along(r.lo, r.hi, float64(k+1)/n)
		points = append(points, at(from, count/most), at(to, count/most))
	}
	return append(points, at(r.hi, 0))
}
