package graphviz

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emicklei/dot"

	"nabla/autograd"
)

// A label is an HTML-like label under construction: a table with a heading
// over rows of a caption and its numbers.
type label struct {
	strings.Builder
	digits int
	ports  bool // arrows end at the rows of value and gradient
}

// A row's ports are at its sides.
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

// heading adds what stands over the rows: bold, then in grey.
func (l *label) heading(bold, grey string) {
	l.WriteString(`<TR><TD COLSPAN="2" CELLPADDING="4">`)
	l.WriteString(font(inkColour, headingSize, "<B>"+htmlText(bold)+"</B>"))
	if grey != "" {
		l.WriteString("  " + font(greyColour, captionSize, htmlText(grey)))
	}
	l.WriteString("</TD></TR>")
}

// value adds the row of a node's value.
func (l *label) value(n *node) {
	l.banded("value", l.tensor(n.value, valueColour), valuePort, "")
}

// note adds a row with words in place of numbers.
func (l *label) note(caption, words string) {
	l.row(caption, italic(words))
}

func italic(words string) string {
	return font(faintColour, captionSize, "<I>"+htmlText(words)+"</I>")
}

func (l *label) row(caption, content string) { l.banded(caption, content, "", "") }

// banded adds a row with ports of a name and on a ground of a colour, unless
// they are empty.
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
	l.WriteString(font(greyColour, captionSize, htmlText(caption)))
	l.WriteString(`</TD><TD ALIGN="LEFT"` + right + `>` + content + "</TD></TR>")
}

// troubles adds a row for each trouble of a node, the first few of many.
func (l *label) troubles(n *node) {
	const most = 3
	for i, t := range n.troubles {
		if i == most && len(n.troubles) > most+1 {
			l.warning("and "+strconv.Itoa(len(n.troubles)-most)+" more", t.kind)
			return
		}
		l.warning(t.text, t.kind)
	}
}

func (l *label) warning(text string, kind TroubleKind) {
	l.WriteString(`<TR><TD COLSPAN="2" ALIGN="LEFT">`)
	l.WriteString(font(troubleColourOf(kind), captionSize, "<B>⚠ "+htmlText(visible(text))+"</B>"))
	l.WriteString("</TD></TR>")
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

// summary returns the range, mean and norm of a tensor, and under them what is
// special about its elements: how many are zero, NaN or infinite.
func (l *label) summary(n numbers, colour string) string {
	var parts []string
	for _, part := range n.statistics(l.digits) {
		parts = append(parts, font(greyColour, captionSize, part[0])+" "+font(colour, 0, part[1]))
	}
	if share := n.zeroShare(); share != "" && !n.zero() {
		parts = append(parts, font(greyColour, captionSize, share))
	}
	for _, count := range n.broke() {
		parts = append(parts, font(troubleColour, 0, "<B>"+count+"</B>"))
	}
	const line = 3 // statistics beside each other
	if len(parts) <= line {
		return strings.Join(parts, "  ")
	}
	return strings.Join(parts[:line], "  ") + `<BR ALIGN="LEFT"/>` + strings.Join(parts[line:], "  ") + `<BR ALIGN="LEFT"/>`
}

// statistics returns names and numbers: the range and mean of the finite
// elements, and the norm of all.
func (n *numbers) statistics(digits int) [][2]string {
	var all [][2]string
	switch {
	case n.finite == 0:
	case n.min == n.max:
		all = append(all, [2]string{"all", number(n.min, digits)})
	default:
		mean := number(n.mean, digits)
		if n.level {
			mean = "≈ 0"
		}
		all = append(all, [2]string{"min", number(n.min, digits)}, [2]string{"mean", mean}, [2]string{"max", number(n.max, digits)})
	}
	if n.finite == n.size {
		all = append(all, [2]string{"norm", number(n.norm, digits)})
	}
	return all
}

// zeroShare returns how many of the elements are exactly zero: "12 % zeros";
// "" for none.
func (n *numbers) zeroShare() string {
	if n.zeros == 0 {
		return ""
	}
	percent := strconv.Itoa(int(math.Round(100 * float64(n.zeros) / float64(n.size))))
	switch {
	case percent == "0":
		percent = "under 1"
	case percent == "100":
		percent = "over 99"
	}
	return percent + " % zeros"
}

// broke returns how many elements are NaN and infinite: "2 × NaN".
func (n *numbers) broke() []string {
	var all []string
	if n.nans > 0 {
		all = append(all, strconv.Itoa(n.nans)+" × NaN")
	}
	if n.infs > 0 {
		all = append(all, strconv.Itoa(n.infs)+" × Inf")
	}
	return all
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
	if n.stub != drawn {
		return "⋯ " + strings.TrimPrefix(n.op, "⋯ ")
	}
	if n.name != "" {
		return shown(n.name)
	}
	return shown(n.op) + " #" + strconv.Itoa(n.id)
}

// gradientTitle returns what a node's gradient is called: "dz" of z, and
// "d(hidden.w)" where that would not be read as one.
func (n *node) gradientTitle() string {
	title := n.title()
	if n.several() {
		return title
	}
	if utf8.RuneCountInString(title) > 4 || !isSymbol(title) {
		return "d(" + title + ")"
	}
	return "d" + title
}

// isSymbol reports whether a name is one of letters, digits and _ alone.
func isSymbol(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
}

// details returns what the heading says beside the title: the operation with
// its constants unless the title says it, and the shape of a tensor.
func (n *node) details(digits int) string {
	if n.group != nil {
		return n.group.summary()
	}
	var parts []string
	if n.name != "" {
		parts = append(parts, n.what())
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

// what returns what a node is: its operation, and the role of a constant.
func (n *node) what() string {
	if n.role != autograd.RoleNone && n.kind == autograd.KindConstant {
		return n.role.String()
	}
	return shown(n.op)
}

func shapeText(shape []int) string {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.Itoa(d)
	}
	return "[" + strings.Join(dims, " ") + "]"
}

// gradient adds the row of a node's gradient, on a ground of a colour, or why
// there is none.
func (l *label) gradient(n *node, fill string) {
	if n.state == reached {
		colour := gradientColour
		if n.gradient.zero() {
			colour = zeroColour
		}
		l.banded("grad", l.tensor(n.gradient, colour), gradientPort, fill)
		return
	}
	if words := n.state.words(); words != "" {
		l.banded("grad", italic(words), gradientPort, "")
	}
}

// words says why there is no gradient, "" where none is to be expected.
func (s gradientState) words() string {
	return [...]string{pending: "no backward yet", notKept: "not kept without Trace", notReached: "not reached", reached: ""}[s]
}
