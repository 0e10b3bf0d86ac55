package recording

import (
	"strings"

	"nabla/internal/operations"

	"nabla/autograd"
)

// mostWritten is how many terms of a weighted sum a formula writes out.
const mostWritten = 3

// FormulaOf returns how a value was computed, in the names of its inputs: "w·i
// + b", "tanh(z)"; "" for a leaf.
func (m *Model) FormulaOf(i int) string {
	return m.Written(i, func(i int, _ bool) string { return m.Nodes[i].Title() })
}

// Written is FormulaOf with the names that nameOf gives the inputs; operand
// says whether the input is an operand of an operator.
func (m *Model) Written(i int, nameOf func(i int, operand bool) string) string {
	n := &m.Nodes[i]
	if n.Kind != autograd.KindOperation {
		return ""
	}
	names := make([]string, len(n.In))
	operator := n.IsOperator()
	for input, e := range n.In {
		names[input] = nameOf(m.Edges[e].From, operator)
	}
	switch {
	case len(n.Terms) > mostWritten:
		return "Σ w·x" + m.bias(n)
	case n.Terms != nil:
		return n.sumOf(names)
	case n.Custom:
		return Shown(n.Op) + "(" + strings.Join(names, ", ") + ")"
	}
	if len(names) != len(n.Source.Inputs) { // a Selection left some out
		return n.Op + "(…)"
	}
	switch o := n.Operation(); {
	case o.Name == operations.MulScalar:
		return Times(n.Constants[0], names[0])
	case o.Written != "":
		return filled(o.Written, names, n.Constants)
	case o.Class == operations.Normalizing:
		return n.Op
	}
	for _, c := range n.Constants {
		names = append(names, Number(c, 4))
	}
	return n.Op + "(" + strings.Join(names, ", ") + ")"
}

// IsOperator reports whether a formula writes the operation as an operator,
// between or after its inputs, and not as a function of them.
func (n *Node) IsOperator() bool {
	return n.Is(operations.WeightedSum) || n.Operation().Written != ""
}

// filled puts the names of the inputs and the constants into a formula from the
// table of operations.
func filled(formula string, names []string, constants []float64) string {
	var b strings.Builder
	for _, r := range formula {
		switch r {
		case 'a':
			b.WriteString(names[0])
		case 'b':
			b.WriteString(names[1])
		case 'c':
			b.WriteString(Number(constants[0], 4))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (n *Node) sumOf(names []string) string {
	terms := make([]string, len(n.Terms))
	for k, t := range n.Terms {
		factors := make([]string, len(t))
		for f, input := range t {
			factors[f] = names[input]
		}
		terms[k] = strings.Join(factors, "·")
	}
	return strings.Join(terms, " + ")
}

// bias returns the end of a weighted sum's formula.
func (m *Model) bias(n *Node) string {
	if last := n.Terms[len(n.Terms)-1]; len(last) == 1 {
		return " + " + m.Nodes[m.Edges[n.In[last[0]]].From].Title()
	}
	return ""
}

// Times writes a product: "½(a − y)²".
func Times(factor float64, what string) string {
	switch factor {
	case 1:
		return what
	case -1:
		return "−" + what
	case 0.5:
		return "½" + what
	case 2:
		return "2" + what
	}
	return Number(factor, 4) + "·" + what
}
