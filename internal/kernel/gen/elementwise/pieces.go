package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
)

// pieceCount is the number of pieces of a function that is a polynomial in each
// of them: as many as a vector of 256 bits has float32 lanes, so that one
// instruction finds a coefficient for every element.
const pieceCount = 8

// A piece is the coefficients of a polynomial in a − center.
type piece struct {
	center float64
	c      []float64
}

// lookUp finds f(i) for the index i of a piece, the low three bits.
func (l *lane) lookUp(index vec, f func(i int) float64) vec {
	var table [pieceCount]float32
	for i := range table {
		table[i] = float32(f(i))
	}
	place := operand.NewDataAddr(operand.Symbol{Name: l.name + "Pieces", Static: true}, l.vector/8*len(l.pieces))
	l.pieces = append(l.pieces, table)
	r := l.register()
	l.VPERMPS(place, index, r)
	return r
}

// gelu32 emits GELU in float32: of x = −a it is −a·(1 − Φ(a)), and its
// derivative is (1 − Φ(a)) − a·φ(a). Both are polynomials in eight pieces of a
// up to nearNormal and, beyond, series in 1/a² times e^(−a²/2).
func (l *lane) gelu32() {
	minusZero := math.Copysign(0, -1) // so that far negative numbers give −0
	near := func(x vec) vec { return l.sub(l.most(l.held(minusZero), x), l.pieceWise(l.abs(x), geluPieces)) }
	outside := func(x vec) mask { return l.is(notLessEqual, l.abs(x), l.c(nearNormal)) }
	l.guardedUnary("GELU", "x·Φ(x)", func(x vec) vec {
		y, t := l.bellTimes(x, farNormal32, geluSeries, false)
		power := l.intAdd(l.shiftLeft(t, l.exponentShift()), l.c(1<<bellShift))
		far := l.sub(l.most(l.held(minusZero), x), l.mul(y, power))
		return l.pick(outside(x), near(x), far)
	}, near, outside)

	nearSlope := func(in []vec) vec {
		gy, x := in[0], in[1]
		y := l.pieceWise(l.abs(x), geluSlopePieces)
		return l.mul(gy, l.pick(l.bySign(x), l.sub(l.held(1), y), y))
	}
	l.guardedGradient("GELU", "gy·(Φ(x) + x·φ(x))", "gy x", func(in []vec) vec {
		gy, x := in[0], in[1]
		y, t := l.bellTimes(x, farSlope32, geluSlopeSeries, true)
		y = l.without(l.is(less, x, l.c(-38.6)), y) // +0 where φ(x) is 0 in float64
		first, second := l.halfPowers(t)
		// To the left the factor 2ⁿ⁺⁶⁴ comes first where it makes a small gy
		// larger, and y·2⁻⁶⁴ where gy may be too large for it.
		isLarge := l.is(notLessEqual, l.abs(gy), l.held(1))
		inner := l.mul(l.mul(l.pick(isLarge, gy, l.mul(gy, y)), first), second)
		left := l.mul(inner, l.pick(isLarge, y, l.held(1)))
		right := l.mul(gy, l.sub(l.held(1), l.mul(l.mul(y, first), second)))
		return l.pick(outside(x), nearSlope(in), l.pick(l.bySign(x), right, left))
	}, nearSlope, func(in []vec) mask { return outside(in[1]) })
}

// nearNormal is where the pieces end, before the numbers of which the index is
// rounded to that of the first.
const nearNormal = 4.99

// farNormal32 is from where on the tail of the normal distribution is 0 in
// float32, and so is its product with a.
const farNormal32 = 14.6

// farSlope32 is the same of the derivative, times the largest float32.
const farSlope32 = 20

// pieceWise is the polynomial of the piece in which a lies, which is 0.07·a² +
// 1.15·a rounded to an integer.
func (l *lane) pieceWise(a vec, pieces []piece) vec {
	index := l.load(l.c(1.15))
	l.addProduct(index, a, l.c(0.07))
	l.fma(index, a, l.magic())
	d := l.sub(a, l.lookUp(index, func(i int) float64 { return pieces[i].center }))
	last := len(pieces[0].c) - 1
	p := l.lookUp(index, func(i int) float64 { return pieces[i].c[last] })
	for k := last - 1; k >= 0; k-- {
		l.fma(p, d, l.lookUp(index, func(i int) float64 { return pieces[i].c[k] }))
	}
	return p
}

// bellShift is an exponent that keeps two factors of a small number normal.
const bellShift = 64

// bellTimes is e^(−a²/2)·Σ cₖ/a²ᵏ, times a if odd, for the smaller a of |x| and
// far, at least nearNormal. It is y·2ⁿ⁺⁶⁴ with n in the low bits of t: in two
// factors, of which the second or its halves are normal numbers, because the
// result may not be one.
func (l *lane) bellTimes(x vec, far float64, c []float64, odd bool) (y, t vec) {
	a := l.least(l.held(far), l.abs(x))
	square := l.mul(a, a)
	low := l.copy(a)
	l.fms(low, a, square)
	y = l.horner(l.div(l.held(1), square), c)
	// e^(−a²/2) is 2ⁿ·e^(−s/2) with s = a² + 2n·ln 2.
	t = l.load(l.magic())
	l.addProduct(t, square, l.c(-math.Log2E/2))
	n := l.sub(t, l.magic())
	ln2, ln2Low := l.shortLn2()
	l.addProduct(square, n, l.c(2*ln2)) // exact
	l.addProduct(low, n, l.c(2*ln2Low))
	s := l.add(square, low)
	q := l.horner(s, halfExpSeries)
	l.fma(q, l.mul(s, s), l.mul(s, l.held(-0.5)))
	if odd {
		product := l.mul(y, a)
		l.fms(y, a, product)
		l.addProduct(y, q, product)
		y = l.add(product, y)
	} else {
		l.addProduct(y, q, y)
	}
	return l.mul(y, l.c(1.0/(1<<bellShift))), t
}

// halfPowers are two numbers whose product is 2ⁿ⁺⁶⁴ for the n in the low bits
// of t.
func (l *lane) halfPowers(t vec) (first, second vec) {
	n := l.sub(t, l.magic())
	half := l.load(l.magic())
	l.addProduct(half, n, l.c(0.5))
	rest := l.add(l.sub(n, l.sub(half, l.magic())), l.magic())
	power := func(t vec) vec { return l.intAdd(l.shiftLeft(t, l.exponentShift()), l.c(1<<(bellShift/2))) }
	return power(half), power(rest)
}

// The coefficients below are printed by coefficients.py.

// halfExpSeries are those of (e^(−s/2) − 1 + s/2)/s² for |s| ≤ ln 2.
var halfExpSeries = []float64{0.125, -0.020833220332860947, 0.0026041597593575716, -0.0002613493415992707, 2.175966255890671e-05}

// geluSeries are those of a·e^(a²/2)·(1 − Φ(a)) in 1/a² for a ≥ 5.
var geluSeries = []float64{0.398942232131958, -0.39892181754112244, 1.193616271018982, -5.735472679138184, 31.285614013671875, -113.69052124023438}

// geluSlopeSeries are those of e^(a²/2)·(1 − Φ(a))/a − 1/√2π.
var geluSlopeSeries = []float64{-0.398942232131958, 0.3989257216453552, -0.3969805836677551, 1.089788556098938, -3.044719696044922}

// geluPieces are those of a·(1 − Φ(a)).
var geluPieces = []piece{
	{0, []float64{
		0, 0.5, -0.3989422917366028, 4.317806769904564e-07, 0.06648431718349457,
		4.207019446766935e-05, -0.010131405666470528, 0.00031606212724000216, 0.0009055876289494336,
	}},
	{1.234375, []float64{
		0.13396869599819183, -0.1213444247841835, -0.044349491596221924, 0.0948992520570755, -0.03358117491006851,
		-0.006447569467127323, 0.007374602369964123, 0.00017472225590609014, -0.0006591849378310144,
	}},
	{1.9765625, []float64{
		0.04752753674983978, -0.08776170760393143, 0.05392977222800255, 0.001726804068312049, -0.019123651087284088,
		0.00878293626010418, -0.0008523108554072678, -0.0019152809400111437, -0.00010752423986559734,
	}},
	{2.6484375, []float64{
		0.010708268731832504, -0.027636438608169556, 0.02998959645628929, -0.01591055653989315, 0.0020699435845017433,
		0.0027256428729742765, -0.001483767293393612, 0.0006110307876951993, 0.00031977923936210573,
	}},
	{3.296875, []float64{
		0.0016116279875859618, -0.005249096546322107, 0.007718299049884081, -0.0065682982094585896, 0.0033468627370893955,
		-0.0007666652672924101, -0.0001105855917558074, 0.0002819931542035192, -3.2778512832010165e-05,
	}},
	{3.890625, []float64{
		0.00019450469699222594, -0.0007516479818150401, 0.0013533806195482612, -0.0014882137766107917, 0.0010898959590122104,
		-0.0005470598116517067, 0.00013624687562696636, -4.383206760394387e-05, -4.765457197208889e-05,
	}},
	{4.4453125, []float64{
		1.9506964235915802e-05, -8.635382982902229e-05, 0.00018127435760106891, -0.00023838315973989666, 0.00021765076962765306,
		-0.0001457811740692705, 6.576609303010628e-05, -2.9751625334029086e-05, -1.6556217588004074e-06,
	}},
	{5.0078125, []float64{
		1.3784535894956207e-06, -6.884509275550954e-06, 1.6497811884619296e-05, -2.514966945454944e-05, 2.7276353648630902e-05,
		-2.1960080630378798e-05, 1.4459116755460855e-05, -5.439225333248032e-06, 3.7485242501134053e-06,
	}},
}

// geluSlopePieces are those of (1 − Φ(a)) − a·φ(a). A center is its zero.
var geluSlopePieces = []piece{
	{0.453125, []float64{
		0.16209594905376434, -0.6461175680160522, 0.309512734413147, 0.15621793270111084, -0.10787373781204224,
		-0.026954296976327896, 0.016625963151454926, -0.004023924004286528, -0.006056946702301502,
	}},
	{0.7517915368080139, []float64{
		-5.227311916655708e-09, -0.43149396777153015, 0.3882848918437958, 0.01819862425327301, -0.11400151252746582,
		0.014785896055400372, 0.019297722727060318, -0.004518761299550533, -0.0015657917829230428,
	}},
	{1.1796875, []float64{
		-0.11562058329582214, -0.12102052569389343, 0.3060664236545563, -0.12615716457366943, -0.04525936767458916,
		0.04091032221913338, 8.404561958741397e-05, -0.007011743728071451, 0.001809423789381981,
	}},
	{2.6484375, []float64{
		-0.027636457234621048, 0.059978362172842026, -0.04774509742856026, 0.008172612637281418, 0.013151941820979118,
		-0.010137220844626427, 0.0024234969168901443, 0.0010654705110937357, -0.0004984932020306587,
	}},
	{3.296875, []float64{
		-0.005249100271612406, 0.015436410903930664, -0.01970834843814373, 0.013355984352529049, -0.0039923000149428844,
		-0.0011293450370430946, 0.0011878760997205973, -0.0009697753703221679, -0.00026277030701749027,
	}},
	{3.8984375, []float64{
		-0.0007307709893211722, 0.0026378401089459658, -0.004362557083368301, 0.004283413290977478, -0.0026560502592474222,
		0.0009517063153907657, -5.889674139325507e-05, -0.00012294042971916497, 0.00010235890658805147,
	}},
	{4.421875, []float64{
		-9.52553455135785e-05, 0.00039754429599270225, -0.0007787977228872478, 0.00094162009190768, -0.0007725165341980755,
		0.00044443452497944236, -0.00015344010898843408, 5.475694342749193e-05, 3.5051751183345914e-05,
	}},
	{5.015625, []float64{
		-6.631289579672739e-06, 3.183608714607544e-05, -7.294291572179645e-05, 0.00010558401118032634, -0.00010741234291344881,
		8.130930655170232e-05, -4.44382822024636e-05, 2.0877581846434623e-05, -4.234116659063147e-06,
	}},
}
