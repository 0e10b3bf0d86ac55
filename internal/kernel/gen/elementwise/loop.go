package main

import (
	"strings"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// body computes the result vectors, one for each destination, from a vector of each source.
type body func(in []vec) []vec

// one is a body with one result.
func one(f func(in []vec) vec) body {
	return func(in []vec) []vec { return []vec{f(in)} }
}

// guarded is a body that is faster and right only for some arguments, with the test for them.
type guarded struct {
	fast    body
	outside func(in []vec) mask // of those that are none of them
}

// arrays emits loops that run over n elements of the sources and destinations, which are parameters: unroll vectors at a time, then
// one at a time, then the rest under a mask. Each element goes through the same instructions wherever it stands, unless guard is set:
// its fast body serves vectors without arguments outside, and has to give the same bits as f. Vectors of 512 bits are half as many at a
// time.
func (l *lane) arrays(destinations, sources []string, unroll int, f body, guard *guarded) {
	if l.vector == 512 {
		unroll = max(1, unroll/2)
	}
	n := l.param("n")
	from, to := make([]reg.GPVirtual, len(sources)), make([]reg.GPVirtual, len(destinations))
	for i, name := range sources {
		from[i] = l.param(name)
	}
	for i, name := range destinations {
		to[i] = l.param(name)
		for j, source := range sources {
			if source == name {
				to[i] = from[j]
			}
		}
	}
	at := l.GP64()
	l.XORQ(at, at)
	if unroll > 1 {
		l.vectors("many", n, at, from, to, unroll, f, guard)
	}
	l.vectors("single", n, at, from, to, 1, f, guard)
	l.rest(n, at, from, to, f)
	if guard != nil {
		if unroll > 1 {
			l.slow("many", at, from, to, unroll, f)
		}
		l.slow("single", at, from, to, 1, f)
	}
}

func (l *lane) vectors(label string, n, at reg.GPVirtual, from, to []reg.GPVirtual, unroll int, f body, guard *guarded) {
	count := operand.Imm(uint64(unroll * l.width()))
	l.SUBQ(count, n)
	l.JLT(operand.LabelRef(label + "Done"))
	l.Label(label)
	in := make([][]vec, unroll)
	if guard == nil {
		for u := range unroll {
			l.writeAll(f(l.readAll(from, at, u)), to, at, u)
		}
	} else {
		var outside mask
		for u := range unroll {
			in[u] = l.readAll(from, at, u)
			if m := guard.outside(in[u]); outside == nil {
				outside = m
			} else {
				outside = l.either(outside, m)
			}
		}
		l.jumpIfAny(outside, label+"Slow")
		for u := range unroll {
			l.writeAll(guard.fast(in[u]), to, at, u)
		}
		l.Label(label + "Next")
	}
	l.ADDQ(operand.Imm(uint64(unroll*l.step())), at)
	l.SUBQ(count, n)
	l.JGE(operand.LabelRef(label))
	l.Label(label + "Done")
	l.ADDQ(count, n)
}

// jumpIfAny jumps if the mask holds somewhere.
func (l *lane) jumpIfAny(m mask, label string) {
	switch {
	case l.vector == 512 && l.bits == 32:
		l.KORTESTW(m, m)
	case l.vector == 512:
		l.KORTESTB(m, m)
	default:
		bits := l.GP32()
		if l.bits == 32 {
			l.VMOVMSKPS(m, bits)
		} else {
			l.VMOVMSKPD(m, bits)
		}
		l.TESTL(bits, bits)
	}
	l.JNZ(operand.LabelRef(label))
}

// slow emits what a loop jumps to when its fast body does not serve.
func (l *lane) slow(label string, at reg.GPVirtual, from, to []reg.GPVirtual, unroll int, f body) {
	l.Label(label + "Slow")
	for u := range unroll {
		l.writeAll(f(l.readAll(from, at, u)), to, at, u)
	}
	l.JMP(operand.LabelRef(label + "Next"))
}

func (l *lane) readAll(from []reg.GPVirtual, at reg.GPVirtual, u int) []vec {
	in := make([]vec, len(from))
	for i, base := range from {
		in[i] = l.read(operand.Mem{Base: base, Index: at, Scale: 1, Disp: u * l.step()})
	}
	return in
}

func (l *lane) writeAll(results []vec, to []reg.GPVirtual, at reg.GPVirtual, u int) {
	for i, y := range results {
		l.write(y, operand.Mem{Base: to[i], Index: at, Scale: 1, Disp: u * l.step()})
	}
}

func (l *lane) rest(n, at reg.GPVirtual, from, to []reg.GPVirtual, f body) {
	l.JZ(operand.LabelRef("end"))
	mask := l.mask(n)
	in := make([]vec, len(from))
	for i, base := range from {
		in[i] = l.readSome(operand.Mem{Base: base, Index: at, Scale: 1}, mask)
	}
	for i, y := range f(in) {
		place := l.GP64()
		l.MOVQ(at, place)
		l.writeSome(y, operand.Mem{Base: to[i], Index: place, Scale: 1}, n, "rest"+string(rune('A'+i)))
	}
	l.Label("end")
	l.end()
}

// unary emits dst = f(x; a, b). The function make runs once, before the loops; what it returns is the loops' body.
func (l *lane) unary(name, doc string, unroll int, make func() func(x vec) vec) {
	name = l.kernel(name)
	l.begin(name, l.signature("func(dst, x *T, n int, a, b float64)"), doc)
	f := make()
	l.arrays([]string{"dst"}, []string{"x"}, unroll, one(func(in []vec) vec { return f(in[0]) }), nil)
}

// guardedUnary emits dst = f(x), with a fast body for arguments that are not outside, and constants in registers.
func (l *lane) guardedUnary(name, doc string, unroll int, f, fast func(x vec) vec, outside func(x vec) mask, constants ...float64) {
	name = l.kernel(name)
	l.begin(name, l.signature("func(dst, x *T, n int, a, b float64)"), doc)
	l.keep(constants...)
	of := func(f func(x vec) vec) body { return one(func(in []vec) vec { return f(in[0]) }) }
	l.arrays([]string{"dst"}, []string{"x"}, unroll, of(f), &guarded{of(fast), func(in []vec) mask { return outside(in[0]) }})
}

// gradient emits dst = gy·f′(x; a, b), from the sources named: gy and x, y or both.
func (l *lane) gradient(name, doc string, unroll int, sources string, make func() func(in []vec) vec) {
	name = l.kernel(name)
	l.begin(name, l.signature("func(dst, gy, x, y *T, n int, a, b float64)"), doc)
	l.arrays([]string{"dst"}, strings.Fields(sources), unroll, one(make()), nil)
}

// binary emits the forms dst = f(x, y), dst = f(x, s) and dst = f(s, y), each if wanted.
func (l *lane) binary(name, formula, forms string, unroll int, make func() func(x, y vec) vec) {
	if strings.Contains(forms, "VV") {
		l.begin(l.kernel(name+"VV"), l.signature("func(dst, x, y *T, n int)"), "is dst = "+formula+".")
		f := make()
		l.arrays([]string{"dst"}, []string{"x", "y"}, unroll, one(func(in []vec) vec { return f(in[0], in[1]) }), nil)
	}
	if strings.Contains(forms, "VS") {
		l.begin(l.kernel(name+"VS"), l.signature("func(dst, x *T, s T, n int)"), "is dst = "+formula+" with y = s.")
		f, s := make(), l.element("s")
		l.arrays([]string{"dst"}, []string{"x"}, unroll, one(func(in []vec) vec { return f(in[0], s) }), nil)
	}
	if strings.Contains(forms, "SV") {
		l.begin(l.kernel(name+"SV"), l.signature("func(dst *T, s T, y *T, n int)"), "is dst = "+formula+" with x = s.")
		f, s := make(), l.element("s")
		l.arrays([]string{"dst"}, []string{"y"}, unroll, one(func(in []vec) vec { return f(s, in[0]) }), nil)
	}
}

func (l *lane) signature(s string) string { return strings.ReplaceAll(s, "T", l.goType()) }
