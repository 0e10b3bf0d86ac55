package autograd

import (
	"math"
	"slices"

	"nabla/internal/kernel"
)

// Reductions take the axes to reduce over, counted from the end when negative;
// without axes they reduce over all.

var (
	opSum       = operation{name: "sum", method: "Sum"}
	opMean      = operation{name: "mean", method: "Mean"}
	opProd      = operation{name: "prod", method: "Prod"}
	opMax       = operation{name: "max", method: "Max"}
	opMin       = operation{name: "min", method: "Min"}
	opVar       = operation{name: "var", method: "Var"}
	opStd       = operation{name: "std", method: "Std"}
	opNorm      = operation{name: "norm", method: "Norm"}
	opLogSumExp = operation{name: "logsumexp", method: "LogSumExp"}
	opArgMax    = operation{name: "argmax", method: "ArgMax"}
	opArgMin    = operation{name: "argmin", method: "ArgMin"}
	opCumSum    = operation{name: "cumsum", method: "CumSum"}
	opCumProd   = operation{name: "cumprod", method: "CumProd"}
)

// A span describes how a block of adjacent axes lies in memory: outer blocks of
// n steps, each step inner elements long.
type span struct{ outer, n, inner int }

// spanOf returns the span of one axis.
func spanOf(s *shape, axis int) span { return spanOfBlock(s, axis, 1) }

func spanOfBlock(s *shape, first, count int) span {
	sp := span{1, 1, 1}
	for i, d := range s.dims {
		switch {
		case i < first:
			sp.outer *= d
		case i < first+count:
			sp.n *= d
		default:
			sp.inner *= d
		}
	}
	return sp
}

// along records a node of x's shape, computed along one axis.
func (x Value) along(op *operation, rule func(*Rule), axis int) (n, from *node, s span) {
	from = x.node(op.method)
	axis = x.g.axis(op.method, axis, from.shape.rank())
	n = x.g.record(op, rule, from.shape, x)
	n.a = float64(axis)
	return n, from, spanOf(from.shape, axis)
}

// A reduction is a reduction over one block of adjacent axes.
type reduction struct {
	x     Value
	from  *node
	op    *operation
	first int // axis of the block
	count int // axes of the block
	span
}

// reduction checks the axes of a reduction. Axes that are not adjacent are
// moved to the end first.
func (x Value) reduction(op *operation, axes []int) reduction {
	g, from := x.g, x.node(op.method)
	rank := from.shape.rank()
	r := reduction{x: x, from: from, op: op}
	over := g.ints.take(rank)
	clear(over)
	for _, axis := range axes {
		axis = g.axis(op.method, axis, rank)
		if over[axis] == 1 {
			panic(NewArgumentError(op.method, "axis %d stands twice", axis))
		}
		over[axis] = 1
		r.count++
	}
	if r.count == 0 {
		r.count = rank
	} else if r.first = slices.Index(over, 1); slices.Contains(over[r.first:r.first+min(r.count, rank-r.first)], 0) {
		return r.gather(over)
	}
	r.span = spanOfBlock(from.shape, r.first, r.count)
	return r
}

// gather moves the reduced axes to the end.
func (r reduction) gather(over []int) reduction {
	g := r.x.g
	order := g.ints.take(len(over))[:0]
	for _, reduced := range [2]int{0, 1} {
		for axis, o := range over {
			if o == reduced {
				order = append(order, axis)
			}
		}
	}
	r.x = r.x.Permute(order...)
	r.from = r.x.node(r.op.method)
	r.first = len(over) - r.count
	r.span = spanOfBlock(r.from.shape, r.first, r.count)
	return r
}

// shape returns the result's shape.
func (r reduction) shape() *shape {
	g, dims := r.x.g, r.from.shape.dims
	if r.count == len(dims) {
		return scalarShape
	}
	s := g.ints.take(len(dims))[:0]
	s = append(s, dims[:r.first]...)
	return g.newShape(r.op.method, append(s, dims[r.first+r.count:]...))
}

// record records the reduction with room for its result.
func (r reduction) record(rule func(*Rule), s *shape) *node {
	g := r.x.g
	n := g.record(r.op, rule, s, r.x)
	e := g.extraOf(n)
	e.ints = g.ints.take(3)
	e.ints[0], e.ints[1], e.ints[2] = r.first, r.count, 1
	return n
}

// reduce records a reduction.
func (x Value) reduce(op *operation, rule func(*Rule), axes []int, f64 spanKernel[float64], f32 spanKernel[float32]) Value {
	r := x.reduction(op, axes)
	if op == &opMax || op == &opMin {
		r.nonEmpty()
	}
	x.g.alongSpan(r.record(rule, r.shape()), r.from, r.span, f64, f32)
	return x.g.done()
}

// spread returns a result of the rule's reduction, or its gradient, with the
// reduced axes kept, so that it broadcasts against the input.
func (r *Rule) spread(y Value) Value {
	x := r.g.at(r.n.in[0]).shape
	if y.node(opSum.method).shape.rank() == x.rank() {
		return y
	}
	dims := r.g.ints.take(x.rank())
	copy(dims, x.dims)
	first, count := r.n.extra.ints[0], r.n.extra.ints[1]
	for i := first; i < first+count; i++ {
		dims[i] = 1
	}
	return y.reshaped(r.g.sized(dims, y.Size()))
}

// elements returns how many elements go into each result of the rule's
// reduction.
func (r *Rule) elements() int {
	return spanOfBlock(r.g.at(r.n.in[0]).shape, r.n.extra.ints[0], r.n.extra.ints[1]).n
}

// Sum returns the sum over axes. It adds in pairs, so that rounding errors grow
// with the logarithm of the number of elements. The sum of no elements is 0.
//
//	∂y/∂xᵢ = 1
//
// It panics with an [*IndexError] if an axis is out of range, and with an
// [*ArgumentError] if an axis is repeated.
func (x Value) Sum(axes ...int) Value { return x.reduce(&opSum, sumRule, axes, kernel.Sum, kernel.Sum) }

// sumLeading sums over the first axes and leaves the shape s. It gives the
// gradient of a bias, and of anything else that was broadcast along a batch.
func (x Value) sumLeading(axes int, s *shape) Value {
	from := x.node(opSum.method)
	r := reduction{x: x, from: from, op: &opSum, count: axes, span: spanOfBlock(from.shape, 0, axes)}
	x.g.alongSpan(r.record(sumRule, s), from, r.span, kernel.Sum, kernel.Sum)
	return x.g.done()
}

func sumRule(r *Rule) { r.Add(0, r.spread(r.Grad()).expandTo(r.g.at(r.n.in[0]).shape)) }

// Mean returns the mean over axes. The mean of no elements is NaN.
//
//	∂y/∂xᵢ = 1/n
//
// It panics with an [*IndexError] if an axis is out of range, and with an
// [*ArgumentError] if an axis is repeated.
func (x Value) Mean(axes ...int) Value {
	return x.reduce(&opMean, meanRule, axes, kernel.Mean, kernel.Mean)
}

func meanRule(r *Rule) {
	gx := r.spread(r.Grad().MulScalar(1 / float64(r.elements())))
	r.Add(0, gx.expandTo(r.g.at(r.n.in[0]).shape))
}

// Prod returns the product over axes. The product of no elements is 1.
//
//	∂y/∂xᵢ = the product of the others, also where elements are 0
//
// It panics with an [*IndexError] if an axis is out of range, and with an
// [*ArgumentError] if an axis is repeated.
func (x Value) Prod(axes ...int) Value {
	return x.reduce(&opProd, prodRule, axes, kernel.Prod, kernel.Prod)
}

// prodRule multiplies the elements before each element by those after it, which
// needs no division.
func prodRule(r *Rule) {
	x := r.In(0)
	if r.elements() == 0 {
		r.Add(0, x)
		return
	}
	first, count := r.n.extra.ints[0], r.n.extra.ints[1]
	dims := x.node(opProd.method).shape.dims
	s := spanOfBlock(r.g.at(x.id).shape, first, count)
	flat := x.Reshape(s.outer, s.n, s.inner)
	one := r.g.Full(1, s.outer, 1, s.inner)
	before := Concat(1, one, flat.Narrow(1, 0, s.n-1)).CumProd(1)
	after := Concat(1, flat.Narrow(1, 1, s.n-1), one).cumProd(1, true)
	r.Add(0, r.spread(r.Grad()).Mul(before.Mul(after).Reshape(dims...)))
}

// Max returns the greatest element over axes, or NaN if any element is NaN.
//
//	∂y/∂xᵢ = 1/k for each of the k greatest, else 0
//
// There is no second derivative at a tie: it is NaN.
//
// It panics with a [*ShapeError] if there are no elements, with an
// [*IndexError] if an axis is out of range, and with an [*ArgumentError] if an
// axis is repeated.
func (x Value) Max(axes ...int) Value {
	return x.reduce(&opMax, extremeRule, axes, kernel.Max, kernel.Max)
}

// nonEmpty panics if there are no elements to choose from.
func (r reduction) nonEmpty() {
	if r.n == 0 && r.outer*r.inner > 0 {
		panic(shapeError(r.op.method, "no elements to choose from", "", r.from.shape.dims))
	}
}

// Min returns the smallest element over axes, or NaN if any element is NaN.
//
//	∂y/∂xᵢ = 1/k for each of the k smallest, else 0
//
// There is no second derivative at a tie: it is NaN.
//
// It panics with a [*ShapeError] if there are no elements, with an
// [*IndexError] if an axis is out of range, and with an [*ArgumentError] if an
// axis is repeated.
func (x Value) Min(axes ...int) Value {
	return x.reduce(&opMin, extremeRule, axes, kernel.Min, kernel.Min)
}

// extremeRule splits the gradient evenly among the chosen elements. Where the
// result is NaN, the gradient of the NaN elements is NaN.
func extremeRule(r *Rule) {
	x, y := r.In(0), r.spread(r.Out())
	chosen := x.Equal(y).Maximum(x.IsNaN())
	ties := r.spread(chosen.Sum(r.axes()...))
	gx := gate(r.spread(r.Grad()).Div(ties), chosen)
	if !r.g.reverse.active {
		gx = kinked(gx, Where(chosen.Mul(ties.GreaterScalar(1)), x.Sub(y), x.g.Scalar(1)))
	}
	r.Add(0, gx)
}

// axes returns the axes of the rule's reduction.
func (r *Rule) axes() []int {
	axes := r.g.ints.take(r.n.extra.ints[1])
	for i := range axes {
		axes[i] = r.n.extra.ints[0] + i
	}
	return axes
}

// Var returns the variance over axes, computed from the mean in a second pass.
// It divides by n − 1, which gives NaN for n = 1.
//
//	∂y/∂xᵢ = 2(xᵢ − mean)/(n − 1)
//
// It panics with an [*IndexError] if an axis is out of range, and with an
// [*ArgumentError] if an axis is repeated.
func (x Value) Var(axes ...int) Value {
	return x.spreading(&opVar, varRule, axes, 1, kernel.Var, kernel.Var)
}

// PopulationVar is [Value.Var] with n as the denominator instead of n − 1.
func (x Value) PopulationVar(axes ...int) Value {
	return x.spreading(&opVar, varRule, axes, 0, kernel.Var, kernel.Var)
}

func varRule(r *Rule) {
	r.Add(0, r.spread(r.Grad()).Mul(r.deviation()).MulScalar(2/r.freedom()))
}

var opCenter = operation{name: "center", method: "Center"}

// deviation returns x minus its mean over the rule's axes. It is exactly 0
// where all elements are equal, even if their mean is rounded.
func (r *Rule) deviation() Value { return r.In(0).center(r.n.extra.ints[0], r.n.extra.ints[1]) }

func (x Value) center(first, count int) Value {
	g, from := x.g, x.node(opCenter.method)
	n := g.record(&opCenter, centerRule, from.shape, x)
	e := g.extraOf(n)
	e.ints = g.ints.take(2)
	e.ints[0], e.ints[1] = first, count
	g.alongSpan(n, from, spanOfBlock(from.shape, first, count), kernel.Center, kernel.Center)
	return g.done()
}

// centerRule subtracts the mean of the gradients from each gradient, since the
// forward pass subtracts the same mean from each element.
func centerRule(r *Rule) { r.Add(0, r.Grad().center(r.n.extra.ints[0], r.n.extra.ints[1])) }

// freedom returns the denominator of the rule's variance.
func (r *Rule) freedom() float64 { return float64(r.elements() - r.n.extra.ints[2]) }

// spreading records a variance or standard deviation. The correction is
// subtracted from the number of elements to give the denominator.
func (x Value) spreading(op *operation, rule func(*Rule), axes []int, correction int, f64 spanKernelWith[float64, int], f32 spanKernelWith[float32, int]) Value {
	r := x.reduction(op, axes)
	n := r.record(rule, r.shape())
	n.extra.ints[2] = correction
	alongSpanWith(x.g, n, r.from, r.span, correction, f64, f32)
	return x.g.done()
}

// Std returns the standard deviation over axes: the square root of Var.
//
//	∂y/∂xᵢ = (xᵢ − mean)/((n − 1)·y), 0 where all elements are equal
//
// Where they are equal there is no second derivative: it is NaN. The square of
// a Std is smooth, and its second derivative is right there too.
//
// It panics with an [*IndexError] if an axis is out of range, and with an
// [*ArgumentError] if an axis is repeated.
func (x Value) Std(axes ...int) Value {
	return x.spreading(&opStd, stdRule, axes, 1, kernel.Std, kernel.Std)
}

// PopulationStd is [Value.Std] with n as the denominator instead of n − 1.
func (x Value) PopulationStd(axes ...int) Value {
	return x.spreading(&opStd, stdRule, axes, 0, kernel.Std, kernel.Std)
}

func stdRule(r *Rule) { r.Add(0, r.overRoot(r.deviation()).MulScalar(1/r.freedom())) }

// overRoot returns gy·x/y, where the output y is the root of a sum of squares
// of x. Where y is 0 there is no derivative: it returns 0, and NaN for the
// second derivative. If y was squared again, gy is k·y and the result is k·x,
// which is smooth: all its derivatives are right.
func (r *Rule) overRoot(x Value) Value {
	gy, y := r.Grad(), r.Out()
	if r.g.reverse.active {
		return r.spread(gy).Mul(x.Div(r.spread(nonZero(y))))
	}
	if k, ok := gy.without(y, factorDepth); ok {
		return r.spread(k.expandTo(y.node(r.n.op.method).shape)).Mul(x)
	}
	y = r.spread(y)
	gx := r.spread(gy).Mul(x.Div(nonZero(y)))
	return kinked(gx, y.expandTo(gx.node(r.n.op.method).shape))
}

// factorDepth is how many operations without looks through. Each may double the
// work, as values that are used twice are looked at twice.
const factorDepth = 8

// without returns k if x was recorded as a product k·y, in depth operations at
// most.
func (x Value) without(y Value, depth int) (k Value, ok bool) {
	if depth == 0 {
		return Value{}, false
	}
	n := x.node(opMul.method)
	in := func(i int) Value { return Value{x.g, n.in[i], x.gen} }
	switch n.op {
	case &opMulScalar:
		if k, ok = in(0).without(y, depth-1); ok {
			return k.MulScalar(n.a), true
		}
	case &opSquare:
		return y, n.in[0] == y.id
	case &opPowScalar:
		if p := n.a; p >= 2 && n.in[0] == y.id { // y^p
			return y.PowScalar(p - 1), true
		}
	case opPowScalar.slope:
		if p := n.a; p >= 2 && n.in[1] == y.id { // gy·p·y^(p−1)
			return in(0).MulScalar(p).Mul(y.PowScalar(p - 2)), true
		}
	case &opMul:
		for i := range 2 {
			if n.in[i] == y.id {
				return in(1 - i), true
			}
			if k, ok = in(i).without(y, depth-1); ok {
				return k.Mul(in(1 - i)), true
			}
		}
	case &opAdd:
		a, first := in(0).without(y, depth-1)
		if b, second := in(1).without(y, depth-1); first && second {
			return a.Add(b), true
		}
	}
	return Value{}, false
}

// nonZero returns y with 0 replaced by 1. It serves as a denominator where the
// numerator is 0 too.
func nonZero(y Value) Value { return Where(y.EqualScalar(0), y.g.Scalar(1), y) }

// Norm returns the p-norm (Σ |xᵢ|ᵖ)^(1/p) over axes, for p > 0. For p =
// math.Inf(1) it is the greatest magnitude. Intermediate results neither
// overflow nor underflow.
//
//	∂y/∂xᵢ = sign xᵢ·(|xᵢ|/y)^(p−1), 0 at the zero vector
//
// For p = ∞ the gradient is split evenly among the elements of greatest
// magnitude.
//
// Second derivatives are NaN where they do not exist: at the zero vector, for p
// < 2 where an element is 0, and for p = ∞ at a tie. The second derivative of
// x.Norm(2).Square() is right at the zero vector too.
//
// It panics with an [*IndexError] if an axis is out of range, and with an
// [*ArgumentError] if an axis is repeated or p is not positive.
func (x Value) Norm(p float64, axes ...int) Value {
	if !(p > 0) {
		panic(NewArgumentError(opNorm.method, "p = %v is not positive", p))
	}
	r := x.reduction(&opNorm, axes)
	n := r.record(normRule, r.shape())
	n.a = p
	alongSpanWith(x.g, n, r.from, r.span, p, kernel.Norm, kernel.Norm)
	return x.g.done()
}

func normRule(r *Rule) {
	x, p := r.In(0), r.n.a
	if p == 2 {
		r.Add(0, r.overRoot(x))
		return
	}
	gy, y := r.spread(r.Grad()), r.spread(nonZero(r.Out()))
	switch {
	case p == 1:
		r.Add(0, kinked(gy.expandTo(x.node(opNorm.method).shape), x).Mul(x.Sign()))
	case math.IsInf(p, 1):
		chosen := x.Abs().Equal(r.spread(r.Out()))
		ties := r.spread(chosen.Sum(r.axes()...))
		gx := gate(gy.Mul(x.Sign()).Div(ties), chosen)
		if !r.g.reverse.active {
			tied := chosen.Mul(ties.GreaterScalar(1).Maximum(x.EqualScalar(0)))
			gx = kinked(gx, Where(tied, x.Abs().Sub(r.spread(r.Out())), x.g.Scalar(1)))
		}
		r.Add(0, gx)
	default:
		// Where x is 0 the gradient is 0, but x^(p−2) is infinite for p < 2.
		zero := x.EqualScalar(0)
		share := Where(zero, x.g.Scalar(1), x.Abs().Div(y)).PowScalar(p - 1)
		gx := Where(zero, x.g.Scalar(0), gy.Mul(x.Sign()).Mul(share))
		if p > 2 {
			x = Where(r.spread(r.Out()).EqualScalar(0), x, x.g.Scalar(1)) // smooth except at the zero vector
		}
		r.Add(0, kinked(gx, x))
	}
}

// LogSumExp returns ln Σ eˣ over axes, without overflow. Where all elements are
// −Inf the result is −Inf and the gradient 0.
//
//	∂y/∂xᵢ = e^(xᵢ − y)
//
// It panics with an [*IndexError] if an axis is out of range, and with an
// [*ArgumentError] if an axis is repeated.
func (x Value) LogSumExp(axes ...int) Value {
	return x.reduce(&opLogSumExp, logSumExpRule, axes, kernel.LogSumExp, kernel.LogSumExp)
}

func logSumExpRule(r *Rule) {
	y := r.Out()
	y = r.spread(Where(y.EqualScalar(math.Inf(-1)), y.g.Scalar(0), y))
	r.Add(0, r.spread(r.Grad()).Mul(r.In(0).Sub(y).Exp()))
}

// KeptDims are the reductions of a Value that keep each reduced axis with
// length 1, so that x.KeepDims().Sum(1) broadcasts against x.
type KeptDims struct{ x Value }

// KeepDims returns the reductions of x that keep the reduced axes.
func (x Value) KeepDims() KeptDims {
	x.node("KeepDims")
	return KeptDims{x}
}

// keep puts the reduced axes (all, if none are given) back with length 1.
func (k KeptDims) keep(y Value, axes []int) Value {
	g, from := k.x.g, k.x.node("KeepDims").shape
	dims := g.copied(from.dims)
	for i := range dims {
		if len(axes) == 0 {
			dims[i] = 1
		}
	}
	for _, axis := range axes {
		dims[g.axis("KeepDims", axis, len(dims))] = 1
	}
	return y.Reshape(dims...)
}

// Sum is [Value.Sum].
func (k KeptDims) Sum(axes ...int) Value { return k.keep(k.x.Sum(axes...), axes) }

// Mean is [Value.Mean].
func (k KeptDims) Mean(axes ...int) Value { return k.keep(k.x.Mean(axes...), axes) }

// Prod is [Value.Prod].
func (k KeptDims) Prod(axes ...int) Value { return k.keep(k.x.Prod(axes...), axes) }

// Max is [Value.Max].
func (k KeptDims) Max(axes ...int) Value { return k.keep(k.x.Max(axes...), axes) }

// Min is [Value.Min].
func (k KeptDims) Min(axes ...int) Value { return k.keep(k.x.Min(axes...), axes) }

// Var is [Value.Var].
func (k KeptDims) Var(axes ...int) Value { return k.keep(k.x.Var(axes...), axes) }

// Std is [Value.Std].
func (k KeptDims) Std(axes ...int) Value { return k.keep(k.x.Std(axes...), axes) }

// PopulationVar is [Value.PopulationVar].
func (k KeptDims) PopulationVar(axes ...int) Value { return k.keep(k.x.PopulationVar(axes...), axes) }

// PopulationStd is [Value.PopulationStd].
func (k KeptDims) PopulationStd(axes ...int) Value { return k.keep(k.x.PopulationStd(axes...), axes) }

// Norm is [Value.Norm].
func (k KeptDims) Norm(p float64, axes ...int) Value { return k.keep(k.x.Norm(p, axes...), axes) }

// LogSumExp is [Value.LogSumExp].
func (k KeptDims) LogSumExp(axes ...int) Value { return k.keep(k.x.LogSumExp(axes...), axes) }

// ArgMax returns the index of the greatest element along an axis, and the first
// such index at a tie. NaN counts as the greatest. Indices have no gradient.
//
// It panics with a [*ShapeError] if there are no elements, and with an
// [*IndexError] if the axis is out of range.
func (x Value) ArgMax(axis int) Ints {
	return x.argExtreme(&opArgMax, axis, kernel.ArgMax, kernel.ArgMax)
}

// ArgMin returns the index of the smallest element along an axis, and the first
// such index at a tie. NaN counts as the smallest. Indices have no gradient.
//
// It panics with a [*ShapeError] if there are no elements, and with an
// [*IndexError] if the axis is out of range.
func (x Value) ArgMin(axis int) Ints {
	return x.argExtreme(&opArgMin, axis, kernel.ArgMin, kernel.ArgMin)
}

var opKinked = operation{name: "kink", method: "Grad"}

// kinked returns g, but makes the second derivative NaN where x is 0, since a
// function has none at a kink. It serves gradients that lie between the slopes
// of both sides. Where the gradient is that of one side, as for ReLU, so is the
// second derivative.
func kinked(g, x Value) Value {
	if g.g.reverse.active {
		return g // no second derivative will be taken
	}
	from := g.node(opKinked.method)
	n := g.g.record(&opKinked, kinkedRule, from.shape, g, x)
	copy(slice[float64](n.data, g.g.words(from.shape.size)), slice[float64](from.data, g.g.words(from.shape.size)))
	return g.g.done()
}

func kinkedRule(r *Rule) {
	x := r.In(1)
	r.Add(0, r.Grad())
	r.Add(1, Where(x.EqualScalar(0), x.g.Scalar(math.NaN()), flatAt(x)))
}

// An argKernel writes the index of the element chosen along the middle axis.
type argKernel[T kernel.Float] func(dst []int, x []T, outer, n, inner int)

func (x Value) argExtreme(op *operation, axis int, f64 argKernel[float64], f32 argKernel[float32]) Ints {
	rank := x.node(op.method).shape.rank()
	r := x.reduction(op, []int{x.g.axis(op.method, axis, rank)})
	r.nonEmpty()
	dims := r.shape().dims
	index := Ints{shape: append([]int{}, dims...), values: make([]int, r.outer*r.inner)}
	if x.g.single {
		f32(index.values, r.from.f32(), r.outer, r.n, r.inner)
	} else {
		f64(index.values, r.from.f64(), r.outer, r.n, r.inner)
	}
	return x.finds(index)
}

// CumSum returns the running sum along an axis.
//
//	gxᵢ = Σ gyⱼ over j ≥ i
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) CumSum(axis int) Value { return x.cumSum(axis, false) }

// cumSum adds from the end if reverse is set.
func (x Value) cumSum(axis int, reverse bool) Value {
	n, from, s := x.along(&opCumSum, cumSumRule, axis)
	n.b = reversed(reverse)
	alongSpanWith(x.g, n, from, s, reverse, kernel.CumSum, kernel.CumSum)
	return x.g.done()
}

func reversed(reverse bool) float64 {
	if reverse {
		return 1
	}
	return 0
}

func cumSumRule(r *Rule) { r.Add(0, r.Grad().cumSum(int(r.n.a), r.n.b == 0)) }

// CumProd returns the running product along an axis.
//
//	gxᵢ = Σ gyⱼ·∏ xₖ over j ≥ i and k ≤ j, k ≠ i
//
// It panics with an [*IndexError] if the axis is out of range.
func (x Value) CumProd(axis int) Value { return x.cumProd(axis, false) }

// cumProd multiplies from the end if reverse is set.
func (x Value) cumProd(axis int, reverse bool) Value {
	n, from, s := x.along(&opCumProd, cumProdRule, axis)
	n.b = reversed(reverse)
	alongSpanWith(x.g, n, from, s, reverse, kernel.CumProd, kernel.CumProd)
	return x.g.done()
}

// cumProdRule divides the sum by x if no product is 0 or infinite. Otherwise it
// forms all n² products, since a 0 or infinity cannot be divided out.
func cumProdRule(r *Rule) {
	gy, x, y, axis, reverse := r.Grad(), r.In(0), r.Out(), int(r.n.a), r.n.b == 1
	if r.g.divides(r.n) {
		r.Add(0, gy.Mul(y).cumSum(axis, !reverse).Div(x))
		return
	}
	dims := x.Shape()
	s := spanOf(x.node(opCumProd.method).shape, axis)
	row := x.Reshape(s.outer, 1, s.n, s.inner).Expand(s.outer, s.n, s.n, s.inner)
	self := r.g.Constant(Eye(s.n)).Reshape(1, s.n, s.n, 1)
	others := Where(self, r.g.Scalar(1), row).cumProd(2, reverse)
	reach := r.g.Constant(Ones(s.n, s.n))
	if reverse {
		reach = reach.Tril(0)
	} else {
		reach = reach.Triu(0)
	}
	terms := Where(reach.Reshape(1, s.n, s.n, 1), others.Mul(gy.Reshape(s.outer, 1, s.n, s.inner)), r.g.Scalar(0))
	r.Add(0, terms.Sum(2).Reshape(dims...))
}

// divides reports whether no element of n is 0, infinite or NaN.
func (g *Graph) divides(n *node) bool {
	_, finite := g.finite(n.data, n.shape.size)
	return finite && !pick(g, hasZero[float64], hasZero[float32])(n)
}

func hasZero[T kernel.Float](n *node) bool { return slices.Contains(numbers[T](n), 0) }
