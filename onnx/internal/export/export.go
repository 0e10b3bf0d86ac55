// Package export writes recordings as ONNX models. Package onnx is its face.
//
// A recording is walked in its order. Each operation of Nabla has a writer,
// which adds one or a few operators to the graph, or it is written out in other
// operations of Nabla, in a graph of their own, which are then walked in turn.
package export

import (
	"fmt"
	"hash/maphash"
	"strings"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// Opset is the version of the operators, and IRVersion that of the format, from
// May 2023: what onnxruntime reads from 1.17 on.
const (
	Opset     = 20
	IRVersion = 9
)

// An Input is a leaf of the recording, or Ints that an operation was given,
// which the model is to read.
type Input struct {
	Name  string
	Value autograd.Value
	Ints  autograd.Ints
	Fixed bool // its first axis is no batch
}

// A Network says what of a recording is written.
type Network struct {
	Name    string
	Inputs  []Input
	Outputs []autograd.Value
	Batch   string // the name of the first axis of inputs and outputs, of any length; "": as recorded
	FixInts bool   // Ints that are no input are constants of the model
}

// A Problem is an operation that cannot be written.
type Problem struct {
	Op       string
	Node     int
	Reason   string
	Location autograd.Location
}

func (p Problem) String() string {
	at := ""
	if p.Location.Line > 0 {
		at = fmt.Sprintf(", at %v", p.Location)
	}
	return fmt.Sprintf("%s (node %d%s): %s", p.Op, p.Node, at, p.Reason)
}

// Problems are all that cannot be written.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	if len(p) == 1 {
		return "onnx: " + lines[0]
	}
	return fmt.Sprintf("onnx: %d operations cannot be written:\n\t%s", len(p), strings.Join(lines, "\n\t"))
}

// An exporter is one model under way.
type exporter struct {
	network  Network
	draft    bool // leaves out the numbers of Params
	single   bool
	batch    int // the length of the batch axis in the recording; 0: it stays as it is
	ints     []givenInts
	nodes    []*message.Node
	initial  []*message.Tensor
	inputs   []*message.ValueInfo
	named    map[string]int                       // names that are taken, with the number of the last that was made of them
	known    map[string]string                    // constants by their numbers
	size     string                               // the tensor that holds the length of the batch axis; "" until it is needed
	first    string                               // an input with that axis
	found    map[autograd.Value]string            // indices that a sort or the like found
	settled  map[string]func(maphash.Seed) string // the numbers of what does not depend on inputs
	graph    *message.Graph
	problems Problems
	prefix   string
	depth    int
}

type givenInts struct {
	ints autograd.Ints
	ref  ref
}

// A ref is a tensor of the model that stands for a recorded Value.
type ref struct {
	name   string
	value  autograd.Value // its numbers as they were recorded
	batch  batchAxis
	fixed  bool     // does not depend on inputs: its numbers are known
	truth  string   // of a mask: the tensor of booleans
	parts  []string // of a recurrent operation: outputs, last state, last cell
	failed bool     // was refused, or depends on what was
}

// Model returns the model, or Problems.
func (w Network) Model() (*message.Model, error) {
	e, err := w.written(false)
	if err != nil {
		return nil, err
	}
	return &message.Model{
		IRVersion: IRVersion, Opsets: []message.Opset{{Version: Opset}}, ProducerName: "nabla", ProducerVersion: version(), Graph: e.graph,
	}, nil
}

// written returns the graph, in a draft without the numbers of Params.
func (w Network) written(draft bool) (*exporter, error) {
	e := &exporter{
		network: w, draft: draft, named: map[string]int{}, known: map[string]string{}, found: map[autograd.Value]string{},
		settled: map[string]func(maphash.Seed) string{},
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	refs := map[int]ref{}
	for i, in := range w.Inputs {
		e.input(i, in, refs)
	}
	e.walk(w.Outputs, refs)
	for _, given := range e.ints {
		if !e.uses(given.ref.name) && len(e.problems) == 0 {
			return nil, fmt.Errorf("onnx: no operation was given the Ints %q, or Ints with the same memory", given.ref.name)
		}
	}
	if len(e.problems) > 0 {
		return nil, e.problems
	}
	e.finish(refs)
	if len(e.problems) > 0 {
		return nil, e.problems
	}
	return e, nil
}

// check returns an error for what is no network.
func (e *exporter) check() error {
	w := e.network
	if len(w.Outputs) == 0 {
		return fmt.Errorf("onnx: no outputs")
	}
	for i, y := range w.Outputs {
		if y.IsZero() {
			return fmt.Errorf("onnx: output %d is a zero Value", i)
		}
	}
	g := w.Outputs[0].Graph()
	e.single = g.Options().Precision == autograd.Float32
	for i, y := range w.Outputs {
		if y.Graph() != g {
			return fmt.Errorf("onnx: output %d is of another graph than the first", i)
		}
	}
	for i, in := range w.Inputs {
		switch {
		case in.Value.IsZero() == (in.Ints.Shape() == nil || in.Ints.Rank() == 0 && in.Ints.Size() == 0):
			return fmt.Errorf("onnx: input %d is not either a Value or Ints", i)
		case in.Value.IsZero():
		case in.Value.Graph() != g:
			return fmt.Errorf("onnx: input %d is of another graph than the outputs", i)
		case in.Value.Node().Kind == autograd.KindOperation:
			return fmt.Errorf("onnx: input %d is the result of %q, want a constant or variable", i, in.Value.Node().Op)
		}
		for k, other := range w.Inputs[:i] {
			if !in.Value.IsZero() && other.Value == in.Value {
				return fmt.Errorf("onnx: input %d is input %d again", i, k)
			}
		}
		if w.Batch == "" || in.Fixed {
			continue
		}
		if err := e.checkBatch(i, in.shape()); err != nil {
			return err
		}
	}
	if w.Batch != "" && e.batch == 0 {
		return fmt.Errorf("onnx: no input has the batch axis %q", w.Batch)
	}
	return nil
}

func (in Input) shape() []int {
	if in.Value.IsZero() {
		return in.Ints.Shape()
	}
	return in.Value.Shape()
}

func (e *exporter) checkBatch(i int, shape []int) error {
	switch {
	case len(shape) == 0:
		return fmt.Errorf("onnx: input %d is a scalar, without a batch axis: it must be Fixed", i)
	case shape[0] < 2:
		return fmt.Errorf("onnx: input %d has a batch of %d: an axis can only be told from others by a batch of 2 or more", i, shape[0])
	case e.batch == 0:
		e.batch = shape[0]
	case e.batch != shape[0]:
		return fmt.Errorf("onnx: input %d has a batch of %d, others of %d", i, shape[0], e.batch)
	}
	return nil
}

// input adds an input of the model.
func (e *exporter) input(i int, in Input, refs map[int]ref) {
	name := in.Name
	if name == "" && !in.Value.IsZero() {
		name = in.Value.Name()
	}
	if name == "" {
		name = "input"
	}
	r := ref{name: e.unique(name), value: in.Value, batch: noBatch}
	elem := e.elem()
	if in.Value.IsZero() {
		elem = message.Int64
	}
	dims := dimsOf(in.shape())
	if e.batch > 0 && !in.Fixed {
		r.batch = batchAxis{0, 1}
		dims[0] = message.Dim{Name: e.network.Batch}
		if e.first == "" {
			e.first = r.name
		}
	}
	e.inputs = append(e.inputs, &message.ValueInfo{Name: r.name, Type: tensorType(elem, dims)})
	if in.Value.IsZero() {
		e.ints = append(e.ints, givenInts{in.Ints, r})
		return
	}
	refs[in.Value.Node().ID] = r
}

// finish puts the graph together.
func (e *exporter) finish(refs map[int]ref) {
	g := &message.Graph{Name: e.network.Name, Inputs: e.inputs}
	if g.Name == "" {
		g.Name = "nabla"
	}
	rename := map[string]string{}
	for i, y := range e.network.Outputs {
		r := refs[y.Node().ID]
		if e.batch > 0 && r.batch.none() {
			e.problems = append(e.problems, Problem{y.Node().Op, y.Node().ID, "an output that has no batch", y.Node().Location})
			continue
		}
		name := y.Name()
		if name == "" || y.Node().Kind != autograd.KindOperation {
			name = "output"
		}
		name = e.unique(name)
		if e.produced(r.name) && rename[r.name] == "" {
			rename[r.name] = name
		} else {
			e.nodes = append(e.nodes, &message.Node{Op: "Identity", Name: fmt.Sprint("output_", i), Inputs: []string{r.name}, Outputs: []string{name}})
		}
		dims := dimsOf(y.Shape())
		if r.batch.axis >= 0 {
			dims[r.batch.axis] = message.Dim{}
			if y.Shape()[r.batch.axis] == e.batch {
				dims[r.batch.axis].Name = e.network.Batch
			}
		}
		g.Outputs = append(g.Outputs, &message.ValueInfo{Name: name, Type: tensorType(e.elem(), dims)})
	}
	e.rename(rename)
	g.Nodes, g.Initializers = e.reached(g.Outputs)
	e.graph = g
}
