package recording

import (
	"strings"

	"nabla/autograd"
)

// mostWritten is how many terms of a weighted sum a formula writes out.
const mostWritten = 3

// FormulaOf returns how a value was computed, in the names of its inputs: "w·i
// + b", "tanh(z)"; "" of what is given.
func (m *Model) FormulaOf(i int) string {
	return m.Written(i, func(i int, _ bool) string { return m.Nodes[i].Title() })
}

// Written is formulaOf with what nameOf calls the inputs, which knows whether
// they stand between operators.
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
	switch n.Op {
	case "add":
		return names[0] + " + " + names[1]
	case "sub":
		return names[0] + " − " + names[1]
	case "mul":
		return names[0] + "·" + names[1]
	case "div":
		return names[0] + " / " + names[1]
	case "square":
		return names[0] + "²"
	case "softmax", "log softmax":
		return n.Op
	case "scale":
		return Times(n.Constants[0], names[0])
	case "add scalar":
		return names[0] + " + " + Number(n.Constants[0], 4)
	case "pow scalar":
		return names[0] + "^" + Number(n.Constants[0], 4)
	}
	for _, c := range n.Constants {
		names = append(names, Number(c, 4))
	}
	return n.Op + "(" + strings.Join(names, ", ") + ")"
}

// IsOperator reports whether a formula writes the operation between or behind
// its inputs, and not as a function of them.
func (n *Node) IsOperator() bool {
	if n.Custom {
		return false
	}
	switch n.Op {
	case WeightedSum, "add", "sub", "mul", "div", "square", "scale", "add scalar", "pow scalar":
		return true
	}
	return false
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

// Times returns a product as one writes it: "½(a − y)²".
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
