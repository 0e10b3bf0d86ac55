package autograd

// Grad returns the gradients of y, which must have one element, with respect to
// each x, as Values recorded in the graph: they can be differentiated again.
// Any Value may be an x, even a constant. If y does not depend on it, its
// gradient is zero.
//
//	gx = ∂y/∂x
//
// It panics with a [*GradientError] if y does not have exactly one element, if
// an x is a mask (such as a comparison), or if the graph has the option NoGrad.
func Grad(y Value, xs ...Value) []Value { return y.grad("Grad", " needs a seed: see VJP", xs) }

func (y Value) grad(op string, advice string, xs []Value) []Value {
	n := y.node(op)
	if n.shape.size != 1 {
		panic(&GradientError{called(op), "a Value of shape " + joinShapes([][]int{n.shape.dims}, "") + advice, callSite()})
	}
	return y.g.differentiate(op, y, y.g.Full(1, n.shape.dims...), xs)
}

// VJP returns the vector-Jacobian products for each x, as Values recorded in
// the graph. The seed has y's shape.
//
//	gx = Σ seedᵢ·∂yᵢ/∂x
//
// It panics with a [*ShapeError] if the seed has another shape, and with a
// [*GradientError] if an x is a mask or the graph has the option NoGrad.
func VJP(y, seed Value, xs ...Value) []Value {
	y.fits("VJP", "the seed has another shape", seed)
	return y.g.differentiate("VJP", y, seed, xs)
}

// fits panics unless v has x's shape.
func (x Value) fits(op string, reason string, v Value) {
	n, s := x.node(op), x.operand(op, v)
	if !n.shape.equal(s.shape) {
		panic(shapeError(op, reason, " and ", n.shape.dims, s.shape.dims))
	}
}

// differentiate is a reverse pass whose own steps are recorded.
func (g *Graph) differentiate(op string, y, seed Value, xs []Value) []Value {
	g.differentiable(op)
	paths := g.pathsTo(op, y, xs)
	total := make([]Value, len(paths))
	total[y.id] = seed
	var r Rule
	outer := g.reverse.recording // a rule may differentiate what it records
	g.reverse.recording = true
	defer func() { g.reverse.recording = outer }()
	for id := y.id; id >= 0; id-- {
		n := g.at(id)
		if total[id].g == nil || n.rule == nil {
			continue
		}
		r.begin(g, id, n)
		if !r.wants(paths) {
			continue
		}
		r.gy = total[id]
		n.rule(&r)
		for i, input := range n.inputs() {
			if r.gx[i].g != nil {
				gx := r.reduced(i, g.at(input).shape)
				g.lookAtHandedOn(id, i, gx)
				total[input] = sumOf(total[input], gx)
			}
		}
	}
	return g.gradientsOf(xs, total)
}

// wants notes which inputs lead back to an x of the derivative, and reports
// whether any does.
func (r *Rule) wants(paths []bool) bool {
	any := false
	for i, input := range r.n.inputs() {
		r.needs[i] = paths[input]
		any = any || paths[input]
	}
	return any
}

// pathsTo marks the xs, and the nodes up to y that a derivative with respect to
// an x passes through.
func (g *Graph) pathsTo(op string, y Value, xs []Value) []bool {
	paths := make([]bool, y.id+1)
	for _, x := range xs {
		n := y.operand(op, x)
		if n.op.mask && n.op != &opDetach {
			panic(&GradientError{called(op), n.op.method + " is piecewise constant: there is no gradient with respect to it", callSite()})
		}
		if x.id <= y.id {
			paths[x.id] = true
		}
	}
	for id := range paths {
		n := g.at(int32(id))
		if paths[id] || n.op.mask {
			continue
		}
		for _, input := range n.inputs() {
			paths[id] = paths[id] || paths[input]
		}
	}
	return paths
}

func sumOf(x, y Value) Value {
	if x.g == nil {
		return y
	}
	return x.Add(y)
}

func (g *Graph) gradientsOf(xs, total []Value) []Value {
	grads := make([]Value, len(xs))
	for i, x := range xs {
		if int(x.id) < len(total) && total[x.id].g != nil {
			grads[i] = total[x.id]
			continue
		}
		grads[i] = g.Full(0, g.at(x.id).shape.dims...)
	}
	return grads
}
