package recording

import (
	"fmt"
	"slices"

	"nabla/internal/operations"

	"nabla/autograd"
)

// Sample is [graphviz.Sample].
func Sample(i int) Selection {
	return Selection{func(m *Model) (*Model, error) {
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

// isRecording returns an error if a Selection has left out or joined values.
func (m *Model) isRecording(view string) error {
	if slices.ContainsFunc(m.Nodes, func(n Node) bool { return n.Several() }) {
		return &ViewError{view, "it is drawn of a whole recording, with no Selection but Sample and WeightedSums"}
	}
	return nil
}

// InSingleNumbers returns the model of a recording of one data point in single
// numbers, such as one of scalars stacked for a softmax.
func (m *Model) InSingleNumbers(view string) (*Model, error) {
	if err := m.isRecording(view); err != nil {
		return nil, err
	}
	for i := range m.Nodes {
		n := &m.Nodes[i]
		if n.Value.Size == 1 || n.IsRest() {
			continue
		}
		if err := m.unselected(); err != nil {
			return nil, &ViewError{view, n.Title() + " is a tensor: put Sample(i) first into Select, which draws one data point in single numbers"}
		}
		s := newSampler(m, 0)
		if err := s.readRows(); err != nil {
			return nil, err
		}
		if s.Count != 1 {
			return nil, &ViewError{view, fmt.Sprintf("a batch of %d rows: put Sample(i) into Select, which draws one of them in single numbers", s.Count)}
		}
		return s.draw()
	}
	return m.withWeightedSums(), nil
}

// A SampleError says why a recording cannot be drawn as one data point.
type SampleError struct {
	Op     string // the operation that prevents it: "cumsum"; "Sample" if there is none
	Reason string
}

func (e *SampleError) Error() string { return e.Op + ": " + e.Reason }

// The most numbers and products in a recording that Sample takes apart, and the
// most numbers in the row. Both are far more than can be drawn, and take a few
// seconds.
const (
	mostSampled = 20_000_000
	mostUsed    = 50_000
)

// unselected returns an error unless the model is the whole recording.
func (m *Model) unselected() error {
	for i := range m.Nodes {
		n := &m.Nodes[i]
		if n.Element != Whole || n.Source.Value.Graph() == nil || len(n.In) != len(n.Source.Inputs) {
			return &SampleError{"Sample", "it must be the first Selection"}
		}
	}
	return nil
}

// A sampler takes a model of tensors apart. Its data about elements is indexed
// by node, then by element.
type sampler struct {
	m        *Model
	row      int // the row that is drawn
	Count    int // of rows
	tensors  []operands
	ways     []apart
	rows     [][]int     // the row that each element belongs to, or shared
	after    [][]bool    // it depends on a number in which rows meet
	meets    [][]bool    // rows meet in it
	used     [][]bool    // it is drawn
	uses     [][]int     // by edge, then by element of the input
	aside    [][]bool    // by edge: other rows use the element of the input, and learn
	handed   [][]float64 // by edge: the recorded contributions
	gradient [][]float64 // nil where there is none

	out    *Model
	stands [][]Element         // what replaces an element that is a mere copy
	places [][]int             // the nodes in out
	names  map[Element]Element // for an element without a name, a copy that has one
	own    [][]float64         // by edge, then by element of the input: the drawn part of the contributions
	others int                 // the node of the other rows in out
	slots  map[Element]int     // by meeting, the index of its number in others
	rests  int                 // how many nodes stand for other rows
}

// An Element is one number of a node.
type Element struct{ node, at int }

// shared is the row of an element that belongs to all rows.
const shared = -1

func newSampler(m *Model, row int) *sampler {
	s := &sampler{m: m, row: row, Count: 1}
	for i := range m.Nodes {
		n := &m.Nodes[i]
		o := operands{n: n.Source, out: slices.Clone(ElementsOf(n.Source.Value.View()))}
		for _, e := range n.In {
			from := m.Edges[e].From
			o.in = append(o.in, s.tensors[from].out)
			o.shapes = append(o.shapes, m.Nodes[from].Source.Value.Shape())
		}
		s.tensors = append(s.tensors, o)
		var gradient []float64
		if n.State == Reached {
			gradient = slices.Clone(ElementsOf(m.Gradients.Of(n.Source.Value)))
		}
		s.gradient = append(s.gradient, gradient)
	}
	s.readContributions()
	return s
}

func (s *sampler) readContributions() {
	m := s.m
	s.handed = make([][]float64, len(m.Edges))
	if !m.Traced {
		return
	}
	index := map[int]int{}
	for i := range m.Nodes {
		index[m.Nodes[i].ID] = i
	}
	for _, c := range m.Gradients.AllContributions() {
		if to, known := index[c.To.Node().ID]; known {
			s.handed[m.Nodes[to].In[c.Input]] = slices.Clone(ElementsOf(c.Gradient))
		}
	}
}

// readRows finds the row that each element belongs to.
func (s *sampler) readRows() error {
	m, seeds := s.m, s.seeds()
	for _, i := range seeds {
		if n := m.Nodes[i].Source.Value.Dim(0); s.Count == 1 {
			s.Count = n
		} else if n != s.Count && n != 1 {
			return &SampleError{"Sample", fmt.Sprintf("the inputs have %d and %d rows", s.Count, n)}
		}
	}
	if s.row < 0 || s.row >= s.Count {
		return &SampleError{"Sample", fmt.Sprintf("row %d of a batch of %d", s.row, s.Count)}
	}
	s.ways, s.uses, s.aside = make([]apart, len(m.Nodes)), make([][]int, len(m.Edges)), make([][]bool, len(m.Edges))
	work := 0
	for i := range m.Nodes {
		size := len(s.tensors[i].out)
		s.rows = append(s.rows, slices.Repeat([]int{shared}, size))
		s.after, s.meets = append(s.after, make([]bool, size)), append(s.meets, make([]bool, size))
		s.used = append(s.used, make([]bool, size))
		if work += s.work(i); work > mostSampled {
			return &SampleError{"Sample", fmt.Sprintf("more than %d numbers and products: draw a smaller batch", mostSampled)}
		}
		if slices.Contains(seeds, i) && m.Nodes[i].Source.Value.Dim(0) == s.Count {
			for e := range size {
				s.rows[i][e] = e / (size / s.Count)
			}
		} else if m.Nodes[i].Kind == autograd.KindOperation {
			if err := s.readOperation(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// work estimates the number of steps it takes to take an operation apart.
func (s *sampler) work(i int) int {
	o := &s.tensors[i]
	if o.n.Op != operations.MatMul || o.n.Custom {
		return len(o.out)
	}
	return len(o.out) * o.shapes[0][len(o.shapes[0])-1-o.constant(0)]
}

// seeds returns the nodes whose first axis is the batch.
func (s *sampler) seeds() []int {
	var marked, matrices []int
	for i := range s.m.Nodes {
		n := &s.m.Nodes[i]
		rank := n.Source.Value.Rank()
		switch {
		case n.Role == autograd.RoleInput && (rank == 0 || s.isVector(i)):
			return nil // one data point, without an axis for a batch
		case n.Role != autograd.RoleNone && rank > 0:
			marked = append(marked, i)
		case n.Kind == autograd.KindConstant && rank > 1:
			matrices = append(matrices, i)
		}
	}
	if marked == nil {
		return matrices
	}
	return marked
}

// isVector reports whether a value is multiplied with a matrix as a vector of
// features, which MatMul treats as a row.
func (s *sampler) isVector(i int) bool {
	m := s.m
	if m.Nodes[i].Source.Value.Rank() != 1 {
		return false
	}
	return slices.ContainsFunc(m.Nodes[i].Uses, func(use int) bool {
		row := &m.Nodes[m.Edges[use].To]
		return row.Op == operations.Reshape && slices.ContainsFunc(row.Uses, func(use int) bool {
			return m.Nodes[m.Edges[use].To].Op == operations.MatMul && m.Edges[use].Input == 0
		})
	})
}

// readOperation finds the rows that the elements of an operation belong to.
func (s *sampler) readOperation(i int) error {
	n := &s.m.Nodes[i]
	way, known := takeApart(&s.tensors[i])
	if !known {
		return &SampleError{n.Op, notApart(n)}
	}
	s.ways[i] = way
	for _, e := range n.In {
		size := len(s.tensors[s.m.Edges[e].From].out)
		s.uses[e], s.aside[e] = make([]int, size), make([]bool, size)
	}
	for out := range s.rows[i] {
		row, late := shared, false
		way.parts(out, func(p part) {
			from := s.m.Edges[n.In[p.input]].From
			s.uses[n.In[p.input]][p.element]++
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
			return &SampleError{n.Op, "rows of the batch meet in it other than as a sum or mean"}
		case row != shared && late:
			return &SampleError{n.Op, "each row depends on all other rows, by a sum or mean over the batch"}
		}
		s.rows[i][out], s.after[i][out] = row, late || s.meets[i][out]
	}
	return nil
}

// notApart says why an operation cannot be taken apart.
func notApart(n *Node) string {
	if n.Is(operations.LSTM) || n.Is(operations.GRU) || n.Is(operations.RNN) {
		return "all its steps are one operation, which cannot be taken apart: unroll the loop in operations on single steps, as examples/rnn does"
	}
	return "the operation cannot be taken apart"
}

// draw returns the model of the row.
func (s *sampler) draw() (*Model, error) {
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
	if drawn.note != nil {
		drawn.note(drawn)
	}
	return drawn, nil
}

// readDemand finds the elements to draw, from the root back.
func (s *sampler) readDemand() error {
	root := s.m.Root
	own := -1
	for e, row := range s.rows[root] {
		if row != shared && row != s.row {
			continue
		}
		if own >= 0 {
			return &SampleError{s.m.Nodes[root].Op, "the root has several numbers of one data point"}
		}
		own = e
	}
	switch {
	case own < 0:
		return &SampleError{s.m.Nodes[root].Op, fmt.Sprintf("the root has no number of row %d", s.row)}
	case s.rows[root][own] != shared && s.Count > 1 && s.gradient[root] != nil:
		return &SampleError{s.m.Nodes[root].Op, "a backward pass from each row: take the sum or mean of the rows first"}
	}
	s.used[root][own] = true
	meets := s.othersLearn()
	for i := root; i >= 0; i-- {
		if s.m.Nodes[i].Kind != autograd.KindOperation {
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
		if s.m.Nodes[i].Learns && slices.Contains(s.meets[i], true) {
			return true
		}
	}
	return false
}

// demand marks what an element was computed from, except other rows, to be
// drawn.
func (s *sampler) demand(i, out int) {
	n := &s.m.Nodes[i]
	s.ways[i].parts(out, func(p part) {
		from := s.m.Edges[n.In[p.input]].From
		if row := s.rows[from][p.element]; row == shared || row == s.row {
			s.used[from][p.element] = true
		}
	})
}

// setAside notes what an element of another row shares with this one. Shared
// values that only other rows use are drawn if they were computed, since the
// gradients of their inputs are sums over them.
func (s *sampler) setAside(i, out int) {
	n := &s.m.Nodes[i]
	s.ways[i].parts(out, func(p part) {
		e := &s.m.Edges[n.In[p.input]]
		if !e.Learns || s.rows[e.From][p.element] != shared {
			return
		}
		s.aside[n.In[p.input]][p.element] = true
		if s.m.Nodes[e.From].Kind == autograd.KindOperation {
			s.used[e.From][p.element] = true
		}
	})
}
