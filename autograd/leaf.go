package autograd

import (
	"unsafe"

	"nabla/internal/kernel"
)

var (
	opConstant = operation{name: "constant", method: "Constant"}
	opVariable = operation{name: "variable", method: "Variable"}
	opParam    = operation{name: "param", method: "Param"}
	opDetach   = operation{name: "detach", method: "Detach", mask: true}
)

// Scalar returns a constant with one number.
func (g *Graph) Scalar(v float64) Value {
	n := g.start(&opConstant, nil, scalarShape)
	g.put(n, v)
	return g.done()
}

// Constant copies a tensor into the graph, in the graph's precision. It has no
// gradient.
func (g *Graph) Constant(t Tensor) Value { return g.enter(&opConstant, t) }

// Variable copies a tensor into the graph, in the graph's precision. Backward
// computes its gradient.
func (g *Graph) Variable(t Tensor) Value {
	if g.reverse.active {
		panic(&GradientError{"Variable", "no variables inside a derivative rule", callSite()})
	}
	v := g.enter(&opVariable, t)
	g.leaf(v)
	return v
}

// enter copies a tensor in as a node without inputs.
func (g *Graph) enter(op *operation, t Tensor) Value {
	t.check(op.method)
	n := g.record(op, nil, g.shapeOf(t))
	g.fill(n.data, t)
	return g.done()
}

// fill writes a tensor's numbers in the graph's precision.
func (g *Graph) fill(p unsafe.Pointer, t Tensor) {
	size := t.Size()
	switch {
	case g.single && t.precision == Float32:
		copy(slice[float32](p, size), t.f32())
	case g.single:
		kernel.Convert32(slice[float32](p, size), t.f64())
	case t.precision == Float32:
		kernel.Convert64(slice[float64](p, size), t.f32())
	default:
		copy(slice[float64](p, size), t.f64())
	}
}

// leaf makes a node one that gradients are computed for, unless there are
// none. It returns its place in leaves.
func (g *Graph) leaf(v Value) (place int32) {
	if g.options.NoGrad {
		return noLeaf
	}
	n := g.at(v.id)
	n.flags |= needsGrad | isLeaf
	n.in[0] = int32(len(g.leaves))
	g.leaves = append(g.leaves, v.id)
	return n.in[0]
}

const noLeaf = -1

// Param returns the Value of a parameter, the same one each time in a
// recording, so that shared use adds up. The numbers are read in place where
// the precision allows: nothing may write them while the recording is in use.
func (g *Graph) Param(p *Param) Value {
	if p == nil {
		panic(NewArgumentError("Param", "the Param is nil"))
	}
	if slot := g.params.find(p); slot != nil {
		if slot.version != p.version {
			panic(slot.stale(opParam.method))
		}
		return Value{g, slot.id, g.gen}
	}
	return g.enterParam(p)
}

func (g *Graph) enterParam(p *Param) Value {
	if g.reverse.active {
		panic(&GradientError{"Param", "no parameters inside a derivative rule", callSite()})
	}
	t := &p.value
	t.check(opParam.method)
	n := g.start(&opParam, nil, t.shape)
	switch {
	case t.precision != g.options.Precision:
		g.allocate(n)
		g.fill(n.data, *t)
		n.flags |= converted
	case n.shape.size == 1:
		g.put(n, g.first(t.data))
	default:
		n.data = t.data
		n.flags |= inPlace
	}
	n.in[1] = int32(g.params.used)
	s := g.params.offer(p)
	s.id, s.leaf, s.version = g.count-1, noLeaf, p.version
	v := g.done() // may panic: then the parameter counts as not recorded
	g.params.used++
	if !p.Frozen {
		s.leaf = g.leaf(v)
	}
	return v
}

// slot returns the slot of a parameter's node, nil for any other node.
func (g *Graph) slot(n *node) *paramSlot {
	if n.op != &opParam {
		return nil
	}
	return &g.params.slots[n.in[1]]
}

// Detach returns x as a constant: the same numbers, through which no gradient
// passes.
func (x Value) Detach() Value {
	n := x.node(opDetach.method)
	x.g.view(&opDetach, nil, n.shape, x)
	return x.g.done()
}

// A paramTable finds the node of a Param in a recording. Most recordings use
// the same Params in the same order as the one before, so that the next slot
// is the first guess.
type paramTable struct {
	slots []paramSlot
	index map[*Param]int
	used  int // slots of this recording, all in front
}

type paramSlot struct {
	param   *Param
	id      int32
	leaf    int32  // its place in Graph.leaves, noLeaf when there is no gradient
	version uint64 // when it was recorded
}

// find returns the slot of p, nil when it has not been recorded.
func (t *paramTable) find(p *Param) *paramSlot {
	if t.used < len(t.slots) && t.slots[t.used].param == p {
		return nil
	}
	if i, ok := t.index[p]; ok && i < t.used {
		return &t.slots[i]
	}
	return nil
}

// offer returns the next slot, which counts once used has been raised, for a
// parameter that find has not found.
func (t *paramTable) offer(p *Param) *paramSlot {
	if t.used == len(t.slots) || t.slots[t.used].param != p {
		t.replace(p)
	}
	return &t.slots[t.used]
}

// replace gives the next slot, and all behind it, up for p.
func (t *paramTable) replace(p *Param) {
	if t.index == nil {
		t.index = map[*Param]int{}
	}
	for _, s := range t.slots[t.used:] {
		delete(t.index, s.param)
	}
	t.slots = append(t.slots[:t.used], paramSlot{param: p})
	t.index[p] = t.used
}

func (t *paramTable) reset() { t.used = 0 }

// fresh panics when a parameter has been changed since it was recorded.
func (g *Graph) fresh(op string) {
	for i := range g.params.used {
		if s := &g.params.slots[i]; s.param.version != s.version {
			panic(s.stale(op))
		}
	}
}

func (s *paramSlot) stale(op string) error {
	return &StaleError{op, "parameter " + s.param.name, "was changed after the recording used it: Reset and record again", callSite()}
}
