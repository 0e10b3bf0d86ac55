package kernel_test

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"nabla/internal/kernel"
)

// An update in pieces, by many cores, has the bits of one loop, in both
// precisions; and no piece is left out.
func TestUpdateInPieces(t *testing.T) {
	testUpdateInPieces(t, map[string]kernel.Rule[float64]{
		"dampened SGD": kernel.DampenedSGD[float64], "AMSGrad": kernel.AMSGrad[float64], "Adagrad": kernel.Adagrad[float64],
		"Adadelta": kernel.Adadelta[float64], "Adamax": kernel.Adamax[float64], "NAdam": kernel.NAdam[float64], "RAdam": kernel.RAdam[float64],
		"Lion": kernel.Lion[float64], "LAMB": kernel.LAMB[float64], "along": kernel.Along[float64], "Rprop": kernel.Rprop[float64],
	})
	testUpdateInPieces(t, map[string]kernel.Rule[float32]{
		"dampened SGD": kernel.DampenedSGD[float32], "AMSGrad": kernel.AMSGrad[float32], "Adagrad": kernel.Adagrad[float32],
		"Adadelta": kernel.Adadelta[float32], "Adamax": kernel.Adamax[float32], "NAdam": kernel.NAdam[float32], "RAdam": kernel.RAdam[float32],
		"Lion": kernel.Lion[float32], "LAMB": kernel.LAMB[float32], "along": kernel.Along[float32], "Rprop": kernel.Rprop[float32],
	})
}

func testUpdateInPieces[T kernel.Float](t *testing.T, rules map[string]kernel.Rule[T]) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	const n = 50_001 // several pieces, the last of which is short
	numbers := func(f func(float64) float64) []T {
		x := make([]T, n)
		for i := range x {
			x[i] = T(f(float64(i)))
		}
		return x
	}
	positive := func(x float64) float64 { return 1.1 + math.Sin(7*x) }
	k := kernel.Settings{Rate: 0.1, Decay: 0.01, Beta1: 0.5, Beta2: 0.9, Epsilon: 1e-3, A: 0.6, B: 1.3, C: 0.8}
	for name, rule := range rules {
		w, g := numbers(math.Sin), numbers(math.Cos)
		s := [3][]T{numbers(positive), numbers(positive), numbers(positive)}
		before, wantW := slices.Clone(w), slices.Clone(w)
		wantS := [3][]T{slices.Clone(s[0]), slices.Clone(s[1]), slices.Clone(s[2])}
		rule(wantW, g, wantS, k)
		kernel.Update(rule, w, g, s, k)
		if !slices.Equal(w, wantW) || !slices.Equal(s[0], wantS[0]) || !slices.Equal(s[1], wantS[1]) || !slices.Equal(s[2], wantS[2]) {
			t.Errorf("%s: pieces and whole differ", name)
		}
		if name != "LAMB" && slices.Equal(w, before) {
			t.Errorf("%s: nothing has moved", name)
		}
	}
}
