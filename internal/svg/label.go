package svg

import (
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"
)

// A content is the content of a label or of a cell: lines or a table.
type content struct {
	lines []line
	table *table
}

// A table is rows of cells.
type table struct {
	rows         [][]*tableCell
	pad, spacing float64
	sides        string // color of the lines at its left and right; none if empty

	columns, heights []float64 // as measured
}

// A tableCell is a cell of a table.
type tableCell struct {
	content
	span              int
	align, fill, port string
	pad               float64 // the table's if negative
}

// labelOf returns the content of a label: HTML-like, or lines of plain text.
func labelOf(label string, size float64, color string) (content, error) {
	if strings.HasPrefix(label, "<") {
		p := &labelReader{decoder: xml.NewDecoder(strings.NewReader("<LABEL>" + label[1:] + "</LABEL>"))}
		c, err := p.content("", run{size: size, color: color})
		if err != nil {
			return c, fmt.Errorf("svg: label: %w", err)
		}
		return c, nil
	}
	if label == "" {
		return content{}, nil
	}
	return content{lines: plainLines(label, size, color)}, nil
}

// plainLines returns the lines of a text in quotes.
func plainLines(text string, size float64, color string) []line {
	var all []line
	for text := range strings.SplitSeq(text, `\n`) {
		all = append(all, line{{text: html.UnescapeString(text), size: size, color: color}})
	}
	return all
}

// A labelReader reads an HTML-like label.
type labelReader struct{ decoder *xml.Decoder }

// content reads the content of an element.
func (p *labelReader) content(name string, look run) (content, error) {
	c := content{}
	err := p.into(&c, name, look)
	return c, err
}

// into adds the content of an element with that name, up to its end.
func (p *labelReader) into(c *content, name string, look run) error {
	for {
		token, err := p.decoder.Token()
		if err == io.EOF && name == "" {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.EndElement:
			return nil
		case xml.CharData:
			c.add(string(t), look)
		case xml.StartElement:
			if err := p.element(c, t, look); err != nil {
				return err
			}
		}
	}
}

// add adds a text to the last line.
func (c *content) add(text string, look run) {
	if text == "" {
		return
	}
	if len(c.lines) == 0 {
		c.lines = append(c.lines, nil)
	}
	look.text = text
	last := len(c.lines) - 1
	c.lines[last] = append(c.lines[last], look)
}

func (p *labelReader) element(c *content, t xml.StartElement, look run) error {
	switch t.Name.Local {
	case "TABLE":
		table, err := p.table(t, look)
		c.table = table
		return err
	case "BR":
		c.lines = append(c.lines, nil)
	case "B":
		look.bold = true
	case "I":
		look.italic = true
	case "FONT":
		if v := attribute(t, "COLOR"); v != "" {
			look.color = v
		}
		look.size = number(attribute(t, "POINT-SIZE"), look.size)
	}
	return p.into(c, t.Name.Local, look)
}

// table reads a table.
func (p *labelReader) table(t xml.StartElement, look run) (*table, error) {
	made := &table{pad: number(attribute(t, "CELLPADDING"), 2), spacing: number(attribute(t, "CELLSPACING"), 2)}
	if attribute(t, "SIDES") != "" {
		made.sides = attribute(t, "COLOR")
	}
	for {
		token, err := p.decoder.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.EndElement:
			if t.Name.Local == "TABLE" {
				return made, nil
			}
		case xml.StartElement:
			if t.Name.Local == "TR" {
				made.rows = append(made.rows, nil)
				continue
			}
			cell := &tableCell{span: int(number(attribute(t, "COLSPAN"), 1)), align: attribute(t, "ALIGN"), fill: attribute(t, "BGCOLOR"), port: attribute(t, "PORT"), pad: number(attribute(t, "CELLPADDING"), -1)}
			if cell.content, err = p.content("TD", look); err != nil {
				return nil, err
			}
			last := len(made.rows) - 1
			made.rows[last] = append(made.rows[last], cell)
		}
	}
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func number(text string, without float64) float64 {
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return v
	}
	return without
}

// measure returns the size of a content.
func (c *content) measure() (w, h float64) {
	if c.table != nil {
		return c.table.measure()
	}
	for len(c.lines) > 0 && len(c.lines[len(c.lines)-1]) == 0 { // after the last break
		c.lines = c.lines[:len(c.lines)-1]
	}
	for _, l := range c.lines {
		w, h = max(w, l.width()), h+l.height()
	}
	return w, h
}

// measure sets the sizes of a table's columns and rows.
func (t *table) measure() (w, h float64) {
	t.columns, t.heights = nil, make([]float64, len(t.rows))
	for i, row := range t.rows {
		for j, c := range row {
			cw, ch := c.size(t)
			t.heights[i] = max(t.heights[i], ch)
			for len(t.columns) < j+c.span {
				t.columns = append(t.columns, 0)
			}
			if c.span == 1 {
				t.columns[j] = max(t.columns[j], cw)
			}
		}
	}
	for _, row := range t.rows {
		for j, c := range row {
			if cw, _ := c.size(t); c.span > 1 {
				last := j + c.span - 1
				t.columns[last] += max(0, cw-t.across(j, c.span))
			}
		}
	}
	for _, rh := range t.heights {
		h += rh + t.spacing
	}
	return t.across(0, len(t.columns)) + 2*t.spacing, h + t.spacing
}

// across returns the width of several columns.
func (t *table) across(from, count int) float64 {
	w := 0.0
	for j := from; j < from+count; j++ {
		w += t.columns[j]
	}
	return w + t.spacing*float64(max(0, count-1))
}

// size returns the size of a cell, including the padding.
func (c *tableCell) size(t *table) (w, h float64) {
	if c.pad < 0 {
		c.pad = t.pad
	}
	w, h = c.measure()
	return w + 2*c.pad, h + 2*c.pad
}

// ports adds, for each row with a port, the distance of its middle from the top
// of the label.
func (c *content) ports(all map[string]float64) {
	if c.table == nil {
		return
	}
	y := c.table.spacing
	for i, row := range c.table.rows {
		for _, cell := range row {
			if cell.port != "" {
				all[cell.port] = y + c.table.heights[i]/2
			}
		}
		y += c.table.heights[i] + c.table.spacing
	}
}

// draw draws a content at a given top, aligned left, centered or right in a
// width.
func (c *content) draw(p *pen, x, y, w float64, align string) {
	if c.table != nil {
		own, _ := c.table.measure()
		switch align {
		case "LEFT":
		case "RIGHT":
			x += w - own
		default:
			x += (w - own) / 2
		}
		c.table.draw(p, x, y)
		return
	}
	for _, l := range c.lines {
		switch y += l.height(); align {
		case "LEFT":
			p.line(l, x, y-0.35*l.size(), "start")
		case "RIGHT":
			p.line(l, x+w, y-0.35*l.size(), "end")
		default:
			p.line(l, x+w/2, y-0.35*l.size(), "middle")
		}
	}
}

func (t *table) draw(p *pen, x, y float64) {
	top, rowTop := y, y+t.spacing
	for i, row := range t.rows {
		left := x + t.spacing
		for j, c := range row {
			w := t.across(j, c.span)
			if c.fill != "" {
				p.printf(`<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`, p.n(left), p.n(rowTop), p.n(w), p.n(t.heights[i]), c.fill)
			}
			_, h := c.measure()
			c.draw(p, left+c.pad, rowTop+(t.heights[i]-h)/2, w-2*c.pad, c.align)
			left += w + t.spacing
		}
		rowTop += t.heights[i] + t.spacing
	}
	if t.sides != "" {
		right := x + t.across(0, len(t.columns)) + 2*t.spacing
		for _, at := range []float64{x, right} {
			p.printf(`<path d="M%s %sV%s" stroke="%s"/>`, p.n(at), p.n(top), p.n(rowTop), t.sides)
		}
	}
}
