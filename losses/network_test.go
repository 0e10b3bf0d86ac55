package losses_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
)

var near = cmpopts.EquateApprox(1e-12, 1e-12)

// networkCase is a row of mlp.json.
type networkCase struct {
	Name            string
	Inputs          tensorJSON
	Target          *tensorJSON
	Labels          []int
	Weights, Biases []tensorJSON
	Output          tensorJSON
	Loss            float64
	WeightGrads     []tensorJSON `json:"weight_grads"`
	BiasGrads       []tensorJSON `json:"bias_grads"`
	InputGrad       tensorJSON   `json:"input_grad"`
}

// Two whole networks, from their input to the gradients of all parameters.
func TestNetworksAgainstPyTorch(t *testing.T) {
	var vectors struct{ Cases []networkCase }
	readVectors(t, "mlp.json", &vectors)
	if len(vectors.Cases) != 2 {
		t.Fatalf("%d networks", len(vectors.Cases))
	}
	for _, c := range vectors.Cases {
		t.Run(c.Name, func(t *testing.T) { c.check(t) })
	}
}

func (c *networkCase) check(t *testing.T) {
	first, second := c.dense(0), c.dense(1)
	model := layers.NewSequential(first, layers.ReLU(), second)
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(c.Inputs.tensor())
	y := model.Forward(x)
	loss := c.loss(g, y)
	grads := loss.Backward()
	for _, row := range []struct {
		name string
		got  autograd.Tensor
		want tensorJSON
	}{
		{"output", y.Tensor(), c.Output},
		{"loss", loss.Tensor(), tensorJSON{[]int{}, []float64{c.Loss}}},
		{"dW0", grads.OfParam(first.Weight), c.WeightGrads[0]},
		{"db0", grads.OfParam(first.Bias), c.BiasGrads[0]},
		{"dW1", grads.OfParam(second.Weight), c.WeightGrads[1]},
		{"db1", grads.OfParam(second.Bias), c.BiasGrads[1]},
		{"dx", grads.Of(x), c.InputGrad},
	} {
		if diff := cmp.Diff(row.want.Shape, row.got.Shape()) + cmp.Diff(row.want.Data, row.got.Float64s(), near); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}

func (c *networkCase) dense(i int) *layers.Dense {
	weights := c.Weights[i].tensor()
	d := layers.NewDense(rand.New(rand.NewPCG(1, 0)), weights.Dim(0), weights.Dim(1))
	d.Weight.Set(weights)
	d.Bias.Set(c.Biases[i].tensor())
	return d
}

func (c *networkCase) loss(g *autograd.Graph, y autograd.Value) autograd.Value {
	if c.Labels != nil {
		return losses.CategoricalCrossEntropyLabelsWith(y, autograd.NewInts(c.Labels), losses.Options{Logits: true})
	}
	return losses.MSE(y, g.Constant(c.Target.tensor()))
}
