package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// convolutions writes the kernels of convolutions: tiles like those of the
// product whose right operand is an image in place. Each row of it is the image
// shifted, so nothing is packed.
func convolutions(p *precision) {
	for rows := 1; rows <= p.height; rows++ {
		for _, form := range []struct {
			vectors int
			edge    bool
		}{{2, false}, {2, true}, {1, true}} {
			taps(p, rows, form.vectors, form.edge)
			planes(p, rows, form.vectors, form.edge)
		}
	}
	transposeRows(p)
}

// convolutionTile starts the function of a tile.
func convolutionTile(p *precision, kind string, rows, vectors int, edge bool, signature, doc string) *tileWriter {
	name, columns, what := fmt.Sprintf("%s%dx%d", kind, rows, vectors), "", fmt.Sprintf("%d rows and %d vectors of columns", rows, vectors)
	if edge {
		name, columns = name+"Edge", ", columns int"
		what += ", the last one with only the given number of columns"
	}
	text(name+p.suffix, fmt.Sprintf("func(%s%s)", fmt.Sprintf(signature, p.name), columns), fmt.Sprintf("%s%s computes %s of %s.", name, p.suffix, doc, what))
	return &tileWriter{precision: p, height: rows, vectors: vectors}
}

// taps writes a kernel for maps, whose columns are places:
//
//	c[i][j] (+)= bias[i] + Σ a[i·rowA + q] · b[offsets[q] + j]	for q < k
//
// The offsets are in bytes, and bias may be nil.
func taps(p *precision, rows, vectors int, edge bool) {
	t := convolutionTile(p, "taps", rows, vectors, edge, "c, a, b *%s, offsets *int, bias *%[1]s, strideC, rowA, k, nextC, nextB, count int, accumulate bool", "count tiles, each")
	t.c, t.strideC = load("c"), load("strideC")
	t.a, t.rowA = load("a"), load("rowA")
	t.b = load("b")
	offsets := load("offsets")
	if edge {
		t.edge = p.mask(load("columns"))
	}
	k := load("k") // counts up to 0
	build.LEAQ(indexed(offsets, k, 8, 0), offsets)
	count := load("count")
	build.Label("tile")
	t.startSums()
	t.prefetch()
	a := build.GP64()
	build.MOVQ(t.a, a)
	from := rowsFrom(a, t.rowA, t.height)
	k = load("k")
	build.NEGQ(k)
	build.Label("sum")
	at := build.GP64()
	build.MOVQ(indexed(offsets, k, 8, 0), at)
	build.ADDQ(t.b, at)
	t.step(from, at)
	from.advance(operand.U32(p.bytes))
	build.INCQ(k)
	build.JNZ(operand.LabelRef("sum"))
	t.store()
	build.ADDQ(load("nextC"), t.c)
	build.ADDQ(load("nextB"), t.b)
	build.DECQ(count)
	build.JNZ(operand.LabelRef("tile"))
	build.VZEROUPPER()
	build.RET()
}

// startSums sets the sums of each row to its bias, if there is one, or else to
// 0.
func (t *tileWriter) startSums() {
	t.clearSums()
	bias := load("bias")
	build.TESTQ(bias, bias)
	build.JZ(operand.LabelRef("started"))
	for i := range t.height {
		t.broadcast(at(bias, i*t.bytes), t.sum[i][0])
		for _, sum := range t.sum[i][1:] {
			t.move(t.sum[i][0], sum)
		}
	}
	build.Label("started")
}

// planes writes a kernel for the gradient of the weights, whose columns are
// those of an image with its channels last. It sums over the places of some
// rows of the map:
//
//	c[i][j] (+)= Σ Σ a[i·rowA + r·(k + gapA) + q] · b[r·(k·stepB + gapB) + q·stepB + j]	for q < k and r < rows
func planes(p *precision, rows, vectors int, edge bool) {
	t := convolutionTile(p, "planes", rows, vectors, edge, "c, a, b *%s, strideC, rowA, k, rows, gapA, stepB, gapB int, accumulate bool", "a tile")
	t.c, t.strideC = load("c"), load("strideC")
	t.a, t.rowA = load("a"), load("rowA")
	t.b, t.stepB = load("b"), load("stepB")
	left := load("rows")
	if edge {
		t.edge = p.mask(load("columns"))
	}
	t.clearSums()
	t.prefetch()
	from := rowsFrom(t.a, t.rowA, t.height)
	build.Label("row")
	k := load("k")
	build.Label("sum")
	t.step(from, t.b)
	from.advance(operand.U32(p.bytes))
	build.ADDQ(t.stepB, t.b)
	build.DECQ(k)
	build.JNZ(operand.LabelRef("sum"))
	from.advance(load("gapA"))
	build.ADDQ(load("gapB"), t.b)
	build.DECQ(left)
	build.JNZ(operand.LabelRef("row"))
	t.store()
	build.VZEROUPPER()
	build.RET()
}

// transposeRows writes the copy of some channels' rows to the places of a row
// with its channels last.
func transposeRows(p *precision) {
	name := "transposeRows" + p.suffix
	text(name, fmt.Sprintf("func(dst, src *%s, strideDst, stride, k int)", p.name),
		fmt.Sprintf("%s copies k numbers from each of %d rows of src, which are stride bytes apart, to k columns of dst, which are strideDst bytes apart. It spoils up to %d columns more.", name, p.lanes, p.lanes-1))
	dst, src, stride, strideDst, k := load("dst"), load("src"), load("stride"), load("strideDst"), load("k")
	square := func(mask reg.Register) {
		v, row := p.registers(p.lanes), build.GP64()
		build.MOVQ(src, row)
		for i := range v {
			if mask != nil {
				p.loadMasked(at(row, 0), mask, v[i])
			} else {
				p.move(at(row, 0), v[i])
			}
			build.ADDQ(stride, row)
		}
		for _, column := range p.transpose(v) {
			p.move(column, at(dst, 0))
			build.ADDQ(strideDst, dst)
		}
	}
	lanes := count(p.lanes)
	build.CMPQ(k, lanes)
	build.JL(operand.LabelRef("rest"))
	build.Label("square")
	square(nil)
	build.ADDQ(count(p.vector), src)
	build.SUBQ(lanes, k)
	build.CMPQ(k, lanes)
	build.JGE(operand.LabelRef("square"))
	build.Label("rest")
	build.TESTQ(k, k)
	build.JZ(operand.LabelRef("done"))
	square(p.mask(k))
	build.Label("done")
	build.VZEROUPPER()
	build.RET()
}
