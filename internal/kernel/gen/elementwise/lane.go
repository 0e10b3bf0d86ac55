package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// file is an assembly file being written, with the constants that its kernels use.
type file struct {
	*build.Context
	name      string
	constants []constant
	places    map[constant]int
	kept      map[constant]vec // constants in registers for all of a kernel
}

// constant is a bit pattern that fills a 256-bit vector.
type constant struct {
	width int // of the pattern, 32 or 64 bits
	bits  uint64
}

// place returns the memory that holds a constant in every element.
func (f *file) place(c constant) operand.Mem {
	at, ok := f.places[c]
	if !ok {
		at = len(f.constants)
		f.constants = append(f.constants, c)
		f.places[c] = at
	}
	return operand.NewDataAddr(operand.Symbol{Name: f.name + "Constants", Static: true}, 32*at)
}

func (f *file) writeConstants() {
	f.StaticGlobal(f.name + "Masks")
	f.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 8 {
		bits := int64(-1)
		if i >= 4 {
			bits = 0
		}
		f.AddDatum(8*i, operand.U64(bits))
	}
	f.StaticGlobal(f.name + "Constants")
	f.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, c := range f.constants {
		pattern := c.bits
		if c.width == 32 {
			pattern |= pattern << 32
		}
		for j := range 4 {
			f.AddDatum(32*i+8*j, operand.U64(pattern))
		}
	}
}

// masks is the address of 8 dwords of ones followed by 8 of zeros.
func (f *file) masks() operand.Mem {
	return operand.NewDataAddr(operand.Symbol{Name: f.name + "Masks", Static: true}, 0)
}

type (
	vec = reg.VecVirtual
	op  = operand.Op
)

// lane is the way in which numbers are held in vectors: 8 float32, 4 float64, or 4 float32 widened to float64 while they are
// computed with.
type lane struct {
	*file
	bits   int // of the numbers computed with
	stored int // of the numbers in memory
}

func (f *file) single() *lane  { return &lane{f, 32, 32} }
func (f *file) double() *lane  { return &lane{f, 64, 64} }
func (f *file) widened() *lane { return &lane{f, 64, 32} }

// both are the lanes that compute in the numbers' own precision.
func (f *file) both() []*lane { return []*lane{f.single(), f.double()} }

// careful are the lanes that compute in float64.
func (f *file) careful() []*lane { return []*lane{f.widened(), f.double()} }

// width is the number of elements in a vector.
func (l *lane) width() int { return 256 / l.bits }

// size is the number of bytes of an element in memory.
func (l *lane) size() int { return l.stored / 8 }

// step is the number of bytes in memory of a vector.
func (l *lane) step() int { return l.width() * l.size() }

func (l *lane) goType() string { return fmt.Sprintf("float%d", l.stored) }

func (l *lane) kernel(name string) string { return fmt.Sprintf("%s%dAVX2", name, l.stored) }

// c is the constant v in every element, as memory.
func (l *lane) c(v float64) operand.Mem { return l.place(l.key(v)) }

// pattern is a bit pattern in every element, as memory: one for float32 and one for float64.
func (l *lane) pattern(single uint32, double uint64) operand.Mem {
	if l.bits == 32 {
		return l.place(constant{32, uint64(single)})
	}
	return l.place(constant{64, double})
}

func (l *lane) signBits() operand.Mem { return l.pattern(1<<31, 1<<63) }

func (l *lane) key(v float64) constant {
	if l.bits == 32 {
		return constant{32, uint64(math.Float32bits(float32(v)))}
	}
	return constant{64, math.Float64bits(v)}
}

// keep loads constants into registers before the loops.
func (l *lane) keep(constants ...float64) {
	for _, v := range constants {
		l.kept[l.key(v)] = l.load(l.c(v))
	}
}

// held is a constant in a register, which must not be changed.
func (l *lane) held(v float64) vec {
	if r, ok := l.kept[l.key(v)]; ok {
		return r
	}
	return l.load(l.c(v))
}

// load is a vector of the lane's own precision from memory.
func (l *lane) load(m operand.Mem) vec {
	r := l.YMM()
	if l.bits == 32 {
		l.VMOVUPS(m, r)
	} else {
		l.VMOVUPD(m, r)
	}
	return r
}

func (l *lane) zero() vec {
	r := l.YMM()
	l.VXORPS(r, r, r)
	return r
}

func (l *lane) copy(x op) vec {
	r := l.YMM()
	l.VMOVAPD(x, r)
	return r
}

type instruction = func(ops ...op)

// two emits r = x∘y; y may be memory.
func (l *lane) two(single, double instruction, x, y op) vec {
	r := l.YMM()
	if l.bits == 32 {
		single(y, x, r)
	} else {
		double(y, x, r)
	}
	return r
}

func (l *lane) add(x, y op) vec { return l.two(l.VADDPS, l.VADDPD, x, y) }
func (l *lane) sub(x, y op) vec { return l.two(l.VSUBPS, l.VSUBPD, x, y) }
func (l *lane) mul(x, y op) vec { return l.two(l.VMULPS, l.VMULPD, x, y) }
func (l *lane) div(x, y op) vec { return l.two(l.VDIVPS, l.VDIVPD, x, y) }

// least and most are the processor's minimum and maximum: y where one is NaN or both are zeros.
func (l *lane) least(x, y op) vec { return l.two(l.VMINPS, l.VMINPD, x, y) }
func (l *lane) most(x, y op) vec  { return l.two(l.VMAXPS, l.VMAXPD, x, y) }

func (l *lane) and(x, y op) vec { return l.two(l.VANDPS, l.VANDPD, x, y) }
func (l *lane) or(x, y op) vec  { return l.two(l.VORPS, l.VORPD, x, y) }
func (l *lane) xor(x, y op) vec { return l.two(l.VXORPS, l.VXORPD, x, y) }

// without is y where x has no bits: ^x & y.
func (l *lane) without(x, y op) vec { return l.two(l.VANDNPS, l.VANDNPD, x, y) }

func (l *lane) intAdd(x, y op) vec { return l.two(l.VPADDD, l.VPADDQ, x, y) }
func (l *lane) intSub(x, y op) vec { return l.two(l.VPSUBD, l.VPSUBQ, x, y) }

func (l *lane) abs(x op) vec { return l.and(x, l.pattern(1<<31-1, 1<<63-1)) }

// signOf is the sign bit of x.
func (l *lane) signOf(x op) vec { return l.and(x, l.signBits()) }
func (l *lane) neg(x op) vec    { return l.xor(x, l.signBits()) }

func (l *lane) sqrt(x op) vec {
	r := l.YMM()
	if l.bits == 32 {
		l.VSQRTPS(x, r)
	} else {
		l.VSQRTPD(x, r)
	}
	return r
}

// The predicates of comparisons. NaN makes those of order false and the negated ones true.
const (
	equal           = 0x00
	unordered       = 0x03
	notEqual        = 0x04
	less            = 0x11
	lessEqual       = 0x12
	notLessEqual    = 0x16
	notGreaterEqual = 0x19
	greaterEqual    = 0x1d
	greater         = 0x1e
)

// is is all ones where x predicate y holds, else 0; y may be memory.
func (l *lane) is(predicate int, x, y op) vec {
	r := l.YMM()
	if l.bits == 32 {
		l.VCMPPS(operand.U8(predicate), y, x, r)
	} else {
		l.VCMPPD(operand.U8(predicate), y, x, r)
	}
	return r
}

// pick is y where mask has its sign bit, else x; y may be memory.
func (l *lane) pick(mask, x, y op) vec {
	r := l.YMM()
	if l.bits == 32 {
		l.VBLENDVPS(mask, y, x, r)
	} else {
		l.VBLENDVPD(mask, y, x, r)
	}
	return r
}

// fma changes p to p·x + y, in one rounding; y may be memory.
func (l *lane) fma(p vec, x, y op) {
	if l.bits == 32 {
		l.VFMADD213PS(y, x, p)
	} else {
		l.VFMADD213PD(y, x, p)
	}
}

// fms changes p to p·x − y, in one rounding; y may be memory.
func (l *lane) fms(p vec, x, y op) {
	if l.bits == 32 {
		l.VFMSUB213PS(y, x, p)
	} else {
		l.VFMSUB213PD(y, x, p)
	}
}

// addProduct changes s to s + x·y, in one rounding; y may be memory.
func (l *lane) addProduct(s vec, x, y op) {
	if l.bits == 32 {
		l.VFMADD231PS(y, x, s)
	} else {
		l.VFMADD231PD(y, x, s)
	}
}

// subProduct changes s to s − x·y, in one rounding; y may be memory.
func (l *lane) subProduct(s vec, x, y op) {
	if l.bits == 32 {
		l.VFNMADD231PS(y, x, s)
	} else {
		l.VFNMADD231PD(y, x, s)
	}
}

// polynomial is Σ cₖ·xᵏ, with even and odd powers in two chains from the fifth coefficient on: that takes half the time of one
// chain and no more instructions where x² is there already. square may be nil for short ones.
func (l *lane) polynomial(x, square vec, c ...float64) vec {
	if len(c) < 5 {
		return l.horner(x, c)
	}
	var even, odd []float64
	for k, v := range c {
		if k%2 == 0 {
			even = append(even, v)
		} else {
			odd = append(odd, v)
		}
	}
	p := l.horner(square, odd)
	l.fma(p, x, l.horner(square, even))
	return p
}

func (l *lane) horner(x vec, c []float64) vec {
	p := l.load(l.c(c[len(c)-1]))
	for k := len(c) - 2; k >= 0; k-- {
		l.fma(p, x, l.c(c[k]))
	}
	return p
}

// begin starts a kernel of the given signature.
func (l *lane) begin(name, signature, doc string) {
	l.Function(name)
	l.Attributes(attr.NOSPLIT)
	l.SignatureExpr(signature)
	l.Pragma("noescape")
	l.Doc(name + " " + doc)
	l.file.kept = map[constant]vec{}
}

func (l *lane) end() {
	l.VZEROUPPER()
	l.RET()
}

// param loads a parameter into a register.
func (l *lane) param(name string) reg.GPVirtual {
	r := l.GP64()
	l.Load(l.Param(name), r)
	return r
}

// number broadcasts a float64 parameter, rounded to the lane's precision.
func (l *lane) number(name string) vec {
	x, r := l.XMM(), l.YMM()
	l.VMOVSD(l.address(name), x)
	if l.bits == 32 {
		l.VCVTSD2SS(x, x, x)
		l.VBROADCASTSS(x, r)
	} else {
		l.VBROADCASTSD(x, r)
	}
	return r
}

// element broadcasts a parameter of the type in memory.
func (l *lane) element(name string) vec {
	r := l.YMM()
	switch {
	case l.bits == 32:
		l.VBROADCASTSS(l.address(name), r)
	case l.stored == 32:
		x := l.XMM()
		l.VMOVSS(l.address(name), x)
		l.VCVTSS2SD(x, x, x)
		l.VBROADCASTSD(x, r)
	default:
		l.VBROADCASTSD(l.address(name), r)
	}
	return r
}

// address is where a parameter is. Numbers are read from there by AVX instructions: avo's Load uses those of SSE, which wait for the
// upper halves of the vectors.
func (l *lane) address(name string) operand.Mem {
	p, err := l.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

// read loads a vector of the numbers in memory.
func (l *lane) read(m operand.Mem) vec {
	if l.bits == l.stored {
		return l.load(m)
	}
	r := l.YMM()
	l.VCVTPS2PD(m, r)
	return r
}

// readSome loads the numbers that mask selects, and 0 for the others.
func (l *lane) readSome(m operand.Mem, mask vec) vec {
	r := l.YMM()
	switch {
	case l.bits == 32:
		l.VMASKMOVPS(m, mask, r)
	case l.stored == 32:
		l.VMASKMOVPS(m, mask.AsX(), r.AsX())
		l.VCVTPS2PD(r.AsX(), r)
	default:
		l.VMASKMOVPD(m, mask, r)
	}
	return r
}

// write stores a vector of the numbers in memory.
func (l *lane) write(x vec, m operand.Mem) {
	switch {
	case l.bits == 32:
		l.VMOVUPS(x, m)
	case l.stored == 32:
		l.VCVTPD2PSY(x, x.AsX())
		l.VMOVUPS(x.AsX(), m)
	default:
		l.VMOVUPD(x, m)
	}
}

// mask is the mask of the first n elements, 0 < n < width.
func (l *lane) mask(n reg.Register) vec {
	at, table, r := l.GP64(), l.GP64(), l.YMM()
	l.LEAQ(l.masks(), table)
	l.MOVQ(n, at)
	l.NEGQ(at)
	words := operand.Mem{Base: table, Index: at, Scale: uint8(l.size()), Disp: 32}
	if l.bits == l.stored {
		l.VMOVDQU(words, r)
	} else {
		l.VMOVDQU(words, r.AsX())
	}
	return r
}

// writeSome stores the first n elements, 0 < n < width, at the base and index of m, in pieces: masked stores are slow on some
// processors. It changes x and m's index.
func (l *lane) writeSome(x vec, m operand.Mem, n reg.Register, prefix string) {
	if l.bits != l.stored {
		l.VCVTPD2PSY(x, x.AsX())
	}
	if l.bits == 32 {
		l.TESTQ(operand.U32(4), n)
		l.JZ(operand.LabelRef(prefix + "Two"))
		l.VMOVUPS(x.AsX(), m)
		l.VEXTRACTF128(operand.U8(1), x, x.AsX())
		l.ADDQ(operand.Imm(16), m.Index)
		l.Label(prefix + "Two")
	}
	if l.stored == 32 {
		l.TESTQ(operand.U32(2), n)
		l.JZ(operand.LabelRef(prefix + "One"))
		l.VMOVLPS(x.AsX(), m)
		l.VMOVHLPS(x.AsX(), x.AsX(), x.AsX())
		l.ADDQ(operand.Imm(8), m.Index)
		l.Label(prefix + "One")
		l.TESTQ(operand.U32(1), n)
		l.JZ(operand.LabelRef(prefix + "None"))
		l.VMOVSS(x.AsX(), m)
		l.Label(prefix + "None")
		return
	}
	l.TESTQ(operand.U32(2), n)
	l.JZ(operand.LabelRef(prefix + "One"))
	l.VMOVUPD(x.AsX(), m)
	l.VEXTRACTF128(operand.U8(1), x, x.AsX())
	l.ADDQ(operand.Imm(16), m.Index)
	l.Label(prefix + "One")
	l.TESTQ(operand.U32(1), n)
	l.JZ(operand.LabelRef(prefix + "None"))
	l.VMOVSD(x.AsX(), m)
	l.Label(prefix + "None")
}
