package export_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/autograd/matrix"
	"nabla/internal/onnxtest"
	"nabla/layers"
	"nabla/onnx"
	"nabla/onnx/internal/export"
	"nabla/onnx/internal/message"
)

var update = flag.Bool("update", false, "write the graphs in testdata/graphs anew")

// written returns the model as text: its inputs, each operator with the names
// of what it reads and makes, the initializers and the outputs.
func written(t *testing.T, e onnx.Export) string {
	t.Helper()
	var w bytes.Buffer
	if err := e.Write(&w); err != nil {
		t.Fatal(err)
	}
	m, err := message.Unmarshal(w.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ir %d opset %d %s by %s\n", m.IRVersion, m.Opsets[0].Version, m.Graph.Name, m.ProducerName)
	for _, v := range m.Graph.Inputs {
		fmt.Fprintf(&b, "input %s\n", typed(v))
	}
	for _, p := range m.Graph.Initializers {
		fmt.Fprintf(&b, "initial %s %v %v\n", p.Name, p.Elem, p.Dims)
	}
	for _, n := range m.Graph.Nodes {
		fmt.Fprintf(&b, "%s = %s(%s)%s\n", strings.Join(n.Outputs, ", "), n.Op, strings.Join(n.Inputs, ", "), attributes(n))
	}
	for _, v := range m.Graph.Outputs {
		fmt.Fprintf(&b, "output %s\n", typed(v))
	}
	return b.String()
}

func typed(v *message.ValueInfo) string {
	var dims []string
	for _, d := range v.Type.Tensor.Shape.Dims {
		if d.Known {
			dims = append(dims, fmt.Sprint(d.Value))
		} else {
			dims = append(dims, d.Name)
		}
	}
	return fmt.Sprintf("%s %v [%s]", v.Name, v.Type.Tensor.Elem, strings.Join(dims, " "))
}

func attributes(n *message.Node) string {
	var all strings.Builder
	for _, a := range n.Attributes {
		switch a.Kind {
		case message.KindInt:
			fmt.Fprintf(&all, " %s=%d", a.Name, a.Int)
		case message.KindInts:
			fmt.Fprintf(&all, " %s=%d", a.Name, a.Ints)
		case message.KindFloat:
			fmt.Fprintf(&all, " %s=%g", a.Name, a.Float)
		case message.KindString:
			fmt.Fprintf(&all, " %s=%s", a.Name, a.String)
		default:
			fmt.Fprintf(&all, " %s", a.Name)
		}
	}
	return all.String()
}

func random() *rand.Rand { return rand.New(rand.NewPCG(1, 0)) }

// exports are networks whose graphs are kept as text.
func exports(t *testing.T) map[string]onnx.Export {
	of := func(model layers.Layer, shape ...int) onnx.Export {
		e, err := onnx.Layer(model, shape...)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	images := layers.NewSequential(
		layers.NewConv2DWith(random(), 1, 2, 3, layers.ConvOptions{Same: true}), layers.NewBatchNorm(2), layers.ReLU(), layers.MaxPool2D(2),
		layers.Flatten(), layers.Dropout(0.5), layers.NewDense(random(), 32, 3), layers.Softmax(),
	)
	layers.Convert(images, autograd.Float32)
	return map[string]onnx.Export{
		"dense":    of(layers.NewSequential(layers.NewDense(random(), 2, 3), layers.Tanh(), layers.NewDense(random(), 3, 1)), -1, 2),
		"images":   of(images, -1, 1, 8, 8),
		"fixed":    of(layers.NewDense(random(), 2, 3), 5, 2),
		"language": language(),
	}
}

type reader struct {
	Words  *layers.Embedding
	LSTM   *layers.LSTM
	Scores *layers.Dense
}

func (r *reader) Params() []*autograd.Param { return layers.ParamsOf(r) }

// language is a network of words, by an LSTM in both directions.
func language() onnx.Export {
	words, lstm := layers.NewEmbedding(random(), 9, 4), layers.NewLSTMWith(random(), 4, 3, layers.RecurrentOptions{Bidirectional: true})
	scores := layers.NewDense(random(), 6, 9)
	model := &reader{words, lstm, scores}
	layers.Name(model)
	layers.Convert(model, autograd.Float32)
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true})
	ids, lengths := autograd.NewInts([]int{1, 2, 3, 4, 5, 0}, 2, 3), autograd.NewInts([]int{3, 2})
	y, _ := lstm.RunWith(words.Lookup(g, ids), layers.LSTMState{}, layers.RunOptions{Lengths: lengths})
	return onnx.Export{
		Name:   "words",
		Inputs: []onnx.Input{{Name: "ids", Ints: ids}, {Name: "lengths", Ints: lengths}},
		Outputs: []autograd.Value{
			scores.Forward(y).Named("scores"),
		},
		Batch: "sentences",
	}
}

// The graphs are those that were looked at and compared with onnxruntime.
func TestGraphs(t *testing.T) {
	for name, e := range exports(t) {
		got, path := written(t, e), filepath.Join("testdata", "graphs", name+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-kept +written)\n%s", name, diff)
		}
	}
}

// The same network gives the same bytes.
func TestDeterministic(t *testing.T) {
	first, second := exports(t), exports(t)
	for name := range first {
		var a, b bytes.Buffer
		if err := errors.Join(first[name].Write(&a), second[name].Write(&b)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: the files differ", name)
		}
	}
}

// All operations that cannot be written are named at once.
func TestRefusesByName(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Eye(3))
	double := autograd.Operation{Name: "double", Mask: true, Forward: func(in []autograd.Tensor) autograd.Tensor {
		return in[0].Clone()
	}}
	y := matrix.Inverse(x).Add(autograd.Custom(double, x)).ReLU()
	err := onnx.Export{Inputs: []onnx.Input{{Name: "x", Value: x}}, Outputs: []autograd.Value{y}}.Write(&bytes.Buffer{})
	var refused *onnx.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("the error is %v", err)
	}
	var ops []string
	for _, r := range refused.Ops {
		ops = append(ops, r.Op)
		if r.Location.Line == 0 {
			t.Errorf("%s: no line", r.Op)
		}
	}
	if diff := cmp.Diff([]string{"inverse", "double"}, ops); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if text := err.Error(); !strings.Contains(text, "2 operations") || !strings.Contains(text, "graphs_test.go:") {
		t.Errorf("the text is %s", text)
	}
}

// What a batch of another length would make wrong is refused.
func TestRefusesWhatFitsOneBatch(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(autograd.Ones(2, 3)).Named("x")
	rows := g.Constant(autograd.NewTensor([]float64{1, 2, 3, 4, 5, 6}, 2, 3))
	ids := autograd.NewInts([]int{0, 1, 1, 0}, 2, 2)
	for name, c := range map[string]struct {
		y    autograd.Value
		want string
	}{
		"mean over the batch":     {x.Mean(0), "along the batch axis"},
		"differences of samples":  {x.MatMul(x.T()), "each with each other|multiplies each sample"},
		"a constant for each":     {x.Add(rows), "differs for the samples"},
		"the first sample":        {x.Narrow(0, 0, 1), "a part of the batch"},
		"samples one by one":      {autograd.Concat(0, x, x), "one behind the other"},
		"mixed":                   {x.T().Reshape(2, 3).Add(x), "along no axis|different axes"},
		"a softmax of samples":    {x.Softmax(0), "along the batch axis"},
		"batch normalization":     {first(x.BatchNorm(autograd.Value{}, autograd.Value{}, 1e-5)), "along the batch axis"},
		"no input":                {rows.Square(), "has no batch"},
		"indices for each sample": {x.Gather(1, ids), "differ for the samples"},
	} {
		err := onnx.Export{Inputs: []onnx.Input{{Value: x}}, Outputs: []autograd.Value{c.y}, Batch: "batch"}.Write(&bytes.Buffer{})
		if err == nil || !containsOne(err.Error(), c.want) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func first(y, _, _ autograd.Value) autograd.Value { return y }

func containsOne(text, words string) bool {
	for word := range strings.SplitSeq(words, "|") {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// A constant that is the same for each sample fits any batch.
func TestConstantsForEachSample(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(autograd.Ones(2, 3)).Named("x")
	y := x.Add(g.Full(2, 2, 3)).Mul(g.Constant(autograd.NewTensor([]float64{1, 2, 3, 1, 2, 3}, 2, 3)))
	text := written(t, onnx.Export{Inputs: []onnx.Input{{Value: x}}, Outputs: []autograd.Value{y}, Batch: "batch"})
	if !strings.Contains(text, "output output double [batch 3]") {
		t.Error(text)
	}
}

func TestErrors(t *testing.T) {
	g, other := autograd.NewGraph(autograd.Options{}), autograd.NewGraph(autograd.Options{})
	x, foreign := g.Constant(autograd.Ones(2, 3)), other.Constant(autograd.Ones(2, 3))
	one := g.Constant(autograd.Ones(1, 3))
	ids := autograd.NewInts([]int{0, 1})
	y := x.Square()
	for name, c := range map[string]struct {
		e    onnx.Export
		want string
	}{
		"no outputs":       {onnx.Export{}, "no outputs"},
		"another graph":    {onnx.Export{Inputs: []onnx.Input{{Value: foreign}}, Outputs: []autograd.Value{y}}, "input 0 is of another graph"},
		"outputs of two":   {onnx.Export{Outputs: []autograd.Value{y, foreign}}, "output 1 is of another graph"},
		"zero output":      {onnx.Export{Outputs: []autograd.Value{{}}}, "output 0 is a zero Value"},
		"a result":         {onnx.Export{Inputs: []onnx.Input{{Value: y}}, Outputs: []autograd.Value{y}}, `the result of "square"`},
		"neither":          {onnx.Export{Inputs: []onnx.Input{{}}, Outputs: []autograd.Value{y}}, "not either a Value or Ints"},
		"both":             {onnx.Export{Inputs: []onnx.Input{{Value: x, Ints: ids}}, Outputs: []autograd.Value{y}}, "not either a Value or Ints"},
		"twice":            {onnx.Export{Inputs: []onnx.Input{{Value: x}, {Value: x}}, Outputs: []autograd.Value{y}}, "input 1 is input 0 again"},
		"unused Ints":      {onnx.Export{Inputs: []onnx.Input{{Name: "ids", Ints: ids}}, Outputs: []autograd.Value{y}}, `given the Ints "ids"`},
		"a batch of 1":     {onnx.Export{Inputs: []onnx.Input{{Value: one}}, Outputs: []autograd.Value{one.Square()}, Batch: "n"}, "batch of 2 or more"},
		"batches":          {onnx.Export{Inputs: []onnx.Input{{Value: x}, {Value: g.Constant(autograd.Ones(3, 3))}}, Outputs: []autograd.Value{y}, Batch: "n"}, "batch of 3, others of 2"},
		"a scalar":         {onnx.Export{Inputs: []onnx.Input{{Value: g.Scalar(1)}}, Outputs: []autograd.Value{y}, Batch: "n"}, "it must be Fixed"},
		"no batch":         {onnx.Export{Inputs: []onnx.Input{{Value: x, Fixed: true}}, Outputs: []autograd.Value{y}, Batch: "n"}, "no input has the batch axis"},
		"Ints that follow": {onnx.Export{Inputs: []onnx.Input{{Name: "ids", Ints: ids}}, Outputs: []autograd.Value{x.Embedding(ids).Add(x.Embedding(autograd.NewInts([]int{1, 0})))}}, "FixInts"},
	} {
		if err := c.e.Write(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	if err := onnx.Save("model.onnx", layers.Tanh()); err == nil {
		t.Error("no error without a shape")
	}
}

// onnxruntime computes the networks whose graphs are kept, and determinants,
// which are no operation of the table of autograd.
func TestPythonRunsGraphs(t *testing.T) {
	runner := onnxtest.Start(t)
	for name, e := range exports(t) {
		if err := runner.Check(e, 1e-5); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := runner.Check(outputs(), 1e-12); err != nil {
		t.Errorf("outputs: %v", err)
	}
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
	x := g.Constant(autograd.Normal(random(), 0, 1, 5, 3, 3)).Named("x")
	e := onnx.Export{Inputs: []onnx.Input{{Value: x}}, Outputs: []autograd.Value{matrix.Det(x)}, Batch: "batch"}
	if err := runner.Check(e, 1e-5); err != nil {
		t.Errorf("det: %v", err)
	}
}

// outputs is a network whose outputs are an input, a Param, a variable that is
// no input, and one result twice.
func outputs() onnx.Export {
	g := autograd.NewGraph(autograd.Options{})
	x, p := g.Constant(autograd.Ones(2, 3)).Named("x"), g.Param(autograd.NewParam("x", autograd.NewTensor([]float64{1, 2, 3})))
	v, y := g.Variable(autograd.Scalar(4)).Named("x"), x.Mul(p).Named("y")
	return onnx.Export{Inputs: []onnx.Input{{Value: x}}, Outputs: []autograd.Value{x, p, v, y, y, y.Mul(v)}}
}

// Names are given once, whatever they are in the recording.
func TestNames(t *testing.T) {
	want := `ir 9 opset 20 nabla by nabla
input x double [2 3]
initial x_2 double [3]
initial x_3 double []
y = Mul(x, x_2)
output_4 = Mul(y, x_3)
output = Identity(x)
output_2 = Identity(x_2)
output_3 = Identity(x_3)
y_2 = Identity(y)
output output double [2 3]
output output_2 double [3]
output output_3 double []
output y double [2 3]
output y_2 double [2 3]
output output_4 double [2 3]
`
	if got := written(t, outputs()); got != want {
		t.Errorf("got\n%s", got)
	}
}

// A long chain is written in linear time: of 200,000 operations in about a
// second, and in hours if each searched among the others.
func TestLongChain(t *testing.T) {
	const length = 200_000
	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	x := g.Constant(autograd.Ones(2)).Named("x")
	y := x
	for range length {
		y = y.Tanh()
	}
	m, err := export.Network{Inputs: []export.Input{{Value: x}}, Outputs: []autograd.Value{y}}.Model()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.Graph.Nodes); n != length {
		t.Errorf("%d operators", n)
	}
}
