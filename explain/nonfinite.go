package explain

import (
	"fmt"
	"slices"
	"strconv"

	"nabla/autograd"
	"nabla/internal/recording"
)

// An origin is where a NaN or infinity arose, and what it spoiled.
type origin struct {
	node              int // into nodes: the one whose value broke, or whose rule made a broken gradient
	backward          bool
	cause             Cause
	harmless          bool  // an infinite constant that leads to no NaN
	values, gradients []int // into nodes, including those at the origin
}

// A spoilage is all NaNs and infinities of a model, by their origin.
type spoilage struct {
	*recording.Model
	origins         []origin
	value, gradient []int // by node: the origin of what broke it, or unbroken
	rule            []int // by node: the origin in its derivative rule, or unbroken
}

const unbroken = -1

// spoilageOf follows each NaN and infinity to where it arose: along the
// computation, then from the root back.
func spoilageOf(m *recording.Model) *spoilage {
	s := &spoilage{Model: m}
	s.value = slices.Repeat([]int{unbroken}, len(m.Nodes))
	s.gradient, s.rule = slices.Clone(s.value), slices.Clone(s.value)
	for i := range m.Nodes {
		if m.Nodes[i].Value.Broken() {
			s.value[i] = s.forward(i)
			o := &s.origins[s.value[i]]
			o.values = append(o.values, i)
		}
	}
	for i := len(m.Nodes) - 1; i >= 0; i-- {
		if n := &m.Nodes[i]; n.State == recording.Reached && n.Gradient.Broken() {
			s.gradient[i] = s.backward(i)
			o := &s.origins[s.gradient[i]]
			o.gradients = append(o.gradients, i)
		}
	}
	for i := range s.origins {
		o := &s.origins[i]
		slices.Reverse(o.gradients)
		o.harmless = s.isHarmless(o)
	}
	return s
}

func (s *spoilage) arose(o origin) int {
	s.origins = append(s.origins, o)
	return len(s.origins) - 1
}

// forward returns the origin of a broken value: the first of its inputs'
// origins, or the value itself if they are finite.
func (s *spoilage) forward(i int) int {
	if from := s.ofInputs(i); from != unbroken {
		return from
	}
	return s.arose(origin{node: i, cause: forwardCause(s.Model, i)})
}

// ofInputs returns the first of the origins that broke a node's inputs.
func (s *spoilage) ofInputs(i int) int {
	first := unbroken
	for _, in := range s.Nodes[i].In {
		if from := s.value[s.Edges[in].From]; from != unbroken && (first == unbroken || from < first) {
			first = from
		}
	}
	return first
}

// backward returns the origin of a broken gradient: what broke the incoming
// gradient, or the values that it was multiplied by, or else the rule that
// computed it.
func (s *spoilage) backward(i int) int {
	n := &s.Nodes[i]
	received := false
	for _, use := range slices.Backward(n.Uses) {
		e := &s.Edges[use]
		received = received || e.Received
		if !e.Received || !e.Contribution.Broken() {
			continue
		}
		switch {
		case s.gradient[e.To] != unbroken:
			return s.gradient[e.To]
		case s.value[e.To] != unbroken:
			return s.value[e.To]
		case s.ofInputs(e.To) != unbroken:
			return s.ofInputs(e.To)
		case s.rule[e.To] == unbroken:
			s.rule[e.To] = s.arose(origin{node: e.To, backward: true, cause: backwardCause(s.Model, e)})
		}
		return s.rule[e.To]
	}
	return s.unexplained(i, received)
}

// unexplained returns the origin of a broken gradient that has no broken
// contribution.
func (s *spoilage) unexplained(i int, received bool) int {
	n := &s.Nodes[i]
	cause := Cause{CauseGiven, n.Source.Value, "the gradient that the backward pass started with is not finite"}
	switch {
	case received:
		cause = Cause{CauseOverflow, n.Source.Value, "the sum of what its uses hand back overflows"}
	case !s.Traced && len(s.origins) > 0:
		return 0
	case !s.Traced:
		cause = Cause{CauseUnknown, n.Source.Value, "it arose in the backward pass: Options.Trace would show where"}
	}
	return s.arose(origin{node: i, backward: true, cause: cause})
}

// isHarmless reports whether an origin is an infinite constant that leads to no
// NaN.
func (s *spoilage) isHarmless(o *origin) bool {
	if s.Nodes[o.node].Kind != autograd.KindConstant {
		return false
	}
	for _, i := range o.values {
		if s.Nodes[i].Value.Nans > 0 || i == s.Root {
			return false
		}
	}
	return len(o.gradients) == 0
}

// nonFinite finds where NaNs and infinities arose.
func (d *diagnosis) nonFinite() {
	s := spoilageOf(d.Model)
	first := true
	for k := range s.origins {
		o := &s.origins[k]
		if o.harmless {
			continue
		}
		d.origin(s, o, first)
		first = false
	}
	d.spoiled(s)
}

// origin adds the finding for one origin.
func (d *diagnosis) origin(s *spoilage, o *origin, first bool) {
	values, gradients := slices.Clone(o.values), slices.Clone(o.gradients)
	if !o.backward {
		values = values[1:] // the origin itself
	}
	rest := ""
	if spoiled := joined(counted(len(values), "value"), counted(len(gradients), "gradient")); spoiled != "" {
		rest = "; spoils " + spoiled
	}
	order := "first "
	if !first {
		order = ""
	}
	f := d.add(TroubleNonFinite, o.node, fmt.Sprintf("%s%s: %s", order, s.symbol(o), o.cause.Words), rest)
	f.Cause, f.Backward = o.cause, o.backward
	f.SpoiledValues, f.SpoiledGradients = sources(d.Model, values), sources(d.Model, gradients)
}

// symbol returns the kind of number that arose.
func (s *spoilage) symbol(o *origin) string {
	n, what := &s.Nodes[o.node].Value, ""
	if o.backward {
		what = " in the backward pass"
		if len(o.gradients) > 0 {
			n = &s.Nodes[o.gradients[len(o.gradients)-1]].Gradient
		}
	}
	if n.Nans > 0 {
		return "NaN" + what
	}
	return "infinity" + what
}

// sources returns the recorded Values of nodes.
func sources(m *recording.Model, nodes []int) []autograd.Value {
	values := make([]autograd.Value, len(nodes))
	for k, i := range nodes {
		values[k] = m.Nodes[i].Source.Value
	}
	return values
}

// spoiled notes at each spoiled node where its NaN or infinity came from.
func (d *diagnosis) spoiled(s *spoilage) {
	for i := range d.Nodes {
		from := s.value[i]
		if from == unbroken {
			from = s.gradient[i]
		}
		if from == unbroken || s.origins[from].harmless || s.origins[from].node == i {
			continue
		}
		d.add(TroubleSpoiled, i, "spoiled by "+d.Nodes[s.origins[from].node].Mention(), "")
	}
}

// counted returns "3 values", "" for none.
func counted(count int, what string) string {
	switch count {
	case 0:
		return ""
	case 1:
		return "1 " + what
	}
	return strconv.Itoa(count) + " " + what + "s"
}

// joined joins two parts, either of which may be empty.
func joined(a, b string) string {
	if a != "" && b != "" {
		return a + " and " + b
	}
	return a + b
}

// forwardCause says why the first broken element of a node with finite inputs
// is broken.
func forwardCause(m *recording.Model, i int) Cause {
	n := &m.Nodes[i]
	y := m.Elements(n)
	k := slices.IndexFunc(y, func(v float64) bool { return !recording.IsFinite(v) })
	place := ""
	if len(y) > 1 {
		place = ", at element " + recording.IndexText(k, n.Value.Shape)
	}
	kind, words := CauseGiven, fmt.Sprintf("the %s holds %s", n.Kind, recording.Number(y[k], recording.DefaultDigits))
	if row := m.BrokenRow(n); row >= 0 {
		return Cause{CauseUnknown, n.Source.Value, fmt.Sprintf("it came about in row %d, which Sample(%d) draws", row, row)}
	}
	if len(n.In) > 0 {
		var in []float64
		if m.Elementwise(n) {
			in = m.Operands(n, k)
		}
		kind, words = domain(n, in, y[k])
	}
	return Cause{kind, n.Source.Value, words + place}
}

// backwardCause says why an operation's rule computed a broken gradient from
// finite numbers.
func backwardCause(m *recording.Model, e *recording.Edge) Cause {
	to := &m.Nodes[e.To]
	if f, ok := m.Factors(e); ok {
		upstream := m.GradientElements(to)
		for k, factor := range f {
			if !recording.IsFinite(factor * upstream[k]) {
				kind, words := slope(m, e, k, factor, upstream[k])
				return Cause{kind, to.Source.Value, words}
			}
		}
	}
	if to.Custom {
		return Cause{CauseUnknown, to.Source.Value, fmt.Sprintf("the rule of %s returned it", recording.Shown(to.Op))}
	}
	if e.Contribution.Nans > 0 {
		return Cause{CauseDomain, to.Source.Value, fmt.Sprintf("%s has no derivative there", to.Op)}
	}
	return Cause{CauseOverflow, to.Source.Value, fmt.Sprintf("the gradient through %s overflows", to.Op)}
}

// slope says why the product of a local derivative and an upstream gradient is
// broken.
func slope(m *recording.Model, e *recording.Edge, k int, factor, upstream float64) (CauseKind, string) {
	to := &m.Nodes[e.To]
	at := ""
	if m.Elementwise(to) {
		at = " at " + recording.Number(m.Operands(to, k)[e.Input], recording.DefaultDigits)
	}
	switch {
	case recording.IsFinite(factor):
		return CauseOverflow, fmt.Sprintf("%s × %s overflows", recording.Number(upstream, recording.DefaultDigits), recording.Number(factor, recording.DefaultDigits))
	case upstream == 0:
		return CauseSlope, fmt.Sprintf("%s%s has the slope %s, and a gradient of 0 times that is NaN", to.Op, at, recording.Number(factor, recording.DefaultDigits))
	}
	return CauseSlope, fmt.Sprintf("%s%s has the slope %s", to.Op, at, recording.Number(factor, recording.DefaultDigits))
}
