package main

import "math"

// A tape is a graph of single numbers, written by hand for this benchmark only:
// nodes in one slice, inputs by index, one opcode each, memory reused. It
// checks nothing, needs a new opcode for each operation, and has no second
// derivatives: it is the limit of what a graph of scalars can reach in Go.
type tape[T number] struct {
	nodes []tapeNode[T]
}

type tapeNode[T number] struct {
	value, grad T
	a, b        int32
	op          opcode
}

type opcode uint8

const (
	opLeaf opcode = iota
	opAdd
	opSub
	opMul
	opTanh
)

func (t *tape[T]) push(n tapeNode[T]) int32 {
	t.nodes = append(t.nodes, n)
	return int32(len(t.nodes) - 1)
}

func (t *tape[T]) leaf(v T) int32 { return t.push(tapeNode[T]{value: v}) }

func (t *tape[T]) add(a, b int32) int32 {
	return t.push(tapeNode[T]{value: t.nodes[a].value + t.nodes[b].value, a: a, b: b, op: opAdd})
}

func (t *tape[T]) sub(a, b int32) int32 {
	return t.push(tapeNode[T]{value: t.nodes[a].value - t.nodes[b].value, a: a, b: b, op: opSub})
}

func (t *tape[T]) mul(a, b int32) int32 {
	return t.push(tapeNode[T]{value: t.nodes[a].value * t.nodes[b].value, a: a, b: b, op: opMul})
}

func (t *tape[T]) tanh(a int32) int32 {
	return t.push(tapeNode[T]{value: T(math.Tanh(float64(t.nodes[a].value))), a: a, op: opTanh})
}

// backward computes the gradient of the last node with respect to every other.
func (t *tape[T]) backward() {
	nodes := t.nodes
	nodes[len(nodes)-1].grad = 1
	for i := len(nodes) - 1; i >= 0; i-- {
		switch n := &nodes[i]; n.op {
		case opAdd:
			nodes[n.a].grad += n.grad
			nodes[n.b].grad += n.grad
		case opSub:
			nodes[n.a].grad += n.grad
			nodes[n.b].grad -= n.grad
		case opMul:
			a, b := &nodes[n.a], &nodes[n.b]
			a.grad += n.grad * b.value
			b.grad += n.grad * a.value
		case opTanh:
			nodes[n.a].grad += n.grad * (1 - n.value*n.value)
		}
	}
}

// keep forgets all nodes except the first n.
func (t *tape[T]) keep(n int) { t.nodes = t.nodes[:n] }

// A tapeNetwork is W1-scalar's network on a tape. The parameters are the first
// nodes of the tape and stay there; a step records the rest anew.
type tapeNetwork[T number] struct {
	tape   tape[T]
	params int
	input  [2]T
	target T
	layer  [2][]int32 // the outputs of the previous and the current layer
}

func newTapeNetwork[T number]() *tapeNetwork[T] {
	n := &tapeNetwork[T]{input: [2]T{T(scalarInput[0]), T(scalarInput[1])}, target: T(scalarTarget)}
	for _, w := range scalarWeights() {
		n.tape.leaf(T(w))
	}
	n.params = len(n.tape.nodes)
	return n
}

func (n *tapeNetwork[T]) step() {
	n.forward()
	n.tape.backward()
	n.update()
}

// forward records the loss as the last node.
func (n *tapeNetwork[T]) forward() {
	t := &n.tape
	t.keep(n.params)
	x := append(n.layer[0][:0], t.leaf(n.input[0]), t.leaf(n.input[1]))
	y := n.layer[1][:0]
	next := int32(0) // parameter
	for _, width := range scalarWidths[1:] {
		y = y[:0]
		for range width {
			z := next
			next++
			for _, xi := range x {
				z = t.add(z, t.mul(next, xi))
				next++
			}
			y = append(y, t.tanh(z))
		}
		x, y = y, x
	}
	d := t.sub(x[0], t.leaf(n.target))
	t.mul(d, d)
	n.layer[0], n.layer[1] = x, y
}

// update makes a step of gradient descent and clears the gradients of the
// parameters, which stay on the tape.
func (n *tapeNetwork[T]) update() {
	for i := range n.tape.nodes[:n.params] {
		p := &n.tape.nodes[i]
		p.value -= scalarRate * p.grad
		p.grad = 0
	}
}

var tapeStep = inPrecision(newTapeNetwork[float32], newTapeNetwork[float64])

// A tapeChain is W1-chain on a tape.
type tapeChain[T number] struct {
	tape   tape[T]
	length int
}

func newTapeChain[T number]() *tapeChain[T] { return &tapeChain[T]{length: chainLength} }

// step records the chain anew, its three leaves first.
func (c *tapeChain[T]) step() {
	t := &c.tape
	t.keep(0)
	x := t.leaf(chainStart)
	factor, summand := t.leaf(chainFactor), t.leaf(chainSummand)
	for i := range c.length {
		switch i % 3 {
		case 0:
			x = t.mul(x, factor)
		case 1:
			x = t.add(x, summand)
		case 2:
			x = t.tanh(x)
		}
	}
	t.backward()
}

var tapeChainStep = inPrecision(newTapeChain[float32], newTapeChain[float64])
