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
		"SGD": kernel.SGDRule[float64], "Adam": kernel.AdamRule[float64], "RMSProp": kernel.RMSPropRule[float64],
	})
	testUpdateInPieces(t, map[string]kernel.Rule[float32]{
		"dampened SGD": kernel.DampenedSGD[float32], "AMSGrad": kernel.AMSGrad[float32], "Adagrad": kernel.Adagrad[float32],
		"Adadelta": kernel.Adadelta[float32], "Adamax": kernel.Adamax[float32], "NAdam": kernel.NAdam[float32], "RAdam": kernel.RAdam[float32],
		"Lion": kernel.Lion[float32], "LAMB": kernel.LAMB[float32], "along": kernel.Along[float32], "Rprop": kernel.Rprop[float32],
		"SGD": kernel.SGDRule[float32], "Adam": kernel.AdamRule[float32], "RMSProp": kernel.RMSPropRule[float32],
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

// Rows are updated as each of them alone is, and the others are left alone, by
// any number of cores.
func TestUpdateRows(t *testing.T) {
	for _, width := range []int{1, 5, 200} {
		for _, cores := range []int{1, 2} {
			testUpdateRows[float64](t, width, cores)
			testUpdateRows[float32](t, width, cores)
		}
	}
}

func testUpdateRows[T kernel.Float](t *testing.T, width, cores int) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	numbers := func(rows int, phase float64) []T {
		x := make([]T, rows*width)
		for i := range x {
			x[i] = T(1.1 + math.Sin(7*float64(i)+phase))
		}
		return x
	}
	const rows, used = 1500, 700
	var ids []int
	for i := range used {
		ids = append(ids, 2*i+i/500)
	}
	k := kernel.Settings{Rate: 0.1, Beta1: 0.5, Beta2: 0.9, Epsilon: 1e-3, A: 0.6, B: 1.3}
	w, g, s := numbers(rows, 0), numbers(used, 1), [3][]T{numbers(rows, 2), numbers(rows, 3), nil}
	want, state := slices.Clone(w), [3][]T{slices.Clone(s[0]), slices.Clone(s[1])}
	for i, id := range ids {
		lo, hi := id*width, (id+1)*width
		kernel.AdamRule(want[lo:hi], g[i*width:(i+1)*width], [3][]T{state[0][lo:hi], state[1][lo:hi]}, k)
	}
	kernel.UpdateRows(kernel.AdamRule[T], w, g, s, k, ids)
	if !slices.Equal(w, want) || !slices.Equal(s[0], state[0]) || !slices.Equal(s[1], state[1]) {
		t.Errorf("rows of %d, %d cores: not as one by one", width, cores)
	}
	kernel.UpdateRows(kernel.AdamRule[T], w, nil, s, k, nil)
	if !slices.Equal(w, want) {
		t.Error("no rows changed something")
	}
}
