package graphviz

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"nabla/autograd"
)

// build draws what is demanded: first what no meeting of rows leads to, then
// the other rows, then the rest.
func (s *sampler) build() *model {
	m := s.m
	out := *m
	s.out, out.nodes, out.edges, out.sampled = &out, nil, nil, s
	s.resolve()
	s.own = make([][]float64, len(m.edges))
	s.drawElements(false)
	meetings := s.meetings()
	if len(meetings) > 0 {
		s.drawOthers(meetings)
	}
	s.drawElements(true)
	if len(meetings) > 0 {
		s.drawShared()
	}
	s.out.root = len(s.out.nodes) - 1
	s.out.link()
	return s.out
}

// resolve finds out which elements stand for those that are mere copies. The
// name of a copy goes to what it was copied from where that has none.
func (s *sampler) resolve() {
	s.names = map[element]element{}
	for i, used := range s.used {
		s.stands, s.places = append(s.stands, make([]element, len(used))), append(s.places, make([]int, len(used)))
		for at := range used {
			if used[at] {
				s.stands[i][at] = s.original(element{i, at})
			}
		}
	}
}

func (s *sampler) original(x element) element {
	n, from, copied := &s.m.nodes[x.node], x, false
	if !s.ways[x.node].copies || x.node == s.m.root {
		return x
	}
	s.ways[x.node].parts(x.at, func(p part) {
		from, copied = s.stands[s.m.edges[n.in[p.input]].from][p.element], true
	})
	if !copied || n.name == "" {
		return from
	}
	if _, taken := s.names[from]; taken || s.hasName(from) {
		return x
	}
	s.names[from] = x
	return from
}

// hasName reports whether a reader knows what an element is called.
func (s *sampler) hasName(x element) bool {
	n := &s.m.nodes[x.node]
	return n.name != "" || n.role != autograd.RoleNone
}

// drawElements draws the elements that do or do not come after a meeting of
// rows.
func (s *sampler) drawElements(after bool) {
	for i, used := range s.used {
		for at := range used {
			if x := (element{i, at}); used[at] && s.after[i][at] == after && s.stands[i][at] == x {
				s.drawElement(x)
			}
		}
	}
}

// drawElement draws an element and what it was computed from.
func (s *sampler) drawElement(x element) {
	from := &s.m.nodes[x.node]
	met := s.meets[x.node][x.at]
	if met && !from.learns {
		s.drawOtherConstants(x)
	}
	n, at := *from, len(s.out.nodes)
	n.element, n.name, n.ofRow = x.at, s.nameOf(x), s.rows[x.node][x.at] == s.row
	n.in, n.uses, n.troubles = nil, nil, nil
	n.value = single(s.tensors[x.node].out[x.at])
	if n.state == reached {
		n.gradient = single(s.gradient[x.node][x.at])
	}
	s.places[x.node][x.at] = at
	s.out.nodes = append(s.out.nodes, n)
	if n.kind != autograd.KindOperation {
		return
	}
	added := &s.out.nodes[at]
	inputs := 0
	s.ways[x.node].parts(x.at, func(p part) {
		if s.isDrawn(from, p) {
			s.drawPart(x, p, inputs)
			inputs++
		}
	})
	switch {
	case met:
		s.drawMeeting(x, inputs)
	case inputs == 0: // a number that padding brought in, or a sum of nothing
		added.kind, added.op, added.constants = autograd.KindConstant, autograd.KindConstant.String(), nil
	case s.ways[x.node].pairs:
		added.op, added.constants, added.terms = weightedSum, nil, pairsOf(inputs)
	}
}

func pairsOf(inputs int) []term {
	var terms []term
	for i := 0; i < inputs; i += 2 {
		terms = append(terms, term{i, i + 1})
	}
	return terms
}

// isDrawn reports whether a part of an operation belongs to no other row.
func (s *sampler) isDrawn(n *node, p part) bool {
	row := s.rows[s.m.edges[n.in[p.input]].from][p.element]
	return row == shared || row == s.row
}

// drawPart draws the edge from a part of an element.
func (s *sampler) drawPart(x element, p part, input int) {
	recorded := s.m.nodes[x.node].in[p.input]
	tensor := &s.m.edges[recorded]
	stands := s.stands[tensor.from][p.element]
	e := edge{from: s.places[stands.node][stands.at], to: s.places[x.node][x.at], input: input}
	factor := s.ways[x.node].factor
	e.learns = tensor.learns && factor != nil
	handed, gradient := s.handed[recorded], s.gradient[x.node]
	if e.received = e.learns && handed != nil && gradient != nil; e.received {
		contribution := handed[p.element]
		if s.uses[recorded][p.element] > 1 {
			contribution = gradient[x.at] * factor(x.at, p)
		}
		e.contribution = single(contribution)
		if s.own[recorded] == nil {
			s.own[recorded] = make([]float64, len(handed))
		}
		s.own[recorded][p.element] += contribution
	}
	if factor != nil {
		s.noteLocal(&e, x, factor(x.at, p))
	}
	s.out.edges = append(s.out.edges, e)
}

// noteLocal notes the factor of an edge, which for an operation that is not
// known is what turned the gradient into the contribution.
func (s *sampler) noteLocal(e *edge, x element, factor float64) {
	known := true
	if math.IsNaN(factor) && e.received {
		n := s.m.nodes[x.node].source
		factor, known = quotient(e.contribution.few[0], s.gradient[x.node][x.at], n.Graph().Options().Precision)
	}
	e.local, e.localKnown = single(factor), known
}

// single returns one number as a drawing shows it.
func single(v float64) numbers { return newNumbers(autograd.Scalar(v), 1) }

// meetings returns the elements in which rows meet and through which gradients
// pass to them.
func (s *sampler) meetings() []element {
	var all []element
	for i, used := range s.used {
		for at := range used {
			if used[at] && s.meets[i][at] && s.m.nodes[i].learns {
				all = append(all, element{i, at})
			}
		}
	}
	return all
}

// drawOthers draws the other rows as one node, whose value is the sum of what
// they bring to each meeting.
func (s *sampler) drawOthers(meetings []element) {
	first := &s.m.nodes[meetings[0].node]
	n := s.otherRows(first)
	n.kind, n.learns, n.state = autograd.KindOperation, true, first.state
	values, gradient := make([]float64, len(meetings)), make([]float64, len(meetings))
	s.slots = map[element]int{}
	for slot, x := range meetings {
		s.slots[x] = slot
		var factor float64
		values[slot], factor = s.otherPart(x)
		if s.gradient[x.node] != nil {
			gradient[slot] = s.gradient[x.node][x.at] * factor
		}
	}
	n.value = several(values)
	if n.state == reached {
		n.gradient = several(gradient)
	}
	s.others = len(s.out.nodes)
	s.out.nodes = append(s.out.nodes, n)
}

// several returns numbers of which each is shown: one as a single number.
func several(v []float64) numbers {
	if len(v) == 1 {
		return single(v[0])
	}
	return newNumbers(autograd.NewTensor(v), len(v))
}

// otherRows returns a node for the other rows of a meeting.
func (s *sampler) otherRows(meeting *node) node {
	name := "the other row"
	if s.count > 2 {
		name = fmt.Sprintf("the other %d rows", s.count-1)
	}
	source := s.m.nodes[s.m.edges[meeting.in[0]].from].source
	s.rests++
	return node{id: source.ID, source: source, element: rest + 1 - s.rests, op: sumOfRows, name: name, scope: meeting.scope}
}

// otherPart returns the sum of the elements of other rows that meet in x, and
// the factor with which they do.
func (s *sampler) otherPart(x element) (sum, factor float64) {
	way, n := &s.ways[x.node], &s.m.nodes[x.node]
	way.parts(x.at, func(p part) {
		if !s.isDrawn(n, p) {
			sum += s.tensors[x.node].at(p)
			factor = way.factor(x.at, p)
		}
	})
	return sum, factor
}

// drawOtherConstants draws what other rows bring to a meeting through which no
// gradient passes.
func (s *sampler) drawOtherConstants(x element) {
	n := s.otherRows(&s.m.nodes[x.node])
	n.kind = autograd.KindConstant
	sum, _ := s.otherPart(x)
	n.value = single(sum)
	s.out.nodes = append(s.out.nodes, n)
}

// drawMeeting draws the node Σ/n of this row and the others.
func (s *sampler) drawMeeting(x element, inputs int) {
	n := &s.out.nodes[len(s.out.nodes)-1]
	if n.op = sumOfRows; n.source.Op == "mean" {
		n.op = meanOfRows
	}
	_, factor := s.otherPart(x)
	at := len(s.out.nodes) - 1
	e := edge{from: at - 1, to: at, input: inputs, local: single(factor), localKnown: true}
	if n.learns {
		e.from, e.learns = s.others, true
		if e.received = s.out.traced && n.state == reached; e.received {
			contribution := make([]float64, len(s.slots))
			contribution[s.slots[x]] = n.gradient.few[0] * factor
			e.contribution = several(contribution)
		}
	}
	s.out.edges = append(s.out.edges, e)
}

// drawShared draws what the other rows share with this one, and what they add
// to its gradient: all that the recording has beyond this row's.
func (s *sampler) drawShared() {
	added := map[element]float64{}
	for i, aside := range s.aside {
		from := s.m.edges[i].from
		for at := range aside {
			if aside[at] && s.used[from][at] {
				added[s.stands[from][at]] += s.beyond(i, at)
			}
		}
	}
	others, inputs := &s.out.nodes[s.others], 0
	for i, used := range s.used {
		for at := range used {
			contribution, shared := added[element{i, at}]
			if !shared {
				continue
			}
			e := edge{from: s.places[i][at], to: s.others, input: inputs, learns: true}
			if e.received = others.state == reached && s.out.traced; e.received {
				e.contribution = single(contribution)
				if others.value.size == 1 {
					precision := others.source.Graph().Options().Precision
					factor, known := quotient(contribution, others.gradient.few[0], precision)
					e.local, e.localKnown = single(factor), known
				}
			}
			s.out.edges = append(s.out.edges, e)
			inputs++
		}
	}
}

// beyond returns what a use of a tensor added to the gradient of an element
// beyond what is drawn.
func (s *sampler) beyond(use, at int) float64 {
	switch {
	case s.handed[use] == nil:
		return 0
	case s.own[use] == nil:
		return s.handed[use][at]
	}
	return s.handed[use][at] - s.own[use][at]
}

// tellApart gives names to the elements of one value without a name.
func (s *sampler) tellApart(m *model) {
	index, count := map[int]int{}, map[int]int{}
	for i := range s.m.nodes {
		index[s.m.nodes[i].id] = i
	}
	for i := range m.nodes {
		if n := &m.nodes[i]; n.name == "" {
			count[n.id]++
		}
	}
	for i := range m.nodes {
		if n := &m.nodes[i]; n.name == "" && count[n.id] > 1 {
			shape, at := s.place(element{index[n.id], n.element})
			n.name = elementName(n.op, shape, at)
		}
	}
}

// nameOf returns what an element is called, in the course's letters where it is
// a layer's: x1 or w[0,1]; "" where it has no name.
func (s *sampler) nameOf(x element) string {
	if copied, ok := s.names[x]; ok {
		x = copied
	}
	n := &s.m.nodes[x.node]
	name := withoutScopes(n.name, n.source.Scopes)
	switch {
	case n.kind == autograd.KindParam && name == "weight":
		name = "w"
	case n.kind == autograd.KindParam && name == "bias":
		name = "b"
	case name != "":
	case n.role == autograd.RoleInput:
		name = "x"
	case n.role == autograd.RoleTarget:
		name = "y"
	default:
		return ""
	}
	shape, at := s.place(x)
	return elementName(name, shape, at)
}

// withoutScopes returns a name without the path of scopes before it, which a
// drawing has as frames.
func withoutScopes(name string, scopes []string) string {
	for first := range scopes {
		if rest, found := strings.CutPrefix(name, strings.Join(scopes[first:], ".")+"."); found {
			return rest
		}
	}
	return name
}

// elementName returns the name of an element of a value: z1 of a vector with a
// name of one letter, else weights[0,1].
func elementName(name string, shape []int, at int) string {
	switch {
	case product(shape) == 1:
		return name
	case len(shape) == 1 && utf8.RuneCountInString(name) == 1:
		return name + strconv.Itoa(at+1)
	}
	var index []string
	for _, stride := range stridesOf(shape) {
		index = append(index, strconv.Itoa(at/stride))
		at %= stride
	}
	return name + "[" + strings.Join(index, ",") + "]"
}

// place returns the shape of an element's row, and where in it the element
// stands; of what is shared, the shape of all.
func (s *sampler) place(x element) (shape []int, at int) {
	shape, row := s.m.nodes[x.node].source.Shape(), s.rows[x.node][x.at]
	if row == shared {
		return shape, x.at
	}
	count := 0
	for i, r := range s.rows[x.node] {
		if i == x.at {
			at = count
		}
		if r == row {
			count++
		}
	}
	if len(shape) > 1 && product(shape[1:]) == count {
		return shape[1:], at
	}
	return []int{count}, at
}

func product(shape []int) int {
	size := 1
	for _, length := range shape {
		size *= length
	}
	return size
}
