package graphviz

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"nabla/autograd"
)

// Sample takes the tensors of a recording apart and draws one data point of
// its batch, row i from 0, in single numbers: each neuron's weighted sum, its
// activation, the loss. It stands first in Options.Select.
//
// Rows are told by what the recording marks as inputs and targets, whose first
// axis is the batch; the layers and losses do that in a graph with Trace, else
// Value.As does. Where nothing is marked, constants with two axes or more are
// taken for inputs. A recording without a batch has one data point.
//
// Where the rows are added up, or their mean is taken, stands a node Σ/n: of
// this row and of one node for all other rows. The parameters lead to both, so
// that each one's gradient is the sum of what this row and the others add to
// it. Values, gradients and contributions are those of the recording. Numbers
// that only other rows use are left out, and so are operations that only move
// numbers.
//
// Writing fails with a *SampleError where there is no such row or an operation
// cannot be taken apart.
func Sample(i int) Selection {
	return Selection{func(m *model) (*model, error) {
		if err := m.unselected(); err != nil {
			return nil, err
		}
		s := newSampler(m, i)
		if err := s.readRows(); err != nil {
			return nil, err
		}
		return s.draw()
	}}
}

// The operations in which the rows of a batch meet.
const (
	sumOfRows  = "Σ"
	meanOfRows = "Σ/n"
)

// isRecording reports whether no Selection has left out or joined values.
func (m *model) isRecording(view string) error {
	if slices.ContainsFunc(m.nodes, func(n node) bool { return n.several() }) {
		return &ViewError{view, "it is drawn of a whole recording, with no Selection but Sample and WeightedSums"}
	}
	return nil
}

// inSingleNumbers returns the model of a recording of one data point, such as
// one of scalars that are stacked for a softmax.
func (m *model) inSingleNumbers(view string) (*model, error) {
	if err := m.isRecording(view); err != nil {
		return nil, err
	}
	for i := range m.nodes {
		n := &m.nodes[i]
		if n.value.size == 1 || n.isRest() {
			continue
		}
		if err := m.unselected(); err != nil {
			return nil, &ViewError{view, n.title() + " is a tensor: put Sample(i) first into Select, which draws one data point in single numbers"}
		}
		s := newSampler(m, 0)
		if err := s.readRows(); err != nil {
			return nil, err
		}
		if s.count != 1 {
			return nil, &ViewError{view, fmt.Sprintf("a batch of %d rows: put Sample(i) into Select, which draws one of them in single numbers", s.count)}
		}
		return s.draw()
	}
	return m.withWeightedSums(), nil
}

// A SampleError says why a recording cannot be drawn as one data point.
type SampleError struct {
	Op     string // the operation that is in the way: "cumsum"; "Sample" where there is none
	Reason string
}

func (e *SampleError) Error() string { return e.Op + ": " + e.Reason }

// A recording that Sample takes apart may be made of so many numbers and
// products, and this row of so many numbers. Both are far beyond what can be
// drawn, and take a few seconds.
const (
	mostSampled = 20_000_000
	mostUsed    = 50_000
)

// unselected reports whether the model is the recording as it was made.
func (m *model) unselected() error {
	for i := range m.nodes {
		n := &m.nodes[i]
		if n.element != whole || n.source.Graph() == nil || len(n.in) != len(n.source.Inputs) {
			return &SampleError{"Sample", "it must be the first Selection"}
		}
	}
	return nil
}

// A sampler takes a model of tensors apart. What it knows of each element is
// kept by node, then by element.
type sampler struct {
	m        *model
	row      int // the one that is drawn
	count    int // of rows
	tensors  []operands
	ways     []apart
	rows     [][]int     // the row that an element belongs to, or shared
	after    [][]bool    // it depends on a number in which rows have met
	meets    [][]bool    // rows meet in it
	used     [][]bool    // it is drawn
	uses     [][]int     // by edge, then by element of the input
	aside    [][]bool    // by edge: other rows use the element of the input, and learn
	handed   [][]float64 // by edge: the recorded contributions
	gradient [][]float64 // nil where there is none

	out    *model
	stands [][]element         // what stands for an element that is a mere copy
	places [][]int             // the nodes in out
	names  map[element]element // of what has no name, a copy that has one
	own    [][]float64         // by edge, then by element of the input: what is drawn of the contributions
	others int                 // the node of the other rows in out
	slots  map[element]int     // the numbers in it, by meeting
	rests  int                 // how many nodes stand for other rows
}

// An element is one number of a node.
type element struct{ node, at int }

// shared is the row of what belongs to all rows.
const shared = -1

func newSampler(m *model, row int) *sampler {
	s := &sampler{m: m, row: row, count: 1}
	for i := range m.nodes {
		n := &m.nodes[i]
		o := operands{n: n.source, out: slices.Clone(elementsOf(n.source.View()))}
		for _, e := range n.in {
			from := m.edges[e].from
			o.in = append(o.in, s.tensors[from].out)
			o.shapes = append(o.shapes, m.nodes[from].source.Shape())
		}
		s.tensors = append(s.tensors, o)
		var gradient []float64
		if n.state == reached {
			gradient = slices.Clone(elementsOf(m.gradients.Of(n.source.Value)))
		}
		s.gradient = append(s.gradient, gradient)
	}
	s.readContributions()
	return s
}

func (s *sampler) readContributions() {
	m := s.m
	s.handed = make([][]float64, len(m.edges))
	if !m.traced {
		return
	}
	index := map[int]int{}
	for i := range m.nodes {
		index[m.nodes[i].id] = i
	}
	for _, c := range m.gradients.AllContributions() {
		if to, known := index[c.To.Node().ID]; known {
			s.handed[m.nodes[to].in[c.Input]] = slices.Clone(elementsOf(c.Gradient))
		}
	}
}

// readRows finds out which row each element belongs to.
func (s *sampler) readRows() error {
	m, seeds := s.m, s.seeds()
	for _, i := range seeds {
		if n := m.nodes[i].source.Dim(0); s.count == 1 {
			s.count = n
		} else if n != s.count && n != 1 {
			return &SampleError{"Sample", fmt.Sprintf("the inputs have %d and %d rows", s.count, n)}
		}
	}
	if s.row < 0 || s.row >= s.count {
		return &SampleError{"Sample", fmt.Sprintf("row %d of a batch of %d", s.row, s.count)}
	}
	s.ways, s.uses, s.aside = make([]apart, len(m.nodes)), make([][]int, len(m.edges)), make([][]bool, len(m.edges))
	work := 0
	for i := range m.nodes {
		size := len(s.tensors[i].out)
		s.rows = append(s.rows, slices.Repeat([]int{shared}, size))
		s.after, s.meets = append(s.after, make([]bool, size)), append(s.meets, make([]bool, size))
		s.used = append(s.used, make([]bool, size))
		if work += s.work(i); work > mostSampled {
			return &SampleError{"Sample", fmt.Sprintf("more than %d numbers and products: draw a smaller batch", mostSampled)}
		}
		if slices.Contains(seeds, i) && m.nodes[i].source.Dim(0) == s.count {
			for e := range size {
				s.rows[i][e] = e / (size / s.count)
			}
		} else if m.nodes[i].kind == autograd.KindOperation {
			if err := s.readOperation(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// work returns about how many steps it takes to take an operation apart.
func (s *sampler) work(i int) int {
	o := &s.tensors[i]
	if o.n.Op != "matmul" || o.n.Custom {
		return len(o.out)
	}
	return len(o.out) * o.shapes[0][len(o.shapes[0])-1-o.constant(0)]
}

// seeds returns the nodes whose first axis is the batch.
func (s *sampler) seeds() []int {
	var marked, matrices []int
	for i := range s.m.nodes {
		n := &s.m.nodes[i]
		rank := n.source.Rank()
		switch {
		case n.role == autograd.RoleInput && (rank == 0 || s.isVector(i)):
			return nil // one data point, without an axis for a batch
		case n.role != autograd.RoleNone && rank > 0:
			marked = append(marked, i)
		case n.kind == autograd.KindConstant && rank > 1:
			matrices = append(matrices, i)
		}
	}
	if marked == nil {
		return matrices
	}
	return marked
}

// isVector reports whether a value is multiplied with a matrix as a vector of
// features, which MatMul makes a row of.
func (s *sampler) isVector(i int) bool {
	m := s.m
	if m.nodes[i].source.Rank() != 1 {
		return false
	}
	return slices.ContainsFunc(m.nodes[i].uses, func(use int) bool {
		row := &m.nodes[m.edges[use].to]
		return row.op == "reshape" && slices.ContainsFunc(row.uses, func(use int) bool {
			return m.nodes[m.edges[use].to].op == "matmul" && m.edges[use].input == 0
		})
	})
}

// readOperation finds out which rows the elements of an operation belong to.
func (s *sampler) readOperation(i int) error {
	n := &s.m.nodes[i]
	way, known := takeApart(&s.tensors[i])
	if !known {
		return &SampleError{n.op, "the operation cannot be taken apart"}
	}
	s.ways[i] = way
	for _, e := range n.in {
		size := len(s.tensors[s.m.edges[e].from].out)
		s.uses[e], s.aside[e] = make([]int, size), make([]bool, size)
	}
	for out := range s.rows[i] {
		row, late := shared, false
		way.parts(out, func(p part) {
			from := s.m.edges[n.in[p.input]].from
			s.uses[n.in[p.input]][p.element]++
			late = late || s.after[from][p.element]
			switch q := s.rows[from][p.element]; {
			case q == shared:
			case row == shared && !s.meets[i][out]:
				row = q
			case row != q:
				row, s.meets[i][out] = shared, true
			}
		})
		switch {
		case s.meets[i][out] && !way.sums:
			return &SampleError{n.op, "rows of the batch meet in it other than as a sum or mean"}
		case row != shared && late:
			return &SampleError{n.op, "each row depends on all other rows, by a sum or mean over the batch"}
		}
		s.rows[i][out], s.after[i][out] = row, late || s.meets[i][out]
	}
	return nil
}

// draw returns the model of the row.
func (s *sampler) draw() (*model, error) {
	if err := s.readDemand(); err != nil {
		return nil, err
	}
	count := 0
	for _, used := range s.used {
		for _, u := range used {
			if u {
				count++
			}
		}
	}
	if count > mostUsed {
		return nil, &SampleError{"Sample", fmt.Sprintf("%d numbers are more than the %d that can be drawn of a row: draw the view Layers", count, mostUsed)}
	}
	drawn := s.build().withWeightedSums()
	s.tellApart(drawn)
	drawn.diagnose()
	return drawn, nil
}

// readDemand finds out, from the root back, which elements are drawn.
func (s *sampler) readDemand() error {
	root := s.m.root
	own := -1
	for e, row := range s.rows[root] {
		if row != shared && row != s.row {
			continue
		}
		if own >= 0 {
			return &SampleError{s.m.nodes[root].op, "the root has several numbers of one data point"}
		}
		own = e
	}
	switch {
	case own < 0:
		return &SampleError{s.m.nodes[root].op, fmt.Sprintf("the root has no number of row %d", s.row)}
	case s.rows[root][own] != shared && s.count > 1 && s.gradient[root] != nil:
		return &SampleError{s.m.nodes[root].op, "a backward pass from each row: take the sum or mean of the rows first"}
	}
	s.used[root][own] = true
	meets := s.othersLearn()
	for i := root; i >= 0; i-- {
		if s.m.nodes[i].kind != autograd.KindOperation {
			continue
		}
		for out := range s.used[i] {
			switch row := s.rows[i][out]; {
			case s.used[i][out]:
				s.demand(i, out)
			case row != shared && row != s.row && meets:
				s.setAside(i, out)
			}
		}
	}
	return nil
}

// othersLearn reports whether gradients pass to the other rows.
func (s *sampler) othersLearn() bool {
	for i := range s.meets {
		if s.m.nodes[i].learns && slices.Contains(s.meets[i], true) {
			return true
		}
	}
	return false
}

// demand draws what an element was computed from, except for other rows.
func (s *sampler) demand(i, out int) {
	n := &s.m.nodes[i]
	s.ways[i].parts(out, func(p part) {
		from := s.m.edges[n.in[p.input]].from
		if row := s.rows[from][p.element]; row == shared || row == s.row {
			s.used[from][p.element] = true
		}
	})
}

// setAside notes what an element of another row shares with this one. Of what
// this row does not use, only what was computed is drawn: the gradients of what
// it was computed from are sums over it.
func (s *sampler) setAside(i, out int) {
	n := &s.m.nodes[i]
	s.ways[i].parts(out, func(p part) {
		e := &s.m.edges[n.in[p.input]]
		if !e.learns || s.rows[e.from][p.element] != shared {
			return
		}
		s.aside[n.in[p.input]][p.element] = true
		if s.m.nodes[e.from].kind == autograd.KindOperation {
			s.used[e.from][p.element] = true
		}
	})
}

// build draws what is demanded: first what no meeting of rows leads to, then
// the other rows, then the rest.
func (s *sampler) build() *model {
	m := s.m
	out := *m
	s.out, out.nodes, out.edges = &out, nil, nil
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
	n.element, n.name = x.at, s.nameOf(x)
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
