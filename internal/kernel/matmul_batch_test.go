package kernel_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"nabla/internal/kernel"
)

// batches are products of sizes m, n and k along the axes of a batch. Along
// each axis, a and b have as many matrices as the batch, or one.
var batches = []struct {
	batch, a, b []int
	m, n, k     int
}{
	{[]int{7}, []int{7}, []int{7}, 5, 6, 4},
	{[]int{200}, []int{200}, []int{200}, 16, 20, 30},
	{[]int{9}, []int{9}, []int{1}, 30, 20, 40},
	{[]int{9}, []int{1}, []int{9}, 30, 20, 40},
	{[]int{3, 4}, []int{3, 4}, []int{1, 1}, 25, 33, 17},
	{[]int{3, 4}, []int{3, 1}, []int{1, 4}, 26, 13, 18},
	{[]int{4, 3}, []int{4, 3}, []int{4, 1}, 27, 40, 18},
	{[]int{5, 1, 2}, []int{1, 1, 2}, []int{5, 1, 1}, 64, 48, 300},
	{[]int{6, 4}, []int{6, 4}, []int{6, 4}, 64, 64, 16},
	{[]int{3}, []int{3}, []int{3}, 200, 190, 180},
	{[]int{20}, []int{1}, []int{20}, 30, 800, 40},
	{[]int{30}, []int{30}, []int{30}, 1, 50, 60},
	{[]int{30}, []int{30}, []int{1}, 1, 50, 60},
	{[]int{30}, []int{30}, []int{30}, 40, 1, 60},
	{[]int{4}, []int{1}, []int{4}, 1025, 3, 40},
	{[]int{0}, []int{1}, []int{1}, 3, 4, 5},
	{[]int{3}, []int{3}, []int{3}, 3, 4, 0},
	{nil, nil, nil, 3, 4, 5},
}

// batchStrides returns the strides of one operand's matrices, and their number.
func batchStrides(sizes []int) (strides []int, count int) {
	strides, count = make([]int, len(sizes)), 1
	for i := len(sizes) - 1; i >= 0; i-- {
		if sizes[i] > 1 {
			strides[i] = count
		}
		count *= sizes[i]
	}
	return strides, count
}

// A batch gives the same bits as its products one by one, for any number of
// workers.
func TestMatMuls(t *testing.T) {
	t.Run("float32", matMuls[float32])
	t.Run("float64", matMuls[float64])
}

func matMuls[T kernel.Float](t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rng := rand.New(rand.NewPCG(16, 17))
	for _, c := range batches {
		aStrides, aCount := batchStrides(c.a)
		bStrides, bCount := batchStrides(c.b)
		_, count := batchStrides(c.batch)
		a, b := unaligned[T](rng, aCount*c.m*c.k), unaligned[T](rng, bCount*c.k*c.n)
		for variant := range 4 {
			transA, transB := variant&1 != 0, variant&2 != 0
			name := fmt.Sprintf("%v, transA %v, transB %v", c, transA, transB)
			var results [][]T
			for _, processors := range []int{1, 2, 4, 2} {
				runtime.GOMAXPROCS(processors)
				dst := make([]T, count*c.m*c.n)
				kernel.Fill(dst, 99)
				kernel.MatMuls(dst, a, b, c.batch, aStrides, bStrides, c.m, c.n, c.k, transA, transB)
				results = append(results, dst)
			}
			for _, got := range results[1:] {
				if !slices.Equal(got, results[0]) {
					t.Fatalf("%s: other bits with other workers", name)
				}
			}
			for i := range count {
				x, y, rest := 0, 0, i
				for axis := len(c.batch) - 1; axis >= 0; axis-- {
					x += rest % c.batch[axis] * aStrides[axis]
					y += rest % c.batch[axis] * bStrides[axis]
					rest /= c.batch[axis]
				}
				p := matrixProduct[T]{m: c.m, n: c.n, k: c.k, transA: transA, transB: transB, a: a[x*c.m*c.k:], b: b[y*c.k*c.n:]}
				p.check(t, results[0][i*c.m*c.n:(i+1)*c.m*c.n])
			}
		}
	}
}

func TestMatMulsAllocateNothing(t *testing.T) {
	x, y := make([]float32, 40*64*64), make([]float32, 40*64*64)
	batch, strides, none := []int{40}, []int{1}, []int{0}
	for variant := range 4 {
		allocatesNothing(t, "MatMuls", func() {
			kernel.MatMuls(y, x, x, batch, strides, strides, 64, 64, 64, variant&1 != 0, variant&2 != 0)
			kernel.MatMuls(y, x, x, batch, strides, none, 64, 64, 64, variant&1 != 0, variant&2 != 0)
			kernel.MatMuls(y, x, x, batch, none, strides, 64, 64, 64, variant&1 != 0, variant&2 != 0)
		})
	}
}
