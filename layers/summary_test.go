package layers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
)

func TestSummary(t *testing.T) {
	rng := seeded(1)
	frozen := layers.NewDenseWith(rng, 12, 100, layers.DenseOptions{Name: "frozen"})
	frozen.Weight.Frozen = true
	shared := layers.NewDense(rng, 3, 3)
	for _, row := range []struct {
		name  string
		model layers.Layer
		shape []int
		want  string
	}{
		{"nested, shared, frozen", layers.NewSequential(
			layers.Flatten(), frozen,
			layers.NewSequential(layers.NewDense(rng, 100, 3), layers.PReLU(), layers.Dropout(0.5)).Named("größe"),
			shared, shared, twice{[]layers.Layer{shared}}, layers.Softmax(),
		), []int{64, 3, 4}, `
layer           output    parameters
flatten1        [64 12]            0
frozen          [64 100]        1300
größe/dense1    [64 3]           303
größe/prelu1    [64 3]             1
größe/dropout1  [64 3]             0
dense2          [64 3]            12
dense2          [64 3]             0
twice1          [64 3]             0
softmax1        [64 3]             0
total                           1616
frozen                          1200
`},
		{"one layer", layers.NewDense(rng, 2, 1), []int{2}, `
layer  output  parameters
dense  [1]              3
total                   3
`},
	} {
		got := "\n" + layers.Summary(row.model, row.shape...)
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
	mustFault[*autograd.ShapeError](t, func() { layers.Summary(layers.NewDense(rng, 2, 1), 3) }, `layers: Dense "dense"`)
}
