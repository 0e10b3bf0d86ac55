package kernel_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"nabla/internal/kernel"
)

// A fencedLoop is a loop over as many arrays of equal length as it has
// arguments, of which it writes the first ones.
type fencedLoop[T kernel.Float] struct {
	name    string
	arrays  int
	writes  int
	compute func(x [][]T)
}

// fencedLoops are all elementwise loops and updates.
func fencedLoops[T kernel.Float]() []fencedLoop[T] {
	var loops []fencedLoop[T]
	for _, row := range unaries {
		f, d := row.u.F64, row.u.D64
		if _, ok := any(T(0)).(float32); ok {
			loops = appendUnary(loops, row.name, any(row.u.F32).(func(dst, x []T, a, b float64)), any(row.u.D32).(func(dst, gy, x, y []T, a, b float64)), row.a, row.b)
			continue
		}
		loops = appendUnary(loops, row.name, any(f).(func(dst, x []T, a, b float64)), any(d).(func(dst, gy, x, y []T, a, b float64)), row.a, row.b)
	}
	for _, row := range binaries {
		l, ok := any(&row.f.A64).(*kernel.BinaryLoops[T])
		if !ok {
			l = any(&row.f.A32).(*kernel.BinaryLoops[T])
		}
		loops = append(loops,
			fencedLoop[T]{row.name, 3, 1, func(x [][]T) { l.VV(x[0], x[1], x[2]) }},
			fencedLoop[T]{row.name + " with a scalar", 2, 1, func(x [][]T) { l.VS(x[0], x[1], 0.75) }},
			fencedLoop[T]{row.name + " of a scalar", 2, 1, func(x [][]T) { l.SV(x[0], 0.75, x[1]) }},
		)
	}
	for name, f := range map[string]*kernel.Ternary{
		"DivSlope": &kernel.DivSlope, "HypotSlope": &kernel.HypotSlope, "Atan2Slope": &kernel.Atan2Slope, "PowSlope": &kernel.PowSlope, "BCESlope": &kernel.BCESlope,
	} {
		loops = append(loops, fencedLoop[T]{name, 4, 1, func(x [][]T) { ternaryLoop[T](f)(x[0], x[1], x[2], x[3]) }})
	}
	return append(loops,
		fencedLoop[T]{"Accumulate", 2, 1, func(x [][]T) { kernel.Accumulate(x[0], x[1]) }},
		fencedLoop[T]{"Fill", 1, 1, func(x [][]T) { kernel.Fill(x[0], 0.75) }},
		fencedLoop[T]{"Where", 4, 1, func(x [][]T) { kernel.Where(x[0], x[1], x[2], x[3]) }},
		fencedLoop[T]{"Softmax", 2, 1, func(x [][]T) { kernel.Softmax(x[0], x[1], 1, len(x[0]), 1) }},
		fencedLoop[T]{"LogSoftmax", 2, 1, func(x [][]T) { kernel.LogSoftmax(x[0], x[1], 1, len(x[0]), 1) }},
		fencedLoop[T]{"SoftmaxGrad", 3, 1, func(x [][]T) { kernel.SoftmaxGrad(x[0], x[1], x[2], 1, len(x[0]), 1) }},
		fencedLoop[T]{"LogSoftmaxGrad", 3, 1, func(x [][]T) { kernel.LogSoftmaxGrad(x[0], x[1], x[2], 1, len(x[0]), 1) }},
		fencedLoop[T]{"Sum", 2, 1, func(x [][]T) { kernel.Sum(x[0][:1], x[1], 1, len(x[1]), 1) }},
		fencedLoop[T]{"Max", 2, 1, func(x [][]T) { kernel.Max(x[0][:1], x[1], 1, len(x[1]), 1) }},
		fencedLoop[T]{"Min", 2, 1, func(x [][]T) { kernel.Min(x[0][:1], x[1], 1, len(x[1]), 1) }},
		fencedLoop[T]{"LogSumExp", 2, 1, func(x [][]T) { kernel.LogSumExp(x[0][:1], x[1], 1, len(x[1]), 1) }},
		fencedLoop[T]{"Norm", 2, 1, func(x [][]T) { kernel.Norm(x[0][:1], x[1], 1, len(x[1]), 1, 2) }},
		fencedLoop[T]{"Var", 2, 1, func(x [][]T) { kernel.Var(x[0][:1], x[1], 1, len(x[1]), 1, 0) }},
		fencedLoop[T]{"SGD", 2, 1, func(x [][]T) { kernel.SGD(x[0], x[1], nil, 0.1, 0, 0.01, false, false) }},
		fencedLoop[T]{"SGD with momentum", 3, 2, func(x [][]T) { kernel.SGD(x[0], x[2], x[1], 0.1, 0.9, 0.01, false, false) }},
		fencedLoop[T]{"SGD, Nesterov", 3, 2, func(x [][]T) { kernel.SGD(x[0], x[2], x[1], 0.1, 0.9, 0.01, true, false) }},
		fencedLoop[T]{"Adam", 4, 3, func(x [][]T) { kernel.Adam(x[0], x[3], x[1], x[2], 0.1, 0.9, 0.99, 1e-8, 0.01, false, 2) }},
		fencedLoop[T]{"RMSProp", 3, 2, func(x [][]T) { kernel.RMSProp(x[0], x[2], x[1], nil, nil, 0.1, 0.9, 1e-8, 0, 0.01) }},
	)
}

func appendUnary[T kernel.Float](loops []fencedLoop[T], name string, f func(dst, x []T, a, b float64), d func(dst, gy, x, y []T, a, b float64), a, b float64) []fencedLoop[T] {
	loops = append(loops, fencedLoop[T]{name, 2, 1, func(x [][]T) { f(x[0], x[1], a, b) }})
	if d != nil {
		loops = append(loops, fencedLoop[T]{name + "′", 4, 1, func(x [][]T) { d(x[0], x[1], x[2], x[3], a, b) }})
	}
	return loops
}

// No loop reads or writes outside of its arrays, which lie at the edge of the
// readable memory with NaN on their other side. Their place changes no bit.
func TestLoopsStayInside(t *testing.T) {
	t.Run("float32", stayInside[float32])
	t.Run("float64", stayInside[float64])
}

func stayInside[T kernel.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(20, 21))
	const most = 300
	var memory [4]fenced
	for i := range memory {
		memory[i] = newFenced(t, 8*most)
	}
	for _, loop := range fencedLoops[T]() {
		for n := 1; n <= most; n += 1 + n/12 {
			checkFenced(t, &memory, loop, randomArrays[T](rng, loop.arrays, n), n%2 == 0)
		}
		checkFenced(t, &memory, loop, randomArrays[T](rng, loop.arrays, 33), true)
	}
}

func randomArrays[T kernel.Float](rng *rand.Rand, arrays, n int) [][]T {
	x := make([][]T, arrays)
	for i := range x {
		x[i] = make([]T, n)
		for j := range x[i] {
			x[i][j] = T(3 * rng.NormFloat64())
			if rng.IntN(40) == 0 {
				x[i][j] = T([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1e-40, 3e6}[rng.IntN(7)])
			}
		}
	}
	return x
}

func checkFenced[T kernel.Float](t *testing.T, memory *[4]fenced, loop fencedLoop[T], x [][]T, end bool) {
	t.Helper()
	var inside [][]T
	for i := range x {
		for j := range memory[i] {
			memory[i][j] = 0xff
		}
		inside = append(inside, atEdge(memory[i], x[i], end))
	}
	loop.compute(inside)
	loop.compute(x)
	for i := range x {
		if j := firstDifference(x[i], inside[i]); j >= 0 {
			t.Fatalf("%s, array %d: element %d of %d is %v, and %v elsewhere", loop.name, i, j, len(x[i]), inside[i][j], x[i][j])
		}
		used := len(x[i]) * int(unsafe.Sizeof(x[i][0]))
		rest := memory[i][used:]
		if end {
			rest = memory[i][:len(memory[i])-used]
		}
		if len(bytes.Trim(rest, "\xff")) > 0 {
			t.Fatalf("%s writes outside of array %d, of %d", loop.name, i, len(x[i]))
		}
	}
}

// The same for normalizations, of long runs, of short ones, and of columns.
func TestNormalizationsStayInside(t *testing.T) {
	t.Run("float32", normalizationsStayInside[float32])
	t.Run("float64", normalizationsStayInside[float64])
}

func normalizationsStayInside[T kernel.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(24, 25))
	var memory [4]fenced
	for i := range memory {
		memory[i] = newFenced(t, 8*4*6*70)
	}
	numbers := make([]float64, 4*70*6)
	s := kernel.Statistics{Mean: numbers[:420], Variance: numbers[420:840], Factor: numbers[840:1260], Rest: numbers[1260:]}
	sums := make([]float64, 2*4*70*6)
	for inner := 1; inner <= 70; inner++ {
		n, c := 2+rng.IntN(3), 2*(1+rng.IntN(3))
		name := func(what string) string { return fmt.Sprintf("%s of %d × %d × %d", what, n, c, inner) }
		for _, loop := range []fencedLoop[T]{
			{name("BatchNorm"), 4, 1, func(x [][]T) { kernel.BatchNorm(x[0], x[1], x[2][:c], x[3][:c], s, n, c, inner, 0.1) }},
			{name("BatchNormGrad"), 4, 2, func(x [][]T) { kernel.BatchNormGrad(x[0], x[1][:c], nil, x[2], x[3], nil, s, n, c, inner) }},
			{name("GroupNorm"), 4, 1, func(x [][]T) { kernel.GroupNorm(x[0], x[1], x[2][:c], x[3][:c], s, n, 2, c, inner, 0.1, false) }},
			{name("GroupNormGrad"), 4, 2, func(x [][]T) {
				kernel.GroupNormGrad(x[0], x[1][:c], nil, x[2], x[3], nil, s, sums, n, 2, c, inner, false)
			}},
			{name("layers"), 4, 1, func(x [][]T) {
				kernel.GroupNorm(x[0], x[1], x[2][:c*inner], x[3][:c*inner], s, n, 1, c*inner, 1, 0.1, false)
			}},
			{name("layers' gradient"), 4, 2, func(x [][]T) {
				kernel.GroupNormGrad(x[0], x[1][:c*inner], nil, x[2], x[3], x[3][:c*inner], s, nil, n, 1, c*inner, 1, false)
			}},
			{name("features"), 4, 1, func(x [][]T) {
				kernel.BatchNorm(x[0], x[1], x[2][:c*inner], x[3][:c*inner], s, n, c*inner, 1, 0.1)
			}},
			{name("features' gradient"), 4, 2, func(x [][]T) {
				kernel.BatchNormGrad(x[0], x[1][:c*inner], nil, x[2], x[3], x[3][:c*inner], s, n, c*inner, 1)
			}},
		} {
			for _, end := range []bool{false, true} {
				x := make([][]T, loop.arrays)
				for i := range x {
					x[i] = make([]T, n*c*inner)
					for j := range x[i] {
						x[i][j] = T(3 * rng.NormFloat64())
					}
				}
				checkFenced(t, &memory, loop, x, end)
			}
		}
	}
}

// The same for reductions along columns.
func TestColumnLoopsStayInside(t *testing.T) {
	t.Run("float32", columnsStayInside[float32])
	t.Run("float64", columnsStayInside[float64])
}

func columnsStayInside[T kernel.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(22, 23))
	const most = 5 * 75
	var memory [4]fenced
	for i := range memory {
		memory[i] = newFenced(t, 8*2*most)
	}
	for inner := 1; inner <= 75; inner++ {
		n := 1 + rng.IntN(5)
		name := func(what string) string { return fmt.Sprintf("%s of 2 × %d × %d", what, n, inner) }
		for _, loop := range []fencedLoop[T]{
			{name("Softmax"), 2, 1, func(x [][]T) { kernel.Softmax(x[0], x[1], 2, n, inner) }},
			{name("LogSoftmax"), 2, 1, func(x [][]T) { kernel.LogSoftmax(x[0], x[1], 2, n, inner) }},
			{name("SoftmaxGrad"), 3, 1, func(x [][]T) { kernel.SoftmaxGrad(x[0], x[1], x[2], 2, n, inner) }},
			{name("LogSoftmaxGrad"), 3, 1, func(x [][]T) { kernel.LogSoftmaxGrad(x[0], x[1], x[2], 2, n, inner) }},
			{name("Sum"), 2, 1, func(x [][]T) { kernel.Sum(x[0][:2*inner], x[1], 2, n, inner) }},
			{name("Max"), 2, 1, func(x [][]T) { kernel.Max(x[0][:2*inner], x[1], 2, n, inner) }},
			{name("Min"), 2, 1, func(x [][]T) { kernel.Min(x[0][:2*inner], x[1], 2, n, inner) }},
			{name("LogSumExp"), 2, 1, func(x [][]T) { kernel.LogSumExp(x[0][:2*inner], x[1], 2, n, inner) }},
			{name("Var"), 2, 1, func(x [][]T) { kernel.Var(x[0][:2*inner], x[1], 2, n, inner, 0) }},
		} {
			for _, end := range []bool{false, true} {
				checkFenced(t, &memory, loop, randomArrays[T](rng, loop.arrays, 2*n*inner), end)
			}
		}
	}
}
