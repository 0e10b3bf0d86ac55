package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packs writes the copies into panels. For each q, a panel of b holds two
// vectors, and a panel of a as many numbers as tiles are high.
func packs(p *precision) {
	packColumns(p)
	packLeft(p)
	gatherRows(p)
	packTransposed(p)
}

// packColumns writes the copy of columns of b, as it is stored. It reads some
// rows side by side from left to right: the processor foresees that, where a
// strip alone would touch a page a row.
func packColumns(p *precision) {
	name := "packColumns" + p.suffix
	text(name, fmt.Sprintf("func(dst, src *%s, stride, k, strips, next int)", p.name),
		name+" copies k rows of src, which are stride bytes apart, to strips of two vectors, which are next bytes apart.")
	dst, src, stride, k, next := load("dst"), load("src"), load("stride"), load("k"), load("next")
	group := func(rows int) {
		from, to, left := build.GP64(), build.GP64(), load("strips")
		build.MOVQ(src, from)
		build.MOVQ(dst, to)
		row := rowsFrom(from, stride, rows)
		build.Label(fmt.Sprintf("strip%d", rows))
		for i := range rows {
			x, y := p.register(), p.register()
			p.move(row.row(i, 0), x)
			p.move(row.row(i, p.vector), y)
			p.move(x, at(to, 2*i*p.vector))
			p.move(y, at(to, (2*i+1)*p.vector))
		}
		row.advance(count(2 * p.vector))
		build.ADDQ(next, to)
		build.DECQ(left)
		build.JNZ(operand.LabelRef(fmt.Sprintf("strip%d", rows)))
		build.ADDQ(count(2*rows*p.vector), dst)
		build.LEAQ(indexed(src, stride, rows%8, 0), src) // rows is 1 or 4
	}
	build.SUBQ(count(packedRows), k)
	build.JL(operand.LabelRef("rest"))
	build.Label("group")
	group(packedRows)
	build.SUBQ(count(packedRows), k)
	build.JGE(operand.LabelRef("group"))
	build.Label("rest")
	build.ADDQ(count(packedRows), k)
	build.JZ(operand.LabelRef("done"))
	build.Label("row")
	group(1)
	build.DECQ(k)
	build.JNZ(operand.LabelRef("row"))
	build.Label("done")
	build.VZEROUPPER()
	build.RET()
}

// packedRows is the number of rows that packColumns reads side by side.
const packedRows = 4

// packLeft writes the copy of some rows of op(a) for a transposed a. Each row
// of a is cut into pieces as long as tiles are high, and each piece goes to a
// panel of its own. Whole vectors are stored. They run into the next piece of
// the panel, which overwrites that part later; behind the last piece panels
// have room. Nothing behind a piece is read, since a may end there.
func packLeft(p *precision) {
	name := "packLeft" + p.suffix
	text(name, fmt.Sprintf("func(dst, src *%s, stride, k, panels, panel, columns int)", p.name),
		fmt.Sprintf("%s copies from each of k rows of src, which are stride bytes apart, %d numbers to each panel, the last of which gets only the", name, p.height),
		"given number of columns. Panels are panel bytes apart and have room for four numbers more.")
	dst, src, stride, k := load("dst"), load("src"), load("stride"), load("k")
	panel, whole := load("panel"), load("panels")
	masks := p.pieceMasks(load("columns"))
	var wholeMask reg.Register // of a piece that is no whole number of vectors or of halves
	if len(masks) == 1 {
		height := build.GP64()
		build.MOVQ(count(p.height), height)
		wholeMask = p.mask(height)
	}
	build.DECQ(whole)
	build.Label("row")
	from, to, left := build.GP64(), build.GP64(), build.GP64()
	build.MOVQ(src, from)
	build.MOVQ(dst, to)
	build.MOVQ(whole, left)
	build.TESTQ(left, left)
	build.JZ(operand.LabelRef("last"))
	build.Label("panel")
	for v := range masks {
		build.PREFETCHT0(indexed(from, stride, 8, v*p.vector)) // rows are on pages of their own, which the processor doesn't foresee
		x := p.pieceVector(v)
		if wholeMask != nil {
			p.loadMasked(at(from, 0), wholeMask, x)
		} else {
			p.move(at(from, v*p.vector), x)
		}
		p.move(x, at(to, v*p.vector))
	}
	build.ADDQ(count(p.height*p.bytes), from)
	build.ADDQ(panel, to)
	build.DECQ(left)
	build.JNZ(operand.LabelRef("panel"))
	build.Label("last")
	for v, mask := range masks {
		x := p.register()
		p.loadMasked(at(from, v*p.vector), mask, x)
		p.move(x, at(to, v*p.vector))
	}
	build.ADDQ(stride, src)
	build.ADDQ(count(p.height*p.bytes), dst)
	build.DECQ(k)
	build.JNZ(operand.LabelRef("row"))
	build.VZEROUPPER()
	build.RET()
}

// pieceVector returns a register for vector v of a piece: the second is half as
// wide, since a piece is no longer than a vector and a half.
func (p *precision) pieceVector(v int) reg.Register {
	x := p.register()
	switch {
	case v == 0:
		return x
	case p.vector == 64:
		return x.AsY()
	default:
		return x.AsX()
	}
}

// pieceMasks returns the masks of one or two vectors that together hold the
// first columns of a piece.
func (p *precision) pieceMasks(columns reg.GPVirtual) []reg.Register {
	if p.lanes >= p.height {
		return []reg.Register{p.mask(columns)}
	}
	first, second, lanes := build.GP64(), build.GP64(), build.GP64()
	build.MOVQ(count(p.lanes), lanes)
	build.MOVQ(columns, first)
	build.CMPQ(first, lanes)
	build.CMOVQGT(lanes, first)
	build.MOVQ(columns, second)
	build.SUBQ(first, second)
	return []reg.Register{p.mask(first), p.mask(second)}
}

// gatherRows writes the copy of pieces of a's rows. It asks for each line two
// rows ahead: the processor foresees no row's first lines.
func gatherRows(p *precision) {
	name := "gatherRows" + p.suffix
	text(name, fmt.Sprintf("func(dst, src *%s, stride, k, rows int)", p.name),
		name+" copies k numbers from each of some rows of src, which are stride bytes apart, and leaves no gaps in dst.")
	dst, src, stride, k, left := load("dst"), load("src"), load("stride"), load("k"), load("rows")
	rest := build.GP64() // numbers behind the whole vectors
	build.MOVQ(k, rest)
	build.ANDQ(count(p.lanes-1), rest)
	mask := p.mask(rest)
	build.SUBQ(rest, k)
	build.Label("row")
	from, whole, x := build.GP64(), build.GP64(), p.register()
	build.MOVQ(src, from)
	build.MOVQ(k, whole)
	build.TESTQ(whole, whole)
	build.JZ(operand.LabelRef("rest"))
	build.Label("vector")
	build.PREFETCHT0(indexed(from, stride, 2, 0))
	p.move(at(from, 0), x)
	p.move(x, at(dst, 0))
	build.ADDQ(count(p.vector), from)
	build.ADDQ(count(p.vector), dst)
	build.SUBQ(count(p.lanes), whole)
	build.JNZ(operand.LabelRef("vector"))
	build.Label("rest")
	build.TESTQ(rest, rest)
	build.JZ(operand.LabelRef("next"))
	p.loadMasked(at(from, 0), mask, x)
	p.storeMasked(x, mask, at(dst, 0))
	build.LEAQ(indexed(dst, rest, p.bytes, 0), dst)
	build.Label("next")
	build.ADDQ(stride, src)
	build.DECQ(left)
	build.JNZ(operand.LabelRef("row"))
	build.VZEROUPPER()
	build.RET()
}

// packTransposed writes the copy of one vector of columns of a transposed b:
// squares of lanes × lanes are transposed in registers. If the last square is
// incomplete, the stores run past the end by less than a square.
func packTransposed(p *precision) {
	name := "packTransposed" + p.suffix
	text(name, fmt.Sprintf("func(dst, src *%s, stride, k int)", p.name),
		fmt.Sprintf("%s copies k numbers from each of %d rows of src, which are stride bytes apart, to k rows of two vectors, the first of which it fills. It spoils the first vectors of up to %d rows more.", name, p.lanes, p.lanes-1))
	dst, src, stride, k := load("dst"), load("src"), load("stride"), load("k")
	from := rowsFrom(src, stride, p.lanes)
	lanes := count(p.lanes)
	square := func(mask reg.Register) {
		v := p.registers(p.lanes)
		for i := range v {
			if mask != nil {
				p.loadMasked(from.row(i, 0), mask, v[i])
			} else {
				p.move(from.row(i, 0), v[i])
			}
		}
		for i, column := range p.transpose(v) {
			p.move(column, at(dst, 2*p.vector*i))
		}
	}
	build.CMPQ(k, lanes)
	build.JL(operand.LabelRef("rest"))
	build.Label("square")
	square(nil)
	from.advance(count(p.vector))
	build.ADDQ(count(2*p.vector*p.lanes), dst)
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

// transpose returns the columns of a square of vectors. First it collects the
// numbers of adjacent rows in pieces of 128 bits, by twos or fours; then it
// moves the pieces.
func (p *precision) transpose(rows []reg.VecVirtual) []reg.VecVirtual {
	pieces, perPiece := p.pairs(rows, build.VUNPCKLPD, build.VUNPCKHPD, 1), 2
	if p.bytes == 4 {
		pieces, perPiece = p.pairs(p.pairs(rows, build.VUNPCKLPS, build.VUNPCKHPS, 1), build.VUNPCKLPD, build.VUNPCKHPD, 2), 4
	}
	columns := make([]reg.VecVirtual, p.lanes)
	for c := range perPiece {
		var same []reg.VecVirtual // the pieces that begin with column c
		for i := c; i < p.lanes; i += perPiece {
			same = append(same, pieces[i])
		}
		for i, column := range p.transposePieces(same) {
			columns[i*perPiece+c] = column
		}
	}
	return columns
}

// pairs interleaves each vector with the one that is apart behind it. In each
// group the results are in the order of columns within a piece.
func (p *precision) pairs(in []reg.VecVirtual, low, high func(...operand.Op), apart int) []reg.VecVirtual {
	out := p.registers(len(in))
	for i := 0; i < len(in); i += 2 * apart {
		for j := range apart {
			x, y := in[i+j], in[i+j+apart]
			low(y, x, out[i+2*j])
			high(y, x, out[i+2*j+1])
		}
	}
	return out
}

// transposePieces returns the columns of a square of pieces of 128 bits.
func (p *precision) transposePieces(v []reg.VecVirtual) []reg.VecVirtual {
	if p.vector == 32 {
		out := p.registers(2)
		build.VPERM2F128(operand.Imm(0x20), v[1], v[0], out[0])
		build.VPERM2F128(operand.Imm(0x31), v[1], v[0], out[1])
		return out
	}
	const even, odd = 0b10_00_10_00, 0b11_01_11_01 // two pieces of each vector
	half, out := p.registers(4), p.registers(4)
	for i := range 2 {
		build.VSHUFF64X2(operand.Imm(even), v[2*i+1], v[2*i], half[i])
		build.VSHUFF64X2(operand.Imm(odd), v[2*i+1], v[2*i], half[i+2])
	}
	for i := range 2 { // half 0 and 1 have the pieces 0 and 2, half 2 and 3 the others
		build.VSHUFF64X2(operand.Imm(even), half[2*i+1], half[2*i], out[i])
		build.VSHUFF64X2(operand.Imm(odd), half[2*i+1], half[2*i], out[i+2])
	}
	return out
}
