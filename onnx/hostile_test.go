package onnx_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/onnx"
	"nabla/onnx/internal/message"
)

func floats(name string, values []float32, dims ...int64) *message.Tensor {
	return &message.Tensor{Name: name, Elem: message.Float, Dims: dims, Floats: values}
}

func ints(name string, values []int64, dims ...int64) *message.Tensor {
	return &message.Tensor{Name: name, Elem: message.Int64, Dims: dims, Int64s: values}
}

// A messageNode is a node of a file.
type messageNode = message.Node

func node(op string, inputs, outputs string, attributes ...*message.Attribute) *message.Node {
	return &message.Node{Op: op, Name: "the " + op, Inputs: strings.Fields(inputs), Outputs: strings.Fields(outputs), Attributes: attributes}
}

// file is a network of x that computes y.
func file(nodes []*message.Node, initializers ...*message.Tensor) *message.Model {
	any := &message.Type{Tensor: &message.TensorType{Elem: message.Float}}
	return &message.Model{IRVersion: 10, Opsets: []message.Opset{{Version: 20}}, Graph: &message.Graph{
		Name: "test", Nodes: nodes, Initializers: initializers,
		Inputs: []*message.ValueInfo{{Name: "x", Type: any}}, Outputs: []*message.ValueInfo{{Name: "y", Type: any}},
	}}
}

func importModel(m *message.Model) (*onnx.Model, error) {
	return onnx.Import(bytes.NewReader(m.Marshal()))
}

// A file that is not a valid network is an error that says why.
func TestInvalidFiles(t *testing.T) {
	relu := []*message.Node{node("Relu", "x", "y")}
	noOpset := file(relu)
	noOpset.Opsets = nil
	twoOpsets := file(relu)
	twoOpsets.Opsets = []message.Opset{{Version: 20}, {Domain: "ai.onnx", Version: 13}}
	twoInputs := file(relu)
	twoInputs.Graph.Inputs = append(twoInputs.Graph.Inputs, twoInputs.Graph.Inputs[0])
	twoOutputs := file(relu)
	twoOutputs.Graph.Outputs = append(twoOutputs.Graph.Outputs, twoOutputs.Graph.Outputs[0])
	recursive := file([]*message.Node{{Op: "F", Domain: "my", Inputs: []string{"x"}, Outputs: []string{"y"}}})
	recursive.Opsets = append(recursive.Opsets, message.Opset{Domain: "my", Version: 1})
	call := &message.Node{Op: "F", Domain: "my", Inputs: []string{"a"}, Outputs: []string{"b"}}
	recursive.Functions = []*message.Function{{Name: "F", Domain: "my", Inputs: []string{"a"}, Outputs: []string{"b"}, Nodes: []*message.Node{call}, Opsets: recursive.Opsets}}
	leaf, deep := file(relu).Graph, file(relu).Graph
	for range 40 {
		n := node("If", "c", "y", &message.Attribute{Name: "then_branch", Kind: message.KindGraph, Graph: deep}, &message.Attribute{Name: "else_branch", Kind: message.KindGraph, Graph: leaf})
		deep = &message.Graph{Nodes: []*message.Node{n}, Outputs: deep.Outputs}
	}
	bomb := file([]*message.Node{{Op: "F0", Domain: "my", Inputs: []string{"x"}, Outputs: []string{"y"}}})
	bomb.Opsets = append(bomb.Opsets, message.Opset{Domain: "my", Version: 1})
	for i := range 30 {
		f := &message.Function{Name: fmt.Sprint("F", i), Domain: "my", Inputs: []string{"a"}, Outputs: []string{"c"}, Opsets: bomb.Opsets}
		inner := message.Node{Op: fmt.Sprint("F", i+1), Domain: "my"}
		if i == 29 {
			inner = message.Node{Op: "Relu"}
		}
		first, second := inner, inner
		first.Inputs, first.Outputs = []string{"a"}, []string{"b"}
		second.Inputs, second.Outputs = []string{"b"}, []string{"c"}
		f.Nodes = []*message.Node{&first, &second}
		bomb.Functions = append(bomb.Functions, f)
	}
	for _, c := range []struct {
		name string
		m    *message.Model
		want string
	}{
		{"functions that multiply", bomb, "more than 262144 nodes"},
		{"no graph", &message.Model{Opsets: noOpset.Opsets}, "there is no graph"},
		{"no opset", noOpset, "does not import the operators"},
		{"two opsets", twoOpsets, "versions 20 and 13"},
		{"a cycle", file([]*message.Node{node("Add", "x b", "a"), node("Add", "x a", "b"), node("Relu", "b", "y")}), `node "the Add": input "b" is not computed before it is used`},
		{"a name that is missing", file([]*message.Node{node("Relu", "z", "y")}), `input "z" is not computed`},
		{"an output that is missing", file(nil), `output "y" is not computed`},
		{"a name twice", file([]*message.Node{node("Relu", "x", "y"), node("Relu", "x", "y")}), `"y" is defined twice`},
		{"an initializer twice", file(relu, floats("w", []float32{1}, 1), floats("w", []float32{1}, 1)), `"w" is defined twice`},
		{"an input twice", twoInputs, `two inputs are called "x"`},
		{"an output twice", twoOutputs, `two outputs are called "y"`},
		{"a function that calls itself", recursive, "function my.F calls itself"},
		{"graphs inside graphs", &message.Model{Opsets: []message.Opset{{Version: 20}}, Graph: deep}, "deep"},
		{"too many inputs", file([]*message.Node{node("Relu", "x x", "y")}), "Relu has 2 inputs, which is not from 1 to 1"},
		{"too few inputs", file([]*message.Node{node("MatMul", "x", "y")}), "MatMul has 1 inputs"},
		{"too many outputs", file([]*message.Node{node("Relu", "x", "y z")}), "Relu has 2 outputs"},
		{"an attribute of another kind", file([]*message.Node{node("Elu", "x", "y", &message.Attribute{Name: "alpha", Kind: message.KindInt, Int: 1})}), `attribute "alpha" of Elu has kind 2 instead of 1`},
		{"too few numbers", file(relu, floats("w", []float32{1, 2}, 3)), `tensor "w": 2 elements for a shape of 3`},
		{"a negative dimension", file(relu, floats("w", nil, -1)), `a dimension is -1`},
		{"dimensions that overflow", file(relu, floats("w", nil, 1<<40, 1<<40)), `too many elements`},
		{"too many numbers by far", file(relu, floats("w", nil, 1<<40)), `0 bytes for 1099511627776 elements`},
		{"raw numbers that are cut", file(relu, &message.Tensor{Name: "w", Elem: message.Float, Dims: []int64{2}, Raw: make([]byte, 7)}), `7 bytes for 2 elements of 32 bits`},
		{"no type of elements", file(relu, &message.Tensor{Name: "w", Dims: []int64{0}}), "no type of elements"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := importModel(c.m)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "onnx: ") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := onnx.Import(strings.NewReader("no network")); err == nil {
		t.Error("text is no network")
	}
}

// Everything that is not supported is named at once: with the node, the opset
// and, where the operator is known, the reason.
func TestUnsupportedIsNamed(t *testing.T) {
	m := file([]*message.Node{
		node("TfIdfVectorizer", "x", "a"),
		{Op: "Inverse", Domain: "com.example", Name: "inv", Inputs: []string{"a"}, Outputs: []string{"b"}},
		node("Pad", "b", "c", &message.Attribute{Name: "mode", Kind: message.KindString, String: []byte("mirror")}),
		node("Relu", "c", "d", &message.Attribute{Name: "slope", Kind: message.KindFloat, Float: 1}),
		node("Swish", "d", "y"),
	}, &message.Tensor{Name: "z", Elem: message.Complex64, Dims: []int64{1}, Raw: make([]byte, 8)})
	m.Opsets = append(m.Opsets, message.Opset{Domain: "com.example", Version: 3})
	_, err := importModel(m)
	var unsupported *onnx.UnsupportedError
	if !errors.As(err, &unsupported) {
		t.Fatalf("got %v", err)
	}
	want := []onnx.Unsupported{
		{Op: "tensor", Opset: 20, Node: "z", Reason: "complex64"},
		{Op: "TfIdfVectorizer", Opset: 20, Node: "the TfIdfVectorizer"},
		{Op: "Inverse", Domain: "com.example", Opset: 3, Node: "inv"},
		{Op: "Pad", Opset: 20, Node: "the Pad", Reason: `mode "mirror"`},
		{Op: "Relu", Opset: 20, Node: "the Relu", Reason: `attribute "slope"`},
		{Op: "Swish", Opset: 20, Node: "the Swish", Reason: "it is known from opset 24 to 28"},
	}
	for i, w := range want {
		if i >= len(unsupported.Ops) || unsupported.Ops[i] != w {
			t.Errorf("got %+v, want %+v", unsupported.Ops, w)
			break
		}
	}
	if text := err.Error(); !strings.Contains(text, `com.example.Inverse (opset 3) of node "inv"`) {
		t.Errorf("got %q", text)
	}
	later := file([]*message.Node{node("Relu", "x", "y")})
	later.Opsets[0].Version = 29
	if _, err := importModel(later); !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "the newest that is known is 28") {
		t.Errorf("got %v", err)
	}
}

// What a few bytes of a file ask for beyond the limits is an error, before
// anything of that size is made.
func TestTooLarge(t *testing.T) {
	huge := ints("huge", []int64{1 << 20, 1 << 20}, 2)
	double := []*message.Node{node("Concat", "x x", "a0", &message.Attribute{Name: "axis", Kind: message.KindInt})}
	for i := range 60 {
		in, out := "a"+string(rune('0'+i)), "a"+string(rune('1'+i))
		double = append(double, node("Concat", in+" "+in, out, &message.Attribute{Name: "axis", Kind: message.KindInt}))
	}
	double = append(double, node("Relu", "a"+string(rune('0'+60)), "y"))
	for _, c := range []struct {
		name  string
		nodes []*message.Node
	}{
		{"Expand", []*message.Node{node("Expand", "x huge", "y")}},
		{"ConstantOfShape", []*message.Node{node("ConstantOfShape", "huge", "y")}},
		{"Tile", []*message.Node{node("Tile", "x huge", "y")}},
		{"Pad", []*message.Node{node("Pad", "x pads", "y")}},
		{"Range", []*message.Node{node("Range", "zero many one", "y")}},
		{"OneHot", []*message.Node{node("OneHot", "index many pair", "y")}},
		{"Resize", []*message.Node{node("Resize", "x   sizes", "y")}},
		{"doubling", double},
		{"outer", []*message.Node{node("Expand", "x wide", "a"), node("Transpose", "a", "b"), node("Mul", "a b", "c"), node("MatMul", "b a", "y")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := file(c.nodes, huge, ints("pads", []int64{0, 0, 1 << 40, 0}, 4), ints("zero", []int64{0}), ints("many", []int64{1 << 30}), ints("one", []int64{1}),
				ints("index", make([]int64, 64), 64), ints("pair", []int64{0, 1}, 2), ints("sizes", []int64{1 << 20, 1 << 20}, 2), ints("wide", []int64{1, 1 << 20}, 2))
			if c.name == "Resize" {
				c.nodes[0].Inputs = []string{"x", "", "", "sizes"}
			}
			network, err := onnx.ImportWith(bytes.NewReader(m.Marshal()), onnx.ImportOptions{MaxElements: 1 << 24})
			if err != nil {
				t.Fatal(err)
			}
			var fault *autograd.ArgumentError
			g := autograd.NewGraph(autograd.Options{})
			err = autograd.Try(func() { network.Run(g, map[string]onnx.Data{"x": {Value: g.Constant(autograd.Zeros(1, 1))}}) })
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), "ImportOptions.MaxElements") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A loop without end is an error.
func TestEndlessLoop(t *testing.T) {
	condition := &message.Tensor{Name: "go", Elem: message.Bool, Int32s: []int32{1}}
	body := &message.Graph{
		Inputs: []*message.ValueInfo{{Name: "i"}, {Name: "c"}}, Outputs: []*message.ValueInfo{{Name: "c"}, {Name: "i"}},
	}
	m := file([]*message.Node{node("Loop", "many go", "unused", &message.Attribute{Name: "body", Kind: message.KindGraph, Graph: body}), node("Relu", "x", "y")}, ints("many", []int64{1 << 62}), condition)
	network, err := onnx.ImportWith(bytes.NewReader(m.Marshal()), onnx.ImportOptions{MaxSteps: 1000})
	if err != nil {
		t.Fatal(err)
	}
	g := autograd.NewGraph(autograd.Options{})
	err = autograd.Try(func() { network.Forward(g.Scalar(1)) })
	if err == nil || !strings.Contains(err.Error(), `onnx: Loop "the Loop": more than 1000 nodes were run: see ImportOptions.MaxSteps`) {
		t.Errorf("got %v", err)
	}
}

// External data are read from the file's folder, and from nowhere else.
func TestExternalData(t *testing.T) {
	outer := t.TempDir()
	folder := filepath.Join(outer, "model")
	if err := os.MkdirAll(filepath.Join(folder, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	numbers := []byte{0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64} // 1, 2, 3
	for _, path := range []string{filepath.Join(outer, "secret"), filepath.Join(folder, "w.bin"), filepath.Join(folder, "sub", "w.bin")} {
		if err := os.WriteFile(path, numbers, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"link": "../secret", "inside": "sub/w.bin", "folder": ".."} {
		if err := os.Symlink(to, filepath.Join(folder, link)); err != nil {
			t.Skip(err)
		}
	}
	for _, c := range []struct {
		name    string
		entries []message.Entry
		want    string // of the error, "" for none
	}{
		{"a file", []message.Entry{{Key: "location", Value: "w.bin"}, {Key: "offset", Value: "4"}, {Key: "length", Value: "8"}}, ""},
		{"to its end", []message.Entry{{Key: "location", Value: "sub/w.bin"}, {Key: "offset", Value: "4"}}, ""},
		{"a link that stays", []message.Entry{{Key: "location", Value: "inside"}, {Key: "offset", Value: "4"}}, ""},
		{"the folder above", []message.Entry{{Key: "location", Value: "../secret"}, {Key: "length", Value: "8"}}, "escapes"},
		{"from below", []message.Entry{{Key: "location", Value: "sub/../../secret"}, {Key: "length", Value: "8"}}, "escapes"},
		{"an absolute path", []message.Entry{{Key: "location", Value: filepath.Join(outer, "secret")}, {Key: "length", Value: "8"}}, "escapes"},
		{"a link out", []message.Entry{{Key: "location", Value: "link"}, {Key: "length", Value: "8"}}, "escapes"},
		{"a folder out", []message.Entry{{Key: "location", Value: "folder/secret"}, {Key: "length", Value: "8"}}, "escapes"},
		{"a folder", []message.Entry{{Key: "location", Value: "sub"}, {Key: "length", Value: "8"}}, "is not an ordinary file"},
		{"no location", []message.Entry{{Key: "length", Value: "8"}}, "no location"},
		{"a file that is missing", []message.Entry{{Key: "location", Value: "v.bin"}}, "no such file"},
		{"beyond the end", []message.Entry{{Key: "location", Value: "w.bin"}, {Key: "offset", Value: "8"}, {Key: "length", Value: "8"}}, "beyond the end"},
		{"far beyond the end", []message.Entry{{Key: "location", Value: "w.bin"}, {Key: "offset", Value: "9223372036854775807"}, {Key: "length", Value: "9223372036854775807"}}, "beyond the end"},
		{"another length", []message.Entry{{Key: "location", Value: "w.bin"}, {Key: "length", Value: "12"}}, "12 bytes instead of 8"},
		{"a length that is no number", []message.Entry{{Key: "location", Value: "w.bin"}, {Key: "length", Value: "-8"}}, `the length of its external data is "-8"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &message.Tensor{Name: "w", Elem: message.Float, Dims: []int64{2}, External: c.entries, Outside: true}
			path := filepath.Join(folder, "model.onnx")
			if err := os.WriteFile(path, file([]*message.Node{node("Mul", "x w", "y")}, w).Marshal(), 0o666); err != nil {
				t.Fatal(err)
			}
			m, err := onnx.ImportFile(path)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Params()[0].Tensor(); !got.EqualWithin(autograd.NewTensor([]float64{2, 3}), 0) {
				t.Errorf("got %v", got)
			}
			if _, err := onnx.Import(bytes.NewReader(file([]*message.Node{node("Mul", "x w", "y")}, w).Marshal())); err == nil || !strings.Contains(err.Error(), "use ImportFile") {
				t.Errorf("without a folder: %v", err)
			}
		})
	}
}

// Inputs that do not fit panic with typed errors that name what does not: an
// input of the network, or the node.
func TestInputsThatDoNotFit(t *testing.T) {
	fixed := file([]*message.Node{node("MatMul", "x w", "y")}, floats("w", []float32{1, 2, 3, 4}, 2, 2))
	fixed.Graph.Inputs[0].Type = &message.Type{Tensor: &message.TensorType{Elem: message.Float, Shape: &message.Shape{Dims: []message.Dim{{Name: "batch"}, {Value: 2, Known: true}}}}}
	free := file([]*message.Node{node("MatMul", "x w", "y")}, floats("w", []float32{1, 2, 3, 4}, 2, 2))
	for _, c := range []struct {
		name string
		m    *message.Model
		feed func(g *autograd.Graph) map[string]onnx.Data
		want string
	}{
		{"another length", fixed, func(g *autograd.Graph) map[string]onnx.Data {
			return map[string]onnx.Data{"x": {Value: g.Full(1, 5, 3)}}
		}, `onnx: Run: input "x" does not have the shape [-1 2] of the file`},
		{"another rank", fixed, func(g *autograd.Graph) map[string]onnx.Data { return map[string]onnx.Data{"x": {Value: g.Full(1, 2)}} }, `does not have the shape`},
		{"a node that does not fit", free, func(g *autograd.Graph) map[string]onnx.Data {
			return map[string]onnx.Data{"x": {Value: g.Full(1, 5, 3)}}
		}, `onnx: MatMul "the MatMul": the matrices do not fit each other`},
		{"another type", fixed, func(g *autograd.Graph) map[string]onnx.Data {
			return map[string]onnx.Data{"x": {Ints: autograd.NewInts([]int{1, 2}, 1, 2)}}
		}, `input "x" has int64 instead of float`},
		{"another name", fixed, func(g *autograd.Graph) map[string]onnx.Data {
			return map[string]onnx.Data{"x": {Value: g.Full(1, 5, 2)}, "z": {Value: g.Full(1, 2)}}
		}, `there is no input "z"`},
		{"none", fixed, func(g *autograd.Graph) map[string]onnx.Data { return nil }, `input "x" is missing`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := importModel(c.m)
			if err != nil {
				t.Fatal(err)
			}
			g := autograd.NewGraph(autograd.Options{})
			err = autograd.Try(func() { m.Run(g, c.feed(g)) })
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "hostile_test.go:") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			// The graph can be used again.
			g.Reset()
			if y := m.Forward(g.Full(1, 5, 2)); y.Size() != 10 {
				t.Errorf("got %v", y)
			}
		})
	}
}

// Converters, such as onnxruntime's to float16, add nodes at the end that
// others read, which the format forbids and its readers bear.
func TestNodesInAnyOrder(t *testing.T) {
	branch := &message.Graph{Name: "branch", Nodes: []*message.Node{node("Add", "b b", "inner")}, Outputs: []*message.ValueInfo{{Name: "inner"}}}
	choice := node("If", "yes", "c", &message.Attribute{Name: "then_branch", Kind: message.KindGraph, Graph: branch}, &message.Attribute{Name: "else_branch", Kind: message.KindGraph, Graph: branch})
	yes := &message.Tensor{Name: "yes", Elem: message.Bool, Int32s: []int32{1}}
	m, err := importModel(file([]*message.Node{node("Neg", "c", "y"), choice, node("Mul", "a a", "b"), node("Add", "x x", "a")}, yes))
	if err != nil {
		t.Fatal(err)
	}
	g := autograd.NewGraph(autograd.Options{})
	if got := m.Forward(g.Scalar(3)).Item(); got != -72 {
		t.Errorf("−2·(2·3)² is %v", got)
	}
	if _, err := importModel(file([]*message.Node{node("Neg", "c", "y"), node("Add", "x y", "c")})); err == nil {
		t.Error("a cycle is no error")
	}
}
