package plot

import (
	"image/color"
	"math"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"nabla/internal/palette"
)

// New returns an empty plot in the style of this package, for what it has no
// function for: letters without serifs, and a legible size of all of them.
func New() *gonum.Plot {
	p := gonum.New()
	p.Title.TextStyle.Font = letters(13)
	p.Title.Padding = vg.Points(7)
	p.Legend.TextStyle.Font = letters(10.5)
	p.Legend.Top = true
	p.Legend.Padding = vg.Points(2)
	for _, axis := range []*gonum.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = letters(11.5)
		axis.Label.Padding = vg.Points(3)
		axis.Tick.Label.Font = letters(10.5)
		axis.Tick.Label.Color, axis.Tick.Color, axis.Color = ink, line, line
		axis.Tick.Length = vg.Points(4)
		axis.Tick.Marker = ticks{}
		axis.Padding = vg.Points(3)
	}
	return p
}

// letters returns the font in a size in points.
func letters(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

var (
	ink    = color.RGBA{34, 34, 34, 255}
	line   = color.RGBA{120, 120, 120, 255}
	faint  = color.RGBA{226, 226, 226, 255}
	series = []color.RGBA{
		palette.Blue, palette.Vermillion, palette.Green, palette.Orange,
		palette.Purple, palette.Sky, palette.Black,
	}
)

// colorOf returns the colour of the i-th of several series or classes.
func colorOf(i int) color.RGBA { return series[i%len(series)] }

// dashesOf returns what tells series of one colour apart, when there are more
// than colours.
func dashesOf(i int) []vg.Length {
	return [][]vg.Length{nil, {vg.Points(6), vg.Points(3)}, {vg.Points(2), vg.Points(2)}, {vg.Points(8), vg.Points(2), vg.Points(2), vg.Points(2)}}[i/len(series)%4]
}

// A shape is a filled mark with a white rim, so that marks that overlap can be
// told apart: the shape and the colour both say the class.
type shape int

func (s shape) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	outline := s.outline(style.Radius+vg.Points(0.9), at)
	c.SetColor(color.White)
	c.Fill(outline)
	c.SetColor(style.Color)
	c.Fill(s.outline(style.Radius, at))
}

// outline returns the mark's outline: a circle, triangle, square, diamond, or a
// triangle on its point.
func (s shape) outline(r vg.Length, at vg.Point) vg.Path {
	corners := [][]vg.Point{
		nil,
		{{X: 0, Y: 1.25}, {X: -1.15, Y: -0.85}, {X: 1.15, Y: -0.85}},
		{{X: -0.95, Y: -0.95}, {X: 0.95, Y: -0.95}, {X: 0.95, Y: 0.95}, {X: -0.95, Y: 0.95}},
		{{X: 0, Y: -1.35}, {X: 1.15, Y: 0}, {X: 0, Y: 1.35}, {X: -1.15, Y: 0}},
		{{X: 0, Y: -1.25}, {X: 1.15, Y: 0.85}, {X: -1.15, Y: 0.85}},
	}[int(s)%5]
	var path vg.Path
	if corners == nil {
		path.Move(vg.Point{X: at.X + r, Y: at.Y})
		path.Arc(at, r, 0, 2*math.Pi)
	}
	for i, corner := range corners {
		p := vg.Point{X: at.X + r*corner.X, Y: at.Y + r*corner.Y}
		if i == 0 {
			path.Move(p)
			continue
		}
		path.Line(p)
	}
	path.Close()
	return path
}

// markOf returns the mark of the i-th class.
func markOf(i int) draw.GlyphStyle {
	return draw.GlyphStyle{Color: colorOf(i), Radius: vg.Points(3.6), Shape: shape(i)}
}

// lineOf returns the line of the i-th series.
func lineOf(i int) draw.LineStyle {
	return draw.LineStyle{Color: colorOf(i), Width: vg.Points(1.6), Dashes: dashesOf(i)}
}
