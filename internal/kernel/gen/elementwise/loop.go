package main

import (
	"fmt"
	"strings"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// body computes the result vectors, one for each destination, from a vector of
// each source.
type body func(in []vec) []vec

// one is a body with one result.
func one(f func(in []vec) vec) body {
	return func(in []vec) []vec { return []vec{f(in)} }
}

// guarded is a faster body that is right for some arguments only, with the test
// for the others.
type guarded struct {
	fast    body
	outside func(in []vec) mask // of those that are none of them
}

// arrays emits loops over n elements of the sources and destinations, which are
// parameters: unroll vectors at a time (half as many of 512 bits), then one at
// a time, then the rest under a mask. An element goes through the same
// instructions wherever it stands. If guard is set, its fast body computes
// vectors without arguments outside, and must give the same bits as f.
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

// slow emits the code to which a loop jumps if its fast body does not serve.
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

// effort says how much a function computes for each element.
type effort struct {
	unroll int    // vectors at a time
	shared string // the length from which workers share it
}

// light functions wait for memory, heavy ones for the processor.
var (
	light  = effort{plenty, "sharedMemory"}
	medium = effort{2, "sharedWork"}
	heavy  = effort{1, "sharedWork"}
)

// plenty is the number of vectors at a time in loops that memory limits.
const plenty = 4

const (
	unarySignature    = "func(dst, x *T, n int, a, b float64)"
	gradientSignature = "func(dst, gy, x, y *T, n int, a, b float64)"
)

// unary emits dst = f(x; a, b) for one or more variables of the package kernel,
// named in of. make runs once, before the loops, and returns their body.
func (l *lane) unary(of, formula string, e effort, make func() func(x vec) vec) {
	name := l.beginUnary(of, formula)
	l.serve(of, "F", "unary(%s, %s)", name, e.shared)
	f := make()
	l.arrays([]string{"dst"}, []string{"x"}, e.unroll, one(func(in []vec) vec { return f(in[0]) }), nil)
}

// guardedUnary emits dst = f(x), with a fast body for vectors without arguments
// outside, and constants in registers.
func (l *lane) guardedUnary(of, formula string, f, fast func(x vec) vec, outside func(x vec) mask, constants ...float64) {
	name := l.beginUnary(of, formula)
	l.serve(of, "F", "unary(%s, %s)", name, heavy.shared)
	l.keep(constants...)
	body := func(f func(x vec) vec) body { return one(func(in []vec) vec { return f(in[0]) }) }
	l.arrays([]string{"dst"}, []string{"x"}, plenty, body(f), &guarded{body(fast), func(in []vec) mask { return outside(in[0]) }})
}

func (l *lane) beginUnary(of, formula string) (name string) {
	name = l.kernel(symbol(of))
	l.begin(name, l.signature(unarySignature), "is dst = "+formula+".")
	return name
}

// gradient emits dst = gy·f′(x; a, b) for one or more variables of the package
// kernel, from the sources named: gy, x and y as far as it reads them.
func (l *lane) gradient(of, formula string, e effort, sources string, make func() func(in []vec) vec) {
	name := l.kernel(symbol(of) + "Grad")
	l.begin(name, l.signature(gradientSignature), "is dst = "+formula+".")
	l.serve(of, "D", "gradient(%s, %s)", name, e.shared)
	l.arrays([]string{"dst"}, strings.Fields(sources), e.unroll, one(make()), nil)
}

// guardedGradient emits dst = gy·f′(x), with a fast body for vectors without
// arguments outside.
func (l *lane) guardedGradient(of, formula, sources string, f, fast func(in []vec) vec, outside func(in []vec) mask) {
	name := l.kernel(symbol(of) + "Grad")
	l.begin(name, l.signature(gradientSignature), "is dst = "+formula+".")
	l.serve(of, "D", "gradient(%s, %s)", name, heavy.shared)
	l.arrays([]string{"dst"}, strings.Fields(sources), 2, one(f), &guarded{one(fast), outside})
}

// serve registers the kernel just begun for a loop of each variable: F or D, in
// the precision of the lane.
func (l *lane) serve(of, loop, format string, a ...any) {
	for _, variable := range strings.Fields(of) {
		cell := fmt.Sprintf("%s%d: %s", loop, l.stored, fmt.Sprintf(format, a...))
		add(l.unaries, l.set(), variable, cell)
	}
}

// binary emits the forms dst = f(x, y), dst = f(x, s) and dst = f(s, y) for a
// variable of the package kernel.
func (l *lane) binary(of, formula string, e effort, make func() func(x, y vec) vec) {
	begin := func(form, signature, with string) {
		l.begin(l.kernel(symbol(of)+form), l.signature(signature), "is dst = "+formula+with+".")
	}
	begin("VV", "func(dst, x, y *T, n int)", "")
	f := make()
	l.arrays([]string{"dst"}, []string{"x", "y"}, e.unroll, one(func(in []vec) vec { return f(in[0], in[1]) }), nil)

	begin("VS", "func(dst, x *T, s T, n int)", " with y = s")
	right, s := make(), l.element("s")
	l.arrays([]string{"dst"}, []string{"x"}, e.unroll, one(func(in []vec) vec { return right(in[0], s) }), nil)

	begin("SV", "func(dst *T, s T, y *T, n int)", " with x = s")
	left, s := make(), l.element("s")
	l.arrays([]string{"dst"}, []string{"y"}, e.unroll, one(func(in []vec) vec { return left(s, in[0]) }), nil)

	cell := fmt.Sprintf("A%d: binaryLoops(%s, %s, %s, %s)", l.stored,
		l.kernel(symbol(of)+"VV"), l.kernel(symbol(of)+"VS"), l.kernel(symbol(of)+"SV"), e.shared)
	add(l.binaries, l.set(), of, cell)
}

// symbol is the first variable's name with a small first word: bceLogits for
// BCELogits.
func symbol(of string) string {
	name := strings.Fields(of)[0]
	capitals := 0
	for capitals < len(name) && 'A' <= name[capitals] && name[capitals] <= 'Z' {
		capitals++
	}
	if 1 < capitals && capitals < len(name) && 'a' <= name[capitals] && name[capitals] <= 'z' {
		capitals--
	}
	return strings.ToLower(name[:capitals]) + name[capitals:]
}

func (l *lane) signature(s string) string { return strings.ReplaceAll(s, "T", l.goType()) }
