package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The loops of normalizations against the portable ones. The vectors add in
// another order, and round a product and a sum at once.
func TestNormalizingTwins(t *testing.T) {
	needVectors(t)
	t.Run("float32", func(t *testing.T) { checkNormalizing(t, &primitives32.normalizing, &portable32.normalizing, 1e-6) })
	t.Run("float64", func(t *testing.T) { checkNormalizing(t, &primitives64.normalizing, &portable64.normalizing, 2e-15) })
}

func checkNormalizing[T Float](t *testing.T, vector, portable *normalizing[T], tolerance float64) {
	rng := rand.New(rand.NewPCG(3, 4))
	draw := func(n int) []T {
		x := make([]T, n)
		for i := range x {
			x[i] = T(rng.NormFloat64())
		}
		return x
	}
	wide := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		return x
	}
	l, b := line[T]{0.3, 1.7, -0.2}, bend[T]{0.3, 1.7, 0.9, -0.4, 0.1}
	for n := 1; n < 700; n += 1 + n/9 {
		gy, x, scale, shift, more, last := draw(n), draw(n), draw(n), draw(n), draw(n), draw(n)
		for name, f := range map[string]func(p *normalizing[T], y []T){
			"normalize":            func(p *normalizing[T], y []T) { p.normalize(y, x, l) },
			"normalizeGrad":        func(p *normalizing[T], y []T) { p.normalizeGrad(y, gy, x, b) },
			"normalizeRow":         func(p *normalizing[T], y []T) { p.normalizeRow(y, x, scale, shift, l) },
			"normalizeRow, scale":  func(p *normalizing[T], y []T) { p.normalizeRow(y, x, scale, nil, l) },
			"normalizeRow, shift":  func(p *normalizing[T], y []T) { p.normalizeRow(y, x, nil, shift, l) },
			"normalizeRowGrad":     func(p *normalizing[T], y []T) { p.normalizeRowGrad(y, gy, x, scale, b) },
			"normalizeColumns":     func(p *normalizing[T], y []T) { p.normalizeColumns(y, x, scale, shift, more) },
			"normalizeColumnsGrad": func(p *normalizing[T], y []T) { p.normalizeColumnsGrad(y, gy, x, scale, shift, more, last, gy) },
		} {
			got, want := make([]T, n), make([]T, n)
			f(vector, got)
			f(portable, want)
			for i := range want {
				if !(math.Abs(float64(got[i]-want[i])) <= 20*tolerance) {
					t.Fatalf("%s: element %d of %d is %v, want %v", name, i, n, got[i], want[i])
				}
			}
		}
		for name, f := range map[string]func(p *normalizing[T]) (float64, float64){
			"sumOfRun":      func(p *normalizing[T]) (float64, float64) { return p.sumOfRun(x) * tolerance, 0 }, // float32 adds up in float32
			"deviations":    func(p *normalizing[T]) (float64, float64) { return p.deviations(x, 0.3) },
			"products":      func(p *normalizing[T]) (float64, float64) { return p.products(gy, x, 0.3) },
			"productsOfRow": func(p *normalizing[T]) (float64, float64) { return p.productsOfRow(gy, x, scale, 0.3) },
		} {
			a, b := f(vector)
			c, d := f(portable)
			if !(math.Abs(a-c) <= 1e-14*float64(n) && math.Abs(b-d) <= 1e-14*float64(n)) {
				t.Fatalf("%s of %d: %v, %v; want %v, %v", name, n, a, b, c, d)
			}
		}
	}
	for columns := 1; columns <= 64; columns++ {
		for _, rows := range []int{1, 2, 7} {
			stride := columns + rows%3
			gy, x, mean := draw(rows*stride), draw(rows*stride), wide(columns)
			s := Statistics{Mean: wide(2 * rows), Factor: wide(2 * rows), Rest: wide(2 * rows)}
			for name, f := range map[string]func(p *normalizing[T], a, b []float64){
				"deviationsOfColumns": func(p *normalizing[T], a, b []float64) { p.deviationsOfColumns(a, b, x, mean, rows, stride) },
				"productsOfColumns":   func(p *normalizing[T], a, b []float64) { p.productsOfColumns(a, b, gy, x, mean, rows, stride) },
				"affineSums":          func(p *normalizing[T], a, b []float64) { p.affineSums(a, b, gy, x, s, rows, stride, 2) },
			} {
				var got, want [2][]float64
				for i := range 2 {
					got[i], want[i] = wide(columns+8), wide(columns+8)
				}
				rest := append([]float64{}, got[0][columns:]...)
				f(vector, got[0][:columns], got[1][:columns])
				f(portable, want[0][:columns], want[1][:columns])
				for i := range 2 {
					for c := range columns {
						if !(math.Abs(got[i][c]-want[i][c]) <= 1e-13) {
							t.Fatalf("%s of %d × %d: sum %d of column %d is %v, want %v", name, rows, columns, i, c, got[i][c], want[i][c])
						}
					}
				}
				for i, v := range rest {
					if got[0][columns+i] != v {
						t.Fatalf("%s of %d × %d writes behind its sums", name, rows, columns)
					}
				}
			}
		}
	}
}
