package recording

import (
	"strconv"
	"unicode/utf8"

	"nabla/internal/operations"
)

// BackwardFormula says what happens to the gradient on an edge; "" if the
// operation's row does not say.
func (m *Model) BackwardFormula(e *Edge) string {
	to := &m.Nodes[e.To]
	backward := to.Operation().Backward
	if backward == nil || to.Several() {
		return ""
	}
	use := operations.Use{Input: e.Input, Constants: to.Source.Constants, Ints: to.Source.Ints}
	for _, in := range to.In {
		from := m.Source(&m.Edges[in])
		use.Symbols = append(use.Symbols, from.symbol())
		use.Learned = append(use.Learned, from.Learned())
	}
	if to.Value.Size > 0 {
		use.Elements = m.Source(&m.Edges[to.In[0]]).Value.Size / to.Value.Size
	}
	return backward(use)
}

// symbol returns a node's name if it is a symbol, such as W or x2, and ""
// otherwise.
func (n *Node) symbol() string {
	if name := Shown(n.Name); n.Name != "" && utf8.RuneCountInString(name) <= 4 && isSymbol(name) {
		return name
	}
	return ""
}

// HandedOn says in one or two lines what an edge passes on in the backward
// pass: "× 3.6 = −2.17" between scalars; the ranges of the factors and of the
// products if elements are multiplied; otherwise what happens to the gradient,
// and the norm of the result.
func (m *Model) HandedOn(e *Edge, digits int) []string {
	n := &e.Contribution
	switch {
	case e.LocalKnown && n.Size == 1 && e.Local.Size == 1:
		return []string{"× " + Number(e.Local.Few[0], digits) + " = " + Number(n.Few[0], digits)}
	case e.LocalKnown:
		factor := "× " + Span(&e.Local, digits)
		if n.Size > 0 && e.Local.Size > n.Size {
			factor += ", Σ over " + strconv.Itoa(e.Local.Size/n.Size)
		}
		return []string{factor, "= " + Span(n, digits)}
	}
	product := "norm " + Number(n.Norm, digits)
	if n.Size == 1 {
		product = "= " + Number(n.Few[0], digits)
	}
	if formula := m.BackwardFormula(e); formula != "" {
		return []string{formula, product}
	}
	return []string{product}
}

// Span returns the smallest and the largest number, or the one number that all
// are equal to.
func Span(n *Numbers, digits int) string {
	least, greatest := Number(n.Min, digits), Number(n.Max, digits)
	switch {
	case n.Size == 0:
		return "nothing"
	case n.Nans > 0:
		return "NaN"
	case n.Infs > 0:
		return "Inf"
	case least == greatest:
		return least
	}
	return least + " … " + greatest
}
