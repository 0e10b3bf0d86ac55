package recording

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"nabla/internal/operations"

	"nabla/autograd"
)

// build draws what is demanded: first what does not depend on a meeting of
// rows, then the other rows, then the rest.
func (s *sampler) build() *Model {
	m := s.m
	out := *m
	s.out, out.Nodes, out.Edges, out.Sampled = &out, nil, nil, s
	s.resolve()
	s.own = make([][]float64, len(m.Edges))
	s.drawElements(false)
	meetings := s.meetings()
	if len(meetings) > 0 {
		s.drawOthers(meetings)
	}
	s.drawElements(true)
	if len(meetings) > 0 {
		s.drawShared()
	}
	s.out.Root = len(s.out.Nodes) - 1
	s.out.link()
	return s.out
}

// resolve finds the elements that replace mere copies. An original without a
// name takes the name of its copy.
func (s *sampler) resolve() {
	s.names = map[Element]Element{}
	for i, used := range s.used {
		s.stands, s.places = append(s.stands, make([]Element, len(used))), append(s.places, make([]int, len(used)))
		for at := range used {
			if used[at] {
				s.stands[i][at] = s.original(Element{i, at})
			}
		}
	}
}

func (s *sampler) original(x Element) Element {
	n, from, copied := &s.m.Nodes[x.node], x, false
	if !s.ways[x.node].copies || x.node == s.m.Root {
		return x
	}
	s.ways[x.node].parts(x.at, func(p part) {
		from, copied = s.stands[s.m.Edges[n.In[p.input]].From][p.element], true
	})
	if !copied || n.Name == "" {
		return from
	}
	if _, taken := s.names[from]; taken || s.hasName(from) {
		return x
	}
	s.names[from] = x
	return from
}

// hasName reports whether an element has a name that a reader knows.
func (s *sampler) hasName(x Element) bool {
	n := &s.m.Nodes[x.node]
	return n.Name != "" || n.Role != autograd.RoleNone
}

// drawElements draws the elements that depend on a meeting of rows, or those
// that do not.
func (s *sampler) drawElements(after bool) {
	for i, used := range s.used {
		for at := range used {
			if x := (Element{i, at}); used[at] && s.after[i][at] == after && s.stands[i][at] == x {
				s.drawElement(x)
			}
		}
	}
}

// drawElement draws an element and what it was computed from.
func (s *sampler) drawElement(x Element) {
	from := &s.m.Nodes[x.node]
	met := s.meets[x.node][x.at]
	if met && !from.Learns {
		s.drawOtherConstants(x)
	}
	n, at := *from, len(s.out.Nodes)
	n.Element, n.Name, n.OfRow = x.at, s.nameOf(x), s.rows[x.node][x.at] == s.row
	n.In, n.Uses, n.Troubles = nil, nil, nil
	n.Value = Single(s.tensors[x.node].out[x.at])
	if n.State == Reached {
		n.Gradient = Single(s.gradient[x.node][x.at])
	}
	s.places[x.node][x.at] = at
	s.out.Nodes = append(s.out.Nodes, n)
	if n.Kind != autograd.KindOperation {
		return
	}
	added := &s.out.Nodes[at]
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
	case inputs == 0: // a number added by padding, or a sum of nothing
		added.Kind, added.Op, added.Constants = autograd.KindConstant, autograd.KindConstant.String(), nil
	case s.ways[x.node].pairs:
		added.Op, added.Constants, added.Terms = operations.WeightedSum, nil, pairsOf(inputs)
	}
}

func pairsOf(inputs int) []Term {
	var terms []Term
	for i := 0; i < inputs; i += 2 {
		terms = append(terms, Term{i, i + 1})
	}
	return terms
}

// isDrawn reports whether a part does not belong to another row.
func (s *sampler) isDrawn(n *Node, p part) bool {
	row := s.rows[s.m.Edges[n.In[p.input]].From][p.element]
	return row == shared || row == s.row
}

// drawPart draws the edge from a part of an element.
func (s *sampler) drawPart(x Element, p part, input int) {
	recorded := s.m.Nodes[x.node].In[p.input]
	tensor := &s.m.Edges[recorded]
	stands := s.stands[tensor.From][p.element]
	e := Edge{From: s.places[stands.node][stands.at], To: s.places[x.node][x.at], Input: input}
	factor := s.ways[x.node].factor
	e.Learns = tensor.Learns && factor != nil
	handed, gradient := s.handed[recorded], s.gradient[x.node]
	if e.Received = e.Learns && handed != nil && gradient != nil; e.Received {
		contribution := handed[p.element]
		if s.uses[recorded][p.element] > 1 {
			contribution = gradient[x.at] * factor(x.at, p)
		}
		e.Contribution = Single(contribution)
		if s.own[recorded] == nil {
			s.own[recorded] = make([]float64, len(handed))
		}
		s.own[recorded][p.element] += contribution
	}
	if factor != nil {
		s.noteLocal(&e, x, factor(x.at, p))
	}
	s.out.Edges = append(s.out.Edges, e)
}

// noteLocal notes the factor of an edge. For an unknown operation it is the
// contribution divided by the gradient.
func (s *sampler) noteLocal(e *Edge, x Element, factor float64) {
	known := true
	if math.IsNaN(factor) && e.Received {
		n := s.m.Nodes[x.node].Source
		factor, known = quotient(e.Contribution.Few[0], s.gradient[x.node][x.at], n.Value.Graph().Options().Precision)
	}
	e.Local, e.LocalKnown = Single(factor), known
}

// Single returns one number as a drawing shows it.
func Single(v float64) Numbers { return NewNumbers(autograd.Scalar(v), 1) }

// meetings returns the elements in which rows meet and through which gradients
// pass to the rows.
func (s *sampler) meetings() []Element {
	var all []Element
	for i, used := range s.used {
		for at := range used {
			if used[at] && s.meets[i][at] && s.m.Nodes[i].Learns {
				all = append(all, Element{i, at})
			}
		}
	}
	return all
}

// drawOthers draws the other rows as one node, whose value is the sum of their
// terms in each meeting.
func (s *sampler) drawOthers(meetings []Element) {
	first := &s.m.Nodes[meetings[0].node]
	n := s.otherRows(first)
	n.Kind, n.Learns, n.State = autograd.KindOperation, true, first.State
	values, gradient := make([]float64, len(meetings)), make([]float64, len(meetings))
	s.slots = map[Element]int{}
	for slot, x := range meetings {
		s.slots[x] = slot
		var factor float64
		values[slot], factor = s.otherPart(x)
		if s.gradient[x.node] != nil {
			gradient[slot] = s.gradient[x.node][x.at] * factor
		}
	}
	n.Value = several(values)
	if n.State == Reached {
		n.Gradient = several(gradient)
	}
	s.others = len(s.out.Nodes)
	s.out.Nodes = append(s.out.Nodes, n)
}

// several returns numbers that are all shown; one number becomes a scalar.
func several(v []float64) Numbers {
	if len(v) == 1 {
		return Single(v[0])
	}
	return NewNumbers(autograd.NewTensor(v), len(v))
}

// otherRows returns a node for the other rows of a meeting.
func (s *sampler) otherRows(meeting *Node) Node {
	name := "the other row"
	if s.Count > 2 {
		name = fmt.Sprintf("the other %d rows", s.Count-1)
	}
	source := s.m.Nodes[s.m.Edges[meeting.In[0]].From].Source
	s.rests++
	return Node{ID: source.ID, Source: source, Element: rest + 1 - s.rests, Op: operations.SumOfRows, Name: name, Scope: meeting.Scope}
}

// otherPart returns the sum of the elements of other rows that meet in x, and
// the factor of that sum.
func (s *sampler) otherPart(x Element) (sum, factor float64) {
	way, n := &s.ways[x.node], &s.m.Nodes[x.node]
	way.parts(x.at, func(p part) {
		if !s.isDrawn(n, p) {
			sum += s.tensors[x.node].at(p)
			factor = way.factor(x.at, p)
		}
	})
	return sum, factor
}

// drawOtherConstants draws the terms of other rows in a meeting through which
// no gradient passes.
func (s *sampler) drawOtherConstants(x Element) {
	n := s.otherRows(&s.m.Nodes[x.node])
	n.Kind = autograd.KindConstant
	sum, _ := s.otherPart(x)
	n.Value = Single(sum)
	s.out.Nodes = append(s.out.Nodes, n)
}

// drawMeeting draws the node Σ/n of this row and the others.
func (s *sampler) drawMeeting(x Element, inputs int) {
	n := &s.out.Nodes[len(s.out.Nodes)-1]
	if n.Op = operations.SumOfRows; n.Source.Op == operations.Mean {
		n.Op = operations.MeanOfRows
	}
	_, factor := s.otherPart(x)
	at := len(s.out.Nodes) - 1
	e := Edge{From: at - 1, To: at, Input: inputs, Local: Single(factor), LocalKnown: true}
	if n.Learns {
		e.From, e.Learns = s.others, true
		if e.Received = s.out.Traced && n.State == Reached; e.Received {
			contribution := make([]float64, len(s.slots))
			contribution[s.slots[x]] = n.Gradient.Few[0] * factor
			e.Contribution = several(contribution)
		}
	}
	s.out.Edges = append(s.out.Edges, e)
}

// drawShared draws what the other rows share with this one, and what they add
// to its gradient: the recorded gradient minus this row's part.
func (s *sampler) drawShared() {
	added := map[Element]float64{}
	for i, aside := range s.aside {
		from := s.m.Edges[i].From
		for at := range aside {
			if aside[at] && s.used[from][at] {
				added[s.stands[from][at]] += s.beyond(i, at)
			}
		}
	}
	others, inputs := &s.out.Nodes[s.others], 0
	for i, used := range s.used {
		for at := range used {
			contribution, shared := added[Element{i, at}]
			if !shared {
				continue
			}
			e := Edge{From: s.places[i][at], To: s.others, Input: inputs, Learns: true}
			if e.Received = others.State == Reached && s.out.Traced; e.Received {
				e.Contribution = Single(contribution)
				if others.Value.Size == 1 {
					precision := others.Source.Value.Graph().Options().Precision
					factor, known := quotient(contribution, others.Gradient.Few[0], precision)
					e.Local, e.LocalKnown = Single(factor), known
				}
			}
			s.out.Edges = append(s.out.Edges, e)
			inputs++
		}
	}
}

// beyond returns the part of a use's contribution to an element's gradient that
// is not drawn.
func (s *sampler) beyond(use, at int) float64 {
	switch {
	case s.handed[use] == nil:
		return 0
	case s.own[use] == nil:
		return s.handed[use][at]
	}
	return s.handed[use][at] - s.own[use][at]
}

// tellApart gives distinct names to the elements of a value without a name.
func (s *sampler) tellApart(m *Model) {
	index, count := map[int]int{}, map[int]int{}
	for i := range s.m.Nodes {
		index[s.m.Nodes[i].ID] = i
	}
	for i := range m.Nodes {
		if n := &m.Nodes[i]; n.Name == "" {
			count[n.ID]++
		}
	}
	for i := range m.Nodes {
		if n := &m.Nodes[i]; n.Name == "" && count[n.ID] > 1 {
			shape, at := s.place(Element{index[n.ID], n.Element})
			n.Name = elementName(n.Op, shape, at)
		}
	}
}

// nameOf returns the name of an element, with the course's letters if it
// belongs to a layer: x1 or w[0,1]; "" if it has no name.
func (s *sampler) nameOf(x Element) string {
	if copied, ok := s.names[x]; ok {
		x = copied
	}
	n := &s.m.Nodes[x.node]
	name := withoutScopes(n.Name, n.Source.Scopes)
	switch {
	case n.Kind == autograd.KindParam && name == "weight":
		name = "w"
	case n.Kind == autograd.KindParam && name == "bias":
		name = "b"
	case name != "":
	case n.Role == autograd.RoleInput:
		name = "x"
	case n.Role == autograd.RoleTarget:
		name = "y"
	default:
		return ""
	}
	shape, at := s.place(x)
	return elementName(name, shape, at)
}

// withoutScopes returns a name without the path of scopes before it, which a
// drawing shows as frames.
func withoutScopes(name string, scopes []string) string {
	for first := range scopes {
		if rest, found := strings.CutPrefix(name, strings.Join(scopes[first:], ".")+"."); found {
			return rest
		}
	}
	return name
}

// elementName returns the name of an element: z1 in a vector whose name has one
// letter, otherwise weights[0,1].
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

// place returns the shape of an element's row and the element's offset in it;
// for a shared value, its whole shape.
func (s *sampler) place(x Element) (shape []int, at int) {
	shape, row := s.m.Nodes[x.node].Source.Value.Shape(), s.rows[x.node][x.at]
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
