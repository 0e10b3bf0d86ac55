package explain

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"nabla/autograd"
	"nabla/internal/recording"
)

// words are the names that an Explanation uses for its value.
type words struct {
	title, gradient string
	shape           []int
	digits          int
}

func (e *Explanation) number(v float64) string { return recording.Number(v, e.words.digits) }

// String returns the explanation in lines.
func (e Explanation) String() string {
	lines := []string{e.headline()}
	lines = append(lines, e.termLines()...)
	lines = append(lines, e.wayLines()...)
	lines = append(lines, e.zeroLines()...)
	if zero := e.Known && e.signs[1] == e.Size; e.Cause.Kind != CauseNone && !zero {
		lines = append(lines, "cause, "+e.Cause.Kind.String()+": "+e.Cause.Words)
	}
	if e.Check != nil {
		lines = append(lines, e.checkLine())
	}
	if e.Closing != "" {
		lines = append(lines, e.Closing)
	}
	return strings.Join(lines, "\n") + "\n"
}

// headline says what is explained: "dw = −2.55, where w = 0.8".
func (e *Explanation) headline() string {
	value, gradient, norm := e.words.title, e.words.gradient, ""
	switch {
	case e.Element == recording.Whole:
		value, gradient, norm = value+" "+recording.ShapeText(e.words.shape), gradient+" "+recording.ShapeText(e.words.shape), "norm "
	case len(e.words.shape) > 0:
		index := recording.IndexText(e.Element, e.words.shape)
		value, gradient = value+index, gradient+index
	}
	if !e.Known {
		return "no " + gradient + ", where " + value + " = " + norm + e.number(e.Number)
	}
	return gradient + " = " + norm + e.number(e.Gradient) + ", where " + value + " = " + norm + e.number(e.Number)
}

// termLines writes out the sum.
func (e *Explanation) termLines() []string {
	if len(e.Terms) == 0 {
		return nil
	}
	what := "what its use hands back:"
	if len(e.Terms) > 1 {
		what = fmt.Sprintf("the sum of what its %d uses hand back:", len(e.Terms))
	}
	lines := []string{what}
	terms := e.Terms
	if len(terms) > mostTermLines+1 {
		terms = terms[:mostTermLines]
	}
	for i := range terms {
		lines = append(lines, "  "+e.termLine(&terms[i]))
	}
	if more := e.Terms[len(terms):]; len(more) > 0 {
		lines = append(lines, "  "+e.restLine(more))
	}
	return lines
}

// mostTermLines is how many terms of a sum String writes out. Terms has all.
const mostTermLines = 12

// restLine says what the terms that are not written out contribute. For a whole
// tensor it gives no sum, since norms do not add up.
func (e *Explanation) restLine(terms []Term) string {
	what := fmt.Sprintf("and %d more", len(terms))
	if e.Element == recording.Whole {
		return what
	}
	sum := 0.0
	for i := range terms {
		sum += terms[i].Contribution
	}
	return what + " = " + e.number(sum)
}

func (e *Explanation) termLine(t *Term) string {
	product, result := t.product(e.words.digits), e.number(t.Contribution)+", through "+t.called
	switch {
	case e.Element == recording.Whole:
		return fmt.Sprintf("%s = norm %s, with %s = norm %s", product, result, t.gradient, e.number(t.Upstream))
	case math.IsNaN(t.Local):
		return product + " = " + result
	}
	return fmt.Sprintf("%s = %s × %s = %s", product, e.number(t.Upstream), e.number(t.Local), result)
}

// product writes the contribution of a use: "dz × 3.6", "xᵀ × dz", "dz
// (copied)".
func (t *Term) product(digits int) string {
	switch {
	case !math.IsNaN(t.Local):
		return t.gradient + " × " + recording.Number(t.Local, digits)
	case t.Formula == "":
		return "from " + t.gradient
	case strings.HasSuffix(t.Formula, "×"):
		return t.Formula + " " + t.gradient
	case strings.HasPrefix(t.Formula, "×"), strings.HasPrefix(t.Formula, "÷"):
		return t.gradient + " " + t.Formula
	}
	return t.gradient + " (" + t.Formula + ")"
}

// wayLines writes out the largest ways.
func (e *Explanation) wayLines() []string {
	if len(e.Ways) == 0 || len(e.Ways[0].Values) < 2 {
		return nil
	}
	what := "the way to " + e.Ways[0].titles[len(e.Ways[0].titles)-1] + ":"
	if e.WayCount > 1 {
		what = fmt.Sprintf("%s of the %s ways to %s:", counts(len(e.Ways), e.WayCount), countText(e.WayCount), e.Ways[0].titles[len(e.Ways[0].titles)-1])
	}
	lines := []string{what}
	for i := range e.Ways {
		lines = append(lines, "  "+e.wayLine(&e.Ways[i]))
	}
	return lines
}

func counts(shown int, of float64) string {
	if float64(shown) == of {
		return "all"
	}
	return "the largest " + strconv.Itoa(shown)
}

// countText writes a whole number, rounded if it is beyond a million.
func countText(n float64) string {
	if n < 1e6 {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return recording.Number(n, recording.DefaultDigits)
}

// wayLine writes one way: "60 %: w → z → loss, 1.5 × −1.7 = −2.55".
func (e *Explanation) wayLine(p *Way) string {
	share := ""
	if !math.IsNaN(p.Share) {
		share = recording.Number(100*p.Share, 3) + " %: "
	}
	way := strings.Join(shortened(p.titles), " → ")
	if !e.Exact {
		if e.WayCount > 1 && share != "" {
			share = "about " + share
		}
		return share + way
	}
	var factors []string
	for _, local := range p.Locals {
		factors = append(factors, e.number(local))
	}
	if p.seed != 1 {
		factors = append(factors, e.number(p.seed))
	}
	return share + way + ", " + strings.Join(shortened(factors), " × ") + " = " + e.number(p.Contribution)
}

// shortened cuts the middle out of a long list.
func shortened(list []string) []string {
	const head, tail = 8, 7
	if len(list) <= head+tail+1 {
		return list
	}
	short := append([]string{}, list[:head]...)
	short = append(short, fmt.Sprintf("… (%d more)", len(list)-head-tail))
	return append(short, list[len(list)-tail:]...)
}

// zeroLines says which elements are exactly zero and why.
func (e *Explanation) zeroLines() []string {
	var lines []string
	for _, z := range e.Zeros {
		what := "exactly zero"
		if e.Size > 1 {
			what = fmt.Sprintf("%d of %d %s exactly zero", z.Count, e.Size, recording.IsOrAre(z.Count))
		}
		lines = append(lines, what+", "+z.Cause.Kind.String()+": "+z.Cause.Words)
	}
	return lines
}

// checkLine compares the gradient with the central difference.
func (e *Explanation) checkLine() string {
	d := e.Check
	line := fmt.Sprintf("central difference over ±%s: %s", e.number(d.Step), e.number(d.Numeric))
	switch {
	case d.Agrees:
		return line + ", which agrees"
	case d.Kink:
		return line + ", which does not agree with " + e.number(d.Gradient) + ": there is a kink or jump"
	}
	return line + ", which does not agree with " + e.number(d.Gradient)
}

// closing says what a step of gradient descent does to a parameter or
// variable.
func (e *Explanation) closing(n *recording.Node) string {
	if n.Kind != autograd.KindParam && n.Kind != autograd.KindVariable {
		return ""
	}
	title := e.words.title
	if e.Element != recording.Whole && len(e.words.shape) > 0 {
		title += recording.IndexText(e.Element, e.words.shape)
	}
	down, same, up := e.signs[2], e.signs[1], e.signs[0]
	switch {
	case n.Frozen && n.Source.Param.IsStatistic():
		return title + " is a statistic: a step moves it towards what was observed, without a gradient"
	case n.Frozen:
		return title + " is frozen, so no step will change it"
	case n.State == recording.Pending || n.State == recording.NotKept: // it will have a gradient
		return ""
	case !e.Known:
		return "no gradient, so no step will change " + title
	case up+same+down < e.Size, math.IsInf(e.Gradient, 0):
		return "the gradient is not finite, so a step would spoil " + title
	case e.Size != 1:
		return fmt.Sprintf("of %s, %d will be increased (negative gradient), %d decreased (positive gradient), %d left as they are", title, up, down, same)
	case up == 1:
		return "negative gradient, so " + title + " will be increased"
	case down == 1:
		return "positive gradient, so " + title + " will be decreased"
	}
	return "zero gradient, so " + title + " stays as it is"
}
