package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The loops of 512 bits against those of 256, which the tables hold after the
// swap at the start of the program. Both take the same steps, so the results
// are the same bits.

func needWide(t testing.TB) {
	if !useAVX512 {
		t.Skip("the loops of 512 bits are not in use")
	}
}

func TestWideUnaryTwins(t *testing.T) {
	needWide(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for row := range unariesAVX512 {
		v := &unariesAVX512[row]
		for n := 1; n < 300; n += 1 + n/10 {
			x := arguments(rng, n)
			checkWide(t, nameOf(v.of), x, v.of.F64, v.F64, v.of.D64, v.D64)
			checkWide(t, nameOf(v.of), narrowed(x), v.of.F32, v.F32, v.of.D32, v.D32)
		}
	}
}

func checkWide[T Float](t *testing.T, name string, x []T, f, narrowF func(dst, x []T, a, b float64), d, narrowD func(dst, gy, x, y []T, a, b float64)) {
	t.Helper()
	const a, b = 0.75, 1.5
	if narrowF != nil {
		checkTwins(t, name, x, 0, 0, func(dst, x []T) { f(dst, x, a, b) }, func(dst, x []T) { narrowF(dst, x, a, b) })
	}
	if narrowD != nil {
		checkTwins(t, name+"′", x, 0, 0, byGradient(d, -0.75, a, b), byGradient(narrowD, -0.75, a, b))
	}
}

func TestWideBinaryTwins(t *testing.T) {
	needWide(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for row := range binariesAVX512 {
		v := &binariesAVX512[row]
		for n := 1; n < 300; n += 1 + n/10 {
			x, y := arguments(rng, n), arguments(rng, n)
			checkBinary(t, &v.of.A64, &v.A64, x, y, 0, 0)
			checkBinary(t, &v.of.A32, &v.A32, narrowed(x), narrowed(y), 0, 0)
		}
	}
}

func TestWideReductionTwins(t *testing.T) {
	needWide(t)
	rng := rand.New(rand.NewPCG(1, 2))
	narrow32 := (&vectors[float32]{loops32AVX2}).primitives()
	narrow64 := (&vectors[float64]{loops64AVX2}).primitives()
	for n := 1; n < 300; n += 1 + n/20 {
		gy := make([]float64, 3*n)
		for i := range gy {
			gy[i] = rng.NormFloat64()
		}
		for _, x := range [][]float64{arguments(rng, 3*n), gy} {
			checkWideRows(t, &primitives64, &narrow64, x, gy, 3, n)
			checkWideRows(t, &primitives32, &narrow32, narrowed(x), narrowed(gy), 3, n)
		}
	}
}

func checkWideRows[T Float](t *testing.T, wide, narrow *primitives[T], x, gy []T, outer, n int) {
	t.Helper()
	for i, f := range []func(p *primitives[T], dst []T){
		func(p *primitives[T], dst []T) { p.logSumExp(dst, x, outer, n, 1) },
		func(p *primitives[T], dst []T) { p.logSumExp(dst, x, 1, outer, n) },
		func(p *primitives[T], dst []T) { p.softmax(dst, x, 1, outer, n) },
		func(p *primitives[T], dst []T) { p.logSoftmax(dst, x, 1, outer, n) },
		func(p *primitives[T], dst []T) { p.softmaxGrad(dst, gy, x, 1, outer, n) },
		func(p *primitives[T], dst []T) { p.logSoftmaxGrad(dst, gy, x, 1, outer, n) },
		func(p *primitives[T], dst []T) { p.softmax(dst, x, outer, n, 1) },
		func(p *primitives[T], dst []T) { p.logSoftmax(dst, x, outer, n, 1) },
		func(p *primitives[T], dst []T) { p.softmaxGrad(dst, gy, x, outer, n, 1) },
		func(p *primitives[T], dst []T) { p.logSoftmaxGrad(dst, gy, x, outer, n, 1) },
	} {
		got, want := make([]T, len(x)), make([]T, len(x))
		f(wide, got)
		f(narrow, want)
		if !slices.EqualFunc(got, want, isSame) {
			t.Errorf("reduction %d of rows of %d, %T, is not the same with 512 bits and with 256", i, n, x[0])
		}
	}
}
