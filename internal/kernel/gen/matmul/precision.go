package main

import (
	"strings"
	"unicode/utf8"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// precision is what differs between float32 and float64, and between the
// vectors of AVX2 and of AVX-512: the instructions, how many numbers a vector
// holds, and how high the tiles are.
type precision struct {
	name   string // the Go type
	suffix string // of functions
	bytes  int
	lanes  int   // in a vector
	vector int   // bytes of it
	height int   // rows of the highest tile, and of a panel of a
	wide   []int // by rows, the vectors of the wide tiles; 0 where there are none

	unrolls bool // a step has too few FMAs to hide the moves of pointers

	move      func(...operand.Op)
	broadcast func(...operand.Op)
	fma       func(...operand.Op) // the last operand += the product of the others
	add       func(...operand.Op)
	hadd      func(x, y, z operand.Op)

	set
}

// set is what differs between AVX2 and AVX-512.
type set struct {
	register    func() reg.VecVirtual
	mask        func(count reg.GPVirtual) reg.Register // the first lanes, as many as count says (0 to lanes)
	loadMasked  func(from operand.Mem, mask, to reg.Register)
	storeMasked func(x, mask reg.Register, to operand.Mem)
}

// precisions are those of both sets.
func precisions() []*precision {
	var all []*precision
	vectorMasks, bitMasks := vectorMaskTable(), bitMaskTable()
	for _, p := range []precision{
		{
			name: "float32", suffix: "F32", bytes: 4,
			move: build.VMOVUPS, broadcast: build.VBROADCASTSS, fma: build.VFMADD231PS, add: build.VADDPS, hadd: build.VHADDPS,
		},
		{
			name: "float64", suffix: "F64", bytes: 8,
			move: build.VMOVUPD, broadcast: build.VBROADCASTSD, fma: build.VFMADD231PD, add: build.VADDPD, hadd: build.VHADDPD,
		},
	} {
		narrow, wide := p, p
		narrow.avx2(vectorMasks)
		wide.avx512(bitMasks)
		all = append(all, &narrow, &wide)
	}
	return all
}

// avx2 has vectors of 256 bits, 16 registers for them, and masks in vectors.
func (p *precision) avx2(vectorMasks operand.Mem) {
	p.suffix, p.vector, p.lanes, p.height = p.suffix+"AVX2", 32, 32/p.bytes, 6
	p.wide = []int{1: 8, 2: 4}
	p.unrolls = true
	p.register = build.YMM
	p.mask = func(count reg.GPVirtual) reg.Register {
		at, end, mask := build.GP64(), build.GP64(), build.YMM()
		build.LEAQ(vectorMasks.Offset(32), end)
		build.MOVQ(count, at)
		build.NEGQ(at)
		p.move(operand.Mem{Base: end, Index: at, Scale: uint8(p.bytes)}, mask)
		return mask
	}
	masked := build.VMASKMOVPS
	if p.bytes == 8 {
		masked = build.VMASKMOVPD
	}
	p.loadMasked = func(from operand.Mem, mask, to reg.Register) { masked(from, mask, to) }
	p.storeMasked = func(x, mask reg.Register, to operand.Mem) { masked(x, mask, to) }
}

// avx512 has vectors of 512 bits, 32 registers for them, and registers of bits
// for masks.
func (p *precision) avx512(bitMasks operand.Mem) {
	p.suffix, p.vector, p.lanes, p.height = p.suffix+"AVX512", 64, 64/p.bytes, 12
	p.wide = []int{1: 8, 2: 8, 3: 8, 4: 6}
	p.register = build.ZMM
	p.mask = func(count reg.GPVirtual) reg.Register {
		table, mask := build.GP64(), build.K()
		build.LEAQ(bitMasks, table)
		build.KMOVW(operand.Mem{Base: table, Index: count, Scale: 2}, mask)
		return mask
	}
	zeroing := build.VMOVUPS_Z
	if p.bytes == 8 {
		zeroing = build.VMOVUPD_Z
	}
	p.loadMasked = func(from operand.Mem, mask, to reg.Register) { zeroing(from, mask, to) }
	p.storeMasked = func(x, mask reg.Register, to operand.Mem) { p.move(x, mask, to) }
}

// vectorMaskTable writes a vector of ones, then one of zeros.
func vectorMaskTable() operand.Mem {
	table := build.GLOBL("vectorMasks", attr.RODATA|attr.NOPTR)
	for i := range 4 {
		build.DATA(8*i, operand.U64(0xffffffffffffffff))
	}
	for i := range 4 {
		build.DATA(32+8*i, operand.U64(0))
	}
	return table
}

// bitMaskTable writes words with the lowest 0 to 16 bits set.
func bitMaskTable() operand.Mem {
	table := build.GLOBL("bitMasks", attr.RODATA|attr.NOPTR)
	for i := range 17 {
		build.DATA(2*i, operand.U16(1<<i-1))
	}
	return table
}

// registers returns n registers for vectors.
func (p *precision) registers(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = p.register()
	}
	return v
}

func zero(x reg.Register) { build.VXORPS(x, x, x) }

// text starts a function with the given signature.
func text(name, signature string, doc ...string) {
	build.TEXT(name, build.NOSPLIT, signature)
	build.Pragma("noescape")
	build.Doc(wrapped(strings.Join(doc, " "))...)
}

// wrapped are the lines of a comment, up to 80 characters wide with its
// slashes.
func wrapped(text string) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > 77 {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
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

// rows are the addresses of rows that are a stride apart; every third row has a
// pointer of its own.
type rows struct {
	pointers []reg.GPVirtual
	stride   reg.GPVirtual
}

// rowsFrom returns the addresses of n rows. The first pointer is base itself.
func rowsFrom(base, stride reg.GPVirtual, n int) rows {
	r := rows{pointers: []reg.GPVirtual{base}, stride: stride}
	for i := 3; i < n; i += 3 {
		next := build.GP64()
		build.LEAQ(indexed(r.pointers[i/3-1], stride, 2, 0), next)
		build.ADDQ(stride, next)
		r.pointers = append(r.pointers, next)
	}
	return r
}

func (r rows) row(i, displacement int) operand.Mem {
	if i%3 == 0 {
		return at(r.pointers[i/3], displacement)
	}
	return indexed(r.pointers[i/3], r.stride, i%3, displacement)
}

// advance moves all pointers on.
func (r rows) advance(by operand.Op) {
	for _, pointer := range r.pointers {
		build.ADDQ(by, pointer)
	}
}

// count is a number as an operand.
func count(n int) operand.Constant { return operand.U32(n) }
