package recording

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"nabla/autograd"
	"nabla/internal/operations"
)

// Title returns a node's name, or, if it has none, its operation and its number
// in the recording.
func (n *Node) Title() string {
	if n.Stub != Drawn {
		return "⋯ " + strings.TrimPrefix(n.Op, "⋯ ")
	}
	if n.Name != "" {
		return Shown(n.Name)
	}
	return Shown(n.Op) + " #" + strconv.Itoa(n.ID)
}

// GradientTitle returns the name of a node's gradient: "dz" for z, and
// "d(hidden.w)" if the name is not a symbol.
func (n *Node) GradientTitle() string {
	title := n.Title()
	if n.Several() {
		return title
	}
	if utf8.RuneCountInString(title) > 4 || !isSymbol(title) {
		return "d(" + title + ")"
	}
	return "d" + title
}

// isSymbol reports whether a name consists of letters, digits and _ only.
func isSymbol(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
}

// Details returns the rest of the heading after the title: the operation with
// its constants and settings unless the title has it, and the shape of a
// tensor.
func (n *Node) Details(digits int) string {
	if n.Group != nil {
		return n.Group.summary()
	}
	var parts []string
	if n.Name != "" {
		parts = append(parts, n.what())
	}
	for _, c := range n.Constants {
		parts = append(parts, Number(c, digits))
	}
	if n.Source.Settings != "" && n.Op == n.Source.Op {
		parts = append(parts, n.Source.Settings)
	}
	if n.Frozen {
		parts = append(parts, n.Untrained())
	}
	if len(n.Value.Shape) > 0 {
		parts = append(parts, ShapeText(n.Value.Shape))
	}
	return strings.Join(parts, " ")
}

// Untrained returns what a parameter is that is not trained: "frozen", or a
// "statistic".
func (n *Node) Untrained() string {
	if n.Source.Param.IsStatistic() {
		return "statistic"
	}
	return "frozen"
}

// what returns what a node is: its operation, and the role of a constant.
func (n *Node) what() string {
	if n.Role != autograd.RoleNone && n.Kind == autograd.KindConstant {
		return n.Role.String()
	}
	return Shown(n.Op)
}

func ShapeText(shape []int) string {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.Itoa(d)
	}
	return "[" + strings.Join(dims, " ") + "]"
}

// Words says why there is no gradient; "" if none is expected.
func (s GradientState) Words() string {
	return [...]string{Pending: "no backward yet", NotKept: "not kept without Trace", NotReached: "not reached", Reached: ""}[s]
}

// GradientText returns the gradient, or why there is none, in plain text.
func (n *Node) GradientText(digits int) string {
	if n.State == Reached {
		return "grad " + n.Gradient.Plain(digits)
	}
	if words := n.State.Words(); words != "" {
		return "grad " + words
	}
	return ""
}

// IndexText returns the index of element k along each axis.
func IndexText(k int, shape []int) string {
	index := make([]int, len(shape))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		index[axis], k = k%shape[axis], k/shape[axis]
	}
	return ShapeText(index)
}

func IsOrAre(count int) string {
	if count == 1 {
		return "is"
	}
	return "are"
}

// TellApart prepares the names for sentences: a node whose name is not unique
// gets the path of its scopes, which a drawing shows as frames; a node without
// a name is called by its formula.
func (m *Model) TellApart() {
	m.tellComputed()
	count := map[string]int{}
	for i := range m.Nodes {
		count[m.Nodes[i].Name]++
	}
	for i := range m.Nodes {
		n := &m.Nodes[i]
		n.prefix = ""
		if n.Name == "" || count[n.Name] < 2 {
			continue
		}
		for number := n.Scope; number != 0; number = m.Scopes[number].Parent {
			n.prefix = Shown(m.Scopes[number].Name) + "/" + n.prefix
		}
	}
}

// longestComputed is the most letters of a formula that serves as a node's
// name.
const longestComputed = 28

// tellComputed notes the formula of each operation without a name, such as "a −
// y", as its name in sentences, unless it is too long or uses values that are
// not in the picture.
func (m *Model) tellComputed() {
	for i := range m.Nodes {
		n := &m.Nodes[i]
		n.Computed = ""
		if n.Name != "" || n.Kind != autograd.KindOperation || n.Several() || n.IsRest() {
			continue
		}
		text := m.Written(i, func(from int, operand bool) string { return m.operandOf(n, from, operand) })
		if text != n.Op && !strings.Contains(text, "…") && !strings.Contains(text, "#") && utf8.RuneCountInString(text) <= longestComputed {
			n.Computed = text
		}
	}
}

// operandOf returns the text for an input of n, in brackets if it is a formula
// that needs them.
func (m *Model) operandOf(n *Node, from int, operand bool) string {
	x := &m.Nodes[from]
	if x.Kind == autograd.KindConstant && x.Name == "" && x.Value.Size == 1 && len(x.Value.Shape) == 0 {
		if text := Number(x.Value.Few[0], 4); !operand || !strings.HasPrefix(text, "−") {
			return text
		}
		return "(" + Number(x.Value.Few[0], 4) + ")"
	}
	text := x.Spoken()
	if !operand || x.Computed == "" || n.Is(operations.Add) {
		return text
	}
	if strings.Contains(text, " ") || n.Operation().Tight && strings.Contains(text, "·") {
		return "(" + text + ")"
	}
	return text
}

// Spoken returns the title in sentences: the formula if there is no name.
func (n *Node) Spoken() string {
	if n.Computed != "" {
		return n.Computed
	}
	return n.Title()
}

// Mention returns a node's name in a sentence.
func (n *Node) Mention() string { return n.prefix + n.Spoken() }

// GradientMention returns the name of a node's gradient in a sentence.
func (n *Node) GradientMention() string {
	if n.Computed != "" {
		return "d(" + n.Computed + ")"
	}
	if n.prefix == "" {
		return n.GradientTitle()
	}
	return "d(" + n.Mention() + ")"
}

// Called returns a node's name in a sentence, with its operation unless the
// name contains it.
func (n *Node) Called() string {
	if n.Computed != "" || strings.Contains(n.Mention(), Shown(n.Op)) {
		return n.Mention()
	}
	return Shown(n.Op) + " " + n.Mention()
}
