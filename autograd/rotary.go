package autograd

import (
	"fmt"

	"nabla/internal/kernel"
)

var opRotary = operation{name: "rotary", method: "Rotary"}

// RotaryOptions are the settings of [Value.Rotary].
type RotaryOptions struct {
	Heads  int     // how many lie side by side along the last axis; 0: 1
	Turned int     // how many of them, from the first on, are turned; 0: all
	First  int     // the position of the first step
	Base   float64 // of the wavelengths; 0: 10,000
	Back   bool    // turn back: the inverse, and the gradient
}

// Rotary turns pairs of elements by angles that grow with the position (Su et
// al., RoFormer, 2021), so that the product of a query and a key depends on how
// far apart they are. x is [batch, steps, heads·width] or [batch, heads, steps,
// width]. In each head, elements i and i + width/2 are a pair:
//
//	yᵢ = xᵢ·cos φ − xⱼ·sin φ, yⱼ = xⱼ·cos φ + xᵢ·sin φ
//	φ = position·base^(−2i/width), j = i + width/2
//
//	gx = gy turned back
//
// These are the pairs of Llama's and GPT-NeoX's code; RoFormer itself pairs
// neighbours, which is another order of the elements.
//
// It panics with a [*ShapeError] if x has fewer than two axes, or if the heads
// do not divide its last axis into even widths, and with an [*ArgumentError]
// for settings that make no sense.
func (x Value) Rotary(options RotaryOptions) Value {
	op, dims := opRotary.method, x.node(opRotary.method).shape.dims
	r := kernel.Rotary{Heads: options.Heads, Turned: options.Turned, First: options.First, Base: options.Base, Back: options.Back}
	if r.Heads == 0 {
		r.Heads = 1
	}
	if r.Turned == 0 {
		r.Turned = r.Heads
	}
	if r.Base == 0 {
		r.Base = 10_000
	}
	switch {
	case r.Heads < 0 || r.Turned < 0 || r.Turned > r.Heads:
		panic(NewArgumentError(op, "%d of %d heads", r.Turned, r.Heads))
	case r.First < 0:
		panic(NewArgumentError(op, "a first position of %d", r.First))
	case !(r.Base > 1):
		panic(NewArgumentError(op, "a base of %v, want more than 1", r.Base))
	case len(dims) < 2:
		panic(shapeError(op, "want [batch, steps, heads·width] or [batch, heads, steps, width]", "", dims))
	case dims[len(dims)-1]%(2*r.Heads) != 0:
		panic(shapeError(op, fmt.Sprintf("%d heads do not divide the last axis into even widths", r.Heads), "", dims))
	}
	return x.rotary(r)
}

func (x Value) rotary(r kernel.Rotary) Value {
	g, from := x.g, x.node(opRotary.method)
	n := g.record(&opRotary, rotaryRule, from.shape, x)
	n.a, n.b = r.Base, 0
	if r.Back {
		n.b = 1
	}
	ints := g.ints.take(3)
	ints[0], ints[1], ints[2] = r.Heads, r.Turned, r.First
	g.extraOf(n).ints = ints
	dims := from.shape.dims
	r.Steps, r.Width, r.Outer = dims[len(dims)-2], dims[len(dims)-1]/r.Heads, 1
	for _, d := range dims[:len(dims)-2] {
		r.Outer *= d
	}
	if g.single {
		kernel.Rotate(n.f32(), from.f32(), &r)
	} else {
		kernel.Rotate(n.f64(), from.f64(), &r)
	}
	return g.done()
}

func rotaryRule(r *Rule) {
	ints := r.n.ints()
	r.Add(0, r.Grad().rotary(kernel.Rotary{Heads: ints[0], Turned: ints[1], First: ints[2], Base: r.n.a, Back: r.n.b == 0}))
}
