package graphviz

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emicklei/dot"
)

// A label is an HTML-like label under construction: a table with a heading
// over rows of a caption and its numbers.
type label struct {
	strings.Builder
	digits int
}

const (
	captionSize = 10 // points
	headingSize = 13
)

func newLabel(digits int) *label {
	l := &label{digits: digits}
	l.WriteString(`<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">`)
	return l
}

func (l *label) html() dot.HTML { return dot.HTML(l.String() + "</TABLE>") }

// heading adds what stands over the rows: bold, then in grey.
func (l *label) heading(bold, grey string) {
	l.WriteString(`<TR><TD COLSPAN="2" CELLPADDING="4">`)
	l.WriteString(font(inkColour, headingSize, "<B>"+htmlText(bold)+"</B>"))
	if grey != "" {
		l.WriteString("  " + font(greyColour, captionSize, htmlText(grey)))
	}
	l.WriteString("</TD></TR>")
}

// numbers adds a row with a tensor.
func (l *label) numbers(caption string, n numbers, colour string) {
	l.row(caption, l.tensor(n, colour))
}

// note adds a row with words in place of numbers.
func (l *label) note(caption, words string) {
	l.row(caption, font(faintColour, captionSize, "<I>"+htmlText(words)+"</I>"))
}

func (l *label) row(caption, content string) {
	l.WriteString(`<TR><TD ALIGN="RIGHT">`)
	l.WriteString(font(greyColour, captionSize, htmlText(caption)))
	l.WriteString(`</TD><TD ALIGN="LEFT">` + content + "</TD></TR>")
}

// tensor returns a tensor's numbers as the content of a cell.
func (l *label) tensor(n numbers, colour string) string {
	switch {
	case n.size == 0:
		return font(faintColour, captionSize, "<I>empty</I>")
	case n.size == 1:
		return "<B>" + l.element(n.few[0], colour) + "</B>"
	case n.few != nil:
		return l.matrix(n, colour)
	}
	return l.summary(n, colour)
}

// element returns one number, in a colour of its own when it is NaN or
// infinite.
func (l *label) element(v float64, colour string) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		colour = troubleColour
	}
	return font(colour, 0, number(v, l.digits))
}

// matrix returns each element, the last axis across.
func (l *label) matrix(n numbers, colour string) string {
	across := n.shape[len(n.shape)-1]
	var b strings.Builder
	b.WriteString(`<TABLE BORDER="1" SIDES="LR" COLOR="` + colour + `" CELLBORDER="0" CELLSPACING="1" CELLPADDING="2">`)
	for i, v := range n.few {
		if i%across == 0 {
			b.WriteString("<TR>")
		}
		b.WriteString(`<TD ALIGN="RIGHT">` + l.element(v, colour) + "</TD>")
		if i%across == across-1 {
			b.WriteString("</TR>")
		}
	}
	return b.String() + "</TABLE>"
}

// summary returns the range and mean of the finite elements, and how many are
// not.
func (l *label) summary(n numbers, colour string) string {
	var parts []string
	if n.finite > 0 {
		for _, part := range []struct {
			name string
			v    float64
		}{{"min", n.min}, {"mean", n.mean}, {"max", n.max}} {
			parts = append(parts, font(greyColour, captionSize, part.name)+" "+l.element(part.v, colour))
		}
	}
	for _, count := range []struct {
		of string
		n  int
	}{{"NaN", n.nans}, {"Inf", n.infs}} {
		if count.n > 0 {
			parts = append(parts, font(troubleColour, 0, "<B>"+strconv.Itoa(count.n)+" × "+count.of+"</B>"))
		}
	}
	return strings.Join(parts, "  ")
}

// font sets html in a colour and, unless 0, a size.
func font(colour string, size int, html string) string {
	if size == 0 {
		return `<FONT COLOR="` + colour + `">` + html + "</FONT>"
	}
	return `<FONT COLOR="` + colour + `" POINT-SIZE="` + strconv.Itoa(size) + `">` + html + "</FONT>"
}

// title returns what a node is called: its name, or else its operation and
// its number in the recording.
func (n *node) title() string {
	if n.name != "" {
		return shown(n.name)
	}
	return shown(n.op) + " #" + strconv.Itoa(n.id)
}

// gradientTitle returns what a node's gradient is called: "dz" of z, and
// "d(hidden.w)" where that would not be read as one.
func (n *node) gradientTitle() string {
	title := n.title()
	if utf8.RuneCountInString(title) > 4 || strings.ContainsFunc(title, notInSymbol) {
		return "d(" + title + ")"
	}
	return "d" + title
}

func notInSymbol(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }

// details returns what the heading says beside the title: the operation with
// its constants unless the title says it, and the shape of a tensor.
func (n *node) details(digits int) string {
	var parts []string
	if n.name != "" {
		parts = append(parts, shown(n.op))
	}
	for _, c := range n.constants {
		parts = append(parts, number(c, digits))
	}
	if n.frozen {
		parts = append(parts, "frozen")
	}
	if len(n.value.shape) > 0 {
		parts = append(parts, shapeText(n.value.shape))
	}
	return strings.Join(parts, " ")
}

func shapeText(shape []int) string {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.Itoa(d)
	}
	return "[" + strings.Join(dims, " ") + "]"
}

// gradientRow adds a node's gradient, or why it has none.
func (l *label) gradientRow(caption string, n *node) {
	switch n.state {
	case pending:
		l.note(caption, "no backward yet")
	case notKept:
		l.note(caption, "not kept without Trace")
	case notReached:
		l.note(caption, "not reached")
	case reached:
		colour := gradientColour
		if n.gradient.zero() {
			colour = zeroColour
		}
		l.numbers(caption, n.gradient, colour)
	}
}
