package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tiles writes the kernels that compute a tile of the result in registers: rows
// × vectors sums, each a chain of FMAs over k.
//
// Two FMAs a cycle with a latency of 4 need 8 sums in flight. Of AVX2's 16
// registers, six rows of two vectors take 12, and two vectors of b and one
// number of a the rest. AVX-512 has 32: twelve rows of two vectors take 24, and
// load half as much for each FMA. Tiles of fewer rows serve the bottom edge,
// those with a masked last vector the right edge. Tiles of very few rows have
// wide forms: two vectors would not hide the latency of FMAs, nor that of
// memory if a large b is read in place.
func tiles(p *precision) {
	for rows := 1; rows <= p.height; rows++ {
		tile(p, rows, 2, false)
		tile(p, rows, 2, true)
		tile(p, rows, 1, true)
	}
	for rows, vectors := range p.wide {
		if vectors > 0 {
			tile(p, rows, vectors, false)
		}
	}
}

// tile writes one kernel. All of them take the matrices with any strides (in
// bytes), so a packed panel and a matrix in place, transposed or not, are read
// by the same code:
//
//	c[i][j] (+)= Σ a[i·rowA + q·stepA] · b[q·stepB + j]	for q < k
//
// and go on from tile to tile by the steps nextC, nextA and nextB: down the
// rows with the same b, or along the columns with the same a.
func tile(p *precision, rows, vectors int, edge bool) {
	name := fmt.Sprintf("tile%dx%d", rows, vectors)
	columns, doc := "", fmt.Sprintf("%d rows and %d vectors of columns", rows, vectors)
	if edge {
		name, columns = name+"Edge", ", columns int"
		doc += ", the last one with only the given number of columns"
	}
	text(name+p.suffix, fmt.Sprintf("func(c, a, b *%s, strideC, rowA, stepA, stepB, k, nextC, nextA, nextB, count int, accumulate bool%s)", p.name, columns),
		fmt.Sprintf("%s computes count tiles, each of %s.", name+p.suffix, doc))

	t := &tileWriter{precision: p, height: rows, vectors: vectors}
	if rows == p.height && vectors == 2 && !edge {
		t.ahead, t.unrolled = !p.unrolls, p.unrolls
	}
	t.c, t.strideC = load("c"), load("strideC")
	t.a, t.rowA, t.stepA = load("a"), load("rowA"), load("stepA")
	t.b, t.stepB = load("b"), load("stepB")
	count := load("count")
	if edge {
		t.edge = p.mask(load("columns"))
	}
	build.Label("tile")
	t.sums()
	t.store()
	build.ADDQ(load("nextC"), t.c)
	build.ADDQ(load("nextA"), t.a)
	build.ADDQ(load("nextB"), t.b)
	build.DECQ(count)
	build.JNZ(operand.LabelRef("tile"))
	build.VZEROUPPER()
	build.RET()
}

type tileWriter struct {
	*precision
	height, vectors int
	ahead           bool // b is prefetched in each step
	unrolled        bool // packed operands are taken four steps at a time, and b prefetched

	c, strideC, a, rowA, stepA, b, stepB reg.GPVirtual
	edge                                 reg.Register // nil inside
	sum                                  [][]reg.VecVirtual
}

// sums writes the loop over k.
func (t *tileWriter) sums() {
	t.clearSums()
	t.prefetch()
	a, b, k := build.GP64(), build.GP64(), load("k")
	build.MOVQ(t.a, a)
	build.MOVQ(t.b, b)
	from := rowsFrom(a, t.rowA, t.height)
	if t.unrolled {
		t.fourSteps(from, b, k)
	}
	build.Label("sum")
	if t.vectors > 2 {
		t.stepWide(from, b)
	} else {
		t.step(from, b)
	}
	if t.ahead {
		t.prefetchAhead(b)
	}
	from.advance(t.stepA)
	build.ADDQ(t.stepB, b)
	build.DECQ(k)
	build.JNZ(operand.LabelRef("sum"))
	if t.unrolled {
		build.Label("summed")
	}
}

// fourSteps takes four steps at a time if the strides are those of packed
// operands, and leaves fewer than four. AVX2 has six cycles of FMAs in a step,
// and processors that begin four instructions a cycle would need all of them to
// begin the step's loads, FMAs, and moves of pointers. Without the moves they
// have some to spare: products took 3 to 7 % less. b comes from the
// second-level cache and is prefetched; 16 steps ahead were a little better
// than 8.
func (t *tileWriter) fourSteps(from rows, b, k reg.GPVirtual) {
	const steps, stepsAhead, cacheLine = 4, 16, 64
	build.CMPQ(t.stepA, operand.Imm(uint64(t.bytes)))
	build.JNE(operand.LabelRef("sum"))
	build.CMPQ(t.stepB, operand.Imm(uint64(t.vectors*t.vector)))
	build.JNE(operand.LabelRef("sum"))
	build.SUBQ(operand.Imm(steps), k)
	build.JL(operand.LabelRef("rest"))
	build.Label("steps")
	for s := range steps {
		t.stepAt(from, b, s)
		for v := 0; v < t.vectors*t.vector; v += cacheLine {
			build.PREFETCHT0(at(b, (s+stepsAhead)*t.vectors*t.vector+v))
		}
	}
	from.advance(count(steps * t.bytes))
	build.ADDQ(count(steps*t.vectors*t.vector), b)
	build.SUBQ(operand.Imm(steps), k)
	build.JGE(operand.LabelRef("steps"))
	build.Label("rest")
	build.ADDQ(operand.Imm(steps), k)
	build.JZ(operand.LabelRef("summed"))
}

// clearSums sets the sums to 0.
func (t *tileWriter) clearSums() {
	t.sum = make([][]reg.VecVirtual, t.height)
	for i := range t.sum {
		t.sum[i] = t.registers(t.vectors)
		for _, sum := range t.sum[i] {
			zero(sum)
		}
	}
}

// prefetch prefetches the rows of c, so that they are in the cache when the
// sums are done.
func (t *tileWriter) prefetch() {
	to := rowsFrom(t.c, t.strideC, t.height)
	for i := range t.height {
		build.PREFETCHT0(to.row(i, 0))
	}
}

// prefetchAhead prefetches b for a step some way ahead. A strip of AVX-512 is
// as large as the first-level cache, so it comes from the second each time, and
// the processor alone is late: products took a sixth longer. Four to sixteen
// steps ahead are all the same.
func (t *tileWriter) prefetchAhead(b reg.Register) {
	for v := range t.vectors {
		build.PREFETCHT0(indexed(b, t.stepB, 8, v*t.vector))
	}
}

// step adds the products for one q: all vectors of b, then row after row of a.
func (t *tileWriter) step(from rows, b reg.Register) { t.stepAt(from, b, 0) }

// stepAt does so for a q some steps on in packed operands.
func (t *tileWriter) stepAt(from rows, b reg.Register, steps int) {
	right := t.registers(t.vectors)
	for v := range right {
		t.loadVector(at(b, (steps*t.vectors+v)*t.vector), right[v], v)
	}
	for i := range t.height {
		left := t.register()
		t.broadcast(from.row(i, steps*t.bytes), left)
		for v := range right {
			t.fma(right[v], left, t.sum[i][v])
		}
	}
}

// stepWide does the same with one vector of b at a time.
func (t *tileWriter) stepWide(from rows, b reg.Register) {
	left := t.registers(t.height)
	for i := range left {
		t.broadcast(from.row(i, 0), left[i])
	}
	for v := range t.vectors {
		right := t.register()
		t.move(at(b, v*t.vector), right)
		for i := range left {
			t.fma(right, left[i], t.sum[i][v])
		}
	}
}

func (t *tileWriter) masksVector(v int) bool { return t.edge != nil && v == t.vectors-1 }

func (t *tileWriter) loadVector(from operand.Mem, to reg.VecVirtual, v int) {
	if t.masksVector(v) {
		t.loadMasked(from, t.edge, to)
	} else {
		t.move(from, to)
	}
}

// store writes the sums to c, or adds them to it.
func (t *tileWriter) store() {
	to := rowsFrom(t.c, t.strideC, t.height)
	accumulate := build.Load(build.Param("accumulate"), build.GP8())
	build.TESTB(accumulate, accumulate)
	build.JZ(operand.LabelRef("store"))
	for i := range t.sum {
		for v, sum := range t.sum[i] {
			if t.masksVector(v) {
				old := t.register()
				t.loadMasked(to.row(i, v*t.vector), t.edge, old)
				t.add(old, sum, sum)
			} else {
				t.add(to.row(i, v*t.vector), sum, sum)
			}
		}
	}
	build.Label("store")
	for i := range t.sum {
		for v, sum := range t.sum[i] {
			if t.masksVector(v) {
				t.storeMasked(sum, t.edge, to.row(i, v*t.vector))
			} else {
				t.move(sum, to.row(i, v*t.vector))
			}
		}
	}
}
