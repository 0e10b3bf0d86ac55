package layers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
)

// twice is a layer of the user's own, and not comparable.
type twice struct{ inner []layers.Layer }

func (l twice) Params() []*autograd.Param { return l.inner[0].Params() }
func (l twice) Forward(x autograd.Value) autograd.Value {
	return l.inner[0].Forward(l.inner[0].Forward(x))
}

func names(s *layers.Sequential) []string {
	var all []string
	for _, l := range s.Layers() {
		if named, ok := l.(interface{ Name() string }); ok {
			all = append(all, named.Name())
		} else {
			all = append(all, "")
		}
	}
	return all
}

func TestSequentialNames(t *testing.T) {
	rng := seeded(1)
	dense := func(name string) layers.Layer {
		return layers.NewDenseWith(rng, 2, 2, layers.DenseOptions{Name: name})
	}
	shared := dense("")
	old := layers.NewSequential(dense(""), layers.ReLU(), dense(""))
	for _, row := range []struct {
		name   string
		layers []layers.Layer
		want   []string
	}{
		{"by kind and number", []layers.Layer{dense(""), layers.ReLU(), dense(""), layers.ReLU(), layers.Softmax()}, []string{"dense1", "relu1", "dense2", "relu2", "softmax1"}},
		{"the user's stay", []layers.Layer{dense("hidden"), layers.ReLU(), dense("")}, []string{"hidden", "relu1", "dense2"}},
		{"the user's twice", []layers.Layer{dense("block"), dense("block"), dense("block")}, []string{"block", "block2", "block3"}},
		{"the user's like a given one", []layers.Layer{dense("dense2"), dense("")}, []string{"dense2", "dense3"}},
		{"a given one like the user's", []layers.Layer{dense(""), dense("dense1")}, []string{"dense1", "dense12"}},
		{"shared", []layers.Layer{shared, layers.ReLU(), shared}, []string{"dense1", "relu1", "dense1"}},
		{"of another model", []layers.Layer{old.Layers()[2], dense("")}, []string{"dense2", "dense3"}},
		{"a function", []layers.Layer{layers.Func("double", autograd.Value.Square), layers.Func("", autograd.Value.Square)}, []string{"double", "func2"}},
		{"the user's own kind", []layers.Layer{twice{[]layers.Layer{dense("")}}, dense("")}, []string{"", "dense1"}},
		{"none", nil, nil},
	} {
		if diff := cmp.Diff(row.want, names(layers.NewSequential(row.layers...))); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}

// Names nest: scopes by a slash, Params by a dot.
func TestSequentialNests(t *testing.T) {
	rng := seeded(1)
	inner := layers.NewSequential(layers.NewDense(rng, 2, 2), layers.PReLU())
	named := layers.NewSequential(layers.NewDenseWith(rng, 2, 2, layers.DenseOptions{Name: "hidden", NoBias: true})).Named("head")
	model := layers.NewSequential(inner, named, layers.NewDense(rng, 2, 1))

	want := []string{
		"sequential1.dense1.weight", "sequential1.dense1.bias", "sequential1.prelu1.slope",
		"head.hidden.weight", "dense1.weight", "dense1.bias",
	}
	if diff := cmp.Diff(want, paramNames(model)); diff != "" {
		t.Error(diff)
	}
	g := autograd.NewGraph(autograd.Options{})
	model.Forward(g.Constant(autograd.Ones(1, 2)))
	want = []string{
		"sequential1/dense1: matmul", "sequential1/dense1: z = add", "sequential1/prelu1: a = prelu",
		"head/hidden: z = matmul", "dense1: matmul", "dense1: z = add",
	}
	if diff := cmp.Diff(want, recording(g)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"model.sequential1.dense1.weight"}, paramNames(model.Named("model"))[:1]); diff != "" {
		t.Error(diff)
	}
}

// A layer of the user's own gets a scope of its type's name.
func TestSequentialScopesOfForeignLayers(t *testing.T) {
	model := layers.NewSequential(twice{[]layers.Layer{layers.Tanh()}}, &twice{[]layers.Layer{layers.ReLU()}})
	g := autograd.NewGraph(autograd.Options{})
	model.Forward(g.Scalar(1))
	want := []string{"twice1/tanh: a = tanh", "twice1/tanh: a = tanh", "twice2/relu: a = relu", "twice2/relu: a = relu"}
	if diff := cmp.Diff(want, recording(g)); diff != "" {
		t.Error(diff)
	}
}

// A layer that is listed twice is used twice, has its Params once, and the
// gradients of both uses add up.
func TestSequentialSharesLayers(t *testing.T) {
	shared := layers.NewDenseWith(nil, 1, 1, layers.DenseOptions{Weights: layers.Constant(3), NoBias: true})
	model := layers.NewSequential(shared, shared)
	if len(model.Params()) != 1 {
		t.Errorf("%d Params, want 1", len(model.Params()))
	}
	g := autograd.NewGraph(autograd.Options{})
	y := model.Forward(g.Constant(autograd.Full(2, 1, 1)))
	if dw := y.Backward().OfParam(shared.Weight).Item(); y.Item() != 18 || dw != 12 {
		t.Errorf("w²x = %v with gradient %v, want 18 and 2wx = 12", y.Item(), dw)
	}
}

func TestSequentialKeepsItsLayers(t *testing.T) {
	given := []layers.Layer{layers.ReLU(), layers.Tanh()}
	model := layers.NewSequential(given...)
	given[0] = nil
	model.Layers()[1] = nil
	if diff := cmp.Diff([]string{"relu1", "tanh1"}, names(model)); diff != "" {
		t.Error(diff)
	}
}

func TestSequentialMisuse(t *testing.T) {
	mustFault[*autograd.ArgumentError](t, func() { layers.NewSequential(layers.ReLU(), nil) }, "layer 1 is nil")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewSequential((*layers.Dense)(nil)) }, "layer 0 is nil")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewSequential((*twice)(nil)) }, "layer 0 is nil")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewSequential(&layers.Dense{}) }, "layers: Dense: there is no Weight")
	model := layers.NewSequential(layers.NewDense(seeded(1), 2, 3), layers.NewDense(seeded(1), 4, 1))
	mustFault[*autograd.ShapeError](t, func() { forward(model, autograd.Ones(5, 2)) }, `layers: Dense "dense2"`, "[5 3], [4 1]")
}
