package recording

import (
	"fmt"
	"math"

	"nabla/internal/operations"

	"nabla/autograd"
)

// A Model is a recording as exporters draw it: the ancestors of a root, with
// copies of their numbers.
type Model struct {
	Nodes  []Node  // in the order of the recording: inputs come first
	Edges  []Edge  // by the node that they lead to, then by input
	Scopes []scope // parents come first; scopes[0] is the graph itself
	Root   int     // into Nodes; -1 if a Selection cut it off
	Passed bool    // there are gradients
	Traced bool    // there are contributions

	graph     *autograd.Graph
	Gradients autograd.Gradients
	Sampled   *sampler     // the sampler that took it apart; nil for a whole recording
	note      func(*Model) // adds the nodes' troubles; nil for none
	limit     int          // tensors of at most this many elements keep each one
}

// A Node is one value: a whole tensor, or one element if a Selection took
// tensors apart.
type Node struct {
	ID        int           // in the recording
	Source    autograd.Node // the same, as recorded
	Element   int           // of the source, in row-major order; Whole for all of them
	OfRow     bool          // it belongs to the row that Sample draws, not to all rows
	Role      autograd.Role
	Op        string
	Custom    bool // Op is a name that a user chose
	Constants []float64
	Kind      autograd.Kind
	Frozen    bool // a parameter that is not trained
	Name      string
	Scope     int // into scopes
	Value     Numbers
	Gradient  Numbers // where state is reached
	State     GradientState
	Learns    bool   // it depends on a variable or parameter
	Terms     []Term // of a weighted sum
	In        []int  // into edges, by input
	Uses      []int  // into edges, in the order of the recording

	Troubles []Trouble // found by explain.Note
	Computed string    // the name in sentences of a node without one: "a − y"; "" if that is its title
	prefix   string    // "relu1/": the scopes, if sentences need them to distinguish it from nodes of the same name
	Group    *group    // the values that a box made by a Selection stands for
	Stub     stub      // set for a box that stands for values a Selection left out
}

// Special values of Node.Element.
const (
	Whole = -1 - iota // all elements
	rest              // this and below: the other rows of a batch, one node for each place where they enter
)

// IsRest reports whether a node stands for the other rows of a batch.
func (n *Node) IsRest() bool { return n.Element <= rest }

// A Trouble is a box's text about something wrong with its value.
type Trouble struct {
	Kind uint8 // an explain.TroubleKind
	Text string
}

// A GradientState says why a node has a gradient or none.
type GradientState uint8

const (
	None       GradientState = iota // it depends on nothing learned
	Pending                         // no backward pass yet
	NotKept                         // the graph has no Trace
	NotReached                      // the root of the pass does not depend on it
	Reached                         // it has a gradient
)

// An Edge is one use of a value: from the input to the result, as the
// computation ran.
type Edge struct {
	From, To int // into nodes
	Input    int
	Learns   bool // gradients pass

	Received     bool // there is a contribution
	Contribution Numbers
	Local        Numbers // its factor: contribution = gradient of the result × local, of the result's shape
	LocalKnown   bool    // the operation is a function of single elements

	whole []float64 // each element of the contribution, if it is too large for Numbers to keep; valid as long as the recording
	Of    *Node     // the value that is used, if From stands for several
}

// A scope is a layer or block that nodes belong to.
type scope struct {
	Parent int
	Name   string
	Note   string // for a folded scope, what it stands for
}

// New reads the recording of root and the gradients of a backward pass, which
// may be zero Gradients. Tensors of at most that many elements keep each one.
// It takes time linear in nodes and numbers.
//
// It panics as root's methods do if the graph has been Reset, and with an
// *[autograd.GraphError] if the gradients belong to another graph.
func New(root autograd.Value, gradients autograd.Gradients, elements int) *Model {
	m := &Model{Scopes: []scope{{}}, Passed: gradients != autograd.Gradients{}, graph: root.Graph(), Gradients: gradients, limit: elements}
	if m.Passed {
		gradients.Reached(root) // panics if the two do not belong together
	}
	m.Traced = m.Passed && root.Graph().Options().Trace
	index := map[int]int{} // by ID
	scopes, layers := scopeIndex{}, newNamesakes(m)
	for n := range root.Ancestors() {
		index[n.ID] = len(m.Nodes)
		m.addNode(n, layers.scopeOf(n, m.scope(n.Scopes, scopes), index))
		m.addEdges(n, index)
	}
	m.Root = len(m.Nodes) - 1
	if m.Traced {
		m.addContributions(index)
	}
	return m
}

// IsFrozen reports whether a value is a parameter that is not trained.
func IsFrozen(n autograd.Node) bool {
	return n.Kind == autograd.KindParam && (n.Param.Frozen || n.Param.IsStatistic())
}

func (m *Model) addNode(n autograd.Node, scope int) {
	added := Node{
		ID: n.ID, Source: n, Element: Whole, Role: n.Role,
		Op: n.Op, Custom: n.Custom, Constants: constantsOf(n), Kind: n.Kind, Name: n.Value.Name(), Scope: scope,
		Frozen: IsFrozen(n), Value: NewNumbers(n.Value.View(), m.limit), Learns: n.NeedsGrad,
	}
	if added.State = m.stateOf(n, m.Gradients); added.State == Reached {
		added.Gradient = NewNumbers(m.Gradients.Of(n.Value), m.limit)
	}
	m.Nodes = append(m.Nodes, added)
}

func (m *Model) stateOf(n autograd.Node, gradients autograd.Gradients) GradientState {
	switch {
	case !n.NeedsGrad:
		return None
	case !m.Passed:
		return Pending
	case gradients.Reached(n.Value):
		return Reached
	case n.Kind == autograd.KindOperation && !n.Value.Graph().Options().Trace:
		return NotKept
	}
	return NotReached
}

// addEdges adds the edges that lead to the node added last.
func (m *Model) addEdges(n autograd.Node, index map[int]int) {
	to := len(m.Nodes) - 1
	for input, id := range n.Inputs {
		from, e := index[id], len(m.Edges)
		m.Edges = append(m.Edges, Edge{From: from, To: to, Input: input, Learns: n.NeedsGrad && m.Nodes[from].Learns})
		m.Nodes[from].Uses = append(m.Nodes[from].Uses, e)
		m.Nodes[to].In = append(m.Nodes[to].In, e)
	}
}

// addContributions notes what each use of a value added to its gradient. Uses
// by nodes outside the model are left out.
func (m *Model) addContributions(index map[int]int) {
	for _, c := range m.Gradients.AllContributions() {
		to, known := index[c.To.Node().ID]
		if !known {
			continue
		}
		e := &m.Edges[m.Nodes[to].In[c.Input]]
		e.Received, e.Contribution = true, NewNumbers(c.Gradient, m.limit)
		if e.Contribution.Few == nil {
			e.whole = ElementsOf(c.Gradient)
		}
		e.Local, e.LocalKnown = m.local(e, c.Gradient.Precision())
	}
}

// local returns the derivative of a value by one that it was computed from,
// element by element, and whether it is known.
func (m *Model) local(e *Edge, p autograd.Precision) (Numbers, bool) {
	to := &m.Nodes[e.To]
	if factors, ok := to.Source.Local(e.Input); ok {
		return NewNumbers(factors, m.limit), true
	}
	if to.State != Reached || to.Value.Size != 1 || e.Contribution.Size != 1 {
		return Numbers{}, false
	}
	factor, known := quotient(e.Contribution.Few[0], to.Gradient.Few[0], p)
	return NewNumbers(autograd.Scalar(factor), m.limit), known
}

// quotient returns the derivative that turned the upstream gradient into the
// contribution, and whether it can be computed from the two: not if upstream is
// zero, or if one of them is so small that the product lost digits.
func quotient(contribution, upstream float64, p autograd.Precision) (float64, bool) {
	normal := 0x1p-1022
	if p == autograd.Float32 {
		normal = 0x1p-126
	}
	size := math.Abs(contribution)
	lost := size < normal && (size != 0 || math.Abs(upstream) < math.Sqrt(normal))
	factor := contribution / upstream
	known := upstream != 0 && !lost && !math.IsNaN(factor) && !math.IsInf(factor, 0)
	return factor, known
}

// scopeIndex finds scopes by parent and name.
type scopeIndex map[scope]int

// scope returns the scope with that path, which it adds if it is new.
func (m *Model) scope(path []string, index scopeIndex) int {
	current := 0
	for _, name := range path {
		key := scope{Parent: current, Name: name}
		number, known := index[key]
		if !known {
			number = len(m.Scopes)
			m.Scopes = append(m.Scopes, key)
			index[key] = number
		}
		current = number
	}
	return current
}

// Nowhere is the index of no node, and of no edge.
const Nowhere = -1

// Source returns the value that an edge comes from: a node, or one of the
// values that the node stands for.
func (m *Model) Source(e *Edge) *Node {
	if e.Of != nil {
		return e.Of
	}
	return &m.Nodes[e.From]
}

// Learned reports whether training changes a node.
func (n *Node) Learned() bool { return n.Kind == autograd.KindParam || n.Kind == autograd.KindVariable }

// Terms returns each element of the contribution.
func (e *Edge) Terms() []float64 {
	if e.Contribution.Few != nil {
		return e.Contribution.Few
	}
	return e.whole
}

// Key identifies a node in drawings. Keys sort in the order of the recording.
func (n *Node) Key() string {
	key := fmt.Sprintf("v%06d", n.ID)
	switch {
	case n.IsRest():
		key += fmt.Sprintf("r%06d", rest-n.Element)
	case n.Element != Whole:
		key += fmt.Sprintf("e%06d", n.Element)
	}
	return key + n.Stub.suffix()
}

// constantsOf returns the operation's numbers that a reader knows from the
// call, such as a factor. Others, such as an axis, are left out.
func constantsOf(n autograd.Node) []float64 {
	if n.Custom {
		return nil
	}
	return n.Constants[:operations.Of(n.Op).Constants]
}

// Operation returns the row of a node's operation; the zero Operation for a
// custom one, for a leaf, and for a box that stands for several values.
func (n *Node) Operation() *operations.Operation {
	if n.Custom {
		return operations.Of("")
	}
	return operations.Of(n.Op)
}

// Is reports whether a node is that built-in operation.
func (n *Node) Is(operation string) bool { return !n.Custom && n.Op == operation }

// Broken reports whether a node holds a NaN or an infinity.
func (n *Node) Broken() bool {
	return n.Value.Broken() || n.State == Reached && n.Gradient.Broken()
}

// Elements returns the numbers of a node.
func (m *Model) Elements(n *Node) []float64 {
	if n.Value.Few != nil || n.Element != Whole {
		return n.Value.Few
	}
	return ElementsOf(n.Source.Value.View())
}

// GradientElements returns the gradient of a reached node.
func (m *Model) GradientElements(n *Node) []float64 {
	if n.Gradient.Few != nil || n.Element != Whole {
		return n.Gradient.Few
	}
	return ElementsOf(m.Gradients.Of(n.Source.Value))
}

// Elementwise reports whether n computes each element from single elements of
// its inputs.
func (m *Model) Elementwise(n *Node) bool {
	if n.Custom || n.Op != n.Source.Op || len(n.In) != len(n.Source.Inputs) {
		return false
	}
	_, _, ok := n.Source.Evaluate(make([]float64, len(n.In))...)
	return ok
}

// Operands returns the elements that element k of an elementwise node was
// computed from.
func (m *Model) Operands(n *Node, k int) []float64 {
	in := make([]float64, len(n.In))
	for i, edge := range n.In {
		from := &m.Nodes[m.Edges[edge].From]
		in[i] = m.Elements(from)[PlaceIn(from.Value.Shape, n.Value.Shape, k)]
	}
	return in
}

// PlaceIn returns the element of an array of shape narrow that is broadcast to
// element k of one of shape wide.
func PlaceIn(narrow, wide []int, k int) int {
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

// Factors returns the local derivatives of an edge into an elementwise node.
func (m *Model) Factors(e *Edge) ([]float64, bool) {
	to := &m.Nodes[e.To]
	if e.LocalKnown && e.Local.Few != nil || to.Element != Whole {
		return e.Local.Few, e.LocalKnown
	}
	t, ok := to.Source.Local(e.Input)
	if !ok {
		return nil, false
	}
	return ElementsOf(t), true
}

// Column returns every step-th element from the first on.
func Column(t autograd.Tensor, first, step int) []float64 {
	var elements []float64
	for k := first; k < t.Size(); k += step {
		if t.Precision() == autograd.Float64 {
			elements = append(elements, t.Raw64()[k])
		} else {
			elements = append(elements, float64(t.Raw32()[k]))
		}
	}
	return elements
}
