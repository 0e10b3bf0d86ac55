package kernel_test

import (
	"fmt"
	"testing"

	"nabla/internal/kernel"
)

// benchmarked are square products, and those of a 784-128-10 network with a
// batch of 64: forward, gradient of the weights, gradient of the input.
var benchmarked = []struct {
	name           string
	m, n, k        int
	transA, transB bool
}{
	{"16", 16, 16, 16, false, false},
	{"64", 64, 64, 64, false, false},
	{"128", 128, 128, 128, false, false},
	{"256", 256, 256, 256, false, false},
	{"256-TN", 256, 256, 256, true, false},
	{"256-NT", 256, 256, 256, false, true},
	{"256-TT", 256, 256, 256, true, true},
	{"512", 512, 512, 512, false, false},
	{"1024", 1024, 1024, 1024, false, false},
	{"1024-TN", 1024, 1024, 1024, true, false},
	{"1024-NT", 1024, 1024, 1024, false, true},
	{"1024-TT", 1024, 1024, 1024, true, true},
	{"64x784x128-forward", 64, 128, 784, false, false},
	{"64x784x128-weights", 784, 128, 64, true, false},
	{"64x784x128-input", 64, 784, 128, false, true},
	{"64x128x10-forward", 64, 10, 128, false, false},
	{"64x128x10-weights", 128, 10, 64, true, false},
	{"64x128x10-input", 64, 128, 10, false, true},
	{"vector-1000", 1, 1000, 1000, false, false},
	{"vector-1000-NT", 1, 1000, 1000, false, true},
}

func BenchmarkMatMul(b *testing.B) {
	b.Run("float32", benchmarkMatMul[float32])
	b.Run("float64", benchmarkMatMul[float64])
}

func benchmarkMatMul[T kernel.Float](b *testing.B) {
	for _, row := range benchmarked {
		x, y, dst := make([]T, row.m*row.k), make([]T, row.k*row.n), make([]T, row.m*row.n)
		kernel.Fill(x, 0.5)
		kernel.Fill(y, 0.25)
		for name, matMul := range map[string]func(dst, a, b []T, m, n, k int, transA, transB bool){
			"": kernel.MatMul[T], "/portable": kernel.PortableMatMul[T],
		} {
			b.Run(fmt.Sprint(row.name, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					matMul(dst, x, y, row.m, row.n, row.k, row.transA, row.transB)
				}
				b.ReportMetric(2*float64(row.m*row.n*row.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

// BenchmarkMatMuls computes 64 products of 64×64, as attention does, in one
// call and one by one.
func BenchmarkMatMuls(b *testing.B) {
	const count, n = 64, 64
	x, y, dst := make([]float32, count*n*n), make([]float32, count*n*n), make([]float32, count*n*n)
	batch, strides := []int{count}, []int{1}
	b.Run("batch", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			kernel.MatMuls(dst, x, y, batch, strides, strides, n, n, n, false, true)
		}
	})
	b.Run("one-by-one", func(b *testing.B) {
		for b.Loop() {
			for i := range count {
				kernel.MatMul(dst[i*n*n:(i+1)*n*n], x[i*n*n:], y[i*n*n:], n, n, n, false, true)
			}
		}
	})
}
