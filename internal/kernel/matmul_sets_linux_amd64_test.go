package kernel_test

import (
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"

	"nabla/internal/kernel"
)

// fenced is memory between two pages that cannot be accessed.
type fenced []byte

func newFenced(t testing.TB, size int) fenced {
	t.Helper()
	page := syscall.Getpagesize()
	size = (size + page - 1) / page * page
	memory, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(memory) })
	for _, fence := range [][]byte{memory[:page], memory[page+size:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return fenced(memory[page : page+size])
}

// atEdge copies x to the end or to the start of the memory.
func atEdge[T kernel.Float](f fenced, x []T, end bool) []T {
	if len(x) == 0 {
		return x
	}
	offset := 0
	if end {
		offset = len(f) - len(x)*int(unsafe.Sizeof(x[0]))
	}
	to := unsafe.Slice((*T)(unsafe.Pointer(&f[offset])), len(x))
	copy(to, x)
	return to
}

// Every set computes every small size correctly, and accesses nothing outside
// of its operands, which lie at the edge of the accessible memory. AVX2 and
// AVX-512 give the same bits where their elements are sums in the same order.
func TestMatMulSets(t *testing.T) {
	t.Run("float32", matMulSets[float32])
	t.Run("float64", matMulSets[float64])
}

func matMulSets[T kernel.Float](t *testing.T) {
	const most = 40
	rng := rand.New(rand.NewPCG(12, 13))
	memory := newFences[T](t, most*most)
	for m := 1; m <= most; m++ {
		for n := 1; n <= most; n++ {
			for variant := range 4 {
				memory.check(t, newProduct[T](rng, m, n, 1+rng.IntN(most), variant), (m+n)%2 == 0)
			}
		}
	}
	sizes := [][3]int{{8281, 9, 18}, {2048, 33, 259}, {1024, 9, 20}, {30, 2048, 35}, {25, 8201, 18}, {200, 260, 2055}} // operands are packed or copied, with all kinds of rests
	for range 10 {
		sizes = append(sizes, [3]int{1 + rng.IntN(300), 1 + rng.IntN(300), 1 + rng.IntN(600)})
	}
	for i, size := range sizes {
		m, n, k := size[0], size[1], size[2]
		large := newFences[T](t, max(m*n, m*k, n*k))
		for variant := range 4 {
			p := newProduct[T](rng, m, n, k, variant)
			large.check(t, p, i%2 == 0)
			if isPacked := i < 6; isPacked {
				large.check(t, p, i%2 != 0)
			}
		}
	}
}

// fences hold the operands and the result of products by all sets.
type fences[T kernel.Float] struct {
	a, b, dst fenced
	sets      map[string]func(dst, a, b []T, m, n, k int, transA, transB bool)
}

func newFences[T kernel.Float](t testing.TB, numbers int) fences[T] {
	return fences[T]{newFenced(t, 8*numbers), newFenced(t, 8*numbers), newFenced(t, 8*numbers), kernel.MatMulSets[T]()}
}

func (f fences[T]) check(t testing.TB, p matrixProduct[T], end bool) {
	t.Helper()
	p.a, p.b = atEdge(f.a, p.a, end), atEdge(f.b, p.b, end)
	results := map[string][]T{}
	for name, matMul := range f.sets {
		dst := atEdge(f.dst, p.start, end)
		matMul(dst, p.a, p.b, p.m, p.n, p.k, p.transA, p.transB)
		results[name] = append([]T(nil), dst...)
	}
	narrow, wide := results["AVX2"], results["AVX-512"]
	mayBeDots := p.transB && (!p.transA || p.m == 1) || p.n == 1 // which add up as many lanes as vectors have
	if narrow != nil && wide != nil && !mayBeDots {
		if at := firstDifference(narrow, wide); at >= 0 {
			t.Fatalf("%v: element %d is %v by AVX2 and %v by AVX-512", p, at, narrow[at], wide[at])
		}
		delete(results, "AVX2")
	}
	for _, result := range results {
		p.check(t, result)
	}
}

// A NaN or an infinity has the same effect in all sets, wherever it is.
func TestMatMulSetsSpecialValues(t *testing.T) {
	t.Run("float32", specialValues[float32])
	t.Run("float64", specialValues[float64])
}

func specialValues[T kernel.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 15))
	memory := newFences[T](t, 40*90)
	for i := range 2000 {
		p := newProduct[T](rng, 1+rng.IntN(40), 1+rng.IntN(40), 1+rng.IntN(90), i%8)
		for _, x := range [][]T{p.a, p.b, p.start} {
			x[rng.IntN(len(x))] = T([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0}[rng.IntN(4)])
		}
		memory.check(t, p, i/8%2 == 0)
	}
}

func FuzzMatMulSets(f *testing.F) {
	for i, size := range [][3]uint16{{1, 1, 1}, {6, 16, 8}, {13, 33, 9}, {12, 32, 300}, {49, 10, 128}, {97, 130, 257}} {
		f.Add(size[0], size[1], size[2], uint8(i), uint64(i))
	}
	f.Fuzz(func(t *testing.T, m, n, k uint16, variant uint8, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rows, columns, inner := 1+int(m%130), 1+int(n%600), 1+int(k%600)
		most := max(rows*columns, rows*inner, columns*inner)
		newFences[float32](t, most).check(t, newProduct[float32](rng, rows, columns, inner, int(variant%4)), seed%2 == 0)
		newFences[float64](t, most).check(t, newProduct[float64](rng, rows, columns, inner, int(variant%4)), seed%2 == 0)
	})
}
