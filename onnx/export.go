package onnx

import (
	"fmt"
	"io"

	"nabla/autograd"
	"nabla/layers"
	"nabla/onnx/internal/export"
	"nabla/onnx/internal/message"
)

// An Input is what an exported network reads: a leaf of the recording, or Ints
// that an operation was given.
type Input struct {
	Name  string         // "": the Value's name, or "input"
	Value autograd.Value // a constant or variable of the recording
	Ints  autograd.Ints  // in place of a Value: token ids, indices or lengths, as they were given
	Fixed bool           // with Export.Batch: the first axis is none
}

// An Export is a network to be written: what a recording computed Outputs from
// Inputs by. Everything else that it used, Params, constants and other
// variables, becomes part of the file, under the Params' names.
//
//	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true})
//	x := g.Constant(example).Named("image")
//	scores := model.Forward(x).Named("scores")
//	network := onnx.Export{Inputs: []onnx.Input{{Value: x}}, Outputs: []autograd.Value{scores}, Batch: "batch"}
//	err := network.Save("model.onnx")
//
// The graph is recorded with NoGrad, or with Eval, so that dropout is off and
// batch normalization has its running statistics. Its precision is that of the
// file.
//
// Ints are inputs of 64-bit integers. The operations that may take them are
// Embedding, IndexSelect, IndexAdd, Gather, ScatterAdd and SegmentSum, OneHot
// of the whole of them, and the Lengths of recurrent operations and Attention.
// Beside such inputs, all other Ints are refused unless FixInts says that they
// are constants: they may have been made of the inputs in Go. So are Ints that
// ArgMax and the like returned, but not copies of them. A Tensor that a program
// made of its inputs in Go, such as a mask of the words that occur, cannot be
// told from others: it is a constant of the file.
//
// With Batch, the first axis of the inputs, which must be 2 or longer in the
// recording, has any length in the file, under that name. A network of which a
// sample depends on others of its batch, or on constants that differ for the
// samples, is refused. What a program makes of the length of the batch in Go,
// as in x.MulScalar(1/float64(x.Dim(0))), cannot be told from other constants;
// [Save] and [Layer] find it, since they record a layer with two lengths.
type Export struct {
	Name    string // of the graph; "": "nabla"
	Inputs  []Input
	Outputs []autograd.Value // by their names; "": "output"
	Batch   string           // the name of the first axis; "": every shape is as recorded
	FixInts bool             // Ints that are no input are constants of the file
}

// A Refused is an operation that cannot be written.
type Refused struct {
	Op       string
	Node     int               // its ID in the recording
	Reason   string            //
	Location autograd.Location // the user's line, if the graph has Trace
}

func (r Refused) String() string { return export.Problem(r).String() }

// A RefusedError names every operation of a network that Export cannot write.
type RefusedError struct{ Ops []Refused }

func (e *RefusedError) Error() string {
	var p export.Problems
	for _, r := range e.Ops {
		p = append(p, export.Problem(r))
	}
	return p.Error()
}

// Write writes the model. It returns a [*RefusedError] with every operation
// that cannot be written, and an error if the inputs and outputs are none of
// one recording, if the model has more than 2 GB, which [Export.Save] can
// write, or if w does.
func (e Export) Write(w io.Writer) error {
	m, err := e.model()
	if err != nil {
		return err
	}
	return m.Write(w)
}

// Save writes the model to a file, as [Export.Write] does. The file is written
// beside and renamed, so that it is whole or as before. The numbers of a model
// of more than 2 GB are in a second file in the same folder, path + ".", a part
// of their hash and ".data", so that no earlier numbers are written over; the
// two are moved together. Those of an earlier model of that path are removed.
func (e Export) Save(path string) error {
	m, err := e.model()
	if err != nil {
		return err
	}
	return export.Save(path, m, export.MaxSize)
}

// Save writes a layer for inputs of the given shape, in the precision of its
// first Param. A first axis of −1 is a batch of any length, named "batch". The
// input is named "input" and the output "output".
//
//	err := onnx.Save("model.onnx", model, -1, 1, 28, 28)
//
// It returns errors as [Export.Save] does and, of a batch of any length, if the
// layer computes something of the length, such as a mean over the samples. It
// panics as the layer does if it does not take that shape.
func Save(path string, layer layers.Layer, shape ...int) error {
	e, err := Layer(layer, shape...)
	if err != nil {
		return err
	}
	return e.Save(path)
}

// Layer records a layer on an example of zeros, as [Save] does, and returns
// what Save writes, with the same errors about the batch.
func Layer(layer layers.Layer, shape ...int) (Export, error) {
	if len(shape) == 0 {
		return Export{}, fmt.Errorf("onnx: no shape of the input")
	}
	e := Export{}
	dims := append([]int{}, shape...)
	if dims[0] == -1 {
		dims[0], e.Batch = 2, "batch"
	}
	options := autograd.Options{Precision: autograd.Float32, NoGrad: true}
	if params := layer.Params(); len(params) > 0 {
		options.Precision = params[0].Precision()
	}
	e.record(layer, options, dims)
	return e, e.checkBatch(layer, options, dims)
}

func (e *Export) record(layer layers.Layer, options autograd.Options, dims []int) {
	x := autograd.NewGraph(options).Constant(autograd.Zeros(dims...))
	e.Inputs, e.Outputs = []Input{{Name: "input", Value: x}}, []autograd.Value{layer.Forward(x).Named("output")}
}

// checkBatch records the layer with a longer batch too, and returns an error if
// that is another network.
func (e Export) checkBatch(layer layers.Layer, options autograd.Options, dims []int) error {
	if e.Batch == "" {
		return nil
	}
	longer := e
	longer.record(layer, options, append([]int{dims[0] + 1}, dims[1:]...))
	switch how, err := e.network().Differs(longer.network()); {
	case err != nil:
		return refused(err)
	case how != "":
		return fmt.Errorf("onnx: the layer computes something of the length of the batch: recorded with %d and %d samples, %s", dims[0], dims[0]+1, how)
	}
	return nil
}

func (e Export) model() (*message.Model, error) {
	m, err := e.network().Model()
	return m, refused(err)
}

func (e Export) network() export.Network {
	n := export.Network{Name: e.Name, Outputs: e.Outputs, Batch: e.Batch, FixInts: e.FixInts}
	for _, in := range e.Inputs {
		n.Inputs = append(n.Inputs, export.Input(in))
	}
	return n
}

// refused returns Problems as a RefusedError, and any other error as it is.
func refused(err error) error {
	problems, ok := err.(export.Problems)
	if !ok {
		return err
	}
	all := &RefusedError{}
	for _, p := range problems {
		all.Ops = append(all.Ops, Refused(p))
	}
	return all
}
