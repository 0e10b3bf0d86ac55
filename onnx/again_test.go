package onnx_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"nabla/autograd"
	"nabla/onnx"
	"nabla/onnx/internal/message"
)

// A model that reads ids is exported again with the ids as an input: what the
// caller gives reaches the operations, past operators that give it another
// shape.
func TestIDsOfAModelStayAnInput(t *testing.T) {
	m, err := onnx.ImportFile("testdata/words-dynamo.onnx")
	if err != nil {
		t.Fatal(err)
	}
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true})
	run := func(m *onnx.Model, ids autograd.Ints, weights autograd.Value) autograd.Value {
		in, out := m.Inputs(), m.Outputs()
		return m.Run(g, map[string]onnx.Data{in[0].Name: {Ints: ids}, in[1].Name: {Value: weights}})[out[0].Name].Value
	}
	ids, weights := autograd.NewInts([]int{1, 2, 3, 0, 3, 1, 2, 2}, 2, 4), g.Constant(autograd.Ones(2, 4))
	e := onnx.Export{
		Inputs:  []onnx.Input{{Name: "ids", Ints: ids}, {Name: "weights", Value: weights}},
		Outputs: []autograd.Value{run(m, ids, weights)}, Batch: "batch",
	}
	var file bytes.Buffer
	if err := e.Write(&file); err != nil {
		t.Fatal(err)
	}
	again, err := onnx.Import(&file)
	if err != nil {
		t.Fatal(err)
	}
	ids, weights = autograd.NewInts([]int{2, 0, 1, 1, 3, 3, 0, 0, 2, 1, 1, 2}, 3, 4), g.Constant(autograd.Full(0.5, 3, 4))
	if err := near(run(again, ids, weights).Tensor(), run(m, ids, weights).Tensor()); err != nil {
		t.Error(err)
	}
}

// What a model looks up where its input is greatest is refused by Export, as if
// a program had called ArgMax.
func TestFoundPlacesOfAModelAreRefused(t *testing.T) {
	table := &message.Tensor{Name: "table", Dims: []int64{3, 2}, Elem: message.Float, Floats: []float32{1, 2, 3, 4, 5, 6}}
	for name, nodes := range map[string][]*messageNode{
		"ArgMax": {node("ArgMax", "x", "at", integerOf("axis", 1), integerOf("keepdims", 0)), node("Gather", "table at", "y")},
		"TopK":   {node("TopK", "x k", "top at"), node("Gather", "table at", "y")},
	} {
		k := &message.Tensor{Name: "k", Dims: []int64{1}, Elem: message.Int64, Int64s: []int64{2}}
		m, err := importModel(file(nodes, table, k))
		if err != nil {
			t.Fatal(err)
		}
		g := autograd.NewGraph(autograd.Options{NoGrad: true})
		x := g.Constant(autograd.NewTensor([]float64{1, 3, 2, 4, 2, 0}, 2, 3))
		e := onnx.Export{Inputs: []onnx.Input{{Name: "x", Value: x}}, Outputs: []autograd.Value{m.Forward(x)}}
		if err := e.Write(io.Discard); !errors.As(err, new(*onnx.RefusedError)) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func integerOf(name string, v int64) *message.Attribute {
	return &message.Attribute{Name: name, Kind: message.KindInt, Int: v}
}
