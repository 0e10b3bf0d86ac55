package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"
)

// file is an assembly file being written, with the constants that its kernels
// use.
type file struct {
	*build.Context
	*tables
	name      string
	vector    int // bits of a register: 256 or 512
	constants []constant
	places    map[constant]int
	kept      map[constant]vec // constants in registers for all of a kernel
	pieces    [][pieceCount]float32
}

// constant is a bit pattern that fills a vector.
type constant struct {
	width int // of the pattern, 32 or 64 bits
	bits  uint64
}

// slot is the number of bytes that hold a constant: a whole vector of 256 bits,
// or one number, which instructions on 512 bits broadcast.
func (f *file) slot() int {
	if f.vector == 512 {
		return 8
	}
	return 32
}

// place returns the memory that holds a constant in every element.
func (f *file) place(c constant) operand.Mem {
	at, ok := f.places[c]
	if !ok {
		at = len(f.constants)
		f.constants = append(f.constants, c)
		f.places[c] = at
	}
	return operand.NewDataAddr(operand.Symbol{Name: f.name + "Constants", Static: true}, f.slot()*at)
}

// isConstant reports whether an operand is one number in memory, which an
// instruction on 512 bits has to broadcast.
func (f *file) isConstant(x op) bool {
	m, ok := x.(operand.Mem)
	return ok && f.vector == 512 && m.Symbol.Name == f.name+"Constants"
}

func (f *file) writeConstants() {
	if f.vector == 256 {
		f.writeMasks()
	}
	f.StaticGlobal(f.name + "Constants")
	f.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, c := range f.constants {
		pattern := c.bits
		if c.width == 32 {
			pattern |= pattern << 32
		}
		for j := 0; j < f.slot(); j += 8 {
			f.AddDatum(f.slot()*i+j, operand.U64(pattern))
		}
	}
}

// writePieces writes the tables that instructions look up by the place of an
// argument. With 512 bits there are twice as many lanes as pieces, and each
// table comes twice.
func (f *file) writePieces() {
	if len(f.pieces) == 0 {
		return
	}
	f.StaticGlobal(f.name + "Pieces")
	f.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, table := range f.pieces {
		for j := range f.vector / 32 {
			f.AddDatum(f.vector/8*i+4*j, operand.U32(math.Float32bits(table[j%pieceCount])))
		}
	}
}

func (f *file) writeMasks() {
	f.StaticGlobal(f.name + "Masks")
	f.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 8 {
		bits := int64(-1)
		if i >= 4 {
			bits = 0
		}
		f.AddDatum(8*i, operand.U64(bits))
	}
}

// masks is the address of 8 dwords of ones followed by 8 of zeros.
func (f *file) masks() operand.Mem {
	return operand.NewDataAddr(operand.Symbol{Name: f.name + "Masks", Static: true}, 0)
}

// A mask says for each element of a vector whether something holds. With 256
// bits it is a vector, whose sign bits count; with 512 bits it is a register of
// one bit for each element.
type (
	vec  = reg.VecVirtual
	op   = operand.Op
	mask = operand.Op
)

// lane is a way to hold numbers in vectors. With 256 bits these are 8 float32,
// 4 float64, or 4 float32 that are widened to float64 while in registers.
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
func (l *lane) width() int { return l.vector / l.bits }

// size is the number of bytes of an element in memory.
func (l *lane) size() int { return l.stored / 8 }

// step is the number of bytes in memory of a vector.
func (l *lane) step() int { return l.width() * l.size() }

func (l *lane) goType() string { return fmt.Sprintf("float%d", l.stored) }

func (l *lane) kernel(name string) string { return fmt.Sprintf("%s%d%s", name, l.stored, l.set()) }

// set names the kernels of a width.
func (f *file) set() string {
	if f.vector == 512 {
		return "AVX512"
	}
	return "AVX2"
}

// register is a vector of the file's width.
func (f *file) register() vec {
	if f.vector == 512 {
		return f.ZMM()
	}
	return f.YMM()
}

// c is a vector with the constant v in every element, in memory.
func (l *lane) c(v float64) operand.Mem { return l.place(l.key(v)) }

// pattern is a vector with a bit pattern in every element, in memory: one for
// float32 and one for float64.
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

// held is a constant in a register. Do not change it.
func (l *lane) held(v float64) vec {
	if r, ok := l.kept[l.key(v)]; ok {
		return r
	}
	return l.load(l.c(v))
}

// load is a vector of the lane's own precision from memory.
func (l *lane) load(m operand.Mem) vec {
	r := l.register()
	switch {
	case l.isConstant(m) && l.bits == 32:
		l.VBROADCASTSS(m, r)
	case l.isConstant(m):
		l.VBROADCASTSD(m, r)
	case l.bits == 32:
		l.VMOVUPS(m, r)
	default:
		l.VMOVUPD(m, r)
	}
	return r
}

// zero is 0 in every element. With 512 bits it is loaded, because avo does not
// know that the XOR of a register with itself does not read it.
func (l *lane) zero() vec {
	if l.vector == 512 {
		return l.load(l.c(0))
	}
	r := l.YMM()
	l.VXORPS(r, r, r)
	return r
}

func (l *lane) copy(x op) vec {
	r := l.register()
	l.VMOVAPD(x, r)
	return r
}

type instruction = func(ops ...op)

// choose is the instruction for the lane's precision and a second argument y,
// which may be a constant in memory.
func (l *lane) choose(single, double, singleConstant, doubleConstant instruction, y op) instruction {
	switch isConstant := l.isConstant(y); {
	case l.bits == 32 && isConstant:
		return singleConstant
	case l.bits == 32:
		return single
	case isConstant:
		return doubleConstant
	}
	return double
}

// two emits r = x∘y; y may be memory.
func (l *lane) two(single, double, singleConstant, doubleConstant instruction, x, y op) vec {
	r := l.register()
	l.choose(single, double, singleConstant, doubleConstant, y)(y, x, r)
	return r
}

func (l *lane) add(x, y op) vec { return l.two(l.VADDPS, l.VADDPD, l.VADDPS_BCST, l.VADDPD_BCST, x, y) }
func (l *lane) sub(x, y op) vec { return l.two(l.VSUBPS, l.VSUBPD, l.VSUBPS_BCST, l.VSUBPD_BCST, x, y) }
func (l *lane) mul(x, y op) vec { return l.two(l.VMULPS, l.VMULPD, l.VMULPS_BCST, l.VMULPD_BCST, x, y) }
func (l *lane) div(x, y op) vec { return l.two(l.VDIVPS, l.VDIVPD, l.VDIVPS_BCST, l.VDIVPD_BCST, x, y) }

// least and most are the processor's minimum and maximum: y if one is NaN or
// both are zeros.
func (l *lane) least(x, y op) vec {
	return l.two(l.VMINPS, l.VMINPD, l.VMINPS_BCST, l.VMINPD_BCST, x, y)
}
func (l *lane) most(x, y op) vec {
	return l.two(l.VMAXPS, l.VMAXPD, l.VMAXPS_BCST, l.VMAXPD_BCST, x, y)
}

func (l *lane) and(x, y op) vec { return l.two(l.VANDPS, l.VANDPD, l.VANDPS_BCST, l.VANDPD_BCST, x, y) }
func (l *lane) or(x, y op) vec  { return l.two(l.VORPS, l.VORPD, l.VORPS_BCST, l.VORPD_BCST, x, y) }
func (l *lane) xor(x, y op) vec { return l.two(l.VXORPS, l.VXORPD, l.VXORPS_BCST, l.VXORPD_BCST, x, y) }

func (l *lane) intAdd(x, y op) vec {
	return l.two(l.VPADDD, l.VPADDQ, l.VPADDD_BCST, l.VPADDQ_BCST, x, y)
}
func (l *lane) intSub(x, y op) vec {
	return l.two(l.VPSUBD, l.VPSUBQ, l.VPSUBD_BCST, l.VPSUBQ_BCST, x, y)
}

// shiftLeft and shiftRight shift the bits of each element and fill with zeros.
func (l *lane) shiftLeft(x vec, bits int) vec {
	return l.two(l.VPSLLD, l.VPSLLQ, nil, nil, x, operand.U8(bits))
}
func (l *lane) shiftRight(x vec, bits int) vec {
	return l.two(l.VPSRLD, l.VPSRLQ, nil, nil, x, operand.U8(bits))
}

// half is half of the integer in the low 32 bits, rounded down.
func (l *lane) half(t vec) vec {
	r := l.register()
	l.VPSRAD(operand.U8(1), t, r)
	return r
}

func (l *lane) abs(x op) vec { return l.and(x, l.pattern(1<<31-1, 1<<63-1)) }

// signOf is the sign bit of x.
func (l *lane) signOf(x op) vec { return l.and(x, l.signBits()) }
func (l *lane) neg(x op) vec    { return l.xor(x, l.signBits()) }

func (l *lane) sqrt(x op) vec {
	r := l.register()
	if l.bits == 32 {
		l.VSQRTPS(x, r)
	} else {
		l.VSQRTPD(x, r)
	}
	return r
}

// The predicates of comparisons. With NaN those of order are false, and the
// negated ones true.
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

// is is the mask of the elements for which x predicate y holds; y may be
// memory.
func (l *lane) is(predicate int, x, y op) mask {
	compare := l.choose(l.VCMPPS, l.VCMPPD, l.VCMPPS_BCST, l.VCMPPD_BCST, y)
	if l.vector == 512 {
		k := l.K()
		compare(operand.U8(predicate), y, x, k)
		return k
	}
	r := l.YMM()
	compare(operand.U8(predicate), y, x, r)
	return r
}

// bySign is the mask of the elements whose sign bit is set.
func (l *lane) bySign(x vec) mask {
	if l.vector == 256 {
		return x
	}
	k := l.K()
	if l.bits == 32 {
		l.VPMOVD2M(x, k)
	} else {
		l.VPMOVQ2M(x, k)
	}
	return k
}

// either and both are the masks where at least one of two holds, and where both
// do.
func (l *lane) either(m, n mask) mask {
	if l.vector == 256 {
		return l.or(m, n)
	}
	k := l.K()
	if l.bits == 32 {
		l.KORW(m, n, k)
	} else {
		l.KORB(m, n, k)
	}
	return k
}

func (l *lane) both(m, n mask) mask {
	if l.vector == 256 {
		return l.and(m, n)
	}
	k := l.K()
	if l.bits == 32 {
		l.KANDW(m, n, k)
	} else {
		l.KANDB(m, n, k)
	}
	return k
}

// pick is y where the mask holds, else x; y may be memory.
func (l *lane) pick(m mask, x, y op) vec {
	if l.vector == 512 {
		return l.blend(m, x, y)
	}
	r := l.YMM()
	if l.bits == 32 {
		l.VBLENDVPS(m, y, x, r)
	} else {
		l.VBLENDVPD(m, y, x, r)
	}
	return r
}

// blend is pick for 512 bits. Avo takes the destination for an input, as that
// of a masked instruction, and would waste registers, so it is removed from the
// inputs.
func (l *lane) blend(m mask, x, y op) vec {
	r := l.register()
	blend := x86.VBLENDMPD
	switch isConstant := l.isConstant(y); {
	case l.bits == 32 && isConstant:
		blend = x86.VBLENDMPS_BCST
	case l.bits == 32:
		blend = x86.VBLENDMPS
	case isConstant:
		blend = x86.VBLENDMPD_BCST
	}
	i, err := blend(y, x, m, r)
	if err != nil {
		panic(err)
	}
	i.Inputs = slices.DeleteFunc(i.Inputs, func(input op) bool { return input == op(r) })
	l.Instruction(i)
	return r
}

// only is y where the mask holds, else 0.
func (l *lane) only(m mask, y op) vec {
	if l.vector == 256 {
		return l.and(m, y)
	}
	r := l.register()
	switch isConstant := l.isConstant(y); {
	case l.bits == 32 && isConstant:
		l.VBROADCASTSS_Z(y, m, r)
	case isConstant:
		l.VBROADCASTSD_Z(y, m, r)
	case l.bits == 32:
		l.VMOVAPS_Z(y, m, r)
	default:
		l.VMOVAPD_Z(y, m, r)
	}
	return r
}

// without is y where the mask does not hold, else 0.
func (l *lane) without(m mask, y op) vec {
	if l.vector == 256 {
		return l.two(l.VANDNPS, l.VANDNPD, nil, nil, m, y)
	}
	not := l.K()
	l.KNOTW(m, not)
	return l.only(not, y)
}

// orNaN is y, but NaN where the mask holds.
func (l *lane) orNaN(m mask, y vec) vec {
	if l.vector == 256 {
		return l.or(y, m)
	}
	return l.pick(m, y, l.pattern(1<<32-1, 1<<64-1))
}

// minusOne is the integer t − 1 where the mask holds, else t. With 256 bits
// every bit of an element's mask must be set.
func (l *lane) minusOne(m mask, t vec) vec {
	if l.vector == 256 {
		return l.intAdd(t, m)
	}
	return l.pick(m, t, l.intAdd(t, l.pattern(1<<32-1, 1<<64-1)))
}

// plusOne is the integer t + 1 where the mask holds, else t.
func (l *lane) plusOne(m mask, t vec) vec {
	if l.vector == 256 {
		return l.intSub(t, m)
	}
	return l.pick(m, t, l.intAdd(t, l.pattern(1, 1)))
}

// fma changes p to p·x + y, in one rounding; y may be memory.
func (l *lane) fma(p vec, x, y op) {
	l.choose(l.VFMADD213PS, l.VFMADD213PD, l.VFMADD213PS_BCST, l.VFMADD213PD_BCST, y)(y, x, p)
}

// fms changes p to p·x − y, in one rounding; y may be memory.
func (l *lane) fms(p vec, x, y op) {
	l.choose(l.VFMSUB213PS, l.VFMSUB213PD, l.VFMSUB213PS_BCST, l.VFMSUB213PD_BCST, y)(y, x, p)
}

// addProduct changes s to s + x·y, in one rounding; y may be memory.
func (l *lane) addProduct(s vec, x, y op) {
	l.choose(l.VFMADD231PS, l.VFMADD231PD, l.VFMADD231PS_BCST, l.VFMADD231PD_BCST, y)(y, x, s)
}

// subProduct changes s to s − x·y, in one rounding; y may be memory.
func (l *lane) subProduct(s vec, x, y op) {
	l.choose(l.VFNMADD231PS, l.VFNMADD231PD, l.VFNMADD231PS_BCST, l.VFNMADD231PD_BCST, y)(y, x, s)
}

// polynomial is Σ cₖ·xᵏ. From five coefficients on, even and odd powers are two
// chains, which take half the time of one and need no more instructions if x²
// is at hand. square may be nil for fewer coefficients.
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
	l.Doc(wrapped(name + " " + doc)...)
	l.file.kept = map[constant]vec{}
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

// loop starts a kernel that is a field of the package's loops, and has its
// name. T stands for the type of the numbers in memory.
func (l *lane) loop(field, signature, doc string) {
	l.types[field] = signature
	add(l.loops, l.set(), field, l.kernel(field))
	l.begin(l.kernel(field), l.signature(signature), doc)
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
	x, r := l.XMM(), l.register()
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
	r := l.register()
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

// address is where a parameter is. It serves to read numbers with AVX
// instructions: avo's Load uses SSE, which waits for the upper halves of the
// vectors.
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
	r := l.register()
	l.VCVTPS2PD(m, r)
	return r
}

// readSome loads the numbers that a mask of numbers in memory selects, and 0
// for the others.
func (l *lane) readSome(m operand.Mem, some mask) vec {
	r := l.register()
	switch {
	case l.vector == 512 && l.bits == 32:
		l.VMOVUPS_Z(m, some, r)
	case l.vector == 512 && l.stored == 32:
		l.VCVTPS2PD_Z(m, some, r)
	case l.vector == 512:
		l.VMOVUPD_Z(m, some, r)
	case l.bits == 32:
		l.VMASKMOVPS(m, some, r)
	case l.stored == 32:
		l.VMASKMOVPS(m, some.(vec).AsX(), r.AsX())
		l.VCVTPS2PD(r.AsX(), r)
	default:
		l.VMASKMOVPD(m, some, r)
	}
	return r
}

// narrow rounds a widened vector to float32, in the lower half of its register,
// which it returns.
func (l *lane) narrow(x vec) reg.Register {
	if l.vector == 512 {
		l.VCVTPD2PS(x, x.AsY())
		return x.AsY()
	}
	l.VCVTPD2PSY(x, x.AsX())
	return x.AsX()
}

// write stores a vector of the numbers in memory.
func (l *lane) write(x vec, m operand.Mem) {
	switch {
	case l.bits == 32:
		l.VMOVUPS(x, m)
	case l.stored == 32:
		l.VMOVUPS(l.narrow(x), m)
	default:
		l.VMOVUPD(x, m)
	}
}

// writeMasked stores the elements of a vector of 512 bits that a mask selects.
func (l *lane) writeMasked(x vec, m operand.Mem, some mask) {
	switch {
	case l.bits == 32:
		l.VMOVUPS(x, some, m)
	case l.stored == 32:
		l.VMOVUPS(l.narrow(x), some, m)
	default:
		l.VMOVUPD(x, some, m)
	}
}

// mask is the mask of the first n elements in memory, 0 < n < width.
func (l *lane) mask(n reg.Register) mask {
	if l.vector == 512 {
		bits, k := l.GP64(), l.K()
		l.MOVQ(operand.I32(-1), bits)
		l.BZHIQ(n, bits, bits)
		l.KMOVW(bits.As32(), k)
		return k
	}
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

// writeSome stores the first n elements, 0 < n < width, at the base and index
// of m. With 256 bits it does so in pieces, since masked stores are slow on
// some processors. It changes x and m's index.
func (l *lane) writeSome(x vec, m operand.Mem, n reg.Register, prefix string) {
	if l.vector == 512 {
		l.writeMasked(x, m, l.mask(n))
		return
	}
	if l.bits != l.stored {
		l.narrow(x)
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
