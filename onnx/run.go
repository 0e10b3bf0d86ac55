package onnx

import (
	"fmt"
	"math"
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// A run is one forward computation of a network.
type run struct {
	graph    *autograd.Graph
	elements int // that results may still have
	steps    int // that nodes may still run
	limits   ImportOptions
	scopes   []string // open ones, of nodes
}

// A frame holds what the names of a program stand for in a run.
type frame struct {
	run    *run
	slots  []datum
	parent *frame
}

// A call is one run of a node.
type call struct {
	*node
	frame *frame
	args  []datum
	outs  []datum
}

// at returns what stands at a place.
func (f *frame) at(p place) *datum {
	if p.slot < 0 {
		return &datum{kind: absent}
	}
	for range p.out {
		f = f.parent
	}
	return &f.slots[p.slot]
}

// start returns a frame in which constants and inputs are set.
func (p *program) start(r *run, parent *frame, inputs []datum) *frame {
	f := &frame{r, make([]datum, p.slots), parent}
	for _, i := range p.initial {
		f.slots[i.slot] = i.datum
	}
	for i, in := range p.inputs {
		if i < len(inputs) && (inputs[i].kind != absent || !in.hasDefault) {
			f.slots[in.slot] = inputs[i]
		} else if i >= len(inputs) && !in.hasDefault {
			f.slots[in.slot] = datum{kind: absent}
		}
	}
	return f
}

// run runs all nodes and returns the outputs.
func (p *program) run(r *run, parent *frame, inputs []datum) []datum {
	f := p.start(r, parent, inputs)
	for _, n := range p.nodes {
		n.step(f)
	}
	outs := make([]datum, len(p.outputs))
	for i, at := range p.outputs {
		outs[i] = *f.at(at)
	}
	return outs
}

// step runs a node. A mistake that an operation of the graph finds gets the
// node's name, by which the reader of the file knows it.
func (n *node) step(f *frame) {
	r := f.run
	if r.steps--; r.steps < 0 {
		panic(autograd.NewArgumentError(n.title(), "more than %d nodes were run: see ImportOptions.MaxSteps", r.limits.MaxSteps))
	}
	c := &call{node: n, frame: f, args: make([]datum, len(n.in)), outs: make([]datum, len(n.out))}
	for i, at := range n.in {
		c.args[i] = *f.at(at)
	}
	r.enter(n.scope)
	defer n.name()
	n.run(c)
	for i, slot := range n.out {
		if slot >= 0 {
			r.account(c, c.outs[i])
			f.slots[slot] = c.outs[i]
		}
	}
}

// title is what errors call a node.
func (n *node) title() string { return fmt.Sprintf("onnx: %s %q", n.op, n.label) }

// name gives a panic of the graph's operations the node's name. One of a node
// in a subgraph has its own already.
func (n *node) name() {
	fault := recover()
	switch fault := fault.(type) {
	case nil:
		return
	case *autograd.ShapeError:
		rename(&fault.Op, n)
	case *autograd.ArgumentError:
		rename(&fault.Op, n)
	case *autograd.IndexError:
		rename(&fault.Op, n)
	}
	panic(fault)
}

func rename(op *string, n *node) {
	if len(*op) < 6 || (*op)[:6] != "onnx: " {
		*op = n.title()
	}
}

// enter opens and closes scopes until those of a node are open.
func (r *run) enter(scope []string) {
	common := 0
	for common < len(scope) && common < len(r.scopes) && scope[common] == r.scopes[common] {
		common++
	}
	for len(r.scopes) > common {
		r.graph.Leave()
		r.scopes = r.scopes[:len(r.scopes)-1]
	}
	for _, s := range scope[common:] {
		r.graph.Enter(s)
		r.scopes = append(r.scopes, s)
	}
}

// account subtracts the elements of a result from those that are left.
func (r *run) account(c *call, d datum) {
	for _, part := range d.list {
		r.account(c, part)
	}
	if d.kind == tensor {
		r.elements -= d.size()
	}
	if r.elements < 0 || d.kind == tensor && isVast(d.shape(), r.limits.MaxElements) {
		c.tooLarge(d.shape())
	}
}

// room panics unless a result of that shape may be computed.
func (c *call) room(shape []int) {
	if n := product(shape); n < 0 || n > c.frame.run.elements || isVast(shape, c.frame.run.limits.MaxElements) {
		c.tooLarge(shape)
	}
}

func (c *call) tooLarge(shape []int) {
	limit := c.frame.run.limits.MaxElements
	panic(autograd.NewArgumentError(c.title(), "with a result of shape %v the network computes more than %d elements: see ImportOptions.MaxElements", shape, limit))
}

// fail panics with the node's name.
func (c *call) fail(format string, args ...any) {
	panic(autograd.NewArgumentError(c.title(), format, args...))
}

// failShapes panics with shapes that do not fit.
func (c *call) failShapes(reason string, shapes ...[]int) {
	panic(autograd.NewShapeError(c.title(), reason, shapes...))
}

func (c *call) graph() *autograd.Graph { return c.frame.run.graph }

// has reports whether there is an input i.
func (c *call) has(i int) bool { return i < len(c.args) && c.args[i].kind != absent }

// wants reports whether output i is used.
func (c *call) wants(i int) bool { return i < len(c.node.out) && c.node.out[i] >= 0 }

// tensor returns input i, a tensor.
func (c *call) tensor(i int) datum {
	if !c.has(i) {
		c.fail("input %d is missing", i)
	}
	if c.args[i].kind != tensor {
		c.fail("input %d is %s instead of a tensor", i, c.args[i].describe())
	}
	return c.args[i]
}

// set makes d output i.
func (c *call) set(i int, d datum) {
	if i < len(c.outs) {
		c.outs[i] = d
	}
}

// setLike makes a Value output i, with the type of elements of the first input.
func (c *call) setLike(i int, v autograd.Value) { c.set(i, ofValue(c.args[0].elem, v)) }

// value returns input i as a Value of floating-point numbers.
func (c *call) value(i int) autograd.Value {
	d := c.tensor(i)
	if !isFloat(d.elem) {
		c.fail("input %d is %s instead of floating-point numbers", i, d.describe())
	}
	return c.record(i)
}

// record returns input i, recorded in the graph, and notes it where it stands,
// so that it is recorded once.
func (c *call) record(i int) autograd.Value {
	d := &c.args[i]
	if !d.value.IsZero() {
		return d.value
	}
	d.value = c.valueOf(*d)
	if at := c.frame.at(c.in[i]); at.host == d.host && at.param == d.param {
		at.value = d.value
	}
	return d.value
}

// valueOf returns a tensor of numbers as a Value.
func (c *call) valueOf(d datum) autograd.Value {
	switch {
	case !d.value.IsZero():
		return d.value
	case d.param != nil:
		return c.graph().Param(d.param)
	case d.elem == message.String:
		c.fail("strings stand for numbers")
	case isFloat(d.elem):
		return c.graph().Constant(newTensor(d.host.floats, d.host.shape))
	}
	numbers := make([]float64, len(d.host.ints))
	for i, v := range d.host.ints {
		numbers[i] = asFloat(d.elem, v)
	}
	return c.graph().Constant(newTensor(numbers, d.host.shape))
}

// newTensor returns a Tensor of that shape, a scalar if it is empty.
func newTensor(values []float64, shape []int) autograd.Tensor {
	if len(shape) == 0 {
		return autograd.Scalar(values[0])
	}
	return autograd.NewTensor(values, shape...)
}

// asFloat returns an integer as a floating-point number.
func asFloat(e message.Elem, v int64) float64 {
	if e == message.Uint64 {
		return float64(uint64(v))
	}
	return float64(v)
}

// ints returns input i as integers, or booleans as 0 and 1.
func (c *call) ints(i int) []int64 {
	return c.intsOf(c.tensor(i))
}

// intsOf returns the integers of a tensor, of which masks are Values.
func (c *call) intsOf(d datum) []int64 {
	if !isInteger(d.elem) && d.elem != message.Bool {
		c.fail("there is %s instead of integers", d.describe())
	}
	if d.host != nil {
		return d.host.ints
	}
	numbers := d.value.Tensor().Float64s()
	list := make([]int64, len(numbers))
	for i, v := range numbers {
		list[i] = truth(v != 0)
	}
	return list
}

// list returns input i as a list of numbers of an int, such as axes.
func (c *call) list(i int) []int {
	values := c.ints(i)
	if c.args[i].rank() > 1 {
		c.fail("input %d is %s instead of a list", i, c.args[i].describe())
	}
	list := make([]int, len(values))
	for j, v := range values {
		list[j] = saturated(v)
	}
	return list
}

// saturated returns an int64 as an int, the nearest one.
func saturated(v int64) int {
	return int(min(max(v, math.MinInt), math.MaxInt))
}

// integer returns the one integer of input i.
func (c *call) integer(i int) int {
	values := c.ints(i)
	if len(values) != 1 {
		c.fail("input %d is %s instead of one integer", i, c.args[i].describe())
	}
	return saturated(values[0])
}

// floats returns the numbers of input i, of any type.
func (c *call) floats(i int) []float64 { return c.floatsOf(c.tensor(i)) }

func (c *call) floatsOf(d datum) []float64 {
	switch {
	case d.host == nil && d.param != nil:
		return d.param.Tensor().Float64s()
	case d.host == nil:
		return d.value.Tensor().Float64s()
	case d.elem == message.String:
		c.fail("strings stand for numbers")
	case isFloat(d.elem):
		return d.host.floats
	}
	numbers := make([]float64, len(d.host.ints))
	for i, v := range d.host.ints {
		numbers[i] = asFloat(d.elem, v)
	}
	return numbers
}

// number returns the one number of input i, of any type.
func (c *call) number(i int) float64 {
	numbers := c.floats(i)
	if len(numbers) != 1 {
		c.fail("input %d is %s instead of one number", i, c.args[i].describe())
	}
	return numbers[0]
}

// indices returns input i as indices of an axis, those from the end counted
// from its beginning.
func (c *call) indices(i, length int) autograd.Ints {
	values, same := c.ints(i), true
	list := make([]int, len(values))
	for j, v := range values {
		if v < 0 {
			v += int64(length)
			same = false
		}
		if v < 0 || v >= int64(length) {
			panic(autograd.NewIndexError(c.title(), "index", saturated(values[j]), length))
		}
		list[j] = int(v)
	}
	if host := c.args[i].host; same && host != nil && host.given != nil {
		list = host.given
	}
	return toInts(list, c.args[i].shape())
}

// toInts returns Ints that are the values themselves.
func toInts(values []int, shape []int) autograd.Ints {
	if len(shape) == 0 {
		return autograd.ViewInts(values).Reshape()
	}
	return autograd.ViewInts(values, shape...)
}

// axis returns an axis counted from the beginning.
func (c *call) axis(axis, rank int) int {
	if axis < -rank || axis >= rank {
		panic(autograd.NewIndexError(c.title(), "axis", axis, rank))
	}
	if axis < 0 {
		return axis + rank
	}
	return axis
}

// axes returns axes counted from the beginning, each once.
func (c *call) axes(axes []int, rank int) []int {
	from := make([]int, len(axes))
	for i, a := range axes {
		from[i] = c.axis(a, rank)
		if slices.Contains(from[:i], from[i]) {
			c.fail("axis %d is repeated", a)
		}
	}
	return from
}

// function runs the body of a function.
func (c *call) function(p *program) {
	c.inside(func(r *run) { copy(c.outs, p.run(r, nil, c.args)) })
}

// inside runs nodes of another program; their scopes end with it.
func (c *call) inside(f func(r *run)) {
	r := c.frame.run
	outer := r.scopes
	r.scopes = nil
	f(r)
	r.enter(nil)
	r.scopes = outer
}
