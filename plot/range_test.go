package plot_test

import (
	"image/color"
	"math"
	"testing"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"nabla/autograd"
	"nabla/plot"
	"nabla/train"
)

// between returns plots of numbers between two, by their names.
func between(lo, hi float64) map[string]*gonum.Plot {
	middle := lo/2 + hi/2
	column := autograd.NewTensor([]float64{lo, middle, hi}, 3, 1)
	ramp := autograd.NewTensor([]float64{0, 1, 2}, 3, 1)
	square := autograd.NewTensor([]float64{lo, hi, hi, lo}, 2, 2)
	same := func(x autograd.Tensor) autograd.Tensor { return x }
	first := func(x autograd.Tensor) autograd.Tensor { // of two features
		all := make([]float64, 0, x.Dim(0))
		for i, v := range x.Float64s() {
			if i%2 == 0 {
				all = append(all, v)
			}
		}
		return autograd.NewTensor(all, x.Dim(0), 1)
	}
	history := train.History{
		{Number: 1, Train: train.Report{Loss: hi}}, {Number: 2, Train: train.Report{Loss: middle}}, {Number: 3, Train: train.Report{Loss: lo}},
	}
	logarithmic := plot.Loss(history)
	plot.LogY(logarithmic)
	return map[string]*gonum.Plot{
		"Lines":      plot.Lines(plot.Series{Name: "a", X: column.Float64s(), Y: column.Float64s()}),
		"Scatter":    plot.Scatter(column, column),
		"Histograms": plot.Histograms(plot.Sample{Name: "a", Values: column}),
		"Loss":       plot.Loss(history),
		"LogY":       logarithmic,
		"Fit":        plot.Fit(column, ramp, same),
		"Fit, far":   plot.Fit(ramp, column, same),
		"Fit, map":   plot.Fit(square, autograd.NewTensor([]float64{lo, hi}, 2, 1), first),
		"Boundary": plot.Boundary(square, autograd.NewInts([]int{0, 1}), func(x autograd.Tensor) autograd.Tensor {
			y := first(x).Float64s()
			for i, v := range y {
				y[i] = 0
				if v > middle {
					y[i] = 1
				}
			}
			return autograd.NewTensor(y, len(y), 1)
		}, "a", "b"),
	}
}

// places returns where a plot has lines, areas and pictures.
func places(p *gonum.Plot) (all []vg.Point) {
	var c recorder.Canvas
	plot.DrawOn(draw.NewCanvas(&c, plot.Inches(600), plot.Inches(400)), p)
	add := func(path vg.Path) {
		for _, component := range path {
			all = append(all, component.Pos)
		}
	}
	for _, action := range c.Actions {
		switch a := action.(type) {
		case *recorder.Stroke:
			add(a.Path)
		case *recorder.Fill:
			add(a.Path)
		case *recorder.DrawImage:
			all = append(all, a.Rectangle.Min, a.Rectangle.Max)
		}
	}
	return all
}

// Nothing is drawn at an infinity, or so far outside that it takes for ever:
// over ranges whose lengths overflow, over the smallest numbers, and where an
// axis was set to a short piece of a long range.
func TestNothingFarOutside(t *testing.T) {
	const largest = math.MaxFloat64
	for _, r := range [][2]float64{
		{0, 1}, {0, 1e300}, {1, largest}, {-largest, largest}, {largest / 2, largest}, {-largest / 2, largest / 2}, {-largest, -largest / 3},
		{math.Nextafter(largest, 0), largest}, {5e-324, largest}, {0, 5e-324}, {5e-324, 1e-323}, {1e16, 1e16 + 2}, {1e16, 1e16 + 10},
	} {
		for name, p := range between(r[0], r[1]) {
			for _, short := range []bool{false, true} {
				if short {
					if name == "LogY" {
						continue
					}
					p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0.5, 1, 0.5, 1
				}
				for _, at := range places(p) {
					x, y := float64(at.X/plot.Inches(600)), float64(at.Y/plot.Inches(400))
					if !(math.Abs(x) < 60 && math.Abs(y) < 60) {
						t.Errorf("%s from %v to %v: something is at (%v, %v) of the picture, short axes %v", name, r[0], r[1], x, y, short)
						break
					}
				}
			}
		}
	}
}

// On an axis whose length overflows things are where they belong: the middle
// of a line is in the middle.
func TestWideAxes(t *testing.T) {
	middle := func(lo, at, hi float64) vg.Point {
		p := plot.Lines(plot.Series{Name: "a", X: []float64{lo, at, hi}, Y: []float64{lo, at, hi}})
		p.HideAxes()
		var c recorder.Canvas
		plot.DrawOn(draw.NewCanvas(&c, plot.Inches(600), plot.Inches(400)), p)
		for _, action := range c.Actions {
			if a, ok := action.(*recorder.Stroke); ok && len(a.Path) == 3 {
				return a.Path[1].Pos
			}
		}
		t.Fatal("there is no line")
		return vg.Point{}
	}
	const largest = math.MaxFloat64
	for at := -1.0; at <= 1; at += 0.25 {
		want, got := middle(-1, at, 1), middle(-largest, at*largest, largest)
		if math.Abs(float64(want.X-got.X)) > 1e-9 || math.Abs(float64(want.Y-got.Y)) > 1e-9 {
			t.Errorf("%v is at %v, want %v", at, got, want)
		}
	}
}

// Of a map whose axes were made shorter, what is on them fills them: here the
// left half of the right class, and what is below it.
func TestPartOfAPicture(t *testing.T) {
	colours := func(narrow func(p *gonum.Plot)) (place vg.Rectangle, left, right color.Color) {
		p := between(0, 1)["Boundary"] // the classes meet at 0.5
		narrow(p)
		p.HideAxes()
		var c recorder.Canvas
		plot.DrawOn(draw.NewCanvas(&c, plot.Inches(600), plot.Inches(400)), p)
		for _, action := range c.Actions {
			if a, ok := action.(*recorder.DrawImage); ok {
				size := a.Image.Bounds().Size()
				return a.Rectangle, a.Image.At(size.X/10, size.Y/2), a.Image.At(size.X*9/10, size.Y/2)
			}
		}
		return
	}
	whole, first, second := colours(func(*gonum.Plot) {})
	if first == second {
		t.Fatal("the classes have one colour")
	}
	part, left, right := colours(func(p *gonum.Plot) {
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0.6, 0.7, -10, 0.5
	})
	if left != second || right != second {
		t.Errorf("the second class is %v and %v, want %v", left, right, second)
	}
	height := float64(part.Size().Y / whole.Size().Y)
	if part.Min.X != whole.Min.X || part.Max != whole.Max || math.Abs(height-0.56/10.5) > 0.01 {
		t.Errorf("fills %v of %v", part, whole)
	}
	if _, left, right = colours(func(p *gonum.Plot) { p.X.Min, p.X.Max = 0.45, 0.55 }); left != first || right != second {
		t.Errorf("around the edge %v and %v, want %v and %v", left, right, first, second)
	}
	if place, _, _ := colours(func(p *gonum.Plot) { p.X.Min, p.X.Max = 7, 8 }); place != (vg.Rectangle{}) {
		t.Errorf("a map that is elsewhere fills %v", place)
	}
}
