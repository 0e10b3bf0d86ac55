package graphviz

import (
	"fmt"
	"math"

	"nabla/autograd"
)

// A model is what any exporter draws of a recording: the ancestors of a root,
// with numbers that no longer depend on the graph's memory.
type model struct {
	nodes  []node  // in the order of the recording: inputs come first
	edges  []edge  // by the node that they lead to, then by input
	scopes []scope // parents come first; scopes[0] is the graph itself
	root   int     // into nodes; -1 where a Selection cut it off
	passed bool    // there are gradients
	traced bool    // there are contributions

	graph     *autograd.Graph
	gradients autograd.Gradients
	sampled   *sampler // what took it apart; nil for a whole recording
	limit     int      // tensors of at most so many elements keep each one
}

// A node is one value: a whole tensor, or one element of it where a Selection
// takes tensors apart.
type node struct {
	id        int           // in the recording
	source    autograd.Node // the same, as recorded
	element   int           // of the source, in row-major order; whole for all of them
	ofRow     bool          // it belongs to the row that Sample draws, and not to all of them
	role      autograd.Role
	op        string
	custom    bool // op is a name that a user chose
	constants []float64
	kind      autograd.Kind
	frozen    bool // a parameter that is not trained
	name      string
	scope     int // into scopes
	value     numbers
	gradient  numbers // where state is reached
	state     gradientState
	learns    bool   // leads back to a variable or parameter
	terms     []term // of a weighted sum
	in        []int  // into edges, by input
	uses      []int  // into edges, in the order of the recording

	troubles []trouble // what is wrong with it
	prefix   string    // "relu1/": the scopes, where sentences need them to tell it from others of its name
	group    *group    // what it stands for, of a box that a Selection made of several values
	stub     stub      // of a box for what a Selection left out
}

// Elements of a source that are none of its numbers.
const (
	whole = -1 - iota // all of them
	rest              // and below: those of the other rows of a batch, one node for each place where they come in
)

// isRest reports whether a node stands for the other rows of a batch.
func (n *node) isRest() bool { return n.element <= rest }

// A gradientState says why a node has a gradient or none.
type gradientState uint8

const (
	none       gradientState = iota // it depends on nothing that is learned
	pending                         // no backward pass yet
	notKept                         // the graph has no Trace
	notReached                      // the root of the pass does not depend on it
	reached                         // it has one
)

// An edge is one use of a value: from the input to the result, as the
// computation ran.
type edge struct {
	from, to int // into nodes
	input    int
	learns   bool // gradients pass

	received     bool // there is a contribution
	contribution numbers
	local        numbers // its factor: contribution = gradient of the result × local, of the result's shape
	localKnown   bool    // the operation is a function of single elements

	whole []float64 // each element of the contribution, where few of its numbers are not; valid as long as the recording
	of    *node     // the value that is used, where from stands for several
}

// A scope is a layer or block that nodes belong to.
type scope struct {
	parent int
	name   string
	note   string // of a folded scope, what it stands for
}

// modelOf returns what the options draw of the recording of root.
func modelOf(root autograd.Value, o Options) (*model, error) {
	m := newModel(root, o)
	m.diagnose()
	for _, s := range o.Select {
		if s.apply == nil {
			continue
		}
		var err error
		if m, err = s.apply(m); err != nil {
			return nil, err
		}
	}
	if fit := prepare[o.View]; fit != nil {
		var err error
		if m, err = fit(m); err != nil {
			return nil, err
		}
	}
	if o.MaxNodes > 0 && len(m.nodes) > o.MaxNodes {
		return nil, &TooManyNodesError{len(m.nodes), o.MaxNodes}
	}
	return m, nil
}

// prepare makes of a model what a view draws, where that is not the values.
var prepare = map[View]func(*model) (*model, error){
	Layers:  func(m *model) (*model, error) { return m.layers(), nil },
	Course:  (*model).forCourse,
	Neurons: (*model).forNeurons,
}

// newModel reads the recording of root. It is linear in nodes and numbers.
func newModel(root autograd.Value, o Options) *model {
	m := &model{scopes: []scope{{}}, passed: o.Gradients != autograd.Gradients{}, graph: root.Graph(), gradients: o.Gradients, limit: o.Elements}
	if m.passed {
		o.Gradients.Reached(root) // panics where the two do not belong together
	}
	m.traced = m.passed && root.Graph().Options().Trace
	index := map[int]int{} // by ID
	scopes, layers := scopeIndex{}, newNamesakes(m)
	for n := range root.Ancestors() {
		index[n.ID] = len(m.nodes)
		m.addNode(n, layers.scopeOf(n, m.scope(n.Scopes, scopes), index), o)
		m.addEdges(n, index)
	}
	m.root = len(m.nodes) - 1
	if m.traced {
		m.addContributions(o, index)
	}
	return m
}

func (m *model) addNode(n autograd.Node, scope int, o Options) {
	added := node{
		id: n.ID, source: n, element: whole, role: n.Role,
		op: n.Op, custom: n.Custom, constants: constantsOf(n), kind: n.Kind, name: n.Name(), scope: scope,
		frozen: n.Kind == autograd.KindParam && n.Param.Frozen, value: newNumbers(n.View(), o.Elements), learns: n.NeedsGrad,
	}
	if added.state = m.stateOf(n, o.Gradients); added.state == reached {
		added.gradient = newNumbers(o.Gradients.Of(n.Value), o.Elements)
	}
	m.nodes = append(m.nodes, added)
}

func (m *model) stateOf(n autograd.Node, gradients autograd.Gradients) gradientState {
	switch {
	case !n.NeedsGrad:
		return none
	case !m.passed:
		return pending
	case gradients.Reached(n.Value):
		return reached
	case n.Kind == autograd.KindOperation && !n.Graph().Options().Trace:
		return notKept
	}
	return notReached
}

// addEdges adds those that lead to the node added last.
func (m *model) addEdges(n autograd.Node, index map[int]int) {
	to := len(m.nodes) - 1
	for input, id := range n.Inputs {
		from, e := index[id], len(m.edges)
		m.edges = append(m.edges, edge{from: from, to: to, input: input, learns: n.NeedsGrad && m.nodes[from].learns})
		m.nodes[from].uses = append(m.nodes[from].uses, e)
		m.nodes[to].in = append(m.nodes[to].in, e)
	}
}

// addContributions notes what each use of a value added to its gradient.
// Those of other roots' nodes are left out.
func (m *model) addContributions(o Options, index map[int]int) {
	for _, c := range o.Gradients.AllContributions() {
		to, known := index[c.To.Node().ID]
		if !known {
			continue
		}
		e := &m.edges[m.nodes[to].in[c.Input]]
		e.received, e.contribution = true, newNumbers(c.Gradient, o.Elements)
		if e.contribution.few == nil {
			e.whole = elementsOf(c.Gradient)
		}
		e.local, e.localKnown = m.local(e, c.Gradient.Precision(), o)
	}
}

// local returns the derivative of a value by one that it was computed from,
// element by element, and whether it is known.
func (m *model) local(e *edge, p autograd.Precision, o Options) (numbers, bool) {
	to := &m.nodes[e.to]
	if factors, ok := to.source.Local(e.input); ok {
		return newNumbers(factors, o.Elements), true
	}
	if to.state != reached || to.value.size != 1 || e.contribution.size != 1 {
		return numbers{}, false
	}
	factor, known := quotient(e.contribution.few[0], to.gradient.few[0], p)
	return newNumbers(autograd.Scalar(factor), o.Elements), known
}

// quotient returns the derivative that turned the upstream gradient into the
// contribution, and whether it can be told from the two: not when upstream is
// zero, nor when one of them is so small that the product lost its digits.
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

// scope returns the scope with that path, which it adds where it is new.
func (m *model) scope(path []string, index scopeIndex) int {
	current := 0
	for _, name := range path {
		key := scope{parent: current, name: name}
		number, known := index[key]
		if !known {
			number = len(m.scopes)
			m.scopes = append(m.scopes, key)
			index[key] = number
		}
		current = number
	}
	return current
}

// source returns the value that an edge comes from: a node, or one of those
// that the node stands for.
func (m *model) source(e *edge) *node {
	if e.of != nil {
		return e.of
	}
	return &m.nodes[e.from]
}

// learned reports whether a node is what training changes.
func (n *node) learned() bool { return n.kind == autograd.KindParam || n.kind == autograd.KindVariable }

// terms returns each element of the contribution.
func (e *edge) terms() []float64 {
	if e.contribution.few != nil {
		return e.contribution.few
	}
	return e.whole
}

// key names a node in drawings. Keys sort as the recording does.
func (n *node) key() string {
	key := fmt.Sprintf("v%06d", n.id)
	switch {
	case n.isRest():
		key += fmt.Sprintf("r%06d", rest-n.element)
	case n.element != whole:
		key += fmt.Sprintf("e%06d", n.element)
	}
	return key + n.stub.suffix()
}

// constantsOf returns an operation's numbers that a reader knows from its
// call, such as a factor. Others, such as an axis, are left out.
func constantsOf(n autograd.Node) []float64 {
	if n.Custom {
		return nil
	}
	count := 0
	switch n.Op {
	case "scale", "add scalar", "pow scalar", "leaky relu", "elu", "celu",
		"equal scalar", "not equal scalar", "less scalar", "less equal scalar", "greater scalar", "greater equal scalar":
		count = 1
	case "clamp":
		count = 2
	}
	constants := make([]float64, count)
	copy(constants, n.Constants) // zeros at the end are not recorded
	return constants
}
