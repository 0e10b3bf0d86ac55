package xla_test

import (
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/data"
	"nabla/data/hotels"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/xla"
)

// TestDocumented runs what the package comment and README.md show.
func TestDocumented(t *testing.T) {
	plugin := xla.Plugin()
	if plugin == "" {
		t.Skip("no PJRT plugin")
	}
	rows := hotels.Load().Train()
	features := data.FitStandard(rows.Features()).Transform(rows.Features()).Tensor()
	categories, err := hotels.Categories().Encode(rows.Categories())
	if err != nil {
		t.Fatal(err)
	}
	labels := autograd.NewInts(categories)
	rng := rand.New(rand.NewPCG(1, 0))
	model := layers.NewSequential(layers.NewDense(rng, 2, 8), layers.Tanh(), layers.NewDense(rng, 8, 3))
	if err := train(plugin, model, features, labels); err != nil {
		t.Fatal(err)
	}
	most, err := predict(plugin, model, features)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i, class := range most.Values() {
		if class == categories[i] {
			right++
		}
	}
	if right < 20 {
		t.Errorf("%d of %d hotels are told right", right, len(categories))
	}
}

func train(plugin string, model *layers.Sequential, features autograd.Tensor, labels autograd.Ints) error {
	client, err := xla.Open(plugin)
	if err != nil {
		return err
	}
	defer client.Close()
	trainer, err := client.Train(xla.Training{
		Loss: func(g *autograd.Graph, in xla.Inputs) autograd.Value {
			logits := model.Forward(in.Value(0))
			return losses.CategoricalCrossEntropyLabelsWith(logits, in.Ints(1), losses.Options{Logits: true})
		},
		Optimizer: optim.NewAdam(0.05),
	})
	if err != nil {
		return err
	}
	defer trainer.Close()
	for range 100 {
		if _, err := trainer.Step(xla.Numbers(features), xla.Indices(labels, 3)); err != nil {
			return err
		}
	}
	return trainer.Read() // the model has what the devices have learned
}

func predict(plugin string, model *layers.Sequential, features autograd.Tensor) (autograd.Ints, error) {
	client, err := xla.Open(plugin)
	if err != nil {
		return autograd.Ints{}, err
	}
	defer client.Close()
	predict := xla.Compile(client, func(g *autograd.Graph, in xla.Inputs) []autograd.Value {
		return []autograd.Value{model.Forward(in.Value(0))}
	}, autograd.Options{Eval: true})
	logits, err := predict.Call(xla.Numbers(features))
	if err != nil {
		return autograd.Ints{}, err
	}
	return logits[0].ArgMax(1), nil
}

// A number that the program changes between calls is an input, which all
// devices have.
func TestNumberAsInput(t *testing.T) {
	if xla.Plugin() == "" {
		t.Skip("no PJRT plugin")
	}
	client, err := xla.Open(xla.Plugin())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	x := autograd.NewTensor([]float64{1, 2, 3, 4}, 4)
	for devices := 1; devices <= min(2, client.Devices()); devices++ {
		w := autograd.NewParam("w", autograd.Ones())
		trainer, err := client.Train(xla.Training{
			Loss: func(g *autograd.Graph, in xla.Inputs) autograd.Value {
				return in.Value(0).Mul(g.Param(w)).Mean().Mul(in.Value(1))
			},
			Optimizer: optim.NewSGD(0), Devices: devices,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, factor := range []float64{1, 2, -4} {
			input := xla.Numbers(autograd.Full(factor)).Whole()
			loss, err := trainer.Step(xla.Numbers(x), input)
			if err != nil || loss != 2.5*factor {
				t.Errorf("%d devices, factor %v: %v, %v", devices, factor, loss, err)
			}
		}
		if s := trainer.Stats(); s.Programs != 1 {
			t.Errorf("%d programs", s.Programs)
		}
		if err := trainer.Close(); err != nil {
			t.Error(err)
		}
	}
}
