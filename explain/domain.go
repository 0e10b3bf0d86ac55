package explain

import (
	"fmt"
	"math"
	"strings"

	"nabla/internal/operations"

	"nabla/internal/recording"
)

// domain says why an operation on finite numbers gave y, which is not finite.
// The numbers in are nil if y depends on many.
func domain(n *recording.Node, in []float64, y float64) (CauseKind, string) {
	if n.Custom {
		return CauseUnknown, fmt.Sprintf("the operation %s returned %s", recording.Shown(n.Op), written(y))
	}
	in = append(in, n.Constants...)
	o := n.Operation()
	if o.Domain != nil && (len(in) > 0 || o.Class != operations.Elementwise) {
		x := math.NaN()
		if len(in) > 0 {
			x = in[0]
		}
		if fault, words := o.Domain(x, y); words != "" {
			return faults[fault], n.Op + strings.ReplaceAll(words, "%s", written(x))
		}
	}
	if o.Sign != "" && len(in) == 2 {
		return arithmeticCause(o.Sign, in[0], in[1])
	}
	switch {
	case math.IsNaN(y):
		return CauseDomain, n.Op + " of numbers that it is not defined for"
	case len(in) > 0 && len(n.In) == 1:
		return CauseOverflow, n.Op + " of " + written(in[0]) + " overflows"
	}
	return CauseOverflow, n.Op + " overflows"
}

// faults maps the faults in the table of operations to kinds of causes.
var faults = map[operations.Fault]CauseKind{
	operations.Overflow: CauseOverflow, operations.Outside: CauseDomain, operations.LogOfZero: CauseLogOfZero, operations.DivisionByZero: CauseDivisionByZero,
}

func written(v float64) string { return recording.Number(v, recording.DefaultDigits) }

func arithmeticCause(sign string, x, y float64) (CauseKind, string) {
	words := written(x) + " " + sign + " " + written(y)
	switch {
	case sign == operations.Of(operations.Div).Sign && y == 0:
		return CauseDivisionByZero, words
	case sign == operations.Of(operations.Pow).Sign && x == 0:
		return CauseDivisionByZero, words + ": 1 / 0"
	case sign == operations.Of(operations.Pow).Sign && x < 0 && y != math.Trunc(y):
		return CauseDomain, words + ": a negative number to a fraction"
	}
	return CauseOverflow, words + " overflows"
}
