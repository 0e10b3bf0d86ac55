package gradcheck

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"nabla/autograd"
)

// A Verdict says what is wrong with an entry.
type Verdict uint8

const (
	agrees Verdict = iota

	// Wrong: gradient and difference differ by more than the tolerance and the
	// difference's error.
	Wrong

	// NonFinite: one of the two is NaN or infinite. The difference is NaN
	// where f is finite on no interval around the point.
	NonFinite

	// Unsettled: they differ, but the differences come to no limit either: f
	// jumps here, or bends too sharply for the steps, or is too noisy.
	Unsettled

	// Kink: the slopes to the left and to the right differ, at the point or
	// nearer to it than the steps can tell, and the gradient lies between them:
	// nothing is known about the rule. Move the point.
	Kink
)

var verdicts = [...]string{"agrees", "wrong", "not finite", "unsettled", "kink"}

// String returns a word or two.
func (v Verdict) String() string { return verdicts[v] }

// An Entry is one element whose gradient did not pass.
type Entry struct {
	Name  string          // "input 0", `param "dense.weight"`
	Input int             // which input, -1 for a Param
	Param *autograd.Param // nil for an input
	Index []int           // the element's index along each axis
	Pass  string          // which gradient: "Backward", "Grad" or "Backward and Grad"

	Verdict     Verdict
	Analytic    float64 // the gradient
	Numeric     float64 // the finite difference
	Tolerance   float64 // how far apart they may be
	Step        float64 // the narrowest step in the difference
	Uncertainty float64 // the difference's estimated error
	Left, Right float64 // the slopes to either side
}

// Difference returns how far gradient and finite difference are apart.
func (e Entry) Difference() float64 { return math.Abs(e.Analytic - e.Numeric) }

// String returns one line: where, both numbers, and what they mean.
func (e Entry) String() string {
	where := e.Name
	if len(e.Index) > 0 {
		where += fmt.Sprint(" ", e.Index)
	}
	switch e.Verdict {
	case Kink:
		return fmt.Sprintf("%s: kink at this point: left slope %.6g, right slope %.6g, %s %.6g (step %.2g): move the point",
			where, e.Left, e.Right, e.Pass, e.Analytic, e.Step)
	case NonFinite:
		return fmt.Sprintf("%s: not finite: %s %.6g, difference %.6g", where, e.Pass, e.Analytic, e.Numeric)
	}
	line := fmt.Sprintf("%s: %s: %s %.9g, difference %.9g ± %.1g (step %.2g), apart by %.3g",
		where, e.Verdict, e.Pass, e.Analytic, e.Numeric, e.Uncertainty, e.Step, e.Difference())
	if e.Verdict == Unsettled {
		line += ": a jump, a sharp bend, or noise"
	}
	return line
}

// excess says by how much an entry missed, for sorting.
func (e Entry) excess() float64 {
	if v := e.Difference() / e.Tolerance; !math.IsNaN(v) {
		return v
	}
	return math.Inf(1)
}

// An Error is the result of a check that did not pass.
type Error struct {
	Order   int     // 1 for gradients, 2 for second derivatives
	Total   int     // elements of all inputs and Params
	Checked int     // those that were checked: fewer with MaxEntries
	Failed  int     // those that did not pass
	Entries []Entry // the worst, wrong ones before kinks
}

// Error returns the numbers of entries, then a line for each of the worst.
func (e *Error) Error() string {
	var b strings.Builder
	what := "gradients"
	if e.Order == 2 {
		what = "second derivatives"
	}
	fmt.Fprintf(&b, "gradcheck: %d of %d %s did not pass", e.Failed, e.Checked, what)
	if e.Checked < e.Total {
		fmt.Fprintf(&b, " (a sample of %d)", e.Total)
	}
	b.WriteString("; the worst:")
	for _, entry := range e.Entries {
		b.WriteString("\n  " + entry.String())
	}
	return b.String()
}

// add takes in what was found about one element.
func (e *Error) add(entries []Entry) {
	e.Checked++
	failed := len(e.Entries)
	for _, entry := range entries {
		if entry.Verdict != agrees {
			e.Entries = append(e.Entries, entry)
		}
	}
	if len(e.Entries) > failed {
		e.Failed++
	}
}

// orNil returns the error, cut to the worst entries, if there is one.
func (e *Error) orNil(worst int) error {
	if e.Failed == 0 {
		return nil
	}
	slices.SortStableFunc(e.Entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Verdict, b.Verdict), cmp.Compare(b.excess(), a.excess()))
	})
	e.Entries = slices.Clip(e.Entries[:min(worst, len(e.Entries))])
	return e
}

// A NondeterministicError says that two evaluations of the function at the
// same point differ. Randomness from the graph, such as Dropout's, is not the
// reason: each evaluation draws the same.
type NondeterministicError struct {
	Index         []int // the first element of the result that differs
	First, Second float64
}

// Error returns both numbers.
func (e *NondeterministicError) Error() string {
	return fmt.Sprintf("gradcheck: the function is not deterministic: element %v of its result is %v, then %v at the same point",
		e.Index, e.First, e.Second)
}
