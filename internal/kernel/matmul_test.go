package kernel_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"nabla/internal/kernel"
)

// naive adds op(a)·op(b) to dst, one element after the other.
func naive(dst, a, b []float64, m, n, k int, transA, transB bool) {
	for i := range m {
		for j := range n {
			for q := range k {
				av, bv := i*k+q, q*n+j
				if transA {
					av = q*m + i
				}
				if transB {
					bv = j*k + q
				}
				dst[i*n+j] += a[av] * b[bv]
			}
		}
	}
}

func checkMatMul(t *testing.T, rng *rand.Rand, m, n, k int) {
	t.Helper()
	a, b, start := randoms(rng, m*k), randoms(rng, k*n), randoms(rng, m*n)
	for variant := range 4 {
		transA, transB := variant&1 != 0, variant&2 != 0
		want := make([]float64, m*n)
		naive(want, a, b, m, n, k, transA, transB)
		got, got32 := slices.Clone(start), narrow(start)
		kernel.MatMul(got, a, b, m, n, k, transA, transB)
		kernel.MatMul(got32, narrow(a), narrow(b), m, n, k, transA, transB)
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-12*float64(k+1) || math.Abs(float64(got32[i])-want[i]) > 1e-5*float64(k+1) {
				t.Fatalf("%d×%d×%d, transA %v, transB %v: element %d is %v and %v, want %v",
					m, n, k, transA, transB, i, got[i], got32[i], want[i])
			}
		}
	}
}

func TestMatMulAgainstNaive(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for m := range 7 {
		for n := range 7 {
			for k := range 7 {
				checkMatMul(t, rng, m, n, k)
			}
		}
	}
	for range 200 {
		checkMatMul(t, rng, rng.IntN(21), rng.IntN(21), rng.IntN(21))
	}
	for _, size := range [][3]int{{3, 259, 131}, {5, 2, 300}, {2, 517, 3}, {1, 1, 1000}, {65, 33, 257}} {
		checkMatMul(t, rng, size[0], size[1], size[2])
	}
}

// 0·NaN and 0·Inf are NaN wherever they occur in the blocks.
func TestMatMulKeepsNaN(t *testing.T) {
	for k := 1; k <= 9; k++ {
		for at := range k {
			for variant := range 4 {
				a, b, dst := make([]float64, 3*k), make([]float64, k*5), make([]float64, 15)
				transA, transB := variant&1 != 0, variant&2 != 0
				for j := range 5 {
					index := at*5 + j
					if transB {
						index = j*k + at
					}
					b[index] = math.Inf(1)
				}
				kernel.MatMul(dst, a, b, 3, 5, k, transA, transB)
				for i, v := range dst {
					if v == v {
						t.Fatalf("k = %d, Inf at %d, variant %d: element %d is %v, want NaN", k, at, variant, i, v)
					}
				}
			}
		}
	}
}

func TestMatMulEmptyInner(t *testing.T) {
	dst := []float64{1, 2, 3, 4, 5, 6}
	kernel.MatMul(dst, nil, nil, 2, 3, 0, false, false)
	if !slices.Equal(dst, make([]float64, 6)) {
		t.Errorf("the empty product is %v", dst)
	}
}
