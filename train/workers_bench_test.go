package train_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/train"
)

// BenchmarkWorkers is an epoch of 20 batches of 64 rows, as wholes (0 workers)
// and cut into parts.
func BenchmarkWorkers(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 0))
	for _, n := range []struct {
		name  string
		model func() layers.Layer
		row   []int
	}{
		{"dense", func() layers.Layer {
			return layers.NewSequential(layers.NewDense(rng, 784, 128), layers.ReLU(), layers.NewDense(rng, 128, 10))
		}, []int{784}},
		{"tiny", func() layers.Layer {
			return layers.NewSequential(layers.NewDense(rng, 8, 32), layers.Tanh(), layers.NewDense(rng, 32, 32), layers.Tanh(), layers.NewDense(rng, 32, 10))
		}, []int{8}},
		{"recurrent", func() layers.Layer {
			return layers.NewSequential(layers.NewLSTM(rng, 8, 32), last{}, layers.NewDense(rng, 32, 10))
		}, []int{20, 8}},
	} {
		const rows = 64 * 20
		data := train.Data{Inputs: autograd.Normal(rng, 0, 1, append([]int{rows}, n.row...)...), Labels: autograd.NewInts(make([]int, rows))}
		for _, w := range [][2]int{{0, 0}, {1, 8}, {2, 8}, {1, 2}, {2, 2}} {
			b.Run(fmt.Sprintf("%s/workers=%d/parts=%d", n.name, w[0], w[1]), func(b *testing.B) {
				_, err := train.Run(b.Context(), train.Config{
					Model: n.model(), Optimizer: optim.NewAdam(0.001), Epochs: b.N, BatchSize: 64, Workers: w[0], Parts: w[1],
					LabelLoss: func(y autograd.Value, t autograd.Ints) autograd.Value {
						return losses.CategoricalCrossEntropyLabelsWith(y, t, losses.Options{Logits: true})
					},
				}, data)
				if err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

// last is the output of the last step, [rows, hidden] of [rows, steps, hidden].
type last struct{}

func (last) Forward(x autograd.Value) autograd.Value { return x.Select(1, x.Dim(1)-1) }
func (last) Params() []*autograd.Param               { return nil }
