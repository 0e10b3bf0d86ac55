package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func reductions(f *file) {
	f.single().sumSingle()
	f.double().sumDouble()
	for _, l := range f.both() {
		l.sumRows()
		l.extremum("largest", "the largest of x, NaN if one is", math.Inf(-1), l.most, l.and)
		l.extremum("smallest", "the smallest of x, NaN if one is", math.Inf(1), l.least, l.or)
		l.shiftedExp()
		l.sumExp()
		l.logSoftmaxGrad()
		l.ratio()
	}
	for _, l := range f.careful() {
		l.moments()
		l.softmaxRows()
	}
}

// wideReductions emits those that are limited by the processor and not by
// memory.
func wideReductions(f *file) {
	for _, l := range f.both() {
		l.shiftedExp()
		l.sumExp()
		l.logSoftmaxGrad()
		l.ratio()
	}
	for _, l := range f.careful() {
		l.softmaxRows()
	}
}

// accumulator holds float64 sums: a vector for each sum and each vector of an
// unrolled loop.
type accumulator [][]vec

func (l *lane) newAccumulator(unroll, sums int) accumulator {
	a := make(accumulator, unroll)
	for u := range a {
		for range sums {
			a[u] = append(a[u], l.zero())
		}
	}
	return a
}

// total adds up the vectors of each sum pairwise, then their elements, and
// stores the kernel's results.
func (l *lane) total(a accumulator, results ...string) {
	d := l.double()
	for i, name := range results {
		for count := len(a); count > 1; count /= 2 {
			for u := range count / 2 {
				d.VADDPD(a[u+count/2][i], a[u][i], a[u][i])
			}
		}
		l.totalOfVector(a[0][i], name)
	}
}

// totalOfVector adds up the 4 float64 numbers of a vector and stores the sum as
// a result.
func (l *lane) totalOfVector(sum vec, name string) {
	upper := l.secondQuarter(sum)
	l.VADDPD(upper, sum.AsX(), sum.AsX())
	l.VPERMILPD(operand.U8(1), sum.AsX(), upper)
	l.VADDSD(upper, sum.AsX(), sum.AsX())
	l.VMOVSD(sum.AsX(), l.result(name))
}

// secondQuarter is the upper half of the lower 256 bits.
func (l *lane) secondQuarter(x vec) reg.VecVirtual {
	r := l.XMM()
	if l.vector == 512 {
		l.VEXTRACTF64X2(operand.U8(1), x.AsY(), r)
	} else {
		l.VEXTRACTF128(operand.U8(1), x, r)
	}
	return r
}

func (l *lane) result(name string) operand.Mem {
	r, err := l.Return(name).Resolve()
	if err != nil {
		panic(err)
	}
	return r.Addr
}

// folds emits loops that add up functions of n elements of the sources. The
// rest is loaded under a mask, with 0 elsewhere; update gets the mask to leave
// those elements out.
func (l *lane) folds(sources []string, unroll, sums int, update func(a, in []vec, some mask), results ...string) {
	n := l.param("n")
	from := make([]reg.GPVirtual, len(sources))
	for i, name := range sources {
		from[i] = l.param(name)
	}
	at := l.GP64()
	l.XORQ(at, at)
	a := l.newAccumulator(unroll, sums)
	for _, count := range []int{unroll, 1} {
		label := fmt.Sprintf("fold%d", count)
		step := operand.U32(count * l.width())
		l.SUBQ(step, n)
		l.JLT(operand.LabelRef(label + "Done"))
		l.Label(label)
		for u := range count {
			update(a[u], l.readAll(from, at, u), nil)
		}
		l.ADDQ(operand.U32(count*l.step()), at)
		l.SUBQ(step, n)
		l.JGE(operand.LabelRef(label))
		l.Label(label + "Done")
		l.ADDQ(step, n)
		if unroll == 1 {
			break
		}
	}
	l.JZ(operand.LabelRef("total"))
	mask := l.mask(n)
	in := make([]vec, len(from))
	for i, base := range from {
		in[i] = l.readSome(operand.Mem{Base: base, Index: at, Scale: 1}, mask)
	}
	if l.bits != l.stored {
		l.VPMOVSXDQ(mask.(vec).AsX(), mask)
	}
	update(a[0], in, mask)
	l.Label("total")
	l.total(a, results...)
	l.end()
}

// addWide adds 8 float32 numbers to two vectors of float64 sums.
func (l *lane) addWide(low, high, x vec) {
	part, upper := l.YMM(), l.XMM()
	l.VCVTPS2PD(x.AsX(), part)
	l.VADDPD(part, low, low)
	l.VEXTRACTF128(operand.U8(1), x, upper)
	l.VCVTPS2PD(upper, part)
	l.VADDPD(part, high, high)
}

// sumSingle adds up float32 numbers in 64 sums of 8 numbers each, and these in
// float64.
func (l *lane) sumSingle() {
	const sums, rounds = 8, 8
	l.loop("sum", "func(x *T, n int) (sum float64)", "adds up blocks of 512 numbers in float32, and these and the rest in float64.")
	x, n := l.param("x"), l.param("n")
	low, high := l.zero(), l.zero()
	l.SUBQ(operand.U32(512), n)
	l.JLT(operand.LabelRef("blocksDone"))
	l.Label("blocks")
	a := make([]vec, sums)
	for i := range a {
		a[i] = l.load(operand.Mem{Base: x, Disp: 32 * i})
	}
	for round := 1; round < rounds; round++ {
		for i := range a {
			l.VADDPS(operand.Mem{Base: x, Disp: 32 * (round*sums + i)}, a[i], a[i])
		}
	}
	for count := sums; count > 1; count /= 2 {
		for i := range count / 2 {
			l.VADDPS(a[i+count/2], a[i], a[i])
		}
	}
	l.addWide(low, high, a[0])
	l.ADDQ(operand.U32(4*512), x)
	l.SUBQ(operand.U32(512), n)
	l.JGE(operand.LabelRef("blocks"))
	l.Label("blocksDone")
	l.ADDQ(operand.U32(512-8), n)
	l.JLT(operand.LabelRef("vectorsDone"))
	l.Label("vectors")
	l.addWide(low, high, l.load(operand.Mem{Base: x}))
	l.ADDQ(operand.Imm(32), x)
	l.SUBQ(operand.Imm(8), n)
	l.JGE(operand.LabelRef("vectors"))
	l.Label("vectorsDone")
	l.ADDQ(operand.Imm(8), n)
	l.JZ(operand.LabelRef("total"))
	l.addWide(low, high, l.readSome(operand.Mem{Base: x}, l.mask(n)))
	l.Label("total")
	l.total(accumulator{{low}, {high}}, "sum")
	l.end()
}

func (l *lane) sumDouble() {
	l.loop("sum", "func(x *T, n int) (sum float64)", "adds up numbers in 32 sums.")
	l.folds([]string{"x"}, 8, 1, func(a, in []vec, _ mask) { l.VADDPD(in[0], a[0], a[0]) }, "sum")
}

// sumRows adds up rows, four vectors of columns at a time, then one, then the
// rest.
func (l *lane) sumRows() {
	l.begin(l.kernel("sumRows"), l.signature("func(dst, x *T, rows, stride, columns int)"), "is dst = Σ x over rows > 0 that are stride elements apart.")
	dst, x, rows, stride, columns := l.param("dst"), l.param("x"), l.param("rows"), l.param("stride"), l.param("columns")
	l.SHLQ(operand.Imm(uint64(map[int]int{4: 2, 8: 3}[l.size()])), stride)
	for _, count := range []int{4, 1} {
		label := fmt.Sprintf("by%d", count)
		step := operand.U32(count * l.width())
		l.SUBQ(step, columns)
		l.JLT(operand.LabelRef(label + "Done"))
		l.Label(label)
		l.sumColumns(label, x, dst, rows, stride, count, nil, nil)
		l.ADDQ(operand.U32(count*l.step()), x)
		l.ADDQ(operand.U32(count*l.step()), dst)
		l.SUBQ(step, columns)
		l.JGE(operand.LabelRef(label))
		l.Label(label + "Done")
		l.ADDQ(step, columns)
	}
	l.JZ(operand.LabelRef("end"))
	l.sumColumns("rest", x, dst, rows, stride, 1, l.mask(columns), columns)
	l.Label("end")
	l.end()
}

func (l *lane) sumColumns(label string, x, dst, rows, stride reg.GPVirtual, count int, some mask, columns reg.Register) {
	a := make([]vec, count)
	for i := range a {
		a[i] = l.zero()
	}
	row, left := l.GP64(), l.GP64()
	l.MOVQ(x, row)
	l.MOVQ(rows, left)
	l.Label(label + "Rows")
	for i := range a {
		place := operand.Mem{Base: row, Disp: i * l.step()}
		switch {
		case some != nil:
			place := l.readSome(place, some)
			l.accumulate(a[i], place)
		default:
			l.accumulate(a[i], place)
		}
	}
	l.ADDQ(stride, row)
	l.DECQ(left)
	l.JNZ(operand.LabelRef(label + "Rows"))
	if some == nil {
		for i := range a {
			l.write(a[i], operand.Mem{Base: dst, Disp: i * l.step()})
		}
		return
	}
	place := l.GP64()
	l.XORQ(place, place)
	l.writeSome(a[0], operand.Mem{Base: dst, Index: place, Scale: 1}, columns, label)
}

func (l *lane) accumulate(sum reg.Register, x op) {
	if l.bits == 32 {
		l.VADDPS(x, sum, sum)
	} else {
		l.VADDPD(x, sum, sum)
	}
}

// extremum emits the largest or smallest of n > 0 numbers, with Go's rules for
// NaN and the signs of zeros.
func (l *lane) extremum(name, doc string, start float64, choose, zeros func(x, y op) vec) {
	l.loop(name, "func(x *T, n int) (y T)", "returns "+doc+".")
	n, x := l.param("n"), l.param("x")
	const count = 4
	best, isNaN := make([]vec, count), make([]vec, count)
	for i := range best {
		best[i], isNaN[i] = l.held(start), l.zero()
	}
	update := func(i int, v vec) {
		l.VMOVAPD(zeros(choose(best[i], v), choose(v, best[i])), best[i])
		l.VORPD(l.is(unordered, v, v), isNaN[i], isNaN[i])
	}
	for _, count := range []int{count, 1} {
		label := fmt.Sprintf("by%d", count)
		step := operand.U32(count * l.width())
		l.SUBQ(step, n)
		l.JLT(operand.LabelRef(label + "Done"))
		l.Label(label)
		for i := range count {
			update(i, l.load(operand.Mem{Base: x, Disp: i * l.step()}))
		}
		l.ADDQ(operand.U32(count*l.step()), x)
		l.SUBQ(step, n)
		l.JGE(operand.LabelRef(label))
		l.Label(label + "Done")
		l.ADDQ(step, n)
	}
	l.JZ(operand.LabelRef("total"))
	mask := l.mask(n)
	update(0, l.pick(mask, l.held(start), l.readSome(operand.Mem{Base: x}, mask)))
	l.Label("total")
	merge := func(x, y vec) vec { return zeros(choose(x, y), choose(y, x)) }
	y := merge(merge(best[0], best[2]), merge(best[1], best[3]))
	bad := l.or(l.or(isNaN[0], isNaN[2]), l.or(isNaN[1], isNaN[3]))
	upper := l.YMM()
	fold := func(move func(from, to vec)) {
		move(y, upper)
		y = merge(y, upper)
		move(bad, upper)
		bad = l.or(bad, upper)
	}
	fold(func(from, to vec) { l.VPERM2F128(operand.U8(1), from, from, to) })
	fold(func(from, to vec) { l.VPERMILPD(operand.U8(5), from, to) })
	if l.bits == 32 {
		fold(func(from, to vec) { l.VPERMILPS(operand.U8(0xb1), from, to) })
	}
	y = l.or(y, bad)
	if l.bits == 32 {
		l.VMOVSS(y.AsX(), l.result("y"))
	} else {
		l.VMOVSD(y.AsX(), l.result("y"))
	}
	l.end()
}

// shifted splits x = (k + shift)·ln 2 + r for the functions below. The integer
// shift is that of the largest x, so that no large numbers are subtracted. The
// low bits of t are the integer k. In float64, r has two parts, since the
// rounding error of the first product matters.
func (l *lane) shifted(x, origin vec) (t vec, r pair) {
	t = l.copy(origin)
	l.addProduct(t, x, l.c(math.Log2E))
	n := l.sub(t, origin)
	rest := l.copy(x)
	if l.bits == 64 {
		l.subProduct(rest, n, l.c(ln2High))
		return t, l.sum(rest, l.mul(n, l.c(-ln2Low)))
	}
	high, low := l.ln2()
	l.subProduct(rest, n, l.c(high))
	l.subProduct(rest, n, l.c(low))
	return t, pair{high: rest}
}

// origin is the vector that shifted adds to, from the parameter shift.
func (l *lane) origin() vec { return l.sub(l.load(l.magic()), l.number("shift")) }

// gather adds up to four vectors, pairwise, to a float64 sum. It adds float64
// numbers without an error.
func (l *lane) gather(sum []vec, y []vec) {
	if l.bits == 64 {
		l.gatherExactly(sum, y)
		return
	}
	for count := len(y); count > 1; count /= 2 {
		for i := range count / 2 {
			l.accumulate(y[i], y[i+count/2])
		}
	}
	switch {
	case l.vector == 256:
		l.addWide(sum[0], sum[1], y[0])
	case len(y) > 1:
		l.accumulate(y[0].AsY(), l.upper(y[0]))
		l.addHalf(sum, y[0].AsY())
	default:
		upper := l.upper(y[0])
		l.addHalf(sum, y[0].AsY())
		l.addHalf(sum, upper)
	}
}

// addHalf adds half a vector of 512 bits to a float64 sum, in the order of
// vectors of 256 bits.
func (l *lane) addHalf(sum []vec, y reg.Register) {
	wide := l.ZMM()
	l.VCVTPS2PD(y, wide)
	l.VADDPD(wide, sum[0], sum[0])
}

// gatherExactly adds float64 numbers to a sum without an error. With 256 bits,
// every other vector goes to the second half of the sum, as do the upper halves
// of vectors of 512 bits. A single vector exchanges the halves, so that the
// next one goes to the other.
func (l *lane) gatherExactly(sum []vec, y []vec) {
	for i, y := range y {
		half := sum[2*i%len(sum):]
		rest := l.moveSum(half[0], y, l.register(), l.register())
		l.VADDPD(rest, half[1], half[1])
	}
	if l.vector == 256 && len(y) == 1 {
		for i := range 2 {
			first := l.copy(sum[i])
			l.VMOVAPD(sum[i+2], sum[i])
			l.VMOVAPD(first, sum[i+2])
		}
	}
}

// moveSum changes x to x + y and returns the rounding error, with two free
// registers; it changes y.
func (l *lane) moveSum(x, y, part, total reg.Register) (rest reg.Register) {
	l.VADDPD(y, x, total)
	l.VSUBPD(x, total, part)
	l.VSUBPD(part, y, y)
	l.VSUBPD(part, total, part)
	l.VSUBPD(part, x, part)
	l.VADDPD(y, part, part)
	l.VMOVAPD(total, x)
	return part
}

// upper is the upper half of a vector of 512 bits.
func (l *lane) upper(x vec) reg.Register {
	r := l.YMM()
	l.VEXTRACTF64X4(operand.U8(1), x, r)
	return r
}

// newSum is an empty sum for gather.
func (l *lane) newSum() []vec {
	vectors := 2
	switch {
	case l.vector == 512 && l.bits == 32:
		vectors = 1
	case l.vector == 256 && l.bits == 64:
		vectors = 4
	}
	return l.newAccumulator(1, vectors)[0]
}

// totalOf returns the sum of the elements of a sum of gather.
func (l *lane) totalOf(name string, sum []vec) {
	switch {
	case l.bits == 64:
		right, rightLow := reg.Register(nil), reg.Register(nil)
		if l.vector == 512 {
			right, rightLow = l.upper(sum[0]), l.upper(sum[1])
		} else {
			right, rightLow = sum[2], sum[3]
		}
		l.VADDPD(rightLow, sum[1].AsY(), sum[1].AsY())
		rest := l.moveSum(sum[0].AsY(), right, l.YMM(), l.YMM())
		l.VADDPD(rest, sum[1].AsY(), sum[1].AsY())
		high, low := sum[0].AsX(), sum[1].AsX()
		l.VADDPD(l.secondQuarter(sum[1]), low, low)
		l.VADDPD(l.moveSum(high, l.secondQuarter(sum[0]), l.XMM(), l.XMM()), low, low)
		second := l.XMM()
		l.VPERMILPD(operand.U8(1), low, second)
		l.VADDPD(second, low, low)
		l.VPERMILPD(operand.U8(1), high, second)
		l.VADDPD(l.moveSum(high, second, l.XMM(), l.XMM()), low, low)
		l.VADDPD(low, high, high)
		l.VMOVSD(high, l.result(name))
		return
	case l.vector == 512:
		l.VADDPD(l.upper(sum[0]), sum[0].AsY(), sum[0].AsY())
	default:
		l.VADDPD(sum[1], sum[0], sum[0])
	}
	l.totalOfVector(sum[0], name)
}

// shiftedExp emits dst = e^(x − shift·ln 2) and the sum.
func (l *lane) shiftedExp() {
	l.loop("shiftedExp", "func(dst, x *T, n int, most T, shift float64) (sum float64)",
		"is dst = e^(x − shift·ln 2) for x ≤ most, where shift·ln 2 is near most, and its sum.")
	p := &powers{lane: l, dst: l.param("dst"), exp: l.exactExp}
	p.loops(func(x, y vec) vec { return y })
	l.totalOf("sum", p.sum)
	p.end()
}

// sumExp emits the sum without the largest element, and how often that occurs.
func (l *lane) sumExp() {
	l.loop("sumExp", "func(x *T, n int, most T, shift float64) (smaller, ties float64)",
		"adds up e^(x − shift·ln 2) for x < most, where shift·ln 2 is near most, and counts the others.")
	p := &powers{lane: l, exp: func(r pair) vec { return l.reducedExp(r.high) }}
	ties := l.zero()
	p.loops(func(x, y vec) vec {
		isMost := l.is(equal, x, p.most)
		l.VMOVAPD(l.plusOne(isMost, ties), ties)
		return l.without(isMost, y)
	})
	l.totalOf("smaller", p.sum)
	l.totalOfVector(l.counts(ties), "ties")
	p.end()
}

// counts are integers, added up to 4 float64 numbers.
func (l *lane) counts(ties vec) vec {
	if l.vector == 512 {
		upper := l.upper(ties)
		if l.bits == 32 {
			l.VPADDD(upper, ties.AsY(), ties.AsY())
		} else {
			l.VPADDQ(upper, ties.AsY(), ties.AsY())
		}
	}
	count := l.YMM()
	if l.bits == 32 {
		upper := l.secondQuarter(ties)
		l.VPADDD(upper, ties.AsX(), upper)
		l.VCVTDQ2PD(upper, count)
		return count
	}
	base := l.load(l.c(1 << 52))
	l.VORPD(base.AsY(), ties.AsY(), count)
	l.VSUBPD(base.AsY(), count, count)
	return count
}

// powers are loops that add up powers of e relative to a power of two, and
// store them if there is a dst. A fast path serves four vectors, or one, in
// which no x is far below the largest.
type powers struct {
	*lane
	n, x, dst, at     reg.GPVirtual
	most, origin, far vec
	sum               []vec
	exp               func(r pair) vec   // of the distance to the nearest power of two
	term              func(x, y vec) vec // what is added for e^x
}

// rounds are the numbers of vectors that the loops do at a time.
func (p *powers) rounds() []int {
	if p.vector == 512 || p.bits == 64 {
		return []int{2, 1}
	}
	return []int{4, 1}
}

// bottom is so far below the largest x that the power is 0.
func (p *powers) bottom() vec { return p.add(p.most, p.c(-2*p.extreme())) }

func (p *powers) loops(term func(x, y vec) vec) {
	l := p.lane
	p.n, p.x, p.at, p.term = l.param("n"), l.param("x"), l.GP64(), term
	p.origin, p.most = l.origin(), l.element("most")
	p.far = l.add(p.most, l.c(-l.extreme()))
	p.sum = l.newSum()
	l.keep(1)
	l.XORQ(p.at, p.at)
	for _, count := range p.rounds() {
		p.round(fmt.Sprintf("by%d", count), count)
	}
	l.JZ(operand.LabelRef("total"))
	mask := l.mask(p.n)
	x := l.pick(mask, p.bottom(), l.readSome(operand.Mem{Base: p.x, Index: p.at, Scale: 1}, mask))
	y := p.anyExp(x)
	l.gather(p.sum, []vec{p.term(x, l.only(mask, y))})
	if p.dst != nil {
		l.writeSome(y, operand.Mem{Base: p.dst, Index: p.at, Scale: 1}, p.n, "rest")
	}
	l.Label("total")
}

func (p *powers) place(base reg.GPVirtual, u int) operand.Mem {
	return operand.Mem{Base: base, Index: p.at, Scale: 1, Disp: p.step() * u}
}

// round emits the loop that does count vectors at a time, without its slow
// path.
func (p *powers) round(label string, count int) {
	l := p.lane
	step := operand.U32(count * l.width())
	l.SUBQ(step, p.n)
	l.JLT(operand.LabelRef(label + "Done"))
	l.Label(label)
	x := make([]vec, count)
	var outside mask
	for u := range x {
		x[u] = l.load(p.place(p.x, u))
		if below := l.is(less, x[u], p.far); outside == nil {
			outside = below
		} else {
			outside = l.either(outside, below)
		}
	}
	l.jumpIfAny(outside, label+"Slow")
	p.terms(x, func(x vec) vec {
		t, r := l.shifted(x, p.origin)
		return l.timesPower2(p.exp(r), t)
	})
	l.Label(label + "Next")
	l.ADDQ(operand.U32(l.step()*count), p.at)
	l.SUBQ(step, p.n)
	l.JGE(operand.LabelRef(label))
	l.Label(label + "Done")
	l.ADDQ(step, p.n)
}

func (p *powers) terms(x []vec, exp func(x vec) vec) {
	terms := make([]vec, len(x))
	for u, x := range x {
		y := exp(x)
		if p.dst != nil {
			p.write(y, p.place(p.dst, u))
		}
		terms[u] = p.term(x, y)
	}
	p.gather(p.sum, terms)
}

// anyExp is e^(x − shift·ln 2), even if that is too small for a normal number.
func (p *powers) anyExp(x vec) vec {
	l := p.lane
	t, r := l.shifted(l.most(p.bottom(), x), p.origin)
	y := p.exp(r)
	return l.timesAnyPower2(y, t)
}

// end emits the slow paths.
func (p *powers) end() {
	p.lane.end()
	for _, count := range p.rounds() {
		label := fmt.Sprintf("by%d", count)
		p.Label(label + "Slow")
		x := make([]vec, count)
		for u := range x {
			x[u] = p.load(p.place(p.x, u))
		}
		p.terms(x, p.anyExp)
		p.JMP(operand.LabelRef(label + "Next"))
	}
}

func (l *lane) logSoftmaxGrad() {
	l.loop("logSoftmaxGrad", "func(dst, gy, y *T, n int, sum float64)", "is dst = gy − sum·eʸ.")
	sum := l.number("sum")
	l.arrays([]string{"dst"}, []string{"gy", "y"}, 1, one(func(in []vec) vec { return l.sub(in[0], l.mul(l.exp(in[1]), sum)) }), nil)
}

// ratio emits the division by a number whose reciprocal is given in two parts.
func (l *lane) ratio() {
	l.loop("ratio", "func(dst, x *T, n int, high, low float64)", "is dst = x·(high + low), rounded once.")
	high, low := l.number("high"), l.number("low")
	l.arrays([]string{"dst"}, []string{"x"}, plenty, one(func(in []vec) vec {
		y := l.mul(in[0], low)
		l.addProduct(y, in[0], high)
		return y
	}), nil)
}

// moments emits sums of products and of differences from a mean, in float64.
func (l *lane) moments() {
	l.loop("dot", "func(x, y *T, n int) (sum float64)", "adds up x·y.")
	l.folds([]string{"x", "y"}, 4, 1, func(a, in []vec, _ mask) { l.addProduct(a[0], in[0], in[1]) }, "sum")
	l.loop("deviations", "func(x *T, n int, mean float64) (sum, squares float64)", "adds up x − mean and its square.")
	mean := l.number("mean")
	l.folds([]string{"x"}, 4, 2, func(a, in []vec, some mask) {
		d := l.sub(in[0], mean)
		if some != nil {
			d = l.and(d, some)
		}
		l.accumulate(a[0], d)
		l.addProduct(a[1], d, d)
	}, "sum", "squares")
}

func (l *lane) softmaxRows() {
	l.loop("softmaxGrad", "func(dst, gy, y *T, n int, sum float64)", "is dst = y·(gy − sum).")
	sum := l.number("sum")
	l.arrays([]string{"dst"}, []string{"gy", "y"}, 2, one(func(in []vec) vec { return l.mul(in[1], l.sub(in[0], sum)) }), nil)
	l.loop("logSoftmax", "func(dst, x *T, n int, most, rest float64)", "is dst = (x − most) − rest.")
	most, rest := l.number("most"), l.number("rest")
	l.arrays([]string{"dst"}, []string{"x"}, 2, one(func(in []vec) vec { return l.sub(l.sub(in[0], most), rest) }), nil)
}
