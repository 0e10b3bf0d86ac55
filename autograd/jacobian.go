package autograd

// JVP returns the Jacobian-vector product ∂y/∂x·v: how y changes if x moves
// along v, which has x's shape. It is the derivative of u ↦ VJP(y, u, x)·v,
// which is linear in u.
//
// It panics with a [*ShapeError] if v does not have x's shape, and with a
// [*GradientError] if x is a mask or the graph has the option NoGrad.
func JVP(y, x, v Value) Value {
	n := y.node("JVP")
	y.operand("JVP", x)
	x.fits("JVP", "the vector has another shape than x", v)
	u := y.g.Full(0, n.shape.dims...)
	gx := VJP(y, u, x)[0]
	return VJP(gx, v, u)[0]
}

// HVP returns the product of y's Hessian with respect to x and v, which has
// x's shape, without forming the Hessian. y must have one element.
//
// It panics with a [*ShapeError] if v does not have x's shape, and with a
// [*GradientError] if y does not have exactly one element, x is a mask, or the
// graph has the option NoGrad.
func HVP(y, x, v Value) Value {
	gx := y.grad("HVP", " has no Hessian: it needs one element", []Value{x})[0]
	x.fits("HVP", "the vector has another shape than x", v)
	return VJP(gx, v, x)[0]
}

// Jacobian returns ∂y/∂x, of y's shape followed by x's, by one reverse pass
// for each element of y.
//
// It panics with a [*GradientError] if x is a mask or the graph has the option
// NoGrad.
func Jacobian(y, x Value) Value {
	g, n := y.g, y.node("Grad")
	dims := append(y.Shape(), x.Shape()...)
	if n.shape.size == 0 {
		return g.Full(0, dims...)
	}
	rows := make([]Value, n.shape.size)
	for i := range rows {
		seed := Zeros(n.shape.dims...)
		seed.f64()[i] = 1
		rows[i] = VJP(y, g.Constant(seed), x)[0]
	}
	return Stack(0, rows...).Reshape(dims...)
}

// Hessian returns the second derivatives of y, which must have one element,
// with respect to x. Its shape is x's shape repeated: [3] gives [3 3].
//
// It panics with a [*GradientError] if y does not have exactly one element, x
// is a mask, or the graph has the option NoGrad.
func Hessian(y, x Value) Value {
	return Jacobian(y.grad("Hessian", " has no Hessian: it needs one element", []Value{x})[0], x)
}
