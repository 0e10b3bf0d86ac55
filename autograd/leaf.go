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

// enter copies a tensor into the graph, as a node without inputs.
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

// leaf marks a node as one that gradients are computed for, unless the graph
// records none. It returns the node's place in leaves.
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

// Detach returns x as a constant: the same numbers, through which no gradient
// passes.
func (x Value) Detach() Value {
	n := x.node(opDetach.method)
	x.g.view(&opDetach, nil, n.shape, x)
	return x.g.done()
}
