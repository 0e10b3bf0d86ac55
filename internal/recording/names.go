package recording

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"nabla/autograd"
	"nabla/internal/operations"
)

// Title returns what a node is called: its name, or else its operation and
// its number in the recording.
func (n *Node) Title() string {
	if n.Stub != Drawn {
		return "⋯ " + strings.TrimPrefix(n.Op, "⋯ ")
	}
	if n.Name != "" {
		return Shown(n.Name)
	}
	return Shown(n.Op) + " #" + strconv.Itoa(n.ID)
}

// GradientTitle returns what a node's gradient is called: "dz" of z, and
// "d(hidden.w)" where that would not be read as one.
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

// isSymbol reports whether a name is one of letters, digits and _ alone.
func isSymbol(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
}

// Details returns what the heading says beside the title: the operation with
// its constants unless the title says it, and the shape of a tensor.
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
	if n.Frozen {
		parts = append(parts, "frozen")
	}
	if len(n.Value.Shape) > 0 {
		parts = append(parts, ShapeText(n.Value.Shape))
	}
	return strings.Join(parts, " ")
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

// Words says why there is no gradient, "" where none is to be expected.
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

// TellApart gives each node whose name others have too the path of its scopes,
// for sentences: in a drawing it stands in their frames. What has no name is
// called by what it computes.
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

// longestComputed is how many letters what a node computes may have, to be
// what the node is called.
const longestComputed = 28

// tellComputed notes what each operation without a name computes, "a − y", for
// sentences to call it that, unless it is too long or not in the picture.
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

// operandOf returns what is written for an input of n: in brackets what is no
// name, where they are needed.
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

// Spoken returns the title in sentences: of what has no name, what it computes.
func (n *Node) Spoken() string {
	if n.Computed != "" {
		return n.Computed
	}
	return n.Title()
}

// Mention returns what a sentence calls a node.
func (n *Node) Mention() string { return n.prefix + n.Spoken() }

// GradientMention returns what a sentence calls a node's gradient.
func (n *Node) GradientMention() string {
	if n.Computed != "" {
		return "d(" + n.Computed + ")"
	}
	if n.prefix == "" {
		return n.GradientTitle()
	}
	return "d(" + n.Mention() + ")"
}

// Called returns what a sentence calls a node with its operation, unless that
// is said already.
func (n *Node) Called() string {
	if n.Computed != "" || strings.Contains(n.Mention(), Shown(n.Op)) {
		return n.Mention()
	}
	return Shown(n.Op) + " " + n.Mention()
}
