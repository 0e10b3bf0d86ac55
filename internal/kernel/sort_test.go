package kernel_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"nabla/internal/kernel"
)

// few draws from few numbers, so that there are ties, with special ones.
func few(rng *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		switch x[i] = float64(rng.IntN(20) - 10); rng.IntN(12) {
		case 0:
			x[i] = math.NaN()
		case 1:
			x[i] = math.Inf(rng.IntN(2)*2 - 1)
		case 2:
			x[i] = math.Copysign(0, -1)
		case 3:
			x[i] = rng.NormFloat64() * math.Pow(10, float64(rng.IntN(40)-20))
		}
	}
	return x
}

// Rows short and long, whole and in part, agree with the standard library's
// stable sort.
func TestArgSortAgainstStableSort(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 2, 7, 48, 49, 60, 300, 1000} {
		for _, k := range []int{0, 1, 3, 48, 49, n} {
			for _, inner := range []int{1, 3} {
				for _, descending := range []bool{false, true} {
					if k > n {
						continue
					}
					const outer = 2
					x := few(rng, outer*n*inner)
					got := make([]int, outer*k*inner)
					room := kernel.Sorting{Keys: make([]uint64, 2*n), Order: make([]int, 2*n)}
					kernel.ArgSort(got, x, outer, n, inner, k, descending, room)
					want := make([]int, 0, len(got))
					rows := sortedRows(x, outer, n, inner, descending)
					for o := range outer {
						for j := range k {
							for i := range inner {
								want = append(want, rows[o*inner+i][j])
							}
						}
					}
					if !slices.Equal(want, got) {
						t.Fatalf("%d of %d, inner %d, descending %v: got %v, want %v", k, n, inner, descending, got, want)
					}
					single := make([]int, len(got))
					kernel.ArgSort(single, narrow(rounded32(x)), outer, n, inner, k, descending, room)
					kernel.ArgSort(got, rounded32(x), outer, n, inner, k, descending, room)
					if !slices.Equal(got, single) {
						t.Fatalf("%d of %d in float32: got %v, want %v", k, n, single, got)
					}
				}
			}
		}
	}
}

// rounded32 returns the numbers as float32 has them.
func rounded32(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(float32(v))
	}
	return y
}

// sortedRows returns, for each row, the indices in sorted order.
func sortedRows(x []float64, outer, n, inner int, descending bool) [][]int {
	var rows [][]int
	for o := range outer {
		for i := range inner {
			order := make([]int, n)
			for j := range order {
				order[j] = j
			}
			at := func(j int) float64 { return x[(o*n+j)*inner+i] }
			slices.SortStableFunc(order, func(a, b int) int {
				c := compareWithNaN(at(a), at(b))
				if descending {
					return -c
				}
				return c
			})
			rows = append(rows, order)
		}
	}
	return rows
}

// compareWithNaN takes NaN for the greatest.
func compareWithNaN(x, y float64) int { return -cmp.Compare(-x, -y) }

// The running logarithm of a sum agrees with that of each beginning, and its
// two sums over the weights e^(x − y) with their definition.
func TestLogCumSumExpAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		outer, n, inner := rng.IntN(3), 1+rng.IntN(6), rng.IntN(70)
		x, v := randoms(rng, outer*n*inner), randoms(rng, outer*n*inner)
		for i := range x {
			x[i] *= 20
			if rng.IntN(5) == 0 {
				x[i] = math.Inf(-1)
			}
		}
		y, back, along := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
		kernel.LogCumSumExp(y, x, outer, n, inner)
		kernel.LogCumSumExpBack(back, v, x, y, outer, n, inner)
		kernel.LogCumSumExpAlong(along, v, x, y, outer, n, inner)
		wantY, wantBack, wantAlong := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
		for at := range x {
			o, i := at/(n*inner), at%inner
			var begin []float64
			for k := range at/inner%n + 1 {
				from := (o*n+k)*inner + i
				begin = append(begin, x[from])
				if !math.IsInf(x[from], -1) {
					share := math.Exp(x[from] - y[at])
					wantBack[from] += v[at] * share
					wantAlong[at] += v[from] * share
				}
			}
			kernel.LogSumExp(wantY[at:at+1], begin, 1, len(begin), 1)
		}
		for name, both := range map[string][2][]float64{"y": {wantY, y}, "back": {wantBack, back}, "along": {wantAlong, along}} {
			if diff := gocmp.Diff(both[0], both[1], gocmp.Comparer(func(a, b float64) bool { return a == b || math.Abs(a-b) <= 1e-13*(1+math.Abs(a)) })); diff != "" {
				t.Fatalf("%s of %d×%d×%d (-want +got):\n%s", name, outer, n, inner, diff)
			}
		}
	}
}

// Tiny terms are not lost beside 1, nor does anything overflow.
func TestLogCumSumExpKeepsDigits(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct{ x, want []float64 }{
		{[]float64{0, -50, -50}, []float64{0, math.Exp(-50), 2 * math.Exp(-50)}},
		{[]float64{-50, 0}, []float64{-50, math.Exp(-50)}},
		{[]float64{1000, 1000, -1000}, []float64{1000, 1000 + math.Ln2, 1000 + math.Ln2}},
		{[]float64{-inf, -inf, -2000}, []float64{-inf, -inf, -2000}},
		{[]float64{1, inf, inf, 2, -inf}, []float64{1, inf, inf, inf, inf}},
	} {
		y := make([]float64, len(c.x))
		kernel.LogCumSumExp(y, c.x, 1, len(y), 1)
		for i, want := range c.want {
			if y[i] != want && math.Abs(y[i]/want-1) > 1e-15 {
				t.Errorf("of %v: element %d is %v, want %v", c.x, i, y[i], want)
			}
		}
	}
}

func TestDistinctAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 2))
	for n := range 120 {
		ids, most := make([]int, n), 1<<rng.IntN(40)
		for i := range ids {
			ids[i] = rng.IntN(most)
		}
		want := slices.Compact(slices.Sorted(slices.Values(ids)))
		got, places := slices.Clone(ids), make([]int, n)
		count := kernel.Sorting{Keys: make([]uint64, 2*n), Order: make([]int, 2*n)}.Distinct(got, places)
		if !slices.Equal(want, got[:count]) {
			t.Fatalf("of %v: got %v", ids, got[:count])
		}
		for i, id := range ids {
			if got[places[i]] != id {
				t.Fatalf("of %v: place %d of %d", ids, places[i], id)
			}
		}
	}
}
