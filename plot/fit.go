package plot

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/gonum/floats"
	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"nabla/autograd"
	"nabla/internal/palette"
)

// The grid on which a network is asked, and how many pixels stand between its
// points.
const (
	curvePoints = 400
	gridColumns = 121
	gridRows    = 81
	gridZoom    = 5
)

// Fit draws a regression: the targets and what predict says between them.
// Features are [rows, 1] or [rows, 2], targets have one number for each row,
// and predict returns as many numbers as its rows have, [n, 1] for [n,
// features]: both in the units of the axes, so that predict is where features
// are standardised.
//
//	p := plot.Fit(features, prices, func(x autograd.Tensor) autograd.Tensor {
//		return model.Forward(autograd.NewGraph(autograd.Options{NoGrad: true}).Constant(x)).Tensor()
//	})
//
// Over one feature it is a curve through the points. Over two it is a map: the
// colour of the ground is the prediction, and that of a point its target, on
// one scale.
//
// It panics with an *[autograd.ShapeError] for features, targets or predictions
// of other shapes, and with an *[autograd.ArgumentError] without rows.
func Fit(features, targets autograd.Tensor, predict func(x autograd.Tensor) autograd.Tensor) *gonum.Plot {
	const op = "plot: Fit"
	if features.Rank() != 2 || features.Dim(1) < 1 || features.Dim(1) > 2 {
		panic(autograd.NewShapeError(op, "features are [rows, 1] or [rows, 2]", features.Shape()))
	}
	if targets.Size() != features.Dim(0) {
		panic(autograd.NewShapeError(op, "there is not one target for each row", features.Shape(), targets.Shape()))
	}
	if targets.Size() == 0 {
		panic(autograd.NewArgumentError(op, "there are no rows"))
	}
	if features.Dim(1) == 1 {
		return fitCurve(op, features.Float64s(), targets.Float64s(), predict)
	}
	return fitMap(op, features, targets.Float64s(), predict)
}

func fitCurve(op string, xs, ys []float64, predict func(autograd.Tensor) autograd.Tensor) *gonum.Plot {
	p := New()
	p.X.Label.Text, p.Y.Label.Text = "feature", "target"
	p.Add(gridLines{})
	lo, hi := padded(rangeOf(xs))
	grid := make([]float64, curvePoints)
	for i := range grid {
		grid[i] = along(lo, hi, float64(i)/(curvePoints-1))
	}
	curve := Series{X: grid, Y: ask(op, predict, autograd.NewTensor(grid, curvePoints, 1), 1)}
	style := lineOf(1)
	style.Width = vg.Points(2)
	curve.add(p, op, style)
	points := draw.GlyphStyle{Color: colorOf(0), Radius: vg.Points(3.2), Shape: shape(0)}
	if at := pairs(xs, ys); len(at) > 0 {
		p.Add(marks{at, points})
	}
	addKey(p, markEntry("data", points), lineEntry("network", style))
	return p
}

// ask returns what predict says, which must be width numbers for each row.
func ask(op string, predict func(autograd.Tensor) autograd.Tensor, x autograd.Tensor, width int) []float64 {
	y := predict(x)
	if y.Size() != width*x.Dim(0) {
		panic(autograd.NewShapeError(op, "the predictions and the rows differ", y.Shape(), x.Shape()))
	}
	return y.Float64s()
}

// padded widens a range, so that points at its ends stand free.
func padded(lo, hi float64) (float64, float64) {
	return along(lo, hi, -0.06), along(lo, hi, 1.06)
}

// warmth is the scale of numbers on a map: blue by pale yellow to vermillion.
func warmth(part float64) color.RGBA {
	middle := palette.Mix(palette.White, palette.Yellow, 0.55)
	if part < 0.5 {
		return palette.Mix(palette.Blue, middle, 2*part)
	}
	return palette.Mix(middle, palette.Vermillion, 2*part-1)
}

func fitMap(op string, features autograd.Tensor, ys []float64, predict func(autograd.Tensor) autograd.Tensor) *gonum.Plot {
	p := New()
	p.X.Label.Text, p.Y.Label.Text = "feature 1", "feature 2"
	f := fieldOver(features)
	f.values = ask(op, predict, f.points(), 1)
	lo, hi := rangeOf(ys)
	scale := func(v float64) color.RGBA { return warmth(partOf(lo, hi, v)) }
	f.paint(p, 1, func(at []float64) color.RGBA {
		if !isFinite(at[0]) {
			return palette.Purple
		}
		return ground(scale(at[0]), 0.75)
	})
	numbers := features.Float64s()
	for i, y := range ys {
		if at := pairs(numbers[2*i:2*i+1], numbers[2*i+1:2*i+2]); len(at) > 0 && isFinite(y) {
			p.Add(marks{at, draw.GlyphStyle{Color: scale(y), Radius: vg.Points(4), Shape: ringed{}}})
		}
	}
	addKey(p,
		scaleEntry(short(lo)+" to "+short(hi), warmth),
		markEntry("data", draw.GlyphStyle{Color: warmth(0.75), Radius: vg.Points(4), Shape: ringed{}}),
		fillEntry("network", ground(warmth(0.75), 0.75)))
	return p
}

// ringed is a dot with a dark rim, whose colour can be read on any ground.
type ringed struct{}

func (ringed) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetColor(ink)
	c.Fill(shape(0).outline(style.Radius+vg.Points(0.8), at))
	c.SetColor(style.Color)
	c.Fill(shape(0).outline(style.Radius, at))
}

// Boundary draws a classifier of two features, as the course does: the points
// [rows, 2] in the colour and shape of their class, on a ground that shows what
// predict says. Predict gets points [n, 2] in the units of the axes, and
// returns either probabilities [n, 1] of class 1, or scores [n, classes]. Of
// two classes by one probability, the ground is the paler the less sure it is,
// and a line shows where it is ½; of others the ground is the colour of the
// class with the highest score.
//
// It panics with an *[autograd.ShapeError] for points, classes or predictions
// of other shapes, with an *[autograd.IndexError] for a class without a name,
// and with an *[autograd.ArgumentError] without points.
func Boundary(points autograd.Tensor, classes autograd.Ints, predict func(x autograd.Tensor) autograd.Tensor, names ...string) *gonum.Plot {
	const op = "plot: Boundary"
	checkPoints(op, points, classes, names)
	if classes.Size() == 0 {
		panic(autograd.NewArgumentError(op, "there are no points"))
	}
	p := New()
	p.X.Label.Text, p.Y.Label.Text = "feature 1", "feature 2"
	f := fieldOver(points)
	y := predict(f.points())
	entries := []entry(nil)
	switch {
	case len(names) == 2 && y.Size() == gridColumns*gridRows:
		f.values = y.Float64s()
		f.paint(p, 1, func(at []float64) color.RGBA {
			return ground(palette.Mix(colorOf(0), colorOf(1), at[0]), 0.12+0.7*math.Abs(at[0]-0.5))
		})
		p.Add(f.contour(func(i int) float64 { return f.values[i] - 0.5 }))
		entries = append(entries, lineEntry("probability ½", edge))
	case y.Size() == len(names)*gridColumns*gridRows:
		f.values = y.Float64s()
		f.paint(p, len(names), func(at []float64) color.RGBA { return ground(colorOf(floats.MaxIdx(at)), 0.35) })
	default:
		panic(autograd.NewShapeError(op, "the predictions and the rows or classes differ", y.Shape(), []int{gridColumns * gridRows, len(names)}))
	}
	addKey(p, append(addClasses(p, op, points, classes, names), entries...)...)
	return p
}

// edge is the line between two classes.
var edge = draw.LineStyle{Color: ink, Width: vg.Points(1.4)}

// contour returns the line where a function of the points of the grid is 0,
// between these as on a straight line.
func (f *field) contour(level func(point int) float64) *segments {
	s := &segments{style: edge}
	for row := range gridRows - 1 {
		for column := range gridColumns - 1 {
			corners := [][2]int{{column, row}, {column + 1, row}, {column + 1, row + 1}, {column, row + 1}}
			var crossings []plotter.XY
			for k, a := range corners {
				b := corners[(k+1)%4]
				from, to := level(a[1]*gridColumns+a[0]), level(b[1]*gridColumns+b[0])
				if from < 0 == (to < 0) || !isFinite(from) || !isFinite(to) {
					continue
				}
				part := from / (from - to)
				crossings = append(crossings, plotter.XY{
					X: f.at(0, (float64(a[0])+part*float64(b[0]-a[0]))/(gridColumns-1)),
					Y: f.at(1, (float64(a[1])+part*float64(b[1]-a[1]))/(gridRows-1)),
				})
			}
			for k := 0; k+1 < len(crossings); k += 2 {
				s.ends = append(s.ends, crossings[k], crossings[k+1])
			}
		}
	}
	return s
}

// segments are lines between every two points.
type segments struct {
	ends  plotter.XYs
	style draw.LineStyle
}

func (s *segments) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := transforms(&c, p)
	c.SetLineStyle(s.style)
	var path vg.Path
	for i := 0; i < len(s.ends); i += 2 {
		path.Move(vg.Point{X: x(s.ends[i].X), Y: y(s.ends[i].Y)})
		path.Line(vg.Point{X: x(s.ends[i+1].X), Y: y(s.ends[i+1].Y)})
	}
	c.Stroke(path)
}

// A field is what a network says on a grid over two features.
type field struct {
	low, high [2]float64
	values    []float64 // row by row from below, one or several for each point
}

func fieldOver(points autograd.Tensor) *field {
	f := &field{}
	numbers := points.Float64s()
	for axis := range 2 {
		var all []float64
		for i := axis; i < len(numbers); i += 2 {
			all = append(all, numbers[i])
		}
		f.low[axis], f.high[axis] = padded(rangeOf(all))
	}
	return f
}

// points returns the points of the grid, [n, 2].
func (f *field) points() autograd.Tensor {
	all := make([]float64, 0, 2*gridColumns*gridRows)
	for row := range gridRows {
		for column := range gridColumns {
			all = append(all, f.at(0, float64(column)/(gridColumns-1)), f.at(1, float64(row)/(gridRows-1)))
		}
	}
	return autograd.NewTensor(all, gridColumns*gridRows, 2)
}

func (f *field) at(axis int, part float64) float64 {
	return along(f.low[axis], f.high[axis], part)
}

// paint adds the field as a picture, smooth between the points of the grid.
func (f *field) paint(p *gonum.Plot, width int, colorOf func(values []float64) color.RGBA) {
	w, h := (gridColumns-1)*gridZoom, (gridRows-1)*gridZoom
	pixels := image.NewRGBA(image.Rect(0, 0, w, h))
	between := make([]float64, width)
	for y := range h {
		row, up := split(h-1-y, gridRows)
		for x := range w {
			column, right := split(x, gridColumns)
			at := row*gridColumns + column
			for k := range between {
				v := func(i int) float64 { return f.values[i*width+k] }
				below := v(at)*(1-right) + v(at+1)*right
				above := v(at+gridColumns)*(1-right) + v(at+gridColumns+1)*right
				between[k] = below*(1-up) + above*up
			}
			pixels.SetRGBA(x, y, colorOf(between))
		}
	}
	p.Add(picture{pixels, f.low, f.high})
}

// split returns between which points of the grid the middle of a pixel lies.
func split(pixel, points int) (point int, part float64) {
	at := (float64(pixel) + 0.5) / gridZoom
	point = min(int(at), points-2)
	return point, at - float64(point)
}
