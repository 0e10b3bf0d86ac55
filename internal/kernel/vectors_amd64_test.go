package kernel

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"testing"
)

// The assembly loops against the portable ones, which the tables hold after the
// swap at the start of the program.

var (
	portable32 = portablePrimitives[float32]()
	portable64 = portablePrimitives[float64]()
)

// tiny is the difference that is allowed between subnormal results.
const tiny = 4e-321

// twins are the units in the last place by which vectors and portable loops of
// a function and its derivative may differ, and the slack, an absolute
// difference for derivatives that pass through 0. Functions without a row agree
// in every bit, except the sign of NaN.
var twins = map[*Unary]struct{ f64, f32, d64, d32, slack float64 }{
	&Exp: {3, 1.5, 0, 0, 0}, &Expm1: {2, 1, 4, 1, 0}, &Log: {2, 1, 0, 0, 0}, &Log1p: {2, 1, 0, 0, 0}, &Tanh: {2, 2, 6, 1, 0}, &Sigmoid: {3, 2, 6, 1, 0},
	&Softplus: {3, 1, 4, 1, 0}, &LogSigmoid: {3, 1, 4, 1, 0}, &SiLU: {4, 3, 6, 1, 1e-15}, &GELUTanh: {4, 1, 8, 1, 1e-15}, &ELU: {3, 1, 5, 1, 0}, &SELU: {4, 1, 5, 1, 0},
	&anyPower: {450, 1, 450, 1, 0}, &Log2: {2, 1, 0, 0, 0}, &Log10: {2, 1, 0, 0, 0},
	&GELU: {8, 2, 8, 3, 2e-15}, &Erf: {3, 1, 8, 1, 0}, &Erfc: {4, 1, 8, 1, 0},
	&Sinh: {3, 1, 3, 1, 0}, &Cosh: {3, 1, 3, 1, 0}, &Atan: {2, 1, 1, 1, 0}, &Asin: {3, 1, 1, 2, 0}, &Acos: {3, 1, 1, 2, 0}, &Mish: {5, 1, 8, 1, 2e-15}, &CELU: {3, 1, 4, 1, 0},
	&Asinh: {4, 1, 4, 1, 0}, &Acosh: {4, 1, 0, 0, 0}, &Atanh: {4, 1, 0, 0, 0}, &Logit: {4, 1, 0, 0, 0},
	&Softsign: {0, 0, 2, 1, 0}, &Tan: {4, 1, 1, 1, 0}, &Sin: {3, 1, 4, 1, 2e-16}, &Cos: {3, 1, 4, 1, 2e-16},
}

// binaryTwins are the same for functions of two arguments. The large difference
// of the power is the error of the portable one.
var binaryTwins = map[*Binary]struct{ f64, f32, slack float64 }{&Pow: {450, 1, 0}, &BCE: {4, 1, 0}, &BCELogits: {4, 1, 0}, &CrossEntropy: {2, 1, 0}, &LogAddExp: {4, 1, 2e-16}}

// arguments are n numbers of all kinds: ordinary ones, some of all magnitudes,
// and special ones.
func arguments(rng *rand.Rand, n int) []float64 {
	special := []float64{
		0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1, -1, 3, -3, 6, 0.5, 709.7, -745.2, 88.7, -87.4, -103.9, 86, -86,
		5e-324, -5e-324, 1e-310, 1e-45, -1e-40, 1e-38, 3.4e38, 1e308, -1e308, 1000, -1000, 1 << 24, 1e-8, 709.3,
	}
	x := make([]float64, n)
	for i := range x {
		switch rng.IntN(5) {
		case 0:
			x[i] = special[rng.IntN(len(special))]
		case 1:
			x[i] = math.Copysign(math.Ldexp(1+rng.Float64(), rng.IntN(280)-145), rng.Float64()-0.5)
		default:
			x[i] = 6 * rng.NormFloat64()
		}
	}
	return x
}

// apart is the number of units in the last place between two numbers.
func apart[T Float](a, b T) float64 {
	switch {
	case a != a || b != b:
		if a != a && b != b {
			return 0
		}
		return math.Inf(1)
	case a == b:
		return 0
	}
	if _, ok := any(a).(float32); ok {
		return math.Abs(float64(order32(float32(a))) - float64(order32(float32(b))))
	}
	return math.Abs(float64(order64(float64(a)) - order64(float64(b))))
}

// order64 numbers the floats in their order.
func order64(x float64) int64 {
	if bits := int64(math.Float64bits(x)); bits >= 0 {
		return bits
	}
	return -int64(math.Float64bits(x) &^ (1 << 63))
}

func order32(x float32) int32 {
	if bits := int32(math.Float32bits(x)); bits >= 0 {
		return bits
	}
	return -int32(math.Float32bits(x) &^ (1 << 31))
}

// isSame reports whether two numbers are the same bits, or both NaN.
func isSame[T Float](a, b T) bool {
	return (a != a && b != b) || (a == b && math.Signbit(float64(a)) == math.Signbit(float64(b)))
}

func narrowed(x []float64) []float32 {
	y := make([]float32, len(x))
	convert(y, x)
	return y
}

func needVectors(t testing.TB) {
	if !useAVX2 {
		t.Skip("the portable loops are in use")
	}
}

// checkTwins compares two loops on x. They may differ by units in the last
// place or by an absolute slack; 0 units mean the same bits. It also checks
// that an element's result depends neither on its place nor on its neighbors.
func checkTwins[T Float](t *testing.T, what string, x []T, units, slack float64, vector, portable func(dst, x []T)) {
	t.Helper()
	got, want, alone := make([]T, len(x)), make([]T, len(x)), make([]T, 1)
	vector(got, x)
	portable(want, x)
	for i := range x {
		if isOff(got[i], want[i], units, slack) {
			t.Errorf("%s(%v) = %v, portable %v", what, x[i], got[i], want[i])
			return
		}
		vector(alone, x[i:i+1])
		if !isSame(alone[0], got[i]) {
			t.Errorf("%s(%v) is %v alone and %v at %d of %d", what, x[i], alone[0], got[i], i, len(x))
			return
		}
	}
}

// labels maps finite numbers into [0, 1], outside of which the terms of an
// entropy cancel.
func labels(y []float64) {
	for i, v := range y {
		if v-v == 0 {
			y[i] = math.Abs(v - math.Trunc(v))
		}
	}
}

func isOff[T Float](got, want T, units, slack float64) bool {
	if units == 0 {
		return !isSame(got, want)
	}
	if got == 0 && want == 0 {
		return !isSame(got, want)
	}
	return apart(got, want) > units && !(math.Abs(float64(got)-float64(want)) <= slack)
}

func checkUnary(t *testing.T, row int, x []float64) {
	v := &unariesAVX2[row]
	name, units := nameOf(v.of), twins[v.of]
	x32 := narrowed(x)
	for _, constants := range [][2]float64{{-1, 1}, {0.25, 6}, {2, math.Inf(1)}, {0.5, 3}, {3, 4}} {
		a, b := constants[0], constants[1]
		if v.F64 != nil {
			checkTwins(t, name, x, units.f64, tiny, func(dst, x []float64) { v.of.F64(dst, x, a, b) }, func(dst, x []float64) { v.F64(dst, x, a, b) })
			checkTwins(t, name, x32, units.f32, tiny, func(dst, x []float32) { v.of.F32(dst, x, a, b) }, func(dst, x []float32) { v.F32(dst, x, a, b) })
		}
		if v.D64 == nil {
			continue
		}
		for _, g := range []float64{1, -0.75, 0, math.Inf(1)} {
			checkTwins(t, name+"′", x, units.d64, units.slack+tiny, byGradient(v.of.D64, g, a, b), byGradient(v.D64, g, a, b))
			checkTwins(t, name+"′", x32, units.d32, units.slack+tiny, byGradient(v.of.D32, float32(g), a, b), byGradient(v.D32, float32(g), a, b))
		}
	}
}

// byGradient is a derivative for a constant incoming gradient, and for y = x.
func byGradient[T Float](d func(dst, gy, x, y []T, a, b float64), g T, a, b float64) func(dst, x []T) {
	return func(dst, x []T) {
		fill(dst, g)
		d(dst, dst, x, x, a, b)
	}
}

// nameOf finds the name of a function in the source of the tables, which hold
// none.
func nameOf(u *Unary) string {
	tables, err := os.ReadFile("tables_amd64.go")
	if err != nil {
		return "a function"
	}
	names := regexp.MustCompile(`\{of: &(\w+),`).FindAllStringSubmatch(string(tables), -1)
	for i, v := range unariesAVX2 {
		if v.of == u {
			return names[i][1]
		}
	}
	return "a function"
}

func TestUnaryTwins(t *testing.T) {
	needVectors(t)
	for row := range unariesAVX2 {
		rng := rand.New(rand.NewPCG(1, 2)) // a new function does not change what the others are tried with
		for n := 1; n < 70; n += 1 + n/20 {
			checkUnary(t, row, arguments(rng, n))
		}
	}
}

func TestBinaryTwins(t *testing.T) {
	needVectors(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, v := range binariesAVX2 {
		for n := 1; n < 70; n += 1 + n/20 {
			x, y := arguments(rng, n), arguments(rng, n)
			units := binaryTwins[v.of]
			if v.of == &BCE || v.of == &BCELogits {
				labels(y)
			}
			checkBinary(t, &v.of.A64, &v.A64, x, y, units.f64, units.slack)
			checkBinary(t, &v.of.A32, &v.A32, narrowed(x), narrowed(y), units.f32, units.slack)
		}
	}
}

func checkBinary[T Float](t *testing.T, vector, portable *BinaryLoops[T], x, y []T, units, slack float64) {
	t.Helper()
	s := y[0]
	checkTwins(t, "x∘s", x, units, slack+tiny, func(dst, x []T) { vector.VS(dst, x, s) }, func(dst, x []T) { portable.VS(dst, x, s) })
	checkTwins(t, "s∘x", y, units, slack+tiny, func(dst, y []T) { vector.SV(dst, x[0], y) }, func(dst, y []T) { portable.SV(dst, x[0], y) })
	got, want := slices.Clone(x), slices.Clone(x)
	vector.VV(got, got, y)
	portable.VV(want, want, y)
	for i := range x {
		if isOff(got[i], want[i], units, slack+tiny) {
			t.Errorf("%v∘%v = %v, portable %v", x[i], y[i], got[i], want[i])
		}
	}
}

func TestTernaryTwins(t *testing.T) {
	needVectors(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, v := range ternariesAVX2 {
		units := 4.0
		if v.of == &PowSlope {
			units = binaryTwins[&Pow].f64 // the error of the portable power
		}
		for n := 1; n < 70; n += 1 + n/20 {
			x, y, z := arguments(rng, n), arguments(rng, n), arguments(rng, n)
			checkTernary(t, v.of.F64, v.F64, x, y, z, units)
			checkTernary(t, v.of.F32, v.F32, narrowed(x), narrowed(y), narrowed(z), units)
		}
	}
}

func checkTernary[T Float](t *testing.T, vector, portable func(dst, x, y, z []T), x, y, z []T, units float64) {
	t.Helper()
	got, want, alone := make([]T, len(x)), make([]T, len(x)), make([]T, 1)
	vector(got, x, y, z)
	portable(want, x, y, z)
	for i := range x {
		if isOff(got[i], want[i], units, tiny) {
			t.Errorf("f(%v, %v, %v) = %v, portable %v", x[i], y[i], z[i], got[i], want[i])
		}
		if vector(alone, x[i:i+1], y[i:i+1], z[i:i+1]); !isSame(alone[0], got[i]) {
			t.Errorf("f(%v, %v, %v) is %v alone and %v at %d of %d", x[i], y[i], z[i], alone[0], got[i], i, len(x))
		}
	}
}

func TestPrimitiveTwins(t *testing.T) {
	needVectors(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 70 {
		x, y, z := arguments(rng, n), arguments(rng, n), arguments(rng, n)
		checkPrimitives(t, &primitives64, &portable64, x, y, z)
		checkPrimitives(t, &primitives32, &portable32, narrowed(x), narrowed(y), narrowed(z))
		narrow, portable := make([]float32, n), make([]float32, n)
		Convert32(narrow, x)
		convert(portable, x)
		wide := make([]float64, n)
		Convert64(wide, narrow)
		for i := range narrow {
			if !isSame(narrow[i], portable[i]) || !isSame(wide[i], float64(narrow[i])) {
				t.Errorf("%v is converted to %v and %v, portable %v", x[i], narrow[i], wide[i], portable[i])
			}
		}
	}
}

func checkPrimitives[T Float](t *testing.T, vector, portable *primitives[T], x, y, z []T) {
	t.Helper()
	for _, f := range []func(p *primitives[T], dst []T){
		func(p *primitives[T], dst []T) { p.fill(dst, 0.7) },
		func(p *primitives[T], dst []T) { p.where(dst, y, z, x) },
	} {
		got, want := slices.Clone(x), slices.Clone(x)
		f(vector, got)
		f(portable, want)
		if !slices.EqualFunc(got, want, isSame) {
			t.Errorf("%v, portable %v", got, want)
		}
	}
}

// The updates of the optimizers give the same bits.
func TestUpdateTwins(t *testing.T) {
	needVectors(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 40 {
		checkUpdates(t, &primitives64, &portable64, rng, n)
		checkUpdates(t, &primitives32, &portable32, rng, n)
	}
}

func checkUpdates[T Float](t *testing.T, vector, portable *primitives[T], rng *rand.Rand, n int) {
	t.Helper()
	state := func() []T {
		x := make([]T, n)
		for i := range x {
			x[i] = T(rng.NormFloat64())
		}
		return x
	}
	w, g, m, v := state(), state(), state(), state()
	for i := range v {
		v[i] *= v[i]
	}
	for i, f := range []func(p *primitives[T], w, m, v []T){
		func(p *primitives[T], w, _, _ []T) { p.sgd(w, g, nil, 0.1, 0, 0.01, false, false) },
		func(p *primitives[T], w, m, _ []T) { p.sgd(w, g, m, 0.1, 0.9, 0.01, false, false) },
		func(p *primitives[T], w, m, _ []T) { p.sgd(w, g, m, 0.1, 0.9, 0.01, true, false) },
		func(p *primitives[T], w, m, _ []T) { p.sgd(w, g, m, 0.1, 0.9, 0.01, true, true) },
		func(p *primitives[T], w, m, v []T) { p.adam(w, g, m, v, adamSettings(false, 3)) },
		func(p *primitives[T], w, m, v []T) { p.adam(w, g, m, v, adamSettings(true, 1)) },
		func(p *primitives[T], w, _, v []T) { p.rmsProp(w, g, v, nil, nil, 0.1, 0.9, 1e-8, 0.9, 0.01) },
		func(p *primitives[T], w, m, v []T) { p.rmsProp(w, g, v, nil, m, 0.1, 0.9, 1e-8, 0.9, 0.01) },
	} {
		w1, m1, v1 := slices.Clone(w), slices.Clone(m), slices.Clone(v)
		w2, m2, v2 := slices.Clone(w), slices.Clone(m), slices.Clone(v)
		f(vector, w1, m1, v1)
		f(portable, w2, m2, v2)
		if !slices.Equal(w1, w2) || !slices.Equal(m1, m2) || !slices.Equal(v1, v2) {
			t.Errorf("update %d of %d parameters: %v, portable %v", i, n, w1, w2)
		}
	}
}

// Reductions agree within their rounding, and where NaN or infinities come in.
func TestReductionTwins(t *testing.T) {
	needVectors(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, form := range [][3]int{
		{1, 1, 1}, {3, 2, 1}, {2, 7, 1}, {2, 8, 1}, {3, 9, 1}, {2, 31, 1}, {1, 512, 1}, {2, 513, 1}, {2, 1100, 1}, {1, 5000, 1}, {1, 140_000, 1},
		{200, 700, 1}, {1, 3, 2}, {2, 5, 9}, {1, 300, 70}, {1, 130, 300}, {2, 40, 1000}, {1, 300, 1000},
	} {
		n := form[0] * form[1] * form[2]
		x, gy := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i], gy[i] = 3*rng.NormFloat64(), rng.NormFloat64()
		}
		checkReductions(t, &primitives64, &portable64, x, gy, form, 1e-13)
		checkReductions(t, &primitives32, &portable32, narrowed(x), narrowed(gy), form, 3e-6)
		if n < 2000 {
			for range 20 {
				x := arguments(rng, n)
				checkReductions(t, &primitives64, &portable64, x, gy, form, 1e-13)
				checkReductions(t, &primitives32, &portable32, narrowed(x), narrowed(gy), form, 3e-6)
			}
		}
	}
}

func checkReductions[T Float](t *testing.T, vector, portable *primitives[T], x, gy []T, form [3]int, tolerance float64) {
	t.Helper()
	outer, n, inner := form[0], form[1], form[2]
	for i, f := range []func(p *primitives[T], dst []T){
		func(p *primitives[T], dst []T) { p.max(dst, x, outer, n, inner) },
		func(p *primitives[T], dst []T) { p.min(dst, x, outer, n, inner) },
		func(p *primitives[T], dst []T) { p.logSumExp(dst, x, outer, n, inner) },
		func(p *primitives[T], dst []T) { dst[0] = T(p.norm(x, 2)) },
		func(p *primitives[T], dst []T) { p.softmax(dst, x, outer, n, inner) },
		func(p *primitives[T], dst []T) { p.logSoftmax(dst, x, outer, n, inner) },
		func(p *primitives[T], dst []T) {
			p.softmax(dst, x, outer, n, inner)
			p.softmaxGrad(dst, gy, slices.Clone(dst), outer, n, inner)
		},
		func(p *primitives[T], dst []T) {
			p.logSoftmax(dst, x, outer, n, inner)
			p.logSoftmaxGrad(dst, gy, slices.Clone(dst), outer, n, inner)
		},
		func(p *primitives[T], dst []T) { p.sum(dst, gy, outer, n, inner) },
		func(p *primitives[T], dst []T) { p.variance(dst, gy, outer, n, inner, 1, false) },
	} {
		got, want := make([]T, len(x)), make([]T, len(x))
		f(vector, got)
		f(portable, want)
		for j := range want {
			if scale := max(1, math.Abs(float64(want[j]))); !isSame(got[j], want[j]) && !(math.Abs(float64(got[j])-float64(want[j])) <= tolerance*scale*math.Sqrt(float64(n))) {
				t.Errorf("reduction %d of %v, %T: element %d is %v, portable %v", i, form, x[0], j, got[j], want[j])
				break
			}
		}
	}
}

// FuzzUnaryTwins takes a function's number and its arguments' bits.
func FuzzUnaryTwins(f *testing.F) {
	needVectors(f)
	for row := range unariesAVX2 {
		rng := rand.New(rand.NewPCG(1, 2)) // a new function does not change what the others are tried with
		var data []byte
		for _, v := range arguments(rng, 12) {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
		}
		f.Add(byte(row), data)
	}
	f.Fuzz(func(t *testing.T, row byte, data []byte) {
		if x := numbersOf(data); len(x) > 0 {
			checkUnary(t, int(row)%len(unariesAVX2), x)
		}
	})
}

// FuzzBinaryTwins takes a function's number and the bits of both arguments, one
// after the other.
func FuzzBinaryTwins(f *testing.F) {
	needVectors(f)
	rng := rand.New(rand.NewPCG(1, 2))
	for row := range binariesAVX2 {
		var data []byte
		for _, v := range arguments(rng, 20) {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
		}
		f.Add(byte(row), data)
	}
	f.Fuzz(func(t *testing.T, row byte, data []byte) {
		x := numbersOf(data)
		if len(x) < 2 {
			return
		}
		half := len(x) / 2
		v := &binariesAVX2[int(row)%len(binariesAVX2)]
		units := binaryTwins[v.of]
		if v.of == &BCE || v.of == &BCELogits {
			labels(x[half:])
		}
		checkBinary(t, &v.of.A64, &v.A64, x[:half], x[half:2*half], units.f64, units.slack)
		checkBinary(t, &v.of.A32, &v.A32, narrowed(x[:half]), narrowed(x[half:2*half]), units.f32, units.slack)
	})
}

func numbersOf(data []byte) []float64 {
	var x []float64
	for ; len(data) >= 8; data = data[8:] {
		x = append(x, math.Float64frombits(binary.LittleEndian.Uint64(data)))
	}
	return x
}

func adamSettings(decoupled bool, step float64) Settings {
	return Settings{Rate: 0.1, Decay: 0.01, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Decoupled: decoupled, A: 1 - math.Pow(0.9, step), B: math.Sqrt(1 - math.Pow(0.99, step))}
}
