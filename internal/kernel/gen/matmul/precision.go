package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// precision is what differs between float32 and float64: the instructions, and how many numbers a vector holds.
type precision struct {
	name  string // the Go type
	bits  string // the suffix of functions
	bytes int
	lanes int // in a vector of 256 bits

	move      func(...operand.Op)
	broadcast func(...operand.Op)
	fma       func(...operand.Op) // the last operand += the product of the others
	add       func(...operand.Op)
	masked    func(m, x, y operand.Op)
	hadd      func(x, y, z operand.Op)

	masks operand.Mem // lanes of ones, then lanes of zeros
}

func float32s() *precision {
	return &precision{
		name: "float32", bits: "32", bytes: 4, lanes: 8,
		move: build.VMOVUPS, broadcast: build.VBROADCASTSS, fma: build.VFMADD231PS, add: build.VADDPS,
		masked: build.VMASKMOVPS, hadd: build.VHADDPS,
		masks: maskTable("masks32", 8, operand.U32(0xffffffff), operand.U32(0)),
	}
}

func float64s() *precision {
	return &precision{
		name: "float64", bits: "64", bytes: 8, lanes: 4,
		move: build.VMOVUPD, broadcast: build.VBROADCASTSD, fma: build.VFMADD231PD, add: build.VADDPD,
		masked: build.VMASKMOVPD, hadd: build.VHADDPD,
		masks: maskTable("masks64", 4, operand.U64(0xffffffffffffffff), operand.U64(0)),
	}
}

func maskTable(name string, lanes int, ones, zeros operand.Constant) operand.Mem {
	table := build.GLOBL(name, attr.RODATA|attr.NOPTR)
	for i := range lanes {
		build.DATA(i*ones.Bytes(), ones)
	}
	for i := range lanes {
		build.DATA((lanes+i)*ones.Bytes(), zeros)
	}
	return table
}

// mask returns a vector whose first lanes, as many as count says (0 to lanes), are set.
func (p *precision) mask(count reg.GPVirtual) reg.VecVirtual {
	at, end, mask := build.GP64(), build.GP64(), build.YMM()
	build.LEAQ(p.masks.Offset(p.lanes*p.bytes), end)
	build.MOVQ(count, at)
	build.NEGQ(at)
	p.move(operand.Mem{Base: end, Index: at, Scale: uint8(p.bytes)}, mask)
	return mask
}

func zero(x reg.Register) { build.VXORPS(x, x, x) }

// text starts a function; its arguments are named as in the signature.
func text(name, signature string, doc ...string) {
	build.TEXT(name, build.NOSPLIT, signature)
	build.Pragma("noescape")
	build.Doc(doc...)
}

func load(name string) reg.GPVirtual {
	return build.Load(build.Param(name), build.GP64()).(reg.GPVirtual)
}

func at(base reg.Register, displacement int) operand.Mem {
	return operand.Mem{Base: base, Disp: displacement}
}

func indexed(base, index reg.Register, scale, displacement int) operand.Mem {
	return operand.Mem{Base: base, Index: index, Scale: uint8(scale), Disp: displacement}
}

// rows are the addresses of up to eight rows that lie a stride apart: one pointer and a few multiples of the stride reach all.
type rows struct {
	base, third reg.Register // rows 0 and 3
	stride      reg.Register
}

// threeApart returns the pointer to the row that is three after base.
func threeApart(base, stride reg.Register) reg.GPVirtual {
	third := build.GP64()
	build.LEAQ(indexed(base, stride, 2, 0), third)
	build.ADDQ(stride, third)
	return third
}

// row addresses row i of at most six.
func (r rows) row(i, displacement int) operand.Mem {
	base := r.base
	if i >= 3 {
		base, i = r.third, i-3
	}
	if i == 0 {
		return at(base, displacement)
	}
	return indexed(base, r.stride, i, displacement)
}

// count is a number in an instruction.
func count(n int) operand.Constant { return operand.U32(n) }
