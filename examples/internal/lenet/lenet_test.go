package lenet_test

import (
	"io"
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/examples/internal/command"
	"nabla/examples/internal/lenet"
	"nabla/train"
)

func TestLeNet(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	model := lenet.New(rng)
	size := 0
	for _, p := range model.Params() {
		size += p.Size()
	}
	if size != 61706 {
		t.Errorf("%d parameters, want 61706", size)
	}
	// Two classes: the ink is in the upper or in the lower half.
	const n = 64
	pixels, labels := make([]float32, n*28*28), make([]int, n)
	for i := range n {
		labels[i] = i % 2
		for range 60 {
			pixels[i*28*28+labels[i]*14*28+rng.IntN(14*28)] = 1
		}
	}
	rows := train.Data{Inputs: autograd.NewTensor32(pixels, n, 1, 28, 28), Labels: autograd.NewInts(labels, n)}
	c := command.New("halves", 8).To(io.Discard)
	if err := lenet.Teach(t.Context(), c, rng, model, rows); err != nil {
		t.Fatal(err)
	}
	logits, err := train.Predict(t.Context(), model, rows.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for i, class := range logits.ArgMax(1).Values() {
		if class != labels[i] {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d are wrong after training on them", wrong, n)
	}
}
