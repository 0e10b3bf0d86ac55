package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/data/images"
	"nabla/data/mnist"
	"nabla/examples/internal/command"
	"nabla/layers"
)

// bars returns images with one bright bar each, of a height of its own.
func bars(rng *rand.Rand, n int) mnist.Part {
	pixels, labels := make([]float32, n*side*side), make([]int, n)
	for i := range n {
		labels[i] = rng.IntN(8)
		for at := range 3 * side {
			pixels[i*side*side+(2+3*labels[i])*side+at] = 1
		}
	}
	return mnist.Part{Images: autograd.NewTensor32(pixels, n, 1, side, side), Labels: autograd.NewInts(labels, n)}
}

func prepared(t *testing.T, w io.Writer, epochs int) *command.Command {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 0))
	c := command.New("vae", epochs).To(w)
	c.Data, c.Out = t.TempDir(), filepath.Join(t.TempDir(), "pictures")
	if err := mnist.Write(c.Data, mnist.Set{Train: bars(rng, 256), Test: bars(rng, 64)}); err != nil {
		t.Fatal(err)
	}
	return c
}

// Bars in eight places cost at least ln 8 = 2.08 nats. Who guesses each pixel
// by itself pays 8·84·H(1/8) = 253, where H is the entropy.
func TestLearnsBars(t *testing.T) {
	var out strings.Builder
	c := prepared(t, &out, 30)
	c.Results = true
	if err := run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`^result rows=256 epochs=30 test_negative_elbo=(\d+\.\d\d) seed=1 seconds=\d+\n$`).FindStringSubmatch(out.String())
	if m == nil {
		t.Fatalf("printed %q", out.String())
	}
	var nats float64
	fmt.Sscan(m[1], &nats)
	if nats < 2.08 || nats > 230 {
		t.Errorf("−ELBO %v, want 2.08 to 230", nats)
	}
	for name, rows := range map[string]int{"digits": 4, "ways": 12, "drawn": 12} {
		picture, err := images.ReadFile(filepath.Join(c.Out, name+".png"))
		if err != nil {
			t.Error(err)
		} else if height := picture.Dim(1); height < rows*2*side || height > (rows+1)*2*side {
			t.Errorf("%s has %d rows of pixels, want %d of images", name, height, rows)
		}
	}
}

// The −ELBO is what the formulas say: with all weights 0 the pixels cost ln 2
// each, and the encoder's distribution is N(0, 1); with biases it is the
// divergence of N(0.5, e) for each of the dimensions.
func TestNegativeELBOByHand(t *testing.T) {
	m := newVAE(rand.New(rand.NewPCG(1, 0)))
	for _, p := range m.Params() {
		p.Set(autograd.Zeros(p.Shape()...))
	}
	cost := func() float64 {
		g := autograd.NewGraph(autograd.Options{NoGrad: true})
		return m.Forward(g.Full(1, 1, 1, side, side)).Item()
	}
	const ln2 = 0.6931471805599453
	if got, want := cost(), side*side*ln2; got < want-1e-4 || got > want+1e-4 {
		t.Errorf("−ELBO %v, want %v", got, want)
	}
	bias := autograd.Ones(2 * latent)
	for i := range latent {
		bias.Raw64()[i] = 0.5
	}
	last := m.Encoder.Layers()[5].(*layers.Dense)
	last.Bias.Set(bias)
	const each = (0.25 + 2.718281828459045 - 1 - 1) / 2
	if got, want := cost(), side*side*ln2+latent*each; got < want-1e-4 || got > want+1e-4 {
		t.Errorf("−ELBO %v, want %v", got, want)
	}
}

// Gradients pass the drawing of the noise, the same in each recording here.
func TestReparametrisation(t *testing.T) {
	m := newVAE(rand.New(rand.NewPCG(1, 0)))
	layers.Convert(m, autograd.Float64)
	x := autograd.Uniform(rand.New(rand.NewPCG(2, 0)), 0, 1, 2, 1, side, side)
	bias := m.Encoder.Layers()[5].(*layers.Dense).Bias
	f := func(_ *autograd.Graph, in []autograd.Value) autograd.Value {
		m.noise = rand.New(rand.NewPCG(3, 0))
		return m.Forward(in[0].Graph().Constant(x)).Add(in[0].Sum().MulScalar(0))
	}
	if err := gradcheck.Check(f, []autograd.Tensor{autograd.Ones(1)}, bias); err != nil {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, prepared(t, io.Discard, 1)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
