package metrics_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/metrics"
)

func TestROCAUC(t *testing.T) {
	tests := []struct {
		name            string
		scores, targets []float64
		want            float64
	}{
		// Of the pairs (0.35, 0.1), (0.35, 0.4), (0.8, 0.1), (0.8, 0.4) only
		// the second is in the wrong order.
		{"by hand", []float64{0.1, 0.4, 0.35, 0.8}, []float64{0, 0, 1, 1}, 0.75},
		{"perfect", []float64{1, 2, 3, 4}, []float64{0, 0, 1, 1}, 1},
		{"reversed", []float64{4, 3, 2, 1}, []float64{0, 0, 1, 1}, 0},
		{"all tied", []float64{1, 1, 1, 1, 1}, []float64{0, 1, 1, 0, 1}, 0.5},
		{"one tie of two pairs", []float64{1, 1, 0}, []float64{1, 0, 0}, 0.75},
		{"infinite scores", []float64{-inf, inf, 0, inf}, []float64{0, 1, 0, 0}, 2.5 / 3},
		{"zeros of both signs tie", []float64{0, math.Copysign(0, -1)}, []float64{1, 0}, 0.5},
		{"class 1 only", []float64{1, 2}, []float64{1, 1}, nan},
		{"class 0 only", []float64{1, 2}, []float64{0, 0}, nan},
		{"nothing", nil, nil, nan},
		{"NaN score", []float64{nan, 2}, []float64{0, 1}, nan},
		{"NaN target", []float64{1, 2, 3}, []float64{0, 1, nan}, nan},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, metrics.ROCAUC(tensor(test.scores), tensor(test.targets)), approximately); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// pairwiseAUC is the definition: it looks at every pair of a row of class 1
// and a row of class 0.
func pairwiseAUC(scores, targets []float64) float64 {
	won, pairs := 0.0, 0.0
	for i, positive := range scores {
		for j, negative := range scores {
			if targets[i] != 1 || targets[j] != 0 {
				continue
			}
			pairs++
			switch {
			case positive > negative:
				won++
			case positive == negative:
				won += 0.5
			}
		}
	}
	return won / pairs
}

func TestROCAUCEqualsPairwise(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, levels := range []int{1, 2, 5, 20, 1000000} {
		for _, n := range []int{2, 3, 10, 101, 300} {
			t.Run(fmt.Sprintf("%d rows, %d levels", n, levels), func(t *testing.T) {
				scores, targets := make([]float64, n), make([]float64, n)
				for i := range scores {
					scores[i] = float64(rng.IntN(levels))
					targets[i] = float64(rng.IntN(2))
				}
				targets[0], targets[1] = 0, 1
				want, got := pairwiseAUC(scores, targets), metrics.ROCAUC(tensor(scores), tensor(targets))
				if diff := cmp.Diff(want, got, approximately); diff != "" {
					t.Errorf("(-pairwise +ROCAUC):\n%s", diff)
				}
			})
		}
	}
}
