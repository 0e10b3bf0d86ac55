package kernel_test

import (
	"fmt"
	"testing"

	"nabla/internal/kernel"
)

// benchmarkSizes are a few numbers, a small layer, and an array that is larger
// than a core's caches.
var benchmarkSizes = []int{3, 72, 4096, 1_000_000}

func BenchmarkUnary(b *testing.B) {
	for _, name := range []string{"ReLU", "Exp", "Tanh", "Sigmoid", "Log", "Softplus", "SiLU", "GELU", "GELUTanh", "Sin", "Atan", "Asin", "Acos", "Erf"} {
		u := unaryNamed(name)
		for _, n := range benchmarkSizes {
			x, y := ramp[float64](n), make([]float64, n)
			x32, y32 := ramp[float32](n), make([]float32, n)
			b.Run(fmt.Sprintf("%s/64/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					u.F64(y, x, 1, 0)
				}
			})
			b.Run(fmt.Sprintf("%s/32/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					u.F32(y32, x32, 1, 0)
				}
			})
		}
	}
}

func BenchmarkGradient(b *testing.B) {
	for _, name := range []string{"ReLU", "Exp", "Tanh", "Sigmoid", "SiLU", "GELU", "GELUTanh", "Asin"} {
		u := unaryNamed(name)
		for _, n := range benchmarkSizes {
			x, g := ramp[float64](n), ramp[float64](n)
			x32, g32 := ramp[float32](n), ramp[float32](n)
			y, y32 := make([]float64, n), make([]float32, n)
			b.Run(fmt.Sprintf("%s/64/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					u.D64(y, g, x, x, 0, 0)
				}
			})
			b.Run(fmt.Sprintf("%s/32/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					u.D32(y32, g32, x32, x32, 0, 0)
				}
			})
		}
	}
}

func BenchmarkBinary(b *testing.B) {
	for _, row := range []struct {
		name string
		f    *kernel.Binary
	}{{"Add", &kernel.Add}, {"Mul", &kernel.Mul}, {"Div", &kernel.Div}, {"Maximum", &kernel.Maximum}} {
		for _, n := range benchmarkSizes {
			x, y := ramp[float64](n), make([]float64, n)
			x32, y32 := ramp[float32](n), make([]float32, n)
			b.Run(fmt.Sprintf("%s/64/%d", row.name, n), func(b *testing.B) {
				for b.Loop() {
					row.f.A64.VV(y, x, x)
				}
			})
			b.Run(fmt.Sprintf("%s/32/%d", row.name, n), func(b *testing.B) {
				for b.Loop() {
					row.f.A32.VV(y32, x32, x32)
				}
			})
		}
	}
}

// Rows and columns of small layers, and their reductions.
func BenchmarkBroadcast(b *testing.B) {
	for _, row := range []struct {
		name               string
		rows, columns      int
		strideRow, strideC int
	}{
		{"bias/16x3", 16, 3, 0, 1}, {"bias/24x1", 24, 1, 0, 1}, {"bias/64x10", 64, 10, 0, 1}, {"bias/64x128", 64, 128, 0, 1}, {"bias/1000x1000", 1000, 1000, 0, 1},
		{"column/16x3", 16, 3, 1, 0}, {"column/64x10", 64, 10, 1, 0}, {"column/64x128", 64, 128, 1, 0},
	} {
		n := row.rows * row.columns
		x, y, z := ramp[float32](n), ramp[float32](n), make([]float32, n)
		shape, own, other := []int{row.rows, row.columns}, []int{row.columns, 1}, []int{row.strideRow, row.strideC}
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				kernel.Apply(&kernel.Add.A32, z, x, y, shape, own, other)
			}
		})
	}
}

func BenchmarkReduction(b *testing.B) {
	for _, form := range [][3]int{{1, 24, 1}, {16, 3, 1}, {64, 10, 1}, {1, 64, 10}, {1, 64, 128}, {1000, 1000, 1}} {
		outer, n, inner := form[0], form[1], form[2]
		x, y := ramp[float32](outer*n*inner), make([]float32, outer*n*inner)
		for _, row := range []struct {
			name string
			f    func(dst, x []float32, outer, n, inner int)
		}{
			{"Sum", kernel.Sum[float32]}, {"Mean", kernel.Mean[float32]}, {"Max", kernel.Max[float32]}, {"LogSumExp", kernel.LogSumExp[float32]}, {"Softmax", kernel.Softmax[float32]},
			{"LogSoftmax", kernel.LogSoftmax[float32]},
		} {
			b.Run(fmt.Sprintf("%s/%dx%dx%d", row.name, outer, n, inner), func(b *testing.B) {
				for b.Loop() {
					row.f(y, x, outer, n, inner)
				}
			})
		}
	}
}

func unaryNamed(name string) *kernel.Unary {
	for _, row := range unaries {
		if row.name == name {
			return row.u
		}
	}
	panic(name)
}

// ramp is n numbers from −4 to 4.
func ramp[T kernel.Float](n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(8*float64(i)/float64(n) - 4)
	}
	return x
}
