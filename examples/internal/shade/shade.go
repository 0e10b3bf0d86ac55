// Package shade writes what the example programs that read text show: words in
// colour, by how much each matters. Pages are HTML, one file each, which need
// no network connection.
package shade

import (
	"fmt"
	"html/template"
	"io"
	"math"

	"nabla/internal/palette"
)

// A Page is a heading and what stands below it, in order.
type Page struct {
	Title, Explanation string
	Texts              []Text
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

// Write writes the page to w.
func (p Page) Write(w io.Writer) error { return page.Execute(w, p) }

// ground returns the colour of a weight.
func ground(weight float64) template.CSS {
	end := palette.Orange
	if weight < 0 {
		end = palette.Sky
	}
	c := palette.Mix(palette.White, end, math.Abs(weight))
	return template.CSS(fmt.Sprintf("background:rgb(%d,%d,%d)", c.R, c.G, c.B))
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"ground": ground,
}).Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Title}}</title>
<style>
body { font: 16px/1.7 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #111; background: #fff; }
.word { padding: 0.1em 0.25em; border-radius: 0.2em; }
.joined .word { padding: 0.1em 0; border-radius: 0; white-space: pre-wrap; font-family: ui-monospace, monospace; }
h2 { font-size: 1em; margin: 1.4em 0 0.2em; }
</style></head><body>
<h1>{{.Title}}</h1>
<p>{{.Explanation}}</p>
{{range .Texts}}<h2>{{.Heading}}</h2>
<p{{if .Joined}} class="joined"{{end}}>{{$joined := .Joined}}{{range $i, $word := .Words}}{{if and $i (not $joined)}} {{end}}<span class="word" style="{{ground .Weight}}"{{with .Note}} title="{{.}}"{{end}}>{{.Word}}</span>{{end}}</p>
{{end}}</body></html>
`))
