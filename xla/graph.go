package xla

import "nabla/autograd"

// A node is one of a recording, as far as a program needs it.
type node struct {
	Op        string
	Leaf      bool
	Inputs    []int
	Shape     []int
	Constants []float64
	Ints      []int
	Told      told
	Chooser   int       // the node whose choice of elements it follows, −1 if there is none
	Numbers   []float64 // of a leaf
	Location  autograd.Location
}

// A told is what an operation that chooses elements was told.
type told struct {
	Axis, K    int
	Descending bool
	Segments   []int
}

// nodeOf returns node id of a recording.
func nodeOf(g *autograd.Graph, id int) node {
	n := g.At(id).Node()
	made := node{
		Op: n.Op, Leaf: n.Kind != autograd.KindOperation, Inputs: n.Inputs, Shape: n.Value.Shape(),
		Constants: n.Constants, Ints: n.Ints, Chooser: -1, Location: n.Location,
	}
	if n.Custom {
		made.Op = ownOperation
	}
	if made.Leaf {
		made.Numbers = n.Value.Tensor().Float64s()
	}
	switch o := n.Options().(type) {
	case autograd.SortOptions:
		made.Told = told{Axis: o.Axis, K: o.K, Descending: o.Descending}
	case autograd.AxisOptions:
		made.Told.Axis = o.Axis
	case autograd.SegmentOptions:
		made.Told = told{K: o.Count, Segments: o.Segments}
	case autograd.GatherOptions:
		made.Chooser = o.Chosen
	case autograd.ChosenOptions:
		made.Chooser = o.By
	}
	return made
}

// A lowered is a recording, or the part of one that some results need, as a
// part of a program.
type lowered struct {
	p       *program
	at      func(id int) node
	known   map[int]value  // what has been written, and the leaves that are inputs
	indices map[int]*index // of the nodes whose integers depend on an input
	keys    map[int]value  // of the random numbers of attentions
	dropped map[int]int    // constants that drop weights, and the attentions
	calls   map[int]*call
}

func newLowered(p *program, at func(id int) node) *lowered {
	return &lowered{p: p, at: at, known: map[int]value{}, indices: map[int]*index{}, keys: map[int]value{}, dropped: map[int]int{}, calls: map[int]*call{}}
}

// results writes all that the given nodes need.
func (l *lowered) results(wanted ...int) ([]value, error) {
	nodes := l.needed(wanted)
	for i := len(nodes) - 1; i >= 0; i-- {
		if err := l.write(nodes[i].id, nodes[i].node); err != nil {
			return nil, err
		}
	}
	all := make([]value, len(wanted))
	for i, id := range wanted {
		all[i] = l.known[id]
	}
	return all, nil
}

type numbered struct {
	id   int
	node node
}

// needed returns what some nodes are computed from, but for what is known: the
// last one first.
func (l *lowered) needed(wanted []int) []numbered {
	reached, last := map[int]bool{}, -1
	for _, id := range wanted {
		reached[id] = true
		last = max(last, id)
	}
	var all []numbered
	for id := last; id >= 0; id-- {
		if _, known := l.known[id]; !reached[id] || known {
			continue
		}
		n := l.at(id)
		all = append(all, numbered{id, n})
		for _, input := range n.Inputs {
			reached[input] = true
		}
		if n.Chooser >= 0 {
			reached[n.Chooser] = true
		}
	}
	return all
}

// write writes one node.
func (l *lowered) write(id int, n node) error {
	if attention, ok := l.dropped[id]; ok {
		of := l.at(attention)
		l.known[id] = keptBy(l.keys[attention], weightsShape(of.Ints), of.Constants[1])
		return nil
	}
	if n.Leaf {
		l.known[id] = l.p.numbers(n.Numbers, n.Shape)
		return nil
	}
	c := &call{p: l.p, op: n.Op, shape: n.Shape, k: n.Constants, ints: n.Ints, told: n.Told, index: l.indices[id], draw: l.keys[id]}
	for _, input := range n.Inputs {
		c.in = append(c.in, l.known[input])
	}
	if n.Chooser >= 0 {
		c.by = l.calls[n.Chooser]
	}
	v, err := c.lower()
	if err != nil {
		if e, ok := err.(*UnsupportedError); ok {
			e.Location = n.Location
		}
		return err
	}
	l.known[id], l.calls[id] = v, c
	return nil
}
