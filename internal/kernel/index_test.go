package kernel_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/internal/kernel"
)

func TestGatherAndScatterAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		outer, n, source, inner := rng.IntN(4), rng.IntN(6), 1+rng.IntN(5), rng.IntN(4)
		x, gy := randoms(rng, outer*source*inner), randoms(rng, outer*n*inner)
		index := make([]int, n)
		for i := range index {
			index[i] = rng.IntN(source)
		}
		want, sums := make([]float64, len(gy)), slices.Clone(x)
		for at := range gy {
			o, j, i := at/(n*inner), at/inner%n, at%inner
			from := (o*source+index[j])*inner + i
			want[at] = x[from]
			sums[from] += gy[at]
		}
		got, gotSums := make([]float64, len(gy)), slices.Clone(x)
		kernel.Gather(got, x, index, outer, n, source, inner)
		kernel.ScatterAdd(gotSums, gy, index, outer, n, source, inner)
		if diff := cmp.Diff([][]float64{want, sums}, [][]float64{got, gotSums}); diff != "" {
			t.Fatalf("%d×%d of %d×%d (-want +got):\n%s", outer, n, source, inner, diff)
		}
	}
}
