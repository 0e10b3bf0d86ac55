package kernel_test

import (
	"testing"

	"nabla/internal/kernel"
)

// No kernel allocates, in either precision.
func TestNoAllocation(t *testing.T) {
	t.Run("float64", noAllocation[float64])
	t.Run("float32", noAllocation[float32])
	x, y := make([]float64, 10), make([]float64, 10)
	x32, y32 := make([]float32, 10), make([]float32, 10)
	for _, row := range unaries {
		allocatesNothing(t, row.name, func() {
			row.u.F64(y, x, row.a, row.b)
			row.u.F32(y32, x32, row.a, row.b)
			if row.u.D != nil {
				row.u.D64(y, y, x, x, row.a, row.b)
				row.u.D32(y32, y32, x32, x32, row.a, row.b)
			}
		})
	}
	for _, row := range binaries {
		shape, own, other := []int{2, 5}, []int{5, 1}, []int{1, 2}
		allocatesNothing(t, row.name, func() {
			kernel.Apply(&row.f.A64, y, x, x, shape, own, other)
			kernel.Apply(&row.f.A32, y32, x32, x32, shape, own, other)
		})
	}
	allocatesNothing(t, "Convert", func() {
		kernel.Convert32(y32, x)
		kernel.Convert64(y, x32)
	})
}

func allocatesNothing(t *testing.T, name string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(5, f); n != 0 {
		t.Errorf("%s allocates %v times", name, n)
	}
}

func noAllocation[T kernel.Float](t *testing.T) {
	const outer, n, inner = 2, 300, 70
	x, y, z := make([]T, outer*n*inner), make([]T, outer*n*inner), make([]T, outer*n*inner)
	dst, places, index := make([]T, outer*inner), make([]int, outer*inner), make([]int, outer*n*inner)
	shape, strides := []int{2, 1, 2, 1, 2, 2, 2, 1}, []int{16, 0, 8, 0, 4, 2, 1, 0}
	reversed := []int{1, 0, 2, 0, 4, 8, 16, 0}
	deep, deepStrides := make([]int, 12), make([]int, 12)
	kernel.Fill(x, 1)
	for i := range deep {
		deep[i], deepStrides[i] = 2, 1<<(11-i)
	}
	for _, row := range []struct {
		name string
		f    func()
	}{
		{"Copy", func() { kernel.Copy(y, x, shape, 0, strides, 0, reversed) }},
		{"Copy of rank 12", func() { kernel.Copy(y, x, deep, 0, deepStrides, 0, deepStrides) }},
		{"Sum", func() { kernel.Sum(dst, x, outer, n, inner); kernel.Sum(dst, x, 1, n, 1) }},
		{"Mean", func() { kernel.Mean(dst, x, outer, n, inner) }},
		{"Prod", func() { kernel.Prod(dst, x, outer, n, inner) }},
		{"Max", func() { kernel.Max(dst, x, outer, n, inner) }},
		{"Min", func() { kernel.Min(dst, x, outer, n, inner) }},
		{"LogSumExp", func() { kernel.LogSumExp(dst, x, outer, n, inner); kernel.LogSumExp(dst, x, 1, n, 1) }},
		{"Norm", func() { kernel.Norm(dst, x, outer, n, inner, 3); kernel.Norm(dst, x, 1, n, 1, 2) }},
		{"Var", func() { kernel.Var(dst, x, outer, n, inner, 1); kernel.Var(dst, x, 1, n, 1, 1) }},
		{"Std", func() { kernel.Std(dst, x, outer, n, inner, 1) }},
		{"ArgMax", func() { kernel.ArgMax(places, x, outer, n, inner); kernel.ArgMin(places, x, 1, n, 1) }},
		{"Softmax", func() { kernel.Softmax(y, x, outer, n, inner); kernel.Softmax(y, x, 2, n, 1) }},
		{"LogSoftmax", func() { kernel.LogSoftmax(y, x, outer, n, inner); kernel.LogSoftmax(y, x, 2, n, 1) }},
		{"SoftmaxGrad", func() { kernel.SoftmaxGrad(y, x, z, outer, n, inner); kernel.SoftmaxGrad(y, x, z, 2, n, 1) }},
		{"LogSoftmaxGrad", func() { kernel.LogSoftmaxGrad(y, x, z, outer, n, inner); kernel.LogSoftmaxGrad(y, x, z, 2, n, 1) }},
		{"CumSum", func() { kernel.CumSum(y, x, outer, n, inner, true); kernel.CumProd(y, x, outer, n, inner, false) }},
		{"MatMul", func() {
			for variant := range 4 {
				kernel.MatMul(y[:63], x, z, 7, 9, 11, variant&1 != 0, variant&2 != 0)
			}
		}},
		{"Triangle", func() { kernel.Triangle(y, x, 5, 6, 1, true) }},
		{"Where", func() { kernel.Where(y, x, y, z) }},
		{"Gather", func() { kernel.Gather(y, x, index, outer, n, n, inner) }},
		{"ScatterAdd", func() { kernel.ScatterAdd(y, x, index, outer, n, n, inner) }},
		{"IsFinite", func() { kernel.IsFinite(x) }},
		{"SGD", func() { kernel.SGD(y, x, z, 0.1, 0.9, 0, true, false) }},
		{"Adam", func() { kernel.Adam(y, x, z, z, 0.1, 0.9, 0.999, 1e-8, 0, false, 1) }},
		{"RMSProp", func() { kernel.RMSProp(y, x, z, nil, nil, 0.1, 0.9, 1e-8, 0, 0) }},
	} {
		allocatesNothing(t, row.name, row.f)
	}
}
