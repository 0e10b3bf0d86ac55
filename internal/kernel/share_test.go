package kernel_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"nabla/internal/kernel"
)

// Loops that the workers share give the same bits as loops over short arrays,
// which are not shared, for any number of workers.
func TestSharedLoops(t *testing.T) {
	t.Run("float64", sharedLoops[float64])
	t.Run("float32", sharedLoops[float32])
}

func sharedLoops[T kernel.Float](t *testing.T) {
	const n, short = 1<<17 + 1234, 1000
	rng := rand.New(rand.NewPCG(18, 19))
	fresh := func() []T { return unaligned[T](rng, n) }
	x, y, c := fresh(), fresh(), fresh()
	for i := range c {
		c[i] = T(rng.IntN(2))
	}
	start := [4][]T{fresh(), fresh(), fresh(), fresh()}
	for name, f := range map[string]func(lo, hi int, s [4][]T){ // s is what the loop may change
		"Fill":       func(lo, hi int, s [4][]T) { kernel.Fill(s[0][lo:hi], 3) },
		"Accumulate": func(lo, hi int, s [4][]T) { kernel.Accumulate(s[0][lo:hi], x[lo:hi]) },
		"Where":      func(lo, hi int, s [4][]T) { kernel.Where(s[0][lo:hi], c[lo:hi], x[lo:hi], y[lo:hi]) },
		"SGD":        func(lo, hi int, s [4][]T) { kernel.SGD(s[0][lo:hi], x[lo:hi], nil, 0.1, 0, 0.01, false, false) },
		"SGD, momentum": func(lo, hi int, s [4][]T) {
			kernel.SGD(s[0][lo:hi], x[lo:hi], s[1][lo:hi], 0.1, 0.9, 0.01, false, false)
		},
		"SGD, first step": func(lo, hi int, s [4][]T) { kernel.SGD(s[0][lo:hi], x[lo:hi], s[1][lo:hi], 0.1, 0.9, 0.01, true, true) },
		"Adam": func(lo, hi int, s [4][]T) {
			kernel.Adam(s[0][lo:hi], x[lo:hi], s[1][lo:hi], s[2][lo:hi], 0.1, 0.9, 0.99, 1e-8, 0.01, true, 3)
		},
		"RMSProp": func(lo, hi int, s [4][]T) {
			kernel.RMSProp(s[0][lo:hi], x[lo:hi], s[1][lo:hi], nil, nil, 0.1, 0.9, 1e-8, 0, 0.01)
		},
		"RMSProp, centered, momentum": func(lo, hi int, s [4][]T) {
			kernel.RMSProp(s[0][lo:hi], x[lo:hi], s[1][lo:hi], s[2][lo:hi], s[3][lo:hi], 0.1, 0.9, 1e-8, 0.5, 0)
		},
	} {
		compute := func(step, processors int) [4][]T {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
			s := start
			for i := range s {
				s[i] = slices.Clone(s[i])
			}
			for i := range s[1] { // means of squares are no less than 0
				s[1][i], s[2][i] = abs(s[1][i]), abs(s[2][i])
			}
			for lo := 0; lo < n; lo += step {
				f(lo, min(lo+step, n), s)
			}
			return s
		}
		want := compute(short, 1)
		for _, processors := range []int{1, 2, 5} {
			got := compute(n, processors)
			for i := range got {
				if at := firstDifference(got[i], want[i]); at >= 0 {
					t.Errorf("%s, %d processors: element %d of slice %d is %v, want %v", name, processors, at, i, got[i][at], want[i][at])
				}
			}
		}
	}
}

func abs[T kernel.Float](x T) T { return max(x, -x) }

// firstDifference returns the index of the first element that differs, or −1.
// NaN equals NaN.
func firstDifference[T kernel.Float](x, y []T) int {
	for i := range x {
		if x[i] != y[i] && (x[i] == x[i] || y[i] == y[i]) {
			return i
		}
	}
	return -1
}

// Copies in pieces put every element in its right place.
func TestSharedMoves(t *testing.T) {
	t.Run("float64", sharedMoves[float64])
	t.Run("float32", sharedMoves[float32])
}

func sharedMoves[T kernel.Float](t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	const rows, columns, depth = 50, 61, 53
	rng := rand.New(rand.NewPCG(20, 21))
	x := unaligned[T](rng, rows*columns*depth)
	places := []int{3, 40, 0, 49, 49, 7}
	shape, strides := []int{rows, columns, depth}, []int{columns * depth, depth, 1}
	swapped := []int{1, rows, rows * columns} // the axes in reverse
	for name, c := range map[string]struct {
		f    func(dst []T)
		want func(i, j, k int) (at int, v T)
		n    int
	}{
		"Copy": {
			func(dst []T) { kernel.Copy(dst, x, shape, 0, swapped, 0, strides) },
			func(i, j, k int) (int, T) { return i + j*rows + k*rows*columns, x[(i*columns+j)*depth+k] }, len(x),
		},
		"Copy of a broadcast": {
			func(dst []T) { kernel.Copy(dst, x, shape, 0, strides, 5, []int{0, depth, 1}) },
			func(i, j, k int) (int, T) { return (i*columns+j)*depth + k, x[5+j*depth+k] }, len(x),
		},
		"Copy in reverse": {
			func(dst []T) { kernel.Copy(dst, x, shape, 0, strides, len(x)-1, []int{-columns * depth, -depth, -1}) },
			func(i, j, k int) (int, T) { at := (i*columns+j)*depth + k; return at, x[len(x)-1-at] }, len(x),
		},
		"Gather": {
			func(dst []T) { kernel.Gather(dst, x, repeat(places, 3000), 1, 3000, rows*columns, depth) },
			func(i, j, k int) (int, T) {
				at := (i*columns + j) % 3000
				return at*depth + k, x[places[at%len(places)]*depth+k]
			}, 3000 * depth,
		},
		"Gather, outer": {
			func(dst []T) { kernel.Gather(dst, x, repeat(places, 61), rows, 61, columns, depth) },
			func(i, j, k int) (int, T) {
				return (i*61+j)*depth + k, x[(i*columns+places[j%len(places)])*depth+k]
			}, len(x),
		},
	} {
		dst := make([]T, c.n)
		for i := range dst {
			dst[i] = 1
		}
		c.f(dst)
		for i := range rows {
			for j := range columns {
				for k := range depth {
					if at, v := c.want(i, j, k); dst[at] != v {
						t.Fatalf("%s: element %d is %v, want %v", name, at, dst[at], v)
					}
				}
			}
		}
	}
}

// repeat returns n integers, those of x again and again.
func repeat(x []int, n int) []int {
	y := make([]int, n)
	for i := range y {
		y[i] = x[i%len(x)]
	}
	return y
}

func TestSharedConversions(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	x := unaligned[float64](rand.New(rand.NewPCG(22, 23)), 1<<18+17)
	narrowed, widened := make([]float32, len(x)), make([]float64, len(x))
	kernel.Convert32(narrowed, x)
	kernel.Convert64(widened, narrowed)
	for i, v := range x {
		if narrowed[i] != float32(v) || widened[i] != float64(float32(v)) {
			t.Fatalf("element %d, %v, became %v and %v", i, v, narrowed[i], widened[i])
		}
	}
}

// An index out of bounds panics in the caller's goroutine, which can recover.
func TestSharedGatherPanicsInCaller(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	index := make([]int, 3000)
	index[2999] = 50
	kernel.Gather(make([]float64, 3000*64), make([]float64, 50*64), index, 1, len(index), 50, 64)
}

func TestSharedLoopsAllocateNothing(t *testing.T) {
	const n = 1 << 18
	x, y, z, x32 := make([]float64, n), make([]float64, n), make([]float64, n), make([]float32, n)
	index, shape, strides, transposed := make([]int, n/8), []int{512, 512}, []int{512, 1}, []int{1, 512}
	for name, f := range map[string]func(){
		"Fill":       func() { kernel.Fill(x, 1) },
		"Accumulate": func() { kernel.Accumulate(x, y) },
		"SGD":        func() { kernel.SGD(x, y, z, 0.1, 0.9, 0, false, false) },
		"Convert":    func() { kernel.Convert32(x32, x); kernel.Convert64(x, x32) },
		"Copy":       func() { kernel.Copy(x, y, shape, 0, strides, 0, transposed) },
		"Gather":     func() { kernel.Gather(x, y, index, 1, len(index), n/8, 8) },
	} {
		allocatesNothing(t, name, f)
	}
}
