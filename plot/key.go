package plot

import (
	"image/color"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"nabla/internal/palette"
)

// A key explains lines and marks in a row between title and plot, where it
// covers no data, as gonum's legend would. It breaks into as many rows as it
// takes.
type key struct {
	entries []entry
	style   text.Style
}

// An entry is what it looks like and what it means.
type entry struct {
	name  string
	paint func(c draw.Canvas) // draws a sample into c
}

const (
	keyWidth   = vg.Length(350) // of a row, in points: what a plot 600 pixels wide has room for
	sampleWide = vg.Length(18)
	keyGap     = vg.Length(5)  // between sample and name
	entryGap   = vg.Length(14) // between entries
	keyRow     = vg.Length(15)
)

// addKey adds a key to p. A key without entries is none.
func addKey(p *gonum.Plot, entries ...entry) {
	if len(entries) > 0 {
		style := p.Legend.TextStyle
		style.YAlign = draw.YCenter
		p.Add(&key{entries, style})
	}
}

func (k *key) width(e entry) vg.Length { return sampleWide + keyGap + k.style.Width(e.name) }

// rows returns the entries of each row.
func (k *key) rows() [][]entry {
	var rows [][]entry
	used := keyWidth
	for _, e := range k.entries {
		if width := k.width(e); used+entryGap+width > keyWidth {
			rows, used = append(rows, nil), width
		} else {
			used += entryGap + width
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
	}
	return rows
}

// Plot draws the key above the area of the data.
func (k *key) Plot(c draw.Canvas, _ *gonum.Plot) {
	rows := k.rows()
	for i, row := range rows {
		x, y := c.Min.X, c.Max.Y+keyRow*vg.Length(len(rows)-i)-keyRow/2+2
		for _, e := range row {
			e.paint(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: x, Y: y - 5}, Max: vg.Point{X: x + sampleWide, Y: y + 5}}})
			c.FillText(k.style, vg.Point{X: x + sampleWide + keyGap, Y: y}, e.name)
			x += k.width(e) + entryGap
		}
	}
}

// GlyphBoxes reserves the room.
func (k *key) GlyphBoxes(*gonum.Plot) []gonum.GlyphBox {
	height := keyRow*vg.Length(len(k.rows())) + 4
	return []gonum.GlyphBox{{X: 0.5, Y: 1, Rectangle: vg.Rectangle{Max: vg.Point{X: 1, Y: height}}}}
}

// lineEntry explains a line.
func lineEntry(name string, style draw.LineStyle) entry {
	return entry{name, func(c draw.Canvas) { c.StrokeLine2(style, c.Min.X, c.Center().Y, c.Max.X, c.Center().Y) }}
}

// markEntry explains a mark.
func markEntry(name string, style draw.GlyphStyle) entry {
	return entry{name, func(c draw.Canvas) { c.DrawGlyph(style, c.Center()) }}
}

// fillEntry explains an area.
func fillEntry(name string, fill color.Color) entry {
	return entry{name, func(c draw.Canvas) {
		c.SetColor(fill)
		c.Fill(c.Rectangle.Path())
	}}
}

// scaleEntry explains a scale of colours from its low end to its high one.
func scaleEntry(name string, at func(part float64) color.RGBA) entry {
	return entry{name, func(c draw.Canvas) {
		const steps = 18
		for i := range steps {
			box := c.Rectangle
			box.Min.X += sampleWide * vg.Length(i) / steps
			box.Max.X = box.Min.X + sampleWide/steps
			c.SetColor(at((float64(i) + 0.5) / steps))
			c.Fill(box.Path())
		}
	}}
}

// ground is the colour behind data: paler, so that marks stand out.
func ground(c color.RGBA, part float64) color.RGBA { return palette.Mix(palette.White, c, part) }
