package layers_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
)

// An activationRow is an activation and the Value method that it stands for.
type activationRow struct {
	name  string
	layer layers.Layer
	want  func(autograd.Value) autograd.Value
}

func activationRows() []activationRow {
	return []activationRow{
		{"Linear", layers.Linear(), func(x autograd.Value) autograd.Value { return x }},
		{"ReLU", layers.ReLU(), autograd.Value.ReLU},
		{"ReLU6", layers.ReLU6(), autograd.Value.ReLU6},
		{"LeakyReLU", layers.LeakyReLU(0.2), func(x autograd.Value) autograd.Value { return x.LeakyReLU(0.2) }},
		{"PReLU", layers.PReLU(), func(x autograd.Value) autograd.Value { return x.LeakyReLU(0.25) }},
		{"ELU", layers.ELU(0.5), func(x autograd.Value) autograd.Value { return x.ELU(0.5) }},
		{"SELU", layers.SELU(), autograd.Value.SELU},
		{"CELU", layers.CELU(0.5), func(x autograd.Value) autograd.Value { return x.CELU(0.5) }},
		{"GELU", layers.GELU(), autograd.Value.GELU},
		{"GELUTanh", layers.GELUTanh(), autograd.Value.GELUTanh},
		{"SiLU", layers.SiLU(), autograd.Value.SiLU},
		{"Mish", layers.Mish(), autograd.Value.Mish},
		{"Softplus", layers.Softplus(2), func(x autograd.Value) autograd.Value { return x.Softplus(2) }},
		{"HardShrink", layers.HardShrink(0.5), func(x autograd.Value) autograd.Value { return x.HardShrink(0.5) }},
		{"Softsign", layers.Softsign(), autograd.Value.Softsign},
		{"Sigmoid", layers.Sigmoid(), autograd.Value.Sigmoid},
		{"LogSigmoid", layers.LogSigmoid(), autograd.Value.LogSigmoid},
		{"HardSigmoid", layers.HardSigmoid(), autograd.Value.HardSigmoid},
		{"HardSwish", layers.HardSwish(), autograd.Value.HardSwish},
		{"HardTanh", layers.HardTanh(), autograd.Value.HardTanh},
		{"Tanh", layers.Tanh(), autograd.Value.Tanh},
		{"Softmax", layers.Softmax(), func(x autograd.Value) autograd.Value { return x.Softmax(1) }},
		{"LogSoftmax", layers.LogSoftmax(), func(x autograd.Value) autograd.Value { return x.LogSoftmax(1) }},
	}
}

func TestActivations(t *testing.T) {
	x := autograd.NewTensor([]float64{-4, -1.5, 0, 0.5, 2.5, 7}, 2, 3)
	for _, row := range activationRows() {
		g := autograd.NewGraph(autograd.Options{})
		want := row.want(g.Constant(x)).Tensor()
		if diff := diffTensor(forward(row.layer, x), want.Shape(), want.Float64s()); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}

// Every activation function of autograd is a layer, of the same name and with a
// row here.
func TestEveryActivationIsALayer(t *testing.T) {
	rows, found := activationRows(), 0
	for _, name := range functionsOf(t, "../autograd/activations.go") {
		found++
		if !slices.ContainsFunc(rows, func(r activationRow) bool { return r.name == name }) {
			t.Errorf("%s of autograd/activations.go has no layer, or that has no row in activationRows", name)
		}
	}
	for _, name := range functionsOf(t, "activations.go") {
		if !slices.ContainsFunc(rows, func(r activationRow) bool { return r.name == name }) {
			t.Errorf("layer %s has no row in activationRows", name)
		}
	}
	if found < 20 {
		t.Errorf("only %d activations were found", found)
	}
}

// functionsOf returns the names of a file's exported functions, and methods of
// Value.
func functionsOf(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !f.Name.IsExported() {
			continue
		}
		if f.Recv != nil {
			if of, ok := f.Recv.List[0].Type.(*ast.Ident); !ok || of.Name != "Value" {
				continue
			}
		}
		names = append(names, f.Name.Name)
	}
	return names
}

// Linear records nothing: the weighted sum keeps its name.
func TestLinearRecordsNothing(t *testing.T) {
	model := layers.NewSequential(handDense(layers.DenseOptions{}), layers.Linear())
	g := autograd.NewGraph(autograd.Options{})
	y := model.Forward(g.Constant(autograd.Ones(1, 2)))
	if diff := cmp.Diff([]string{"dense1: matmul", "dense1: z = add"}, recording(g)); diff != "" || y.Name() != "z" {
		t.Errorf("%s; the result is called %q", diff, y.Name())
	}
}

func TestPReLULearnsItsSlope(t *testing.T) {
	l := layers.PReLU()
	g := autograd.NewGraph(autograd.Options{})
	grads := l.Forward(g.Constant(autograd.NewTensor([]float64{-2, -1, 3}))).Sum().Backward()
	slope := l.Params()[0]
	if got := grads.OfParam(slope).Item(); slope.Name() != "prelu.slope" || got != -3 {
		t.Errorf("gradient %v of %s, want -3 of prelu.slope", got, slope.Name())
	}
}
