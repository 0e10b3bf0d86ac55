package autograd

import (
	"iter"
	"slices"

	"nabla/internal/operations"
)

// A Kind says what a node is.
type Kind uint8

const (
	KindConstant  Kind = iota // data: no gradient
	KindVariable              // recorded by Variable
	KindParam                 // a Param's Value
	KindOperation             // computed from its inputs
)

func (k Kind) String() string {
	names := [...]string{"constant", "variable", "param", "operation"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// A Node is a Value with all that an exporter needs to know of how it came
// about. IDs count up from 0 in the order of the recording: inputs come before
// the nodes that use them.
type Node struct {
	Value     Value     // the handle: its numbers, shape and name
	ID        int       //
	Op        string    // the operation: "matmul"; of a leaf its Kind
	Kind      Kind      //
	Custom    bool      // a user's operation, with its name as Op
	Inputs    []int     // IDs, in the operation's order
	Scope     string    // the path of scopes, joined by "/", "" outside
	Scopes    []string  // the same path, one name each
	Param     *Param    // of a KindParam
	Role      Role      // as given by As
	NeedsGrad bool      // leads back to a variable or parameter
	Constants []float64 // of the operation: a factor, an exponent, bounds
	Ints      []int     // of the operation: axes, a permutation, indices
	Settings  string    // of a convolution or pooling, in words: "3×3 stride 2"
	Location  Location  // the user's line, with Trace or CheckFinite
}

// Node returns what the recording knows of x.
func (x Value) Node() Node {
	n, g := x.node("Shape"), x.g
	node := Node{
		Value: x, ID: int(x.id), Op: n.op.name, Kind: n.kind(), NeedsGrad: n.flags&needsGrad != 0,
		Scope: g.scopes.paths[n.scope], Scopes: g.scopes.names(n.scope), Constants: n.constants(), Ints: slices.Clone(n.ints()),
		Settings: n.settings(),
	}
	for _, input := range n.inputs() {
		node.Inputs = append(node.Inputs, int(input))
	}
	if s := g.slot(n); s != nil {
		node.Param = s.param
	}
	if e := n.extra; e != nil {
		node.Location, node.Role = e.line, e.role
		if e.custom != nil {
			node.Op, node.Custom = e.custom.Name, e.custom.Row == nil
		}
	}
	return node
}

func (n *node) kind() Kind {
	switch n.op {
	case &opConstant:
		return KindConstant
	case &opVariable:
		return KindVariable
	case &opParam:
		return KindParam
	}
	return KindOperation
}

// constants returns the operation's constants: as many as its row in the table
// of operations says, zeros too, and an axis or the like that is not zero.
func (n *node) constants() []float64 {
	count := operations.Of(n.op.name).Constants
	switch {
	case n.b != 0:
		count = 2
	case n.a != 0:
		count = max(count, 1)
	}
	if count == 0 {
		return nil
	}
	return []float64{n.a, n.b}[:count]
}

// Nodes ranges over the recording, in the order in which it was computed.
func (g *Graph) Nodes() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		gen := g.gen
		for id := int32(0); id < g.count && g.gen == gen; id++ {
			if !yield(Value{g, id, gen}.Node()) {
				return
			}
		}
	}
}

// At returns the Value of the node with that ID.
func (g *Graph) At(id int) Value {
	if id < 0 || id >= int(g.count) {
		panic(NewIndexError("At", "node", id, int(g.count)))
	}
	return Value{g, int32(id), g.gen}
}

// Ancestors ranges over x and all that it was computed from, each once, in the
// order of the recording.
func (x Value) Ancestors() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for _, id := range x.ancestors() {
			if !yield(Value{x.g, id, x.gen}.Node()) {
				return
			}
		}
	}
}

func (x Value) ancestors() []int32 {
	x.node("Shape")
	reached := make([]bool, x.id+1)
	reached[x.id] = true
	var ids []int32
	for id := x.id; id >= 0; id-- {
		if !reached[id] {
			continue
		}
		ids = append(ids, id)
		for _, input := range x.g.at(id).inputs() {
			reached[input] = true
		}
	}
	slices.Reverse(ids)
	return ids
}
