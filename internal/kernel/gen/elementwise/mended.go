package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// stopping is what the comments of such kernels say.
const stopping = ", up to the vector before the first with an element that it cannot compute, and returns how many elements that is."

// mendedGradient emits dst = gy·f′(x; a), leaving out some elements for the
// function's scalar form.
func (l *lane) mendedGradient(of, formula string, e effort, make func() func(gy, x vec) (outside mask, f func() vec)) {
	name := l.kernel(symbol(of) + "Grad")
	l.serve(of, "D", "gradient(mendedGradient(&%s, %d, %s), %s)", of, l.width(), name, e.shared)
	l.begin(name, l.signature("func(dst, gy, x *T, n int, a float64) (done int)"), "is dst = "+formula+stopping)
	f := make()
	l.stopping([]string{"gy", "x"}, e.unroll, func(in []vec) (mask, func() vec) { return f(in[0], in[1]) })
}

// overSquare emits a derivative gy/f(x), whose divisor grows as x² and may
// overflow in float64 where the derivative still counts.
func (l *lane) overSquare(of, formula string, f func(x vec) vec) {
	if l.stored == 32 {
		l.gradient(of, formula, medium, "gy x", func() func(in []vec) vec {
			return func(in []vec) vec { return l.div(in[0], f(in[1])) }
		})
		return
	}
	l.mendedGradient(of, formula, medium, func() func(gy, x vec) (mask, func() vec) {
		return func(gy, x vec) (mask, func() vec) {
			d := f(x)
			return l.is(equal, d, l.infinity()), func() vec { return l.div(gy, d) }
		}
	})
}

// ternary emits dst = f(x, y, z) for a variable of the package kernel, leaving
// out some elements for its scalar form.
func (l *lane) ternary(of, formula string, e effort, f func(x, y, z vec) (outside mask, f func() vec)) {
	name := l.kernel(symbol(of))
	cell := "F%d: ternary(mendedTernary[%s](&%s, %d, %s), %s)"
	add(l.ternaries, l.set(), of, fmt.Sprintf(cell, l.stored, l.goType(), of, l.width(), name, e.shared))
	l.begin(name, l.signature("func(dst, x, y, z *T, n int) (done int)"), "is dst = "+formula+stopping)
	l.stopping([]string{"x", "y", "z"}, e.unroll, func(in []vec) (mask, func() vec) { return f(in[0], in[1], in[2]) })
}

// stopping emits loops that end before the first vector with an element
// outside, of which f is no function; a nil mask says that there is none. The
// rest is read with zeros behind it, which must not be outside.
func (l *lane) stopping(sources []string, unroll int, f func(in []vec) (outside mask, f func() vec)) {
	n, dst, at := l.param("n"), l.param("dst"), l.GP64()
	from := make([]reg.GPVirtual, len(sources))
	for i, source := range sources {
		from[i] = l.param(source)
	}
	l.XORQ(at, at)
	if l.vector == 512 {
		unroll = max(1, unroll/2)
	}
	if unroll > 1 {
		l.unlessOutside("many", n, at, dst, from, unroll, f)
	}
	l.unlessOutside("single", n, at, dst, from, 1, f)
	l.JZ(operand.LabelRef("stop"))
	mask := l.mask(n)
	some := make([]vec, len(from))
	for i, base := range from {
		some[i] = l.readSome(operand.Mem{Base: base, Index: at, Scale: 1}, mask)
	}
	outside, y := f(some)
	if outside != nil {
		l.jumpIfAny(outside, "stop")
	}
	place := l.GP64()
	l.MOVQ(at, place)
	l.writeSome(y(), operand.Mem{Base: dst, Index: place, Scale: 1}, n, "rest")
	all := l.param("n")
	l.Store(all, l.Return("done"))
	l.end()
	l.Label("stop")
	shift := map[int]uint64{4: 2, 8: 3}[l.size()]
	l.SHRQ(operand.Imm(shift), at)
	l.Store(at, l.Return("done"))
	l.end()
}

// unlessOutside emits a loop over unroll vectors at a time, which ends where
// one of them has an element outside: the one over single vectors then
// finishes.
func (l *lane) unlessOutside(label string, n, at, dst reg.GPVirtual, from []reg.GPVirtual, unroll int, f func(in []vec) (outside mask, f func() vec)) {
	count := operand.Imm(uint64(unroll * l.width()))
	l.SUBQ(count, n)
	l.JLT(operand.LabelRef(label + "Done"))
	l.Label(label)
	results := make([]func() vec, unroll)
	var outside mask
	for u := range unroll {
		var m mask
		m, results[u] = f(l.readAll(from, at, u))
		if outside == nil {
			outside = m
		} else {
			outside = l.either(outside, m)
		}
	}
	if outside != nil {
		end := "stop"
		if unroll > 1 {
			end = label + "Done"
		}
		l.jumpIfAny(outside, end)
	}
	for u, y := range results {
		l.writeAll([]vec{y()}, []reg.GPVirtual{dst}, at, u)
	}
	l.ADDQ(operand.Imm(uint64(unroll*l.step())), at)
	l.SUBQ(count, n)
	l.JGE(operand.LabelRef(label))
	l.Label(label + "Done")
	l.ADDQ(count, n)
}
