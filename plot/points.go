package plot

import (
	"math"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"nabla/autograd"
)

// Scatter draws a point for each pair of numbers, such as predictions over
// targets: x and y hold as many, whatever their shapes. Pairs with a NaN or
// infinity are left out. It panics with an *[autograd.ShapeError] unless there
// are as many of both.
func Scatter(x, y autograd.Tensor) *gonum.Plot {
	xs, ys := x.Float64s(), y.Float64s()
	if len(xs) != len(ys) {
		panic(autograd.NewShapeError("plot: Scatter", "there are not as many x as y", x.Shape(), y.Shape()))
	}
	p := New()
	p.Add(gridLines{})
	style := draw.GlyphStyle{Color: colorOf(0), Radius: vg.Points(2.6), Shape: shape(0)}
	if at := pairs(xs, ys); len(at) > 0 {
		p.Add(marks{at, style})
	}
	return p
}

func pairs(xs, ys []float64) plotter.XYs {
	var at plotter.XYs
	for i := range xs {
		if isFinite(xs[i]) && isFinite(ys[i]) {
			at = append(at, plotter.XY{X: xs[i], Y: ys[i]})
		}
	}
	return at
}

// ScatterClasses draws points [rows, 2], each in the colour and shape of its
// class, which counts from 0 and has a name: a map that a network made of its
// inputs, for example. It panics with an *[autograd.ShapeError] for points of
// another shape or not one class for each, and with an *[autograd.IndexError]
// for a class without a name.
func ScatterClasses(points autograd.Tensor, classes autograd.Ints, names ...string) *gonum.Plot {
	const op = "plot: ScatterClasses"
	p := New()
	p.Add(gridLines{})
	addKey(p, addClasses(p, op, points, classes, names)...)
	return p
}

// addClasses adds points in the marks of their classes. It returns what
// explains these.
func addClasses(p *gonum.Plot, op string, points autograd.Tensor, classes autograd.Ints, names []string) []entry {
	checkPoints(op, points, classes, names)
	numbers, groups := points.Float64s(), make([]plotter.XYs, len(names))
	for i, class := range classes.Values() {
		groups[class] = append(groups[class], pairs(numbers[2*i:2*i+1], numbers[2*i+1:2*i+2])...)
	}
	entries := make([]entry, len(names))
	for class, at := range groups {
		if len(at) > 0 {
			p.Add(marks{at, markOf(class)})
		}
		entries[class] = markEntry(names[class], markOf(class))
	}
	return entries
}

func checkPoints(op string, points autograd.Tensor, classes autograd.Ints, names []string) {
	if points.Rank() != 2 || points.Dim(1) != 2 {
		panic(autograd.NewShapeError(op, "points are [rows, 2]", points.Shape()))
	}
	if classes.Size() != points.Dim(0) {
		panic(autograd.NewShapeError(op, "there is not one class for each point", points.Shape(), classes.Shape()))
	}
	for _, class := range classes.Values() {
		if class < 0 || class >= len(names) {
			panic(autograd.NewIndexError(op, "class", class, len(names)))
		}
	}
}

// rangeOf returns the least and the greatest finite number, which differ.
func rangeOf(values []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if isFinite(v) {
			lo, hi = math.Min(lo, v), math.Max(hi, v)
		}
	}
	switch {
	case lo > hi:
		return 0, 1
	case lo == hi:
		room := max(1, math.Abs(lo)/1000) // where 1 is no difference any more
		return max(lo-room, -math.MaxFloat64), min(hi+room, math.MaxFloat64)
	}
	return lo, hi
}
