// Command sliding writes the assembly of what slides windows over images:
// weighted sums (depthwise convolution, means), dot products with a map (the
// gradient of weights), maxima with their places, and the copies that take a
// row apart into every other element and put it together. There is a set of
// kernels for AVX2 with FMA, and one for AVX-512, which has the copies of the
// first.
package main

import (
	"strings"
	"unicode/utf8"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	for _, p := range precisions() {
		p.weightedSums()
		p.dots()
		p.greatest(false)
		p.greatest(true)
		if p.vector == 32 {
			p.split()
			p.join()
			p.rows()
		}
	}
	build.Generate()
}

// precision is what differs between float32 and float64, and between the
// vectors of AVX2 and of AVX-512.
type precision struct {
	name   string // the Go type
	suffix string // of functions
	bytes  int
	lanes  int // in a vector
	vector int // bytes of it

	move, broadcast, fma, add, hadd func(...operand.Op)
}

func precisions() []*precision {
	var all []*precision
	for _, p := range []precision{
		{name: "float32", suffix: "F32", bytes: 4, move: build.VMOVUPS, broadcast: build.VBROADCASTSS, fma: build.VFMADD231PS, add: build.VADDPS},
		{name: "float64", suffix: "F64", bytes: 8, move: build.VMOVUPD, broadcast: build.VBROADCASTSD, fma: build.VFMADD231PD, add: build.VADDPD},
	} {
		narrow, wide := p, p
		narrow.suffix, narrow.vector, narrow.lanes = p.suffix+"AVX2", 32, 32/p.bytes
		wide.suffix, wide.vector, wide.lanes = p.suffix+"AVX512", 64, 64/p.bytes
		all = append(all, &narrow, &wide)
	}
	return all
}

func (p *precision) register() reg.VecVirtual {
	if p.vector == 64 {
		return build.ZMM()
	}
	return build.YMM()
}

func (p *precision) registers(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = p.register()
	}
	return v
}

// shift makes bytes of a number of numbers.
func (p *precision) shift() operand.Constant { return operand.Imm(uint64(p.bytes/4 + 1)) }

// text starts a function with the given signature.
func text(name, signature, doc string) {
	build.TEXT(name, build.NOSPLIT, signature)
	build.Pragma("noescape")
	var lines []string
	line := ""
	for _, word := range strings.Fields(name + " " + doc) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > 77 {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	build.Doc(append(lines, line)...)
}

func load(name string) reg.GPVirtual {
	return build.Load(build.Param(name), build.GP64()).(reg.GPVirtual)
}

// param is an argument where it lies.
func param(name string) operand.Mem {
	argument, err := build.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return argument.Addr
}

func at(base reg.Register, displacement int) operand.Mem {
	return operand.Mem{Base: base, Disp: displacement}
}

func indexed(base, index reg.Register, scale, displacement int) operand.Mem {
	return operand.Mem{Base: base, Index: index, Scale: uint8(scale), Disp: displacement}
}

func ref(name string) operand.LabelRef { return operand.LabelRef(name) }

func imm(n int) operand.Constant { return operand.U32(n) }

func end() {
	build.VZEROUPPER()
	build.RET()
}

// vectorMasks is a vector of ones, then one of zeros.
func vectorMasks() operand.Mem {
	table := build.GLOBL("windowMasks", attr.RODATA|attr.NOPTR)
	for i := range 4 {
		build.DATA(8*i, operand.U64(0xffffffffffffffff))
	}
	for i := range 4 {
		build.DATA(32+8*i, operand.U64(0))
	}
	return table
}

// most is the number of vectors that are computed together.
const most = 4

// row writes the loop over the vectors of a row of at least one vector: block
// computes so many of them, at the places that it is given as registers of
// bytes and displacements. The last vector of the row ends where it does, and
// so may overlap the one before.
func (p *precision) row(bytes reg.Register, block func(vectors int, place func(i int) (reg.Register, int))) {
	i, last := build.GP64(), build.GP64()
	build.XORQ(i, i)
	build.LEAQ(at(bytes, -p.vector), last)
	whole := func(j int) (reg.Register, int) { return i, j * p.vector }
	build.Label("blocks")
	rest := build.GP64()
	build.MOVQ(bytes, rest)
	build.SUBQ(i, rest)
	for n := most; n > 1; n-- {
		build.CMPQ(rest, imm((n-1)*p.vector))
		build.JG(ref([]string{2: "two", 3: "three", 4: "four"}[n]))
	}
	tail := func(n int) {
		block(n, func(j int) (reg.Register, int) {
			if j == n-1 {
				return last, 0
			}
			return whole(j)
		})
		build.JMP(ref("rowEnd"))
	}
	tail(1)
	build.Label("two")
	tail(2)
	build.Label("three")
	tail(3)
	build.Label("four")
	build.CMPQ(rest, imm(most*p.vector))
	build.JG(ref("whole"))
	tail(4)
	build.Label("whole")
	block(most, whole)
	build.ADDQ(imm(most*p.vector), i)
	build.JMP(ref("blocks"))
	build.Label("rowEnd")
}

// taps writes a loop over the windows' elements. body gets the address of the
// row's source, moved by the element's offset, and its number.
func taps(label string, p *precision, src, offsets, count reg.Register, body func(from, tap reg.Register)) {
	t, from := build.GP64(), build.GP64()
	build.XORQ(t, t)
	build.Label(label)
	build.MOVQ(indexed(offsets, t, 8, 0), from)
	build.LEAQ(indexed(src, from, p.bytes, 0), from)
	body(from, t)
	build.INCQ(t)
	build.CMPQ(t, count)
	build.JL(ref(label))
}

// labels numbers the loops of a function.
type labels struct{ n int }

func (l *labels) next(name string) string {
	l.n++
	return name + string(rune('a'+l.n-1))
}

func (p *precision) weightedSums() {
	text("weightedSums"+p.suffix, "func(dst, src, w *"+p.name+", offsets *int, taps, n, rows, strideDst, strideSrc int, start "+p.name+")",
		"computes rows of n ≥ a vector elements: dst[i] = start + Σ w[t]·src[i + offsets[t]] over at least one tap. The strides are in bytes.")
	dst, src, w, offsets := load("dst"), load("src"), load("w"), load("offsets")
	count, bytes, rows := load("taps"), load("n"), load("rows")
	build.SHLQ(p.shift(), bytes)
	var l labels
	build.Label("rows")
	p.row(bytes, func(vectors int, place func(i int) (reg.Register, int)) {
		sum := p.registers(vectors)
		start := param("start")
		for _, s := range sum {
			p.broadcast(start, s)
		}
		taps(l.next("tap"), p, src, offsets, count, func(from, tap reg.Register) {
			weight := p.register()
			p.broadcast(indexed(w, tap, p.bytes, 0), weight)
			for i, s := range sum {
				index, disp := place(i)
				p.fma(indexed(from, index, 1, disp), weight, s)
			}
		})
		for i, s := range sum {
			index, disp := place(i)
			p.move(s, indexed(dst, index, 1, disp))
		}
	})
	build.ADDQ(param("strideDst"), dst)
	build.ADDQ(param("strideSrc"), src)
	build.DECQ(rows)
	build.JNZ(ref("rows"))
	end()
}

// dotTaps is the number of sums that dots computes together.
const dotTaps = 9

func (p *precision) dots() {
	text("windowDots"+p.suffix, "func(dst, y, src *"+p.name+", offsets *int, n, rows, strideY, strideSrc int)",
		"computes nine sums over rows of n elements: dst[t] = Σ y[i]·src[i + offsets[t]]. The strides are in bytes.")
	y, src, offsets := load("y"), load("src"), load("offsets")
	rest, rows := load("n"), load("rows")
	sums := p.registers(dotTaps)
	for _, s := range sums {
		build.VXORPS(s, s, s)
	}
	bytes := build.GP64()
	build.MOVQ(rest, bytes)
	build.ANDQ(operand.I32(-p.lanes), bytes)
	build.SUBQ(bytes, rest)
	build.SHLQ(p.shift(), bytes)
	mask := p.maskOf(rest)
	i, from, value := build.GP64(), build.GP64(), p.register()
	build.Label("rows")
	build.XORQ(i, i)
	build.CMPQ(bytes, imm(0))
	build.JE(ref("whole"))
	build.Label("vectors")
	p.move(indexed(y, i, 1, 0), value)
	next := build.GP64()
	build.LEAQ(indexed(src, i, 1, 0), next)
	for t, s := range sums {
		build.MOVQ(at(offsets, 8*t), from)
		p.fma(indexed(next, from, p.bytes, 0), value, s)
	}
	build.ADDQ(imm(p.vector), i)
	build.CMPQ(i, bytes)
	build.JL(ref("vectors"))
	build.Label("whole")
	build.TESTQ(rest, rest)
	build.JZ(ref("rowEnd"))
	p.loadMasked(indexed(y, i, 1, 0), mask, value)
	build.LEAQ(indexed(src, i, 1, 0), next)
	for t, s := range sums {
		part := p.register()
		build.MOVQ(at(offsets, 8*t), from)
		p.loadMasked(indexed(next, from, p.bytes, 0), mask, part)
		p.fma(part, value, s)
	}
	build.Label("rowEnd")
	build.ADDQ(param("strideY"), y)
	build.ADDQ(param("strideSrc"), src)
	build.DECQ(rows)
	build.JNZ(ref("rows"))
	dst := load("dst")
	for t, s := range sums {
		p.storeSum(s, at(dst, t*p.bytes))
	}
	end()
}

// maskOf has the lowest lanes set, as many as count says.
func (p *precision) maskOf(count reg.GPVirtual) reg.Register {
	if p.vector == 64 {
		shift, bits, mask := build.GP64(), build.GP64(), build.K()
		build.MOVQ(count, shift)
		build.MOVQ(operand.U32(1), bits)
		build.SHLXQ(shift, bits, bits)
		build.DECQ(bits)
		build.KMOVW(bits.As32(), mask)
		return mask
	}
	back, table, mask := build.GP64(), build.GP64(), build.YMM()
	build.LEAQ(masks.Offset(32), table)
	build.MOVQ(count, back)
	build.NEGQ(back)
	p.move(indexed(table, back, p.bytes, 0), mask)
	return mask
}

var masks = vectorMasks()

func (p *precision) loadMasked(from operand.Mem, mask, to reg.Register) {
	switch {
	case p.vector == 64 && p.bytes == 4:
		build.VMOVUPS_Z(from, mask, to)
	case p.vector == 64:
		build.VMOVUPD_Z(from, mask, to)
	case p.bytes == 4:
		build.VMASKMOVPS(from, mask, to)
	default:
		build.VMASKMOVPD(from, mask, to)
	}
}

// storeSum writes the sum of a vector's lanes.
func (p *precision) storeSum(s reg.VecVirtual, to operand.Mem) {
	if p.vector == 64 {
		half := build.YMM()
		build.VEXTRACTF64X4(operand.Imm(1), s, half)
		p.add(half, s.AsY(), s.AsY())
	}
	half := build.XMM()
	build.VEXTRACTF128(operand.Imm(1), s.AsY(), half)
	if p.bytes == 4 {
		build.VADDPS(half, s.AsX(), s.AsX())
		build.VHADDPS(s.AsX(), s.AsX(), s.AsX())
		build.VHADDPS(s.AsX(), s.AsX(), s.AsX())
		build.VMOVSS(s.AsX(), to)
		return
	}
	build.VADDPD(half, s.AsX(), s.AsX())
	build.VHADDPD(s.AsX(), s.AsX(), s.AsX())
	build.VMOVSD(s.AsX(), to)
}

// greatest writes the maxima of windows, with their places or without.
func (p *precision) greatest(places bool) {
	name, more, doc := "windowMaxima", "", ""
	if places {
		name, more = "windowPlaces", ", index, columns, start *int32, deltas, rowPlaces, rowStarts *int"
		doc = " Its place is rowPlaces[r] + columns[i] + deltas[t], or rowStarts[r] + start[i] where no element is greater than −Inf."
	}
	text(name+p.suffix, "func(dst, src *"+p.name+", offsets *int, taps, n, rows, strideDst, strideSrc int"+more+")",
		"computes rows of n ≥ a vector elements: dst[i] is the first greatest of src[i + offsets[t]] over at least one tap, the last NaN if there is one."+doc+" The strides are in bytes.")
	dst, src, offsets := load("dst"), load("src"), load("offsets")
	count, bytes := load("taps"), load("n")
	build.SHLQ(p.shift(), bytes)
	rows := param("rows")
	var deltas reg.GPVirtual
	var l labels
	build.Label("rows")
	p.row(bytes, func(vectors int, place func(i int) (reg.Register, int)) {
		best := p.registers(vectors)
		low := p.register()
		p.broadcast(p.lowest(), low)
		for _, b := range best {
			p.move(low, b)
		}
		var chosen, here []reg.VecVirtual
		if places {
			chosen, here = p.registers(vectors), p.registers(vectors)
			start, columns, rowPlaces, rowStarts := load("start"), load("columns"), load("rowPlaces"), load("rowStarts")
			base := p.register()
			p.broadcastInt(at(rowStarts, 0), base)
			for i := range chosen {
				p.loadInts(start, place, i, chosen[i])
				p.addInts(base, chosen[i], chosen[i])
			}
			p.broadcastInt(at(rowPlaces, 0), base)
			for i := range here {
				p.loadInts(columns, place, i, here[i])
				p.addInts(base, here[i], here[i])
			}
			deltas = load("deltas")
		}
		taps(l.next("tap"), p, src, offsets, count, func(from, tap reg.Register) {
			var delta reg.VecVirtual
			if places {
				delta = p.register()
				p.broadcastInt(indexed(deltas, tap, 8, 0), delta)
			}
			for i := range best {
				register, disp := place(i)
				value := p.register()
				p.move(indexed(from, register, 1, disp), value)
				p.choose(value, best[i], func(mask reg.Register, take func(mask reg.Register, x, y reg.VecVirtual)) {
					if places {
						at := p.register()
						p.addInts(delta, here[i], at)
						take(mask, at, chosen[i])
					}
				})
			}
		})
		for i, b := range best {
			register, disp := place(i)
			p.move(b, indexed(dst, register, 1, disp))
		}
		if places {
			index := load("index")
			for i := range chosen {
				p.storeInts(chosen[i], index, place, i)
			}
		}
	})
	build.ADDQ(param("strideDst"), dst)
	build.ADDQ(param("strideSrc"), src)
	if places {
		// The index has rows of as many elements as dst, of four bytes.
		step := build.GP64()
		build.MOVQ(param("strideDst"), step)
		if p.bytes == 8 {
			build.SHRQ(operand.Imm(1), step)
		}
		build.ADDQ(step, param("index"))
		build.ADDQ(operand.Imm(8), param("rowPlaces"))
		build.ADDQ(operand.Imm(8), param("rowStarts"))
	}
	build.DECQ(rows)
	build.JNZ(ref("rows"))
	end()
}

// lowest is −Inf in memory.
func (p *precision) lowest() operand.Mem {
	if p.bytes == 4 {
		return low32
	}
	return low64
}

var low32, low64 = func() (x, y operand.Mem) {
	x = build.GLOBL("windowLow32", attr.RODATA|attr.NOPTR)
	build.DATA(0, operand.U32(0xff800000))
	y = build.GLOBL("windowLow64", attr.RODATA|attr.NOPTR)
	build.DATA(0, operand.U64(0xfff0000000000000))
	return x, y
}()

// choose replaces the lanes of best where value is greater or NaN. more may
// replace lanes of others by the same mask.
func (p *precision) choose(value, best reg.VecVirtual, more func(mask reg.Register, take func(mask reg.Register, x, y reg.VecVirtual))) {
	const greater, unordered = 30, 3 // quiet
	if p.vector == 64 {
		mask, nan := build.K(), build.K()
		compare, blend := build.VCMPPS, build.VBLENDMPS
		if p.bytes == 8 {
			compare, blend = build.VCMPPD, build.VBLENDMPD
		}
		compare(operand.Imm(greater), best, value, mask)
		compare(operand.Imm(unordered), value, value, nan)
		build.KORW(nan, mask, mask)
		blend(value, best, mask, best)
		more(mask, func(mask reg.Register, x, y reg.VecVirtual) { blend(x, y, mask, y) })
		return
	}
	mask, nan := build.YMM(), build.YMM()
	compare, blend := build.VCMPPS, build.VBLENDVPS
	if p.bytes == 8 {
		compare, blend = build.VCMPPD, build.VBLENDVPD
	}
	compare(operand.Imm(greater), best, value, mask)
	compare(operand.Imm(unordered), value, value, nan)
	build.VORPS(nan, mask, mask)
	blend(mask, value, best, best)
	more(mask, func(mask reg.Register, x, y reg.VecVirtual) { blend(mask, x, y, y) })
}

// broadcastInt fills the lanes of integers, as wide as the numbers.
func (p *precision) broadcastInt(from operand.Mem, to reg.VecVirtual) {
	if p.bytes == 4 {
		build.VPBROADCASTD(from, to)
	} else {
		build.VPBROADCASTQ(from, to)
	}
}

func (p *precision) addInts(x, y, to reg.VecVirtual) {
	if p.bytes == 4 {
		build.VPADDD(x, y, to)
	} else {
		build.VPADDQ(x, y, to)
	}
}

// halved is the place of a vector's integers of four bytes.
func (p *precision) halved(base reg.Register, place func(i int) (reg.Register, int), i int) operand.Mem {
	register, disp := place(i)
	if p.bytes == 4 {
		return indexed(base, register, 1, disp)
	}
	half := build.GP64()
	build.MOVQ(register, half)
	build.SHRQ(operand.Imm(1), half)
	return indexed(base, half, 1, disp/2)
}

func (p *precision) loadInts(base reg.Register, place func(i int) (reg.Register, int), i int, to reg.VecVirtual) {
	from := p.halved(base, place, i)
	switch {
	case p.bytes == 8:
		build.VPMOVSXDQ(from, to)
	case p.vector == 64:
		build.VMOVDQU32(from, to)
	default:
		build.VMOVDQU(from, to)
	}
}

func (p *precision) storeInts(x reg.VecVirtual, base reg.Register, place func(i int) (reg.Register, int), i int) {
	to := p.halved(base, place, i)
	switch {
	case p.bytes == 4 && p.vector == 64:
		build.VMOVDQU32(x, to)
	case p.bytes == 4:
		build.VMOVDQU(x, to)
	case p.vector == 64:
		build.VPMOVQD(x, to)
	default:
		high := build.XMM()
		build.VEXTRACTF128(operand.Imm(1), x, high)
		build.VSHUFPS(operand.Imm(0x88), high, x.AsX(), high)
		build.VMOVUPS(high, to)
	}
}

// pairs writes the loop of a copy of n ≥ a vector numbers or pairs in each of
// some rows. The last vector may overlap the one before.
func (p *precision) pairs(pointers []reg.GPVirtual, strides []string, body func(i reg.Register)) {
	bytes, rows, i, last := load("n"), load("rows"), build.GP64(), build.GP64()
	build.SHLQ(p.shift(), bytes)
	build.LEAQ(at(bytes, -p.vector), last)
	build.Label("rows")
	build.XORQ(i, i)
	build.Label("vectors")
	build.CMPQ(i, last)
	build.CMOVQGT(last, i)
	body(i)
	build.ADDQ(imm(p.vector), i)
	build.CMPQ(i, bytes)
	build.JL(ref("vectors"))
	for k, pointer := range pointers {
		build.ADDQ(param(strides[k]), pointer)
	}
	build.DECQ(rows)
	build.JNZ(ref("rows"))
	end()
}

func (p *precision) split() {
	text("splitPairs"+p.suffix, "func(even, odd, src *"+p.name+", n, rows, strideDst, strideSrc int)",
		"takes rows of n ≥ a vector pairs apart. The strides are in bytes.")
	even, odd, src := load("even"), load("odd"), load("src")
	p.pairs([]reg.GPVirtual{even, odd, src}, []string{"strideDst", "strideDst", "strideSrc"}, func(i reg.Register) {
		a, b, x, y := build.YMM(), build.YMM(), build.YMM(), build.YMM()
		p.move(indexed(src, i, 2, 0), a)
		p.move(indexed(src, i, 2, 32), b)
		if p.bytes == 4 {
			build.VSHUFPS(operand.Imm(0x88), b, a, x)
			build.VSHUFPS(operand.Imm(0xdd), b, a, y)
		} else {
			build.VUNPCKLPD(b, a, x)
			build.VUNPCKHPD(b, a, y)
		}
		build.VPERMPD(operand.Imm(0xd8), x, x)
		build.VPERMPD(operand.Imm(0xd8), y, y)
		p.move(x, indexed(even, i, 1, 0))
		p.move(y, indexed(odd, i, 1, 0))
	})
}

func (p *precision) join() {
	text("joinPairs"+p.suffix, "func(dst, even, odd *"+p.name+", n, rows, strideDst, strideSrc int)",
		"puts rows of n ≥ a vector pairs together. The strides are in bytes.")
	dst, even, odd := load("dst"), load("even"), load("odd")
	p.pairs([]reg.GPVirtual{dst, even, odd}, []string{"strideDst", "strideSrc", "strideSrc"}, func(i reg.Register) {
		a, b, x, y, z := build.YMM(), build.YMM(), build.YMM(), build.YMM(), build.YMM()
		p.move(indexed(even, i, 1, 0), a)
		p.move(indexed(odd, i, 1, 0), b)
		if p.bytes == 4 {
			build.VUNPCKLPS(b, a, x)
			build.VUNPCKHPS(b, a, y)
		} else {
			build.VUNPCKLPD(b, a, x)
			build.VUNPCKHPD(b, a, y)
		}
		build.VPERM2F128(operand.Imm(0x20), y, x, z)
		build.VPERM2F128(operand.Imm(0x31), y, x, x)
		p.move(z, indexed(dst, i, 2, 0))
		p.move(x, indexed(dst, i, 2, 32))
	})
}

func (p *precision) rows() {
	text("copyRows"+p.suffix, "func(dst, src *"+p.name+", n, rows, strideDst, strideSrc int)",
		"copies rows of n ≥ a vector elements. The strides are in bytes.")
	dst, src := load("dst"), load("src")
	p.pairs([]reg.GPVirtual{dst, src}, []string{"strideDst", "strideSrc"}, func(i reg.Register) {
		a := build.YMM()
		p.move(indexed(src, i, 1, 0), a)
		p.move(a, indexed(dst, i, 1, 0))
	})
}
