package svg

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"

	"nabla/internal/layout"
)

// A box is the place of a text.
type box struct {
	text                     string
	left, top, right, bottom float64
}

// A pen writes the elements of a picture and notes the places of texts.
type pen struct {
	bytes.Buffer
	texts []box
}

func (p *pen) printf(format string, args ...any) { fmt.Fprintf(&p.Buffer, format+"\n", args...) }

// n formats a coordinate, to a tenth.
func (p *pen) n(v float64) string {
	return strconv.FormatFloat(math.Round(10*v)/10+0, 'f', -1, 64)
}

// s escapes a text for an element or an attribute.
func (p *pen) s(text string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(text)) // a buffer returns no errors
	return b.String()
}

// line writes a line of text, anchored at its start, middle or end.
func (p *pen) line(l line, x, y float64, anchor string) {
	if len(l) == 0 {
		return
	}
	w, text := l.width(), ""
	p.Buffer.WriteString(`<text x="` + p.n(x) + `" y="` + p.n(y) + `"`)
	if anchor != "start" {
		p.Buffer.WriteString(` text-anchor="` + anchor + `"`)
	}
	p.Buffer.WriteString(">")
	for _, r := range l {
		p.Buffer.WriteString(`<tspan font-size="` + p.n(r.size) + `" fill="` + p.s(r.color) + `"`)
		if r.bold {
			p.Buffer.WriteString(` font-weight="bold"`)
		}
		if r.italic {
			p.Buffer.WriteString(` font-style="italic"`)
		}
		p.Buffer.WriteString(">" + p.s(r.text) + "</tspan>")
		text += r.text
	}
	p.Buffer.WriteString("</text>\n")
	left := map[string]float64{"start": x, "middle": x - w/2, "end": x - w}[anchor]
	p.texts = append(p.texts, box{text, left, y - 0.8*l.size(), left + w, y + 0.25*l.size()})
}

// path returns a link as an SVG path. In a vertical drawing the layout's x axis
// points down.
func (p *pen) path(points []layout.Point, vertical bool) string {
	at := func(x, y float64) string {
		if vertical {
			x, y = y, x
		}
		return p.n(x) + " " + p.n(y)
	}
	text := "M" + at(points[0].X, points[0].Y)
	for k := 1; k < len(points); k++ {
		a, b := points[k-1], points[k]
		reach := max(16, math.Abs(b.X-a.X)/2)
		if math.Abs(b.Y-a.Y) < 0.5 && b.X >= a.X {
			text += "L" + at(b.X, b.Y)
		} else {
			text += "C" + at(a.X+reach, a.Y) + " " + at(b.X-reach, b.Y) + " " + at(b.X, b.Y)
		}
	}
	return text
}
