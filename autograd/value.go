package autograd

// A Value is a scalar or tensor in a graph: a small handle, passed by value,
// never changed once computed. Operations are its methods; they return new
// Values of the same graph. A Value is of no use after its graph's Reset.
//
// The operations' comments give their derivatives: ∂y/∂x of the result y, or
// the gradient gx that goes on to x where gy arrives for y. They say which
// arguments an operation panics for. All panic with a [*GraphError] for the
// zero Value and for operands of two graphs, with a [*StaleError] after the
// graph's Reset, and with a [*NonFiniteError] in a graph with CheckFinite for a
// result that is NaN or infinite.
type Value struct {
	g   *Graph
	id  int32
	gen uint32
}

// node returns the value's node. It panics if the graph has been Reset.
func (x Value) node(op string) *node {
	if !x.usable() {
		x.refuse(op)
	}
	return x.g.at(x.id)
}

// usable reports whether x is a Value of the recording, or of the derivative
// rule under way.
func (x Value) usable() bool {
	return x.g != nil && (x.gen == x.g.gen || x.gen == x.g.current) && x.id < x.g.count
}

// refuse panics for a Value that is not usable.
func (x Value) refuse(op string) {
	if x.g == nil {
		panic(&GraphError{called(op), "a zero Value, which belongs to no graph", callSite()})
	}
	panic(&StaleError{called(op), "Value", "used after its graph's Reset", callSite()})
}

// operand returns the node of y, which must belong to x's graph.
func (x Value) operand(op string, y Value) *node {
	if y.g != x.g && y.g != nil {
		panic(&GraphError{called(op), "operands belong to different graphs", callSite()})
	}
	return y.node(op)
}

// Graph returns the graph that x is recorded in.
func (x Value) Graph() *Graph { return x.g }

// Shape returns a copy of the dimensions, empty for a scalar.
func (x Value) Shape() []int { return append([]int{}, x.node("Shape").shape.dims...) }

// Rank returns the number of dimensions, 0 for a scalar.
func (x Value) Rank() int { return x.node("Shape").shape.rank() }

// Size returns the number of elements, 1 for a scalar.
func (x Value) Size() int { return x.node("Shape").shape.size }

// Dim returns the length of an axis, counted from the end when negative.
func (x Value) Dim(axis int) int {
	s := x.node("Dim").shape
	return s.dims[x.g.axis("Dim", axis, s.rank())]
}

// Item returns the number of a one-element Value. It panics with a
// [*ShapeError] for any other.
func (x Value) Item() float64 {
	n := x.node("Item")
	if n.shape.size != 1 {
		panic(shapeError("Item", "not one element", "", n.shape.dims))
	}
	x.g.unchanged("Item", n)
	return x.g.number(n.data, 0)
}

// Tensor returns a copy of the numbers, which outlives the recording.
func (x Value) Tensor() Tensor { return x.view("Tensor").Clone() }

// View returns the numbers where they are, without a copy. They are valid
// until the graph's Reset and must not be written to.
func (x Value) View() Tensor { return x.view("View") }

func (x Value) view(op string) Tensor {
	n := x.node(op)
	x.g.unchanged(op, n)
	return x.g.tensor(n.data, n.shape)
}

// Named gives x a name, which drawings and messages show, and returns x.
func (x Value) Named(name string) Value {
	n := x.node("Named")
	if n.extra == nil && x.g.reverse.active && x.gen == x.g.gen {
		n.extra = new(extra) // the arena is rewound when the rule under way ends, before n
	}
	x.g.extraOf(n).name = name
	return x
}

// Name returns the name given by Named or by the Param, or "".
func (x Value) Name() string {
	return x.g.name(x.node("Named"))
}

func (g *Graph) name(n *node) string {
	if n.extra != nil && n.extra.name != "" {
		return n.extra.name
	}
	if s := g.slot(n); s != nil {
		return s.param.name
	}
	return ""
}
