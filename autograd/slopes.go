package autograd

import "nabla/internal/kernel"

// slopeOf names the operation gy·f′(x) of a function of each element. method
// is the function's: messages are about what the user called.
func slopeOf(name, method string) *operation {
	return &operation{name: name + " gradient", method: method}
}

// slope hands over gy·f′(x), recorded as one operation and computed by the
// kernel that Backward uses: a product of several operations would be rounded
// in the graph's precision at each step, and could leave its range on the way.
// rule is the derivative rule of that operation, with the inputs gy and x and
// the function's constants. It calls slopeAgain, and adds gy·f″(x) for x.
//
// It serves functions whose kernel takes the derivative from x alone.
func (r *Rule) slope(rule func(*Rule)) {
	r.Add(0, slope(r.n.op, rule, r.Grad(), r.In(0), r.n.a, r.n.b))
}

// slopeAgain hands over the derivative of gy·f′(x) by gy: v·f′(x) for an
// incoming v.
func (r *Rule) slopeAgain(of *operation) {
	r.Add(0, slope(of, r.n.rule, r.Grad(), r.In(1), r.n.a, r.n.b))
}

// slope records gy·f′(x) for the function f of an operation.
func slope(of *operation, rule func(*Rule), gy, x Value, a, b float64) Value {
	g, op, f := x.g, of.slope, of.unary
	seed, from := gy.node(op.method), x.node(op.method)
	if from.shape.size == 1 {
		y := f.D(g.first(seed.data), g.first(from.data), 0, a, b)
		n := g.open(op, rule, from.shape, []Value{gy, x})
		n.a, n.b = a, b
		g.put(n, y)
		return g.done()
	}
	n := g.record(op, rule, from.shape, gy, x)
	n.a, n.b = a, b
	if g.single {
		f.D32(n.f32(), seed.f32(), from.f32(), nil, a, b)
	} else {
		f.D64(n.f64(), seed.f64(), from.f64(), nil, a, b)
	}
	return g.done()
}

// ternary records a derivative of a function of two arguments, times the
// incoming gradient gy, whose shape is the result's. x and y are broadcast to
// it.
func ternary(op *operation, f *kernel.Ternary, rule func(*Rule), gy, x, y Value) Value {
	g := gy.g
	a, b, c := gy.node(op.method), x.node(op.method), y.node(op.method)
	s := a.shape
	if s.size == 1 {
		w := f.F(g.first(a.data), g.first(b.data), g.first(c.data))
		g.put(g.open(op, rule, s, []Value{gy, x, y}), w)
		return g.done()
	}
	n := g.record(op, rule, s, gy, x, y)
	if g.single {
		applyTernary(g, f.F32, n.f32(), a, b, c)
	} else {
		applyTernary(g, f.F64, n.f64(), a, b, c)
	}
	return g.done()
}

func applyTernary[T kernel.Float](g *Graph, f func(dst, gy, x, y []T), dst []T, gy, x, y *node) {
	s := gy.shape
	a, b, c := slice[T](gy.data, s.size), expanded[T](g, x, s), expanded[T](g, y, s)
	f(dst, a, b, c)
	unexpand(g, b, x)
	unexpand(g, c, y)
}
