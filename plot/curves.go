package plot

import (
	"fmt"
	"math"
	"strconv"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"nabla/autograd"
	"nabla/optim"
	"nabla/train"
)

// A Series is a line with a name, which explains it if it is not empty. Points
// that are NaN or infinite are left out, and the line has a gap there.
type Series struct {
	Name string
	X    []float64 // nil: 0, 1, 2, …
	Y    []float64
}

// Lines draws series over a common axis, such as the costs of several
// trainings. It panics with an *[autograd.ShapeError] if a series has not as
// many X as Y.
func Lines(all ...Series) *gonum.Plot {
	p := New()
	p.Add(gridLines{})
	var entries []entry
	for i, s := range all {
		s.add(p, "plot: Lines", lineOf(i))
		if s.Name != "" {
			entries = append(entries, lineEntry(s.Name, lineOf(i)))
		}
	}
	addKey(p, entries...)
	return p
}

// add adds the line to p.
func (s Series) add(p *gonum.Plot, op string, style draw.LineStyle) {
	if s.X != nil && len(s.X) != len(s.Y) {
		panic(autograd.NewShapeError(op, "the series "+strconv.Quote(s.Name)+" has not as many X as Y", []int{len(s.X)}, []int{len(s.Y)}))
	}
	for _, piece := range s.pieces() {
		if len(piece) == 1 {
			p.Add(marks{piece, draw.GlyphStyle{Color: style.Color, Radius: style.Width, Shape: shape(0)}})
			continue
		}
		p.Add(curve{piece, style})
	}
}

// A curve is a line through points.
type curve struct {
	through plotter.XYs
	style   draw.LineStyle
}

// Plot draws what lies within the canvas. That is cut out of the whole, which
// may be far longer than what can be drawn.
func (l curve) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := transformsWithin(1e12, &c, p)
	points := make([]vg.Point, len(l.through))
	for i, at := range l.through {
		points[i] = vg.Point{X: x(at.X), Y: y(at.Y)}
	}
	c.StrokeLines(l.style, c.ClipLinesXY(points)...)
}

func (l curve) DataRange() (xmin, xmax, ymin, ymax float64) { return plotter.XYRange(l.through) }

// pieces returns the parts of the line between which there are gaps.
func (s Series) pieces() []plotter.XYs {
	var all []plotter.XYs
	open := false
	for i, y := range s.Y {
		x := float64(i)
		if s.X != nil {
			x = s.X[i]
		}
		if !isFinite(x) || !isFinite(y) {
			open = false
			continue
		}
		if !open {
			all, open = append(all, nil), true
		}
		all[len(all)-1] = append(all[len(all)-1], plotter.XY{X: x, Y: y})
	}
	return all
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Loss draws the loss of a training by epoch, and that of the validation if
// there is one. The best epoch is marked: that with the smallest loss of the
// validation, or of the training if there is none.
func Loss(history train.History) *gonum.Plot {
	return overEpochs(history, "loss", func(r train.Report) float64 { return r.Loss })
}

// Metric draws a metric of a training by epoch, as [Loss] draws the loss. The
// best epoch is that of the smallest loss too: it is the one to keep, whatever
// the metric says of it. It panics with an *[autograd.ArgumentError] if a
// history of at least one epoch has no such metric.
func Metric(history train.History, name string) *gonum.Plot {
	return overEpochs(history, name, func(r train.Report) float64 { return r.Metric(name) })
}

func overEpochs(history train.History, name string, of func(train.Report) float64) *gonum.Plot {
	p := New()
	p.X.Label.Text, p.Y.Label.Text = "epoch", name
	p.X.Tick.Marker = ticks{whole: true}
	p.Add(gridLines{})
	training, validation := Series{Name: "training"}, Series{Name: "validation"}
	for _, e := range history {
		training.X, training.Y = append(training.X, float64(e.Number)), append(training.Y, of(e.Train))
		if e.Validation != nil {
			validation.X, validation.Y = append(validation.X, float64(e.Number)), append(validation.Y, of(*e.Validation))
		}
	}
	entries := []entry{lineEntry(training.Name, lineOf(0))}
	training.add(p, "plot: Loss", lineOf(0))
	style := lineOf(0)
	if len(validation.X) > 0 {
		style = lineOf(1)
		entries = append(entries, lineEntry(validation.Name, style))
		validation.add(p, "plot: Loss", style)
	}
	if best, ok := bestEpoch(history); ok {
		report := best.Train
		if best.Validation != nil {
			report = *best.Validation
		}
		at := plotter.XYs{{X: float64(best.Number), Y: of(report)}}
		mark := draw.GlyphStyle{Color: style.Color, Radius: vg.Points(4), Shape: shape(3)}
		if isFinite(at[0].Y) {
			p.Add(upright(at[0].X), marks{at, mark})
		}
		entries = append(entries, markEntry(fmt.Sprintf("best: %s in epoch %d", short(at[0].Y), best.Number), mark))
	}
	addKey(p, entries...)
	return p
}

// bestEpoch returns the epoch of the smallest loss, the first of equal ones.
func bestEpoch(history train.History) (best train.Epoch, ok bool) {
	least := math.Inf(1)
	for _, e := range history {
		loss := e.Train.Loss
		if e.Validation != nil {
			loss = e.Validation.Loss
		}
		if loss < least {
			best, least, ok = e, loss, true
		}
	}
	return best, ok
}

// Schedule draws a learning rate at the steps 0 to steps−1, or at so many
// epochs if it counts these. It panics with an *[autograd.ArgumentError] unless
// there is at least one step.
func Schedule(schedule optim.Schedule, steps int) *gonum.Plot {
	if steps < 1 {
		panic(autograd.NewArgumentError("plot: Schedule", "%d steps", steps))
	}
	p := New()
	p.X.Label.Text, p.Y.Label.Text = "step", "learning rate"
	p.X.Tick.Marker = ticks{whole: true}
	p.Add(gridLines{})
	var s Series
	every := max(1, steps/4000) // more points than pixels show nothing
	for step := 0; step < steps; step += every {
		s.X, s.Y = append(s.X, float64(step)), append(s.Y, schedule.At(step))
	}
	if last := float64(steps - 1); s.X[len(s.X)-1] != last {
		s.X, s.Y = append(s.X, last), append(s.Y, schedule.At(steps-1))
	}
	s.add(p, "plot: Schedule", lineOf(0))
	p.Y.Min = math.Min(p.Y.Min, 0)
	return p
}

// gridLines are faint lines at the ticks.
type gridLines struct{}

func (gridLines) Plot(c draw.Canvas, p *gonum.Plot) {
	style := draw.LineStyle{Color: faint, Width: vg.Points(0.6)}
	x, y := transforms(&c, p)
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if at := x(t.Value); t.Label != "" && c.ContainsX(at) {
			c.StrokeLine2(style, at, c.Min.Y, at, c.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if at := y(t.Value); t.Label != "" && c.ContainsY(at) {
			c.StrokeLine2(style, c.Min.X, at, c.Max.X, at)
		}
	}
}

// upright is a dashed line at an x.
type upright float64

func (u upright) Plot(c draw.Canvas, p *gonum.Plot) {
	x, _ := transforms(&c, p)
	style := draw.LineStyle{Color: line, Width: vg.Points(0.9), Dashes: []vg.Length{vg.Points(3), vg.Points(3)}}
	c.StrokeLine2(style, x(float64(u)), c.Min.Y, x(float64(u)), c.Max.Y)
}

// straight is a dashed line between two points.
type straight struct{ from, to plotter.XY }

func (s straight) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := transforms(&c, p)
	style := draw.LineStyle{Color: line, Width: vg.Points(0.9), Dashes: []vg.Length{vg.Points(3), vg.Points(3)}}
	c.StrokeLine2(style, x(s.from.X), y(s.from.Y), x(s.to.X), y(s.to.Y))
}

// marks are points, with room for those at the edge.
type marks struct {
	at    plotter.XYs
	style draw.GlyphStyle
}

func (m marks) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := transforms(&c, p)
	for _, at := range m.at {
		c.DrawGlyph(m.style, vg.Point{X: x(at.X), Y: y(at.Y)})
	}
}

func (m marks) DataRange() (xmin, xmax, ymin, ymax float64) { return plotter.XYRange(m.at) }

func (m marks) GlyphBoxes(p *gonum.Plot) []gonum.GlyphBox {
	boxes := make([]gonum.GlyphBox, len(m.at))
	for i, at := range m.at {
		boxes[i] = gonum.GlyphBox{X: p.X.Norm(at.X), Y: p.Y.Norm(at.Y), Rectangle: m.style.Rectangle()}
	}
	return boxes
}
