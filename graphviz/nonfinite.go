package graphviz

import (
	"fmt"
	"slices"
	"strconv"

	"nabla/autograd"
)

// An origin is where a NaN or infinity arose, and what it spoiled.
type origin struct {
	node              int // into nodes: whose value broke, or whose rule made a broken gradient
	backward          bool
	cause             Cause
	harmless          bool  // an infinite constant of which no NaN comes
	values, gradients []int // into nodes, those at the origin included
}

// A spoilage is every NaN and infinity of a model, by where it came from.
type spoilage struct {
	*model
	origins         []origin
	value, gradient []int // by node: the origin of what broke it, or unbroken
	rule            []int // by node: the origin that its derivative rule is, or unbroken
}

const unbroken = -1

// spoilage follows each NaN and infinity to where it arose: along the
// computation, then from the root back.
func (m *model) spoilage() *spoilage {
	s := &spoilage{model: m}
	s.value = slices.Repeat([]int{unbroken}, len(m.nodes))
	s.gradient, s.rule = slices.Clone(s.value), slices.Clone(s.value)
	for i := range m.nodes {
		if m.nodes[i].value.broken() {
			s.value[i] = s.forward(i)
			o := &s.origins[s.value[i]]
			o.values = append(o.values, i)
		}
	}
	for i := len(m.nodes) - 1; i >= 0; i-- {
		if n := &m.nodes[i]; n.state == reached && n.gradient.broken() {
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

// forward returns the origin of a broken value: the first of its inputs', or
// itself where they are finite.
func (s *spoilage) forward(i int) int {
	if from := s.ofInputs(i); from != unbroken {
		return from
	}
	return s.arose(origin{node: i, cause: s.forwardCause(i)})
}

// ofInputs returns the first origin of those that broke a node's inputs.
func (s *spoilage) ofInputs(i int) int {
	first := unbroken
	for _, in := range s.nodes[i].in {
		if from := s.value[s.edges[in].from]; from != unbroken && (first == unbroken || from < first) {
			first = from
		}
	}
	return first
}

// backward returns the origin of a broken gradient: what broke the gradient
// that was handed on, or the values that it was multiplied by, or else the
// rule that handed it on.
func (s *spoilage) backward(i int) int {
	n := &s.nodes[i]
	received := false
	for _, use := range slices.Backward(n.uses) {
		e := &s.edges[use]
		received = received || e.received
		if !e.received || !e.contribution.broken() {
			continue
		}
		switch {
		case s.gradient[e.to] != unbroken:
			return s.gradient[e.to]
		case s.value[e.to] != unbroken:
			return s.value[e.to]
		case s.ofInputs(e.to) != unbroken:
			return s.ofInputs(e.to)
		case s.rule[e.to] == unbroken:
			s.rule[e.to] = s.arose(origin{node: e.to, backward: true, cause: s.backwardCause(e)})
		}
		return s.rule[e.to]
	}
	return s.unexplained(i, received)
}

// unexplained returns the origin of a broken gradient of which no single
// contribution is broken.
func (s *spoilage) unexplained(i int, received bool) int {
	n := &s.nodes[i]
	cause := Cause{CauseGiven, n.source.Value, "the gradient that the backward pass started with is not finite"}
	switch {
	case received:
		cause = Cause{CauseOverflow, n.source.Value, "the sum of what its uses hand back overflows"}
	case !s.traced && len(s.origins) > 0:
		return 0
	case !s.traced:
		cause = Cause{CauseUnknown, n.source.Value, "it arose in the backward pass: Options.Trace would show where"}
	}
	return s.arose(origin{node: i, backward: true, cause: cause})
}

// isHarmless reports whether an origin is an infinite constant of which no NaN
// comes.
func (s *spoilage) isHarmless(o *origin) bool {
	if s.nodes[o.node].kind != autograd.KindConstant {
		return false
	}
	for _, i := range o.values {
		if s.nodes[i].value.nans > 0 || i == s.root {
			return false
		}
	}
	return len(o.gradients) == 0
}

// nonFinite looks for where NaNs and infinities arose.
func (d *diagnosis) nonFinite() {
	s := d.spoilage()
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

// origin adds the finding of one.
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
	f.SpoiledValues, f.SpoiledGradients = d.sources(values), d.sources(gradients)
}

// symbol returns the kind of number that arose.
func (s *spoilage) symbol(o *origin) string {
	n, what := &s.nodes[o.node].value, ""
	if o.backward {
		what = " in the backward pass"
		if len(o.gradients) > 0 {
			n = &s.nodes[o.gradients[len(o.gradients)-1]].gradient
		}
	}
	if n.nans > 0 {
		return "NaN" + what
	}
	return "infinity" + what
}

// sources returns the recorded Values of nodes.
func (m *model) sources(nodes []int) []autograd.Value {
	values := make([]autograd.Value, len(nodes))
	for k, i := range nodes {
		values[k] = m.nodes[i].source.Value
	}
	return values
}

// spoiled adds, at each spoiled node, where that came from.
func (d *diagnosis) spoiled(s *spoilage) {
	for i := range d.nodes {
		from := s.value[i]
		if from == unbroken {
			from = s.gradient[i]
		}
		if from == unbroken || s.origins[from].harmless || s.origins[from].node == i {
			continue
		}
		d.add(TroubleSpoiled, i, "spoiled by "+d.nodes[s.origins[from].node].mention(), "")
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

// joined joins two parts, of which each may be missing.
func joined(a, b string) string {
	if a != "" && b != "" {
		return a + " and " + b
	}
	return a + b
}

// forwardCause says why the first broken element of a node is broken, whose
// inputs are finite.
func (m *model) forwardCause(i int) Cause {
	n := &m.nodes[i]
	y := m.elements(n)
	k := slices.IndexFunc(y, func(v float64) bool { return !isFinite(v) })
	place := ""
	if len(y) > 1 {
		place = ", at element " + indexText(k, n.value.shape)
	}
	kind, words := CauseGiven, fmt.Sprintf("the %s holds %s", n.kind, number(y[k], defaultDigits))
	if row := m.brokenRow(n); row >= 0 {
		return Cause{CauseUnknown, n.source.Value, fmt.Sprintf("it came about in row %d, which Sample(%d) draws", row, row)}
	}
	if len(n.in) > 0 {
		var in []float64
		if m.elementwise(n) {
			in = m.operands(n, k)
		}
		kind, words = domain(n, in, y[k])
	}
	return Cause{kind, n.source.Value, words + place}
}

// elements returns the numbers of a node.
func (m *model) elements(n *node) []float64 {
	if n.value.few != nil || n.element != whole {
		return n.value.few
	}
	return elementsOf(n.source.View())
}

// gradientElements returns the gradient of a reached node.
func (m *model) gradientElements(n *node) []float64 {
	if n.gradient.few != nil || n.element != whole {
		return n.gradient.few
	}
	return elementsOf(m.gradients.Of(n.source.Value))
}

// elementwise reports whether n computes each element from single elements of
// its inputs.
func (m *model) elementwise(n *node) bool {
	if n.custom || n.op != n.source.Op || len(n.in) != len(n.source.Inputs) {
		return false
	}
	_, _, ok := n.source.Evaluate(make([]float64, len(n.in))...)
	return ok
}

// operands returns the elements that element k of an elementwise node was
// computed from.
func (m *model) operands(n *node, k int) []float64 {
	in := make([]float64, len(n.in))
	for i, edge := range n.in {
		from := &m.nodes[m.edges[edge].from]
		in[i] = m.elements(from)[placeIn(from.value.shape, n.value.shape, k)]
	}
	return in
}

// placeIn returns the element of an array of shape narrow that is broadcast to
// element k of one of shape wide.
func placeIn(narrow, wide []int, k int) int {
	place, stride := 0, 1
	for axis := len(wide) - 1; axis >= 0; axis-- {
		index := k % wide[axis]
		k /= wide[axis]
		if own := axis - (len(wide) - len(narrow)); own >= 0 {
			if narrow[own] != 1 {
				place += index * stride
			}
			stride *= narrow[own]
		}
	}
	return place
}

// indexText returns the index of element k along each axis.
func indexText(k int, shape []int) string {
	index := make([]int, len(shape))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		index[axis], k = k%shape[axis], k/shape[axis]
	}
	return shapeText(index)
}

// backwardCause says why an operation's rule handed on a broken gradient,
// though all that it had was finite.
func (m *model) backwardCause(e *edge) Cause {
	to := &m.nodes[e.to]
	if f, ok := m.factors(e); ok {
		upstream := m.gradientElements(to)
		for k, factor := range f {
			if !isFinite(factor * upstream[k]) {
				kind, words := m.slope(e, k, factor, upstream[k])
				return Cause{kind, to.source.Value, words}
			}
		}
	}
	if to.custom {
		return Cause{CauseUnknown, to.source.Value, fmt.Sprintf("the rule of %s returned it", shown(to.op))}
	}
	if e.contribution.nans > 0 {
		return Cause{CauseDomain, to.source.Value, fmt.Sprintf("%s has no derivative there", to.op)}
	}
	return Cause{CauseOverflow, to.source.Value, fmt.Sprintf("the gradient through %s overflows", to.op)}
}

// factors returns the local derivatives of an edge into an elementwise node.
func (m *model) factors(e *edge) ([]float64, bool) {
	to := &m.nodes[e.to]
	if e.localKnown && e.local.few != nil || to.element != whole {
		return e.local.few, e.localKnown
	}
	t, ok := to.source.Local(e.input)
	if !ok {
		return nil, false
	}
	return elementsOf(t), true
}

// slope says how a local derivative and an upstream gradient gave a broken
// product.
func (m *model) slope(e *edge, k int, factor, upstream float64) (CauseKind, string) {
	to := &m.nodes[e.to]
	at := ""
	if m.elementwise(to) {
		at = " at " + number(m.operands(to, k)[e.input], defaultDigits)
	}
	switch {
	case isFinite(factor):
		return CauseOverflow, fmt.Sprintf("%s × %s overflows", number(upstream, defaultDigits), number(factor, defaultDigits))
	case upstream == 0:
		return CauseSlope, fmt.Sprintf("%s%s has the slope %s, and a gradient of 0 times that is NaN", to.op, at, number(factor, defaultDigits))
	}
	return CauseSlope, fmt.Sprintf("%s%s has the slope %s", to.op, at, number(factor, defaultDigits))
}
