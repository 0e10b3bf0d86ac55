package onnx

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"testing"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

// seeds are networks that have what those of other programs do not: loops,
// conditions, functions, sequences.
func seeds() []*message.Model {
	var list []*message.Model
	for seed := range uint64(60) {
		list = append(list, randomModel(rand.New(rand.NewPCG(seed, 1))))
	}
	return append(list, loopModel(3), ifModel(), functionModel())
}

func model(nodes []*message.Node, inputs, outputs []string, initializers ...*message.Tensor) *message.Model {
	g := &message.Graph{Name: "test", Nodes: nodes, Initializers: initializers}
	for _, name := range inputs {
		g.Inputs = append(g.Inputs, &message.ValueInfo{Name: name, Type: &message.Type{Tensor: &message.TensorType{Elem: message.Float}}})
	}
	for _, name := range outputs {
		g.Outputs = append(g.Outputs, &message.ValueInfo{Name: name})
	}
	return &message.Model{IRVersion: 10, Opsets: []message.Opset{{Version: 20}, {Domain: "ai.onnx.ml", Version: 4}, {Domain: "local", Version: 1}}, Graph: g}
}

func nodeOf(op string, inputs, outputs []string, attributes ...*message.Attribute) *message.Node {
	return &message.Node{Op: op, Name: "n_" + op, Inputs: inputs, Outputs: outputs, Attributes: attributes}
}

func floatsTensor(name string, values []float32, dims ...int64) *message.Tensor {
	return &message.Tensor{Name: name, Elem: message.Float, Dims: dims, Floats: values}
}

func intsTensor(name string, values []int64, dims ...int64) *message.Tensor {
	return &message.Tensor{Name: name, Elem: message.Int64, Dims: dims, Int64s: values}
}

func boolTensor(name string, v int32) *message.Tensor {
	return &message.Tensor{Name: name, Elem: message.Bool, Int32s: []int32{v}}
}

func intAttribute(name string, v int64) *message.Attribute {
	return &message.Attribute{Name: name, Kind: message.KindInt, Int: v}
}

func graphAttribute(name string, g *message.Graph) *message.Attribute {
	return &message.Attribute{Name: name, Kind: message.KindGraph, Graph: g}
}

// loopModel doubles x a number of times.
func loopModel(times int64) *message.Model {
	body := model([]*message.Node{
		nodeOf("Add", []string{"s", "s"}, []string{"s2"}),
		nodeOf("Identity", []string{"c"}, []string{"c2"}),
		nodeOf("Identity", []string{"s2"}, []string{"slice"}),
	}, []string{"i", "c", "s"}, []string{"c2", "s2", "slice"}).Graph
	return model([]*message.Node{nodeOf("Loop", []string{"m", "go", "x"}, []string{"y", "all"}, graphAttribute("body", body))},
		[]string{"x"}, []string{"y", "all"}, intsTensor("m", []int64{times}), boolTensor("go", 1))
}

// ifModel is the absolute value of a sum, by a condition.
func ifModel() *message.Model {
	then := model([]*message.Node{nodeOf("Neg", []string{"sum"}, []string{"minus"})}, nil, []string{"minus"}).Graph
	otherwise := model([]*message.Node{nodeOf("Identity", []string{"sum"}, []string{"same"})}, nil, []string{"same"}).Graph
	return model([]*message.Node{
		nodeOf("ReduceSum", []string{"x"}, []string{"sum"}, intAttribute("keepdims", 0)),
		nodeOf("Less", []string{"sum", "zero"}, []string{"negative"}),
		nodeOf("If", []string{"negative"}, []string{"y"}, graphAttribute("then_branch", then), graphAttribute("else_branch", otherwise)),
	}, []string{"x"}, []string{"y"}, floatsTensor("zero", []float32{0}))
}

// functionModel calls a function of its own twice, with another attribute.
func functionModel() *message.Model {
	m := model([]*message.Node{
		{Op: "Leaky", Domain: "local", Name: "a", Inputs: []string{"x"}, Outputs: []string{"h"}, Attributes: []*message.Attribute{{Name: "slope", Kind: message.KindFloat, Float: 0.5}}},
		{Op: "Leaky", Domain: "local", Name: "b", Inputs: []string{"h"}, Outputs: []string{"y"}},
	}, []string{"x"}, []string{"y"})
	m.Functions = []*message.Function{{
		Name: "Leaky", Domain: "local", Inputs: []string{"in"}, Outputs: []string{"out"}, Opsets: []message.Opset{{Version: 20}},
		AttributeDefaults: []*message.Attribute{{Name: "slope", Kind: message.KindFloat, Float: 0.25}},
		Nodes:             []*message.Node{nodeOf("LeakyRelu", []string{"in"}, []string{"out"}, &message.Attribute{Name: "alpha", Kind: message.KindFloat, Ref: "slope"})},
	}}
	return m
}

// randomModel is one operator, with inputs and attributes that are often right
// and often not.
func randomModel(rng *rand.Rand) *message.Model {
	names := supported()
	name, domain := names[rng.IntN(len(names))], ""
	if rng.IntN(40) == 0 {
		others := []string{"ArrayFeatureExtractor", "Binarizer", "LabelEncoder", "Normalizer", "Scaler"}
		name, domain = others[rng.IntN(len(others))], "ai.onnx.ml"
	}
	op, _ := operatorOf(domain, name)
	opset := int64(28)
	if rng.IntN(3) == 0 {
		opset = op.versions[rng.IntN(len(op.versions))]
	}
	most := op.most
	if most < 0 {
		most = 4
	}
	n := nodeOf(name, nil, []string{"y"})
	n.Domain = domain
	m := model([]*message.Node{n}, nil, []string{"y"})
	m.Opsets[0].Version = opset
	shapes := randomShapes(rng)
	for i := range op.least + rng.IntN(most-op.least+1) {
		input := string(rune('a' + i))
		n.Inputs = append(n.Inputs, input)
		t := randomTensor(rng, input, shapes[min(i, len(shapes)-1)], i)
		if rng.IntN(2) == 0 && isFloat(t.Elem) {
			info := &message.ValueInfo{Name: input, Type: &message.Type{Tensor: &message.TensorType{Elem: t.Elem, Shape: &message.Shape{}}}}
			for _, d := range t.Dims {
				info.Type.Tensor.Shape.Dims = append(info.Type.Tensor.Shape.Dims, message.Dim{Value: d, Known: true})
			}
			m.Graph.Inputs = append(m.Graph.Inputs, info)
			continue
		}
		m.Graph.Initializers = append(m.Graph.Initializers, t)
	}
	outputs := op.outputs
	if outputs < 0 {
		outputs = 3
	}
	for i := range rng.IntN(outputs) {
		n.Outputs = append(n.Outputs, "y"+string(rune('1'+i)))
	}
	for _, name := range attributesOf(op, name, opset) {
		if rng.IntN(2) == 0 {
			n.Attributes = append(n.Attributes, randomAttribute(rng, name))
		}
	}
	return m
}

// attributesOf returns the attributes that an operator asks for.
func attributesOf(op operator, name string, opset int64) (names []string) {
	n := &node{op: name, opset: opset, version: op.version(opset), source: source{&message.Node{}, &compiler{uses: map[*array]use{}}, &program{}, map[string]bool{}, nil}}
	defer func() {
		_ = recover() // one that is missing
		for name := range n.used {
			names = append(names, name)
		}
		slices.Sort(names)
	}()
	op.build(n)
	return names
}

// randomShapes are shapes that fit each other more often than chance.
func randomShapes(rng *rand.Rand) [][]int64 {
	rank := rng.IntN(6)
	first := make([]int64, rank)
	for i := range first {
		first[i] = int64(rng.IntN(5))
		if rng.IntN(4) > 0 {
			first[i] = 1 + int64(rng.IntN(4))
		}
	}
	list := [][]int64{first}
	for range 7 {
		s := slices.Clone(first)
		switch rng.IntN(6) {
		case 0:
			s = s[rng.IntN(len(s)+1):]
		case 1:
			if len(s) > 0 {
				s[rng.IntN(len(s))] = int64(rng.IntN(4))
			}
		case 2:
			s = []int64{int64(rng.IntN(6))}
		case 3:
			s = []int64{}
		case 4:
			s = []int64{int64(len(first))}
		}
		list = append(list, s)
	}
	return list
}

func randomTensor(rng *rand.Rand, name string, dims []int64, i int) *message.Tensor {
	n := 1
	for _, d := range dims {
		n *= int(d)
	}
	kind := rng.IntN(8)
	if i > 0 && rng.IntN(2) == 0 {
		kind = 0
	}
	switch kind {
	case 0, 1:
		t := intsTensor(name, nil, dims...)
		for range n {
			t.Int64s = append(t.Int64s, randomInt(rng))
		}
		return t
	case 2:
		t := &message.Tensor{Name: name, Elem: []message.Elem{message.Bool, message.Int8, message.Uint8, message.Int32}[rng.IntN(4)], Dims: dims}
		for range n {
			t.Int32s = append(t.Int32s, int32(rng.IntN(3)))
		}
		return t
	case 3:
		if rng.IntN(4) == 0 {
			t := &message.Tensor{Name: name, Elem: message.String, Dims: dims}
			for range n {
				t.Strings = append(t.Strings, []byte{byte('a' + rng.IntN(3))})
			}
			return t
		}
	}
	t := floatsTensor(name, nil, dims...)
	for range n {
		v := float32(rng.NormFloat64())
		if rng.IntN(20) == 0 {
			v = []float32{0, 1e30, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}[rng.IntN(5)]
		}
		t.Floats = append(t.Floats, v)
	}
	return t
}

func randomInt(rng *rand.Rand) int64 {
	switch rng.IntN(12) {
	case 0:
		return []int64{math.MinInt64, math.MaxInt64, math.MinInt32, math.MaxInt32, 1 << 40, -1 << 40, 1 << 62}[rng.IntN(7)]
	case 1:
		return -int64(rng.IntN(5))
	}
	return int64(rng.IntN(5))
}

// choices are the strings that attributes may have.
var choices = []string{
	"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "linear", "nearest", "cubic", "half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize",
	"pytorch_half_pixel", "half_pixel_symmetric", "floor", "ceil", "round_prefer_ceil", "reflect", "edge", "wrap", "constant", "add", "mul", "max", "min",
	"none", "sum", "mean", "forward", "reverse", "bidirectional", "LEFT", "RIGHT", "DCR", "CRD", "circular", "tanh", "not_larger", "not_smaller",
	"ij,jk->ik", "ii->i", "...i->...", "ij->ji", "a,b->ab", "L1", "L2", "MAX", "odd", "zeros", "border", "reflection", "bilinear", "bicubic",
}

var scalars = []string{"alpha", "beta", "gamma", "lambd", "bias", "epsilon", "momentum", "scale", "softcap", "value", "ratio", "min", "max", "clip", "threshold", "cubic_coeff_a", "extrapolation_value"}

var lists = []string{"axes", "pads", "strides", "dilations", "kernel_shape", "output_padding", "output_shape", "perm", "split", "starts", "ends", "shape", "scan_input_axes", "scan_output_axes", "value_ints"}

var texts = []string{"auto_pad", "mode", "coordinate_transformation_mode", "nearest_mode", "keep_aspect_ratio_policy", "reduction", "direction", "approximate", "equation", "norm", "padding_mode", "round_mode"}

func randomAttribute(rng *rand.Rand, name string) *message.Attribute {
	a := &message.Attribute{Name: name, Kind: message.KindInt}
	if name == "hidden_size" || name == "blocksize" || name == "num_groups" || name == "size" {
		a.Int = int64(rng.IntN(5))
		return a
	}
	switch {
	case slices.Contains(scalars, name):
		a.Kind, a.Float = message.KindFloat, float32(rng.NormFloat64())
		if rng.IntN(10) == 0 {
			a.Float = []float32{0, 1, float32(math.NaN()), float32(math.Inf(1)), -1e30}[rng.IntN(5)]
		}
	case slices.Contains(lists, name):
		a.Kind = message.KindInts
		for range rng.IntN(7) {
			a.Ints = append(a.Ints, randomInt(rng))
		}
	case slices.Contains(texts, name):
		a.Kind, a.String = message.KindString, []byte(choices[rng.IntN(len(choices))])
	case name == "scales":
		a.Kind = message.KindFloats
		for range rng.IntN(5) {
			a.Floats = append(a.Floats, float32(rng.Float64()*3))
		}
	case name == "body" || name == "then_branch" || name == "else_branch":
		a.Kind, a.Graph = message.KindGraph, randomBody(rng)
	case name == "activations":
		a.Kind = message.KindStrings
		for range 1 + rng.IntN(6) {
			a.Strings = append(a.Strings, []byte([]string{"Tanh", "Sigmoid", "Relu", "Affine", "Elu"}[rng.IntN(5)]))
		}
	case name == "value":
		a.Kind, a.Tensor = message.KindTensor, randomTensor(rng, "", []int64{int64(rng.IntN(2))}, 0)
	default:
		a.Int = randomInt(rng)
	}
	return a
}

// randomBody passes its inputs on.
func randomBody(rng *rand.Rand) *message.Graph {
	var inputs, outputs []string
	for i := range rng.IntN(5) {
		inputs = append(inputs, "in"+string(rune('0'+i)))
	}
	if len(inputs) > 0 {
		for range rng.IntN(6) {
			outputs = append(outputs, inputs[rng.IntN(len(inputs))])
		}
	}
	return model(nil, inputs, outputs).Graph
}

// Operators with inputs and attributes at random return or panic with typed
// errors.
func TestOperatorsAtRandom(t *testing.T) {
	ran := map[string]int{}
	for seed := range uint64(*tries) {
		if op, ok := runRandom(t, seed); ok {
			ran[op]++
		}
	}
	var never []string
	for _, op := range supported() {
		if ran[op] == 0 {
			never = append(never, op)
		}
	}
	t.Logf("these never ran to their end: %v", never)
	if len(never) > len(supported())/2 {
		t.Errorf("%d of %d never ran to their end", len(never), len(supported()))
	}
}

func FuzzOperators(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { runRandom(t, seed) })
}

// runRandom runs a network and reports whether it came to its end.
func runRandom(t *testing.T, seed uint64) (op string, ran bool) {
	m := randomModel(rand.New(rand.NewPCG(seed, 1)))
	defer func() {
		if fault := recover(); fault != nil {
			n := m.Graph.Nodes[0]
			text := ""
			for _, a := range n.Attributes {
				text += fmt.Sprintf(" %s=%d%v%v%q", a.Name, a.Int, a.Ints, a.Float, a.String)
			}
			t.Errorf("seed %d, opset %d: %s%s: %v\n%s", seed, m.Opsets[0].Version, n.Op, text, fault, debug.Stack())
		}
	}()
	network, err := ImportWith(bytesReader(m.Marshal()), small)
	if err != nil {
		return "", false
	}
	g := autograd.NewGraph(autograd.Options{})
	bounded(t, func() { err = autograd.Try(func() { network.run(g, network.someInputs(g)) }) })
	return m.Graph.Nodes[0].Op, err == nil
}
