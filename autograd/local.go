package autograd

import "slices"

// Evaluate returns what the node's operation gives for other inputs, single
// numbers, and the derivative of that with respect to each: the chain rule's
// local factors. It is computed in float64.
//
// ok is false for a leaf and for an operation that is not a function of the
// single elements of its inputs, such as MatMul or Sum. The partials of an
// operation without a gradient, such as a comparison, are nil.
//
// It panics with an [*ArgumentError] if the number of inputs is wrong.
func (n Node) Evaluate(in ...float64) (y float64, partials []float64, ok bool) {
	from := n.Value.node("Local")
	op := from.op
	if op.unary == nil && op.binary == nil {
		return 0, nil, false
	}
	if len(in) != len(n.Inputs) {
		panic(NewArgumentError("Evaluate", "%d numbers for the %d inputs of %s", len(in), len(n.Inputs), op.method))
	}
	if u := op.unary; u != nil {
		y = u.F(in[0], from.a, from.b)
		if u.D != nil {
			partials = []float64{u.D(1, in[0], y, from.a, from.b)}
		}
		return y, partials, true
	}
	y = op.binary.F(in[0], in[1])
	if op.binary.D != nil {
		dx, dy := op.binary.D(1, in[0], in[1], y)
		partials = []float64{dx, dy}
	}
	return y, partials, true
}

// Local returns the derivative of each element of the node's numbers with
// respect to the element of an input that it was computed from: the chain
// rule's local factor, of the node's shape, in float64. ok is false where
// Evaluate's is, and for an operation without a gradient.
//
// It panics with an [*IndexError] if there is no such input.
func (n Node) Local(input int) (factors Tensor, ok bool) {
	from, g := n.Value.node("Local"), n.Value.g
	inputs := from.inputs()
	if input < 0 || input >= len(inputs) {
		panic(NewIndexError("Local", "input", input, len(inputs)))
	}
	op := from.op
	if (op.unary == nil || op.unary.D == nil) && (op.binary == nil || op.binary.D == nil) {
		return Tensor{}, false
	}
	operands := make([]*node, len(inputs))
	for i, id := range inputs {
		operands[i] = g.at(id)
		g.unchanged("Local", operands[i])
	}
	factors = zerosOf(Float64, from.shape.dims)
	to := factors.f64()
	if op.unary != nil {
		for i := range to {
			to[i] = op.unary.D(1, g.number(operands[0].data, i), g.number(from.data, i), from.a, from.b)
		}
		return factors, true
	}
	xs, ys := places(operands[0].shape.dims, from.shape.dims), places(operands[1].shape.dims, from.shape.dims)
	for i := range to {
		dx, dy := op.binary.D(1, g.number(operands[0].data, xs[i]), g.number(operands[1].data, ys[i]), g.number(from.data, i))
		if to[i] = dx; input == 1 {
			to[i] = dy
		}
	}
	return factors, true
}

// places returns, for each element of an array of shape wide, the element of
// one of shape narrow that is broadcast to it.
func places(narrow, wide []int) []int {
	at := []int{0}
	stride := 1
	for axis := len(wide) - 1; axis >= 0; axis-- {
		step := 0
		if k := axis - (len(wide) - len(narrow)); k >= 0 && narrow[k] != 1 {
			step = stride
			stride *= narrow[k]
		}
		longer := make([]int, 0, wide[axis]*len(at))
		for i := range wide[axis] {
			for _, place := range at {
				longer = append(longer, i*step+place)
			}
		}
		at = longer
	}
	return slices.Clip(at)
}

// A Role is what a Value is to a reader of the network, beyond what the
// recording knows. Drawings tell roles apart.
type Role uint8

const (
	RoleNone   Role = iota
	RoleInput       // data that predictions are made from
	RoleTarget      // what predictions are compared with
)

func (r Role) String() string {
	names := [...]string{"none", "input", "target"}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// As says what x is to a reader of the network, and returns x. In a graph with
// Trace the layers mark the constants that they are given as inputs, and the
// losses the constants that they compare with as targets, unless they have a
// role. It changes nothing that is computed.
func (x Value) As(role Role) Value {
	n := x.node("As")
	if x.g.reverse.active {
		return x // a rule's scratch Values are not drawn
	}
	x.g.extraOf(n).role = role
	return x
}
