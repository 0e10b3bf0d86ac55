package layers_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
)

// times is a Dense layer [1, 1] of that weight without a bias.
func times(weight float64) *layers.Dense {
	return layers.NewDenseWith(nil, 1, 1, layers.DenseOptions{Weights: layers.Constant(weight), NoBias: true})
}

// With f(x) = 5·3·x, y is 15x + x or, with a shortcut 7x, 15x + 7x.
func TestResidualByHand(t *testing.T) {
	x := autograd.NewTensor([]float64{2, -1}, 2, 1)
	plain := layers.NewResidual(times(3), times(5))
	short := layers.NewResidualWith(layers.ResidualOptions{Shortcut: times(7)}, times(3), times(5))
	for _, row := range []struct {
		name   string
		layer  *layers.Residual
		want   []float64
		params int
		dx     float64
	}{
		{"plain", plain, []float64{32, -16}, 2, 16},
		{"shortcut", short, []float64{44, -22}, 3, 22},
		{"no layers", layers.NewResidual(), []float64{4, -2}, 0, 2},
		{"zero", &layers.Residual{}, []float64{4, -2}, 0, 2},
	} {
		if diff := diffTensor(forward(row.layer, x), []int{2, 1}, row.want); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
		g := autograd.NewGraph(autograd.Options{})
		v := g.Variable(x)
		dx := row.layer.Forward(v).Sum().Backward().Of(v)
		if diff := diffTensor(dx, []int{2, 1}, []float64{row.dx, row.dx}); diff != "" {
			t.Errorf("%s, gradient: %s", row.name, diff)
		}
		if n := len(row.layer.Params()); n != row.params {
			t.Errorf("%s: %d Params, want %d", row.name, n, row.params)
		}
	}
}

func TestResidualNames(t *testing.T) {
	of := func(shortcut layers.Layer, all ...layers.Layer) *layers.Residual {
		return layers.NewResidualWith(layers.ResidualOptions{Shortcut: shortcut}, all...)
	}
	shared := called("")
	used := called("")
	layers.NewSequential(used)
	for _, row := range []struct {
		name  string
		model layers.Layer
		want  string
	}{
		{"alone", layers.NewResidual(called(""), called("")), "residual.dense1.weight residual.dense2.weight"},
		{"shortcut", of(called(""), called(""), called("")), "residual.dense1.weight residual.dense2.weight residual.shortcut.weight"},
		{"the user's shortcut", of(called("down"), called("")), "residual.dense1.weight residual.down.weight"},
		{"the user's shortcut like a layer", of(called("down"), called("down")), "residual.down.weight residual.down2.weight"},
		{"a layer called shortcut", of(called(""), called("shortcut")), "residual.shortcut.weight residual.shortcut2.weight"},
		{"a shortcut from elsewhere", of(used, called("")), "residual.dense1.weight residual.shortcut.weight"},
		{"a shortcut that is a layer too", of(shared, shared, called("")), "residual.dense1.weight residual.dense2.weight"},
		{"a shortcut of several layers", of(layers.NewSequential(called(""), called("")), called("")),
			"residual.dense1.weight residual.shortcut.dense1.weight residual.shortcut.dense2.weight"},
		{"the user's own layers", of(&pair{called(""), called("")}, &pair{called(""), called("")}),
			"residual.pair1.hidden.weight residual.pair1.output.weight residual.shortcut.hidden.weight residual.shortcut.output.weight"},
		{"in a chain", layers.NewSequential(of(called(""), called("")), of(called(""), called(""))).Named("net"),
			"net.residual1.dense1.weight net.residual1.shortcut.weight net.residual2.dense1.weight net.residual2.shortcut.weight"},
		{"named", layers.NewSequential(layers.NewResidual(called("")).Named("block"), layers.NewResidual(called("")).Named("block")),
			"block.dense1.weight block2.dense1.weight"},
		{"in each other", layers.NewResidual(layers.NewResidual(called(""))), "residual.residual1.dense1.weight"},
	} {
		if diff := cmp.Diff(row.want, strings.Join(paramNames(row.model), " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// In a struct of the user's own, its field names it.
func TestResidualInAField(t *testing.T) {
	model := &struct{ First, Second *layers.Residual }{
		layers.NewResidual(called("")),
		layers.NewResidualWith(layers.ResidualOptions{Shortcut: called("")}, called("")),
	}
	layers.Name(model)
	var got []string
	for _, p := range layers.ParamsOf(model) {
		got = append(got, p.Name())
	}
	if diff := cmp.Diff([]string{"first.dense1.weight", "second.dense1.weight", "second.shortcut.weight"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestResidualScopes(t *testing.T) {
	model := layers.NewResidualWith(layers.ResidualOptions{Shortcut: twice{[]layers.Layer{times(7)}}}, times(3))
	g := autograd.NewGraph(autograd.Options{})
	model.Forward(g.Constant(autograd.Ones(2, 1)))
	want := []string{
		"residual/dense1: z = matmul",
		"residual/shortcut/dense: z = matmul", "residual/shortcut/dense: z = matmul", "residual: add",
	}
	if diff := cmp.Diff(want, recording(g)); diff != "" {
		t.Error(diff)
	}
}

func TestResidualMisuse(t *testing.T) {
	rng := seeded(1)
	wider := layers.NewDense(rng, 2, 3)
	x := autograd.Ones(4, 2)
	mustFault[*autograd.ShapeError](t, func() { forward(layers.NewResidual(wider), x) },
		`layers: Residual "residual": the layers change the shape of the input, which needs a Shortcut: [4 3], [4 2]`)
	narrow := layers.NewResidualWith(layers.ResidualOptions{Shortcut: layers.NewDense(rng, 2, 1)}, wider)
	mustFault[*autograd.ShapeError](t, func() { forward(narrow, x) }, // would broadcast
		`layers: Residual "residual": the layers and the shortcut make different shapes of the input: [4 3], [4 1]`)
	mustFault[*autograd.ShapeError](t, func() {
		forward(layers.NewResidual(layers.Flatten(), layers.NewDense(rng, 2, 2)), autograd.Ones(4, 2, 1))
	}, "[4 2], [4 2 1]")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewResidual(nil) }, "layer 0 is nil")
	mustFault[*autograd.ArgumentError](t, func() {
		layers.NewResidualWith(layers.ResidualOptions{Shortcut: (*layers.Dense)(nil)}, wider)
	}, "the Shortcut is nil")
}
