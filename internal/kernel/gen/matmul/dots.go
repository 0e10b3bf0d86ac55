package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dots writes the kernels for few rows of a and a transposed b. Every sum is a
// dot product of two rows, so nothing is packed. Four rows of b share the
// vectors of a. A single row of a takes two steps at a time, to have eight sums
// in flight.
func dots(p *precision) {
	for rows := 1; rows <= 3; rows++ {
		dot(p, rows, 4)
		dot(p, rows, 1)
	}
}

// dot writes one kernel: width adjacent elements in each of height rows of c,
// count times, going right.
func dot(p *precision, height, width int) {
	name := fmt.Sprintf("dot%dx%d%s", height, width, p.suffix)
	text(name, fmt.Sprintf("func(c, a, b *%s, strideC, strideA, strideB, k, count int, accumulate bool)", p.name),
		fmt.Sprintf("%s computes count groups of dot products of %d rows of a and %d rows of b, next to each other in c.", name, height, width))
	d := &dotWriter{precision: p, height: height, width: width, steps: 1}
	if height == 1 {
		d.steps = 2
	}
	d.c, d.strideC = load("c"), load("strideC")
	d.aBase, d.strideA = load("a"), load("strideA")
	d.bBase, d.strideB = load("b"), load("strideB")
	groups := load("count")
	build.Label("group")
	d.sums()
	d.store()
	build.ADDQ(count(width*p.bytes), d.c)
	build.LEAQ(indexed(d.bBase, d.strideB, width, 0), d.bBase)
	build.DECQ(groups)
	build.JNZ(operand.LabelRef("group"))
	build.VZEROUPPER()
	build.RET()
}

type dotWriter struct {
	*precision
	height, width, steps int

	c, strideC, aBase, strideA, bBase, strideB reg.GPVirtual
	a, b                                       rows
	sum                                        [][]reg.VecVirtual // height × width·steps
}

func (d *dotWriter) sums() {
	d.sum = make([][]reg.VecVirtual, d.height)
	for i := range d.sum {
		d.sum[i] = d.registers(d.width * d.steps)
		for _, sum := range d.sum[i] {
			zero(sum)
		}
	}
	a, b, k := build.GP64(), build.GP64(), load("k")
	build.MOVQ(d.aBase, a)
	build.MOVQ(d.bBase, b)
	d.a, d.b = rowsFrom(a, d.strideA, d.height), rowsFrom(b, d.strideB, d.width)
	if d.steps == 2 {
		d.loop("pair", "single", k, 2)
		d.addPairs()
	}
	build.Label("single")
	d.loop("vector", "rest", k, 1)
	build.Label("rest")
	build.TESTQ(k, k)
	build.JZ(operand.LabelRef("summed"))
	d.rest(k)
	build.Label("summed")
}

// loop runs over whole vectors, steps at a time.
func (d *dotWriter) loop(name, next string, k reg.GPVirtual, steps int) {
	build.CMPQ(k, count(d.lanes*steps))
	build.JL(operand.LabelRef(next + "Start"))
	build.Label(name)
	for s := range steps {
		d.step(s)
	}
	forward := count(d.vector * steps)
	d.a.advance(forward)
	d.b.advance(forward)
	build.SUBQ(count(d.lanes*steps), k)
	build.CMPQ(k, count(d.lanes*steps))
	build.JGE(operand.LabelRef(name))
	build.Label(next + "Start")
}

// step adds the products of one vector of each row.
func (d *dotWriter) step(s int) {
	left := d.registers(d.height)
	for i := range left {
		d.move(d.a.row(i, d.vector*s), left[i])
	}
	for j := range d.width {
		right := d.register()
		d.move(d.b.row(j, d.vector*s), right)
		for i := range left {
			d.fma(right, left[i], d.sum[i][s*d.width+j])
		}
	}
}

// rest adds the products of the last k numbers, less than a vector. Both
// operands are masked, because there may be NaN behind a row of either. The
// vectors of a are loaded again for each row of b: the mask takes the last
// register.
func (d *dotWriter) rest(k reg.GPVirtual) {
	mask := d.mask(k)
	for j := range d.width {
		right := d.register()
		d.loadMasked(d.b.row(j, 0), mask, right)
		for i := range d.height {
			left := d.register()
			d.loadMasked(d.a.row(i, 0), mask, left)
			d.fma(right, left, d.sum[i][j])
		}
	}
}

// addPairs adds the sums of the second steps to those of the first.
func (d *dotWriter) addPairs() {
	for i := range d.sum {
		for j := range d.width {
			d.add(d.sum[i][d.width+j], d.sum[i][j], d.sum[i][j])
		}
	}
}

// store adds up the lanes of each sum and writes them row by row.
func (d *dotWriter) store() {
	to := rowsFrom(d.c, d.strideC, d.height)
	for i := range d.sum {
		for j := range d.width {
			d.addHalves(d.sum[i][j])
		}
		if d.width == 4 {
			d.addLanesOfFour(d.sum[i])
		} else {
			d.addLanes(d.sum[i][0])
		}
	}
	accumulate := build.Load(build.Param("accumulate"), build.GP8())
	build.TESTB(accumulate, accumulate)
	build.JZ(operand.LabelRef("store"))
	for i := range d.sum {
		d.addTo(d.sum[i][0], to.row(i, 0))
	}
	build.Label("store")
	for i := range d.sum {
		d.write(d.sum[i][0], to.row(i, 0))
	}
}

// addHalves leaves a vector of 256 bits of one of 512.
func (d *dotWriter) addHalves(s reg.VecVirtual) {
	if d.vector == 64 {
		half := build.YMM()
		build.VEXTRACTF64X4(operand.Imm(1), s, half)
		d.add(half, s.AsY(), s.AsY())
	}
}

// addLanesOfFour leaves the four sums next to each other in the first.
func (d *dotWriter) addLanesOfFour(s []reg.VecVirtual) {
	s0, s1, s2, s3 := s[0].AsY(), s[1].AsY(), s[2].AsY(), s[3].AsY()
	d.hadd(s1, s0, s0)
	d.hadd(s3, s2, s2)
	if d.bytes == 4 {
		d.hadd(s2, s0, s0)
		build.VEXTRACTF128(operand.Imm(1), s0, s[1].AsX())
		build.VADDPS(s[1].AsX(), s[0].AsX(), s[0].AsX())
		return
	}
	build.VPERM2F128(operand.Imm(0x21), s2, s0, s1) // upper half of 0, lower half of 2
	build.VBLENDPD(operand.Imm(0b1100), s2, s0, s0) // lower half of 0, upper half of 2
	build.VADDPD(s1, s0, s0)
}

func (d *dotWriter) addLanes(s reg.VecVirtual) {
	half := build.XMM()
	build.VEXTRACTF128(operand.Imm(1), s.AsY(), half)
	if d.bytes == 4 {
		build.VADDPS(half, s.AsX(), s.AsX())
		build.VHADDPS(s.AsX(), s.AsX(), s.AsX())
		build.VHADDPS(s.AsX(), s.AsX(), s.AsX())
		return
	}
	build.VADDPD(half, s.AsX(), s.AsX())
	build.VHADDPD(s.AsX(), s.AsX(), s.AsX())
}

func (d *dotWriter) addTo(s reg.VecVirtual, from operand.Mem) {
	switch {
	case d.width == 4 && d.bytes == 4:
		build.VADDPS(from, s.AsX(), s.AsX())
	case d.width == 4:
		build.VADDPD(from, s.AsY(), s.AsY())
	case d.bytes == 4:
		build.VADDSS(from, s.AsX(), s.AsX())
	default:
		build.VADDSD(from, s.AsX(), s.AsX())
	}
}

func (d *dotWriter) write(s reg.VecVirtual, to operand.Mem) {
	switch {
	case d.width == 4 && d.bytes == 4:
		build.VMOVUPS(s.AsX(), to)
	case d.width == 4:
		build.VMOVUPD(s.AsY(), to)
	case d.bytes == 4:
		build.VMOVSS(s.AsX(), to)
	default:
		build.VMOVSD(s.AsX(), to)
	}
}
