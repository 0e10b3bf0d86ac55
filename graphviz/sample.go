package graphviz

import (
	"fmt"
	"slices"

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
