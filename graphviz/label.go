package graphviz

import (
	"math"
	"strconv"
	"strings"

	"github.com/emicklei/dot"

	"nabla/explain"
	"nabla/internal/recording"
)

// A label is an HTML-like label under construction: a table with a heading and
// rows of a caption and numbers.
type label struct {
	strings.Builder
	digits int
	ports  bool // arrows end at the rows of value and gradient
}

// The ports of a row are at its sides.
const (
	valuePort    = "v"
	gradientPort = "g"
	inSide       = "i"
	outSide      = "o"
)

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

// heading adds the heading: bold text, then grey text.
func (l *label) heading(bold, gray string) {
	l.WriteString(`<TR><TD COLSPAN="2" CELLPADDING="4">`)
	l.WriteString(font(inkColor, headingSize, "<B>"+htmlText(bold)+"</B>"))
	if gray != "" {
		l.WriteString("  " + font(grayColor, captionSize, htmlText(gray)))
	}
	l.WriteString("</TD></TR>")
}

// value adds the row of a node's value.
func (l *label) value(n *recording.Node) {
	l.banded("value", l.tensor(n.Value, valueColor), valuePort, "")
}

// note adds a row with words in place of numbers.
func (l *label) note(caption, words string) {
	l.row(caption, italic(words))
}

func italic(words string) string {
	return font(faintColor, captionSize, "<I>"+htmlText(words)+"</I>")
}

func (l *label) row(caption, content string) { l.banded(caption, content, "", "") }

// banded adds a row with ports and a background colour, each unless empty.
func (l *label) banded(caption, content, port, fill string) {
	var left, right string
	if port != "" && l.ports {
		left, right = ` PORT="`+port+inSide+`"`, ` PORT="`+port+outSide+`"`
	}
	if fill != "" {
		ground := ` BGCOLOR="` + fill + `"`
		left, right = left+ground, right+ground
	}
	l.WriteString(`<TR><TD ALIGN="RIGHT"` + left + `>`)
	l.WriteString(font(grayColor, captionSize, htmlText(caption)))
	l.WriteString(`</TD><TD ALIGN="LEFT"` + right + `>` + content + "</TD></TR>")
}

// troubles adds a row for each trouble of a node, or for the first few of
// many.
func (l *label) troubles(n *recording.Node) {
	const most = 3
	for i, t := range n.Troubles {
		if i == most && len(n.Troubles) > most+1 {
			l.warning("and "+strconv.Itoa(len(n.Troubles)-most)+" more", explain.TroubleKind(t.Kind))
			return
		}
		l.warning(t.Text, explain.TroubleKind(t.Kind))
	}
}

func (l *label) warning(text string, kind explain.TroubleKind) {
	l.WriteString(`<TR><TD COLSPAN="2" ALIGN="LEFT">`)
	l.WriteString(font(troubleColorOf(kind), captionSize, "<B>⚠ "+htmlText(recording.Visible(text))+"</B>"))
	l.WriteString("</TD></TR>")
}

// tensor returns a tensor's numbers as the content of a cell.
func (l *label) tensor(n recording.Numbers, color string) string {
	switch {
	case n.Size == 0:
		return font(faintColor, captionSize, "<I>empty</I>")
	case n.Size == 1:
		return "<B>" + l.element(n.Few[0], color) + "</B>"
	case n.Few != nil:
		return l.matrix(n, color)
	}
	return l.summary(n, color)
}

// element returns one number, in a special colour if it is NaN or infinite.
func (l *label) element(v float64, color string) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		color = troubleColor
	}
	return font(color, 0, recording.Number(v, l.digits))
}

// matrix returns each element, with the last axis horizontal.
func (l *label) matrix(n recording.Numbers, color string) string {
	across := n.Shape[len(n.Shape)-1]
	var b strings.Builder
	b.WriteString(`<TABLE BORDER="1" SIDES="LR" COLOR="` + color + `" CELLBORDER="0" CELLSPACING="1" CELLPADDING="2">`)
	for i, v := range n.Few {
		if i%across == 0 {
			b.WriteString("<TR>")
		}
		b.WriteString(`<TD ALIGN="RIGHT">` + l.element(v, color) + "</TD>")
		if i%across == across-1 {
			b.WriteString("</TR>")
		}
	}
	return b.String() + "</TABLE>"
}

// summary returns the range, mean and norm of a tensor, and below them how many
// elements are zero, NaN or infinite.
func (l *label) summary(n recording.Numbers, color string) string {
	var parts []string
	for _, part := range n.Statistics(l.digits) {
		parts = append(parts, font(grayColor, captionSize, part[0])+" "+font(color, 0, part[1]))
	}
	if share := n.ZeroShare(); share != "" && !n.Zero() {
		parts = append(parts, font(grayColor, captionSize, share))
	}
	for _, count := range n.Broke() {
		parts = append(parts, font(troubleColor, 0, "<B>"+count+"</B>"))
	}
	const line = 3 // statistics beside each other
	if len(parts) <= line {
		return strings.Join(parts, "  ")
	}
	return strings.Join(parts[:line], "  ") + `<BR ALIGN="LEFT"/>` + strings.Join(parts[line:], "  ") + `<BR ALIGN="LEFT"/>`
}

// font sets html in a colour and, unless 0, a size.
func font(color string, size int, html string) string {
	if size == 0 {
		return `<FONT COLOR="` + color + `">` + html + "</FONT>"
	}
	return `<FONT COLOR="` + color + `" POINT-SIZE="` + strconv.Itoa(size) + `">` + html + "</FONT>"
}

// gradient adds the row of a node's gradient with a background colour, or why
// there is none.
func (l *label) gradient(n *recording.Node, fill string) {
	if n.State == recording.Reached {
		color := gradientColor
		if n.Gradient.Zero() {
			color = zeroColor
		}
		l.banded("grad", l.tensor(n.Gradient, color), gradientPort, fill)
		return
	}
	if words := n.State.Words(); words != "" {
		l.banded("grad", italic(words), gradientPort, "")
	}
}

// htmlText escapes visible text for an HTML label. Graphviz interprets its own
// escapes, such as \N for a node's name, in HTML labels too, so a backslash
// must be doubled.
var htmlText = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;", `\`, "&#92;&#92;",
).Replace

// quoted returns visible text as a quoted string of the DOT language. Graphviz
// treats backslashes in tooltips inconsistently, so they are replaced by a
// character that looks similar.
func quoted(text string) string {
	return `"` + quotedText(text) + `"`
}

var quotedText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, `\"`, `\`, "⧵").Replace
