package recording

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// A use is one input of an operation, for the words that say what becomes of
// the gradient on the way to it.
type use struct {
	*Model
	e *Edge
}

func (u use) to() *Node { return &u.Nodes[u.e.To] }

// operand returns the value that the operation has as that input.
func (u use) operand(input int) *Node { return u.Source(&u.Edges[u.to().In[input]]) }

// called returns an operand's name where that is a symbol, such as W or x2,
// and else a letter that stands for it.
func (u use) called(input int, letter string) string {
	n := u.operand(input)
	if name := Shown(n.Name); n.Name != "" && utf8.RuneCountInString(name) <= 4 && isSymbol(name) {
		return name
	}
	return letter
}

// Formulas are the local derivatives of the operations that are no functions
// of single elements, as what is done with the gradient g of the result: x
// stands for the input, y for the result. A custom operation has none.
var Formulas = map[string]func(u use) string{
	"matmul": matmulFormula,

	"sum":       says("copied"),
	"mean":      meanFormula,
	"prod":      says("× y ÷ x"),
	"max":       says("to the greatest"),
	"min":       says("to the least"),
	"var":       func(u use) string { return "× 2(x − mean) ÷ " + u.freedom("%s") },
	"std":       func(u use) string { return "× (x − mean) ÷ " + u.freedom("(%s·y)") },
	"norm":      normFormula,
	"center":    says("g − mean g"),
	"logsumexp": says("× exp(x − y)"),
	"cumsum":    cumulative("summed up from the end", "summed up from the start"),
	"cumprod":   cumulative("g·y summed up from the end, ÷ x", "g·y summed up from the start, ÷ x"),

	"softmax":              says("y·(g − Σ g·y)"),
	"log softmax":          says("g − softmax(x)·Σ g"),
	"softmax gradient":     inputs("y·(g − Σ g·y)", "derivative by the probabilities"),
	"log softmax gradient": inputs("g − Σ g·exp y", "−g·exp(y)·Σ x"),

	"kink": inputs("", "0, NaN at the kink"),

	"reshape":     says("reshaped back"),
	"expand":      says("summed over the copies"),
	"permute":     says("axes permuted back"),
	"slice":       says("put in its place"),
	"pad":         says("without the padding"),
	"concat":      says("its part"),
	"where":       inputs("", "where it was chosen", "where it was chosen"),
	"diagonal":    says("onto the diagonal"),
	"on diagonal": says("the diagonal"),
	"triu":        says("the upper triangle"),
	"tril":        says("the lower triangle"),

	"index select": says("added at its indices"),
	"index add":    says("taken at its indices"),
	"gather":       says("added at its places"),
	"scatter add":  says("taken at its places"),
}

// formula returns what becomes of the gradient on the way to an input, ""
// where the operation does not tell.
func (u use) formula() string {
	to := u.to()
	f := Formulas[to.Op]
	if f == nil || to.Custom || to.Several() {
		return ""
	}
	return f(u)
}

func says(words string) func(use) string { return func(use) string { return words } }

// inputs says something else of each input.
func inputs(words ...string) func(use) string {
	return func(u use) string { return words[u.e.Input] }
}

// constant returns an operation's constant, 0 where it has not so many.
func (u use) constant(i int) float64 {
	if c := u.to().Source.Constants; i < len(c) {
		return c[i]
	}
	return 0
}

// matmulFormula is ∂/∂x = g·Wᵀ and ∂/∂W = xᵀ·g, or what follows from them
// where an operand was transposed.
func matmulFormula(u use) string {
	letter := "y"
	if u.operand(1).Learned() {
		letter = "W"
	}
	x, w := u.called(0, "x"), u.called(1, letter)
	transX, transW := u.constant(0) != 0, u.constant(1) != 0
	left := [...]string{"× " + w + "ᵀ", "× " + w, w + " × gᵀ", w + "ᵀ × gᵀ"}
	right := [...]string{x + "ᵀ ×", "gᵀ × " + x, x + " ×", "gᵀ × " + x + "ᵀ"}
	which := 0
	if transW {
		which++
	}
	if transX {
		which += 2
	}
	if u.e.Input == 0 {
		return left[which]
	}
	return right[which]
}

func meanFormula(u use) string {
	y := u.to().Value.Size
	if y == 0 {
		return "÷ n"
	}
	return "÷ " + strconv.Itoa(u.operand(0).Value.Size/y)
}

// freedom returns what a variance divides by, the third of its Ints: n − 1, and
// n for that of a population.
func (u use) freedom(format string) string {
	if u.to().Source.Ints[2] == 0 {
		return fmt.Sprintf(format, "n")
	}
	return fmt.Sprintf(format, "(n − 1)")
}

func normFormula(u use) string {
	switch p := u.constant(0); {
	case p == 1:
		return "× sign x"
	case p == 2:
		return "× x ÷ y"
	case math.IsInf(p, 1):
		return "to the greatest |x|"
	}
	return "× sign x·(|x| ÷ y)^(p − 1)"
}

// cumulative tells a running sum or product from one that runs backwards.
func cumulative(forward, backward string) func(use) string {
	return func(u use) string {
		if u.constant(1) != 0 {
			return backward
		}
		return forward
	}
}

// BackwardFormula says what becomes of the gradient on an edge, "" where the
// operation does not tell.
func (m *Model) BackwardFormula(e *Edge) string { return use{m, e}.formula() }

// HandedOn says what an edge hands on in the backward pass, one line or two:
// "× 3.6 = −2.17" between scalars, the range of the factors and of the products
// where elements are multiplied, and else what becomes of the gradient, and the
// product's norm.
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

// Span returns the least and the greatest number, or what they all are.
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
