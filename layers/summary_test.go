package layers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
)

func TestSummary(t *testing.T) {
	rng := seeded(1)
	frozen := layers.NewDenseWith(rng, 12, 100, layers.DenseOptions{Name: "frozen"})
	frozen.Weight.Frozen = true
	shared := layers.NewDense(rng, 3, 3)
	own := newOwnModel()
	for _, row := range []struct {
		name  string
		model layers.Layer
		shape []int
		want  string
	}{
		{"nested, shared, frozen", layers.NewSequential(
			layers.Flatten(), frozen,
			layers.NewSequential(layers.NewDense(rng, 100, 3), layers.PReLU(), layers.Dropout(0.5)).Named("größe"),
			shared, shared, twice{[]layers.Layer{shared}}, layers.Softmax(),
		), []int{64, 3, 4}, `
layer           output    parameters  multiply-adds
flatten1        [64 12]            0              0
frozen          [64 100]       1,300         76,800
größe/dense1    [64 3]           303         19,200
größe/prelu1    [64 3]             1              0
größe/dropout1  [64 3]             0              0
dense2          [64 3]            12            576
dense2          [64 3]             0            576
twice1/dense2   [64 3]             0          1,152
twice1          [64 3]             0              0
softmax1        [64 3]             0              0
total                          1,616         98,304
frozen                         1,200
`},
		{"one layer", layers.NewDense(rng, 2, 1), []int{2}, `
layer  output  parameters  multiply-adds
dense  [1]              3              2
total                   3              2
`},
		{"a struct of one's own", own, []int{5, 2}, `
layer                      output  parameters  multiply-adds
encoder                    [5 3]            9             30
decoder.residual/dense1    [5 3]           12             45
decoder.residual/shortcut  [5 3]            9             45
decoder.residual           [5 3]            0              0
encoder                    [5 3]            0             30
decoder.residual/dense1    [5 3]            0             45
decoder.residual/shortcut  [5 3]            0             45
decoder.residual           [5 3]            0              0
block/inner                [5 3]            0             30
block                      [5 3]            4             45
ownmodel                   [5 2]            8             30
total                                      42            345
`},
		{"a residual in a chain", layers.NewSequential(layers.NewResidual(layers.NewDense(rng, 2, 2), layers.Linear()).Named("block")).Named("net"), []int{1, 2}, `
layer              output  parameters  multiply-adds
net/block/dense1   [1 2]            6              4
net/block/linear1  [1 2]            0              0
net/block          [1 2]            0              0
total                               6              4
`},
	} {
		got := "\n" + layers.Summary(row.model, row.shape...)
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
	mustFault[*autograd.ShapeError](t, func() { layers.Summary(layers.NewDense(rng, 2, 1), 3) }, `layers: Dense "dense"`)
}

// Running statistics are no parameters, and those that nothing reads count too.
func TestSummaryOfStatistics(t *testing.T) {
	model := &scaled{
		Scale: autograd.NewParam("scale", autograd.Ones(3)),
		Mean:  autograd.NewStatistic("running_mean", autograd.Zeros(3)),
		Rest:  autograd.NewStatistic("running_var", autograd.Ones(4)),
	}
	const want = `
layer       output  parameters  multiply-adds
scaled      [2 3]            3              0
total                        3              0
statistics                   7
`
	if diff := cmp.Diff(want, "\n"+layers.Summary(model, 2, 3)); diff != "" {
		t.Error(diff)
	}
}

// A scaled layer is one of one's own with running statistics.
type scaled struct{ Scale, Mean, Rest *autograd.Param }

func (s *scaled) Params() []*autograd.Param { return layers.ParamsOf(s) }
func (s *scaled) Forward(x autograd.Value) autograd.Value {
	return x.Sub(x.Graph().Param(s.Mean)).Mul(x.Graph().Param(s.Scale))
}

// An ownModel is a struct of one's own with layers, scopes and Params of its
// own, which uses some of them twice.
type ownModel struct {
	Encoder *layers.Dense
	Decoder struct{ Residual *layers.Residual }
	Scale   *autograd.Param // used in a scope
	Output  *autograd.Param // used outside
	Unused  *autograd.Param
}

func newOwnModel() *ownModel {
	rng := seeded(1)
	m := &ownModel{
		Encoder: layers.NewDense(rng, 2, 3),
		Scale:   autograd.NewParam("", autograd.Ones(4)),
		Output:  autograd.NewParam("", autograd.Ones(3, 2)),
		Unused:  autograd.NewParam("", autograd.Ones(2)),
	}
	shortcut := layers.NewDenseWith(rng, 3, 3, layers.DenseOptions{NoBias: true})
	m.Decoder.Residual = layers.NewResidualWith(layers.ResidualOptions{Shortcut: shortcut}, layers.NewDense(rng, 3, 3))
	layers.Name(m)
	return m
}

func (m *ownModel) Params() []*autograd.Param { return layers.ParamsOf(m) }

func (m *ownModel) Forward(x autograd.Value) autograd.Value {
	y := x.Neg()
	for range 2 {
		y = m.Decoder.Residual.Forward(m.Encoder.Forward(x))
	}
	return m.block(x, y).MatMul(x.Graph().Param(m.Output))
}

// block records in its scope, in one inside it, and in its own again.
func (m *ownModel) block(x, y autograd.Value) autograd.Value {
	g := x.Graph()
	g.Enter("block")
	defer g.Leave()
	y = y.MatMul(g.Full(1, 3, 3)).MulScalar(2).Add(g.Param(m.Scale).Sum())
	g.Enter("inner")
	y = y.Add(x.MatMul(g.Full(1, 2, 3)))
	g.Leave()
	return y.Tanh()
}
