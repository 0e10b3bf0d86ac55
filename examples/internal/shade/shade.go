// Package shade writes what the example programs that read text show: words in
// colour, by how much each matters, and the map of an attention. Pages are
// HTML, one file each, which need no network connection.
package shade

import (
	"fmt"
	"html/template"
	"io"
	"math"
)

// A Page is a heading and what stands below it, in order.
type Page struct {
	Title, Explanation string
	Texts              []Text
	Grids              []Grid
}

// A Text is a line of words, each on a ground from blue (−1) by white (0) to
// orange (1).
type Text struct {
	Heading string
	Words   []Word
	Joined  bool // without spaces between the words, which are characters then
}

// A Word is shown on the ground that its weight says, from −1 to 1. Its note is
// shown when the pointer rests on it.
type Word struct {
	Word   string
	Weight float64
	Note   string
}

// A Grid is a table of weights from 0 to 1 with a name for each row and column.
type Grid struct {
	Heading       string
	Rows, Columns []string
	Weights       [][]float64 // [rows][columns]
}

// Write writes the page to w.
func (p Page) Write(w io.Writer) error { return page.Execute(w, p) }

// The ends of the scale are the colours of the drawings, which people who do
// not tell red from green tell apart.
var blue, orange = [3]float64{86, 180, 233}, [3]float64{230, 159, 0}

// ground returns the colour of a weight.
func ground(weight float64) template.CSS {
	end := orange
	if weight < 0 {
		end = blue
	}
	part := math.Min(1, math.Abs(weight)) // NaN: white, below
	if math.IsNaN(part) {
		part = 0
	}
	mix := func(c float64) int { return int(math.Round(255 + part*(c-255))) }
	return template.CSS(fmt.Sprintf("background:rgb(%d,%d,%d)", mix(end[0]), mix(end[1]), mix(end[2])))
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"ground":  ground,
	"percent": func(weight float64) string { return fmt.Sprintf("%.0f %%", 100*weight) },
}).Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Title}}</title>
<style>
body { font: 16px/1.7 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #111; background: #fff; }
.word { padding: 0.1em 0.25em; border-radius: 0.2em; }
.joined .word { padding: 0.1em 0; border-radius: 0; white-space: pre-wrap; font-family: ui-monospace, monospace; }
h2 { font-size: 1em; margin: 1.4em 0 0.2em; }
table { border-collapse: collapse; margin: 0.5em 0 1.5em; font-size: 14px; }
td { width: 2.2em; height: 1.7em; border: 1px solid #eee; }
thead th { height: 7em; vertical-align: bottom; font-weight: normal; }
thead span { writing-mode: vertical-rl; transform: rotate(180deg); }
tbody th { text-align: right; padding-right: 0.5em; font-weight: normal; white-space: nowrap; }
</style></head><body>
<h1>{{.Title}}</h1>
<p>{{.Explanation}}</p>
{{range .Texts}}<h2>{{.Heading}}</h2>
<p{{if .Joined}} class="joined"{{end}}>{{$joined := .Joined}}{{range $i, $word := .Words}}{{if and $i (not $joined)}} {{end}}<span class="word" style="{{ground .Weight}}"{{with .Note}} title="{{.}}"{{end}}>{{.Word}}</span>{{end}}</p>
{{end}}{{range .Grids}}<h2>{{.Heading}}</h2>
<table><thead><tr><th></th>{{range .Columns}}<th><span>{{.}}</span></th>{{end}}</tr></thead><tbody>
{{$grid := .}}{{range $i, $name := .Rows}}<tr><th>{{$name}}</th>{{range index $grid.Weights $i}}<td style="{{ground .}}" title="{{percent .}}"></td>{{end}}</tr>
{{end}}</tbody></table>
{{end}}</body></html>
`))
