package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tiles writes the kernels that compute a tile of the result in registers: rows × vectors sums, each a chain of FMAs over k.
//
// Six rows of two vectors are 12 sums: enough to hide the latency of two FMAs a cycle (8 in flight), and with two vectors
// of b and one number of a they fill the 16 registers. Fewer rows are for the bottom edge, a masked last vector for the right
// edge; one and two rows have wide forms, or the latency would show.
func tiles(p *precision) {
	for rows := 1; rows <= 6; rows++ {
		tile(p, rows, 2, false)
		tile(p, rows, 2, true)
		tile(p, rows, 1, true)
	}
	tile(p, 1, 8, false)
	tile(p, 2, 4, false)
}

// tile writes one kernel. All of them take the matrices with any strides (in bytes), so a packed panel and a matrix in place,
// transposed or not, are read by the same code:
//
//	c[i][j] (+)= Σ a[i·rowA + q·stepA] · b[q·stepB + j]	for q < k
//
// and go on from tile to tile by the steps nextC, nextA and nextB: down the rows with the same b, or along the columns with the same a.
func tile(p *precision, rows, vectors int, edge bool) {
	name := fmt.Sprintf("tile%dx%d", rows, vectors)
	columns, doc := "", fmt.Sprintf("%d rows and %d vectors of columns", rows, vectors)
	if edge {
		name, columns = name+"Edge", ", columns int"
		doc += ", the last one with only the given number of columns"
	}
	text(name+"F"+p.bits, fmt.Sprintf("func(c, a, b *%s, strideC, rowA, stepA, stepB, k, nextC, nextA, nextB, count int, accumulate bool%s)", p.name, columns),
		fmt.Sprintf("%s computes count tiles, each of %s.", name+"F"+p.bits, doc))

	t := &tileWriter{precision: p, height: rows, vectors: vectors}
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

	c, strideC, a, rowA, stepA, b, stepB reg.GPVirtual
	edge                                 reg.VecVirtual // nil inside
	sum                                  [][]reg.VecVirtual
}

// sums writes the loop over k.
func (t *tileWriter) sums() {
	t.sum = make([][]reg.VecVirtual, t.height)
	for i := range t.sum {
		t.sum[i] = make([]reg.VecVirtual, t.vectors)
		for v := range t.sum[i] {
			t.sum[i][v] = build.YMM()
			zero(t.sum[i][v])
		}
	}
	a, b, k := build.GP64(), build.GP64(), load("k")
	build.MOVQ(t.a, a)
	build.MOVQ(t.b, b)
	from := rows{base: a, stride: t.rowA}
	if t.height > 3 {
		from.third = threeApart(a, t.rowA)
	}
	t.prefetch()
	build.Label("sum")
	if t.height <= 2 && t.vectors > 2 {
		t.stepWide(from, b)
	} else {
		t.step(from, b)
	}
	build.ADDQ(t.stepA, a)
	if t.height > 3 {
		build.ADDQ(t.stepA, from.third)
	}
	build.ADDQ(t.stepB, b)
	build.DECQ(k)
	build.JNZ(operand.LabelRef("sum"))
}

// prefetch asks for the rows of c, so that they are there when the sums are.
func (t *tileWriter) prefetch() {
	to := t.rowsC()
	for i := range t.height {
		build.PREFETCHT0(to.row(i, 0))
	}
}

func (t *tileWriter) rowsC() rows {
	to := rows{base: t.c, stride: t.strideC}
	if t.height > 3 {
		to.third = threeApart(t.c, t.strideC)
	}
	return to
}

// step adds the products for one q: all vectors of b, then row after row of a.
func (t *tileWriter) step(from rows, b reg.Register) {
	right := make([]reg.VecVirtual, t.vectors)
	for v := range right {
		right[v] = build.YMM()
		t.loadVector(at(b, v*32), right[v], v)
	}
	for i := range t.height {
		left := build.YMM()
		t.broadcast(from.row(i, 0), left)
		for v := range right {
			t.fma(right[v], left, t.sum[i][v])
		}
	}
}

// stepWide does the same with one vector of b at a time.
func (t *tileWriter) stepWide(from rows, b reg.Register) {
	left := make([]reg.VecVirtual, t.height)
	for i := range left {
		left[i] = build.YMM()
		t.broadcast(from.row(i, 0), left[i])
	}
	for v := range t.vectors {
		right := build.YMM()
		t.move(at(b, v*32), right)
		for i := range left {
			t.fma(right, left[i], t.sum[i][v])
		}
	}
}

func (t *tileWriter) masksVector(v int) bool { return t.edge != nil && v == t.vectors-1 }

func (t *tileWriter) loadVector(from operand.Mem, to reg.VecVirtual, v int) {
	if t.masksVector(v) {
		t.masked(from, t.edge, to)
	} else {
		t.move(from, to)
	}
}

// store writes the sums to c, or adds them to it.
func (t *tileWriter) store() {
	to := t.rowsC()
	accumulate := build.Load(build.Param("accumulate"), build.GP8())
	build.TESTB(accumulate, accumulate)
	build.JZ(operand.LabelRef("store"))
	for i := range t.sum {
		for v, sum := range t.sum[i] {
			if t.masksVector(v) {
				old := build.YMM()
				t.masked(to.row(i, v*32), t.edge, old)
				t.add(old, sum, sum)
			} else {
				t.add(to.row(i, v*32), sum, sum)
			}
		}
	}
	build.Label("store")
	for i := range t.sum {
		for v, sum := range t.sum[i] {
			if t.masksVector(v) {
				t.masked(sum, t.edge, to.row(i, v*32))
			} else {
				t.move(sum, to.row(i, v*32))
			}
		}
	}
}
