package layers_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
)

func dense() *layers.Dense { return layers.NewDense(seeded(1), 2, 2) }

func called(name string) *layers.Dense {
	return layers.NewDenseWith(seeded(1), 2, 2, layers.DenseOptions{Name: name, NoBias: true})
}

// A pair is a layer of the user's own, for models to hold.
type pair struct{ Hidden, Output *layers.Dense }

func newPair() *pair { return &pair{dense(), dense()} }

func (p *pair) Forward(x autograd.Value) autograd.Value {
	return p.Output.Forward(p.Hidden.Forward(x).Tanh())
}

func (p *pair) Params() []*autograd.Param { return layers.ParamsOf(p) }

// A headed embeds a layer of the package, and so has its methods, also those
// that this package cannot see.
type headed struct {
	*layers.Sequential
	Head *layers.Dense
}

func (h *headed) Params() []*autograd.Param { return layers.ParamsOf(h) }

type base struct{ Scale, Shift *autograd.Param }

type ring struct {
	Weight *autograd.Param
	Next   *ring
}

func scalar() *autograd.Param { return autograd.NewParam("", autograd.Scalar(0)) }

func TestName(t *testing.T) {
	shared := dense()
	loop := &ring{Weight: scalar()}
	loop.Next = &ring{Weight: scalar(), Next: loop}
	byValue := struct{ A, B layers.Dense }{*dense(), *dense()}
	for _, row := range []struct {
		name  string
		model any
		want  string
	}{
		{"fields", newPair(), "hidden.weight hidden.bias output.weight output.bias"},
		{"nested structs", &struct {
			Encoder *pair
			Decoder struct{ OutputHead, MLPHead, W1, X *layers.Dense }
		}{newPair(), struct{ OutputHead, MLPHead, W1, X *layers.Dense }{called(""), called(""), called(""), called("")}},
			"encoder.hidden.weight encoder.hidden.bias encoder.output.weight encoder.output.bias " +
				"decoder.outputHead.weight decoder.mlpHead.weight decoder.w1.weight decoder.x.weight"},
		{"slices, arrays and interfaces", &struct {
			Heads []layers.Layer
			Grid  [1][2]*autograd.Param
		}{[]layers.Layer{called(""), nil, &pair{called(""), called("")}}, [1][2]*autograd.Param{{scalar(), scalar()}}},
			"heads.0.weight heads.2.hidden.weight heads.2.output.weight grid.0.0 grid.0.1"},
		{"shared layers and Params keep the first name", &struct {
			First, Second *layers.Dense
			Tied          *autograd.Param
			Net           *layers.Sequential
		}{shared, shared, shared.Weight, layers.NewSequential(shared, layers.PReLU())}, "first.weight first.bias net.prelu1.slope"},
		{"embedded", &struct {
			base
			*pair
			Head *layers.Dense
		}{base{scalar(), scalar()}, &pair{called(""), called("")}, called("")}, "scale shift hidden.weight output.weight head.weight"},
		{"embedded Sequential", &headed{layers.NewSequential(called(""), layers.ReLU(), called("")), called("")},
			"dense1.weight dense2.weight head.weight"},
		{"embedded Sequential in a field", &struct{ Encoder *headed }{&headed{layers.NewSequential(called("")), called("")}},
			"encoder.dense1.weight encoder.head.weight"},
		{"the user's own names", &struct {
			A, B *layers.Dense
			C    []*layers.Dense
			D    *layers.Sequential
		}{called("first"), called(""), []*layers.Dense{called("last")}, layers.NewSequential(called("inner")).Named("seq")},
			"first.weight b.weight c.last.weight seq.inner.weight"},
		{"the user's own layers in a Sequential", layers.NewSequential(newPair(), layers.ReLU(), &pair{called(""), called("")}),
			"pair1.hidden.weight pair1.hidden.bias pair1.output.weight pair1.output.bias pair2.hidden.weight pair2.output.weight"},
		{"one that embeds a Sequential in a Sequential", layers.NewSequential(&headed{layers.NewSequential(called("")), called("")}, called("")),
			"headed1.dense1.weight headed1.head.weight dense1.weight"},
		{"by value", &byValue, "a.weight a.bias b.weight b.bias"},
		{"in a cycle", loop, "weight next.weight"},
		{"numbers, maps and nil", &struct {
			Rate  float64
			Table []float64
			Rows  [][]int
			Map   map[string]*layers.Dense
			None  *layers.Dense
			Any   any
			W     *autograd.Param
		}{W: scalar()}, "w"},
	} {
		for range 2 { // naming again changes nothing
			layers.Name(row.model)
			var got []string
			for _, p := range layers.ParamsOf(row.model) {
				got = append(got, p.Name())
			}
			if diff := cmp.Diff(row.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", row.name, diff)
			}
		}
	}
}

// A layer alone gets the fields' names for its scope, so that drawings and
// messages call it as its Params.
func TestNameNamesScopes(t *testing.T) {
	model := &struct {
		Encoder struct{ Hidden *layers.Dense }
		Net     *layers.Sequential
	}{struct{ Hidden *layers.Dense }{called("")}, layers.NewSequential(called(""))}
	layers.Name(model)
	g := autograd.NewGraph(autograd.Options{})
	model.Net.Forward(model.Encoder.Hidden.Forward(g.Constant(autograd.Ones(1, 2))))
	want := []string{"encoder.hidden: z = matmul", "net/dense1: z = matmul"}
	if diff := cmp.Diff(want, recording(g)); diff != "" {
		t.Error(diff)
	}
}

// A hidden layer, whose Params stand in unexported fields, keeps their names.
type hidden struct{ w, v *autograd.Param }

func (h hidden) Forward(x autograd.Value) autograd.Value { return x }
func (h hidden) Params() []*autograd.Param               { return []*autograd.Param{h.w, h.v} }

func TestNameRefusesTwoOfOneName(t *testing.T) {
	own := hidden{autograd.NewParam("w", autograd.Scalar(0)), autograd.NewParam("v", autograd.Scalar(0))}
	layers.Name(own)
	layers.Name(&struct{ A hidden }{own})
	if own.w.Name() != "w" || own.v.Name() != "v" {
		t.Errorf("the names became %q and %q", own.w.Name(), own.v.Name())
	}
	for name, model := range map[string]any{
		"dense.weight": &struct{ A, B hidden }{
			hidden{autograd.NewParam("dense.weight", autograd.Scalar(0)), scalar()},
			hidden{autograd.NewParam("dense.weight", autograd.Scalar(0)), own.w},
		},
		"same.weight": &struct{ A, B *layers.Dense }{called("same"), called("same")},
		"scale": &struct {
			base
			Scale *autograd.Param
		}{base{scalar(), scalar()}, scalar()},
		"": hidden{scalar(), scalar()},
	} {
		err := autograd.Try(func() { layers.Name(model) })
		var twice *autograd.NameError
		if !errors.As(err, &twice) || twice.Name != name || twice.Op != "layers: Name" {
			t.Errorf("%q: got %v", name, err)
			continue
		}
		for _, part := range []string{"layers: Name: two parameters", "layers.Name(model)", "at names_test.go:"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %v does not say %q", name, err, part)
			}
		}
	}
}

// Two layers of the user's own with one name each are refused in a summary.
func TestSummaryRefusesTwoOfOneName(t *testing.T) {
	model := newPair()
	mustFault[*autograd.NameError](t, func() { layers.Summary(model, 1, 2) }, `layers: Summary: two parameters are called "dense.weight"`)
	layers.Name(model)
	layers.Summary(model, 1, 2)
}

// An autoencoder is a model as a plain struct. Its Params are named by its
// fields.
type autoencoder struct {
	Encoder *layers.Dense
	Decoder struct{ Hidden, Output *layers.Dense }
}

func (m *autoencoder) Forward(x autograd.Value) autograd.Value {
	code := m.Encoder.Forward(x).Tanh()
	return m.Decoder.Output.Forward(m.Decoder.Hidden.Forward(code).Tanh())
}

func (m *autoencoder) Params() []*autograd.Param { return layers.ParamsOf(m) }

func ExampleName() {
	rng := seeded(1)
	model := &autoencoder{Encoder: layers.NewDense(rng, 8, 2)}
	model.Decoder.Hidden = layers.NewDense(rng, 2, 4)
	model.Decoder.Output = layers.NewDense(rng, 4, 8)
	layers.Name(model)
	for _, p := range model.Params() {
		fmt.Println(p.Name(), p.Shape())
	}
	// Output:
	// encoder.weight [8 2]
	// encoder.bias [2]
	// decoder.hidden.weight [2 4]
	// decoder.hidden.bias [4]
	// decoder.output.weight [4 8]
	// decoder.output.bias [8]
}

func TestNameNothing(t *testing.T) {
	mustFault[*autograd.ArgumentError](t, func() { layers.Name(nil) }, "layers: Name: there is no model")
	if got := layers.ParamsOf(nil); len(got) != 0 {
		t.Errorf("%d Params of nothing", len(got))
	}
}
