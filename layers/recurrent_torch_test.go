package layers_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/layers"
)

// A torchTensor is one as testdata/recurrent.py writes it.
type torchTensor struct {
	Shape []int
	Data  []float64
}

func (t torchTensor) tensor() autograd.Tensor { return autograd.NewTensor(t.Data, t.Shape...) }

// A torchCase is a network in PyTorch: its inputs are x, the first state and
// the Params, its results the outputs and the last state.
type torchCase struct {
	Kind          string
	Layers        int
	Bidirectional bool
	Lengths       []int
	Names         []string

	Inputs, Results, Seeds, Grads []torchTensor
}

// A network runs through sequences with a state of one or two parts.
type network struct {
	layer layers.Layer
	run   func(x autograd.Value, state []autograd.Value, o layers.RunOptions) []autograd.Value
}

func (c torchCase) network() network {
	o := layers.RecurrentOptions{Layers: c.Layers, Bidirectional: c.Bidirectional, ReLU: c.Kind == "relu", Name: "net", NoBias: !strings.Contains(strings.Join(c.Names, " "), "bias")}
	switch c.Kind {
	case "lstm":
		l := layers.NewLSTMWith(seeded(1), 2, 3, o)
		return network{l, func(x autograd.Value, s []autograd.Value, o layers.RunOptions) []autograd.Value {
			y, last := l.RunWith(x, layers.LSTMState{H: s[0], C: s[1]}, o)
			return []autograd.Value{y, last.H, last.C}
		}}
	case "gru":
		l := layers.NewGRUWith(seeded(1), 2, 3, o)
		return network{l, func(x autograd.Value, s []autograd.Value, o layers.RunOptions) []autograd.Value {
			y, last := l.RunWith(x, layers.State{H: s[0]}, o)
			return []autograd.Value{y, last.H}
		}}
	}
	l := layers.NewRNNWith(seeded(1), 2, 3, o)
	return network{l, func(x autograd.Value, s []autograd.Value, o layers.RunOptions) []autograd.Value {
		y, last := l.RunWith(x, layers.State{H: s[0]}, o)
		return []autograd.Value{y, last.H}
	}}
}

// The layers compute what PyTorch's do from the same weights, under the same
// names, with matrices transposed: outputs, last states and all gradients.
func TestRecurrentAsInPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/recurrent.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []torchCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 32 {
		t.Fatalf("%d cases", len(cases))
	}
	for i, c := range cases {
		name := fmt.Sprintf("%s, %d layers, bidirectional %v, lengths %v", c.Kind, c.Layers, c.Bidirectional, c.Lengths)
		c.compare(t, name, autograd.Float64, cmpopts.EquateApprox(1e-12, 1e-13))
		if i%3 == 0 {
			c.compare(t, name+" in float32", autograd.Float32, cmpopts.EquateApprox(2e-5, 2e-5))
		}
	}
}

func (c torchCase) compare(t *testing.T, name string, p autograd.Precision, near cmp.Option) {
	t.Helper()
	n := c.network()
	layers.Convert(n.layer, p)
	states := len(c.Results) - 1
	params := n.layer.Params()
	if len(params) != len(c.Names) {
		t.Fatalf("%s: %d Params, want %d", name, len(params), len(c.Names))
	}
	for i, param := range params {
		if want := "net." + c.Names[i]; param.Name() != want {
			t.Errorf("%s: Param %d is called %s, want %s", name, i, param.Name(), want)
		}
		param.Set(asMatrix(c.Inputs[1+states+i].tensor()))
	}
	g := autograd.NewGraph(autograd.Options{Precision: p})
	var in []autograd.Value
	for _, v := range c.Inputs[:1+states] {
		in = append(in, g.Variable(v.tensor()))
	}
	var o layers.RunOptions
	if c.Lengths != nil {
		o.Lengths = autograd.NewInts(c.Lengths)
	}
	total := g.Scalar(0)
	for i, y := range n.run(in[0], in[1:], o) {
		compareTensor(t, fmt.Sprint(name, ": result ", i), c.Results[i].tensor(), y.Tensor(), near)
		total = total.Add(y.Mul(g.Constant(c.Seeds[i].tensor())).Sum())
	}
	grads := total.Backward()
	for i, x := range in {
		compareTensor(t, fmt.Sprint(name, ": gradient of input ", i), c.Grads[i].tensor(), grads.Of(x), near)
	}
	for i, param := range params {
		compareTensor(t, name+": gradient of "+param.Name(), asMatrix(c.Grads[1+states+i].tensor()), grads.OfParam(param), near)
	}
}

// asMatrix transposes PyTorch's matrices.
func asMatrix(t autograd.Tensor) autograd.Tensor {
	if t.Rank() == 2 {
		return t.T()
	}
	return t
}

func compareTensor(t *testing.T, what string, want, got autograd.Tensor, near cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(want.Shape(), got.Shape()); diff != "" {
		t.Errorf("%s: shape (-want +got):\n%s", what, diff)
	} else if diff := cmp.Diff(want.Float64s(), got.Float64s(), near); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
