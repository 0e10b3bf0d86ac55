package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The loops of recurrent cells against the portable ones, whose tanh and
// sigmoid round differently; and an element has the same bits wherever it
// stands.
func TestCellTwins(t *testing.T) {
	needVectors(t)
	t.Run("float32", func(t *testing.T) { checkCells(t, &primitives32.cells, &portable32.cells, 2e-6) })
	t.Run("float64", func(t *testing.T) { checkCells(t, &primitives64.cells, &portable64.cells, 3e-15) })
}

func checkCells[T Float](t *testing.T, vector, portable *cellLoops[T], tolerance float64) {
	for n := 1; n < 70; n++ {
		want := cellResults(portable, n, n)
		got := cellResults(vector, n, n)
		shorter := cellResults(vector, n, max(1, n/2))
		for i := range want {
			if d := math.Abs(float64(got[i] - want[i])); !(d <= tolerance) {
				t.Fatalf("result %d of %d units is %v, want %v", i, n, got[i], want[i])
			}
			if at := i % n; at < max(1, n/2) && got[i] != shorter[i] {
				t.Fatalf("result %d of %d units is %v, in a shorter row %v", i, n, got[i], shorter[i])
			}
		}
	}
}

// cellResults calls all loops for the first units of arrays of size n, and
// returns all that they wrote.
func cellResults[T Float](loops *cellLoops[T], n, units int) (all []T) {
	rng := rand.New(rand.NewPCG(uint64(n), 5))
	arrays := make([][]T, 14)
	for i := range arrays {
		arrays[i] = make([]T, n)
		for j := range arrays[i] {
			arrays[i][j] = T(rng.NormFloat64())
		}
		if n > 2 && i < 2 {
			arrays[i][1] = 30 - 60*T(i) // saturated
		}
	}
	cut := func(i int) []T { return arrays[i][:units] }
	fresh := func(from ...int) gatesOf[T] {
		var g gatesOf[T]
		for i, k := range from {
			g[i] = cut(k)
		}
		return g
	}
	loops.sumSigmoid(cut(0), cut(1), cut(2))
	loops.sumTanh(cut(1), cut(3), cut(4))
	loops.sumSigmoid(cut(3), cut(5), cut(4))
	loops.tanhSlope(cut(5), cut(2), cut(1))
	loops.lstmState(cut(6), cut(7), cut(8), fresh(0, 3, 1, 0), cut(9))
	loops.lstmGrad(fresh(4, 5, 10, 11), cut(2), cut(9), fresh(0, 3, 1, 0), cut(6), cut(7))
	loops.gruState(fresh(0, 3, 12), cut(13), cut(8), cut(9), cut(6), cut(4), cut(5))
	loops.gruGrad(fresh(4, 5, 10), cut(11), cut(9), fresh(0, 3, 12), cut(6), cut(13))
	for _, x := range arrays {
		all = append(all, x...)
	}
	return all
}
