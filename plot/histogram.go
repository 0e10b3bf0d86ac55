package plot

import (
	"math"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"nabla/autograd"
	"nabla/internal/palette"
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
	p := New()
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range samples {
		for _, v := range s.Values.Float64s() {
			if isFinite(v) {
				lo, hi = math.Min(lo, v), math.Max(hi, v)
			}
		}
	}
	lo, hi = rangeOf([]float64{lo, hi})
	p.X.Min, p.X.Max = lo, hi
	p.Y.Min, p.Y.Max = 0, math.Max(1, float64(len(samples)))+0.05
	rows, labels := &ridges{lo: lo, hi: hi}, make([]string, len(samples))
	for i, s := range samples {
		rows.counts = append(rows.counts, count(s.Values.Float64s(), lo, hi))
		labels[len(samples)-1-i] = s.Name
	}
	p.Add(gridLines{}, rows)
	p.Y.Tick.Marker, p.Y.Tick.Width = names(labels), 0
	p.Y.Tick.Label.Font.Size = letterFor(0, len(samples))
	p.Y.Tick.Label.YAlign = draw.YBottom
	p.Y.Padding, p.Y.Width = 0, 0
	return p
}

// count returns how many values fall into each bar.
func count(values []float64, lo, hi float64) []float64 {
	bins := make([]float64, histogramBins)
	for _, v := range values {
		if isFinite(v) {
			part := (v/2 - lo/2) / (hi/2 - lo/2)
			bins[min(histogramBins-1, int(part*histogramBins))]++
		}
	}
	return bins
}

// ridges are histograms as outlines, the first one above.
type ridges struct {
	lo, hi float64
	counts [][]float64
}

func (r *ridges) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := p.Transforms(&c)
	fill := ground(palette.Blue, 0.45)
	for i, bins := range r.counts {
		most, base := 0.0, float64(len(r.counts)-1-i)
		for _, n := range bins {
			most = math.Max(most, n)
		}
		outline := []vg.Point{{X: x(r.lo), Y: y(base)}}
		for k, n := range bins {
			height := y(base)
			if n > 0 {
				height = y(base + 0.9*n/most)
			}
			from := r.lo + (r.hi-r.lo)*float64(k)/histogramBins
			to := r.lo + (r.hi-r.lo)*float64(k+1)/histogramBins
			outline = append(outline, vg.Point{X: x(from), Y: height}, vg.Point{X: x(to), Y: height})
		}
		outline = append(outline, vg.Point{X: x(r.hi), Y: y(base)})
		c.FillPolygon(fill, outline)
		c.StrokeLines(draw.LineStyle{Color: palette.Blue, Width: vg.Points(0.9)}, outline)
	}
}
