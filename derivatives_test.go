package nabla_test

import (
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/layers"
	"nabla/losses"
)

// Gradients to second order are right through every layer, between two Dense
// layers.
func TestDerivativesOfEveryLayer(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 0))
	for name, layer := range map[string]layers.Layer{
		"linear": layers.Linear(), "relu": layers.ReLU(), "relu6": layers.ReLU6(), "leaky relu": layers.LeakyReLU(0.1),
		"prelu": layers.PReLU(), "elu": layers.ELU(0.7), "selu": layers.SELU(), "celu": layers.CELU(0.7),
		"gelu": layers.GELU(), "gelu tanh": layers.GELUTanh(), "silu": layers.SiLU(), "mish": layers.Mish(),
		"softplus": layers.Softplus(1.5), "softsign": layers.Softsign(), "sigmoid": layers.Sigmoid(),
		"log sigmoid": layers.LogSigmoid(), "hard sigmoid": layers.HardSigmoid(), "hard swish": layers.HardSwish(),
		"hard tanh": layers.HardTanh(), "tanh": layers.Tanh(), "softmax": layers.Softmax(), "log softmax": layers.LogSoftmax(),
		"dropout": layers.Dropout(0.3), "flatten": layers.Flatten(), "dense": layers.NewDense(rng, 3, 3),
	} {
		t.Run(name, func(t *testing.T) {
			model := layers.NewSequential(layers.NewDense(rng, 2, 3), layer, layers.NewDense(rng, 3, 2))
			check(t, func(_ *autograd.Graph, in []autograd.Value) autograd.Value {
				return model.Forward(in[0]).Tanh()
			}, []autograd.Tensor{autograd.Normal(rng, 0, 1, 4, 2)}, model.Params()...)
		})
	}
}

// The same for every loss, after the layers that go with it.
func TestDerivativesOfEveryLoss(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 0))
	numbers, binary := autograd.Normal(rng, 0, 1, 4, 3), autograd.NewTensor([]float64{1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 0}, 4, 3)
	oneHot, labels := autograd.NewTensor([]float64{1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0}, 4, 3), autograd.NewInts([]int{0, 2, 1, 0})
	none := layers.Linear()
	of := func(loss lossFunction, target autograd.Tensor) func(g *autograd.Graph, p autograd.Value) autograd.Value {
		return func(g *autograd.Graph, p autograd.Value) autograd.Value { return loss(p, g.Constant(target)) }
	}
	for _, c := range []struct {
		name string
		last layers.Layer
		loss func(g *autograd.Graph, p autograd.Value) autograd.Value
	}{
		{"MSE", none, of(losses.MSE, numbers)},
		{"MAE", none, of(losses.MAE, numbers)},
		{"Huber", none, func(g *autograd.Graph, p autograd.Value) autograd.Value {
			return losses.Huber(p, g.Constant(numbers), 0.5)
		}},
		{"BinaryCrossEntropy", layers.Sigmoid(), of(losses.BinaryCrossEntropy, binary)},
		{"BinaryCrossEntropy of logits", none, of(fromLogits(losses.BinaryCrossEntropyWith), binary)},
		{"CategoricalCrossEntropy", layers.Softmax(), of(losses.CategoricalCrossEntropy, oneHot)},
		{"CategoricalCrossEntropy of logits", none, of(fromLogits(losses.CategoricalCrossEntropyWith), oneHot)},
		{"CategoricalCrossEntropyLabels", layers.Softmax(), func(_ *autograd.Graph, p autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyLabels(p, labels)
		}},
		{"CategoricalCrossEntropyLabels of logits", none, func(_ *autograd.Graph, p autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(p, labels, losses.Options{Logits: true})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			model := layers.NewSequential(layers.NewDense(rng, 2, 3), layers.Tanh(), layers.NewDense(rng, 3, 3), c.last)
			check(t, func(g *autograd.Graph, in []autograd.Value) autograd.Value {
				return c.loss(g, model.Forward(in[0]))
			}, []autograd.Tensor{autograd.Normal(rng, 0, 1, 4, 2)}, model.Params()...)
		})
	}
}

// check checks gradients to second order.
func check(t *testing.T, f func(g *autograd.Graph, in []autograd.Value) autograd.Value, in []autograd.Tensor, params ...*autograd.Param) {
	t.Helper()
	if err := gradcheck.Check(f, in, params...); err != nil {
		t.Error("first order:", err)
	}
	if err := gradcheck.CheckSecond(f, in, params...); err != nil {
		t.Error("second order:", err)
	}
}
