package kernel_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/internal/kernel"
)

func randoms(rng *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	kernel.Convert32(y, x)
	return y
}

func randomShape(rng *rand.Rand, maxRank int) []int {
	shape := make([]int, rng.IntN(maxRank+1))
	for i := range shape {
		shape[i] = []int{0, 1, 1, 2, 3, 4}[rng.IntN(6)]
		if shape[i] == 0 && rng.IntN(3) > 0 {
			shape[i] = 2
		}
	}
	return shape
}

func product(shape []int) int {
	n := 1
	for _, size := range shape {
		n *= size
	}
	return n
}

// view makes up an operand of a shape: its axes are stored in a random order,
// and some are broadcast. It returns the strides and the number of stored
// elements.
func view(rng *rand.Rand, shape []int, broadcast bool) (strides []int, size int) {
	strides, size = make([]int, len(shape)), 1
	order := rng.Perm(len(shape))
	if rng.IntN(2) == 0 {
		slices.Sort(order)
		slices.Reverse(order)
	}
	for _, axis := range order {
		if broadcast && rng.IntN(3) == 0 {
			continue
		}
		strides[axis] = size
		size *= max(shape[axis], 1)
	}
	return strides, size
}

// offsets lists where a view has each element of the shape, by index
// arithmetic.
func offsets(shape, strides []int) []int {
	list := []int{0}
	for axis, size := range shape {
		var longer []int
		for _, at := range list {
			for i := range size {
				longer = append(longer, at+i*strides[axis])
			}
		}
		list = longer
	}
	return list
}

func TestApplyAgainstIndexArithmetic(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 800 {
		shape := randomShape(rng, 10)
		xStride, xSize := view(rng, shape, true)
		yStride, ySize := view(rng, shape, true)
		x, y := randoms(rng, xSize), randoms(rng, ySize)
		at, ay := offsets(shape, xStride), offsets(shape, yStride)
		want := make([]float64, product(shape))
		for i := range want {
			want[i] = x[at[i]] - y[ay[i]]
		}
		got := make([]float64, len(want))
		kernel.Apply(&kernel.Sub.A64, got, x, y, shape, xStride, yStride)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("shape %v, strides %v and %v (-want +got):\n%s", shape, xStride, yStride, diff)
		}
		got32 := make([]float32, len(want))
		kernel.Apply(&kernel.Sub.A32, got32, narrow(x), narrow(y), shape, xStride, yStride)
		for i := range want {
			if math.Abs(float64(got32[i])-want[i]) > 1e-6 {
				t.Fatalf("float32: shape %v, element %d is %v, want %v", shape, i, got32[i], want[i])
			}
		}
	}
}

// The result may overwrite either argument that has its layout, whatever the
// layout of the other.
func TestApplyInPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		shape := randomShape(rng, 4)
		own := make([]int, len(shape))
		size := 1
		for axis := len(shape) - 1; axis >= 0; axis-- {
			own[axis] = size
			size *= shape[axis]
		}
		otherStride, otherSize := view(rng, shape, true)
		x, other := randoms(rng, size), randoms(rng, otherSize)
		want := make([]float64, size)
		kernel.Apply(&kernel.Sub.A64, want, x, other, shape, own, otherStride)
		got := slices.Clone(x)
		kernel.Apply(&kernel.Sub.A64, got, got, other, shape, own, otherStride)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("dst = x, shape %v, other strides %v (-want +got):\n%s", shape, otherStride, diff)
		}
		kernel.Apply(&kernel.Sub.A64, want, other, x, shape, otherStride, own)
		got = slices.Clone(x)
		kernel.Apply(&kernel.Sub.A64, got, other, got, shape, otherStride, own)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("dst = y, shape %v, other strides %v (-want +got):\n%s", shape, otherStride, diff)
		}
	}
}

func TestCopyAgainstIndexArithmetic(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for round := range 800 {
		shape := randomShape(rng, 10)
		if round%10 == 0 {
			shape = []int{rng.IntN(3) + 1, rng.IntN(40), rng.IntN(40)} // large enough for tiles
		}
		dStride, dSize := view(rng, shape, false)
		sStride, sSize := view(rng, shape, true)
		const dOff = 3
		sOff := 2
		for axis, size := range shape {
			if rng.IntN(3) == 0 && size > 0 {
				sOff += (size - 1) * sStride[axis]
				sStride[axis] = -sStride[axis]
			}
		}
		src := randoms(rng, sSize+2)
		start := randoms(rng, dSize+dOff+1)
		want := slices.Clone(start)
		from := offsets(shape, sStride)
		for i, to := range offsets(shape, dStride) {
			want[dOff+to] = src[sOff+from[i]]
		}
		got := slices.Clone(start)
		kernel.Copy(got, src, shape, dOff, dStride, sOff, sStride)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("shape %v, strides %v and %v (-want +got):\n%s", shape, dStride, sStride, diff)
		}
	}
}

func TestTriangle(t *testing.T) {
	for rows := range 5 {
		for cols := range 5 {
			x := make([]float64, rows*cols)
			kernel.Fill(x, 7)
			for k := -6; k <= 6; k++ {
				for _, upper := range []bool{false, true} {
					want := make([]float64, rows*cols)
					for i := range rows {
						for j := range cols {
							if (upper && j-i >= k) || (!upper && j-i <= k) {
								want[i*cols+j] = 7
							}
						}
					}
					got := randoms(rand.New(rand.NewPCG(1, 1)), rows*cols)
					kernel.Triangle(got, x, rows, cols, k, upper)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%d×%d, k = %d, upper %v (-want +got):\n%s", rows, cols, k, upper, diff)
					}
				}
			}
		}
	}
}

func TestConvert(t *testing.T) {
	wide := []float64{0.1, 1e300, -1e-60, math.Inf(-1)}
	half := make([]float32, 4)
	kernel.Convert32(half, wide)
	if diff := cmp.Diff([]float32{0.1, float32(math.Inf(1)), float32(math.Copysign(0, -1)), float32(math.Inf(-1))}, half); diff != "" {
		t.Errorf("Convert32 (-want +got):\n%s", diff)
	}
	kernel.Convert64(wide, half)
	if diff := cmp.Diff([]float64{float64(float32(0.1)), math.Inf(1), 0, math.Inf(-1)}, wide); diff != "" {
		t.Errorf("Convert64 (-want +got):\n%s", diff)
	}
}

func TestIsFinite(t *testing.T) {
	for _, row := range []struct {
		x     []float64
		index int
		ok    bool
	}{
		{nil, -1, true}, {[]float64{1, math.MaxFloat64}, -1, true}, {[]float64{1, math.NaN(), math.Inf(1)}, 1, false},
		{[]float64{math.Inf(-1)}, 0, false},
	} {
		if index, ok := kernel.IsFinite(row.x); index != row.index || ok != row.ok {
			t.Errorf("IsFinite(%v) = %d, %v", row.x, index, ok)
		}
	}
	checkFiniteEverywhere[float32](t, math.MaxFloat32)
	checkFiniteEverywhere[float64](t, math.MaxFloat64)
}

// checkFiniteEverywhere looks for a NaN and infinities at each place of rows
// whose squares overflow, and of a long one that is cut into pieces.
func checkFiniteEverywhere[T kernel.Float](t *testing.T, largest T) {
	t.Helper()
	for _, n := range []int{0, 1, 7, 8, 33, 200, 300_000} {
		for _, v := range []T{1, largest} {
			x := make([]T, n)
			for i := range x {
				x[i] = v
			}
			if index, ok := kernel.IsFinite(x); index != -1 || !ok {
				t.Errorf("%d × %v: %d, %v", n, v, index, ok)
			}
			for at := 0; at < n; at += 1 + n/100 {
				for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
					x[at] = T(bad)
					if index, ok := kernel.IsFinite(x); index != at || ok {
						t.Errorf("%v at %d of %d: %d, %v", bad, at, n, index, ok)
					}
				}
				x[at] = v
			}
		}
	}
}

func TestFillAccumulateWhere(t *testing.T) {
	dst := make([]float64, 3)
	kernel.Fill(dst, 2)
	kernel.Accumulate(dst, []float64{0.5, 0.5, 0.5})
	if diff := cmp.Diff([]float64{2.5, 2.5, 2.5}, dst); diff != "" {
		t.Errorf("dst (-want +got):\n%s", diff)
	}
	nan := math.NaN()
	kernel.Where(dst, []float64{0, 1, nan}, []float64{nan, 2, 3}, []float64{4, nan, nan})
	if diff := cmp.Diff([]float64{4, 2, 3}, dst); diff != "" {
		t.Errorf("Where (-want +got):\n%s", diff)
	}
}

// Short rows are copied out in full; long ones are not, nor is anything that is
// computed in place.
func TestApplyRowsAgainstIndexArithmetic(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		rows, columns := 1+rng.IntN(6), 1+rng.IntN(70)
		x, y := randoms(rng, rows*columns), randoms(rng, columns)
		want := make([]float64, len(x))
		for i := range want {
			want[i] = x[i] - y[i%columns]
		}
		got := make([]float64, len(x))
		kernel.ApplyRows(&kernel.Sub.A64, got, x, y)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%d rows of %d (-want +got):\n%s", rows, columns, diff)
		}
		kernel.ApplyRows(&kernel.Sub.A64, x, x, y)
		if diff := cmp.Diff(want, x); diff != "" {
			t.Fatalf("in place, %d rows of %d (-want +got):\n%s", rows, columns, diff)
		}
	}
}
