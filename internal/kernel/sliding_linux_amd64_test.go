package kernel_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"nabla/internal/kernel"
)

// Every set slides windows alike, and accesses nothing outside of its operands,
// which lie at the edge of the accessible memory: the same maxima and places,
// the same sums but for their last digits, and with vectors to the last bit,
// unless they add up the lanes.
func TestWindowSets(t *testing.T) {
	t.Run("float32", func(t *testing.T) { windowSets[float32](t, 1e-5) })
	t.Run("float64", func(t *testing.T) { windowSets[float64](t, 1e-14) })
}

func windowSets[T kernel.Float](t *testing.T, tolerance float64) {
	const most = 1 << 14
	rng := rand.New(rand.NewPCG(40, 41))
	var memory [6]fenced
	for i := range memory {
		memory[i] = newFenced(t, 8*most)
	}
	for i, c := range depthwiseForms() {
		d := newDepthwiseCase[T](rng, c)
		if len(d.x)+len(d.y) > most {
			continue
		}
		d.place(&memory, i%2 == 0)
		var want, vectors [][]T
		kernel.EachWindowSet(func(set string) {
			got := append(d.computeInside(&memory, i%2 == 0), d.pool()...)
			switch {
			case set == "portable":
				want = got
			case vectors == nil:
				vectors = got
			}
			const weights = 2
			for j := range got {
				if set == "AVX-512 and AVX2" && j != weights {
					if at := firstDifference(got[j], vectors[j]); at >= 0 {
						t.Fatalf("%+v by %s: element %d of result %d is %v, by AVX2 %v", c, set, at, j, got[j][at], vectors[j][at])
					}
				}
				for k, v := range got[j] {
					if !isNear(float64(want[j][k]), float64(v), tolerance) {
						t.Fatalf("%+v by %s: element %d of result %d is %v, want %v", c, set, k, j, v, want[j][k])
					}
				}
			}
		})
	}
}

func isNear(x, y, tolerance float64) bool {
	return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= tolerance*(1+math.Abs(x))
}

// place moves the operands to the edges.
func (d *depthwiseCase[T]) place(memory *[6]fenced, end bool) {
	d.x, d.y, d.w = atEdge(memory[0], d.x, end), atEdge(memory[1], d.y, end), atEdge(memory[2], d.w, end)
}

// computeInside is compute with results at the edges.
func (d *depthwiseCase[T]) computeInside(memory *[6]fenced, end bool) [][]T {
	maps, images, weights := atEdge(memory[3], d.y, end), atEdge(memory[4], d.x, end), atEdge(memory[5], d.w, end)
	kernel.Conv(maps, d.x, d.w, d.mapBias, d.c)
	kernel.ConvTranspose(images, d.y, d.w, d.imageBias, d.c)
	kernel.ConvWeights(weights, d.x, d.y, d.c)
	var all [][]T
	for _, x := range [][]T{maps, images, weights} {
		all = append(all, append([]T(nil), x...))
	}
	return all
}

// pool pools the images, with some numbers that are not ordinary, by the same
// windows, and spreads the maps back over them.
func (d *depthwiseCase[T]) pool() [][]T {
	planes, v := d.c.Batch*d.c.In, kernel.Volume{}
	for i, a := range d.c.Axes {
		w := kernel.Windows{In: a.Image, Out: a.Map, Step: a.Dilation, Kernel: a.Kernel, Stride: a.Stride, Before: a.Before}
		for o := range a.Map {
			first, count := -1, 0
			for k := range a.Kernel {
				if at := o*a.Stride - a.Before + k*a.Dilation; at >= 0 && at < a.Image {
					if count++; first < 0 {
						first = at
					}
				}
			}
			if first < 0 {
				return nil
			}
			w.First, w.Count, w.Share = append(w.First, first), append(w.Count, count), append(w.Share, o%3+1)
		}
		v[i] = w
	}
	outputs := planes * v[0].Out * v[1].Out * v[2].Out
	maxima, places, blind, means, images := make([]T, outputs), make([]int32, outputs), make([]T, outputs), make([]T, outputs), make([]T, len(d.x))
	special := append([]T(nil), d.x...)
	for i := range special {
		special[i] = T(math.Round(float64(special[i])))
		if i%7 == 3 {
			special[i] = T([]float64{math.Inf(-1), math.NaN(), math.Inf(1), math.Inf(-1)}[i/7%4])
		}
	}
	kernel.MaxPool(maxima, places, special, planes, v)
	kernel.MaxPool(blind, nil, special, planes, v)
	all := [][]T{maxima, blind, make([]T, outputs)}
	for i, place := range places {
		all[2][i] = T(place)
	}
	if v[0].Step*v[1].Step*v[2].Step == 1 { // means have no dilation
		kernel.AvgPool(means, d.x, planes, v)
		kernel.AvgPoolGrad(images, d.y[:outputs], planes, v)
		all = append(all, means, images)
	}
	return all
}

// The copies of pairs, at every length, write what they should and no more.
func TestPairs(t *testing.T) {
	t.Run("float32", pairs[float32])
	t.Run("float64", pairs[float64])
}

func pairs[T kernel.Float](t *testing.T) {
	var memory [3]fenced
	for i := range memory {
		memory[i] = newFenced(t, 4096)
	}
	kernel.EachWindowSet(func(set string) {
		for n := kernel.VectorOf[T](); n < 40; n++ {
			x := make([]T, 2*n*3)
			for i := range x {
				x[i] = T(i + 1)
			}
			src, even, odd := atEdge(memory[0], x, true), atEdge(memory[1], x[:3*n], true), atEdge(memory[2], x[:3*n], true)
			kernel.SplitPairs(even, odd, src, n, 3)
			for i := range even {
				if even[i] != T(2*i+1) || odd[i] != T(2*i+2) {
					t.Fatalf("%s, %d pairs of %d bytes: pair %d is %v, %v", set, n, unsafe.Sizeof(x[0]), i, even[i], odd[i])
				}
			}
			clear(src)
			kernel.JoinPairs(src, even, odd, n, 3)
			for i, v := range src {
				if v != T(i+1) {
					t.Fatalf("%s, %d pairs: element %d is %v", set, n, i, v)
				}
			}
		}
	})
}
