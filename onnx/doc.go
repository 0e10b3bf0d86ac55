// Package onnx writes networks as files of the Open Neural Network Exchange
// format, which onnxruntime and others run, and reads those that PyTorch,
// TensorFlow, scikit-learn and others write.
//
//	err := onnx.Save(path, model, -1, 1, 28, 28) // −1: a batch of any length
//
// writes a layer, for a batch of any length. A network of several inputs, of
// token ids, or of functions of its own is recorded first; see [Export].
//
//	model, err := onnx.ImportFile("testdata/mlp-script.onnx")
//	if err != nil {
//		return err
//	}
//	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
//	optimizer := optim.NewAdam(0.01)
//	for range 200 {
//		g.Reset()
//		loss := losses.MSE(model.Forward(g.Constant(inputs)), g.Constant(targets))
//		optimizer.Step(loss.Backward())
//	}
//
// # Export
//
// A recording is written, and not the layers: what a network does between them
// is in the file too. Operations become the operators of ONNX that do the same,
// or several simpler ones. Files have IR version 9 and opset 20. Params are
// initializers of their names, with the gates of recurrent networks in ONNX's
// order by operators in the file. Numbers are those of onnxruntime but for
// rounding: of every operation's result to 1e-5 of the greatest in float32, and
// to 1e-12 in float64. In float64, onnxruntime has no kernels for convolutions,
// recurrent networks and some functions, which are therefore written out in
// simpler operators: such files are large and slow, for comparisons.
//
// What cannot be written is an error that names every operation: custom
// operations, the decompositions of package matrix, attention to a KeyValues,
// and what takes Ints that ArgMax and the like computed in the recording. Where
// NaN decides between elements, as in a maximum, onnxruntime may decide
// otherwise; the polygamma function of numbers that are not positive is NaN in
// the file.
//
// # Import
//
// A [Model] is a layer: its nodes run in the order of the file, or one in which
// they can, each time that it is given inputs, as operations of the graph. So
// it is differentiated, trained, drawn and explained like a network of one's
// own; scopes come of the nodes' names, /encoder/linear/Gemm, or of the
// metadata of PyTorch's newer exporter. [Model.Run] runs networks with several
// inputs or outputs, by name.
//
// Floating-point initializers are Params under their names: see [Import] for
// which of them stay constants. A file does not say what was trained, or which
// weights are one: PyTorch's exporters fold constants, transpose matrices, and
// join initializers that have equal numbers, such as the weights of two new
// normalizations, which are one Param then.
//
// Numbers are computed in the graph's precision, also those that the file
// declares as float16, bfloat16 or double; a Cast to a narrower type rounds,
// and passes gradients on as if it had not. Integers, booleans and strings,
// such as shapes and indices, are computed beside the graph. If takes one
// branch, Loop and Scan run their body as often as they must.
//
// # Operators
//
// 189 of the 203 operators of ONNX's opsets 1 to 28 are known, and those of
// ai.onnx.ml that scikit-learn's neural networks need. What is not is named at
// once, in an [*UnsupportedError]: operators with the names of their nodes,
// settings that have no counterpart, types of elements (complex numbers, sparse
// tensors, maps). Missing are random numbers (RandomNormal, Bernoulli and the
// like), texts, DeformConv, MaxRoiPool and ImageDecoder; of other domains,
// trees, optimizers and FlexAttention. Operators between integers that stand
// for numbers, such as QLinearConv, run one number at a time.
//
// # Files of strangers
//
// Import returns an error for what is not a valid network, and takes no more
// memory than a small multiple of the file and of what calls of its functions
// come to, of which it allows 2²⁰ nodes: 250 MB. [ImportOptions] bound what a
// run may compute: a few bytes can ask for any size of result, and a loop has
// no end of its own. External data are read from the file's folder only. In a
// run, inputs that do not fit panic with the typed errors of package autograd,
// which name the node: [autograd.Try] returns them.
//
// # Why no generated code
//
// The messages of a file are structs written by hand, with their encoding on
// google.golang.org/protobuf/encoding/protowire, in onnx/internal/message. A
// package generated from onnx.proto would add 2.9 MB to a program instead of
// 0.25 MB, and two such packages in one program, of different modules, panic
// when it starts, as the registry of messages is global.
package onnx
