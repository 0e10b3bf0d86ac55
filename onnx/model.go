package onnx

import (
	"fmt"
	"maps"
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// A Model is a network of a file. It runs anew each time, in any graph, which
// records it operation by operation: so it can be differentiated, trained,
// drawn and exported like a network of one's own, and one with conditions and
// loops takes the way that its inputs lead it.
//
// The numbers are computed in the graph's precision, whatever the file says;
// [autograd.Float32] and [layers.Convert] give what other programs compute.
// Integers, booleans and strings are computed beside the graph.
//
// The graph decides about training, and not the file: in one in training mode
// Dropout drops, and BatchNormalization normalizes by the batch and observes
// its running statistics, as layers do; in one with Eval they predict.
//
// A Model holds nothing of a recording, so that many graphs may use it at once.
type Model struct {
	program *program
	options ImportOptions
	name    string
	params  []*autograd.Param
	inputs  []Port
	outputs []Port
}

// A Port is an input or an output of a network.
type Port struct {
	Name string
	Type string // of the elements: "float", "int64", …; "" if the file does not say, and of what is no tensor

	// Shape is nil if the file does not say. A length that is not fixed is −1,
	// and its name, such as "batch", stands in Axes; where two inputs have the
	// same name, their lengths have to be the same.
	Shape []int
	Axes  []string

	Optional bool // an input with a default
	elem     message.Elem
}

// Name returns the name that the file gives the network.
func (m *Model) Name() string { return m.name }

// Inputs returns the network's inputs, in the file's order.
func (m *Model) Inputs() []Port { return slices.Clone(m.inputs) }

// Outputs returns the network's outputs, in the file's order.
func (m *Model) Outputs() []Port { return slices.Clone(m.outputs) }

// Params returns the network's Params and statistics, in the order of the
// file's initializers.
func (m *Model) Params() []*autograd.Param { return slices.Clone(m.params) }

// describe notes the inputs and outputs.
func (m *Model) describe(g *message.Graph) error {
	for i, info := range g.Inputs {
		p, err := portOf(info)
		if err != nil {
			return fmt.Errorf("input %q: %w", info.Name, err)
		}
		p.Optional = m.program.inputs[i].hasDefault
		m.inputs = append(m.inputs, p)
	}
	seen := map[string]bool{}
	for _, info := range g.Outputs {
		if seen[info.Name] {
			return fmt.Errorf("two outputs are called %q", info.Name)
		}
		seen[info.Name] = true
		p, err := portOf(info)
		if err != nil {
			return fmt.Errorf("output %q: %w", info.Name, err)
		}
		m.outputs = append(m.outputs, p)
	}
	return nil
}

func portOf(info *message.ValueInfo) (Port, error) {
	p := Port{Name: info.Name}
	if info.Type == nil || info.Type.Tensor == nil {
		return p, nil
	}
	p.elem = info.Type.Tensor.Elem
	p.Type = elemName(p.elem)
	if info.Type.Tensor.Shape == nil {
		return p, nil
	}
	p.Shape = []int{}
	for _, d := range info.Type.Tensor.Shape.Dims {
		length := -1
		if d.Known {
			if d.Value < 0 || int64(int(d.Value)) != d.Value {
				return p, fmt.Errorf("a dimension is %d", d.Value)
			}
			length = int(d.Value)
		}
		p.Shape = append(p.Shape, length)
		p.Axes = append(p.Axes, d.Name)
	}
	return p, nil
}

// Forward returns the first output of a network with one input: both hold
// floating-point numbers. With it a Model is a [layers.Layer]. [Model.Run] runs
// other networks.
//
// It panics with an *[autograd.ArgumentError] if the network has more inputs
// without a default, or others, and otherwise as Run does.
func (m *Model) Forward(x autograd.Value) autograd.Value {
	name := ""
	for _, in := range m.inputs {
		if in.Optional {
			continue
		}
		if name != "" || in.elem != 0 && !isFloat(in.elem) {
			panic(autograd.NewArgumentError("onnx: Forward", "the network's inputs are %s: use Run", m.signature()))
		}
		name = in.Name
	}
	if name == "" || len(m.outputs) == 0 {
		panic(autograd.NewArgumentError("onnx: Forward", "the network has no input, or no output: use Run"))
	}
	x.Rank() // panics when x is of no graph, or of one that was Reset
	y := m.Run(x.Graph(), map[string]Data{name: {Value: x}})[m.outputs[0].Name].Value
	if y.IsZero() {
		panic(autograd.NewArgumentError("onnx: Forward", "the network's output %q is no floating-point numbers: use Run", m.outputs[0].Name))
	}
	return y
}

// signature lists the inputs.
func (m *Model) signature() string {
	text := ""
	for i, in := range m.inputs {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %s %v", in.Name, in.Type, in.Shape)
	}
	return text
}

// Run runs the network in a graph, on inputs by their names, and returns its
// outputs by theirs. An input with a default may be left out.
//
//	out := m.Run(g, map[string]onnx.Data{"ids": {Ints: ids}, "mask": {Value: mask}})
//	logits := out["logits"].Value
//
// It panics with an *[autograd.ArgumentError] if an input is missing, unknown
// or of another type, with an *[autograd.ShapeError] if one does not have the
// shape that the file says, and with a typed error of package autograd that
// names the node if something in the network does not fit. So it does where the
// limits of [ImportOptions] are reached.
func (m *Model) Run(g *autograd.Graph, inputs map[string]Data) map[string]Data {
	data := make([]datum, len(m.inputs))
	for i, in := range m.inputs {
		d, ok := inputs[in.Name]
		if !ok {
			if !in.Optional {
				panic(autograd.NewArgumentError("onnx: Run", "input %q is missing", in.Name))
			}
			data[i] = datum{kind: absent}
			continue
		}
		data[i] = in.datum(g, d, m.options.MaxElements)
	}
	m.checkNames(inputs)
	m.checkLengths(data)
	outs := m.run(g, data)
	result := make(map[string]Data, len(outs))
	for i, d := range outs {
		result[m.outputs[i].Name] = m.outputs[i].data(g, d)
	}
	return result
}

// run runs the network on data that fit.
func (m *Model) run(g *autograd.Graph, inputs []datum) []datum {
	r := &run{graph: g, elements: m.options.MaxElements, steps: m.options.MaxSteps, limits: m.options}
	defer func() {
		for range r.scopes {
			g.Leave()
		}
	}()
	outs := m.program.run(r, nil, inputs)
	r.enter(nil)
	return outs
}

// checkNames panics for an input that the network does not have.
func (m *Model) checkNames(inputs map[string]Data) {
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		if !slices.ContainsFunc(m.inputs, func(p Port) bool { return p.Name == name }) {
			panic(autograd.NewArgumentError("onnx: Run", "there is no input %q, but %s", name, m.signature()))
		}
	}
}

// checkLengths panics if lengths of one name differ.
func (m *Model) checkLengths(data []datum) {
	lengths := map[string]int{}
	for i, in := range m.inputs {
		if data[i].kind != tensor || in.Shape == nil {
			continue
		}
		for axis, length := range data[i].shape() {
			name := in.Axes[axis]
			if name == "" {
				continue
			}
			if other, ok := lengths[name]; ok && other != length {
				panic(autograd.NewShapeError("onnx: Run", fmt.Sprintf("the length %q of input %q differs from %d", name, in.Name, other), data[i].shape()))
			}
			lengths[name] = length
		}
	}
}

// datum returns an input as the network's nodes see it.
func (p Port) datum(g *autograd.Graph, d Data, limit int) datum {
	in := p.convert(g, d)
	if in.kind != tensor {
		return in
	}
	shape := in.shape()
	if isVast(shape, limit) {
		panic(autograd.NewShapeError("onnx: Run", fmt.Sprintf("input %q is too large for ImportOptions.MaxElements", p.Name), shape))
	}
	fits := p.Shape == nil || len(shape) == len(p.Shape)
	for i := 0; fits && i < len(p.Shape); i++ {
		fits = p.Shape[i] < 0 || p.Shape[i] == shape[i]
	}
	if !fits {
		panic(autograd.NewShapeError("onnx: Run", fmt.Sprintf("input %q does not have the shape %v of the file", p.Name, p.Shape), shape))
	}
	return in
}

func (p Port) convert(g *autograd.Graph, d Data) datum {
	switch {
	case d.List != nil:
		parts := make([]datum, len(d.List))
		for i, part := range d.List {
			parts[i] = Port{Name: p.Name}.convert(g, part)
		}
		return datum{kind: sequence, list: parts}
	case d.Strings != nil:
		if product(d.Shape) != len(d.Strings) {
			panic(autograd.NewShapeError("onnx: Run", fmt.Sprintf("input %q has %d strings", p.Name, len(d.Strings)), d.Shape))
		}
		return p.typed(ofStrings(slices.Clone(d.Strings), slices.Clone(d.Shape)...), d.Strings == nil)
	case !d.Value.IsZero():
		if d.Value.Graph() != g {
			panic(autograd.NewArgumentError("onnx: Run", "input %q is of another graph", p.Name))
		}
		if p.elem == message.Bool {
			return ofMask(d.Value.NotEqualScalar(0))
		}
		return p.typed(ofValue(message.Float, d.Value), isFloat(p.elem))
	}
	return p.typed(inInts(message.Int64, d.Ints), isInteger(p.elem) || p.elem == message.Bool)
}

// typed gives an input the type of elements that the file says, if it fits.
func (p Port) typed(d datum, fits bool) datum {
	switch {
	case p.elem == 0 || p.elem == d.elem:
		return d
	case !fits:
		panic(autograd.NewArgumentError("onnx: Run", "input %q has %s instead of %s", p.Name, elemName(d.elem), p.Type))
	}
	d.elem = p.elem
	if d.host != nil {
		for i, v := range d.host.ints {
			if w := wrap(p.elem, v); w != v {
				panic(autograd.NewArgumentError("onnx: Run", "input %q has %d, which is no %s", p.Name, v, p.Type))
			}
			d.host.ints[i] = v
		}
	}
	return d
}

// data returns an output as the caller sees it.
func (p Port) data(g *autograd.Graph, d datum) Data {
	switch {
	case d.kind == absent || d.kind == optional && len(d.list) == 0:
		return Data{}
	case d.kind == optional:
		return p.data(g, d.list[0])
	case d.kind == sequence:
		list := make([]Data, len(d.list))
		for i, part := range d.list {
			list[i] = p.data(g, part)
		}
		return Data{List: list}
	case isFloat(d.elem):
		c := &call{frame: &frame{run: &run{graph: g}}}
		v := c.valueOf(d)
		if v.Name() == "" && v.Node().Kind == autograd.KindOperation {
			v = v.Named(p.Name)
		}
		return Data{Value: v}
	case d.elem == message.String:
		return Data{Strings: slices.Clone(d.host.strings), Shape: slices.Clone(d.host.shape)}
	}
	values := (&call{}).intsOf(d)
	list := make([]int, len(values))
	for i, v := range values {
		if int64(int(v)) != v || d.elem == message.Uint64 && v < 0 {
			panic(autograd.NewArgumentError("onnx: Run", "output %q has %s, which is no int", p.Name, decimal(d.elem, v)))
		}
		list[i] = int(v)
	}
	return Data{Ints: toInts(list, d.shape())}
}

// decimal returns an integer's digits.
func decimal(e message.Elem, v int64) string {
	if e == message.Uint64 {
		return fmt.Sprint(uint64(v))
	}
	return fmt.Sprint(v)
}
