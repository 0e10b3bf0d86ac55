package explain

import (
	"fmt"
	"math"

	"nabla/internal/recording"
)

// domain says why an operation on finite numbers gave y, which is not finite.
// The numbers are nil where y is made of many.
func domain(n *recording.Node, in []float64, y float64) (CauseKind, string) {
	if n.Custom {
		return CauseUnknown, fmt.Sprintf("the operation %s returned %s", recording.Shown(n.Op), written(y))
	}
	in = append(in, n.Constants...)
	if say := domains[n.Op]; say != nil && len(in) > 0 {
		if kind, words := say(in[0], y); words != "" {
			return kind, n.Op + words
		}
	}
	if arithmetic[n.Op] != "" && len(in) == 2 {
		return arithmeticCause(arithmetic[n.Op], in[0], in[1])
	}
	switch {
	case math.IsNaN(y) && (n.Op == "mean" || n.Op == "var" || n.Op == "std"):
		return CauseDomain, n.Op + " of too few elements"
	case math.IsNaN(y):
		return CauseDomain, n.Op + " of numbers that it is not defined for"
	case len(in) > 0 && len(n.In) == 1:
		return CauseOverflow, n.Op + " of " + written(in[0]) + " overflows"
	}
	return CauseOverflow, n.Op + " overflows"
}

func written(v float64) string { return recording.Number(v, recording.DefaultDigits) }

// arithmetic are the signs of the operations that are written between their
// operands.
var arithmetic = map[string]string{"add": "+", "sub": "−", "mul": "×", "div": "/", "pow": "to the power of", "pow scalar": "to the power of"}

func arithmeticCause(sign string, x, y float64) (CauseKind, string) {
	words := written(x) + " " + sign + " " + written(y)
	switch {
	case sign == "/" && y == 0:
		return CauseDivisionByZero, words
	case sign == "to the power of" && x == 0:
		return CauseDivisionByZero, words + ": 1 / 0"
	case sign == "to the power of" && x < 0 && y != math.Trunc(y):
		return CauseDomain, words + ": a negative number to a fraction"
	}
	return CauseOverflow, words + " overflows"
}

// domains say, behind the name of an operation, why its first operand is not in
// its domain; "" where it is.
var domains = map[string]func(x, y float64) (CauseKind, string){
	"log": logDomain, "log2": logDomain, "log10": logDomain, "log1p": log1pDomain,
	"sqrt": rootDomain, "rsqrt": rootDomain, "reciprocal": rootDomain,
	"asin": arcDomain, "acos": arcDomain,
	"lgamma": poleDomain, "digamma": poleDomain, "polygamma": poleDomain,
	"binary cross entropy": probabilityDomain, "cross entropy": probabilityDomain,
}

func logDomain(x, _ float64) (CauseKind, string) {
	if x == 0 {
		return CauseLogOfZero, " of 0"
	}
	return CauseDomain, " of " + written(x) + ", a negative number"
}

func log1pDomain(x, _ float64) (CauseKind, string) {
	if x == -1 {
		return CauseLogOfZero, " of −1: log of 0"
	}
	return CauseDomain, " of " + written(x) + ": log of a negative number"
}

// rootDomain leaves the overflow of a reciprocal to the general case.
func rootDomain(x, y float64) (CauseKind, string) {
	switch {
	case x == 0:
		return CauseDivisionByZero, " of 0: 1 / 0"
	case math.IsNaN(y):
		return CauseDomain, " of " + written(x) + ", a negative number"
	}
	return CauseNone, ""
}

func arcDomain(x, _ float64) (CauseKind, string) {
	return CauseDomain, " of " + written(x) + ", outside −1 to 1"
}

// poleDomain: an infinity or NaN at 0, −1, −2, …; elsewhere an overflow.
func poleDomain(x, _ float64) (CauseKind, string) {
	if x <= 0 && x == math.Trunc(x) {
		return CauseDomain, " of " + written(x) + ", where it has a pole"
	}
	return CauseNone, ""
}

func probabilityDomain(x, _ float64) (CauseKind, string) {
	if x < 0 || x > 1 {
		return CauseDomain, " of " + written(x) + ", no probability"
	}
	return CauseNone, ""
}
