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
		index, elements := make([]int, n), make([]int, outer*n*inner)
		for i := range index {
			index[i] = rng.IntN(source)
		}
		for i := range elements {
			elements[i] = rng.IntN(source)
		}
		want, wantElements := make([]float64, len(gy)), make([]float64, len(gy))
		sums, sumElements := slices.Clone(x), slices.Clone(x)
		for at := range gy {
			o, j, i := at/(n*inner), at/inner%n, at%inner
			from, fromElement := (o*source+index[j])*inner+i, (o*source+elements[at])*inner+i
			want[at], wantElements[at] = x[from], x[fromElement]
			sums[from] += gy[at]
			sumElements[fromElement] += gy[at]
		}
		got, gotElements, gotSums, gotSumElements := make([]float64, len(gy)), make([]float64, len(gy)), slices.Clone(x), slices.Clone(x)
		kernel.Gather(got, x, index, outer, n, source, inner)
		kernel.GatherElements(gotElements, x, elements, outer, n, source, inner)
		kernel.ScatterAdd(gotSums, gy, index, outer, n, source, inner)
		kernel.ScatterAddElements(gotSumElements, gy, elements, outer, n, source, inner)
		if diff := cmp.Diff([][]float64{want, wantElements, sums, sumElements}, [][]float64{got, gotElements, gotSums, gotSumElements}); diff != "" {
			t.Fatalf("%d×%d of %d×%d (-want +got):\n%s", outer, n, source, inner, diff)
		}
	}
}
