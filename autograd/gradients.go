package autograd

import (
	"iter"
	"math"
	"unsafe"

	"nabla/internal/kernel"
)

// Gradients are what a backward pass returns. Those that Backward returns are
// valid until the graph's next Reset; a second Backward does not disturb them.
// The zero Gradients are an empty sum, which Add adds to and which owns its
// memory.
type Gradients struct {
	pass *pass
	gen  uint32
}

// A pass holds the results of one backward pass, or a sum of such.
type pass struct {
	g       *Graph
	gen     uint32 // of the recording; 0 for a sum
	root    int32
	leaves  []slot // by place in Graph.leaves
	kept    []slot // by node, with Trace
	parts   []part // the contributions, with Trace
	sums    []*sum // of a sum: in the order of their first addition
	byParam map[*Param]*sum
}

// A slot is the gradient of one node.
type slot struct {
	shape     *shape
	data      unsafe.Pointer // nil: not reached
	one       float64        // storage of a single number
	precision Precision      // the graph's, but for a Param its own
}

// A part is what one use of a value contributed to its gradient.
type part struct {
	node  int32 // that used the value
	input int   // as which input
	slot
}

// A sum is one parameter's gradient in a sum.
type sum struct {
	param *Param
	total Tensor
	used  bool
}

func (g *Graph) newPass(root int32) *pass {
	if g.results == len(g.passes) {
		g.passes = append(g.passes, &pass{g: g})
	}
	p := g.passes[g.results]
	g.results++
	p.gen, p.root = g.gen, root
	p.leaves = emptySlots(p.leaves, len(g.leaves))
	if g.options.Trace {
		p.kept = emptySlots(p.kept, int(root)+1)
		p.parts = p.parts[:0]
	}
	return p
}

func emptySlots(s []slot, n int) []slot {
	if cap(s) < n {
		return make([]slot, n, n+n/4)
	}
	s = s[:n]
	clear(s)
	return s
}

// keep takes over a node's gradient.
func (p *pass) keep(id int32, n *node) {
	if n.flags&isLeaf == 0 {
		p.kept[id].put(p.g, n)
		return
	}
	s := &p.leaves[n.in[0]]
	s.put(p.g, n)
	if n.flags&converted != 0 {
		s.convert(p.g, n.shape.size)
	}
}

func (s *slot) put(g *Graph, n *node) {
	s.shape, s.data, s.precision = n.shape, n.grad, g.options.Precision
	if n.shape.size == 1 {
		s.one, s.data = n.gone, unsafe.Pointer(&s.one)
	}
}

// convert changes the gradient's precision.
func (s *slot) convert(g *Graph, size int) {
	from := s.data
	if s.precision == Float64 {
		s.precision, s.data = Float32, g.memory.take((size+1)/2)
		kernel.Convert32(slice[float32](s.data, size), slice[float64](from, size))
		return
	}
	s.precision, s.data = Float64, g.memory.take(size)
	kernel.Convert64(slice[float64](s.data, size), slice[float32](from, size))
}

// tensor is the gradient as the user sees it.
func (s *slot) tensor(g *Graph) Tensor {
	return Tensor{shape: s.shape, data: s.data, lease: g, kind: kind{g.gen, s.precision}}
}

// check panics when the recording has been Reset.
func (gr Gradients) check(op string) *pass {
	if gr.pass == nil {
		panic(&GradientError{op, "these Gradients are empty", callSite()})
	}
	if gr.gen != gr.pass.gen || gr.pass.g != nil && gr.gen != gr.pass.g.gen {
		panic(&StaleError{op, "Gradients", "used after their graph's Reset", callSite()})
	}
	return gr.pass
}

// Of returns the gradient with respect to x, of x's shape, in the graph's
// precision (of a Param: in the Param's), valid until Reset: a variable or parameter, or with Trace any
// Value that led to the loss. One that was not reached has a zero gradient if
// it is a variable or parameter.
//
// It panics with a *GradientError for a constant, a mask, and a Value whose
// gradient was not kept.
func (gr Gradients) Of(x Value) Tensor {
	p := gr.check("Of")
	if p.g == nil || x.g != p.g {
		panic(&GraphError{"Of", "a Value of another graph", callSite()})
	}
	n := x.node("Of")
	switch s := p.slot(x.id, n); {
	case s != nil && s.data != nil:
		return s.tensor(p.g)
	case n.op == &opParam && n.flags&isLeaf != 0:
		return zerosOf(p.g.slot(n).param.value.precision, n.shape.dims)
	case n.flags&isLeaf != 0:
		return zerosOf(p.g.options.Precision, n.shape.dims)
	}
	panic(&GradientError{"Of", p.whyNone(n), callSite()})
}

// slot returns where a node's gradient would be, nil when none was looked for.
func (p *pass) slot(id int32, n *node) *slot {
	if n.flags&isLeaf != 0 {
		return p.leaf(n.in[0])
	}
	if int(id) < len(p.kept) {
		return &p.kept[id]
	}
	return nil
}

// leaf returns the slot of a leaf by its place, nil for one that was recorded
// after the pass, and for the place of a frozen parameter.
func (p *pass) leaf(place int32) *slot {
	if uint(place) >= uint(len(p.leaves)) {
		return nil
	}
	return &p.leaves[place]
}

// whyNone says why a node that is no leaf has no gradient.
func (p *pass) whyNone(n *node) string {
	switch {
	case n.op.mask:
		return n.op.method + " is piecewise constant: there is no gradient with respect to it"
	case n.op == &opParam:
		return "parameter " + p.g.slot(n).param.name + " is frozen: it has no gradient"
	case n.op == &opConstant:
		return "a constant has no gradient: record it with Variable"
	case n.flags&needsGrad == 0:
		return "the Value depends on no variable or parameter: it has no gradient"
	case !p.g.options.Trace:
		return "the gradient of an intermediate Value is kept only with Options.Trace"
	}
	return "the loss does not depend on this Value"
}

// OfParam returns the gradient with respect to a parameter, in the parameter's
// shape and precision; zero when the pass did not reach it.
func (gr Gradients) OfParam(p *Param) Tensor {
	pass := gr.check("OfParam")
	if p == nil {
		panic(NewArgumentError("OfParam", "the Param is nil"))
	}
	if pass.g == nil {
		if s := pass.byParam[p]; s != nil && s.used {
			return s.total
		}
		return zerosOf(p.value.precision, p.value.dims())
	}
	x, known := pass.g.recorded(p)
	if !known {
		return zerosOf(p.value.precision, p.value.dims())
	}
	return gr.Of(x)
}

// recorded returns the Value of a parameter that the recording has used.
func (g *Graph) recorded(p *Param) (Value, bool) {
	i, ok := g.params.index[p]
	if !ok || i >= g.params.used {
		return Value{}, false
	}
	return Value{g, g.params.slots[i].id, g.gen}, true
}

// Root returns the Value that the backward pass started from. It panics with a
// *GradientError for a sum, which has none.
func (gr Gradients) Root() Value {
	p := gr.check("Root")
	if p.g == nil {
		panic(&GradientError{"Root", "a sum of Gradients has no root", callSite()})
	}
	return Value{p.g, p.root, gr.gen}
}

// Reached reports whether the loss depends on x, through a path that carries
// gradients.
func (gr Gradients) Reached(x Value) bool {
	p := gr.check("Reached")
	if p.g == nil || x.g != p.g {
		panic(&GraphError{"Reached", "a Value of another graph", callSite()})
	}
	s := p.slot(x.id, x.node("Of"))
	return s != nil && s.data != nil
}

// ReachedParam is Reached for a parameter.
func (gr Gradients) ReachedParam(p *Param) bool {
	pass := gr.check("Reached")
	if pass.g == nil {
		s := pass.byParam[p]
		return s != nil && s.used
	}
	x, known := pass.g.recorded(p)
	return known && gr.Reached(x)
}

// All ranges over the parameters that the pass reached, in the order of their
// first use in the recording (of a sum: of their first addition), each with
// its gradient in the parameter's precision. Changing the tensor changes the
// Gradients.
func (gr Gradients) All() iter.Seq2[*Param, Tensor] {
	return func(yield func(*Param, Tensor) bool) {
		if gr.pass == nil {
			return
		}
		p := gr.check("Gradients.All")
		if p.g == nil {
			for _, s := range p.sums {
				if s.used && !yield(s.param, s.total) {
					return
				}
			}
			return
		}
		params := p.g.params.slots[:p.g.params.used]
		for i := range params {
			s := p.leaf(params[i].leaf)
			if s != nil && s.data != nil && !yield(params[i].param, s.tensor(p.g)) {
				return
			}
		}
	}
}

// each calls f with every gradient in place: the leaves of a pass in the order
// of recording, or the parameters of a sum.
func (gr Gradients) each(op string, f func(Tensor)) {
	if gr.pass == nil {
		return
	}
	p := gr.check(op)
	for _, s := range p.sums {
		if s.used {
			f(s.total)
		}
	}
	for i := range p.leaves {
		if s := &p.leaves[i]; s.data != nil {
			f(s.tensor(p.g))
		}
	}
}

// MayNotFit reports whether a gradient may have another shape or precision than
// its parameter: in a sum, and where a parameter has been replaced behind its
// pointer since it was recorded. An optimizer that asks need not compare all
// of them.
func (gr Gradients) MayNotFit() bool {
	if gr.pass == nil || gr.pass.g == nil {
		return true
	}
	p := gr.check("Gradients.MayNotFit")
	params := p.g.params.slots[:p.g.params.used]
	for i := range params {
		s, v := p.leaf(params[i].leaf), &params[i].param.value
		if s != nil && s.data != nil && (s.shape != v.shape || s.precision != v.precision) {
			return true
		}
	}
	return false
}

// Scale multiplies every gradient by a number, in place: 1/n for the mean
// over n workers.
func (gr Gradients) Scale(factor float64) {
	gr.each("Gradients.Scale", func(t Tensor) { t.scale(factor) })
}

// Norm returns the Euclidean norm of all gradients, of variables too, as one
// vector: NaN if a number is NaN. It neither overflows nor underflows on the
// way.
func (gr Gradients) Norm() float64 {
	norm := 0.0
	gr.each("Gradients.Norm", func(t Tensor) { norm = JoinNorms(norm, t.Norm()) })
	return norm
}

// JoinNorms returns the norm of two vectors behind each other, √(a²+b²), from
// the norm of each; NaN if either is NaN.
func JoinNorms(a, b float64) float64 {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.NaN() // math.Hypot would let an infinity win
	}
	return math.Hypot(a, b)
}

// Add adds the gradients of the parameters that other reached, by Param, into
// memory that gr owns: other's graph may be Reset afterwards. It serves
// micro-batches and workers. Variables, which belong to one recording, are
// left out.
//
//	var sum autograd.Gradients
//	for _, part := range parts {
//		sum.Add(part)
//	}
//
// It panics with a *GradientError when gr came from Backward.
func (gr *Gradients) Add(other Gradients) {
	if gr.pass == nil {
		gr.pass = &pass{byParam: map[*Param]*sum{}}
	}
	if gr.pass.g != nil {
		panic(&GradientError{"Gradients.Add", "the receiver must be a sum of its own: var sum autograd.Gradients", callSite()})
	}
	for param, t := range other.All() {
		gr.pass.add(param, t)
	}
}

func (p *pass) add(param *Param, t Tensor) {
	s := p.byParam[param]
	if s == nil {
		s = &sum{param: param, total: zerosOf(t.precision, t.dims())}
		p.byParam[param] = s
	}
	if s.total.precision != t.precision {
		panic(&PrecisionError{"Gradients.Add", t.precision, s.total.precision, callSite()})
	}
	if !s.used {
		s.used = true
		s.total.clear()
		p.sums = append(p.sums, s)
	}
	s.total.accumulate(t)
}

// Clear empties a sum and keeps its memory for the next one. It panics with a
// *GradientError when gr came from Backward.
func (gr *Gradients) Clear() {
	if gr.pass == nil {
		return
	}
	if gr.pass.g != nil {
		panic(&GradientError{"Gradients.Clear", "only a sum can be cleared: Backward returns new Gradients each time", callSite()})
	}
	for _, s := range gr.pass.sums {
		s.used = false
	}
	gr.pass.sums = gr.pass.sums[:0]
}

// A Contribution is what one use of a Value added to its gradient: the
// gradient of the result times the local derivative.
type Contribution struct {
	To       Value // the result of the operation that used the Value
	Input    int   // as which input
	Gradient Tensor
}

// Contributions returns the terms of which the gradient of x is the sum, in
// the order in which they were added: the latest use first. The graph needs
// Trace.
func (gr Gradients) Contributions(x Value) []Contribution {
	p := gr.check("Contributions")
	if p.g == nil || x.g != p.g {
		panic(&GraphError{"Contributions", "a Value of another graph", callSite()})
	}
	if !p.g.options.Trace {
		panic(&GradientError{"Contributions", "contributions are kept only with Options.Trace", callSite()})
	}
	x.node("Contributions")
	var all []Contribution
	for i := range p.parts {
		if c := &p.parts[i]; p.g.at(c.node).inputs()[c.input] == x.id {
			all = append(all, Contribution{Value{p.g, c.node, p.g.gen}, c.input, p.g.tensor(c.numbers(), c.shape)})
		}
	}
	return all
}

// AllContributions ranges over the contributions to every gradient, each with
// the Value that it went to, in the order in which they were added: one walk,
// where Contributions would be one for each Value. The graph needs Trace.
func (gr Gradients) AllContributions() iter.Seq2[Value, Contribution] {
	p := gr.check("Contributions")
	if p.g == nil || !p.g.options.Trace {
		panic(&GradientError{"AllContributions", "contributions are kept only with Options.Trace", callSite()})
	}
	return func(yield func(Value, Contribution) bool) {
		for i := range p.parts {
			c := &p.parts[i]
			x := Value{p.g, p.g.at(c.node).inputs()[c.input], gr.gen}
			if !yield(x, Contribution{Value{p.g, c.node, gr.gen}, c.input, p.g.tensor(c.numbers(), c.shape)}) {
				return
			}
		}
	}
}

func (c *part) numbers() unsafe.Pointer {
	if c.shape.size == 1 {
		return unsafe.Pointer(&c.one)
	}
	return c.data
}

// lookAtNumber and lookAtGradient do what Trace and CheckFinite ask for a
// contribution to the gradient of an input.
func (g *Graph) lookAtNumber(id int32, input int, x *node, gx float64) {
	if x.flags&needsGrad == 0 {
		return
	}
	var s slot
	g.setNumber(unsafe.Pointer(&s.one), 0, gx)
	g.lookAtGradient(id, input, unsafe.Pointer(&s.one), scalarShape)
}

func (g *Graph) lookAtGradient(id int32, input int, gx unsafe.Pointer, s *shape) {
	if g.options.CheckFinite {
		g.checkFiniteGradient(id, input, gx, s)
	}
	if !g.options.Trace {
		return
	}
	c := part{node: id, input: input}
	c.shape = g.at(g.at(id).inputs()[input]).shape
	if words := g.words(s.size); s.size == 1 {
		g.setNumber(unsafe.Pointer(&c.one), 0, g.number(gx, 0))
	} else {
		c.data = g.memory.take(words)
		copy(slice[float64](c.data, words), slice[float64](gx, words))
	}
	g.reverse.pass.parts = append(g.reverse.pass.parts, c)
}
