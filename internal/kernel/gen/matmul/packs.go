package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packs writes the copies into panels. A panel of b holds two vectors for each q, a panel of a six numbers for each q.
func packs(p *precision) {
	packColumns(p)
	packLeft(p)
	packTransposed(p)
}

// packColumns writes the copy of two vectors of columns of b, as it is stored.
func packColumns(p *precision) {
	name := "packColumnsF" + p.bits
	text(name, fmt.Sprintf("func(dst, src *%s, stride, k int)", p.name),
		name+" copies two vectors from each of k rows of src, which are stride bytes apart.")
	dst, src, stride, k := load("dst"), load("src"), load("stride"), load("k")
	build.Label("row")
	x, y := build.YMM(), build.YMM()
	p.move(at(src, 0), x)
	p.move(at(src, 32), y)
	p.move(x, at(dst, 0))
	p.move(y, at(dst, 32))
	build.ADDQ(stride, src)
	build.ADDQ(count(64), dst)
	build.DECQ(k)
	build.JNZ(operand.LabelRef("row"))
	build.VZEROUPPER()
	build.RET()
}

// packLeft writes the copy of some rows of op(a), for an a that is stored transposed: row after row of a is cut into pieces of six
// numbers, and each goes to a panel of its own. Whole vectors are stored: they run over the next piece of the panel, which then covers
// them, and behind the last one, where panels have two numbers of room. Only the last panel is read with masks, since there
// may be nothing behind it.
func packLeft(p *precision) {
	name := "packLeftF" + p.bits
	text(name, fmt.Sprintf("func(dst, src *%s, stride, k, panels, panel, columns int)", p.name),
		name+" copies from each of k rows of src, which are stride bytes apart, six numbers to each panel, the last of which gets only the",
		"given number of columns. Panels are panel bytes apart and have room for two numbers more.")
	dst, src, stride, k := load("dst"), load("src"), load("stride"), load("k")
	panel, whole := load("panel"), load("panels")
	masks := sixMasks(p, load("columns"))
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
		x := sixVector(v)
		p.move(at(from, v*32), x)
		p.move(x, at(to, v*32))
	}
	build.ADDQ(count(6*p.bytes), from)
	build.ADDQ(panel, to)
	build.DECQ(left)
	build.JNZ(operand.LabelRef("panel"))
	build.Label("last")
	for v, mask := range masks {
		x := build.YMM()
		p.masked(at(from, v*32), mask, x)
		p.move(x, at(to, v*32))
	}
	build.ADDQ(stride, src)
	build.ADDQ(count(6*p.bytes), dst)
	build.DECQ(k)
	build.JNZ(operand.LabelRef("row"))
	build.VZEROUPPER()
	build.RET()
}

// sixVector returns a register for vector v of six numbers: half a vector does for the last two of six float64.
func sixVector(v int) reg.Register {
	if v == 1 {
		return build.XMM()
	}
	return build.YMM()
}

// sixMasks returns the masks of one or two vectors that together hold the first columns, at most six.
func sixMasks(p *precision, columns reg.GPVirtual) []reg.VecVirtual {
	if p.lanes >= 6 {
		return []reg.VecVirtual{p.mask(columns)}
	}
	first, second, lanes := build.GP64(), build.GP64(), build.GP64()
	build.MOVQ(count(p.lanes), lanes)
	build.MOVQ(columns, first)
	build.CMPQ(first, lanes)
	build.CMOVQGT(lanes, first)
	build.MOVQ(columns, second)
	build.SUBQ(first, second)
	return []reg.VecVirtual{p.mask(first), p.mask(second)}
}

// packTransposed writes the copy of one vector of columns of a b that is stored transposed: squares of lanes × lanes are turned in
// registers. The last square may be incomplete; then the stores run over the end by up to a square.
func packTransposed(p *precision) {
	name := "packTransposedF" + p.bits
	text(name, fmt.Sprintf("func(dst, src *%s, stride, k int)", p.name),
		fmt.Sprintf("%s copies k numbers from each of %d rows of src, which are stride bytes apart, to k rows of two vectors, the first of which it fills. It spoils the first vectors of up to %d rows more.", name, p.lanes, p.lanes-1))
	dst, src, stride, k := load("dst"), load("src"), load("stride"), load("k")
	from := rows{base: src, stride: stride, third: threeApart(src, stride)}
	lanes := count(p.lanes)
	// Rows 6 and 7 need a pointer of their own.
	sixth := threeApart(from.third, stride)
	address := func(i int) operand.Mem {
		if i >= 6 {
			return rows{base: sixth, stride: stride}.row(i-6, 0)
		}
		return from.row(i, 0)
	}
	square := func(mask reg.VecVirtual) {
		v := make([]reg.VecVirtual, p.lanes)
		for i := range v {
			v[i] = build.YMM()
			if mask != nil {
				p.masked(address(i), mask, v[i])
			} else {
				p.move(address(i), v[i])
			}
		}
		if p.lanes == 8 {
			v = transpose8(v)
		} else {
			v = transpose4(v)
		}
		for i := range v {
			p.move(v[i], at(dst, 64*i))
		}
	}
	build.CMPQ(k, lanes)
	build.JL(operand.LabelRef("rest"))
	build.Label("square")
	square(nil)
	for _, pointer := range []reg.Register{src, from.third, sixth} {
		build.ADDQ(count(32), pointer)
	}
	build.ADDQ(count(64*p.lanes), dst)
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

// transpose4 returns the columns of four vectors of float64.
func transpose4(v []reg.VecVirtual) []reg.VecVirtual {
	pairs, out := vectors(4), vectors(4)
	for i := 0; i < 4; i += 2 {
		build.VUNPCKLPD(v[i+1], v[i], pairs[i])
		build.VUNPCKHPD(v[i+1], v[i], pairs[i+1])
	}
	for i := range 2 {
		build.VPERM2F128(operand.Imm(0x20), pairs[i+2], pairs[i], out[i])
		build.VPERM2F128(operand.Imm(0x31), pairs[i+2], pairs[i], out[i+2])
	}
	return out
}

// transpose8 returns the columns of eight vectors of float32: numbers are paired, then pairs, then halves.
func transpose8(v []reg.VecVirtual) []reg.VecVirtual {
	pairs, fours, out := vectors(8), vectors(8), vectors(8)
	for i := 0; i < 8; i += 2 {
		build.VUNPCKLPS(v[i+1], v[i], pairs[i])
		build.VUNPCKHPS(v[i+1], v[i], pairs[i+1])
	}
	for i := 0; i < 8; i += 4 {
		for j := range 2 {
			build.VUNPCKLPD(pairs[i+j+2], pairs[i+j], fours[i+2*j])
			build.VUNPCKHPD(pairs[i+j+2], pairs[i+j], fours[i+2*j+1])
		}
	}
	for i := range 4 {
		build.VPERM2F128(operand.Imm(0x20), fours[i+4], fours[i], out[i])
		build.VPERM2F128(operand.Imm(0x31), fours[i+4], fours[i], out[i+4])
	}
	return out
}

func vectors(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = build.YMM()
	}
	return v
}
