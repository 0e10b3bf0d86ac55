package autograd

import (
	"math"

	"nabla/internal/kernel"
)

var (
	opMaximum            = operation{name: "maximum", method: "Maximum", binary: &kernel.Maximum}
	opMinimum            = operation{name: "minimum", method: "Minimum", binary: &kernel.Minimum}
	opClamp              = operation{name: "clamp", method: "Clamp", unary: &kernel.Clamp}
	opWhere              = operation{name: "where", method: "Where"}
	opEqual              = operation{name: "equal", method: "Equal", binary: &kernel.Equal, mask: true}
	opNotEqual           = operation{name: "not equal", method: "NotEqual", binary: &kernel.NotEqual, mask: true}
	opLess               = operation{name: "less", method: "Less", binary: &kernel.Less, mask: true}
	opLessEqual          = operation{name: "less equal", method: "LessEqual", binary: &kernel.LessEqual, mask: true}
	opGreater            = operation{name: "greater", method: "Greater", binary: &kernel.Greater, mask: true}
	opGreaterEqual       = operation{name: "greater equal", method: "GreaterEqual", binary: &kernel.GreaterEqual, mask: true}
	opEqualScalar        = operation{name: "equal scalar", method: "EqualScalar", unary: &kernel.EqualS, mask: true}
	opNotEqualScalar     = operation{name: "not equal scalar", method: "NotEqualScalar", unary: &kernel.NotEqualS, mask: true}
	opLessScalar         = operation{name: "less scalar", method: "LessScalar", unary: &kernel.LessS, mask: true}
	opLessEqualScalar    = operation{name: "less equal scalar", method: "LessEqualScalar", unary: &kernel.LessEqualS, mask: true}
	opGreaterScalar      = operation{name: "greater scalar", method: "GreaterScalar", unary: &kernel.GreaterS, mask: true}
	opGreaterEqualScalar = operation{name: "greater equal scalar", method: "GreaterEqualScalar", unary: &kernel.GreaterEqualS, mask: true}
)

// Maximum returns the greater of x and y, element by element, broadcasting.
//
//	∂/∂x = 1 where x > y, ½ where they are equal, else 0; ∂/∂y = 1 − ∂/∂x
//
// Where either is NaN, the result and both gradients are NaN. Where x = y there
// is no second derivative: it is NaN.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Maximum(y Value) Value { return x.binary(&opMaximum, maximumRule, y) }

func maximumRule(r *Rule) {
	x, y := r.In(0), r.In(1)
	r.share(x.Greater(y), x.Less(y))
}

// share gives the gradient to input 0 where won is 1, to input 1 where lost is
// 1, and half to each where the inputs are equal. Elsewhere an input is NaN,
// and so are both gradients.
func (r *Rule) share(won, lost Value) {
	g, x, y := r.Grad(), r.In(0), r.In(1)
	half := g.MulScalar(0.5)
	if !r.g.reverse.active {
		half = kinked(half, x.Sub(y))
	}
	zero, part := g.g.Scalar(0), Where(x.Equal(y), half, g.g.Scalar(math.NaN()))
	r.Add(0, Where(won, g, Where(lost, zero, part)))
	r.Add(1, Where(lost, g, Where(won, zero, part)))
}

// Minimum returns the smaller of x and y, element by element, broadcasting.
//
//	∂/∂x = 1 where x < y, ½ where they are equal, else 0; ∂/∂y = 1 − ∂/∂x
//
// Where either is NaN, the result and both gradients are NaN. Where x = y there
// is no second derivative: it is NaN.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Minimum(y Value) Value { return x.binary(&opMinimum, minimumRule, y) }

func minimumRule(r *Rule) {
	x, y := r.In(0), r.In(1)
	r.share(x.Less(y), x.Greater(y))
}

// Clamp returns x limited to [lo, hi]. It panics with an [*ArgumentError] if lo
// > hi or either is NaN.
//
//	∂y/∂x = 1 for lo ≤ x ≤ hi, else 0; NaN where x is
//
// At the bounds the gradient is that of x itself, so that a parameter exactly
// on a bound can still move back inside.
func (x Value) Clamp(lo, hi float64) Value {
	if !(lo <= hi) {
		panic(NewArgumentError(opClamp.method, "the bounds %v and %v are not in order", lo, hi))
	}
	return x.unary(&opClamp, clampRule, lo, hi)
}

func clampRule(r *Rule) {
	x := r.In(0)
	r.Add(0, gateAt(x, r.Grad(), x.GreaterEqualScalar(r.n.a).Mul(x.LessEqualScalar(r.n.b))))
}

// Where returns x where the mask is not 0 and y elsewhere. All three broadcast.
//
//	∂/∂x = 1 where the mask is not 0, else exactly 0; ∂/∂y the other way round
//
// The branch not taken gets a gradient of exactly 0, even where its value is
// NaN or infinite. If an operation inside that branch multiplies this 0 by an
// infinite derivative, the result is NaN: protect that operation's input with
// another Where.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func Where(mask, x, y Value) Value {
	g := mask.g
	c, a, b := mask.node(opWhere.method), mask.operand(opWhere.method, x), mask.operand(opWhere.method, y)
	s := g.broadcast(opWhere.method, g.broadcast(opWhere.method, a.shape, b.shape), c.shape)
	n := g.record(&opWhere, whereRule, s, mask, x, y)
	if !(g.reverse.active || g.options.NoGrad) {
		n.flags = (a.flags | b.flags) & needsGrad
	}
	pick(g, where[float64], where[float32])(g, n, c, a, b)
	return g.done()
}

// where computes Where on operands expanded to one shape.
func where[T kernel.Float](g *Graph, n, c, x, y *node) {
	mask, a, b := expanded[T](g, c, n.shape), expanded[T](g, x, n.shape), expanded[T](g, y, n.shape)
	kernel.Where(numbers[T](n), mask, a, b)
	unexpand(g, mask, c)
	unexpand(g, a, x)
	unexpand(g, b, y)
}

func whereRule(r *Rule) {
	mask, gy := r.In(0), r.Grad()
	zero := gy.g.Scalar(0)
	if r.Needs(1) {
		r.Add(1, Where(mask, gy, zero))
	}
	if r.Needs(2) {
		r.Add(2, Where(mask, zero, gy))
	}
}

// Equal returns 1 where x = y, else 0, broadcasting. Like every comparison it
// returns a mask, through which no gradient passes.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Equal(y Value) Value { return x.binary(&opEqual, nil, y) }

// NotEqual returns 1 where x ≠ y, else 0, broadcasting; 1 where either is NaN.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) NotEqual(y Value) Value { return x.binary(&opNotEqual, nil, y) }

// Less returns 1 where x < y, else 0, broadcasting.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Less(y Value) Value { return x.binary(&opLess, nil, y) }

// LessEqual returns 1 where x ≤ y, else 0, broadcasting.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) LessEqual(y Value) Value { return x.binary(&opLessEqual, nil, y) }

// Greater returns 1 where x > y, else 0, broadcasting.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) Greater(y Value) Value { return x.binary(&opGreater, nil, y) }

// GreaterEqual returns 1 where x ≥ y, else 0, broadcasting.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) GreaterEqual(y Value) Value { return x.binary(&opGreaterEqual, nil, y) }

// EqualScalar returns 1 where x = c, else 0.
func (x Value) EqualScalar(c float64) Value { return x.unary(&opEqualScalar, nil, c, 0) }

// NotEqualScalar returns 1 where x ≠ c, else 0; 1 where x is NaN.
func (x Value) NotEqualScalar(c float64) Value { return x.unary(&opNotEqualScalar, nil, c, 0) }

// LessScalar returns 1 where x < c, else 0.
func (x Value) LessScalar(c float64) Value { return x.unary(&opLessScalar, nil, c, 0) }

// LessEqualScalar returns 1 where x ≤ c, else 0.
func (x Value) LessEqualScalar(c float64) Value { return x.unary(&opLessEqualScalar, nil, c, 0) }

// GreaterScalar returns 1 where x > c, else 0.
func (x Value) GreaterScalar(c float64) Value { return x.unary(&opGreaterScalar, nil, c, 0) }

// GreaterEqualScalar returns 1 where x ≥ c, else 0.
func (x Value) GreaterEqualScalar(c float64) Value {
	return x.unary(&opGreaterEqualScalar, nil, c, 0)
}

// IsNaN returns 1 where x is NaN, else 0.
func (x Value) IsNaN() Value { return x.NotEqual(x) }

// IsFinite returns 1 where x is neither NaN nor infinite, else 0.
func (x Value) IsFinite() Value { return x.Abs().LessScalar(math.Inf(1)) }
