package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"nabla/internal/kernel"
)

// matMulForms are sizes m, n and k that reach every way to compute a product:
// tiles and their edges, blocks of k, panels of a and b for awkward strides,
// dot products, single rows, and pieces for the workers.
var matMulForms = [][3]int{
	{64, 128, 784}, {784, 128, 64}, {64, 784, 128}, {64, 10, 128}, {128, 10, 64}, {64, 128, 10},
	{96, 96, 96}, {100, 101, 103}, {128, 128, 128}, {203, 205, 207}, {130, 514, 70}, {30, 1030, 391}, {600, 40, 400}, {512, 64, 400},
	{1, 700, 300}, {2, 700, 300}, {3, 700, 300}, {700, 1, 300}, {1, 1, 9001}, {5, 7, 9001}, {24, 90, 300}, {7, 5, 20001}, {1030, 3, 200},
	{1024, 130, 70}, {1024, 1024, 24}, {2048, 40, 60}, {30, 2048, 300}, {25, 8200, 17}, {8197, 10, 20},
}

// matrixProduct is one call of MatMul. Its slices are unaligned parts of larger
// ones.
type matrixProduct[T kernel.Float] struct {
	m, n, k        int
	transA, transB bool
	a, b, start    []T
}

const margin = 3

func newProduct[T kernel.Float](rng *rand.Rand, m, n, k, variant int) matrixProduct[T] {
	p := matrixProduct[T]{m: m, n: n, k: k, transA: variant&1 != 0, transB: variant&2 != 0}
	p.a, p.b, p.start = unaligned[T](rng, m*k), unaligned[T](rng, k*n), unaligned[T](rng, m*n)
	return p
}

func unaligned[T kernel.Float](rng *rand.Rand, n int) []T {
	offset := 1 + rng.IntN(margin)
	x := make([]T, n+offset)[offset:]
	for i := range x {
		x[i] = T(rng.Float64()*2 - 1)
	}
	return x
}

func (p matrixProduct[T]) String() string {
	return fmt.Sprintf("%T %d×%d×%d, transA %v, transB %v", p.a, p.m, p.n, p.k, p.transA, p.transB)
}

// compute returns the result, and fails if anything around it was overwritten.
func (p matrixProduct[T]) compute(t testing.TB, matMul func(dst, a, b []T, m, n, k int, transA, transB bool)) []T {
	t.Helper()
	const guard = 12345
	memory := make([]T, len(p.start)+2*margin)
	kernel.Fill(memory, guard)
	dst := memory[margin : margin+len(p.start)]
	copy(dst, p.start)
	matMul(dst, p.a, p.b, p.m, p.n, p.k, p.transA, p.transB)
	for i := range margin {
		if memory[i] != guard || memory[len(memory)-1-i] != guard {
			t.Fatalf("%v: wrote outside of dst", p)
		}
	}
	return dst
}

// sum returns the product's element in float64, and the sum of the magnitudes
// of its terms.
func (p matrixProduct[T]) sum(i, j int) (sum, magnitude float64) {
	for q := range p.k {
		x, y := i*p.k+q, q*p.n+j
		if p.transA {
			x = q*p.m + i
		}
		if p.transB {
			y = j*p.k + q
		}
		term := float64(p.a[x]) * float64(p.b[y])
		sum += term
		magnitude += math.Abs(term)
	}
	return sum, magnitude
}

// check compares the product with the naive sums: all of a small one, a sample
// of a large one.
func (p matrixProduct[T]) check(t testing.TB, got []T) {
	t.Helper()
	for at := 0; at < len(got); at += 1 + p.m*p.n*p.k/(1<<17) {
		want, magnitude := p.sum(at/p.n, at%p.n)
		if v := float64(got[at]); !(math.Abs(v-want) <= roundOff[T](p.k)*magnitude) && !(math.IsNaN(v) && math.IsNaN(want)) && v != want {
			t.Fatalf("%v: element %d, %d is %v, want %v", p, at/p.n, at%p.n, v, want)
		}
	}
}

// roundOff bounds the relative error of a sum of k products. The worst case
// grows with k, the usual one with its root.
func roundOff[T kernel.Float](k int) float64 {
	unit := 0x1p-24
	if T(1)+T(0x1p-30) != 1 {
		unit = 0x1p-53
	}
	return unit * (4 + 2*math.Sqrt(float64(k)))
}

func TestMatMulTwins(t *testing.T) {
	t.Run("float32", matMulTwins[float32])
	t.Run("float64", matMulTwins[float64])
}

func matMulTwins[T kernel.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	sizes := slices.Clone(matMulForms)
	for range 300 {
		sizes = append(sizes, [3]int{rng.IntN(41), rng.IntN(41), rng.IntN(41)})
	}
	for i, size := range sizes {
		for variant := range 4 {
			p := newProduct[T](rng, size[0], size[1], size[2], variant)
			p.check(t, p.compute(t, kernel.MatMul[T]))
			if i%4 == 0 {
				p.check(t, p.compute(t, kernel.PortableMatMul[T]))
			}
		}
	}
}

// A NaN or an infinity reaches its row or column of the result, whatever it is
// multiplied with, and nothing else.
func TestMatMulSpreadsNaN(t *testing.T) {
	t.Run("float32", spreadsNaN[float32])
	t.Run("float64", spreadsNaN[float64])
}

func spreadsNaN[T kernel.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 500 {
		size := [3]int{1 + rng.IntN(40), 1 + rng.IntN(40), 1 + rng.IntN(40)}
		if i < 4*len(matMulForms) {
			size = matMulForms[i/4]
		}
		p := newProduct[T](rng, size[0], size[1], size[2], i%4)
		kernel.Fill(p.b, 0)
		at := rng.IntN(len(p.a))
		p.a[at] = T([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}[rng.IntN(3)])
		row := at / p.k
		if p.transA {
			row = at % p.m
		}
		if i%2 == 0 { // and now the other way round
			p.a, p.b, p.m, p.n, p.transA, p.transB = p.b, p.a, p.n, p.m, !p.transB, !p.transA
		}
		for e, v := range p.compute(t, kernel.MatMul[T]) {
			line := e / p.n
			if i%2 == 0 {
				line = e % p.n
			}
			if (v != v) != (line == row) || v == v && v != 0 {
				t.Fatalf("%v: element %d, %d is %v with a NaN or Inf in line %d", p, e/p.n, e%p.n, v, row)
			}
		}
	}
}

// The bits are the same for any number of processors, and every time.
func TestMatMulSameBits(t *testing.T) {
	t.Run("float32", sameBits[float32])
	t.Run("float64", sameBits[float64])
}

func sameBits[T kernel.Float](t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rng := rand.New(rand.NewPCG(7, 8))
	for _, size := range matMulForms {
		for variant := range 4 {
			p := newProduct[T](rng, size[0], size[1], size[2], variant)
			runtime.GOMAXPROCS(1)
			want := p.compute(t, kernel.MatMul[T])
			for _, processors := range []int{2, 4, 2} {
				runtime.GOMAXPROCS(processors)
				if got := p.compute(t, kernel.MatMul[T]); !slices.Equal(got, want) {
					t.Fatalf("%v: other bits with GOMAXPROCS %d", p, processors)
				}
			}
		}
	}
}

// Products on many goroutines do not disturb each other, whichever of them has
// the workers.
func TestMatMulConcurrently(t *testing.T) {
	var group sync.WaitGroup
	for worker := range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			rng := rand.New(rand.NewPCG(9, uint64(worker)))
			for i := range 6 {
				p := newProduct[float32](rng, 120+worker, 120, 130+i, (worker+i)%4)
				q := newProduct[float64](rng, 20+worker, 600, 100+i, (worker+i)%4)
				wantP, wantQ := p.compute(t, kernel.MatMul[float32]), q.compute(t, kernel.MatMul[float64])
				p.check(t, wantP)
				q.check(t, wantQ)
				for range 5 {
					if !slices.Equal(p.compute(t, kernel.MatMul[float32]), wantP) || !slices.Equal(q.compute(t, kernel.MatMul[float64]), wantQ) {
						t.Errorf("%v or %v: other bits while others compute", p, q)
						return
					}
				}
			}
		}()
	}
	group.Wait()
}

// Large products that the workers share allocate nothing either.
// testing.AllocsPerRun uses one processor only, so this counts allocations
// itself; the least of several counts is that of the product.
func TestMatMulAllocatesNothing(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	rng := rand.New(rand.NewPCG(10, 11))
	for variant := range 4 {
		p := newProduct[float32](rng, 130, 1024, 140, variant)
		least := uint64(math.MaxUint64)
		for range 10 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range 3 {
				kernel.MatMul(p.start, p.a, p.b, p.m, p.n, p.k, p.transA, p.transB)
			}
			runtime.ReadMemStats(&after)
			least = min(least, after.Mallocs-before.Mallocs)
		}
		if least != 0 {
			t.Errorf("%v: %d allocations", p, least)
		}
	}
}

func FuzzMatMul(f *testing.F) {
	for i, size := range [][3]uint16{{0, 3, 2}, {1, 1, 1}, {6, 16, 8}, {7, 17, 9}, {64, 10, 128}, {3, 300, 40}, {25, 40, 400}, {20, 512, 20}, {1, 90, 90}, {90, 1, 90}} {
		f.Add(size[0], size[1], size[2], uint8(i), uint64(i))
	}
	f.Fuzz(func(t *testing.T, m, n, k uint16, variant uint8, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 0))
		p := newProduct[float32](rng, int(m%130), int(n%1100), int(k%500), int(variant%4))
		p.check(t, p.compute(t, kernel.MatMul[float32]))
		p.check(t, p.compute(t, kernel.PortableMatMul[float32]))
		q := newProduct[float64](rng, int(m%130), int(n%600), int(k%500), int(variant%4))
		q.check(t, q.compute(t, kernel.MatMul[float64]))
		q.check(t, q.compute(t, kernel.PortableMatMul[float64]))
	})
}
