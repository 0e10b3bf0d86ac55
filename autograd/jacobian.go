package autograd

// JVP returns the Jacobian-vector product: how y changes when the xs move along
// the vs, one for each x, of its shape.
//
//	ẏ = Σ ∂y/∂xᵢ·vᵢ
//
// It is the derivative of u ↦ Σ VJP(y, u, xᵢ)·vᵢ, which is linear in u.
//
// It panics with an *ArgumentError when there are not as many vectors as xs,
// with a *ShapeError when a vector has not its x's shape, and with a
// *GradientError when an x is a mask or the graph has the option NoGrad.
func JVP(y Value, xs, vs []Value) Value {
	n := y.node("JVP")
	along("JVP", y, xs, vs)
	u := y.g.Full(0, n.shape.dims...)
	var total Value
	for i, gx := range VJP(y, u, xs...) {
		total = sumOf(total, VJP(gx, vs[i], u)[0])
	}
	if total.g == nil {
		return u
	}
	return total
}

// HVP returns the product of y's Hessian, with respect to all xs together, and
// the vs, one for each x, of its shape; the result has one part for each x. The
// Hessian is not formed. y must have one element.
//
//	hᵢ = Σⱼ ∂²y/∂xᵢ∂xⱼ·vⱼ
//
// It panics with an *ArgumentError when there are not as many vectors as xs,
// with a *ShapeError when a vector has not its x's shape, and with a
// *GradientError when y has not one element, an x is a mask, or the graph has
// the option NoGrad.
func HVP(y Value, xs, vs []Value) []Value {
	along("HVP", y, xs, vs)
	total := make([]Value, len(xs))
	for j, gx := range y.grad("HVP", noHessian, xs) {
		for i, part := range VJP(gx, vs[j], xs...) {
			total[i] = sumOf(total[i], part)
		}
	}
	return total
}

const noHessian = " has no Hessian: it needs one element"

// along panics unless there is a vector of its shape for each x.
func along(op string, y Value, xs, vs []Value) {
	if len(xs) != len(vs) {
		panic(NewArgumentError(op, "%d vectors for %d inputs", len(vs), len(xs)))
	}
	for i, x := range xs {
		y.operand(op, x)
		x.fits(op, "the vector has another shape than x", vs[i])
	}
}

// Jacobian returns ∂y/∂x for each x, of y's shape followed by x's, by one
// reverse pass for each element of y.
//
// It panics with a *GradientError when an x is a mask or the graph has the
// option NoGrad.
func Jacobian(y Value, xs ...Value) []Value {
	seeds := y.unitSeeds("Jacobian")
	rows := make([][]Value, len(xs)) // by x, then by element of y
	for _, seed := range seeds {
		for i, gx := range VJP(y, seed, xs...) {
			rows[i] = append(rows[i], gx)
		}
	}
	jacobians := make([]Value, len(xs))
	for i, x := range xs {
		dims := append(y.Shape(), x.Shape()...)
		if len(seeds) == 0 {
			jacobians[i] = y.g.Full(0, dims...)
			continue
		}
		jacobians[i] = Stack(0, rows[i]...).Reshape(dims...)
	}
	return jacobians
}

// unitSeeds returns a seed for each element of y, 1 there and 0 elsewhere.
func (y Value) unitSeeds(op string) []Value {
	s := y.node(op).shape
	seeds := make([]Value, s.size)
	for i := range seeds {
		seed := Zeros(s.dims...)
		seed.f64()[i] = 1
		seeds[i] = y.g.Constant(seed)
	}
	return seeds
}

// Hessian returns the second derivatives of y, which must have one element,
// with respect to x: of x's shape twice. For several inputs there is [HVP]; the
// blocks of their Hessian are Jacobian(Grad(y, xs...)[i], xs...).
//
// It panics with a *GradientError when y has not one element, x is a mask, or
// the graph has the option NoGrad.
func Hessian(y, x Value) Value {
	return Jacobian(y.grad("Hessian", noHessian, []Value{x})[0], x)[0]
}
