package kernel_test

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/internal/kernel"
)

// Arrays that the workers share give the same bits for any number of them.
func TestSameBitsForAnyNumberOfWorkers(t *testing.T) {
	t.Run("float64", sameArrays[float64])
	t.Run("float32", sameArrays[float32])
}

func sameArrays[T kernel.Float](t *testing.T) {
	const rows, columns = 500, 603
	rng := rand.New(rand.NewPCG(1, 2))
	x, y := make([]T, rows*columns), make([]T, rows*columns)
	for i := range x {
		x[i], y[i] = T(rng.NormFloat64()), T(rng.NormFloat64())
	}
	for name, f := range map[string]func(dst []T){
		"exp":              func(dst []T) { unaryLoop[T](&kernel.Exp)(dst, x, 0, 0) },
		"add":              func(dst []T) { binaryLoops[T](&kernel.Add).VV(dst, x, y) },
		"div by a scalar":  func(dst []T) { binaryLoops[T](&kernel.Div).VS(dst, x, 3) },
		"scalar minus":     func(dst []T) { binaryLoops[T](&kernel.Sub).SV(dst, 3, x) },
		"div slope":        func(dst []T) { ternaryLoop[T](&kernel.DivSlope)(dst, x, y, x) },
		"hypot slope":      func(dst []T) { ternaryLoop[T](&kernel.HypotSlope)(dst, x, y, x) },
		"sum":              func(dst []T) { kernel.Sum(dst, x, 1, len(x), 1) },
		"sum of rows":      func(dst []T) { kernel.Sum(dst, x, rows, columns, 1) },
		"sum of columns":   func(dst []T) { kernel.Sum(dst, x, 1, rows, columns) },
		"max":              func(dst []T) { kernel.Max(dst, x, 1, len(x), 1) },
		"norm":             func(dst []T) { kernel.Norm(dst, x, 1, len(x), 1, 2) },
		"variance":         func(dst []T) { kernel.Var(dst, x, rows, columns, 1, 1) },
		"logsumexp":        func(dst []T) { kernel.LogSumExp(dst, x, rows, columns, 1) },
		"softmax":          func(dst []T) { kernel.Softmax(dst, x, rows, columns, 1) },
		"log-softmax":      func(dst []T) { kernel.LogSoftmax(dst, x, rows, columns, 1) },
		"softmax gradient": func(dst []T) { kernel.SoftmaxGrad(dst, x, y, rows, columns, 1) },
	} {
		var results [3][]T
		for i, workers := range []int{1, 2, 5} {
			before := runtime.GOMAXPROCS(workers)
			results[i] = make([]T, len(x))
			f(results[i])
			runtime.GOMAXPROCS(before)
		}
		for _, got := range results[1:] {
			if diff := cmp.Diff(results[0][:10], got[:10]); diff != "" || !equal(results[0], got) {
				t.Errorf("%s: the results differ (-1 worker +more):\n%s", name, diff)
			}
		}
	}
}

func equal[T kernel.Float](x, y []T) bool {
	for i, v := range x {
		if v != y[i] {
			return false
		}
	}
	return true
}

func unaryLoop[T kernel.Float](u *kernel.Unary) func(dst, x []T, a, b float64) {
	if f, ok := any(u.F64).(func(dst, x []T, a, b float64)); ok {
		return f
	}
	return any(u.F32).(func(dst, x []T, a, b float64))
}

func binaryLoops[T kernel.Float](b *kernel.Binary) *kernel.BinaryLoops[T] {
	if l, ok := any(&b.A64).(*kernel.BinaryLoops[T]); ok {
		return l
	}
	return any(&b.A32).(*kernel.BinaryLoops[T])
}

func ternaryLoop[T kernel.Float](f *kernel.Ternary) func(dst, x, y, z []T) {
	if loop, ok := any(f.F64).(func(dst, x, y, z []T)); ok {
		return loop
	}
	return any(f.F32).(func(dst, x, y, z []T))
}
